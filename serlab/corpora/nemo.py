"""nEMO: nine speakers, ninety sentences, six emotions, in Polish."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from serlab.corpora import sheet
from serlab.corpora.record import Record, Remote, name_parser, read_citation
from serlab.errors import CorpusError

_WOMEN = ("EB0", "IC0", "KD0", "MK0")
_SPEAKERS = ("EB0", "IC0", "KD0", "KS0", "MK0", "MP0", "SM0", "TP0", "WR0")
# Clips per speaker, where they are known; a shorter data.tsv has lost lines.
_CLIPS = {"EB0": 539, "IC0": 540, "KS0": 540, "SM0": 538, "TP0": 539}
_RESTORE = 'Restore the official table, or run serlab.fetch("nemo").'


def expected(folder: Path) -> set[str]:
    """Read from the copy's own ``data.tsv`` which clips there should be.

    Raises
    ------
    CorpusError
        If there is no such table, or it has lost lines.
    """
    places = [
        folder / "data.tsv",
        *sorted(folder.glob("[nN][eE][mM][oO]*/data.tsv")),
        folder.parent / "data.tsv",
    ]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise CorpusError(
            f"nEMO: no data.tsv in {folder}. Without it nobody can tell whether clips are missing: "
            'copy it from the official repository, or run serlab.fetch("nemo").'
        )
    table = sheet.read(path, lambda header: _columns(path, header))
    for line, fault in table.faults:
        raise CorpusError(f"{path}, line {line}: {fault}. {_RESTORE}")
    found = table.rows["speaker_id"].value_counts()
    official = _CLIPS
    if len(found) == len(_SPEAKERS):
        official, found["all speakers"] = {**_CLIPS, "all speakers": RECORD.clips}, len(table.rows)
    for speaker, clips in official.items():
        if found.get(speaker, clips) != clips:
            raise CorpusError(f"{path} lists {found[speaker]} of the {clips} clips of {speaker}. {_RESTORE}")
    return set(table.rows["file_id"].str.removesuffix(".wav"))


def _columns(path: Path, header: Sequence[str]) -> dict[str, str]:
    if not {"file_id", "speaker_id"} <= set(header):
        raise CorpusError(f"{path} is not nEMO's table: it lacks the columns file_id and speaker_id.")
    return {name: name for name in ("file_id", "speaker_id")}


RECORD = Record(
    name="nemo",
    title="nEMO",
    description=(
        "Nine Polish actors (4 women, 5 men) say ninety sentences, chosen to cover the sounds of Polish, in "
        "six emotions; recordings that did not pass the makers' checks were left out. 24 kHz, 16 bit."
    ),
    language="Polish",
    licence="CC BY-NC-SA 4.0",
    licence_url="https://creativecommons.org/licenses/by-nc-sa/4.0/",
    licence_source="README of github.com/amu-cai/nEMO, read November 2026",
    citation_key="christop2024nemo",
    citation=read_citation("christop2024nemo"),
    homepage="https://github.com/amu-cai/nEMO",
    clips=4481,
    speakers=_SPEAKERS,
    classes={"neutral": 809, "happy": 749, "sad": 769, "angry": 749, "fearful": 736, "surprised": 669},
    parse=name_parser(
        r"(?P<speaker>[A-Z]{2}0)_(?P<emotion>[a-z]+)_(?P<sentence>[1-9]\d?)",
        genders={speaker: "female" if speaker in _WOMEN else "male" for speaker in _SPEAKERS},
        emotion={
            "anger": "angry",
            "fear": "fearful",
            "happiness": "happy",
            "neutral": "neutral",
            "sadness": "sad",
            "surprised": "surprised",
        },
    ),
    remotes=(
        Remote(
            url="https://github.com/amu-cai/nEMO/archive/06f1f83dde8f1a780443a57d53b2af3971af34ab.zip",
            filename="nEMO.zip",
        ),
    ),
    expected=expected,
    folder=r"nemo.*",
    inner=r"nemo.*",
    clip_folder="samples",
    notes=(
        "speaker_id in data.tsv begins with blanks.",
        "Every speaker says the same ninety sentences, so that speakers share all text.",
        "The clips of an emotion are not exactly balanced: 669 surprised to 809 neutral.",
    ),
)

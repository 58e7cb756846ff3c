"""nEMO: nine speakers, ninety sentences, six emotions, in Polish."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from serlab.corpora import sheet
from serlab.corpora.record import Record, Remote
from serlab.errors import CorpusError

_STEM = re.compile(r"([A-Z]{2}0)_(anger|fear|happiness|neutral|sadness|surprised)_([1-9]\d?)")
_EMOTIONS = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}
_GENDERS = {
    "EB0": "female",
    "IC0": "female",
    "KD0": "female",
    "KS0": "male",
    "MK0": "female",
    "MP0": "male",
    "SM0": "male",
    "TP0": "male",
    "WR0": "male",
}
# Clips per speaker, where they are known; a shorter data.tsv has lost lines.
_CLIPS = {"EB0": 539, "IC0": 540, "KS0": 540, "SM0": 538, "TP0": 539}
_RESTORE = 'Restore the official table, or run serlab.fetch("nemo").'


def parse(stem: str) -> dict | None:
    """Read a nEMO name: speaker_emotion_sentence.

    Examples
    --------
    >>> parse("EB0_anger_13")["emotion"], parse("EB0_anger_13")["sentence"]
    ('angry', '13')
    """
    match = _STEM.fullmatch(stem)
    if match is None or match[1] not in _GENDERS:
        return None
    return {
        "speaker": match[1],
        "gender": _GENDERS[match[1]],
        "emotion": _EMOTIONS[match[2]],
        "sentence": match[3],
    }


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
    counts = Counter(table.columns["speaker_id"])
    official = _CLIPS if len(counts) < len(_GENDERS) else {**_CLIPS, "all speakers": RECORD.clips}
    for speaker, clips in official.items():
        found = len(table.lines) if speaker == "all speakers" else counts.get(speaker, clips)
        if found != clips:
            raise CorpusError(f"{path} lists {found} of the {clips} clips of {speaker}. {_RESTORE}")
    return {name.removesuffix(".wav") for name in table.columns["file_id"]}


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    wanted = ("file_id", "speaker_id")
    if not set(wanted) <= set(header):
        raise CorpusError(f"{path} is not nEMO's table: it lacks the columns file_id and speaker_id.")
    return {name: header.index(name) for name in wanted}


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
    citation="""@inproceedings{christop2024nemo,
  author    = {Christop, Iwona},
  title     = {{nEMO}: Dataset of Emotional Speech in {Polish}},
  booktitle = {Proceedings of the 2024 Joint International Conference on Computational Linguistics,
               Language Resources and Evaluation ({LREC-COLING} 2024)},
  pages     = {12111--12116},
  year      = {2024}
}""",
    homepage="https://github.com/amu-cai/nEMO",
    clips=4481,
    speakers=tuple(_GENDERS),
    classes={"neutral": 809, "happy": 749, "sad": 769, "angry": 749, "fearful": 736, "surprised": 669},
    parse=parse,
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

"""nEMO: nine speakers, ninety sentences, six emotions, in Polish."""

from collections.abc import Sequence
from pathlib import Path

from serlab.corpora import sheet
from serlab.corpora.record import read_record
from serlab.errors import CorpusError

# Clips per speaker, where they are known; a shorter data.tsv has lost lines.
_CLIPS = {"EB0": 539, "IC0": 540, "KS0": 540, "SM0": 538, "TP0": 539}
_RESTORE = 'Restore the official table, or run serlab.fetch("nemo").'


def expected(folder: Path) -> set[str]:
    """Read from the copy's own ``data.tsv`` which clips there should be.

    CorpusError if there is no such table, or it has lost lines.
    """
    inside = sorted(folder.glob("[nN][eE][mM][oO]*/data.tsv"))
    places = [folder / "data.tsv", *inside, folder.parent / "data.tsv"]
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
    if len(found) == len(RECORD.speakers):
        official, found["all speakers"] = {**_CLIPS, "all speakers": RECORD.clips}, len(table.rows)
    for speaker, clips in official.items():
        if found.get(speaker, clips) != clips:
            raise CorpusError(f"{path} lists {found[speaker]} of the {clips} clips of {speaker}. {_RESTORE}")
    return set(table.rows["file_id"].str.removesuffix(".wav"))


def _columns(path: Path, header: Sequence[str]) -> dict[str, str]:
    if not {"file_id", "speaker_id"} <= set(header):
        raise CorpusError(f"{path} is not nEMO's table: it lacks the columns file_id and speaker_id.")
    return {name: name for name in ("file_id", "speaker_id")}


RECORD = read_record("nemo", expected=expected)

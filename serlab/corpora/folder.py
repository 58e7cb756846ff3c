"""A folder of recordings with a table: bring your own corpus."""

from __future__ import annotations

import csv
import io
import math
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from serlab.corpora import locate
from serlab.corpora.table import EMOTIONS, build
from serlab.errors import CorpusError
from serlab.sound_files import SUFFIXES

ALIASES = {
    "file": ("file", "path", "filename", "file_name", "clip", "file_id"),
    "emotion": ("emotion", "label"),
    "speaker": ("speaker", "speaker_id", "actor"),
    "gender": ("gender", "sex"),
    "intensity": ("intensity",),
    "sentence": ("sentence", "text"),
    "language": ("language",),
    "valence": ("valence",),
    "arousal": ("arousal",),
}
"""Column of the utterance table to the headers that are read for it, in any case."""

REQUIRED = ("file", "emotion", "speaker")

SPELLINGS = {
    "neutral": ("neutrality", "neu", "normal"),
    "calm": ("calmness", "relaxed"),
    "happy": ("happiness", "hap", "joy", "joyful"),
    "sad": ("sadness",),
    "angry": ("anger", "ang"),
    "fearful": ("fear", "fea", "afraid", "anxiety"),
    "disgust": ("disgusted", "dis"),
    "surprised": ("surprise", "sur"),
    "bored": ("boredom", "bor"),
}
"""Emotion to other usual words for it; any other label is kept as it is."""

_EMOTION = {spelling: emotion for emotion in EMOTIONS for spelling in (emotion, *SPELLINGS[emotion])}
_GENDER = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male"}
_OPTIONAL = ("gender", "intensity", "sentence", "language")


class Fault(NamedTuple):
    """Something wrong with one row of a table."""

    clip: str
    path: str
    kind: str
    detail: str


def load(folder: Path | str) -> pd.DataFrame:
    """Return the utterance table of a folder of recordings.

    Parameters
    ----------
    folder
        A folder with one CSV or TSV table, or with several of which one is ``metadata.csv`` or
        ``metadata.tsv``; or the path of the table itself. `ALIASES` names the columns: file, emotion
        and speaker are needed, the others may be missing. File names are relative to the table, with or
        without extension.

    Returns
    -------
    DataFrame
        As from `serlab.load`. Usual words for the emotions of `serlab.corpora.EMOTIONS` are turned into
        those (`SPELLINGS`). Other labels are kept, with a warning, and listed in
        ``attrs["own_labels"]``: they have neither valence nor arousal unless the table gives them.

    Raises
    ------
    CorpusError
        If the table or a row is unusable; the message names the file and the line.

    Examples
    --------
    >>> import tempfile, numpy, soundfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     soundfile.write(f"{name}/one.wav", numpy.zeros(800), 8000)
    ...     _ = Path(name, "metadata.csv").write_text("file,emotion,speaker\\none.wav,joy,Ada\\n")
    ...     table = load(name)
    >>> table.loc[0, ["clip", "emotion", "speaker"]].tolist()
    ['one', 'happy', 'Ada']
    """
    path, rows, faults = read(folder)
    if faults:
        more = {1: "", 2: " (1 more row has a fault)"}.get(
            len(faults), f" ({len(faults) - 1} more rows have faults)"
        )
        raise CorpusError(f'{faults[0].detail}{more}. Run serlab.validate("{folder}") for the whole list.')
    name = path.parent.name
    table = build(rows, name, name, f'Run serlab.validate("{folder}") for the whole list.')
    own = sorted(set(table["emotion"]) - set(EMOTIONS))
    if own:
        table.attrs["own_labels"] = own
        warnings.warn(
            f"{path}: {', '.join(own)} are not among serlab's emotions ({', '.join(EMOTIONS)}). They are "
            "kept as classes of their own.",
            stacklevel=3,
        )
    return table


def read(folder: Path | str) -> tuple[Path, list[dict], list[Fault]]:
    """Read the table of a folder: its path, one row per usable line, and the faults of other lines.

    Raises
    ------
    CorpusError
        If there is no table, more than one, an empty one, or one without the required columns.
    """
    path = _table_file(Path(folder).expanduser().absolute())
    header, lines = _lines(path)
    columns = _columns(path, header)
    finder = _Finder(path.parent)
    rows, faults = [], []
    first_line: dict[str, int] = {}
    for number, line in lines:
        try:
            row = _row(line, columns, finder)
            if row["path"] in first_line:
                raise _BadRow("duplicate", f"{row['path']} is already in line {first_line[row['path']]}")
            first_line[row["path"]] = number
            rows.append(row)
        except _BadRow as bad:
            name = (line.get(columns["file"]) or "").strip()
            faults.append(Fault(Path(name).stem, name, bad.kind, f"{path}, line {number}: {bad.detail}"))
    if not rows and not faults:
        raise CorpusError(f"{path} has a header but no rows: add one line per recording.")
    _name_clips(rows, path.parent)
    return path, rows, faults


class _BadRow(Exception):
    def __init__(self, kind: str, detail: str):
        super().__init__(detail)
        self.kind, self.detail = kind, detail


class _Finder:
    """Finds recordings by name with or without extension, listing each folder once."""

    def __init__(self, root: Path):
        self.root = root
        self.listed: dict[Path, dict[str, list[Path]]] = {}

    def find(self, name: str) -> Path:
        # Tables made on Windows have backslashes.
        path = Path(os.path.normpath(self.root / (name if os.sep == "\\" else name.replace("\\", "/"))))
        # Unlike the method of a path, this says no to names that are too long or impossible.
        if os.path.isfile(path):
            return path
        stems = self._stems(path.parent)
        stem = path.stem if path.suffix.lower() in SUFFIXES else path.name
        found = stems.get(stem, [])
        if len(found) > 1:
            raise _BadRow(
                "ambiguous", f"{name} may be {found[0].name} or {found[1].name}: give the extension"
            )
        if not found:
            raise _BadRow("missing", f"there is no recording {path}, under any extension")
        return found[0]

    def _stems(self, folder: Path) -> dict[str, list[Path]]:
        if folder not in self.listed:
            stems: dict[str, list[Path]] = {}
            for file in locate.visible_files(folder):
                if file.suffix.lower() in SUFFIXES:
                    stems.setdefault(file.stem, []).append(file)
            self.listed[folder] = stems
        return self.listed[folder]


def _table_file(folder: Path) -> Path:
    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {folder}.")
    tables = [file for file in locate.visible_files(folder) if file.suffix.lower() in (".csv", ".tsv")]
    named = [file for file in tables if file.stem.lower() == "metadata"]
    chosen = named or tables
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise CorpusError(
            f"{folder} has no CSV or TSV table. Put a metadata.csv there with the columns "
            f"{', '.join(REQUIRED)}, one line per recording."
        )
    raise CorpusError(
        f"{folder} has {len(chosen)} tables ({', '.join(file.name for file in chosen)}). "
        "Name the right one metadata.csv, or give its path."
    )


def _lines(path: Path) -> tuple[list[str], list[tuple[int, dict]]]:
    text = _decode(path.read_bytes())
    if not text.strip():
        raise CorpusError(f"{path} is empty: give it the columns {', '.join(REQUIRED)}.")
    first = text.lstrip().splitlines()[0]
    delimiter = max("\t;,", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    header = [name or "" for name in reader.fieldnames or []]
    return header, [
        (reader.line_num, line) for line in reader if any(value for value in line.values() if value)
    ]


def _decode(content: bytes) -> str:
    """Decode a table: UTF-8 with or without byte order mark, UTF-16 with one, else Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _columns(path: Path, header: list[str]) -> dict[str, str]:
    by_name = {name.strip().lower(): name for name in reversed(header)}
    columns = {
        column: by_name[alias]
        for column, aliases in ALIASES.items()
        for alias in reversed(aliases)
        if alias in by_name
    }
    lacking = [column for column in REQUIRED if column not in columns]
    if lacking:
        wanted = "; ".join(f"{column} (or {', '.join(ALIASES[column][1:])})" for column in lacking)
        raise CorpusError(
            f"{path} lacks the column{'s' * (len(lacking) > 1)} {wanted}. Its header is: {', '.join(header)}."
        )
    return columns


def _row(line: dict, columns: dict[str, str], finder: _Finder) -> dict:
    if None in line:
        raise _BadRow("table", "more fields than the header has: put quotes around a text with separators")
    given = {column: (line[name] or "").strip() for column, name in columns.items()}
    for column in REQUIRED:
        if not given[column]:
            raise _BadRow("table", f"{columns[column]} is empty")
    row = {column: given.get(column) or None for column in _OPTIONAL}
    row["gender"] = row["gender"] and _GENDER.get(row["gender"].lower(), row["gender"].lower())
    row["emotion"] = _EMOTION.get(given["emotion"].lower(), given["emotion"])
    row["speaker"] = given["speaker"]
    for axis in ("valence", "arousal"):
        row[axis] = _axis(axis, given.get(axis, ""))
    row["path"] = str(finder.find(given["file"]))
    return row


def _axis(axis: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        raise _BadRow("table", f"{axis} {text!r} is not a number") from None
    if not (math.isnan(value) or -1 <= value <= 1):
        raise _BadRow("table", f"{axis} {text} is not within -1 to 1: rescale the column")
    return value


def _name_clips(rows: list[dict], root: Path) -> None:
    """Name clips by stem where that is unique in the table, else by their path."""
    stems = Counter(Path(row["path"]).stem for row in rows)
    for row in rows:
        path = Path(row["path"])
        relative = Path(os.path.relpath(path, root)).as_posix()
        row["clip"] = path.stem if stems[path.stem] == 1 else relative

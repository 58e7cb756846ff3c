"""A folder of recordings with a table: bring your own corpus."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from serlab.corpora import cells, locate, sheet, words
from serlab.corpora.cells import REQUIRED, Bad
from serlab.corpora.table import EMOTIONS, build
from serlab.errors import CorpusError
from serlab.paths import regular_file
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
"""Column of the utterance table to the headers that are read for it, the first that is there, in any case."""

# Columns that say which part of a file a row means, with or without what is counted.
_BEGIN = (
    "start|anfang|beginn|debut|début|inicio|inizio|beg|begin|beginning|onset|offset|from|tmin|xmin|t0|"
    "first(?=sample|frame)"
)
_END = "end|ende|fin|fine|stop|to|tmax|xmax|t1|last(?=sample|frame)"
_PART = re.compile(
    r"(?:seg|segment|utt|utterance|clip|turn|time|timestamp|t|x|audio|speech|voice|word|sentence|sample|frame|"
    rf"file|wav|interval|region|chunk|slice|event|crop|cut|label|sec|ms)?(?:({_BEGIN})|{_END})"
    r"(?:time|at|point|pos|position|stamp)?(?:s|secs?|seconds?|ms|msecs?|milliseconds?|samples?|frames?)?"
)
_LENGTH = ("duration", "dur", "length")
# Two columns of which one has a word of the first kind and one of the second say it too: how words begin, and
# whole words.
_BEGINS = re.compile(
    r"start|begin|anfang|d[eé]but|comienzo|inicio|inizio|początek|onset|(von|de|desde|da|from|in)$"
)
_ENDS = re.compile(r"end|stop|koniec|final|(bis|[aà]|hasta|to|fin|fine|out|offset)$")
# Problems that an error tells before it refers to serlab.validate for the rest.
_HANDFUL = 5


class Fault(NamedTuple):
    """Something wrong, or worth knowing, about one row of a table."""

    line: int
    file: str
    kind: str
    detail: str


class Contents(NamedTuple):
    """What the table of a folder holds."""

    path: Path
    """The table itself."""
    rows: pd.DataFrame
    """One row per usable line, with columns of the utterance table."""
    faults: list[Fault]
    """Why lines cannot be used, in their order."""
    notes: list[Fault]
    """What can be used but may not be meant so."""


def load(folder: Path | str, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    r"""Return the utterance table of a folder of recordings.

    Parameters
    ----------
    folder
        A folder with one CSV or TSV table, or with several of which one is ``metadata.csv`` or
        ``metadata.tsv``; or the path of the table itself. `ALIASES` names the columns: file, emotion
        and speaker are needed, the others may be missing. File names are relative to the table, with or
        without extension.
    labels
        What labels of the table mean, such as ``{"01": "neutral", "W": "angry"}``.

    Returns
    -------
    DataFrame
        As from `serlab.load`. Usual words for the emotions of `serlab.corpora.EMOTIONS` are turned into
        those (`serlab.corpora.words.SPELLINGS`). Other labels are kept, with a warning, and listed in
        ``attrs["own_labels"]``: they have neither valence nor arousal unless the table gives them.

    Raises
    ------
    CorpusError
        If the table or a row is unusable, or if two rows may mean one person, or one label, under two
        spellings; the message names the file and the lines.

    Examples
    --------
    >>> import tempfile, numpy, soundfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     soundfile.write(f"{name}/one.wav", numpy.zeros(800), 8000)
    ...     _ = Path(name, "metadata.csv").write_text("file,emotion,speaker\none.wav,joy,Ada\n")
    ...     table = load(name)
    >>> table.loc[0, ["clip", "emotion", "speaker"]].tolist()
    ['one', 'happy', 'Ada']
    """
    path, rows, faults, notes = read(folder, labels)
    ask = f'Run serlab.validate("{folder}") for the whole list.'
    if len(faults) == 1:
        raise CorpusError(f"{path}, line {faults[0].line}: {faults[0].detail}.")
    if faults:
        told = "".join(f"\n  line {fault.line}: {fault.detail}" for fault in faults[:_HANDFUL])
        more = len(faults) - _HANDFUL
        raise CorpusError(
            f"{path} has {len(faults)} faults:{told}" + (f"\n  and {more} more. {ask}" if more > 0 else "")
        )
    name = path.parent.name
    table = build(rows, name, name, ask)
    for note in notes:
        warnings.warn(f"{path}, line {note.line}: {note.detail}.", stacklevel=4)
    own = sorted(set(table["emotion"]) - set(EMOTIONS))
    if own:
        table.attrs["own_labels"] = own
        warnings.warn(
            f"{path}: {', '.join(own)} are not among serlab's emotions ({', '.join(EMOTIONS)}). They are "
            "kept as classes of their own.",
            stacklevel=4,
        )
    return table


def read(folder: Path | str, labels: Mapping[str, str] | None = None) -> Contents:
    """Read the table of a folder, and find the recordings that it names.

    Raises
    ------
    CorpusError
        If there is no table, more than one, an empty one, one that `serlab.corpora.sheet` cannot read or that
        lacks the required columns, or one whose rows are parts of files.
    """
    path = _table_file(Path(os.path.abspath(os.path.expanduser(folder))))
    found = sheet.read(path, lambda header: _columns(path, header))
    if not found.lines and not found.faults:
        raise CorpusError(f"{path} has a header but no rows: add one line per recording.")
    _refuse_parts(found)
    told = _Told(found.lines, found.columns["file"])
    told.faults += [Fault(line, "", "table", detail) for line, detail in found.faults]
    finder = _Finder(path.parent)
    meant = cells.meanings(path, labels, found.columns["emotion"])
    checks = cells.checks(meant) | {"file": finder.find}
    rows = {
        column: told.each(values, partial(cells.read, column, found.names[column], checks.get(column)))
        for column, values in found.columns.items()
        if column in ALIASES
    }
    rows["path"] = rows.pop("file")
    for column in ("speaker", "emotion"):
        told.same_name(column, rows[column])
    if "gender" in rows:
        told.one_gender(rows["speaker"], rows["gender"])
    for axis in ("valence", "arousal"):
        told.one_sided(axis, rows.get(axis, ()))
    told.same_file(rows["path"])
    told.unknown_people(rows["speaker"])
    usable = [number for number in range(len(told.lines)) if number not in told.unusable]
    if len(usable) < len(told.lines):
        rows = {column: [values[number] for number in usable] for column, values in rows.items()}
    rows["clip"] = _clips(rows["path"], finder.root)
    table = pd.DataFrame({column: pd.Series(values, dtype=object) for column, values in rows.items()})
    return Contents(path, table, sorted(told.faults), told.notes)


class _Told:
    """Gathers what is to be said about the rows of a table."""

    def __init__(self, lines: Sequence[int], files: Sequence[str]):
        self.lines, self.files = lines, files
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []
        self.unusable: set[int] = set()

    def each(self, given: Sequence[str], check: Callable[[str], object]) -> list:
        """Check every different cell once; rows whose cell is bad are unusable."""
        answers = {cell: check(cell) for cell in dict.fromkeys(given)}
        if any(isinstance(answer, Bad) for answer in answers.values()):
            for number, cell in enumerate(given):
                if isinstance(answer := answers[cell], Bad):
                    self.bad(number, answer)
        return [answers[cell] for cell in given]

    def bad(self, number: int, why: Bad) -> None:
        self.unusable.add(number)
        self.faults.append(self._about(number, *why))

    def same_name(self, column: str, names: Sequence) -> None:
        """Find names that are spelled in two ways; of each only the first row is told."""
        twins = words.alike([name for name in dict.fromkeys(names) if isinstance(name, str)])
        rows, place = (Counter(names), self._first(names)) if twins else ({}, {})
        for name, first in twins.items():
            detail = (
                f"{column} {words.quoted(name)} ({_rows(rows[name])}) is {words.quoted(first)} of line "
                f"{self.lines[place[first]]} ({_rows(rows[first])}) in another spelling. Write one {column} "
                "in one way, and two in ways that differ by more than case, blanks, zeros or Unicode form"
            )
            self.faults.append(self._about(place[name], "table", detail))

    def same_file(self, paths: Sequence) -> None:
        if len(set(paths)) == len(paths):
            return
        first = self._first(paths)
        for number, path in enumerate(paths):
            if isinstance(path, str) and first[path] != number:
                self.bad(number, Bad("duplicate", f"{path} is already in line {self.lines[first[path]]}"))

    def one_gender(self, names: Sequence, genders: Sequence) -> None:
        """Find speakers who have two genders: perhaps two people under one name."""
        first: dict = {}
        for number, (name, gender) in enumerate(zip(names, genders, strict=True)):
            known = first.setdefault(name, (gender, number)) if isinstance(name, str) and gender else None
            if known and known[0] not in (gender, None):
                first[name] = (None, known[1])
                told = (
                    f"speaker {words.quoted(name)} is {gender} here and {known[0]} in line "
                    f"{self.lines[known[1]]}: if these are two people, give each a name of their own"
                )
                self.notes.append(self._about(number, "name", told))

    def one_sided(self, axis: str, values: Sequence) -> None:
        """Find ratings from 0 to 1, whose middle would be taken for the middle of -1 to 1."""
        given = [value for value in values if isinstance(value, float) and not math.isnan(value)]
        if len(set(given)) > 1 and min(given) >= 0 and max(given) > 0:
            lowest, highest = min(given), max(given)
            told = (
                f"{axis} goes from {lowest:g} to {highest:g}, and is read as -1 (low) to 1 (high). If 0.5 is "
                f"the middle of your scale, write 2 * {axis} - 1"
            )
            self.notes.append(self._about(values.index(lowest), "ratings", told))

    def unknown_people(self, names: Sequence) -> None:
        for name in dict.fromkeys(names):
            if isinstance(name, str) and words.is_missing(name):
                told = (
                    f"speaker {words.quoted(name)} ({_rows(names.count(name))}) is taken for a name. If "
                    "it means that nobody knows who speaks, leave these rows out: that may be anybody"
                )
                self.notes.append(self._about(names.index(name), "name", told))

    def _about(self, number: int, kind: str, detail: str) -> Fault:
        return Fault(self.lines[number], self.files[number], kind, detail)

    @staticmethod
    def _first(values: Sequence) -> dict:
        """Return the first place of every value."""
        first: dict = {}
        for number, value in enumerate(values):
            first.setdefault(value, number)
        return first


class _Finder:
    """Finds recordings by name with or without extension, listing each folder once."""

    def __init__(self, root: Path):
        self.root = str(root)
        # Folder as a table writes it: the same as a path, and the names of its files.
        self.folders: dict[str, tuple[str, frozenset[str]]] = {}
        self.stems: dict[str, dict[str, list[str]]] = {}

    def find(self, name: str) -> str | Bad:
        # Tables made on Windows have backslashes.
        head, slash, tail = name.replace("\\", "/").rpartition("/")
        folder, files = self.folders.get(head + slash) or self._list(head + slash)
        path = folder + tail
        # The second question is for systems that do not tell A from a.
        if tail in files or os.path.isfile(path):
            return path
        stem, suffix = os.path.splitext(tail)
        found = self._stems(folder).get(stem if suffix.lower() in SUFFIXES else tail, [])
        if len(found) > 1:
            return Bad("ambiguous", f"{name} may be {found[0]} or {found[1]}: give the extension")
        if found and found[0] in files:
            return folder + found[0]
        there = folder + found[0] if found else path
        if os.path.lexists(there):
            try:
                regular_file(there, CorpusError)
            except CorpusError as error:
                return Bad("unopened", str(error).removesuffix("."))
        return Bad("missing", f"there is no recording {path}, under any extension")

    def _list(self, head: str) -> tuple[str, frozenset[str]]:
        folder = os.path.normpath(os.path.join(self.root, head))
        self.folders[head] = os.path.join(folder, ""), frozenset(locate.regular_files(folder))
        return self.folders[head]

    def _stems(self, folder: str) -> dict[str, list[str]]:
        """List what may be meant by a name without extension: whatever is no folder, to say what is wrong."""
        if folder not in self.stems:
            self.stems[folder] = {}
            for file in locate.visible_files(Path(folder)):
                if file.suffix.lower() in SUFFIXES:
                    self.stems[folder].setdefault(file.stem, []).append(file.name)
        return self.stems[folder]


def _table_file(folder: Path) -> Path:
    if not folder.is_dir():
        if not os.path.lexists(folder):
            raise CorpusError(f"There is no folder {folder}.")
        return folder
    # Whatever is no folder: a pipe of that name is refused when it is read, rather than overlooked.
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


def _columns(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Find the columns of the utterance table, and those that say which part of a file is meant."""
    columns = {
        column: header.index(alias)
        for column, aliases in ALIASES.items()
        for alias in reversed(aliases)
        if alias in header
    }
    lacking = [column for column in REQUIRED if column not in columns]
    if lacking:
        wanted = "; ".join(f"{column} (or {', '.join(ALIASES[column][1:])})" for column in lacking)
        columns = "column" if len(lacking) == 1 else "columns"
        there = ", ".join(header)[:200]
        raise CorpusError(f"{path} lacks the {columns} {wanted}. Its header is: {there}.")
    parts = {name: _PART.fullmatch(re.sub(r"[\W_]", "", name)) for name in header}
    begins = any(part and part[1] for part in parts.values())
    words_of = {name: re.findall(r"[^\W\d_]+", name) for name in header}
    kinds = {name: [any(map(kind.match, of)) for kind in (_BEGINS, _ENDS)] for name, of in words_of.items()}
    pair = any(begin for begin, _ in kinds.values()) and any(end for _, end in kinds.values())
    return columns | {
        f"part {place}": place
        for place, name in enumerate(header)
        if parts[name] or (begins and name in _LENGTH) or (pair and any(kinds[name]))
    }


def _refuse_parts(found: sheet.Sheet) -> None:
    for column in [column for column in found.columns if column not in ALIASES]:
        for line, cell in zip(found.lines, found.columns[column], strict=True):
            # Nothing but zeros, or no number at all, says that the whole file is meant.
            if re.match(r"[-+.\d]|PT", cell) and re.search("[1-9]", cell):
                raise CorpusError(
                    f"{found.path}, line {line}: the column {found.names[column]!r} says which part of a "
                    f"file is meant ({cell}), but serlab takes whole files and would give the label to all "
                    "of it. Cut the parts out into files, or remove the column if rows mean whole files."
                )


def _clips(paths: Sequence[str], root: str) -> list[str]:
    """Name clips by stem where no other clip has that name, else by their path."""
    inside = os.path.join(root, "")

    def relative(path: str) -> str:
        start = path.startswith(inside)
        return (
            path[len(inside) :].replace(os.sep, "/")
            if start
            else Path(os.path.relpath(path, root)).as_posix()
        )

    clips = [os.path.splitext(path.rpartition(os.sep)[2])[0] for path in paths]
    # A path may be the stem of yet another file: b.wav and a/b.wav beside b.wav.wav.
    while len(set(clips)) < len(clips):
        taken = Counter(clips)
        clips = [
            clip if taken[clip] == 1 else relative(path) for clip, path in zip(clips, paths, strict=True)
        ]
    return clips


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"

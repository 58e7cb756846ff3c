"""A folder of recordings with a table: bring your own corpus."""

import contextlib
import math
import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from serlab.corpora import locate, sheet, words
from serlab.corpora.table import AXES, EMOTIONS, build
from serlab.errors import CorpusError
from serlab.paths import NOT_COPIED, is_address, regular_file, shown
from serlab.sound_files import SUFFIXES

REQUIRED = ("file", "emotion", "speaker")
# Problems that an error tells before it refers to serlab.validate for the rest.
_LISTED = 5


class Fault(NamedTuple):
    """Something wrong, or worth knowing, about one row of a table."""

    line: int
    file: str
    kind: str
    detail: str


class _UnusableCell(Exception):
    def __init__(self, detail: str, kind: str = "table"):
        super().__init__(detail)
        self.detail, self.kind = detail, kind


def load(folder: Path | str, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the utterance table of a folder of recordings, or of a table in one, as `serlab.load` does.

    Of several CSV or TSV tables in it one is ``metadata``; `words.HEADERS` names its columns, and file names
    are relative to it. CorpusError if the table or a row is unusable, or two rows may mean one person, or one
    label, under two spellings; the message names the file and the lines. Labels that are no usual words for
    `EMOTIONS` (`words.SPELLINGS`) stay, with a warning, and are listed in ``attrs["own_labels"]``.
    """
    path, rows, faults, notes = read(folder, labels)
    ask = f'Run serlab.validate("{folder}") for the whole list.'
    if len(faults) == 1:
        raise CorpusError(f"{path}, line {faults[0].line}: {faults[0].detail}.")
    if faults:
        lines = [f"{path} has {len(faults)} faults:"]
        lines += [f"  line {fault.line}: {fault.detail}" for fault in faults[:_LISTED]]
        if len(faults) > _LISTED:
            lines.append(f"  and {len(faults) - _LISTED} more. {ask}")
        raise CorpusError("\n".join(lines))
    name = path.parent.name
    table = build(rows, name, name, ask)
    for note in notes:
        warnings.warn(f"{path}, line {note.line}: {note.detail}.", stacklevel=3)
    own = sorted(set(table["emotion"]) - set(EMOTIONS))
    if own:
        table.attrs["own_labels"] = own
        warnings.warn(
            f"{path}: {', '.join(own)} are not among serlab's emotions ({', '.join(EMOTIONS)}). They are "
            "kept as classes of their own.",
            stacklevel=3,
        )
    return table


def read(
    folder: Path | str, labels: Mapping[str, str] | None = None
) -> tuple[Path, pd.DataFrame, list[Fault], list[Fault]]:
    """Read the table of a folder, and find the recordings that it names.

    Gives its path, its usable rows, why others are not, and what can be used but may not be meant so.
    CorpusError if there is no table, more than one, an empty one, one that `serlab.corpora.sheet` cannot read
    or that lacks the required columns, or one whose rows are parts of files.
    """
    path = _table_file(full_path(folder))
    table = sheet.read(path, lambda header: _columns(path, header))
    cells = table.rows
    if not len(cells) and not table.faults:
        raise CorpusError(f"{path} has a header but no rows: add one line per recording.")
    _refuse_parts(path, table)
    meanings = _meanings(path, labels, cells["emotion"])
    finder = _Finder(path.parent)
    readers: dict[str, Callable] = {
        "file": finder.find,
        "emotion": lambda label: meanings.get(label) or _read_emotion(label),
        "gender": lambda text: words.GENDERS.get(text.lower(), text.lower()),
        **{axis: partial(_read_axis, axis) for axis in AXES},
    }
    rows = pd.DataFrame(index=cells.index)
    unusable: list[tuple] = []
    for column in words.HEADERS:
        if column in cells:
            read_cell = partial(_read_cell, column, table.header[column], readers.get(column))
            rows[column] = _read_column(cells[column], read_cell, unusable)
    rows = rows.rename(columns={"file": "path"})
    # A blank among ratings is none, not that of the label.
    rows = rows.astype(dict.fromkeys(rows.columns.intersection(AXES), float))
    unusable += _repeated_files(rows["path"])
    faults = [*unusable, *_other_spellings(rows["speaker"]), *_other_spellings(rows["emotion"])]
    faults, notes = (
        [Fault(line, cells["file"][line], kind, detail) for line, kind, detail in found]
        for found in (faults, [*_doubts(rows), *_readings(cells["emotion"], rows["emotion"], meanings)])
    )
    faults += [Fault(line, "", "table", detail) for line, detail in table.faults]
    rows = rows.drop(index=[line for line, *_ in unusable]).reset_index(drop=True)
    rows["clip"] = pd.Series(_clip_names(rows["path"].tolist(), str(path.parent)), dtype=object)
    return path, rows, sorted(faults), notes


def full_path(folder: str | os.PathLike) -> Path:
    """Give the path of a folder in full; CorpusError if it is the address of something elsewhere.

    Examples
    --------
    >>> full_path("~") == Path.home()
    True
    """
    if is_address(folder):
        raise CorpusError(f"{shown(folder)} is an address, not a folder. {NOT_COPIED}")
    return Path(os.path.abspath(os.path.expanduser(folder)))


def _table_file(folder: Path) -> Path:
    if not folder.is_dir():
        if not os.path.lexists(folder):
            raise CorpusError(f"There is no folder {folder}.")
        return folder
    # Whatever is no folder: a pipe of that name is refused when it is read, rather than overlooked.
    tables = [file for file in locate.visible_files(folder) if file.suffix.lower() in (".csv", ".tsv")]
    tables = [file for file in tables if file.stem.lower() == "metadata"] or tables
    if not tables:
        raise CorpusError(
            f"{folder} has no CSV or TSV table. Put a metadata.csv there with the columns "
            f"{', '.join(REQUIRED)}, one line per recording."
        )
    if len(tables) > 1:
        raise CorpusError(
            f"{folder} has {len(tables)} tables ({', '.join(file.name for file in tables)}). "
            "Name the right one metadata.csv, or give its path."
        )
    return tables[0]


def _columns(path: Path, header: Sequence[str]) -> dict[str, str]:
    """Find the columns of the utterance table, and those that say which part of a file is meant."""
    columns = {
        column: next(name for name in names if name in header)
        for column, names in words.HEADERS.items()
        if not set(names).isdisjoint(header)
    }
    lacking = [column for column in REQUIRED if column not in columns]
    if lacking:
        wanted = "; ".join(f"{column} (or {', '.join(words.HEADERS[column][1:])})" for column in lacking)
        raise CorpusError(
            f"{path} lacks the column{'s' * (len(lacking) > 1)} {wanted}. "
            f"Its header is: {', '.join(header)[:200]}."
        )
    return columns | {f"part {name}": name for name in words.columns_of_parts(header)}


def _refuse_parts(path: Path, table: sheet.Sheet) -> None:
    for column in (name for name in table.rows if name not in words.HEADERS):
        cells = table.rows[column]
        # Nothing but zeros, or no number at all, says that the whole file is meant.
        parts = cells[cells.str.match(r"[-+.\d]|PT") & cells.str.contains("[1-9]")]
        if len(parts):
            raise CorpusError(
                f"{path}, line {parts.index[0]}: the column {table.header[column]!r} says which part of a "
                f"file is meant ({parts.iloc[0]}), but serlab takes whole files and would give the label to "
                "all of it. Cut the parts out into files, or remove the column if rows mean whole files."
            )


def _meanings(path: Path, labels: Mapping[str, str] | None, cells: pd.Series) -> dict[str, str]:
    """Check a reader's ``labels=`` against the labels of a table, and turn their meanings into emotions."""
    meanings = {str(label).strip(): str(word).strip() for label, word in (labels or {}).items()}
    there = cells.unique().tolist()
    for label, word in meanings.items():
        if label not in there:
            few = ", ".join(there[:20])
            raise CorpusError(f"No row of {path} has the label {label!r} that labels= names. It has: {few}.")
        if not word or words.why_no_label(word):
            raise CorpusError(f"labels= says that {label!r} means {word!r}, no emotion: give a word.")
    for label, word in meanings.items():
        emotion = words.to_emotion(word)
        # To give "anxious" for "anxiety", both of which would be fearful, is to keep that apart.
        if words.normalise(word) == emotion or words.to_emotion(label) != emotion:
            meanings[label] = emotion
    return meanings


def _read_column(cells: pd.Series, read_cell: Callable, unusable: list[tuple]) -> pd.Series:
    """Read every different cell once; lines whose cell is bad are added to those that are unusable."""
    values, refused = {}, {}
    for cell in cells.unique():
        try:
            values[cell] = read_cell(cell)
        except _UnusableCell as error:
            values[cell], refused[cell] = None, error
    for line, cell in cells[cells.isin(list(refused))].items():
        unusable.append((line, refused[cell].kind, refused[cell].detail))
    return pd.Series([values[cell] for cell in cells], cells.index, object)


def _read_cell(column: str, name: str, read: Callable | None, text: str) -> object:
    """Return what a cell says, None where it may be empty and is."""
    # Most cells are plain, and a table can have a million of them.
    plain = text.isascii() and text.isprintable()
    if not text or not (plain or any(c.isprintable() and c != " " for c in text)):
        if column in REQUIRED:
            raise _UnusableCell(f"{name} is empty")
        return None
    if not plain and (why := _why_damaged(column, text)):
        raise _UnusableCell(f"{name} {text!r} {why}")
    if column in ("gender", "intensity", "language") and words.is_missing(text):
        return None
    return text if read is None else read(text)


def _why_damaged(column: str, text: str) -> str:
    if "\ufffd" in text:
        return "lost letters when its encoding was changed: write it anew"
    if column in ("speaker", "emotion") and (once := words.misread(text)):
        return f"seems to be {once!r}, read in a wrong encoding: write it anew"
    return "has several lines: is a quote not closed?" if "\n" in text and column != "sentence" else ""


def _read_emotion(label: str) -> str:
    if why := words.why_no_label(label):
        raise _UnusableCell(
            f"emotion {words.quote(label)} {why}. Write the word in the table, or say what it means, as in "
            f'serlab.load(folder, labels={{{label!r}: "neutral"}})'
        )
    return words.to_emotion(label)


def _read_axis(axis: str, text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        raise _UnusableCell(f"{axis} {text!r} is not a number") from None
    if not (math.isnan(value) or -1 <= value <= 1):
        raise _UnusableCell(f"{axis} {text} is not within -1 to 1: rescale the column")
    return value


class _Finder:
    """Finds recordings by name with or without extension, listing each folder once."""

    def __init__(self, root: Path):
        self.root = str(root)
        self.files, self.stems = cache(self._files), cache(self._stems)
        self.cases = cache(lambda folder: {_stem(name).lower(): name for name, _ in locate.scan(folder)})

    def find(self, name: str) -> str:
        try:
            return self._find(name)
        except _UnusableCell:
            # An accent is a character of its own in names that a Mac wrote, but in few tables.
            for other in {unicodedata.normalize(form, name) for form in ("NFC", "NFD")} - {name}:
                with contextlib.suppress(_UnusableCell):
                    return self._find(other)
            raise

    def _find(self, name: str) -> str:
        # Tables made on Windows have backslashes.
        head, slash, tail = name.replace("\\", "/").rpartition("/")
        folder, files = self.files(head + slash)
        path = folder + tail
        # The second question is for systems that do not tell A from a.
        if tail in files or os.path.isfile(path):
            return path
        found = self.stems(folder).get(_stem(tail), [])
        if len(found) > 1:
            raise _UnusableCell(f"{name} may be {found[0]} or {found[1]}: give the extension", "ambiguous")
        if found and found[0] in files:
            return folder + found[0]
        there = folder + found[0] if found else path
        if os.path.lexists(there):
            try:
                regular_file(there, CorpusError)
            except CorpusError as error:
                raise _UnusableCell(str(error).removesuffix("."), "unopened") from error
        while folder != os.path.dirname(folder) and not os.path.isdir(folder):
            folder, tail = os.path.split(folder)
        near = self.cases(folder).get(_stem(tail).lower())
        but = f", but there is {near}, whose case differs" if near else ""
        raise _UnusableCell(f"there is no recording {path}, under any extension{but}", "missing")

    def _files(self, head: str) -> tuple[str, frozenset[str]]:
        folder = os.path.normpath(os.path.join(self.root, head))
        return os.path.join(folder, ""), frozenset(locate.regular_files(folder))

    def _stems(self, folder: str) -> dict[str, list[str]]:
        """List what may be meant by a name without extension: whatever is no folder, to say what is wrong."""
        stems: dict[str, list[str]] = {}
        for file in locate.visible_files(Path(folder)):
            if file.suffix.lower() in SUFFIXES:
                stems.setdefault(file.stem, []).append(file.name)
        return stems


def _stem(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


def _repeated_files(paths: pd.Series) -> Iterator[tuple]:
    first = _first_lines(paths)
    for line, path in paths[paths.duplicated() & paths.notna()].items():
        yield line, "duplicate", f"{path} is already in line {first[path]}"


def _other_spellings(names: pd.Series) -> Iterator[tuple]:
    """Find names that are spelled in two ways; of each only the first row is told."""
    column = names.name
    rows, line_of = names.value_counts(), _first_lines(names)
    for name, first in words.other_spellings(names.dropna().unique()).items():
        detail = (
            f"{column} {words.quote(name)} ({_counted(rows[name])}) is {words.quote(first)} of line "
            f"{line_of[first]} ({_counted(rows[first])}) in another spelling. Write one {column} "
            "in one way, and two in ways that differ by more than case, blanks, zeros or Unicode form"
        )
        yield line_of[name], "table", detail


def _doubts(rows: pd.DataFrame) -> Iterator[tuple]:
    """Find what can be read but may be meant otherwise: speakers of two genders or none, ratings from 0."""
    genders = rows[["speaker", "gender"] if "gender" in rows else ["speaker"]].dropna().drop_duplicates()
    for name, both in genders[genders.duplicated("speaker", keep=False)].groupby("speaker", sort=False):
        (first, other), (line, here) = list(both["gender"].items())[:2]
        detail = f"speaker {words.quote(name)} is {here} here and {other} in line {first}"
        yield line, "name", f"{detail}: if these are two people, give each a name of their own"
    for axis in rows.columns.intersection(AXES):
        given = rows[axis].dropna()
        low, high = given.min(), given.max()
        if 0 <= low < high:
            detail = f"{axis} goes from {low:g} to {high:g}, and is read as -1 (low) to 1 (high)"
            remedy = f"If 0.5 is the middle of your scale, write 2 * {axis} - 1"
            yield given.idxmin(), "ratings", f"{detail}. {remedy}"
    for line, name in rows["speaker"].dropna().drop_duplicates().items():
        if words.is_missing(name):
            detail = f"{words.quote(name)} ({_counted((rows['speaker'] == name).sum())}) is taken for a name"
            remedy = "If it means that nobody knows who speaks, leave these rows out: that may be anybody"
            yield line, "name", f"speaker {detail}. {remedy}"


def _readings(labels: pd.Series, emotions: pd.Series, given: Mapping[str, str]) -> Iterator[tuple]:
    """Find different words that are read as one emotion, and codes that may be words of another language."""
    read = pd.DataFrame({"label": labels, "emotion": emotions}).dropna().drop_duplicates("label")
    read = read[~read["label"].isin(list(given))]
    foreign = read["emotion"].isin([*EMOTIONS, *words.OTHERS.values()]).mean() <= 0.5
    # "anger" and "angry" are one word.
    read = read.assign(stem=read["label"].map(words.normalise).str[:3]).drop_duplicates(["stem", "emotion"])
    for emotion, alike in read.groupby("emotion", sort=False)["label"]:
        other = alike[alike.map(words.normalise) != words.normalise(emotion)]
        if len(alike) > 1 or (foreign and any(len(label) <= 3 and label.isascii() for label in other)):
            # Of "fear" and "anxiety" the latter is to be kept apart.
            label = [*other[~other.str.lower().str.startswith(emotion[:3])], *other][0]
            detail = f"read as {emotion}: {' and '.join(map(words.quote, alike))}"
            remedy = f"To keep {label} apart use labels={{{label!r}: {label!r}}}, or another word of your own"
            yield other.index[other == label][0], "name", f"{detail}. {remedy}"


def _first_lines(values: pd.Series) -> dict:
    return {value: line for line, value in values.drop_duplicates().items()}


def _counted(rows: int) -> str:
    return f"{rows} row" if rows == 1 else f"{rows} rows"


def _clip_names(paths: Sequence[str], root: str) -> list[str]:
    """Name clips by stem where no other clip has that name, else by their path."""
    inside = os.path.join(root, "")

    def relative(path: str) -> str:
        short = path[len(inside) :] if path.startswith(inside) else os.path.relpath(path, root)
        return short.replace(os.sep, "/")

    clips = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    # A path may be the stem of yet another file: b.wav and a/b.wav beside b.wav.wav.
    while len(set(clips)) < len(clips):
        taken = Counter(clips)
        clips = [c if taken[c] == 1 else relative(path) for c, path in zip(clips, paths, strict=True)]
    return clips

"""Read a CSV or TSV table that any program may have written, or say in which line it is damaged."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from serlab.errors import CorpusError
from serlab.paths import regular_file

_SAVE = (
    'Save the table as "CSV UTF-8", which spreadsheets offer, or convert it, as with '
    "iconv -f WINDOWS-1252 -t UTF-8 if that is what it is."
)
_FORMATS = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook, or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"SQLite format": "a database",
    b"%PDF": "a PDF",
    b"{\\rtf": "a document of a word processor",
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# All of ASCII that is no text; tabs and ends of lines are.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Sheet(NamedTuple):
    """The columns of a table that were asked for."""

    path: Path
    names: dict[str, str]
    """What the header calls each column."""
    lines: list[int]
    """The line in which each row begins."""
    columns: dict[str, list[str]]
    """Cells of each column, one per row, as they are written but for blanks around them."""
    faults: list[tuple[int, str]]
    """Line, and what is wrong with it, of every row that is left out."""


def read(path: Path, choose: Callable[[Sequence[str]], Mapping[str, int]]) -> Sheet:
    r"""Read columns of a table in UTF-8, or in UTF-16 with a byte order mark.

    Fields are separated by commas, semicolons or tabs, whichever the header has most of; lines end as on
    Unix, Windows or old Macs. Empty lines are passed over.

    Parameters
    ----------
    path
    choose
        Turns the header, in lower case and with ``_`` between words, into a name and a place for every column
        that is wanted.

    Raises
    ------
    CorpusError
        If this is no text in one of these encodings, two columns have one name, or quotes are not closed: the
        message names the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("File;Note\r\na.wav;\"one; two\"\r\nb.wav\r\n")
    ...     sheet = read(path, lambda header: {"note": header.index("note")})
    >>> sheet.columns, sheet.lines, sheet.faults
    ({'note': ['one; two']}, [2], [(3, 'fewer fields than the header has (1, not 2)')])
    """
    content = _utf_8(path)
    first = re.search(rb"\S[^\r\n]*", content)
    if first is None:
        raise CorpusError(f"{path} is empty: give it a header and one line per recording.")
    separator = max("\t;,", key=first[0].decode().count)
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=None)
    reader = csv.reader(text, delimiter=separator, skipinitialspace=True, strict=True)
    end = 0
    try:
        for header in reader:
            line, end = end + 1, reader.line_num
            if any(map(str.strip, header)):
                break
        _refuse_doubles(path, header, line)
        places = choose([_name(cell) for cell in header])
        names = {name: header[place].strip() for name, place in places.items()}
        sheet = Sheet(path, names, [], {name: [] for name in places}, [])
        wanted = [(place, sheet.columns[name].append) for name, place in places.items()]
        width = len(header)
        # Most cells of a table are equal to others: one object each saves memory.
        same: dict[str, str] = {}
        for cells in reader:
            line, end = end + 1, reader.line_num
            if not any(cells):
                continue
            if end > line and (
                len(cells) != width or any("\n" in c and c.count(separator) >= width - 1 for c in cells)
            ):
                raise CorpusError(
                    f"{path}, line {line}: a quote that opens here closes in line {end} only, and takes "
                    "the rows between into one field. Close it; or, if a text has several lines, join them."
                )
            if len(cells) != width:
                if any(map(str.strip, cells)):
                    sheet.faults.append((line, _width(len(cells), width)))
                continue
            sheet.lines.append(line)
            for place, append in wanted:
                cell = cells[place].strip()
                append(same.setdefault(cell, cell))
    except csv.Error as error:
        raise CorpusError(f"{path}, line {end + 1}: {_why(error, reader.line_num)}") from error
    return sheet


def line_of(before: bytes) -> int:
    """Return the number of the line that follows these bytes."""
    return len(re.findall(rb"\r\n?|\n", before)) + 1


def _utf_8(path: Path) -> bytes:
    """Read a table as UTF-8 without byte order mark, whatever it was before."""
    regular_file(path, CorpusError)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} cannot be opened ({error.strerror}). Check its permissions.") from error
    for start, what in _FORMATS.items():
        if content.startswith(start):
            raise CorpusError(
                f"{path} is {what}, whatever its name says. Open it with the program that made it, and "
                'export the sheet as "CSV UTF-8".'
            )
    if content.startswith(_UTF_16):
        content = _from_utf_16(path, content)
    content = content.removeprefix(codecs.BOM_UTF8)
    if found := _CONTROL.search(content):
        what = f"the control character 0x{found[0][0]:02x}"
        if found[0] == b"\0":
            what = "a zero byte, as in UTF-16 without a byte order mark, or in a file that is no text"
        raise CorpusError(f"{path}, line {line_of(content[: found.start()])}: holds {what}. {_SAVE}")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = line_of(content[: error.start])
        raise CorpusError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8, and which encoding it is "
            f"cannot be told safely. {_SAVE}"
        ) from error
    return content


def _from_utf_16(path: Path, content: bytes) -> bytes:
    try:
        return content.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        line = line_of(content[: error.start].decode("utf-16", "ignore").encode())
        odd = "it has an odd number of bytes, so that some are missing" if len(content) % 2 else error.reason
        raise CorpusError(f"{path}, line {line}: begins as UTF-16 but is none: {odd}. {_SAVE}") from error


def _name(cell: str) -> str:
    """Write the name of a column in lower case, without what cannot be seen, its words joined by ``_``."""
    text = unicodedata.normalize("NFKC", cell).casefold()
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    return re.sub(r"[\s_-]+", "_", text)


def _refuse_doubles(path: Path, header: list[str], line: int) -> None:
    first: dict[str, str] = {}
    for cell in header:
        name = _name(cell)
        if name and name in first:
            raise CorpusError(
                f"{path}, line {line}: two columns are called {first[name].strip()!r} and {cell.strip()!r}, "
                "which is one name. Remove one of them, or call it otherwise."
            )
        first[name] = cell


def _width(found: int, width: int) -> str:
    if found > width:
        remedy = "put quotes around a text with separators"
        return f"more fields than the header has ({found}, not {width}): {remedy}"
    return f"fewer fields than the header has ({found}, not {width})"


def _why(error: csv.Error, end: int) -> str:
    if "limit" in str(error):
        return (
            f"holds a field of more than {csv.field_size_limit()} characters, as when a quote "
            "that opens here is not closed. Close it, or shorten the text."
        )
    if "unexpected end" in str(error):
        return "a quote that opens here is never closed. Close it, or remove it."
    return (
        f"a quote that opens here closes in line {end}, but not at the end of a field ({error}). Close it "
        "where the text ends, and write quotes inside a text twice."
    )

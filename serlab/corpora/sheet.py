"""Read a CSV or TSV table that any program may have written, or say in which line it is damaged."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from serlab.errors import CorpusError
from serlab.paths import regular_file

# Characters: the limit of the module csv.
LONGEST_FIELD = 131072
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
# All of ASCII that is no text; tabs and ends of lines are.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Sheet(NamedTuple):
    """The columns of a table that were asked for."""

    rows: pd.DataFrame
    """Cells as they are written but for blanks around them; the index is the line in which a row begins."""
    header: dict[str, str]
    """What the table itself calls each column."""
    faults: list[tuple[int, str]]
    """Line, and what is wrong with it, of every row that is left out."""


def read(path: Path, select: Callable[[Sequence[str]], Mapping[str, str]]) -> Sheet:
    r"""Read columns of a table in UTF-8, or in UTF-16 with a byte order mark.

    Fields are separated by commas, semicolons or tabs, whichever the header has most of; lines end as on
    Unix, Windows or old Macs. Empty lines are passed over. `select` turns the header, in lower case and with
    ``_`` between words, into a mapping of wanted name to name in that header. CorpusError, which names the
    line, if this is no text in one of these encodings, two columns have one name, or quotes are not closed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "x.csv")
    ...     _ = path.write_text("File;My Note\r\na.wav;\"one; two\"\r\nb.wav\r\n")
    ...     sheet = read(path, lambda header: {"note": "my_note"})
    >>> sheet.rows["note"].to_dict(), sheet.header, sheet.faults
    ({2: 'one; two'}, {'note': 'My Note'}, [(3, 'fewer fields than the header has (1, not 2)')])
    """
    # Other packages change it for all: scipy does where it reads ARFF.
    csv.field_size_limit(LONGEST_FIELD)
    content = _read_utf_8(path)
    first = re.search(rb"\S[^\r\n]*", content)
    if first is None:
        raise CorpusError(f"{path} is empty: give it a header and one line per recording.")
    separator = max("\t;,", key=first[0].decode().count)
    text = io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=None)
    reader = csv.reader(text, delimiter=separator, skipinitialspace=True, strict=True)
    end, lines, faults = 0, [], []
    try:
        for header in reader:
            line, end = end + 1, reader.line_num
            if any(map(str.strip, header)):
                break
        names = _distinct_names(path, header, line)
        places = {column: names.index(name) for column, name in select(names).items()}
        cells: dict[str, list[str]] = {column: [] for column in places}
        wanted = [(place, cells[column].append) for column, place in places.items()]
        width = len(header)
        # Most cells of a table are equal to others: one object each saves memory.
        same: dict[str, str] = {}
        for row in reader:
            line, end = end + 1, reader.line_num
            swallowed = end > line and any("\n" in c and c.count(separator) >= width - 1 for c in row)
            if swallowed or (end > line and len(row) != width):
                raise CorpusError(
                    f"{path}, line {line}: a quote that opens here closes in line {end} only, and takes "
                    "the rows between into one field. Close it; or, if a text has several lines, join them."
                )
            if len(row) == width and any(row):
                lines.append(line)
                for place, append in wanted:
                    cell = row[place].strip()
                    append(same.setdefault(cell, cell))
            elif any(map(str.strip, row)):
                fault = f"fields than the header has ({len(row)}, not {width})"
                more = f"more {fault}: put quotes around a text with separators"
                faults.append((line, more if len(row) > width else f"fewer {fault}"))
    except csv.Error as error:
        raise CorpusError(f"{path}, line {end + 1}: {_quote_fault(error, reader.line_num)}") from error
    rows = pd.DataFrame({column: pd.Series(cells[column], lines, object) for column in places}, index=lines)
    return Sheet(rows, {column: header[place].strip() for column, place in places.items()}, faults)


def _read_utf_8(path: Path) -> bytes:
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
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = _from_utf_16(path, content)
    content = content.removeprefix(codecs.BOM_UTF8)
    if found := _CONTROL.search(content):
        what = f"the control character 0x{found[0][0]:02x}"
        if found[0] == b"\0":
            what = "a zero byte, as in UTF-16 without a byte order mark, or in a file that is no text"
        raise CorpusError(f"{path}, line {_line_after(content[: found.start()])}: holds {what}. {_SAVE}")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}, line {_line_after(content[: error.start])}: byte 0x{content[error.start]:02x} is not "
            f"UTF-8, and which encoding it is cannot be told safely. {_SAVE}"
        ) from error
    return content


def _from_utf_16(path: Path, content: bytes) -> bytes:
    try:
        return content.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        line = _line_after(content[: error.start].decode("utf-16", "ignore").encode())
        odd = "it has an odd number of bytes, so that some are missing" if len(content) % 2 else error.reason
        raise CorpusError(f"{path}, line {line}: begins as UTF-16 but is none: {odd}. {_SAVE}") from error


def _line_after(before: bytes) -> int:
    return len(re.findall(rb"\r\n?|\n", before)) + 1


def _distinct_names(path: Path, header: list[str], line: int) -> list[str]:
    """Write names of columns in lower case, without what cannot be seen, their words joined by ``_``."""
    first: dict[str, str] = {}
    names = []
    for cell in header:
        text = unicodedata.normalize("NFKC", cell).casefold()
        text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
        names.append(re.sub(r"[\s_-]+", "_", text))
        if names[-1] and names[-1] in first:
            raise CorpusError(
                f"{path}, line {line}: two columns are called {first[names[-1]].strip()!r} and "
                f"{cell.strip()!r}, which is one name. Remove one of them, or call it otherwise."
            )
        first[names[-1]] = cell
    return names


def _quote_fault(error: csv.Error, end: int) -> str:
    if "limit" in str(error):
        return (
            f"holds a field of more than {LONGEST_FIELD} characters, as when a quote "
            "that opens here is not closed. Close it, or shorten the text."
        )
    if "unexpected end" in str(error):
        return "a quote that opens here is never closed. Close it, or remove it."
    return (
        f"a quote that opens here closes in line {end}, but not at the end of a field ({error}). Close it "
        "where the text ends, and write quotes inside a text twice."
    )

"""The two files of a recorded result: a table, and a JSON file beside it that says how it came about.

Tables are compressed, which makes them seven times smaller: ``pandas.read_csv`` reads them as they are.
"""

import gzip
import hashlib
import io
import json
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.errors import RunError
from serlab.paths import atomic_write_together

# Taken as they are written: a speaker may be called NA, 01 or 1e5.
WORDS = ("clip", "speaker", "label", "predicted", "step")
DIGEST = "predictions_sha256"
TABLE = ".csv.gz"


def read(file: Path, command: str = "") -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a table of predictions and the JSON file that says how it came about, as `write` left them.

    Raises `RunError` if one of the two cannot be read, or they are not of one run; `command` is what makes
    them.
    """
    meta = read_json(file, command)
    try:
        text = gzip.decompress(file.with_suffix(TABLE).read_bytes()).decode("utf-8")
        # Results that were recorded before November 2026 do not say of which table they are.
        if meta.pop(DIGEST, checksum(text)) != checksum(text):
            raise ValueError("its checksum is not the one recorded")
        return parsed(text), meta
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise RunError(
            f"{file.with_suffix(TABLE)} is damaged, or not of {file.name}: {error}. Make it anew"
        ) from error


def write(file: Path, text: str, meta: dict[str, Any]) -> None:
    """Write a table, `text`, and the JSON file that says how it came about, and of which table it is.

    What was there stays until both are on the disk. Raises `RunError` if they cannot be written.
    """
    about = json.dumps(meta | {DIGEST: checksum(text)}, indent=1, ensure_ascii=False) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Without the time of day: the same table is the same file.
        table = gzip.compress(text.encode(), mtime=0)
        atomic_write_together({file.with_suffix(TABLE): table, file: about.encode()})
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror}. What was there is unchanged") from error


def parsed(text: str) -> pd.DataFrame:
    r"""Read CSV text in which words are words: `WORDS` are never taken for numbers or for missing.

    Raises `ValueError` if it is no such table, or a probability is missing or no number.

    Examples
    --------
    >>> parsed("speaker,loss\nNA,0.5\n01,\n").values.tolist()
    [['NA', 0.5], ['01', nan]]
    """
    columns = list(pd.read_csv(io.StringIO(text), nrows=0))
    kinds = {name: float for name in columns if name.startswith("p_")} | dict.fromkeys(WORDS, str)
    blank = {name: [""] for name in columns if name not in kinds}
    return pd.read_csv(io.StringIO(text), dtype=kinds, keep_default_na=False, na_values=blank)


def read_json(file: Path, command: str = "") -> dict[str, Any]:
    """Read the JSON file of a result, as `read` does, or raise `RunError`."""
    if command and not file.is_file():
        raise RunError(f"{file} does not exist. To make it: {command}")
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{file} is damaged: {error}. Make it anew") from error
    if not isinstance(meta, dict):
        raise RunError(f"{file} is damaged: it holds no JSON object. Make it anew")
    return meta


def checksum(text: str) -> str:
    """Return the SHA-256 of a table's text, by which it is told from another or a damaged one."""
    return hashlib.sha256(text.encode()).hexdigest()

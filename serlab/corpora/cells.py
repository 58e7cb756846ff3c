"""Turn cells of somebody's table into those of the utterance table, or say why they cannot be used."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from serlab.corpora import words
from serlab.errors import CorpusError

REQUIRED = ("file", "emotion", "speaker")

_FEMALE = "f w woman weiblich frau femme féminin mujer femenino donna femminile kobieta"
_MALE = "m man männlich mann homme masculin hombre masculino uomo maschile mężczyzna"
_GENDER = dict.fromkeys(_FEMALE.split(), "female") | dict.fromkeys(_MALE.split(), "male")


class Bad(NamedTuple):
    """Why a cell cannot be used."""

    kind: str
    detail: str


def read(column: str, name: str, check: Callable[[str], object] | None, text: str) -> object:
    """Read one cell.

    Parameters
    ----------
    column, name
        Column of the utterance table, and what the table at hand calls it.
    check
        What turns the text of a cell of this column into a value, or into a `Bad`; None if it stays as it is.
    text
        The cell.

    Returns
    -------
    object
        The value, None for a cell that may be empty and is, or a `Bad`.

    Examples
    --------
    >>> read("speaker", "actor", None, "NA"), read("gender", "sex", None, "NA")
    ('NA', None)
    >>> read("speaker", "actor", None, "").detail
    'actor is empty'
    """
    # Most cells are plain, and a table can have a million of them.
    plain = text.isascii() and text.isprintable()
    if not text or not (plain or any(c.isprintable() and c != " " for c in text)):
        return Bad("table", f"{name} is empty") if column in REQUIRED else None
    if not plain and (why := _why_damaged(column, text)):
        return Bad("table", f"{name} {text!r} {why}")
    if column in ("gender", "intensity", "language") and words.is_missing(text):
        return None
    return text if check is None else check(text)


def _why_damaged(column: str, text: str) -> str:
    if "\ufffd" in text:
        return "lost letters when its encoding was changed: write it anew"
    if column in ("speaker", "emotion") and (once := words.misread(text)):
        return f"seems to be {once!r}, read in a wrong encoding: write it anew"
    return "has several lines: is a quote not closed?" if "\n" in text and column != "sentence" else ""


def checks(meant: Mapping[str, str]) -> dict[str, Callable[[str], object]]:
    """Return what checks the cells of columns that are more than text.

    Parameters
    ----------
    meant
        Label to emotion, from `meanings`: these labels need no check.
    """
    return {
        "emotion": lambda label: meant.get(label) or _emotion(label),
        "gender": lambda text: _GENDER.get(text.lower(), text.lower()),
        "valence": lambda text: _axis("valence", text),
        "arousal": lambda text: _axis("arousal", text),
    }


def meanings(path: Path, labels: Mapping[str, str] | None, cells: Sequence[str]) -> dict[str, str]:
    """Check a reader's ``labels=`` against the labels of a table, and turn their meanings into emotions.

    Raises
    ------
    CorpusError
        If no row has a label, or its meaning is no word.
    """
    meant = {str(label).strip(): str(word).strip() for label, word in (labels or {}).items()}
    there = dict.fromkeys(cells)
    for label, word in meant.items():
        if label not in there:
            few = ", ".join(list(there)[:20])
            raise CorpusError(f"No row of {path} has the label {label!r} that labels= names. It has: {few}.")
        if not word or words.why_no_label(word):
            raise CorpusError(f"labels= says that {label!r} means {word!r}, no emotion: give a word.")
    return {label: words.emotion(word) for label, word in meant.items()}


def _emotion(label: str) -> str | Bad:
    if why := words.why_no_label(label):
        return Bad(
            "table",
            f"emotion {words.quoted(label)} {why}. Write the word in the table, or say what it means, as in "
            f'serlab.load(folder, labels={{{label!r}: "neutral"}})',
        )
    return words.emotion(label)


def _axis(axis: str, text: str) -> float | Bad:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return Bad("table", f"{axis} {text!r} is not a number")
    if not (math.isnan(value) or -1 <= value <= 1):
        return Bad("table", f"{axis} {text} is not within -1 to 1: rescale the column")
    return value

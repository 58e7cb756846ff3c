"""The corpora that serlab knows: name to record."""

import difflib
import importlib

from serlab.corpora.record import Record, read_record
from serlab.errors import CorpusError

# Name to module and constant, imported when asked for; None where ``records/NAME.toml`` says all.
RECORDS = {
    "ravdess": None,
    "emodb": ("emodb", "RECORD"),
    "emodb2": ("emodb", "VERSION_2"),
    "emodb_first2s": ("emodb", "FIRST_2S"),
    "cremad": None,
    "nemo": ("nemo", "RECORD"),
    "demo": ("demo", "RECORD"),
}


def names() -> list[str]:
    """Return the names of the corpora that serlab knows.

    Examples
    --------
    >>> "ravdess" in names()
    True
    """
    return list(RECORDS)


def record(name: str) -> Record:
    """Return the record of a corpus, one of `names`; CorpusError if there is none of that name.

    Examples
    --------
    >>> record("ravdess").clips
    1440
    """
    if name not in RECORDS:
        similar = difflib.get_close_matches(name.lower(), RECORDS, n=1)
        meant = f" Did you mean {similar[0]!r}?" if similar else ""
        raise CorpusError(
            f"There is no corpus {name!r}, nor a folder of that name.{meant} Corpora: {', '.join(names())}. "
            "For recordings of your own give the path of a folder with a table metadata.csv."
        )
    if RECORDS[name] is None:
        return read_record(name)
    module, constant = RECORDS[name]
    found = getattr(importlib.import_module(f"serlab.corpora.{module}"), constant)
    if found.name != name:
        raise CorpusError(f"The record of {name!r} calls itself {found.name!r}: both must be one name.")
    return found

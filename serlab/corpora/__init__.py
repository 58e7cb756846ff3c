"""Corpora: what they are, where they lie, and the table of their utterances."""

import hashlib
import os
from collections.abc import Mapping

import pandas as pd

from serlab.corpora import folder, official, unified
from serlab.corpora.fetch import fetch
from serlab.corpora.official import find
from serlab.corpora.record import Record, Remote, file_digest
from serlab.corpora.registry import names, record
from serlab.corpora.table import CIRCUMPLEX, COLUMNS, EMOTIONS, in_threads
from serlab.corpora.unified import TASKS, unify
from serlab.corpora.validate import validate
from serlab.errors import CorpusError

__all__ = ["CIRCUMPLEX", "COLUMNS", "EMOTIONS", "TASKS", "Record", "Remote"]
__all__ += ["cite", "content_hash", "default_corpus", "fetch", "file_digest", "find", "folds"]
__all__ += ["license", "load", "names", "record", "unify", "validate"]


def load(
    name_or_folder: str | os.PathLike = "ravdess", *, labels: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the table of a corpus, one row per utterance.

    Parameters
    ----------
    name_or_folder
        One of `names`, or the path of a folder with a table ``metadata.csv``; or ``"unified"``, for all that
        are here of RAVDESS, nEMO, EmoDB and CREMA-D, joined by `unify`.
    labels
        For a folder: what its labels mean where they are no words, such as ``{"01": "neutral"}``, or what
        is to stay a class of its own, such as ``{"anxiety": "anxious"}``, which would be fearful.

    Returns
    -------
    DataFrame
        The columns are `COLUMNS`, for every corpus; rows are sorted by clip. ``attrs["title"]`` is the
        name to show to readers: it says so when the copy holds only some of the speakers.

    Raises
    ------
    CorpusError
        If the corpus is not found, not complete, or not the one its name says; or if the table of a folder
        is wrong: the message names the lines.

    Notes
    -----
    A copy that holds whole speakers only is accepted. A copy that lacks clips of a speaker is not: figures
    on it could not be compared with anything. If every clip is there twice with the same content, as in
    some copies of RAVDESS, one of the two is taken, with a warning.

    Examples
    --------
    >>> table = load("demo")
    >>> tuple(table.columns) == COLUMNS
    True
    """
    if (name := official.known(name_or_folder)) is None:
        path = folder.full_path(name_or_folder)
        with official.hint_at_official(path):
            return folder.load(path, labels)
    if labels is not None:
        raise CorpusError(f"labels= is for a folder of your own; those of {name} are known. Leave it out.")
    if name == unified.NAME:
        return unified.load()
    if name == "demo":
        from serlab.corpora import demo

        return demo.table()
    return official.load(record(name))


def default_corpus(preferred: str = "ravdess") -> str:
    """Return the name of the corpus that a chapter runs on.

    It is ``$SERLAB_CORPUS`` if that is set; else `preferred`, with which the chapter was written, if its
    audio is found; else ``"demo"``, with a notice. ``"unified"`` is always there: loading it sees to
    ``$SERLAB_CORPUS``, and to a machine without corpora.

    Examples
    --------
    >>> default_corpus("demo")
    'demo'
    """
    if preferred == unified.NAME:
        return preferred
    if chosen := os.environ.get("SERLAB_CORPUS"):
        return chosen
    of = record(preferred)
    if preferred == "demo" or find(preferred) is not None:
        return preferred
    print(
        f"{of.title} was not found on this machine, so this runs on demo, a small synthetic corpus: figures "
        f"will differ from those in the text.\n{official.how_to_get(of)}"
    )
    return "demo"


def folds(name: str, protocol: str) -> list[list[str]]:
    """Return the published folds of a corpus, as lists of test speakers; CorpusError if there are none.

    References
    ----------
    Z. Ma et al., "EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark",
    Interspeech 2024.

    Examples
    --------
    >>> folds("ravdess", "emobox6")[0]
    ['01', '11', '20', '21']
    """
    published = record(name).folds
    if protocol not in published:
        there = f"it has {', '.join(published)}" if published else "it has none"
        raise CorpusError(f"{record(name).title} has no published folds {protocol!r}: {there}.")
    return [list(speakers) for speakers in published[protocol]]


def cite(name: str) -> str:
    """Return the BibTeX entry of a corpus.

    Examples
    --------
    >>> cite("ravdess").startswith("@article{livingstone2018ravdess")
    True
    """
    return record(name).citation


def license(name: str) -> str:
    """Return the licence of a corpus, with its address and where and when it was read.

    Examples
    --------
    >>> license("nemo").split(",")[0]
    'CC BY-NC-SA 4.0'
    """
    of = record(name)
    read = f" ({of.licence_source})" if of.licence_source else ""
    return f"{of.licence}, {of.licence_url}{read}"


def content_hash(table: pd.DataFrame) -> str:
    """Return a hash of the clips of a table: it changes with any byte of any clip, and with nothing else.

    SHA-256 in hexadecimal digits over the sorted pairs of clip name and SHA-256 of its file.

    Examples
    --------
    >>> len(content_hash(load("demo").head(3)))
    64
    """
    digests = in_threads(file_digest, table["path"])
    lines = sorted(f"{clip}\t{digest}\n" for clip, digest in zip(table["clip"], digests, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()

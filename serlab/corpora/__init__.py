"""Corpora: what they are, where they lie, and the table of their utterances."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from filecmp import cmp
from pathlib import Path

import pandas as pd

from serlab.corpora import locate, unified
from serlab.corpora.record import Record, Remote
from serlab.corpora.table import CIRCUMPLEX, COLUMNS, EMOTIONS, build, threads
from serlab.corpora.unified import TASKS, relabel, unify
from serlab.errors import CorpusError

__all__ = [
    "CIRCUMPLEX",
    "COLUMNS",
    "EMOTIONS",
    "TASKS",
    "Record",
    "Remote",
    "cite",
    "content_hash",
    "default_corpus",
    "fetch",
    "find",
    "folds",
    "license",
    "load",
    "names",
    "record",
    "relabel",
    "unify",
    "validate",
]

# Name to module and constant: a record is imported when it is asked for.
_RECORDS = {
    "ravdess": ("ravdess", "RECORD"),
    "emodb": ("emodb", "RECORD"),
    "emodb2": ("emodb", "VERSION_2"),
    "emodb_first2s": ("emodb", "FIRST_2S"),
    "cremad": ("cremad", "RECORD"),
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
    return list(_RECORDS)


def record(name: str) -> Record:
    """Return the record of a corpus.

    Parameters
    ----------
    name
        One of `names`.

    Raises
    ------
    CorpusError
        If there is no corpus of that name.

    Examples
    --------
    >>> record("ravdess").clips
    1440
    """
    if name not in _RECORDS:
        similar = difflib.get_close_matches(name.lower(), _RECORDS, n=1)
        meant = f" Did you mean {similar[0]!r}?" if similar else ""
        raise CorpusError(
            f"There is no corpus {name!r}, nor a folder of that name.{meant} Corpora: {', '.join(names())}. "
            "For recordings of your own give the path of a folder with a table metadata.csv."
        )
    module, constant = _RECORDS[name]
    return getattr(importlib.import_module(f"serlab.corpora.{module}"), constant)


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
        For a folder: what its labels mean where they are no words, such as ``{"01": "neutral"}``.

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
    if (name := known(name_or_folder)) is None:
        return _load_folder(Path(os.path.abspath(os.path.expanduser(name_or_folder))), labels)
    if labels is not None:
        raise CorpusError(f"labels= is for a folder of your own; those of {name} are known. Leave it out.")
    if name == unified.NAME:
        return unified.load()
    if name == "demo":
        from serlab.corpora import demo

        return build(
            demo.table().to_dict("records"), name, demo.RECORD.title, "Delete its folder; it is made anew."
        )
    return _load_official(record(name))


def _load_folder(path: Path, labels: Mapping[str, str] | None) -> pd.DataFrame:
    from serlab.corpora import folder

    try:
        return folder.load(path, labels)
    except CorpusError as error:
        if hint := official_in(path):
            raise CorpusError(hint) from error
        raise


def official_in(path: Path) -> str:
    """Say so if a folder without metadata.csv holds a corpus that serlab knows; else return ""."""
    if any(path.glob("metadata.*")):
        return ""
    for name in ("ravdess", "emodb", "cremad", "nemo"):
        if locate.holds_clips(record(name), path):
            return (
                f"{path} holds clips of {record(name).title}: set SERLAB_DATA to that folder and use the "
                f'name "{name}". To use it as a folder of your own, put a metadata.csv there.'
            )
    return ""


def known(name_or_folder: str | os.PathLike) -> str | None:
    """Return the name of a corpus, or None for a folder."""
    text = os.fspath(name_or_folder)
    if text in _RECORDS or text == unified.NAME:
        return text
    if os.path.lexists(os.path.expanduser(text)) or os.sep in text or not isinstance(name_or_folder, str):
        return None
    return record(text).name


def _load_official(of: Record) -> pd.DataFrame:
    root = find(of.name)
    if root is None:
        raise CorpusError(not_found(of))
    files = _one_file_per_clip(of, root)
    missing, speakers = missing_clips(of, root, set(files))
    if missing:
        raise CorpusError(_incomplete(of, root, missing))
    partial = len(speakers) < len(of.speakers)
    title = f"{of.title} ({len(speakers)} of {len(of.speakers)} speakers)" if partial else of.title
    rows = [
        {"clip": clip, "path": str(path), "language": of.language, **of.parse(clip)}
        for clip, path in files.items()
    ]
    table = build(
        rows, of.name, title, f'Run serlab.validate("{of.name}") for all faults and their remedies.'
    )
    if of.check is not None:
        of.check(table)
    if not partial:
        _assert_official(of, table)
    return table


def _one_file_per_clip(of: Record, root: Path) -> dict[str, Path]:
    copies = defaultdict(list)
    for path in locate.clip_files(of, root):
        copies[path.stem].append(path)
    official = of.official
    if wrong := wrong_version(of, root, set(copies)):
        raise CorpusError(wrong)
    if official:
        copies = {clip: paths for clip, paths in copies.items() if clip in official}
    doubled = {clip: paths for clip, paths in copies.items() if len(paths) > 1}
    if doubled:
        with ThreadPoolExecutor(threads()) as pool:
            same = list(pool.map(_same_content, doubled.values()))
        for paths, equal in zip(doubled.values(), same, strict=True):
            if not equal:
                raise CorpusError(
                    f"{of.title}: {paths[0]} and {paths[1]} have one name but not the same content. "
                    f'Remove or rename one of the folders. serlab.validate("{of.name}") lists all such clips.'
                )
        warnings.warn(
            f"{of.title}: {len(doubled)} clips lie twice in {root}, with the same content; one copy is used.",
            stacklevel=4,
        )
    return {clip: paths[0] for clip, paths in copies.items()}


def wrong_version(of: Record, root: Path, clips: set[str]) -> str:
    """Say so if the clips of one version of EmoDB lie where the other is asked for; else return ""."""
    if of.name not in ("emodb", "emodb2"):
        return ""
    only_in_2 = clips & (record("emodb2").official.keys() - record("emodb").official.keys())
    if of.name == "emodb" and only_in_2:
        return (
            f"{root} holds {len(clips)} clips: this is version 2 of EmoDB (816 clips), not the usual one "
            'of 535. Use the name "emodb2", or take the 535-clip version.'
        )
    if of.name == "emodb2" and clips and not only_in_2:
        return (
            f"{root} holds clips of the usual EmoDB (535 clips), not of version 2 (816). "
            'Use the name "emodb".'
        )
    return ""


def _same_content(paths: list[Path]) -> bool:
    return all(cmp(paths[0], other, shallow=False) for other in paths[1:])


def missing_clips(of: Record, root: Path, found: set[str]) -> tuple[list[str], set[str]]:
    """Return the clips that the speakers present should have but have not, and those speakers."""
    expected = set(of.official) or of.expected(root)
    speakers = {of.parse(clip)["speaker"] for clip in found}
    missing = sorted(clip for clip in expected - found if of.parse(clip)["speaker"] in speakers)
    return missing, speakers


def _assert_official(of: Record, table: pd.DataFrame) -> None:
    counts = Counter(table["emotion"])
    if len(table) != of.clips or counts != Counter(of.classes):
        raise CorpusError(
            f"{of.title} has {of.clips} clips ({_counts(of.classes)}); this copy has {len(table)} "
            f'({_counts(counts)}). Run serlab.validate("{of.name}").'
        )


def _counts(classes) -> str:
    return ", ".join(f"{emotion} {classes[emotion]}" for emotion in EMOTIONS if emotion in classes)


def not_found(of: Record) -> str:
    from serlab.paths import data_dirs

    searched = ", ".join(str(folder) for folder in data_dirs())
    others = _relatives(of)
    empty = next(iter(locate.candidates(of, others)), None)
    seen = f" The folder {empty} is there but holds no clip of it." if empty else ""
    return f"{of.title} was not found in {searched}.{seen} {_how_to_get(of)}"


def _incomplete(of: Record, root: Path, missing: list[str]) -> str:
    from serlab.corpora import misnamed

    renamed = misnamed.find(of, root, missing)
    # What lies there under another name comes first: that is mended without a download.
    ordered = sorted(missing, key=lambda clip: clip not in renamed)
    few = ", ".join(ordered[:3]) + (", …" if len(missing) > 3 else "")
    clips = "clip is" if len(missing) == 1 else "clips are"
    again = f' To get it anew, delete that folder and run serlab.fetch("{of.name}").' if of.remotes else ""
    if renamed:
        again = "".join(
            f" Rename {path} to {clip}{path.suffix}: it seems to be that clip."
            for clip, path in list(renamed.items())[:3]
        )
    return (
        f"{of.title} in {root} is not complete: {len(missing)} {clips} missing ({few}).{again} "
        f'Run serlab.validate("{of.name}") to see all faults. '
        "Copies with whole speakers left out are accepted, but not speakers with clips left out."
    )


def _how_to_get(of: Record) -> str:
    place = (
        f"get it from {of.homepage} and set SERLAB_DATA to the folder that holds it (or to its parent folder)"
    )
    return f'Run serlab.fetch("{of.name}"), or {place}.' if of.remotes else of.source


def _relatives(of: Record) -> tuple[Record, ...]:
    """Return the corpora whose file names are the same."""
    family = [name for name in names() if name.startswith("emodb") and of.name.startswith("emodb")]
    return tuple(
        record(name) for name in family if name != of.name and (of.name, name) != ("emodb2", "emodb")
    )


def find(name: str) -> Path | None:
    """Return the folder of a corpus, or None if it is not there.

    Parameters
    ----------
    name
        One of `names`, or ``"unified"``: then it is the folder of the first corpus that takes part.

    Notes
    -----
    `serlab.paths.data_dirs` are searched in their order. Each may be the corpus folder itself or hold it.

    Examples
    --------
    >>> find("demo") is not None
    True
    """
    if name == unified.NAME:
        return next(map(find, unified.here()), None)
    of = record(name)
    if name == "demo":
        from serlab.corpora import demo

        return demo.folder()
    found = [root for root in locate.candidates(of, _relatives(of)) if locate.holds_clips(of, root)]
    fitting = (root for root in found if not wrong_version(of, root, _stems(of, root)))
    return next(fitting, found[0] if found else None)


def _stems(of: Record, root: Path) -> set[str]:
    return {path.stem for path in locate.clip_files(of, root)}


def default_corpus(preferred: str = "ravdess") -> str:
    """Return the name of the corpus that a chapter runs on.

    Parameters
    ----------
    preferred
        The corpus that the chapter was written with. ``"unified"`` is always there: loading it sees to
        ``$SERLAB_CORPUS``, and to a machine without corpora.

    Returns
    -------
    str
        ``$SERLAB_CORPUS`` if it is set; else `preferred` if its audio is found; else ``"demo"``, with a
        notice.

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
        f"will differ from those in the text.\n{_how_to_get(of)}"
    )
    return "demo"


def folds(name: str, protocol: str) -> list[list[str]]:
    """Return the published folds of a corpus, as lists of test speakers.

    Parameters
    ----------
    name
        One of `names`.
    protocol
        Name of the protocol, such as ``"emobox6"``.

    Raises
    ------
    CorpusError
        If that corpus has no such folds.

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
    return ", ".join(part for part in (of.licence, of.licence_url) if part) + (
        f" ({of.licence_source})" if of.licence_source else ""
    )


def content_hash(table: pd.DataFrame) -> str:
    """Return a hash of a corpus: it changes with any byte of any clip, and with nothing else.

    Parameters
    ----------
    table
        An utterance table.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits over the sorted pairs of clip name and SHA-256 of its file.

    Examples
    --------
    >>> len(content_hash(load("demo").head(3)))
    64
    """
    with ThreadPoolExecutor(threads()) as pool:
        digests = pool.map(file_digest, table["path"])
        lines = sorted(f"{clip}\t{digest}\n" for clip, digest in zip(table["clip"], digests, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# Last, because both look up records here; and not lazily, because importing a submodule later would put
# the module in the place of the function of the same name.
from serlab.corpora.fetch import fetch  # noqa: E402
from serlab.corpora.validate import validate  # noqa: E402

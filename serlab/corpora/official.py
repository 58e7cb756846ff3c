"""Corpora with a record: where a copy lies, whether it is what its name says, and its table."""

from __future__ import annotations

import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from filecmp import cmp
from pathlib import Path

import pandas as pd

from serlab.corpora import locate, misnamed, unified
from serlab.corpora.record import Record
from serlab.corpora.registry import RECORDS, names, record
from serlab.corpora.table import build, in_order, threads
from serlab.errors import CorpusError
from serlab.paths import data_dirs


def find(name: str) -> Path | None:
    """Return the folder of a corpus, or None if it is not there.

    Parameters
    ----------
    name
        One of `names`, or ``"unified"``: then it is the folder of the first corpus that takes part.

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


def known(name_or_folder: str | os.PathLike) -> str | None:
    """Return the name of a corpus, or None for a folder."""
    text = os.fspath(name_or_folder)
    if text in RECORDS or text == unified.NAME:
        return text
    if os.path.lexists(os.path.expanduser(text)) or os.sep in text or not isinstance(name_or_folder, str):
        return None
    return record(text).name


def official_in(path: Path) -> str:
    """Say so if a folder without metadata.csv holds a corpus that serlab knows; else return ""."""
    if any(path.glob("metadata.*")):
        return ""
    for of in (record(name) for name in names() if name != "demo"):
        if locate.holds_clips(of, path):
            return (
                f"{path} holds clips of {of.title}: set SERLAB_DATA to that folder and use the "
                f'name "{of.name}". To use it as a folder of your own, put a metadata.csv there.'
            )
    return ""


def load(of: Record) -> pd.DataFrame:
    """Return the table of a corpus that has a record and files of its own, as `serlab.load` does."""
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
    counts = Counter(table["emotion"])
    if not partial and (len(table) != of.clips or counts != Counter(of.classes)):
        raise CorpusError(
            f"{of.title} has {of.clips} clips ({_listed(of.classes)}); this copy has {len(table)} "
            f'({_listed(counts)}). Run serlab.validate("{of.name}").'
        )
    return table


def _listed(classes: Mapping[str, int]) -> str:
    return ", ".join(f"{emotion} {classes[emotion]}" for emotion in in_order(classes))


def _one_file_per_clip(of: Record, root: Path) -> dict[str, Path]:
    copies = defaultdict(list)
    for path in locate.clip_files(of, root):
        copies[path.stem].append(path)
    if wrong := wrong_version(of, root, set(copies)):
        raise CorpusError(wrong)
    if of.official:
        copies = {clip: paths for clip, paths in copies.items() if clip in of.official}
    doubled = [paths for paths in copies.values() if len(paths) > 1]
    with ThreadPoolExecutor(threads()) as pool:
        same = list(pool.map(_same_content, doubled))
    for paths, equal in zip(doubled, same, strict=True):
        if not equal:
            raise CorpusError(
                f"{of.title}: {paths[0]} and {paths[1]} have one name but not the same content. "
                f'Remove or rename one of the folders. serlab.validate("{of.name}") lists all such clips.'
            )
    if doubled:
        warnings.warn(
            f"{of.title}: {len(doubled)} clips lie twice in {root}, with the same content; one copy is used.",
            stacklevel=4,
        )
    return {clip: paths[0] for clip, paths in copies.items()}


def _same_content(paths: list[Path]) -> bool:
    return all(cmp(paths[0], other, shallow=False) for other in paths[1:])


def missing_clips(of: Record, root: Path, found: set[str]) -> tuple[list[str], set[str]]:
    """Return the clips that the speakers present should have but have not, and those speakers."""
    if not of.official and of.expected is None:
        raise CorpusError(
            f"{of.title}: the record in serlab/corpora gives neither manifest= nor expected=, so that nobody "
            "can tell whether clips are missing. Give it one of the two."
        )
    expected = set(of.official) or of.expected(root)
    speakers = {of.parse(clip)["speaker"] for clip in found}
    missing = sorted(clip for clip in expected - found if of.parse(clip)["speaker"] in speakers)
    return missing, speakers


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


def _stems(of: Record, root: Path) -> set[str]:
    return {path.stem for path in locate.clip_files(of, root)}


def _relatives(of: Record) -> tuple[Record, ...]:
    """Return the corpora whose file names are the same."""
    if not of.name.startswith("emodb"):
        return ()
    others = {"emodb", "emodb2", "emodb_first2s"} - {of.name}
    # Version 2 may lie in a folder that is named as the usual EmoDB.
    return tuple(record(name) for name in others if (of.name, name) != ("emodb2", "emodb"))


def not_found(of: Record) -> str:
    """Say where a corpus was looked for in vain, and how to get it."""
    searched = ", ".join(str(folder) for folder in data_dirs())
    others = _relatives(of)
    empty = next(iter(locate.candidates(of, others)), None)
    seen = f" The folder {empty} is there but holds no clip of it." if empty else ""
    return f"{of.title} was not found in {searched}.{seen} {how_to_get(of)}"


def _incomplete(of: Record, root: Path, missing: list[str]) -> str:
    renamed = misnamed.find(of, root, missing)
    # What lies there under another name comes first: that is mended without a download.
    ordered = sorted(missing, key=lambda clip: clip not in renamed)
    few = ", ".join(ordered[:3]) + (", …" if len(missing) > 3 else "")
    clips = "clip is" if len(missing) == 1 else "clips are"
    remedy = f' To get it anew, delete that folder and run serlab.fetch("{of.name}").' if of.remotes else ""
    if renamed:
        remedy = "".join(
            f" Rename {path} to {clip}{path.suffix}: it seems to be that clip."
            for clip, path in list(renamed.items())[:3]
        )
    return (
        f"{of.title} in {root} is not complete: {len(missing)} {clips} missing ({few}).{remedy} "
        f'Run serlab.validate("{of.name}") to see all faults. '
        "Copies with whole speakers left out are accepted, but not speakers with clips left out."
    )


def how_to_get(of: Record) -> str:
    """Say how to get a corpus."""
    place = f"{of.homepage} and set SERLAB_DATA to the folder that holds it (or to its parent folder)"
    if of.remotes:
        return f'Run serlab.fetch("{of.name}"), or get it from {place}.'
    return of.source or f"Get it from {place}."

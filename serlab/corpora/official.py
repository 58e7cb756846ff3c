"""Corpora with a record: where a copy lies, whether it is what its name says, and its table."""

import contextlib
import os
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from filecmp import cmp
from pathlib import Path, PurePosixPath

import pandas as pd

from serlab.corpora import locate, registry, unified
from serlab.corpora.record import Record, file_digest
from serlab.corpora.table import EMOTIONS, build, in_order, in_threads
from serlab.errors import CorpusError
from serlab.paths import data_dirs
from serlab.sound_files import SUFFIXES

# Characters by which a name may be too long or too short: "_X" for "_XX", or " (1)" at the end.
_MOST = 4


def find(name: str) -> Path | None:
    """Return the folder of a corpus, or None if it is not there.

    It is one of `names`, or ``"unified"``: then that is the folder of the first corpus that takes part.

    Examples
    --------
    >>> find("demo") is not None
    True
    """
    if name == unified.NAME:
        return next(map(find, unified.available()), None)
    record = registry.record(name)
    if name == "demo":
        from serlab.corpora import demo

        return demo.folder()
    found = [root for root in locate.candidates(record) if any(locate.clip_files(record, root))]
    right = (root for root in found if not files_of_clips(record, root)[1])
    return next(right, found[0] if found else None)


def known(name_or_folder: str | os.PathLike) -> str | None:
    """Return the name of a corpus, or None for a folder."""
    text = os.fspath(name_or_folder)
    if text in registry.RECORDS or text == unified.NAME:
        return text
    if os.path.lexists(os.path.expanduser(text)) or os.sep in text or not isinstance(name_or_folder, str):
        return None
    return registry.record(text).name


@contextlib.contextmanager
def hint_at_official(path: Path) -> Iterator[None]:
    """Say of a folder that cannot be used if it holds, with no metadata.csv, a corpus that serlab knows."""
    try:
        yield
    except CorpusError as error:
        # Python 3.13 looks into a folder whose name no folder can have with a ValueError.
        if not path.is_dir() or any(path.glob("metadata.*")):
            raise
        records = [registry.record(name) for name in registry.names() if name != "demo"]
        # What folders are called tells corpora apart whose clips have the same names.
        for record in sorted(records, key=lambda record: record.name not in path.parts):
            if any(locate.clip_files(record, path)):
                raise CorpusError(
                    f"{path} holds clips of {record.title}: set SERLAB_DATA to that folder and use the "
                    f'name "{record.name}". To use it as a folder of your own, put a metadata.csv there.'
                ) from error
        raise


def load(record: Record) -> pd.DataFrame:
    """Return the table of a corpus that has a record and files of its own, as `serlab.load` does."""
    root = find(record.name)
    if root is None:
        raise CorpusError(not_found(record))
    files = _one_file_per_clip(record, root)
    missing, speakers = missing_clips(record, root, set(files))
    if missing:
        raise CorpusError(_incomplete(record, root, missing))
    title = record.title
    if partial := len(speakers) < len(record.speakers):
        title += f" ({len(speakers)} of {len(record.speakers)} speakers)"
    rows = [record.row(clip, path) for clip, path in files.items()]
    remedy = f'Run serlab.validate("{record.name}") for all faults and their remedies.'
    table = build(rows, record.name, title, remedy)
    _check_names(record, table)
    if record.check is not None:
        record.check(table)
    counts = Counter(table["emotion"])
    if not partial and (len(table) != record.clips or counts != Counter(record.classes)):
        raise CorpusError(
            f"{record.title} has {record.clips} clips ({_listed(record.classes)}); this copy has "
            f'{len(table)} ({_listed(counts)}). Run serlab.validate("{record.name}").'
        )
    return table


def _check_names(record: Record, table: pd.DataFrame) -> None:
    """Make sure that file names were read as speakers and emotions that the record knows."""
    for column, known in (("speaker", record.speakers), ("emotion", EMOTIONS)):
        if (wrong := ~table[column].isin(known)).any():
            row = table[wrong].iloc[0]
            raise CorpusError(
                f"{row['path']}: parse of {record.title} reads the {column} {row[column]!r}, which is none "
                f"of {', '.join(map(repr, known))}. Mend the record in serlab/corpora."
            )


def _listed(classes: Mapping[str, int]) -> str:
    return ", ".join(f"{emotion} {classes[emotion]}" for emotion in in_order(classes))


def _one_file_per_clip(record: Record, root: Path) -> dict[str, Path]:
    copies, wrong = files_of_clips(record, root)
    if wrong:
        raise CorpusError(wrong)
    pairs = [(first, other) for first, *others in copies.values() for other in others]
    same = in_threads(lambda pair: cmp(pair[0], pair[1], shallow=False), pairs)
    for (first, other), equal in zip(pairs, same, strict=True):
        if not equal:
            raise CorpusError(
                f"{record.title}: {first} and {other} have one name but not the same content. "
                f'Remove or rename one of the folders. serlab.validate("{record.name}") lists all such clips.'
            )
    if pairs:
        warnings.warn(
            f"{record.title}: {sum(len(paths) > 1 for paths in copies.values())} clips lie twice in {root}, "
            "with the same content; one copy is used.",
            stacklevel=4,
        )
    return {clip: paths[0] for clip, paths in copies.items()}


def files_of_clips(record: Record, root: Path) -> tuple[dict[str, list[Path]], str]:
    """Return the files of each clip in a folder, and what `wrong_version` says of it."""
    files = defaultdict(list)
    for path in locate.clip_files(record, root):
        files[path.stem].append(path)
    wrong = wrong_version(record, root, set(files))
    return {clip: files[clip] for clip in files if clip in (record.official or files)}, wrong


def missing_clips(record: Record, root: Path, found: set[str]) -> tuple[list[str], set[str]]:
    """Return the clips that the speakers present should have but have not, and those speakers."""
    if not record.official and record.expected is None:
        raise CorpusError(
            f"{record.title}: the record in serlab/corpora gives neither manifest= nor expected=, so that "
            "nobody can tell whether clips are missing. Give it one of the two."
        )
    expected = set(record.official) or record.expected(root)
    speakers = {record.parse(clip)["speaker"] for clip in found}
    missing = sorted(clip for clip in expected - found if record.parse(clip)["speaker"] in speakers)
    return missing, speakers


def wrong_version(record: Record, root: Path, clips: set[str]) -> str:
    """Say so if the clips of one version of EmoDB lie where the other is asked for; else return ""."""
    if record.name not in ("emodb", "emodb2") or not clips:
        return ""
    first, second = (registry.record(name).official.keys() for name in ("emodb", "emodb2"))
    is_second = not clips.isdisjoint(second - first)
    if is_second == (record.name == "emodb2"):
        return ""
    if is_second:
        return (
            f"{root} holds {len(clips)} clips: this is version 2 of EmoDB (816 clips), not the usual one "
            'of 535. Use the name "emodb2", or take the 535-clip version.'
        )
    return f'{root} holds clips of the usual EmoDB (535), not of version 2 (816). Use the name "emodb".'


def not_found(record: Record) -> str:
    """Say where a corpus was looked for in vain, and how to get it."""
    searched = ", ".join(map(str, data_dirs()))
    empty = next(locate.candidates(record), None)
    seen = f" The folder {empty} is there but holds no clip of it." if empty else ""
    return f"{record.title} was not found in {searched}.{seen} {how_to_get(record)}"


def _incomplete(record: Record, root: Path, missing: list[str]) -> str:
    renamed = misnamed(record, root, missing)
    # What lies there under another name comes first: that is mended without a download.
    ordered = sorted(missing, key=lambda clip: clip not in renamed)
    few = ", ".join(ordered[:3]) + (", …" if len(missing) > 3 else "")
    clips = "clip is" if len(missing) == 1 else "clips are"
    remedy = ""
    if record.remotes and not renamed:
        remedy = f' To get it anew, delete that folder and run serlab.fetch("{record.name}").'
    for clip, path in list(renamed.items())[:3]:
        remedy += f" Rename {path} to {clip}{path.suffix}: it seems to be that clip."
    return (
        f"{record.title} in {root} is not complete: {len(missing)} {clips} missing ({few}).{remedy} "
        f'Run serlab.validate("{record.name}") to see all faults. '
        "Copies with whole speakers left out are accepted, but not speakers with clips left out."
    )


def unknown_files(record: Record, root: Path) -> list[Path]:
    """Return the sound files among the clips of a corpus that have the name of none."""
    return [
        path
        for place in locate.clip_folders(record, root)
        for path in locate.visible_files(place)
        if path.suffix.lower() in SUFFIXES
        and (record.parse(path.stem) is None or (record.official and path.stem not in record.official))
    ]


def misnamed(record: Record, root: Path, missing: Iterable[str]) -> dict[str, Path]:
    """Find missing clips among the files with strange names.

    A file is that clip if it has its official content, or a name that differs by case, signs or a few
    characters at its end and could mean no other missing clip.
    """
    missing, files = set(missing), unknown_files(record, root)
    if not missing or not files:
        return {}
    facts = {PurePosixPath(path).stem: fact for path, fact in record.manifest.items()}
    sizes = {facts[clip][1] for clip in missing & facts.keys()} - {None}
    contents = {file_digest(path): path for path in files if path.is_file() and path.stat().st_size in sizes}
    found = {}
    for clip in sorted(missing):
        near = [path for path in files if _near(path.stem, clip)]
        if (digest := facts.get(clip, (None,))[0]) in contents:
            found[clip] = contents[digest]
        elif len(near) == 1 and sum(_near(near[0].stem, other) for other in missing) == 1:
            found[clip] = near[0]
    return found


def _near(stem: str, clip: str) -> bool:
    one, other = (re.sub(r"[^a-z0-9]", "", name.lower()) for name in (stem, clip))
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return longer.startswith(shorter) and len(longer) - len(shorter) <= _MOST


def how_to_get(record: Record) -> str:
    """Say how to get a corpus."""
    place = f"{record.homepage} and set SERLAB_DATA to the folder that holds it (or to its parent folder)"
    if record.remotes:
        return f'Run serlab.fetch("{record.name}"), or get it from {place}.'
    return record.source or f"Get it from {place}."

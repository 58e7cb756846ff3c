"""Find clips that lie in a copy of a corpus under a wrong name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from serlab.corpora import locate
from serlab.corpora.record import Record, file_digest
from serlab.sound_files import SUFFIXES

# Characters by which a name may be too long or too short: "_X" for "_XX", or " (1)" at the end.
_MOST = 4


def unknown_files(record: Record, root: Path) -> list[Path]:
    """Return the sound files among the clips of a corpus that have the name of none."""
    return [
        path
        for place in locate.clip_folders(record, root)
        for path in locate.visible_files(place)
        if path.suffix.lower() in SUFFIXES
        and (record.parse(path.stem) is None or (record.official and path.stem not in record.official))
    ]


def find(record: Record, root: Path, missing: Iterable[str]) -> dict[str, Path]:
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

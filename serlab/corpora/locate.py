"""Find a corpus under the data folders, and its clips under the corpus folder.

Only folders whose names a corpus is known to use are entered, so that a data folder may be a whole disk.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from serlab.corpora import registry
from serlab.corpora.record import Record
from serlab.paths import data_dirs
from serlab.sound_files import SUFFIXES

# Corpora whose clips have the same names: in a folder with the name of one the other is not looked for. But
# version 2 of EmoDB may lie in a folder named emodb.
_RELATIVES = {
    "emodb": ("emodb2", "emodb_first2s"),
    "emodb2": ("emodb_first2s",),
    "emodb_first2s": ("emodb", "emodb2"),
}


def candidates(record: Record) -> Iterator[Path]:
    """Yield folders that may be the corpus: each data folder itself, then those in it with a fitting name."""
    own = record.folder or _plain(record.name)
    others = [registry.record(name).folder for name in _RELATIVES.get(record.name, ())]
    for base in data_dirs():
        foreign = any(_named(other, base) for other in others)
        places = [base, *_children(base, record.clip_folder)]
        if not foreign and (_named(own, base) or any(_clips_in(record, places))):
            yield base
        yield from sorted(_children(base, own), key=lambda child: (len(child.name), child.name))


def clip_files(record: Record, folder: Path) -> Iterator[Path]:
    """Yield every file of a corpus folder whose stem is that of a clip; a stem may come twice."""
    return _clips_in(record, clip_folders(record, folder))


def clip_folders(record: Record, folder: Path) -> list[Path]:
    """Return the folders in which clips of the corpus are looked for."""
    tops = [folder, *_children(folder, record.inner)]
    return [place for top in tops for place in (top, *_children(top, record.clip_folder))]


def visible_files(folder: Path) -> list[Path]:
    """Return the files of a folder, without hidden ones such as macOS's ``._`` companions."""
    found = sorted(name for name, kind in scan(folder) if kind != "folder" and not name.startswith("."))
    return [Path(folder, name) for name in found]


def regular_files(folder: Path | str) -> list[str]:
    """Return the names of the regular files of a folder, hidden ones too; none if it cannot be read."""
    return [name for name, kind in scan(folder) if kind == "file"]


def _clips_in(record: Record, places: list[Path]) -> Iterator[Path]:
    for place in places:
        for file in visible_files(place):
            if file.suffix.lower() in SUFFIXES and record.parse(file.stem) is not None:
                yield file


def _children(folder: Path, pattern: str) -> list[Path]:
    """Return the folders in a folder whose names fit a pattern."""
    found = sorted(name for name, kind in scan(folder) if kind == "folder" and not name.startswith("."))
    return [child for name in found if _named(pattern, child := folder / name)]


def scan(folder: Path | str) -> list[tuple[str, str]]:
    """Return the names in a folder, each with "file", "folder", or "" for pipes, devices and dead links."""
    found = []
    with contextlib.suppress(OSError, ValueError), os.scandir(folder) as entries:
        for entry in entries:
            kind = ""
            with contextlib.suppress(OSError):  # a link that leads back to itself
                kind = "folder" if entry.is_dir() else "file" if entry.is_file() else ""
            found.append((entry.name, kind))
    return found


def _named(pattern: str, folder: Path) -> bool:
    return bool(pattern) and re.fullmatch(pattern, _plain(folder.name)) is not None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

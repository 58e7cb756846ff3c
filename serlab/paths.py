"""Where serlab looks for corpora and keeps what it computes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the folder for downloads and computed features: ``$SERLAB_CACHE``, else the user's cache.

    Examples
    --------
    >>> cache_dir().is_absolute()
    True
    """
    chosen = os.environ.get("SERLAB_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("serlab"))


def data_dirs() -> list[Path]:
    """Return the folders in which corpora are searched, first one first.

    They are the entries of ``$SERLAB_DATA`` (separated as in ``$PATH``), then the folder that
    `serlab.fetch` fills.

    Examples
    --------
    >>> data_dirs()[-1] == cache_dir() / "corpora"
    True
    """
    named = [entry for entry in os.environ.get("SERLAB_DATA", "").split(os.pathsep) if entry]
    return [Path(entry).expanduser().absolute() for entry in named] + [cache_dir() / "corpora"]


def write_whole(file: Path, text: str) -> None:
    """Write a text file, so that at no moment half of it is taken for the whole.

    Parameters
    ----------
    file : Path
        In a folder that exists. What it held before stays until the new text is all there.
    text : str
    """
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, suffix=".part", delete=False, encoding="utf-8", newline="\n"
    ) as part:
        part.write(text)
    os.chmod(part.name, 0o644)
    os.replace(part.name, file)

"""Where serlab looks for corpora and keeps what it computes."""

from __future__ import annotations

import os
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

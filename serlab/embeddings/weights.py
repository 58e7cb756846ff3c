"""Weights of networks trained elsewhere: found on this computer, or fetched once and verified.

They are looked for, in this order,

1. in each folder named in ``SERLAB_DATA``, in a folder ``weights`` in it, and in a folder ``weights``
beside it;
2. in ``weights`` in the cache folder (see `serlab.paths.cache_dir`), which is where a download goes.

None of them comes with serlab.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from serlab.errors import FetchError
from serlab.paths import cache_dir, data_dirs


@dataclass(frozen=True)
class Weights:
    """A file of trained weights: what it is, whose it is, where it comes from.

    Attributes
    ----------
    title : str
        Name for readers.
    filename : str
        Name of the file on this computer.
    url : str
        Where it is downloaded from; unpacked if it ends in ``.gz``. A file with the name it has there is
        found, too.
    sha256 : str, optional
        Checksum of the file, unpacked; None if none is known.
    download_sha256 : str, optional
        Checksum of what is downloaded, where that is another file.
    licence : str
        Licence of the weights, and whose they are.
    """

    title: str
    filename: str
    url: str
    licence: str
    sha256: str | None = None
    download_sha256: str | None = None

    def __str__(self) -> str:
        return f"weights: {self.title}, {self.licence}"

    def find(self) -> Path | None:
        """Return the file where it is on this computer, or None."""
        official = PurePosixPath(self.url).name.removesuffix(".gz")
        for folder in _folders():
            for name in (self.filename, official):
                if (folder / name).is_file():
                    return folder / name
        return None

    def locate(self) -> Path:
        """Return the file, fetched if need be, and verified.

        Raises
        ------
        FetchError
            If it is not here and cannot be downloaded, or is not the file it should be. The message says
            what to do by hand.
        """
        path = self.find() or self._fetch()
        if self.sha256 is not None and _sha256(path, path.stat().st_mtime_ns) != self.sha256:
            raise FetchError(
                f"{path} is not the file of {self.title}: its SHA-256 is not {self.sha256}. Delete it, and "
                f"it is fetched again from {self.url}"
            )
        return path

    def _fetch(self) -> Path:
        import pooch
        import requests

        folder = cache_dir() / "weights"
        download = PurePosixPath(self.url).name
        known = self.download_sha256 or (None if download.endswith(".gz") else self.sha256)
        registry = {download: known and f"sha256:{known}"}
        remote = pooch.create(
            folder, base_url="", registry=registry, urls={download: self.url}, retry_if_failed=2
        )
        print(f"Fetching {self.title}, {self.licence}.", flush=True)
        try:
            got = Path(remote.fetch(download, progressbar=os.environ.get("TQDM_DISABLE") != "1"))
            return _move(got, folder / self.filename)
        except (requests.RequestException, ValueError, OSError) as error:
            raise FetchError(
                f"{self.title} cannot be fetched: {error}. By hand: download {self.url}"
                f"{', unpack it' if download.endswith('.gz') else ''} and put it into {folder}"
            ) from error


def _folders() -> Iterator[Path]:
    # The last of the data folders is the cache's own.
    for folder in data_dirs()[:-1]:
        yield from (folder, folder / "weights", folder.parent / "weights")
    yield cache_dir() / "weights"


def _move(got: Path, target: Path) -> Path:
    """Give a download its name, unpacked; a file of that name is always whole."""
    if got.suffix != ".gz":
        return got.replace(target)
    draft = target.with_suffix(".part")
    with gzip.open(got, "rb") as packed, draft.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    got.unlink()
    return draft.replace(target)


@functools.lru_cache
def _sha256(path: Path, mtime_ns: int) -> str:
    """Hash a file; once, unless it changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Weights of networks trained elsewhere: found on this computer, or fetched once and verified.

They are looked for beside this module; in each folder of ``SERLAB_DATA``, ``weights`` in it and beside it;
then in ``weights`` in the cache folder (see `serlab.paths.cache_dir`), which is where a download goes.
"""

import functools
import gzip
import itertools
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from serlab.corpora.download import Downloads
from serlab.corpora.record import Remote, file_digest
from serlab.errors import FetchError
from serlab.paths import cache_dir, data_dirs, disk_errors, locked


@dataclass(frozen=True)
class Weights:
    """A file of trained weights: what it is, whose it is, where it comes from.

    It is found by `filename`, or by its name at `url`, which is unpacked if it ends in ``.gz``.
    `download_sha256` is of the download, where that is another file; None where none is known.
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
        # The last of the data folders is the cache's own.
        data = data_dirs()[:-1]
        folders = [place for root in data for place in (root, root / "weights", root.parent / "weights")]
        places = [Path(__file__).parent, *folders, cache_dir() / "weights"]
        files = itertools.product(places, (self.filename, official))
        return next((folder / name for folder, name in files if (folder / name).is_file()), None)

    def locate(self) -> Path:
        """Return the file, fetched if need be, and verified, or raise FetchError."""
        path = self.find() or self._fetch()
        state = path.stat()
        if self.sha256 not in (None, _digest(path, state.st_size, state.st_mtime_ns)):
            raise FetchError(
                f"{path} is not the file of {self.title}: its SHA-256 is not {self.sha256}. Delete it, and "
                f"it is fetched again from {self.url}"
            )
        return path

    def _fetch(self) -> Path:
        from tqdm import tqdm

        target, work = cache_dir() / "weights" / self.filename, cache_dir() / ".downloads"
        name = PurePosixPath(self.url).name
        known = self.download_sha256 or (None if name.endswith(".gz") else self.sha256)
        remote = Remote(self.url, name, checksum=known and f"sha256:{known}")
        try:
            with disk_errors(self.title, target.parent, FetchError):
                work.mkdir(parents=True, exist_ok=True)
                target.parent.mkdir(exist_ok=True)
                with locked(work / f"{name}.lock", f"fetching {self.title}"):
                    if not target.exists():
                        print(f"Fetching {self.title}, {self.licence}.", flush=True)
                        with tqdm(unit="B", unit_scale=True, desc=name) as bar:
                            _move(Downloads(bar).retrieve(remote, work), target)
        except FetchError as error:
            raise FetchError(
                f"{self.title} cannot be fetched: {error} By hand: download {self.url}"
                f"{', unpack it' if name.endswith('.gz') else ''} and put it into {target.parent}"
            ) from error
        return target


@functools.lru_cache
def _digest(path: Path, size: int, changed: int) -> str:
    """Hash a file once while size and time stamp stay: extractors ask for their weights with every clip."""
    return file_digest(path)


def _move(got: Path, target: Path) -> None:
    """Give a download its name, unpacked; a file of that name is always whole."""
    import pooch

    unpacked = got
    if got.suffix == ".gz":
        try:
            unpacked = Path(pooch.Decompress()(str(got), "download", None))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            got.unlink()  # Without a checksum it would be taken for the right file again.
            raise FetchError(f"{got} was damaged ({error}) and is deleted.") from error
    unpacked.replace(target)
    got.unlink(missing_ok=True)

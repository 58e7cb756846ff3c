"""The cache of features: every clip is measured once, kept on disk, and read back without copying.

1. Each extractor has a file of float32 values in ``<cache>/features``, one clip's features after another's.
2. The SQLite database ``index.sqlite`` beside these files knows, by the SHA-256 of a sound, where in the file
   its features lie, and their CRC-32; it is told once they are on the disk.
3. What it does not know, or what has another checksum, is computed and put at the end: a killed process costs
   a second's work, damage is mended, and a sound that changes while it is measured is refused.
4. A table whose clips lie one after another is given back as that part of the file, memory-mapped; for any
   other a file is made, once, in which they do.
5. One process at a time adds to an extractor's file; others wait for it and then find its clips.

SQLite, because it comes with Python, survives crashes and takes several writers. LMDB would be one more
package, with a size to be set beforehand; joblib.Memory has no checksums and one pickle per clip. Features
stay outside of the database, so that a table is one array, which need not fit memory.
"""

import contextlib
import errno
import hashlib
import math
import os
import shutil
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import joblib
import numpy as np
import pandas as pd

from serlab import audio
from serlab.errors import AudioError, FeatureError
from serlab.features.base import Extractor
from serlab.features.measure import file_sha256, file_state, measure
from serlab.paths import cache_dir, disk_errors, locked

# A killed process loses at most so much work.
COMMIT_SECONDS = 1.0
# A file that was changed so shortly before it was hashed may change again under the same time stamp.
FRESH_SECONDS = 2.0
_INDEX = "index.sqlite"
_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS sounds (path BLOB PRIMARY KEY, size, time, sha256) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clips (
    extractor, sha256, start, size, crc32, PRIMARY KEY (extractor, sha256)
) WITHOUT ROWID;
COMMIT;
"""


def features(
    table: pd.DataFrame,
    extractor: Extractor,
    *,
    n_jobs: int = 2,
    progress: bool = True,
    root: str | os.PathLike | None = None,
    max_seconds: float = audio.MAX_SECONDS,
) -> np.ndarray | list[np.ndarray]:
    """Return the features of every clip of a table, computing only those that are not in the cache.

    Parameters
    ----------
    table : DataFrame
        An utterance table; only its column `path` is used. Ask for the whole table once and index the
        result: a table in another order gets a file of its own.
    extractor : Extractor
        For example ``serlab.features.Mel(seconds=3.0)``.
    n_jobs : int
        Clips worked on at a time, as in joblib. Numerical libraries are held to one thread each. Within
        ``joblib.parallel_config("dask")`` the workers of the Dask cluster do the work instead, all of them.
    progress : bool
        Show a progress bar on standard error while computing.
    root : path-like, optional
        Folder of the cache; by default ``features`` in `serlab.paths.cache_dir`.
    max_seconds : float
        Longest sound that is measured, see `serlab.audio.read`. To measure a long recording part by part,
        take `serlab.lessons.ch16_segments`.

    Returns
    -------
    ndarray of float32, shape (clips, *extractor.shape)
        Row `i` belongs to row `i` of the table. Memory-mapped and read-only: ``np.array(...)`` makes a copy.
        Where the extractor's shape leaves time open, a list of such arrays, one for each clip.

    Raises
    ------
    AudioError, FeatureError
        If a clip cannot be read or measured, or changes meanwhile (the message names its file), or the disk
        is full. Clips finished before are kept.

    Examples
    --------
    >>> import pandas, soundfile, tempfile
    >>> from serlab.features import Mel
    >>> folder = Path(tempfile.mkdtemp())
    >>> soundfile.write(folder / "tone.wav", np.sin(np.arange(16000) * 0.1), 16000)
    >>> table = pandas.DataFrame({"path": [folder / "tone.wav"]})
    >>> features(table, Mel(seconds=1.0), progress=False, root=folder).shape
    (1, 64, 63)
    """
    root = cache_dir() / "features" if root is None else Path(root)
    paths = [os.fspath(path) for path in table["path"]]
    given = (paths, extractor, n_jobs, progress, max_seconds)
    with disk_errors("Features", root, FeatureError):
        try:
            return _features(root, *given)
        except sqlite3.DatabaseError:
            # Looking through a large index for damage takes longer than to ask it: a damaged one says so.
            (root / _INDEX).unlink(missing_ok=True)
            return _features(root, *given)


def _features(
    root: Path, paths: list[str], extractor: Extractor, n_jobs: int, progress: bool, max_seconds: float
) -> np.ndarray | list[np.ndarray]:
    with _open_index(root) as index:
        digests = _digests(index, paths, n_jobs)
        path_of = dict(zip(digests, paths, strict=True))
        file = _File(index, root / f"{extractor.name}-{extractor.key}.f32")
        clips = file.find(path_of)
        if len(clips) < len(path_of):
            with file.locked():
                # Another process may have been quicker.
                clips = file.find(path_of)
                todo = [(digest, path) for digest, path in path_of.items() if digest not in clips]
                _check_space(root, len(todo), extractor)
                try:
                    clips |= file.append(measure(todo, extractor, n_jobs, max_seconds, progress))
                except AudioError:
                    # A file that was changed behind its time stamp must be hashed again by the next call.
                    with index:
                        forgotten = [(digest,) for digest, _ in todo]
                        index.executemany("DELETE FROM sounds WHERE sha256 = ?", forgotten)
                    raise
        return file.view([clips[digest] for digest in digests], extractor.shape)


class _Clip(NamedTuple):
    """Where the features of a clip lie in a file, in bytes."""

    start: int
    size: int
    crc32: int

    def is_at(self, start: int, content: np.ndarray) -> bool:
        part = content[start : start + self.size]
        return len(part) == self.size and zlib.crc32(part) == self.crc32


class _File:
    """The features that one extractor has computed, and what the index knows of them."""

    def __init__(self, index: sqlite3.Connection, path: Path):
        self._index, self._path, self._name = index, path, path.stem

    def find(self, digests: Iterable[str]) -> dict[str, _Clip]:
        """Return the clips whose features are there as they were written."""
        query = "SELECT start, size, crc32 FROM clips WHERE extractor = ? AND sha256 = ?"
        content, found = _content(self._path), {}
        for digest in digests:
            place = self._index.execute(query, (self._name, digest)).fetchone()
            if place and (clip := _Clip(*place)).is_at(clip.start, content):
                found[digest] = clip
        return found

    def append(self, computed: Iterable[tuple[str, np.ndarray]]) -> dict[str, _Clip]:
        """Write features at the end; tell the index every second, and when all is done."""
        added: dict[str, _Clip] = {}
        new: dict[str, _Clip] = {}
        committed = time.monotonic()
        with open(self._path, "ab") as data:
            # What is there is never written over, since arrays that were given back show it; but a process
            # that was killed may have left half a number.
            data.write(b"\0" * (-data.tell() % 4))
            try:
                for digest, values in computed:
                    new[digest] = _Clip(data.tell(), values.nbytes, zlib.crc32(values))
                    data.write(values)
                    if time.monotonic() - committed > COMMIT_SECONDS:
                        self._commit(data, new)
                        added |= new
                        new, committed = {}, time.monotonic()
            finally:
                self._commit(data, new)
        return added | new

    def _commit(self, data: BinaryIO, new: dict[str, _Clip]) -> None:
        data.flush()
        os.fsync(data.fileno())
        rows = [(self._name, digest, *clip) for digest, clip in new.items()]
        with self._index:
            self._index.executemany("REPLACE INTO clips VALUES (?, ?, ?, ?, ?)", rows)

    def view(self, clips: list[_Clip], shape: tuple[int | None, ...]) -> np.ndarray | list[np.ndarray]:
        """Give the features of clips as one array; as a list of arrays where their shapes differ."""
        size = 4 * math.prod(length for length in shape if length is not None)
        if None in shape:
            content = _content(self._path)
            parts = [content[clip.start : clip.start + clip.size].view(np.float32) for clip in clips]
            return [part.reshape([-1 if length is None else length for length in shape]) for part in parts]
        if not clips:
            return np.empty((0, *shape), np.float32)
        path, start = self._path, clips[0].start
        if any(clip.start != start + row * size for row, clip in enumerate(clips)):
            path, start = self._in_order(clips), 0
        return np.memmap(path, np.float32, "r", start, (len(clips), *shape))

    def _in_order(self, clips: list[_Clip]) -> Path:
        """Make a file in which the clips follow each other, unless it is there and intact."""
        order = hashlib.sha256(repr([clip.crc32 for clip in clips]).encode()).hexdigest()[:16]
        path = self._path.with_name(f"{self._name}-{order}.f32")
        there = _content(path)
        if not all(clip.is_at(row * clip.size, there) for row, clip in enumerate(clips)):
            content, part = _content(self._path), path.with_suffix(".part")
            with self.locked():
                with open(part, "wb") as data:
                    data.writelines(content[clip.start : clip.start + clip.size] for clip in clips)
                os.replace(part, path)
        return path

    def locked(self) -> AbstractContextManager[None]:
        """Let one process at a time write."""
        return locked(self._path.with_suffix(".lock"), f"computing {self._name.rpartition('-')[0]} features")


def _content(path: Path) -> np.ndarray:
    """Map a file into memory, byte by byte; nothing where there is none."""
    if path.exists() and path.stat().st_size:
        return np.asarray(np.memmap(path, np.uint8, "r"))
    return np.empty(0, np.uint8)


@contextlib.contextmanager
def _open_index(root: Path) -> Iterator[sqlite3.Connection]:
    """Open the index, a new one if there is none; what SQLite says of the disk becomes an OSError."""
    root.mkdir(parents=True, exist_ok=True)
    path = root / _INDEX
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level="IMMEDIATE")) as index:
            if not index.execute("SELECT 1 FROM sqlite_master").fetchone():
                index.executescript(_TABLES)
            yield index
    except sqlite3.OperationalError as error:
        meaning = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_READONLY: errno.EACCES}
        number = meaning.get(error.sqlite_errorcode & 0xFF, errno.EIO)
        raise OSError(number, str(error), str(path)) from error


def _digests(index: sqlite3.Connection, paths: list[str], n_jobs: int) -> list[str]:
    """Hash every file's content, trusting an earlier hash while size and time stamp are the same."""
    keys = [(os.fsencode(os.path.abspath(path)), *file_state(path)) for path in paths]
    query = "SELECT sha256 FROM sounds WHERE path = ? AND size = ? AND time = ?"
    known = {key: found[0] for key in keys if (found := index.execute(query, key).fetchone())}
    new = {key: path for key, path in zip(keys, paths, strict=True) if key not in known}
    if new:
        hashes = joblib.Parallel(n_jobs=n_jobs, backend="threading")(
            joblib.delayed(file_sha256)(path) for path in new.values()
        )
        known |= zip(new, hashes, strict=True)
        latest = time.time_ns() - int(FRESH_SECONDS * 1e9)
        with index:
            settled = [(*key, known[key]) for key in new if key[-1] < latest]
            index.executemany("REPLACE INTO sounds VALUES (?, ?, ?, ?)", settled)
    return [known[key] for key in keys]


def _check_space(folder: Path, clips: int, extractor: Extractor) -> None:
    # Where time is open, ten seconds' worth is a generous guess.
    frames = round(10 * getattr(extractor, "frame_rate", 100))
    needed = clips * 4 * math.prod(frames if size is None else size for size in extractor.shape)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FeatureError(
            f"The disk of {folder} has {free / 1e6:.0f} MB free, and these features need about "
            f"{needed / 1e6:.0f} MB. Make room, or set SERLAB_CACHE to a folder on another disk."
        )

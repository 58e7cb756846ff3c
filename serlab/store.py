"""The feature store: every clip's features are computed once, kept on disk, and read back without copying.

Under ``<cache>/features/<extractor name>-<extractor key>/`` lies, for each table asked for, one file of
float32 rows in the order of the table, and beside it a text file with one line for each row that is finished:
row, SHA-256 of the sound file, where its features lie, and their CRC-32; what does not agree with it is
computed anew. The extractor key changes with its parameters, its
code and its libraries; rows are known by the content of the sound file, never by its name. Rows that any
earlier table holds are copied, not computed. While a table is being filled its data file is called ``.part``:
a killed process leaves it with all rows that have a line, and the next call goes on from there. One process
at a time fills an extractor's folder; others wait for it and then find its rows.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import os
import shutil
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import filelock
import numpy as np
from tqdm import tqdm

from serlab import audio
from serlab.corpora.record import file_digest
from serlab.errors import AudioError, FeatureError, SerlabError
from serlab.features.base import Extractor
from serlab.paths import atomic_write_together, cache_dir, regular_file, shown

if TYPE_CHECKING:
    import pandas as pd

# A killed process loses at most so much work.
COMMIT_SECONDS = 1.0
# Clips handed to a worker at a time: enough to hide the cost of handing over, few enough to keep memory flat.
BATCH = 8
# A file changed less than this before it was hashed may change again with no visible change of its time
# stamp.
FRESH_SECONDS = 2.0


T = TypeVar("T")


class Place(NamedTuple):
    """Where the features of one clip lie in a data file."""

    file: Path
    offset: int
    time: int
    checksum: int


class Ragged(Sequence):
    """Features of clips of different length: ``ragged[i]`` is the read-only array of row `i`, memory-mapped.

    Attributes
    ----------
    lengths : ndarray of int, shape (clips,)
        Length in frames of each clip.
    """

    def __init__(
        self, data: np.ndarray, shape: tuple[int | None, ...], offsets: np.ndarray, lengths: np.ndarray
    ):
        self._data, self._shape, self._offsets, self.lengths = data, shape, offsets, lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        shape = _filled(self._shape, self.lengths[row])
        start = self._offsets[row]
        return self._data[start : start + math.prod(shape)].reshape(shape)


def features(
    table: pd.DataFrame,
    extractor: Extractor,
    *,
    n_jobs: int = 2,
    progress: bool = True,
    root: str | os.PathLike | None = None,
    max_seconds: float = audio.MAX_SECONDS,
) -> np.ndarray | Ragged:
    """Return the features of every clip of a table, computing only those not in the store.

    Parameters
    ----------
    table : DataFrame
        An utterance table; only its column `path` is used.
    extractor : Extractor
        For example ``serlab.features.Mel(seconds=3.0)``.
    n_jobs : int
        Clips worked on at a time, as in joblib. Numerical libraries are held to one thread each.
    progress : bool
        Show a progress bar on standard error while computing.
    root : path-like, optional
        Folder of the store; by default ``features`` in the cache folder (see `serlab.paths.cache_dir`).
    max_seconds : float
        Longest sound that is measured, see `serlab.audio.read`. To measure a long recording part by part,
        take `serlab.lessons.ch16_segments`.

    Returns
    -------
    ndarray of float32, shape (clips, *extractor.shape), or Ragged
        Row `i` belongs to row `i` of the table. The array is memory-mapped and read-only: index it as usual,
        or ``np.array(...)`` it for a copy. Where the extractor's shape leaves time open, a `Ragged` is
        returned instead: ``result[i]`` is one clip's array.

    Raises
    ------
    AudioError, FeatureError
        If a clip cannot be read or measured (the message names its file), or the disk is full. Rows finished
        before are kept.

    Notes
    -----
    Ask for the whole table once and index the result: every different table gets its own file on disk.

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
    with _disk_errors(root):
        digests = _digests(paths, root, n_jobs)
        folder = root / f"{extractor.name}-{extractor.key}"
        data = folder / f"{hashlib.sha256(''.join(digests).encode()).hexdigest()[:16]}.f32"
        if paths and not _is_whole(data, len(paths), extractor.shape):
            folder.mkdir(parents=True, exist_ok=True)
            with _lock(folder / "lock", extractor.name):
                if not _is_whole(data, len(paths), extractor.shape):
                    data.unlink(missing_ok=True)
                    _fill(data, paths, digests, extractor, n_jobs, progress, max_seconds)
        return _open(data, len(paths), extractor.shape)


def _is_whole(data: Path, clips: int, shape: tuple[int | None, ...]) -> bool:
    """Tell whether a file holds the features of every row, and every byte of them is as it was written."""
    return len(_intact({row: place for row, _, place in _finished(data)}, shape)) == clips


def _intact(places: Mapping[T, Place], shape: tuple[int | None, ...]) -> dict[T, Place]:
    """Keep the places in which lies what was written there."""
    file, there, found = None, b"", {}
    for key, place in places.items():
        if place.file != file:
            file = place.file
            there = np.memmap(file, np.uint8, "r") if file.stat().st_size else b""
        size = 4 * math.prod(_filled(shape, place.time))
        features = there[place.offset : place.offset + size]
        if len(features) == size and zlib.crc32(features) == place.checksum:
            found[key] = place
    return found


def _open(data: Path, clips: int, shape: tuple[int | None, ...]) -> np.ndarray | Ragged:
    if None not in shape:
        if not clips:
            return np.empty((0, *shape), dtype=np.float32)
        return np.memmap(data, dtype=np.float32, mode="r", shape=(clips, *shape))
    places = np.zeros((clips, 2), dtype=np.int64)
    values = np.empty(0, dtype=np.float32)
    if clips:
        values = np.memmap(data, dtype=np.float32, mode="r")
        for row, _, place in _finished(data):
            places[row] = place.offset // 4, place.time
    return Ragged(values, shape, places[:, 0], places[:, 1])


def _fill(
    data: Path,
    paths: list[str],
    digests: list[str],
    extractor: Extractor,
    n_jobs: int,
    progress: bool,
    max_seconds: float,
) -> None:
    """Fill one table's data file, from where a killed process left it, and give it its final name."""
    part, index = data.with_suffix(".part"), data.with_suffix(".rows")
    finished = _intact({row: place for row, _, place in _finished(part)}, extractor.shape)
    rows_of: dict[str, list[int]] = {}
    for row, digest in enumerate(digests):
        if row not in finished:
            rows_of.setdefault(digest, []).append(row)
    earlier = {digest: place for digest, place in _known(data.parent).items() if digest in rows_of}
    known = _intact(earlier, extractor.shape)
    todo = [(digest, paths[rows[0]]) for digest, rows in rows_of.items() if digest not in known]
    _check_space(data.parent, len(rows_of), extractor)
    with open(part, "r+b" if part.exists() else "w+b") as rows_file, open(index, "ab") as index_file:
        writer = _Writer(rows_file, index_file, extractor.shape)
        try:
            for digest, place in known.items():
                writer.write(digest, rows_of[digest], _read(place, extractor.shape))
            computed = _compute(todo, extractor, n_jobs, max_seconds)
            # Said only where there is no bar to show: otherwise the reader's TQDM_DISABLE decides.
            hidden = {} if progress and todo else {"disable": True}
            for digest, values in tqdm(computed, extractor.name, len(todo), unit="clip", **hidden):
                writer.write(digest, rows_of[digest], values)
        finally:
            writer.commit()
    os.replace(part, data)


class _Writer:
    """Writes rows into a data file, and an index line for each row once its bytes are on the disk."""

    def __init__(self, rows_file, index_file, shape: tuple[int | None, ...]):
        self._rows, self._index, self._shape = rows_file, index_file, shape
        self._end = rows_file.seek(0, os.SEEK_END)
        self._committed = time.monotonic()
        # If a killed process left half a line, this ends it.
        self._lines = ["\n"]

    def write(self, digest: str, rows: list[int], values: np.ndarray) -> None:
        content = values.tobytes()
        frames = 0 if None not in self._shape else values.shape[self._shape.index(None)]
        if None not in self._shape:
            offsets = [row * values.nbytes for row in rows]
        else:
            # Equal sounds share one place.
            offsets = [self._end] * len(rows)
            self._end += values.nbytes
        for offset in dict.fromkeys(offsets):
            self._rows.seek(offset)
            self._rows.write(content)
        # Eight digits: of a line that was cut off there are fewer.
        checksum = f"{zlib.crc32(content):08x}"
        self._lines += [
            f"{row} {digest} {offset} {frames} {checksum}\n"
            for row, offset in zip(rows, offsets, strict=True)
        ]
        if time.monotonic() - self._committed > COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        self._rows.flush()
        os.fsync(self._rows.fileno())
        self._index.write("".join(self._lines).encode())
        self._index.flush()
        self._lines.clear()
        self._committed = time.monotonic()


def _finished(data: Path) -> Iterator[tuple[int, str, Place]]:
    """Yield (row, digest, place) of every row of a data file that the index beside it says is finished."""
    index = data.with_suffix(".rows")
    if not (index.exists() and data.exists()):
        return
    for line in index.read_text().splitlines():
        match line.split():
            case [row, digest, offset, frames, checksum] if len(checksum) == 8:
                yield int(row), digest, Place(data, int(offset), int(frames), int(checksum, 16))


def _known(folder: Path) -> dict[str, Place]:
    """Find the features of every sound that any table in an extractor's folder holds."""
    return {
        digest: place
        for index in folder.glob("*.rows")
        for suffix in (".part", ".f32")
        for _, digest, place in _finished(index.with_suffix(suffix))
    }


def _read(place: Place, shape: tuple[int | None, ...]) -> np.ndarray:
    shape = _filled(shape, place.time)
    with open(place.file, "rb") as file:
        file.seek(place.offset)
        return np.fromfile(file, dtype=np.float32, count=math.prod(shape)).reshape(shape)


def _filled(shape: tuple[int | None, ...], frames: int) -> tuple[int, ...]:
    return tuple(int(frames) if size is None else size for size in shape)


def _compute(
    tasks: list[tuple[str, str]], extractor: Extractor, n_jobs: int, max_seconds: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (digest, features) of (digest, path) pairs, in parallel; raise the first error at the end."""
    import joblib
    import threadpoolctl

    failed: list[SerlabError] = []

    def batches() -> Iterator:
        for start in range(0, len(tasks), BATCH):
            # After an error nothing new is begun, but what is under way is finished and kept.
            if failed:
                return
            yield joblib.delayed(_extract)(tasks[start : start + BATCH], extractor, max_seconds)

    # Threads share what is imported and cached; they are enough where the work is done outside Python's lock.
    backend = {"backend": "threading"} if extractor.light else {"backend": "loky", "inner_max_num_threads": 1}
    with threadpoolctl.threadpool_limits(1), joblib.parallel_config(**backend):
        parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator")
        for results in parallel(batches()):
            for digest, values in results:
                if isinstance(values, SerlabError):
                    failed.append(values)
                else:
                    yield digest, values
    if failed:
        raise failed[0]


def _extract(
    batch: list[tuple[str, str]], extractor: Extractor, max_seconds: float
) -> list[tuple[str, np.ndarray | SerlabError]]:
    return [(digest, _extract_one(path, extractor, max_seconds)) for digest, path in batch]


def _extract_one(path: str, extractor: Extractor, max_seconds: float) -> np.ndarray | SerlabError:
    """Compute one clip's features; an error is returned, so that the rest of the batch is not lost."""
    try:
        y, _ = audio.read(
            path, extractor.sample_rate, seconds=extractor.input_seconds, max_seconds=max_seconds
        )
    except AudioError as error:
        return error
    try:
        values = np.ascontiguousarray(extractor.extract(y), dtype=np.float32)
    except Exception as error:
        return FeatureError(f"{path}: {extractor.name} failed: {error}")
    shape = extractor.shape
    if values.ndim != len(shape) or any(
        size not in (None, got) for size, got in zip(shape, values.shape, strict=True)
    ):
        return FeatureError(f"{path}: {extractor.name} gave shape {values.shape}, not {shape} as it says")
    if not np.isfinite(values).all():
        return FeatureError(f"{path}: {extractor.name} gave NaN or infinite values")
    return values


def _check_space(folder: Path, rows: int, extractor: Extractor) -> None:
    # Where time is open, ten seconds' worth is a generous guess.
    frames = round(10 * getattr(extractor, "frame_rate", 100))
    needed = rows * 4 * math.prod(_filled(extractor.shape, frames))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FeatureError(
            f"The disk of {folder} has {free / 1e6:.0f} MB free, and these features need about "
            f"{needed / 1e6:.0f} MB. Make room, or set SERLAB_CACHE to a folder on another disk."
        )


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Turn what the operating system says about the store's disk into advice."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FeatureError(
                f"The disk of {folder} is full. What was computed before is kept: make room, or set "
                "SERLAB_CACHE to a folder on another disk, and call again."
            ) from error
        raise FeatureError(
            f"The feature store cannot write to {folder} ({error.strerror}). "
            "Set SERLAB_CACHE to a writable folder."
        ) from error


@contextlib.contextmanager
def _lock(path: Path, name: str) -> Iterator[None]:
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=2)
    except filelock.Timeout:
        print(f"Another process is computing {name} features: waiting for it.", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _digests(paths: list[str], root: Path, n_jobs: int) -> list[str]:
    """Hash every file's content, trusting an earlier hash while size and time stamp are the same."""
    import joblib

    stats = [regular_file(path, AudioError) for path in paths]
    remembered = _remembered(root / "digests.tsv")
    absolute = [os.path.abspath(path) for path in paths]
    keys = [f"{stat.st_size} {stat.st_mtime_ns} {path}" for stat, path in zip(stats, absolute, strict=True)]
    new = [row for row, key in enumerate(keys) if key not in remembered]
    if new:
        hashes = joblib.Parallel(n_jobs=n_jobs, backend="threading")(
            joblib.delayed(_sha256)(paths[row]) for row in new
        )
        fresh = {keys[row]: digest for row, digest in zip(new, hashes, strict=True)}
        latest = time.time_ns() - int(FRESH_SECONDS * 1e9)
        _remember(root, {keys[row]: fresh[keys[row]] for row in new if stats[row].st_mtime_ns < latest})
        remembered = remembered | fresh
    return [remembered[key] for key in keys]


def _sha256(path: str) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise AudioError(
            f"{shown(path)} cannot be opened ({error.strerror}). Check its permissions."
        ) from error


def _remembered(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return {}
    return {line[65:]: line[:64] for line in lines if line}


def _remember(root: Path, digests: dict[str, str]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root / "digests.lock", "digests"):
        file = root / "digests.tsv"
        lines = [f"{digest} {key}\n" for key, digest in (_remembered(file) | digests).items()]
        atomic_write_together({file: "".join(lines).encode("utf-8", "surrogateescape")})

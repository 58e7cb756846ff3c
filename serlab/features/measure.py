"""Many clips measured at once, in threads or processes."""

import concurrent.futures
import functools
import itertools
import os
import platform
import threading
import time
from collections.abc import Iterator

import joblib
import numpy as np
import psutil
import threadpoolctl
from tqdm import tqdm

from serlab import audio, cluster
from serlab.corpora.record import file_digest
from serlab.errors import AudioError, FeatureError, SerlabError
from serlab.features.base import Extractor
from serlab.paths import regular_file, shown

# Clips handed to a worker at a time: enough to hide what that costs, few enough to keep memory flat.
BATCH = 8


def file_state(path: str) -> tuple[int, int]:
    """Return size and time stamp of a regular file: while these stay, its content most likely does."""
    found = regular_file(path, AudioError)
    return found.st_size, found.st_mtime_ns


def file_sha256(path: str) -> str:
    """Return the SHA-256 of a file's content."""
    try:
        return file_digest(path)
    except OSError as error:
        raise AudioError(
            f"{shown(path)} cannot be opened ({error.strerror}). Check its permissions."
        ) from error


def measure(
    tasks: list[tuple[str, str]], extractor: Extractor, n_jobs: int, max_seconds: float, progress: bool
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (SHA-256, features) of (SHA-256, path) pairs, as they are ready; see `serlab.store.features`.

    The first AudioError or FeatureError is raised at the end: what is under way by then is finished.
    """
    failed: list[SerlabError] = []

    def batches() -> Iterator:
        for start in range(0, len(tasks), BATCH):
            # After an error nothing new is begun, but what is under way is finished and kept.
            if failed:
                return
            yield tasks[start : start + BATCH], extractor, max_seconds, None if client else os.getpid()

    client = cluster.client()
    # Threads share what is imported and cached; they are enough where the work is done outside Python's lock.
    threads = extractor.releases_gil
    backend = {"backend": "threading"} if threads else {"backend": "loky", "inner_max_num_threads": 1}
    # Said only where there is no bar to show: otherwise the reader's TQDM_DISABLE decides.
    hidden = {} if progress and tasks else {"disable": True}
    with (
        threadpoolctl.threadpool_limits(1),
        joblib.parallel_config(**backend),
        tqdm(desc=extractor.name, total=len(tasks), unit="clip", **hidden) as bar,
    ):
        if client:
            found = cluster.spread(
                client, _extract, batches(), code=extractor, libraries=extractor.libraries, in_order=True
            )
        else:
            calls = itertools.starmap(joblib.delayed(_extract), batches())
            found = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(calls)
        try:
            for results in found:
                for digest, values in results:
                    if isinstance(values, SerlabError):
                        failed.append(values)
                    else:
                        yield digest, values
                        bar.update()
        except concurrent.futures.BrokenExecutor as error:
            raise FeatureError(
                f"A process that computed {extractor.name} was killed, perhaps for want of memory. What was "
                "finished is kept: call again, with n_jobs=1."
            ) from error
    if failed:
        raise failed[0]


def _extract(
    batch: list[tuple[str, str]], extractor: Extractor, max_seconds: float, parent: int | None
) -> list[tuple[str, np.ndarray | SerlabError]]:
    """Compute a batch in a process that `parent` has started, or, where that is None, on a cluster."""
    if parent not in (None, os.getpid()):
        _end_with(parent)
    elif parent is None and (lacking := [path for _, path in batch if not os.path.exists(path)]):
        raise FeatureError(
            f"The worker {platform.node()} finds no {shown(lacking[0])}. Every machine reads the clips "
            "itself: let it find them at the paths of the table, on a shared disk or a copy."
        )
    return [(digest, _extract_one(path, digest, extractor, max_seconds)) for digest, path in batch]


@functools.cache
def _end_with(parent: int) -> None:
    """Let this worker process end as soon as the one that started it is gone."""

    def watch() -> None:
        # An orphan gets another parent, except on Windows.
        while psutil.pid_exists(parent) and (os.name == "nt" or os.getppid() == parent):
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _extract_one(
    path: str, digest: str, extractor: Extractor, max_seconds: float
) -> np.ndarray | SerlabError:
    """Compute one clip's features; an error is returned, so that the rest of the batch is not lost."""
    try:
        before = file_state(path)
        y, _ = audio.read(
            path, extractor.sample_rate, seconds=extractor.input_seconds, max_seconds=max_seconds
        )
        if file_sha256(path) != digest or file_state(path) != before:
            raise AudioError(f"{shown(path)} was changed while it was measured. Ask for its features again.")
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

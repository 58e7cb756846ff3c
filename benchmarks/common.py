"""What benchmarks share: the corpus, and the memory that a call takes."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable

import pandas as pd
import psutil

import serlab


def corpus() -> pd.DataFrame:
    """Load RAVDESS where SERLAB_DATA holds it, else the synthetic demo corpus."""
    return serlab.load("ravdess" if serlab.corpora.find("ravdess") else "demo")


def peak_memory(function: Callable, *arguments) -> float:
    """Call a function in a new process; give the peak of its memory in MB, that of its workers included."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    watched, peak = psutil.Process(process.pid), 0
    while process.is_alive():
        with contextlib.suppress(psutil.NoSuchProcess):
            used = [one.memory_info() for one in (watched, *watched.children(recursive=True))]
            # Pages of a memory-mapped file are the system's to drop: they are not counted.
            peak = max(peak, sum(info.rss - info.shared for info in used))
        process.join(0.02)
    if process.exitcode:
        raise SystemExit(f"{function.__name__} failed with exit code {process.exitcode}")
    return peak / 2**20

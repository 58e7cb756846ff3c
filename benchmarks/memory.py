"""Measure how much memory a call takes, in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import psutil


def peak_memory(function: Callable, *arguments) -> float:
    """Call a function in a new process; give the peak of its memory in MB, that of its workers included."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    watched, peak = psutil.Process(process.pid), 0
    while process.is_alive():
        try:
            family = [watched, *watched.children(recursive=True)]
            # Pages of a memory-mapped file are the system's to drop: they are not counted.
            peak = max(
                peak, sum(info.rss - info.shared for info in (member.memory_info() for member in family))
            )
        except psutil.NoSuchProcess:
            pass
        process.join(0.02)
    if process.exitcode:
        raise SystemExit(f"{function.__name__} failed with exit code {process.exitcode}")
    return peak / 2**20

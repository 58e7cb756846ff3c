"""Time the feature store against the loop of the original RAVDESS notebook, on the same clips, in one run.

Both compute the same square-root mel spectrograms of 128 bands and 147 frames. The original loop is one
process, ``librosa.load`` with its default resampling and one mel spectrogram per file. It is timed three
ways: as it stands, with BLAS held to one thread (left alone, BLAS threads can wait for each other on the
small matrices of one clip), and with the resampling that was librosa's default when the notebook was
written (``kaiser_best``, before librosa 0.10). Ours is the feature store with two workers, first from
nothing (cold), then from disk (warm). Each is timed several times in turns, so that whatever else the
machine does falls on all; the figure given is the best of each. RAVDESS is used where SERLAB_DATA holds it,
else the synthetic demo corpus. Nothing is written outside a temporary folder.

    python benchmarks/run.py [--rounds 3] [--clips 240]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import threadpoolctl
from common import corpus, peak_memory

from serlab import store
from serlab.features import OriginalMel


def original_loop(paths: list[str], resampling: str = "soxr_hq") -> np.ndarray:
    """Compute the features as the original notebook did; the default resampling is that of librosa itself."""
    features = []
    for path in paths:
        y, _ = librosa.load(path, res_type=resampling)
        y = y[:75000] if len(y) > 75000 else np.pad(y, (75000 - len(y), 0))
        features.append(
            np.sqrt(librosa.feature.melspectrogram(y=y, sr=44100, n_fft=2048, hop_length=512, n_mels=128))
        )
    return np.array(features)


def timed(function, *arguments) -> tuple[float, np.ndarray]:
    """Call a function and look at all of its result, so that a memory-mapped one is really read."""
    start = time.perf_counter()
    result = function(*arguments)
    result.sum()
    return time.perf_counter() - start, result


def ours(table, root: Path) -> np.ndarray:
    """Compute or read the features through the store, on two cores."""
    return store.features(table, OriginalMel(), n_jobs=2, progress=False, root=root)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="times each is measured, in turns")
    parser.add_argument("--clips", type=int, default=None, help="clips to use (default: all)")
    options = parser.parse_args()
    table = corpus().head(options.clips)
    paths = list(table.path)
    print(f"{table.attrs['title']}: {len(table)} clips, {os.cpu_count()} cores, best of {options.rounds}")
    with tempfile.TemporaryDirectory(prefix="serlab-bench-") as name:
        folder = Path(name)
        # What is imported or compiled at the first call is left out, on both sides.
        original_loop(paths[:2])
        original_loop(paths[:2], "kaiser_best")
        ours(table.head(2), folder / "first")
        seconds: dict[str, list[float]] = {"original": [], "held": [], "kaiser": [], "cold": [], "warm": []}
        for turn in range(options.rounds):
            root = folder / str(turn)
            taken, expected = timed(original_loop, paths)
            seconds["original"].append(taken)
            with threadpoolctl.threadpool_limits(1):
                seconds["held"].append(timed(original_loop, paths)[0])
            # Slow enough that a part of the clips tells its speed.
            part = paths[: len(paths) // 8 + 1]
            seconds["kaiser"].append(timed(original_loop, part, "kaiser_best")[0] * len(paths) / len(part))
            for state in ("cold", "warm"):
                taken, result = timed(ours, table, root)
                seconds[state].append(taken)
            # Loud values agree to a ten-thousandth, and quiet ones to that part of the loudest.
            np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4 * expected.max())
            del expected, result
        base = min(seconds["original"])
        print(f"{'':52}{'clips/s':>8}{'ratio':>8}")
        labels = {
            "original": "original loop, one process",
            "held": "original loop, BLAS held to one thread",
            "kaiser": "original loop, resampling as before librosa 0.10",
            "cold": "feature store, two workers, cold",
            "warm": "feature store, warm",
        }
        for state, label in labels.items():
            best = min(seconds[state])
            print(f"{label:52}{len(table) / best:8.0f}{base / best:8.1f}")
        for version, state in (("today's librosa", "original"), ("librosa before 0.10", "kaiser")):
            cold, warm = (min(seconds[state]) / min(seconds[store_is]) for store_is in ("cold", "warm"))
            print(f"against the original loop with {version}: cold {cold:.1f} times, warm {warm:.0f} times")
        for clips in sorted({min(240, len(table)), len(table)}):
            peak = peak_memory(ours, table.head(clips), folder / f"memory-{clips}")
            print(f"peak memory of the store, {clips} clips: {peak:.0f} MB")


if __name__ == "__main__":
    main()

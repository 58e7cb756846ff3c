"""Time pitch shifting against that of the original RAVDESS notebook, on the same clips, in one run.

The original made four more versions of every training clip, each shifted up from the one before by 0 to 3
semitones with ``librosa.effects.pitch_shift``, one clip after the other. Both sides get the same clips
(22.05 kHz, 75,000 samples: 3.4 s) and the same semitones, and run in turns, so that whatever else the machine
does falls on both. Ours is timed in one thread, as the original, and in two, as the feature store works. The
best round of each counts. Pitch is then measured by an independent estimator, pYIN, frame by frame before and
after. RAVDESS is used where SERLAB_DATA holds it, else the synthetic demo corpus.

    python benchmarks/augmentation.py [--rounds 3] [--clips 24]
"""

from __future__ import annotations

import argparse
import os
import time

import joblib
import librosa
import numpy as np
from common import corpus

from serlab import audio
from serlab.augment import pitch_shift
from serlab.augment.features import VERSIONS

SAMPLE_RATE = 22050
SAMPLES = 75000


def original(y: np.ndarray, steps: np.ndarray) -> None:
    """Shift one clip again and again, as the original notebook did."""
    for semitones in steps:
        y = librosa.effects.pitch_shift(y, sr=SAMPLE_RATE, n_steps=semitones)


def ours(y: np.ndarray, steps: np.ndarray) -> None:
    """Shift one clip again and again."""
    for semitones in steps:
        y = pitch_shift(y, semitones, SAMPLE_RATE)


def timed(function, clips, steps, threads: int = 1) -> float:
    """Work on all clips and give the seconds it took."""
    start = time.perf_counter()
    tasks = (joblib.delayed(function)(y, row) for y, row in zip(clips, steps, strict=True))
    joblib.Parallel(threads, backend="threading")(tasks)
    return time.perf_counter() - start


def contour(y: np.ndarray) -> np.ndarray:
    """Measure the pitch of every voiced frame, in cents; NaN where there is none."""
    f0, voiced, _ = librosa.pyin(
        y, fmin=60, fmax=1000, sr=SAMPLE_RATE, frame_length=1024, hop_length=512, resolution=0.05
    )
    return 1200 * np.log2(np.where(voiced, f0, np.nan))


def errors(clips: list[np.ndarray], shift) -> np.ndarray:
    """Give, for each clip and shift, by how many cents the median voiced frame missed what was asked."""
    found = []
    for y in clips:
        before = contour(y)
        for semitones in (-3, 1, 3):
            difference = contour(shift(y, semitones)) - before
            found.append(np.nanmedian(difference) - 100 * semitones)
    return np.array(found)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="times each is measured, in turns")
    parser.add_argument("--clips", type=int, default=24, help="clips to use")
    options = parser.parse_args()
    table = corpus()
    chosen = table.sample(min(options.clips, len(table)), random_state=0)
    clips = [audio.fit_length(audio.read(path, SAMPLE_RATE)[0], SAMPLES) for path in chosen["path"]]
    rng = np.random.default_rng(0)
    # Without zeros: a shift by nothing is nothing to us, and would flatter us.
    steps = rng.integers(1, 4, size=(len(clips), VERSIONS - 1))
    print(
        f"{table.attrs['title']}: {len(clips)} clips of {SAMPLES / SAMPLE_RATE:.1f} s, {steps.size} shifts, "
        f"{os.cpu_count()} cores, best of {options.rounds}"
    )
    ways = {
        "original: librosa, one thread": (original, 1),
        "serlab, one thread": (ours, 1),
        "serlab, two threads": (ours, 2),
    }
    for function, threads in ways.values():
        # What is imported or compiled at the first call is left out, on both sides.
        timed(function, clips[:2], steps[:2], threads)
    seconds = {label: [] for label in ways}
    for _ in range(options.rounds):
        for label, (function, threads) in ways.items():
            seconds[label].append(timed(function, clips, steps, threads))
    base = min(seconds["original: librosa, one thread"])
    print(f"{'':34}{'clips/s':>10}{'shifts/s':>10}{'ratio':>8}")
    for label in ways:
        best = min(seconds[label])
        print(f"{label:34}{len(clips) / best:10.1f}{steps.size / best:10.1f}{base / best:8.1f}")
    missed = np.abs(errors(clips[:4], lambda y, semitones: pitch_shift(y, semitones, SAMPLE_RATE)))
    print(f"pitch off what was asked, in cents: median {np.median(missed):.1f}, most {missed.max():.1f}")


if __name__ == "__main__":
    main()

"""Judge pitch trackers: against Praat on real clips, and against the truth on synthetic ones.

The same 4 clips of every emotion of RAVDESS, EmoDB and nEMO go to every tracker, at 16 kHz, 10 ms a frame,
60 to 600 Hz, in one thread. The reference is Praat's default (autocorrelation), whose method is also ours; so
Praat's other method (cross-correlation) stands beside it, and the synthetic voices, whose pitch is known.

gross      share of frames that are voiced for both in which the two differ by more than 20 %
fearful    the same, in fearful clips alone
false      share of frames without voice in the reference in which the tracker hears one
missed     share of frames with voice in the reference in which the tracker hears none
spread     correlation over clips of the interquartile range of pitch, in semitones, with the reference's
std        the same of the standard deviation
truth      gross errors on synthetic voices, whose pitch is known; where they rest is not counted
s per s    seconds of processor per second of sound

    python benchmarks/pitch.py [--clips 4]
"""

from __future__ import annotations

import argparse
import time
from unittest import mock

import librosa
import numpy as np
import parselmouth
import threadpoolctl

import serlab
from serlab import audio
from serlab.corpora import synthesis
from serlab.features import F0

CORPORA = ("ravdess", "emodb_first2s", "nemo")
RATE, HOP, FMIN, FMAX = 16000, 160, 60.0, 600.0


def ours(y: np.ndarray) -> np.ndarray:
    """Track pitch with serlab: Hz per frame, 0 where there is no voice."""
    return F0(hop_length=HOP, fmin=FMIN, fmax=FMAX).extract(y)[0]


def pyin(y: np.ndarray, **options) -> np.ndarray:
    """Track pitch with librosa's pYIN, likewise."""
    f0, _, _ = librosa.pyin(y, fmin=FMIN, fmax=FMAX, sr=RATE, hop_length=HOP, **options)
    return np.nan_to_num(f0)


def praat(y: np.ndarray, method: str = "ac") -> np.ndarray:
    """Track pitch with Praat, likewise; "ac" is autocorrelation, "cc" cross-correlation."""
    margin = 0.1  # seconds of silence, so that the first and last frames are measured too
    sound = parselmouth.Sound(np.pad(y.astype(float), round(margin * RATE)), RATE)
    track = getattr(sound, f"to_pitch_{method}")(time_step=HOP / RATE, pitch_floor=FMIN, pitch_ceiling=FMAX)
    times = np.arange(1 + len(y) // HOP) * HOP / RATE
    nearest = np.abs(track.xs() - margin - times[:, None]).argmin(axis=1)
    return track.selected_array["frequency"][nearest]


TRACKERS = {
    "serlab.features.F0": ours,
    "librosa.pyin, frames of 64 ms": lambda y: pyin(y, frame_length=1024),
    "librosa.pyin, 50 ms, coarser": lambda y: pyin(y, frame_length=800, resolution=0.25, n_thresholds=20),
    "Praat, cross-correlation": lambda y: praat(y, "cc"),
    "Praat, autocorrelation": praat,
}


def real_clips(each: int) -> tuple[list[np.ndarray], list[str]]:
    """Read so many clips of every emotion of the three corpora, and give their emotions."""
    signals, emotions = [], []
    for name in CORPORA:
        chosen = serlab.load(name).groupby("emotion").sample(each, random_state=14)
        signals += [audio.read(path, RATE)[0] for path in chosen["path"]]
        emotions += list(chosen["emotion"])
    return signals, emotions


def known_clips(speakers: tuple[str, ...] = tuple(synthesis.SPEAKERS)) -> tuple[list, list]:
    """Let synthetic speakers say a sentence in every emotion: the signals, and the true pitch of each frame.

    The truth is the melody in Hz that the synthesiser planned, 0 where the voice rests.
    """
    planned = {}
    make = synthesis.pitch_track

    def remembered(plan, times, *given):
        melody = make(plan, times, *given)
        voiced = np.interp(times, *zip(*plan.amplitude, strict=True)) > 0.1
        planned["melody"] = times, np.where(voiced, melody, 0)
        return melody

    signals, truths = [], []
    with mock.patch.object(synthesis, "pitch_track", remembered):
        for speaker in speakers:
            for cues in synthesis.CUES.values():
                y = synthesis.synthesise(synthesis.voice(speaker), cues, "s1", seed=14)
                times, melody = planned["melody"]
                frames = np.arange(1 + len(y) // HOP) * HOP / RATE
                nearest = np.abs(times - frames[:, None]).argmin(axis=1)
                signals.append(y)
                truths.append(melody[nearest])
    return signals, truths


def gross(found: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """Share of the frames voiced in both that differ by more than 20 %."""
    a, b = np.concatenate(found), np.concatenate(reference)
    both = (a > 0) & (b > 0)
    return float((np.abs(a[both] / b[both] - 1) > 0.2).mean())


def voicing(found: list[np.ndarray], reference: list[np.ndarray]) -> tuple[float, float]:
    """Share of frames without voice that were called voiced, and of those with voice that were missed."""
    a, b = np.concatenate(found) > 0, np.concatenate(reference) > 0
    return float(a[~b].mean()), float((~a)[b].mean())


def spread_agrees(found: list[np.ndarray], reference: list[np.ndarray], spread) -> float:
    """Correlate, over clips, a measure of spread of pitch in semitones with the reference's."""
    values = [
        [spread(12 * np.log2(track[track > 0])) if (track > 0).any() else 0.0 for track in tracks]
        for tracks in (found, reference)
    ]
    return float(np.corrcoef(values)[0, 1])


def iqr(x: np.ndarray) -> float:
    """Width of the middle half."""
    return float(np.subtract(*np.percentile(x, [75, 25])))


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=4, help="clips of every emotion of every corpus")
    options = parser.parse_args()
    known, truths = known_clips()
    real = all(serlab.corpora.find(name) for name in CORPORA)
    signals, emotions = (
        real_clips(options.clips) if real else (known, list(synthesis.CUES) * len(synthesis.SPEAKERS))
    )
    seconds = sum(map(len, signals)) / RATE
    where = "three corpora" if real else "synthetic voices, as SERLAB_DATA does not hold the three corpora"
    print(f"{len(signals)} clips, {seconds:.0f} s of {where}; reference: Praat, autocorrelation")
    reference = [praat(y) for y in signals]
    fearful = np.flatnonzero(np.array(emotions) == "fearful")
    heads = ("gross %", "fearful %", "false %", "missed %", "r(spread)", "r(std)", "truth %", "s per s")
    print(f"{'':32}" + "".join(f"{head:>11}" for head in heads))
    for label, tracker in TRACKERS.items():
        tracker(signals[0])  # what is imported or compiled at the first call is left out
        start = time.process_time()
        found = [tracker(y) for y in signals]
        cost = (time.process_time() - start) / seconds
        afraid = gross([found[i] for i in fearful], [reference[i] for i in fearful])
        false, missed = voicing(found, reference)
        shares = [gross(found, reference), afraid, false, missed]
        agree = [spread_agrees(found, reference, measure) for measure in (iqr, np.std)]
        truth = gross([tracker(y) for y in known], truths)
        print(
            f"{label:32}"
            + "".join(f"{100 * share:11.2f}" for share in shares)
            + "".join(f"{r:11.2f}" for r in agree)
            + f"{100 * truth:11.2f}{cost:11.4f}",
            flush=True,
        )


if __name__ == "__main__":
    with threadpoolctl.threadpool_limits(1):
        main()

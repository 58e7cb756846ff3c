"""Chapter 15: a tone made of zero crossings and energy, versions that find each other, steps of a leak."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.neighbors import NearestNeighbors

from serlab import evaluation
from serlab.corpora import synthesis
from serlab.features import Contours
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, error_bars, new_axes

RATE, HOP = synthesis.SAMPLE_RATE, 512
# What the three whistles of the opening were made from.
TAKES = {1: "sad", 2: "angry", 3: "neutral"}
# Of curves that share a figure: colour and style.
_CURVES = ((HONEST, "-"), (FLATTERING, "--"), ("#117733", ":"))


def whistle(crossings: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Make a tone with these zero crossings (share of samples) and this energy (RMS), frame by frame.

    A tone of frequency f crosses zero 2 f times a second, so the zero-crossing rate sets its pitch.

    Examples
    --------
    >>> tone = whistle(np.full(20, 0.1), np.full(20, 0.05))
    >>> len(tone), round(float(np.sqrt(np.mean(tone**2))), 3)
    (10240, 0.05)
    """
    frames = np.arange(len(energy))
    at = np.arange(len(energy) * HOP) / HOP
    frequency = np.interp(at, frames, crossings) * RATE / 2
    amplitude = np.interp(at, frames, energy) * np.sqrt(2)
    return (amplitude * np.sin(2 * np.pi * np.cumsum(frequency) / RATE)).astype(np.float32)


@synthesis.remember
def whistled(*, number: int) -> np.ndarray:
    """Whistle one of `TAKES`: the two curves of a synthetic voice, as a tone.

    Examples
    --------
    >>> len(whistled(number=1)) > len(whistled(number=2))  # sad speech is slow
    True
    """
    voice = synthesis.synthesise_phrase("d02", emotion=TAKES[number])
    return whistle(*Contours(seconds=None).extract(np.asarray(voice)))


def crossings(part: np.ndarray, sample_rate: float, ax: Axes | None = None) -> Axes:
    """Draw a short piece of a wave, with a dot wherever it crosses zero."""
    ax = new_axes(ax, SIZE)
    places = np.flatnonzero(np.diff(np.signbit(part)))
    ax.axhline(0, color=EDGE, linewidth=0.8)
    ax.plot(1000 * np.arange(len(part)) / sample_rate, part, color=HONEST, linewidth=1.2)
    dots = {"color": FLATTERING, "markersize": 3.5}
    ax.plot(1000 * (places + 0.5) / sample_rate, np.zeros(len(places)), "o", **dots)
    ax.set(xlabel="time (ms)", ylabel="amplitude")
    return ax


def moments(signal: np.ndarray, zcr: np.ndarray, rms: np.ndarray) -> Sequence[Axes]:
    """Draw eight milliseconds of the frame that hisses most, and of a loud one with few zero crossings."""
    heard = rms > 0.05 * rms.max()
    hiss = np.where(heard, zcr, 0).argmax()
    vowel = np.where(zcr < np.median(zcr[heard]), rms, 0).argmax()
    ax = plt.subplots(2, 1, figsize=(SIZE[0], 4.4), sharex=True)[1]
    for one, name, frame in zip(ax, ("hiss", "vowel"), (hiss, vowel), strict=True):
        start = max(0, HOP * frame - 64)
        crossings(signal[start : start + 128], RATE, one).set_title(name)
    ax[0].set_xlabel("")
    return ax


def versions(curves: np.ndarray, names: Sequence[str], ylabel: str, ax: Axes | None = None) -> Axes:
    """Draw the same curve, (versions, frames), of up to three versions of a clip over each other."""
    ax = new_axes(ax, SIZE)
    for curve, name, (colour, style) in zip(curves, names, _CURVES, strict=False):
        ax.plot(HOP * np.arange(len(curve)) / RATE, curve, color=colour, linestyle=style, label=name)
    ax.set(xlabel="time (s)", ylabel=ylabel)
    return ax


def finds_sister(X: np.ndarray) -> list[float]:
    """Give for each version, (clips, versions, values), the share whose nearest row is of the same clip.

    Examples
    --------
    >>> finds_sister(np.array([[[0.0], [0.1]], [[5.0], [5.1]]]))
    [1.0, 1.0]
    """
    clips, count, _ = X.shape
    heap = X.reshape(clips * count, -1)
    # Asked for no rows, it leaves each row out of its own neighbours.
    other = NearestNeighbors(n_neighbors=1).fit(heap).kneighbors(return_distance=False)
    return (other.reshape(clips, count) // count == np.arange(clips)[:, None]).mean(axis=0).tolist()


def ladder(series: Mapping[str, pd.DataFrame], chance: float, ax: Axes | None = None) -> Axes:
    """Draw the UAR of every step of `ch15_leaks.measure`, with its interval, for up to three series."""
    ax = new_axes(ax, SIZE)
    for number, ((name, said), (colour, style)) in enumerate(zip(series.items(), _CURVES, strict=False)):
        steps = {step: evaluation.interval(part) for step, part in said.groupby("step", sort=False)}
        places = np.arange(len(steps)) + 0.08 * (number - (len(series) - 1) / 2)
        bars = {"color": colour, "linestyle": style, "marker": "osD"[number], "markersize": 5, "label": name}
        error_bars(ax, places, 100 * np.array(list(steps.values())), upright=True, capsize=3, **bars)
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="a guess")
    ax.set_xticks(range(len(steps)), [step.replace(" ", "\n", 1) for step in steps])
    ax.set(ylabel="UAR (%)", ylim=(0, 100))
    ax.legend(loc="upper right")
    return ax


def over_time(curves: np.ndarray, level: int) -> np.ndarray:
    """Give mean and deviation of curves over the frames at most 40 dB softer than the loudest.

    From (clips, curves, frames) to (clips, curves, 2); `level` is the curve that is the level in dB.

    Examples
    --------
    >>> over_time(np.array([[[-20.0, -30.0, -90.0], [1.0, 3.0, 99.0]]]), level=0)[0, 1].tolist()
    [2.0, 1.0]
    """
    loudness = curves[:, level : level + 1]
    sounds = loudness > loudness.max(axis=2, keepdims=True) - 40
    heard = np.where(sounds, curves, np.nan)
    return np.stack([np.nanmean(heard, axis=2), np.nanstd(heard, axis=2)], axis=2)

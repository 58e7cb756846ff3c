"""Chapter 2: sounds that the book makes itself, and pictures of what each step from sound to numbers does."""

from collections.abc import Mapping, Sequence

import librosa
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.signal import get_window

from serlab import audio, features, plots
from serlab.corpora import synthesis
from serlab.plots.style import new_axes

RATE = synthesis.SAMPLE_RATE
WIDE = (5.6, 2.8)  # inches; legible on a phone
DARK, LIGHT, RED = "#332288", "#88CCEE", "#CC6677"


@synthesis.remember
def whistle(*, every: int = 1, filtered: bool = False) -> np.ndarray:
    """Whistle from 0 to 8,000 Hz within two seconds, and keep every so manyth of 16,000 samples a second.

    Filtered, frequencies that the remaining samples cannot hold are removed first.

    Examples
    --------
    >>> len(whistle()), len(whistle(every=4))
    (32000, 8000)
    """
    t = np.arange(2 * RATE) / RATE
    y = (0.3 * np.sin(2 * np.pi * 2000 * t**2)).astype(np.float32)
    return audio.resample(y, RATE, RATE // every) if filtered else y[::every]


@synthesis.remember
def two_tones(*, first: float, second: float) -> np.ndarray:
    """Play two tones of half a second each, one after the other.

    Examples
    --------
    >>> len(two_tones(first=200, second=250)) / RATE
    1.1
    """
    t = np.arange(RATE // 2) / RATE
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.02)
    low, high = (0.2 * fade * np.sin(2 * np.pi * f * t) for f in (first, second))
    return np.concatenate([low, np.zeros(RATE // 10), high]).astype(np.float32)


@synthesis.remember
def voice(*, rate: int = RATE, bits: int = 16) -> np.ndarray:
    """Let the synthetic voice speak angrily, with so many samples a second and so many bits each.

    Examples
    --------
    >>> len(np.unique(voice(bits=4))) <= 16
    True
    """
    y = np.asarray(synthesis.synthesise_phrase("d02", emotion="angry"))
    if rate != RATE:
        y = audio.resample(y, RATE, rate)
    steps = 2 ** (bits - 1)
    loud = y / np.abs(y).max() * 0.9
    return (np.round(loud * steps) / steps).astype(np.float32)


@synthesis.remember
def rebuilt(*, bands: int = 0, coefficients: int = 0) -> np.ndarray:
    """Turn the synthetic voice into a spectrogram and back into sound, with a guessed phase (Griffin & Lim).

    It goes through so many mel bands, or all frequencies (0), and so many MFCCs of these, or none.

    Examples
    --------
    >>> len(rebuilt(bands=8)) == len(rebuilt())
    True
    """
    n_fft, hop = 1024, 256
    power = np.abs(librosa.stft(np.asarray(voice()), n_fft=n_fft, hop_length=hop)) ** 2
    if bands:
        filters = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=bands)
        mel = filters @ power
        if coefficients:
            mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=coefficients)
            mel = librosa.feature.inverse.mfcc_to_mel(mfcc, n_mels=bands, ref=1.0)
        power = np.maximum(np.linalg.pinv(filters) @ mel, 0)
    y = librosa.griffinlim(np.sqrt(power), n_iter=30, hop_length=hop, n_fft=n_fft, random_state=0)
    return (0.9 * y / np.abs(y).max()).astype(np.float32)


def same_pitch(sound: np.ndarray, original: np.ndarray) -> float:
    """Count in which share of the voiced frames of a sound another one has the same pitch, to a semitone.

    Examples
    --------
    >>> same_pitch(voice(), voice())
    1.0
    """
    first, second = (features.F0().extract(np.asarray(y))[0] for y in (original, sound))
    first, second = first[: len(second)], second[: len(first)]
    voiced = first > 0
    apart = 12 * np.abs(np.log2(np.maximum(second[voiced], 1) / first[voiced]))
    return float(np.mean(apart < 1))


def loud_woman(corpus: pd.DataFrame) -> pd.Series:
    """Choose the first angry clip, of a woman if there is one: the harmonics of a high voice are easy to see.

    Examples
    --------
    >>> import serlab
    >>> loud_woman(serlab.load("demo"))["emotion"]
    'angry'
    """
    return corpus.loc[corpus.sort_values(["gender", "clip"])["emotion"].eq("angry").idxmax()]


def close_up(y: np.ndarray) -> Sequence[Axes]:
    """Draw a sound at 16 kHz, (samples,), and below it the samples of its loudest 20 ms one by one."""
    ax = plt.subplots(2, 1, figsize=(5.6, 3.6))[1]
    length = RATE // 50
    start = int(np.clip(np.abs(y).argmax() - length // 2, 0, len(y) - length))
    plots.waveform(y, RATE, ax[0])
    ax[0].axvspan(start / RATE, (start + length) / RATE, color=RED, alpha=0.5)
    ax[1].plot(1000 * np.arange(length) / RATE, y[start : start + length], ".-", color=DARK, linewidth=0.8)
    ax[1].set(xlabel="time (ms)", ylabel="amplitude", xlim=(0, 20))
    return ax


def spectrograms(sounds: Mapping[str, tuple[np.ndarray, int]]) -> Sequence[Axes]:
    """Draw spectrograms of (samples, rate) by title, each up to the highest frequency that it can hold."""
    ax = plt.subplots(1, len(sounds), figsize=(5.4, 2.6), squeeze=False)[1][0]
    for one, (title, (y, rate)) in zip(ax, sounds.items(), strict=True):
        frame = {"n_fft": rate // 40, "hop_length": rate // 200}
        plots.spectrogram(y, rate, one, colorbar=False, **frame)
        one.set_title(title, fontsize=10)
        one.set_ylabel("frequency (Hz)" if one is ax[0] else "")
    return ax


def faded(frame: np.ndarray, ax: Axes | None = None) -> Axes:
    """Draw a frame, and the same frame faded in and out by a Hann window."""
    ax = new_axes(ax, WIDE)
    window = get_window("hann", len(frame))
    milliseconds = 1000 * np.arange(len(frame)) / RATE
    ax.plot(milliseconds, frame, color=LIGHT, label="frame")
    ax.plot(milliseconds, frame * window, color=DARK, label="times window")
    ax.plot(milliseconds, window * np.abs(frame).max(), "--", color=RED, label="window")
    ax.set(xlabel="time (ms)", ylabel="amplitude", xlim=(0, milliseconds[-1]))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return ax


def skirts(n_fft: int = 1024, ax: Axes | None = None) -> Axes:
    """Draw the spectrum of a pure tone that was cut out with hard edges, and with a Hann window."""
    ax = new_axes(ax, WIDE)
    tone = np.sin(2 * np.pi * 1010 * np.arange(n_fft) / RATE)
    cuts = {"hard edges": (tone, LIGHT), "Hann window": (tone * get_window("hann", n_fft), DARK)}
    for name, (cut, colour) in cuts.items():
        level = librosa.amplitude_to_db(np.abs(np.fft.rfft(cut)), ref=np.max)
        ax.plot(np.fft.rfftfreq(n_fft, 1 / RATE), level, color=colour, label=name)
    ax.set(xlabel="frequency (Hz)", ylabel="level (dB)", xlim=(0, 3000))
    ax.legend()
    return ax


def comb(values: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw the level of the complex numbers of one frame, 0 Hz to half the sampling rate, in dB."""
    ax = new_axes(ax, WIDE)
    level = librosa.amplitude_to_db(np.abs(values), ref=np.max)
    ax.plot(np.linspace(0, RATE / 2, len(level)), level, color=DARK, linewidth=1.2)
    ax.set(xlabel="frequency (Hz)", ylabel="level (dB)", xlim=(0, 4000))
    return ax


def frame_lengths(y: np.ndarray) -> Sequence[Axes]:
    """Draw the loudest 0.2 s of a sound, cut into shorter and longer frames."""
    ax = plt.subplots(1, 3, figsize=(5.4, 2.8), sharey=True)[1]
    for one, length in zip(ax, (64, 400, 1024), strict=True):
        part = audio.loudest(y, 0.2, RATE)
        plots.spectrogram(part, RATE, one, n_fft=length, hop_length=16, colorbar=False)
        one.set(ylim=(0, 4000), ylabel="frequency (Hz)" if one is ax[0] else "")
        one.set_title(f"{1000 * length / RATE:.0f} ms", fontsize=10)
    return ax


def mel_scale(filters: np.ndarray) -> Sequence[Axes]:
    """Draw mel against hertz, and about a dozen of a bank of triangular filters (bands × frequencies)."""
    ax = plt.subplots(1, 2, figsize=(5.4, 2.5))[1]
    hertz = np.linspace(0, RATE / 2, filters.shape[1])
    ax[0].plot(hertz, librosa.hz_to_mel(hertz), color=DARK)
    ax[0].set(xlabel="frequency (Hz)", ylabel="mel", xlim=(0, RATE / 2), ylim=(0, None))
    every = max(1, len(filters) // 12)
    for row in filters[::every]:
        ax[1].plot(hertz, row / row.max(), color=DARK, linewidth=1)
    ax[1].set(xlabel="frequency (Hz)", ylabel="weight", xlim=(0, RATE / 2), ylim=(0, None))
    ax[1].set_title("all bands" if every == 1 else f"one band in {every}", fontsize=10)
    return ax


def scales(mel: np.ndarray, hop: int) -> np.ndarray:
    """Draw a mel spectrogram, (bands, frames), as power, square root and dB, beside histograms."""
    ax = plt.subplots(3, 2, figsize=(5.4, 6.2), width_ratios=[3, 2])[1]
    shown = {"power": mel, "square root": np.sqrt(mel), "dB": librosa.power_to_db(mel, top_db=80)}
    for (name, values), picture, histogram in zip(shown.items(), *ax.T, strict=True):
        times = np.arange(mel.shape[1]) * hop / RATE
        picture.pcolormesh(times, np.arange(len(mel)), values, cmap="magma", rasterized=True)
        picture.set_title(name, fontsize=10)
        picture.set(ylabel="mel band", xlabel="time (s)" if name == "dB" else "")
        histogram.hist(values.ravel(), bins=40, color=DARK)
        histogram.set(xlabel=name, ylabel="values")
        histogram.ticklabel_format(axis="y", scilimits=(-2, 3))
    return ax


def smoothed(
    levels: np.ndarray, cosines: np.ndarray, kept: Sequence[int] = (5, 13), ax: Axes | None = None
) -> Axes:
    """Draw the mel levels of one frame in dB, and what so many of its cosine coefficients remember of them.

    `cosines` has orthonormal rows, (coefficients, bands).
    """
    ax = new_axes(ax, WIDE)
    ax.plot(levels, color="#999999", linewidth=2.5, label=f"all {len(levels)} bands")
    for number, colour, style in zip(kept, (RED, DARK), ("--", "-"), strict=True):
        some = cosines[:number]
        ax.plot(some.T @ (some @ levels), style, color=colour, label=f"{len(some)} coefficients")
    ax.set(xlabel="mel band", ylabel="level (dB)")
    ax.legend()
    return ax


def tracks(y: np.ndarray, **frame: int) -> Sequence[Axes]:
    """Draw hand-crafted features of a sound at 16 kHz over time: loudness, zero crossings, centroid, pitch.

    `frame` holds ``n_fft`` and ``hop_length`` of the features.
    """
    ax = plt.subplots(4, 1, figsize=(5.6, 7.6), sharex=True, height_ratios=[1, 1, 2, 1.4])[1]

    def draw(one: Axes, extractor: features.Extractor, *style: str, **line: object) -> None:
        values = extractor.extract(y)[0]
        times = np.arange(len(values)) / extractor.frame_rate
        one.plot(times, np.where(values > 0, values, np.nan), *style, **line)

    plots.waveform(y, RATE, ax[0], color=LIGHT)
    draw(ax[0], features.Rms(**frame), color=DARK, label="RMS")
    draw(ax[1], features.ZeroCrossingRate(**frame), color=DARK)
    plots.spectrogram(y, RATE, ax[2], colorbar=False, **frame)
    draw(ax[2], features.SpectralRolloff(**frame), "--", color=LIGHT, label="roll-off")
    draw(ax[2], features.SpectralCentroid(**frame), color="white", label="centroid")
    draw(ax[3], features.F0(), ".-", color=DARK, markersize=4)
    ax[0].legend(loc="upper right")
    ax[2].legend(loc="upper right", labelcolor="white", facecolor="black")
    for one, label in zip(ax, ("amplitude", "crossings", "frequency (Hz)", "pitch (Hz)"), strict=True):
        one.set(xlabel="time (s)" if one is ax[3] else "", ylabel=label)
    return ax


def two_numbers(values: pd.DataFrame, emotions: Sequence[str], labels: Mapping[str, str]) -> Sequence[Axes]:
    """Draw box plots per emotion of some columns; ``labels`` names each column and its unit."""
    ax = plt.subplots(len(labels), 1, figsize=(5.6, 2.5 * len(labels)), sharex=True)[1]
    for one, (column, label) in zip(ax, labels.items(), strict=True):
        plots.by_emotion(values[column], emotions, one, label)
    return ax

"""Figures of one sound: waveform, spectrum, spectrogram."""

from collections.abc import Mapping

import librosa
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from serlab import audio
from serlab.errors import AudioError
from serlab.plots.style import new_axes

_FLOOR_DB = 80.0


def waveform(y: np.ndarray, sample_rate: float, ax: Axes | None = None, color: str = "#332288") -> Axes:
    """Draw the waveform, (samples,) in -1…1: air pressure, as the microphone gave it, over time.

    Examples
    --------
    >>> ax = waveform(np.zeros(16000), 16000)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (s)', 'amplitude')
    """
    _check(y, sample_rate, "waveform")
    ax = new_axes(ax)
    librosa.display.waveshow(np.asarray(y), sr=sample_rate, ax=ax, axis="time", color=color, alpha=0.85)
    _in_seconds(ax)
    ax.set(ylabel="amplitude", xlim=(0, len(y) / sample_rate))
    return ax


def spectrum(
    y: np.ndarray, sample_rate: float, ax: Axes | None = None, *, n_fft: int = 1024, **line: object
) -> Axes:
    """Draw the average spectrum of a whole signal, in dB below its strongest frequency (floor at -80 dB).

    Power is averaged over overlapping windows of `n_fft` samples (Welch's method, IEEE Trans. Audio
    Electroacoust. 15(2), 1967), far less ragged than one long transform. A shorter signal is one window.
    `line` goes to `matplotlib.axes.Axes.plot`.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> line = spectrum(tone, 16000).lines[0]
    >>> float(line.get_xdata()[line.get_ydata().argmax()])
    1000.0
    """
    from scipy.signal import welch

    _check(y, sample_rate, "spectrum")
    ax = new_axes(ax)
    frequencies, power = welch(y, fs=sample_rate, nperseg=min(n_fft, len(y)))
    level = librosa.power_to_db(power, ref=np.max, top_db=_FLOOR_DB, amin=1e-20)
    ax.plot(frequencies, level, **{"color": "#332288", "linewidth": 1.2, **line})
    ax.set(xlabel="frequency (Hz)", ylabel="level (dB)", xlim=(0, sample_rate / 2))
    return ax


def spectrogram_db(
    y: np.ndarray, sample_rate: float, kind: str = "stft", *, n_fft: int = 1024, hop_length: int = 256
) -> np.ndarray:
    """Compute what `spectrogram` draws: dB re full scale of shape (frequencies, frames), without a floor.

    Examples
    --------
    >>> spectrogram_db(np.ones(16000), 16000, "mel").shape
    (128, 63)
    """
    if kind not in ("stft", "mel"):
        raise ValueError(f"kind is 'stft' or 'mel', not {kind!r}")
    y = _check(y, sample_rate, "spectrogram")
    power = np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length)) ** 2
    if kind == "mel":
        power = librosa.feature.melspectrogram(S=power, sr=sample_rate, n_fft=n_fft, n_mels=128)
    return librosa.power_to_db(power, top_db=None)


def spectrogram(
    y: np.ndarray,
    sample_rate: float,
    ax: Axes | None = None,
    kind: str = "stft",
    *,
    n_fft: int = 1024,
    hop_length: int = 256,
    reference: float | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw time to the right, frequency upwards, and level as brightness.

    Of a signal, (samples,), frequencies are evenly spaced in hertz ("stft") or in 128 bands ("mel"); window
    and step are in samples. `reference` is the level in dB re full scale drawn as 0 dB, by default the
    loudest point of this figure: give the same one to several figures to keep their loudness comparable.

    Examples
    --------
    >>> spectrogram(np.sin(np.arange(16000)), 16000, kind="mel").get_ylabel()
    'frequency (Hz), mel scale'
    """
    frame = {"n_fft": n_fft, "hop_length": hop_length}
    level = spectrogram_db(y, sample_rate, kind, **frame)
    level = level - (level.max() if reference is None else reference)
    ax = new_axes(ax)
    scales = {"sr": sample_rate, "x_axis": "time", "y_axis": "mel" if kind == "mel" else "linear", **frame}
    look = {"cmap": "magma", "vmin": -_FLOOR_DB, "vmax": 0, "rasterized": True}
    image = librosa.display.specshow(level, ax=ax, **scales, **look)
    _in_seconds(ax)
    label = "frequency (Hz), mel scale" if kind == "mel" else "frequency (Hz)"
    ax.set(ylabel=label, ylim=(0, sample_rate / 2))
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label="level (dB)", pad=0.02)
    return ax


def emotion_grid(signals: Mapping[str, np.ndarray], sample_rate: float, kind: str = "mel") -> np.ndarray:
    """Draw one spectrogram per emotion, all with the same time, frequency and level scales.

    Only then may panels be compared: with a scale of its own, a whisper would look as bright as a shout.
    Signals are best of one speaker and sentence. Gives an array of axes.

    Examples
    --------
    >>> axes = emotion_grid({"calm": np.zeros(8000), "angry": np.sin(np.arange(16000))}, 16000)
    >>> [ax.get_title() for ax in axes], axes[0].get_xlim() == axes[1].get_xlim()
    (['calm', 'angry'], True)
    """
    if not signals:
        raise AudioError("emotion_grid needs one signal or more, by emotion")
    columns = min(4, len(signals))
    rows = -(-len(signals) // columns)
    fig = plt.figure(figsize=(6 if columns > 2 else 5.2, 1.6 * rows + 0.8), layout="constrained")
    axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    used, spare = axes.flat[: len(signals)], axes.flat[len(signals) :]
    for ax in spare:
        ax.remove()
    reference = max(spectrogram_db(y, sample_rate, kind).max() for y in signals.values())
    for number, (ax, (emotion, y)) in enumerate(zip(used, signals.items(), strict=True)):
        spectrogram(y, sample_rate, ax, kind, reference=reference, colorbar=False)
        lowest, first = number + columns >= len(signals), number % columns == 0
        ax.tick_params(labelbottom=lowest, labelleft=first)
        # Where a shorter clip has ended there is silence.
        ax.set(title=emotion, facecolor="black")
        ax.set(xlabel="time (s)" if lowest else "", ylabel=ax.get_ylabel() if first else "")
    used[0].set_xlim(0, max(len(y) for y in signals.values()) / sample_rate)
    fig.colorbar(used[0].collections[0], ax=list(used), label="level (dB)", pad=0.01, fraction=0.03)
    return used


def _check(y: np.ndarray, sample_rate: float, name: str) -> np.ndarray:
    """Return a signal as `serlab.audio.signal` does, or refuse it, or its rate."""
    y = audio.signal(y, name)
    if not sample_rate > 0:
        raise AudioError(f"{name} needs the sampling rate of the signal, above 0, not {sample_rate}")
    return y


def _in_seconds(ax: Axes) -> None:
    """Undo librosa's time ticks, which round 1.05, 1.2 and 1.35 s to 1.1, 1.2 and 1.4."""
    ax.xaxis.set_major_locator(mpl.ticker.AutoLocator())
    ax.xaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
    ax.set_xlabel("time (s)")

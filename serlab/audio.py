"""Sound files in, one float array out: reading with checks, mono mix, resampling, trimming, fitting, level.

Every signal in serlab is a one-dimensional float32 array with full scale at 1.0.
"""

from __future__ import annotations

import math
import os

import numpy as np

from serlab.errors import AudioError

# Quieter than three steps of 16-bit audio: no speech can be in there.
SILENT_PEAK = 1e-4
# What a resampling filter needs to see beyond the part that is kept.
RESAMPLING_MARGIN = 0.1


def read(
    path: str | os.PathLike,
    sample_rate: int | None = None,
    *,
    seconds: float | None = None,
    min_seconds: float = 0.1,
    max_seconds: float = 300.0,
) -> tuple[np.ndarray, int]:
    """Read a sound file as mono float32, at its own sampling rate or at the one asked for.

    Any format that libsndfile reads will do (WAV, FLAC, OGG, MP3, ...). Values equal those of
    ``librosa.load(path, sr=sample_rate)``.

    Parameters
    ----------
    path : path-like
        The sound file.
    sample_rate : int, optional
        Rate to resample to, in Hz. By default the file's own rate is kept.
    seconds : float, optional
        Read only the first so many seconds: quicker where the rest would be cut off anyway.
    min_seconds, max_seconds : float
        Shortest and longest file accepted, in seconds. The length is taken from the header, so a file
        that is far too long is refused before it fills the memory.

    Returns
    -------
    y : ndarray of float32, shape (samples,)
    sample_rate : int
        Rate of `y` in Hz.

    Raises
    ------
    AudioError
        If the file is missing, empty, a git-lfs pointer, unreadable, truncated, too short or too long,
        silent, holds NaN or infinite values, or has channels that cancel out in the mono mix.

    Examples
    --------
    >>> import pathlib, soundfile, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tone.wav"
    >>> soundfile.write(path, np.sin(np.arange(8000) * 0.1), 16000)
    >>> y, rate = read(path, 8000)
    >>> y.shape, y.dtype, rate
    ((4000,), dtype('float32'), 8000)
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate, frames = file.samplerate, file.frames
            _check_length(path, frames / rate, min_seconds, max_seconds)
            if seconds is not None:
                frames = min(frames, math.ceil((seconds + RESAMPLING_MARGIN) * rate))
            channels = file.read(frames, dtype="float32", always_2d=True).T
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(_diagnose(path, error)) from error
    if channels.shape[1] < frames:
        raise AudioError(
            f"{path} is cut off: {channels.shape[1]} of the {frames} samples in its header could be read. "
            "Fetch or copy the file again."
        )
    y = _checked_mix(channels, path)
    if sample_rate is not None and sample_rate != rate:
        y, rate = resample(y, rate, sample_rate), sample_rate
    if seconds is not None:
        y = y[: round(seconds * rate)]
    return y, rate


def _check_length(path: str | os.PathLike, duration: float, shortest: float, longest: float) -> None:
    if duration == 0:
        raise AudioError(f"{path} holds no samples. Fetch the file again, or remove it from the corpus.")
    if duration < shortest:
        raise AudioError(
            f"{path} lasts {duration:.3g} s, less than the {shortest:g} s needed. "
            "Remove it from the corpus, or pass a smaller min_seconds."
        )
    if duration > longest:
        raise AudioError(
            f"{path} lasts {duration:.0f} s by its header, more than the {longest:g} s allowed for an "
            "utterance. Cut it into utterances, or pass a larger max_seconds."
        )


def _diagnose(path: str | os.PathLike, error: Exception) -> str:
    """Say why libsndfile could not read a file, in words that lead to a remedy."""
    if not os.path.exists(path):
        return f"{path} does not exist. Check the path, or fetch the corpus again."
    if os.path.isdir(path):
        return f"{path} is a folder, not a sound file. Give the path of one file in it."
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except OSError as unreadable:
        return f"{path} cannot be opened ({unreadable.strerror}). Check its permissions."
    if not head:
        return f"{path} is empty (0 bytes). Fetch or copy the file again."
    if head.startswith(b"version https://git-lfs"):
        return f"{path} is a git-lfs pointer, not the sound itself. Run 'git lfs pull' in the corpus's clone."
    return (
        f"{path} cannot be read as sound ({error}). "
        "Fetch it again, or convert it to WAV or FLAC (for example with ffmpeg)."
    )


def _checked_mix(channels: np.ndarray, path: str | os.PathLike) -> np.ndarray:
    peak = np.abs(channels).max()
    if not np.isfinite(peak):
        raise AudioError(
            f"{path} holds NaN or infinite samples. Export it again as 16-bit PCM, or remove it from the "
            "corpus."
        )
    if peak < SILENT_PEAK:
        raise AudioError(
            f"{path} is silent (peak {peak:.1g} of full scale). Remove it from the corpus, or fetch it again."
        )
    y = to_mono(channels)
    if len(channels) > 1 and np.abs(y).max() < max(SILENT_PEAK, 0.01 * peak):
        raise AudioError(
            f"{path} has channels that cancel each other out when mixed to mono. "
            "Save one of its channels as a mono file."
        )
    return y


def to_mono(channels: np.ndarray) -> np.ndarray:
    """Mix channels to one by their mean.

    Parameters
    ----------
    channels : ndarray, shape (channels, samples) or (samples,)

    Returns
    -------
    ndarray, shape (samples,)

    Examples
    --------
    >>> to_mono(np.array([[1.0, 0.0], [0.0, 0.5]]))
    array([0.5 , 0.25])
    """
    if channels.ndim == 1:
        return channels
    return channels[0] if len(channels) == 1 else channels.mean(axis=0)


def resample(y: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Change the sampling rate, with a band-limiting filter (soxr, high quality) so that nothing aliases.

    Parameters
    ----------
    y : ndarray, shape (samples,)
    from_rate, to_rate : int
        Rates in Hz.

    Returns
    -------
    ndarray, shape (ceil(samples * to_rate / from_rate),)

    References
    ----------
    R. Sykora, The SoX Resampler library, https://sourceforge.net/projects/soxr/

    Examples
    --------
    >>> resample(np.zeros(16000, dtype="float32"), 16000, 22050).shape
    (22050,)
    """
    import soxr

    if from_rate == to_rate:
        return y
    length = math.ceil(len(y) * to_rate / from_rate)
    return fit_length(soxr.resample(y, from_rate, to_rate, quality="HQ"), length)


def trim(y: np.ndarray, top_db: float = 40.0, *, n_fft: int = 1024, hop_length: int = 256) -> np.ndarray:
    """Cut silence off both ends.

    Parameters
    ----------
    y : ndarray, shape (samples,)
    top_db : float
        Frames more than so many decibels below the loudest one count as silence.
    n_fft, hop_length : int
        Length and step of the frames in samples.

    Returns
    -------
    ndarray, shape (at most samples,)

    Examples
    --------
    >>> y = np.concatenate([np.zeros(8000), np.sin(np.arange(8000)), np.zeros(8000)])
    >>> 8000 <= len(trim(y)) < 10000
    True
    """
    import librosa

    return librosa.effects.trim(y, top_db=top_db, frame_length=n_fft, hop_length=hop_length)[0]


def fit_length(y: np.ndarray, length: int, align: str = "left") -> np.ndarray:
    """Cut a signal, or pad it with zeros, to a fixed number of samples.

    Parameters
    ----------
    y : ndarray, shape (samples,)
    length : int
        Samples wanted.
    align : {"left", "centre", "right"}
        Where the signal lies in the result. "left" keeps the beginning and puts zeros after it, "right" keeps
        the end and puts zeros before it, "centre" treats both ends alike.

    Returns
    -------
    ndarray, shape (length,)

    Examples
    --------
    >>> fit_length(np.array([1, 2, 3]), 5, align="centre")
    array([0, 1, 2, 3, 0])
    >>> fit_length(np.array([1, 2, 3]), 2, align="right")
    array([2, 3])
    """
    if align not in ("left", "centre", "right"):
        raise ValueError(f"align must be 'left', 'centre' or 'right', not {align!r}")
    excess = len(y) - length
    if excess == 0:
        return y
    before = {"left": 0, "centre": abs(excess) // 2, "right": abs(excess)}[align]
    if excess > 0:
        return y[before : before + length]
    return np.pad(y, (before, -excess - before))


def loudest(y: np.ndarray, seconds: float, sample_rate: int) -> np.ndarray:
    """Keep the part of a signal that has the most energy: a stressed vowel more often than not.

    Parameters
    ----------
    y : ndarray, shape (samples,)
    seconds : float
        Length of the part.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray, shape (samples,)
        A view; all of the signal if it is not longer than that.

    Examples
    --------
    >>> loudest(np.array([0, 0, 3, -4, 1, 0]), seconds=0.2, sample_rate=10)
    array([ 3, -4])
    """
    length = round(seconds * sample_rate)
    if len(y) <= length:
        return y
    energy = np.concatenate([[0], np.cumsum(np.square(y, dtype=np.float64))])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return y[start : start + length]


def level(y: np.ndarray, measure: str = "rms") -> float:
    """Return the level of a signal in dBFS, decibels relative to full scale.

    Parameters
    ----------
    y : ndarray, shape (samples,)
    measure : {"rms", "peak"}
        "peak" takes the largest sample: 0 dBFS is a sample of 1. "rms" takes the root mean square, silences
        included: a full-scale square wave has 0 dBFS, a full-scale sine -3 dBFS. RMS follows loudness
        roughly; it is not loudness as ITU-R BS.1770 measures it (LUFS), which weights frequencies and gates
        out pauses.

    Returns
    -------
    float
        In dBFS; minus infinity for digital silence.

    Examples
    --------
    >>> level(np.array([0.5, -0.1]), "peak")
    -6.02...
    """
    if measure not in ("rms", "peak"):
        raise ValueError(f"measure must be 'rms' or 'peak', not {measure!r}")
    y = np.asarray(y, dtype=np.float64)
    amplitude = np.abs(y).max() if measure == "peak" else np.sqrt(np.mean(y**2))
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def normalise(y: np.ndarray, target: float = -23.0, measure: str = "rms") -> np.ndarray:
    """Scale a signal so that its `level` is the one wanted: one gain for all of it, nothing is clipped.

    Parameters
    ----------
    y : ndarray, shape (samples,)
    target : float
        Level wanted, in dBFS.
    measure : {"rms", "peak"}
        As in `level`. After RMS normalisation single samples may exceed full scale: harmless for analysis,
        but look at ``level(y, "peak")`` before you write a file.

    Returns
    -------
    ndarray of float32, shape (samples,)

    Raises
    ------
    AudioError
        If the signal is silent: no gain can help it.

    Examples
    --------
    >>> normalise(np.array([0.1, -0.2]), target=0.0, measure="peak")
    array([ 0.5, -1. ], dtype=float32)
    """
    now = level(y, measure)
    if now == -math.inf:
        raise AudioError("A silent signal cannot be normalised. Leave it out.")
    return (y * 10 ** ((target - now) / 20)).astype(np.float32)

"""Sound files in, one float array out: reading with checks, mono mix, resampling, trimming, fitting, level.

Every signal in serlab is a one-dimensional float32 array with full scale at 1.0.
"""

import math
import os
import warnings
from numbers import Real

import numpy as np
import soxr

from serlab import sound_files
from serlab.containers import SoundFileError
from serlab.errors import AudioError, AudioWarning
from serlab.paths import shown
from serlab.sound_files import LOUDEST_PEAK, MAX_SECONDS, MIN_SECONDS

MAX_SAMPLES = 1 << 26
"""So many samples a signal may have, over an hour at 16 kHz and 256 MiB."""
# What a resampling filter needs to see beyond the part that is kept.
RESAMPLING_MARGIN = 0.1


def read(
    path: str | os.PathLike,
    sample_rate: int | None = None,
    *,
    seconds: float | None = None,
    min_seconds: float = MIN_SECONDS,
    max_seconds: float = MAX_SECONDS,
) -> tuple[np.ndarray, int]:
    """Read a sound file as mono float32, at its own sampling rate or at the one asked for.

    WAV, FLAC, MP3, Ogg, AIFF, AU, CAF, W64 and NIST SPHERE are read by libsndfile; MP4, WebM, 3GP, AMR, AAC
    and WMA where PyAV is installed (``pip install "serlab[formats]"``). The content of a file tells what it
    is, not its name. `seconds` reads the beginning only: quicker where the rest would be cut off anyway. The
    shortest file and the longest sound that are taken have `min_seconds` and `max_seconds`. Gives (samples,)
    and their rate in Hz; values equal those of ``librosa.load(path, sr=sample_rate)``.

    Raises
    ------
    AudioError
        If the file is missing, no sound, cut off, damaged, too short or too long, silent, holds NaN, infinite
        or huge values, has channels that cancel out in the mono mix, or would give more than `MAX_SAMPLES`.

    Warns
    -----
    AudioWarning
        If the sound is clipped, its two channels seem to be two people, or its length was never written.

    Examples
    --------
    >>> import pathlib, soundfile, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tone.wav"
    >>> soundfile.write(path, np.sin(np.arange(8000) * 0.1), 16000)
    >>> y, rate = read(path, 8000)
    >>> y.shape, y.dtype, rate
    ((4000,), dtype('float32'), 8000)
    """
    given = {"sample_rate": sample_rate, "seconds": seconds, "max_seconds": max_seconds}
    for name, value in (given | {"min_seconds": min_seconds or None}).items():
        if value is not None and not _above_0(value):
            raise AudioError(f"{name} must be above 0, not {value!r}. Leave it out to read sound as it is.")
    # Block by block, so that little memory is needed besides the result.
    with sound_files.opened(path) as sound:
        rate = sample_rate or sound.rate
        stream = None
        if rate != sound.rate:
            stream = soxr.ResampleStream(sound.rate, rate, 1, dtype="float32", quality="HQ")
        margin = None if seconds is None else seconds + RESAMPLING_MARGIN
        _check_size(min((sound.frames or 0) / sound.rate, margin or math.inf) * rate, rate)
        parts, heard, samples = [], 0, 0
        for _, mono in sound_files.listen(sound, margin, min_seconds, max_seconds):
            heard += len(mono)
            parts.append(mono if stream is None else stream.resample_chunk(mono))
            samples += len(parts[-1])
            _check_size(samples, rate)
    if stream is not None:
        parts.append(stream.resample_chunk(np.empty(0, np.float32), last=True))
    y = fit_length(np.concatenate(parts), math.ceil(heard * rate / sound.rate))
    for _, words in sound.notes:
        warnings.warn(f"{shown(path)} {words}.", AudioWarning, stacklevel=2)
    return (y if seconds is None else y[: round(seconds * rate)]), rate


def _above_0(value: object) -> bool:
    return isinstance(value, Real) and value > 0


def _check_size(samples: float, rate: int) -> None:
    if samples > MAX_SAMPLES:
        raise SoundFileError("large", f"gives more than {MAX_SAMPLES:,} samples at {rate} Hz")


def signal(y: np.ndarray, name: str) -> np.ndarray:
    """Return a mono signal with full scale at 1 as float32, of shape (samples,), or refuse what is none.

    Whole numbers are refused, because they do not say what full scale is; so are NaN, infinity, and floats
    far beyond 1, which were not divided. The `AudioError` begins with `name`.

    Examples
    --------
    >>> signal(np.array([300, -300], dtype=np.int16), "rms")
    Traceback (most recent call last):
        ...
    serlab.errors.AudioError: rms takes floats with full scale at 1, not int16: divide by 32768 first.
    """
    y = np.asarray(y)
    if y.dtype.kind != "f":
        known = y.dtype.kind == "i" and y.dtype.itemsize < 8
        remedy = f"divide by {1 << 8 * y.dtype.itemsize - 1}" if known else "bring it to full scale 1"
        raise AudioError(f"{name} takes floats with full scale at 1, not {y.dtype}: {remedy} first.")
    if len(_mono(y, name)) == 0:
        raise AudioError(f"{name} needs a mono signal with samples in it, and this one has none.")
    peak = float(np.abs(y).max())
    if not math.isfinite(peak):
        raise AudioError(f"{name} cannot take NaN or infinite samples. serlab.audio.read finds them.")
    if peak > LOUDEST_PEAK:
        raise AudioError(
            f"{name} takes signals with full scale at 1, and this one reaches {peak:.0f}. Divide it by the "
            "full scale of its numbers, 32768 for those of 16 bits."
        )
    return y.astype(np.float32, copy=False)


def _mono(y: np.ndarray, name: str) -> np.ndarray:
    if np.ndim(y) != 1:
        raise AudioError(
            f"{name} needs a mono signal of shape (samples,), not {np.shape(y)}. Average the channels "
            "first, as serlab.audio.read does."
        )
    return np.asarray(y)


def resample(y: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """Change the sampling rate, with a band-limiting filter (soxr, high quality) so that nothing aliases.

    Takes (samples,), and both rates in Hz; gives (ceil(samples * to_rate / from_rate),).

    References
    ----------
    R. Sykora, The SoX Resampler library, https://sourceforge.net/projects/soxr/

    Examples
    --------
    >>> resample(np.zeros(16000, dtype="float32"), 16000, 22050).shape
    (22050,)
    """
    y = _mono(y, "resample")
    if not (_above_0(from_rate) and _above_0(to_rate)):
        raise AudioError(f"rates must be above 0, not {from_rate!r} and {to_rate!r}.")
    if from_rate == to_rate:
        return y
    if y.dtype.name not in ("float32", "float64", "int16", "int32"):
        y = signal(y, "resample")
    length = math.ceil(len(y) * to_rate / from_rate)
    return fit_length(soxr.resample(y, from_rate, to_rate, quality="HQ"), length)


def trim(y: np.ndarray, top_db: float = 40.0) -> np.ndarray:
    """Cut silence off both ends: frames more than `top_db` decibels below the loudest one.

    Frames are of 1024 samples, one every 256.

    Examples
    --------
    >>> y = np.concatenate([np.zeros(8000), np.sin(np.arange(8000)), np.zeros(8000)])
    >>> 8000 <= len(trim(y)) < 10000
    True
    """
    import librosa

    return librosa.effects.trim(_mono(y, "trim"), top_db=top_db, frame_length=1024, hop_length=256)[0]


def fit_length(y: np.ndarray, length: int, align: str = "left") -> np.ndarray:
    """Cut a signal, (samples,), or pad it with zeros, to a fixed number of samples.

    `align` says where the signal lies in the result: "left" keeps the beginning and puts zeros after it,
    "right" keeps the end and puts zeros before it, "centre" treats both ends alike.

    Examples
    --------
    >>> fit_length(np.array([1, 2, 3]), 5, align="centre")
    array([0, 1, 2, 3, 0])
    >>> fit_length(np.array([1, 2, 3]), 2, align="right")
    array([2, 3])
    """
    if align not in ("left", "centre", "right"):
        raise ValueError(f"align must be 'left', 'centre' or 'right', not {align!r}")
    y = _mono(y, "fit_length")
    if not length >= 0:
        raise AudioError(f"A signal cannot have {length} samples: give 0 or more.")
    excess = len(y) - length
    if excess == 0:
        return y
    before = {"left": 0, "centre": abs(excess) // 2, "right": abs(excess)}[align]
    if excess > 0:
        return y[before : before + length]
    return np.pad(y, (before, -excess - before))


def loudest(y: np.ndarray, seconds: float, sample_rate: int) -> np.ndarray:
    """Keep the part of a signal that has the most energy: a stressed vowel more often than not.

    Takes (samples,) at `sample_rate` in Hz; one that is not longer than `seconds` is returned whole.

    Examples
    --------
    >>> loudest(np.array([0, 0, 3, -4, 1, 0]), seconds=0.2, sample_rate=10)
    array([ 3, -4])
    """
    y, length = _mono(y, "loudest"), round(seconds * sample_rate)
    if length < 1:
        raise AudioError(f"{seconds} s at {sample_rate} Hz are no samples: give a longer part.")
    if len(y) <= length:
        return y
    energy = np.concatenate([[0], np.cumsum(np.square(y, dtype=np.float64))])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return y[start : start + length]


def level(y: np.ndarray, measure: str = "rms") -> float:
    """Return the level of a signal in dBFS, decibels relative to full scale; minus infinity for silence.

    The measure "peak" takes the largest sample: 0 dBFS is a sample of 1. "rms" takes the root mean square,
    pauses included: a full-scale square wave has 0 dBFS, a full-scale sine -3 dBFS. RMS follows loudness
    roughly; it is not loudness as ITU-R BS.1770 measures it (LUFS).

    Examples
    --------
    >>> level(np.array([0.5, -0.1]), "peak")
    -6.02...
    """
    if measure not in ("rms", "peak"):
        raise ValueError(f"measure must be 'rms' or 'peak', not {measure!r}")
    signal(y, "level")
    y = np.asarray(y, dtype=np.float64)
    amplitude = np.abs(y).max() if measure == "peak" else np.sqrt(np.mean(y**2))
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def normalise(y: np.ndarray, target: float = -23.0, measure: str = "rms") -> np.ndarray:
    """Scale a signal so that its `level` is the one wanted: one gain for all of it, nothing is clipped.

    Takes (samples,), not silent, and the level wanted in dBFS; gives float32 of the same shape. After RMS
    normalisation single samples may exceed full scale: look at ``level(y, "peak")`` before you write a file.

    Examples
    --------
    >>> normalise(np.array([0.1, -0.2]), target=0.0, measure="peak")
    array([ 0.5, -1. ], dtype=float32)
    """
    if not abs(target) <= 200:
        raise AudioError(f"A level is a number of decibels from -200 to 200, not {target}.")
    now = level(y, measure)
    if now == -math.inf:
        raise AudioError("A silent signal cannot be normalised. Leave it out.")
    return (y * 10 ** ((target - now) / 20)).astype(np.float32)

"""Spectra and what is made of them: spectrograms, mel spectrograms, MFCC."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import librosa
import numpy as np
import scipy.fft
import scipy.sparse

from serlab import audio
from serlab.errors import FeatureError
from serlab.features.base import Extractor, FrameFeature

# Samples in the frames that are transformed at a time: 256 kB.
BLOCK_SAMPLES = 65536


def _power(y: np.ndarray, n_fft: int, hop_length: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the power spectra of some frames at a time, (frames, bins), and which frames they are.

    A block that fits into the processor's cache takes half the time of all frames at once.
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, n_fft // 2), n_fft)[::hop_length]
    size = max(1, BLOCK_SAMPLES // n_fft)
    buffer = np.empty((min(size, len(frames)), n_fft), dtype=np.float32)
    for start in range(0, len(frames), size):
        block = frames[start : start + size]
        windowed = np.multiply(block, hann_window(n_fft), out=buffer[: len(block)])
        spectrum = scipy.fft.rfft(windowed, overwrite_x=True)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)
        yield slice(start, start + len(block)), power


@functools.lru_cache(maxsize=16)
def hann_window(n_fft: int) -> np.ndarray:
    """Make a Hann window whose halves add up to one when they overlap: float32 of shape (n_fft,)."""
    import scipy.signal

    return scipy.signal.get_window("hann", n_fft).astype(np.float32)


def power_spectrogram(y: np.ndarray, n_fft: int, hop_length: int) -> np.ndarray:
    """Compute the power of a short-time Fourier transform: Hann window, frames centred, zeros at the ends.

    Takes float32 of shape (samples,), gives (1 + n_fft // 2, 1 + samples // hop_length). Equals
    ``abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length)) ** 2`` in less than half its time.

    Examples
    --------
    >>> power_spectrogram(np.zeros(1000, dtype="float32"), 512, 100).shape
    (257, 11)
    """
    result = np.empty((1 + n_fft // 2, 1 + len(y) // hop_length), dtype=np.float32)
    for frames, power in _power(y, n_fft, hop_length):
        result[:, frames] = power.T
    return result


@functools.lru_cache(maxsize=16)
def _mel_basis(sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None):
    # librosa makes its filters anew for every clip, in a third of its time.
    return scipy.sparse.csr_array(
        librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
    )


@dataclass(frozen=True, kw_only=True)
class Mel(FrameFeature):
    """Power in bands that are spaced as the ear spaces pitch (mel scale), frame by frame.

    Decibels are at most 80 below the loudest value of the clip.

    References
    ----------
    Slaney, Auditory Toolbox, version 2, Interval Research Technical Report 1998-010 (the mel scale used
    here).

    Examples
    --------
    >>> Mel(n_mels=40, seconds=2.0).shape
    (40, 126)
    >>> print(Mel(seconds=3.0))
    Mel: Power in bands that are spaced as the ear spaces pitch (mel scale), frame by frame.
      sample_rate = 16000  Hz the sound is resampled to
      n_fft = 1024  samples in a frame
      ...
      gives float32 of shape (64, 188)
    """

    name: ClassVar[str] = "mel"
    releases_gil: ClassVar[bool] = True
    units: ClassVar[dict[str, str]] = {
        "n_mels": "mel bands",
        "scale": "power, sqrt (square root of power) or db",
        "fmin": "Hz, lowest frequency",
        "fmax": "Hz, highest frequency; None is half the sampling rate",
    }

    n_mels: int = 64
    scale: str = "db"
    fmin: float = 0.0
    fmax: float | None = None

    def __post_init__(self) -> None:
        if self.scale not in ("power", "sqrt", "db"):
            raise FeatureError(f"scale must be 'power', 'sqrt' or 'db', not {self.scale!r}")

    @property
    def filter_rate(self) -> int:
        """Sampling rate in Hz that the filters are made for."""
        return self.sample_rate

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(f"mel{band + 1}" for band in range(self.n_mels))

    def frames(self, y: np.ndarray) -> np.ndarray:
        basis = _mel_basis(self.filter_rate, self.n_fft, self.n_mels, self.fmin, self.fmax)
        power = np.empty((self.n_mels, 1 + len(y) // self.hop_length), dtype=np.float32)
        for frames, block in _power(y, self.n_fft, self.hop_length):
            power[:, frames] = basis @ block.T
        return {"power": np.asarray, "sqrt": np.sqrt, "db": librosa.power_to_db}[self.scale](power)


@dataclass(frozen=True, kw_only=True)
class OriginalMel(Mel):
    """The square-root mel spectrogram of the original RAVDESS notebook, its mismatched rate included.

    The sound is read at 22.05 kHz, cut to its first 75,000 samples or padded with zeros in front; the mel
    filters are built as if the rate were 44.1 kHz, so that each lies at half the frequency it is meant for.

    Examples
    --------
    >>> OriginalMel().shape
    (128, 147)
    """

    name: ClassVar[str] = "original-mel"
    filter_rate: ClassVar[int] = 44100

    sample_rate: int = 22050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    scale: str = "sqrt"
    seconds: float | None = 75000 / 22050
    align: str = "right"

    @property
    def input_seconds(self) -> float | None:
        return self.seconds

    def extract(self, y: np.ndarray) -> np.ndarray:
        # Cut at the end but padded in front, as the original did.
        return super().extract(y[: round(self.seconds * self.sample_rate)])


@dataclass(frozen=True, kw_only=True)
class Mfcc(FrameFeature):
    """Mel-frequency cepstral coefficients: the shape of the mel spectrum in dB, coarse first.

    References
    ----------
    Davis & Mermelstein 1980, IEEE Trans. Acoust. Speech Signal Process. 28(4), 357-366.

    Examples
    --------
    >>> Mfcc(n_mfcc=13, deltas=2).shape
    (39, None)
    """

    name: ClassVar[str] = "mfcc"
    releases_gil: ClassVar[bool] = True
    units: ClassVar[dict[str, str]] = {
        "n_mfcc": "coefficients",
        "n_mels": "mel bands they are computed from",
        "deltas": "time derivatives added: 0, 1 or 2",
    }

    n_mfcc: int = 20
    n_mels: int = 64
    deltas: int = 1

    def __post_init__(self) -> None:
        if self.deltas not in (0, 1, 2):
            raise FeatureError(f"deltas must be 0, 1 or 2, not {self.deltas!r}")
        if self.n_mfcc > self.n_mels:
            raise FeatureError(f"n_mfcc ({self.n_mfcc}) cannot exceed n_mels ({self.n_mels})")

    @property
    def channels(self) -> tuple[str, ...]:
        names = [f"mfcc{i}" for i in range(self.n_mfcc)]
        prefixes = ("", "delta_", "delta2_")[: self.deltas + 1]
        return tuple(prefix + name for prefix in prefixes for name in names)

    def frames(self, y: np.ndarray) -> np.ndarray:
        mel = Mel(
            sample_rate=self.sample_rate, n_fft=self.n_fft, hop_length=self.hop_length, n_mels=self.n_mels
        )
        coefficients = librosa.feature.mfcc(S=mel.frames(y), n_mfcc=self.n_mfcc)
        # mode "nearest" also works on clips shorter than the nine frames a derivative is taken over.
        derivatives = [
            librosa.feature.delta(coefficients, order=order, mode="nearest")
            for order in range(1, self.deltas + 1)
        ]
        return np.concatenate([coefficients, *derivatives])


@dataclass(frozen=True, kw_only=True)
class Spectrogram(Extractor):
    """A magnitude spectrogram in dB, scaled to an image: the loudest value of the clip is 1, what is
    `range_db` or more below it is 0.

    Frames do not overlap, and no window function is applied. As in pyAudioAnalysis the first frame and the
    line of half the sampling rate are left out: 30,000 samples at 8 kHz give 74 frames of 200 lines.

    Examples
    --------
    >>> Spectrogram().shape, Spectrogram(seconds=2.5).shape
    ((74, 200), (49, 200))
    """

    name: ClassVar[str] = "spectrogram"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "soxr")
    releases_gil: ClassVar[bool] = True
    units: ClassVar[dict[str, str]] = {
        "seconds": "s of sound every clip is cut or padded to, around its middle",
        "window": "s, length of a frame and step to the next",
        "range_db": "dB below the loudest value that are black",
    }

    sample_rate: int = 8000
    seconds: float = 3.75
    window: float = 0.05
    range_db: float = 60.0

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or self.range_db <= 0:
            raise FeatureError(
                "A spectrogram needs two frames or more and a range above 0 dB, not "
                f"{self.seconds:g} s in frames of {self.window:g} s and {self.range_db:g} dB"
            )

    @property
    def shape(self) -> tuple[int, int]:
        size = round(self.window * self.sample_rate)
        return round(self.seconds * self.sample_rate) // size - 1, size // 2

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into an image: (samples,) to (frames, lines), values in [0, 1]."""
        y = audio.fit_length(audio.signal(y, self.name), round(self.seconds * self.sample_rate), "centre")
        frames, lines = self.shape
        blocks = y[: 2 * lines * (frames + 1)].reshape(frames + 1, 2 * lines)[1:]
        magnitude = np.abs(np.fft.rfft(blocks)[:, :lines])
        loudest = magnitude.max()
        if loudest == 0:
            return np.zeros(self.shape, np.float32)
        level = 20 * np.log10(np.maximum(magnitude / loudest, 1e-10))
        return np.clip(1 + level / self.range_db, 0, 1).astype(np.float32)

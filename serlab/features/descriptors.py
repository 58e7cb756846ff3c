"""Descriptors of a frame's spectrum and waveform in one or a few numbers, and several of them together."""

from dataclasses import dataclass
from typing import ClassVar

import librosa
import numpy as np

from serlab.errors import FeatureError
from serlab.features.base import FrameFeature
from serlab.features.spectral import power_spectrogram

# Ten times the quietest step of 16-bit audio: what is below sounds like silence.
FLOOR_DB = -90.0
# The CREMA-D network padded to 3.5 s as if the rate were 22.05 kHz, and read at CREMA-D's own, 16 kHz.
ORIGINAL_SAMPLES = 77175
ORIGINAL_FRAME = {"n_fft": 2048, "hop_length": 512}


@dataclass(frozen=True, kw_only=True)
class ZeroCrossingRate(FrameFeature):
    """Share of neighbouring samples with opposite sign: low in vowels, high in hissing consonants.

    Examples
    --------
    >>> ZeroCrossingRate().extract(np.sin(np.pi * np.arange(4096) / 4 + 0.1))[0, 8].round(2)
    np.float32(0.25)
    """

    name: ClassVar[str] = "zcr"

    def frames(self, y: np.ndarray) -> np.ndarray:
        return librosa.feature.zero_crossing_rate(y, frame_length=self.n_fft, hop_length=self.hop_length)


@dataclass(frozen=True, kw_only=True)
class Rms(FrameFeature):
    """Root mean square of the samples, a measure of how loud a frame is.

    In dBFS it is no lower than -90.

    Examples
    --------
    >>> Rms(scale="db").extract(np.full(4096, 0.1))[0, 8].round(2)
    np.float32(-20.0)
    """

    name: ClassVar[str] = "rms"
    units: ClassVar[dict[str, str]] = {"scale": "linear, or db relative to full scale"}

    scale: str = "linear"

    def __post_init__(self) -> None:
        if self.scale not in ("linear", "db"):
            raise FeatureError(f"scale must be 'linear' or 'db', not {self.scale!r}")

    def frames(self, y: np.ndarray) -> np.ndarray:
        rms = librosa.feature.rms(y=y, frame_length=self.n_fft, hop_length=self.hop_length)
        return rms if self.scale == "linear" else 20 * np.log10(np.maximum(rms, 10 ** (FLOOR_DB / 20)))


def _spectrum(feature: FrameFeature, y: np.ndarray) -> dict:
    """Compute the magnitude spectrum, (1 + n_fft // 2, time), and its rate, as librosa takes them."""
    return {"S": np.sqrt(power_spectrogram(y, feature.n_fft, feature.hop_length)), "sr": feature.sample_rate}


@dataclass(frozen=True, kw_only=True)
class SpectralCentroid(FrameFeature):
    """Centre of gravity of the spectrum in Hz: how bright a frame sounds.

    Examples
    --------
    >>> SpectralCentroid().extract(np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000))[0, 30].round()
    np.float32(1000.0)
    """

    name: ClassVar[str] = "centroid"

    def frames(self, y: np.ndarray) -> np.ndarray:
        return librosa.feature.spectral_centroid(**_spectrum(self, y))


@dataclass(frozen=True, kw_only=True)
class SpectralBandwidth(FrameFeature):
    """Spread of the spectrum about its centroid, in Hz."""

    name: ClassVar[str] = "bandwidth"

    def frames(self, y: np.ndarray) -> np.ndarray:
        return librosa.feature.spectral_bandwidth(**_spectrum(self, y))


@dataclass(frozen=True, kw_only=True)
class SpectralRolloff(FrameFeature):
    """Frequency in Hz below which most of the spectrum lies."""

    name: ClassVar[str] = "rolloff"
    units: ClassVar[dict[str, str]] = {"share": "of the summed magnitude lies below"}

    share: float = 0.85

    def frames(self, y: np.ndarray) -> np.ndarray:
        return librosa.feature.spectral_rolloff(**_spectrum(self, y), roll_percent=self.share)


@dataclass(frozen=True, kw_only=True)
class SpectralContrast(FrameFeature):
    """Difference in dB between peaks and valleys of the spectrum, octave by octave: harmonic against noisy.

    References
    ----------
    Jiang et al. 2002, Music type classification by spectral contrast feature, ICME, 113-116.

    Examples
    --------
    >>> SpectralContrast().shape
    (6, None)
    """

    name: ClassVar[str] = "contrast"
    units: ClassVar[dict[str, str]] = {
        "n_bands": "octaves above fmin, one more band lies below",
        "fmin": "Hz, upper edge of the lowest band",
    }

    n_bands: int = 5
    fmin: float = 200.0

    def __post_init__(self) -> None:
        if self.fmin * 2**self.n_bands >= self.sample_rate:
            raise FeatureError(
                f"{self.n_bands} octaves above {self.fmin:g} Hz do not fit under half the sampling rate "
                f"({self.sample_rate} Hz). Take fewer bands, or a lower fmin."
            )

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(f"contrast{band}" for band in range(self.n_bands + 1))

    def frames(self, y: np.ndarray) -> np.ndarray:
        return librosa.feature.spectral_contrast(**_spectrum(self, y), n_bands=self.n_bands, fmin=self.fmin)


@dataclass(frozen=True, kw_only=True)
class Chroma(FrameFeature):
    """Power in the twelve pitch classes C, C sharp, ..., B, whatever the octave; the strongest is 1.

    Tuning is taken as A4 = 440 Hz: a voice has no concert pitch to be estimated.

    Examples
    --------
    >>> a4 = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> chroma = Chroma(n_fft=2048)
    >>> chroma.channels[chroma.extract(a4)[:, 30].argmax()]
    'A'
    """

    name: ClassVar[str] = "chroma"
    units: ClassVar[dict[str, str]] = {"n_chroma": "classes that an octave is divided into"}

    n_fft: int = 2048
    n_chroma: int = 12

    @property
    def channels(self) -> tuple[str, ...]:
        if self.n_chroma != 12:
            return tuple(f"chroma{number + 1}" for number in range(self.n_chroma))
        return ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

    def frames(self, y: np.ndarray) -> np.ndarray:
        power = power_spectrogram(y, self.n_fft, self.hop_length)
        return librosa.feature.chroma_stft(S=power, sr=self.sample_rate, n_chroma=self.n_chroma, tuning=0.0)


@dataclass(frozen=True, kw_only=True)
class Tonnetz(Chroma):
    """Tonal centroid: the chroma as a point on the circles of fifths, minor thirds and major thirds.

    References
    ----------
    Harte, Sandler & Gasser 2006, Detecting harmonic change in musical audio, ACM AMCMM workshop, 21-26.

    Examples
    --------
    >>> Tonnetz().shape
    (6, None)
    """

    name: ClassVar[str] = "tonnetz"

    @property
    def channels(self) -> tuple[str, ...]:
        return ("fifth_x", "fifth_y", "minor_third_x", "minor_third_y", "major_third_x", "major_third_y")

    def frames(self, y: np.ndarray) -> np.ndarray:
        return librosa.feature.tonnetz(chroma=super().frames(y), sr=self.sample_rate)


@dataclass(frozen=True, kw_only=True)
class Contours(FrameFeature):
    """Several frame features of one clip, one under the other: by default zero crossings and energy.

    By default as the original CREMA-D network saw them: clips in the middle of 77,175 samples, 151 frames.

    Rate, step and length of the frames of all features must be those given here.

    Examples
    --------
    >>> Contours().shape, Contours().channels
    ((2, 151), ('zcr', 'rms'))
    """

    name: ClassVar[str] = "contours"
    units: ClassVar[dict[str, str]] = {"features": "measured frame by frame"}

    n_fft: int = 2048
    hop_length: int = 512
    seconds: float | None = ORIGINAL_SAMPLES / 16000
    align: str = "centre"
    features: tuple[FrameFeature, ...] = (ZeroCrossingRate(**ORIGINAL_FRAME), Rms(**ORIGINAL_FRAME))

    def __post_init__(self) -> None:
        grid = (self.sample_rate, self.n_fft, self.hop_length, None)
        for feature in self.features:
            found = (feature.sample_rate, feature.n_fft, feature.hop_length, feature.seconds)
            if found != grid:
                raise FeatureError(
                    f"{feature.name} has (sample_rate, n_fft, hop_length, seconds) = {found} and must have "
                    f"{grid}: the length is that of all contours together"
                )

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(name for feature in self.features for name in feature.channels)

    def frames(self, y: np.ndarray) -> np.ndarray:
        return np.concatenate([feature.extract(y) for feature in self.features])

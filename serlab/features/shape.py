"""Descriptors of a frame's spectrum and waveform in one or a few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab.errors import FeatureError
from serlab.features.base import FrameFeature
from serlab.features.spectral import power_spectrogram

# Ten times the quietest step of 16-bit audio: what is below sounds like silence.
FLOOR_DB = -90.0


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
        """Measure every frame: (samples,) to (time,)."""
        import librosa

        return librosa.feature.zero_crossing_rate(y, frame_length=self.n_fft, hop_length=self.hop_length)


@dataclass(frozen=True, kw_only=True)
class Rms(FrameFeature):
    """Root mean square of the samples, a measure of how loud a frame is.

    Attributes
    ----------
    scale : {"linear", "db"}
        As it is (full scale is 1), or in dBFS, no lower than -90.

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
        """Measure every frame: (samples,) to (time,)."""
        import librosa

        rms = librosa.feature.rms(y=y, frame_length=self.n_fft, hop_length=self.hop_length)
        return rms if self.scale == "linear" else 20 * np.log10(np.maximum(rms, 10 ** (FLOOR_DB / 20)))


@dataclass(frozen=True, kw_only=True)
class SpectralFeature(FrameFeature):
    """Something measured on the magnitude spectrum of each frame."""

    def magnitude(self, y: np.ndarray) -> np.ndarray:
        """Compute the magnitude spectrum of every frame: (samples,) to (1 + n_fft // 2, time)."""
        return np.sqrt(power_spectrogram(y, self.n_fft, self.hop_length))


@dataclass(frozen=True, kw_only=True)
class SpectralCentroid(SpectralFeature):
    """Centre of gravity of the spectrum in Hz: how bright a frame sounds.

    Examples
    --------
    >>> SpectralCentroid().extract(np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000))[0, 30].round()
    np.float32(1000.0)
    """

    name: ClassVar[str] = "centroid"

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (time,)."""
        import librosa

        return librosa.feature.spectral_centroid(S=self.magnitude(y), sr=self.sample_rate)


@dataclass(frozen=True, kw_only=True)
class SpectralBandwidth(SpectralFeature):
    """Spread of the spectrum about its centroid, in Hz."""

    name: ClassVar[str] = "bandwidth"

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (time,)."""
        import librosa

        return librosa.feature.spectral_bandwidth(S=self.magnitude(y), sr=self.sample_rate)


@dataclass(frozen=True, kw_only=True)
class SpectralRolloff(SpectralFeature):
    """Frequency in Hz below which most of the spectrum lies.

    Attributes
    ----------
    share : float
        How much of the summed magnitude, between 0 and 1.
    """

    name: ClassVar[str] = "rolloff"
    units: ClassVar[dict[str, str]] = {"share": "of the summed magnitude lies below"}

    share: float = 0.85

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (time,)."""
        import librosa

        return librosa.feature.spectral_rolloff(
            S=self.magnitude(y), sr=self.sample_rate, roll_percent=self.share
        )


@dataclass(frozen=True, kw_only=True)
class SpectralContrast(SpectralFeature):
    """Difference in dB between peaks and valleys of the spectrum, octave by octave: harmonic against noisy.

    Attributes
    ----------
    n_bands : int
        Octave bands above `fmin`; below it there is one more.
    fmin : float
        Upper edge of the lowest band in Hz.

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
        """Names of the bands."""
        return tuple(f"contrast{band}" for band in range(self.n_bands + 1))

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (n_bands + 1, time)."""
        import librosa

        return librosa.feature.spectral_contrast(
            S=self.magnitude(y), sr=self.sample_rate, n_bands=self.n_bands, fmin=self.fmin
        )


@dataclass(frozen=True, kw_only=True)
class Chroma(FrameFeature):
    """Power in the twelve pitch classes C, C sharp, ..., B, whatever the octave; the strongest is 1.

    Tuning is taken as A4 = 440 Hz: a voice has no concert pitch to be estimated.

    Attributes
    ----------
    n_chroma : int
        Classes that an octave is divided into: 12 for semitones.

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
        """Names of the pitch classes."""
        if self.n_chroma != 12:
            return tuple(f"chroma{number + 1}" for number in range(self.n_chroma))
        return ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (n_chroma, time)."""
        import librosa

        return librosa.feature.chroma_stft(
            S=power_spectrogram(y, self.n_fft, self.hop_length),
            sr=self.sample_rate,
            n_chroma=self.n_chroma,
            tuning=0.0,
        )


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
        """Names of the coordinates: two for each of the three circles."""
        return ("fifth_x", "fifth_y", "minor_third_x", "minor_third_y", "major_third_x", "major_third_y")

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (6, time)."""
        import librosa

        return librosa.feature.tonnetz(chroma=super().frames(y), sr=self.sample_rate)

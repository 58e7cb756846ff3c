"""Traces of how a clip was recorded and cut, rather than of what is said and how: measured, and removed."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab import audio
from serlab.errors import FeatureError
from serlab.features.base import Extractor
from serlab.features.spectral import power_spectrogram
from serlab.sound_files import LOUDEST_PEAK

N_FFT, HOP_LENGTH = 1024, 256
# Nothing is softer than a step of 16-bit sound, so that digital silence has a level that can be compared.
FAINTEST_DBFS = -100.0
FILTER_ORDER = 8
_NAMES = ("duration", "lead", "trail", "level", "peak", "floor", "lowest", "highest")


def _signal_with_sound(y: np.ndarray, name: str) -> np.ndarray:
    y = audio.signal(y, name)
    if not y.any():
        raise FeatureError(f"{name} needs a signal with sound in it, not only zeros")
    return y


@dataclass(frozen=True, kw_only=True)
class Recording(Extractor):
    """Eight numbers on the recording: duration, silence at both ends (s), level, peak, noise floor (dBFS),
    and the lowest and highest frequency (Hz) at which there is speech.

    The edges of the band are read where the long-term average spectrum of speech has fallen by `edge_db`.

    References
    ----------
    Torralba & Efros 2011, Unbiased look at dataset bias, CVPR: collections that a classifier tells apart by
    how they were made.

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> tone = 0.1 * np.sin(2 * np.pi * 1000 * t) * (t > 0.5)
    >>> found = dict(zip(Recording().feature_names, Recording().extract(tone), strict=True))
    >>> round(float(found["duration"]), 2), round(float(found["lead"]), 1), round(float(found["peak"]))
    (1.0, 0.5, -20)
    """

    name: ClassVar[str] = "recording"
    units: ClassVar[dict[str, str]] = {
        "gate_db": "dB below the loudest frame at which speech ends",
        "edge_db": "dB below the highest value of the average spectrum, where its edges are read",
    }
    feature_names: ClassVar[tuple[str, ...]] = _NAMES
    shape: ClassVar[tuple[int]] = (len(_NAMES),)

    gate_db: float = 40.0
    edge_db: float = 50.0

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into the eight numbers, named by `feature_names`: (samples,) to (8,)."""
        y = _signal_with_sound(y, self.name)
        power = power_spectrogram(y, N_FFT, HOP_LENGTH)
        loudness = _level(y)
        speech = loudness > loudness.max() - self.gate_db
        first, last = np.flatnonzero(speech)[[0, -1]]
        average = power[:, speech].mean(axis=1)
        heard = np.flatnonzero(average > average.max() * 10 ** (-self.edge_db / 10))
        step = HOP_LENGTH / self.sample_rate
        values = (
            len(y) / self.sample_rate,
            first * step,
            (len(speech) - 1 - last) * step,
            10 * np.log10(np.mean(10 ** (loudness[speech] / 10))),
            audio.level(y, "peak"),
            # A tenth of the frames are softer: in most clips, pauses.
            np.percentile(loudness, 10),
            heard[0] * self.sample_rate / N_FFT,
            heard[-1] * self.sample_rate / N_FFT,
        )
        return np.array(values, np.float32)


def _level(y: np.ndarray) -> np.ndarray:
    """Measure the RMS level of each frame in dBFS: (samples,) to (frames,), as many as a spectrogram has."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, N_FFT // 2), N_FFT)[::HOP_LENGTH]
    mean_square = np.square(frames, dtype=np.float64).mean(axis=1)
    return 10 * np.log10(np.maximum(mean_square, 10 ** (FAINTEST_DBFS / 10)))


@dataclass(frozen=True, kw_only=True)
class Treated(Extractor):
    """Features of a clip from which traces of its recording are taken: silence at its ends, frequencies that
    not every corpus has, its level, and how quiet its pauses are. Of what is left, all or a part is measured.

    The steps follow each other as the parameters do. None leaves a step out.

    The loudest part of a clip holds a stressed vowel more often than not. The noise is always the same.

    Examples
    --------
    >>> from serlab.features import Mel
    >>> short = Treated(features=Mel(n_mels=128, n_fft=2048, hop_length=512, seconds=0.5), seconds=0.5)
    >>> short.name, short.shape
    ('treated-mel', (128, 16))
    >>> y = np.r_[np.zeros(8000), 0.01 * np.sin(np.arange(8000)), np.zeros(8000)]
    >>> len(short.treat(y)), round(audio.level(short.treat(y)))
    (8000, -23)
    """

    units: ClassVar[dict[str, str]] = {
        "features": "what is measured",
        "trim_db": "dB below the loudest frame at which silence begins",
        "band": "Hz, lowest and highest frequency kept",
        "level": "dBFS, RMS of the clip",
        "seconds": "s of the clip that are kept; None keeps all",
        "where": "which part is kept: loudest or centre",
        "floor": "dB below the level, white noise",
    }

    features: Extractor
    trim_db: float | None = 40.0
    band: tuple[float, float] | None = (80.0, 6000.0)
    level: float | None = -23.0
    seconds: float | None = None
    where: str = "loudest"
    floor: float | None = 35.0

    def __post_init__(self) -> None:
        if self.features.sample_rate != self.sample_rate:
            raise FeatureError(
                f"Treated works at {self.sample_rate} Hz, but {self.features.name} needs "
                f"{self.features.sample_rate} Hz: give both the same sample_rate"
            )
        if self.where not in ("loudest", "centre"):
            raise FeatureError(f"where must be 'loudest' or 'centre', not {self.where!r}")
        if self.band is not None and not 0 < self.band[0] < self.band[1] < self.sample_rate / 2:
            raise FeatureError(
                f"band must be two rising frequencies below {self.sample_rate / 2:g} Hz, not {self.band}"
            )
        if self.floor is not None and self.level is None:
            raise FeatureError("A noise floor is so many dB below the level: give a level, or floor=None")

    @property
    def name(self) -> str:
        """That of the features, with "treated-" before it."""
        return f"treated-{self.features.name}"

    @property
    def libraries(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.features.libraries, "librosa", "scipy", "soxr")))

    @property
    def releases_gil(self) -> bool:
        return self.features.releases_gil

    @property
    def shape(self) -> tuple[int | None, ...]:
        return self.features.shape

    def treat(self, y: np.ndarray) -> np.ndarray:
        """Treat a signal: (samples,) to (samples,), float32."""
        y = _signal_with_sound(y, self.name)
        if self.trim_db is not None:
            y = audio.trim(y, self.trim_db)
        if self.band is not None:
            y = _filtered(y, self.band, self.sample_rate)
        if self.level is not None:
            y = audio.normalise(y, self.level)
        if self.seconds is not None:
            if self.where == "loudest":
                y = audio.loudest(y, self.seconds, self.sample_rate)
            y = audio.fit_length(y, round(self.seconds * self.sample_rate), "centre")
        if self.floor is not None:
            noise = np.random.default_rng(0).standard_normal(len(y), dtype=np.float32)
            y = y + noise * np.float32(10 ** ((self.level - self.floor) / 20))
        # A click in a soft recording now lies far above the voice: beyond this, features take it for a signal
        # that was not divided by full scale.
        return np.clip(y, -LOUDEST_PEAK, LOUDEST_PEAK).astype(np.float32, copy=False)

    def extract(self, y: np.ndarray) -> np.ndarray:
        return self.features.extract(self.treat(y))

    def __str__(self) -> str:
        inner = str(self.features).replace("\n", "\n  ")
        return f"{super().__str__().replace(repr(self.features), self.features.name)}\n  {inner}"


def _filtered(y: np.ndarray, band: tuple[float, float], sample_rate: int) -> np.ndarray:
    import scipy.signal

    # Forwards and backwards, so that nothing is shifted in time: half the order each way.
    sections = scipy.signal.butter(FILTER_ORDER // 2, band, "bandpass", fs=sample_rate, output="sos")
    return scipy.signal.sosfiltfilt(sections, y, padlen=0).astype(np.float32)

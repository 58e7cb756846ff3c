"""What a clip tells about how it was recorded and cut, rather than about what is said and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab import audio
from serlab.errors import FeatureError
from serlab.features.base import Extractor
from serlab.features.spectral import power_spectrogram

N_FFT, HOP_LENGTH = 1024, 256
# Nothing is softer than a step of 16-bit sound, so that digital silence has a level that can be compared.
FAINTEST_DBFS = -100.0


@dataclass(frozen=True, kw_only=True)
class Recording(Extractor):
    """Eight numbers on the recording: duration, silence at both ends, level, peak, noise floor, and the
    lowest and highest frequency at which there is speech.

    Attributes
    ----------
    gate_db : float
        Level below the loudest frame in dB at which speech ends.
    edge_db : float
        How far the long-term average spectrum of speech has fallen, in dB below its highest value, where its
        lowest and highest frequency are read.

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
    feature_names: ClassVar[tuple[str, ...]] = (
        "duration",
        "lead",
        "trail",
        "level",
        "peak",
        "floor",
        "lowest",
        "highest",
    )
    feature_units: ClassVar[tuple[str, ...]] = ("s", "s", "s", "dBFS", "dBFS", "dBFS", "Hz", "Hz")

    gate_db: float = 40.0
    edge_db: float = 50.0

    @property
    def shape(self) -> tuple[int]:
        """(8,)."""
        return (len(self.feature_names),)

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into the eight numbers, named by `feature_names`: (samples,) to (8,)."""
        y = audio.signal(y, self.name)
        if not y.any():
            raise FeatureError(f"{self.name} needs a signal with sound in it, not only zeros")
        power = power_spectrogram(y, N_FFT, HOP_LENGTH)
        loudness = audio_level(y)
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


def audio_level(y: np.ndarray) -> np.ndarray:
    """Measure the RMS level of each frame in dBFS: (samples,) to (frames,), as many as a spectrogram has."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, N_FFT // 2), N_FFT)[::HOP_LENGTH]
    mean_square = np.square(frames, dtype=np.float64).mean(axis=1)
    return 10 * np.log10(np.maximum(mean_square, 10 ** (FAINTEST_DBFS / 10)))

"""Statistics over time: one vector per clip, whatever its length, for trees, SVMs and linear models."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from serlab.errors import FeatureError
from serlab.features.base import Extractor, FrameFeature
from serlab.features.descriptors import (
    Rms,
    SpectralCentroid,
    SpectralContrast,
    SpectralRolloff,
    ZeroCrossingRate,
)
from serlab.features.pitch import F0
from serlab.features.spectral import Mel, Mfcc


def _slope(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    centred = t - t.mean()
    spread = np.square(centred).sum()
    return (x * centred).sum(axis=1) / spread if spread > 0 else np.zeros(len(x))


def _movement(x: np.ndarray, t: np.ndarray, middle: Callable = np.mean) -> np.ndarray:
    if len(t) < 2:
        return np.zeros(len(x))
    return middle(np.abs(np.diff(x)), axis=1) / np.diff(t).min()


def _standardised_moment(x: np.ndarray, t: np.ndarray, order: int) -> np.ndarray:
    centred = x - x.mean(axis=1, keepdims=True)
    spread = x.std(axis=1)
    power = (centred**order).mean(axis=1)
    return np.divide(power, spread**order, out=np.zeros(len(x)), where=spread > 1e-6)


def _percentile(x: np.ndarray, t: np.ndarray, q: float) -> np.ndarray:
    return np.percentile(x, q, axis=1)


# Each takes values (channels, frames) and the frames' times in seconds, and gives one number per channel.
STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean": lambda x, t: x.mean(axis=1),
    "std": lambda x, t: x.std(axis=1),
    "min": lambda x, t: x.min(axis=1),
    "max": lambda x, t: x.max(axis=1),
    **{f"p{q}": partial(_percentile, q=q) for q in (5, 20, 80, 95)},
    "median": partial(_percentile, q=50),
    "iqr": lambda x, t: np.percentile(x, 75, axis=1) - np.percentile(x, 25, axis=1),
    "range": lambda x, t: np.percentile(x, 95, axis=1) - np.percentile(x, 5, axis=1),
    "slope": _slope,
    "movement": _movement,
    "median_movement": partial(_movement, middle=np.median),
    "skewness": partial(_standardised_moment, order=3),
    "kurtosis": partial(_standardised_moment, order=4),
}

FRAME = {"n_fft": 512, "hop_length": 160}
DEFAULT_FEATURES = (
    Mfcc(n_mfcc=16, n_mels=40, deltas=2, **FRAME),
    Mel(n_mels=26, fmin=50.0, **FRAME),
    SpectralContrast(**FRAME),
    SpectralCentroid(**FRAME),
    SpectralRolloff(**FRAME),
    ZeroCrossingRate(**FRAME),
    Rms(scale="db", **FRAME),
    F0(scale="semitones", hop_length=160),
)

_TIMING = "speech_seconds speech_share bursts_per_second burst_seconds pause_seconds syllables_per_second"
TIMING = tuple(_TIMING.split())


@dataclass(frozen=True, kw_only=True)
class Summary(Extractor):
    """Statistics over time of frame features: one vector per clip, whatever the clip's length.

    Only frames of speech count: those no more than `gate_db` below the loudest one. The pitch is described
    over voiced frames alone, by statistics that a few frames an octave off do not move, and the share of
    voiced frames is added. Where no frame is left, statistics are 0.

    All `STATISTICS` can be taken; "slope" is the change per second of a fitted line, "movement" the mean
    absolute change per second. A burst of speech has no pause; peaks of loudness count as syllables.

    Examples
    --------
    >>> Summary(features=(Rms(scale="db"),), statistics=("mean", "std"), timing=False).feature_names
    ('rms_mean', 'rms_std')
    >>> Summary().extract(np.sin(np.arange(16000) ** 1.1)).shape == Summary().shape
    True
    """

    name: ClassVar[str] = "summary"
    units: ClassVar[dict[str, str]] = {
        "features": "measured frame by frame",
        "statistics": "taken over time of every channel",
        "pitch_statistics": "taken of those of the pitch instead",
        "gate_db": "dB below the loudest frame at which speech ends; None takes all frames",
        "timing": "add measures of rhythm",
    }

    features: tuple[FrameFeature, ...] = DEFAULT_FEATURES
    statistics: tuple[str, ...] = ("mean", "std", "p20", "median", "p80", "range", "slope", "movement")
    pitch_statistics: tuple[str, ...] = ("p20", "median", "p80", "iqr", "slope", "median_movement")
    gate_db: float | None = 40.0
    timing: bool = True

    def __post_init__(self) -> None:
        unknown = [name for name in self.statistics + self.pitch_statistics if name not in STATISTICS]
        if unknown:
            raise FeatureError(f"Unknown statistics {unknown}; there are {', '.join(STATISTICS)}")
        if not self.features:
            raise FeatureError("A summary needs at least one feature")
        grids = {(feature.sample_rate, feature.hop_length) for feature in self.features}
        if len(grids) > 1 or self.features[0].sample_rate != self.sample_rate:
            raise FeatureError(
                f"The features of a summary must share sample_rate (here {self.sample_rate}) and hop_length; "
                f"these have {sorted(grids)}"
            )
        fixed = [feature.name for feature in self.features if feature.seconds is not None]
        if fixed:
            raise FeatureError(f"A summary follows the clip's length: leave seconds out of {fixed}")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What each number of the vector is, such as 'mfcc3_mean'."""
        names = []
        for feature in self.features:
            taken = self._statistics(feature)
            names += [f"{channel}_{statistic}" for statistic in taken for channel in feature.channels]
            if isinstance(feature, F0):
                names.append("voiced_share")
        return (*names, *(TIMING if self.timing else ()))

    def _statistics(self, feature: FrameFeature) -> tuple[str, ...]:
        return self.pitch_statistics if isinstance(feature, F0) else self.statistics

    @property
    def shape(self) -> tuple[int]:
        return (len(self.feature_names),)

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into the vector: (samples,) to (numbers,)."""
        hop = self.features[0].hop_length
        level = Rms(scale="db", sample_rate=self.sample_rate, n_fft=2 * hop, hop_length=hop).extract(y)[0]
        speech = np.full(len(level), True) if self.gate_db is None else level > level.max() - self.gate_db
        times = np.arange(len(level)) * hop / self.sample_rate
        vector = []
        for feature in self.features:
            values = feature.extract(y).astype(np.float64)
            kept = speech & (values[0] > 0) if isinstance(feature, F0) else speech
            names = self._statistics(feature)
            if kept.any():
                vector += [STATISTICS[name](values[:, kept], times[kept]) for name in names]
            else:
                vector.append(np.zeros(len(names) * len(values)))
            if isinstance(feature, F0):
                vector.append([kept.sum() / max(1, speech.sum())])
        if self.timing:
            vector.append(_timing(level, speech, hop / self.sample_rate))
        return np.concatenate(vector).astype(np.float32)

    def __str__(self) -> str:
        # The features print by name: their own parameters would fill a page.
        parts = ", ".join(f"{feature.name} ({len(feature.channels)})" for feature in self.features)
        return super().__str__().replace(repr(self.features), parts)


def _timing(level: np.ndarray, speech: np.ndarray, step: float) -> list[float]:
    """Measure the rhythm of a clip from the level in dB of each frame and whether it is speech."""
    import scipy.signal

    edges = np.flatnonzero(np.diff(np.concatenate([[0], speech.astype(int), [0]])))
    starts, ends = edges[::2], edges[1::2]
    total = max((ends[-1] - starts[0]) * step, step) if len(starts) else step
    pauses = starts[1:] - ends[:-1]
    # About 50 ms of smoothing and 3 dB of depth leave one peak per syllable.
    width = max(1, round(0.05 / step))
    smooth = np.convolve(level, np.ones(width) / width, mode="same")
    peaks, _ = scipy.signal.find_peaks(np.where(speech, smooth, smooth.min()), prominence=3.0)
    return [
        speech.sum() * step,
        speech.sum() * step / total,
        len(starts) / total,
        (ends - starts).mean() * step if len(starts) else 0.0,
        pauses.mean() * step if len(pauses) else 0.0,
        len(peaks) / total,
    ]

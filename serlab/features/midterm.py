"""The 136 mid-term statistics of pyAudioAnalysis, computed with NumPy and SciPy for all frames at once."""

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.fft

from serlab import audio
from serlab.errors import FeatureError
from serlab.features.base import Extractor

SHORT_TERM = (
    *("zcr", "energy", "energy_entropy"),
    *(f"spectral_{name}" for name in ("centroid", "spread", "entropy", "flux", "rolloff")),
    *(f"mfcc_{number}" for number in range(1, 14)),
    *(f"chroma_{number}" for number in range(1, 13)),
    "chroma_std",
)
BLOCKS = 10
ROLLOFF = 0.9
EPS = np.finfo(float).eps


@dataclass(frozen=True, kw_only=True)
class MidTerm(Extractor):
    """The 136 mid-term statistics of pyAudioAnalysis: 34 short-term features and their changes from frame to
    frame, the mean and the deviation of each within windows of a second, averaged over the clip.

    Short-term features, in this order: zero-crossing rate, energy, entropy of energy; centroid, spread,
    entropy, flux and roll-off of the spectrum; 13 MFCC; 12 chroma and their deviation. Values are those of
    pyAudioAnalysis 0.3.14, peculiarities included: its MFCC filters are laid over the spectrum as if that
    went up to the sampling rate rather than to half of it, so that they look at half the frequencies they are
    named after; and of several spectral lines that belong to one note chroma keep the last alone.

    References
    ----------
    Giannakopoulos 2015, pyAudioAnalysis: an open-source Python library for audio signal analysis, PLOS ONE
    10(12), e0144610.

    Examples
    --------
    >>> statistics = MidTerm(sample_rate=8000)
    >>> statistics.shape, statistics.feature_names[0], statistics.feature_names[-1]
    ((136,), 'zcr_mean', 'delta chroma_std_std')
    >>> tone = statistics.extract(np.sin(2 * np.pi * 500 * np.arange(8000) / 8000))
    >>> round(float(tone[3]) * 4000)  # the centroid is a share of half the sampling rate
    520
    """

    name: ClassVar[str] = "midterm"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy", "soxr")
    releases_gil: ClassVar[bool] = True
    units: ClassVar[dict[str, str]] = {
        "short_window": "s, length of a frame",
        "short_step": "s, from one frame to the next",
        "mid_window": "s, over which mean and deviation are taken",
        "mid_step": "s, from one such window to the next",
    }

    shape: ClassVar[tuple[int]] = (4 * len(SHORT_TERM),)

    short_window: float = 0.05
    short_step: float = 0.05
    mid_window: float = 1.0
    mid_step: float = 1.0

    def __post_init__(self) -> None:
        lines = round(self.short_window * self.sample_rate) // 2
        if lines < 1 or _notes(self.sample_rate, lines).max() >= lines:
            raise FeatureError(
                f"Frames of {self.short_window:g} s at {self.sample_rate} Hz have too few spectral lines for "
                "chroma: take a longer short_window, such as 0.05"
            )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """What each number is, as pyAudioAnalysis names it, such as 'zcr_mean', 'delta mfcc_3_std'."""
        frames = (*SHORT_TERM, *(f"delta {name}" for name in SHORT_TERM))
        return tuple(f"{name}_{statistic}" for statistic in ("mean", "std") for name in frames)

    def short_term(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (34, frames); names are in `SHORT_TERM`."""
        y = audio.signal(y, self.name).astype(np.float64)
        window, step = (round(s * self.sample_rate) for s in (self.short_window, self.short_step))
        if len(y) < window:
            raise FeatureError(f"{self.name} needs a signal of at least {window} samples, not of {len(y)}")
        y = y - y.mean()
        y /= np.abs(y).max() + 1e-10
        frames = np.lib.stride_tricks.sliding_window_view(y, window)[::step]
        lines = window // 2
        spectrum = np.abs(np.fft.rfft(frames)[:, :lines]) / lines
        measured = [
            np.abs(np.diff(np.sign(frames))).sum(axis=1) / 2 / (window - 1),
            np.square(frames).sum(axis=1) / window,
            _entropy(frames),
            *_centroid_and_spread(spectrum),
            _entropy(spectrum),
            _flux(spectrum),
            _rolloff(spectrum),
            _mfcc(spectrum, self.sample_rate).T,
            *_chroma(spectrum, self.sample_rate),
        ]
        return np.vstack(measured)

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into the 136 numbers: (samples,) to (136,)."""
        frames = self.short_term(y)
        frames = np.vstack([frames, np.diff(frames, axis=1, prepend=frames[:, :1])])
        overlap = self.short_window - self.short_step
        size = max(round((self.mid_window - overlap) / self.short_step), 1)
        step = max(round(self.mid_step / self.short_step), 1)
        windows = [frames[:, start : start + size] for start in range(0, frames.shape[1], step)]
        found = [np.concatenate([part.mean(axis=1), part.std(axis=1)]) for part in windows]
        return np.mean(found, axis=0).astype(np.float32)


def _entropy(values: np.ndarray) -> np.ndarray:
    """Compute the entropy in bits of how the energy of each row is spread over ten blocks of it."""
    size = values.shape[1] // BLOCKS
    energy = np.square(values)
    blocks = energy[:, : size * BLOCKS].reshape(len(values), BLOCKS, size).sum(axis=2)
    share = blocks / (energy.sum(axis=1, keepdims=True) + EPS)
    return -np.sum(share * np.log2(share + EPS), axis=1)


def _centroid_and_spread(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute centroid and spread of each spectrum, as shares of half the sampling rate."""
    place = np.arange(1, spectrum.shape[1] + 1) / spectrum.shape[1]
    peak = spectrum.max(axis=1, keepdims=True)
    weight = spectrum / np.where(peak > 0, peak, 1)
    total = weight.sum(axis=1) + EPS
    centroid = weight @ place / total
    spread = np.sqrt(np.sum(weight * (place - centroid[:, None]) ** 2, axis=1) / total)
    return centroid, spread


def _flux(spectrum: np.ndarray) -> np.ndarray:
    share = spectrum / np.sum(spectrum + EPS, axis=1, keepdims=True)
    return np.square(np.diff(share, axis=0, prepend=share[:1])).sum(axis=1)


def _rolloff(spectrum: np.ndarray) -> np.ndarray:
    energy = np.square(spectrum)
    above = np.cumsum(energy, axis=1) + EPS > ROLLOFF * energy.sum(axis=1, keepdims=True)
    return above.argmax(axis=1) / spectrum.shape[1]


def _mfcc(spectrum: np.ndarray, sample_rate: int) -> np.ndarray:
    bands = np.log10(spectrum @ _filters(sample_rate, spectrum.shape[1]).T + EPS)
    return scipy.fft.dct(bands, type=2, norm="ortho", axis=1)[:, :13]


@functools.lru_cache(maxsize=8)
def _filters(sample_rate: int, lines: int) -> np.ndarray:
    """Make the 40 triangular filters, 13 in equal steps, then 27 in equal ratios: (filters, lines)."""
    linear = 133.33 + np.arange(13) * 200 / 3
    edges = np.concatenate([linear, linear[-1] * 1.0711703 ** np.arange(1, 30)])
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    # Half of these lines' frequencies would be right; so it is in pyAudioAnalysis.
    line = np.arange(lines)
    frequency = line / lines * sample_rate
    first, middle, last = (np.floor(edge * lines / sample_rate) for edge in (low, centre, high))
    height = 2 / (high - low)
    rising = height / (centre - low) * (frequency - low) * ((line > first) & (line <= middle))
    falling = height / (high - centre) * (high - frequency) * ((line > middle) & (line <= last))
    return rising + falling


@functools.lru_cache(maxsize=8)
def _notes(sample_rate: int, lines: int) -> np.ndarray:
    """Number the semitone above 27.5 Hz that each spectral line is nearest to."""
    frequency = (np.arange(lines) + 1) * sample_rate / (2 * lines)
    return np.round(12 * np.log2(frequency / 27.5)).astype(int)


def _chroma(spectrum: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute the energy of the 12 notes, and its deviation between them: (12, frames) and (frames,)."""
    frames, lines = spectrum.shape
    notes = _notes(sample_rate, lines)
    energy = np.square(spectrum)
    _, number, count = np.unique(notes, return_inverse=True, return_counts=True)
    found = np.zeros((frames, -(-lines // 12) * 12))
    # Of the lines of one note the last is kept; notes below 27.5 Hz count from the end.
    found[:, notes % lines] = energy
    found[:, :lines] /= count[number][notes]
    total = energy.sum(axis=1, keepdims=True)
    chroma = found.reshape(frames, -1, 12).sum(axis=1) / np.where(total > 0, total, 1)
    return chroma.T, chroma.std(axis=1)

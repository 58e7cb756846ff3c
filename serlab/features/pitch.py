"""The fundamental frequency of the voice, frame by frame."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.fft

from serlab.errors import FeatureError
from serlab.features.base import FrameFeature

# Semitones are counted from here, as eGeMAPS does.
SEMITONE_ZERO = 27.5

# Settings of the method, with the values that Praat has for speech. Costs are in units of correlation.
CANDIDATES = 8  # per frame; more change nothing
SILENCE = 0.03  # share of the clip's peak: a frame that stays below it is hardly voiced, however regular
OCTAVE_COST = 0.01  # per octave down: of two equally good periods, the shorter one
JUMP_COST = 0.35  # per octave of change between frames that are 10 ms apart
SWITCH_COST = 0.14  # between voiced and unvoiced, likewise
# Correlations are computed at so many lags per sample: a parabola between them is then exact to a cent.
OVERSAMPLING = 2
# Frames are correlated in blocks, so that memory does not grow with the length of a clip.
BLOCK = 2000


@dataclass(frozen=True, kw_only=True)
class F0(FrameFeature):
    """Fundamental frequency of the voice (its pitch), 0 where unvoiced; and how periodic each frame is.

    Boersma's method, which is the one of Praat. The autocorrelation of each frame, divided by that of its
    window, has peaks where the frame resembles itself later: candidates for its period. The path through the
    frames is taken that has the strongest candidates and the fewest leaps; that a frame is unvoiced is one of
    its candidates, with a strength of `threshold`. The strongest correlation is the second channel.

    It agrees with Praat better than librosa's pYIN, and needs a tenth of the time (`benchmarks/pitch.py`).

    Longer frames blur quick changes; they hold at least three periods of `fmin`.

    References
    ----------
    Boersma 1993, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio
    of a sampled sound, IFA Proceedings 17, 97-110.

    Examples
    --------
    >>> pulses = np.zeros(16000)
    >>> pulses[::100] = 1.0  # 160 Hz
    >>> F0().extract(pulses)[:, 30].round(1)
    array([160.,   1.], dtype=float32)
    """

    name: ClassVar[str] = "f0"
    units: ClassVar[dict[str, str]] = {
        "scale": "hz, or semitones above 27.5 Hz",
        "fmin": "Hz, lowest pitch",
        "fmax": "Hz, highest pitch",
        "threshold": "correlation from which on a frame is voiced",
    }

    n_fft: int = 800
    scale: str = "hz"
    fmin: float = 60.0
    fmax: float = 600.0
    threshold: float = 0.45

    def __post_init__(self) -> None:
        if self.scale not in ("hz", "semitones"):
            raise FeatureError(f"scale must be 'hz' or 'semitones', not {self.scale!r}")
        if not 0 < self.fmin < self.fmax <= self.sample_rate / 4:
            raise FeatureError(
                f"fmin and fmax must be in order, between 0 and a quarter of the sample rate, not "
                f"{self.fmin:g} and {self.fmax:g} Hz at {self.sample_rate} Hz"
            )
        if 3 * self.sample_rate / self.fmin > self.n_fft:
            raise FeatureError(
                f"A frame of {self.n_fft} samples does not hold three periods of {self.fmin:g} Hz. "
                f"Take n_fft={int(np.ceil(3 * self.sample_rate / self.fmin))}, or a higher fmin."
            )

    @property
    def channels(self) -> tuple[str, ...]:
        return ("f0", "periodicity")

    def frames(self, y: np.ndarray) -> np.ndarray:
        y = y - y.mean()
        count = 1 + len(y) // self.hop_length
        peak = np.abs(y).max()
        if peak == 0:
            return np.zeros((2, count))
        padded = np.pad(y / peak, (self.n_fft // 2, self.n_fft))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop_length][:count]
        blocks = [self._candidates(frames[start : start + BLOCK]) for start in range(0, count, BLOCK)]
        f0, correlation, level = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        strength = np.where(correlation > 0, correlation + OCTAVE_COST * np.log2(f0 / self.fmin), -np.inf)
        unvoiced = self.threshold + np.maximum(0, 2 - level * (1 + self.threshold) / SILENCE)
        path = _best_path(np.log2(f0), strength, unvoiced, 0.01 * self.frame_rate)
        chosen = np.column_stack([f0, np.zeros(count)])[np.arange(count), path]
        if self.scale == "semitones":
            chosen = 12 * np.log2(np.where(chosen > 0, chosen, SEMITONE_ZERO) / SEMITONE_ZERO)
        return np.stack([chosen, np.where(level > SILENCE, np.clip(correlation.max(axis=1), 0, 1), 0)])

    def _candidates(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find frequencies in Hz and correlations (time, candidates), 0 for none; and each frame's peak."""
        longest = self.sample_rate / self.fmin
        window = np.hanning(self.n_fft + 2)[1:-1].astype(np.float32)
        size = scipy.fft.next_fast_len(self.n_fft + int(longest) + 2, real=True)

        def autocorrelation(x: np.ndarray) -> np.ndarray:
            power = np.abs(scipy.fft.rfft(x, size)) ** 2
            lags = scipy.fft.irfft(power, OVERSAMPLING * size)[..., : int(OVERSAMPLING * longest) + 2]
            return lags / np.maximum(lags[..., :1], np.finfo(np.float32).tiny)

        r = autocorrelation((frames - frames.mean(axis=1, keepdims=True)) * window) / autocorrelation(window)
        first = int(OVERSAMPLING * self.sample_rate / self.fmax)
        left, top, right = r[:, first - 1 : -2], r[:, first:-1], r[:, first + 1 :]
        is_peak = (top > left) & (top >= right) & (top > 0)
        # A parabola through a peak and its neighbours gives its place and height.
        curve = np.where(is_peak, (top - left) + (top - right), 1)
        offset = np.where(is_peak, (right - left) / 2 / curve, 0)
        f0 = OVERSAMPLING * self.sample_rate / (np.arange(first, r.shape[1] - 1) + offset)
        is_peak &= (f0 >= self.fmin) & (f0 <= self.fmax)
        correlation = np.where(is_peak, top + (right - left) * offset / 4, 0)
        kept = np.argsort(correlation + OCTAVE_COST * np.log2(f0) * is_peak, axis=1)[:, -CANDIDATES:]
        middle = slice(int((self.n_fft - longest) / 2), int((self.n_fft + longest) / 2) + 1)
        f0, correlation = (np.take_along_axis(values, kept, axis=1) for values in (f0, correlation))
        return f0, correlation, np.abs(frames[:, middle]).max(axis=1)


def _best_path(octaves: np.ndarray, strength: np.ndarray, unvoiced: np.ndarray, scale: float) -> np.ndarray:
    """Choose a candidate per frame (Viterbi algorithm): the last is unvoiced, costs count `scale` times."""
    count, last = strength.shape
    strength = np.column_stack([strength, unvoiced])
    cost = np.full((count, last + 1, last + 1), SWITCH_COST)  # from a candidate of the frame before
    cost[:, last, last] = 0
    cost[1:, :last, :last] = JUMP_COST * np.abs(octaves[:-1, :, None] - octaves[1:, None, :])
    cost *= scale
    before = np.zeros((count, last + 1), dtype=int)
    total = strength[0]
    for now in range(1, count):
        reached = total[:, None] - cost[now]
        before[now] = reached.argmax(axis=0)
        total = reached.max(axis=0) + strength[now]
    path = np.empty(count, dtype=int)
    path[-1] = total.argmax()
    for now in range(count - 1, 0, -1):
        path[now - 1] = before[now, path[now]]
    return path

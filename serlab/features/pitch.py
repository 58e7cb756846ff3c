"""The fundamental frequency of the voice, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab.errors import FeatureError
from serlab.features.base import FrameFeature

# Semitones are counted from here, as eGeMAPS does.
SEMITONE_ZERO = 27.5
# A frame so far below the loudest one is not taken as voiced, however regular.
QUIET_DB = 40.0


@dataclass(frozen=True, kw_only=True)
class F0(FrameFeature):
    """Fundamental frequency of the voice (its pitch), 0 where unvoiced; and how periodic each frame is.

    YIN proposes a period for every frame. A frame counts as voiced if it resembles itself one period later
    (normalised correlation of at least `threshold`) and is not far quieter than the loudest frame. The
    correlation is the second channel.

    Attributes
    ----------
    scale : {"hz", "semitones"}
        In Hz, or in semitones above 27.5 Hz.
    fmin, fmax : float
        Lowest and highest pitch in Hz.
    threshold : float
        Correlation, between 0 and 1, from which on a frame is voiced.

    References
    ----------
    de Cheveigné & Kawahara 2002, YIN, a fundamental frequency estimator for speech and music,
    J. Acoust. Soc. Am. 111(4), 1917-1930.
    Boersma 1993, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio
    of a sampled sound, IFA Proceedings 17, 97-110 (the correlation, and its use to tell voiced from
    unvoiced).

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

    scale: str = "hz"
    fmin: float = 60.0
    fmax: float = 600.0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.scale not in ("hz", "semitones"):
            raise FeatureError(f"scale must be 'hz' or 'semitones', not {self.scale!r}")
        if 2 * self.sample_rate / self.fmin > self.n_fft:
            raise FeatureError(
                f"A frame of {self.n_fft} samples does not hold two periods of {self.fmin:g} Hz. "
                "Take a larger n_fft, or a higher fmin."
            )

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the rows of the result."""
        return ("f0", "periodicity")

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (2, time)."""
        import librosa

        f0 = librosa.yin(
            y,
            fmin=self.fmin,
            fmax=self.fmax,
            sr=self.sample_rate,
            frame_length=self.n_fft,
            hop_length=self.hop_length,
        )
        periodicity, power = self._periodicity(y, np.rint(self.sample_rate / f0).astype(int))
        loud = power > power.max() * 10 ** (-QUIET_DB / 10)
        voiced = (periodicity >= self.threshold) & loud
        if self.scale == "semitones":
            f0 = 12 * np.log2(f0 / SEMITONE_ZERO)
        return np.stack([np.where(voiced, f0, 0.0), np.where(loud, periodicity, 0.0)])

    def _periodicity(self, y: np.ndarray, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Correlate each frame with itself one period later; also give its mean power."""
        longest = int(np.ceil(self.sample_rate / self.fmin)) + 1
        width = self.n_fft - longest
        padded = np.pad(y.astype(np.float64), (self.n_fft // 2, self.n_fft))
        starts = np.arange(len(periods)) * self.hop_length
        windows = np.lib.stride_tricks.sliding_window_view(padded, width)
        now, later = windows[starts], windows[starts + np.minimum(periods, longest)]
        energy, energy_later = np.square(now).sum(axis=1), np.square(later).sum(axis=1)
        scale = np.sqrt(energy * energy_later)
        product = (now * later).sum(axis=1)
        periodicity = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
        return np.clip(periodicity, 0.0, 1.0), energy / width

"""Frame features laid on top of each other: the contours that the CREMA-D networks see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab.errors import FeatureError
from serlab.features.base import FrameFeature
from serlab.features.shape import Rms, ZeroCrossingRate

# The original padded to 3.5 s as if the rate were 22.05 kHz, and read at CREMA-D's own, 16 kHz.
ORIGINAL_SAMPLES = 77175
ORIGINAL_FRAME = {"n_fft": 2048, "hop_length": 512}


@dataclass(frozen=True, kw_only=True)
class Contours(FrameFeature):
    """Several frame features of one clip, one under the other: by default zero crossings and energy.

    By default as the original CREMA-D network saw them: clips in the middle of 77,175 samples, 151 frames.

    Attributes
    ----------
    features : tuple of FrameFeature
        What is measured. Their rate, step and length of frames must be those given here.

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
        """Names of the rows of the result."""
        return tuple(name for feature in self.features for name in feature.channels)

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Measure every frame: (samples,) to (channels, time)."""
        return np.concatenate([feature.extract(y) for feature in self.features])

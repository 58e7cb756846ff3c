"""Spectrograms as small pictures between 0 and 1, for networks that paint them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab import audio
from serlab.errors import FeatureError
from serlab.features.base import Extractor


@dataclass(frozen=True, kw_only=True)
class Picture(Extractor):
    """A magnitude spectrogram in dB as a grey picture: the loudest value of the clip is 1, what is `range_db`
    or more below it is 0.

    Frames do not overlap, and no window function is applied.
    Like the spectrograms of pyAudioAnalysis it begins after the first frame and has no line for half the
    sampling rate: 30,000 samples at 8 kHz give 74 frames of 200 lines.

    Attributes
    ----------
    seconds : float
        Clips are cut or padded to this length around their middle.
    window : float
        Length of a frame in seconds, and step from one to the next.
    range_db : float

    Examples
    --------
    >>> Picture().shape, Picture(seconds=2.5).shape
    ((74, 200), (49, 200))
    """

    name: ClassVar[str] = "picture"
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
                "A picture needs two frames or more and a range above 0 dB, not "
                f"{self.seconds:g} s in frames of {self.window:g} s and {self.range_db:g} dB"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, lines of the spectrum)."""
        size = round(self.window * self.sample_rate)
        return round(self.seconds * self.sample_rate) // size - 1, size // 2

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into a picture: (samples,) to (frames, lines), values in [0, 1]."""
        y = audio.fit_length(audio.signal(y, self.name), round(self.seconds * self.sample_rate), "centre")
        frames, lines = self.shape
        blocks = y[: 2 * lines * (frames + 1)].reshape(frames + 1, 2 * lines)[1:]
        magnitude = np.abs(np.fft.rfft(blocks)[:, :lines])
        loudest = magnitude.max()
        if loudest == 0:
            return np.zeros(self.shape, np.float32)
        level = 20 * np.log10(np.maximum(magnitude / loudest, 1e-10))
        return np.clip(1 + level / self.range_db, 0, 1).astype(np.float32)

"""The augmentation of the original RAVDESS notebook."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab import audio
from serlab.augment.copies import package_source
from serlab.augment.spectrogram import frequency_mask, time_mask
from serlab.augment.waveform import pitch_shift
from serlab.features.base import Extractor
from serlab.features.spectral import OriginalMel

VERSIONS = 5
MASKED = 3


def original_versions(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make of one training clip the five spectrograms that the original augmented CNN was trained on.

    The first is the clip itself. Each of the next four is shifted up in pitch by 0 to 3 whole semitones
    from the one before, so that the last may be an octave above the clip. The last three of them are then
    covered by four time masks of 15 to 49 frames and four frequency masks of 5 to 14 bands, filled with
    zeros.

    A time mask may cover a third of the clip, and four of them nearly all of it: compare with the widths
    that `time_mask` has by default.

    Parameters
    ----------
    y : ndarray, shape (samples,)
        Mono at 22.05 kHz, the rate that `serlab.features.OriginalMel` reads at.
    rng : Generator

    Returns
    -------
    ndarray of float32, shape (5, 128, 147)
        Square roots of mel spectrograms; row 0 is unaltered.

    Examples
    --------
    >>> y = np.sin(np.arange(30000) * 0.1)
    >>> versions = original_versions(y, np.random.default_rng(0))
    >>> versions.shape, bool(np.array_equal(versions[0], OriginalMel().extract(y)))
    ((5, 128, 147), True)
    """
    mel = OriginalMel()
    y = y[: round(mel.seconds * mel.sample_rate)]
    results = [mel.extract(y)]
    for semitones in rng.integers(0, 4, size=VERSIONS - 1):
        y = pitch_shift(y, semitones, mel.sample_rate)
        results.append(mel.extract(y))
    results = np.stack(results)
    masked = time_mask(results[-MASKED:], rng, count=4, width=(15, 49), fill=0.0)
    results[-MASKED:] = frequency_mask(masked, rng, count=4, width=(5, 14), fill=0.0)
    return results


@dataclass(frozen=True, kw_only=True)
class OriginalVersions(Extractor):
    """The five versions of every clip that `original_versions` makes, for the feature store.

    A clip's versions are one row, so that they are on one side of any split: train on ``X[fold.train]``
    with the first two dimensions made one, test on ``X[fold.test, 0]``, the clips as they are.

    Attributes
    ----------
    seed : int
        Of the changes, which depend on it and on the sound of the clip.

    Examples
    --------
    >>> OriginalVersions(seed=1).shape
    (5, 128, 147)
    """

    name: ClassVar[str] = "original-versions"
    libraries: ClassVar[tuple[str, ...]] = ("librosa", "numba", "numpy", "scipy", "soxr")
    units: ClassVar[dict[str, str]] = {"seed": "of the changes"}

    sample_rate: int = 22050
    seed: int = 0

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(versions, bands, frames)."""
        return (VERSIONS, *OriginalMel().shape)

    @property
    def input_seconds(self) -> float | None:
        """How much of the beginning of a clip is enough, in seconds."""
        return OriginalMel().seconds

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change with the seed, the code, and the spectrogram."""
        parts = (super().key, OriginalMel().key, package_source())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Make the five versions of one signal."""
        y = audio.signal(y, self.name)
        return original_versions(y, np.random.default_rng([self.seed, zlib.crc32(y.tobytes())]))

"""Features of altered clips, for the feature store: one version, several in one row, and the original's five.

Changes depend on the settings and on the sound of a clip, not on its place in a table.
"""

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab import audio
from serlab.augment.chain import Chain
from serlab.augment.spectrogram import frequency_mask, time_mask
from serlab.augment.waveform import pitch_shift
from serlab.features.base import Extractor
from serlab.features.spectral import OriginalMel

VERSIONS = 5
MASKED = 3


@dataclass(frozen=True, kw_only=True)
class _Altered(Extractor):
    """An extractor of altered signals, at its rate."""

    libraries: ClassVar[tuple[str, ...]] = ("numba", "numpy", "scipy", "soxr")

    extractor: Extractor

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample_rate", self.extractor.sample_rate)


@dataclass(frozen=True, kw_only=True)
class Augmented(_Altered):
    """The features, by an extractor at its sample rate, of an altered version of each clip.

    The chain holds changes to signals. `version` counts from 1: another version has other changes.
    """

    name: ClassVar[str] = "augmented"
    units: ClassVar[dict[str, str]] = {
        "extractor": "what is measured",
        "chain": "what is changed",
        "version": "which random draws",
    }

    chain: Chain
    version: int = 1

    @property
    def shape(self) -> tuple[int | None, ...]:
        """That of the extractor."""
        return self.extractor.shape

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Change one signal and measure it."""
        y = audio.signal(y, self.name)
        return self.extractor.extract(self.chain(y, self.version, zlib.crc32(y.tobytes())))


@dataclass(frozen=True, kw_only=True)
class Versions(_Altered):
    """The features of every clip as it is, and of altered versions of it, one for each of `chains`.

    A clip's versions are one row, so that they are on one side of any split. Networks with ``copies=True``
    train on all of them and are tested with the first, the clip as it is.

    Examples
    --------
    >>> from serlab.augment import Step, time_stretch
    >>> from serlab.features import Averages
    >>> quicker = Chain(Step(time_stretch, rate=1.23, sample_rate=16000))
    >>> Versions(extractor=Averages(), chains=(quicker,)).shape
    (2, 193)
    """

    name: ClassVar[str] = "versions"
    units: ClassVar[dict[str, str]] = {
        "extractor": "what is measured",
        "chains": "what is changed, version by version",
    }

    chains: tuple[Chain, ...]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(versions, ...), the clip as it is first."""
        return (1 + len(self.chains), *self.extractor.shape)

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Measure one signal and its versions."""
        altered = [
            Augmented(extractor=self.extractor, chain=chain, version=number)
            for number, chain in enumerate(self.chains, 1)
        ]
        return np.stack([one.extract(y) for one in (self.extractor, *altered)])


@dataclass(frozen=True, kw_only=True)
class OriginalVersions(Extractor):
    """The five spectrograms of each clip that the original augmented CNN learned from; `seed` draws them.

    The first is the clip itself. Each of the next four is shifted up in pitch by 0 to 3 whole semitones from
    the one before, up to an octave in all. The last three of them are covered by four time masks of 15 to 49
    frames and four frequency masks of 5 to 14 bands, filled with zeros: nearly all of a clip may be covered.

    A clip's versions are one row, so that they are on one side of any split: train on ``X[fold.train]``
    with the first two dimensions made one, test on ``X[fold.test, 0]``, the clips as they are.
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

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Make the five versions of one signal."""
        y, mel = audio.signal(y, self.name), OriginalMel()
        rng = np.random.default_rng([self.seed, zlib.crc32(y.tobytes())])
        y = y[: round(mel.seconds * mel.sample_rate)]
        results = [mel.extract(y)]
        for semitones in rng.integers(0, 4, size=VERSIONS - 1):
            y = pitch_shift(y, semitones, mel.sample_rate)
            results.append(mel.extract(y))
        results = np.stack(results)
        masked = time_mask(results[-MASKED:], rng, count=4, width=(15, 49), fill=0.0)
        results[-MASKED:] = frequency_mask(masked, rng, count=4, width=(5, 14), fill=0.0)
        return results

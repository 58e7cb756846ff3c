"""A clip and altered versions of it in one row, so that no split can tear them apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from serlab.augment.chain import Chain
from serlab.augment.copies import Augmented
from serlab.features.base import Extractor


@dataclass(frozen=True, kw_only=True)
class Versions(Extractor):
    """The features of every clip as it is, and of altered versions of it.

    A clip's versions are one row, so that they are on one side of any split. Networks with ``copies=True``
    train on all of them and are tested with the first, the clip as it is.

    Attributes
    ----------
    extractor : Extractor
        What is measured.
    chains : tuple of Chain
        One for each altered version: changes to signals at the extractor's rate.

    Examples
    --------
    >>> from serlab.augment import Step, time_stretch
    >>> from serlab.features import Averages
    >>> quicker = Chain(Step(time_stretch, rate=1.23, sample_rate=16000))
    >>> Versions(extractor=Averages(), chains=(quicker,)).shape
    (2, 193)
    """

    name: ClassVar[str] = "versions"
    libraries: ClassVar[tuple[str, ...]] = Augmented.libraries
    units: ClassVar[dict[str, str]] = {
        "extractor": "what is measured",
        "chains": "what is changed, version by version",
    }

    extractor: Extractor
    chains: tuple[Chain, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample_rate", self.extractor.sample_rate)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(versions, ...), the clip as it is first."""
        return (1 + len(self.chains), *self.extractor.shape)

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change with the chains, the code behind them, and the extractor."""
        parts = (super().key, *(version.key for version in self._altered))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Measure one signal and its versions."""
        return np.stack([one.extract(y) for one in (self.extractor, *self._altered)])

    @property
    def _altered(self) -> tuple[Augmented, ...]:
        return tuple(
            Augmented(extractor=self.extractor, chain=chain, version=number)
            for number, chain in enumerate(self.chains, 1)
        )

"""What has to be said about a model before it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from serlab.features.base import Extractor

TRANSDUCTIVE = "speaker-normalised, transductive"


@dataclass(frozen=True)
class ModelSpec:
    """A model of the book: features, estimator, and what a reader must know to judge its results.

    Attributes
    ----------
    name : str
        Short and unique; names the files of its recorded runs.
    title : str
        As shown to readers.
    chapter : int
        Where the book teaches it.
    extractors : tuple of Extractor
        Features; those of several are laid side by side. None for models that do not listen.
    build : callable
        Takes a number, returns a fresh estimator for `serlab.training.cross_validate`.
    validation : str
        How settings were chosen. Never on test data.
    seeds : tuple of int
        Several wherever training is random.
    speaker_normalised : bool
        Whether features are z-scored within each speaker, test speakers too (transductive: it uses their
        unlabelled clips).
    ensemble : bool
        Whether several models vote.
    augmentation : str
        What is done to training clips; "none" for nothing.
    pretrained : tuple of str
        Models trained elsewhere on other data; empty if trained from scratch.
    libraries : tuple of str
        Packages whose versions are recorded besides the usual ones.
    """

    name: str
    title: str
    chapter: int
    extractors: tuple[Extractor, ...]
    build: Callable[[int], Any]
    validation: str
    seeds: tuple[int, ...] = (0,)
    speaker_normalised: bool = False
    ensemble: bool = False
    augmentation: str = "none"
    pretrained: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    def normalised(self) -> ModelSpec:
        """Give the same model on features z-scored within each speaker, and say so in name and title."""
        title = f"{self.title} ({TRANSDUCTIVE})"
        return replace(self, name=f"{self.name}-spknorm", title=title, speaker_normalised=True)

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
    single_fold_seeds : tuple of int
        Those for a protocol of one fold, which holds few clips. Where none are given, random models get ten.
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
    validates : {"itself", "speakers", "clips", "test"}
        Where the clips come from that a network's epoch is chosen with: the model needs none, or sees to
        it within `fit`; a fifth of the training clips, of speakers of their own; a twentieth of them,
        whoever speaks; the test clips, as many notebooks do.
    members : tuple of str
        Recorded models that vote with equal weight (see `serlab.voting.vote`); then there is nothing to
        build.
    normalises_scores : bool
        Whether the scores of the vote are standardised within each speaker (transductive; see
        `serlab.voting.normalise_scores`).
    learns_emotions : bool
        Whether emotions are learned and their probabilities merged to the classes of a protocol on valence
        (see `serlab.voting.merge_classes`).
    plan : tuple of (str, str), optional
        Corpora and protocols that the book records it under; those of `serlab.runs.PLAN` by default, none
        if empty.
    """

    name: str
    title: str
    chapter: int
    extractors: tuple[Extractor, ...]
    build: Callable[[int], Any] | None
    validation: str
    seeds: tuple[int, ...] = (0,)
    single_fold_seeds: tuple[int, ...] = ()
    speaker_normalised: bool = False
    ensemble: bool = False
    augmentation: str = "none"
    pretrained: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    validates: str = "itself"
    members: tuple[str, ...] = ()
    normalises_scores: bool = False
    learns_emotions: bool = False
    plan: tuple[tuple[str, str], ...] | None = None

    @property
    def network(self) -> bool:
        """Whether a network is trained: rounding then grows with every step.

        A model on embeddings of a network that was trained elsewhere is none, and neither is a vote, which
        trains nothing.
        """
        return self.build is not None and "keras" in getattr(self.build(0), "libraries", ())

    def normalised(self) -> ModelSpec:
        """Give the same model on features z-scored within each speaker, and say so in name and title."""
        title = f"{self.title} ({TRANSDUCTIVE})"
        return replace(self, name=f"{self.name}-spknorm", title=title, speaker_normalised=True)

    def by_emotion(self) -> ModelSpec:
        """Give the same model, which learns emotions where it is asked for valence, and say so."""
        title = f"{self.title}, emotions first"
        return replace(self, name=f"{self.name}-emotions", title=title, learns_emotions=True)

"""What is said about a model before it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from serlab import splits
from serlab.errors import EvaluationError
from serlab.features import SpeakerNormaliser
from serlab.features.base import Extractor

TRANSDUCTIVE = "speaker-normalised, transductive"
SUFFIXES = {"features": "-spknorm", "scores": "-scorenorm"}
# Optional packages, whose versions are recorded besides the usual ones.
OPTIONAL = ("keras", "opensmile")


@dataclass(frozen=True)
class ModelSpec:
    """A model of the book: features, estimator, and what a reader must know to judge its results.

    Attributes
    ----------
    name, title : str
        Short and unique, for the files of its recorded runs; and as shown to readers.
    chapter : int
        Where the book teaches it.
    extractors : tuple of Extractor
        Features; those of several are laid side by side. None for models that do not listen.
    build : callable
        Takes a seed, returns a fresh estimator; None for a vote. `serlab.training.cross_validate` is given
        the spec, which says what else belongs to the model.
    validation : str
        How settings were chosen. Never on test data.
    repeats : (int, int)
        Number of seeds where a protocol has several folds, and where it has one, which holds few clips.
        Several wherever training is random.
    validates : {"itself", "speakers", "clips", "test"}
        Which clips choose a network's epoch: none, or `fit` sees to it; a fifth of the training clips, of
        speakers of their own; a twentieth of them, whoever speaks; the test clips, as many notebooks do.
    augmentation : str
        What is done to training clips.
    pretrained : tuple of str
        Models trained elsewhere on other data.
    ensemble : bool
        Whether several models vote.
    normalises : tuple of {"features", "scores"}
        What is z-scored within each speaker, test speakers too: transductive, since it uses their unlabelled
        clips. Scores are those of a vote (`serlab.voting.normalise_scores`).
    learns_emotions : bool
        Whether emotions are learned and their probabilities merged to the classes of a protocol on valence
        (`serlab.voting.merge_classes`).
    voters : tuple of ModelSpec
        Recorded models that vote with equal weight (`serlab.voting.vote`).
    plan : tuple of (str, str), optional
        Corpora and protocols that the book records it under; those of `serlab.runs.PLAN` by default.
    """

    name: str
    title: str
    chapter: int
    extractors: tuple[Extractor, ...]
    build: Callable[[int], Any] | None
    validation: str
    repeats: tuple[int, int] = (1, 1)
    validates: str = "itself"
    augmentation: str = "none"
    pretrained: tuple[str, ...] = ()
    ensemble: bool = False
    normalises: tuple[str, ...] = ()
    learns_emotions: bool = False
    voters: tuple[ModelSpec, ...] = ()
    plan: tuple[tuple[str, str], ...] | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the models that vote."""
        return tuple(voter.name for voter in self.voters)

    @property
    def speaker_normalised(self) -> bool:
        """Whether anything is z-scored within test speakers (transductive)."""
        return bool(self.normalises)

    @property
    def normalises_scores(self) -> bool:
        """Whether the scores of the vote are z-scored within speakers."""
        return "scores" in self.normalises

    @property
    def network(self) -> bool:
        """Whether a network is trained; then rounding grows with every step."""
        return self.build is not None and "keras" in getattr(self.build(0), "libraries", ())

    @property
    def libraries(self) -> tuple[str, ...]:
        """Optional packages that features and estimator need."""
        needed = {library for extractor in self.extractors for library in extractor.libraries}
        if self.network:
            needed.add("keras")
        return tuple(library for library in OPTIONAL if library in needed)

    def normalise(self, X: np.ndarray, table: pd.DataFrame) -> np.ndarray:
        """Give features z-scored within each speaker of a table, where the model asks for that."""
        return SpeakerNormaliser().fit_transform(X, groups=table["speaker"]) if self.normalises else X

    def with_validation(self, split: splits.Split, table: pd.DataFrame) -> splits.Split:
        """Give a split the validation rows that the model asks for."""
        if self.validates == "speakers":
            return splits.with_validation(split, table)
        if self.validates == "clips":
            return splits.with_random_validation(split, table)
        if self.validates == "test":
            return replace(split, folds=tuple(replace(fold, validation=fold.test) for fold in split))
        return split

    def prepare(
        self, X: np.ndarray, table: pd.DataFrame, split: splits.Split
    ) -> tuple[Callable[[int], Any], np.ndarray, splits.Split]:
        """Give `build`, and features and split (unless it has validation rows) as the model asks for.

        `EvaluationError` if that is not enough: votes train nothing, and emotions are merged to valence.
        """
        if self.build is None or (self.learns_emotions and split.target != "emotion"):
            what = f"is a vote of {', '.join(self.members)}" if self.members else "learns emotions first"
            raise EvaluationError(
                f"{self.name} {what}, and needs more than features: `python -m serlab.runs --model "
                f"{self.name} --corpus ... --protocol ...` records it; serlab.voting has what that takes"
            )
        if not any(fold.validation.size for fold in split):
            split = self.with_validation(split, table)
        return self.build, self.normalise(X, table), split

    @property
    def answers_recordings(self) -> bool:
        """Whether it can say the emotion of one recording: no vote, nor of valence, nor by speaker."""
        learned = {splits.get(protocol).target for _, protocol in self.plan or ()} or {"emotion"}
        return bool(self.build and self.extractors and not self.normalises and "emotion" in learned)

    def normalised(self, *what: str) -> ModelSpec:
        """Give the same model with features (by default), scores or both z-scored within each speaker.

        Name and title say so. In a vote, features of all members are normalised but spectrograms.
        """
        what = what or ("features",)
        name = self.name + "".join(SUFFIXES[one] for one in what)
        about = "" if what == ("features",) else f", {' and '.join(what)}"
        title = f"{self.title}{about} ({TRANSDUCTIVE})"
        voters = self.voters
        if "features" in what:
            voters = tuple(voter.normalised() if voter._on_vectors() else voter for voter in voters)
        return replace(self, name=name, title=title, normalises=what, voters=voters)

    def by_emotion(self) -> ModelSpec:
        """Give the same model, which learns emotions where it is asked for valence, and say so."""
        return replace(
            self,
            name=f"{self.name}-emotions",
            title=f"{self.title}, emotions first",
            learns_emotions=True,
            voters=tuple(voter.by_emotion() for voter in self.voters),
        )

    def _on_vectors(self) -> bool:
        return all(len(extractor.shape) == 1 for extractor in self.extractors)

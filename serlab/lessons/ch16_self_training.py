"""A vote of logistic regressions that learns from its own answers about clips that nobody has labelled."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from serlab.checks import check_inputs, check_like
from serlab.errors import EvaluationError
from serlab.features import SpeakerNormaliser
from serlab.training import softmax


class SelfTrainingVote(ClassifierMixin, BaseEstimator):
    """Logistic regressions on several kinds of features, which vote and learn from their own answers.

    The surest of their answers about unlabelled clips become labels of the next round: in round r of R each
    class is given r/R of the answers that it may have at most. The mean of the members' log-probabilities is
    standardised within each speaker (**transductive**, see `serlab.voting.normalise_scores`).

    `parts` are the columns that each member sees, as after `serlab.features.SpeakerNormaliser`, and
    `strength` is the members' C. With no `rounds` it is a plain vote. `share`, in (0, 1], of the unlabelled
    clips get a label in the last round; classes share them as they share the labelled clips, and have at
    least one each. ``answered_`` holds for each round the class of every unlabelled clip, or "" where it was
    given none. After Yarowsky 1995, Unsupervised word sense disambiguation rivaling supervised methods, ACL,
    and Blum & Mitchell 1998, Combining labeled and unlabeled data with co-training, COLT.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> label = np.array(["sad", "happy"])[np.arange(80) % 2]
    >>> X = rng.normal(size=(80, 4)) + np.where(label == "sad", 1, -1)[:, None]
    >>> speaker = np.repeat(["ann", "bob", "eve", "joe"], 20)
    >>> vote = SelfTrainingVote([slice(0, 2), slice(2, 4)], share=0.5)
    >>> vote = vote.fit(X[:4], label[:4], speaker[:4], X[4:60], speaker[4:60])
    >>> vote.predict_proba(X[60:], speaker[60:]).shape, int((vote.answered_[-1] != "").sum())
    ((20, 2), 28)
    """

    def __init__(self, parts: Sequence[slice], rounds: int = 3, share: float = 0.6, strength: float = 0.01):
        self.parts, self.rounds, self.share, self.strength = parts, rounds, share, strength

    def fit(
        self,
        X: np.ndarray,
        y: Sequence[str],
        groups: Sequence[str],
        unlabelled: np.ndarray | None = None,
        unlabelled_groups: Sequence[str] | None = None,
    ):
        """Train on labelled clips, then on these and on answers about unlabelled ones; groups are speakers.

        Raises `EvaluationError` if X and y cannot be trained on (see `serlab.checks.check_inputs`), there are
        fewer unlabelled clips than classes, or settings are impossible.
        """
        X, y = np.asarray(X), np.asarray(y)
        check_inputs(X, y)
        self.shape_ = X.shape[1:]
        self.classes_, count = np.unique(y, return_counts=True)
        if not 0 < self.share <= 1 or self.rounds < 0:
            raise EvaluationError("share must lie above 0 and up to 1, and rounds must not be negative")
        self._train(X, y)
        self.answered_ = []
        if unlabelled is None or not len(unlabelled):
            return self
        if len(unlabelled) < len(self.classes_):
            raise EvaluationError(
                f"{len(unlabelled)} unlabelled clips cannot be shared out among {len(self.classes_)} "
                "classes: give more, or none"
            )
        unlabelled, most = np.asarray(unlabelled), self.share * len(unlabelled) * count / len(y)
        for number in range(1, self.rounds + 1):
            size = np.maximum(np.round(most * number / self.rounds).astype(int), 1)
            said = self._answers(self.predict_proba(unlabelled, unlabelled_groups), size)
            self.answered_.append(said)
            sure = said != ""
            self._train(np.concatenate([X, unlabelled[sure]]), np.concatenate([y, said[sure]]))
        return self

    def predict_proba(self, X: np.ndarray, groups: Sequence[str]) -> np.ndarray:
        """Vote, and standardise the votes within each speaker: (clips, features) to (clips, classes)."""
        X = np.asarray(X)
        check_like(X, self.shape_)
        votes = [
            one.predict_log_proba(X[:, part]) for one, part in zip(self.members_, self.parts, strict=True)
        ]
        scores = np.mean(votes, axis=0)
        return softmax(scores.std(axis=0).mean() * SpeakerNormaliser().fit_transform(scores, groups=groups))

    def predict(self, X: np.ndarray, groups: Sequence[str]) -> np.ndarray:
        """Name the class that the vote finds most probable."""
        return self.classes_[self.predict_proba(X, groups).argmax(axis=1)]

    def _train(self, X: np.ndarray, y: np.ndarray) -> None:
        self.members_ = [
            LogisticRegression(C=self.strength, class_weight="balanced", max_iter=1000).fit(X[:, part], y)
            for part in self.parts
        ]

    def _answers(self, probabilities: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Give each class its surest clips; a clip that two classes claim goes to the more probable one."""
        claims = np.zeros_like(probabilities)
        for place, most in enumerate(size):
            surest = np.argsort(-probabilities[:, place], kind="stable")[:most]
            claims[surest, place] = probabilities[surest, place]
        best = claims.argmax(axis=1)
        return np.where(claims.max(axis=1) > 0, self.classes_[best], "")

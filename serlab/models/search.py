"""Two ways to put models together: settings chosen on held-out training speakers, and models that vote."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedGroupKFold

from serlab.checks import check_inputs, check_like, check_probable, is_regressor
from serlab.errors import EvaluationError


class SpeakerSearch(GridSearchCV):
    """Choose settings by UAR on training speakers that are held out in turn, then train on all of them.

    Those of a regressor are chosen by its squared error.

    Settings to try are those of `param_grid`; there are `k` speaker-disjoint folds within the training
    speakers, fewer where there are fewer speakers.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = np.array([[0.0], [1], [0], [1]]), np.array(["sad", "happy", "sad", "happy"])
    >>> search = SpeakerSearch(DecisionTreeClassifier(), {"max_depth": [1, 2]}, k=2)
    >>> search.fit(X, y, groups=["ann", "ann", "bob", "bob"]).chosen
    {'max_depth': 1}
    """

    def __init__(self, estimator: BaseEstimator, param_grid: Mapping[str, Sequence], k: int = 3):
        scoring = "neg_mean_squared_error" if is_regressor(estimator) else "balanced_accuracy"
        super().__init__(estimator, param_grid, scoring=scoring)
        self.k = k

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Sequence[str]) -> SpeakerSearch:
        """Choose settings, then train on all rows; `groups` are the rows' speakers."""
        k = min(self.k, len(set(groups)))
        if k < 2:
            raise EvaluationError(
                "settings are chosen on training speakers that are held out in turn, and there is one alone: "
                "take a corpus of three speakers or more, or a model without a search"
            )
        values = is_regressor(self.estimator)
        check_inputs(np.asarray(X), None if values else y)
        self.cv = GroupKFold(k) if values else StratifiedGroupKFold(k)
        with warnings.catch_warnings():
            # A class that the held-out speakers lack counts in no recall: the mean is over those they have.
            warnings.filterwarnings("ignore", "y_pred contains classes not in y_true", UserWarning)
            return super().fit(X, y, groups=groups)

    @property
    def chosen(self) -> dict[str, Any]:
        """Settings that were chosen."""
        return self.best_params_


class Committee(ClassifierMixin, BaseEstimator):
    """Let models on different features vote with equal weight: their log-probabilities are averaged.

    `members` are pairs of the columns (a slice) that a member sees, and the member.
    """

    def __init__(self, members: Sequence[tuple[slice, BaseEstimator]]):
        self.members = members

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Sequence[str]) -> Committee:
        """Train every member on its columns; `groups` are the rows' speakers."""
        X = np.asarray(X)
        check_inputs(X, y)
        for _, member in self.members:
            check_probable(member)
        self.shape_ = X.shape[1:]
        self.estimators_ = [clone(member).fit(X[:, part], y, groups=groups) for part, member in self.members]
        self.classes_ = self.estimators_[0].classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Average the members' log-probabilities: shape (clips, classes)."""
        X = np.asarray(X)
        check_like(X, self.shape_)
        parts = [part for part, _ in self.members]
        votes = [one.predict_proba(X[:, part]) for one, part in zip(self.estimators_, parts, strict=True)]
        return softmax(np.mean(np.log(np.clip(votes, 1e-6, None)), axis=0), axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Name the class that the members' average finds most probable."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def chosen(self) -> list[dict[str, Any]]:
        """Settings that each member chose."""
        return [one.chosen for one in self.estimators_]

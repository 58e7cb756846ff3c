"""Learn from shares of votes: what several listeners heard in one clip."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from serlab.checks import check_inputs
from serlab.errors import EvaluationError
from serlab.models.binaries import Wrapper
from serlab.training import fitted


class Shares(Wrapper):
    """Train a classifier of scikit-learn on shares of votes, as `serlab.training.cross_validate` gives them.

    The classifier, the last step of a pipeline, is given each clip once for every class that it has votes of,
    with their share as its weight: of a logistic regression the loss then is the cross-entropy with the
    shares. Its `fit` takes ``sample_weight``; steps before it are fitted to each clip once. A search, such as
    `SpeakerSearch`, chooses its settings by the class with most votes, then trains on shares, and ``model_``
    is the best. ``class_weight="balanced"`` counts a clip once for every class that it has votes of, in most
    classifiers.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.array([[0.0], [1.0]] * 9), pd.DataFrame({"happy": [0.8, 0.3] * 9, "sad": [0.2, 0.7] * 9})
    >>> model = Shares(LogisticRegression(C=1e6)).fit(X, y)
    >>> model.predict_proba(X[:2]).round(2).tolist()
    [[0.8, 0.2], [0.3, 0.7]]
    """

    learns_shares: ClassVar[bool] = True

    def __init__(self, model: BaseEstimator):
        self.model = model

    def fit(self, X: np.ndarray, y: pd.DataFrame, groups: np.ndarray | None = None) -> Shares:
        """Train; `y` has one column for each class, `groups` are the rows' speakers.

        `EvaluationError` if the classifier takes no weights.
        """
        X, majority = np.asarray(X), y.idxmax(axis=1).to_numpy(str)
        check_inputs(X)
        model = clone(self.model)
        self.chosen = None
        if hasattr(model, "refit"):  # A search.
            found = fitted(model, X, majority, groups=groups)
            model, self.chosen = clone(found.best_estimator_), found.best_params_
        steps = model.steps if isinstance(model, Pipeline) else [("model", model)]
        last = steps[-1][1]
        if not has_fit_parameter(last, "sample_weight"):
            raise EvaluationError(
                f"{type(last).__name__} takes no weights, and so no shares of votes: take another "
                "classifier, or learn the class with most votes, y=y.idxmax(axis=1)"
            )
        if steps[:-1]:
            X = Pipeline(steps[:-1]).fit_transform(X, majority)
        shares = y.to_numpy(float)
        rows, columns = np.nonzero(shares)
        last.fit(X[rows], y.columns.to_numpy(str)[columns], sample_weight=shares[rows, columns])
        self.model_, self.classes_ = model, last.classes_
        return self

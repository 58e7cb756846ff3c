"""Binary decisions: calibrated, with a chosen threshold, balanced by repetition, and combined to one of many.

All follow scikit-learn's conventions; `fit` takes the speakers as ``groups`` wherever clips are held out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.metaestimators import available_if

from serlab.checks import check_inputs, check_probable
from serlab.errors import EvaluationError
from serlab.training import fitted

# scikit-learn has all of this in another form, which gives other predictions than those recorded.
# OneVsRestClassifier trains on 0 and 1: a network's outputs, and with them its random weights, change places.
# CalibratedClassifierCV bends each class by itself, and does not punish certainty as `calibration` does.
# TunedThresholdClassifierCV averages over folds, and tries evenly spaced thresholds, not those between clips.

# Nobody is more certain than this: one clip that is wrongly taken for impossible must not decide all.
LEAST = 1e-6


def normalised(p: np.ndarray) -> np.ndarray:
    """Divide the probabilities of one-against-the-rest models by their sum: (clips, classes), in [0, 1].

    That is right where every model is calibrated (Zadrozny & Elkan 2002, Transforming classifier scores into
    accurate multiclass probability estimates, KDD). Of a row of zeros all classes get the same.

    Examples
    --------
    >>> normalised(np.array([[0.6, 0.6, 0.0], [0.0, 0.0, 0.0]])).round(2).tolist()
    [[0.5, 0.5, 0.0], [0.33, 0.33, 0.33]]
    """
    p = np.clip(p, LEAST, None)
    return p / p.sum(axis=1, keepdims=True)


def best_threshold(positive: np.ndarray, p: np.ndarray) -> float:
    """Choose the probability from which on to say yes, so that the mean of both recalls is highest.

    This is Youden's index (1950, Index for rating diagnostic tests, Cancer 3(1), 32-35). The threshold is
    halfway between two of the probabilities given; of equally good ones, that in the middle. Takes what is
    true of each clip, clips of both kinds or `EvaluationError`, and its predicted probability: of speakers
    who are neither in training nor in test data.

    Examples
    --------
    >>> round(best_threshold(np.array([True, True, False, False]), np.array([0.3, 0.2, 0.1, 0.0])), 2)
    0.15
    """
    positive = np.asarray(positive, bool)
    if positive.all() or not positive.any():
        raise EvaluationError("a threshold needs clips of both kinds: hold out more speakers")
    false, true, values = roc_curve(positive, np.asarray(p, float), drop_intermediate=False)
    # The first value stands for "never"; saying yes from the least one on, for "always".
    values, gained = values[1:], (true - false)[1:-1]
    if not gained.size:
        return float(values[0])
    best = np.flatnonzero(np.isclose(gained, gained.max()))
    cut = best[(len(best) - 1) // 2]
    return float((values[cut] + values[cut + 1]) / 2)


def calibration(p: np.ndarray, place: np.ndarray) -> tuple[float, np.ndarray]:
    """Find how probabilities must be bent to be true: softmax(scale * log p + offset).

    With two classes this is the scaling of Platt 1999 (Probabilistic outputs for support vector machines),
    with equal offsets the temperature scaling of Guo, Pleiss, Sun & Weinberger 2017 (On calibration of modern
    neural networks, ICML).

    Takes probabilities, (clips, classes), predicted for clips that were not trained on, and for each clip the
    column of the class that is true. Gives the scale, below 1 where the model is too sure of itself, and the
    offsets, (classes,), above 0 for classes that it finds too rarely.
    """
    logs, rows = np.log(np.clip(p, LEAST, None)), np.arange(len(place))

    def cost(settings: np.ndarray) -> float:
        true = softmax(np.exp(settings[0]) * logs + settings[1:], axis=1)[rows, place]
        # The second part keeps perfectly separated classes from being predicted with certainty.
        return -np.log(np.clip(true, 1e-12, None)).mean() + 1e-3 * np.square(settings).sum()

    found = scipy.optimize.minimize(cost, np.zeros(1 + p.shape[1])).x
    return float(np.exp(found[0])), found[1:]


class Around(ClassifierMixin, BaseEstimator):
    """What is trained around one `model`."""

    model: Any

    @property
    def libraries(self) -> tuple[str, ...]:
        """Packages that the model needs."""
        return getattr(self.model, "libraries", ())


def _has(name: str) -> Callable[[Any], bool]:
    """Ask of a wrapper whether its model has a method, before it is fitted and after."""
    return lambda wrapper: hasattr(getattr(wrapper, "model_", wrapper.model), name)


class Wrapper(Around):
    """What answers as its fitted ``model_`` does, by the methods that this one has."""

    model_: Any

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the model's probabilities: (clips, ...) to (clips, classes)."""
        return self.model_.predict_proba(np.asarray(X))

    @available_if(_has("decision_function"))
    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the model's decision values: (clips, ...) to (clips, classes), or (clips,) for two."""
        return self.model_.decision_function(np.asarray(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the model's decisions."""
        return self.model_.predict(np.asarray(X))


class Tuned(Around):
    """A model with calibrated probabilities and a decision that favours no class.

    Training speakers are held out in turn, in `k` parts or as many as there are speakers, and predictions for
    them fit the calibration (`calibration`), with attributes ``scale_`` and ``offset_``. Of two classes
    ``threshold_`` is chosen there too (`best_threshold`), the probability from which on ``classes_[1]`` is
    predicted; of more that class is predicted whose probability has risen most above its share in training:
    the best for UAR if probabilities are true. A model whose ``fit`` has a parameter ``groups`` is given the
    speakers.
    """

    def __init__(self, model: BaseEstimator, k: int = 3):
        self.model, self.k = model, k

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> Tuned:
        """Train, calibrate and choose the threshold; `groups` are the rows' speakers.

        `EvaluationError` if there is one speaker only, or a held-out part lacks a class.
        """
        X, y, groups = np.asarray(X), np.asarray(y), np.asarray(groups)
        check_inputs(X, y)
        check_probable(self.model)
        self.classes_, place = np.unique(y, return_inverse=True)
        parts = min(self.k, len(set(groups)))
        if parts < 2:
            raise EvaluationError("calibration holds out speakers: it needs at least two in training")
        predicted, held = [], []
        for train, test in StratifiedGroupKFold(parts).split(X, y, groups):
            if len(np.unique(y[train])) < len(self.classes_):
                raise EvaluationError("clips of a class are all by one speaker only, who cannot be held out")
            model = fitted(clone(self.model), X[train], y[train], groups=groups[train])
            predicted.append(model.predict_proba(X[test]))
            held.append(test)
        self.model_ = fitted(clone(self.model), X, y, groups=groups)
        p, held = np.concatenate(predicted), np.concatenate(held)
        self.scale_, self.offset_ = calibration(p, place[held])
        self.share_ = np.bincount(place) / len(place)
        self.threshold_ = float("nan")
        if len(self.classes_) == 2:
            self.threshold_ = best_threshold(place[held] == 1, self._calibrated(p)[:, 1])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities: (clips, ...) to (clips, classes)."""
        return self._calibrated(self.model_.predict_proba(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Decide, by the threshold or by the rise above the share in training."""
        p = self.predict_proba(X)
        if len(self.classes_) == 2:
            return self.classes_[(p[:, 1] >= self.threshold_).astype(int)]
        return self.classes_[(p / self.share_).argmax(axis=1)]

    def threshold_of(self, name: str) -> float:
        """Return the probability of one of two classes from which on it is predicted."""
        return self.threshold_ if name == self.classes_[1] else 1 - self.threshold_

    @property
    def chosen(self) -> dict[str, Any]:
        """Calibration and threshold, and what the model itself chose."""
        found = {"scale": round(self.scale_, 4), "offset": np.round(self.offset_, 4).tolist()}
        if len(self.classes_) == 2:
            found["threshold"] = round(self.threshold_, 4)
        own = getattr(self.model_, "chosen", None)
        return found | ({"model": own} if own else {})

    def _calibrated(self, p: np.ndarray) -> np.ndarray:
        return softmax(self.scale_ * np.log(np.clip(p, LEAST, None)) + self.offset_, axis=1)


class OneVsRest(Around):
    """One model for each class that tells it from all others, and their combination.

    Probabilities are those of the models, divided by their sum (`normalised`). That class is predicted whose
    model is furthest above its own threshold, in proportion: the threshold of a `Tuned` model, else one half.
    Fitted models are in ``estimators_``, in the order of ``classes_``.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = np.arange(30.0)[:, None] % 3, np.array(["negative", "neutral", "positive"] * 10)
    >>> OneVsRest(DecisionTreeClassifier()).fit(X, y).predict([[2.0]]).tolist()
    ['positive']
    """

    def __init__(self, model: BaseEstimator):
        self.model = model

    def fit(self, X: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> OneVsRest:
        """Train a model for every class; `groups`, the rows' speakers, are handed on to models that ask."""
        X, y = np.asarray(X), np.asarray(y)
        check_inputs(X, y)
        check_probable(self.model)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 3:
            raise EvaluationError(
                f"one against the rest needs three classes or more, not {', '.join(self.classes_)}: "
                "train the model itself"
            )
        if "other" in self.classes_:
            raise EvaluationError("no class may be called 'other', which stands for the rest: rename it")
        self.estimators_ = [
            fitted(clone(self.model), X, np.where(y == name, name, "other"), groups=groups)
            for name in self.classes_
        ]
        return self

    def decisions(self, X: np.ndarray) -> np.ndarray:
        """Return the probability that each model gives its class, alone: (clips, ...) to (clips, classes)."""
        columns = [
            one.predict_proba(X)[:, list(one.classes_).index(name)]
            for one, name in zip(self.estimators_, self.classes_, strict=True)
        ]
        return np.column_stack(columns)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Combine the models: (clips, ...) to (clips, classes)."""
        return normalised(self.decisions(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Name the class whose model is furthest above its threshold."""
        thresholds = [
            one.threshold_of(name) if hasattr(one, "threshold_of") else 0.5
            for one, name in zip(self.estimators_, self.classes_, strict=True)
        ]
        return self.classes_[(self.decisions(X) / np.maximum(thresholds, LEAST)).argmax(axis=1)]

    @property
    def chosen(self) -> list[Any] | None:
        """What each model chose; None where they choose nothing."""
        chosen = [getattr(one, "chosen", None) for one in self.estimators_]
        return None if all(one is None for one in chosen) else chosen


class Oversampled(Wrapper):
    """A model whose batches are balanced: clips of rare classes are repeated until all classes are as large.

    Every clip of a class is repeated as often as any other of it, or once more: which ones, `seed` decides.
    """

    def __init__(self, model: BaseEstimator, seed: int = 0):
        self.model, self.seed = model, seed

    def fit(self, X: np.ndarray, y: np.ndarray, groups=None, validation_data=None) -> Oversampled:
        """Train on the repeated clips; validation clips are left as they are."""
        X, y = np.asarray(X), np.asarray(y)
        check_inputs(X, y)
        self.classes_, counts = np.unique(y, return_counts=True)
        rng = np.random.default_rng(self.seed)
        drawn = [
            np.resize(rng.permutation(np.flatnonzero(y == name)), counts.max()) for name in self.classes_
        ]
        rows = np.sort(np.concatenate(drawn))
        groups = None if groups is None else np.asarray(groups)[rows]
        more = {"groups": groups, "validation_data": validation_data}
        self.model_ = fitted(clone(self.model), X[rows], y[rows], **more)
        return self

    @property
    def history(self) -> Any:
        """What a network reported after each epoch."""
        return getattr(self.model_, "history", None)

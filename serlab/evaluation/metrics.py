"""Metrics: how often a model is right, computed from labels and predictions."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from serlab.checks import check_names
from serlab.corpora.table import in_order
from serlab.errors import EvaluationError


def uar(label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None) -> float:
    """Compute the unweighted average recall: the mean over classes of the share recognised, in [0, 1].

    Also called UA, macro recall or balanced accuracy. A class counts as much as any other, however rare it
    is, so that guessing one class always gives one over the number of classes.

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)
        What the clips are, and what the model predicted. The mean is over the classes that occur as labels.
    classes : sequence of str, optional
        What may be answered. Where they are not given, they are taken from the other two, which must then be
        written alike.

    Raises
    ------
    EvaluationError
        If there are not as many labels as predictions, or none; if one is missing, or not among `classes`.
        Without `classes`, if two names differ in spelling or type alone ("Angry" and "angry", 1 and "1"), or
        if labels and predictions, of two classes or more each, have none in common: a model that is always
        wrong gives 0, and so would names that do not belong together.

    References
    ----------
    Schuller, B., Steidl, S., & Batliner, A. (2009). The INTERSPEECH 2009 emotion challenge. Interspeech.

    Examples
    --------
    >>> uar(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"])
    0.5
    >>> uar(["Angry"], ["angry"])
    Traceback (most recent call last):
    serlab.errors.EvaluationError: 'Angry' and 'angry' differ in spelling or type alone...
    """
    return float(_uar(count_confusions(label, predicted, classes)[0]))


def accuracy(label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None) -> float:
    """Compute the share of clips that were recognised (weighted accuracy, WA), in [0, 1]; see `uar`.

    Examples
    --------
    >>> accuracy(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"])
    0.75
    """
    return float(_accuracy(count_confusions(label, predicted, classes)[0]))


def macro_f1(label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None) -> float:
    """Compute the mean over classes of F1, the harmonic mean of precision and recall, in [0, 1]; see `uar`.

    The mean is over the classes that occur in either argument, as in scikit-learn.

    Examples
    --------
    >>> round(macro_f1(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"]), 3)
    0.429
    """
    return float(_macro_f1(count_confusions(label, predicted, classes)[0]))


def report(
    *, label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compute precision, recall and F1 for each class, and their means.

    Both arguments must be named, so that they cannot be swapped: swapped, precision and recall change places.
    Gives one row per class, and a last row "mean" over the classes that occur as labels: ``precision``,
    ``recall``, ``f1`` and ``clips`` (how many have that label). A class that is never predicted has precision
    0.

    Examples
    --------
    >>> label, predicted = ["sad", "sad", "happy"], ["sad", "happy", "happy"]
    >>> report(label=label, predicted=predicted)["recall"].to_dict()
    {'happy': 1.0, 'sad': 0.5, 'mean': 0.75}
    """
    counts, names = count_confusions(label, predicted, classes)
    hits, true, guessed = np.diagonal(counts), counts.sum(1), counts.sum(0)
    table = pd.DataFrame(
        {
            "precision": hits / np.maximum(guessed, 1),
            "recall": np.where(true > 0, hits / np.maximum(true, 1), np.nan),
            "f1": 2 * hits / np.maximum(true + guessed, 1),
            "clips": true,
        },
        index=pd.Index(names, name="class"),
    )
    means = table[true > 0].mean()
    table.loc["mean"] = [means["precision"], means["recall"], means["f1"], true.sum()]
    return table.astype({"clips": int})


def floors(label: Sequence[str]) -> pd.DataFrame:
    """Compute what is reached without listening, from the class sizes alone.

    Rows are ``chance`` (every class alike), ``majority`` (always the largest class) and ``stratified`` (each
    class as often as it occurs), columns ``uar``, ``accuracy`` and ``macro_f1``: expected values, for F1 in
    the limit of many clips.

    Examples
    --------
    >>> floors(["sad", "sad", "sad", "happy"])["accuracy"].to_dict()
    {'chance': 0.5, 'majority': 0.75, 'stratified': 0.625}
    """
    if not len(label):
        raise EvaluationError("floors need at least one label")
    if pd.isna(pd.Series(label)).any():
        raise EvaluationError("a label is missing: leave such clips out")
    share = pd.Series(label).value_counts(normalize=True).to_numpy()
    k = share.size
    rows = {
        "chance": (1 / k, 1 / k, np.mean(2 * share / k / (share + 1 / k))),
        "majority": (1 / k, share.max(), 2 * share.max() / (1 + share.max()) / k),
        "stratified": (1 / k, np.sum(share**2), 1 / k),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["uar", "accuracy", "macro_f1"])


def predictions_of(run):
    """Return the predictions of a recorded run; a table of predictions is returned as it is."""
    return getattr(run, "predictions", run)


def classes_of(*columns: Sequence[str]) -> list[str]:
    """List the classes that occur, in the usual order."""
    names = dict.fromkeys(name for column in columns for name in pd.unique(pd.Series(column)))
    check_names(names)
    return in_order(names)


def count_confusions(label, predicted, classes=None) -> tuple[np.ndarray, list[str]]:
    """Count clips by true and predicted class; return the counts, and the classes in their order."""
    if np.ndim(label) != 1 or np.ndim(predicted) != 1:
        raise EvaluationError("labels and predictions must be lists or columns, with one entry for each clip")
    if len(label) != len(predicted):
        raise EvaluationError(f"{len(label)} labels do not go with {len(predicted)} predictions")
    if not len(label):
        raise EvaluationError("there is nothing to evaluate: no labels were given")
    names = list(classes) if classes is not None else classes_of(label, predicted)
    if classes is None:
        _check_common(label, predicted)
    frame = pd.DataFrame({"speaker": 0, "label": np.asarray(label), "predicted": np.asarray(predicted)})
    return count_by_speaker(frame, names, least=1)[0][0], names


def count_by_speaker(
    predictions: pd.DataFrame, classes: list[str], least: int = 2
) -> tuple[np.ndarray, list]:
    """Count confusions of each speaker: shape (speakers, classes, classes), labels before predictions."""
    speaker, names = number_speakers(predictions, least)
    if least > 1:
        _check_common(predictions["label"], predictions["predicted"])
    index = pd.Index(classes)
    true, guessed = (index.get_indexer(predictions[column]) for column in ("label", "predicted"))
    if min(true.min(), guessed.min()) < 0:
        strange = set(predictions["label"]) | set(predictions["predicted"])
        odd = sorted(map(str, strange - set(classes))) or "labels or predictions of another type"
        raise EvaluationError(f"{odd} are not among the classes {list(map(str, classes))}")
    counts = np.zeros((len(names), len(classes), len(classes)), int)
    np.add.at(counts, (speaker, true, guessed), 1)
    return counts, list(names)


def number_speakers(table: pd.DataFrame, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's speaker, in the order of their names, and the names."""
    if (missing := table["speaker"].isna().to_numpy()).any():
        raise EvaluationError(f"row {int(missing.argmax())} has no speaker: name one, or leave the row out")
    # As text: categories have an order of their own, and 1 and "1" are one person.
    codes, names = pd.factorize(table["speaker"].astype(str).to_numpy(dtype=object), sort=True)
    if len(names) < least:
        raise EvaluationError("an interval over speakers needs rows of at least two speakers")
    return codes, names


def metric_of_counts(metric: str | Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that computes a metric from counts, (..., classes, classes), labels in rows.

    It is one of "uar", "accuracy", "macro_f1", "weighted_f1"; a callable is returned as it is.

    Examples
    --------
    >>> metric_of_counts("accuracy")(np.array([[[3, 1], [0, 4]], [[2, 2], [2, 2]]])).tolist()
    [0.875, 0.5]
    """
    known = {"uar": _uar, "accuracy": _accuracy, "macro_f1": _macro_f1, "weighted_f1": _weighted_f1}
    if callable(metric) and metric not in (uar, accuracy, macro_f1, report):  # These take labels.
        return metric
    if metric not in known:
        names = ", ".join(known)
        raise EvaluationError(f"unknown metric {metric!r}: use one of {names}, or a function of counts")
    return known[metric]


def _check_common(label, predicted) -> None:
    """Make sure that labels and predictions are names of the same classes."""
    true, guessed = set(label), set(predicted)
    if len(true) > 1 and len(guessed) > 1 and not true & guessed:
        raise EvaluationError(
            f"labels ({', '.join(map(str, true))}) and predictions ({', '.join(map(str, guessed))}) have no "
            "class in common: name classes alike, or give all of them as classes="
        )


def _uar(counts: np.ndarray) -> np.ndarray:
    hits, true = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1)
    present = true > 0
    return np.sum(hits / np.maximum(true, 1), axis=-1, where=present) / present.sum(-1)


def _accuracy(counts: np.ndarray) -> np.ndarray:
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum((-2, -1))


def _macro_f1(counts: np.ndarray) -> np.ndarray:
    hits, either = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1) + counts.sum(-2)
    present = either > 0
    return np.sum(2 * hits / np.maximum(either, 1), axis=-1, where=present) / present.sum(-1)


def _weighted_f1(counts: np.ndarray) -> np.ndarray:
    hits, true, guessed = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1), counts.sum(-2)
    return np.sum(2 * hits * true / np.maximum(true + guessed, 1), axis=-1) / true.sum(-1)

"""Whether a model's probabilities can be believed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serlab.errors import EvaluationError
from serlab.evaluation.metrics import predictions_of


def reliability(predictions: pd.DataFrame, of: str | None = None, bins: int = 10) -> pd.DataFrame:
    """Compare how probable a model finds a class with how often it is right: the reliability curve.

    Predictions have columns ``label`` and ``p_<class>``; the rows of several seeds are pooled. Judged is the
    probability of the class `of`, by default that of the most probable class, whichever it is. The range from
    0 to 1 is cut into so many equal parts. Gives one row per part that holds clips, with columns
    ``probability`` (mean), ``frequency`` (share of clips that are of the class) and ``clips``. A calibrated
    model has the first two alike everywhere.

    References
    ----------
    Niculescu-Mizil & Caruana 2005, Predicting good probabilities with supervised learning, ICML.

    Examples
    --------
    >>> found = pd.DataFrame({"label": ["sad", "sad", "happy", "happy"], "p_sad": [0.9, 0.9, 0.9, 0.1]})
    >>> reliability(found.assign(p_happy=1 - found["p_sad"]), "sad", bins=2).round(2).values.tolist()
    [[0.1, 0.0, 1.0], [0.9, 0.67, 3.0]]
    """
    predictions = predictions_of(predictions)
    if not len(predictions) or predictions["label"].isna().any():
        raise EvaluationError("there are no predictions, or one has no label: leave such clips out")
    columns = [name for name in predictions if name.startswith("p_")]
    labels = predictions["label"].astype(str)
    if not columns or (of is not None and f"p_{of}" not in columns):
        known = ", ".join(name.removeprefix("p_") for name in columns) or "none"
        raise EvaluationError(f"no probabilities of {of or 'any class'}: there are those of {known}")
    if of is None:
        p = predictions[columns].to_numpy()
        names = np.array([name.removeprefix("p_") for name in columns])
        probability, true = p.max(axis=1), names[p.argmax(axis=1)] == labels.to_numpy()
    else:
        probability, true = predictions[f"p_{of}"].to_numpy(), (labels == of).to_numpy()
    if bins < 1 or not ((probability >= 0) & (probability <= 1 + 1e-6)).all():
        raise EvaluationError("probabilities must be numbers from 0 to 1, and bins at least 1")
    part = np.minimum((probability * bins).astype(int), bins - 1)
    found = pd.DataFrame({"probability": probability, "frequency": true.astype(float), "clips": part})
    return (
        found.groupby(part)
        .agg({"probability": "mean", "frequency": "mean", "clips": "size"})
        .reset_index(drop=True)
    )


def calibration_error(predictions: pd.DataFrame, of: str | None = None, bins: int = 10) -> float:
    """Compute the expected calibration error: how far probabilities are from the truth, on average.

    It is the mean over clips of the distance between ``probability`` and ``frequency`` of `reliability`; 0 is
    perfect. It depends on the number of parts: compare only what was computed with the same. See Guo, Pleiss,
    Sun & Weinberger 2017, On calibration of modern neural networks, ICML.

    Examples
    --------
    >>> found = pd.DataFrame({"label": ["sad", "happy"], "p_sad": [0.9, 0.9], "p_happy": [0.1, 0.1]})
    >>> round(calibration_error(found), 2)
    0.4
    """
    found = reliability(predictions, of, bins)
    return float(np.average(np.abs(found["probability"] - found["frequency"]), weights=found["clips"]))


def risk_coverage(right: Sequence[bool], sure: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Give the share of wrong answers among the surest ones, for every number of answers kept.

    `right` says whether each answer is right, `sure` how sure the model is of it, such as its largest
    probability; answers it is equally sure of keep their order. Gives two arrays, (clips,): the share of
    answers kept, the surest first, from one answer to all, and the share of wrong ones among them.

    References
    ----------
    Geifman, Y., & El-Yaniv, R. (2017). Selective classification for deep neural networks. NeurIPS.

    Examples
    --------
    >>> coverage, risk = risk_coverage([True, False, True, True], [0.9, 0.4, 0.5, 0.8])
    >>> coverage.tolist(), risk.tolist()
    ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.0, 0.25])
    """
    right, sure = np.asarray(right, bool), np.asarray(sure, float)
    if len(right) != len(sure) or not len(right):
        raise EvaluationError(f"{len(right)} answers do not go with {len(sure)} values of how sure they are")
    if np.isnan(sure).any():
        raise EvaluationError(f"answer {int(np.isnan(sure).argmax())} has NaN for how sure it is")
    kept = np.arange(1, len(right) + 1)
    wrong = ~right[np.argsort(-sure, kind="stable")]
    return kept / len(right), np.cumsum(wrong) / kept

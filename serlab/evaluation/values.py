"""How near values come, such as arousal, and probabilities to shares of votes: metrics that are no counts."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from serlab.errors import EvaluationError

# A model that is certain and wrong would make the mean infinite.
LEAST = 1e-6


def ccc(value: Sequence[float], predicted: Sequence[float]) -> float:
    """Compute Lin's concordance correlation coefficient: how near predictions come to the line of equality.

    Twice the covariance, divided by the sum of both variances and of the squared distance of the means: Lin's
    equation for samples, with variances and covariance divided by n. Unlike a correlation it falls if
    predictions are all too high or too bold. It is in [-1, 1]; 0 where all predictions are the same.

    Raises
    ------
    EvaluationError
        If a number is missing, there are not as many of the one as of the other, or all true values are the
        same: there is then nothing to agree with.

    References
    ----------
    Lin, L. I.-K. (1989). A concordance correlation coefficient to evaluate reproducibility. Biometrics,
    45(1), 255-268.

    Examples
    --------
    >>> round(ccc([1.0, 2.0, 3.0], [1.5, 2.5, 3.5]), 3)
    0.842
    """
    x, y = _pair(value, predicted)
    if np.ptp(y) == 0:
        return 0.0
    apart = x.var() + y.var() + (x.mean() - y.mean()) ** 2
    return float(2 * np.mean((x - x.mean()) * (y - y.mean())) / apart)


def pearson(value: Sequence[float], predicted: Sequence[float]) -> float:
    """Compute Pearson's correlation, in [-1, 1], as for `ccc`; 0 where all predictions are the same.

    Examples
    --------
    >>> round(pearson([1.0, 2.0, 3.0], [1.5, 2.5, 3.5]), 3)
    1.0
    """
    x, y = _pair(value, predicted)
    return 0.0 if np.ptp(y) == 0 else float(np.corrcoef(x, y)[0, 1])


def rmse(value: Sequence[float], predicted: Sequence[float]) -> float:
    """Compute the root of the mean squared error, in the unit of the values, as for `ccc`.

    Examples
    --------
    >>> rmse([1.0, 2.0, 3.0], [1.5, 2.5, 3.5])
    0.5
    """
    x, y = _alike(value, predicted)
    return float(np.sqrt(np.mean((x - y) ** 2)))


def cross_entropy(shares: np.ndarray, p: np.ndarray) -> float:
    """Compute how surprising votes are to a model: the mean over clips of -sum(shares * log(p)), in nats.

    Shares of votes, (clips, classes), add up to 1 in each row, as do the probabilities of the model, of which
    those below 1e-6 count as that. The lower the better; never below the entropy of the votes, on which
    listeners differ.

    Examples
    --------
    >>> round(cross_entropy(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])), 3)
    0.693
    """
    shares, p = _alike(shares, p)
    return float(-np.mean(np.sum(shares * np.log(np.clip(p, LEAST, None)), axis=1)))


def divergence(shares: np.ndarray, p: np.ndarray) -> float:
    """Compute the Kullback-Leibler divergence of a model from votes, in nats: 0 where they are the same.

    That is `cross_entropy`, which has the same parameters, less the entropy of the votes.

    Examples
    --------
    >>> round(divergence(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.5, 0.5], [0.5, 0.5]])), 3)
    0.347
    """
    return cross_entropy(shares, p) - cross_entropy(shares, shares)


def check_columns(table: pd.DataFrame, *names: str, what: str = "predictions") -> None:
    """Make sure that predictions, or what else is in a table, have these columns."""
    if missing := [name for name in names if name not in table]:
        raise EvaluationError(f"{what} lack the columns {', '.join(map(str, missing))}")


def _of_values(metric: Callable, predictions: pd.DataFrame) -> float:
    check_columns(predictions, "value", "predicted")
    return metric(predictions["value"], predictions["predicted"])


def _of_shares(metric: Callable, predictions: pd.DataFrame) -> float:
    shares = [name for name in predictions if str(name).startswith("share_")] or ["share_<class>"]
    p = [f"p_{name.removeprefix('share_')}" for name in shares]
    check_columns(predictions, *shares, *p)
    return metric(predictions[shares].to_numpy(float), predictions[p].to_numpy(float))


STATISTICS = {metric.__name__: partial(_of_values, metric) for metric in (ccc, pearson, rmse)}
STATISTICS |= {metric.__name__: partial(_of_shares, metric) for metric in (cross_entropy, divergence)}


def _alike(one, other) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.asarray(one, float), np.asarray(other, float)
    if one.shape != other.shape or not one.size:
        raise EvaluationError(f"what is true, {one.shape}, and predicted, {other.shape}, do not go together")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise EvaluationError("a true or predicted number is missing or infinite: leave such clips out")
    return one, other


def _pair(value, predicted) -> tuple[np.ndarray, np.ndarray]:
    value, predicted = _alike(value, predicted)
    if np.ptp(value) == 0:
        raise EvaluationError(f"all true values are {value.flat[0]:g}: there is nothing to agree with")
    return value, predicted

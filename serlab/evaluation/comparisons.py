"""Which of two models is better, and whether that can be shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from serlab.errors import EvaluationError
from serlab.evaluation.intervals import groups_by, is_number, jackknife, leave_out, student
from serlab.evaluation.metrics import predictions_of
from serlab.evaluation.values import check_columns


class Comparison(NamedTuple):
    """Difference of two models on the same clips (the first less the second), its interval and p-value."""

    difference: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        points = f"{100 * self.difference:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        return f"{points}, {self._chance}"

    @property
    def _chance(self) -> str:
        return f"p = {self.p:.3f}" if self.p >= 0.001 else "p < 0.001"


class NumberComparison(Comparison):
    """A comparison by what is no share of clips, such as a correlation, and is not printed in points."""

    def __str__(self) -> str:
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}], {self._chance}"


def compare(
    first, second, metric: str | Callable[[np.ndarray], np.ndarray] = "uar", confidence: float = 0.95
) -> Comparison:
    """Compare two models on the same clips, speaker by speaker.

    Whoever is left out is left out for both models, so that what makes a speaker hard for both cancels. The
    two-sided p-value comes from the same t as the interval: it is below 0.05 where the 95 % interval leaves
    out zero. Only where all speakers differ alike, so that there is no spread to estimate it from, has the
    interval no width, and p is that of a test of signs (see `student`), which few speakers leave above 0.05.
    Below about five speakers both say little. Where several comparisons are read together, correct them with
    `holm`.

    Both are predictions with columns ``clip``, ``speaker``, ``label``, ``predicted``, or runs. Seeds are
    pooled within each; the two may have different numbers of seeds. Metric, confidence, values and shares of
    votes are as in `interval`. Of errors and divergences, where less is better, a negative difference speaks
    for the first. `EvaluationError` if the two were not tested on the same clips with the same labels.

    Examples
    --------
    >>> first = pd.DataFrame({"clip": list("uvwxyz"), "speaker": list("aabbcc")})
    >>> first["label"] = first["predicted"] = ["sad", "happy"] * 3
    >>> second = first.assign(predicted=["sad", "happy", "sad", "sad", "sad", "sad"])
    >>> print(compare(first, second, "accuracy"))
    +33.3 points [-38.4, +105.0], p = 0.184
    """
    first, second = map(predictions_of, (first, second))
    truth = [name for name in first if name == "value" or str(name).startswith("share_")]
    truth = ["clip", "speaker", *(truth if is_number(metric) else ["label"])]
    for one in (first, second):
        check_columns(one, *truth, "predicted")
    clips = [one[truth].drop_duplicates() for one in (first, second)]
    apart = pd.concat(clips).drop_duplicates(keep=False)
    if len(apart):
        raise EvaluationError(
            f"the two runs were not tested on the same clips: {apart['clip'].nunique()} clips, the first of "
            f"them {apart['clip'].iloc[0]}, are in one only, or have another label or speaker. Compare runs "
            "of one split."
        )
    for one, which in ((first, "first"), (second, "second")):
        _check_rows(one, which)
    (a, without_a, sizes), (b, without_b, _) = leave_out(metric, first, second)
    return _difference(metric, a - b, jackknife(without_a - without_b, sizes), confidence=confidence)


def compare_all(
    pairs: Mapping[str, tuple],
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare pairs of models that are read together, with Holm's correction for how many they are.

    Gives one row per pair, by name: ``difference``, ``low``, ``high``, ``p`` by itself (see `compare`), and
    ``p_holm``, corrected by `holm`.

    Examples
    --------
    >>> a = pd.DataFrame({"clip": list("uvwxyz"), "speaker": list("aabbcc"), "label": ["sad", "happy"] * 3})
    >>> a["predicted"] = a["label"]
    >>> b = a.assign(predicted=["sad", "happy", "sad", "sad", "sad", "sad"])
    >>> compare_all({"a against b": (a, b), "a against a": (a, a)}).round(2)["p_holm"].to_dict()
    {'a against b': 0.37, 'a against a': 1.0}
    """
    if not pairs:
        raise EvaluationError("there is nothing to compare: no pairs were given")
    found = {name: compare(one, other, metric, confidence) for name, (one, other) in pairs.items()}
    table = pd.DataFrame.from_dict(found, orient="index", columns=Comparison._fields)
    return table.assign(p_holm=holm(table["p"]))


def group_difference(
    predictions: pd.DataFrame,
    by: str,
    first: str,
    second: str,
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    confidence: float = 0.95,
) -> Comparison:
    """Compare how good a model is for two groups of speakers, such as women less men.

    Each group has its own standard error over its own speakers, and the two are added as in Welch's test. So
    the interval is as wide as few speakers make it, however many clips they gave. `first` and `second` are
    values of the column `by`; metric and confidence as in `interval`. `EvaluationError` if there is no such
    column or group, if a group has one speaker only, or if a speaker is in both.

    References
    ----------
    Welch, B. L. (1947). The generalization of "Student's" problem when several different population
    variances are involved. Biometrika, 34(1-2), 28-35.

    Examples
    --------
    >>> found = pd.DataFrame({"speaker": list("aabbccdd"), "gender": ["female"] * 4 + ["male"] * 4})
    >>> found["label"] = ["sad", "happy"] * 4
    >>> found["predicted"] = ["sad", "happy"] * 3 + ["sad", "sad"]
    >>> print(group_difference(found, "gender", "female", "male", "accuracy"))
    +25.0 points [-292.7, +342.7], p = 0.500
    """
    predictions = predictions_of(predictions)
    parts = dict(groups_by(predictions, by))
    if absent := [name for name in (first, second) if name not in parts]:
        raise EvaluationError(f"no {by} is {absent[0]!r}: there are {', '.join(map(str, parts))}")
    both = set(parts[first]["speaker"]) & set(parts[second]["speaker"])
    if both:
        raise EvaluationError(
            f"speaker {min(both)} is both {first} and {second}: this compares groups of different speakers. "
            "Take by_group, or compare two sets of predictions."
        )
    (a, *error), (b, *other) = leave_out(metric, parts[first], parts[second], classes_in=[predictions])
    return _difference(metric, a - b, jackknife(*error), jackknife(*other), confidence=confidence)


def holm(p: Sequence[float]) -> np.ndarray:
    """Correct the p-values of comparisons that are read together, so that one error in twenty stays that.

    Those returned are in the order given, none below what it was.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
    Statistics, 6(2), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, float)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise EvaluationError(f"p-values must be numbers from 0 to 1 in one row, not {p.tolist()}")
    order = np.argsort(p)
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(raised, 1)
    return corrected


def _difference(metric, value: np.ndarray, *errors, confidence: float) -> Comparison:
    kind = NumberComparison if is_number(metric) else Comparison
    return kind(float(value), *map(float, student(value, *errors, confidence=confidence)))


def _check_rows(predictions: pd.DataFrame, which: str) -> None:
    """Make sure that each clip counts alike: once for each seed (and each altered version), and in all."""
    rows = predictions[[name for name in ("clip", "seed", "version") if name in predictions]]
    if (again := rows.duplicated()).any():
        clip = rows["clip"][again].iloc[0]
        raise EvaluationError(f"clip {clip} is there twice in the {which} predictions, for one seed")
    counts = rows["clip"].value_counts()
    if counts.iloc[0] > counts.iloc[-1]:
        raise EvaluationError(
            f"clip {counts.index[-1]} is there for fewer seeds than clip {counts.index[0]} in the {which} "
            "predictions: take seeds that were tested on the same clips"
        )

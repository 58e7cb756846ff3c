"""How good a model is, and how sure one can be: metrics, intervals over speakers, comparisons, floors.

Everything is computed from predictions: a table with one row per clip and seed and at least the columns
``speaker``, ``label`` and ``predicted``. Counts that are pooled over seeds weigh each seed alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab.checks import check_names
from serlab.errors import EvaluationError

# Less than this is what rounding leaves of nothing.
NOTHING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A value with the two ends of its confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class Comparison:
    """Difference of two models on the same clips (the first less the second), its interval and p-value."""

    difference: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        points = f"{100 * self.difference:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        return f"{points}, p = {self.p:.3f}" if self.p >= 0.001 else f"{points}, p < 0.001"


def uar(label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None) -> float:
    """Compute the unweighted average recall: the mean over classes of the share that was recognised.

    Also called UA, macro recall or balanced accuracy. A class counts as much as any other, however rare it
    is, so that guessing one class always gives one over the number of classes.

    Parameters
    ----------
    label : sequence of str, shape (n,)
        What the clips are. The mean is over the classes that occur here.
    predicted : sequence of str, shape (n,)
        What the model said.
    classes : sequence of str, optional
        What may be said. Where they are not given, they are taken from the other two, which must then be
        written alike.

    Returns
    -------
    float
        In [0, 1].

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
    return float(_uar(_counts(label, predicted, classes)[0]))


def accuracy(label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None) -> float:
    """Compute the share of clips that were recognised (weighted accuracy, WA).

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)
    classes : sequence of str, optional
        As for `uar`, with the same errors.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> accuracy(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"])
    0.75
    """
    return float(_accuracy(_counts(label, predicted, classes)[0]))


def macro_f1(label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None) -> float:
    """Compute the mean over classes of F1, the harmonic mean of precision and recall.

    The mean is over the classes that occur in either argument, as in scikit-learn.

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)
    classes : sequence of str, optional
        As for `uar`, with the same errors.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> round(macro_f1(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"]), 3)
    0.429
    """
    return float(_macro_f1(_counts(label, predicted, classes)[0]))


def confusion(
    *, label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Count how often each class (rows) was taken for each class (columns).

    Both arguments must be named, so that they cannot be swapped: swapped, precision and recall change places.

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)
    classes : sequence of str, optional
        Order of rows and columns. By default the usual order of the emotions, then the alphabet.

    Returns
    -------
    DataFrame
        Counts, shape (classes, classes), index named "label", columns named "predicted".

    Examples
    --------
    >>> confusion(label=["sad", "sad", "happy"], predicted=["sad", "happy", "happy"]).loc["sad"].tolist()
    [1, 1]
    """
    counts, names = _counts(label, predicted, classes)
    index, columns = pd.Index(names, name="label"), pd.Index(names, name="predicted")
    return pd.DataFrame(counts, index=index, columns=columns)


def report(
    *, label: Sequence[str], predicted: Sequence[str], classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compute precision, recall and F1 for each class, and their means.

    Both arguments must be named, so that they cannot be swapped.

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)
    classes : sequence of str, optional
        Order of the rows.

    Returns
    -------
    DataFrame
        One row per class and a last row "mean" over the classes that occur as labels, with columns
        ``precision``, ``recall``, ``f1`` and ``clips`` (how many have that label). A class that is never
        predicted has precision 0.

    Examples
    --------
    >>> label, predicted = ["sad", "sad", "happy"], ["sad", "happy", "happy"]
    >>> report(label=label, predicted=predicted)["recall"].to_dict()
    {'happy': 1.0, 'sad': 0.5, 'mean': 0.75}
    """
    counts, names = _counts(label, predicted, classes)
    hits, true, said = np.diagonal(counts), counts.sum(1), counts.sum(0)
    table = pd.DataFrame(
        {
            "precision": hits / np.maximum(said, 1),
            "recall": np.where(true > 0, hits / np.maximum(true, 1), np.nan),
            "f1": 2 * hits / np.maximum(true + said, 1),
            "clips": true,
        },
        index=pd.Index(names, name="class"),
    )
    means = table[true > 0].mean()
    table.loc["mean"] = [means["precision"], means["recall"], means["f1"], true.sum()]
    return table.astype({"clips": int})


def interval(
    predictions: pd.DataFrame,
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    confidence: float = 0.95,
) -> Interval:
    """Give a metric with its confidence interval over speakers.

    Clips of one speaker resemble each other, so that counting clips as if each were new evidence gives
    intervals that are too narrow. Here one whole speaker at a time is left out, with all their clips of all
    seeds: how much the metric then moves says how much it depends on who was asked. See `jackknife`.

    Parameters
    ----------
    predictions : DataFrame or Run
        With columns ``speaker``, ``label``, ``predicted``; the rows of several seeds are pooled.
    metric : {"uar", "accuracy", "macro_f1", "weighted_f1"} or callable
        A callable takes confusion counts of shape (..., classes, classes), labels in rows, and returns
        shape (...), between 0 and 1. In "weighted_f1" every class counts as often as it occurs.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Both ends within 0 and 1.

    Raises
    ------
    EvaluationError
        If there are fewer than two speakers, or a column is missing.

    Examples
    --------
    >>> predictions = pd.DataFrame({"speaker": list("aabbcc"), "label": ["sad", "happy"] * 3})
    >>> predictions["predicted"] = ["sad", "happy", "sad", "sad", "sad", "happy"]
    >>> print(interval(predictions))
    83.3 % [11.6, 100.0]
    """
    predictions = getattr(predictions, "predictions", predictions)
    counts = _speaker_counts(predictions, _classes(predictions["label"], predictions["predicted"]))[0]
    value, error = _measured(_metric(metric), counts)
    low, high, _ = student(value, error, confidence=confidence)
    return Interval(float(value), max(0.0, float(low)), min(1.0, float(high)))


def compare(
    first,
    second,
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    confidence: float = 0.95,
) -> Comparison:
    """Compare two models on the same clips, speaker by speaker.

    Whoever is left out is left out for both models, so that what makes a speaker hard for both cancels. The
    two-sided p-value comes from the same t as the interval: it is below 0.05 where the 95 % interval leaves
    out zero. Where several comparisons are read together, correct them with `holm`.

    Parameters
    ----------
    first, second : DataFrame or Run
        Predictions with columns ``clip``, ``speaker``, ``label``, ``predicted``. Seeds are pooled within
        each; the two may have different numbers of seeds.
    metric, confidence
        As in `interval`.

    Returns
    -------
    Comparison
        Of `first` less `second`.

    Raises
    ------
    EvaluationError
        If the two were not tested on the same clips with the same labels.

    Examples
    --------
    >>> first = pd.DataFrame({"clip": list("uvwxyz"), "speaker": list("aabbcc")})
    >>> first["label"] = first["predicted"] = ["sad", "happy"] * 3
    >>> second = first.assign(predicted=["sad", "happy", "sad", "sad", "sad", "sad"])
    >>> print(compare(first, second, "accuracy"))
    +33.3 points [-38.4, +105.0], p = 0.184
    """
    measure = _metric(metric)
    first, second = (getattr(one, "predictions", one) for one in (first, second))
    clips = [one[["clip", "speaker", "label"]].drop_duplicates() for one in (first, second)]
    apart = pd.concat(clips).drop_duplicates(keep=False)
    if len(apart):
        raise EvaluationError(
            f"the two runs were not tested on the same clips: {apart['clip'].nunique()} clips, the first of "
            f"them {apart['clip'].iloc[0]}, are in one only or have another label. Compare runs of one split."
        )
    for one, which in ((first, "first"), (second, "second")):
        _check_rows(one, which)
    classes = _classes(*(one[column] for one in (first, second) for column in ("label", "predicted")))
    a, b = (_speaker_counts(one, classes)[0] for one in (first, second))
    value = measure(a.sum(0)) - measure(b.sum(0))
    error = jackknife(_without_each(measure, a) - _without_each(measure, b), a.sum((1, 2)))
    return Comparison(float(value), *map(float, student(value, error, confidence=confidence)))


def compare_all(
    pairs: Mapping[str, tuple],
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare several pairs of models that are read together, with Holm's correction for how many they are.

    Parameters
    ----------
    pairs : mapping of str to (DataFrame or Run, DataFrame or Run)
        What is compared, by the name of its row; see `compare`.
    metric, confidence
        As in `interval`.

    Returns
    -------
    DataFrame
        One row per pair, with columns ``difference``, ``low``, ``high``, ``p`` of each by itself, and
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
    found = {name: compare(*pair, metric, confidence).__dict__ for name, pair in pairs.items()}
    table = pd.DataFrame.from_dict(found, orient="index")
    return table.assign(p_holm=holm(table["p"]))


def by_group(
    predictions: pd.DataFrame,
    by: str,
    metric: str | Callable[[np.ndarray], np.ndarray] = "accuracy",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Give a metric, with its interval over speakers, for each group of clips: for each sentence, say.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``speaker``, ``label``, ``predicted`` and `by`; the rows of several seeds are pooled.
    by : str
        Column that names the groups. Rows without a value are left out.
    metric, confidence
        As in `interval`, which is applied to each group by itself.

    Returns
    -------
    DataFrame
        One row per group, sorted, with columns ``value``, ``low``, ``high`` and ``rows`` (how many
        predictions).

    Raises
    ------
    EvaluationError
        If there is no such column, or nothing in it, or a group holds one speaker only.

    Examples
    --------
    >>> said = pd.DataFrame({"speaker": list("abab"), "sentence": ["s1", "s1", "s2", "s2"]})
    >>> said = said.assign(label="sad", predicted=["sad", "sad", "sad", "happy"])
    >>> by_group(said, "sentence")["value"].to_dict()
    {'s1': 1.0, 's2': 0.5}
    """
    found = {}
    for name, part in _grouped(predictions, by):
        try:
            one = interval(part, metric, confidence)
        except EvaluationError as error:
            raise EvaluationError(f"{by} {name}: {error}") from error
        found[name] = (one.value, one.low, one.high, len(part))
    table = pd.DataFrame.from_dict(found, orient="index", columns=["value", "low", "high", "rows"])
    return table.rename_axis(by)


def group_difference(
    predictions: pd.DataFrame,
    by: str,
    first: str,
    second: str,
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    confidence: float = 0.95,
) -> Comparison:
    """Compare how good a model is for two groups of speakers, such as women and men.

    Each group has its own standard error over its own speakers, and the two are added as in Welch's test. So
    the interval is as wide as few speakers make it, however many clips they gave.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``speaker``, ``label``, ``predicted`` and `by`; the rows of several seeds are pooled.
    by : str
        Column that names the groups.
    first, second : str
        Two values of that column.
    metric, confidence
        As in `interval`.

    Returns
    -------
    Comparison
        Of the first group less the second.

    Raises
    ------
    EvaluationError
        If there is no such column or group, if a group has one speaker only, or if a speaker is in both.

    References
    ----------
    Welch, B. L. (1947). The generalization of "Student's" problem when several different population
    variances are involved. Biometrika, 34(1-2), 28-35.

    Examples
    --------
    >>> said = pd.DataFrame({"speaker": list("aabbccdd"), "gender": ["female"] * 4 + ["male"] * 4})
    >>> said["label"] = ["sad", "happy"] * 4
    >>> said["predicted"] = ["sad", "happy"] * 3 + ["sad", "sad"]
    >>> print(group_difference(said, "gender", "female", "male", "accuracy"))
    +25.0 points [-292.7, +342.7], p = 0.500
    """
    parts = dict(_grouped(predictions, by))
    if absent := [name for name in (first, second) if name not in parts]:
        raise EvaluationError(f"no {by} is {absent[0]!r}: there are {', '.join(map(str, parts))}")
    both = set(parts[first]["speaker"]) & set(parts[second]["speaker"])
    if both:
        raise EvaluationError(
            f"speaker {min(both)} is both {first} and {second}: this compares groups of different speakers. "
            "Take by_group, or compare two sets of predictions."
        )
    classes = _classes(predictions["label"], predictions["predicted"])
    (a, error), (b, other) = (
        _measured(_metric(metric), _speaker_counts(parts[name], classes)[0]) for name in (first, second)
    )
    return Comparison(float(a - b), *map(float, student(a - b, error, other, confidence=confidence)))


def over_speakers(
    table: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float | np.ndarray],
    confidence: float = 0.95,
) -> Interval:
    """Give any number that is computed from a table, such as a correlation, with its interval over speakers.

    As in `interval`, one whole speaker at a time is left out. That one is quicker for metrics.

    Parameters
    ----------
    table : DataFrame
        With a column ``speaker``.
    statistic : callable
        Takes rows of the table, returns a number, or an array of numbers, each of which gets its interval.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Of arrays where the statistic is one.

    Raises
    ------
    EvaluationError
        If there are fewer than two speakers, or the statistic is not a number without one of them.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": list("aabbcc"), "x": [1, 2, 3, 4, 5, 6], "y": [2, 4, 6, 8, 10, 12]})
    >>> over_speakers(table, lambda rows: rows["x"].corr(rows["y"])).value
    1.0
    """
    who, speakers = _speakers(table)
    sizes = np.bincount(who)
    if len(speakers) < 2:
        raise EvaluationError("an interval over speakers needs rows of at least two speakers")
    without = np.array([statistic(table[who != number]) for number in range(len(speakers))], float)
    if not np.isfinite(without).all():
        bad = speakers[~np.isfinite(without.reshape(len(speakers), -1)).all(axis=1)][0]
        raise EvaluationError(
            f"the statistic is not a number without speaker {bad}: too few speakers have what it needs for "
            "an interval. Leave it out, or give the value alone."
        )
    value = np.asarray(statistic(table), float)
    low, high, _ = student(value, jackknife(without, sizes), confidence=confidence)
    return Interval(*(float(one) if one.ndim == 0 else one for one in (value, low, high)))


def jackknife(without: np.ndarray, sizes: Sequence[float]) -> tuple[np.ndarray, float]:
    """Compute the standard error over speakers of any statistic, by leaving out one speaker at a time.

    Speakers who gave many clips count for more in a pooled score, so that a few of them decide it: the
    degrees of freedom are those of the effective number of speakers, the square of the sum of their sizes
    over the sum of the squares, less one.

    Parameters
    ----------
    without : ndarray, shape (speakers, ...)
        The statistic without each speaker. Of a difference: the difference without each speaker.
    sizes : sequence of float, shape (speakers,)
        Clips of each speaker.

    Returns
    -------
    standard_error : ndarray, shape (...)
    degrees_of_freedom : float
        For `student`.

    Raises
    ------
    EvaluationError
        If there are fewer than two speakers.

    References
    ----------
    Efron, B., & Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics, 9(3), 586-596.

    Kish, L. (1965). Survey sampling, section 11.7 (the effective number). Wiley.

    Examples
    --------
    The standard error of a mean:

    >>> x = np.array([1.0, 2.0, 3.0, 6.0])
    >>> error, freedom = jackknife((x.sum() - x) / 3, np.ones(4))
    >>> round(float(error), 4), round(float(x.std(ddof=1) / 2), 4), freedom
    (1.0801, 1.0801, 3.0)
    """
    without, sizes = np.asarray(without, float), np.asarray(sizes, float)
    n = len(without)
    if n < 2:
        raise EvaluationError("an interval over speakers needs at least two of them")
    error = np.sqrt((n - 1) / n * np.square(without - without.mean(axis=0)).sum(axis=0))
    return error, float(sizes.sum() ** 2 / np.square(sizes).sum() - 1)


def student(
    value: np.ndarray, *errors: tuple[np.ndarray, float], confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn a value and its standard error into an interval and a p-value, by Student's t.

    Every interval and every p-value in the book comes from here. In simulations it holds the truth in 94 to
    96 % of cases for 5, 10, 24 and 39 speakers; percentiles of a bootstrap did so in 84 to 93 %
    (``benchmarks/intervals.py``).

    Parameters
    ----------
    value : ndarray, shape (...)
        A score or a difference.
    *errors : (standard error of shape (...), degrees of freedom)
        From `jackknife`. Several independent ones, as of two groups of speakers, are added by their squares,
        with Welch's degrees of freedom.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : ndarray, shape (...)
    p : ndarray, shape (...)
        Two-sided, of no difference: 1 where the value is zero and nothing moves it. Where all speakers show
        exactly the same difference, that of a test of signs, 0.5 to the power of the degrees of freedom; the
        interval then has no width, and says less than it seems to.

    Raises
    ------
    EvaluationError
        If `confidence` is not between 0 and 1.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika, 6(1), 1-25. Welch (1947), as in
    `group_difference`.

    Examples
    --------
    >>> low, high, p = student(0.1, (0.04, 9.0))
    >>> round(float(low), 3), round(float(high), 3), round(float(p), 3)
    (0.01, 0.19, 0.034)
    """
    from scipy import stats

    if not 0 < confidence < 1:
        raise EvaluationError(f"confidence must be between 0 and 1, such as 0.95, not {confidence:g}")
    value = np.asarray(value, float)
    # What rounding leaves of nothing is nothing.
    value = np.where(np.abs(value) < NOTHING, 0.0, value)
    squares = np.array([np.where(np.abs(error) < NOTHING, 0.0, np.square(error)) for error, _ in errors])
    total = squares.sum(axis=0)
    shares = sum(square**2 / freedom for square, (_, freedom) in zip(squares, errors, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(total == 0, 1.0, total**2 / shares)
        t = np.where(total == 0, np.where(value == 0, 0.0, np.inf), np.abs(value) / np.sqrt(total))
    half = stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(total)
    # Where all speakers agree exactly, no test of signs could be surer than this.
    p = np.where(np.isinf(t), 0.5 ** sum(freedom for _, freedom in errors), 2 * stats.t.sf(t, freedom))
    return value - half, value + half, p[()]  # a number where the value is one


def holm(p: Sequence[float]) -> np.ndarray:
    """Correct the p-values of comparisons that are read together, so that one error in twenty stays that.

    Parameters
    ----------
    p : sequence of float, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
        In the order given, none below what it was.

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


def clear(comparisons: Iterable[Comparison]) -> list[int]:
    """Say which of several comparisons that are read together show a difference, after `holm`.

    Parameters
    ----------
    comparisons : iterable of Comparison

    Returns
    -------
    list of int
        1 where the first of the two is clearly ahead (corrected p-value below 0.05), -1 where the second is,
        0 where no difference can be shown.

    Examples
    --------
    >>> clear([Comparison(0.1, 0.05, 0.15, 0.01), Comparison(-0.1, -0.19, -0.01, 0.03)])
    [1, -1]
    >>> clear([Comparison(0.1, 0.01, 0.19, 0.03), Comparison(0.1, 0.01, 0.19, 0.03)])
    [0, 0]
    """
    comparisons = list(comparisons)
    corrected = holm([one.p for one in comparisons])
    return [
        int(np.sign(one.difference)) if p < 0.05 else 0 for one, p in zip(comparisons, corrected, strict=True)
    ]


def floors(label: Sequence[str]) -> pd.DataFrame:
    """Compute what is reached without listening, from the class sizes alone.

    Parameters
    ----------
    label : sequence of str, shape (n,)

    Returns
    -------
    DataFrame
        Rows ``chance`` (every class alike), ``majority`` (always the largest class) and ``stratified``
        (each class as often as it occurs); columns ``uar``, ``accuracy`` and ``macro_f1``: expected values,
        for F1 in the limit of many clips.

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


def reliability(predictions: pd.DataFrame, of: str | None = None, bins: int = 10) -> pd.DataFrame:
    """Compare how probable a model finds a class with how often it is right: the reliability curve.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``label`` and ``p_<class>``; the rows of several seeds are pooled.
    of : str, optional
        The class whose probability is judged. By default that of the most probable class, whichever it is.
    bins : int
        Number of equal parts of the range from 0 to 1.

    Returns
    -------
    DataFrame
        One row per part that holds clips, with columns ``said`` (mean probability), ``true`` (share of clips
        that are of the class) and ``clips``. A calibrated model has ``true`` near ``said`` everywhere.

    Raises
    ------
    EvaluationError
        If there are no probabilities, or none of that class.

    References
    ----------
    Niculescu-Mizil & Caruana 2005, Predicting good probabilities with supervised learning, ICML.

    Examples
    --------
    >>> said = pd.DataFrame({"label": ["sad", "sad", "happy", "happy"], "p_sad": [0.9, 0.9, 0.9, 0.1]})
    >>> reliability(said.assign(p_happy=1 - said["p_sad"]), "sad", bins=2).round(2).values.tolist()
    [[0.1, 0.0, 1.0], [0.9, 0.67, 3.0]]
    """
    columns = [name for name in predictions if name.startswith("p_")]
    if not columns or (of is not None and f"p_{of}" not in columns):
        known = ", ".join(name.removeprefix("p_") for name in columns) or "none"
        raise EvaluationError(f"no probabilities of {of or 'any class'}: there are those of {known}")
    if of is None:
        p = predictions[columns].to_numpy()
        names = np.array([name.removeprefix("p_") for name in columns])
        said, true = p.max(axis=1), names[p.argmax(axis=1)] == predictions["label"].to_numpy()
    else:
        said, true = predictions[f"p_{of}"].to_numpy(), (predictions["label"] == of).to_numpy()
    if bins < 1 or not ((said >= 0) & (said <= 1 + 1e-6)).all():
        raise EvaluationError("probabilities must be numbers from 0 to 1, and bins at least 1")
    part = np.minimum((said * bins).astype(int), bins - 1)
    found = pd.DataFrame({"said": said, "true": true.astype(float), "clips": part})
    return found.groupby(part).agg({"said": "mean", "true": "mean", "clips": "size"}).reset_index(drop=True)


def calibration_error(predictions: pd.DataFrame, of: str | None = None, bins: int = 10) -> float:
    """Compute the expected calibration error: how far probabilities are from the truth, on average.

    Parameters
    ----------
    predictions, of, bins
        As for `reliability`.

    Returns
    -------
    float
        Mean over clips of the distance between ``said`` and ``true``, in [0, 1]; 0 is perfect. It depends on
        the number of parts: compare only what was computed with the same.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger 2017, On calibration of modern neural networks, ICML.

    Examples
    --------
    >>> said = pd.DataFrame({"label": ["sad", "happy"], "p_sad": [0.9, 0.9], "p_happy": [0.1, 0.1]})
    >>> round(calibration_error(said), 2)
    0.4
    """
    found = reliability(predictions, of, bins)
    return float(np.average(np.abs(found["said"] - found["true"]), weights=found["clips"]))


def risk_coverage(right: Sequence[bool], sure: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Give the share of wrong answers among the surest ones, for every number of answers kept.

    Parameters
    ----------
    right : sequence of bool, shape (clips,)
        Whether each answer is right.
    sure : sequence of float, shape (clips,)
        How sure the model is of each, such as its largest probability. Answers it is equally sure of keep
        their order.

    Returns
    -------
    coverage, risk : ndarray, shape (clips,)
        Share of answers kept, the surest first, from one answer to all; share of wrong ones among them.

    Raises
    ------
    EvaluationError
        If there are no answers, or not as many values of the one as of the other.

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


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Compute the scores that a recorded run carries.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``speaker``, ``fold``, ``seed``, ``label``, ``predicted``.

    Returns
    -------
    dict
        ``uar``, ``accuracy``, ``macro_f1`` over all clips and seeds; ``uar_fold_mean``, the mean of the UAR
        of each fold and seed, which published results of fold-wise protocols report; ``uar_low`` and
        ``uar_high``, the 95 % interval over speakers (missing with one speaker); ``uar_seed_sd``, the
        standard deviation of the UAR between seeds (missing with one seed). Rounded to five decimals.
    """
    label, predicted = predictions["label"], predictions["predicted"]
    # A fold may hold few clips, all of them wrong: names are compared over all.
    _, classes = _counts(label, predicted)
    parts = (predictions.groupby(by) for by in (["fold", "seed"], "seed"))
    by_fold, by_seed = ([uar(one["label"], one["predicted"], classes) for _, one in by] for by in parts)
    found = {
        "uar": uar(label, predicted),
        "accuracy": accuracy(label, predicted),
        "macro_f1": macro_f1(label, predicted),
        "uar_fold_mean": float(np.mean(by_fold)),
    }
    if len(predictions["speaker"].unique()) > 1:
        whole = interval(predictions)
        found |= {"uar_low": whole.low, "uar_high": whole.high}
    if len(by_seed) > 1:
        found["uar_seed_sd"] = float(np.std(by_seed, ddof=1))
    return {name: round(value, 5) for name, value in found.items()}


def _classes(*columns: Sequence[str]) -> list[str]:
    """List the classes that occur, in the usual order."""
    from serlab.corpora.table import in_order

    names = dict.fromkeys(name for column in columns for name in pd.unique(pd.Series(column)))
    check_names(names)
    return in_order(names)


def _counts(label, predicted, classes=None) -> tuple[np.ndarray, list[str]]:
    if len(label) != len(predicted):
        raise EvaluationError(f"{len(label)} labels do not go with {len(predicted)} predictions")
    if not len(label):
        raise EvaluationError("there is nothing to evaluate: no labels were given")
    names = list(classes) if classes is not None else _classes(label, predicted)
    if classes is None:
        _check_common(label, predicted)
    frame = pd.DataFrame({"speaker": 0, "label": np.asarray(label), "predicted": np.asarray(predicted)})
    return _speaker_counts(frame, names, least=1)[0][0], names


def _speaker_counts(predictions: pd.DataFrame, classes: list[str], least: int = 2) -> tuple[np.ndarray, list]:
    """Count confusions of each speaker: shape (speakers, classes, classes), labels before predictions."""
    missing = {"speaker", "label", "predicted"} - set(predictions)
    if missing:
        raise EvaluationError(f"predictions lack the columns {', '.join(sorted(missing))}")
    speaker, names = _speakers(predictions)
    if len(names) < least:
        raise EvaluationError("an interval over speakers needs predictions for at least two speakers")
    if least > 1:
        _check_common(predictions["label"], predictions["predicted"])
    index = pd.Index(classes)
    true, said = (index.get_indexer(predictions[column]) for column in ("label", "predicted"))
    if min(true.min(), said.min()) < 0:
        strange = set(predictions["label"]) | set(predictions["predicted"])
        odd = sorted(map(str, strange - set(classes)))
        raise EvaluationError(f"{odd} are not among the classes {classes}")
    counts = np.zeros((len(names), len(classes), len(classes)), int)
    np.add.at(counts, (speaker, true, said), 1)
    return counts, list(names)


def _speakers(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Number the speakers of a table, in the order of their names: numbers of rows, and names."""
    if (missing := table["speaker"].isna().to_numpy()).any():
        raise EvaluationError(f"row {int(missing.argmax())} has no speaker: name one, or leave the row out")
    # As text: categories have an order of their own, and 1 and "1" are one person.
    return pd.factorize(table["speaker"].astype(str).to_numpy(dtype=object), sort=True)


def _check_common(label, predicted) -> None:
    """Make sure that labels and predictions are names of the same classes."""
    true, said = set(label), set(predicted)
    if len(true) > 1 and len(said) > 1 and not true & said:
        raise EvaluationError(
            f"labels ({', '.join(map(str, true))}) and predictions ({', '.join(map(str, said))}) have no "
            "class in common: name classes alike, or give all of them as classes="
        )


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


def _without_each(measure, counts: np.ndarray) -> np.ndarray:
    """Give a metric without each speaker in turn: shape (speakers,)."""
    tables = counts.sum(axis=0) - counts
    without = np.asarray(measure(tables))
    if without.shape != (len(counts),) or not np.isclose(without[0], measure(tables[0]), equal_nan=True):
        raise EvaluationError(
            "the metric must give one number for each table of counts: sum over axis=(-2, -1) and index with "
            "[..., i, j]"
        )
    return without


def _measured(measure, counts: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, float]]:
    """Give a metric over all speakers, and its `jackknife`."""
    return measure(counts.sum(axis=0)), jackknife(_without_each(measure, counts), counts.sum((1, 2)))


def _grouped(predictions: pd.DataFrame, by: str) -> list[tuple[str, pd.DataFrame]]:
    if by not in predictions or predictions[by].isna().all():
        raise EvaluationError(f"predictions say nothing in column {by!r}: join it from the utterance table")
    return list(predictions.groupby(by))


def _metric(metric) -> Callable[[np.ndarray], np.ndarray]:
    known = {"uar": _uar, "accuracy": _accuracy, "macro_f1": _macro_f1, "weighted_f1": _weighted_f1}
    if callable(metric):
        return metric
    if metric not in known:
        names = ", ".join(known)
        raise EvaluationError(f"unknown metric {metric!r}: use one of {names}, or a function of counts")
    return known[metric]


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
    hits, true, said = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1), counts.sum(-2)
    return np.sum(2 * hits * true / np.maximum(true + said, 1), axis=-1) / true.sum(-1)

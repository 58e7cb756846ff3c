"""How good a model is, and how sure one can be: metrics, intervals over speakers, paired comparison, floors.

Everything is computed from predictions: a table with one row per clip and seed and at least the columns
``speaker``, ``label`` and ``predicted``. Counts that are pooled over seeds weigh each seed alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab.errors import EvaluationError


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


def uar(label: Sequence[str], predicted: Sequence[str]) -> float:
    """Compute the unweighted average recall: the mean over classes of the share that was recognised.

    Also called UA, macro recall or balanced accuracy. A class counts as much as any other, however rare it
    is, so that guessing one class always gives one over the number of classes.

    Parameters
    ----------
    label : sequence of str, shape (n,)
        What the clips are. The mean is over the classes that occur here.
    predicted : sequence of str, shape (n,)
        What the model said.

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    Schuller, B., Steidl, S., & Batliner, A. (2009). The INTERSPEECH 2009 emotion challenge. Interspeech.

    Examples
    --------
    >>> uar(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"])
    0.5
    """
    return float(_uar(_counts(label, predicted)[0]))


def accuracy(label: Sequence[str], predicted: Sequence[str]) -> float:
    """Compute the share of clips that were recognised (weighted accuracy, WA).

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> accuracy(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"])
    0.75
    """
    return float(_accuracy(_counts(label, predicted)[0]))


def macro_f1(label: Sequence[str], predicted: Sequence[str]) -> float:
    """Compute the mean over classes of F1, the harmonic mean of precision and recall.

    The mean is over the classes that occur in either argument, as in scikit-learn.

    Parameters
    ----------
    label, predicted : sequence of str, shape (n,)

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> round(macro_f1(["sad", "sad", "sad", "happy"], ["sad", "sad", "sad", "sad"]), 3)
    0.429
    """
    return float(_macro_f1(_counts(label, predicted)[0]))


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


def bootstrap(
    predictions: pd.DataFrame,
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    n: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Give a metric with its confidence interval over speakers.

    Clips of one speaker resemble each other, so that drawing clips one by one gives intervals that are too
    narrow. Here whole speakers are drawn with replacement, as many as there are, and all their clips, of
    all seeds, come with them. The interval lies between the percentiles of the metric over the draws. A
    class that a draw does not contain is left out of that draw's mean.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``speaker``, ``label``, ``predicted``; the rows of several seeds are pooled.
    metric : {"uar", "accuracy", "macro_f1", "weighted_f1"} or callable
        A callable takes confusion counts of shape (..., classes, classes), labels in rows, and returns
        shape (...). In "weighted_f1" every class counts as often as it occurs.
    n : int
        Number of draws.
    seed : int
        Of the draws.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval

    Raises
    ------
    EvaluationError
        If there are fewer than two speakers, or a column is missing.

    References
    ----------
    Field, C. A., & Welsh, A. H. (2007). Bootstrapping clustered data. Journal of the Royal Statistical
    Society B, 69(3), 369-390.

    Ferrer, L., & Riera, P. Confidence intervals for evaluation in machine learning.
    https://github.com/luferrer/ConfidenceIntervals

    Examples
    --------
    >>> predictions = pd.DataFrame({"speaker": list("aabbcc"), "label": ["sad", "happy"] * 3})
    >>> predictions["predicted"] = ["sad", "happy", "sad", "sad", "sad", "happy"]
    >>> print(bootstrap(predictions))
    83.3 % [50.0, 100.0]
    """
    measure = _metric(metric)
    counts = _speaker_counts(predictions, _classes(predictions["label"], predictions["predicted"]))[0]
    draws = measure(_resample(counts, n, seed))
    low, high = _percentiles(draws, confidence)
    return Interval(float(measure(counts.sum(0))), low, high)


def compare(
    first,
    second,
    metric: str | Callable[[np.ndarray], np.ndarray] = "uar",
    n: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Comparison:
    """Compare two models on the same clips by a paired bootstrap over speakers.

    In every draw both models are measured on the same speakers, so that what makes a speaker hard for both
    cancels. The two-sided p-value is twice the smaller share of draws on either side of no difference, with
    one draw added to each count so that it is never zero.

    Parameters
    ----------
    first, second : DataFrame or Run
        Predictions with columns ``clip``, ``speaker``, ``label``, ``predicted``. Seeds are pooled within
        each; the two may have different numbers of seeds.
    metric, n, seed, confidence
        As in `bootstrap`.

    Returns
    -------
    Comparison
        Of `first` less `second`.

    Raises
    ------
    EvaluationError
        If the two were not tested on the same clips with the same labels.

    References
    ----------
    Field & Welsh (2007) and Ferrer & Riera, as in `bootstrap`; Efron, B., & Tibshirani, R. J. (1993). An
    introduction to the bootstrap, chapter 16. Chapman & Hall.
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
    classes = _classes(*(one[column] for one in (first, second) for column in ("label", "predicted")))
    counts = [_speaker_counts(one, classes)[0] for one in (first, second)]
    a, b = (measure(_resample(one, n, seed)) for one in counts)
    difference = float(measure(counts[0].sum(0)) - measure(counts[1].sum(0)))
    return _comparison(difference, a - b, confidence)


def by_group(
    predictions: pd.DataFrame,
    by: str,
    metric: str | Callable[[np.ndarray], np.ndarray] = "accuracy",
    n: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Give a metric, with its interval over speakers, for each group of clips: for each sentence, say.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``speaker``, ``label``, ``predicted`` and `by`; the rows of several seeds are pooled.
    by : str
        Column that names the groups. Rows without a value are left out.
    metric, n, seed, confidence
        As in `bootstrap`, which is applied to each group by itself.

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
            one = bootstrap(part, metric, n, seed, confidence)
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
    n: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Comparison:
    """Compare how good a model is for two groups of speakers, such as women and men.

    Speakers are drawn with replacement within each group, as many as it has. So the interval is as wide as
    few speakers make it, however many clips they gave. The p-value is that of `compare`.

    Parameters
    ----------
    predictions : DataFrame
        With columns ``speaker``, ``label``, ``predicted`` and `by`; the rows of several seeds are pooled.
    by : str
        Column that names the groups.
    first, second : str
        Two values of that column.
    metric, n, seed, confidence
        As in `bootstrap`.

    Returns
    -------
    Comparison
        Of the first group less the second.

    Raises
    ------
    EvaluationError
        If there is no such column or group, if a group has one speaker only, or if a speaker is in both.

    Examples
    --------
    >>> said = pd.DataFrame({"speaker": list("aabbccdd"), "gender": ["female"] * 4 + ["male"] * 4})
    >>> said["label"] = ["sad", "happy"] * 4
    >>> said["predicted"] = ["sad", "happy"] * 2 + ["sad", "sad"] * 2
    >>> print(group_difference(said, "gender", "female", "male"))
    +50.0 points [+50.0, +50.0], p < 0.001
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
    measure = _metric(metric)
    classes = _classes(predictions["label"], predictions["predicted"])
    a, b = (_speaker_counts(parts[name], classes)[0] for name in (first, second))
    apart = measure(_resample(a, n, seed)) - measure(_resample(b, n, seed + 1))
    return _comparison(float(measure(a.sum(0)) - measure(b.sum(0))), apart, confidence)


def over_speakers(
    table: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    n: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Give any number that is computed from a table, such as a correlation, with its interval over speakers.

    As in `bootstrap` whole speakers are drawn, with all their rows. That one is quicker for metrics.

    Parameters
    ----------
    table : DataFrame
        With a column ``speaker``.
    statistic : callable
        Takes rows of the table, returns a number. Draws for which it is not a number are left out.
    n, seed, confidence
        As in `bootstrap`.

    Returns
    -------
    Interval

    Raises
    ------
    EvaluationError
        If there are fewer than two speakers.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": list("aabbcc"), "x": [1, 2, 3, 4, 5, 6], "y": [2, 4, 6, 8, 10, 12]})
    >>> over_speakers(table, lambda rows: rows["x"].corr(rows["y"]), n=50).value
    1.0
    """
    speaker, names = pd.factorize(table["speaker"], sort=True)
    if len(names) < 2:
        raise EvaluationError("an interval over speakers needs rows of at least two speakers")
    rows = [np.flatnonzero(speaker == k) for k in range(len(names))]
    rng = np.random.default_rng(seed)
    draws = [
        statistic(table.iloc[np.concatenate([rows[k] for k in rng.integers(len(names), size=len(names))])])
        for _ in range(n)
    ]
    draws = np.asarray(draws, float)
    return Interval(float(statistic(table)), *_percentiles(draws[np.isfinite(draws)], confidence))


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
    by_fold = [uar(part["label"], part["predicted"]) for _, part in predictions.groupby(["fold", "seed"])]
    by_seed = [uar(part["label"], part["predicted"]) for _, part in predictions.groupby("seed")]
    found = {
        "uar": uar(label, predicted),
        "accuracy": accuracy(label, predicted),
        "macro_f1": macro_f1(label, predicted),
        "uar_fold_mean": float(np.mean(by_fold)),
    }
    if len(predictions["speaker"].unique()) > 1:
        interval = bootstrap(predictions)
        found |= {"uar_low": interval.low, "uar_high": interval.high}
    if len(by_seed) > 1:
        found["uar_seed_sd"] = float(np.std(by_seed, ddof=1))
    return {name: round(value, 5) for name, value in found.items()}


def _classes(*columns: Sequence[str]) -> list[str]:
    """List the classes that occur, in the usual order."""
    from serlab.corpora.table import in_order

    return in_order(name for column in columns for name in pd.unique(pd.Series(column)))


def _counts(label, predicted, classes=None) -> tuple[np.ndarray, list[str]]:
    if len(label) != len(predicted):
        raise EvaluationError(f"{len(label)} labels do not go with {len(predicted)} predictions")
    if not len(label):
        raise EvaluationError("there is nothing to evaluate: no labels were given")
    names = list(classes) if classes is not None else _classes(label, predicted)
    frame = pd.DataFrame({"speaker": 0, "label": np.asarray(label), "predicted": np.asarray(predicted)})
    return _speaker_counts(frame, names, least=1)[0][0], names


def _speaker_counts(predictions: pd.DataFrame, classes: list[str], least: int = 2) -> tuple[np.ndarray, list]:
    """Count confusions of each speaker: shape (speakers, classes, classes), labels before predictions."""
    missing = {"speaker", "label", "predicted"} - set(predictions)
    if missing:
        raise EvaluationError(f"predictions lack the columns {', '.join(sorted(missing))}")
    speaker, names = pd.factorize(predictions["speaker"], sort=True)
    if len(names) < least:
        raise EvaluationError("an interval over speakers needs predictions for at least two speakers")
    index = pd.Index(classes)
    true, said = (index.get_indexer(predictions[column]) for column in ("label", "predicted"))
    if min(true.min(), said.min()) < 0:
        strange = set(predictions["label"]) | set(predictions["predicted"])
        odd = sorted(map(str, strange - set(classes)))
        raise EvaluationError(f"{odd} are not among the classes {classes}")
    counts = np.zeros((len(names), len(classes), len(classes)), int)
    np.add.at(counts, (speaker, true, said), 1)
    return counts, list(names)


def _resample(counts: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Draw whole speakers with replacement `n` times: shape (n, classes, classes)."""
    speakers = len(counts)
    times = np.random.default_rng(seed).multinomial(speakers, np.full(speakers, 1 / speakers), size=n)
    return np.tensordot(times, counts, axes=1)


def _percentiles(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def _comparison(difference: float, draws: np.ndarray, confidence: float) -> Comparison:
    low, high = _percentiles(draws, confidence)
    tail = min(np.sum(draws <= 0), np.sum(draws >= 0))
    return Comparison(difference, low, high, float(min(1, 2 * (tail + 1) / (len(draws) + 1))))


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

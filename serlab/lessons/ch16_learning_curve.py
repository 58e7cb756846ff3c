"""How good models are by the number of labels they were given: many draws, intervals, and paired comparison.

Only confusions are kept, counted for every draw, percentage, model and test speaker; every score and interval
comes from these. A draw of one fold is a block of work that is stored as soon as it is done.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import evaluation, provenance, results_cache
from serlab.checks import check_inputs, check_order
from serlab.errors import EvaluationError
from serlab.splits import Fold, check_rows

PERCENTAGES = tuple(range(2, 101, 2))
CLASSIFIERS = {
    "svm": "SVM",
    "knn": "k-NN",
    "tree": "decision tree",
    "forest": "random forest",
    "adaboost": "AdaBoost",
}
NEIGHBOURS = 5


def classifier(name: str, scaled: bool, seed: int = 0, clips: int = NEIGHBOURS):
    """Build one of the five classifiers of the study as scikit-learn has it by default.

    Parameters
    ----------
    name : str
        One of `CLASSIFIERS`.
    scaled : bool
        Whether every feature is standardised first, by its mean and deviation over the training clips.
    seed : int
        Of those that draw lots.
    clips : int
        Number of training clips: k-NN asks five neighbours, or as many as there are.

    Examples
    --------
    >>> classifier("svm", scaled=True)
    Pipeline(steps=[('standardscaler', StandardScaler()), ('svc', SVC())])
    """
    from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    made = {
        "svm": lambda: SVC(),
        "knn": lambda: KNeighborsClassifier(min(NEIGHBOURS, clips)),
        "tree": lambda: DecisionTreeClassifier(random_state=seed),
        "forest": lambda: RandomForestClassifier(random_state=seed),
        "adaboost": lambda: AdaBoostClassifier(random_state=seed),
    }
    if name not in made:
        raise EvaluationError(f"there is no classifier {name!r}: take one of {', '.join(made)}")
    return make_pipeline(StandardScaler(), made[name]()) if scaled else made[name]()


def study(names: Sequence[str] = tuple(CLASSIFIERS), scaled: Sequence[bool] = (True, False)) -> dict:
    """Name classifiers with and without scaling, for `learn`.

    Parameters
    ----------
    names : sequence of str
        Of `CLASSIFIERS`.
    scaled : sequence of bool

    Returns
    -------
    dict
        "<name>" for those with scaling and "<name>-default" for those without, to what builds them.

    Examples
    --------
    >>> list(study(["svm", "forest"]))
    ['svm', 'svm-default', 'forest', 'forest-default']
    """
    return {
        name if scale else f"{name}-default": partial(classifier, name, scale)
        for name in names
        for scale in scaled
    }


def draw(labels: Sequence[str], percent: float, seed: int | Sequence[int]) -> np.ndarray:
    """Draw the same share of every class, at least one clip of each.

    With one seed, smaller draws lie within larger ones.

    Parameters
    ----------
    labels : sequence of str
    percent : float
        Above 0, up to 100.
    seed : int or sequence of int

    Returns
    -------
    ndarray of int
        Row numbers, sorted.

    Examples
    --------
    >>> rows = draw(["sad"] * 10 + ["happy"] * 10, 20, seed=1)
    >>> len(rows), (rows < 10).sum()
    (4, np.int64(2))
    """
    if not 0 < percent <= 100:
        raise EvaluationError(f"a draw takes more than 0 and up to 100 percent, not {percent:g}")
    labels, rng, rows = np.asarray(labels), np.random.default_rng(seed), []
    for name in np.unique(labels):
        shuffled = rng.permutation(np.flatnonzero(labels == name))
        rows.append(shuffled[: max(1, round(percent / 100 * len(shuffled)))])
    return np.sort(np.concatenate(rows))


def balanced(labels: Sequence[str], seed: int = 0) -> np.ndarray:
    """Draw as many clips of every class as the rarest has; row numbers, sorted.

    Examples
    --------
    >>> balanced(["sad", "sad", "sad", "happy"], seed=0)
    array([2, 3])
    """
    labels, rng = np.asarray(labels), np.random.default_rng(seed)
    names, counts = np.unique(labels, return_counts=True)
    drawn = [rng.permutation(np.flatnonzero(labels == name))[: counts.min()] for name in names]
    return np.sort(np.concatenate(drawn))


@dataclass(frozen=True, eq=False)
class Curves:
    """Confusions by draw, percentage, model and test speaker.

    Attributes
    ----------
    counts : ndarray of int, shape (draws, percentages, models, speakers, classes, classes)
        Labels before predictions.
    percentages : tuple of float
    models, classes : tuple of str
    speakers : tuple of str
        Test speakers.
    folds : tuple of int
        The fold that each speaker is tested in: those of one fold are tested with the same draws.
    clips : ndarray of float, shape (percentages,)
        Training clips, mean over folds.
    seconds : float
        Processor time that training and predicting took, added up.
    """

    counts: np.ndarray
    percentages: tuple[float, ...]
    models: tuple[str, ...]
    classes: tuple[str, ...]
    speakers: tuple[str, ...]
    folds: tuple[int, ...]
    clips: np.ndarray
    seconds: float

    def scores(self, metric: str = "uar") -> pd.DataFrame:
        """Score every model at every percentage, with 95 % intervals over test speakers and draws.

        Two errors are added: that of leaving out one test speaker, and, in each fold, that of leaving out
        one draw of the training clips. So the interval says what to expect with other people in the test,
        and other clips labelled.

        Parameters
        ----------
        metric : {"uar", "weighted_f1"}

        Returns
        -------
        DataFrame
            With ``model``, ``percent``, ``clips``, ``value``, ``low``, ``high``, and ``deviation``: the
            standard deviation between draws.
        """
        measure = evaluation.metric_of_counts(metric)
        rows = []
        for place, model in enumerate(self.models):
            counts = self.counts[:, :, place]
            value, low, high = self._interval(measure, counts)
            by_draw = measure(counts.sum(axis=2))
            rows.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "percent": self.percentages,
                        "clips": self.clips,
                        "value": value,
                        "low": low.clip(0, 1),
                        "high": high.clip(0, 1),
                        "deviation": by_draw.std(axis=0, ddof=1) if len(by_draw) > 1 else np.nan,
                    }
                )
            )
        return pd.concat(rows, ignore_index=True)

    def by_draw(self, metric: str = "uar") -> pd.DataFrame:
        """Score every draw by itself: ``model``, ``percent``, ``draw``, ``value``."""
        found = evaluation.metric_of_counts(metric)(self.counts.sum(axis=3))
        index = pd.MultiIndex.from_product(
            [range(len(found)), self.percentages, self.models], names=["draw", "percent", "model"]
        )
        return pd.Series(found.ravel(), index, name="value").reset_index()

    def difference(
        self,
        other: Curves,
        model: str,
        metric: str = "uar",
        within: tuple[float, float] = (0, 100),
    ) -> tuple[pd.DataFrame, tuple[float, float, float]]:
        """Compare with curves of the same draws and speakers, which differ in the features alone.

        Parameters
        ----------
        other : Curves
        model : str
            One of `models`.
        metric
            As for `scores`. Whoever and whatever is left out is left out of both.
        within : (float, float)
            Percentages above the first and up to the second are averaged.

        Returns
        -------
        DataFrame
            With ``percent``, ``difference``, ``low``, ``high``: this less `other`.
        (difference, low, high)
            The mean over the percentages `within`, and its interval.

        Raises
        ------
        EvaluationError
            If the two have other draws, percentages or speakers.
        """
        facts = [
            (one.percentages, one.speakers, one.folds, one.classes, len(one.counts)) for one in (self, other)
        ]
        if facts[0] != facts[1]:
            raise EvaluationError("Curves to compare must be of the same draws, percentages and speakers.")
        measure = evaluation.metric_of_counts(metric)
        inside = (np.array(self.percentages) > within[0]) & (np.array(self.percentages) <= within[1])
        counts = [one.counts[:, :, one.models.index(model)] for one in (self, other)]
        value, low, high = self._interval(lambda a, b: measure(a) - measure(b), *counts)
        table = pd.DataFrame({"percent": self.percentages, "difference": value, "low": low, "high": high})
        mean = self._interval(lambda a, b: (measure(a) - measure(b))[..., inside].mean(axis=-1), *counts)
        value, low, high = map(float, mean)
        return table, (value, low, high)

    def difference_between(
        self,
        first: tuple[str, float],
        second: tuple[str, float],
        metric: str = "uar",
    ) -> evaluation.Interval:
        """Compare two points: another model, or the same with another share of the labels.

        Parameters
        ----------
        first, second : (str, float)
            One of `models` and one of `percentages` each.
        metric
            As for `scores`. Whoever and whatever is left out is left out of both.

        Returns
        -------
        Interval
            Of the first less the second.
        """
        measure = evaluation.metric_of_counts(metric)
        counts = [
            self.counts[:, self.percentages.index(percent), self.models.index(model)][:, None]
            for model, percent in (first, second)
        ]
        found = self._interval(lambda a, b: measure(a) - measure(b), *counts)
        return evaluation.Interval(*(float(one[0]) for one in found))

    def _interval(self, statistic: Callable, *counts: np.ndarray) -> tuple[np.ndarray, ...]:
        """Give a statistic of confusions, low and high; `counts` are (draws, percentages, speakers, ...).

        The statistic takes as many arrays (..., percentages, classes, classes), summed over the others.
        """
        totals = [one.sum(axis=(0, 2)) for one in counts]
        people = [one.sum(axis=0).swapaxes(0, 1) for one in counts]
        without = statistic(*(total - one for total, one in zip(totals, people, strict=True)))
        errors = [evaluation.jackknife(without, people[0][:, 0].sum(axis=(1, 2)))]
        draws, folds = len(counts[0]), np.array(self.folds)
        for fold in np.unique(folds) if draws > 1 else ():
            parts = [one[:, :, folds == fold].sum(axis=2) for one in counts]
            # Without one of its draws, the fold counts as much as before: the other draws stand in for it.
            changes = [(part.sum(axis=0) - draws * part) / (draws - 1) for part in parts]
            without = statistic(*(total + one for total, one in zip(totals, changes, strict=True)))
            errors.append(evaluation.jackknife(without, np.ones(draws)))
        value = statistic(*totals)
        return value, *evaluation.student(value, *errors)[:2]


def learn(
    models: Mapping[str, Callable[..., Any]],
    X: np.ndarray,
    table: pd.DataFrame,
    fold: Fold,
    draws: int = 10,
    *,
    number: int = 0,
    percentages: Sequence[float] = PERCENTAGES,
    n_jobs: int = 2,
    cache: str | os.PathLike | None = None,
    progress: bool = False,
) -> Curves:
    """Train every model on every draw of the training clips, and count what it takes the test clips for.

    Parameters
    ----------
    models : mapping of str to callable
        Each takes ``seed`` and ``clips`` (how many it will be given) and returns a fresh model. If its
        ``fit`` has a parameter ``groups`` it is given speakers. If it has ``unlabelled`` it is given the
        training clips outside the draw, without their labels, and their speakers as ``unlabelled_groups``.
        If its ``predict`` has ``groups`` it is given the speakers of the test clips.
    X : ndarray, shape (clips, features)
        Row i belongs to row i of `table`.
    table : DataFrame
        With ``speaker`` and ``emotion``.
    fold : Fold
        Of `serlab.splits`; its validation rows are left alone.
    draws : int
        Each has a seed of its own, of `number` and its own number; with it, it is the same for all features.
    number : int
        Of the fold.
    percentages : sequence of float
        Of the training clips of each class.
    n_jobs : int
        Draws worked on at a time.
    cache : path, optional
        Folder where finished draws are kept. A second call with equal models, data and fold goes on from
        there.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Curves

    Raises
    ------
    EvaluationError
        If a class of the test clips is not among the training clips.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"speaker": np.repeat(["a", "b", "c"], 20), "emotion": ["sad", "happy"] * 30})
    >>> X = rng.normal(size=(60, 3)) + (table["emotion"] == "sad").to_numpy()[:, None]
    >>> fold = Fold(np.arange(40), np.array([], int), np.arange(40, 60))
    >>> curves = learn(study(["knn"]), X, table, fold, draws=2, percentages=(50, 100), n_jobs=1)
    >>> curves.counts.shape
    (2, 2, 2, 1, 2, 2)
    """
    import joblib
    from tqdm.auto import tqdm

    from serlab.corpora.table import in_order

    if len(X) != len(table):
        raise EvaluationError(f"{len(X)} rows of features do not go with {len(table)} rows of the table")
    check_order(X, table)
    X = np.asarray(X)
    check_inputs(X, table["emotion"], table.get("clip"))
    check_rows([fold], table)
    labels = table["emotion"].to_numpy(dtype=object).astype(str)
    groups = table["speaker"].to_numpy(dtype=object).astype(str)
    classes = in_order(labels[np.concatenate([fold.train, fold.test])])
    if unknown := sorted(set(labels[fold.test]) - set(labels[fold.train])):
        raise EvaluationError(f"no training clip is {unknown[0]}, but test clips are")
    data = _digest(X, labels, groups, fold) if cache is not None else b""
    tasks = []
    for one in range(draws):
        file = None
        if cache is not None:
            file = Path(cache) / f"{_key(models, data, percentages, (number, one))}.npz"
        tasks.append(
            joblib.delayed(_block)(models, X, labels, groups, fold, classes, percentages, (number, one), file)
        )
    hidden = {} if progress else {"disable": True}
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator")
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        counts, seconds = zip(*tqdm(parallel(tasks), total=draws, unit="draw", **hidden), strict=True)
    clips = [len(draw(labels[fold.train], percent, (number, 0))) for percent in percentages]
    speakers = tuple(sorted(set(groups[fold.test])))
    return Curves(
        np.array(counts),
        tuple(percentages),
        tuple(models),
        tuple(classes),
        speakers,
        (number,) * len(speakers),
        np.array(clips, float),
        float(sum(seconds)),
    )


def joined(parts: Sequence[Curves]) -> Curves:
    """Put the folds of one protocol together, each with its own test speakers.

    Parameters
    ----------
    parts : sequence of Curves
        Of one set of models, classes and percentages, with as many draws each.

    Raises
    ------
    EvaluationError
        If they differ in these, or a speaker is tested twice.
    """
    facts = {(one.percentages, one.models, one.classes, len(one.counts)) for one in parts}
    speakers = tuple(name for one in parts for name in one.speakers)
    if len(facts) != 1 or len(set(speakers)) < len(speakers):
        raise EvaluationError(
            "Folds to join must have the same models, classes, percentages and number of draws, and "
            "different test speakers."
        )
    return replace(
        parts[0],
        counts=np.concatenate([one.counts for one in parts], axis=3),
        speakers=speakers,
        folds=tuple(fold for one in parts for fold in one.folds),
        clips=np.mean([one.clips for one in parts], axis=0),
        seconds=sum(one.seconds for one in parts),
    )


def crossing(difference: Sequence[float], percentages: Sequence[float] = PERCENTAGES) -> float:
    """Give the percentage up to which the first of two curves is ahead and after which the second is.

    Curves may cross many times. The percentage is given that makes this true of as many points as possible;
    of several such the lowest.

    Parameters
    ----------
    difference : sequence of float
        First curve less second, at each percentage.
    percentages : sequence of float
        Rising.

    Returns
    -------
    float
        0 if the second is ahead from the beginning, the last percentage if the first is to the end.

    Examples
    --------
    >>> crossing([0.1, 0.2, -0.1, 0.1, -0.2, -0.1], [10, 20, 30, 40, 50, 60])
    20
    """
    ahead = np.asarray(difference) > 0
    true = [ahead[:place].sum() + (~ahead[place:]).sum() for place in range(len(ahead) + 1)]
    place = int(np.argmax(true))
    return percentages[place - 1] if place else 0


def _block(models, X, labels, groups, fold: Fold, classes, percentages, seed, file: Path | None):
    """Do one draw of one fold: counts (percentages, models, speakers, classes, classes), and seconds."""
    if (found := results_cache.read(file, "counts", "seconds")) is not None:
        return found[0], float(found[1])
    started = time.process_time()
    speakers = sorted(set(groups[fold.test]))
    counts = np.zeros((len(percentages), len(models), len(speakers), len(classes), len(classes)), np.int32)
    who = np.searchsorted(speakers, groups[fold.test])
    true = pd.Index(classes).get_indexer(labels[fold.test])
    for row, percent in enumerate(percentages):
        chosen = fold.train[draw(labels[fold.train], percent, seed)]
        rest = np.setdiff1d(fold.train, chosen)
        for column, build in enumerate(models.values()):
            model = build(seed=seed[1], clips=len(chosen))
            takes, extra = inspect.signature(model.fit).parameters, {}
            if "groups" in takes:
                extra["groups"] = groups[chosen]
            if "unlabelled" in takes:
                extra |= {"unlabelled": X[rest], "unlabelled_groups": groups[rest]}
            model.fit(X[chosen], labels[chosen], **extra)
            asked = {"groups": groups[fold.test]} if "groups" in _parameters(model.predict) else {}
            said = pd.Index(classes).get_indexer(model.predict(X[fold.test], **asked))
            np.add.at(counts[row, column], (who, true, said), 1)
    seconds = time.process_time() - started
    if file is not None:
        results_cache.write(file, counts=counts, seconds=seconds)
    return counts, seconds


def _parameters(function: Callable) -> set[str]:
    return set(inspect.signature(function).parameters)


def _digest(X: np.ndarray, labels: np.ndarray, groups: np.ndarray, fold: Fold) -> bytes:
    digest = hashlib.sha256(repr(np.shape(X)).encode())
    digest.update(np.ascontiguousarray(X).tobytes())
    digest.update("\n".join([*labels, *groups]).encode())
    for rows in (fold.train, fold.test):
        digest.update(rows.astype(np.int64).tobytes() + b"|")
    return digest.digest()


def _key(models: Mapping[str, Callable], data: bytes, percentages: Sequence[float], seed) -> str:
    """Name a draw's result by all that decides it: models, data, draw, and the code of all."""
    built = {name: build(seed=0, clips=NEIGHBOURS) for name, build in models.items()}
    libraries = provenance.versions()
    del libraries["serlab"]
    # Models may depend on how many clips they are given: what builds them counts too.
    return results_cache.key(data, built, dict(models), tuple(percentages), seed, libraries, _block)

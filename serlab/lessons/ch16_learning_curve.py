"""How good models are by the number of labels they were given: many draws, intervals, and paired comparison.

Confusions by draw, percentage, model and test speaker are kept; every score and interval comes from these.
"""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from serlab import evaluation, provenance, results_cache
from serlab.checks import check_inputs, check_order
from serlab.corpora.table import in_order
from serlab.errors import EvaluationError
from serlab.evaluation.metrics import count_by_speaker
from serlab.splits import Fold, check_rows

PERCENTAGES = tuple(range(2, 101, 2))
CLASSIFIERS = ("svm", "knn", "tree", "forest", "adaboost")
NEIGHBOURS = 5


def classifier(name: str, scaled: bool, seed: int = 0, clips: int = NEIGHBOURS):
    """Build one of `CLASSIFIERS` as scikit-learn has it by default, with or without standardised features.

    `seed` is for those that draw lots, `clips` the training clips there are: k-NN asks no more than five.

    Examples
    --------
    >>> classifier("svm", scaled=True)
    Pipeline(steps=[('standardscaler', StandardScaler()), ('svc', SVC())])
    """
    made = {
        "svm": SVC(),
        "knn": KNeighborsClassifier(min(NEIGHBOURS, clips)),
        "tree": DecisionTreeClassifier(random_state=seed),
        "forest": RandomForestClassifier(random_state=seed),
        "adaboost": AdaBoostClassifier(random_state=seed),
    }
    if name not in made:
        raise EvaluationError(f"there is no classifier {name!r}: take one of {', '.join(made)}")
    return make_pipeline(StandardScaler(), made[name]) if scaled else made[name]


def study(names: Sequence[str] = CLASSIFIERS, scaled: Sequence[bool] = (True, False)) -> dict:
    """Name classifiers for `learn`: "<name>" with scaling, "<name>-default" without, to what builds them.

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
    """Draw the same share of every class, above 0 and up to 100 percent, at least one clip; rows, sorted.

    With one seed, smaller draws lie within larger ones.

    Examples
    --------
    >>> rows = draw(["sad"] * 10 + ["happy"] * 10, 20, seed=1)
    >>> len(rows), (rows < 10).sum()
    (4, np.int64(2))
    """
    if not 0 < percent <= 100:
        raise EvaluationError(f"a draw takes more than 0 and up to 100 percent, not {percent:g}")
    classes = _shuffled_classes(labels, seed)
    return np.sort(np.concatenate([rows[: max(1, round(percent / 100 * len(rows)))] for rows in classes]))


def balanced(labels: Sequence[str]) -> np.ndarray:
    """Draw as many clips of every class as the rarest has; row numbers, sorted.

    Examples
    --------
    >>> balanced(["sad", "sad", "sad", "happy"])
    array([2, 3])
    """
    classes = _shuffled_classes(labels, seed=0)
    least = min(map(len, classes))
    return np.sort(np.concatenate([rows[:least] for rows in classes]))


def _shuffled_classes(labels: Sequence[str], seed: int | Sequence[int]) -> list[np.ndarray]:
    labels, rng = np.asarray(labels), np.random.default_rng(seed)
    return [rng.permutation(np.flatnonzero(labels == name)) for name in np.unique(labels)]


@dataclass(frozen=True, eq=False)
class Curves:
    """Confusions by draw, percentage, model and test speaker.

    `counts` are (draws, percentages, models, speakers, classes, classes), labels before predictions; `folds`
    says the fold that each test speaker is in, and those of one fold are tested with the same draws; `clips`
    are the training clips at each percentage, mean over folds; `seconds` is processor time.
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

        Columns: ``model``, ``percent``, ``clips``, ``value``, ``low``, ``high``, and ``deviation``, the
        standard deviation between draws. `metric` is one of `serlab.evaluation.metric_of_counts`.
        """
        measure = evaluation.metric_of_counts(metric)
        parts = []
        for place, model in enumerate(self.models):
            counts = self.counts[:, :, place]
            value, low, high = self._interval(measure, counts)
            by_draw = measure(counts.sum(axis=2))
            columns = {
                "model": model,
                "percent": self.percentages,
                "clips": self.clips,
                "value": value,
                "low": low.clip(0, 1),
                "high": high.clip(0, 1),
                "deviation": by_draw.std(axis=0, ddof=1) if len(by_draw) > 1 else np.nan,
            }
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def by_draw(self, metric: str = "uar") -> pd.DataFrame:
        """Score every draw by itself: ``draw``, ``percent``, ``model``, ``value``."""
        found = evaluation.metric_of_counts(metric)(self.counts.sum(axis=3))
        index = pd.MultiIndex.from_product(
            [range(len(found)), self.percentages, self.models], names=["draw", "percent", "model"]
        )
        return pd.Series(found.ravel(), index, name="value").reset_index()

    def difference(
        self, other: "Curves", model: str, metric: str = "uar", within: tuple[float, float] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compare a model with itself in curves of the same draws and speakers, which differ in the features.

        Gives this less `other` at each percentage, low and high; or of the mean over the percentages above
        the first and up to the second of `within`. Whoever and whatever is left out is left out of both.
        """
        alike = ("percentages", "speakers", "folds", "classes")
        if len(self.counts) != len(other.counts) or any(getattr(self, n) != getattr(other, n) for n in alike):
            raise EvaluationError("Curves to compare must be of the same draws, percentages and speakers.")
        measure = evaluation.metric_of_counts(metric)
        counts = [one.counts[:, :, one.models.index(model)] for one in (self, other)]
        if within is None:
            return self._interval(lambda a, b: measure(a) - measure(b), *counts)
        inside = (np.array(self.percentages) > within[0]) & (np.array(self.percentages) <= within[1])
        return self._interval(lambda a, b: (measure(a) - measure(b))[..., inside].mean(axis=-1), *counts)

    def difference_between(self, first: tuple[str, float], second: tuple[str, float]) -> evaluation.Interval:
        """Compare the UAR of two points, each a model and a percentage: the first less the second."""
        measure = evaluation.metric_of_counts("uar")
        counts = [
            self.counts[:, [self.percentages.index(percent)], self.models.index(model)]
            for model, percent in (first, second)
        ]
        found = self._interval(lambda a, b: measure(a) - measure(b), *counts)
        return evaluation.Interval(*(float(one[0]) for one in found))

    def _interval(self, statistic: Callable, *counts: np.ndarray) -> tuple[np.ndarray, ...]:
        """Give a statistic of confusions, low and high; `counts` are (draws, percentages, speakers, ...).

        The statistic takes as many arrays (..., percentages, classes, classes), summed over the others. Two
        errors are added: that of leaving out one speaker, and, in each fold, that of leaving out one draw.
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
    y: Sequence[str] | None = None,
    number: int = 0,
    percentages: Sequence[float] = PERCENTAGES,
    n_jobs: int = 2,
    cache: Path | None = None,
) -> Curves:
    """Train every model on every draw of the training clips, and count what it takes the test clips for.

    Each model is built with ``seed`` and ``clips`` (how many it will be given). ``fit`` is given what it has
    parameters for: ``groups`` (speakers), ``unlabelled`` (the training clips outside the draw),
    ``unlabelled_groups``; ``predict``, likewise, ``groups``. The validation rows of the fold are left alone;
    `y` are labels in place of the column ``emotion``. A draw's seed is its number and that of the fold: it is
    the same for all features. `percentages` are of the training clips of each class, `n_jobs` the draws
    worked on at a time, `cache` the folder where finished draws are kept: a second call goes on there.

    Raises `EvaluationError` if one cannot train on X, or a class is among the test clips only.

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
    check_order(X, table)
    X = np.asarray(X)
    y = table["emotion"] if y is None else y
    check_order(y, table, "y")
    check_inputs(X, y, table.get("clip"))
    check_rows([fold], table)
    labels = np.asarray(y, dtype=object).astype(str)
    groups = table["speaker"].to_numpy(dtype=object).astype(str)
    classes = in_order(labels[np.concatenate([fold.train, fold.test])])
    if unknown := sorted(set(labels[fold.test]) - set(labels[fold.train])):
        raise EvaluationError(f"no training clip is {unknown[0]}, but test clips are")
    data = (X, labels, groups, fold, classes)
    tasks = []
    for one in range(draws):
        seed = (number, one)
        file = None if cache is None else Path(cache) / f"{_key(models, data, percentages, seed)}.npz"
        tasks.append(joblib.delayed(_learn_draw)(models, data, percentages, seed, file))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        counts, seconds = zip(*joblib.Parallel(n_jobs=n_jobs)(tasks), strict=True)
    clips = [len(draw(labels[fold.train], percent, (number, 0))) for percent in percentages]
    speakers = tuple(sorted(set(groups[fold.test])))
    facts = (tuple(percentages), tuple(models), tuple(classes), speakers, (number,) * len(speakers))
    return Curves(np.array(counts), *facts, np.array(clips, float), float(sum(seconds)))


def join(parts: Sequence[Curves]) -> Curves:
    """Put the folds of one protocol together, each with its own test speakers."""
    facts = {(one.percentages, one.models, one.classes, len(one.counts)) for one in parts}
    speakers = tuple(name for one in parts for name in one.speakers)
    if len(facts) != 1 or len(set(speakers)) < len(speakers):
        raise EvaluationError("Folds need the same models, classes and draws, and different test speakers")
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

    `difference` is the first curve less the second at rising `percentages`. Curves may cross often: given is
    the lowest percentage that makes this true of most points, 0 if the second is ahead from the beginning.

    Examples
    --------
    >>> crossing([0.1, 0.2, -0.1, 0.1, -0.2, -0.1], [10, 20, 30, 40, 50, 60])
    20
    """
    ahead = np.asarray(difference) > 0
    true = [ahead[:place].sum() + (~ahead[place:]).sum() for place in range(len(ahead) + 1)]
    place = int(np.argmax(true))
    return percentages[place - 1] if place else 0


def _learn_draw(models, data, percentages, seed: tuple[int, int], file: Path | None):
    """Do one draw of one fold: counts (percentages, models, speakers, classes, classes), and seconds."""
    if (found := results_cache.read(file, "counts", "seconds")) is not None:
        return found[0], float(found[1])
    X, labels, groups, fold, classes = data
    started = time.process_time()
    tested = pd.DataFrame({"speaker": groups[fold.test], "label": labels[fold.test]})
    counts = []
    for percent in percentages:
        drawn = fold.train[draw(labels[fold.train], percent, seed)]
        rest = np.setdiff1d(fold.train, drawn)
        offered = {"groups": groups[drawn], "unlabelled": X[rest], "unlabelled_groups": groups[rest]}
        for build in models.values():
            model = build(seed=seed[1], clips=len(drawn))
            model.fit(X[drawn], labels[drawn], **_taken(model.fit, offered))
            predicted = model.predict(X[fold.test], **_taken(model.predict, {"groups": groups[fold.test]}))
            counts.append(count_by_speaker(tested.assign(predicted=predicted), classes, least=1)[0])
    counts = np.reshape(counts, (len(percentages), len(models), *np.shape(counts)[1:]))
    seconds = time.process_time() - started
    if file is not None:
        results_cache.write(file, counts=counts, seconds=seconds)
    return counts, seconds


def _taken(function: Callable, offered: dict[str, Any]) -> dict[str, Any]:
    """Give those of the arguments offered that a function has parameters for."""
    takes = inspect.signature(function).parameters
    return {name: value for name, value in offered.items() if name in takes}


def _key(models: Mapping[str, Callable], data: tuple, percentages: Sequence[float], seed) -> str:
    """Name a draw's result by all that decides it: models, data, draw, and the code of all."""
    X, labels, groups, fold, _ = data
    built = {name: build(seed=0, clips=NEIGHBOURS) for name, build in models.items()}
    libraries = provenance.versions()
    del libraries["serlab"]
    # Models may depend on how many clips they are given: what builds them counts too.
    deciding = (built, dict(models), tuple(percentages), seed, libraries, _learn_draw)
    return results_cache.key(b"", X, labels, groups, fold.train, fold.test, *deciding)

"""Cross-validation that can be stopped at any moment: every fold and seed is kept as soon as it is done."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import threadpoolctl
from scipy import special

from serlab import cluster, provenance, results_cache, splits
from serlab.checks import (
    align,
    align_labels,
    check_inputs,
    check_probabilities,
    check_probable,
    check_shares,
    is_regressor,
)
from serlab.errors import EvaluationError, SplitError
from serlab.splits import Fold, Split

if TYPE_CHECKING:
    from serlab.models import ModelSpec

# What is kept of a fold.
_KEPT = ("probabilities", "predicted", "cost")


def cross_validate(
    build: Callable[[int], Any] | ModelSpec,
    X: np.ndarray | pd.DataFrame,
    table: pd.DataFrame,
    split: Split,
    seeds: Sequence[int] = (0,),
    *,
    y: Sequence[str] | Sequence[float] | pd.DataFrame | None = None,
    cache: str | os.PathLike | None = None,
    progress: bool = False,
    only: Iterable[tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Train on each fold with each seed and predict the fold's test clips.

    Whatever a model fits, scaling and the choice of settings included, it fits on the training rows it is
    given. Within ``joblib.parallel_config("dask")`` the workers of the Dask cluster do the work, several
    folds at a time. A warning names classes that a fold tests and trains on no clip of.

    Parameters
    ----------
    build : ModelSpec or callable
        A model of the book, ``models.get("forest")``, with what belongs to it: features are normalised by
        speaker, and validation rows taken from the training rows, if it asks for that and `split` has none.
        Votes are refused. Or a function that takes a number, another one for every seed and fold, and returns
        a fresh model that keeps to scikit-learn's conventions: ``fit(X, y)``, ``predict(X)``,
        ``predict_proba(X)`` or ``decision_function(X)``, and ``classes_`` once fitted. If ``fit`` has a
        parameter ``groups`` it is given the speakers of the training rows; if it has ``validation_data`` and
        the fold has validation rows it is given ``(X, y)`` of those.
    X : ndarray, shape (clips, ...), or DataFrame
        Row i of an array belongs to row i of `table`. The rows of a DataFrame are found by the names of the
        clips or files in its index, see `serlab.checks.align`: features of your own, such as openSMILE's.
    table : DataFrame
        With the columns ``clip``, ``speaker`` and the one that the split is about (``split.target``).
    seeds : sequence of int
        Of the models; the folds are the same for all.
    y : sequence of str or float, shape (clips,), or DataFrame, shape (clips, classes), optional
        What to learn instead of ``split.target``, one for each row: labels, ``y=table["gender"]``; or values,
        of type float, for a regressor, ``y=table["arousal"]``. Or shares of votes, which add up to 1 in each
        row, in columns that are called as the classes; `build` then returns a `serlab.models.Shares` or a
        network. The rows of a DataFrame, or of a Series indexed by clip, are found as those of `X`.
    cache : path, optional
        Folder where finished folds are kept. A second call with equal models, data and folds goes on from
        there. Of a model of your own its code counts as well, with the constants that it refers to, but not
        data that it refers to: empty the folder when you change these.
    only : iterable of (seed, fold), optional
        Do only these.

    Returns
    -------
    DataFrame
        One row per test clip and seed with columns ``clip``, ``speaker``, ``fold``, ``seed``, ``label``,
        ``predicted`` and ``p_<class>`` in the usual order of the classes: of models without
        ``predict_proba`` the softmax of their decision values, an order of confidence and not calibrated. Of
        shares also ``share_<class>``; ``label`` is the class with most votes, of equals the one whose column
        comes first. Of values ``value`` and ``predicted`` after ``seed``, and nothing else. ``attrs["cost"]``
        holds ``seconds`` (fitting and predicting, added up), ``peak_memory_mb`` (of the whole process),
        ``parameters`` (trained numbers, mean over folds; None where that has no meaning), ``machine``
        (see `serlab.provenance.machine`; several where several did it), ``chosen`` (settings that a search
        chose, fold by fold) and ``history`` (of networks, fold by fold: what was reported after each epoch).

    Raises
    ------
    EvaluationError
        If features or labels cannot be trained on: see `serlab.checks.check_inputs`. If all training clips of
        a fold are of one class.
    SplitError
        If the split is not one of this table, or not as sound as it says: see `serlab.splits.check`.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from serlab import splits
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122")})
    >>> table["emotion"] = ["sad", "happy"] * 2
    >>> split = splits.make(table, "loso")
    >>> predictions = cross_validate(lambda seed: DummyClassifier(), np.zeros((4, 1)), table, split)
    >>> [name for name in predictions if name.startswith("p_")], len(predictions)
    (['p_happy', 'p_sad'], 4)
    """
    from tqdm.auto import tqdm

    from serlab.corpora.table import in_order

    if not (callable(build) or hasattr(build, "prepare")):
        raise EvaluationError(
            f"build must be serlab.models.get('forest'), or a function from a seed to a model, not {build!r}"
        )
    whole = np.asarray(seeds).dtype.kind in "iu"
    if not whole or np.ndim(seeds) != 1 or not 0 < len(seeds) == len(set(seeds)):
        raise EvaluationError(f"seeds must be different whole numbers in a list, at least one, not {seeds!r}")
    if not isinstance(split, Split):
        raise SplitError(
            f"split must be what serlab.splits.make(table, 'loso') returns, not {split!r}. Folds of "
            "one's own are splits.Split(name, title, folds, speaker_disjoint), of splits.Fold(train, "
            "validation, test)"
        )
    X = align(X, table).to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)
    wanted = list(only) if only is not None else [(s, f) for s in seeds for f in range(len(split))]
    numbers = {number for _, number in wanted}
    y, truth = _check(X, y, table, split, numbers)
    if hasattr(build, "prepare"):  # A ModelSpec, of a room that imports this one.
        build, X, split = build.prepare(X, table, split)
    if "label" in truth and not isinstance(y, pd.DataFrame):
        splits.warn_of_untrained(y, [split.folds[number] for number in numbers])
    classes = in_order(y if isinstance(y, pd.DataFrame) else truth["label"]) if "label" in truth else []

    def fresh(seed: int, number: int) -> Any:
        return build(seed * len(split) + number)

    client = cluster.client()
    given = (fresh, X, y, table, split, classes)
    files: dict[tuple[int, int], Path] = {}
    if cache is not None:
        data = _digest(X, y, table)
        for seed, number in wanted:
            model, fold = fresh(seed, number), split.folds[number]
            key = _key(model, data, fold, seed, apart=client is not None)
            files[seed, number] = Path(cache) / f"{key}.npz"
    read = ((place, results_cache.read(file, *_KEPT)) for place, file in files.items())
    found = {place: arrays for place, arrays in read if arrays is not None}
    todo = [place for place in wanted if place not in found]
    if client is None:
        results = (_train(place, given) for place in todo)
    else:
        shared, libraries = cluster.share(client, given), getattr(fresh(*wanted[0]), "libraries", ())
        tasks = [(place, shared) for place in todo]
        results = cluster.spread(client, _train, tasks, code=build, libraries=libraries, in_order=False)
    # Said only where there is no bar to show: otherwise the reader's TQDM_DISABLE decides.
    hidden = {} if progress else {"disable": True}
    for place, arrays in tqdm(results, split.name, len(wanted), initial=len(found), unit="fold", **hidden):
        found[place] = arrays
        if place in files:
            results_cache.write(files[place], **dict(zip(_KEPT, arrays, strict=True)))
    parts, costs = [], []
    for seed, number in wanted:
        probabilities, predicted, cost = found[seed, number]
        test = split.folds[number].test
        part = table.iloc[test][["clip", "speaker"]].assign(fold=number, seed=seed)
        part = part.assign(**{name: values[test] for name, values in truth.items()})
        part.insert(part.columns.get_loc("seed") + 2, "predicted", predicted)
        columns = [f"p_{name}" for name in classes]
        parts.append(part.join(pd.DataFrame(probabilities, index=part.index, columns=columns)))
        costs.append(json.loads(str(cost)))
    predictions = pd.concat(parts, ignore_index=True)
    counts = [cost["parameters"] for cost in costs]
    predictions.attrs["cost"] = {
        "seconds": round(sum(cost["seconds"] for cost in costs), 2),
        "peak_memory_mb": round(max(cost["peak_memory_mb"] for cost in costs)),
        "parameters": None if None in counts else round(float(np.mean(counts))),
        "machine": "; ".join(sorted({cost["machine"] for cost in costs})),
        "chosen": [cost["chosen"] for cost in costs if cost["chosen"] is not None],
        "history": [cost["history"] for cost in costs if cost["history"] is not None],
    }
    return predictions


def softmax(decision: np.ndarray) -> np.ndarray:
    """Turn decision values into positive numbers that add up to one, in the same order.

    Takes (clips, classes), or (clips,) for two classes; gives (clips, classes).

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    if decision.ndim == 1:
        decision = np.column_stack([-decision, decision]) / 2
    return special.softmax(decision, axis=1)


def _count_parameters(model: Any) -> int | None:
    """Count the numbers that training set: weights, nodes of trees; None where it cannot be said."""
    inner = getattr(model, "model_", getattr(model, "best_estimator_", None))
    if inner is None and hasattr(model, "steps"):
        inner = model.steps[-1][1]
    if inner is not None:
        return _count_parameters(inner)
    if hasattr(model, "trainable_weights"):
        return int(sum(np.prod(weight.shape) for weight in model.trainable_weights))
    if hasattr(model, "tree_"):
        return int(model.tree_.node_count)
    if hasattr(model, "estimators_"):
        counts = [_count_parameters(one) for one in np.ravel(model.estimators_)]
        return None if None in counts else sum(counts)
    # The coefficients of an SVM with a curved kernel are those of its support vectors.
    for weights in ("coef_", "dual_coef_"):
        if hasattr(model, weights):
            return int(np.size(getattr(model, weights)) + np.size(model.intercept_))
    return None


@contextlib.contextmanager
def meter() -> Iterator[dict[str, float]]:
    """Measure what happens inside: ``seconds``, and ``peak_memory_mb`` of this process and its children.

    Memory is looked at ten times a second; a shorter peak can be missed.

    Examples
    --------
    >>> with meter() as cost:
    ...     _ = sum(range(1000))
    >>> cost["seconds"] >= 0 and cost["peak_memory_mb"] > 1
    True
    """
    import psutil

    process, done = psutil.Process(), threading.Event()
    cost = {"seconds": 0.0, "peak_memory_mb": 0.0}

    def watch() -> None:
        stopped = False
        while not stopped:
            stopped = done.wait(0.1)
            used = process.memory_info().rss
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    used += child.memory_info().rss
            cost["peak_memory_mb"] = max(cost["peak_memory_mb"], used / 2**20)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    try:
        yield cost
    finally:
        cost["seconds"] = time.perf_counter() - started
        done.set()
        watcher.join()


def _check(X, y, table: pd.DataFrame, split: Split, wanted: set[int]) -> tuple[Any, dict[str, np.ndarray]]:
    """Give what is learned, and the columns that tell the truth, when nothing is wrong."""
    from serlab.corpora.table import in_order

    if X.ndim and len(X) != len(table):
        raise EvaluationError(f"{len(X)} rows of features do not go with {len(table)} rows of the table")
    needed = {"clip", "speaker"} if y is not None else {"clip", "speaker", split.target}
    if lacking := needed - set(table):
        raise EvaluationError(f"the table lacks the columns {', '.join(sorted(lacking))}")
    clips = table["clip"].to_numpy(dtype=object)
    check_inputs(X, clips=clips)
    if (unknown := (table["speaker"].isna() | (table["speaker"] == "")).to_numpy()).any():
        raise EvaluationError(f"clip {clips[unknown.argmax()]} has no speaker: give it one, or leave it out")
    splits.check(split, table)
    if isinstance(y, pd.DataFrame):
        y = align(y, table, "y").rename(columns=str)
        check_shares(y, clips)
        y = y.div(y.sum(axis=1), axis=0)
        shares = {f"share_{name}": y[name].to_numpy() for name in in_order(y)}
        return y, {"label": y.idxmax(axis=1).to_numpy(str)} | shares
    if isinstance(y, pd.Series):
        y = align_labels(y, table)
    if y is not None and np.shape(y) != (len(table),):
        raise EvaluationError(
            f"y must be one label for each of {len(table)} rows, not {np.shape(y)}; shares of votes are a "
            "DataFrame whose columns are called as the classes"
        )
    y = table[split.target] if y is None else y
    if np.asarray(y).dtype.kind == "f":
        y = np.asarray(y, dtype=float)
        _check_values(y, clips)
        return y, {"value": y}
    labels = np.asarray(y, dtype=object)
    check_inputs(X, labels, clips)
    for number in sorted(wanted):
        if len(classes := set(labels[split.folds[number].train].tolist())) < 2:
            raise EvaluationError(
                f"all training clips of fold {number} of {split.name} are {classes.pop()!r}: a model needs "
                "two classes or more to tell apart. Take another split, or leave such speakers out"
            )
    return labels.astype(str), {"label": labels.astype(str)}


def fitted(model: Any, X: np.ndarray, y: Any, **more: Any) -> Any:
    """Fit a model, with ``groups``, the speakers, and ``validation_data`` where it takes them; return it."""
    takes = inspect.signature(model.fit).parameters
    given = {name: value for name, value in more.items() if name in takes and value is not None}
    model.fit(X, y, **given)
    return model


def _train(place: tuple[int, int], given: tuple) -> tuple[tuple[int, int], tuple]:
    """Train with one seed on one fold; give these two, and what `_fit_one` gives."""
    (seed, number), (fresh, X, y, table, split, classes) = place, given
    try:
        # NumPy and SciPy have matrix libraries of their own, whose waiting threads keep each other from work.
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            return place, _fit_one(fresh(*place), X, y, table, split.folds[number], classes)
    except Exception as error:
        error.add_note(f"This was in fold {number} of {split.name}, with seed {seed}.")
        raise


def _fit_one(model, X, y, table, fold: Fold, classes) -> tuple[np.ndarray, np.ndarray, str]:
    """Give probabilities, predicted classes or values, and what it cost as JSON."""
    _check_learner(model, y)
    rows = y.iloc if isinstance(y, pd.DataFrame) else y
    more = {"groups": table["speaker"].to_numpy(dtype=object)[fold.train]}
    if fold.validation.size:
        more["validation_data"] = (X[fold.validation], rows[fold.validation])
    with meter() as cost:
        fitted(model, X[fold.train], rows[fold.train], **more)
        if not classes:
            found = None
        elif hasattr(model, "decision_function") and not hasattr(model, "predict_proba"):
            found = softmax(model.decision_function(X[fold.test]))
        else:
            check_probable(model)
            found = np.asarray(model.predict_proba(X[fold.test]))
        predicted = np.asarray(model.predict(X[fold.test]), dtype=str if classes else float)
    probabilities = np.zeros((fold.test.size, len(classes)))
    if classes:
        check_probabilities(found, fold.test.size, len(model.classes_))
        if strange := set(predicted.tolist()) - set(classes):
            raise EvaluationError(
                f"the model answers {min(strange)!r}, which is none of the classes {', '.join(classes)}: its "
                "predict must return labels as they are in the table"
            )
        probabilities[:, [classes.index(name) for name in model.classes_]] = found
    else:
        _check_values(predicted, table["clip"].to_numpy()[fold.test], "the prediction")
    history = getattr(model, "history", None)
    if history is not None:
        history = {name: np.round(values, 4).tolist() for name, values in history.items()}
    cost |= {"parameters": _count_parameters(model), "machine": provenance.machine()}
    cost |= {"chosen": getattr(model, "chosen", None), "history": history}
    return probabilities, predicted, json.dumps(cost)


def _check_learner(model: Any, y: np.ndarray | pd.DataFrame) -> None:
    """Make sure that a model can learn what it is given: labels, values (floats) or shares (a DataFrame)."""
    name, values = type(model).__name__, not isinstance(y, pd.DataFrame) and y.dtype.kind == "f"
    if isinstance(y, pd.DataFrame) and not getattr(model, "learns_shares", False):
        raise EvaluationError(
            f"{name} learns no shares of votes: take serlab.models.Shares({name}(...)), or learn the class "
            "with most votes, y=y.idxmax(axis=1)"
        )
    if values and not is_regressor(model):
        raise EvaluationError(
            f"y holds numbers with a fraction, and {name} tells classes apart: take a regressor, or cut y "
            "into classes; of numbers that are names of classes, y.astype(str)"
        )
    if not values and is_regressor(model):
        raise EvaluationError(f"{name} learns values: give it y of type float, or take a classifier")


def _check_values(y: np.ndarray, clips: Sequence[str], what: str = "the value") -> None:
    y = np.asarray(y, float)
    if y.shape != (len(clips),):
        raise EvaluationError(f"{what} must be one number for each of {len(clips)} clips, not {y.shape}")
    if (wrong := ~np.isfinite(y)).any():
        row = int(wrong.argmax())
        raise EvaluationError(f"{what} of clip {clips[row]} is {y[row]}: give it one, or leave the clip out")


def _digest(X: np.ndarray, y: np.ndarray | pd.DataFrame, table: pd.DataFrame) -> bytes:
    digest = hashlib.sha256(f"{X.dtype} {X.shape}".encode())
    labels = y.to_dict("records") if isinstance(y, pd.DataFrame) else y
    names = zip(table["clip"], table["speaker"], labels, strict=True)
    digest.update("\n".join("\t".join(map(str, row)) for row in names).encode())
    for start in range(0, len(X), 64):
        digest.update(np.ascontiguousarray(X[start : start + 64]).tobytes())
    return digest.digest()


def _key(model, data: bytes, fold: Fold, seed: int, apart: bool) -> str:
    """Name a fold's result by all that decides it: the model, its data, who is on which side, the seed."""
    # Libraries are known by their versions, this package by its code.
    libraries = provenance.versions(*getattr(model, "libraries", ()))
    del libraries["serlab"]
    rows = [side.astype(np.int64) for side in (fold.train, fold.validation, fold.test)]
    limits = [n for kind, n in provenance.threads().items() if kind.startswith("tensorflow")]
    # Networks come out otherwise with several threads; one, as in recorded runs and on a cluster, is not
    # mentioned.
    several = [limits] if "keras" in libraries and set(limits) != {1} and not apart else []
    return results_cache.key(data, model, seed, libraries, rows, _fit_one, *several)

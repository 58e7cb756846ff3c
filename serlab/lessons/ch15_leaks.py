"""What copies, speakers and scaling leak: one network, tested four times, each time with one leak less.

The original CREMA-D notebook made two altered versions of every clip, dealt clips and versions out to
training and test at random, and scaled by the range of all of them. `measure` repairs this in three steps.
``python -m serlab.lessons.ch15_leaks`` records them for the exact contour network, among the recorded runs.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import corpora, evaluation, models, provenance, run_files, runs, splits, store, training
from serlab.errors import EvaluationError
from serlab.paths import cache_dir
from serlab.splits import Fold, Split

STEPS = {
    "as it was": "clips and their versions dealt out at random, scaled by the range of all",
    "copies together": "the versions of a clip on one side",
    "speakers apart": "all clips of a speaker on one side, too",
    "scaled by training": "scaled by the range of the training rows alone, too",
}
COLUMNS = ("step", "clip", "version", "speaker", "fold", "seed", "label", "predicted")
# As many as the original tested with, nearly (30 %), so that every version is tested once.
FOLDS = 3
# The same for all steps, and long enough for the network to remember what it saw.
EPOCHS = 25
MODEL = "contours-original"
LESSON = "serlab.lessons.ch15_leaks"
# Labels as in the recorded runs of this protocol, and how many clips of every speaker and emotion: all of
# RAVDESS, and of nEMO about as many.
RECORDED = {"ravdess": ("six-emobox6", None), "nemo": ("loso", 40)}


def deal(table: pd.DataFrame, versions: int) -> tuple[pd.DataFrame, dict[str, Split]]:
    """Make a row of every version of every clip, and deal them out into folds anew in each step.

    Gives the rows, where ``version`` counts from 0 for the clip as it is, and ``clip`` is
    ``<source>#<version>``; and a split of them for each of `STEPS`, the last two alike.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> rows, steps = deal(table.assign(emotion=["sad", "happy"] * 3), versions=2)
    >>> rows["clip"].tolist()[:3]
    ['a#0', 'a#1', 'b#0']
    >>> report = splits.audit(rows, steps["speakers apart"], sources=rows["source"])
    >>> report.loc[["augmented copies", "speakers"], "test_clips"].tolist()
    [0, 0]
    """
    rows = rows_of_versions(table, versions)
    rows = rows.assign(source=rows["clip"])
    rows["clip"] = rows["source"] + "#" + rows["version"].astype(str)
    apart = _each_version(splits.speaker_folds(table, FOLDS), rows, versions)
    together = _each_version(splits.random_folds(table, FOLDS), rows, versions)
    found = (splits.random_folds(rows, FOLDS), together, apart, apart)
    return rows, dict(zip(STEPS, found, strict=True))


def rows_of_versions(table: pd.DataFrame, versions: int) -> pd.DataFrame:
    """Make a row of every version of every clip, those of a clip side by side; ``version`` counts from 0.

    Examples
    --------
    >>> rows_of_versions(pd.DataFrame({"clip": ["a", "b"]}), versions=2).to_numpy().tolist()
    [['a', 0], ['a', 1], ['b', 0], ['b', 1]]
    """
    rows = table.loc[np.repeat(table.index, versions)].reset_index(drop=True)
    return rows.assign(version=np.tile(np.arange(versions), len(table)))


def scale(X: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Scale every value to 0...1 by its range in rows that are known; both are of shape (rows, ...).

    A value outside that range lies beyond 0...1; where the range is a point, all values become 0.

    Examples
    --------
    >>> scale(np.array([[1.0], [5.0]]), known=np.array([[1.0], [3.0]])).ravel().tolist()
    [0.0, 2.0]
    """
    lowest, reach = known.min(axis=0), np.ptp(known, axis=0)
    # A value that never changes says nothing: before and after each clip there is silence in every version.
    factor = np.divide(1, reach, out=np.zeros_like(reach, dtype=float), where=reach > 0)
    return ((X - lowest) * factor).astype(np.float32)


def measure(
    X: np.ndarray, table: pd.DataFrame, build: Callable[[int], Any], *, cache: Path | None = None
) -> pd.DataFrame:
    """Train and test a model under each of the steps, everything else being the same.

    Every version is tested once in each step, so that `serlab.evaluation.compare` can pair the steps. None
    chooses an epoch, so that test clips decide nothing. `X` is of shape (clips, versions, ...), as from
    `serlab.augment.Versions`; what `build` gives must not scale by ranges itself, or the last step changes
    nothing. Gives one row per step and version, with `COLUMNS`; ``clip`` is the name of the clip, whatever
    the version; ``attrs["cost"]`` holds parameters, seconds and memory.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"clip": [f"c{i}" for i in range(60)], "speaker": list("abcdef") * 10})
    >>> table["emotion"] = rng.choice(["sad", "happy"], 60)
    >>> X = rng.normal(size=(60, 1, 2)) + 0.01 * rng.normal(size=(60, 3, 2))  # versions are much alike
    >>> found = measure(X, table, lambda seed: KNeighborsClassifier(1))
    >>> right = (found["label"] == found["predicted"]).groupby(found["step"]).mean()
    >>> bool(right["as it was"] > 0.9 and right["copies together"] < 0.7)
    True
    """
    if np.ndim(X) < 3 or len(X) != len(table):
        raise EvaluationError(
            f"features of shape {np.shape(X)} are not (clips, versions, ...) of a table of {len(table)} "
            "clips: take serlab.augment.Versions"
        )
    flat = np.asarray(X).reshape(-1, *np.shape(X)[2:])
    rows, steps = deal(table, np.shape(X)[1])
    parts, costs = [], []
    for name, split in steps.items():
        for number, fold in enumerate(split):
            known = flat[fold.train] if name == "scaled by training" else flat
            scaled = scale(flat, known)
            part = training.cross_validate(build, scaled, rows, split, cache=cache, only=[(0, number)])
            costs.append(part.attrs["cost"])
            parts.append(part.assign(step=name))
    result = pd.concat(parts, ignore_index=True)
    # A clip may have "#" in its name.
    result[["clip", "version"]] = result["clip"].str.rsplit("#", n=1, expand=True)
    result = result.astype({"version": int})[list(COLUMNS)]
    result.attrs["cost"] = {
        "parameters": costs[0]["parameters"],
        "seconds": round(sum(cost["seconds"] for cost in costs), 2),
        "peak_memory_mb": max(cost["peak_memory_mb"] for cost in costs),
    }
    return result


def scores(predictions: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Compute `serlab.evaluation.scores` of every step; ``uar_unaltered`` is on the clips as they are."""
    found = {}
    for step, part in predictions.groupby("step", sort=False):
        plain = part[part["version"] == 0]
        unaltered = round(evaluation.uar(plain["label"], plain["predicted"]), 5)
        found[step] = evaluation.scores(part) | {"uar_unaltered": unaltered}
    return found


def read(corpus: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read predictions of one of `RECORDED`, and how they came about; `RunError` if there are none."""
    return run_files.read(_path(corpus), f"python -m {LESSON} --corpus {corpus}")


def record(corpus: str, *, allow_changed_code: bool = False) -> dict[str, Any]:
    """Measure the steps with the exact contour network, write them, and return how they came about.

    `corpus` is one of `RECORDED`; `allow_changed_code` as for `serlab.provenance.circumstances`.
    """
    spec = models.get(MODEL)
    how = provenance.circumstances(*spec.libraries, allow_changed_code=allow_changed_code)
    protocol, clips_each = RECORDED[corpus]
    table = splits.get(protocol).prepare(corpora.load(corpus))
    if clips_each is not None:
        some = table.groupby(["speaker", "emotion"]).sample(clips_each, random_state=0)
        some = some.sort_index().reset_index(drop=True)
        some.attrs, table = dict(table.attrs), some
    X = store.features(table, *spec.extractors, n_jobs=1)
    predictions = measure(X, table, _network, cache=cache_dir() / "leaks")
    meta = {
        "corpus": {"name": corpus, "clips": len(table), "content_hash": corpora.content_hash(table)},
        "model": MODEL,
        "extractors": [repr(extractor) for extractor in spec.extractors],
        "versions_per_clip": int(X.shape[1]),
        "steps": STEPS,
        "folds": FOLDS,
        "epochs": EPOCHS,
        **predictions.attrs["cost"],
        **how,
        "scores": scores(predictions),
    }
    run_files.write(_path(corpus), predictions.to_csv(index=False, lineterminator="\n"), meta)
    return meta


def _network(seed: int):
    """Build the exact contour network, for values that are scaled already."""
    return models.get(MODEL).build(seed).set_params(model=_scaled_contours, copies=False, epochs=EPOCHS)


def _scaled_contours(X: np.ndarray, y: np.ndarray):
    from serlab.models import architectures

    # The network scales by the range of what it is built with: from 0 to 1, nothing changes.
    return architectures.original_contours(np.stack([np.zeros(X.shape[1:]), np.ones(X.shape[1:])]), y)


def _each_version(split: Split, table: pd.DataFrame, versions: int) -> Split:
    """Turn rows of clips into rows of their versions, which are those of the table."""

    def rows(clips: np.ndarray) -> np.ndarray:
        return (clips[:, None] * versions + np.arange(versions)).ravel()

    made_for = splits.fingerprint(table)
    folds = tuple(Fold(rows(fold.train), rows(fold.validation), rows(fold.test), made_for) for fold in split)
    return replace(split, folds=folds)


def _path(corpus: str) -> Path:
    return runs.root() / "leaks" / f"{corpus}.json"


if __name__ == "__main__":
    sys.exit(runs.record_named(None, LESSON, "corpus", RECORDED, lambda name: _path(name).is_file(), record))

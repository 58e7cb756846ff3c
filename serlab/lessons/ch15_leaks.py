"""What copies, speakers and scaling leak: one network, tested four times, each time with one leak less.

The original CREMA-D notebook made two altered versions of every clip, dealt clips and versions out to
training and test at random, and scaled by the range of all of them. `measure` repairs this in three steps.
``python -m serlab.lessons.ch15_leaks`` records the steps for the exact contour network, as
``<root>/leaks/<corpus>.csv.gz`` and ``.json`` among the recorded runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import corpora, evaluation, provenance, run_files, runs, splits, store, training
from serlab.errors import EvaluationError, RunError, SerlabError
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
# Labels as in the recorded runs of this protocol, and how many clips of every speaker and emotion: all of
# RAVDESS, and of nEMO about as many.
RECORDED = {"ravdess": ("six-emobox6", None), "nemo": ("loso", 40)}


def deal(
    table: pd.DataFrame, versions: int, k: int = FOLDS, seed: int = 0
) -> tuple[pd.DataFrame, dict[str, Split]]:
    """Make a row of every version of every clip, and deal them out anew in each step.

    Parameters
    ----------
    table : DataFrame
        Utterance table.
    versions : int
        Of each clip, with the clip as it is.
    k : int
        Number of folds.
    seed : int
        Decides how clips and speakers are dealt out.

    Returns
    -------
    rows : DataFrame
        The table with every row repeated: ``source`` is the clip, ``version`` counts from 0 for the clip as
        it is, and ``clip`` is ``<source>#<version>``.
    steps : dict
        A split of these rows for each of `STEPS`. The last is that of the step before: it differs in scaling.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> rows, steps = deal(table, versions=2)
    >>> shared = {}
    >>> for name, split in steps.items():
    ...     shared[name] = splits.audit(rows, split, sources=rows["source"])["test_clips"]
    >>> bool(shared["as it was"]["augmented copies"] > 0), int(shared["speakers apart"]["speakers"])
    (True, 0)
    """
    rows = table.loc[np.repeat(table.index, versions)].reset_index(drop=True)
    rows = rows.assign(source=rows["clip"], version=np.tile(np.arange(versions), len(table)))
    rows["clip"] = rows["source"] + "#" + rows["version"].astype(str)
    apart = _each_version(splits.speaker_folds(table, k, seed), rows, versions)
    found = (
        splits.random_folds(rows, k, seed),
        _each_version(splits.random_folds(table, k, seed), rows, versions),
        apart,
        apart,
    )
    return rows, dict(zip(STEPS, found, strict=True))


def scale(X: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Scale every value to 0...1 by its range in rows that are known.

    Parameters
    ----------
    X : ndarray, shape (rows, ...)
    known : ndarray, shape (any, ...)

    Returns
    -------
    ndarray of float32, shape (rows, ...)
        Beyond 0...1 where a value lies outside the known range; 0 where that range is a point.

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
    X: np.ndarray,
    table: pd.DataFrame,
    build: Callable[[int], Any],
    k: int = FOLDS,
    seed: int = 0,
    *,
    cache: str | os.PathLike | None = None,
) -> pd.DataFrame:
    """Train and test a model under each of the steps, everything else being the same.

    In all steps a model is trained on (k - 1) / k of all versions, and every version is tested once. So the
    same clips are tested in all steps, and `serlab.evaluation.compare` can pair them. No step chooses an
    epoch, so that test clips decide nothing.

    Parameters
    ----------
    X : ndarray, shape (clips, versions, ...)
        As from `serlab.augment.Versions`, the clip as it is first.
    table : DataFrame
        Utterance table; row i belongs to row i of X.
    build : callable
        Takes a number, returns a fresh model as for `serlab.training.cross_validate`. It must not scale by
        ranges itself, or the last step changes nothing.
    k : int
        Number of folds, 3 by default: about the 70 and 30 % of the original.
    seed : int
        Of the folds and the model.
    cache : path, optional
        Where finished folds are kept.

    Returns
    -------
    DataFrame
        One row per step and version, with `COLUMNS`; ``clip`` is the name of the clip, whatever the version.
        ``evaluation.interval`` of a step's rows gives its UAR with an interval over speakers; rows of
        version 0 are those of unaltered clips. ``attrs["cost"]`` holds seconds and memory.

    Raises
    ------
    EvaluationError
        If X has no versions, or other rows than the table.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"clip": [f"c{i}" for i in range(60)], "speaker": list("abcdef") * 10})
    >>> table["emotion"] = rng.choice(["sad", "happy"], 60)
    >>> X = rng.normal(size=(60, 1, 2)) + 0.01 * rng.normal(size=(60, 3, 2))  # versions are much alike
    >>> said = measure(X, table, lambda seed: KNeighborsClassifier(1))
    >>> right = (said["label"] == said["predicted"]).groupby(said["step"]).mean()
    >>> bool(right["as it was"] > 0.9 and right["copies together"] < 0.7)
    True
    """
    if np.ndim(X) < 3 or len(X) != len(table):
        raise EvaluationError(
            f"features of shape {np.shape(X)} are not (clips, versions, ...) of a table of {len(table)} "
            "clips: take serlab.augment.Versions"
        )
    flat = np.asarray(X).reshape(-1, *np.shape(X)[2:])
    rows, steps = deal(table, np.shape(X)[1], k, seed)
    parts, costs = [], []
    for name, split in steps.items():
        for number, fold in enumerate(split):
            known = flat[fold.train] if name == "scaled by training" else flat
            said = training.cross_validate(
                build, scale(flat, known), rows, split, cache=cache, only=[(seed, number)]
            )
            costs.append(said.attrs["cost"])
            said["version"] = said["clip"].str.rpartition("#")[2].astype(int)
            said["clip"] = said["clip"].str.rpartition("#")[0]
            parts.append(said.assign(step=name)[list(COLUMNS)])
    result = pd.concat(parts, ignore_index=True)
    result.attrs["cost"] = {
        "parameters": costs[0]["parameters"],
        "seconds": round(sum(cost["seconds"] for cost in costs), 2),
        "peak_memory_mb": max(cost["peak_memory_mb"] for cost in costs),
    }
    return result


def scores(predictions: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Compute the scores of every step, on all versions and on unaltered clips.

    Parameters
    ----------
    predictions : DataFrame
        As from `measure`.

    Returns
    -------
    dict
        For each step ``uar``, ``accuracy`` and ``macro_f1`` with the interval of the first (see
        `serlab.evaluation.scores`), on all versions; ``uar_unaltered`` on the clips as they are.
    """
    found = {}
    for step, part in predictions.groupby("step", sort=False):
        plain = part[part["version"] == 0]
        of_step = evaluation.scores(part)
        of_step["uar_unaltered"] = round(evaluation.uar(plain["label"], plain["predicted"]), 5)
        found[step] = of_step
    return found


def read(corpus: str, folder: Path | None = None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the recorded steps of a corpus.

    Parameters
    ----------
    corpus : str
        One of `RECORDED`.
    folder : Path, optional
        Where recorded runs lie, by default `serlab.runs.root`.

    Returns
    -------
    predictions : DataFrame
        As from `measure`.
    meta : dict
        How they came about: among others ``corpus``, ``model``, ``epochs``, ``seconds``, ``machine``,
        ``versions``, ``code`` and ``scores``.

    Raises
    ------
    RunError
        If they are not recorded, or damaged.
    """
    file = _path(corpus, folder)
    if not file.is_file():
        raise RunError(
            f"{file} does not exist. To make it: python -m serlab.lessons.ch15_leaks --corpus {corpus}"
        )
    return run_files.read(file)


def record(
    corpus: str,
    folder: Path | None = None,
    cache: Path | None = None,
    *,
    allow_changed_code: bool = False,
) -> dict[str, Any]:
    """Measure the steps with the exact contour network and write them; return what `read` calls meta.

    Parameters
    ----------
    corpus : str
        One of `RECORDED`.
    folder : Path, optional
        Where recorded runs lie, by default `serlab.runs.root`.
    cache : Path, optional
        Where finished folds are kept, by default the folder "leaks" of the user's cache.
    allow_changed_code : bool
        See `serlab.provenance.circumstances`.
    """
    from serlab import models

    how = provenance.circumstances(*models.get(MODEL).libraries, allow_changed_code=allow_changed_code)
    protocol, each = RECORDED[corpus]
    table, spec = splits.get(protocol).prepare(corpora.load(corpus)), models.get(MODEL)
    if each is not None:
        table = _some(table, each)
    X = store.features(table, *spec.extractors, n_jobs=1)
    said = measure(X, table, _network, cache=cache or cache_dir() / "leaks")
    meta = {
        "corpus": {
            "name": corpus,
            "clips": len(table),
            "content_hash": corpora.content_hash(table),
        },
        "model": MODEL,
        "extractors": [repr(extractor) for extractor in spec.extractors],
        "versions_per_clip": int(X.shape[1]),
        "steps": STEPS,
        "folds": FOLDS,
        "epochs": EPOCHS,
        **said.attrs["cost"],
        **how,
        "scores": scores(said),
    }
    file = _path(corpus, folder)
    run_files.write(file, said.to_csv(index=False, lineterminator="\n"), meta)
    return meta


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the steps from the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m serlab.lessons.ch15_leaks",
        description="Record what copies, speakers and scaling leak.",
    )
    parser.add_argument("--corpus", action="append", choices=RECORDED, help="only this corpus")
    parser.add_argument("--force", action="store_true", help="record anew what is recorded already")
    runs.add_changed_code(parser)
    given = parser.parse_args(arguments)
    provenance.one_thread()
    for corpus in given.corpus or RECORDED:
        if _path(corpus, None).is_file() and not given.force:
            print(f"{corpus}: recorded already")
            continue
        try:
            meta = record(corpus, allow_changed_code=given.allow_changed_code)
        except SerlabError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        for step, found in meta["scores"].items():
            print(f"{corpus}, {step}: UAR {100 * found['uar']:.1f} %", flush=True)
    return 0


def _network(seed: int):
    """Build the exact contour network, for values that are scaled already."""
    from serlab import models

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


def _some(table: pd.DataFrame, each: int) -> pd.DataFrame:
    """Keep so many clips of every speaker and emotion, the same whenever asked."""
    kept = table.groupby(["speaker", "emotion"]).sample(each, random_state=0).sort_index()
    kept = kept.reset_index(drop=True)
    kept.attrs = dict(table.attrs)
    return kept


def _path(corpus: str, folder: Path | None) -> Path:
    return (folder or runs.root()) / "leaks" / f"{corpus}.json"


if __name__ == "__main__":
    sys.exit(main())

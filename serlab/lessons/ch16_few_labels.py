"""The study of few labels. ``python -m serlab.lessons.ch16_few_labels`` makes its recorded tables.

It goes through `STAGES`; each can be stopped at any moment and goes on at the draw where it was. Tables lie
in ``book/results/few-labels``, and ``about.json`` beside them says how they came about.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import corpora, provenance, results_cache, run_files, runs, splits, store
from serlab.embeddings import ByolS
from serlab.errors import RunError, SerlabError
from serlab.features import Egemaps, Extractor, MidTerm, SpeakerNormaliser, Spectrogram, Summary
from serlab.lessons import ch16_learning_curve as learning_curve
from serlab.lessons import ch16_segments as segments
from serlab.lessons.ch16_learning_curve import Curves
from serlab.paths import atomic_write, cache_dir

FOLDER = "few-labels"
# Name: seconds of a part, and whether shorter clips are padded. At 8 kHz 3.75 s are 30,000 samples.
CUTS = {"30,000": (3.75, False), "20,000": (2.5, False), "30,000, padded": (3.75, True)}
# Of our corpora the original's cut leaves too little to draw from.
MAIN = "30,000, padded"
KINDS = {"codes": "codes", "statistics": "136 statistics", "egemaps": "eGeMAPS", "byols": "BYOL-S"}
METRICS = ("weighted_f1", "uar")
# Up to here, it was found, codes beat statistics in a random forest.
FOUND = 56
# Few labels, in percent.
TENTH = 10
GRID: dict[str, tuple] = {"latent": (32, 64), "learning_rate": (0.0005, 0.002), "batch_size": (16, 64)}
CODE = 64
# C of the votes: on nEMO, a tenth labelled, a little better than 0.01.
STRENGTH = 0.03
# Of networks whose loss is within this share of the lowest the smallest is taken.
NEAR = 0.02
EPOCHS, PATIENCE = 25, 2
DRAWS, DRAWS_PER_FOLD = 10, 2
CUT_PERCENTAGES = tuple(range(10, 101, 10))
COMPONENTS, VOTE_COMPONENTS = 100, 200
STAGES = ("bookkeeping", "search", "three-sets", "cuts", "ravdess", "vote")


def read(name: str, folder: Path | None = None) -> pd.DataFrame:
    """Read a recorded table of the study.

    Parameters
    ----------
    name : str
        "bookkeeping", "search", "three-sets", "cuts", "ravdess" or "vote". Of "three-sets" and "ravdess"
        there are also "<name>-draws", one by one, "<name>-differences" of codes less other features at each
        percentage, and "<name>-leads", the mean of these over ranges of percentages.
    folder : Path, optional
        By default ``few-labels`` among the recorded runs.

    Raises
    ------
    RunError
        If there is no such table.
    """
    file = _folder(folder) / f"{name}.csv"
    if not file.is_file():
        there = ", ".join(sorted(one.stem for one in file.parent.glob("*.csv"))) or "nothing"
        raise RunError(
            f"{file} does not exist. Recorded there: {there}. To make it: "
            "python -m serlab.lessons.ch16_few_labels"
        )
    return run_files.parsed(file.read_text(encoding="utf-8"))


def about(folder: Path | None = None) -> dict:
    """Tell how the tables came about: per stage its seconds, machine, versions, code and corpora."""
    file = _folder(folder) / "about.json"
    if not file.is_file():
        raise RunError(f"{file} does not exist. To make it: python -m serlab.lessons.ch16_few_labels")
    return run_files.read_json(file)


def in_sets(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table of `serlab.corpora.unify` three classes of valence, and the column ``set``."""
    attrs = table.attrs
    table = table.assign(emotion=table["ternary"], set=segments.three_sets(table))
    table.attrs = attrs
    return table


def held_out(speakers: Sequence[str]) -> np.ndarray:
    """Mark the rows of every fifth speaker, in the order of names: their clips tell when to stop.

    Examples
    --------
    >>> held_out(list("abcdefg")).astype(int)
    array([1, 0, 0, 0, 0, 1, 0])
    """
    names = sorted(set(speakers))
    return np.isin(np.asarray(speakers), names[::5])


def chosen(found: pd.DataFrame) -> dict:
    """Choose a network by loss and size: of those with nearly the lowest loss the smallest.

    Parameters
    ----------
    found : DataFrame
        From `serlab.lessons.ch16_autoencoder.search`. Networks with `CODE` numbers are looked at.

    Returns
    -------
    dict
        Settings for `serlab.lessons.ch16_autoencoder.Autoencoder`.
    """
    fit = found[found["latent"] == CODE]
    near = fit[fit["loss"] <= (1 + NEAR) * fit["loss"].min()]
    best = near.sort_values(["parameters", "loss"]).iloc[0]
    return {
        "architecture": str(best["architecture"]),
        "latent": int(best["latent"]),
        "learning_rate": float(best["learning_rate"]),
        "batch_size": int(best["batch_size"]),
        "epochs": EPOCHS,
        "patience": PATIENCE,
    }


def codes(pictures: np.ndarray, rows: np.ndarray, speakers: Sequence[str], settings: dict) -> np.ndarray:
    """Train an autoencoder on some rows, without labels, and give the codes of all.

    Parameters
    ----------
    pictures : ndarray, shape (clips, frames, lines)
    rows : ndarray of int
        Those to train on; every fifth speaker of these decides when to stop.
    speakers : sequence of str, shape (clips,)
    settings : dict
        For `serlab.lessons.ch16_autoencoder.Autoencoder`.

    Returns
    -------
    ndarray of float32, shape (clips, latent)
        Kept in the cache: a second call with the same pictures and settings reads them.
    """
    from serlab.lessons import ch16_autoencoder as autoencoder

    held = held_out(np.asarray(speakers, str)[rows])
    digest = hashlib.sha256(np.ascontiguousarray(pictures).tobytes())
    network = autoencoder.Autoencoder(**settings)
    key = results_cache.key(
        digest.digest(), network, provenance.versions("keras"), rows.astype(np.int64), held
    )
    file = cache_dir() / FOLDER / f"{key}.npz"
    if (found := results_cache.read(file, "codes")) is None:
        network.fit(pictures[rows[~held]], validation=pictures[rows[held]])
        found = (network.transform(pictures),)
        results_cache.write(file, codes=found[0])
    return found[0]


def pca_scores(X: np.ndarray, rows: np.ndarray, components: int) -> np.ndarray:
    """Keep the strongest principal components of long features, found on some rows without their labels."""
    from sklearn.decomposition import PCA

    if min(X.shape[1], len(rows)) <= components:
        return np.array(X)
    found = PCA(components, svd_solver="randomized", random_state=0).fit(X[rows])
    return found.transform(X).astype(np.float32)


def vote(parts: Sequence[slice], rounds: int, seed: int = 0, clips: int = 0):
    """Build a vote for `learning_curve.learn`; with no rounds it does not teach itself."""
    from serlab.lessons.ch16_self_training import SelfTrainingVote

    return SelfTrainingVote(parts, rounds=rounds, strength=STRENGTH)


def _bookkeeping(folder: Path) -> dict:
    table = in_sets(corpora.load("unified"))
    _write(folder, "bookkeeping", segments.bookkeeping(table, table["set"], CUTS).round(4))
    return {"seconds": 0.0, "corpora": _content(table)}


def _search(folder: Path) -> dict:
    from serlab.lessons import ch16_autoencoder as autoencoder

    table, listed, pictures, _ = _cut(MAIN)
    free = np.flatnonzero(listed["set"] == "unlabelled")
    held = held_out(listed["speaker"].to_numpy()[free])
    trained, validation = pictures[free[~held]], pictures[free[held]]
    parts = []
    for name in autoencoder.ARCHITECTURES:
        for latent in GRID["latent"]:
            file = folder / f".search-{name}-{latent}.csv"
            if not file.exists():
                grid = GRID | {"latent": (latent,)}
                found = autoencoder.search(
                    trained, validation, [name], epochs=EPOCHS, patience=PATIENCE, **grid
                )
                atomic_write(file, found.to_csv(index=False))
            parts.append(run_files.parsed(file.read_text(encoding="utf-8")))
            print(parts[-1].to_string(), flush=True)
    found = pd.concat(parts, ignore_index=True)
    _write(folder, "search", found.round({"loss": 5, "seconds": 1}))
    for file in folder.glob(".search-*.csv"):
        file.unlink()
    return {
        "seconds": round(found["seconds"].sum(), 1),
        "pictures": {"training": len(trained), "validation": len(validation)},
        "floor": round(autoencoder.floor(validation), 5),
        "mean_picture": round(autoencoder.floor(validation, trained), 5),
        "chosen": chosen(found),
        "corpora": _content(table),
    }


def _three_sets(folder: Path) -> dict:
    settings = chosen(read("search", folder.parent))
    table, listed, pictures, parts = _cut(MAIN)
    free = np.flatnonzero(listed["set"] == "unlabelled")
    fold = _fold(listed)
    inputs = {
        "codes": codes(pictures, free, listed["speaker"], settings),
        "statistics": parts(MidTerm(sample_rate=8000)),
        "egemaps": parts(Egemaps()),
        "byols": pca_scores(parts(ByolS()), free, COMPONENTS),
    }
    every = learning_curve.study()
    some = learning_curve.study(["svm", "knn", "forest"], scaled=[True])
    found = {}
    for kind, X in inputs.items():
        found[kind] = _learn(every if kind in ("codes", "statistics") else some, X, listed, fold, DRAWS)
        print(kind, round(found[kind].seconds), "s", flush=True)
    _write_curves(folder, "three-sets", found)
    return {
        "seconds": round(sum(one.seconds for one in found.values()), 1),
        "clips": {name: int(count) for name, count in listed["set"].value_counts().items()},
        "labelled_per_class": int(len(fold.train) / len(set(listed["emotion"]))),
        "autoencoder": settings,
        "corpora": _content(table),
    }


def _cuts(folder: Path) -> dict:
    settings = chosen(read("search", folder.parent))
    rows, seconds, facts = [], 0.0, {}
    for cut in CUTS:
        table, listed, pictures, parts = _cut(cut)
        fold = _fold(listed)
        free = np.flatnonzero(listed["set"] == "unlabelled")
        inputs = {
            "codes": codes(pictures, free, listed["speaker"], settings),
            "statistics": parts(MidTerm(sample_rate=8000)),
        }
        models = learning_curve.study(["svm", "forest"], scaled=[True])
        for kind, X in inputs.items():
            curves = _learn(models, X, listed, fold, DRAWS, percentages=CUT_PERCENTAGES)
            seconds += curves.seconds
            for metric in METRICS:
                rows.append(curves.scores(metric).assign(metric=metric, kind=kind, cut=cut))
        facts[cut] = {"labelled": len(fold.train), "unlabelled": len(free), "test": len(fold.test)}
        print(cut, facts[cut], flush=True)
    _write(folder, "cuts", _rounded(pd.concat(rows, ignore_index=True)))
    return {"seconds": round(seconds, 1), "parts": facts, "corpora": _content(table)}


def _ravdess(folder: Path) -> dict:
    settings = chosen(read("search", folder.parent))
    table = corpora.load("ravdess")
    split = splits.make(table, "emobox6")
    pictures = np.array(store.features(table, Spectrogram(), progress=False))
    plain = {
        kind: np.array(store.features(table, extractor, progress=False))
        for kind, extractor in (("statistics", MidTerm()), ("egemaps", Egemaps()), ("byols", ByolS()))
    }
    # Trees do not mind scaling: with them one of the two is enough.
    every = learning_curve.study(scaled=[True]) | learning_curve.study(["svm", "knn"], scaled=[False])
    some = learning_curve.study(["svm", "knn", "forest"], scaled=[True])
    found: dict[str, list[Curves]] = {kind: [] for kind in KINDS}
    for number, fold in enumerate(split):
        inputs = plain | {
            "codes": codes(pictures, fold.train, table["speaker"], settings),
            "byols": pca_scores(plain["byols"], fold.train, COMPONENTS),
        }
        for kind, parts in found.items():
            models = every if kind in ("codes", "statistics") else some
            parts.append(_learn(models, inputs[kind], table, fold, DRAWS_PER_FOLD, number))
            print("fold", number, kind, round(parts[-1].seconds), "s", flush=True)
    joined = {kind: learning_curve.joined(parts) for kind, parts in found.items()}
    _write_curves(folder, "ravdess", joined)
    return {
        "seconds": round(sum(one.seconds for one in joined.values()), 1),
        "protocol": split.name,
        "protocol_title": split.title,
        "draws_per_fold": DRAWS_PER_FOLD,
        "autoencoder": settings,
        "corpora": _content(table),
    }


def _vote(folder: Path) -> dict:
    table = corpora.load("ravdess")
    split = splits.make(table, "emobox6")
    plain = {
        name: SpeakerNormaliser().fit_transform(
            np.array(store.features(table, extractor, progress=False)), groups=table["speaker"]
        )
        for name, extractor in (("summary", Summary()), ("egemaps", Egemaps()), ("byols", ByolS()))
    }
    parts = []
    for number, fold in enumerate(split):
        columns = [pca_scores(X, fold.train, VOTE_COMPONENTS) for X in plain.values()]
        edges = np.cumsum([0, *(X.shape[1] for X in columns)])
        slices = [slice(int(a), int(b)) for a, b in pairwise(edges)]
        models = {name: partial(vote, [part], 0) for name, part in zip(plain, slices, strict=True)}
        models |= {"vote": partial(vote, slices, 0), "self-trained": partial(vote, slices, 3)}
        parts.append(_learn(models, np.hstack(columns), table, fold, DRAWS_PER_FOLD, number))
        print("fold", number, round(parts[-1].seconds), "s", flush=True)
    curves = learning_curve.joined(parts)
    rows = [curves.scores(metric).assign(metric=metric) for metric in METRICS]
    _write(folder, "vote", _rounded(pd.concat(rows, ignore_index=True)))
    cost = {model: curves.difference_between((model, 100), (model, TENTH)) for model in curves.models}
    return {
        "cost_of_a_tenth": {model: _three(found) for model, found in cost.items()},
        "gain_of_teaching": _three(curves.difference_between(("self-trained", TENTH), ("vote", TENTH))),
        "seconds": round(curves.seconds, 1),
        "protocol": split.name,
        "protocol_title": split.title,
        "draws_per_fold": DRAWS_PER_FOLD,
        "speaker_normalised": True,
        "corpora": _content(table),
    }


def _cut(name: str):
    """Give the joined corpora, their parts, the pictures of these, and a function for further features."""
    seconds, pad = CUTS[name]
    table = in_sets(corpora.load("unified"))
    listed = segments.parts(table, seconds, pad)

    def features(extractor: Extractor) -> np.ndarray:
        return segments.features(table, segments.Parts(features=extractor, seconds=seconds, pad=pad))

    return table, listed, features(Spectrogram(seconds=seconds)), features


def _fold(listed: pd.DataFrame) -> splits.Fold:
    """Train on as many labelled parts of every class as the rarest has; test on all of the test set."""
    labelled = np.flatnonzero(listed["set"] == "labelled")
    train = labelled[learning_curve.balanced(listed["emotion"].to_numpy()[labelled])]
    test = np.flatnonzero(listed["set"] == "test")
    return splits.Fold(train, np.array([], int), test, splits.fingerprint(listed))


def _learn(models, X, table, fold, draws, number=0, percentages=learning_curve.PERCENTAGES) -> Curves:
    return learning_curve.learn(
        models,
        X,
        table,
        fold,
        draws,
        number=number,
        percentages=percentages,
        cache=cache_dir() / FOLDER,
    )


def _write_curves(folder: Path, name: str, found: dict[str, Curves]) -> None:
    """Write scores with intervals, draws one by one, and how codes compare with everything else."""
    scores, draws, pairs, leads = [], [], [], []
    for kind, curves in found.items():
        for metric in METRICS:
            scores.append(curves.scores(metric).assign(metric=metric, kind=kind))
            draws.append(curves.by_draw(metric).assign(metric=metric, kind=kind))
    first = found["codes"]
    for kind, curves in found.items():
        if kind == "codes":
            continue
        for model in (name for name in first.models if name in curves.models):
            for metric in METRICS:
                facts = {"setting": name, "against": kind, "model": model, "metric": metric}
                for low, high in ((0, FOUND), (FOUND, 100), (0, 100)):
                    pair, mean = first.difference(curves, model, metric, within=(low, high))
                    mean = dict(zip(("difference", "low", "high"), mean, strict=True))
                    leads.append(facts | {"above": low, "up_to": high} | mean)
                pairs.append(pair.assign(**facts))
    _write(folder, name, _rounded(pd.concat(scores, ignore_index=True)))
    _write(folder, f"{name}-draws", _rounded(pd.concat(draws, ignore_index=True)))
    _write(folder, f"{name}-differences", _rounded(pd.concat(pairs, ignore_index=True)))
    _write(folder, f"{name}-leads", _rounded(pd.DataFrame(leads)))


def _three(found) -> list[float]:
    return [round(value, 4) for value in (found.value, found.low, found.high)]


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    return table.round(4)


def _content(table: pd.DataFrame) -> dict:
    return {
        "name": table.attrs["corpus"],
        "clips": len(table),
        "content_hash": corpora.content_hash(table),
        **{key: table.attrs[key] for key in ("sources", "dropped") if key in table.attrs},
    }


def _folder(folder: Path | None) -> Path:
    return (folder or runs.root()) / FOLDER


def _done(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _write(folder: Path, name: str, table: pd.DataFrame) -> None:
    atomic_write(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))


_MAKERS = dict(zip(STAGES, (_bookkeeping, _search, _three_sets, _cuts, _ravdess, _vote), strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the tables from the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m serlab.lessons.ch16_few_labels",
        description="Make the recorded tables of the study of few labels.",
    )
    parser.add_argument("--stage", action="append", choices=STAGES, help="only this one (may be given again)")
    parser.add_argument("--force", action="store_true", help="make tables anew that are recorded already")
    runs.add_changed_code(parser)
    given = parser.parse_args(arguments)
    provenance.one_thread()
    folder = _folder(None)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "about.json"
    try:
        for stage in given.stage or STAGES:
            if stage in _done(file) and not given.force:
                print(f"{stage}: recorded already", flush=True)
                continue
            how = provenance.circumstances("keras", allow_changed_code=given.allow_changed_code)
            facts = _MAKERS[stage](folder) | how
            done = _done(file) | {stage: facts}
            done = {name: done[name] for name in STAGES if name in done}
            atomic_write(file, json.dumps(done, indent=1, ensure_ascii=False) + "\n")
            print(f"{stage}: done, {facts['seconds']:.0f} s of processor time", flush=True)
    except SerlabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

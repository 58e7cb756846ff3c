"""The study of few labels. ``python -m serlab.lessons.ch16_few_labels`` makes its recorded tables.

It goes through `STAGES`; each can be stopped at any moment and goes on at the draw where it was. Tables lie
in ``book/results/few-labels``, and ``about.json`` beside them says how they came about.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from serlab import corpora, provenance, results_cache, run_files, runs, splits, store
from serlab.embeddings import ByolS
from serlab.errors import RunError
from serlab.features import Egemaps, Extractor, MidTerm, SpeakerNormaliser, Spectrogram, Summary
from serlab.lessons import ch16_learning_curve as learning_curve
from serlab.lessons import ch16_segments as segments
from serlab.lessons.ch16_learning_curve import Curves
from serlab.lessons.ch16_self_training import SelfTrainingVote
from serlab.paths import atomic_write_together, cache_dir

FOLDER = "few-labels"
LESSON = "serlab.lessons.ch16_few_labels"
COMMAND = f"python -m {LESSON}"
DIGESTS = "tables_sha256"
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
# What a stage makes: tables by their names, facts about them, and the corpus that they are from.
Made = tuple[dict[str, pd.DataFrame], dict[str, Any], pd.DataFrame]


def read(name: str) -> pd.DataFrame:
    """Read a recorded table of the study, named after one of `STAGES`, or raise `serlab.errors.RunError`.

    Of "three-sets" and "ravdess" there are also "<name>-draws", one by one, "<name>-differences" of codes
    less other features at each percentage, and "<name>-leads", the mean of these over ranges of percentages.
    """
    file = _folder() / f"{name}.csv"
    if not file.is_file():
        there = ", ".join(sorted(one.stem for one in file.parent.glob("*.csv"))) or "nothing"
        raise RunError(f"{file} does not exist. Recorded there: {there}. To make it: {COMMAND}")
    text = file.read_text(encoding="utf-8")
    if run_files.checksum(text) not in [stage.get(DIGESTS, {}).get(name) for stage in about().values()]:
        raise RunError(f"{file} is damaged: its checksum is not recorded. Make it anew: {COMMAND} --force")
    return run_files.parsed(text)


def about() -> dict:
    """Tell how the tables came about: per stage its seconds, machine, versions, code and corpora."""
    return run_files.read_json(_folder() / "about.json", COMMAND)


def in_sets(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table of `serlab.corpora.unify` the column ``set``."""
    return table.assign(set=segments.three_sets(table))


def held_out(speakers: Sequence[str]) -> np.ndarray:
    """Mark the rows of every fifth speaker, in the order of names: their clips tell when to stop.

    Examples
    --------
    >>> held_out(list("abcdefg")).astype(int)
    array([1, 0, 0, 0, 0, 1, 0])
    """
    names = sorted(set(speakers))
    return np.isin(np.asarray(speakers), names[::5])


def choose_network(found: pd.DataFrame) -> dict:
    """Choose from a search: of networks with `CODE` numbers and nearly the lowest loss the smallest.

    Takes what `serlab.lessons.ch16_autoencoder.search` gives, gives settings for an ``Autoencoder``.
    """
    fit = found[found["latent"] == CODE]
    near = fit[fit["loss"] <= (1 + NEAR) * fit["loss"].min()]
    best = near.sort_values(["parameters", "loss"])[["architecture", *GRID]].iloc[0]
    return best.to_dict() | {"epochs": EPOCHS, "patience": PATIENCE}


def encode(pictures: np.ndarray, rows: np.ndarray, speakers: Sequence[str], settings: dict) -> np.ndarray:
    """Train an autoencoder on some rows, without labels, and give the codes of all, (clips, latent).

    Every fifth speaker of these rows decides when to stop. A second call with the same pictures, (clips,
    frames, lines), and settings of an ``Autoencoder`` reads the codes from the cache.
    """
    from serlab.lessons import ch16_autoencoder as autoencoder

    held = held_out(np.asarray(speakers, str)[rows])
    network = autoencoder.Autoencoder(**settings)

    def compute() -> np.ndarray:
        network.fit(pictures[rows[~held]], validation=pictures[rows[held]])
        return network.transform(pictures)

    return computed_once(compute, network, pictures, rows.astype(np.int64), held)


def pca_scores(X: np.ndarray, rows: np.ndarray, components: int) -> np.ndarray:
    """Keep the strongest principal components of long features, found on some rows without their labels."""
    if min(X.shape[1], len(rows)) <= components:
        return np.array(X)
    found = PCA(components, svd_solver="randomized", random_state=0).fit(X[rows])
    return found.transform(X).astype(np.float32)


def build_vote(parts: Sequence[slice], rounds: int, seed: int = 0, clips: int = 0) -> SelfTrainingVote:
    """Build a vote for `learning_curve.learn`; with no rounds it does not teach itself."""
    return SelfTrainingVote(parts, rounds=rounds, strength=STRENGTH)


def _bookkeeping() -> Made:
    table = in_sets(corpora.load("unified"))
    books = segments.bookkeeping(table, table["set"], CUTS, "ternary").round(4)
    return {"bookkeeping": books}, {"seconds": 0.0}, table


def _search() -> Made:
    from serlab.lessons import ch16_autoencoder as autoencoder

    table, listed, free, pictures, _ = _cut(MAIN)
    held = held_out(listed["speaker"].to_numpy()[free])
    trained, validation = pictures[free[~held]], pictures[free[held]]

    def searched(name: str, latent: int) -> pd.DataFrame:
        grid = {"architecture": (name,), **GRID, "latent": (latent,)}
        search = partial(autoencoder.search, trained, validation, grid, epochs=EPOCHS, patience=PATIENCE)
        found = run_files.parsed(str(computed_once(lambda: search().to_csv(index=False), search)))
        print(found.to_string(), flush=True)
        return found

    parts = [searched(name, latent) for name in autoencoder.ARCHITECTURES for latent in GRID["latent"]]
    found = pd.concat(parts, ignore_index=True)
    facts = {
        "seconds": round(found["seconds"].sum(), 1),
        "pictures": {"training": len(trained), "validation": len(validation)},
        "floor": round(autoencoder.floor(validation), 5),
        "mean_picture": round(autoencoder.floor(validation, trained), 5),
        "chosen": choose_network(found),
    }
    return {"search": found.round({"loss": 5, "seconds": 1})}, facts, table


def _three_sets() -> Made:
    settings = choose_network(read("search"))
    table, listed, free, inputs, measured = _codes_and_statistics(MAIN, settings)
    fold, models = _fold(listed), _models_by_kind(learning_curve.study())
    inputs["egemaps"] = measured(Egemaps())
    inputs["byols"] = pca_scores(measured(ByolS()), free, COMPONENTS)
    y = listed["ternary"]
    found = {kind: _learn(models[kind], X, listed, fold, DRAWS, y=y) for kind, X in inputs.items()}
    facts = {
        "seconds": round(sum(one.seconds for one in found.values()), 1),
        "clips": listed["set"].value_counts().to_dict(),
        "labelled_per_class": len(fold.train) // listed["ternary"].nunique(),
        "autoencoder": settings,
    }
    return _curve_tables("three-sets", found), facts, table


def _cuts() -> Made:
    settings = choose_network(read("search"))
    rows, seconds, facts = [], 0.0, {}
    for cut in CUTS:
        table, listed, free, inputs, _ = _codes_and_statistics(cut, settings)
        fold, models = _fold(listed), learning_curve.study(["svm", "forest"], scaled=[True])
        for kind, X in inputs.items():
            y = listed["ternary"]
            curves = _learn(models, X, listed, fold, DRAWS, y=y, percentages=CUT_PERCENTAGES)
            seconds += curves.seconds
            rows.append(_scores(curves).assign(kind=kind, cut=cut))
        facts[cut] = {"labelled": len(fold.train), "unlabelled": len(free), "test": len(fold.test)}
    return {"cuts": pd.concat(rows, ignore_index=True)}, {"seconds": round(seconds, 1), "parts": facts}, table


def _ravdess() -> Made:
    settings = choose_network(read("search"))
    extractors = {"codes": Spectrogram(), "statistics": MidTerm(), "egemaps": Egemaps(), "byols": ByolS()}
    table, split, plain = _ravdess_features(extractors)
    # Trees do not mind scaling: with them one of the two is enough.
    every = learning_curve.study(scaled=[True]) | learning_curve.study(["svm", "knn"], scaled=[False])
    models = _models_by_kind(every)
    found: dict[str, list[Curves]] = {kind: [] for kind in KINDS}
    for number, fold in enumerate(split):
        inputs = plain | {
            "codes": encode(plain["codes"], fold.train, table["speaker"], settings),
            "byols": pca_scores(plain["byols"], fold.train, COMPONENTS),
        }
        for kind, parts in found.items():
            parts.append(_learn(models[kind], inputs[kind], table, fold, DRAWS_PER_FOLD, number))
    joined = {kind: learning_curve.join(parts) for kind, parts in found.items()}
    facts = _reference(sum(one.seconds for one in joined.values()), split) | {"autoencoder": settings}
    return _curve_tables("ravdess", joined), facts, table


def _vote() -> Made:
    extractors = {"summary": Summary(), "egemaps": Egemaps(), "byols": ByolS()}
    table, split, plain = _ravdess_features(extractors)
    plain = {name: SpeakerNormaliser().fit_transform(X, groups=table["speaker"]) for name, X in plain.items()}
    parts = []
    for number, fold in enumerate(split):
        columns = [pca_scores(X, fold.train, VOTE_COMPONENTS) for X in plain.values()]
        edges = np.cumsum([0, *(X.shape[1] for X in columns)])
        slices = [slice(int(a), int(b)) for a, b in pairwise(edges)]
        models = {name: partial(build_vote, [part], 0) for name, part in zip(plain, slices, strict=True)}
        models |= {"vote": partial(build_vote, slices, 0), "self-trained": partial(build_vote, slices, 3)}
        parts.append(_learn(models, np.hstack(columns), table, fold, DRAWS_PER_FOLD, number))
    curves = learning_curve.join(parts)

    def less(first: tuple, second: tuple) -> list[float]:
        found = curves.difference_between(first, second)
        return [round(value, 4) for value in (found.value, found.low, found.high)]

    facts = {
        "cost_of_a_tenth": {model: less((model, 100), (model, TENTH)) for model in curves.models},
        "gain_of_teaching": less(("self-trained", TENTH), ("vote", TENTH)),
        "speaker_normalised": True,
    }
    return {"vote": _scores(curves)}, facts | _reference(curves.seconds, split), table


STAGES = {"bookkeeping": _bookkeeping, "search": _search, "three-sets": _three_sets, "cuts": _cuts}
STAGES |= {"ravdess": _ravdess, "vote": _vote}


def _cut(name: str):
    """Give the joined corpora, parts, unlabelled rows, pictures, and a function for further features."""
    seconds, pad = CUTS[name]
    table = in_sets(corpora.load("unified"))
    listed = segments.parts(table, seconds, pad)

    def measured(extractor: Extractor) -> np.ndarray:
        return segments.features(table, segments.Parts(features=extractor, seconds=seconds, pad=pad))

    free = np.flatnonzero(listed["set"] == "unlabelled")
    return table, listed, free, measured(Spectrogram(seconds=seconds)), measured


def _codes_and_statistics(cut: str, settings: dict):
    table, listed, free, pictures, measured = _cut(cut)
    inputs = {"codes": encode(pictures, free, listed["speaker"], settings)}
    return table, listed, free, inputs | {"statistics": measured(MidTerm(sample_rate=8000))}, measured


def _fold(listed: pd.DataFrame) -> splits.Fold:
    """Train on as many labelled parts of every class as the rarest has; test on all of the test set."""
    labelled = np.flatnonzero(listed["set"] == "labelled")
    train = labelled[learning_curve.balanced(listed["ternary"].to_numpy()[labelled])]
    test = np.flatnonzero(listed["set"] == "test")
    return splits.Fold(train, np.array([], int), test, splits.fingerprint(listed))


def _ravdess_features(extractors: dict[str, Extractor]):
    table, found = corpora.load("ravdess"), {}
    for name, extractor in extractors.items():
        found[name] = np.array(store.features(table, extractor, progress=False))
    return table, splits.make(table, "emobox6"), found


def _models_by_kind(every: dict[str, Callable]) -> dict[str, dict[str, Callable]]:
    """Give all classifiers to what the original had, and some to the features that stand beside it."""
    some = learning_curve.study(["svm", "knn", "forest"], scaled=[True])
    return {kind: every if kind in ("codes", "statistics") else some for kind in KINDS}


def _learn(models, X, table, fold, draws, number=0, **more) -> Curves:
    cache = cache_dir() / FOLDER
    curves = learning_curve.learn(models, X, table, fold, draws, number=number, cache=cache, **more)
    print(f"fold {number}, {X.shape[1]} features: {curves.seconds:.0f} s", flush=True)
    return curves


def computed_once(compute: Callable, *deciding, folder: str = FOLDER) -> np.ndarray:
    """Read a result from a folder in the cache, or compute and keep it under all that decides it."""
    file = cache_dir() / folder / f"{results_cache.key(b'', provenance.versions('keras'), *deciding)}.npz"
    if (found := results_cache.read(file, "result")) is None:
        found = (compute(),)
        results_cache.write(file, result=found[0])
    return found[0]


def _scores(curves: Curves) -> pd.DataFrame:
    parts = [curves.scores(metric).assign(metric=metric) for metric in METRICS]
    return pd.concat(parts, ignore_index=True).round(4)


def _curve_tables(name: str, found: dict[str, Curves]) -> dict[str, pd.DataFrame]:
    """Give scores with intervals, draws one by one, and how codes compare with everything else."""
    scores, draws, pairs, leads = [], [], [], []
    for kind, curves in found.items():
        scores.append(_scores(curves).assign(kind=kind))
        draws += [curves.by_draw(metric).assign(metric=metric, kind=kind) for metric in METRICS]
    first, columns = found["codes"], ("difference", "low", "high")
    for kind in [kind for kind in found if kind != "codes"]:
        curves = found[kind]
        for model in (one for one in first.models if one in curves.models):
            for metric in METRICS:
                facts = {"setting": name, "against": kind, "model": model, "metric": metric}
                values = dict(zip(columns, first.difference(curves, model, metric), strict=True))
                pairs.append(pd.DataFrame({"percent": first.percentages} | values).assign(**facts))
                for above, up_to in ((0, FOUND), (FOUND, 100), (0, 100)):
                    mean = map(float, first.difference(curves, model, metric, (above, up_to)))
                    place = {"above": above, "up_to": up_to}
                    leads.append(facts | place | dict(zip(columns, mean, strict=True)))
    return {
        name: pd.concat(scores, ignore_index=True),
        f"{name}-draws": pd.concat(draws, ignore_index=True).round(4),
        f"{name}-differences": pd.concat(pairs, ignore_index=True).round(4),
        f"{name}-leads": pd.DataFrame(leads).round(4),
    }


def _reference(seconds: float, split: splits.Split) -> dict:
    named = {"protocol": split.name, "protocol_title": split.title}
    return {"seconds": round(seconds, 1), **named, "draws_per_fold": DRAWS_PER_FOLD}


def _folder() -> Path:
    return runs.root() / FOLDER


def _record(stage: str, allow_changed_code: bool) -> None:
    """Make the tables of a stage, and write them with how they came about."""
    how = provenance.circumstances("keras", allow_changed_code=allow_changed_code)
    tables, facts, corpus = STAGES[stage]()
    content = {"name": corpus.attrs["corpus"], "clips": len(corpus)}
    content["content_hash"] = corpora.content_hash(corpus)
    content |= {key: corpus.attrs[key] for key in ("sources", "dropped") if key in corpus.attrs}
    texts = {name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}
    digests = {name: run_files.checksum(text) for name, text in texts.items()}
    done = _recorded() | {stage: facts | {"corpora": content} | how | {DIGESTS: digests}}
    ordered = {name: done[name] for name in STAGES if name in done}
    files = {_folder() / f"{name}.csv": text.encode() for name, text in texts.items()}
    files[_folder() / "about.json"] = (json.dumps(ordered, indent=1, ensure_ascii=False) + "\n").encode()
    _folder().mkdir(parents=True, exist_ok=True)
    atomic_write_together(files)


def _recorded() -> dict:
    return about() if (_folder() / "about.json").is_file() else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the tables from the command line; return the exit status."""
    return runs.record_named(arguments, LESSON, "stage", STAGES, lambda stage: stage in _recorded(), _record)


if __name__ == "__main__":
    sys.exit(main())

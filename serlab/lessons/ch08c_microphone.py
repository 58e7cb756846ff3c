"""Chapter 8: what a room, a telephone or noise does to models that were trained on clean recordings.

`measure` trains on the clips of a fold's training speakers and answers its test clips under each of
`CONDITIONS`. ``python -m serlab.lessons.ch08c_microphone`` records it for the models of `RECORDED`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import corpora, evaluation, models, provenance, run_files, runs, splits, store, training
from serlab.augment import Augmented, Chain, Step, Uniform, add_noise, gain, room, telephone, voice_message
from serlab.corpora import synthesis
from serlab.features import Extractor
from serlab.paths import cache_dir
from serlab.plots.style import EDGE, SIZE, error_bars, name_rows, new_axes

SAMPLE_RATE = 16000


def _chain(function: Callable, **settings: Any) -> Chain:
    return Chain(Step(function, **settings))


CONDITIONS: dict[str, Chain | None] = {
    "as recorded": None,
    "12 dB softer": _chain(gain, db=-12),
    "voice message": _chain(voice_message, sample_rate=SAMPLE_RATE),
    "telephone": _chain(telephone, sample_rate=SAMPLE_RATE),
    "living room": _chain(room, rt60=0.5, sample_rate=SAMPLE_RATE),
    "church": _chain(room, rt60=2.0, sample_rate=SAMPLE_RATE),
    "noise 30 dB": _chain(add_noise, snr=30, colour="pink"),
    "noise 20 dB": _chain(add_noise, snr=20, colour="pink"),
    "noise 10 dB": _chain(add_noise, snr=10, colour="pink"),
}
# What copies of training clips go through, drawn anew for each: church and message are not among it.
COPIES = (
    Chain(Step(add_noise, snr=Uniform(5, 30), colour="pink"), seed=1),
    Chain(
        Step(room, rt60=Uniform(0.2, 1.0), sample_rate=SAMPLE_RATE), Step(gain, db=Uniform(-15, 5)), seed=2
    ),
    Chain(Step(add_noise, snr=Uniform(10, 40)), Step(telephone, sample_rate=SAMPLE_RATE), seed=3),
)
COLUMNS = ("training", "condition", "clip", "speaker", "fold", "label", "predicted", "confidence")
TRAININGS = ("clean", "with copies")
PROTOCOL = "emobox6"
LESSON = "serlab.lessons.ch08c_microphone"
RECORDED = ("svm-rbf-summary", "logreg-byols")


@synthesis.remember
def heard(*, condition: str) -> np.ndarray:
    """Let the synthetic voice speak angrily under one of `CONDITIONS`.

    Examples
    --------
    >>> soft, loud = heard(condition="12 dB softer"), heard(condition="as recorded")
    >>> round(float(np.abs(loud).max() / np.abs(soft).max()), 1)
    4.0
    """
    chain = CONDITIONS[condition]
    y = np.asarray(synthesis.synthesise_phrase("d02", emotion="angry"))
    return y if chain is None else chain(y, 0, 0)


def under(extractor: Extractor, chain: Chain | None) -> Extractor:
    """Give the extractor that measures what a chain of changes has left of a clip; None changes nothing."""
    return extractor if chain is None else Augmented(extractor=extractor, chain=chain)


def measure(
    table: pd.DataFrame,
    split: splits.Split,
    versions: Mapping[str, np.ndarray],
    build: Callable[[int], Any],
    copies: Sequence[np.ndarray] = (),
    cache: Path | None = None,
) -> pd.DataFrame:
    """Train on the first version of the training clips, and answer every version of the test clips.

    `versions` are features of the clips, (clips, ...), by condition, those to train on first; `copies` are
    those of altered clips, to train on as well; `cache` is where finished folds are kept. Gives one row per
    condition and clip, with the columns of `COLUMNS` after ``training``; ``confidence`` is the probability of
    what was predicted.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> table = pd.DataFrame({"clip": list("abcdefgh"), "speaker": list("ppqqrrss")})
    >>> table["emotion"] = ["sad", "happy"] * 4
    >>> X = np.arange(8.0)[:, None] % 2
    >>> split = splits.make(table, "loso")
    >>> found = measure(table, split, {"as it is": X, "shifted": X + 9}, lambda seed: GaussianNB())
    >>> found.groupby("condition")["predicted"].nunique().to_dict()
    {'as it is': 2, 'shifted': 1}
    """
    kinds = [*versions, *(f"copy {number}" for number in range(len(copies)))]
    rows = pd.concat([table.assign(condition=kind) for kind in kinds], ignore_index=True)
    rows["clip"] = rows["clip"] + "#" + rows["condition"]
    made_for = splits.fingerprint(rows)
    trained = [0, *range(len(versions), len(kinds))]
    folds = []
    for fold in split:
        known, asked = (
            np.concatenate([part + number * len(table) for number in numbers])
            for part, numbers in ((fold.train, trained), (fold.test, range(len(versions))))
        )
        folds.append(splits.Fold(known, np.array([], int), asked, made_for))
    X = np.concatenate([*versions.values(), *copies])
    found = training.cross_validate(build, X, rows, replace(split, folds=tuple(folds)), cache=cache)
    found[["clip", "condition"]] = found["clip"].str.rsplit("#", n=1, expand=True)
    found["confidence"] = found.filter(regex="^p_").max(axis=1).round(4)
    return found[list(COLUMNS[1:])]


def summarise(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every training and condition: UAR with its interval over speakers, accuracy, mean confidence."""
    rows = []
    for (kind, condition), part in predictions.groupby(["training", "condition"], sort=False):
        accuracy = (part["label"] == part["predicted"]).mean()
        rows.append((kind, condition, *evaluation.interval(part), accuracy, part["confidence"].mean()))
    names = ["training", "condition", "uar", "uar_low", "uar_high", "accuracy", "confidence"]
    return pd.DataFrame(rows, columns=names)


def plot_conditions(summary: pd.DataFrame, by: str, ax: Axes | None = None) -> Axes:
    """Draw the UAR of each condition with its interval, from `summarise`, in colours by a column.

    Examples
    --------
    >>> rows = pd.DataFrame({"training": "clean", "condition": ["room"], "uar": 0.5})
    >>> plot_conditions(rows.assign(uar_low=0.4, uar_high=0.6), by="training").get_xlabel()
    'UAR (%)'
    """
    ax = new_axes(ax, (SIZE[0], 4.2))
    order = list(dict.fromkeys(summary["condition"]))
    groups = list(summary.groupby(by, sort=False))
    for number, (group, part) in enumerate(groups):
        places = part["condition"].map(order.index) + 0.22 * (number - (len(groups) - 1) / 2)
        look = {"fmt": "o", "ms": 5, "capsize": 3, "mec": EDGE, "mew": 0.5, "label": group}
        error_bars(ax, places, 100 * part[["uar", "uar_low", "uar_high"]], **look)
    return name_rows(ax, order, "UAR (%)", xlim=(0, None))


def plot_confidence(summary: pd.DataFrame, by: str, ax: Axes | None = None) -> Axes:
    """Draw how sure a model is against how often it is right; on the diagonal it knows what it does not know.

    Examples
    --------
    >>> rows = pd.DataFrame({"training": "clean", "condition": ["room"], "accuracy": 0.5, "confidence": 0.9})
    >>> plot_confidence(rows, by="training").get_ylabel()
    'mean confidence (%)'
    """
    ax = new_axes(ax, (5.2, 4.6))
    ax.plot([0, 100], [0, 100], color="#999999", lw=1)
    for group, part in summary.groupby(by, sort=False):
        x, y = 100 * part["accuracy"], 100 * part["confidence"]
        ax.plot(x, y, "o", mec=EDGE, mew=0.5, label=group)
        for row in (part["accuracy"].idxmin(), part["accuracy"].idxmax()):
            beside = {"xytext": (6, 4), "textcoords": "offset points", "fontsize": 9}
            ax.annotate(part["condition"][row], (x[row], y[row]), **beside)
    ax.set(xlabel="right (%)", ylabel="mean confidence (%)", xlim=(0, 100), ylim=(0, 100))
    if len(summary.groupby(by)) > 1:
        ax.legend(loc="lower right")
    return ax


def read(model: str) -> pd.DataFrame:
    """Read the recorded predictions of one of `RECORDED`; `RunError` if there are none."""
    return run_files.read(_path(model), f"python -m {LESSON}")[0]


def record(model: str, *, allow_changed_code: bool = False) -> dict[str, Any]:
    """Measure a model on all folds of RAVDESS, write the predictions, return how they came about."""
    spec = models.get(model)
    how = provenance.circumstances(*spec.libraries, allow_changed_code=allow_changed_code)
    table = splits.get(PROTOCOL).prepare(corpora.load("ravdess"))
    (extractor,) = spec.extractors
    versions = {name: store.features(table, under(extractor, chain)) for name, chain in CONDITIONS.items()}
    copies = [store.features(table, under(extractor, chain)) for chain in COPIES]
    split = splits.make(table, PROTOCOL)
    parts = []
    for kind in TRAININGS:
        more = copies if kind == "with copies" else []
        part = measure(table, split, versions, spec.build, more, cache=cache_dir() / "microphone")
        parts.append(part.assign(training=kind))
    result = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    found = summarise(result).set_index(["training", "condition"]).round(5)
    meta = {
        "model": model,
        "corpus": {"name": "ravdess", "clips": len(table), "content_hash": corpora.content_hash(table)},
        "protocol": PROTOCOL,
        "seed": 0,
        "conditions": {name: repr(chain) for name, chain in CONDITIONS.items()},
        "copies": [repr(chain) for chain in COPIES],
        **how,
        "scores": {kind: found.loc[kind].to_dict("index") for kind in TRAININGS},
    }
    run_files.write(_path(model), result.to_csv(index=False, lineterminator="\n"), meta)
    return meta


def _path(model: str) -> Path:
    return runs.root() / "microphone" / f"{model}.json"


if __name__ == "__main__":
    sys.exit(runs.record_named(None, LESSON, "model", RECORDED, lambda name: _path(name).is_file(), record))

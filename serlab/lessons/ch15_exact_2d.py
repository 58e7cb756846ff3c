"""Chapter 15b: the notebook's 2-D network trained as it was, and once more with seven actors held out.

``python -m serlab.lessons.ch15_exact_2d`` records both. What was stopped goes on at the epoch where it was.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from serlab import corpora, evaluation, provenance, run_files, runs, splits, store
from serlab.augment import Versions
from serlab.lessons.ch15_leaks import rows_of_versions, scale
from serlab.models import architectures, inputs
from serlab.paths import cache_dir
from serlab.splits import Fold

LESSON = "serlab.lessons.ch15_exact_2d"
WAYS = ("as it was", "actors apart")
EPOCHS, BATCH_SIZE, PROTOCOL = 25, 64, "six-emobox6"
HELD_OUT, VALIDATION = [f"{actor:02}" for actor in range(18, 25)], ["17"]
COLUMNS = ("clip", "version", "speaker", "fold", "seed", "label", "predicted", "predicted_last")


def deal(table: pd.DataFrame, way: str) -> tuple[pd.DataFrame, Fold]:
    """Make three rows of every clip, the versions of it, and deal them out in one of `WAYS`.

    As it was: 30 % of the rows are tested, and a twentieth of the others validates, whatever they are copies
    of. Actors apart: `HELD_OUT` are tested, `VALIDATION` validates.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": [f"c{n}" for n in range(96)], "emotion": ["sad", "happy"] * 48})
    >>> table["speaker"] = [f"{1 + n // 4:02}" for n in range(96)]
    >>> deal(table, "as it was")[1], deal(table, "actors apart")[1]
    (Fold(train=190, validation=11, test=87), Fold(train=192, validation=12, test=84))
    """
    rows = rows_of_versions(table, 3)
    if way == "actors apart":
        test = rows["speaker"].isin(HELD_OUT).to_numpy()
        validation = rows["speaker"].isin(VALIDATION).to_numpy()
        return rows, Fold(*(np.flatnonzero(side) for side in (~test & ~validation, validation, test)))
    emotion = rows["emotion"].to_numpy()
    # `splits.hold_out_clips` sorts what it draws, so that another twentieth would be drawn from it.
    rest, test = train_test_split(rows.index.to_numpy(), test_size=0.3, stratify=emotion, random_state=0)
    train, validation = train_test_split(rest, test_size=0.05, random_state=0)
    return rows, Fold(train, validation, test)


def train(X: np.ndarray, y: np.ndarray, fold: Fold, folder: Path, epochs: int = EPOCHS):
    """Train the network on rows of a fold: gives its last state, the file of its best weights, and the log.

    Takes mel spectrograms from 0 to 1, (rows, bands, frames), and one-hot labels. Best is the epoch with the
    highest accuracy in validation. Convolutions are computed in bfloat16, which keeps eight binary digits of
    each factor; sums and weights have all of float32. `folder` keeps what is needed to go on.
    """
    from serlab.backend import keras

    keras.utils.set_random_seed(0)
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        # It scales by the range of what it is built with: from 0 to 1, nothing changes.
        network = architectures.original_mel(np.stack([np.zeros(X.shape[1:]), np.ones(X.shape[1:])]), y)
    finally:
        keras.config.set_dtype_policy(usual)
    # Probabilities of eight digits would be too coarse for the loss.
    network.layers[-1].dtype_policy = keras.DTypePolicy("float32")
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    folder.mkdir(parents=True, exist_ok=True)
    log, best = folder / "epochs.csv", folder / "best.weights.h5"
    reached = pd.read_csv(log)["val_accuracy"].max() if log.is_file() else None
    kept = {"monitor": "val_accuracy", "save_best_only": True, "save_weights_only": True}
    callbacks = [
        keras.callbacks.ModelCheckpoint(best, initial_value_threshold=reached, **kept),
        keras.callbacks.CSVLogger(log, append=True),
        keras.callbacks.BackupAndRestore(folder / "state", delete_checkpoint=False),
    ]
    how = {"batch_size": BATCH_SIZE, "epochs": epochs, "verbose": 2, "callbacks": callbacks}
    validation = (X[fold.validation], y[fold.validation])
    network.fit(X[fold.train], y[fold.train], validation_data=validation, **how)
    return network, best, pd.read_csv(log)


def record(way: str, *, allow_changed_code: bool = False) -> None:
    """Record one of `WAYS` on RAVDESS, on the six emotions of CREMA-D."""
    how = provenance.circumstances("keras", allow_changed_code=allow_changed_code)
    table = splits.get(PROTOCOL).prepare(corpora.load("ravdess"))
    X = store.features(table, Versions(extractor=inputs.ORIGINAL_MEL, chains=inputs.NOISED))
    X = X.reshape(-1, *X.shape[2:])
    rows, fold = deal(table, way)
    X = scale(X, X if way == "as it was" else X[fold.train])
    classes, codes = np.unique(rows["emotion"].to_numpy(str), return_inverse=True)
    folder = cache_dir() / "exact-2d" / f"{way.replace(' ', '-')}-{provenance.code_version()}"
    network, best, log = train(X, np.eye(len(classes), dtype=np.float32)[codes], fold, folder)
    tested = rows.iloc[fold.test].assign(fold=0, seed=0, label=rows["emotion"])
    tested["predicted_last"] = _answers(network, X[fold.test], classes)
    network.load_weights(best)
    tested["predicted"] = _answers(network, X[fold.test], classes)
    meta = {
        "corpus": {"name": "ravdess", "clips": len(table), "content_hash": corpora.content_hash(table)},
        "way": way,
        "rows": {side: len(getattr(fold, side)) for side in ("train", "validation", "test")},
        "parameters": network.count_params(),
        "epochs": log.round(5).to_dict("list"),
        **how,
        "scores": {
            kept: evaluation.scores(tested.assign(predicted=tested[column]))
            for kept, column in (("best", "predicted"), ("last", "predicted_last"))
        },
    }
    run_files.write(_path(way), tested[list(COLUMNS)].to_csv(index=False, lineterminator="\n"), meta)


def read(way: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read what one of `WAYS` predicted for the test rows, and how it came about."""
    return run_files.read(_path(way), f"python -m {LESSON}")


def _answers(network, X: np.ndarray, classes: np.ndarray) -> np.ndarray:
    return classes[network.predict(X, batch_size=BATCH_SIZE, verbose=0).argmax(axis=1)]


def _path(way: str) -> Path:
    return runs.root() / "exact-2d" / f"{way.replace(' ', '-')}.json"


if __name__ == "__main__":
    sys.exit(runs.record_named(None, LESSON, "way", WAYS, lambda name: _path(name).is_file(), record))

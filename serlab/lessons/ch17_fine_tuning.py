"""Chapter 17: blocks of Whisper trained further on RAVDESS, in two ways, beside the same blocks left frozen.

``python -m serlab.lessons.ch17_fine_tuning`` records what is predicted after each epoch. Nothing is chosen by
it: rates and epochs were fixed beforehand. Each fold and seed is kept when it is done.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from serlab import corpora, evaluation, provenance, run_files, runs, splits, store
from serlab.embeddings import Whisper
from serlab.lessons.ch16_few_labels import computed_once
from serlab.plots.style import SIZE, new_axes

if TYPE_CHECKING:
    import keras

LESSON = "serlab.lessons.ch17_fine_tuning"
PROTOCOL, BATCH_SIZE, DEPTH = "emobox6", 16, 3
# The C that the recorded probes choose most often.
C = 0.003
COLUMNS = ("variant", "seed", "fold", "epoch", "clip", "speaker", "label", "predicted")


@dataclass(frozen=True)
class Variant:
    """A way to train on: the first block that learns, with which head, how quickly, how long.

    Blocks from `first` to the third are trained, and those below are left as they are. With `probe` the head
    begins as a logistic regression that was trained on the frozen blocks; else its weights are random. `rate`
    is the highest learning rate of AdamW, after a rise and before a fall as a cosine.
    """

    first: int
    probe: bool
    rate: float
    epochs: int
    folds: int
    seeds: int


VARIANTS = {
    "careful": Variant(first=3, probe=True, rate=3e-5, epochs=4, folds=6, seeds=3),
    "naive": Variant(first=1, probe=False, rate=2e-4, epochs=8, folds=1, seeds=1),
}


def build(first: int, mean: np.ndarray, scale: np.ndarray, classes: int) -> keras.Model:
    """Make a network of the upper blocks: frames of the block below `first` and a mask to logits.

    Mean and deviation over time of all these blocks are standardised by `mean` and `scale`, which have 768
    values for each block, and given to one dense layer.
    """
    from serlab.backend import keras

    layers, ops = keras.layers, keras.ops
    source = Whisper(blocks=(DEPTH,))
    encoder = source.build()
    source.load_weights(encoder, source.weights.locate())
    x = frames = keras.Input((None, source.channels))
    mask = keras.Input((None,))
    visible = ops.einsum("bt,bs->bts", mask, mask) > 0
    outputs = [x]
    for number in range(first - 1, DEPTH):
        place = f"blocks-{number}"
        heard = encoder.get_layer(f"{place}-attn_ln")(x)
        x = layers.Add()([x, encoder.get_layer(f"{place}-attn")(heard, heard, attention_mask=visible)])
        inner = x
        for name in ("mlp_ln", "mlp-0", "mlp-2"):
            inner = encoder.get_layer(f"{place}-{name}")(inner)
        x = layers.Add()([x, inner])
        outputs.append(x)
    weight = ops.expand_dims(mask / ops.sum(mask, axis=1, keepdims=True), -1)
    pooled = []
    for output in outputs:
        centre = ops.sum(output * weight, axis=1, keepdims=True)
        spread = ops.sqrt(ops.sum(ops.square(output - centre) * weight, axis=1) + 1e-8)
        pooled += [centre[:, 0], spread]
    features = layers.Dropout(0.2)((ops.concatenate(pooled, axis=-1) - mean) / scale)
    return keras.Model([frames, mask], layers.Dense(classes, name="head")(features))


def pad(clips: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lay clips of shape (channels, time) side by side: (clips, time, channels), and 1 where there is sound.

    Examples
    --------
    >>> X, mask = pad([np.ones((4, 3)), np.ones((4, 20))])
    >>> X.shape, mask.sum(axis=1).tolist()
    ((2, 32, 4), [3.0, 20.0])
    """
    # Few lengths: the network is compiled once for each.
    longest = -(-max(clip.shape[1] for clip in clips) // 16) * 16
    X = np.zeros((len(clips), longest, len(clips[0])), np.float32)
    mask = np.zeros((len(clips), longest), np.float32)
    for row, clip in enumerate(clips):
        X[row, : clip.shape[1]], mask[row, : clip.shape[1]] = clip.T, 1
    return X, mask


def train(
    variant: Variant, frames: Sequence[np.ndarray], y: np.ndarray, train_rows, test_rows, seed: int
) -> list[np.ndarray]:
    """Train on some clips and name the others after each epoch, before the first as well.

    Takes frames, (384, time), of the block below `variant.first` for every clip, their labels and the row
    numbers of both sides. Gives the labels of the test rows: before training, and after each epoch.
    """
    from serlab.backend import keras

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    classes, codes = np.unique(y, return_inverse=True)
    targets = np.eye(len(classes), dtype=np.float32)[codes]
    weights = len(train_rows) / (len(classes) * np.bincount(codes[train_rows]))
    width = 2 * len(frames[0]) * (DEPTH - variant.first + 2)
    pooling = build(variant.first, np.zeros(width, np.float32), np.ones(width, np.float32), len(classes))
    pooling = keras.Model(pooling.inputs, pooling.get_layer("head").input)
    X = np.concatenate([pooling.predict_on_batch(pad([frames[row]])) for row in train_rows])
    scaler = StandardScaler().fit(X)
    model = build(
        variant.first, *(one.astype(np.float32) for one in (scaler.mean_, scaler.scale_)), len(classes)
    )
    if variant.probe:
        probe = LogisticRegression(C=C, class_weight="balanced", max_iter=2000)
        probe.fit(scaler.transform(X), y[train_rows])
        model.get_layer("head").set_weights([probe.coef_.T, probe.intercept_])
    steps = variant.epochs * -(-len(train_rows) // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(
        variant.rate / 10, steps - steps // 10, warmup_target=variant.rate, warmup_steps=steps // 10
    )
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.01, clipnorm=1.0), loss)

    def answers() -> np.ndarray:
        found = [model.predict_on_batch(pad([frames[row]])).argmax(axis=1) for row in test_rows]
        return classes[np.concatenate(found)]

    told = [answers()]
    lengths = np.array([frames[row].shape[1] for row in train_rows])
    for _ in range(variant.epochs):
        # Clips of like length go together, in another order each time.
        order = np.argsort(lengths + rng.uniform(-15, 15, len(lengths)))
        batches = np.array_split(np.asarray(train_rows)[order], steps // variant.epochs)
        for number in rng.permutation(len(batches)):
            rows = batches[number]
            model.train_on_batch(pad([frames[row] for row in rows]), targets[rows], weights[codes[rows]])
        told.append(answers())
    return told


def record(name: str, *, allow_changed_code: bool = False) -> None:
    """Record one of `VARIANTS` on RAVDESS; folds that are done already are read from the cache."""
    how = provenance.circumstances("keras", allow_changed_code=allow_changed_code)
    variant = VARIANTS[name]
    table = splits.get(PROTOCOL).prepare(corpora.load("ravdess"))
    frames_below(table, variant)
    places = np.ndindex(variant.seeds, variant.folds)
    calls = [joblib.delayed(_predictions)(variant, table, seed, number) for seed, number in places]
    parts = []
    for part in joblib.Parallel(n_jobs=2, return_as="generator")(calls):
        parts.append(part.assign(variant=name))
        print(name, part["seed"][0], part["fold"][0], scores(part)["uar"].round(3).tolist(), flush=True)
    result = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    meta = {
        "variant": repr(variant),
        "corpus": {"name": "ravdess", "clips": len(table), "content_hash": corpora.content_hash(table)},
        "protocol": PROTOCOL,
        **how,
        "scores": scores(result).set_index("epoch").round(5).to_dict("index"),
    }
    run_files.write(_path(name), result.to_csv(index=False, lineterminator="\n"), meta)


def frames_below(table: pd.DataFrame, variant: Variant) -> Sequence[np.ndarray]:
    """Compute, once, what block `variant.first` takes of every clip: arrays of shape (384, time)."""
    return store.features(table, Whisper(blocks=(variant.first - 1,), statistics=None))


def _predictions(variant: Variant, table: pd.DataFrame, seed: int, number: int) -> pd.DataFrame:
    """Train on one fold, or read from the cache what that gave: `COLUMNS` but the variant's name."""
    fold, y = splits.make(table, PROTOCOL).folds[number], table["emotion"].to_numpy(str)
    sides = (y, fold.train, fold.test, seed)
    deciding = (train, frames_below, variant, table["clip"].to_numpy(str), sides)
    told = computed_once(
        lambda: train(variant, frames_below(table, variant), *sides), *deciding, folder="fine-tuning"
    )
    rows = table.iloc[fold.test][["clip", "speaker"]].assign(label=y[fold.test], fold=number, seed=seed)
    each = [rows.assign(epoch=epoch, predicted=labels) for epoch, labels in enumerate(told)]
    return pd.concat(each, ignore_index=True)


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score every epoch: `epoch`, `uar`, `uar_low`, `uar_high`, from 0 to 1, the interval over speakers."""
    rows = [(epoch, *evaluation.interval(part, "uar")) for epoch, part in predictions.groupby("epoch")]
    return pd.DataFrame(rows, columns=["epoch", "uar", "uar_low", "uar_high"])


def read(name: str) -> pd.DataFrame:
    """Read the recorded predictions of one of `VARIANTS`, with `COLUMNS`; `RunError` if there are none."""
    return run_files.read(_path(name), f"python -m {LESSON}")[0]


def plot_epochs(predictions: dict[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Draw the UAR on unheard speakers after each epoch, a line for each set of predictions.

    Examples
    --------
    >>> rows = {"epoch": [0, 0, 1, 1], "speaker": list("abab"), "label": ["sad", "happy"] * 2}
    >>> found = pd.DataFrame(rows | {"clip": list("cdcd"), "predicted": ["sad", "sad", "sad", "happy"]})
    >>> plot_epochs({"careful": found}).lines[0].get_ydata().tolist()
    [50.0, 100.0]
    """
    ax = new_axes(ax, SIZE)
    for name, part in predictions.items():
        found = scores(part)
        ax.plot(found["epoch"], 100 * found["uar"], "o-", label=name)
    ax.set(xlabel="epochs of training", ylabel="UAR on unheard speakers (%)")
    ax.legend()
    return ax


def _path(name: str) -> Path:
    return runs.root() / "fine-tuning" / f"{name}.json"


if __name__ == "__main__":
    sys.exit(runs.record_named(None, LESSON, "variant", VARIANTS, lambda name: _path(name).is_file(), record))

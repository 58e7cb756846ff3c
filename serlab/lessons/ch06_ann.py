"""Chapter 6: clips moved in time, which epoch a rule keeps, and pictures of epochs, shifts and seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import evaluation
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, name_rows, new_axes
from serlab.runs import Run

# How each rule marks its epoch in the picture: marker, colour.
RULES = {"lowest loss": ("o", HONEST), "highest accuracy": ("D", FLATTERING), "last epoch": ("s", "#117733")}


def move(pictures: np.ndarray, frames: int, silence: float | np.ndarray = 0) -> np.ndarray:
    """Move spectrograms, (clips, bands, frames), to a later or earlier moment, and fill the gap with silence.

    Examples
    --------
    >>> move(np.array([[[1, 2, 3]]]), 1).tolist(), move(np.array([[[1, 2, 3]]]), -2).tolist()
    ([[[0, 1, 2]]], [[[3, 0, 0]]])
    """
    moved, end = np.full_like(pictures, silence), pictures.shape[2]
    early, late = max(-frames, 0), max(frames, 0)
    moved[:, :, late : end - early] = pictures[:, :, early : end - late]
    return moved


def kept_epochs(history: Mapping[str, Sequence[float]]) -> dict[str, int]:
    """Give the epoch, counted from one, that each rule keeps of one training."""
    return {
        "lowest loss": int(np.argmin(history["val_loss"])) + 1,
        "highest accuracy": int(np.argmax(history["val_accuracy"])) + 1,
        "last epoch": len(history["val_loss"]),
    }


def epoch_table(histories: Sequence[Mapping[str, Sequence[float]]]) -> pd.DataFrame:
    """Set the three rules side by side: the epoch they keep (median), and the accuracy it has, in percent.

    `histories` is what Keras measured after each epoch of several trainings, with validation.

    Examples
    --------
    >>> one = {"val_loss": [2.0, 1.0, 3.0], "val_accuracy": [0.3, 0.4, 0.6]}
    >>> epoch_table([one, one])["mean"].to_dict()
    {'lowest loss': 40.0, 'highest accuracy': 60.0, 'last epoch': 60.0}
    """
    rows = [
        (rule, epoch, 100 * history["val_accuracy"][epoch - 1])
        for history in histories
        for rule, epoch in kept_epochs(history).items()
    ]
    groups = pd.DataFrame(rows, columns=["rule", "epoch", "accuracy"]).groupby("rule", sort=False)
    scores = groups["accuracy"].agg(mean="mean", lowest="min", highest="max")
    return scores.assign(epoch=groups["epoch"].median())[["epoch", "mean", "lowest", "highest"]].round(1)


def epoch_choice(histories: Sequence[Mapping[str, Sequence[float]]], ax: Axes | None = None) -> Axes:
    """Draw the accuracy of several trainings over the epochs, and the epochs that each rule keeps."""
    ax = new_axes(ax, SIZE)
    for number, history in enumerate(histories):
        accuracy = 100 * np.asarray(history["val_accuracy"])
        ax.plot(np.arange(1, len(accuracy) + 1), accuracy, color="0.7", linewidth=0.8)
        for rule, epoch in kept_epochs(history).items():
            marker, colour = RULES[rule]
            look = {"color": colour, "markersize": 7, "linestyle": "", "label": None if number else rule}
            ax.plot(epoch, accuracy[epoch - 1], marker, **look)
    ax.set(xlabel="epoch", ylabel="accuracy on the test clips (%)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0, handletextpad=0.2)
    return ax


def shift_curve(
    seconds: Sequence, changed: Sequence, right: Sequence, chance: float, ax: Axes | None = None
) -> Axes:
    """Draw which shares of answers change, and are right, when clips are moved in time by so many seconds."""
    ax = new_axes(ax, SIZE)
    ax.plot(seconds, 100 * np.asarray(changed), "s-", color=FLATTERING, label="answer changed")
    ax.plot(seconds, 100 * np.asarray(right), "o-", color=HONEST, label="answer right")
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="a guess")
    ax.set(xlabel="clips moved by (s): earlier – later", ylabel="test clips (%)", ylim=(0, 100))
    ax.legend(loc="upper center", ncols=3, columnspacing=1.0)
    return ax


def seed_scores(run: Run) -> list[float]:
    """Give the UAR of each seed of a recorded run."""
    groups = run.predictions.groupby("seed")
    return [evaluation.uar(rows["label"], rows["predicted"]) for _, rows in groups]


def seeds(runs: Mapping[str, Run], chance: float, ax: Axes | None = None) -> Axes:
    """Draw a dot for each seed of recorded runs, by name, over a bar for the interval over speakers."""
    ax = new_axes(ax, SIZE)
    for place, run in enumerate(runs.values()):
        whole = evaluation.interval(run)
        width = 100 * (whole.high - whole.low)
        bar = "95 % interval over speakers" if place == 0 else None
        ax.barh(place, width, 0.6, left=100 * whole.low, color="0.85", label=bar)
        scores = 100 * np.array(seed_scores(run))
        dot = "one seed" if place == 0 else None
        ax.plot(scores, np.full(len(scores), place), "o", color=HONEST, alpha=0.6, label=dot)
    return name_rows(ax, runs, "UAR (%)", 100 * chance, xlim=(0, 100))

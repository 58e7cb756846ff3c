"""Chapter 6: clips moved in time, which epoch a rule keeps, and pictures of epochs, shifts and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import evaluation
from serlab.plots import new_axes
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE
from serlab.runs import Run

# How each rule marks its epoch in the picture: marker, colour.
RULES = {
    "lowest loss": ("o", HONEST),
    "highest accuracy": ("D", FLATTERING),
    "last epoch": ("s", "#117733"),
}


def move(pictures: np.ndarray, frames: int) -> np.ndarray:
    """Move spectrograms in time, with silence in the gap.

    Parameters
    ----------
    pictures : ndarray, shape (clips, bands, frames)
        Power, so that zero is silence.
    frames : int
        How far: to a later moment, or to an earlier one if negative.

    Examples
    --------
    >>> move(np.array([[[1, 2, 3]]]), 1).tolist(), move(np.array([[[1, 2, 3]]]), -2).tolist()
    ([[[0, 1, 2]]], [[[3, 0, 0]]])
    """
    moved = np.zeros_like(pictures)
    if frames >= 0:
        moved[:, :, frames:] = pictures[:, :, : pictures.shape[2] - frames]
    else:
        moved[:, :, :frames] = pictures[:, :, -frames:]
    return moved


def kept_epochs(history: Mapping[str, Sequence[float]]) -> dict[str, int]:
    """Give the epoch, counted from one, that each rule keeps of one training.

    Examples
    --------
    >>> kept_epochs({"val_loss": [2.0, 1.0, 3.0, 4.0], "val_accuracy": [0.3, 0.4, 0.6, 0.5]})
    {'lowest loss': 2, 'highest accuracy': 3, 'last epoch': 4}
    """
    return {
        "lowest loss": int(np.argmin(history["val_loss"])) + 1,
        "highest accuracy": int(np.argmax(history["val_accuracy"])) + 1,
        "last epoch": len(history["val_loss"]),
    }


def epoch_table(histories: Sequence[Mapping[str, Sequence[float]]]) -> pd.DataFrame:
    """Set the three rules side by side: the epoch they keep, and the accuracy it has.

    Parameters
    ----------
    histories : sequence of mapping
        What Keras measured after each epoch of several trainings, with validation.

    Returns
    -------
    DataFrame
        One row per rule: ``epoch`` (the median) and ``mean``, ``lowest``, ``highest`` accuracy in percent.

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
    """Draw the accuracy of several trainings over the epochs, and the epochs that each rule keeps.

    Parameters
    ----------
    histories : sequence of mapping
        As in `epoch_table`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Examples
    --------
    >>> ax = epoch_choice([{"val_loss": [2.0, 1.0, 3.0], "val_accuracy": [0.3, 0.4, 0.6]}])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['lowest loss', 'highest accuracy', 'last epoch']
    """
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
    seconds: Sequence[float],
    changed: Sequence[float],
    right: Sequence[float],
    chance: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many answers change, and how many are right, when clips are moved in time.

    Parameters
    ----------
    seconds : sequence of float
        How far the clips are moved.
    changed, right : sequence of float
        Shares of the clips (0…1).
    chance : float
        Share that a guess gets right.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Examples
    --------
    >>> shift_curve([0.0, 0.2], [0.0, 0.5], [0.4, 0.3], 0.125).lines[0].get_ydata().tolist()
    [0.0, 50.0]
    """
    ax = new_axes(ax, SIZE)
    ax.plot(seconds, 100 * np.asarray(changed), "s-", color=FLATTERING, label="answer changed")
    ax.plot(seconds, 100 * np.asarray(right), "o-", color=HONEST, label="answer right")
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="a guess")
    ax.set(xlabel="clips moved by (s): earlier – later", ylabel="test clips (%)", ylim=(0, 100))
    ax.legend(loc="upper center", ncols=3, columnspacing=1.0)
    return ax


def seed_scores(run: Run) -> list[float]:
    """Give the UAR (0…1) of each seed of a recorded run."""
    groups = run.predictions.groupby("seed")
    return [evaluation.uar(rows["label"], rows["predicted"]) for _, rows in groups]


def seeds(runs: Mapping[str, Run], chance: float, ax: Axes | None = None) -> Axes:
    """Draw a dot for each seed of recorded runs, over a bar for the interval over speakers.

    Parameters
    ----------
    runs : mapping of str to Run
        By the name that stands beside its row.
    chance : float
        UAR of guessing (0…1).
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    """
    ax = new_axes(ax, SIZE)
    for place, run in enumerate(runs.values()):
        whole = evaluation.interval(run)
        width = 100 * (whole.high - whole.low)
        bar = "95 % interval over speakers" if place == 0 else None
        ax.barh(place, width, 0.6, left=100 * whole.low, color="0.85", label=bar)
        scores = 100 * np.array(seed_scores(run))
        dot = "one seed" if place == 0 else None
        ax.plot(scores, np.full(len(scores), place), "o", color=HONEST, alpha=0.6, label=dot)
    ax.axvline(100 * chance, color=EDGE, linestyle=":", label="chance")
    ax.set_yticks(range(len(runs)), list(runs))
    ax.set(xlabel="UAR (%)", xlim=(0, 100))
    ax.invert_yaxis()
    ax.legend(loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=3, columnspacing=1.0, handletextpad=0.4)
    return ax

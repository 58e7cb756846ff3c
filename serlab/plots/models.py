"""Figures of models: learning curves, confusion, results with their intervals, answers over time."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from serlab import evaluation
from serlab.errors import EvaluationError
from serlab.evaluation.metrics import classes_of, count_confusions
from serlab.evaluation.values import check_columns
from serlab.plots.style import (
    EDGE,
    FLATTERING,
    GRID,
    HONEST,
    LOOKS,
    SIZE,
    emotion_palette,
    error_bars,
    name_rows,
    new_axes,
)

# Of curves that share a figure: six at most.
_CURVES = (
    ("#332288", "-"),
    ("#CC6677", "--"),
    ("#117733", "-."),
    ("#DDAA33", (0, (5, 1))),
    ("#88CCEE", (0, (1, 1))),
    ("#882255", (0, (3, 1, 1, 1))),
)


def learning_curves(
    history: Mapping[str, Sequence[float]], metric: str = "loss", ax: Axes | None = None
) -> Axes:
    """Draw a measure over the epochs of training, for training and validation data.

    `history` is what Keras gives as ``history.history``: one value per epoch under `metric` and, if there is
    validation data, ``"val_" + metric``. The best validation epoch is marked: the lowest loss, the highest of
    anything else.

    Examples
    --------
    >>> ax = learning_curves({"loss": [3, 2, 1], "val_loss": [3, 2.5, 2.8]})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['training', 'validation', 'best epoch: 2']
    """
    ax = new_axes(ax)
    for key, name, style in ((metric, "training", "--"), (f"val_{metric}", "validation", "-")):
        if key in history:
            values = np.asarray(history[key], float)
            ax.plot(np.arange(1, len(values) + 1), values, style, color=HONEST, label=name)
    if f"val_{metric}" in history:
        best = int(np.argmin(values) if "loss" in metric else np.argmax(values))
        ax.plot(best + 1, values[best], "o", color=FLATTERING, label=f"best epoch: {best + 1}")
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=metric)
    ax.legend()
    return ax


def bands(curves: Mapping[str, pd.DataFrame], ax: Axes | None = None, chance: float | None = None) -> Axes:
    """Draw scores by the share of labels, each with its interval as a band, and that of guessing.

    Each curve, by name, has ``percent``, ``value``, ``low`` and ``high`` (all but the first 0…1).

    Examples
    --------
    >>> curve = pd.DataFrame({"percent": [10, 100], "value": [0.4, 0.6], "low": [0.3, 0.5]})
    >>> ax = bands({"codes": curve.assign(high=[0.5, 0.7])}, chance=0.125)
    >>> ax.lines[0].get_ydata().tolist()
    [40.0, 60.0]
    """
    ax = new_axes(ax)
    for (name, curve), (colour, style) in zip(curves.items(), _CURVES, strict=False):
        percent = curve["percent"].to_numpy(float)
        value, low, high = (100 * curve[key].to_numpy(float) for key in ("value", "low", "high"))
        ax.fill_between(percent, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(percent, value, linestyle=style, color=colour, linewidth=1.6, label=name)
    if chance is not None:
        ax.axhline(100 * chance, color=EDGE, linestyle=":", linewidth=1)
    ax.set(xlabel="labels used (%)", ylabel="UAR (%)", xlim=(0, 100))
    ax.grid(axis="y")
    ax.legend()
    return ax


def confusion_matrix(labels: Sequence[str], predicted: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw which emotion was taken for which: rows are true, columns predicted.

    Colour is the share of the row, which sums to 100 %; the number in a cell is the count of clips.

    Examples
    --------
    >>> ax = confusion_matrix(["sad", "sad", "angry"], ["sad", "angry", "angry"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '1']
    """
    counts, classes = count_confusions(
        labels, predicted, list(emotion_palette(classes_of(labels, predicted)))
    )
    side = 1.6 + 0.55 * len(classes)
    ax = new_axes(ax, (side + 0.8, side))
    sns.heatmap(
        100 * (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)),
        annot=counts,
        fmt="d",
        cmap="Blues",
        vmin=0,
        vmax=100,
        square=True,
        linewidths=0.5,
        xticklabels=classes,
        yticklabels=classes,
        annot_kws={"fontsize": 8.5},
        cbar_kws={"label": "share of the true emotion (%)", "shrink": 0.8},
        ax=ax,
    )
    ax.set(xlabel="predicted", ylabel="true")
    ax.tick_params(axis="x", rotation=45, length=0)
    ax.tick_params(axis="y", rotation=0, length=0)
    return ax


def results(
    runs: pd.DataFrame, ax: Axes | None = None, chance: float | None = None, label: str = "title"
) -> Axes:
    """Draw the UAR of recorded runs with their intervals, and that of guessing.

    Filled marks are speaker-disjoint protocols; hollow ones are splits that share speakers. `runs` has rows
    of `serlab.runs.table`: ``protocol``, ``speaker_disjoint``, ``uar``, ``uar_low``, ``uar_high`` (0…1) and
    the column `label`, which names the rows of the figure, in order of appearance; runs with the same share a
    row.

    Examples
    --------
    >>> runs = pd.DataFrame({"title": ["tree", "tree"], "protocol": ["emobox6", "random5"],
    ...                      "speaker_disjoint": [True, False],
    ...                      "uar": [0.3, 0.4], "uar_low": [0.27, 0.37], "uar_high": [0.33, 0.44]})
    >>> [text.get_text() for text in results(runs, chance=0.125).get_legend().get_texts()]
    ['chance', 'speaker-disjoint (emobox6)', 'speakers shared (random5)']
    """
    check_columns(runs, label, "protocol", "speaker_disjoint", "uar", "uar_low", "uar_high", what="runs")
    titles = list(dict.fromkeys(runs[label]))
    ax = new_axes(ax, (7.0, 1.0 + 0.38 * len(titles)))
    # Honest ones first. A protocol is what its runs say: names tell nothing.
    disjoint = runs["speaker_disjoint"].astype(bool)
    protocols = sorted(dict.fromkeys(zip(~disjoint, runs["protocol"], strict=True)), key=lambda pair: pair[0])
    honest_markers, flattering_markers = cycle("os^P*"), cycle("DdvXp")
    for number, (flattering, protocol) in enumerate(protocols):
        shown = runs[(runs["protocol"] == protocol) & (disjoint != flattering)]
        offset = 0.22 * (number - (len(protocols) - 1) / 2)
        colour = FLATTERING if flattering else HONEST
        error_bars(
            ax,
            [titles.index(title) + offset for title in shown[label]],
            100 * shown[["uar", "uar_low", "uar_high"]],
            fmt=next(flattering_markers if flattering else honest_markers),
            color=colour,
            markerfacecolor="white" if flattering else colour,
            markersize=5,
            elinewidth=1.2,
            capsize=2.5,
            label=f"{'speakers shared' if flattering else 'speaker-disjoint'} ({protocol})",
        )
    line = None if chance is None else 100 * chance
    return name_rows(ax, titles, "UAR (%), with 95 % intervals over speakers", line, xlim=(0, 100))


def reliability(curves: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Draw curves of `serlab.evaluation.reliability`, by title: how often answers of a probability come true.

    A model that keeps its promises lies on the diagonal; below it, it promises too much.

    Examples
    --------
    >>> curve = pd.DataFrame({"probability": [0.4, 0.8], "frequency": [0.3, 0.9]})
    >>> reliability({"vote": curve}).lines[0].get_ydata().tolist()
    [30.0, 90.0]
    """
    ax = new_axes(ax, (4.4, 4.0))
    for (title, curve), (colour, line, marker) in zip(curves.items(), LOOKS, strict=False):
        x, y = 100 * curve["probability"], 100 * curve["frequency"]
        ax.plot(x, y, color=colour, linestyle=line, marker=marker, label=title)
    ax.plot([0, 100], [0, 100], color="0.6", linewidth=1, label="as promised")
    ax.set(xlabel="probability given (%)", ylabel="came true (%)", aspect="equal")
    ax.set(xlim=(0, 102), ylim=(0, 102))
    ax.legend(loc="upper left")
    return ax


def risk_curves(models: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Draw what share of the answers is wrong if only the surest are kept, for every share that is kept.

    Takes predictions by title, as `serlab.training.cross_validate` gives them, of three models at most. How
    sure an answer is, is its probability; a dot marks those above one half. Source: Geifman & El-Yaniv 2017.

    Examples
    --------
    >>> said = pd.DataFrame({"label": ["sad", "sad"], "predicted": ["sad", "calm"],
    ...                      "p_sad": [0.9, 0.4], "p_calm": [0.1, 0.6]})
    >>> risk_curves({"vote": said}).lines[0].get_ydata().tolist()
    [0.0, 50.0]
    """
    ax = new_axes(ax, SIZE)
    for (title, said), (colour, line, _) in zip(models.items(), LOOKS, strict=False):
        sure = said.filter(regex="^p_").max(axis=1)
        coverage, risk = evaluation.risk_coverage(said["label"] == said["predicted"], sure)
        ax.plot(100 * coverage, 100 * risk, color=colour, linestyle=line, label=title)
        if kept := int((sure > 0.5).sum()):
            ax.plot(100 * coverage[kept - 1], 100 * risk[kept - 1], "o", color=colour)
    ax.set(xlabel="answers kept, the surest first (%)", ylabel="wrong among them (%)", xlim=(0, 100))
    ax.set_ylim(0)
    ax.legend(loc="upper left")
    ax.grid()
    return ax


def timeline(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what a model hears in one recording, second by second: the darker, the more probable.

    The table is what ``serlab.predict(path, timeline=True)`` returns. A column for each window stands at its
    middle; a dot marks the answer, and where there is none, the model is not sure. Grey stretches are pauses.

    Examples
    --------
    >>> table = pd.DataFrame({"recording": "talk", "start": [0.0, 1], "end": [3.0, 4], "p_sad": [0.9, 0.5],
    ...                       "p_angry": [0.1, 0.5], "emotion": ["sad", "not sure"]})
    >>> [label.get_text() for label in timeline(table).get_yticklabels()]
    ['sad', 'angry']
    """
    check_columns(table, "recording", "start", "end", "emotion", what="answers")
    if (count := len(set(table["recording"]))) != 1:
        raise EvaluationError(
            f"A timeline is of one recording, and these are {count}: choose one by "
            'table[table["recording"] == name]'
        )
    columns = [name for name in table if name.startswith("p_")]
    classes = list(emotion_palette(name.removeprefix("p_") for name in columns))
    ax = new_axes(ax, (SIZE[0], 1.3 + 0.3 * len(classes)))
    ax.set_facecolor(GRID)
    middle = (table["start"] + table["end"]).to_numpy(float) / 2
    # Windows begin a second apart; the last one may follow sooner.
    first = middle - np.minimum(np.diff(middle, prepend=-np.inf), 1) / 2
    last = np.append(np.minimum(first[1:], middle[:-1] + 0.5), middle[-1] + 0.5)
    rows = np.arange(len(classes) + 1) - 0.5
    for start, end, p in zip(first, last, table[[f"p_{name}" for name in classes]].to_numpy(), strict=True):
        image = ax.pcolormesh([start, end], rows, p[:, None], cmap="Blues", vmin=0, vmax=1)
    ax.figure.colorbar(image, ax=ax, label="probability")
    sure = table["emotion"].isin(classes).to_numpy()
    ax.plot(
        middle[sure],
        [classes.index(name) for name in table["emotion"][sure]],
        "o",
        color=FLATTERING,
        markeredgecolor="white",
    )
    ax.set_yticks(range(len(classes)), classes)
    ax.set(xlabel="time (s)", ylim=(len(classes) - 0.5, -0.5), xlim=(0, table["end"].max()))
    return ax

"""Chapter 12: what a yes-or-no accuracy can hide, thresholds, and pictures of both."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.metrics import roc_auc_score, roc_curve

from serlab import evaluation, runs
from serlab.plots.style import EDGE, FLATTERING, HONEST, LOOKS, SIZE, name_rows, new_axes


def recorded(model: str, question: str | None = None) -> pd.DataFrame:
    """Read what "valence-<model>" answered, as recorded: to a yes-or-no question, or among three classes."""
    protocol = f"binary-{question[:3]}" if question else "ternary"
    return runs.read("unified", protocol, f"valence-{model}").predictions


def possible_uars(yes: int, no: int, right: int) -> np.ndarray:
    """Give every UAR that fits a reported accuracy: one for each number of yes clips that may be found.

    `yes` and `no` are the clips of each kind, `right` those answered correctly.

    Examples
    --------
    >>> possible_uars(yes=2, no=8, right=8).round(2).tolist()
    [0.5, 0.69, 0.88]
    """
    found = np.arange(max(0, right - no), min(yes, right) + 1)
    return (found / yes + (right - found) / no) / 2


def feasible(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the `possible_uars` of each row, ``yes``, ``no`` and ``right``, and its accuracy."""
    ax = new_axes(ax, (SIZE[0], 1.1 + 0.5 * len(counts)))
    for place, row in enumerate(counts.itertuples()):
        fitting = 100 * possible_uars(row.yes, row.no, row.right)
        labels = (None, None) if place else ("UAR that fits", "reported accuracy")
        ax.barh(place, np.ptp(fitting), 0.5, left=fitting.min(), color=HONEST, alpha=0.35, label=labels[0])
        ax.plot(fitting, np.full(len(fitting), place), "|", color=HONEST, markersize=9, markeredgewidth=0.7)
        accuracy = 100 * row.right / (row.yes + row.no)
        ax.plot(accuracy, place, "D", color=FLATTERING, markeredgecolor=EDGE, label=labels[1])
    return name_rows(ax, counts.index, "UAR, or accuracy (%)", 50, "dummy, by UAR", xlim=(45, 95))


def closely(is_so: np.ndarray, said_yes: np.ndarray) -> dict[str, float]:
    """Count what the answers to a yes-or-no question are worth, from what is true and what was answered.

    Gives the ``prevalence`` of yes, ``said yes``, yes clips ``found``, no clips ``spared``, ``accuracy``, the
    ``dummy``'s accuracy, ``UAR``.

    Examples
    --------
    >>> found = closely(np.array([True, False, False, False]), np.array([True, True, False, False]))
    >>> found["found"], round(found["spared"], 2), found["accuracy"], found["dummy"]
    (1.0, 0.67, 0.75, 0.75)
    """
    is_so, said_yes = np.asarray(is_so, bool), np.asarray(said_yes, bool)
    found, spared = said_yes[is_so].mean(), (~said_yes[~is_so]).mean()
    return {
        "prevalence": float(is_so.mean()),
        "said yes": float(said_yes.mean()),
        "found": float(found),
        "spared": float(spared),
        "accuracy": float((is_so == said_yes).mean()),
        "dummy": float(max(is_so.mean(), 1 - is_so.mean())),
        "UAR": float((found + spared) / 2),
    }


def auc(predictions: pd.DataFrame, name: str) -> evaluation.Interval:
    """Give how often a clip of a class is ranked above one of the rest, with its interval over speakers.

    Predictions are of a single seed, with ``speaker``, ``label`` and the probability ``p_<name>``.

    Examples
    --------
    >>> said = pd.DataFrame({"speaker": list("aabb"), "label": ["sad", "other"] * 2})
    >>> said["p_sad"] = [0.6, 0.5, 0.9, 0.8]
    >>> auc(said, "sad").value
    0.75
    """
    return evaluation.over_speakers(
        predictions, lambda rows: roc_auc_score(rows["label"] == name, rows[f"p_{name}"])
    )


def roc_plot(models: Mapping[str, pd.DataFrame], name: str, ax: Axes | None = None) -> Axes:
    """Draw ROC curves of predictions, by title, each with a mark where the decisions of the model lie."""
    ax = new_axes(ax, (SIZE[0], SIZE[0] * 0.72))
    for (title, said), (colour, style, marker) in zip(models.items(), LOOKS, strict=False):
        false, found, _ = roc_curve(said["label"] == name, said[f"p_{name}"])
        ax.plot(100 * false, 100 * found, linestyle=style, color=colour, linewidth=1.6)
        here = closely(said["label"] == name, said["predicted"] == name)
        look = {"color": colour, "markersize": 9, "markeredgecolor": EDGE, "linestyle": style, "label": title}
        ax.plot(100 - 100 * here["spared"], 100 * here["found"], marker, **look)
    ax.plot([0, 100], [0, 100], color=EDGE, linestyle=":", linewidth=1, label="a guesser")
    ax.set(xlabel="false alarms (% of no)", ylabel="found (% of yes)", xlim=(-2, 101), ylim=(-2, 101))
    ax.legend(loc="lower right")
    return ax


def uar_from(yes: np.ndarray, p: np.ndarray, line: float) -> float:
    """Give the UAR of saying yes from a probability on."""
    return float(np.mean(p[yes] >= line) + np.mean(p[~yes] < line)) / 2

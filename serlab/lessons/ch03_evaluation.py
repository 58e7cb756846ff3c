"""Chapter 3: whose voice the nearest clip has, a network watched epoch by epoch, and pictures of scores."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import evaluation
from serlab.evaluation import Interval
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, error_bars, name_rows, new_axes
from serlab.splits import Fold


def nearest_is_same_speaker(X: np.ndarray, table: pd.DataFrame, split: Iterable[Fold]) -> float:
    """Give the share of test clips whose nearest training clip, by their features, is by the same speaker.

    Features, (clips, features), are scaled in each fold as its training clips ask.

    Examples
    --------
    >>> X, table = np.array([[0.0], [0.1], [5.0], [5.1]]), pd.DataFrame({"speaker": list("aabb")})
    >>> folds = [Fold(np.array(train), np.array([]), np.array(test)) for train, test in [([0, 2], [1, 3])]]
    >>> nearest_is_same_speaker(X, table, folds)
    1.0
    """
    speakers, hits = table["speaker"].to_numpy(), []
    for fold in split:
        nearest = make_pipeline(StandardScaler(), KNeighborsClassifier(1))
        nearest.fit(X[fold.train], speakers[fold.train])
        hits.append(nearest.predict(X[fold.test]) == speakers[fold.test])
    return float(np.concatenate(hits).mean())


def train_and_watch(
    X: np.ndarray, table: pd.DataFrame, split: Iterable[Fold], epochs: int = 60
) -> pd.DataFrame:
    """Train a small network in each fold, and keep what it answers after every epoch.

    The split has validation rows. Gives one row per fold, epoch (from 1) and clip: ``fold``, ``epoch``,
    ``part`` ("validation" or "test"), ``clip``, ``speaker``, ``label``, ``predicted``.
    """
    emotions, parts = table["emotion"].to_numpy(), []
    for number, fold in enumerate(split):
        scaled = StandardScaler().fit(X[fold.train]).transform(X)
        network = MLPClassifier((64,), learning_rate_init=0.003, random_state=0)
        for epoch in range(1, epochs + 1):
            network.partial_fit(scaled[fold.train], emotions[fold.train], classes=np.unique(emotions))
            for part, rows in (("validation", fold.validation), ("test", fold.test)):
                answers = table.iloc[rows][["clip", "speaker"]].assign(label=emotions[rows])
                answers["predicted"] = network.predict(scaled[rows])
                parts.append(answers.assign(fold=number, epoch=epoch, part=part))
    return pd.concat(parts, ignore_index=True)


def history(watched: pd.DataFrame) -> pd.DataFrame:
    """Score what `train_and_watch` gives: UAR of ``test`` and ``validation``, a row per fold and epoch.

    Examples
    --------
    >>> watched = pd.DataFrame({"fold": 0, "epoch": 1, "part": ["test", "validation"], "label": "sad"})
    >>> history(watched.assign(predicted=["sad", "angry"])).loc[(0, 1)].to_dict()
    {'test': 1.0, 'validation': 0.0}
    """
    groups = watched.groupby(["fold", "epoch", "part"])[["label", "predicted"]]
    scores = groups.apply(lambda rows: evaluation.uar(rows["label"], rows["predicted"]))
    return pd.concat({part: scores.xs(part, level="part") for part in ("test", "validation")}, axis=1)


def epochs(history: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the test UAR of each fold over the epochs, and the epochs that test and validation choose."""
    ax = new_axes(ax, SIZE)
    marks = {"test": ("o", FLATTERING, "best on test"), "validation": ("X", HONEST, "chosen by validation")}
    for number, (_, fold) in enumerate(history.groupby(level="fold")):
        fold = fold.droplevel("fold")
        ax.plot(fold.index, 100 * fold["test"], color=EDGE, linewidth=0.8, alpha=0.6)
        for part, (marker, colour, name) in marks.items():
            chosen = fold[part].idxmax()
            look = {"color": colour, "markersize": 8, "linestyle": "", "label": None if number else name}
            ax.plot(chosen, 100 * fold.loc[chosen, "test"], marker, **look)
    ax.set(xlabel="epoch", ylabel="UAR on test speakers (%)")
    ax.legend(loc="lower right")
    return ax


def side_by_side(
    groups: Mapping[str, Mapping[str, pd.DataFrame]], chance: float, ax: Axes | None = None
) -> Axes:
    """Draw the UAR of several tests, each with its interval over speakers, from top to bottom.

    `groups` are two, what their tests have in common to predictions by name: hollow diamonds, then filled
    dots.
    """
    ax = new_axes(ax, SIZE)
    names: list[str] = []
    looks = [("D", FLATTERING, "white"), ("o", HONEST, HONEST)]
    for (title, tests), (marker, colour, face) in zip(groups.items(), looks, strict=True):
        found = [evaluation.interval(predictions) for predictions in tests.values()]
        look = {"fmt": marker, "color": colour, "markerfacecolor": face, "capsize": 3, "label": title}
        error_bars(ax, len(names) + np.arange(len(found)), 100 * np.array(found), **look)
        names += tests
    return name_rows(ax, names, "UAR (%)", 100 * chance, xlim=(0, 100))


def reported(scores: Sequence[float], everybody: Interval, ax: Axes | None = None) -> Axes:
    """Draw the UAR that many small tests of one model report, and that on all speakers."""
    ax = new_axes(ax, SIZE)
    sns.histplot(100 * np.asarray(scores), color=HONEST, alpha=0.5, ax=ax)
    ax.axvline(100 * everybody.value, color="black", label="all speakers")
    ax.set(xlabel="UAR that a small test reports (%)", ylabel="tests")
    ax.legend()
    return ax


def by_speaker(predictions: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the UAR of each speaker, lowest first, and that of all of them with its interval."""
    ax = new_axes(ax, SIZE)
    groups = predictions.groupby("speaker")[["label", "predicted"]]
    each = groups.apply(lambda rows: evaluation.uar(rows["label"], rows["predicted"])).sort_values()
    whole = evaluation.interval(predictions)
    ax.plot(each.index.astype(str), 100 * each.to_numpy(), "o", color=HONEST, label="one speaker")
    ax.axhline(100 * whole.value, color="black", linewidth=1, label="all speakers")
    band = {"color": "black", "alpha": 0.12, "linewidth": 0, "label": "95 % interval"}
    ax.axhspan(100 * whole.low, 100 * whole.high, **band)
    ax.set(xlabel="speaker", ylabel="UAR (%)")
    ax.tick_params(axis="x", rotation=90)
    ax.legend(loc="upper left")
    return ax

"""Chapter 5: features with plain names, and the pictures of what a tree looks at and how trees vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from serlab import evaluation
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, emotion_palette, new_axes

# A number of the summary vector, in the words that a listener would use for it.
PLAIN = {
    "rms_mean": "loudness (dB)",
    "rms_range": "loudness range (dB)",
    "f0_median": "pitch (semitones)",
    "f0_iqr": "pitch range (semitones)",
    "centroid_mean": "brightness (Hz)",
    "voiced_share": "voiced share",
    "syllables_per_second": "syllables per second",
    "speech_seconds": "seconds of speech",
}


def plain_features(X: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Pick from the summary vector the numbers that have a plain name.

    Parameters
    ----------
    X : ndarray, shape (clips, features)
        Of `serlab.features.Summary`.
    names : sequence of str
        Its `feature_names`.

    Returns
    -------
    DataFrame
        One column for each entry of `PLAIN`.

    Examples
    --------
    >>> plain_features(np.zeros((2, len(PLAIN))), list(PLAIN)).columns[0]
    'loudness (dB)'
    """
    places = [list(names).index(name) for name in PLAIN]
    return pd.DataFrame(X[:, places].astype(float), columns=list(PLAIN.values()))


def profile(few: pd.DataFrame, y: np.ndarray, ax: Axes | None = None) -> Axes:
    """Draw how each emotion stands out: its median of every feature, in deviations from the mean.

    Parameters
    ----------
    few : DataFrame
        One column for each feature.
    y : ndarray of str
        The emotion of each row.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Examples
    --------
    >>> few = pd.DataFrame({"loudness": [0.0, 2.0], "pitch": [5.0, 1.0]})
    >>> profile(few, np.array(["sad", "angry"])).collections[0].get_array().round(1).tolist()
    [[-0.7, 0.7], [0.7, -0.7]]
    """
    ax = new_axes(ax, (5.6, 4.0))
    medians = ((few - few.mean()) / few.std()).groupby(y).median().loc[list(emotion_palette(y))]
    look = {"center": 0, "cmap": "PuOr_r", "annot": True, "fmt": ".1f", "annot_kws": {"size": 8}}
    sns.heatmap(medians.T, **look, linewidths=0.5, cbar=False, ax=ax)
    ax.tick_params(length=0)
    ax.tick_params(axis="x", rotation=45)
    return ax


def where_it_looks(
    tree: DecisionTreeClassifier, picture: np.ndarray, depth: int = 5, ax: Axes | None = None
) -> Axes:
    """Draw on a spectrogram the pixels that a tree asks about.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        Fitted to spectrograms of the shape of `picture`, each laid out as one row.
    picture : ndarray, shape (bands, frames)
        A clip to draw them on.
    depth : int
        How many questions in a row to draw, from the top.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Examples
    --------
    >>> X = np.eye(4).reshape(4, 2, 2)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X.reshape(4, -1), list("abcd"))
    >>> len(where_it_looks(tree, X[0]).collections[0].get_offsets())
    3
    """
    ax = new_axes(ax, SIZE)
    nodes, level = [], [0]
    for _ in range(depth):
        level = [node for node in level if tree.tree_.feature[node] >= 0]  # a leaf asks nothing
        nodes += level
        level = [
            child[node] for node in level for child in (tree.tree_.children_left, tree.tree_.children_right)
        ]
    bands, frames = np.unravel_index(tree.tree_.feature[nodes], picture.shape)
    ax.imshow(np.sqrt(picture), origin="lower", aspect="auto", cmap="magma")
    ax.scatter(frames, bands, s=36, facecolor="none", edgecolor="cyan", linewidth=1.5)
    ax.set(xlabel="frame", ylabel="mel band")
    return ax


def depth_curve(scores: pd.DataFrame, chance: float, ax: Axes | None = None) -> Axes:
    """Draw the UAR of trees of several depths, on each of the sets they were measured on.

    Parameters
    ----------
    scores : DataFrame
        Columns ``depth``, ``clips`` (the name of the set) and ``uar`` (0…1), one row per tree and set.
    chance : float
        UAR of guessing (0…1).
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Examples
    --------
    >>> scores = pd.DataFrame({"depth": [1, 2], "clips": ["test", "test"], "uar": [0.2, 0.3]})
    >>> depth_curve(scores, 0.125).lines[0].get_ydata().tolist()
    [20.0, 30.0]
    """
    ax = new_axes(ax, SIZE)
    shown = scores.assign(uar=100 * scores["uar"])
    palette = [FLATTERING, HONEST, "#117733"][: shown["clips"].nunique()]
    sns.lineplot(
        shown,
        x="depth",
        y="uar",
        hue="clips",
        style="clips",
        markers=True,
        palette=palette,
        errorbar=None,
        ax=ax,
    )
    depths = sorted(shown["depth"].unique())
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="chance")
    ax.set(xlabel="most questions in a row (depth)", ylabel="UAR (%)", xscale="log", ylim=(0, 102))
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.minorticks_off()
    ax.legend(frameon=False)
    return ax


def votes(forest: RandomForestClassifier, X: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Score every tree of a forest alone, and the vote of the first one, two, three and so on.

    Returns
    -------
    DataFrame
        One row per tree: ``trees`` (how many vote), ``alone`` and ``together``, UAR from 0 to 1.

    Examples
    --------
    >>> X, y = np.arange(12.0)[:, None], np.repeat(["low", "high"], 6)
    >>> votes(RandomForestClassifier(3, random_state=0).fit(X, y), X, y).columns.tolist()
    ['trees', 'alone', 'together']
    """
    shares = np.array([tree.predict_proba(X) for tree in forest.estimators_])
    alone = [evaluation.uar(y, forest.classes_[share.argmax(axis=1)]) for share in shares]
    sums = shares.cumsum(axis=0)
    together = [evaluation.uar(y, forest.classes_[share.argmax(axis=1)]) for share in sums]
    return pd.DataFrame({"trees": range(1, len(shares) + 1), "alone": alone, "together": together})


def vote_curve(scores: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what `votes` found: a dot for each tree alone, a line for the vote.

    Examples
    --------
    >>> scores = pd.DataFrame({"trees": [1, 2], "alone": [0.3, 0.2], "together": [0.3, 0.4]})
    >>> vote_curve(scores).lines[0].get_ydata().tolist()
    [30.0, 40.0]
    """
    ax = new_axes(ax, SIZE)
    ax.plot(scores["trees"], 100 * scores["together"], color=HONEST, label="the first trees together")
    ax.scatter(scores["trees"], 100 * scores["alone"], s=12, color=FLATTERING, label="each tree alone")
    ax.set(xlabel="trees that vote", ylabel="UAR (%)", ylim=(0, None))
    ax.legend(frameon=False)
    return ax

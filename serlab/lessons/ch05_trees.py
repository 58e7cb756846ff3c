"""Chapter 5: features with plain names, and the pictures of what a tree looks at and how trees vote."""

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
    """Pick the numbers of `serlab.features.Summary`, (clips, features), that have a name in `PLAIN`."""
    places = [list(names).index(name) for name in PLAIN]
    return pd.DataFrame(X[:, places].astype(float), columns=list(PLAIN.values()))


def profile(few: pd.DataFrame, y: np.ndarray, ax: Axes | None = None) -> Axes:
    """Draw how each emotion stands out: its median of every feature (column), in deviations from the mean."""
    ax = new_axes(ax, (5.6, 4.0))
    medians = ((few - few.mean()) / few.std()).groupby(y).median().loc[list(emotion_palette(y))]
    # Adding zero takes the minus from what is rounded to zero.
    numbers = {"annot": medians.T.round(1) + 0.0, "fmt": ".1f", "annot_kws": {"size": 8}}
    sns.heatmap(medians.T, **numbers, center=0, cmap="PuOr_r", linewidths=0.5, cbar=False, ax=ax)
    ax.tick_params(length=0)
    ax.tick_params(axis="x", rotation=45)
    return ax


def where_it_looks(
    tree: DecisionTreeClassifier, picture: np.ndarray, depth: int = 5, ax: Axes | None = None
) -> Axes:
    """Draw on a spectrogram, (bands, frames), the pixels that the first questions of a tree are about.

    The tree was fitted to spectrograms of that shape, laid flat; `depth` is how many questions in a row.
    """
    ax = new_axes(ax, SIZE)
    asked, nodes, level = tree.tree_, [], [0]
    for _ in range(depth):
        level = [node for node in level if asked.feature[node] >= 0]  # a leaf asks nothing
        nodes += level
        level = [child[node] for node in level for child in (asked.children_left, asked.children_right)]
    bands, frames = np.unravel_index(asked.feature[nodes], picture.shape)
    ax.imshow(np.sqrt(picture), origin="lower", aspect="auto", cmap="magma")
    ax.scatter(frames, bands, s=36, facecolor="none", edgecolor="cyan", linewidth=1.5)
    ax.set(xlabel="frame", ylabel="mel band")
    return ax


def depth_curve(scores: pd.DataFrame, chance: float, ax: Axes | None = None) -> Axes:
    """Draw ``uar`` of trees over their ``depth``, a line for each set of ``clips``."""
    ax = new_axes(ax, SIZE)
    shown = scores.assign(uar=100 * scores["uar"])
    palette = [FLATTERING, HONEST, "#117733"][: shown["clips"].nunique()]
    look = {"hue": "clips", "style": "clips", "markers": True, "palette": palette, "errorbar": None}
    sns.lineplot(shown, x="depth", y="uar", **look, ax=ax)
    depths = sorted(shown["depth"].unique())
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="chance")
    ax.set(xlabel="most questions in a row (depth)", ylabel="UAR (%)", xscale="log", ylim=(0, 102))
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.minorticks_off()
    ax.legend(frameon=False)
    return ax


def votes(forest: RandomForestClassifier, X: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Score every tree of a forest alone, and the vote of the first one, two, three and so on.

    Gives ``trees`` (how many vote), and the UAR ``alone`` and ``together``.
    """
    shares = np.array([tree.predict_proba(X) for tree in forest.estimators_])
    alone = [evaluation.uar(y, forest.classes_[share.argmax(axis=1)]) for share in shares]
    sums = shares.cumsum(axis=0)
    together = [evaluation.uar(y, forest.classes_[share.argmax(axis=1)]) for share in sums]
    return pd.DataFrame({"trees": range(1, len(shares) + 1), "alone": alone, "together": together})


def vote_curve(scores: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what `votes` found: a dot for each tree alone, a line for the vote."""
    ax = new_axes(ax, SIZE)
    ax.plot(scores["trees"], 100 * scores["together"], color=HONEST, label="the first trees together")
    ax.scatter(scores["trees"], 100 * scores["alone"], s=12, color=FLATTERING, label="each tree alone")
    ax.set(xlabel="trees that vote", ylabel="UAR (%)", ylim=(0, None))
    ax.legend(frameon=False)
    return ax

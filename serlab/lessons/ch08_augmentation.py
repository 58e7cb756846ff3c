"""Chapter 8: moved clips, steady answers, nearest clips, and pictures of gains and of the ladder."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.neighbors import NearestNeighbors

from serlab.lessons import ch06_ann
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, emotion_palette, name_rows, new_axes, panels
from serlab.splits import Fold


def grid(pictures: Mapping[str, np.ndarray], seconds: float, columns: int = 2) -> np.ndarray:
    """Draw spectrograms in dB, (bands, frames) by title, of so many seconds, on the scale of the first."""
    axes = panels(pictures, columns, (0.5, 1.45), "time (s)", "mel band", sharex=True, sharey=True)
    top = float(next(iter(pictures.values())).max())
    look = {"origin": "lower", "aspect": "auto", "cmap": "magma", "vmin": top - 70, "vmax": top}
    for one, picture in zip(axes.flat, pictures.values(), strict=False):
        image = one.imshow(picture, extent=(0, seconds, 0, len(picture)), **look)
        one.title.set_fontsize(9.5)
    used = axes.flat[: len(pictures)]
    used[0].figure.colorbar(image, ax=used, label="level (dB)", shrink=0.5, aspect=30, pad=0.01)
    return axes


def pitch_range(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how far apart the pitch of speakers lies, and that of emotions within a speaker.

    Takes ``speaker``, ``gender``, ``emotion`` and ``pitch`` (in semitones) of every clip.
    """
    ax = new_axes(ax, SIZE)
    ax.axvspan(-3, 3, color="0.9", zorder=0, label="3 semitones down or up")
    rows = []
    for gender, part in table.groupby("gender", observed=True):
        means = part.groupby("speaker", observed=True)["pitch"].mean()
        ax.plot(means - means.mean(), np.full(len(means), len(rows)), "o", color=HONEST, alpha=0.7)
        rows.append({"female": "women", "male": "men"}.get(gender, gender))
    moves = own_moves(table)
    palette = emotion_palette(moves.index)
    for emotion, value in moves.items():
        ax.plot(value, len(rows), "s", color=palette[emotion], markeredgecolor=EDGE, markersize=9)
        rows.append(emotion)
    return name_rows(ax, rows, "pitch (semitones from the middle)", 0, None)


def own_moves(table: pd.DataFrame) -> pd.Series:
    """Give how far each emotion lies above its speaker's own mean pitch, lowest first."""
    means = table.groupby("speaker", observed=True)["pitch"].transform("mean")
    return (table["pitch"] - means).groupby(table["emotion"].astype(str)).mean().sort_values()


def move(pictures: np.ndarray, frames: int = 0, bands: int = 0) -> np.ndarray:
    """Move all spectrograms alike: later by `frames`, up by `bands`, the other way if negative.

    Silence (the least value) comes in at the ends, the outermost band is repeated.

    Examples
    --------
    >>> pictures = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> move(pictures, frames=1).tolist(), move(pictures, bands=1).tolist()
    ([[[1.0, 1.0], [1.0, 3.0]]], [[[1.0, 2.0], [1.0, 2.0]]])
    """
    pictures = ch06_ann.move(pictures, frames, np.min(pictures, axis=(1, 2), keepdims=True))
    places = np.arange(pictures.shape[1]) - bands
    return pictures[:, places.clip(0, pictures.shape[1] - 1)]


def steadiness(shares: pd.DataFrame, xlabel: str, ax: Axes | None = None) -> Axes:
    """Draw the share of answers that stay by how much clips are changed (index): a column per network."""
    ax = new_axes(ax, SIZE)
    looks = [("s--", FLATTERING), ("o-", HONEST)]
    for (name, share), (line, colour) in zip(shares.items(), looks, strict=False):
        ax.plot(shares.index, 100 * share, line, color=colour, label=name, markersize=5)
    ax.set(xlabel=xlabel, ylim=(0, 104))
    return ax


def gains(found: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw differences of `serlab.evaluation.compare_all`; a mark is hollow where the interval holds zero."""
    ax = new_axes(ax, (SIZE[0], 0.9 + 0.45 * len(found)))
    for place, (value, low, high) in enumerate(100 * found[["difference", "low", "high"]].to_numpy()):
        face = HONEST if low > 0 or high < 0 else "white"
        ax.plot([low, high], [place, place], color=HONEST)
        ax.plot(value, place, "o", color=HONEST, markerfacecolor=face, markersize=8)
    return name_rows(ax, found.index, "points of UAR, with 95 % interval", 0, None)


def nearest(pictures: np.ndarray, train: Sequence[int], test: Sequence[int]) -> np.ndarray:
    """Give for each test row the training row whose picture, (rows, ...), is most like it."""
    flat, train = np.asarray(pictures).reshape(len(pictures), -1), np.asarray(train)
    searched = NearestNeighbors(n_neighbors=1).fit(flat[train])
    return train[searched.kneighbors(flat[test], return_distance=False)[:, 0]]


def with_copies(fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Give training and test rows where row 2n is clip n, and row 2n + 1 its copy, which is never tested."""
    return np.concatenate([2 * fold.train, 2 * fold.train + 1]), 2 * fold.test


def ladder(steps: pd.DataFrame, chance: float, ax: Axes | None = None) -> Axes:
    """Draw what an original notebook reported for its models, what they reach when tested soundly, and ours.

    One row per step: ``reported`` (accuracy), ``original`` and ``ours`` (UAR), in percent; NaN for none.
    """
    ax = new_axes(ax, (SIZE[0], 1.2 + 0.4 * len(steps)))
    looks = {
        "reported": ("x", FLATTERING, "reported"),
        "original": ("s", FLATTERING, "the same, new speakers"),
        "ours": ("o", HONEST, "ours, new speakers"),
    }
    for column, (marker, colour, label) in looks.items():
        face = "white" if column == "original" else colour
        look = {"color": colour, "markerfacecolor": face, "markersize": 8, "linestyle": "", "label": label}
        ax.plot(steps[column], range(len(steps)), marker, **look)
    return name_rows(ax, steps.index, "accuracy (×) or UAR (%)", 100 * chance, "guess", 2, xlim=(0, 100))

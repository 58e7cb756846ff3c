"""Chapters 7 and 7b: what a convolution finds, what passes a network, and what its answers hang on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab.backend import keras
from serlab.plots import new_axes
from serlab.plots.style import EDGE, HONEST, OTHER_COLOUR, emotion_palette

FRAME = 0.02  # seconds from one frame of our spectrograms to the next
WIDTH = 5.6  # inches of a figure; legible on a phone


def _row(pictures: int, height: float, ax: Axes | None, rows: int = 1) -> np.ndarray:
    """Give axes side by side: in a new figure, or inside the axes that are given."""
    if ax is None:
        return plt.subplots(rows, pictures, figsize=(WIDTH, height), squeeze=False)[1]
    ax.axis("off")
    place = ax.get_subplotspec()
    grid = ax.figure.add_gridspec(rows, pictures) if place is None else place.subgridspec(rows, pictures)
    return grid.subplots(squeeze=False)


def spectrograms(
    pictures: Mapping[str, np.ndarray],
    frame: float | None = FRAME,
    columns: int = 2,
    ax: Axes | None = None,
) -> np.ndarray:
    """Draw spectrograms or feature maps beside each other, each with its own scale of brightness.

    Parameters
    ----------
    pictures : mapping of str to ndarray, shape (bands, frames)
        By title.
    frame : float or None
        Seconds from one frame to the next in the widest picture, of which the others are maps and span the
        same time; None counts the frames of each picture instead.
    columns : int
        How many stand in a row.
    ax : matplotlib Axes, optional
        Whose place to take; a new figure if not given.

    Returns
    -------
    ndarray of Axes
        Of shape (rows, columns).

    Examples
    --------
    >>> spectrograms({"a clip": np.eye(4), "its map": np.eye(2)}).shape
    (1, 2)
    """
    rows = -(-len(pictures) // columns)
    axes = _row(columns, 0.5 + 1.6 * rows, ax, rows)
    seconds = (frame or 0) * max(picture.shape[1] for picture in pictures.values())
    for one, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        extent = (0, seconds if frame else picture.shape[1], 0, len(picture))
        high = np.quantile(picture, 0.998)
        one.imshow(picture, origin="lower", aspect="auto", extent=extent, cmap="magma", vmax=high)
        one.set(title=title, yticks=[])
    for one in axes.flat[len(pictures) :]:
        one.remove()
    for one in axes[:, 0]:
        one.set_ylabel("low – high")
    for one in axes[-1]:
        one.set_xlabel("time (s)" if frame else "frame")
    return axes


def kernels(rows: Mapping[str, Sequence[np.ndarray]], ax: Axes | None = None) -> np.ndarray:
    """Draw kernels as small squares: red is plus, blue is minus, white is zero.

    Parameters
    ----------
    rows : mapping of str to sequence of ndarray, shape (bands, frames)
        By the name of their row.
    ax : matplotlib Axes, optional
        Whose place to take; a new figure if not given.

    Examples
    --------
    >>> kernels({"A": [np.eye(3), -np.eye(3)], "B": [np.eye(3)]}).shape
    (2, 2)
    """
    most = max(map(len, rows.values()))
    axes = _row(most, 0.1 + 0.95 * WIDTH / most * len(rows), ax, len(rows))
    for line, (name, members) in zip(axes, rows.items(), strict=True):
        for one, kernel in zip(line, members, strict=False):
            limit = np.abs(kernel).max()
            one.imshow(kernel, origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit)
        for one in line:
            one.set(xticks=[], yticks=[])
        for one in line[len(members) :]:
            one.axis("off")
        line[0].set_ylabel(name)
    return axes


def path(network: keras.Model) -> pd.DataFrame:
    """Follow a clip through a network: what each layer gives, costs and sees.

    Returns
    -------
    DataFrame
        One row per layer that computes something: ``gives`` (shape), ``parameters``, ``products``
        (multiplications for one clip) and ``frames`` (receptive field along time; of a dense layer, none).

    Examples
    --------
    >>> from serlab.models.architectures import original_cnn
    >>> path(original_cnn(np.zeros((1, 128, 147)), np.zeros((1, 8))))["frames"].tolist()[:4]
    [3, 4, 8, 10]
    """
    rows, frames, step = [], 1, 1
    for layer in network.layers:
        kernel = getattr(layer, "kernel_size", None)
        size = kernel or getattr(layer, "pool_size", None)
        dense = isinstance(layer, keras.layers.Dense)
        if size is None and not dense:
            continue
        shape, products = layer.output.shape[1:], 0
        if dense:
            products = int(np.prod(layer.kernel.shape))
        else:
            frames, step = frames + (size[1] - 1) * step, step * layer.strides[1]
            if kernel:
                products = int(np.prod(shape[:2])) * int(np.prod(layer.kernel.shape))
        name = "dense" if dense else "convolution" if kernel else "pooling"
        gives = " × ".join(map(str, shape))
        rows.append((name, gives, layer.count_params(), products, 0 if dense else frames))
    return pd.DataFrame(rows, columns=["layer", "gives", "parameters", "products", "frames"])


def recalls(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the recall of each emotion, one marker per model.

    Parameters
    ----------
    table : DataFrame
        Recalls (0…1), one row per emotion, one column per model.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Examples
    --------
    >>> ax = recalls(pd.DataFrame({"ours": [0.5, 0.2], "dense": [0.4, 0.3]}, index=["sad", "angry"]))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['sad', 'angry']
    """
    ax = new_axes(ax, (WIDTH, 0.9 + 0.33 * len(table)))
    for (name, scores), marker, colour in zip(
        table.items(), "oDs^", (HONEST, "#CC6677", "#117733", OTHER_COLOUR), strict=False
    ):
        fill = colour if marker == "o" else "white"
        ax.plot(100 * scores, range(len(table)), marker, color=colour, markerfacecolor=fill, label=name)
    ax.axvline(100 / len(table), color=EDGE, linestyle=":")
    ax.set_yticks(range(len(table)), table.index)
    ax.set(xlabel="recall (%)", xlim=(0, 100))
    ax.grid(axis="y")
    ax.invert_yaxis()
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, columnspacing=1.0, handletextpad=0.2)
    return ax


def occlude(
    score: Callable[[np.ndarray], np.ndarray], pictures: np.ndarray, bands: int = 8, frames: int = 23
) -> np.ndarray:
    """Measure how far a score falls when a patch of the picture is hidden, patch by patch.

    Parameters
    ----------
    score : callable
        Takes pictures, gives one number for each.
    pictures : ndarray, shape (clips, bands, frames)
        Standardised, so that zero is the average.
    bands, frames : int
        Size of the patch.

    Returns
    -------
    ndarray
        Falls of shape (clips, patches in frequency, patches in time); negative where the score rises.

    Examples
    --------
    >>> occlude(lambda X: X[:, 0, 0], np.ones((1, 4, 6)), bands=2, frames=3).tolist()
    [[[1.0, 0.0], [0.0, 0.0]]]
    """
    whole = score(pictures)
    falls = np.zeros((len(pictures), pictures.shape[1] // bands, pictures.shape[2] // frames))
    for low, early in np.ndindex(falls.shape[1:]):
        hidden = pictures.copy()
        hidden[:, low * bands : (low + 1) * bands, early * frames : (early + 1) * frames] = 0
        falls[:, low, early] = whole - score(hidden)
    return falls


def mean_maps(falls: np.ndarray, labels: Sequence[str]) -> dict[str, np.ndarray]:
    """Average the maps of the clips of each emotion, in the order of the book's colours.

    Examples
    --------
    >>> {k: v.tolist() for k, v in mean_maps(np.array([[[1.0]], [[3.0]]]), ["sad", "sad"]).items()}
    {'sad': [[2.0]]}
    """
    labels = np.asarray(labels)
    return {emotion: falls[labels == emotion].mean(axis=0) for emotion in emotion_palette(labels)}


def occlusion_maps(
    maps: Mapping[str, np.ndarray], seconds: float, columns: int = 4, ax: Axes | None = None
) -> np.ndarray:
    """Draw how far a score falls where a patch is hidden: red where it falls, blue where it rises.

    Parameters
    ----------
    maps : mapping of str to ndarray, shape (patches in frequency, patches in time)
        Falls of a probability, by title.
    seconds : float
        How much time a map spans.
    columns : int
        How many stand in a row.
    ax : matplotlib Axes, optional
        Whose place to take; a new figure if not given.

    Examples
    --------
    >>> occlusion_maps({"sad": np.eye(2), "angry": -np.eye(2)}, 3.2).shape
    (1, 4)
    """
    rows = -(-len(maps) // columns)
    axes = _row(columns, 0.7 + 1.3 * rows, ax, rows)
    limit = 100 * max(np.abs(one).max() for one in maps.values())
    look = {"origin": "lower", "aspect": "auto", "cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    for one, (title, falls) in zip(axes.flat, maps.items(), strict=False):
        image = one.imshow(100 * falls, extent=(0, seconds, 0, 1), **look)
        one.set(title=title, yticks=[])
    used = list(axes.flat[: len(maps)])
    for one in axes.flat[len(maps) :]:
        one.remove()
    for one in axes[-1]:
        one.set_xlabel("time (s)")
    for one in axes[:, 0]:
        one.set_ylabel("low – high")
    used[0].figure.colorbar(image, ax=used, location="bottom", aspect=40, label="fall (points)")
    return axes


def halves_agree(falls: np.ndarray, labels: Sequence[str], speakers: Sequence[str]) -> dict[str, float]:
    """Correlate each emotion's mean map of one half of the speakers with that of the other half.

    Examples
    --------
    >>> falls = np.array([[[1.0, 2.0]], [[2.0, 5.0]]])
    >>> round(halves_agree(falls, ["sad", "sad"], ["a", "b"])["sad"], 6)
    1.0
    """
    speakers = np.asarray(speakers)
    half = np.isin(speakers, sorted(set(speakers))[::2])
    first, second = (mean_maps(falls[part], np.asarray(labels)[part]) for part in (half, ~half))
    both = [emotion for emotion in first if emotion in second]
    return {e: float(np.corrcoef(first[e].ravel(), second[e].ravel())[0, 1]) for e in both}

"""Chapters 7 and 7b: what a convolution finds, what passes a network, and what its answers hang on."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab.backend import keras
from serlab.plots.style import HONEST, OTHER_COLOUR, emotion_palette, name_rows, new_axes, panels

FRAME = 0.02  # seconds from one frame of our spectrograms to the next
WIDTH = 5.6  # inches of a figure; legible on a phone


def spectrograms(pictures: Mapping[str, np.ndarray], frame: float | None = FRAME) -> np.ndarray:
    """Draw spectrograms or feature maps, (bands, frames) by title, in rows of two, each on its own scale.

    `frame` is the time from one frame to the next, in seconds, of the widest picture: the others are its maps
    and span the same time. None counts the frames of each instead.
    """
    axes = panels(pictures, 2, (0.5, 1.6), "time (s)" if frame else "frame", "low – high")
    seconds = (frame or 0) * max(picture.shape[1] for picture in pictures.values())
    for one, picture in zip(axes.flat, pictures.values(), strict=False):
        extent = (0, seconds if frame else picture.shape[1], 0, len(picture))
        high = np.quantile(picture, 0.998)
        one.imshow(picture, origin="lower", aspect="auto", extent=extent, cmap="magma", vmax=high)
        one.set(yticks=[])
    return axes


def kernels(rows: Mapping[str, Sequence[np.ndarray]]) -> np.ndarray:
    """Draw rows of kernels, (bands, frames), as small squares: red is plus, blue is minus, white is zero."""
    most = max(map(len, rows.values()))
    size = (WIDTH, 0.1 + 0.95 * WIDTH / most * len(rows))
    axes = plt.subplots(len(rows), most, figsize=size, squeeze=False)[1]
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
    """Draw the recall of each emotion (row), one marker per model (column)."""
    ax = new_axes(ax, (WIDTH, 0.9 + 0.33 * len(table)))
    colours = (HONEST, "#CC6677", "#117733", OTHER_COLOUR)
    for (name, scores), marker, colour in zip(table.items(), "oDs^", colours, strict=False):
        fill = colour if marker == "o" else "white"
        ax.plot(100 * scores, range(len(table)), marker, color=colour, markerfacecolor=fill, label=name)
    ax.grid(axis="y")
    return name_rows(ax, table.index, "recall (%)", 100 / len(table), None, 4, xlim=(0, 100))


def occlude(
    score: Callable[[np.ndarray], np.ndarray], pictures: np.ndarray, bands: int = 8, frames: int = 23
) -> np.ndarray:
    """Measure how far a score falls when a patch of so many bands and frames is hidden, patch by patch.

    `score` gives one number for each of several standardised pictures, (clips, bands, frames), in which zero
    is the average. Gives falls, (clips, patches in frequency, patches in time), negative where the score
    rises.

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


def occlusion_maps(maps: Mapping[str, np.ndarray], seconds: float) -> np.ndarray:
    """Draw maps of falls of a probability, by title, each over so many seconds: red where it falls."""
    axes = panels(maps, 4, (0.7, 1.3), "time (s)", "low – high")
    limit = 100 * max(np.abs(one).max() for one in maps.values())
    look = {"origin": "lower", "aspect": "auto", "cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    for one, falls in zip(axes.flat, maps.values(), strict=False):
        image = one.imshow(100 * falls, extent=(0, seconds, 0, 1), **look)
        one.set(yticks=[])
    used = list(axes.flat[: len(maps)])
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

"""What the figures of the book share: one colour per emotion, a white page, fonts."""

from collections.abc import Collection, Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

# Paul Tol's "muted" scheme with its grey: any two stay distinct for the three kinds of colour blindness
# (a test simulates them). https://personal.sron.nl/~pault/
EMOTION_COLOURS = {
    "neutral": "#BBBBBB",
    "calm": "#88CCEE",
    "happy": "#DDCC77",
    "sad": "#332288",
    "angry": "#882255",
    "fearful": "#AA4499",
    "disgust": "#117733",
    "surprised": "#CC6677",
    "bored": "#999933",
}
OTHER_COLOUR = "#44AA99"
INK, EDGE, GRID = "#222222", "#444444", "#DDDDDD"
HONEST, FLATTERING = "#332288", "#CC6677"
# Of models that share a figure, three at most: colour, line, marker.
LOOKS = ((HONEST, "-", "o"), (FLATTERING, "--", "D"), ("#117733", "-.", "s"))
# Inches of a figure in a lesson: legible on a phone.
SIZE = (5.6, 3.1)


def set_style() -> None:
    """Set size, fonts and the white page for all figures that follow, as in every chapter of the book.

    Examples
    --------
    >>> set_style()
    >>> plt.rcParams["figure.facecolor"]
    'white'
    """
    settings = {
        "figure.figsize": (7.0, 3.0),
        "figure.dpi": 100,
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "white",
        "savefig.pad_inches": 0.15,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": GRID,
        "axes.titlesize": 10,
        "axes.labelsize": 9.5,
        "legend.frameon": False,
    }
    small = ("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "legend.title_fontsize")
    settings |= dict.fromkeys(small, 8.5)
    settings |= dict.fromkeys(("text.color", "axes.labelcolor"), INK)
    settings |= dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), EDGE)
    sns.set_theme(context="notebook", style="ticks", rc=settings)


def emotion_palette(emotions: Iterable[str]) -> dict[str, str]:
    """Return the fixed colour of each emotion, in the order of `EMOTION_COLOURS`, others after them.

    Labels may be repeated; those that the book does not know share one spare colour.

    Examples
    --------
    >>> emotion_palette(["sad", "calm", "sad", "proud"])
    {'calm': '#88CCEE', 'sad': '#332288', 'proud': '#44AA99'}
    """
    present = set(emotions)
    known = {emotion: colour for emotion, colour in EMOTION_COLOURS.items() if emotion in present}
    return known | dict.fromkeys(sorted(present - set(known)), OTHER_COLOUR)


def new_axes(ax: Axes | None, size: tuple[float, float] | None = None) -> Axes:
    """Return the axes that are given, or those of a new figure of that size in inches."""
    return plt.subplots(figsize=size)[1] if ax is None else ax


def error_bars(ax: Axes, places: Sequence[float], found, upright: bool = False, **look) -> None:
    """Draw values with their intervals, rows of value, low and high, at places down (or along) an axis.

    Examples
    --------
    >>> ax = new_axes(None)
    >>> error_bars(ax, [0, 1], [(50, 40, 70), (60, 50, 70)])
    >>> ax.lines[0].get_xdata().tolist()
    [50.0, 60.0]
    """
    value, low, high = np.asarray(found, float).T
    reach = [value - low, high - value]
    if upright:
        ax.errorbar(places, value, yerr=reach, **look)
    else:
        ax.errorbar(value, places, xerr=reach, **look)


def name_rows(
    ax: Axes,
    names: Iterable[str],
    xlabel: str,
    line: float | None = None,
    label: str = "chance",
    ncols: int = 3,
    xlim: tuple[float | None, float | None] | None = None,
) -> Axes:
    """Name rows from top to bottom, mark a value such as that of guessing, and lay the legend above.

    Examples
    --------
    >>> ax = name_rows(new_axes(None), ["tree", "forest"], "UAR (%)", line=12.5, xlim=(0, 100))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['tree', 'forest']
    """
    if line is not None:
        ax.axvline(line, color=EDGE, linestyle=":", label=label)
    names = list(names)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=xlabel, xlim=xlim, ylim=(len(names) - 0.5, -0.5))
    ax.grid(axis="x")
    if ax.get_legend_handles_labels()[0]:
        place = {"loc": "lower center", "bbox_to_anchor": (0.4, 1.0), "ncols": ncols}
        ax.legend(**place, columnspacing=1.0, handletextpad=0.4)
    return ax


def panels(titles: Collection[str], columns: int, height: tuple, xlabel: str, ylabel: str, **share: bool):
    """Return axes (rows, columns), one for each title, labelled at the rim; inches in all and per row."""
    rows = -(-len(titles) // columns)
    size = (SIZE[0], height[0] + height[1] * rows)
    axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **share)[1]
    for ax, title in zip(axes.flat, titles, strict=False):
        ax.set_title(title)
    for ax in axes.flat[len(titles) :]:
        ax.remove()
    for ax in axes[-1]:
        ax.set_xlabel(xlabel)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    return axes

"""Figures of a corpus: durations, and any value by emotion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from serlab.plots.style import HONEST, INK, emotion_palette, new_axes

_MOST_LABELS = 30


def durations(
    table: pd.DataFrame,
    by: str = "speaker",
    kind: str = "box",
    ax: Axes | None = None,
    hue: str | None = None,
) -> Axes:
    """Draw how long the clips are, per speaker or per sentence.

    `by` is the column that groups the clips; where it is missing, "unknown". Kinds are "box" (median,
    quartiles and whiskers of 1.5 interquartile ranges) and "scatter", one dot per clip, coloured by the
    column `hue`.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["a", "a", "b"], "duration": [1.0, 2.0, 3.0]})
    >>> [tick.get_text() for tick in durations(table).get_xticklabels()]
    ['a', 'b']
    """
    if kind not in ("box", "scatter"):
        raise ValueError(f"kind is 'box' or 'scatter', not {kind!r}")
    ax = new_axes(ax)
    columns = table[list({by, hue} - {None})]
    data = columns.astype(object).where(columns.notna(), "unknown").astype(str)
    data = data.assign(duration=table["duration"])
    groups = list(emotion_palette(data[by])) if by == "emotion" else sorted(data[by].unique(), key=_natural)
    shared = {"x": by, "y": "duration", "order": groups, "ax": ax}
    if kind == "box":
        sns.boxplot(data, **shared, color="#88CCEE", linewidth=0.9, fliersize=2)
    else:
        colours = {"color": HONEST} if hue is None else {"hue": hue}
        if hue == "emotion":
            palette = emotion_palette(data[hue])
            colours |= {"palette": palette, "hue_order": list(palette)}
        sns.stripplot(data, **shared, **colours, size=3, alpha=0.8, linewidth=0.3, jitter=0.25)
        if hue is not None:
            ax.legend(title=hue, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set(xlabel=by, ylabel="duration (s)")
    ax.grid(axis="y")
    # Every n-th name only, upright where names are long, so that they never overlap.
    step = -(-len(groups) // _MOST_LABELS)
    upright = len(groups) * max(map(len, groups)) > 70
    ax.set_xticks(range(0, len(groups), step), groups[::step], rotation=90 if upright else 0)
    return ax


def _natural(name: str) -> tuple[bool, int, str]:
    """Sort numbers by value, 9 before 10, and before all other names."""
    return (False, int(name), name) if name.isdecimal() else (True, 0, name)


def by_emotion(
    values: Sequence[float], emotions: Sequence[str], ax: Axes | None = None, label: str = "value"
) -> Axes:
    """Draw how one measured value spreads within each emotion, as box plots in the emotions' colours.

    There is one value per clip, NaN is left out; `label` is its name and unit.

    Examples
    --------
    >>> ax = by_emotion([100, 120, 220], ["sad", "sad", "angry"], label="pitch (Hz)")
    >>> ax.get_ylabel(), [tick.get_text() for tick in ax.get_xticklabels()]
    ('pitch (Hz)', ['sad', 'angry'])
    """
    ax = new_axes(ax)
    data = pd.DataFrame({"emotion": np.asarray(emotions, dtype=object), label: np.asarray(values, float)})
    palette = emotion_palette(data["emotion"])
    order = list(palette)
    # A dark rim makes the white line show on light boxes, too.
    median = {"color": "white", "linewidth": 2, "path_effects": [withStroke(linewidth=4, foreground=INK)]}
    sns.boxplot(
        data,
        x="emotion",
        y=label,
        hue="emotion",
        order=order,
        hue_order=order,
        palette=palette,
        legend=False,
        saturation=1,
        linewidth=0.9,
        fliersize=2,
        medianprops=median,
        ax=ax,
    )
    ax.set(xlabel="")
    ax.grid(axis="y")
    ax.tick_params(axis="x", rotation=30 if len(palette) > 6 else 0)
    return ax

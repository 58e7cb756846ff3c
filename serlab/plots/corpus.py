"""Figures of a corpus: durations, and any value by emotion."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from serlab.errors import EvaluationError
from serlab.evaluation.values import check_columns
from serlab.plots.style import INK, emotion_palette, new_axes


def durations(table: pd.DataFrame, by: str, hue: str, ax: Axes | None = None) -> Axes:
    """Draw how long the clips are, a dot for each: grouped by one column, coloured by another.

    Where these have no value it is "unknown".

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["b", "a", "a"], "sentence": "1", "duration": [1.0, 2.0, 3.0]})
    >>> [tick.get_text() for tick in durations(table, "speaker", "sentence").get_xticklabels()]
    ['a', 'b']
    """
    check_columns(table, by, hue, "duration", what="clips")
    ax = new_axes(ax)
    columns = table[list({by, hue})]
    data = columns.astype(object).where(columns.notna(), "unknown").astype(str)
    order, data = sorted(data[by].unique()), data.assign(duration=table["duration"])
    look = {"size": 3, "alpha": 0.8, "linewidth": 0.3, "jitter": 0.25}
    sns.stripplot(data, x=by, y="duration", hue=hue, order=order, ax=ax, **look)
    ax.legend(title=hue, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set(ylabel="duration (s)")
    ax.grid(axis="y")
    return ax


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
    if len(values) != len(emotions):
        raise EvaluationError(f"{len(values)} values do not go with {len(emotions)} emotions")
    ax = new_axes(ax)
    data = pd.DataFrame({"emotion": np.asarray(emotions, dtype=object), label: np.asarray(values, float)})
    palette = emotion_palette(data["emotion"])
    order = {"order": list(palette), "hue_order": list(palette), "palette": palette}
    # A dark rim makes the white line show on light boxes, too.
    median = {"color": "white", "linewidth": 2, "path_effects": [withStroke(linewidth=4, foreground=INK)]}
    look = {"legend": False, "saturation": 1, "linewidth": 0.9, "fliersize": 2, "medianprops": median}
    sns.boxplot(data, x="emotion", y=label, hue="emotion", **order, **look, ax=ax)
    ax.set(xlabel="")
    ax.grid(axis="y")
    ax.tick_params(axis="x", rotation=30 if len(palette) > 6 else 0)
    return ax

"""What a rule on one number answers, and what listeners made of EmoDB."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import corpora, plots
from serlab.corpora import emodb
from serlab.plots.style import FLATTERING, HONEST, new_axes


def answers(
    rule, values: np.ndarray, emotions: Sequence[str], ax: Axes | None = None, label: str = "value"
) -> Axes:
    """Draw how a number spreads within each emotion, and behind it which emotion a rule answers where.

    The rule is a classifier fitted to numbers of shape (clips, 1); each band has the colour of its answer,
    and the name at its right. `label` says name and unit of the number.
    """
    ax = plots.by_emotion(np.ravel(values), emotions, ax, label)
    low, high = ax.get_ylim()
    grid = np.linspace(low, high, 1000)
    answer = rule.predict(grid[:, None])
    starts = np.flatnonzero(np.r_[True, answer[1:] != answer[:-1]])
    colours = plots.emotion_palette([*emotions, *answer])
    for start, end in zip(grid[starts], np.r_[grid[starts[1:]], high], strict=True):
        name = rule.predict([[(start + end) / 2]])[0]
        ax.axhspan(start, end, color=colours[name], alpha=0.3, linewidth=0, zorder=0)
        where = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 8.5}
        ax.text(1.01, (start + end) / 2, name, **where)
    ax.set_ylim(low, high)
    return ax


def listeners() -> pd.DataFrame:
    """Read how many of its listeners recognised each take that was recorded for EmoDB.

    Gives ``emotion``, ``recognised`` (share of the listeners) and ``kept``, whether the take is one of the
    535 published clips; no rows where no copy of EmoDB is found. See `serlab.corpora.emodb.recognition`.
    """
    folder = corpora.find("emodb") or corpora.find("emodb_first2s")
    if folder is None:
        none = {"emotion": str, "recognised": float, "kept": bool}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in none.items()})
    takes = emodb.recognition(folder)[["recognised"]]
    takes.insert(0, "emotion", [corpora.record("emodb").parse(name)["emotion"] for name in takes.index])
    return takes.assign(kept=takes.index.isin(emodb.whole_seconds().index))


def kept_takes(takes: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many takes were recognised how well, published ones apart from those that were not."""
    ax = new_axes(ax)
    kept = takes["kept"].astype(bool)
    groups = [100 * takes.loc[rows, "recognised"].to_numpy(float) for rows in (~kept, kept)]
    edges = np.arange(0, 106, 5)
    ax.hist(groups, edges, stacked=True, color=[FLATTERING, HONEST], label=["dropped", "published"])
    ax.set(xlabel="listeners who recognised the take (%)", ylabel="takes", xlim=(0, 105))
    ax.legend(loc="upper left")
    return ax

"""Chapter 10: who is right on which clip, which ranks are open, gaps between groups, and their pictures."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import evaluation
from serlab.corpora import record
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, error_bars, name_rows, new_axes
from serlab.runs import Run

GREEN = "#117733"


def right_answers(found: Mapping[str, Run]) -> pd.DataFrame:
    """Give the share of seeds that are right: a row per speaker, label and clip, a column per run."""
    shares = {}
    for name, run in found.items():
        p = run.predictions
        shares[name] = (p["label"] == p["predicted"]).groupby([p["speaker"], p["label"], p["clip"]]).mean()
    return pd.DataFrame(shares)


def uar_by_speaker(right: pd.DataFrame) -> pd.DataFrame:
    """Compute the UAR of each model (columns) for each speaker (rows) from `right_answers`.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("1", "sad", "a"), ("1", "sad", "b"), ("1", "happy", "c")])
    >>> right = pd.DataFrame({"tree": [1.0, 0.0, 1.0]}, index=index.set_names(["speaker", "label", "clip"]))
    >>> uar_by_speaker(right)["tree"].to_dict()
    {'1': 0.75}
    """
    return right.groupby(["speaker", "label"]).mean().groupby("speaker").mean()


def rank_intervals(right: pd.DataFrame) -> pd.DataFrame:
    """Find which ranks each model may have, given its paired differences from all others.

    From `right_answers`; gives one row per model, best first: its ``place`` on the board, and the ``best``
    and ``worst`` rank that the 95 % intervals over speakers leave open. After Mogstad, Romano, Shaikh &
    Wilhelm 2024, Inference for ranks, Review of Economic Studies 91(1).
    """

    def uar(rows: pd.DataFrame) -> np.ndarray:
        return rows.groupby("label")[list(right)].mean().mean().to_numpy()

    rows = right.reset_index()
    pairs = evaluation.over_speakers(rows, lambda part: np.subtract.outer(uar(part), uar(part)))
    place = (-uar(rows)).argsort().argsort() + 1
    best, worst = 1 + (pairs.high < 0).sum(axis=1), right.shape[1] - (pairs.low > 0).sum(axis=1)
    table = pd.DataFrame({"place": place, "best": best, "worst": worst}, index=list(right))
    return table.sort_values("place")


def choose_and_check(scores: pd.DataFrame, sizes: Sequence[int], draws: int = 1000) -> list[float]:
    """Choose the best model on half of the speakers, and see how much of its score the other half confirms.

    `scores` are of `uar_by_speaker`, `sizes` from how many models, drawn at random, the best is chosen;
    speakers are divided into halves so many times, and each half chooses once. Gives for each size by how
    many points the winner looked better where it was chosen.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0.5, 0.5], "b": [0.4, 0.4]})
    >>> choose_and_check(scores, [1, 2], draws=10)
    [0.0, 0.0]
    """
    rng, table = np.random.default_rng(0), scores.to_numpy()
    lost = {size: [] for size in sizes}
    for _ in range(draws):
        halves = [table[half].mean(axis=0) for half in np.array_split(rng.permutation(len(table)), 2)]
        for size in sizes:
            some = rng.permutation(table.shape[1])[:size]
            for here, there in (halves, halves[::-1]):
                winner = some[here[some].argmax()]
                lost[size].append(here[winner] - there[winner])
    return [float(100 * np.mean(lost[size])) for size in sizes]


def board(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the UAR of models with intervals, best first; a speaker-normalised twin is in the same row.

    Takes rows of `serlab.runs.table` under one protocol.
    """
    ordered = table.sort_values("uar", ascending=False)
    names = list(ordered.loc[~ordered["speaker_normalised"], "model"])
    ax = new_axes(ax, (SIZE[0], 1.0 + 0.21 * len(names)))
    borrowed = ordered["pretrained"].ne("")
    normalised = ordered["speaker_normalised"]
    parts = {
        "from scratch": (ordered[~normalised & ~borrowed], "o", HONEST, HONEST),
        "borrowed": (ordered[~normalised & borrowed], "s", GREEN, GREEN),
        "speaker-normalised": (ordered[normalised], "D", FLATTERING, "white"),
    }
    for label, (part, marker, colour, fill) in parts.items():
        part = part.assign(row=part["model"].str.removesuffix("-spknorm"))
        part = part[part["row"].isin(names)]
        rows = [names.index(name) for name in part["row"]]
        look = {"color": colour, "markerfacecolor": fill, "markersize": 4.5, "elinewidth": 1.1}
        error_bars(ax, rows, 100 * part[["uar", "uar_low", "uar_high"]], fmt=marker, label=label, **look)
    chance = 100 / table["classes"].iloc[0]
    return name_rows(ax, names, "UAR (%), with 95 % intervals over speakers", chance, ncols=2, xlim=(0, 100))


def speakers(scores: pd.DataFrame, first: str, second: str, ax: Axes | None = None) -> Axes:
    """Draw each speaker of `uar_by_speaker` as a dot: UAR of one model to the right, of another upwards.

    Examples
    --------
    >>> ax = speakers(pd.DataFrame({"ann": [0.5], "cnn": [0.6]}), "ann", "cnn")
    >>> ax.get_xlabel()
    'UAR of ann (%)'
    """
    ax = new_axes(ax, (4.2, 4.0))
    ends = 100 * scores[[first, second]].min().min() - 5, 100 * scores[[first, second]].max().max() + 5
    ax.plot(ends, ends, color="0.6", linewidth=1)
    ax.plot(100 * scores[first], 100 * scores[second], "o", color=HONEST, alpha=0.75)
    ax.set(xlabel=f"UAR of {first} (%)", ylabel=f"UAR of {second} (%)", xlim=ends, ylim=ends, aspect="equal")
    return ax


def ranks(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `rank_intervals`: a bar for the ranks that each model may have, a dot at its place on the board.

    Examples
    --------
    >>> table = pd.DataFrame({"place": [1, 2], "best": [1, 1], "worst": [2, 2]}, index=["cnn", "ann"])
    >>> [text.get_text() for text in ranks(table).get_yticklabels()]
    ['cnn', 'ann']
    """
    ax = new_axes(ax, (SIZE[0], 1.0 + 0.2 * len(table)))
    rows = np.arange(len(table))
    ax.hlines(rows, table["best"], table["worst"], color="#88CCEE", linewidth=5, label="cannot be ruled out")
    ax.plot(table["place"], rows, "o", color=HONEST, markersize=4, label="place on the board")
    return name_rows(ax, table.index, "rank")


def too_good(rivals: Sequence[int], lines: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """Draw by how many points the best of several looks too good, against how many rivals there are.

    Examples
    --------
    >>> too_good([1, 2], {"equal": [0.0, 0.7]}).lines[0].get_ydata().tolist()
    [0.0, 0.7]
    """
    ax = new_axes(ax, SIZE)
    for (name, points), look in zip(lines.items(), ("o-", "s--", "^:"), strict=False):
        ax.plot(rivals, points, look, color=FLATTERING if look == "o-" else HONEST, label=name)
    ax.set(xscale="log", xlabel="number of rivals", ylabel="looks too good by (points)")
    ax.set_xticks(rivals, [str(number) for number in rivals])
    ax.minorticks_off()
    ax.grid(axis="y")
    ax.legend(loc="upper left")
    return ax


def votes(members_right: pd.Series, vote_right: pd.Series, ax: Axes | None = None) -> Axes:
    """Draw how many members are right on how many clips, and whether their vote is, clip by clip.

    Examples
    --------
    >>> ax = votes(pd.Series([0, 1, 1, 2]), pd.Series([False, False, True, True]))
    >>> [float(bar.get_height()) for bar in ax.patches]
    [0.0, 25.0, 25.0, 25.0, 25.0, 0.0]
    """
    ax = new_axes(ax, SIZE)
    shares = pd.crosstab(members_right, vote_right, normalize="all").reindex(
        index=range(members_right.max() + 1), columns=[True, False], fill_value=0
    )
    ax.bar(shares.index, 100 * shares[True], color=HONEST, label="the vote is right")
    wrong = {"color": "#DDDDDD", "edgecolor": EDGE, "linewidth": 0.6, "label": "the vote is wrong"}
    ax.bar(shares.index, 100 * shares[False], bottom=100 * shares[True], **wrong)
    ax.set(xlabel="members that are right", ylabel="share of the clips (%)", xticks=shares.index)
    ax.legend(loc="upper left")
    return ax


def gender_gaps(found: Mapping[str, Run]) -> pd.DataFrame:
    """Compute UAR for ``women`` and ``men``, and the ``gap`` with its interval, in percent, a row per run."""
    rows = {}
    for name, run in found.items():
        parse = record(run.meta["corpus"]["name"]).parse
        p = run.predictions.assign(gender=[parse(clip)["gender"] for clip in run.predictions["clip"]])
        each = evaluation.by_group(p, "gender", "uar")["value"]
        gap = evaluation.group_difference(p, "gender", "female", "male")
        rows[name] = (each["female"], each["male"], gap.difference, gap.low, gap.high)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["women", "men", "gap", "low", "high"])
    return (100 * table).round(1)

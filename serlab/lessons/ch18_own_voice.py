"""Chapter 18: clips of one's own, to learn from or to be tested on, and what a few of them bring."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import evaluation
from serlab.plots.style import EDGE, SIZE, error_bars, new_axes

# So many clips of every emotion may be learned from.
MOST = 10
COLOURS = ("#332288", "#CC6677", "#117733")


def deal(table: pd.DataFrame, speaker: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Deal the clips of a speaker at random: `MOST` of every emotion to learn from, the others to be tested.

    Takes an utterance table, its rows numbered from 0; gives two arrays of rows. The first begins with one
    clip of every emotion, then a second, and so on. Of few clips half are tested.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": "me", "emotion": ["sad", "happy"] * 3})
    >>> own, tested = deal(table, "me")
    >>> len(own), len(tested), sorted(table.loc[own, "emotion"])
    (2, 4, ['happy', 'sad'])
    """
    mixed = table[table["speaker"] == speaker].sample(frac=1, random_state=seed)
    turn = mixed.groupby("emotion").cumcount()
    most = min(MOST, mixed["emotion"].value_counts().min() // 2)
    rows = turn.sort_values(kind="stable").index.to_numpy()
    return rows[: (turn < most).sum()], np.sort(rows[(turn < most).sum() :])


def try_all(
    ways: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]],
    table: pd.DataFrame,
    speakers: Iterable[str],
    counts: Iterable[int],
    draws: int = 3,
    blind: bool = False,
) -> pd.DataFrame:
    """Try ways to use a few clips of each speaker, always tested on the speaker's other clips.

    A way takes the rows of a speaker's own clips and those to be tested, and gives an answer for each of
    these. `table` is as for `deal`; of `counts` of own clips, those above what there is to learn from are
    left out; clips are dealt `draws` times. If `blind`, own clips come in any order, as to somebody who does
    not know their emotions. Gives ``way``, ``own`` (how many), ``clip`` with the number of the deal,
    ``speaker``, ``label`` and ``predicted``.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": "me", "emotion": ["sad", "happy"] * 3, "clip": list("abcdef")})
    >>> found = try_all({"sad": lambda own, tested: np.full(len(tested), "sad")}, table, ["me"], [2], draws=1)
    >>> len(found), set(found["own"]), set(found["predicted"])
    (4, {2}, {'sad'})
    """
    parts = []
    for speaker in speakers:
        for seed in range(draws):
            own, tested = deal(table, speaker, seed)
            if blind:
                own = np.random.default_rng(seed).permutation(own)
            asked = table.loc[tested, ["clip", "speaker", "emotion"]].rename(columns={"emotion": "label"})
            asked["clip"] += f"#{seed}"  # Another deal is another test.
            for count in counts:
                if count <= len(own):
                    parts += [
                        asked.assign(way=way, own=count, predicted=use(own[:count], tested))
                        for way, use in ways.items()
                    ]
    return pd.concat(parts, ignore_index=True)


def by_speaker(probabilities: np.ndarray, classes: Iterable[str], table: pd.DataFrame) -> pd.DataFrame:
    """Set what a model gets right beside how sure it is, speaker by speaker.

    Takes probabilities, (clips, classes), and the utterance table of these clips. Gives ``speaker``, ``uar``,
    ``accuracy`` and ``confidence``, the mean probability of what was answered.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["a", "a", "b"], "emotion": ["sad", "happy", "sad"]})
    >>> p = np.array([[0.1, 0.9], [0.3, 0.7], [0.6, 0.4]])
    >>> by_speaker(p, ["happy", "sad"], table).round(2).values.tolist()
    [['a', 0.5, 0.5, 0.8], ['b', 0.0, 0.0, 0.6]]
    """
    rows = table[["speaker", "emotion"]].rename(columns={"emotion": "label"})
    rows["predicted"] = np.asarray(classes)[probabilities.argmax(axis=1)]
    rows["accuracy"] = rows["label"] == rows["predicted"]
    groups = rows.assign(confidence=probabilities.max(axis=1).astype(float)).groupby("speaker")
    uar = groups[["label", "predicted"]].apply(lambda part: evaluation.uar(part["label"], part["predicted"]))
    return uar.to_frame("uar").join(groups[["accuracy", "confidence"]].mean()).reset_index()


def score(answers: pd.DataFrame) -> pd.DataFrame:
    """Give the UAR of each way and number of clips, in percent, with its interval over speakers.

    Examples
    --------
    >>> rows = pd.DataFrame({"speaker": list("aabb"), "label": ["sad", "happy"] * 2, "predicted": "sad"})
    >>> score(rows.assign(way="sad", own=2)).round().values.tolist()
    [['sad', 2, 50.0, 50.0, 50.0]]
    """
    rows = []
    for (way, own), part in answers.groupby(["way", "own"], sort=False):
        rows.append((way, own, *(100 * one for one in evaluation.interval(part))))
    return pd.DataFrame(rows, columns=["way", "own", "uar", "low", "high"])


def copy_clips(table: pd.DataFrame) -> Path:
    """Copy the clips of a table into a new temporary folder, called after their emotions.

    Examples
    --------
    >>> from serlab.corpora import emodb
    >>> [file.name for file in copy_clips(emodb.excerpts().loc[[6]]).iterdir()]
    ['6_disgust.flac']
    """
    folder = Path(tempfile.mkdtemp())
    for row, path, emotion in zip(table.index, map(Path, table["path"]), table["emotion"], strict=True):
        shutil.copy(path, folder / f"{row}_{emotion}{path.suffix}")
    return folder


def plot_curve(scores: pd.DataFrame, before: float, ax: Axes | None = None) -> Axes:
    """Draw UAR against the number of own clips, from `score`: a line for each way.

    `before` is the UAR in percent without any clip of one's own.

    Examples
    --------
    >>> rows = pd.DataFrame({"way": "adapted", "own": [1, 2], "uar": [40.0, 50.0]})
    >>> ax = plot_curve(rows.assign(low=30.0, high=60.0), before=35.0)
    >>> ax.lines[0].get_ydata().tolist()
    [40.0, 50.0]
    """
    ax = new_axes(ax, SIZE)
    ways = scores.groupby("way", sort=False)
    for place, ((way, part), colour) in enumerate(zip(ways, COLOURS, strict=False)):
        # Side by side, so that no interval hides another; the axis is logarithmic.
        at = part["own"] * 1.05**place
        look = {"fmt": "o-", "color": colour, "capsize": 3, "elinewidth": 0.8, "label": way}
        error_bars(ax, at, part[["uar", "low", "high"]], upright=True, **look)
    ax.axhline(before, color=EDGE, linestyle=":", label="as it comes")
    ticks = sorted(scores["own"].unique())
    ax.set(xscale="log", xlabel="clips of one's own", ylabel="UAR (%)", ylim=(0, 100))
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.legend(loc="lower right", ncols=2, columnspacing=1.0)
    return ax

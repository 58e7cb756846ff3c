"""Chapter 14: what averages over time keep of a clip, and questions to the answers of a recorded network."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from serlab import corpora, plots
from serlab.corpora import emodb, synthesis
from serlab.features import Mfcc
from serlab.plots.style import FLATTERING, HONEST, INK, SIZE, emotion_palette, name_rows, new_axes
from serlab.runs import Run

# Recorded models, as the lessons call them.
TITLES = {
    "model-a-peek": "model A, test\nclips choose",
    "model-a": "model A",
    "averages-compact": "plain network",
    "logreg-summary": "logistic regression",
    "three-vote": "vote of three\n(Chapter 10)",
    "averages-vote": "vote of six",
    "averages-vote-spknorm": "vote of six,\nspeaker known",
}


@synthesis.remember
def voice(*, way: str = "forwards") -> np.ndarray:
    """Let the synthetic voice say a sentence, forwards or backwards."""
    y = np.asarray(synthesis.synthesise_phrase("d02", emotion="surprised"))
    return {"forwards": y, "backwards": y[::-1].copy()}[way]


def views(y: np.ndarray, sample_rate: int) -> np.ndarray:
    """Draw a clip in four ways: waveform, average spectrum, spectrogram, and MFCC over time."""
    axes = plt.subplots(2, 2, figsize=(5.6, 4.6))[1]
    wave, line, picture, cepstrum = axes.flat
    plots.waveform(y, sample_rate, wave)
    plots.spectrum(y, sample_rate, line)
    plots.spectrogram(y, sample_rate, picture, colorbar=False)
    mfcc = Mfcc(n_mfcc=20, n_mels=128, deltas=0, sample_rate=sample_rate)
    found = mfcc.extract(y)[1:]  # the first is the level
    time = np.arange(found.shape[1] + 1) * mfcc.hop_length / sample_rate
    cepstrum.pcolormesh(time, np.arange(1, 21), found, cmap="RdBu_r", vmin=-60, vmax=60)
    cepstrum.set(xlabel="time (s)", ylabel="MFCC")
    return axes


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Give the typical distance of clips, (..., numbers), in one number: the root of the mean square.

    Examples
    --------
    >>> float(apart(np.array([0.0, 0.0]), np.array([3.0, 3.0])))
    3.0
    """
    return np.sqrt(np.mean((one - other) ** 2, axis=-1))


def pairs(table: pd.DataFrame, Z: np.ndarray, count: int = 2000) -> dict[str, np.ndarray]:
    """Draw pairs of clips at random, and give how far `apart` they are, by what the two have in common.

    `Z` are features in standard deviations; a clip drawn with itself does not count.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["a", "a"], "emotion": ["sad", "happy"]})
    >>> found = pairs(table, np.array([[0.0], [2.0]]), count=9)
    >>> {name: set(values.tolist()) for name, values in found.items()}
    {'two clips, same speaker': {2.0}}
    """
    i, j = np.random.default_rng(0).integers(len(table), size=(2, count))
    i, j = i[i != j], j[i != j]
    facts = table[["speaker", "emotion"]].to_numpy()
    speaker, emotion = (facts[i] == facts[j]).T
    kinds = {
        "two clips, same speaker and emotion": speaker & emotion,
        "two clips, same speaker": speaker & ~emotion,
        "two clips, same emotion": ~speaker & emotion,
        "two clips, nothing in common": ~speaker & ~emotion,
    }
    return {name: apart(Z[i[rows]], Z[j[rows]]) for name, rows in kinds.items() if rows.any()}


def boxes(distances: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """Draw distances as boxes, by name: of "two clips" darker than of a clip and its own altered version."""
    ax = new_axes(ax, SIZE)
    data = pd.DataFrame([(name, value) for name, values in distances.items() for value in values])
    data.columns = ["name", "distance"]
    colours = {name: HONEST if name.startswith("two clips") else FLATTERING for name in distances}
    look = {"medianprops": {"color": "white", "linewidth": 2}, "showfliers": False, "saturation": 1}
    sns.boxplot(data, x="distance", y="name", hue="name", palette=colours, legend=False, ax=ax, **look)
    ax.set(xlabel="distance (standard deviations)", ylabel="", xlim=(0, None))
    ax.grid(axis="x")
    return ax


def heat(Z: np.ndarray, emotions: Sequence[str], sizes: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Draw the mean of every number in every emotion, with the kinds of features marked.

    `Z` are features in standard deviations, `sizes` says how many there are of each kind, in their order.
    """
    ax = new_axes(ax, SIZE)
    means = pd.DataFrame(Z).groupby(np.asarray(emotions)).mean()
    means = means.loc[list(emotion_palette(means.index))]
    bar = {"label": "standard deviations", "pad": 0.02}
    sns.heatmap(means, cmap="RdBu_r", vmin=-1.5, vmax=1.5, xticklabels=False, cbar_kws=bar, ax=ax)
    borders = np.cumsum([0, *sizes.values()])
    for (name, size), start in zip(sizes.items(), borders, strict=False):
        ax.axvline(start, color=INK, linewidth=1)
        if size > borders[-1] / 20:
            ax.text(start + size / 2, -0.15, name, ha="center", va="bottom", fontsize=8.5)
    ax.set(xlabel=f"the {borders[-1]} numbers; at the right end contrast, tonnetz", ylabel="")
    ax.tick_params(axis="y", rotation=0, length=0)
    return ax


def facts(run: Run) -> pd.DataFrame:
    """Give the predictions of a run on EmoDB with what is known of each clip; no audio is needed.

    Added are ``gender``, ``sentence``, ``seconds`` (of the clip as published), ``right`` and ``sure``, the
    probability of the answer that was given.
    """
    said, parse = run.predictions, corpora.record("emodb").parse
    names = {clip: parse(clip) for clip in said["clip"].unique()}
    for column in ("gender", "sentence"):
        said[column] = [names[clip][column] for clip in said["clip"]]
    said["seconds"] = emodb.whole_seconds()[said["clip"]].to_numpy()
    said["right"] = said["label"] == said["predicted"]
    said["sure"] = said.filter(regex="^p_").max(axis=1)
    return said


def women_and_men(models: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Draw how many answers are right for each speaker, women and men apart, with the mean of each group."""
    ax = new_axes(ax, SIZE)
    groups = (("female", "women", "o", FLATTERING), ("male", "men", "s", HONEST))
    for place, said in enumerate(models.values()):
        right = 100 * said.groupby(["gender", "speaker"])["right"].mean()
        for (gender, name, marker, colour), offset in zip(groups, (-0.15, 0.15), strict=True):
            values = right[gender].to_numpy()
            look = {"color": colour, "linestyle": "", "alpha": 0.7, "label": None if place else name}
            ax.plot(values, np.full(len(values), place + offset), marker, **look)
            ax.vlines(values.mean(), place + offset - 0.12, place + offset + 0.12, color=INK, linewidth=2)
    return name_rows(ax, models, "right, a mark for each speaker (%)", xlim=(0, 100))

"""Chapter 1: clips that differ in their emotion only, and pictures of a few sounds beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from serlab import plots
from serlab.features import F0

# Three takes of one cue: turned down, left alone, turned up. The line tells them apart without colour, too.
STYLES = (("#88CCEE", "--"), ("#332288", "-"), ("#CC6677", "-."))
PAIR = (("#332288", "--"), ("#CC6677", "-"))
WIDTH = 5.2  # inches of a figure that can be read on a telephone


def one_speaker(corpus: pd.DataFrame, speaker: str | None = None) -> pd.DataFrame:
    """Choose clips of one speaker and one sentence, one for each emotion, the strongest if there are several.

    Parameters
    ----------
    corpus : DataFrame
        An utterance table. Where it does not say which sentence is spoken, all count as the same.
    speaker : str, optional
        By default the one with the most emotions, a woman if possible: her harmonics are easier to see.

    Returns
    -------
    DataFrame
        Rows of the table, the emotion in the index.

    Examples
    --------
    >>> import serlab
    >>> chosen = one_speaker(serlab.load("demo"))
    >>> chosen["speaker"].nunique(), chosen["sentence"].nunique(), len(chosen)
    (1, 1, 8)
    """
    known = corpus.fillna({"sentence": "unknown", "intensity": "unknown", "gender": "unknown"})
    if speaker is not None:
        known = known[known["speaker"] == speaker]
    by_gender = known.sort_values(["gender", "clip"])
    pairs = by_gender.groupby(["speaker", "sentence"], sort=False)["emotion"].nunique()
    who, what = pairs.idxmax()
    same = known[(known["speaker"] == who) & (known["sentence"] == what)]
    clips = same.sort_values(["intensity", "clip"]).drop_duplicates("emotion", keep="last")
    return clips.set_index("emotion", drop=False).loc[list(plots.emotion_palette(clips["emotion"]))]


def figure_for(sounds: Mapping[str, np.ndarray]) -> Figure:
    """Make a figure for `serlab.plots.emotion_grid` that can be read on a telephone.

    Examples
    --------
    >>> figure_for(dict.fromkeys("abcdefgh")).get_size_inches().tolist()
    [6.0, 4.0]
    """
    columns = min(4, len(sounds))
    rows = -(-len(sounds) // columns)
    return plt.figure(figsize=(6 if columns > 2 else WIDTH, 1.6 * rows + 0.8), layout="constrained")


def waveforms(sounds: Mapping[str, np.ndarray], sample_rate: float, columns: int = 1) -> np.ndarray:
    """Draw waveforms below each other on one scale.

    Parameters
    ----------
    sounds : mapping of str to array of shape (samples,)
        By title. With several columns the first column is filled first.
    sample_rate : float
        Samples per second of all sounds.
    columns : int
        Panels beside each other.

    Returns
    -------
    array of matplotlib Axes, in the order of the sounds

    Examples
    --------
    >>> axes = waveforms({"short": np.ones(8000), "long": np.ones(16000)}, 16000)
    >>> [ax.get_title() for ax in axes], float(axes[0].get_xlim()[1])
    (['short', 'long'], 1.0)
    >>> plt.close("all")
    """
    rows = -(-len(sounds) // columns)
    size = (WIDTH, 1.25 * rows + 0.5)
    fig, axes = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    styles = PAIR if rows == 2 else STYLES
    for number, (ax, (title, y)) in enumerate(zip(axes.T.flat, sounds.items(), strict=True)):
        plots.waveform(y, sample_rate, ax, color=styles[number % rows % len(styles)][0])
        ax.set(title=title, xlabel="", ylabel="")
    axes[0, 0].set_xlim(0, max(map(len, sounds.values())) / sample_rate)
    fig.supxlabel("time (s)", fontsize=9.5)
    fig.supylabel("amplitude", fontsize=9.5)
    return axes.T.ravel()


def spectra(sounds: Mapping[str, np.ndarray], sample_rate: float, ax: Axes | None = None) -> Axes:
    """Draw the average spectra of a few sounds in one picture, each relative to its own maximum.

    Parameters
    ----------
    sounds : mapping of str to array of shape (samples,)
        By title.
    sample_rate : float
        Samples per second of all sounds.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=16000)
    >>> ax = spectra({"one": noise, "two": noise[::-1]}, 16000)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['one', 'two']
    >>> plt.close("all")
    """
    ax = _panel(ax, 3.0)
    styles = PAIR if len(sounds) == 2 else STYLES
    for (title, y), (colour, line) in zip(sounds.items(), styles, strict=False):
        plots.spectrum(y, sample_rate, ax, n_fft=256, color=colour, linestyle=line, label=title)
    ax.legend()
    return ax


def pitch_tracks(takes: Mapping[str, np.ndarray], sample_rate: int, ax: Axes | None = None) -> Axes:
    """Draw the pitch of a few sounds over time, with gaps where the voice does not sound.

    Parameters
    ----------
    takes : mapping of str to array of shape (samples,)
        By title; three at most.
    sample_rate : int
        Samples per second of all sounds.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> pulses = np.zeros(16000)
    >>> pulses[::100] = 1.0
    >>> ax = pitch_tracks({"160 Hz": pulses}, 16000)
    >>> round(float(np.nanmedian(ax.lines[0].get_ydata())))
    160
    >>> plt.close("all")
    """
    ax = _panel(ax, 2.6)
    extractor = F0(sample_rate=sample_rate)
    for (title, y), (colour, line) in zip(takes.items(), STYLES, strict=False):
        f0, _ = extractor.extract(y)
        time = np.arange(len(f0)) / extractor.frame_rate
        ax.plot(time, np.where(f0 > 0, f0, np.nan), line, color=colour, linewidth=2, label=title)
    ax.set(xlabel="time (s)", ylabel="pitch (Hz)")
    ax.legend(loc="upper right")
    return ax


def above_neutral(measured: pd.DataFrame, cues: Sequence[str]) -> pd.DataFrame:
    """Count in how many speakers a cue is higher in an emotion than when the same speaker is neutral.

    Parameters
    ----------
    measured : DataFrame
        One row per clip, with columns ``speaker``, ``emotion`` and the cues.
    cues : sequence of str
        Columns to compare, by their median over a speaker's clips of an emotion. Where a corpus has no
        neutral clips, the median over all clips of the speaker takes their place.

    Returns
    -------
    DataFrame
        One row per emotion but neutral, one column per cue, and the number of speakers.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker": list("aabb"), "emotion": ["neutral", "sad"] * 2})
    >>> above_neutral(clips.assign(pitch=[1, 2, 3, 2]), ["pitch"]).loc["sad"].to_dict()
    {'pitch': 1, 'of': 2}
    """
    usual = measured.groupby("speaker")[list(cues)].median()
    each = measured.groupby(["emotion", "speaker"])[list(cues)].median()
    if "neutral" in each.index:
        usual = each.loc["neutral"]
        each = each.drop("neutral")
    higher = each > usual.reindex(each.index.get_level_values("speaker")).to_numpy()
    counts = higher.groupby(level="emotion").sum()
    counts["of"] = higher.groupby(level="emotion").size()
    return counts.loc[list(plots.emotion_palette(counts.index))]


def count_grid(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `above_neutral` as a grid: red where nearly all speakers are higher, blue where they are lower.

    Parameters
    ----------
    counts : DataFrame
        From `above_neutral`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = count_grid(pd.DataFrame({"pitch": [24], "of": [24]}, index=["angry"]))
    >>> ax.texts[0].get_text()
    '24'
    >>> plt.close("all")
    """
    ax = _panel(ax, 3.2)
    cues = counts.drop(columns="of")
    sns.heatmap(
        cues.div(counts["of"], axis=0),
        annot=cues,
        fmt="d",
        cmap="RdBu_r",
        vmin=-0.4,  # the ends of the colours are too dark for the figures on them
        vmax=1.4,
        annot_kws={"color": "#222222"},
        linewidths=1,
        cbar=False,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    return ax


def _panel(ax: Axes | None, height: float) -> Axes:
    return plt.subplots(figsize=(WIDTH, height), layout="constrained")[1] if ax is None else ax

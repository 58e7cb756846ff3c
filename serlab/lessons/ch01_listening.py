"""Chapter 1: clips that differ in their emotion only, and pictures of a few sounds beside each other."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from serlab import plots
from serlab.features import F0

# Three takes of one cue: turned down, left alone, turned up. The line tells them apart without colour, too.
STYLES = (("#88CCEE", "--"), ("#332288", "-"), ("#CC6677", "-."))
PAIR = (("#332288", "--"), ("#CC6677", "-"))
WIDTH = 5.2  # inches of a figure that can be read on a telephone


def one_speaker(corpus: pd.DataFrame) -> pd.DataFrame:
    """Choose clips of one speaker and one sentence, one for each emotion, the strongest if there are several.

    The speaker is the one with the most emotions, a woman if possible: her harmonics are easier to see. Where
    the table does not say which sentence is spoken, all count as the same. Gives rows, by emotion.

    Examples
    --------
    >>> import serlab
    >>> chosen = one_speaker(serlab.load("demo"))
    >>> chosen["speaker"].nunique(), chosen["sentence"].nunique(), len(chosen)
    (1, 1, 8)
    """
    known = corpus.fillna({"sentence": "unknown", "intensity": "unknown", "gender": "unknown"})
    by_gender = known.sort_values(["gender", "clip"])
    pairs = by_gender.groupby(["speaker", "sentence"], sort=False)["emotion"].nunique()
    who, what = pairs.idxmax()
    same = known[(known["speaker"] == who) & (known["sentence"] == what)]
    clips = same.sort_values(["intensity", "clip"]).drop_duplicates("emotion", keep="last")
    return clips.set_index("emotion", drop=False).loc[list(plots.emotion_palette(clips["emotion"]))]


def waveforms(sounds: Mapping[str, np.ndarray], sample_rate: float, columns: int = 1) -> np.ndarray:
    """Draw waveforms, (samples,) by title, below each other on one scale; the first column is filled first.

    Gives an array of axes in the order of the sounds.
    """
    rows = -(-len(sounds) // columns)
    shared = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained"}
    fig, axes = plt.subplots(rows, columns, figsize=(WIDTH, 1.25 * rows + 0.5), **shared)
    styles = PAIR if rows == 2 else STYLES
    for number, (ax, (title, y)) in enumerate(zip(axes.T.flat, sounds.items(), strict=True)):
        plots.waveform(y, sample_rate, ax, color=styles[number % rows % len(styles)][0])
        ax.set(title=title, xlabel="", ylabel="")
    axes[0, 0].set_xlim(0, max(map(len, sounds.values())) / sample_rate)
    fig.supxlabel("time (s)", fontsize=9.5)
    fig.supylabel("amplitude", fontsize=9.5)
    return axes.T.ravel()


def spectra(sounds: Mapping[str, np.ndarray], sample_rate: float, ax: Axes | None = None) -> Axes:
    """Draw the average spectra of up to three sounds, (samples,) by title, each relative to its maximum.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=16000)
    >>> ax = spectra({"one": noise, "two": noise[::-1]}, 16000)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['one', 'two']
    """
    ax = plots.new_axes(ax, (WIDTH, 3.0))
    styles = PAIR if len(sounds) == 2 else STYLES
    for (title, y), (colour, line) in zip(sounds.items(), styles, strict=False):
        plots.spectrum(y, sample_rate, ax, n_fft=256, color=colour, linestyle=line, label=title)
    ax.legend()
    return ax


def pitch_tracks(takes: Mapping[str, np.ndarray], sample_rate: int, ax: Axes | None = None) -> Axes:
    """Draw the pitch over time of three sounds at most, (samples,) by title, with gaps where no voice sounds.

    Examples
    --------
    >>> pulses = np.zeros(16000)
    >>> pulses[::100] = 1.0
    >>> ax = pitch_tracks({"160 Hz": pulses}, 16000)
    >>> round(float(np.nanmedian(ax.lines[0].get_ydata())))
    160
    """
    ax = plots.new_axes(ax, (WIDTH, 2.6))
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

    What is compared is the median over a speaker's clips of an emotion, in columns `cues` beside ``speaker``
    and ``emotion``. Where a corpus has no neutral clips, the median over all of the speaker's takes their
    place. Gives a row for each emotion but neutral: the counts, and ``of``, the number of speakers.

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
    """Draw `above_neutral` as a grid: red where nearly all speakers are higher, blue where they are lower."""
    ax = plots.new_axes(ax, (WIDTH, 3.2))
    cues = counts.drop(columns="of")
    look = {"fmt": "d", "annot_kws": {"color": "#222222"}, "linewidths": 1, "cbar": False}
    # The ends of the colours are too dark for the figures on them.
    shades = {"cmap": "RdBu_r", "vmin": -0.4, "vmax": 1.4}
    sns.heatmap(cues.div(counts["of"], axis=0), annot=cues, **look, **shades, ax=ax)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    return ax

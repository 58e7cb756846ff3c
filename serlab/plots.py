"""Figures of the book: each function draws on the ``ax`` it is given, or on a new one, and returns it.

seaborn, librosa and matplotlib draw; this module fixes what the figures of the book share: one colour per
emotion, units on every axis, a white page with a margin (legible on light and dark pages alike).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import librosa
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Paul Tol's "muted" scheme with its grey: any two stay apart for the three kinds of colour blindness
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
_OTHER_COLOUR = "#44AA99"
_INK, _EDGE, _GRID = "#222222", "#444444", "#DDDDDD"
_HONEST, _FLATTERING = "#332288", "#CC6677"
# Of curves that share a picture: six at most.
_CURVE_COLOURS = ("#332288", "#CC6677", "#117733", "#DDAA33", "#88CCEE", "#882255")
_CURVE_STYLES = ("-", "--", "-.", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))
_FLOOR_DB = 80.0


def set_style() -> None:
    """Set size, fonts and the white page for all figures that follow, as in every chapter of the book.

    Examples
    --------
    >>> set_style()
    >>> mpl.rcParams["figure.facecolor"]
    'white'
    """
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.figsize": (7.0, 3.0),
            "figure.dpi": 100,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "savefig.pad_inches": 0.15,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "grid.color": _GRID,
            "axes.titlesize": 10,
            "axes.labelsize": 9.5,
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
            "legend.fontsize": 8.5,
            "legend.title_fontsize": 8.5,
            "legend.frameon": False,
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "axes.edgecolor": _EDGE,
            "xtick.color": _EDGE,
            "ytick.color": _EDGE,
        },
    )


def emotion_palette(emotions: Iterable[str]) -> dict[str, str]:
    """Return the fixed colour of each emotion, in the order of `EMOTION_COLOURS`, others after them.

    Parameters
    ----------
    emotions : iterable of str
        Labels, repeated or not. Labels that the book does not know share one spare colour.

    Returns
    -------
    dict of str to str
        One entry per label, hexadecimal colours.

    Examples
    --------
    >>> emotion_palette(["sad", "calm", "sad", "proud"])
    {'calm': '#88CCEE', 'sad': '#332288', 'proud': '#44AA99'}
    """
    present = set(emotions)
    known = {emotion: colour for emotion, colour in EMOTION_COLOURS.items() if emotion in present}
    return known | dict.fromkeys(sorted(present - set(known)), _OTHER_COLOUR)


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


def _in_seconds(ax: Axes) -> None:
    """Undo librosa's time ticks, which round 1.05, 1.2 and 1.35 s to 1.1, 1.2 and 1.4."""
    ax.xaxis.set_major_locator(mpl.ticker.AutoLocator())
    ax.xaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
    ax.set_xlabel("time (s)")


# Sound ------------------------------------------------------------------------------------------------------


def waveform(y: np.ndarray, sample_rate: float, ax: Axes | None = None, color: str = "#332288") -> Axes:
    """Draw the waveform: air pressure, as the microphone gave it, over time.

    Parameters
    ----------
    y : array of shape (samples,)
        Signal in -1…1.
    sample_rate : float
        Samples per second.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    color : str
        Any colour that matplotlib knows.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = waveform(np.zeros(16000), 16000)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (s)', 'amplitude')
    >>> plt.close("all")
    """
    ax = _axes(ax)
    librosa.display.waveshow(np.asarray(y), sr=sample_rate, ax=ax, axis="time", color=color, alpha=0.85)
    _in_seconds(ax)
    ax.set(ylabel="amplitude", xlim=(0, len(y) / sample_rate))
    return ax


def spectrum(
    y: np.ndarray, sample_rate: float, ax: Axes | None = None, *, n_fft: int = 1024, **line: object
) -> Axes:
    """Draw the average spectrum of a whole signal: how much of it lies at each frequency.

    The signal is cut into overlapping windows of `n_fft` samples and the power of their spectra is averaged
    (Welch's method), which is far less ragged than one transform over the whole signal.

    Parameters
    ----------
    y : array of shape (samples,)
        Signal. One shorter than a window is taken as a single window of its own length.
    sample_rate : float
        Samples per second.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    n_fft : int
        Window length in samples. Longer windows tell closer frequencies apart.
    **line
        Passed to `matplotlib.axes.Axes.plot`, for example ``color`` and ``label``.

    Returns
    -------
    matplotlib Axes
        Level in dB below the strongest frequency, floor at -80 dB.

    References
    ----------
    P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio
    Electroacoust. 15(2), 1967.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    >>> line = spectrum(tone, 16000).lines[0]
    >>> float(line.get_xdata()[line.get_ydata().argmax()])
    1000.0
    >>> plt.close("all")
    """
    from scipy.signal import welch

    ax = _axes(ax)
    frequencies, power = welch(y, fs=sample_rate, nperseg=min(n_fft, len(y)))
    level = librosa.power_to_db(power, ref=np.max, top_db=_FLOOR_DB, amin=1e-20)
    ax.plot(frequencies, level, **{"color": "#332288", "linewidth": 1.2, **line})
    ax.set(xlabel="frequency (Hz)", ylabel="level (dB)", xlim=(0, sample_rate / 2))
    return ax


def spectrogram_db(
    y: np.ndarray, sample_rate: float, kind: str = "stft", *, n_fft: int = 1024, hop_length: int = 256
) -> np.ndarray:
    """Compute the picture that `spectrogram` draws, in dB re full scale, without cutting its floor.

    Parameters
    ----------
    y : array of shape (samples,)
        Signal.
    sample_rate : float
        Samples per second.
    kind : {"stft", "mel"}
        Frequencies evenly spaced in hertz, or in 128 mel bands.
    n_fft, hop_length : int
        Window length and step in samples.

    Returns
    -------
    array of shape (frequencies, frames)

    Raises
    ------
    ValueError
        If `kind` is neither "stft" nor "mel".

    Examples
    --------
    >>> spectrogram_db(np.ones(16000), 16000, "mel").shape
    (128, 63)
    """
    if kind not in ("stft", "mel"):
        raise ValueError(f"kind is 'stft' or 'mel', not {kind!r}")
    y = np.asarray(y, dtype=np.float32)
    power = np.abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length)) ** 2
    if kind == "mel":
        power = librosa.feature.melspectrogram(S=power, sr=sample_rate, n_fft=n_fft, n_mels=128)
    return librosa.power_to_db(power, top_db=None)


def spectrogram(
    y: np.ndarray,
    sample_rate: float,
    ax: Axes | None = None,
    kind: str = "stft",
    *,
    n_fft: int = 1024,
    hop_length: int = 256,
    reference: float | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw time to the right, frequency upwards, and level as brightness.

    Parameters
    ----------
    y : array of shape (samples,)
        Signal.
    sample_rate : float
        Samples per second.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    kind : {"stft", "mel"}
        Frequency axis in hertz, or in mel bands.
    n_fft, hop_length : int
        Window length and step in samples.
    reference : float, optional
        Level in dB re full scale drawn as 0 dB; by default the loudest point of this picture. Give the same
        one to several pictures to keep their loudness comparable.
    colorbar : bool
        Whether to add a scale in dB.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `kind` is neither "stft" nor "mel".

    Examples
    --------
    >>> ax = spectrogram(np.sin(np.arange(16000)), 16000, kind="mel")
    >>> ax.get_ylabel()
    'frequency (Hz), mel scale'
    >>> plt.close("all")
    """
    level = spectrogram_db(y, sample_rate, kind, n_fft=n_fft, hop_length=hop_length)
    level = level - (level.max() if reference is None else reference)
    ax = _axes(ax)
    image = librosa.display.specshow(
        level,
        sr=sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        x_axis="time",
        y_axis="mel" if kind == "mel" else "linear",
        ax=ax,
        cmap="magma",
        vmin=-_FLOOR_DB,
        vmax=0,
        rasterized=True,
    )
    label = "frequency (Hz), mel scale" if kind == "mel" else "frequency (Hz)"
    _in_seconds(ax)
    ax.set(ylabel=label, ylim=(0, sample_rate / 2))
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label="level (dB)", pad=0.02)
    return ax


def emotion_grid(
    signals: Mapping[str, np.ndarray], sample_rate: float, fig: Figure | None = None, kind: str = "mel"
) -> np.ndarray:
    """Draw one spectrogram per emotion, all with the same time, frequency and level scales.

    Only then may panels be compared: with a scale of its own, a whisper would look as bright as a shout.

    Parameters
    ----------
    signals : mapping of str to array of shape (samples,)
        One signal per emotion, best of the same speaker and sentence.
    sample_rate : float
        Samples per second of all signals.
    fig : matplotlib Figure, optional
        Where to draw; a new one if not given.
    kind : {"stft", "mel"}
        As in `spectrogram`.

    Returns
    -------
    array of matplotlib Axes
        One per emotion, in the order of `signals`.

    Examples
    --------
    >>> axes = emotion_grid({"calm": np.zeros(8000), "angry": np.sin(np.arange(16000))}, 16000)
    >>> [ax.get_title() for ax in axes], axes[0].get_xlim() == axes[1].get_xlim()
    (['calm', 'angry'], True)
    >>> plt.close("all")
    """
    columns = min(4, len(signals))
    rows = -(-len(signals) // columns)
    if fig is None:
        fig = plt.figure(figsize=(2.3 * columns + 0.8, 1.9 * rows + 0.3), layout="constrained")
    axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    reference = max(spectrogram_db(y, sample_rate, kind).max() for y in signals.values())
    for ax, (emotion, y) in zip(axes.flat, signals.items(), strict=False):
        spectrogram(y, sample_rate, ax, kind, reference=reference, colorbar=False)
        ax.set(title=emotion, facecolor="black")  # where a shorter clip has ended there is silence
    used, spare = axes.flat[: len(signals)], axes.flat[len(signals) :]
    for ax in spare:
        ax.remove()
    for number, ax in enumerate(used):
        last = number + columns >= len(signals)  # nothing below it
        ax.tick_params(labelbottom=last, labelleft=number % columns == 0)
        ax.set(xlabel="time (s)" if last else "", ylabel=ax.get_ylabel() if number % columns == 0 else "")
    used[0].set_xlim(0, max(len(y) for y in signals.values()) / sample_rate)
    fig.colorbar(used[0].collections[0], ax=list(used), label="level (dB)", pad=0.01, fraction=0.03)
    return used


# Corpora ----------------------------------------------------------------------------------------------------


def durations(
    table: pd.DataFrame,
    by: str = "speaker",
    kind: str = "box",
    ax: Axes | None = None,
    hue: str | None = None,
) -> Axes:
    """Draw how long the clips are, per speaker or per sentence.

    Parameters
    ----------
    table : DataFrame
        Utterance table with ``duration`` in seconds.
    by : str
        Column that groups the clips: "speaker", "sentence", "emotion"…; where it is missing, "unknown".
    kind : {"box", "scatter"}
        Median, quartiles and whiskers of 1.5 interquartile ranges, or one dot per clip.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    hue : str, optional
        Column that colours the dots of a scatter; "emotion" gets the fixed colours.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `kind` is neither "box" nor "scatter".

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["a", "a", "b"], "duration": [1.0, 2.0, 3.0]})
    >>> ax = durations(table)
    >>> [tick.get_text() for tick in ax.get_xticklabels()], ax.get_ylabel()
    (['a', 'b'], 'duration (s)')
    >>> plt.close("all")
    """
    if kind not in ("box", "scatter"):
        raise ValueError(f"kind is 'box' or 'scatter', not {kind!r}")
    ax = _axes(ax)
    columns = list(dict.fromkeys(column for column in (by, hue) if column))
    data = table[columns].astype(object).where(table[columns].notna(), "unknown").astype(str)
    data = data.assign(duration=table["duration"])
    groups = list(emotion_palette(data[by])) if by == "emotion" else sorted(data[by].unique(), key=_natural)
    if kind == "box":
        sns.boxplot(
            data, x=by, y="duration", order=groups, ax=ax, color="#88CCEE", linewidth=0.9, fliersize=2
        )
    else:
        palette = emotion_palette(data[hue]) if hue == "emotion" else None
        style = {"color": _HONEST} if hue is None else {"hue": hue, "palette": palette}
        style |= {"hue_order": list(palette)} if palette else {}
        sns.stripplot(
            data,
            x=by,
            y="duration",
            order=groups,
            ax=ax,
            size=3,
            alpha=0.8,
            linewidth=0.3,
            jitter=0.25,
            **style,
        )
        if hue is not None:
            ax.legend(title=hue, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set(xlabel=by, ylabel="duration (s)")
    ax.grid(axis="y")
    _thin_labels(ax, groups)
    return ax


def _natural(name: str) -> tuple[bool, int, str]:
    """Sort numbers by value, 9 before 10, and before all other names."""
    return (False, int(name), name) if name.isdecimal() else (True, 0, name)


def _thin_labels(ax: Axes, groups: Sequence[str], at_most: int = 30) -> None:
    """Write every n-th name only, upright where names are long, so that they never overlap."""
    step = -(-len(groups) // at_most)
    upright = len(groups) * max(len(group) for group in groups) > 70
    ax.set_xticks(range(0, len(groups), step), groups[::step], rotation=90 if upright else 0)


def by_emotion(
    values: Sequence[float], emotions: Sequence[str], ax: Axes | None = None, label: str = "value"
) -> Axes:
    """Draw how one measured value spreads within each emotion, as box plots in the emotions' colours.

    Parameters
    ----------
    values : sequence of float
        One value per clip; NaN is left out.
    emotions : sequence of str
        The emotion of each clip.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    label : str
        Name and unit of the value.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = by_emotion([100, 120, 220], ["sad", "sad", "angry"], label="pitch (Hz)")
    >>> ax.get_ylabel(), [tick.get_text() for tick in ax.get_xticklabels()]
    ('pitch (Hz)', ['sad', 'angry'])
    >>> plt.close("all")
    """
    ax = _axes(ax)
    data = pd.DataFrame({"emotion": np.asarray(emotions, dtype=object), label: np.asarray(values, float)})
    palette = emotion_palette(data["emotion"])
    sns.boxplot(
        data,
        x="emotion",
        y=label,
        hue="emotion",
        order=list(palette),
        palette=palette,
        hue_order=list(palette),
        legend=False,
        saturation=1,
        linewidth=0.9,
        fliersize=2,
        medianprops={"color": "white", "linewidth": 2, "path_effects": _outlined()},
        ax=ax,
    )
    ax.set(xlabel="")
    ax.grid(axis="y")
    ax.tick_params(axis="x", rotation=30 if len(palette) > 6 else 0)
    return ax


def _outlined() -> list:
    """Give a white line a dark rim, so that it shows on light and on dark boxes."""
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=4, foreground=_INK), Normal()]


# Models -----------------------------------------------------------------------------------------------------


def learning_curves(
    history: Mapping[str, Sequence[float]], metric: str = "loss", ax: Axes | None = None
) -> Axes:
    """Draw a measure over the epochs of training, for training and validation data.

    Parameters
    ----------
    history : mapping of str to sequence of float, or DataFrame
        One value per epoch under `metric` and, if there is validation data, under ``"val_" + metric``:
        what Keras gives as ``history.history``.
    metric : str
        What to draw. The best validation epoch is marked: the lowest loss, the highest of anything else.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = learning_curves({"loss": [3, 2, 1], "val_loss": [3, 2.5, 2.8]})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['training', 'validation', 'best epoch: 2']
    >>> plt.close("all")
    """
    ax = _axes(ax)
    for key, name, style in ((metric, "training", "--"), (f"val_{metric}", "validation", "-")):
        if key in history:
            values = np.asarray(history[key], float)
            ax.plot(np.arange(1, len(values) + 1), values, style, color=_HONEST, label=name)
    if f"val_{metric}" in history:
        best = int(np.argmin(values) if "loss" in metric else np.argmax(values))
        ax.plot(best + 1, values[best], "o", color=_FLATTERING, label=f"best epoch: {best + 1}")
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=metric)
    ax.legend()
    return ax


def bands(
    curves: Mapping[str, pd.DataFrame],
    ax: Axes | None = None,
    ylabel: str = "UAR (%)",
    chance: float | None = None,
) -> Axes:
    """Draw scores by the share of labels, each with its interval as a band.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        Name of a curve to its ``percent``, ``value``, ``low`` and ``high`` (all but the first 0…1). Curves
        are told apart by colour and by the style of the line.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    ylabel : str
    chance : float, optional
        Score of guessing (0…1), drawn as a dotted line.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> curve = pd.DataFrame({"percent": [10, 100], "value": [0.4, 0.6], "low": [0.3, 0.5]})
    >>> curve["high"] = [0.5, 0.7]
    >>> ax = bands({"codes": curve}, chance=0.125)
    >>> ax.lines[0].get_ydata().tolist(), ax.get_xlabel()
    ([40.0, 60.0], 'labels used (%)')
    >>> plt.close("all")
    """
    ax = _axes(ax)
    looks = zip(_CURVE_COLOURS, _CURVE_STYLES, strict=True)
    for (name, curve), (colour, style) in zip(curves.items(), looks, strict=False):
        percent = curve["percent"].to_numpy(float)
        value, low, high = (100 * curve[key].to_numpy(float) for key in ("value", "low", "high"))
        ax.fill_between(percent, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(percent, value, linestyle=style, color=colour, linewidth=1.6, label=name)
    if chance is not None:
        ax.axhline(100 * chance, color=_EDGE, linestyle=":", linewidth=1)
    ax.set(xlabel="labels used (%)", ylabel=ylabel, xlim=(0, 100))
    ax.grid(axis="y")
    ax.legend()
    return ax


def confusion_matrix(
    labels: Sequence[str],
    predicted: Sequence[str],
    ax: Axes | None = None,
    classes: Sequence[str] | None = None,
) -> Axes:
    """Draw which emotion was taken for which: rows are true, columns predicted, each row sums to 100 %.

    Parameters
    ----------
    labels, predicted : sequence of str
        True and predicted emotion of each clip.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    classes : sequence of str, optional
        Order of rows and columns; by default that of the book's emotions.

    Returns
    -------
    matplotlib Axes
        Colour is the share of the row, the number in a cell the count of clips.

    Examples
    --------
    >>> ax = confusion_matrix(["sad", "sad", "angry"], ["sad", "angry", "angry"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '1']
    >>> plt.close("all")
    """
    classes = list(emotion_palette([*labels, *predicted]) if classes is None else classes)
    kind = pd.CategoricalDtype(classes)
    counts = pd.crosstab(
        pd.Series(list(labels), dtype=kind, name="true"),
        pd.Series(list(predicted), dtype=kind, name="predicted"),
        dropna=False,
    ).reindex(index=classes, columns=classes, fill_value=0)
    totals = counts.sum(axis=1)
    shares = 100 * counts.div(totals.where(totals > 0, 1), axis=0)
    if ax is None:
        side = 1.6 + 0.55 * len(classes)
        ax = plt.subplots(figsize=(side + 0.8, side))[1]
    sns.heatmap(
        shares,
        annot=counts.to_numpy(),
        fmt="d",
        cmap="Blues",
        vmin=0,
        vmax=100,
        square=True,
        linewidths=0.5,
        annot_kws={"fontsize": 8.5},
        cbar_kws={"label": "share of the true emotion (%)", "shrink": 0.8},
        ax=ax,
    )
    ax.set(xlabel="predicted", ylabel="true")
    ax.tick_params(axis="x", rotation=45, length=0)
    ax.tick_params(axis="y", rotation=0, length=0)
    return ax


def results(
    runs: pd.DataFrame, ax: Axes | None = None, chance: float | None = None, label: str = "title"
) -> Axes:
    """Draw the UAR of recorded runs with their intervals, honest and flattering splits told apart.

    Parameters
    ----------
    runs : DataFrame
        One row per run with ``protocol``, ``speaker_disjoint``, ``uar``, ``uar_low``, ``uar_high`` (0…1) and
        the column `label`, for example from `serlab.runs.table`. Runs with the same label share a row of the
        picture.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.
    chance : float, optional
        UAR of guessing (0…1), drawn as a dotted line.
    label : str
        Column that names the rows of the picture, drawn from top to bottom in order of appearance.

    Returns
    -------
    matplotlib Axes
        Filled dots are speaker-disjoint protocols; hollow diamonds are splits that share speakers.

    Examples
    --------
    >>> runs = pd.DataFrame({"title": ["tree", "tree"], "protocol": ["emobox6", "random5"],
    ...                      "speaker_disjoint": [True, False],
    ...                      "uar": [0.3, 0.4], "uar_low": [0.27, 0.37], "uar_high": [0.33, 0.44]})
    >>> ax = results(runs, chance=0.125)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['speaker-disjoint (emobox6)', 'speakers shared (random5)', 'chance']
    >>> plt.close("all")
    """
    titles = list(dict.fromkeys(runs[label]))
    if ax is None:
        ax = plt.subplots(figsize=(7.0, 1.0 + 0.38 * len(titles)))[1]
    # Honest ones first. A protocol is what its runs say: names tell nothing.
    pairs = zip(~runs["speaker_disjoint"].astype(bool), runs["protocol"], strict=True)
    protocols = sorted(dict.fromkeys(pairs), key=lambda pair: pair[0])
    honest_markers, flattering_markers = iter("os^P"), iter("DdvX")
    for number, (flattering, protocol) in enumerate(protocols):
        shown = runs[(runs["protocol"] == protocol) & (runs["speaker_disjoint"] != flattering)]
        value, low, high = (100 * shown[key].to_numpy(float) for key in ("uar", "uar_low", "uar_high"))
        offset = 0.22 * (number - (len(protocols) - 1) / 2)
        colour = _FLATTERING if flattering else _HONEST
        ax.errorbar(
            value,
            [titles.index(title) + offset for title in shown[label]],
            xerr=[value - low, high - value],
            fmt=next(flattering_markers if flattering else honest_markers),
            color=colour,
            markerfacecolor="white" if flattering else colour,
            markersize=5,
            elinewidth=1.2,
            capsize=2.5,
            label=f"{'speakers shared' if flattering else 'speaker-disjoint'} ({protocol})",
        )
    handles = ax.get_legend_handles_labels()[0]
    if chance is not None:
        handles.append(ax.axvline(100 * chance, color=_EDGE, linestyle=":", label="chance"))
    ax.set_yticks(range(len(titles)), titles)
    ax.set(xlabel="UAR (%), with 95 % intervals over speakers", xlim=(0, 100))
    ax.set_ylim(len(titles) - 0.5, -0.5)
    ax.grid(axis="x")
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(3, len(handles)))
    return ax

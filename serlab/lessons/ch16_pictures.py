"""Chapter 16: pictures turned back into sound, and pictures of paintings, draws and differences."""

from collections.abc import Mapping, Sequence

import librosa
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab.corpora import synthesis
from serlab.features import Spectrogram
from serlab.lessons import ch16_few_labels as few_labels
from serlab.lessons import ch16_learning_curve as learning_curve
from serlab.plots.style import FLATTERING, HONEST, SIZE, name_rows, new_axes

RATE = 8000
SCORES = {"uar": "UAR", "weighted_f1": "weighted F1"}
COLOURS = {"codes": HONEST, "statistics": FLATTERING}


def from_picture(picture: np.ndarray) -> np.ndarray:
    """Turn a picture of `serlab.features.Spectrogram` into sound at 8 kHz, phases guessed (Griffin & Lim).

    In a picture, (frames, lines), 1 is the loudest value, 0 is 60 dB or more below it.

    Examples
    --------
    >>> len(from_picture(Spectrogram(seconds=1).extract(np.ones(8000))))
    7200
    """
    picture = np.pad(np.asarray(picture, np.float64), ((0, 0), (0, 1)))
    frames, window = len(picture), 2 * (picture.shape[1] - 1)
    # One more frame between each two: neighbours must overlap for phases to be guessed.
    between = np.linspace(0, frames - 1, 2 * frames - 1)
    finer = np.array([np.interp(between, range(frames), line) for line in picture.T])
    magnitude = np.where(finer > 0, 10 ** (3 * (finer - 1)), 0)
    y = librosa.griffinlim(magnitude, hop_length=window // 2, n_fft=window, random_state=0)
    return (0.5 * y / max(np.abs(y).max(), 1e-9)).astype(np.float32)


@synthesis.remember
def heard(*, emotion: str) -> np.ndarray:
    """Let a synthetic voice speak, keep only the picture of it, and turn that back into sound.

    Examples
    --------
    >>> len(heard(emotion="happy")) / RATE
    3.65
    """
    return from_picture(picture_of(synthesis.synthesise_phrase("d02", emotion=emotion)))


def picture_of(y: np.ndarray) -> np.ndarray:
    """Draw the picture, 74 x 200, of a synthetic phrase."""
    at_8k = librosa.resample(np.asarray(y, np.float32), orig_sr=synthesis.SAMPLE_RATE, target_sr=RATE)
    return Spectrogram().extract(at_8k)


def show(picture: np.ndarray, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw a picture, (frames, lines), time to the right and frequency upwards."""
    ax = new_axes(ax, SIZE)
    extent = (0, 0.05 * len(picture), 0, RATE / 2000)
    ax.imshow(picture.T, origin="lower", aspect="auto", cmap="gray", vmin=0, vmax=1, extent=extent)
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)", title=title)
    ax.grid(False)
    return ax


def crossings(draws: pd.DataFrame, model: str = "forest-default") -> pd.DataFrame:
    """Give, for each draw and score of "three-sets-draws", up to which percentage codes are ahead.

    Examples
    --------
    >>> draws = pd.DataFrame({"draw": 0, "percent": [2, 4] * 4, "model": "svm", "value": [3, 1, 2, 2] * 2})
    >>> draws = draws.assign(kind=["codes", "codes", "statistics", "statistics"] * 2)
    >>> draws = draws.assign(metric=["uar"] * 4 + ["weighted_f1"] * 4)
    >>> crossings(draws, "svm").loc[0].to_dict()
    {'UAR': 2, 'weighted F1': 2}
    """
    columns = {}
    for metric, title in SCORES.items():
        some = curve(draws, metric, model=model)
        wide = some.pivot_table(index=["draw", "percent"], columns="kind", values="value")
        gap = (wide["codes"] - wide["statistics"]).reset_index(name="gap").groupby("draw")
        columns[title] = {
            number: learning_curve.crossing(one["gap"], one["percent"].tolist()) for number, one in gap
        }
    return pd.DataFrame(columns)


def one_draw(draws: pd.DataFrame, number: int = 0, ax: Axes | None = None) -> Axes:
    """Draw the UAR of a random forest over the share of labels, of one draw of "three-sets-draws" only."""
    ax = new_axes(ax, SIZE)
    for (kind, colour), style in zip(COLOURS.items(), ("-", "--"), strict=True):
        part = curve(draws[draws["draw"] == number], model="forest-default", kind=kind)
        ax.plot(part["percent"], 100 * part["value"], style, color=colour, label=few_labels.KINDS[kind])
    ax.set(xlabel="labels used (%)", ylabel="UAR (%)", xlim=(0, 100))
    ax.legend()
    return ax


def crossings_plot(found: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a dot for each draw, one row for each score, and a line where the original report had its dot."""
    ax = new_axes(ax, (SIZE[0], 2.8))
    for place, title in enumerate(found):
        # Dots that would hide each other stand one above the other.
        height = 0.09 * found.groupby(title).cumcount()
        rows = place - height.where(found.duplicated(title, keep=False), 0)
        ax.plot(found[title], rows, "o", color=HONEST, markersize=5, alpha=0.7)
    ax.axvline(few_labels.FOUND, color=FLATTERING, linestyle="--", label="the report's draw")
    return name_rows(ax, found, "codes are ahead up to (% of the labels)", xlim=(-3, 103))


def leads(recorded: pd.DataFrame, models: Mapping[str, str], metrics: Sequence[str] = tuple(SCORES)):
    """Give codes less statistics in points, with intervals, from a table "<name>-leads" of `few_labels.read`.

    One row per model, by what it is to be called, score and range of labels.

    Examples
    --------
    >>> row = {"against": "statistics", "model": "svm", "metric": "uar", "above": 0, "up_to": 56}
    >>> recorded = pd.DataFrame([row | {"difference": -0.01, "low": -0.03, "high": 0.01}])
    >>> leads(recorded, {"svm": "SVM"}).reset_index().values.tolist()
    [['SVM', 'UAR', '0-56 %', -1.0, -3.0, 1.0]]
    """
    against = recorded[recorded["against"] == "statistics"]
    asked = [(against["model"] == model) & (against["metric"] == one) for model in models for one in metrics]
    some = pd.concat([against[rows] for rows in asked])
    labels = some["above"].astype(str) + "-" + some["up_to"].astype(str) + " %"
    shown = pd.DataFrame({"model": some["model"].map(models), "score": some["metric"].map(SCORES)})
    # As Python writes them, which is how the prose has them: numpy rounds halves to even.
    points = (100 * some[["difference", "low", "high"]]).map(lambda value: float(f"{value:.1f}"))
    return shown.assign(labels=labels).join(points).set_index(["model", "score", "labels"])


def score_table(recorded: pd.DataFrame, rows: Mapping[str, Mapping], percentages: Sequence[int]):
    """Give recorded UAR in percent, one row per name, one column per share of labels.

    `rows` gives for each name the values by which its curve is found, such as ``{"model": "svm"}``.

    Examples
    --------
    >>> recorded = pd.DataFrame({"metric": "uar", "model": "svm", "percent": [10, 100], "value": [0.3, 0.5]})
    >>> score_table(recorded, {"SVM": {"model": "svm"}}, [10, 100]).loc["SVM"].to_dict()
    {'10 %': 30.0, '100 %': 50.0}
    """
    table = {}
    for name, wanted in rows.items():
        values = curve(recorded, **wanted).set_index("percent")["value"]
        table[name] = {f"{percent} %": 100 * values[percent] for percent in percentages}
    return pd.DataFrame(table).T.round(1)


def curve(recorded: pd.DataFrame, metric: str = "uar", **wanted: str) -> pd.DataFrame:
    """Find one curve in a recorded table."""
    for column, value in {"metric": metric, **wanted}.items():
        recorded = recorded[recorded[column] == value]
    return recorded

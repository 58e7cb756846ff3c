"""The figures, tested through the data, labels and limits of their axes rather than through images."""

from __future__ import annotations

import inspect
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from serlab import plots, splits
from serlab import runs as recorded
from serlab.errors import AudioError, EvaluationError, SerlabError

RATE = 16000


@pytest.fixture(autouse=True)
def no_windows():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def test_the_package_names_every_public_function_of_its_modules():
    modules = (plots.corpus, plots.models, plots.sound, plots.style)
    defined = {
        name: thing
        for module in modules
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    }
    assert sorted(plots.__all__) == sorted([*defined, "EMOTION_COLOURS"])
    assert all(getattr(plots, name) is thing for name, thing in defined.items())


def tone(frequency: float, seconds: float = 1.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)


def ticks(ax) -> list[str]:
    return [tick.get_text() for tick in ax.get_xticklabels()]


# Machado, Oliveira & Fernandes 2009, full severity, on linear RGB.
COLOUR_BLINDNESS = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen_as(colour: str, matrix) -> np.ndarray:
    """Return the CIELAB value of a colour as an eye of that kind sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", COLOUR_BLINDNESS)
def test_emotion_colours_stay_apart_for_every_eye(eye):
    seen = [seen_as(colour, COLOUR_BLINDNESS[eye]) for colour in plots.EMOTION_COLOURS.values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


def test_every_emotion_of_the_book_has_a_colour():
    from serlab.corpora import EMOTIONS

    assert list(plots.EMOTION_COLOURS) == list(EMOTIONS)


def test_palette_keeps_colours_whatever_else_is_present():
    alone, together = plots.emotion_palette(["angry"]), plots.emotion_palette(["zeal", "angry", "calm"])
    assert alone["angry"] == together["angry"]
    assert list(together) == ["calm", "angry", "zeal"]


def test_style_gives_a_white_page_and_unhurried_size():
    with mpl.rc_context():
        plots.set_style()
        assert to_rgb(plt.figure().get_facecolor()) == (1, 1, 1)
        assert mpl.rcParams["figure.dpi"] <= 120


def test_waveform_draws_on_the_given_axes_and_spans_the_clip(ax):
    assert plots.waveform(tone(100, 1.5), RATE, ax) is ax
    assert ax.get_xlim() == (0, 1.5)
    ax.figure.canvas.draw()
    assert len(ticks(ax)) > 3
    assert [float(tick) for tick in ticks(ax)] == pytest.approx(ax.get_xticks()), "ticks are not rounded away"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "amplitude")
    assert np.abs(ax.lines[0].get_ydata()).max() <= 0.5


def test_spectrum_peaks_at_the_tones_and_keeps_their_ratio(ax):
    assert plots.spectrum(tone(1000) + tone(3000, level=0.05), RATE, ax) is ax
    frequency, level = ax.lines[0].get_data()
    assert level.max() == 0
    assert level.min() >= -80
    assert_allclose(level[np.argmin(np.abs(frequency - 3000))], -20, atol=0.5)
    assert ax.get_ylabel() == "level (dB)"
    assert ax.get_xlim() == (0, RATE / 2)


def test_spectrum_takes_clips_shorter_than_its_window(ax):
    plots.spectrum(tone(1000, 0.02), RATE, ax, label="short", color="red")
    assert ax.lines[0].get_label() == "short"


@pytest.mark.parametrize(
    ("kind", "label"), [("stft", "frequency (Hz)"), ("mel", "frequency (Hz), mel scale")]
)
def test_spectrogram_is_brightest_at_the_tone(kind, label, ax):
    assert plots.spectrogram(tone(2000), RATE, ax, kind) is ax
    mesh = ax.collections[0]
    level = mesh.get_array()
    middle = level[:, level.shape[1] // 2]
    edges = mesh.get_coordinates()[:, 0, 1]
    row = int(middle.argmax())
    assert edges[row] - 60 <= 2000 <= edges[row + 1] + 60
    assert ax.get_ylabel() == label
    assert mesh.get_clim() == (-80, 0)
    assert level.max() == pytest.approx(0, abs=1e-4)


def test_spectrogram_reference_keeps_a_quiet_clip_dark(ax):
    reference = plots.spectrogram_db(tone(500), RATE).max()
    plots.spectrogram(tone(500, level=0.005), RATE, ax, reference=reference, colorbar=False)
    assert ax.collections[0].get_array().max() == pytest.approx(-40, abs=0.1)
    assert len(ax.figure.axes) == 1


def test_spectrogram_names_the_kinds_it_knows():
    with pytest.raises(ValueError, match="'stft' or 'mel', not 'bark'"):
        plots.spectrogram(tone(500), RATE, kind="bark")


@pytest.mark.parametrize("draw", [plots.waveform, plots.spectrum, plots.spectrogram])
@pytest.mark.parametrize(
    ("y", "rate", "message"),
    [
        (np.zeros(0), RATE, "samples in it"),
        (np.zeros((2, 900)), RATE, "Average the channels"),
        (np.full(900, np.nan), RATE, "NaN"),
        (np.zeros(900), 0, "sampling rate of the signal, above 0, not 0"),
    ],
)
def test_what_is_no_sound_is_refused_before_anything_is_drawn(draw, y, rate, message):
    before = plt.get_fignums()
    with pytest.raises(AudioError, match=f"^{draw.__name__} .*{message}"):
        draw(y, rate)
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.emotion_grid({}, RATE), "one signal or more"),
        (lambda: plots.confusion_matrix([], []), "nothing to evaluate"),
        (lambda: plots.confusion_matrix(["sad"], ["sad", "calm"]), "1 labels do not go with 2"),
        (lambda: plots.confusion_matrix(["sad", None], ["sad", "calm"]), "missing"),
        (lambda: plots.durations(pd.DataFrame({"duration": [1.0]}), "a", "b"), "clips lack the columns a, b"),
        (lambda: plots.by_emotion([1, 2], ["sad"]), "2 values do not go with 1 emotions"),
        (lambda: plots.results(pd.DataFrame()), "runs lack the columns title, protocol"),
        (lambda: plots.timeline(pd.DataFrame({"recording": ["a"]})), "answers lack the columns start, end"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, message):
    with pytest.raises(SerlabError, match=message):
        draw()


def test_emotion_grid_shares_all_three_scales():
    signals = {
        "calm": tone(300, 0.5, 0.05),
        "happy": tone(300, 0.7),
        "sad": tone(300, 0.9),
        "angry": tone(300, 1.1, 0.5),
        "bored": tone(300, 0.6),
    }
    axes = plots.emotion_grid(signals, RATE)
    assert [ax.get_title() for ax in axes] == list(signals)
    assert {ax.get_xlim() for ax in axes} == {(0, 1.1)}
    assert len({ax.get_ylim() for ax in axes}) == 1
    peaks = {ax.get_title(): ax.collections[0].get_array().max() for ax in axes}
    assert peaks["angry"] == pytest.approx(0, abs=0.5)
    assert peaks["calm"] == pytest.approx(-20, abs=0.5)
    titled = [ax for ax in axes[0].figure.axes if ax.get_title()]
    assert len(titled) == len(signals), "no empty panels are left"


def test_durations_have_one_dot_per_clip_by_two_columns(ax):
    table = pd.DataFrame({"sentence": ["b", "a", "b"], "speaker": list("xxy"), "duration": [1.0, 2.0, 3.0]})
    assert plots.durations(table, "sentence", "speaker", ax) is ax
    assert ticks(ax) == ["a", "b"]
    assert sorted(dot[1] for group in ax.collections for dot in group.get_offsets()) == [1, 2, 3]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["x", "y"]


def test_durations_of_clips_without_a_sentence_are_drawn_as_unknown(ax):
    table = pd.DataFrame({"sentence": ["b", None, np.nan], "speaker": "x", "duration": [1.0, 2.0, 3.0]})
    plots.durations(table, "sentence", "speaker", ax)
    assert ticks(ax) == ["b", "unknown"]
    assert sorted(dot[1] for group in ax.collections for dot in group.get_offsets()) == [1, 2, 3]


def test_by_emotion_draws_each_median(ax):
    values = [1.0, 2.0, 3.0, 10.0, 20.0, np.nan]
    emotions = ["sad", "sad", "sad", "happy", "happy", "happy"]
    assert plots.by_emotion(values, emotions, ax, "pitch (Hz)") is ax
    assert ticks(ax) == ["happy", "sad"]
    assert ax.get_ylabel() == "pitch (Hz)"
    flat = {float(y[0]) for y in (line.get_ydata() for line in ax.lines) if len(y) == 2 and y[0] == y[1]}
    assert {2.0, 15.0} <= flat
    boxes = [to_rgb(patch.get_facecolor()) for patch in ax.patches]
    assert boxes == [to_rgb(plots.EMOTION_COLOURS[e]) for e in ("happy", "sad")]


@pytest.mark.parametrize(("metric", "best"), [("loss", 2), ("accuracy", 3)])
def test_learning_curves_mark_the_best_validation_epoch(metric, best, ax):
    history = {metric: [0.9, 0.5, 0.3], f"val_{metric}": [0.8, 0.6, 0.9]}
    assert plots.learning_curves(history, metric, ax) is ax
    training, validation, dot = ax.lines
    assert_allclose(training.get_xydata(), [[1, 0.9], [2, 0.5], [3, 0.3]])
    assert_allclose(validation.get_ydata(), [0.8, 0.6, 0.9])
    assert dot.get_xydata()[0, 0] == best
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", metric)


def test_learning_curves_without_validation(ax):
    plots.learning_curves(pd.DataFrame({"loss": [2.0, 1.0]}), ax=ax)
    assert len(ax.lines) == 1


def test_bands_draw_values_within_their_intervals(ax):
    curve = pd.DataFrame({"percent": [10, 50, 100], "value": [0.4, 0.5, 0.6]})
    curve = curve.assign(low=curve["value"] - 0.1, high=curve["value"] + 0.2)
    assert plots.bands({"codes": curve, "others": curve / [1, 2, 2, 2]}, ax, chance=0.25) is ax
    first, second, chance = ax.lines
    assert_allclose(first.get_xydata(), [[10, 40], [50, 50], [100, 60]])
    assert_allclose(second.get_ydata(), [20, 25, 30])
    assert_allclose(chance.get_ydata(), 25)
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()
    band = ax.collections[0].get_paths()[0].vertices
    assert_allclose([band[:, 1].min(), band[:, 1].max()], [30, 80])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["codes", "others"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("labels used (%)", "UAR (%)")


def test_confusion_matrix_colours_by_share_and_writes_counts(ax):
    labels = ["sad"] * 4 + ["angry"] * 2
    predicted = ["sad", "sad", "sad", "angry", "angry", "angry"]
    assert plots.confusion_matrix(labels, predicted, ax) is ax
    assert_allclose(np.asarray(ax.collections[0].get_array()).reshape(2, 2), [[75, 25], [0, 100]])
    assert [text.get_text() for text in ax.texts] == ["3", "1", "0", "2"]
    assert ticks(ax) == ["sad", "angry"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_confusion_matrix_keeps_classes_that_nobody_meant():
    ax = plots.confusion_matrix(["sad"], ["calm"])
    assert_allclose(np.asarray(ax.collections[0].get_array()).ravel(), [0, 0, 100, 0])


@pytest.fixture
def runs():
    return pd.DataFrame(
        {
            "title": ["tree", "svm", "tree", "svm"],
            "protocol": ["random5", "random5", "emobox6", "emobox6"],
            "speaker_disjoint": [False, False, True, True],
            "uar": [0.40, 0.68, 0.30, 0.49],
            "uar_low": [0.37, 0.65, 0.27, 0.44],
            "uar_high": [0.44, 0.70, 0.33, 0.52],
        }
    )


def test_results_draw_values_and_intervals_in_percent(runs, ax):
    assert plots.results(runs, ax, chance=0.125) is ax
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["tree", "svm"]
    honest, flattering = ax.containers
    assert honest.get_label() == "speaker-disjoint (emobox6)"
    assert_allclose(honest.lines[0].get_xdata(), [30, 49])
    assert_allclose([segment[:, 0] for segment in honest.lines[2][0].get_segments()], [[27, 33], [44, 52]])
    assert flattering.get_label() == "speakers shared (random5)"
    assert flattering.lines[0].get_markerfacecolor() == "white"
    assert honest.lines[0].get_markerfacecolor() != "white"
    assert ax.lines[-1].get_xdata()[0] == 12.5
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "first run on top"


def test_results_make_their_own_figure_and_need_no_chance(runs):
    ax = plots.results(runs.head(1))
    assert ax.get_xlim() == (0, 100)
    assert len(ax.get_legend().get_texts()) == 1


@pytest.mark.parametrize("protocol", sorted({key[1] for key in recorded.list_runs()} | {"six-seed-split"}))
def test_results_believe_the_record_and_not_the_name(runs, protocol):
    for disjoint in (True, False):
        ax = plots.results(runs.head(2).assign(protocol=protocol, speaker_disjoint=disjoint))
        said = ax.get_legend().get_texts()[0].get_text()
        assert said == f"{'speaker-disjoint' if disjoint else 'speakers shared'} ({protocol})"


def test_splits_of_six_emotions_are_drawn_as_what_they_are(ax):
    table = pd.DataFrame({"speaker": list("aabbccdd"), "emotion": ["sad", "happy"] * 4})
    table["sentence"] = table["emotion"]
    table["clip"] = [f"{row}.wav" for row in range(len(table))]
    made = [splits.make(table, name) for name in ("six-seed-split", "six-text", "six-clips25", "six-loso")]
    rows = [(one.name, one.speaker_disjoint, 0.5, 0.4, 0.6) for one in made]
    frame = pd.DataFrame(rows, columns=["protocol", "speaker_disjoint", "uar", "uar_low", "uar_high"])
    plots.results(frame.assign(title="tree"), ax)
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[0] == "speaker-disjoint (six-loso)"
    assert all(text.startswith("speakers shared (six-") for text in said[1:])


def test_results_of_many_protocols_have_a_mark_each():
    names = [f"group{k}" for k in range(2, 9)]
    many = pd.DataFrame({"title": "tree", "protocol": names, "speaker_disjoint": True})
    ax = plots.results(many.assign(uar=0.3, uar_low=0.2, uar_high=0.4))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        f"speaker-disjoint ({n})" for n in names
    ]


@pytest.fixture
def answers():
    """Three windows, a pause, and two more, the last of which follows after half a second."""
    start = np.array([0.0, 1, 2, 9, 9.5])
    table = pd.DataFrame({"recording": "talk", "start": start, "end": start + 3})
    table["emotion"] = ["sad", "not sure", "angry", "angry", "sad"]
    p = np.array([0.9, 0.5, 0.2, 0.1, 0.7])
    return table.assign(p_sad=p, p_angry=1 - p)


def test_a_timeline_stands_at_the_middle_of_each_window(answers, ax):
    assert plots.timeline(answers, ax) is ax
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["sad", "angry"]
    columns = [mesh.get_coordinates()[0, :, 0] for mesh in ax.collections]
    assert_allclose(columns, [[1, 2], [2, 3], [3, 4], [10, 10.75], [10.75, 11.5]])
    assert_allclose([mesh.get_array()[0, 0] for mesh in ax.collections], answers["p_sad"])
    assert {mesh.get_clim() for mesh in ax.collections} == {(0, 1)}
    assert ax.get_xlim() == (0, 12.5)


def test_a_timeline_marks_only_what_the_model_is_sure_of(answers, ax):
    plots.timeline(answers, ax)
    assert_allclose(ax.lines[0].get_xydata(), [[1.5, 0], [3.5, 1], [10.5, 1], [11, 0]])


def test_a_timeline_is_of_one_recording(answers):
    answers.loc[0, "recording"] = "other"
    with pytest.raises(EvaluationError, match="one recording, and these are 2"):
        plots.timeline(answers)

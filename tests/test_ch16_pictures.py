"""What chapter 16 shows and plays: pictures as sound, draws, and recorded curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.features import Spectrogram
from serlab.lessons import ch16_few_labels as few_labels
from serlab.lessons import ch16_pictures as lesson


def test_a_tone_comes_back_from_its_picture_at_its_pitch():
    y = np.sin(2 * np.pi * 1000 * np.arange(30_000) / lesson.RATE)
    heard = lesson.from_picture(Spectrogram().extract(y))
    spectrum = np.abs(np.fft.rfft(heard[8000:16_000]))
    assert abs(int(np.argmax(spectrum)) - 1000) <= 20, "lines are 20 Hz apart"
    assert np.abs(heard).max() == pytest.approx(0.5)


def test_silence_stays_silent():
    assert not lesson.from_picture(np.zeros((74, 200))).any()


def test_sound_can_be_made_again_for_the_page():
    take = lesson.heard(emotion="sad")
    assert take.recipe == {"function": "serlab.lessons.ch16_pictures.heard", "emotion": "sad"}


def test_recorded_draws_cross_anywhere_by_uar_and_nowhere_by_weighted_f1():
    found = lesson.crossings(few_labels.read("three-sets-draws"))
    assert (found["UAR"].min(), found["UAR"].max()) == (0, 98)
    assert found["weighted F1"].max() <= 6
    drawn = np.sort(np.concatenate([line.get_xdata() for line in lesson.crossings_plot(found).lines[:2]]))
    assert drawn.tolist() == sorted(found.to_numpy().ravel().tolist())


def test_one_draw_is_drawn_alone():
    draws = few_labels.read("three-sets-draws")
    first, second = (lesson.one_draw(draws, number).lines[0].get_ydata() for number in (0, 1))
    assert len(first) == len(second) == 50
    assert list(first) != list(second)


def test_leads_come_in_the_order_asked_for():
    models = {"svm-default": "as it is", "svm": "scaled"}
    found = lesson.leads(few_labels.read("ravdess-leads"), models, ["uar"])
    assert found.index.get_level_values("model").unique().tolist() == ["as it is", "scaled"]
    assert found.loc[("as it is", "UAR", "0-100 %")].tolist() == [18.7, 16.0, 21.3]


def test_a_picture_is_shown_with_time_to_the_right():
    ax = lesson.show(np.zeros((74, 200)), title="black")
    assert ax.images[0].get_array().shape == (200, 74)
    assert ax.images[0].get_extent() == [0, pytest.approx(3.7), 0, 4]


def test_a_table_of_scores_asks_for_one_curve_each():
    recorded = pd.DataFrame(
        {"metric": ["uar", "weighted_f1"], "model": "svm", "percent": 10, "value": [0.4, 0.9]}
    )
    assert lesson.score_table(recorded, {"SVM": {"model": "svm"}}, [10]).loc["SVM", "10 %"] == 40

"""What chapters 14 and 14b compute and draw: distances of averages, and questions to recorded answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plots, runs
from serlab.features import Averages
from serlab.lessons import ch14_averages as lesson


@pytest.fixture(scope="module")
def said():
    return lesson.facts(runs.read("emodb_first2s", "loso", "model-a"))


def test_averages_hardly_notice_that_a_voice_runs_backwards():
    forwards, backwards = (Averages().extract(lesson.voice(way=way)) for way in ("forwards", "backwards"))
    assert np.corrcoef(forwards, backwards)[0, 1] > 0.999


def test_a_voice_says_how_it_was_made():
    assert lesson.voice(way="backwards").recipe["way"] == "backwards"


def test_views_show_the_whole_clip():
    wave, _, picture, cepstrum = lesson.views(lesson.voice(), 16_000).flat
    seconds = len(lesson.voice()) / 16_000
    for ax in (wave, picture, cepstrum):
        assert ax.get_xlim()[1] == pytest.approx(seconds, abs=0.1)


def test_pairs_go_by_what_the_two_clips_share():
    table = pd.DataFrame({"speaker": list("aabb"), "emotion": ["sad", "happy"] * 2})
    Z = np.array([[0.0], [1.0], [10.0], [12.0]])
    found = lesson.pairs(table, Z, count=500)
    assert set(found["two clips, same speaker"]) == {1.0, 2.0}
    assert set(found["two clips, same emotion"]) == {10.0, 11.0}
    assert set(found["two clips, nothing in common"]) == {9.0, 12.0}
    assert "two clips, same speaker and emotion" not in found


def test_boxes_stand_in_the_order_given():
    ax = lesson.boxes({"slower": [0.1, 0.3], "two clips": [1.0, 2.0, 3.0]})
    assert [text.get_text() for text in ax.get_yticklabels()] == ["slower", "two clips"]


def test_heat_has_a_row_for_each_emotion_and_marks_the_kinds():
    Z = np.array([[1.0] * 30, [-1.0] * 30])
    ax = lesson.heat(Z, ["angry", "sad"], {"mfcc": 20, "mel": 9, "tonnetz": 1})
    assert [text.get_text() for text in ax.get_yticklabels()] == ["sad", "angry"]
    assert [text.get_text() for text in ax.texts] == ["mfcc", "mel"]
    assert ax.collections[0].get_array().reshape(2, 30)[:, 0].tolist() == [-1, 1]


def test_facts_tell_who_spoke_what_and_how_long(said):
    one = said.set_index("clip").loc["03a01Fa"]
    assert (one["gender"], one["sentence"], one["label"]) == ("male", "a01", "happy")
    assert said["sure"].between(1 / 7, 1).all()
    assert (said["right"] == (said["label"] == said["predicted"])).all()
    assert (said["seconds"] > 2).sum() == 409


def test_risk_curves_end_with_all_answers(said):
    curve, dot = plots.risk_curves({"model A": said}).lines
    assert curve.get_ydata()[-1] == pytest.approx(100 * (~said["right"]).mean())
    assert dot.get_xdata()[0] == pytest.approx(100 * (said["sure"] > 0.5).mean())
    assert dot.get_ydata()[0] == pytest.approx(100 * (~said.loc[said["sure"] > 0.5, "right"]).mean())


def test_women_and_men_have_a_mark_for_each_speaker(said):
    women, men = lesson.women_and_men({"model A": said}).lines
    assert len(women.get_xdata()) == len(men.get_xdata()) == 5
    assert max(women.get_xdata()) == pytest.approx(
        100 * said[said["gender"] == "female"].groupby("speaker")["right"].mean().max()
    )

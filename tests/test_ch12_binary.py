"""What chapter 12 counts and draws: feasible UARs, answers looked at closely, lines between yes and no."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation
from serlab.lessons import ch12_binary as lesson


@pytest.fixture(scope="module")
def said():
    return lesson.recorded("original", "neutral")


def test_answers_are_read_for_one_question_or_for_all(said):
    assert set(said["label"]) == {"neutral", "other"}
    assert set(lesson.recorded("original")["label"]) == {"negative", "neutral", "positive"}


def test_every_uar_that_fits_an_accuracy_is_given():
    counts = {"yes": 3, "no": 5, "right": 6}
    by_hand = set()
    for found in range(4):
        for spared in range(6):
            if found + spared == counts["right"]:
                by_hand.add(round((found / 3 + spared / 5) / 2, 9))
    assert {round(value, 9) for value in lesson.possible_uars(**counts)} == by_hand


def test_the_bar_runs_from_the_lowest_to_the_highest_uar():
    table = pd.DataFrame({"yes": [39], "no": [151], "right": [151]}, index=["positive"])
    bar = lesson.feasible(table).patches[0]
    assert bar.get_x() == pytest.approx(50)
    assert bar.get_x() + bar.get_width() == pytest.approx(100 * (1 + 112 / 151) / 2)


def test_closely_agrees_with_the_measures_of_the_package(said):
    found = lesson.closely(said["label"] == "neutral", said["predicted"] == "neutral")
    assert found["UAR"] == pytest.approx(evaluation.uar(said["label"], said["predicted"]))
    assert found["accuracy"] == pytest.approx(evaluation.accuracy(said["label"], said["predicted"]))
    whole = lesson.closely(np.array([True, False, False]), np.zeros(3, bool))
    assert (whole["dummy"], whole["accuracy"], whole["found"]) == pytest.approx((2 / 3, 2 / 3, 0))


def test_auc_counts_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"speaker": np.arange(60) % 6, "label": rng.choice(["sad", "other"], 60)})
    table["p_sad"] = rng.random(60)
    yes, no = (table.loc[(table["label"] == "sad") == side, "p_sad"].to_numpy() for side in (True, False))
    assert lesson.auc(table, "sad").value == pytest.approx(np.mean(yes[:, None] > no))


def test_the_mark_lies_on_the_curve_where_the_model_decides(said):
    ax = lesson.roc_plot({"original": said}, "neutral")
    curve, mark, guesser = ax.lines
    found = lesson.closely(said["label"] == "neutral", said["predicted"] == "neutral")
    assert mark.get_ydata()[0] == pytest.approx(100 * found["found"])
    assert np.interp(mark.get_xdata()[0], curve.get_xdata(), curve.get_ydata()) == pytest.approx(
        mark.get_ydata()[0], abs=1
    )
    assert guesser.get_label() == "a guesser"


def test_a_lower_line_finds_more_and_spares_less():
    part = np.array([True, True, False, False]), np.array([0.4, 0.2, 0.3, 0.1])
    assert [lesson.uar_from(*part, line) for line in (0.5, 0.35, 0.15, 0.0)] == [0.5, 0.75, 0.75, 0.5]

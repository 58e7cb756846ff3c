"""The companion of chapter 10: who is right, which ranks are open, what the winner loses."""

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, plots, runs
from serlab.lessons import ch10_leaderboard as lesson


@pytest.fixture(scope="module")
def found():
    names = ("cnn", "ann", "majority")
    return {name: runs.read("ravdess", "emobox6", name) for name in names}


@pytest.fixture(scope="module")
def right(found):
    return lesson.right_answers(found)


def test_answers_give_the_recorded_scores(found, right):
    scores = lesson.uar_by_speaker(right).mean()
    assert scores.to_dict() == pytest.approx(
        {name: run.meta["scores"]["uar"] for name, run in found.items()}, abs=1e-5
    )


def test_ranks_follow_the_paired_comparison(found, right):
    ranks = lesson.rank_intervals(right)
    assert evaluation.compare(found["cnn"], found["ann"]).low > 0
    assert ranks["place"].to_dict() == {"cnn": 1, "ann": 2, "majority": 3}
    assert ranks["best"].tolist() == ranks["worst"].tolist() == [1, 2, 3]


def test_equal_models_may_have_any_rank():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([list("abcdef"), ["sad", "happy"], range(20)])
    index = index.set_names(["speaker", "label", "clip"])
    equal = pd.DataFrame(rng.random((240, 2)) < 0.5, index=index, columns=["one", "two"]).astype(float)
    ranks = lesson.rank_intervals(equal)
    assert (ranks["best"] == 1).all()
    assert (ranks["worst"] == 2).all()


def test_the_best_of_many_loses_and_a_single_model_does_not():
    scores = pd.DataFrame(np.random.default_rng(0).normal(0.5, 0.05, (24, 20)))
    one, many = lesson.choose_and_check(scores, [1, 20], draws=200)
    assert one == pytest.approx(0, abs=0.3)
    assert many > 1


def test_gaps_are_of_women_less_men(found):
    table = lesson.gender_gaps({"cnn": found["cnn"]})
    assert table.loc["cnn", "gap"] == pytest.approx(
        table.loc["cnn", "women"] - table.loc["cnn", "men"], abs=0.11
    )


def test_a_board_has_a_row_for_each_plain_model():
    table = runs.table().query("corpus == 'ravdess' and protocol == 'emobox6'")
    ax = lesson.board(table)
    assert len(ax.get_yticklabels()) == (~table["speaker_normalised"]).sum()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert set(texts) == {"from scratch", "borrowed", "speaker-normalised", "chance"}


def test_reliability_is_drawn_in_percent(found):
    curve = evaluation.reliability(found["cnn"])
    drawn = plots.reliability({"cnn": curve}).lines[0]
    assert drawn.get_xdata() == pytest.approx(100 * curve["probability"])
    assert drawn.get_ydata() == pytest.approx(100 * curve["frequency"])

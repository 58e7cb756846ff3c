"""Chapter 3: whose voice is nearest, what a watched network answered, and what the pictures show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, splits
from serlab.evaluation import Interval
from serlab.lessons import ch03_evaluation as lesson


@pytest.fixture(scope="module")
def voices():
    """Give clips of six speakers whose numbers say who speaks, and a little about the emotion."""
    rng = np.random.default_rng(0)
    names = [(f"{s}-{n}", f"s{s}", ("sad", "happy")[n % 2]) for s in range(6) for n in range(8)]
    table = pd.DataFrame(names, columns=["clip", "speaker", "emotion"])
    centres = 9 * rng.normal(size=(6, 4))
    X = centres[np.arange(len(table)) // 8] + rng.normal(size=(len(table), 4))
    X[:, 0] += 3 * (table["emotion"] == "happy")
    return X, table


@pytest.fixture(scope="module")
def watched(voices):
    split = splits.with_validation(splits.make(voices[1], "group3"), voices[1], share=0.25)
    return lesson.train_and_watch(*voices, split, epochs=5)


def test_the_nearest_clip_has_the_same_voice_unless_speakers_are_apart(voices):
    X, table = voices
    assert lesson.nearest_is_same_speaker(X, table, splits.make(table, "random4")) > 0.9
    assert lesson.nearest_is_same_speaker(X, table, splits.make(table, "loso")) == 0


def test_every_clip_is_tested_once_in_every_epoch(voices, watched):
    tested = watched[watched["part"] == "test"]
    assert (tested.groupby("epoch")["clip"].nunique() == len(voices[1])).all()
    assert len(tested) == 5 * len(voices[1])
    for _, fold in watched.groupby("fold"):
        parts = fold.groupby("part")["speaker"].agg(set)
        assert parts["test"].isdisjoint(parts["validation"])


def test_the_history_holds_the_uar_of_each_part(watched):
    history = lesson.history(watched)
    assert history.shape == (15, 2)
    rows = watched.query("fold == 1 and epoch == 4 and part == 'validation'")
    assert history.loc[(1, 4), "validation"] == evaluation.uar(rows["label"], rows["predicted"])


def test_the_dot_is_the_highest_point_of_its_line():
    index = pd.MultiIndex.from_product([[0, 1], [1, 2, 3]], names=["fold", "epoch"])
    values = {"test": [0.2, 0.5, 0.4, 0.1, 0.2, 0.3], "validation": [0.1, 0.2, 0.3, 0.4, 0.2, 0.1]}
    ax = lesson.epochs(pd.DataFrame(values, index=index))
    points = [line.get_xydata()[0].tolist() for line in ax.lines if line.get_linestyle() == "None"]
    np.testing.assert_allclose(points, [[2, 50], [3, 40], [3, 30], [1, 10]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "best on test",
        "chosen by validation",
    ]


def predictions(right: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"speaker": np.repeat(list("abcd"), 20), "label": ["sad", "happy"] * 40})
    wrong = table["label"].map({"sad": "happy", "happy": "sad"})
    return table.assign(predicted=table["label"].where(rng.random(80) < right, wrong))


def test_each_test_has_a_row_with_its_score():
    tests = {"twice": predictions(0.95), "random": predictions(0.8, 1), "honest": predictions(0.6, 2)}
    groups = {
        "known": {name: tests[name] for name in ("twice", "random")},
        "new": {"honest": tests["honest"]},
    }
    ax = lesson.side_by_side(groups, chance=0.5)
    assert [text.get_text() for text in ax.get_yticklabels()] == list(tests)
    drawn = [container.lines[0].get_xydata() for container in ax.containers]
    expected = [[100 * evaluation.interval(one).value, row] for row, one in enumerate(tests.values())]
    np.testing.assert_allclose(np.concatenate(drawn), expected)


def test_every_small_test_is_in_a_bar():
    ax = lesson.reported([0.4, 0.5, 0.5, 0.6], Interval(0.5, 0.45, 0.55))
    assert sum(bar.get_height() for bar in ax.patches) == 4
    assert ax.lines[0].get_xdata()[0] == 50


def test_speakers_stand_in_the_order_of_their_scores():
    ax = lesson.by_speaker(predictions(0.7))
    heights = ax.lines[0].get_ydata()
    assert len(heights) == 4
    assert (np.diff(heights) >= 0).all()

"""What chapter 5 draws: the questions of a tree, its depth, the votes of a forest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from serlab import evaluation
from serlab.features import Summary
from serlab.lessons import ch05_trees as lesson


@pytest.fixture(scope="module")
def noisy():
    """Give 90 clips of three classes that overlap, in five numbers."""
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "calm", "sad"], 30)
    return rng.normal(size=(90, 5)) + np.repeat([0.0, 0.7, 1.4], 30)[:, None], y


def test_plain_features_are_columns_of_the_summary():
    names = Summary().feature_names
    X = np.arange(2 * len(names), dtype=float).reshape(2, -1)
    found = lesson.plain_features(X, names)
    assert found["loudness (dB)"].tolist() == X[:, names.index("rms_mean")].tolist()
    assert found.shape == (2, len(lesson.PLAIN))


def test_an_emotion_far_from_the_others_stands_out():
    y = np.repeat(["sad", "angry", "calm"], 10)
    few = pd.DataFrame({"loudness": np.where(y == "angry", 6.0, 1.0), "pitch": np.arange(30.0)})
    ax = lesson.profile(few, y)
    shown = [label.get_text() for label in ax.get_xticklabels()]
    loudness = ax.collections[0].get_array()[0]
    assert shown == ["calm", "sad", "angry"]  # in the order of the book
    assert loudness.argmax() == shown.index("angry")
    assert loudness[0] == loudness[1] < 0


def test_dots_lie_on_the_pixels_asked_about():
    X = np.zeros((4, 3, 5))
    X[:2, 2, 4] = 1  # one pixel tells the two classes apart: band 2, frame 4
    tree = DecisionTreeClassifier(random_state=0).fit(X.reshape(4, -1), ["a", "a", "b", "b"])
    ax = lesson.where_it_looks(tree, X[0])
    assert ax.collections[0].get_offsets().tolist() == [[4, 2]]


def test_only_the_first_questions_in_a_row_are_drawn():
    X = np.arange(16.0).reshape(16, 1, 1)
    tree = DecisionTreeClassifier(random_state=0).fit(X.reshape(16, -1), [str(n) for n in range(16)])
    counts = [len(lesson.where_it_looks(tree, X[0], n).collections[0].get_offsets()) for n in (1, 2, 99)]
    assert counts[0] == 1
    assert counts[1] <= 3
    assert counts[2] == 15


def test_depth_curve_draws_means_over_folds():
    scores = pd.DataFrame({"depth": [1, 1, 4], "clips": "test speakers", "uar": [0.2, 0.4, 0.5]})
    ax = lesson.depth_curve(scores, 0.125)
    assert ax.lines[0].get_ydata() == pytest.approx([30, 50])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "4"]


def test_all_votes_together_are_the_forest(noisy):
    X, y = noisy
    forest = RandomForestClassifier(15, max_depth=3, random_state=0).fit(X[::2], y[::2])
    found = lesson.votes(forest, X[1::2], y[1::2])
    assert len(found) == 15
    assert found["together"].iloc[-1] == evaluation.uar(y[1::2], forest.predict(X[1::2]))
    assert found["together"].iloc[0] == found["alone"].iloc[0]
    ax = lesson.vote_curve(found)
    assert ax.lines[0].get_ydata() == pytest.approx(100 * found["together"])

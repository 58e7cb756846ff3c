"""What chapter 9 computes and draws: the game, the neighbours, few speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import serlab
from serlab import splits
from serlab.embeddings import ByolS
from serlab.lessons import ch09_transfer as lesson


@pytest.fixture(scope="module")
def corpus():
    return serlab.load("demo")


def test_a_and_c_are_one_recording_and_b_is_another():
    a, b, c = (one.attributes for one in lesson.three_sounds().players)
    assert a["data-clip"] == c["data-clip"] != b["data-clip"]
    assert a["data-change"] != c["data-change"]
    assert "data-change" not in b


def test_missing_weights_are_said_and_replaced(monkeypatch, capsys):
    monkeypatch.setattr(type(ByolS().weights), "find", lambda self: None)
    assert not lesson.borrowed().trained
    assert "random ones stand in" in capsys.readouterr().out


def test_weights_that_are_there_are_taken(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(type(ByolS().weights), "find", lambda self: tmp_path)
    assert lesson.borrowed().trained
    assert capsys.readouterr().out == ""


def test_the_game_is_the_same_each_time_and_two_versions_differ(corpus):
    first, second = lesson.pairs_of_versions(corpus, clips=3)
    again, _ = lesson.pairs_of_versions(corpus, clips=3)
    assert len(first) == len(second) == 3
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not any(np.array_equal(one, two) for one, two in zip(first, second, strict=True))


def test_partners_are_found_by_direction_not_by_length():
    numbers = np.random.default_rng(0).normal(size=(5, 8))
    assert lesson.partners_found(numbers, 3 * numbers) == 1
    assert lesson.partners_found(numbers, np.roll(numbers, 1, axis=0)) == 0


def test_a_clip_is_not_its_own_neighbour_even_if_another_is_the_same():
    X = np.array([[0.0], [0.0], [9.0], [9.1]])
    assert lesson.nearest_shares(X, speaker=list("abcc")) == {"speaker": 0.5}


def test_every_training_speaker_teaches_once_and_none_is_tested(corpus):
    split = splits.make(corpus, "group3")
    X = np.random.default_rng(0).normal(size=(len(corpus), 4))
    run = lesson.few_speakers(lambda seed: LogisticRegression(), X, corpus, split, 1)
    teachers = len(set(corpus["speaker"].iloc[split.folds[0].train]))
    assert run.groupby("clip")["seed"].nunique().eq(teachers).all()
    assert set(run["clip"]) == set(corpus["clip"])
    groups = lesson._groups(list("abcdefgh"), 2)
    assert sorted(np.concatenate(groups)) == list("abcdefgh")


def test_curves_stand_at_their_sizes():
    rows = pd.DataFrame({"clip": list("wxyz"), "speaker": list("aabb"), "label": ["sad", "angry"] * 2})
    taught = {
        "good": {1: rows.assign(predicted=rows["label"]), 2: rows.assign(predicted=rows["label"])},
        "poor": {1: rows.assign(predicted="sad"), 2: rows.assign(predicted=rows["label"])},
    }
    lines = lesson.few_labels(taught, chance=0.5).lines
    assert lines[0].get_xdata().tolist() == [1, 2]
    assert [line.get_ydata().tolist() for line in lines[:2]] == [[100, 100], [50, 100]]


def test_maps():
    points = lesson.flat_map(np.random.default_rng(0).normal(size=(12, 5)))
    assert points.shape == (12, 2)
    emotions, speakers = np.array(["sad", "angry"] * 6), np.array(list("abcd") * 3)
    left, right = lesson.two_maps(points, emotions, speakers)
    assert len(left.collections) == 2
    assert len(right.collections) == 4

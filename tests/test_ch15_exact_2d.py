"""The exact 2-D network: how rows are dealt, a training that goes on where it was, and what is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score

from serlab.errors import RunError
from serlab.lessons import ch15_exact_2d as lesson
from serlab.splits import Fold


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Make six clips for each of RAVDESS's 24 actors."""
    clips = pd.DataFrame({"clip": [f"c{n}" for n in range(144)]})
    return clips.assign(speaker=[f"{1 + n // 6:02}" for n in range(144)], emotion=["sad", "happy"] * 72)


def sides(rows: pd.DataFrame, fold: Fold, column: str) -> list[set]:
    return [set(rows[column].iloc[side]) for side in (fold.train, fold.validation, fold.test)]


@pytest.mark.parametrize("way", lesson.WAYS)
def test_every_row_is_on_one_side(table, way):
    rows, fold = lesson.deal(table, way)
    every = np.concatenate([fold.train, fold.validation, fold.test])
    assert sorted(every) == list(range(3 * len(table)))
    assert rows.groupby("clip")["version"].agg(list).tolist() == [[0, 1, 2]] * len(table)


def test_as_it_was_copies_and_speakers_are_on_both_sides(table):
    rows, fold = lesson.deal(table, "as it was")
    train, _, test = sides(rows, fold, "clip")
    assert len(test & train) > 0.9 * len(test)
    assert len(fold.test) == round(0.3 * len(rows))
    assert len(fold.validation) == -(-0.05 * (len(rows) - len(fold.test)) // 1)
    assert abs(rows["emotion"].iloc[fold.test].eq("sad").mean() - 0.5) < 0.01


def test_with_actors_apart_nobody_is_on_two_sides(table):
    rows, fold = lesson.deal(table, "actors apart")
    for column in ("clip", "speaker"):
        train, validation, test = sides(rows, fold, column)
        assert len(train | validation | test) == len(train) + len(validation) + len(test)
    assert sides(rows, fold, "speaker")[2] == {"18", "19", "20", "21", "22", "23", "24"}


def test_a_training_goes_on_where_it_was(tmp_path):
    from serlab.backend import keras

    rng = np.random.default_rng(0)
    y = np.repeat(np.eye(2, dtype=np.float32), 20, axis=0)
    X = rng.uniform(0, 0.5, (40, 16, 16)).astype(np.float32) + y[:, :1, None] / 2
    fold = Fold(np.arange(0, 40, 2), np.arange(1, 40, 4), np.arange(3, 40, 4))
    lesson.train(X, y, fold, tmp_path, epochs=1)
    network, best, log = lesson.train(X, y, fold, tmp_path, epochs=3)
    assert log["epoch"].tolist() == [0, 1, 2]
    assert keras.config.dtype_policy().name == "float32"
    assert [layer.compute_dtype for layer in network.layers[-2:]] == ["bfloat16", "float32"]
    network.load_weights(best)
    answers = network.predict(X[fold.validation], verbose=0).argmax(axis=1)
    reached = np.mean(answers == y[fold.validation].argmax(axis=1))
    assert reached == pytest.approx(log["val_accuracy"].max(), abs=1e-6)


@pytest.mark.parametrize("way", lesson.WAYS)
def test_the_recorded_scores_are_those_of_the_predictions(way):
    tested, how = lesson.read(way)
    assert how["parameters"] == 6_627_078
    assert len(how["epochs"]["epoch"]) == lesson.EPOCHS
    assert len(tested) == how["rows"]["test"]
    for kept, column in (("best", "predicted"), ("last", "predicted_last")):
        scores = how["scores"][kept]
        assert scores["accuracy"] == pytest.approx(accuracy_score(tested["label"], tested[column]), abs=1e-5)
        uar = recall_score(tested["label"], tested[column], average="macro")
        assert scores["uar"] == pytest.approx(uar, abs=1e-5)


def test_without_a_record_the_error_says_what_makes_it(monkeypatch, tmp_path):
    monkeypatch.setattr(lesson.runs, "root", lambda: tmp_path)
    with pytest.raises(RunError, match=r"python -m serlab\.lessons\.ch15_exact_2d"):
        lesson.read("as it was")

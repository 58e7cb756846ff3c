"""What lies between a voice and a file, and what it does to models."""

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

from serlab import evaluation, models, splits
from serlab.errors import RunError
from serlab.lessons import ch08c_microphone as lesson


@pytest.mark.parametrize("name", [name for name in lesson.CONDITIONS if name != "12 dB softer"])
def test_disguises_keep_length_and_nearly_the_level(name):
    plain, heard = (lesson.heard(condition=one) for one in ("as recorded", name))
    assert heard.shape == plain.shape
    assert heard.dtype == np.float32
    power = [float(np.mean(np.square(y, dtype=float))) for y in (plain, heard)]
    assert abs(10 * np.log10(power[1] / power[0])) < 3.5
    assert np.array_equal(heard, lesson.heard(condition=name))  # noise and rooms are drawn with a seed


def test_a_model_is_trained_on_the_first_version_of_training_clips_and_answers_all_of_the_others():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clip": [f"c{i}" for i in range(40)], "speaker": list("pqrs") * 10})
    table["emotion"] = rng.permutation(["sad", "happy"] * 20)
    clean = rng.normal(size=(40, 3)) + 4 * (table["emotion"] == "sad").to_numpy()[:, None]
    versions = {"plain": clean, "far": clean - 50}
    split = splits.make(table, "loso")
    trained = []

    class Seen(GaussianNB):
        def fit(self, X, y):
            trained.append(X)
            return super().fit(X, y)

    found = lesson.measure(table, split, versions, lambda seed: Seen(), [clean + 1])
    for fold, rows in zip(split, trained, strict=True):
        np.testing.assert_array_equal(rows, np.concatenate([clean[fold.train], clean[fold.train] + 1]))
    plain = found.query("condition == 'plain'").sort_values("clip", key=lambda name: name.str[1:].astype(int))
    assert plain["clip"].tolist() == table["clip"].tolist()
    assert plain["label"].tolist() == table["emotion"].tolist()
    assert (plain["label"] == plain["predicted"]).mean() > 0.9
    far = found.query("condition == 'far'")
    assert len(far) == 40
    assert far["confidence"].min() > 0.99
    assert found["confidence"].between(0.5, 1).all()


def test_scores_agree_with_those_of_the_parts():
    rows = pd.DataFrame(
        {
            "training": "clean",
            "condition": ["a"] * 8 + ["b"] * 8,
            "clip": [f"c{i}" for i in range(8)] * 2,
            "speaker": list("ppqqrrss") * 2,
            "fold": 0,
            "label": ["sad", "happy"] * 8,
            "predicted": ["sad", "happy"] * 4 + ["sad"] * 8,
            "confidence": [0.75] * 8 + [1.0] * 8,
        }
    )
    found = lesson.summarise(rows).set_index("condition")
    assert found["uar"].tolist() == [1.0, 0.5] == found["accuracy"].tolist()
    assert found["confidence"].tolist() == [0.75, 1.0]


def test_what_was_not_recorded_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(lesson.runs, "root", lambda: tmp_path)
    with pytest.raises(RunError, match=r"python -m serlab\.lessons\.ch08c_microphone"):
        lesson.read("svm-rbf-summary")


@pytest.mark.parametrize("model", lesson.RECORDED)
def test_recorded_answers_are_whole(model):
    found = lesson.read(model)
    assert tuple(found.columns) == lesson.COLUMNS
    by = found.groupby(["training", "condition"])
    assert set(by.groups) == {(t, c) for t in lesson.TRAININGS for c in lesson.CONDITIONS}
    assert by["clip"].nunique().eq(found["clip"].nunique()).all()
    assert by.size().eq(found["clip"].nunique()).all()
    # Unseen speakers in every fold, and on clean clips about the score of the recorded run.
    assert found.groupby("speaker")["fold"].nunique().eq(1).all()
    clean = found.query("training == 'clean' and condition == 'as recorded'")
    recorded = lesson.runs.read("ravdess", lesson.PROTOCOL, model)
    assert abs(evaluation.uar(clean["label"], clean["predicted"]) - recorded.meta["scores"]["uar"]) < 0.03
    assert models.get(model).title == recorded.meta["title"]

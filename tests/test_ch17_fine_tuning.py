"""Blocks of Whisper trained further: padding changes nothing, and the record can be recomputed."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import recall_score

from serlab import runs
from serlab.embeddings import Whisper
from serlab.errors import RunError
from serlab.lessons import ch17_fine_tuning as lesson

CLASSES = ("angry", "happy", "sad")


@pytest.fixture(scope="module")
def sounds() -> list[np.ndarray]:
    """Make low, middle and high tones in noise, of several lengths."""
    rng = np.random.default_rng(0)
    pitches = [150, 155, 160, 400, 410, 420, 900, 920, 940]
    lengths = [6400, 8000, 12800] * 3
    made = [np.sin(np.arange(n) * 2 * np.pi * f / 16000) for f, n in zip(pitches, lengths, strict=True)]
    return [(0.3 * y + 0.01 * rng.standard_normal(len(y))).astype(np.float32) for y in made]


@pytest.fixture(scope="module")
def frames(sounds) -> list[np.ndarray]:
    return [Whisper(blocks=(2,), statistics=None).extract(y) for y in sounds]


def test_a_padded_clip_is_heard_as_whisper_hears_it_alone(sounds, frames):
    from serlab.backend import keras

    width = 2 * 2 * 384
    model = lesson.build(3, np.zeros(width, np.float32), np.ones(width, np.float32), len(CLASSES))
    pooled = keras.Model(model.inputs, model.get_layer("head").input).predict_on_batch(lesson.pad(frames))
    for row, y in zip(pooled, sounds, strict=True):
        alone = [Whisper(blocks=(block,)).extract(y) for block in (2, 3)]
        np.testing.assert_allclose(row, np.concatenate(alone), atol=2e-3)


def test_training_begins_at_the_probe_and_answers_after_every_epoch(frames):
    y = np.repeat(CLASSES, 3)
    variant = lesson.Variant(first=3, probe=True, rate=1e-4, epochs=2, folds=1, seeds=1)
    told = lesson.train(variant, frames, y, np.array([0, 2, 3, 5, 6, 8]), np.array([1, 4, 7]), seed=0)
    assert [labels.tolist() for labels in told] == [list(CLASSES)] * 3


def test_the_recorded_scores_are_those_of_the_predictions():
    found = lesson.read("careful")
    assert found.groupby("epoch")["clip"].nunique().tolist() == [1440] * 5
    scores = lesson.scores(found).set_index("epoch")["uar"]
    last = found[found["epoch"] == 4]
    uar = recall_score(last["label"], last["predicted"], average="macro")
    assert scores[4] == pytest.approx(uar, abs=1e-9)


def test_before_training_it_is_a_probe_on_frozen_blocks():
    """Chapter 17 sets it beside the recorded probe: nearly the same features, and the same folds."""
    start = lesson.scores(lesson.read("careful")).set_index("epoch")["uar"][0]
    assert start == pytest.approx(
        runs.read("ravdess", "emobox6", "logreg-whisper").meta["scores"]["uar"], abs=0.02
    )


def test_a_missing_record_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson.runs, "root", lambda: tmp_path)
    with pytest.raises(RunError, match="python -m serlab"):
        lesson.read("careful")

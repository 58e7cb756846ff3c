"""Help with an unheard voice: what is taken away, that no label of the voice is used, and the record."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from serlab import runs
from serlab.errors import RunError
from serlab.lessons import ch17_new_voices as lesson

SPEAKERS, EACH = ("ann", "bob", "eve", "joe"), 20


def clips(corpus: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Make a corpus in which emotion moves the first feature, and the voice the second and third."""
    rng = np.random.default_rng(len(corpus))
    table = pd.DataFrame({"speaker": np.repeat(SPEAKERS, EACH)})
    table["emotion"] = np.array(["happy", "sad"])[np.arange(len(table)) % 2]
    table["clip"] = [f"{corpus}-{row}" for row in table.index]
    X = rng.normal(0, 0.3, (len(table), 5))
    X[:, 0] += np.where(table["emotion"] == "sad", 1, -1)
    voices = dict(zip(SPEAKERS, rng.normal(0, 3, (4, 2)), strict=True))
    X[:, 1:3] += np.stack(table["speaker"].map(voices))
    return table, X


@pytest.fixture
def made(monkeypatch):
    """Let the lesson find corpora of one's own: each is made when first asked for."""
    found = {corpus: clips(corpus) for corpus in lesson.CORPORA}
    monkeypatch.setattr(lesson, "_clips", found.__getitem__)
    monkeypatch.setattr(lesson, "CORPORA", dict.fromkeys(lesson.CORPORA, "loso"))
    return found


def test_directions_are_those_in_which_voices_differ_and_not_emotions():
    table, X = clips("ravdess")
    found = lesson.directions_of_voices(X, table["emotion"], table["speaker"])
    np.testing.assert_allclose(found @ found.T, np.eye(len(found)), atol=1e-9)
    # By hand: the plane of the second and third feature, whatever their scale.
    assert np.linalg.norm(found[:2, 1:3]) == pytest.approx(np.sqrt(2), abs=0.05)
    assert abs(found[:2, 0]).max() < 0.1


def test_more_clips_of_one_speaker_do_not_move_the_directions():
    table, X = clips("ravdess")
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    once = lesson.directions_of_voices(scaled, table["emotion"], table["speaker"])
    cells = [scaled[part.index].mean(axis=0) for _, part in table.groupby(["emotion", "speaker"])]
    apart = np.concatenate([np.array(half) - np.mean(half, axis=0) for half in (cells[:4], cells[4:])])
    by_hand = np.linalg.eigh(apart.T @ apart)[1][:, ::-1].T
    np.testing.assert_allclose(abs(np.sum(once[:3] * by_hand[:3], axis=1)), 1, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_lies_along_the_directions_is_gone_and_nothing_else(count):
    rng = np.random.default_rng(0)
    sets = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2)]
    X = rng.normal(size=(9, 6))
    Z = lesson.WithoutVoices(sets, count=count).fit_transform(X)
    gone = np.concatenate([one[:count] for one in sets])
    np.testing.assert_allclose(Z @ gone.T, 0, atol=1e-9)
    assert np.linalg.matrix_rank(Z) == 6 - 2 * count
    inside = np.linalg.lstsq(gone.T, (X - Z).T, rcond=None)[0] if count else np.zeros((0, 9))
    np.testing.assert_allclose(gone.T @ inside, (X - Z).T, atol=1e-9)


@pytest.mark.parametrize("way", lesson.WAYS)
def test_no_label_of_the_test_speaker_is_used(way, made):
    before = lesson.WAYS[way]("nemo")[0]
    table = made["nemo"][0]
    last = table["speaker"] == "joe"
    table.loc[last, "emotion"] = table.loc[last, "emotion"].map({"happy": "sad", "sad": "happy"})
    after = lesson.WAYS[way]("nemo")[0]
    joe = before["speaker"] == "joe"
    assert (before.loc[joe, "label"] != after.loc[joe, "label"]).all()
    assert before.loc[joe, "predicted"].tolist() == after.loc[joe, "predicted"].tolist()
    assert recall_score(before["label"], before["predicted"], average="macro") > 0.9


def test_the_voices_taken_away_are_those_of_other_corpora(made, monkeypatch):
    asked = []
    real = lesson.directions_of_voices
    monkeypatch.setattr(
        lesson, "directions_of_voices", lambda X, *names: asked.append(X[0, 0]) or real(X, *names)
    )
    chosen = lesson.without_voices("nemo")[1]["chosen"]
    assert asked == [made[name][1][0, 0] for name in ("ravdess", "emodb_first2s")]
    assert all(fold["withoutvoices__count"] in lesson.COUNTS for fold in chosen)


@pytest.mark.parametrize("way", lesson.WAYS)
@pytest.mark.parametrize("corpus", lesson.CORPORA)
def test_the_record_holds_every_clip_of_the_run_it_is_compared_with(way, corpus):
    found = lesson.read(way, corpus)
    run = runs.read(corpus, lesson.CORPORA[corpus], "logreg-whisper").predictions
    assert sorted(found["clip"]) == sorted(run["clip"])
    labels = run.set_index("clip")["label"][found["clip"]].tolist()
    assert found["label"].tolist() == labels


def test_a_record_of_ones_own_can_be_read_back(made, monkeypatch, tmp_path):
    monkeypatch.setattr(lesson.runs, "root", lambda: tmp_path)
    monkeypatch.setattr(lesson.corpora, "content_hash", lambda table: "0")
    with pytest.raises(RunError, match=rf"python -m {lesson.LESSON}"):
        lesson.read("self-training", "nemo")
    lesson.record("self-training", allow_changed_code=True)
    found = lesson.read("self-training", "nemo")
    again = lesson.self_training("nemo")[0]
    assert found["predicted"].tolist() == again["predicted"].tolist()
    assert found.columns.tolist() == list(lesson.COLUMNS)

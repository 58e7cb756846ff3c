"""The three steps of the leak: who is on which side, what is scaled by what, what is recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

from serlab import corpora, evaluation, runs, splits
from serlab.errors import EvaluationError, RunError
from serlab.lessons import ch15_leaks as leaks

VERSIONS = 3


def clips(speakers=9, each=8, seed=0):
    """Clips of nine speakers whose sound says who speaks and nothing about the emotion."""
    rng = np.random.default_rng(seed)
    names = [(f"{s}-{n}", f"s{s}", ("sad", "happy")[n % 2]) for s in range(speakers) for n in range(each)]
    table = pd.DataFrame(names, columns=["clip", "speaker", "emotion"])
    X = rng.normal(size=(len(table), 1, 4)) + 0.01 * rng.normal(size=(len(table), VERSIONS, 4))
    return X, table


def test_each_step_repairs_one_leak():
    _, table = clips()
    rows, steps = leaks.deal(table, VERSIONS)
    assert list(steps) == list(leaks.STEPS)
    assert rows["clip"].is_unique
    assert rows["source"].tolist() == [clip for clip in table["clip"] for _ in range(VERSIONS)]
    assert rows["version"].tolist() == [0, 1, 2] * len(table)
    found = {}
    for name, split in steps.items():
        report = splits.audit(rows, split, sources=rows["source"])
        found[name] = (report.loc[["augmented copies", "speakers"], "test_clips"] > 0).tolist()
        tested = np.concatenate([fold.test for fold in split])
        assert sorted(tested) == list(range(len(rows)))
        for fold in split:
            assert sorted([*fold.train, *fold.test]) == list(range(len(rows)))
    assert list(found.values()) == [[True, True], [False, True], [False, False], [False, False]]
    assert steps["speakers apart"] is steps["scaled by training"]


def test_scaling_is_by_what_is_known():
    X = np.array([[0.0, 7.0], [2.0, 7.0], [4.0, 7.0]])
    np.testing.assert_allclose(leaks.scale(X, X)[:, 0], [0, 0.5, 1])
    np.testing.assert_allclose(leaks.scale(X, X[:2])[:, 0], [0, 1, 2])
    assert not leaks.scale(X, X)[:, 1].any()


class Seen:
    """Answers at random, and remembers what it was trained on."""

    classes_ = np.array(["happy", "sad"])
    trained = ()

    def fit(self, X, y):
        type(self).trained += ((X.min(), X.max(), len(X)),)
        return self

    def predict(self, X):
        return np.repeat("sad", len(X))

    def predict_proba(self, X):
        return np.tile([0.0, 1.0], (len(X), 1))


def test_training_rows_alone_span_the_whole_range_only_where_they_scale():
    X, table = clips()
    X[0, 0, 0] = 100  # all other clips are small beside it, wherever it is
    Seen.trained = ()
    said = leaks.measure(X[:, :, :1], table, lambda seed: Seen())
    low, high, sizes = np.array(Seen.trained).reshape(4, leaks.FOLDS, 3).transpose(2, 0, 1)
    np.testing.assert_allclose(high[3], 1)
    np.testing.assert_allclose(low[3], 0)
    assert (high[:3].min(axis=1) < 0.1).all()
    assert (sizes == len(table) * VERSIONS * 2 / 3).all()
    assert len(said) == 4 * len(table) * VERSIONS


def test_a_model_that_remembers_profits_from_copies_and_no_longer_without():
    X, table = clips(each=20)
    said = leaks.measure(X, table, lambda seed: KNeighborsClassifier(1))
    assert tuple(said.columns) == leaks.COLUMNS
    assert said.groupby("step")["clip"].nunique().eq(len(table)).all()
    assert said["label"].equals(said["clip"].map(table.set_index("clip")["emotion"]).rename("label"))
    found = leaks.scores(said)
    assert found["as it was"]["uar"] > 0.85
    assert found["copies together"]["uar"] < 0.65
    plain = said[(said["version"] == 0) & (said["step"] == "as it was")]
    expected = evaluation.uar(plain["label"], plain["predicted"])
    assert found["as it was"]["uar_unaltered"] == pytest.approx(expected, abs=1e-5)
    first, second = (said[said["step"] == step] for step in ("as it was", "copies together"))
    assert evaluation.compare(first, second).low > 0.1


def test_what_has_no_versions_is_refused():
    X, table = clips()
    for wrong in (X[:, 0], X[1:]):
        with pytest.raises(EvaluationError, match=r"are not \(clips, versions, ...\) of a table of 72"):
            leaks.measure(wrong, table, lambda seed: Seen())


def test_the_network_is_exact_and_leaves_scaling_to_the_steps():
    network = leaks._network(3)
    assert network.seed == 3
    assert not network.copies
    assert network.epochs == leaks.EPOCHS
    built = leaks._scaled_contours(np.full((4, 2, 151), 9.0), np.zeros((4, 6)))
    assert built.count_params() == 2484614
    values = np.random.default_rng(0).uniform(size=(2, 2, 151)).astype("float32")
    np.testing.assert_allclose(built.layers[0](values), values, atol=1e-5)


def test_recording_and_reading_on_the_demo_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "root", lambda: tmp_path)
    monkeypatch.setattr(leaks, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setitem(leaks.RECORDED, "demo", ("six-group3", 1))
    monkeypatch.setattr(leaks, "_network", lambda seed: Quick())
    meta = leaks.record("demo")
    said, again = leaks.read("demo")
    assert again == meta
    assert leaks.scores(said) == meta["scores"]
    assert meta["corpus"]["clips"] == 12 * 6
    assert len(said) == 4 * 12 * 6 * meta["versions_per_clip"]
    assert runs.list_runs(tmp_path) == []
    with pytest.raises(RunError, match=r"python -m serlab.lessons.ch15_leaks --corpus nemo"):
        leaks.read("nemo")


class Quick(Seen):
    classes_ = np.array(sorted(splits.SIX_EMOTIONS))

    def predict_proba(self, X):
        return np.tile([0, 0, 0, 0, 0, 1.0], (len(X), 1))


@pytest.mark.parametrize("corpus", sorted(leaks.RECORDED))
def test_what_is_recorded_is_sound(corpus):
    said, meta = leaks.read(corpus)
    assert tuple(said.columns) == leaks.COLUMNS
    assert leaks.scores(said) == meta["scores"]
    assert meta["epochs"] == leaks.EPOCHS
    assert list(meta["steps"]) == list(leaks.STEPS) == list(dict.fromkeys(said["step"]))
    assert said["clip"].nunique() == meta["corpus"]["clips"]
    assert not said.duplicated(["step", "clip", "version"]).any()
    record = corpora.record(corpus)
    for clip, part in said.groupby("clip"):
        assert clip in record.official or not record.official
        assert set(part["label"]) == {record.parse(clip)["emotion"]}
        assert len(part) == len(leaks.STEPS) * meta["versions_per_clip"]
    apart = said[said["step"].isin(["speakers apart", "scaled by training"])]
    assert apart.groupby(["step", "speaker"])["fold"].nunique().eq(1).all()

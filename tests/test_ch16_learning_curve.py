"""Learning curves: draws, what models are shown, blocks that are kept, scores, intervals, pairs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.tree import DecisionTreeClassifier

from serlab.errors import EvaluationError
from serlab.lessons.ch16_learning_curve import (
    PERCENTAGES,
    Curves,
    balanced,
    classifier,
    crossing,
    draw,
    join,
    learn,
    study,
)
from serlab.splits import Fold


def clouds(clips=240, seed=0, apart=1.5):
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 2, clips)
    X = rng.normal(size=(clips, 3)) + apart * place[:, None] * np.array([1, 0, 0])
    table = pd.DataFrame({"speaker": np.repeat(list("abcdef"), clips // 6)})
    return X, table.assign(emotion=np.where(place == 1, "sad", "happy"))


FOLD = Fold(np.arange(160), np.array([], int), np.arange(160, 240))


# Draws


def test_draws_hold_the_same_share_of_every_class():
    labels = np.array(["sad"] * 100 + ["happy"] * 40 + ["angry"] * 10)
    for percent in (2, 10, 50, 100):
        rows = draw(labels, percent, 3)
        counts = {name: (labels[rows] == name).sum() for name in ("sad", "happy", "angry")}
        assert counts == {
            "sad": percent,
            "happy": max(1, round(0.4 * percent)),
            "angry": max(1, round(0.1 * percent)),
        }
        assert len(set(rows)) == len(rows)


def test_draws_of_one_seed_lie_within_each_other_and_seeds_differ():
    labels = np.tile(["sad", "happy"], 50)
    draws = [set(draw(labels, percent, (0, 1)).tolist()) for percent in (2, 10, 50, 100)]
    assert all(small < large for small, large in pairwise(draws))
    assert len(draws[-1]) == 100
    assert set(draw(labels, 10, (0, 2)).tolist()) != draws[1]
    for percent in (0, 101):
        with pytest.raises(EvaluationError, match="up to 100 percent"):
            draw(labels, percent, 0)


def test_balanced_takes_as_many_as_the_rarest_class_has():
    labels = np.array(["sad"] * 9 + ["happy"] * 4)
    rows = balanced(labels)
    assert pd.Series(labels[rows]).value_counts().to_dict() == {"sad": 4, "happy": 4}


# Classifiers


@pytest.mark.parametrize("name", ["tree", "forest", "adaboost"])
def test_trees_do_not_mind_scaling(name):
    X, table = clouds()
    X = X * np.array([1, 100, 0.01])
    said = [
        classifier(name, scaled).fit(X[:160], table["emotion"][:160]).predict(X[160:])
        for scaled in (True, False)
    ]
    assert (said[0] == said[1]).mean() > 0.98


@pytest.mark.parametrize("name", ["svm", "knn"])
def test_neighbours_and_margins_do(name):
    X, table = clouds(apart=2)
    X = X * np.array([0.001, 100, 100])
    scores = [
        np.mean(
            classifier(name, scaled).fit(X[:160], table["emotion"][:160]).predict(X[160:])
            == table["emotion"][160:]
        )
        for scaled in (True, False)
    ]
    assert scores[0] > scores[1] + 0.1


def test_k_nn_asks_no_more_neighbours_than_there_are():
    assert classifier("knn", False, clips=3).n_neighbors == 3
    assert classifier("knn", False, clips=300).n_neighbors == 5
    with pytest.raises(EvaluationError, match="take one of svm, knn"):
        classifier("boost", True)
    assert len(study()) == 10


# Learning


def test_counts_are_those_of_the_models_one_would_train_by_hand():
    X, table = clouds()
    labels = table["emotion"].to_numpy()
    curves = learn(
        study(["svm", "tree"], [True]), X, table, FOLD, 2, number=3, percentages=(10, 100), n_jobs=1
    )
    assert curves.counts.shape == (2, 2, 2, 2, 2, 2)
    assert curves.speakers == ("e", "f")
    assert curves.folds == (3, 3)
    rows = draw(labels[:160], 10, (3, 1))
    said = classifier("tree", True, seed=1).fit(X[rows], labels[rows]).predict(X[160:])
    for place, speaker in enumerate(curves.speakers):
        inside = table["speaker"].to_numpy()[160:] == speaker
        wanted = confusion_matrix(labels[160:][inside], said[inside], labels=curves.classes)
        assert (curves.counts[1, 0, 1, place] == wanted).all()
    assert curves.clips.tolist() == [len(rows), 160]


class Nosy(ClassifierMixin, BaseEstimator):
    """Remembers what it was shown."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y, groups, unlabelled, unlabelled_groups):
        Nosy.seen.append((X, y, groups, unlabelled, unlabelled_groups))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X, groups):
        Nosy.seen.append((X, groups))
        return np.full(len(X), self.classes_[0])


def test_models_never_see_labels_of_unlabelled_clips_nor_test_clips():
    X, table = clouds()
    Nosy.seen = []
    learn({"nosy": lambda seed, clips: Nosy()}, X, table, FOLD, 1, percentages=(10, 100), n_jobs=1)
    shown, asked = Nosy.seen[::2], Nosy.seen[1::2]
    for given, y, groups, unlabelled, others in shown:
        assert len(given) == len(y) == len(groups)
        assert len(given) + len(unlabelled) == 160
        assert len(unlabelled) == len(others)
        together = np.vstack([given, unlabelled])
        assert {tuple(row) for row in together} == {tuple(row) for row in X[:160]}
        assert not {"e", "f"} & {*groups, *others}
    assert len(shown[0][1]) == 16
    assert len(shown[1][3]) == 0
    for test, groups in asked:
        np.testing.assert_array_equal(test, X[160:])
        assert set(groups) == {"e", "f"}


def test_finished_draws_are_read_and_anything_else_is_made_anew(tmp_path, monkeypatch):
    X, table = clouds()
    models = study(["tree"], [True])
    ask = partial(learn, models, table=table, fold=FOLD, percentages=(50, 100), n_jobs=1, cache=tmp_path)
    first = ask(X, draws=1)
    assert len(list(tmp_path.iterdir())) == 1
    trained = []
    fit = DecisionTreeClassifier.fit
    monkeypatch.setattr(
        DecisionTreeClassifier, "fit", lambda self, X, y, **more: trained.append(1) or fit(self, X, y, **more)
    )
    again = ask(X, draws=2)
    # The second draw alone, at two percentages.
    assert len(trained) == 2
    np.testing.assert_array_equal(again.counts[0], first.counts[0])
    assert again.seconds >= first.seconds
    changed = X.copy()
    changed[0, 0] += 1
    others = [
        {"X": changed},
        {"number": 1},
        {"percentages": (50, 60)},
        {"fold": replace_rows(FOLD, test=FOLD.test[:-1])},
        {"fold": replace_rows(FOLD, train=FOLD.train[:-1])},
        {"table": table.assign(emotion=table["emotion"].to_numpy()[::-1])},
        {"table": table.assign(speaker=table["speaker"].replace("f", "g"))},
    ]
    for number, one in enumerate(others, 1):
        ask(**({"X": X, "draws": 1} | one))
        assert len(trained) == 2 + 2 * number, one.keys()
    ask(X, draws=2)
    assert len(trained) == 2 + 2 * len(others)
    assert not list(tmp_path.glob("*.part"))


def replace_rows(fold, **rows):
    return Fold(**{"train": fold.train, "validation": fold.validation, "test": fold.test} | rows)


def test_impossible_learning_is_refused():
    X, table = clouds()
    with pytest.raises(EvaluationError, match="10 rows of features"):
        learn(study(["tree"]), X[:10], table, FOLD, 1)
    table.loc[200, "emotion"] = "angry"
    with pytest.raises(EvaluationError, match="no training clip is angry"):
        learn(study(["tree"]), X, table, FOLD, 1)


# Scores


def made(counts, folds=None, **more):
    counts = np.asarray(counts)
    speakers = tuple(f"s{number}" for number in range(counts.shape[3]))
    return Curves(
        counts,
        tuple(range(10, 10 * counts.shape[1] + 1, 10)),
        tuple(f"m{number}" for number in range(counts.shape[2])),
        ("happy", "sad"),
        speakers,
        folds or (0,) * len(speakers),
        np.arange(counts.shape[1], dtype=float),
        1.0,
        **more,
    )


def random_curves(seed=0, draws=6, speakers=5, lift=0.0, folds=None):
    rng = np.random.default_rng(seed)
    right = rng.binomial(20, np.clip(0.6 + lift + 0.1 * rng.normal(size=(draws, 3, 2, speakers, 2)), 0, 1))
    counts = np.zeros((draws, 3, 2, speakers, 2, 2), int)
    for place in range(2):
        counts[..., place, place] = right[..., place]
        counts[..., place, 1 - place] = 20 - right[..., place]
    return made(counts, folds)


def test_scores_are_those_of_scikit_learn():
    curves = made([[[[[[3, 2], [2, 8]], [[4, 1], [0, 20]]]]]])
    label = np.repeat(["happy", "sad"], [10, 30])
    said = np.repeat(["happy", "sad", "happy", "sad"], [7, 3, 2, 28])
    assert curves.scores("uar")["value"][0] == pytest.approx((0.7 + 28 / 30) / 2)
    wanted = f1_score(label, said, average="weighted")
    assert curves.scores("weighted_f1")["value"][0] == pytest.approx(wanted)
    assert curves.by_draw("weighted_f1")["value"].tolist() == pytest.approx([wanted])
    several = random_curves()
    single = several.by_draw().query("model == 'm1' and percent == 20")["value"]
    found = several.scores().query("model == 'm1' and percent == 20")["deviation"]
    assert found.tolist() == pytest.approx([np.std(single, ddof=1)])
    with pytest.raises(EvaluationError, match="unknown metric"):
        curves.scores("loss")
    with pytest.raises(EvaluationError, match="at least two"):
        replace(curves, counts=curves.counts[:, :, :, :1], speakers=("s0",), folds=(0,)).scores()


def test_intervals_hold_the_value_and_widen_with_fewer_speakers_and_draws():
    curves = random_curves(draws=8, speakers=12)
    table = curves.scores()
    assert list(table["percent"]) == [10, 20, 30] * 2
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    few = replace(curves, counts=curves.counts[:2, :, :, :3], speakers=curves.speakers[:3], folds=(0, 0, 0))
    assert (few.scores()["high"] - few.scores()["low"]).mean() > (table["high"] - table["low"]).mean()
    # Draws that are alike and speakers that are alike leave nothing to be unsure about.
    alike = replace(curves, counts=np.broadcast_to(curves.counts[:1, :, :, :1], curves.counts.shape))
    sure = alike.scores()
    np.testing.assert_allclose(sure["high"] - sure["low"], 0, atol=1e-12)
    np.testing.assert_allclose(sure["deviation"], 0, atol=1e-12)


def test_interval_adds_what_speakers_and_what_draws_move():
    curves = random_curves(speakers=5, folds=(0, 0, 0, 1, 1))
    found = curves.scores().query("model == 'm0' and percent == 20").iloc[0]
    counts = curves.counts[:, 1, 0].astype(float)  # draws, speakers, classes, classes

    def uar(pooled):
        return np.mean(np.diag(pooled) / pooled.sum(axis=1))

    errors, freedoms = [], []
    without = [uar(np.delete(counts, k, axis=1).sum(axis=(0, 1))) for k in range(5)]
    errors.append(4 / 5 * np.sum((without - np.mean(without)) ** 2))
    freedoms.append(4)
    for fold in ([0, 1, 2], [3, 4]):
        rest = counts[:, [k for k in range(5) if k not in fold]].sum(axis=(0, 1))
        without = [
            uar(rest + np.delete(counts, draw, axis=0)[:, fold].sum(axis=(0, 1)) * 6 / 5) for draw in range(6)
        ]
        errors.append(5 / 6 * np.sum((without - np.mean(without)) ** 2))
        freedoms.append(5)
    freedom = np.sum(errors) ** 2 / np.sum(np.square(errors) / freedoms)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(np.sum(errors))
    assert [found["low"], found["high"]] == pytest.approx([found["value"] - half, found["value"] + half])


def test_pairs_cancel_what_both_have_in_common():
    one = random_curves(draws=10, speakers=10)
    assert one.difference(one, "m0", within=(0, 100)) == (0, 0, 0)
    assert not np.any(one.difference(one, "m0"))
    better = random_curves(seed=1, draws=10, speakers=10, lift=0.2)
    values, lows, highs = better.difference(one, "m1")
    wanted = better.scores().query("model == 'm1'")["value"] - one.scores().query("model == 'm1'")["value"]
    np.testing.assert_allclose(values, wanted)
    assert (lows < values).all()
    assert (values < highs).all()
    mean, low, high = better.difference(one, "m1", within=(10, 30))
    assert mean == pytest.approx(wanted.iloc[1:].mean())
    assert 0 < low < mean < high
    with pytest.raises(EvaluationError, match="same draws"):
        one.difference(random_curves(draws=5, speakers=10), "m0")


def test_folds_are_joined():
    one, two = random_curves(speakers=2), random_curves(seed=1, speakers=3, folds=(1, 1, 1))
    two = replace(two, speakers=("x", "y", "z"))
    both = join([one, two])
    assert both.counts.shape[3] == 5
    assert both.folds == (0, 0, 1, 1, 1)
    assert both.seconds == 2
    pooled = one.counts[0, 0, 0].sum(axis=0) + two.counts[0, 0, 0].sum(axis=0)
    found = both.by_draw().query("draw == 0 and percent == 10 and model == 'm0'")["value"].item()
    assert found == pytest.approx(np.mean(np.diag(pooled) / pooled.sum(axis=1)))
    with pytest.raises(EvaluationError, match="different test speakers"):
        join([one, one])


def test_crossing_is_where_most_points_are_told_apart():
    assert crossing([0.1, 0.1, 0.1], [1, 2, 3]) == 3
    assert crossing([-0.1, 0.0, -0.1], [1, 2, 3]) == 0
    assert crossing([0.1, -0.1, 0.1, 0.1, -0.1, -0.1], [1, 2, 3, 4, 5, 6]) == 4
    rng = np.random.default_rng(0)
    ahead = rng.normal(size=50) - np.linspace(-1, 1, 50)
    found = crossing(ahead)
    right = {
        x: sum((d > 0) == (percent <= x) for d, percent in zip(ahead, PERCENTAGES, strict=True))
        for x in (0, *PERCENTAGES)
    }
    assert right[found] == max(right.values())
    assert len(PERCENTAGES) == 50


def test_points_are_compared_on_the_same_speakers_and_draws():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 20, size=(4, 2, 2, 5, 3, 3))
    curves = Curves(
        counts, (10, 100), ("one", "other"), tuple("abc"), tuple("vwxyz"), (0, 0, 0, 1, 1), np.ones(2), 0.0
    )
    both = curves.difference_between(("one", 100), ("other", 10))
    pooled = [counts[:, 1, 0].sum(axis=(0, 1)), counts[:, 0, 1].sum(axis=(0, 1))]
    recalls = [np.mean(np.diag(part) / part.sum(axis=1)) for part in pooled]
    assert both.value == pytest.approx(recalls[0] - recalls[1])
    assert both.low < both.value < both.high
    same = curves.difference_between(("one", 10), ("one", 10))
    assert (same.value, same.low, same.high) == (0, 0, 0)

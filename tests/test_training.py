"""Cross-validation: nothing of the test rows reaches training, finished folds are kept, costs are told."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from serlab import provenance, splits, training
from serlab.errors import EvaluationError, SplitError

CLASSES = ["neutral", "happy", "sad"]


@pytest.fixture
def corpus():
    rng = np.random.default_rng(0)
    rows = [(f"{s}-{e}-{k}", s, e) for s in ("ann", "bob", "cy", "dee") for e in CLASSES for k in range(6)]
    table = pd.DataFrame(rows, columns=["clip", "speaker", "emotion"])
    X = rng.normal(size=(len(table), 5)) + table["emotion"].map(CLASSES.index).to_numpy()[:, None]
    return table, X


def logistic(seed):
    return make_pipeline(StandardScaler(), LogisticRegression())


class Spy:
    """Remember what it was given; guess."""

    given = ()
    fits = 0

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X, y, groups, validation_data=None):
        Spy.fits += 1
        Spy.given = (X, y, groups, validation_data)
        self.classes_ = sorted(set(y))
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_predictions_equal_a_plain_loop(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    said = training.cross_validate(logistic, X, table, split)
    for number, fold in enumerate(split):
        model = logistic(0).fit(X[fold.train], table["emotion"].iloc[fold.train])
        part = said[said["fold"] == number].set_index("clip").loc[table["clip"].iloc[fold.test]]
        assert part["predicted"].tolist() == model.predict(X[fold.test]).tolist()
        expected = pd.DataFrame(model.predict_proba(X[fold.test]), columns=model.classes_)
        np.testing.assert_allclose(part[[f"p_{name}" for name in CLASSES]], expected[CLASSES])
    assert said.columns.tolist()[:6] == ["clip", "speaker", "fold", "seed", "label", "predicted"]
    assert said.columns.tolist()[6:] == ["p_neutral", "p_happy", "p_sad"], "the usual order of the emotions"


def test_a_model_sees_its_training_rows_and_nothing_else(corpus):
    table, X = corpus
    split = splits.with_validation(splits.make(table, "loso"), table)
    training.cross_validate(Spy, X, table, split, only=[(0, 1)])
    fold = split.folds[1]
    X_seen, y_seen, groups, validation = Spy.given
    np.testing.assert_array_equal(X_seen, X[fold.train])
    assert y_seen.tolist() == table["emotion"].iloc[fold.train].tolist()
    assert groups.tolist() == table["speaker"].iloc[fold.train].tolist()
    np.testing.assert_array_equal(validation[0], X[fold.validation])
    assert validation[1].tolist() == table["emotion"].iloc[fold.validation].tolist()
    assert "bob" not in groups
    training.cross_validate(Spy, X, table, splits.make(table, "loso"), only=[(0, 0)])
    assert Spy.given[3] is None, "no validation rows, no validation data"


def test_matrix_libraries_take_one_thread_while_a_model_is_fitted(corpus):
    class Counting(Spy):
        def fit(self, X, y, groups, validation_data=None):
            pools = threadpoolctl.threadpool_info()
            threads.update(pool["num_threads"] for pool in pools if pool["user_api"] == "blas")
            return super().fit(X, y, groups, validation_data)

    table, X = corpus
    threads = set()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        training.cross_validate(Counting, X, table, splits.make(table, "loso"))
    assert threads == {1}


def test_finished_folds_are_not_trained_again(corpus, tmp_path):
    table, X = corpus
    split = splits.make(table, "loso")
    Spy.fits = 0
    first = training.cross_validate(Spy, X, table, split, only=[(0, 0), (0, 1)], cache=tmp_path)
    assert Spy.fits == 2
    whole = training.cross_validate(Spy, X, table, split, cache=tmp_path)
    assert Spy.fits == 4
    again = training.cross_validate(Spy, X, table, split, cache=tmp_path)
    assert Spy.fits == 4
    pd.testing.assert_frame_equal(whole, again)
    pd.testing.assert_frame_equal(first, whole.head(len(first)), check_dtype=False)
    assert whole.attrs["cost"] == again.attrs["cost"]


def test_anything_that_matters_makes_a_fold_be_trained_again(corpus, tmp_path):
    table, X = corpus
    split = splits.make(table, "loso")
    tree = DecisionTreeClassifier

    def files(build, X=X, table=table, split=split, seed=0):
        training.cross_validate(build, X, table, split, (seed,), only=[(seed, 0)], cache=tmp_path)
        return len(list(tmp_path.iterdir()))

    assert files(lambda seed: tree(random_state=seed)) == 1
    assert files(lambda seed: tree(random_state=seed)) == 1
    assert files(lambda seed: tree(random_state=seed, max_depth=2)) == 2
    assert files(lambda seed: tree(random_state=seed), X=X + 1) == 3
    assert files(lambda seed: tree(random_state=seed), seed=1) == 4
    assert files(lambda seed: tree(random_state=seed), split=splits.make(table, "random3")) == 5
    other = table.assign(emotion=table["emotion"].to_numpy()[::-1])
    assert files(lambda seed: tree(random_state=seed), table=other) == 6
    late = X.copy()
    late[70, 3] += 1
    assert files(lambda seed: tree(random_state=seed), X=late) == 7
    # A model may look at the speakers: one of them under another name, all else being the same.
    renamed = table.assign(speaker=table["speaker"].replace("dee", "eve"))
    assert files(lambda seed: tree(random_state=seed), table=renamed) == 8
    # A model that draws lots and is not told with which seed: each seed has a result of its own.
    assert [files(lambda seed: tree(), seed=one) for one in (0, 1)] == [9, 10]
    # Validation rows choose the epoch. Here they alone differ: the others are left out of training, too.
    for number, rows in enumerate((slice(0, 6), slice(6, 12)), 11):
        fold = split.folds[0]
        few = splits.Fold(fold.train[12:], fold.train[rows], fold.test, fold.made_for)
        assert (
            files(lambda seed: tree(random_state=seed), split=splits.Split("x", "x", (few,), False)) == number
        )


@pytest.mark.parametrize("cut", [0, 1, 100, -100, -1])
def test_a_damaged_fold_is_trained_again(corpus, tmp_path, cut):
    table, X = corpus
    split = splits.make(table, "loso")
    first = training.cross_validate(logistic, X, table, split, cache=tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:cut])
    again = training.cross_validate(logistic, X, table, split, cache=tmp_path)
    pd.testing.assert_frame_equal(first, again)


def test_folds_that_changed_places_are_trained_again(corpus, tmp_path):
    table, X = corpus
    split = splits.make(table, "loso")
    first = training.cross_validate(logistic, X, table, split, cache=tmp_path)
    files = sorted(tmp_path.iterdir())
    contents = [file.read_bytes() for file in files]
    for file, other in zip(files, reversed(contents), strict=True):
        file.write_bytes(other)
    again = training.cross_validate(logistic, X, table, split, cache=tmp_path)
    pd.testing.assert_frame_equal(first, again)


def test_every_fold_and_seed_draws_its_own_numbers(corpus):
    table, X = corpus
    given = []
    training.cross_validate(
        lambda seed: given.append(seed) or Spy(), X, table, splits.make(table, "loso"), (0, 1)
    )
    assert given == list(range(8))


def test_a_fold_that_was_killed_leaves_nothing_behind(corpus, tmp_path):
    table, X = corpus

    class Killed(Spy):
        def predict_proba(self, X):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.cross_validate(Killed, X, table, splits.make(table, "loso"), cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_models_without_probabilities_and_classes_missing_from_training(corpus):
    table, X = corpus
    table = table[(table["speaker"] != "ann") | (table["emotion"] != "sad")].reset_index(drop=True)
    only_ann = splits.Split(
        "x", "x", (splits.Fold(*splits.make(table, "loso").folds[0].__dict__.values()),), True
    )
    fold = only_ann.folds[0]
    swapped = splits.Split("x", "x", (splits.Fold(fold.test, fold.validation, fold.train),), True)
    said = training.cross_validate(lambda seed: SVC(), X[: len(table)], table, swapped)
    assert said["p_sad"].eq(0).all()
    np.testing.assert_allclose(said.filter(like="p_").sum(axis=1), 1)
    best = said.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
    assert best.tolist() == said["predicted"].tolist()


def test_softmax_keeps_the_order_and_survives_large_values():
    found = training.softmax(np.array([[1000.0, 0, 999.0]]))
    assert found.sum() == pytest.approx(1)
    assert found.argsort().tolist() == [[1, 2, 0]]
    two = training.softmax(np.array([-1.0, 2.0]))
    np.testing.assert_allclose(two[:, 1], 1 / (1 + np.exp([1.0, -2.0])))


def test_features_and_table_must_match(corpus):
    table, X = corpus
    with pytest.raises(EvaluationError, match="71 rows of features do not go with 72"):
        training.cross_validate(logistic, X[1:], table, splits.make(table, "loso"))


def test_cost_is_added_up(corpus, monkeypatch):
    table, X = corpus
    split = splits.make(table, "loso")
    measured = iter([(1.5, 100.0), (2.25, 400.0), (3.0, 200.0), (0.25, 300.0)] * 2)

    @contextlib.contextmanager
    def meter():
        seconds, memory = next(measured)
        yield {"seconds": seconds, "peak_memory_mb": memory}

    class Sized(Spy):
        chosen = None

        def fit(self, X, y, groups):
            # A model of one number for every fold before it.
            self.trainable_weights = [np.zeros(Spy.fits)]
            self.chosen = {"C": Spy.fits} if Spy.fits else None
            return super().fit(X, y, groups)

    monkeypatch.setattr(training, "meter", meter)
    Spy.fits = 0
    said = training.cross_validate(Sized, X, table, split)
    assert said.attrs["cost"] == {
        "seconds": 7.0,
        "peak_memory_mb": 400,
        "parameters": round((0 + 1 + 2 + 3) / 4),
        "machine": provenance.machine(),
        "chosen": [{"C": 1}, {"C": 2}, {"C": 3}],
        "history": [],
    }
    assert training.cross_validate(Spy, X, table, split).attrs["cost"]["parameters"] is None


def test_cost_is_measured(corpus):
    table, X = corpus
    said = training.cross_validate(logistic, X, table, splits.make(table, "loso"), seeds=(0, 1))
    cost = said.attrs["cost"]
    assert cost["parameters"] == 5 * 3 + 3
    assert 0 < cost["seconds"] < 60
    assert 10 < cost["peak_memory_mb"] < 100_000
    assert sorted(set(said["seed"])) == [0, 1]


def test_parameters_are_counted_where_they_can_be(corpus):
    from sklearn.ensemble import RandomForestClassifier

    table, X = corpus
    y = table["emotion"]
    trees = RandomForestClassifier(3, random_state=0).fit(X, y)
    assert training.count_parameters(trees) == sum(tree.tree_.node_count for tree in trees.estimators_)
    svm = SVC().fit(X, y)
    assert training.count_parameters(svm) == svm.dual_coef_.size + 3

    class Weights:
        shape = (4, 3)

    class Network:
        trainable_weights = (Weights, Weights)

    assert training.count_parameters(Network()) == 24
    assert training.count_parameters(object()) is None


def test_peak_memory_sees_what_was_given_back():
    with training.meter() as small:
        pass
    with training.meter() as large:
        block = np.ones(40_000_000)
        while large["peak_memory_mb"] < 250:
            pass
        del block
    assert large["peak_memory_mb"] > small["peak_memory_mb"] + 100


def test_a_split_of_another_order_is_refused(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    shuffled = table.sample(frac=1, random_state=0)
    with pytest.raises(SplitError, match="another table"):
        training.cross_validate(logistic, X, shuffled, split)
    renumbered = shuffled.reset_index(drop=True)
    with pytest.raises(SplitError, match="another table"):
        training.cross_validate(logistic, X, renumbered, split)
    part = table[table["speaker"] != "ann"]
    with pytest.raises(SplitError, match="another table"):
        training.cross_validate(logistic, X[18:], part, split, only=[(0, 0)])


def test_a_split_that_says_more_than_it_keeps_is_refused(corpus):
    table, X = corpus
    fold = splits.make(table, "loso").folds[0]
    shared = splits.Fold(np.r_[fold.train, fold.test[:9]], fold.validation, fold.test[9:])
    Spy.fits = 0
    with pytest.raises(SplitError, match="no test speaker is heard in training, but speaker ann is"):
        training.cross_validate(Spy, X, table, splits.Split("mine", "mine", (shared,), True))
    assert Spy.fits == 0
    training.cross_validate(Spy, X, table, splits.Split("mine", "mine", (shared,), False))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, table: (np.where(X[9, 2] == X, np.nan, X), table), r"row 9 \(ann-happy-3\) hold nan .* 2"),
        (lambda X, table: (np.where(X[9, 2] == X, -np.inf, X), table), r"row 9 \(ann-happy-3\) hold -inf"),
        (lambda X, table: (X[:, 0], table), r"shape \(72,\)"),
        (lambda X, table: (X[:, :0], table), "nothing to train on"),
        (lambda X, table: (X.astype(object), table), "must be numbers"),
        (lambda X, table: (pd.DataFrame(X).assign(speaker="a"), table), "must be numbers"),
        (lambda X, table: (X, table.assign(emotion=table["emotion"].mask(table.index == 7))), "row 7"),
        (lambda X, table: (X, table.assign(emotion="sad")), "all labels are 'sad'"),
        (lambda X, table: (X, table.assign(speaker=table["speaker"].mask(table.index == 7))), "no speaker"),
        (lambda X, table: (X, table.drop(columns="speaker")), "lacks the columns speaker"),
        (lambda X, table: (X[0], table), r"5 rows of features do not go with 72"),
    ],
)
def test_what_cannot_be_trained_on_is_said_before_training(corpus, spoil, message):
    table, X = corpus
    split = splits.make(table, "loso")
    X, table = spoil(X, table)
    Spy.fits = 0
    with pytest.raises(EvaluationError, match=message):
        training.cross_validate(Spy, X, table, split)
    assert Spy.fits == 0


def test_labels_given_by_name_or_by_hand_are_learned_and_those_of_the_table_stay(corpus, tmp_path):
    table, X = corpus
    before = table.copy()
    loud = np.where(X[:, 0] > np.median(X[:, 0]), "loud", "soft")
    split = splits.make(table, "loso")
    found = training.cross_validate(logistic, X, table, split, y=loud, cache=tmp_path)
    truth = dict(zip(table["clip"], loud, strict=True))
    assert found["label"].tolist() == [truth[clip] for clip in found["clip"]]
    assert {name for name in found if name.startswith("p_")} == {"p_loud", "p_soft"}
    named = replace(split, target="loudness")
    again = training.cross_validate(logistic, X, table.assign(loudness=loud), named)
    pd.testing.assert_frame_equal(again, found)
    pd.testing.assert_frame_equal(table, before)
    # Other labels are another result, whatever was kept of these.
    emotions = training.cross_validate(logistic, X, table, split, cache=tmp_path)
    assert set(emotions["label"]) == set(table["emotion"])
    kept = pd.Series(loud, index=table.index)
    for y, message in (
        (loud[1:], "one label for each of 72 rows"),
        (kept[::-1], "another order"),
        (kept.mask(kept.index == 3), "row 3"),
    ):
        with pytest.raises(EvaluationError, match=message):
            training.cross_validate(logistic, X, table, split, y=y)
    with pytest.raises(EvaluationError, match="lacks the columns loudness"):
        training.cross_validate(logistic, X, table, named)


def test_a_data_frame_of_features_counts_as_its_numbers(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    frame = pd.DataFrame(X, index=table["clip"], columns=list("abcde"))
    said = training.cross_validate(logistic, frame, table, split)
    pd.testing.assert_frame_equal(said, training.cross_validate(logistic, X, table, split))


def test_one_class_in_training_names_the_fold_before_any_is_trained(corpus):
    table, X = corpus
    table = table.assign(emotion=np.where(table["speaker"] == "dee", "happy", "sad"))
    Spy.fits = 0
    with pytest.raises(EvaluationError, match="training clips of fold 3 of loso are 'sad'"):
        training.cross_validate(Spy, X, table, splits.make(table, "loso"))
    assert Spy.fits == 0
    training.cross_validate(Spy, X, table, splits.make(table, "loso"), only=[(0, 0)])


def test_networks_made_with_several_threads_are_kept_apart(corpus, tmp_path, monkeypatch):
    class Net(Spy):
        libraries = ("keras",)

    table, X = corpus
    split = splits.make(table, "loso")
    counts = []
    for intra, inter in (("1", "1"), ("4", "1"), ("1", "2"), ("1", "1")):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", intra)
        monkeypatch.setenv("TF_NUM_INTEROP_THREADS", inter)
        for build in (Net, logistic):
            training.cross_validate(build, X, table, split, only=[(0, 0)], cache=tmp_path)
        counts.append(len(list(tmp_path.iterdir())))
    assert counts == [2, 3, 4, 4], "what is no network does not mind"


def test_a_frame_of_features_in_another_order_is_refused():
    table = pd.DataFrame(
        {"clip": list("abcdefgh"), "speaker": list("11223344"), "emotion": ["sad", "happy"] * 4}
    )
    split = splits.make(table, "loso")
    X = pd.DataFrame({"x": np.arange(8.0)}, index=table["clip"])
    training.cross_validate(lambda seed: DecisionTreeClassifier(), X, table, split)
    for turned in (X.iloc[::-1], X.reset_index(drop=True).iloc[::-1]):
        with pytest.raises(EvaluationError, match="rows of X are in another order"):
            training.cross_validate(lambda seed: DecisionTreeClassifier(), turned, table, split)


@pytest.mark.parametrize("split", ["loso", GroupKFold(2), [([0], [1])]])
def test_what_is_no_split_is_refused(corpus, split):
    table, X = corpus
    with pytest.raises(SplitError, match=r"must be what serlab.splits.make"):
        training.cross_validate(logistic, X, table, split)


def test_speakers_may_be_numbers_where_folds_are_kept(corpus, tmp_path):
    table, X = corpus
    table = table.assign(speaker=table["speaker"].map({"ann": 1, "bob": 2, "cy": 3, "dee": 4}))
    split = splits.make(table, "loso")
    said = training.cross_validate(logistic, X, table, split, cache=tmp_path)
    pd.testing.assert_frame_equal(said, training.cross_validate(logistic, X, table, split))


class Answers(Spy):
    """Give the probabilities and the answer that it was made with."""

    def __init__(self, p, answer="happy"):
        super().__init__()
        self.p, self.answer = p, answer

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), self.p)

    def predict(self, X):
        return np.array([self.answer] * len(X), dtype=object)


@pytest.mark.parametrize(
    ("p", "answer", "message"),
    [
        (np.nan, "happy", "probabilities of row 0"),
        (7.0, "happy", "probabilities of row 0"),
        (1 / 3, 0, "answers '0', which is none of the classes neutral, happy, sad"),
        (1 / 3, None, "answers 'None'"),
        (1 / 3, "joyful", "answers 'joyful'"),
    ],
)
def test_answers_that_are_none_are_refused(corpus, p, answer, message):
    table, X = corpus
    with pytest.raises(EvaluationError, match=message):
        training.cross_validate(lambda seed: Answers(p, answer), X, table, splits.make(table, "loso"))


@pytest.mark.parametrize("seeds", [3, [], [0, 0], None])
def test_seeds_are_different_numbers_in_a_list(corpus, seeds):
    table, X = corpus
    with pytest.raises(EvaluationError, match="seeds must be different numbers"):
        training.cross_validate(logistic, X, table, splits.make(table, "loso"), seeds)


def test_build_is_a_function(corpus):
    table, X = corpus
    with pytest.raises(EvaluationError, match="build must be a function"):
        training.cross_validate("forest", X, table, splits.make(table, "loso"))

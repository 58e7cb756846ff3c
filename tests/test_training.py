"""Cross-validation: nothing of the test rows reaches training, finished folds are kept, costs are told."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from serlab import evaluation, models, provenance, runs, splits, store, training
from serlab.errors import EvaluationError, SplitError
from serlab.features import Rms, Summary
from serlab.models import Shares, estimators
from serlab.models.binaries import OneVsRest, Oversampled, Tuned
from serlab.models.search import Committee, SpeakerSearch

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
    assert training._count_parameters(trees) == sum(tree.tree_.node_count for tree in trees.estimators_)
    svm = SVC().fit(X, y)
    assert training._count_parameters(svm) == svm.dual_coef_.size + 3

    class Weights:
        shape = (4, 3)

    class Network:
        trainable_weights = (Weights, Weights)

    assert training._count_parameters(Network()) == 24
    assert training._count_parameters(object()) is None


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


def test_a_class_that_is_tested_and_never_trained_is_named_once(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    for names, told in ((["dee"], "'shy' in 1 of 4 folds"), (["dee", "cy"], None)):
        shy = table["speaker"].isin(names) & (table["emotion"] == "sad")
        own = table.assign(emotion=table["emotion"].mask(shy, "shy"))
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            training.cross_validate(logistic, X, own, split, seeds=[0, 1])
        assert len(heard) == (told is not None)
        if told:
            assert told in str(heard[0].message)
            assert heard[0].filename == __file__
    y = table["emotion"].mask(table["speaker"] == "dee", "shy")
    with pytest.warns(UserWarning, match="'shy' in 1 of 1 folds"):
        training.cross_validate(logistic, X, table, split, y=y, only=[(0, 3)])


def test_speakers_held_out_without_a_class_are_no_matter_for_warnings(corpus):
    table, X = corpus
    own = table[(table["speaker"] != "ann") | (table["emotion"] != "sad")].reset_index(drop=True)
    X = X[table["clip"].isin(own["clip"])]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        estimators.logistic().fit(X, own["emotion"].to_numpy(), groups=own["speaker"])


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


def test_rows_with_numbers_in_another_order_are_refused(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    frame = pd.DataFrame(X)
    training.cross_validate(logistic, frame, table, split)
    with pytest.raises(EvaluationError, match="rows of X are in another order"):
        training.cross_validate(logistic, frame.iloc[::-1], table, split)
    with pytest.raises(EvaluationError, match="numbered otherwise than those of the table"):
        training.cross_validate(logistic, frame.set_index(frame.index + 1), table, split)


def as_opensmile(frame, table):
    """Index rows as openSMILE's process_files does."""
    files = [f"sounds of mine/{clip}.wav" for clip in table["clip"]]
    times = [pd.to_timedelta([seconds] * len(table), unit="s") for seconds in (0, 2)]
    return frame.set_index(pd.MultiIndex.from_arrays([files, *times], names=["file", "start", "end"]))


@pytest.mark.parametrize(
    "named",
    [
        lambda frame, table: frame.set_index(table["clip"]),
        lambda frame, table: frame.set_index(pd.Index([f"{clip}.mp3" for clip in table["clip"]])),
        lambda frame, table: frame.assign(clip=table["clip"]),
        lambda frame, table: frame.set_index("C:\\sounds\\" + table["clip"] + ".wav"),
        lambda frame, table: frame.set_index(table["path"].rename("filename")),
        as_opensmile,
        lambda frame, table: as_opensmile(frame, table).reset_index(),
        lambda frame, table: frame.assign(name="'" + table["clip"] + ".wav'", frameTime=0.0),
    ],
    ids=["clip", "file", "column", "windows", "path", "opensmile", "opensmile-columns", "smilextract"],
)
def test_features_of_ones_own_are_found_by_name_whatever_their_order(corpus, named, tmp_path):
    table, X = corpus
    table["path"] = [f"/corpus/take {row}.wav" for row in range(len(table))]
    split = splits.make(table, "loso")
    expected = training.cross_validate(logistic, X, table, split)
    frame = named(pd.DataFrame(X, columns=list("abcde")), table)
    mixed = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(training.cross_validate(logistic, mixed, table, split), expected)
    if mixed.index.nlevels == 3 or "file" in mixed:
        mixed.to_csv(tmp_path / "a.csv", sep=";", index=mixed.index.nlevels == 3)
        read = pd.read_csv(tmp_path / "a.csv", sep=";")
        found = training.cross_validate(logistic, read, table, split)
        pd.testing.assert_frame_equal(found, expected, atol=1e-9)


def test_labels_of_ones_own_are_found_by_clip_whatever_their_order(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    expected = training.cross_validate(logistic, X, table, split)
    y = pd.Series(table["emotion"].to_numpy(), index=table["clip"]).sample(frac=1, random_state=1)
    more = pd.concat([pd.Series({"somebody-else": "sad"}), y])
    for labels in (y, more, more.rename(lambda clip: f"sounds/{clip}.wav")):
        pd.testing.assert_frame_equal(training.cross_validate(logistic, X, table, split, y=labels), expected)
    with pytest.raises(EvaluationError, match="y has no row for clip ann"):
        training.cross_validate(logistic, X, table, split, y=y[~y.index.str.startswith("ann")])


def test_rows_of_other_clips_are_left_out(corpus):
    table, X = corpus
    frame = pd.DataFrame(X, index=table["clip"])
    few = table[table["speaker"] != "ann"].reset_index(drop=True)
    split = splits.make(few, "loso")
    said = training.cross_validate(logistic, frame, few, split)
    pd.testing.assert_frame_equal(said, training.cross_validate(logistic, X[18:], few, split))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: X.drop(index=["bob-sad-0", "cy-sad-1"]), "no row for clip bob-sad-0 and 1 more: add them"),
        (lambda X: X.rename({"bob-sad-0": "bob-sad-O"}), "clip bob-sad-0. There are .* such as 'bob-sad-O'"),
        (lambda X: pd.concat([X, X.loc[["dee-sad-3"]]]), "2 rows for clip dee-sad-3"),
        (lambda X: X.rename({"dee-sad-4": "x/dee-sad-3.wav"}), "no row for clip dee-sad-4"),
        (
            lambda X: X.rename({"dee-sad-4": "x/dee-sad-4.wav"}).rename({"dee-sad-3": "dee-sad-4"}),
            "dee-sad-3",
        ),
        (
            lambda X: X.assign(b=X["b"].where(X.index != "cy-happy-2")),
            "nan for clip cy-happy-2 in column 'b'",
        ),
        (lambda X: X.assign(b=X["b"].astype("Float64").where(X.index != "cy-sad-2")), "clip cy-sad-2 in col"),
        (lambda X: X.assign(c=-np.inf), "X holds -inf for clip ann-neutral-0 in column 'c'"),
        (lambda X: X.assign(voice="soft"), "column 'voice' of X is of type .*drop"),
        (lambda X: X.assign(emotion=1.0), "column 'emotion' of X is no feature"),
        (lambda X: pd.DataFrame({"file;start;pitch": ["a;0;1"] * len(X)}), 'read it with sep=";"'),
    ],
)
def test_what_is_wrong_with_features_of_ones_own_is_named(corpus, spoil, message):
    table, X = corpus
    frame = spoil(pd.DataFrame(X, index=table["clip"], columns=list("abcde")))
    Spy.fits = 0
    with pytest.raises(EvaluationError, match=message):
        training.cross_validate(Spy, frame, table, splits.make(table, "loso"))
    assert Spy.fits == 0


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


@pytest.mark.parametrize("seeds", [3, [], range(0), [0, 0], None, [0.5], ["a"]])
def test_seeds_are_different_numbers_in_a_list(corpus, seeds):
    table, X = corpus
    with pytest.raises(EvaluationError, match="seeds must be different whole numbers"):
        training.cross_validate(logistic, X, table, splits.make(table, "loso"), seeds)


@pytest.mark.parametrize("build", ["forest", None, DecisionTreeClassifier()])
def test_build_is_a_model_of_the_book_or_a_function(corpus, build):
    table, X = corpus
    with pytest.raises(EvaluationError, match=r"serlab\.models\.get\('forest'\), or a function"):
        training.cross_validate(build, X, table, splits.make(table, "loso"))


def test_a_model_of_the_book_is_trained_as_its_runs_are(demo):
    """With the features that the reader has, which are not normalised."""
    few = demo[demo["speaker"].isin(["d01", "d02", "d03", "d04"])].reset_index(drop=True)
    spec = models.get("svm-linear-summary").normalised()
    spec = replace(spec, extractors=(Summary(features=(Rms(scale="db"),), timing=False),))
    X = store.features(few, *spec.extractors, progress=False)
    split = splits.make(few, "loso")
    said = training.cross_validate(spec, X, few, split)
    wanted = training.cross_validate(spec.build, runs.inputs(spec, few), few, split)
    pd.testing.assert_frame_equal(said, wanted)
    assert not said.equals(training.cross_validate(replace(spec, normalises=()), X, few, split))


@pytest.mark.parametrize("who", ["speakers", "clips", "test", "itself"])
def test_a_model_of_the_book_has_its_validation_rows(corpus, who):
    table, X = corpus
    spec, split = replace(models.get("forest"), build=Spy, validates=who), splits.make(table, "loso")
    for given in (split, splits.with_validation(split, table, share=0.5)):
        training.cross_validate(spec, X, table, given, only=[(0, 0)])
        own = given.folds[0].validation.size
        fold = given.folds[0] if own else runs.split_for(spec, table, "loso").folds[0]
        np.testing.assert_array_equal(Spy.given[0], X[fold.train])
        assert (Spy.given[3] is None) == (who == "itself" and not own)
        if Spy.given[3] is not None:
            np.testing.assert_array_equal(Spy.given[3][0], X[fold.validation])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (models.get("three-vote"), r"is a vote of logreg-\S+, .*--model three-vote .* serlab\.voting"),
        (models.get("svm-rbf-summary").by_emotion(), "learns emotions first, .*python -m serlab.runs"),
    ],
)
def test_a_model_that_needs_more_than_features_names_the_way(corpus, spec, message):
    table, X = corpus
    table["ternary"] = table["emotion"].map({"neutral": "neutral", "happy": "positive", "sad": "negative"})
    with pytest.raises(EvaluationError, match=message):
        training.cross_validate(spec, X, table, replace(splits.make(table, "loso"), target="ternary"))


@pytest.fixture
def votes(corpus):
    """Give votes of ten listeners, for classes in no particular order."""
    table, _ = corpus
    p = {"neutral": (0.7, 0.2, 0.1), "happy": (0.1, 0.8, 0.1), "sad": (0.3, 0.1, 0.6)}
    rng = np.random.default_rng(1)
    counts = np.array([rng.multinomial(10, p[emotion]) for emotion in table["emotion"]])
    counts[::7] = 5, 5, 0
    return pd.DataFrame(counts / 10, index=table["clip"], columns=CLASSES)[["sad", "neutral", "happy"]]


def test_shares_of_votes_are_learned_as_their_cross_entropy_says(corpus, votes):
    """Against a direct minimum of the regularised cross-entropy with the shares."""
    table, X = corpus
    split = splits.make(table, "loso")
    plain = LogisticRegression(C=0.5, tol=1e-8, max_iter=10_000)
    said = training.cross_validate(lambda seed: Shares(plain), X, table, split, y=votes.sample(frac=1))
    Y = votes[CLASSES].to_numpy()

    def fitted(X, Y):
        def loss(weights):
            slopes, offsets = weights[:15].reshape(3, 5), weights[15:]
            logs = X @ slopes.T + offsets
            entropy = (special.logsumexp(logs, axis=1) - (Y * logs).sum(axis=1)).sum()
            return 0.5 * entropy + 0.5 * np.square(slopes).sum()

        return optimize.minimize(loss, np.zeros(18), tol=1e-10).x

    for number, fold in enumerate(split):
        weights = fitted(X[fold.train], Y[fold.train])
        expected = special.softmax(X[fold.test] @ weights[:15].reshape(3, 5).T + weights[15:], axis=1)
        part = said[said["fold"] == number]
        np.testing.assert_allclose(part[["p_neutral", "p_happy", "p_sad"]], expected, atol=1e-4)
    names = [f"share_{name}" for name in CLASSES]
    assert said.columns.tolist()[4:] == ["label", "predicted", *names, "p_neutral", "p_happy", "p_sad"]
    np.testing.assert_allclose(said[names], votes.loc[said["clip"], CLASSES])
    tied = said[names].eq(said[names].max(axis=1), axis=0).sum(axis=1) > 1
    assert tied.any()
    first = votes.loc[said["clip"]].idxmax(axis=1)
    assert said["label"].tolist() == first.tolist(), "of equals, the first column"


def test_certain_votes_are_labels(corpus):
    table, X = corpus
    split = splits.make(table, "loso")
    certain = pd.get_dummies(table["emotion"]).set_index(table["clip"])
    for build in (
        logistic,
        lambda seed: DecisionTreeClassifier(max_depth=3, random_state=0),
        estimators.logistic,
    ):
        said = training.cross_validate(lambda seed, b=build: Shares(b(seed)), X, table, split, y=certain)
        plain = training.cross_validate(build, X, table, split)
        pd.testing.assert_frame_equal(said[plain.columns], plain)
    assert said.attrs["cost"]["chosen"] == plain.attrs["cost"]["chosen"]


@pytest.mark.parametrize("build", [lambda seed: SVC(), estimators.rbf_svm])
def test_shares_are_learned_without_probabilities_as_labels_are(corpus, votes, build):
    """An SVC has decision values alone; weights of 1 change nothing in it."""
    table, X = corpus
    split = splits.make(table, "loso")
    certain = pd.get_dummies(table["emotion"]).set_index(table["clip"])
    said = training.cross_validate(lambda seed: Shares(build(seed)), X, table, split, y=certain)
    plain = training.cross_validate(build, X, table, split)
    pd.testing.assert_frame_equal(said[plain.columns], plain)
    said = training.cross_validate(lambda seed: Shares(build(seed)), X, table, split, y=votes)
    assert evaluation.interval(said, "divergence").value > 0


@pytest.mark.parametrize("wrapper", [Shares, Oversampled])
def test_wrappers_have_the_methods_of_their_model(corpus, wrapper):
    table, X = corpus
    y = pd.get_dummies(table["emotion"]) if wrapper is Shares else table["emotion"]
    for model in (SVC(), DecisionTreeClassifier(), LogisticRegression()):
        for one in (wrapper(model), wrapper(model).fit(X, y)):
            for name in ("predict_proba", "decision_function"):
                assert hasattr(one, name) == hasattr(model, name), (model, name)


class Mute(Spy):
    """Names a class, and does not say how sure it is."""

    predict_proba = property()


@pytest.mark.parametrize(
    "build",
    [
        lambda seed: Mute(),
        lambda seed: Tuned(SVC()),
        lambda seed: OneVsRest(SVC()),
        lambda seed: Committee([(slice(3), SpeakerSearch(SVC(), {"C": [1]}))]),
    ],
)
def test_models_without_probabilities_are_refused_where_these_are_needed(corpus, build):
    table, X = corpus
    with pytest.raises(EvaluationError, match=r"(SVC|Mute) gives no probabilities: .* LogisticRegression"):
        training.cross_validate(build, X, table, splits.make(table, "loso"))


def test_steps_before_the_classifier_see_every_clip_once(corpus, votes):
    _, X = corpus
    model = Shares(logistic(0)).fit(X, votes)
    np.testing.assert_allclose(model.model_[0].mean_, X.mean(axis=0))
    np.testing.assert_allclose(model.model_[0].scale_, X.std(axis=0))


def test_other_shares_are_another_result(corpus, votes, tmp_path):
    table, X = corpus
    split = splits.make(table, "loso")
    counts = []
    for y in (votes, votes, votes[CLASSES], votes.rename(columns={"sad": "bored"}), 0.9 * votes + 0.1 / 3):
        training.cross_validate(lambda seed: Shares(logistic(0)), X, table, split, y=y, cache=tmp_path)
        counts.append(len(list(tmp_path.iterdir())))
    assert counts == [4, 4, 8, 12, 16]


@pytest.mark.parametrize(
    ("build", "spoil", "message"),
    [
        (logistic, lambda y: y, r"Pipeline learns no shares of votes: take serlab.models.Shares\(Pipeline"),
        (lambda seed: Shares(KNeighborsClassifier()), lambda y: y, "KNeighborsClassifier takes no weights"),
        (Spy, lambda y: 10 * y, "shares of clip ann-neutral-0 are .*add up to 1"),
        (Spy, lambda y: y - [0.5, -0.5, 0], "shares of clip ann-.*add up to 1"),
        (Spy, lambda y: y.to_numpy(), "shares of votes are a DataFrame whose columns"),
        (Spy, lambda y: y.drop(index="cy-sad-2"), "y has no row for clip cy-sad-2"),
        (Spy, lambda y: y.assign(sad=y["sad"].where(y.index != "cy-sad-2")), "y holds nan for clip cy-sad-2"),
        (Spy, lambda y: y[["sad"]], "two columns or more"),
        (Spy, lambda y: y.rename(columns={"sad": "Happy"}), "differ in spelling"),
    ],
)
def test_shares_that_cannot_be_learned_are_refused(corpus, votes, build, spoil, message):
    table, X = corpus
    with pytest.raises(EvaluationError, match=message):
        training.cross_validate(build, X, table, splits.make(table, "loso"), y=spoil(votes))


def test_values_are_predicted_with_settings_chosen_on_held_out_speakers(corpus):
    """Against a plain loop; no corpus at hand has ratings of arousal, so values are made of the features."""
    table, X = corpus
    y = X @ [1.0, -2, 0, 0, 0.5] + np.random.default_rng(3).normal(size=72)
    split = splits.make(table, "loso")
    grid = {"svr__C": [0.01, 1.0]}

    def build(seed):
        return SpeakerSearch(make_pipeline(StandardScaler(), SVR(kernel="linear")), grid)

    said = training.cross_validate(build, X, table, split, y=y)
    assert said.columns.tolist() == ["clip", "speaker", "fold", "seed", "value", "predicted"]
    named = replace(split, target="arousal")
    pd.testing.assert_frame_equal(training.cross_validate(build, X, table.assign(arousal=y), named), said)
    for number, fold in enumerate(split):
        who = table["speaker"].to_numpy()[fold.train]
        errors = []
        for C in grid["svr__C"]:
            model = make_pipeline(StandardScaler(), SVR(kernel="linear", C=C))
            wrong = []
            for one in np.unique(who):
                heard, left = fold.train[who != one], fold.train[who == one]
                wrong.append(np.mean((model.fit(X[heard], y[heard]).predict(X[left]) - y[left]) ** 2))
            errors.append(np.mean(wrong))
        best = grid["svr__C"][int(np.argmin(errors))]
        assert said.attrs["cost"]["chosen"][number] == {"svr__C": best}
        model = make_pipeline(StandardScaler(), SVR(kernel="linear", C=best)).fit(
            X[fold.train], y[fold.train]
        )
        part = said[said["fold"] == number]
        np.testing.assert_allclose(part["predicted"], model.predict(X[fold.test]))
        np.testing.assert_allclose(part["value"], y[fold.test])
    assert evaluation.ccc(said["value"], said["predicted"]) > 0.7


def test_finished_folds_of_values_are_kept(corpus, tmp_path):
    table, X = corpus
    split = splits.make(table, "loso")
    first, again = (
        training.cross_validate(lambda seed: Ridge(), X, table, split, y=X[:, 0], cache=tmp_path)
        for _ in "ab"
    )
    pd.testing.assert_frame_equal(first, again)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    ("build", "spoil", "message"),
    [
        (logistic, lambda y: y, "Pipeline tells classes apart: take a regressor"),
        (
            lambda seed: Ridge(),
            lambda y: y.round().astype(int),
            "Ridge learns values: give it y of type float",
        ),
        (lambda seed: Ridge(), lambda y: np.where(np.arange(72) == 9, np.nan, y), "clip ann-happy-3 is nan"),
        (lambda seed: Ridge(), lambda y: y[1:], "for each of 72 rows"),
    ],
)
def test_values_that_cannot_be_learned_are_refused(corpus, build, spoil, message):
    table, X = corpus
    with pytest.raises(EvaluationError, match=message):
        training.cross_validate(build, X, table, splits.make(table, "loso"), y=spoil(X[:, 0]))

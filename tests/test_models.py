"""The registry of models, and the two ways to put models together."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from serlab import corpora, models, runs
from serlab.errors import RunError
from serlab.models.search import Committee, SpeakerSearch
from serlab.models.spec import TRANSDUCTIVE


def test_every_model_says_what_a_reader_must_know():
    specs = models.specs()
    assert len({spec.name for spec in specs}) == len({spec.title for spec in specs}) == len(specs)
    for spec in specs:
        assert (TRANSDUCTIVE in spec.title) == spec.speaker_normalised
        assert spec.validation
        assert 4 <= spec.chapter <= 17
        assert spec.validates in ("itself", "speakers", "clips", "test")
        assert (spec.validates in ("clips", "test")) == ("unsound" in spec.title)
        places = runs.PLAN if spec.plan is None else spec.plan
        assert {corpus for corpus, _ in places} <= {"unified", *corpora.names()}
        assert places, "every model is recorded somewhere"
        if spec.members:
            assert spec.ensemble
            assert set(spec.members) <= {other.name for other in specs}
            continue
        built = spec.build(0)
        assert built is not spec.build(0), "models must be built anew, not shared"
        assert hasattr(clone(built), "fit")
    assert models.get("forest").title.startswith("Random forest")


def test_every_normalised_model_stands_beside_its_plain_twin():
    names = models.names()
    for name in names:
        assert name.removesuffix("-spknorm") in names


def test_whose_scores_are_normalised_is_said_and_stands_beside_its_twin_without():
    specs = {spec.name: spec for spec in models.specs()}
    for spec in specs.values():
        assert spec.normalises_scores == spec.name.endswith("-scorenorm") == ("scores (" in spec.title)
        assert not specs[spec.name.removesuffix("-scorenorm")].normalises_scores


def test_originals_have_their_last_epoch_on_as_many_speakers_as_ours():
    specs = {spec.name: spec for spec in models.specs()}
    held_out = ("ann-original", "contours-original")
    for name in held_out:
        original, last = specs[name], specs[f"{name}-last"]
        assert (original.validates, last.validates) == ("speakers", "itself")
        assert last.build(0).get_params() == original.build(0).get_params()
        assert last.extractors == original.extractors
        assert set(last.plan) <= set(original.plan)
        assert last.title == f"{original.title}, last epoch"


def test_models_that_vote_are_recorded_wherever_their_members_are():
    planned = set(runs.planned())
    for corpus, protocol, name in planned:
        for member in models.get(name).members:
            assert (corpus, protocol, member) in planned


def test_networks_are_listed_without_keras():
    listed = "import sys, serlab.models; serlab.models.specs(); print('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True).stdout == "False\n"


def test_models_that_are_random_have_several_seeds_that_matter():
    for spec in models.specs():
        if spec.members:
            continue
        settings = spec.build(1).get_params(deep=True)
        seeds = [value for name, value in settings.items() if name.endswith(("random_state", "seed"))]
        given = max(spec.repeats)
        assert (given >= 3) == (1 in seeds), spec.name


def settings_of(name):
    """Give the settings of what a model builds by the last part of their names."""
    found = models.get(name).build(0).get_params(deep=True)
    return {key.rpartition("__")[2]: value for key, value in found.items()}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        *(
            (f"{kind}-{features}", {"class_weight": "balanced", "k": 3})
            for kind in ("logreg", "svm-linear", "svm-rbf")
            for features in ("summary", "egemaps")
        ),
        ("tree-small", {"class_weight": "balanced", "max_depth": 4, "min_samples_leaf": 10}),
        ("tree-tuned", {"class_weight": "balanced", "k": 3}),
        ("tree-original", {"class_weight": None, "max_depth": None}),
        ("forest", {"class_weight": "balanced_subsample", "n_estimators": 300, "min_samples_leaf": 2}),
        # Whoever stops early holds out clips at random, of speakers who are trained on.
        ("boosting", {"class_weight": "balanced", "early_stopping": False, "max_iter": 60}),
        ("loudness", {"class_weight": "balanced", "kw_args": {"indices": "rms_mean"}}),
        ("pitch", {"class_weight": "balanced", "kw_args": {"indices": "f0_median"}}),
    ],
)
def test_models_are_built_as_they_are_described(name, wanted):
    found = settings_of(name)
    if "kw_args" in wanted:
        from serlab.features import Summary

        column = Summary().feature_names.index(wanted["kw_args"]["indices"])
        wanted = wanted | {"kw_args": {"indices": [column], "axis": 1}}
    assert {key: found[key] for key in wanted} == wanted
    scaled = name.startswith(("logreg", "svm"))
    assert ("standardscaler" in found) == scaled


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ann", {"epochs": 60, "standardise": True, "label_smoothing": 0.1, "balanced": True}),
        (
            "cnn",
            {"epochs": 50, "batch_size": 16, "centre_clips": True, "label_smoothing": 0.1, "augment": None},
        ),
        ("ann-original", {"epochs": 25, "standardise": False, "label_smoothing": 0.0, "balanced": False}),
        ("augmented-original", {"epochs": 25, "copies": True, "optimizer": "rmsprop"}),
    ],
)
def test_networks_are_built_as_they_are_described(name, wanted):
    found = models.get(name).build(0).get_params()
    assert {key: found[key] for key in wanted} == wanted


def test_where_the_epoch_is_chosen_is_what_the_name_and_the_words_say():
    for spec in models.specs():
        assert (spec.validates == "test") == spec.name.endswith("-peek") == ("test clips" in spec.validation)
        assert (spec.validates == "speakers") == ("of speakers of their own" in spec.validation)


def test_unknown_model_is_named_and_where_all_are_listed():
    with pytest.raises(RunError, match=r"no model 'crystal-ball'.*names"):
        models.get("crystal-ball")


def data():
    rng = np.random.default_rng(0)
    speaker = np.repeat(["a", "b", "c", "d"], 30)
    y = np.tile(["sad", "happy", "angry"], 40)
    voice = np.repeat(rng.normal(0, 5, 4), 30)
    X = np.column_stack([y == "sad", y == "happy", voice, rng.normal(size=120)]) + rng.normal(
        0, 0.4, (120, 4)
    )
    return X, y, speaker


def test_search_holds_out_speakers():
    X, y, speaker = data()
    # Speakers one after the other would be held out by any folds that are cut in this order.
    order = np.random.default_rng(1).permutation(len(X))
    X, y, speaker = X[order], y[order], speaker[order]
    search = SpeakerSearch(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 4]}, k=5).fit(
        X, y, speaker
    )
    assert search.chosen == {"max_depth": 4}
    pairs = list(search.cv.split(X, y, speaker))
    assert len(pairs) == 4, "no more folds than speakers"
    for train, validation in pairs:
        assert not set(speaker[train]) & set(speaker[validation])
    assert search.scoring == "balanced_accuracy"
    assert clone(search).get_params()["param_grid"] == {"max_depth": [1, 4]}


def test_committee_averages_log_probabilities_of_its_members_columns():
    X, y, speaker = data()
    member = SpeakerSearch(LogisticRegression(), {"C": [1.0]})
    votes = Committee([(slice(0, 2), member), (slice(2, None), member)]).fit(X, y, groups=speaker)
    single = [LogisticRegression().fit(part, y).predict_proba(part) for part in (X[:, :2], X[:, 2:])]
    expected = np.sqrt(single[0] * single[1])
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(votes.predict_proba(X), expected, atol=1e-6)
    assert votes.predict(X).tolist() == votes.classes_[expected.argmax(axis=1)].tolist()
    assert votes.chosen == [{"C": 1.0}, {"C": 1.0}]
    assert votes.classes_.tolist() == ["angry", "happy", "sad"]


def test_rule_looks_at_one_number_only():
    from serlab.features import Summary

    width, column = Summary().shape[0], Summary().feature_names.index("rms_mean")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, width)), np.repeat(["sad", "angry"], 100)
    X[:100, column] -= 20
    rule = models.get("loudness").build(0).fit(X, y)
    assert (rule.predict(X) == y).all()
    changed = X.copy()
    changed[:, np.arange(width) != column] = 0
    np.testing.assert_array_equal(rule.predict(changed), rule.predict(X))


def test_original_tree_takes_the_spectrogram_as_it_is():
    X = np.zeros((4, 128, 147), np.float32)
    X[:2, 5, 7] = 1
    tree = models.get("tree-original").build(0).fit(X, ["sad", "sad", "happy", "happy"])
    assert tree[-1].n_features_in_ == 18816
    assert tree.predict(X).tolist() == ["sad", "sad", "happy", "happy"]

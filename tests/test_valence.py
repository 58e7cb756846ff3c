"""Models of valence: sizes, heads, calibration, thresholds, balance, and one decision out of three."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from serlab import evaluation, models, runs, voting
from serlab.errors import EvaluationError
from serlab.models import binaries, estimators, inputs
from serlab.models.binaries import OneVsRest, Oversampled, Tuned, best_threshold, calibration, normalised
from serlab.training import _count_parameters, softmax

CLASSES = np.array(["negative", "neutral", "positive"])


def clouds(clips=300, seed=0, share=(0.6, 0.15, 0.25)):
    """Points of three classes of unlike size, by six speakers."""
    rng = np.random.default_rng(seed)
    place = rng.choice(3, clips, p=share)
    X = rng.normal(size=(clips, 2)) + 1.5 * np.array([[0, 0], [1, 0], [0, 1]])[place]
    return X, CLASSES[place], np.array(list("abcdef"))[rng.integers(0, 6, clips)]


# Combination


def test_normalised_rows_add_up_and_keep_their_order():
    p = np.random.default_rng(0).uniform(size=(20, 3))
    found = normalised(p)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found.argsort(axis=1), p.argsort(axis=1))
    np.testing.assert_allclose(normalised(np.zeros((1, 4))), 0.25)


def test_one_against_the_rest_is_as_if_each_were_trained_alone():
    X, y, _ = clouds()
    model = OneVsRest(LogisticRegression()).fit(X, y)
    said = []
    for name in CLASSES:
        alone = LogisticRegression().fit(X, y == name)
        said.append(alone.predict_proba(X)[:, 1])
    np.testing.assert_allclose(model.decisions(X), np.column_stack(said), atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), normalised(np.column_stack(said)), atol=1e-6)
    assert (model.predict(X) == CLASSES[np.argmax(said, axis=0)]).all()
    assert _count_parameters(model) == 9
    assert model.chosen is None
    with pytest.raises(EvaluationError, match="three classes or more, not negative, neutral"):
        OneVsRest(LogisticRegression()).fit(X[y != "positive"], y[y != "positive"])


def test_one_against_the_rest_uses_the_thresholds_of_its_models():
    X, y, groups = clouds()
    model = OneVsRest(Tuned(LogisticRegression())).fit(X, y, groups=groups)
    thresholds = [one.threshold_of(name) for one, name in zip(model.estimators_, CLASSES, strict=True)]
    rise = model.decisions(X) / thresholds
    assert (model.predict(X) == CLASSES[rise.argmax(axis=1)]).all()
    assert evaluation.uar(y, model.predict(X)) > evaluation.uar(y, CLASSES[model.decisions(X).argmax(axis=1)])
    assert [set(one) for one in model.chosen] == [{"scale", "offset", "threshold"}] * 3


def binary(name, p, label, seed=0):
    column = "other" if name != "other" else "negative"
    table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122"), "fold": 0, "seed": seed})
    table["label"] = np.where(np.array(label) == name, name, "other")
    return table.assign(predicted="other", **{f"p_{name}": p, f"p_{column}": 1 - np.array(p)})


def test_recorded_binaries_are_combined():
    label = ["negative", "neutral", "positive", "negative"]
    said = {
        "negative": [0.8, 0.5, 0.5, 0.2],
        "neutral": [0.1, 0.6, 0.2, 0.1],
        "positive": [0.1, 0.1, 0.9, 0.3],
    }
    parts = {name: binary(name, p, label) for name, p in said.items()}
    parts["neutral"] = parts["neutral"].iloc[::-1]
    found = voting.combine(parts)
    assert found["label"].tolist() == label
    assert found["predicted"].tolist() == ["negative", "neutral", "positive", "positive"]
    np.testing.assert_allclose(
        found[[f"p_{n}" for n in CLASSES]], normalised(np.column_stack(list(said.values())))
    )
    assert evaluation.scores(found)["accuracy"] == 0.75


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda parts: parts | {"positive": parts["positive"].iloc[1:]}, "the same clips"),
        (lambda parts: parts | {"positive": parts["negative"]}, "no probability of that class"),
        (lambda parts: {k: parts[k] for k in ("negative", "neutral")}, "Clip c must be of exactly one"),
        (
            lambda parts: (
                parts | {"neutral": parts["neutral"].assign(label=["other", "neutral"] + ["neutral"] * 2)}
            ),
            "Clip c must be of exactly one",
        ),
    ],
)
def test_binaries_that_do_not_fit_together_are_refused(change, message):
    label = ["negative", "neutral", "positive", "negative"]
    parts = {name: binary(name, [0.5] * 4, label) for name in CLASSES}
    with pytest.raises(EvaluationError, match=message):
        voting.combine(change(parts))


# Threshold and calibration


def test_threshold_is_the_best_of_all():
    rng = np.random.default_rng(3)
    positive = rng.random(80) < 0.2
    p = np.clip(rng.normal(0.2 + 0.2 * positive, 0.1), 0, 1).round(2)

    def balanced(threshold):
        return (np.mean(p[positive] >= threshold) + np.mean(p[~positive] < threshold)) / 2

    found = best_threshold(positive, p)
    assert balanced(found) == pytest.approx(max(balanced(t) for t in np.linspace(-0.01, 1.01, 1000)))
    assert best_threshold(np.array([True, False]), np.array([0.4, 0.4])) == 0.4
    with pytest.raises(EvaluationError, match="clips of both kinds"):
        best_threshold(np.array([True, True]), np.array([0.1, 0.2]))


def test_calibration_undoes_overconfidence_and_bias():
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.ones(3), 4000)
    place = np.array([rng.choice(3, p=row) for row in true])
    said = softmax(3 * np.log(true) + np.array([0.0, 1.0, 0.0]))
    scale, offset = calibration(said, place)
    assert scale == pytest.approx(1 / 3, abs=0.05)
    assert offset[1] - offset[0] == pytest.approx(-1 / 3, abs=0.15)
    table = pd.DataFrame(said, columns=[f"p_{name}" for name in CLASSES]).assign(label=CLASSES[place])
    columns = list(table)[:3]
    bent = table.assign(**dict(zip(columns, softmax(scale * np.log(said) + offset).T, strict=True)))
    assert evaluation.calibration_error(bent) < 0.03 < evaluation.calibration_error(table)


def test_tuned_is_calibrated_on_speakers_it_did_not_train_on():
    X, y, groups = clouds(600)
    y = np.where(y == "neutral", "neutral", "other")
    heard = []

    class Spy(LogisticRegression):
        def fit(self, X, y):
            heard.append(len(X))
            return super().fit(X, y)

    tuned = Tuned(Spy(class_weight="balanced")).fit(X, y, groups=groups)
    assert len(heard) == 4
    assert heard[-1] == 600
    plain = LogisticRegression(class_weight="balanced").fit(X, y)
    table = pd.DataFrame({"label": y})
    for model, name in ((plain, "plain"), (tuned, "tuned")):
        table[["p_neutral", "p_other"]] = model.predict_proba(X)
        error = evaluation.calibration_error(table, of="neutral")
        assert (error < 0.06) == (name == "tuned"), "balanced weights make the rare class too probable"
    p = tuned.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert ((p[:, 1] >= tuned.threshold_) == (tuned.predict(X) == "other")).all()
    assert tuned.threshold_of("neutral") == pytest.approx(1 - tuned.threshold_of("other"))
    assert tuned.threshold_ > 0.6, "the common class has to be more probable than the rare one"
    assert tuned.chosen["threshold"] == pytest.approx(tuned.threshold_, abs=1e-4)
    assert _count_parameters(tuned) == 3


def test_what_calibrates_was_said_by_models_that_heard_none_of_the_speakers():
    X, y, groups = clouds(240)
    X = np.column_stack([X, np.unique(groups, return_inverse=True)[1]])
    heard, asked = [], []

    class Spy(LogisticRegression):
        def fit(self, X, y):
            heard.append(set(X[:, 2]))
            return super().fit(X, y)

        def predict_proba(self, X):
            asked.append(set(X[:, 2]))
            return super().predict_proba(X)

    Tuned(Spy(), k=3).fit(X, y, groups=groups)
    assert len(asked) == 3
    for trained, tested in zip(heard, asked, strict=False):
        assert trained
        assert tested
        assert not trained & tested
    assert set.union(*asked) == heard[-1] == set(range(6))


def test_tuned_decides_between_three_for_uar():
    X, y, groups = clouds(600)
    tuned = Tuned(LogisticRegression()).fit(X, y, groups=groups)
    assert np.isnan(tuned.threshold_)
    assert "threshold" not in tuned.chosen
    assert evaluation.uar(y, tuned.predict(X)) > evaluation.uar(
        y, CLASSES[tuned.predict_proba(X).argmax(axis=1)]
    )
    assert clone(tuned).get_params()["model__C"] == 1.0


def test_tuned_needs_speakers():
    X, y, groups = clouds(60)
    with pytest.raises(EvaluationError, match="at least two in training"):
        Tuned(LogisticRegression()).fit(X, y, groups=["a"] * 60)
    y = np.where(groups == "a", "other", "neutral")
    with pytest.raises(EvaluationError, match="one speaker only"):
        Tuned(LogisticRegression()).fit(X, y, groups=groups)


def test_models_that_choose_settings_are_given_the_speakers():
    X, y, groups = clouds(240)
    model = OneVsRest(Tuned(estimators.logistic(), k=2)).fit(X, y, groups=groups)
    assert model.chosen[0]["model"].keys() == {"logisticregression__C"}


# Balance


def test_repetition_makes_all_classes_as_large():
    given = []

    class Spy(DummyClassifier):
        def fit(self, X, y, validation_data=None):
            given.append((X, y, validation_data))
            return super().fit(X, y)

    X, y = np.arange(13)[:, None], np.array(["other"] * 9 + ["neutral"] * 4)
    model = Oversampled(Spy(), seed=1).fit(X, y, validation_data=(X, y))
    rows, labels, validation = given[0]
    assert pd.Series(labels).value_counts().to_dict() == {"other": 9, "neutral": 9}
    times = pd.Series(rows.ravel()).value_counts()
    assert set(times[times.index < 9]) == {1}
    assert set(times[times.index >= 9]) == {2, 3}
    assert (labels == y[rows.ravel()]).all()
    assert validation[0] is X
    assert model.classes_.tolist() == ["neutral", "other"]
    Oversampled(Spy(), seed=2).fit(X, y)
    assert not np.array_equal(given[0][0], given[1][0])


# Reliability


def test_reliability_equals_that_of_scikit_learn():
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(1)
    p = rng.random(500)
    label = np.where(rng.random(500) < p**2, "positive", "other")
    table = pd.DataFrame({"label": label, "p_positive": p, "p_other": 1 - p})
    found = evaluation.reliability(table, of="positive", bins=8)
    true, said = calibration_curve(label == "positive", p, n_bins=8)
    np.testing.assert_allclose(found["frequency"], true)
    np.testing.assert_allclose(found["probability"], said)
    assert found["clips"].sum() == 500
    error = sum(found["clips"] * np.abs(found["frequency"] - found["probability"])) / 500
    assert evaluation.calibration_error(table, "positive", 8) == pytest.approx(error)
    top = evaluation.reliability(table)
    assert top["probability"].min() >= 0.5
    assert (label == np.where(p >= 0.5, "positive", "other")).mean() == pytest.approx(
        np.average(top["frequency"], weights=top["clips"])
    )


def test_certainty_has_no_bin_of_its_own():
    table = pd.DataFrame({"label": ["sad", "happy", "sad"], "p_sad": [0.95, 1.0, 0.3]})
    found = evaluation.reliability(table, of="sad")
    assert found.to_numpy().tolist() == [[0.3, 1, 1], [pytest.approx(0.975), 0.5, 2]]


def test_probabilities_that_are_not_there_are_named():
    with pytest.raises(EvaluationError, match="no probabilities of sad: there are those of happy"):
        evaluation.reliability(pd.DataFrame({"label": ["sad"], "p_happy": [1.0]}), "sad")
    with pytest.raises(EvaluationError, match="no probabilities of any class: there are those of none"):
        evaluation.reliability(pd.DataFrame({"label": ["sad"]}))


# Specs


def test_runs_on_valence_are_planned_on_the_unified_corpus_only():
    names = {
        spec.name
        for spec in models.specs()
        if spec.chapter in (11, 12, 13) or spec.name.startswith("valence-")
    }
    for corpus, _, name in runs.planned():
        assert (corpus == "unified") == (name in names)
    planned = {(protocol, name) for corpus, protocol, name in runs.planned() if corpus == "unified"}
    for needed in ("valence-vote", "valence-byols", "valence-small"):
        assert {protocol for protocol, name in planned if name == needed} == {
            "ternary",
            "binary-neg",
            "binary-neu",
            "binary-pos",
            "ternary-loco",
        }
    for name in ("valence-separate", "valence-shared", "valence-cnn-half"):
        assert models.get(name).repeats[0] >= 3
        assert models.get(name).extractors == (inputs.HALF,)


# Networks

keras = pytest.importorskip("keras")

from serlab.models import architectures  # noqa: E402
from serlab.models.network import SharedTrunk  # noqa: E402


@pytest.mark.parametrize(("classes", "parameters"), [(3, 1667), (2, 1409)])
def test_originals_have_exactly_their_parameters(classes, parameters):
    network = architectures.valence_original(np.zeros((1, *inputs.SHORT.shape)), np.zeros((1, classes)))
    assert network.count_params() == parameters
    assert network.output_shape == (None, classes)
    assert estimators.valence_original(3).get_params()["epochs"] == 15
    assert estimators.valence_original(3).batch_size == 1


def bands(clips=90, seed=0):
    """Spectrograms of three classes: energy in the lower, middle or upper third; classes of unlike size."""
    rng = np.random.default_rng(seed)
    place = rng.choice(3, clips, p=(0.6, 0.15, 0.25))
    X = rng.normal(0, 0.3, (clips, 24, 26)).astype(np.float32)
    for row, third in enumerate(place):
        X[row, 8 * third : 8 * third + 8] += 1
    return X, CLASSES[place]


def test_one_sigmoid_is_trained_as_the_binary_cross_entropy_would():
    from serlab.models.network import Network

    X, y = bands(40)
    y = np.where(y == "negative", "negative", "other")
    network = Network(architectures.valence_original, epochs=2, batch_size=8, optimizer="adam").fit(X, y)
    p = network.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    loss = network.model_.evaluate(X, (y[:, None] == network.classes_).astype(np.float32), verbose=0)[0]
    direct = -np.log(np.where(y == "other", p[:, 1], p[:, 0])).mean()
    assert loss == pytest.approx(direct, rel=1e-4)
    assert _count_parameters(network) == 1409


def test_heads_share_a_trunk_and_each_decides_alone():
    X, y = bands()
    network = estimators.valence_shared(seed=1).set_params(epochs=12, batch_size=16).fit(X, y)
    assert isinstance(network, SharedTrunk)
    heads = network.heads(X)
    assert heads.shape == (len(X), 3)
    assert ((heads > 0) & (heads < 1)).all()
    assert np.abs(heads.sum(axis=1) - 1).max() > 1e-3, "nothing makes the heads add up to one"
    np.testing.assert_allclose(network.predict_proba(X), normalised(heads))
    assert evaluation.uar(y, network.predict(X)) > 0.8
    assert clone(network).get_params() == network.get_params()
    apart = architectures.valence_cnn(X, np.zeros((1, 2))).count_params()
    together = _count_parameters(network)
    assert apart < together < 3 * apart / 2


def test_loss_of_the_heads_is_the_sum_of_balanced_binary_losses():
    X, y = bands(60)
    Y = (y[:, None] == CLASSES).astype(np.float32)
    model = architectures.valence_three_heads(X, Y)
    model.compile("sgd")
    p = np.clip(np.asarray(model.predict(X, verbose=0), float), 1e-7, 1 - 1e-7)
    expected = 0.0
    for k in range(3):
        n = Y[:, k].sum()
        weight = np.where(Y[:, k] == 1, len(Y) / (2 * n), len(Y) / (2 * (len(Y) - n)))
        expected += (weight * -np.log(np.where(Y[:, k] == 1, p[:, k], 1 - p[:, k]))).mean()
    found = float(
        keras.ops.convert_to_numpy(
            model.compute_loss(y=Y, y_pred=keras.ops.convert_to_tensor(p.astype("f4")))
        )
    )
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("segment", [inputs.HALF, inputs.MEDIUM, inputs.WHOLE])
def test_the_deeper_network_takes_every_length(segment):
    X = np.zeros((1, *segment.shape))
    assert architectures.valence_cnn(X, np.zeros((1, 3))).output_shape == (None, 3)
    assert architectures.valence_cnn(X, np.zeros((1, 2))).output_shape == (None, 2)
    assert architectures.valence_cnn(X, np.zeros((1, 3))).count_params() < 200_000


def test_networks_are_built_with_their_seed():
    for name in ("original", "small", "cnn-half", "shared"):
        assert models.get(f"valence-{name}").build(7).seed == 7
    separate, repeated = (models.get(f"valence-{name}").build(7) for name in ("separate", "small-repeated"))
    assert separate.get_params()["model__seed"] == 7
    assert repeated.get_params()["model__seed"] == repeated.seed == 7
    assert separate.libraries == repeated.libraries == ("keras",)
    assert binaries.Tuned(LogisticRegression()).libraries == ()

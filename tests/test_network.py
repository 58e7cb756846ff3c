"""Networks: their sizes, how they are trained, and that they behave like any scikit-learn estimator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from serlab import models
from serlab.augment import Chain, Step, time_mask
from serlab.errors import EvaluationError

keras = pytest.importorskip("keras")

from serlab.models import architectures, estimators, inputs  # noqa: E402
from serlab.models.network import Network  # noqa: E402


def tiny(X, y):
    layers = keras.layers
    return keras.Sequential(
        [keras.Input(X.shape[1:]), layers.Flatten(), layers.Dense(y.shape[1], activation="softmax")]
    )


def quick(steps):
    return keras.optimizers.Adam(0.05)


def still(steps):
    return keras.optimizers.SGD(0.0)


def uphill(steps):
    return keras.optimizers.SGD(-0.05)


def data(clips=40, level=0.0):
    """Spectrograms of two classes: energy below or energy above."""
    rng = np.random.default_rng(0)
    y = np.array(["sad", "happy"] * (clips // 2))
    X = rng.normal(0, 0.3, (clips, 6, 8)).astype(np.float32)
    X[y == "sad", :3] += 1
    X[y == "happy", 3:] += 1
    return X + level, y


@pytest.mark.parametrize(
    ("build", "parameters"),
    [
        (estimators.original_ann, 2_419_176),
        (estimators.original_cnn, 1_018_888),
        (estimators.original_augmented_cnn, 1_146_312),
    ],
)
def test_originals_have_exactly_their_parameters(build, parameters):
    network = build(0).model(np.zeros((1, 128, 147)), np.zeros((1, 8)))
    assert network.count_params() == parameters
    assert network.output_shape == (None, 8)


def test_our_networks_are_small():
    X, y = np.zeros((1, *inputs.LOG_MEL.shape)), np.zeros((1, 8))
    assert architectures.cnn(X, y).count_params() < 200_000
    assert architectures.dense(np.zeros((1, 500)), y).count_params() < 100_000


def test_pooling_gives_mean_deviation_and_maximum_whenever_it_happens():
    x = np.random.default_rng(0).normal(size=(2, 30, 4)).astype(np.float32)
    pooled = keras.ops.convert_to_numpy(architectures.StatisticsPooling()(x))
    expected = np.concatenate([x.mean(1), x.std(1), x.max(1)], axis=1)
    np.testing.assert_allclose(pooled, expected, atol=1e-4)
    later = keras.ops.convert_to_numpy(architectures.StatisticsPooling()(np.roll(x, 7, axis=1)))
    np.testing.assert_allclose(later, pooled, atol=1e-5)


def test_attention_weighs_frames_wherever_they_stand():
    rng = np.random.default_rng(0)
    frames, scores = rng.normal(size=(2, 9, 5)), rng.uniform(size=(2, 9, 1))
    weights = scores / scores.sum(axis=1, keepdims=True)
    pooled = keras.ops.convert_to_numpy(architectures.WeightedStatistics()([frames, weights]))
    for clip, weight, found in zip(frames, weights[..., 0], pooled, strict=True):
        mean = np.average(clip, axis=0, weights=weight)
        deviation = np.sqrt(np.average((clip - mean) ** 2, axis=0, weights=weight))
        assert np.allclose(found, np.r_[mean, deviation], atol=1e-4)

    X, y = data()
    network = estimators.attention(0).set_params(epochs=8).fit(X, y)
    assert np.allclose(network.predict_proba(X[..., ::-1]), network.predict_proba(X), atol=1e-5)
    weigh = keras.Model(network.model_.input, network.model_.get_layer("weights").output)
    found = keras.ops.convert_to_numpy(weigh(network._input(X)))[..., 0]
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(found, axis=1).min() > 1e-4


def test_learning_rate_rises_then_falls_to_zero():
    optimizer, values = estimators.cosine(1000), []
    for step in (0, 25, 50, 525, 1000):
        optimizer.iterations.assign(step)
        values.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    assert values[0] < values[1] < values[2] == pytest.approx(2e-3)
    assert values[3] == pytest.approx(1e-3, rel=1e-3)
    assert values[4] == pytest.approx(0, abs=1e-8)


def test_learns_and_says_probabilities():
    X, y = data()
    network = Network(tiny, epochs=30, optimizer=quick).fit(X, y)
    said = network.predict_proba(X)
    assert said.shape == (40, 2)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-6)
    assert list(network.classes_) == ["happy", "sad"]
    assert network.score(X, y) == 1
    assert network.history["loss"][-1] < network.history["loss"][0] / 2


def test_same_seed_same_network():
    X, y = data()
    settings = {"epochs": 2, "augment": Chain(Step(time_mask, width=(0, 3))), "seed": 1}
    one, again = (Network(tiny, **settings).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, again)


def level(X, y):
    """Start from weights of zero: nothing is random but the order of the clips, and what is done to them."""
    layers = keras.layers
    dense = layers.Dense(y.shape[1], activation="softmax", kernel_initializer="zeros")
    return keras.Sequential([keras.Input(X.shape[1:]), layers.Flatten(), dense])


@pytest.mark.parametrize(
    "settings",
    [{"model": tiny, "optimizer": still}, {"model": level, "optimizer": quick, "batch_size": 8}],
    ids=["weights", "order"],
)
def test_seed_decides_weights_and_order_each_by_itself(settings):
    X, y = data()
    one, other = (Network(**settings, epochs=1, seed=seed).fit(X, y).predict_proba(X) for seed in (1, 2))
    assert not np.allclose(one, other, atol=1e-4)


def test_clips_are_changed_where_it_is_asked_for():
    X, y = data()
    # One step with all clips from weights of zero, so that nothing else can make a difference.
    alike = {
        "model": level,
        "optimizer": lambda steps: keras.optimizers.SGD(1.0),
        "epochs": 1,
        "batch_size": 40,
    }
    chain = Chain(Step(time_mask, count=1, width=(3, 3), fill=0.0))
    plain, masked = (
        Network(**alike, augment=augment).fit(X, y).model_.get_weights()[0] for augment in (None, chain)
    )
    step = X.reshape(40, -1).T @ (np.column_stack([y == "happy", y == "sad"]) - 0.5) / 40
    np.testing.assert_allclose(plain, step, atol=1e-6)
    assert not np.allclose(masked, plain, atol=1e-3)


def test_loss_is_that_of_smoothed_labels():
    X, y = data()
    network = Network(tiny, epochs=1, optimizer=still, label_smoothing=0.2).fit(X, y)
    p = network.predict_proba(X)
    right = np.where(y == "happy", p[:, 0], p[:, 1])
    # Of two classes the right one gets 0.8 + 0.2 / 2.
    expected = -(0.9 * np.log(right) + 0.1 * np.log(1 - right)).mean()
    assert network.history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_the_optimiser_is_told_how_many_steps_there_will_be():
    X, y = data()
    told = []
    Network(tiny, epochs=3, batch_size=16, optimizer=lambda steps: told.append(steps) or still(steps)).fit(
        X, y
    )
    assert told == [9], "forty clips are three batches of sixteen"


@pytest.mark.parametrize("settings", [{"standardise": True}, {"centre_clips": True}, {"copies": True}])
def test_a_clip_is_predicted_alike_whatever_it_is_tested_with(settings):
    X, y = data(level=7)
    X = np.stack([X, X * 3], axis=1) if "copies" in settings else X
    network = Network(tiny, epochs=1, optimizer=quick, **settings).fit(X, y)
    together = network.predict_proba(X)
    np.testing.assert_allclose(network.predict_proba(X[3:4]), together[3:4], atol=1e-6)
    np.testing.assert_allclose(network.predict_proba(X[y == "sad"]), together[y == "sad"], atol=1e-6)


def test_clone_keeps_all_settings_and_search_sets_them():
    network = Network(tiny, epochs=20, optimizer=quick, balanced=True, centre_clips=True, seed=5)
    assert clone(network).get_params() == network.get_params()
    X, y = data()
    search = GridSearchCV(network, {"optimizer": [uphill, quick]}, cv=2).fit(X, y)
    assert search.best_params_ == {"optimizer": quick}


def test_best_epoch_by_validation_is_kept():
    X, y = data()
    wrong = np.where(y == "sad", "happy", "sad")
    # Against turned labels every step makes the loss worse, so that the first epoch stays the best.
    network = Network(tiny, epochs=6, optimizer=quick).fit(X, y, validation_data=(X, wrong))
    assert network.chosen == {"epoch": 1}
    first = Network(tiny, epochs=1, optimizer=quick).fit(X, y)
    np.testing.assert_allclose(network.predict_proba(X), first.predict_proba(X), atol=1e-5)
    assert Network(tiny, epochs=1).fit(X, y).chosen is None


def test_steps_that_are_joined_compute_the_same():
    X, y = data()
    one, joined = (
        Network(tiny, epochs=4, batch_size=3, steps_at_once=steps, optimizer=quick).fit(X, y, (X[:6], y[:6]))
        for steps in (1, 4)
    )
    # 40 clips are 14 batches of three, so that the last program of an epoch has fewer steps.
    np.testing.assert_allclose(one.history["val_loss"], joined.history["val_loss"], rtol=1e-4)
    np.testing.assert_allclose(one.predict_proba(X), joined.predict_proba(X), atol=1e-4)


def test_validation_clips_do_not_change_training():
    X, y = data()
    alone = Network(tiny, epochs=3, optimizer=quick).fit(X, y)
    watched = Network(tiny, epochs=3, optimizer=quick).fit(X, y, validation_data=(X[:4] * 9, y[:4]))
    np.testing.assert_allclose(alone.history["loss"], watched.history["loss"], rtol=1e-6)


def test_centred_clips_are_judged_alike_at_any_level():
    X, y = data()
    network = Network(tiny, epochs=3, optimizer=quick, centre_clips=True).fit(X, y)
    np.testing.assert_allclose(network.predict_proba(X + 20), network.predict_proba(X), atol=1e-4)
    plain = Network(tiny, epochs=3, optimizer=quick).fit(X, y)
    assert not np.allclose(plain.predict_proba(X + 20), plain.predict_proba(X), atol=1e-2)


def test_standardising_is_fitted_on_training_clips():
    X, y = data(level=7)
    X[:, 2] = 3  # a band that never changes
    network = Network(tiny, epochs=1, standardise=True).fit(X, y)
    np.testing.assert_allclose(network.mean_[0, :, 0], X.mean(axis=(0, 2)), rtol=1e-5)
    np.testing.assert_allclose(network.deviation_[0, [0, 1, 3], 0], X.std(axis=(0, 2))[[0, 1, 3]], rtol=1e-4)
    assert np.isfinite(network.predict_proba(X)).all()


def test_balanced_training_hears_the_rare_class():
    # Of clips that are all alike a network can learn nothing but how frequent the classes are.
    X, y = np.zeros((108, 6, 8), np.float32), np.repeat(["sad", "happy"], [100, 8])
    found = {}
    for balanced in (False, True):
        network = Network(tiny, epochs=40, balanced=balanced, optimizer=quick).fit(X, y)
        found[balanced] = network.predict_proba(X[:1])[0, 0]
    assert found[False] == pytest.approx(8 / 108, abs=0.05)
    assert found[True] == pytest.approx(0.5, abs=0.15)


def test_of_several_versions_all_are_trained_on_and_the_first_is_predicted():
    X, y = data()
    versions = np.stack([X, X * 0, X * 5], axis=1)
    network = Network(tiny, epochs=4, copies=True, batch_size=40, optimizer=quick).fit(versions, y)
    assert network.model_.input_shape == (None, 6, 8)
    plain = Network(tiny, epochs=4, batch_size=40, optimizer=quick)
    plain.fit(versions.reshape(-1, 6, 8), np.repeat(y, 3))
    np.testing.assert_allclose(network.predict_proba(versions), plain.predict_proba(X), atol=1e-5)


def test_training_that_comes_apart_is_reported():
    X, y = data()
    with pytest.raises(EvaluationError, match=r"after epoch 1.*smaller learning rate"):
        Network(tiny, epochs=2, optimizer=lambda steps: keras.optimizers.SGD(1e38)).fit(X, y)


def test_features_that_are_no_numbers_are_not_blamed_on_the_learning_rate():
    X, y = data()
    X[3, 2, 1] = np.nan
    with pytest.raises(EvaluationError, match=r"row 3 hold nan in column 2, 1"):
        Network(tiny).fit(X, y)
    network = Network(tiny, epochs=1).fit(np.nan_to_num(X), y)
    with pytest.raises(EvaluationError, match=r"row 1 hold nan"):
        network.predict(X[2:4])


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("copies", [False, True])
def test_one_example_without_its_axis_is_refused(flat, copies):
    X, y = data()
    X = X.reshape(len(X), -1) if flat else X[:, :, :6]
    X = np.stack([X, X], axis=1) if copies else X
    network = Network(tiny, epochs=1, copies=copies).fit(X, y)
    for answer in (network.predict, network.predict_proba):
        assert len(answer(X[3:4])) == 1
        for wrong in (X[3], X[..., :5], X[..., None]):
            with pytest.raises(EvaluationError, match=r"X\[i:i\+1\]"):
                answer(wrong)


def test_a_data_frame_is_trained_on_as_its_numbers():
    X, y = data()
    X = X.reshape(len(X), -1)
    framed = Network(tiny, epochs=1).fit(pd.DataFrame(X, index=y), pd.Series(y, index=y))
    np.testing.assert_array_equal(
        framed.predict_proba(pd.DataFrame(X)), Network(tiny, epochs=1).fit(X, y).predict_proba(X)
    )


def test_networks_of_the_book_are_built_with_their_seed():
    for spec in models.specs():
        if spec.network and spec.chapter in (6, 7, 8):
            assert spec.build(3).seed == 3
            assert spec.build(3).augment is None or spec.build(3).augment.seed == 3

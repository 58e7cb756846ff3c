"""Published networks and their specifications: sizes, what they are trained on, and what they are told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")

from serlab import models, runs, splits, training
from serlab.features.averages import GUESSED, USUAL
from serlab.models import architectures, estimators
from serlab.models.binaries import OneVsRest
from serlab.models.inputs import STRETCHED

OURS = [spec for spec in models.specs() if spec.chapter == 14]


@pytest.mark.parametrize(
    ("build", "shape", "parameters"),
    [
        (architectures.original_contours, (2, 151), 2_484_614),
        (architectures.original_mel, (128, 151), 6_627_078),
    ],
)
def test_networks_of_crema_d_have_the_reported_sizes(build, shape, parameters):
    X = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    assert build(X, np.zeros((2, 6))).count_params() == parameters


def test_model_a_is_two_units_with_a_wide_pooling_between():
    network = architectures.model_a(np.zeros((1, 193)), np.zeros((1, 7)))
    kinds = [type(layer).__name__ for layer in network.layers]
    unit = ["Conv1D", "BatchNormalization", "Dropout"] * 2
    assert kinds == ["Reshape", *unit, "MaxPooling1D", *unit, "Flatten", "Dense"]
    assert [layer.filters for layer in network.layers if hasattr(layer, "filters")] == [256, 128, 128, 128]
    assert {layer.kernel_size for layer in network.layers if hasattr(layer, "filters")} == {(5,)}
    by_hand = (5 * 1 + 1) * 256 + (5 * 256 + 1) * 128 + 2 * (5 * 128 + 1) * 128  # convolutions
    by_hand += 4 * (256 + 3 * 128) + (193 // 8 * 128 + 1) * 7  # normalisations, last layer
    assert network.count_params() == by_hand


def test_copies_are_never_tested():
    """What is said of a test clip does not depend on its altered versions."""
    rng = np.random.default_rng(0)
    y = np.array(["happy", "sad"] * 12)
    table = pd.DataFrame({"clip": [f"c{k:02d}" for k in range(24)], "speaker": np.repeat(list("abcd"), 6)})
    table["emotion"] = y
    X = rng.normal(size=(24, 4, 193)).astype(np.float32) + 0.3 * (y == "sad")[:, None, None]
    split = splits.with_validation(splits.make(table, "loso"), table)
    fold = split.folds[0]
    spoilt = X.copy()
    rows = np.concatenate([fold.test, fold.validation])
    spoilt[rows, 1:] = 1e3 * rng.normal(size=(len(rows), 3, 193))

    def build(seed):
        return estimators.model_a(seed).set_params(epochs=1)

    said = [
        training.cross_validate(build, given, table, split, only=[(0, 0)]).filter(like="p_")
        for given in (X, spoilt)
    ]
    np.testing.assert_allclose(said[0], said[1], atol=1e-5)


def test_plain_and_augmented_are_trained_for_as_many_steps():
    augmented, plain = estimators.model_a(0), estimators.model_a_plain(0)
    versions = 1 + len(STRETCHED)
    assert (augmented.copies, plain.copies) == (True, False)
    assert augmented.epochs * versions == plain.epochs
    assert (augmented.batch_size, augmented.optimizer) == (plain.batch_size, plain.optimizer)


def test_ensembles_are_of_the_networks_they_are_compared_with():
    for name in ("model-a", "averages-compact"):
        one, alone = models.get(f"{name}-binaries").build(3), models.get(name).build(3)
        assert isinstance(one, OneVsRest)
        ours, theirs = one.model.get_params(), alone.get_params()
        assert ours.pop("epochs") <= theirs.pop("epochs")
        assert ours == theirs


def test_inputs_are_what_the_names_say():
    readings = {
        spec.name: getattr(spec.extractors[0], "extractor", spec.extractors[0]).features
        for spec in OURS
        if spec.extractors
    }
    assert readings.pop("model-a-usual") == USUAL
    assert set(readings.values()) == {GUESSED}
    for spec in OURS:
        if not spec.extractors or spec.augmentation == "none":
            assert all(not hasattr(extractor, "chains") for extractor in spec.extractors), spec.name
        else:
            assert spec.extractors[0].shape == (4, 193)


def test_only_what_is_called_unsound_sees_test_clips():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"clip": [f"c{k:03d}" for k in range(200)], "speaker": np.repeat(list("abcdefghij"), 20)}
    )
    table["emotion"] = rng.choice(["happy", "sad", "angry"], 200)
    for spec in OURS:
        for protocol in {protocol for _, protocol in spec.plan} & {"seed-split", "loso", "random5"}:
            for fold in runs.split_for(spec, table, protocol):
                peeks = bool(np.intersect1d(fold.validation, fold.test).size)
                assert peeks == ("unsound" in spec.title) == spec.name.endswith("-peek")
                assert not np.intersect1d(fold.train, fold.test).size


def test_the_vote_has_its_members_recorded_where_it_is_planned():
    plans = {spec.name: runs.PLAN if spec.plan is None else spec.plan for spec in models.specs()}
    for name in ("averages-vote", "averages-vote-spknorm"):
        vote = models.get(name)
        assert len(vote.members) == 6
        assert all(set(vote.plan) <= set(plans[member]) for member in vote.members)
        assert vote.speaker_normalised == all(models.get(m).speaker_normalised for m in vote.members)

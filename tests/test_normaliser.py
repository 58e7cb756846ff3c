"""Speaker normalisation: z-scores within a speaker, and clear rules where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_no_attributes_set_in_init

from serlab.features import SpeakerNormaliser


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    groups = np.repeat(["a", "b", "c"], [5, 8, 3])
    return rng.normal(rng.normal(size=(16, 4)) * 100, 5), groups


def test_equals_z_scores_by_hand(data):
    X, groups = data
    Z = SpeakerNormaliser().fit_transform(X, groups=groups)
    for speaker in "abc":
        own = X[groups == speaker]
        np.testing.assert_allclose(Z[groups == speaker], (own - own.mean(0)) / own.std(0))


def test_a_speaker_is_not_touched_by_the_others(data):
    X, groups = data
    Z = SpeakerNormaliser().fit_transform(X, groups=groups)
    one = groups == "b"
    unseen = SpeakerNormaliser().fit(X[~one], groups=groups[~one]).transform(X[one], groups=groups[one])
    np.testing.assert_array_equal(unseen, Z[one])


def test_order_of_rows_does_not_matter(data):
    X, groups = data
    order = np.random.default_rng(1).permutation(len(X))
    Z = SpeakerNormaliser().fit_transform(X, groups=groups)
    np.testing.assert_allclose(SpeakerNormaliser().fit_transform(X[order], groups=groups[order]), Z[order])


def test_bands_of_spectrograms_are_measured_over_clips_and_frames():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 3, 7)).astype(np.float32) * [[[1.0], [2.0], [3.0]]] + 4
    speakers = np.array(["a", "b", "a", "a", "b"])
    found = SpeakerNormaliser().fit_transform(X, groups=speakers)
    band = X[speakers == "a", 1]
    np.testing.assert_allclose(found[speakers == "a", 1], (band - band.mean()) / band.std(), rtol=1e-5)
    # What a clip was louder than the speaker's others, it still is.
    assert not np.allclose(found.mean(axis=2), 0, atol=0.05)


def test_one_clip_and_constant_features_become_zero():
    X = np.array([[1.0, 0.1], [1.0, 0.3], [5.0, 9.0]])
    Z = SpeakerNormaliser().fit_transform(X, groups=[7, 7, 8])
    np.testing.assert_allclose(Z, [[0, -1], [0, 1], [0, 0]])


def test_rounding_is_not_variation():
    X = np.full((3, 1), 1e6) + np.array([[0], [1e-4], [0]])
    assert not SpeakerNormaliser().fit_transform(X, groups=["a"] * 3).any()


def test_small_units_are_variation():
    X = np.array([[1e-9], [3e-9]])
    np.testing.assert_allclose(SpeakerNormaliser().fit_transform(X, groups=["a", "a"]), [[-1], [1]])


def test_keeps_single_precision(data):
    X, groups = data
    assert SpeakerNormaliser().fit_transform(X.astype(np.float32), groups=groups).dtype == np.float32


def test_needs_groups_of_the_same_length(data):
    X, groups = data
    with pytest.raises(ValueError, match="needs groups, the speaker of each row"):
        SpeakerNormaliser().fit_transform(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SpeakerNormaliser().fit_transform(X, groups=groups[:-1])


def test_in_a_pipeline_with_metadata_routing(data):
    X, groups = data
    y = np.tile([0, 1], 8)
    model = LogisticRegression()
    before = model.fit(SpeakerNormaliser().fit_transform(X, groups=groups), y).predict(
        SpeakerNormaliser().fit_transform(X, groups=groups)
    )
    with sklearn.config_context(enable_metadata_routing=True):
        step = SpeakerNormaliser().set_fit_request(groups=True).set_transform_request(groups=True)
        pipeline = make_pipeline(step, LogisticRegression())
        inside = pipeline.fit(X, y, groups=groups).predict(X, groups=groups)
    np.testing.assert_array_equal(before, inside)


def test_is_a_scikit_learn_estimator():
    check_no_attributes_set_in_init("SpeakerNormaliser", SpeakerNormaliser())
    assert sklearn.clone(SpeakerNormaliser()).get_params() == {}


def test_its_docstring_says_transductive():
    assert "transductive" in SpeakerNormaliser.__doc__


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_clip_without_speaker_is_refused(missing):
    groups = np.array(["a", "a", missing, "b"], dtype=object)
    with pytest.raises(ValueError, match="row 2 has no speaker"):
        SpeakerNormaliser().fit_transform(np.eye(4), groups=groups)

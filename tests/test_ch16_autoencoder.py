"""Autoencoders: shapes, sizes, stopping, and what a loss is worth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from serlab.errors import EvaluationError
from serlab.lessons.ch16_autoencoder import ARCHITECTURES, Autoencoder, floor, search


def stripes(clips=60, shape=(20, 12), seed=0):
    """Pictures of one bright row each, which a single number could tell."""
    rng = np.random.default_rng(seed)
    X = np.full((clips, *shape), 0.1, np.float32)
    for picture, row in zip(X, rng.integers(0, 4, clips), strict=True):
        picture[5 * row : 5 * row + 2] = 0.9
    return X


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
@pytest.mark.parametrize("shape", [(74, 200), (49, 200), (16, 8)])
def test_decoders_mirror_encoders(architecture, shape):
    encoder, decoder = ARCHITECTURES[architecture](shape, 6)
    assert encoder.output_shape == (None, 6)
    assert decoder.output_shape == (None, *shape)
    kinds = [type(layer).__name__ for layer in encoder.layers]
    mirrored = [type(layer).__name__ for layer in decoder.layers]
    assert kinds.count("Conv2D") == mirrored.count("Conv2DTranspose")
    if "Conv2D" in kinds:
        filters = [layer.filters for layer in encoder.layers if hasattr(layer, "filters")]
        back = [layer.filters for layer in decoder.layers if hasattr(layer, "filters")]
        assert back == [*filters[-2::-1], 1]


def test_dense_autoencoder_has_the_weights_one_counts():
    encoder, decoder = ARCHITECTURES["dense"]((74, 200), 64)
    assert encoder.count_params() == 74 * 200 * 64 + 64
    assert decoder.count_params() == 64 * 74 * 200 + 74 * 200


def test_it_learns_what_differs_between_pictures():
    X = stripes()
    network = Autoencoder("dense", latent=16, learning_rate=0.01, epochs=20).fit(X[:40], validation=X[40:])
    assert floor(X[40:]) <= network.loss < floor(X[40:], X[:40])
    painted = network.reconstruct(X[40:])
    assert painted.shape == X[40:].shape
    codes = network.transform(X)
    assert codes.shape == (60, 16)
    assert (codes >= 0).all()


def test_training_stops_and_the_best_epoch_is_kept():
    X = stripes()
    noise = np.random.default_rng(1).uniform(size=X.shape).astype(np.float32)
    network = Autoencoder("dense", latent=4, learning_rate=0.02, epochs=60, patience=2)
    network.fit(X, validation=noise)
    losses = network.history["val_loss"]
    assert len(losses) < 60
    assert len(losses) == np.argmin(losses) + 1 + 2
    assert network.loss == min(losses)
    said = np.clip(network.reconstruct(noise), 1e-7, 1 - 1e-7)
    by_hand = -np.mean(noise * np.log(said) + (1 - noise) * np.log(1 - said))
    assert by_hand == pytest.approx(min(losses), abs=1e-4)


def test_seed_decides_and_clones_are_alike():
    X = stripes(20)
    one = Autoencoder("slim", latent=3, epochs=1, seed=5)
    np.testing.assert_allclose(one.fit(X).transform(X), clone(one).fit(X).transform(X), atol=1e-5)
    other = clone(one).set_params(seed=6).fit(X)
    assert not np.allclose(one.transform(X), other.transform(X))


def test_floors():
    X = np.random.default_rng(0).uniform(size=(7, 4, 5))
    assert floor(X) == pytest.approx(-np.mean(X * np.log(X) + (1 - X) * np.log(1 - X)))
    assert floor(X) < floor(X, X)
    assert floor(np.round(X)) == pytest.approx(0, abs=1e-6)


def test_search_tries_everything():
    X = stripes(24)
    grid = {"architecture": ["dense"], "latent": [2, 4], "learning_rate": [0.01], "batch_size": [8, 16]}
    found = search(X[:16], X[16:], grid, epochs=1)
    assert found[["latent", "batch_size"]].values.tolist() == [[2, 8], [2, 16], [4, 8], [4, 16]]
    assert found.groupby("latent")["parameters"].unique().map(list).to_dict() == {2: [1202], 4: [2164]}
    assert (found["loss"] > floor(X[16:])).all()


def test_what_is_no_picture_is_refused():
    with pytest.raises(EvaluationError, match=r"values from 0 to 1, not \(4, 8, 8\) from -1 to"):
        Autoencoder().fit(np.full((4, 8, 8), -1.0))
    with pytest.raises(EvaluationError, match="one of dense, slim, wide"):
        Autoencoder("deep").fit(np.zeros((4, 8, 8)))


def test_one_picture_without_its_axis_and_values_that_are_no_numbers_are_refused():
    X = stripes(shape=(16, 16))
    network = Autoencoder("dense", latent=2, epochs=1).fit(X)
    assert network.reconstruct(X[:1]).shape == (1, 16, 16)
    for answer in (network.transform, network.reconstruct):
        for wrong in (X[0], X[:, :8], X[..., None]):
            with pytest.raises(EvaluationError, match=r"X\[i:i\+1\]"):
                answer(wrong)
    X[3, 2, 1] = np.nan
    with pytest.raises(EvaluationError, match="row 3 hold nan in column 2, 1"):
        Autoencoder("dense", latent=2, epochs=1).fit(X)

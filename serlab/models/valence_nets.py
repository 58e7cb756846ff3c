"""Layers of the networks for valence: the original one, a deeper one, and one trunk with three heads.

Each function takes clips ``X`` of shape (clips, bands, frames) and one-hot labels ``y`` of shape (clips,
classes), and returns a Keras model. Of two classes one sigmoid says both.
"""

from __future__ import annotations

import numpy as np

from serlab.backend import keras
from serlab.models.architectures import StatisticsPooling
from serlab.models.binaries import normalised
from serlab.models.network import Network

layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable(package="serlab")
class BothSides(layers.Layer):
    """The probability of one class to those of both: (clips, 1) to (clips, 2), [1 - p, p].

    The cross-entropy of both is the binary cross-entropy of the one, so that a network with a single sigmoid
    is trained like any other.

    Examples
    --------
    >>> ops.convert_to_numpy(BothSides()(np.array([[0.25]]))).tolist()
    [[0.75, 0.25]]
    """

    def call(self, p):
        """Complete a batch."""
        return ops.concatenate([1 - p, p], axis=-1)


def original(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the original network: 128 filters of 3 x 3, the strongest answer of each, and the decision.

    Examples
    --------
    >>> original(np.zeros((1, 128, 16)), np.zeros((1, 3))).count_params()
    1667
    >>> original(np.zeros((1, 128, 16)), np.zeros((1, 2))).count_params()
    1409
    """
    inputs = keras.Input(X.shape[1:])
    x = layers.Reshape((*X.shape[1:], 1))(inputs)
    x = layers.Conv2D(128, 3, activation="relu")(x)
    return keras.Model(inputs, _decide(layers.GlobalMaxPooling2D()(x), y.shape[1]))


def cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the deeper network: the trunk, and one decision between all classes.

    Examples
    --------
    >>> cnn(np.zeros((1, 64, 26)), np.zeros((1, 3))).output_shape
    (None, 3)
    """
    inputs = keras.Input(X.shape[1:])
    return keras.Model(inputs, _decide(_trunk(inputs), y.shape[1]))


def three_heads(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the trunk with a sigmoid for every class, each of which decides between it and the others.

    The loss is the sum of their binary cross-entropies. In each, both sides weigh alike, however rare the
    class is in `y`.

    Examples
    --------
    >>> three_heads(np.zeros((1, 64, 26)), np.eye(3)).output_shape
    (None, 3)
    """
    inputs = keras.Input(X.shape[1:])
    network = Heads(inputs, layers.Dense(y.shape[1], activation="sigmoid")(_trunk(inputs)))
    clips, members = len(y), np.maximum(np.asarray(y, np.float32).sum(axis=0), 1)
    network.sides = clips / (2 * np.maximum(clips - members, 1)), clips / (2 * members)
    return network


class SharedTrunk(Network):
    """A network with a sigmoid for every class on one trunk, and their combination for a decision.

    Parameters are those of `serlab.models.network.Network`; `model` is `three_heads`. Classes are balanced
    in the loss itself, so ``balanced`` is not needed.
    """

    def heads(self, X: np.ndarray) -> np.ndarray:
        """Give what each head says, on its own: (clips, ...) to (clips, classes), each from 0 to 1."""
        return super().predict_proba(X)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Give the combination, `serlab.models.binaries.normalised`: (clips, ...) to (clips, classes)."""
        return normalised(self.heads(X))


@keras.saving.register_keras_serializable(package="serlab")
class Heads(keras.Model):
    """A model whose loss is the sum of one binary cross-entropy per output.

    Attributes
    ----------
    sides : (ndarray, ndarray)
        Of each output, what a clip of the other classes weighs, and one of its own.
    """

    sides = (1.0, 1.0)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Compute the loss of a batch."""
        others, members = (ops.cast(side, y_pred.dtype) for side in self.sides)
        y, p = ops.cast(y, y_pred.dtype), ops.clip(y_pred, 1e-7, 1 - 1e-7)
        losses = -(y * members * ops.log(p) + (1 - y) * others * ops.log(1 - p))
        return ops.mean(ops.sum(losses, axis=-1))


def _trunk(inputs):
    """Three blocks of convolutions, then statistics over time: what counts is kept apart by frequency.

    Time is halved twice less than frequency, so that something is left of half a second.
    """
    x = layers.Reshape((*inputs.shape[1:], 1))(inputs)
    for filters, size, step, pool, dropped in (
        (32, 5, 2, (2, 2), 0.0),
        (64, 3, 1, (2, 2), 0.1),
        (128, 3, 1, (2, 1), 0.1),
    ):
        x = layers.Conv2D(filters, size, step, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(pool)(x)
        x = layers.SpatialDropout2D(dropped)(x)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
    return layers.Dropout(0.3)(StatisticsPooling()(x))


def _decide(x, classes: int):
    if classes == 2:
        return BothSides()(layers.Dense(1, activation="sigmoid")(x))
    return layers.Dense(classes, activation="softmax")(x)

"""The layers of the networks of chapters 6 to 8: three of the original notebook, and ours.

Each function takes what `serlab.models.network.Network` gives it, training data ``X`` of shape (clips,
...) and one-hot labels ``y`` of shape (clips, classes), looks at their shapes alone, and returns a Keras
model that ends in a probability for each class.
"""

from __future__ import annotations

import numpy as np

from serlab.backend import keras

layers, ops = keras.layers, keras.ops


def original_ann(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the dense network of the original notebook: 128-64-32, on all values of the spectrogram.

    Examples
    --------
    >>> original_ann(np.zeros((1, 128, 147)), np.zeros((1, 8))).count_params()
    2419176
    """
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Flatten()])
    for units in (128, 64, 32):
        network.add(layers.Dense(units, activation="relu"))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def original_cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the convolutional network of the original notebook: five layers of 3 x 3 filters, then all places.

    Examples
    --------
    >>> original_cnn(np.zeros((1, 128, 147)), np.zeros((1, 8))).count_params()
    1018888
    """
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Reshape((*X.shape[1:], 1))])
    for filters in (32, 64, 128, 256):
        network.add(layers.Conv2D(filters, 3, activation="relu"))
        network.add(layers.MaxPooling2D(2))
    network.add(layers.Conv2D(256, 3, activation="relu"))
    network.add(layers.Flatten())
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def original_augmented_cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the augmented CNN of the original notebook: filters that run along frequency, not along time.

    Mel bands are taken for the steps of a sequence, and frames for its channels. Where batch normalisation
    stands was not reported: behind the first three convolutions and the dense layer is the only plain
    choice that has the 1,146,312 parameters which were.

    Examples
    --------
    >>> original_augmented_cnn(np.zeros((1, 128, 147)), np.zeros((1, 8))).count_params()
    1146312
    """
    network = keras.Sequential([keras.Input(X.shape[1:])])
    for filters in (512, 256, 128):
        network.add(layers.Conv1D(filters, 3, activation="relu"))
        network.add(layers.BatchNormalization())
        network.add(layers.MaxPooling1D(2))
        network.add(layers.Dropout(0.2))
    network.add(layers.Conv1D(64, 3, activation="relu"))
    network.add(layers.Flatten())
    network.add(layers.Dense(512, activation="relu"))
    network.add(layers.BatchNormalization())
    network.add(layers.Dropout(0.2))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


@keras.saving.register_keras_serializable(package="serlab")
class StatisticsPooling(layers.Layer):
    """Mean, deviation and maximum over time: (clips, time, channels) to (clips, 3 * channels).

    What a network finds in a clip then counts wherever in the clip it is.

    References
    ----------
    Snyder et al. 2018, X-vectors: robust DNN embeddings for speaker recognition, ICASSP, for mean and
    deviation.

    Examples
    --------
    >>> pooled = StatisticsPooling()(np.array([[[1.0], [3.0]]]))
    >>> ops.convert_to_numpy(pooled).round(2).tolist()
    [[2.0, 1.0, 3.0]]
    """

    def call(self, x):
        """Pool a batch."""
        deviation = ops.sqrt(ops.var(x, axis=1) + 1e-5)
        return ops.concatenate([ops.mean(x, axis=1), deviation, ops.max(x, axis=1)], axis=-1)


def cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make our CNN: three blocks of convolutions with batch normalisation, then statistics over time.

    The first filters take every second band and frame, which makes the network four times as quick. What
    the last filters find is kept apart by frequency, where a place means something, and pooled over time,
    where it does not.

    Examples
    --------
    >>> cnn(np.zeros((1, 64, 161)), np.zeros((1, 8))).output_shape
    (None, 8)
    """
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Reshape((*X.shape[1:], 1))])
    for filters, size, step, dropped in ((32, 5, 2, 0.0), (64, 3, 1, 0.1), (128, 3, 1, 0.1)):
        network.add(layers.Conv2D(filters, size, step, padding="same", use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.MaxPooling2D(2))
        network.add(layers.SpatialDropout2D(dropped))
    network.add(layers.Permute((2, 1, 3)))
    bands, channels = network.output_shape[2:]
    network.add(layers.Reshape((-1, bands * channels)))
    network.add(StatisticsPooling())
    network.add(layers.Dropout(0.3))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def dense(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make our dense network, for features that are one number each: 128-64, half of it dropped.

    Examples
    --------
    >>> dense(np.zeros((1, 100)), np.zeros((1, 8))).count_params()
    22280
    """
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Dropout(0.2)])
    for units in (128, 64):
        network.add(layers.Dense(units, use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.Dropout(0.5))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def cosine(steps: int, learning_rate: float = 2e-3, weight_decay: float = 1e-2) -> keras.Optimizer:
    """Make an AdamW optimiser whose learning rate rises for a twentieth of the steps, then falls as a cosine.

    With a rate that ends at zero the last epoch is as good as any, and no clips need to be held out to choose
    one.

    References
    ----------
    Loshchilov & Hutter 2017, SGDR: stochastic gradient descent with warm restarts, ICLR.

    Loshchilov & Hutter 2019, Decoupled weight decay regularization, ICLR.

    Examples
    --------
    >>> rate = cosine(1000).learning_rate
    >>> [round(float(keras.ops.convert_to_numpy(rate)), 5)]
    [0.0001]
    """
    rising = steps // 20
    rate = keras.optimizers.schedules.CosineDecay(
        learning_rate / 20, steps - rising, warmup_target=learning_rate, warmup_steps=rising
    )
    return keras.optimizers.AdamW(rate, weight_decay=weight_decay)

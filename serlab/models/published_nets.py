"""Layers of three published networks, on 193 averages, contours and spectrograms, and of a small one.

Each function takes training data ``X`` of shape (clips, ...) and one-hot labels ``y`` of shape (clips,
classes), and returns a Keras model.
"""

from __future__ import annotations

import numpy as np

from serlab.backend import keras
from serlab.models.architectures import StatisticsPooling

layers = keras.layers


def model_a(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the 1-D CNN for 193 averages: two units of convolutions of size 5, a wide pooling between them.

    The averages are taken for a sequence, so that a filter sees five neighbouring numbers. The first unit
    has 256 and 128 filters, the second 128 and 128; after each follow ReLU, batch normalisation and dropout.

    References
    ----------
    Issa, Demirci & Yazici 2020, Speech emotion recognition with deep convolutional neural networks,
    Biomedical Signal Processing and Control 59, 101894: "model A". How many layers a unit has, and
    how much is dropped, is our reading.

    Examples
    --------
    >>> model_a(np.zeros((1, 193)), np.zeros((1, 7))).output_shape
    (None, 7)
    """
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Reshape((-1, 1))])
    for unit in ((256, 128), (128, 128)):
        if len(network.layers) > 1:
            network.add(layers.MaxPooling1D(8))
        for filters in unit:
            network.add(layers.Conv1D(filters, 5, padding="same", activation="relu"))
            network.add(layers.BatchNormalization(momentum=0.9))
            network.add(layers.Dropout(0.1))
    network.add(layers.Flatten())
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def original_contours(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the original 1-D network of CREMA-D: zero crossings, then energy, as one sequence of 302 numbers.

    Examples
    --------
    >>> original_contours(np.zeros((1, 2, 151)), np.zeros((1, 6))).count_params()
    2484614
    """
    network = _scaled(X)
    network.add(layers.Reshape((-1, 1)))
    for filters in (64, 128, 256):
        network.add(layers.Conv1D(filters, 3, activation="relu"))
        network.add(layers.MaxPooling1D(2))
    network.add(layers.Flatten())
    network.add(layers.Dense(256, activation="relu"))
    network.add(layers.Dropout(0.5))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def original_mel(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the original 2-D network of CREMA-D: wide filters on mel spectrograms.

    Examples
    --------
    >>> original_mel(np.zeros((1, 128, 151)), np.zeros((1, 6))).count_params()
    6627078
    """
    network = _scaled(X)
    network.add(layers.Reshape((*X.shape[1:], 1)))
    network.add(layers.Conv2D(256, 5, padding="same", activation="relu"))
    for filters in (128, 128, 128):
        network.add(layers.Conv2D(filters, 5, padding="same", activation="relu"))
        network.add(layers.MaxPooling2D(5, strides=2, padding="same"))
    network.add(layers.Flatten())
    network.add(layers.Dense(128, activation="relu"))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def compact_contours(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make a small 1-D CNN for contours: contours are channels, filters run along time, pooled over it.

    Examples
    --------
    >>> compact_contours(np.zeros((1, 18, 161)), np.zeros((1, 6))).output_shape
    (None, 6)
    """
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Permute((2, 1))])
    for filters in (64, 96, 128):
        network.add(layers.Conv1D(filters, 5, padding="same", use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.MaxPooling1D(2))
        network.add(layers.SpatialDropout1D(0.1))
    network.add(StatisticsPooling())
    network.add(layers.Dropout(0.3))
    network.add(layers.Dense(y.shape[1], activation="softmax"))
    return network


def _scaled(X: np.ndarray) -> keras.Sequential:
    """Begin a network that scales every value to 0...1 by its range in the training data."""
    lowest, highest = X.min(axis=0), X.max(axis=0)
    axes = tuple(range(1, X.ndim))
    scale = layers.Normalization(axis=axes, mean=lowest, variance=np.square(highest - lowest))
    return keras.Sequential([keras.Input(X.shape[1:]), scale])

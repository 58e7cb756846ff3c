"""The layers of all networks: those of the original notebooks, published ones, and ours.

Each function takes what `serlab.models.network.Network` gives it, training data ``X`` of shape (clips,
...) and one-hot labels ``y`` of shape (clips, classes), looks at their shapes (those of CREMA-D at the range
of X, too), and returns a Keras model that ends in a probability for each class.

Examples
--------
>>> original_ann(np.zeros((1, 128, 147)), np.zeros((1, 8))).count_params()
2419176
"""

import numpy as np

from serlab.backend import keras

layers, ops = keras.layers, keras.ops


def original_ann(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the dense network of the original notebook: 128-64-32, on all values of the spectrogram."""
    return _stacked(X, y, layers.Flatten(), *(layers.Dense(n, activation="relu") for n in (128, 64, 32)))


def original_cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the convolutional network of the original notebook: five layers of 3 x 3 filters."""
    parts = [layers.Reshape((*X.shape[1:], 1))]
    for filters in (32, 64, 128, 256):
        parts += [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D(2)]
    return _stacked(X, y, *parts, layers.Conv2D(256, 3, activation="relu"), layers.Flatten())


def original_augmented_cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the augmented CNN of the original notebook: filters that run along frequency, not along time.

    Bands are taken for the steps of a sequence, and frames for its channels. Where batch normalisation stands
    was not reported: this is the only plain choice that has the 1,146,312 parameters which were.
    """
    parts = []
    for filters in (512, 256, 128):
        parts += [layers.Conv1D(filters, 3, activation="relu"), layers.BatchNormalization()]
        parts += [layers.MaxPooling1D(2), layers.Dropout(0.2)]
    parts += [layers.Conv1D(64, 3, activation="relu"), layers.Flatten()]
    parts += [layers.Dense(512, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.2)]
    return _stacked(X, y, *parts)


def _stacked(X: np.ndarray, y: np.ndarray, *parts: keras.Layer) -> keras.Model:
    """Put layers on each other, and a decision between all classes on them."""
    decision = layers.Dense(y.shape[1], activation="softmax")
    return keras.Sequential([keras.Input(X.shape[1:]), *parts, decision])


@keras.saving.register_keras_serializable(package="serlab")
class StatisticsPooling(layers.Layer):
    """Mean, deviation and maximum over time: (clips, time, channels) to (clips, 3 * channels).

    What a network finds in a clip then counts wherever in the clip it is. Mean and deviation are those of
    Snyder et al. 2018, X-vectors: robust DNN embeddings for speaker recognition, ICASSP.
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
    """
    inputs = keras.Input(X.shape[1:])
    x = _trunk(inputs, 2)
    return keras.Model(inputs, layers.Dense(y.shape[1], activation="softmax")(x))


def _trunk(inputs, last: int | tuple[int, int]):
    x = layers.Reshape((*inputs.shape[1:], 1))(inputs)
    for filters, size, step, pool, drop in ((32, 5, 2, 2, 0.0), (64, 3, 1, 2, 0.1), (128, 3, 1, last, 0.1)):
        x = layers.Conv2D(filters, size, step, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(pool)(x)
        x = layers.SpatialDropout2D(drop)(x)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
    return layers.Dropout(0.3)(StatisticsPooling()(x))


def dense(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make our dense network, for features that are one number each: 128-64, half of it dropped."""
    parts = [layers.Dropout(0.2)]
    for units in (128, 64):
        parts += [layers.Dense(units, use_bias=False), layers.BatchNormalization(momentum=0.9)]
        parts += [layers.ReLU(), layers.Dropout(0.5)]
    return _stacked(X, y, *parts)


def attention_pooling(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make a network that decides how much each frame counts: (clips, channels, time) to a decision.

    A small network gives each frame a score; softmax over time makes weights of them, with which mean and
    deviation are taken (Okabe, Koshinaka & Shinoda 2018, Attentive statistics pooling for deep speaker
    embedding, Interspeech).
    """
    inputs = keras.Input(X.shape[1:])
    frames = layers.Dropout(0.2)(layers.Permute((2, 1))(inputs))
    scores = layers.Dense(1)(layers.Dense(64, activation="tanh")(frames))
    weights = layers.Softmax(axis=1, name="weights")(scores)
    x = layers.Dropout(0.5)(WeightedStatistics()([frames, weights]))
    return keras.Model(inputs, layers.Dense(y.shape[1], activation="softmax")(x))


@keras.saving.register_keras_serializable(package="serlab")
class WeightedStatistics(layers.Layer):
    """Mean and deviation over time of weighted frames.

    (clips, time, channels) and weights (clips, time, 1) to (clips, 2 * channels).
    """

    def call(self, inputs):
        """Pool a batch."""
        frames, weights = inputs
        mean = ops.sum(weights * frames, axis=1)
        variance = ops.sum(weights * ops.square(frames - mean[:, None]), axis=1)
        return ops.concatenate([mean, ops.sqrt(variance + 1e-5)], axis=-1)


# ---- valence: of two classes one sigmoid gives both ----

# Time is halved once less than in `cnn`, so that something is left of half a second.
_SHORT = (2, 1)


@keras.saving.register_keras_serializable(package="serlab")
class BothSides(layers.Layer):
    """The probability of one class to those of both: (clips, 1) to (clips, 2), [1 - p, p].

    The cross-entropy of both is the binary one, so that a single sigmoid is trained like any network.
    """

    def call(self, p):
        """Complete a batch."""
        return ops.concatenate([1 - p, p], axis=-1)


def valence_original(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the original network for valence: 128 filters, the strongest answer of each, the decision."""
    inputs = keras.Input(X.shape[1:])
    x = layers.Reshape((*X.shape[1:], 1))(inputs)
    x = layers.Conv2D(128, 3, activation="relu")(x)
    return keras.Model(inputs, _decide(layers.GlobalMaxPooling2D()(x), y.shape[1]))


def valence_cnn(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the deeper network: the trunk, and one decision between all classes."""
    inputs = keras.Input(X.shape[1:])
    return keras.Model(inputs, _decide(_trunk(inputs, _SHORT), y.shape[1]))


def valence_three_heads(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the trunk with a sigmoid for every class, each of which decides between it and the others.

    The loss is the sum of binary cross-entropies, in which both sides weigh alike, however rare in `y`.
    """
    inputs = keras.Input(X.shape[1:])
    network = Heads(inputs, layers.Dense(y.shape[1], activation="sigmoid")(_trunk(inputs, _SHORT)))
    clips, members = len(y), np.maximum(np.asarray(y, np.float32).sum(axis=0), 1)
    network.sides = clips / (2 * np.maximum(clips - members, 1)), clips / (2 * members)
    return network


@keras.saving.register_keras_serializable(package="serlab")
class Heads(keras.Model):
    """A model whose loss is the sum of one binary cross-entropy per output.

    `sides` are the weights, for each output, of a clip of the other classes and of one of its own.
    """

    sides = (1.0, 1.0)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Compute the loss of a batch."""
        others, members = (ops.cast(side, y_pred.dtype) for side in self.sides)
        y, p = ops.cast(y, y_pred.dtype), ops.clip(y_pred, 1e-7, 1 - 1e-7)
        losses = -(y * members * ops.log(p) + (1 - y) * others * ops.log(1 - p))
        return ops.mean(ops.sum(losses, axis=-1))


def _decide(x, classes: int):
    if classes == 2:
        return BothSides()(layers.Dense(1, activation="sigmoid")(x))
    return layers.Dense(classes, activation="softmax")(x)


# ---- published networks ----


def model_a(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the 1-D CNN for 193 averages: two units of convolutions of size 5, a wide pooling between them.

    The averages are taken for a sequence, so that a filter sees five neighbouring numbers. "Model A" of Issa,
    Demirci & Yazici 2020, Speech emotion recognition with deep convolutional neural networks, Biomedical
    Signal Processing and Control 59, 101894; layers of a unit, and what is dropped, are our reading.
    """
    parts = [layers.Reshape((-1, 1))]
    for number, filters in enumerate((256, 128, 128, 128)):
        if number == 2:
            parts += [layers.MaxPooling1D(8)]
        parts += [layers.Conv1D(filters, 5, padding="same", activation="relu")]
        parts += [layers.BatchNormalization(momentum=0.9), layers.Dropout(0.1)]
    return _stacked(X, y, *parts, layers.Flatten())


def original_contours(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the original 1-D network of CREMA-D: zero crossings, then energy, as one sequence."""
    parts = [_scale(X), layers.Reshape((-1, 1))]
    for filters in (64, 128, 256):
        parts += [layers.Conv1D(filters, 3, activation="relu"), layers.MaxPooling1D(2)]
    parts += [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5)]
    return _stacked(X, y, *parts)


def original_mel(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make the original 2-D network of CREMA-D: wide filters on mel spectrograms."""
    parts = [_scale(X), layers.Reshape((*X.shape[1:], 1))]
    parts += [layers.Conv2D(256, 5, padding="same", activation="relu")]
    for filters in (128, 128, 128):
        parts += [layers.Conv2D(filters, 5, padding="same", activation="relu")]
        parts += [layers.MaxPooling2D(5, strides=2, padding="same")]
    return _stacked(X, y, *parts, layers.Flatten(), layers.Dense(128, activation="relu"))


def compact_contours(X: np.ndarray, y: np.ndarray) -> keras.Model:
    """Make a small 1-D CNN for contours: contours are channels, filters run along time, pooled over it."""
    parts = [layers.Permute((2, 1))]
    for filters in (64, 96, 128):
        parts += [layers.Conv1D(filters, 5, padding="same", use_bias=False)]
        parts += [layers.BatchNormalization(momentum=0.9), layers.ReLU()]
        parts += [layers.MaxPooling1D(2), layers.SpatialDropout1D(0.1)]
    return _stacked(X, y, *parts, StatisticsPooling(), layers.Dropout(0.3))


def _scale(X: np.ndarray) -> keras.Layer:
    """Scale every value to 0...1 by its range in the training data."""
    lowest, highest = X.min(axis=0), X.max(axis=0)
    axes = tuple(range(1, X.ndim))
    return layers.Normalization(axis=axes, mean=lowest, variance=np.square(highest - lowest))

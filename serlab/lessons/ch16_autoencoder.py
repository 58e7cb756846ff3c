"""Autoencoders: networks that learn, without labels, to paint pictures again from a few numbers."""

import time
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from serlab.backend import keras
from serlab.checks import check_inputs, check_like
from serlab.errors import EvaluationError

PREDICTED_AT_ONCE = 64
# Three halvings: sides are filled up to multiples of eight, and what was added is cut off again.
MULTIPLE = 8


def dense(shape: tuple[int, int], latent: int) -> tuple[keras.Model, keras.Model]:
    """Build encoder and decoder of one dense layer each: from pictures of a shape to a code, and back."""
    layers = keras.layers
    size = shape[0] * shape[1]
    encoder = [keras.Input(shape), layers.Flatten(), layers.Dense(latent, activation="relu")]
    decoder = [keras.Input((latent,)), layers.Dense(size, activation="sigmoid"), layers.Reshape(shape)]
    return keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder")


def _convolutional(shape, latent, filters):
    layers = keras.layers
    added = [-side % MULTIPLE for side in shape]
    border = tuple((extra // 2, extra - extra // 2) for extra in added)
    small = tuple((side + extra) // MULTIPLE for side, extra in zip(shape, added, strict=True))
    more = {"strides": 2, "padding": "same", "activation": "relu"}
    encoder = [
        keras.Input(shape),
        layers.Reshape((*shape, 1)),
        layers.ZeroPadding2D(border),
        *(layers.Conv2D(count, 3, **more) for count in filters),
        layers.Flatten(),
        layers.Dense(latent, activation="relu"),
    ]
    decoder = [
        keras.Input((latent,)),
        layers.Dense(small[0] * small[1] * filters[-1], activation="relu"),
        layers.Reshape((*small, filters[-1])),
        *(layers.Conv2DTranspose(count, 3, **more) for count in filters[-2::-1]),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
        layers.Cropping2D(border),
        layers.Reshape(shape),
    ]
    return keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder")


# Three convolutions, each of which halves the picture, and their mirror.
ARCHITECTURES = {
    "dense": dense,
    "slim": partial(_convolutional, filters=(8, 16, 16)),
    "wide": partial(_convolutional, filters=(16, 32, 64)),
}


class Autoencoder(TransformerMixin, BaseEstimator):
    """A network that squeezes pictures through a few numbers, the code, and paints them again.

    It is trained with Adam on binary cross-entropy between pictures and paintings. `architecture` is one of
    `ARCHITECTURES`, `latent` the numbers of the code, `patience` the epochs without a lower validation loss
    after which training stops; the best epoch is kept. After Hinton & Salakhutdinov 2006, Reducing the
    dimensionality of data with neural networks, Science 313(5786), 504-507.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).uniform(size=(20, 16, 8)).astype("float32")
    >>> network = Autoencoder("slim", latent=4, epochs=1).fit(pictures)
    >>> network.transform(pictures).shape, network.reconstruct(pictures).shape
    ((20, 4), (20, 16, 8))
    """

    def __init__(
        self,
        architecture: str = "slim",
        latent: int = 64,
        learning_rate: float = 0.001,
        batch_size: int = 16,
        epochs: int = 30,
        patience: int = 3,
        seed: int = 0,
    ):
        self.architecture, self.latent = architecture, latent
        self.learning_rate, self.batch_size = learning_rate, batch_size
        self.epochs, self.patience, self.seed = epochs, patience, seed

    def fit(self, X: np.ndarray, y: None = None, validation: np.ndarray | None = None):
        """Train on pictures, (clips, height, width) in [0, 1]; others for validation decide when to stop.

        Raises `EvaluationError` if values are not numbers in [0, 1], or there is no such architecture.
        """
        if self.architecture not in ARCHITECTURES:
            raise EvaluationError(f"architecture must be one of {', '.join(ARCHITECTURES)}")
        X = np.asarray(X, np.float32)
        if X.ndim != 3 or X.min() < 0 or X.max() > 1:
            raise EvaluationError(
                f"An autoencoder takes pictures (clips, height, width) of values from 0 to 1, not {X.shape} "
                f"from {X.min():.3g} to {X.max():.3g}: see serlab.features.Spectrogram"
            )
        check_inputs(X)
        self.shape_ = X.shape[1:]
        keras.utils.set_random_seed(self.seed)
        self.encoder_, self.decoder_ = ARCHITECTURES[self.architecture](self.shape_, self.latent)
        self.model_ = keras.Sequential([self.encoder_, self.decoder_])
        self.model_.compile(keras.optimizers.Adam(self.learning_rate), "binary_crossentropy")
        extra = {}
        if validation is not None:
            validation = np.asarray(validation, np.float32)
            check_like(validation, self.shape_)
            stop = keras.callbacks.EarlyStopping(patience=self.patience, restore_best_weights=True)
            extra = {"validation_data": (validation, validation), "callbacks": [stop]}
        trained = self.model_.fit(X, X, batch_size=self.batch_size, epochs=self.epochs, verbose=0, **extra)
        self.history = trained.history
        return self

    @property
    def loss(self) -> float:
        """Lowest validation loss; without validation the last training loss."""
        return float(min(self.history.get("val_loss", self.history["loss"][-1:])))

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Give the code of every picture: (clips, height, width) to (clips, latent)."""
        X = np.asarray(X, np.float32)
        check_like(X, self.shape_)
        return self.encoder_.predict(X, batch_size=PREDICTED_AT_ONCE, verbose=0)

    def reconstruct(self, X: np.ndarray) -> np.ndarray:
        """Paint every picture again from its code: (clips, height, width) to the same shape."""
        return self.decoder_.predict(self.transform(X), batch_size=PREDICTED_AT_ONCE, verbose=0)


def floor(X: np.ndarray, reference: np.ndarray | None = None) -> float:
    """Compute the binary cross-entropy of a perfect painting of pictures, (clips, ...) in [0, 1].

    Grey values make even that cost something: a loss says little without this floor. With a `reference`, the
    mean of those pictures is painted whatever is asked for.

    Examples
    --------
    >>> X = np.array([[0.5, 1.0], [0.5, 0.0]])
    >>> round(floor(X), 4), round(floor(X, X), 4)
    (0.3466, 0.6931)
    """
    painted = X if reference is None else np.broadcast_to(reference.mean(axis=0), X.shape)
    painted = np.clip(painted, 1e-7, 1 - 1e-7)
    return float(-np.mean(X * np.log(painted) + (1 - X) * np.log(1 - painted)))


def search(X: np.ndarray, validation: np.ndarray, grid: Mapping[str, Iterable], **settings) -> pd.DataFrame:
    """Train a network with every combination of settings; `grid` maps each to what is tried of it.

    Gives one row per network: the settings that were tried, ``parameters``, ``epochs`` (until it stopped),
    ``loss`` (on the validation pictures, which are of other speakers) and ``seconds`` of processor time.

    Examples
    --------
    >>> X = np.random.default_rng(0).uniform(size=(24, 8, 8)).astype("float32")
    >>> found = search(X[:16], X[16:], {"batch_size": [8, 16]}, architecture="dense", latent=4, epochs=1)
    >>> found[["batch_size", "parameters", "epochs"]].values.tolist()
    [[8, 580, 1], [16, 580, 1]]
    """
    rows = []
    for values in product(*grid.values()):
        tried = dict(zip(grid, values, strict=True))
        started = time.process_time()
        network = Autoencoder(**tried, **settings).fit(X, validation=validation)
        facts = {
            "parameters": network.model_.count_params(),
            "epochs": len(network.history["loss"]),
            "loss": network.loss,
            "seconds": time.process_time() - started,
        }
        rows.append(tried | facts)
    return pd.DataFrame(rows)

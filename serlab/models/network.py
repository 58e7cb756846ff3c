"""Networks as scikit-learn estimators, trained as this book does it: seeded, the best epoch by validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from serlab.augment import Batches, Chain
from serlab.backend import keras
from serlab.checks import check_inputs, check_like
from serlab.errors import EvaluationError
from serlab.models.binaries import normalised

PREDICTED_AT_ONCE = 64


class Network(keras.wrappers.SKLearnClassifier):
    """A Keras network behind the interface of scikit-learn.

    Where `fit` is given validation data, the weights of the epoch with the lowest validation loss are kept,
    else those of the last epoch.

    Parameters
    ----------
    model : callable
        Takes ``X`` and one-hot ``y``, returns a Keras model that is not compiled yet; see
        `serlab.models.architectures`.
    epochs, batch_size : int
    steps_at_once : int
        Training steps joined in one compiled program: computes the same, worth it for tiny batches.
    optimizer : str or callable
        Its name in Keras, or a function that takes the number of training steps and returns an optimiser.
    centre_clips : bool
        Subtract from every clip its own mean: from a spectrogram in dB that takes how loud it was recorded.
    standardise : bool
        Z-score every band (or other first dimension) by its mean and deviation over the training rows.
    augment : Chain, optional
        Changes every batch of training clips, on the fly.
    label_smoothing : float
        Share of the label that is spread over all classes, 0 to 1.
    balanced : bool
        Whether a clip counts the more the fewer there are of its class.
    copies : bool
        Rows of X hold several versions of each clip, the unaltered one first: all are trained on, the first
        alone is predicted.
    seed : int
        Of weights, order, dropout and changes.

    Examples
    --------
    >>> from serlab.models.architectures import dense
    >>> X, y = np.array([[0.0], [1.0]] * 8, np.float32), np.array(["sad", "happy"] * 8)
    >>> network = Network(dense, epochs=2).fit(X, y)
    >>> network.predict_proba(X).shape, len(network.history["loss"])
    ((16, 2), 2)
    """

    libraries: ClassVar[tuple[str, ...]] = ("keras",)
    learns_shares: ClassVar[bool] = True

    def __init__(
        self,
        model: Callable[[np.ndarray, np.ndarray], keras.Model],
        epochs: int = 25,
        batch_size: int = 32,
        steps_at_once: int = 1,
        optimizer: str | Callable[[int], keras.Optimizer] = "rmsprop",
        centre_clips: bool = False,
        standardise: bool = False,
        augment: Chain | None = None,
        label_smoothing: float = 0.0,
        balanced: bool = False,
        copies: bool = False,
        seed: int = 0,
        progress: bool = False,
    ):
        super().__init__(model)
        self.epochs, self.batch_size, self.steps_at_once = epochs, batch_size, steps_at_once
        self.optimizer = optimizer
        self.centre_clips, self.standardise = centre_clips, standardise
        self.augment = augment
        self.label_smoothing, self.balanced, self.copies = label_smoothing, balanced, copies
        self.seed, self.progress = seed, progress

    @classmethod
    def of(cls, model: keras.Model, classes: Sequence[str]) -> Network:
        """Take a Keras model that is trained already; its outputs are the probabilities of these classes."""
        if model.output_shape[1:] != (len(classes),):
            raise EvaluationError(
                f"the model's output is of shape {model.output_shape}, and must be (clips, {len(classes)}), "
                "the probability of each class"
            )
        found = cls(None)
        found.model_, found.classes_, found.shape_ = model, np.array(classes), model.input_shape[1:]
        found.mean_, found.deviation_ = np.float32(0), np.float32(1)
        return found

    def __sklearn_clone__(self) -> Network:
        # The wrapper's own forgets all but the model.
        return type(self)(**self.get_params(deep=False))

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray | pd.DataFrame,
        validation_data: tuple[np.ndarray, np.ndarray | pd.DataFrame] | None = None,
    ) -> Network:
        """Train; clips of ``validation_data=(X, y)``, if given, choose the epoch.

        X is of shape (clips, ...), y holds their labels, or is a DataFrame of their shares of votes, with a
        column for each class; if `balanced`, such clips weigh by the class with most votes. `EvaluationError`
        if they cannot be trained on (`serlab.checks.check_inputs`), or if the loss becomes infinite or not a
        number.
        """
        X = np.asarray(X)
        check_inputs(X, None if isinstance(y, pd.DataFrame) else y)
        self.shape_ = X.shape[1:]
        keras.utils.set_random_seed(self.seed)
        Y = self._targets(y, reset=True)
        weight = len(Y) / (Y.shape[1] * Y.sum(axis=0)) if self.balanced else np.ones(Y.shape[1])
        if self.copies:
            X, Y = X.reshape(-1, *X.shape[2:]), np.repeat(Y, X.shape[1], axis=0)
        X = self._centred(X)
        self.mean_, self.deviation_ = self._measure(X)
        X = self._scaled(X)
        batches = _TrainingBatches(X, Y, None, self.batch_size, self.augment, self.seed)
        self.model_ = self._get_model(X, Y)
        optimizer = self.optimizer
        # Of the backends only PyTorch cannot join steps.
        at_once = 1 if keras.backend.backend() == "torch" else self.steps_at_once
        self.model_.compile(
            optimizer(len(batches) * self.epochs) if callable(optimizer) else optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=self.label_smoothing),
            metrics=["accuracy"],
            weighted_metrics=[],
            steps_per_execution=at_once,
            jit_compile=True if at_once > 1 else "auto",
        )
        callbacks, given = [_Finite()], None
        if validation_data is not None:
            given = self._input(validation_data[0]), self._targets(validation_data[1])
            callbacks.append(
                keras.callbacks.EarlyStopping(
                    "val_loss", mode="min", patience=self.epochs, restore_best_weights=True
                )
            )
        if self.progress:
            from tqdm.keras import TqdmCallback

            callbacks.append(TqdmCallback(epochs=self.epochs, verbose=0))
        self.history_ = self.model_.fit(
            batches,
            epochs=self.epochs,
            class_weight=dict(enumerate(weight)) if self.balanced else None,
            validation_data=given,
            validation_batch_size=PREDICTED_AT_ONCE,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
        return self

    @property
    def history(self) -> dict[str, list[float]]:
        """What Keras reported after each epoch (``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``)."""
        return self.history_.history

    @property
    def chosen(self) -> dict[str, int] | None:
        """The epoch that validation chose, counted from 1; None without validation."""
        losses = self.history.get("val_loss")
        return None if losses is None else {"epoch": int(np.argmin(losses)) + 1}

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of every class: (clips, ...) to (clips, classes).

        `EvaluationError` if examples are of another shape than those trained on; one is ``X[i : i + 1]``.
        """
        p = self.model_.predict(self._input(X), batch_size=PREDICTED_AT_ONCE, verbose=0)
        return np.asarray(p, dtype=np.float64)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Name the most probable class of each clip."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _targets(self, y: np.ndarray | pd.DataFrame, reset: bool = False) -> np.ndarray:
        """Give what the outputs shall be: (clips, classes), one-hot or shares."""
        if not isinstance(y, pd.DataFrame):
            return self._process_target(np.asarray(y), reset=reset).astype(np.float32)
        if reset:
            self.classes_ = y.columns.to_numpy(str)
        return y[list(self.classes_)].to_numpy(np.float32)

    def _input(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X)
        check_like(X, self.shape_)
        return self._scaled(self._centred(X[:, 0] if self.copies else X))

    def _centred(self, X: np.ndarray) -> np.ndarray:
        if not self.centre_clips:
            return X
        return X - X.mean(axis=tuple(range(1, X.ndim)), keepdims=True)

    def _measure(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.standardise:
            return np.float32(0), np.float32(1)
        axes = (0, *range(2, X.ndim))
        mean, deviation = X.mean(axis=axes, keepdims=True), X.std(axis=axes, keepdims=True)
        # A band that never changes says nothing, and is not to be divided by zero.
        return mean, np.where(deviation > 0, deviation, 1).astype(np.float32)

    def _scaled(self, X: np.ndarray) -> np.ndarray:
        # Spectrograms that are taken as they are may be more than the memory holds: they stay on the disk.
        return (X - self.mean_) / self.deviation_ if self.standardise else X


class SharedTrunk(Network):
    """A network with a sigmoid for every class on one trunk, and their combination for a decision.

    Parameters are those of `Network`; the loss of `serlab.models.architectures.valence_three_heads`, its
    `model`, balances classes already.
    """

    def heads(self, X: np.ndarray) -> np.ndarray:
        """Return the probability that each head gives its class, alone: (clips, ...) to (clips, classes)."""
        return super().predict_proba(X)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Combine the heads (`serlab.models.binaries.normalised`): (clips, ...) to (clips, classes)."""
        return normalised(self.heads(X))


class _TrainingBatches(Batches, keras.utils.PyDataset):
    def __init__(self, *arguments: Any):
        keras.utils.PyDataset.__init__(self)
        Batches.__init__(self, *arguments)


class _Finite(keras.callbacks.Callback):
    """Stop where training has come apart, rather than record what is left."""

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["loss"]):
            raise EvaluationError(
                f"The loss is {logs['loss']} after epoch {epoch + 1}. Take a smaller learning rate."
            )

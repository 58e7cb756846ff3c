"""Augmentation on the fly: steps with random settings, applied one after another, anew in every epoch."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from serlab.errors import FeatureError


@dataclass(frozen=True)
class Uniform:
    """A setting that is drawn anew each time, all numbers from `low` to `high` being equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise FeatureError(f"{self} is empty: low must not exceed high.")


class Step:
    """One change, with settings, arguments of the function, that are fixed or drawn by `Uniform`.

    The function takes what is changed first, such as `pitch_shift` or `time_mask`, and random numbers as
    `rng` if it has such a parameter. `probability`, from 0 to 1, says how often it is applied; on a batch it
    is applied to all clips or to none.
    """

    def __init__(self, function: Callable, *, probability: float = 1.0, **settings: Any):
        if not 0 <= probability <= 1:
            raise FeatureError(f"A probability lies between 0 and 1, {probability} does not.")
        parameters = inspect.signature(function).parameters
        if unknown := sorted(settings.keys() - parameters.keys()):
            raise FeatureError(
                f"{function.__name__} has no setting {unknown[0]!r}; it has {', '.join(parameters)}."
            )
        self.function, self.probability, self.settings = function, probability, settings
        self._random = "rng" in parameters

    def __call__(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change `x`, or leave it as it is."""
        if rng.random() >= self.probability:
            return x
        settings = {
            name: rng.uniform(value.low, value.high) if isinstance(value, Uniform) else value
            for name, value in self.settings.items()
        }
        return self.function(x, **settings, **({"rng": rng} if self._random else {}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Step) and self.function is other.function and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        settings = {"probability": self.probability, **self.settings}
        listed = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"Step({self.function.__name__}, {listed})"


class Chain:
    """Steps applied one after another, with random numbers that depend on seed, epoch and index alone.

    Chains of equal steps and seed are equal.

    Examples
    --------
    >>> from serlab.augment import pitch_shift
    >>> chain = Chain(Step(pitch_shift, semitones=Uniform(-2, 2), sample_rate=16000), seed=3)
    >>> y = np.sin(np.arange(16000) * 0.1)
    >>> first, again, next_epoch = chain(y, 0, 7), chain(y, 0, 7), chain(y, 1, 7)
    >>> np.array_equal(first, again), np.array_equal(first, next_epoch)
    (True, False)
    """

    def __init__(self, *steps: Step, seed: int = 0):
        if wrong := [step for step in steps if not isinstance(step, Step)]:
            raise FeatureError(
                f"A chain is made of steps, and {wrong[0]!r} is none. Write Step(function, ...)."
            )
        self.steps, self.seed = steps, seed

    def __call__(self, x: np.ndarray, epoch: int, index: int) -> np.ndarray:
        """Apply all steps to a signal or a batch of spectrograms, whose number is `index`."""
        rng = _generator(self.seed, epoch, index)
        for step in self.steps:
            x = step(x, rng)
        return x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chain) and self.seed == other.seed and self.steps == other.steps

    def __hash__(self) -> int:
        return hash((self.steps, self.seed))

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.steps))}{', ' if self.steps else ''}seed={self.seed})"


class Batches:
    """Batches of training clips, shuffled and augmented anew in every epoch.

    It has what ``keras.utils.PyDataset`` asks for (`len`, items, `on_epoch_end`) without needing Keras, and
    yields NumPy arrays that every backend takes: of spectrograms `X`, (clips, bands, frames), which may stay
    on disk (see `serlab.store.features`), and of one-hot labels `Y`, (clips, classes). Rows outside `rows`,
    such as ``fold.train``, are never touched; validation and test clips are given to a model as they are, not
    through this. `augment` changes each batch, and `seed` decides the order of the clips.

    Examples
    --------
    >>> X, Y = np.ones((10, 4, 20), dtype="float32"), np.eye(2)[[0, 1] * 5]
    >>> [x.shape for x, y in Batches(X, Y, [0, 1, 2, 3, 4], batch_size=2)]
    [(2, 4, 20), (2, 4, 20), (1, 4, 20)]
    """

    def __init__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        rows: Iterable[int] | None = None,
        batch_size: int = 32,
        augment: Chain | None = None,
        seed: int = 0,
    ):
        if len(X) != len(Y):
            raise FeatureError(f"{len(X)} spectrograms do not go with {len(Y)} labels.")
        if batch_size < 1:
            raise FeatureError(f"A batch holds at least one clip, not {batch_size}.")
        self.X, self.Y = X, Y
        self.rows = np.arange(len(X)) if rows is None else np.asarray(rows)
        self.batch_size, self.augment, self.seed = batch_size, augment, seed
        self.epoch = 0
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Give one batch of the present epoch: the same one whenever it is asked for."""
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} batches, none has number {number}")
        chosen = self._order[number * self.batch_size : (number + 1) * self.batch_size]
        X = np.asarray(self.X[chosen])
        if self.augment is not None:
            X = self.augment(X, self.epoch, number)
        return X, self.Y[chosen]

    def on_epoch_end(self) -> None:
        """Go on to the next epoch: another order, other changes. Keras calls this by itself."""
        self.epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        self._order = _generator(self.seed, self.epoch).permutation(self.rows)


def _generator(seed: int, *place: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))

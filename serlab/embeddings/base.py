"""What embeddings have in common: frames from a network, and statistics of them over time."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import librosa
import numpy as np

from serlab import audio
from serlab.embeddings.checkpoint import read_state_dict
from serlab.embeddings.weights import Weights
from serlab.errors import FeatureError
from serlab.features.base import Extractor

if TYPE_CHECKING:
    import keras

# Each takes frames of shape (channels, time) and gives one number per channel.
STATISTICS = {
    "mean": lambda frames: frames.mean(axis=1),
    "max": lambda frames: frames.max(axis=1),
    "min": lambda frames: frames.min(axis=1),
    "std": lambda frames: frames.std(axis=1),
    "mean+max": lambda frames: frames.mean(axis=1) + frames.max(axis=1),
}
_networks: dict[tuple[str, Path | None], keras.Model] = {}
_loading = threading.Lock()


@functools.cache
def mel_basis(**parameters) -> np.ndarray:
    """Return what `librosa.filters.mel` makes of the same parameters, computed once."""
    return librosa.filters.mel(**parameters)


@dataclass(frozen=True, kw_only=True)
class Embedding(Extractor):
    """Frames that a network trained elsewhere makes of a clip, or statistics of them over time."""

    libraries: ClassVar[tuple[str, ...]] = ("keras", "librosa", "soxr")
    releases_gil: ClassVar[bool] = True
    units: ClassVar[dict[str, str]] = {
        "statistics": "mean, max, min, std or mean+max over time, laid end to end; None keeps the frames",
        "trained": "False for random weights: a control that needs no download",
    }
    channels: ClassVar[int] = 512
    shortest: ClassVar[int] = 1

    statistics: tuple[str, ...] | None = ("mean",)
    trained: bool = True

    def __post_init__(self) -> None:
        rate = type(self).sample_rate
        if self.sample_rate != rate:
            raise FeatureError(f"{type(self).__name__} takes sound at {rate} Hz only")
        unknown = [name for name in self.statistics or () if name not in STATISTICS]
        if unknown or self.statistics == ():
            raise FeatureError(
                f"statistics are some of {', '.join(STATISTICS)}, or None, not {self.statistics}"
            )

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(512 for each statistic,), or (512, time) for frames."""
        return (self.channels, None) if self.statistics is None else (self.channels * len(self.statistics),)

    @property
    def architecture(self) -> str:
        """What `build` makes, in a word; extractors for which it is the same share a network."""
        return self.name

    @property
    def weights(self) -> Weights:
        """Where the network's weights come from."""
        raise NotImplementedError

    def build(self) -> keras.Model:
        """Make the network, untrained; layers that have weights are named as PyTorch names them.

        Hyphens stand for dots, which PyTorch takes for no part of a name.
        """
        raise NotImplementedError

    def load_weights(self, network: keras.Model, path: Path) -> None:
        """Give a network that `build` made the weights of a file; FeatureError if it holds others."""
        from safetensors.numpy import load_file

        state = load_file(path) if path.suffix == ".safetensors" else read_state_dict(path)
        try:
            for layer in network.layers:
                if layer.weights:
                    layer.set_weights(self.parameters(state, layer.name.replace("-", ".")))
        except (KeyError, ValueError) as error:
            raise FeatureError(f"{path} does not hold weights of {network.name}: {error}") from error

    def parameters(self, state: dict[str, np.ndarray], place: str) -> list[np.ndarray]:
        """Return one layer's parameters in the order, and with their axes in the order, that Keras has."""
        weight = state[f"{place}.weight"]
        if weight.ndim > 1:
            weight = np.moveaxis(weight, (0, 1), (-1, -2))
        names = [f"{place}.{name}" for name in ("bias", "running_mean", "running_var")]
        return [weight, *(state[name] for name in names if name in state)]

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into frames: (samples,) to (512, time)."""
        raise NotImplementedError

    @property
    def network(self) -> keras.Model:
        """The network, loaded once and shared by all extractors with the same weights."""
        with _loading:
            path = self._locate_weights()
            key = (self.architecture, path)
            if key not in _networks:
                network = self.build()
                if path is None:
                    _randomise(network)
                else:
                    self.load_weights(network, path)
                _networks[key] = network
            return _networks[key]

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change with the parameters, the code and the libraries."""
        # What is missing is named before any clip is read, rather than once for each clip.
        self._locate_weights()
        return super().key

    def _locate_weights(self) -> Path | None:
        if find_spec("keras") is None:
            raise FeatureError('Embeddings need Keras and a backend for it: pip install "serlab[cpu]"')
        return self.weights.locate() if self.trained else None

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into its embedding: (samples,) to `shape`."""
        y = audio.signal(y, self.name)
        if len(y) < self.shortest:
            least = f"{self.shortest} samples ({1000 * self.shortest / self.sample_rate:g} ms)"
            raise FeatureError(f"{self.name} needs {least} or more, not {len(y)}")
        frames = self.frames(y)
        if self.statistics is None:
            return frames
        return np.concatenate([STATISTICS[name](frames) for name in self.statistics])

    def __str__(self) -> str:
        return f"{super().__str__()}\n  {self.weights if self.trained else 'weights: random'}"


def _randomise(network: keras.Model) -> None:
    """Give the layers that multiply random weights, the same on every backend (He et al. 2015, ICCV)."""
    rng = np.random.default_rng(0)
    for layer in network.layers:
        # Attention has four of them.
        for kernel in layer.trainable_weights:
            shape = tuple(kernel.shape)
            if len(shape) > 1:
                kernel.assign(rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape).astype(np.float32))

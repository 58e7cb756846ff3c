"""Whisper's encoder: a transformer that learned to hear words, and hears much else on the way.

KerasHub has this network as well. It takes 30 seconds at a time, of which a clip fills a tenth, gives its
last block alone, and brings TensorFlow Text. So it is built here from layers of Keras.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import librosa
import numpy as np

from serlab.embeddings.base import Embedding, mel_basis
from serlab.embeddings.weights import Weights
from serlab.errors import FeatureError

N_FFT, HOP_LENGTH, N_MELS = 400, 160, 80
# The second convolution halves the frames.
STRIDE = 2
# Whisper knows places up to this: 30 seconds.
MOST_FRAMES = 1500
_PLACE = "https://openaipublic.azureedge.net/main/whisper/models"
_LICENCE = "MIT licence, from OpenAI"


class Size(NamedTuple):
    """How large an encoder is, and the official file that holds it, the decoder with it."""

    blocks: int
    heads: int
    channels: int
    sha256: str


SIZES = {
    "tiny.en": Size(4, 6, 384, "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03"),
    "base.en": Size(6, 8, 512, "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead"),
    "small.en": Size(12, 12, 768, "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872"),
}
# Parts of tiny.en as float16, without the decoder: three blocks, which come with serlab, and all four.
_OFFICIAL = f"{_PLACE}/{SIZES['tiny.en'].sha256}/tiny.en.pt"
THREE_BLOCKS = Weights(
    title="Whisper tiny.en, first three blocks of the encoder",
    filename="whisper_tiny_en_3_blocks.safetensors",
    url=_OFFICIAL,
    licence=_LICENCE,
    sha256="e9df43b3d8decf4bcb01a5a7b406a181a8e0752d9a219af72d1712f0a540d44f",
)
ENCODER = Weights(
    title="Whisper tiny.en, encoder",
    filename="whisper_tiny_en_encoder.safetensors",
    url=_OFFICIAL,
    licence=_LICENCE,
    sha256="6eacd10265e12c1349c914ff5ba89a2a12d8f676c2c80a99392c0378de56a041",
)


def log_mel(y: np.ndarray) -> np.ndarray:
    """Compute the log-mel spectrogram that Whisper takes: (samples,) at 16 kHz to (80, samples // 160).

    Logarithm to base 10 of power in 80 bands, at most 8 below its maximum, then (x + 4) / 4: about -1 to 1.
    """
    power = np.abs(librosa.stft(y, n_fft=N_FFT, hop_length=HOP_LENGTH, pad_mode="reflect"))[:, :-1] ** 2
    level = np.log10(np.maximum(mel_basis(sr=16000, n_fft=N_FFT, n_mels=N_MELS) @ power, 1e-10))
    return (np.maximum(level, level.max() - 8) + 4) / 4


@dataclass(frozen=True, kw_only=True)
class Whisper(Embedding):
    """What blocks of Whisper's encoder, a transformer trained to write down speech, make of a clip: 50 frames
    per second.

    Needs Keras, ``pip install "serlab[cpu]"``. Three blocks of "tiny.en" come with serlab; others are fetched
    when used. Sizes have 384, 512 or 768 channels, 4, 6 or 12 blocks, files of 72, 139 or 461 MB.

    References
    ----------
    Radford et al. 2023, Robust speech recognition via large-scale weak supervision, ICML, 28492-28518.

    Examples
    --------
    >>> Whisper().shape
    (2304,)
    >>> Whisper(blocks=(2,), statistics=None).shape
    (384, None)
    """

    name: ClassVar[str] = "whisper"
    libraries: ClassVar[tuple[str, ...]] = (*Embedding.libraries, "safetensors")
    units: ClassVar[dict[str, str]] = Embedding.units | {
        "size": "tiny.en, base.en or small.en",
        "blocks": "whose output is kept, laid end to end, from 1; 0 is what enters the first",
        "normalised": "whether the last block's output is normalised, as the decoder gets it",
    }
    shortest: ClassVar[int] = STRIDE * HOP_LENGTH

    statistics: tuple[str, ...] | None = ("mean", "std")
    size: str = "tiny.en"
    blocks: tuple[int, ...] = (1, 2, 3)
    normalised: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size not in SIZES:
            raise FeatureError(f"size is one of {', '.join(SIZES)}, not {self.size!r}")
        known = range(SIZES[self.size].blocks + 1)
        if not self.blocks or any(block not in known for block in self.blocks):
            raise FeatureError(f"blocks of {self.size} are some of {list(known)}, not {self.blocks}")

    @property
    def channels(self) -> int:
        """Numbers per frame, those of every block that is kept."""
        return SIZES[self.size].channels * len(self.blocks)

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / (HOP_LENGTH * STRIDE)

    @property
    def depth(self) -> int:
        """How many blocks are needed."""
        return max(self.blocks)

    @property
    def architecture(self) -> str:
        """Size and number of blocks."""
        return f"{self.name}-{self.size}-{self.depth}"

    @property
    def weights(self) -> Weights:
        """Those that come with serlab, or the encoder alone where it is at hand, or the official file."""
        if self.size == "tiny.en":
            if self.depth <= 3:
                return THREE_BLOCKS
            if ENCODER.find() is not None:
                return ENCODER
        sha256 = SIZES[self.size].sha256
        name = f"{self.size}.pt"
        return Weights(f"Whisper {self.size}", name, f"{_PLACE}/{sha256}/{name}", _LICENCE, sha256)

    def build(self):
        """Make the encoder up to the deepest block: log-mel spectrograms (clips, time, 80) to its outputs.

        Outputs are those of blocks 0, 1, ... of shape (clips, time // 2, channels); after the last block of
        all comes the same, normalised. Blocks normalise before attention and before the two dense layers.
        """
        from serlab.backend import keras

        layers, size = keras.layers, SIZES[self.size]
        inputs = keras.Input((None, N_MELS))
        x = layers.ZeroPadding1D(1)(inputs)
        x = layers.Conv1D(size.channels, 3, activation="gelu", name="conv1")(x)
        x = layers.ZeroPadding1D(1)(x)
        x = layers.Conv1D(size.channels, 3, strides=STRIDE, activation="gelu", name="conv2")(x)
        places = layers.Embedding(
            MOST_FRAMES, size.channels, _sinusoids, trainable=False, name="positional_embedding"
        )
        number_of_frame = keras.ops.cumsum(keras.ops.ones_like(x[:, :, 0]), axis=1) - 1
        x = layers.Add()([x, places(number_of_frame)])
        outputs = [x]
        for number in range(self.depth):
            place = f"blocks-{number}"
            heard = layers.LayerNormalization(epsilon=1e-5, name=f"{place}-attn_ln")(x)
            attention = layers.MultiHeadAttention(
                size.heads, size.channels // size.heads, name=f"{place}-attn"
            )
            x = layers.Add()([x, attention(heard, heard)])
            inner = layers.LayerNormalization(epsilon=1e-5, name=f"{place}-mlp_ln")(x)
            inner = layers.Dense(4 * size.channels, activation="gelu", name=f"{place}-mlp-0")(inner)
            x = layers.Add()([x, layers.Dense(size.channels, name=f"{place}-mlp-2")(inner)])
            outputs.append(x)
        if self.depth == size.blocks:
            outputs.append(layers.LayerNormalization(epsilon=1e-5, name="ln_post")(x))
        return keras.Model(inputs, outputs, name="whisper_encoder")

    def parameters(self, state: dict[str, np.ndarray], place: str) -> list[np.ndarray]:
        place = f"encoder.{place}"
        if place in state:  # the places, rounded as they were in training
            return [state[place]]
        if not place.endswith(".attn"):
            return super().parameters(state, place)
        channels, heads = len(state[f"{place}.out.bias"]), SIZES[self.size].heads
        apart = (channels, heads, channels // heads)
        found = []
        for part in ("query", "key", "value"):
            weight = state[f"{place}.{part}.weight"]
            bias = state.get(f"{place}.{part}.bias", np.zeros(channels))  # keys have none
            found += [weight.T.reshape(apart), bias.reshape(apart[1:])]
        out = state[f"{place}.out.weight"].T.reshape(*apart[1:], channels)
        return [*found, out, state[f"{place}.out.bias"]]

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into frames: (samples,) to (channels, time); parts of 30 s are heard one by one."""
        from serlab.backend import keras

        mel, hear, found = log_mel(y), _graph(self.network), []
        normalised = SIZES[self.size].blocks if self.normalised else None
        for start in range(0, mel.shape[1], STRIDE * MOST_FRAMES):
            part = mel[:, start : start + STRIDE * MOST_FRAMES]
            outputs = keras.tree.flatten(hear(part.T[None]))
            kept = [outputs[-1 if block == normalised else block] for block in self.blocks]
            found.append(np.concatenate([keras.ops.convert_to_numpy(one)[0].T for one in kept]))
        return np.concatenate(found, axis=1)


@functools.cache
def _graph(network) -> Callable:
    """Give a network as a function: of TensorFlow a graph, made once for clips of all lengths."""
    from serlab.backend import keras

    hear = functools.partial(network, training=False)
    if keras.backend.backend() != "tensorflow":
        return hear
    import tensorflow

    mel = tensorflow.TensorSpec((1, None, N_MELS), tensorflow.float32)
    return tensorflow.function(hear, input_signature=[mel])


def _sinusoids(shape: tuple[int, int], dtype: str = "float32") -> np.ndarray:
    """Compute sines, then cosines, of wavelengths from 2 pi to 20,000 pi frames: (frames, channels)."""
    # Vaswani et al. 2017, Attention is all you need, section 3.5.
    frames, half = shape[0], shape[1] // 2
    angle = np.arange(frames)[:, None] * np.exp(-np.log(10000) / (half - 1) * np.arange(half))
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(dtype)

"""OpenL3, an extractor that chapter 9 tries: it learned from videos which sound belongs to which picture."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import librosa
import numpy as np

from serlab.backend import keras
from serlab.embeddings.base import Embedding, mel_basis
from serlab.embeddings.weights import Weights
from serlab.errors import FeatureError

SAMPLE_RATE = 48000
N_FFT, HOP_LENGTH, N_MELS = 2048, 242, 256
# One second of sound.
FRAMES = -(-SAMPLE_RATE // HOP_LENGTH)
DYNAMIC_RANGE_DB = 80.0

WEIGHTS = {
    content: Weights(
        title=f"OpenL3 (mel256, {videos} videos)",
        filename=f"openl3_audio_mel256_{content}.h5",
        url=f"https://github.com/marl/openl3/raw/models/openl3_audio_mel256_{content}-v0_4_0.h5.gz",
        licence="CC BY 4.0, by Cramer, Wu, Salamon and Bello",
    )
    for content, videos in {"env": "environmental", "music": "music"}.items()
}
# The authors publish no checksums. Those of "music" are as another project recorded them; for "env" none was
# found, so that the shape of every layer is all there is to go by.
WEIGHTS["music"] = replace(
    WEIGHTS["music"],
    sha256="624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6",
    download_sha256="e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd",
)


def mel_db(windows: np.ndarray) -> np.ndarray:
    """Compute the mel spectrograms that OpenL3 takes: (windows, 48000) to (windows, 256, 199).

    As version 0.4 of OpenL3 does it: ten times the logarithm of magnitude, though decibels would take
    twenty, 0 at the loudest value of a window and at least -80. Frames begin at their time, zeros follow.
    """
    padded = np.pad(windows, ((0, 0), (0, (FRAMES - 1) * HOP_LENGTH + N_FFT - SAMPLE_RATE)))
    magnitude = np.abs(librosa.stft(padded, n_fft=N_FFT, hop_length=HOP_LENGTH, center=False))
    mel = mel_basis(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS) @ magnitude
    db = 10 * np.log10(np.maximum(mel, 1e-10))
    return np.maximum(db - db.max(axis=(1, 2), keepdims=True), -DYNAMIC_RANGE_DB)


@dataclass(frozen=True, kw_only=True)
class OpenL3(Embedding):
    """What OpenL3, which learned which sound belongs to which picture, makes of a clip: 512 channels.

    Needs Keras, ``pip install "serlab[cpu]"``, and weights of 19 MB, which are fetched when first used.

    The first window of a second is centred on the beginning of the clip; a hop of 0.1 s, OpenL3's own, takes
    five times as long.

    References
    ----------
    Cramer et al. 2019, Look, listen, and learn more: design choices for deep audio embeddings, ICASSP,
    3852-3856.

    Examples
    --------
    >>> OpenL3().shape, OpenL3(content="music", statistics=("mean", "std")).shape
    ((512,), (1024,))
    """

    name: ClassVar[str] = "openl3"
    units: ClassVar[dict[str, str]] = Embedding.units | {
        "content": "videos it was trained on: env (environmental sounds) or music",
        "hop_seconds": "s from one window of a second to the next",
    }

    sample_rate: int = SAMPLE_RATE
    content: str = "env"
    hop_seconds: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.content not in WEIGHTS:
            raise FeatureError(f"content must be 'env' or 'music', not {self.content!r}")
        if not 0.01 <= self.hop_seconds <= 1:
            raise FeatureError(f"hop_seconds must lie between 0.01 and 1, not {self.hop_seconds}")

    @property
    def frame_rate(self) -> float:
        """Windows per second."""
        return 1 / self.hop_seconds

    @property
    def weights(self) -> Weights:
        """Where the network's weights come from."""
        return WEIGHTS[self.content]

    def build(self) -> keras.Model:
        """Make the audio network of OpenL3 for 256 mel bands, layers in the order of the official weights.

        It takes `mel_db` spectrograms of shape (windows, 256, 199, 1), gives (windows, 512).
        """
        layers = keras.layers
        network = keras.Sequential([keras.Input((N_MELS, FRAMES, 1))], name="openl3_mel256")
        network.add(layers.BatchNormalization(name="batch_normalization_1"))
        for number, filters in enumerate((64, 64, 128, 128, 256, 256, 512), 1):
            network.add(layers.Conv2D(filters, 3, padding="same", name=f"conv2d_{number}"))
            network.add(layers.BatchNormalization(name=f"batch_normalization_{number + 1}"))
            network.add(layers.ReLU())
            if number in (2, 4, 6):
                network.add(layers.MaxPooling2D(2))
        network.add(layers.Conv2D(512, 3, padding="same", name="audio_embedding_layer"))
        network.add(layers.GlobalMaxPooling2D())
        return network

    def load_weights(self, network: keras.Model, path: Path) -> None:
        """Give a network that `build` made the weights of a file of OpenL3 0.4 (HDF5)."""
        try:
            network.load_weights(path)
        except (ValueError, KeyError, OSError) as error:
            raise FeatureError(
                f"{path} does not hold the weights of OpenL3's mel256 network, version 0.4 ({error}). Delete "
                f"it, and it is fetched again from {self.weights.url}"
            ) from error
        if not all(np.isfinite(values).all() for values in network.get_weights()):
            raise FeatureError(f"{path} holds weights that are no numbers. Delete it; it is fetched again")

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into frames: (samples,) to (512, windows)."""
        # One window takes some 150 MB in the first layers: more at a time would not be quicker.
        windows = self.windows(y)[:, None]
        parts = [self.network(mel_db(window)[..., None], training=False) for window in windows]
        return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts]).T

    def windows(self, y: np.ndarray) -> np.ndarray:
        """Cut a signal into overlapping windows of one second: (samples,) to (windows, 48000)."""
        hop = round(self.hop_seconds * SAMPLE_RATE)
        length = SAMPLE_RATE // 2 + len(y)
        count = 1 + max(0, -(-(length - SAMPLE_RATE) // hop))
        padded = np.pad(y, (SAMPLE_RATE // 2, (count - 1) * hop + SAMPLE_RATE - length))
        return np.lib.stride_tricks.sliding_window_view(padded, SAMPLE_RATE)[::hop]

"""BYOL-S: a small network that learned, from speech without labels, what two versions of a sound share."""

from dataclasses import dataclass
from typing import ClassVar

import librosa
import numpy as np

from serlab.embeddings.base import Embedding, mel_basis
from serlab.embeddings.weights import Weights

N_FFT, HOP_LENGTH = 1024, 160
N_MELS, FMIN, FMAX = 64, 60.0, 7800.0
# Three times the network halves time and frequency.
POOLING = 8

WEIGHTS = Weights(
    title="BYOL-S (AudioNTT2020, d = 512)",
    filename="byol_s_audiontt2020_d512.pth",
    url="https://github.com/Neclow/SERAB/raw/cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2/SERAB/checkpoints/"
    "default512_BYOLAs64x96-2107281850-e100-bs256-lr0003-rs42.pth",
    sha256="449f5d0dc6b6fa8433d5e43769097520d3bc0fdae88977a7ac29e2e72ca51b52",
    licence="MIT licence, from the repository of SERAB",
)


def log_mel(y: np.ndarray) -> np.ndarray:
    """Compute the log-mel spectrogram that BYOL-S takes, not yet standardised: (samples,) to (64, time).

    Natural logarithm of magnitude, 64 bands from 60 to 7800 Hz (HTK mel scale), 100 frames per second.
    """
    magnitude = np.abs(librosa.stft(y, n_fft=N_FFT, hop_length=HOP_LENGTH, pad_mode="reflect"))
    basis = mel_basis(sr=16000, n_fft=N_FFT, n_mels=N_MELS, fmin=FMIN, fmax=FMAX, htk=True, norm=None)
    return np.log(basis @ magnitude + np.finfo(np.float32).eps)


@dataclass(frozen=True, kw_only=True)
class ByolS(Embedding):
    """What BYOL-S, a network trained on speech without labels, makes of a clip: 512 channels, 12.5 frames
    per second.

    Needs Keras, ``pip install "serlab[cpu]"``, and weights of 2.4 MB, which are fetched when first used. The
    authors' embedding is "mean+max" alone, and they standardise by mean and deviation of the corpus at hand;
    with constants, a clip's embedding depends on nothing but the clip.

    References
    ----------
    Scheidwasser-Clow et al. 2022, SERAB: a multi-lingual benchmark for speech emotion recognition,
    ICASSP, 7697-7701.

    Niizumi et al. 2021, BYOL for audio: self-supervised learning for general-purpose audio representation,
    IJCNN.

    Examples
    --------
    >>> ByolS().shape
    (2048,)
    >>> print(ByolS(statistics=None))
    ByolS: What BYOL-S, a network trained on speech without labels, makes of a clip: 512 channels, ...
      gives float32 of shape (512, time)
      weights: BYOL-S (AudioNTT2020, d = 512), MIT licence, from the repository of SERAB
    """

    name: ClassVar[str] = "byol-s"
    units: ClassVar[dict[str, str]] = Embedding.units | {
        "mean": "taken from the log-mel spectrogram",
        "deviation": "that what is left is divided by",
    }
    weights: ClassVar[Weights] = WEIGHTS
    shortest: ClassVar[int] = (POOLING - 1) * HOP_LENGTH

    statistics: tuple[str, ...] | None = ("mean+max", "mean", "max", "std")
    mean: float = -5.0
    deviation: float = 2.5

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self.sample_rate / (HOP_LENGTH * POOLING)

    def build(self):
        """Make AudioNTT2020, the network of BYOL-A, up to its last step, mean plus maximum over time.

        It takes standardised log-mel spectrograms (clips, 64, time, 1), gives (clips, time // 8, 512).
        """
        from serlab.backend import keras

        layers = keras.layers
        network = keras.Sequential([keras.Input((N_MELS, None, 1))], name="AudioNTT2020")
        for place in (0, 4, 8):
            network.add(layers.Conv2D(64, 3, padding="same", name=f"features-{place}"))
            network.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"features-{place + 1}"))
            network.add(layers.ReLU())
            network.add(layers.MaxPooling2D(2))
        network.add(layers.Permute((2, 1, 3)))
        network.add(layers.Reshape((-1, 64 * (N_MELS // POOLING))))
        network.add(layers.Dense(512, activation="relu", name="fc-0"))
        network.add(layers.Dropout(0.3))
        network.add(layers.Dense(512, activation="relu", name="fc-3"))
        return network

    def frames(self, y: np.ndarray) -> np.ndarray:
        """Turn one signal into frames: (samples,) to (512, time)."""
        from serlab.backend import keras

        x = (log_mel(y) - self.mean) / self.deviation
        return keras.ops.convert_to_numpy(self.network(x[None, :, :, None], training=False))[0].T

"""The 193 averages of Issa, Demirci & Yazici: spectra and what is measured on them, averaged over time."""

from dataclasses import dataclass
from typing import ClassVar

from serlab.features.base import FrameFeature
from serlab.features.descriptors import Chroma, SpectralContrast, Tonnetz
from serlab.features.spectral import Mel, Mfcc
from serlab.features.summary import Summary

FRAME = {"n_fft": 2048, "hop_length": 512}
_OTHERS = (SpectralContrast(n_bands=6, **FRAME), Tonnetz(**FRAME))
USUAL = (
    Mfcc(n_mfcc=40, n_mels=128, deltas=0, **FRAME),
    Mel(n_mels=128, scale="power", **FRAME),
    Chroma(**FRAME),
    *_OTHERS,
)
GUESSED = (
    Mfcc(n_mfcc=60, n_mels=128, deltas=0, **FRAME),
    Mel(n_mels=60, scale="power", **FRAME),
    Chroma(n_chroma=60, **FRAME),
    *_OTHERS,
)


@dataclass(frozen=True, kw_only=True)
class Averages(Summary):
    """The mean over time of MFCC, mel bands, chroma, spectral contrast and tonnetz: 193 numbers a clip.

    The paper names the five kinds of features and their number in all, but not how many there are of each.
    Contrast has 7 and tonnetz has 6. Two readings make up the rest: 40 MFCC, 128 mel bands and 12 pitch
    classes, which is what libraries give by default (`USUAL`), or 60 of each (`GUESSED`).

    All frames count, pauses too. Tonnetz is computed from the whole chroma, not of the harmonic part.

    References
    ----------
    Issa, Demirci & Yazici 2020, Speech emotion recognition with deep convolutional neural networks,
    Biomedical Signal Processing and Control 59, 101894.

    Examples
    --------
    >>> Averages().shape, Averages(features=GUESSED).shape
    ((193,), (193,))
    >>> Averages().feature_names[0], Averages(features=GUESSED).feature_names[120]
    ('mfcc0_mean', 'chroma1_mean')
    """

    name: ClassVar[str] = "averages"

    features: tuple[FrameFeature, ...] = USUAL
    statistics: tuple[str, ...] = ("mean",)
    gate_db: float | None = None
    timing: bool = False

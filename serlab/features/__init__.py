"""Feature extractors: frozen dataclasses that turn a signal into an array and print their documentation."""

from serlab.features.averages import Averages
from serlab.features.base import Extractor, FrameFeature
from serlab.features.contours import Contours
from serlab.features.egemaps import Egemaps
from serlab.features.midterm import MidTerm
from serlab.features.normaliser import SpeakerNormaliser
from serlab.features.picture import Picture
from serlab.features.pitch import F0
from serlab.features.recording import Recording
from serlab.features.shape import (
    Chroma,
    Rms,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralRolloff,
    Tonnetz,
    ZeroCrossingRate,
)
from serlab.features.spectral import Mel, Mfcc, OriginalMel
from serlab.features.summary import Summary
from serlab.features.treated import Treated

__all__ = [
    "F0",
    "Averages",
    "Chroma",
    "Contours",
    "Egemaps",
    "Extractor",
    "FrameFeature",
    "Mel",
    "Mfcc",
    "MidTerm",
    "OriginalMel",
    "Picture",
    "Recording",
    "Rms",
    "SpeakerNormaliser",
    "SpectralBandwidth",
    "SpectralCentroid",
    "SpectralContrast",
    "SpectralRolloff",
    "Summary",
    "Tonnetz",
    "Treated",
    "ZeroCrossingRate",
]

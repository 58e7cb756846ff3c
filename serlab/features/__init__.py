"""Feature extractors: frozen dataclasses that turn a signal into an array and print their documentation."""

from serlab.checks import align
from serlab.features.averages import Averages
from serlab.features.base import Extractor, FrameFeature
from serlab.features.descriptors import (
    Chroma,
    Contours,
    Rms,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralRolloff,
    Tonnetz,
    ZeroCrossingRate,
)
from serlab.features.egemaps import Egemaps
from serlab.features.export import export
from serlab.features.midterm import MidTerm
from serlab.features.normaliser import SpeakerNormaliser
from serlab.features.pitch import F0
from serlab.features.recording import Recording, Treated
from serlab.features.spectral import Mel, Mfcc, OriginalMel, Spectrogram
from serlab.features.summary import Summary

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
    "Recording",
    "Rms",
    "SpeakerNormaliser",
    "SpectralBandwidth",
    "SpectralCentroid",
    "SpectralContrast",
    "SpectralRolloff",
    "Spectrogram",
    "Summary",
    "Tonnetz",
    "Treated",
    "ZeroCrossingRate",
    "align",
    "export",
]

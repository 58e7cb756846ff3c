"""Feature extractors: frozen dataclasses that turn a signal into an array and print their own documentation."""

from serlab.features.base import Extractor, FrameFeature
from serlab.features.spectral import Mel, Mfcc, OriginalMel

__all__ = ["Extractor", "FrameFeature", "Mel", "Mfcc", "OriginalMel"]

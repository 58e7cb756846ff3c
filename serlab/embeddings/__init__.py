"""Embeddings: what networks trained elsewhere, on much more sound, make of a clip.

Each is an extractor like those of `serlab.features`. The networks need Keras, ``pip install "serlab[cpu]"``;
their weights are found or fetched when first needed, see `serlab.embeddings.weights`.
"""

from serlab.embeddings.base import STATISTICS, Embedding
from serlab.embeddings.byol import ByolS
from serlab.embeddings.checkpoint import read_state_dict
from serlab.embeddings.weights import Weights
from serlab.embeddings.whisper import Whisper

__all__ = ["STATISTICS", "ByolS", "Embedding", "Weights", "Whisper", "read_state_dict"]

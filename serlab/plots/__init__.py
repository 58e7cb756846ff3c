"""Figures of the book: each function draws on the ``ax`` it is given, or on a new figure's, and returns it.

seaborn, librosa and matplotlib draw; this package fixes what the figures of the book share: one colour per
emotion, units on every axis, a white page with a margin (legible on light and dark pages alike).
"""

from serlab.plots.corpus import by_emotion, durations
from serlab.plots.models import (
    bands,
    confusion_matrix,
    learning_curves,
    reliability,
    results,
    risk_curves,
    timeline,
)
from serlab.plots.sound import emotion_grid, spectrogram, spectrogram_db, spectrum, waveform
from serlab.plots.style import (
    EMOTION_COLOURS,
    emotion_palette,
    error_bars,
    name_rows,
    new_axes,
    panels,
    set_style,
)

__all__ = [
    "EMOTION_COLOURS",
    "bands",
    "by_emotion",
    "confusion_matrix",
    "durations",
    "emotion_grid",
    "emotion_palette",
    "error_bars",
    "learning_curves",
    "name_rows",
    "new_axes",
    "panels",
    "reliability",
    "results",
    "risk_curves",
    "set_style",
    "spectrogram",
    "spectrogram_db",
    "spectrum",
    "timeline",
    "waveform",
]

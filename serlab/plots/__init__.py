"""Figures of the book: each function draws on the ``ax`` it is given, or on a new one, and returns it.

seaborn, librosa and matplotlib draw; this package fixes what the figures of the book share: one colour per
emotion, units on every axis, a white page with a margin (legible on light and dark pages alike).
"""

from inspect import isfunction

from serlab.plots import corpus, models, sound, style
from serlab.plots.style import EMOTION_COLOURS

# Every function of these modules is one of the package, so that a new one needs no line here.
_FUNCTIONS = {
    name: thing
    for module in (style, sound, corpus, models)
    for name, thing in vars(module).items()
    if isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
}
globals().update(_FUNCTIONS)
__all__ = ["EMOTION_COLOURS", *_FUNCTIONS]

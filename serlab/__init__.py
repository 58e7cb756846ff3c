"""serlab: the package under a book that teaches speech emotion recognition.

Names are imported when first used, so that ``import serlab`` takes no noticeable time.
"""

import importlib
from importlib.metadata import version

__version__ = version("serlab")

_FUNCTIONS = {
    "load": "corpora",
    "default_corpus": "corpora",
    "fetch": "corpora",
    "validate": "corpora",
    "listen": "players",
    "predict": "prediction",
    "quiz": "quizzes",
}
_MODULES = (
    "audio",
    "augment",
    "corpora",
    "embeddings",
    "errors",
    "evaluation",
    "features",
    "lessons",
    "models",
    "paths",
    "players",
    "plots",
    "quizzes",
    "runs",
    "splits",
    "store",
    "training",
    "voting",
)
__all__ = [*_FUNCTIONS, *_MODULES]


def __getattr__(name: str):
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"serlab.{_FUNCTIONS[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"serlab.{name}")
    raise AttributeError(f"module 'serlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""The models of the book: what each is, and how it is built.

Each model is a `ModelSpec`; `serlab.runs` trains it under a protocol and records what it predicts. A trained
model of any kind is kept in a file by `save`; `serlab.predict` puts recordings through it.
"""

from __future__ import annotations

import difflib

from serlab.errors import RunError
from serlab.models.files import TrainedModel, load, save
from serlab.models.shares import Shares
from serlab.models.spec import ModelSpec

__all__ = ["ModelSpec", "Shares", "TrainedModel", "get", "load", "names", "save", "specs"]


def specs() -> tuple[ModelSpec, ...]:
    """Return all models in the order of the book."""
    from serlab.models.zoo import SPECS

    return SPECS


def names() -> list[str]:
    """Return the names of all models in the order of the book."""
    return [spec.name for spec in specs()]


def get(name: str) -> ModelSpec:
    """Return a model by its name; a `RunError` names those that are most like it.

    Examples
    --------
    >>> get("tree-original").seeds
    (0, 1, 2)
    """
    found = {spec.name: spec for spec in specs()}
    if name not in found:
        similar = ", ".join(map(repr, difflib.get_close_matches(str(name), found, 3, cutoff=0.5)))
        meant = f" Did you mean {similar}?" if similar else ""
        raise RunError(f"there is no model {name!r}.{meant} serlab.models.names() lists all {len(found)}")
    return found[name]

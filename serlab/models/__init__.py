"""The models of the book: what each is, and how it is built.

Each model is a `ModelSpec`; `serlab.runs` trains it under a protocol and records what it predicts. A trained
model of any kind is kept in a file by `save`; `serlab.predict` puts recordings through it.
"""

import difflib
import re
import warnings
from importlib.metadata import entry_points

from serlab.errors import RunError
from serlab.models.files import TrainedModel, load, save
from serlab.models.shares import Shares
from serlab.models.spec import ModelSpec

__all__ = ["ModelSpec", "Shares", "TrainedModel", "get", "load", "names", "plugged", "save", "specs"]


def specs() -> tuple[ModelSpec, ...]:
    """Return all models in the order of the book."""
    from serlab.models.zoo import SPECS

    return SPECS


def names() -> list[str]:
    """Return the names of all models in the order of the book."""
    return [spec.name for spec in specs()]


def plugged() -> tuple[ModelSpec, ...]:
    """Return the models that other installed packages add; a warning names those that cannot be used."""
    found: dict[str, ModelSpec] = {}
    taken = set(names())
    for entry in entry_points(group="serlab.models"):
        try:
            spec = entry.load()
            if not (isinstance(spec, ModelSpec) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", spec.name)):
                raise ValueError("no ModelSpec whose name is of letters, digits, - and _")
            if spec.name in taken | found.keys():
                raise ValueError(f"there is a model {spec.name} already")
            found[spec.name] = spec
        except Exception as error:  # What others wrote may fail in any way, and no model of the book with it.
            warnings.warn(f"The model {entry.value} cannot be used: {error}", stacklevel=2)
    return tuple(found.values())


def get(name: str) -> ModelSpec:
    """Return a model by its name; a `RunError` names those that are most like it.

    Examples
    --------
    >>> get("tree-original").repeats
    (3, 10)
    """
    found = {spec.name: spec for spec in (*specs(), *plugged())}
    if name not in found:
        similar = ", ".join(map(repr, difflib.get_close_matches(str(name), found, 3, cutoff=0.5)))
        meant = f" Did you mean {similar}?" if similar else ""
        raise RunError(f"there is no model {name!r}.{meant} serlab.models.names() lists all {len(found)}")
    return found[name]

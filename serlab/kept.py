"""Finished parts of long computations, kept under a name that says all that decides them.

What is kept is taken again only if it is whole and was stored under the name that it has: anything else is
computed anew.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import inspect
import os
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Raised by hand where results come out otherwise for a reason that `key` does not see, such as a change in a
# module that is only imported within a function.
RESULTS = 1


def key(data: bytes, *deciding: Any) -> str:
    """Name a result by all that decides it.

    The code counts of functions, of what functions of serlab refer to, and of the modules that classes of
    serlab come from; but not what cannot change a result: comments, docstrings, error messages and checks
    (see `meaning`). Of functions and classes of the reader's own, in a notebook or a file, their code counts,
    and the functions, classes, numbers and words that this code refers to. Other packages are to be given by
    their versions.

    Parameters
    ----------
    data : bytes
        A digest of what is computed with.
    *deciding
        Models with their settings, functions, numbers, text, arrays, and tuples, lists, mappings of these.

    Returns
    -------
    str
        Thirty-two hexadecimal digits.

    Examples
    --------
    >>> key(b"", {"C": 1.0}) == key(b"", {"C": 1.0}), key(b"", {"C": 1.0}) == key(b"", {"C": 2.0})
    (True, False)
    """
    digest = hashlib.sha256(data)
    for part in _told((RESULTS, deciding), set()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:32]


@functools.cache
def meaning(source: str) -> str:
    r"""Reduce Python code to what can change a result.

    Comments, layout and docstrings are dropped, and so are statements that can only raise an error:
    ``raise``, an ``if`` that holds nothing else, calls of functions whose name begins with ``check``.

    Parameters
    ----------
    source : str
        Of a module, class or function.

    Returns
    -------
    str
        Equal for code that computes the same in the same way. Code that cannot be parsed by itself, such as
        a lambda within a call, is given as it is.

    Examples
    --------
    >>> one = meaning("def f(x):\n    if x < 0:\n        raise ValueError('no')\n    return x")
    >>> one == meaning("def f(x):\n    'Give x.'\n    return x  # as it is")
    True
    """
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return source
    return ast.dump(_Deciding().visit(tree))


class _Deciding(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.module == "serlab.checks" else node

    def visit_Raise(self, node: ast.Raise) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        value = node.value
        if isinstance(value, ast.Constant):
            return None
        name = (
            getattr(value.func, "attr", getattr(value.func, "id", "")) if isinstance(value, ast.Call) else ""
        )
        return None if name.startswith("check") else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        self.generic_visit(node)
        return node if node.body or node.orelse else None


def read(file: Path | None, *names: str) -> tuple[np.ndarray, ...] | None:
    """Give what was kept, or None where there is nothing that can be relied on.

    Parameters
    ----------
    file : Path, optional
        As given to `write`.
    *names : str
        Of the arrays to give, in this order.

    Returns
    -------
    tuple of ndarray, or None
        None if there is no file, if it is damaged, or if it was written under another name.
    """
    if file is None or not file.exists():
        return None
    try:
        with np.load(file) as kept:
            # A zip archive has a checksum of each array, which is compared while it is read.
            own, *found = (kept[name] for name in ("key", *names))
    except Exception:  # A damaged archive raises nearly anything, and all of it means the same.
        return None
    return tuple(found) if str(own) == file.stem else None


def write(file: Path, **arrays: Any) -> None:
    """Keep arrays, so that at no moment half of them is taken for the whole.

    Where the disk is full or cannot be written to, a warning says so: what was computed is not lost by it.

    Parameters
    ----------
    file : Path
        Named by `key`, with the ending ``.npz``.
    **arrays
        Arrays, numbers or text.
    """
    part = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            np.savez(part, key=file.stem, **arrays)
        os.replace(part.name, file)
    except OSError as error:
        if part is not None:
            with contextlib.suppress(OSError):
                os.unlink(part.name)
        warnings.warn(
            f"a finished part cannot be kept in {file.parent} ({error.strerror}) and will be computed again "
            "next time. Set SERLAB_CACHE to a folder with room",
            stacklevel=2,
        )


def _told(value: Any, seen: set) -> Iterator[str]:
    """Tell a value in words that are the same in every process; of code, each piece once."""
    kind = type(value)
    yield kind.__qualname__
    yield from _classes(value if isinstance(value, type) else kind, seen)
    if isinstance(value, type):
        yield value.__qualname__
    elif isinstance(value, functools.partial):
        yield from _told((value.func, value.args, value.keywords), seen)
    elif inspect.isfunction(value):
        yield from _function(value, seen)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value)).hexdigest()}"
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _told(one, seen)
    elif isinstance(value, Mapping):
        for name in sorted(value, key=repr):
            yield repr(name)
            yield from _told(value[name], seen)
    elif hasattr(value, "get_params"):
        yield from _told(value.get_params(deep=False), seen)
    elif hasattr(value, "__dict__") and (_ours(kind.__module__) or " at 0x" in repr(value)):
        # Objects may lead back to themselves.
        if id(value) not in seen:
            seen.add(id(value))
            yield from _told(vars(value), seen)
    else:
        yield repr(value)


def _classes(kind: type, seen: set) -> Iterator[str]:
    """Tell the code of a class and of those above it: of serlab's, that of the modules they are from."""
    for one in kind.__mro__:
        if _readers_own(one.__module__) and one not in seen:
            seen.add(one)
            yield from _written(one)
            yield from _told([part for part in vars(one).values() if inspect.isfunction(part)], seen)
    for name in sorted({one.__module__ for one in kind.__mro__ if _ours(one.__module__)} - seen):
        seen.add(name)
        yield meaning(inspect.getsource(sys.modules[name]))


def _function(function: Callable, seen: set) -> Iterator[str]:
    """Tell a function's code and what it refers to; of other packages, their names alone."""
    name = f"{function.__module__}.{function.__qualname__}"
    outside = inspect.getclosurevars(function)
    yield function.__qualname__
    if name not in seen or outside.nonlocals:
        seen.add(name)
        try:
            yield meaning(inspect.getsource(function))
        except OSError:
            # Typed at a prompt, or made from text.
            yield f"{function.__code__.co_code.hex()} {function.__code__.co_consts}"
        yield from _told((function.__defaults__, function.__kwdefaults__, outside.nonlocals), seen)
        counts = _decides if _ours(function.__module__) else _refers
        yield from _told({key: one for key, one in outside.globals.items() if counts(one, key)}, seen)


def _written(kind: type) -> Iterator[str]:
    """Tell the code of a class; of one typed in a notebook, where it cannot be had, its plain attributes."""
    try:
        yield meaning(inspect.getsource(kind))
    except (OSError, TypeError):
        plain = {name: part for name, part in vars(kind).items() if _refers(part)}
        yield repr({name: part for name, part in plain.items() if not callable(part)})


def _refers(value: Any, name: str = "") -> bool:
    """Tell what of a reader's own code is looked at: code of theirs, and plain values; no data."""
    if isinstance(value, (list, tuple, set)):
        return all(_refers(one) for one in value)
    if inspect.isfunction(value) or isinstance(value, type):
        return _readers_own(value.__module__)
    return isinstance(value, (bool, int, float, str, type(None)))


def _decides(value: Any, name: str) -> bool:
    error = isinstance(value, type) and issubclass(value, Exception)
    return not (error or inspect.ismodule(value) or name.startswith("check"))


def _ours(module: str) -> bool:
    return module.partition(".")[0] == "serlab"


def _readers_own(module: str) -> bool:
    """Tell whether a module is neither serlab's, nor Python's, nor of an installed package."""
    if module == "__main__":
        return True
    if _ours(module) or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" not in file and "dist-packages" not in file

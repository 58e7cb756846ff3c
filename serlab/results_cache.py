"""Results of long computations, such as trained folds, in files named by a key of all that decides them.

A result is taken again only if its file is whole and holds the key that it is named by; anything else is
computed anew.
"""

import ast
import functools
import hashlib
import inspect
import io
import marshal
import re
import sys
import textwrap
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serlab.paths import atomic_write_together

# Raised by hand where results come out otherwise for a reason that `key` does not see.
RESULTS = 1
PACKAGE = Path(__file__).parent
# What these do reaches a result only through the data that it is computed with.
_NOT_DECIDING = {"errors", "paths", "checks", "corpora", "splits", "provenance", "results_cache", "cluster"}


def key(data: bytes, *deciding: Any) -> str:
    """Name a result by all that decides it: data (a digest of it), settings and code.

    Code of serlab counts by modules: those that define the classes and functions given, and those that these
    import, as far as they can decide. Of functions and classes of the reader's own, in a notebook or a file,
    their code counts, and the functions, classes and constants that this code refers to, but no other data.
    What cannot change a result does not count: comments, layout and docstrings; and in serlab's own code,
    statements that can only raise an error. Other packages are to be given by their versions.

    `deciding` are models with their settings, functions, numbers, text, arrays, and tuples, lists, mappings
    of these. Gives thirty-two hexadecimal digits, the same in every process.

    Examples
    --------
    >>> key(b"", {"C": 1.0}) == key(b"", {"C": 1.0}), key(b"", {"C": 1.0}) == key(b"", {"C": 2.0})
    (True, False)
    """
    digest = hashlib.sha256(data)
    for part in _describe((RESULTS, deciding), set()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:32]


@functools.cache
def _normalised_code(source: str, checks: bool = True) -> str:
    """Reduce Python code to what can change a result; a lambda within a call is given as it is."""
    try:
        reducer = _WithoutDocstrings() if checks else _WithoutChecks()
        return ast.dump(reducer.visit(ast.parse(textwrap.dedent(source))))
    except SyntaxError:
        return source


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


class _WithoutChecks(_WithoutDocstrings):
    # In a reader's code ``raise``, and what is called check, may do anything.
    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.module in ("serlab.checks", "serlab.errors") else node

    def visit_Raise(self, node: ast.Raise) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        match node.value:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name.startswith("check"):
                return None
        return super().visit_Expr(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        self.generic_visit(node)
        return node if node.body or node.orelse else None


def read(file: Path | None, *names: str) -> tuple[np.ndarray, ...] | None:
    """Read the named arrays that `write` stored, in this order.

    None if there is no file, if it is damaged, or if it was written under another name.
    """
    if file is None or not file.exists():
        return None
    try:
        with np.load(file) as stored:
            # A zip archive has a checksum of each array, which is compared while it is read.
            own, *found = (stored[name] for name in ("key", *names))
    except Exception:  # A damaged archive raises nearly anything, and all of it means the same.
        return None
    return tuple(found) if str(own) == file.stem else None


def write(file: Path, **arrays: Any) -> None:
    """Store arrays, numbers or text, so that at no moment half of them is taken for the whole.

    The file is named by `key`, with the ending ``.npz``. Where the disk is full or cannot be written to, a
    warning says so: what was computed is not lost by it.
    """
    content = io.BytesIO()
    np.savez(content, key=file.stem, **arrays)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_together({file: content.getvalue()})
    except OSError as error:
        warnings.warn(
            f"a finished part cannot be stored in {file.parent} ({error.strerror}) and will be computed "
            "again next time. Set SERLAB_CACHE to a folder with room",
            stacklevel=2,
        )


def _describe(value: Any, seen: set) -> Iterator[str]:
    """Describe a value in words that are the same in every process; each class, function and module once."""
    yield type(value).__qualname__
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}"
        if value.dtype == object:
            yield from _describe(value.tolist(), seen)
        else:
            yield hashlib.sha256(np.ascontiguousarray(value)).hexdigest()
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _describe(one, seen)
    elif isinstance(value, Mapping):
        for name in sorted(value, key=repr):
            yield repr(name)
            yield from _describe(value[name], seen)
    elif isinstance(value, (set, frozenset)):
        yield from sorted(map(repr, value))
    elif isinstance(value, functools.partial):
        yield from _describe((value.func, value.args, value.keywords), seen)
    elif isinstance(value, type):
        yield value.__qualname__
        yield from _describe_class(value, seen)
    elif inspect.isfunction(value):
        yield from _describe_function(value, seen)
    else:
        yield from _describe_object(value, seen)


def _describe_object(value: Any, seen: set) -> Iterator[str]:
    yield from _describe_class(type(value), seen)
    text, module = repr(value), type(value).__module__
    if hasattr(value, "get_params"):
        yield from _describe(value.get_params(deep=False), seen)
    elif hasattr(value, "__dict__") and (_is_ours(module) or _is_readers_own(module) or " at 0x" in text):
        # Objects may lead back to themselves.
        if id(value) not in seen:
            seen.add(id(value))
            yield from _describe(vars(value), seen)
    else:
        yield re.sub(" at 0x[0-9a-fA-F]+", "", text)


def _describe_class(kind: type, seen: set) -> Iterator[str]:
    for one in kind.__mro__:
        if _is_ours(one.__module__):
            yield from _describe_module(one.__module__, seen)
        elif _is_readers_own(one.__module__) and one not in seen:
            seen.add(one)
            parts = vars(one)
            try:
                yield _normalised_code(inspect.getsource(one))
            except (OSError, TypeError):
                # Of a class in a notebook Python finds the source of the methods only.
                plain = [name for name in parts if not name.startswith("__") and _counts(parts[name])]
                yield from _describe({name: parts[name] for name in plain}, seen)
            functions = [getattr(part, "fget", getattr(part, "__func__", part)) for part in parts.values()]
            yield from _describe([part for part in functions if inspect.isfunction(part)], seen)


def _describe_function(function: Callable, seen: set) -> Iterator[str]:
    yield function.__qualname__
    ours = _is_ours(function.__module__)
    if not (ours or _is_readers_own(function.__module__)):
        yield function.__module__
        return
    if function in seen:
        return
    seen.add(function)
    code = function.__code__
    try:
        yield _normalised_code(inspect.getsource(function), checks=not ours)
    except OSError:
        # Typed at a prompt, or made from text.
        yield marshal.dumps(code).hex()
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    yield from _describe((function.__defaults__, function.__kwdefaults__, enclosed), seen)
    if ours:
        yield from _describe_module(function.__module__, seen)
    else:
        found = {name: function.__globals__.get(name) for name in _names(code)}
        yield from _describe({name: part for name, part in found.items() if _counts(part)}, seen)


def _describe_module(name: str, seen: set) -> Iterator[str]:
    if name not in seen:
        seen.add(name)
        code, imported = _module(name)
        yield code
        for other in imported:
            yield from _describe_module(other, seen)


@functools.cache
def _module(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a digest of the code of a module of serlab, and the names of those of serlab that it imports."""
    tree = _WithoutChecks().visit(ast.parse(_file(name).read_text(encoding="utf-8")))
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            imported += [part if _file(part).exists() else node.module for part in names]
    deciding = [part for part in dict.fromkeys(imported) if _NOT_DECIDING.isdisjoint(part.split("."))]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(deciding)


def _file(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _names(code: types.CodeType) -> set[str]:
    """Collect the names that code refers to, functions within it included."""
    inner = [_names(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return set(code.co_names).union(*inner)


def _counts(value: Any) -> bool:
    """Tell whether something that a reader's code refers to counts: constants, and code of theirs."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_counts, value))
    if inspect.isfunction(value) or isinstance(value, type):
        return _is_readers_own(value.__module__)
    return isinstance(value, (bool, int, float, str, type(None)))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "serlab"


def _is_readers_own(module: str) -> bool:
    """Tell whether a module is neither serlab's, nor Python's, nor of an installed package."""
    if module == "__main__":
        return True
    if _is_ours(module) or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" not in file and "dist-packages" not in file

"""Checkers for the exercises: what a student's answer shows, or what is wrong with it and where to look.

A chapter imports its own, ``from serlab.check import ch05 as check``, and a student runs
``check.most_leaves(most_leaves)``: one sentence is printed, nothing is raised. The checkers call the answer
on random input and compare with what they compute themselves. They are for learning, not for grading: whoever
opens their source sees the answers.
"""

import copy
import functools
import traceback
from collections.abc import Callable

import joblib
import numpy as np
import pandas as pd

from serlab.errors import SerlabError

__all__ = ["Hint", "call", "compare", "exercise", "require"]

_MUTABLE = (np.ndarray, pd.DataFrame, pd.Series, list, dict, set)


class Hint(SerlabError):
    """What is wrong with an answer and where to look, in a sentence or two."""


class _Unanswered(Exception):
    """The answer is what the starter cell left."""


def exercise(test: Callable[..., str]) -> Callable[..., None]:
    """Make a checker of a function that raises a `Hint`, or returns what a right answer shows.

    Examples
    --------
    >>> @exercise
    ... def half(answer):
    ...     compare(call(answer, 4), 2, "4", (8, "That is twice as much."))
    ...     return "Half of four is two."
    >>> half(lambda x: x / 2)
    Right. Half of four is two.
    >>> half(lambda x: 2 * x)
    Not yet. That is twice as much.
    >>> half(lambda x: ...)
    Not answered yet: `<lambda>` returns nothing. Is there a `return`?
    >>> half(None)
    Not answered yet.
    """

    @functools.wraps(test)
    def check(*answers) -> None:
        try:
            if any(answer is None or answer is ... for answer in answers):
                raise _Unanswered
            sentence = f"Right. {test(*answers)}"
        except _Unanswered as empty:
            sentence = f"Not answered yet{': ' if empty.args else '.'}{''.join(empty.args)}"
        except Hint as hint:
            sentence = f"Not yet. {hint}"
        except Exception as error:
            sentence = f"Not yet. The answer is of a kind that cannot be read here: {_told(error)}"
        print(sentence)

    return check


def call(answer: Callable, *inputs):
    """Return what a student's function makes of copies of these inputs.

    A `Hint` says if it is no function, stops with an error, or changes a list, an array or a table.
    """
    name = f"`{getattr(answer, '__name__', 'answer')}`"
    require(callable(answer), f"A function is wanted here, and this is {_described(answer)}.")
    given = copy.deepcopy(inputs)
    try:
        result = answer(*given)
    except Exception as error:
        file = getattr(getattr(answer, "__code__", None), "co_filename", None)
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        where = f"when called with {len(inputs)} argument{'s' * (len(inputs) > 1)}"
        if own:
            where = f"in its line `{own[-1].line}`"
        raise Hint(f"{name} stops {where}: {_told(error)}") from error
    if result is None or result is ...:
        raise _Unanswered(f"{name} returns nothing. Is there a `return`?")
    for before, after in zip(inputs, given, strict=True):
        if not _unchanged(before, after):
            raise Hint(f"{name} changes the {type(before).__name__} that it is given. Work on a copy of it.")
    return result


def _unchanged(before, after) -> bool:
    if isinstance(before, (pd.DataFrame, pd.Series)):
        return before.equals(after)  # a table that was only read may be hashed otherwise than before
    if isinstance(before, np.ndarray):  # a transposed array is hashed otherwise than its copy
        before, after = np.ascontiguousarray(before), np.ascontiguousarray(after)
    return not isinstance(before, _MUTABLE) or joblib.hash(before) == joblib.hash(after)


def require(condition: bool, hint: str) -> None:
    """Raise this hint unless the condition holds."""
    if not condition:
        raise Hint(hint)


def compare(got, right, case: str, *mistakes: tuple) -> None:
    """Raise a `Hint` unless ``got`` is ``right``.

    Parameters
    ----------
    got, right : number, text, array, list, Series
        What the answer gave, and what it should be; numbers may differ by rounding errors. Where a Series is
        right, a dict will do.
    case : str
        What it was given: "a depth of 3".
    *mistakes : tuple
        What each common mistake gives in this case, with its hint; that of percent is known.
    """
    if _same(got, right):
        return
    if isinstance(right, (float, np.floating)) and 0 < right < 1:
        mistakes += ((100 * right, "A share lies between 0 and 1; multiply by 100 when you print it."),)
    for wrong, hint in mistakes:
        require(not _same(got, wrong), hint)
    kinds = _described(got), _described(right)
    require(kinds[0] == kinds[1], f"For {case} it gives {kinds[0]}, where {kinds[1]} is right.")
    if np.ndim(right) == 0:
        raise Hint(f"For {case} it gives {_short(got)}, where {_short(right)} is right.")
    raise Hint(f"For {case} it gives {kinds[0]} with other values than the right ones.")


def _same(one, two) -> bool:
    """Say whether two values are equal but for rounding errors; a Series has to have the same index."""
    if isinstance(two, pd.Series):
        if not isinstance(one, (pd.Series, dict)):
            return False
        one = pd.Series(one)
        return list(one.index) == list(two.index) and _same(one.to_numpy(), two.to_numpy())
    try:
        one, two = np.asarray(one), np.asarray(two)
    except ValueError:  # lists of unequal length
        return False
    if one.shape != two.shape:
        return False
    if {one.dtype.kind, two.dtype.kind} <= set("biufc"):
        return bool(np.allclose(one, two, equal_nan=True))
    return bool(np.all(one == two))


def _described(value) -> str:
    """Return what kind of thing this is: "a number", "a list of 3", "an array of shape (2, 3)"."""
    if isinstance(value, (bool, np.bool_)):
        return "True or False"
    if isinstance(value, (int, float, np.number)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    length = f" of {len(value)}" if isinstance(value, (list, tuple, set, dict, pd.Series)) else ""
    return f"a {type(value).__name__}{length}"


def _short(value) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"

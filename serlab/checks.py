"""What is given to a model, looked at before anything is trained or predicted.

Functions whose name begins with ``check`` raise `EvaluationError` if something is wrong, and do nothing else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from serlab.errors import EvaluationError

# Rows looked at together: features may be more than the memory holds, and are then read from the disk.
ROWS_AT_ONCE = 256


def check_inputs(X: np.ndarray, y: Sequence | None = None, clips: Sequence[str] | None = None) -> None:
    """Make sure that a model can be trained on features, one row of finite numbers or more, and labels.

    Parameters
    ----------
    X : ndarray, shape (clips, ...)
    y : sequence, shape (clips,), optional
        One label for each row, none missing, of two classes or more, as for `check_names`.
    clips : sequence of str, shape (clips,), optional
        Names of the rows, for messages.

    Examples
    --------
    >>> check_inputs(np.array([[0.0, 1.0], [2.0, np.nan]]), clips=["a.wav", "b.wav"])
    Traceback (most recent call last):
    serlab.errors.EvaluationError: features of row 1 (b.wav) hold nan in column 1...
    """
    if X.ndim < 2:
        raise EvaluationError(
            f"features are of shape {X.shape}, and must be (clips, features): one row for each clip. "
            "For one number per clip take X[:, None], for one clip X[None]"
        )
    if 0 in X.shape:
        raise EvaluationError(f"features of shape {X.shape} hold nothing to train on")
    if X.dtype.kind not in "fiub":
        raise EvaluationError(
            f"features are of type {X.dtype} and must be numbers: leave out columns of text, then "
            "X.astype(float)"
        )
    _check_finite(X, clips)
    if y is not None:
        _check_labels(y, len(X), clips)


def check_order(X: np.ndarray | pd.DataFrame | pd.Series, table: pd.DataFrame) -> None:
    """Make sure that a DataFrame of features, or a Series of labels, has the order of the table of clips.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": ["a", "b"]})
    >>> check_order(pd.DataFrame({"x": [0, 1]}, index=["b", "a"]), table)
    Traceback (most recent call last):
    serlab.errors.EvaluationError: the rows of X are in another order than those of the table...
    """
    if not isinstance(X, pd.DataFrame | pd.Series):
        return
    for names in (table.get("clip", table.index), table.index):
        if list(X.index) != list(names) and set(X.index) == set(names):
            raise EvaluationError(
                "the rows of X are in another order than those of the table: take X.loc[table['clip']] or "
                "X.loc[table.index]; or X.to_numpy() if its index means something else"
            )


def check_like(X: np.ndarray, shape: tuple[int, ...]) -> None:
    """Make sure that examples are finite and, each, of the shape that a model was trained on.

    Examples
    --------
    >>> check_like(np.zeros(3), (3,))
    Traceback (most recent call last):
    serlab.errors.EvaluationError: one example of shape (3,)...
    """
    wanted = ", ".join(["clips", *map(str, shape)]) + ("" if shape else ",")
    if X.shape == shape:
        raise EvaluationError(
            f"one example of shape {X.shape} was given where several are expected, ({wanted}): for one "
            "alone, take X[i:i+1] instead of X[i]"
        )
    if X.ndim != len(shape) + 1 or X.shape[1:] != shape:
        raise EvaluationError(
            f"features are of shape {X.shape}, and the model was trained on ({wanted}): take the same "
            "features as in training; of one example, X[i:i+1]"
        )
    _check_finite(X, None)


def check_probabilities(p: np.ndarray, rows: int, classes: int) -> None:
    """Make sure that probabilities, shape (rows, classes), are from 0 to 1, in rows that add up to 1.

    Examples
    --------
    >>> check_probabilities(np.array([[0.5, np.nan]]), 1, 2)
    Traceback (most recent call last):
    serlab.errors.EvaluationError: the probabilities of row 0 are [0.5 nan]...
    """
    if p.shape != (rows, classes):
        raise EvaluationError(f"probabilities are of shape {p.shape}, and should be {(rows, classes)}")
    # Recorded ones are rounded.
    wrong = ~((p >= 0).all(axis=1) & (np.abs(p.sum(axis=1) - 1) <= 0.01))
    if wrong.any():
        row = int(wrong.argmax())
        raise EvaluationError(
            f"the probabilities of row {row} are {p[row]}: they must be numbers from 0 to 1 that add up to 1"
        )


def check_answers(predicted: np.ndarray, classes: Sequence[str]) -> None:
    """Make sure that a model answers with classes that there are.

    Examples
    --------
    >>> check_answers(np.array(["0"]), ["happy", "sad"])
    Traceback (most recent call last):
    serlab.errors.EvaluationError: the model answers '0', which is none of the classes happy, sad...
    """
    if strange := set(predicted.tolist()) - set(classes):
        raise EvaluationError(
            f"the model answers {min(strange)!r}, which is none of the classes {', '.join(classes)}: its "
            "predict must return labels as they are in the table"
        )


def check_names(classes: Iterable) -> None:
    """Make sure that names of classes are there, of one type, and differ in more than case, blanks or form.

    Examples
    --------
    >>> check_names(["sad", "Sad "])
    Traceback (most recent call last):
    serlab.errors.EvaluationError: 'sad' and 'Sad ' differ in spelling or type alone...
    """
    seen: dict[str, object] = {}
    for one in classes:
        if pd.isna(one):
            raise EvaluationError("a label or prediction is missing: leave such clips out")
        other = seen.setdefault(_spelled_plainly(one), one)
        if other is not one:
            raise EvaluationError(
                f"{other!r} and {one!r} differ in spelling or type alone: write labels and predictions alike"
            )
    if len({isinstance(one, (int, float, np.number)) for one in seen.values()}) > 1:
        raise EvaluationError(
            f"some classes are numbers and others text ({', '.join(map(repr, seen.values()))}): write labels "
            "and predictions alike"
        )


def _spelled_plainly(name: object) -> str:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    text = unicodedata.normalize("NFKC", text).replace("_", " ").casefold()
    text = " ".join("".join(c for c in text if unicodedata.category(c) != "Cf").split())
    try:
        return str(float(text))
    except ValueError:
        return text


def _check_labels(y: Sequence, rows: int, clips: Sequence[str] | None) -> None:
    y = np.asarray(y, dtype=object)
    if y.shape != (rows,):
        raise EvaluationError(
            f"labels of shape {y.shape} do not go with {rows} rows of features: one label for each row"
        )
    if (missing := pd.isna(y) | (y == "")).any():
        row = int(missing.argmax())
        raise EvaluationError(
            f"the label of row {row}{_clip_of(row, clips)} is missing: give it one, or leave the clip out"
        )
    if len(classes := dict.fromkeys(y.tolist())) < 2:
        raise EvaluationError(
            f"all labels are {next(iter(classes))!r}: a model needs two classes or more to tell apart"
        )
    check_names(classes)


def _check_finite(X: np.ndarray, clips: Sequence[str] | None) -> None:
    if X.dtype.kind != "f":
        return
    for start in range(0, len(X), ROWS_AT_ONCE):
        wrong = ~np.isfinite(X[start : start + ROWS_AT_ONCE])
        if wrong.any():
            place = np.argwhere(wrong)[0]
            row, column = int(place[0]) + start, ", ".join(map(str, place[1:]))
            value = X[(row, *place[1:])]
            raise EvaluationError(
                f"features of row {row}{_clip_of(row, clips)} hold {value} in column {column}: "
                "compute them anew, or leave the clip out"
            )


def _clip_of(row: int, clips: Sequence[str] | None) -> str:
    return "" if clips is None else f" ({np.asarray(clips, dtype=object)[row]})"

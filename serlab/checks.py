"""What is given to a model, looked at before anything is trained or predicted.

Functions whose name begins with ``check`` raise `EvaluationError` if something is wrong, and do nothing else;
`align` puts a DataFrame in order first.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd

from serlab.errors import EvaluationError

# Rows looked at together: features may be more than the memory holds, and are then read from the disk.
ROWS_AT_ONCE = 256
# How tables of features call the column, or level of the index, that names the clip; and what openSMILE adds.
NAMES = ("clip", "file", "filename", "name")
TIMES = ("start", "end", "frameTime")


def check_inputs(X: np.ndarray, y: Sequence | None = None, clips: Sequence[str] | None = None) -> None:
    """Make sure that a model can be trained on features, one row of finite numbers or more, and labels.

    Features are of shape (clips, ...). Labels, if given, are one for each row, none missing, of two classes
    or more, as for `check_names`; `clips` names the rows, for messages.

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
    if y is None:
        return
    y = np.asarray(y, dtype=object)
    if y.shape != (len(X),):
        raise EvaluationError(
            f"labels of shape {y.shape} do not go with {len(X)} rows of features: one label for each row"
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


def check_order(X: np.ndarray | pd.DataFrame | pd.Series, table: pd.DataFrame, what: str = "X") -> None:
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
                f"the rows of {what} are in another order than those of the table: take "
                f"{what}.loc[table['clip']] or {what}.loc[table.index]; or {what}.to_numpy() if its index "
                "means something else"
            )


def align(X: pd.DataFrame, table: pd.DataFrame, what: str = "X") -> pd.DataFrame:
    """Give features of one's own, one row for each clip of a table, in the order of the table.

    Rows of `X` are known by a level of the index that is called ``file`` (as openSMILE gives it), ``clip``,
    ``filename`` or ``name``, by a column of that name, or by an index of text. Each names a clip, or a file:
    one whose path is that of the table, or whose name without folder and ending is the clip. Columns
    ``start``, ``end`` and ``frameTime`` beside it are no features, nor are those that repeat what the table
    says, as `serlab.features.export` writes them. Rows without names are taken as they are, if their index is
    that of the table, or counts from 0. Rows of other clips are left out. Messages call all of it `what`.

    Gives float64, or float32 where all columns are, (clips, columns), with the index of the table.
    `EvaluationError` if a clip has no row, or several; if a column holds text, or says otherwise than the
    table does; if a value is missing or infinite. The message names clip and column.

    Examples
    --------
    A table that openSMILE wrote would be ``pd.read_csv("egemaps.csv", sep=";")``.

    >>> table = pd.DataFrame({"clip": ["a", "b"], "speaker": ["ann", "bob"]})
    >>> X = pd.DataFrame({"file": ["sounds/b.wav", "sounds/a.wav"], "pitch": [220.0, 110.0]})
    >>> align(X, table)["pitch"].tolist()
    [110.0, 220.0]
    >>> align(X.iloc[:1], table)
    Traceback (most recent call last):
    serlab.errors.EvaluationError: X has no row for clip a...
    """
    if "clip" not in table:
        raise EvaluationError("the table lacks the columns clip")
    X, names = _named(X, what)
    if names is not None:
        X = X.iloc[_rows_of(list(names), table, what)]
    elif len(X) != len(table):
        raise EvaluationError(f"{len(X)} rows of {what} do not go with {len(table)} rows of the table")
    else:
        check_order(X, table)
        if list(X.index) not in (list(table.index), list(range(len(table)))):
            raise EvaluationError(
                f"the rows of {what} are numbered otherwise than those of the table: index them by clip, "
                f"{what}.set_index(names); or take {what}.to_numpy() if they have its order"
            )
    repeated = [name for name in X if name in table and list(X[name]) == list(table[name])]
    X = X.drop(columns=[name for name in repeated if name != "duration"])
    for name, kind in zip(X, X.dtypes, strict=True):
        if not pd.api.types.is_numeric_dtype(kind):
            raise EvaluationError(
                f"column {name!r} of {what} is of type {kind}, and all must be numbers: leave it out, "
                f"{what}.drop(columns=[{name!r}])"
            )
    if said := [name for name in X if name in table and name != "duration"]:
        raise EvaluationError(
            f"column {said[0]!r} of {what} is no feature, and says otherwise than the table: leave it out, "
            f"{what}.drop(columns={said!r})"
        )
    kind = np.float32 if (X.dtypes == np.float32).all() else float
    values = X.to_numpy(dtype=kind, na_value=np.nan)
    if (wrong := ~np.isfinite(values)).any():
        row, column = np.argwhere(wrong)[0]
        raise EvaluationError(
            f"{what} holds {values[row, column]} for clip {table['clip'].iloc[row]} in column "
            f"{X.columns[column]!r}: compute it anew, or leave the clip or the column out"
        )
    return pd.DataFrame(values, table.index, X.columns)


def align_labels(y: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Give labels or values of one's own, one for each clip of a table, in its order, as `align` does.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": ["a", "b"]})
    >>> align_labels(pd.Series(["sad", "happy", "calm"], index=["b", "a", "c"]), table).tolist()
    ['happy', 'sad']
    """
    _, names = _named(y.to_frame(), "y")
    if names is None or list(y.index) == list(table.index):
        check_order(y, table, "y")
        return y
    return y.iloc[_rows_of(list(names), table, "y")]


def _named(X: pd.DataFrame, what: str) -> tuple[pd.DataFrame, Sequence | None]:
    """Return the columns that are features, and what names the rows, if anything does."""
    if X.shape[1] == 1 and ";" in str(X.columns[0]):
        raise EvaluationError(f'{what} has one column with semicolons in its name: read it with sep=";"')
    if levels := [name for name in NAMES if name in X.index.names]:
        return X, X.index.get_level_values(levels[0])
    if columns := [name for name in NAMES if name in X]:
        return X.drop(columns=[columns[0], *TIMES], errors="ignore"), X[columns[0]]
    return X, None if pd.api.types.is_numeric_dtype(X.index.dtype) else X.index


def _rows_of(names: list, table: pd.DataFrame, what: str) -> list[int]:
    """Find the row of each clip of a table among names of clips and files."""
    clips = [str(clip) for clip in table["clip"]]
    known = dict(zip(map(str, table.get("path", clips)), clips, strict=True)) | {clip: clip for clip in clips}
    found: dict[str, list[int]] = {}
    other = ""
    for row, name in enumerate(names):
        # openSMILE's program puts names in quotes.
        text = str(name).strip("'")
        clip = known.get(text) or known.get(PurePath(re.split(r"[\\/]", text)[-1]).stem)
        if clip is None:
            other = other or f". There are rows of other clips, such as {text!r}"
        else:
            found.setdefault(clip, []).append(row)
    if missing := [clip for clip in clips if clip not in found]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise EvaluationError(
            f"{what} has no row for clip {missing[0]}{more}{other}: add them, or leave such clips out"
        )
    if several := [clip for clip, rows in found.items() if len(rows) > 1]:
        rows = found[several[0]]
        raise EvaluationError(
            f"{what} has {len(rows)} rows for clip {several[0]} ({names[rows[0]]!r}, {names[rows[1]]!r}): "
            f"leave copies out; of parts of a clip take means, {what}.groupby(level=0).mean()"
        )
    return [found[clip][0] for clip in clips]


def check_shares(y: pd.DataFrame, clips: Sequence[str]) -> None:
    """Make sure that shares of votes, one column for each class, add up to 1 in each row.

    Examples
    --------
    >>> check_shares(pd.DataFrame({"sad": [0.3, 3], "happy": [0.7, 1]}), ["a", "b"])
    Traceback (most recent call last):
    serlab.errors.EvaluationError: the shares of clip b are 3.0, 1.0, and must be...
    """
    if y.shape[1] < 2:
        raise EvaluationError("shares of votes need two columns or more, one for each class")
    check_names(y.columns)
    shares = y.to_numpy(float)
    for row in _no_shares(shares):
        raise EvaluationError(
            f"the shares of clip {clips[row]} are {', '.join(map(str, shares[row]))}, and must be "
            "numbers from 0 to 1 that add up to 1: of votes, y.div(y.sum(axis=1), axis=0)"
        )


def is_regressor(model: object) -> bool:
    """Return whether a model says that it predicts values, not classes, as estimators of scikit-learn can."""
    import sklearn.base

    return hasattr(model, "__sklearn_tags__") and sklearn.base.is_regressor(model)


def check_probable(model: object) -> None:
    """Make sure that a model has probabilities to compute with.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> check_probable(SVC())
    Traceback (most recent call last):
    serlab.errors.EvaluationError: SVC gives no probabilities: take...
    """
    if not hasattr(model, "predict_proba"):
        name = type(getattr(model, "estimator", model)).__name__
        raise EvaluationError(f"{name} gives no probabilities: take another model, LogisticRegression() say")


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
    for row in _no_shares(p):
        raise EvaluationError(
            f"the probabilities of row {row} are {p[row]}: they must be numbers from 0 to 1 that add up to 1"
        )


def _no_shares(p: np.ndarray) -> np.ndarray:
    """Find the rows that do not hold numbers from 0 to 1 that add up to 1, for all that they are rounded."""
    return np.flatnonzero(~((p >= 0).all(axis=1) & (np.abs(p.sum(axis=1) - 1) <= 0.01)))


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

"""Features in files for other programs: CSV, Parquet, and ARFF, the format of WEKA."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from serlab.checks import align, check_inputs
from serlab.errors import FeatureError
from serlab.paths import atomic_write_together

_ESCAPES = str.maketrans({c: "\\" + c for c in "\\'\"%"} | {"\n": "\\n", "\r": "\\r", "\t": "\\t"})


def export(
    path: str | os.PathLike,
    table: pd.DataFrame,
    X: np.ndarray | pd.DataFrame,
    names: Sequence[str] | None = None,
    label: str = "emotion",
) -> Path:
    """Write features of clips, with clip, speaker and label, into a file that other programs read.

    Columns are ``clip``, ``speaker``, the features, and last the label, which WEKA takes for the class.
    Numbers are as exact as in X: they come back the same when read as the same type.

    Parameters
    ----------
    path : path-like
        The ending says the format: ``.csv``; ``.parquet``, which needs ``pip install "serlab[parquet]"``; or
        ``.arff``, where clip, speaker and a label of text are nominal.
    X : ndarray, shape (clips, features), or DataFrame
        As for `serlab.training.cross_validate`: from `serlab.store.features`, or features of your own.
    names : sequence of str, shape (features,), optional
        Of the features, such as ``extractor.feature_names``. By default the columns of a DataFrame, else
        ``feature_0`` and so on.

    Raises
    ------
    FeatureError
        If the format is unknown or its library missing, features are no vectors, or names are not different.
    EvaluationError
        If features are not finite, or do not belong to the clips.

    Examples
    --------
    >>> import tempfile
    >>> table = pd.DataFrame({"clip": ["a", "b"], "speaker": ["ann", "bob"], "emotion": ["sad", "happy"]})
    >>> path = export(Path(tempfile.mkdtemp()) / "pitch.csv", table, np.array([[110.0], [220.5]]), ["pitch"])
    >>> print(path.read_text(encoding="utf-8"))
    clip,speaker,pitch,emotion
    a,ann,110.0,sad
    b,bob,220.5,happy
    <BLANKLINE>
    """
    path = Path(path)
    writers: dict[str, Callable[[pd.DataFrame], bytes]] = {
        ".csv": lambda frame: frame.to_csv(index=False).encode(),
        ".parquet": _to_parquet,
        ".arff": _to_arff,
    }
    if path.suffix.lower() not in writers:
        raise FeatureError(f"{path}: the name must end in {', '.join(writers)}, which says the format")
    if lacking := [name for name in ("clip", "speaker", label) if name not in table]:
        raise FeatureError(f"the table lacks the columns {', '.join(lacking)}")
    if isinstance(X, pd.DataFrame):
        X = align(X, table)
        names, X = X.columns if names is None else names, X.to_numpy()
    X = np.asarray(X)
    if X.ndim != 2 or len(X) != len(table):
        raise FeatureError(
            f"features are of shape {X.shape}, and must be ({len(table)}, features), one row for each clip: "
            "of spectrograms export averages over time, X.mean(axis=2)"
        )
    check_inputs(X, clips=table["clip"].to_numpy())
    names = [f"feature_{column}" for column in range(X.shape[1])] if names is None else list(map(str, names))
    if len(names) != X.shape[1]:
        raise FeatureError(f"{len(names)} names do not go with {X.shape[1]} features")
    every = ["clip", "speaker", *names, label]
    if twice := {name for name in every if every.count(name) > 1}:
        raise FeatureError(f"more than one column would be called {min(twice)!r}: name features otherwise")
    first = table[["clip", "speaker"]].astype(str).reset_index(drop=True)
    frame = pd.concat([first, pd.DataFrame(X, columns=names)], axis=1).assign(**{label: table[label].array})
    content = writers[path.suffix.lower()](frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_together({path: content})
    return path


def _to_parquet(frame: pd.DataFrame) -> bytes:
    try:
        return frame.to_parquet(index=False, engine="pyarrow")
    except ImportError:
        raise FeatureError('Parquet needs pyarrow: pip install "serlab[parquet]"') from None


# scipy reads ARFF and does not write it; liac-arff would be a dependency for these lines.
def _to_arff(frame: pd.DataFrame) -> bytes:
    lines, columns = ["@relation serlab", ""], []
    for name in frame:
        column = frame[name]
        known = column.notna()
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            kind, write = "numeric", str
        else:
            kind, write = "{" + ",".join(map(_quoted, dict.fromkeys(column[known]))) + "}", _quoted
        columns.append([write(value) if told else "?" for value, told in zip(column, known, strict=True)])
        lines.append(f"@attribute {_quoted(name)} {kind}")
    lines += ["", "@data", *map(",".join, zip(*columns, strict=True)), ""]
    return "\n".join(lines).encode()


def _quoted(text: object) -> str:
    """Quote a name or value as WEKA does: in single quotes, with a backslash before what means something."""
    text = str(text)
    plain = re.fullmatch(r"[^\s,{}'\"%\\?@]+", text)
    return text if plain else f"'{text.translate(_ESCAPES)}'"

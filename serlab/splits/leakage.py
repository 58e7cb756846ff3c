"""What the test rows of a split share with the rows that a model learns from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serlab.errors import SplitError
from serlab.splits.base import Split, check_rows


def audit(
    table: pd.DataFrame,
    split: Split,
    digests: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Tell what the test rows of a split share with the rows used for training and validation.

    `digests`, one per row, are equal for identical sound; `sources`, one per row, are the clips that rows
    were made from, so that augmented copies are known as such.

    Gives one row per kind of leak, indexed by it, with columns ``folds`` (how many folds it touches), ``of``
    (how many there are), ``test_clips`` (test rows concerned, over all folds), ``share`` (of all test rows)
    and ``examples``. What could not be looked at, for want of a column, has missing values.

    Examples
    --------
    >>> from serlab.splits import make
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> audit(table, make(table, "loso")).loc["speakers", ["folds", "test_clips"]].tolist()
    [0, 0]
    >>> bool(audit(table, make(table, "random3")).loc["speakers", "share"] > 0)
    True
    """
    check_rows(split, table)
    columns = {
        "rows": np.arange(len(table)),
        "clips": table["clip"],
        "speakers": table["speaker"],
        "sentences": table.get("sentence"),
        "identical audio": digests,
        "augmented copies": sources,
    }
    lines = {kind: _shared(values, table, split, kind) for kind, values in columns.items()}
    report = pd.DataFrame.from_dict(
        lines, orient="index", columns=["folds", "of", "test_clips", "share", "examples"]
    )
    report.index.name = "leak"
    return report.astype({"folds": "Int64", "of": "Int64", "test_clips": "Int64", "share": "Float64"})


def _shared(values, table: pd.DataFrame, split: Split, kind: str) -> list:
    if values is None or pd.isna(pd.Series(values)).all():
        return [pd.NA, len(split), pd.NA, pd.NA, "not known"]
    if len(values) != len(table):
        raise SplitError(f"cannot audit {kind}: {len(values)} values for {len(table)} rows of the table")
    codes, names = pd.factorize(pd.Series(values).reset_index(drop=True))
    touched, clips, total, examples = 0, 0, 0, []
    for fold in split:
        seen = codes[np.concatenate([fold.train, fold.validation])]
        hits = fold.test[(codes[fold.test] >= 0) & np.isin(codes[fold.test], seen)]
        touched += bool(hits.size)
        clips += hits.size
        total += fold.test.size
        examples += [name for name in dict.fromkeys(names[codes[hits]]) if name not in examples]
    shown = ", ".join(str(name)[:24] for name in examples[:3]) + (", ..." if len(examples) > 3 else "")
    return [touched, len(split), clips, clips / total, shown]

"""Altered copies of training clips as rows of their own, each with the clip that it comes from."""

import numpy as np
import pandas as pd

from serlab.errors import SplitError
from serlab.splits import Fold, check_rows, fingerprint


def training_copies(table: pd.DataFrame, fold: Fold, versions: int) -> tuple[pd.DataFrame, Fold]:
    """Add copies of the training clips of a fold to an utterance table, and to the fold's training rows.

    Each gets as many copies as `versions` says, after splitting: a clip that is copied before may be trained
    on and tested with. `SplitError` if the fold has no test rows or rows of another table; if the table has
    copies already; if a clip is on both sides.

    Gives the same rows, then copies, called ``<clip>#<version>``, with the path of their source, in a table
    with two more columns: ``source``, the clip that a row was made from, and ``version``, 0 for the clip
    itself; and the fold with the same validation and test rows, and the copies among the training rows.

    Examples
    --------
    >>> from serlab import splits
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122")})
    >>> more, fold = training_copies(table, splits.make(table, "loso").folds[0], versions=1)
    >>> more["clip"].tolist(), fold.train.tolist(), fold.test.tolist()
    (['a', 'b', 'c', 'd', 'c#1', 'd#1'], [2, 3, 4, 5], [0, 1])
    """
    if not isinstance(fold, Fold) or fold.test.size == 0:
        raise SplitError(
            "Copies are made of the training clips of a fold, and there is nothing held out for testing. "
            "Split first, with serlab.splits.make, then call this for each fold."
        )
    if versions < 1:
        raise SplitError(f"cannot make {versions} versions of each clip: ask for one or more")
    if "source" in table:
        raise SplitError(
            "The table has a column 'source': it holds copies already. Make them of the corpus as loaded."
        )
    check_rows([fold], table)
    table = table.reset_index(drop=True).assign(source=table["clip"].to_numpy(), version=0)
    sources = table["source"].to_numpy(dtype=object)
    sides = {"training": fold.train, "validation": fold.validation, "test": fold.test}
    for one, other in (("training", "test"), ("training", "validation"), ("validation", "test")):
        shared = np.intersect1d(sources[sides[one]].astype(str), sources[sides[other]].astype(str))
        if shared.size:
            more = f", and {shared.size - 1} others," if shared.size > 1 else ""
            raise SplitError(
                f"Of clip {shared[0]}{more} there are versions in {one} and in {other}. "
                "Split the corpus with serlab.splits.make, then add copies of its training clips."
            )
    chosen = table.iloc[fold.train]
    copies = [
        chosen.assign(clip=chosen["clip"] + f"#{version}", version=version)
        for version in range(1, versions + 1)
    ]
    result = pd.concat([table, *copies], ignore_index=True)
    result.attrs = dict(table.attrs)
    train = np.concatenate([fold.train, np.arange(len(table), len(result))])
    return result, Fold(train, fold.validation, fold.test, fingerprint(result))

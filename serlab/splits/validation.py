"""Validation rows, carved out of what is trained on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from serlab.errors import SplitError
from serlab.splits.base import Split, check_rows, deal, groups_of
from serlab.splits.folds import hold_out_clips


def with_validation(split: Split, table: pd.DataFrame, share: float = 0.2, seed: int = 0) -> Split:
    """Carve speaker-disjoint validation rows out of every fold's training rows.

    Validation data chooses epochs and settings; its speakers appear neither in what is left for training nor,
    where the split is speaker-disjoint, in the test rows. Validation rows that the split has already are
    dealt out anew. `share`, in (0, 0.5], of the training rows is met as nearly as whole speakers allow;
    `seed` decides which speakers validate.

    Examples
    --------
    >>> from serlab.splits import make
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> with_validation(make(table, "loso"), table, share=0.5).folds[0]
    Fold(train=2, validation=2, test=2)
    """
    if not 0 < share <= 0.5:
        raise SplitError(f"cannot use a share of {share:g} for validation: it must lie in (0, 0.5]")

    def hold_out_speakers(part: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        k = min(round(1 / share), len(groups_of(part, "speaker")))
        return deal(part, "speaker", k, seed, split.target)[0]

    return _carve(split, table, hold_out_speakers)


def with_random_validation(split: Split, table: pd.DataFrame, share: float = 0.05, seed: int = 0) -> Split:
    """Carve validation clips out of every fold's training clips at random, whoever speaks.

    As the original CREMA-D notebook did: of speakers also trained on, they choose epochs that suit those
    speakers. `with_validation`, which has the same parameters, is the sound way.

    Examples
    --------
    >>> from serlab.splits import make
    >>> table = pd.DataFrame({"clip": list("abcdefgh"), "speaker": list("11223344")})
    >>> table["emotion"] = ["sad", "happy"] * 4
    >>> with_random_validation(make(table, "loso"), table, share=1 / 3).folds[0]
    Fold(train=4, validation=2, test=2)
    """

    def hold_out(part: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        fold = hold_out_clips(part, share, seed, split.target).folds[0]
        return fold.train, fold.test

    return _carve(split, table, hold_out)


def _carve(split: Split, table: pd.DataFrame, hold_out: Callable) -> Split:
    """Share each fold's training rows out anew between training and validation."""
    check_rows(split, table)
    folds = []
    for fold in split:
        rows = np.sort(np.concatenate([fold.train, fold.validation]))
        train, validation = hold_out(table.iloc[rows])
        folds.append(replace(fold, train=rows[train], validation=rows[validation]))
    return replace(split, folds=tuple(folds))

"""What a split is: folds of row numbers of an utterance table, checked against the table they are of."""

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab.errors import SplitError


@dataclass(frozen=True, eq=False)
class Fold:
    """Row numbers of one fold; `validation` is empty until `with_validation` carves it out of `train`.

    `made_for` is the `fingerprint` of the table that the rows are of; empty for folds written by hand.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    made_for: str = ""

    def __repr__(self) -> str:
        return f"Fold(train={self.train.size}, validation={self.validation.size}, test={self.test.size})"


@dataclass(frozen=True, eq=False)
class Split:
    """A list of folds with the name of its protocol, such as "group5", and a title for readers.

    It says whether it is speaker-disjoint: no test speaker is heard in training or validation; and which
    column of the table, its `target`, is to be learned.
    """

    name: str
    title: str
    folds: tuple[Fold, ...]
    speaker_disjoint: bool
    target: str = "emotion"

    def __iter__(self) -> Iterator[Fold]:
        return iter(self.folds)

    def __len__(self) -> int:
        return len(self.folds)


def fingerprint(table: pd.DataFrame) -> str:
    """Tell a table by the names of its clips in their order; empty if it has none.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abc")})
    >>> fingerprint(table) == fingerprint(table.assign(speaker="ann"))
    True
    >>> fingerprint(table) == fingerprint(table[::-1])
    False
    """
    if "clip" not in table:
        return ""
    return hashlib.sha256("\n".join(map(str, table["clip"])).encode()).hexdigest()[:16]


def check_rows(split: Iterable[Fold], table: pd.DataFrame) -> None:
    """Make sure that folds are of the rows of an utterance table, in the order that they have there.

    Folds written by hand, without `Fold.made_for`, are asked for row numbers of the table only. Others raise
    `SplitError` if they were made for a table with other clips, or with these in another order.

    Examples
    --------
    >>> from serlab.splits import make
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122")})
    >>> check_rows(make(table, "loso"), table)
    >>> check_rows(make(table, "loso"), table[::-1])
    Traceback (most recent call last):
    serlab.errors.SplitError: fold 0 was made for another table...
    """
    if isinstance(split, str) or not isinstance(table, pd.DataFrame):
        raise SplitError("a split of a table is needed: serlab.splits.make(table, 'loso') makes one")
    own = fingerprint(table)
    for number, fold in enumerate(split):
        if fold.made_for and own and fold.made_for != own:
            raise SplitError(
                f"fold {number} was made for another table: rows were put in another order, left out or "
                "added since. Split the table as it is now, with serlab.splits.make, and take its features"
            )
        for side in ("train", "validation", "test"):
            rows = np.asarray(getattr(fold, side))
            if rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(table)):
                raise SplitError(
                    f"the {side} rows of fold {number} are not row numbers of a table of {len(table)} rows, "
                    "but of another table: split this one, with serlab.splits.make"
                )


def check(split: Split, table: pd.DataFrame) -> None:
    """Make sure that a split is of an utterance table (see `check_rows`), and as sound there as it says.

    Raises
    ------
    SplitError
        If it is not; if a fold has nothing to train on or to test, or a row on both sides; or if the split
        says that it is speaker-disjoint and a test speaker is heard in training or validation.

    Examples
    --------
    >>> from serlab.splits import make
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122")})
    >>> split = make(table, "loso")
    >>> check(split, table)
    >>> check(split, table.assign(speaker=list("1221")))
    Traceback (most recent call last):
    serlab.errors.SplitError: 'leave one speaker out (2 speakers)' says ... speaker 1 is, ...
    """
    check_rows(split, table)
    for number, fold in enumerate(split):
        if not (np.size(fold.train) and np.size(fold.test)):
            raise SplitError(f"fold {number} of {split.name} has no rows for training, or none for testing")
        # Choosing the epoch on test rows is unsound and has a name of its own; training on them has none.
        for side, rows in (("tested", fold.test), ("validated with", fold.validation)):
            both = np.intersect1d(fold.train, rows)
            if both.size:
                raise SplitError(
                    f"row {both[0]} is both trained on and {side} in fold {number} of {split.name}"
                )
        if split.speaker_disjoint:
            speakers = table["speaker"].to_numpy(dtype=object)
            used = np.concatenate([fold.train, np.setdiff1d(fold.validation, fold.test)]).astype(int)
            if shared := sorted(map(str, set(speakers[fold.test]) & set(speakers[used]))):
                raise SplitError(
                    f"{split.title or split.name!r} says that no test speaker is heard in training, but "
                    f"speaker {shared[0]} is, by this table. Split it anew, with serlab.splits.make"
                )


def warn_of_untrained(labels: np.ndarray, folds: Sequence[Fold]) -> None:
    """Name the classes that a fold tests and trains on no clip of; the warning is of the caller's caller.

    Examples
    --------
    >>> warn_of_untrained(np.array(["sad", "sad"]), [Fold(np.array([0]), np.array([]), np.array([1]))])
    """
    tested = (set(labels[fold.test].tolist()) - set(labels[fold.train].tolist()) for fold in folds)
    if counts := Counter(name for names in tested for name in sorted(names)):
        told = ", ".join(f"{name!r} in {count} of {len(folds)} folds" for name, count in counts.items())
        warnings.warn(
            f"Clips of a class are tested with none to train on: {told}. There it cannot be recognised, and "
            "UAR counts it still: leave it out, add speakers who have it, or test fewer of them at once.",
            stacklevel=3,
        )


def fold_of(table: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> Fold:
    """Return the fold of these rows, without validation."""
    return Fold(np.sort(train), np.array([], dtype=int), np.sort(test), fingerprint(table))


def fold_of_speakers(table: pd.DataFrame, test_speakers: Sequence[str]) -> Fold:
    """Return the fold that tests these speakers and trains on all others."""
    held = table["speaker"].isin(list(test_speakers)).to_numpy()
    return fold_of(table, np.flatnonzero(~held), np.flatnonzero(held))


def groups_of(table: pd.DataFrame, column: str) -> list[str]:
    """List the distinct speakers or sentences, or say why they cannot be kept apart."""
    if column not in table or table[column].isna().all():
        raise SplitError(
            f"this corpus has no {column} column: give the table one, or use a split that needs none"
        )
    if table[column].isna().any():
        clip = table.loc[table[column].isna(), "clip"].iloc[0]
        raise SplitError(f"clip {clip} has no {column}: fill in the {column} column, or leave such clips out")
    found = sorted(table[column].unique(), key=str)
    if len(found) < 2:
        raise SplitError(
            f"a {column}-disjoint split needs at least 2 different values of {column}, not {found}"
        )
    return found


def deal(
    table: pd.DataFrame, column: str, k: int, seed: int, target: str = "emotion"
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Deal the speakers, or what else a column holds, into k folds stratified by a target: train, test."""
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.utils import check_random_state

    groups = groups_of(table, column)
    if not 2 <= k <= len(groups):
        raise SplitError(
            f"cannot make {k} {column}-disjoint folds of {len(groups)} {column}s: use 2 to {len(groups)}"
        )
    # With shuffle=True scikit-learn 1.6, which Colab has, would deal groups by the classes of others.
    values, members = np.unique(table[column].to_numpy(), return_inverse=True)
    shuffled = np.argsort(check_random_state(seed).permutation(len(values)))[members]
    with warnings.catch_warnings():
        # A class with fewer clips than folds is no fault: stratification is "as far as possible".
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(StratifiedGroupKFold(k).split(table, table[target].astype(str), shuffled))

"""Ways to split a table: by clips, by speakers, by corpora or languages."""

import numpy as np
import pandas as pd

from serlab.errors import SplitError
from serlab.splits.base import Split, deal, fold_of, fold_of_speakers, groups_of


def random_folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> Split:
    """Deal clips at random into `k` folds, stratified by emotion, whoever speaks.

    So it differs from `speaker_folds` in one thing only: here speakers are on both sides. `k` is at least 2
    and at most the number of clips of the rarest emotion.
    """
    from sklearn.model_selection import StratifiedKFold

    rarest = table["emotion"].value_counts().min() if len(table) else 0
    if not 2 <= k <= rarest:
        raise SplitError(
            f"cannot make {k} random folds: K must be at least 2 and at most {rarest}, the rarest class"
        )
    dealer = StratifiedKFold(k, shuffle=True, random_state=seed)
    folds = tuple(fold_of(table, *rows) for rows in dealer.split(table, table["emotion"]))
    return Split(f"random{k}", f"{k} random folds, seed {seed} (shares speakers)", folds, False)


def speaker_folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> Split:
    """Deal speakers into `k` folds so that each fold's class sizes are as even as whole speakers allow.

    `k` is at least 2 and at most the number of speakers.
    """
    folds = tuple(fold_of(table, *rows) for rows in deal(table, "speaker", k, seed))
    return Split(f"group{k}", f"{k} speaker-disjoint folds, seed {seed}", folds, True)


def hold_out_clips(table: pd.DataFrame, share: float = 0.3, seed: int = 0, target: str = "emotion") -> Split:
    """Hold out a share of the clips, in (0, 1), stratified by a target, whoever speaks: one fold.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdefgh"), "speaker": list("11223344")})
    >>> table["emotion"] = ["sad", "happy"] * 4
    >>> hold_out_clips(table, 0.5).folds[0]
    Fold(train=4, validation=0, test=4)
    """
    from sklearn.model_selection import train_test_split

    if not 0 < share < 1:
        raise SplitError(f"cannot hold out a share of {share:g}: it must lie between 0 and 1")
    try:
        parts = train_test_split(
            np.arange(len(table)), test_size=share, random_state=seed, stratify=table[target]
        )
    except ValueError as error:
        raise SplitError(f"cannot hold out {100 * share:g} % of {len(table)} clips: {error}") from error
    title = f"random {100 * share:g} % of the clips held out, seed {seed} (shares speakers)"
    return Split(f"clips{round(100 * share)}", title, (fold_of(table, *parts),), False)


def corpus_folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> Split:
    """Deal the speakers of each corpus into `k` folds, so that each fold has speakers of all corpora.

    Within a corpus, classes are spread as evenly as whole speakers allow: of valence where the table has it,
    so that the folds do not depend on the task. Speakers of a corpus with fewer than `k` are tested in as
    many folds as there are speakers. `k` is at most the number of speakers of the corpus that has most.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112345"), "corpus": list("xxxyyy")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> [table["corpus"][fold.test].nunique() for fold in corpus_folds(table, 2)]
    [2, 2]
    """
    groups_of(table, "speaker")
    by_corpus = table.groupby("corpus", sort=False)["speaker"].nunique()
    if not 2 <= k <= by_corpus.max():
        raise SplitError(
            f"cannot make {k} speaker-disjoint folds within corpora: the one with most speakers has "
            f"{by_corpus.max()}. Use 2 to {by_corpus.max()}"
        )
    strata = "valence" if "valence" in table and table["valence"].notna().all() else "emotion"
    tests: list[list[np.ndarray]] = [[] for _ in range(k)]
    for corpus in by_corpus.index:
        rows = np.flatnonzero(table["corpus"] == corpus)
        part = table.iloc[rows]
        if by_corpus[corpus] == 1:
            tests[0].append(rows)
            continue
        dealt = deal(part, "speaker", min(k, by_corpus[corpus]), seed, strata)
        for number, (_, test) in enumerate(dealt):
            tests[number].append(rows[test])
    every = np.arange(len(table))
    held = [np.concatenate(parts) for parts in tests]
    folds = tuple(fold_of(table, np.setdiff1d(every, test), test) for test in held)
    return Split(f"corpus{k}", f"{k} speaker-disjoint folds within corpora, seed {seed}", folds, True)


def leave_one_out(table: pd.DataFrame, column: str) -> Split:
    """Test on each corpus or language in turn, in the order of the table; train on all others.

    `column` is "corpus" or "language". Where each language is that of one corpus both give the same folds,
    and the title says so.
    """
    groups_of(table, column)
    codes, names = pd.factorize(table[column])
    folds = tuple(
        fold_of(table, np.flatnonzero(codes != n), np.flatnonzero(codes == n)) for n in range(len(names))
    )
    same = len(table[["corpus", "language"]].drop_duplicates()) == table["corpus"].nunique() == len(names)
    title = f"leave one {column} out ({', '.join(map(str, names))})"
    if same and column == "language":
        title += ": the same folds as leaving one corpus out"
    return Split({"corpus": "loco", "language": "lolo"}[column], title, folds, True)


def across(table: pd.DataFrame, train: str, test: str, column: str = "corpus") -> Split:
    """Train on all clips of one corpus or language, test on all of another: one fold.

    The table is one of `serlab.corpora.unify`; `train` and `test` are two values of `column`, which is
    "corpus", "language" or "family".

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": list("1234"), "corpus": ["ravdess", "ravdess", "nemo", "emodb"]})
    >>> across(table, "ravdess", "nemo").folds[0]
    Fold(train=2, validation=0, test=1)
    """
    there = set(groups_of(table.dropna(subset=[column]), column))
    if train == test or not {train, test} <= there:
        raise SplitError(
            f"cannot train on {train!r} and test on {test!r}: they must be two of {', '.join(sorted(there))}"
        )
    fold = fold_of(table, *(np.flatnonzero(table[column] == name) for name in (train, test)))
    return Split(f"{train}-to-{test}", f"trained on {train}, tested on {test}", (fold,), True)


def original_hold_out(table: pd.DataFrame, share: float = 0.3, seed: int = 0) -> Split:
    """Hold out a random share of the speakers, whatever they say: the original split of the valence study.

    It takes the first draw, so that classes and corpora may be unlike on the two sides. `share` is in (0, 1);
    at least one speaker stays on each side.
    """
    if not 0 < share < 1:
        raise SplitError(f"cannot hold out a share of {share:g} of the speakers: it must lie between 0 and 1")
    speakers = groups_of(table, "speaker")
    count = min(max(round(share * len(speakers)), 1), len(speakers) - 1)
    drawn = np.random.default_rng(seed).choice(len(speakers), count, replace=False)
    fold = fold_of_speakers(table, [speakers[number] for number in drawn])
    title = f"a random {round(100 * share)} % of the speakers held out, seed {seed}"
    return Split(f"original{round(100 * share)}", title, (fold,), True)

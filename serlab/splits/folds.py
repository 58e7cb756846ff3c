"""Ways to split one corpus: by clips, by speakers, by sentences, or as published."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import corpora
from serlab.errors import CorpusError, SplitError
from serlab.splits.base import Split, deal, fold_of, fold_of_speakers, groups_of

PUBLISHED = {"emobox6": "EmoBox", "emosuperb5": "EMO-SUPERB"}
MOST_TEXT_FOLDS = 10


def seed_split(table: pd.DataFrame) -> Split:
    """Split as the original notebook did: a random 20 % for testing, seed 1, whoever speaks.

    Which clips ``train_test_split(..., test_size=0.2, random_state=1)`` draws depends on nothing but the
    order of the rows. The order of the original's files is not known; here it is by speaker, then clip name,
    as of sorted folders, one for each actor. RAVDESS gives 1152 clips for training and 288 for testing.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdefghij"), "speaker": list("1122334455")})
    >>> seed_split(table).folds[0].test.tolist()
    [2, 9]
    """
    from sklearn.model_selection import train_test_split

    order = (
        table[["speaker", "clip"]].reset_index(drop=True).sort_values(["speaker", "clip"]).index.to_numpy()
    )
    if order.size < 2:
        raise SplitError(f"a split needs at least two clips, the table has {order.size}")
    train, test = train_test_split(order, test_size=0.2, random_state=1)
    return Split(
        "seed-split", "random 80/20, seed 1 (shares speakers)", (fold_of(table, train, test),), False
    )


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


def leave_one_speaker_out(table: pd.DataFrame) -> Split:
    """Test on each speaker in turn, in the order of their names; train on all others."""
    folds = tuple(fold_of_speakers(table, [speaker]) for speaker in groups_of(table, "speaker", 2))
    return Split("loso", f"leave one speaker out ({len(folds)} speakers)", folds, True)


def text_folds(table: pd.DataFrame, seed: int = 0) -> Split:
    """Test on sentences that are never heard in training; speakers are on both sides.

    Each sentence in turn where there are at most ten, else ten groups of sentences stratified by emotion.
    """
    sentences = groups_of(table, "sentence", 2)
    k = min(len(sentences), MOST_TEXT_FOLDS)
    folds = tuple(fold_of(table, *rows) for rows in deal(table, "sentence", k, seed))
    what = "leave one sentence out" if k == len(sentences) else f"{k} sentence-disjoint folds, seed {seed}"
    return Split("text", f"{what} (shares speakers)", folds, False)


def speaker_text_folds(table: pd.DataFrame, seed: int = 0, k: int = 5) -> Split:
    """Test on speakers and sentences neither of which is heard in training.

    Speakers are dealt into `k` groups, sentences into `k` too (fewer where there are fewer); each pair of
    groups is tested once, by a model that is trained on the clips of other speakers with other sentences.
    Training sets are smaller than with speakers alone, which costs accuracy too: say so beside it.
    """
    by_speaker = deal(table, "speaker", min(k, len(groups_of(table, "speaker", 2))), seed)
    by_sentence = deal(table, "sentence", min(k, len(groups_of(table, "sentence", 2))), seed)
    pairs = ((speakers, sentences) for speakers in by_speaker for sentences in by_sentence)
    folds = tuple(
        fold_of(table, np.intersect1d(train_s, train_t), np.intersect1d(test_s, test_t))
        for (train_s, test_s), (train_t, test_t) in pairs
    )
    folds = tuple(fold for fold in folds if fold.test.size and fold.train.size)
    title = f"speaker- and sentence-disjoint, {len(by_speaker)} × {len(by_sentence)} folds, seed {seed}"
    return Split("speaker-text", title, folds, True)


def published_folds(table: pd.DataFrame, protocol: str) -> Split:
    """Use the folds that were published for a whole corpus, so that results stand beside those of others.

    They are "emobox6" of RAVDESS and "emosuperb5" of CREMA-D.

    References
    ----------
    Wu, H. et al. (2024). EMO-SUPERB: an in-depth look at speech emotion recognition. IEEE SLT.

    Ma, Z. et al. (2024). EmoBox: multilingual multi-corpus speech emotion recognition toolkit and benchmark.
    Interspeech.
    """
    name = table.attrs.get("corpus") or table["corpus"].iloc[0]
    try:
        groups = corpora.folds(name, protocol)
    except CorpusError as error:
        raise SplitError(
            f"{protocol} has no folds of {name!r}. Use 'group6' or 'loso' for speaker-disjoint folds of any "
            "corpus."
        ) from error
    missing = {speaker for group in groups for speaker in group} ^ set(table["speaker"])
    if missing:
        listed = ", ".join(sorted(map(str, missing)))
        raise SplitError(f"{protocol} does not fit this table: speakers {listed} are in one of the two only")
    folds = tuple(fold_of_speakers(table, group) for group in groups)
    by = PUBLISHED.get(protocol, "published")
    return Split(protocol, f"speaker-disjoint {len(folds)} folds ({by})", folds, True)


def honest_protocol(table: pd.DataFrame) -> str:
    """Name the speaker-disjoint protocol that suits a corpus.

    The published folds where they fit the table; else "loso" for up to ten speakers, and "group6" for more.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122"), "corpus": "mine"})
    >>> honest_protocol(table)
    'loso'
    """
    try:
        return published_folds(table, "emobox6").name
    except SplitError:
        return "loso" if len(groups_of(table, "speaker", 2)) <= 10 else "group6"

"""Who is trained on and who is tested on: the protocols of the book, and an audit of what leaks in them.

A `Split` is a list of folds of row numbers into an utterance table. Speaker-disjoint protocols are the honest
default; those that put one speaker on both sides exist to show what that does, and have to be asked for by
name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from serlab.errors import CorpusError, SplitError

PROTOCOLS = {
    "seed-split": "random 80/20, seed 1: the split of the original notebook (shares speakers)",
    "randomK": "K random folds, K = 2, 3, ... (shares speakers)",
    "groupK": "K speaker-disjoint folds",
    "holdoutP": "P percent of the speakers held out, P = 1 ... 99",
    "loso": "leave one speaker out",
    "emobox6": "RAVDESS, the six speaker-disjoint folds published by EmoBox",
    "text": "leave sentences out (shares speakers)",
    "speaker-text": "leave speakers and sentences out together",
    "emosuperb5": "CREMA-D, the five speaker-disjoint sessions published by EMO-SUPERB",
    "clipsP": "P percent of the clips held out, stratified by emotion (shares speakers)",
    "six-PROTOCOL": "any of these, on the six emotions that CREMA-D has (see `six_emotions`)",
    "TASK": "five speaker-disjoint folds, each with speakers of all corpora (fewer where none has five)",
    "TASK-loco": "leave one corpus out",
    "TASK-lolo": "leave one language out",
    "TASK-original": "a random 30 percent of the speakers held out, whatever they say",
}
PUBLISHED = {"emobox6": "EmoBox", "emosuperb5": "EMO-SUPERB"}
TASKS = ("ternary", "binary-neg", "binary-neu", "binary-pos")
MOST_TEXT_FOLDS = 10
SIX_EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust")


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
    """A named list of folds.

    Attributes
    ----------
    name : str
        Protocol name, as in `PROTOCOLS`, with its number filled in ("group5").
    title : str
        The name as it is shown to readers.
    folds : tuple of Fold
    speaker_disjoint : bool
        Whether no test speaker is heard in training or validation.
    """

    name: str
    title: str
    folds: tuple[Fold, ...]
    speaker_disjoint: bool

    def __iter__(self) -> Iterator[Fold]:
        return iter(self.folds)

    def __len__(self) -> int:
        return len(self.folds)


def make(table: pd.DataFrame, protocol: str, seed: int = 0) -> Split:
    """Split an utterance table by the name of a protocol.

    Parameters
    ----------
    table : DataFrame
        Utterance table with at least the columns ``clip``, ``speaker`` and ``emotion``.
    protocol : str
        One of `PROTOCOLS`, the letter replaced by a number: "group5", "random5", "holdout30"; TASK is one of
        `TASKS`: "ternary", "binary-neg-loco". Folds are the same for all tasks, so that models of one can be
        compared with those of another.
    seed : int
        Decides how speakers or clips are dealt out. "seed-split", "loso", published folds and those that
        leave a corpus or a language out do not depend on it.

    Returns
    -------
    Split

    Raises
    ------
    SplitError
        If the name is unknown, or the table cannot be split in this way.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> [fold.test.tolist() for fold in make(table, "loso")]
    [[0, 1], [2, 3], [4, 5]]
    """
    if "clip" in table and (again := table["clip"].duplicated()).any():
        raise SplitError(
            f"clip {table['clip'][again].iloc[0]} is in the table twice, and could be on both sides of a "
            "split: drop one, or name it otherwise"
        )
    plain = {
        "seed-split": lambda: seed_split(table),
        "loso": lambda: leave_one_speaker_out(table),
        "text": lambda: text_folds(table, seed=seed),
        "speaker-text": lambda: speaker_text_folds(table, seed=seed),
    }
    if protocol in plain:
        return plain[protocol]()
    if protocol.startswith("six-"):
        if others := set(table["emotion"]) - set(SIX_EMOTIONS):
            raise SplitError(
                f"{protocol} is about the six emotions of CREMA-D, and the table has "
                f"{', '.join(sorted(others))} too: take six_emotions(table)"
            )
        split = make(table, protocol.removeprefix("six-"), seed)
        return replace(split, name=protocol, title=f"six emotions, {split.title}")
    if found := re.fullmatch(r"(random|group|holdout|clips)(\d+)", protocol):
        number = int(found[2])
        if found[1] == "clips":
            return hold_out_clips(table, number / 100, seed)
        if found[1] == "random":
            return random_folds(table, number, seed)
        if found[1] == "group":
            return speaker_folds(table, number, seed)
        return hold_out(table, number / 100, seed)
    if protocol in PUBLISHED:
        return published_folds(table, protocol)
    if task := task_of(protocol):
        return _valence_split(table, protocol, protocol.removeprefix(task), seed)
    known = "; ".join(f"{name!r} ({meaning})" for name, meaning in PROTOCOLS.items())
    raise SplitError(f"unknown protocol {protocol!r}. Known are: {known}")


def task_of(protocol: str) -> str | None:
    """Name the task of valence that a protocol is about, or None for protocols about emotions.

    Parameters
    ----------
    protocol : str

    Examples
    --------
    >>> task_of("binary-neg-loco"), task_of("loso")
    ('binary-neg', None)
    """
    found = re.fullmatch(rf"({'|'.join(TASKS)})(-loco|-lolo|-original)?", protocol)
    return found[1] if found else None


def honest_protocol(table: pd.DataFrame) -> str:
    """Name the speaker-disjoint protocol that suits a corpus.

    Parameters
    ----------
    table : DataFrame
        Utterance table.

    Returns
    -------
    str
        The published folds where they fit the table; else "loso" for up to ten speakers, and "group6" for
        more.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122"), "corpus": "mine"})
    >>> honest_protocol(table)
    'loso'
    """
    try:
        return published_folds(table, "emobox6").name
    except SplitError:
        return "loso" if len(_groups(table, "speaker", 2)) <= 10 else "group6"


def seed_split(table: pd.DataFrame) -> Split:
    """Split as the original notebook did: a random 20 % for testing, seed 1, whoever speaks.

    The original read the corpus folder by folder, one folder per actor, and called
    ``train_test_split(..., test_size=0.2, random_state=1)`` without stratification. Which clips are drawn
    depends on the order of the rows alone, and the order in which the original's operating system listed
    files is not known; here rows are put in the order of speaker, then clip name, which is that of sorted
    folders. On RAVDESS this gives 1152 clips for training and 288 for testing.

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
    return Split("seed-split", "random 80/20, seed 1 (shares speakers)", (_fold(table, train, test),), False)


def random_folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> Split:
    """Deal clips at random into `k` folds, stratified by emotion, whoever speaks.

    Stratified so that it differs from `speaker_folds` in one thing only: here speakers are on both sides.

    Parameters
    ----------
    table : DataFrame
        Utterance table.
    k : int
        Number of folds, at least 2 and at most the number of clips of the rarest emotion.
    seed : int
        Decides how they are dealt out.

    Returns
    -------
    Split
    """
    from sklearn.model_selection import StratifiedKFold

    rarest = table["emotion"].value_counts().min() if len(table) else 0
    if not 2 <= k <= rarest:
        raise SplitError(
            f"cannot make {k} random folds: K must be at least 2 and at most {rarest}, the rarest class"
        )
    dealer = StratifiedKFold(k, shuffle=True, random_state=seed)
    folds = tuple(_fold(table, *rows) for rows in dealer.split(table, table["emotion"]))
    return Split(f"random{k}", f"{k} random folds, seed {seed} (shares speakers)", folds, False)


def speaker_folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> Split:
    """Deal speakers into `k` folds so that each fold's class sizes are as even as whole speakers allow.

    Parameters
    ----------
    table : DataFrame
        Utterance table.
    k : int
        Number of folds, at least 2 and at most the number of speakers.
    seed : int
        Decides how they are dealt out.

    Returns
    -------
    Split
    """
    folds = tuple(_fold(table, *rows) for rows in _deal(table, "speaker", k, seed))
    return Split(f"group{k}", f"{k} speaker-disjoint folds, seed {seed}", folds, True)


def hold_out(table: pd.DataFrame, share: float = 0.3, seed: int = 0, draws: int = 200) -> Split:
    """Hold out a share of the speakers for testing.

    Of `draws` random choices of speakers the one is kept whose class proportions are nearest (in summed
    absolute difference) to those of the whole table.

    Parameters
    ----------
    table : DataFrame
        Utterance table.
    share : float
        Share of the **speakers**, not of the clips, in (0, 1); at least one speaker stays on each side.
    seed : int
        Of the draws.
    draws : int
        How many choices of speakers are compared.

    Returns
    -------
    Split
        With one fold.
    """
    if not 0 < share < 1:
        raise SplitError(f"cannot hold out a share of {share:g} of the speakers: it must lie between 0 and 1")
    counts = pd.crosstab(table["speaker"], table["emotion"])
    speakers = _groups(table, "speaker", 2)
    held = min(max(round(share * len(speakers)), 1), len(speakers) - 1)
    rng = np.random.default_rng(seed)
    chosen = np.zeros((draws, len(speakers)), bool)
    for row in chosen:
        row[rng.choice(len(speakers), held, replace=False)] = True
    sizes = chosen.astype(int) @ counts.loc[speakers].to_numpy()
    ideal = counts.to_numpy().sum(0) / len(table)
    distance = np.abs(sizes / sizes.sum(1, keepdims=True) - ideal).sum(1)
    test_speakers = np.array(speakers)[chosen[distance.argmin()]]
    percent = round(100 * share)
    title = f"speaker-disjoint, {percent} % of speakers held out, seed {seed}"
    return Split(f"holdout{percent}", title, (_by_speakers(table, test_speakers),), True)


def hold_out_clips(table: pd.DataFrame, share: float = 0.3, seed: int = 0) -> Split:
    """Hold out a share of the clips for testing, stratified by emotion, whoever speaks.

    Parameters
    ----------
    table : DataFrame
        Utterance table.
    share : float
        Share of the clips, in (0, 1).
    seed : int
        Of the draw.

    Returns
    -------
    Split
        With one fold.

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
            np.arange(len(table)), test_size=share, random_state=seed, stratify=table["emotion"]
        )
    except ValueError as error:
        raise SplitError(f"cannot hold out {100 * share:g} % of {len(table)} clips: {error}") from error
    title = f"random {100 * share:g} % of the clips held out, seed {seed} (shares speakers)"
    return Split(f"clips{round(100 * share)}", title, (_fold(table, *parts),), False)


def six_emotions(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the clips of a table that are of one of CREMA-D's six emotions.

    Parameters
    ----------
    table : DataFrame
        Utterance table.

    Returns
    -------
    DataFrame
        With rows numbered anew.

    Raises
    ------
    SplitError
        If fewer than two of the six are there.
    """
    kept = table[table["emotion"].isin(SIX_EMOTIONS)].reset_index(drop=True)
    if kept["emotion"].nunique() < 2:
        raise SplitError(f"of {', '.join(SIX_EMOTIONS)} the table has fewer than two")
    kept.attrs = dict(table.attrs)
    return kept


def leave_one_speaker_out(table: pd.DataFrame) -> Split:
    """Test on each speaker in turn, in the order of their names; train on all others.

    Parameters
    ----------
    table : DataFrame
        Utterance table.

    Returns
    -------
    Split
    """
    folds = tuple(_by_speakers(table, [speaker]) for speaker in _groups(table, "speaker", 2))
    return Split("loso", f"leave one speaker out ({len(folds)} speakers)", folds, True)


def corpus_folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> Split:
    """Deal the speakers of each corpus into `k` folds, so that each fold has speakers of all corpora.

    Within a corpus, classes are spread as evenly as whole speakers allow; what counts is valence where the
    table has it, so that the folds do not depend on the task. Speakers of a corpus with fewer than `k` are
    tested in as many folds as there are speakers.

    Parameters
    ----------
    table : DataFrame
        Utterance table of one or more corpora, as from `serlab.corpora.unify`.
    k : int
        Number of folds, at least 2 and at most the number of speakers of the corpus that has most.
    seed : int
        Decides how they are dealt out.

    Returns
    -------
    Split

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112345"), "corpus": list("xxxyyy")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> [table["corpus"][fold.test].nunique() for fold in corpus_folds(table, 2)]
    [2, 2]
    """
    _groups(table, "speaker", 2)
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
        part = part.assign(emotion=part[strata].astype(str))
        if by_corpus[corpus] == 1:
            tests[0].append(rows)
            continue
        for number, (_, test) in enumerate(_deal(part, "speaker", min(k, by_corpus[corpus]), seed)):
            tests[number].append(rows[test])
    every = np.arange(len(table))
    held = [np.concatenate(parts) for parts in tests]
    folds = tuple(_fold(table, np.setdiff1d(every, test), test) for test in held)
    return Split(f"corpus{k}", f"{k} speaker-disjoint folds within corpora, seed {seed}", folds, True)


def leave_one_out(table: pd.DataFrame, column: str) -> Split:
    """Test on each corpus or language in turn, in the order of the table; train on all others.

    Parameters
    ----------
    table : DataFrame
        Utterance table of several corpora, as from `serlab.corpora.unify`.
    column : {"corpus", "language"}
        What is left out. Where each language is that of one corpus both give the same folds, and the title
        says so.

    Returns
    -------
    Split
    """
    _groups(table, column, 2)
    codes, names = pd.factorize(table[column])
    folds = tuple(
        _fold(table, np.flatnonzero(codes != n), np.flatnonzero(codes == n)) for n in range(len(names))
    )
    same = len(table[["corpus", "language"]].drop_duplicates()) == table["corpus"].nunique() == len(names)
    title = f"leave one {column} out ({', '.join(map(str, names))})"
    if same and column == "language":
        title += ": the same folds as leaving one corpus out"
    return Split({"corpus": "loco", "language": "lolo"}[column], title, folds, True)


def across(table: pd.DataFrame, train: str, test: str, column: str = "corpus") -> Split:
    """Train on all clips of one corpus or language, test on all of another.

    Parameters
    ----------
    table : DataFrame
        Utterance table of several corpora, as from `serlab.corpora.unify`.
    train, test : str
        Two different values of `column`.
    column : str
        "corpus", "language" or "family".

    Returns
    -------
    Split
        With one fold.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": list("1234"), "corpus": ["ravdess", "ravdess", "nemo", "emodb"]})
    >>> across(table, "ravdess", "nemo").folds[0]
    Fold(train=2, validation=0, test=1)
    """
    there = set(_groups(table.dropna(subset=[column]), column, 2))
    if train == test or not {train, test} <= there:
        raise SplitError(
            f"cannot train on {train!r} and test on {test!r}: they must be two of {', '.join(sorted(there))}"
        )
    fold = _fold(table, *(np.flatnonzero(table[column] == name) for name in (train, test)))
    return Split(f"{train}-to-{test}", f"trained on {train}, tested on {test}", (fold,), True)


def original_hold_out(table: pd.DataFrame, share: float = 0.3, seed: int = 0) -> Split:
    """Hold out a random share of the speakers, whatever they say: the original split of the valence study.

    Unlike `hold_out` it takes the first draw, so that classes and corpora may be unlike on the two sides.

    Parameters
    ----------
    table : DataFrame
        Utterance table.
    share : float
        Share of the speakers, in (0, 1); at least one speaker stays on each side.
    seed : int
        Of the draw.

    Returns
    -------
    Split
        With one fold.
    """
    one = hold_out(table, share, seed, draws=1)
    title = f"a random {round(100 * share)} % of the speakers held out, seed {seed}"
    return Split(f"original{round(100 * share)}", title, one.folds, True)


def text_folds(table: pd.DataFrame, seed: int = 0) -> Split:
    """Test on sentences that are never heard in training; speakers are on both sides.

    Each sentence in turn where there are at most ten, else ten groups of sentences stratified by emotion.

    Parameters
    ----------
    table : DataFrame
        Utterance table with a sentence for every clip.
    seed : int
        Decides how groups of sentences are dealt out.

    Returns
    -------
    Split
    """
    sentences = _groups(table, "sentence", 2)
    k = min(len(sentences), MOST_TEXT_FOLDS)
    folds = tuple(_fold(table, *rows) for rows in _deal(table, "sentence", k, seed))
    what = "leave one sentence out" if k == len(sentences) else f"{k} sentence-disjoint folds, seed {seed}"
    return Split("text", f"{what} (shares speakers)", folds, False)


def speaker_text_folds(table: pd.DataFrame, seed: int = 0, k: int = 5) -> Split:
    """Test on speakers and sentences neither of which is heard in training.

    Speakers are dealt into `k` groups, sentences into `k` too (fewer where there are fewer); each pair of
    groups is tested once by a model that is trained on the clips of other speakers with other sentences.
    Every clip is tested once; training sets are smaller than with speakers alone, which costs accuracy too
    and has to be said beside it.

    Parameters
    ----------
    table : DataFrame
        Utterance table with a sentence for every clip.
    seed : int
        Decides how speakers and sentences are dealt out.
    k : int
        Number of groups of either.

    Returns
    -------
    Split
    """
    by_speaker = _deal(table, "speaker", min(k, len(_groups(table, "speaker", 2))), seed)
    by_sentence = _deal(table, "sentence", min(k, len(_groups(table, "sentence", 2))), seed)
    pairs = ((speakers, sentences) for speakers in by_speaker for sentences in by_sentence)
    folds = tuple(
        _fold(table, np.intersect1d(train_s, train_t), np.intersect1d(test_s, test_t))
        for (train_s, test_s), (train_t, test_t) in pairs
    )
    folds = tuple(fold for fold in folds if fold.test.size and fold.train.size)
    title = f"speaker- and sentence-disjoint, {len(by_speaker)} × {len(by_sentence)} folds, seed {seed}"
    return Split("speaker-text", title, folds, True)


def published_folds(table: pd.DataFrame, protocol: str) -> Split:
    """Use the folds that were published for a corpus, so that results stand beside those of others.

    Parameters
    ----------
    table : DataFrame
        Utterance table of a whole corpus that `serlab.corpora` has folds for.
    protocol : str
        Name of the folds, such as "emobox6".

    Returns
    -------
    Split

    References
    ----------
    Wu, H. et al. (2024). EMO-SUPERB: an in-depth look at speech emotion recognition. IEEE SLT.

    Ma, Z. et al. (2024). EmoBox: multilingual multi-corpus speech emotion recognition toolkit and benchmark.
    Interspeech.
    """
    from serlab import corpora

    name = table.attrs.get("corpus") or table["corpus"].iloc[0]
    try:
        groups = corpora.folds(name, protocol)
    except CorpusError as error:
        raise SplitError(
            f"{error} Use 'group6' or 'loso' for speaker-disjoint folds of any corpus."
        ) from error
    missing = {speaker for group in groups for speaker in group} ^ set(table["speaker"])
    if missing:
        listed = ", ".join(sorted(missing))
        raise SplitError(f"{protocol} does not fit this table: speakers {listed} are in one of the two only")
    folds = tuple(_by_speakers(table, group) for group in groups)
    by = PUBLISHED.get(protocol, "published")
    return Split(protocol, f"speaker-disjoint {len(folds)} folds ({by})", folds, True)


def with_validation(split: Split, table: pd.DataFrame, share: float = 0.2, seed: int = 0) -> Split:
    """Carve speaker-disjoint validation rows out of every fold's training rows.

    Validation data chooses epochs and settings; its speakers appear neither in what is left for training
    nor, where the split is speaker-disjoint, in the test rows.

    Parameters
    ----------
    split : Split
        Validation rows that it has already are dealt out anew.
    table : DataFrame
        Utterance table.
    share : float
        Share of the training rows, met as nearly as whole speakers allow, in (0, 0.5].
    seed : int
        Decides which speakers validate.

    Returns
    -------
    Split

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> with_validation(make(table, "loso"), table, share=0.5).folds[0]
    Fold(train=2, validation=2, test=2)
    """
    if not 0 < share <= 0.5:
        raise SplitError(f"cannot use a share of {share:g} for validation: it must lie in (0, 0.5]")
    check_rows(split, table)
    folds = []
    for fold in split:
        rows = np.sort(np.concatenate([fold.train, fold.validation]))
        part = table.iloc[rows]
        k = min(round(1 / share), len(_groups(part, "speaker", 2)))
        train, validation = _deal(part, "speaker", k, seed)[0]
        folds.append(replace(fold, train=rows[train], validation=rows[validation]))
    return replace(split, folds=tuple(folds))


def with_random_validation(split: Split, table: pd.DataFrame, share: float = 0.05, seed: int = 0) -> Split:
    """Carve validation clips out of every fold's training clips at random, whoever speaks.

    As the original CREMA-D notebook did. Of speakers also trained on, they choose epochs that suit those
    speakers: `with_validation` is the sound way.

    Parameters
    ----------
    split : Split
    table : DataFrame
        Utterance table.
    share : float
        Share of the training clips, in (0, 1).
    seed : int
        Of the draw.

    Returns
    -------
    Split

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdefgh"), "speaker": list("11223344")})
    >>> table["emotion"] = ["sad", "happy"] * 4
    >>> with_random_validation(make(table, "loso"), table, share=1 / 3).folds[0]
    Fold(train=4, validation=2, test=2)
    """
    check_rows(split, table)
    folds = []
    for fold in split:
        rows = np.sort(np.concatenate([fold.train, fold.validation]))
        part = hold_out_clips(table.iloc[rows], share, seed).folds[0]
        folds.append(replace(fold, train=rows[part.train], validation=rows[part.test]))
    return replace(split, folds=tuple(folds))


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
    """Make sure that folds are of the rows of a table, in the order that they have there.

    Parameters
    ----------
    split : Split, or folds
        Those written by hand (without `Fold.made_for`) are asked for row numbers of the table only.
    table : DataFrame
        Utterance table.

    Raises
    ------
    SplitError
        If the folds were made for another table: one with other clips, or with these in another order.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122")})
    >>> check_rows(make(table, "loso"), table)
    >>> check_rows(make(table, "loso"), table[::-1])
    Traceback (most recent call last):
    serlab.errors.SplitError: fold 0 was made for another table...
    """
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
    """Make sure that a split is of a table (see `check_rows`), and as sound there as it says.

    Parameters
    ----------
    split : Split
    table : DataFrame
        Utterance table.

    Raises
    ------
    SplitError
        If it is not; if a fold has nothing to train on or to test, or a row on both sides; or if the split
        says that it is speaker-disjoint and a test speaker is heard in training or validation.

    Examples
    --------
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
            _check_speakers(fold, table, split.title or split.name)


def _check_speakers(fold: Fold, table: pd.DataFrame, title: str) -> None:
    speakers = table["speaker"].to_numpy(dtype=object)
    used = np.concatenate([fold.train, np.setdiff1d(fold.validation, fold.test)]).astype(int)
    tested = set(speakers[fold.test])
    if shared := sorted(map(str, tested & set(speakers[used]))):
        raise SplitError(
            f"{title!r} says that no test speaker is heard in training, but speaker {shared[0]} is, by this "
            "table. Split it anew, with serlab.splits.make"
        )


def audit(
    table: pd.DataFrame,
    split: Split,
    digests: Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Tell what the test rows of a split share with the rows used for training and validation.

    Parameters
    ----------
    table : DataFrame
        The utterance table that was split.
    split : Split
    digests : sequence of str, optional
        One per row: a digest of the sound, equal for identical sound.
    sources : sequence of str, optional
        One per row: the clip that the row was made from, so that augmented copies are known as such.

    Returns
    -------
    DataFrame
        One row per kind of leak, indexed by it, with columns ``folds`` (how many folds it touches), ``of``
        (how many there are), ``test_clips`` (test rows concerned, over all folds), ``share`` (of all test
        rows) and ``examples``. What could not be looked at, for want of a column, has missing values.

    Examples
    --------
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


def _valence_split(table: pd.DataFrame, protocol: str, kind: str, seed: int) -> Split:
    makers = {
        "": lambda: corpus_folds(table, min(5, _most_speakers(table)), seed),
        "-loco": lambda: leave_one_out(table, "corpus"),
        "-lolo": lambda: leave_one_out(table, "language"),
        "-original": lambda: original_hold_out(table, 0.3, seed),
    }
    return replace(makers[kind](), name=protocol)


def _most_speakers(table: pd.DataFrame) -> int:
    """Count the speakers of the corpus that has most."""
    return int(table.groupby("corpus")["speaker"].nunique().max())


def _fold(table: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> Fold:
    return Fold(np.sort(train), np.array([], dtype=int), np.sort(test), fingerprint(table))


def _by_speakers(table: pd.DataFrame, test_speakers: Sequence[str]) -> Fold:
    held = table["speaker"].isin(list(test_speakers)).to_numpy()
    return _fold(table, np.flatnonzero(~held), np.flatnonzero(held))


def _groups(table: pd.DataFrame, column: str, least: int) -> list[str]:
    """List the distinct speakers or sentences, or say why they cannot be kept apart."""
    if column not in table or table[column].isna().all():
        raise SplitError(
            f"this corpus has no {column} column: give the table one, or use a split that needs none"
        )
    if table[column].isna().any():
        clip = table.loc[table[column].isna(), "clip"].iloc[0]
        raise SplitError(f"clip {clip} has no {column}: fill in the {column} column, or leave such clips out")
    found = sorted(table[column].unique())
    if len(found) < least:
        raise SplitError(
            f"a {column}-disjoint split needs at least {least} different values of {column}, not {found}"
        )
    return found


def _deal(table: pd.DataFrame, column: str, k: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    import warnings

    from sklearn.model_selection import StratifiedGroupKFold

    groups = _groups(table, column, 2)
    if not 2 <= k <= len(groups):
        raise SplitError(
            f"cannot make {k} {column}-disjoint folds of {len(groups)} {column}s: use 2 to {len(groups)}"
        )
    dealer = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer clips than folds is no fault: stratification is "as far as possible".
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(dealer.split(table, table["emotion"], table[column]))

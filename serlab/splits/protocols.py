"""The protocols of the book: which clips, under which labels, in which folds. Only here names are read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from serlab import corpora
from serlab.errors import CorpusError, SplitError
from serlab.splits.base import Split, deal, fold_of, fold_of_speakers, groups_of
from serlab.splits.folds import (
    corpus_folds,
    hold_out_clips,
    leave_one_out,
    original_hold_out,
    random_folds,
    speaker_folds,
)

SIX_EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust")


class _Kind(NamedTuple):
    """What the protocols of one name, or of one pattern, have in common."""

    meaning: str
    # Takes the table, the number in the name, and the seed.
    deal: Callable[[pd.DataFrame, int, int], Split]
    speaker_disjoint: bool = True
    tests_every_clip: bool = True


def _seed_split(table: pd.DataFrame, *_) -> Split:
    """Split as the original notebook did: a random 20 % for testing, seed 1, whoever speaks."""
    from sklearn.model_selection import train_test_split

    # Which clips are drawn depends on nothing but the order of the rows. That of the original's files is not
    # known; here it is by speaker, then clip name, as of sorted folders, one for each actor.
    rows = table[["speaker", "clip"]].reset_index(drop=True).sort_values(["speaker", "clip"]).index.to_numpy()
    if rows.size < 2:
        raise SplitError(f"a split needs at least two clips, the table has {rows.size}")
    fold = fold_of(table, *train_test_split(rows, test_size=0.2, random_state=1))
    return Split("seed-split", "random 80/20, seed 1 (shares speakers)", (fold,), False)


def _leave_one_speaker_out(table: pd.DataFrame, *_) -> Split:
    """Test on each speaker in turn, in the order of their names; train on all others."""
    folds = tuple(fold_of_speakers(table, [speaker]) for speaker in groups_of(table, "speaker"))
    return Split("loso", f"leave one speaker out ({len(folds)} speakers)", folds, True)


def _text_folds(table: pd.DataFrame, _, seed: int) -> Split:
    """Test on each sentence in turn where there are at most ten, else on ten groups of them."""
    sentences = len(groups_of(table, "sentence"))
    k = min(sentences, 10)
    folds = tuple(fold_of(table, *rows) for rows in deal(table, "sentence", k, seed))
    what = "leave one sentence out" if k == sentences else f"{k} sentence-disjoint folds, seed {seed}"
    return Split("text", f"{what} (shares speakers)", folds, False)


def _speaker_text_folds(table: pd.DataFrame, _, seed: int) -> Split:
    """Test each pair of groups of speakers and of sentences once, trained on other speakers and sentences."""
    by_speaker, by_sentence = (
        deal(table, column, min(5, len(groups_of(table, column))), seed) for column in ("speaker", "sentence")
    )
    pairs = ((speakers, sentences) for speakers in by_speaker for sentences in by_sentence)
    folds = tuple(
        fold_of(table, np.intersect1d(train_s, train_t), np.intersect1d(test_s, test_t))
        for (train_s, test_s), (train_t, test_t) in pairs
    )
    folds = tuple(fold for fold in folds if fold.test.size and fold.train.size)
    title = f"speaker- and sentence-disjoint, {len(by_speaker)} × {len(by_sentence)} folds, seed {seed}"
    return Split("speaker-text", title, folds, True)


def _published_folds(table: pd.DataFrame, protocol: str, by: str) -> Split:
    """Use the folds that were published for a whole corpus, so that results stand beside those of others."""
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
    return Split(protocol, f"speaker-disjoint {len(folds)} folds ({by})", folds, True)


# K and P stand for a number, TASK for one of `serlab.corpora.TASKS`.
_KINDS = {
    "seed-split": _Kind(
        "random 80/20, seed 1: the split of the original notebook (shares speakers)",
        _seed_split,
        speaker_disjoint=False,
        tests_every_clip=False,
    ),
    "randomK": _Kind("K random folds, K = 2, 3, ... (shares speakers)", random_folds, speaker_disjoint=False),
    "groupK": _Kind("K speaker-disjoint folds", speaker_folds),
    "loso": _Kind("leave one speaker out", _leave_one_speaker_out),
    "emobox6": _Kind(
        "RAVDESS, the six speaker-disjoint folds published by EmoBox",
        # Ma, Z. et al. (2024). EmoBox: multilingual multi-corpus speech emotion recognition toolkit and
        # benchmark. Interspeech.
        lambda table, *_: _published_folds(table, "emobox6", "EmoBox"),
    ),
    "text": _Kind("leave sentences out (shares speakers)", _text_folds, speaker_disjoint=False),
    "speaker-text": _Kind("leave speakers and sentences out together", _speaker_text_folds),
    "emosuperb5": _Kind(
        "CREMA-D, the five speaker-disjoint sessions published by EMO-SUPERB",
        # Wu, H. et al. (2024). EMO-SUPERB: an in-depth look at speech emotion recognition. IEEE SLT.
        lambda table, *_: _published_folds(table, "emosuperb5", "EMO-SUPERB"),
    ),
    "clipsP": _Kind(
        "P percent of the clips held out, stratified by emotion (shares speakers)",
        lambda table, percent, seed: hold_out_clips(table, percent / 100, seed),
        speaker_disjoint=False,
        tests_every_clip=False,
    ),
    "TASK": _Kind(
        "five speaker-disjoint folds, each with speakers of all corpora (fewer where none has five)",
        lambda table, _, seed: corpus_folds(
            table, min(5, table.groupby("corpus")["speaker"].nunique().max()), seed
        ),
    ),
    "TASK-loco": _Kind("leave one corpus out", lambda table, *_: leave_one_out(table, "corpus")),
    "TASK-lolo": _Kind("leave one language out", lambda table, *_: leave_one_out(table, "language")),
    "TASK-original": _Kind(
        "a random 30 percent of the speakers held out, whatever they say",
        lambda table, _, seed: original_hold_out(table, 0.3, seed),
        tests_every_clip=False,
    ),
}
PROTOCOLS = {name: kind.meaning for name, kind in _KINDS.items()} | {
    "six-PROTOCOL": "any of these, on the six emotions that CREMA-D has (see `six_emotions`)"
}
"""Name of a protocol, or pattern of names, to what it means."""


@dataclass(frozen=True)
class Protocol:
    """What is asked of a model, and which clips it is asked about.

    Its `target` is the column of the table that is learned: "emotion", or one of `serlab.corpora.TASKS`;
    `six` says whether it is about the six emotions of CREMA-D only; `number` is that in its name, such as the
    5 of "group5", or 0. It says whether it is `speaker_disjoint`: no test speaker is heard in training or
    validation; and whether it `tests_every_clip`, each in one of the folds.

    Examples
    --------
    >>> asked = get("binary-neg-loco")
    >>> asked.target, asked.speaker_disjoint, asked.tests_every_clip
    ('binary-neg', True, True)
    """

    name: str
    target: str
    six: bool
    number: int
    meaning: str
    deal: Callable[[pd.DataFrame, int, int], Split]
    speaker_disjoint: bool
    tests_every_clip: bool

    @property
    def tests_speakers_at_once(self) -> bool:
        """Whether all clips of a speaker are tested in one fold."""
        # Where sentences are kept apart too, a speaker is tested in several folds and trained on in none.
        return self.speaker_disjoint and self.deal is not _speaker_text_folds

    def prepare(self, table: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows of a table that the protocol is about, without clips known to hold no sound.

        Raises `SplitError` if six emotions are asked, and fewer than two of them are there.
        """
        name = table.attrs.get("corpus")
        silent = corpora.record(name).silent if name in corpora.names() else frozenset()
        if silent & set(table["clip"]):
            table = _rows(table, ~table["clip"].isin(silent))
        return six_emotions(table) if self.six else table

    def split(self, table: pd.DataFrame, seed: int = 0) -> Split:
        """Split a table that has the rows of `prepare`; see `make`."""
        if "clip" in table and (again := table["clip"].duplicated()).any():
            raise SplitError(
                f"clip {table['clip'][again].iloc[0]} is in the table twice, and could be on both sides of a "
                "split: drop one, or name it otherwise"
            )
        if self.target in corpora.TASKS and (self.target not in table or table[self.target].isna().any()):
            raise SplitError(
                f"{self.name} is about the column {self.target!r}, which is missing or has gaps: join the "
                'corpora with serlab.corpora.unify, even a single one: unify(["ravdess"])'
            )
        if self.six and (others := set(table["emotion"]) - set(SIX_EMOTIONS)):
            raise SplitError(
                f"{self.name} is about the six emotions of CREMA-D, and the table has "
                f"{', '.join(sorted(others))} too: take six_emotions(table)"
            )
        split = self.deal(table, self.number, seed)
        title = f"six emotions, {split.title}" if self.six else split.title
        return replace(split, name=self.name, title=title, target=self.target)


def get(name: str) -> Protocol:
    """Return the protocol of a name; `SplitError` if there is none.

    It is one of `PROTOCOLS`, the letter replaced by a number: "group5", "random5", "clips30"; TASK is one of
    `serlab.corpora.TASKS`: "ternary", "binary-neg-loco".
    """
    if not isinstance(name, str):
        raise SplitError(f"a protocol is named by a word, such as 'loso', not {name!r}")
    six = name.startswith("six-")
    for pattern, kind in _KINDS.items():
        pattern = pattern.replace("TASK", f"(?P<task>{'|'.join(corpora.TASKS)})")
        found = re.fullmatch(re.sub("[KP]$", r"(?P<number>[0-9]+)", pattern), name.removeprefix("six-"))
        parts = found.groupdict() if found else {}
        if found and not (six and "task" in parts):
            return Protocol(name, parts.get("task", "emotion"), six, int(parts.get("number", 0)), *kind)
    known = "; ".join(f"{known!r} ({meaning})" for known, meaning in PROTOCOLS.items())
    raise SplitError(f"unknown protocol {name!r}. Known are: {known}")


def make(table: pd.DataFrame, protocol: str, seed: int = 0) -> Split:
    """Split an utterance table by the name of a protocol.

    It has at least the columns ``clip``, ``speaker`` and ``emotion``; for protocols about valence it is one
    of `serlab.corpora.unify`. Names are those of `get`; folds are the same for all tasks, so that models of
    one can be compared with those of another. `seed` decides how speakers or clips are dealt out, but not in
    "seed-split", "loso", published folds and those that leave a corpus or a language out. `SplitError` if the
    name is unknown, or the table cannot be split in this way.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdef"), "speaker": list("112233")})
    >>> table["emotion"] = ["sad", "happy"] * 3
    >>> [fold.test.tolist() for fold in make(table, "loso")]
    [[0, 1], [2, 3], [4, 5]]
    """
    return get(protocol).split(table, seed)


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
        return _published_folds(table, "emobox6", "EmoBox").name
    except SplitError:
        return "loso" if len(groups_of(table, "speaker")) <= 10 else "group6"


def six_emotions(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the clips of a table that are of one of CREMA-D's six emotions, and number the rows anew.

    Raises `SplitError` if fewer than two of the six are there.
    """
    kept = _rows(table, table["emotion"].isin(SIX_EMOTIONS))
    if kept["emotion"].nunique() < 2:
        raise SplitError(f"of {', '.join(SIX_EMOTIONS)} the table has fewer than two")
    return kept


def _rows(table: pd.DataFrame, wanted: pd.Series) -> pd.DataFrame:
    kept = table[wanted].reset_index(drop=True)
    kept.attrs = dict(table.attrs)
    return kept

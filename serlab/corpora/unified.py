"""Several corpora as one table, with classes of valence beside the emotions."""

import itertools
import os
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from serlab.corpora import registry, words
from serlab.corpora.table import COLUMNS, EMOTIONS
from serlab.errors import CorpusError

NAME = "unified"

SOURCES = ("ravdess", "nemo", "emodb", "cremad")
"""Corpora that ``serlab.load("unified")`` joins, where they are here; for "emodb" else "emodb_first2s"."""

FAMILIES = {"English": "Germanic", "German": "Germanic", "Polish": "Slavic"}
"""Language to the branch of Indo-European that it belongs to."""

TASKS: dict[str, dict[int, str]] = {
    "ternary": {-1: "negative", 0: "neutral", 1: "positive"},
    "binary-neg": {-1: "negative", 0: "other", 1: "other"},
    "binary-neu": {-1: "other", 0: "neutral", 1: "other"},
    "binary-pos": {-1: "other", 0: "other", 1: "positive"},
}
"""Task, which is the name of a column of a joined table, to the class of each valence."""

# Where a table gives a valence of its own between -1 and 1, the middle third counts as neutral.
NEUTRAL_UP_TO = 1 / 3


def unify(
    sources: Sequence[str | os.PathLike | pd.DataFrame],
    *,
    valence: Mapping[str, int | None] | None = None,
    arousal: Mapping[str, int | None] | None = None,
    keep_all: bool = False,
) -> pd.DataFrame:
    """Join corpora to one utterance table in which every clip has a valence of -1, 0 or 1.

    Takes names of corpora, folders of your own (as for `serlab.load`), or utterance tables. `valence` and
    `arousal` change `serlab.corpora.CIRCUMPLEX`: emotion, or own label, to -1, 0, 1, or None for no place.

    Clips whose emotion has no valence are left out, and it is said how many. By default that is "surprised",
    which acted corpora do not call pleasant or unpleasant; ``valence={"surprised": 1}`` keeps such clips, as
    pleasant ones, and ``keep_all=True`` with NaN: for work on the emotions themselves. "calm" counts as
    positive, as Russell has it, though it sounds nearer to neutral than to happy; ``valence={"calm": 0}``
    follows the ear. A valence that a folder's own table gives, between -1 and 1, counts more than the
    mapping, and its middle third is 0.

    Returns
    -------
    DataFrame
        The usual columns; ``family``, the branch of the language, missing for languages that are not in
        `FAMILIES`; and a column of classes for each of `TASKS`: ``ternary`` (negative, neutral, positive) and
        ``binary-neg``, ``binary-neu``, ``binary-pos`` (one of them against "other"). Clips, speakers and
        sentences are called ``<corpus>/<clip>`` and so on, so that equal numbers in two corpora are not
        taken for one person. Sources follow each other in the order given. ``attrs["sources"]`` maps each
        corpus to its title, ``attrs["dropped"]`` to the number of clips per emotion that were left out.

    Raises
    ------
    CorpusError
        If there is nothing to join, a name, a file or people are there twice, or a change names an unknown
        emotion or an impossible value.

    References
    ----------
    Russell 1980, A circumplex model of affect, Journal of Personality and Social Psychology 39(6), 1161-1178.

    Schuller et al. 2010, Cross-corpus acoustic emotion recognition: variances and strategies, IEEE
    Trans. Affective Computing 1(2), 119-131: emotions of six corpora mapped to binary valence and arousal.

    Examples
    --------
    >>> table = unify(["demo"])
    Left out, for want of a valence: 48 clips (demo: surprised 48).
    >>> table[["clip", "speaker", "emotion", "valence"]].head(1).values.tolist()
    [['demo/d01-angry-s1-1', 'demo/d01', 'angry', -1.0]]
    >>> len(unify(["demo"], valence={"surprised": 1})), len(unify(["demo"], keep_all=True))
    (384, 384)
    """
    from serlab import corpora

    if isinstance(sources, (str, os.PathLike, pd.DataFrame)):
        one = "table" if isinstance(sources, pd.DataFrame) else repr(os.fspath(sources))
        raise CorpusError(f"unify takes a list of corpora, even of one: unify([{one}]).")
    tables = [one if isinstance(one, pd.DataFrame) else corpora.load(one) for one in sources]
    names = [_name(table) for table in tables]
    _check_people(names)
    _doubt_people([table for table in tables if _name(table) not in registry.RECORDS])
    unified = pd.concat([_renamed(table) for table in tables], ignore_index=True)
    own = _mapped(unified, "valence", valence or {})
    unified["valence"] = np.sign(own).where(own.isna() | (own.abs() > NEUTRAL_UP_TO), 0.0)
    unified["arousal"] = _mapped(unified, "arousal", arousal or {})
    without = unified[unified["valence"].isna() & (not keep_all)]
    dropped: dict[str, dict[str, int]] = {
        name: part["emotion"].value_counts().sort_index().to_dict()
        for name, part in without.groupby("corpus", sort=False)
    }
    unified = unified.drop(index=without.index).reset_index(drop=True)
    if (again := unified["path"].duplicated()).any():
        path = unified["path"][again].iloc[0]
        both = " and ".join(unified.loc[unified["path"] == path, "clip"])
        raise CorpusError(f"{path} is there twice, as {both}: one person would be two speakers.")
    if unified.empty:
        raise CorpusError("No clip has a valence: give one to your labels, as in valence={'excited': 1}.")
    for task, classes in TASKS.items():
        unified[task] = unified["valence"].map(classes).astype(object)
    titles = {name: table.attrs.get("title", name) for name, table in zip(names, tables, strict=True)}
    title = "Unified: " + " + ".join(titles.values())
    unified.attrs = {"corpus": NAME, "title": title, "sources": titles, "dropped": dropped}
    if dropped:
        listed = [
            f"{name}: {', '.join(f'{emotion} {count}' for emotion, count in counts.items())}"
            for name, counts in dropped.items()
        ]
        print(f"Left out, for want of a valence: {len(without)} clips ({'; '.join(listed)}).")
    return unified


def load() -> pd.DataFrame:
    """Join the corpora that are here; see `serlab.load`, of which this is ``load("unified")``.

    These are `SOURCES`, and the one that ``$SERLAB_CORPUS`` names. Where that is "demo", or none is here,
    the synthetic corpus is taken in three parts that differ as recordings do.
    """
    from serlab.corpora import demo

    chosen = os.environ.get("SERLAB_CORPUS")
    found = available()
    if chosen and chosen not in (NAME, "demo", *found):
        # The copies of EmoDB hold the same people.
        found = [name for name in found if not (_is_emodb(name) and _is_emodb(chosen))] + [chosen]
    if found and chosen != "demo":
        return unify(found)
    if chosen != "demo":
        print(
            f"None of {', '.join(SOURCES)} was found on this machine, so this runs on three parts of demo, a "
            "small synthetic corpus: figures will differ from those in the text."
        )
    return unify(demo.part_tables())


def available() -> list[str]:
    """Name those of `SOURCES` that are on this machine."""
    from serlab import corpora

    found = []
    for name in SOURCES:
        copies = ("emodb", "emodb_first2s") if name == "emodb" else (name,)
        found += [copy for copy in copies if corpora.find(copy) is not None][:1]
    return found


def _name(table: pd.DataFrame) -> str:
    lacking = [column for column in COLUMNS if column not in table]
    if lacking:
        raise CorpusError(f"A table to join lacks the columns {', '.join(lacking)}: take one of serlab.load.")
    names = table["corpus"].unique()
    if len(names) != 1:
        held = ", ".join(map(str, names)) or "none"
        raise CorpusError(f"A table to join must hold one corpus, not {held}.")
    return str(names[0])


def _is_emodb(name: str) -> bool:
    return name.startswith("emodb")


def _check_people(names: list[str]) -> None:
    if not names:
        raise CorpusError("unify was given no corpora: give names, folders or tables, such as ['ravdess'].")
    for name in names:
        if names.count(name) > 1:
            raise CorpusError(
                f"Two of the corpora are called {name!r}. Give each once; of folders of one name rename one."
            )
    if len(twins := list(filter(_is_emodb, names))) > 1:
        both = " and ".join(twins)
        raise CorpusError(f"{both} hold the same people, whom no split could keep apart. Take one.")


def _doubt_people(own: list[pd.DataFrame]) -> None:
    """Warn if two folders of one's own have names of speakers in common."""
    for one, other in itertools.combinations(own, 2):
        people = {words.normalise(name): f"{_name(one)}/{name}" for name in one["speaker"].astype(str)}
        others = {f"{_name(other)}/{name}": words.normalise(name) for name in other["speaker"].astype(str)}
        same = {name: people[key] for name, key in others.items() if key in people}
        if same:
            warnings.warn(
                f"{_name(one)} and {_name(other)} have speakers of the same names, counted as different. "
                "Where they are the same people, write before you split: "
                f'table["speaker"] = table["speaker"].replace({same})',
                stacklevel=3,
            )


def _mapped(table: pd.DataFrame, axis: str, changes: Mapping[str, int | None]) -> pd.Series:
    emotions = set(EMOTIONS).union(table["emotion"])
    for emotion, value in changes.items():
        if emotion not in emotions:
            known = ", ".join(sorted(emotions))
            raise CorpusError(f"There is no emotion {emotion!r} to give a {axis}. Emotions are: {known}.")
        if value not in (-1, 0, 1, None):
            raise CorpusError(f"The {axis} of {emotion!r} must be -1, 0, 1 or None, not {value!r}.")
    changed = table["emotion"].map(changes)
    return table[axis].where(~table["emotion"].isin(list(changes)), changed).astype(float)


def _renamed(table: pd.DataFrame) -> pd.DataFrame:
    part = table[list(COLUMNS)].copy()
    for column in ("clip", "speaker", "sentence"):
        given = part[column].notna()
        part.loc[given, column] = part["corpus"].astype(str) + "/" + part.loc[given, column].astype(str)
    part["family"] = part["language"].map(FAMILIES)
    return part

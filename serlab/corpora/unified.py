"""Several corpora as one table, with classes of valence beside the emotions."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

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

    Parameters
    ----------
    sources
        Names of corpora, folders of your own (as for `serlab.load`), or utterance tables.
    valence, arousal
        Changes to the usual mapping of emotions, `serlab.corpora.CIRCUMPLEX`: emotion to -1, 0 or 1, or to
        None for emotions that have no place on that axis. A folder's own labels can be given here too.
    keep_all
        Keep clips without a valence as well, with NaN for it: for work on the emotions themselves.

    Returns
    -------
    DataFrame
        The usual columns; ``family``, the branch of the language, missing for languages that are not in
        `FAMILIES`; and a column of classes for each of `TASKS`: ``ternary`` (negative, neutral, positive) and
        ``binary-neg``, ``binary-neu``, ``binary-pos`` (one of them against "other"). Clips and speakers are
        called ``<corpus>/<clip>`` and ``<corpus>/<speaker>``, so that equal numbers in two corpora are not
        taken for one person; sentences likewise. The column ``corpus`` tells where a clip is from. Sources
        follow each other in the order given.

        ``attrs["sources"]`` maps each corpus to its title, and ``attrs["dropped"]`` to the number of clips
        per emotion that were left out.

    Raises
    ------
    CorpusError
        If there is nothing to join, a name is there twice, two sources hold the same people, or the mapping
        names an unknown emotion or an impossible value.

    Notes
    -----
    The mapping follows the quadrants of Russell's circumplex. Clips whose emotion has no valence are left
    out, and it is said how many. By default that is "surprised": a pleasant and an unpleasant surprise share
    a word, and acted corpora do not say which one is meant; ``valence={"surprised": 1}`` keeps such clips, as
    pleasant ones, and ``keep_all=True`` without saying so.
    "calm" counts as positive, as Russell has it, though it sounds nearer to neutral than to happy;
    ``valence={"calm": 0}`` follows the ear. Where a folder's table has a valence of its own, between -1 and
    1, that is taken rather than the mapping, and its middle third is 0.

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
    >>> len(unify(["demo"], valence={"surprised": 1}))
    384
    >>> unify(["demo"], keep_all=True)["valence"].isna().sum()
    np.int64(48)
    """
    from serlab import corpora

    if isinstance(sources, (str, os.PathLike, pd.DataFrame)):
        raise CorpusError(f"unify takes a list of corpora, even of one: unify([{_named(sources)}]).")
    tables = [one if isinstance(one, pd.DataFrame) else corpora.load(one) for one in sources]
    if not tables:
        raise CorpusError("unify was given no corpora: give names, folders or tables, such as ['ravdess'].")
    parts = {}
    for table in tables:
        name = _name(table)
        if name in parts:
            raise CorpusError(
                f"Two of the corpora are called {name!r}. Give each once; of folders of one name rename one."
            )
        parts[name] = table
    _check_people(list(parts))
    _check_mapping("valence", valence, parts)
    _check_mapping("arousal", arousal, parts)
    dropped: dict[str, dict[str, int]] = {}
    kept = []
    for name, table in parts.items():
        part = _renamed(table, name)
        part["valence"] = _mapped(part, "valence", valence).map(_three)
        part["arousal"] = _mapped(part, "arousal", arousal)
        without = part["valence"].isna() & (not keep_all)
        if without.any():
            dropped[name] = dict(sorted(Counter(part.loc[without, "emotion"]).items()))
        kept.append(part[~without])
    unified = pd.concat(kept, ignore_index=True)
    for task, classes in TASKS.items():
        unified[task] = unified["valence"].map(classes).astype(object)
    if (again := unified["path"].duplicated()).any():
        path = unified["path"][again].iloc[0]
        both = unified.loc[unified["path"] == path, "clip"].tolist()
        raise CorpusError(
            f"{path} is there twice, as {' and '.join(both)}: one person would be two speakers."
        )
    if unified.empty:
        raise CorpusError("No clip has a valence: give one to your labels, as in valence={'excited': 1}.")
    titles = {name: table.attrs.get("title", name) for name, table in parts.items()}
    unified.attrs = {
        "corpus": NAME,
        "title": "Unified: " + " + ".join(titles.values()),
        "sources": titles,
        "dropped": dropped,
    }
    if dropped:
        clips = sum(sum(counts.values()) for counts in dropped.values())
        print(f"Left out, for want of a valence: {clips} clips ({_listed(dropped)}).")
    return unified


def load() -> pd.DataFrame:
    """Join the corpora that are here; see `serlab.load`, of which this is ``load("unified")``.

    These are `SOURCES`, and the one that ``$SERLAB_CORPUS`` names. Where that is "demo", or none is here,
    the synthetic corpus is taken in three parts that differ as recordings do.
    """
    from serlab.corpora import demo

    chosen = os.environ.get("SERLAB_CORPUS")
    found = here()
    if chosen and chosen not in (NAME, "demo", *found):
        # The copies of EmoDB hold the same people.
        found = [name for name in found if _family(name) != _family(chosen)] + [chosen]
    if found and chosen != "demo":
        return unify(found)
    if chosen != "demo":
        print(
            f"None of {', '.join(SOURCES)} was found on this machine, so this runs on three parts of demo, a "
            "small synthetic corpus: figures will differ from those in the text."
        )
    return unify(demo.part_tables())


def here() -> list[str]:
    """Name those of `SOURCES` that are on this machine."""
    from serlab import corpora

    found = []
    for name in SOURCES:
        copies = ("emodb", "emodb_first2s") if name == "emodb" else (name,)
        found += [copy for copy in copies if corpora.find(copy) is not None][:1]
    return found


def _named(source) -> str:
    return "table" if isinstance(source, pd.DataFrame) else repr(os.fspath(source))


def _name(table: pd.DataFrame) -> str:
    lacking = [column for column in COLUMNS if column not in table]
    if lacking:
        raise CorpusError(f"A table to join lacks the columns {', '.join(lacking)}: take one of serlab.load.")
    names = table["corpus"].unique()
    if len(names) != 1:
        raise CorpusError(
            f"A table to join must hold one corpus, not {', '.join(map(str, names)) or 'none'}."
        )
    return str(names[0])


def _family(name: str) -> str:
    return "emodb" if name.startswith("emodb") else name


def _check_people(names: list[str]) -> None:
    twins = [name for name in names if _family(name) == "emodb"]
    if len(twins) > 1:
        raise CorpusError(
            f"{' and '.join(twins)} hold the same people, whom no split could keep apart. Take one."
        )


def _check_mapping(axis: str, mapping: Mapping | None, parts: Mapping[str, pd.DataFrame]) -> None:
    known = set(EMOTIONS).union(*(table["emotion"] for table in parts.values()))
    for emotion, value in (mapping or {}).items():
        if emotion not in known:
            raise CorpusError(
                f"There is no emotion {emotion!r} to give a {axis}. Emotions are: {', '.join(sorted(known))}."
            )
        if value not in (-1, 0, 1, None):
            raise CorpusError(f"The {axis} of {emotion!r} must be -1, 0, 1 or None, not {value!r}.")


def _renamed(table: pd.DataFrame, name: str) -> pd.DataFrame:
    part = table[list(COLUMNS)].copy()
    for column in ("clip", "speaker", "sentence"):
        given = part[column].notna()
        part.loc[given, column] = f"{name}/" + part.loc[given, column].astype(str)
    part["family"] = part["language"].map(FAMILIES)
    return part


def _mapped(part: pd.DataFrame, axis: str, changes: Mapping[str, int | None] | None) -> pd.Series:
    changes = {emotion: math.nan if v is None else float(v) for emotion, v in (changes or {}).items()}
    return part[axis].where(~part["emotion"].isin(list(changes)), part["emotion"].map(changes)).astype(float)


def _three(value: float) -> float:
    if math.isnan(value):
        return value
    return 0.0 if abs(value) <= NEUTRAL_UP_TO else math.copysign(1.0, value)


def _listed(dropped: Mapping[str, Mapping[str, int]]) -> str:
    return "; ".join(
        f"{name}: {', '.join(f'{emotion} {count}' for emotion, count in counts.items())}"
        for name, counts in dropped.items()
    )

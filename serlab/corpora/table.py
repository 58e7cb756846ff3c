"""The utterance table: the same columns for every corpus."""

import math
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from serlab.errors import AudioError, CorpusError
from serlab.sound_files import duration

AXES = ("valence", "arousal")
COLUMNS = (
    *("clip", "path", "corpus", "speaker", "gender", "emotion", "intensity", "sentence", "language"),
    *("duration", *AXES),
)

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "bored")

ORDER = ("negative", *EMOTIONS, "positive")
"""Order in which classes are shown, emotions or valences; any others come after them by name."""

CIRCUMPLEX: dict[str, tuple[float, float]] = {
    "neutral": (0, 0),
    "calm": (1, -1),
    "happy": (1, 1),
    "sad": (-1, -1),
    "angry": (-1, 1),
    "fearful": (-1, 1),
    "disgust": (-1, math.nan),
    "surprised": (math.nan, 1),
    "bored": (-1, -1),
}
"""Emotion to (valence, arousal), each -1, 0 or +1: the quadrants of Russell's circumplex (1980).

Neutral is its centre. Two values are left open (NaN), so that such clips drop out of a task rather than
enter it with a guessed label: surprise is pleasant or unpleasant, which an acted clip does not say
(Russell's "astonished" lies next to the arousal axis), and disgust, which Russell's 28 words do not
contain, is unpleasant in every study but neither clearly activated nor clearly calm.

J. A. Russell, "A circumplex model of affect", Journal of Personality and Social Psychology 39(6), 1980.
"""

_BATCH = 64


def in_threads(read: Callable[[Any], Any], items: Iterable) -> list:
    """Return what a function that reads files makes of each item, in their order."""
    # More threads than there are cores get in each other's way.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(read, items))


def build(rows: Iterable[Mapping] | pd.DataFrame, corpus: str, title: str, remedy: str) -> pd.DataFrame:
    """Turn rows into an utterance table: durations, valence and arousal added, sorted by clip.

    Rows are mappings, one per utterance, or a table, with at least clip, path, speaker, emotion and language;
    what else `COLUMNS` names and a row does not hold becomes missing. Corpus and title go into ``attrs``, the
    corpus also into the column of that name. `CorpusError`, which ends with the remedy, if a file cannot be
    read, or two rows are one clip.
    """
    if not isinstance(rows, pd.DataFrame):
        rows = [{column: row.get(column) for column in COLUMNS} for row in rows]
        rows = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    table = rows.sort_values("clip", kind="stable", ignore_index=True)
    if not table["clip"].is_unique:
        twin = table[table["clip"].duplicated(keep=False)].head(2)
        raise CorpusError(
            f"{title}: {' and '.join(twin['path'])} are one clip, {twin['clip'].iloc[0]}. {remedy}"
        )
    missing = pd.Series([None] * len(table), dtype=object)
    table = pd.DataFrame({column: table.get(column, missing) for column in COLUMNS})
    table["corpus"] = corpus
    table["duration"] = _durations(table["path"].tolist(), title, remedy)
    for place, axis in enumerate(AXES):
        usual = table["emotion"].map({emotion: places[place] for emotion, places in CIRCUMPLEX.items()})
        # NaN in a table says that a clip has no place on that axis, and is not replaced.
        given = [cell is not None for cell in table[axis]]
        table[axis] = table[axis].where(given, usual.astype(float)).astype(float)
    table.attrs = {"corpus": corpus, "title": title}
    return table


def _durations(paths: list[str], title: str, remedy: str) -> np.ndarray:
    # In batches, because handing over a file takes about as long as reading its header.
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    parts = in_threads(lambda batch: list(map(_duration_or_error, batch)), batches)
    outcomes = [outcome for part in parts for outcome in part]
    broken = [outcome for outcome in outcomes if isinstance(outcome, AudioError)]
    if broken:
        more = len(broken) - 1
        others = f" ({more} more file{'s' * (more > 1)} cannot be read.)" if more else ""
        raise CorpusError(f"{title}: {broken[0]}{others} {remedy}") from broken[0]
    return np.array(outcomes, float)


def _duration_or_error(path: str) -> float | AudioError:
    try:
        return duration(path)
    except AudioError as error:
        return error


def in_order(classes: Iterable[str]) -> list[str]:
    """Sort classes as they are shown: those of `ORDER` first, then all others by name; each once.

    Examples
    --------
    >>> in_order(["positive", "other", "negative", "sad"])
    ['negative', 'sad', 'positive', 'other']
    """
    place = {name: number for number, name in enumerate(ORDER)}
    return sorted(set(classes), key=lambda name: (place.get(name, len(place)), str(name)))

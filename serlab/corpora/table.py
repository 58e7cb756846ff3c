"""The utterance table: the same columns for every corpus."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from serlab.errors import AudioError, CorpusError
from serlab.sound_files import duration

COLUMNS = (
    "clip",
    "path",
    "corpus",
    "speaker",
    "gender",
    "emotion",
    "intensity",
    "sentence",
    "language",
    "duration",
    "valence",
    "arousal",
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


def threads() -> int:
    """Return how many threads read files: these wait for the disk more than they compute."""
    return min(8, 2 * (os.cpu_count() or 1))


def build(rows: Iterable[Mapping], corpus: str, title: str, remedy: str) -> pd.DataFrame:
    """Turn rows into an utterance table: durations, valence and arousal added, sorted by clip.

    Parameters
    ----------
    rows
        One mapping per utterance with at least clip, path, speaker, emotion and language; what else
        `COLUMNS` names and a row does not hold becomes missing.
    corpus, title
        Go into ``attrs``; `corpus` also into the column of that name.
    remedy
        Last sentence of the message if a file cannot be read.
    """
    rows = sorted(rows, key=lambda row: row["clip"])
    with ThreadPoolExecutor(threads()) as pool:
        durations = list(pool.map(_duration_or_error, [row["path"] for row in rows]))
    broken = [outcome for outcome in durations if isinstance(outcome, AudioError)]
    if broken:
        more = len(broken) - 1
        others = f" ({more} more file{'s' * (more > 1)} cannot be read.)" if more else ""
        raise CorpusError(f"{title}: {broken[0]}{others} {remedy}") from broken[0]
    table = pd.DataFrame(
        {column: pd.Series([row.get(column) for row in rows], dtype=object) for column in COLUMNS}
    )
    table["corpus"] = corpus
    table["duration"] = pd.Series(durations, dtype=float)
    for column, axis in (("valence", 0), ("arousal", 1)):
        by_emotion = [CIRCUMPLEX.get(row["emotion"], (math.nan, math.nan))[axis] for row in rows]
        own = [row.get(column) for row in rows]
        table[column] = [
            float(value) if given is None else float(given)
            for value, given in zip(by_emotion, own, strict=True)
        ]
    table.attrs = {"corpus": corpus, "title": title}
    return table


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

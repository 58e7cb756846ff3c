"""The `demo` corpus: synthetic speech, made here in seconds, for when no real corpus is at hand.

Every speaker says every sentence twice in each of eight emotions. The second take is stronger, except that
neutral has no stronger form. Speakers differ in body, habits and room, and each has a way of their own to
show each emotion, so that a model which has heard a speaker before does much better on that speaker: the corpus
flatters a random split as acted corpora do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

import filelock
import joblib
import pandas as pd
import soundfile as sf

from serlab.corpora import synthesis
from serlab.paths import cache_dir

NAME = "demo"
TITLE = "demo (synthetic)"
TAKES = (1, 2)
_STRENGTH = {"normal": 0.85, "strong": 1.2}
_TABLE = "table.csv"


def clips() -> pd.DataFrame:
    """Return what is in the corpus, one row per clip, without making a sound.

    Returns
    -------
    pandas.DataFrame
        Columns clip, speaker, gender, emotion, intensity ("normal" or "strong"), sentence, take.

    Examples
    --------
    >>> table = clips()
    >>> len(table), table.speaker.nunique(), table.emotion.nunique()
    (384, 12, 8)
    """
    rows = [
        {
            "clip": f"{speaker}-{emotion}-{sentence}-{take}",
            "speaker": speaker,
            "gender": synthesis.voice(speaker).gender,
            "emotion": emotion,
            "intensity": "strong" if take == 2 and emotion != "neutral" else "normal",
            "sentence": sentence,
            "take": take,
        }
        for speaker in synthesis.SPEAKERS
        for emotion in synthesis.CUES
        for sentence in synthesis.SENTENCES
        for take in TAKES
    ]
    return pd.DataFrame(rows).sort_values("clip", ignore_index=True)


def folder() -> Path:
    """Return the folder of the corpus, made if it is not there yet.

    Its name holds the version and a digest of the synthesiser, so that a changed synthesiser makes a new
    corpus. It is put in place in one step: a process that is killed leaves nothing that could be mistaken
    for the corpus, and two processes do not make it twice.
    """
    home = cache_dir() / "corpora" / NAME
    target = home / f"v{synthesis.VERSION}-{_digest()}"
    if not target.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(home / "making.lock"):
            if not target.is_dir():
                for left_over in home.glob("*.part"):
                    shutil.rmtree(left_over)
                part = home / f"{target.name}.part"
                _make(part)
                os.replace(part, target)
    return target


def table() -> pd.DataFrame:
    """Return the corpus as one row per clip, made if need be.

    Returns
    -------
    pandas.DataFrame
        Columns clip, path, corpus, speaker, gender, emotion, intensity, sentence, language, duration (s);
        sorted by clip.
    """
    root = folder()
    found = pd.read_csv(root / _TABLE, dtype={"sentence": str, "speaker": str})
    found.insert(1, "path", [str(root / f"{clip}.flac") for clip in found["clip"]])
    found.insert(2, "corpus", NAME)
    found.insert(8, "language", "synthetic")
    return found


@cache
def _digest() -> str:
    sources = [Path(synthesis.__file__), Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def _make(part: Path) -> None:
    part.mkdir()
    wanted = clips()
    # Two batches of like size: the workers' start costs more than the synthesis of a few clips.
    batches = [wanted.iloc[start::2] for start in range(2)]
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        made = joblib.Parallel()(joblib.delayed(_speak)(batch, part) for batch in batches)
    wanted["duration"] = pd.concat(made)
    wanted.drop(columns="take").to_csv(part / _TABLE, index=False)


def _speak(batch: pd.DataFrame, part: Path) -> pd.Series:
    """Synthesise and write the clips of a batch; return their durations in seconds."""
    seconds = []
    for row in batch.itertuples():
        speaker = synthesis.voice(row.speaker)
        cues = speaker.express(row.emotion).strengthened(_STRENGTH[row.intensity])
        # The seed hangs on what is said, not on the place in a list.
        seed = list(hashlib.sha256(row.clip.encode()).digest()[:8])
        y = synthesis.synthesise(speaker, cues, row.sentence, seed)
        sf.write(part / f"{row.clip}.flac", y, synthesis.SAMPLE_RATE, subtype="PCM_16")
        seconds.append(len(y) / synthesis.SAMPLE_RATE)
    return pd.Series(seconds, index=batch.index)

"""The `demo` corpus: synthetic speech, made here in seconds, for when no real corpus is at hand.

Every speaker says every sentence twice in each of eight emotions, the second time stronger (neutral has no
stronger form). Each has a way of their own to show an emotion, so that the corpus flatters a random split, as
acted corpora do. Cut into `PARTS` that are recorded differently, it stands in for three corpora.
"""

import hashlib
import io
import itertools
import os
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import filelock
import numpy as np
import pandas as pd
import scipy.signal
import soundfile

from serlab.corpora import synthesis
from serlab.corpora.record import read_record
from serlab.corpora.table import build
from serlab.errors import CorpusError
from serlab.paths import cache_dir, disk_errors

PARTS = {
    "demo-a": synthesis.SPEAKERS[:4],  # as they are
    "demo-b": synthesis.SPEAKERS[4:8],  # soft, and nothing above 3.5 kHz, as over a telephone
    "demo-c": synthesis.SPEAKERS[8:],  # loud, in a noisy room; recording begins too early and ends too late
}
_STRENGTH = {"normal": 0.85, "strong": 1.2}
_REMEDY = "Delete the folder {}: it will be made again."
_BETWEEN_TAKES = 0.4  # how much two takes differ, against how much two speakers do
# Speaker, emotion, sentence and take.
_WORDS = (synthesis.SPEAKERS, synthesis.CUES, synthesis.SENTENCES, ("1", "2"))
_STEM = re.compile("-".join(f"({'|'.join(words)})" for words in _WORDS))


def clips() -> list[str]:
    """Return the names of all clips, sorted, without making a sound.

    Examples
    --------
    >>> len(clips()), clips()[0]
    (384, 'd01-angry-s1-1')
    """
    return sorted(map("-".join, itertools.product(*_WORDS)))


def parse(stem: str) -> dict | None:
    """Read a name: speaker, emotion, sentence and take, of which the second is the stronger.

    Examples
    --------
    >>> parse("d02-angry-s1-2")["gender"], parse("d02-angry-s1-2")["intensity"]
    ('female', 'strong')
    """
    if (match := _STEM.fullmatch(stem)) is None:
        return None
    speaker, emotion, sentence, take = match.groups()
    intensity = "strong" if take == "2" and emotion != "neutral" else "normal"
    told = {"speaker": speaker, "gender": synthesis.voice(speaker).gender, "emotion": emotion}
    return told | {"intensity": intensity, "sentence": sentence}


def speak(clip: str) -> np.ndarray:
    """Synthesise one of `clips`: float32 of shape (samples,) at `synthesis.SAMPLE_RATE`.

    Raises CorpusError for another name.

    Examples
    --------
    >>> speak("d01-sad-s2-1").ndim
    1
    """
    labels = parse(clip)
    if labels is None:
        raise CorpusError(f"The demo corpus has no clip {clip!r}; its names are like {clips()[0]!r}.")
    speaker = synthesis.voice(labels["speaker"])
    # The seed hangs on the name, not on the place in a list.
    seed = list(hashlib.sha256(clip.encode()).digest()[:8])
    cues = speaker.express(labels["emotion"]).strengthened(_STRENGTH[labels["intensity"]])
    cues = cues.varied(_BETWEEN_TAKES, np.random.default_rng(seed))
    return synthesis.synthesise(speaker, cues, labels["sentence"], seed)


def alter(y: np.ndarray, part: str, seed: int = 0) -> np.ndarray:
    """Make a clip sound as one of a part of `PARTS`: (samples,) to (samples, or more,).

    Examples
    --------
    >>> y = np.ones(1600, np.float32)
    >>> len(alter(y, "demo-c")) - len(y), alter(y, "demo-a") is y
    (6400, True)
    """
    rate = synthesis.SAMPLE_RATE
    if part == "demo-b":
        return 0.2 * scipy.signal.sosfilt(scipy.signal.butter(8, 3500, fs=rate, output="sos"), y)
    if part == "demo-c":
        gain = min(1.5, 0.95 / np.abs(y).max())  # loud, but not clipped
        y = np.pad(gain * y, (round(0.3 * rate), round(0.1 * rate)))
        return y + 0.002 * np.random.default_rng(seed).standard_normal(len(y))
    return y


def folder() -> Path:
    """Return the folder of the corpus, made if it is not there; CorpusError if the disk refuses it."""
    return _made_once(cache_dir() / "corpora" / RECORD.name, _make)


def parts_folder() -> Path:
    """Return the folder of the altered clips of `PARTS`, likewise."""
    return _made_once(cache_dir() / "corpora" / "demo-parts", _make_parts)


def table() -> pd.DataFrame:
    """Return the utterance table of the corpus, made if need be."""
    root = folder()
    rows = [RECORD.row(clip, root / f"{clip}.flac") for clip in clips()]
    return build(rows, RECORD.name, RECORD.title, _REMEDY.format(root))


def part_tables() -> list[pd.DataFrame]:
    """Return the utterance tables of `PARTS`, which share no speaker, made if need be.

    Examples
    --------
    >>> [len(part) for part in part_tables()]
    [128, 128, 128]
    """
    whole, root = table(), parts_folder()
    tables = []
    for name, speakers in PARTS.items():
        rows = whole[whole["speaker"].isin(speakers)].to_dict("records")
        if name != "demo-a":
            rows = [{**row, "path": str(root / f"{row['clip']}.flac")} for row in rows]
        tables.append(build(rows, name, f"{RECORD.title}, part {name[-1]}", _REMEDY.format(root)))
    return tables


@cache
def _digest() -> str:
    """Digest the synthesiser, so that a changed one makes a new corpus."""
    sources = [Path(synthesis.__file__), synthesis.DATA_FILE, Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def _made_once(home: Path, make: Callable[[Path], None]) -> Path:
    """Put a folder in place in one step: a killed process leaves no half, and two do not make it twice."""
    target = home / f"v{synthesis.VERSION}-{_digest()}"
    if not target.is_dir():
        with disk_errors("The demo corpus", home, CorpusError):
            home.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(home / "making.lock"):
                if not target.is_dir():
                    for left_over in home.glob("*.part"):
                        shutil.rmtree(left_over)
                    part = home / f"{target.name}.part"
                    make(part)
                    os.replace(part, target)
    return target


def _make(part: Path) -> None:
    part.mkdir()
    # In this process alone: workers that outlive it would go on writing.
    for clip in clips():
        _write(part / f"{clip}.flac", speak(clip))
    # The table that any folder of recordings needs, so that this one can be copied and validated too.
    rows = [{"file": f"{clip}.flac", **parse(clip), "language": RECORD.language} for clip in clips()]
    pd.DataFrame(rows).to_csv(part / "metadata.csv", index=False)


def _make_parts(part: Path) -> None:
    root = folder()
    part.mkdir()
    for number, clip in enumerate(clips()):
        name = next(name for name, speakers in PARTS.items() if clip[:3] in speakers)
        if name != "demo-a":
            y, _ = soundfile.read(root / f"{clip}.flac", dtype="float32")
            _write(part / f"{clip}.flac", alter(y, name, seed=number))


def _write(path: Path, y: np.ndarray) -> None:
    # In memory first: libsndfile does not say what a disk refuses, and why.
    sound = io.BytesIO()
    soundfile.write(sound, y, synthesis.SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    path.write_bytes(sound.getbuffer())


RECORD = read_record("demo", parse=parse)

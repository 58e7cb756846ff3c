"""The `demo` corpus: synthetic speech, made here in seconds, for when no real corpus is at hand.

Every speaker says every sentence twice in each of eight emotions. The second take is stronger, except that
neutral has no stronger form. Speakers differ in body, habits and room, and each has a way of their own to
show each emotion. So a model that has heard a speaker before does much better on that speaker: the corpus
flatters a random split, as acted corpora do.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
from functools import cache
from pathlib import Path

import filelock
import numpy as np
import pandas as pd
import soundfile

from serlab.corpora import synthesis
from serlab.corpora.record import Record
from serlab.corpora.table import build
from serlab.errors import CorpusError
from serlab.paths import cache_dir, disk_errors

TAKES = ("1", "2")
_STRENGTH = {"normal": 0.85, "strong": 1.2}
_BETWEEN_TAKES = 0.4  # how much two takes differ, against how much two speakers do
_STEM = re.compile(rf"(d\d\d)-({'|'.join(synthesis.CUES)})-({'|'.join(synthesis.SENTENCES)})-([12])")


def clips() -> list[str]:
    """Return the names of all clips, sorted, without making a sound.

    Examples
    --------
    >>> len(clips()), clips()[0]
    (384, 'd01-angry-s1-1')
    """
    return sorted(
        f"{speaker}-{emotion}-{sentence}-{take}"
        for speaker in synthesis.SPEAKERS
        for emotion in synthesis.CUES
        for sentence in synthesis.SENTENCES
        for take in TAKES
    )


def parse(stem: str) -> dict | None:
    """Read a name: speaker, emotion, sentence and take, of which the second is the stronger.

    Examples
    --------
    >>> parse("d02-angry-s1-2")["gender"], parse("d02-angry-s1-2")["intensity"]
    ('female', 'strong')
    """
    match = _STEM.fullmatch(stem)
    if match is None or match[1] not in synthesis.SPEAKERS:
        return None
    return {
        "speaker": match[1],
        "gender": synthesis.voice(match[1]).gender,
        "emotion": match[2],
        "intensity": "strong" if match[4] == "2" and match[2] != "neutral" else "normal",
        "sentence": match[3],
    }


def speak(clip: str) -> np.ndarray:
    """Synthesise one clip of the corpus.

    Parameters
    ----------
    clip : str
        One of `clips`.

    Returns
    -------
    np.ndarray
        float32 of shape (samples,) at `synthesis.SAMPLE_RATE`.

    Raises
    ------
    CorpusError
        If the corpus has no such clip.

    Examples
    --------
    >>> speak("d01-sad-s2-1").ndim
    1
    """
    told = parse(clip)
    if told is None:
        raise CorpusError(f"The demo corpus has no clip {clip!r}; its names are like {clips()[0]!r}.")
    speaker = synthesis.voice(told["speaker"])
    # The seed hangs on the name, not on the place in a list.
    seed = list(hashlib.sha256(clip.encode()).digest()[:8])
    cues = speaker.express(told["emotion"]).strengthened(_STRENGTH[told["intensity"]])
    cues = cues.varied(_BETWEEN_TAKES, np.random.default_rng(seed))
    return synthesis.synthesise(speaker, cues, told["sentence"], seed)


def folder() -> Path:
    """Return the folder of the corpus, made if it is not there yet.

    Its name holds the version and a digest of the synthesiser, so that a changed synthesiser makes a new
    corpus. It is put in place in one step: a process that is killed leaves nothing that could be mistaken
    for the corpus, and two processes do not make it twice.

    Raises
    ------
    CorpusError
        If the cache cannot be written, or its disk is full.
    """
    home = cache_dir() / "corpora" / RECORD.name
    target = home / f"v{synthesis.VERSION}-{_digest()}"
    if not target.is_dir():
        with disk_errors("The demo corpus", home, CorpusError):
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
    """Return the utterance table of the corpus, made if need be.

    Examples
    --------
    >>> table().attrs["title"]
    'demo (synthetic)'
    """
    root = folder()
    rows = [
        {"clip": clip, "path": str(root / f"{clip}.flac"), "language": RECORD.language, **parse(clip)}
        for clip in clips()
    ]
    return build(rows, RECORD.name, RECORD.title, f"Delete the folder {root}: it will be made again.")


@cache
def _digest() -> str:
    sources = [Path(synthesis.__file__), Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def _make(part: Path) -> None:
    part.mkdir()
    # In this process alone: workers that outlive it would go on writing, and starting them takes as long as
    # they save.
    for clip in clips():
        # In memory first: libsndfile does not say what a disk refuses, and why.
        sound = io.BytesIO()
        soundfile.write(sound, speak(clip), synthesis.SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        (part / f"{clip}.flac").write_bytes(sound.getbuffer())
    # The table that any folder of recordings needs, so that this one can be copied and validated too.
    rows = [{"file": f"{clip}.flac", **parse(clip), "language": RECORD.language} for clip in clips()]
    pd.DataFrame(rows).to_csv(part / "metadata.csv", index=False)


RECORD = Record(
    name="demo",
    title="demo (synthetic)",
    description=(
        "Synthetic speech, not recordings of anybody: twelve voices of a seeded source-filter synthesiser "
        "say two sentences of nonsense syllables in eight emotions, twice each. It is made on this machine "
        "in seconds, so that every lesson can be followed without a download. What a model reaches on it "
        "says nothing about people."
    ),
    language="synthetic",
    licence="CC0 1.0",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
    licence_source="Made by serlab; no voice of a person is in it.",
    citation_key="serlab-demo",
    citation=(
        "@misc{serlab-demo,\n"
        "  title = {demo: a synthetic corpus of emotional speech},\n"
        "  author = {{The serlab authors}},\n"
        "  note = {Made by the source-filter synthesiser of the Python package serlab}\n"
        "}"
    ),
    homepage="https://github.com/serlab-book/serlab",
    clips=len(clips()),
    speakers=synthesis.SPEAKERS,
    classes={
        emotion: len(synthesis.SPEAKERS) * len(synthesis.SENTENCES) * len(TAKES) for emotion in synthesis.CUES
    },
    parse=parse,
    sentences={
        name: re.sub(r"[ ']+", "", text).replace("|", ", ") for name, text in synthesis.SENTENCES.items()
    },
    notes=(
        "Synthetic: it shows how methods behave, not how well they recognise emotion.",
        "Neutral has no strong intensity: both its takes are normal.",
        "All speakers say the same two sentences, so a speaker-disjoint split still shares the text.",
    ),
)

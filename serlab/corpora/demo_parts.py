"""The demo corpus in three parts that differ as recordings do, to stand in for three corpora.

Four of its speakers are taken as they are; four are recorded softly and with nothing above 3.5 kHz, as over
a telephone; four loudly, in a noisy room, by somebody who pressed the button too early. No speaker is in
two parts. It is all synthetic, and one language that nobody speaks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

import filelock
import numpy as np
import pandas as pd
import soundfile

from serlab.corpora import demo, synthesis
from serlab.corpora.table import build
from serlab.paths import cache_dir

PARTS = {
    name: synthesis.SPEAKERS[4 * number : 4 * number + 4]
    for number, name in enumerate(("demo-a", "demo-b", "demo-c"))
}


def tables() -> list[pd.DataFrame]:
    """Return the utterance tables of the three parts, made if need be.

    Examples
    --------
    >>> [len(table) for table in tables()]
    [128, 128, 128]
    """
    whole, root = demo.table(), folder()
    made = []
    for name, speakers in PARTS.items():
        part = whole[whole["speaker"].isin(speakers)]
        rows = part.to_dict("records")
        if name != "demo-a":
            rows = [{**row, "path": str(root / f"{row['clip']}.flac")} for row in rows]
        title = f"{demo.RECORD.title}, part {name[-1]}"
        made.append(build(rows, name, title, f"Delete the folder {root}: it will be made again."))
    return made


def alter(y: np.ndarray, name: str, seed: int = 0) -> np.ndarray:
    """Make a clip sound as one of its part: (samples,) to (samples, or more,).

    Examples
    --------
    >>> y = np.ones(1600, np.float32)
    >>> len(alter(y, "demo-c")) - len(y), alter(y, "demo-a") is y
    (6400, True)
    """
    import scipy.signal

    rate = synthesis.SAMPLE_RATE
    if name == "demo-b":
        narrow = scipy.signal.butter(8, 3500, fs=rate, output="sos")
        return 0.2 * scipy.signal.sosfilt(narrow, y)
    if name == "demo-c":
        gain = min(1.5, 0.95 / np.abs(y).max())  # loud, but not clipped
        y = np.pad(gain * y, (round(0.3 * rate), round(0.1 * rate)))
        return y + 0.002 * np.random.default_rng(seed).standard_normal(len(y))
    return y


def folder() -> Path:
    """Return the folder of the altered clips, made if it is not there yet, and put in place in one step."""
    home = cache_dir() / "corpora" / "demo-parts"
    target = home / f"{demo.folder().name}-{_digest()}"
    if not target.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(home / "making.lock"):
            if not target.is_dir():
                part = home / f"{target.name}.part"
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                _make(part)
                os.replace(part, target)
    return target


@cache
def _digest() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]


def _make(target: Path) -> None:
    root = demo.folder()
    for number, clip in enumerate(demo.clips()):
        name = next(name for name, speakers in PARTS.items() if clip[:3] in speakers)
        if name == "demo-a":
            continue
        y, rate = soundfile.read(root / f"{clip}.flac", dtype="float32")
        y = alter(y, name, seed=number)
        soundfile.write(target / f"{clip}.flac", y, rate, subtype="PCM_16")

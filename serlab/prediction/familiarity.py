"""In what a recording is unlike those that a model was trained on."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from serlab import audio, store
from serlab.features import Recording

# Where a recording lies beyond what was trained on, and what to say then. Keys are those of `describe`.
HINTS = {
    ("duration", -1): "only {value:.1f} s of sound",
    ("duration", 1): "{value:.0f} s long: ask for a timeline",
    ("level", -1): "very quiet: {value:.0f} dBFS",
    ("level", 1): "very loud: {value:.0f} dBFS",
    ("peak", 1): "beyond full scale by {value:.0f} dB",
    ("crest", -1): "squeezed or clipped: peaks lie only {value:.0f} dB above the mean",
    ("above_pauses", -1): "noisy, or no pauses: the voice lies {value:.0f} dB above them",
    ("highest", -1): "nothing above {value:.0f} Hz, as over a telephone or in a compressed file",
    ("strangeness", 1): "unlike most of what the model was trained on",
}
# Names of hints by their words, numbers left out. What else is told is a warning about the file.
_KINDS = {
    re.sub(r"\{.*?\}", "#", words): f"{name}_{'low' if side < 0 else 'high'}"
    for (name, side), words in HINTS.items()
}
KINDS = (*_KINDS.values(), "file")
# So large a part of what was trained on may lie beyond each limit, and is softer than the lowest level: some
# actors whisper in a silent studio, and what is as soft as they are is odd elsewhere.
BEYOND, SOFT = 0.005, 0.01
# What is longer is no worse, but may hold more than one emotion.
LONGEST = 30.0
# Lossy formats go a little beyond full scale.
OVERSHOOT = 1.0


def describe(y: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Measure what tells recordings apart: duration, level, frequencies, and how far the voice stands out.

    Takes (samples,) at `sample_rate` in Hz, returns the numbers of `serlab.features.Recording` at 16 kHz;
    ``above_pauses``, the level of speech above the softest tenth of the frames, in dB; and ``crest``, that of
    the peak above speech.

    Examples
    --------
    >>> about = describe(np.sin(np.arange(16000) * 0.1), 16000)
    >>> round(about["above_pauses"]), round(about["crest"])
    (0, 3)
    """
    recording = Recording()
    values = recording.extract(audio.resample(y, sample_rate, recording.sample_rate))
    return _named(values[None]).iloc[0].to_dict()


def describe_all(table: pd.DataFrame) -> pd.DataFrame:
    """Describe all clips of an utterance table, as `describe` does."""
    return _named(np.asarray(store.features(table, Recording())))


def _named(values: np.ndarray) -> pd.DataFrame:
    found = pd.DataFrame(values.astype(float), columns=list(Recording.feature_names))
    return found.assign(above_pauses=found["level"] - found["floor"], crest=found["peak"] - found["level"])


def limits(about: pd.DataFrame) -> dict[str, list[float]]:
    """Find between which values nearly all clips lie: rows as of `describe`, with a column ``strangeness``.

    Examples
    --------
    >>> limits(pd.DataFrame({"level": np.linspace(-40, -20, 201)}))
    {'level': [-39.8, -20.1]}
    """
    names = [name for name in dict.fromkeys(name for name, _ in HINTS) if name in about]
    quantiles = about[names].quantile([BEYOND, 1 - BEYOND]).round(4)
    found = {name: quantiles[name].tolist() for name in names}
    if "level" in found:
        found["level"][0] = round(float(about["level"].quantile(SOFT)), 4)
    if "duration" in found:
        found["duration"][1] = LONGEST
    if "peak" in found:
        found["peak"][1] = OVERSHOOT
    return found


def hints(about: Mapping[str, float], limits: Mapping[str, Sequence[float]]) -> list[str]:
    """Say in what a recording lies outside the limits, (lowest, highest) for each number that has some.

    Examples
    --------
    >>> hints({"duration": 0.2, "level": -20.0}, {"duration": (0.5, 8.0), "level": (-50, -10)})
    ['only 0.2 s of sound']
    """
    found = []
    for (name, side), words in HINTS.items():
        if name in limits and name in about:
            lowest, highest = limits[name]
            if (about[name] < lowest) if side < 0 else (about[name] > highest):
                found.append(words.format(value=about[name]))
    return found


def kinds(hints: str) -> set[str]:
    """Name the hints of an answer of `serlab.predict`: each is one of `KINDS`.

    Examples
    --------
    >>> sorted(kinds("only 0.2 s of sound; very quiet: -61 dBFS"))
    ['duration_low', 'level_low']
    """
    plain = [re.sub(r"-?[\d.]+", "#", one) for one in hints.split("; ") if one]
    return {_KINDS.get(one, "file") for one in plain}

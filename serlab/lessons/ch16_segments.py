"""Clips cut into parts of one length, with a record of which clip each part is from and of what is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from serlab import audio, splits, store
from serlab.errors import FeatureError, SplitError
from serlab.features.base import Extractor

# Two sampling rates round a clip's length differently: by less than this.
ROUNDING_SECONDS = 0.001
SETS = ("labelled", "unlabelled", "test")


@dataclass(frozen=True, kw_only=True)
class Parts(Extractor):
    """Features of each whole part of a clip, one after the other; what is left over at the end is dropped.

    With `pad`, a clip that is shorter than a part gets zeros on both sides, and gives one part; else none.

    Examples
    --------
    >>> from serlab.features import MidTerm
    >>> parts = Parts(features=MidTerm(sample_rate=8000), seconds=2.5)
    >>> parts.name, parts.shape, parts.extract(np.ones(45000)).shape
    ('parts-midterm', (None, 136), (2, 136))
    """

    units: ClassVar[dict[str, str]] = {
        "features": "what is measured of a part",
        "seconds": "s, length of a part",
        "pad": "whether clips that are too short get zeros on both sides",
    }

    features: Extractor
    seconds: float
    pad: bool = False
    sample_rate: int = 0

    def __post_init__(self) -> None:
        # Not fields: they follow from the features.
        for name in ("sample_rate", "libraries", "releases_gil"):
            object.__setattr__(self, name, getattr(self.features, name))
        object.__setattr__(self, "name", f"parts-{self.features.name}")
        if self.seconds <= 0 or None in self.features.shape:
            raise FeatureError(
                "Parts need a length above 0 s, and features of one shape, not "
                f"{self.seconds:g} s and {self.features.shape}"
            )

    @property
    def frame_rate(self) -> float:
        """Parts per second."""
        return 1 / self.seconds

    @property
    def shape(self) -> tuple[int | None, ...]:
        """(parts, ...): the first number follows the clip's length."""
        return (None, *self.features.shape)

    def cut(self, y: np.ndarray) -> np.ndarray:
        """Cut a signal: (samples,) to (parts, samples of a part)."""
        size = round(self.seconds * self.sample_rate)
        count = _number_of_parts(len(y) / self.sample_rate, self.seconds, self.pad)
        if len(y) < count * size:
            y = audio.fit_length(y, count * size, "centre")
        return y[: count * size].reshape(count, size)

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Measure every part of a signal: (samples,) to (parts, ...)."""
        found = [self.features.extract(part) for part in self.cut(audio.signal(y, self.name))]
        return np.array(found, np.float32).reshape(-1, *self.features.shape)


def _number_of_parts(duration: float | np.ndarray, seconds: float, pad: bool = False) -> int | np.ndarray:
    """Count the whole parts of a clip, or of each of many; a clip that lacks less than a millisecond fits."""
    counts = np.maximum((np.asarray(duration) + ROUNDING_SECONDS) // seconds, pad).astype(int)
    return counts if counts.ndim else int(counts)


def three_sets(table: pd.DataFrame, seed: int = 0) -> pd.Series:
    """Share speakers out: a quarter of those of each corpus is labelled, half is not, a quarter is for tests.

    Gives one of `SETS` for every row; no speaker is in two of them.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": list("aabbccdd"), "corpus": "mine", "emotion": ["sad", "happy"] * 4})
    >>> three_sets(table).groupby(table["speaker"]).first().value_counts().to_dict()
    {'unlabelled': 2, 'test': 1, 'labelled': 1}
    """
    folds = splits.corpus_folds(table, 4, seed)
    result = pd.Series("unlabelled", index=table.index, name="set")
    for name, fold in zip(("test", "labelled"), folds, strict=False):
        result.iloc[fold.test] = name
    if set(result) != set(SETS):
        raise SplitError("three sets need at least four speakers in one corpus")
    return result


def parts(table: pd.DataFrame, seconds: float, pad: bool = False) -> pd.DataFrame:
    """List the parts of so many seconds that clips are cut into; `pad` as for `Parts`.

    Gives the rows of the clips, once per part, with ``clip`` "<clip>#<number>", ``source`` (the clip it is
    from), ``part`` (its number, from 0), ``start`` (s) and ``duration`` (s, without padding).

    Examples
    --------
    >>> table = pd.DataFrame({"clip": ["a", "b"], "duration": [5.2, 2.0]})
    >>> parts(table, 2.5)[["clip", "source", "start"]].values.tolist()
    [['a#0', 'a', 0.0], ['a#1', 'a', 2.5]]
    """
    rows = np.repeat(np.arange(len(table)), _number_of_parts(table["duration"], seconds, pad))
    result = table.iloc[rows].reset_index(drop=True)
    result["source"], result["part"] = result["clip"], result.groupby(rows).cumcount()
    result["start"] = result["part"] * seconds
    result["clip"] = result["source"] + "#" + result["part"].astype(str)
    result["duration"] = result["duration"].clip(upper=seconds)
    return result


def features(table: pd.DataFrame, extractor: Parts, *, max_seconds: float = audio.MAX_SECONDS) -> np.ndarray:
    """Measure the parts of all clips of a table: (parts, ...), float32, in the order of `parts`.

    A recording may last `max_seconds`. Raises `serlab.errors.FeatureError` if the table is wrong on it.
    """
    found = store.features(table, extractor, progress=False, max_seconds=max_seconds)
    measured = [found[row] for row in range(len(found))]
    for clip, duration, one in zip(table["clip"], table["duration"], measured, strict=True):
        if len(one) != _number_of_parts(duration, extractor.seconds, extractor.pad):
            raise FeatureError(f"{clip} gave {len(one)} parts, which does not fit its {duration:.3f} s")
    return np.concatenate(measured)


def bookkeeping(
    table: pd.DataFrame, sets: Sequence[str], cuts: dict[str, tuple[float, bool]], target: str = "emotion"
) -> pd.DataFrame:
    """Count what each set and class loses when its clips are cut.

    Takes the set of each row, and by name of a cut its seconds and whether clips that are too short are
    padded. Gives one row per cut, set, corpus and class (of the column `target`): ``clips`` before, ``kept``
    clips (those that give a part), ``lost`` clips, ``padded`` clips, ``parts``, and the share of their sound
    that is kept, ``sound``.

    Examples
    --------
    >>> table = pd.DataFrame({"corpus": "mine", "emotion": "sad", "duration": [5.2, 2.0]})
    >>> found = bookkeeping(table, ["test", "test"], {"2.5 s": (2.5, False)})
    >>> found[["clips", "kept", "lost", "parts"]].values.tolist(), found["sound"].round(3).tolist()
    ([[2, 1, 1, 2]], [0.694])
    """
    columns = ["cut", "set", "corpus", "class", "clips", "kept", "lost", "padded", "parts", "sound"]
    rows = []
    for name, (seconds, pad) in cuts.items():
        duration = table["duration"]
        counts = _number_of_parts(duration, seconds, pad)
        found = pd.DataFrame({"corpus": table["corpus"], "class": table[target], "set": list(sets)})
        found = found.assign(clips=1, kept=counts > 0)
        found = found.assign(lost=counts == 0, padded=counts > _number_of_parts(duration, seconds))
        found = found.assign(parts=counts, sound=np.minimum(counts * seconds, duration), all=duration)
        sums = found.groupby(["set", "corpus", "class"], observed=True).sum().reset_index()
        rows.append(sums.assign(cut=name, sound=sums["sound"] / sums["all"]))
    return pd.concat(rows, ignore_index=True)[columns]

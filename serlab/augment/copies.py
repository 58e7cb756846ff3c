"""Altered copies of training clips as rows of their own, each with the clip that it comes from."""

from __future__ import annotations

import functools
import hashlib
import inspect
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from serlab import audio
from serlab.augment.chain import Chain
from serlab.errors import SplitError
from serlab.features.base import Extractor
from serlab.splits import Fold, check_rows, fingerprint


def training_copies(table: pd.DataFrame, fold: Fold, versions: int) -> tuple[pd.DataFrame, Fold]:
    """Add copies of the training clips of a fold to an utterance table, and to the fold's training rows.

    The rows of the table keep their numbers, and with them features that belong to them; copies come after.
    Copies are made for a fold, after splitting: a clip that is copied before may be trained on and tested
    with.

    Parameters
    ----------
    table : DataFrame
        The utterance table that was split.
    fold : Fold
    versions : int
        Copies of each training clip.

    Returns
    -------
    table : DataFrame
        With two more columns: ``source``, the clip that a row was made from, and ``version``, 0 for the
        clip itself. Copies are called ``<clip>#<version>``, and have the path of their source.
    fold : Fold
        The same validation and test rows, and the copies among the training rows.

    Raises
    ------
    SplitError
        If the fold has no test rows, so that nothing is split yet; if its rows are not those of the table;
        if the table has copies already; or if a clip is on both sides.

    Examples
    --------
    >>> from serlab import splits
    >>> table = pd.DataFrame({"clip": list("abcd"), "speaker": list("1122")})
    >>> more, fold = training_copies(table, splits.make(table, "loso").folds[0], versions=2)
    >>> more["clip"].tolist()
    ['a', 'b', 'c', 'd', 'c#1', 'd#1', 'c#2', 'd#2']
    >>> fold.train.tolist(), fold.test.tolist()
    ([2, 3, 4, 5, 6, 7], [0, 1])
    >>> split = splits.Split("loso", "", (fold,), True)
    >>> int(splits.audit(more, split, sources=more["source"]).loc["augmented copies", "test_clips"])
    0
    """
    if not isinstance(fold, Fold) or fold.test.size == 0:
        raise SplitError(
            "Copies are made of the training clips of a fold, and there is nothing held out for testing. "
            "Split first, with serlab.splits.make, then call this for each fold."
        )
    if versions < 1:
        raise SplitError(f"cannot make {versions} versions of each clip: ask for one or more")
    if "source" in table:
        raise SplitError(
            "The table has a column 'source': it holds copies already. Make them of the corpus as loaded."
        )
    check_rows([fold], table)
    table = table.reset_index(drop=True).assign(source=table["clip"].to_numpy(), version=0)
    check_copies(table, fold)
    chosen = table.iloc[fold.train]
    copies = [
        chosen.assign(clip=chosen["clip"] + f"#{version}", version=version)
        for version in range(1, versions + 1)
    ]
    result = pd.concat([table, *copies], ignore_index=True)
    result.attrs = dict(table.attrs)
    train = np.concatenate([fold.train, np.arange(len(table), len(result))])
    expanded = Fold(train, fold.validation, fold.test, fingerprint(result))
    check_copies(result, expanded)
    return result, expanded


def check_copies(table: pd.DataFrame, fold: Fold) -> None:
    """Make sure that no clip, and no copy of it, is both trained on and validated or tested with.

    Parameters
    ----------
    table : DataFrame
        With a column ``source`` (see `training_copies`); without one, clips are taken for their own source.
    fold : Fold

    Raises
    ------
    SplitError
        If a source is on two sides. The message names it.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": ["a", "a#1", "b"], "source": ["a", "a", "b"]})
    >>> check_copies(table, Fold(np.array([0, 1]), np.array([], int), np.array([2])))
    >>> check_copies(table, Fold(np.array([0, 2]), np.array([], int), np.array([1])))
    Traceback (most recent call last):
    serlab.errors.SplitError: ...clip a ... in training and in test...
    """
    sources = table["source" if "source" in table else "clip"].to_numpy(dtype=object)
    sides = {"training": fold.train, "validation": fold.validation, "test": fold.test}
    for one, other in (("training", "test"), ("training", "validation"), ("validation", "test")):
        shared = np.intersect1d(sources[sides[one]].astype(str), sources[sides[other]].astype(str))
        if shared.size:
            more = f", and {shared.size - 1} others," if shared.size > 1 else ""
            raise SplitError(
                f"Of clip {shared[0]}{more} there are versions in {one} and in {other}. "
                "Split the corpus first, then add copies of training clips by serlab.augment.training_copies."
            )


@dataclass(frozen=True, kw_only=True)
class Augmented(Extractor):
    """The features of an altered version of each clip, for the feature store.

    The changes depend on the chain, the version and the sound of the clip, not on its place in a table.

    Attributes
    ----------
    extractor : Extractor
        What is measured on the altered signal; its `sample_rate` is that of the signals the chain gets.
    chain : Chain
        Of changes to signals.
    version : int
        1, 2, ...: another version has other changes.

    Examples
    --------
    >>> from serlab.augment import Step, Uniform, pitch_shift
    >>> from serlab.features import Mel
    >>> chain = Chain(Step(pitch_shift, semitones=Uniform(-2, 2), sample_rate=16000))
    >>> copy = Augmented(extractor=Mel(seconds=1.0), chain=chain, version=1)
    >>> copy.shape, copy.sample_rate
    ((64, 63), 16000)
    """

    name: ClassVar[str] = "augmented"
    libraries: ClassVar[tuple[str, ...]] = ("numba", "numpy", "scipy", "soxr")
    units: ClassVar[dict[str, str]] = {
        "extractor": "what is measured",
        "chain": "what is changed",
        "version": "which random draws",
    }

    extractor: Extractor
    chain: Chain
    version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample_rate", self.extractor.sample_rate)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """That of the extractor."""
        return self.extractor.shape

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change with the chain, the code behind it, and the extractor."""
        functions = [
            step.function for step in self.chain.steps if not step.function.__module__.startswith("serlab.")
        ]
        own = [inspect.getsource(function) for function in functions]
        parts = [super().key, self.extractor.key, package_source(), *own]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def extract(self, y: np.ndarray) -> np.ndarray:
        """Change one signal and measure it."""
        y = audio.signal(y, self.name)
        return self.extractor.extract(self.chain(y, self.version, zlib.crc32(y.tobytes())))


@functools.cache
def package_source() -> str:
    """Give the code of the whole package: an edited change must not answer with old features."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py")))

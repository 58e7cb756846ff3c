"""What the prose claims in words, asserted against the recorded runs: one line for each verdict.

A claim is (beginning of the chapter's name, sentence or part of one as it stands there, what must hold). When
a run changes, the test names the sentences that have become wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from serlab import evaluation, runs

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
RAVDESS, EMODB, NEMO = "ravdess/emobox6", "emodb_first2s/loso", "nemo/loso"


@cache
def read(protocol: str, model: str) -> runs.Run:
    return runs.read(*protocol.split("/"), model)


@cache
def compare(protocol: str, first: str, second: str, metric: str = "uar") -> evaluation.Comparison:
    return evaluation.compare(read(protocol, first), read(protocol, second), metric)


def better(protocol: str, first: str, second: str, metric: str = "uar") -> bool:
    """Whether the first model is ahead, and the interval of the difference leaves out zero."""
    return compare(protocol, first, second, metric).low > 0


def undecided(protocol: str, first: str, second: str, metric: str = "uar") -> bool:
    """Whether the interval of the difference holds zero."""
    found = compare(protocol, first, second, metric)
    return found.low <= 0 <= found.high


def score(protocol: str, model: str, name: str = "uar") -> float:
    return read(protocol, model).meta["scores"][name]


def interval(protocol: str, model: str, metric: str = "uar") -> evaluation.Interval:
    return evaluation.interval(read(protocol, model), metric)


def recall(protocol: str, model: str) -> dict[str, float]:
    """Give the share recognised of each class."""
    p = read(protocol, model).predictions
    return evaluation.report(label=p["label"], predicted=p["predicted"])["recall"].drop("mean").to_dict()


CLAIMS: list[tuple[str, str, Callable[[], bool]]] = [
    # Chapter 1
    # Chapter 2
    # Chapter 3
    # Chapter 4
    # Chapter 5
    # Chapter 6
    # Chapter 7
    # Chapter 8
    # Chapter 9
    # Chapter 10
    # Chapter 11
    # Chapter 12
    # Chapter 13
    # Chapter 14
    # Chapter 15
    # Chapter 16
]


@cache
def prose(chapter: str) -> str:
    """Give the text of a chapter, with line breaks as blanks."""
    (path,) = CHAPTERS.glob(f"{chapter}_*.md")
    return " ".join(path.read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("chapter", "sentence", "holds"), CLAIMS, ids=[f"{c[0]}: {c[1][:50]}" for c in CLAIMS]
)
def test_what_the_prose_claims_holds(chapter, sentence, holds):
    assert sentence in prose(chapter), (
        f"chapter {chapter} no longer says {sentence!r}: change or remove the claim"
    )
    assert holds(), f"chapter {chapter} says {sentence!r}, and the recorded runs no longer show it"

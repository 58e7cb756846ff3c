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


def precision(protocol: str, model: str) -> dict[str, float]:
    """Give how many of the answers with each class are right."""
    p = read(protocol, model).predictions
    return evaluation.report(label=p["label"], predicted=p["predicted"])["precision"].drop("mean").to_dict()


def answers(protocol: str, model: str, speaker: str | None = None) -> set[str]:
    """Give the classes that a model answers, to all speakers or to one."""
    p = read(protocol, model).predictions
    return set(p["predicted"] if speaker is None else p.loc[p["speaker"] == speaker, "predicted"])


def splits_undecided(model: str) -> bool:
    """Whether a random split of RAVDESS and the published folds show no difference for a model."""
    found = evaluation.compare(read("ravdess/random5", model), read(RAVDESS, model))
    return found.low <= 0 <= found.high


CLAIMS: list[tuple[str, str, Callable[[], bool]]] = [
    # Chapter 1
    # Chapter 2
    # Chapter 3
    # Chapter 4
    ("04", "One number is clearly better than guessing.", lambda: better(RAVDESS, "loudness", "chance")),
    (
        "04",
        "the rule never answers happy or sad",
        lambda: answers(RAVDESS, "loudness").isdisjoint(["happy", "sad"]),
    ),
    ("04", "Calm is found about half the time", lambda: 0.45 < recall(RAVDESS, "loudness")["calm"] < 0.55),
    ("04", "So is surprised", lambda: 0.45 < recall(RAVDESS, "loudness")["surprised"] < 0.55),
    (
        "04",
        'most of its "surprised" answers are wrong',
        lambda: precision(RAVDESS, "loudness")["surprised"] < 0.5,
    ),
    (
        "04",
        "That is more than a guess, and less than loudness.",
        lambda: better(RAVDESS, "pitch", "chance") and better(RAVDESS, "loudness", "pitch"),
    ),
    ("04", "knowing whose pitch it is helps", lambda: better(RAVDESS, "pitch-spknorm", "pitch")),
    ("04", "Loudness gains as well", lambda: better(RAVDESS, "loudness-spknorm", "loudness")),
    (
        "04",
        "Loudness and pitch lie *below* chance.",
        lambda: max(score(NEMO, "loudness"), score(NEMO, "pitch")) < 1 / 6,
    ),
    (
        "04",
        "with these five speakers no difference from a guess can be shown",
        lambda: undecided(NEMO, "loudness", "majority") and undecided(NEMO, "pitch", "majority"),
    ),
    (
        "04",
        'EB0 never gets "sad", "neutral" or "angry"',
        lambda: answers(NEMO, "pitch", "EB0").isdisjoint(["sad", "neutral", "angry"]),
    ),
    ("04", "the same rule is well above chance", lambda: better(NEMO, "pitch-spknorm", "majority")),
    (
        "04",
        "on nEMO no gain from the speaker's own scale can be shown",
        lambda: undecided(NEMO, "loudness-spknorm", "loudness"),
    ),
    (
        "04",
        "For loudness and for pitch no difference between the two splits can be shown.",
        lambda: all(splits_undecided(model) for model in ("loudness", "pitch")),
    ),
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

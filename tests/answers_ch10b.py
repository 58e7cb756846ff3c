"""Answers to the exercises of chapter 10b."""

import itertools

import numpy as np


def by_loops(ballots):
    sums = sum(list(ballots))
    return [int(np.argmax(clip)) for clip in sums]


def heads(ballots):
    return [np.bincount(votes, minlength=5).argmax() for votes in ballots.argmax(axis=2).T]


def listed(p):
    """Go through all eight cases."""
    return sum(
        np.prod([p if hit else 1 - p for hit in case])
        for case in itertools.product([True, False], repeat=3)
        if sum(case) >= 2
    )


RIGHT = {
    "winners": [
        by_loops,
        lambda ballots: np.einsum("mce->ce", ballots).argmax(axis=1),
    ],
    "at_least_two": [listed, lambda p: p * p * (3 - 2 * p)],
}

WRONG = {
    "winners": [
        (lambda ballots: np.log(ballots).sum(axis=0).argmax(axis=1), "the product rule"),
        (heads, "You count heads"),
        (lambda ballots: ballots.max(axis=0).argmax(axis=1), "whoever is surest"),
        (lambda ballots: ballots.mean(axis=1).argmax(axis=1), "average over clips"),
        (lambda ballots: ballots.mean(axis=0), "These are the means"),
        (lambda ballots: ballots.mean(axis=0).max(axis=1), "Say where it stands"),
        (lambda ballots: ballots.mean(axis=0).argmin(axis=1), "with other values"),
    ],
    "at_least_two": [
        (lambda p: p**3 + p**2 * (1 - p), "in three ways"),
        (lambda p: 3 * p**2 * (1 - p), "all three may be right as well"),
        (lambda p: p**3, "how often all three"),
        (lambda p: 1 - (1 - p) ** 3, "anybody is right"),
        (lambda p: 2 / 3, "where 0.216 is right"),
    ],
}

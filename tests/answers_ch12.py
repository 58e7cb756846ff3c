"""Answers to the exercises of chapter 12."""

import numpy as np
from scipy.special import expit, logit


def counted(rare):
    """Count among a thousand calls."""
    is_so, p = np.arange(1000) < 1000 * rare, np.full(1000, rare)
    said = p > 0.9
    recalls = [np.mean(said[is_so]), np.mean(~said[~is_so])]
    above = p[is_so][:, None] > p[~is_so]
    ties = p[is_so][:, None] == p[~is_so]
    return np.mean(said == is_so), np.mean(recalls), np.mean(above + ties / 2), abs(p.mean() - is_so.mean())


def odds(p, rare):
    new = p / (1 - p) * rare / (1 - rare)
    return new / (1 + new)


RIGHT = {
    "guess": [counted, lambda rare: np.array([1 - rare, 1 / 2, 1 / 2, 0])],
    "corrected": [odds, lambda p, rare: expit(logit(p) + logit(rare))],
}

WRONG = {
    "guess": [
        (lambda rare: 1 - rare, "Give four numbers"),
        (lambda rare: (rare, 0.5, 0.5, 0), "that is not rare"),
        (lambda rare: (1 - rare, 1 - rare, 0.5, 0), "mean of two recalls"),
        (lambda rare: (1 - rare, 0.5, 0, 0), "a coin says which"),
        (lambda rare: (1 - rare, 0.5, 0.5, rare), "Compare the two"),
        (lambda rare: (1 - rare, 0.5, 1, 0), "For the AUC with a share of 0.05 of rare calls it gives 1"),
    ],
    "corrected": [
        (lambda p, rare: p * rare, "what has become of the no"),
        (lambda p, rare: 2 * p * rare, "A sure yes"),
        (lambda p, rare: 1 - odds(p, rare), "the probability of no"),
        (lambda p, rare: odds(p, 1 - rare), "more probable"),
        (lambda p, rare: p * rare / (p * rare + 1 - p), "No has become commoner"),
        (lambda p, rare: p - (0.5 - rare), "below zero"),
        (lambda p, rare: p, "with other values"),
    ],
}

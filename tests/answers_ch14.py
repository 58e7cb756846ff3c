"""Answers to the exercises of chapters 14 and 14b."""

import numpy as np
from scipy.special import softmax


def halves(contour):
    half = len(contour) // 2
    return contour[-half:].mean() - contour[:half].mean()


def one_by_one(right, sure, risk):
    enough = [line for line in sure if 1 - np.mean(right[sure >= line]) <= risk]
    return min(enough)


def between(right, sure, risk):
    """Give a line just below the lowest answer that may be kept."""
    return one_by_one(right, sure, risk) - 1e-4


def early(right, sure, risk):
    """Stop before the risk is too high for the first time."""
    order = np.argsort(-sure)
    wrong = np.cumsum(~right[order]) / np.arange(1, len(sure) + 1)
    return sure[order][np.argmax(wrong > risk) - 1]


def shares(powers, axis=1):
    return powers / powers.sum(axis=axis, keepdims=True)


RIGHT = {
    "louder": [["mel", "mfcc"], {"mfcc", "mel"}, np.array(["mel", "mfcc"])],
    "direction": [
        halves,
        lambda contour: contour[-1] - contour[0],
        lambda contour: np.sum(np.diff(contour) ** 3),
    ],
    "lowest": [one_by_one, between],
    "softened": [
        lambda p, temperature: softmax(np.log(p) / temperature, axis=1),
        lambda p, temperature: [list(clip / clip.sum()) for clip in p ** (1 / temperature)],
    ],
}

WRONG = {
    "louder": [
        ("mel", "as a set, such as"),
        ({"loudness"}, "The kinds are"),
        ({"mfcc"}, "four times the power"),
        ({"mel"}, "none among the MFCC"),
        ({"mel", "mfcc", "chroma"}, "the strongest note"),
        ({"mel", "mfcc", "contrast"}, "both rise alike"),
    ],
    "direction": [
        (lambda contour: contour, "one number for the whole"),
        (lambda contour: 0, "it gives 0"),
        (np.mean, "like a mean"),
        (np.std, "like a mean"),
        (lambda contour: contour[-1], "lies higher by 3"),
        (lambda contour: contour[-1] / contour[0], "lies higher by 3"),
        (lambda contour: float(np.argmax(contour)), "the sign alone"),
    ],
    "lowest": [
        (lambda right, sure, risk: sure[right], "one probability"),
        (early, "at the first mistake too many"),
        (lambda right, sure, risk: 1 - risk, "believe the probabilities"),
        (lambda right, sure, risk: sure.max(), "the surest answer"),
        (lambda right, sure, risk: np.quantile(sure, risk), "leaves a share of the answers out"),
        (lambda right, sure, risk: 0.0, "it gives 1, where 0."),
    ],
    "softened": [
        (lambda p, temperature: p ** (1 / temperature), "no longer add up to one"),
        (lambda p, temperature: shares(p ** (1 / temperature), axis=0), "not of each emotion"),
        (lambda p, temperature: shares(p**temperature), "surer still"),
        (lambda p, temperature: shares(p / temperature), "Nothing has changed"),
        (lambda p, temperature: softmax(p / temperature, axis=1), "Take their logarithms first"),
        (lambda p, temperature: np.log(p) / temperature, "These are logarithms"),
        (lambda p, temperature: np.full(p.shape, 0.2), "with other values"),
    ],
}

"""Answers to the exercises of chapter 6."""

import numpy as np
from scipy.stats import mode
from sklearn.metrics import log_loss


def voted(probabilities):
    total = 0
    for seed in probabilities:
        total = total + seed
    return [int(np.argmax(clip)) for clip in total]


def losses(p, right):
    return -np.log(p[np.arange(len(right)), right])


def by_library(p, right):
    return log_loss(right, p, labels=range(p.shape[1]))


RIGHT = {
    "neuron": [(np.array([-1.0, -1.0]), -1.0), ([-0.5, -3.0], -2), ((0, -1), 0.5)],
    "vote": [voted, lambda p: p.sum(axis=0).argmax(axis=-1)],
    "mean_loss": [
        by_library,
        lambda p, right: np.mean([-np.log(a[b]) for a, b in zip(p, right, strict=True)]),
    ],
}

WRONG = {
    "neuron": [
        ((-1.0, -1.0), "There are two weights"),
        (([-1, -1], [-1, -1]), "a single number"),
        (([0.0, 0.0], 0.0), "passes nothing on"),
        (([1.0, 1.0], -1.0), "the high and loud voice"),
        (([-1.0, 2.0], -1.0), "What sign"),
        (([-1.0, -1.0], 0.0), "To be low is enough"),
    ],
    "vote": [
        (lambda p: p.mean(axis=0), "the mean probabilities"),
        (lambda p: p[0].argmax(axis=1), "the first seed alone"),
        (lambda p: p.argmax(axis=2), "Average first"),
        (lambda p: mode(p.argmax(axis=2), axis=0).mode, "as much as a sure one"),
        (lambda p: p.max(axis=0).argmax(axis=1), "decides alone"),
        (lambda p: p.mean(axis=0).argmax(axis=0), "axis 1"),
        (lambda p: p.mean(axis=1).argmax(axis=1), "gives an array of shape (3,), where"),
    ],
    "mean_loss": [
        (lambda p, right: -losses(p, right).mean(), "where is the minus?"),
        (lambda p, right: losses(p, right).sum(), "That is the sum"),
        (lambda p, right: losses(p, right).mean() / np.log(2), "logarithm, `np.log`."),
        (lambda p, right: losses(p, right).mean() / np.log(10), "as the chapter does"),
        (lambda p, right: -np.log(np.exp(-losses(p, right)).mean()), "each clip first"),
        (lambda p, right: -np.log(p.max(axis=1)).mean(), "how sure it was"),
        (lambda p, right: -np.log(p).mean(), "one for each clip"),
    ],
}

"""Answers to the exercises of chapters 15 and 15b."""

import numpy as np
import pandas as pd


def by_steps(versions, tested):
    safe = 1.0
    for _ in range(versions - 1):
        safe *= tested
    return 1 - safe


def by_set(keys, train, test):
    known = {keys[row] for row in train}
    return sum(keys[row] in known for row in test) / len(test)


def by_merging(keys, train, test):
    known = pd.Series(keys[train]).drop_duplicates()
    return pd.Series(keys[test]).isin(known).mean()


def shared(share):
    """Return an answer to Exercise 3 of chapter 15 that takes this share."""
    return lambda keys, train, test: share(keys[train], keys[test])


def by_layers(size, depth, filters, high, wide):
    kernel = np.ones((size, size, depth, filters))
    return [kernel.size + filters, kernel.size * high * wide]


def by_filter(size, depth, filters, high, wide):
    one = size**2 * depth
    return np.array([filters * (one + 1), filters * one * high * wide])


RIGHT = {
    "share_with_sister": [by_steps, lambda versions, tested: 1 - np.prod([tested] * (versions - 1))],
    "share_shared": [by_set, by_merging],
    "convolution": [by_layers, by_filter],
    "seconds_read": [
        lambda wanted, counted_for, read_at: int(wanted * counted_for) / read_at,
        lambda wanted, counted_for, read_at: wanted / (read_at / counted_for),
    ],
}

WRONG = {
    "share_with_sister": [
        (lambda versions, tested: tested ** (versions - 1), "that are safe"),
        (lambda versions, tested: 1 - tested**versions, "among its own sisters"),
        (lambda versions, tested: 1 - (1 - tested) ** (versions - 1), "sister in the test set"),
        (lambda versions, tested: 1 - tested, "one certain sister"),
        (lambda versions, tested: 100 * by_steps(versions, tested), "between 0 and 1"),
        (lambda versions, tested: 1.0, "where 0.888889 is right"),
    ],
    "share_shared": [
        (lambda keys, train, test: np.isin(test, train).mean(), "No row is in both parts"),
        (shared(lambda train, test: 1 - np.isin(test, train).mean()), "share nothing"),
        (shared(lambda train, test: np.isin(test, train).sum()), "how many test rows"),
        (shared(lambda train, test: np.isin(train, test).mean()), "share of training rows"),
        (shared(lambda train, test: len(set(train) & set(test)) / len(set(test))), "each key once"),
        (lambda keys, train, test: 100 * by_set(keys, train, test), "between 0 and 1"),
        (shared(lambda train, test: np.isin(test, train)), "an array of shape (60,), where a number"),
    ],
    "convolution": [
        (lambda *sizes: by_filter(*sizes)[::-1], "the other way round"),
        (lambda s, d, f, h, w: (s * s * d * f, s * s * d * f * h * w), "its bias"),
        (lambda s, d, f, h, w: ((s * s * d + 1) * f, (s * s * d + 1) * f * h * w), "added, not multiplied"),
        (lambda s, d, f, h, w: ((s * s * d + 1) * f, s * s * d * f), "at one place"),
        (lambda s, d, f, h, w: ((s * s + 1) * f, s * s * f * h * w), "where is the depth"),
        (lambda s, d, f, h, w: s * s * d * f, "a number"),
    ],
    "seconds_read": [
        (lambda wanted, counted_for, read_at: wanted, "what was wanted"),
        (lambda wanted, counted_for, read_at: wanted * read_at / counted_for, "The other way round"),
        (lambda wanted, counted_for, read_at: wanted * counted_for, "number of samples"),
        (lambda wanted, counted_for, read_at: wanted * (counted_for / read_at - 1), "how much longer"),
    ],
}

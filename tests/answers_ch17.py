"""Answers to the exercises of chapter 17."""

import numpy as np


def distances(frames):
    return np.arange(frames) - np.arange(frames)[:, None]


def far(combine):
    """Return an answer to Exercise 1 that makes seconds of weights and distances in frames."""
    return lambda weights, rate: combine(weights, distances(weights.shape[-1])) / rate


def far_by_loops(weights, rate):
    heads, frames, _ = weights.shape
    found = np.zeros(heads)
    for moment in range(frames):
        for place in range(frames):
            found += weights[:, moment, place] * abs(moment - place) / rate / frames
    return found


def softmax(scores, axis=-1):
    powers = np.exp(scores)
    return powers / powers.sum(axis=axis, keepdims=True)


def score(query, keys):
    return query @ keys.T / np.sqrt(keys.shape[1])


def short(query, keys, length):
    return softmax(score(query, keys[:length]))


def filled(query, keys, length):
    return np.pad(short(query, keys, length), [(0, 0), (0, len(keys) - length)])


def shared_anew(query, keys, length):
    weights = softmax(score(query, keys))
    weights[:, length:] = 0
    return weights / weights.sum(axis=1, keepdims=True)


def cut(query, keys, length):
    return softmax(score(query, keys)) * (np.arange(len(keys)) < length)


RIGHT = {
    "how_far": [
        far_by_loops,
        far(lambda weights, steps: np.einsum("hij,ij->h", weights, abs(steps)) / len(steps)),
    ],
    "attend_within": [filled, shared_anew],
}

WRONG = {
    "how_far": [
        (far(lambda weights, steps: (weights * abs(steps)).sum(axis=-1).mean()), "mean of all heads"),
        (lambda weights, rate: far_by_loops(weights, 1), "in frames"),
        (far(lambda weights, steps: (weights * steps).sum(axis=-1).mean(axis=-1)), "cancel out"),
        (
            far(lambda weights, steps: (weights * -steps).sum(axis=-1).mean(axis=-1)),
            "Take absolute distances",
        ),
        (far(lambda weights, steps: (weights * abs(steps)).mean(axis=(1, 2))), "add up to one already"),
        (
            far(lambda weights, steps: abs(weights.argmax(axis=-1) - np.arange(len(steps))).mean(axis=-1)),
            "the largest weight",
        ),
    ],
    "attend_within": [
        (lambda query, keys, length: softmax(score(query, keys)), "the exponential of zero is one"),
        (cut, "do not add up to one any more"),
        (short, "Give padding its zeros"),
        (
            lambda query, keys, length: filled(query, keys * np.sqrt(keys.shape[1]), length),
            "the division by the root",
        ),
        (lambda query, keys, length: score(query, keys), "with other values"),
    ],
}

"""Checkers of chapter 17, a speech transformer."""

import numpy as np

from serlab.check import call, compare, exercise


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores)
    return powers / powers.sum(axis=-1, keepdims=True)


@exercise
def how_far(answer) -> str:
    """Check ``answer(weights, rate)``: for each head, how far away it looks on average, in seconds."""
    rng = np.random.default_rng(17)
    cancels = "Looking back and looking ahead cancel out. Take absolute distances."
    for heads, frames, rate in ((4, 30, 50), (3, 45, 20)):
        weights = _softmax(rng.normal(0, 2, (heads, frames, frames)))
        steps = np.arange(frames) - np.arange(frames)[:, None]
        apart = np.abs(steps) / rate
        right = (weights * apart).sum(axis=-1).mean(axis=-1)
        signed = (weights * steps).sum(axis=-1).mean(axis=-1) / rate
        peak = np.abs(weights.argmax(axis=-1) - np.arange(frames)).mean(axis=-1) / rate
        mistakes = (
            (right.mean(), "That is the mean of all heads. Keep them apart."),
            (right * rate, "That is in frames. Divide by the frames of a second."),
            (signed, cancels),
            (-signed, cancels),
            (
                (weights * apart).mean(axis=(-2, -1)),
                "The weights of a moment add up to one already: sum over where it looks, then take the mean.",
            ),
            (peak, "You take only the place with the largest weight. Let each place count by its weight."),
        )
        compare(call(answer, weights, rate), right, f"{heads} random heads", *mistakes)
    return "One number for a head says how far it looks, and not what it looks for."


@exercise
def attend_within(answer) -> str:
    """Check ``answer(query, keys, length)``: the weights, where keys from ``length`` on are padding."""
    rng = np.random.default_rng(17)
    for frames, length, depth in ((8, 5, 4), (12, 7, 3)):
        query, keys = rng.normal(size=(2, frames, depth))
        keys[length:] = 0
        scores = query @ keys.T / np.sqrt(depth)
        inside = np.arange(frames) < length
        right = _softmax(np.where(inside, scores, -np.inf))
        cut = right[:, :length]
        masked_late = _softmax(scores) * inside
        unmasked = _softmax(scores)
        mistakes = (
            (unmasked, "Padding gets weight: its scores are zero, but the exponential of zero is one."),
            (masked_late, "Padding has no weight now, but the other weights do not add up to one any more."),
            (cut, "Those are the right weights. Give padding its zeros, so that the shape stays."),
            (_softmax(np.where(inside, query @ keys.T, -np.inf)), "Where is the division by the root?"),
        )
        case = f"{frames} frames, the last {frames - length} of them padding"
        compare(call(answer, query, keys, length), right, case, *mistakes)
    return "Now what comes out for a clip does not depend on how long its neighbours are."

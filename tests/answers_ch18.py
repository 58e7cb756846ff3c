"""Answers to the exercises of chapter 18."""

import numpy as np
import pandas as pd


def by_emotion(emotion, each, rng):
    mixed = [rng.permutation(np.flatnonzero(emotion == name)) for name in np.unique(emotion)]
    return np.concatenate([m[:each] for m in mixed]), np.concatenate([m[each:] for m in mixed])


def by_sample(emotion, each, rng):
    table = pd.DataFrame({"emotion": emotion})
    own = table.groupby("emotion").sample(each, random_state=rng).index
    return list(own), list(table.index.drop(own))


def dealt(own=lambda own: own, tested=lambda own, tested: tested):
    """Return an answer to Exercise 3 whose parts are made of the right ones."""

    def answer(emotion, each, rng):
        right = by_emotion(emotion, each, rng)
        return own(right[0]), tested(*right)

    return answer


def in_all(emotion, each, rng):
    return np.split(rng.permutation(len(emotion)), [each])


def any_three(emotion, each, rng):
    rows = np.argsort(emotion != "sad", kind="stable")
    return np.split(rows, [3 * each])


def first_ones(emotion, each, rng):
    return by_emotion(emotion, each, np.random.default_rng(0))


RIGHT = {
    "deal_clips": [by_emotion, by_sample],
    "weight_of_own": [
        lambda known, own, share: known * share / (own - share * own),
        lambda known, own, share: (known / (1 - share) - known) / own,
    ],
}

WRONG = {
    "deal_clips": [
        (dealt(tested=lambda own, tested: np.append(own, tested)), "learned from and tested"),
        (dealt(own=lambda own: np.append(own, own)), "dealt twice"),
        (in_all, "that many in all"),
        (any_three, "1 of each emotion; you have {'sad': 3}"),
        (dealt(tested=lambda own, tested: tested[::2]), "in neither part"),
        (first_ones, "the same clips every time"),
        (lambda emotion, each, rng: rng.permutation(len(emotion)), "Return two arrays"),
    ],
    "weight_of_own": [
        (lambda known, own, share: known / own, "half of all weight"),
        (lambda known, own, share: share * known / own, "of all weight, your own"),
        (lambda known, own, share: share / (1 - share) * known, "all your clips together"),
        (lambda known, own, share: (1 - share) / share * own / known, "Upside down"),
    ],
}

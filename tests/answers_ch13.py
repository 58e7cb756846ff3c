"""Answers to the exercises of chapter 13."""

import numpy as np
import pandas as pd


def drawing(choose, once=True):
    """Return an answer to Exercise 1 that takes away the mean of the rows chosen for each speaker."""

    def answer(X, speakers, few, rng):
        X_new = X.copy()
        for name in dict.fromkeys(speakers):
            own = np.flatnonzero(speakers == name)
            for rows in [own] if once else own[:, None]:
                X_new[rows] -= X[choose(own, few, rng)].mean(axis=0)
        return X_new

    return answer


def few_of_own(own, few, rng):
    return rng.permutation(own)[:few]


def with_pandas(X, speakers, few, rng):
    table = pd.DataFrame(X)
    drawn = table.groupby(speakers).sample(few, random_state=rng)
    means = drawn.groupby(speakers[drawn.index]).mean()
    return table - means.loc[speakers].to_numpy()


def counting(enough):
    """Return an answer to Exercise 3 that keeps emotions by the number of corpora that have them."""

    def answer(corpora, emotions):
        places = pd.Series(corpora).groupby(emotions).nunique()
        return enough(places, len(set(corpora)))[emotions].to_numpy()

    return answer


def by_sets(corpora, emotions):
    common = set.intersection(*(set(emotions[corpora == name]) for name in set(corpora)))
    return [emotion in common for emotion in emotions]


RIGHT = {
    "moved": [drawing(few_of_own), with_pandas],
    "everywhere": [by_sets, counting(lambda places, count: places == count)],
}

WRONG = {
    "moved": [
        (lambda X, speakers, few, rng: X[:few], "an array of shape (5, 48)"),
        (lambda X, speakers, few, rng: X, "Nothing has moved"),
        (drawing(lambda own, few, rng: rng.choice(48, few, replace=False)), "clips of other speakers"),
        (drawing(lambda own, few, rng: own), "all clips of a speaker"),
        (drawing(few_of_own, once=False), "by different amounts"),
        (drawing(lambda own, few, rng: rng.permutation(own)[: few - 1]), "not the mean of 5 clips"),
        (drawing(lambda own, few, rng: rng.choice(own, few)), "drawn twice"),
        (drawing(lambda own, few, rng: own[:few]), "same clips every time"),
    ],
    "everywhere": [
        (lambda corpora, emotions: ["happy", "sad"], "True or False for each clip"),
        (counting(lambda places, count: places > 1), "more than one corpus"),
        (counting(lambda places, count: places < count), "turn it round"),
        (lambda corpora, emotions: np.isin(emotions, emotions[corpora == "a"]), "the first corpus"),
        (lambda corpora, emotions: corpora == "a", "with other values"),
    ],
}

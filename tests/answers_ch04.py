"""Answers to the exercises of chapter 4."""

from collections import Counter

import numpy as np
import pandas as pd
from scipy.stats import zscore
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from serlab.features import SpeakerNormaliser


def by_group(change, result=lambda table: table.to_numpy()):
    """Return an answer to Exercise 1 that changes the columns of each speaker in this way."""
    return lambda X, speakers: result(pd.DataFrame(X).groupby(speakers).transform(change))


def by_masks(X, speakers):
    result = np.empty_like(X)
    for name in set(speakers):
        result[speakers == name] = zscore(X[speakers == name])
    return result


def columns_mixed(X, speakers):
    result = X.copy()
    for name in set(speakers):
        own = X[speakers == name]
        result[speakers == name] = (own - own.mean()) / own.std()
    return result


def one_after_another(X, speakers):
    return np.concatenate([zscore(X[speakers == name]) for name in sorted(set(speakers))])


def by_dummy(labels):
    said = DummyClassifier(strategy="most_frequent").fit(labels, labels).predict(labels)
    return balanced_accuracy_score(labels, said), accuracy_score(labels, said)


def counted(result):
    """Return an answer to Exercise 2 from the classes and the share of the largest."""

    def answer(labels):
        counts = Counter(labels.tolist())
        return result(len(counts), max(counts.values()) / len(labels))

    return answer


RIGHT = {
    "own_scale": [
        by_masks,
        by_group(lambda own: (own - own.mean()) / own.std()),
        lambda X, speakers: SpeakerNormaliser().fit_transform(X, groups=speakers),
    ],
    "majority": [by_dummy, counted(lambda classes, share: [1 / classes, share])],
}

WRONG = {
    "own_scale": [
        (lambda X, speakers: X.mean(axis=0), "and the result (2,)"),
        (lambda X, speakers: zscore(X), "one scale for everybody"),
        (by_group(lambda own: own / own.std()), "is to be 0"),
        (columns_mixed, "are mixed up"),
        (by_group(lambda own: own - own.mean()), "Divide by the standard deviation"),
        (one_after_another, "in another order"),
        (lambda X, speakers: -by_masks(X, speakers), "High is to stay high"),
    ],
    "majority": [
        (counted(lambda classes, share: share), "Return two numbers"),
        (counted(lambda classes, share: (share, 1 / classes)), "The UAR comes first"),
        (counted(lambda classes, share: (share, share)), "the mean of the recalls"),
        (counted(lambda classes, share: (1.0, share)), "the recall of one class"),
        (counted(lambda classes, share: (100 / classes, 100 * share)), "between 0 and 1"),
        (counted(lambda classes, share: (1 / classes, 1 / classes)), "all clips of its class"),
        (lambda labels: (1 / len(set(labels)), (labels == "calm").sum()), "how many are right"),
    ],
}

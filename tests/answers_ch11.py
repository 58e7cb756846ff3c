"""Answers to the exercises of chapter 11."""

import numpy as np
import pandas as pd


def shares(corpus, label):
    """Return the share of each class in each corpus, and in all clips."""
    return pd.crosstab(corpus, label, normalize="index"), pd.Series(label).value_counts(normalize=True)


def by_hand(corpus, label):
    answers = np.empty_like(label)
    for name in set(corpus):
        own = corpus == name
        gains = {kind: np.mean(label[own] == kind) / np.mean(label == kind) for kind in set(label)}
        answers[own] = max(gains, key=gains.get)
    return answers


def where_each_class_is(corpus, label):
    """Go by which share of each class a corpus has."""
    rule = pd.crosstab(corpus, label, normalize="columns").idxmax(axis=1)
    return pd.Series(corpus).map(rule)


def usual_there(corpus, label):
    return shares(corpus, label)[0].idxmax(axis=1)[corpus].to_numpy()


def less(corpus, label):
    there, everywhere = shares(corpus, label)
    return [(there.loc[name] - everywhere).idxmax() for name in corpus]


RIGHT = {
    "parameters": [
        lambda filters, outputs: sum([filters] * 10) + sum([filters + 1] * outputs),
        lambda filters, outputs: filters * (10 + outputs) + outputs,
    ],
    "by_corpus": [by_hand, where_each_class_is],
}

WRONG = {
    "parameters": [
        (lambda filters, outputs: filters * 9 + (filters + 1) * outputs, "The filters have a bias"),
        (lambda filters, outputs: filters * 10 + filters * outputs, "Each output has a bias"),
        (lambda filters, outputs: filters * 9 + filters * outputs, "Filters and outputs"),
        (lambda filters, outputs: filters * 10, "Those are the filters"),
        (lambda filters, outputs: filters * 10 + 9 * filters * outputs + outputs, "and not nine"),
        (lambda filters, outputs: 1409, "it gives 1409, where 1667 is right"),
    ],
    "by_corpus": [
        (usual_there, "most common in each corpus"),
        (lambda corpus, label: ["negative"] * len(label), "the same everywhere"),
        (less, "You subtract"),
        (lambda corpus, label: ["positive", "neutral", "negative", "positive"], "that of its corpus"),
        (lambda corpus, label: label, "with other values"),
    ],
}

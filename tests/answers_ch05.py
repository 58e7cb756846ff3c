"""Answers to the exercises of chapter 5."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd


def reshaped(pixels):
    return pixels.reshape(len(pixels), -1)


def changed(move, share=np.mean):
    """Return an answer to Exercise 2 that moves pixels in this way."""

    def answer(tree, pixels, frames):
        return share(tree.predict(reshaped(move(pixels, frames))) != tree.predict(reshaped(pixels)))

    return answer


def earlier(pixels, frames):
    return np.roll(pixels, -frames, axis=2)


def filled(pixels, frames, mode="constant"):
    return np.pad(pixels[:, :, frames:], ((0, 0), (0, 0), (0, frames)), mode)


def one_by_one(tree, pixels, frames):
    different = 0
    for clip in pixels:
        moved = np.concatenate([clip[:, frames:], clip[:, :frames]], axis=1)
        one, two = tree.predict([clip.ravel(), moved.ravel()])
        different += one != two
    return different / len(pixels)


def means_by_hand(values, kinds):
    means = {kind: values[kinds == kind].mean() for kind in set(kinds)}
    return dict(sorted(means.items(), key=lambda item: -item[1]))


def grouped(method, ascending=False):
    def answer(values, kinds):
        return getattr(pd.Series(values).groupby(kinds), method)().sort_values(ascending=ascending)

    return answer


def winners(tree, rows):
    return tree.classes_[tree.tree_.value[rows][:, 0].argmax(axis=1)]


def leaves_from_rules(tree):
    count = dict.fromkeys(tree.classes_, 0)
    for node in range(tree.tree_.node_count):
        if tree.tree_.feature[node] < 0:
            count[winners(tree, [node])[0]] += 1
    return count


def without_zeros(tree):
    return Counter(winners(tree, tree.tree_.children_left == -1))


def counted(tree, rows):
    return pd.Series(winners(tree, rows)).value_counts().reindex(tree.classes_, fill_value=0)


def weighted(tree):
    leaves = tree.tree_.children_left == -1
    clips = pd.Series(tree.tree_.n_node_samples[leaves])
    return clips.groupby(winners(tree, leaves)).sum().reindex(tree.classes_, fill_value=0)


RIGHT = {
    "most_leaves": [lambda depth: 1 << depth, lambda depth: float(np.prod([2] * depth))],
    "share_changed": [changed(earlier), one_by_one],
    "mean_by_kind": [means_by_hand, grouped("mean")],
    "leaves_per_emotion": [
        leaves_from_rules,
        lambda tree: counted(tree, tree.tree_.children_right == -1)[::-1],
    ],
}

WRONG = {
    "most_leaves": [
        (lambda depth: 2 * depth, "splits every group"),
        (lambda depth: depth + 1, "not only one of the answers"),
        (lambda depth: 2 ** (depth + 1) - 1, "the questions as well"),
        (lambda depth: depth**2, "changed places"),
        (lambda depth: 2 ^ depth, "no power"),
        (lambda depth: 2**depth - 1, "leads to two leaves"),
        (lambda depth: 3 * depth, "For a depth of 5 it gives 15, where 32 is right."),
        (lambda: 16, "`<lambda>` stops when called with 1 argument"),
    ],
    "share_changed": [
        (changed(earlier, lambda different: 1 - np.mean(different)), "answers that stay"),
        (changed(earlier, np.sum), "number of answers"),
        (changed(earlier, lambda different: 100 * np.mean(different)), "between 0 and 1"),
        (changed(lambda pixels, frames: np.roll(pixels, frames, axis=2)), "start later"),
        (changed(lambda pixels, frames: np.roll(pixels, -frames, axis=1)), "bands up or down"),
        (changed(lambda pixels, frames: np.roll(pixels, -frames)), "slips into the next"),
        (changed(lambda pixels, frames: np.roll(reshaped(pixels), -frames, axis=1)), "say along which axis"),
        (changed(filled), "come back there"),
        (changed(partial(filled, mode="edge")), "come back there"),
        (lambda tree, pixels, frames: tree.predict(pixels), "Reshape your data"),
    ],
    "mean_by_kind": [
        (grouped("sum"), "the sum of each kind"),
        (grouped("max"), "the largest value"),
        (grouped("median"), "the median"),
        (grouped("size"), "how many values"),
        (grouped("mean", ascending=True), "the largest comes first"),
        (lambda values, kinds: values.mean(), "gives a number, where a Series of 4 is right"),
    ],
    "leaves_per_emotion": [
        (lambda tree: counted(tree, slice(None)), "the questions as well"),
        (lambda tree: counted(tree, tree.tree_.children_left != -1), "turn the condition round"),
        (lambda tree: counted(tree, tree.tree_.children_left == -1).to_numpy(), "whose number"),
        (without_zeros, "Give a 0"),
        (weighted, "Every leaf counts once"),
        (lambda tree: counted(tree, tree.tree_.children_left == -1) + 1, "with other values"),
    ],
}

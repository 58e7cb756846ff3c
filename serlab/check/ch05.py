"""Checkers of chapter 5, a decision tree."""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from serlab.check import Hint, call, compare, exercise


@exercise
def most_leaves(answer) -> str:
    """Check ``answer(depth)``: the most leaves that a tree of this depth can have."""
    for depth in (5, 2, 3, 8):  # five first: there every mistake gives a number of its own
        single = depth + 1
        twice = 2 * depth
        mistakes = (
            (twice, "A further question splits every group of the row above. Draw depth three, and count."),
            (single, "In the drawing at the top of the chapter, not only one of the answers leads further."),
            (2 ** (depth + 1) - 1, "You count the questions as well. Leaves are the last row alone."),
            (2**depth - 1, "You count the questions. Each of the last row leads to two leaves."),
            (depth**2, "In your power, depth and 2 have changed places."),
            (2 ^ depth, "In Python `^` is no power. Write `**`."),
        )
        compare(call(answer, depth), 2**depth, f"a depth of {depth}", *mistakes)
    return "Twenty questions in a row tell a million clips apart: so a tree can learn its clips by heart."


@exercise
def share_changed(answer) -> str:
    """Check ``answer(tree, pixels, frames)``: the share of answers that change when clips start earlier."""
    rng = np.random.default_rng(5)
    pixels = rng.normal(size=(997, 6, 20))
    rows = pixels.reshape(len(pixels), -1)
    tree = DecisionTreeClassifier(max_leaf_nodes=60, random_state=0).fit(rows, rng.choice(list("abcd"), 997))
    before = tree.predict(rows)
    slips = "The end of each band slips into the next. Move `pixels`, and say along which axis."
    padded = "You fill up what is missing at the end. The chapter lets the beginning come back there."

    def differ(moved):
        return np.mean(tree.predict(moved.reshape(rows.shape)) != before)

    def changed(*roll, of=pixels):
        return differ(np.roll(of, *roll))

    for frames in (0, 1, 3):
        right = changed(-frames, 2)
        cut, room = pixels[:, :, frames:], ((0, 0), (0, 0), (0, frames))
        mistakes = (
            (1 - right, "That is the share of answers that stay: compare with `!=`."),
            (997 * right, "That is the number of answers that change. Divide it by the number of clips."),
            (changed(frames, 2), "Your clips start later, not earlier: see how the chapter moves them."),
            (changed(-frames, 1), "You move bands up or down. The axes are clips, bands, frames."),
            (changed(-frames, 1, of=rows), slips),
            (changed(-frames), slips),
            (differ(np.pad(cut, room)), padded),
            (differ(np.pad(cut, room, "edge")), padded),
        )
        compare(call(answer, tree, pixels, frames), right, f"random clips and `frames={frames}`", *mistakes)
    return "It counts answers that differ, whether they were right or wrong: that shows what a model minds."


@exercise
def mean_by_kind(answer) -> str:
    """Check ``answer(values, kinds)``: the mean value of each kind, the largest first."""
    rng = np.random.default_rng(5)
    for count in (12, 60):
        values = rng.exponential(size=count)
        kinds = np.resize(["mfcc", "f0", "mfcc", "mel", "mfcc", "zcr"], count)
        groups = pd.Series(values).groupby(kinds)
        right = groups.mean().sort_values(ascending=False)
        got = call(answer, values, kinds)
        if isinstance(got, (dict, pd.Series)) and set(dict(got)) == set(right.index):
            order, got = list(dict(got)), pd.Series(got)[right.index]
        else:
            order = list(right.index)
        mistakes = (
            (groups.sum()[right.index], "That is the sum of each kind: many small numbers have a large sum."),
            (groups.max()[right.index], "That is the largest value of each kind. Take the mean."),
            (groups.median()[right.index], "That is the median of each kind. Take the mean."),
            (groups.size()[right.index], "That is how many values there are of each kind. Take their mean."),
        )
        compare(got, right, f"{count} random values", *mistakes)
        if order != list(right.index):
            raise Hint("The means are right, their order is not: the largest comes first.")
    return "A mean says how much one number of a kind counts; a sum also says how many there are."


@exercise
def leaves_per_emotion(answer) -> str:
    """Check ``answer(tree)``: for how many leaves each class of the tree is the answer."""
    rng = np.random.default_rng(5)
    emotions = ["angry", "calm", "fearful", "sad", "surprised"]
    for depth in (2, 4, 5):
        X, y = rng.normal(size=(300, 4)), rng.permutation(np.resize(emotions, 300))
        tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
        winners = tree.classes_[tree.tree_.value[:, 0].argmax(axis=1)]
        is_leaf = tree.tree_.children_left == -1

        def count(names):
            return pd.Series(names).value_counts().reindex(emotions, fill_value=0)

        got, right = call(answer, tree), count(winners[is_leaf])
        if not isinstance(got, (dict, pd.Series)):
            raise Hint("Return a Series or a dict, to say whose number each one is.")
        missing = [name for name in emotions if name not in got]
        if missing and not right[missing].any():
            raise Hint(f"There is no number for {''.join(missing[:1])}. Give a 0 to what no leaf answers.")
        questions = count(winners[~is_leaf])
        mistakes = (
            (count(winners), "You count the questions as well. In a leaf `tree_.children_left` is -1."),
            (questions, "You count the questions and not the leaves: turn the condition round."),
            (count(tree.predict(X)), "You count training clips. Every leaf counts once, large or small."),
        )
        compare(got if missing else pd.Series(got)[emotions], right, f"a tree of depth {depth}", *mistakes)
    return "An emotion that hardly any leaf answers can hardly be recognised."

"""Checkers of chapter 4, naive baselines."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require


def check_scale(answer) -> None:
    """Raise a `Hint` unless ``answer(X, speakers)`` is each column less the speaker's mean, by her spread."""
    rng = np.random.default_rng(4)
    for names in (["01", "02", "03"], list("pqrst")):
        speakers = rng.permutation(np.repeat(names, 40))
        numbers = np.searchsorted(names, speakers)
        means, spreads = 50 * rng.normal(size=(len(names), 2)), rng.uniform(2, 9, (len(names), 2))
        X = means[numbers] + spreads[numbers] * rng.normal(size=(len(speakers), 2))
        right = np.empty_like(X)
        for name in names:
            own = X[speakers == name]
            right[speakers == name] = (own - own.mean(axis=0)) / own.std(axis=0)
        got = np.asarray(call(answer, X, speakers))
        require(got.shape == X.shape, f"X has the shape {X.shape}, and the result {got.shape}.")
        if np.allclose(got, (X - X.mean(axis=0)) / X.std(axis=0), atol=0.05):
            raise Hint("That is one scale for everybody. Take mean and spread of each speaker.")
        same = np.allclose(np.sort(got, axis=0), np.sort(right, axis=0), atol=0.1)
        close = np.allclose(got, right, atol=0.1)
        require(close or not same, "The clips are in another order than they were in X.")
        parts = [got[speakers == name] for name in names]
        require(np.allclose([part.mean() for part in parts], 0, atol=0.01), "Each speaker's mean is to be 0.")
        if not np.allclose([part.mean(axis=0) for part in parts], 0, atol=0.01):
            raise Hint("The columns are mixed up: each has a mean and a spread of its own.")
        if not np.allclose([part.std(axis=0) for part in parts], 1, atol=0.05):
            raise Hint("The means are right. Divide by the standard deviation, for some people vary little.")
        require(close, "Mean and spread are right. High is to stay high, and low low.")


@exercise
def own_scale(answer) -> str:
    """Check ``answer(X, speakers)``: each column less the speaker's mean, divided by her spread."""
    check_scale(answer)
    return "High and loud now mean: for this voice. That takes several clips of it, and no label."


@exercise
def majority(answer) -> str:
    """Check ``answer(labels)``: UAR and accuracy of a guess that always names the most frequent emotion."""
    rng = np.random.default_rng(4)
    for count in (3, 2, 5):
        emotions = np.array(["calm", "angry", "sad", "happy", "fearful"])[:count]
        labels = rng.permutation(np.repeat(emotions, [60, 11, 13, 7, 9][:count]))
        share = 60 / len(labels)
        case = f"{len(labels)} clips of {count} emotions"
        got = call(answer, labels)
        require(np.shape(got) == (2,), "Return two numbers: the UAR and the accuracy.")
        require(not np.allclose(got, (share, 1 / count)), "The UAR comes first, then the accuracy.")
        mistakes = (
            (share, "That counts clips. UAR is the mean of the recalls: one class has 1, the others 0."),
            (1.0, "That is the recall of one class. The others count, too: they have 0."),
        )
        compare(got[0], 1 / count, f"the UAR of {case}", *mistakes)
        mistakes = (
            (1 / count, "The guess is right for all clips of its class, and that is the largest."),
            (60, "That is how many are right. Divide by the number of clips."),
        )
        compare(got[1], share, f"the accuracy of {case}", *mistakes)
    return "The more often one class occurs, the better it looks in accuracy; UAR stays where it is."

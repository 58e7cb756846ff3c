"""Checkers of chapter 3, honest evaluation."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from serlab.check import Hint, call, compare, exercise, require
from serlab.splits import Fold


@exercise
def mean_recall(answer) -> str:
    """Check ``answer(label, predicted)``: the mean over the classes of the share recognised."""
    rng = np.random.default_rng(3)
    emotions = ["angry", "calm", "sad"]
    for count in (200, 300):
        label = rng.choice(emotions, count, p=[0.7, 0.2, 0.1])
        predicted = np.where(rng.random(count) < 0.6, label, rng.choice(emotions, count))
        right = recall_score(label, predicted, average="macro")
        precision = precision_score(label, predicted, average="macro")
        f1 = f1_score(label, predicted, average="macro")
        accuracy = accuracy_score(label, predicted)
        mistakes = (
            (accuracy, "That is the accuracy. Take the share for each emotion first."),
            (precision, "You divide by how often an emotion was answered. Divide by how often it was there."),
            (f1, "That is the F1, which mixes recall and precision."),
        )
        compare(call(answer, label, predicted), right, f"{count} random clips", *mistakes)
    return "A rare emotion counts as much as a common one, so always answering the common one does not pay."


@exercise
def leave_one_out(answer) -> str:
    """Check ``answer(speakers)``: a pair of training and test rows for each speaker."""
    rng = np.random.default_rng(3)
    for names in (["Ann", "Bo", "Cy"], list("pqrstuv")):
        speakers = rng.permutation(np.repeat(names, 5))
        pairs = list(call(answer, speakers))
        if any(isinstance(pair, Fold) for pair in pairs):
            raise Hint("Return the pairs themselves, and make a `splits.Fold` of each afterwards.")
        pairs = [tuple(pair) for pair in pairs]
        if not pairs or any(len(pair) != 2 for pair in pairs):
            raise Hint("Each fold is to be a pair: the rows to train on, and the rows to test on.")
        folds = [(_rows(train), _rows(test)) for train, test in pairs]
        shared = any(set(speakers[train]) & set(speakers[test]) for train, test in folds)
        if shared and all(len(test) <= 1 for _, test in folds):
            raise Hint("You leave out one clip at a time, and train on all others of its speaker.")
        require(not shared, "In some fold a speaker is both trained on and tested: the leak of this chapter.")
        if any(len(set(speakers[test])) != 1 for _, test in folds):
            raise Hint("In some fold it is not exactly one speaker who is tested.")
        tested = np.sort(np.concatenate([test for _, test in folds]))
        if not np.array_equal(tested, np.arange(len(speakers))):
            raise Hint(f"Each of {len(speakers)} clips is to be tested once. Your folds test {len(tested)}.")
        require(
            all(len(train) + len(test) == len(speakers) for train, test in folds),
            "Some clips of the others are not trained on. Leave out nobody but the one who is tested.",
        )
    return "Nobody is trained on and tested, and everybody is tested once."


def _rows(part) -> np.ndarray:
    """Return the row numbers, of a mask or of what `np.where` gives, too."""
    part = np.asarray(part).ravel()
    require(part.dtype.kind in "biu", "A part is to hold row numbers, and not names of speakers.")
    return np.flatnonzero(part) if part.dtype == bool else part


@exercise
def same_size(answer) -> str:
    """Check ``answer(fold, clips, rng)``: a fold of the same sizes, drawn at random from all clips."""
    rows = np.random.default_rng(3).permutation(400)
    fold = Fold(np.sort(rows[:90]), np.array([], dtype=int), np.sort(rows[90:150]))
    drawn = [call(answer, fold, 400, np.random.default_rng(seed)) for seed in (1, 2)]
    for got in drawn:
        require(isinstance(got, Fold), "Return a `splits.Fold(train, validation, test)`.")
        train, test = np.asarray(got.train), np.asarray(got.test)
        for name, part, asked in (("training", train, fold.train), ("test", test, fold.test)):
            if len(part) != len(asked):
                raise Hint(f"It has {len(part)} {name} clips, where the fold has {len(asked)}.")
        if len(set(train)) < len(train) or len(set(test)) < len(test):
            raise Hint("Some clips are drawn twice. Draw without replacement, or cut up a permutation.")
        require(not set(train) & set(test), "Some clips are trained on and tested: a leak.")
        require(set(train) | set(test) <= set(range(400)), "Some rows are no clips: they run to `clips` - 1.")
    own = {*fold.train, *fold.test}
    if all({*got.train, *got.test} <= own for got in drawn):
        raise Hint("You draw from the clips of the fold. Draw from all clips.")
    require(set(drawn[0].test) != set(drawn[1].test), "It is the same clips every time: let `rng` draw them.")
    return "Now the two splits differ in how they are drawn, and not in their sizes."


@exercise
def narrower(answer) -> str:
    """Check ``answer(width, times)``: an interval's width with so many times as many speakers."""
    for width, times in ((10.0, 4), (7.0, 9), (9.2, 2)):
        linear = width / times
        mistakes = (
            (linear, "So fast it does not narrow. Chance evens out with the square root of the number."),
            (width * np.sqrt(times), "More speakers cannot make it wider."),
            (width / times**2, "Take the square root, not the square."),
        )
        case = f"a width of {width} and {times} times as many speakers"
        compare(call(answer, width, times), width / np.sqrt(times), case, *mistakes)
    return "Certainty is dear: each further point of it takes more speakers than the one before."


@exercise
def leaky(answer) -> str:
    """Check which of the three scripts leak: a set or list of their numbers."""
    found = set(answer)
    require(found <= {1, 2, 3}, "The scripts are 1, 2 and 3: give those that leak as a set.")
    if 3 in found:
        raise Hint("Script 3 makes copies. Look what it does with `speakers`: on which side is a copy?")
    require(1 in found, "Look at Script 1 again: whose labels helped to choose the features?")
    require(2 in found, "Look at Script 2 again: which clips decide when the best model is kept?")
    return "Ask the same of every script that you read: what has seen the test clips, and when?"

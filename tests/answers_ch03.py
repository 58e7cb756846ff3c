"""Answers to the exercises of chapter 3."""

import numpy as np
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, precision_score, recall_score
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut

from serlab.splits import Fold

NONE = np.array([], dtype=int)


def from_confusions(label, predicted):
    table = confusion_matrix(label, predicted)
    return float((table.diagonal() / table.sum(axis=1)).mean())


def pairs(test=lambda own: own, train=lambda own: ~own):
    """Return an answer to Exercise 2 that makes its parts of the mask of a speaker's rows."""

    def answer(speakers):
        masks = [speakers == name for name in np.unique(speakers)]
        return [(np.flatnonzero(train(own)), np.flatnonzero(test(own))) for own in masks]

    return answer


def first(mask):
    """Keep the first row alone."""
    return mask & (np.cumsum(mask) == 1)


def drawn(train=None, test=None, pool=None):
    """Return an answer to Exercise 3 that draws from this pool, with other parts if they are given."""

    def answer(fold, clips, rng):
        rows = rng.permutation(clips if pool is None else pool(fold))
        own_test, rest = rows[: fold.test.size], rows[fold.test.size :]
        own_train = rest[: fold.train.size]
        return Fold(
            own_train if train is None else train(fold, clips, rng, own_test),
            NONE,
            own_test if test is None else test(fold, clips, rng),
        )

    return answer


def by_choice(fold, clips, rng):
    rows = rng.choice(clips, fold.train.size + fold.test.size, replace=False)
    return Fold(rows[fold.test.size :], fold.validation, rows[: fold.test.size])


RIGHT = {
    "mean_recall": [
        balanced_accuracy_score,
        from_confusions,
        lambda label, predicted: recall_score(label, predicted, average="macro"),
    ],
    "leave_one_out": [
        pairs(),
        lambda speakers: list(LeaveOneGroupOut().split(speakers, groups=speakers)),
        lambda speakers: ((speakers != name, speakers == name) for name in set(speakers)),
        lambda speakers: [(np.where(speakers != name), np.where(speakers == name)) for name in set(speakers)],
    ],
    "same_size": [drawn(), by_choice],
    "narrower": [
        lambda width, times: width / times**0.5,
        lambda width, times: np.sqrt(width * width / times),
    ],
    "leaky": [[1, 2], {2, 1}, np.array([2, 1])],
}

WRONG = {
    "mean_recall": [
        (lambda label, predicted: (label == predicted).mean(), "the accuracy"),
        (
            lambda label, predicted: precision_score(label, predicted, average="macro"),
            "how often it was there",
        ),
        (lambda label, predicted: f1_score(label, predicted, average="macro"), "the F1"),
        (lambda label, predicted: 100 * from_confusions(label, predicted), "multiply by 100"),
        (lambda label, predicted: 0.125, "where 0."),
        (lambda label, predicted: label == "sad", "gives an array of shape"),
    ],
    "leave_one_out": [
        (lambda speakers: list(LeaveOneOut().split(speakers)), "one clip at a time"),
        (pairs(train=lambda own: own | True), "both trained on and tested"),
        (lambda speakers: [(speakers == "Ann", speakers != "Ann")], "exactly one speaker"),
        (lambda speakers: pairs()(speakers)[1:], "15 clips is to be tested once. Your folds test 10."),
        (pairs(train=lambda own: first(~own)), "Leave out nobody"),
        (lambda speakers: [np.flatnonzero(speakers == name) for name in set(speakers)], "a pair"),
        (lambda speakers: [], "a pair"),
        (lambda speakers: [(list(set(speakers) - {name}), [name]) for name in set(speakers)], "not names"),
        (lambda speakers: [Fold(NONE, NONE, np.flatnonzero(speakers == speakers[0]))], "pairs themselves"),
    ],
    "same_size": [
        (lambda fold, clips, rng: rng.permutation(clips), "Return a `splits.Fold"),
        (lambda fold, clips, rng: Fold(rng.permutation(clips)[60:], NONE, fold.test), "340 training clips"),
        (drawn(train=lambda fold, clips, rng, test: rng.choice(clips, fold.train.size)), "drawn twice"),
        (
            drawn(
                train=lambda fold, clips, rng, test: np.append(test, np.setdiff1d(np.arange(90), test))[:90]
            ),
            "a leak",
        ),
        (drawn(test=lambda fold, clips, rng: clips + rng.permutation(fold.test.size)), "no clips"),
        (drawn(pool=lambda fold: np.append(fold.train, fold.test)[::-1]), "Draw from all clips"),
        (
            lambda fold, clips, rng: by_choice(fold, clips, np.random.default_rng(0)),
            "same clips every time",
        ),
    ],
    "narrower": [
        (lambda width, times: width / times, "square root of the number"),
        (lambda width, times: width * times**0.5, "cannot make it wider"),
        (lambda width, times: width / times**2, "not the square"),
        (lambda width, times: "half", "gives a text, where a number is right"),
    ],
    "leaky": [
        ({1, 2, 3}, "Script 3 makes copies"),
        ({2}, "Look at Script 1"),
        ({1}, "Look at Script 2"),
        ({"1", "2"}, "as a set"),
        (2, "of a kind that cannot be read"),
    ],
}

"""Answers to the exercises of chapters 16 and 16b."""

import numpy as np
import pandas as pd

SETS = np.repeat(["labelled", "test", "unlabelled"], [3, 3, 6])


def by_series(speakers, rng):
    names = pd.Series(speakers).unique()
    return pd.Series(speakers).map(dict(zip(rng.permutation(names), SETS, strict=True))).to_numpy()


def by_loop(speakers, rng):
    mixed = list(rng.permutation(sorted(set(speakers))))
    found = []
    for name in speakers:
        place = mixed.index(name) / len(mixed)
        found.append("labelled" if place < 0.25 else "test" if place < 0.5 else "unlabelled")
    return found


def by_order(order):
    """Return an answer that gives the first three speakers, in this order, labels."""

    def answer(speakers, rng):
        return pd.Series(speakers).map(dict(zip(order(speakers, rng), SETS, strict=True))).to_numpy()

    return answer


def by_clips(speakers, rng):
    """Deal a quarter of the clips, and not of the people, whole people at a time."""
    mixed = rng.permutation(np.unique(speakers))
    before = dict(zip(mixed, np.cumsum([np.sum(speakers == name) for name in mixed]), strict=True))
    at = np.array([before[name] for name in speakers]) / len(speakers)
    return np.where(at < 0.25, "labelled", np.where(at < 0.5, "test", "unlabelled"))


def always_from_counts(share, classes):
    rest = (1 - share) / (classes - 1)
    f1 = [2 * share / (share + 1)] + [0] * (classes - 1)
    return np.average(f1, weights=[share] + [rest] * (classes - 1)), np.mean([1] + [0] * (classes - 1))


def always(f1, uar=lambda share, classes: 1 / classes):
    return lambda share, classes: (f1(share, classes), uar(share, classes))


def right_f1(share, classes):
    return 2 * share**2 / (1 + share)


def lead_by_hand(codes, statistics):
    pairs = zip(codes, statistics, strict=True)
    apart = [sum(one - two) / len(one) for one, two in pairs]
    middle = sum(apart) / len(apart)
    variance = sum((value - middle) ** 2 for value in apart) / (len(apart) - 1)
    return [middle, (variance / len(apart)) ** 0.5]


def error(of):
    """Return an answer with the right difference and this error."""
    return lambda codes, statistics: (np.mean(codes - statistics), of(codes, statistics))


def each(codes, statistics):
    return (codes - statistics).mean(axis=1)


RIGHT = {
    "share_out": [by_series, by_loop],
    "way_gone": [
        lambda loss, perfect, mean: 1 - (loss - perfect) / (mean - perfect),
        lambda loss, perfect, mean: (
            np.interp(-loss, [-mean, -perfect], [0, 1])
            if perfect <= loss <= mean
            else (loss - mean) / (perfect - mean)
        ),
    ],
    "always": [always_from_counts, always(right_f1)],
    "lead": [lead_by_hand, lambda codes, statistics: pd.Series(each(codes, statistics)).agg(["mean", "sem"])],
}

WRONG = {
    "share_out": [
        (lambda speakers, rng: rng.choice(SETS, len(speakers)), "you deal clips"),
        (by_clips, "Of 12 people"),
        (by_order(lambda speakers, rng: np.unique(speakers)), "the same people every time"),
        (lambda speakers, rng: SETS, "for every clip"),
        (lambda speakers, rng: np.full(len(speakers), "train"), "The sets are called"),
    ],
    "way_gone": [
        (lambda loss, perfect, mean: (loss - perfect) / (mean - perfect), "still to go"),
        (lambda loss, perfect, mean: 1 - loss / mean, "no loss comes down to zero"),
        (lambda loss, perfect, mean: perfect / loss, "one mark only"),
        (lambda loss, perfect, mean: mean - loss, "what there was to gain"),
        (lambda loss, perfect, mean: 100 * (mean - loss) / (mean - perfect), "between 0 and 1"),
    ],
    "always": [
        (always(lambda share, classes: 2 * share / (1 + share)), "Weigh it by its share"),
        (always(lambda share, classes: 2 * share / (1 + share) / classes), "plain mean of the F1s"),
        (always(lambda share, classes: share), "That is the accuracy"),
        (always(right_f1, lambda share, classes: share), "mean of the recalls"),
        (lambda share, classes: 1 / classes, "Return two numbers"),
    ],
    "lead": [
        (lambda codes, statistics: lead_by_hand(statistics, codes), "codes less statistics"),
        (
            error(lambda *both: np.sqrt(sum(one.mean(axis=1).var(ddof=1) / len(one) for one in both))),
            "draw by draw first",
        ),
        (error(lambda one, two: (one - two).std(ddof=1) / np.sqrt(one.size)), "every point as a draw"),
        (error(lambda *both: each(*both).std(ddof=1)), "deviation of one draw"),
        (error(lambda *both: each(*both).std() / np.sqrt(len(both[0]))), "with `ddof=1`"),
        (lambda codes, statistics: np.mean(codes - statistics), "Return two numbers"),
    ],
}

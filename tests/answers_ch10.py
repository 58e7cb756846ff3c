"""Answers to the exercises of chapter 10."""

import numpy as np
from scipy.stats import false_discovery_control


def drawn(
    points=lambda best, skill: 100 * (best - skill), best=lambda scores: scores.max(axis=1), draws=4000
):
    """Return an answer to Exercise 1, or one with a mistake."""

    def answer(settings, clips, skill, rng):
        scores = rng.binomial(clips, skill, size=(draws, settings)) / clips
        return points(best(scores).mean(), skill)

    return answer


def clip_by_clip(settings, clips, skill, rng):
    best = [(rng.random((settings, clips)) < skill).mean(axis=1).max() for _ in range(2000)]
    return 100 * np.mean(best) - 100 * skill


def by_rank(p):
    found, before = {}, 0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        before = max(before, min(1, p[place] * (len(p) - rank)))
        found[place] = before
    return [found[place] for place in range(len(p))]


def by_comparing(p):
    smaller = p[None] <= p[:, None]
    rank = smaller.sum(axis=1)
    raised = p * (len(p) - rank + 1)
    return np.minimum(1, np.where(smaller, raised, 0).max(axis=1))


def raised(p, back=True):
    order = np.argsort(p)
    found = p[order] * np.arange(len(p), 0, -1)
    return found[np.argsort(order)] if back else found


def not_cut(p):
    order = np.argsort(p)
    return np.maximum.accumulate(raised(p)[order])[np.argsort(order)]


RIGHT = {
    "winners_luck": [drawn(), clip_by_clip],
    "holm": [by_rank, by_comparing],
}

WRONG = {
    "winners_luck": [
        (lambda settings, clips, skill, rng: rng.normal(size=3), "one number"),
        (drawn(points=lambda best, skill: best), "the score of the best"),
        (drawn(points=lambda best, skill: 100 * best), "the score of the best"),
        (drawn(points=lambda best, skill: best - skill), "That is a share"),
        (drawn(best=lambda scores: scores), "not lucky"),
        (drawn(draws=1), "by chance"),
        (drawn(best=lambda scores: scores.max(axis=1) - scores.std(axis=1)), "is right"),
    ],
    "holm": [
        (lambda p: np.sort(by_rank(p)), "come out sorted"),
        (not_cut, "at most 1"),
        (lambda p: raised(p).clip(max=1), "None may overtake"),
        (raised, "Two steps are missing"),
        (lambda p: np.minimum(1, p * len(p)), "Bonferroni"),
        (lambda p: p * len(p), "milder"),
        (false_discovery_control, "with other values"),
    ],
}

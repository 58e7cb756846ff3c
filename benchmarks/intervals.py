"""Simulate how often intervals over speakers hold the truth, and how often a true null is rejected.

Speakers differ: each has a skill of their own, by so many points of standard deviation, and another for
every class. They give clips, a model gets some of them right, and `serlab.evaluation` puts an interval on
the UAR, on the difference of two models that are equally good on the same clips, and on the difference of
two groups of speakers. An interval of 95 % should hold the truth in 95 % of cases, and a test at 5 %
should reject a true null in 5 %. Beside it, the percentiles of a bootstrap over speakers, which the book
used before and which promise too much.

    python benchmarks/intervals.py [--trials 4000]
"""

from __future__ import annotations

import argparse

import numpy as np

from serlab import evaluation

CLASSES = 8
# Clips per speaker: EmoDB, RAVDESS and nEMO as joined, where 39 speakers weigh as much as 14.7 equal ones.
SPEAKERS = {
    "5": [60] * 5,
    "10": [60] * 10,
    "24": [60] * 24,
    "39": [60] * 39,
    "39, unequal": [60] * 24 + [54] * 10 + [539] * 5,
}
GROUPS = {"3 + 2": (3, 2), "5 + 5": (5, 5), "12 + 12": (12, 12)}
SPREADS = (0.05, 0.12)


def simulate(sizes, spread: float, trials: int, rng, models: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Draw hits of equally good models on the same speakers.

    Returns
    -------
    hits : ndarray of int, shape (models, speakers, trials, classes)
    clips : ndarray of int, shape (speakers, 1, classes)
    """
    clips = np.maximum(1, np.round(np.array(sizes)[:, None] / CLASSES)) * np.ones(CLASSES)
    easy = 0.55 + 0.15 * np.linspace(-1, 1, CLASSES)
    shape = (len(sizes), trials)
    person = spread * (rng.standard_normal((*shape, 1)) + 0.7 * rng.standard_normal((*shape, CLASSES)))
    own = 0.7 * spread * rng.standard_normal((models, *shape, CLASSES))
    skill = np.clip(easy + person + own, 0, 1)
    clips = clips[:, None].astype(int)
    return rng.binomial(np.broadcast_to(clips, skill.shape), skill), clips


def recall(hits: np.ndarray, clips: np.ndarray, without: bool = False) -> np.ndarray:
    """Compute the UAR of all speakers, (..., trials), or without each: (..., speakers, trials)."""
    pooled, total = hits.sum(axis=-3, keepdims=True), clips.sum(axis=-3, keepdims=True)
    if without:
        return ((pooled - hits) / (total - clips)).mean(axis=-1)
    return (pooled / total).mean(axis=-1)[..., 0, :]


def error(hits: np.ndarray, clips: np.ndarray) -> tuple[np.ndarray, float]:
    """Compute the standard error of the UAR of one model, or of the difference of two."""
    found = recall(hits, clips, without=True)
    return evaluation.jackknife(found[0] - found[1] if len(hits) == 2 else found[0], clips.sum((1, 2)))


def coverage(sizes, spread: float, trials: int, rng) -> float:
    """Return the share of trials in which the interval of one model's UAR holds the truth."""
    many, clips = simulate(sizes[:1] * 50, spread, 400, rng)
    truth = recall(many, clips).mean()
    hits, clips = simulate(sizes, spread, trials, rng)
    low, high, _ = evaluation.student(recall(hits, clips)[0], error(hits, clips))
    return float(np.mean((low <= truth) & (truth <= high)))


def rejected(sizes, spread: float, trials: int, rng) -> float:
    """Return the share of trials in which two equally good models are told apart at 5 %."""
    hits, clips = simulate(sizes, spread, trials, rng, models=2)
    first, second = recall(hits, clips)
    return float(np.mean(evaluation.student(first - second, error(hits, clips))[2] < 0.05))


def groups_rejected(counts, spread: float, trials: int, rng) -> float:
    """Return the share of trials in which two groups of like speakers are told apart at 5 %."""
    (a, clips_a), (b, clips_b) = (simulate([60] * n, spread, trials, rng) for n in counts)
    difference = recall(a, clips_a)[0] - recall(b, clips_b)[0]
    return float(np.mean(evaluation.student(difference, error(a, clips_a), error(b, clips_b))[2] < 0.05))


def percentile_coverage(sizes, spread: float, trials: int, rng, draws: int = 500) -> float:
    """Return the coverage of the percentile bootstrap over speakers, for comparison."""
    many, clips = simulate(sizes[:1] * 50, spread, 400, rng)
    truth = recall(many, clips).mean()
    hits, clips = simulate(sizes, spread, trials, rng)
    times = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=draws)
    drawn = np.tensordot(times, hits[0], axes=1) / np.tensordot(times, clips, axes=1)
    low, high = np.quantile(drawn.mean(axis=-1), [0.025, 0.975], axis=0)
    return float(np.mean((low <= truth) & (truth <= high)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=4000)
    trials = parser.parse_args().trials
    rng = np.random.default_rng(0)
    print(f"Intervals over speakers, {trials} trials a cell; spread of speakers 5 / 12 points, in percent.\n")
    print("| speakers | held (95) | rejected (5) | percentile bootstrap held |\n|---|---|---|---|")
    for name, sizes in SPEAKERS.items():
        cells = [
            " / ".join(f"{100 * measure(sizes, spread, n, rng):.1f}" for spread in SPREADS)
            for measure, n in (
                (coverage, trials),
                (rejected, trials),
                (percentile_coverage, min(trials, 1000)),
            )
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| groups of speakers | rejected (5) |\n|---|---|")
    for name, counts in GROUPS.items():
        cells = " / ".join(f"{100 * groups_rejected(counts, spread, trials, rng):.1f}" for spread in SPREADS)
        print(f"| {name} | {cells} |")


if __name__ == "__main__":
    main()

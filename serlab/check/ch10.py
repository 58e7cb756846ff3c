"""Checkers of chapter 10, the leaderboard."""

import numpy as np
from scipy.stats import binom

from serlab.check import Hint, call, compare, exercise, require


@exercise
def winners_luck(answer) -> str:
    """Check ``answer(settings, clips, skill, rng)``: points by which the best of equals looks too good."""
    for settings, clips, skill in ((20, 100, 0.7), (8, 290, 0.6)):
        best = np.sum(1 - binom.cdf(np.arange(clips), clips, skill) ** settings) / clips
        right = 100 * (best - skill)
        draws = [call(answer, settings, clips, skill, np.random.default_rng(seed)) for seed in range(4)]
        require(np.ndim(draws[0]) == 0, "Return one number: the mean over many draws.")
        got = np.mean(draws)
        if abs(got - 100 * best) <= 1 or abs(got - best) <= 0.01:
            raise Hint("That is the score of the best. By how much does it lie above the true one?")
        require(abs(got - right / 100) > 0.02, "That is a share. Points are hundredths: multiply by 100.")
        if abs(got) <= 0.06:
            raise Hint("All settings together are not lucky. Take the best of each draw, and then the mean.")
        require(
            np.ptp(draws) < 0.4,
            f"It gives {min(draws):.1f} or {max(draws):.1f} by chance: draw so often that this evens out.",
        )
        case = f"{settings} settings, {clips} clips and a skill of {skill}"
        require(abs(got - right) < 0.3, f"For {case} it gives {got:.1f}, where {right:.1f} is right.")
    return "The luck grows with the number of settings, and shrinks with the number of clips."


@exercise
def holm(answer) -> str:
    """Check ``answer(p)``: p-values after Holm's correction, in the order in which they came."""
    rng = np.random.default_rng(10)
    for p in (rng.permutation([0.01, 0.012, 0.03, 0.04, 0.5, 0.6, 0.7]), rng.random(9) ** 3):
        count, order = len(p), np.argsort(p)
        raised = p[order] * np.arange(count, 0, -1)
        place = np.argsort(order)
        grown = np.maximum.accumulate(raised)
        mistakes = (
            (grown.clip(max=1), "They come out sorted. Put each back where it came from."),
            (grown[place], "A probability is at most 1: cut off what is larger."),
            (raised.clip(max=1)[place], "A larger p-value has become the smaller one. None may overtake."),
            (raised[place], "Two steps are missing: none may overtake another, and none exceed 1."),
            ((p * count).clip(max=1), "That is Bonferroni's: you multiply all by the same number."),
            (p * count, "You multiply all by the same number. Holm's is milder with the larger ones."),
        )
        compare(call(answer, p), grown.clip(max=1)[place], f"{count} p-values", *mistakes)
    return "The smallest of many p-values pays the whole price, the others less and less."

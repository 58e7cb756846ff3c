"""Checkers of chapter 10b, votes."""

import numpy as np

from serlab.check import call, compare, exercise


@exercise
def winners(answer) -> str:
    """Check ``answer(ballots)``: the number of the class with the highest mean probability, for each clip."""
    rng = np.random.default_rng(10)
    for members in (3, 4):
        ballots = rng.dirichlet(np.full(5, 0.4), size=(members, 300)) + 1e-9
        heads = np.array([np.bincount(votes, minlength=5).argmax() for votes in ballots.argmax(axis=2).T])
        surest = ballots.max(axis=0).argmax(axis=1)
        by_product = np.log(ballots).mean(axis=0).argmax(axis=1)
        mistakes = (
            (by_product, "That is the product rule. Take the mean of the probabilities as they are."),
            (heads, "You count heads. A member that is sure is to count more than one that is not."),
            (surest, "You follow whoever is surest. Let all members count, by a mean."),
            (ballots.mean(axis=1).argmax(axis=1), "You average over clips. The first axis has the members."),
            (ballots.mean(axis=0), "These are the means. Say which is the highest for each clip."),
            (ballots.mean(axis=0).max(axis=1), "That is how high the highest mean is. Say where it stands."),
        )
        case = f"{members} members and 300 random clips"
        compare(call(answer, ballots), ballots.mean(axis=0).argmax(axis=1), case, *mistakes)
    return "Under a mean, one member alone can no longer stop an emotion."


@exercise
def at_least_two(answer) -> str:
    """Check ``answer(p)``: how often at least two of three are right, if each is by itself."""
    for p in (0.3, 0.55, 0.8):
        both, once = p * p * (1 - p), p * (1 - p) ** 2
        anybody = p**3 + 3 * both + 3 * once
        mistakes = (
            (p**3 + both, "Two of three can be right in three ways: whichever is the one that is wrong."),
            (3 * both, "At least two: all three may be right as well."),
            (p**3, "That is how often all three are right."),
            (anybody, "One right answer is not enough: that is how often anybody is right."),
        )
        compare(call(answer, p), p**3 + 3 * both, f"members that are right with probability {p}", *mistakes)
    return "Such a vote gains a lot where members are better than a coin, and loses where they are worse."

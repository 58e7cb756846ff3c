"""Checkers of chapters 16 and 16b, few labels, and codes or statistics."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require


@exercise
def share_out(answer) -> str:
    """Check ``answer(speakers, rng)``: labelled, unlabelled or test for each clip, dealt by people."""
    names = np.array([f"p{i:02}" for i in range(12)])
    speakers = np.random.default_rng(16).permutation(np.repeat(names, np.arange(1, 13) ** 2))
    dealt = [np.asarray(call(answer, speakers, np.random.default_rng(seed))) for seed in (1, 2)]
    for got in dealt:
        require(got.shape == speakers.shape, "Return the name of a set for every clip, in their order.")
        if not set(got) <= {"labelled", "unlabelled", "test"}:
            raise Hint('The sets are called "labelled", "unlabelled" and "test".')
        people = {part: set(speakers[got == part]) for part in ("labelled", "unlabelled", "test")}
        if sum(map(len, people.values())) != len(names):
            raise Hint("Somebody is in two sets: you deal clips. Deal people, and let their clips follow.")
        for part, count in (("labelled", 3), ("unlabelled", 6), ("test", 3)):
            found = len(people[part])
            require(found == count, f"Of 12 people {found} are {part}, where {count} are right.")
    require((dealt[0] != dealt[1]).any(), "It is the same people every time: let `rng` draw them.")
    return "However many clips they have, nobody is in two sets."


@exercise
def way_gone(answer) -> str:
    """Check ``answer(loss, perfect, mean)``: how far a loss is from the mean picture to a perfect one."""
    for loss, perfect, mean in ((0.27, 0.23, 0.31), (0.5, 0.45, 0.65), (0.32, 0.2, 0.3)):
        right = (mean - loss) / (mean - perfect)
        mistakes = (
            (1 - right, "That is the way that is still to go: 1 stands for the perfect painting."),
            (1 - loss / mean, "You measure from the mean picture to zero, but no loss comes down to zero."),
            (perfect / loss, "That has one mark only. Where is the mean picture?"),
            (mean - loss, "That is what was gained. Divide by what there was to gain."),
        )
        case = f"a loss of {loss} between {perfect} and {mean}"
        compare(call(answer, loss, perfect, mean), right, case, *mistakes)
    return "Between its two marks a loss can be read, and compared between corpora."


@exercise
def always(answer) -> str:
    """Check ``answer(share, classes)``: weighted F1 and UAR of a model with one answer."""
    for share, classes in ((0.6, 3), (0.9, 2), (0.3, 5)):
        got = call(answer, share, classes)
        require(np.shape(got) == (2,), "Return two numbers, the weighted F1 and the UAR.")
        f1, uar = got
        case = f"a class with a share of {share} among {classes}"
        own = 2 * share / (1 + share)
        mistakes = (
            (own, "That is the F1 of the class it says. Weigh it by its share; the others have an F1 of 0."),
            (own / classes, "That is the plain mean of the F1s. Here each is weighed by its share."),
            (share, "That is the accuracy. The precision is `share`, the recall is 1: what is their F1?"),
        )
        compare(f1, share * own, f"the F1 of {case}", *mistakes)
        mistakes = (
            (share, "The UAR is the mean of the recalls: 1 for one class, 0 for each of the others."),
        )
        compare(uar, 1 / classes, f"the UAR of {case}", *mistakes)
    return "One of the two scores rises with the share of the common class, and the other does not see it."


@exercise
def lead(answer) -> str:
    """Check ``answer(codes, statistics)``: the mean difference over draws in pairs, and its error."""
    rng = np.random.default_rng(16)
    for draws in (10, 15):
        luck = rng.normal(0, 0.05, (draws, 1))
        codes, statistics = (0.4 + luck + rng.normal(0, 0.02, (draws, 25)) for _ in range(2))
        apart = codes - statistics
        each = apart.mean(axis=1)
        got = call(answer, codes, statistics)
        require(np.shape(got) == (2,), "Return two numbers, the mean difference and its standard error.")
        difference, error = got
        mistakes = ((-each.mean(), "That is how far statistics are ahead. Take codes less statistics."),)
        compare(difference, each.mean(), f"the difference of {draws} random draws", *mistakes)
        heap = apart.std(ddof=1) / np.sqrt(apart.size)
        both = codes.mean(axis=1).var(ddof=1) + statistics.mean(axis=1).var(ddof=1)
        mistakes = (
            (np.sqrt(both / draws), "Subtract draw by draw first: then the luck that both share is gone."),
            (heap, "You count every point as a draw. The points of one curve share their luck."),
            (each.std(ddof=1), "That is the deviation of one draw. The mean of many is surer."),
            (each.std() / np.sqrt(draws), "Nearly: with `ddof=1` few draws do not look surer than they are."),
        )
        compare(error, each.std(ddof=1) / np.sqrt(draws), f"the error of {draws} random draws", *mistakes)
    return "In pairs, what both have in common does not count: the luck of the draw, good or bad."

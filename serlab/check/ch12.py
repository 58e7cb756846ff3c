"""Checkers of chapter 12, binary valence."""

import numpy as np

from serlab.check import call, compare, exercise, require


@exercise
def guess(answer) -> str:
    """Check ``answer(rare)``: accuracy, UAR, AUC and calibration error of a model that says no to all."""
    for rare in (0.05, 0.2, 0.35):
        found = call(answer, rare)
        require(np.shape(found) == (4,), "Give four numbers: accuracy, UAR, AUC and calibration error.")
        case = f"a share of {rare} of rare calls"
        accuracy, uar, auc, error = found
        hint = "Right is each answer to a call that is not rare."
        compare(accuracy, 1 - rare, f"the accuracy with {case}", (rare, hint))
        hint = "UAR is the mean of two recalls: what is found of the rare calls, and what of the others?"
        compare(uar, 0.5, f"the UAR with {case}", (1 - rare, hint), (0.0, hint))
        hint = "All calls have the same probability. Of two that are equal, a coin says which is higher."
        compare(auc, 0.5, f"the AUC with {case}", (0.0, hint), (rare, hint), (1 - rare, hint))
        hint = "Of the calls that get a probability, how many are rare? Compare the two."
        compare(error, 0.0, f"the calibration error with {case}", (rare, hint), (1 - rare, hint), (0.5, hint))
    return "Two of the four look fine, and the model has not listened at all."


@exercise
def corrected(answer) -> str:
    """Check ``answer(p, prevalence)``: balanced probabilities, put right for a rarer yes."""
    p = np.random.default_rng(12).uniform(0.02, 0.98, 200)
    for rare in (0.1, 0.25):
        yes, no = p * rare, (1 - p) * (1 - rare)
        swapped = p * (1 - rare) / (p * (1 - rare) + (1 - p) * rare)
        mistakes = (
            (yes, "Yes and no have to add up to one again: what has become of the no?"),
            (
                2 * yes,
                "A sure yes would be sure no more. Weigh the no as well, and divide by the sum of both.",
            ),
            (no / (yes + no), "That is the probability of no."),
            (swapped, "It has become more probable: you have given the weight of yes to no."),
            (yes / (yes + 1 - p), "No has become commoner, too. Weigh it by its own share."),
            (p + rare - 0.5, "So some probabilities fall below zero. Multiply yes and no each by its share."),
        )
        case = f"random probabilities and a prevalence of {rare}"
        compare(call(answer, p, rare), yes / (yes + no), case, *mistakes)
    return "The order of the clips is kept, so AUC is the same; what changes is what may be promised."

"""Checkers of chapter 18, your own voice."""

import numpy as np
import pandas as pd

from serlab.check import Hint, call, compare, exercise, require


@exercise
def deal_clips(answer) -> str:
    """Check ``answer(emotion, each, rng)``: rows to learn from, so many of each emotion, and to be tested."""
    emotion = np.random.default_rng(18).permutation(np.repeat(["angry", "happy", "sad"], [30, 20, 12]))
    for each in (1, 4):
        dealt = []
        for seed in (1, 2):
            got = call(answer, emotion, each, np.random.default_rng(seed))
            require(len(got) == 2, "Return two arrays of rows: to learn from, and to be tested.")
            own, tested = (np.asarray(part) for part in got)
            counts = pd.Series(emotion[own]).value_counts()
            if set(own) & set(tested):
                raise Hint("Some clips are learned from and tested: they have been heard.")
            require(len(set(own)) == len(own), "Some clips are dealt twice. Draw without replacement.")
            require(len(own) != each, "You draw that many in all. Draw that many of each emotion.")
            require(
                len(counts) == 3 and (counts == each).all(),
                f"To learn from there are to be {each} of each emotion; you have {counts.to_dict()}.",
            )
            if len(set(tested)) != len(emotion) - len(own):
                raise Hint("Some clips are in neither part. All that are not learned from are tested.")
            dealt.append(set(own))
        require(dealt[0] != dealt[1], "It is the same clips every time: let `rng` draw them.")
    return "What is tested has not been heard; what another day brings is another question."


@exercise
def weight_of_own(answer) -> str:
    """Check ``answer(known, own, share)``: the weight of a clip of one's own, where the others weigh one."""
    for known, own, share in ((1200, 25, 0.2), (900, 10, 0.5), (500, 40, 0.75)):
        right = share / (1 - share) * known / own
        of_others = share * known / own
        mistakes = (
            (known / own, "So they have half of all weight, as in the chapter, whatever the share is to be."),
            (of_others, "The share is of all weight, your own clips' included, not of the others' alone."),
            (right * own, "That is the weight of all your clips together. What has each?"),
            (1 / right, "Upside down: you are one against many, so your clips weigh more than one."),
        )
        case = f"{known} clips of others and {own} of one's own, which are to have {share} of all weight"
        compare(call(answer, known, own, share), right, case, *mistakes)
    return "Say the share you want, and the weight follows from how many clips there are."

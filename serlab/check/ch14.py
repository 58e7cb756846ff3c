"""Checkers of chapter 14, a published network and questions to it."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require


@exercise
def louder(answer) -> str:
    """Check which kinds of averages change where a clip is twice as loud: a set or list of their names."""
    kinds = {"mfcc", "mel", "chroma", "contrast", "tonnetz"}
    require(not isinstance(answer, str), "Give the names as a set, such as {'mfcc'}.")
    found = set(answer)
    require(found <= kinds, f"The kinds are {', '.join(sorted(kinds))}: give some of these names as a set.")
    require("mel" in found, "What is twice as loud has four times the power, and mel bands are powers.")
    require("mfcc" in found, "Is there none among the MFCC that says how loud it is as a whole?")
    require(
        not found & {"chroma", "tonnetz"},
        "How strong a note is, is measured against the strongest note: that is not moved by loudness.",
    )
    if "contrast" in found:
        raise Hint("Contrast is how far peaks lie above valleys, in decibels: both rise alike.")
    return "Those that change also hear how near the microphone was."


@exercise
def direction(answer) -> str:
    """Check ``answer(contour)``: a number that changes its sign when the contour is played backwards."""
    rng = np.random.default_rng(14)
    for length in (40, 61):
        contour = rng.normal(size=length).cumsum() + 5
        forth, back, up = (call(answer, one.copy()) for one in (contour, contour[::-1], contour + 3))
        require(np.ndim(forth) == 0, "Give one number for the whole contour.")
        require(abs(forth) > 1e-12, "For a random contour it gives 0.")
        if np.isclose(forth, back):
            raise Hint("Backwards it is the same: like a mean, it forgets the order of the frames.")
        compare(up, forth, "a contour that lies higher by 3, so that it should give the same,")
        compare(back, -forth, "a random contour backwards, so that the sign alone should change,")
    return "One number more, and backwards is no longer the same as forwards."


@exercise
def lowest(answer) -> str:
    """Check ``answer(right, sure, risk)``: the lowest probability that keeps the risk."""
    rng = np.random.default_rng(14)
    for risk in (0.1, 0.2):
        sure = np.round(np.sort(rng.permutation(np.arange(300, 1000))[:400])[::-1] / 1000, 3)
        right = rng.random(400) < sure**0.7
        right[:10] = np.arange(10) != 4  # an early mistake, after which it is right again
        wrong = np.cumsum(~right) / np.arange(1, 401)
        order = rng.permutation(400)
        found = call(answer, right[order], sure[order], risk)
        require(np.ndim(found) == 0, "Give one probability.")

        def share(line, sure=sure):
            return np.mean(sure >= line)

        last = np.flatnonzero(wrong <= risk)[-1]
        kept = share(np.quantile(sure, risk))
        mistakes = (
            (share(sure[3]), "You stop at the first mistake too many. Going on, it may be few enough again."),
            (share(1 - risk), "You believe the probabilities. Count how many answers are right."),
            (share(sure[0]), "That is the surest answer. Look for the lowest probability that is enough."),
            (kept, "That leaves a share of the answers out. It is the share of wrong ones that is limited."),
        )
        case = f"a risk of {risk}, as the share of the answers given,"
        compare(share(found), share(sure[last]), case, *mistakes)
    return "The line comes from counting, and so it needs no probability that can be believed."


@exercise
def softened(answer) -> str:
    """Check ``answer(p, temperature)``: probabilities whose logarithms were divided by a temperature."""
    p = np.random.default_rng(14).dirichlet(np.full(5, 0.5), size=100) + 1e-6
    p /= p.sum(axis=1, keepdims=True)
    for temperature in (1.5, 3.0):
        powers, soft = p ** (1 / temperature), np.exp(p / temperature)
        sharp = p**temperature
        from_exp = soft / soft.sum(axis=1, keepdims=True)
        sharpened = sharp / sharp.sum(axis=1, keepdims=True)
        mistakes = (
            (powers, "They no longer add up to one for each clip."),
            (powers / powers.sum(axis=0), "Of each clip, not of each emotion, they are to add up to one."),
            (sharpened, "That makes it surer still. Divide the logarithms, do not multiply."),
            (p, "Nothing has changed. Divide the logarithms, not the probabilities."),
            (from_exp, "You divide the probabilities. Take their logarithms first."),
            (np.log(p) / temperature, "These are logarithms. Make probabilities of them again."),
        )
        case = f"a temperature of {temperature}"
        compare(call(answer, p, temperature), powers / powers.sum(axis=1, keepdims=True), case, *mistakes)
    return "The order within a clip stays, so no answer has changed: only how sure the model says it is."

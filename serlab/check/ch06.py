"""Checkers of chapter 6, the first neural network."""

import numpy as np

from serlab.check import Hint, call, compare, exercise, require

# How far pitch and level lie above the average.
_VOICES = {"high and loud": (1.5, 1.0), "low and loud": (-1.5, 1.0), "low and quiet": (-1.5, -1.0)}


@exercise
def neuron(weights, bias) -> str:
    """Check a neuron's two weights and its bias: it is to pass on the low and quiet voice only."""
    require(np.shape(weights) == (2,), "There are two weights: one for the pitch, one for the level.")
    require(np.ndim(bias) == 0, "The bias is a single number.")
    sums = {name: np.dot(weights, voice) + bias for name, voice in _VOICES.items()}
    if not any(total > 0 for total in sums.values()):
        raise Hint("It passes nothing on: no sum is above 0. Make the bias larger, or the weights.")
    if sums["high and loud"] > 0:
        raise Hint("It speaks up for the high and loud voice. With a negative weight, less counts as more.")
    require(
        sums["low and quiet"] > 0,
        "It speaks up for the low voice when that is loud. What sign should the weight of the level have?",
    )
    if sums["low and loud"] > 0:
        raise Hint("To be low is enough for it. A smaller bias, below 0, asks for both, low and quiet.")
    return "A single neuron can ask for two things at once."


@exercise
def vote(answer) -> str:
    """Check ``answer(probabilities)``: the number of the class with the highest mean over the seeds."""
    rng = np.random.default_rng(6)
    for seeds, classes in ((3, 4), (5, 8)):
        probabilities = rng.dirichlet(np.full(classes, 0.4), size=(seeds, 300))
        each = probabilities.argmax(axis=2)
        most = np.array([np.bincount(one).argmax() for one in each.T])
        mean = probabilities.mean(axis=0)
        per_class = mean.argmax(axis=0)
        surest = probabilities.max(axis=0).argmax(axis=1)
        mistakes = (
            (mean, "Those are the mean probabilities. Return which class has the highest, clip by clip."),
            (each[0], "That is the first seed alone."),
            (each, "Those are the answers of each seed. Average first, then take the largest."),
            (most, "A seed that hesitates counts as much as a sure one: average the probabilities first."),
            (surest, "The surest seed decides alone. Take the mean, not the largest."),
            (per_class, "For each class you look for a clip. Look for a class for each clip: axis 1."),
        )
        case = f"{seeds} seeds, 300 clips and {classes} classes"
        compare(call(answer, probabilities), mean.argmax(axis=1), case, *mistakes)
    return "Where one seed was unlucky, the others outvote it."


@exercise
def mean_loss(answer) -> str:
    """Check ``answer(probabilities, right)``: the mean of -log p of the right classes."""
    rng = np.random.default_rng(6)
    for classes in (8, 3):
        probabilities = rng.dirichlet(np.ones(classes), size=50)
        right = rng.integers(classes, size=50)
        given = probabilities[np.arange(50), right]
        loss = -np.log(given).mean()
        sureness = -np.log(probabilities.max(axis=1)).mean()
        mistakes = (
            (-loss, "The logarithm of a probability is negative: where is the minus?"),
            (50 * loss, "That is the sum. Take the mean, so that the number of clips does not matter."),
            (loss / np.log(2), "Take the natural logarithm, `np.log`."),
            (loss / np.log(10), "Take the natural logarithm, `np.log`, as the chapter does."),
            (-np.log(given.mean()), "Take the logarithm of each clip first, then the mean."),
            (sureness, "That asks how sure it was of its answer. What counts is p of the *right* class."),
            (-np.log(probabilities).mean(), "Only the p of the right class counts, one for each clip."),
        )
        compare(call(answer, probabilities, right), loss, f"50 clips and {classes} classes", *mistakes)
    return "Accuracy asks who came first, the loss how much was staked on it."

"""Checkers of chapters 8, 8b and 8c: augmentation, the augmented network, and what the microphone adds."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from serlab.check import Hint, call, compare, exercise, require
from serlab.check.ch04 import check_scale
from serlab.splits import Fold


@exercise
def blend(answer) -> str:
    """Check ``answer(first, second, share)``: so much of an array, and the rest of another."""
    rng = np.random.default_rng(8)
    for share, shape in ((0.7, (4, 5)), (0.9, (8,))):
        first, second = rng.normal(size=shape), rng.normal(size=shape)
        mistakes = (
            (share * second + (1 - share) * first, "The shares have changed places: most is to be `first`."),
            (share * first + second, "All of `second` is added. The two shares have to add up to 1."),
            (share * (first + second), "You take the same share of both: the two have to add up to 1."),
            (first, "That is `first` alone: nothing of `second` is in it."),
            ((first + second) / 2, "Half and half, whatever the share is."),
        )
        case = f"a share of {share}"
        compare(call(answer, first, second, share), share * first + (1 - share) * second, case, *mistakes)
    return "The same function blends pictures and labels, so the label says what is in the picture."


@exercise
def cover(answer) -> str:
    """Check ``answer(pictures, most, rng)``: clips with a stretch of frames at the clip's own mean."""
    pictures = np.random.default_rng(8).normal(size=(300, 5, 20)) + np.arange(300)[:, None, None]
    got = np.stack([call(answer, pictures, 6, np.random.default_rng(seed)) for seed in (1, 2)])
    require(got.shape[1:] == pictures.shape, f"Return an array of the shape {pictures.shape}.")
    changed = got != pictures
    hidden = changed.any(axis=2)
    require(hidden.any(), "No frame of any clip is covered.")
    if (changed != hidden[:, :, None]).any():
        raise Hint("Some bands are covered and others not. Cover whole frames: they are the last axis.")
    filled = np.where(changed, got - pictures.mean(axis=(1, 2), keepdims=True), 0)
    if not np.allclose(filled, 0):
        raise Hint("Fill the stretch with the mean of the clip itself, over its bands and frames.")
    count = hidden.sum(axis=2)
    require(count.max() <= 6, f"It covers {count.max()} frames, where `most` is 6.")
    starts = (np.diff(hidden.astype(int), axis=2, prepend=0) == 1).sum(axis=2)
    require(starts.max() == 1, "In some clips there is more than one stretch: cover neighbouring frames.")
    if (hidden == hidden[:, :1]).all():
        raise Hint("The same frames are covered in every clip. Draw a place for each of them.")
    require(len(np.unique(count)) > 2, "The stretch has the same width every time. Draw it from 0 to `most`.")
    require((hidden[0] != hidden[1]).any(), "Called again it covers the same frames: let `rng` draw them.")
    require(hidden.any(axis=(0, 1)).all(), "Some frames are never covered. Can a stretch reach both ends?")
    return "Every clip has a gap of its own, and another one next time."


@exercise
def with_versions(answer) -> str:
    """Check ``answer(fold, versions)``: rows to train on and to test on, where each clip has several rows."""
    clips = np.random.default_rng(8).permutation(60)
    fold = Fold(np.sort(clips[:40]), np.array([], dtype=int), np.sort(clips[40:55]))
    for versions in (5, 3):
        pair = tuple(call(answer, fold, versions))
        require(len(pair) == 2, "Return two arrays: the rows to train on, and the rows to test on.")
        train, test = map(np.asarray, pair)
        require(
            not set(train // versions) & set(test // versions),
            f"With {versions} versions some clip is on both sides: which rows are those of clip 7?",
        )
        if (test % versions).any():
            raise Hint("Altered versions are tested as well. Test on clips as they are.")
        if set(test) != set(fold.test * versions):
            raise Hint("The clips that are tested are not those of `fold.test`.")
        require((train % versions).any(), "Only clips as they are get trained on. What are the versions for?")
        if not set(train // versions) <= set(fold.train):
            raise Hint("Some of the rows to train on belong to clips that are not in `fold.train`.")
        if not len(set(train)) == len(train) == versions * fold.train.size:
            raise Hint("Each of the versions of each training clip is to be trained on once.")
    return "Split clips, then look up their versions: so no copy can cross to the other side."


@exercise
def unswapped_uar(answer) -> str:
    """Check ``answer(report)``: the UAR from a report that was made with swapped arguments."""
    rng = np.random.default_rng(8)
    label = rng.choice(list("abcd"), 500, p=[0.4, 0.3, 0.2, 0.1])
    predicted = np.where(rng.random(500) < 0.5, label, rng.choice(list("abcd"), 500, p=[0.7, 0.1, 0.1, 0.1]))
    scores = precision_recall_fscore_support(predicted, label)  # swapped
    columns = ["precision", "recall", "f1", "clips"]
    report = pd.DataFrame(dict(zip(columns, scores, strict=True)), index=list("abcd"))
    weights = report["clips"] / 500
    weighted = (weights * report["precision"]).sum()
    mistakes = (
        (report["recall"].mean(), "What this report calls recall is not the recall: which is it?"),
        (report["f1"].mean(), "That is the mean F1. The swap does not change it, but it is not the UAR."),
        (accuracy_score(label, predicted), "That is the accuracy: each class is to count as much."),
        (weighted, "You weight the classes, by how often they were *answered*. In a UAR all count the same."),
    )
    compare(call(answer, report), report["precision"].mean(), "a random report", *mistakes)
    return "A swapped report is not lost, if one knows that it is swapped."


@exercise
def by_speaker(answer) -> str:
    """Check ``answer(X, speakers)``: as in chapter 4; what never changes is to be 0."""
    check_scale(answer)
    X = np.random.default_rng(8).normal(size=(42, 4))
    X[:, 1] = 5
    with np.errstate(all="ignore"):
        flat = np.asarray(call(answer, X, np.repeat(["Ann", "Bo", "Cy"], 14)))
    if not np.isfinite(flat).all():
        raise Hint("A feature that never changes has a deviation of 0, and you divide by it.")
    return "Whatever a line or a microphone adds to all clips of a speaker is gone."


@exercise
def noisy(answer) -> str:
    """Check ``answer(y, snr, rng)``: a sound with noise that lies so many decibels below it."""
    for scale, snr in ((0.2, 10), (3.0, 24)):
        y = scale * np.sin(np.arange(16000) / 9) * np.linspace(0, 1, 16000)
        got = np.asarray(call(answer, y, snr, np.random.default_rng(1)))
        require(got.shape == y.shape, "The noisy sound has as many samples as the sound.")
        require(not np.allclose(got, y), "Nothing has been added.")
        noise = got - y
        if not np.abs(noise.mean()) < noise.std() / 10:
            raise Hint("What you add is no noise around zero, or it does not leave the sound as it was.")
        other = call(answer, y, snr, np.random.default_rng(2))
        require(not np.allclose(got, other), "The noise is the same every time: let `rng` draw it.")
        power = 10 * np.log10(np.mean(y**2))
        mistakes = (
            (-snr, "The noise lies above the sound. Which is to be divided by which?"),
            (2 * snr, "Decibels are 10 times the logarithm of a power, but 20 times that of an amplitude."),
            (round(2 * snr - power), "You scale by a power. An amplitude is the root of it."),
            (round(power + snr), "Its level is the same for soft sounds and loud ones: measure `y`."),
        )
        case = f"noise that is to lie {snr} dB below"
        compare(round(power - 10 * np.log10(np.mean(noise**2))), snr, case, *mistakes)
    return "The number says nothing of how loud the sound is, only how far the noise lies below it."

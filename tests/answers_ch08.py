"""Answers to the exercises of chapters 8, 8b and 8c."""

import numpy as np
import pandas as pd
from scipy.stats import zscore

from serlab import augment
from serlab.features import SpeakerNormaliser


def covered(fill=None, width=None, last=0, each=True, draw=None, bands=slice(None), step=1):
    """Return an answer to Exercise 3 of chapter 8, or one with a mistake."""

    def answer(pictures, most, rng):
        rng = draw() if draw else rng
        found, frames = pictures.copy(), pictures.shape[2]
        size, start = 0, 0
        for number, clip in enumerate(found):
            if each or not number:
                size = width or rng.integers(0, most + 1)
                start = rng.integers(0, frames - size + 1 - last)
            clip[bands, start : start + size * step : step] = clip.mean() if fill is None else fill
        return found

    return answer


def all_at_once(pictures, most, rng):
    clips, _, frames = pictures.shape
    size = rng.integers(1, most + 1, size=(clips, 1))
    start = rng.integers(0, frames - size + 1)
    place = np.arange(frames)
    gap = (place >= start) & (place < start + size)
    return np.where(gap[:, None], pictures.mean(axis=(1, 2), keepdims=True), pictures)


def versions_of(clips, versions):
    return (np.asarray(clips)[:, None] * versions + np.arange(versions)).ravel()


def rows(train=versions_of, test=lambda clips, versions: clips * versions, known=lambda fold: fold.train):
    def answer(fold, versions):
        return train(known(fold), versions), test(fold.test, versions)

    return answer


def in_a_loop(fold, versions):
    train = [clip * versions + version for version in range(versions) for clip in fold.train]
    return train, [clip * versions for clip in fold.test]


def with_test_clips(fold):
    return np.append(fold.train, fold.test)


def untested(fold):
    return np.setdiff1d(np.arange(60), fold.test)


def grouped(X, speakers):
    table = pd.DataFrame(X).groupby(speakers)
    return ((X - table.transform("mean")) / (table.transform("std") + 1e-12)).to_numpy()


def each(change):
    """Return an answer that changes the rows of each speaker in this way."""

    def answer(X, speakers):
        found = X.copy()
        for speaker in np.unique(speakers):
            found[speakers == speaker] = change(X[speakers == speaker])
        return found

    return answer


def in_order(X, speakers):
    return np.concatenate([zscore(X[speakers == speaker]) for speaker in np.unique(speakers)])


def with_noise(level, draw=None, centre=0):
    """Return an answer that adds noise of a deviation: of the sound's power and the ratio as a power."""

    def answer(y, snr, rng):
        rng = draw() if draw else rng
        return y + level(np.mean(y**2), 10 ** (snr / 10)) * rng.normal(centre, 1, size=y.shape)

    return answer


def seeded():
    return np.random.default_rng(0)


RIGHT = {
    "blend": [
        lambda first, second, share: second + share * (first - second),
        lambda first, second, share: np.average([first, second], axis=0, weights=[share, 1 - share]),
    ],
    "cover": [
        covered(),
        all_at_once,
        lambda pictures, most, rng: augment.time_mask(pictures, rng, 1, (0, most)),
    ],
    "with_versions": [rows(), in_a_loop],
    "unswapped_uar": [lambda report: report["precision"].mean(), lambda report: sum(report["precision"]) / 4],
    "by_speaker": [
        lambda X, speakers: SpeakerNormaliser().fit_transform(X, groups=speakers),
        grouped,
    ],
    "noisy": [
        with_noise(lambda power, ratio: np.sqrt(power / ratio)),
        lambda y, snr, rng: augment.add_noise(y, snr, rng),
        lambda y, snr, rng: augment.add_noise(y, snr, rng, "pink"),
    ],
}

WRONG = {
    "blend": [
        (lambda first, second, share: share * second + (1 - share) * first, "changed places"),
        (lambda first, second, share: share * first + second, "All of `second`"),
        (lambda first, second, share: share * (first + second), "the same share of both"),
        (lambda first, second, share: first, "`first` alone"),
        (lambda first, second, share: (first + second) / 2, "Half and half"),
    ],
    "cover": [
        (lambda pictures, most, rng: pictures[0], "Return an array of the shape"),
        (lambda pictures, most, rng: pictures, "No frame"),
        (covered(bands=slice(0, 2)), "Cover whole frames"),
        (lambda pictures, most, rng: augment.frequency_mask(pictures, rng, 1, (1, 4)), "Cover whole frames"),
        (covered(fill=0.0), "the mean of the clip itself"),
        (covered(width=7), "It covers 7 frames, where `most` is 6"),
        (covered(step=2), "more than one stretch"),
        (covered(each=False), "same frames are covered in every clip"),
        (covered(width=6), "same width"),
        (covered(draw=seeded), "let `rng` draw"),
        (covered(last=1), "never covered"),
    ],
    "with_versions": [
        (lambda fold, versions: versions_of(fold.train, versions), "Return two arrays"),
        (rows(known=with_test_clips), "on both sides"),
        (lambda fold, versions: (fold.train, fold.test), "on both sides"),
        (rows(test=versions_of), "Altered versions are tested"),
        (rows(test=lambda clips, versions: clips[1:] * versions), "not those of `fold.test`"),
        (rows(train=lambda clips, versions: clips * versions), "What are the versions for"),
        (rows(known=untested), "not in `fold.train`"),
        (rows(train=lambda clips, versions: versions_of(clips, versions)[1:]), "trained on once"),
    ],
    "unswapped_uar": [
        (lambda report: report["recall"].mean(), "is not the recall"),
        (lambda report: report["f1"].mean(), "the mean F1"),
        (lambda report: np.average(report["recall"], weights=report["clips"]), "the accuracy"),
        (lambda report: np.average(report["precision"], weights=report["clips"]), "You weight the classes"),
    ],
    "by_speaker": [
        (each(lambda own: own - own.mean(axis=0)), "Divide by the standard deviation"),
        (each(lambda own: (own - own.mean(axis=0)) / own.std(axis=0)), "a deviation of 0"),
    ],
    "noisy": [
        (lambda y, snr, rng: rng.normal(size=len(y) + 1), "as many samples"),
        (lambda y, snr, rng: y, "Nothing has been added"),
        (with_noise(lambda power, ratio: 0.01, centre=1), "no noise around zero"),
        (with_noise(lambda power, ratio: np.sqrt(power / ratio), draw=seeded), "let `rng` draw"),
        (with_noise(lambda power, ratio: np.sqrt(power * ratio)), "divided by which"),
        (with_noise(lambda power, ratio: np.sqrt(power) / ratio), "20 times"),
        (with_noise(lambda power, ratio: power / ratio), "the root of it"),
        (with_noise(lambda power, ratio: np.sqrt(1 / ratio)), "measure `y`"),
    ],
}

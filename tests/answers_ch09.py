"""Answers to the exercises of chapter 9."""

import numpy as np
import pandas as pd

CORPUS = pd.DataFrame(
    {
        "clip": [f"clip {number}" for number in range(12)],
        "speaker": pd.Categorical(np.repeat(["Ann", "Bo", "Cy", "Di"], 3)),
        "gender": pd.Categorical(np.repeat(["female", "male", "male", "female"], 3)),
        "emotion": pd.Categorical(["sad", "happy", "angry"] * 4),
    }
)


def predictions(asked="gender", fold=None):
    """Return what `training.cross_validate` gives, with every answer the same."""
    found = pd.DataFrame({"clip": CORPUS["clip"], "speaker": CORPUS["speaker"].astype(str)})
    found["fold"] = np.arange(12) // 6 if fold is None else fold
    return found.assign(label=CORPUS[asked].astype(str), predicted=CORPUS[asked].iloc[0])


def added_up(windows, count=len, divide=True):
    total, frames = 0, 0
    for window in windows:
        total, frames = total + window.sum(axis=0), frames + count(window)
    return total / frames if divide else total


def running(windows):
    mean, seen = np.zeros(4), 0
    for window in windows:
        for frame in window:
            seen += 1
            mean = mean + (frame - mean) / seen
    return mean


def short_notes(windows):
    notes = [(len(window), window.mean(axis=0)) for window in windows]
    counts, means = zip(*notes, strict=True)
    return np.average(means, axis=0, weights=counts).tolist()


def last(windows):
    for window in windows:
        mean = window.mean(axis=0)
    return mean


RIGHT = {
    "gender_probe": [
        (predictions(), CORPUS),
        (predictions().sample(frac=1, random_state=0), CORPUS),
        (predictions(fold=np.arange(12) // 3), CORPUS),
    ],
    "mean_over_time": [added_up, running, short_notes],
}

WRONG = {
    "gender_probe": [
        ((0.97, CORPUS), "the table of its predictions"),
        ((predictions("emotion"), CORPUS), "say `y=`"),
        ((predictions("speaker"), CORPUS), "not the gender"),
        ((predictions().assign(label="male"), CORPUS), "not the speakers' genders"),
        ((predictions(fold=np.arange(12) % 3), CORPUS), "deal by speaker"),
    ],
    "mean_over_time": [
        (lambda windows: np.mean([window.mean(axis=0) for window in windows], axis=0), "A mean of means"),
        (lambda windows: added_up(windows, divide=False), "the sum of all frames"),
        (lambda windows: added_up(windows, count=lambda window: 1), "the number of windows"),
        (lambda windows: np.concatenate(list(windows)).mean(), "one mean of everything"),
        (last, "the last window alone"),
        (lambda windows: np.concatenate(list(windows)).mean(axis=0), "7 windows were in memory"),
    ],
}

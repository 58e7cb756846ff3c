"""Checkers of chapter 9, transfer learning."""

from __future__ import annotations

import weakref

import numpy as np
import pandas as pd

from serlab.check import Hint, call, compare, exercise, require


@exercise
def gender_probe(answer, corpus) -> str:
    """Check the predictions of a probe for gender, on speakers whom it has not heard."""
    if not (isinstance(answer, pd.DataFrame) and {"clip", "fold", "label"} <= set(answer)):
        raise Hint("Keep what `training.cross_validate` gives: the table of its predictions.")
    told = corpus.set_index("clip").loc[answer["clip"]]
    labels = answer["label"].astype(str).to_numpy()
    if np.array_equal(labels, told["emotion"].astype(str)):
        raise Hint("It has learnt the emotions: say `y=` what it is to learn.")
    if np.array_equal(labels, told["speaker"].astype(str)):
        raise Hint("It has learnt who speaks, not the gender.")
    require(np.array_equal(labels, told["gender"].astype(str)), "The labels are not the speakers' genders.")
    folds = answer["fold"].groupby(told["speaker"].astype(str).to_numpy()).nunique()
    require(
        folds.max() == 1,
        "Speakers are in several folds, so it may recognise a person: deal by speaker, as `split` does.",
    )
    return "Nobody could be recognised, so what it has found is in the voices themselves."


class _Windows:
    """Give windows one after the other; `held` is how many the reader kept at most."""

    def __init__(self, windows: list[np.ndarray]):
        self.windows, self.held = windows, 0

    def __deepcopy__(self, memo) -> _Windows:
        return self

    def __iter__(self):
        given = []
        for window in self.windows:
            given.append(weakref.ref(window := window.copy()))
            yield window
            del window
            self.held = max(self.held, sum(one() is not None for one in given))


@exercise
def mean_over_time(answer) -> str:
    """Check ``answer(windows)``: the mean over all frames of windows, (frames, numbers), one by one."""
    rng = np.random.default_rng(9)
    lengths = (9, 5, 7, 3, 8, 6, 2)
    windows = _Windows([rng.normal(loc, size=(frames, 4)) for loc, frames in enumerate(lengths)])
    got = call(answer, windows)
    frames = np.concatenate(windows.windows)
    means = [window.mean(axis=0) for window in windows.windows]
    mistakes = (
        (np.mean(means, axis=0), "A mean of means counts short windows as much as long ones: count frames."),
        (frames.sum(axis=0), "That is the sum of all frames. Divide it by their number."),
        (frames.sum(axis=0) / 7, "You divide by the number of windows, not of frames."),
        (frames.mean(), "That is one mean of everything. Each of the numbers has its own: `axis=0`."),
        (means[-1], "That is the mean of the last window alone."),
    )
    compare(got, frames.mean(axis=0), "seven windows", *mistakes)
    require(
        windows.held < 3,
        f"The mean is right, but {windows.held} windows were in memory at once. Keep a sum and a count.",
    )
    return "A sum and a count are all that has to be kept, however long the sound is."

"""What is given to models: refused with shape, row and column, before a wrong answer is given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from serlab.checks import check_inputs, check_like
from serlab.errors import EvaluationError
from serlab.lessons.ch16_self_training import SelfTrainingVote
from serlab.models.binaries import OneVsRest, Oversampled, Tuned
from serlab.models.search import Committee, SpeakerSearch

Y = np.array(["sad", "happy", "angry"] * 8)
SPEAKERS = np.repeat(["ann", "bob", "cy", "dee"], 6)


def features(width=4):
    return np.random.default_rng(0).normal(size=(24, width)) + np.arange(24)[:, None] % 3


def search():
    return SpeakerSearch(LogisticRegression(), {"C": [0.1, 1.0]}, k=2)


def vote():
    return Committee([(slice(0, 2), search()), (slice(2, 4), search())])


class Taught(SelfTrainingVote):
    """Everything said of one speaker, so that it can be asked like the others."""

    def predict(self, X):
        return super().predict(X, ["ann"] * len(X))


ESTIMATORS = {
    "committee": vote,
    "search": search,
    "self-training": lambda: Taught([slice(0, 2), slice(2, 4)]),
    "tuned": lambda: Tuned(LogisticRegression(), k=2),
    "one against the rest": lambda: OneVsRest(LogisticRegression()),
    "oversampled": lambda: Oversampled(LogisticRegression()),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y: (np.where(np.arange(24)[:, None] == 5, np.inf, X), y), r"row 5 hold inf in column 0"),
        (lambda X, y: (X, np.full(24, "sad")), "all labels are 'sad'"),
        (lambda X, y: (X, np.where(np.arange(24) == 2, None, y)), "label of row 2 is missing"),
        (lambda X, y: (X, np.where(np.arange(24) == 2, "", y)), "label of row 2 is missing"),
        (lambda X, y: (X, np.where(np.arange(24) == 0, "Sad", y)), "'Sad' and 'sad' differ in spelling"),
        (lambda X, y: (X, y[:-1]), r"labels of shape \(23,\) do not go with 24 rows"),
        (lambda X, y: (X[:, 0], y), r"shape \(24,\)"),
        (lambda X, y: (X[:0], y[:0]), "nothing to train on"),
        (lambda X, y: (X.astype(str), y), "must be numbers"),
        (lambda X, y: (pd.DataFrame(X).assign(clip="a.wav"), y), "must be numbers"),
    ],
)
def test_nothing_is_trained_on_what_cannot_be(name, spoil, message):
    X, y = spoil(features(), Y)
    model = ESTIMATORS[name]()
    with pytest.raises(EvaluationError, match=message):
        model.fit(X, y, groups=SPEAKERS)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_data_frame_is_trained_on_as_its_numbers(name):
    X = features()
    plain, framed = (
        ESTIMATORS[name]().fit(x, Y, groups=SPEAKERS) for x in (X, pd.DataFrame(X, index=SPEAKERS))
    )
    assert framed.predict(X).tolist() == plain.predict(X).tolist()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_one_example_or_another_width_is_never_answered(name):
    model = ESTIMATORS[name]().fit(features(), Y, groups=SPEAKERS)
    assert len(model.predict(features()[:1])) == 1
    for wrong in (features()[0], features(5), features(3), features()[:, :, None]):
        with pytest.raises((EvaluationError, ValueError)):
            model.predict(wrong)


def test_the_message_says_what_shape_is_wanted():
    X = np.zeros((5, 3, 2))
    check_like(X, (3, 2))
    with pytest.raises(EvaluationError, match=r"\(3, 2\).*\(clips, 3, 2\).*X\[i:i\+1\]"):
        check_like(X[0], (3, 2))
    with pytest.raises(EvaluationError, match=r"\(5, 3\).*\(clips, 3, 2\)"):
        check_like(X[:, :, 0], (3, 2))


def test_a_square_example_is_not_taken_for_several_of_one_dimension_less():
    with pytest.raises(EvaluationError, match="one example"):
        check_like(np.zeros((3, 3)), (3, 3))


def test_the_first_row_at_fault_is_named_with_its_clip():
    X = np.zeros((600, 2))
    X[[511, 599]] = np.nan
    clips = [f"{row}.wav" for row in range(600)]
    with pytest.raises(EvaluationError, match=r"row 511 \(511.wav\) hold nan in column 0"):
        check_inputs(X, clips=clips)
    check_inputs(np.zeros((2, 2), int), [0, 1])

"""The vote that teaches itself: what it may know, what it learns, and where it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from serlab.errors import EvaluationError
from serlab.features import SpeakerNormaliser
from serlab.lessons.ch16_self_training import SelfTrainingVote
from serlab.training import softmax

CLASSES = np.array(["angry", "happy", "sad"])
PARTS = [slice(0, 4), slice(4, 8)]


def clips(count=240, seed=0, apart=1.3):
    """Clips of three classes by four speakers, in two kinds of features that err independently."""
    rng = np.random.default_rng(seed)
    place = np.arange(count) % 3
    centres = apart * np.random.default_rng(9).normal(size=(3, 8))
    return centres[place] + rng.normal(size=(count, 8)), CLASSES[place], np.repeat(list("abcd"), count // 4)


def test_without_unlabelled_clips_it_is_a_plain_vote():
    X, y, groups = clips()
    vote = SelfTrainingVote(PARTS, strength=0.1).fit(X[:60], y[:60], groups[:60])
    logs = [
        LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
        .fit(X[:60, part], y[:60])
        .predict_log_proba(X[60:, part])
        for part in PARTS
    ]
    scores = np.mean(logs, axis=0)
    wanted = softmax(
        scores.std(axis=0).mean() * SpeakerNormaliser().fit_transform(scores, groups=groups[60:])
    )
    np.testing.assert_allclose(vote.predict_proba(X[60:], groups[60:]), wanted, atol=1e-8)
    assert vote.answered_ == []
    zero = SelfTrainingVote(PARTS, rounds=0, strength=0.1).fit(
        X[:60], y[:60], groups[:60], X[60:], groups[60:]
    )
    np.testing.assert_allclose(zero.predict_proba(X[60:], groups[60:]), wanted, atol=1e-8)


def test_it_learns_from_its_own_answers():
    better = []
    for seed in range(5):
        X, y, groups = clips(600, seed)
        rows = np.random.default_rng(seed).permutation(600)
        few, rest, test = rows[:9], rows[9:400], rows[400:]
        if len(set(y[few])) < 3:
            continue
        models = [SelfTrainingVote(PARTS, rounds=rounds, strength=0.1) for rounds in (0, 4)]
        scores = [
            np.mean(
                one.fit(X[few], y[few], groups[few], X[rest], groups[rest]).predict(X[test], groups[test])
                == y[test]
            )
            for one in models
        ]
        better.append(scores[1] - scores[0])
    assert np.mean(better) > 0.01


def test_each_round_answers_more_and_shares_answers_out():
    X, y, groups = clips()
    vote = SelfTrainingVote(PARTS, rounds=3, share=0.5).fit(X[:30], y[:30], groups[:30], X[30:], groups[30:])
    sizes = [(said != "").sum() for said in vote.answered_]
    assert len(sizes) == 3
    assert sizes[0] < sizes[1] < sizes[2] <= 0.5 * 210 + 3
    for name in CLASSES:
        assert 0 < (vote.answered_[-1] == name).sum() <= round(0.5 * 210 / 3)
    assert set(vote.answered_[-1]) <= {*CLASSES, ""}
    # Those it answered are right more often than chance, and it was given no way to look them up.
    sure = vote.answered_[-1] != ""
    assert np.mean(vote.answered_[-1][sure] == y[30:][sure]) > 0.5


def test_a_clip_claimed_twice_goes_to_the_class_that_is_surer():
    vote = SelfTrainingVote(PARTS)
    vote.classes_ = CLASSES
    p = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7]])
    assert vote._answers(p, np.array([2, 1, 1])).tolist() == ["angry", "angry", "sad"]
    assert vote._answers(p, np.array([1, 1, 1])).tolist() == ["angry", "happy", "sad"]
    assert vote._answers(p, np.array([1, 0, 0])).tolist() == ["angry", "", ""]


def test_refusals():
    X, y, groups = clips(24)
    with pytest.raises(EvaluationError, match="2 unlabelled clips cannot be shared out among 3 classes"):
        SelfTrainingVote(PARTS).fit(X, y, groups, X[:2], groups[:2])
    with pytest.raises(EvaluationError, match="all labels are 'sad'"):
        SelfTrainingVote(PARTS).fit(X[y == "sad"], y[y == "sad"], groups[y == "sad"])
    with pytest.raises(EvaluationError, match="share must lie above 0"):
        SelfTrainingVote(PARTS, share=0).fit(X, y, groups)
    assert clone(SelfTrainingVote(PARTS, rounds=7)).rounds == 7

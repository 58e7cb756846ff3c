"""What chapter 15 makes and draws: the whistle, sisters among the rows, the steps."""

from __future__ import annotations

import json

import numpy as np
import pytest

from serlab import evaluation
from serlab.corpora import synthesis
from serlab.features import Contours
from serlab.lessons import ch15_leaks as leaks
from serlab.lessons import ch15_networks as lesson
from serlab.players import resolve


@pytest.mark.parametrize("emotion", lesson.TAKES.values())
def test_the_whistle_has_the_curves_of_the_voice(emotion):
    voice = np.asarray(synthesis.synthesise_phrase("d02", emotion=emotion))
    before = Contours(seconds=None).extract(voice)
    after = Contours(seconds=None).extract(lesson.whistle(*before))[:, : before.shape[1]]
    for one, two in zip(before, after, strict=True):
        assert np.corrcoef(one, two)[0, 1] > 0.9


def test_the_book_can_whistle_again():
    tone = lesson.whistled(number=2)
    assert tone.recipe == {"function": "serlab.lessons.ch15_networks.whistled", "number": 2}

    again, rate = resolve({"data-recipe": json.dumps(tone.recipe)})
    assert rate == lesson.RATE
    np.testing.assert_array_equal(again, tone)


def test_a_tone_crosses_zero_twice_in_each_period():
    tone = np.sin(2 * np.pi * 1000 * (np.arange(160) + 0.5) / 16000)
    assert len(lesson.crossings(tone, 16000).lines[-1].get_xdata()) == 19


def test_versions_stand_over_each_other_in_seconds():
    ax = lesson.versions(np.ones((3, 4)), ["a", "b", "c"], "energy")
    assert [line.get_label() for line in ax.lines] == ["a", "b", "c"]
    assert ax.lines[0].get_xdata()[1] == pytest.approx(0.032)


def test_sisters_are_found_where_they_are_alike():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 1, 8)) + 0.01 * rng.normal(size=(50, 3, 8))
    X[:, 1] = rng.normal(size=(50, 8))
    first, second, third = lesson.finds_sister(X)
    assert first == third == 1
    assert second < 0.3
    assert lesson.finds_sister(np.zeros((2, 2, 1)))  # twins


def test_the_ladder_draws_recorded_steps():
    said, meta = leaks.read("ravdess")
    ax = lesson.ladder({"network": said}, 1 / 6)
    drawn = ax.containers[0].lines[0].get_ydata()
    assert drawn == pytest.approx([100 * one["uar"] for one in meta["scores"].values()], abs=1e-3)
    last = evaluation.interval(said[said["step"] == "scaled by training"])
    low, high = ax.containers[0].lines[2][0].get_segments()[-1][:, 1]
    assert (low, high) == pytest.approx((100 * last.low, 100 * last.high))


def test_the_moments_are_a_hiss_and_a_vowel():
    rng = np.random.default_rng(0)
    at = np.arange(8192) / 16000
    signal = np.where(at < 0.256, 0.1 * rng.normal(size=8192), np.sin(2 * np.pi * 200 * at)).astype("float32")
    zcr, rms = Contours(seconds=None).extract(signal)
    above, below = lesson.moments(signal, zcr, rms)
    dots = [len(ax.lines[-1].get_xdata()) for ax in (above, below)]
    assert dots[0] > 30 > 5 > dots[1]
    assert [ax.get_title() for ax in (above, below)] == ["hiss", "vowel"]


def test_silence_does_not_count_for_the_averages():
    curves = np.array([[[-20.0, -40.0, -100.0], [2.0, 4.0, 500.0]]])
    mean, deviation = lesson.over_time(curves, level=0)[0, 1]
    assert (mean, deviation) == (3, 1)

"""What chapter 6 computes and draws: moved clips, kept epochs, seeds."""

from __future__ import annotations

import numpy as np
import pytest

from serlab import evaluation, runs
from serlab.lessons import ch06_ann as lesson

HISTORY = {"val_loss": [1.9, 1.6, 1.8, 2.5], "val_accuracy": [0.2, 0.3, 0.5, 0.4]}


@pytest.mark.parametrize("frames", [-3, -1, 0, 1, 3])
def test_a_moved_clip_keeps_its_sound_and_gains_silence(frames):
    clip = np.zeros((1, 2, 9))
    clip[:, 0, 4] = 1.0
    moved = lesson.move(clip, frames)
    assert moved.shape == clip.shape
    assert np.argwhere(moved).tolist() == [[0, 0, 4 + frames]]


def test_what_is_moved_out_does_not_come_back_on_the_other_side():
    clip = np.ones((1, 1, 5))
    assert lesson.move(clip, 2)[0, 0].tolist() == [0, 0, 1, 1, 1]
    assert lesson.move(clip, -2)[0, 0].tolist() == [1, 1, 1, 0, 0]


def test_each_rule_keeps_its_epoch():
    assert list(lesson.kept_epochs(HISTORY).values()) == [2, 3, 4]
    late = {"val_loss": [3.0, 2.0, 1.0, 2.0], "val_accuracy": [0.1, 0.2, 0.4, 0.6]}
    table = lesson.epoch_table([HISTORY, late])
    assert table["epoch"].tolist() == [2.5, 3.5, 4.0]
    assert table.loc["lowest loss", ["mean", "lowest", "highest"]].tolist() == [35.0, 30.0, 40.0]


def test_the_kept_epochs_are_marked_on_the_curve():
    ax = lesson.epoch_choice([HISTORY])
    _, *marks = ax.lines
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [(2, 30), (3, 50), (4, 40)]


def test_shift_curve_draws_percent():
    ax = lesson.shift_curve([-0.2, 0.0], [0.6, 0.0], [0.3, 0.4], 0.125)
    assert [line.get_ydata()[0] for line in ax.lines] == pytest.approx([60, 30, 12.5])


def test_a_row_has_a_dot_for_each_seed_and_the_interval_of_the_run():
    run = runs.read("ravdess", "emobox6", "ann")
    ax = lesson.seeds({"ours": run}, 1 / 8)
    whole, bar = evaluation.interval(run), ax.patches[0]
    assert bar.get_x() == pytest.approx(100 * whole.low)
    assert bar.get_x() + bar.get_width() == pytest.approx(100 * whole.high)
    scores = lesson.seed_scores(run)
    assert len(scores) == len(run.meta["seeds"])
    assert np.mean(scores) == pytest.approx(whole.value)
    assert ax.lines[0].get_xdata() == pytest.approx(100 * np.array(scores))

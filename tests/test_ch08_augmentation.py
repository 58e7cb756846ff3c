"""What chapter 8 computes and draws: moved clips, nearest clips, gains, the ladder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.lessons import ch08_augmentation as lesson
from serlab.splits import Fold

CLIP = np.zeros((1, 5, 9))
CLIP[0, 2, 4] = 1.0


@pytest.mark.parametrize(("frames", "bands"), [(0, 0), (2, 0), (-4, 0), (0, 2), (0, -1), (3, -2)])
def test_a_clip_is_moved_in_time_and_in_frequency(frames, bands):
    moved = lesson.move(CLIP, frames, bands)
    assert moved.shape == CLIP.shape
    assert np.argwhere(moved).tolist() == [[0, 2 + bands, 4 + frames]]


def test_silence_comes_in_at_the_end_and_the_outermost_band_is_repeated():
    clip = np.array([[[-80.0, -10.0, -20.0], [-30.0, -40.0, -50.0]]])
    assert lesson.move(clip, frames=-1)[0].tolist() == [[-10, -20, -80], [-40, -50, -80]]
    assert lesson.move(clip, bands=-1)[0].tolist() == [[-30, -40, -50]] * 2


def test_all_pictures_of_a_grid_share_the_scale_of_the_first():
    axes = lesson.grid({"first": CLIP[0], "louder": CLIP[0] + 50, "third": CLIP[0]}, 3.0)
    shown = [ax.images[0].get_clim() for ax in axes.flat if ax.images]
    assert shown == [(-69.0, 1.0)] * 3
    assert [ax.get_title() for ax in axes[0, 0].figure.axes] == ["first", "louder", "third", ""]  # the scale


def test_a_copy_is_trained_on_with_its_clip_and_never_tested():
    fold = Fold(np.array([0, 3]), np.array([], int), np.array([1, 2]))
    train, test = lesson.with_copies(fold)
    assert sorted(train.tolist()) == [0, 1, 6, 7]
    assert test.tolist() == [2, 4]


def test_the_nearest_row_is_looked_for_among_the_training_rows():
    pictures = np.array([[[0.0, 0.0]], [[9.0, 9.0]], [[1.0, 0.0]], [[8.0, 9.0]]])
    assert lesson.nearest(pictures, [0, 1], [2, 3]).tolist() == [0, 1]


def test_emotions_are_measured_from_their_speakers_own_mean():
    table = pd.DataFrame(
        {
            "speaker": ["a", "a", "b", "b"],
            "gender": ["female", "female", "male", "male"],
            "emotion": ["sad", "angry"] * 2,
            "pitch": [38.0, 42.0, 27.0, 33.0],
        }
    )
    assert lesson.own_moves(table).to_dict() == {"sad": -2.5, "angry": 2.5}
    ax = lesson.pitch_range(table)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["women", "men", "sad", "angry"]


def test_a_gain_is_filled_only_if_its_interval_leaves_out_zero():
    rows = {"difference": [0.01, 0.05], "low": [-0.02, 0.01], "high": [0.04, 0.09]}
    ax = lesson.gains(pd.DataFrame(rows, index=["unclear", "clear"]))
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == ["white", lesson.HONEST]


def test_steadiness_and_ladder_draw_percent():
    ax = lesson.steadiness(pd.DataFrame({"plain": [0.5], "augmented": [0.75]}, index=[2]), "bands")
    assert [line.get_ydata()[0] for line in ax.lines] == [50, 75]
    steps = pd.DataFrame({"reported": [51.0], "original": [np.nan], "ours": [62.7]}, index=["CNN"])
    ax = lesson.ladder(steps, 1 / 8)
    assert ax.lines[-1].get_xdata()[0] == 12.5

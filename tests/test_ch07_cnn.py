"""What chapters 7 and 7b compute and draw: the way through a network, patches, halves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.lessons import ch07_cnn as lesson


def test_the_way_through_the_original_network_is_the_one_reported():
    architectures = pytest.importorskip("serlab.models.architectures")
    network = architectures.original_cnn(np.zeros((1, 128, 147)), np.zeros((1, 8)))
    table = lesson.path(network)
    assert table["parameters"].sum() == 1_018_888
    assert table["gives"].iloc[[0, 1, -2, -1]].tolist() == [
        "126 × 145 × 32",
        "63 × 72 × 32",
        "4 × 5 × 256",
        "8",
    ]
    assert table["frames"].tolist() == [3, 4, 8, 10, 18, 22, 38, 46, 78, 0]
    assert table["products"].iloc[0] == 126 * 145 * 32 * 9
    assert table["products"].iloc[-1] == 4 * 5 * 256 * 8


def test_a_stride_counts_like_pooling():
    architectures = pytest.importorskip("serlab.models.architectures")
    network = architectures.cnn(np.zeros((1, 64, 161)), np.zeros((1, 8)))
    assert lesson.path(network)["frames"].tolist() == [5, 7, 15, 19, 35, 43, 0]


def test_only_the_patch_that_counts_makes_the_score_fall():
    pictures = np.ones((2, 8, 9))
    falls = lesson.occlude(lambda X: X[:, 5, 7], pictures, bands=4, frames=3)
    assert falls.shape == (2, 2, 3)
    assert np.argwhere(falls).tolist() == [[0, 1, 2], [1, 1, 2]]
    assert (pictures == 1).all()


def test_halves_of_noise_do_not_agree_and_halves_of_one_pattern_do():
    rng = np.random.default_rng(0)
    labels, speakers = ["sad", "angry"] * 20, [f"s{number // 10}" for number in range(40)]
    pattern = {"sad": rng.normal(size=(8, 7)), "angry": rng.normal(size=(8, 7))}
    noise = rng.normal(size=(40, 8, 7))
    clear = noise + 5 * np.array([pattern[label] for label in labels])
    assert min(lesson.halves_agree(clear, labels, speakers).values()) > 0.9
    assert max(np.abs(list(lesson.halves_agree(noise, labels, speakers).values()))) < 0.5


def test_an_emotion_that_one_half_lacks_is_left_out():
    falls = np.arange(6.0).reshape(3, 1, 2)
    assert list(lesson.halves_agree(falls, ["sad", "sad", "angry"], ["a", "b", "a"])) == ["sad"]


def test_occlusion_maps_share_one_scale():
    axes = lesson.occlusion_maps({"sad": np.eye(2), "angry": -0.5 * np.eye(2)}, 3.2)
    assert [one.images[0].get_clim() for one in axes.flat[:2]] == [(-100, 100)] * 2


def test_each_picture_has_its_title_and_what_is_left_of_the_last_row_is_empty():
    axes = lesson.spectrograms({"one": np.eye(4), "two": np.eye(2), "three": np.eye(2)})
    assert [one.get_title() for one in axes.flat[0].figure.axes] == ["one", "two", "three"]


def test_pictures_of_different_length_are_counted_in_frames():
    axes = lesson.spectrograms({"long": np.eye(6), "short": np.eye(4)}, frame=None)
    assert [one.get_xlim()[1] for one in axes.flat] == [6, 4]
    assert axes[0, 0].get_xlabel() == "frame"


def test_kernels_are_white_at_zero():
    axes = lesson.kernels({"A": [np.array([[1.0, -3.0]])], "B": [np.array([[0.5, 0.0]])]})
    assert axes[0, 0].images[0].get_clim() == (-3, 3)


def test_recalls_are_drawn_in_percent():
    table = pd.DataFrame({"ours": [0.5, 0.2], "dense": [0.4, 0.3]}, index=["sad", "angry"])
    ax = lesson.recalls(table)
    assert ax.lines[0].get_xdata().tolist() == [50, 20]

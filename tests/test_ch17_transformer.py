"""What chapter 17 computes and draws: attention by hand and by Keras, a voice weighed by it, blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import players
from serlab.embeddings import Whisper
from serlab.lessons import ch17_transformer as lesson

HISS = 0.22


def test_attention_by_hand_is_that_of_keras():
    y = lesson.voice(3)
    for block, head in ((1, 1), (2, 6), (3, 4)):
        frames, layers = lesson.one_head(y, block, head)
        query, key, _ = (frames @ weights + bias for weights, bias in layers)
        scores = query @ key.T / 8
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        by_hand = powers / powers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(by_hand, lesson.attention(y, block)[head - 1], atol=1e-4)


def test_values_of_all_heads_together_are_what_the_block_adds():
    from serlab.backend import keras

    y = lesson.voice(2)
    frames, layer = lesson._at_heads(y, 2)
    learnt = layer.get_weights()
    added = learnt[-1]
    for number, weights in enumerate(lesson.attention(y, 2)):
        own, layers = lesson.one_head(y, 2, number + 1)
        table, bias = layers[2]
        added = added + weights @ (own @ table + bias) @ learnt[-2][number]
    np.testing.assert_allclose(added, keras.ops.convert_to_numpy(layer(frames, frames))[0], atol=1e-3)


def test_a_head_finds_the_other_hiss():
    looks = lesson.from_a_moment(3, HISS, {"B": (2, 6), "A": (1, 2)})
    assert looks["B"][21:25].sum() > 0.5
    assert looks["A"][21:25].sum() < 0.01
    assert all(abs(weights.sum() - 1) < 1e-4 for weights in looks.values())


def test_a_weighed_voice_is_heard_where_the_head_looks_and_can_be_made_again():
    sound = lesson.weighed(number=3, second=HISS, block=2, head=6)
    y = lesson.voice(3)
    assert sound.shape == y.shape
    assert np.abs(sound).max() <= np.abs(y).max()
    assert (sound[round(0.6 * lesson.RATE) :] ** 2).sum() < 0.01 * (sound**2).sum()
    shown = lesson.listen_with(3, HISS, {"B": (2, 6)}).players
    assert [player.title for player in shown] == ["the voice", "B"]
    assert all("EmoDB" in player.credit for player in shown)
    again, rate = players.resolve(shown[1].attributes)
    assert rate == lesson.RATE
    np.testing.assert_array_equal(again, sound)


def test_bars_stand_under_the_marked_moment():
    weights = np.zeros(81)
    weights[22] = 1
    axes = lesson.where_heads_look(3, HISS, {"near": weights, "far": weights})
    assert len(axes) == 3
    highest = max(axes[1].patches, key=lambda bar: bar.get_height())
    assert highest.get_x() + highest.get_width() / 2 == pytest.approx(0.44)
    assert all(HISS in line.get_xdata() for ax in axes for line in ax.lines)


def test_missing_weights_of_the_last_block_are_said_and_it_is_left_out(monkeypatch, capsys):
    every = Whisper(blocks=(0, 1, 2, 3, 4))
    monkeypatch.setattr(type(every.weights), "find", lambda self: None)
    assert lesson.all_blocks().blocks == (0, 1, 2, 3)
    assert "left out" in capsys.readouterr().out


def test_weights_of_all_blocks_are_taken_if_there(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(type(Whisper().weights), "find", lambda self: tmp_path)
    assert lesson.all_blocks().blocks == (0, 1, 2, 3, 4)
    assert capsys.readouterr().out == ""


def test_each_question_has_its_line():
    table = pd.DataFrame({"emotion": [0.2, 0.5], "speaker": [0.9, 0.4]}, index=[0, 1])
    ax = lesson.by_block(table, chance=0.1)
    assert [line.get_label() for line in ax.lines] == ["emotion", "speaker", "a guess"]
    assert ax.lines[1].get_ydata().tolist() == [90.0, 40.0]

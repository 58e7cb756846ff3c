"""The companion of chapter 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import serlab
from serlab import audio
from serlab.corpora import emodb
from serlab.lessons import ch01_listening as ch01
from serlab.players import resolve


def test_eight_voices_are_there_without_a_corpus(monkeypatch, tmp_path):
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    voices = emodb.excerpts()
    assert list(voices.index) == list(range(1, 9))
    for voice in voices.itertuples():
        y, rate = audio.read(voice.path)
        assert (rate, len(y) <= 2 * rate) == (16_000, True)
        sound, _ = resolve({"data-corpus": voice.corpus, "data-clip": voice.clip})
        np.testing.assert_allclose(sound, y, atol=1e-4)


def test_only_the_emotion_differs():
    demo = serlab.load("demo")
    chosen = ch01.one_speaker(demo)
    assert chosen["gender"].unique().tolist() == ["female"]
    assert chosen["emotion"].is_unique
    assert set(chosen["emotion"]) == set(demo["emotion"])


def test_a_corpus_without_sentences_will_do():
    chosen = ch01.one_speaker(serlab.load("demo").assign(sentence=None, gender=None, intensity=None))
    assert len(set(chosen["speaker"])) == 1


def test_columns_of_waveforms_are_filled_one_after_the_other():
    axes = ch01.waveforms({str(number): np.ones(1600 * number) for number in range(1, 7)}, 16_000, columns=2)
    assert [ax.get_title() for ax in axes] == list("123456")
    assert axes[0].get_xlim()[1] == pytest.approx(0.6)


def test_speakers_are_compared_with_their_own_neutral():
    clips = pd.DataFrame(
        {
            "speaker": ["a", "a", "a", "b", "b", "b"],
            "emotion": ["neutral", "sad", "sad", "neutral", "sad", "sad"],
            "pitch": [100, 120, 130, 200, 150, 190],
        }
    )
    assert ch01.above_neutral(clips, ["pitch"]).to_dict("index") == {"sad": {"pitch": 1, "of": 2}}
    without = ch01.above_neutral(clips[clips["emotion"] != "neutral"], ["pitch"])
    assert without.loc["sad", "pitch"] == 0


def test_every_count_stands_in_the_grid():
    counts = pd.DataFrame({"pitch": [24, 3], "time": [0, 12], "of": [24, 24]}, index=["angry", "sad"])
    assert [text.get_text() for text in ch01.count_grid(counts).texts] == ["24", "0", "3", "12"]

"""The companion of chapter 2: its sounds come back from their recipes, and its pictures are right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from serlab.errors import AudioError
from serlab.lessons import ch02_numbers as lesson
from serlab.players import data_uri, listen, resolve


def strongest(y, rate=lesson.RATE):
    return np.abs(np.fft.rfft(y)).argmax() * rate / len(y)


@pytest.mark.parametrize(
    ("sound", "rate"),
    [
        (lesson.whistle(every=4), 4000),
        (lesson.whistle(every=4, filtered=True), 4000),
        (lesson.two_tones(first=200, second=250), 16_000),
        (lesson.voice(rate=8000), 8000),
    ],
)
def test_the_book_gets_back_the_sounds_of_the_lesson(sound, rate, monkeypatch):
    monkeypatch.setenv("SERLAB_PLAYERS", "placeholder")
    page = BeautifulSoup(listen(sound, rate, title="a sound")._repr_html_(), "html.parser")
    again, found = resolve(page.find(class_="serlab-player").attrs)
    assert found == rate
    np.testing.assert_array_equal(again, sound)
    assert data_uri(again, found).startswith("data:audio/flac")


def test_only_lessons_may_be_asked_for_a_sound():
    with pytest.raises(AudioError, match=r"no sound 'os\.getcwd' in serlab\.lessons"):
        resolve({"data-recipe": '{"function": "os.getcwd"}'})


def test_a_whistle_without_its_filter_turns_round():
    folded, honest = lesson.whistle(every=4), lesson.whistle(every=4, filtered=True)
    late = slice(3000, 4000)  # at 0.75 to 1 s it whistles from 3 to 4 kHz
    assert strongest(folded[late], 4000) < 1000
    assert np.abs(honest[late]).max() < 0.01


def test_tones_follow_one_another():
    y = lesson.two_tones(first=200, second=250)
    assert strongest(y[: lesson.RATE // 2]) == pytest.approx(200, abs=2)
    assert strongest(y[-lesson.RATE // 2 :]) == pytest.approx(250, abs=2)


def test_few_coefficients_lose_the_melody_and_bands_keep_it():
    voice = lesson.voice()
    assert lesson.same_pitch(lesson.rebuilt(bands=64), voice) > 0.8
    assert lesson.same_pitch(lesson.rebuilt(bands=64, coefficients=13), voice) < 0.1


def test_the_clip_is_an_angry_one_of_a_woman():
    rows = [("1", "male", "angry"), ("2", "female", "sad"), ("3", "female", "angry")]
    table = pd.DataFrame(rows, columns=["clip", "gender", "emotion"])
    assert lesson.loud_woman(table)["clip"] == "3"


def test_pictures_of_a_sound():
    y = np.asarray(lesson.voice())
    above, below = lesson.close_up(y)
    assert above.get_xlim()[1] == pytest.approx(len(y) / lesson.RATE)
    assert len(below.lines[0].get_xdata()) == 320
    assert np.abs(below.lines[0].get_ydata()).max() == pytest.approx(np.abs(y).max())
    axes = lesson.spectrograms(
        {"whistle": (lesson.whistle(), 16_000), "seldom": (lesson.whistle(every=4), 4000)}
    )
    assert [ax.get_ylim()[1] for ax in axes] == [8000, 2000]
    assert [ax.get_title() for ax in lesson.frame_lengths(y)] == ["4 ms", "25 ms", "64 ms"]
    assert len(lesson.tracks(y, n_fft=2048, hop_length=512)) == 4


def test_a_window_takes_the_skirts_away():
    hard, soft = lesson.skirts().lines
    far = hard.get_xdata() > 2000
    assert hard.get_ydata()[far].min() > -70
    assert soft.get_ydata()[far].max() < -75
    times = lesson.faded(np.ones(64)).lines[1].get_ydata()
    assert times[0] == 0
    assert times.max() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("bands", [8, 64])
def test_pictures_of_mel_bands(bands):
    filters = np.maximum(0, np.random.default_rng(0).normal(size=(bands, 513)))
    assert len(lesson.mel_scale(filters)[1].lines) == -(-bands // max(1, bands // 12))
    mel = np.abs(filters[:, :40])
    assert lesson.scales(mel, 256)[2, 0].get_title() == "dB"
    orthonormal = np.linalg.qr(np.random.default_rng(0).normal(size=(bands, bands)))[0]
    whole = lesson.smoothed(mel[:, 0], orthonormal, kept=(2, bands)).lines
    np.testing.assert_allclose(whole[2].get_ydata(), mel[:, 0], atol=1e-9)


def test_a_comb_has_its_teeth_where_the_tones_are():
    tone = np.sin(2 * np.pi * 1000 * np.arange(1024) / lesson.RATE)
    line = lesson.comb(np.fft.rfft(tone)).lines[0]
    assert line.get_xdata()[line.get_ydata().argmax()] == 1000


def test_box_plots_of_two_numbers():
    values = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [4.0, 3.0, 2.0, 1.0]})
    axes = lesson.two_numbers(values, ["sad", "sad", "angry", "angry"], {"a": "A (Hz)", "b": "B"})
    assert [ax.get_ylabel() for ax in axes] == ["A (Hz)", "B"]

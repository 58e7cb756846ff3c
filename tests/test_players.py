"""Players: sound while one works, none in what is committed, and the way back from one to the other."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
import soundfile
from bs4 import BeautifulSoup

from serlab import players
from serlab.audio import loudest
from serlab.augment import Step, Uniform, add_noise
from serlab.corpora import synthesis
from serlab.errors import AudioError
from serlab.players import listen, resolve


@pytest.fixture
def placeholder(monkeypatch):
    monkeypatch.setenv("SERLAB_PLAYERS", "placeholder")


@pytest.fixture
def live(monkeypatch):
    monkeypatch.delenv("SERLAB_PLAYERS", raising=False)


@pytest.fixture
def row(tmp_path):
    """One clip of a corpus that serlab does not know, at 48 kHz in stereo."""
    t = np.arange(48_000) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], axis=1), 48_000)
    values = {
        "clip": "a",
        "path": str(tmp_path / "a.wav"),
        "corpus": "ours",
        "speaker": "<b>",
        "emotion": "sad",
    }
    return pd.Series(values)


def parsed(player):
    return BeautifulSoup(player._repr_html_(), "html.parser")


def heard(audio):
    """Decode the sound inside an audio element."""
    head, _, text = audio["src"].partition(",")
    assert head == "data:audio/flac;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(text)))


def test_a_live_player_holds_the_clip_at_16_khz_mono(live, row):
    page = parsed(listen(row))
    y, sample_rate = heard(page.audio)
    assert (y.shape, sample_rate) == ((16_000,), 16_000)
    spectrum = np.abs(np.fft.rfft(y))
    assert spectrum.argmax() == 440
    assert np.abs(y).max() == pytest.approx(0.3, abs=0.02)


def test_what_lies_beyond_8_khz_is_gone_and_nothing_comes_in_its_place(live):
    t = np.arange(44_100) / 44_100
    y = 0.3 * np.sin(2 * np.pi * 1000 * t) + 0.3 * np.sin(2 * np.pi * 11_000 * t)
    sound, sample_rate = heard(parsed(listen(y, 44_100)).audio)
    assert sample_rate == 16_000
    spectrum = np.abs(np.fft.rfft(sound[1000:15_000] * np.hanning(14_000)))
    hertz = np.fft.rfftfreq(14_000, 1 / 16_000)
    assert spectrum[np.abs(hertz - 1000) > 50].max() < 0.001 * spectrum.max()


def test_a_live_player_says_what_it_plays_to_those_who_cannot_see_it(live, demo):
    row = demo.set_index("clip", drop=False).loc["d02-angry-s1-2"]
    page = parsed(listen(row))
    label = page.audio["aria-label"]
    for word in ("Play", "angry", "d02", "demo (synthetic)"):
        assert word in label
    assert "CC0" in page.find(class_="serlab-credit").text


def test_a_placeholder_holds_no_sound_and_no_path(placeholder, row, demo):
    for player in (listen(row), listen(demo.head(4)), listen(np.zeros(100), 16_000, title="nothing")):
        html = player._repr_html_()
        assert "<audio" not in html
        assert "data:" not in html.replace("data-", "")
        assert str(row["path"]) not in html + repr(player)
        assert len(html) < 4000


def test_a_placeholder_tells_reader_and_book_which_clip_it_is(placeholder, row):
    page = parsed(listen(row, title="first"))
    frame = page.find(class_="serlab-player")
    assert frame["data-corpus"] == "ours"
    assert frame["data-clip"] == "a"
    assert frame["data-title"] == "first"
    assert "clip a, sad, speaker <b>, ours — run this cell to hear it" in page.text


def test_text_from_a_table_cannot_become_markup(placeholder, row):
    row["emotion"] = '"><script>alert(1)</script>'
    assert parsed(listen(row)).script is None


def test_live_text_is_escaped(live, row):
    row["clip"] = '"><script>alert(1)</script>'
    page = parsed(listen(row))
    assert page.script is None
    assert page.b is None


def test_output_is_the_same_every_time(placeholder, demo):
    one, two = listen(demo.head(3)), listen(demo.head(3).copy())
    assert one._repr_html_() == two._repr_html_()
    assert repr(one) == repr(two)
    assert "0x" not in repr(one)
    assert repr(one).splitlines()[0] == "Player: clip d01-angry-s1-1, angry, speaker d01, demo (synthetic)"


def test_rows_become_players_with_their_titles(placeholder, demo):
    page = parsed(listen(demo.head(2), title=["left", "right"]))
    assert [title.text for title in page.find_all(class_="serlab-title")] == ["left", "right"]
    page = parsed(listen(demo.head(2)))
    assert [title.text for title in page.find_all(class_="serlab-title")] == ["angry", "angry"]


def test_the_book_gets_back_the_sound_of_a_recipe(placeholder):
    y = synthesis.synthesise_phrase("d04", f0=np.float64(1.3), tilt=0.5)
    frame = parsed(listen(y, synthesis.SAMPLE_RATE, title="bright")).find(class_="serlab-player")
    again, sample_rate = resolve(frame.attrs)
    assert sample_rate == synthesis.SAMPLE_RATE
    np.testing.assert_array_equal(again, y)


def test_what_is_computed_from_a_recipe_has_none(placeholder):
    y = synthesis.synthesise_phrase()
    for changed in (2 * y, y[:100], y.copy(), np.abs(y)):
        frame = parsed(listen(changed, 16_000)).find(class_="serlab-player")
        assert "data-recipe" not in frame.attrs


def test_the_book_gets_back_a_synthetic_clip(placeholder, demo):
    row = demo.iloc[17]
    frame = parsed(listen(row)).find(class_="serlab-player")
    y, sample_rate = resolve(frame.attrs)
    expected, rate = soundfile.read(row["path"], dtype="float32")
    assert sample_rate == rate
    np.testing.assert_allclose(y, expected, atol=2**-15)


def test_the_book_gets_back_a_clip_that_is_here_and_none_that_is_not(tmp_path, monkeypatch):
    attributes = {"data-corpus": "ravdess", "data-clip": "03-01-05-01-01-01-01"}
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    assert resolve(attributes) is None
    actor = tmp_path / "ravdess" / "Actor_01"
    actor.mkdir(parents=True)
    y = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(actor / "03-01-05-01-01-01-01.wav", y, 16_000)
    found, sample_rate = resolve(attributes)
    assert sample_rate == 16_000
    np.testing.assert_allclose(found, y, atol=2**-14)
    assert resolve(attributes | {"data-clip": "03-01-05-01-01-01-02"}) is None
    assert resolve({"data-corpus": "demo", "data-clip": "../secret"}) is None
    assert resolve({"data-corpus": "/etc", "data-clip": "passwd"}) is None


def test_loud_samples_are_scaled_down_not_clipped(live):
    y, _ = heard(parsed(listen(4 * np.sin(np.arange(1600) / 5), 16_000)).audio)
    assert np.abs(y).max() == pytest.approx(1, abs=0.01)
    assert (np.abs(y) > 0.99).mean() < 0.15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("clip.wav",), "row of an utterance table"),
        ((pd.Series({"path": "clip.wav"}),), "row of an utterance table"),
        ((np.zeros(10),), "needs the sampling rate"),
        ((pd.DataFrame({"clip": range(25)}),), "25 players are too many"),
        ((pd.DataFrame({"clip": range(2)}), 16_000), "only with samples"),
    ],
)
def test_wrong_calls_say_what_to_do(arguments, message):
    with pytest.raises(AudioError, match=message):
        listen(*arguments)


@pytest.mark.parametrize("y", [np.zeros((2, 10)), np.zeros(0), np.array([np.nan])])
def test_unplayable_samples_are_refused(y):
    with pytest.raises(AudioError, match=re.escape(str(y.shape))):
        players.data_uri(y, 16_000)


def test_a_changed_clip_is_heard_changed_now_and_when_the_book_is_built(live, demo, monkeypatch):
    row = demo.set_index("clip", drop=False).loc["d02-angry-s1-2"]
    noisy = Step(add_noise, snr=10)
    original, _ = heard(parsed(listen(row)).audio)
    changed, sample_rate = heard(parsed(listen(row, title="noise", change=noisy)).audio)
    assert sample_rate == 16_000
    added = np.mean((changed - original) ** 2)
    assert 10 * np.log10(np.mean(original**2) / added) == pytest.approx(10, abs=0.2)

    monkeypatch.setenv("SERLAB_PLAYERS", "placeholder")
    page = parsed(listen(row, title="noise", change=noisy))
    assert page.audio is None
    again, _ = resolve(page.find(class_="serlab-player").attrs)
    np.testing.assert_allclose(again, changed, atol=1e-4)


def test_a_change_that_cannot_be_written_down_leaves_no_trace_of_the_clip(placeholder, demo):
    for change in (Step(lambda y: -y), Step(add_noise, snr=Uniform(0, 10))):
        assert "data-clip" not in listen(demo.iloc[0], change=change)._repr_html_()


def test_changes_that_are_not_ours_are_refused(demo):
    made_up = {"data-corpus": "demo", "data-clip": demo["clip"][0], "data-change": '["eval", 1.0, {}]'}
    with pytest.raises(AudioError, match="eval"):
        resolve(made_up)
    with pytest.raises(AudioError, match="listen changes clips"):
        listen(np.zeros(10), 16_000, change=Step(add_noise, snr=10))


def test_a_part_of_a_clip_is_heard(live, demo):
    row = demo.iloc[0]
    whole, _ = heard(parsed(listen(row)).audio)
    part, _ = heard(parsed(listen(row, change=Step(loudest, seconds=0.25, sample_rate=16_000))).audio)
    assert len(part) == 4000
    assert np.mean(part**2) > np.mean(whole**2)
    starts = np.lib.stride_tricks.sliding_window_view(whole, 4000)
    assert np.isclose(starts, part, atol=1e-4).all(axis=1).any()


@pytest.mark.parametrize("title", ["clip A", None])
def test_a_blind_player_does_not_say_what_is_heard(live, demo, title):
    row = demo.set_index("clip", drop=False).loc["d02-angry-s1-2"]
    page = parsed(listen(row, title=title, blind=True))
    shown = page.text + page.audio["aria-label"] + repr(listen(row, title=title, blind=True))
    # The name of the clip is what the book finds it by, and on no page.
    data = {
        name: value for name, value in page.find(class_="serlab-player").attrs.items() if name != "data-clip"
    }
    for told in (shown, str(data)):
        assert "angry" not in told
        assert "d02" not in told
    assert "CC0" in page.find(class_="serlab-credit").text


def test_one_sound_takes_one_title(demo):
    for what, rate in ((demo.iloc[0], None), (np.zeros(8000), 16000)):
        with pytest.raises(AudioError, match="several titles only with several rows"):
            players.listen(what, rate, title=["loud", "soft"])

"""What tells recordings apart is measured, and taken away: level, silence, band, noise; and segments."""

from __future__ import annotations

import numpy as np
import pytest

from serlab import audio
from serlab.embeddings import Whisper
from serlab.errors import AudioError, FeatureError
from serlab.features import Averages, Mel, Recording, Rms, Treated

RATE = 16000


def measured(y):
    return dict(zip(Recording().feature_names, Recording().extract(y).tolist(), strict=True))


def noise(seconds, level, seed=0):
    y = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return audio.normalise(y, level)


def tone(hertz, seconds, level=-20.0):
    return audio.normalise(np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), level)


def silence(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def test_recording_measures_what_was_put_in():
    y = np.r_[silence(0.5), noise(1.0, -30.0), silence(0.25)]
    found = measured(y)
    assert found["duration"] == pytest.approx(1.75)
    assert found["lead"] == pytest.approx(0.5, abs=0.05)
    assert found["trail"] == pytest.approx(0.25, abs=0.05)
    assert found["level"] == pytest.approx(-30, abs=0.5)
    assert found["peak"] == pytest.approx(audio.level(y, "peak"), abs=0.01)
    assert found["floor"] == -100
    assert found["highest"] == pytest.approx(8000, abs=50)
    assert measured(np.r_[noise(1.0, -20.0), noise(0.5, -60.0)])["floor"] == pytest.approx(-60, abs=1)


def test_recording_finds_the_edges_of_the_band():
    import scipy.signal

    sections = scipy.signal.butter(12, (300, 3400), "bandpass", fs=RATE, output="sos")
    found = measured(scipy.signal.sosfilt(sections, noise(2.0, -20.0)))
    assert 100 < found["lowest"] < 300
    assert 3400 < found["highest"] < 5000


@pytest.mark.parametrize("y", [np.zeros(1000), np.ones((2, 1000))])
@pytest.mark.parametrize("extractor", [Recording(), Treated(features=Rms())])
def test_silence_and_stereo_are_refused(y, extractor):
    with pytest.raises((AudioError, FeatureError), match=r"signal with sound in it|mono signal"):
        extractor.extract(y)


def test_equal_sounds_become_equal_however_they_were_recorded():
    speech = np.r_[tone(300, 0.4), tone(2000, 0.4, -30)]
    treated = Treated(features=Rms(), floor=None)
    one = treated.treat(speech)
    # Silence in whole steps of the trimming, so that both are cut at the same places or a step apart.
    two = treated.treat(np.r_[np.zeros(40 * 256), speech * 0.02, np.zeros(20 * 256)])
    lag = next(
        lag for lag in range(0, 1025, 256) if np.allclose(two[lag : lag + 12000], one[:12000], atol=0.02)
    )
    assert abs(len(two) - lag - len(one)) <= 1024
    assert abs(audio.level(speech) - audio.level(speech * 0.02)) > 30


def test_each_step_does_its_part():
    y = np.r_[silence(0.5), tone(1000, 1.0, -40) + tone(7500, 1.0, -40), silence(0.5)].astype(np.float32)
    bare = {"trim_db": None, "band": None, "level": None, "floor": None}

    def treat(**step):
        return Treated(features=Rms(), **(bare | step)).treat(y)

    np.testing.assert_array_equal(treat(), y)
    assert len(treat(trim_db=40.0)) == pytest.approx(RATE, abs=2000)
    assert audio.level(treat(level=-23.0)) == pytest.approx(-23)
    spectrum = np.abs(np.fft.rfft(treat(band=(80.0, 6000.0)))) ** 2
    before = np.abs(np.fft.rfft(y)) ** 2
    hertz = np.fft.rfftfreq(len(y), 1 / RATE)
    assert spectrum[hertz > 7000].sum() < 0.05 * before[hertz > 7000].sum()
    kept = (hertz > 900) & (hertz < 1100)
    assert spectrum[kept].sum() == pytest.approx(before[kept].sum(), rel=0.02)
    floored = treat(level=-23.0, floor=35.0)
    assert audio.level(floored[:4000]) == pytest.approx(-58, abs=0.5)
    np.testing.assert_array_equal(floored, treat(level=-23.0, floor=35.0))


def test_unless_told_a_clip_is_brought_to_one_level_and_to_the_band_of_all_corpora():
    treated = Treated(features=Rms())
    assert (treated.trim_db, treated.band, treated.level, treated.floor) == (
        40.0,
        (80.0, 6000.0),
        -23.0,
        35.0,
    )
    assert audio.level(treated.treat(tone(1000, 1.0))) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("features", [Rms(), Mel(seconds=3.0), Averages(), Whisper(trained=False)])
def test_a_click_in_a_soft_recording_is_no_wrong_scale(features):
    y = noise(60.0, -50.0)
    y[:: 20 * RATE] = 0.99
    treated = Treated(features=features, trim_db=None, band=None)
    assert np.isfinite(treated.extract(y)).all()
    assert np.abs(treated.treat(y)).max() == 10
    with pytest.raises(AudioError, match="reaches 990"):
        treated.extract(1000 * y)


def test_the_part_kept_is_the_loudest_or_the_middle():
    y = np.r_[tone(400, 1.0, -40), tone(800, 0.5, -15), tone(400, 1.5, -40)]
    plain = {"features": Rms(), "trim_db": None, "band": None, "level": None, "floor": None, "seconds": 0.5}
    np.testing.assert_allclose(Treated(**plain).treat(y), y[RATE : RATE + 8000], atol=1e-6)
    middle = Treated(**plain, where="centre").treat(y)
    np.testing.assert_array_equal(middle, y[20000:28000])
    short = Treated(**plain).treat(y[:4000])
    assert len(short) == 8000
    np.testing.assert_array_equal(short[2000:6000], y[:4000].astype(np.float32))
    assert not short[:2000].any()
    padded = Treated(features=Rms(), seconds=0.5).treat(y[:4000])
    assert audio.level(padded[:1000]) == pytest.approx(-58, abs=1), "padding is as quiet as pauses are"


def test_short_segments_are_those_of_the_original():
    from serlab.models import inputs

    y = noise(2.0, -20.0)
    assert inputs.SHORT.extract(y).shape == inputs.SHORT.shape == (128, 16)
    assert len(inputs.SHORT.treat(y)) / RATE == 0.5
    for segment, seconds in ((inputs.HALF, 0.5), (inputs.MEDIUM, 1.5), (inputs.WHOLE, 3.0)):
        assert segment.extract(y).shape == segment.shape
        assert len(segment.treat(y)) == seconds * RATE


def test_key_follows_the_features_and_the_steps():
    keys = {
        Treated(features=Rms()).key,
        Treated(features=Rms(hop_length=128)).key,
        Treated(features=Mel()).key,
        Treated(features=Rms(), seconds=1.0).key,
        Treated(features=Rms(), floor=None).key,
        Rms().key,
    }
    assert len(keys) == 6
    assert Treated(features=Rms()).key == Treated(features=Rms()).key


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": Rms(sample_rate=8000)}, "16000 Hz, but rms needs 8000 Hz"),
        ({"where": "start"}, "'loudest' or 'centre'"),
        ({"band": (6000.0, 80.0)}, "two rising frequencies below 8000 Hz"),
        ({"band": (80.0, 9000.0)}, "two rising frequencies"),
        ({"level": None}, "give a level, or floor=None"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(FeatureError, match=message):
        Treated(**({"features": Rms()} | settings))


def test_it_prints_what_it_does_and_what_it_measures(demo):
    shown = str(Treated(features=Mel(), seconds=0.5))
    assert "seconds = 0.5" in shown
    assert "features = mel" in shown
    assert "n_mels = 64" in shown


def test_the_store_keeps_it_under_its_own_name(demo, tmp_path):
    from serlab import store

    few = demo.head(4)
    extractor = Treated(features=Mel(n_mels=20, seconds=0.5), seconds=0.5)
    found = store.features(few, extractor, n_jobs=1, progress=False, root=tmp_path)
    assert found.shape == (4, 20, 32)
    assert (tmp_path / f"treated-mel-{extractor.key}.f32").exists()
    y, _ = audio.read(few["path"].iloc[2], RATE)
    np.testing.assert_allclose(found[2], extractor.extract(y), atol=1e-4)

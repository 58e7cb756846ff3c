"""Mid-term statistics against pyAudioAnalysis, and pictures of spectrograms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from serlab.errors import FeatureError
from serlab.features import MidTerm, Spectrogram
from serlab.features.midterm import SHORT_TERM

# Made once with pyAudioAnalysis 0.3.14 in an environment of its own; the file says how.
REFERENCE = json.loads((Path(__file__).parent / "data" / "midterm.json").read_text(encoding="utf-8"))


def signal(rate, seconds=2.3):
    """A gliding tone that throbs, a second tone that comes in later, and noise."""
    t = np.arange(int(rate * seconds)) / rate
    rng = np.random.default_rng(16)
    glide = np.sin(2 * np.pi * (180 * t + 40 * t**2)) * (1 + 0.5 * np.sin(2 * np.pi * 4 * t))
    return 0.2 * glide + 0.1 * np.sin(2 * np.pi * 1250 * t) * (t > 1) + 0.02 * rng.standard_normal(len(t))


@pytest.mark.parametrize("name", list(REFERENCE["values"]))
def test_values_are_those_of_pyaudioanalysis(name):
    rate = int(name.split()[0])
    statistics = MidTerm(sample_rate=rate, **REFERENCE["steps"][name])
    assert list(statistics.feature_names) == REFERENCE["names"]
    np.testing.assert_allclose(statistics.extract(signal(rate)), REFERENCE["values"][name], atol=2e-6)


def test_mean_and_deviation_are_taken_within_windows_and_then_averaged():
    statistics = MidTerm(sample_rate=8000)
    y = signal(8000, 3.0)
    frames = statistics.short_term(y)
    assert frames.shape == (34, 60)
    changes = np.hstack([np.zeros((34, 1)), np.diff(frames, axis=1)])
    windows = np.vstack([frames, changes]).reshape(68, 3, 20)
    wanted = np.concatenate([windows.mean(axis=2), windows.std(axis=2)]).mean(axis=1)
    np.testing.assert_allclose(statistics.extract(y), wanted, rtol=1e-5, atol=1e-7)


def test_short_term_features_mean_what_their_names_say():
    t = np.arange(8000) / 8000
    rows = dict(
        zip(SHORT_TERM, MidTerm(sample_rate=8000).short_term(np.sin(2 * np.pi * 1000 * t)), strict=True)
    )
    np.testing.assert_allclose(rows["zcr"], 2 * 1000 / 8000, atol=0.01)
    np.testing.assert_allclose(rows["energy"], 0.5, atol=0.01)
    # Line k of pyAudioAnalysis is called k + 1: a line of 20 Hz more.
    np.testing.assert_allclose(rows["spectral_centroid"] * 4000, 1020, atol=5)
    np.testing.assert_allclose(rows["spectral_rolloff"] * 4000, 1000, atol=1)
    noise = MidTerm(sample_rate=8000).short_term(np.random.default_rng(0).normal(size=8000))
    assert noise[5].mean() > rows["spectral_entropy"].mean() + 1
    louder = MidTerm(sample_rate=8000).extract(0.1 * signal(8000))
    np.testing.assert_allclose(louder, MidTerm(sample_rate=8000).extract(signal(8000)), rtol=1e-4, atol=1e-6)


def test_silence_gives_numbers():
    y = np.concatenate([np.zeros(8000), np.sin(np.arange(8000)), np.zeros(8000)])
    assert np.isfinite(MidTerm(sample_rate=8000).extract(y)).all()
    assert np.isfinite(MidTerm(sample_rate=8000).extract(np.zeros(8000))).all()


def test_impossible_statistics_are_refused():
    with pytest.raises(FeatureError, match="at least 400 samples"):
        MidTerm(sample_rate=8000).extract(np.zeros(300))
    with pytest.raises(FeatureError, match="longer short_window"):
        MidTerm(sample_rate=8000, short_window=0.005)


# Pictures


def test_picture_is_the_original_size_and_lies_between_0_and_1():
    for seconds, frames in ((3.75, 74), (2.5, 49)):
        picture = Spectrogram(seconds=seconds).extract(signal(8000, seconds))
        assert picture.shape == (frames, 200)
        assert picture.min() >= 0
        assert picture.max() == 1
    np.testing.assert_allclose(
        Spectrogram().extract(5 * signal(8000, 3.75)), Spectrogram().extract(signal(8000, 3.75)), atol=1e-5
    )


def test_picture_is_the_level_below_the_loudest_value():
    t = np.arange(30000) / 8000
    y = np.sin(2 * np.pi * 1000 * t) + 0.1 * np.sin(2 * np.pi * 2000 * t)
    picture = Spectrogram(range_db=60.0).extract(y)
    np.testing.assert_allclose(picture[:, 50], 1, atol=1e-4)
    np.testing.assert_allclose(picture[:, 100], 1 - 20 / 60, atol=1e-4)
    assert picture[:, 150].max() == 0


def test_picture_pads_short_clips_on_both_sides_and_bears_silence():
    picture = Spectrogram().extract(signal(8000, 1.75))
    sounding = np.flatnonzero(picture.max(axis=1) > 0)
    assert (sounding.min(), 73 - sounding.max()) == (19, 20)  # the first frame is left out
    assert not Spectrogram().extract(np.zeros(100)).any()
    with pytest.raises(FeatureError, match="two frames or more"):
        Spectrogram(seconds=0.05)

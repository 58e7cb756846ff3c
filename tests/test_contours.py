"""Contours: their values, their place in time, and what does not fit together."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from serlab.errors import FeatureError
from serlab.features import Contours, Mfcc, Rms, SpectralCentroid, ZeroCrossingRate
from serlab.models import inputs

RATE = 16000


def speech(seconds, seed=0):
    """Noise that swells and dies away."""
    y = np.random.default_rng(seed).normal(size=int(seconds * RATE))
    return (0.1 * y * np.hanning(len(y))).astype(np.float32)


def test_original_contours_are_those_of_librosa_on_a_clip_in_the_middle():
    y = speech(2.0)
    before = (77175 - len(y)) // 2
    padded = np.pad(y, (before, 77175 - len(y) - before))
    found = Contours().extract(y)
    assert found.shape == (2, 151)
    crossings = librosa.feature.zero_crossing_rate(padded, frame_length=2048, hop_length=512)[0]
    energy = librosa.feature.rms(y=padded, frame_length=2048, hop_length=512)[0]
    np.testing.assert_allclose(found, [crossings, energy], atol=1e-6)
    assert not found[1, :40].any()
    assert not found[1, -40:].any()


def test_long_clips_lose_both_ends():
    y = speech(8.0)
    cut = (len(y) - 77175) // 2
    energy = librosa.feature.rms(y=y[cut : cut + 77175], frame_length=2048, hop_length=512)[0]
    np.testing.assert_allclose(Contours().extract(y)[1], energy, atol=1e-6)


def test_every_contour_of_the_compact_network_is_that_of_its_feature():
    more, y = inputs.MORE_CONTOURS, speech(3.2)
    found = more.extract(y)
    assert found.shape == (18, 161) == more.shape
    assert more.channels[:5] == ("zcr", "rms", "centroid", "bandwidth", "rolloff")
    magnitude = np.abs(librosa.stft(y, n_fft=1024, hop_length=320))
    settings = {"S": magnitude, "sr": RATE}
    expected = {
        "zcr": librosa.feature.zero_crossing_rate(y, frame_length=1024, hop_length=320),
        "rms": 20 * np.log10(librosa.feature.rms(y=y, frame_length=1024, hop_length=320).clip(10**-4.5)),
        "centroid": librosa.feature.spectral_centroid(**settings),
        "bandwidth": librosa.feature.spectral_bandwidth(**settings),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[more.channels.index(name)], values[0], rtol=2e-3, atol=1e-4)


def test_channels_are_in_the_order_asked_for():
    frame = {"n_fft": 512, "hop_length": 128}
    some = Contours(seconds=1.0, features=(Rms(**frame), Mfcc(n_mfcc=3, deltas=0, **frame)), **frame)
    assert some.channels == ("rms", "mfcc0", "mfcc1", "mfcc2")
    y = speech(1.0)
    np.testing.assert_allclose(some.extract(y)[0], Rms(**frame).extract(y)[0], atol=1e-6)
    np.testing.assert_allclose(some.extract(y)[1:], some.features[1].extract(y), atol=1e-4)


@pytest.mark.parametrize(
    "feature",
    [
        ZeroCrossingRate(n_fft=2048, hop_length=256),
        Rms(n_fft=1024, hop_length=512),
        SpectralCentroid(n_fft=2048, hop_length=512, sample_rate=8000),
        Rms(n_fft=2048, hop_length=512, seconds=1.0),
    ],
)
def test_features_on_another_grid_are_refused(feature):
    with pytest.raises(
        FeatureError, match=rf"{feature.name} has .* and must have \(16000, 2048, 512, None\)"
    ):
        Contours(features=(feature,))

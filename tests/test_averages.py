"""The 193 averages, against librosa's own functions."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from serlab.features import Averages
from serlab.features.averages import GUESSED, USUAL

RATE = 16000


@pytest.fixture(scope="module")
def voice():
    """Make a second and a half of a gliding tone with overtones, in noise."""
    rng = np.random.default_rng(0)
    t = np.arange(int(1.5 * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * k * (150 * t + 40 * t**2)) / k for k in range(1, 12))
    return (0.1 * tone + 0.01 * rng.normal(size=t.size)).astype(np.float32)


@pytest.mark.parametrize(("reading", "sizes"), [(USUAL, (40, 128, 12)), (GUESSED, (60, 60, 60))])
def test_averages_are_those_of_librosa(voice, reading, sizes):
    cepstra, bands, pitches = sizes
    frame = {"n_fft": 2048, "hop_length": 512}
    magnitude = np.abs(librosa.stft(voice, **frame))
    power = librosa.feature.melspectrogram(S=magnitude**2, sr=RATE, n_fft=2048, n_mels=128)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(power, amin=1e-10, top_db=None), n_mfcc=cepstra)
    mel = librosa.feature.melspectrogram(S=magnitude**2, sr=RATE, n_fft=2048, n_mels=bands)
    chroma, semitones = (
        librosa.feature.chroma_stft(S=magnitude**2, sr=RATE, n_fft=2048, n_chroma=count, tuning=0.0)
        for count in (pitches, 12)
    )
    tonnetz = librosa.feature.tonnetz(chroma=semitones)
    contrast = librosa.feature.spectral_contrast(S=magnitude, sr=RATE, n_fft=2048, n_bands=6)
    parts = [one.mean(axis=1) for one in (mfcc, mel, chroma, contrast, tonnetz)]
    found = np.split(Averages(features=reading).extract(voice), np.cumsum([len(part) for part in parts])[:-1])
    for name, ours, theirs in zip(
        ("mfcc", "mel", "chroma", "contrast", "tonnetz"), found, parts, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3 * np.abs(theirs).max(), err_msg=name)


@pytest.mark.parametrize("reading", [USUAL, GUESSED])
def test_there_are_193_with_names_of_their_own(reading):
    names = Averages(features=reading).feature_names
    assert len(names) == len(set(names)) == 193
    assert Averages(features=reading).shape == (193,)
    assert sum(name.startswith("mfcc") for name in names) == reading[0].n_mfcc


def test_readings_are_told_apart_by_the_store():
    assert Averages().key != Averages(features=GUESSED).key


def test_pauses_count_and_order_does_not(voice):
    averages = Averages()
    silence = np.zeros(RATE, np.float32)
    padded = averages.extract(np.concatenate([voice, silence]))
    mel = slice(40, 168)
    ratio = padded[mel].sum() / averages.extract(voice)[mel].sum()
    assert ratio == pytest.approx(len(voice) / (len(voice) + len(silence)), abs=0.02)
    backwards = averages.extract(voice[::-1].copy())
    forwards = averages.extract(voice)
    np.testing.assert_allclose(backwards[mel], forwards[mel], atol=0.03 * forwards[mel].max())

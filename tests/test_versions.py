"""Versions of one clip in one row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import soundfile as sf

from serlab import store
from serlab.augment import Augmented, Chain, Step, Uniform, Versions, gain, shift, time_stretch
from serlab.features import Mel, Rms

RATE = 16000
LATER = Chain(Step(shift, seconds=Uniform(0.0, 0.2), sample_rate=RATE))
SLOWER = Chain(Step(time_stretch, rate=0.81, sample_rate=RATE))
MEL = Mel(seconds=1.0)


def noise(seed, seconds=1.0):
    return np.random.default_rng(seed).normal(size=int(seconds * RATE)).astype(np.float32) * 0.1


def test_the_first_version_is_the_clip_as_it_is_and_the_others_are_altered():
    versions = Versions(extractor=MEL, chains=(LATER, SLOWER))
    y = noise(0)
    found = versions.extract(y)
    assert found.shape == versions.shape == (3, *MEL.shape)
    np.testing.assert_array_equal(found[0], MEL.extract(y))
    for number, chain in enumerate((LATER, SLOWER), 1):
        alone = Augmented(extractor=MEL, chain=chain, version=number).extract(y)
        np.testing.assert_array_equal(found[number], alone)
        assert not np.allclose(found[number], found[0])


def test_what_is_random_depends_on_the_sound_and_the_version():
    later = Versions(extractor=MEL, chains=(LATER, LATER))
    first, again, other = later.extract(noise(0)), later.extract(noise(0)), later.extract(noise(1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first[1], first[2])
    moved = [np.argmax(one.max(axis=0) > one.min()) for one in (first[1], other[1])]
    assert moved[0] != moved[1] or not np.allclose(first[1], other[1])


def test_the_key_changes_with_all_that_the_features_depend_on():
    versions = Versions(extractor=MEL, chains=(LATER,))
    others = [
        replace(versions, chains=(SLOWER,)),
        replace(versions, chains=(LATER, LATER)),
        replace(versions, extractor=Mel(seconds=1.0, n_mels=32)),
        replace(versions, chains=(Chain(*LATER.steps, seed=1),)),
    ]
    assert len({versions.key, MEL.key, *(other.key for other in others)}) == 6
    assert versions.key == Versions(extractor=MEL, chains=(LATER,)).key


def test_the_rate_is_that_of_the_extractor():
    low = Rms(sample_rate=8000, seconds=1.0)
    assert Versions(extractor=low, chains=(Chain(Step(gain, db=6.0)),)).sample_rate == 8000


def test_versions_come_from_the_store_one_row_per_clip(tmp_path, monkeypatch):
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))
    rows = []
    for seed in range(3):
        path = tmp_path / f"{seed}.wav"
        sf.write(path, noise(seed), RATE, subtype="FLOAT")
        rows.append({"clip": str(seed), "path": str(path)})
    louder = Versions(extractor=Rms(seconds=1.0), chains=(Chain(Step(gain, db=-6.0)),))
    X = store.features(pd.DataFrame(rows), louder, progress=False)
    assert X.shape == (3, *louder.shape)
    np.testing.assert_allclose(X[:, 1] / X[:, 0], 10 ** (-6 / 20), rtol=1e-3)

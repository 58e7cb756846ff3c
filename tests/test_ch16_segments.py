"""Clips cut into parts: which, how many, what is lost, and who is in which set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab.corpora import unify
from serlab.errors import AudioError, FeatureError, SplitError
from serlab.features import Mel, MidTerm, Rms, Spectrogram
from serlab.lessons import ch16_segments as segments
from serlab.lessons.ch16_segments import Parts


@pytest.fixture
def clips(tmp_path):
    """Write three clips of 1, 2.6 and 5.1 seconds, each a ramp, so that every sample tells its place."""
    rows = []
    for name, seconds in (("short", 1.0), ("middle", 2.6), ("long", 5.1)):
        y = np.linspace(0.1, 0.9, int(8000 * seconds), dtype=np.float32)
        soundfile.write(tmp_path / f"{name}.wav", y, 8000, subtype="FLOAT")
        rows.append({"clip": name, "path": str(tmp_path / f"{name}.wav"), "duration": seconds})
    return pd.DataFrame(rows).assign(corpus="mine", speaker=["a", "b", "b"], emotion=["sad", "sad", "happy"])


def test_parts_tell_where_they_are_from(clips):
    found = segments.parts(clips, 2.5)
    assert found["clip"].tolist() == ["middle#0", "long#0", "long#1"]
    assert found["source"].tolist() == ["middle", "long", "long"]
    assert found["start"].tolist() == [0.0, 0.0, 2.5]
    assert found["speaker"].tolist() == ["b"] * 3
    padded = segments.parts(clips, 2.5, pad=True)
    assert padded["clip"].tolist() == ["short#0", "middle#0", "long#0", "long#1"]
    assert padded["duration"].tolist() == [1.0, 2.5, 2.5, 2.5]
    assert segments.parts(clips.iloc[:1], 2.5).empty


def test_features_of_parts_are_those_of_the_sound_cut_out(clips):
    picture = Spectrogram(seconds=2.5)
    found = segments.features(clips, Parts(features=picture, seconds=2.5))
    listed = segments.parts(clips, 2.5)
    assert found.shape == (3, 49, 200)
    for row, part in enumerate(listed.itertuples()):
        y, _ = soundfile.read(part.path, dtype="float32")
        start = int(part.start * 8000)
        np.testing.assert_allclose(found[row], picture.extract(y[start : start + 20000]), atol=1e-5)


def test_padding_puts_zeros_on_both_sides(clips):
    parts = Parts(features=MidTerm(sample_rate=8000), seconds=2.5, pad=True)
    y = np.ones(8000, np.float32)
    cut = parts.cut(y)
    assert cut.shape == (1, 20000)
    assert (cut[0, 6000:14000] == 1).all()
    assert not cut[0, :6000].any()
    assert not cut[0, 14000:].any()
    assert parts.key != Parts(features=MidTerm(sample_rate=8000), seconds=2.5).key
    assert parts.key != Parts(features=MidTerm(sample_rate=8000, mid_step=0.5), seconds=2.5, pad=True).key
    assert len(segments.features(clips, parts)) == 4


def test_a_clip_that_lacks_a_sample_is_long_enough():
    parts = Parts(features=MidTerm(sample_rate=8000), seconds=2.5)
    assert parts.cut(np.ones(19999, np.float32)).shape == (1, 20000)
    assert parts.cut(np.ones(19900, np.float32)).shape == (0, 20000)
    assert segments._number_of_parts(7.4999, 2.5) == 3


def test_files_that_are_not_as_long_as_said_are_found(clips):
    clips.loc[2, "duration"] = 7.6
    with pytest.raises(FeatureError, match="long gave 2 parts"):
        segments.features(clips, Parts(features=MidTerm(sample_rate=8000), seconds=2.5))
    with pytest.raises(FeatureError, match="features of one shape"):
        Parts(features=Mel(), seconds=2.5)


def test_bookkeeping_adds_up(clips):
    found = segments.bookkeeping(clips, ["test"] * 3, {"drop": (2.5, False), "pad": (2.5, True)})
    drop = found[found["cut"] == "drop"].set_index("class")
    assert drop.loc["sad", ["clips", "kept", "lost", "padded", "parts"]].tolist() == [2, 1, 1, 0, 1]
    assert drop.loc["happy", ["clips", "kept", "lost", "padded", "parts"]].tolist() == [1, 1, 0, 0, 2]
    assert drop.loc["sad", "sound"] == pytest.approx(2.5 / 3.6)
    pad = found[found["cut"] == "pad"].set_index("class")
    assert pad.loc["sad", ["kept", "lost", "padded", "parts"]].tolist() == [2, 0, 1, 2]
    assert pad.loc["sad", "sound"] == pytest.approx(3.5 / 3.6)
    assert (found["kept"] + found["lost"] == found["clips"]).all()
    listed = segments.parts(clips, 2.5)
    assert found[found["cut"] == "drop"]["parts"].sum() == len(listed)


def test_no_speaker_is_in_two_sets(demo):
    table = unify([demo], valence={"surprised": 1})
    sets = segments.three_sets(table)
    assert sets.groupby(table["speaker"]).nunique().max() == 1
    speakers = sets.groupby(table["speaker"]).first().value_counts()
    assert speakers["unlabelled"] == speakers["labelled"] + speakers["test"]
    for name in segments.SETS:
        assert set(table["ternary"][sets == name]) == set(table["ternary"])
    assert not sets.equals(segments.three_sets(table, seed=1))
    with pytest.raises(SplitError, match="speakers"):
        segments.three_sets(table[table["speaker"].isin(sorted(set(table["speaker"]))[:3])])


def test_a_long_recording_is_used_part_by_part(tmp_path):
    y = np.random.default_rng(0).uniform(-0.3, 0.3, 310 * 8000).astype(np.float32)
    soundfile.write(tmp_path / "long.flac", y, 8000)
    table = pd.DataFrame({"clip": ["long"], "path": [str(tmp_path / "long.flac")], "duration": [310.0]})
    parts = Parts(features=Rms(sample_rate=8000, seconds=10.0), seconds=10.0)
    with pytest.raises(AudioError, match=r"lasts 310 s.*max_seconds"):
        segments.features(table, parts)
    found = segments.features(table, parts, max_seconds=400)
    assert len(found) == len(segments.parts(table, 10.0)) == 31
    np.testing.assert_allclose(found[30], parts.features.extract(y[-80_000:]), atol=1e-4)

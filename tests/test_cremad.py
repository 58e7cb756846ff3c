"""CREMA-D on the day that it is fetched: a generated corpus of its names, tree and size, from end to end."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression

import serlab
from serlab import audio, corpora, evaluation, models, runs, splits, store, training
from serlab.errors import AudioError, SplitError
from serlab.features import Contours
from serlab.lessons import ch15_leaks as leaks

RECORD = corpora.record("cremad")


@pytest.fixture(scope="module")
def tree(tmp_path_factory, demo):
    """All 7442 names, each a link to what two synthetic voices say in that emotion, and one without sound."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "CREMA-D" / "AudioWAV"
    folder.mkdir(parents=True)
    voices = demo.drop_duplicates(["gender", "emotion"]).set_index(["gender", "emotion"])["path"]
    for name in RECORD.manifest:
        told = RECORD.parse(Path(name).stem)
        made = root / f"{told['gender']}-{told['emotion']}.wav"
        if not made.exists():
            y, rate = soundfile.read(voices[told["gender"], told["emotion"]], dtype="float32")
            soundfile.write(made, audio.resample(y, rate, 16000), 16000, subtype="PCM_16")
        os.link(made, folder / name)
    for stem in RECORD.silent:
        (folder / f"{stem}.wav").unlink()
        soundfile.write(folder / f"{stem}.wav", np.zeros(32000), 16000, subtype="PCM_16")
    yield root
    shutil.rmtree(root)


@pytest.fixture
def table(tree, monkeypatch):
    monkeypatch.setenv("SERLAB_DATA", str(tree))
    return serlab.load("cremad")


@pytest.fixture
def sounding(table):
    """Leave out the clip without sound, as the record says one must."""
    return table[~table["clip"].isin(RECORD.silent)].reset_index(drop=True)


def few(table, each=1):
    return table.groupby(["speaker", "emotion"]).head(each).reset_index(drop=True)


def test_the_table_is_that_of_the_official_corpus(table):
    assert len(table) == 7442
    assert Counter(table["emotion"]) == Counter(RECORD.classes)
    assert set(table["emotion"]) == set(splits.SIX_EMOTIONS)
    assert len(splits.six_emotions(table)) == 7442
    assert table["speaker"].nunique() == 91


def test_sessions_of_emo_superb_test_every_actor_once(table):
    split = splits.make(table, "emosuperb5")
    assert "EMO-SUPERB" in split.title
    assert split.speaker_disjoint
    tested = [sorted(table["speaker"].iloc[fold.test].unique()) for fold in split]
    assert sorted(name for names in tested for name in names) == sorted(RECORD.speakers)
    assert [(names[0], names[-1]) for names in tested] == [
        ("1037", "1054"),
        ("1001", "1018"),
        ("1073", "1091"),
        ("1055", "1072"),
        ("1019", "1036"),
    ]
    assert sorted(map(len, tested)) == [18, 18, 18, 18, 19]
    assert splits.audit(table, split).loc[["rows", "clips", "speakers"], "test_clips"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("protocol", ["emosuperb5", "group5"])
def test_validation_actors_are_others_again(table, protocol):
    for fold in splits.with_validation(splits.make(table, protocol), table):
        sides = [set(table["speaker"].iloc[rows]) for rows in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, sides)) == len(set().union(*sides)) == 91
        assert set(table["emotion"].iloc[fold.test]) == set(splits.SIX_EMOTIONS)


def test_the_original_split_has_all_actors_on_both_sides(table):
    (fold,) = splits.make(table, "six-clips30")
    assert fold.test.size == round(0.3 * 7442)
    assert set(table["speaker"].iloc[fold.train]) == set(table["speaker"].iloc[fold.test])
    assert table["emotion"].iloc[fold.test].eq("neutral").mean() == pytest.approx(1087 / 7442, abs=1e-3)


def test_sessions_need_all_actors(table):
    with pytest.raises(SplitError, match=r"emosuperb5 does not fit this table: speakers 1091 are in one"):
        splits.make(table[table["speaker"] != "1091"], "emosuperb5")


def test_the_clip_without_sound_is_named_where_features_are_asked_for(table, tmp_path):
    silent = table[table["clip"].isin(RECORD.silent)]
    with pytest.raises(AudioError, match=r"1076_MTI_SAD_XX.wav is silent"):
        store.features(silent, Contours(), n_jobs=1, progress=False, root=tmp_path)


def test_a_model_is_trained_and_tested_in_the_published_sessions(sounding, tmp_path):
    some = few(sounding)
    X = np.array(store.features(some, Contours(), n_jobs=1, progress=False, root=tmp_path))
    said = training.cross_validate(
        lambda seed: LogisticRegression(max_iter=200),
        X.reshape(len(X), -1),
        some,
        splits.make(some, "emosuperb5"),
    )
    assert said["clip"].tolist() != some["clip"].tolist()
    assert set(said["clip"]) == set(some["clip"])
    assert evaluation.interval(said).low > 1 / 6  # all actors are two synthetic voices


def test_networks_get_validation_actors_and_all_versions_in_one_row(sounding, tmp_path):
    spec = models.get("contours-original")
    split = runs.split_for(spec, sounding, "emosuperb5")
    assert all(fold.validation.size for fold in split)
    some = sounding.head(3)
    assert store.features(some, *spec.extractors, n_jobs=1, progress=False, root=tmp_path).shape == (
        3,
        3,
        2,
        151,
    )
    rows, steps = leaks.deal(few(sounding), 3)
    assert len(rows) == 3 * 6 * 91
    assert splits.audit(rows, steps["speakers apart"]).loc["speakers", "test_clips"] == 0


def test_runs_are_recorded_without_the_clip_that_has_no_sound(table, tmp_path):
    assert len(splits.get("group5").prepare(table)) == 7441
    run = runs.make(models.get("majority"), "cremad", "emosuperb5", folder=tmp_path, progress=False)
    assert run.meta["corpus"]["clips"] == 7441
    assert runs.check(run, table) == []
    assert run.predictions.groupby("fold")["speaker"].nunique().tolist() == [18, 18, 19, 18, 18]

"""Several corpora as one table: names that stay apart, valence by a mapping that can be changed, splits."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import soundfile

import serlab
from conftest import real_corpus
from serlab import corpora, evaluation, models, runs, splits
from serlab.corpora import demo as demo_corpus
from serlab.corpora import unified
from serlab.errors import CorpusError, SplitError
from serlab.features import Recording
from serlab.lessons import ch11_mismatch as mismatch

# The small tables here number their speakers alike.
pytestmark = pytest.mark.filterwarnings("ignore:.* have speakers of the same names")

EMOTIONS = ("neutral", "happy", "sad", "angry", "surprised")


def tiny(name, speakers, language="English", emotions=EMOTIONS, takes=2):
    """Make an utterance table of a corpus without sound."""
    rows = [
        {
            "clip": f"{s}-{e}-{k}",
            "path": f"/nowhere/{name}/{s}-{e}-{k}.wav",
            "speaker": s,
            "emotion": e,
            "sentence": "1",
            "language": language,
            "duration": 1.0,
        }
        for s in speakers
        for e in emotions
        for k in range(takes)
    ]
    table = pd.DataFrame(rows).reindex(columns=list(corpora.COLUMNS)).assign(corpus=name)
    for axis, place in (("valence", 0), ("arousal", 1)):
        table[axis] = [corpora.CIRCUMPLEX.get(e, (np.nan, np.nan))[place] for e in table["emotion"]]
    table.attrs = {"corpus": name, "title": name.upper()}
    return table


def three():
    return corpora.unify(
        [
            tiny("one", [f"0{n}" for n in range(1, 8)]),
            tiny("two", ["01", "02", "03"], "Polish"),
            tiny("lone", ["01"], "German"),
        ]
    )


@pytest.fixture(scope="module")
def parts(demo):
    """Give the synthetic corpus in three parts, joined."""
    return corpora.unify(demo_corpus.part_tables())


def test_equal_names_of_two_corpora_stay_apart():
    table = three()
    assert table["clip"].is_unique
    assert table["speaker"].nunique() == 11
    assert {"one/01", "two/01", "lone/01"} <= set(table["speaker"])
    assert (table["clip"].str.split("/").str[0] == table["corpus"]).all()
    assert set(table["sentence"]) == {"one/1", "two/1", "lone/1"}
    assert table["corpus"].drop_duplicates().tolist() == ["one", "two", "lone"]
    assert list(table.index) == list(range(len(table)))
    assert list(table.columns) == [*corpora.COLUMNS, "family", *corpora.TASKS]
    assert table.attrs["sources"] == {"one": "ONE", "two": "TWO", "lone": "LONE"}
    assert table.attrs["title"] == "Unified: ONE + TWO + LONE"
    assert table.groupby("corpus")["family"].first().to_dict() == {
        "one": "Germanic",
        "two": "Slavic",
        "lone": "Germanic",
    }


def test_people_of_ones_own_folders_who_may_be_the_same_are_told():
    parts = [tiny("session1", ["anna", "bo"]), tiny("session2", ["Anna", "cy"]), tiny("ravdess", ["anna"])]
    with pytest.warns(
        UserWarning, match=r"session1 and session2 have speakers of the same names, counted as different"
    ) as told:
        table = corpora.unify(parts)
    assert len(told) == 1
    assert told[0].filename == __file__
    (line,) = re.findall(r"table\[.*", str(told[0].message))
    exec(line)
    assert set(table["speaker"]) == {"session1/anna", "session1/bo", "session2/cy", "ravdess/anna"}


def test_valence_follows_the_circumplex_and_what_is_left_out_is_counted_and_said(capsys):
    table = corpora.unify([tiny("one", ["a", "b"]), tiny("two", ["a"], emotions=("happy", "calm", "bored"))])
    by_emotion = table.groupby("emotion")["valence"].unique().map(list).to_dict()
    assert by_emotion == {
        "neutral": [0],
        "happy": [1],
        "sad": [-1],
        "angry": [-1],
        "calm": [1],
        "bored": [-1],
    }
    assert table.attrs["dropped"] == {"one": {"surprised": 4}}
    assert "4 clips (one: surprised 4)" in capsys.readouterr().out
    corpora.unify([tiny("two", ["a"], emotions=("happy", "sad"))])
    assert capsys.readouterr().out == ""


def test_the_reader_can_change_the_mapping():
    one = tiny("one", ["a", "b"], emotions=("happy", "calm", "surprised", "excited"))
    table = corpora.unify(
        [one],
        valence={"calm": 0, "surprised": 1, "excited": 1, "happy": None},
        arousal={"excited": 1, "calm": None},
    )
    assert table.groupby("emotion")["valence"].first().to_dict() == {"calm": 0, "excited": 1, "surprised": 1}
    arousal = table.groupby("emotion")["arousal"].first()
    assert arousal["excited"] == 1
    assert np.isnan(arousal["calm"])
    assert table.attrs["dropped"] == {"one": {"happy": 4}}
    assert one["valence"].isna().sum() == 8, "the table that was given is left as it is"


def test_clips_without_a_valence_can_be_kept(capsys):
    one = tiny("one", ["a", "b"])
    table = corpora.unify([one, tiny("two", ["a"])], keep_all=True)
    assert table["emotion"].value_counts()["surprised"] == 6
    assert table.loc[table["valence"].isna(), "emotion"].unique().tolist() == ["surprised"]
    assert len(table) == 30
    assert table.attrs["dropped"] == {}
    assert capsys.readouterr().out == ""
    assert table.loc[table["emotion"] == "surprised", list(corpora.TASKS)].isna().all(axis=None)
    with pytest.raises(SplitError, match=r"about the column 'ternary', which is missing or has gaps.*unify"):
        splits.make(table, "ternary")
    alone = corpora.unify([tiny("a", "x", emotions=("surprised",))], keep_all=True)
    assert len(alone) == 2


def test_valence_that_a_table_brings_counts_more_than_its_emotion():
    one = tiny("one", ["a"], emotions=("happy",), takes=5)
    one["valence"] = [-1.0, -0.34, -0.33, 0.2, 0.9]
    assert corpora.unify([one])["valence"].tolist() == [-1, -1, 0, 0, 1]
    assert corpora.unify([one], valence={"happy": 1})["valence"].tolist() == [1] * 5


@pytest.mark.parametrize(
    ("sources", "settings", "message"),
    [
        (lambda: [], {}, "was given no corpora"),
        (lambda: "ravdess", {}, r"unify\(\['ravdess'\]\)"),
        (lambda: [tiny("a", "x"), tiny("a", "y")], {}, "Two of the corpora are called 'a'"),
        (lambda: [tiny("emodb", "x"), tiny("emodb_first2s", "x")], {}, "the same people"),
        (lambda: [tiny("a", "x").drop(columns="valence")], {}, "lacks the columns valence"),
        (lambda: [three()], {}, "must hold one corpus, not one, two, lone"),
        (lambda: [tiny("a", "x").head(0)], {}, "must hold one corpus, not none"),
        (lambda: [tiny("a", "x")], {"valence": {"hapy": 1}}, "no emotion 'hapy' to give a valence"),
        (lambda: [tiny("a", "x")], {"arousal": {"happy": 2}}, "arousal of 'happy' must be -1, 0, 1 or None"),
        (lambda: [tiny("a", "x", emotions=("surprised", "odd"))], {}, "No clip has a valence"),
        (lambda: ["ravdess"], {}, "RAVDESS was not found"),
        (lambda: ["nowhere"], {}, "There is no corpus 'nowhere'"),
    ],
)
def test_what_cannot_be_joined_is_named(sources, settings, message, monkeypatch):
    monkeypatch.delenv("SERLAB_DATA", raising=False)
    with pytest.raises(CorpusError, match=message):
        corpora.unify(sources(), **settings)


def test_classes_of_valence_stand_beside_emotions():
    table = three()
    counts = table["valence"].value_counts()
    expected = {
        "ternary": {"negative": counts[-1], "neutral": counts[0], "positive": counts[1]},
        "binary-neg": {"negative": counts[-1], "other": counts[0] + counts[1]},
        "binary-neu": {"neutral": counts[0], "other": counts[-1] + counts[1]},
        "binary-pos": {"positive": counts[1], "other": counts[-1] + counts[0]},
    }
    for task, classes in expected.items():
        assert table[task].value_counts().to_dict() == classes
    assert set(table["emotion"]) == {"neutral", "happy", "sad", "angry"}


def test_tables_without_classes_of_valence_are_not_split_by_them():
    with pytest.raises(SplitError, match=r"binary-neg is about the column 'binary-neg'.*unify"):
        splits.make(tiny("one", ["a", "b"]), "binary-neg")


def test_a_folder_of_ones_own_takes_part(tmp_path, demo):
    folder = tmp_path / "kitchen"
    folder.mkdir()
    for number, mood in enumerate(("joy", "sadness", "smug")):
        y = np.random.default_rng(number).uniform(-0.5, 0.5, 4000)
        soundfile.write(folder / f"{mood}.wav", y, 8000)
    rows = "".join(f"{mood}.wav,{mood},Ada\n" for mood in ("joy", "sadness", "smug"))
    (folder / "metadata.csv").write_text("file,emotion,speaker\n" + rows)
    with pytest.warns(UserWarning, match="smug"):
        table = corpora.unify(["demo", folder], valence={"smug": 1})
    own = table[table["corpus"] == "kitchen"]
    assert own["clip"].tolist() == ["kitchen/joy", "kitchen/sadness", "kitchen/smug"]
    assert own["valence"].tolist() == [1, -1, 1]
    assert own["family"].isna().all()
    assert (table["corpus"] == "demo").sum() == 336


def test_unified_is_what_is_here(monkeypatch, demo, capsys):
    monkeypatch.delenv("SERLAB_CORPUS", raising=False)
    there = {"nemo": tiny("nemo", "ab"), "emodb_first2s": tiny("emodb_first2s", "ab")}
    monkeypatch.setattr(corpora, "find", lambda name: "/somewhere" if name in there else None)
    asked = []
    real_load = corpora.load

    def load(name):
        asked.append(name)
        return there.get(name, tiny(str(name), "ab"))

    monkeypatch.setattr(corpora, "load", load)
    assert unified.available() == ["nemo", "emodb_first2s"]
    assert list(real_load("unified").attrs["sources"]) == ["nemo", "emodb_first2s"]
    monkeypatch.setenv("SERLAB_CORPUS", "mine")
    assert list(unified.load().attrs["sources"]) == ["nemo", "emodb_first2s", "mine"]
    monkeypatch.setenv("SERLAB_CORPUS", "emodb")
    assert list(unified.load().attrs["sources"]) == ["nemo", "emodb"]
    monkeypatch.setenv("SERLAB_CORPUS", "nemo")
    assert list(unified.load().attrs["sources"]) == ["nemo", "emodb_first2s"]
    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    assert list(unified.load().attrs["sources"]) == list(demo_corpus.PARTS)
    assert "not found" not in capsys.readouterr().out
    monkeypatch.delenv("SERLAB_CORPUS")
    there.clear()
    assert list(unified.load().attrs["sources"]) == list(demo_corpus.PARTS)
    assert "None of ravdess, nemo, emodb, cremad was found" in capsys.readouterr().out


def test_unified_can_be_chosen_and_found(monkeypatch):
    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    assert serlab.default_corpus("unified") == "unified"
    monkeypatch.setattr(unified, "available", lambda: [])
    assert corpora.find("unified") is None
    monkeypatch.setattr(unified, "available", lambda: ["demo", "ravdess"])
    assert corpora.find("unified") == corpora.find("demo")


def test_parts_of_the_demo_corpus_share_no_speaker_and_differ_as_recordings(parts):
    speakers = parts.groupby("corpus")["speaker"].unique()
    voices = [name.split("/")[1] for part in speakers for name in part]
    assert len(voices) == len(set(voices)) == 12
    whole = serlab.load("demo")
    assert set(voices) == set(whole["speaker"])
    assert all(whole.set_index("speaker")["gender"].loc[names].nunique() == 2 for names in [voices[:4]])
    few = parts.groupby("speaker").head(3).reset_index(drop=True)
    found = mismatch.recordings(few, n_jobs=1, progress=False).groupby("corpus").median()
    assert found.loc["demo-b", "highest"] < 4500 < found.loc["demo-a", "highest"]
    assert found["level"]["demo-b"] < found["level"]["demo-a"] - 8
    assert found.loc["demo-c", "lead"] > found.loc["demo-a", "lead"] + 0.2
    assert found.loc["demo-c", "floor"] > found.loc["demo-a", "floor"] + 5
    folder = demo_corpus.parts_folder()
    made = folder.stat().st_mtime_ns
    assert demo_corpus.parts_folder() == folder
    assert folder.stat().st_mtime_ns == made
    assert not list(folder.parent.glob("*.part"))


def test_a_clip_of_several_corpora_is_listened_to_by_its_own_name():
    table = three()
    for row in (0, len(table) - 1):
        corpus, name = table.loc[row, "clip"].split("/")
        player = serlab.listen(table.iloc[row])
        assert (player.attributes["data-corpus"], player.attributes["data-clip"]) == (corpus, name)
        assert (
            f"clip {name}, {table.loc[row, 'emotion']}, speaker {table.loc[row, 'speaker'].split('/')[1]},"
            in (player.caption)
        )


# Splits


def test_folds_hold_speakers_of_every_corpus_and_are_the_same_for_every_task():
    table = three()
    split = splits.make(table, "ternary")
    assert split.speaker_disjoint
    assert len(split) == 5
    speaker, corpus = table["speaker"].to_numpy(), table["corpus"].to_numpy()
    assert sorted(np.concatenate([fold.test for fold in split])) == list(range(len(table)))
    for fold in split:
        assert not set(speaker[fold.test]) & set(speaker[fold.train])
        assert "one" in corpus[fold.test]
    assert sum("two" in corpus[fold.test] for fold in split) == 3, "it has three speakers"
    assert sum("lone" in corpus[fold.test] for fold in split) == 1
    for task in corpora.TASKS:
        other = splits.make(table, task)
        assert other.name == other.target == task
        for fold, twin in zip(split, other, strict=True):
            np.testing.assert_array_equal(fold.test, twin.test)
    assert not all(
        np.array_equal(a.test, b.test)
        for a, b in zip(split, splits.make(table, "ternary", seed=1), strict=True)
    )


def test_folds_within_corpora_need_speakers():
    with pytest.raises(SplitError, match=r"cannot make 9 .*within corpora.*Use 2 to 7"):
        splits.corpus_folds(three(), 9)


def test_a_corpus_or_a_language_is_left_out():
    table = three()
    loco = splits.make(table, "ternary-loco")
    assert [set(table["corpus"].iloc[fold.test]) for fold in loco] == [{"one"}, {"two"}, {"lone"}]
    assert all(
        set(table["corpus"].iloc[fold.train]).isdisjoint(table["corpus"].iloc[fold.test]) for fold in loco
    )
    lolo = splits.make(table, "binary-pos-lolo")
    assert "the same folds as leaving one corpus out" in lolo.title
    for fold, twin in zip(loco, lolo, strict=True):
        np.testing.assert_array_equal(fold.test, twin.test)
    merged = table.assign(language=table["language"].replace("German", "English"))
    other = splits.make(merged, "ternary-lolo")
    assert len(other) == 2
    assert "the same folds" not in other.title
    single = corpora.unify([tiny("one", ["a", "b"])])
    for protocol, column in (("ternary-loco", "corpus"), ("ternary-lolo", "language")):
        with pytest.raises(SplitError, match=f"at least two|at least 2 different values of {column}"):
            splits.make(single, protocol)


def test_one_corpus_or_language_trains_and_another_tests():
    table = three()
    fold = splits.across(table, "two", "one").folds[0]
    assert set(table["corpus"].iloc[fold.train]) == {"two"}
    assert set(table["corpus"].iloc[fold.test]) == {"one"}
    family = splits.across(table, "Germanic", "Slavic", column="family").folds[0]
    assert family.train.size + family.test.size == len(table)
    for pair in (("two", "two"), ("two", "three")):
        with pytest.raises(SplitError, match="must be two of lone, one, two"):
            splits.across(table, *pair)


def test_the_original_split_takes_all_clips_of_a_share_of_the_speakers():
    table = three()
    fold = splits.make(table, "ternary-original").folds[0]
    held = set(table["speaker"].iloc[fold.test])
    assert len(held) == 3
    assert table["speaker"].isin(held).sum() == fold.test.size
    drawn = {tuple(splits.make(table, "ternary-original", seed=s).folds[0].test) for s in range(5)}
    assert len(drawn) > 1
    binary = splits.make(table, "binary-neg-original").folds[0]
    np.testing.assert_array_equal(binary.test, fold.test)


@pytest.mark.parametrize("protocol", ["ternary-loso", "binary", "binary-sad", "Ternary", "ternary5"])
def test_other_names_are_no_protocols(protocol):
    with pytest.raises(SplitError, match="unknown protocol"):
        splits.make(three(), protocol)


# Telling corpora apart


def test_corpora_are_told_apart_by_level_until_it_is_taken_away():
    table = three().query("corpus != 'lone'").reset_index(drop=True)
    rng = np.random.default_rng(0)
    level = np.where(table["corpus"] == "one", -20.0, -40.0) + rng.normal(0, 2, len(table))
    noise = rng.normal(size=len(table))
    before = mismatch.corpus_recognition(np.column_stack([level, noise]), table)
    after = mismatch.corpus_recognition(np.column_stack([level * 0, noise]), table)
    assert set(before["label"]) == {"one", "two"}
    assert len(before) == len(table)
    assert evaluation.interval(before).value > 0.95
    assert evaluation.interval(after).value < 0.75
    assert len(before[["speaker", "fold"]].drop_duplicates()) == before["speaker"].nunique()


def test_corpora_are_not_told_apart_by_voices_and_weigh_alike():
    table = three().query("corpus != 'lone'").reset_index(drop=True)
    # Every speaker has a sound of their own, which says nothing about the corpora that others are in.
    voice = pd.get_dummies(table["speaker"]).to_numpy(float)
    rng = np.random.default_rng(0)
    found = mismatch.corpus_recognition(voice, table, C=100.0)
    assert evaluation.accuracy(found["label"], found["predicted"]) < 0.75
    noise = rng.normal(size=(len(table), 2))
    said = mismatch.corpus_recognition(noise, table)["predicted"].value_counts(normalize=True)
    assert 0.3 < said["two"] < 0.7, "three of ten speakers, and half of the guesses"


def test_corpora_cannot_be_told_apart_where_there_is_one():
    X = np.zeros((1000, 1))
    one = corpora.unify([tiny("one", ["a", "b"])])
    with pytest.raises(SplitError, match="the table holds one only"):
        mismatch.corpus_recognition(X[: len(one)], one)
    with pytest.raises(SplitError, match="lone has one speaker only"):
        mismatch.corpus_recognition(X[: len(three())], three())


# Recorded runs


def test_a_run_on_several_corpora_is_made_and_checked(parts, tmp_path, monkeypatch):
    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    spec = models.get("valence-majority")
    for protocol, classes in (
        ("ternary", ["negative", "neutral", "positive"]),
        ("binary-pos", ["positive", "other"]),
        ("ternary-original", ["negative", "neutral", "positive"]),
    ):
        run = runs.make(spec, "unified", protocol, progress=False)
        assert run.meta["classes"] == classes
        assert run.meta["scores"]["uar"] == pytest.approx(1 / len(classes), abs=1e-5)
        assert run.meta["corpus"]["sources"] == parts.attrs["sources"]
        assert run.meta["corpus"]["dropped"] == parts.attrs["dropped"]
        assert runs.check(run, parts) == []
    assert "100.0 % of" in runs.verify(runs.read("unified", "ternary", spec.name), spec)
    wrong = parts.assign(ternary=parts["ternary"].replace({"negative": "positive", "positive": "negative"}))
    wrong.attrs = parts.attrs
    assert any("contradict the corpus in label" in line for line in runs.check(run, wrong))
    assert runs.check(run, three()) == [], "other corpora than the run was made on: nothing to compare"
    assert runs.table()["classes"].tolist() == [2, 3, 3]


def test_runs_on_several_corpora_are_left_out_where_there_is_none(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    monkeypatch.setattr(unified, "available", lambda: [])
    assert runs.main(["--corpus", "unified", "--protocol", "ternary", "--model", "valence-majority"]) == 1
    assert "nothing was made, since the corpora are not here: unified" in capsys.readouterr().err


def test_only_some_protocols_on_valence_test_all_clips():
    assert splits.get("ternary-loco").tests_every_clip
    assert not splits.get("ternary-original").tests_every_clip


@pytest.mark.real
def test_unified_real_corpora():
    for name in ("ravdess", "nemo", "emodb_first2s"):
        real_corpus(name)
    table = serlab.load("unified")
    assert {"ravdess", "nemo"} <= set(table["corpus"])
    assert table["clip"].is_unique
    assert set(table["valence"]) == {-1, 0, 1}
    split = splits.make(table, "ternary")
    for fold in split:
        assert set(table["corpus"].iloc[fold.test]) == set(table["corpus"])
    levels = mismatch.recordings(table.groupby("corpus").head(40).reset_index(drop=True), progress=False)
    median = levels.groupby("corpus")["level"].median()
    assert median["nemo"] > median["ravdess"] + 6
    assert list(levels)[1:] == list(Recording.feature_names)


def test_a_recording_that_two_corpora_name_is_refused():
    one, two = tiny("one", ["a", "b"]), tiny("two", ["c", "d"])
    two["path"] = one["path"].to_numpy()[: len(two)]
    with pytest.raises(CorpusError, match=r"is there twice, as one/.* and two/"):
        corpora.unify([one, two])

"""Records, search and loading, on generated trees with the official names and counts."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import serlab
from conftest import real_corpus
from serlab import corpora
from serlab.corpora import emodb, locate, official
from serlab.errors import CorpusError

OFFICIAL = ("ravdess", "emodb", "emodb2", "emodb_first2s", "cremad", "nemo")
RATE = 8000


def write(path, seed, seconds=0.02, channels=1, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    y = np.random.default_rng(seed).uniform(-0.5, 0.5, (int(seconds * rate), channels))
    sf.write(path, y, rate)


def nemo_stems():
    """Give 4481 names with nEMO's counts per class, and per speaker where these are known."""
    lacking = {"EB0_surprised_1", "TP0_surprised_1", "SM0_fear_1", "SM0_happiness_1"}
    rest = {"neutral": 1, "happiness": 60, "sadness": 41, "anger": 61, "fear": 73, "surprised": 139}
    for emotion, clips in rest.items():
        gone = [f"{s}_{emotion}_{n}" for n, s in product(range(1, 91), ("KD0", "MK0", "MP0", "WR0"))]
        lacking.update(gone[:clips])
    speakers = corpora.record("nemo").speakers
    every = [f"{s}_{e}_{n}" for s, e, n in product(speakers, rest, range(1, 91))]
    return [stem for stem in every if stem not in lacking]


def nemo_table(stems):
    lines = [f"{s}.wav\t{s.split('_')[1]}\tTak.\ttak\t        {s[:3]}\tmale\t23" for s in stems]
    header = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"
    return "\n".join([header, *lines]) + "\n"


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """Make each corpus once, in its official tree: links to a few short files, which is quick."""
    root = tmp_path_factory.mktemp("originals")
    sources = [root / f"{number}.wav" for number in range(60)]
    for seed, path in enumerate(sources):
        write(path, seed)
    trees = {
        "ravdess": list(corpora.record("ravdess").manifest),
        "cremad": [f"AudioWAV/{path}" for path in corpora.record("cremad").manifest],
        "nemo": [f"samples/{stem}.wav" for stem in nemo_stems()],
        **{n: [f"wav/{path}" for path in corpora.record(n).manifest] for n in OFFICIAL if "emodb" in n},
    }
    for name, paths in trees.items():
        for folder in {Path(path).parent for path in paths}:
            (root / name / folder).mkdir(parents=True)
        for number, path in enumerate(paths):
            os.link(sources[number % len(sources)], root / name / path)
    for name in ("emodb", "emodb2"):
        (root / name / "wav" / "03a01Fa.wav").unlink()
        write(root / name / "wav" / "03a01Fa.wav", seed=0, seconds=2.5)
    (root / "nemo" / "data.tsv").write_text(nemo_table(nemo_stems()), encoding="utf-8")
    return root


@pytest.fixture
def copy(originals, tmp_path, monkeypatch):
    """Give a function that copies a corpus into a data folder of the test's own (by links, for speed).

    To change a file of the copy, replace it: `write` and `unlink` first.
    """

    def copied(name, to=None, only=None):
        target = tmp_path / (to or name)
        for folder, _, files in os.walk(originals / name):
            goal = target / Path(folder).relative_to(originals / name)
            goal.mkdir(parents=True, exist_ok=True)
            for file in files:
                if only is None or only(Path(folder, file)):
                    os.link(f"{folder}/{file}", f"{goal}/{file}")
        return target

    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    return copied


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_whole_copy_has_the_official_counts(copy, name):
    copy(name)
    table = serlab.load(name)
    record = corpora.record(name)
    assert tuple(table.columns) == corpora.COLUMNS
    assert len(table) == record.clips == sum(record.classes.values())
    assert Counter(table["emotion"]) == Counter(record.classes)
    assert tuple(sorted(table["speaker"].unique())) == tuple(sorted(record.speakers))
    assert table["clip"].is_unique
    assert table["clip"].is_monotonic_increasing
    assert list(table.index) == list(range(record.clips))
    assert table.attrs == {"corpus": name, "title": record.title}
    assert set(table["corpus"]) == {name}
    assert set(table["gender"]) == {"female", "male"}
    assert set(table["language"]) == {record.language}
    assert all(os.path.isabs(path) for path in table["path"])
    assert table["duration"].min() == pytest.approx(0.02)


def test_the_labels_of_each_corpus():
    read = {name: corpora.record(name).parse for name in OFFICIAL}
    assert read["ravdess"]("03-01-07-02-01-02-24") == {
        "speaker": "24",
        "gender": "female",
        "emotion": "disgust",
        "intensity": "strong",
        "sentence": "01",
    }
    codes = [read["ravdess"](f"03-01-0{code}-01-01-01-01")["emotion"] for code in range(1, 9)]
    assert tuple(codes) == corpora.EMOTIONS[:8]
    letters = {
        "W": "angry",
        "L": "bored",
        "E": "disgust",
        "A": "fearful",
        "F": "happy",
        "T": "sad",
        "N": "neutral",
    }
    assert {letter: read["emodb"](f"08b03{letter}a")["emotion"] for letter in letters} == letters
    assert read["emodb"]("16b10Wb") == {
        "speaker": "16",
        "gender": "female",
        "emotion": "angry",
        "sentence": "b10",
    }
    assert read["cremad"]("1091_IEO_FEA_MD") == {
        "speaker": "1091",
        "gender": "female",
        "emotion": "fearful",
        "intensity": "medium",
        "sentence": "IEO",
    }
    assert read["cremad"]("1001_DFA_NEU_XX")["intensity"] is None
    assert read["nemo"]("KS0_surprised_90") == {
        "speaker": "KS0",
        "gender": "male",
        "emotion": "surprised",
        "sentence": "90",
    }


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("ravdess", "03-02-01-01-01-01-01"),  # song
        ("ravdess", "01-01-01-01-01-01-01"),  # video
        ("ravdess", "03-01-01-01-01-01-25"),
        ("emodb", "04a01Fa"),
        ("cremad", "1092_DFA_ANG_XX"),
        ("cremad", "1040_ITH_SAD_X"),
        ("nemo", "XY0_anger_1"),
        ("nemo", "EB0_joy_1"),
    ],
)
def test_other_names_are_no_clips(name, stem):
    assert corpora.record(name).parse(stem) is None


def test_sentences_of_the_records_are_those_of_the_clips():
    for name in ("ravdess", "emodb", "cremad"):
        record = corpora.record(name)
        assert {record.parse(stem)["sentence"] for stem in record.official} == set(record.sentences)


def test_cremad_has_43_women():
    record = corpora.record("cremad")
    women = {s for s in record.speakers if record.parse(f"{s}_IEO_SAD_HI")["gender"] == "female"}
    assert len(women) == 43


def test_valence_and_arousal_follow_the_circumplex(copy):
    copy("ravdess", only=lambda path: path.parent.name == "Actor_02")
    means = serlab.load("ravdess").groupby("emotion")[["valence", "arousal"]].mean()
    assert means.loc["calm"].tolist() == [1, -1]
    assert means.loc["angry"].tolist() == [-1, 1]
    assert np.isnan(means.loc["surprised", "valence"])
    assert np.isnan(means.loc["disgust", "arousal"])
    assert set(corpora.CIRCUMPLEX) == set(corpora.EMOTIONS)


def test_the_published_folds_of_ravdess_hold_each_actor_once():
    folds = corpora.folds("ravdess", "emobox6")
    assert [len(fold) for fold in folds] == [4] * 6
    assert sorted(speaker for fold in folds for speaker in fold) == list(corpora.record("ravdess").speakers)
    assert folds[5] == ["06", "13", "17", "22"]
    with pytest.raises(CorpusError, match="it has emobox6"):
        corpora.folds("ravdess", "loso")
    with pytest.raises(CorpusError, match="nEMO has no published folds 'emobox6': it has none"):
        corpora.folds("nemo", "emobox6")


@pytest.mark.parametrize(
    "place",
    [
        "ravdess",
        "RAVDESS",
        "Audio_Speech_Actors_01-24",
        "ravdess-emotional-speech-audio",
        "ravdess/audio_speech_actors_01-24",
    ],
)
def test_ravdess_is_found_under_the_names_it_comes_with(copy, monkeypatch, tmp_path, place):
    folder = copy("ravdess", place, only=lambda path: path.parent.name == "Actor_02")
    assert serlab.load("ravdess").attrs["title"] == "RAVDESS (1 of 24 speakers)"
    monkeypatch.setenv("SERLAB_DATA", os.pathsep.join([str(tmp_path / "nowhere"), str(folder)]))
    assert corpora.find("ravdess") == folder


def test_clips_are_found_in_other_formats_and_beside_hidden_files(copy):
    folder = copy("ravdess", only=lambda path: path.parent.name == "Actor_02")
    first = folder / "Actor_02" / "03-01-01-01-01-01-02.wav"
    y, rate = sf.read(first)
    first.unlink()
    sf.write(first.with_suffix(".flac"), y, rate)
    (first.parent / "._03-01-01-01-01-02-02.wav").write_bytes(b"macOS")
    (folder / ".Actor_01").mkdir()
    table = serlab.load("ravdess")
    assert len(table) == 60
    assert table["path"][0].endswith("03-01-01-01-01-01-02.flac")


def test_no_folder_with_a_foreign_name_is_entered(copy, tmp_path, monkeypatch):
    copy("ravdess", "backup/ravdess", only=lambda path: path.parent.name == "Actor_02")
    entered = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: entered.append(str(folder)) or scandir(folder))
    assert corpora.find("ravdess") is None
    assert str(tmp_path) in entered
    assert not any("backup" in folder for folder in entered)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        *(("emodb", "EMO-DB"), ("cremad", "CREMA-D"), ("cremad", "Crema"), ("cremad", "crema_d-master")),
        *(("nemo", "nEMO-main"), ("emodb_first2s", "EmoDB_first2s")),
    ],
)
def test_other_usual_folder_names(copy, name, folder):
    copied = copy(
        name, folder, only=lambda path: path.stem[:3] in ("03a", "100", "EB0") or path.suffix == ".tsv"
    )
    assert corpora.find(name) == copied


def test_whole_speakers_may_be_left_out_and_the_title_says_so(copy):
    copy("nemo", only=lambda path: path.stem[:3] in ("EB0", "KS0") or path.suffix == ".tsv")
    table = serlab.load("nemo")
    assert table.attrs["title"] == "nEMO (2 of 9 speakers)"
    assert len(table) == 539 + 540


def test_clips_may_not_be_left_out(copy):
    folder = copy("ravdess")
    for stem in (
        "03-01-08-02-02-02-24",
        "03-01-08-02-02-01-24",
        "03-01-05-01-01-01-24",
        "03-01-02-01-01-01-24",
    ):
        (folder / "Actor_24" / f"{stem}.wav").unlink()
    with pytest.raises(CorpusError) as caught:
        serlab.load("ravdess")
    message = str(caught.value)
    assert (
        "4 clips are missing (03-01-02-01-01-01-24, 03-01-05-01-01-01-24, 03-01-08-02-02-01-24, …)" in message
    )
    assert 'serlab.validate("ravdess")' in message
    assert 'serlab.fetch("ravdess")' in message
    assert str(folder) in message


@pytest.mark.parametrize("content", ["official", "converted"])
def test_a_misnamed_clip_is_to_be_renamed_rather_than_fetched_again(copy, monkeypatch, content):
    folder = copy("cremad", only=lambda path: path.name.startswith("1040"))
    right, wrong = (folder / "AudioWAV" / f"1040_ITH_SAD_{end}.wav" for end in ("XX", "X"))
    right.rename(wrong)
    (folder / "AudioWAV" / "1040_notes.wav").write_bytes(b"x")
    with pytest.raises(CorpusError) as caught:
        serlab.load("cremad")
    assert "1 clip is missing (1040_ITH_SAD_XX)" in str(caught.value)
    assert f"Rename {wrong} to 1040_ITH_SAD_XX.wav" in str(caught.value)
    assert "serlab.fetch" not in str(caught.value)
    if content == "official":
        # What it holds counts more than what it is called.
        record = corpora.record("cremad")
        fact = corpora.file_digest(wrong), wrong.stat().st_size
        monkeypatch.setitem(record.manifest, "1040_ITH_SAD_XX.wav", fact)
        wrong = wrong.rename(wrong.with_name("unnamed.wav"))
    report = serlab.validate("cremad")
    told = report.problems.query("kind in ['misnamed', 'missing']")
    assert told[["kind", "clip", "path", "fault"]].values.tolist() == [
        ["misnamed", "1040_ITH_SAD_XX", str(wrong), True]
    ]
    assert f"{wrong.name} seems to be 1040_ITH_SAD_XX.wav" in str(report)
    assert report.problems.query("kind == 'extra'")["clip"].tolist() == ["1040_notes"]
    wrong.rename(right)
    assert len(serlab.load("cremad")) == 82


def test_a_strange_name_that_could_mean_several_clips_means_none(copy):
    folder = copy("cremad", only=lambda path: path.name.startswith("1040"))
    for emotion in ("SAD", "ANG"):
        (folder / "AudioWAV" / f"1040_ITH_{emotion}_XX.wav").unlink()
    write(folder / "AudioWAV" / "1040_ITH.wav", seed=1)
    with pytest.raises(CorpusError) as caught:
        serlab.load("cremad")
    assert "2 clips are missing" in str(caught.value)
    assert "Rename" not in str(caught.value)
    (folder / "AudioWAV" / "1040_ITH.wav").rename(folder / "AudioWAV" / "1040-ith-ang-xx (1).wav")
    with pytest.raises(CorpusError, match=r"missing \(1040_ITH_ANG_XX, .*\(1\)\.wav to 1040_ITH_ANG_XX\.wav"):
        serlab.load("cremad")


def test_a_clip_of_nemo_that_only_its_own_table_knows_may_not_be_left_out(copy):
    folder = copy("nemo")
    (folder / "samples" / "WR0_neutral_7.wav").unlink()
    with pytest.raises(CorpusError, match=r"1 clip is missing \(WR0_neutral_7\)"):
        serlab.load("nemo")


def test_nemo_needs_its_table(copy):
    folder = copy("nemo")
    table = folder / "data.tsv"
    table.unlink()
    with pytest.raises(CorpusError, match=r"no data\.tsv in .*nemo"):
        serlab.load("nemo")
    table.write_text("a\tb\n1\t2\n")
    with pytest.raises(CorpusError, match="lacks the columns file_id and speaker_id"):
        serlab.load("nemo")
    table.write_text(nemo_table(s for s in nemo_stems() if s != "EB0_anger_4"), encoding="utf-8")
    with pytest.raises(CorpusError, match="lists 538 of the 539 clips of EB0"):
        serlab.load("nemo")
    table.write_text(nemo_table(s for s in nemo_stems() if s != "WR0_neutral_7"), encoding="utf-8")
    with pytest.raises(CorpusError, match="lists 4480 of the 4481 clips of all speakers"):
        serlab.load("nemo")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text.encode().replace(b"Tak.", b"Zo\xeb", 3), "line 2: byte 0xeb is not UTF-8"),
        (lambda text: text.replace("\ttak\t", "\t", 1).encode(), "line 2: fewer fields than the header has"),
        (
            lambda text: text.replace("\tTak.", '\t"Tak.', 1).encode(),
            "line 2: .* a quote that opens here is not closed",
        ),
        (lambda text: text.encode("utf-16-le"), "line 1: holds a zero byte"),
    ],
)
def test_a_damaged_table_of_nemo_is_told_with_its_line(copy, damage, says):
    folder = copy("nemo", only=lambda path: path.stem[:3] == "EB0" or path.suffix == ".tsv")
    (folder / "data.tsv").unlink()
    (folder / "data.tsv").write_bytes(damage(nemo_table(nemo_stems())))
    with pytest.raises(CorpusError, match=says):
        serlab.load("nemo")
    assert re.search(says, str(serlab.validate("nemo")))


def test_a_link_that_leads_back_to_itself_hides_no_corpus(copy):
    folder = copy("nemo", only=lambda path: path.stem[:3] == "EB0" or path.suffix == ".tsv")
    for place in (folder, folder.parent, folder / "samples"):
        (place / "loop").symlink_to("loop")
    assert len(serlab.load("nemo")) == 539


def test_counts_are_asserted_even_where_every_listed_clip_is_there(copy):
    folder = copy("nemo")
    # As many clips, but one of another class.
    (folder / "samples" / "WR0_neutral_7.wav").rename(folder / "samples" / "WR0_anger_1.wav")
    stems = [("WR0_anger_1" if stem == "WR0_neutral_7" else stem) for stem in nemo_stems()]
    (folder / "data.tsv").unlink()
    (folder / "data.tsv").write_text(nemo_table(stems), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"neutral 809.*this copy has 4481 \(neutral 808"):
        serlab.load("nemo")


def test_versions_of_emodb_are_not_mixed_up(copy):
    folder = copy("emodb2", "emodb")
    with pytest.raises(CorpusError, match=r"816 clips.*Use the name \"emodb2\""):
        serlab.load("emodb")
    assert serlab.load("emodb2").attrs["title"] == "EmoDB 2"
    shutil.rmtree(folder)
    copy("emodb")
    with pytest.raises(CorpusError, match=r"not of version 2 \(816\)\. Use the name \"emodb\""):
        serlab.load("emodb2")
    assert len(serlab.load("emodb")) == 535


def test_each_version_of_emodb_is_found_beside_the_others(copy):
    for name in ("emodb", "emodb2", "emodb_first2s"):
        copy(name)
    for name in ("emodb", "emodb2", "emodb_first2s"):
        assert corpora.find(name).name == name
        assert serlab.load(name).attrs["corpus"] == name


def test_cut_clips_are_never_taken_for_emodb(copy, tmp_path, monkeypatch):
    cut = copy("emodb_first2s")
    monkeypatch.setenv("SERLAB_DATA", str(cut))
    assert corpora.find("emodb") is None
    assert corpora.find("emodb_first2s") == cut
    cut.rename(tmp_path / "emodb")
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match=r"No clip .* is longer than 2 s.*emodb_first2s"):
        serlab.load("emodb")


def test_whole_clips_are_never_taken_for_cut_ones(copy):
    copy("emodb", "emodb_first2s")
    with pytest.raises(CorpusError, match=r"lasts 2\.50 s: these are whole clips"):
        serlab.load("emodb_first2s")


LISTENERS = (
    "Nr.\tSatz\terkannt\tnatuerlich\n"
    "1\xa0\xa0\t03a01Fa.wav\t90,00\xa0\t75,50\xa0\n2\xa0\t03a01Ab.wav\t65,00\t35,00\n\n"
)


def test_listeners_rates_are_read(tmp_path):
    (tmp_path / "erkennung.txt").write_text(LISTENERS, encoding="iso-8859-1")
    found = emodb.recognition(tmp_path)
    assert found.index.tolist() == ["03a01Ab", "03a01Fa"]
    assert found.loc["03a01Fa"].to_dict() == {"recognised": 0.9, "natural": 0.755}


@pytest.mark.parametrize(
    "line", ["3\t03a01Fa.wav\t90.0.0\t75", "3\t03a01Fa.wav\t90,0", "nothing of the kind"]
)
def test_lines_of_the_listeners_rates_that_cannot_be_read_are_named(tmp_path, line):
    (tmp_path / "erkennung.txt").write_text(LISTENERS + line, encoding="iso-8859-1")
    with pytest.raises(
        CorpusError, match=r"erkennung\.txt, line 5: .* is not a number, a clip and two shares"
    ):
        emodb.recognition(tmp_path)


def test_missing_listeners_rates_are_explained(tmp_path):
    with pytest.raises(CorpusError, match=r"erkennung\.txt is not there: .*beside the folder wav"):
        emodb.recognition(tmp_path)


def test_lengths_of_whole_clips_come_from_the_manifest():
    seconds = emodb.whole_seconds()
    assert set(seconds.index) == set(corpora.record("emodb").official)
    assert seconds.between(1.2, 9).all()
    assert (seconds > 2).sum() == 409, "as many clips are cut in the copy of two seconds"


@pytest.mark.real
def test_listeners_rates_of_the_clips_at_hand():
    table = real_corpus("emodb_first2s")
    rates = emodb.recognition(corpora.find("emodb_first2s")).loc[table["clip"]]
    assert rates["recognised"].min() >= 0.8, "the usual version holds what most recognised"
    whole = emodb.whole_seconds()[table["clip"]].to_numpy()
    np.testing.assert_allclose(table["duration"], np.minimum(whole, 2.0), atol=0.002)


def test_doubled_ravdess_is_used_once_with_a_warning(copy):
    folder = copy("ravdess", "kaggle/ravdess")
    copy("ravdess", "kaggle/ravdess/audio_speech_actors_01-24")
    os.environ["SERLAB_DATA"] = str(folder.parent)  # undone by the fixture's monkeypatch
    with pytest.warns(UserWarning, match="1440 clips lie twice"):
        assert len(serlab.load("ravdess")) == 1440
    clip = folder / "Actor_01" / "03-01-01-01-01-01-01.wav"
    clip.unlink()
    write(clip, seed=-1 % 2**32)
    with pytest.raises(CorpusError, match="have one name but not the same content"):
        serlab.load("ravdess")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a git-lfs pointer"),
        (b"<html>404</html>", "holds a web page, not sound"),
    ],
)
def test_unreadable_clips_are_named(copy, content, says):
    folder = copy("ravdess", only=lambda path: path.parent.name == "Actor_03")
    for repetition in ("01", "02"):
        clip = folder / "Actor_03" / f"03-01-01-01-01-{repetition}-03.wav"
        clip.unlink()
        clip.write_bytes(content)
    with pytest.raises(CorpusError, match=says) as caught:
        serlab.load("ravdess")
    assert "03-01-01-01-01-01-03.wav" in str(caught.value)
    assert "(1 more file cannot be read.)" in str(caught.value)
    assert 'serlab.validate("ravdess")' in str(caught.value)


def test_a_corpus_that_is_not_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    monkeypatch.delenv("SERLAB_CORPUS", raising=False)
    assert corpora.find("ravdess") is None
    with pytest.raises(CorpusError, match=r"not found in .*serlab\.fetch\(\"ravdess\"\).*SERLAB_DATA"):
        serlab.load("ravdess")
    with pytest.raises(CorpusError, match="no official copy"):
        serlab.load("emodb_first2s")
    (tmp_path / "ravdess").mkdir()
    with pytest.raises(CorpusError, match="is there but holds no clip of it"):
        serlab.load("ravdess")
    assert serlab.default_corpus("ravdess") == "demo"
    assert 'serlab.fetch("ravdess")' in capsys.readouterr().out


def test_choose_prefers_the_setting_then_the_corpus_of_the_chapter(copy, monkeypatch, capsys):
    monkeypatch.delenv("SERLAB_CORPUS", raising=False)
    copy("emodb")
    assert serlab.default_corpus("emodb") == "emodb"
    assert serlab.default_corpus("demo") == "demo"
    monkeypatch.setenv("SERLAB_CORPUS", "/my/folder")
    assert serlab.default_corpus("emodb") == "/my/folder"
    assert capsys.readouterr().out == ""


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(CorpusError, match="Did you mean 'ravdess'"):
        serlab.load("Ravdes")
    with pytest.raises(CorpusError, match="Corpora: ravdess, emodb"):
        corpora.record("xyzzy")
    with pytest.raises(CorpusError, match="There is no folder"):
        serlab.load("./no/such/folder")
    with pytest.raises(CorpusError, match=r"s3://clips/mine is an address, not a folder\. Download"):
        serlab.load("s3://clips/mine")


def test_an_official_corpus_given_by_path_is_named(copy):
    folder = copy("nemo")
    with pytest.raises(CorpusError, match='set SERLAB_DATA to that folder and use the name "nemo"'):
        serlab.load(folder)
    with pytest.raises(CorpusError, match='use the name "nemo"'):
        serlab.validate(folder / "samples")
    folder = copy("emodb_first2s")
    for place in (folder, folder / "wav"):
        with pytest.raises(CorpusError, match='use the name "emodb_first2s"'):
            serlab.load(place)


@pytest.mark.parametrize("name", [*OFFICIAL, "demo"])
def test_every_record_describes_itself(name, monkeypatch, tmp_path):
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    record = corpora.record(name)
    assert record.title
    assert record.licence in corpora.license(name)
    assert set(record.classes) <= set(corpora.EMOTIONS)
    if name != "demo":
        assert corpora.cite(name).startswith("@")
        assert record.citation_key in corpora.cite(name).splitlines()[0]
        assert record.licence_url in corpora.license(name)
        assert record.licence_source
        assert record.remotes or record.source


@pytest.mark.parametrize("name", corpora.names())
def test_every_record_agrees_with_itself(name):
    record = corpora.record(name)
    assert record.name == name
    assert sum(record.classes.values()) == record.clips
    assert set(record.classes) <= set(corpora.EMOTIONS)
    assert len(set(record.speakers)) == len(record.speakers)
    for tested in record.folds.values():
        assert {speaker for fold in tested for speaker in fold} <= set(record.speakers)
    if record.official:
        facts = [record.parse(clip) for clip in record.official]
        assert Counter(fact["emotion"] for fact in facts) == Counter(record.classes)
        assert {fact["speaker"] for fact in facts} == set(record.speakers)
    else:
        assert record.expected is not None or name == "demo"


def test_a_record_that_cannot_tell_what_is_missing_is_refused(copy):
    folder = copy("nemo", only=lambda path: path.stem.startswith("EB0_anger"))
    with pytest.raises(CorpusError, match="neither manifest= nor expected="):
        official.load(replace(corpora.record("nemo"), expected=None))
    assert folder.exists()


def test_a_record_without_a_pattern_is_found_under_its_name(copy):
    folder = copy("nemo")
    plain = replace(corpora.record("nemo"), folder="", inner="", source="")
    assert list(locate.candidates(plain)) == [folder]
    assert official.how_to_get(replace(plain, remotes=())).startswith(
        "Get it from https://github.com/amu-cai"
    )


def test_remotes_have_what_a_download_needs():
    assert {r.filename for r in corpora.record("ravdess").remotes} == {"Audio_Speech_Actors_01-24.zip"}
    cremad = corpora.record("cremad").remotes
    assert len(cremad) == 7442
    assert all(
        r.checksum.startswith("sha256:") and r.size and r.filename.startswith("AudioWAV/") for r in cremad
    )


def test_content_hash_changes_with_bytes_only(copy, tmp_path):
    folder = copy("emodb_first2s")
    table = serlab.load("emodb_first2s")
    lines = sorted(
        f"{clip}\t{hashlib.sha256(Path(path).read_bytes()).hexdigest()}\n"
        for clip, path in zip(table["clip"], table["path"], strict=True)
    )
    before = corpora.content_hash(table)
    assert before == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert corpora.content_hash(table.sample(frac=1, random_state=0)) == before
    folder.rename(tmp_path / "EmoDB-first-2s")
    moved = serlab.load("emodb_first2s")
    assert corpora.content_hash(moved) == before
    clip = tmp_path / "EmoDB-first-2s" / "wav" / "03a01Fa.wav"
    clip.unlink()
    write(clip, seed=9999)
    assert corpora.content_hash(moved) != before


def test_demo_has_the_same_columns(demo):
    assert tuple(demo.columns) == corpora.COLUMNS
    assert demo.attrs["corpus"] == "demo"
    assert demo["arousal"].notna().any()


def test_data_folders_that_cannot_be_read_are_passed_over(monkeypatch, tmp_path):
    monkeypatch.setenv("SERLAB_DATA", os.pathsep.join([str(tmp_path / "gone"), __file__]))
    assert list(locate.candidates(corpora.record("nemo"))) == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "title"), [("ravdess", "RAVDESS"), ("nemo", None), ("emodb_first2s", "EmoDB (first 2 s)")]
)
def test_real_corpora_load(name, title):
    table = real_corpus(name)
    record = corpora.record(name)
    assert table.attrs["title"] == title or title is None
    assert set(table["speaker"]) <= set(record.speakers)
    assert table["duration"].between(0.3, 15).all()
    whole = table["speaker"].nunique() == len(record.speakers)
    assert table.attrs["title"] == record.title if whole else "speakers)" in table.attrs["title"]

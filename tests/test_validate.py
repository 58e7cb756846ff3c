"""What the report on a damaged copy says."""

from __future__ import annotations

import io
import os
import shutil
import struct

import numpy as np
import pytest
import soundfile as sf
from test_sound_files import ENCODED, encoded, speech

import serlab
from serlab import corpora
from serlab.corpora.validate import FINDINGS
from serlab.errors import CorpusError

ACTOR = "ravdess/Actor_07"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Give a data folder with one actor of RAVDESS, the flaw of actor 07 included."""
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    folder = tmp_path / ACTOR
    folder.mkdir(parents=True)
    stems = [stem for stem in corpora.record("ravdess").official if stem.endswith("-07")]
    for seed, stem in enumerate(stems):
        sf.write(folder / f"{stem}.wav", noise(seed), 8000)
    shutil.copy(folder / "03-01-03-01-02-01-07.wav", folder / "03-01-03-01-02-02-07.wav")
    return tmp_path


def noise(seed, samples=800, channels=1):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels))


def clip(data, emotion="05"):
    return data / ACTOR / f"03-01-{emotion}-01-01-01-07.wav"


def findings(report):
    return {
        (row.kind, row.clip)
        for row in report.problems.itertuples()
        if row.kind not in ("partial", "converted", "known")
    }


def test_a_sound_copy_has_no_faults(data):
    report = serlab.validate("ravdess")
    assert report.ok
    assert report.clips == 60
    assert findings(report) == set()
    assert not report.problems["fault"].any()
    assert str(report).startswith(
        f"RAVDESS (1 of 24 speakers) in {data / 'ravdess'}: 60 clips read, no faults."
    )


def test_the_identical_pair_of_actor_07_is_known_and_no_fault(data):
    known = serlab.validate("ravdess").problems.query("kind == 'known'")
    assert known["clip"].tolist() == ["03-01-03-01-02-02-07"]
    assert "same sound as 03-01-03-01-02-01-07" in known["detail"].iloc[0]


def test_partial_copies_are_named(data):
    partial = serlab.validate("ravdess").problems.query("kind == 'partial'")
    assert "1 of 24 speakers; without 01, 02, 03, 04, 05, 06, …" in partial["detail"].iloc[0]


def test_every_kind_has_a_remedy_and_a_report(data):
    report = serlab.validate("ravdess")
    assert (report.problems["remedy"] == report.problems["kind"].map(FINDINGS["remedy"])).all()
    assert report._repr_html_().startswith("<pre>RAVDESS")


def test_missing_clips(data):
    clip(data).unlink()
    report = serlab.validate("ravdess")
    assert not report.ok
    assert findings(report) == {("missing", "03-01-05-01-01-01-07")}
    assert "1 fault.\nFaults:\n  missing (1): 03-01-05-01-01-01-07 is not there" in str(report)
    assert "serlab.fetch" in str(report)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"RIFF and then nothing of use", "corrupt"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "pointer"),
    ],
)
def test_files_without_sound(data, content, kind):
    clip(data).write_bytes(content)
    report = serlab.validate("ravdess")
    assert findings(report) == {(kind, "03-01-05-01-01-01-07")}
    assert not report.ok


def test_no_samples_and_silence_and_nan(data):
    sf.write(clip(data, "05"), np.zeros(0), 8000)
    sf.write(clip(data, "06"), np.full(800, 1 / 32768), 8000)
    sf.write(clip(data, "07"), np.r_[np.nan, noise(0)[:, 0]], 8000, subtype="FLOAT")
    report = serlab.validate("ravdess")
    assert findings(report) == {
        ("empty", "03-01-05-01-01-01-07"),
        ("silent", "03-01-06-01-01-01-07"),
        ("numbers", "03-01-07-01-01-01-07"),
    }


@pytest.mark.parametrize("keep", [0.3, 0.9])
@pytest.mark.parametrize(("suffix", "samples"), [(".wav", 800), (".flac", 800), (".flac", 80_000)])
def test_truncated_files(data, suffix, samples, keep):
    path = clip(data).with_suffix(suffix)
    clip(data).unlink()
    sf.write(path, noise(99, samples), 8000)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    report = serlab.validate("ravdess")
    assert findings(report) == {("truncated", "03-01-05-01-01-01-07")}


def test_lengths_that_a_pipe_leaves_open_are_a_note_and_chunks_before_the_sound_do_not_hide_it(data):
    path = clip(data)
    sound = path.read_bytes()[44:]
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    extra = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    body = b"WAVE" + form + extra + struct.pack("<4sI", b"data", 0xFFFFFFFF) + sound
    path.write_bytes(struct.pack("<4sI", b"RIFF", 0xFFFFFFFF) + body)
    report = serlab.validate("ravdess")
    assert report.ok
    assert findings(report) == {("unfinished", "03-01-05-01-01-01-07")}


def test_clips_with_the_same_sound(data):
    shutil.copy(clip(data, "05"), clip(data, "06"))
    # The same samples in another format, and with two equal channels, are the same sound, too.
    y, rate = sf.read(clip(data, "05"), always_2d=True)
    clip(data, "07").unlink()
    sf.write(clip(data, "07").with_suffix(".flac"), np.repeat(y, 2, axis=1), rate)
    report = serlab.validate("ravdess")
    assert findings(report) == {
        ("duplicate", "03-01-06-01-01-01-07"),
        ("duplicate", "03-01-07-01-01-01-07"),
        ("stereo", "03-01-07-01-01-01-07"),
    }


def test_stereo_files_are_worth_knowing_and_no_fault(data):
    sf.write(clip(data, "05"), noise(99, channels=2), 8000)
    sf.write(clip(data, "06"), np.repeat(noise(98), 2, axis=1), 8000)
    report = serlab.validate("ravdess")
    assert report.ok
    details = report.problems.query("kind == 'stereo'")["detail"].tolist()
    assert [detail.rpartition(", ")[2] for detail in details] == ["which differ", "all equal"]


def test_doubled_copies(data):
    shutil.copytree(data / "ravdess", data / "ravdess" / "audio_speech_actors_01-24")
    report = serlab.validate("ravdess")
    assert report.clips == 120
    assert {kind for kind, _ in findings(report)} == {"doubled"}
    assert len(findings(report)) == 60
    sf.write(clip(data), noise(99), 8000)
    assert ("conflict", "03-01-05-01-01-01-07") in findings(serlab.validate("ravdess"))


def test_other_files(data):
    folder = data / ACTOR
    for name in ("03-02-01-01-01-01-07.wav", "notes.flac", "._x.wav", "README.txt", "x.wav.part"):
        (folder / name).write_bytes(b"x")
    (data / "ravdess" / "Audio_Speech_Actors_01-24.zip").write_bytes(b"PK")
    report = serlab.validate("ravdess")
    assert report.ok
    assert findings(report) == {
        ("extra", "03-02-01-01-01-01-07"),
        ("extra", "notes"),
        ("leftover", "x.wav"),
        ("leftover", "Audio_Speech_Actors_01-24"),
    }


def official_bytes(data, monkeypatch):
    """Make the manifest be that of the generated files."""
    record = corpora.record("ravdess")
    known = {path.stem: corpora.file_digest(path) for path in (data / ACTOR).iterdir()}
    monkeypatch.setitem(record.__dict__, "official", {**record.official, **known})


def test_bytes_are_compared_where_the_copy_is_the_official_one(data, monkeypatch):
    assert "converted" in set(serlab.validate("ravdess").problems["kind"])
    official_bytes(data, monkeypatch)
    assert "converted" not in set(serlab.validate("ravdess").problems["kind"])
    sf.write(clip(data), noise(99), 8000)
    assert findings(serlab.validate("ravdess")) == {("changed", "03-01-05-01-01-01-07")}


def emodb(data, name, folder, seconds):
    for seed, path in enumerate(corpora.record(name).manifest):
        (data / folder / "wav").mkdir(parents=True, exist_ok=True)
        sf.write(data / folder / "wav" / path, noise(seed, int(100 * seconds) if not seed else 80), 100)


def test_the_wrong_version_of_emodb_is_one_fault(data):
    emodb(data, "emodb2", "emodb", 2.5)
    report = serlab.validate("emodb")
    assert report.problems["kind"].tolist() == ["corpus"]
    assert 'Use the name "emodb2"' in str(report)


def test_what_load_refuses_is_a_fault(data):
    emodb(data, "emodb", "emodb", 1.5)
    report = serlab.validate("emodb")
    assert not report.ok
    assert "these are beginnings of EmoDB's clips" in str(report)


def test_clips_of_another_version_are_extra(data):
    emodb(data, "emodb", "emodb_first2s", 1.5)
    sf.write(data / "emodb_first2s" / "wav" / "03a01Ab.wav", noise(7), 8000)
    assert findings(serlab.validate("emodb_first2s")) == {("extra", "03a01Ab")}


def test_the_silent_clip_of_cremad_is_known(data):
    for seed, path in enumerate(p for p in corpora.record("cremad").manifest if p.startswith("1076")):
        (data / "CREMA-D" / "AudioWAV").mkdir(parents=True, exist_ok=True)
        y = np.zeros(800) if path == "1076_MTI_SAD_XX.wav" else noise(seed, 800)
        sf.write(data / "CREMA-D" / "AudioWAV" / path, y, 8000)
    report = serlab.validate("cremad")
    assert report.ok
    assert report.problems.query("kind == 'known'")["clip"].tolist() == ["1076_MTI_SAD_XX"]


def test_a_table_of_nemo_that_lost_lines_is_a_fault(data):
    (data / "nemo" / "samples").mkdir(parents=True)
    sf.write(data / "nemo" / "samples" / "EB0_anger_1.wav", noise(0), 8000)
    (data / "nemo" / "data.tsv").write_text("file_id\tspeaker_id\nEB0_anger_1.wav\t EB0\n")
    report = serlab.validate("nemo")
    assert "lists 1 of the 539 clips of EB0" in str(report)


def test_nothing_to_look_at(data):
    with pytest.raises(CorpusError, match="nEMO was not found"):
        serlab.validate("nemo")
    with pytest.raises(CorpusError, match="There is no folder"):
        serlab.validate(data / "no")


def test_demo_is_sound(demo):
    assert serlab.validate("demo").ok


def test_a_folder_of_ones_own(data):
    folder = data / "mine"
    folder.mkdir()
    for seed, name in enumerate(("a", "b", "c")):
        sf.write(folder / f"{name}.wav", noise(seed), 8000)
    sf.write(folder / "c.wav", np.zeros(800), 8000)
    (folder / "metadata.csv").write_text("file,emotion,speaker\na,happy,x\nb,sad,\nc,sad,x\nd,sad,x\n")
    report = serlab.validate(folder)
    assert findings(report) == {("table", "b"), ("silent", "c"), ("missing", "d")}
    assert report.title == "mine"
    assert "metadata.csv, line 3: speaker is empty" in str(report)


def folder_of(data, **contents):
    """Write files and a table that lists them."""
    folder = data / "mine"
    folder.mkdir()
    for number, (name, content) in enumerate(contents.items()):
        if isinstance(content, bytes):
            (folder / f"{name}.wav").write_bytes(content)
        else:
            sf.write(folder / f"{name}.wav", content, 8000, subtype="FLOAT" if number % 2 else "PCM_16")
    lines = "".join(f"{name}.wav,sad,x\n" for name in contents)
    (folder / "metadata.csv").write_text("file,emotion,speaker\n" + lines)
    return folder


def test_whose_folder_it_is_is_told_what_can_be_done(data):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    damaged = {"empty": b"", "corrupt": b"RIFF", "foreign": b"<!DOCTYPE html><html>", "pointer": pointer}
    damaged |= {"silent": np.zeros(800), "truncated": sound("AU")[:3000]}
    folder = folder_of(data, good=noise(0, 4000), again=noise(0, 4000), lost=b"", **damaged)
    (folder / "lost.wav").unlink()
    (folder / "lost.wav").symlink_to("nowhere.wav")
    (folder / "session.zip").write_bytes(b"PK")
    (folder / "metadata.csv").write_text((folder / "metadata.csv").read_text() + "missing.wav,sad,x\n")
    report = serlab.validate(folder)
    assert {(kind, kind) for kind in (*damaged, "missing")} < findings(report)
    assert "-> add what is missing, or correct or remove its line of the table." in str(report)
    assert set(FINDINGS.query("again").index) == {*damaged, "missing", "changed"}
    every = [str(report), *report.problems["detail"], *FINDINGS["remedy"]]
    assert not any(word in text.lower() for text in every for word in ("delete", "fetch"))


def test_what_cannot_be_fetched_is_not_to_be_fetched(data):
    emodb(data, "emodb_first2s", "emodb_first2s", 1.5)
    next((data / "emodb_first2s" / "wav").iterdir()).unlink()
    report = serlab.validate("emodb_first2s")
    assert {kind for kind, _ in findings(report)} == {"missing"}
    assert "-> add what is missing.\n" in str(report)


def sound(form, seed=0, **options):
    file = io.BytesIO()
    sf.write(file, noise(seed, 4000), 8000, format=form, **options)
    return file.getvalue()


def test_what_features_refuse_is_reported(data):
    opposite = noise(1, 4000) * [1, -1]
    loud = np.clip(5 * noise(2, 4000), -1, 1)
    folder = folder_of(
        data,
        good=noise(0, 4000),
        shout=loud,
        brief=noise(3, 799),
        opposite=opposite,
        one=noise(4, 1),
        scaled=noise(5, 4000) * 32768,
        long=np.tile(noise(6), (3010, 1)),
        cut_au=sound("AU")[:3000],
        cut_mp3=sound("MP3", 1)[:-50],
        cut_ogg=sound("OGG", 2)[:-50],
        gsm=sound("AIFF", 3, subtype="GSM610"),
        g723=sound("AU", 4, subtype="G723_24"),
    )
    report = serlab.validate(folder)
    assert findings(report) == {
        ("clipped", "shout"),
        ("short", "brief"),
        ("stereo", "opposite"),
        ("opposite", "opposite"),
        ("short", "one"),
        ("scale", "scaled"),
        ("long", "long"),
        ("truncated", "cut_au"),
        ("truncated", "cut_mp3"),
        ("truncated", "cut_ogg"),
    } - {("stereo", "opposite")}
    assert not report.problems.set_index("clip").loc["shout", "fault"]
    assert ("long", "long") not in findings(serlab.validate(folder, max_seconds=400))
    with pytest.raises(CorpusError, match="is cut off"):
        serlab.load(folder)


@pytest.mark.skipif(os.name == "nt", reason="has no named pipes in folders")
def test_odd_things_are_reported_and_the_rest_is_read(data):
    folder = folder_of(data, good=noise(0, 4000), pipe=b"", zero=b"", loop=b"", other=noise(1, 4000))
    for name in ("pipe", "zero", "loop"):
        (folder / f"{name}.wav").unlink()
    os.mkfifo(folder / "pipe.wav")
    (folder / "zero.wav").symlink_to("/dev/zero")
    (folder / "loop.wav").symlink_to("loop.wav")
    with open(folder / "metadata.csv", "a") as file:
        file.write("x" * 300 + ".wav,sad,x\n")
    report = serlab.validate(folder)
    assert report.clips == 2
    assert findings(report) == {
        ("unopened", "pipe"),
        ("unopened", "zero"),
        ("unopened", "loop"),
        ("missing", "x" * 300),
    }
    assert "pipe.wav is a pipe, not a file." in str(report)
    (folder / "metadata.csv").write_text("file,emotion,speaker\ngood,sad,x\nother,sad,y\n")
    assert serlab.validate(folder).ok
    assert len(serlab.load(folder)) == 2


@pytest.mark.skipif(os.name == "nt", reason="has no named pipes in folders")
def test_a_pipe_in_place_of_a_clip_and_dead_links(data):
    clip(data).unlink()
    os.mkfifo(clip(data))
    (data / ACTOR / "lost.zip").symlink_to("nowhere.zip")
    report = serlab.validate("ravdess")
    assert findings(report) == {("unopened", "03-01-05-01-01-01-07"), ("leftover", "lost")}
    assert "is a pipe, not a file" in str(report)
    with pytest.raises(CorpusError, match="is a pipe, not a file"):
        serlab.load("ravdess")


def test_recordings_of_phones_are_loaded_and_checked(data):
    pytest.importorskip("av")
    contents = {
        name: encoded(*ENCODED[name], y=speech(seed=seed)) for seed, name in enumerate(("m4a", "webm"))
    }
    folder = folder_of(data, good=noise(0, 4000))
    for name, content in contents.items():
        (folder / f"a_{name}.{name}").write_bytes(content)
    (folder / "metadata.csv").write_text("file,emotion,speaker\ngood,sad,x\na_m4a,sad,x\na_webm.webm,sad,x\n")
    assert serlab.validate(folder).ok
    assert serlab.load(folder)["duration"].tolist() == pytest.approx([0.5, 0.5, 0.5], abs=0.15)
    (folder / "a_m4a.m4a").write_bytes(contents["m4a"][:-100])
    assert findings(serlab.validate(folder)) == {("truncated", "a_m4a")}


def test_long_lists_are_cut_in_print_only(data):
    for path in sorted((data / ACTOR).iterdir())[:9]:
        path.unlink()
    report = serlab.validate("ravdess")
    assert "and 6 more: see .problems" in str(report)
    assert len(report.problems.query("kind == 'missing'")) == 9


@pytest.mark.real
@pytest.mark.parametrize("name", ["ravdess", "nemo", "emodb_first2s"])
def test_real_corpora_are_sound(name):
    if corpora.find(name) is None:
        pytest.skip(f"{name} is not under SERLAB_DATA")
    report = serlab.validate(name)
    assert report.ok, str(report)
    known = report.problems.query("kind == 'known'")["clip"].tolist()
    assert known == (["03-01-03-01-02-02-07"] if name == "ravdess" else [])

"""Bring your own: a folder of recordings with a table."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile as sf

import serlab
from serlab.corpora import folder as folders
from serlab.errors import CorpusError


@pytest.fixture
def folder(tmp_path):
    """Give a folder with three recordings and no table."""
    for seed, name in enumerate(("a.wav", "b.flac", "sub/c.wav")):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, 800), 8000)
    return tmp_path / "mine"


def table(folder, text, name="metadata.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder


PLAIN = "file,emotion,speaker\na.wav,happy,Ada\nb.flac,sad,Bo\nsub/c.wav,neutral,Ada\n"


def test_a_plain_table(folder):
    t = serlab.load(table(folder, PLAIN))
    assert tuple(t.columns) == serlab.corpora.COLUMNS
    assert t["clip"].tolist() == ["a", "b", "c"]
    assert t["path"][2] == str(folder / "sub" / "c.wav")
    assert t["emotion"].tolist() == ["happy", "sad", "neutral"]
    assert t["speaker"].tolist() == ["Ada", "Bo", "Ada"]
    assert t["gender"].isna().all()
    assert t["duration"].tolist() == pytest.approx([0.1] * 3)
    assert t["valence"].tolist() == [1, -1, 0]
    assert t.attrs == {"corpus": "mine", "title": "mine"}


@pytest.mark.parametrize("header", ["path", "filename", "File_Name", " CLIP ", "file_id"])
@pytest.mark.parametrize(("label", "who"), [("label", "actor"), ("Emotion", "Speaker_ID")])
def test_other_headers(folder, header, label, who):
    t = serlab.load(table(folder, f"{header},{label},{who}\na,happy,  Ada \n"))
    assert t.loc[0, ["clip", "emotion", "speaker"]].tolist() == ["a", "happy", "Ada"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(folder, encoding, separator):
    rows = [("file", "emotion", "speaker", "text"), ("a.wav", "happy", "Zoë", '"Ja; so, ja"')]
    t = serlab.load(table(folder, "\r\n".join(separator.join(row) for row in rows), encoding=encoding))
    assert t.loc[0, ["speaker", "sentence"]].tolist() == ["Zoë", "Ja; so, ja"]


def test_optional_columns(folder):
    t = serlab.load(
        table(
            folder,
            "file;emotion;speaker;sex;intensity;sentence;language;valence;arousal\n"
            "a;happy;1;F;strong;7;Danish;0,5;-1\n"
            "b;happy;1;Male;;;;;\n",
        )
    )
    first, second = t.to_dict("records")
    assert first["gender"] == "female"
    assert first["intensity"] == "strong"
    assert first["sentence"] == "7"
    assert first["language"] == "Danish"
    assert (first["valence"], first["arousal"]) == (0.5, -1)
    assert second["gender"] == "male"
    assert second["language"] is None
    assert (second["valence"], second["arousal"]) == (1, 1)


def test_usual_words_for_emotions_become_ours(folder):
    words = {"Anger": "angry", "JOY": "happy", "fear": "fearful", "sadness": "sad", "surprise": "surprised"}
    words |= {"boredom": "bored", "disgusted": "disgust"}
    for word, emotion in words.items():
        assert serlab.load(table(folder, f"file,emotion,speaker\na,{word},x\n"))["emotion"][0] == emotion


def test_own_labels_are_kept_and_named(folder):
    with pytest.warns(UserWarning, match="amused, contempt are not among serlab's emotions"):
        t = serlab.load(table(folder, "file,emotion,speaker\na,contempt,x\nb,amused,x\n"))
    assert t["emotion"].tolist() == ["contempt", "amused"]
    assert t.attrs["own_labels"] == ["amused", "contempt"]
    assert all(math.isnan(value) for value in t["valence"])


def test_windows_paths_extensions_and_empty_lines(folder):
    t = serlab.load(table(folder, "file,emotion,speaker\nsub\\c.mp3,happy,x\n,,\nb,sad,x\n"))
    assert t["clip"].tolist() == ["b", "c"]


def test_equal_stems_in_two_folders_are_told_apart(folder):
    sf.write(folder / "sub" / "a.wav", np.zeros(80), 8000)
    t = serlab.load(table(folder, "file,emotion,speaker\na.wav,happy,x\nsub/a.wav,sad,x\nb,sad,x\n"))
    assert t["clip"].tolist() == ["a.wav", "b", "sub/a.wav"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"metadata\.csv is empty"),
        ("file,emotion,speaker\n", "has a header but no rows"),
        (
            "name,emotion,speaker\na,happy,x\n",
            r"lacks the column file \(or path, filename.*Its header is: name, emotion, speaker",
        ),
        ("file\na\n", r"lacks the columns emotion \(or label\); speaker \(or speaker_id, actor\)"),
        (
            "file,emotion,speaker\na,happy,x\ngone.wav,sad,x\n",
            r"metadata\.csv, line 3: there is no recording .*gone",
        ),
        ("file,emotion,speaker\na,happy,x\na.wav,sad,x\n", r"line 3: .*a\.wav is already in line 2"),
        ("file,emotion,speaker\na,happy,\n", "line 2: speaker is empty"),
        ("file,label,speaker\na,,x\n", "line 2: label is empty"),
        ("file,emotion,speaker\n,happy,x\n", "line 2: file is empty"),
        ("file,emotion,speaker\na,happy,x,Hello, you\n", "line 2: more fields than the header has"),
        ("file,emotion,speaker,valence\na,happy,x,high\n", "line 2: valence 'high' is not a number"),
        ("file,emotion,speaker,arousal\na,happy,x,4\n", "line 2: arousal 4 is not within -1 to 1"),
    ],
)
def test_bad_tables_are_answered_with_file_and_line(folder, text, says):
    with pytest.raises(CorpusError, match=says):
        serlab.load(table(folder, text))


def test_several_faults_are_counted(folder):
    with pytest.raises(CorpusError, match=r"\(1 more row has a fault\).*serlab\.validate"):
        serlab.load(table(folder, "file,emotion,speaker\nx,happy,x\ny,happy,x\n"))


def test_a_name_without_extension_may_not_be_two_files(folder):
    sf.write(folder / "a.flac", np.zeros(80), 8000)
    with pytest.raises(CorpusError, match=r"a may be a\.flac or a\.wav: give the extension"):
        serlab.load(table(folder, "file,emotion,speaker\na,happy,x\n"))


def test_which_table(folder):
    with pytest.raises(CorpusError, match=r"has no CSV or TSV table\. Put a metadata\.csv there"):
        serlab.load(folder)
    table(folder, PLAIN, "labels.tsv")
    assert len(serlab.load(folder)) == 3
    table(folder, PLAIN, "splits.csv")
    with pytest.raises(CorpusError, match=r"has 2 tables \(labels\.tsv, splits\.csv\)"):
        serlab.load(folder)
    assert len(serlab.load(folder / "splits.csv")) == 3
    assert len(serlab.load(str(table(folder, PLAIN)))) == 3


def test_a_broken_recording_is_named(folder):
    (folder / "a.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"a\.wav is empty \(0 bytes\)"):
        serlab.load(table(folder, PLAIN))


def test_spellings_do_not_contradict_each_other():
    words = [word for emotion, others in folders.SPELLINGS.items() for word in (emotion, *others)]
    assert len(words) == len(set(words))
    assert set(folders.SPELLINGS) == set(serlab.corpora.EMOTIONS)

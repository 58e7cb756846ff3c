"""Bring your own: a folder of recordings with a table."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import serlab
from serlab.corpora import folder as folders
from serlab.corpora import sheet, words
from serlab.corpora.table import build
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


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(folder, separator):
    rows = [("file", "emotion", "speaker", "text"), ("a.wav", "happy", "Zoë", '"Ja; so, ja"')]
    t = serlab.load(table(folder, "\r\n".join(separator.join(row) for row in rows)))
    assert t.loc[0, ["speaker", "sentence"]].tolist() == ["Zoë", "Ja; so, ja"]


def test_optional_columns(folder):
    t = serlab.load(
        table(
            folder,
            "file;emotion;speaker;sex;intensity;sentence;language;valence;arousal\n"
            "a;happy;1;F;strong;7;Danish;0,5;-1\n"
            "b;happy;2;Male;;;;;\n",
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
    assert math.isnan(second["valence"])
    assert math.isnan(second["arousal"])


def test_a_blank_rating_is_none_and_an_axis_without_a_column_is_that_of_the_labels(folder):
    t = serlab.load(
        table(folder, "file,emotion,speaker,arousal\na,happy,x,-0.2\nb,sad,x,\nsub/c,angry,x,0.3\n")
    )
    assert t["arousal"].tolist() == pytest.approx([-0.2, math.nan, 0.3], nan_ok=True)
    assert t["valence"].tolist() == [1, -1, -1]


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


def refused(folder, text, encoding="utf-8", **settings):
    """Return the message with which a table is refused, by `serlab.load` and by `serlab.validate` alike."""
    with pytest.raises(CorpusError) as caught:
        serlab.load(table(folder, text, encoding=encoding), **settings)
    said = str(caught.value)
    try:
        report = serlab.validate(folder, **settings)
    except CorpusError as error:
        return said if str(error) == said else f"validate says instead: {error}"
    assert not report.ok
    for detail in report.problems.query("fault")["detail"].head(5):
        assert re.search(r"line \d+:", detail)[0] in said
    return said


# What is read rightly


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_ends_of_lines(folder, encoding, end):
    mark = "\ufeff" if encoding[-2:] in ("le", "be") else ""
    t = serlab.load(table(folder, f"{mark}file,emotion,speaker{end}a,happy,Žižka{end}", encoding=encoding))
    assert t.loc[0, ["clip", "speaker"]].tolist() == ["a", "Žižka"]


def test_a_text_may_have_several_lines(folder):
    text = 'file,emotion,speaker,text\na,happy,x,"One.\nTwo."\nb,sad\nsub/c,sad,x,Three.\n'
    assert "metadata.csv, line 4: fewer fields than the header has (2, not 4)" in refused(folder, text)
    t = serlab.load(table(folder, text.replace("b,sad\n", "")))
    assert t["sentence"].tolist() == ["One.\nTwo.", "Three."]


def test_what_reads_like_a_missing_value_is_a_name_of_a_speaker_and_that_is_said(folder):
    with pytest.warns(UserWarning, match=r"line 2: speaker 'NA' \(2 rows\) is taken for a name"):
        t = serlab.load(table(folder, "file,emotion,speaker,sex\na,happy,NA,nan\nb,sad,NA,F\n"))
    assert t["speaker"].tolist() == ["NA", "NA"]
    assert t["gender"].tolist() == [None, "female"]
    notes = serlab.validate(folder).problems.query("kind == 'name'")
    assert notes["fault"].tolist() == [False]
    assert "line 2" in notes["detail"].iloc[0]


@pytest.mark.parametrize(
    "word",
    ["pleasant surprise", "ps", "Pleasant_Surprise", "PS ", "pleasantly surprised", "sur", "Überraschung"],
)
def test_surprise_has_many_names(folder, word):
    assert serlab.load(table(folder, f"file,emotion,speaker\na,{word},x\n"))["emotion"][0] == "surprised"


@pytest.mark.parametrize(
    ("corpus", "labels"),
    {
        "SAVEE": {"sa": "sad", "su": "surprised"},
        "TESS": {"fear": "fearful", "disgust": "disgust", "ps": "surprised", "neutral": "neutral"},
        "CREMA-D": {"ANG": "angry", "DIS": "disgust", "FEA": "fearful", "HAP": "happy", "NEU": "neutral"},
        "IEMOCAP": {"exc": "excited", "fru": "frustrated", "hap": "happy", "cal": "calm", "sur": "surprised"},
        "MELD": {"joy": "happy", "anger": "angry", "sadness": "sad", "surprise": "surprised"},
        "EmoDB": {"Ärger": "angry", "A\u0308rger": "angry", "Wut": "angry", "LANGEWEILE": "bored"},
        "EMOVO": {"gio": "happy", "tri": "sad", "rab": "angry", "pau": "fearful", "sor": "surprised"},
        "ESD": {"Angry": "angry", "生气": "angry", "快乐": "happy", "中立": "neutral"},
    }.items(),
)
def test_labels_of_well_known_corpora(corpus, labels):
    assert {label: words.to_emotion(label) for label in labels} == labels


def test_labels_that_are_no_words_can_be_given_a_meaning(folder):
    text = "file,emotion,speaker\na,01,x\nb,W,x\nsub/c,NA,x\n"
    meanings = {"01": "neutral", "W": "anger", "NA": "unsure"}
    with pytest.warns(UserWarning, match="unsure are not among"):
        t = serlab.load(table(folder, text), labels=meanings)
    assert t["emotion"].tolist() == ["neutral", "angry", "unsure"]
    assert serlab.validate(folder, labels=meanings).ok
    assert "No row of" in refused(folder, text, labels={**meanings, "02": "calm"})
    assert "no emotion: give a word" in refused(folder, text, labels={**meanings, "W": "w"})
    with pytest.raises(CorpusError, match="labels= is for a folder of your own"):
        serlab.load("demo", labels={"01": "neutral"})


@pytest.mark.filterwarnings("ignore:.*are not among serlab's emotions")
def test_different_words_that_become_one_emotion_are_told_and_can_be_kept_apart(folder):
    text = "file,emotion,speaker\na,fear,x\nb,anxiety,x\nsub/c,Fearful,x\n"
    with pytest.warns(UserWarning, match=r"line 3: read as fearful: 'fear' and 'anxiety'.*\{'anxiety': 'a"):
        assert set(serlab.load(table(folder, text))["emotion"]) == {"fearful"}
    assert serlab.validate(folder).problems[["kind", "fault"]].values.tolist() == [["name", False]]
    for word, emotion in {"anxious": "anxious", "anxiety": "anxiety", "Fearful": "fearful"}.items():
        t = serlab.load(folder, labels={"anxiety": word})
        assert t["emotion"].tolist() == ["fearful", emotion, "fearful"]
        assert not len(serlab.validate(folder, labels={"anxiety": word}).problems)


@pytest.mark.filterwarnings("ignore:.*are not among serlab's emotions")
@pytest.mark.parametrize(("others", "told"), [("glad,trist", True), ("ang,oth", False), ("exc,ang", False)])
def test_a_code_among_foreign_words_may_be_one_of_them(folder, others, told):
    one, other = others.split(",")
    table(folder, f"file,emotion,speaker\na,sur,x\nb,{one},x\nsub/c,{other},x\n")
    details = serlab.validate(folder).problems["detail"].tolist()
    assert [detail.split(". ")[0] for detail in details] == [
        "metadata.csv, line 2: read as surprised: 'sur'"
    ] * told
    if told:
        assert serlab.load(folder, labels={"sur": "cross"})["emotion"][0] == "cross"


# What is refused, with its line


@pytest.mark.parametrize(
    "label", ["NA", "null", "None", "nan", "N/A", "01", "1.0", "-1", "W", "ж", "?", "xxx"]
)
def test_labels_that_are_no_words_are_refused(folder, label):
    said = refused(folder, f"file,emotion,speaker\na,happy,x\nb,{label},x\n")
    assert f"metadata.csv, line 3: emotion '{label}'" in said
    assert "labels={" in said


ALIKE = [
    *(("ada", "ADA"), ("1", "01"), ("1", "1.0"), ("01", "1.00"), ("s1", "S01"), ("sp 1", "sp1")),
    *(("Zo\u00eb", "Zoe\u0308"), ("Ada", "Ad\u200ba"), ("Ada B", "Ada  B"), ("Ada B", "Ada\u00a0B")),
    *(
        ("Ada_B", "Ada-B"),
        ("O'Hara", "O\u2019Hara"),
        ("Ada", "“Ada”"),
        ("Ada", "\uff21da"),
        ("Weiß", "WEISS"),
    ),
    *(
        ("Ada", "\u2060Ada"),
        ("①", "1"),
        ("speaker_001", "Speaker 1"),
        ("co\u00adop", "coop"),
        ("c01", "\u0441 1"),
    ),
]


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [("speaker", *pair) for pair in ALIKE] + [("emotion", *pair) for pair in ALIKE if pair[0].isalpha()],
)
def test_two_spellings_of_one_name_are_refused(folder, column, one, other):
    rows = [("a", "happy", "x"), ("b", "sad", "x"), ("sub/c", "sad", "x")]
    place = 2 if column == "speaker" else 1
    rows = [
        (*row[:place], name, *row[place + 1 :]) for row, name in zip(rows, (one, one, other), strict=True)
    ]
    said = refused(folder, "file,emotion,speaker\n" + "".join(",".join(row) + "\n" for row in rows))
    assert (
        f"metadata.csv, line 4: {column} {words.quote(other)} (1 row) is {words.quote(one)} of line 2 (2 r"
        in said
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("1-1", "11"), ("1", "10"), ("1.5", "1.05"), ("Ada", "Adam"), ("s1", "s11"), ("0", "00a")],
)
def test_different_names_stay_different(folder, one, other):
    assert serlab.load(table(folder, f"file,emotion,speaker\na,happy,{one}\nb,sad, {other}\n"))[
        "speaker"
    ].tolist() == [one, other]


@pytest.mark.parametrize(
    "header",
    ["file,emotion,speaker,emotion", "file,emotion,speaker,Emotion ", "file,emotion,speaker,\u200bemotion"],
)
def test_two_columns_of_one_name(folder, header):
    assert "metadata.csv, line 1: two columns are called 'emotion' and" in refused(
        folder, f"{header}\na,happy,x,sad\n"
    )
    assert "line 1: two columns are called 'note'" in refused(
        folder, "file,emotion,speaker,note,note\na,sad,x,,\n"
    )


def test_quotes_that_swallow_rows(folder):
    rows = [f"a{n}.wav,happy,Ada,Hello {n}" for n in range(48)]
    head = "file,emotion,speaker,text"
    never = [*rows[:7], 'a7.wav,happy,Ada,"Hello', *rows[8:]]
    assert "line 9: a quote that opens here is never closed" in refused(folder, "\n".join([head, *never]))
    for number, end in ((30, 'a30.wav,happy,Ada,Hello"'), (8, 'a8.wav,happy,Ada,"'), (8, 'a8.wav,sad",Bo,x')):
        late = [*never[:number], end, *never[number + 1 :]]
        said = refused(folder, "\n".join([head, *late]))
        assert f"line 9: a quote that opens here closes in line {number + 2} only" in said
    later = [*never[:30], 'a30.wav,happy,Ada,"Hello"', *never[31:]]
    assert "line 9: a quote that opens here closes in line 32, but not" in refused(
        folder, "\n".join([head, *later])
    )
    first = [head, '"a.wav,happy,Ada,x', *rows]
    assert "line 2: a quote that opens here is never closed" in refused(folder, "\n".join(first))


def test_a_name_with_several_lines(folder):
    said = refused(folder, 'file,emotion,speaker,text,note\na,happy,"Ada\nBo",x,x\n')
    assert r"line 2: speaker 'Ada\nBo' has several lines" in said


@pytest.mark.parametrize("encoding", ["latin-1", "cp1250", "shift-jis", "gb18030"])
def test_other_encodings_are_refused_with_the_first_line_that_shows_it(folder, encoding):
    name = {"shift-jis": "田中", "gb18030": "王"}.get(encoding, "Zoë")
    said = refused(folder, f"file,emotion,speaker\na,happy,Ada\r\nb,sad,{name}\n", encoding=encoding)
    assert "metadata.csv, line 3: byte 0x" in said
    assert '"CSV UTF-8"' in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PLAIN.encode("utf-16-le"), "line 1: holds a zero byte, as in UTF-16 without a byte order mark"),
        (PLAIN.encode("utf-16") + b"\n", "begins as UTF-16 but is none: it has an odd number of bytes"),
        (PLAIN.encode("utf-32"), "line 1: holds a zero byte"),
        (b"\xff\xfe" + b"\x00\xd8" * 4, "line 1: begins as UTF-16 but is none"),
        (PLAIN.encode() + b"\0", "line 5: holds a zero byte"),
        (PLAIN.encode("iso2022_jp") + "田".encode("iso2022_jp"), "line 5: holds the control character 0x1b"),
        (b"PK\x03\x04" + bytes(40), "is an Excel or OpenDocument workbook"),
        (b"\x1f\x8b\x08" + bytes(40), "is a gzip archive"),
        ((PLAIN + 'd,sad,"' + 140_000 * "x" + '"\n').encode(), "line 5: holds a field of more than 131072"),
        (PLAIN.replace("Bo", "B\ufffd").encode(), "line 3: speaker 'B\ufffd' lost letters"),
        (PLAIN.replace("Bo", "Zo\u00c3\u00ab").encode(), "line 3: speaker 'ZoÃ«' seems to be 'Zoë'"),
        (b"\n \n", "is empty"),
    ],
)
def test_what_is_no_table(folder, content, says):
    assert says in refused(folder, content.decode("latin-1"), encoding="latin-1")


def test_a_pipe_or_a_folder_in_place_of_a_table_is_refused_at_once(folder):
    os.mkfifo(folder / "metadata.csv")
    for place in (folder, folder / "metadata.csv"):
        with pytest.raises(CorpusError, match=r"metadata\.csv is a pipe, not a file"):
            serlab.load(place)
    (folder / "metadata.csv").unlink()
    (folder / "metadata.csv").symlink_to("metadata.csv")
    with pytest.raises(CorpusError, match=r"metadata\.csv is a link that leads back to itself"):
        serlab.load(folder)


@pytest.mark.parametrize(("there", "told"), [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("name", ["Zoë/Ü 1.wav", "Zoë/Ü 1", "Zoë\\Ü 1.wav"])
def test_names_in_another_unicode_form_are_found(folder, there, told, name):
    place = folder / unicodedata.normalize(there, "Zoë/Ü 1.wav")
    place.parent.mkdir()
    (folder / "a.wav").rename(place)
    text = f"file,emotion,speaker\n{unicodedata.normalize(told, name)},sad,x\n"
    assert serlab.load(table(folder, text))["path"].tolist() == [str(place)]


@pytest.mark.parametrize(
    ("name", "near"),
    [("A.WAV", "a.wav"), ("A", "a.wav"), ("Sub/c.wav", "sub"), ("sub/C", "c.wav"), ("d", "")],
)
def test_names_in_another_case_are_told(folder, name, near):
    if (folder / "A.WAV").exists():
        pytest.skip("names that differ in case are one here")
    (folder / "d.txt").touch()
    said = refused(folder, f"file,emotion,speaker\n{name},sad,x\n")
    assert f"there is no recording {folder / name}, under any extension" in said
    assert ("whose case differs" in said) == bool(near)
    assert f"but there is {near}, whose" in said or not near


def test_odd_things_in_a_folder_hide_nothing_else(folder):
    os.mkfifo(folder / "pipe.wav")
    (folder / "loop.wav").symlink_to("loop.wav")
    assert len(serlab.load(table(folder, PLAIN))) == 3
    said = refused(folder, PLAIN + "pipe.wav,sad,x\nloop,sad,x\nsub,sad,x\n")
    assert f"line 5: {folder / 'pipe.wav'} is a pipe, not a file" in said
    assert f"line 6: {folder / 'loop.wav'} is a link that leads back to itself" in said
    assert f"line 7: {folder / 'sub'} is a folder, not a file" in said


@pytest.mark.parametrize("name", ["x" * 300, "~nosuchuser/x", "a\0b/c"])
def test_folders_of_impossible_names(name):
    with pytest.raises(CorpusError, match="There is no"):
        serlab.load(name)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        *(("start,end", "0,3"), ("Start,End", "0 days 00:00:00,0 days 00:00:03.5"), ("onset,offset", "1.5,")),
        *(
            ("begin_time,end_time", "0.5,3"),
            ("startTime,stop", "00:01,00:02"),
            ("segment_start_ms,x", "250,"),
        ),
        *(("offset,duration", "0,2.5"), ("t_start,t_end", ",2"), ("xmin,xmax", "0,1"), ("from,to", "0,1.0")),
        *(("begin (s),dur", "0,1"), ("audio_start_ms,x", "250,"), ("first_sample,last_sample", "0,16000")),
    ],
)
def test_rows_that_mean_parts_of_files_are_refused(folder, header, values):
    said = refused(folder, f"file,{header},emotion,speaker\na,0,,happy,x\nb,{values},sad,x\n")
    assert "metadata.csv, line 3: the column " in said
    assert "serlab takes whole files" in said


def test_the_page_cuts_parts_out_and_stops_at_one_that_is_not_there(folder, monkeypatch):
    page = (Path(__file__).parents[1] / "book" / "how_to_use.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(from pathlib.*?)```", page, re.DOTALL)
    monkeypatch.chdir(folder)
    rows = "file,emotion,speaker,start,end\na.wav,happy,NA,0,0.025\na.wav,sad,01,0.05,{}\n"
    for end in ("0.2", "0.04", "0.05"):
        Path("parts.csv").write_text(rows.format(end))
        with pytest.raises(ValueError, match=r"parts.csv, line 3: no such part in 0.10 s of a.wav"):
            exec(code, {})
    Path("parts.csv").write_text(rows.format("0.1"))
    exec(code, {})
    with pytest.warns(UserWarning, match="'NA' .* is taken for a name"):
        t = serlab.load("cut/metadata.csv")
    assert t["duration"].tolist() == pytest.approx([0.025, 0.05])
    assert t["speaker"].tolist() == ["NA", "01"]


@pytest.mark.parametrize(
    ("header", "values"),
    [
        *(("start,end", "0 days 00:00:00,NaT"), ("start,end", "0,"), ("from,to", "YouTube,me")),
        *(("duration,note", "2.5,x"), ("tone,ending", "1,2"), ("end,start", "yes,no")),
    ],
)
def test_rows_that_mean_whole_files_may_say_so(folder, header, values):
    assert len(serlab.load(table(folder, f"file,{header},emotion,speaker\na,{values},happy,x\n"))) == 1


def test_no_two_clips_have_one_name(folder):
    for name in ("b.wav", "sub/b.wav", "b.wav.wav", "b.wav.wav.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        sf.write(folder / name, np.random.default_rng(len(name)).uniform(-0.5, 0.5, 80), 8000)
    rows = "b.wav,happy,x\nsub/b.wav,sad,x\nb.wav.wav,sad,x\nb.wav.wav.wav,sad,x\na,sad,x\n"
    t = serlab.load(table(folder, "file,emotion,speaker\n" + rows))
    assert t["clip"].is_unique
    assert {clip: Path(path).name for clip, path in zip(t["clip"], t["path"], strict=True)} == {
        "a": "a.wav",
        "b.wav": "b.wav",
        "sub/b.wav": "b.wav",
        "b.wav.wav": "b.wav.wav",
        "b.wav.wav.wav": "b.wav.wav.wav",
    }


def test_rows_of_one_clip_never_become_a_table(folder):
    row = {"clip": "a", "speaker": "x", "emotion": "sad", "language": None}
    rows = [{**row, "path": str(folder / name)} for name in ("a.wav", "b.flac")]
    with pytest.raises(CorpusError, match=r"a\.wav and .*b\.flac are one clip, a\. Look again"):
        build(rows, "mine", "mine", "Look again.")


def test_several_faults_are_told_with_their_lines(folder):
    rows = "".join(f"x{n},happy,x\n" for n in range(4)) + "a,NA,\nb,happy\nsub/c,sad,x\n"
    said = refused(folder, "file,emotion,speaker\n" + rows).splitlines()
    assert said[0].endswith("metadata.csv has 7 faults:")
    assert [line.split(":")[0] for line in said[1:6]] == [f"  line {n}" for n in (2, 3, 4, 5, 6)]
    assert said[6].startswith("  and 2 more. Run serlab.validate")
    assert len(serlab.validate(folder).problems.query("fault")) == 7


def test_each_folder_is_listed_once_and_no_file_is_asked_for_alone(folder, monkeypatch):
    for number in range(30):
        sf.write(folder / "sub" / f"{number}.wav", np.zeros(8), 8000)
    rows = "".join(f"sub/{number}.wav,sad,x\n" for number in range(30))
    listed, asked = [], []
    scandir, isfile = os.scandir, os.path.isfile
    table(folder, "file,emotion,speaker\n" + rows)
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scandir(path))
    monkeypatch.setattr(os.path, "isfile", lambda path: asked.append(path) or isfile(path))
    _, rows, _, _ = folders.read(folder)
    assert len(rows) == 30
    assert sorted(listed) == [str(folder), str(folder / "sub")]
    assert asked == []


def test_equal_cells_are_held_once(folder):
    rows = "".join(f"sub/{number}.wav,Sadness ,Ada\n" for number in range(30))
    read = sheet.read(
        table(folder, "file,emotion,speaker\n" + rows) / "metadata.csv",
        lambda header: {"emotion": "emotion"},
    )
    assert len(set(map(id, read.rows["emotion"]))) == 1


def test_spellings_do_not_contradict_each_other():
    every = [word for emotion, others in words.SPELLINGS.items() for word in (emotion, *others)]
    plain = [words.normalise(word) for word in every]
    assert len(plain) == len(set(plain))
    assert set(words.SPELLINGS) == set(serlab.corpora.EMOTIONS)
    assert not any(words.why_no_label(word) for word in every)


def test_a_speaker_of_two_genders_is_told(folder):
    text = "file,emotion,speaker,sex\na,happy,Ada,f\nb,sad,Bo,m\nsub/c,sad,Ada,m\n"
    with pytest.warns(UserWarning, match=r"line 4: speaker 'Ada' is male here and female in line 2"):
        assert len(serlab.load(table(folder, text))) == 3


def test_ratings_from_nought_to_one_are_told(folder):
    text = "file,emotion,speaker,valence\na,happy,Ada,{}\nb,sad,Bo,0.1\nsub/c,neutral,Ada,0.5\n"
    with pytest.warns(UserWarning, match=r"line 3: valence goes from 0.1 to 0.9.* write 2 \* valence - 1"):
        assert serlab.load(table(folder, text.format(0.9)))["valence"].tolist() == [0.9, 0.1, 0.5]
    assert serlab.validate(folder).problems["kind"].tolist() == ["ratings"]
    serlab.load(table(folder, text.format(-0.9)))


@pytest.mark.parametrize(
    "header",
    [
        *("Anfang,Ende", "debut,fin", "Beginn (s),Ende (s)", "inicio,fin", "Startzeit,Endzeit", "von,bis"),
        *("Temps début,Temps fin", "Desde,Hasta", "Da,A", "Początek,Koniec", "In,Out", "vad_start,vad_end"),
        *("start_index,end_index", "StartTimestamp,EndTimestamp", "Begin Time - ss.msec,End Time - ss.msec"),
    ],
)
def test_parts_of_files_are_refused_in_other_languages(folder, header):
    text = f"file,emotion,speaker,{header}\na,happy,Ada,0.5,1.25\n"
    assert "says which part of a file is meant" in refused(folder, text)


def test_one_value_throughout_is_no_sound(folder):
    sf.write(folder / "a.wav", np.full(800, 0.25), 8000)
    assert serlab.validate(table(folder, PLAIN)).problems[["kind", "clip"]].values.tolist() == [
        ["silent", "a"]
    ]


@pytest.mark.parametrize("header", ["gender,friend", "in,notes", "trend,started", "b,c"])
def test_words_that_only_resemble_those_of_parts_are_no_matter(folder, header):
    text = f"file,emotion,speaker,{header}\na,happy,Ada,f,1.5\n"
    assert len(serlab.load(table(folder, text))) == 1

"""Recorded runs: written whole or not at all, every contradiction found, made and resumed by command."""

from __future__ import annotations

import errno
import functools
import gzip
import json
import os
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from conftest import real_corpus
from serlab import corpora, evaluation, models, provenance, runs, splits
from serlab.errors import RunError
from serlab.voting import normalise_scores, vote

CLASSES = ["neutral", "happy", "sad"]


def made_up(protocol="group3", seeds=(0, 1), corpus="mine"):
    """Make a run as a model might have left it."""
    rng = np.random.default_rng(0)
    rows = [
        (f"{s}-{label}-{k}", s, fold, seed, label)
        for seed in seeds
        for fold, s in enumerate(("ann", "bob", "cy"))
        for label in CLASSES
        for k in range(4)
    ]
    p = pd.DataFrame(rows, columns=["clip", "speaker", "fold", "seed", "label"])
    raw = rng.dirichlet(np.ones(3), len(p))
    p["predicted"] = np.array(CLASSES)[raw.argmax(axis=1)]
    p[[f"p_{name}" for name in CLASSES]] = raw.round(4)
    meta = {
        "model": "made-up",
        "title": "Made up",
        "chapter": 4,
        "features": ["rms", "f0"],
        "protocol": protocol,
        "protocol_title": "three folds",
        "speaker_disjoint": protocol != "random3",
        "corpus": {"name": corpus, "title": corpus, "clips": 36, "content_hash": "0" * 64},
        "classes": CLASSES,
        "seeds": list(seeds),
        "parameters": 3,
        "ensemble": False,
        "pretrained": [],
        "speaker_normalised": False,
        "augmentation": "none",
        "validation": "nothing to choose",
        "seconds": 1.5,
        "peak_memory_mb": 100,
        "machine": "a machine",
        "threads": {"blas": 1},
        "versions": {"python": "3"},
        "code": "sha256:0",
        "scores": evaluation.scores(p),
    }
    return runs.Run(p, meta)


def corpus_of(run):
    """Give the utterance table that a made-up run belongs to."""
    table = run.predictions.drop_duplicates("clip")[["clip", "speaker", "label"]]
    return table.rename(columns={"label": "emotion"}).assign(corpus="mine").reset_index(drop=True)


def test_a_run_comes_back_as_it_was_written(tmp_path):
    run = made_up()
    path = runs.write(run, tmp_path)
    assert path == tmp_path / "mine" / "group3" / "made-up.json"
    back = runs.read("mine", "group3", "made-up", tmp_path)
    pd.testing.assert_frame_equal(back.predictions, run.predictions, check_dtype=False)
    assert back.meta == json.loads(json.dumps(run.meta))
    assert runs.list_runs(tmp_path) == [("mine", "group3", "made-up")]
    assert "mine / group3 / made-up" in repr(back)
    assert sorted(file.name for file in path.parent.iterdir()) == ["made-up.csv.gz", "made-up.json"]


def test_speaker_numbers_keep_their_zeros_and_files_are_compact(tmp_path):
    run = made_up()
    p = run.predictions.assign(speaker=run.predictions["speaker"].map({"ann": "01", "bob": "02", "cy": "10"}))
    p[["p_neutral", "p_happy", "p_sad"]] = [0.5, 0.12349, 0.37651]
    run = runs.Run(p, run.meta | {"scores": evaluation.scores(p)})
    file = runs.write(run, tmp_path).with_suffix(".csv.gz")
    assert runs.read(*run.key, tmp_path).predictions["speaker"].iloc[0] == "01"
    header, first, *_ = unpacked(file).splitlines()
    assert header == "clip,speaker,fold,seed,label,predicted,p_neutral,p_happy,p_sad"
    assert first.endswith(",0.5,0.1235,0.3765")
    assert "\r" not in unpacked(file)
    told = pd.read_csv(file, dtype={"speaker": str})
    assert told["speaker"].tolist() == p["speaker"].tolist(), "pandas reads it in one call"
    written = file.read_bytes()
    runs.write(run, tmp_path)
    assert file.read_bytes() == written


def unpacked(file):
    return gzip.decompress(file.read_bytes()).decode()


def pack(file, text):
    file.write_bytes(gzip.compress(text.encode()))


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-9], lambda b: b[:30] + b"x" + b[31:], lambda b: b"", lambda b: b"x" * 99]
)
def test_a_table_that_cannot_be_unpacked_is_named(tmp_path, spoil):
    run = made_up()
    file = runs.write(run, tmp_path).with_suffix(".csv.gz")
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(RunError, match=r"made-up\.csv\.gz is damaged"):
        runs.read(*run.key, tmp_path)


def full_disk(monkeypatch, ending):
    """Let the disk be full as soon as a file of this ending is written."""
    left = {"csv": 0, "json": 1, "rename": 9}[ending]

    def sync(number, real=os.fsync):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(number)

    monkeypatch.setattr(os, "fsync", sync)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_full_disk_leaves_the_run_that_was_there(tmp_path, monkeypatch, ending):
    run = made_up()
    file = runs.write(run, tmp_path)
    before = {one.name: one.read_bytes() for one in file.parent.iterdir()}
    full_disk(monkeypatch, ending)
    p = run.predictions.iloc[::-1]
    with pytest.raises(RunError, match=r"made-up\.json cannot be written: No space left.*unchanged"):
        runs.write(runs.Run(p, run.meta), tmp_path)
    assert {one.name: one.read_bytes() for one in file.parent.iterdir()} == before


def test_a_writer_killed_between_the_two_files_leaves_no_mixture(tmp_path, monkeypatch):
    run = made_up()
    file = runs.write(run, tmp_path)
    other = runs.Run(run.predictions.iloc[::-1], run.meta)
    move = os.replace

    def killed(part, target):
        if target.suffix == ".json":
            raise KeyboardInterrupt
        move(part, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        runs.write(other, tmp_path)
    assert sorted(one.name for one in file.parent.iterdir()) == ["made-up.csv.gz", "made-up.json"]
    with pytest.raises(RunError, match=r"made-up\.csv\.gz is damaged, or not of made-up\.json"):
        runs.read(*run.key, tmp_path)


NAMES = ["NA", "nan", "null", "None", "01", "1e5", "True", "1.0", "N/A", "-", "ada ", '"', "a,b", "é", "Inf"]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_speaker_class_or_clip_is_lost_or_changed(tmp_path, name):
    run = made_up()
    p = run.predictions.replace({"speaker": {"ann": name}})
    for column in ("label", "predicted"):
        p[column] = p[column].replace("sad", name)
    p["clip"] = p["clip"].where(p["clip"] != "bob-sad-1", name)
    p = p.rename(columns={"p_sad": f"p_{name}"})
    classes = ["neutral", "happy", name]
    run = runs.Run(p, run.meta | {"classes": classes, "scores": evaluation.scores(p)})
    runs.write(run, tmp_path)
    back = runs.read(*run.key, tmp_path)
    pd.testing.assert_frame_equal(back.predictions, p, check_dtype=False)
    assert runs.check(back) == []
    assert evaluation.scores(back.predictions) == run.meta["scores"]
    assert runs.table(tmp_path)["uar_low"].iloc[0] == run.meta["scores"]["uar_low"]


def test_a_speaker_called_na_is_tested_and_counted(tmp_path, monkeypatch, demo):
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    first = sorted(demo["speaker"].unique())[0]
    table = demo.assign(speaker=demo["speaker"].replace({first: "NA"}))
    table.attrs = demo.attrs
    monkeypatch.setattr(corpora, "load", lambda name: table)
    run = runs.make(models.get("chance"), "demo", "group3", progress=False)
    back = runs.read(*run.key)
    assert "NA" in set(back.predictions["speaker"])
    assert len(back.predictions) == 5 * len(demo)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\x00", '{"model": 1}', '{"corpus": []}', b"\xff\xfe", None]
)
def test_one_bad_file_does_not_take_the_others_down(tmp_path, monkeypatch, text, capsys):
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    good = made_up()
    runs.write(good, tmp_path)
    bad = tmp_path / "mine" / "group3" / "bad.json"
    if text is None:
        bad.mkdir()
    else:
        bad.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.warns(UserWarning, match=r"left out: .*bad\.json"):
        assert runs.table()["model"].tolist() == ["made-up"]
    bad.with_suffix(".csv.gz").write_text("clip\n")
    if text is not None:
        assert runs.main(["--check"]) == 1
        out = capsys.readouterr().out
        assert "mine/group3/bad: " in out
        assert "2 runs checked, 1 with problems" in out


@pytest.mark.parametrize("key", [*runs.TABLE_KEYS, "scores", "classes", "seeds", "features", "corpus"])
@pytest.mark.parametrize("value", [None, "left out"])
def test_a_file_that_lacks_something_is_left_out_too(tmp_path, key, value):
    run = made_up()
    file = runs.write(run, tmp_path)
    meta = json.loads(file.read_text())
    if value == "left out":
        del meta[key]
    else:
        meta[key] = None
    file.with_stem("other").write_text(json.dumps(meta | {"model": "other"}))
    if value is None and key in runs.TABLE_KEYS:
        assert len(runs.table(tmp_path)) == 2, "shown as it is"
        return
    with pytest.warns(UserWarning, match=r"left out: .*other\.json is damaged"):
        assert runs.table(tmp_path)["model"].tolist() == ["made-up"]


def test_a_run_in_the_place_of_another_is_not_taken_for_it(tmp_path):
    file = runs.write(made_up(), tmp_path)
    for ending in (".json", ".csv.gz"):
        file.with_suffix(ending).rename(file.with_name(f"other{ending}"))
    with pytest.raises(RunError, match=r"other\.json is the run mine/group3/made-up"):
        runs.read("mine", "group3", "other", tmp_path)
    with pytest.warns(UserWarning, match=r"left out: .*other\.json is the run"):
        assert runs.table(tmp_path).empty


@pytest.mark.parametrize(
    ("old", "new"), [(",0.", ",x."), ("clip,", "klip,"), (",0,", ",,"), ("\n", "\n\n,"), ("p_sad", 'p"sad')]
)
def test_a_damaged_table_is_named(tmp_path, old, new):
    run = made_up()
    file = runs.write(run, tmp_path)
    about = json.loads(file.read_text())
    table = file.with_suffix(".csv.gz")
    pack(table, unpacked(table).replace(old, new, 1))
    with pytest.raises(RunError, match=r"made-up\.csv\.gz is damaged, or not of made-up\.json"):
        runs.read(*run.key, tmp_path)
    # Older runs have no checksum: their tables are checked for what they say.
    del about["predictions_sha256"]
    file.write_text(json.dumps(about))
    try:
        problems = runs.check(runs.read(*run.key, tmp_path))
    except RunError as error:
        problems = [str(error)]
    assert problems


def test_missing_and_damaged_runs_are_named(tmp_path):
    with pytest.raises(RunError, match=r"Recorded there: nothing.*--corpus mine --protocol group3"):
        runs.read("mine", "group3", "made-up", tmp_path)
    file = runs.write(made_up(), tmp_path)
    with pytest.raises(RunError, match="Recorded there: made-up"):
        runs.read("mine", "group3", "other", tmp_path)
    file.write_text("{")
    with pytest.raises(RunError, match=r"made-up\.json is damaged"):
        runs.read("mine", "group3", "made-up", tmp_path)


def test_a_sound_run_has_no_problems():
    run = made_up()
    assert runs.check(run) == []
    table = corpus_of(run)
    where = {table["clip"][row]: k for k, fold in enumerate(splits.make(table, "loso")) for row in fold.test}
    p = run.predictions.assign(fold=run.predictions["clip"].map(where))
    loso = runs.Run(p, run.meta | {"protocol": "loso", "scores": evaluation.scores(p)})
    assert runs.check(loso, table) == []


def spoil(run, **cells):
    p = run.predictions.copy()
    for column, value in cells.items():
        p.loc[0, column] = value
    return runs.Run(p, run.meta)


@pytest.mark.parametrize(
    ("spoilt", "problem"),
    [
        (lambda r: runs.Run(r.predictions, {k: v for k, v in r.meta.items() if k != "code"}), "lacks 'code'"),
        (lambda r: runs.Run(r.predictions.drop(columns="p_sad"), r.meta), "columns are"),
        (lambda r: spoil(r, p_sad=0.9, p_happy=0.9), "probabilities of 1 rows.*ann-neutral-0"),
        (lambda r: spoil(r, p_sad=-0.5, p_happy=1.0, p_neutral=0.5), "probabilities of 1 rows"),
        (lambda r: spoil(r, p_sad=np.nan), "probabilities of 1 rows"),
        (lambda r: spoil(r, p_sad=0.52, p_happy=0.25, p_neutral=0.25), "probabilities of 1 rows"),
        (lambda r: spoil(r, label="calm"), "column label holds \\['calm'\\]"),
        (lambda r: spoil(r, predicted="calm"), "column predicted holds \\['calm'\\]"),
        (lambda r: spoil(r, label="sad"), "two labels or two speakers"),
        (lambda r: spoil(r, clip="ann-neutral-1"), "ann-neutral-1 is there twice for seed 0"),
        (lambda r: runs.Run(r.predictions.iloc[1:], r.meta), "seed 0 lacks 1 clips.*ann-neutral-0"),
        (
            lambda r: runs.Run(r.predictions.query("clip != 'cy-sad-3'"), r.meta),
            "35 clips are tested.*had 36",
        ),
        (lambda r: runs.Run(r.predictions, r.meta | {"seeds": [0, 2]}), "seeds are \\[0, 1\\]"),
        (lambda r: spoil(r, fold=2), "speaker ann is in several folds: on both sides"),
        (
            lambda r: runs.Run(r.predictions, r.meta | {"scores": r.meta["scores"] | {"uar": 0.99}}),
            "score uar is 0.99",
        ),
        (
            lambda r: runs.Run(
                r.predictions, r.meta | {"scores": r.meta["scores"] | {"uar": r.meta["scores"]["uar"] + 4e-5}}
            ),
            "score uar is 0",
        ),
        (lambda r: runs.Run(r.predictions, r.meta | {"scores": {"uar": 0.99}}), "score accuracy is None"),
    ],
)
def test_every_contradiction_is_found(spoilt, problem, tmp_path):
    import re

    run = spoilt(made_up())
    found = runs.check(run)
    assert any(re.search(problem, line) for line in found), found
    if "seeds" in run.meta:
        with pytest.raises(RunError, match="is not written"):
            runs.write(run, tmp_path)


def test_rounding_is_no_contradiction():
    run = spoil(made_up(), p_sad=0.505, p_happy=0.25, p_neutral=0.25)
    scores = {name: value + 1e-5 for name, value in run.meta["scores"].items()}
    assert runs.check(runs.Run(run.predictions, run.meta | {"scores": scores})) == []


def test_of_speakers_left_out_one_by_one_all_are_tested_and_each_once():
    run = made_up(protocol="loso")
    assert runs.check(run) == []
    assert any("speaker ann is in several folds" in line for line in runs.check(spoil(run, fold=2)))
    missing = runs.Run(run.predictions.query("clip != 'cy-sad-3'"), run.meta)
    assert any("35 clips are tested, the corpus had 36" in line for line in runs.check(missing))


def test_folds_may_share_speakers_where_the_protocol_says_so():
    run = spoil(made_up(protocol="random3"), fold=2)
    p = run.predictions
    assert runs.check(runs.Run(p, run.meta | {"scores": evaluation.scores(p)})) == []


def test_a_seed_split_tests_only_some_clips():
    run = made_up(protocol="seed-split")
    meta = run.meta | {"corpus": run.meta["corpus"] | {"clips": 99}, "speaker_disjoint": False}
    assert runs.check(runs.Run(run.predictions, meta)) == []
    assert runs.check(runs.Run(run.predictions, meta | {"speaker_disjoint": True})) != []


def test_labels_speakers_clips_and_folds_are_compared_with_the_corpus():
    run = made_up()
    table = corpus_of(run)
    other = table.copy()
    other.loc[0, "emotion"] = "sad"
    assert any("2 rows contradict the corpus in label" in line for line in runs.check(run, other))
    other = table.copy()
    other.loc[0, "speaker"] = "bob"
    assert any("contradict the corpus in speaker" in line for line in runs.check(run, other))
    assert "1 clips are not in the corpus" in runs.check(run, table.iloc[1:].reset_index(drop=True))[0]
    moved = runs.Run(
        run.predictions.assign(fold=2 - run.predictions["fold"]), run.meta | {"protocol": "loso"}
    )
    assert any("folds are not those of loso" in line for line in runs.check(moved, table))


# Fold of each of the 24 actors, as EmoBox has them.
EMOBOX = [0, 4, 3, 1, 3, 5, 3, 2, 2, 1, 0, 1, 5, 1, 4, 4, 5, 4, 2, 0, 0, 5, 2, 3]


def ravdess_run():
    clips = sorted(corpora.record("ravdess").official)
    facts = [corpora.record("ravdess").parse(clip) for clip in clips]
    p = pd.DataFrame({"clip": clips, "speaker": [fact["speaker"] for fact in facts]})
    p["fold"], p["seed"] = [EMOBOX[int(clip[-2:]) - 1] for clip in clips], 0
    p["label"] = p["predicted"] = [fact["emotion"] for fact in facts]
    classes = [name for name in corpora.EMOTIONS if name in set(p["label"])]
    for name in classes:
        p[f"p_{name}"] = (p["label"] == name).astype(float)
    base = made_up().meta | {"protocol": "emobox6", "classes": classes, "seeds": [0]}
    meta = base | {
        "corpus": {"name": "ravdess", "title": "RAVDESS", "clips": 1440, "content_hash": ""},
        "scores": evaluation.scores(p),
    }
    return runs.Run(p, meta)


def test_the_manifest_tells_what_is_wrong_without_the_audio():
    run = ravdess_run()
    assert runs.check(run) == []
    p = run.predictions
    unknown = p.assign(clip=p["clip"].replace(p["clip"][3], "99-01"))
    assert "1 clips are not in the manifest of ravdess, the first of them 99-01" in runs.check(
        runs.Run(unknown, run.meta)
    )
    p = p.assign(label=p["label"].where(p.index != 3, "sad"))
    assert any("its file name says neutral" in line for line in runs.check(runs.Run(p, run.meta)))


def test_folds_that_were_published_are_those_of_the_run():
    run = ravdess_run()
    table = corpus_of(run).assign(corpus="ravdess")
    assert runs.check(run, table) == []
    fold = run.predictions["fold"].mask(run.predictions["speaker"] == "23", 3)
    moved = runs.Run(run.predictions.assign(fold=fold), run.meta)
    assert "the folds are not those of emobox6" in runs.check(moved, table)


def test_clips_without_sound_are_not_tested():
    table = pd.DataFrame({"clip": ["1076_MTI_SAD_XX", "1076_MTI_NEU_XX"], "emotion": ["sad", "neutral"]})
    table.attrs["corpus"] = "cremad"
    silent = corpora.record("cremad").silent
    assert silent == {"1076_MTI_SAD_XX"}
    assert splits.get("emosuperb5").prepare(table)["clip"].tolist() == ["1076_MTI_NEU_XX"]


def test_table_has_one_row_per_run(tmp_path):
    runs.write(made_up(), tmp_path)
    runs.write(ravdess_run(), tmp_path)
    found = runs.table(tmp_path)
    assert found["corpus"].tolist() == ["mine", "ravdess"]
    assert found["features"].tolist() == ["rms + f0"] * 2
    assert found["uar"].tolist()[1] == 1
    assert runs.table(tmp_path / "nothing").empty


@pytest.fixture
def workplace(tmp_path, monkeypatch, demo):
    """Give the command line a results folder of its own."""
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    return tmp_path


def call(*arguments):
    return runs.main(["--corpus", "demo", "--protocol", "group3", *arguments])


def test_command_line_makes_lists_checks_and_verifies(workplace, capsys):
    assert call("--model", "chance", "--list") == 0
    assert capsys.readouterr().out == "missing  demo/group3/chance\n"
    assert call("--model", "chance") == 0
    assert "[1/1] demo/group3/chance: UAR " in capsys.readouterr().out
    run = runs.read("demo", "group3", "chance")
    assert run.meta["seeds"] == [0, 1, 2, 3, 4]
    assert run.meta["scores"]["uar_low"] < 1 / 8 < run.meta["scores"]["uar_high"]
    assert len(set(run.predictions["predicted"])) == 8
    assert runs.check(run, corpora.load("demo")) == []
    assert run.meta["threads"]["blas"] == run.meta["threads"]["tensorflow_intra"] == 1
    assert call("--check") == 0
    assert "1 runs checked, 0 with problems" in capsys.readouterr().out
    assert call("--verify", "chance") == 0
    assert "100.0 % of" in (said := capsys.readouterr().out)
    assert "the same by labels" in said
    assert call("--list") == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0] == "recorded demo/group3/chance"
    assert len(listed) == len(models.names())


def test_command_line_leaves_alone_what_is_there_unless_forced(workplace, capsys, monkeypatch):
    call("--model", "majority")
    capsys.readouterr()
    made = []
    monkeypatch.setattr(
        runs.command_line, "make", lambda spec, *key, **_: made.append(key) or runs.read(*key, spec.name)
    )
    assert call("--model", "majority") == 0
    assert made == []
    assert call("--model", "majority", "--force") == 0
    assert made == [("demo", "group3")]


def test_command_line_reports_problems(workplace, capsys):
    call("--model", "majority")
    file = workplace / "demo" / "group3" / "majority.csv.gz"
    pack(file, unpacked(file).replace(",d01,", ",d02,"))
    capsys.readouterr()
    assert call("--check") == 1
    out = capsys.readouterr().out
    assert "demo/group3/majority: " in out
    assert "1 with problems" in out
    assert call("--model", "crystal-ball") == 1
    assert "error: there is no model 'crystal-ball'" in capsys.readouterr().err
    assert call("--model", "forrest") == 1
    assert "Did you mean 'forest'" in capsys.readouterr().err


def test_verify_refuses_what_it_cannot_reproduce(workplace):
    call("--model", "chance")
    run = runs.read("demo", "group3", "chance")
    p = run.predictions
    turned = runs.Run(p.assign(predicted=np.roll(p["predicted"], 1)), run.meta)
    with pytest.raises(RunError, match=r"not reproduced.*UAR was .* and is") as here:
        runs.verify(turned, models.get("chance"))
    assert "It was made with" not in str(here.value)
    turned.meta["machine"] = "an abacus"
    del turned.meta["threads"]
    with pytest.raises(
        RunError,
        match=r"It was made with machine an abacus, .*made with threads not recorded, and this is .*1",
    ):
        runs.verify(turned, models.get("chance"))
    with pytest.raises(RunError, match="fold 0 holds other clips"):
        runs.verify(runs.Run(p.assign(fold=(p["fold"] + 1) % 3), run.meta), models.get("chance"))


@pytest.mark.parametrize(
    ("network", "wrong", "shift", "judged"),
    [
        (False, 0, 0.0, "the same by labels"),
        (False, 2, 0.009, "the same by labels"),
        (False, 3, 0.0, None),
        (False, 0, 0.011, None),
        (True, 2, 0.0, "the same by labels"),
        (True, 5, 0.0, "the same by UAR"),
        (True, 0, 0.3, "the same by UAR"),
        (True, 6, 0.0, None),
    ],
)
def test_verify_judges_by_labels_or_of_networks_by_uar(monkeypatch, network, wrong, shift, judged):
    """At the border: of 100 clips of four classes, 98 labels the same, or UAR 5 points apart."""
    names = ["neutral", "happy", "sad", "angry"]
    table = pd.DataFrame({"clip": [f"{k}.wav" for k in range(100)], "speaker": "ann"})
    table["emotion"] = np.repeat(names, 25)
    said = table.rename(columns={"emotion": "label"}).assign(fold=0, seed=0, predicted=table["emotion"])
    said[[f"p_{name}" for name in names]] = 0.25
    anew = said.copy()
    anew.loc[: wrong - 1, "predicted"] = "angry"
    anew["p_sad"] += 2 * shift
    anew["p_angry"] -= 2 * shift
    monkeypatch.setattr(corpora, "load", lambda name: table)
    monkeypatch.setattr(runs.making, "split_for", lambda *_: None)
    monkeypatch.setattr(runs.making, "inputs", lambda *_: None)
    monkeypatch.setattr(runs.making.training, "cross_validate", lambda *_, **__: anew)
    base = made_up("random3").meta
    run = runs.Run(said, base | {"classes": names, "seeds": [0]})

    class Fitted:
        libraries = ("keras",) if network else ()

    spec = replace(models.get("majority"), build=lambda seed: Fitted())
    assert spec.network is network
    if judged:
        assert runs.verify(run, spec).endswith(judged)
    else:
        with pytest.raises(RunError, match=r"not reproduced.*UAR was 100.0 %") as error:
            runs.verify(run, spec)
        assert ("tolerated of a network: 5 points" in str(error.value)) is network


def test_networks_are_known_by_what_they_train():
    networks = {spec.name for spec in models.specs() if spec.network}
    assert {"ann", "cnn-moved", "model-a", "valence-separate", "valence-small-repeated"} <= networks
    exact = {"logreg-byols", "valence-byols", "forest", "committee", "networks-vote", "valence-vote"}
    assert not networks & exact


def test_corpora_that_are_not_here_are_left_out(workplace, capsys, monkeypatch):
    monkeypatch.setattr(corpora, "find", lambda name: None if name == "nemo" else name)
    assert runs.main(["--corpus", "nemo", "--model", "majority"]) == 1
    assert "nothing was made, since the corpora are not here: nemo" in capsys.readouterr().err
    assert runs.list_runs() == []
    places = ["--corpus", "nemo", "--corpus", "demo", "--protocol", "group4", "--model", "majority"]
    more = workplace / "more"
    assert runs.main([*places, "--allow-changed-code", "--folder", str(more)]) == 0
    assert "nemo/group4/majority: left out, the corpus is not here" in capsys.readouterr().out
    assert (runs.list_runs(), runs.list_runs(more)) == ([], [("demo", "group4", "majority")])
    assert runs.main(["--folder", str(more), "--check"]) == 0
    assert "1 runs checked, 0 with problems" in capsys.readouterr().out


def test_a_single_fold_is_trained_with_more_seeds_if_training_is_random():
    assert runs.seeds_of(models.get("forest"), 1) == tuple(range(10))
    assert runs.seeds_of(models.get("forest"), 6) == (0, 1, 2)
    assert runs.seeds_of(models.get("majority"), 1) == (0,)
    assert runs.seeds_of(models.get("cnn-original"), 1) == (0, 1, 2)


def test_a_vote_has_the_seeds_of_its_members():
    assert runs.seeds_of(models.get("three-vote"), 6) == (0,)
    assert runs.seeds_of(models.get("four-vote"), 6) == (0, 1, 2)


def test_inputs_are_normalised_by_speaker_and_laid_side_by_side(demo):
    from serlab.features import Rms, Summary
    from serlab.models import ModelSpec

    few = demo.groupby("speaker").head(4).reset_index(drop=True)
    loud = Summary(features=(Rms(scale="db"),), statistics=("mean", "std"), timing=False)
    soft = Summary(features=(Rms(),), statistics=("max",), timing=False)
    spec = ModelSpec("x", "X", 4, (loud, soft), lambda seed: None, "none")
    plain, normalised = runs.inputs(spec, few), runs.inputs(spec.normalised(), few)
    assert plain.shape == (len(few), 3)
    for speaker in few["speaker"].unique():
        rows = (few["speaker"] == speaker).to_numpy()
        expected = (plain[rows] - plain[rows].mean(0)) / plain[rows].std(0)
        np.testing.assert_allclose(normalised[rows], expected, atol=1e-3)
    assert not runs.inputs(models.get("majority"), few).any()


@functools.cache
def table_if_here(name):
    return corpora.load(name) if corpora.find(name) is not None else None


@pytest.mark.parametrize("key", runs.list_runs(), ids="/".join)
def test_committed_run_is_sound(key):
    run = runs.read(*key)
    assert run.key == key
    assert runs.check(run, table_if_here(key[0])) == []
    spec = models.get(key[2])
    assert run.meta["title"] == spec.title
    folds = run.predictions["fold"].nunique()
    assert run.meta["seeds"] == list(runs.seeds_of(spec, folds))
    assert run.meta["speaker_normalised"] == spec.speaker_normalised


def test_committed_runs_cover_the_plan():
    recorded, wanted = set(runs.list_runs()), set(runs.planned())
    assert set(runs.PLAN) <= {key[:2] for key in wanted}
    assert wanted <= recorded, f"missing: {sorted(wanted - recorded)}; make results makes them"


@pytest.mark.real
def test_content_of_the_real_corpora_is_that_of_the_runs():
    for name in ("emodb_first2s", "nemo", "ravdess"):
        table = real_corpus(name)
        digest = corpora.content_hash(table)
        for key in runs.list_runs():
            if key[0] == name:
                assert runs.read(*key).meta["corpus"]["content_hash"] == digest
                break


@pytest.mark.parametrize("protocol", ["group3", "random3"])
def test_validation_rows_are_those_that_a_model_asks_for(demo, protocol):
    spec = models.get("majority")
    plain = runs.split_for(spec, demo, protocol)
    assert all(fold.validation.size == 0 for fold in plain)
    held_out = runs.split_for(replace(spec, validates="speakers"), demo, protocol)
    at_random = runs.split_for(replace(spec, validates="clips"), demo, protocol)
    for before, fold in zip(plain, at_random, strict=True):
        assert fold.validation.size == pytest.approx(before.train.size / 20, abs=1)
        np.testing.assert_array_equal(np.union1d(fold.train, fold.validation), np.sort(before.train))
    peeking = runs.split_for(replace(spec, validates="test"), demo, protocol)
    speakers = demo["speaker"].to_numpy()
    for before, fold, peek in zip(plain, held_out, peeking, strict=True):
        np.testing.assert_array_equal(fold.test, before.test)
        assert fold.validation.size
        assert not set(speakers[fold.validation]) & set(speakers[fold.train])
        np.testing.assert_array_equal(np.union1d(fold.train, fold.validation), np.sort(before.train))
        np.testing.assert_array_equal(peek.validation, before.test)
        np.testing.assert_array_equal(peek.train, before.train)


def test_recorded_models_vote(workplace):
    for name in ("stratified-guess", "majority"):
        runs.make(models.get(name), "demo", "group3", progress=False)
    members = [runs.read("demo", "group3", name) for name in ("stratified-guess", "majority")]
    spec = replace(
        models.get("majority"),
        name="both",
        title="Both",
        build=None,
        voters=(models.get("stratified-guess"), models.get("majority")),
    )
    run = runs.make(spec, "demo", "group3", progress=False)
    pd.testing.assert_frame_equal(
        run.predictions, vote([one.predictions for one in members]), atol=6e-5, check_dtype=False
    )
    assert run.meta["members"] == ["stratified-guess", "majority"]
    normalised = replace(spec, name="normalised", normalises=("scores",))
    normalised = runs.make(normalised, "demo", "group3", progress=False)
    assert [one.meta["normalises_scores"] for one in (run, normalised)] == [False, True]
    said = normalise_scores(vote([one.predictions for one in members]))
    assert not np.allclose(said["p_sad"], run.predictions["p_sad"], atol=0.01)
    pd.testing.assert_frame_equal(normalised.predictions, said, atol=6e-5, check_dtype=False)
    assert run.meta["seconds"] == pytest.approx(sum(one.meta["seconds"] for one in members), abs=0.01)
    assert run.meta["peak_memory_mb"] == max(one.meta["peak_memory_mb"] for one in members)
    assert "100.0 % of" in runs.verify(run, spec)
    (workplace / "demo" / "group3" / "stratified-guess.json").unlink()
    with pytest.raises(RunError, match=r"stratified-guess\.json does not exist"):
        runs.make(spec, "demo", "group3", progress=False)


def test_emotions_are_learned_in_the_place_of_valence(workplace, monkeypatch):
    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    spec = replace(models.get("chance"), name="first", learns_emotions=True)
    run = runs.make(spec, "unified", "ternary", progress=False)
    assert run.meta["classes"] == ["negative", "neutral", "positive"]
    assert "100.0 % of" in runs.verify(run, spec)
    table = corpora.load("unified")
    classes = table.set_index("clip")["valence"].map({-1: "negative", 0: "neutral", 1: "positive"})
    assert list(run.predictions["label"]) == list(classes[run.predictions["clip"]])

    mixed = table.assign(ternary=np.where(table.index == 0, "positive", table["ternary"]))
    mixed.attrs = table.attrs
    monkeypatch.setattr(corpora, "load", lambda name: mixed)
    with pytest.raises(RunError, match="angry have more than one valence"):
        runs.make(spec, "unified", "ternary", progress=False)


def test_a_run_is_not_made_from_code_that_no_commit_holds(workplace, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "changed_files", lambda: ("serlab/splits.py", "serlab/new.py"))
    assert call("--model", "majority") == 1
    assert "serlab/splits.py and 1 more" in (said := capsys.readouterr().err)
    assert "Commit first" in said
    assert runs.list_runs() == []
    assert call("--model", "majority", "--allow-changed-code") == 0
    assert runs.list_runs() == [("demo", "group3", "majority")]


def test_a_run_says_with_how_many_threads_it_was_made(tmp_path):
    run = made_up()
    del run.meta["threads"]
    assert runs.check(run) == [], "those made earlier do not say"
    with pytest.raises(RunError, match="does not say its threads"):
        runs.write(run, tmp_path)


def test_check_finds_new_runs_whose_code_no_commit_holds(workplace, monkeypatch, capsys):
    run = made_up()
    runs.write(run, workplace)
    for known, status in ((True, 0), (None, 0), (False, 1)):
        monkeypatch.setattr(provenance, "is_committed", lambda code, known=known: known)
        assert runs.main(["--check"]) == status
    assert "no commit holds its code, sha256:0" in capsys.readouterr().out
    file = workplace / "mine" / "group3" / "made-up.json"
    about = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in about.items() if name != "threads"}))
    assert runs.main(["--check"]) == 0, "earlier runs are left alone"


def test_whether_speakers_are_apart_is_compared_with_the_split():
    run = made_up(protocol="loso")
    table = corpus_of(run)
    run.meta["speaker_disjoint"] = False
    assert any("speaker_disjoint is False" in line for line in runs.check(run, table))


@pytest.mark.parametrize(
    "given", [["--check", "--model", "majoritx"], ["--list", "--corpus", "ravdes"], ["--verify", "forest"]]
)
def test_command_line_says_that_no_run_has_such_a_name(workplace, capsys, given):
    assert runs.main(["--corpus", "demo", *given]) == 1 or "ravdes" in given
    if "ravdes" in given:
        assert runs.main(given) == 1
    assert "error: no run is of" in capsys.readouterr().err
    assert runs.main(["--check"]) == 0, "there is none yet"


@pytest.mark.parametrize(
    "change",
    [
        {"model": None},
        {"protocol": 5},
        {"corpus": {"name": 3}},
        {"scores": None},
        {"scores": "x"},
        {"seeds": 3},
        {"classes": None},
    ],
)
def test_one_damaged_file_does_not_end_the_check_of_all(tmp_path, monkeypatch, capsys, change):
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    good, other = made_up(), made_up(protocol="group2")
    runs.write(good, tmp_path)
    file = runs.write(other, tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert runs.main(["--check"]) == 1
    out = capsys.readouterr().out
    assert "mine/group2/made-up: " in out
    assert "2 runs checked, 1 with problems" in out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "group3" in runs.table(tmp_path)["protocol"].tolist()

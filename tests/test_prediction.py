"""Recordings of one's own through a model: answers, doubts, warnings, and nothing lost on the way."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import serlab
from serlab import augment, models, prediction
from serlab.__main__ import main
from serlab.corpora.synthesis import synthesise_phrase
from serlab.errors import AudioError, FeatureError, ModelError
from serlab.features import Averages
from serlab.models.files import TrainedModel, tempered
from serlab.prediction import familiarity, fit
from serlab.prediction.fit import WANTED, _calibrate, _flagged, _threshold, decide, score, train

RATE = 16000


def demo(speakers: int) -> pd.DataFrame:
    """Return the clips of some speakers of the synthetic corpus."""
    table = serlab.load("demo")
    return table[table["speaker"].isin(table["speaker"].unique()[:speakers])]


@pytest.fixture(scope="module")
def model():
    """One trained on the synthetic corpus, that has limits and a threshold."""
    spec = models.ModelSpec(
        "plain", "Plain", 0, (Averages(),), models.get("logreg-summary").build, "by UAR within"
    )
    return train(spec, demo(5))


@pytest.fixture
def folder(tmp_path):
    """Three recordings, one of which is cut off."""
    for name, emotion in {"one.wav": "angry", "two.flac": "sad"}.items():
        soundfile.write(tmp_path / name, np.asarray(synthesise_phrase("d03", emotion=emotion)), RATE)
    whole = (tmp_path / "one.wav").read_bytes()
    (tmp_path / "broken.wav").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "notes.txt").write_text("no sound")
    return tmp_path


def test_every_kind_of_input_gives_the_same_answer(model, folder):
    path = folder / "two.flac"
    y, rate = serlab.audio.read(path)
    tables = [
        serlab.predict(path, model=model),
        serlab.predict(str(path), model=model),
        serlab.predict([path], model=model),
        serlab.predict(y, rate, model=model),
        serlab.predict(pd.DataFrame({"path": [path]}), model=model),
        serlab.predict(io.BytesIO(path.read_bytes()), model=model),
    ]
    columns = [f"p_{name}" for name in model.classes]
    for table in tables:
        assert len(table) == 1
        assert abs(table[columns].sum(axis=1) - 1).max() < 1e-6
        np.testing.assert_allclose(table[columns], tables[0][columns], atol=1e-4)
        assert table["confidence"][0] == table[columns].max(axis=1)[0]
    X = model.features(y, rate)[None]
    np.testing.assert_allclose(tables[0][columns], model.probabilities(X), atol=1e-6)


def test_a_broken_file_among_others_loses_nothing(model, folder):
    table = serlab.predict(folder, model=model).set_index("recording")
    assert sorted(table.index) == ["broken.wav", "one.wav", "two.flac"]
    assert table["emotion"].notna().to_dict() == {"broken.wav": False, "one.wav": True, "two.flac": True}
    assert "broken.wav" in table["hints"]["broken.wav"]
    with pytest.raises(AudioError, match=r"broken\.wav"):
        serlab.predict(folder / "broken.wav", model=model)


def test_what_one_recording_lacks_does_not_stop_the_others(model, folder):
    soundfile.write(folder / "brief.wav", np.full(1601, 0.1), RATE * 10)
    y = np.asarray(synthesise_phrase("d03"))
    soundfile.write(folder / "opposite.wav", np.stack([y, -y], axis=1), RATE)
    table = serlab.predict([folder, folder / "one.wav"], model=model).set_index("recording")
    assert len(table) == 6
    assert table["emotion"].isna().sum() == 3
    assert table.loc[table["emotion"].isna(), "hints"].ne("").all()
    assert table.index.str.endswith("one.wav").sum() == 2


class Deaf(Averages):
    def extract(self, y):
        raise FeatureError("deaf needs more than that")


def test_what_features_refuse_is_told_with_the_recording_s_name(model, folder):
    deaf = TrainedModel(model.estimator, (Deaf(),), {})
    told = serlab.predict(folder, model=deaf).set_index("recording")["hints"]
    assert told["two.flac"] == "two.flac: deaf needs more than that"
    with pytest.raises(FeatureError, match=r"two\.flac: deaf needs more"):
        serlab.predict(folder / "two.flac", model=deaf, timeline=True)


def test_a_click_in_a_soft_recording_does_not_cost_the_answer(folder):
    y = np.asarray(synthesise_phrase("d03", emotion="angry"))
    y = serlab.audio.normalise(np.tile(y, 12), -55).copy()
    y[8000] = 0.99
    soundfile.write(folder / "click.wav", y, RATE, subtype="PCM_16")
    for timeline in (False, True):
        answers = serlab.predict(folder / "click.wav", timeline=timeline)
        assert answers["emotion"].notna().all()


def test_below_the_threshold_the_answer_is_not_sure(model, folder):
    always = TrainedModel(model.estimator, model.extractors, {**model.card, "threshold": 0.0})
    never = TrainedModel(model.estimator, model.extractors, {**model.card, "threshold": 1.01})
    path = folder / "one.wav"
    assert serlab.predict(path, model=always)["emotion"][0] in model.classes
    assert serlab.predict(path, model=never)["emotion"][0] == "not sure"


def test_the_threshold_is_the_lowest_that_is_good_enough():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 4000)
    right = rng.random(4000) < confidence
    rows = pd.DataFrame({"label": "sad", "predicted": np.where(right, "sad", "angry"), "speaker": "a"})
    rows = rows.assign(confidence=confidence, clip=np.arange(4000).astype(str))
    rows.loc[::2, ["label", "predicted", "speaker"]] = ["angry", "angry", "b"]
    rows.loc[::2, "predicted"] = np.where(right[::2], "angry", "sad")
    sure = _threshold(rows)
    # Above c, with true probabilities, (1 + c) / 2 are right.
    assert sure == pytest.approx(2 * WANTED - 1, abs=0.05)
    found = score(rows, sure)
    above = confidence >= sure
    assert found["coverage"] == pytest.approx(above.mean(), abs=1e-3)
    assert found["accuracy_if_sure"] == pytest.approx(right[above].mean(), abs=1e-3)
    assert found["confidence"] == pytest.approx(confidence.mean(), abs=1e-3)
    assert "accuracy_if_sure" not in score(rows, 1.1)


def test_calibration_undoes_a_temperature():
    rng = np.random.default_rng(1)
    p = rng.dirichlet([1, 1, 1], 4000)
    label = [rng.choice(list("abc"), p=row) for row in p]
    rows = pd.DataFrame(tempered(p, 1 / 2.5), columns=["p_a", "p_b", "p_c"]).assign(label=label)
    temperature = _calibrate(rows)
    assert temperature == pytest.approx(2.5, rel=0.1)
    calm = decide(rows, temperature)
    right = calm["label"] == calm["predicted"]
    assert calm["confidence"].mean() == pytest.approx(right.mean(), abs=0.02)
    assert (calm["predicted"] == decide(rows, 1.0)["predicted"]).all()


def test_a_card_s_temperature_reaches_the_answer(model):
    X = np.stack([model.features(np.asarray(synthesise_phrase("d03")), RATE)])
    plain = TrainedModel(model.estimator, model.extractors, {}).probabilities(X)
    hot = TrainedModel(model.estimator, model.extractors, {"temperature": 2.0}).probabilities(X)
    np.testing.assert_allclose(hot, np.sqrt(plain) / np.sqrt(plain).sum(), rtol=1e-6)


def test_limits_come_from_other_speakers_than_those_that_are_flagged():
    about = pd.DataFrame({"level": [-20.0, -21, -22, -60, -61, -62]})
    odd = pd.DataFrame({"kind": "soft", "row": [0, 3], "level": [-45.0, -75.0]})
    found = _flagged(about, odd, [np.array([0, 1, 2]), np.array([3, 4, 5])])
    # By themselves the second speaker's clips would have set the limits within which the first ones lie.
    assert found == {"as recorded": 1.0, "soft": 1.0}
    assert _flagged(about, odd, [np.array([0]), np.array([3])])["soft"] == 0.5


def test_a_trained_model_s_card_says_what_it_is_worth(model):
    card = model.card
    assert set(card["conditions"]) > {"as recorded", "telephone", "noise 10 dB", "clipped"}
    # Limits that four speakers set hold less well for a fifth.
    assert card["flagged"]["as recorded"] <= 0.15
    for kind in ("0.3 s", "-60 dBFS", "over full scale", "clipped", "music"):
        assert card["flagged"][kind] >= 0.8, kind
    assert card["score"]["low"] <= card["score"]["uar"] <= card["score"]["high"]


def test_clean_recordings_get_few_hints_and_others_many(model):
    limits = model.card["limits"]
    heard = [serlab.audio.read(path) for path in demo(5)["path"]]
    clean = [prediction.hints(prediction.describe(*one), limits) for one in heard]
    assert np.mean([bool(hints) for hints in clean]) <= 0.05
    rng = np.random.default_rng(0)
    spoilt = {
        "very quiet": lambda y: augment.gain(y, -45),
        "noisy": lambda y: augment.add_noise(y, 5, rng, colour="pink"),
        "telephone": lambda y: augment.telephone(y, RATE),
    }
    for word, change in spoilt.items():
        hints = []
        for y, _ in heard[::16]:
            hints.append(serlab.predict(change(y), RATE, model=model)["hints"][0])
        assert np.mean([word in hint for hint in hints]) >= 0.8, (word, hints)


def test_a_timeline_answers_every_second_that_has_sound(model):
    phrase = np.asarray(synthesise_phrase("d03", emotion="angry"))
    y = np.concatenate([phrase, np.zeros(8 * RATE, np.float32), phrase])
    table = serlab.predict(y, RATE, model=model, timeline=True)
    np.testing.assert_allclose(table["end"] - table["start"], 3.0)
    assert table["start"].is_monotonic_increasing
    assert table["start"][0] == 0.0
    assert table["end"].iloc[-1] == pytest.approx(len(y) / RATE)
    # The pause holds windows that are left out.
    assert table["start"].diff().max() > 3
    quiet = (table["start"] > len(phrase) / RATE) & (table["end"] < len(phrase) / RATE + 8)
    assert not quiet.any()


def test_a_recording_without_a_stretch_of_sound_keeps_a_row(model, tmp_path):
    y = np.zeros(10 * RATE, np.float32)
    y[:800] = 0.5
    with pytest.raises(AudioError, match="no window"):
        serlab.predict(y, RATE, model=model, timeline=True)


def test_what_cannot_be_heard_is_refused_by_name(model, tmp_path):
    with pytest.raises(ModelError, match="no sound files"):
        serlab.predict(tmp_path, model=model)
    with pytest.raises(ModelError, match=r"serlab\.predict\(y, sample_rate\)"):
        serlab.predict(np.zeros(16000), model=model)
    with pytest.raises(AudioError, match="nothing to hear"):
        serlab.predict(np.zeros(16000), 16000, model=model)
    with pytest.raises(ModelError, match="reading bytes"):
        serlab.predict(io.StringIO("RIFF"), model=model)
    (tmp_path / "clip.dat").write_bytes(b"RIFF\xff\xfe")
    for mode, encoding in {"r": "utf-8", "ab": None}.items():
        with (
            open(tmp_path / "clip.dat", mode, encoding=encoding) as file,
            pytest.raises(ModelError, match="reading bytes"),
        ):
            serlab.predict(file, model=model)
    with pytest.raises(ModelError, match="column path"):
        serlab.predict(pd.DataFrame({"file": []}), model=model)
    with pytest.raises(ModelError, match="empty name"):
        serlab.predict("", model=model)
    with pytest.raises(ModelError, match="not int"):
        serlab.predict(3, model=model)
    with pytest.raises(AudioError, match=r"nothing\.wav"):
        serlab.predict(tmp_path / "nothing.wav", model=model)


def test_votes_and_models_that_need_the_speaker_cannot_be_trained_to_be_kept():
    for name in ("three-vote", "logreg-summary-spknorm", "majority"):
        with pytest.raises(ModelError, match="by itself"):
            train(models.get(name), serlab.load("demo"))


def test_the_command_trains_predicts_and_reports(folder, tmp_path_factory, capsys):
    mine = tmp_path_factory.mktemp("mine")
    kept = mine / "kept" / "mine.serlab"
    table = demo(4).groupby(["speaker", "emotion"]).head(1)
    names = [shutil.copy(path, mine) and Path(path).name for path in table["path"]]
    table[["emotion", "speaker"]].assign(file=names).to_csv(mine / "metadata.csv", index=False)
    assert main(["train", str(mine), "tree-small", str(kept)]) == 0
    said = capsys.readouterr().out
    assert "speakers it has not heard: UAR" in said
    assert "interval says little" in said
    assert main(["predict", str(folder / "one.wav"), "--model", str(kept), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("recording,start,end,emotion,confidence,hints,p_")
    assert main(["predict", str(folder), "--model", str(kept), "--json"]) == 1  # One file is broken.
    said = capsys.readouterr().out
    rows = json.loads(said)
    assert [row["recording"] for row in rows] == ["broken.wav", "one.wav", "two.flac"]
    assert rows[1]["p_sad"] == round(rows[1]["p_sad"], 4)
    assert rows[0]["emotion"] is None
    assert main(["predict", str(folder / "no.wav"), "--model", str(kept)]) == 1
    assert "no.wav" in capsys.readouterr().err
    assert main(["train", "demo", "no-such-model", str(kept)]) == 1
    assert "serlab.models.names()" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["predict"])
    assert stop.value.code == 2


def test_what_cannot_be_trained_is_told_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(fit, "Study", lambda *given, **settings: pytest.fail("measured"))
    table = demo(2)
    with pytest.raises(ModelError, match=r"demo \(synthetic\) has no emotion but 'sad'"):
        train(models.get("logreg-summary"), table[table["emotion"] == "sad"])
    for name in ("valence-summary", "valence-byols-emotions"):
        with pytest.raises(ModelError, match=f"{name} cannot answer .* not one of valence"):
            train(models.get(name), table)


@pytest.mark.parametrize("hertz", [3906, 7266])
def test_where_a_sound_ends_is_told_with_all_that_may_be_why(hertz):
    (hint,) = prediction.hints({"highest": hertz}, {"highest": (7312.0, 8000.0)})
    assert hint == f"nothing above {hertz} Hz, as over a telephone or in a compressed file"
    assert familiarity.kinds(hint) == {"highest_low"}


def test_names_in_json_are_written_as_they_are(model, folder, capsys):
    kept = models.save(folder / "mine.serlab", model)
    shutil.copy(folder / "one.wav", folder / "Ärger.wav")
    assert main(["predict", str(folder / "Ärger.wav"), "--model", str(kept), "--json"]) == 0
    assert f'"recording": "{folder.as_posix()}/Ärger.wav"' in capsys.readouterr().out.replace("\\\\", "/")


def test_descriptions_of_recordings_agree_with_what_was_made():
    phrase = np.asarray(synthesise_phrase("d03"))
    about = prediction.describe(phrase, RATE)
    softer = prediction.describe(augment.gain(phrase, -20), RATE)
    assert softer["level"] == pytest.approx(about["level"] - 20, abs=0.1)
    assert about["duration"] == pytest.approx(len(phrase) / RATE, abs=0.01)
    assert prediction.describe(augment.telephone(phrase, RATE), RATE)["highest"] < 4000


@pytest.mark.parametrize("beyond", [-61.44, 7000.2, 0.0])
def test_every_hint_has_a_name_and_warnings_about_files_share_one(beyond):
    for name, side in familiarity.HINTS:
        limit = beyond - side
        (told,) = prediction.hints({name: beyond}, {name: (limit, limit)})
        kind = f"{name}_{'low' if side < 0 else 'high'}"
        assert familiarity.kinds(told) == {kind}
        assert familiarity.kinds(f"{told}; its length was guessed; 3 bytes are odd") == {kind, "file"}
        assert kind in familiarity.KINDS
    assert familiarity.kinds("") == set()


@pytest.fixture(scope="module")
def shipped():
    return models.load(Path(prediction.__file__).parent / "emotions.serlab").card


def test_noise_echo_and_telephone_cost_the_shipped_model_little_and_never_make_it_surer(shipped):
    conditions = shipped["conditions"]
    clean = conditions["as recorded"]
    for name, points in {"noise 10 dB": 0.15, "church": 0.10, "telephone": 0.05}.items():
        assert clean["uar"] - conditions[name]["uar"] <= points, name
    for name, found in conditions.items():
        assert found["confidence"] <= clean["confidence"], name


def test_the_shipped_model_says_what_it_is_not_made_for(shipped):
    flagged = dict(shipped["flagged"])
    assert flagged.pop("as recorded") <= 0.05
    # RAVDESS itself has clips as soft as these.
    flagged.pop("-50 dBFS")
    assert min(flagged.values()) >= 0.8


def test_pages_say_what_the_card_says(shipped):
    root = Path(__file__).parents[1]
    page = (root / "book/api/prediction.md").read_text(encoding="utf-8")
    for name, found in shipped["conditions"].items():
        assert f"| {name} | {100 * found['uar']:.1f} | {100 * found['confidence']:.1f} |" in page
    for kind, share in shipped["flagged"].items():
        assert f"| {kind} | {100 * share:.1f} |" in page
    readme = " ".join((root / "README.md").read_text(encoding="utf-8").split())
    assert f"has a UAR of {100 * shipped['score']['uar']:.1f} %" in readme
    scores = [100 * one["uar"] for one in shipped["unheard_corpus"].values()]
    assert f"UAR is {min(scores):.0f} to {max(scores):.0f} %" in readme


def test_scaling_components_and_regression_are_one_linear_map():
    from serlab.prediction import emotions

    rng = np.random.default_rng(0)
    X, y = rng.normal(3, 2, (60, 500)), np.repeat(["angry", "happy", "sad"], 20)
    pipeline = emotions.build(0).set_params(pca__n_components=10).fit(X, y)
    whole = emotions.joined(TrainedModel(pipeline, (), {}))
    np.testing.assert_allclose(whole.probabilities(X), pipeline.predict_proba(X), atol=1e-9)


def test_what_is_no_recording_is_told_from_what_is(model, folder):
    (folder / "empty").mkdir()
    (folder / "._one.wav").write_bytes(b"notes of macOS")
    answers = serlab.predict([folder / "empty", folder / "two.flac"], model=model)
    assert answers["emotion"].isna().tolist() == [True, False]
    assert len(serlab.predict(folder, model=model)) == 3
    paths = pd.Series([str(folder / "two.flac")])
    for many in (paths, paths.to_numpy(dtype=str)):
        assert len(serlab.predict(many, model=model)) == 1
    with pytest.raises(ModelError, match="empty"):
        serlab.predict([], model=model)
    with pytest.raises(ModelError, match="in Hz"):
        serlab.predict(np.zeros(16000), 16, model=model)
    with pytest.raises(ModelError, match="says its own"):
        serlab.predict(folder / "two.flac", 8000, model=model)
    with pytest.raises(ModelError, match=r"models\.save keeps"):
        serlab.predict(folder / "two.flac", model=models.get("logreg-summary"))
    for place in (folder, folder / ("a" * 300)):
        with pytest.raises(ModelError, match="cannot be read"):
            serlab.predict(folder / "two.flac", model=place)


def test_what_is_passed_over_in_a_folder_is_told(model, folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("three.weba", "four.M4R", "talk", ".hidden"):
        shutil.copy(folder / "one.wav", elsewhere / name)
    (elsewhere / ".git").mkdir()
    (elsewhere / ".git" / "index").write_bytes(b"no sound")
    try:
        (folder / "more").symlink_to(elsewhere, target_is_directory=True)
        (elsewhere / "back").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("this system has no links")
    with pytest.warns(UserWarning, match=r"passed over.*: 1, such as more.talk\. Name each") as told:
        answers = serlab.predict(folder, model=model)
    assert len(told) == 1
    named = ["broken.wav", str(Path("more", "four.M4R")), str(Path("more", "three.weba"))]
    assert answers["recording"].tolist() == [*named, "one.wav", "two.flac"]
    for name in ("three.weba", "four.M4R", "back"):
        (elsewhere / name).unlink()
    with pytest.warns(UserWarning, match="such as talk"), pytest.raises(ModelError, match="no sound files"):
        serlab.predict(elsewhere, model=model)


def test_paths_may_come_from_anything_that_gives_them(model, folder):
    good = [folder / "one.wav", folder / "two.flac"]
    for many in (iter(good), set(good), dict.fromkeys(good).keys(), pd.Index(good), map(str, good)):
        answers = serlab.predict(many, model=model)
        assert sorted(answers["recording"]) == [str(path) for path in good]
        assert answers["emotion"].notna().all()
    with pytest.raises(ModelError, match="nothing to listen to"):
        serlab.predict(folder.glob("*.none"), model=model)


def test_samples_are_held_to_what_files_are_held_to(model):
    y = np.asarray(synthesise_phrase("d03"))
    for rate in (np.int64(RATE), np.float32(RATE)):
        assert len(serlab.predict(y, rate, model=model)) == 1
    for rate in (np.inf, np.nan, 0, -RATE, 1e9, str(RATE)):
        with pytest.raises(ModelError, match="rate in Hz"):
            serlab.predict(y, rate, model=model)
    for stereo in (np.stack([y, y]), np.stack([y, y], axis=1)):
        with pytest.raises(AudioError, match="Average the channels first"):
            serlab.predict(stereo, RATE, model=model)
    with pytest.raises(AudioError, match=r"last 0\.05 s"):
        serlab.predict(y[8000:8800], RATE, model=model)
    with pytest.raises(AudioError, match="nothing to hear"):
        serlab.predict(1e-6 * y, RATE, model=model)
    with pytest.raises(ModelError, match="in an array of NumPy"):
        serlab.predict(y.tolist(), RATE, model=model)


def test_what_predict_is_given_in_error_is_named(model, folder):
    for given, message in (
        ("~nobody-of-that-name/x.wav", "does not exist"),
        ("a" * 3000 + ".wav", "longer name than a file can have"),
        ("https://example.org/x.wav", "is an address, not a file"),
        ((np.zeros(9), RATE), "not tuple with ndarray in it"),
        ([folder / "one.wav", None], "not list with NoneType in it"),
        ((folder / "one.wav").read_bytes(), "not bytes"),
    ):
        with pytest.raises((AudioError, ModelError), match=message):
            serlab.predict(given, model=model)


def test_an_open_file_is_called_by_its_own_name(model, folder):
    y = np.asarray(synthesise_phrase("d03"))
    soundfile.write(folder / "cut.wav", np.clip(50 * y, -1, 1), RATE)
    with open(folder / "cut.wav", "rb") as file:
        answers = serlab.predict(file, model=model)
    assert answers["recording"].tolist() == [str(folder / "cut.wav")]
    assert f"{folder / 'cut.wav'} is clipped" in answers["hints"][0]
    answers = serlab.predict(io.BytesIO((folder / "cut.wav").read_bytes()), model=model)
    assert answers["hints"][0].startswith("sound is clipped")
    with pytest.raises(AudioError, match=r"^sound is empty"):
        serlab.predict(io.BytesIO(), model=model)


def test_a_name_that_is_no_text_costs_nobody_an_answer(model, folder, monkeypatch):
    odd = os.fsdecode(os.fsencode(folder) + b"/na\xefve.wav")
    try:
        shutil.copy(folder / "one.wav", odd)
    except OSError:
        pytest.skip("this system has no such names")
    shutil.copy(folder / "one.wav", folder / "\N{GRINNING FACE}\n.wav")
    kept = models.save(folder / "mine.serlab", model)
    bytes_written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_written, "ascii"))
    assert main(["predict", str(folder), "--model", str(kept), "--csv"]) == 1  # One file is broken.
    answers = pd.read_csv(io.BytesIO(bytes_written.getvalue()))
    named = ["broken.wav", r"na\xefve.wav", "one.wav", "two.flac", "\\U0001f600\n.wav"]
    assert sorted(answers["recording"]) == sorted(named)
    assert answers.set_index("recording")["emotion"].isna().sum() == 1


def test_a_folder_that_cannot_be_opened_is_not_passed_over(model, folder, monkeypatch):
    (folder / "locked").mkdir()
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ModelError, match=r"locked cannot be opened \(Permission denied\)"):
        serlab.predict(folder, model=model)


def test_an_interrupted_command_says_so(folder, monkeypatch, capsys):
    def interrupt(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(prediction, "predict", interrupt)
    assert main(["predict", str(folder)]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_no_recording_is_overwritten_by_a_model(model, folder, capsys):
    before = (folder / "two.flac").read_bytes()
    with pytest.raises(ModelError, match="holds no model"):
        models.save(folder / "two.flac", model)
    assert main(["train", "demo", "logreg-summary", str(folder / "two.flac")]) == 1
    assert main(["train", "demo", "logreg-summary", str(folder)]) == 1
    assert "is a folder" in capsys.readouterr().err
    assert (folder / "two.flac").read_bytes() == before
    # A model gives way to a newer one.
    for _ in range(2):
        models.save(folder / "mine.serlab", model)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device here")
def test_a_disk_that_is_full_is_an_error_and_no_traceback(tmp_path):
    (tmp_path / "ann").mkdir()
    soundfile.write(tmp_path / "ann" / "sad.wav", synthesise_phrase("d01"), RATE)
    (tmp_path / "metadata.csv").write_text("path,speaker,emotion\nann/sad.wav,ann,sad\n", encoding="utf-8")
    command = [sys.executable, "-m", "serlab", "validate", str(tmp_path)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: the answers could not be written: No space left on device\n"

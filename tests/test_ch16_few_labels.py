"""The study of few labels: its steps, and its recorded tables against each other."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from serlab import runs, splits
from serlab.corpora import unify
from serlab.errors import RunError
from serlab.lessons import ch16_few_labels as few_labels
from serlab.lessons import ch16_learning_curve as learning_curve
from serlab.lessons import ch16_segments as segments

# Steps


def test_three_sets_have_three_classes_and_no_speaker_in_common(demo):
    table = few_labels.in_sets(unify([demo]))
    assert set(table["ternary"]) == {"negative", "neutral", "positive"}
    assert set(table["set"]) == set(segments.SETS)
    assert table.groupby("speaker")["set"].nunique().max() == 1


def test_every_fifth_speaker_is_held_out():
    speakers = [f"s{number:02}" for number in (3, 1, 2, 0, 4, 5, 6, 1)]
    held = few_labels.held_out(speakers)
    assert [name for name, out in zip(speakers, held, strict=True) if out] == ["s00", "s05"]


def test_of_good_networks_the_smallest_is_chosen():
    rows = [
        ("wide", 64, 0.2700, 2000),
        ("slim", 64, 0.2750, 500),
        ("slim", 64, 0.2740, 500),
        ("dense", 64, 0.2900, 100),
        ("dense", 32, 0.2000, 50),
    ]
    found = pd.DataFrame(rows, columns=["architecture", "latent", "loss", "parameters"])
    found = found.assign(learning_rate=[0.1, 0.2, 0.3, 0.4, 0.5], batch_size=16)
    chosen = few_labels.choose_network(found)
    assert (chosen["architecture"], chosen["learning_rate"], chosen["latent"]) == ("slim", 0.3, 64)


def test_components_are_found_on_the_rows_given_alone():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 20)).astype(np.float32)
    rows = np.arange(40)
    found = few_labels.pca_scores(X, rows, 5)
    assert found.shape == (60, 5)
    changed = X.copy()
    changed[50] *= 100
    np.testing.assert_allclose(few_labels.pca_scores(changed, rows, 5)[:50], found[:50], rtol=1e-5)
    np.testing.assert_array_equal(few_labels.pca_scores(X, rows, 20), X)


def test_codes_are_learned_from_the_rows_given_alone_and_kept(private_cache, monkeypatch, tmp_path):
    from serlab.lessons.ch16_autoencoder import Autoencoder

    monkeypatch.setattr(few_labels, "cache_dir", lambda: tmp_path)
    pictures = np.random.default_rng(0).uniform(size=(30, 8, 8)).astype(np.float32)
    speakers = np.repeat(list("abcdef"), 5)
    settings = {"architecture": "dense", "latent": 3, "epochs": 1}
    seen = []
    fit = Autoencoder.fit

    def spy(self, X, y=None, validation=None):
        seen.append((X, validation))
        return fit(self, X, y, validation)

    monkeypatch.setattr(Autoencoder, "fit", spy)
    found = few_labels.encode(pictures, np.arange(25), speakers, settings)
    assert found.shape == (30, 3)
    np.testing.assert_array_equal(seen[0][0], pictures[5:25])
    np.testing.assert_array_equal(seen[0][1], pictures[:5])
    np.testing.assert_array_equal(few_labels.encode(pictures, np.arange(25), speakers, settings), found)
    assert len(seen) == 1
    few_labels.encode(pictures, np.arange(20), speakers, settings)
    assert len(seen) == 2


def test_a_stage_writes_its_table_once(private_cache, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    monkeypatch.delenv("SERLAB_DATA", raising=False)
    monkeypatch.setattr(runs, "root", lambda: tmp_path)
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    with pytest.raises(RunError, match="Recorded there: nothing"):
        few_labels.read("bookkeeping")
    with pytest.raises(RunError, match=r"about\.json does not exist"):
        few_labels.about()
    assert few_labels.main(["--stage", "bookkeeping"]) == 0
    books = few_labels.read("bookkeeping")
    assert set(books["cut"]) == set(few_labels.CUTS)
    facts = few_labels.about()["bookkeeping"]
    assert facts["corpora"]["clips"] == books[books["cut"] == few_labels.MAIN]["clips"].sum()
    assert {"machine", "versions", "code"} <= set(facts)
    capsys.readouterr()
    assert few_labels.main(["--stage", "bookkeeping"]) == 0
    assert "recorded already" in capsys.readouterr().out
    # A table that was changed by hand is not read.
    file = tmp_path / few_labels.FOLDER / "bookkeeping.csv"
    file.write_text(file.read_text("utf-8").replace("labelled", "unlabelled", 1), "utf-8")
    with pytest.raises(RunError, match=r"bookkeeping\.csv is damaged"):
        few_labels.read("bookkeeping")
    # The search it builds upon is missing.
    assert few_labels.main(["--stage", "cuts"]) == 1
    assert "search.csv does not exist" in capsys.readouterr().err


def test_stages_build_upon_each_other(private_cache, monkeypatch, tmp_path):
    """Run search, curves and cuts on the synthetic corpus, with settings that take no time."""
    from serlab.features import MidTerm
    from serlab.lessons import ch16_autoencoder as autoencoder

    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    monkeypatch.delenv("SERLAB_DATA", raising=False)
    monkeypatch.setattr(runs, "root", lambda: tmp_path)
    monkeypatch.setattr(runs.record, "root", lambda: tmp_path)
    monkeypatch.setattr(few_labels, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(few_labels, "GRID", {"latent": (64,), "learning_rate": (0.01,), "batch_size": (64,)})
    monkeypatch.setattr(few_labels, "EPOCHS", 1)
    monkeypatch.setattr(few_labels, "DRAWS", 2)
    monkeypatch.setattr(few_labels, "CUT_PERCENTAGES", (50, 100))
    monkeypatch.setattr(few_labels, "CUTS", {"short": (1.9, False), few_labels.MAIN: (1.5, True)})
    monkeypatch.setattr(few_labels, "Egemaps", lambda: MidTerm(sample_rate=8000, mid_step=0.5))
    monkeypatch.setattr(few_labels, "ByolS", lambda: MidTerm(sample_rate=8000, short_step=0.025))
    monkeypatch.setattr(autoencoder, "ARCHITECTURES", {"dense": autoencoder.dense})
    quick = {"knn": partial(learning_curve.classifier, "knn", True)}
    quick["knn-default"] = partial(learning_curve.classifier, "knn", False)
    monkeypatch.setattr(learning_curve, "study", lambda *_, **__: quick)
    given = {name: watched(monkeypatch, few_labels, name) for name in ("encode", "pca_scores", "_learn")}
    searched = watched(monkeypatch, autoencoder, "search")
    assert few_labels.main([f"--stage={name}" for name in ("search", "three-sets", "cuts")]) == 0

    whole = few_labels.in_sets(few_labels.corpora.load("unified"))
    set_of = whole.drop_duplicates("speaker").set_index("speaker")["set"]
    # What is fitted without labels is fitted on all clips of the unlabelled speakers, and on no other.
    for (_, rows, speakers, _), _ in given["encode"]:
        sets = set_of[speakers].to_numpy()
        np.testing.assert_array_equal(rows, np.flatnonzero(sets == "unlabelled"))
    [((_, rows, _), _)] = given["pca_scores"]
    np.testing.assert_array_equal(rows, given["encode"][0][0][1])
    # Models learn from labelled speakers, as much of every class, and are tested on all of the test set.
    assert len(given["_learn"]) == 4 + 2 * 2
    for (_, X, listed, fold, _), _ in given["_learn"]:
        assert len(X) == len(listed)
        assert set(listed["set"].iloc[fold.train]) == {"labelled"}
        assert len(set(listed["ternary"].iloc[fold.train].value_counts())) == 1
        np.testing.assert_array_equal(fold.test, np.flatnonzero(listed["set"] == "test"))
    # Networks are chosen by speakers who are neither trained on nor labelled nor tested.
    _, listed, _, pictures, _ = few_labels._cut(few_labels.MAIN)
    speaker_of = {picture.tobytes(): name for picture, name in zip(pictures, listed["speaker"], strict=True)}
    assert len(speaker_of) == len(pictures)
    [((*sides, _), _)] = searched
    trained, validated = ({speaker_of[picture.tobytes()] for picture in side} for side in sides)
    assert trained | validated == set(set_of.index[set_of == "unlabelled"])
    assert trained
    assert validated
    assert not trained & validated

    curves = few_labels.read("three-sets")
    assert set(curves["kind"]) == set(few_labels.KINDS)
    assert len(curves) == 4 * 2 * 2 * 50
    about = few_labels.about()
    assert list(about) == ["search", "three-sets", "cuts"]
    books = about["cuts"]["parts"]
    assert books[few_labels.MAIN]["labelled"] == 3 * about["three-sets"]["labelled_per_class"]
    assert books["short"]["test"] < books[few_labels.MAIN]["test"]
    leads = few_labels.read("three-sets-leads")
    assert set(leads["against"]) == set(few_labels.KINDS) - {"codes"}
    found = few_labels.read("cuts").query("cut == @few_labels.MAIN and percent == 100 and model == 'knn'")
    same = curves.query("percent == 100 and model == 'knn' and kind in ['codes', 'statistics']")
    assert set(found["value"]) == set(same["value"])


def watched(monkeypatch, module, name):
    """Let a function note what it is given; return the notes."""
    given, function = [], getattr(module, name)

    def noting(*arguments, **more):
        given.append((arguments, more))
        return function(*arguments, **more)

    monkeypatch.setattr(module, name, noting)
    return given


@pytest.fixture
def in_the_place_of_ravdess(demo, monkeypatch, tmp_path):
    """Let stages on RAVDESS run on 64 clips of four synthetic speakers; give the table and its two folds."""
    from serlab.features import Rms, Summary

    few = demo[demo["speaker"].isin(sorted(set(demo["speaker"]))[:4])]
    few = few.groupby(["speaker", "emotion"]).head(2).reset_index(drop=True)
    few.attrs = demo.attrs
    split = splits.speaker_folds(few, 2)

    def small(*statistics):
        found = Summary(features=(Rms(scale="db"),), statistics=statistics, timing=False)
        return lambda **_: found

    monkeypatch.setattr(few_labels.corpora, "load", {"ravdess": few}.__getitem__)
    monkeypatch.setattr(few_labels.splits, "make", lambda table, protocol: {"emobox6": split}[protocol])
    monkeypatch.setattr(few_labels, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(few_labels, "read", {"search": None}.__getitem__)
    monkeypatch.setattr(few_labels, "choose_network", lambda found: {"latent": 3})
    monkeypatch.setattr(few_labels, "encode", lambda pictures, rows, speakers, settings: pictures * 2)
    for name, statistics in (
        ("Spectrogram", ("mean", "max")),
        ("MidTerm", ("min", "max", "std")),
        ("Egemaps", ("mean", "std")),
        ("ByolS", ("p20", "p80", "range")),
        ("Summary", ("slope", "median")),
    ):
        monkeypatch.setattr(few_labels, name, small(*statistics))
    quick = {"knn": partial(learning_curve.classifier, "knn", True)}
    monkeypatch.setattr(learning_curve, "study", lambda *_, **__: quick)
    monkeypatch.setattr(learning_curve, "learn", partial(learning_curve.learn, n_jobs=1))
    monkeypatch.setattr(few_labels, "_learn", partial(few_labels._learn, percentages=(10, 100)))
    return few, split


def test_stage_ravdess_fits_on_training_rows_and_joins_all_folds(in_the_place_of_ravdess, monkeypatch):
    table, split = in_the_place_of_ravdess
    given = {name: watched(monkeypatch, few_labels, name) for name in ("encode", "pca_scores", "_learn")}
    join = learning_curve.join
    curves = []
    monkeypatch.setattr(learning_curve, "join", lambda parts: curves.append(join(parts)) or curves[-1])
    tables, facts, _ = few_labels._ravdess()
    assert facts["draws_per_fold"] == few_labels.DRAWS_PER_FOLD == 2
    for number, fold in enumerate(split):
        for name in ("encode", "pca_scores"):
            np.testing.assert_array_equal(given[name][number][0][1], fold.train)
        for (_, X, rows_of, learned, draws, place), _ in given["_learn"][4 * number : 4 * number + 4]:
            assert len(X) == len(rows_of) == len(table)
            assert (learned, draws, place) == (fold, 2, number)
    assert [np.shape(call[0][1])[1] for call in given["_learn"]] == [2, 3, 2, 3] * 2
    written = tables["ravdess"]
    assert list(written["kind"].unique()) == list(few_labels.KINDS)
    for kind, one in zip(few_labels.KINDS, curves, strict=True):
        assert set(one.speakers) == set(table["speaker"])
        expected = one.scores("uar")[["percent", "value", "low", "high"]].round(4)
        found = written[(written["kind"] == kind) & (written["metric"] == "uar")][expected.columns]
        np.testing.assert_allclose(found, expected)


def test_stage_vote_finds_components_on_training_rows_and_teaches_where_it_says_so(
    in_the_place_of_ravdess, monkeypatch
):
    _, split = in_the_place_of_ravdess
    given = {name: watched(monkeypatch, few_labels, name) for name in ("pca_scores", "_learn")}
    tables, facts, _ = few_labels._vote()
    assert len(given["pca_scores"]) == 3 * len(split)
    for number, (fold, ((models, X, _, learned, _, place), _)) in enumerate(
        zip(split, given["_learn"], strict=True)
    ):
        for (_, rows, _), _ in given["pca_scores"][3 * number : 3 * number + 3]:
            np.testing.assert_array_equal(rows, fold.train)
        assert (learned, place) == (fold, number)
        built = {name: build(seed=0, clips=8) for name, build in models.items()}
        own = {"summary": slice(0, 2), "egemaps": slice(2, 4), "byols": slice(4, 7)}
        assert X.shape[1] == 7
        assert {name: (one.parts, one.rounds) for name, one in built.items()} == {
            **{name: ([part], 0) for name, part in own.items()},
            "vote": (list(own.values()), 0),
            "self-trained": (list(own.values()), 3),
        }
    written = tables["vote"]
    value = written.query("metric == 'uar'").set_index(["model", "percent"])["value"]
    for model, found in facts["cost_of_a_tenth"].items():
        assert found[0] == pytest.approx(value[model, 100] - value[model, 10], abs=2e-4)
    gained = value["self-trained", 10] - value["vote", 10]
    assert facts["gain_of_teaching"][0] == pytest.approx(gained, abs=2e-4)


# What is recorded


there = pytest.mark.skipif(
    not (runs.root() / few_labels.FOLDER / "about.json").is_file(), reason="not recorded yet"
)


@there
def test_every_stage_is_recorded_with_its_facts():
    about = few_labels.about()
    assert list(about) == list(few_labels.STAGES)
    for stage, facts in about.items():
        assert {"seconds", "corpora", "machine", "versions", "code", few_labels.DIGESTS} <= set(facts), stage
        assert "/" not in facts["machine"]
    tables = [name for facts in about.values() for name in facts[few_labels.DIGESTS]]
    files = (runs.root() / few_labels.FOLDER).glob("*.csv")
    assert sorted(tables) == sorted(file.stem for file in files)
    for name in tables:
        few_labels.read(name)
    assert about["search"]["chosen"] == few_labels.choose_network(few_labels.read("search"))
    assert (
        about["search"]["floor"] < few_labels.read("search")["loss"].min() < about["search"]["mean_picture"]
    )
    assert about["three-sets"]["autoencoder"] == about["search"]["chosen"] == about["ravdess"]["autoencoder"]


@there
def test_each_architecture_was_tuned_over_eight_settings():
    found = few_labels.read("search")
    assert found.groupby("architecture").size().to_dict() == {"dense": 8, "slim": 8, "wide": 8}
    assert not found.duplicated(["architecture", *few_labels.GRID]).any()


@there
@pytest.mark.parametrize("name", ["three-sets", "cuts", "ravdess", "vote"])
def test_values_lie_within_their_intervals(name):
    found = few_labels.read(name)
    assert (found["low"] <= found["value"] + 0.02).all()
    assert (found["value"] <= found["high"] + 0.02).all()
    assert found[["value", "low", "high"]].min().min() >= 0
    assert found["high"].max() <= 1
    assert set(found["metric"]) == {"uar", "weighted_f1"}


@there
@pytest.mark.parametrize(("name", "draws"), [("three-sets", 10), ("ravdess", 2)])
def test_curves_are_the_mean_of_their_draws(name, draws):
    found, single = few_labels.read(name), few_labels.read(f"{name}-draws")
    keys = ["kind", "model", "metric", "percent"]
    assert (single.groupby(keys)["draw"].nunique() == draws).all()
    assert set(found["percent"]) == set(learning_curve.PERCENTAGES)
    assert set(found["kind"]) == set(few_labels.KINDS)
    pair = found[found["metric"] == "uar"].set_index(keys)["value"]
    mean = single[single["metric"] == "uar"].groupby(keys)["value"].mean()
    np.testing.assert_allclose(mean[pair.index], pair, atol=2e-4)
    models = set(learning_curve.CLASSIFIERS)
    assert models <= set(found[found["kind"] == "codes"]["model"])
    assert models <= set(found[found["kind"] == "statistics"]["model"])


@there
@pytest.mark.parametrize("name", ["three-sets", "ravdess"])
def test_differences_and_leads_follow_from_the_curves(name):
    curves, pairs = few_labels.read(name), few_labels.read(f"{name}-differences")
    leads = few_labels.read(f"{name}-leads")
    value = curves.set_index(["kind", "model", "metric", "percent"])["value"]
    for one in pairs.sample(200, random_state=0).itertuples():
        wanted = value["codes", one.model, one.metric, one.percent]
        wanted -= value[one.against, one.model, one.metric, one.percent]
        assert one.difference == pytest.approx(wanted, abs=2e-4)
    for one in leads.itertuples():
        part = pairs[(pairs["against"] == one.against) & (pairs["model"] == one.model)]
        part = part[(part["metric"] == one.metric) & (part["percent"] > one.above)]
        part = part[part["percent"] <= one.up_to]
        assert one.difference == pytest.approx(part["difference"].mean(), abs=2e-4)
        assert one.low <= one.difference <= one.high


@there
def test_bookkeeping_loses_nothing_unaccounted():
    books = few_labels.read("bookkeeping")
    assert (books["kept"] + books["lost"] == books["clips"]).all()
    assert (books[books["cut"] == few_labels.MAIN]["lost"] == 0).all()
    assert len(set(books.groupby("cut")["clips"].sum())) == 1


@there
def test_all_labels_leave_nothing_to_learn_by_itself():
    votes = few_labels.read("vote").query("percent == 100")
    both = votes[votes["model"].isin(["vote", "self-trained"])]
    assert both.groupby("metric")["value"].nunique().max() == 1

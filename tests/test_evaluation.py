"""Metrics against scikit-learn, bootstrap against a plain loop, comparison against what must be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier

from serlab import evaluation
from serlab.errors import EvaluationError

CLASSES = ["neutral", "happy", "sad"]


def made_up(n_speakers=6, per_speaker=20, right=0.6, seeds=(0, 1), seed=0):
    """Draw predictions that are right more often for some speakers than for others."""
    rng = np.random.default_rng(seed)
    label = rng.choice(CLASSES, n_speakers * per_speaker, p=[0.2, 0.3, 0.5])
    speaker = np.repeat([f"s{k}" for k in range(n_speakers)], per_speaker)
    skill = np.repeat(rng.uniform(right - 0.3, right + 0.3, n_speakers), per_speaker)
    parts = []
    for s in seeds:
        guess = rng.choice(CLASSES, label.size)
        predicted = np.where(rng.random(label.size) < skill, label, guess)
        clip = [f"c{k:03d}" for k in range(label.size)]
        parts.append(pd.DataFrame({"clip": clip, "speaker": speaker, "fold": 0, "seed": s, "label": label}))
        parts[-1]["predicted"] = predicted
    return pd.concat(parts, ignore_index=True)


def test_metrics_agree_with_scikit_learn():
    p = made_up()
    label, predicted = p["label"], p["predicted"]
    assert evaluation.uar(label, predicted) == pytest.approx(
        metrics.balanced_accuracy_score(label, predicted)
    )
    assert evaluation.accuracy(label, predicted) == pytest.approx(metrics.accuracy_score(label, predicted))
    f1 = metrics.f1_score(label, predicted, average="macro")
    assert evaluation.macro_f1(label, predicted) == pytest.approx(f1)
    counts = evaluation.confusion(label=label, predicted=predicted)
    assert counts.columns.tolist() == CLASSES, "the usual order of the emotions, not the alphabet"
    np.testing.assert_array_equal(counts, metrics.confusion_matrix(label, predicted, labels=CLASSES))
    report = evaluation.report(label=label, predicted=predicted)
    expected = metrics.precision_recall_fscore_support(label, predicted, labels=CLASSES)
    np.testing.assert_allclose(report.loc[CLASSES].to_numpy().T, np.array(expected))
    assert report.loc["mean", "recall"] == pytest.approx(evaluation.uar(label, predicted))
    assert report.loc["mean", "clips"] == len(p)


def test_a_class_that_is_said_but_never_meant_lowers_f1_not_recall():
    label, predicted = ["sad", "sad", "happy"], ["sad", "angry", "happy"]
    assert evaluation.uar(label, predicted) == 0.75
    f1 = metrics.f1_score(label, predicted, average="macro", zero_division=0)
    assert evaluation.macro_f1(label, predicted) == pytest.approx(f1)
    report = evaluation.report(label=label, predicted=predicted)
    assert np.isnan(report.loc["angry", "recall"])
    assert report.loc["mean", "recall"] == 0.75


def test_arguments_cannot_be_swapped_unnoticed():
    with pytest.raises(TypeError):
        evaluation.report(["sad"], ["sad"])
    with pytest.raises(TypeError):
        evaluation.confusion(["sad"], ["sad"])


def test_own_class_names_keep_their_order_after_the_usual_ones():
    found = evaluation.confusion(label=["zeal", "sad", "awe"], predicted=["zeal", "sad", "awe"])
    assert found.index.tolist() == ["sad", "awe", "zeal"]
    chosen = evaluation.confusion(label=["sad"], predicted=["sad"], classes=["sad", "happy"])
    assert chosen.shape == (2, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evaluation.uar(["sad"], ["sad", "happy"]), "1 labels do not go with 2"),
        (lambda: evaluation.uar([], []), "nothing to evaluate"),
        (lambda: evaluation.confusion(label=["sad"], predicted=["odd"], classes=["sad"]), "'odd'.*not among"),
        (lambda: evaluation.floors([]), "at least one label"),
        (lambda: evaluation.bootstrap(made_up(), metric="f2"), "unknown metric 'f2': use one of uar"),
        (lambda: evaluation.bootstrap(made_up(n_speakers=1)), "at least two speakers"),
        (lambda: evaluation.bootstrap(made_up().drop(columns="speaker")), "lack the columns speaker"),
        (lambda: evaluation.compare(made_up(), made_up().iloc[3:].query("seed == 0")), "3 clips.*c000"),
        (lambda: evaluation.compare(made_up(), made_up(seed=1)), "another label"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(EvaluationError, match=message):
        call()


@pytest.mark.parametrize("metric", ["uar", "accuracy", "macro_f1"])
def test_bootstrap_equals_a_plain_loop(metric):
    p = made_up(n_speakers=5, per_speaker=8)
    measure = getattr(evaluation, metric)
    speakers = sorted(p["speaker"].unique())
    times = np.random.default_rng(3).multinomial(5, np.full(5, 1 / 5), size=60)
    values = []
    for row in times:
        drawn = pd.concat(
            [p[p["speaker"] == s] for s, k in zip(speakers, row, strict=True) for _ in range(k)]
        )
        values.append(measure(drawn["label"], drawn["predicted"]))
    interval = evaluation.bootstrap(p, metric, n=60, seed=3)
    assert interval.value == pytest.approx(measure(p["label"], p["predicted"]))
    np.testing.assert_allclose([interval.low, interval.high], np.quantile(values, [0.025, 0.975]))


def test_interval_over_speakers_is_wider_than_over_clips():
    p = made_up(n_speakers=10, per_speaker=60, seeds=(0,))
    by_speaker = evaluation.bootstrap(p)
    by_clip = evaluation.bootstrap(p.assign(speaker=p["clip"]))
    assert by_speaker.high - by_speaker.low > 1.5 * (by_clip.high - by_clip.low)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    inside = 0
    for trial in range(200):
        rng = np.random.default_rng(trial)
        skill = np.repeat(rng.uniform(0.3, 0.9, 24), 20)
        label = np.tile(["sad", "happy"], 240)
        wrong = np.where(label == "sad", "happy", "sad")
        p = pd.DataFrame({"speaker": np.repeat(np.arange(24), 20), "label": label})
        p["predicted"] = np.where(rng.random(480) < skill, label, wrong)
        interval = evaluation.bootstrap(p, n=300)
        inside += interval.low <= 0.6 <= interval.high
    assert 0.88 <= inside / 200 <= 0.99


def test_pooling_over_seeds_is_the_mean_over_seeds():
    p = made_up(seeds=(0, 1, 2))
    each = [evaluation.uar(part["label"], part["predicted"]) for _, part in p.groupby("seed")]
    assert evaluation.bootstrap(p).value == pytest.approx(np.mean(each))
    found = evaluation.scores(p)
    assert found["uar"] == pytest.approx(np.mean(each), abs=1e-5)
    assert found["uar_seed_sd"] == pytest.approx(np.std(each, ddof=1), abs=1e-5)


def test_scores_hold_fold_means_and_leave_out_what_cannot_be_said():
    p = made_up(seeds=(0,))
    p["fold"] = p["speaker"].isin(["s0", "s1"]).astype(int)
    found = evaluation.scores(p)
    folds = [metrics.balanced_accuracy_score(f["label"], f["predicted"]) for _, f in p.groupby("fold")]
    assert found["uar_fold_mean"] == pytest.approx(np.mean(folds), abs=1e-5)
    assert found["uar_low"] < found["uar"] < found["uar_high"]
    assert "uar_seed_sd" not in found
    assert "uar_low" not in evaluation.scores(p[p["speaker"] == "s0"])


def test_compare_pairs_speakers():
    good = made_up(right=0.6, seeds=(0,))
    same = evaluation.compare(good, good)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    better = good.copy()
    wrong = better.index[better["label"] != better["predicted"]]
    # One more hit for every speaker: small beside the spread between speakers, but never absent.
    helped = better.loc[wrong].groupby("speaker").head(2).index
    better.loc[helped, "predicted"] = better.loc[helped, "label"]
    paired = evaluation.compare(better, good)
    spread = evaluation.bootstrap(good)
    assert paired.low > 0
    assert paired.p < 0.01
    assert paired.difference < spread.high - spread.low
    back = evaluation.compare(good, better)
    assert back.difference == pytest.approx(-paired.difference)
    assert back.p == paired.p


def test_compare_takes_runs_and_different_numbers_of_seeds():
    class Run:
        predictions = made_up(seeds=(0, 1, 2))

    one = Run.predictions[Run.predictions["seed"] == 0]
    found = evaluation.compare(Run, one, metric="accuracy")
    expected = np.mean(Run.predictions["label"] == Run.predictions["predicted"])
    assert found.difference == pytest.approx(expected - np.mean(one["label"] == one["predicted"]))
    assert found.low < found.difference < found.high
    assert found.p > 0.05


def test_metric_may_be_a_function_of_counts():
    p = made_up()
    recall_of_sad = evaluation.bootstrap(p, lambda counts: counts[..., 2, 2] / counts[..., 2, :].sum(-1))
    hits = p[p["label"] == "sad"]
    assert recall_of_sad.value == pytest.approx(np.mean(hits["predicted"] == "sad"))


def test_floors_are_what_guessing_reaches():
    label = np.repeat(CLASSES, [1000, 2000, 5000])
    found = evaluation.floors(label)
    strategies = {"chance": "uniform", "majority": "most_frequent", "stratified": "stratified"}
    for name, strategy in strategies.items():
        guess = DummyClassifier(strategy=strategy, random_state=0).fit(label, label).predict(label)
        measured = [f(label, guess) for f in (evaluation.uar, evaluation.accuracy, evaluation.macro_f1)]
        np.testing.assert_allclose(found.loc[name], measured, atol=0.02)


def test_results_print_in_percent():
    assert str(evaluation.Interval(0.492, 0.45, 0.53)) == "49.2 % [45.0, 53.0]"
    assert str(evaluation.Comparison(0.021, -0.01, 0.05, 0.17)) == "+2.1 points [-1.0, +5.0], p = 0.170"
    assert str(evaluation.Comparison(0.1, 0.05, 0.15, 0.0004)).endswith("p < 0.001")


def test_risk_is_that_of_the_surest_answers():
    rng = np.random.default_rng(0)
    sure = rng.random(50)
    right = rng.random(50) < sure
    coverage, risk = evaluation.risk_coverage(right, sure)
    for k in (1, 10, 50):
        surest = sorted(zip(sure, right, strict=True), reverse=True)[:k]
        assert risk[k - 1] == pytest.approx(np.mean([not ok for _, ok in surest]))
        assert coverage[k - 1] == k / 50
    assert risk[0] <= risk[-1] == pytest.approx(1 - right.mean())
    with pytest.raises(EvaluationError, match="2 answers do not go with 1"):
        evaluation.risk_coverage([True, False], [0.5])


def test_groups_are_measured_each_by_itself():
    p = made_up().assign(sentence=lambda t: np.where(t["clip"] < "c060", "s1", "s2"))
    found = evaluation.by_group(p, "sentence", "uar")
    for name, part in p.groupby("sentence"):
        expected = evaluation.bootstrap(part, "uar")
        assert found.loc[name].tolist() == [expected.value, expected.low, expected.high, len(part)]
    with pytest.raises(EvaluationError, match="say nothing in column 'text'"):
        evaluation.by_group(p, "text")
    with pytest.raises(EvaluationError, match=r"speaker s0: an interval .* at least two"):
        evaluation.by_group(p, "speaker")


def test_group_difference_equals_a_plain_loop():
    p = made_up(n_speakers=6)
    p["gender"] = np.where(p["speaker"] < "s2", "female", "male")
    found = evaluation.group_difference(p, "gender", "female", "male", "accuracy", n=4000)
    right = (p["label"] == p["predicted"]).groupby(p["speaker"]).mean()  # as many clips for each speaker
    women, men = right[["s0", "s1"]].to_numpy(), right[["s2", "s3", "s4", "s5"]].to_numpy()
    assert found.difference == pytest.approx(women.mean() - men.mean())
    rng = np.random.default_rng(5)
    draws = [rng.choice(women, 2).mean() - rng.choice(men, 4).mean() for _ in range(4000)]
    assert [found.low, found.high] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.01)
    back = evaluation.group_difference(p, "gender", "male", "female", "accuracy")
    assert back.difference == pytest.approx(-found.difference)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p, "no gender is 'women': there are female, male"),
        (lambda p: p.assign(gender=None), "say nothing in column 'gender'"),
        (lambda p: p.assign(gender=np.where(p["clip"] < "c010", "women", "male")), "speaker s0 is both"),
        (lambda p: p.assign(gender=np.where(p["speaker"] < "s1", "women", "male")), "at least two speakers"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(change, message):
    p = made_up().assign(gender=lambda t: np.where(t["speaker"] < "s3", "female", "male"))
    with pytest.raises(EvaluationError, match=message):
        evaluation.group_difference(change(p), "gender", "women", "male")


def test_any_number_has_an_interval_over_speakers():
    p = made_up()
    ours = evaluation.over_speakers(p, lambda rows: evaluation.uar(rows["label"], rows["predicted"]))
    theirs = evaluation.bootstrap(p, n=4000)
    assert ours.value == theirs.value
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.02)
    # A draw in which the number cannot be said does not spoil the others.
    only = evaluation.over_speakers(p, lambda rows: np.nan if "s0" not in set(rows["speaker"]) else 1.0, n=50)
    assert (only.low, only.high) == (1.0, 1.0)
    with pytest.raises(EvaluationError, match="at least two speakers"):
        evaluation.over_speakers(p[p["speaker"] == "s0"], len)

"""Metrics of values and of shares of votes: against other libraries, and their intervals over speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import evaluation, features, splits, store, training
from serlab.errors import EvaluationError
from serlab.models.search import SpeakerSearch


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    value = rng.normal(size=60)
    return value, 0.6 * value + rng.normal(scale=0.5, size=60) + 0.3


def test_ccc_is_the_correlation_times_how_far_both_lines_lie_apart(pairs):
    """Lin's other form: the correlation times C_b, from the ratio of deviations and the shift of means."""
    x, y = pairs
    v, u = x.std() / y.std(), (x.mean() - y.mean()) / np.sqrt(x.std() * y.std())
    expected = stats.pearsonr(x, y)[0] * 2 / (v + 1 / v + u**2)
    assert evaluation.ccc(x, y) == pytest.approx(expected)
    assert evaluation.ccc(y, x) == pytest.approx(expected)
    assert evaluation.ccc(x, x) == pytest.approx(1)
    assert evaluation.ccc(x, -x + 2 * x.mean()) == pytest.approx(-1)
    assert evaluation.ccc(x, x + 5) < 0.1


def test_correlation_and_error_agree_with_other_libraries(pairs):
    x, y = pairs
    assert evaluation.pearson(x, y) == pytest.approx(stats.pearsonr(x, y)[0])
    assert evaluation.rmse(x, y) == pytest.approx(metrics.root_mean_squared_error(x, y))


def test_the_same_answer_to_everything_is_worth_nothing_and_the_same_truth_no_measure(pairs):
    x, _ = pairs
    same = np.full(60, 0.1)
    assert evaluation.ccc(x, same) == evaluation.pearson(x, same) == 0
    for metric in (evaluation.ccc, evaluation.pearson):
        with pytest.raises(EvaluationError, match=r"all true values are 0\.1"):
            metric(same, x)
    assert evaluation.rmse(same, same) == 0


@pytest.mark.parametrize(
    ("value", "predicted", "message"),
    [([1, 2], [1], "do not go together"), ([], [], "do not go together"), ([1, np.nan], [1, 2], "missing")],
)
def test_what_is_no_pair_is_refused(value, predicted, message):
    for metric in (evaluation.ccc, evaluation.pearson, evaluation.rmse):
        with pytest.raises(EvaluationError, match=message):
            metric(value, predicted)


def test_surprise_agrees_with_scipy_and_scikit_learn():
    rng = np.random.default_rng(0)
    shares, p = rng.dirichlet(np.ones(4), 30), rng.dirichlet(np.ones(4), 30)
    shares[0] = [1, 0, 0, 0]
    expected = np.mean([stats.entropy(one, other) for one, other in zip(shares, p, strict=True)])
    assert evaluation.divergence(shares, p) == pytest.approx(expected)
    assert evaluation.divergence(shares, shares) == 0
    own = np.mean([stats.entropy(one) for one in shares])
    assert evaluation.cross_entropy(shares, p) == pytest.approx(expected + own)
    certain = np.eye(4)[rng.integers(0, 4, 30)]
    assert evaluation.cross_entropy(certain, p) == pytest.approx(metrics.log_loss(certain, p))
    assert evaluation.cross_entropy([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(-np.log(1e-6))


def by_hand(predictions, statistic):
    """Leave out one speaker at a time; all gave as many clips."""
    who = predictions["speaker"].unique()
    without = np.array([statistic(predictions[predictions["speaker"] != one]) for one in who])
    half = stats.t.ppf(0.975, len(who) - 1) * np.sqrt((len(who) - 1) * without.var())
    value = statistic(predictions)
    return value, value - half, value + half


def test_intervals_of_values_leave_out_speakers(pairs):
    predictions = pd.DataFrame({"speaker": np.repeat(list("abcdef"), 10)}).assign(
        value=pairs[0], predicted=pairs[1]
    )
    for name in ("ccc", "pearson", "rmse"):
        found = evaluation.interval(predictions, name)
        metric = getattr(evaluation, name)
        expected = by_hand(predictions, lambda rows, metric=metric: metric(rows["value"], rows["predicted"]))
        assert (found.value, found.low, found.high) == pytest.approx(expected)
    assert str(found) == f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def test_intervals_of_shares_leave_out_speakers_and_hard_answers_are_scored_beside_them():
    rng = np.random.default_rng(1)
    shares, p = rng.dirichlet(np.ones(3), 40), rng.dirichlet(np.ones(3), 40)
    names = ["angry", "happy", "sad"]
    predictions = pd.DataFrame({"speaker": np.repeat(list("abcd"), 10)})
    predictions["label"] = np.array(names)[shares.argmax(axis=1)]
    predictions["predicted"] = np.array(names)[p.argmax(axis=1)]
    for column, name in enumerate(names):
        predictions[f"p_{name}"], predictions[f"share_{name}"] = p[:, column], shares[:, column]
    for name in ("cross_entropy", "divergence"):
        found = evaluation.interval(predictions, name)

        metric = getattr(evaluation, name)
        expected = by_hand(predictions, lambda rows, metric=metric: metric(shares[rows.index], p[rows.index]))
        assert (found.value, found.low, found.high) == pytest.approx(expected)
    uar = evaluation.interval(predictions).value
    assert uar == pytest.approx(
        metrics.recall_score(predictions["label"], predictions["predicted"], average="macro")
    )


def test_two_models_of_values_are_compared_speaker_by_speaker(pairs):
    first = pd.DataFrame({"speaker": np.repeat([3, 1, 2, 10, 11, 20], 10), "clip": range(60)})
    first = first.assign(value=pairs[0], predicted=pairs[1])
    second = first.assign(predicted=pairs[1][::-1].copy()).sample(frac=1, random_state=0)
    for name in ("ccc", "rmse"):
        found = evaluation.compare(first, second, name)
        metric = getattr(evaluation, name)

        def difference(rows, metric=metric):
            other = second[second["speaker"].isin(rows["speaker"])]
            a, b = (metric(one["value"], one["predicted"]) for one in (rows, other))
            return a - b

        assert found[:3] == pytest.approx(by_hand(first, difference))
        assert 0 < found.p < 1
    assert str(found).startswith(f"{found.difference:+.3f} [{found.low:+.3f}, ")
    same = evaluation.compare(first, first, "ccc")
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    with pytest.raises(EvaluationError, match="not tested on the same clips"):
        evaluation.compare(first, second.assign(value=0.5), "ccc")
    with pytest.raises(EvaluationError, match="lack the columns label"):
        evaluation.compare(first, second)


def test_metrics_that_do_not_go_with_the_predictions_name_the_columns():
    labels = pd.DataFrame({"speaker": list("aabb"), "label": list("xyxy"), "predicted": list("xyyx")})
    with pytest.raises(EvaluationError, match="lack the columns value"):
        evaluation.interval(labels, "ccc")
    with pytest.raises(EvaluationError, match="lack the columns share_<class>"):
        evaluation.interval(labels, "divergence")
    with pytest.raises(EvaluationError, match="lack the columns p_x"):
        evaluation.interval(labels.assign(share_x=1.0), "cross_entropy")
    values = labels.drop(columns="label").assign(value=1.0)
    with pytest.raises(EvaluationError, match='values, not classes: take the metric "ccc"'):
        evaluation.interval(values, "uar")


def test_values_are_heard_in_clips_of_unheard_speakers(demo):
    """From sound to CCC. No corpus at hand has ratings, so how long a clip lasts stands for them."""
    table = demo[demo["speaker"].isin(sorted(demo["speaker"].unique())[:4])][::2].reset_index(drop=True)
    X = store.features(table, features.Summary(), progress=False)
    search = SpeakerSearch(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [10.0, 100.0, 1000.0]})
    split = splits.make(table, "loso")
    said = training.cross_validate(lambda seed: search, X, table, split, y=table["duration"].astype(float))
    found = evaluation.interval(said, "ccc")
    assert found.low < found.value < found.high
    assert found.value > 0.5
    shuffled = said.assign(predicted=said["predicted"].sample(frac=1, random_state=0).to_numpy())
    assert abs(evaluation.interval(shuffled, "ccc").value) < 0.3


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_frame_is_computed_with_as_exactly_as_its_numbers(kind):
    table = pd.DataFrame({"clip": list("abc"), "speaker": list("112")})
    X = np.array([[0.1], [0.2], [0.3]], kind)
    found = features.align(pd.DataFrame(X, list("abc"), ["pitch"]), table).to_numpy()
    assert found.dtype == kind
    np.testing.assert_array_equal(found, X)

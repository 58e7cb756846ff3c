"""Models that vote."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.errors import EvaluationError
from serlab.voting import merge_classes, normalise_scores, vote


def member(seed, probabilities, seeds=(0,)):
    rng = np.random.default_rng(seed)
    parts = []
    for number in seeds:
        part = pd.DataFrame({"clip": list("cab"), "speaker": "1", "fold": 0, "seed": number})
        part["label"] = ["sad", "happy", "sad"]
        p = np.array(probabilities) if probabilities is not None else rng.dirichlet([1, 1], 3)
        part["predicted"] = np.array(["happy", "sad"])[p.argmax(axis=1)]
        part[["p_happy", "p_sad"]] = p
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def test_vote_is_the_geometric_mean_made_to_add_up():
    one, two, three = (member(seed, None) for seed in range(3))
    said = vote([one, two, three]).set_index("clip").loc[list("cab")]
    product = np.prod([m[["p_happy", "p_sad"]].to_numpy() for m in (one, two, three)], axis=0) ** (1 / 3)
    expected = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(said[["p_happy", "p_sad"]], expected, rtol=1e-6)
    assert list(said["predicted"]) == list(np.array(["happy", "sad"])[expected.argmax(axis=1)])
    assert list(said["label"]) == ["sad", "happy", "sad"]


def test_order_of_rows_and_of_members_does_not_matter():
    one, two = member(0, None), member(1, None)
    pd.testing.assert_frame_equal(vote([one, two]), vote([two.iloc[::-1], one]), check_exact=False)


def test_seeds_of_shorter_members_are_used_again():
    one, two = member(0, [[0.9, 0.1]] * 3), member(1, None, seeds=(0, 1, 2))
    said = vote([one, two])
    assert sorted(said["seed"].unique()) == [0, 1, 2]
    alone = vote([one, two[two["seed"] == 1]])
    np.testing.assert_allclose(said.loc[said["seed"] == 1, "p_sad"], alone["p_sad"])


def test_a_probability_of_zero_is_no_veto():
    said = vote([member(0, [[0.0, 1.0]] * 3), *[member(0, [[0.99, 0.01]] * 3)] * 3])
    assert set(said["predicted"]) == {"happy"}


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.assign(label=m["label"].to_numpy()[::-1]).assign(label=["happy", "sad", "sad"]),
        lambda m: m.assign(fold=1),
        lambda m: m.iloc[:2],
        lambda m: m.rename(columns={"p_sad": "p_angry"}),
    ],
)
def test_members_tested_otherwise_are_refused(change):
    one = member(0, None)
    with pytest.raises(EvaluationError, match="same clips, in the same folds, with the same classes"):
        vote([one, change(one)])


def test_scores_are_standardised_within_speaker_fold_and_seed():
    rng = np.random.default_rng(0)
    said = pd.DataFrame(
        {"clip": [f"c{n}" for n in range(12)], "speaker": list("ab") * 6, "fold": 0, "label": "sad"}
    )
    places = [(seed, fold) for seed in (0, 1) for fold in (0, 1)]
    said = pd.concat([said.assign(seed=s, fold=f) for s, f in places], ignore_index=True).assign(
        predicted="sad"
    )
    columns = ["p_calm", "p_happy", "p_sad"]
    said[columns] = rng.dirichlet([1, 1, 1], len(said))
    found = normalise_scores(said)
    one = (said["speaker"] == "b") & (said["seed"] == 1) & (said["fold"] == 0)
    logs = np.log(said.loc[one, columns])
    z = ((logs - logs.mean()) / logs.std(ddof=0)).to_numpy()
    sure = np.exp(z * np.log(said[columns]).std(ddof=0).mean())
    expected = sure / sure.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.loc[one, columns], expected, rtol=1e-6)
    assert list(found.loc[one, "predicted"]) == list(np.array(["calm", "happy", "sad"])[z.argmax(axis=1)])
    # What a model thinks of a whole voice has no say any more.
    tilted = said.copy()
    tilted.loc[one, "p_sad"] *= 0.5
    pd.testing.assert_series_equal(normalise_scores(tilted)["predicted"], found["predicted"])


def test_labels_have_no_part_in_normalising_scores():
    said = member(0, None)
    other = said.assign(label=list(said["label"])[::-1])
    pd.testing.assert_series_equal(normalise_scores(said)["p_sad"], normalise_scores(other)["p_sad"])


def emotions():
    rng = np.random.default_rng(3)
    names = ["angry", "happy", "neutral", "sad"]
    p = rng.dirichlet(np.ones(4), 50)
    said = pd.DataFrame({"clip": [f"c{n}" for n in range(50)], "speaker": "1", "fold": 0, "seed": 0})
    said = said.assign(label=rng.choice(names, 50), predicted=np.array(names)[p.argmax(axis=1)])
    return said.join(pd.DataFrame(p, columns=[f"p_{name}" for name in names]))


VALENCE = {"angry": "negative", "sad": "negative", "neutral": "neutral", "happy": "positive"}


def test_a_coarse_class_is_as_probable_as_its_fine_ones_are_on_average():
    said = emotions()
    merged = merge_classes(said, VALENCE)
    weights = np.column_stack([(said["p_angry"] + said["p_sad"]) / 2, said["p_neutral"], said["p_happy"]])
    expected = weights / weights.sum(axis=1, keepdims=True)
    names = ["negative", "neutral", "positive"]
    np.testing.assert_allclose(merged[[f"p_{name}" for name in names]], expected)
    assert list(merged["predicted"]) == [names[n] for n in weights.argmax(axis=1)]
    assert list(merged["label"]) == [VALENCE[name] for name in said["label"]]


def test_a_model_that_knows_nothing_favours_no_coarse_class():
    said = emotions()
    said[[name for name in said if name.startswith("p_")]] = 0.25
    merged = merge_classes(said, VALENCE)
    np.testing.assert_allclose(merged[["p_negative", "p_neutral", "p_positive"]], 1 / 3)


def test_every_fine_class_needs_a_coarse_one():
    with pytest.raises(EvaluationError, match="'sad' belongs to none of the classes negative, neutral"):
        merge_classes(emotions(), {"angry": "negative", "neutral": "neutral", "happy": "neutral"})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "a list of predictions"),
        (member(0, None), "a list of predictions"),
        ([member(0, None), member(1, None).drop(columns="fold")], r"member 1 .* \['fold'\]"),
        ([member(0, None), member(1, None).assign(p_sad=np.nan)], "probabilities of row 0"),
        ([member(0, None), member(1, None).assign(p_sad=5.0)], "probabilities of row 0"),
    ],
)
def test_what_cannot_vote_is_refused(members, message):
    with pytest.raises(EvaluationError, match=message):
        vote(members)

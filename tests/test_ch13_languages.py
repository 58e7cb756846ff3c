"""What chapter 13 computes and draws: scores over corpora, effect sizes, journeys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, runs
from serlab.lessons import ch13_languages as lesson


@pytest.fixture
def said():
    """Give answers to all journeys of two corpora: right at home, only "sad" away."""
    rows = [
        (trained, tested, f"{tested}/{speaker}", f"{tested}/{speaker}{label}", label)
        for trained in "ab"
        for tested in "ab"
        for speaker in "123"
        for label in ("happy", "sad")
    ]
    table = pd.DataFrame(rows, columns=["trained", "tested", "speaker", "clip", "label"])
    table["predicted"] = table["label"].where(table["trained"] == table["tested"], "sad")
    return table.assign(
        p_sad=(table["predicted"] == "sad") * 1.0, p_happy=(table["predicted"] != "sad") * 1.0
    )


def as_one_journey(run: runs.Run) -> pd.DataFrame:
    """Give the answers of a run on RAVDESS the columns of a journey."""
    answers = run.predictions.assign(trained="x", tested="ravdess")
    return answers.assign(speaker="ravdess/" + answers["speaker"].astype(str))


def test_a_score_over_one_corpus_is_that_of_evaluation():
    run = runs.read("ravdess", "emobox6", "ann")
    answers = as_one_journey(run)
    ours, theirs = lesson.score(answers), evaluation.interval(run)
    assert [ours.value, ours.low, ours.high] == pytest.approx([theirs.value, theirs.low, theirs.high])


def test_a_change_over_one_corpus_is_that_of_evaluation():
    first, second = (runs.read("ravdess", "emobox6", name) for name in ("ann", "forest"))
    ours, theirs = (
        lesson.change(as_one_journey(first), as_one_journey(second)),
        evaluation.compare(first, second),
    )
    assert list(ours) == pytest.approx(list(theirs))


def test_home_and_away_are_told_apart(said):
    assert lesson.score(lesson.home(said)).value == 1
    assert lesson.score(lesson.away(said)).value == 0.5
    row = lesson.measures({"x": said}).loc["x"]
    assert row.to_dict() == {"UAR home": 100, "UAR away": 50, "AUC home": 100, "AUC away": 50}
    assert lesson.steps({"x": said, "y": said}).loc["y", "difference"] == 0


def test_emotions_are_counted_by_training_corpus(said):
    table = said.drop_duplicates("clip").assign(emotion=lambda rows: rows["label"])
    found = lesson.taken_for(said, table, "sad")
    assert found.loc["happy"].to_dict() == {"a": 100, "b": 100, "all": 100}


def test_the_order_of_answers_needs_no_border():
    answers = pd.DataFrame({"trained": "a", "tested": "b", "label": ["sad", "happy"]})
    shifted = answers.assign(p_sad=[0.4, 0.3], p_happy=[0.6, 0.7])
    turned = answers.assign(p_sad=[0.3, 0.4], p_happy=[0.7, 0.6])
    assert lesson.mean_auc(shifted) == 1
    assert lesson.mean_auc(turned) == 0


def test_features_agree_or_turn():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"corpus": np.repeat(["a", "b"], 40), "valence": np.tile([1, -1], 40)})
    table["speaker"] = table["corpus"] + "/" + pd.Series(np.tile(np.repeat(list("1234"), 10), 2))
    direction = np.linspace(-2, 2, 9)
    X = rng.normal(size=(80, 9)) + table["valence"].to_numpy()[:, None] * direction
    assert lesson.agreement(X, table, "valence", "a", "b").difference > 0.9
    X[40:] = -X[40:]
    assert lesson.agreement(X, table, "valence", "a", "b").difference < -0.9


def test_the_telephone_takes_high_frequencies():
    time = np.arange(16000) / 16000
    low, high = (np.sin(2 * np.pi * f * time) for f in (500, 6000))
    assert np.std(lesson.telephone(high)) < 0.1 * np.std(lesson.telephone(low))


def test_recorded_models_lose(said):
    table = lesson.recorded_table(["summary"])
    assert table.loc["summary", "high"] < 0
    assert table.loc["summary", "change"] == pytest.approx(
        table.loc["summary", "left out"] - table.loc["summary", "corpus known"], abs=0.11
    )


def test_pictures_show_what_they_are_given(said):
    said = said.replace({"sad": "negative", "happy": "positive"})
    texts = [text.get_text().split("\n")[0] for text in lesson.square(said).texts]
    assert texts == ["100", "50", "50", "100"]
    ax = lesson.answers_given(lesson.away(said))
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["b: truth", "by a", "a: truth", "by b"]
    assert [bar.get_width() for bar in ax.patches[:4]] == [50, 100, 50, 100]
    home, away = lesson.home_and_away({"x": said}, 1 / 2).containers
    assert [one.lines[0].get_xdata()[0] for one in (home, away)] == [100, 50]
    d = pd.DataFrame({"a": [0.1, 0.2], "b": [0.3, 0.4]})
    assert lesson.effect_clouds({"all": d}, "a", "b").lines[0].get_ydata().tolist() == [0.3, 0.4]

"""What chapter 11 computes and draws: the rule that knows only the corpus, pairs of one speaker."""

from __future__ import annotations

import pandas as pd
import pytest

from serlab import evaluation
from serlab.lessons import ch11_valence as lesson


def joined():
    """Make the clips of two corpora: one is mostly sad, the other has happy clips too."""
    rows = [
        {"corpus": corpus, "speaker": f"{corpus}{speaker}", "fold": speaker, "label": label}
        for corpus, labels in {"one": ["sad"] * 4, "two": ["sad", "happy"]}.items()
        for speaker in range(3)
        for label in labels
    ]
    return pd.DataFrame(rows)


def test_the_rule_says_what_is_over_represented_in_each_corpus():
    said = lesson.by_corpus_alone(joined())
    assert said.groupby("corpus")["predicted"].unique().map(list).to_dict() == {
        "one": ["sad"],
        "two": ["happy"],
    }
    assert evaluation.interval(said).value > 0.6
    inside = lesson.inside_corpora({"rule": said[said["corpus"] == "two"]})
    assert inside.loc["rule", "two"] == 50, "inside one corpus there is nothing to know"


def test_the_rule_learns_on_other_folds_and_knows_no_new_corpus():
    clips = joined()
    clips.loc[clips["corpus"] == "two", "fold"] = 7
    said = lesson.by_corpus_alone(clips)
    assert set(said.loc[said["fold"] == 7, "predicted"]) == {"sad"}
    clips.loc[clips["fold"] == 7, "label"] = "other"
    assert set(lesson.by_corpus_alone(clips).query("fold == 7")["predicted"]) == {"sad"}


def test_measures_part_where_classes_are_unequal():
    clips = joined().assign(predicted="sad")
    found = lesson.measures({"always sad": clips}).loc["always sad"]
    assert found.to_dict() == {"accuracy": 83.3, "UAR": 50.0, "happy": 0.0, "sad": 100.0}


def pairs(speaker, pleasant):
    rows = [{"emotion": emotion, "p_positive": p, "p_negative": 0.0} for emotion, p in pleasant]
    return pd.DataFrame(rows).assign(speaker=speaker, seed=0)


def test_pairs_are_of_one_speaker_and_ties_are_half_a_win():
    # All of b is more pleasant than all of a: between speakers nothing is compared.
    a = pairs("a", [("happy", 0.2), ("angry", 0.1)])
    b = pairs("b", [("happy", 0.7), ("angry", 0.8)])
    c = pairs("c", [("happy", 0.5), ("angry", 0.5)])
    only = pairs("d", [("happy", 0.9)])
    said = pd.concat([a, b, c, only], ignore_index=True)
    found = lesson.more_pleasant(said, "happy", "angry")
    assert found.value == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    assert lesson.more_pleasant(said.drop(index=[2, 3]), "happy", "angry").value == pytest.approx(0.75)


def test_answers_know_corpus_and_emotion():
    said = lesson.answers("majority")
    assert set(said["corpus"]) == {"ravdess", "nemo", "emodb_first2s"}
    assert set(said.query("emotion == 'calm'")["corpus"]) == {"ravdess"}
    assert set(said.query("emotion == 'bored'")["label"]) == {"negative"}


def test_pictures_show_each_row_with_its_interval():
    models = {"deep": lesson.answers("cnn-half"), "guess": lesson.answers("majority")}
    ax = lesson.above_floor(models, 0.43)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["deep", "guess"]
    assert [round(line.get_xdata()[0]) for line in ax.lines[-2:]] == [43, 33]
    table = lesson.preferences({"deep": models["deep"]}, [("happy", "angry"), ("angry", "sad")])
    ax = lesson.preference_plot(table)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["happy – angry", "angry – sad"]
    assert ax.containers[0][0].get_xdata().tolist() == table["value"].tolist()


def test_as_many_dots_are_drawn_of_each_corpus():
    facts = pd.DataFrame({"corpus": ["large"] * 300 + ["small"] * 20, "lead": 0.5, "peak": -10.0})
    ax = lesson.recordings_plot(facts)
    assert len(ax.collections[0].get_offsets()) == lesson.DOTS + 20
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["large", "small"]

"""A speaker's clips are dealt, used in several ways, and never tested on themselves."""

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation
from serlab.lessons import ch18_own_voice as lesson

EMOTIONS = ["angry", "happy", "sad"]


@pytest.fixture
def table():
    """Three speakers, of whom the last has few clips of one emotion."""
    rows = [(s, e, f"{s}{e}{n}") for s in "pqr" for e in EMOTIONS for n in range(20)]
    table = pd.DataFrame(rows, columns=["speaker", "emotion", "clip"])
    few = table["clip"].isin([f"rsad{n}" for n in range(4, 20)])
    return table[~few].sample(frac=1, random_state=1).reset_index(drop=True)


@pytest.mark.parametrize(("speaker", "most"), [("p", 10), ("r", 2)])
def test_own_clips_come_emotion_by_emotion_and_all_others_are_tested(table, speaker, most):
    own, tested = lesson.deal(table, speaker, seed=3)
    for turn in range(most):
        dealt = table.loc[own[3 * turn : 3 * turn + 3], "emotion"]
        assert sorted(dealt) == EMOTIONS
    assert len(own) == 3 * most
    together = np.concatenate([own, tested])
    assert sorted(together) == table.index[table["speaker"] == speaker].tolist()


def test_another_seed_deals_otherwise_and_the_same_seed_the_same(table):
    deals = [set(lesson.deal(table, "p", seed)[0]) for seed in (0, 0, 1)]
    assert deals[0] == deals[1] != deals[2]


def test_a_way_gets_so_many_clips_and_answers_none_of_them(table):
    seen = []

    def use(own, tested):
        seen.append((len(own), len(tested)))
        assert not set(own) & set(tested)
        assert len(set(table.loc[[*own, *tested], "speaker"])) == 1
        return np.array(table.loc[tested, "emotion"])

    found = lesson.try_all({"cheat": use}, table, ["p", "r"], [3, 30, 99], draws=2)
    assert seen == [(3, 30), (30, 30)] * 2 + [(3, 38)] * 2  # the last has six to learn from
    assert (found["label"] == found["predicted"]).all()


def test_blind_takes_clips_as_they_come(table):
    first = {}
    for blind in (False, True):
        taken = []

        def use(own, tested, taken=taken):
            taken.append(tuple(sorted(table.loc[own, "emotion"])))
            return np.full(len(tested), "sad")

        lesson.try_all({"one": use}, table, ["p", "q"], [3], draws=8, blind=blind)
        first[blind] = set(taken)
    assert first[False] == {tuple(EMOTIONS)}
    assert len(first[True]) > 1


def test_scores_are_those_of_the_parts_and_are_drawn(table):
    rng = np.random.default_rng(0)

    def half(own, tested):
        right = np.array(table.loc[tested, "emotion"])
        return np.where(rng.random(len(tested)) < 0.5, right, "sad")

    found = lesson.try_all({"half": half, "half again": half}, table, ["p", "q"], [3, 6])
    scores = lesson.score(found)
    part = found[(found["way"] == "half again") & (found["own"] == 6)]
    alone = evaluation.interval(part)
    expected = ["half again", 6, 100 * alone.value, 100 * alone.low, 100 * alone.high]
    assert scores.iloc[-1].tolist() == expected
    ax = lesson.plot_curve(scores, before=40.0)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["3", "6"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["as it comes", "half", "half again"]
    assert ax.get_ylim() == (0, 100)


def test_each_speaker_is_judged_alone(table):
    part = table[table["speaker"] != "r"]
    right = np.array([part["emotion"] == name for name in EMOTIONS]).T
    sure = np.where(right, 0.8, 0.1)
    sure[part["speaker"] == "q"] = [0.2, 0.2, 0.6]  # always sad
    found = lesson.by_speaker(sure, EMOTIONS, part).set_index("speaker")
    assert found.loc["p"].tolist() == pytest.approx([1, 1, 0.8])
    assert found.loc["q"].tolist() == pytest.approx([1 / 3, 1 / 3, 0.6])

"""The companion of chapter 4."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from serlab.lessons import ch04_baselines as ch04

VOTES = """Nr.\tSatz\terkannt\tnatuerlich
1\t03a01Ab.wav\t65,00\t35,00
2\t03a01Fa.wav\t90,00\t75,00
3\t03a01Nc.wav\t100,00\t95,00
"""


@pytest.fixture
def ax():
    yield plt.subplots()[1]
    plt.close("all")


def test_the_bands_meet_at_the_threshold_of_the_rule(ax):
    values, emotions = np.array([-50.0, -40.0, -20.0, -10.0]), ["sad", "sad", "angry", "angry"]
    rule = DecisionTreeClassifier().fit(values[:, None], emotions)
    assert ch04.answers(rule, values, emotions, ax, "level (dB)") is ax
    assert [text.get_text() for text in ax.texts] == ["sad", "angry"]
    (low, threshold), (again, high) = (
        (band.get_y(), band.get_y() + band.get_height()) for band in ax.patches[-2:]
    )
    assert threshold == pytest.approx(-30, abs=0.1)
    assert again == pytest.approx(threshold)
    assert (low, high) == pytest.approx(ax.get_ylim())


def test_listeners_are_read_and_clips_that_were_not_published_marked(tmp_path, monkeypatch):
    (tmp_path / "erkennung.txt").write_text(VOTES, encoding="iso-8859-1")
    monkeypatch.setattr(ch04.corpora, "find", lambda name: tmp_path if name == "emodb_first2s" else None)
    takes = ch04.listeners()
    assert takes["emotion"].to_dict() == {"03a01Ab": "fearful", "03a01Fa": "happy", "03a01Nc": "neutral"}
    assert takes["recognised"].tolist() == [0.65, 0.9, 1.0]
    assert takes["kept"].tolist() == [False, True, True]


def test_without_emodb_there_is_a_table_without_rows_and_a_picture_without_bars(ax, monkeypatch):
    monkeypatch.setattr(ch04.corpora, "find", lambda name: None)
    takes = ch04.listeners()
    assert list(takes.columns) == ["emotion", "recognised", "kept"]
    assert takes[takes["kept"]].groupby("emotion")["recognised"].mean().empty
    ch04.kept_takes(takes, ax)
    assert sum(bar.get_height() for bar in ax.patches) == 0


def test_every_take_is_in_one_bar(ax, monkeypatch, tmp_path):
    (tmp_path / "erkennung.txt").write_text(VOTES, encoding="iso-8859-1")
    monkeypatch.setattr(ch04.corpora, "find", lambda name: tmp_path)
    ch04.kept_takes(ch04.listeners(), ax)
    assert sum(bar.get_height() for bar in ax.patches) == 3

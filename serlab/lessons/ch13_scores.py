"""Chapter 13: scores over several corpora, from the answers or from counts of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from serlab import evaluation
from serlab.evaluation import Comparison

JOURNEY = ["trained", "tested"]


def over_corpora(table: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> Comparison:
    """Give any number that is computed from several corpora, with its interval over the speakers of each.

    One speaker at a time is left out, as in `serlab.evaluation.over_speakers`. Those of one corpus say
    nothing about those of another, so each corpus has a standard error of its own. Speakers are named such as
    "ravdess/03"; where a row stands for several clips, a column ``clips`` says for how many.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["a/1", "a/2", "b/1", "b/2"], "x": [0.2, 0.4, 0.6, 0.8]})
    >>> round(over_corpora(table, lambda rows: rows["x"].mean()).difference, 2)
    0.5
    """
    clips = table["clips"] if "clips" in table else pd.Series(1, table.index)
    sizes, errors = clips.groupby(table["speaker"]).sum(), []
    for _, part in sizes.groupby(sizes.index.str.split("/").str[0]):
        without = [statistic(table[table["speaker"] != name]) for name in part.index]
        errors.append(evaluation.jackknife(without, part) if len(part) > 1 else (np.nan, 1.0))
    value = statistic(table)
    return Comparison(float(value), *map(float, evaluation.student(value, *errors)))


def count_right(answers: pd.DataFrame) -> pd.DataFrame:
    """Count the clips and the right answers of each journey (``trained``, ``tested``), speaker and class."""
    right = (answers["label"] == answers["predicted"]).groupby(
        [answers[name] for name in (*JOURNEY, "speaker", "label")], observed=True
    )
    return right.agg(right="sum", clips="count").reset_index()


def uar_of_counts(counts: pd.DataFrame) -> float:
    """Give the UAR of each journey, in the mean over journeys, from `count_right`."""
    sums = counts.groupby([*JOURNEY, "label"])[["right", "clips"]].sum()
    recalls = sums["right"] / sums["clips"]
    return float(recalls.groupby(level=JOURNEY).mean().mean())


def mean_auc(answers: pd.DataFrame) -> float:
    """Give the area under the ROC curve, in the mean over classes and journeys."""
    areas = []
    for _, part in answers.groupby(JOURNEY):
        each = [
            roc_auc_score(part["label"] == name, part[f"p_{name}"].fillna(0))
            for name in part["label"].unique()
            if 0 < (part["label"] == name).mean() < 1
        ]
        areas.append(np.mean(each))
    return float(np.mean(areas))

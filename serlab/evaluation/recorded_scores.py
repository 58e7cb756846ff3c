"""The scores that a recorded run carries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab.evaluation.intervals import interval
from serlab.evaluation.metrics import accuracy, count_confusions, macro_f1, uar


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Compute the scores that a recorded run carries, rounded to five decimals.

    ``uar``, ``accuracy``, ``macro_f1`` are over all clips and seeds; ``uar_fold_mean`` is the mean of the UAR
    of each fold and seed, which published results of fold-wise protocols report; ``uar_low`` and ``uar_high``
    are the 95 % interval over speakers (missing with one speaker); ``uar_seed_sd`` is the standard deviation
    of the UAR between seeds (missing with one seed).
    """
    label, predicted = predictions["label"], predictions["predicted"]
    # A fold may hold few clips, all of them wrong: names are compared over all.
    _, classes = count_confusions(label, predicted)
    parts = (predictions.groupby(by) for by in (["fold", "seed"], "seed"))
    by_fold, by_seed = ([uar(one["label"], one["predicted"], classes) for _, one in by] for by in parts)
    found = {
        "uar": uar(label, predicted),
        "accuracy": accuracy(label, predicted),
        "macro_f1": macro_f1(label, predicted),
        "uar_fold_mean": float(np.mean(by_fold)),
    }
    if len(predictions["speaker"].unique()) > 1:
        whole = interval(predictions)
        found |= {"uar_low": whole.low, "uar_high": whole.high}
    if len(by_seed) > 1:
        found["uar_seed_sd"] = float(np.std(by_seed, ddof=1))
    return {name: round(value, 5) for name, value in found.items()}

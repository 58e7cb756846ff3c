"""Train a model of the book on all clips of a corpus, to be used elsewhere, and find out what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from serlab import evaluation, splits, store, training
from serlab.errors import ModelError
from serlab.features import Recording
from serlab.models import ModelSpec

# Among answers that the model is sure of, so many shall be right.
WANTED = 0.8
# So large a part of what was trained on may lie beyond each limit.
BEYOND = 0.005
LONGEST = 30.0


def train(spec: ModelSpec, table: pd.DataFrame) -> tuple[Any, dict[str, Any]]:
    """Cross-validate a model on speakers it has not heard, then train it on all of them.

    Parameters
    ----------
    spec : ModelSpec
        One with an estimator that needs nothing but the clip: no vote, and not normalised by speaker.
    table : DataFrame
        Utterance table of two or more speakers.

    Returns
    -------
    estimator
        Fitted to all clips, for `serlab.models.save`.
    card : dict
        ``title``, ``corpus``, ``clips``, ``speakers``, ``protocol``, ``score`` with its interval, and what
        `threshold` and `limits` return.

    Raises
    ------
    ModelError
        If the model is a vote, listens to nothing, or is normalised by speaker.
    """
    if spec.build is None or spec.normalises or not spec.extractors:
        raise ModelError(
            f"{spec.name} cannot answer a recording by itself: take a model that is no vote, that listens, "
            "and that is not normalised by speaker"
        )
    X = store.features(table, *spec.extractors)
    split = splits.make(table, splits.honest_protocol(table))
    answers = training.cross_validate(spec.build, X, table, split)
    y, groups = table[split.target].to_numpy(str), table["speaker"].to_numpy(str)
    model = spec.build(0)
    extra = {"groups": groups} if training.takes_groups(model) else {}
    model.fit(X, y, **extra)
    answers["confidence"] = answers.filter(regex="^p_").max(axis=1)
    card = {
        "title": spec.title,
        "corpus": table.attrs.get("title", ""),
        "clips": len(table),
        "speakers": int(table["speaker"].nunique()),
        "protocol": split.title,
        "score": score(answers),
        **threshold(answers),
        "limits": limits(table),
    }
    return model, card


def score(answers: pd.DataFrame) -> dict[str, float]:
    """Compute UAR with its interval over speakers, and mean confidence, all from 0 to 1."""
    found = evaluation.interval(answers, "uar")
    values = {"uar": found.value, "low": found.low, "high": found.high}
    values["confidence"] = answers["confidence"].mean()
    return {name: round(float(value), 4) for name, value in values.items()}


def threshold(answers: pd.DataFrame) -> dict[str, float]:
    """Find the lowest confidence above which `WANTED` of the answers are right, on unheard speakers.

    Returns
    -------
    dict
        ``threshold``; ``coverage``, the share of clips that get an answer then; ``accuracy_if_sure``. Where
        no threshold is good enough, that of the surest answer.

    Examples
    --------
    >>> rows = pd.DataFrame({"label": list("aabb"), "predicted": list("aaab")})
    >>> threshold(rows.assign(confidence=[0.9, 0.8, 0.6, 0.7]))
    {'threshold': 0.7, 'coverage': 0.75, 'accuracy_if_sure': 1.0}
    """
    ordered = answers.sort_values("confidence", ascending=False)
    right = (ordered["label"] == ordered["predicted"]).expanding().mean().to_numpy()
    enough = np.flatnonzero(right >= WANTED)
    last = int(enough[-1]) if len(enough) else 0
    found = {"threshold": ordered["confidence"].iloc[last], "coverage": (last + 1) / len(ordered)}
    found["accuracy_if_sure"] = right[last]
    return {name: round(float(value), 4) for name, value in found.items()}


def limits(table: pd.DataFrame, strangeness: np.ndarray | None = None) -> dict[str, list[float]]:
    """Find between which values nearly all clips of a table lie (see `serlab.prediction.describe`)."""
    recording = Recording()
    found = pd.DataFrame(store.features(table, recording), columns=list(recording.feature_names))
    found["above_pauses"] = found["level"] - found["floor"]
    names = ["duration", "level", "above_pauses", "highest"]
    if strangeness is not None:
        found["strangeness"] = strangeness
        names.append("strangeness")
    quantiles = found[names].quantile([BEYOND, 1 - BEYOND]).round(4)
    # What is longer is no worse, but may hold more than one emotion.
    quantiles.loc[1 - BEYOND, "duration"] = LONGEST
    return {name: quantiles[name].tolist() for name in names}

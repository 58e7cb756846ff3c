"""What can be done to predictions afterwards: votes, scores normalised, classes combined and merged."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from serlab.checks import check_probabilities
from serlab.corpora.table import in_order
from serlab.errors import EvaluationError
from serlab.evaluation.metrics import predictions_of
from serlab.features import SpeakerNormaliser
from serlab.models.binaries import normalised

# Recorded probabilities have four decimals: a smaller one is not known to be smaller.
LEAST = 1e-4


def vote(members: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the log-probabilities of several models with equal weight.

    So a model that is sure that a class is out of the question counts for more than in an average of
    probabilities: the product rule of Kittler, Hatef, Duin & Matas 1998, On combining classifiers, IEEE
    Trans. Pattern Anal. Mach. Intell. 20(3), 226-239.

    Members are predictions of the same clips (as of `serlab.training.cross_validate`), or runs; an
    `EvaluationError` says where clips, folds or classes differ. Of members with fewer seeds than others,
    seeds are used again.

    Examples
    --------
    >>> one = pd.DataFrame({"clip": ["a"], "speaker": ["1"], "fold": 0, "seed": 0, "label": ["sad"]})
    >>> one = one.assign(predicted="happy", p_sad=0.4, p_happy=0.6)
    >>> two = one.assign(predicted="sad", p_sad=0.9, p_happy=0.1)
    >>> vote([one, two])[["predicted", "p_sad"]].round(2).values.tolist()
    [['sad', 0.71]]
    """
    members = [predictions_of(member) for member in members]
    if not members or not all(isinstance(member, pd.DataFrame) for member in members):
        raise EvaluationError("a vote takes a list of predictions, one table for each model")
    for number, member in enumerate(members):
        if lacking := {"clip", "speaker", "fold", "seed", "label"} - set(member):
            raise EvaluationError(f"member {number} of the vote lacks the columns {sorted(lacking)}")
        given = member[_probability_columns(member)].to_numpy(float)
        check_probabilities(given, len(member), given.shape[1])
    columns, facts = _probability_columns(members[0]), ["clip", "speaker", "fold", "label"]
    seeds = [sorted(member["seed"].unique()) for member in members]
    parts, longest = [], max(seeds, key=len)
    for number, seed in enumerate(longest):
        ballots = [
            member[member["seed"] == own[number % len(own)]].sort_values("clip", ignore_index=True)
            for member, own in zip(members, seeds, strict=True)
        ]
        for ballot in ballots[1:]:
            if list(ballot) != list(members[0]) or not ballot[facts].equals(ballots[0][facts]):
                raise EvaluationError(
                    "Models that vote must be tested on the same clips, in the same folds, with the same "
                    "classes."
                )
        logs = [np.log(ballot[columns].to_numpy().clip(LEAST)) for ballot in ballots]
        p = softmax(np.mean(logs, axis=0), axis=1)
        parts.append(_with_probabilities(ballots[0][facts].assign(seed=seed), p, columns))
    return pd.concat(parts, ignore_index=True)[list(members[0])]


def normalise_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Standardise the log-probabilities of every class within each test speaker, fold and seed.

    A model may find all clips of one voice rather sad. What counts then is which of them it finds sadder than
    the speaker's others. Like `serlab.features.SpeakerNormaliser` this is **transductive**: it uses the
    speaker's other test clips, never their labels. And it takes for granted that every speaker shows every
    emotion about equally often, which is true of acted corpora and hardly of anything else. On average the
    logarithms vary afterwards as much as before.

    For speaker verification: Auckenthaler, Carey & Lloyd-Thomas 2000, Score normalization for
    text-independent speaker verification systems, Digital Signal Processing 10(1-3), 42-54.

    Examples
    --------
    >>> before = pd.DataFrame({"clip": ["a", "b"], "speaker": "1", "fold": 0, "seed": 0, "predicted": "sad"})
    >>> before = before.assign(label=["sad", "happy"], p_sad=[0.9, 0.7], p_happy=[0.1, 0.3])
    >>> normalise_scores(before)["predicted"].tolist()
    ['sad', 'happy']
    """
    columns = _probability_columns(predictions)
    logs = np.log(predictions[columns].to_numpy(dtype=float).clip(LEAST))
    groups = predictions.groupby(["seed", "fold", "speaker"]).ngroup()
    z = SpeakerNormaliser().fit_transform(logs, groups=groups)
    scores = softmax(logs.std(axis=0).mean() * z, axis=1)
    return _with_probabilities(predictions.drop(columns=["predicted", *columns]), scores, columns)


def combine(binaries: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Combine models that each tell one class from the rest to one decision between all.

    `binaries` maps each class to the predictions of the model that tells it from the rest, such as recorded
    runs of "binary-neg", "binary-neu" and "binary-pos". The probability of every class is that of its own
    model, divided by the sum over models (see `serlab.models.binaries.normalised`); the most probable class
    is predicted. An `EvaluationError` says where clips, folds or seeds differ, and which clip is of no class,
    or of several.

    Examples
    --------
    >>> clip = pd.DataFrame({"clip": ["a"], "speaker": ["1"], "fold": 0, "seed": 0})
    >>> negative = clip.assign(label="negative", predicted="negative", p_negative=0.6, p_other=0.4)
    >>> positive = clip.assign(label="other", predicted="other", p_other=0.8, p_positive=0.2)
    >>> combine({"negative": negative, "positive": positive}).iloc[:, 4:].round(2).values.tolist()
    [['negative', 'negative', 0.75, 0.25]]
    """
    facts = ["clip", "speaker", "fold", "seed"]
    parts = {name: part.sort_values(["seed", "clip"], ignore_index=True) for name, part in binaries.items()}
    first = next(iter(parts.values()))
    for name, part in parts.items():
        if f"p_{name}" not in part:
            raise EvaluationError(f"the model of {name!r} has no probability of that class")
        if not part[facts].equals(first[facts]):
            raise EvaluationError(
                "Models to combine must be tested on the same clips, in the same folds, with the same seeds."
            )
    claims = np.column_stack([part["label"] == name for name, part in parts.items()])
    if (claims.sum(axis=1) != 1).any():
        odd = first["clip"][np.argmax(claims.sum(axis=1) != 1)]
        raise EvaluationError(f"Clip {odd} must be of exactly one of the classes {', '.join(parts)}.")
    p = normalised(np.column_stack([part[f"p_{name}"] for name, part in parts.items()]))
    labels = np.array(list(parts), dtype=object)[claims.argmax(axis=1)]
    return _with_probabilities(first[facts].assign(label=labels), p, [f"p_{name}" for name in parts])


def merge_classes(predictions: pd.DataFrame, to: Mapping[str, str]) -> pd.DataFrame:
    """Turn predictions of fine classes, such as emotions, into those of coarse ones, such as valence.

    `to` names the coarse class of every fine one. The probability of a coarse class is the mean over its fine
    classes, divided by the sum over coarse ones. So coarse classes weigh alike, however many fine ones they
    have.

    Examples
    --------
    >>> fine = pd.DataFrame({"clip": ["a"], "speaker": ["1"], "fold": 0, "seed": 0, "label": "sad"})
    >>> fine = fine.assign(predicted="happy", p_happy=0.4, p_sad=0.3, p_angry=0.3)
    >>> merged = merge_classes(fine, {"happy": "positive", "sad": "negative", "angry": "negative"})
    >>> merged["predicted"].tolist(), merged["p_positive"].round(2).tolist()
    (['positive'], [0.57])
    """
    fine = [name.removeprefix("p_") for name in _probability_columns(predictions)]
    if unknown := sorted(set(fine) - set(to)):
        known = ", ".join(sorted(set(to.values())))
        raise EvaluationError(f"{unknown[0]!r} belongs to none of the classes {known}")
    coarse = in_order({to[name] for name in fine})
    parts = [predictions[[f"p_{name}" for name in fine if to[name] == one]] for one in coarse]
    p = np.column_stack([part.mean(axis=1) for part in parts])
    p = p / p.sum(axis=1, keepdims=True)
    facts = predictions[["clip", "speaker", "fold", "seed"]].assign(label=predictions["label"].map(to))
    result = _with_probabilities(facts, p, [f"p_{name}" for name in coarse])
    result.attrs = dict(predictions.attrs)
    return result


def _probability_columns(predictions: pd.DataFrame) -> list[str]:
    return [name for name in predictions if name.startswith("p_")]


def _with_probabilities(facts: pd.DataFrame, p: np.ndarray, columns: Sequence[str]) -> pd.DataFrame:
    """Add the most probable class and the probabilities of all."""
    names = np.array([column.removeprefix("p_") for column in columns], dtype=object)
    result = facts.assign(predicted=names[p.argmax(axis=1)])
    return result.join(pd.DataFrame(p, index=result.index, columns=list(columns)))

"""Train a model on all clips of a table, to be used elsewhere, and find out what it is worth."""

import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import audio, evaluation, splits, store, training
from serlab.augment import Augmented, Chain
from serlab.errors import FeatureError, ModelError
from serlab.features.base import Extractor
from serlab.models import ModelSpec, TrainedModel
from serlab.models.files import tempered
from serlab.prediction import conditions
from serlab.prediction.familiarity import describe, describe_all, hints, limits

# Among answers that the model is sure of, so many shall be right.
WANTED = 0.8
# Clips of each speaker that are tested in all conditions, and that are made odd.
TESTED_EACH, ODD_EACH = 12, 2
# Directions in which clips may be strange.
DIRECTIONS = 64
CLEAN = "as recorded"


def train(
    spec: ModelSpec,
    table: pd.DataFrame,
    *,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> TrainedModel:
    """Test a model on speakers it has not heard, of a table of two or more, then train it on all of them.

    `progress` is told, before each step, what it is and what share of all steps is done. The card of the
    model holds what `Study.judge` finds, and ``title``, ``corpus``, ``clips``, ``speakers``, ``protocol``.
    `ModelError` if the model is a vote, listens to nothing, is normalised by speaker, or is one of valence;
    or if the table has one emotion only.
    """
    if not spec.answers_recordings:
        raise ModelError(
            f"{spec.name} cannot answer a recording by itself with an emotion: take a model that is no vote, "
            "that listens, that is not normalised by speaker, and that is not one of valence"
        )
    split = splits.make(table, splits.honest_protocol(table))
    if table["emotion"].nunique() < 2:
        raise ModelError(
            f"{table.attrs.get('title') or 'The table'} has no emotion but {table['emotion'].iloc[0]!r}: a "
            "model needs two or more to tell apart"
        )
    about = {
        "title": spec.title,
        "corpus": table.attrs.get("title", ""),
        "clips": len(table),
        "speakers": int(table["speaker"].nunique()),
        "protocol": split.title,
    }
    rate = spec.extractors[0].sample_rate
    # The clips, their odd kinds and the model itself; copies and conditions; folds.
    steps = 3 + len(conditions.copies(rate)) + len(conditions.trials(rate)) + len(split.folds)
    number = itertools.count()

    def tell(step: str) -> None:
        if progress is not None:
            progress(step, next(number) / steps)

    y = table[split.target].to_numpy(str)
    study = Study(spec.build, spec.extractors, table, y, seed=seed, tell=tell)
    card = about | study.judge([fold.test for fold in split.folds])[0]
    tell("train on all speakers")
    return study.model(card)


class Study:
    """Clips of a table, copies of them to learn from, and others to be tested with.

    `build` takes a seed and returns a fresh estimator, which listens to the features of `extractors`; `table`
    is of two or more speakers, `y` what is learnt, (clips,); `tell` is told what comes next.
    """

    def __init__(
        self,
        build: Callable[[int], Any],
        extractors: Sequence[Extractor],
        table: pd.DataFrame,
        y: np.ndarray,
        *,
        seed: int = 0,
        tell: Callable[[str], None] = lambda step: None,
    ):
        self.build, self.extractors, self.y = build, tuple(extractors), y
        self.seed, self.tell = seed, tell
        self.table = table.reset_index(drop=True)
        self.groups = self.table["speaker"].to_numpy(str)
        rate = self.extractors[0].sample_rate
        self.X = self._measure(self.table, CLEAN)
        copies = conditions.copies(rate)
        self.copies = [self._measure(self.table, name, chain) for name, chain in copies.items()]

    def _measure(self, table: pd.DataFrame, name: str, chain: Chain | None = None) -> np.ndarray:
        self.tell(f"features of clips, {name}")
        listening = self.extractors
        if chain is not None:
            listening = [Augmented(extractor=one, chain=chain) for one in listening]
        parts = [store.features(table, one) for one in listening]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _some(self, each: int) -> pd.DataFrame:
        """Draw so many clips of every speaker, or as many as each has."""
        each = min(each, self.table.groupby("speaker").size().min())
        return self.table.groupby("speaker").sample(each, random_state=0)

    def model(self, card: dict[str, Any], rows: np.ndarray | slice = slice(None)) -> TrainedModel:
        """Train on some clips and their copies; what is familiar is learned from the clips alone."""
        X, repeated = self.X[rows], 1 + len(self.copies)
        estimator = training.fitted(
            self.build(self.seed),
            np.concatenate([X, *(copy[rows] for copy in self.copies)]),
            np.tile(self.y[rows], repeated),
            groups=np.tile(self.groups[rows], repeated),
        )
        flat = X.reshape(len(X), -1)
        directions = min(DIRECTIONS, len(flat) - 1, flat.shape[1])
        familiar = make_pipeline(StandardScaler(), PCA(directions, whiten=True, random_state=0)).fit(flat)
        return TrainedModel(getattr(estimator, "best_estimator_", estimator), self.extractors, card, familiar)

    def answer(self, model: TrainedModel, X: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
        """Answer some clips: a row for each, with ``label`` and ``p_<class>``."""
        found = self.table.iloc[rows][["clip", "speaker", "corpus"]].assign(label=self.y[rows])
        columns = [f"p_{name}" for name in model.classes]
        return found.join(pd.DataFrame(model.probabilities(X), index=found.index, columns=columns))

    def judge(self, held_out: Sequence[np.ndarray]) -> tuple[dict[str, Any], pd.DataFrame]:
        """Test on held-out speakers, given as the rows of each fold, as recorded and in all conditions.

        Gives a card: ``temperature``, with which probabilities are calibrated, on all conditions (above 1 if
        the model was too sure; Guo et al. 2017, On calibration of modern neural networks, ICML, 1321-1330);
        ``threshold``, the lowest confidence above which four in five answers are right; ``score`` and
        ``conditions``, as `score` gives them; ``limits``; and ``flagged``, the share of clips, as recorded or
        made odd, that get a hint. And the answers to all clips as recorded: ``label``, ``predicted``,
        ``confidence``, and what the table has.
        """
        some = self._some(TESTED_EACH)
        tests = {
            name: self._measure(some.reset_index(drop=True), name, chain)
            for name, chain in conditions.trials(self.extractors[0].sample_rate).items()
        }
        self.tell("features of odd sounds")
        odd = self._odd()
        parts, strange = [], np.empty(len(self.table))
        for number, test in enumerate(held_out, 1):
            self.tell(f"fold {number} of {len(held_out)}")
            model = self.model({}, np.setdiff1d(np.arange(len(self.table)), test))
            parts.append(self.answer(model, self.X[test], test).assign(condition=CLEAN))
            heard = some.index.isin(test)
            rows = some.index[heard].to_numpy()
            parts += [self.answer(model, X[heard], rows).assign(condition=name) for name, X in tests.items()]
            strange[test] = model.strangeness(self.X[test])
            heard = odd["row"].isin(test) & odd["features"].notna()
            odd.loc[heard, "strangeness"] = model.strangeness(np.stack(odd.loc[heard, "features"]))
        answers = pd.concat(parts, ignore_index=True)
        # What a condition costs is seen on the same clips.
        same = answers["clip"].isin(some["clip"])
        temperature = _calibrate(answers[same])
        answers = decide(answers, temperature)
        clean = answers[answers["condition"] == CLEAN]
        sure = _threshold(clean)
        about = describe_all(self.table).assign(strangeness=strange)
        card = {
            "temperature": temperature,
            "threshold": sure,
            "score": score(clean, sure),
            "conditions": {
                name: score(part, sure) for name, part in answers[same].groupby("condition", sort=False)
            },
            "limits": limits(about),
            "flagged": _flagged(about, odd, held_out),
        }
        return card, clean

    def _odd(self) -> pd.DataFrame:
        """Make some clips odd: a row for each, with ``kind``, ``row``, ``features``, and as of `describe`."""
        rate = self.extractors[0].sample_rate
        bare, rng, rows = TrainedModel(None, self.extractors, {}), np.random.default_rng(0), []
        for row, path in self._some(ODD_EACH)["path"].items():
            y, _ = audio.read(path, rate)
            for kind, make in conditions.odd(rate).items():
                z = make(y, rng)
                rows.append({"kind": kind, "row": row, "features": None} | describe(z, rate))
                # Some features cannot be had of so little sound; the model says so, too.
                with contextlib.suppress(FeatureError):
                    rows[-1]["features"] = bare.features(z, rate)
        return pd.DataFrame(rows)


def _flagged(about: pd.DataFrame, odd: pd.DataFrame, held_out: Sequence[np.ndarray]) -> dict[str, float]:
    """Compute the share of clips, as recorded and of every odd kind, beyond limits of other speakers."""
    found: dict[str, list[bool]] = {}
    for test in held_out:
        known = limits(about.drop(index=test))
        tested = pd.concat([about.loc[test].assign(kind=CLEAN), odd[odd["row"].isin(test)]])
        for row in tested.to_dict("records"):
            found.setdefault(row["kind"], []).append(bool(hints(row, known)))
    return {kind: round(float(np.mean(said)), 4) for kind, said in found.items()}


def _calibrate(answers: pd.DataFrame) -> float:
    """Find the temperature at which the probabilities of the right answers are highest."""
    from scipy.optimize import minimize_scalar

    p = answers.filter(regex="^p_")
    right = p.columns.get_indexer("p_" + answers["label"])

    def surprise(temperature: float) -> float:
        cooled = tempered(p.to_numpy(), temperature)
        return -np.log(np.maximum(cooled[np.arange(len(p)), right], 1e-12)).mean()

    return round(float(minimize_scalar(surprise, bounds=(0.2, 10), method="bounded").x), 3)


def decide(answers: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Add ``predicted`` and ``confidence`` to rows with ``p_<class>``."""
    columns = answers.filter(regex="^p_").columns
    p = tempered(answers[columns].to_numpy(), temperature)
    predicted = columns.str.removeprefix("p_").to_numpy()[p.argmax(axis=1)]
    return answers.assign(predicted=predicted, confidence=p.max(axis=1)).drop(columns=columns)


def score(answers: pd.DataFrame, sure: float) -> dict[str, float]:
    """Compute UAR with its interval over speakers, confidence, and what answers from `sure` on are worth.

    Gives ``uar``, ``low``, ``high``, ``confidence``; ``coverage``, the share of clips whose confidence is
    `sure` or more; and ``accuracy_if_sure`` of these, where there are any. All from 0 to 1.
    """
    found = evaluation.interval(answers, "uar")
    values = {"uar": found.value, "low": found.low, "high": found.high}
    values["confidence"] = answers["confidence"].mean()
    is_sure = answers["confidence"] >= sure
    values["coverage"] = is_sure.mean()
    if is_sure.any():
        values["accuracy_if_sure"] = (answers["label"] == answers["predicted"])[is_sure].mean()
    return {name: round(float(value), 4) for name, value in values.items()}


def _threshold(answers: pd.DataFrame) -> float:
    """Find the lowest confidence above which `WANTED` of the answers are right; else that of the surest."""
    ordered = answers.sort_values("confidence", ascending=False)
    right = (ordered["label"] == ordered["predicted"]).expanding().mean().to_numpy()
    enough = np.flatnonzero(right >= WANTED)
    # Rounded down, so that the clip that decided is sure.
    return float(np.floor(1e4 * ordered["confidence"].iloc[enough[-1] if len(enough) else 0]) / 1e4)

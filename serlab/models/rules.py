"""Chapter 4: models that do not listen, and rules on one number."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from serlab.features import Summary
from serlab.models.spec import ModelSpec

NOT_NEEDED = "nothing to choose"
FIXED = "settings fixed beforehand"
MANY_SEEDS = tuple(range(5))


def one_number(name: str):
    """Build a rule on one summary feature: thresholds that cut its range into at most eight parts.

    A decision tree of depth three, in which every class weighs alike, with at least twenty clips in every
    part.
    """
    column = Summary().feature_names.index(name)
    pick = FunctionTransformer(_columns, kw_args={"columns": [column]})
    rule = DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, class_weight="balanced", random_state=0)
    return make_pipeline(pick, rule)


def _columns(X, columns):
    return X[:, columns]


_LOUDNESS = ModelSpec(
    "loudness", "Loudness alone", 4, (Summary(),), lambda seed: one_number("rms_mean"), FIXED
)
_PITCH = ModelSpec("pitch", "Pitch alone", 4, (Summary(),), lambda seed: one_number("f0_median"), FIXED)
SPECS = (
    ModelSpec("majority", "Majority class", 4, (), lambda seed: DummyClassifier(), NOT_NEEDED),
    ModelSpec(
        "chance",
        "Chance: every class alike",
        4,
        (),
        lambda seed: DummyClassifier(strategy="uniform", random_state=seed),
        NOT_NEEDED,
        seeds=MANY_SEEDS,
    ),
    ModelSpec(
        "stratified-guess",
        "Guess: each class as often as in training",
        4,
        (),
        lambda seed: DummyClassifier(strategy="stratified", random_state=seed),
        NOT_NEEDED,
        seeds=MANY_SEEDS,
    ),
    _LOUDNESS,
    _PITCH,
    _LOUDNESS.normalised(),
    _PITCH.normalised(),
)

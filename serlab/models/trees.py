"""Chapter 5: the original decision tree, trees that can be read, and many trees together."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from serlab.features import OriginalMel, Summary
from serlab.models.search import SpeakerSearch
from serlab.models.spec import ModelSpec

FIXED = "settings fixed beforehand"
INNER = "by UAR on three speaker-disjoint folds within the training data"


def original_tree(seed: int):
    """Build the tree of the original notebook, without any limit.

    It is given all 18,816 values of the square-root mel spectrogram. The original set no seed: where two cuts
    are equally good the seed decides, so that its result is one draw from the spread between seeds.
    """
    return make_pipeline(FunctionTransformer(_flatten), DecisionTreeClassifier(random_state=seed))


def _flatten(X: np.ndarray) -> np.ndarray:
    return X.reshape(len(X), -1)


def readable_tree(seed: int):
    """Build a tree of depth four, small enough to be read aloud."""
    return DecisionTreeClassifier(
        max_depth=4, min_samples_leaf=10, class_weight="balanced", random_state=seed
    )


def tuned_tree(seed: int):
    """Build a tree whose depth is chosen on training speakers that are held out in turn."""
    tree = DecisionTreeClassifier(min_samples_leaf=5, class_weight="balanced", random_state=seed)
    return SpeakerSearch(tree, {"max_depth": [2, 3, 4, 5, 6, 8, 10, 15]})


def forest(seed: int):
    """Build 300 trees, each on its own draw of clips and features, which vote."""
    return RandomForestClassifier(
        300, min_samples_leaf=2, class_weight="balanced_subsample", n_jobs=2, random_state=seed
    )


def boosting(seed: int):
    """Build 60 rounds of small trees; each round corrects those before it on a part of the features."""
    return HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.15,
        max_leaf_nodes=15,
        min_samples_leaf=10,
        l2_regularization=1.0,
        max_features=0.3,
        max_bins=64,
        class_weight="balanced",
        early_stopping=False,
        random_state=seed,
    )


ON_SUMMARY = (Summary(),)
SEEDS = (0, 1, 2)
_FOREST = ModelSpec(
    "forest", "Random forest on summary features", 5, ON_SUMMARY, forest, FIXED, SEEDS, ensemble=True
)
SPECS = (
    ModelSpec(
        "tree-original",
        "The original decision tree on 18,816 mel values",
        5,
        (OriginalMel(),),
        original_tree,
        "none: grown until every leaf is pure, as in the original",
        SEEDS,
    ),
    ModelSpec(
        "tree-small", "Tree of depth 4 on summary features", 5, ON_SUMMARY, readable_tree, FIXED, SEEDS
    ),
    ModelSpec(
        "tree-tuned",
        "Tree of tuned depth on summary features",
        5,
        ON_SUMMARY,
        tuned_tree,
        f"depth {INNER}",
        SEEDS,
    ),
    _FOREST,
    _FOREST.normalised(),
    ModelSpec(
        "boosting",
        "Gradient boosting on summary features",
        5,
        ON_SUMMARY,
        boosting,
        FIXED,
        SEEDS,
        ensemble=True,
    ),
)

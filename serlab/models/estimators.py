"""How each model of the book is built: functions that take a seed and return a fresh estimator.

Keras is loaded when a network is built, not when it is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from serlab.augment import Chain, Step, frequency_mask, shift_bands, shift_frames, time_mask
from serlab.features import Summary
from serlab.models.search import Committee, SpeakerSearch

if TYPE_CHECKING:
    from serlab.models.network import Network

MOVED = (Step(shift_frames, most=20), Step(shift_bands, most=3))
MASKED = (
    Step(time_mask, count=1, width=(0, 20), fill=0.0),
    Step(frequency_mask, count=1, width=(0, 8), fill=0.0),
)


# ---- rules, trees and linear models ----


def one_number(name: str):
    """Build a rule on one summary feature: thresholds that cut its range into at most eight parts.

    A tree of depth three, in which every class weighs alike, with at least twenty clips in every part.
    """
    column = Summary().feature_names.index(name)
    pick = FunctionTransformer(np.take, kw_args={"indices": [column], "axis": 1})
    rule = DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, class_weight="balanced", random_state=0)
    return make_pipeline(pick, rule)


def original_tree(seed: int):
    """Build the tree of the original notebook, without any limit, on all 18,816 values of a spectrogram.

    The original set no seed: its result is one draw from the spread between seeds.
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


def logistic(seed: int = 0, *steps) -> SpeakerSearch:
    """Build a logistic regression with chosen C; scaling, and `steps` after it, are fitted with it."""
    model = LogisticRegression(class_weight="balanced", max_iter=2000)
    grid = {"logisticregression__C": [0.001, 0.003, 0.01, 0.03]}
    return SpeakerSearch(make_pipeline(StandardScaler(), *steps, model), grid)


def pca_logistic(seed: int = 0) -> SpeakerSearch:
    """Build a logistic regression on the hundred strongest principal components of long features."""
    # On standardised features this is a PCA; unlike PCA it takes fewer components of fewer clips.
    return logistic(seed, TruncatedSVD(100, random_state=0))


def _svm(kernel: str, values: Sequence[float], seed: int = 0) -> SpeakerSearch:
    machine = SVC(kernel=kernel, class_weight="balanced", break_ties=True)
    return SpeakerSearch(make_pipeline(StandardScaler(), machine), {"svc__C": values})


# Support vector machines with chosen C.
linear_svm = partial(_svm, "linear", [0.0003, 0.001, 0.003, 0.01])
rbf_svm = partial(_svm, "rbf", [1.0, 3.0, 10.0])


def committee(seed: int = 0) -> Committee:
    """Build two logistic regressions, one per feature set, whose log-probabilities are averaged."""
    width = Summary().shape[0]
    return Committee([(slice(0, width), logistic()), (slice(width, None), logistic())])


# ---- networks ----


def _network(architecture: str, seed: int, kind: str = "Network", **settings) -> Network:
    from serlab.models import architectures
    from serlab.models import network as kinds

    return getattr(kinds, kind)(getattr(architectures, architecture), seed=seed, **settings)


def _ours(architecture: str, seed: int, **settings) -> Network:
    return _network(architecture, seed, optimizer=cosine, standardise=True, **settings)


def cosine(steps: int):
    """Make an AdamW optimiser whose learning rate rises for a twentieth of the steps, then falls as a cosine.

    With a rate that ends at zero the last epoch is as good as any, and no clips need to be held out to choose
    one (Loshchilov & Hutter 2017, SGDR, and 2019, Decoupled weight decay regularization, both ICLR).

    Examples
    --------
    >>> round(float(cosine(1000).learning_rate), 5)
    0.0001
    """
    from serlab.backend import keras

    highest, rising = 2e-3, steps // 20
    rate = keras.optimizers.schedules.CosineDecay(
        highest / 20, steps - rising, warmup_target=highest, warmup_steps=rising
    )
    return keras.optimizers.AdamW(rate, weight_decay=1e-2)


def rmsprop(steps: int):
    """Make the optimiser of model A: RMSprop, five times as quick as the paper's."""
    from serlab.backend import keras

    return keras.optimizers.RMSprop(5e-5)


# Those of the original notebook. The last learns from five versions of each clip.
original_ann = partial(_network, "original_ann", epochs=25)
original_cnn = partial(_network, "original_cnn", epochs=25)
original_augmented_cnn = partial(_network, "original_augmented_cnn", epochs=25, copies=True)

# Ours on summary features; the one that weighs frames is trained in the same way.
_AS_DENSE = {"epochs": 60, "label_smoothing": 0.1, "balanced": True}
dense = partial(_ours, "dense", **_AS_DENSE)
attention = partial(_ours, "attention_pooling", **_AS_DENSE)


def cnn(seed: int, steps: Sequence[Step] = ()) -> Network:
    """Build our CNN on log-mel spectrograms; `steps` change every batch of training clips, anew each time."""
    augment = Chain(*steps, seed=seed) if steps else None
    settings = {"centre_clips": True, "label_smoothing": 0.1, "augment": augment}
    return _ours("cnn", seed, epochs=50, batch_size=16, **settings)


augmented_cnn = partial(cnn, steps=(*MOVED, *MASKED))

# The original network for valence as it was trained, clip by clip; the same, trained as ours are; a deeper
# one, with one decision between all classes; and with a head for every class against the rest.
valence_original = partial(
    _network, "valence_original", epochs=15, batch_size=1, steps_at_once=16, optimizer="adam"
)
valence_small = partial(_ours, "valence_original", epochs=20, balanced=True)
valence_cnn = partial(_ours, "valence_cnn", epochs=20, balanced=True)
valence_shared = partial(_ours, "valence_three_heads", kind="SharedTrunk", epochs=20)

# Published ones. Model A is trained on four versions of each clip, or on clips as they are for as many steps;
# the paper trains 700 epochs at a rate of 1e-5, the report 300. That of CREMA-D learns from three versions.
_MODEL_A = {"batch_size": 16, "optimizer": rmsprop, "standardise": True}
model_a = partial(_network, "model_a", epochs=12, copies=True, **_MODEL_A)
model_a_plain = partial(_network, "model_a", epochs=48, **_MODEL_A)
original_contours = partial(
    _network, "original_contours", epochs=15, batch_size=64, optimizer="adam", copies=True
)
compact_contours = partial(
    _ours, "compact_contours", epochs=20, batch_size=16, label_smoothing=0.1, balanced=True
)

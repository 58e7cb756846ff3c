"""How the model was trained that comes with serlab: ``python -m serlab.prediction.emotions`` makes it anew.

It hears a clip through three blocks of Whisper's encoder, and decides by logistic regression. It learned from
three corpora, each clip as it is, with noise, in a room, and over the telephone.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import corpora, provenance
from serlab.embeddings import Whisper
from serlab.features import Treated
from serlab.models import TrainedModel, save
from serlab.prediction.fit import Study, decide, score

FILE = Path(__file__).parent / "emotions.serlab"
CORPORA = ("ravdess", "emodb_first2s", "nemo")
# nEMO has many clips of few speakers.
CLIPS_EACH = 40
CLASSES = {name: name for name in ("angry", "disgust", "fearful", "happy", "neutral", "sad", "surprised")}
CLASSES["calm"] = "neutral"
# Ends are trimmed and the level is made the same, so that neither matters.
EXTRACTOR = Treated(features=Whisper(), band=None, floor=None)
FOLDS = 6


def build(seed: int):
    """Build the estimator. `serlab.models.estimators.logistic`, which chooses C, chose this one before."""
    regression = LogisticRegression(C=0.001, class_weight="balanced", max_iter=1000)
    components = PCA(384, svd_solver="covariance_eigh", random_state=seed)
    return make_pipeline(StandardScaler(), components, regression)


def joined(model: TrainedModel) -> TrainedModel:
    """Make one linear map of scaling, components and regression, which takes a fiftieth of their place."""
    scaler, components, regression = (step for _, step in model.estimator.steps)
    whole = clone(regression)
    weights = regression.coef_ @ components.components_
    whole.classes_, whole.coef_ = regression.classes_, weights / scaler.scale_
    whole.intercept_ = regression.intercept_ - weights @ (components.mean_ + scaler.mean_ / scaler.scale_)
    return replace(model, estimator=whole)


def collect() -> pd.DataFrame:
    """Load the clips of all corpora whose emotion is one of `CLASSES`."""
    parts = []
    for name in CORPORA:
        table = corpora.load(name)
        table = table[table["emotion"].isin(CLASSES)]
        if name == "nemo":
            table = table.groupby(["speaker", "emotion"]).sample(CLIPS_EACH, random_state=0).sort_index()
        parts.append(table.assign(speaker=name + "/" + table["speaker"].astype(str)))
    found = pd.concat(parts, ignore_index=True)
    found["clip"] = found["corpus"] + "/" + found["clip"]
    return found.assign(emotion=found["emotion"].map(CLASSES))


def main() -> int:
    """Evaluate on unheard speakers and unheard corpora, train on everything, write the file."""
    provenance.one_thread()
    table = collect()
    study = Study(build, (EXTRACTOR,), table, table["emotion"].to_numpy(str))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0).split(table, groups=table["speaker"])
    found, clean = study.judge([test for _, test in folds])
    card = {
        "title": "Seven emotions, from three blocks of Whisper tiny.en and logistic regression",
        "corpora": {name: int((table["corpus"] == name).sum()) for name in CORPORA},
        "licence": "CC BY-NC-SA 4.0, as RAVDESS asks; not for commercial use. Whisper's encoder: MIT",
        "trained_on": "acted speech in English, German and Polish, of 39 actors",
        "protocol": f"{FOLDS} folds of speakers, none of whom is in training",
        **found,
        "by_corpus": {name: score(part, found["threshold"]) for name, part in clean.groupby("corpus")},
        "unheard_corpus": {name: unheard(study, name, found) for name in CORPORA},
    }
    save(FILE, joined(study.model(card)))
    print(FILE, FILE.stat().st_size)
    for name, value in found.items():
        print(name, value)
    for name in ("by_corpus", "unheard_corpus"):
        print(name, card[name])
    return 0


def unheard(study: Study, corpus: str, found: dict) -> dict[str, float]:
    """Train without a corpus and test on the emotions in it that others have taught."""
    other = (study.table["corpus"] != corpus).to_numpy()
    tested = np.flatnonzero(~other & np.isin(study.y, study.y[other]))
    answers = study.answer(study.model({}, np.flatnonzero(other)), study.X[tested], tested)
    return score(decide(answers, found["temperature"]), found["threshold"])


if __name__ == "__main__":
    sys.exit(main())

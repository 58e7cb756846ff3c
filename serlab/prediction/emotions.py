"""How the model was trained that comes with serlab: ``python -m serlab.prediction.emotions`` makes it anew.

It hears a clip through three blocks of Whisper's encoder, and decides by logistic regression. It learned from
three corpora, each clip as it is, with noise, and in a room.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import corpora, provenance, store
from serlab.audio import normalise
from serlab.augment import Augmented, Chain, Step, Uniform, add_noise, room, telephone, voice_message
from serlab.embeddings import Whisper
from serlab.features import Treated
from serlab.models import TrainedModel, estimators, save
from serlab.prediction.fit import limits, score, threshold

FILE = Path(__file__).parent / "emotions.serlab"
RATE = 16000
CORPORA = ("ravdess", "emodb_first2s", "nemo")
# nEMO has many clips of few speakers.
CLIPS_EACH = 40
CLASSES = {name: name for name in ("angry", "disgust", "fearful", "happy", "neutral", "sad", "surprised")}
CLASSES["calm"] = "neutral"
# Ends are trimmed and the level is made the same, so that neither matters.
EXTRACTOR = Treated(features=Whisper(), band=None, floor=None)
COPIES = (
    Chain(Step(add_noise, snr=Uniform(5, 30), colour="pink"), seed=1),
    Chain(Step(room, rt60=Uniform(0.2, 1.5), sample_rate=RATE), seed=2),
    Chain(Step(add_noise, snr=Uniform(10, 40), colour="pink"), Step(telephone, sample_rate=RATE), seed=3),
    # From a living room, now and then spoken too near to the microphone.
    Chain(
        Step(room, rt60=Uniform(0.2, 1.0), sample_rate=RATE, probability=0.5),
        Step(add_noise, snr=Uniform(5, 40), colour="pink"),
        Step(normalise, target=Uniform(-25, -6)),
        Step(np.clip, a_min=-1.0, a_max=1.0),
        Step(voice_message, sample_rate=RATE),
        seed=4,
    ),
)
# Other draws of what it has seen, and things that it has not: for so many clips of every speaker.
TESTED_EACH = 12
TESTS = {
    "voice message": Chain(Step(voice_message, sample_rate=RATE)),
    "telephone": Chain(Step(telephone, sample_rate=RATE)),
    "church": Chain(Step(room, rt60=2.0, sample_rate=RATE)),
    "noise 20 dB": Chain(Step(add_noise, snr=20, colour="pink")),
    "noise 10 dB": Chain(Step(add_noise, snr=10, colour="pink")),
    "noise 0 dB": Chain(Step(add_noise, snr=0, colour="pink")),
    "clipped": Chain(Step(normalise, target=-3.0), Step(np.clip, a_min=-1.0, a_max=1.0)),
}
FOLDS = 6


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


def fit(X: np.ndarray, copies: list[np.ndarray], y: np.ndarray, groups: np.ndarray) -> TrainedModel:
    """Train on clips and their copies; what is familiar is learned from the clips alone."""
    rows = np.concatenate([X, *copies])
    repeated = 1 + len(copies)
    model = estimators.logistic(0).fit(rows, np.tile(y, repeated), groups=np.tile(groups, repeated))
    familiar = make_pipeline(StandardScaler(), PCA(64, whiten=True, random_state=0)).fit(X)
    return TrainedModel(model.best_estimator_, (EXTRACTOR,), {}, familiar)


def answer(model: TrainedModel, X: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """Answer clips of a table: label, speaker, predicted and confidence."""
    p = model.probabilities(X)
    found = table[["clip", "speaker", "corpus"]].assign(label=table["emotion"])
    found["predicted"] = np.array(model.classes)[p.argmax(axis=1)]
    return found.assign(confidence=p.max(axis=1))


def main() -> int:
    """Evaluate on unheard speakers and unheard corpora, train on everything, write the file."""
    provenance.one_thread()
    table = collect()
    y, groups = table["emotion"].to_numpy(str), table["speaker"].to_numpy(str)
    X = store.features(table, EXTRACTOR)
    copies = [store.features(table, Augmented(extractor=EXTRACTOR, chain=chain)) for chain in COPIES]
    some = table.groupby("speaker").sample(TESTED_EACH, random_state=0)
    tests = {
        name: store.features(some.reset_index(drop=True), Augmented(extractor=EXTRACTOR, chain=chain))
        for name, chain in TESTS.items()
    }
    parts, strange = [], np.empty(len(table))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=0).split(X, y, groups):
        model = fit(X[train], [copy[train] for copy in copies], y[train], groups[train])
        parts.append(answer(model, X[test], table.iloc[test]).assign(condition="as recorded"))
        held_out = some.index.isin(test)
        for name, rows in tests.items():
            parts.append(answer(model, rows[held_out], some[held_out]).assign(condition=name))
        strange[test] = model.strangeness(X[test])
    answers = pd.concat(parts, ignore_index=True)
    clean = answers[answers["condition"] == "as recorded"]
    # What a condition costs is seen on the same clips.
    same = answers[answers["clip"].isin(some["clip"])]
    card = {
        "title": "Seven emotions, from three blocks of Whisper tiny.en and logistic regression",
        "corpora": {name: int((table["corpus"] == name).sum()) for name in CORPORA},
        "licence": "CC BY-NC-SA 4.0, as RAVDESS asks; not for commercial use. Whisper's encoder: MIT",
        "trained_on": "acted speech in English, German and Polish, of 39 actors",
        "unheard_speakers": score(clean),
        "by_corpus": {name: score(part) for name, part in clean.groupby("corpus")},
        "conditions": {name: score(part) for name, part in same.groupby("condition", sort=False)},
        "unheard_corpus": {name: _unheard(name, X, copies, table, y, groups) for name in CORPORA},
        **threshold(clean),
        "limits": limits(table, strange),
    }
    model = fit(X, copies, y, groups)
    save(FILE, model.estimator, model.extractors, card, model.familiar)
    print(FILE, FILE.stat().st_size)
    for name in ("unheard_speakers", "by_corpus", "conditions", "unheard_corpus", "threshold", "coverage"):
        print(name, card[name])
    return 0


def _unheard(corpus: str, X, copies, table, y, groups) -> dict[str, float]:
    """Train without a corpus and test on the emotions in it that others have taught."""
    other = (table["corpus"] != corpus).to_numpy()
    model = fit(X[other], [copy[other] for copy in copies], y[other], groups[other])
    tested = ~other & np.isin(y, y[other])
    return score(answer(model, X[tested], table[tested]))


if __name__ == "__main__":
    sys.exit(main())

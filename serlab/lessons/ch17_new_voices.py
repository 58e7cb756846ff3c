"""Chapter 17: two ways to help Whisper with an unheard voice, both without a label of it, recorded.

``python -m serlab.lessons.ch17_new_voices`` records what they predict on each of `CORPORA`.
"""

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

from serlab import corpora, evaluation, provenance, run_files, runs, splits, store, training
from serlab.embeddings import Whisper
from serlab.features import SpeakerNormaliser
from serlab.lessons.ch16_self_training import SelfTrainingVote
from serlab.models.estimators import logistic
from serlab.models.search import SpeakerSearch

LESSON = "serlab.lessons.ch17_new_voices"
CORPORA = {"ravdess": "emobox6", "emodb_first2s": "loso", "nemo": "loso"}
COUNTS = (0, 10, 20, 40)
COLUMNS = ("corpus", "fold", "clip", "speaker", "label", "predicted")


class WithoutVoices(TransformerMixin, BaseEstimator):
    """Take directions in which voices differ from standardised features: of each set, the first `count`.

    This is nuisance attribute projection (Solomonoff, Campbell & Boardman 2005, Advances in channel
    compensation for SVM speaker recognition, ICASSP), with the speaker as what disturbs. `sets` are arrays of
    shape (directions, features) such as `directions_of_voices` gives, one for each corpus.

    Examples
    --------
    >>> WithoutVoices([np.eye(3)], count=1).fit_transform(np.array([[5.0, 2.0, 1.0]])).tolist()
    [[0.0, 2.0, 1.0]]
    """

    def __init__(self, sets: Sequence[np.ndarray], count: int = 10):
        self.sets, self.count = sets, count

    def fit(self, X: np.ndarray, y=None):
        """Make a basis of the directions; nothing is learnt from `X`."""
        self.basis_ = np.linalg.qr(np.concatenate([one[: self.count] for one in self.sets]).T)[0]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Subtract what lies along the directions: shape (clips, features) stays."""
        return X - (X @ self.basis_) @ self.basis_.T


def directions_of_voices(X: np.ndarray, labels: Sequence[str], speakers: Sequence[str]) -> np.ndarray:
    """Find how speakers differ when they show the same emotion: (clips, features) to (directions, features).

    Features are standardised. Directions are orthonormal; speakers differ most along the first.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 4.0], [6.0, 0.0], [6.0, 4.0]])
    >>> found = directions_of_voices(X, ["sad", "happy"] * 2, ["ann", "ann", "bob", "bob"])
    >>> abs(found[0]).round(6).tolist()
    [1.0, 0.0]
    """
    Z = pd.DataFrame(StandardScaler().fit_transform(X))
    means = Z.groupby([np.asarray(labels), np.asarray(speakers)]).mean()
    return np.linalg.svd(means - means.groupby(level=0).transform("mean"), full_matrices=False)[2]


def without_voices(corpus: str) -> tuple[pd.DataFrame, dict]:
    """Take the directions of the other corpora's voices away; how many, and C, are chosen as usual.

    The choice is among `COUNTS` of each corpus. Gives the predictions, and what was chosen in each fold.
    """
    table, X = _clips(corpus)
    others = [_clips(name) for name in CORPORA if name != corpus]
    sets = [directions_of_voices(Z, part["emotion"], part["speaker"]) for part, Z in others]

    def build(seed: int) -> SpeakerSearch:
        search = logistic(seed, WithoutVoices(sets))
        return search.set_params(param_grid=search.param_grid | {"withoutvoices__count": list(COUNTS)})

    found = training.cross_validate(build, X, table, splits.make(table, CORPORA[corpus]))
    return found, {"chosen": found.attrs["cost"]["chosen"]}


def self_training(corpus: str) -> tuple[pd.DataFrame, dict]:
    """Normalise by speaker, and learn in three rounds from the surest answers about the test clips.

    Answers are standardised within each speaker. All of it is transductive.
    """
    table, X = _clips(corpus)
    y, speakers = (table[name].to_numpy(str) for name in ("emotion", "speaker"))
    X = SpeakerNormaliser().fit_transform(X, groups=speakers)
    model, parts = SelfTrainingVote([slice(None)]), []
    for number, fold in enumerate(splits.make(table, CORPORA[corpus])):
        train, test = fold.train, fold.test
        model.fit(X[train], y[train], speakers[train], X[test], speakers[test])
        part = table.iloc[test][["clip", "speaker"]].assign(fold=number, label=y[test])
        parts.append(part.assign(predicted=model.predict(X[test], speakers[test])))
    return pd.concat(parts, ignore_index=True), {"model": repr(model)}


WAYS = {"without-voices": without_voices, "self-training": self_training}


def record(name: str, *, allow_changed_code: bool = False) -> None:
    """Record one of `WAYS` on all corpora."""
    how = provenance.circumstances("keras", allow_changed_code=allow_changed_code)
    parts, about = [], {}
    for corpus, protocol in CORPORA.items():
        found, chosen = WAYS[name](corpus)
        uar = evaluation.interval(found, "uar")
        print(name, corpus, uar, flush=True)
        content = corpora.content_hash(_clips(corpus)[0])
        scores = {"uar": uar.value, "uar_low": uar.low, "uar_high": uar.high}
        about[corpus] = {"protocol": protocol, "content_hash": content, "scores": scores, **chosen}
        parts.append(found.assign(corpus=corpus)[list(COLUMNS)])
    text = pd.concat(parts).to_csv(index=False, lineterminator="\n")
    run_files.write(_path(name), text, {"way": name, "corpora": about, **how})


def read(name: str, corpus: str) -> pd.DataFrame:
    """Read what one of `WAYS` predicted on a corpus, with `COLUMNS`; `RunError` if it is not recorded."""
    found = run_files.read(_path(name), f"python -m {LESSON}")[0]
    return found[found["corpus"] == corpus].reset_index(drop=True)


@functools.cache
def _clips(corpus: str) -> tuple[pd.DataFrame, np.ndarray]:
    table = splits.get(CORPORA[corpus]).prepare(corpora.load(corpus))
    return table, np.asarray(store.features(table, Whisper(), progress=False))


def _path(name: str) -> Path:
    return runs.root() / "new-voices" / f"{name}.json"


if __name__ == "__main__":
    sys.exit(runs.record_named(None, LESSON, "way", WAYS, lambda name: _path(name).is_file(), record))

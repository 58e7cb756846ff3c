"""How corpora differ as recordings, and how well a classifier tells them apart."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import splits, store, training
from serlab.errors import SplitError
from serlab.features import Recording

# Of `serlab.splits.corpus_folds`; fewer where no corpus has as many speakers.
FOLDS = 5


def recordings(table: pd.DataFrame, *, n_jobs: int = 2, progress: bool = True) -> pd.DataFrame:
    """Measure how clips were recorded and cut: ``corpus``, and what `serlab.features.Recording` measures.

    Examples
    --------
    >>> from serlab import corpora
    >>> from serlab.corpora import demo
    >>> table = corpora.unify([part.head(3) for part in demo.part_tables()])
    >>> found = recordings(table, n_jobs=1, progress=False).groupby("corpus").median()
    >>> bool(found.loc["demo-b", "highest"] < 4500 < found.loc["demo-a", "highest"])
    True
    """
    measured = store.features(table, Recording(), n_jobs=n_jobs, progress=progress)
    found = pd.DataFrame(measured, columns=list(Recording.feature_names), index=table.index)
    found.insert(0, "corpus", table["corpus"])
    return found


def corpus_recognition(X: np.ndarray, table: pd.DataFrame, C: float = 0.01) -> pd.DataFrame:
    """Let a linear classifier guess from which corpus each clip is, on speakers that it never heard.

    Features are laid flat and standardised; `C` is not tuned, since before is compared with after. Gives
    predictions as of `serlab.training.cross_validate`, with corpora for labels. Guessing reaches a UAR of 1
    over the number of corpora; more need not be recording, since languages, sentences and emotions differ
    too. The game "name that dataset" of Torralba & Efros 2011, Unbiased look at dataset bias, CVPR.

    Raises `SplitError` if the table holds one corpus only, or a corpus has one speaker only.

    Examples
    --------
    >>> table = pd.DataFrame({"clip": list("abcdefgh"), "speaker": list("11223344"), "emotion": "sad"})
    >>> table["corpus"] = ["loud"] * 4 + ["quiet"] * 4
    >>> predictions = corpus_recognition(np.repeat([[-20.0], [-40.0]], 4, axis=0), table)
    >>> bool((predictions["label"] == predictions["predicted"]).all())
    True
    """
    speakers = table.groupby("corpus", sort=False)["speaker"].nunique()
    if len(speakers) < 2:
        raise SplitError(f"the table holds {speakers.index[0]} only: join more with serlab.corpora.unify")
    if speakers.min() < 2:
        raise SplitError(f"{speakers.idxmin()} has one speaker only, too few to train and test: omit it")
    split = splits.corpus_folds(table, min(FOLDS, speakers.max()))
    model = LogisticRegression(C=C, class_weight="balanced", max_iter=2000)
    return training.cross_validate(
        lambda seed: make_pipeline(StandardScaler(), model),
        np.asarray(X).reshape(len(X), -1),
        table,
        split,
        y=table["corpus"],
    )

"""How corpora differ as recordings, and how well a classifier tells them apart.

A model that is trained on several corpora may learn which corpus a clip is from, and what is common there,
instead of what emotions sound like. What tells corpora apart is therefore measured before and after it is
taken away (see `serlab.features.Treated`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import splits, store, training
from serlab.errors import SplitError


def recordings(table: pd.DataFrame, *, n_jobs: int = 2, progress: bool = True) -> pd.DataFrame:
    """Measure how the clips of each corpus were recorded and cut.

    Parameters
    ----------
    table : DataFrame
        Utterance table of one or more corpora.
    n_jobs, progress
        As for `serlab.store.features`.

    Returns
    -------
    DataFrame
        One row per clip: ``corpus``, and what `serlab.features.Recording` measures (seconds, dBFS, Hz). Take
        ``.groupby("corpus").median()`` of it, or draw it.

    Examples
    --------
    >>> from serlab import corpora
    >>> from serlab.corpora import demo
    >>> table = corpora.unify([part.head(3) for part in demo.part_tables()])
    >>> found = recordings(table, n_jobs=1, progress=False).groupby("corpus").median()
    >>> bool(found.loc["demo-b", "highest"] < 4500 < found.loc["demo-a", "highest"])
    True
    """
    from serlab.features import Recording

    measured = store.features(table, Recording(), n_jobs=n_jobs, progress=progress)
    found = pd.DataFrame(measured, columns=list(Recording.feature_names), index=table.index)
    found.insert(0, "corpus", table["corpus"])
    return found


def corpus_recognition(X: np.ndarray, table: pd.DataFrame, k: int = 5, C: float = 0.01) -> pd.DataFrame:
    """Let a linear classifier guess from which corpus each clip is, on speakers that it never heard.

    A logistic regression on standardised features, in which every corpus weighs alike. The speakers of each
    corpus are dealt into folds (`serlab.splits.corpus_folds`), so that it cannot answer by knowing the voice.

    Parameters
    ----------
    X : ndarray, shape (clips, ...)
        Features; row i belongs to row i of `table`. More than one dimension is laid flat.
    table : DataFrame
        Utterance table of several corpora, as from `serlab.corpora.unify`.
    k : int
        Number of folds; fewer where no corpus has as many speakers.
    C : float
        Inverse strength of regularisation. It is not tuned: what matters is before against after.

    Returns
    -------
    DataFrame
        Predictions as from `serlab.training.cross_validate`, with corpora for labels:
        ``serlab.evaluation.interval(...)`` gives UAR with its interval over speakers, and
        ``serlab.evaluation.confusion`` says which corpora are taken for each other. Guessing reaches 1 over
        the number of corpora. What is left above that after a treatment need not be recording: languages,
        sentences, and which emotions a corpus has differ too.

    Raises
    ------
    SplitError
        If the table holds one corpus only, or a corpus has one speaker only.

    References
    ----------
    Torralba & Efros 2011, Unbiased look at dataset bias, CVPR: the game "name that dataset".

    Examples
    --------
    >>> from serlab import corpora
    >>> table = corpora.unify(["demo"])
    Left out, ...
    >>> corpus_recognition(np.zeros((len(table), 1)), table)
    Traceback (most recent call last):
    serlab.errors.SplitError: ...the table holds demo only...
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    speakers = table.groupby("corpus", sort=False)["speaker"].nunique()
    if len(speakers) < 2:
        raise SplitError(
            f"there is nothing to tell apart: the table holds {speakers.index[0]} only. "
            "Join more corpora with serlab.corpora.unify"
        )
    if speakers.min() < 2:
        raise SplitError(
            f"{speakers.idxmin()} has one speaker only, who cannot be trained on and tested: leave it out"
        )
    split = splits.corpus_folds(table, min(k, speakers.max()))
    model = LogisticRegression(C=C, class_weight="balanced", max_iter=2000)
    return training.cross_validate(
        lambda seed: make_pipeline(StandardScaler(), model),
        np.asarray(X).reshape(len(X), -1),
        table,
        split,
        y=table["corpus"],
    )

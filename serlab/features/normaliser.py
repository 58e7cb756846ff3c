"""Normalisation of features within each speaker."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_consistent_length

# A deviation this small beside the size of the values is rounding, not variation.
CONSTANT = 1e-6


class SpeakerNormaliser(TransformerMixin, BaseEstimator):
    """Standardise every feature within each speaker: subtract the speaker's mean, divide by the deviation.

    Of spectrograms every band is a feature, measured over all frames of all clips of the speaker. A feature
    that is constant within a speaker becomes 0, and so do all features of a speaker with one clip.

    Every speaker is measured on the very clips that are transformed. So it works for speakers never seen in
    training, and is **transductive**: a test clip's value depends on the speaker's other test clips (on their
    sound, never on their labels). A system that hears one clip of a stranger cannot do that. Wherever you
    report a result that uses it, say so, and give the one without it.

    Since no speaker lends anything to another, the whole table can be normalised before cross-validation. In
    a pipeline with metadata routing,
    ``SpeakerNormaliser().set_fit_request(groups=True).set_transform_request(groups=True)`` does the same.

    Examples
    --------
    >>> X = np.array([[100.0], [200.0], [10.0], [20.0], [7.0]])
    >>> SpeakerNormaliser().fit_transform(X, groups=["a", "a", "b", "b", "c"]).ravel()
    array([-1.,  1., -1.,  1.,  0.])
    """

    def fit(self, X: np.ndarray, y: np.ndarray | None = None, *, groups: np.ndarray | None = None):
        """Check the input and remember its number of features; there is nothing else to learn."""
        self.n_features_in_ = check_array(X, allow_nd=True).shape[1]
        return self

    def transform(self, X: np.ndarray, *, groups: np.ndarray | None = None) -> np.ndarray:
        """Standardise every feature within each speaker, whom `groups` names for each clip.

        Takes (clips, features) or (clips, bands, frames), and keeps shape and float type; `ValueError` if
        `groups` is missing or not as long as `X`.
        """
        X = check_array(X, dtype=(np.float64, np.float32), allow_nd=True)
        if groups is None:
            raise ValueError("SpeakerNormaliser needs groups, the speaker of each row, as groups=...")
        groups = np.asarray(groups, dtype=object)
        check_consistent_length(X, groups)
        if (missing := pd.isna(groups)).any():
            raise ValueError(f"row {missing.argmax()} has no speaker in groups: name one, or leave it out")
        groups = groups.astype(str)
        result = np.empty_like(X)
        measured = (0, *range(2, X.ndim))
        for speaker in np.unique(groups):
            rows = groups == speaker
            values = X[rows].astype(np.float64)
            mean = values.mean(axis=measured, keepdims=True)
            deviation = values.std(axis=measured, keepdims=True)
            deviation[deviation <= CONSTANT * np.abs(mean)] = np.inf
            result[rows] = (values - mean) / deviation
        return result

    def fit_transform(
        self, X: np.ndarray, y: np.ndarray | None = None, *, groups: np.ndarray | None = None
    ) -> np.ndarray:
        """Standardise every feature within each speaker; see `transform`."""
        return self.fit(X, y, groups=groups).transform(X, groups=groups)

"""Estimators of scikit-learn as bytes, by skops: nothing in them is unpickled or run."""

import inspect
import warnings
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from serlab.errors import ModelError

# What skops does not trust by itself: parts of scikit-learn, such as nodes of trees, and of serlab.
TRUSTED = (
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.StratifiedGroupKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "numpy.dtype",
    "numpy.take",
    "serlab.models.binaries.OneVsRest",
    "serlab.models.binaries.Oversampled",
    "serlab.models.binaries.Tuned",
    "serlab.models.estimators._flatten",
    "serlab.models.search.Committee",
    "serlab.models.search.SpeakerSearch",
    "serlab.models.shares.Shares",
)


def to_bytes(estimator: Any) -> bytes:
    """Write a fitted estimator, or raise `ModelError` if only code of its own could restore it."""
    import skops.io

    name = type(estimator).__name__
    try:
        content = skops.io.dumps(estimator)
    except Exception as error:  # Whatever it holds may say in its own way that it cannot be kept.
        raise ModelError(f"{name} cannot be kept in a file: {error}") from error
    if unknown := sorted({*skops.io.get_untrusted_types(data=content)} - {*TRUSTED}):
        raise ModelError(
            f"{name} holds {', '.join(unknown)}, which only running code could restore. Save an estimator "
            "made of parts of scikit-learn: do what a function or class of your own does before, as one of "
            "the features, or by NumPy, as in FunctionTransformer(np.log1p)"
        )
    return content


def from_bytes(content: bytes) -> Any:
    """Read what `to_bytes` wrote, with the same or another version of scikit-learn.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from_bytes(to_bytes(StandardScaler().fit([[0.0], [2.0]]))).mean_
    array([1.])
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return _completed(skops.io.loads(content, trusted=list(TRUSTED)))
    except UntrustedTypesFoundException as error:
        raise ModelError(f"The file asks for more than scikit-learn: {error}") from error


def _completed(part: Any) -> Any:
    """Give estimators, also inner ones, those settings that the scikit-learn that saved them did not have."""
    inner = part if isinstance(part, (list, tuple)) else ()
    if isinstance(part, BaseEstimator):
        for name, setting in inspect.signature(type(part)).parameters.items():
            if not hasattr(part, name):
                setattr(part, name, setting.default)
        inner = vars(part).values()
    for one in inner:
        _completed(one)
    return part

"""Trained models in a file: all from samples to probabilities, and a card that says what they are worth.

A file is a zip archive of ``card.json`` and one of ``estimator.skops`` (scikit-learn, by skops) and
``estimator.keras`` (Keras' own format). Nothing in it is unpickled or run.
"""

import contextlib
import datetime
import importlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from serlab import audio, provenance
from serlab.checks import is_regressor
from serlab.errors import ModelError
from serlab.features.base import Extractor
from serlab.models import skops_files
from serlab.paths import atomic_write_together, disk_errors
from serlab.training import softmax

# Raised when a file of the version before can no longer be read.
FORMAT = 1
# Where extractors that a file may name are looked up.
ROOMS = ("serlab.features", "serlab.embeddings", "serlab.augment")
# What of a network is needed besides its layers.
KEPT = ("centre_clips", "standardise", "copies")
MEASURED = ("mean_", "deviation_")


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and all it takes to put a recording through it.

    Attributes
    ----------
    estimator : object
        Fitted, with ``classes_``, and ``predict_proba`` or ``decision_function``; or a regressor.
    extractors : tuple of Extractor
        What it listens to; those of several are laid side by side. Empty for a model of features of your own.
    card : dict
        What is known of it, as JSON can hold it: ``title``, ``corpora``, ``score``, ``licence``, ...
    familiar : object, optional
        A transformer of scikit-learn that gives whitened features: the longer such a vector, the less the
        clip is like those trained on (Mahalanobis distance).
    """

    estimator: Any
    extractors: tuple[Extractor, ...]
    card: Mapping[str, Any]
    familiar: Any = None

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the probabilities; none of a regressor."""
        return [str(name) for name in getattr(self.estimator, "classes_", ())]

    @property
    def sample_rate(self) -> int:
        """Rate in Hz of the sound that the extractors take."""
        return self.extractors[0].sample_rate

    def features(self, y: np.ndarray, sample_rate: int) -> np.ndarray:
        """Measure one signal: (samples,) at `sample_rate` in Hz to what the estimator takes for one clip."""
        found = []
        for extractor in self.extractors:
            part = audio.resample(y, sample_rate, extractor.sample_rate)
            found.append(extractor.extract(part))
        return found[0] if len(found) == 1 else np.concatenate(found)

    def probabilities(self, X: np.ndarray | pd.DataFrame) -> np.ndarray:
        """Return the probability of each of `classes`: features (clips, ...) to (clips, classes).

        Where the card has a ``temperature``, they are calibrated by it.
        """
        if not self.classes:
            raise ModelError(
                "This model predicts values, not classes: use its `values`, of a sound "
                "model.values(model.features(y, sample_rate)[None])"
            )
        if hasattr(self.estimator, "predict_proba"):
            p = np.asarray(self.estimator.predict_proba(X), dtype=float)
        else:
            p = softmax(self.estimator.decision_function(X))
        return tempered(p, self.card.get("temperature", 1.0))

    def values(self, X: np.ndarray | pd.DataFrame) -> np.ndarray:
        """Return what a regressor predicts: features (clips, ...) to (clips,)."""
        if self.classes:
            raise ModelError("This model predicts classes, not values: use its `probabilities`")
        return np.asarray(self.estimator.predict(X), dtype=float)

    def strangeness(self, X: np.ndarray) -> np.ndarray:
        """Return how far clips lie from those trained on, 1 on average: features (clips, ...) to (clips,)."""
        X = np.asarray(X)
        whitened = self.familiar.transform(X.reshape(len(X), -1))
        return np.sqrt(np.mean(whitened**2, axis=1))


def tempered(p: np.ndarray, temperature: float) -> np.ndarray:
    """Make probabilities, (clips, classes), more alike at a temperature above 1, less alike below it.

    Examples
    --------
    >>> tempered(np.array([[0.8, 0.2]]), 2).round(2)
    array([[0.67, 0.33]])
    """
    return softmax(np.log(np.maximum(p, 1e-12)) / temperature)


def save(
    path: str | os.PathLike,
    estimator: Any,
    extractors: Sequence[Extractor] = (),
    card: Mapping[str, Any] | None = None,
    familiar: Any = None,
) -> Path:
    """Write a trained model into one file; what was there stays until the new file is whole.

    Parameters
    ----------
    path : path-like
        Best with the ending ``.serlab``.
    estimator : object
        Fitted: a classifier or regressor of scikit-learn, or a network of serlab, which a Keras model of your
        own becomes by `serlab.models.network.Network.of`. Of a search, the best estimator is kept. Or a
        `TrainedModel`, which has all of the following.
    extractors, card, familiar : optional
        As of `TrainedModel`; date and versions are added to the card. Without `familiar`, and ``limits`` on
        the card, `serlab.predict` cannot say what is unlike the training data:
        `serlab.prediction.fit.train` makes both.

    Raises
    ------
    ModelError
        If the estimator is not fitted, or of a kind that cannot be kept without pickling.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = np.array([[0.0], [1.0]] * 4), np.array(["sad", "happy"] * 4)
    >>> path = Path(tempfile.mkdtemp()) / "mine.serlab"
    >>> load(save(path, GaussianNB().fit(X, y), card={"title": "Mine"})).classes
    ['happy', 'sad']
    """
    if isinstance(estimator, TrainedModel):
        given = estimator
        return save(path, given.estimator, given.extractors, given.card, given.familiar)
    extractors = (extractors,) if isinstance(extractors, Extractor) else tuple(extractors)
    estimator = getattr(estimator, "best_estimator_", estimator)
    name = type(estimator).__name__
    if hasattr(estimator, "trainable_weights"):
        raise ModelError(
            f"{name} is a Keras model, which has no names of classes: save Network.of(model, classes), with "
            "Network from serlab.models.network"
        )
    if not hasattr(estimator, "classes_") and not (is_regressor(estimator) and _is_fitted(estimator)):
        raise ModelError(f"{name} is not fitted: call fit(X, y) before saving it")
    described = {
        "format": FORMAT,
        "date": datetime.date.today().isoformat(),
        "versions": provenance.versions(),
        **dict(card or {}),
        "classes": [str(one) for one in getattr(estimator, "classes_", ())],
        "extractors": [_described(extractor) for extractor in extractors],
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if hasattr(getattr(estimator, "model_", None), "trainable_weights"):
            described["network"] = {"class": name, "shape": list(estimator.shape_)}
            described["network"] |= {name: getattr(estimator, name) for name in KEPT}
            archive.writestr("estimator.keras", _keras_bytes(estimator.model_))
            with archive.open("measured.npz", "w") as measured:
                np.savez(measured, **{name: getattr(estimator, name) for name in MEASURED})
        else:
            archive.writestr("estimator.skops", skops_files.to_bytes(estimator))
        if familiar is not None:
            archive.writestr("familiar.skops", skops_files.to_bytes(familiar))
        # Scores on a card are often NumPy's numbers, which json does not know.
        text = json.dumps(described, indent=1, ensure_ascii=False, default=lambda value: value.tolist())
        archive.writestr("card.json", text)
    path = Path(path)
    check_place(path)
    with disk_errors("The model", path.parent, ModelError, "another path"):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_together({path: file.getvalue()})
    return path


def check_place(path: Path) -> None:
    """Make sure that no file but a model would be lost where one is to be saved; else `ModelError`."""
    if path.is_dir():
        raise ModelError(f"{path} is a folder: name a file in it, such as {path / 'mine.serlab'}")
    if path.exists():
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
            if "card.json" in archive.namelist():
                return
        raise ModelError(f"{path} exists and holds no model: it is left as it is. Choose another name")


def load(path: str | os.PathLike) -> TrainedModel:
    """Read what `save` wrote, with the same or another version of scikit-learn (``versions`` on the card).

    `ModelError` if it is no such file, damaged, of a later version of serlab, or asks for anything but arrays
    and estimators of scikit-learn.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            if (damaged := archive.testzip()) is not None:
                raise ModelError(f"{path} is damaged in {damaged}: fetch or save it anew")
            files = {name: archive.read(name) for name in archive.namelist()}
        card = json.loads(files["card.json"])
        if card["format"] > FORMAT:
            raise ModelError(f"{path} was made by a later version of serlab: pip install -U serlab")
        extractors = tuple(_rebuilt(dict(one)) for one in card["extractors"])
        if "estimator.keras" in files:
            estimator = _read_network(files, card)
        else:
            estimator = skops_files.from_bytes(files["estimator.skops"])
        familiar = skops_files.from_bytes(files["familiar.skops"]) if "familiar.skops" in files else None
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}): give the file of a model") from error
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{path} is no model that serlab.models.save wrote, or is damaged: {error}"
        ) from error
    return TrainedModel(estimator, extractors, card, familiar)


def _is_fitted(estimator) -> bool:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _described(value: Any) -> Any:
    """Describe an extractor of serlab, or one of its parameters, as JSON can hold it."""
    if isinstance(value, Extractor):
        name = type(value).__name__
        if not type(value).__module__.startswith("serlab."):
            raise ModelError(
                f"{name} is not an extractor of serlab, so no file can name it: save the model without "
                "extractors, and give it features"
            )
        return {"extractor": name} | {one.name: _described(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_described(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ModelError(f"A file cannot hold {value!r}, a parameter of an extractor")


def _rebuilt(value: Any) -> Any:
    """Make what `_described` described."""
    if isinstance(value, list):
        return tuple(map(_rebuilt, value))
    if not isinstance(value, dict):
        return value
    given = {name: _rebuilt(one) for name, one in value.items()}
    name = given.pop("extractor")
    for room in ROOMS:
        kind = getattr(importlib.import_module(room), name, None)
        if isinstance(kind, type) and issubclass(kind, Extractor):
            return kind(**given)
    raise ModelError(f"This serlab has no extractor {name!r}: pip install -U serlab")


def _keras_bytes(network) -> bytes:
    from serlab.backend import keras

    if strange := sorted(_strangers(keras.saving.serialize_keras_object(network))):
        raise ModelError(
            f"The network holds {', '.join(strange)}, which only running your code could restore: build "
            "it of Keras's own layers and functions"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        network.save(path)
        return path.read_bytes()


def _strangers(config: Any) -> set[str]:
    """Name what in the description of a network is neither of Keras nor of serlab."""
    if isinstance(config, (list, tuple)):
        return set().union(*map(_strangers, config))
    if not isinstance(config, dict):
        return set()
    parts = (value for key, value in config.items() if key != "compile_config")
    found = set().union(*map(_strangers, parts))
    own = config.get("registered_name") or ""
    # Of Keras's own classes this one alone has such a name.
    if own not in ("", "Functional") and not own.startswith("serlab>"):
        found.add(own)
    if config.get("class_name") == "__lambda__":
        found.add("a lambda")
    return found


def _read_network(files: Mapping[str, bytes], card: Mapping[str, Any]):
    from serlab.backend import keras
    from serlab.models import architectures, network  # noqa: F401 (their layers are registered)

    about = dict(card["network"])
    kind = {"Network": network.Network, "SharedTrunk": network.SharedTrunk}[about.pop("class")]
    shape = tuple(about.pop("shape"))
    found = kind(None, **about)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        path.write_bytes(files["estimator.keras"])
        found.model_ = keras.saving.load_model(path, compile=False, safe_mode=True)
    with np.load(io.BytesIO(files["measured.npz"]), allow_pickle=False) as measured:
        for name in MEASURED:
            setattr(found, name, measured[name])
    found.classes_, found.shape_ = np.array(card["classes"]), shape
    return found

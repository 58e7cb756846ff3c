"""Trained models in files: what comes back is what was saved, and nothing else is ever run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVR
from sklearn.utils import all_estimators

import serlab
from serlab import augment, features, models
from serlab.embeddings import ByolS, Whisper
from serlab.errors import EvaluationError, ModelError
from serlab.features.base import Extractor
from serlab.models import Shares, estimators
from serlab.models.binaries import OneVsRest, Tuned
from serlab.models.files import _described, _rebuilt
from serlab.models.network import Network
from serlab.models.search import SpeakerSearch
from serlab.training import fitted

STORED = Path(__file__).parent / "data" / "model_1.serlab"


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = np.array(["sad", "happy", "angry"] * 20)
    return rng.normal(size=(60, 4)) + 2 * (y == "sad")[:, None], y


ESTIMATORS = {
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "forest": RandomForestClassifier(5, random_state=0),
    "network": estimators.dense(0).set_params(epochs=2),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_model_gives_the_same_probabilities_after_a_journey_through_a_file(name, rows, tmp_path):
    X, y = rows
    model = ESTIMATORS[name].fit(X, y)
    score = {"uar": np.float32(0.5), "speakers": np.int64(3), "recalls": np.array([0.25, 0.75])}
    back = models.load(models.save(tmp_path / "a.serlab", model, card={"title": "Mine", "score": score}))
    assert back.classes == ["angry", "happy", "sad"]
    assert back.card["title"] == "Mine"
    assert back.card["score"] == {"uar": 0.5, "speakers": 3, "recalls": [0.25, 0.75]}
    np.testing.assert_allclose(back.probabilities(X), model.predict_proba(X), atol=1e-6)


def test_of_a_search_the_best_is_kept_and_of_a_machine_its_decision(rows, tmp_path):
    X, y = rows
    search = estimators.rbf_svm(0).fit(X, y, groups=np.repeat(list("pqrs"), 15))
    back = models.load(models.save(tmp_path / "a.serlab", search))
    assert (np.array(back.classes)[back.probabilities(X).argmax(axis=1)] == search.predict(X)).all()
    np.testing.assert_allclose(back.probabilities(X).sum(axis=1), 1)


def test_a_spectrogram_network_comes_back_with_its_scaling(tmp_path):
    rng = np.random.default_rng(0)
    X = 40 * rng.normal(size=(16, 64, 160)) - 30
    y = np.array(["sad", "happy"] * 8)
    model = estimators.cnn(0).set_params(epochs=1).fit(X, y)
    back = models.load(models.save(tmp_path / "a.serlab", model, models.get("cnn").extractors))
    assert back.extractors == models.get("cnn").extractors
    np.testing.assert_allclose(back.probabilities(X), model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    "extractor",
    [
        features.Summary(),
        features.Mel(n_mels=40, seconds=1.5),
        features.Treated(features=Whisper(blocks=(2,)), band=None, floor=None),
        ByolS(statistics=None),
    ],
    ids=str,
)
def test_extractors_are_described_in_json_and_made_again(extractor):
    assert _rebuilt(json.loads(json.dumps(_described(extractor)))) == extractor


def test_what_no_file_can_name_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Mine(Extractor):
        name = "mine"

    with pytest.raises(ModelError, match=r"Mine is not an extractor of serlab.*give it features"):
        _described(Mine())
    chain = augment.Chain(augment.Step(augment.gain, db=3))
    with pytest.raises(ModelError, match=r"cannot hold Chain"):
        _described(augment.Augmented(extractor=features.Summary(), chain=chain))


def test_models_that_only_running_code_could_restore_are_refused(rows, tmp_path):
    class Own(BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

    with pytest.raises(ModelError, match="Own is not fitted"):
        models.save(tmp_path / "a.serlab", Own())
    with pytest.raises(ModelError, match=r"Own holds .*Own, which only running code could restore"):
        models.save(tmp_path / "a.serlab", Own().fit(*rows))
    doubled = make_pipeline(FunctionTransformer(lambda X: 2 * X), LogisticRegression()).fit(*rows)
    with pytest.raises(ModelError, match=r"holds .*<lambda>, which only.*FunctionTransformer\(np.log1p\)"):
        models.save(tmp_path / "a.serlab", doubled)
    opened = make_pipeline(StandardScaler(), LogisticRegression()).fit(*rows)
    with (
        open(STORED, "rb") as opened.steps[0][1].note,
        pytest.raises(ModelError, match="Pipeline cannot be kept"),
    ):
        models.save(tmp_path / "a.serlab", opened)
    twice = make_pipeline(FunctionTransformer(_double), LogisticRegression()).fit(*rows)
    with pytest.raises(ModelError, match="_double"):
        models.save(tmp_path / "a.serlab", twice)
    assert not (tmp_path / "a.serlab").exists()


def _double(X):
    return 2 * X


def _altered(path, **changes) -> bytes:
    """Write a model file anew with some of its parts replaced."""
    found = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(found, "w") as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.replace(".", "_"), old.read(name)))
    return found.getvalue()


def test_files_that_are_damaged_or_from_the_future_or_something_else_are_refused(rows, tmp_path):
    path = models.save(tmp_path / "a.serlab", ESTIMATORS["pipeline"].fit(*rows))
    whole, bad = path.read_bytes(), tmp_path / "bad.serlab"
    with pytest.raises(ModelError, match="There is no file"):
        models.load(tmp_path / "nothing.serlab")
    for content in (b"", b"something else", whole[: len(whole) // 2]):
        bad.write_bytes(content)
        with pytest.raises(ModelError, match=r"bad\.serlab"):
            models.load(bad)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 255
    bad.write_bytes(flipped)
    with pytest.raises(ModelError, match=r"bad\.serlab"):
        models.load(bad)
    card = json.loads(zipfile.ZipFile(path).read("card.json"))
    bad.write_bytes(_altered(path, card_json=json.dumps(card | {"format": 99})))
    with pytest.raises(ModelError, match="later version of serlab"):
        models.load(bad)
    strange = card | {"extractors": [{"extractor": "Path"}]}
    bad.write_bytes(_altered(path, card_json=json.dumps(strange)))
    with pytest.raises(ModelError, match="no extractor 'Path'"):
        models.load(bad)


def test_a_file_that_asks_for_other_code_is_refused_and_nothing_is_run(rows, tmp_path):
    import skops.io

    pipeline = make_pipeline(FunctionTransformer(_double), LogisticRegression()).fit(*rows)
    path = models.save(tmp_path / "a.serlab", ESTIMATORS["pipeline"].fit(*rows))
    path.write_bytes(_altered(path, estimator_skops=skops.io.dumps(pipeline)))
    with pytest.raises(ModelError, match="asks for more than scikit-learn"):
        models.load(path)


def test_a_model_saved_by_an_earlier_version_still_answers():
    model = models.load(STORED)
    X = np.array([[0.0, 1.0], [2.0, -1.0]])
    np.testing.assert_allclose(model.probabilities(X), model.card["expected"], atol=1e-6)
    assert model.card["format"] == 1


def test_a_model_saved_by_another_scikit_learn_answers_and_warns_of_nothing(rows, tmp_path, monkeypatch):
    X, y = rows
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    expected = model.predict_proba(X)
    del model[-1].solver  # as a version saves it that no longer has this setting
    monkeypatch.setattr("sklearn.base.__version__", "0.1")
    path = models.save(tmp_path / "a.serlab", model)
    monkeypatch.undo()
    assert b"0.1" in zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(path).read("estimator.skops"))).read(
        "schema.json"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = models.load(path)
    assert back.estimator[-1].solver == "lbfgs"
    np.testing.assert_allclose(back.probabilities(X), expected)


def small_network(X, y):
    from serlab.backend import keras

    return keras.Sequential(
        [keras.Input(X.shape[1:]), keras.layers.Flatten(), keras.layers.Dense(y.shape[1], "softmax")]
    )


IN_ANOTHER_PROCESS = """
import sys
import numpy as np
from pathlib import Path
from serlab import models
folder = Path(sys.argv[1])
for path in sorted(folder.glob("*.serlab")):
    model, X = models.load(path), np.load(path.with_suffix(".X.npy"))
    answer = model.probabilities(X) if model.classes else model.values(X)
    np.save(path.with_suffix(".found.npy"), answer)
"""


def test_models_of_every_kind_answer_alike_in_another_process(rows, tmp_path):
    """Own features, networks, values, shares, and models of the book, from sound to probabilities."""
    X, y = rows
    groups = np.repeat(list("pqrs"), 15)
    rng = np.random.default_rng(0)
    sounds = 0.1 * rng.normal(size=(4, 16000))
    shares = pd.DataFrame(rng.dirichlet(np.ones(3), 60), columns=["angry", "happy", "sad"])
    imputed = make_pipeline(
        SimpleImputer(), FunctionTransformer(np.abs), SelectKBest(k=3), MLPClassifier((4,))
    )
    own = {
        "pipeline": imputed.fit(X, y),
        "neighbours": KNeighborsClassifier().fit(X, y),
        "network": Network(small_network, epochs=1, standardise=True).fit(X, y),
        "shares": Shares(make_pipeline(StandardScaler(), LogisticRegression())).fit(X, shares),
        "shares-network": Network(small_network, epochs=1).fit(X, shares),
        "ridge": make_pipeline(StandardScaler(), Ridge()).fit(X, X[:, 0]),
        "values": SpeakerSearch(SVR(), {"C": [1.0, 9.0]}, k=2).fit(X, X[:, 0], groups=groups),
        "tuned": Tuned(estimators.logistic(0)).fit(X, y, groups=groups),
        "one-vs-rest": OneVsRest(Tuned(LogisticRegression())).fit(X, y, groups=groups),
    }
    expected = {}
    for name, model in own.items():
        models.save(tmp_path / f"{name}.serlab", model)
        np.save(tmp_path / f"{name}.X.npy", X)
        expected[name] = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    for name in ("tree-original", "ann-original", "cnn-original", "loudness", "committee"):
        spec = models.get(name)
        heard = np.stack([models.TrainedModel(None, spec.extractors, {}).features(y, 16000) for y in sounds])
        model = spec.build(0)
        if isinstance(model, Network):
            model.set_params(epochs=1)
        repeated = np.tile(heard, (6, *[1] * (heard.ndim - 1))) + rng.normal(size=(24, *heard.shape[1:]))
        fitted(model, repeated, ["sad", "happy"] * 12, groups=list("aabbccdd") * 3)
        models.save(tmp_path / f"{name}.serlab", model, spec.extractors)
        np.save(tmp_path / f"{name}.X.npy", heard)
        expected[name] = model.predict_proba(heard)
        answered = serlab.predict(sounds[0], 16000, model=tmp_path / f"{name}.serlab")
        # One clip alone, where the others came together: a network of float32 adds up in another order.
        np.testing.assert_allclose(answered.filter(regex="^p_").to_numpy()[0], expected[name][0], atol=1e-5)
    subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path)], check=True)
    for name, answer in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.found.npy"), answer, atol=1e-6, err_msg=name)


def test_every_classifier_and_regressor_of_scikit_learn_that_learns_vectors_can_be_kept(rows, tmp_path):
    """Those that need other estimators, or other data, are not tried."""
    X, y = np.abs(rows[0]), rows[1]
    kept, refused = [], []
    for kind, target in (("classifier", y), ("regressor", X[:, 0])):
        for name, estimator in all_estimators(kind):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    model = estimator().fit(X, target)
                except (TypeError, ValueError):
                    continue
                try:
                    back = models.load(models.save(tmp_path / "a.serlab", model)).estimator
                except ModelError:
                    refused.append(name)
                    continue
                if kind == "classifier":
                    np.testing.assert_array_equal(back.predict(X), model.predict(X), err_msg=name)
                else:
                    np.testing.assert_allclose(back.predict(X), model.predict(X), atol=1e-9, err_msg=name)
            kept.append(name)
    assert refused == []
    assert len(kept) > 60


def test_columns_are_known_by_their_names(rows, tmp_path):
    """A frame in another order is refused by scikit-learn rather than answered wrongly."""
    X, y = rows
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y)
    back = models.load(models.save(tmp_path / "a.serlab", model))
    np.testing.assert_allclose(back.probabilities(frame), model.predict_proba(frame))
    with pytest.raises(ValueError, match="feature names"):
        back.probabilities(frame[list("dcba")])


def test_classes_and_values_are_not_confused(rows, tmp_path):
    X, y = rows
    with pytest.raises(ModelError, match="Ridge is not fitted"):
        models.save(tmp_path / "a.serlab", Ridge())
    values = models.load(models.save(tmp_path / "a.serlab", Ridge().fit(X, X[:, 0])))
    assert values.classes == values.card["classes"] == []
    with pytest.raises(ModelError, match="predicts values, not classes"):
        values.probabilities(X)
    classes = models.load(models.save(tmp_path / "b.serlab", LogisticRegression().fit(X, y)))
    with pytest.raises(ModelError, match="predicts classes, not values"):
        classes.values(X)


def test_a_keras_model_of_ones_own_is_given_its_classes(tmp_path):
    from serlab.backend import keras

    X, names = np.ones((2, 4), np.float32), ["sad", "happy"]
    network = small_network(X, np.zeros((2, 2)))
    with pytest.raises(ModelError, match=r"save Network.of\(model, classes\)"):
        models.save(tmp_path / "a.serlab", network)
    with pytest.raises(EvaluationError, match=r"must be \(clips, 3\)"):
        Network.of(network, [*names, "calm"])
    for model in (network, keras.Model(network.inputs, network.outputs)):
        back = models.load(models.save(tmp_path / "a.serlab", Network.of(model, names)))
        assert back.classes == names
        np.testing.assert_allclose(back.probabilities(X), keras.ops.convert_to_numpy(model(X)), atol=1e-6)

    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    for strange, message in ((Mine(), "Mine"), (keras.layers.Lambda(lambda x: x), "a lambda")):
        odd = keras.Sequential([keras.Input((4,)), strange, keras.layers.Dense(2, "softmax")])
        with pytest.raises(ModelError, match=f"holds .*{message}, which only running your code"):
            models.save(tmp_path / "b.serlab", Network.of(odd, names))
    assert not (tmp_path / "b.serlab").exists()

"""Trained models in files: what comes back is what was saved, and nothing else is ever run."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from serlab import augment, features, models
from serlab.embeddings import ByolS, Whisper
from serlab.errors import ModelError
from serlab.features.base import Extractor
from serlab.models import estimators
from serlab.models.files import describe, rebuild

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
    back = models.load(models.save(tmp_path / "a.serlab", model, card={"title": "Mine"}))
    assert back.classes == ["angry", "happy", "sad"]
    assert back.card["title"] == "Mine"
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
    assert rebuild(json.loads(json.dumps(describe(extractor)))) == extractor


def test_what_no_file_can_name_is_refused():
    @dataclass(frozen=True, kw_only=True)
    class Mine(Extractor):
        name = "mine"

    with pytest.raises(ModelError, match=r"Mine is not an extractor of serlab.*give it features"):
        describe(Mine())
    chain = augment.Chain(augment.Step(augment.gain, db=3))
    with pytest.raises(ModelError, match=r"cannot hold Chain"):
        describe(augment.Augmented(extractor=features.Summary(), chain=chain))


def test_models_that_only_running_code_could_restore_are_refused(rows, tmp_path):
    class Own(BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

    with pytest.raises(ModelError, match="Own is not fitted"):
        models.save(tmp_path / "a.serlab", Own())
    with pytest.raises(ModelError, match="only running code could restore"):
        models.save(tmp_path / "a.serlab", Own().fit(*rows))
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

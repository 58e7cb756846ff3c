"""Keras is imported without chatter, its absence is explained, and its backends agree."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.skipif(find_spec("keras") is None, reason="needs Keras")
def test_nothing_is_written_while_keras_is_imported():
    script = (
        "import sys; from serlab.backend import keras; print('heard', file=sys.stderr); keras.ops.zeros(1)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "heard\n")


def test_without_keras_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "serlab.backend", raising=False)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "serlab\[cpu\]"'):
        importlib.import_module("serlab.backend")


# What a backend computes from the same weights, and whether a network that it trains itself, from weights of
# its own, learns.
COMPUTED = """
import sys
import numpy as np
import serlab
from serlab import audio
from serlab.embeddings import ByolS, Whisper
from serlab.lessons import ch17_fine_tuning
from serlab.models.architectures import dense
from serlab.models.network import Network

voice, file = sys.argv[1:]
y, _ = audio.read(voice, 16000)
table = serlab.predict(voice)
X = np.repeat([[0.0, 1.0], [1.0, 0.0]], 40, axis=0).astype(np.float32)
labels = np.repeat(["sad", "happy"], 40)
frames = [Whisper(blocks=(2,), statistics=None).extract(one) for one in (y, y[8000:])]
width = 2 * 2 * 384
tuned = ch17_fine_tuning.build(3, np.zeros(width, np.float32), np.ones(width, np.float32), 2)
tuned.get_layer("head").set_weights([np.ones((width, 2)) / width, np.zeros(2)])
np.savez(
    file,
    whisper=Whisper().extract(y),
    byol=ByolS(trained=False).extract(y),
    probabilities=table.filter(like="p_").to_numpy(float),
    fine_tuning=tuned.predict_on_batch(ch17_fine_tuning.pad(frames)),
    learnt=Network(dense, epochs=30, steps_at_once=2).fit(X, labels).predict(X) == labels,
)
"""


def computed(backend: str, folder: Path) -> dict[str, np.ndarray]:
    root, file = Path(__file__).parents[1], folder / f"{backend}.npz"
    voice = root / "book/_static/audio/voice_1.flac"
    settings = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", COMPUTED, str(voice), str(file)]
    done = subprocess.run(command, env=settings, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(file) as found:
        return dict(found)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backends_agree(backend, tmp_path):
    for name in ("tensorflow", backend):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    expected, found = (computed(name, tmp_path) for name in ("tensorflow", backend))
    assert expected.pop("learnt").all()
    assert found.pop("learnt").all()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5, err_msg=name)

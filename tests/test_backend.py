"""Keras is imported without chatter, and its absence is explained."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec

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

"""Stored results: named by all that decides them and nothing else, taken only if whole and in place."""

from __future__ import annotations

import functools
import importlib
import linecache
import os
import subprocess
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from serlab import results_cache

CODE = '''
def learn(x, rate=1):
    """Learn."""
    if rate < 0:
        raise ValueError("no rate")
    return x * rate
'''


@dataclass(frozen=True)
class Settings:
    size: int
    of: tuple


def with_rate(rate):
    return lambda x: x * rate


class Plain:
    def __init__(self, size):
        self.size, self.me = size, self


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n,
        lambda n: LogisticRegression(C=n),
        lambda n: FunctionTransformer(np.log, kw_args={"out": n}),
        with_rate,
        lambda n: functools.partial(with_rate, n),
        lambda n: Settings(n, ()),
        lambda n: Settings(1, (Settings(n, ()),)),
        lambda n: {"models": [Plain(n)]},
        lambda n: np.full(3, n),
        lambda n: np.zeros(3, np.float32 if n == 2 else np.int32),
    ],
)
def test_a_key_follows_what_decides(make):
    assert results_cache.key(b"", make(2)) == results_cache.key(b"", make(2))
    assert results_cache.key(b"", make(2)) != results_cache.key(b"", make(3))
    assert results_cache.key(b"", make(2)) != results_cache.key(b"other", make(2))


@pytest.mark.parametrize(
    ("edit", "same"),
    [
        (('"""Learn."""', '"""Learn it well."""'), True),
        (("no rate", "the rate is negative"), True),
        (("    return", "    # as told\n    return"), True),
        (("    return", "    check_inputs(x)\n    return"), True),
        (("    if rate < 0", "    if rate <= 0"), True),
        (("x * rate", "x / rate"), False),
        (("rate=1", "rate=2"), False),
        (("    return", "    x = check(x)\n    return"), False),
        (('raise ValueError("no rate")', "rate = 0"), False),
    ],
)
def test_messages_and_comments_decide_nothing(edit, same):
    assert edit[0] in CODE
    before, after = (results_cache._normalised_code(code, False) for code in (CODE, CODE.replace(*edit)))
    assert (before == after) is same


def test_in_a_readers_code_what_raises_or_is_called_check_counts():
    for edit in (
        ('raise ValueError("no rate")', "rate = 0"),
        ("    return", "    checkerboard(x)\n    return"),
    ):
        assert results_cache._normalised_code(CODE) != results_cache._normalised_code(CODE.replace(*edit))


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Make a module of serlab that imports another, and give the key of something in it."""

    def key(code, of="learn", helper="SIZE = 1"):
        results_cache._module.cache_clear()
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}" / "serlab"
        folder.mkdir(parents=True)
        monkeypatch.setattr(results_cache, "PACKAGE", folder)
        (folder / "helper.py").write_text(helper)
        (folder / "paths.py").write_text(helper)
        file = folder / "made_up.py"
        file.write_text(
            f"if 0:\n    from serlab import helper\n    from serlab.paths import x\n{code}\n"
            "class Model:\n    def fit(self):\n        return learn(1)"
        )
        module = types.ModuleType("serlab.made_up")
        exec(compile(file.read_text(), file, "exec"), module.__dict__)
        return results_cache.key(b"", getattr(module, of) if of == "learn" else module.Model())

    yield key
    results_cache._module.cache_clear()


@pytest.mark.parametrize("of", ["learn", "Model"])
def test_code_of_this_package_counts_by_modules(made_up, of):
    # What a class or function does may lie anywhere in its module, or in one that this imports.
    assert made_up(CODE, of) == made_up(CODE.replace("no rate", "another message"), of)
    for other in (CODE.replace("x * rate", "x / rate"), CODE + "\nRATE = 3"):
        assert made_up(CODE, of) != made_up(other, of)
    assert made_up(CODE, of) != made_up(CODE, of, helper="SIZE = 2")
    assert made_up(CODE, of) == made_up(CODE, of, helper="SIZE = 1  # a comment")


def test_what_code_reaches_only_through_data_does_not_count(made_up, monkeypatch):
    monkeypatch.setattr(results_cache, "_NOT_DECIDING", {"helper", "paths"})
    assert made_up(CODE) == made_up(CODE, helper="SIZE = 2")


def test_words_in_a_set_and_functions_within_functions_have_one_key(tmp_path):
    code = """
FACTOR = {factor}
def build(x):
    return [(lambda one: one * FACTOR)(part) for part in x]
print(__import__("serlab.results_cache").results_cache.key(b"", build, {{"one", "two", "three"}}))
"""
    found, root = [], results_cache.PACKAGE.parent
    for number, factor in enumerate((2, 2, 3)):
        (tmp_path / "script.py").write_text(code.format(factor=factor))
        found.append(
            subprocess.run(
                [sys.executable, tmp_path / "script.py"],
                check=True,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONHASHSEED": str(number), "PYTHONPATH": str(root)},
            ).stdout
        )
    assert found[0] == found[1] != found[2]


def test_what_was_stored_is_read(tmp_path):
    file = tmp_path / "new" / "abc.npz"
    assert results_cache.read(None, "x") is None
    assert results_cache.read(file, "x") is None
    results_cache.write(file, x=np.arange(3), said=np.array(["sad"]))
    said, x = results_cache.read(file, "said", "x")
    assert (said.tolist(), x.tolist()) == (["sad"], [0, 1, 2])
    assert [one.name for one in file.parent.iterdir()] == ["abc.npz"]
    assert results_cache.read(file, "y") is None, "written by another version"


@pytest.mark.parametrize("place", range(0, 600, 7))
def test_no_flipped_byte_is_taken_for_the_result(tmp_path, place):
    file = tmp_path / "abc.npz"
    results_cache.write(file, x=np.arange(3))
    raw = bytearray(file.read_bytes())
    raw[place % len(raw)] ^= 0xFF
    file.write_bytes(raw)
    found = results_cache.read(file, "x")
    assert found is None or found[0].tolist() == [0, 1, 2]


def test_a_full_disk_costs_no_result(tmp_path, monkeypatch):
    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        results_cache.write(tmp_path / "abc.npz", x=np.arange(3))
    assert list(tmp_path.iterdir()) == []


OWN = """
from sklearn.base import BaseEstimator, ClassifierMixin

{constant}


def helper(X):
    return X * {factor}


class Mine(ClassifierMixin, BaseEstimator):
    share = {share}

    def __init__(self, C=1.0):
        self.C = C

    def fit(self, X, y):
        self.w_ = helper(X).mean() * CONSTANT
        return self
"""
SAME = {"constant": "CONSTANT = 1", "factor": 2, "share": 0.5}


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({}, False),
        ({"constant": "CONSTANT = 1  # a comment"}, False),
        ({"constant": "CONSTANT = 2"}, True),
        ({"factor": 3}, True),
        ({"share": 0.6}, True),
    ],
)
def test_the_code_of_a_reader_s_own_model_counts(tmp_path, monkeypatch, change, other):
    keys = []
    for number, settings in enumerate((SAME, SAME | change)):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "my_own_model.py").write_text(OWN.format(**settings))
        monkeypatch.syspath_prepend(place)
        sys.modules.pop("my_own_model", None)
        importlib.invalidate_caches()
        linecache.clearcache()
        mine = importlib.import_module("my_own_model")
        keys.append(results_cache.key(b"", mine.Mine(C=2.0)))
    sys.modules.pop("my_own_model")
    assert (keys[0] != keys[1]) == other


def test_a_model_typed_at_a_prompt_counts_too():
    made = []
    for number in (1, 2):
        there = {"__name__": "__main__"}
        exec(f"class Mine:\n    def fit(self, X, y):\n        return {number}", there)
        made.append(results_cache.key(b"", there["Mine"]))
    assert made[0] != made[1]

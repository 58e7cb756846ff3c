"""Finished parts: named by all that decides them and nothing else, taken only if whole and in their place."""

from __future__ import annotations

import functools
import importlib
import inspect
import linecache
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from serlab import kept

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
    assert kept.key(b"", make(2)) == kept.key(b"", make(2))
    assert kept.key(b"", make(2)) != kept.key(b"", make(3))
    assert kept.key(b"", make(2)) != kept.key(b"other", make(2))


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
    assert (kept.meaning(CODE) == kept.meaning(CODE.replace(*edit))) is same


def test_code_of_this_package_counts_too(monkeypatch, tmp_path):
    source = inspect.getsource

    def key(code, of="learn"):
        module = types.ModuleType("serlab.made_up")
        exec(f"RATE = 1\n{code}\nclass Model:\n    def fit(self):\n        return learn(1)", module.__dict__)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        texts = {module.learn: code.partition("\nRATE")[0], module: code}
        monkeypatch.setattr(inspect, "getsource", lambda thing: texts.get(thing) or source(thing))
        return kept.key(b"", module.Model() if of == "Model" else module.learn)

    # What a class does may lie anywhere in its module; what a function does, in what it refers to.
    for of in ("learn", "Model"):
        assert key(CODE, of) != key(CODE.replace("x * rate", "x / rate"), of)
        assert key(CODE, of) == key(CODE.replace("no rate", "another message"), of)
    uses = CODE.replace("x * rate", "x * RATE")
    assert key(uses) != key(uses + "\nRATE = 3")
    assert key(CODE) == key(CODE + "\nRATE = 3")


def test_what_was_kept_is_given_back(tmp_path):
    file = tmp_path / "new" / "abc.npz"
    assert kept.read(None, "x") is None
    assert kept.read(file, "x") is None
    kept.write(file, x=np.arange(3), said=np.array(["sad"]))
    said, x = kept.read(file, "said", "x")
    assert (said.tolist(), x.tolist()) == (["sad"], [0, 1, 2])
    assert [one.name for one in file.parent.iterdir()] == ["abc.npz"]
    assert kept.read(file, "y") is None, "written by another version"


@pytest.mark.parametrize("place", range(0, 600, 7))
def test_no_flipped_byte_is_taken_for_the_result(tmp_path, place):
    file = tmp_path / "abc.npz"
    kept.write(file, x=np.arange(3))
    raw = bytearray(file.read_bytes())
    raw[place % len(raw)] ^= 0xFF
    file.write_bytes(raw)
    found = kept.read(file, "x")
    assert found is None or found[0].tolist() == [0, 1, 2]


def test_a_full_disk_costs_no_result(tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        kept.write(tmp_path / "abc.npz", x=np.arange(3))
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
        keys.append(kept.key(b"", mine.Mine(C=2.0)))
    sys.modules.pop("my_own_model")
    assert (keys[0] != keys[1]) == other


def test_a_model_typed_at_a_prompt_counts_too():
    made = []
    for number in (1, 2):
        there = {"__name__": "__main__"}
        exec(f"class Mine:\n    def fit(self, X, y):\n        return {number}", there)
        made.append(kept.key(b"", there["Mine"]))
    assert made[0] != made[1]

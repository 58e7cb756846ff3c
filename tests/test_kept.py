"""Finished parts: named by all that decides them and nothing else, taken only if whole and in their place."""

from __future__ import annotations

import functools
import inspect
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

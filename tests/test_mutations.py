"""The planted mistakes: each still fits the code, and the runner tells what is noticed from what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import mutations  # noqa: E402

LISTED = mutations.listed()


@pytest.mark.parametrize("mistake", LISTED, ids=lambda one: f"{one.module}: {one.kind}")
def test_every_planted_mistake_is_there_once_and_is_code(mistake):
    """Where this fails after a change of the code, change the entry of benchmarks/mutations.toml alike."""
    file, changed = mistake.planted(ROOT)
    assert changed != file.read_text(encoding="utf-8")
    for word in mistake.tests.split(" -k ")[0].split():
        assert (ROOT / word).is_file(), word


def test_the_list_says_each_thing_once_and_knows_what_leaks():
    assert len({(one.module, one.kind) for one in LISTED}) == len(LISTED) > 100
    assert sum(one.leak for one in LISTED) > 30


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Give a checkout of one module with one test, and a list of mistakes in it."""
    root = tmp_path / "toy"
    root.mkdir()
    (root / "adding.py").write_text(
        "def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return a + a\n"
    )
    (root / "test_adding.py").write_text(
        "import adding\n\n\ndef test_add():\n    assert adding.add(1, 2) == 3\n"
    )
    (root / "mutations.toml").write_text(
        """
        [modules]
        adding = { path = "adding.py", tests = "test_adding.py" }
        [[mistakes.adding]]
        kind = "difference"
        old = "a + b"
        new = "a - b"
        [[mistakes.adding]]
        kind = "nothing is doubled"
        leak = true
        old = "a + a"
        new = "a"
        """
    )
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    # Plugins take longer than such a test.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(mutations, "ROOT", root)
    read = mutations.listed
    monkeypatch.setattr(mutations, "listed", lambda: read(root / "mutations.toml"))
    return root


def test_what_no_test_notices_is_told(toy, capsys):
    assert mutations.main([]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("noticed")
    assert said[0].endswith("adding: difference")
    assert said[1].startswith("NOT NOTICED")
    assert said[1].endswith("nothing is doubled (leak)")
    assert said[-1].split() == ["all", "2", "tried,", "1", "noticed", "(50", "%)"]
    assert mutations.main(["--kind", "difference", "--list"]) == 0
    assert capsys.readouterr().out == "adding: difference\n"
    # In a copy: the checkout is as it was.
    assert "return a + b" in (toy / "adding.py").read_text()


def test_tests_that_fail_by_themselves_and_texts_that_are_not_there_tell_nothing(toy, capsys):
    (toy / "adding.py").write_text("def add(a, b):\n    return a - b\n")
    assert mutations.main(["--leaks"]) == 1
    assert "fails without any mistake: test_adding.py" in capsys.readouterr().out
    for mistake, times in zip(mutations.listed(), (0, 2), strict=True):
        (toy / "adding.py").write_text(times * "a + a\n")
        with pytest.raises(ValueError, match=rf"{mistake.kind}: {times} times in adding\.py, not once"):
            mistake.planted(toy)

"""How chapters are run and compared: `nbval_rules`, tried on small notebooks in a copy of its place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat.v4 as nb
import pytest
from nbval.plugin import get_sanitize_patterns
from nbval_rules import Output, close

import serlab

ROOT = Path(__file__).resolve().parents[1]
SURROUNDINGS = (
    "conftest.py",
    "pyproject.toml",
    "tests/nbval_rules.py",
    "book/tools/chapters.py",
    "book/tools/chapter_problems.py",
    "chapters/nbval.sanitize.cfg",
)


def test_sanitiser_is_read_completely():
    """nbval ignores a pair that it cannot parse without a word."""
    text = (ROOT / "chapters" / "nbval.sanitize.cfg").read_text(encoding="utf-8")
    patterns = dict(get_sanitize_patterns(text))
    assert len(patterns) == text.count("\nregex: ") == text.count("\nreplace: ")
    sample = "took 12.3 s; 45%|####  | 3/9; <object at 0x7f3a2b1c4d5e>; 120 clips/s"
    for pattern, replacement in patterns.items():
        sample = re.sub(pattern, replacement, sample)
    assert not re.search(r"12\.3|0x7f|120|45%", sample)
    unchanged = "UAR 0.512 on 1440 clips of 24 speakers"
    for pattern, replacement in patterns.items():
        assert re.sub(pattern, replacement, unchanged) == unchanged


# ---- numbers ----


@pytest.mark.parametrize(
    ("stored", "made"),
    [
        ("63.2 [58.2, 68.3] %", "63.3 [58.2, 68.2] %"),
        ("+3.9 points [-0.5, +7.9], p = 0.084", "+4.0 points [-0.6, +8.1], p = 0.086"),
        ("loss 0.51234567", "loss 0.51236"),
        ("| a |  9.9 |", "| a | 10.0 |"),
        ("t = -0.0", "t = 0.0"),
        ("t = \N{MINUS SIGN}0.1", "t = 0.0"),
        ("p = 1.2e-05", "p = 1.3e-05"),
        ("[0.9999999 0.5]", "[1.0 0.5]"),
        ("<td>0.123</td>", "<td>0.124</td>"),
    ],
)
def test_last_digits_may_differ(stored, made):
    assert (Output(stored) != Output(made)) is False


@pytest.mark.parametrize(
    ("stored", "made"),
    [
        ("UAR 63.2 %", "UAR 64.2 %"),
        ("UAR 0.632", "UAR 0.635"),
        ("loss 0.5123456", "loss 0.5125"),
        ("t = -0.3", "t = 0.3"),
        ("1440 clips", "1441 clips"),
        ("p = 1.2e-05", "p = 1.2e-04"),
        ("0.5", "0.54"),
        ("version 2.20.1", "version 2.20.2"),
        ("0.1 0.2", "0.1"),
        ("happy 0.5", "angry 0.5"),
        ("happy 0.5\n", "happy 0.5"),
        ("happy 0.5", "happy  0.5 !"),
        ("mfcc13", "mfcc12"),
    ],
)
def test_real_changes_are_found(stored, made):
    assert Output(stored) != Output(made)


@pytest.mark.parametrize(("one", "two"), [("55.1", "53.1"), ("23", "20"), ("247", "230"), ("0.88", "0.92")])
def test_what_a_network_learnt_may_differ_more(one, two):
    assert not close(one, two)
    assert close(one, two, trained=True)


@pytest.mark.parametrize(("one", "two"), [("55.1", "48.9"), ("247", "220"), ("2", "8")])
def test_another_result_of_training_is_found(one, two):
    assert not close(one, two, trained=True)


# ---- whole runs ----


def notebook(folder: Path, *cells: tuple[str, str], tags=(), record=None) -> None:
    """Write a chapter of cells, each given by its source and the text that it printed when it was stored."""
    made = nb.new_notebook(metadata={"serlab": record or {}})
    for source, text in cells:
        output = nb.new_output("stream", name="stdout", text=text)
        metadata = {"tags": list(tags)}
        made.cells.append(nb.new_code_cell(source, execution_count=1, metadata=metadata, outputs=[output]))
    (folder / "chapters" / "01_toy.ipynb").write_text(nb.writes(made), encoding="utf-8")


def run_pytest(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k not in ("SERLAB_CORPUS", "SERLAB_DATA")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env=environment | variables, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path):
    """Give a repository with the set-up of this one and a test of its own, but without a chapter."""
    for name in SURROUNDINGS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tests" / "test_toy.py").write_text("def test_toy():\n    assert True\n", encoding="utf-8")
    return tmp_path


def test_without_corpora_only_tagged_cells_are_compared(folder):
    source = "import os\nprint(os.environ['SERLAB_CORPUS'], os.environ['TQDM_DISABLE'])"
    notebook(folder, (source, "other\n"), record={"corpora": {"ravdess": "0" * 64}})
    ran = run_pytest(folder, "--nbval")
    assert ran.returncode == 0, ran.stdout
    assert "chapters: on the corpus demo because ravdess is not here" in ran.stdout
    assert "only cells tagged nbval-check-output are compared" in " ".join(ran.stdout.split())


# Called for one file here, plainly in other tests. The duration is left out, the kernel is this Python's.
def test_a_tagged_cell_is_compared_on_demo_too(folder):
    source = "import sys\nprint(63.2, '0.1 s', sys.executable)"
    same, changed = (f"{score} 9.9 s {sys.executable}\n" for score in (63.3, 64.2))
    notebook(folder, (source, same), (source, changed), tags=["nbval-check-output"])
    ran = run_pytest(folder, "--nbval", "chapters/01_toy.ipynb", SERLAB_CORPUS="demo")
    assert ran.returncode == 1
    assert "chapters: on the corpus demo;" in ran.stdout
    assert "FAILED chapters/01_toy.ipynb::Cell 1 " in ran.stdout
    assert "1 failed, 1 passed" in ran.stdout.splitlines()[-1]


def test_without_nbval_tests_are_run_and_no_chapters(folder):
    notebook(folder, ("print(1)", "2\n"))
    ran = run_pytest(folder, "--collect-only", "--quiet")
    assert "tests/test_toy.py::test_toy" in ran.stdout
    assert "01_toy" not in ran.stdout


def test_where_the_recorded_corpus_is_here_every_output_is_compared(folder, demo):
    """What goes to stderr is not: it has paths in it."""
    record = {"corpora": {"demo": serlab.corpora.content_hash(demo)}, "quick": True}
    source = "import sys\nprint(63.24)\nprint('warning', file=sys.stderr)"
    notebook(folder, (source, "63.25\n"), (source, "64.24\n"), record=record)
    ran = run_pytest(folder, "--nbval", "--chapters", "real", "--quick")
    assert "chapters: on the real corpora; all stored outputs are compared" in ran.stdout
    assert "1 failed, 1 passed" in ran.stdout.splitlines()[-1], ran.stdout


def test_other_files_of_the_same_corpus_are_noticed(folder, demo):
    notebook(folder, ("print(1)", "2\n"), record={"corpora": {"demo": "0" * 64}})
    ran = run_pytest(folder, "--nbval", "--chapters", "real")
    assert ran.returncode == 4
    assert "the files of demo are not those of the stored outputs" in ran.stdout + ran.stderr


def test_slow_chapters_are_left_out_of_the_quick_ones(folder):
    notebook(folder, ("print(1)", "1\n"), record={"quick": False})
    assert "collected 0 items" in run_pytest(folder, "--nbval", "--quick", SERLAB_CORPUS="demo").stdout

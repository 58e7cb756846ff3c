"""The examples of CONTRIBUTING, carried out as a contributor would, and every name in it."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# The last line before a block says where its code goes: [`LIST` of] `serlab/file.py`.
EXAMPLE = re.compile(
    r"^(?P<lead>[^\n]*`(?P<path>serlab/[\w/]+\.py)`[^\n]*:)\n\n```python\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)

# What is done with the changed package; the last line printed is read by the tests below.
TRIAL = """
import doctest, json, pathlib, sys
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
import serlab
from serlab import models, plots, runs
from serlab.corpora import harbour

work = pathlib.Path(sys.argv[1])
table, report = serlab.load("harbour"), serlab.validate("harbour")
told = {"package": serlab.__file__, "ok": report.ok, "problems": report.problems["detail"].tolist()}
told |= {"columns": list(table), "rows": table.to_dict("records"), "attrs": table.attrs}
told["found"] = str(serlab.corpora.find("harbour"))

spec, demo = models.get("stump"), serlab.load("demo")
few = demo[demo["speaker"].isin(["d01", "d02", "d03"]) & (demo["sentence"] == "s1")].reset_index(drop=True)
serlab.corpora.load = lambda name: few  # an eighth of the corpus: eight times as quick
runs.make(spec, "demo", "group3", folder=work / "results", cache=work / "folds", progress=False)
run = runs.read("demo", "group3", "stump", work / "results")
told |= {"check": runs.check(run, few), "title": run.meta["title"]}
told |= {"seeds": run.meta["seeds"], "classes": run.meta["classes"], "uar": run.meta["scores"]["uar"]}
told["answers"] = run.predictions.groupby(["fold", "seed"])["predicted"].nunique().tolist()

ax = plt.subplots()[1]
told["same_ax"] = plots.clips_per_speaker(table, ax) is ax
told |= {"heights": ax.containers[0].datavalues.tolist(), "labels": [ax.get_xlabel(), ax.get_ylabel()]}
told["new_ax"] = plots.clips_per_speaker(table).figure is not ax.figure

finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
for found in finder.find(harbour) + finder.find(plots.clips_per_speaker, globs=vars(plots.corpus)):
    runner.run(found)
told["doctests"] = list(runner.summarize(verbose=False))
print(json.dumps(told, default=str))
"""


def carry_out(checkout: Path) -> list[Path]:
    """Put each example where the text says: a new file, an entry of a list, or the end of a module."""
    changed = []
    for example in EXAMPLE.finditer(TEXT):
        path, code = checkout / example["path"], example["code"]
        where = re.search(r"`([A-Z_]+)` of", example["lead"])
        if not path.exists():
            path.write_text(code, encoding="utf-8")
        elif where:
            text = path.read_text(encoding="utf-8")
            (start,) = re.finditer(rf"^{where[1]}\b.*[({{]\n", text, flags=re.MULTILINE)
            path.write_text(text[: start.end()] + code + text[start.end() :], encoding="utf-8")
        else:
            path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{code}", encoding="utf-8")
        changed.append(path)
    changed.append(export_plot(checkout, "clips_per_speaker", "corpus"))
    return changed


def export_plot(checkout: Path, name: str, module: str) -> Path:
    """Name a plot in its package: in the import from its module, and in `__all__`."""
    path = checkout / "serlab" / "plots" / "__init__.py"
    text = path.read_text(encoding="utf-8")
    imported = re.search(rf"from serlab\.plots\.{module} import (.*)", text)[1].split(", ")
    text = text.replace(", ".join(imported), ", ".join(sorted([*imported, name])))
    before = max(one for one in re.findall(r'^    "(\w+)",$', text, flags=re.MULTILINE) if one < name)
    path.write_text(text.replace(f'    "{before}",\n', f'    "{before}",\n    "{name}",\n'), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contributor")
    shutil.copytree(ROOT / "serlab", folder / "serlab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def changed(checkout):
    return carry_out(checkout)


@pytest.fixture(scope="module")
def told(checkout, changed, private_cache):
    """Make the corpus, and do with the changed package what the text promises."""
    corpus = checkout / "data" / "harbour"
    corpus.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for speaker in ("anna", "piet"):
        for emotion in ("blij", "boos"):
            for take in "123":
                soundfile.write(
                    corpus / f"{speaker}-{emotion}-{take}.wav", rng.uniform(-0.3, 0.3, 8000), 16000
                )
    environment = os.environ | {"PYTHONPATH": str(checkout), "SERLAB_DATA": str(corpus.parent)}
    ran = subprocess.run(
        [sys.executable, "-c", TRIAL, checkout], cwd=checkout, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_there_are_three_examples_and_each_is_as_small_as_promised(changed, checkout):
    names = [path.relative_to(checkout / "serlab").as_posix() for path in changed]
    assert names == [
        "corpora/harbour.py",
        "corpora/registry.py",
        "models/zoo.py",
        "plots/corpus.py",
        "plots/__init__.py",
    ]
    codes = [example["code"] for example in EXAMPLE.finditer(TEXT)]
    assert len(codes[1].splitlines()) == 1
    assert codes[2].startswith("    ModelSpec(\n")
    assert re.findall(r"^\S+ ", codes[3], flags=re.MULTILINE) == ["def "]


def test_the_example_corpus_is_loaded_and_sound(told, checkout):
    assert Path(told["package"]).is_relative_to(checkout)
    assert told["found"] == str(checkout / "data" / "harbour")
    assert told["columns"][:6] == ["clip", "path", "corpus", "speaker", "gender", "emotion"]
    assert len(told["rows"]) == 12
    first = told["rows"][0]
    assert (first["clip"], first["speaker"], first["gender"]) == ("anna-blij-1", "anna", "female")
    assert (first["emotion"], first["language"], first["valence"]) == ("happy", "Dutch", 1.0)
    assert first["duration"] == pytest.approx(0.5)
    assert told["attrs"] == {"corpus": "harbour", "title": "Harbour"}
    assert told["ok"], told["problems"]


def test_the_example_model_is_recorded_and_the_run_is_sound(told):
    assert told["check"] == []
    assert told["title"] == "One question about the summary features"
    assert len(told["classes"]) == 8
    # Whatever takes a seed is trained with several: tests/test_models.py asks it of every model.
    assert told["seeds"] == [0, 1, 2]
    # One question has two answers at most.
    assert max(told["answers"]) == 2
    assert 1 / 8 < told["uar"] < 2 / 8


def test_the_example_plot_draws_on_the_axis_that_it_is_given(told):
    assert told["same_ax"]
    assert told["new_ax"]
    assert told["heights"] == [6, 6]
    assert told["labels"] == ["speaker", "clips"]


def test_the_doctests_of_the_examples_run(told):
    failed, attempted = told["doctests"]
    assert (failed, attempted >= 3) == (0, True)


def test_the_examples_keep_to_the_house_style(changed, checkout):
    for command in (["check"], ["format", "--check"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *changed],
            cwd=checkout,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


# ---- what else the text says ----


def test_every_name_of_serlab_exists():
    for name in sorted(set(re.findall(r"`(serlab(?:\.\w+)+)", TEXT))):
        module, _, attribute = name.rpartition(".")
        try:
            found = importlib.import_module(name)
        except ImportError:
            found = getattr(importlib.import_module(module), attribute, None)
        assert found is not None, name


def test_every_file_and_target_exists():
    made_here = {"serlab/corpora/harbour.py"}
    for name in set(re.findall(r"\b(?:serlab|book/tools|tests|chapters)/[\w/]+\.\w+", TEXT)) - made_here:
        if "NN_name" not in name and "<" not in name:
            assert (ROOT / name).exists(), name
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for block in re.findall(r"`(make [^`]*)`|^(make .*)$", TEXT, flags=re.MULTILINE):
        assert re.match(r"make ([a-z-]+)", "".join(block))[1] in targets, block

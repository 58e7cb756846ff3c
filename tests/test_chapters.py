"""The chapters are in order, and the tool that says so finds what it should."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / "book" / "tools"
pytest.importorskip("jupytext")


def load_tool(name: str):
    """Import a script of book/tools."""
    if str(TOOLS) not in sys.path:
        sys.path.insert(0, str(TOOLS))
    if name not in sys.modules:
        specification = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(sys.modules[name])
    return sys.modules[name]


chapter_problems = load_tool("chapter_problems")
chapters = load_tool("chapters")
TEXTS = chapters.select([])
URL, REF = chapter_problems.address()

SAMPLE = f"""\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
serlab:
  corpora: [ravdess]
---

# A sample

One sentence says what this is.

**What you will learn**

- something

**What you need**: ears.

**How long it takes**: a minute.

```{{code-cell}} ipython3
:tags: [setup, hide-input]

{chapter_problems.SETUP.format(extras="", url=URL, ref=REF).strip()}
```

```{{code-cell}} ipython3
---
mystnb:
  image:
    alt: A line that rises from left to right.
tags: [hide-input]
---
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(2, 1))
_ = ax.plot([0, 1])
plt.show()
```

## Take-away

It rises.

## Exercises

**Exercise 1.** Add.

```{{code-cell}} ipython3
:tags: [solution, hide-cell]

print(1 + 1)
```

## Quiz

Answer.

```{{code-cell}} ipython3
:tags: [nbval-check-output]

import serlab

serlab.quiz("01")
```

## Where next

On.
"""


@pytest.fixture(scope="module")
def executed():
    """Give the sample chapter as an executed notebook."""
    pytest.importorskip("ipykernel")
    notebook = chapters.jupytext.reads(SAMPLE, fmt="md:myst")
    chapters.execute(notebook)
    return notebook


@pytest.fixture
def pair(tmp_path, executed):
    """Give the path of a sample chapter's text with a fresh notebook beside it."""
    text = tmp_path / "01_sample.md"
    text.write_text(SAMPLE, encoding="utf-8")
    notebook = chapters.read_text(text)
    for cell, done in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = nbformat.from_dict(done.outputs), done.execution_count
    record = {
        "code": chapters.code_hash(notebook),
        "corpora": {"ravdess": "00"},
        "seconds": 1.0,
        "quick": True,
    }
    chapters.finish(notebook, record)
    chapters.write_notebook(notebook, text.with_suffix(".ipynb"))
    return text


def rewrite(text: Path, old: str, new: str) -> None:
    before = text.read_text(encoding="utf-8")
    assert old in before
    text.write_text(before.replace(old, new, 1), encoding="utf-8")


def alter(text: Path, change) -> list[str]:
    """Change the notebook of a pair and return what `check` says."""
    path = text.with_suffix(".ipynb")
    notebook = chapters.read_notebook(path)
    change(notebook)
    chapters.write_notebook(notebook, path)
    return chapters.check(text)


def picture_cell(notebook):
    return next(cell for cell in notebook.cells if "plt.show()" in cell.source)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_chapter_is_in_order(text):
    assert chapters.check(text) == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_lesson_hides_nothing_writes_no_prose_from_code_and_fits_the_page(text):
    problems = []
    for cell in chapters.read_text(text).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code":
            continue
        first = cell.source.splitlines()[0]
        hidden = tags & {"hide-input", "hide-cell", "remove-input", "remove-cell"}
        if hidden and not tags & {"setup", "solution"}:
            problems.append(f"hidden: {first}")
        if "Markdown(" in cell.source:
            problems.append(f"writes prose: {first}")
        problems += [f"too long: {line}" for line in cell.source.splitlines() if len(line) > 80]
    assert problems == []


def test_every_notebook_has_its_text():
    assert chapters.unpaired() == []


def test_works_cited_are_in_the_bibliography():
    bibliography = (ROOT / "book/references.bib").read_text("utf-8")
    known = {doi.lower() for doi in re.findall(r"doi = \{(.+?)\}", bibliography)}
    known |= {f"10.48550/arxiv.{number}" for number in re.findall(r"eprint = \{(.+?)\}", bibliography)}
    for text in TEXTS:
        links = re.findall(r"doi\.org/((?:[^\s()<>\"]|\([^\s()]*\))+)", text.read_text("utf-8"))
        assert {unquote(doi).lower() for doi in links} - known == set(), text.name


def test_good_chapter_has_no_problems(pair):
    assert chapters.check(pair) == []


def test_missing_notebook_is_found(pair):
    pair.with_suffix(".ipynb").unlink()
    assert any("has no notebook" in problem for problem in chapters.check(pair))


def test_notebook_without_text_is_found(pair):
    pair.unlink()
    assert chapters.unpaired(pair.parent) == ["01_sample.ipynb has no text 01_sample.md"]


def test_edited_code_is_stale_until_run(pair):
    rewrite(pair, "print(1 + 1)", "print(1 + 2)")
    assert any("executed with other code" in problem for problem in chapters.check(pair))
    chapters.sync(pair)
    problems = chapters.check(pair)
    assert any("was not run" in problem for problem in problems)
    assert not any("differ" in problem for problem in problems)


@pytest.mark.parametrize(
    ("old", "new"),
    [("It rises.", "It rises slowly."), (":tags: [solution, hide-cell]", ":tags: [solution, hide-input]")],
)
def test_edited_prose_and_tags_differ_until_synchronised(pair, old, new):
    rewrite(pair, old, new)
    assert any("differ" in problem for problem in chapters.check(pair))
    chapters.sync(pair)
    assert chapters.check(pair) == []


def test_sync_keeps_outputs_ids_and_record(pair):
    before = chapters.read_notebook(pair.with_suffix(".ipynb"))
    rewrite(pair, "It rises.", "It rises slowly.")
    chapters.sync(pair)
    after = chapters.read_notebook(pair.with_suffix(".ipynb"))
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    changed = [one.id for one, two in zip(before.cells, after.cells, strict=True) if one.id != two.id]
    assert len(changed) == 1
    assert after.metadata.serlab.corpora == before.metadata.serlab.corpora


def test_sync_writes_the_same_bytes_twice(pair):
    chapters.sync(pair)
    once = pair.with_suffix(".ipynb").read_bytes()
    chapters.sync(pair)
    assert pair.with_suffix(".ipynb").read_bytes() == once


def test_edits_in_jupyter_are_not_overwritten_but_carried_back(pair):
    path = pair.with_suffix(".ipynb")
    notebook = chapters.read_notebook(path)
    notebook.cells[-1].source = notebook.cells[-1].source.replace("It rises.", "It climbs.")
    index = next(i for i, cell in enumerate(notebook.cells) if "It rises." in cell.source)
    notebook.cells[index].source = notebook.cells[index].source.replace("It rises.", "It climbs.")
    chapters.write_notebook(notebook, path)
    with pytest.raises(SystemExit, match="--to-md"):
        chapters.sync(pair)
    chapters.sync_to_md(pair)
    assert "It climbs." in pair.read_text("utf-8")
    assert chapters.check(pair) == []


def test_quiz_of_another_page_is_found(pair):
    rewrite(pair, 'quiz("01")', 'quiz("02")')
    assert any("quiz of another page" in problem for problem in chapters.check(pair))


def test_edited_quiz_is_found_until_synchronised(pair, monkeypatch):
    import serlab

    ours = serlab.quiz("01")
    monkeypatch.setattr(serlab, "quiz", lambda page: type(ours)(ours.page, ours.questions[1:]), raising=False)
    before = chapters.read_notebook(pair.with_suffix(".ipynb"))
    assert [p for p in chapters.check(pair) if "shows the quiz as it was" in p] == chapters.check(pair) != []
    chapters.sync(pair)
    assert chapters.check(pair) == []
    after = chapters.read_notebook(pair.with_suffix(".ipynb"))
    assert [one.source for one, two in zip(after.cells, before.cells, strict=True) if one != two] == [
        'import serlab\n\nserlab.quiz("01")'
    ]


def test_text_survives_the_round_trip(pair):
    chapters.sync_to_md(pair)
    assert pair.read_text("utf-8") == SAMPLE


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("# A sample", "title"),
        ("**What you will learn**", "What you will learn"),
        ("**What you need**", "What you need"),
        ("**How long it takes**", "How long it takes"),
        ("## Take-away", "Take-away"),
        ("## Exercises", "Exercises"),
        ("## Quiz", "Quiz"),
        ("## Where next", "Where next"),
        ('serlab.quiz("01")', "no cell `serlab.quiz"),
        ("import sys", "setup cell"),
        ("  corpora: [ravdess]", "names no corpora"),
    ],
)
def test_missing_parts_are_found(pair, old, message):
    rewrite(pair, old, "  none: 0" if "corpora" in old else "text")
    assert any(message in problem for problem in chapters.check(pair))


def test_setup_cell_may_ask_for_an_extra_but_not_for_another_address():
    good = chapter_problems.SETUP.format(extras="[egemaps]", url=URL, ref=REF)
    assert chapter_problems.is_setup(good)
    assert chapter_problems.is_setup(good.replace("-q ", "-q \\\n        "))
    assert not chapter_problems.is_setup(good.replace(URL, "https://github.com/somebody/else"))
    assert not chapter_problems.is_setup(good + "\nprint()")


def test_closing_sections_in_another_order_are_found(pair):
    rewrite(pair, "## Take-away", "## Swap")
    rewrite(pair, "## Where next", "## Take-away")
    rewrite(pair, "## Swap", "## Where next")
    assert any("another order" in problem for problem in chapters.check(pair))


@pytest.mark.parametrize(
    "text",
    [
        "The tree reaches 30.6 %.",
        "That is 61% of the clips.",
        "About 40 percent are right.",
        "An accuracy of 0.612 is fine.",
        "UAR rises to 0.55 here.",
        "Fine, see [this](other.ipynb): 44 %.",
        "A [source](https://doi.org/1).\n\nAnd now 44 %.",
        "A tree has 31.0 %<!-- ravdess/emobox6/tree-tuned: uar -->, a forest 44 %.",
        "- [source](https://doi.org/1): 3 %\n- ours: 44 %",
    ],
)
def test_exact_scores_in_prose_are_found(text):
    assert len(chapter_problems.exact_numbers(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "About a third of the clips.",
        "Listeners reach 40.9 % ([Cao et al. 2014](https://doi.org/10.1109/TAFFC.2014.2336244)).",
        "One class of eight is 12.5 %. <!-- fixed -->",
        "One class of eight is 12.5 %<!-- = 100 / 8 -->.",
        "A tree has 31.0 % [27.0, 35.1]<!-- ravdess/emobox6/tree-tuned: uar --> on unheard actors.",
        "with a 95 % interval over speakers",
        "95 % confidence intervals",
        "Sampled at 16 kHz for 3.5 s, of 24 speakers in 2018.",
        "```\nformat: 30 %\n```",
    ],
)
def test_allowed_numbers_pass(text):
    assert chapter_problems.exact_numbers(text) == []


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"output_type": "stream", "name": "stderr", "text": "x.py:1: FutureWarning: gone"}, "stderr"),
        (
            {"output_type": "stream", "name": "stdout", "text": "/home/ann/serlab/a.wav"},
            "path of one machine",
        ),
        ({"output_type": "stream", "name": "stdout", "text": r"C:\Users\ann\a.wav"}, "path of one machine"),
        ({"output_type": "stream", "name": "stdout", "text": "<Axes at 0x7f12ab34cd>"}, "memory address"),
        ({"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}, "ValueError: no"),
        (
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"text/html": '<audio src="data:audio/wav;base64,AA=="></audio>'},
            },
            "audio inside",
        ),
    ],
)
def test_bad_outputs_are_found(pair, output, message):
    problems = alter(pair, lambda notebook: picture_cell(notebook).outputs.append(nbformat.from_dict(output)))
    assert any(message in problem for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/a/b/c",
        "<td>a</td><td>b</td>",
        "1/2/3",
        "data:image/png;base64,/9j/4AAQ/ab/cd",
    ],
)
def test_ordinary_outputs_are_not_taken_for_paths(pair, text):
    output = {"output_type": "stream", "name": "stdout", "text": text}
    assert (
        alter(pair, lambda notebook: picture_cell(notebook).outputs.append(nbformat.from_dict(output))) == []
    )


def test_picture_without_alt_text_is_found(pair):
    def forget(notebook):
        picture_cell(notebook).metadata.pop("mystnb")

    assert any("without alt text" in problem for problem in alter(pair, forget))
    for markdown in ("![](a.png)", '<img src="a.png">', '<img src="a.png" alt="">'):
        cell = nbformat.v4.new_markdown_cell(markdown)
        assert chapter_problems.source_problems(cell) == ["shows a picture without alt text"]
    assert chapter_problems.source_problems(nbformat.v4.new_markdown_cell("![a line](a.png)")) == []


def test_unrun_trailing_semicolon_and_size_are_found(pair, monkeypatch):
    def forget(notebook):
        picture_cell(notebook).execution_count = None

    assert any("was not run" in problem for problem in alter(pair, forget))
    assert chapter_problems.source_problems(nbformat.v4.new_code_cell("ax.plot(t);"))
    monkeypatch.setattr(chapters, "MAX_BYTES", 100)
    assert any("draw less" in problem for problem in chapters.check(pair))


def test_notebook_of_the_synthetic_corpus_is_not_accepted(pair):
    def swap(notebook):
        notebook.metadata.serlab.corpora = {"demo": "00"}

    assert any("other corpora" in problem for problem in alter(pair, swap))


def test_committed_notebooks_are_never_written_from_another_corpus(pair, monkeypatch):
    with pytest.raises(SystemExit, match="--output"):
        chapters.run(pair, corpus="demo")
    monkeypatch.delenv("SERLAB_DATA", raising=False)
    with pytest.raises(SystemExit, match="needs ravdess"):
        chapters.run(pair)


def test_run_executes_on_demo_elsewhere(pair, tmp_path, demo):
    before = pair.with_suffix(".ipynb").read_bytes()
    made = chapters.run(pair, corpus="demo", output=tmp_path / "out")
    notebook = chapters.read_notebook(made)
    assert list(notebook.metadata.serlab.corpora) == ["demo"]
    assert notebook.metadata.serlab.quick is True
    assert notebook.metadata.language_info == {"name": "python", "pygments_lexer": "ipython3"}
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert not any("execution" in cell.metadata for cell in notebook.cells)
    assert pair.with_suffix(".ipynb").read_bytes() == before


def test_unknown_name_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no chapter begins with '99'"):
        chapters.select(["99"])


def test_check_command_reports_with_its_exit_status(pair, monkeypatch, capsys):
    monkeypatch.setattr(chapters, "select", lambda names: [pair])
    monkeypatch.setattr(chapters, "unpaired", lambda: [])
    assert chapters.main(["check"]) == 0
    assert "1 chapters in order" in capsys.readouterr().out
    rewrite(pair, "## Quiz", "## Quizz")
    assert chapters.main(["check"]) == 1
    assert "Quiz" in capsys.readouterr().out

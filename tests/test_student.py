"""Exercises: starter, solution and check fit together, and the student's notebooks have no solutions."""

from __future__ import annotations

import re

import nbformat
import pytest
from test_chapters import SAMPLE, TEXTS, chapters, load_tool

problems_of = load_tool("chapter_problems").exercise_problems
tags_of = load_tool("chapter_problems").tags_of
student = load_tool("student")
EXERCISE = """\
```{code-cell} ipython3
:tags: [exercise]
values = [1, 2, 3]


def total(values): ...
```

```{code-cell} ipython3
:tags: [solution, hide-cell]
def total(values):
    return 6  # by heart
```

```{code-cell} ipython3
:tags: [check, nbval-check-output]
check.total(total)
```

<details><summary>Solution</summary>

Count on your fingers.
</details>

"""
CHECK = """\
```{code-cell} ipython3
from serlab import check as machinery


class check:
    @machinery.exercise
    def total(answer):
        machinery.compare(machinery.call(answer, [1, 2, 3]), 6, "this")
        return "Six."
```

"""


@pytest.fixture
def text(tmp_path):
    """Give the text of a small chapter with one exercise that has a check, and one that has not."""
    path = tmp_path / "01_sample.md"
    written = SAMPLE.replace(
        "## Exercises\n\n", f"## Exercises\n\n{CHECK}**Exercise 0.** Count.\n\n{EXERCISE}"
    )
    path.write_text(written, encoding="utf-8")
    return path


def sources(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


# ---- exercises ----


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_exercises_have_all_their_parts(text):
    assert problems_of(chapters.read_text(text)) == []
    assert problems_of(chapters.read_notebook(text.with_suffix(".ipynb"))) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("check.total(total)", "print(total)", "not one line"),
        ("check.total(total)", "check.total(total, values, sum)", None),
        ("check.total(total)", "check.total(sum)", "whose starter does not make sum"),
        ("    return 6  # by heart", "    return 6\n\n\ntotal2 = 1", None),
        ("def total(values):\n", "def sum_up(values):\n", "whose solution does not make total"),
        ("[check, nbval-check-output]", "[check]", "without the tag nbval-check-output"),
        (":tags: [exercise]\n", "", "does not follow a starter and a solution"),
        ("[solution, hide-cell]\ndef", "[hide-cell]\ndef", "not followed by its solution and its check"),
        (EXERCISE[EXERCISE.index("```{code-cell} ipython3\n:tags: [check") :], "", "not followed by"),
    ],
)
def test_parts_that_do_not_fit_are_found(text, old, new, message):
    written = text.read_text("utf-8")
    assert problems_of(chapters.read_text(text)) == []
    assert old in written
    text.write_text(written.replace(old, new), encoding="utf-8")
    found = problems_of(chapters.read_text(text))
    assert any(message in problem for problem in found) if message else found == []


def test_a_check_that_does_not_confirm_the_solution_is_found(text):
    notebook = chapters.read_text(text)
    check = next(cell for cell in notebook.cells if "check" in tags_of(cell))
    check.execution_count = 1
    for told, wrong in (("Right. Six.\n", 0), ("Not yet. For this it gives 7.\n", 1)):
        check.outputs = [nbformat.v4.new_output("stream", text=told)]
        assert len(problems_of(notebook)) == wrong


# ---- what students get ----


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_notebooks_are_what_the_tool_makes(text):
    path = student.STUDENT / f"{text.stem}.ipynb"
    assert path.exists(), "make student"
    assert chapters.read_notebook(path) == student.make(text), "make student"


def test_there_is_no_notebook_without_a_chapter():
    made = {path.stem for path in student.STUDENT.iterdir()}
    assert made == {text.stem for text in TEXTS}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_no_solution_is_left(text):
    """No line of a solution, but for those that the chapter shows elsewhere."""
    cells = chapters.read_text(text).cells
    shown = {
        line.strip() for cell in cells if "solution" not in tags_of(cell) for line in cell.source.split("\n")
    }
    solved = {
        line.strip() for cell in cells if "solution" in tags_of(cell) for line in cell.source.split("\n")
    }
    made = student.make(text)
    given = {line.strip() for line in sources(made).split("\n")}
    assert (solved - shown) & given == set()
    assert "<summary>Solution</summary>" not in sources(made)
    assert not any("solution" in tags_of(cell) or cell.get("outputs") for cell in made.cells)
    checks = [cell.source for cell in cells if tags_of(cell) & {"check", "exercise"}]
    assert [cell.source for cell in made.cells if tags_of(cell) & {"check", "exercise"}] == checks


def test_students_get_starters_checks_the_quiz_and_both_versions_in_colab(text):
    made = student.make(text)
    opening = made.cells[0].source
    assert opening.startswith("# A sample\n\n[![Open in Colab]")
    assert re.findall(r"colab\.research\.google\.com/github/\S+/(\w+/01_sample\.ipynb)", opening) == [
        "student/01_sample.ipynb",
        "chapters/01_sample.ipynb",
    ]
    assert "by heart" not in sources(made)
    assert "fingers" not in sources(made)
    kinds = [next(iter(tags_of(cell)), "") for cell in made.cells if cell.cell_type == "code"]
    assert "exercise" in kinds
    assert made.cells[-4].source == "# Your code here."  # the exercise without a starter
    assert made.cells[-2].source.endswith('serlab.quiz("01")')
    nbformat.validate(made)


def test_a_chapter_runs_as_it_is_and_says_right_when_solutions_are_pasted_in(text, demo):
    assert student.problems(text) == []
    text.write_text(text.read_text("utf-8").replace("return 6 ", "return 7 "), encoding="utf-8")
    assert student.problems(text) == [
        "01_sample, pasted: Not yet. For this it gives 7, where 6 is right.",
    ]


def test_a_real_chapter_does_so(demo):
    (text,) = [one for one in TEXTS if one.stem == "03_honest_evaluation"]
    notebook = student.make(text, pasted=True)
    chapters.execute(notebook, "demo")
    assert [told.split(".")[0].split(":")[0] for told in student.said(notebook)] == 5 * [
        "Not answered yet",
        "Right",
    ]

"""Write the student's version of the chapters: without solutions and outputs, in ``student/NN_name.ipynb``.

    student.py [NAMES]          write them; they are never edited
    student.py test [NAMES]     run them on demo: as they are, and with the solutions pasted in

NAMES are beginnings of file names ("03"). How an exercise is written stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import re
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from chapter_problems import address, tags_of

import chapters

STUDENT = chapters.ROOT / "student"
COLAB = "https://colab.research.google.com"
WRITTEN_SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>.*?</details>\s*", re.DOTALL)
NOTE = """\
[![Open in Colab]({colab}/assets/colab-badge.svg)]({colab}/{path}/student/{stem}.ipynb)

**Student's version**: it has no solutions.
Replace the `...` of each exercise, run the cell, and then the check below it.
The full version [has the solutions]({colab}/{path}/chapters/{stem}.ipynb).
"""


def make(text: Path, pasted: bool = False):
    """Return the student's notebook of a chapter.

    With ``pasted`` it is as a student leaves it who checks each exercise unanswered, pastes the solution, and
    checks again.
    """
    url, branch = address()
    path = f"github/{url.removeprefix('https://github.com/')}/blob/{branch}"
    source = chapters.read_text(text)
    title, rest = source.cells[0].source.split("\n", 1)
    note = NOTE.format(colab=COLAB, path=path, stem=text.stem)
    source.cells[0].source = f"{title}\n\n{note}{rest}"
    cells = []
    for number, cell in enumerate(source.cells):
        if cell.cell_type == "markdown":
            cell.source = WRITTEN_SOLUTION.sub("", cell.source).rstrip()
            if not cell.source:
                continue
        if "solution" not in tags_of(cell):
            cells.append(cell)
        elif pasted:
            following = source.cells[number + 1 :]
            check = next((one for one in following if tags_of(one) & {"check", "solution"}), cell)
            if "check" in tags_of(check):
                check = deepcopy(check)
                check.id += "-before"
                cells.append(check)
            cells.append(cell)
        elif not cells or "exercise" not in tags_of(cells[-1]):
            cells.append(nbformat.v4.new_code_cell("# Your code here.", id=f"answer-{number}"))
    source.cells = cells
    chapters.finish(source, {})
    del source.metadata["serlab"]  # it says of executed notebooks on what
    return source


def said(notebook) -> list[str]:
    """Return what the checks of an executed notebook printed."""
    return [
        "".join(output.get("text", "") for output in cell.outputs).strip()
        for cell in notebook.cells
        if "check" in tags_of(cell)
    ]


def problems(text: Path) -> list[str]:
    """Run a chapter's student version on demo, as it is and with solutions pasted in; list what is wrong."""
    untouched, pasted = make(text), make(text, pasted=True)
    for notebook in (untouched, pasted):
        chapters.execute(notebook, "demo")
    wrong = [f"unanswered: {one}" for one in said(untouched) if not one.startswith("Not answered yet")]
    begins = ["Not answered yet", "Right. "] * (len(said(pasted)) // 2)
    wrong += [
        f"pasted: {one}" for one, begin in zip(said(pasted), begins, strict=True) if not one.startswith(begin)
    ]
    return [f"{text.stem}, {one}" for one in wrong]


def main(arguments: list[str]) -> int:
    testing = arguments[:1] == ["test"]
    wrong = []
    for text in chapters.select(arguments[testing:]):
        if testing:
            wrong += problems(text)
            print(f"{text.stem}: run on demo", flush=True)
        else:
            chapters.write_notebook(make(text), STUDENT / f"{text.stem}.ipynb")
    print("\n".join(wrong), end="\n" * bool(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

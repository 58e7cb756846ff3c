"""Make student notebooks, solutions, rubrics and exports of the graded assignments.

    assignments.py [NAMES]            write all of them into _build/assignments
    assignments.py --plain [NAMES]    only what needs neither Otter-Grader nor nbgrader

An assignment is one text, ``assignments/N_name.md``. The metadata of a cell says what it is:

    answer: q1        the student's work; what stands between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` is
                      the solution
    test: q1          asserts something about it, for so many ``points``; ``about`` says what, for the rubric;
                      ``hidden: true`` keeps it from students
    wrong: q1         takes the place of the answer in a submission with a common ``mistake``, which is to
                      ``lose`` so many points; the rubric names it, and the tests hand it in
    written: q6       the model answer of a question that a person marks, for so many ``points``, by its
                      ``criteria``

Answer and tests of a question follow each other. All other cells are for everybody; the tag ``shown`` says
that no test needs one, so that tests of mistakes may leave it out.
"""

from __future__ import annotations

import argparse
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import address
import jupytext
import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_raw_cell

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "assignments"
OUTPUT = ROOT / "_build" / "assignments"
STUB, TEXT_STUB = "...", "*Write your answer here.*"
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
REGION = re.compile(rf"^([ \t]*){BEGIN}\n.*?^[ \t]*{END}$", re.MULTILINE | re.DOTALL)
_MARKERS = re.compile(rf"^[ \t]*(?:{BEGIN}|{END})\n?", re.MULTILINE)
_HEADING = re.compile(r"^(## (q\d+)\. .+)$", re.MULTILINE)
_SETUP = """\
# In Colab this installs serlab; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q "serlab @ git+{url}@{branch}"
"""


@dataclass(frozen=True)
class Question:
    """One question: its heading and the cells of its answer, tests, mistakes and model answer."""

    name: str
    title: str
    answers: list
    tests: list
    wrong: list
    written: list

    @property
    def points(self) -> int:
        """All points, or those of the tests where there are any."""
        return sum(cell.metadata["points"] for cell in (*self.tests, *self.written))


@dataclass(frozen=True)
class Assignment:
    """One source: its name, what its header says, and its cells."""

    name: str
    about: dict
    cells: list

    @property
    def title(self) -> str:
        return self.cells[0].source.splitlines()[0].removeprefix("# ")

    @property
    def questions(self) -> dict[str, Question]:
        """The questions in their order."""
        titles = {name: line for cell in self.cells for line, name in _HEADING.findall(cell.source)}
        of = {
            name: {
                kind: [cell for cell in self.cells if cell.metadata.get(kind) == name]
                for kind in ("answer", "test", "wrong", "written")
            }
            for name in titles
        }
        return {
            name: Question(name, titles[name].partition(". ")[2], *cells.values())
            for name, cells in of.items()
        }

    @property
    def points(self) -> int:
        return sum(question.points for question in self.questions.values())

    @property
    def tested_points(self) -> int:
        """What a program can mark."""
        return sum(question.points for question in self.questions.values() if question.tests)


def read(path: Path) -> Assignment:
    """Read a source."""
    notebook = jupytext.read(path)
    cells = [cell for cell in notebook.cells if cell.source]
    return Assignment(path.stem, dict(notebook.metadata["assignment"]), cells)


def read_all(names: list[str] = ()) -> list[Assignment]:
    """Read the sources whose names begin with one of these, all of them for no name."""
    paths = sorted(FOLDER.glob("[0-9]_*.md"))
    return [read(path) for path in paths if not names or path.stem.startswith(tuple(names))]


def stubbed(source: str) -> str:
    """Put an ellipsis in the place of each solution."""
    return REGION.sub(rf"\1{STUB}", source)


def solved(source: str) -> str:
    """Keep the solution and drop the lines that mark it."""
    return _MARKERS.sub("", source)


def student(assignment: Assignment) -> nbformat.NotebookNode:
    """Return what a student gets: no solution, no hidden test; it needs no tool but serlab."""
    return _edited(assignment, stubbed, lambda text: TEXT_STUB, hidden=False)


def solution(assignment: Assignment) -> nbformat.NotebookNode:
    """Return what the teacher gets: solutions, hidden tests and model answers."""
    return _edited(assignment, solved, lambda text: f"**A model answer.** {text}", hidden=True)


def _edited(assignment: Assignment, answer, written, hidden: bool) -> nbformat.NotebookNode:
    """Return a notebook whose answers and model answers are edited by these functions."""
    found = [cell for cell in _of_all(assignment) if hidden or not cell.metadata.get("hidden")]
    for cell in found:
        if "answer" in cell.metadata:
            cell.source = answer(cell.source)
        elif "written" in cell.metadata:
            cell.source = written(cell.source)
    return _notebook(assignment, found)


def submission(assignment: Assignment, wrong: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the solution with one common mistake in it."""
    notebook = solution(assignment)
    replace_answer(notebook, wrong.metadata["wrong"], wrong.source)
    return notebook


def replace_answer(notebook: nbformat.NotebookNode, question: str, source: str) -> None:
    """Hand in another answer to a question, in the notebook given."""
    (place,) = [cell for cell in notebook.cells if cell.get("id") == f"{question}-answer"]
    place.source = source


def rubric(assignment: Assignment) -> str:
    """Return points, what they are given for, and what common mistakes lose, as Markdown."""
    lines = [f"# Rubric: {assignment.title}", "", f"{assignment.points} points, "]
    lines[-1] += f"of which tests give {assignment.tested_points}."
    for question in assignment.questions.values():
        lines += ["", f"## {question.name}. {question.title} ({_points(question.points)})", ""]
        if question.tests:
            lines += ["| points | test | what it checks |", "|---|---|---|"]
        for test in question.tests:
            kind = "hidden" if test.metadata.get("hidden") else "public"
            lines.append(f"| {test.metadata['points']} | {kind} | {test.metadata['about']} |")
        for cell in question.written:
            lines += ["By hand:", ""]
            lines += [f"- {criterion}" for criterion in cell.metadata["criteria"]]
        if question.wrong:
            lines += ["", "| common mistake | loses, later questions included |", "|---|---|"]
            lines += [f"| {w.metadata['mistake']} | {_points(w.metadata['lose'])} |" for w in question.wrong]
    return "\n".join(lines) + "\n"


def otter(assignment: Assignment) -> nbformat.NotebookNode:
    """Return the notebook that ``otter assign`` takes."""
    url, branch, _ = address.current()
    config = {
        "name": assignment.name,
        "runs_on": "colab",
        "tests": {"files": True},
        "export_cell": False,
        "run_tests": False,
        "requirements": [f"serlab[cpu] @ git+{url}@{branch}"],
    }
    found = [new_raw_cell("# ASSIGNMENT CONFIG\n" + yaml.safe_dump(config))]
    for question, cells in by_question(assignment):
        if question is None:
            found += cells
            continue
        if question.written:
            about = {"name": question.name, "manual": True, "points": question.points}
        else:
            about = {"name": question.name}
        found.append(_raw("BEGIN QUESTION", about))
        answer = [cell for cell in cells if "test" not in cell.metadata]
        found += [_raw("BEGIN SOLUTION"), *answer, _raw("END SOLUTION")]
        if question.tests:
            found.append(_raw("BEGIN TESTS"))
            found += [_otter_test(cell) for cell in question.tests]
            found.append(_raw("END TESTS"))
        found.append(_raw("END QUESTION"))
    return _notebook(assignment, found)


def nbgrader(assignment: Assignment) -> nbformat.NotebookNode:
    """Return the notebook that ``nbgrader generate_assignment`` takes."""
    found = []
    for cell in _of_all(assignment):
        about = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
        if "answer" in cell.metadata:
            about |= {"solution": True, "locked": False}
        elif "test" in cell.metadata:
            about |= {"grade": True, "points": cell.metadata["points"]}
            if cell.metadata.get("hidden"):
                head, _, body = cell.source.partition("\n")
                cell.source = f"{head}\n### BEGIN HIDDEN TESTS\n{body}\n### END HIDDEN TESTS"
        elif "written" in cell.metadata:
            about |= {"grade": True, "solution": True, "locked": False, "points": cell.metadata["points"]}
            cell.source = f"### BEGIN SOLUTION\n{cell.source}\n### END SOLUTION"
        cell.metadata["nbgrader"] = {**about, "grade_id": cell["id"], "cell_type": cell.cell_type}
        found.append(cell)
    return _notebook(assignment, found)


def _of_all(assignment: Assignment) -> list:
    """Copy the cells that belong to the assignment, with points in headings, and a name for each cell."""
    url, branch, pages = address.current()
    setup = new_code_cell(_SETUP.format(url=url, branch=branch).strip(), metadata={"tags": ["setup"]})
    cells = [cell for cell in copy.deepcopy(assignment.cells) if "wrong" not in cell.metadata]
    cells.insert(1, setup)
    questions, seen = assignment.questions, {}
    for cell in cells:
        kind = next((kind for kind in ("answer", "test", "written") if kind in cell.metadata), "cell")
        question = cell.metadata.get(kind)
        number = seen[kind, question] = seen.get((kind, question), 0) + 1
        cell["id"] = f"{question or 'text'}-{kind}"
        if kind in ("cell", "test"):
            cell["id"] += f"-{number}"
        if kind == "test":
            points = _points(cell.metadata["points"])
            secret = "; hidden tests run when it is marked" if cell.metadata.get("hidden") else ""
            cell.source = f"# Check of {question}, {points}{secret}.\n{cell.source}"
        elif kind == "cell" and cell.cell_type == "markdown":
            cell.source = _HEADING.sub(lambda m: f"{m[1]} ({_points(questions[m[2]].points)})", cell.source)
    lessons = [
        f"[{name.partition('_')[0].lstrip('0')}]({pages}/chapters/{name}.html)"
        for name in assignment.about["lessons"]
    ]
    cells[0].source += f"\n\nLessons to do before: {', '.join(lessons)}.\n\n"
    cells[0].source += f"*{_points(assignment.points)} in all.*"
    return cells


def by_question(assignment: Assignment) -> Iterator[tuple[Question | None, list]]:
    """Group the cells into those of a question's answer and tests, and, one by one, the others."""
    last = None
    group: list = []
    for cell in [*_of_all(assignment), None]:
        keys = () if cell is None else ("answer", "test", "written")
        name = next((cell.metadata[key] for key in keys if key in cell.metadata), None)
        if group and (name != last or name is None):
            yield assignment.questions.get(last), group
            group = []
        if cell is not None:
            group.append(cell)
        last = name


def _otter_test(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Wrap a test in a function: Otter makes a doctest of it and trips over brackets that close a line."""
    config = {key: cell.metadata[key] for key in ("points", "hidden") if key in cell.metadata}
    config["failure_message"] = cell.metadata["about"]
    body = [f"    {line}" for line in cell.source.splitlines() if line.strip()]
    head = ['""" # BEGIN TEST CONFIG', yaml.safe_dump(config).strip(), '""" # END TEST CONFIG']
    return new_code_cell("\n".join([*head, "def _check():", *body, "_check()"]))


def _raw(boundary: str, config: dict | None = None) -> nbformat.NotebookNode:
    return new_raw_cell(f"# {boundary}\n" + (yaml.safe_dump(config) if config else ""))


def _notebook(assignment: Assignment, cells: list) -> nbformat.NotebookNode:
    """Make a notebook of cells, without what only this tool needs to know."""
    kept = ("tags", "nbgrader")
    cells = copy.deepcopy(cells)
    for cell in cells:
        cell.metadata = {key: cell.metadata[key] for key in kept if key in cell.metadata}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _points(number: int) -> str:
    return f"{number} point{'s' * (number != 1)}"


def write(assignment: Assignment, output: Path = OUTPUT) -> None:
    """Write what needs neither tool: student's notebook, solution and rubric."""
    for name, make in (("student", student), ("solution", solution)):
        _write(make(assignment), output / name / f"{assignment.name}.ipynb")
    path = output / "rubric" / f"{assignment.name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rubric(assignment), encoding="utf-8")


def _write(notebook: nbformat.NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    assignments = read_all(given.names)
    for assignment in assignments:
        write(assignment)
    print(f"Student notebooks, solutions and rubrics are in {OUTPUT}.")
    if not given.plain:
        import assignment_exports

        assignment_exports.export(assignments)


if __name__ == "__main__":
    main()

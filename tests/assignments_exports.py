"""Grade the assignments by the real Otter-Grader and nbgrader, and compare with what the source says.

    python tests/assignments_exports.py [NAMES] [--mistakes N]

Each tool works in an environment of its own, on its own export. The solution must get all points that tests
give, an empty submission none, and one with a common mistake what the rubric says: three mistakes of each
assignment, or so many. Prints a table of marks; status 1 if one is not the expected one.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))
sys.path.insert(0, str(ROOT / "tests"))

import assignment_exports as exports  # noqa: E402
from assignment_marking import mistakes  # noqa: E402

import assignments as tool  # noqa: E402


def submissions(assignment: tool.Assignment, released: Path, most: int) -> dict[str, NotebookNode]:
    """Fill in what a tool hands out to students: name of the submission to notebook."""
    solved = nbformat.read(released, as_version=4)
    for cell in tool.solution(assignment).cells:
        question, _, kind = cell["id"].partition("-")
        if kind == "answer":
            tool.replace_answer(solved, question, cell.source)
    found = {"solution": solved, "empty": nbformat.read(released, as_version=4)}
    for number, wrong in mistakes(assignment, most).items():
        found[number] = nbformat.from_dict(json.loads(json.dumps(solved)))
        tool.replace_answer(found[number], wrong.metadata["wrong"], wrong.source)
    return found


def expected(assignment: tool.Assignment, most: int) -> dict[str, int]:
    """Return the points that each submission should get."""
    lost = {name: cell.metadata["lose"] for name, cell in mistakes(assignment, most).items()}
    lost |= {"solution": 0, "empty": assignment.tested_points}
    return {name: assignment.tested_points - points for name, points in lost.items()}


def given_away(assignment: tool.Assignment, folder: Path) -> list[str]:
    """List what hidden tests say that can be read in a folder for students."""
    hidden = [cell.source for cell in assignment.cells if cell.metadata.get("hidden")]
    said = {
        node.msg.value
        for source in hidden
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant)
    }
    known = "".join(cell.source for cell in tool.student(assignment).cells)
    shown = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.*"))
    return sorted(text for text in said if text in shown and text not in known)


def grade_by_otter(assignment: tool.Assignment, folder: Path, most: int) -> dict[str, float]:
    """Export to Otter, hand everything in, and return the marks."""
    home = exports.export_otter(assignment, folder / "otter")
    (autograder,) = (home / "autograder").glob("*.zip")
    marks = {}
    released = home / "student" / f"{assignment.name}.ipynb"
    if found := given_away(assignment, released.parent):
        sys.exit(f"Otter's notebook for students has hidden tests: {found}")
    for name, notebook in submissions(assignment, released, most).items():
        place = folder / "otter" / "handed_in" / name
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{assignment.name}.ipynb")
        given = ["--no-logo", "-a", autograder, "-o", place, place / f"{assignment.name}.ipynb"]
        exports.run("otter", "run", *given, folder=place)
        results = json.loads((place / "results.json").read_text(encoding="utf-8"))
        marks[name] = sum(test["score"] for test in results["tests"] if "score" in test)
    return marks


def grade_by_nbgrader(assignment: tool.Assignment, folder: Path, most: int) -> dict[str, float]:
    """Export to nbgrader, hand everything in, and return the marks."""
    course = exports.export_nbgrader([assignment], folder / "nbgrader")
    name = assignment.name
    released = course / "release" / name / f"{name}.ipynb"
    if found := given_away(assignment, released.parent):
        sys.exit(f"nbgrader's notebook for students has hidden tests: {found}")
    for student, notebook in submissions(assignment, released, most).items():
        place = course / "submitted" / student / name
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{name}.ipynb")
    exports.run("nbgrader", "autograde", name, "--create", folder=course)
    exports.run("nbgrader", "export", "--to", "grades.csv", folder=course)
    with (course / "grades.csv").open(encoding="utf-8") as lines:
        return {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(lines)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--mistakes", type=int, default=3, metavar="N")
    given = parser.parse_args()
    failed = False
    print(f"{'assignment':<20} {'submission':<10} {'expected':>8} {'otter':>6} {'nbgrader':>8}")
    for assignment in tool.read_all(given.names):
        with tempfile.TemporaryDirectory() as folder:
            otter = grade_by_otter(assignment, Path(folder), given.mistakes)
            nbgrader = grade_by_nbgrader(assignment, Path(folder), given.mistakes)
        for name, points in expected(assignment, given.mistakes).items():
            right = otter[name] == nbgrader[name] == points
            failed |= not right
            line = f"{assignment.name:<20} {name:<10} {points:>8} {otter[name]:>6g} {nbgrader[name]:>8g}"
            print(line, "" if right else "  not as expected", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()

"""The graded assignments: sources are well formed, nothing is given away, marks are those of the rubric."""

from __future__ import annotations

import ast
import itertools
import re

import pytest
from assignment_marking import mark, mistakes

import assignments as tool

ASSIGNMENTS = tool.read_all()
BY_NAME = {assignment.name: assignment for assignment in ASSIGNMENTS}
# The fourth trains networks and the sixth works on folders of files: assignments_exports.py marks them.
MARKED = [assignment.name for assignment in ASSIGNMENTS if assignment.name[0] in "1235"]
each = pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)


def text_of(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


@each
def test_sources_are_well_formed(assignment):
    assert assignment.questions, "no question"
    for question in assignment.questions.values():
        assert bool(question.tests) != bool(question.written), f"{question.name} is tested or marked by hand"
        assert len(question.answers) == bool(question.tests), question.name
        for cell in question.answers:
            assert tool.stubbed(cell.source) != cell.source, f"{question.name} has no solution"
            assert cell.source.count(tool.BEGIN) == cell.source.count(tool.END)
            ast.parse(tool.stubbed(cell.source))
        if question.tests:
            assert not question.tests[0].metadata.get("hidden"), f"{question.name} has no public test"
            assert any(test.metadata.get("hidden") for test in question.tests), question.name
        for cell in (*question.tests, *question.written):
            assert isinstance(cell.metadata["points"], int)
            assert cell.metadata["points"] > 0
        for cell in question.written:
            told = [int(re.match(r"(\d+) point", line)[1]) for line in cell.metadata["criteria"]]
            assert sum(told) == cell.metadata["points"], f"{question.name}: criteria give other points"
        for cell in question.wrong:
            assert 0 < cell.metadata["lose"] < assignment.tested_points
    groups = [question.name for question, _ in tool.by_question(assignment) if question]
    assert groups == list(assignment.questions), "answer and tests of a question do not follow each other"


@each
def test_code_is_narrow_and_every_check_says_what_is_wrong(assignment):
    code = [cell.source for cell in tool.solution(assignment).cells if cell.cell_type == "code"]
    assert [line for text in code[1:] for line in text.splitlines() if len(line) > 80] == []
    for cell in assignment.cells:
        if "test" in cell.metadata:
            assert cell.metadata["about"]
            checks = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
            assert checks, f"a test of {cell.metadata['test']} asserts nothing"
            assert all(check.msg for check in checks), f"a check of {cell.metadata['test']} says nothing"


@each
def test_students_get_no_solution_no_hidden_test_and_no_mistake(assignment):
    shown = text_of(tool.student(assignment))
    for marker in (tool.BEGIN, tool.END, "HIDDEN"):
        assert marker not in shown
    secret = [cell.source for cell in assignment.cells if {"hidden", "wrong", "written"} & set(cell.metadata)]
    for question in assignment.questions.values():
        for cell in question.answers:
            lines = tool.REGION.search(cell.source)[0].splitlines()[1:-1]
            # A single line may be one that a check has, too; two of them in a row are the solution.
            secret += [f"{one}\n{two}" for one, two in itertools.pairwise(lines)] or lines
    for text in secret:
        assert text not in shown
    assert shown.count(tool.STUB) >= sum(bool(question.tests) for question in assignment.questions.values())


@each
def test_points_add_up_in_headings_rubric_and_exports(assignment):
    questions = assignment.questions.values()
    assert assignment.points == sum(question.points for question in questions)
    in_headings = re.findall(
        r"^## q\d+\. .+ \((\d+) points?\)$", text_of(tool.student(assignment)), re.MULTILINE
    )
    assert list(map(int, in_headings)) == [question.points for question in questions]
    rubric = tool.rubric(assignment)
    assert f"{assignment.points} points, of which tests give {assignment.tested_points}." in rubric
    tested = re.findall(r"^\| (\d+) \| (?:public|hidden) \|", rubric, re.MULTILINE)
    assert sum(map(int, tested)) == assignment.tested_points
    for_nbgrader = [cell.metadata["nbgrader"] for cell in tool.nbgrader(assignment).cells]
    assert sum(about.get("points", 0) for about in for_nbgrader) == assignment.points
    assert len({about["grade_id"] for about in for_nbgrader}) == len(for_nbgrader)
    for_otter = re.findall(r"^points: (\d+)$", text_of(tool.otter(assignment)), re.MULTILINE)
    assert sum(map(int, for_otter)) == assignment.points


@pytest.mark.parametrize("name", MARKED)
def test_marks_are_those_of_the_rubric(name):
    assignment = BY_NAME[name]
    said: dict[str, str] = {}
    points = mark(tool.solution(assignment), assignment, said, whole=True)
    assert said == {}
    assert sum(points.values()) == assignment.tested_points
    assert sum(mark(tool.student(assignment), assignment, said).values()) == 0
    for question in assignment.questions.values():
        if question.tests:
            assert said[f"{question.name}-1"].startswith("AssertionError: "), "no sentence"
    for wrong in mistakes(assignment).values():
        points = mark(tool.submission(assignment, wrong), assignment)
        lost = assignment.tested_points - sum(points.values())
        assert lost == wrong.metadata["lose"], f"{wrong.metadata['mistake']}: {points}"


def test_the_teachers_page_has_the_facts_of_the_sources():
    page = (tool.ROOT / "book" / "assignments.md").read_text(encoding="utf-8")
    for assignment in ASSIGNMENTS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {assignment.name[0]} |")]
        _, _, title, lessons, minutes, points, _ = (cell.strip() for cell in row.split("|"))
        assert title.startswith(f"**{assignment.title.partition(': ')[2]}**")
        assert re.findall(r"chapters/(\w+)\.ipynb", lessons) == assignment.about["lessons"]
        assert int(minutes) == assignment.about["minutes"]
        assert points == f"{assignment.points} ({assignment.tested_points})"

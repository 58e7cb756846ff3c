"""Mark a notebook of an assignment without any tool: run its cells, then the tests of its source."""

from __future__ import annotations

import contextlib
import io
import math

from nbformat import NotebookNode

from assignments import Assignment


def mistakes(assignment: Assignment, most: int = 3) -> dict[str, NotebookNode]:
    """Number the common mistakes, and take so many of them, spread over the questions."""
    wrong = [cell for question in assignment.questions.values() for cell in question.wrong]
    chosen = range(0, len(wrong), max(1, math.ceil(len(wrong) / most)))
    return {f"mistake{place + 1:02d}": wrong[place] for place in chosen}


def mark(
    notebook: NotebookNode, assignment: Assignment, messages: dict | None = None, whole: bool = False
) -> dict[str, int]:
    """Return the points that each test of the source gives, by question and number.

    A cell that fails does not stop the others, as with both graders. `messages` is filled with what failed
    tests said. Cells that only show something are left out unless the notebook is run as a whole.
    """
    space = {"__name__": "__main__"}
    left_out = {"setup"} if whole else {"setup", "shown"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and left_out.isdisjoint(cell.metadata.get("tags", ())):
            _run(cell.source, space)
    points = {}
    for question in assignment.questions.values():
        for number, test in enumerate(question.tests, start=1):
            failed = _run(test.source, dict(space))
            points[f"{question.name}-{number}"] = 0 if failed else test.metadata["points"]
            if failed and messages is not None:
                messages[f"{question.name}-{number}"] = failed
    return points


def _run(source: str, space: dict) -> str | None:
    """Run a cell and return what went wrong."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            exec(compile(source, "cell", "exec"), space)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return None

"""The checkers of exercises: what they accept, and what they say to answers that are wrong.

The answers are in ``answers_chNN.py``. In the right ones a tuple stands for several answers to one check.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import check

CHAPTERS = sorted(path.stem for path in Path(check.__file__).parent.glob("ch*.py"))
CHECKERS = {name: importlib.import_module(f"serlab.check.{name}") for name in CHAPTERS}
ANSWERS = {name: importlib.import_module(f"answers_{name}") for name in CHAPTERS}


def exercises(chapter: str) -> list[str]:
    """Return the names of a chapter's checkers."""
    module = CHECKERS[chapter]
    functions = inspect.getmembers(module, inspect.isfunction)
    return [
        name
        for name, one in functions
        if hasattr(one, "__wrapped__") and inspect.unwrap(one).__module__ == module.__name__
    ]


EXERCISES = [(chapter, name) for chapter in CHAPTERS for name in exercises(chapter)]


@pytest.fixture
def told(capsys):
    """Give a function that returns the one line a checker prints."""

    def run(chapter: str, name: str, answer) -> str:
        checker = getattr(CHECKERS[chapter], name)
        assert checker(*(answer if isinstance(answer, tuple) else (answer,))) is None
        text = capsys.readouterr().out
        assert text.count("\n") == 1
        return text.strip()

    return run


def hints(chapter: str, name: str) -> list[str]:
    """Return all hints that a checker may give, as patterns, from its code."""
    code = ast.parse(inspect.getsource(inspect.unwrap(getattr(CHECKERS[chapter], name))))
    found = []
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("require", "Hint"):
            found.append(node.args[-1])
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "compare":
            found += [pair.elts[1] for pair in node.args[3:] if isinstance(pair, ast.Tuple)]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "mistakes":
            found += [pair.elts[1] for pair in node.value.elts]
    parts = [getattr(hint, "values", [hint]) for hint in found]
    return [
        "".join(re.escape(p.value) if isinstance(p, ast.Constant) else ".*" for p in one) for one in parts
    ]


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_right_answers_are_confirmed(chapter, name, told):
    answers = ANSWERS[chapter].RIGHT[name]
    assert len(answers) >= 2
    for answer in answers:
        assert told(chapter, name, answer).startswith("Right. ")


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_wrong_answers_get_the_hint_for_them_and_every_hint_is_tried(chapter, name, told):
    answers = ANSWERS[chapter].WRONG[name]
    said = {hint: told(chapter, name, answer) for answer, hint in answers}
    for hint, sentence in said.items():
        assert sentence.startswith("Not yet. "), sentence
        assert hint in sentence
    assert len(set(said.values())) >= 2
    untried = [
        hint for hint in hints(chapter, name) if not any(re.search(hint, one) for one in said.values())
    ]
    assert untried == []


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_empty_answers_are_told_from_wrong_ones(chapter, name, told):
    many = len(inspect.signature(getattr(CHECKERS[chapter], name)).parameters)
    for empty in (None, ...):
        assert told(chapter, name, (empty,) * many) == "Not answered yet."


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_answers_are_for_exercises(chapter):
    assert set(ANSWERS[chapter].RIGHT) == set(ANSWERS[chapter].WRONG) == set(exercises(chapter))


@check.exercise
def total(answer):
    values = [1, 2, 3]
    check.compare(check.call(answer, values), 6, "[1, 2, 3]", (3, "That is how many there are."))
    return "Six."


def starter(values):
    """Return the sum."""
    ...


def stops(values):
    return values["a"]


def changes(values):
    values.append(0)
    return sum(values)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (sum, "Right. Six."),
        (starter, "Not answered yet: `starter` returns nothing. Is there a `return`?"),
        (len, "Not yet. That is how many there are."),
        (6, "Not yet. A function is wanted here, and this is a number."),
        (stops, 'Not yet. `stops` stops in its line `return values["a"]`: TypeError: list indices must be'),
        (changes, "Not yet. `changes` changes the list that it is given. Work on a copy of it."),
        (lambda values: values, "Not yet. For [1, 2, 3] it gives a list of 3, where a number is right."),
        (lambda values: 6.5, "Not yet. For [1, 2, 3] it gives 6.5, where 6 is right."),
    ],
)
def test_sentences(answer, line, capsys):
    total(answer)
    assert capsys.readouterr().out.startswith(line)


@pytest.mark.parametrize(
    ("got", "right", "passes"),
    [
        (0.1 + 0.2, 0.3, True),
        (0.3333, 1 / 3, False),
        (True, 1, True),
        (np.float32(0.1), 0.1, True),
        ("calm", "calm", True),
        ("1", 1, False),
        ([1, 2], np.array([1, 2]), True),
        ([1, 2], [[1, 2]], False),
        ([[1], [2, 3]], [1, 2], False),
        ([float("nan")], [float("nan")], True),
        ({"a": 1}, pd.Series({"a": 1}), True),
        (pd.Series({"b": 1}), pd.Series({"a": 1}), False),
        ([1], pd.Series([1]), False),
    ],
)
def test_answers_are_compared_up_to_rounding(got, right, passes):
    if passes:
        check.compare(got, right, "this")
    else:
        with pytest.raises(check.Hint, match="For this it gives"):
            check.compare(got, right, "this")


def test_a_table_that_is_only_read_is_not_called_changed():
    """pandas may lay out a table anew when it is read, which changes its hash and nothing else."""
    table = pd.DataFrame({"a": [1.0, 2.0]})
    for column, values in (("b", [1, 2]), ("c", ["x", "y"]), ("d", [3.0, 4.0])):
        table[column] = values
    assert check.call(lambda rows: rows.groupby("c")["d"].mean().sum() + rows.to_numpy().size, table) == 15
    assert check.call(np.sum, np.arange(6.0).reshape(2, 3).T) == 15

    def renames(rows):
        rows.columns = list("wxyz")
        return 1

    with pytest.raises(check.Hint, match="`renames` changes the DataFrame that it is given"):
        check.call(renames, table)

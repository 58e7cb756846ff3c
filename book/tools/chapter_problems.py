"""What can be wrong with a chapter: with its outline, with what its author wrote, with its outputs."""

from __future__ import annotations

import ast
import json
import re
from itertools import pairwise
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]

# Every chapter begins with this cell. "[egemaps]" or another extra may follow "serlab", and a backslash "-q",
# where the line would be longer than 80 characters.
SETUP = """\
# In Colab this installs serlab; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q "serlab{extras} @ git+{url}@{ref}"
"""
OPENING = ("**What you will learn**", "**What you need**", "**How long it takes**")
CLOSING = ("## Take-away", "## Exercises", "## Quiz", "## Where next")
QUIZ = re.compile(r'(?:import serlab\n\n)?serlab\.quiz\("(\w+)"\)')

# A number in the prose, before a comment with its source: see sources.py.
NUMBER = r"[-+−]?\d[\d,]*(?:\.\d+)?"
UNIT = r"(?:\s?(?:%|points?))?"
MARKED = re.compile(
    rf"(?P<text>{NUMBER}{UNIT}(?:\s\[{NUMBER},\s{NUMBER}\])?(?:,\sp\s[=<]\s{NUMBER})?)(?P<bold>\**)"
    r"<!--\s+(?P<source>.+?)\s+-->",
    re.DOTALL,
)

PERCENT = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)?\s?(?:%|per ?cent\b)", re.IGNORECASE)
SCORE = re.compile(r"\b(?:UAR|UA|WA|accuracy|F1)\b[^.\n|]{0,40}?\b0\.\d{2,}", re.IGNORECASE)
INTERVAL = re.compile(
    r"95\s?%[ -](?:confidence |bootstrap )?(?:interval|CI\b)|95\s?% of (?:the )?(?:draws|time)"
)
SOURCED = re.compile(r"\]\(https?://|\{cite|<!-- fixed -->")
LOCAL_PATH = re.compile(r"(?<![\w:/.<\-])/(?:[\w.+-]+/){2,}[\w.+-]*|\b[A-Z]:\\+(?:[\w.+ -]+\\+)+")
BASE64 = re.compile(r"base64,[A-Za-z0-9+/=\s]+")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


def exact_numbers(markdown: str) -> list[str]:
    """Return the scores stated in prose that a rerun could contradict, and that say not where they are from.

    A score may stand before a comment with its source, which `sources.py` compares.
    A paragraph, list item or table row may state one if it cites where it is published (a link) or is marked
    ``<!-- fixed -->`` because no rerun can change it (12.5 % for one class of eight).
    """
    found = []
    for paragraph in re.split(
        r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.)\s?)", re.sub(r"```.*?```", "", markdown, flags=re.S)
    ):
        if not SOURCED.search(paragraph):
            plain = INTERVAL.sub("", MARKED.sub("", paragraph))
            found += PERCENT.findall(plain) + SCORE.findall(plain)
    return found


def _texts(output) -> list[tuple[str, str]]:
    """Return (kind, text) of everything a reader of this output would see as text."""
    if output.output_type == "stream":
        return [(output.name, output.text)]
    return [
        (kind, data if isinstance(data, str) else json.dumps(data))
        for kind, data in output.get("data", {}).items()
        if not kind.startswith("image/") or kind == "image/svg+xml"
    ]


def output_problems(cell) -> list[str]:
    """List what is wrong with a code cell's outputs."""
    problems = []
    for output in cell.outputs:
        if output.output_type == "error":
            problems.append(f"failed with {output.ename}: {output.evalue}")
            continue
        for kind, text in _texts(output):
            if "data:audio" in text or kind.startswith("audio/"):
                problems.append(
                    "has audio inside its output: use serlab.listen under SERLAB_PLAYERS=placeholder"
                )
            plain = BASE64.sub("", text)
            if kind == "stderr":
                problems.append(f"writes to stderr: {plain.strip().splitlines()[-1][:120]}")
            if found := LOCAL_PATH.search(plain):
                problems.append(f"shows a path of one machine: {found.group()}")
            if ADDRESS.search(plain):
                problems.append("shows a memory address: end the cell with plt.show() or a value")
        if any(kind.startswith("image/") for kind in output.get("data", {})):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            if len(alt) < 20:
                problems.append(
                    "shows a picture without alt text: set mystnb.image.alt in the cell's metadata"
                )
    return problems


def source_problems(cell) -> list[str]:
    """List what is wrong with a cell as its author wrote it."""
    problems = []
    if cell.cell_type == "code":
        if any(line.rstrip().endswith(";") for line in cell.source.splitlines()):
            problems.append("ends a line with ';', which hides no output: write `_ = …` or plt.show()")
    elif cell.cell_type == "markdown":
        if found := exact_numbers(cell.source):
            problems.append(
                f"states {', '.join(found)} in prose: name its source in a comment after it, as "
                "sources.py tells, or cite it in the same paragraph"
            )
        if re.search(r"!\[\s*\]\(", cell.source) or re.search(r"<img(?![^>]*\balt=\"[^\"]+\")", cell.source):
            problems.append("shows a picture without alt text")
    return problems


def tags_of(cell) -> set[str]:
    return set(cell.metadata.get("tags", []))


def names_made(source: str) -> set[str]:
    """Return the functions and variables that a cell makes at its top level."""
    made = set()
    for statement in ast.parse(source).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            made.add(statement.name)
        else:
            nodes = ast.walk(statement)
            made |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return made


def exercise_problems(notebook) -> list[str]:
    """List where starter, solution and check of an exercise do not fit together.

    An exercise may have a solution only; where it has a starter or a check, it has all three, in this order.
    Of an executed notebook the checks must have confirmed the solutions.
    """
    problems = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kinds = [next(iter(tags_of(cell) & {"exercise", "solution", "check"}), "") for cell in code]
    for number, cell in enumerate(code):
        title = f"has the exercise cell {cell.source.splitlines()[-1]!r}" if cell.source else ""
        if kinds[number] == "exercise" and kinds[number : number + 3] != ["exercise", "solution", "check"]:
            problems.append(f"{title}, which is not followed by its solution and its check")
        if kinds[number] != "check":
            continue
        if kinds[max(0, number - 2) : number] != ["exercise", "solution"]:
            problems.append(f"{title}, which does not follow a starter and a solution")
            continue
        called = re.fullmatch(r"check\.\w+\((\w+)(, \w+)*\)", cell.source)
        if not called:
            problems.append(
                f"{title}, which is not one line, `check.NAME(ANSWER)` or `check.NAME(ANSWER, corpus)`"
            )
            continue
        for name, one in zip(("starter", "solution"), code[number - 2 : number], strict=True):
            if called[1] not in names_made(one.source):
                problems.append(f"{title}, whose {name} does not make {called[1]}")
        if "nbval-check-output" not in tags_of(cell):
            problems.append(f"{title} without the tag nbval-check-output")
        told = "".join(output.get("text", "") for output in cell.get("outputs", []))
        if cell.execution_count and not told.startswith("Right. "):
            problems.append(f"{title}, which does not confirm the solution: {told.strip()}")
    return problems


def outline_problems(notebook) -> list[str]:
    """List the parts that every chapter has and this one has not."""
    problems = []
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    opening = markdown[0] if markdown else ""
    if not opening.startswith("# "):
        problems.append("does not begin with its title, `# …`")
    problems += [f"has no {part} in its first cell" for part in OPENING if part not in opening]
    lines = [line.strip() for source in markdown for line in source.splitlines()]
    places = [lines.index(part) if part in lines else None for part in CLOSING]
    problems += [
        f"has no section {part!r}" for part, place in zip(CLOSING, places, strict=True) if place is None
    ]
    if None not in places and places != sorted(places):
        problems.append(f"closes in another order than {', '.join(CLOSING)}")
    if quiz_page(notebook) is None:
        problems.append('has no cell `serlab.quiz("NN")` right after the text of its section Quiz')
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code or not is_setup(code[0].source) or "setup" not in code[0].metadata.get("tags", []):
        problems.append("does not begin its code with the setup cell, tagged `setup` (see CONTRIBUTING.md)")
    return problems


def quiz_page(notebook) -> str | None:
    """Return the number of the page whose quiz stands in the section Quiz."""
    for before, cell in pairwise(notebook.cells):
        if cell.cell_type == "code" and "## Quiz" in before.source.splitlines():
            return found[1] if (found := QUIZ.fullmatch(cell.source)) else None
    return None


def address() -> tuple[str, str]:
    """Return the repository's public address and the branch that readers get, from _config.yml."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return repository["url"], repository["branch"]


def is_setup(source: str) -> bool:
    url, ref = address()
    pattern = re.escape(SETUP.format(extras="EXTRAS", url=url, ref=ref).strip())
    pattern = pattern.replace("EXTRAS", r"(\[[\w,]+\])?").replace(r"-q\ ", r"-q (\\\n {8})?")
    return re.fullmatch(pattern, source.strip()) is not None

"""Imports go one way, as CONTRIBUTING lists the rooms, and private names stay in their module."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "serlab").rglob("*.py"))
}


def rooms() -> list[str]:
    """Return the rooms in the order of CONTRIBUTING: the first column of its plan."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    plan = re.search(r"## The rooms of serlab\n.*?```text\n(.*?)```", text, flags=re.DOTALL)[1]
    return [name for line in plan.splitlines() for name in re.split(r" {2,}", line)[0].split()]


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "serlab"


def named(node: ast.AST) -> list[str]:
    """Return the modules of serlab that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in PACKAGE]
    if isinstance(node, ast.ImportFrom) and node.module in PACKAGE:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in PACKAGE else node.module for name in names]
    return []


def imports(tree: ast.AST, lazy: bool = False) -> list[tuple[str, bool]]:
    """Return (module, whether only when a function runs); what type checkers alone see is no import."""
    found = [(name, lazy) for name in named(tree)]
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            found += imports(child, lazy or isinstance(tree, (ast.FunctionDef, ast.Lambda)))
    return found


TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in PACKAGE.items()}
GRAPH = {module: imports(tree) for module, tree in TREES.items()}


def test_the_plan_names_every_room_once():
    there = {room_of(module) for module in PACKAGE} - {"serlab"}
    assert sorted(rooms()) == sorted(there)


def test_imports_go_one_way_between_rooms():
    """Those inside functions, too: they save time at import, and are no way around the plan."""
    place = {room: number for number, room in enumerate(rooms())}
    wrong = [
        f"{module} imports {other}{' in a function' * lazy}"
        for module, others in GRAPH.items()
        for other, lazy in others
        if room_of(module) != room_of(other) and place[room_of(other)] > place[room_of(module)]
    ]
    assert wrong == []


def test_no_modules_import_each_other():
    """Within a room a function may ask at its own door, as `unify` does to load each of its corpora."""
    top = {module: {other for other, lazy in others if not lazy} for module, others in GRAPH.items()}
    try:
        TopologicalSorter(top).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    door = {f"serlab.{room}" for room in rooms()}
    every = {
        module: {
            other for other, lazy in others if not (lazy and other in door and module.startswith(f"{other}."))
        }
        for module, others in GRAPH.items()
    }
    try:
        TopologicalSorter(every).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_private_names_stay_in_their_module():
    wrong = []
    scripts = [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("book/tools/*.py"), *ROOT.glob("book/_ext/*.py")]
    for path in [*PACKAGE.values(), *scripts]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = str(path.relative_to(ROOT))
        modules = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "serlab":
                wrong += [f"{where}: {node.module}.{a.name}" for a in node.names if private(a.name)]
            if isinstance(node, (ast.Import, ast.ImportFrom)) and named(node):
                modules |= {alias.asname or alias.name for alias in node.names}
        wrong += [
            f"{where}: {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and private(node.attr) and ast.unparse(node.value) in modules
        ]
    assert wrong == []


def test_no_module_is_long():
    """What does not fit on twenty screens is two things."""
    lengths = {module: path.read_text(encoding="utf-8").count("\n") for module, path in PACKAGE.items()}
    assert {module: lines for module, lines in lengths.items() if lines > 420} == {}

"""Export the assignments to Otter-Grader and nbgrader, each in an environment of its own.

The environments are made from ``assignments/otter.txt`` and ``assignments/nbgrader.txt``, where each version
is given with its hash, and borrow numpy, serlab and so on from the project's: notebooks run in them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat

from assignments import FOLDER, OUTPUT, ROOT, STUB, TEXT_STUB, Assignment, nbgrader, otter

_COURSE = f"""\
c = get_config()
c.CourseDirectory.course_id = "serlab"
c.ClearSolutions.code_stub = {{"python": "{STUB}"}}
c.ClearSolutions.text_stub = "{TEXT_STUB}"
c.ExecutePreprocessor.timeout = 600
# nbgrader takes a warning or a progress bar for a failed test.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "^"  # all of it, a lone line break included
"""


def environment(tool: str) -> Path:
    """Return the environment of a tool, made if it is not there or its lock has changed."""
    lock = FOLDER / f"{tool}.txt"
    home = ROOT / "_build" / "tools" / tool
    made_from = home / lock.name
    if not made_from.exists() or made_from.read_bytes() != lock.read_bytes():
        print(f"Making an environment for {tool}; this takes a minute the first time.")
        venv.create(home, clear=True, with_pip=True)
        pip = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        locked = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", lock]
        if subprocess.run([*pip, *locked]).returncode:
            sys.exit(f"What {lock} names could not be installed; pip says above why. Try --plain meanwhile.")
        (packages,) = home.glob("lib/python*/site-packages")
        borrowed = f"{sysconfig.get_path('purelib')}\n{ROOT}\n"
        (packages / "project.pth").write_text(borrowed, encoding="utf-8")
        shutil.copy(lock, made_from)
    return home


def run(tool: str, *arguments: object, folder: Path) -> str:
    """Run a command of a tool in a folder and return what it says; stop with that if it fails."""
    home = environment(tool)
    variables = {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        [str(home / "bin" / tool), *map(str, arguments)],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ran.returncode:
        sys.exit(f"{tool} {arguments[0]} failed:\n{ran.stdout}")
    return ran.stdout


def export(assignments: list[Assignment], output: Path = OUTPUT) -> None:
    """Write both exports."""
    for assignment in assignments:
        export_otter(assignment, output / "otter")
    export_nbgrader(assignments, output / "nbgrader")
    print(f"The exports for Otter-Grader and nbgrader are in {output / 'otter'} and {output / 'nbgrader'}.")


def export_otter(assignment: Assignment, output: Path) -> Path:
    """Write ``student`` and ``autograder`` of one assignment, and return their folder."""
    folder = output / assignment.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    master = folder / f"{assignment.name}.ipynb"
    nbformat.write(otter(assignment), master)
    run("otter", "assign", master.name, ".", folder=folder)
    master.unlink()
    return folder


def export_nbgrader(assignments: list[Assignment], output: Path) -> Path:
    """Write a course with ``source`` and ``release`` of these assignments, and return its folder."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / "nbgrader_config.py").write_text(_COURSE, encoding="utf-8")
    for assignment in assignments:
        path = output / "source" / assignment.name / f"{assignment.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(nbgrader(assignment), path)
        run("nbgrader", "generate_assignment", assignment.name, "--force", folder=output)
    return output

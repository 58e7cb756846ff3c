"""Plant mistakes into a copy of the package, one at a time, and tell which of them no test notices.

Tests that pass say little: what counts is whether they fail where the code is wrong. ``mutations.toml`` lists
mistakes that somebody could make (a seed ignored, a fold that shares speakers, a constant that slipped), each
as a piece of a module and what stands there instead. A mistake is noticed if the tests of its module, which
pass without it, fail with it.

    python benchmarks/mutations.py [MODULE ...] [--leaks] [--kind TEXT] [--list]

In all of them 95 % are to be noticed, and every leak: a way for test data to reach training or choosing.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT, LIST = HERE.parent, HERE / "mutations.toml"
NOTICED_SHARE = 0.95
# A mistake may make code wait for ever.
MOST_SECONDS = 600
PASSED, FAILED, INTERRUPTED = 0, 1, 2


@dataclass(frozen=True)
class Mistake:
    """A piece of a module, what stands there instead, and the tests that should notice.

    `path` is the module's file, or the folder of a package, relative to the root of the checkout; `old` is
    there exactly once; `tests` are arguments of pytest; by a `leak` test data reaches training or choosing.
    """

    module: str
    kind: str
    path: str
    old: str
    new: str
    tests: str
    leak: bool = False

    def planted(self, root: Path) -> tuple[Path, str]:
        """Give the file that changes, and its changed text; ValueError if the list does not fit the code."""
        place = root / self.path
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        found = [file for file in files for _ in range(file.read_text(encoding="utf-8").count(self.old))]
        if len(found) != 1:
            raise ValueError(
                f"{self.module}, {self.kind}: {len(found)} times in {self.path}, not once: {self.old}"
            )
        changed = found[0].read_text(encoding="utf-8").replace(self.old, self.new)
        if found[0].suffix == ".py":
            compile(changed, found[0].name, "exec")
        return found[0], changed


def listed(file: Path = LIST) -> list[Mistake]:
    """Read the list: mistakes by module, with the module's path and tests where they name none."""
    parts = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        Mistake(module, **{"path": about["path"], "tests": about["tests"]} | one)
        for module, about in parts["modules"].items()
        for one in parts["mistakes"].get(module, [])
    ]


def copied(root: Path, target: Path) -> None:
    """Copy what git tracks or would track: the tests need all of it but the history."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


def tested(folder: Path, tests: str) -> int:
    """Run tests in a copy, until one fails; return the exit status of pytest."""
    # Without bytecode: a module that is changed twice within a second would be taken for the same.
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *shlex.split(tests), "-x", "-q", "-p", "no:cacheprovider"]
    try:
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return FAILED
    if ran.returncode not in (PASSED, FAILED, INTERRUPTED):
        raise ValueError(f"these tests cannot be run: {tests}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode


def noticed(mistake: Mistake, folder: Path) -> bool:
    """Plant one mistake into a copy, run its tests, and take it out again."""
    file, changed = mistake.planted(folder)
    before = file.read_text(encoding="utf-8")
    file.write_text(changed, encoding="utf-8")
    try:
        return tested(folder, mistake.tests) != PASSED
    finally:
        file.write_text(before, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Try the mistakes; return 1 if too few are noticed, or a leak is not, or a test fails without any."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("module", nargs="*", help="only mistakes in these modules, as they are listed")
    parser.add_argument("--kind", default="", help="only those whose description holds this text")
    parser.add_argument("--leaks", action="store_true", help="only leaks")
    parser.add_argument("--list", action="store_true", help="say what would be tried, and try nothing")
    given = parser.parse_args(arguments)
    mistakes = [
        one
        for one in listed()
        if (not given.module or one.module in given.module)
        and given.kind in one.kind
        and (one.leak or not given.leaks)
    ]
    if given.list or not mistakes:
        print(*(f"{one.module}: {one.kind}{' (leak)' * one.leak}" for one in mistakes), sep="\n")
        return int(not mistakes)
    tried, caught, missed = Counter(), Counter(), []
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        folder, sound = Path(name), {}
        copied(ROOT, folder)
        for one in mistakes:
            if one.tests not in sound:
                sound[one.tests] = tested(folder, one.tests) == PASSED
            if not sound[one.tests]:
                print(f"fails without any mistake: {one.tests}", flush=True)
                return 1
            started = time.monotonic()
            found = noticed(one, folder)
            tried[one.module] += 1
            caught[one.module] += found
            missed += [] if found else [one]
            word = "noticed    " if found else "NOT NOTICED"
            took = f"{time.monotonic() - started:3.0f} s"
            print(f"{word} {took}  {one.module}: {one.kind}{' (leak)' * one.leak}", flush=True)
    for module, count in tried.items():
        print(f"{module:16} {count:3} tried, {caught[module]:3} noticed")
    share = caught.total() / tried.total()
    print(f"{'all':16} {tried.total():3} tried, {caught.total():3} noticed ({100 * share:.0f} %)")
    return int(share < NOTICED_SHARE or any(one.leak for one in missed))


if __name__ == "__main__":
    sys.exit(main())

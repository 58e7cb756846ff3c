"""Run every chapter and assignment with an installed wheel, outside of the checkout, as Colab does.

python tests/wheel.py                 build a wheel, install it alone in a new environment, run the notebooks
python tests/wheel.py --wheel WHEEL   the same with a wheel that is there
python tests/wheel.py --here WHEEL    install it in this Python's environment, which must keep the versions of
                                      its other packages, and run the notebooks
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# What a running Colab kernel has loaded, or what is too large to be replaced there.
KEPT = ("numpy", "scipy", "pandas", "matplotlib", "scikit-learn", "tensorflow", "keras", "torch", "jax")

# Runs in the environment under test, which has serlab, nbclient and ipykernel, and no checkout.
RUNNER = """
import os, pathlib, sys, time
import nbformat, serlab
from nbclient import NotebookClient

assert pathlib.Path(serlab.__file__).is_relative_to(sys.prefix), serlab.__file__
for path in map(pathlib.Path, sys.argv[1:]):
    start = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    here = {"metadata": {"path": "."}}
    NotebookClient(notebook, timeout=3600, kernel_name="python3", resources=here).execute()
    print(f"{path.name}: {time.perf_counter() - start:.0f} s", flush=True)
"""


def call(*command: str | Path, **options) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def build(into: Path) -> Path:
    """Build the wheel of the checkout."""
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", into, ROOT)
    return next(into.glob("*.whl"))


def extras(*more: str) -> str:
    """Return the extras that setup cells of chapters ask for, and more, as pip writes them."""
    found = set(more)
    for text in ROOT.glob("chapters/*.md"):
        for match in re.findall(r'"serlab\[([\w,]+)\] @', text.read_text(encoding="utf-8")):
            found.update(match.split(","))
    return f"[{','.join(sorted(found))}]" if found else ""


def constraints(into: Path) -> Path:
    """Write the locked versions without hashes: with any, pip wants one for the new wheel, too."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    path = into / "constraints.txt"
    path.write_text(
        "".join(line.rstrip(" \\") + "\n" for line in lines if line[:1].strip()), encoding="utf-8"
    )
    return path


def versions(python: Path) -> dict[str, str]:
    """Return the versions of all packages in an environment."""
    listed = json.loads(call(python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
    return {package["name"].lower(): package["version"] for package in listed}


def solutions(into: Path) -> Path:
    """Write the solutions of all assignments and return their folder."""
    sys.path.insert(0, str(ROOT / "book" / "tools"))
    import assignments as tool

    for assignment in tool.read_all():
        tool.write(assignment, into)
    return into / "solution"


def run_notebooks(python: Path, notebooks: Path, folder: Path) -> None:
    """Run copies of a folder's notebooks on the synthetic corpus, where nothing is known of the checkout."""
    folder.mkdir()
    copies = [shutil.copy(path, folder) for path in sorted(notebooks.glob("*.ipynb"))]
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SERLAB_DATA")
    }
    environment |= {
        "SERLAB_CORPUS": "demo",
        "SERLAB_CACHE": str(folder.parent / "cache"),
        "TQDM_DISABLE": "1",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run([python, "-c", RUNNER, *copies], check=True, cwd=folder, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run every chapter and assignment with an installed wheel.")
    parser.add_argument(
        "--here", type=Path, metavar="WHEEL", help="install this wheel in the present environment"
    )
    parser.add_argument("--wheel", type=Path, help="take this wheel instead of building one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="serlab-wheel-") as name:
        folder = Path(name)
        if options.here:
            python = Path(sys.executable)
            before = versions(python)
            call(python, "-m", "pip", "install", "--quiet", f"{options.here.resolve()}{extras()}", "nbclient")
            after = versions(python)
            changed = {package: (before[package], after[package]) for package in KEPT if package in before}
            changed = {package: pair for package, pair in changed.items() if pair[0] != pair[1]}
            if changed:
                sys.exit(f"installing serlab replaced {changed}")
        else:
            wheel = options.wheel.resolve() if options.wheel else build(folder / "dist")
            venv.create(folder / "env", with_pip=True)
            python = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
            pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            limits = ("--constraint", constraints(folder))
            # Keras with a backend is there in Colab, and has to be asked for elsewhere.
            call(*pip, *limits, f"{wheel}{extras('cpu')}", "nbclient", "ipykernel")
        for notebooks in (ROOT / "chapters", ROOT / "student", solutions(folder / "assignments")):
            run_notebooks(python, notebooks, folder / notebooks.name)


if __name__ == "__main__":
    main()

"""How a recorded result came about: processor, threads, versions, and code that a commit holds."""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from serlab.errors import RunError

PACKAGE = Path(__file__).parent
NOT_RECORDED = "not recorded"


def circumstances(*libraries: str, allow_changed_code: bool = False) -> dict[str, Any]:
    """Note what a result will depend on besides its model and data; to be called before it is computed.

    Gives ``machine``, ``threads``, ``versions`` (of `libraries`, too) and ``code``. Raises `RunError` if the
    package is in a git checkout and files of it are changed, unless that is allowed.
    """
    code = code_version()
    if not allow_changed_code and (changed := changed_files()):
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise RunError(
            f"{changed[0]}{more} of serlab differ from the last commit, so that nobody could tell later what "
            "code a result is from. Commit first, or give --allow-changed-code for a trial"
        )
    return {"machine": machine(), "threads": threads(), "versions": versions(*libraries), "code": code}


def machine() -> str:
    """Describe the processor in a few words: its model and number of cores, nothing personal.

    Where virtual machines hide the name of the model, family, model and stepping numbers still tell one from
    the other.

    Examples
    --------
    >>> "cores" in machine()
    True
    """
    # Windows gives family, model and stepping here; Linux nothing that helps.
    name, details = platform.processor() or platform.machine(), []
    with contextlib.suppress(OSError):
        first, _, _ = Path("/proc/cpuinfo").read_text().partition("\n\n")
        lines = [line.partition(":") for line in first.splitlines() if ":" in line]
        facts = {key.strip(): value.strip() for key, _, value in lines}
        name = facts.get("model name", name)
        known = {"family": "cpu family", "model": "model", "stepping": "stepping"}
        details = [f"{short} {facts[key]}" for short, key in known.items() if key in facts]
        # The widest vectors that a processor has decide the order in which numbers are added.
        flags = facts.get("flags", facts.get("Features", "")).split()
        details += [flag for flag in ("avx512f", "avx2", "sve", "asimd") if flag in flags][:1]
    more = f" ({', '.join(details)})" if details else ""
    return f"{name}{more}, {os.cpu_count()} cores, {platform.system()}"


def one_thread() -> None:
    """Let TensorFlow compute in one thread, unless the environment says otherwise; to be called before Keras.

    With several threads the order in which numbers are added depends on how many there are, and after
    thousands of training steps the last digits have become other predictions. Recorded runs come out alike on
    other machines only if they are made like this.
    """
    for kind in ("INTRAOP", "INTEROP"):
        os.environ.setdefault(f"TF_NUM_{kind}_THREADS", "1")


def threads() -> dict[str, int]:
    """Tell to how many threads computing is limited; if by nothing, as many as the process may use.

    ``blas``: NumPy and SciPy, while `serlab.training.cross_validate` runs. ``openmp``: scikit-learn.
    ``tensorflow_intra`` and ``tensorflow_inter``: within an operation, and operations at a time.

    Examples
    --------
    >>> one_thread()
    >>> threads()["tensorflow_intra"]
    1
    """
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def limit(name: str) -> int:
        given = os.environ.get(name, "").partition(",")[0].strip()
        return int(given) if given.isdecimal() and int(given) else free

    return {
        "blas": 1,
        "openmp": limit("OMP_NUM_THREADS"),
        "tensorflow_intra": limit("TF_NUM_INTRAOP_THREADS"),
        "tensorflow_inter": limit("TF_NUM_INTEROP_THREADS"),
    }


def versions(*extra: str) -> dict[str, str]:
    """Give the versions of Python, serlab and the libraries that results depend on, by name.

    Examples
    --------
    >>> sorted(versions())[:3]
    ['librosa', 'numpy', 'python']
    """
    names = ("serlab", "numpy", "scipy", "scikit-learn", "librosa", "soxr", *extra)
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


@functools.cache
def code_version() -> str:
    """Identify the code of this package, as it is when this is first asked for.

    ``git-tree:`` and the hash of the committed folder where the package lies in an unchanged git checkout,
    else ``sha256:`` and a hash of its source files.
    """
    if (tree := _git("rev-parse", "HEAD:./")) and not changed_files():
        return f"git-tree:{tree}"
    return f"sha256:{_source_digest()}"


def _source_digest() -> str:
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def installation(*libraries: str) -> dict[str, str]:
    """Tell versions and code by which two computers know whether they compute the same.

    That is as of `versions`, with the packages named besides the usual ones, "missing" for what is not
    installed; and ``code``, a digest of serlab's source.

    Examples
    --------
    >>> installation("no-such-package")["no-such-package"]
    'missing'
    """
    found = {"code": _source_digest()} | versions()
    for name in libraries:
        if name not in found:
            try:
                found[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                found[name] = "missing"
    return found


@functools.cache
def changed_files() -> tuple[str, ...]:
    """List files of this package that differ from the last commit when this is first asked for.

    None where the package is in no git checkout.
    """
    inside = _git("rev-parse", "HEAD:./")
    return tuple(line[3:] for line in _git("status", "--porcelain", ".").splitlines()) if inside else ()


def is_committed(code: str) -> bool | None:
    """Tell whether a commit of this checkout holds the code of a result, from `code_version`.

    None where it cannot be told: outside a checkout that holds all commits.

    Examples
    --------
    >>> is_committed("sha256:0") in (False, None)
    True
    """
    if _git("rev-parse", "--is-shallow-repository") != "false" or not _git("rev-parse", "HEAD:./"):
        return None
    kind, _, name = code.partition(":")
    return kind == "git-tree" and _git("cat-file", "-t", name) == "tree"


def _git(*arguments: str) -> str:
    """Return what git says of this package, or nothing where git or the checkout is missing."""
    ask = ["git", "-C", str(PACKAGE), *arguments]
    try:
        return subprocess.run(ask, check=True, capture_output=True, text=True).stdout.rstrip()
    except (OSError, subprocess.CalledProcessError):
        return ""

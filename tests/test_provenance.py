"""How results came about: processor, threads, and code that a commit holds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from serlab import provenance
from serlab.errors import RunError

REAL = {name: getattr(provenance, name).__wrapped__ for name in ("changed_files", "code_version")}
REAL["is_committed"] = provenance.is_committed


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Put the package into a repository of its own, with one commit."""
    package = tmp_path / "serlab"
    package.mkdir()
    (package / "a.py").write_text("x = 1\n")
    env = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(provenance, "PACKAGE", package)
    for name, function in REAL.items():
        monkeypatch.setattr(provenance, name, function)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return package


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")


def test_code_of_a_clean_checkout_is_a_tree_that_a_commit_holds(checkout):
    code = provenance.code_version()
    assert code == f"git-tree:{git(checkout, 'rev-parse', 'HEAD:./').strip()}"
    assert provenance.is_committed(code)
    (checkout / "a.py").write_text("x = 2\n")
    commit(checkout)
    assert provenance.is_committed(code), "an earlier commit holds it"
    assert provenance.is_committed("git-tree:" + "0" * 40) is False
    assert provenance.is_committed("sha256:0") is False


@pytest.mark.parametrize("name", ["a.py", "new.py", "inner/data.txt"])
def test_changed_code_is_refused_before_anything_is_computed(checkout, name):
    assert provenance.changed_files() == ()
    assert provenance.circumstances()["code"].startswith("git-tree:")
    file = checkout / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("x = 3\n")
    with pytest.raises(RunError, match=r"serlab/.* differ from the last commit.*--allow-changed-code"):
        provenance.circumstances()
    code = provenance.circumstances(allow_changed_code=True)["code"]
    assert code.startswith("sha256:")
    assert provenance.is_committed(code) is False


def test_changes_outside_the_package_do_not_count(checkout):
    (checkout.parent / "README.md").write_text("new")
    assert provenance.circumstances()["code"].startswith("git-tree:")


def test_a_deleted_file_is_a_change(checkout):
    (checkout / "a.py").unlink()
    with pytest.raises(RunError, match=r"serlab/a\.py"):
        provenance.circumstances()


@pytest.mark.parametrize("ignored", [False, True])
def test_an_installed_package_is_known_by_its_files(checkout, tmp_path, monkeypatch, ignored):
    # A virtual environment often lies, ignored, in some checkout.
    package = (tmp_path if ignored else tmp_path.parent / f"{tmp_path.name}-venv") / "venv" / "serlab"
    package.mkdir(parents=True)
    (package / "a.py").write_text("x = 1\n")
    (tmp_path / ".gitignore").write_text("venv/\n")
    monkeypatch.setattr(provenance, "PACKAGE", package)
    assert provenance.changed_files() == ()
    code = provenance.circumstances()["code"]
    assert code.startswith("sha256:")
    assert len(code) == 7 + 64
    assert provenance.is_committed(code) is None
    (package / "a.py").write_text("x = 2\n")
    assert provenance.code_version() != code


def test_without_git_nothing_can_be_told(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.changed_files() == ()
    assert provenance.code_version().startswith("sha256:")
    assert provenance.is_committed("sha256:0") is None


def test_code_is_that_of_the_beginning(monkeypatch):
    monkeypatch.setattr(provenance, "code_version", code := provenance.code_version)
    first = code()
    monkeypatch.setattr(provenance, "PACKAGE", Path("/nowhere"))
    assert code() == first


CPU = """processor	: 0
vendor_id	: AuthenticAMD
cpu family	: {family}
model		: 17
model name	: AMD EPYC
stepping	: 1
flags		: fpu {flags}

processor	: 1
model name	: another
"""


def test_processors_that_share_a_name_are_told_apart(monkeypatch):
    said = []
    for family, flags in ((25, "avx2 avx512f"), (25, "avx avx2"), (23, "avx avx2")):
        monkeypatch.setattr(Path, "read_text", lambda self, f=family, w=flags: CPU.format(family=f, flags=w))
        said.append(provenance.machine())
    assert said[0].startswith("AMD EPYC (family 25, model 17, stepping 1, avx512f), ")
    assert len(set(said)) == 3

    def missing(self):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert provenance.machine().endswith(f"{os.cpu_count()} cores, {provenance.platform.system()}")


def test_facts_name_no_person_and_no_path():
    how = provenance.circumstances("pandas")
    facts = [how["machine"], how["code"], *how["versions"].values()]
    assert not any("/" in fact or "\\" in fact for fact in facts)
    assert "pandas" in how["versions"]


def test_one_thread_leaves_what_the_environment_says(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "4")
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS", raising=False)
    provenance.one_thread()
    assert [os.environ[f"TF_NUM_{kind}_THREADS"] for kind in ("INTRAOP", "INTEROP")] == ["4", "1"]


@pytest.mark.parametrize(
    ("said", "counted"), [("3", 3), ("2,4", 2), (None, "all"), ("0", "all"), ("x", "all")]
)
def test_threads_are_those_that_computing_is_limited_to(monkeypatch, said, counted):
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        if said is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, said)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3, 4}, raising=False)
    found = provenance.threads()
    assert found.pop("blas") == 1
    assert set(found.values()) == {5 if counted == "all" else counted}

"""The repository itself: one address, one lock, sound workflows, nothing in it that does not belong there."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]


def tracked() -> list[Path]:
    """Return the files under version control that are still there, or skip outside of a checkout."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str | None:
    """Return the text of a file, or None for pictures and other binary files."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


# ---- what is in it ----


def test_no_audio_weights_or_large_files_are_tracked():
    audio = {".wav", ".flac", ".mp3", ".ogg", ".m4a", ".aiff"}
    weights = {".pth", ".pt", ".h5", ".keras", ".onnx", ".npy", ".npz", ".pkl", ".joblib"}
    wrong = [path.name for path in tracked() if path.suffix.lower() in audio | weights]
    assert wrong == []
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}
    assert {name: size for name, size in large.items() if size > 4_000_000} == {}


def test_no_audio_is_hidden_in_text():
    hidden = re.compile(r"data:audio/|;base64,UklGR|;base64,ZkxhQ")
    skipped = {"test_repository.py"}
    found = [
        path.name
        for path in tracked()
        if path.suffix in {".ipynb", ".md", ".html", ".svg", ".json"}
        and path.name not in skipped
        and hidden.search(text_of(path) or "")
    ]
    assert found == []


def test_no_paths_of_one_machine():
    """Home folders and shared trees of whoever wrote a file mean nothing to its reader."""
    machine = re.compile(r"(?<![\w.])/(?:home|Users|root|work|mnt|media)/[\w.-]+/")
    # A workflow's runner and a test's own counter-examples are no such paths.
    allowed = {"test_repository.py", "weekly.yml", "test_chapters.py", "test_book.py"}
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in tracked()
        if path.name not in allowed and (match := machine.search(text_of(path) or ""))
    }
    assert found == {}


def test_text_files_are_utf8_with_unix_lines():
    kinds = {".py", ".md", ".toml", ".yml", ".cfg", ".cff", ".bib", ".css", ".ipynb", ".lock"}
    for path in tracked():
        if path.suffix in kinds:
            data = path.read_bytes()
            data.decode("utf-8")
            assert b"\r\n" not in data, path
            assert not data or data.endswith(b"\n"), f"{path} does not end with a line"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such bits")
def test_the_ci_script_can_be_run():
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(path)], check=True)


# ---- licences and citation ----


def test_licences():
    code = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert code.startswith("BSD 3-Clause License")
    assert "The serlab authors" in code
    assert PROJECT["project"]["license"] == "BSD-3-Clause"
    text = (ROOT / "LICENSE-text.md").read_text(encoding="utf-8")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in text


def test_citation_agrees_with_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in PROJECT["project"]["authors"]
    ]


# ---- the address ----


def book_config() -> dict:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def test_the_address_agrees_everywhere():
    url, branch = book_config()["repository"]["url"], book_config()["repository"]["branch"]
    pages = book_config()["html"]["baseurl"]
    assert PROJECT["project"]["urls"]["Repository"] == url
    assert PROJECT["project"]["urls"]["Documentation"] == pages
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["repository-code"], citation["url"]) == (url, pages)
    slug = url.removeprefix("https://github.com/")
    assert f"colab.research.google.com/github/{slug}/blob/{branch}/chapters/" in (
        ROOT / "README.md"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem)
def test_chapters_install_serlab_from_the_address(path):
    config = book_config()["repository"]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))
    assert re.search(rf'"serlab(\[[\w,]+\])? @ git\+{re.escape(config["url"])}@{config["branch"]}"', first)


def test_rewriting_the_address_reaches_every_copy(tmp_path):
    """Rewrite a copy of the repository and look for the old address in all of it."""
    for path in tracked():
        if path.suffix not in {".csv", ".tsv", ".png"}:
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    old_url, old_pages = book_config()["repository"]["url"], book_config()["html"]["baseurl"]
    new = "https://github.com/someone-else/another-name"
    subprocess.run(
        [sys.executable, "book/tools/address.py", new], cwd=tmp_path, check=True, stdout=subprocess.PIPE
    )
    left = [
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if path.is_file() and any(old in (text_of(path) or "") for old in (old_url, old_pages))
    ]
    assert left == []
    assert new in (tmp_path / "pyproject.toml").read_text(encoding="utf-8")


# ---- the lock ----


def locked() -> list[tuple[Requirement, str]]:
    """Return every requirement of the lock with the text of its entry."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    return [(Requirement(entry.split("\n")[0].rstrip(" \\")), entry) for entry in entries]


def test_every_entry_of_the_lock_is_exact_and_hashed():
    for requirement, entry in locked():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), requirement
        assert requirement.url is None, requirement


def test_the_lock_names_no_host():
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--index-url" not in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize(("platform", "machine"), SYSTEMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_satisfies_the_project(python, platform, machine):
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": platform,
        "platform_machine": machine,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform],
        "os_name": "nt" if platform == "win32" else "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    normal = {}
    for requirement, _ in locked():
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            assert name not in normal, f"two versions of {name} for one system"
            normal[name] = Version(next(iter(requirement.specifier)).version)
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    for line in wanted:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert normal.get(requirement.name.lower()) in requirement.specifier, line


def test_dependencies_are_floors():
    """An upper bound or a pin in the package would make Colab replace what its kernel has loaded."""
    for line in PROJECT["project"]["dependencies"]:
        operators = [specifier.operator for specifier in Requirement(line).specifier]
        assert operators == [">="], line


# ---- workflows ----


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_sound(path):
    # YAML 1.1 reads the key `on` as true.
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert True in workflow
    assert workflow["permissions"] == {"contents": "read"}
    shell = workflow["defaults"]["run"]["shell"]
    assert shell == "bash -eo pipefail {0}"
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]), step
            for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", "")):
                assert target in make_targets()


def test_there_are_workflows():
    assert {path.stem for path in WORKFLOWS} == {"test", "book", "weekly"}


def test_hooks_only_check():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (local,) = hooks["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        assert "--fix" not in hook["entry"]
        assert "--write-changes" not in hook["entry"]
        if hook["entry"].startswith("ruff format"):
            assert "--check" in hook["entry"]


# ---- make ----


def make_targets() -> dict[str, str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):.*?## (.+)$", text, flags=re.MULTILINE))


def test_make_explains_every_target():
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    phony = set(re.search(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)[1].split())
    assert phony == set(make_targets())
    assert {"book", "test", "chapters", "results", "bench", "serve-book", "clean"} <= phony


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this system")
def test_make_alone_lists_the_targets():
    # A make that runs these tests hands its own options down, and would be told who enters which folder.
    own = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    said = subprocess.run(["make"], cwd=ROOT, env=own, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert [line.split()[1] for line in said.splitlines()] == list(make_targets())


def test_files_that_make_names_exist():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in re.findall(r"\b(?:book|tests|benchmarks|chapters)/[\w/.]+\.\w+", text):
        assert (ROOT / name).exists(), name


# ---- the package ----


def test_importing_serlab_imports_nothing_heavy():
    heavy = {
        "pandas",
        "librosa",
        "sklearn",
        "matplotlib",
        "keras",
        "tensorflow",
        "scipy",
        "numpy",
        "requests",
    }
    code = f"import sys, serlab; print(sorted({heavy!r} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert said.strip() == "[]"


def test_every_public_name_of_serlab_exists():
    import serlab

    missing = [name for name in serlab.__all__ if getattr(serlab, name, None) is None]
    assert missing == []


# ---- how chapters are compared ----


@pytest.fixture
def chapters_conftest(monkeypatch):
    spec = importlib.util.spec_from_file_location("chapters_conftest", ROOT / "chapters" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sanitiser_is_read_completely():
    """nbval ignores a pair that it cannot parse without a word."""
    from nbval.plugin import get_sanitize_patterns

    text = (ROOT / "chapters" / "nbval.sanitize.cfg").read_text(encoding="utf-8")
    patterns = dict(get_sanitize_patterns(text))
    assert len(patterns) == text.count("\nregex: ") == text.count("\nreplace: ")
    sample = "took 12.3 s; 45%|####  | 3/9; <object at 0x7f3a2b1c4d5e>; 120 clips/s"
    for pattern, replacement in patterns.items():
        sample = re.sub(pattern, replacement, sample)
    assert not re.search(r"12\.3|0x7f|120|45%", sample)
    unchanged = "UAR 0.512 on 1440 clips of 24 speakers"
    for pattern, replacement in patterns.items():
        assert re.sub(pattern, replacement, unchanged) == unchanged


def notebook(folder: Path, source: str, output: str, *, tags=(), record=None) -> Path:
    import nbformat.v4 as nb

    cell = nb.new_code_cell(source, execution_count=1, metadata={"tags": list(tags)})
    cell.outputs = [nb.new_output("stream", name="stdout", text=output)]
    made = nb.new_notebook(cells=[cell], metadata={"serlab": record or {}})
    path = folder / "01_toy.ipynb"
    path.write_text(nb.writes(made), encoding="utf-8")
    return path


def run_nbval(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess:
    """Run nbval on a folder with the real configuration of chapters beside copies of what it needs."""
    (folder.parent / "book" / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "book/tools/chapters.py", folder.parent / "book/tools")
    for name in ("conftest.py", "nbval.sanitize.cfg"):
        shutil.copy(ROOT / "chapters" / name, folder)
    environment = {
        k: v for k, v in os.environ.items() if k not in ("SERLAB_CORPUS", "SERLAB_DATA")
    } | variables
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider"]
    command += ["--nbval-sanitize-with", str(folder / "nbval.sanitize.cfg"), *options, str(folder)]
    return subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "chapters"
    made.mkdir()
    return made


def test_without_corpora_only_tagged_cells_are_compared(folder):
    source = "import os\nprint(os.environ['SERLAB_CORPUS'], os.environ['TQDM_DISABLE'])"
    notebook(folder, source, "other\n", record={"corpora": {"ravdess": "0" * 64}})
    ran = run_nbval(folder)
    assert ran.returncode == 0, ran.stdout
    assert "chapters: on the corpus demo because ravdess is not here" in ran.stdout
    assert "only cells tagged nbval-check-output are compared" in " ".join(ran.stdout.split())


def test_a_tagged_cell_is_compared_on_demo_too(folder):
    notebook(folder, "print(1)", "2\n", tags=["nbval-check-output"])
    ran = run_nbval(folder, SERLAB_CORPUS="demo")
    assert ran.returncode == 1
    assert "chapters: on the corpus demo;" in ran.stdout


def test_where_the_recorded_corpus_is_here_every_output_is_compared(folder, demo):
    import serlab

    record = {"corpora": {"demo": serlab.corpora.content_hash(demo)}}
    notebook(folder, "import sys\nprint(1)\nprint('warning', file=sys.stderr)", "2\n", record=record)
    ran = run_nbval(folder)
    assert "chapters: on the real corpora; all stored outputs are compared" in ran.stdout
    assert ran.returncode == 1


def test_stderr_is_not_compared(folder, demo):
    import serlab

    record = {"corpora": {"demo": serlab.corpora.content_hash(demo)}, "quick": True}
    notebook(folder, "import sys\nprint(1)\nprint('warning', file=sys.stderr)", "1\n", record=record)
    ran = run_nbval(folder, "--chapters", "real", "--quick")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_other_files_of_the_same_corpus_are_noticed(folder, demo):
    notebook(folder, "print(1)", "2\n", record={"corpora": {"demo": "0" * 64}})
    ran = run_nbval(folder, "--chapters", "real")
    assert ran.returncode == 4
    assert "the files of demo are not those of the stored outputs" in ran.stdout + ran.stderr


def test_slow_chapters_are_left_out_of_the_quick_ones(folder):
    notebook(folder, "print(1)", "1\n", record={"quick": False})
    assert "collected 0 items" in run_nbval(folder, "--quick", SERLAB_CORPUS="demo").stdout

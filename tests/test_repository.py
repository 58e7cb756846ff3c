"""The repository itself: one address, sound workflows, nothing in it that does not belong there."""

from __future__ import annotations

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
from test_chapters import load_tool

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


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
    # Eight clips of EmoDB, which is under CC0: the only recorded voices here.
    allowed = [ROOT / "book/_static/audio" / f"voice_{number}.flac" for number in range(1, 9)]
    wrong = {path for path in tracked() if path.suffix.lower() in audio | weights}
    assert wrong - set(allowed) == set()
    assert all(path.stat().st_size < 60_000 for path in allowed)
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}
    # Three blocks of Whisper's encoder, so that a first recording needs no download.
    assert large.pop("serlab/embeddings/whisper_tiny_en_3_blocks.safetensors") < 16_000_000
    assert {name: size for name, size in large.items() if size > 4_000_000} == {}


def test_the_voices_in_the_book_say_whose_they_are():
    folder = ROOT / "book/_static/audio"
    licence = (folder / "LICENCE.txt").read_text(encoding="utf-8")
    assert "CC0 1.0" in licence
    assert "https://doi.org/10.21437/Interspeech.2005-446" in licence
    played = re.findall(
        r'src="\.\./book/_static/audio/([^"]+)"', (ROOT / "chapters/01_listening.md").read_text("utf-8")
    )
    assert sorted(played) == sorted(path.name for path in folder.glob("*.flac"))


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


@pytest.mark.skipif(os.name == "nt" or not (shutil.which("git") and shutil.which("make")), reason="no tools")
@pytest.mark.parametrize("fails", ["nothing", "book", "test-quick"])
def test_the_ci_script_works_in_a_fresh_clone_with_an_empty_home(tmp_path, fails):
    """Tried on a checkout whose targets only say where they are; one of them may fail."""
    checkout, corpora = tmp_path / "checkout", tmp_path / "shared" / "corpora"
    for folder in (checkout / ".ci", checkout / ".venv", corpora, tmp_path / "temporary"):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci")
    says = 'echo "$@ of $$(ls -A), home $$(ls -A $$HOME), cache $$XDG_CACHE_HOME, data $$SERLAB_DATA"'
    stub = f"mkdir -p .venv/bin; ln -sf {shutil.which('echo')} .venv/bin/pytest; test $@ != {fails}"
    (checkout / "Makefile").write_text(f"test book test-quick:\n\t@{says}\n\t@{stub}\n", encoding="utf-8")
    git = ["git", "-C", str(checkout), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", ".ci", "Makefile"], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *command], check=True)
    (checkout / "left_over").touch()
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("SERLAB_", "MAKE", "MFLAGS"))}
    variables |= {"XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path / "temporary")}
    ran = subprocess.run([checkout / ".ci" / "run"], env=variables, capture_output=True, text=True)
    said = re.sub(r"\s+", " ", ran.stdout)
    assert "test of .ci .git Makefile, home , cache , data --nbval" in said, ran.stderr
    assert (f"test-quick of .ci .git .venv Makefile, home , cache , data {corpora}" in said) == (
        fails != "book"
    )
    assert (ran.returncode == 0) == (fails == "nothing")
    assert list((tmp_path / "temporary").iterdir()) == []


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


def test_the_address_stands_nowhere_but_where_it_is_rewritten():
    """What `book/tools/address.py` does there, tests/test_readme.py looks at."""
    address = load_tool("address")
    url, _, pages = address.current()
    known = {*address.files(), *ROOT.glob("chapters/*.ipynb"), *ROOT.glob("student/*.ipynb")}
    for path in tracked():
        if path not in known and ROOT / "book" / "results" not in path.parents:
            text = text_of(path) or ""
            assert url not in text, path
            assert pages not in text, path


# ---- dependencies ----


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
    assert {path.stem for path in WORKFLOWS} == {"test", "book", "weekly", "release"}


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("CHANGELOG.md", "## 1.2.3", "## 1.2.3", ""),
        ("CHANGELOG.md", "(2026-01-31)", "(unreleased)", "CHANGELOG.md begins with '1.2.3 (unreleased)'"),
        ("CHANGELOG.md", "## 1.2.3 (2026-01-31)", "## 1.2.4 (2026-01-31)", "CHANGELOG.md begins with '1.2.4"),
        ("CHANGELOG.md", "\n## ", "\n### ", "CHANGELOG.md begins with ''"),
        ("CITATION.cff", "1.2.3", "1.2.30", "CITATION.cff states another version than the tag v1.2.3"),
        ("pyproject.toml", "1.2.3", "1.2.2", "pyproject.toml states another version than the tag v1.2.3"),
    ],
)
def test_a_release_needs_one_version_everywhere(tmp_path, file, old, new, says):
    version = PROJECT["project"]["version"]
    for name in ("pyproject.toml", "CITATION.cff"):
        text = (ROOT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(version, "1.2.3", 1), encoding="utf-8")
    changes = "# Changes\n\n## 1.2.3 (2026-01-31)\n\nNew.\n\n## 1.2.2 (2026-01-01)\n\nOld.\n"
    (tmp_path / "CHANGELOG.md").write_text(changes, encoding="utf-8")
    changed = tmp_path / file
    changed.write_text(changed.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    (tmp_path / "book" / "tools").mkdir(parents=True)
    script = shutil.copy(ROOT / "book" / "tools" / "release.py", tmp_path / "book" / "tools")
    ran = subprocess.run([sys.executable, script, "v1.2.3"], capture_output=True, text=True)
    assert (ran.returncode == 0) == (says == "")
    assert says in ran.stderr
    assert ran.stdout == ("" if says else "New.\n")


def test_a_tag_that_is_no_version_is_refused():
    ran = subprocess.run(
        [sys.executable, "book/tools/release.py", "version-one"], cwd=ROOT, capture_output=True, text=True
    )
    assert "should be like v1.2.3" in ran.stderr
    assert ran.returncode == 1


def test_issue_forms_and_dependabot_are_what_github_reads():
    folder = ROOT / ".github"
    forms = {
        path.stem: yaml.safe_load(path.read_text("utf-8")) for path in folder.glob("ISSUE_TEMPLATE/*.yml")
    }
    assert forms.pop("config") == {"blank_issues_enabled": True}
    assert forms.keys() == {"bug", "question", "typo"}
    for form in forms.values():
        assert {"name", "description", "body"} <= form.keys()
        assert len({field["id"] for field in form["body"]}) == len(form["body"])
        assert any(field.get("validations", {}).get("required") for field in form["body"])
        for field in form["body"]:
            assert field["type"] in {"input", "textarea", "dropdown"}
            assert field["attributes"]["label"]
            assert (field["type"] == "dropdown") == bool(field["attributes"].get("options"))
    updates = yaml.safe_load((folder / "dependabot.yml").read_text("utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "github-actions"}
    for update in updates:
        assert update["schedule"] == {"interval": "monthly"}
        assert [group["patterns"] for group in update["groups"].values()] == [["*"]]
    assert (folder / "pull_request_template.md").is_file()


def hooks() -> dict[str, dict]:
    """Return each hook by its name, with the repository it is from."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: {**hook, "from": repo} for repo in config["repos"] for hook in repo["hooks"]}


def test_hooks_only_check():
    assert hooks().keys() == {"ruff-check", "ruff-format", "codespell", "mypy", "chapters"}
    for name, hook in hooks().items():
        words = [*hook.get("args", []), *hook.get("entry", "").split()]
        assert not {"--fix", "--write-changes", "-w", "run", "sync"} & set(words), name
    assert hooks()["ruff-format"]["args"] == ["--check"]


def test_hooks_work_anywhere_and_agree_with_the_lock():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w-]+)==(\S+)", lock, flags=re.MULTILINE))
    for name, hook in hooks().items():
        if hook["from"]["repo"] == "local":
            assert hook["language"] == "python", "an environment of its own, not whatever is active"
            assert not re.search(r"(^|\s)[~/]", hook["entry"])
            assert all(locked[of] == version for of, version in map(pinned, hook["additional_dependencies"]))
        else:
            assert re.fullmatch(r"https://github\.com/[\w-]+/[\w-]+", hook["from"]["repo"])
            assert re.fullmatch(r"v\d+\.\d+\.\d+", hook["from"]["rev"]), "a version, not a branch"
            tool = name.partition("-")[0]
            assert hook["from"]["rev"] == f"v{locked.get(tool, hook['from']['rev'][1:])}"


def pinned(requirement: str) -> tuple[str, str]:
    name, _, version = requirement.partition("==")
    return name, version


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

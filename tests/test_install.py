"""The lock is complete, `make env` installs it with any pip, and `make lab` starts Jupyter there."""

from __future__ import annotations

import ast
import ensurepip
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import uuid
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SYSTEMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
needs_make = pytest.mark.skipif(
    os.name == "nt" or shutil.which("make") is None, reason="no make on this system"
)


def call_make(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.Popen:
    """Start make with none of the settings that a make around these tests, or pip's user, has made."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PIP_"))}
    return subprocess.Popen(
        ["make", *arguments],
        cwd=cwd,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


# ---- the lock ----


def locked() -> list[tuple[Requirement, str]]:
    """Return every requirement of the lock with the text of its entry."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    return [(Requirement(entry.split("\n")[0].rstrip(" \\")), entry) for entry in entries]


@cache
def dependencies(name: str, version: str) -> list[Requirement]:
    """Return what a package requires, as far as this very version is installed here to be asked."""
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Requirement(line) for line in found.requires or [] if found.version == version]


def test_every_entry_of_the_lock_is_exact_and_hashed():
    for requirement, entry in locked():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), requirement
        assert requirement.url is None, requirement


def test_the_lock_names_no_host():
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for name in ("Makefile", "book/tools/environment.py"):
        assert "--index-url" not in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("platform", "machine"), SYSTEMS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_is_all_that_the_project_needs(python, platform, machine):
    """It has all dependencies of all extras, and of these in turn, since nothing else is ever installed."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": platform,
        "platform_machine": machine,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform],
        "os_name": "nt" if platform == "win32" else "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }

    def holds(requirement: Requirement, extra: str = "") -> bool:
        return requirement.marker is None or requirement.marker.evaluate(environment | {"extra": extra})

    versions = {}
    for requirement, _ in locked():
        if holds(requirement):
            name = canonicalize_name(requirement.name)
            assert name not in versions, f"two versions of {name} for one system"
            versions[name] = next(iter(requirement.specifier)).version
    lines = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    lines += [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
    wanted = [("serlab", requirement) for requirement in map(Requirement, lines) if holds(requirement)]
    seen = set()
    for whose, requirement in wanted:
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{whose} needs {requirement}, which the lock lacks"
        assert Version(versions[name]) in requirement.specifier, f"{whose} needs {requirement}"
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                wanted += [(name, one) for one in dependencies(name, versions[name]) if holds(one, extra)]
    assert len(seen) > len(lines)


# ---- make env ----


def wheel(folder: Path, name: str, version: str, *needs: str) -> Path:
    """Write the wheel of an empty package with an extra called `more`."""
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: more\n"
    files = {
        f"{name}.py": "",
        f"{name}-{version}.dist-info/METADATA": about + "".join(f"Requires-Dist: {one}\n" for one in needs),
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    files[record] = "".join(f"{file},,\n" for file in [*files, record])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


@pytest.fixture
def checkout(tmp_path):
    """Give a project with this one's Makefile whose lock has `first` and `second`, and its registry.

    `first` depends on `second[more]`, as pytest-cov does on coverage, and the registry has a newer one. What
    the lock keeps for an older Python is in no registry.
    """
    folder = tmp_path / "checkout"
    (folder / "book" / "tools").mkdir(parents=True)
    for name in ("Makefile", "book/tools/environment.py"):
        shutil.copy(ROOT / name, folder / name)
    lines = []
    for name, needs in (("first", ["second[more]>=1.0"]), ("second", [])):
        page = tmp_path / "registry" / name
        page.mkdir(parents=True)
        made = wheel(page, name, "1.0", *needs)
        lines.append(f"{name}==1.0 --hash=sha256:{hashlib.sha256(made.read_bytes()).hexdigest()}\n")
    wheel(page, "second", "1.1")
    for page in (tmp_path / "registry").iterdir():
        links = "".join(f'<a href="{made.name}">{made.name}</a>\n' for made in page.iterdir())
        (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", "utf-8")
    lines.append(f"third==1.0 ; python_full_version < '3' --hash=sha256:{'0' * 64}\n")
    (folder / "requirements.lock").write_text("".join(lines), encoding="utf-8")
    own = wheel(folder, "serlab", "0.1", "first").name
    (folder / "backend.py").write_text(
        "import shutil\n\n"
        f"def build_editable(folder, *_):\n    shutil.copy({own!r}, folder)\n    return {own!r}\n",
        encoding="utf-8",
    )
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    return folder


def make_env(checkout: Path) -> tuple[int, str]:
    ran = call_make(
        "env",
        f"PYTHON={sys.executable}",
        cwd=checkout,
        HOME=str(checkout.parent),
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL=(checkout.parent / "registry").as_uri(),
    )
    said, _ = ran.communicate()
    return ran.returncode, said


def versions(checkout: Path) -> dict[str, str]:
    code = "import importlib.metadata as m; print({one.name: one.version for one in m.distributions()})"
    python = checkout / ".venv" / "bin" / "python"
    return ast.literal_eval(subprocess.check_output([python, "-c", code], text=True))


@needs_make
@pytest.mark.parametrize("brought_by", ["venv", "virtualenv"])
def test_the_environment_is_that_of_the_lock_whatever_pip_makes_it(checkout, brought_by):
    """The pip that venv brings is as old as this Python; virtualenv has one of the day of the lock."""
    if brought_by == "virtualenv":
        options = ["--no-download", "--no-periodic-update", "--app-data", str(checkout.parent / "data")]
        command = [sys.executable, "-m", "virtualenv", "--quiet", *options, str(checkout / ".venv")]
        subprocess.run(command, check=True)
    status, said = make_env(checkout)
    assert status == 0, said
    found = versions(checkout)
    assert (found["first"], found["second"], found["serlab"]) == ("1.0", "1.0", "0.1")
    assert "third" not in found
    if brought_by == "venv":
        assert found["pip"] == ensurepip.version()
    else:
        assert Version(found["pip"]) >= Version("25")


@needs_make
def test_a_lock_that_lacks_something_makes_no_environment(checkout):
    lock = checkout / "requirements.lock"
    lock.write_text(lock.read_text("utf-8").replace("second==1.0 ", "# "), encoding="utf-8")
    status, said = make_env(checkout)
    assert status != 0
    assert "first 1.0 requires second, which is not installed" in said
    assert "make clean" in said
    assert not (checkout / ".venv" / ".ready").exists()


def test_workflows_install_the_lock_as_make_does():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml"))
    assert "-r requirements.lock" not in text
    assert "python book/tools/environment.py" in text


# ---- make lab ----


def execute(connection, session, source: str) -> list[dict]:
    """Execute a cell as JupyterLab does, and return the outputs."""
    from jupyter_client.jsonutil import json_default

    request = session.msg("execute_request", {"code": source, "silent": False, "allow_stdin": False})
    connection.send(json.dumps(request | {"channel": "shell", "buffers": []}, default=json_default))
    outputs, replied, idle = [], False, False
    while not (replied and idle):
        message = json.loads(connection.recv())
        if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
            continue
        kind, content = message["msg_type"], message["content"]
        assert kind != "error", content
        replied = replied or kind == "execute_reply"
        idle = idle or content.get("execution_state") == "idle"
        if kind in ("stream", "display_data", "execute_result"):
            outputs.append(content)
    return outputs


@pytest.fixture
def lab(tmp_path, private_cache):
    """Start `make lab` at a free port, without a browser, and give its address and token."""
    pytest.importorskip("jupyterlab")
    settings = {"ip": "127.0.0.1", "port": 0, "open_browser": False}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": settings}), "utf-8")
    folders = dict.fromkeys(
        ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"), str(tmp_path)
    )
    # The environment is the one that runs the tests, and as it is.
    options = [f"VENV={sys.prefix}", f"--assume-old={sys.prefix}/.ready"]
    server = call_make("lab", *options, **folders, SERLAB_CORPUS="demo", JUPYTER_TOKEN=uuid.uuid4().hex)
    try:
        deadline = time.monotonic() + 120
        while not (found := list(tmp_path.glob("jpserver-*.json"))):
            assert server.poll() is None, server.stdout.read()
            assert time.monotonic() < deadline, "JupyterLab does not start"
            time.sleep(0.2)
        yield json.loads(found[0].read_text(encoding="utf-8"))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate()


@needs_make
def test_make_lab_runs_the_first_cells_of_a_chapter(lab):
    import websocket
    from jupyter_client.session import Session

    import chapters

    address, token = lab["url"], {"Authorization": f"token {lab['token']}"}
    assert lab["hostname"] == "127.0.0.1"
    assert "JupyterLab" in requests.get(f"{address}lab", headers=token, timeout=60).text
    # Both of a pair open as notebooks.
    pair = [
        requests.get(f"{address}api/contents/{name}", {"type": "notebook"}, headers=token, timeout=60).json()
        for name in ("chapters/01_listening.ipynb", "chapters/01_listening.md")
    ]
    notebook, text = (nbformat.from_dict(one["content"]) for one in pair)
    written = chapters.read_text(ROOT / "chapters" / "01_listening.md")
    assert [cell.source for cell in text.cells] == [cell.source for cell in written.cells]

    asked = {
        "name": "01",
        "path": "chapters/01_listening.ipynb",
        "type": "notebook",
        "kernel": {"name": "python3"},
    }
    begun = requests.post(f"{address}api/sessions", json=asked, headers=token, timeout=60).json()
    session = Session(key=b"")
    channels = f"api/kernels/{begun['kernel']['id']}/channels?session_id={session.session}"
    connection = websocket.create_connection(
        address.replace("http", "ws", 1) + channels, header=token, timeout=300
    )
    (said,) = execute(connection, session, "import sys, serlab; print(sys.prefix)")
    assert said["text"].strip() == sys.prefix
    for cell in [cell for cell in notebook.cells if cell.cell_type == "code"][:4]:
        outputs = execute(connection, session, cell.source)
        assert bool(outputs) == bool(cell.outputs), cell.source
    connection.close()

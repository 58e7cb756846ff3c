"""Install what requirements.lock names, and serlab, in the environment of this Python, and check the result.

Nothing is resolved. The pip that comes with Python 3.11 resolves even where each version is given with its
hash, and then refuses a dependency such as ``coverage[toml]>=7.10`` from the day on which anything newer than
the locked version is published. Nothing but serlab is built: that would fetch tools which no lock names.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALL = ("install", "--quiet", "--no-deps")
LOCKED = (*INSTALL, "--require-hashes", "--only-binary", ":all:", "--requirement", "requirements.lock")


def pip(*arguments: str) -> int:
    """Run pip in the checkout and return its status; it says itself what is wrong."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT).returncode


def main() -> None:
    if pip(*LOCKED) or pip(*INSTALL, "--no-build-isolation", "--editable", "."):
        sys.exit("What requirements.lock names could not be installed; pip says above why.")
    # Each dependency of each package is there, in a version it accepts, and each version is the locked one:
    # pip would otherwise have to look for it, and here it may look nowhere.
    if pip("check") or pip(*LOCKED, "--no-index", "--dry-run"):
        sys.exit(f"{sys.prefix} is not what requirements.lock says: begin anew with `make clean`.")


if __name__ == "__main__":
    main()

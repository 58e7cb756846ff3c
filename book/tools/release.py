"""Compare a tag with the version that each file states, and print what CHANGELOG.md says of it.

    python book/tools/release.py v1.2.3

Needs Python alone, so that a wrong tag is told before anything is installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def notes(tag: str, root: Path = ROOT) -> str:
    """Return the newest section of the changelog, without its heading.

    Raises
    ------
    SystemExit
        If a file states another version than the tag, or the newest section has no date.
    """
    version = re.escape(tag.removeprefix("v"))
    _, newest, *_ = [*(root / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## "), ""]
    heading, _, section = newest.partition("\n")
    problems = []
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        problems.append(f"{tag} is no tag of a release: it should be like v1.2.3.")
    lines = {"pyproject.toml": f'version = "{version}"', "CITATION.cff": f"version: {version}"}
    for name, line in lines.items():
        if not re.search(rf"^{line}$", (root / name).read_text(encoding="utf-8"), re.MULTILINE):
            problems.append(f"{name} states another version than the tag {tag}.")
    if not re.fullmatch(rf"{version} \(\d{{4}}-\d\d-\d\d\)", heading):
        problems.append(f"CHANGELOG.md begins with {heading!r}, not with {tag[1:]} and a date.")
    if problems:
        sys.exit("\n".join(problems))
    return section.strip() + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give the tag, such as v1.2.3.")
    sys.stdout.write(notes(sys.argv[1]))

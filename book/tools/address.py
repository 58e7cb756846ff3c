"""Rewrite the repository's public address everywhere it is written.

    python book/tools/address.py https://github.com/OWNER/NAME [--branch main] [--pages URL]

The address is in the files named below, in the book's pages and their translations, and in the chapters'
first cells. A test compares them all with _config.yml.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import yaml

import chapters
import student

ROOT = Path(__file__).resolve().parents[2]
NAMED = (
    "pyproject.toml",
    "_config.yml",
    "README.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "serlab/corpora/records/demo.toml",
)


def files(root: Path = ROOT) -> list[Path]:
    """Return the files that may hold the address."""
    found = [root / name for name in NAMED if (root / name).exists()]
    for places in ("book/**/*.md", "chapters/*.md", "locale/**/*.po"):
        found += sorted(root.glob(places))
    return found


def current(root: Path = ROOT) -> tuple[str, str, str]:
    """Return repository, branch and public pages as _config.yml has them."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"], config["repository"]["branch"], config["html"]["baseurl"]


def pages_of(url: str) -> str:
    """Return where GitHub Pages shows a repository."""
    owner, name = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", url).groups()
    return f"https://{owner.lower()}.github.io/{name}"


def rewrite(url: str, branch: str, pages: str, root: Path = ROOT) -> list[Path]:
    """Replace the address in all files that hold it, and return these."""
    old_url, old_branch, old_pages = current(root)
    changes = {
        f"git+{old_url}@{old_branch}": f"git+{url}@{branch}",
        f"github/{_path(old_url)}/blob/{old_branch}": f"github/{_path(url)}/blob/{branch}",
        f"branch: {old_branch}\n": f"branch: {branch}\n",
        old_url: url,
        old_pages: pages,
    }
    changed = []
    for path in files(root):
        text = new = path.read_text(encoding="utf-8")
        for old, replacement in changes.items():
            new = new.replace(old, replacement)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed


def _path(url: str) -> str:
    return url.removeprefix("https://github.com/")


def carry_into_notebooks(folder: Path) -> None:
    """Carry the new first cell into executed notebooks; it does nothing outside Colab: outputs stay true."""
    for text in chapters.select([], folder):
        path = text.with_suffix(".ipynb")
        notebook, written = chapters.read_notebook(path), chapters.read_text(text)
        if [cell.cell_type for cell in notebook.cells] != [cell.cell_type for cell in written.cells]:
            raise SystemExit(f"{path.name} and {text.name} differ: `chapters.py sync` first")
        for cell, new in zip(notebook.cells, written.cells, strict=True):
            cell.source, cell.metadata, cell.id = new.source, new.metadata, new.id
        record = dict(notebook.metadata.get("serlab", {}))
        if "code" in record:
            record["code"] = chapters.code_hash(notebook)
        chapters.finish(notebook, record)
        chapters.write_notebook(notebook, path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Rewrite the repository's public address.")
    parser.add_argument("url", help="https://github.com/OWNER/NAME")
    parser.add_argument("--branch", default="main", help="branch or tag that Colab opens and installs")
    parser.add_argument(
        "--pages", help="address of the built book; GitHub Pages of the repository by default"
    )
    options = parser.parse_args(arguments)
    url = options.url.rstrip("/")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        parser.error(f"{url} is not of the form https://github.com/OWNER/NAME")
    for path in rewrite(url, options.branch, options.pages or pages_of(url)):
        print(path.relative_to(ROOT))
    carry_into_notebooks(ROOT / "chapters")
    return student.main([])


if __name__ == "__main__":
    sys.exit(main())

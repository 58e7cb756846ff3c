"""How ``pytest --nbval chapters`` runs the chapters: on which corpora, and what it compares.

The stored outputs are those of the real corpora. They are compared where these corpora are found with the
very same content. Elsewhere chapters run on the synthetic corpus, or on the one that SERLAB_CORPUS names,
and only cells tagged ``nbval-check-output``, whose output cannot depend on the corpus, are compared. The
header of the report says which of the two happened.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import nbformat
import pytest

import serlab

FOLDER = Path(__file__).parent
# Chapters that were stored without these corpora run on them where they are.
PREFERRED = ("cremad", "emodb")


def pytest_addoption(parser):
    parser.addoption(
        "--chapters",
        choices=["auto", "real", "demo"],
        default="auto",
        help="run chapters on the real corpora, on the synthetic one, or as the corpora found allow",
    )
    parser.addoption(
        "--quick", action="store_true", help="only chapters that were executed in under two minutes"
    )


def records() -> dict[Path, dict]:
    """Return what each notebook says about its last execution: corpora with hashes, seconds, quick."""
    paths = sorted(FOLDER.glob("*.ipynb"))
    return {path: nbformat.read(path, as_version=4).metadata.get("serlab", {}) for path in paths}


def obstacles(chapters) -> list[str]:
    """List why stored outputs cannot be expected to come out again here; `chapters` is the book's tool."""
    made = list(records().values())
    recorded = {name: value for one in made for name, value in one.get("corpora", {}).items()}
    if not recorded:
        return ["no chapter was executed"]
    missing = [name for name in recorded if serlab.corpora.find(name) is None]
    if missing:
        return [f"{name} is not here" for name in missing]
    if other := [name for name in PREFERRED if name not in recorded and serlab.corpora.find(name)]:
        return [f"{name} is here, and the stored outputs were made without it" for name in other]
    asked = sorted({name for one in made for name in one.get("embeddings", [])})
    if without := chapters.missing_weights(asked):
        return [f"the weights of {name} are not here" for name in without]
    return [
        f"the files of {name} are not those of the stored outputs"
        for name, value in recorded.items()
        if serlab.corpora.content_hash(serlab.load(name)) != value
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    option = config.option
    if not getattr(option, "nbval", False):
        return
    tool = importlib.util.spec_from_file_location("chapters_tool", FOLDER.parent / "book/tools/chapters.py")
    chapters = importlib.util.module_from_spec(tool)
    tool.loader.exec_module(chapters)
    os.environ.update(chapters.ENVIRONMENT)

    corpus = os.environ.pop("SERLAB_CORPUS", None) if option.chapters == "auto" else None
    if option.chapters == "demo":
        corpus = "demo"
    why = [] if corpus else obstacles(chapters)
    if why and option.chapters == "real":
        raise pytest.UsageError(f"chapters cannot be compared on the real corpora: {'; '.join(why)}")
    if corpus or why:
        os.environ["SERLAB_CORPUS"] = corpus or "demo"
        option.nbval_lax = True
        reason = f" because {'; '.join(why)}" if why else ""
        config.chapters_mode = (
            f"chapters: on the corpus {corpus or 'demo'}{reason}; every cell must run, and only cells tagged "
            "nbval-check-output are compared with their stored outputs"
        )
    else:
        config.chapters_mode = (
            "chapters: on the real corpora; all stored outputs are compared, except pictures"
        )


def pytest_report_header(config):
    return getattr(config, "chapters_mode", None)


def pytest_ignore_collect(collection_path, config):
    """Pass over slow chapters where only quick ones are asked for."""
    if config.option.quick and collection_path.suffix == ".ipynb":
        return not records()[collection_path].get("quick", False)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Compare neither what goes to stderr, such as warnings with paths, nor pictures in any form."""
    collected = yield
    for notebook in collected if isinstance(collected, list) else []:
        if hasattr(notebook, "skip_compare"):
            notebook.skip_compare += ("stderr", "image/svg+xml", "application/pdf")
    return collected

"""How ``pytest --nbval`` runs the chapters: on which corpora, and what it compares with what tolerance.

The stored outputs are those of the real corpora. They are compared where these corpora are found with the
very same content. Elsewhere chapters run on the synthetic corpus, or on the one that SERLAB_CORPUS names,
and only cells tagged ``nbval-check-output``, whose output cannot depend on the corpus, are compared. The
header of the report says which of the two happened.

The conftest.py of the repository loads this plugin, so that it holds for ``make test-chapters``, for a plain
``pytest --nbval`` and for ``pytest --nbval chapters/03*.ipynb`` alike. Options with fixed values are in
pyproject.toml.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest

import serlab

FOLDER = Path(__file__).parents[1] / "chapters"
# Chapters that were stored without these corpora run on them where they are.
PREFERRED = ("cremad", "emodb")
# How far a number may be from the stored one: two in the last digit that is shown, as was seen on another
# make of processor in intervals and p-values, or this part of its size.
LAST_DIGIT, RELATIVE = 2, Decimal("0.0001")
# In cells tagged nbval-trained, which show what a model learnt in the chapter: training magnifies the last
# digit of its first step. On three makes of processor scores moved by 2 points, single classes by more. Of
# shares from 0 to 1 only the text around them is compared in this way.
TRAINED, TRAINED_RELATIVE = Decimal(5), Decimal("0.1")


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


def runs_notebooks(config) -> bool:
    """Say whether nbval was asked for."""
    return config.getoption("nbval", default=False) or config.getoption("nbval_lax", default=False)


def record(path: Path) -> dict:
    """Return what a notebook says about its last execution: corpora with hashes, seconds, quick."""
    return nbformat.read(path, as_version=4).metadata.get("serlab", {})


def obstacles() -> list[str]:
    """List why stored outputs cannot be expected to come out again here."""
    import chapters  # the book's tool, on the path that pyproject.toml gives

    made = [record(path) for path in sorted(FOLDER.glob("*.ipynb"))]
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
    if not runs_notebooks(config):
        return
    import chapters

    os.environ.update(chapters.ENVIRONMENT)
    # Relative to wherever pytest was started, were it in pyproject.toml.
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(FOLDER / "nbval.sanitize.cfg")

    corpus = os.environ.pop("SERLAB_CORPUS", None) if option.chapters == "auto" else None
    if option.chapters == "demo":
        corpus = "demo"
    why = [] if corpus else obstacles()
    if why and option.chapters == "real":
        raise pytest.UsageError(f"chapters cannot be compared on the real corpora: {'; '.join(why)}")
    where = "on the real corpora"
    if corpus or why:
        os.environ["SERLAB_CORPUS"] = corpus or "demo"
        option.nbval_lax = True
        where = f"on the corpus {corpus or 'demo'}" + (f" because {'; '.join(why)}" if why else "")
    what = "all stored outputs are compared, except pictures"
    if option.nbval_lax:
        what = (
            "every cell must run, and only cells tagged nbval-check-output are compared with their stored "
            "outputs"
        )
    config.chapters_mode = f"chapters: {where}; {what}"


def pytest_report_header(config):
    return getattr(config, "chapters_mode", None)


def pytest_ignore_collect(collection_path, config):
    """Collect nothing but notebooks: tests want another environment. Pass over slow ones if asked to."""
    if not runs_notebooks(config) or collection_path.is_dir():
        return None
    if collection_path.suffix != ".ipynb":
        return True
    return True if config.option.quick and not record(collection_path).get("quick", False) else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Compare neither what goes to stderr, such as warnings with paths, nor pictures in any form."""
    collected = yield
    for notebook in collected if isinstance(collected, list) else []:
        if hasattr(notebook, "skip_compare"):
            notebook.skip_compare += ("stderr", "image/svg+xml", "application/pdf")
    return collected


# ---- numbers ----

# Whatever has two points, such as a version, or is part of a word is text.
NUMBER = re.compile(r"(?<![\w.])([-+\N{MINUS SIGN}]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?!\d|\.\d)", re.IGNORECASE)


def close(one: str, two: str, trained: bool = False) -> bool:
    """Say whether two numbers, as printed, may be the same computation on two makes of processor.

    Whole numbers, which count things, have to be equal, unless a model was ``trained`` for them.
    """
    a, b = (Decimal(text.replace("\N{MINUS SIGN}", "-")) for text in (one, two))
    size = max(abs(a), abs(b))
    if trained:
        return abs(a - b) <= max(TRAINED, TRAINED_RELATIVE * size)
    if (one + two).translate(dict.fromkeys(map(ord, "+-\N{MINUS SIGN}"))).isdigit():
        return a == b
    last = Decimal(LAST_DIGIT).scaleb(min(a.as_tuple().exponent, b.as_tuple().exponent))
    return abs(a - b) <= max(last, RELATIVE * size)


class Output(str):
    """Text of an output; equal to another if its numbers are `close`, and all else is the same.

    Runs of blanks count as one, since columns are as wide as their numbers.
    """

    __hash__ = None
    trained = False

    def __eq__(self, other) -> bool:
        ours, theirs = (NUMBER.split(re.sub(" +", " ", text)) for text in (self, other))
        return (
            len(ours) == len(theirs)
            and ours[::2] == theirs[::2]
            and all(close(one, two, self.trained) for one, two in zip(ours[1::2], theirs[1::2], strict=True))
        )

    def __ne__(self, other) -> bool:
        return not self == other


def pytest_itemcollected(item):
    """Have nbval compare outputs as `Output` does: it compares what `sanitize` makes of them."""
    if not hasattr(item, "sanitize"):
        return
    plain, trained = item.sanitize, "nbval-trained" in item.cell.metadata.get("tags", [])

    def sanitize(value):
        if not isinstance(value, str):
            return value
        output = Output(plain(value))
        output.trained = trained
        return output

    item.sanitize = sanitize

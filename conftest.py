"""Shared set-up: tests never touch the user's cache; notebooks run by the rules of tests/nbval_rules.py."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

import serlab
from serlab import provenance

pytest_plugins = ["nbval_rules"]
# Copies of notebooks and modules.
collect_ignore = ["_build", "dist", "student"]


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory):
    """Keep downloads, features and the synthetic corpus of the whole session in one temporary folder.

    Notebooks use no fixtures: they are run as a reader would, with the user's cache.
    """
    folder = tmp_path_factory.mktemp("serlab-cache")
    before = os.environ.get("SERLAB_CACHE")
    os.environ["SERLAB_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["SERLAB_CACHE"]
    else:
        os.environ["SERLAB_CACHE"] = before


@pytest.fixture(autouse=True)
def code_is_committed(monkeypatch):
    """Let results be recorded and checked while the package is being changed.

    Tests of the refusals ask for them.
    """
    monkeypatch.setattr(provenance, "changed_files", lambda: ())
    monkeypatch.setattr(provenance, "is_committed", lambda code: None)


@pytest.fixture(autouse=True)
def figures_are_closed():
    """Close what a test or an example has drawn."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def demo(private_cache):
    """Give the table of the synthetic corpus, made once for the session."""
    return serlab.load("demo")


@pytest.fixture(scope="module")
def browser_flags():
    """Give more arguments for `browser`: a module that needs some has a fixture of this name."""
    return ()


@pytest.fixture(scope="module")
def browser(browser_flags):
    """Chromium, driven by playwright; a test that asks for it is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium on this computer")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox", *browser_flags])
        yield opened
        opened.close()


def real_corpus(name: str):
    """Load a real corpus, or skip the test where ``SERLAB_DATA`` does not hold it."""
    if serlab.corpora.find(name) is None:
        pytest.skip(f"{name} is not under SERLAB_DATA")
    return serlab.load(name)

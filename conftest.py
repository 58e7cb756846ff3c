"""Shared set-up: tests never touch the user's cache, and never find a corpus they did not ask for."""

from __future__ import annotations

import os

import pytest

import serlab


@pytest.fixture(scope="session", autouse=True)
def private_cache(request, tmp_path_factory):
    """Keep downloads, features and the synthetic corpus of the whole session in one temporary folder.

    Notebooks are run as a reader would, with the user's cache.
    """
    if request.config.getoption("nbval", default=False):
        yield None
        return
    folder = tmp_path_factory.mktemp("serlab-cache")
    before = os.environ.get("SERLAB_CACHE")
    os.environ["SERLAB_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["SERLAB_CACHE"]
    else:
        os.environ["SERLAB_CACHE"] = before


@pytest.fixture(scope="session")
def demo(private_cache):
    """Give the table of the synthetic corpus, made once for the session."""
    return serlab.load("demo")


def real_corpus(name: str):
    """Load a real corpus, or skip the test where ``SERLAB_DATA`` does not hold it."""
    if serlab.corpora.find(name) is None:
        pytest.skip(f"{name} is not under SERLAB_DATA")
    return serlab.load(name)

"""Translations: how much of a page is stale; its numbers, links and code are those of the English text."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from test_chapters import load_tool

catalogs = pytest.importorskip("sphinx_intl.catalog")
pytest.importorskip("jupyter_book")

ROOT = Path(__file__).parents[1]
GERMAN = ROOT / "locale" / "de" / "LC_MESSAGES"
PAGES = ("book/index", "book/how_to_use", "chapters/01_listening", "chapters/03_honest_evaluation")
# Of a hundred paragraphs so many may be English, or to be looked at: `make messages` says which.
STALE = 20
NUMBER = r"(?<![\w./-])\d[\d.,]*(?<![.,])"

translations = load_tool("translations")
problems = load_tool("chapter_problems")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Copy what the translated pages need, with these pages alone in the contents."""
    folder = tmp_path_factory.mktemp("translated")
    for name in ("book", "locale", "chapters"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    notebook = {page: f"{page}.ipynb" if page.startswith("chapters") else page for page in PAGES}
    files = [{"file": notebook[page]} for page in PAGES[1:]]
    contents = {"format": "jb-book", "root": PAGES[0], "chapters": files}
    (folder / "_toc.yml").write_text(yaml.safe_dump(contents), "utf-8")
    return folder


def build(folder: Path, *options: str, language: str = "en") -> Path:
    """Build these pages; links to all others are missing, so warnings are no errors here."""
    config = (
        (ROOT / "_config.yml").read_text("utf-8").replace("    language: en\n", f"    language: {language}\n")
    )
    (folder / "_config.yml").write_text(config, "utf-8")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(folder)]
    done = subprocess.run(
        [*command, *options, "--path-output", str(folder / language)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "inconsistent" not in done.stderr, done.stderr
    return folder / language / "_build"


def catalogue(page: str):
    return catalogs.load_po(str(GERMAN / f"{page}.po"))


def translated(page: str) -> list[tuple[str, str]]:
    return [(m.id, m.string) for m in catalogue(page) if m.id and m.string and not m.fuzzy]


def in_english(number: str) -> str:
    """Write a German number as the English text has it, 1.440,5 as 1,440.5."""
    return number.translate(str.maketrans(",.", ".,"))


def plain(text: str) -> str:
    """Return a paragraph without code, comments and addresses."""
    return re.sub(r"`[^`]*`|<!--.*?-->|\]\((?:[^()]|\([^()]*\))*\)", "", text)


def test_every_catalogue_is_one_of_these_pages():
    found = {translations.page_of(path) for path in (ROOT / "locale").glob("*/LC_MESSAGES/**/*.po")}
    assert found == set(PAGES)


def test_few_paragraphs_are_stale(book):
    current = build(book, "--all", "--builder", "custom", "--custom-builder", "gettext") / "gettext"
    for page in PAGES:
        english = catalogs.load_po(str(current / f"{page}.pot"))
        stale = translations.stale(catalogue(page), english)
        assert len(english) > 15
        assert 100 * len(stale) <= STALE * len(english), f"{page}: `make messages`, then translate {stale}"


@pytest.mark.parametrize("page", PAGES)
def test_marked_numbers_and_their_sources_are_the_same(page):
    marked = 0
    for english, german in translated(page):
        ours = [
            (re.findall(problems.NUMBER, m["text"]), m["source"]) for m in problems.MARKED.finditer(english)
        ]
        comments = re.findall(r"([^>]*?)<!--\s+(.+?)\s+-->", german)
        assert Counter(source for _, source in ours) == Counter(source for _, source in comments), german
        for numbers, source in ours:
            beside = [text for text, of in comments if of == source]
            theirs = [[in_english(n) for n in re.findall(NUMBER, text)][-len(numbers) :] for text in beside]
            assert [n.lstrip("-+−") for n in numbers] in theirs, (source, numbers, theirs)
            marked += 1
    assert marked > 20 or page != "chapters/03_honest_evaluation"


@pytest.mark.parametrize("page", PAGES)
def test_other_numbers_links_and_code_are_the_same(page):
    for english, german in translated(page):
        ours = Counter(re.findall(NUMBER, plain(english)))
        theirs = Counter(in_english(number) for number in re.findall(NUMBER, plain(german)))
        versions = {
            "3,11": "3.11",
            "3,13": "3.13",
            "1,0": "1.0",
        }  # of Python and of a licence: they keep the point
        theirs = Counter({versions.get(number, number): count for number, count in theirs.items()})
        assert ours == theirs, german
        assert Counter(re.findall(r"`[^`]+`", english)) == Counter(re.findall(r"`[^`]+`", german))
        if "[Deutsch]" not in english:
            places = r"\]\(([^)\s]+)"
            assert Counter(re.findall(places, english)) == Counter(re.findall(places, german)), german


def test_the_german_page_is_german_and_its_code_is_not(book):
    page = build(book, "--all", language="de") / "html" / "chapters" / "03_honest_evaluation.html"
    text = page.read_text("utf-8")
    assert '<html lang="de"' in text
    assert "Suche" in text
    assert "Ehrliche Auswertung" in text
    assert "we hide a sixth of the clips" not in text
    assert "unseen speakers:" in text


def test_stale_counts_what_is_missing_fuzzy_or_changed(tmp_path):
    def write(name, *messages):
        body = "".join(f'{flag}msgid "{a}"\nmsgstr "{b}"\n\n' for flag, a, b in messages)
        (tmp_path / name).write_text(
            'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n' + body
        )
        return catalogs.load_po(str(tmp_path / name))

    po = write(
        "a.po", ("", "one", "eins"), ("", "two", ""), ("#, fuzzy\n", "three", "drei"), ("", "old", "alt")
    )
    pot = write("a.pot", *(("", word, "") for word in ("one", "two", "three", "four")))
    assert translations.stale(po, pot) == ["two", "three", "four"]

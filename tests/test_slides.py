"""Decks of slides and the listening sheet: whole, offline, described, and nothing outside its box."""

from __future__ import annotations

import contextlib
import re

import pytest
from bs4 import BeautifulSoup
from test_chapters import ROOT, TEXTS, load_tool

from serlab.corpora import emodb

slides = load_tool("slides")
problems = load_tool("chapter_problems")
DECKS = sorted(slides.SOURCES.glob("[0-9]*.md"))
EXAMPLE = ROOT / "book" / "slides" / "01.md"
NOTEBOOK = "../../chapters/01_listening.ipynb"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write all decks and the sheet as HTML, where no browser is found."""
    folder = tmp_path_factory.mktemp("slides")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slides, "browser", lambda: None)
        assert slides.main(["--output", str(folder)]) == 0
    return {path.stem: path for path in sorted(folder.iterdir())}


def soup(path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_every_chapter_has_its_deck(pages):
    chapters = {text.name[:2] for text in TEXTS}
    assert {path.stem for path in DECKS} == chapters
    assert set(pages) == chapters | {"listening_sheet"}


@pytest.mark.parametrize("name", [path.stem for path in DECKS])
def test_a_deck_is_short_described_and_needs_no_network(pages, name):
    page = soup(pages[name])
    sections = page.find_all("section")
    assert 5 <= len(sections) <= 10
    assert [len(section.find_all(["h1", "h2"])) for section in sections] == [1] * len(sections)
    assert all(len(section.find_all("img")) <= 1 for section in sections)
    for image in page.find_all("img"):
        assert len(image["alt"]) >= 20
        assert image["src"].startswith("data:image/")
    assert len(page.find_all("img")) >= 3
    assert page.find_all(["link", "iframe"]) == []
    assert not page.find_all("script", src=True)
    assert "<!-- " not in str(page.body)


@pytest.mark.parametrize("deck", DECKS, ids=lambda path: path.stem)
def test_numbers_on_slides_name_their_source(deck):
    assert problems.exact_numbers(deck.read_text("utf-8")) == []


def test_a_figure_is_the_one_that_the_notebook_stores():
    html = slides.image(EXAMPLE, "Two waveforms on one scale", NOTEBOOK)
    cells = slides.read(EXAMPLE, NOTEBOOK).cells
    (stored,) = [
        output.data["image/png"]
        for cell in cells
        if "Two waveforms" in str(cell.metadata)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert stored.replace("\n", "") in html
    assert (
        "blocks with sharp edges" in html
    )  # the end of the alternative text, which the deck does not repeat


@pytest.mark.parametrize(
    ("beginning", "notebook", "message"),
    [
        ("Nothing like that", NOTEBOOK, r"01\.md: 0 pictures of .*01_listening\.ipynb begin with 'Nothing"),
        ("Spectrograms of the", NOTEBOOK, "2 pictures"),
        ("Two", "../../chapters/99_none.ipynb", r"01\.md: there is no notebook .*99_none"),
    ],
)
def test_a_figure_that_is_not_there_once_is_named(beginning, notebook, message):
    with pytest.raises(slides.SlideError, match=message):
        slides.image(EXAMPLE, beginning, notebook)


def test_the_take_away_is_that_of_the_chapter(pages):
    text = (ROOT / "chapters/03_honest_evaluation.md").read_text("utf-8")
    lines = re.findall(r"(?m)^- (.+)$", text.split("## Take-away\n")[1].split("\n## ")[0])
    shown = soup(pages["03"]).find_all("section")[-1].find_all("li")
    assert [line.get_text() for line in shown] == lines


def test_an_unknown_deck_is_refused(capsys):
    with pytest.raises(SystemExit):
        slides.main(["99"])
    assert "no slides for 99" in capsys.readouterr().err


def test_without_a_browser_it_says_how_to_print(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(slides, "browser", lambda: None)
    slides.main(["--output", str(tmp_path), "18"])
    assert [path.name for path in tmp_path.iterdir()] == ["18.html"]
    assert "print them" in capsys.readouterr().out


def test_the_sheet_asks_on_one_page_and_answers_on_the_other(pages):
    voices = emodb.excerpts()
    questions, answers = soup(pages["listening_sheet"]).select(".page")
    assert len(questions.select("tbody tr")) == len(voices)
    assert {len(row.select(".box")) for row in questions.select("tbody tr")} == {voices["emotion"].nunique()}
    assert not any(clip in questions.text for clip in voices["clip"])
    told = [[cell.text for cell in row.select("td")] for row in answers.select("tbody tr")]
    assert [row[0] for row in told] == voices["emotion"].tolist()
    assert [row[-1] for row in told] == voices["clip"].tolist()


@pytest.mark.skipif(slides.browser() is None, reason="no Chromium on this computer")
@pytest.mark.parametrize("name", ["05", "listening_sheet"])
def test_a_page_of_the_pdf_for_each_slide(pages, name):
    pdf = slides.print_pdf(pages[name])
    printed = len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))
    assert printed == len(soup(pages[name]).select("section, .page"))


def test_nothing_is_outside_its_box_and_keys_turn_the_pages(pages, browser):
    outside = []
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 720})) as page:
        for deck in DECKS:
            page.goto(pages[deck.stem].as_uri())
            outside += [
                (deck.stem, *found)
                for found in page.evaluate(
                    """() => [...document.querySelectorAll("section")].flatMap((section, n) => {
                        const box = section.getBoundingClientRect();
                        return [...section.querySelectorAll("h1, h2, p, li, td, th, img")].filter((part) => {
                            const range = document.createRange();
                            range.selectNodeContents(part);
                            const text = part.tagName === "IMG" ? part.getBoundingClientRect()
                                                                : range.getBoundingClientRect();
                            return text.right > box.right - 20 || text.bottom > box.bottom - 20
                                || text.left < box.left + 20 || text.top < box.top + 20;
                        }).map((part) => [n + 1, part.textContent.slice(0, 40)]);
                    })"""
                )
            ]
        page.keyboard.press("ArrowRight")
        page.keyboard.press("PageDown")
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(200)
        assert page.evaluate("Math.round(scrollY / innerHeight)") == 1
    assert outside == []

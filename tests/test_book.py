"""The built book: links, alternative texts, search, Colab buttons, players; nothing loaded from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urlparse

import numpy as np
import pytest
import yaml
from test_chapters import load_tool

pytest.importorskip("jupyter_book")
BeautifulSoup = pytest.importorskip("bs4").BeautifulSoup

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
TOC = (ROOT / "_toc.yml").read_text("utf-8")
sys.path.insert(0, str(ROOT / "book" / "_ext"))


def build(source: Path, output: Path) -> Path:
    """Build a book with warnings as errors, without corpora, and return the folder of its pages."""
    environment = {name: value for name, value in os.environ.items() if name != "SERLAB_DATA"}
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(source)]
    done = subprocess.run(
        [*command, "-W", "--keep-going", "--path-output", str(output)],
        capture_output=True,
        text=True,
        env=environment | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return output / "_build" / "html"


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """Build this book."""
    return build(ROOT, tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def pages(html):
    """Parse all pages of the book."""
    found = [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    return {path: BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in found}


SAMPLE = """\
# Sample

Inline $m = \\frac{f}{700}$ and displayed:

$$
\\sum_{n=0}^{N-1} x_n
$$

<details><summary>Answer</summary>

**(b)** as $a^2$.

</details>
"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
PLACEHOLDERS = [
    '<div class="serlab-player" data-recipe="{&quot;f0&quot;: 1.5}" data-title="f0 × 1.5">'
    '<p class="serlab-title">f0 × 1.5</p><p class="serlab-absent">f0 × 1.5 — run this cell to hear it</p>'
    '<p class="serlab-credit">synthetic voice</p></div>',
    '<div class="serlab-player" data-corpus="ravdess" data-clip="03-01-01-01-01-01-01">'
    '<p class="serlab-title">neutral</p><p class="serlab-absent">a clip — run this cell to hear it</p>'
    '<p class="serlab-credit">RAVDESS, CC BY-NC-SA 4.0</p></div>',
]


def sample_run(corpus: str, protocol: str, model: str, uar: float, chapter: int, disjoint: bool) -> dict:
    return {
        "model": model,
        "title": model.title(),
        "chapter": chapter,
        "features": ["mfcc"],
        "protocol": protocol,
        "protocol_title": f"title of {protocol}",
        "speaker_disjoint": disjoint,
        "corpus": {"name": corpus, "title": corpus.upper(), "clips": 1440},
        "classes": list("abcdefgh"),
        "seeds": [0, 1],
        "speaker_normalised": model == "normed",
        "parameters": 100,
        "ensemble": False,
        "pretrained": [],
        "seconds": 61.0,
        "scores": {
            "uar": uar,
            "uar_low": uar - 0.03,
            "uar_high": uar + 0.04,
            "accuracy": 0.4,
            "macro_f1": 0.3,
        },
    }


RUNS = [
    sample_run("ravdess", "emobox6", "tree-tuned", 0.301, 5, True),
    sample_run("ravdess", "emobox6", "forest", 0.412, 5, True),
    sample_run("ravdess", "emobox6", "normed", 0.623, 5, True),
    sample_run("ravdess", "seed-split", "tree-tuned", 0.555, 5, False),
    sample_run("nemo", "loso", "forest", 0.333, 5, True),
]


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Build a book of the same configuration: one page with what chapters may hold, and given runs."""
    root = tmp_path_factory.mktemp("sample")
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copytree(
        ROOT / "book", root / "book", ignore=shutil.ignore_patterns("results", "__pycache__", "api*")
    )
    (root / "chapters").mkdir()
    notebook = {
        "cells": [
            {"cell_type": "markdown", "id": "text", "metadata": {}, "source": SAMPLE},
            {
                "cell_type": "code",
                "id": "code",
                "metadata": {"mystnb": {"image": {"alt": "One grey pixel, seen from afar."}}},
                "execution_count": 1,
                "source": "show()",
                "outputs": [
                    {"output_type": "display_data", "metadata": {}, "data": {"text/html": player}}
                    for player in PLACEHOLDERS
                ]
                + [
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"image/png": PIXEL},
                    },
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"text/markdown": "| epoch | loss |\n|---|---|\n| **9** | 1.5 |"},
                    },
                ],
            },
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    notebook["metadata"]["serlab"] = {"corpora": {"ravdess": "0"}, "seconds": 75.0}
    (root / "chapters" / "05_decision_tree.ipynb").write_text(json.dumps(notebook), "utf-8")
    for run in RUNS:
        path = root / "book/results" / run["corpus"]["name"] / run["protocol"] / f"{run['model']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(run), "utf-8")
    (root / "book" / "page.md").write_text(
        "# Page\n\n## R\n\n```{serlab-results}\n```\n\n## C\n\n```{serlab-chapters}\n```\n\n"
        "## T\n\n```{serlab-chapter-times}\n```\n\n## U\n\n```{serlab-run-times}\n```\n",
        "utf-8",
    )
    toc = {
        "format": "jb-book",
        "root": "book/page",
        "chapters": [{"file": "chapters/05_decision_tree.ipynb"}],
    }
    toc["chapters"].append({"file": "book/how_to_use_stub"})
    (root / "book" / "how_to_use_stub.md").write_text("# Stub\n", "utf-8")
    (root / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    return build(root, root)


def test_markdown_tables_that_cells_print_become_tables(sample):
    table = soup(sample, "chapters/05_decision_tree.html").find("table", class_="table")
    assert [cell.text.strip() for cell in table.find_all(["th", "td"])] == ["epoch", "loss", "9", "1.5"]


def soup(folder: Path, page: str):
    return BeautifulSoup((folder / page).read_text("utf-8"), "html.parser")


def target_of(page: Path, link: str) -> tuple[Path, str]:
    address, fragment = urldefrag(link)
    return ((page.parent / unquote(address)).resolve() if address else page), fragment


def test_every_page_of_the_contents_is_built(html):
    for name in re.findall(r"(?:file|root): (\S+)", TOC):
        assert (html / name).with_suffix(".html").exists(), name


def test_internal_links_resolve(pages, html):
    anchors = {
        path: {tag["id"] for tag in page.find_all(id=True)}
        | {tag["name"] for tag in page.find_all("a", attrs={"name": True})}
        for path, page in pages.items()
    }
    broken = []
    for path, page in pages.items():
        for tag, attribute in (
            ("a", "href"),
            ("link", "href"),
            ("script", "src"),
            ("img", "src"),
            ("audio", "src"),
        ):
            for found in page.find_all(tag, attrs={attribute: True}):
                link = found[attribute]
                if urlparse(link).scheme or link.startswith("//") or found.get("rel") == ["search"]:
                    continue
                target, fragment = target_of(path, link.split("?")[0] if tag != "a" else link)
                if target.is_dir():
                    target /= "index.html"
                if not target.exists():
                    broken.append(f"{path.relative_to(html)}: {link}")
                elif fragment and target in anchors and fragment not in anchors[target]:
                    broken.append(f"{path.relative_to(html)}: no such place {link}")
    assert broken == []


def test_every_image_has_alternative_text(pages, html):
    missing = [
        f"{path.relative_to(html)}: {image.get('src')}"
        for path, page in pages.items()
        for image in page.find_all("img")
        if not image.get("alt", "").strip() or re.fullmatch(r"(\.\./)*_images/\S+", image["alt"])
    ]
    assert missing == []


def test_what_opens_and_switches_has_the_name_that_is_seen(pages, html):
    problems = []
    for name, page in pages.items():
        for control in page.find_all(["summary", "button"]):
            label, seen = control.get("aria-label", ""), " ".join(control.get_text(" ").split())
            if not (label or seen or control.get("title")):
                problems.append(f"{name}: {control} has no name")
            if label and seen and seen.lower() not in label.lower():
                problems.append(f"{name}: {seen!r} is called {label!r}")
        problems += [f"{name}: {list_} is no list" for list_ in page.select("div[role=list]")]
    assert problems == []


def test_nothing_is_loaded_from_elsewhere(pages, html):
    loaded = []
    for path, page in pages.items():
        for tag, attribute in (
            ("script", "src"),
            ("img", "src"),
            ("iframe", "src"),
            ("audio", "src"),
            ("source", "src"),
        ):
            loaded += [(path.name, found[attribute]) for found in page.find_all(tag, attrs={attribute: True})]
        loaded += [
            (path.name, found["href"])
            for found in page.find_all("link", href=True)
            if set(found.get("rel", [])) & {"stylesheet", "preload", "icon", "preconnect"}
        ]
    assert [
        found
        for found in loaded
        if urlparse(found[1]).scheme in ("http", "https") or found[1].startswith("//")
    ] == []
    for style in html.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import\s)\s*['\"]?(?:https?:)?//", style.read_text("utf-8")), (
            style.name
        )
    for page in pages.values():
        assert not page.find_all("script", string=re.compile(r"unpkg|jsdelivr|cdnjs"))


def test_no_path_of_the_building_machine(html):
    places = {str(ROOT), str(Path.home()) + "/", str(html.parents[1])}
    for path in [*html.rglob("*.html"), html / "searchindex.js"]:
        text = path.read_text("utf-8")
        assert not [place for place in places if place in text], path.relative_to(html)


def test_search_finds_words_of_pages_and_docstrings(html):
    text = (html / "searchindex.js").read_text("utf-8")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    names = index["docnames"]

    def found(word: str) -> set[str]:
        places = []
        for part in ("terms", "titleterms"):
            hits = index[part].get(word, [])
            places += hits if isinstance(hits, list) else [hits]
        return {names[place] for place in places}

    assert "book/glossary" in found("formant")
    assert "book/api/splits" in found("fold")
    assert "book/bibliography" in found("livingston")


def test_colab_buttons_open_notebooks_that_exist(pages, html):
    url, branch = CONFIG["repository"]["url"], CONFIG["repository"]["branch"]
    prefix = f"https://colab.research.google.com/github/{urlparse(url).path.strip('/')}/blob/{branch}/"
    chapters = re.findall(r"file: (chapters/\S+)", TOC)
    assert len(chapters) >= 5
    for name in chapters:
        page = pages[(html / name).with_suffix(".html")]
        links = [tag["href"] for tag in page.find_all("a", href=True) if "colab.research" in tag["href"]]
        for opened in (name, name.replace("chapters/", "student/")):
            assert prefix + opened in links
            assert (ROOT / opened).is_file()


def test_contents_name_every_notebook():
    named = set(re.findall(r"file: chapters/(\S+)", TOC))
    assert named == {path.name for path in (ROOT / "chapters").glob("[0-9]*.ipynb")}


def test_every_lesson_has_a_plan_for_teachers_in_order():
    guide = (ROOT / "book" / "teaching.md").read_text("utf-8")
    plans = re.findall(r"^### \[.+\]\(\.\./chapters/(\S+)\)$", guide, re.MULTILINE)
    assert plans == re.findall(r"file: chapters/(\S+)", TOC)
    parts = guide.split("\n### ")[1:]
    for kind in ("Show first", "The surprise to aim for", "For all", "For the quick ones"):
        assert all(part.count(f"- **{kind}**: ") == 1 for part in parts), kind


def test_plans_name_only_exercises_that_their_lessons_have():
    guide = (ROOT / "book" / "teaching.md").read_text("utf-8")
    for part in guide.split("\n### ")[1:]:
        name = re.search(r"chapters/(\S+)\.ipynb", part).group(1)
        lesson = (ROOT / "chapters" / f"{name}.md").read_text("utf-8")
        for number in re.findall(r"exercise (\d)", part):
            # A page's only exercise has no number.
            alone = number == "1" and "**Exercise.**" in lesson
            assert alone or f"**Exercise {number}.**" in lesson, f"{name}: exercise {number}"


def test_mathematics_is_mathml(sample):
    page = soup(sample, "chapters/05_decision_tree.html")
    kinds = [math.get("display") for math in page.find_all("math")]
    assert kinds == [None, "block", None]
    assert page.find("math").find("mfrac")
    assert "MathJax" not in str(page)


def test_unwritable_mathematics_is_a_warning_not_a_wrong_formula(monkeypatch):
    import serlab_book
    from docutils import nodes

    said = []
    monkeypatch.setattr(serlab_book.logger, "warning", lambda *message, **where: said.append(message))
    assert "<math" not in serlab_book.mathml(nodes.math("", r"\nosuchcommand x"), as_block=False)
    assert len(said) == 1


def test_answers_fold(sample):
    details = soup(sample, "chapters/05_decision_tree.html").find("details")
    assert details.summary.text == "Answer"
    assert details.strong.text == "(b)"


def test_alternative_text_reaches_the_page(sample):
    page = soup(sample, "chapters/05_decision_tree.html")
    assert [image["alt"] for image in page.select(".cell_output img")] == ["One grey pixel, seen from afar."]


def test_players_are_filled_or_explained(sample):
    import soundfile

    synthetic, recorded = soup(sample, "chapters/05_decision_tree.html").select(".serlab-player")
    assert synthetic.audio["preload"] == "none"
    assert "f0 × 1.5" in synthetic.audio["aria-label"]
    assert synthetic.select_one(".serlab-credit").text == "synthetic voice"
    y, rate = soundfile.read(sample / "chapters" / synthetic.audio["src"])
    assert rate == 16000
    assert len(y) > 0.3 * rate
    assert np.abs(y).max() > 0.05
    assert recorded.audio is None
    assert "was not there" in recorded.text
    assert recorded.a["href"].endswith("book/how_to_use.html#get-the-corpora")
    assert "CC BY-NC-SA" in recorded.text


def test_place_that_players_link_to_exists(pages, html):
    assert pages[html / "book" / "how_to_use.html"].find(id="get-the-corpora")


def test_a_clip_of_a_corpus_is_written_once(tmp_path, monkeypatch):
    import book_players

    monkeypatch.setattr(
        book_players.players, "resolve", lambda attributes: (np.sin(np.arange(1600) / 9), 16000)
    )
    page = book_players.fill_placeholders(PLACEHOLDERS[1] * 2, tmp_path, lambda path: f"../{path}")
    (clip,) = tmp_path.iterdir()
    assert page.count(f'src="../_static/clips/{clip.name}"') == 2
    assert page.count("RAVDESS, CC BY-NC-SA 4.0") == 2
    assert "run this cell" not in page


def test_a_sound_that_cannot_be_made_again_says_so(tmp_path):
    import book_players

    placeholder = re.sub(r' data-recipe="[^"]*"', "", PLACEHOLDERS[0])
    assert "run this chapter to hear it" in book_players.fill_placeholders(placeholder, tmp_path, str)


def test_files_that_chapters_name_are_found_from_the_built_page(tmp_path):
    import book_players

    body = '<div class="serlab-player"><audio src="../book/_static/audio/voice_1.flac"></audio></div>'
    context = {"body": body, "pathto": lambda path, resource: f"../{path}"}
    book_players.fill(SimpleNamespace(outdir=tmp_path), "chapters/01", "page.html", context, None)
    assert 'src="../_static/audio/voice_1.flac"' in context["body"]


def test_results_are_those_recorded_honest_first(sample):
    page = soup(sample, "book/page.html")
    text = page.find("article").text
    assert "41.2 [38.2, 45.2]" in text
    assert text.index("title of emobox6") < text.index("title of seed-split")
    assert "Normed (speaker-normalised)" in text
    assert "guessing reaches 12.5 % UAR" in text
    assert all(not folded.has_attr("open") for folded in page.select("details"))
    for table in page.select("details table"):
        best = [float(row.select("td")[3].text.split()[0]) for row in table.select("tbody tr")]
        assert best == sorted(best, reverse=True)
    titles = [heading.text.rstrip("#") for heading in page.select("h3")]
    assert titles == ["RAVDESS", "NEMO"]


def test_chapters_say_what_the_model_named_beforehand_reaches_not_the_best(sample):
    text = soup(sample, "book/page.html").find("article").text
    line = next(line for line in text.splitlines() if "unseen RAVDESS" in line)
    assert "30.1 [27.1, 34.1] %" in line
    assert "(Tree-Tuned); 55.5 % if speakers are shared, on a random fifth of the clips" in line


def test_times_are_those_recorded(sample):
    text = soup(sample, "book/page.html").find("article").text
    assert "75 s" in text
    assert text.count("61 s") == len(RUNS)


def test_durations_are_said_in_units_that_suit():
    recorded = load_tool("recorded")
    assert [recorded.duration(s) for s in (0.42, 9.96, 61, 119.4, 600)] == [
        "0.4 s",
        "10.0 s",
        "61 s",
        "119 s",
        "10 min",
    ]

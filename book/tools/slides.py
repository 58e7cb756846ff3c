"""Make slides and a listening sheet: HTML that needs no network, and PDF where there is a Chromium or Chrome.

    slides.py [--output _build/slides] [NAMES]

A deck is ``book/slides/NN.md``: slides divided by lines of ``---``, each a heading, at most one figure, and a
few lines. A figure is named by the beginning of its alternative text, and by its notebook::

    ![Two waveforms on one scale](../../chapters/01_listening.ipynb)

It is taken from the stored outputs or the diagrams of that notebook, with the whole of its alternative text.
``[Take-away](../../chapters/01_listening.ipynb)`` stands for the lines of that section.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

import mistune
from chapter_problems import ROOT
from docutils.utils.math.latex2mathml import tex2mathml

import chapters
from serlab.corpora import emodb

SOURCES = ROOT / "book" / "slides"
FIGURE = re.compile(r"!\[(?P<beginning>[^\]]+)\]\((?P<notebook>[^)]+\.ipynb)\)\n?")
SECTION = re.compile(r"^\[Take-away\]\((?P<notebook>[^)]+\.ipynb)\)$", re.MULTILINE)
DIAGRAM = re.compile(r"!\[(?P<alt>[^\]]+)\]\((?P<file>[^)]+\.svg)\)")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
# Paging by keys and remote controls; without it the deck scrolls.
KEYS = """<script>
addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const slides = [...document.querySelectorAll("section")];
  slides[Math.min(Math.max(Math.round(scrollY / innerHeight) + by, 0), slides.length - 1)].scrollIntoView();
});
</script>"""


class SlideError(Exception):
    """A deck that names what is not there."""


def read(source: Path, notebook: str):
    """Read a notebook that a deck names."""
    path = (source.parent / notebook).resolve()
    if not path.exists():
        raise SlideError(f"{source.name}: there is no notebook {notebook}")
    return chapters.read_notebook(path)


def pictures(notebook) -> list[tuple[str, str, bytes]]:
    """Return alternative text, kind and content of all pictures that a notebook stores or shows."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for diagram in DIAGRAM.finditer(cell.source):
                content = (chapters.CHAPTERS / diagram["file"]).resolve().read_bytes()
                found.append((diagram["alt"], "svg+xml", content))
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
                found.append((alt, "png", base64.b64decode(picture)))
    return found


def image(source: Path, beginning: str, notebook: str) -> str:
    """Return the one picture whose alternative text begins so, as HTML that holds it."""
    fitting = [one for one in pictures(read(source, notebook)) if one[0].startswith(beginning)]
    if len(fitting) != 1:
        raise SlideError(f"{source.name}: {len(fitting)} pictures of {notebook} begin with {beginning!r}")
    alt, kind, content = fitting[0]
    uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return f'<figure class="{kind[:3]}"><img alt="{escape(alt)}" src="{uri}"></figure>'


def take_away(source: Path, notebook: str) -> str:
    """Return the list of a chapter's section Take-away."""
    text = "\n".join(c.source for c in read(source, notebook).cells if c.cell_type == "markdown")
    section = text.split("## Take-away\n")[1].split("\n## ")[0]
    return "\n".join(line for line in section.splitlines() if line.startswith("- "))


def html_of(markdown: str) -> str:
    """Return Markdown as HTML, mathematics as MathML, without comments; a number stays with its per cent."""
    plain = re.sub(r"<!--.*?-->", "", markdown, flags=re.DOTALL)
    plain = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", plain)
    written = re.sub(r"\$([^$]+)\$", lambda found: tex2mathml(found[1]), plain)
    return mistune.create_markdown(escape=False, plugins=["table"])(written)


def slide(source: Path, text: str) -> str:
    """Return one slide: heading, figure, lines."""
    text = SECTION.sub(lambda found: take_away(source, found["notebook"]), text.strip())
    figures = [image(source, found["beginning"], found["notebook"]) for found in FIGURE.finditer(text)]
    heading, _, rest = FIGURE.sub("", text).partition("\n")
    kind = "title" if heading.startswith("# ") else "figure" if figures else "text"
    lines = f'<div class="lines">{html_of(rest)}</div>' if rest.strip() else ""
    body = f'<div class="body">{"".join(figures)}{lines}</div>'
    return f'<section class="{kind}">\n{html_of(heading)}{body}\n</section>'


def deck(source: Path) -> str:
    """Return a deck as one page of HTML."""
    text = source.read_text(encoding="utf-8")
    title = re.match(r"# (.+)", text)[1]
    slides = "\n".join(slide(source, part) for part in re.split(r"\n---\n", text))
    css = (SOURCES / "slides.css").read_text(encoding="utf-8")
    return PAGE.format(title=f"{source.stem}. {escape(title)}", css=css, body=f"{slides}\n{KEYS}")


def listening_sheet() -> str:
    """Return the sheet for a class: emotions to tick for eight voices, answers on the second page."""
    voices = emodb.excerpts()
    emotions = sorted(voices["emotion"].unique())
    head = "".join(f"<th>{emotion}</th>" for emotion in emotions)
    boxes = '<td><span class="box"></span></td>' * len(emotions)
    rows = "".join(f"<tr><th>Voice {n}</th>{boxes}<td></td></tr>" for n in voices.index)
    answers = "".join(
        f"<tr><th>Voice {n}</th><td>{one['emotion']}</td><td>{one['gender']}</td>"
        f"<td>{100 * one['recognised']:.0f} %</td><td>{one['clip']}</td></tr>"
        for n, one in voices.iterrows()
    )
    text = (SOURCES / "listening_sheet.html").read_text(encoding="utf-8")
    css = (SOURCES / "listening_sheet.css").read_text(encoding="utf-8")
    body = text.format(head=head, rows=rows, answers=answers)
    return PAGE.format(title="Listening sheet", css=css, body=body)


def browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_pdf(page: Path) -> Path:
    """Print a page to the PDF beside it."""
    pdf = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser(), "--headless", "--disable-gpu", "--no-pdf-header-footer"]
        command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command += [f"--user-data-dir={profile}", f"--print-to-pdf={pdf.resolve()}", page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode or not pdf.exists():
        raise SlideError(f"{browser()} did not print {page.name}: {done.stderr.strip()[-300:]}")
    return pdf


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make slides and the listening sheet.")
    parser.add_argument(
        "names", nargs="*", help="chapters such as 03; all decks and the sheet if none is given"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "_build" / "slides")
    options = parser.parse_args(arguments)
    decks = {path.stem: path for path in sorted(SOURCES.glob("[0-9]*.md"))}
    if unknown := set(options.names) - set(decks):
        parser.error(f"no slides for {', '.join(sorted(unknown))}; there are {', '.join(decks)}")
    made = {name: deck(decks[name]) for name in options.names or decks}
    if not options.names:
        made["listening_sheet"] = listening_sheet()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, html in made.items():
        page = options.output / f"{name}.html"
        page.write_text(html, encoding="utf-8")
        if browser():
            print_pdf(page)
    print(f"In {options.output}, as HTML" + (" and PDF:" if browser() else ":"), *made)
    if not browser():
        print("For PDF install Chromium or Chrome, or open the pages and print them, backgrounds included.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

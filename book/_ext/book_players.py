"""Put sound into the players that executed notebooks leave as placeholders, where the corpus is at hand.

Synthetic sounds are made again from their recipe. Recorded clips become small files beside the built pages;
the repository and its notebooks never hold them. Where a corpus is missing, the page says how to get it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path

from serlab import players

PLACEHOLDER = re.compile(r'<div class="serlab-player"(?P<attributes>[^>]*)>(?P<inside>.*?)</div>', re.DOTALL)
ABSENT = re.compile(r'<p class="serlab-absent">(?P<caption>.*?) — run this cell to hear it</p>', re.DOTALL)
FOLDER = "_static/clips"


def attributes_of(tag: str) -> dict[str, str]:
    """Return the ``data-`` attributes written in a tag.

    >>> attributes_of(' data-corpus="demo" data-title="a &amp; b"')
    {'data-corpus': 'demo', 'data-title': 'a & b'}
    """
    return {name: unescape(value) for name, value in re.findall(r'(data-[\w-]+)="([^"]*)"', tag)}


def write_clip(attributes: dict[str, str], folder: Path) -> str | None:
    """Write a placeholder's sound into ``folder`` and return its file name; None if it is not here."""
    sound = players.resolve(attributes) if attributes else None
    if sound is None:
        return None
    content = base64.b64decode(players.data_uri(*sound).partition(",")[2])
    name = hashlib.sha256(content).hexdigest()[:16] + ".flac"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / name).exists():
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(content)
        os.replace(temporary, folder / name)
    return name


def fill_placeholders(html: str, folder: Path, path_to: Callable[[str], str]) -> str:
    """Return a page's HTML with its players filled or explained.

    Parameters
    ----------
    html : str
        The page.
    folder : Path
        Where clips are written.
    path_to : callable
        Turns a path below the built book into one relative to the page.
    """

    def filled(match: re.Match) -> str:
        attributes = attributes_of(match["attributes"])

        def sound_or_note(absent: re.Match) -> str:
            caption = absent["caption"]
            if name := write_clip(attributes, folder):
                source, label = escape(path_to(f"{FOLDER}/{name}")), escape(f"Play {unescape(caption)}")
                player = f'<audio controls preload="none" src="{source}" aria-label="{label}"></audio>'
                shown = "" if caption == escape(attributes.get("data-title", "")) else caption
                return player + (f'<p class="serlab-caption">{shown}</p>' if shown else "")
            if corpus := attributes.get("data-corpus"):
                link = escape(path_to("book/how_to_use.html") + "#get-the-corpora")
                why = f'{escape(corpus)} was not there when this page was built: <a href="{link}">get it</a>'
            else:
                why = "run this chapter to hear it"
            return f'<p class="serlab-absent">{caption} — {why}</p>'

        return match[0].replace(match["inside"], ABSENT.sub(sound_or_note, match["inside"]))

    return PLACEHOLDER.sub(filled, html)


def fill(app, pagename, templatename, context, doctree) -> None:
    """Fill the players of one page, when Sphinx is about to write it."""
    if "serlab-player" in context.get("body", ""):

        def path_to(path: str) -> str:
            return context["pathto"](path, resource=True)

        # Chapters name a file as Jupyter finds it; the built page has the same file elsewhere.
        body = context["body"].replace('src="../book/_static/', f'src="{path_to("_static/")}')
        context["body"] = fill_placeholders(body, Path(app.outdir) / FOLDER, path_to)

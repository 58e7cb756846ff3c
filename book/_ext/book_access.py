"""Names that a screen reader can say, where the theme gives none or another than the one on the screen."""

from __future__ import annotations

import re
from pathlib import Path

# What the theme writes, and what axe (https://github.com/dequelabs/axe-core) accepts.
CHANGES = {
    # Opens a part of the contents; there is only a picture of an arrow in it.
    '<summary><span class="toctree-toggle"': '<summary aria-label="its pages"><span class="toctree-toggle"',
    # The words in it are its name.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # References are no items of a list to a screen reader.
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    ' role="doc-biblioentry"': "",
    # The list of a package's modules belongs into the package's entry.
    '</li>\n<ul><li><a href="serlab/': '\n<ul><li><a href="serlab/',
    '</ul><li><a href="serlab/': '</ul></li>\n<li><a href="serlab/',
    "</ul></ul>": "</ul></li></ul>",
}


# The same in every language: what a pattern finds is left out, but for its group.
LEFT_OUT = (
    # The words in it are its name.
    r'(search-button__button pst-js-only" title="[^"]*") aria-label="[^"]*"',
    # The button is called after what it does, not after what it is set to.
    r'(data-mode="(?:light|dark|auto)") +title="[^"]*"',
)


def name(html: str) -> str:
    """Return a page's HTML with names for what has none."""
    for old, new in CHANGES.items():
        html = html.replace(old, new)
    for pattern in LEFT_OUT:
        html = re.sub(pattern, r"\1", html)
    return html


def name_all(app, error) -> None:
    """Change every page that was built, sidebars included."""
    if error is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            html = path.read_text(encoding="utf-8")
            if (named := name(html)) != html:
                path.write_text(named, encoding="utf-8")

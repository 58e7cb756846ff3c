"""The glossary: in order, and linked where pages first use its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = (ROOT / "book" / "glossary.md").read_text("utf-8").split("```{glossary}\n")[1]
TERMS = re.findall(r"(?m)^[^\s`].*$", GLOSSARY)
PAGES = re.findall(r"file: (chapters/\S+)\.ipynb", (ROOT / "_toc.yml").read_text("utf-8"))

# What a chapter may not use without a word of explanation: a pattern for the word, and its term.
KEY = {
    "k-NN|nearest neighbour": "k-nearest neighbours",
    "[Rr]andom forest": "random forest",
    "support vector machine|SVM": "support vector machine",
    "[Ll]ogistic regression": "logistic regression",
    "PCA|principal component": "PCA",
    "p-value": "p-value",
    "Holm": "Holm's correction",
    "BYOL-S": "BYOL-S",
    "OpenL3": "OpenL3",
    "Whisper": "Whisper",
    "EmoBox": "EmoBox",
    "eGeMAPS": "eGeMAPS",
    "summary features": "summary features",
    "speaker-disjoint|speaker-independent": "speaker-independent",
    "RMSprop": "RMSprop",
    "AdamW": "AdamW",
    "batch normalisation": "batch normalisation",
    "dropout": "dropout",
    "[Cc]orrelation": "correlation",
    "UAR": "UAR",
    "MFCC": "MFCC",
}


def anchor(term: str) -> str:
    """Return the place of a term in the built glossary."""
    return "term-" + re.sub(r"[^a-zA-Z0-9._-]+", "-", term)


def prose(page: str) -> str:
    """Return the text of a page up to its exercises without code, comments, tables, quotes and headings."""
    text = (ROOT / f"{page}.md").read_text("utf-8").split("\n## Exercises")[0]
    text = re.sub(
        r"(?sm)\A---\n.*?\n---\n|^```.*?^```$|<!--.*?-->|<details>.*?</details>|`[^`\n]*`", "", text
    )
    return re.sub(r"(?m)^[#>|].*$|!\[[^]]*\]\([^)]*\)|\[[^]]*\]\((?!\.\./book/glossary)[^)]*\)", "", text)


def test_terms_are_in_order_and_there_once():
    names = [re.sub(r"[^a-z0-9 ]", "", term.lower().replace("-", " ")) for term in TERMS]
    assert len(names) > 200
    assert names == sorted(set(names))


def test_no_definition_is_longer_than_three_sentences():
    for entry in re.split(r"\n(?=[^\s`])", GLOSSARY):
        assert len(re.findall(r"[.?!](?=\s|$)", entry.split("\n", 1)[1])) <= 4, entry


def test_every_term_that_a_page_links_to_exists():
    places = {anchor(term) for term in TERMS}
    linked = {}
    for path in [*ROOT.glob("chapters/*.md"), *ROOT.glob("book/*.md")]:
        found = re.findall(r"glossary\.md#([^)\s]+)\)", path.read_text("utf-8"))
        assert len(found) == len(set(found)), f"{path.name} links a term twice"
        linked |= dict.fromkeys(found, path.name)
    assert len(linked) > 30
    assert {place: page for place, page in linked.items() if place not in places} == {}


@pytest.mark.parametrize("word", KEY)
def test_key_terms_are_explained_or_linked_where_a_page_first_uses_them(word):
    used = rf"(?<![\w/-])(?:{word})"
    link = re.compile(rf"\[[^]]*(?:{word})[^]]*\]\(\.\./book/glossary\.md#{re.escape(anchor(KEY[word]))}\)")
    pages = 0
    for page in PAGES:
        text = prose(page)
        defined = any(re.search(used, bold) for bold in re.findall(r"\*\*(?!\s)[^*\n]+(?<!\s)\*\*", text))
        if defined or (first := re.search(used, text)) is None:
            continue
        found = link.search(text)
        assert found, f"{page} uses {first[0]!r} without a link to the glossary"
        assert found.start() <= first.start() <= found.end(), f"{page} uses {first[0]!r} before it links it"
        pages += 1
    assert pages

"""Sphinx extension of the book: tables from recorded runs, players, mathematics without JavaScript."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import book_access
import book_listening
import book_players
import book_talk
import readme
import recorded

from serlab.corpora import unified

logger = logging.getLogger(__name__)


class Generated(SphinxDirective):
    """A part of a page that is made from data when the page is read, and always read again."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        return self.content_nodes()

    def markdown(self, lines: list[str]) -> list[nodes.Node]:
        """Return the nodes of these Markdown lines."""
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), self.content_offset, holder)
        return holder.children

    def section(self, title: str, content: list[nodes.Node]) -> nodes.section:
        section = nodes.section("", nodes.title(title, title), *content, ids=[nodes.make_id(title)])
        section["names"].append(nodes.fully_normalize_name(title))
        return section


class Ladder(Generated):
    """The picture of what the recorded models reach, with its description."""

    def content_nodes(self) -> list[nodes.Node]:
        if not readme.PICTURE.exists():
            return []
        text = recorded.ladder_text(recorded.runs())
        image = nodes.image(uri="/book/_static/" + readme.PICTURE.name, alt=text)
        paragraph = nodes.paragraph(text, text)
        self.set_source_info(paragraph)  # so that it can be translated
        return [nodes.figure("", image, nodes.legend("", paragraph), align="left")]


class Chapters(Generated):
    """The table of chapters with what their models reach."""

    def content_nodes(self) -> list[nodes.Node]:
        return self.markdown(recorded.chapter_table(recorded.runs(), "../chapters/{stem}.ipynb"))


class Results(Generated):
    """All recorded runs: a section per corpus, a folded table per protocol, honest protocols first."""

    def content_nodes(self) -> list[nodes.Node]:
        table = recorded.runs()
        if table.empty:
            return self.markdown(["No runs are recorded yet."])
        return [
            self.section(of_corpus["corpus_title"].iloc[0], self.protocols(of_corpus))
            for of_corpus in (table[table["corpus"] == name] for name in recorded.corpora_in_order(table))
        ]

    def protocols(self, table) -> list[nodes.Node]:
        alike = table["classes"].nunique() == 1
        lines = [f"{table['clips'].iloc[0]} clips{f', {guessing(table)}' if alike else ''}.", ""]
        for name in dict.fromkeys(table["protocol"]):
            shown = table[table["protocol"] == name].sort_values("uar", ascending=False)
            kind = "Speakers shared" if shown["shared"].iloc[0] else "Speaker-disjoint"
            title = shown["protocol_title"].iloc[0]
            heading = title[0].upper() + title[1:] if "speaker" in title else f"{kind}: {title}"
            about = "" if alike else f": {guessing(shown)}"
            lines += [
                f":::{{dropdown}} {heading}{about}",
                f"Protocol `{name}`, {len(shown)} models.",
                "",
            ]
            for words, own in (
                ("As it is", shown[~shown["speaker_normalised"]]),
                ("With the test speakers' own unlabelled clips", shown[shown["speaker_normalised"]]),
            ):
                if len(own):
                    lines += [f"**{words}**, best first", "", *recorded.result_table(own), ""]
            lines += [":::", ""]
        return self.markdown(lines)


def guessing(table) -> str:
    classes = table["classes"].iloc[0]
    asked = unified.TASKS.get(table["protocol"].iloc[0], {}) if classes == 2 else {}
    named = "".join(f" ({name} or not)" for name in set(asked.values()) - {"other"})
    return f"{classes} classes{named}; guessing reaches {recorded.percent(1 / classes)} % UAR"


class ChapterTimes(Generated):
    """How long each chapter ran."""

    def content_nodes(self) -> list[nodes.Node]:
        return self.markdown(recorded.chapter_time_table())


class RunTimes(Generated):
    """How long each recorded run took."""

    def content_nodes(self) -> list[nodes.Node]:
        table = recorded.runs()
        return self.markdown(["No runs are recorded yet."] if table.empty else recorded.run_time_table(table))


def mathml(node: nodes.Element, as_block: bool) -> str:
    """Return mathematics as MathML, which browsers draw without scripts, fonts or a network."""
    try:
        return tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        logger.warning("cannot write %r as MathML: %s", node.astext(), error, location=node)
        return f"<code>{nodes.make_id(node.astext())}</code>"


def inline_math(translator, node: nodes.math) -> None:
    translator.body.append(mathml(node, as_block=False))
    raise nodes.SkipNode


def block_math(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="serlab-math">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def link_terms(app, doctree) -> None:
    """Let Markdown links end at a term of the glossary, ``glossary.md#term-UAR``, as at a heading."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for term in doctree.findall(nodes.term):
        slugs.update({name: (term.line, name, term.astext()) for name in term["ids"]})


def offer_student_version(app, pagename, templatename, context, doctree) -> None:
    """Put the chapter without its solutions beside the full one, where the theme offers Colab."""
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []) if group.get("label") == "launch-buttons" else []:
            if button["text"] == "Colab" and "/chapters/" in button["url"]:
                full = button | {"text": "Colab, with solutions"}
                url = button["url"].replace("/chapters/", "/student/")
                group["buttons"] = [button | {"text": "Colab, for students", "url": url}, full]


def setup(app):
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    for name, directive in {
        "serlab-ladder": Ladder,
        "serlab-chapters": Chapters,
        "serlab-results": Results,
        "serlab-chapter-times": ChapterTimes,
        "serlab-run-times": RunTimes,
    }.items():
        app.add_directive(name, directive)
    app.connect("doctree-read", link_terms)
    app.connect("html-page-context", book_players.fill)
    app.connect("html-page-context", offer_student_version, priority=900)  # after the theme
    app.connect("html-page-context", book_listening.fill)
    app.connect("build-finished", book_access.name_all)
    app.connect("build-finished", book_talk.add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}

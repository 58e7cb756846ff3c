"""Sphinx extension of the book: mathematics without JavaScript."""

from __future__ import annotations

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def inline_math(self, node: nodes.math) -> None:
    """Write inline mathematics as MathML, which browsers draw without scripts, fonts or a network."""
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def block_math(self, node: nodes.math_block) -> None:
    """Write displayed mathematics as MathML."""
    self.body.append('<div class="math">' + tex2mathml(node.astext(), as_block=True) + "</div>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

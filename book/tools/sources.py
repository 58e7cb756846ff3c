"""Numbers in the prose: each stands there literally, and a comment after it says where it comes from.

    The network reaches 63.2 % [58.9, 67.5]<!-- ravdess/emobox6/cnn: uar --> on unheard actors.

`check` compares every such number with its source, `sync` rewrites those that differ. A source is one of

    CORPUS/PROTOCOL/MODEL: SCORE        a recorded run: uar, accuracy, macro_f1, with intervals where the text
                                        has them; uar_fold_mean, uar_seed_sd, parameters, seconds
    RUN less RUN: SCORE                 two runs on the same clips: difference, interval, p-value
    TABLE.csv where QUERY: COLUMN, ...  the one row of a recorded table that fits a pandas query
    FILE.json at KEY / KEY: NAME, ...   numbers of a recorded JSON file
    corpus NAME: clips                  a fact of a corpus: clips, speakers
    cell: PATTERN                       what a cell of this chapter printed: groups of a regular expression
    cell CHAPTER: PATTERN               the same of another chapter, on slides
    = 100 / 8                           arithmetic
"""

from __future__ import annotations

import argparse
import ast
import json
import operator
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import nbformat
import pandas as pd
from chapter_problems import MARKED, NUMBER, ROOT

from serlab import corpora, evaluation, runs
from serlab.errors import SerlabError

PAGES = ("README.md", "book/*.md", "book/slides/*.md", "chapters/*.md")

RUN = r"[\w.-]+/[\w.-]+/[\w.-]+"
METRICS = ("uar", "accuracy", "macro_f1")
ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class SourceError(Exception):
    """A source that cannot be read, or that gives other numbers than the text has."""


def run_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Look up a score of a recorded run; where the text has three numbers, with its interval."""
    key, score = found["run"].split("/"), found["score"]
    if count > 1 and score in METRICS:
        one = evaluation.interval(read_run(*key), score)
        return [one.value, one.low, one.high]
    meta = read_run(*key).meta
    return [float({**meta, **meta["scores"]}[score])]


def difference_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Compare two recorded runs."""
    first, second = (read_run(*found[name].split("/")) for name in ("first", "second"))
    one = evaluation.compare(first, second, found["score"])
    return [one.difference, one.low, one.high, one.p]


def table_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Look up the one row of a recorded table."""
    rows = read_table(found["table"]).query(found["query"])
    if len(rows) != 1:
        raise SourceError(f"{len(rows)} rows of {found['table']} fit {found['query']!r}, not one")
    return [float(rows.iloc[0][name.strip()]) for name in found["columns"].split(",")]


def json_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Look up numbers of a recorded JSON file."""
    part = json.loads((runs.root() / found["file"]).read_text(encoding="utf-8"))
    for key in found["keys"].split(" / "):
        part = part[key]
    return [float(part[name.strip()]) for name in found["names"].split(",")]


def corpus_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Look up a fact of a corpus."""
    record = corpora.record(found["name"])
    return [{"clips": record.clips, "speakers": len(record.speakers)}[found["fact"]]]


def cell_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Find what a cell of the chapter printed, or of the chapter that is named."""
    notebook = page.with_suffix(".ipynb")
    if found["chapter"]:
        notebook = ROOT / "chapters" / f"{found['chapter']}.ipynb"
    printed = re.findall(found["pattern"], printed_in(notebook))
    if len(set(printed)) != 1:
        raise SourceError(f"{len(set(printed))} printed texts fit {found['pattern']!r}, not one")
    groups = printed[0] if isinstance(printed[0], tuple) else (printed[0],)
    return [number_of(group) for group in groups]


def arithmetic_values(found: re.Match, count: int, page: Path) -> list[float]:
    """Work out a sum of literal numbers."""

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            return ARITHMETIC[type(node.op)](value(node.left), value(node.right))
        return float(ast.literal_eval(node))

    return [value(ast.parse(found["sum"].strip(), mode="eval").body)]


# Whether the numbers of a source are shares, which a text with % or points shows times 100.
SOURCES: dict[str, tuple[Callable[[re.Match, int, Path], list[float]], bool]] = {
    rf"(?P<run>{RUN}):\s+(?P<score>\w+)": (run_values, True),
    rf"(?P<first>{RUN})\s+less\s+(?P<second>{RUN}):\s+(?P<score>\w+)": (difference_values, True),
    r"(?P<table>[\w./-]+\.csv)\s+where\s+(?P<query>.+):\s+(?P<columns>[\w, ]+)": (table_values, True),
    r"(?P<file>[\w./-]+\.json)\s+at\s+(?P<keys>.+):\s+(?P<names>[\w, ]+)": (json_values, True),
    r"corpus\s+(?P<name>\w+):\s+(?P<fact>clips|speakers)": (corpus_values, False),
    r"cell(?:\s+(?P<chapter>\w+))?:\s+(?P<pattern>.+)": (cell_values, False),
    r"=(?P<sum>.+)": (arithmetic_values, False),
}


@cache
def read_run(corpus: str, protocol: str, model: str) -> runs.Run:
    """Read a recorded run once."""
    return runs.read(corpus, protocol, model)


@cache
def read_table(name: str) -> pd.DataFrame:
    """Read a recorded table once."""
    return pd.read_csv(runs.root() / name)


@cache
def printed_in(notebook: Path) -> str:
    """Give all text that the cells of a chapter show."""
    texts = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            texts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


def number_of(text: str) -> float:
    """Read a number as it is written in prose.

    Examples
    --------
    >>> number_of("−1,440.5")
    -1440.5
    """
    return float(text.replace(",", "").replace("−", "-"))


def written(value: float, like: str) -> str:
    """Write a number in the manner of another: decimals, sign, thousands.

    Examples
    --------
    >>> written(0.125, "+3.1"), written(1440, "1,000")
    ('+0.1', '1,440')
    """
    decimals = len(like.partition(".")[2])
    sign = "+" if like.startswith("+") else ""
    comma = "," if "," in like or (value >= 10000 and decimals == 0) else ""
    text = f"{value:{sign}{comma}.{decimals}f}"
    return text.replace("-", "−") if "−" in like else text


def rewritten(marked: re.Match, page: Path) -> str:
    """Give a marked text with the numbers that its source has now."""
    text, source = marked["text"], " ".join(marked["source"].split())
    if "--" in source:
        raise SourceError("two hyphens end a comment in HTML: write it without")
    literals = list(re.finditer(NUMBER, text))
    kinds = [(re.fullmatch(pattern, source), *kind) for pattern, kind in SOURCES.items()]
    fitting = [kind for kind in kinds if kind[0]]
    if not fitting:
        raise SourceError("no such kind of source: see book/tools/sources.py")
    found, look_up, shares = fitting[0]
    values = look_up(found, len(literals), page)
    if len(literals) > len(values):
        raise SourceError(f"{len(literals)} numbers in the text, {len(values)} in the source")
    scale = 100 if shares and ("%" in text or "point" in text) else 1
    result, end = "", 0
    for literal, value in zip(literals, values, strict=False):
        p_value = re.search(r"p\s[=<]\s$", text[: literal.start()])
        shown = value if p_value else scale * value
        same = abs(number_of(literal.group()) - shown) <= 0.5 * 10 ** -len(literal.group().partition(".")[2])
        if p_value and p_value.group().startswith("p <"):
            same = shown < number_of(literal.group())
        result += text[end : literal.start()] + (literal.group() if same else written(shown, literal.group()))
        end = literal.end()
    return result + text[end:]


def marked_numbers(text: str) -> Iterator[re.Match]:
    """Find every number that a comment marks, code blocks left out."""
    fences = [found.span() for found in re.finditer(r"^(```+|~~~+).*?^\1", text, re.DOTALL | re.MULTILINE)]
    for found in MARKED.finditer(text):
        if not any(start <= found.start() < end for start, end in fences):
            yield found


def check_page(page: Path) -> tuple[str, list[str]]:
    """Compare a page with its sources.

    Returns
    -------
    str
        The page with the numbers that its sources have now.
    list of str
        One line per number that differs, or whose source cannot be read: page, line, what is wrong.
    """
    text = page.read_text(encoding="utf-8")
    problems, result, end = [], "", 0
    for found in marked_numbers(text):
        place = f"{page.name}:{text.count(chr(10), 0, found.start()) + 1}"
        try:
            now = rewritten(found, page)
        except (SourceError, SerlabError, KeyError, ValueError, OSError, re.error) as error:
            problems.append(f"{place}: {found['text']!r}, source {found['source']!r}: {error}")
            continue
        if now != found["text"]:
            problems.append(f"{place}: says {found['text']!r}, {found['source']} has {now!r}")
        result += text[end : found.start()] + now
        end = found.end("text")
    return result + text[end:], problems


def main(arguments: list[str] | None = None) -> int:
    """Check or rewrite the numbers of all pages, or of those named."""
    parser = argparse.ArgumentParser(description="Compare the numbers of the prose with their sources.")
    parser.add_argument("action", choices=("check", "sync"))
    parser.add_argument("pages", nargs="*", type=Path)
    given = parser.parse_args(arguments)
    pages = given.pages or [page for pattern in PAGES for page in sorted(ROOT.glob(pattern))]
    wrong = []
    for page in pages:
        text, problems = check_page(page)
        if given.action == "sync":
            page.write_text(text, encoding="utf-8")
            problems = check_page(page)[1]
        wrong += problems
    print("\n".join(wrong) if wrong else f"{len(pages)} pages: every marked number is that of its source")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

"""A few questions on each page of the book, to be answered in the book itself or in a notebook.

A page's questions are in the file ``NN_name.toml`` beside this one, each with options of which one is right,
and a reason for every option. Text may hold *emphasis*, `code` and links, as in Markdown.
"""

import base64
import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from serlab.errors import QuizError

_FOLDER = Path(__file__).parent
_MARKS = ((r"`(.+?)`", "code"), (r"\*(.+?)\*", "em"))


@dataclass(frozen=True)
class Quiz:
    """The questions of one page; a notebook shows them to be answered by mouse or keyboard.

    Options come in a new order whenever the page is loaded. The first answer to each question counts; the
    browser keeps it. Where no script runs, the questions are a list. Each has ``text`` and ``options``; an
    option has ``text``, ``reason``, and ``right`` if it is. `page` is the name of the chapter's file,
    "05_decision_tree".
    """

    page: str
    questions: list[dict]

    def __repr__(self) -> str:
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question['text']}")
            lines += [f"   - {option['text']}" for option in question["options"]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        questions = [_drawn(question) for question in self.questions]
        static = "".join(f"<li>{one['text']}{_list(one['options'])}</li>" for one in questions)
        # Nobody should read the answers by accident; who wants to find them will.
        hidden = base64.b64encode(json.dumps({"page": self.page, "questions": questions}).encode()).decode()
        style, script = ((_FOLDER / name).read_text("utf-8") for name in ("quiz.css", "quiz.js"))
        return (
            f'<div class="serlab-quiz" data-quiz="base64,{hidden}"><ol>{static}</ol></div>\n'
            f"<style>\n{style}</style>\n<script>\n{script}</script>"
        )


def pages() -> list[str]:
    """Return the names of the pages that have a quiz.

    Examples
    --------
    >>> pages()[:2]
    ['01_listening', '01b_one_cue_at_a_time']
    """
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def quiz(page: str) -> Quiz:
    """Return the quiz of a page, to be shown as the last value of a cell; `QuizError` if there is none.

    Pages are named by their numbers, such as ``"05"`` or ``"08b"``.

    Examples
    --------
    >>> len(quiz("05").questions)
    3
    """
    numbers = {name.split("_")[0]: name for name in pages()}
    if page not in numbers:
        raise QuizError(f"There is no quiz {page!r}; there are {', '.join(numbers)}.")
    content = tomllib.loads((_FOLDER / f"{numbers[page]}.toml").read_text("utf-8"))
    return Quiz(numbers[page], content["questions"])


def _drawn(entry: dict) -> dict:
    """Return a question or an option with its texts in HTML."""
    drawn = {key: _html(value) for key, value in entry.items() if isinstance(value, str)}
    if "options" in entry:
        return drawn | {"options": [_drawn(option) for option in entry["options"]]}
    return drawn | {"right": entry.get("right", False)}


def _list(options: list[dict]) -> str:
    items = (f"<li>{option['text']}</li>" for option in options)
    return f"<ul>{''.join(items)}</ul>"


def _html(text: str) -> str:
    text = escape(text, quote=False)
    for pattern, tag in _MARKS:
        text = re.sub(pattern, rf"<{tag}>\1</{tag}>", text)
    return re.sub(r"\[(.+?)\]\((.+?)\)", r'<a href="\2">\1</a>', text)

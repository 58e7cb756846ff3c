"""Write the quizzes in GIFT, which Moodle and other learning platforms import: one file per page.

    quizzes.py FOLDER

https://docs.moodle.org/en/GIFT_format
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from serlab.quizzes import Quiz, pages, quiz


def gift(questions: Quiz) -> str:
    """Return a quiz in GIFT: texts in Markdown, and the reason of each option as its feedback."""
    blocks = []
    for number, question in enumerate(questions.questions, 1):
        options = "\n".join(
            f"\t{'=' if option.get('right') else '~'}{escaped(option['text'])}#{escaped(option['reason'])}"
            for option in question["options"]
        )
        name = f"::{questions.page} {number}::"
        blocks.append(f"{name}[markdown]{escaped(question['text'])} {{\n{options}\n}}\n")
    return f"$CATEGORY: serlab/{questions.page}\n\n" + "\n".join(blocks)


def escaped(text: str) -> str:
    """Put a backslash before what GIFT would take for its own signs."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", text)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages():
        (folder / f"{page}.gift.txt").write_text(gift(quiz(page.split("_")[0])), encoding="utf-8")
    print(f"{len(pages())} quizzes in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))

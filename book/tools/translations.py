"""Bring the catalogues of translated pages up to date with the English text.

A translation is ``locale/LANGUAGE/LC_MESSAGES/PAGE.po``, a list of English paragraphs and what stands for
them in the other language; code and its outputs stay as they are. Where a paragraph is missing or marked
fuzzy, the page shows the English one. `make messages` calls this after Sphinx has written the English
paragraphs of all pages::

    translations.py FOLDER      FOLDER holds PAGE.pot for every page; prints what each catalogue lacks

A page is translated if its catalogue exists: an empty file is a beginning.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx_intl.catalog import dump_po, load_po, update_with_fuzzy

LOCALE = Path(__file__).resolve().parents[2] / "locale"


def page_of(catalogue: Path) -> str:
    """Return the page that a catalogue translates, such as ``book/index``."""
    parts = catalogue.with_suffix("").parts
    return "/".join(parts[parts.index("LC_MESSAGES") + 1 :])


def stale(catalogue, current) -> list[str]:
    """Return the paragraphs of the ``current`` text that have no translation, or one to be looked at."""
    found = {message.id: message for message in catalogue if message.string and not message.fuzzy}
    return [message.id for message in current if message.id and message.id not in found]


def main(folder: str) -> None:
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/**/*.po")):
        current = load_po(str(Path(folder, page_of(path)).with_suffix(".pot")))
        catalogue = load_po(str(path))
        update_with_fuzzy(catalogue, current)
        dump_po(str(path), catalogue, line_width=0)
        print(f"{path.relative_to(LOCALE)}: {len(stale(catalogue, current))} of {len(current)} to translate")


if __name__ == "__main__":
    main(sys.argv[1])

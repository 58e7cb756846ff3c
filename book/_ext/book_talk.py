"""What stands beside the page "Talk to the model": its scripts, the model as a graph, and what runs it.

The runtime is kept packed; it is unpacked where the book is built, and compared with its checksums.
"""

from __future__ import annotations

import hashlib
import lzma
import shutil
import sys
from pathlib import Path

from sphinx.errors import ExtensionError

TOOLS = Path(__file__).resolve().parents[1] / "tools"
SOURCE = Path(__file__).resolve().parents[1] / "talk"
RUNTIME = SOURCE / "onnxruntime"
# Serves the page, and all beside it, without a connection; a script may serve what lies in its own folder.
OFFLINE = "talk_offline.js"


def unpack(folder: Path, packed: Path = RUNTIME) -> None:
    """Unpack the runtime into a folder, its licence with it; refuse what is not as recorded."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(packed / "LICENSE", folder)
    for line in (packed / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        content = lzma.decompress((packed / f"{name}.xz").read_bytes())
        if hashlib.sha256(content).hexdigest() != digest:
            raise ExtensionError(f"{packed / name}.xz is damaged: git checkout {packed} restores it")
        (folder / name).write_bytes(content)


def write(folder: Path) -> None:
    """Write into the folder of the page, ``book`` of the built book, all that it needs."""
    sys.path.insert(0, str(TOOLS))
    import browser_model

    beside = folder / "talk"
    browser_model.write(beside)
    unpack(beside / "onnxruntime")
    for path in SOURCE.glob("*.*"):
        shutil.copy(path, folder if path.name == OFFLINE else beside)


def add(app, error) -> None:
    """Add it to a book that was built, if the page is in it."""
    if error is None and app.builder.format == "html" and "book/talk" in app.env.found_docs:
        write(Path(app.outdir) / "book")


def setup(app):
    app.connect("build-finished", add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

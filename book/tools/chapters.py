"""Execute, pair and check the chapters.

A chapter is ``chapters/NN_name.md`` (MyST text, the source) and ``chapters/NN_name.ipynb`` (its pair,
executed on the real corpora and committed with outputs)::

    chapters.py run [NAMES]           execute the text, write the notebook
    chapters.py run [NAMES] --corpus demo --output DIR    try another corpus, write elsewhere
    chapters.py sync [NAMES]          carry edited text and quiz into the notebook, keep other outputs
    chapters.py sync [NAMES] --to-md  carry edits made in Jupyter into the text
    chapters.py check [NAMES]         list what is wrong; status 1 if anything is

NAMES are beginnings of file names ("03"). What a chapter must look like is written in CONTRIBUTING.md;
what can be checked of it is checked here and by tests/test_chapters.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
import warnings
from collections import defaultdict
from pathlib import Path

import jupytext
import nbformat
from chapter_problems import (
    QUIZ,
    ROOT,
    exercise_problems,
    outline_problems,
    output_problems,
    quiz_page,
    source_problems,
)

CHAPTERS = ROOT / "chapters"
QUICK_SECONDS = 120
MAX_BYTES = 3_000_000

# The runner's environment: no progress bars, no audio inside outputs, no TensorFlow chatter.
ENVIRONMENT = {
    "TQDM_DISABLE": "1",
    "SERLAB_PLAYERS": "placeholder",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONHASHSEED": "0",
}


def digest(*parts: str) -> str:
    """Return 16 hexadecimal digits that tell these texts from others."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def code_hash(notebook) -> str:
    """Return the hash of all code cells, which says whether outputs belong to the code above them."""
    return digest(*(cell.source for cell in notebook.cells if cell.cell_type == "code"))


def pair_hash(notebook) -> str:
    """Return the hash of everything an author writes: kinds, sources and metadata of all cells."""
    return digest(*(json.dumps(_written(cell), sort_keys=True) for cell in notebook.cells))


def _written(cell) -> list:
    return [cell.cell_type, cell.source.strip("\n"), dict(cell.metadata)]


def select(names: list[str], folder: Path = CHAPTERS) -> list[Path]:
    """Return the chapters' texts whose names begin with one of ``names``, all of them for no name."""
    texts = sorted(folder.glob("[0-9]*_*.md"))
    for name in names:
        if not any(text.stem.startswith(name) for text in texts):
            raise SystemExit(f"no chapter begins with {name!r}; there are {[text.stem for text in texts]}")
    return [text for text in texts if not names or text.stem.startswith(tuple(names))]


def read_text(text: Path):
    """Read a chapter's text as a notebook without outputs, with cell ids that only change with their cell."""
    notebook = jupytext.reads(text.read_text(encoding="utf-8"), fmt="md:myst")
    seen: dict[str, int] = defaultdict(int)
    for cell in notebook.cells:
        name = digest(cell.cell_type, cell.source)
        seen[name] += 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return notebook


def read_notebook(path: Path):
    return nbformat.read(path, as_version=4)


def write_notebook(notebook, path: Path) -> None:
    """Write the notebook so that a reader of ``path`` sees the old one or the new one, nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def declared(notebook, kind: str) -> list[str]:
    """Return the corpora that the text's header names, or the embeddings whose weights it asks for."""
    return list(notebook.metadata.get("serlab", {}).get(kind, []))


def missing_weights(embeddings: list[str]) -> list[str]:
    """Return those embeddings whose trained weights are not on this computer."""
    import serlab.embeddings

    return [name for name in embeddings if getattr(serlab.embeddings, name)().weights.find() is None]


def edited_in_jupyter(notebook) -> bool:
    """Say whether somebody changed the notebook after this tool wrote it."""
    stored = notebook.metadata.get("serlab", {}).get("pair")
    return stored is not None and stored != pair_hash(notebook)


def _refuse_to_lose_edits(path: Path) -> None:
    if path.exists() and edited_in_jupyter(read_notebook(path)):
        raise SystemExit(
            f"{path.name} was edited after it was written: keep the edits with `chapters.py sync "
            f"{path.stem} --to-md`, or drop them with `git checkout -- {path.name}`."
        )


def finish(notebook, record: dict) -> None:
    """Keep of the metadata only what is the same on every machine, and the chapter's record."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    record = {**record, "pair": pair_hash(notebook)}
    language = {"name": "python", "pygments_lexer": "ipython3"}
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": kernel, "language_info": language, "serlab": record}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5


def execute(notebook, corpus: str | None = None, timeout: int = 3600) -> float:
    """Execute all cells in place, in a kernel of this Python, and return the seconds it took.

    Without ``corpus`` the chapter takes the one it prefers. A cell may take so many seconds.
    """
    from nbclient import NotebookClient

    environment = {key: value for key, value in os.environ.items() if key != "SERLAB_CORPUS"} | ENVIRONMENT
    if corpus:
        environment["SERLAB_CORPUS"] = corpus
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(CHAPTERS)}},
        record_timing=False,
        coalesce_streams=True,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        client.execute(env=environment)
    seconds = time.perf_counter() - start
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("needs_background", None)
    return seconds


def run(text: Path, corpus: str | None = None, output: Path | None = None) -> Path:
    """Execute a chapter's text and write its notebook, beside the text or into ``output``."""
    import serlab

    if corpus and output is None:
        raise SystemExit("committed notebooks hold the real corpora: give --output DIR with --corpus")
    target = (output or text.parent) / f"{text.stem}.ipynb"
    notebook = read_text(text)
    names = [corpus] if corpus else declared(notebook, "corpora")
    if not names:
        raise SystemExit(
            f"{text.name}: name its corpora in the header, as in `serlab: {{corpora: [ravdess]}}`"
        )
    if output is None:
        _refuse_to_lose_edits(target)
        missing = [name for name in names if serlab.corpora.find(name) is None]
        if missing:
            raise SystemExit(
                f"{text.name} needs {', '.join(missing)}: fetch them or set SERLAB_DATA; "
                "to try it without, use --corpus demo --output DIR."
            )
        if missing := missing_weights(declared(notebook, "embeddings")):
            raise SystemExit(
                f"{text.name} needs the weights of {', '.join(missing)}: `serlab.embeddings."
                f"{missing[0]}().weights.locate()` fetches them."
            )
    print(f"{text.stem}: running on {', '.join(names)} …", flush=True)
    seconds = execute(notebook, corpus)
    record = {
        "code": code_hash(notebook),
        "corpora": {name: serlab.corpora.content_hash(serlab.load(name)) for name in names},
        "embeddings": declared(notebook, "embeddings"),
        "seconds": round(seconds, 1),
        "quick": seconds < QUICK_SECONDS,
    }
    finish(notebook, record)
    write_notebook(notebook, target)
    print(f"{text.stem}: {seconds:.0f} s, written to {target.parent.name}/{target.name}")
    return target


def sync(text: Path) -> None:
    """Carry the text into the notebook; a code cell keeps its outputs as long as its source is the same."""
    path = text.with_suffix(".ipynb")
    _refuse_to_lose_edits(path)
    _write_pair(text, read_notebook(path) if path.exists() else None)


def sync_to_md(text: Path) -> None:
    """Carry the notebook's cells into the text, under the text's own header."""
    notebook = read_notebook(text.with_suffix(".ipynb"))
    header = text.read_text(encoding="utf-8").split("---\n", 2)[1]
    written = notebook.copy()
    written.metadata = {name: value for name, value in notebook.metadata.items() if name != "serlab"}
    body = jupytext.writes(written, fmt="md:myst").split("---\n", 2)[2]
    text.write_text(f"---\n{header}---\n{body}", encoding="utf-8")
    _write_pair(text, notebook)


def _write_pair(text: Path, executed) -> None:
    """Write the notebook of a text, with the outputs and the record of an executed one."""
    notebook, record = read_text(text), {}
    if executed is not None:
        record = dict(executed.metadata.get("serlab", {}))
        # What jupytext would do instead leaves outputs under code that was changed.
        done = defaultdict(list)
        for cell in executed.cells:
            done[cell.cell_type, cell.source].append(cell)
        for cell in notebook.cells:
            if cell.cell_type == "code" and done["code", cell.source]:
                match = done["code", cell.source].pop(0)
                cell.execution_count = match.execution_count
                cell.outputs = quiz_outputs(match) or match.outputs
    finish(notebook, record)
    write_notebook(notebook, text.with_suffix(".ipynb"))


def quiz_outputs(cell) -> list:
    """Return what a cell that shows a quiz shows now, on any corpus; nothing for another or an unrun cell."""
    import serlab

    found = QUIZ.fullmatch(cell.source)
    if not found or cell.execution_count is None:
        return []
    quiz = serlab.quiz(found[1])
    data = {"text/html": quiz._repr_html_(), "text/plain": repr(quiz)}
    return [nbformat.v4.new_output("execute_result", data, execution_count=cell.execution_count)]


def check(text: Path) -> list[str]:
    """List everything wrong with a chapter and its pair; an empty list if nothing is."""
    path = text.with_suffix(".ipynb")
    source = read_text(text)
    problems = [f"{text.name} {problem}" for problem in outline_problems(source)]
    if not declared(source, "corpora"):
        problems.append(f"{text.name} names no corpora in its header (`serlab: {{corpora: [ravdess]}}`)")
    page = text.stem.split("_")[0]
    if quiz_page(source) not in (None, page):
        problems.append(f'{text.name} has the quiz of another page: `serlab.quiz("{page}")`')
    for number, cell in enumerate(source.cells, 1):
        problems += [f"{text.name}, cell {number} {problem}" for problem in source_problems(cell)]
    if not path.exists():
        return [*problems, f"{text.name} has no notebook: `chapters.py run {text.stem}`"]
    notebook = read_notebook(path)
    record = notebook.metadata.get("serlab", {})
    if [_written(cell) for cell in source.cells] != [_written(cell) for cell in notebook.cells]:
        problems.append(f"{path.name} and {text.name} differ: `chapters.py sync {text.stem}`")
    if record.get("code") != code_hash(source):
        problems.append(f"{path.name} was executed with other code: `chapters.py run {text.stem}`")
    executed_on = record.get("corpora", {})
    if sorted(executed_on) != sorted(declared(source, "corpora")) or "demo" in executed_on:
        problems.append(f"{path.name} was executed on other corpora: `chapters.py run {text.stem}`")
    if path.stat().st_size > MAX_BYTES:
        problems.append(f"{path.name} has {path.stat().st_size} bytes, more than {MAX_BYTES}: draw less")
    problems += [f"{path.name} {problem}" for problem in exercise_problems(notebook)]
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            found = output_problems(cell)
            if cell.execution_count is None:
                found.append(f"was not run: `chapters.py run {text.stem}`")
            if quiz_outputs(cell) not in ([], cell.outputs):
                found.append(f"shows the quiz as it was: `chapters.py sync {text.stem}`")
            problems += [f"{path.name}, cell {number} {problem}" for problem in found]
    return problems


def unpaired(folder: Path = CHAPTERS) -> list[str]:
    """List notebooks without text; `check` finds texts without notebook."""
    return [
        f"{path.name} has no text {path.stem}.md"
        for path in sorted(folder.glob("*.ipynb"))
        if not path.with_suffix(".md").exists()
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Execute, pair and check the chapters.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("run", "sync", "check"):
        sub = commands.add_parser(command)
        sub.add_argument("names", nargs="*")
        if command == "run":
            sub.add_argument("--corpus", help="run on this corpus; needs --output")
            sub.add_argument("--output", type=Path, help="folder for the notebooks, instead of chapters/")
        if command == "sync":
            sub.add_argument("--to-md", action="store_true", help="from the notebook to the text")
    options = parser.parse_args(arguments)
    texts = select(options.names)
    if options.command == "check":
        problems = [problem for text in texts for problem in check(text)] + (
            [] if options.names else unpaired()
        )
        print("\n".join(problems) or f"{len(texts)} chapters in order")
        return bool(problems)
    for text in texts:
        if options.command == "run":
            run(text, options.corpus, options.output)
        elif options.to_md:
            sync_to_md(text)
        else:
            sync(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

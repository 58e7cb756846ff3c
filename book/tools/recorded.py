"""Tables in Markdown from recorded runs and executed notebooks, for the book's pages and README.md."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
RESULTS = ROOT / "book" / "results"

# What the landing page sets against each other: the published folds, and the split of the original notebook,
# the only one with shared speakers that every model has.
HONEST, SHARED = "emobox6", "seed-split"


def runs(root: Path = RESULTS) -> pd.DataFrame:
    """Return one row per recorded run, honest protocols first, then by chapter and score."""
    rows = []
    for path in sorted(root.glob("*/*/*.json")):
        meta = json.loads(path.read_text(encoding="utf-8"))
        scores = meta["scores"]
        rows.append(
            {
                "corpus": meta["corpus"]["name"],
                "corpus_title": meta["corpus"]["title"],
                "clips": meta["corpus"]["clips"],
                "protocol": meta["protocol"],
                "protocol_title": meta["protocol_title"],
                "shared": not meta["speaker_disjoint"],
                "model": meta["model"],
                "title": meta["title"],
                "chapter": int(re.match(r"\D*(\d+)", str(meta["chapter"]))[1]),
                "features": ", ".join(meta["features"]) or "none",
                "classes": len(meta["classes"]),
                "normalised": bool(meta["speaker_normalised"]),
                "seconds": float(meta["seconds"]),
                "seeds": len(meta["seeds"]),
                **{key: scores[key] for key in ("uar", "accuracy", "macro_f1")},
                # Too few speakers for an interval: the run has none.
                **{key: scores.get(key, math.nan) for key in ("uar_low", "uar_high")},
            }
        )
    table = pd.DataFrame(rows)
    return (
        table.sort_values(["corpus", "shared", "protocol", "chapter", "uar"], ignore_index=True)
        if rows
        else table
    )


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def interval(row) -> str:
    """Return a run's UAR with its interval, in percent."""
    if math.isnan(row.uar_low):
        return percent(row.uar)
    return f"{percent(row.uar)} [{percent(row.uar_low)}, {percent(row.uar_high)}]"


def corpora_in_order(table: pd.DataFrame) -> list[str]:
    """Return the corpora of recorded runs, the book's main one first."""
    return sorted(table["corpus"].unique(), key=lambda name: (name != "ravdess", name)) if len(table) else []


def result_table(table: pd.DataFrame) -> list[str]:
    """Return the lines of a Markdown table of runs."""
    lines = [
        "| model | features | UAR, % [95 % interval] | accuracy, % | macro-F1, % |",
        "|---|---|---|---|---|",
    ]
    for row in table.itertuples():
        title = row.title + (
            " (speaker-normalised)" if row.normalised and "normalis" not in row.title else ""
        )
        lines.append(
            f"| {title} | {row.features} | {interval(row)} "
            f"| {percent(row.accuracy)} | {percent(row.macro_f1)} |"
        )
    return lines


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def run_time_table(table: pd.DataFrame) -> list[str]:
    lines = ["| corpus | protocol | model | seeds | time |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.corpus_title} | {row.protocol} | {row.title} | {row.seeds} | {duration(row.seconds)} |"
        for row in table.sort_values("seconds", ascending=False).itertuples()
    ]
    return lines


def chapters(folder: Path = CHAPTERS) -> list[dict]:
    """Return number, file stem, title, first sentence and record of every chapter, in order."""
    found = []
    for path in sorted(folder.glob("[0-9]*_*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        opening = "".join(notebook["cells"][0]["source"])
        title, _, rest = opening.partition("\n")
        lead = " ".join(rest.strip().split("\n\n")[0].split())
        found.append(
            {
                "number": int(path.stem.split("_")[0]),
                "stem": path.stem,
                "title": title.lstrip("# ").strip(),
                "lead": re.split(r"(?<=[.!?])\s", lead)[0],
                "record": notebook["metadata"].get("serlab", {}),
            }
        )
    return found


def best_honest(table: pd.DataFrame, corpus: str = "ravdess", protocol: str = HONEST):
    """Return the best run on unseen speakers that needs nothing of the test speakers, or None."""
    if table.empty:
        return None
    shown = table[(table["corpus"] == corpus) & (table["protocol"] == protocol) & ~table["normalised"]]
    return None if shown.empty else shown.loc[shown["uar"].idxmax()]


def one_line(number: int, table: pd.DataFrame) -> str:
    """Say in one line what the models of a chapter reach; an empty string if it recorded none."""
    if table.empty:
        return ""
    own = table[table["chapter"] == number]
    best = best_honest(own)
    if best is None:
        return ""
    line = f"**{interval(best)} %** UAR on unseen RAVDESS speakers ({best.title})"
    twin = own[(own["corpus"] == "ravdess") & (own["protocol"] == SHARED) & (own["model"] == best.model)]
    return line + (f"; {percent(twin.iloc[0].uar)} % if speakers are shared" if len(twin) else "")


def chapter_table(table: pd.DataFrame, link: str, start: str = "") -> list[str]:
    """Return a Markdown table of chapters with what they show; ``link`` is formatted with the stem."""
    lines = ["| chapter | what it shows |", "|---|---|"]
    for chapter in chapters():
        result = one_line(chapter["number"], table)
        text = " ".join(part for part in (chapter["lead"], result) if part)
        lines.append(
            f"| {chapter['number']}. [{chapter['title']}]({link.format(stem=chapter['stem'])}) | {text} |"
        )
    return lines


def chapter_time_table() -> list[str]:
    lines = ["| chapter | corpora | time |", "|---|---|---|"]
    for chapter in chapters():
        record = chapter["record"]
        time = duration(record["seconds"]) if "seconds" in record else "not run yet"
        corpora = ", ".join(record.get("corpora", {})) or "–"
        lines.append(f"| [{chapter['title']}](../chapters/{chapter['stem']}.ipynb) | {corpora} | {time} |")
    return lines


def ladder_text(table: pd.DataFrame, corpus: str = "ravdess") -> str:
    """Say in words what the picture of all models shows, for those who cannot see it."""
    best = best_honest(table, corpus)
    if best is None:
        return "No runs are recorded yet."
    shown = table[(table["corpus"] == corpus) & ~table["normalised"]]
    shared = shown[shown["protocol"] == SHARED]
    text = (
        "Recall of the book's models on RAVDESS with 95\u00a0% intervals. "
        f"Guessing reaches {percent(1 / best.classes)}\u00a0%, "
        f"the best model {percent(best.uar)}\u00a0% on speakers it never heard ({best.title})"
    )
    if len(shared):
        best_shared = percent(shared["uar"].max())
        text += f". Where test speakers are also in training, the best shows {best_shared}\u00a0%"
    return text + "."

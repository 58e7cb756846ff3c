"""Tables in Markdown from recorded runs and executed notebooks, for the book's pages and README.md."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd

from serlab import runs as recorded_runs

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"
RESULTS = ROOT / "book" / "results"

# What README.md and the landing page set against each other: the published folds, and random ones. Those of
# "random5" test the same clips; of models that are slow to train there is only the random fifth of the
# original notebook.
HONEST = "emobox6"
SHARED = {"random5": "in five random folds of the same clips", "seed-split": "on a random fifth of the clips"}
# Chapter to model: the one that the chapter is about, plain, by name. A chapter's best by the test folds
# would be the luckiest, too, and look better than it is.
HEADLINES = {
    4: "loudness",
    5: "tree-tuned",
    6: "ann",
    7: "cnn",
    8: "augmented",
    9: "logreg-byols",
    10: "three-vote",
    14: "averages-compact",
    17: "logreg-whisper",
}
# The rungs of the ladder, the first picture of all, for those who have not read a word yet.
RUNGS = {
    4: "one number: loudness",
    5: "a decision tree",
    6: "a small neural network",
    7: "a convolutional network",
    8: "the same, with altered copies",
    9: "a network's ear, borrowed",
    10: "a vote of three models",
    17: "a speech transformer, borrowed",
}
# What a speech transformer changes: corpus and protocol, the vote of three models that the book had before,
# and a logistic regression on Whisper.
BESIDE = {
    "RAVDESS, eight emotions": ("ravdess", "emobox6", "three-vote", "logreg-whisper"),
    "EmoDB (2 s), seven": ("emodb_first2s", "loso", "three-vote", "logreg-whisper"),
    "nEMO, six": ("nemo", "loso", "three-vote", "logreg-whisper"),
    "all three, valence": (
        "unified",
        "ternary",
        "valence-vote-emotions",
        "valence-whisper-untreated-emotions",
    ),
}


def runs(root: Path = RESULTS) -> pd.DataFrame:
    """Return one row per recorded run, honest protocols first, then by chapter and score."""
    table = recorded_runs.table(root)
    if table.empty:
        return table
    features = table["features"].str.replace(" + ", ", ", regex=False).replace("", "none")
    table = table.assign(features=features, shared=~table["speaker_disjoint"])
    return table.sort_values(["corpus", "shared", "protocol", "chapter", "uar", "model"], ignore_index=True)


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def interval(row) -> str:
    """Return a run's UAR with its interval, in percent."""
    if math.isnan(row.uar_low):
        return percent(row.uar)
    return f"{percent(row.uar)} [{percent(row.uar_low)}, {percent(row.uar_high)}]"


def whisper_table(table: pd.DataFrame) -> list[str]:
    """Set Whisper beside the vote of three, plain and normalised by speaker, on unheard speakers."""
    lines = [
        "| UAR on unheard speakers, % | vote of three | Whisper "
        "| vote of three, normalised | Whisper, normalised |",
        "|---|---|---|---|---|",
    ]
    by_key = table.set_index(["corpus", "protocol", "model"])
    for title, (corpus, protocol, *models) in BESIDE.items():
        keys = [(corpus, protocol, model + suffix) for suffix in ("", "-spknorm") for model in models]
        if all(key in by_key.index for key in keys):
            lines.append(f"| {title} | {' | '.join(interval(by_key.loc[key]) for key in keys)} |")
    return lines


def corpora_in_order(table: pd.DataFrame) -> list[str]:
    """Return the corpora of recorded runs, the book's main one first."""
    return sorted(table["corpus"].unique(), key=lambda name: (name != "ravdess", name)) if len(table) else []


def result_table(table: pd.DataFrame) -> list[str]:
    """Return the lines of a Markdown table of runs."""
    lines = [
        "| model | features | borrows from | UAR, % [95 % interval] | accuracy, % | macro-F1, % |",
        "|---|---|---|---|---|---|",
    ]
    for row in table.itertuples():
        title = row.title + (
            " (speaker-normalised)" if row.speaker_normalised and "normalis" not in row.title else ""
        )
        lines.append(
            f"| {title} | {row.features} | {row.pretrained or '–'} | {interval(row)} "
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
        title, _, rest = re.sub("<!--.*?-->", "", opening).partition("\n")
        lead = " ".join(rest.strip().split("\n\n")[0].split())
        found.append(
            {
                # The second lesson of a chapter is called 1b, in the file 01b_name.
                "number": int(path.stem[:2]),
                "label": path.stem.split("_")[0].lstrip("0"),
                "stem": path.stem,
                "title": title.lstrip("# ").strip(),
                "lead": re.split(r"(?<=[.!?])\s", lead)[0],
                "words": words(notebook["cells"]),
                "record": notebook["metadata"].get("serlab", {}),
            }
        )
    return found


def headlines(table: pd.DataFrame, corpus: str = "ravdess") -> pd.DataFrame:
    """Return the runs on unseen speakers of the models that chapters are about, one a chapter."""
    if table.empty:
        return table
    chosen = table["chapter"].map(HEADLINES) == table["model"]
    return table[chosen & (table["corpus"] == corpus) & (table["protocol"] == HONEST)]


def shared_twins(table: pd.DataFrame, corpus: str = "ravdess") -> pd.DataFrame:
    """Return the runs of all models with shared speakers, one a model: on all clips where there is one."""
    shown = table[(table["corpus"] == corpus) & table["protocol"].isin(list(SHARED))]
    return shown.sort_values("protocol", key=lambda names: names.map(list(SHARED).index)).drop_duplicates(
        "model"
    )


def one_line(number: int, table: pd.DataFrame) -> str:
    """Say in one line what the model of a chapter reaches; an empty string if it recorded none."""
    for own in headlines(table).itertuples():
        if own.chapter == number:
            line = f"**{interval(own)} %** UAR on unseen RAVDESS speakers ({own.title})"
            for twin in shared_twins(table).query("model == @own.model").itertuples():
                line += f"; {percent(twin.uar)} % if speakers are shared, {SHARED[twin.protocol]}"
            return line
    return ""


def chapter_table(table: pd.DataFrame, link: str, start: str = "") -> list[str]:
    """Return a Markdown table of chapters with what they show; ``link`` is formatted with the stem."""
    lines = ["| chapter | how it begins, and what its model reaches |", "|---|---|"]
    for chapter in chapters():
        first = chapter["label"].isdigit()
        result = one_line(chapter["number"], table) if first else ""
        text = " ".join(part for part in (chapter["lead"], result) if part)
        lines.append(
            f"| {chapter['label']}. [{chapter['title']}]({link.format(stem=chapter['stem'])}) | {text} |"
        )
    return lines


def chapter_time_table() -> list[str]:
    lines = ["| chapter | words | corpora | code |", "|---|---|---|---|"]
    for chapter in chapters():
        record = chapter["record"]
        time = duration(record["seconds"]) if "seconds" in record else "not run yet"
        corpora = ", ".join(record.get("corpora", {})) or "–"
        link = f"[{chapter['title']}](../chapters/{chapter['stem']}.ipynb)"
        lines.append(f"| {link} | {chapter['words']:,} | {corpora} | {time} |")
    return lines


def words(cells: list[dict]) -> int:
    """Count the words of a notebook's text up to its exercises, without comments, tags and addresses.

    >>> words([{"cell_type": "markdown", "source": ["Two [words](x.md).<!-- a: b -->\\n", "## Exercises"]}])
    2
    """
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    text = re.sub(
        r"(?s)^## Exercises.*|<!--.*?-->|<[^>]+>|\]\([^)]*\)|```.*?```", "", text, flags=re.MULTILINE
    )
    return len(re.findall(r"\w[\w'’.,-]*", text))


def ladder_text(table: pd.DataFrame, corpus: str = "ravdess") -> str:
    """Say in words what the picture of all models shows, for those who cannot see it."""
    shown = headlines(table, corpus)
    if shown.empty:
        return "No runs are recorded yet."
    top = shown[shown["chapter"].isin(list(RUNGS))].sort_values("chapter").iloc[-1]
    text = (
        "How many emotions of RAVDESS a model recognises, with 95\u00a0% intervals over speakers: for each "
        "chapter the model that it is about, not the best of its variants. Guessing reaches "
        f"{percent(1 / top.classes)}\u00a0%; the last of the ladder ({RUNGS[top.chapter]}) "
        f"reaches {percent(top.uar)}\u00a0% on speakers it never heard"
    )
    for twin in shared_twins(table, corpus).query("model == @top.model").itertuples():
        text += (
            f". Where test speakers are also in training, it shows {percent(twin.uar)}\u00a0%, "
            f"{SHARED[twin.protocol]}"
        )
    return f"{text}. All speakers say the same two sentences, in training and in the test."

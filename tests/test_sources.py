"""Numbers in the prose and their sources: what differs is named by page and line, and can be rewritten."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest

from serlab import evaluation, runs

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

import sources  # noqa: E402

TREE, FOREST = "ravdess/emobox6/tree-tuned", "ravdess/emobox6/forest"


@pytest.fixture
def page(tmp_path):
    """Write a page and check it."""

    def write(text):
        path = tmp_path / "05_page.md"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def scores(key):
    return runs.read(*key.split("/")).meta["scores"]


def test_every_number_of_the_book_is_that_of_its_source():
    assert sources.main(["check"]) == 0


def test_scores_intervals_and_differences_are_those_of_recorded_runs(page):
    tree, forest = (runs.read(*key.split("/")) for key in (TREE, FOREST))
    interval, gain = evaluation.interval(tree), evaluation.compare(forest, tree)
    text = (
        f"One tree has {100 * scores(TREE)['uar']:.1f} %<!-- {TREE}: uar -->, that is **{interval}**"
        f"<!-- {TREE}: uar -->.\nThe forest gains {str(gain).partition(',')[0]}"
        f"<!-- {FOREST} less {TREE}: uar -->, or {gain}<!--\n{FOREST} less {TREE}: uar -->."
    )
    # The comma within the brackets belongs to the interval.
    text = text.replace(str(gain).partition(",")[0] + "<", str(gain).partition(", p")[0] + "<")
    assert sources.check_page(page(text)) == (text, [])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("10 %<!-- = 100 / 8 -->", "12 %<!-- = 100 / 8 -->"),
        ("10.0 %<!-- = 100 / 8 -->", "12.5 %<!-- = 100 / 8 -->"),
        (
            "1,000 clips 1,000<!-- corpus ravdess: clips -->",
            "1,000 clips 1,440<!-- corpus ravdess: clips -->",
        ),
        ("−1.0<!-- = 2 * (3 - 4.25) -->", "−2.5<!-- = 2 * (3 - 4.25) -->"),
        ("p = 0.5<!-- = 1 / 4 -->", "p = 0.2<!-- = 1 / 4 -->"),
    ],
)
def test_a_wrong_number_is_named_and_rewritten_as_it_was_written(page, wrong, right):
    text, problems = sources.check_page(page(f"# Title\n\nSo it is {wrong}.\n"))
    assert text == f"# Title\n\nSo it is {right}.\n"
    assert len(problems) == 1
    assert problems[0].startswith("05_page.md:3: says ")
    assert sources.check_page(page(text)) == (text, [])


def test_a_run_that_changes_names_the_sentences_that_speak_of_it(page, tmp_path, monkeypatch):
    run = runs.read(*TREE.split("/"))
    uar = f"{100 * run.meta['scores']['uar']:.1f} %"
    text = f"One tree: {uar}<!-- {TREE}: uar -->.\n\nOne forest: about {100 * scores(FOREST)['uar']:.0f} %"
    text += f"<!-- {FOREST}: uar -->.\n"
    predictions = run.predictions.copy()
    predictions.loc[predictions.index[::7], "predicted"] = predictions.loc[predictions.index[::7], "label"]
    changed = runs.Run(predictions, run.meta | {"scores": evaluation.scores(predictions), "threads": {}})
    runs.write(changed, tmp_path)
    runs.write(runs.read(*FOREST.split("/")), tmp_path)
    monkeypatch.setattr(sources, "read_run", lambda *key: runs.read(*key, tmp_path))
    now, problems = sources.check_page(page(text))
    assert [line.partition(" has ")[0] for line in problems] == [f"05_page.md:1: says '{uar}', {TREE}: uar"]
    assert f"{100 * changed.meta['scores']['uar']:.1f} %" in now


def test_what_a_cell_printed_and_what_a_table_holds_are_sources(page):
    row = sources.read_table("few-labels/vote.csv").iloc[3]
    query = f'model == "{row.model}" and percent == {row.percent} and metric == "{row.metric}"'
    shown = f"{100 * row.value:.1f} % [{100 * row.low:.1f}, {100 * row.high:.1f}]"
    text = (
        "It printed 31.4 %<!-- cell: UAR ([\\d.]+) % --> and has "
        f"{shown}<!-- few-labels/vote.csv where {query}: value, low, high -->, "
        "then 66.7 %<!-- leaks/ravdess.json at scores / as it was: uar -->."
    )
    path = page(text)
    output = nbformat.v4.new_output("stream", name="stdout", text="UAR 31.4 % of 288 clips\n")
    cell = nbformat.v4.new_code_cell("print()", outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path.with_suffix(".ipynb"))
    assert sources.check_page(path) == (text, [])


def test_slides_name_the_chapter_whose_cell_is_meant(page):
    text = "A peek brings {} points<!-- cell 03_honest_evaluation: peek: \\+([\\d.]+) points -->."
    now, problems = sources.check_page(page(text.format("9.9")))
    chapter = (ROOT / "chapters/03_honest_evaluation.md").read_text(encoding="utf-8")
    shown = now.removeprefix("A peek brings ").partition(" points")[0]
    assert (len(problems), f"The peek is worth {shown} points" in chapter) == (1, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 %<!-- ravdess/emobox6/nobody: uar -->", "nobody.json does not exist"),
        ("1 %<!-- ravdess/emobox6/tree: beauty -->", "beauty"),
        ("1 %<!-- somewhere -->", "no such kind of source"),
        ("1 %<!-- cell: a--b ([0-9]) -->", "two hyphens end a comment"),
        ("1 % [0, 2]<!-- = 1 -->", "3 numbers in the text, 1 in the source"),
        ('1<!-- few-labels/vote.csv where model == "none": value -->', "0 rows"),
    ],
)
def test_a_source_that_cannot_be_read_is_named_and_the_text_stays(page, text, message):
    after, (problem,) = sources.check_page(page(text))
    assert after == text
    assert message in problem


def test_code_blocks_are_left_alone(page):
    text = "```text\n1 %<!-- = 2 -->\n```\n"
    assert sources.check_page(page(text)) == (text, [])

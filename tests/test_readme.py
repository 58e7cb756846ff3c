"""README.md shows what is recorded, its links lead somewhere, and the public address is one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from test_book import RUNS
from test_chapters import load_tool

import serlab
from serlab import models, runs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
address = load_tool("address")
chapter_problems = load_tool("chapter_problems")
readme = load_tool("readme")
recorded = load_tool("recorded")


def test_table_and_picture_are_up_to_date():
    assert readme.problems(recorded.runs()) == []


def test_links_and_pictures_exist():
    for link in re.findall(r"\]\(([^)\s]+)\)", README):
        if not link.startswith(("http:", "https:", "#")):
            assert (ROOT / unquote(link.split("#")[0])).exists(), link


def test_pictures_have_alternative_text():
    pictures = re.findall(r"!\[([^\]]*)\]\(", README)
    assert pictures
    assert all(pictures)


def test_says_the_two_commands_and_how_to_get_and_cite():
    for said in (
        "make book",
        "make test",
        "serlab.fetch(",
        "SERLAB_DATA",
        "CITATION.cff",
        "CC BY 4.0",
        "BSD 3-Clause",
    ):
        assert said in README, said


def test_the_blocks_of_how_to_use_run_on_recordings_of_ones_own(demo, tmp_path, monkeypatch):
    """All but those that download a corpus, in their order, with the files that they name."""
    monkeypatch.chdir(tmp_path)
    own = demo[demo["emotion"].isin(["happy", "sad", "angry"]) & (demo["sentence"] == "s1")]
    folder = tmp_path / "path" / "to" / "folder"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = own[["emotion", "speaker", "gender"]].assign(file=own["clip"] + ".flac")
    rows["arousal"] = rng.uniform(-1, 1, len(own)).round(3)
    rows.to_csv(folder / "metadata.csv", index=False)
    for path, name in zip(own["path"], rows["file"], strict=True):
        shutil.copy(path, folder / name)
    parts = pd.DataFrame({"file": [own["path"].iloc[0]], "start": 0.1, "end": 0.4, "emotion": "sad"})
    parts.assign(speaker="01").to_csv("parts.csv", index=False)
    frame = pd.DataFrame(rng.normal(size=(len(own), 3)), columns=list("xyz")).assign(file=list(rows["file"]))
    frame.to_csv("egemaps.csv", sep=";", index=False)
    counts = pd.DataFrame(rng.integers(0, 3, (len(own), 3)), columns=["happy", "sad", "angry"]) + 1
    counts.assign(clip=list(own["clip"])).to_csv("votes.csv", index=False)
    text = (ROOT / "book" / "how_to_use.md").read_text("utf-8")
    blocks = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if ".fetch(" not in code]
    assert len(blocks) >= 6
    names = {"serlab": serlab}
    for code in blocks:
        exec(code, names)
    assert Path("cut/0.wav").exists()
    assert Path("mine.serlab").exists()
    assert len(names["predictions"]) == len(own)


def test_address_is_everywhere_the_same():
    url, branch, pages = address.current()
    assert pages == address.pages_of(url)
    path = url.removeprefix("https://github.com/")
    for file in address.files():
        text = file.read_text("utf-8")
        for other in re.findall(r"colab\.research\.google\.com/github/([^/]+/[^/]+)/blob/([^/]+)/", text):
            assert other == (path, branch), file.name
        for other in re.findall(r"serlab(?:\[[\w,]+\])? @ git\+(\S+?)@([^\"`'\s\\]+)", text):
            assert other == (url, branch), file.name
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'Repository = "{url}"' in project
    assert f'Documentation = "{pages}"' in project
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(rf"^repository-code: ['\"]?{re.escape(url)}['\"]?$", citation, re.MULTILINE)
    assert re.search(rf"^url: ['\"]?{re.escape(pages)}['\"]?$", citation, re.MULTILINE)
    for text in address.chapters.select([]):
        notebook = address.chapters.read_notebook(text.with_suffix(".ipynb"))
        first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert re.search(rf'"serlab(\[[\w,]+\])? @ git\+{re.escape(url)}@{branch}"', first), text.stem


@pytest.fixture
def copy(tmp_path):
    """Copy the files that hold the address."""
    for path in [*address.files(), *(ROOT / "chapters").glob("*.ipynb")]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_address_is_rewritten_everywhere(copy, monkeypatch):
    old_url, _, old_pages = address.current()
    new = "https://github.com/Somebody/ser-course"
    address.rewrite(new, "v9", address.pages_of(new), copy)
    assert address.current(copy) == (new, "v9", "https://somebody.github.io/ser-course")
    for path in address.files(copy):
        text = path.read_text("utf-8")
        assert old_url not in text
        assert old_pages not in text
        assert f"git+{new}@main" not in text
    monkeypatch.setattr(chapter_problems, "ROOT", copy)
    opening = address.student.make(ROOT / "chapters" / "01_listening.md").cells[0].source
    assert opening.count("/github/Somebody/ser-course/blob/v9/") == 2
    address.carry_into_notebooks(copy / "chapters")
    for text in address.chapters.select([], copy / "chapters"):
        notebook = address.chapters.read_notebook(text.with_suffix(".ipynb"))
        assert f"git+{new}@v9" in next(cell.source for cell in notebook.cells if cell.cell_type == "code")
        before = address.chapters.read_notebook(ROOT / "chapters" / f"{text.stem}.ipynb")
        assert [cell.get("outputs") for cell in notebook.cells] == [
            cell.get("outputs") for cell in before.cells
        ]
        assert not any("other code" in problem for problem in address.chapters.check(text)) or (
            before.metadata.get("serlab", {}).get("code") is None
        )


def test_bad_address_is_refused(capsys):
    with pytest.raises(SystemExit):
        address.main(["ftp://example.org/x"])
    assert "OWNER/NAME" in capsys.readouterr().err


def write_runs(folder: Path) -> None:
    import json

    for run in RUNS:
        path = folder / run["corpus"]["name"] / run["protocol"] / f"{run['model']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(run), "utf-8")


def test_picture_shows_honest_and_flattering_runs_and_names_its_data(tmp_path):
    write_runs(tmp_path)
    table = recorded.runs(tmp_path)
    shown = readme.ladder_runs(table)
    assert list(shown["model"]) == ["tree-tuned", "tree-tuned"]
    readme.draw(table, tmp_path / "a.svg")
    readme.draw(table, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert readme.fingerprint(table) in (tmp_path / "a.svg").read_text("utf-8")
    table["uar"] += 0.01
    assert readme.fingerprint(table) not in (tmp_path / "a.svg").read_text("utf-8")


def test_headlines_are_models_of_their_chapters_that_need_nothing_of_test_speakers():
    for chapter, name in recorded.HEADLINES.items():
        spec = models.get(name)
        assert (spec.chapter, spec.speaker_normalised) == (chapter, False)
        assert ("ravdess", recorded.HONEST) in (runs.PLAN if spec.plan is None else spec.plan)


def test_a_headline_does_not_follow_the_scores(tmp_path):
    write_runs(tmp_path)
    table = recorded.runs(tmp_path)
    line = recorded.one_line(5, table)
    assert "Tree-Tuned" in line
    table.loc[table["model"] == "forest", "uar"] = 0.99
    assert recorded.one_line(5, table) == line
    assert "(a decision tree)" in recorded.ladder_text(table)


def test_the_ladder_is_described_by_its_last_rung():
    table = recorded.runs()
    last = readme.ladder_runs(table).query("not shared").iloc[-1]
    assert (
        f"the last of the ladder ({recorded.RUNGS[17]}) reaches {recorded.percent(last['uar'])}\u00a0%"
        in recorded.ladder_text(table)
    )


def test_shared_speakers_are_tested_on_the_same_clips_where_they_can_be(tmp_path):
    write_runs(tmp_path)
    table = recorded.runs(tmp_path)
    assert "55.5 % if speakers are shared, on a random fifth of the clips" in recorded.one_line(5, table)
    fifth = table[table["protocol"] == "seed-split"]
    table = pd.concat([table, fifth.assign(protocol="random5", uar=0.444)], ignore_index=True)
    assert "44.4 % if speakers are shared, in five random folds of the same clips" in recorded.one_line(
        5, table
    )
    assert list(readme.ladder_runs(table)["protocol"]) == ["emobox6", "random5"]


def test_outdated_readme_is_found(tmp_path, monkeypatch):
    write_runs(tmp_path)
    monkeypatch.setattr(readme, "PICTURE", tmp_path / "ladder.svg")
    found = readme.problems(recorded.runs(tmp_path))
    assert any("a table is out of date" in problem for problem in found)
    assert any("ladder.svg" in problem for problem in found)


def test_without_runs_nothing_is_claimed(tmp_path):
    table = recorded.runs(tmp_path)
    assert recorded.one_line(5, table) == ""
    assert recorded.ladder_text(table) == "No runs are recorded yet."
    assert all("%" not in line for line in recorded.chapter_table(table, "{stem}"))

"""The teachers' guide: what it names is there, and each activity with code is done, as it says, on demo."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from test_chapters import load_tool

import serlab
from serlab import evaluation, features, plots, store, training
from serlab.corpora import emodb
from serlab.corpora.synthesis import SAMPLE_RATE, synthesise_phrase

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "book" / "teaching.md").read_text("utf-8")
PLANS = re.split(r"(?m)^### ", GUIDE.split("## Lesson plans\n")[1].split("\n(")[0])[1:]
CHAPTERS = ROOT / "chapters"


def text_of(name: str) -> str:
    """Return the text of the one page whose file begins with this name, such as 02b."""
    (path,) = CHAPTERS.glob(f"{name}_*.md")
    return path.read_text("utf-8")


def has_exercise(text: str, number: str) -> bool:
    """Where a page has one exercise only, it has no number."""
    return f"**Exercise {number}.**" in text or (number == "1" and "**Exercise.**" in text)


@pytest.fixture
def run(monkeypatch):
    """Give a function that runs code cells of a page, with some text changed, and returns its names.

    Of demo it takes one clip of each speaker and emotion: what an activity does to six of a kind is the same.
    """
    load = serlab.load
    one_each = ["speaker", "emotion"]
    monkeypatch.setattr(
        serlab, "load", lambda name: load(name).groupby(one_each).head(1).reset_index(drop=True)
    )
    monkeypatch.setenv("SERLAB_CORPUS", "demo")
    monkeypatch.setenv("SERLAB_PLAYERS", "placeholder")

    def cells(name: str, changes: dict[str, str], until: str = "**Exercise", only: tuple = ()) -> dict:
        names: dict = {}
        (path,) = CHAPTERS.glob(f"{name}_*.md")
        code, left = [], set(changes)
        for cell in load_tool("chapters").read_text(path).cells:
            if until in cell.source:
                break
            wanted = not only or any(part in cell.source for part in ("import serlab\n", *only))
            if cell.cell_type == "code" and wanted and "setup" not in cell.metadata.get("tags", []):
                code.append(cell.source)
        for source in code:
            for old in changes:
                left -= {old} if old in source else set()
                source = source.replace(old, changes[old])
            exec(compile(source, f"{name}: {source[:40]}", "exec"), names)
        assert not left, f"{path.name} has no line {left}"
        plt.close("all")
        return names

    return cells


def test_every_exercise_that_the_guide_names_exists():
    named = re.findall(r"\]\(\.\./chapters/(\S+)\.ipynb\): ([\d, ]+)", GUIDE)
    assert len(named) > 60
    for name, numbers in named:
        text = (CHAPTERS / f"{name}.md").read_text("utf-8")
        assert [n for n in re.findall(r"\d+", numbers) if not has_exercise(text, n)] == [], name


def test_every_page_practises_an_outcome():
    table = GUIDE.split("## What they learn")[1].split("\n## ")[0]
    mapped = set(re.findall(r"\]\(\.\./chapters/(\S+)\.ipynb\): \d", table))
    assert mapped == {path.stem for path in CHAPTERS.glob("[0-9]*.md")}


def test_misconceptions_are_answered_in_sections_that_exist():
    rows = re.findall(r'\(\.\./chapters/(\S+)\.ipynb\), "(.+?)" \|', GUIDE)
    assert len(rows) > 12
    for name, section in rows:
        assert f"\n## {section}\n" in (text := (CHAPTERS / f"{name}.md").read_text("utf-8")) or (
            f"\n### {section}\n" in text
        ), section


def test_sections_that_the_class_plan_names_exist():
    plan = GUIDE.split("## One class, minute by minute")[1].split("\n## ")[0]
    named = re.findall(r'"([A-Z][^"]+)"', plan)
    assert len(named) > 7
    assert [name for name in named if f"## {name.rstrip(';')}\n" not in text_of("03")] == []


def test_the_exercise_that_the_class_plan_hands_out_is_the_one_with_three_scripts():
    number = re.search(r"three scripts of exercise (\d)", GUIDE)[1]
    exercise = text_of("03").split(f"**Exercise {number}.** ")[1].split("\n")[0]
    assert "three short scripts" in exercise
    assert f"scripts of exercise {number}.\n" in PLANS[4]
    assert f"exercise {number} and its solution" in GUIDE


def minutes(page: str) -> int:
    """Return how long a page says that it takes."""
    return int(re.search(r"\*\*How long it takes\*\*: about (\d+) minutes", page)[1])


def test_the_pages_own_estimates_add_up_to_what_the_guide_says():
    total = sum(minutes(path.read_text("utf-8")) for path in CHAPTERS.glob("[0-9]*.md"))
    assert f"{total // 60} hours and {total % 60} minutes" in GUIDE


def test_reading_paths_take_as_long_as_their_pages():
    text = (ROOT / "book" / "how_to_use.md").read_text("utf-8")
    paths = re.findall(r"(?m)^\| (.*) \| (\d) h (\d+) min \|$", text)
    assert len(paths) > 4
    for row, hours, rest in paths:
        pages = re.findall(r"\[(\w+)\]\(\.\./chapters/(\S+)\.ipynb\)", row)
        assert [name.split("_")[0].lstrip("0") for _, name in pages] == [label for label, _ in pages]
        total = sum(minutes((CHAPTERS / f"{name}.md").read_text("utf-8")) for _, name in pages)
        assert total == 60 * int(hours) + int(rest), row


def test_every_page_leads_to_a_later_one_and_is_reached_from_an_earlier_one():
    order = re.findall(r"file: chapters/(\S+)\.ipynb", (ROOT / "_toc.yml").read_text("utf-8"))
    reached = set()
    for place, name in enumerate(order):
        ending = (CHAPTERS / f"{name}.md").read_text("utf-8").split("\n## Where next\n")[1]
        later = {found for found in re.findall(r"\((\w+)\.ipynb\)", ending) if order.index(found) > place}
        assert later or name == order[-1], name
        reached |= later
    assert reached == set(order[1:])


def test_every_activity_is_an_exercise_paper_talk_or_code_that_is_run_here():
    coded = set()
    for plan in PLANS:
        name = re.search(r"chapters/(\d+b?c?)_", plan)[1]
        for kind in ("For all", "For the quick ones"):
            activity = re.search(rf"\*\*{kind}\*\*: (.*?)(?=\n- |\Z)", plan, re.DOTALL)[1]
            marked = re.findall(r"\((code|paper|talk)\)|(exercise) \d", activity)
            assert len(marked) == 1, (name, kind, marked)
            if marked[0][0] == "code":
                coded.add(f"{name} {kind}")
    assert coded == set(ACTIVITIES)


def tally(run, folder):
    voices = emodb.excerpts()
    played = [*voices["emotion"]] * 2
    answered = ["angry", "bored", "angry", "fearful", "neutral", "sad", "angry", "sad", *voices["emotion"]]
    ax = plots.confusion_matrix(played, answered)
    assert sum(int(text.get_text()) for text in ax.texts) == len(played)


def cue(run, folder):
    names = run("01b", {}, until="dull = ")
    heard = eval(re.search(r"`play\((turn.*?)\)` ", GUIDE)[1], names)
    names["play"](heard)
    assert len({y.tobytes() for y in heard.values()}) == 3


def frames(run, folder):
    for n_fft, hop in ((256, 64), (2048, 512)):
        found = run("02", {"N_FFT, HOP = 1024, 256": f"N_FFT, HOP = {n_fft}, {hop}"})
        assert found["power"].shape == (n_fft // 2 + 1, 1 + len(found["y"]) // hop)
        assert np.allclose(found["stft"], found["by_library"], atol=1e-3)


def own_frames(run, folder):
    soundfile.write(folder / "mine.wav", synthesise_phrase("d02"), SAMPLE_RATE)
    change = {'audio.read(clip["path"], RATE)': f"audio.read({str(folder / 'mine.wav')!r}, RATE)"}
    found = run("02", change, only=("clip = ", "frame_lengths"))
    assert 0.3 < len(found["y"]) / found["RATE"] < 5


def few_bands(run, folder):
    found = run("02b", {"N_MELS = 64": "N_MELS = 8"}, until="def score")
    assert found["mel"].shape[0] == found["N_MFCC"] == 8
    assert np.allclose(found["mfcc"], found["by_library"], atol=1e-3)


def alike(run, folder):
    cell = re.search(r"`(store\.features\(corpus, features.*?)` \(code\)", GUIDE)[1]
    X = eval(cell, {"store": store, "features": features, "corpus": serlab.load("demo")})
    distances = np.linalg.norm(X[:, None] - X[None], axis=2) + np.diag([np.inf] * len(X))
    one, other = np.unravel_index(distances.argmin(), distances.shape)
    assert one != other
    assert distances[one, other] < np.median(distances)


def one_feature(run, folder):
    cells = ("X = ", "def rule", "by_loudness =")
    changed = {'level = X[:, [names.index("rms_mean")]]': 'level = X[:, [names.index("f0_iqr")]]'}
    found = run("04", changed, until="first = synth", only=cells)
    score = evaluation.interval(found["by_loudness"])
    assert 0 <= score.low < score.value < score.high


def prune(run, folder):
    found = run("05", {}, until="nested = ", only=("few = ", "def grow"))
    scores = []
    for depth in range(1, 7):
        build = functools.partial(found["grow"], depth)
        trees = training.cross_validate(build, found["few"], found["corpus"], found["split"])
        scores.append(evaluation.interval(trees).value)
    assert scores[2] > scores[0]


def count(run, folder):
    found = run("06", {"(128, 64, 32)": "(64, 16)"}, until="sizes = ", only=("def original",))
    inputs, classes = found["pixels"][0].size, len(found["classes"])
    by_hand = (inputs + 1) * 64 + (64 + 1) * 16 + (16 + 1) * classes
    assert found["original"](found["pixels"], np.zeros((1, classes))).count_params() == by_hand


def ten_seeds(run, folder):
    history = run("06", {}, until="said = ", only=("peek = ",))["peek"].meta["history"]
    last = [seed["val_accuracy"][-1] for seed in history]
    assert len(last) == 10
    assert max(last) > np.mean(last)


def best_of(run, folder):
    line = "right = rng.binomial(190, 0.447, size=(20_000, 15)) / 190"
    easier = {line: "right = rng.binomial(1000, 0.447, size=(20_000, 5)) / 1000"}
    luck = [run("11", c, until="said = ", only=(line,))["best"].mean() - 0.447 for c in ({}, easier)]
    assert luck[0] > 3 * luck[1] > 0


def marks(run, folder):
    marked = {"np.array([4, 2, 7, 3, 2, 4, 8, 1])": "np.array([9, 1, 10, 5, 3, 2, 8, 0])"}
    found = run("12", marked, until="reported = ", only=("excerpts()", "my_scores"))
    # Voice 3 alone is happy: from nine on, it and one false alarm among seven.
    assert found["table"]["yes from 9"]["accuracy"] == pytest.approx(7 / 8)


def moved(run, folder):
    cells = ("fold = ", "averages = ", "def backwards", "names = ", "few = ")
    found = run("14", {}, until="learnt = ", only=cells)["distances"]
    apart = [np.median(found[name]) for name in ("shifted", "slower", "quicker")]
    assert min(apart) > 0
    assert max(apart) < np.median([*found.values()][-1])


def two_takes(run, folder):
    for name, emotion in (("furious", "angry"), ("indifferent", "calm")):
        soundfile.write(folder / f"{name}.wav", synthesise_phrase("d02", emotion=emotion), SAMPLE_RATE)
        (sure,) = serlab.predict(folder / f"{name}.wav")["confidence"]
        assert 0 < sure <= 1


ACTIVITIES = {
    "01 For all": tally,
    "01b For the quick ones": cue,
    "02 For all": frames,
    "02 For the quick ones": own_frames,
    "02b For all": few_bands,
    "02b For the quick ones": alike,
    "04 For all": one_feature,
    "05 For all": prune,
    "06 For all": count,
    "06 For the quick ones": ten_seeds,
    "11 For all": best_of,
    "12 For all": marks,
    "14 For all": moved,
    "18 For all": two_takes,
}


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_activity(activity, run, tmp_path):
    ACTIVITIES[activity](run, tmp_path)


def test_five_actors_of_ones_own(run, capsys):
    cells = ("recipe = ", "def predict", "honest = ")
    shorter = {"flattering = predict(random_split)": "flattering = None"}
    shorter['print("random split:", evaluation.interval(flattering))'] = ""
    shorter['print("flattery:", evaluation.compare(flattering, honest))'] = ""
    found = run("03", shorter, until="by_text = ", only=cells)
    (cell,) = re.findall(r"```python\n(mine = .*?)```", GUIDE, re.DOTALL)
    exec(cell, found)
    assert re.fullmatch(r"(d\d\d ){5}[\d.]+ %", capsys.readouterr().out.splitlines()[-1])
    assert len(found["mine"]) == 5
    assert set(found["some"]["speaker"]) == set(found["mine"])

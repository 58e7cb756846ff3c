"""Sliders and game of chapter 1, driven in a browser: what is heard, what is counted, what is kept."""

from __future__ import annotations

import functools
import http.server
import importlib
import json
import re
import shutil
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_chapters import load_tool

from serlab import audio, runs
from serlab.corpora import emodb, synthesis
from serlab.features import F0

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
load_tool("recorded")
book_listening = importlib.import_module("book_listening")
PAGES = {"cues": "01b_one_cue_at_a_time", "guess": "01_listening"}
TRUTH = ["angry", "bored", "happy", "fearful", "neutral", "disgust", "angry", "sad"]


def page_of(name: str) -> str:
    """Fill a page with the part of its chapter that stands in the div."""
    text = (ROOT / "chapters" / f"{PAGES[name]}.md").read_text("utf-8")
    div = re.search(rf'<div class="serlab-{name}">.*?</div>', text, re.DOTALL)[0]
    context = {"body": div, "pathto": lambda path, resource: path}
    book_listening.fill(SimpleNamespace(), PAGES[name], "page.html", context, None)
    css = '<link rel="stylesheet" href="_static/serlab.css"><link rel="icon" href="data:,">'
    return f'<!doctype html><html lang="en"><title>{name}</title>{css}<main>{context["body"]}</main></html>'


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "book" / "_static", root / "_static")
    for name in PAGES:
        (root / f"{name}.html").write_text(page_of(name), "utf-8")
    handler = functools.partial(Quiet, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser, address):
    """A page that must ask nothing of any other place, and fail in nothing."""
    asked, failed = [], []
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    yield page
    context.close()
    assert failed == []
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


@pytest.fixture
def cues_page(page, address):
    page.goto(f"{address}/cues.html")
    page.wait_for_selector(".serlab-cues svg")
    return page


@pytest.fixture
def guess_page(page, address):
    page.goto(f"{address}/guess.html")
    page.wait_for_selector(".serlab-guess select")
    return page


RENDER = """async (changes) => {
    const { speak, RATE } = await import("/_static/cues.js");
    const { voice, presets } = JSON.parse(document.getElementById("serlab-cues-data").textContent);
    const samples = speak(voice, { ...presets.neutral, ...changes });
    const context = new OfflineAudioContext(1, samples.length, RATE);
    const buffer = context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    source.start();
    context.startRendering();
    return new Promise((done) => {
        context.oncomplete = (event) => done(Array.from(event.renderedBuffer.getChannelData(0)));
    });
}"""


def measured(y: np.ndarray) -> dict[str, float]:
    """Measure a sound by what chapter 1b measures: Hz, semitones, seconds, dB, dB between two bands."""
    f0, _ = F0(sample_rate=16_000).extract(y)
    low, middle, high = np.percentile(f0[f0 > 0], [10, 50, 90])
    power, hertz = np.abs(np.fft.rfft(y)) ** 2, np.fft.rfftfreq(len(y), 1 / 16_000)
    bright = power[(hertz > 1500) & (hertz < 5000)].sum() / power[hertz < 1000].sum()
    return {
        "f0": middle,
        "f0_range": 12 * np.log2(high / low),
        "seconds": len(y) / 16_000,
        "loudness": audio.level(y),
        "bright": 10 * np.log10(bright),
    }


def heard(page, **changes) -> dict[str, float]:
    return measured(np.array(page.evaluate(RENDER, changes), dtype=np.float32))


def test_sliders_change_what_they_name(cues_page):
    neutral = heard(cues_page)
    higher, wider = heard(cues_page, f0=1.4), heard(cues_page, f0_range=2)
    faster, louder = heard(cues_page, rate=1.25), heard(cues_page, loudness=2)
    assert higher["f0"] / neutral["f0"] == pytest.approx(1.4, rel=0.03)
    assert wider["f0_range"] / neutral["f0_range"] == pytest.approx(2, rel=0.25)
    assert neutral["seconds"] / faster["seconds"] == pytest.approx(1.25, rel=0.01)
    assert louder["loudness"] - neutral["loudness"] == pytest.approx(6.02, abs=0.1)
    assert heard(cues_page, tilt=2)["bright"] < neutral["bright"] - 3
    # Turning one leaves the others alone.
    assert higher["seconds"] == neutral["seconds"]
    assert louder["f0"] == pytest.approx(neutral["f0"], rel=0.01)


def test_breath_fills_the_gaps_between_harmonics(cues_page):
    def flatness(breathiness):
        y = np.array(cues_page.evaluate(RENDER, {"breathiness": breathiness}))
        frames = np.abs(np.fft.rfft(y[: len(y) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024)))
        band = frames[:, 64:320] ** 2 + 1e-12  # 1 to 5 kHz
        return float(np.median(np.exp(np.log(band).mean(1)) / band.mean(1)))

    assert flatness(4) > 1.5 * flatness(0.3)


@pytest.mark.parametrize("emotion", ["neutral", "sad", "angry"])
def test_the_page_speaks_as_the_synthesiser_does(cues_page, emotion):
    cues = {name: getattr(synthesis.CUES[emotion], name) for name in book_listening.SLIDERS}
    here = heard(cues_page, **cues)
    there = measured(np.asarray(synthesis.synthesise_phrase("d02", **cues)))
    assert here["f0"] == pytest.approx(there["f0"], rel=0.05)
    assert here["seconds"] == pytest.approx(there["seconds"], rel=0.07)
    assert here["bright"] == pytest.approx(there["bright"], abs=4)


def test_presets_are_those_of_the_table(cues_page):
    for emotion, cues in synthesis.CUES.items():
        cues_page.click(f".serlab-cues button[value={emotion}]")
        shown = cues_page.locator(".sliders output").all_text_contents()
        labels = cues_page.locator(".sliders input").evaluate_all("all => all.map(one => one.id)")
        table = [asdict(cues)[label.removeprefix("serlab-cue-")] for label in labels]
        assert shown == [f"× {value:.2f}" for value in table]
        within = cues_page.locator(".sliders input").evaluate_all(
            "all => all.map(one => Math.abs(one.value))"
        )
        assert max(within) < 1, f"{emotion} stands at the end of a slider"
    assert cues_page.locator("button[aria-pressed=true]").all_text_contents() == ["surprised"]


def test_a_slider_moves_by_keyboard_and_is_heard_and_seen(cues_page):
    cues_page.evaluate(
        """() => {
            window.lengths = [];
            const create = AudioContext.prototype.createBuffer;
            AudioContext.prototype.createBuffer = function (...settings) {
                window.lengths.push(settings[1]);
                return create.apply(this, settings);
            };
        }"""
    )
    rate = cues_page.get_by_label("Rate", exact=True)
    before = cues_page.locator("svg").first.get_attribute("aria-label")
    rate.focus()
    for _ in range(10):
        cues_page.keyboard.press("ArrowRight")
    cues_page.wait_for_function("window.lengths.length > 0")
    assert rate.get_attribute("aria-valuetext") == "1.12 times neutral"  # 1.75 ** 0.2
    assert cues_page.evaluate("window.lengths.at(-1)") == pytest.approx(1.566 * 16_000 / 1.12, rel=0.01)
    assert cues_page.locator("svg").first.get_attribute("aria-label") != before


def test_everything_is_labelled_and_fits_a_telephone(cues_page):
    assert cues_page.locator(".sliders label").count() == cues_page.locator(".sliders input").count() == 6
    assert cues_page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_answers_are_those_of_the_voices_and_of_recorded_runs():
    data = book_listening.guess_data()
    assert data["voices"] == TRUTH
    clips = emodb.excerpts()["clip"].tolist()
    whisper = runs.read("emodb_first2s", "loso", "logreg-whisper").predictions
    said = pd.Series(whisper["predicted"].tolist(), index=whisper["clip"].tolist())
    assert data["others"][-1]["said"] == [said[clip] for clip in clips]
    assert all(set(other["said"]) <= set(data["emotions"]) for other in data["others"])


def answer_by_keyboard(page, guesses) -> None:
    page.get_by_label("Voice 1").focus()
    for guess in guesses:
        page.keyboard.type(guess[:3])
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def test_the_game_is_played_by_keyboard_and_counts_right(guess_page):
    guesses = ["angry", "sad", "angry", "fearful", "neutral", "disgust", "angry", "sad"]
    answer_by_keyboard(guess_page, guesses)
    assert guess_page.get_by_role("status").text_content() == "You named 6 of 8."
    cells = (
        guess_page.locator(".matrices table")
        .first.locator("tbody tr")
        .evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
    )
    order = sorted(set(TRUTH))
    expected = pd.crosstab(pd.Series(TRUTH), pd.Series(guesses)).reindex(columns=order, fill_value=0)
    assert [row[0] for row in cells] == order
    assert [[int(count or 0) for count in row[1:]] for row in cells] == expected.to_numpy().tolist()
    ranking = guess_page.locator(".ranking tbody tr").all_inner_texts()
    assert ranking[0].split("\t")[:2] == ["you", "6"]
    assert ranking[-1].split("\t") == ["Logistic regression on Whisper (chapter 17)", "8", "88 %"]


def test_an_unfinished_game_shows_no_answers(guess_page):
    guess_page.get_by_label("Voice 3").select_option("happy")
    guess_page.get_by_role("button", name="Check my guesses").click()
    assert guess_page.get_by_role("status").text_content() == "Still without a guess: 7 of 8."
    assert guess_page.locator("table").count() == 0


def test_guesses_stay_in_the_browser_until_reset(guess_page):
    answer_by_keyboard(guess_page, TRUTH)
    guess_page.reload()
    assert guess_page.get_by_role("status").text_content() == "You named 8 of 8."
    guess_page.get_by_role("button", name="Start again").click()
    guess_page.reload()
    assert guess_page.get_by_label("Voice 1").input_value() == ""
    assert guess_page.locator("table").count() == 0


@pytest.mark.parametrize("kept", ["nonsense", json.dumps(None)])
def test_what_is_kept_may_be_broken(guess_page, kept):
    guess_page.evaluate("kept => localStorage.setItem('serlab-guesses', kept)", kept)
    guess_page.reload()
    answer_by_keyboard(guess_page, TRUTH)
    assert guess_page.get_by_role("status").text_content() == "You named 8 of 8."


@pytest.mark.parametrize("name", PAGES)
def test_without_a_script_a_sentence_says_where_to_find_it(browser, address, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{name}.html")
    assert "built book" in page.locator(f".serlab-{name}").inner_text()
    context.close()


def test_a_button_of_the_theme_keeps_the_focus_of_whoever_pressed_a_key(page):
    script = (ROOT / "book" / "_static" / "keyboard.js").read_text("utf-8")
    page.set_content(
        '<button class="theme-switch-button">Color mode</button><script>'
        # What sphinx-book-theme does.
        'const one = document.querySelector("button"); one.addEventListener("click", () => one.blur(), true);'
        f"{script}</script>"
    )
    focused = "document.activeElement.className"
    page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("Enter")
        assert page.evaluate(focused) == "theme-switch-button"
    page.click("button")
    assert page.evaluate(focused) == ""

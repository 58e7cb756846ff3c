"""The page "Talk to the model": its graph against serlab.predict, and the page itself in a browser."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import audio, models, prediction
from serlab.corpora import emodb
from serlab.corpora.synthesis import synthesise_phrase
from serlab.prediction import conditions, emotions

pytest.importorskip("onnx")
pytest.importorskip("sphinx_book_theme")
onnxruntime = pytest.importorskip("onnxruntime")

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "book" / "_ext"), str(ROOT / "benchmarks")]

import book_talk  # noqa: E402 (it lies beside the book)

# Probabilities of the page may differ so much from those of Python.
NEAR = 0.01
VOICE, PLAYED = 6, "disgust"


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """Build the page alone, with all that stands beside it; the folder that holds the folder of the book."""
    folder = tmp_path_factory.mktemp("talk")
    source = folder / "source"
    (source / "book").mkdir(parents=True)
    (source / "index.md").write_text("# Book\n\n```{toctree}\nbook/talk\nbook/ethics\n```\n", "utf-8")
    for name in ("talk.md", "ethics.md"):
        shutil.copy(ROOT / "book" / name, source / "book")
    settings = {
        "extensions": "myst_parser,book_talk",
        "html_theme": "sphinx_book_theme",
        "html_static_path": str(ROOT / "book" / "_static"),
        "html_css_files": "serlab.css",
    }
    given = [part for name, value in settings.items() for part in ("-D", f"{name}={value}")]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-Q", "-C", *given, str(source), str(folder / "site" / "book")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "book" / "_ext"), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "site"


@pytest.fixture(scope="session")
def beside(site) -> Path:
    return site / "book" / "book" / "talk"


@pytest.fixture(scope="session")
def texts(beside) -> dict:
    return json.loads((beside / "model.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def clips() -> dict[str, tuple[np.ndarray, int]]:
    """Give voices of people, of the synthesiser, and altered ones: samples, and their rate in Hz."""
    voices = {f"voice {n}": audio.read(path, 16000)[0] for n, path in emodb.excerpts()["path"].items()}
    found = {
        f"{speaker}, {emotion}": synthesise_phrase(speaker, emotion=emotion)
        for speaker in ("d01", "d04")
        for emotion in ("angry", "happy", "sad", "neutral")
    }
    found |= voices
    rng = np.random.default_rng(0)
    for name in list(voices)[::2]:
        for kind, alter in conditions.odd(16000).items():
            found[f"{name}, {kind}"] = alter(voices[name], rng)
    found["all of them"] = with_pauses(voices)
    found["more than 30 s"] = np.r_[with_pauses(voices), np.zeros(5 * 16000), with_pauses(voices)]
    clips = {name: (np.asarray(y, np.float32), 16000) for name, y in found.items()}
    for rate in (8000, 22050, 44100, 48000):
        y = audio.resample(voices["voice 3"], 16000, rate)
        hiss = rng.normal(0, 1e-3, len(y)).astype(np.float32)
        clips[f"at {rate} Hz"] = (y + hiss, rate)
    return clips


def with_pauses(voices: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([part for y in voices.values() for part in (y, np.zeros(16000, np.float32))])


@pytest.fixture(scope="session")
def predicted(clips) -> dict:
    """Give what serlab.predict says of each clip."""
    return {name: prediction.predict(y, rate).iloc[0] for name, (y, rate) in clips.items()}


@pytest.fixture(scope="session")
def session(beside):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(beside / "model.onnx", options)


def heard(session, y, rate) -> dict[str, np.ndarray]:
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, {"samples": y, "rate": np.array([rate])}), strict=True))


# ---- the graph ----


def test_the_graph_says_what_predict_says(session, texts, clips, predicted):
    assert len(clips) >= 50
    limits = models.load(emotions.FILE).card["limits"]
    for name, (y, rate) in clips.items():
        found, row = heard(session, y, rate), predicted[name]
        expected = row[[f"p_{one}" for one in texts["classes"]]].to_numpy(float)
        np.testing.assert_allclose(found["probabilities"], expected, atol=NEAR, rtol=0, err_msg=name)
        about = dict(zip(texts["about"], found["about"], strict=True))
        measured = prediction.describe(y, rate)
        for quantity in measured.keys() & about.keys():
            # One bin of the spectrum is 15.6 Hz; another filter may shift an edge by it.
            near = 15.7 if quantity == "highest" and rate != 16000 else 0.01
            assert about[quantity] == pytest.approx(measured[quantity], abs=near), (name, quantity)
        assert "; ".join(prediction.hints(about, limits)) == row["hints"], name


def test_the_page_says_how_much_it_loads(beside):
    loaded = (beside / "model.onnx", beside / "onnxruntime" / "ort-wasm-simd-threaded.wasm")
    megabytes = round(sum(path.stat().st_size for path in loaded) / 1e6)
    assert f"about {megabytes} MB" in " ".join((ROOT / "book" / "talk.md").read_text("utf-8").split())
    assert f"of {megabytes} MB" in (beside / "talk.js").read_text("utf-8")


def test_every_limit_of_the_card_is_looked_at(texts):
    assert {hint["name"] for hint in texts["hints"]} == models.load(emotions.FILE).card["limits"].keys()


def test_the_graph_cuts_windows_where_predict_does(session, texts, clips):
    y, rate = clips["more than 30 s"]
    table = prediction.predict(y, rate, timeline=True)
    starts = heard(session, y, rate)["windows"]
    np.testing.assert_array_equal(starts / rate, table["start"])
    # Some windows are pauses.
    assert len(starts) < len(y) / rate - 3
    place = starts[5]
    part = heard(session, y[place : place + 3 * rate], rate)
    assert texts["classes"][part["probabilities"].argmax()] == table.filter(like="p_").iloc[5].idxmax()[2:]


def test_what_the_graph_hears_is_trimmed(session, texts):
    y = np.r_[np.zeros(16000), synthesise_phrase("d01", emotion="sad"), np.zeros(8000)].astype(np.float32)
    found = heard(session, y, 16000)
    about = dict(zip(texts["about"], found["about"], strict=True))
    kept = audio.trim(y)
    assert about["kept"] == pytest.approx(len(kept) / 16000)
    assert about["begin"] == pytest.approx(1, abs=0.1)
    assert found["mel"].shape == (len(kept) // 160, 80)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_the_graph_changes_rates_as_soxr_does(session, rate):
    # Faded in and out: how a filter treats a sudden end is its own affair.
    noise = np.random.default_rng(0).normal(0, 0.1, rate + 7) * np.hanning(rate + 7)
    y = noise.astype(np.float32)
    found, expected = heard(session, y, rate)["sound"], audio.resample(y, rate, 16000)
    assert found.shape == expected.shape
    passed = np.fft.rfftfreq(len(found), 1 / 16000) < 0.9 * min(rate, 16000) / 2
    here, there = np.fft.rfft(found)[passed], np.fft.rfft(expected)[passed]
    assert np.linalg.norm(here - there) < 1e-3 * np.linalg.norm(there)


def test_a_model_that_listens_otherwise_is_refused():
    import browser_model

    from serlab.features import Mel
    from serlab.models.files import TrainedModel

    with pytest.raises(ValueError, match="listens as"):
        browser_model.build(TrainedModel(None, (Mel(),), {}))


def test_a_damaged_runtime_is_refused(tmp_path):
    packed = shutil.copytree(book_talk.RUNTIME, tmp_path / "packed")
    book_talk.unpack(tmp_path / "whole", packed)
    assert (tmp_path / "whole" / "ort-wasm-simd-threaded.wasm").read_bytes()[:4] == b"\0asm"
    assert (tmp_path / "whole" / "LICENSE").read_text().startswith("MIT License")
    line, *rest = (packed / "SHA256SUMS").read_text().splitlines()
    (packed / "SHA256SUMS").write_text(
        "\n".join(["0" + line[1:] if line[0] != "0" else "1" + line[1:], *rest])
    )
    with pytest.raises(Exception, match=r"ort\.wasm.*damaged"):
        book_talk.unpack(tmp_path / "broken", packed)


# ---- the page ----


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        pass


@contextlib.contextmanager
def serving(folder: Path):
    """Serve a folder as `make serve-book` does, here below the root of the server, as Pages does."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def address(site):
    with serving(site) as root:
        yield f"{root}/book/book/talk.html"


@pytest.fixture(scope="module")
def browser_flags(tmp_path_factory):
    """Let the microphone of the browser hear one of the voices."""
    spoken = tmp_path_factory.mktemp("microphone") / "voice.wav"
    y, _ = audio.read(emodb.excerpts().loc[VOICE, "path"], 48000)
    soundfile.write(spoken, np.r_[np.zeros(24000), y, np.zeros(480000)], 48000)
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    return [*flags, f"--use-file-for-fake-audio-capture={spoken}%noloop"]


@pytest.fixture
def opened(browser, address):
    """Open the page, as narrow as on a phone, and see that none of its scripts fails."""
    with opening(browser, address) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser, address):
    """Give a page that has its model already, for one test after the other."""
    with opening(browser, address) as found:
        yield found


@contextlib.contextmanager
def opening(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(120_000)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert errors == []


def answer(page) -> str:
    page.get_by_text("Done. Nothing has left this page.").wait_for()
    return page.locator("[data-talk=verdict]").inner_text().partition(",")[0]


def test_the_browser_says_what_python_says(page, texts, clips, predicted):
    ask = """async (clips) => {
      const { listen } = await import("./talk/model.js");
      const answers = [];
      for (const [text, rate] of clips) {
        const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
        const { probabilities, hints, timeline } = await listen(new Float32Array(bytes.buffer), rate);
        answers.push([probabilities, hints.join("; "), timeline.length]);
      }
      return answers;
    }"""
    short = {name: clip for name, clip in clips.items() if name != "more than 30 s"}
    assert len(short) >= 50
    given = [[base64.b64encode(y.tobytes()).decode(), rate] for y, rate in short.values()]
    for name, (p, hints, windows) in zip(short, page.evaluate(ask, given), strict=True):
        expected = predicted[name][[f"p_{one}" for one in texts["classes"]]].to_numpy(float)
        np.testing.assert_allclose(p, expected, atol=NEAR, rtol=0, err_msg=name)
        assert hints == predicted[name]["hints"], name
        assert (windows > 1) == (len(short[name][0]) > 3 * short[name][1]), name


@pytest.mark.parametrize(
    ("rate", "kind"), [(44100, "PCM_16"), (22050, "FLOAT"), (44100, "VORBIS"), (48000, "OPUS")]
)
def test_files_are_decoded_as_python_decodes_them(page, texts, tmp_path, clips, rate, kind):
    """Two channels that differ, at rates and in formats that the browser reads in its own way."""
    left = audio.resample(clips["voice 7"][0], 16000, rate)
    both = np.stack([left, np.roll(left, rate // 100) / 2], axis=1)
    both = both + np.random.default_rng(0).normal(0, 1e-3, both.shape)
    path = tmp_path / "mine"
    container = "OGG" if kind in ("VORBIS", "OPUS") else "WAV"
    soundfile.write(path, both.astype(np.float32), rate, subtype=kind, format=container)
    ask = """async (text) => {
      const { decode, listen } = await import("./talk/model.js");
      const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
      const { samples, rate } = await decode(bytes.buffer);
      const { probabilities, hints } = await listen(samples, rate);
      return [probabilities, hints.join("; ")];
    }"""
    p, hints = page.evaluate(ask, base64.b64encode(path.read_bytes()).decode())
    row = prediction.predict(path).iloc[0]
    expected = row[[f"p_{one}" for one in texts["classes"]]].to_numpy(float)
    np.testing.assert_allclose(p, expected, atol=NEAR, rtol=0)
    assert hints == row["hints"]


def test_a_voice_of_the_book_and_a_file_of_the_reader(page, tmp_path, clips):
    page.get_by_role("button", name=f"Voice {VOICE}").click()
    assert answer(page) == PLAYED
    assert f'The actor plays "{PLAYED}"' in page.inner_text("[data-talk=about]")
    assert "32 to 50 %" in page.inner_text("[data-talk=honest]")
    assert page.locator("[data-talk=time]").is_hidden()
    y, rate = clips["all of them"]
    soundfile.write(tmp_path / "mine.flac", np.clip(y, -1, 1), rate)
    page.set_input_files("[data-talk=file]", tmp_path / "mine.flac")
    page.locator("[data-talk=time]").wait_for()
    assert answer(page) == prediction.predict(tmp_path / "mine.flac")["emotion"][0]
    table = prediction.predict(tmp_path / "mine.flac", timeline=True)
    shown = page.locator("[data-talk=windows] tr").all_inner_texts()
    assert shown[0].split()[1:] == [f"{start:.0f}" for start in table["start"]]
    assert page.locator(".talk-sure").count() == (table["emotion"] != prediction.NOT_SURE).sum()
    # A wide table scrolls, not the page.
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_microphone(page):
    page.get_by_role("button", name="Record").click()
    # The voice and half a second around it.
    page.wait_for_timeout(3500)
    colours = """canvas => {
      const { data } = canvas.getContext("2d").getImageData(60, 0, 120, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }"""
    assert page.locator("[data-talk=picture]").evaluate(colours) > 20
    page.get_by_role("button", name="Stop").click()
    assert answer(page) == PLAYED


def test_by_keyboard_alone(page):
    page.evaluate("document.activeElement.blur()")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.talk") == "record":
            break
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert reached == ["Choose a file", "1", "2", "3"]
    page.keyboard.press("Enter")
    assert answer(page) == prediction.predict(emodb.excerpts().loc[3, "path"])["emotion"][0]


def test_nothing_leaves_the_origin_and_nothing_is_missed_without_a_connection(opened, address, tmp_path):
    asked = []
    opened.context.on("request", lambda request: asked.append(request))
    opened.get_by_role("button", name=f"Voice {VOICE}").click()
    assert answer(opened) == PLAYED
    origin = address.partition("/book/")[0]
    assert {Path(request.url).name for request in asked} >= {"model.onnx", f"voice_{VOICE}.flac"}
    assert {request.method for request in asked} == {"GET"}
    assert all(request.url.startswith((origin, "blob:" + origin)) for request in asked)
    # Even a script that wanted to could not: neither in the page nor in a worker that it starts as ours.
    (tmp_path / "there").write_text("yes")
    with serving(tmp_path) as elsewhere:
        send = f"fetch('{elsewhere}/there', {{ mode: 'no-cors' }}).then(() => 'sent', () => 'refused')"
        assert opened.evaluate(send) == "refused"
        worker = f"""new Promise((told) => {{
          const code = "{send}.then((said) => postMessage(said))";
          const worker = new Worker(URL.createObjectURL(new Blob([code])));
          worker.onmessage = (event) => told(event.data);
        }})"""
        assert opened.evaluate(worker) == "refused"
    # And all that it needs is kept.
    opened.locator("#talk[data-kept=yes]").wait_for()
    opened.context.set_offline(True)
    opened.reload()
    opened.get_by_role("button", name="Voice 1").click()
    assert answer(opened) == "angry"


def test_what_is_no_speech_is_refused(page, tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16000), 16000)
    soundfile.write(tmp_path / "short.wav", np.ones(800) / 2, 16000)
    for name, why in {
        "text": "cannot read it",
        "silence": "It is silent",
        "short": "0.05 s: too short",
    }.items():
        page.set_input_files("[data-talk=file]", tmp_path / f"{name}.wav")
        page.get_by_text(f"No answer. {'This browser ' if name == 'text' else ''}").wait_for()
        page.get_by_text(why).wait_for()
        assert page.locator("[data-talk=results]").is_hidden()


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        ("undefined", "only to pages that come by https"),
        (
            "{ getUserMedia: () => Promise.reject(new DOMException('', 'NotAllowedError')) }",
            "was not allowed",
        ),
        (
            "{ getUserMedia: () => Promise.reject(new DOMException('', 'NotFoundError')) }",
            "No microphone was",
        ),
    ],
)
def test_without_a_microphone(opened, devices, says):
    opened.evaluate(f"Object.defineProperty(navigator, 'mediaDevices', {{ value: {devices} }})")
    opened.get_by_role("button", name="Record").click()
    opened.get_by_text(says).wait_for()


def test_opened_as_a_file(browser, site):
    page = browser.new_page()
    page.goto((site / "book" / "book" / "talk.html").as_uri())
    page.get_by_text("make serve-book").wait_for()
    assert page.get_by_role("button", name="Record").is_hidden()
    page.close()


def test_a_model_of_a_service_answers_in_the_page(browser, site, tmp_path):
    pytest.importorskip("uvicorn")
    from service import Server

    server = Server(tmp_path, pages=str(site / "book"))
    server.start()
    try:
        with opening(browser, f"{server.address}/book/book/talk.html") as page:
            choice = page.get_by_label("Model:")
            choice.wait_for()
            assert choice.locator("option").all_inner_texts() == [
                "seven emotions, in this page",
                "plain, of the service: Plain",
            ]
            # A recording may come before the card of the model does.
            page.route("**/v1/models/plain", lambda route: (time.sleep(0.5), route.continue_()))
            choice.select_option("plain")
            page.get_by_role("button", name=f"Voice {VOICE}").click()
            page.get_by_text(f"sent to {server.address.removeprefix('http://')}, and nowhere else").wait_for()
            model = models.load(tmp_path / "data" / "models" / "plain.serlab")
            bare = prediction.predict(emodb.excerpts().loc[VOICE, "path"], model=model).iloc[0]
            expected = f"{bare['emotion']}, {100 * bare['confidence']:.0f} %"
            assert page.locator("[data-talk=verdict]").inner_text() == expected
            assert page.locator("[data-talk=bars] th").all_inner_texts() == list(model.classes)
            assert page.locator("[data-talk=picture]").is_visible()
            assert page.get_by_text("it recognises 75 % [50, 100]").is_visible()
            choice.select_option("")
            page.get_by_role("button", name=f"Voice {VOICE}").click()
            assert answer(page) == PLAYED
    finally:
        server.stop()


def test_without_a_service_the_page_offers_its_own_model_alone(page):
    assert page.locator("[data-talk=elsewhere]").is_hidden()

"""The service over HTTP: what it answers, what it refuses and why, and that nothing hostile harms it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import re
import socket
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import soundfile

import serlab
from serlab import models
from serlab.errors import SerlabError

schemathesis = pytest.importorskip("schemathesis")
httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")
from serlab.service import app, guard, jobs, settings  # noqa: E402
from serlab.service.listeners import Listeners  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from service import RATE, plain, plug, tiny  # noqa: E402

TOKEN = "a secret of sixteen"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with a corpus of one's own and a model that was trained before."""
    folder = tmp_path_factory.mktemp("service")
    plain(folder / "data" / "models" / "plain.serlab", tiny(folder / "tiny"))
    return folder


def options(place: Path, **given) -> settings.Settings:
    usual = {"model": "plain", "listeners": 1, "corpora": {"tiny": place / "tiny"}, "data": place / "data"}
    return settings.Settings(**usual | {"pages": place / "pages"} | given)


@contextlib.contextmanager
def running(application):
    """Serve an application on a port of this computer, in a thread."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        while thread.is_alive():
            with contextlib.suppress(httpx.ConnectError):
                client.get("/health")
                break
            time.sleep(0.05)
        client.service = application.state.service
        try:
            yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client(place, monkeypatch_module):
    """Serve everything, with a model of another distribution to be trained."""
    folder = str(plug(place / "plugin"))
    monkeypatch_module.syspath_prepend(folder)
    monkeypatch_module.setenv("PYTHONPATH", folder, prepend=":")
    monkeypatch_module.setattr(app, "EVERY", 0.02)
    (place / "pages").mkdir()
    (place / "pages" / "talk.html").write_text("<title>Talk to the model</title>", encoding="utf-8")
    with running(app.create(options(place))) as client:
        yield client


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def until(true) -> None:
    while not true():
        time.sleep(0.02)


def refused(answer, status: int) -> str:
    """Make sure that an answer is a problem as RFC 9457 has it, and give its reason."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["type"] == "about:blank"
    assert told["title"]
    assert told["instance"].startswith("urn:uuid:")
    return told["detail"]


def sound(seconds: float = 1.0, **how) -> bytes:
    file = io.BytesIO()
    rate = how.pop("rate", RATE)
    y = how.pop("y", None)
    if y is None:
        y = 0.5 * np.sin(np.arange(round(seconds * rate)) * 0.1)
    soundfile.write(file, y, rate, format=how.pop("format", "WAV"), **how)
    return file.getvalue()


# ---- what is there to ask for ----


def test_corpora_clips_and_models_are_listed(client, place):
    listed = {one["name"]: one for one in client.get("/v1/corpora").json()}
    assert listed["tiny"] == {
        **dict.fromkeys(("language", "licence", "clips", "speakers")),
        **{"name": "tiny", "title": "tiny", "here": True},
    }
    assert (listed["ravdess"]["clips"], listed["ravdess"]["speakers"]) == (1440, 24)
    page = client.get("/v1/corpora/tiny/clips", params={"offset": 22, "limit": 5}).json()
    table = serlab.load(place / "tiny")
    assert page["total"] == len(table) == 24
    assert [one["clip"] for one in page["clips"]] == list(table["clip"][22:])
    assert page["clips"][0]["speaker"] == "d04"
    assert page["clips"][0]["seconds"] == pytest.approx(1.5, abs=0.2)
    found = client.get("/v1/models").json()
    assert found["default"] == "plain"
    known = {one["name"]: one for one in found["trained"]}
    assert known["plain"]["score"] == {"uar": 0.75, "low": 0.5, "high": 1.0}
    assert known["plain"]["classes"] == ["angry", "sad"]
    assert known["emotions"]["licence"].startswith("CC BY-NC-SA")
    names = {one["name"] for one in found["trainable"]}
    assert {"quick", "logreg-summary"} <= names
    assert "vote" not in names
    assert not any(name.endswith("-spknorm") or name.startswith("valence") for name in names)


def test_a_model_is_downloaded_with_its_card(client, tmp_path):
    card = client.get("/v1/models/plain").json()
    answer = client.get("/v1/models/plain/file")
    assert answer.headers["content-disposition"] == 'attachment; filename="plain.serlab"'
    (tmp_path / "mine.serlab").write_bytes(answer.content)
    assert models.load(tmp_path / "mine.serlab").card == card
    assert json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("card.json")) == card


@pytest.mark.parametrize("how", ["clip", "body", "form"])
def test_predictions_are_those_of_serlab_predict(client, place, how):
    path = place / "tiny" / "d02-sad-1.wav"
    expected = serlab.predict(path, model=place / "data" / "models" / "plain.serlab").iloc[0]
    if how == "clip":
        answer = client.get("/v1/corpora/tiny/clips/d02-sad-1/prediction")
    elif how == "body":
        answer = client.post("/v1/predictions", content=path.read_bytes())
    else:
        answer = client.post("/v1/predictions", files={"file": ("../../secret name.wav", path.read_bytes())})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["model"] == "plain"
    assert found["score"]["uar"] == 0.75
    assert (found.get("clip"), found.get("label")) == (
        ("d02-sad-1", "sad") if how == "clip" else (None, None)
    )
    (heard,) = found["answers"]
    assert heard["emotion"] == expected["emotion"]
    assert heard["hints"] == expected["hints"]
    assert heard["probabilities"] == pytest.approx({n: expected[f"p_{n}"] for n in ("angry", "sad")})
    assert list((place / "data" / "uploads").iterdir()) == []


def test_a_timeline_has_a_window_every_second(client):
    y = np.tile(np.sin(np.arange(RATE) * 0.1) * 0.5, 5)
    answer = client.post("/v1/predictions?timeline=true", content=sound(y=y)).json()
    assert [(one["start"], one["end"]) for one in answer["answers"]] == [(0, 3), (1, 4), (2, 5)]


def test_the_book_is_served(client, place):
    assert "Talk to the model" in client.get("/book/talk.html").text
    assert client.get("/").headers["location"] == "/book/"
    refused(client.get("/book/missing.html"), 404)
    for way in (
        "/book/../data/jobs.sqlite",
        "/book/%2e%2e/data/jobs.sqlite",
        "/book/..%2fdata%2fjobs.sqlite",
    ):
        refused(client.get(way), 404)


# ---- training ----


def events(client, job: str) -> list[dict]:
    with client.stream("GET", f"/v1/jobs/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        parts = "".join(answer.iter_text()).split("\n\n")
    assert parts.pop() == ""
    assert all(part.startswith("event: progress\ndata: ") for part in parts)
    return [json.loads(part.split("data: ", 1)[1]) for part in parts]


def test_a_model_is_trained_while_the_service_answers(client, place):
    """Another distribution's model, on a corpus of one's own, followed to its end."""
    order = {"corpus": "tiny", "model": "quick", "seed": 3}
    started = client.post("/v1/jobs", json=order)
    assert started.status_code == 202
    job = started.json()
    assert started.headers["location"] == f"/v1/jobs/{job['id']}"
    assert {name: job[name] for name in order} == order
    with ThreadPoolExecutor(1) as pool:
        followed = pool.submit(events, client, job["id"])
        until(lambda: client.get(f"/v1/jobs/{job['id']}").json()["state"] != "queued")
        (trainer,) = [
            one for one in psutil.Process().children() if "serlab.service.trainer" in " ".join(one.cmdline())
        ]
        assert client.get("/v1/corpora/tiny/clips/d01-sad-1/prediction").status_code == 200
        until(lambda: not trainer.is_running() or trainer.nice() == 10)
        told = followed.result()
    shares = [one["share"] for one in told]
    assert shares == sorted(shares)
    assert (told[-1]["state"], told[-1]["share"], told[-1]["trained"]) == ("done", 1.0, "tiny.quick")
    assert any(one["step"].startswith("fold ") for one in told)
    card = client.get("/v1/models/tiny.quick").json()
    assert (card["seed"], card["job"], card["clips"]) == (3, job["id"], 24)
    params = {"model": "tiny.quick"}
    found = client.get("/v1/corpora/tiny/clips/d01-sad-1/prediction", params=params).json()
    assert found["model"] == "tiny.quick"
    assert found["score"]["uar"] == card["score"]["uar"]
    assert not list((place / "data" / "models").glob("*.new"))
    refused(client.post(f"/v1/jobs/{job['id']}/cancel"), 409)
    refused(client.post(f"/v1/jobs/{job['id']}/resume"), 409)


def test_a_training_is_cancelled_and_goes_on(client):
    """The one before it runs; the queue keeps its order."""
    order = {"corpus": "tiny", "model": "quick"}
    first, second = (client.post("/v1/jobs", json=order).json()["id"] for _ in range(2))
    assert client.post(f"/v1/jobs/{first}/cancel").json()["state"] == "cancelled"
    until(lambda: client.get(f"/v1/jobs/{second}").json()["state"] == "running")
    assert [one["id"] for one in client.get("/v1/jobs?limit=2").json()] == [second, first]
    resumed = client.post(f"/v1/jobs/{first}/resume")
    assert (resumed.status_code, resumed.json()["state"]) == (202, "queued")
    assert client.post(f"/v1/jobs/{second}/cancel").json()["state"] == "cancelled"
    assert events(client, first)[-1]["state"] == "done"
    assert client.get(f"/v1/jobs/{second}").json()["state"] == "cancelled"


def test_a_training_that_cannot_succeed_says_why(client, place):
    (place / "data" / "one").mkdir()
    soundfile.write(place / "data" / "one" / "a.wav", np.sin(np.arange(RATE)), RATE)
    (place / "data" / "one" / "metadata.csv").write_text("file,emotion,speaker\na.wav,sad,x\n", "utf-8")
    client.service.corpora["one"] = place / "data" / "one"
    job = client.post("/v1/jobs", json={"corpus": "one", "model": "quick"}).json()
    last = events(client, job["id"])[-1]
    assert last["state"] == "failed"
    assert "speaker" in last["error"]
    del client.service.corpora["one"]


def test_what_cannot_be_trained_is_refused(client):
    ask = lambda **order: client.post("/v1/jobs", json=order)  # noqa: E731
    assert "/v1/models" in refused(ask(corpus="tiny", model="vote"), 404)
    assert "/v1/corpora" in refused(ask(corpus="../tiny", model="quick"), 404)
    assert "seed" in refused(ask(corpus="tiny", model="quick", seed=-1), 422)
    told = refused(ask(corpus="tiny", model="quick", file="/etc/passwd"), 422)
    assert told == "body.file: Unknown name; known here: corpus, model, seed"
    refused(client.post("/v1/jobs", content=b"\xff{", headers={"content-type": "application/json"}), 400)


def test_the_queue_is_bounded_and_jobs_outlive_the_process(tmp_path):
    table = jobs.Jobs(tmp_path / "jobs.sqlite")
    ids = [table.add("tiny", "quick", seed, most=2)["id"] for seed in range(2)]
    assert table.add("tiny", "quick", 9, most=2) is None
    assert table.start()["id"] == ids[0]
    assert table.add("tiny", "quick", 2, most=2)["seed"] == 2
    again = jobs.Jobs(tmp_path / "jobs.sqlite")
    assert [one["state"] for one in again.page(0, 9)] == ["queued", "queued", "running"]
    # What an attempt before this one still has to say counts no more.
    assert again.counts()["running"] == 1
    assert again.change(ids[0], ["running"], state="interrupted")
    assert (again.counts()["running"], again.counts()["interrupted"], again.counts()["queued"]) == (0, 1, 2)
    assert again.change(ids[0], jobs.STOPPED, state="queued")
    assert not again.change(ids[0], ["running"], attempt=1, state="done")
    assert again.get(ids[0])["state"] == "queued"


def test_a_model_does_not_take_service_for_a_job_that_was_stopped(tmp_path):
    table = jobs.Jobs(tmp_path / "jobs.sqlite")
    job = table.add("tiny", "quick", 0, most=1)["id"]
    table.start()
    taken = []
    assert table.change(job, jobs.ACTIVE, state="cancelled")
    assert not table.change(job, ["running"], 1, before=lambda: taken.append(1), state="done")
    assert taken == []


def test_models_of_others_that_cannot_be_used_are_named(tmp_path, monkeypatch):
    folder = plug(tmp_path / "plugin")
    (folder / "broken.py").write_text("raise OSError('no disk')\nSPEC = 1\n", encoding="utf-8")
    entries = "[serlab.models]\nquick = quick_model:SPEC\nbad = broken:SPEC\nnone = quick_model:build\n"
    (folder / "quick_model-1.0.dist-info" / "entry_points.txt").write_text(entries, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "quick_model", raising=False)
    with pytest.warns(UserWarning, match="cannot be used") as told:
        assert [spec.name for spec in models.plugged()] == ["quick"]
    words = " ".join(str(one.message) for one in told)
    assert "broken:SPEC cannot be used: no disk" in words
    assert "quick_model:build cannot be used: no ModelSpec" in words
    with pytest.warns(UserWarning, match="cannot be used"):
        assert models.get("quick").title == "Quick"


# ---- what is refused ----


def test_names_are_looked_up_and_never_become_paths(client, place):
    outside = place / "data" / "models" / "plain.serlab"
    for name in ("..%2fplain", "..", "%2e%2e%2fmodels%2fplain", str(outside).replace("/", "%2f"), "plain%00"):
        refused(client.get(f"/v1/models/{name}/file"), 404)
        refused(client.get(f"/v1/corpora/{name}/clips"), 404)
        refused(client.get(f"/v1/corpora/tiny/clips/{name}/prediction"), 404)
        refused(client.get(f"/v1/jobs/{name}"), 404)
        refused(client.post(f"/v1/predictions?model={name}", content=sound()), 404)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/corpora/tiny/clips?start=1&limit=1", "query.start: Unknown name; known here: limit, offset"),
        (
            "/v1/corpora/tiny/clips/d01-sad-1/prediction?timelin=true&Model=plain",
            "query.timelin: Unknown name; known here: model, timeline; "
            "query.Model: Unknown name; known here: model, timeline",
        ),
        ("/v1/models?name=plain", "query.name: Unknown name; known here: none"),
    ],
)
def test_names_that_would_be_ignored_are_refused(client, path, told):
    assert refused(client.get(path), 422) == told


def test_fields_of_a_form_that_would_be_ignored_are_refused(client):
    answer = client.post("/v1/predictions", data={"model": "plain"}, files={"file": sound()})
    assert "`model` and `timeline` stand in the address" in refused(answer, 422)
    answer = client.post("/v1/predictions?timelin=true", files={"file": sound()})
    assert "timelin" in refused(answer, 422)


def test_every_error_is_a_problem(client):
    refused(client.get("/v1/nothing"), 404)
    refused(client.put("/v1/predictions"), 405)
    # What FastAPI would show there loads scripts from elsewhere.
    assert "/openapi.json" in refused(client.get("/docs"), 404)
    assert "limit" in refused(client.get("/v1/corpora/tiny/clips?limit=0"), 422)
    assert refused(client.get("/v1/corpora/cremad/clips"), 404)
    assert "file" in refused(client.post("/v1/predictions", data={"a": "b"}, files={"other": b"1"}), 422)
    refused(client.get("/health", headers={"host": "evil.example"}), 421)
    refused(client.post("/v1/jobs", headers={"origin": "https://evil.example"}), 403)
    for origin in ("null", "http://[", "", f"x{client.base_url.netloc.decode()}"):
        refused(client.post("/v1/jobs", headers={"origin": origin}), 403)


def test_a_mistake_of_the_service_is_a_problem_and_only_the_log_has_its_details(client, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("deep secret")

    monkeypatch.setattr(client.service, "jobs", SimpleNamespace(get=fail))
    with caplog.at_level(logging.INFO, "serlab.service"):
        answer = client.get("/v1/jobs/x")
    assert "deep secret" not in refused(answer, 500) + answer.text
    (fault,) = [one.about for one in caplog.records if one.getMessage() == "fault"]
    assert "deep secret" in fault["error"]
    assert fault["request"] == answer.json()["instance"]


def test_logs_are_json_without_names_of_users(client, caplog):
    with caplog.at_level(logging.INFO, "serlab.service"):
        file = {"file": ("private.wav", b"private sound")}
        answers = [client.post("/v1/predictions?model=private-model", files=file)]
        answers.append(client.get("/v1/models/private-name"))
        asked = [answer.json()["instance"] for answer in answers]
        lines, deadline = [], time.monotonic() + 60
        # A line is written when its answer has gone out already; others may be of the test before.
        while sum(one in line for one in asked for line in lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            lines = [guard.JsonLines().format(one) for one in caplog.records if one.name == "serlab.service"]
    told = {one.get("request"): one for one in map(json.loads, lines)}
    first, second = (told[one] for one in asked)
    assert (first["route"], first["status"], first["what"]) == ("/v1/predictions", 404, "request")
    assert (second["route"], second["method"]) == ("/v1/models/{model}", "GET")
    assert "private" not in " ".join(lines)


def measured(client, name: str) -> float:
    return float(re.search(rf"^{re.escape(name)} (.*)$", client.get("/metrics").text, re.M)[1])


def test_metrics_count_answers_that_are_not_sure_and_hints(client, place):
    """A model that is never sure, for which everything is too quiet, and one that has no limits."""
    sure, unsure = (f'serlab_answers_total{{sure="{word}"}}' for word in ("yes", "no"))
    quiet, loud = (f'serlab_hints_total{{hint="level_{word}"}}' for word in ("low", "high"))
    counts = (sure, unsure, quiet, loud)
    before = [measured(client, name) for name in counts]
    file = place / "data" / "models" / "plain.serlab"
    card = {"threshold": 1.1, "limits": {"level": [0.0, 1.0]}}
    plain = models.load(file)
    models.save(file.with_stem("never"), plain.estimator, plain.extractors, card)
    y = np.tile(np.sin(np.arange(RATE) * 0.1) * 0.5, 5)
    answer = client.post("/v1/predictions?model=never&timeline=true", content=sound(y=y)).json()
    assert {(one["emotion"], one["hints"]) for one in answer["answers"]} == {
        ("not sure", "very quiet: -9 dBFS")
    }
    assert client.post("/v1/predictions", content=sound()).json()["answers"][0]["hints"] == ""
    assert [measured(client, name) - was for name, was in zip(counts, before, strict=True)] == [1, 3, 3, 0]
    listed = {one["name"]: one for one in client.get("/v1/models").json()["trained"]}
    assert (listed["never"]["title"], listed["never"]["score"]) == ("never", None)
    file.with_stem("never").unlink()


def test_a_file_that_is_no_whole_model_harms_no_other(client, place):
    folder = place / "data" / "models"
    whole = (folder / "plain.serlab").read_bytes()
    for name, content in {"half": whole[: len(whole) // 2], "empty": b""}.items():
        (folder / f"{name}.serlab").write_bytes(content)
        refused(client.get(f"/v1/models/{name}"), 404)
    card = json.dumps(client.get("/v1/models/plain").json())
    for name, kept, text in (
        ("photos", "photo", ""),
        ("game", "card.json", "{}"),
        ("hollow", "card.json", card),
    ):
        with zipfile.ZipFile(folder / f"{name}.serlab", "w") as archive:
            archive.writestr(kept, text)
    names = {one["name"] for one in client.get("/v1/models").json()["trained"]}
    told = refused(client.post("/v1/predictions?model=hollow", content=sound()), 422)
    assert told.startswith("The model is no model that serlab.models.save wrote")
    for name in ("half", "empty", "photos", "game", "hollow"):
        (folder / f"{name}.serlab").unlink()
    assert {"plain", "emotions", "hollow"} <= names
    assert not names & {"half", "empty", "photos", "game"}


def test_metrics_health_and_readiness(client):
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"listeners": 1}
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text
    assert re.search(r'^serlab_requests_total\{method="GET",route="/health",status="200"\} \d', text, re.M)
    assert re.search(r'^serlab_requests_total\{method="GET",route="other",status="404"\} \d', text, re.M)
    assert "\nserlab_listeners 1.0\n" in text
    assert '\nserlab_jobs{state="running"} 0.0\n' in text
    assert "nowhere" not in text


# ---- limits ----


def test_large_bodies_are_refused_whether_they_say_so_or_not(client):
    most = 16 << 20
    assert "16 MiB" in refused(client.post("/v1/predictions", content=bytes(most + 1)), 413)

    def parts(*first):
        yield from first
        for _ in range(17):
            yield bytes(1 << 20)

    refused(client.post("/v1/predictions", content=parts()), 413)
    kind = {"content-type": "multipart/form-data; boundary=b"}
    begin = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    refused(client.post("/v1/predictions", content=parts(begin), headers=kind), 413)
    # What is no recording is kept in memory.
    assert "1 MiB" in refused(client.post("/v1/jobs", content=bytes(1 << 21)), 413)
    refused(client.post("/v1/jobs", content=parts()), 413)


def test_more_than_may_wait_are_sent_away_and_none_waits_for_ever(place, tmp_path):
    """No process listens yet: one recording may be listened to, two may wait, each for a second."""
    given = options(place, data=tmp_path, model="emotions", waiting=2, timeout=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Listeners, "open", lambda self: None)
        with running(app.create(given)) as client, ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: client.post("/v1/predictions", content=sound()), range(4)))
            refused(client.get("/ready"), 503)
    away, *late = sorted(answers, key=lambda one: one.status_code)
    refused(away, 503)
    assert away.headers["retry-after"] == "5"
    assert all("1 s" in refused(one, 504) for one in late)


# ---- who may ask ----


def test_other_computers_need_a_token(place, tmp_path, monkeypatch):
    with pytest.raises(SerlabError, match=r"0\.0\.0\.0 can be reached by other computers"):
        settings.read(environment={"SERLAB_SERVE_HOST": "0.0.0.0"})
    with pytest.raises(SerlabError, match="easily guessed"):
        settings.read(environment={"SERLAB_SERVE_TOKEN": "short"})
    given = options(place, host="0.0.0.0", token=TOKEN, data=tmp_path, model="emotions")
    monkeypatch.setattr(Listeners, "open", lambda self: None)
    with running(app.create(given)) as client:
        _check_token(client)


def _check_token(client) -> None:
    assert client.get("/health").status_code == 200
    answer = client.get("/v1/models")
    assert "Bearer" in refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    for wrong in ("", "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", f"Bearer {TOKEN}é", TOKEN):
        header = {"authorization": wrong.encode()}
        refused(client.get("/v1/models", headers=header), 401)
        refused(client.get("/metrics", headers=header), 401)
        refused(client.get("/openapi.json", headers=header), 401)
        refused(client.get("/booklet", headers=header), 401)
    known = client.get("/v1/models", headers={"authorization": f"Bearer {TOKEN}"})
    assert known.json()["default"] == "emotions"
    schema = client.get("/openapi.json", headers={"authorization": f"Bearer {TOKEN}"}).json()
    assert schema["components"]["securitySchemes"] == {"HTTPBearer": {"type": "http", "scheme": "bearer"}}


def test_settings_come_from_a_file_and_the_environment(tmp_path):
    file = tmp_path / "serve.toml"
    file.write_text('port = 9000\nupload = 3\n[corpora]\nmine = "recordings"\n', encoding="utf-8")
    found = settings.read(file, {"SERLAB_SERVE_PORT": "9001", "SERLAB_SERVE_SECONDS": "12.5"})
    assert (found.port, found.upload, found.seconds) == (9001, 3, 12.5)
    assert found.corpora == {"mine": Path("recordings")}
    for wrong, why in {
        "prot = 1": "prot",
        "port = 'x'": "port",
        "upload = 0": "upload",
        "port =": "cannot be read",
        "token = 3": "token",
        '[corpora]\n"../x" = "y"': "corpora",
    }.items():
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(SerlabError, match=why):
            settings.read(file, {})
    with pytest.raises(SerlabError, match=r"no\.toml"):
        settings.read(tmp_path / "no.toml", {})
    with pytest.raises(SerlabError, match="SERLAB_SERVE_PROT is no setting"):
        settings.read(environment={"SERLAB_SERVE_PROT": "9000"})
    told = re.findall(r"^    (\w+) : .*, default (.*)$", settings.Settings.__doc__, re.M)
    assert [name for name, _ in told] == list(settings.Settings.__annotations__)
    own = {"token": "none", "corpora": "none", "data": "the user's folder for data"}
    own["listeners"] = "one for each processor, up to 4"
    assert all(value == own.get(name, str(getattr(settings.Settings(), name))) for name, value in told)


def test_two_services_do_not_share_a_folder(client, place):
    async def begin(application) -> None:
        async with application.router.lifespan_context(application):
            pytest.fail("Both began")

    with pytest.raises(SerlabError, match="Another service uses"):
        asyncio.run(begin(app.create(options(place))))
    with pytest.raises(SerlabError, match="no trained model 'none'"):
        app.create(options(place, model="none"))


# ---- all of it ----


def test_the_description_of_the_service_is_whole(client):
    found = client.get("/openapi.json").json()
    assert found["openapi"].startswith("3.")
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (path, method)
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert found["components"]["schemas"]["Order"]["properties"]["corpus"]["examples"] == ["demo"]

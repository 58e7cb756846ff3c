"""Judge the service: killed at random moments, and asked by fifty clients at once. On this computer alone.

kills    kill -9 the server or what trains at a random moment of a training: what is in service then must be
         a model that was finished, and answer, and every job must tell what became of it
load     fifty clients send recordings of their own at once; beside it the bare call of `serlab.predict`

    python benchmarks/service.py [--rounds 50] [--clients 50] [--seed 0]

No clients, no load: `--clients 0` does the kills alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import requests
import soundfile

import serlab
from serlab import models
from serlab.corpora.synthesis import synthesise_phrase

PLUGIN = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab.features import Averages
from serlab.models import ModelSpec


def build(seed):
    return make_pipeline(StandardScaler(), LogisticRegression(random_state=seed))


SPEC = ModelSpec("quick", "Quick", 0, (Averages(),), build, "settings fixed beforehand")
"""
ENTRY = "[serlab.models]\nquick = quick_model:SPEC\n"
RATE = 16000


def plug(folder: Path) -> Path:
    """Write a distribution that brings a model of its own, and return the folder to put on the path."""
    about = folder / "quick_model-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "quick_model.py").write_text(PLUGIN, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: quick-model\nVersion: 1.0\n", "utf-8")
    (about / "entry_points.txt").write_text(ENTRY, encoding="utf-8")
    return folder


def tiny(folder: Path) -> Path:
    """Write a corpus of 24 synthetic clips of four speakers, as a folder of one's own."""
    folder.mkdir(parents=True)
    lines = ["file,emotion,speaker"]
    for speaker in ("d01", "d02", "d03", "d04"):
        for emotion in ("angry", "sad"):
            for take in range(3):
                y = synthesise_phrase(speaker, emotion=emotion, seed=take)
                name = f"{speaker}-{emotion}-{take}"
                soundfile.write(folder / f"{name}.wav", np.asarray(y)[: RATE * 3 // 2], RATE)
                lines.append(f"{name}.wav,{emotion},{speaker}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def plain(file: Path, corpus: Path) -> None:
    """Save a model of what `tiny` has written, which was trained before there was a service."""
    scope: dict = {}
    exec(PLUGIN, scope)
    table = serlab.load(corpus)
    X = serlab.store.features(table, scope["Averages"]())
    card = {"title": "Plain", "score": {"uar": 0.75, "low": 0.5, "high": 1.0}, "protocol": "by hand"}
    models.save(file, scope["build"](0).fit(X, table["emotion"]), scope["Averages"](), card)


class Server:
    """A service in a process of its own, in a folder that it shares with those before it."""

    def __init__(self, folder: Path, **settings):
        self.folder, self.settings, self.process = folder, settings, None
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "plugin").exists():
            plug(folder / "plugin")
            plain(folder / "data" / "models" / "plain.serlab", tiny(folder / "tiny"))

    def start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        config = self.folder / "serve.toml"
        given = {"port": port, "data": str(self.folder / "data"), "listeners": 1} | self.settings
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in given.items()]
        lines += ["[corpora]\n", f"tiny = {json.dumps(str(self.folder / 'tiny'))}\n"]
        config.write_text("".join(lines), encoding="utf-8")
        paths = [str(self.folder / "plugin"), *sys.path]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        with open(self.folder / "server.log", "ab") as log:
            command = [sys.executable, "-m", "serlab", "serve", "--config", str(config)]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.until(self.is_ready, "ready")

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise SystemExit(f"The server ended: {(self.folder / 'server.log').read_text()[-2000:]}")
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.address}/ready", timeout=60).ok
        return False

    @staticmethod
    def until(true, what: str, patience: float = 300) -> None:
        end = time.monotonic() + patience
        while not true():
            if time.monotonic() > end:
                raise SystemExit(f"Waited {patience:g} s in vain: {what}")
            time.sleep(0.05)

    def get(self, path: str):
        return self._json(requests.get(self.address + path, timeout=120))

    def post(self, path: str, **given):
        return self._json(requests.post(self.address + path, timeout=120, **given))

    @staticmethod
    def _json(answer):
        if not answer.ok:
            raise SystemExit(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
        return answer.json()

    def trainer(self) -> psutil.Process | None:
        """Find the process that trains, if there is one."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if "serlab.service.trainer" in child.cmdline():
                    return child
        return None

    def kill(self) -> None:
        """Kill the server, and make sure that nothing outlives it."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(children, timeout=60)
        if alive:
            raise SystemExit(f"{alive} outlived the server")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def kills(folder: Path, rounds: int, seed: int) -> Iterator[dict]:
    """Kill server or trainer at random moments; give what was killed when, and what the job said then."""
    rng, server = np.random.default_rng(seed), Server(folder, model="plain")
    server.start()
    order = {"corpus": "tiny", "model": "quick"}
    began = time.monotonic()
    job = server.post("/v1/jobs", json=order)
    ended = ("done", "failed", "interrupted")
    server.until(lambda: server.get(f"/v1/jobs/{job['id']}")["state"] in ended, "the first training")
    _check(server, {job["id"]: "done"})
    # What is measured is kept, so those that follow are quicker.
    began = time.monotonic()
    job = server.post("/v1/jobs", json=order | {"seed": 1})
    server.until(lambda: server.get(f"/v1/jobs/{job['id']}")["state"] in ended, "the second training")
    usual = time.monotonic() - began
    told = {job["id"]: "done"}
    for number in range(rounds):
        job = server.post("/v1/jobs", json=order | {"seed": number})["id"]
        server.until(lambda job=job: server.get(f"/v1/jobs/{job}")["state"] != "queued", "a training begins")
        delay = float(rng.uniform(0, usual))
        time.sleep(delay)
        state = server.get(f"/v1/jobs/{job}")
        victim = "server" if number % 2 else "trainer"
        if victim == "server":
            server.kill()
            server.start()
        elif (trainer := server.trainer()) is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                trainer.kill()
        server.until(lambda job=job: server.get(f"/v1/jobs/{job}")["state"] in ended, "the job tells its end")
        told[job] = server.get(f"/v1/jobs/{job}")["state"]
        _check(server, told)
        resumed = told[job] == "interrupted" and bool(rng.random() < 0.5)
        found = {"killed": victim, "after": delay, "at": state["step"], "told": told[job], "resumed": resumed}
        if resumed:
            server.post(f"/v1/jobs/{job}/resume")
            server.until(
                lambda job=job: server.get(f"/v1/jobs/{job}")["state"] in ended, "a resumed training"
            )
            told[job] = server.get(f"/v1/jobs/{job}")["state"]
            _check(server, told)
            if told[job] != "done":
                raise SystemExit(f"Resumed, job {job} is {told[job]}")
        yield found
    server.stop()


def _check(server: Server, told: dict[str, str]) -> None:
    """Make sure that a finished model is in service, and that jobs tell the truth."""
    sound = (server.folder / "tiny" / "d01-angry-0.wav").read_bytes()
    answer = server.post("/v1/predictions?model=tiny.quick", data=sound)
    file = server.folder / "data" / "models" / "tiny.quick.serlab"
    loaded = models.load(file)
    bare = serlab.predict(server.folder / "tiny" / "d01-angry-0.wav", model=loaded).iloc[0]
    for name, p in answer["answers"][0]["probabilities"].items():
        if abs(p - bare[f"p_{name}"]) > 1e-6:
            raise SystemExit("The model in service is not the one on the disk")
    for job in server.get("/v1/jobs?limit=500"):
        if job["id"] in told and job["state"] != told[job["id"]]:
            raise SystemExit(f"Job {job['id']} was {told[job['id']]} and is now {job['state']}")
    if loaded.card["job"] not in [job for job, state in told.items() if state == "done"]:
        raise SystemExit(f"The model in service is of job {loaded.card['job']}, which is not done: {told}")


def load(folder: Path, clients: int, each: int, listeners: int) -> dict[str, float]:
    """Have clients send recordings at once, and compare with the bare call."""
    voices = sorted((Path(__file__).parents[1] / "book" / "_static" / "audio").glob("voice_*.flac"))
    sounds = [voice.read_bytes() for voice in voices]
    serlab.predict(voices[0])
    began = time.perf_counter()
    for number in range(len(voices) * 5):
        serlab.predict(voices[number % len(voices)])
    bare = len(voices) * 5 / (time.perf_counter() - began)
    server = Server(folder, listeners=listeners, waiting=clients)
    server.start()
    server.until(lambda: server.get("/ready")["listeners"] == listeners, "all listeners")
    start, times = threading.Barrier(clients), []

    def ask(client: int) -> int:
        start.wait()
        lost = 0
        for number in range(each):
            began = time.perf_counter()
            sound = sounds[(client + number) % len(sounds)]
            answer = requests.post(f"{server.address}/v1/predictions", data=sound, timeout=120)
            times.append(time.perf_counter() - began)
            lost += not answer.ok
        return lost

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        lost = sum(pool.map(ask, range(clients)))
    seconds = time.perf_counter() - began
    server.stop()
    p50, p95 = np.percentile(times, [50, 95])
    found = {"requests": clients * each, "lost": lost, "per second": clients * each / seconds}
    return found | {"bare per second": bare, "p50": p50, "p95": p95, "slowest": max(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Judge the service.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.clients:
            results = load(Path(folder) / "load", given.clients, 8, os.cpu_count())
            print("   ".join(f"{name} {value:.4g}" for name, value in results.items()), flush=True)
        for number, found in enumerate(kills(Path(folder) / "kills", given.rounds, given.seed), 1):
            print(number, "   ".join(f"{name} {value}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()

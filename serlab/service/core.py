"""All that lives as long as the service does: what there is to ask for, and how it begins and ends.

Names from outside are looked up here, and never become paths.
"""

import contextlib
import json
import shutil
import zipfile
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
from fastapi import FastAPI, HTTPException

from serlab import corpora, models
from serlab.errors import CorpusError, SerlabError
from serlab.prediction import NOT_SURE, emotions, familiarity
from serlab.service import guard
from serlab.service.jobs import Jobs, Runner
from serlab.service.listeners import Listeners
from serlab.service.settings import Settings


class Service:
    """What the endpoints ask: corpora, models, those who listen, and trainings."""

    def __init__(self, settings: Settings):
        self.settings, self.metrics = settings, guard.Metrics()
        self.corpora = {name: name for name in corpora.names()} | dict(settings.corpora)
        self.trainable = {
            spec.name: spec for spec in (*models.specs(), *models.plugged()) if spec.answers_recordings
        }
        self._tables: dict[str, pd.DataFrame] = {}
        self.models, self.uploads, self.streams = settings.data / "models", settings.data / "uploads", 0
        if settings.model not in self.trained():
            raise SerlabError(f"There is no trained model {settings.model!r}, which was to be the default")

    @contextlib.asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Start what listens and trains, and end it."""
        folder = self.settings.data
        self.models.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "service.lock")
        try:
            held = lock.acquire(timeout=0)
        except filelock.Timeout:
            raise SerlabError(f"Another service uses {folder}: choose another one as `data`") from None
        with held:
            # What a service that was killed has left.
            shutil.rmtree(self.uploads, ignore_errors=True)
            self.uploads.mkdir()
            for file in (*self.models.glob("*.part"), *self.models.glob("*.new")):
                file.unlink()
            self.jobs = Jobs(folder / "jobs.sqlite")
            self._recover()
            self.runner = Runner(self.jobs, self._about, folder / "trainer.log")
            self.runner.start()
            chosen = self.settings
            model = self.trained()[chosen.model]
            self.listeners = Listeners(chosen.listeners, chosen.waiting, model, chosen.memory)
            self.listeners.open()
            try:
                yield
            finally:
                self.listeners.close()
                self.runner.stop()

    def _recover(self) -> None:
        """Tell the truth about trainings that ran when the service before this one ended."""
        for job in self.jobs.running():
            file = self.place(job["corpus"], job["model"])
            if file.exists() and card(file).get("job") == job["id"]:
                self.jobs.change(job["id"], ["running"], state="done", step="in service", share=1.0)
            else:
                error = "The service ended while this ran: resume it"
                self.jobs.change(job["id"], ["running"], state="interrupted", error=error)

    def _about(self, job: dict) -> dict[str, str]:
        source = self.corpora.get(job["corpus"], job["corpus"])
        return {"source": str(source), "place": str(self.place(job["corpus"], job["model"]))}

    def table(self, corpus: str) -> pd.DataFrame:
        """Return the clips of a corpus that a request names, by name."""
        if corpus not in self.corpora:
            raise HTTPException(404, "There is no corpus of this name: /v1/corpora lists all")
        try:
            if corpus not in self._tables:
                self._tables[corpus] = corpora.load(self.corpora[corpus]).set_index("clip", drop=False)
        except CorpusError:
            about = (
                "This corpus is not on this computer, or not whole: where the service runs, `serlab fetch` "
                "gets it, and `serlab validate` says what is wrong"
            )
            raise HTTPException(404, about) from None
        return self._tables[corpus]

    def about(self, corpus: str) -> dict[str, Any]:
        """Describe a corpus."""
        about = {"name": corpus, "title": corpus, "here": self.is_here(corpus)}
        if isinstance(self.corpora[corpus], Path):
            return about
        of = corpora.record(corpus)
        about |= {"title": of.title, "language": of.language, "licence": of.licence}
        return about | {"clips": of.clips, "speakers": len(of.speakers)}

    def is_here(self, corpus: str) -> bool:
        """Whether the clips of a corpus are on this computer."""
        own = self.corpora[corpus]
        if isinstance(own, Path):
            return own.is_dir()
        # The synthetic one is made when it is first used.
        return own == "demo" or corpora.find(own) is not None

    def trained(self) -> dict[str, Path]:
        """Return the files of all trained models, by name; the one of serlab comes first.

        Files that hold no card, such as those copied in half, are left out.
        """
        found = {"emotions": emotions.FILE}
        for file in sorted(self.models.glob("*.serlab")):
            with contextlib.suppress(OSError, zipfile.BadZipFile, KeyError, ValueError):
                if "format" in card(file):
                    found[file.stem] = file
        return found

    def place(self, corpus: str, model: str) -> Path:
        """Return where a model is kept that was trained on a corpus, both of those that are known."""
        return self.models / f"{corpus}.{model}.serlab"

    def model(self, name: str | None) -> tuple[str, Path]:
        """Return name and file of the trained model that a request names."""
        name = name or self.settings.model
        file = self.trained().get(name)
        if file is None:
            raise HTTPException(404, "There is no trained model of this name: /v1/models lists all")
        return name, file

    def job(self, job: str) -> dict[str, Any]:
        """Return the job that a request names."""
        found = self.jobs.get(job)
        if found is None:
            raise HTTPException(404, "There is no training of this name: /v1/jobs lists all")
        return self.shown(found)

    def shown(self, job: dict) -> dict[str, Any]:
        """Add the name of the trained model to a job that is done."""
        trained = self.place(job["corpus"], job["model"]).stem if job["state"] == "done" else None
        return {**job, "trained": trained}

    async def predict(self, recording: Path, model: str | None, timeline: bool) -> dict[str, Any]:
        """Put a recording through a model; the caller has a place among those who wait."""
        name, file = self.model(model)
        rows = await self.listeners.ask(recording, file, timeline, self.settings.seconds)
        for row in rows:
            row["probabilities"] = {key[2:]: p for key, p in row.items() if key.startswith("p_")}
            self.metrics.answers.labels("no" if row["emotion"] == NOT_SURE else "yes").inc()
            for kind in familiarity.kinds(row["hints"]):
                self.metrics.hints.labels(kind).inc()
        return {"model": name, "score": card(file).get("score"), "answers": rows}


def card(file: Path) -> dict[str, Any]:
    """Read the card of a trained model, without the model."""
    return _card(file, file.stat().st_mtime_ns)


@lru_cache(256)
def _card(file: Path, changed: int) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("card.json"))

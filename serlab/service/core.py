"""All that lives as long as the service does, and how it begins and ends."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import filelock
from fastapi import FastAPI, HTTPException

from serlab.errors import CorpusError, SerlabError
from serlab.prediction import NOT_SURE, familiarity
from serlab.service import guard
from serlab.service.catalogue import Catalogue, card
from serlab.service.jobs import Jobs, Runner
from serlab.service.listeners import Listeners
from serlab.service.settings import Settings


class Service:
    """What the endpoints ask: what there is, those who listen, and trainings."""

    def __init__(self, settings: Settings):
        self.settings, self.metrics = settings, guard.Metrics()
        self.catalogue = Catalogue(settings)
        if settings.model not in self.catalogue.trained():
            raise SerlabError(f"There is no trained model {settings.model!r}, which was to be the default")
        self.uploads, self.streams = settings.data / "uploads", 0

    @contextlib.asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Start what listens and trains, and end it."""
        folder = self.settings.data
        self.catalogue.folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "service.lock")
        try:
            held = lock.acquire(timeout=0)
        except filelock.Timeout:
            raise SerlabError(f"Another service uses {folder}: choose another one as `data`") from None
        with held:
            # What a service that was killed has left.
            shutil.rmtree(self.uploads, ignore_errors=True)
            self.uploads.mkdir()
            for file in (*self.catalogue.folder.glob("*.part"), *self.catalogue.folder.glob("*.new")):
                file.unlink()
            self.jobs = Jobs(folder / "jobs.sqlite")
            self._recover()
            self.runner = Runner(self.jobs, self._about, folder / "trainer.log")
            self.runner.start()
            model = self.catalogue.trained()[self.settings.model]
            self.listeners = Listeners(
                self.settings.listeners, self.settings.waiting, model, self.settings.memory
            )
            self.listeners.open()
            try:
                yield
            finally:
                self.listeners.close()
                self.runner.stop()

    def _recover(self) -> None:
        """Tell the truth about trainings that ran when the service before this one ended."""
        for job in self.jobs.running():
            file = self.catalogue.place(job["corpus"], job["model"])
            if file.exists() and card(file).get("job") == job["id"]:
                self.jobs.change(job["id"], ["running"], state="done", step="in service", share=1.0)
            else:
                error = "The service ended while this ran: resume it"
                self.jobs.change(job["id"], ["running"], state="interrupted", error=error)

    def _about(self, job: dict) -> dict[str, str]:
        source = self.catalogue.corpora.get(job["corpus"], job["corpus"])
        return {"source": str(source), "place": str(self.catalogue.place(job["corpus"], job["model"]))}

    def table(self, corpus: str):
        """Return the clips of a corpus that a request names."""
        if corpus not in self.catalogue.corpora:
            raise HTTPException(404, "There is no corpus of this name: /v1/corpora lists all")
        try:
            return self.catalogue.table(corpus)
        except CorpusError:
            about = (
                "This corpus is not on this computer, or not whole: where the service runs, `serlab fetch` "
                "gets it, and `serlab validate` says what is wrong"
            )
            raise HTTPException(404, about) from None

    def model(self, name: str | None) -> tuple[str, Path]:
        """Return name and file of the trained model that a request names."""
        name = name or self.settings.model
        file = self.catalogue.trained().get(name)
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
        trained = self.catalogue.place(job["corpus"], job["model"]).stem if job["state"] == "done" else None
        return {**job, "trained": trained}

    async def predict(self, recording: Path, model: str | None, timeline: bool) -> dict[str, Any]:
        """Put a recording through a model; the caller has a place among those who wait."""
        name, file = self.model(model)
        rows = await self.listeners.ask(recording, file, timeline, self.settings.seconds)
        answers = [
            row | {"probabilities": {key[2:]: p for key, p in row.items() if key.startswith("p_")}}
            for row in rows
        ]
        for row in rows:
            self.metrics.answers.labels("no" if row["emotion"] == NOT_SURE else "yes").inc()
            for kind in familiarity.kinds(row["hints"]):
                self.metrics.hints.labels(kind).inc()
        return {"model": name, "score": card(file).get("score"), "answers": answers}

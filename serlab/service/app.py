"""The endpoints of the service."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import prometheus_client
import python_multipart.exceptions
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, StreamingResponse
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect

from serlab.errors import SerlabError
from serlab.service import guard, schemas
from serlab.service.core import Service, card
from serlab.service.jobs import STOPPED
from serlab.service.listeners import Busy
from serlab.service.settings import Settings

# How often those who follow a training are told, in seconds.
EVERY = 0.25
FULL = "Too many trainings wait already"
_BYTES = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {"file": _BYTES}, "required": ["file"]}
_UPLOAD = {
    "required": True,
    "description": "A sound file, as it is or as the field `file` of a form.",
    "content": {"application/octet-stream": {"schema": _BYTES}, "multipart/form-data": {"schema": _FORM}},
}
_PROBLEM = {
    "description": "What is wrong",
    "content": {"application/problem+json": {"schema": schemas.Problem.model_json_schema()}},
}


def _as(kind: str, **more: str) -> dict[str, Any]:
    """Describe an answer that is no JSON."""
    content = {kind: {"schema": {"type": "string"} | more}}
    return {"response_class": Response, "responses": {200: {"content": content}}}


def _service(request: Request) -> Service:
    return request.app.state.service


def _known(request: Request) -> None:
    """Refuse what would be ignored, such as a name in the query that is misspelt."""
    route = request.scope["route"]
    known = [one.alias for one in route.dependant.query_params]  # codespell:ignore dependant
    if wrong := [name for name in request.query_params if name not in known]:
        why = {"type": "unknown", "msg": guard.unknown(known)}
        raise RequestValidationError([{"loc": ("query", name), **why} for name in wrong])


Here = Annotated[Service, Depends(_service)]
ModelName = Annotated[str | None, Query(description="Name of a trained model", examples=["emotions"])]
Timeline = Annotated[bool, Query(description="An answer for every second with sound in it")]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=500)]
api = APIRouter(prefix="/v1", dependencies=[Depends(_known)])
state = APIRouter()


@api.get("/corpora", response_model=list[schemas.Corpus], tags=["corpora"])
def list_corpora(here: Here) -> list[dict]:
    """List the corpora that can be asked about and trained on."""
    return [here.about(name) for name in here.corpora]


@api.get("/corpora/{corpus}/clips", response_model=schemas.Clips, tags=["corpora"])
async def list_clips(corpus: str, here: Here, offset: Offset = 0, limit: Limit = 50) -> dict:
    """List the clips of a corpus, a page at a time."""
    table = await asyncio.to_thread(here.table, corpus)
    page = table.iloc[offset : offset + limit].rename(columns={"duration": "seconds"})
    page = page[["clip", "speaker", "gender", "emotion", "seconds"]].astype(object)
    return {"total": len(table), "clips": page.where(page.notna(), None).to_dict("records")}


@api.get(
    "/corpora/{corpus}/clips/{clip}/prediction",
    response_model=schemas.Prediction,
    response_model_exclude_none=True,
    tags=["predict"],
)
async def predict_clip(
    corpus: str, clip: str, here: Here, model: ModelName = None, timeline: Timeline = False
) -> dict:
    """Put a clip of a corpus through a model."""
    table = await asyncio.to_thread(here.table, corpus)
    if clip not in table.index:
        raise HTTPException(404, f"There is no clip of this name: /v1/corpora/{corpus}/clips lists all")
    with here.listeners.place():
        found = await here.predict(Path(table.at[clip, "path"]), model, timeline)
    return found | {"clip": clip, "label": table.at[clip, "emotion"]}


@api.post(
    "/predictions",
    response_model=schemas.Prediction,
    response_model_exclude_none=True,
    tags=["predict"],
    openapi_extra={"requestBody": _UPLOAD},
)
async def predict_upload(
    request: Request, here: Here, model: ModelName = None, timeline: Timeline = False
) -> dict:
    """Put a recording of your own through a model. It is kept until it is answered, and not longer."""
    here.model(model)
    with here.listeners.place(), tempfile.TemporaryDirectory(dir=here.uploads) as folder:
        recording = Path(folder) / "recording"
        await _receive(request, recording)
        return await here.predict(recording, model, timeline)


async def _receive(request: Request, recording: Path) -> None:
    with open(recording, "wb") as file:
        if not request.headers.get("content-type", "").startswith("multipart/"):
            async for part in request.stream():
                file.write(part)
            return
        try:
            async with request.form(max_files=1, max_fields=4) as form:
                if not hasattr(upload := form.get("file"), "read"):
                    raise HTTPException(422, "The form has no file in its field `file`")
                if len(form) > 1:
                    about = "A form has the field `file` alone: `model` and `timeline` stand in the address"
                    raise HTTPException(422, about)
                while part := await upload.read(1 << 20):
                    file.write(part)
        except python_multipart.exceptions.FormParserError as error:
            raise HTTPException(400, f"The form cannot be read: {error}") from None


@api.get("/models", response_model=schemas.Models, tags=["models"])
def list_models(here: Here) -> dict:
    """List the models that answer recordings, and those that can be trained."""
    trained = [{"title": name} | card(file) | {"name": name} for name, file in here.trained().items()]
    trainable = [{"name": name, "title": spec.title} for name, spec in here.trainable.items()]
    return {"default": here.settings.model, "trained": trained, "trainable": trainable}


@api.get("/models/{model}", tags=["models"])
def model_card(model: str, here: Here) -> dict[str, Any]:
    """Give the card of a trained model: what it learnt from, what it is worth, and where it fails."""
    return card(here.model(model)[1])


@api.get("/models/{model}/file", tags=["models"], **_as("application/octet-stream", format="binary"))
def download_model(model: str, here: Here) -> Response:
    """Download a trained model, its card inside. It is a file for `serlab.models.load`."""
    name, file = here.model(model)
    # Read as a whole: a newer model may take its place at any time.
    named = {"Content-Disposition": f'attachment; filename="{name}.serlab"'}
    return Response(file.read_bytes(), 200, named, "application/octet-stream")


@api.post("/jobs", response_model=schemas.Job, status_code=202, tags=["train"])
def start_training(order: schemas.Order, here: Here, response: Response) -> dict:
    """Train a model on a corpus. It takes service when it is whole; until then the one before answers."""
    if order.model not in here.trainable:
        raise HTTPException(404, "There is no such model to be trained: /v1/models lists all")
    if order.corpus not in here.corpora or not here.is_here(order.corpus):
        raise HTTPException(404, "There is no such corpus on this computer: /v1/corpora lists all")
    job = here.jobs.add(order.corpus, order.model, order.seed, here.settings.jobs)
    if job is None:
        raise Busy(FULL)
    here.runner.wake.set()
    response.headers["Location"] = f"/v1/jobs/{job['id']}"
    return here.shown(job)


@api.get("/jobs", response_model=list[schemas.Job], tags=["train"])
def list_jobs(here: Here, offset: Offset = 0, limit: Limit = 50) -> list[dict]:
    """List trainings, newest first."""
    return [here.shown(job) for job in here.jobs.page(offset, limit)]


@api.get("/jobs/{job}", response_model=schemas.Job, tags=["train"])
def get_job(job: str, here: Here) -> dict:
    """Say how far a training is."""
    return here.job(job)


@api.get("/jobs/{job}/events", tags=["train"], **_as("text/event-stream"))
async def follow_job(job: str, here: Here) -> StreamingResponse:
    """Follow a training: an event `progress`, whose data is the job, at each change until its end."""
    first = await asyncio.to_thread(here.job, job)
    if here.streams >= here.settings.streams:
        raise Busy("Too many clients follow trainings already: ask for the job instead")

    async def events() -> AsyncIterator[str]:
        here.streams += 1
        try:
            now, last = first, None
            while True:
                if now != last:
                    yield f"event: progress\ndata: {schemas.Job(**now).model_dump_json()}\n\n"
                if now["state"] not in ("queued", "running"):
                    return
                await asyncio.sleep(EVERY)
                now, last = await asyncio.to_thread(here.job, job), now
        finally:
            here.streams -= 1

    return StreamingResponse(events(), 200, {"Cache-Control": "no-store"}, "text/event-stream")


@api.post("/jobs/{job}/cancel", response_model=schemas.Job, tags=["train"])
def cancel_job(job: str, here: Here) -> dict:
    """Stop a training that waits or runs."""
    found = here.job(job)
    if not here.runner.cancel(found["id"]):
        raise HTTPException(409, "This training has ended already")
    return here.job(job)


@api.post("/jobs/{job}/resume", response_model=schemas.Job, status_code=202, tags=["train"])
def resume_job(job: str, here: Here) -> dict:
    """Go on with a training that was interrupted, cancelled or failed: what it has measured is kept."""
    found = here.job(job)
    if here.jobs.counts()["queued"] >= here.settings.jobs:
        raise Busy(FULL)
    if not here.jobs.change(found["id"], STOPPED, state="queued", error=""):
        raise HTTPException(409, "This training waits, runs or is done")
    here.runner.wake.set()
    return here.job(job)


@state.get("/health", tags=["state"])
async def health() -> dict[str, str]:
    """Say that the service lives."""
    return {"status": "alive"}


@state.get("/ready", tags=["state"])
def ready(here: Here) -> dict[str, int]:
    """Say whether recordings can be answered and models trained, and how many processes listen."""
    here.jobs.counts()
    if not (here.listeners.warm and here.runner.is_alive()):
        raise Busy("The service is not ready yet")
    return {"listeners": here.listeners.warm}


@state.get("/metrics", tags=["state"], **_as("text/plain"))
def metrics(here: Here) -> Response:
    """Give counts and times in the format of Prometheus."""
    found = here.metrics
    found.inside.set(here.listeners.inside)
    found.listeners.set(here.listeners.warm)
    for name, count in here.jobs.counts().items():
        found.jobs.labels(name).set(count)
    text = prometheus_client.generate_latest(found.registry)
    return Response(text, media_type=prometheus_client.CONTENT_TYPE_LATEST)


@state.get("/", include_in_schema=False)
def start(here: Here) -> RedirectResponse:
    """Lead to the book, or to the description of the service."""
    return RedirectResponse("/book/" if here.settings.pages.is_dir() else "/openapi.json")


def create(settings: Settings) -> FastAPI:
    """Make the ASGI application; it starts its processes when it is run."""
    service = Service(settings)
    app = FastAPI(
        title="serlab",
        version=version("serlab"),
        summary="Speech emotion recognition: put recordings through a model, and train models.",
        description="An emotion that a model names is the one that actors would have been asked to play.",
        lifespan=service.run,
        # Their pages would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        responses={"default": _PROBLEM},
        dependencies=[Security(HTTPBearer(auto_error=False))] if settings.token else [],
    )
    app.state.service = service
    app.include_router(api)
    app.include_router(state)
    if settings.pages.is_dir():
        app.mount("/book", StaticFiles(directory=settings.pages, html=True))
    for kind in (AnyHTTPException, RequestValidationError, SerlabError, ClientDisconnect):
        app.add_exception_handler(kind, guard.told)
    app.add_middleware(guard.Guard, settings=settings, metrics=service.metrics)
    return app


def serve(settings: Settings) -> None:
    """Run the service until it is told to end."""
    handler = logging.StreamHandler()
    handler.setFormatter(guard.JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    uvicorn.run(
        create(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=5,
    )

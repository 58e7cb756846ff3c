"""What holds for every request: who may ask, how much, how long; problems, logs and counts."""

import asyncio
import contextlib
import json
import logging
import secrets
import time
import traceback
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect, Request

from serlab.prediction.familiarity import KINDS
from serlab.service.listeners import Busy
from serlab.service.schemas import Order
from serlab.service.settings import Settings

LOG = logging.getLogger("serlab.service")
# So many requests are looked after at once, whatever they are about.
MOST = 256
# Without a token: what orchestrators and readers ask for, which tells nothing about anybody.
OPEN = ("/health", "/ready", "/book")
RECORDINGS = "/v1/predictions"
_LOCAL = {"127.0.0.1", "localhost", "::1"}


class Metrics:
    """Counts for Prometheus."""

    def __init__(self):
        self.registry = registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self.requests = Counter("serlab_requests", "Requests answered", labels, registry=registry)
        self.seconds = Histogram("serlab_request_seconds", "Time to answer", ["route"], registry=registry)
        self.inside = Gauge("serlab_predictions", "Recordings waiting or listened to", registry=registry)
        self.listeners = Gauge("serlab_listeners", "Processes that can listen", registry=registry)
        self.jobs = Gauge("serlab_jobs", "Trainings by state", ["state"], registry=registry)
        about = "Answers, one for each window of a timeline"
        self.answers = Counter("serlab_answers", about, ["sure"], registry=registry)
        self.hints = Counter("serlab_hints", "Answers with such a hint", ["hint"], registry=registry)
        # What has not happened yet is counted, too.
        for counter, labels in ((self.answers, ("yes", "no")), (self.hints, KINDS)):
            for label in labels:
                counter.labels(label)


def problem(status: int, detail: str, headers: dict | None = None, **more: Any) -> JSONResponse:
    """Answer that something is wrong, as RFC 9457 asks."""
    about = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(about | more, status, headers, "application/problem+json")


def unknown(known: Iterable[str]) -> str:
    """Say that a name is none of those that are known."""
    return f"Unknown name; known here: {', '.join(sorted(known)) or 'none'}"


def told(request: Request, error: Exception) -> JSONResponse:
    """Turn an error that a handler raised into a problem."""
    instance = request.scope["instance"]
    if isinstance(error, AnyHTTPException):
        detail = str(error.detail)
        if detail == HTTPStatus(error.status_code).phrase:  # as the framework says it
            detail += ": /openapi.json describes all requests"
        return problem(error.status_code, detail, error.headers, instance=instance)
    if isinstance(error, RequestValidationError):
        errors = [{"in": list(one["loc"]), "reason": _reason(one)} for one in error.errors()]
        reasons = "; ".join(f"{'.'.join(map(str, one['in']))}: {one['reason']}" for one in errors)
        return problem(422, reasons, instance=instance, errors=errors)
    if isinstance(error, Busy):
        return problem(503, str(error), {"Retry-After": "5"}, instance=instance)
    if isinstance(error, ClientDisconnect):
        return problem(400, "The request ended before it was complete", instance=instance)
    return problem(422, str(error), instance=instance)


def _reason(error: dict[str, Any]) -> str:
    """Say what is wrong with a value; of JSON that cannot be read, what its reader says."""
    if error["type"] == "extra_forbidden":
        return unknown(Order.model_fields)
    return f"{error['msg']}: {error['ctx']['error']}" if error["type"] == "json_invalid" else error["msg"]


class Guard:
    """ASGI middleware around all of the service."""

    def __init__(self, app, settings: Settings, metrics: Metrics):
        self._app, self._settings, self._metrics = app, settings, metrics
        self._inside = 0

    async def __call__(self, scope, receive, send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["instance"], began = f"urn:uuid:{uuid.uuid4()}", time.perf_counter()
        status = received = 0
        # Only recordings are large: all else is kept in memory as a whole.
        most = self._settings.upload if scope["path"] == RECORDINGS else 1
        too_large = f"This is larger than the {most} MiB that are taken here"

        async def take() -> dict:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most << 20:
                raise HTTPException(413, too_large)
            return message

        async def give(message: dict) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # The second tells the page “Talk to the model” that there is a service.
                told_too = [(b"x-content-type-options", b"nosniff"), (b"serlab-service", b"/v1")]
                message["headers"] = [*message["headers"], *told_too]
                # What is still to come, such as events, may take its time.
                with contextlib.suppress(RuntimeError):
                    limit.reschedule(None)
            await send(message)

        self._inside += 1
        try:
            async with asyncio.timeout(self._settings.timeout) as limit:
                self._check(scope)
                if int(Headers(scope=scope).get("content-length", 0)) > most << 20:
                    raise HTTPException(413, too_large)
                await self._app(scope, take, give)
        except (HTTPException, Busy) as error:
            await told(Request(scope), error)(scope, receive, give)
        except TimeoutError:
            if not status:
                about = f"This took longer than {self._settings.timeout:g} s and was stopped"
                await problem(504, about, instance=scope["instance"])(scope, receive, give)
        except Exception:
            fault = {"request": scope["instance"], "error": traceback.format_exc()}
            LOG.error("fault", extra={"about": fault})
            if not status:
                about = "The service made a mistake, which its log describes"
                await problem(500, about, instance=scope["instance"])(scope, receive, give)
        finally:
            self._inside -= 1
            self._note(scope, status, received, time.perf_counter() - began)

    def _check(self, scope) -> None:
        """Refuse a request before it is looked at any closer, if anything is wrong with it."""
        headers, path = Headers(scope=scope), scope["path"]
        host = headers.get("host", "")
        if self._inside > MOST:
            raise Busy("Too many requests at once: ask again in a moment")
        # A name that leads to this computer may belong to somebody else's page (DNS rebinding).
        if self._settings.local and _host(f"//{host}") not in {*_LOCAL, self._settings.host}:
            raise HTTPException(421, "This service answers to 127.0.0.1 and localhost alone")
        if "origin" in headers and headers["origin"].partition("://")[2] != host:
            raise HTTPException(403, "Pages from elsewhere may not use this service")
        token = self._settings.token
        is_open = any(path == one or path.startswith(f"{one}/") for one in OPEN)
        if token and not is_open:
            given = headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, f"Bearer {token}".encode()):
                about = "Send the token of this service, as Authorization: Bearer TOKEN"
                raise HTTPException(401, about, {"WWW-Authenticate": "Bearer"})

    def _note(self, scope, status: int, received: int, seconds: float) -> None:
        # Routes, not paths: those may hold whatever a client put there.
        other = "/book" if scope["path"].startswith("/book/") else "other"
        route = getattr(scope.get("route"), "path", other)
        method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD") else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        about = {"request": scope["instance"], "method": method, "route": route, "status": status}
        LOG.info("request", extra={"about": about | {"bytes": received, "seconds": round(seconds, 4)}})


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``what``, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record in a line."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        about = {"time": now, "level": record.levelname.lower(), "what": record.getMessage()}
        if record.exc_info:
            about["error"] = self.formatException(record.exc_info)
        return json.dumps(about | getattr(record, "about", {}), ensure_ascii=False)

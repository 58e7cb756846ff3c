"""Trainings that clients asked for: their state in SQLite, and the thread that runs one after the other."""

import contextlib
import datetime
import json
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE = ("queued", "running")
STOPPED = ("interrupted", "cancelled", "failed")
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, corpus TEXT, model TEXT, seed INTEGER, state TEXT, step TEXT, share REAL, error TEXT,
    attempt INTEGER DEFAULT 0, created TEXT, updated TEXT
)"""


class Jobs:
    """The table of jobs in a file. Each call is a transaction of its own; several processes may call.

    A job is queued, running, done, failed, cancelled, or interrupted: then what trained it was stopped.

    Examples
    --------
    >>> import tempfile
    >>> jobs = Jobs(Path(tempfile.mkdtemp()) / "jobs.sqlite")
    >>> job = jobs.add("demo", "forest", seed=0, most=1)
    >>> job["state"], jobs.add("demo", "forest", seed=1, most=1)
    ('queued', None)
    >>> jobs.start()["state"], jobs.change(job["id"], ["running"], state="done"), jobs.get(job["id"])["state"]
    ('running', True, 'done')
    """

    def __init__(self, file: Path):
        self.file = file
        with self._transaction() as db:
            db.execute(_TABLE)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=20, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            with db:
                yield db

    def _rows(self, query: str, *values: Any) -> list[dict]:
        with self._transaction() as db:
            return [dict(row) for row in db.execute(query, values)]

    def add(self, corpus: str, model: str, seed: int, most: int) -> dict | None:
        """Put a job at the end of the queue; None if `most` wait already."""
        job, now = uuid.uuid4().hex, _now()
        made = self._rows(
            "INSERT INTO jobs (id, corpus, model, seed, state, step, share, error, created, updated) "
            "SELECT ?, ?, ?, ?, 'queued', '', 0, '', ?, ? "
            "WHERE (SELECT count(*) FROM jobs WHERE state = 'queued') < ? RETURNING *",
            *(job, corpus, model, seed, now, now, most),
        )
        return made[0] if made else None

    def get(self, job: str) -> dict | None:
        """Return a job, or None."""
        return next(iter(self._rows("SELECT * FROM jobs WHERE id = ?", job)), None)

    def page(self, offset: int, limit: int) -> list[dict]:
        """Return some jobs, newest first."""
        return self._rows(
            "SELECT * FROM jobs ORDER BY created DESC, rowid DESC LIMIT ? OFFSET ?", limit, offset
        )

    def running(self) -> list[dict]:
        """Return the jobs that are called running."""
        return self._rows("SELECT * FROM jobs WHERE state = 'running'")

    def counts(self) -> dict[str, int]:
        """Return how many jobs there are in each state, none included."""
        found = self._rows("SELECT state, count(*) n FROM jobs GROUP BY state")
        return dict.fromkeys(get_args(State), 0) | {row["state"]: row["n"] for row in found}

    def start(self) -> dict | None:
        """Take the next job from the queue and call it running; None if there is none."""
        taken = self._rows(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, share = 0, error = '', updated = ? "
            "WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY updated, rowid LIMIT 1) "
            "RETURNING *",
            _now(),
        )
        return taken[0] if taken else None

    def change(
        self,
        job: str,
        states: list[str] | tuple[str, ...],
        attempt: int | None = None,
        before: Callable[[], Any] | None = None,
        **values: Any,
    ) -> bool:
        """Change a job that is in one of `states`, in that attempt; say whether it was.

        `before` is called in between, while nobody else can change a job.
        """
        named = ", ".join(f"{name} = ?" for name in (*values, "updated"))
        with self._transaction() as db:
            query = f"UPDATE jobs SET {named} WHERE id = ? AND state IN ({', '.join('?' * len(states))})"
            changed = db.execute(
                query + " AND ifnull(?, attempt) = attempt", (*values.values(), _now(), job, *states, attempt)
            ).rowcount
            if changed and before is not None:
                before()
            return bool(changed)


class Runner(threading.Thread):
    """Runs one queued job after the other, each in a process of its own, until `stop`.

    `about` gives what the process needs to know of a job besides its row; `log` is where it may write.
    """

    def __init__(self, jobs: Jobs, about: Callable[[dict], dict], log: Path):
        super().__init__(name="trainer", daemon=True)
        self._jobs, self._about, self._log = jobs, about, log
        self._process: subprocess.Popen | None = None
        self._job, self._stopping, self._lock = "", False, threading.Lock()
        self.wake = threading.Event()

    def run(self) -> None:
        """Wait for jobs and run them: what the thread does."""
        while not self._stopping:
            self.wake.clear()
            if (job := self._jobs.start()) is None:
                self.wake.wait()
                continue
            with open(self._log, "wb") as log, self._lock:
                if self._stopping:
                    self._jobs.change(job["id"], ["running"], state="queued")
                    return
                command = [sys.executable, "-m", "serlab.service.trainer", str(self._jobs.file)]
                quiet, pipe = subprocess.DEVNULL, subprocess.PIPE
                process = subprocess.Popen(command, stdin=pipe, stdout=quiet, stderr=log)
                self._process, self._job = process, job["id"]
            # It ends when its input does, and that when this process ends, in whatever way.
            with contextlib.suppress(BrokenPipeError), process:
                process.stdin.write(json.dumps(job | self._about(job)).encode() + b"\n")
                process.stdin.flush()
                process.wait()
            who = "The service" if self._stopping else f"What trained it, with status {process.returncode},"
            error = f"{who} ended before it was done: resume it"
            self._jobs.change(job["id"], ["running"], job["attempt"], state="interrupted", error=error)

    def cancel(self, job: str) -> bool:
        """Stop a job that waits or runs; say whether there was something to stop."""
        if not self._jobs.change(job, ACTIVE, state="cancelled"):
            return False
        with self._lock:
            if self._process is not None and self._job == job:
                self._process.kill()
        return True

    def stop(self) -> None:
        """End the process that trains, if any; its job is interrupted."""
        with self._lock:
            self._stopping = True
            if self._process is not None:
                self._process.kill()
        self.wake.set()
        self.join()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")

"""Files from the Internet: resumed where they stopped, never mixed from two versions, never without end.

`pooch` decides whether a file has to come, and verifies it; its own downloader would begin anew each time and
take any slowness, so `Downloads` is passed to it.
"""

from __future__ import annotations

import contextlib
import functools
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from serlab.errors import FetchError

if TYPE_CHECKING:
    from requests import Response

    from serlab.corpora.record import Remote

TIMEOUT = 30.0  # Seconds without a connection or a byte, before a try counts as failed.
SLOWEST = 1000.0  # Bytes per second, below which a connection stalls, and a try brought no progress.
RETRIES = 6  # Tries in a row that may fail without progress.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # Seconds before the first repetition, doubled for each that follows.
LARGEST = 8 << 30  # Bytes of a file for which neither the record nor the host gives a size.
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # Any other refusal is final.
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")


class Downloads:
    """Downloads that share a connection, a progress bar (a `tqdm` that counts bytes) and a signal to stop."""

    def __init__(self, bar) -> None:
        import requests

        self.bar = bar
        self.stop, self.told = threading.Event(), threading.Lock()
        self.session = requests.Session()
        # Byte counts and ranges are those of the file, not of a compressed transfer.
        self.session.headers["Accept-Encoding"] = "identity"

    def retrieve(self, remote: Remote, folder: Path) -> Path:
        """Return a file under its name in a folder, downloaded by way of ``<name>.part``, and verified.

        Raises FetchError for what the host does wrong, and OSError where the disk refuses. What has come
        stays, and the next call goes on from there.
        """
        import pooch

        # pooch would tell of every file and its checksum, across the progress bar.
        pooch.get_logger().setLevel("WARNING")
        path = folder / remote.filename
        self._advance(_size(path))
        download = functools.partial(self._download, remote, path.with_name(path.name + ".part"))
        try:
            pooch.retrieve(remote.url, remote.checksum, path.name, path.parent, downloader=download)
        except ValueError as error:  # The checksum.
            raise FetchError(
                f"{remote.url}: {error} Fetch again; if that does not help, the file on the host has changed "
                "or something on the way alters it."
            ) from error
        return path

    def _download(self, remote: Remote, part: Path, _url: str, output: str, _pooch: None) -> None:
        """Complete `part` and give it the name `output`, as pooch asks of a downloader."""
        failures, furthest, since = 0, _size(part), time.monotonic()
        self._advance(furthest)
        while not self.stop.is_set():
            try:
                self._stream(remote, part)
                part.replace(output)
                return _version_file(part).unlink(missing_ok=True)
            except _TransientError as error:
                size, now = _size(part), time.monotonic()
                failures = 1 if size - furthest > SLOWEST * (now - since) else failures + 1
                furthest, since = max(size, furthest), now
                if failures > RETRIES:
                    raise FetchError(f"{remote.url} cannot be downloaded: {error}") from error
                # Once, or nothing would seem to happen.
                if not self.stop.is_set() and self.told.acquire(blocking=False):
                    self.bar.write(f"Trying again for a while: {remote.url}: {error}", file=sys.stderr)
                self.stop.wait(max(_wait(failures), min(error.wait, LONGEST_WAIT)))
        raise FetchError(f"{remote.url}: stopped, because another file failed")

    def _stream(self, remote: Remote, part: Path) -> None:
        """Append to `part` what it lacks, in one request."""
        start, noted = _size(part), _version_file(part)
        version = _sendable(noted.read_text("latin-1")) if noted.exists() else ""
        if start and start == remote.size:
            return
        if start and not (version or remote.checksum):
            # Nothing would tell whether the rest belongs to the same version of the file.
            start = self._restart(part)
        headers = {"Range": f"bytes={start}-", "If-Range": version or None} if start else {}
        with _network(remote.url):
            reply = self.session.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT)
        with reply:
            answer = f"the host answers {reply.status_code} {reply.reason}"
            if reply.status_code in _PASSING:
                raise _TransientError(answer, _number(reply.headers.get("Retry-After")) or 0)
            if reply.status_code not in (200, 206, 416):
                raise FetchError(f"{remote.url}: {answer}")
            offered = _number(reply.headers.get("Content-Length"))
            if reply.status_code == 200:
                start = self._restart(part) if start else 0
            else:
                given = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
                # A host may send a part of another version, for all that If-Range said.
                other = start and version and _version(reply) != version
                if reply.status_code == 416 or other or not given or int(given[1]) != start:
                    self._restart(part)
                    raise _TransientError(
                        "the host sent another part of the file than asked for; starting again"
                    )
                offered = _number(given[2])
            if remote.size is not None and offered not in (None, remote.size):
                raise FetchError(
                    f"{remote.url}: the host offers {offered} bytes where {remote.size} are expected. "
                    "It may hold a new version of the file, or show a page instead of it."
                )
            if not start:
                noted.write_text(_version(reply))
            self._append(reply, part, remote, offered if remote.size is None else remote.size)

    def _append(self, reply: Response, part: Path, remote: Remote, wanted: int | None) -> None:
        """Write the body of a reply to the end of `part`, which should then have `wanted` bytes."""
        size, limit = _size(part), LARGEST if wanted is None else wanted
        since, before = time.monotonic(), size
        with part.open("ab") as sink:
            while True:
                with _network(remote.url):
                    block = reply.raw.read1(8192, decode_content=False)  # At once, so that a drip is noticed.
                if not block:
                    break
                sink.write(block)
                size += len(block)
                self._advance(len(block))
                if size > limit:
                    sink.close()
                    self._restart(part)
                    raise FetchError(f"{remote.url}: the host sends more than the expected {limit} bytes")
                if self.stop.is_set():
                    raise _TransientError("stopped")
                passed = time.monotonic() - since
                if passed > TIMEOUT:
                    if size - before < SLOWEST * passed:
                        speed = (size - before) / passed
                        raise _TransientError(f"the connection stalls at {speed:.0f} bytes per second")
                    since, before = time.monotonic(), size
        if wanted is not None and size < wanted:
            raise _TransientError(f"the connection ended after {size} of {wanted} bytes")

    def _restart(self, part: Path) -> int:
        """Forget what has come of a file; return its new length, 0."""
        self._advance(-_size(part))
        part.unlink(missing_ok=True)
        _version_file(part).unlink(missing_ok=True)
        return 0

    def _advance(self, count: int) -> None:
        with self.bar.get_lock():
            self.bar.update(count)


class _TransientError(Exception):
    """A try that failed in a way that another one may not, after at least `wait` seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@contextlib.contextmanager
def _network(url: str) -> Iterator[None]:
    """Tell failures that may pass from those that will not, whatever the libraries below raise."""
    import requests

    try:
        yield
    except (ValueError, requests.TooManyRedirects) as error:  # An address, redirect or header that is none.
        raise FetchError(f"{url} cannot be downloaded: {error}") from error
    except Exception as error:
        raise _TransientError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Say in words what a network error means."""
    import requests
    import urllib3

    text = str(error)
    if any(sign in text for sign in ("NameResolution", "getaddrinfo", "Name or service not known")):
        return "the host name cannot be resolved. Is this computer connected to the Internet?"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the secure connection failed ({text})"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "the host does not answer in time"
    return f"no connection to the host ({text})" if isinstance(error, requests.ConnectionError) else text


def _wait(failures: int) -> float:
    """Draw the seconds to wait, so that many readers of one class do not come back at once."""
    return min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT) * random.uniform(0.5, 1)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _number(text: str | None) -> int | None:
    """Read a header that should be a count, or None where it is none."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text or "") else None


def _version_file(part: Path) -> Path:
    return part.with_name(part.name + ".version")


def _version(reply: Response) -> str:
    """Return what tells versions of a file apart: a strong ETag, else the date, or nothing of use."""
    etag = reply.headers.get("ETag", "")
    return _sendable(etag if etag.startswith('"') else reply.headers.get("Last-Modified", ""))


def _sendable(version: str) -> str:
    """Return a version, or nothing where a host or a disk made of it what no header may hold."""
    return version if re.fullmatch("[!-~][ -~]*", version) else ""

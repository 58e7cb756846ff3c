"""Download of corpora: resumable, verified, and moved into place whole or not at all.

Under the folder that holds corpora (by default ``<cache>/corpora``) a download works in
``.downloads/<name>``: files as they come (``*.part``), then verified files, then the unpacked corpus.
The last step renames that to ``<name>``, so a folder of that name is always a complete corpus.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from serlab import paths, sound_files
from serlab.corpora import unpack
from serlab.errors import AudioError, FetchError

if TYPE_CHECKING:
    import requests

    from serlab.corpora.record import Record, Remote

_BLOCK = 8192
_AUDIO = {".wav", ".flac", ".mp3", ".ogg"}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_ELSEWHERE = "Make room, or choose another folder with SERLAB_CACHE or fetch(into=...)."
# Status codes that another try may change. Any other refusal is final.
_PASSING = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Patience:
    """How long a download waits and how often it tries again.

    Parameters
    ----------
    timeout : float
        Seconds without a connection or without a byte before a try counts as failed.
    retries : int
        Tries in a row that may fail without a byte of progress.
    first_wait, longest_wait : float
        Seconds before the first repetition, doubled for each one that follows, and their bound. The
        actual wait is drawn between half of that and all of it, so that many readers of one class do
        not come back at once.
    slowest : float
        Bytes per second, over one `timeout`, below which a connection counts as stalled.
    """

    timeout: float = 30.0
    retries: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    slowest: float = 500.0

    def wait(self, failures: int) -> float:
        """Draw the seconds to wait after the given number of failures in a row."""
        bound = min(self.first_wait * 2 ** (failures - 1), self.longest_wait)
        return bound * random.uniform(0.5, 1)


def fetch(
    name: str, *, into: str | Path | None = None, workers: int = 4, patience: Patience | None = None
) -> Path:
    """Download a corpus, verify it and move it into place; return its folder.

    Shows the licence, then a progress bar. An interrupted download goes on where it stopped when
    ``fetch`` is called again; a second process waits for the first. A corpus that is already there is
    left alone.

    Parameters
    ----------
    name : str
        Name of a corpus with an official download, such as ``"ravdess"``.
    into : str or Path, optional
        Folder to hold the corpus folder; by default the one in the user's cache, where `serlab.load`
        finds it. Name any other one in ``SERLAB_DATA``.
    workers : int
        Files downloaded at the same time, for corpora that consist of single files.
    patience : Patience, optional
        Timeouts and repetitions.

    Returns
    -------
    Path
        Folder of the corpus.

    Raises
    ------
    FetchError
        The corpus has no download, the disk is too small, the host cannot be reached, or what came is
        not what was asked for. The message says what to do by hand.
    CorpusError
        There is no corpus of that name.

    Examples
    --------
    >>> fetch("demo")
    Traceback (most recent call last):
    ...
    serlab.errors.FetchError: demo needs no download: serlab.load("demo") synthesises it
    """
    from serlab import corpora

    if name == "demo":
        raise FetchError('demo needs no download: serlab.load("demo") synthesises it')
    if name not in corpora.names() and (os.sep in name or "/" in name or Path(name).is_dir()):
        raise FetchError(f"{name} is a folder, not a corpus with a download: serlab.load({name!r}) reads it")
    record = corpora.record(name)
    if into is None and (found := corpora.find(name)) is not None:
        print(f"{record.title} is already in {found}; serlab.validate({name!r}) checks that copy.")
        return found
    return fetch_record(record, into=into, workers=workers, patience=patience)


def fetch_record(
    record: Record,
    *,
    into: str | Path | None = None,
    workers: int = 4,
    patience: Patience | None = None,
) -> Path:
    """Download the corpus of a record, as `fetch` does for a name."""
    from filelock import FileLock, Timeout

    if not record.remotes:
        raise FetchError(
            f"{record.title} ({record.name}) has no download that serlab can fetch. See {record.homepage}."
        )
    root = Path(into).expanduser().absolute() if into is not None else paths.cache_dir() / "corpora"
    target = root / record.name
    work = root / ".downloads" / record.name
    with _disk_errors(record, target):
        work.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work.with_name(record.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"Another process is fetching {record.title}: waiting for it.", flush=True)
        lock.acquire()
    try:
        return _fetch_alone(record, work, target, workers, patience or Patience())
    finally:
        lock.release()


def _fetch_alone(record: Record, work: Path, target: Path, workers: int, patience: Patience) -> Path:
    if target.exists():
        _check_present(record, target)
        print(f"{record.title} is already in {target}.")
        return target
    print(f"{record.title}. Licence: {record.licence} {record.licence_url or ''}".rstrip() + ".")
    print(f"By downloading it you accept that licence. Source: {record.homepage}", flush=True)
    try:
        with _disk_errors(record, target):
            _check_room(record, work)
            _download_all(record, work / "files", workers, patience)
            _move_into_place(record, work, target)
    except FetchError as error:
        raise FetchError(f"{error}\n{_by_hand(record, target)}") from error
    print(f"{record.title} is in {target}.")
    return target


def _by_hand(record: Record, target: Path) -> str:
    """Say how to get the corpus without this module."""
    archives = [remote.filename for remote in record.remotes if _is_archive(remote)]
    what = f"the file {archives[0]}, and unpack it" if archives else "all audio files, and put them"
    return (
        "Calling serlab.fetch again goes on from what has come so far. By hand: open "
        f"{record.homepage}, download {what} into {target}; "
        f"then check it with serlab.validate({record.name!r})."
    )


@contextlib.contextmanager
def _disk_errors(record: Record, target: Path) -> Iterator[None]:
    """Turn a full or forbidding disk into an error that says what to do."""
    try:
        yield
    except FetchError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise FetchError(f"{record.title}: the disk of {target.parent} is full. {_ELSEWHERE}") from error
        if isinstance(error, PermissionError):
            raise FetchError(
                f"{record.title}: no permission to write {error.filename}. {_ELSEWHERE}"
            ) from error
        raise


def _is_archive(remote: Remote) -> bool:
    return remote.filename.lower().endswith(unpack.SUFFIXES)


def _sound_files(folder: Path) -> dict[str, Path]:
    """Return the audio files below a folder by stem, without the litter that macOS leaves in archives."""
    return {
        path.stem: path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _AUDIO and not path.name.startswith("._")
    }


def _check_present(record: Record, target: Path) -> None:
    """Refuse to call a folder complete that somebody else filled and that lacks clips."""
    found = len(_sound_files(target))
    if found < record.clips:
        raise FetchError(
            f"{target} holds {found} of the {record.clips} clips of {record.title}. Remove it to fetch the "
            f"corpus anew, or see what is missing with serlab.validate({record.name!r})."
        )


def _check_room(record: Record, work: Path) -> None:
    """Raise before the first byte where what is to come, packed and unpacked, does not fit."""
    to_come = sum(remote.size or 0 for remote in record.remotes)
    here = sum(path.stat().st_size for path in work.rglob("*") if path.is_file()) if work.exists() else 0
    unpacked = 0
    if any(map(_is_archive, record.remotes)):
        # Without a manifest: zip takes speech down to half of its size at best.
        unpacked = sum(size or 0 for _, size in record.manifest.values()) or 2 * to_come
    needed = int(1.05 * (max(to_come - here, 0) + unpacked))
    free = shutil.disk_usage(work.parent).free
    if free < needed:
        raise FetchError(
            f"{record.title} needs {needed / 1e6:,.0f} MB in {work.parent.parent}, "
            f"where {free / 1e6:,.0f} MB are free. {_ELSEWHERE}"
        )


@dataclass
class _Transfer:
    """What the threads of one download share: the bar, the signal to stop, one connection each."""

    bar: object
    patience: Patience
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    local: threading.local = field(default_factory=threading.local)

    def session(self) -> requests.Session:
        if not hasattr(self.local, "session"):
            import requests

            self.local.session = requests.Session()
            # Byte counts and ranges are those of the file, not of a compressed transfer.
            self.local.session.headers["Accept-Encoding"] = "identity"
        return self.local.session

    def advance(self, count: int) -> None:
        with self.lock:
            self.bar.update(count)


def _download_all(record: Record, folder: Path, workers: int, patience: Patience) -> None:
    """Download and verify every remote file of a record that is not there yet."""
    from tqdm import tqdm

    sizes = [remote.size for remote in record.remotes]
    total = sum(sizes) if all(sizes) else None
    folder.mkdir(parents=True, exist_ok=True)
    with tqdm(total=total, unit="B", unit_scale=True, desc=record.name) as bar:
        transfer = _Transfer(bar, patience)

        def work(remote: Remote) -> None:
            _download(remote, folder.joinpath(*PurePosixPath(remote.filename).parts), transfer)

        with ThreadPoolExecutor(max_workers=max(1, min(workers, len(record.remotes)))) as pool:
            try:
                for _ in pool.map(work, record.remotes):
                    pass
            except BaseException:
                transfer.stop.set()
                pool.shutdown(cancel_futures=True)
                raise


def _download(remote: Remote, path: Path, transfer: _Transfer) -> None:
    """Download one file to `path`, by way of ``<path>.part``, and verify it."""
    import requests

    if path.exists():  # Only a verified file gets this name.
        transfer.advance(path.stat().st_size)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    furthest = part.stat().st_size if part.exists() else 0
    transfer.advance(furthest)
    failures = 0
    while True:
        if transfer.stop.is_set():
            raise FetchError(f"{remote.url}: stopped, because another file failed")
        try:
            _stream(remote, part, transfer)
            break
        except (requests.RequestException, _Again) as error:
            here = part.stat().st_size if part.exists() else 0
            failures = 1 if here > furthest else failures + 1
            furthest = max(furthest, here)
            if failures > transfer.patience.retries:
                raise FetchError(f"{remote.url} cannot be downloaded: {_reason(error)}") from error
            asked = getattr(error, "wait", 0.0)
            transfer.stop.wait(
                max(transfer.patience.wait(failures), min(asked, transfer.patience.longest_wait))
            )
    _verify(remote, part)
    os.replace(part, path)
    _validator_file(part).unlink(missing_ok=True)


class _Again(Exception):
    """A try that failed in a way that another one may not."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def _reason(error: Exception) -> str:
    """Say in words what a network error means."""
    import requests

    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text or "Name or service not known" in text:
        return "the host name cannot be resolved. Is this computer connected to the Internet?"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the secure connection failed ({text})"
    if isinstance(error, requests.Timeout):
        return "the host does not answer in time"
    if isinstance(error, requests.ConnectionError) and "IncompleteRead" not in text:
        return f"no connection to the host ({text})"
    return text


def _validator_file(part: Path) -> Path:
    """Name the file that keeps the version (strong ETag or date) of which `part` is the beginning."""
    return part.with_name(part.name + ".version")


def _stream(remote: Remote, part: Path, transfer: _Transfer) -> None:
    """Append to `part` what it lacks, in one request."""
    patience = transfer.patience
    validator = _validator_file(part)
    start = part.stat().st_size if part.exists() else 0
    headers = {}
    if start:
        version = validator.read_text() if validator.exists() else None
        if remote.size is not None and start == remote.size:
            return
        if version is None and remote.checksum is None:
            # Nothing would tell whether the rest belongs to the same version of the file.
            start = _restart(part, transfer)
        else:
            headers["Range"] = f"bytes={start}-"
            if version is not None:
                headers["If-Range"] = version
    with transfer.session().get(
        remote.url, headers=headers, stream=True, timeout=(patience.timeout, patience.timeout)
    ) as reply:
        if reply.status_code in _PASSING:
            after = reply.headers.get("Retry-After", "")
            raise _Again(
                f"the host answers {reply.status_code} {reply.reason}", float(after) if after.isdigit() else 0
            )
        if reply.status_code == 416:
            _restart(part, transfer)
            raise _Again("the host has less than is already here; starting again")
        if reply.status_code not in (200, 206):
            raise FetchError(f"{remote.url}: the host answers {reply.status_code} {reply.reason}")
        if reply.status_code == 206 and not reply.headers.get("Content-Range", "").startswith(
            f"bytes {start}-"
        ):
            _restart(part, transfer)
            raise _Again("the host sent another part of the file than asked for; starting again")
        if reply.status_code == 200 and start:
            start = _restart(part, transfer)
        length = reply.headers.get("Content-Length")
        expected = start + int(length) if length is not None else None
        if remote.size is not None and expected is not None and expected != remote.size:
            raise FetchError(
                f"{remote.url}: the host offers {expected} bytes where {remote.size} are expected. "
                "It may hold a new version of the file, or show a page instead of it."
            )
        if not start:
            _note_version(reply, validator)
        written = _append(reply, part, remote, transfer)
    size = start + written
    wanted = remote.size if remote.size is not None else expected
    if wanted is not None and size < wanted:
        raise _Again(f"the connection ended after {size} of {wanted} bytes")


def _append(reply: requests.Response, part: Path, remote: Remote, transfer: _Transfer) -> int:
    """Write the body of a reply to the end of `part`, watching size and speed; return the bytes written."""
    patience = transfer.patience
    written = 0
    since, count = time.monotonic(), 0
    with part.open("ab") as sink:
        start = sink.tell()
        for block in reply.iter_content(_BLOCK):
            sink.write(block)
            written += len(block)
            count += len(block)
            transfer.advance(len(block))
            if remote.size is not None and start + written > remote.size:
                sink.close()
                _restart(part, transfer)
                raise FetchError(f"{remote.url}: the host sends more than the expected {remote.size} bytes")
            if transfer.stop.is_set():
                raise FetchError(f"{remote.url}: stopped, because another file failed")
            passed = time.monotonic() - since
            if passed > patience.timeout:
                if count / passed < patience.slowest:
                    raise _Again(f"the connection stalls at {count / passed:.0f} bytes per second")
                since, count = time.monotonic(), 0
    return written


def _restart(part: Path, transfer: _Transfer) -> int:
    """Forget what has come of a file; return its new length, 0."""
    if part.exists():
        transfer.advance(-part.stat().st_size)
        part.unlink()
    _validator_file(part).unlink(missing_ok=True)
    return 0


def _note_version(reply: requests.Response, validator: Path) -> None:
    """Keep what identifies the version of the file, for ``If-Range``: a strong ETag, else the date."""
    etag = reply.headers.get("ETag", "")
    version = etag if etag.startswith('"') else reply.headers.get("Last-Modified")
    if version:
        validator.write_text(version)
    else:
        validator.unlink(missing_ok=True)


def _verify(remote: Remote, part: Path) -> None:
    """Delete a finished file that has the wrong size or checksum, and raise."""
    import pooch

    size = part.stat().st_size
    wrong = None
    if remote.size is not None and size != remote.size:
        wrong = f"has {size} bytes where {remote.size} are expected"
    elif remote.checksum is not None:
        kind, _, digest = remote.checksum.partition(":")
        got = pooch.file_hash(str(part), alg=kind)
        if got != digest.lower():
            wrong = f"has the {kind} checksum {got} where {digest} is expected"
    if wrong:
        part.unlink()
        _validator_file(part).unlink(missing_ok=True)
        raise FetchError(
            f"{remote.url}: what came {wrong}. It was deleted. Fetch again; if that does not help, "
            "the file on the host has changed or something on the way alters it."
        )


def _move_into_place(record: Record, work: Path, target: Path) -> None:
    """Unpack what is packed, compare with the official list, and give the corpus its name in one step."""
    files, corpus = work / "files", work / "corpus"
    if not any(map(_is_archive, record.remotes)):
        _check_complete(record, files)
        os.replace(files, target)
    else:
        shutil.rmtree(corpus, ignore_errors=True)
        try:
            _unpack_all(record, files, corpus)
            _check_complete(record, corpus)
        except FetchError:
            # An archive without a checksum shows only here that it is not the right one: never use it again.
            shutil.rmtree(work, ignore_errors=True)
            raise
        except BaseException:
            shutil.rmtree(corpus, ignore_errors=True)
            raise
        os.replace(corpus, target)
    shutil.rmtree(work, ignore_errors=True)


def _unpack_all(record: Record, files: Path, corpus: Path) -> None:
    """Put the contents of each archive, and the files that are none, into one folder."""
    corpus.mkdir()
    for remote in record.remotes:
        source = files.joinpath(*PurePosixPath(remote.filename).parts)
        if not _is_archive(remote):
            goal = corpus.joinpath(*PurePosixPath(remote.filename).parts)
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, goal)
            continue
        folder = corpus.with_name("unpacked")
        shutil.rmtree(folder, ignore_errors=True)
        unpack.unpack(source, folder)
        unpack.unwrap(folder)
        for path in folder.iterdir():
            if (corpus / path.name).exists():
                raise FetchError(f"{source.name}: {path.name} is in another archive, too")
            os.replace(path, corpus / path.name)


def _check_complete(record: Record, folder: Path) -> None:
    """Compare the clips in a folder with the manifest or, without one, with their number and headers."""
    import pooch

    found = _sound_files(folder)
    for name, (digest, size) in record.manifest.items():
        path = found.get(PurePosixPath(name).stem)
        if path is None:
            raise FetchError(f"{record.title}: {name} is missing from the download")
        if path.stat().st_size != size or pooch.file_hash(str(path), alg="sha256") != digest:
            raise FetchError(f"{record.title}: {name} is not the official file")
    if record.manifest:
        return
    if len(found) != record.clips:
        raise FetchError(
            f"{record.title}: the download holds {len(found)} clips where {record.clips} are expected"
        )
    for path in found.values():
        try:
            seconds = sound_files.duration(path)
        except AudioError as error:
            raise FetchError(f"{record.title}: the download is damaged: {error}") from error
        if not seconds:
            raise FetchError(f"{record.title}: {path.name} is empty")

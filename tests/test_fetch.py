"""Fetching, against a host on this computer that truncates, stalls, refuses, lies and gets killed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.server
import importlib
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from tqdm import tqdm

import serlab
from serlab.corpora import download
from serlab.corpora.fetch import fetch, fetch_record
from serlab.errors import CorpusError, FetchError, SerlabError

# `serlab.corpora.fetch` is the function: the package exports it under the module's name.
module = importlib.import_module("serlab.corpora.fetch")
QUICK = {"TIMEOUT": 5, "RETRIES": 3, "FIRST_WAIT": 0.001, "LONGEST_WAIT": 0.002}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Let downloads wait and try again as is good for a test; give a way to change that."""

    def change(**settings):
        for name, value in settings.items():
            monkeypatch.setattr(download, name, value)

    change(**QUICK)
    return change


@dataclass
class Request:
    path: str
    range: str | None
    if_range: str | None
    status: int = 0


@dataclass
class Host:
    """What the server serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    # Per path, one entry per request: a status to refuse with, "elsewhere", ("cut", n), ("drip", n),
    # ("hang", n), ("headers", status, headers) or ("raw", answer).
    trouble: dict[str, list] = field(default_factory=lambda: defaultdict(list))
    retry_after: str = "0"
    etag: str | None = '"v1"'
    ranges: bool = True
    heeds: bool = True  # If-Range
    headers: dict[str, str] = field(default_factory=dict)
    send_length: bool = True
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    release: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)


def handler(host: Host):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            request = Request(self.path, self.headers.get("Range"), self.headers.get("If-Range"))
            host.requests.append(request)
            trouble = host.trouble[self.path].pop(0) if host.trouble[self.path] else None
            if isinstance(trouble, int):
                return self.answer(request, trouble, b"sorry", {"Retry-After": host.retry_after})
            if trouble and trouble[0] == "headers":
                return self.answer(request, trouble[1], b"", trouble[2])
            if trouble and trouble[0] == "raw":
                self.close_connection = True
                return self.wfile.write(trouble[1])
            if self.path not in host.files:
                return self.answer(request, 404, b"no such file", {})
            data, status, headers = host.files[self.path], 200, {}
            headers |= host.headers
            if host.etag:
                headers["ETag"] = host.etag
            current = {None, host.etag, headers.get("Last-Modified")}
            if request.range and host.ranges and (request.if_range in current or not host.heeds):
                start = int(re.fullmatch(r"bytes=(\d+)-", request.range)[1])
                if start >= len(data):
                    return self.answer(request, 416, b"", {})
                status = 206
                if trouble == "elsewhere":
                    start = 0
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
                data = data[start:]
            return self.answer(request, status, data, headers, trouble)

        def answer(self, request, status, data, headers, trouble=None):
            request.status = status
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if host.send_length:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            try:
                match trouble:
                    case ("cut", count):
                        self.wfile.write(data[:count])
                    case ("hang", count):
                        self.wfile.write(data[:count])
                        self.wfile.flush()
                        host.reached.set()
                        host.release.wait(60)
                    case ("drip", count):
                        self.wfile.write(data[:count])
                        for i in range(count, len(data), 20):
                            if host.release.wait(0.005):
                                break
                            self.wfile.write(data[i : i + 20])
                            self.wfile.flush()
                    case _:
                        self.wfile.write(data)
            except OSError:
                pass
            self.close_connection = True

    return Handler


@pytest.fixture
def host():
    made = Host()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    made.release.set()
    server.shutdown()
    server.server_close()
    thread.join(10)


def wav(seed: int, samples: int = 8000) -> bytes:
    noise = random.Random(seed)
    made = io.BytesIO()
    soundfile.write(made, [noise.uniform(-0.5, 0.5) for _ in range(samples)], 16000, format="WAV")
    return made.getvalue()


CLIPS = {f"Actor_{i:02d}/clip{i}.wav": wav(i) for i in range(1, 5)}


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def listed(members: dict[str, bytes]) -> dict:
    return {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()}


def record(remotes, *, clips=4, manifest=None, name="toy"):
    return SimpleNamespace(
        name=name,
        title="Toy corpus",
        licence="CC0-1.0",
        licence_url="https://example.org/cc0",
        homepage="https://example.org/toy",
        remotes=tuple(remotes),
        clips=clips,
        manifest=manifest or {},
    )


def remote(host, path, filename, *, size=None, checksum=None):
    return SimpleNamespace(url=host.url + path, filename=filename, size=size, checksum=checksum)


@pytest.fixture
def packed(host):
    """Give the record of a corpus in one zip with size and checksum."""
    data = host.files["/toy.zip"] = zipped(CLIPS)
    md5 = "md5:" + hashlib.md5(data).hexdigest()
    return record([remote(host, "/toy.zip", "toy.zip", size=len(data), checksum=md5)], manifest=listed(CLIPS))


@pytest.fixture
def loose(host):
    """Give the record of a corpus of single files, as CREMA-D is."""
    remotes = []
    for name, data in CLIPS.items():
        host.files["/" + name] = data
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        remotes.append(remote(host, "/" + name, name, size=len(data), checksum=digest))
    return record(remotes, manifest=listed(CLIPS))


def assert_whole(folder: Path) -> None:
    """Assert that the corpus is there, every byte, and that nothing else is."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == CLIPS


def assert_absent(root: Path) -> None:
    """Assert that there is no half corpus under its final name."""
    assert [path.name for path in root.iterdir() if not path.name.startswith(".")] == []


def get(made, root, **options):
    return fetch_record(made, into=root, **options)


# ---- what goes well ----


def test_archive_is_fetched_verified_and_moved(host, packed, tmp_path, capsys):
    folder = get(packed, tmp_path)
    assert folder == tmp_path / "toy"
    assert_whole(folder)
    assert not (tmp_path / ".downloads" / "toy").exists()
    said = capsys.readouterr().out
    assert "CC0-1.0 https://example.org/cc0" in said
    assert said.index("Licence") < said.index(f"is in {folder}")


def test_single_files_are_fetched(host, loose, tmp_path):
    assert_whole(get(loose, tmp_path, workers=3))
    assert len(host.requests) == len(CLIPS)


def test_what_is_there_is_not_fetched_again(host, packed, tmp_path, capsys):
    get(packed, tmp_path)
    asked = len(host.requests)
    assert get(packed, tmp_path) == tmp_path / "toy"
    assert len(host.requests) == asked
    assert f"already in {tmp_path / 'toy'}" in capsys.readouterr().out


def test_goes_to_the_cache_by_default(host, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path))
    assert fetch_record(packed) == tmp_path / "corpora" / "toy"


def test_archive_without_checksum_or_length(host, tmp_path):
    host.files["/a.zip"] = zipped({f"toy-main/{name}": data for name, data in CLIPS.items()})
    host.send_length = False
    made = record([remote(host, "/a.zip", "a.zip")])
    assert_whole(get(made, tmp_path))  # The lone top-level folder is gone, too.


def test_archive_beside_a_table(host, tmp_path):
    host.files |= {"/a.zip": zipped(CLIPS), "/data.tsv": b"clip\temotion\n"}
    made = record([remote(host, "/a.zip", "a.zip"), remote(host, "/data.tsv", "meta/data.tsv")])
    folder = get(made, tmp_path)
    assert (folder / "meta/data.tsv").read_bytes() == b"clip\temotion\n"
    assert (folder / "Actor_01/clip1.wav").read_bytes() == CLIPS["Actor_01/clip1.wav"]


def test_litter_of_macos_is_not_counted(host, tmp_path):
    host.files["/a.zip"] = zipped(CLIPS | {"__MACOSX/Actor_01/._clip1.wav": b"litter"})
    assert get(record([remote(host, "/a.zip", "a.zip")]), tmp_path).is_dir()


# ---- resuming and repeating ----


def test_resumes_after_truncation_with_range_and_if_range(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("cut", 16_384)]
    assert_whole(get(packed, tmp_path))
    first, second = host.requests
    assert (first.range, first.status) == (None, 200)
    assert (second.range, second.if_range, second.status) == ("bytes=16384-", '"v1"', 206)


def test_resumes_after_a_connection_without_length_was_cut(host, packed, tmp_path):
    host.send_length = False
    host.trouble["/toy.zip"] = [("cut", 16_384)]
    assert_whole(get(packed, tmp_path))
    assert host.requests[1].range == "bytes=16384-"


def test_starts_again_when_the_file_changed_meanwhile(host, tmp_path):
    old, new = zipped(CLIPS), zipped({**CLIPS, "Actor_04/clip4.wav": wav(99)})
    host.files["/a.zip"] = old
    host.trouble["/a.zip"] = [("cut", 16_384), 404]
    made = record([remote(host, "/a.zip", "a.zip")])
    with pytest.raises(FetchError):
        get(made, tmp_path)
    host.files["/a.zip"], host.etag = new, '"v2"'
    folder = get(made, tmp_path)
    assert host.requests[-1].range == "bytes=16384-"
    assert host.requests[-1].status == 200
    assert (folder / "Actor_04/clip4.wav").read_bytes() == wav(99)


def test_starts_again_where_nothing_identifies_the_version(host, tmp_path):
    host.etag = None
    host.files["/a.zip"] = zipped(CLIPS)
    host.trouble["/a.zip"] = [("cut", 16_384)]
    assert_whole(get(record([remote(host, "/a.zip", "a.zip")]), tmp_path))
    assert [request.range for request in host.requests] == [None, None]


def test_a_host_without_ranges(host, packed, tmp_path):
    host.ranges = False
    host.trouble["/toy.zip"] = [("cut", 16_384), ("cut", 24_576)]
    assert_whole(get(packed, tmp_path))


def test_a_host_without_ranges_that_always_cuts_is_given_up(host, packed, tmp_path):
    host.ranges = False
    host.trouble["/toy.zip"] = [("cut", 16_384)] * 100
    with pytest.raises(FetchError, match="cannot be downloaded"):
        get(packed, tmp_path)
    assert len(host.requests) == 1 + QUICK["RETRIES"]


@pytest.mark.parametrize("trouble", [416, "elsewhere"])
def test_a_wrong_range_makes_it_start_again(host, packed, tmp_path, trouble):
    host.trouble["/toy.zip"] = [("cut", 16_384), trouble]
    assert_whole(get(packed, tmp_path))
    assert [request.range for request in host.requests] == [None, "bytes=16384-", None]


def test_a_part_that_is_complete_is_only_verified(host, packed, tmp_path):
    part = tmp_path / ".downloads/toy/files/toy.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(host.files["/toy.zip"])
    assert_whole(get(packed, tmp_path))
    assert host.requests == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_passing_refusals_are_repeated(host, packed, tmp_path, status):
    host.trouble["/toy.zip"] = [status] * QUICK["RETRIES"]
    assert_whole(get(packed, tmp_path))
    assert len(host.requests) == QUICK["RETRIES"] + 1


def test_progress_renews_the_patience(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("cut", 8192)] * (QUICK["RETRIES"] + 4)
    assert_whole(get(packed, tmp_path))


def test_a_stalled_connection_is_left_and_resumed(host, packed, tmp_path, patience):
    host.trouble["/toy.zip"] = [("hang", 16_384)]
    patience(TIMEOUT=0.2)
    assert_whole(get(packed, tmp_path))
    assert host.requests[1].range is not None


def test_a_dripping_connection_is_left_and_resumed(host, packed, tmp_path, patience):
    host.trouble["/toy.zip"] = [("drip", 16_384)]
    patience(TIMEOUT=0.2, SLOWEST=1e6)
    assert_whole(get(packed, tmp_path))
    assert host.requests[1].range is not None


def test_waits_double_up_to_their_bound(patience):
    patience(FIRST_WAIT=1, LONGEST_WAIT=8)
    for failures, bound in [(1, 1), (2, 2), (3, 4), (4, 8), (9, 8)]:
        waits = [download._wait(failures) for _ in range(50)]
        assert bound / 2 <= min(waits) < max(waits) <= bound


def test_retry_after_is_honoured_within_bounds(host, packed, tmp_path, patience):
    patience(RETRIES=2, LONGEST_WAIT=7)
    host.retry_after = "3600"
    host.trouble["/toy.zip"] = [503] * 3
    waited = []
    with tqdm(disable=True) as bar:
        downloads = download.Downloads(bar)
        downloads.stop = SimpleNamespace(wait=waited.append, is_set=lambda: False)
        with pytest.raises(FetchError, match="the host answers 503"):
            downloads.retrieve(packed.remotes[0], tmp_path)
    assert waited == [7, 7]


def test_a_host_that_only_drips_is_given_up(host, packed, tmp_path, patience):
    host.trouble["/toy.zip"] = [("drip", 0)] * 99
    patience(TIMEOUT=0.1, RETRIES=2, SLOWEST=1e6)
    with pytest.raises(
        FetchError, match=r"cannot be downloaded: the connection stalls at \d+ bytes per second"
    ):
        get(packed, tmp_path)
    assert len(host.requests) == 3


def test_a_host_that_cuts_after_a_few_bytes_is_given_up(host, packed, tmp_path, patience):
    host.trouble["/toy.zip"] = [("cut", 20)] * 99
    patience(RETRIES=2, SLOWEST=1e7)
    with pytest.raises(FetchError, match=r"cannot be downloaded: .*IncompleteRead"):
        get(packed, tmp_path)
    assert len(host.requests) == 3


# ---- a host that says odd things ----


@pytest.mark.parametrize("etag", ['"v2"', None, 'W/"v1"'])
def test_parts_of_two_versions_are_never_joined(host, tmp_path, etag):
    """The host has a new version of a file that nothing verifies, and pays no heed to If-Range."""
    host.files["/a.wav"] = wav(1)
    host.trouble["/a.wav"] = [("cut", 8_000), 404]
    made = record([remote(host, "/a.wav", "a.wav")], clips=1)
    with pytest.raises(FetchError):
        get(made, tmp_path)
    host.files["/a.wav"], host.etag, host.heeds = wav(2), etag, False
    assert (get(made, tmp_path) / "a.wav").read_bytes() == wav(2)
    assert [request.range for request in host.requests] == [None, "bytes=8000-", "bytes=8000-", None]


def test_a_file_is_resumed_by_its_date(host, tmp_path):
    host.etag = None
    host.headers = {"Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT"}
    host.files["/a.wav"] = wav(1)
    host.trouble["/a.wav"] = [("cut", 8_000)]
    get(record([remote(host, "/a.wav", "a.wav")], clips=1), tmp_path)
    assert host.requests[1].if_range == host.headers["Last-Modified"]
    assert host.requests[1].status == 206


@pytest.mark.parametrize(
    "version", [b"\xff\xfe", b"", b"\0", b'"v1"\r\nEvil: 1', b" ", '"v\u20ac"'.encode()], ids=repr
)
def test_a_damaged_note_of_the_version_makes_it_start_again(host, tmp_path, version):
    files = tmp_path / ".downloads/toy/files"
    files.mkdir(parents=True)
    (files / "a.wav.part").write_bytes(wav(2)[:8000])
    (files / "a.wav.part.version").write_bytes(version)
    host.files["/a.wav"] = wav(1)
    made = record([remote(host, "/a.wav", "a.wav")], clips=1)
    assert (get(made, tmp_path) / "a.wav").read_bytes() == wav(1)
    assert [request.range for request in host.requests] == [None]


@pytest.mark.parametrize("length", ["abc", "", "-5", "\xb2", "1e3", "9" * 5000, "10, 20"])
def test_a_length_that_is_none_is_not_believed(host, packed, tmp_path, length):
    host.send_length, host.headers = False, {"Content-Length": length}
    try:
        assert_whole(get(packed, tmp_path))
    except FetchError as error:
        assert "cannot be downloaded" in str(error)  # noqa: PT017 - either will do


@pytest.mark.parametrize(
    "wait", ["\xb2", "", "-1", "1e9", "9" * 5000, "Fri, 31 Dec 1999 23:59:59 GMT", "soon"]
)
def test_a_wait_that_is_none_is_not_heeded(host, packed, tmp_path, wait):
    host.retry_after = wait
    host.trouble["/toy.zip"] = [503]
    assert_whole(get(packed, tmp_path))


@pytest.mark.parametrize("etag", ['"\xe9"', "", '"', "a" * 9000, '"a"\r\n folded'])
def test_an_odd_etag(host, packed, tmp_path, etag):
    host.etag = etag
    host.trouble["/toy.zip"] = [("cut", 16_384)]
    assert_whole(get(packed, tmp_path))


@pytest.mark.parametrize(
    "given",
    ["", "abc", "bytes", "bytes */9", "bytes 0-9/x", "bytes 9-", f"bytes {'9' * 5000}-1/2", "\xb2-3/4"],
)
def test_a_range_that_is_none_makes_it_start_again(host, packed, tmp_path, given):
    host.trouble["/toy.zip"] = [("cut", 16_384), ("headers", 206, {"Content-Range": given})]
    assert_whole(get(packed, tmp_path))
    assert [request.range for request in host.requests] == [None, "bytes=16384-", None]


@pytest.mark.parametrize(
    "place",
    [
        "/toy.zip",
        "http://[::1",
        "http://[",
        "//",
        "http://:x/",
        "ftp://host.invalid/a",
        "file:///etc/passwd",
        "\xff",
    ],
)
def test_a_redirect_to_nowhere(host, packed, tmp_path, place):
    host.trouble["/toy.zip"] = [("headers", 302, {"Location": place})] * 999
    with pytest.raises(FetchError, match=r"toy\.zip: the host answers 404|cannot be downloaded|answers 302"):
        get(packed, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\xff\n",
        b"HTTP/1.0 abc\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.0 200 " + b"O" * 99_999 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.0 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 999 \xff\r\n\r\n",
    ],
    ids=lambda answer: repr(answer[:60]),
)
@pytest.mark.parametrize("verified", [True, False])
def test_an_answer_that_is_none(host, packed, tmp_path, answer, verified):
    made = packed if verified else record([remote(host, "/toy.zip", "toy.zip")])
    host.trouble["/toy.zip"] = [("raw", answer)] * 99
    with pytest.raises(FetchError) as error:
        get(made, tmp_path)
    assert_manual_route(error, tmp_path)
    host.trouble.clear()
    if verified:
        # What came with no version is gone on from, since a checksum tells in the end: then it is deleted.
        with contextlib.suppress(FetchError):
            get(made, tmp_path)
    assert_whole(get(made, tmp_path))


def test_a_file_without_end(host, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LARGEST", 10_000)
    host.files["/a.wav"], host.send_length = wav(1), False
    with pytest.raises(FetchError, match="sends more than the expected 10000 bytes"):
        get(record([remote(host, "/a.wav", "a.wav")], clips=1), tmp_path)


# A process that fetches, to be killed or doubled.
SCRIPT = """
import json, sys
from types import SimpleNamespace
from serlab.corpora.fetch import fetch_record

made = json.loads(sys.argv[1])
made["remotes"] = tuple(SimpleNamespace(**remote) for remote in made["remotes"])
fetch_record(SimpleNamespace(**made), into=sys.argv[2], workers=1)
"""


def start(made, root):
    plain = vars(made) | {"remotes": [vars(remote) for remote in made.remotes]}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), json.dumps(plain), str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_archive_download_goes_on_where_it_was(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("hang", 40_000)]
    process = start(packed, tmp_path)
    part = tmp_path / ".downloads/toy/files/toy.zip.part"
    assert host.reached.wait(60)
    # Wait for the bytes to reach the disk: the writer keeps the last few thousand in memory.
    for _ in range(6000):
        if part.exists() and part.stat().st_size > 0:
            break
        host.release.wait(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    have = part.stat().st_size
    assert 0 < have <= 40_000
    assert_absent(tmp_path)
    assert_whole(get(packed, tmp_path))
    assert host.requests[-1].range == f"bytes={have}-"
    assert host.requests[-1].status == 206


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_download_of_files_keeps_the_finished_ones(host, loose, tmp_path):
    last = "/Actor_04/clip4.wav"
    host.trouble[last] = [("hang", 10)]
    process = start(loose, tmp_path)
    assert host.reached.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert_absent(tmp_path)
    before = len(host.requests)
    assert_whole(get(loose, tmp_path))
    assert [request.path for request in host.requests[before:]] == [last]


def test_a_kill_before_the_last_step_leaves_no_half_corpus(host, packed, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "_check_complete", killed)
        with pytest.raises(KeyboardInterrupt):
            get(packed, tmp_path)
    assert_absent(tmp_path)
    before = len(host.requests)
    assert_whole(get(packed, tmp_path))
    assert len(host.requests) == before  # The verified archive was kept.


def test_two_processes_at_once_fetch_once(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("hang", 10_000)]
    first = start(packed, tmp_path)
    assert host.reached.wait(60)
    second = start(packed, tmp_path)
    assert "Another process is fetching Toy corpus" in second.stderr.readline()
    host.release.set()
    said, failed = first.communicate(timeout=60)
    assert first.returncode == 0, failed
    said, failed = second.communicate(timeout=60)
    assert second.returncode == 0, failed
    assert "already in" in said
    assert_whole(tmp_path / "toy")
    assert {request.status for request in host.requests} <= {200, 206}
    assert sum(request.range is None for request in host.requests) == 1


# ---- what goes wrong for good ----


def assert_manual_route(error, root):
    text = str(error.value)
    assert "https://example.org/toy" in text
    assert str(root / "toy") in text
    assert "serlab.validate('toy')" in text


def test_wrong_bytes_are_deleted_and_named(host, packed, tmp_path):
    data = bytearray(host.files["/toy.zip"])
    data[500] ^= 1
    host.files["/toy.zip"] = bytes(data)
    with pytest.raises(FetchError, match=r"/toy\.zip: MD5 hash .* does not match .* Deleted") as error:
        get(packed, tmp_path)
    assert_manual_route(error, tmp_path)
    assert list((tmp_path / ".downloads/toy").rglob("*.part*")) == []
    assert_absent(tmp_path)


def test_where_one_file_fails_the_others_stop_and_stay_parts(host, tmp_path):
    host.files |= {"/a.wav": wav(1), "/b.wav": wav(2)}
    host.trouble |= {"/a.wav": [("drip", 8_000)], "/b.wav": [503, 503, 503, 404]}
    made = record([remote(host, f"/{name}.wav", f"{name}.wav") for name in "ab"], clips=2)
    with pytest.raises(FetchError, match=r"b\.wav: the host answers 404"):
        get(made, tmp_path)
    files = tmp_path / ".downloads/toy/files"
    assert not (files / "a.wav").exists()
    assert 0 < (files / "a.wav.part").stat().st_size < len(wav(1))
    assert (get(made, tmp_path) / "a.wav").read_bytes() == wav(1)


def test_one_wrong_file_of_many_is_named_and_the_others_kept(host, loose, tmp_path):
    good = host.files["/Actor_02/clip2.wav"]
    host.files["/Actor_02/clip2.wav"] = good[:-1] + b"x"
    with pytest.raises(FetchError, match=r"Actor_02/clip2\.wav: SHA256 hash .* does not match"):
        get(loose, tmp_path, workers=1)
    assert_absent(tmp_path)
    host.files["/Actor_02/clip2.wav"] = good
    before = len(host.requests)
    assert_whole(get(loose, tmp_path))
    assert "/Actor_01/clip1.wav" not in [request.path for request in host.requests[before:]]


def test_another_size_is_refused_before_it_is_downloaded(host, packed, tmp_path):
    host.files["/toy.zip"] += b"more"
    with pytest.raises(FetchError, match=r"the host offers .* bytes where .* are expected"):
        get(packed, tmp_path)
    assert_absent(tmp_path)


def test_more_bytes_than_expected_stop_the_download(host, packed, tmp_path):
    host.send_length = False
    host.files["/toy.zip"] += b"x" * 1_000_000
    with pytest.raises(FetchError, match="sends more than the expected"):
        get(packed, tmp_path)
    assert list((tmp_path / ".downloads/toy").rglob("*.part")) == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_final_refusal_is_not_repeated(host, packed, tmp_path, status):
    host.trouble["/toy.zip"] = [status] * 9
    with pytest.raises(FetchError, match=f"the host answers {status}") as error:
        get(packed, tmp_path)
    assert len(host.requests) == 1
    assert_manual_route(error, tmp_path)


def test_a_lasting_server_error_keeps_the_part(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("cut", 16_384)] + [503] * 9
    with pytest.raises(FetchError, match="cannot be downloaded: the host answers 503") as error:
        get(packed, tmp_path)
    assert_manual_route(error, tmp_path)
    assert (tmp_path / ".downloads/toy/files/toy.zip.part").stat().st_size == 16_384


def test_a_host_that_is_down(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    made = record([SimpleNamespace(url=url + "/a.zip", filename="a.zip", size=10, checksum=None)])
    with pytest.raises(FetchError, match="no connection to the host") as error:
        get(made, tmp_path)
    assert_manual_route(error, tmp_path)


def test_a_name_that_does_not_resolve_is_tried_again_and_that_is_said_once(tmp_path, capsys):
    url = "http://host.invalid/a.wav"
    made = record(
        [SimpleNamespace(url=url, filename=f"{name}.wav", size=10, checksum=None) for name in "abcde"]
    )
    with pytest.raises(FetchError, match=r"name cannot be resolved. Is this computer connected") as error:
        get(made, tmp_path)
    assert "all audio files" in str(error.value)
    assert (
        capsys.readouterr().err.count("Trying again for a while: http://host.invalid/a.wav: the host name")
        == 1
    )


def test_a_silent_host(host, packed, tmp_path, patience):
    host.trouble["/toy.zip"] = [("hang", 0)] * 9
    patience(TIMEOUT=0.05, RETRIES=1)
    with pytest.raises(FetchError, match="cannot be downloaded"):
        get(packed, tmp_path)


def test_reasons_are_put_in_words():
    import requests

    assert "in time" in download._reason(requests.ReadTimeout("x"))
    assert "secure connection" in download._reason(requests.exceptions.SSLError("bad certificate"))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({name: data for name, data in CLIPS.items() if "3" not in name}, "clip3.wav is missing"),
        (CLIPS | {"Actor_03/clip3.wav": wav(99)}, "clip3.wav is not the official file"),
        ({"../evil.wav": b""}, "leads out of the folder"),
    ],
)
def test_an_archive_with_other_contents_is_deleted(host, tmp_path, members, message):
    host.files["/a.zip"] = zipped(members)
    made = record([remote(host, "/a.zip", "a.zip")], manifest=listed(CLIPS))
    with pytest.raises(FetchError, match=message):
        get(made, tmp_path)
    assert_absent(tmp_path)
    host.files["/a.zip"] = zipped(CLIPS)
    assert_whole(get(made, tmp_path))


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (None, "holds 3 clips where 4 are expected"),
        (b"version https://git-lfs.github.com/spec/v1\n", r"clip3.wav is a git-lfs pointer"),
        (wav(0, samples=0), "clip3.wav is empty"),
        (wav(0)[:-100], "clip3.wav is cut off"),
    ],
)
def test_without_a_manifest_numbers_and_headers_are_checked(host, tmp_path, clip, message):
    members = {**CLIPS, "Actor_03/clip3.wav": clip}
    host.files["/a.zip"] = zipped({name: data for name, data in members.items() if data is not None})
    with pytest.raises(FetchError, match=message):
        get(record([remote(host, "/a.zip", "a.zip")]), tmp_path)
    assert_absent(tmp_path)


def test_a_page_in_place_of_an_archive_is_not_kept(host, tmp_path):
    host.files["/a.zip"] = b"<html>Please log in</html>"
    made = record([remote(host, "/a.zip", "a.zip")])
    with pytest.raises(FetchError, match="damaged or not an archive"):
        get(made, tmp_path)
    host.files["/a.zip"] = zipped(CLIPS)
    assert_whole(get(made, tmp_path))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "members",
    [
        {"a": b"", "a/b.wav": b""},
        {"\u20ac" * 200 + ".wav": b""},
        {"/".join("a" * 200 for _ in range(30)): b""},
        {"Actor_01/CLIP1.wav": b"", **CLIPS},
    ],
)
def test_an_archive_that_cannot_be_unpacked_does_not_block(host, tmp_path, members):
    host.files["/a.zip"] = zipped(members)
    made = record([remote(host, "/a.zip", "a.zip")])
    with pytest.raises(FetchError, match=r"a\.zip"):
        get(made, tmp_path)
    host.files["/a.zip"] = zipped(CLIPS)
    assert_whole(get(made, tmp_path))


def test_wrong_files_without_checksums_do_not_block(host, tmp_path):
    name = "Actor_01/clip1.wav"
    host.files["/a"] = wav(99)
    made = record([remote(host, "/a", name)], manifest=listed({name: CLIPS[name]}))
    with pytest.raises(FetchError, match=r"clip1\.wav is not the official file"):
        get(made, tmp_path)
    host.files["/a"] = CLIPS[name]
    assert (get(made, tmp_path) / name).read_bytes() == CLIPS[name]


def test_a_verified_file_that_was_damaged_since_comes_anew(host, loose, tmp_path):
    host.trouble["/Actor_04/clip4.wav"] = [404]
    with pytest.raises(FetchError):
        get(loose, tmp_path, workers=1)
    (tmp_path / ".downloads/toy/files/Actor_01/clip1.wav").write_bytes(b"damaged")
    assert_whole(get(loose, tmp_path))


def test_what_a_killed_process_left_is_no_part_of_the_corpus(host, loose, tmp_path):
    files = tmp_path / ".downloads/toy/files/Actor_01"
    files.mkdir(parents=True)
    (files / "tmpabcd").write_bytes(b"half")
    assert_whole(get(loose, tmp_path))


def test_two_archives_with_one_file(host, tmp_path):
    host.files |= {"/a.zip": zipped({"x": b"1", "y": b"1"}), "/b.zip": zipped({"x": b"2", "z": b"1"})}
    made = record([remote(host, "/a.zip", "a.zip"), remote(host, "/b.zip", "b.zip")])
    with pytest.raises(FetchError, match=r"b\.zip: x is in another archive"):
        get(made, tmp_path)


def test_a_folder_that_somebody_filled_in_part_is_not_called_complete(host, packed, tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "clip1.wav").write_bytes(b"")
    with pytest.raises(FetchError, match="holds 1 of the 4 clips of Toy corpus"):
        get(packed, tmp_path)
    assert (tmp_path / "toy" / "clip1.wav").exists()
    assert host.requests == []


# ---- the disk ----


def test_room_is_checked_before_the_first_byte(host, packed, tmp_path, monkeypatch):
    unpacked = sum(len(data) for data in CLIPS.values())
    needed = int(1.05 * (len(host.files["/toy.zip"]) + unpacked))
    free = needed - 1
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(FetchError, match=r"needs .* MB in .*, where .* MB are free.*SERLAB_CACHE"):
        get(packed, tmp_path)
    assert host.requests == []
    free = needed
    assert_whole(get(packed, tmp_path))


def test_what_has_come_needs_no_room_again(host, loose, tmp_path, monkeypatch):
    host.trouble["/Actor_04/clip4.wav"] = [404]
    with pytest.raises(FetchError):
        get(loose, tmp_path, workers=1)
    free = int(1.06 * len(CLIPS["Actor_04/clip4.wav"]))
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert_whole(get(loose, tmp_path))


@pytest.fixture
def fill_disk(monkeypatch):
    """Let writes to files whose names end in `suffix` fail as on a full disk, after so many bytes."""

    def fill(suffix, capacity):
        opened = io.open

        class Full(io.FileIO):
            def write(self, data):
                if self.tell() + len(data) > capacity:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return super().write(data)

        def open_(file, mode="r", *args, **options):
            if str(file).endswith(suffix) and mode in ("ab", "wb"):
                return Full(file, mode[0])
            return opened(file, mode, *args, **options)

        monkeypatch.setattr(io, "open", open_)  # What pathlib calls.
        monkeypatch.setattr("builtins.open", open_)  # What zipfile calls.

    return fill


def test_a_disk_that_fills_up_keeps_the_part(host, packed, tmp_path, fill_disk, monkeypatch):
    fill_disk(".part", 40_000)
    with pytest.raises(FetchError, match=r"the disk of .* is full. Make room") as error:
        get(packed, tmp_path)
    assert_manual_route(error, tmp_path)
    have = (tmp_path / ".downloads/toy/files/toy.zip.part").stat().st_size
    assert 0 < have <= 40_000
    assert_absent(tmp_path)
    monkeypatch.undo()
    assert_whole(get(packed, tmp_path))
    assert host.requests[-1].range == f"bytes={have}-"


def test_a_disk_that_fills_up_while_unpacking_keeps_the_archive(
    host, packed, tmp_path, fill_disk, monkeypatch
):
    fill_disk(".wav", 100)
    with pytest.raises(FetchError, match=r"the disk of .* is full"):
        get(packed, tmp_path)
    assert_absent(tmp_path)
    assert list((tmp_path / ".downloads/toy").rglob("*.wav")) == []
    monkeypatch.undo()
    before = len(host.requests)
    assert_whole(get(packed, tmp_path))
    assert len(host.requests) == before


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, r"no permission to write .*SERLAB_CACHE"),
        (errno.EROFS, r"cannot be used \(Read-only file system\).*SERLAB_CACHE"),
        (errno.EIO, r"cannot be used \(Input/output error\).*SERLAB_CACHE"),
    ],
)
def test_a_folder_that_cannot_be_made(host, packed, tmp_path, monkeypatch, number, message):
    def forbidden(self, *_, **__):
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(FetchError, match=message):
        get(packed, tmp_path)
    assert host.requests == []


@pytest.mark.parametrize(
    "place", [".", ".downloads", ".downloads/toy", ".downloads/toy/files", ".downloads/toy.lock"]
)
def test_something_else_where_a_file_or_folder_should_be(host, packed, tmp_path, place):
    root = tmp_path / "cache"
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if place.endswith("lock"):
        path.mkdir()
    else:
        path.write_bytes(b"in the way")
    with pytest.raises(FetchError, match=r"Toy corpus: .*(cache|toy).* or choose another folder with SERLAB"):
        get(packed, root)


@pytest.mark.parametrize("name", ["toy.zip", "toy.zip.part", "toy.zip.part.version"])
def test_a_folder_where_a_download_should_be(host, packed, tmp_path, name):
    files = tmp_path / ".downloads/toy/files"
    (files / name).mkdir(parents=True)
    if name.endswith("version"):
        (files / "toy.zip.part").write_bytes(b"PK")
    with pytest.raises(
        FetchError, match=r"Toy corpus: .*toy\.zip.* cannot be used .*Remove what is in the way"
    ):
        get(packed, tmp_path)


@pytest.mark.parametrize("folder", ["~nobody-of-this-name/x", "a\0b"])
def test_a_folder_that_is_none(packed, monkeypatch, folder):
    with pytest.raises(SerlabError, match=r"into=.* is no folder. Give its path in full"):
        get(packed, folder)
    if "\0" not in folder:
        monkeypatch.setenv("SERLAB_CACHE", folder)
        with pytest.raises(SerlabError, match=r"SERLAB_CACHE: .* is no folder"):
            fetch_record(packed)


def test_a_corpus_on_a_disk_that_cannot_be_written_is_found(host, packed, tmp_path, monkeypatch):
    folder = get(packed, tmp_path)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: pytest.fail("written"))
    assert get(packed, tmp_path) == folder


# ---- names ----


def test_demo_is_not_fetched():
    with pytest.raises(FetchError, match=r'serlab\.load\("demo"\) synthesises it'):
        fetch("demo")


def test_a_folder_is_not_fetched(tmp_path):
    with pytest.raises(FetchError, match="is a folder"):
        fetch(str(tmp_path))


def test_a_folder_of_the_same_name_here_does_not_hide_a_corpus(tmp_path, monkeypatch):
    (tmp_path / "ravdess").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serlab.corpora, "find", lambda name: tmp_path / "found")
    assert fetch("ravdess") == tmp_path / "found"


def test_a_corpus_without_download_says_where_to_look():
    with pytest.raises(FetchError, match=r"no download that serlab can fetch. See http"):
        fetch("emodb_first2s", into="unused")


def test_an_unknown_name():
    with pytest.raises(CorpusError, match="ravdess"):
        fetch("ravdes")


def test_a_corpus_under_serlab_data_is_found_first(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(serlab.corpora, "find", lambda name: tmp_path)
    assert fetch("ravdess") == tmp_path
    assert f"already in {tmp_path}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["ravdess", "emodb", "cremad", "nemo"])
def test_official_records_can_be_fetched_and_verified(name):
    """Each remote has what fetch needs: a secure or known host, a relative place and some way to verify."""
    made = serlab.corpora.record(name)
    assert made.remotes
    for one in made.remotes:
        assert one.url.startswith(("https://", "http://emodb.bilderbar.info/"))
        assert not Path(one.filename).is_absolute()
        assert ".." not in Path(one.filename).parts
        assert one.checksum is None or re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", one.checksum)
    assert made.clips > 500
    assert made.homepage.startswith("http")
    if made.manifest:
        assert len(made.manifest) == made.clips
        assert all(digest and size for digest, size in made.manifest.values())
    # nEMO comes in an archive that GitHub packs anew each time: its clips are counted and opened.
    assert made.manifest or all(one.checksum for one in made.remotes) or name == "nemo"


def test_importing_the_module_leaves_the_function_callable():
    """A module of the function's name would otherwise take its place in the package."""
    assert serlab.fetch is serlab.corpora.fetch is fetch

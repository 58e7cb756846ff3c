"""Fetching, against a host on this computer that truncates, stalls, refuses, lies and gets killed."""

from __future__ import annotations

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

import serlab
from serlab.corpora.fetch import Patience, fetch, fetch_record
from serlab.errors import CorpusError, FetchError

# `serlab.corpora.fetch` is the function: the package exports it under the module's name.
module = importlib.import_module("serlab.corpora.fetch")
QUICK = Patience(timeout=5, retries=3, first_wait=0.001, longest_wait=0.002)


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
    # Per path, one entry per request: a status to refuse with, or ("cut", n), ("drip", n), ("lie", ...).
    trouble: dict[str, list] = field(default_factory=lambda: defaultdict(list))
    etag: str | None = '"v1"'
    ranges: bool = True
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
                return self.answer(request, trouble, b"sorry", {"Retry-After": "0"})
            if self.path not in host.files:
                return self.answer(request, 404, b"no such file", {})
            data, status, headers = host.files[self.path], 200, {}
            if host.etag:
                headers["ETag"] = host.etag
            if request.range and host.ranges and request.if_range in (None, host.etag):
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
    options.setdefault("patience", QUICK)
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
    assert fetch_record(packed, patience=QUICK) == tmp_path / "corpora" / "toy"


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
    assert len(host.requests) == 1 + QUICK.retries


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
    host.trouble["/toy.zip"] = [status] * QUICK.retries
    assert_whole(get(packed, tmp_path))
    assert len(host.requests) == QUICK.retries + 1


def test_progress_renews_the_patience(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("cut", 8192)] * (QUICK.retries + 4)
    assert_whole(get(packed, tmp_path))


def test_a_stalled_connection_is_left_and_resumed(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("hang", 16_384)]
    patience = Patience(timeout=0.2, retries=3, first_wait=0.001, longest_wait=0.002)
    assert_whole(get(packed, tmp_path, patience=patience))
    assert host.requests[1].range is not None


def test_a_dripping_connection_is_left_and_resumed(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("drip", 16_384)]
    patience = Patience(timeout=0.2, retries=3, first_wait=0.001, longest_wait=0.002, slowest=1e6)
    assert_whole(get(packed, tmp_path, patience=patience))
    assert host.requests[1].range is not None


def test_waits_double_up_to_their_bound():
    patience = Patience(first_wait=1, longest_wait=8)
    for failures, bound in [(1, 1), (2, 2), (3, 4), (4, 8), (9, 8)]:
        waits = [patience.wait(failures) for _ in range(50)]
        assert bound / 2 <= min(waits) < max(waits) <= bound


def test_retry_after_is_honoured_within_bounds(host, packed, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(threading.Event, "wait", lambda self, timeout=None: waited.append(timeout))
    transfer = SimpleNamespace(
        patience=Patience(retries=2, first_wait=0.001, longest_wait=7),
        stop=threading.Event(),
        advance=lambda count: None,
    )

    def refuse(*_):
        raise module._Again("busy", wait=3600)

    monkeypatch.setattr(module, "_stream", refuse)
    with pytest.raises(FetchError, match="busy"):
        module._download(packed.remotes[0], tmp_path / "toy.zip", transfer)
    assert waited == [7, 7]


# A process that fetches, to be killed or doubled.
SCRIPT = """
import json, sys
from types import SimpleNamespace
from serlab.corpora.fetch import Patience, fetch_record

made = json.loads(sys.argv[1])
made["remotes"] = tuple(SimpleNamespace(**remote) for remote in made["remotes"])
patience = Patience(timeout=30, retries=3, first_wait=0.001, longest_wait=0.002)
fetch_record(SimpleNamespace(**made), into=sys.argv[2], patience=patience, workers=1)
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
    assert "Another process is fetching Toy corpus" in second.stdout.readline()
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
    with pytest.raises(
        FetchError, match=r"toy\.zip: what came has the md5 checksum .* It was deleted"
    ) as error:
        get(packed, tmp_path)
    assert_manual_route(error, tmp_path)
    assert list((tmp_path / ".downloads/toy").rglob("*.part*")) == []
    assert_absent(tmp_path)


def test_one_wrong_file_of_many_is_named_and_the_others_kept(host, loose, tmp_path):
    good = host.files["/Actor_02/clip2.wav"]
    host.files["/Actor_02/clip2.wav"] = good[:-1] + b"x"
    with pytest.raises(FetchError, match=r"Actor_02/clip2\.wav: what came has the sha256"):
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


def test_a_name_that_does_not_resolve(tmp_path):
    url = "http://host.invalid/a.wav"
    made = record([SimpleNamespace(url=url, filename="a.wav", size=10, checksum=None)])
    with pytest.raises(FetchError, match=r"name cannot be resolved. Is this computer connected") as error:
        get(made, tmp_path)
    assert "all audio files" in str(error.value)


def test_a_silent_host(host, packed, tmp_path):
    host.trouble["/toy.zip"] = [("hang", 0)] * 9
    patience = Patience(timeout=0.05, retries=1, first_wait=0.001)
    with pytest.raises(FetchError, match="cannot be downloaded"):
        get(packed, tmp_path, patience=patience)


def test_reasons_are_put_in_words():
    import requests

    assert "in time" in module._reason(requests.ReadTimeout("x"))
    assert "secure connection" in module._reason(requests.exceptions.SSLError("bad certificate"))


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
        opened = Path.open

        class Full(io.FileIO):
            def write(self, data):
                if self.tell() + len(data) > capacity:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return super().write(data)

        def open_(self, mode="r", *args, **options):
            if self.name.endswith(suffix) and mode in ("ab", "xb"):
                return Full(self, mode[0])
            return opened(self, mode, *args, **options)

        monkeypatch.setattr(Path, "open", open_)

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


def test_a_folder_that_cannot_be_written(host, packed, tmp_path, monkeypatch):
    def forbidden(self, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(FetchError, match=r"no permission to write .*SERLAB_CACHE"):
        get(packed, tmp_path)


def test_other_disk_errors_are_not_dressed_up(packed, tmp_path):
    with pytest.raises(OSError, match="unheard of"), module._disk_errors(packed, tmp_path):
        raise OSError(errno.EIO, "unheard of")


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

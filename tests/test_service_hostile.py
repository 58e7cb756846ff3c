"""What is hostile is refused with a reason, harms nothing, and no request makes the service fail."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import sys

import numpy as np
import psutil
import pytest
import soundfile

schemathesis = pytest.importorskip("schemathesis")
import test_service  # noqa: E402
from test_service import RATE, options, refused, running, sound, until  # noqa: E402

from serlab.service import app, jobs  # noqa: E402
from serlab.service.listeners import Listener, Listeners, Refused  # noqa: E402

client, place = test_service.client, test_service.place
monkeypatch_module = test_service.monkeypatch_module

# ---- hostile recordings ----


def wav(channels=1, rate=RATE, bits=16, kind=1, data=b"\0\1" * RATE, claimed=None, block=None) -> bytes:
    """Write a WAV file whose header may say anything."""
    block = channels * bits // 8 if block is None else block
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, (rate * block) & 0xFFFFFFFF, block, bits
    )
    size = len(data) if claimed is None else claimed
    chunk = b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", (4 + len(form) + 8 + size) & 0xFFFFFFFF) + b"WAVE" + form + chunk


def long_flac() -> bytes:
    """Write an hour of silence and a beep at eight channels, in few bytes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 48000, 8, format="FLAC") as out:
        for _ in range(60):
            out.write(np.zeros((48000 * 10, 8), np.float32))
    return file.getvalue()


def deep_form(depth: int) -> bytes:
    """Write forms within forms."""
    inner = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    return (b"--b\r\nContent-Disposition: form-data; name=file\r\n" + inner) * depth + b"--b--\r\n"


FULL = sound()
HOSTILE = {
    "empty": (b"", "empty"),
    "cut": (FULL[:16000], "cut off"),
    "header alone": (FULL[:44], "cut off"),
    "promises 4 GB": (wav(claimed=0xFFFFFFF0), "cut off"),
    "no channels": (wav(channels=0), ""),
    "65,535 channels": (wav(channels=65535, block=65535), ""),
    "no rate": (wav(rate=0), ""),
    "4 GHz": (wav(rate=0xFFFFFFFF), ""),
    "no bits": (wav(bits=0, block=0), ""),
    "unknown coding": (wav(kind=0xBEEF), ""),
    "NaN": (sound(y=np.full(RATE, np.nan), subtype="FLOAT"), "NaN"),
    "infinite": (sound(y=np.full(RATE, np.inf), subtype="FLOAT"), "NaN or infinite"),
    "of integers": (sound(y=np.sin(np.arange(RATE)) * 32768, subtype="FLOAT"), "full scale"),
    "silent": (sound(y=np.zeros(RATE)), "silent"),
    "one sample": (sound(y=np.ones(1)), "lasts"),
    "opposite": (sound(y=np.outer(np.sin(np.arange(RATE)), [1, -1])), "cancel"),
    "too long": (long_flac(), "300 s"),
    "text": (b"This is no sound.\n" * 99, "sound"),
    "JSON": (json.dumps({"file": "/etc/passwd"}).encode(), "sound"),
    "page": (b"<!DOCTYPE html><html></html>", "web page"),
    "archive": (b"PK\x03\x04" + bytes(999), "ZIP"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs"),
    "zeros": (bytes(99999), ""),
    "MP3 of one frame": (b"\xff\xfb\x90\x00" + bytes(413), ""),
    "Ogg of nothing": (b"OggS" + bytes(23), ""),
    "FLAC of nothing": (b"fLaC\x80\0\0\x22" + b"\xff" * 34, ""),
    "MP4 of itself": (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0\0\0\x01moov" + b"\xff" * 8, ""),
    "WebM of nothing": (b"\x1a\x45\xdf\xa3" + b"\x01" + b"\xff" * 7, ""),
}


@pytest.fixture
def bounded(client):
    """Make sure that the process that listens is not harmed, and takes no more memory than it may."""
    (before,) = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
    client.get("/v1/corpora/tiny/clips/d01-sad-1/prediction")
    used = before.memory_info().rss
    yield
    assert before.is_running()
    assert before.memory_info().rss - used < 300 << 20
    assert client.get("/v1/corpora/tiny/clips/d01-sad-1/prediction").status_code == 200


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_recordings_are_refused_with_a_reason(client, bounded, name):
    content, reason = HOSTILE[name]
    told = refused(client.post("/v1/predictions", content=content), 422)
    assert told.startswith("The recording")
    assert reason in told
    assert "uploads" not in told


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (deep_form(2000), "multipart/form-data; boundary=b"),
        (b"--b\r\n", "multipart/form-data; boundary=b"),
        (b"nothing of the kind", "multipart/form-data; boundary=b"),
        (b"--b--", "multipart/form-data"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\n" + b"X: y\r\n" * 9999 + b"\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n" + b"x" * 2_000_000 + b"\r\n--b--\r\n",
         "multipart/form-data; boundary=b"),
        (b"--\xff\r\n", "multipart/form-data; boundary=\"\xff\""),
        (b"x", "multipart/mixed; boundary=" + "b" * 9999),
    ],
)  # fmt: skip
def test_hostile_forms_are_refused_with_a_reason(client, bounded, body, kind):
    answer = client.post("/v1/predictions", content=body, headers={b"content-type": kind.encode("latin-1")})
    assert answer.status_code in (400, 413, 422), answer.text
    assert refused(answer, answer.status_code)


def test_damaged_headers_are_refused_or_answered(client, bounded):
    """Bytes of valid headers are changed by chance: what is left may be sound, and is then answered."""
    rng = np.random.default_rng(0)
    kinds = [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("AIFF", "PCM_24"), ("MP3", None)]
    kinds += [("W64", "PCM_16"), ("CAF", "FLOAT"), ("AU", "ULAW"), ("RF64", "PCM_16"), ("OGG", "OPUS")]
    counts = {}
    for kind, subtype in kinds:
        whole = sound(0.5, format=kind, subtype=subtype)
        for _ in range(40):
            content = bytearray(whole)
            for one in rng.integers(0, 64, rng.integers(2, 12)):
                content[one] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
            if rng.random() < 0.5:
                content = content[: rng.integers(4, len(content))]
            answer = client.post("/v1/predictions", content=bytes(content))
            counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
            if answer.status_code != 200:
                assert refused(answer, 422).startswith("The recording")
    assert counts.keys() == {200, 422}
    assert counts[422] >= 200


def test_a_process_that_hangs_or_dies_is_replaced(place):
    """One that is stopped costs its request; one that has died costs nothing."""

    this = psutil.Process()
    before = set(this.children())

    async def trial() -> list:
        listeners = Listeners(1, 0, place / "data" / "models" / "plain.serlab", 1024)
        listeners.open()
        question = (place / "tiny" / "d01-sad-1.wav", place / "data" / "models" / "plain.serlab", False, 9.0)
        found = [await listeners.ask(*question)]
        (process,) = set(this.children()) - before
        process.suspend()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listeners.ask(*question), 0.2)
        found.append(await listeners.ask(*question))
        assert not process.is_running()
        (process,) = set(this.children()) - before
        process.kill()
        found.append(await listeners.ask(*question))
        with pytest.raises(Refused, match="lasts more than the 1 s"):
            await listeners.ask(*question[:3], 1.0)
        listeners.close()
        return found

    first, *others = asyncio.run(trial())
    assert all(one == first for one in others)


def test_memory_is_bounded(place):
    """What a recording may take is taken from the process, not from the computer."""
    if sys.platform != "linux":
        pytest.skip("only Linux bounds it")
    model = place / "data" / "models" / "plain.serlab"
    listener = Listener(model, 64)
    assert listener.hear() == ("ready", None)
    path = place / "long.wav"
    soundfile.write(path, np.tile(np.sin(np.arange(RATE) * 0.1), 280), RATE)
    word, about = listener.ask(path, model, True, 300.0)
    listener.end()
    path.unlink()
    assert (word, about) in [("refused", "The recording takes more than 64 MiB of memory"), ("ended", None)]


# ---- every request ----


def test_no_request_that_the_description_allows_makes_the_service_fail(place, tmp_path, monkeypatch):
    """Schemathesis draws requests to every endpoint; none of them trains."""
    import hypothesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as openapi

    monkeypatch.setattr(jobs.Jobs, "start", lambda self: None)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "plain.serlab").write_bytes((place / "data/models/plain.serlab").read_bytes())
    checks = [
        not_a_server_error,
        openapi.status_code_conformance,
        openapi.content_type_conformance,
        openapi.response_schema_conformance,
    ]
    asked = {}
    with running(app.create(options(place, data=tmp_path, jobs=10_000))) as client:
        until(lambda: client.get("/ready").is_success)
        schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            asked[operation.label] = 0

            @hypothesis.settings(
                max_examples=12, deadline=None, database=None, derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),
            )  # fmt: skip
            @hypothesis.given(case=operation.as_strategy())
            def ask(case):
                case.call_and_validate(checks=checks, timeout=60)
                asked[case.operation.label] += 1

            ask()
    assert len(asked) == 16
    assert min(asked.values()) >= 1
    assert sum(asked.values()) >= 100

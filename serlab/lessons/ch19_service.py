"""Chapter 19: the service on this computer, and what it tells of recordings that come over a telephone."""

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import requests
import soundfile

from serlab import audio, corpora
from serlab.corpora import emodb
from serlab.errors import SerlabError
from serlab.lessons.ch08c_microphone import CONDITIONS, SAMPLE_RATE

# Seconds until a service on a slow computer must be ready.
PATIENCE = 240.0


class Api(requests.Session):
    """Asks a service by short addresses, such as ``/v1/models``."""

    def __init__(self, address: str):
        super().__init__()
        self.address = address

    def request(self, method, url, **options):
        """Send a request, as `requests.Session.request` does."""
        return super().request(method, self.address + url, **{"timeout": 120} | options)


@contextlib.contextmanager
def service() -> Iterator[Api]:
    """Run ``serlab serve`` on a free port, with a folder of its own, and end it afterwards.

    Beside the corpora of serlab it knows ``few``, two clips of each emotion from four synthetic speakers.
    `SerlabError` holds what the service said, if it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="serlab-", ignore_cleanup_errors=True) as folder:
        settings = {"PORT": port, "DATA": Path(folder, "data"), "PAGES": Path(folder, "none"), "LISTENERS": 1}
        environment = os.environ | {f"SERLAB_SERVE_{name}": str(value) for name, value in settings.items()}
        log, config = Path(folder, "log"), Path(folder, "serve.toml")
        few = _few_clips(Path(folder, "few")).as_posix()
        config.write_text(f"[corpora]\nfew = '{few}'\n", encoding="utf-8")
        with open(log, "w", encoding="utf-8") as file:
            command = [sys.executable, "-m", "serlab", "serve", "--config", str(config)]
            server = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        try:
            api = Api(f"http://127.0.0.1:{port}")
            deadline = time.monotonic() + PATIENCE
            while not _is_ready(api):
                if server.poll() is not None or time.monotonic() > deadline:
                    lines = log.read_text("utf-8").splitlines()
                    said = "\n".join(line for line in lines if '"/ready"' not in line)
                    raise SerlabError(f"The service does not start: {said[-500:]}")
                time.sleep(0.2)
            yield api
        finally:
            server.terminate()
            server.wait(30)


def _few_clips(folder: Path) -> Path:
    """Lay a corpus of one's own into a folder: two clips of each emotion from four synthetic speakers."""
    folder.mkdir()
    table = corpora.load("demo")
    table = table[table["speaker"].isin(table["speaker"].unique()[:4])]
    table = table.groupby(["speaker", "emotion"]).head(2)
    for path in table["path"]:
        shutil.copy(path, folder)
    names = [Path(path).name for path in table["path"]]
    sheet = table[["speaker", "emotion"]].assign(path=names)
    sheet.to_csv(folder / "metadata.csv", index=False)
    return folder


def _is_ready(api: Api) -> bool:
    try:
        return api.get("/ready", timeout=5).ok
    except requests.RequestException:
        return False


def voices(condition: str = "as recorded") -> list[bytes]:
    """Give the eight voices as sound files, as a client would send them, under one of `CONDITIONS`.

    Examples
    --------
    >>> files = voices("telephone")
    >>> len(files), files[0][:4]
    (8, b'fLaC')
    """
    chain = CONDITIONS[condition]
    found = []
    for number, path in enumerate(emodb.excerpts()["path"]):
        y = audio.read(path, SAMPLE_RATE)[0]
        y = y if chain is None else chain(y, number, 0)
        file = io.BytesIO()
        soundfile.write(file, np.clip(y, -1, 1), SAMPLE_RATE, format="FLAC")
        found.append(file.getvalue())
    return found

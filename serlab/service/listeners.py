"""Processes that listen to recordings: what a hostile file does to one of them ends there."""

import asyncio
import contextlib
import math
import multiprocessing
import signal
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from serlab.errors import AudioError, SerlabError


class Busy(SerlabError):
    """As many requests wait as may."""


class Refused(SerlabError):
    """A recording cannot be answered; the message says why, and names no file."""


class Listener:
    """A process of its own, which answers one recording after the other. It ends when this process does."""

    def __init__(self, model: Path, memory: int):
        # Not forked: that would copy threads and locks of the server.
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_listen, args=(other, model, memory), daemon=True)
        self._process.start()
        other.close()

    def hear(self) -> tuple[str, Any]:
        """Wait for what the process says: a word, and what it is about."""
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return "ended", None

    def ask(self, *question: Any) -> tuple[str, Any]:
        """Have a recording answered; the arguments are those of `_answer`."""
        with contextlib.suppress(OSError):
            self._pipe.send(question)
        return self.hear()

    def end(self, patience: float = 0) -> None:
        """Stop, at once or when it has had some seconds to end by itself, whatever it does."""
        if patience:
            with contextlib.suppress(OSError):
                self._pipe.send(None)
            self._process.join(patience)
        self._process.kill()
        self._process.join()


class Listeners:
    """Some listeners, and the requests that wait for one."""

    def __init__(self, count: int, waiting: int, model: Path, memory: int):
        self._count, self._places = count, count + waiting
        self._about = (model, memory)
        self._free: asyncio.Queue[Listener] = asyncio.Queue()
        self._all: set[Listener] = set()
        self._tasks: set[asyncio.Task] = set()
        # Of its own, so that whoever waits for an answer keeps nobody else from a thread.
        self._threads = ThreadPoolExecutor(2 * count)
        self.inside = self.warm = 0

    def open(self) -> None:
        """Start all of them; `warm` says how many can answer already."""
        for _ in range(self._count):
            self._begin()

    def close(self) -> None:
        """End all of them."""
        for task in self._tasks:
            task.cancel()
        for listener in self._all:
            listener.end(patience=2)
        self._threads.shutdown()

    def _begin(self) -> None:
        task = asyncio.get_running_loop().create_task(self._start())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self) -> None:
        listener = Listener(*self._about)
        self._all.add(listener)
        word, _ = await self._in_thread(listener.hear)
        if word == "ready":
            self.warm += 1
            self._free.put_nowait(listener)
        else:
            self._all.discard(listener)
            await asyncio.sleep(1)
            self._begin()

    def _in_thread(self, function, *arguments) -> asyncio.Future:
        return asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Take a place among those who wait or are answered, or raise `Busy`."""
        if self.inside >= self._places:
            raise Busy("Too many recordings wait already: ask again in a moment")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def ask(self, *question: Any) -> list[dict[str, Any]]:
        """Have a recording answered; the arguments are those of `_answer`.

        When this is cancelled, the process that listens is ended and another takes its place. A process that
        ends by itself may not have had to do with the recording, so another one is asked once.
        """
        word, answer = await self._ask(*question)
        if word == "ended":
            word, answer = await self._ask(*question)
        if word == "answer":
            return answer
        if word == "fault":
            raise RuntimeError(f"A listener failed:\n{answer}")
        raise Refused(answer or "This recording ended the processes that listened to it")

    async def _ask(self, *question: Any) -> tuple[str, Any]:
        listener = await self._free.get()
        word = "ended"
        try:
            word, answer = await self._in_thread(listener.ask, *question)
            return word, answer
        finally:
            if word == "ended":
                listener.end()
                self._all.discard(listener)
                self.warm -= 1
                self._begin()
            else:
                self._free.put_nowait(listener)


def _listen(pipe, model: Path, memory: int) -> None:
    """Answer what comes through a pipe until its other end is closed, as it is when the server has ended."""
    from serlab import prediction
    from serlab.corpora.synthesis import synthesise_phrase

    # The server says when to end, also where a terminal tells all of its processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(SerlabError):
        prediction.predict(synthesise_phrase("d01", emotion="angry"), 16000, model=_model(model, 0))
    _limit(memory)
    pipe.send(("ready", None))
    with contextlib.suppress(EOFError, OSError):
        while (question := pipe.recv()) is not None:
            try:
                pipe.send(("answer", _answer(*question)))
            except SerlabError as error:
                about = str(error).replace(str(question[0]), "The recording")
                pipe.send(("refused", about.replace(str(question[1]), "The model")))
            except MemoryError:
                pipe.send(("refused", f"The recording takes more than {memory} MiB of memory"))
            except Exception:
                pipe.send(("fault", traceback.format_exc()))


def _answer(recording: Path, model: Path, timeline: bool, longest: float) -> list[dict[str, Any]]:
    """Predict a recording that lasts at most so many seconds: a row for it, or for each of its windows."""
    from serlab import prediction, sound_files

    with sound_files.opened(recording) as sound:
        frames, most = sound.frames, math.ceil(longest * sound.rate)
        if frames is None:
            frames = sum(map(len, sound.blocks(most + 1)))
        if frames > most:
            limit = f"the {longest:g} s that this service listens to"
            raise AudioError(f"{recording} lasts more than {limit}: cut it into parts")
    loaded = _model(model, model.stat().st_mtime_ns)
    return prediction.predict(recording, model=loaded, timeline=timeline).to_dict("records")


@lru_cache(4)
def _model(file: Path, changed: int):
    from serlab import models

    return models.load(file)


def _limit(mebibytes: int) -> None:
    """Bound what this process may take from now on."""
    try:
        import resource

        import psutil

        most = psutil.Process().memory_info().data + (mebibytes << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    except (ImportError, AttributeError, ValueError, OSError):
        # Not on Linux.
        return

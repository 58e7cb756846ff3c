"""Decoders that give sound block by block: libsndfile, and PyAV for what phones and browsers record."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from serlab.containers import Container, Damage

# Samples of all channels that are decoded at a time.
BLOCK = 1 << 20


class Sound:
    """An open sound file.

    Attributes
    ----------
    rate, channels : int
        Sampling rate in Hz, and number of channels.
    frames : int or None
        Samples per channel; None where only decoding tells.
    notes : list of (str, str)
        What should be known of the file although it can be used: kind ("unfinished" or "clipped") and words.
    """

    rate: int
    channels: int
    frames: int | None = None

    def __init__(self, container: Container):
        self.container = container
        self.notes: list[tuple[str, str]] = []
        if container.open_ended:
            words = "was never finished: its header gives no length. It is read as far as it goes"
            self.notes.append(("unfinished", words))

    def blocks(self, limit: int | None = None) -> Iterator[np.ndarray]:
        """Decode, at most `limit` samples per channel: float32, shape (samples, channels), block by block."""
        raise NotImplementedError

    def check_end(self) -> None:
        """Make sure that the last sample is there, where that is quicker than decoding all of them."""

    def close(self) -> None:
        """Let go of what was opened."""


class ByLibsndfile(Sound):
    def __init__(self, file: BinaryIO, container: Container):
        import soundfile

        super().__init__(container)
        source = file.fileno()
        if container.head:
            source = _Spliced(container.head, file, container.start, container.end)
        else:
            os.lseek(source, 0, os.SEEK_SET)
        try:
            self._sound = soundfile.SoundFile(source, closefd=False)
        except soundfile.LibsndfileError as error:
            raise Damage("corrupt", f"cannot be read as sound ({_reason(error)})") from error
        self.rate, self.channels, self.frames = (
            self._sound.samplerate,
            self._sound.channels,
            self._sound.frames,
        )
        if self.frames < container.frames:
            raise _lacking(self.frames, container.frames)

    def close(self) -> None:
        """Let go of libsndfile's buffers."""
        self._sound.close()

    def check_end(self) -> None:
        """Make sure that the last sample can be read, where seeking to it is quick."""
        import soundfile

        if self.container.name == "FLAC":
            try:
                self._sound.seek(self.frames - 1)
                self._sound.read(1)
            except soundfile.LibsndfileError as error:
                raise Damage("truncated", "is cut off: its last samples cannot be read") from error

    def blocks(self, limit: int | None = None) -> Iterator[np.ndarray]:
        import soundfile

        whole = limit is None or limit >= self.frames
        left = self.frames if whole else limit
        digest = hashlib.md5(usedforsecurity=False) if whole and self.container.digest else None
        step = max(1, BLOCK // self.channels)
        while left:
            try:
                block = self._sound.read(
                    min(step, left), dtype="int32" if digest else "float32", always_2d=True
                )
            except soundfile.LibsndfileError as error:
                self.check_end()
                raise Damage("corrupt", f"is damaged: it cannot be decoded ({_reason(error)})") from error
            if not len(block):
                raise _lacking(self.frames - left, self.frames)
            left -= len(block)
            if digest:
                digest.update(_as_stored(block, self._sound.subtype))
                block = block.astype(np.float32) * np.float32(2**-31)
            yield block
        if digest and digest.digest() != self.container.digest:
            raise Damage("corrupt", "is damaged: its samples do not have the checksum in its header")


def _as_stored(block: np.ndarray, subtype: str) -> bytes:
    """Return samples as FLAC's checksum sees them: as many bytes as they need, the lowest first."""
    width = {"PCM_S8": 1, "PCM_16": 2, "PCM_24": 3}[subtype]
    if width == 2:
        return (block >> 16).astype("<i2").tobytes()
    return block.astype("<i4").view("u1").reshape(-1, 4)[:, 4 - width :].tobytes()


def _lacking(there: int, promised: int) -> Damage:
    return Damage("truncated", f"is cut off: {there} of the {promised} samples in its header could be read")


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).rstrip(".")


class _Spliced(io.RawIOBase):
    """Some bytes and then a part of a file, to be read as one file."""

    def __init__(self, head: bytes, file: BinaryIO, start: int, end: int):
        self._head, self._file, self._start = head, file, start
        self._size, self._place = len(head) + end - start, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, count: int = -1) -> bytes:
        count = max(0, min(count if count >= 0 else self._size, self._size - self._place))
        data = self._head[self._place : self._place + count]
        if len(data) < count:
            self._file.seek(self._start + max(0, self._place - len(self._head)))
            data += self._file.read(count - len(data))
        self._place += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class ByPyAV(Sound):
    def __init__(self, file: BinaryIO, container: Container):
        super().__init__(container)
        try:
            import av
        except ImportError:
            raise Damage("decoder", f"holds {container.name} sound, for which PyAV is needed") from None
        self._error = av.error.FFmpegError
        file.seek(0)
        with self._damage():
            self._media = av.open(file)
            if not self._media.streams.audio:
                raise Damage("empty", "has no sound in it, only pictures")
            self._stream = self._media.streams.best("audio")
            self._packets = self._media.decode(self._stream)
            self._first = next(self._packets, None)
        if self._first is None:
            raise Damage("empty", "holds no samples")
        self.rate, self.channels = self._first.sample_rate, self._first.layout.nb_channels

    def close(self) -> None:
        """Let go of PyAV's buffers."""
        self._media.close()

    @contextlib.contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise Damage(
                "corrupt", f"cannot be decoded as {self.container.name} ({error.strerror})"
            ) from error

    def blocks(self, limit: int | None = None) -> Iterator[np.ndarray]:
        import av

        resampler = av.AudioResampler(format="fltp", layout=self._first.layout, rate=self.rate)
        frames, packet = 0, self._first
        while packet is not None and (limit is None or frames < limit):
            with self._damage():
                parts = resampler.resample(packet)
                packet = next(self._packets, None)
            for part in parts:
                block = part.to_ndarray().T[: None if limit is None else limit - frames]
                frames += len(block)
                yield block
        promised = self._promised()
        if packet is None and (limit is None or frames < limit) and frames / self.rate < promised - 0.15:
            raise Damage(
                "truncated",
                f"is cut off: it should last {promised:.2f} s, and lasts {frames / self.rate:.2f} s",
            )

    def _promised(self) -> float:
        """Return the length in seconds that the container tells; 0 where it is only guessed."""
        if not any(kind in self._media.format.name for kind in ("mp4", "webm", "asf")):
            return 0.0
        if self._stream.duration is not None:
            return float(self._stream.duration * self._stream.time_base)
        return (self._media.duration or 0) / 1e6

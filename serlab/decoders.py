"""Decoders that give sound block by block: libsndfile, and PyAV for what phones and browsers record."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from serlab.containers import Container, Damage

if TYPE_CHECKING:
    import av

# Samples of all channels that are decoded at a time.
BLOCK = 1 << 20
# More than any codec puts into a block.
PADDING = 4096


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
        self._file = file
        source = file.fileno()
        if container.end is None and os.name != "nt":
            # Windows has no numbers of open files that all libraries share.
            os.lseek(source, 0, os.SEEK_SET)
        else:
            source = _Spliced(file, container)
        try:
            self._sound = soundfile.SoundFile(source, closefd=False)
        except soundfile.LibsndfileError as error:
            kind = "unsupported" if "encoding" in _reason(error) else "corrupt"
            raise Damage(kind, f"cannot be read as sound ({_reason(error)})") from error
        self.rate, self.channels, self.frames = (
            self._sound.samplerate,
            self._sound.channels,
            self._sound.frames,
        )
        if container.guessed:
            self.frames = container.frames
        elif 0 < self.frames - container.frames < PADDING and container.name == "WAV" and container.frames:
            # The last block of a compressed file is filled up.
            self.frames = container.frames
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
                # After a failure a decoder cannot seek any more: another one tells whether the end is there.
                with contextlib.closing(ByLibsndfile(self._file, self.container)) as again:
                    again.check_end()
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
    """Some bytes and then a part of a file, to be read as one file.

    libsndfile guesses how long MP3 is from its size, and stops there: so it is told a size that is large
    enough, as if zeros followed.
    """

    def __init__(self, file: BinaryIO, container: Container):
        self._head, self._file, self._start = container.head, file, container.start
        end = os.fstat(file.fileno()).st_size if container.end is None else container.end
        self._size = end - container.start
        self._told = len(self._head) + (self._size << 10 * container.guessed)
        self._place = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._told}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, count: int = -1) -> bytes:
        count = max(0, min(count if count >= 0 else self._told, self._told - self._place))
        data = self._head[self._place : self._place + count]
        beyond = self._place + len(data) - len(self._head)
        if len(data) < count and beyond < self._size:
            self._file.seek(self._start + beyond)
            data += self._file.read(min(count - len(data), self._size - beyond))
        self._place += count
        return data.ljust(count, b"\0")

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
            # Names of tracks and the like are no part of the sound.
            self._media = av.open(file, metadata_errors="ignore")
            if not self._media.streams.audio:
                raise Damage("empty", "has no sound in it, only pictures")
            self._stream = self._media.streams.best("audio")
            decoded = self._frames()
            begin = list(itertools.islice(decoded, 2))
        if not begin:
            raise Damage("empty", "holds no samples")
        self._decoded = itertools.chain(begin, decoded)
        self._layout, self._skip = begin[0].layout, self._opus_delay(*begin)
        self.rate, self.channels = begin[0].sample_rate, self._layout.nb_channels

    def close(self) -> None:
        """Let go of PyAV's buffers."""
        self._media.close()

    def blocks(self, limit: int | None = None) -> Iterator[np.ndarray]:
        frames, skip = 0, self._skip
        for block in self._all_blocks():
            block, skip = block[skip:], max(0, skip - len(block))
            block = block[: None if limit is None else limit - frames]
            frames += len(block)
            if len(block):
                yield block
            if frames == limit:
                return
        lasts, promised = frames / self.rate, self._promised()
        if lasts < promised - 0.15:
            raise Damage("truncated", f"is cut off: it should last {promised:.2f} s, and lasts {lasts:.2f} s")

    def _frames(self) -> Iterator[av.AudioFrame]:
        import av

        if not self.container.decoder:
            yield from self._media.decode(self._stream)
            return
        decoder = av.CodecContext.create(self.container.decoder, "r")
        decoder.sample_rate, decoder.layout = self._stream.rate, self._stream.layout.name
        for packet in self._media.demux(self._stream):
            yield from decoder.decode(packet)

    def _all_blocks(self) -> Iterator[np.ndarray]:
        import av

        resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self.rate)
        with self._damage():
            for frame in self._decoded:
                for part in resampler.resample(frame):
                    yield part.to_ndarray().T

    @contextlib.contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            words = f"cannot be decoded as {self.container.name} ({error.strerror})"
            raise Damage("corrupt", words) from error

    def _opus_delay(self, first: av.AudioFrame, second: av.AudioFrame | None = None) -> int:
        """Return what FFmpeg leaves of the delay of Opus in WebM: it may count it at another rate."""
        head = self._stream.codec_context.extradata or b""
        if second is None or "webm" not in self._media.format.name or not head.startswith(b"OpusHead"):
            return 0
        delay, removed = int.from_bytes(head[10:12], "little"), second.samples - first.samples
        return delay - removed if 0 < removed < delay < second.samples else 0

    def _promised(self) -> float:
        """Return the length in seconds that the container tells; 0 where it is only guessed."""
        if not any(kind in self._media.format.name for kind in ("mp4", "webm", "asf")):
            return 0.0
        if self._stream.duration is not None:
            return float(self._stream.duration * self._stream.time_base)
        return (self._media.duration or 0) / 1e6

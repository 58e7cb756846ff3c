"""Decoders that give sound block by block: libsndfile, and PyAV for what phones and browsers record."""

import contextlib
import hashlib
import itertools
import math
import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile

from serlab.containers import Container, SoundFileError, damaged, shorter

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
        What should be known of a file that can be used: kind ("unfinished", "clipped", "voices") and words.
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


class _Stream(soundfile.SoundFile):
    def seekable(self) -> bool:
        """Say no, so that `read` does not seek afterwards, which fails at the end if there is no count."""
        return False


class ByLibsndfile(Sound):
    def __init__(self, file: BinaryIO, container: Container):
        super().__init__(container)
        self._file = file
        self._sound = self._open(spliced=container.end is not None)
        self.rate, self.channels = self._sound.samplerate, self._sound.channels
        self.frames = self._sound.frames
        filling = self.frames - container.frames
        if container.name == "FLAC":
            self.frames = container.frames or None
        elif container.guessed or (container.name == "WAV" and container.frames and 0 < filling < PADDING):
            # The last block of a compressed file is filled up.
            self.frames = container.frames
        elif filling < 0:
            raise shorter(self.frames, container.frames, "samples")

    def _open(self, spliced: bool) -> soundfile.SoundFile:
        source = self._file.fileno()
        if spliced or os.name == "nt":
            # Windows has no numbers of open files that all libraries share.
            source = _Spliced(self._file, self.container)
        else:
            os.lseek(source, 0, os.SEEK_SET)
        try:
            return (_Stream if self.container.name == "FLAC" else soundfile.SoundFile)(source, closefd=False)
        except soundfile.LibsndfileError as error:
            kind = "unsupported" if "encoding" in _reason(error) else "corrupt"
            raise SoundFileError(kind, f"cannot be read as sound ({_reason(error)})") from error

    def close(self) -> None:
        self._sound.close()

    def check_end(self) -> None:
        count, number = self.container.frames, self._file.fileno()
        if self.container.name != "FLAC" or not count:
            return
        place = os.lseek(number, 0, os.SEEK_CUR)
        # Without the count a decoder goes on after it, but may find no way to the place.
        found = self._samples_from(count - 1, spliced=True) or self._samples_from(count - 1, spliced=False)
        os.lseek(number, place, os.SEEK_SET)
        if not found:
            raise SoundFileError("truncated", "is cut off: its last samples cannot be read")
        if found > 1:
            raise damaged(f"it contradicts itself: its header says {count} samples, its sound has more")

    def _samples_from(self, place: int, spliced: bool) -> int:
        # After a failure a decoder cannot seek any more, so each has one of its own.
        with self._open(spliced) as sound:
            try:
                sound.seek(place)
                return len(sound.read(2))
            except soundfile.LibsndfileError:
                return 0

    def blocks(self, limit: int | None = None) -> Iterator[np.ndarray]:
        known = math.inf if self.frames is None else self.frames
        wanted = known if limit is None else min(limit, known)
        digest = hashlib.md5(usedforsecurity=False) if wanted == known and self.container.digest else None
        if not digest:
            self.check_end()
        done, step = 0, max(1, BLOCK // self.channels)
        while done < wanted:
            try:
                block = self._sound.read(
                    min(step, wanted - done), dtype="int32" if digest else "float32", always_2d=True
                )
            except soundfile.LibsndfileError as error:
                self.check_end()
                raise damaged(f"it cannot be decoded ({_reason(error)})") from error
            if not len(block):
                if self.frames is None:
                    break
                raise shorter(done, self.frames, "samples")
            done += len(block)
            if digest:
                digest.update(_as_stored(block, self._sound.subtype))
                block = block.astype(np.float32) * np.float32(2**-31)
            yield block
        if digest and digest.digest() != self.container.digest:
            self.check_end()
            raise damaged("its samples do not have the checksum in its header")


def _as_stored(block: np.ndarray, subtype: str) -> bytes:
    """Return samples as FLAC's checksum sees them: as many bytes as they need, the lowest first."""
    width = {"PCM_S8": 1, "PCM_16": 2, "PCM_24": 3}[subtype]
    if width == 2:
        return (block >> 16).astype("<i2").tobytes()
    return block.astype("<i4").view("u1").reshape(-1, 4)[:, 4 - width :].tobytes()


def _reason(error: soundfile.LibsndfileError) -> str:
    return error.error_string.rstrip(".")


class _Spliced:
    """Some bytes and then a part of a file, to be read as one file."""

    def __init__(self, file: BinaryIO, container: Container):
        end = os.fstat(file.fileno()).st_size if container.end is None else container.end
        self._file, self._head, self._place = file, container.head, 0
        self._shift = container.start - len(container.head)
        self._size = end - self._shift
        # libsndfile guesses how long MP3 is from its size, and stops there: it is told of zeros to follow.
        self._claimed = self._size << 10 * container.guessed

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._claimed}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, count: int) -> bytes:
        count = min(count, self._claimed - self._place)
        data = self._head[self._place : self._place + count]
        beyond = self._place + len(data)
        if len(data) < count and beyond < self._size:
            self._file.seek(beyond + self._shift)
            data += self._file.read(min(count - len(data), self._size - beyond))
        self._place += count
        return data.ljust(count, b"\0")


class ByPyAV(Sound):
    def __init__(self, file: BinaryIO, container: Container):
        super().__init__(container)
        try:
            import av
        except ImportError:
            detail = f"holds {container.name} sound, for which PyAV is needed"
            raise SoundFileError("decoder", detail) from None
        self._av = av
        file.seek(0)
        with self._errors():
            # Names of tracks and the like are no part of the sound.
            self._media = av.open(file, metadata_errors="ignore")
            if not self._media.streams.audio:
                raise SoundFileError("empty", "has no sound in it, only pictures")
            stream = self._media.streams.best("audio")
            if stream is None or stream.codec_context is None:
                raise SoundFileError("corrupt", f"cannot be decoded as {container.name} (no decoder found)")
            decoded = self._frames(stream)
            first = next(decoded, None)
        if first is None:
            raise SoundFileError("empty", "holds no samples")
        self._decoded = itertools.chain([first], decoded)
        self.rate, self._layout = first.sample_rate, first.layout
        self.channels = first.layout.nb_channels

    def close(self) -> None:
        self._media.close()

    def blocks(self, limit: int | None = None) -> Iterator[np.ndarray]:
        resampler = self._av.AudioResampler(format="fltp", layout=self._layout, rate=self.rate)
        left = math.inf if limit is None else limit
        with self._errors():
            for frame in self._decoded:
                for part in resampler.resample(frame):
                    block = part.to_ndarray().T[: min(left, part.samples)]
                    left -= len(block)
                    yield block
                    if not left:
                        return

    def _frames(self, stream) -> Iterator:
        codec = stream.codec_context
        # FFmpeg's own decoders of AMR stop at a pause.
        better = f"libopencore_{codec.name}"
        is_amr = self.container.name == "AMR"
        if better in self._av.codecs_available:
            codec = self._av.CodecContext.create(better, "r")
            codec.sample_rate, codec.layout = stream.rate, stream.layout.name
        for packet in self._media.demux(stream):
            if is_amr and packet.size and bytes(packet)[0] & 0x83:
                raise damaged("a frame of its sound does not begin as frames of AMR do")
            yield from codec.decode(packet)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._av.error.FFmpegError as error:
            detail = f"cannot be decoded as {self.container.name} ({error.strerror})"
            raise SoundFileError("corrupt", detail) from error

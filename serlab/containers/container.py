"""What is known of a sound file before it is decoded, and the error for one that cannot be used."""

from dataclasses import dataclass
from typing import BinaryIO

from serlab.errors import AudioError
from serlab.paths import shown

_CONVERT = "convert it to WAV or FLAC (for example with ffmpeg)"
REMEDIES = {
    "empty": "Fetch or copy the file again, or leave it out.",
    "pointer": "Run 'git lfs pull' in the clone that it comes from.",
    "truncated": "Fetch or copy the file again.",
    "corrupt": f"Fetch it again, or {_CONVERT}.",
    "foreign": "Fetch or copy the recording itself.",
    "unsupported": f"{_CONVERT[0].upper()}{_CONVERT[1:]}.",
    "decoder": f'Install it with `pip install "serlab[formats]"`, or {_CONVERT}.',
    "numbers": "Export it again as 16-bit PCM, or leave it out.",
    "scale": "Divide them by full scale (32768 for numbers of 16 bits) and save it again.",
    "silent": "Fetch or record it again, or leave it out.",
    "opposite": "Save one of its channels as a mono file.",
    "short": "Take a longer one, or leave it out. Where you call serlab.audio.read, lower its min_seconds.",
    "long": "Cut it into parts. Where you call a function that has max_seconds, raise it.",
    "large": "Cut it into parts. Where you call serlab.audio.read, take a lower sample_rate.",
}
"""Kind of fault to what a reader should do."""


class SoundFileError(AudioError):
    """A sound file that cannot be used.

    Attributes
    ----------
    kind : str
        One of `REMEDIES`.
    detail : str
        What is wrong, in words that can follow the file's name.
    path : path-like
        The file; `serlab.sound_files.opened` fills it in.
    """

    def __init__(self, kind: str, detail: str):
        super().__init__(kind, detail)
        self.kind, self.detail, self.path = kind, detail, "The file"

    def __str__(self) -> str:
        return f"{shown(self.path)} {self.detail}. {REMEDIES[self.kind]}"


@dataclass(frozen=True)
class Container:
    """What is known of a sound file before it is decoded.

    Attributes
    ----------
    name : str, of the format, for readers
    frames : int
        So many samples per channel there must be at least; 0 where the container does not say.
    head, start, end : bytes, int, int
        If there is an `end`, the decoder is to see `head` and then what lies from `start` to `end` of the
        file; else the file as it is. The `head` of FLAC has no count of samples.
    open_ended : bool
        A length was never written: what there is of sound is all that can be known.
    guessed : bool
        The decoder would guess how many samples there are, and stop at its guess: they are `frames`.
    digest : bytes
        MD5 of the decoded samples, where the file has it.
    needs_pyav : bool
        libsndfile does not decode it.
    """

    name: str
    frames: int = 0
    head: bytes = b""
    start: int = 0
    end: int | None = None
    open_ended: bool = False
    guessed: bool = False
    digest: bytes = b""
    needs_pyav: bool = False


def read_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Read so many bytes at a place of a file."""
    file.seek(place)
    return file.read(count)


def shorter(there: int, promised: int, what: str = "bytes of sound") -> SoundFileError:
    """Say that a file is shorter than it promises."""
    detail = f"is cut off: {promised} {what} should be there, and there are {there}"
    return SoundFileError("truncated", detail)


def ends_early(where: str) -> SoundFileError:
    """Say that a file ends in the middle of something."""
    return SoundFileError("truncated", f"is cut off: it ends {where}")


def damaged(what: str) -> SoundFileError:
    """Say that what follows in a file does not fit what came before."""
    return SoundFileError("corrupt", f"is damaged: {what}")

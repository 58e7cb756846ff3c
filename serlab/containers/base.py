"""What all containers share: what is known of one, and the words for what is wrong with a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO


class Damage(Exception):
    """What is wrong with a file: the kind of fault, and a few words that can follow the file's name."""

    def __init__(self, kind: str, detail: str):
        super().__init__(detail)
        self.kind, self.detail = kind, detail


@dataclass(frozen=True)
class Container:
    """What is known of a sound file before it is decoded.

    Attributes
    ----------
    name : str
        Of the format, for readers.
    frames : int
        So many samples per channel there must be at least; 0 where the container does not say.
    head, start, end : bytes, int, int
        If there is an `end`, the decoder is to see `head` and then what lies from `start` to `end` of the
        file; else the file as it is.
    open_ended : bool
        A length was never written: what there is of sound is all that can be known.
    guessed : bool
        The decoder would guess how many samples there are, and stop at its guess: they are `frames`.
    digest : bytes
        MD5 of the decoded samples, where the file has it.
    extra : bool
        The format is not one of those that libsndfile decodes.
    decoder : str
        FFmpeg's name for the decoder that is needed, where it is not the usual one.
    """

    name: str
    frames: int = 0
    head: bytes = b""
    start: int = 0
    end: int | None = None
    open_ended: bool = False
    guessed: bool = False
    digest: bytes = b""
    extra: bool = False
    decoder: str = ""


def at(file: BinaryIO, place: int, count: int) -> bytes:
    """Read so many bytes at a place of a file."""
    file.seek(place)
    return file.read(count)


def cut(there: int, promised: int, what: str = "bytes of sound") -> Damage:
    """Say that a file is shorter than it promises."""
    return Damage("truncated", f"is cut off: {promised} {what} should be there, and there are {there}")


def ends_early(where: str) -> Damage:
    """Say that a file ends in the middle of something."""
    return Damage("truncated", f"is cut off: it ends {where}")

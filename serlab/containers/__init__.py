"""What a file holds, told by its content, and how much sound its container says there should be.

Decoders read what there is of a file that was cut off and say nothing, and some believe a length that is only
guessed. So the container is looked through first: its chunks, pages or frames must lie within the file.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from serlab.containers.base import Container, Damage, at
from serlab.containers.chunks import au, chunked, nist
from serlab.containers.flac import flac
from serlab.containers.frames import first_frame, framed, mpeg, tag
from serlab.containers.pages import ebml, mp4, ogg

__all__ = ["Container", "Damage", "look"]

_FORMATS = (
    ("WAV", rb"RIFF....WAVE|RIFX....WAVE|RF64....WAVE", chunked),
    ("W64", rb"riff\x2e\x91\xcf\x11", chunked),
    ("AIFF", rb"FORM....AIF[FC]", chunked),
    ("Amiga IFF", rb"FORM....(8SVX|16SV)", chunked),
    ("CAF", rb"caff", chunked),
    ("AU", rb"\.snd|dns\.", au),
    ("NIST SPHERE", rb"NIST_1A\n", nist),
    ("FLAC", rb"fLaC", flac),
    ("Ogg", rb"OggS", ogg),
    ("3GP", rb"....ftyp3g", mp4),
    ("QuickTime", rb"....(ftypqt|moov|wide)", mp4),
    ("MP4 (AAC or alike)", rb"....ftyp", mp4),
    ("WebM or Matroska", rb"\x1a\x45\xdf\xa3", ebml),
    ("AMR", rb"#!AMR(-WB)?\n", framed),
    ("AAC", rb"\xff[\xf0\xf1\xf8\xf9]", framed),
    ("Windows Media (WMA)", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", chunked),
)
"""Name, beginning and explorer of every format that is read; MP3 is told by its frames alone."""

_NOT_READ = (
    ("AVI video", rb"RIFF....AVI "),
    ("WavPack sound", rb"wvpk"),
    ("Monkey's Audio", rb"MAC "),
    ("AC-3 sound", rb"\x0b\x77"),
    ("Shorten sound", rb"ajkg"),
    ("Creative Voice (VOC) sound", rb"Creative Voice File"),
    ("IRCAM sound", rb"\x64\xa3|\0..\x64\xa3"),
    ("AVR sound", rb"2BIT"),
    ("PARIS (PAF) sound", rb" paf|fap "),
    ("Portable Voice (PVF) sound", rb"PVF1"),
    ("a Matlab file", rb"MATLAB"),
    ("FastTracker (XI) sound", rb"Extended Instrument"),
    ("a MIDI sample dump", rb"\xf0\x7e"),
    ("Psion (WVE) sound", rb"ALawSoundFile"),
    ("Akai MPC 2000 sound", rb"\x01\x04"),
)
"""Formats that are recognised, but not read: most do not say how long they are, which would hide a cut."""

_FOREIGN = (
    ("a web page", rb"\s*<(!DOCTYPE|!doctype|html|HTML|\?xml)"),
    ("a ZIP archive", rb"PK\x03\x04"),
    ("MIDI notes", rb"MThd"),
    ("a picture", rb"\x89PNG|\xff\xd8\xff[\xe0-\xef]|GIF8"),
    ("a PDF document", rb"%PDF"),
)


def look(file: BinaryIO, size: int) -> Container:
    """Find out what a file holds, and that its container is whole.

    Parameters
    ----------
    file : file object
        Open for reading bytes.
    size : int
        Of the file, in bytes.

    Raises
    ------
    Damage
        If the file is empty, holds something else, or ends before its sound does.

    Examples
    --------
    >>> import io
    >>> look(io.BytesIO(b"RIFF" + bytes(4) + b"WAVEdata" + bytes([9, 0, 0, 0, 1, 2])), 22)
    Traceback (most recent call last):
        ...
    serlab.containers.base.Damage: is cut off: 9 bytes of sound should be there, and there are 2
    """
    start = 0
    while length := tag(at(file, start, 16)):
        start += length
    head = at(file, start, 64)
    if not head:
        raise Damage("empty", "is empty (0 bytes)" if not size else "holds no sound, only tags")
    if head.startswith(b"version https://git-lfs"):
        raise Damage("pointer", "is a git-lfs pointer, not the sound itself")
    for name, pattern, explore in _FORMATS:
        if re.match(pattern, head, re.DOTALL):
            return explore(file, start, size, name)
    for name, pattern in _NOT_READ:
        if re.match(pattern, head, re.DOTALL):
            raise Damage("unsupported", f"holds {name}, which serlab does not read")
    for name, pattern in _FOREIGN:
        if re.match(pattern, head, re.DOTALL):
            raise Damage("foreign", f"holds {name}, not sound")
    if (found := first_frame(file, start, size)) is not None:
        return mpeg(file, found, size)
    raise Damage("corrupt", "cannot be read as sound: its content is of no kind that serlab knows")

"""What a file holds, told by its content, and how much sound its container says there should be.

Decoders read what there is of a file that was cut off and say nothing, and some believe a length that is only
guessed. So the container is looked through first: its chunks, pages or frames must lie within the file.
"""

import re
from typing import BinaryIO

from serlab.containers.chunks import au, chunked, ebml, flac, mp4, nist, ogg
from serlab.containers.container import REMEDIES, Container, SoundFileError, damaged, read_at, shorter
from serlab.containers.mpeg import first_frame, mpeg, tag_length

__all__ = ["REMEDIES", "Container", "SoundFileError", "damaged", "inspect_container", "shorter"]

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
    ("AMR", rb"#!AMR(-WB)?\n", None),
    ("AAC", rb"\xff[\xf0\xf1\xf8\xf9]", None),
    ("Windows Media (WMA)", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", chunked),
)
"""Name, beginning and explorer (none where FFmpeg checks it all) of every format but MP3: its frames tell."""

_REFUSED = (
    ("pointer", "is a git-lfs pointer, not the sound itself", rb"version https://git-lfs"),
    ("unsupported", "AVI video", rb"RIFF....AVI "),
    ("unsupported", "WavPack sound", rb"wvpk"),
    ("unsupported", "Monkey's Audio", rb"MAC "),
    ("unsupported", "AC-3 sound", rb"\x0b\x77"),
    ("unsupported", "Shorten sound", rb"ajkg"),
    ("unsupported", "Creative Voice (VOC) sound", rb"Creative Voice File"),
    ("unsupported", "IRCAM sound", rb"\x64\xa3|\0..\x64\xa3"),
    ("foreign", "a web page", rb"\s*<(!DOCTYPE|!doctype|html|HTML|\?xml)"),
    ("foreign", "a ZIP archive", rb"PK\x03\x04"),
    ("foreign", "MIDI notes", rb"MThd"),
    ("foreign", "a picture", rb"\x89PNG|\xff\xd8\xff[\xe0-\xef]|GIF8"),
    ("foreign", "a PDF document", rb"%PDF"),
)
"""What is recognised, but not read: no sound, or sound whose length nobody knows, which would hide a cut."""
_WORDS = {
    "pointer": "{}",
    "unsupported": "holds {}, which serlab does not read",
    "foreign": "holds {}, not sound",
}


def inspect_container(file: BinaryIO, size: int) -> Container:
    """Find out what a file, open for reading, of so many bytes, holds, and that its container is whole.

    Raises `SoundFileError` if it is empty, holds something else, or ends before its sound does.

    Examples
    --------
    >>> import io
    >>> inspect_container(io.BytesIO(b"RIFF" + bytes(4) + b"WAVEdata" + bytes([9, 0, 0, 0, 1, 2])), 22)
    Traceback (most recent call last):
        ...
    serlab.containers.container.SoundFileError: The file is cut off: 9 bytes of sound should be there, ...
    """
    start = 0
    while length := tag_length(read_at(file, start, 16)):
        start += length
    head = read_at(file, start, 64)
    if not head:
        raise SoundFileError("empty", "is empty (0 bytes)" if not size else "holds no sound, only tags")
    for name, pattern, explore in _FORMATS:
        if re.match(pattern, head, re.DOTALL):
            return explore(file, start, size, name) if explore else Container(name, needs_pyav=True)
    for kind, name, pattern in _REFUSED:
        if re.match(pattern, head, re.DOTALL):
            raise SoundFileError(kind, _WORDS[kind].format(name))
    found = first_frame(file, start, size)
    if found is None:
        raise SoundFileError(
            "corrupt", "cannot be read as sound: its content is of no kind that serlab knows"
        )
    return mpeg(file, found, size)

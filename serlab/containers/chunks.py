"""Files of chunks (WAV, AIFF, CAF and their relatives), and those with a plain header (AU, NIST)."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO, NamedTuple

from serlab.containers.base import Container, Damage, at, cut, ends_early
from serlab.containers.frames import first_frame, mpeg


class _Layout(NamedTuple):
    """How chunks follow each other: where the first begins, and what stands at the beginning of each."""

    first: int
    head: str
    sound: bytes
    inclusive: bool = False
    align: int = 1


_W64_SOUND = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_ASF_SOUND = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_LAYOUTS = {
    "RIFF": _Layout(12, "<4sI", b"data", align=2),
    "RF64": _Layout(12, "<4sI", b"data", align=2),
    "RIFX": _Layout(12, ">4sI", b"data", align=2),
    "riff": _Layout(40, "<16sQ", _W64_SOUND, inclusive=True, align=8),
    "FORM": _Layout(12, ">4sI", b"(SSND|BODY)", align=2),
    "caff": _Layout(8, ">4sQ", b"data"),
    "ASF": _Layout(0, "<16sQ", re.escape(_ASF_SOUND), inclusive=True),
}
# What programs that write to a pipe or were stopped leave as the length: nothing, all ones, and what SoX and
# arecord choose as the greatest length.
_UNWRITTEN = {0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFF024, 0x7FFFFF00}
_ENDLESS = 1 << 62
# How WAV numbers its encodings. libsndfile knows these: PCM and float, ADPCM, GSM, G.721, MP3.
_MP3 = 0x55
_LINEAR = {1, 3, 6, 7, 0xFFFE}
_PLAIN = {1, 3, 0xFFFE}
_NATIVE = {*_LINEAR, 2, 0x11, 0x31, 0x38, 0x40, _MP3}


def chunked(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at the chunks of a file up to that of the sound."""
    form = "ASF" if name.startswith("Windows") else at(file, start, 4).decode()
    layout = _LAYOUTS[form]
    head_size = struct.calcsize(layout.head)
    place, frames, kind, wide, extra = start + layout.first, 0, 0, None, form == "ASF"
    while place + head_size <= size:
        chunk, length = struct.unpack(layout.head, at(file, place, head_size))
        inside = place + head_size
        if layout.inclusive:
            length = max(length - head_size, 0)
        content = at(file, inside, 24)
        if re.fullmatch(layout.sound, chunk, re.DOTALL):
            there = size - inside
            if wide is not None and length == 0xFFFFFFFF:
                length = wide
            if (length in _UNWRITTEN or length > _ENDLESS) and there:
                patched = struct.pack(layout.head, chunk, there + head_size * layout.inclusive)
                head = at(file, start, place - start) + patched
                return Container(name, 0, head, inside, size, open_ended=True, extra=extra)
            if length > there:
                raise cut(there, length)
            if kind == _MP3:
                found = first_frame(file, inside, inside + length)
                if found is None:
                    raise Damage("corrupt", "should hold MP3 sound, and holds none")
                return mpeg(file, found, inside + length, name)
            return Container(name, 0 if kind in _LINEAR else frames, extra=extra)
        if chunk == b"fmt " and len(content) >= 2:
            kind = struct.unpack(layout.head[0] + "H", content[:2])[0]
            extra = kind not in _NATIVE
            if kind in _PLAIN and len(content) >= 16:
                _check_blocks(*struct.unpack(layout.head[0] + "2xH8xHH", content[:16]))
        elif chunk == b"ds64" and len(content) >= 16:
            wide = struct.unpack("<8xQ", content[:16])[0]
        elif chunk == b"fact" and len(content) >= 4:
            frames = struct.unpack(layout.head[0] + "I", content[:4])[0]
        elif chunk == b"COMM" and len(content) >= 6:
            frames = struct.unpack(">2xI", content[:6])[0]
        elif chunk == b"pakt" and len(content) >= 16:
            frames = struct.unpack(">8xQ", content[:16])[0]
        elif chunk == b"desc":
            extra = content[8:12] not in (b"lpcm", b"alaw", b"ulaw", b"alac")
        place = inside + length
        place += -(place - start) % layout.align
    raise ends_early("before its sound begins")


def _check_blocks(channels: int, block: int, bits: int) -> None:
    """Refuse a WAV header that contradicts itself: what follows could be read in two ways."""
    # 24 bits may lie in four bytes.
    fits = block == channels * -(-bits // 8) or (bits == 24 and block == 4 * channels)
    if not (channels and bits and fits):
        raise Damage(
            "corrupt", f"says {channels} channels of {bits} bits in blocks of {block} bytes, which contradict"
        )


def au(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Compare the length in the header of an AU file with the file."""
    head = at(file, start, 12)
    if len(head) < 12:
        raise ends_early("in its header")
    order = ">" if head[:4] == b".snd" else "<"
    offset, length = struct.unpack(order + "4xII", head)
    there = max(size - start - offset, 0)
    if length != 0xFFFFFFFF and length > there:
        raise cut(there, length)
    return Container(name, open_ended=length == 0xFFFFFFFF)


def nist(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Take the number of samples from the header of a NIST SPHERE file."""
    head = at(file, start, 1024)
    count = re.search(rb"\nsample_count -i (\d+)\n", head)
    if not count or b"end_head" not in head:
        raise ends_early("in its header")
    return Container(name, int(count[1]))

"""MP3, AAC and AMR: streams of frames, each of which tells how long it is."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from serlab.containers.base import Container, Damage, at, cut, ends_early

_KBITS = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS |= {(2, 1): _KBITS[2, 2]}
# Bytes of a frame after its head, by its mode; the last two of each are pauses: noise, and nothing.
_AMR_NARROW = dict(zip((*range(9), 15), (12, 13, 15, 17, 19, 20, 26, 31, 5, 0), strict=True))
_AMR_WIDE = dict(zip((*range(10), 15), (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0), strict=True))
# How far a first frame may lie from the beginning, and how much of no sound may follow the last one.
_JUNK = 4096


class _Frame(NamedTuple):
    size: int
    samples: int
    kind: tuple


def _mpeg_frame(head: bytes) -> _Frame | None:
    """Read the four bytes that begin every frame of MPEG audio, layers I to III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate_code, bits_code, padding = head[2] >> 2 & 3, head[2] >> 4, head[2] >> 1 & 1
    if version == 1 or layer == 0 or rate_code == 3 or bits_code in (0, 15):
        return None
    rate = (44100, 48000, 32000)[rate_code] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * _KBITS[max(version, 2), layer][bits_code]
    samples = 384 if layer == 3 else 576 if layer == 1 and version != 3 else 1152
    size = (12 * bits // rate + padding) * 4 if layer == 3 else samples // 8 * bits // rate + padding
    return _Frame(size, samples, (version, layer, rate, head[3] >> 6 == 3))


def _aac_frame(head: bytes) -> _Frame | None:
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return _Frame(size, 0, (head[2] & 0xFC,)) if size >= 7 else None


def _amr_frame(sizes: dict[int, int]) -> Callable[[bytes], _Frame | None]:
    def frame(head: bytes) -> _Frame | None:
        size = sizes.get(head[0] >> 3 & 15)
        return None if size is None or head[0] & 0x83 else _Frame(1 + size, 160, ())

    return frame


def _frames(
    file: BinaryIO, place: int, end: int, read: Callable[[bytes], _Frame | None]
) -> Iterator[tuple[int, _Frame]]:
    """Yield the place of each frame and what its head says; tags between them are passed over."""
    kind = None
    while place < end:
        head = at(file, place, min(16, end - place))
        frame = read(head)
        if frame and (kind is None or frame.kind == kind):
            if place + frame.size > end:
                raise ends_early("within a frame")
            yield place, frame
            kind = frame.kind
            place += frame.size
        elif length := tag(head):
            place += length
        elif len(head) < 4 and head[:1] == b"\xff":
            raise ends_early("within a frame")
        elif end - place > _JUNK or first_frame(file, place, end) is not None:
            raise Damage("corrupt", f"is damaged: no frame of sound begins at byte {place}")
        else:
            return


def tag(head: bytes) -> int:
    """Return the length of a tag (ID3, APE) that begins with these bytes, 0 if none does."""
    if head[:3] == b"ID3" and len(head) >= 10:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        return 10 + size + 10 * bool(head[5] & 0x10)
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) >= 16:
        return 32 + struct.unpack("<12xI", head[:16])[0]
    return 0


def first_frame(file: BinaryIO, start: int, end: int) -> int | None:
    """Find where MPEG sound begins: two frames that fit together, or a single one that ends the file."""
    head = at(file, start, _JUNK)
    for match in re.finditer(rb"\xff[\xe2-\xff]", head):
        place = start + match.start()
        frame = _mpeg_frame(at(file, place, 4))
        if frame is None or place + frame.size > end:
            continue
        after = _mpeg_frame(at(file, place + frame.size, 4))
        if place + frame.size == end or (after is not None and after.kind == frame.kind):
            return place
    return None


def mpeg(file: BinaryIO, start: int, end: int, name: str = "") -> Container:
    """Count the frames of MPEG sound, and put the right count where the first one has it (Xing, Info)."""
    frames = list(_frames(file, start, end, _mpeg_frame))
    first, last = frames[0], frames[-1]
    end = last[0] + last[1].size
    layer = first[1].kind[1]
    head = at(file, start, first[1].size)
    if layer != 1:
        # MPEG layers I and II have no such count.
        return Container(name or f"MPEG layer {'II' if layer == 2 else 'I'}", extra=True)
    name = name or "MP3"
    found = re.search(rb"Xing|Info|VBRI", head[4:48])
    count = len(frames) - bool(found)
    promised, place = 0, 0
    if found:
        place = 4 + found.start() + (14 if found[0] == b"VBRI" else 8)
        if found[0] == b"VBRI" or head[place - 1] & 1:
            promised = int.from_bytes(head[place : place + 4])
    # Some programs count the frame with the count, too.
    if promised > count + 1:
        raise cut(count, promised, "frames of sound")
    start += first[1].size * bool(found)
    if promised and found[0] != b"VBRI":
        head = head[:place] + count.to_bytes(4) + head[place + 4 :]
        return Container(name, head=head, start=start, end=end)
    return Container(name, count * first[1].samples, start=start, end=end, guessed=True)


def framed(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at every frame of AAC or AMR."""
    magic = at(file, start, 9)
    place, read = start, _aac_frame
    if magic.startswith(b"#!AMR"):
        wide = magic == b"#!AMR-WB\n"
        place, read = start + (9 if wide else 6), _amr_frame(_AMR_WIDE if wide else _AMR_NARROW)
    sizes = {frame.size for _, frame in _frames(file, place, size, read)}
    if not sizes:
        raise Damage("empty", "holds no samples")
    # FFmpeg's own decoder stops at a pause.
    pauses = name == "AMR" and min(sizes) < 7
    decoder = f"libopencore_amr{'w' if wide else 'n'}b" if pauses else ""
    return Container(name, extra=True, decoder=decoder)

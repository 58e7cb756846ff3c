"""MP3: frames, each of which tells how long it is, and tags around them."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from serlab.containers.container import Container, damaged, ends_early, read_at, shorter

# By version (3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5, which shares the tables of MPEG-2) and layer (3: I, 1: III).
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[2, 1] = _KBITS[2, 2]
# How far a first frame may lie from the beginning, and how much of no sound may follow the last one.
_JUNK = 4096


class _Frame(NamedTuple):
    size: int
    samples: int
    kind: tuple


def _frame(head: bytes) -> _Frame | None:
    """Read the four bytes that begin every frame of MPEG audio."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bits_code, rate_code, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 0 or rate_code == 3 or bits_code in (0, 15):
        return None
    rate, bits = _RATES[version][rate_code], 1000 * _KBITS[max(version, 2), layer][bits_code]
    samples = 384 if layer == 3 else 576 if layer == 1 and version != 3 else 1152
    size = (12 * bits // rate + padding) * 4 if layer == 3 else samples // 8 * bits // rate + padding
    return _Frame(size, samples, (version, layer, rate, head[3] >> 6 == 3))


def _frames(file: BinaryIO, place: int, end: int) -> Iterator[tuple[int, _Frame]]:
    """Yield the place of each frame and what its head says; tags between them are passed over."""
    kind = None
    while place < end:
        head = read_at(file, place, min(16, end - place))
        frame = _frame(head)
        if frame and kind in (None, frame.kind):
            if place + frame.size > end:
                raise ends_early("within a frame")
            yield place, frame
            kind = frame.kind
            place += frame.size
        elif length := tag_length(head):
            place += length
        elif len(head) < 4 and head[:1] == b"\xff":
            raise ends_early("within a frame")
        elif end - place > _JUNK or first_frame(file, place, end) is not None:
            raise damaged(f"no frame of sound begins at byte {place}")
        else:
            return


def tag_length(head: bytes) -> int:
    """Return the length of a tag (ID3, APE) that begins with these bytes, 0 if none does."""
    if head[:3] == b"ID3" and len(head) >= 10:
        # Seven bits of each byte count.
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        return 10 + size + 10 * bool(head[5] & 0x10)
    if head[:8] == b"APETAGEX" and len(head) >= 16:
        return 32 + int.from_bytes(head[12:16], "little")
    return 128 if head[:3] == b"TAG" else 0


def first_frame(file: BinaryIO, start: int, end: int) -> int | None:
    """Find where MPEG sound begins: two frames that fit together, or a single one that ends the file."""
    for match in re.finditer(rb"\xff[\xe2-\xff]", read_at(file, start, _JUNK)):
        place = start + match.start()
        frame = _frame(read_at(file, place, 4))
        if frame is not None and place + frame.size <= end:
            after = _frame(read_at(file, place + frame.size, 4))
            if place + frame.size == end or (after is not None and after.kind == frame.kind):
                return place
    return None


def mpeg(file: BinaryIO, start: int, end: int, name: str = "MP3") -> Container:
    """Count the frames of MPEG sound, and put the right count where the first one has it (Xing, Info)."""
    frames = list(_frames(file, start, end))
    (_, first), (last_start, last) = frames[0], frames[-1]
    end, layer = last_start + last.size, first.kind[1]
    if layer != 1:
        return Container(f"MPEG layer {'II' if layer == 2 else 'I'}", needs_pyav=True)
    head = read_at(file, start, first.size)
    found = re.search(rb"Xing|Info|VBRI", head[4:48])
    count, promised = len(frames), 0
    if found:
        # Such a frame holds no sound.
        count, start = count - 1, start + first.size
        place = 4 + found.start() + (14 if found[0] == b"VBRI" else 8)
        if found[0] == b"VBRI" or head[place - 1] & 1:
            promised = int.from_bytes(head[place : place + 4])
    # Some programs count the frame with the count, too.
    if promised > count + 1:
        raise shorter(count, promised, "frames of sound")
    if promised and found[0] != b"VBRI":
        head = head[:place] + count.to_bytes(4) + head[place + 4 :]
        return Container(name, head=head, start=start, end=end)
    return Container(name, count * first.samples, start=start, end=end, guessed=True)

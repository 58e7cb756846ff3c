"""FLAC: the length in the header, and the length that the last frame tells."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from serlab.containers.base import Container, Damage, at, cut, ends_early

_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BITS = (0, 8, 12, None, 16, 20, 24, 32)


def flac(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Compare the length in the header of a FLAC file with where its last frame says that it is."""
    head = at(file, start, 42)
    if len(head) < 42:
        raise ends_early("in its header")
    block, largest = struct.unpack(">2xH3x3s", head[8:18])
    packed = int.from_bytes(head[18:26])
    total = packed & (1 << 36) - 1
    largest = int.from_bytes(largest) or 18 + block * 8 * 5
    # Tags may follow the sound.
    tail = at(file, max(start + 42, size - largest - 4096), largest + 4096)
    places = [match.start() for match in re.finditer(rb"\xff[\xf8\xf9]", tail)]
    ends = (_flac_frame_end(tail[place : place + 16], block, packed) for place in reversed(places))
    there = next((end for end in ends if end is not None), None)
    digest = head[26:42].strip(b"\0") and head[26:42]
    if not (there or total):
        raise Damage("empty", "holds no samples")
    if there is None or there < total:
        # Only part of the last frame may be there, and the decoder finds that.
        raise cut(there or 0, total, "samples")
    if not total:
        counted = (packed | there).to_bytes(8)
        head = head[:18] + counted + head[26:]
        return Container(name, there, head, start + 42, size, open_ended=not digest, digest=digest)
    if there > total:
        raise Damage("corrupt", f"contradicts itself: its header says {total} samples, its sound has {there}")
    return Container(name, total, digest=digest)


def _flac_frame_end(head: bytes, block: int, packed: int) -> int | None:
    """Return the number of the sample after a frame, None if these bytes are no head of a frame."""
    if len(head) < 16:
        head = head.ljust(16, b"\0")
    size_code, rate_code = head[2] >> 4, head[2] & 15
    layout, bits_code = head[3] >> 4, head[3] >> 1 & 7
    rate, channels, bits = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    if (
        head[3] & 1
        or not size_code
        or (layout + 1 != channels and not (channels == 2 and 8 <= layout <= 10))
        or (0 < rate_code < 12 and _RATES[rate_code] != rate)
        or rate_code == 15
        or (bits_code and _BITS[bits_code] != bits)
    ):
        return None
    # The number of the frame or sample is written as UTF-8 writes characters.
    extra = next((n for n in range(8) if not head[4] << n & 0x80), 8)
    if extra in (1, 8) or any(byte >> 6 != 2 for byte in head[5 : 4 + extra]):
        return None
    extra = max(extra - 1, 0)
    number = head[4] & (0x7F if not extra else 0x3F >> extra)
    for byte in head[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    place = 5 + extra
    if size_code in (6, 7):
        width = size_code - 5
        samples = int.from_bytes(head[place : place + width]) + 1
        place += width
    else:
        samples = 192 if size_code == 1 else 576 << size_code - 2 if size_code < 6 else 1 << size_code
    place += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if _crc8(head[:place]) != head[place]:
        return None
    return (number if head[1] & 1 else number * block) + samples


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc

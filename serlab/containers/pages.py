"""Ogg, MP4 and WebM: files that are cut into pages, parts or elements with a length of their own."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

from serlab.containers.base import Container, Damage, at, cut, ends_early

# Ogg sends the bits of a byte the other way round than zlib does.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _checksum(page: bytes) -> int:
    """Compute the checksum of an Ogg page: a CRC-32 with the first bit first, from 0 and not inverted."""
    found = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)


def ogg(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at every page of an Ogg file: all are there, whole, and every stream has the mark of its end."""
    place, begun, codec = start, False, b""
    following: dict[int, int] = {}
    while place < size:
        head = at(file, place, 27)
        if head[:4] != b"OggS":
            if begun and not following:
                break
            if b"OggS".startswith(head):
                raise ends_early("within a page")
            raise Damage("corrupt", f"is damaged: no page begins at byte {place}")
        segments = file.read(head[26]) if len(head) == 27 else b""
        end = place + 27 + len(segments) + sum(segments)
        if len(head) < 27 or len(segments) < head[26] or end > size:
            raise ends_early("within a page")
        body = file.read(sum(segments))
        flags, _, serial, number, checksum = struct.unpack("<BQIII", head[5:26])
        if _checksum(head[:22] + bytes(4) + head[26:] + segments + body) != checksum:
            raise Damage("corrupt", f"is damaged: the page at byte {place} is not as it was written")
        codec = codec or body[:8]
        if flags & 2:
            if begun and not following:
                # libsndfile reads the first, FFmpeg loses the end of the last.
                raise Damage("unsupported", "holds several sounds, one after the other")
            begun = True
        elif number != following.get(serial):
            raise Damage("corrupt", f"is damaged: pages are missing before byte {place}")
        following[serial] = number + 1
        if flags & 4:
            del following[serial]
        place = end
    if following:
        raise ends_early(
            "without the mark of an end (if it is known to be whole, copy it with `ffmpeg -i old.ogg -c copy "
            "new.ogg`)"
        )
    name = {b"Spee": "Ogg Speex", b"\x7fFLA": "Ogg FLAC"}.get(codec[:4], name)
    return Container(name, extra=not codec.startswith((b"\x01vorbis", b"OpusHead")))


def mp4(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at the parts of an MP4 file; without its index it cannot be read."""
    place, kinds = start, []
    while place < size:
        head = at(file, place, 16).ljust(16, b"\0")
        length, kind, long = struct.unpack(">I4sQ", head)
        length = {0: size - place, 1: long}.get(length, length)
        if length < 8 or place + length > size:
            raise cut(size - place, length, f"bytes of its part {kind.decode('latin-1')!r}")
        kinds.append(kind)
        place += length
    if b"moov" not in kinds or kinds.count(b"moof") > kinds.count(b"mdat"):
        raise ends_early("before its index" if b"moov" not in kinds else "within a fragment")
    return Container(name, extra=True)


_EBML_MASTERS = (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75")


def ebml(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at segment, clusters and what is in them; browsers leave the lengths of the first two open."""
    place = start
    while place < size:
        head = at(file, place, 12)
        width = 9 - head[0].bit_length()
        wide = 9 - head[width].bit_length() if len(head) > width else 13
        if width + wide > len(head):
            raise ends_early("within an element")
        length = int.from_bytes(head[width : width + wide]) & (1 << 7 * wide) - 1
        place += width + wide
        if length == (1 << 7 * wide) - 1:
            length = 0
            if head[:width] not in _EBML_MASTERS:
                raise Damage("corrupt", f"is damaged: an element without length before byte {place}")
        if place + length > size:
            raise cut(size - place, length, "bytes")
        if head[:width] not in _EBML_MASTERS:
            place += length
    return Container(name, extra=True)

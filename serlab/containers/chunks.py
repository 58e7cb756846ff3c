"""Files whose header or parts tell how long they are: all but MP3."""

import re
import struct
import zlib
from typing import BinaryIO, NamedTuple

from serlab.containers.container import Container, SoundFileError, damaged, ends_early, read_at, shorter
from serlab.containers.mpeg import first_frame, mpeg


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
    b"RIFF": _Layout(12, "<4sI", b"data", align=2),
    b"RF64": _Layout(12, "<4sI", b"data", align=2),
    b"RIFX": _Layout(12, ">4sI", b"data", align=2),
    b"riff": _Layout(40, "<16sQ", _W64_SOUND, inclusive=True, align=8),
    b"FORM": _Layout(12, ">4sI", b"(SSND|BODY)", align=2),
    b"caff": _Layout(8, ">4sQ", b"data"),
    b"\x30\x26\xb2\x75": _Layout(0, "<16sQ", re.escape(_ASF_SOUND), inclusive=True),
}
# Where chunks tell how many samples per channel there are, or how many bytes of sound (ds64).
_COUNTS = {b"fact": "I", b"COMM": "2xI", b"pakt": "8xQ", b"ds64": "8xQ"}
# What programs that write to a pipe or were stopped leave as the length: nothing, all ones, and what SoX and
# arecord choose as the greatest length.
_UNWRITTEN = {0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFF024, 0x7FFFFF00}
_ENDLESS = 1 << 62
# How WAV numbers its encodings. libsndfile knows these: PCM and float, ADPCM, GSM, G.721, MP3.
_MP3 = 0x55
_PLAIN = {1, 3, 0xFFFE}
_LINEAR = {*_PLAIN, 6, 7}
_NATIVE = {*_LINEAR, 2, 0x11, 0x31, 0x38, 0x40, _MP3}
_NATIVE_CAF = (b"lpcm", b"alaw", b"ulaw", b"alac")


def chunked(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at the chunks of a file up to that of the sound."""
    layout = _LAYOUTS[read_at(file, start, 4)]
    order, head_size = layout.head[0], struct.calcsize(layout.head)
    place, encoding, needs_pyav, counts = start + layout.first, 0, name == "Windows Media (WMA)", {}
    while place + head_size <= size:
        chunk, length = struct.unpack(layout.head, read_at(file, place, head_size))
        inside = place + head_size
        if layout.inclusive:
            length = max(length - head_size, 0)
        if re.fullmatch(layout.sound, chunk, re.DOTALL):
            break
        content = read_at(file, inside, 24)
        if chunk == b"fmt " and len(content) >= 16:
            encoding, channels, block, bits = struct.unpack(f"{order}HH8xHH", content[:16])
            needs_pyav = encoding not in _NATIVE
            if encoding in _PLAIN:
                _check_blocks(channels, block, bits)
        elif chunk == b"desc":
            needs_pyav = content[8:12] not in _NATIVE_CAF
        elif chunk in _COUNTS and len(content) >= struct.calcsize(order + _COUNTS[chunk]):
            (counts[chunk],) = struct.unpack_from(order + _COUNTS[chunk], content)
        place = inside + length
        place += -(place - start) % layout.align
    else:
        raise ends_early("before its sound begins")
    there = size - inside
    bytes_of_sound = counts.pop(b"ds64", length)
    if length == 0xFFFFFFFF:
        length = bytes_of_sound
    if (length in _UNWRITTEN or length > _ENDLESS) and there:
        patched = struct.pack(layout.head, chunk, there + head_size * layout.inclusive)
        head = read_at(file, start, place - start) + patched
        return Container(name, 0, head, inside, size, open_ended=True, needs_pyav=needs_pyav)
    if length > there:
        raise shorter(there, length)
    if encoding == _MP3:
        found = first_frame(file, inside, inside + length)
        if found is None:
            raise SoundFileError("corrupt", "should hold MP3 sound, and holds none")
        return mpeg(file, found, inside + length, name)
    frames = 0 if encoding in _LINEAR else sum(counts.values())
    return Container(name, frames, needs_pyav=needs_pyav)


def _check_blocks(channels: int, block: int, bits: int) -> None:
    """Refuse a WAV header that contradicts itself: what follows could be read in two ways."""
    # 24 bits may lie in four bytes.
    fits = block == channels * -(-bits // 8) or (bits == 24 and block == 4 * channels)
    if not (channels and bits and fits):
        raise damaged(f"{channels} channels of {bits} bits in blocks of {block} bytes, which contradict")


def au(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Compare the length in the header of an AU file with the file."""
    head = read_at(file, start, 12)
    if len(head) < 12:
        raise ends_early("in its header")
    offset, length = struct.unpack(f"{'>' if head[:4] == b'.snd' else '<'}4xII", head)
    there, open_ended = max(size - start - offset, 0), length == 0xFFFFFFFF
    if length > there and not open_ended:
        raise shorter(there, length)
    return Container(name, open_ended=open_ended)


def nist(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Take the number of samples from the header of a NIST SPHERE file."""
    head = read_at(file, start, 1024)
    count = re.search(rb"\nsample_count -i (\d+)\n", head)
    if not count or b"end_head" not in head:
        raise ends_early("in its header")
    return Container(name, int(count[1]))


def flac(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Take count and checksum of the samples from the header of a FLAC file."""
    head = read_at(file, start, 42)
    if len(head) < 42:
        raise ends_early("in its header")
    # The lowest 36 bits of these bytes are the count.
    packed = int.from_bytes(head[18:26])
    count, digest = packed & (1 << 36) - 1, head[26:]
    uncounted = head[:18] + (packed - count).to_bytes(8) + digest
    digest = digest if any(digest) else b""
    return Container(name, count, uncounted, start + 42, open_ended=not (count or digest), digest=digest)


# Ogg sends the bits of a byte the other way round than zlib does.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_checksum(page: bytes) -> int:
    """Compute a CRC-32 with the first bit first, from 0 and not inverted."""
    found = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)


def ogg(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at every page of an Ogg file: all are there, whole, and every stream has the mark of its end."""
    place, codec = start, b""
    following: dict[int, int] = {}
    while place < size:
        head = read_at(file, place, 27)
        if head[:4] != b"OggS":
            if codec and not following:
                break
            if b"OggS".startswith(head):
                raise ends_early("within a page")
            raise damaged(f"no page begins at byte {place}")
        segments = file.read(head[26]) if len(head) == 27 else b""
        body = file.read(sum(segments))
        if len(head) < 27 or len(segments) < head[26] or len(body) < sum(segments):
            raise ends_early("within a page")
        flags, _, serial, number, checksum = struct.unpack("<BQIII", head[5:26])
        if _ogg_checksum(head[:22] + bytes(4) + head[26:] + segments + body) != checksum:
            raise damaged(f"the page at byte {place} is not as it was written")
        if flags & 2 and codec and not following:
            # libsndfile reads the first, FFmpeg loses the end of the last.
            raise SoundFileError("unsupported", "holds several sounds, one after the other")
        if not flags & 2 and number != following.get(serial):
            raise damaged(f"pages are missing before byte {place}")
        codec = codec or body[:8]
        following[serial] = number + 1
        if flags & 4:
            del following[serial]
        place += 27 + len(segments) + len(body)
    if following:
        raise ends_early(
            "without the mark of an end (if it is known to be whole, copy it with `ffmpeg -i old.ogg -c copy "
            "new.ogg`)"
        )
    name = {b"Spee": "Ogg Speex", b"\x7fFLA": "Ogg FLAC"}.get(codec[:4], name)
    return Container(name, needs_pyav=not codec.startswith((b"\x01vorbis", b"OpusHead")))


def mp4(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at the parts of an MP4 file; without its index it cannot be read."""
    place, kinds = start, []
    while place < size:
        length, kind, long = struct.unpack(">I4sQ", read_at(file, place, 16).ljust(16, b"\0"))
        length = {0: size - place, 1: long}.get(length, length)
        if length < 8 or place + length > size:
            raise shorter(size - place, length, f"bytes of its part {kind.decode('latin-1')!r}")
        kinds.append(kind)
        place += length
    if b"moov" not in kinds:
        raise ends_early("before its index")
    if kinds.count(b"moof") > kinds.count(b"mdat"):
        raise ends_early("within a fragment")
    return Container(name, needs_pyav=True)


_EBML_MASTERS = (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75")


def ebml(file: BinaryIO, start: int, size: int, name: str) -> Container:
    """Look at segment, clusters and what is in them; browsers leave the lengths of the first two open."""
    place = start
    while place < size:
        head = read_at(file, place, 12)
        width = 9 - head[0].bit_length()
        wide = 9 - head[width].bit_length() if len(head) > width else 13
        if width + wide > len(head):
            raise ends_early("within an element")
        is_master, most = head[:width] in _EBML_MASTERS, (1 << 7 * wide) - 1
        length = int.from_bytes(head[width : width + wide]) & most
        place += width + wide
        if length == most:
            length = 0
            if not is_master:
                raise damaged(f"an element without length before byte {place}")
        if place + length > size:
            raise shorter(size - place, length, "bytes")
        place += 0 if is_master else length
    return Container(name, needs_pyav=True)

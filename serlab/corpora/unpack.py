"""Unpacking of archives that come from the network and are therefore not trusted."""

from __future__ import annotations

import bz2
import errno
import functools
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from serlab.errors import FetchError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_FILES, MAX_BYTES = 50_000, 8 << 30  # members of an archive, and sum of their sizes
MAX_RATIO = 200  # of unpacked to packed size, of an archive and of each member of a zip
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
# What is the disk's fault. Any other error, of the many that archive modules raise, is the archive's.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOMEM}
# The ratio counts above this size, since small members may compress well for honest reasons (silence). It is
# also what the headers of one member of a tar archive, or what follows the last, may have.
_SMALL = 1 << 20
# Names that Windows gives to devices, with or without a suffix, and characters it does not allow.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$')


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive, named with one of `SUFFIXES`, into a new folder, or leave nothing.

    FetchError if it is damaged, encrypted or passes a bound, or a member is neither file nor folder, or has a
    name that is absolute, leads upwards, is not allowed on Windows or equals another one; OSError for what is
    the disk's fault.
    """
    folder.mkdir(parents=True)
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    seen: dict[str, bool] = {}
    total, packed = 0, archive.stat().st_size
    try:
        for count, (name, size, packed_size, is_folder, extract) in enumerate(members(archive), start=1):
            if count > MAX_FILES:
                raise FetchError(f"more than {MAX_FILES} members; not unpacked")
            total += size
            if total > MAX_BYTES:
                raise FetchError(f"unpacks to more than {MAX_BYTES} bytes; not unpacked")
            if total > max(MAX_RATIO * packed, _SMALL) or size > max(MAX_RATIO * packed_size, _SMALL):
                raise FetchError(f"{name!r} unpacks to over {MAX_RATIO} times its size; not unpacked")
            path = folder.joinpath(*_checked_parts(name, is_folder, seen))
            extract(folder)
            if not is_folder and path.stat().st_size != size:
                raise ValueError(f"{name!r} has not the {size} bytes that its header says")
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, FetchError):
            raise FetchError(f"{archive}: {error}") from error
        if not isinstance(error, Exception) or getattr(error, "errno", None) in _DISK:
            raise
        raise FetchError(f"{archive}: damaged or not an archive ({error}); fetch it again") from error


def _zip_members(archive: Path) -> Iterator[tuple]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise FetchError(f"{member.filename!r} is a link or device; not unpacked")
            if member.flag_bits & 0x1:
                raise FetchError(f"{member.filename!r} is encrypted; not unpacked")
            extract = functools.partial(opened.extract, member)
            # `orig_filename`, because `filename` has lost what follows a NUL and, on Windows, backslashes.
            yield member.orig_filename, member.file_size, member.compress_size, member.is_dir(), extract


def _tar_members(archive: Path) -> Iterator[tuple]:
    with archive.open("rb") as file:
        opener = _OPENERS.get(file.read(2), open)
    with opener(archive, "rb") as source:
        stream = _Stream(source)
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as opened:
            # Pythons before 3.11.4 lack this filter. What it refuses is refused before, in `unpack`.
            opened.extraction_filter = getattr(tarfile, "data_filter", None)
            for member in opened:
                if not (member.isreg() or member.isdir()) or member.issparse():
                    raise FetchError(f"{member.name!r} is a link, device or sparse file; not unpacked")
                stream.left = member.size + _SMALL
                extract = functools.partial(opened.extract, member)
                yield member.name, member.size, member.size, member.isdir(), extract
        while stream.read(_SMALL):  # The checksum of a packed archive stands at its very end.
            pass


class _Stream:
    """An unpacked tar archive, read within bounds: tarfile takes headers of any length into memory."""

    def __init__(self, source: BinaryIO) -> None:
        self.source, self.left = source, _SMALL

    def read(self, size: int) -> bytes:
        block = self.source.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise tarfile.ReadError("headers too long")
        return block


class _Member(tarfile.TarInfo):
    """A member of an archive that has to be whole: tarfile takes damage for the end of the archive."""

    @classmethod
    def fromtarfile(cls, opened: tarfile.TarFile) -> _Member:
        try:
            return super().fromtarfile(opened)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):
                raise
            raise tarfile.ReadError(str(error)) from error


def _checked_parts(name: str, is_folder: bool, seen: dict[str, bool]) -> tuple[str, ...]:
    """Return the parts of a member's path, or raise where some system could write it elsewhere.

    `seen` holds the paths so far, as systems read them to which case and the encoding of accents make no
    difference, and whether each is a folder.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not (path.parts or is_folder):
        raise FetchError(f"{name!r} leads out of the folder to unpack into; not unpacked")
    for part in path.parts:
        if _FORBIDDEN.search(part) or _DEVICE.fullmatch(part) or len(os.fsencode(part)) > 255:
            raise FetchError(f"{name!r} is not a file name on every system; not unpacked")
    for place in (path, *path.parents):
        key = unicodedata.normalize("NFC", str(place)).casefold()
        folder = is_folder or place != path
        if key in seen and not (folder and seen[key]):
            raise FetchError(f"two members are named {name!r}, as some systems read it; not unpacked")
        seen[key] = folder
    return path.parts


def unwrap(folder: Path) -> None:
    """Lift the contents of a lone top-level folder, such as the one in GitHub's archives, up one level."""
    inside = list(folder.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        lifted = folder.with_name(folder.name + ".lifted")
        os.replace(inside[0], lifted)
        folder.rmdir()
        os.replace(lifted, folder)

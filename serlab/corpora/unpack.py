"""Unpacking of archives that come from the network and are therefore not trusted."""

from __future__ import annotations

import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from serlab.errors import FetchError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_BLOCK = 1 << 20
# What the archive modules raise for a file that is not what its name says.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
# Small members may compress well for honest reasons (silence, short text): the ratio counts above this size.
_RATIO_COUNTS_FROM = 1 << 20
# Names that Windows gives to devices, with or without a suffix, and characters it does not allow.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]')


def unpack(
    archive: Path,
    folder: Path,
    *,
    max_bytes: int = 8 << 30,
    max_files: int = 50_000,
    max_ratio: float = 200,
) -> list[Path]:
    """Unpack a zip or tar archive into a new folder, or raise and leave nothing.

    Only regular files and folders are made, with the default permissions; nothing is ever written
    outside of `folder`.

    Parameters
    ----------
    archive : Path
        File whose name ends in one of `SUFFIXES`.
    folder : Path
        Folder to make. It must not exist.
    max_bytes : int
        Largest allowed sum of the unpacked sizes.
    max_files : int
        Largest allowed number of members.
    max_ratio : float
        Largest allowed ratio of unpacked to packed size, of the whole archive and of each zip member.

    Returns
    -------
    list of Path
        The files made, in the order of the archive.

    Raises
    ------
    FetchError
        The archive is damaged, encrypted or passes a bound, or a member is a link or device, or has a
        name that is absolute, leads upwards, is not allowed on Windows or equals another one.

    Examples
    --------
    >>> import tempfile
    >>> where = Path(tempfile.mkdtemp())
    >>> with zipfile.ZipFile(where / "a.zip", "w") as made:
    ...     made.writestr("wav/one.txt", "hello")
    >>> [path.relative_to(where).as_posix() for path in unpack(where / "a.zip", where / "out")]
    ['out/wav/one.txt']
    """
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    folder.mkdir(parents=True)
    files: list[Path] = []
    seen: set[str] = set()
    total = 0
    packed = max(archive.stat().st_size, 1)
    try:
        for count, (name, size, is_folder, open_member) in enumerate(members(archive, max_ratio), start=1):
            if count > max_files:
                raise FetchError(f"{archive}: more than {max_files} members; not unpacked")
            target = folder.joinpath(*_safe_parts(archive, name))
            if is_folder:
                target.mkdir(parents=True, exist_ok=True)
                continue
            key = target.as_posix().casefold()
            if key in seen:
                raise FetchError(f"{archive}: two members are named {name!r} where case does not count")
            seen.add(key)
            total += size
            if total > max_bytes:
                raise FetchError(f"{archive}: unpacks to more than {max_bytes} bytes; not unpacked")
            if total > _RATIO_COUNTS_FROM and total / packed > max_ratio:
                raise FetchError(f"{archive}: unpacks to over {max_ratio:g} times its size")
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_member() as source, target.open("xb") as sink:
                _copy(source, sink, size, f"{archive}: {name!r}")
            files.append(target)
    except _DAMAGE as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise FetchError(f"{archive}: damaged or not an archive ({error}); fetch it again") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return files


def _zip_members(archive: Path, max_ratio: float) -> Iterator[tuple]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise FetchError(f"{archive}: {member.filename!r} is a link or device; not unpacked")
            if member.flag_bits & 0x1:
                raise FetchError(f"{archive}: {member.filename!r} is encrypted; not unpacked")
            large = member.file_size > _RATIO_COUNTS_FROM
            if large and member.file_size / max(member.compress_size, 1) > max_ratio:
                raise FetchError(
                    f"{archive}: {member.filename!r} unpacks to over {max_ratio:g} times its size"
                )
            # `orig_filename`, because `filename` has lost what follows a NUL and, on Windows, backslashes.
            name = member.orig_filename
            yield name, member.file_size, member.is_dir(), lambda member=member: opened.open(member)


def _tar_members(archive: Path, max_ratio: float) -> Iterator[tuple]:
    with tarfile.open(archive) as opened:
        for member in opened:
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise FetchError(f"{archive}: {member.name!r} is a link, device or sparse file; not unpacked")
            yield member.name, member.size, member.isdir(), lambda member=member: opened.extractfile(member)


def _safe_parts(archive: Path, name: str) -> tuple[str, ...]:
    """Return the parts of a member's path, or raise where it could lead out of the folder."""
    path = PurePosixPath(name)
    parts = path.parts
    if path.is_absolute() or ".." in parts or not parts:
        raise FetchError(f"{archive}: {name!r} leads out of the folder to unpack into; not unpacked")
    for part in parts:
        if _FORBIDDEN.search(part) or _DEVICE.fullmatch(part) or part.endswith((".", " ")) or len(part) > 255:
            raise FetchError(f"{archive}: {name!r} is not a file name on every system; not unpacked")
    return parts


def _copy(source: IO[bytes], sink: IO[bytes], size: int, what: str) -> None:
    """Copy exactly `size` bytes: what a member's header promises may be a lie."""
    left = size
    while block := source.read(min(_BLOCK, left + 1)):
        left -= len(block)
        if left < 0:
            raise FetchError(f"{what} is longer than the {size} bytes that its header says")
        sink.write(block)
    if left:
        raise FetchError(f"{what} ends {left} bytes early")


def unwrap(folder: Path) -> None:
    """Lift the contents of a lone top-level folder, such as the one in GitHub's archives, up one level."""
    inside = list(folder.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        lifted = folder.with_name(folder.name + ".lifted")
        os.replace(inside[0], lifted)
        folder.rmdir()
        os.replace(lifted, folder)

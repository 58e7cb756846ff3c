"""Where serlab looks for corpora and keeps what it computes."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from serlab.errors import SerlabError

_CANNOT_FOLLOW = {
    errno.ELOOP: ("is a link that leads back to itself", "Replace it by the file itself."),
    errno.ENAMETOOLONG: ("has a longer name than a file can have", "Correct the name where it is listed."),
}


def cache_dir() -> Path:
    """Return the folder for downloads and computed features: ``$SERLAB_CACHE``, else the user's cache.

    Examples
    --------
    >>> cache_dir().is_absolute()
    True
    """
    chosen = os.environ.get("SERLAB_CACHE")
    return absolute(chosen, "SERLAB_CACHE") if chosen else Path(platformdirs.user_cache_dir("serlab"))


def data_dirs() -> list[Path]:
    """Return the folders in which corpora are searched, first one first.

    They are the entries of ``$SERLAB_DATA`` (separated as in ``$PATH``), then the folder that
    `serlab.fetch` fills.

    Examples
    --------
    >>> data_dirs()[-1] == cache_dir() / "corpora"
    True
    """
    named = [entry for entry in os.environ.get("SERLAB_DATA", "").split(os.pathsep) if entry]
    return [absolute(entry, "SERLAB_DATA") for entry in named] + [cache_dir() / "corpora"]


def absolute(path: str | os.PathLike, setting: str) -> Path:
    """Return a folder that the user named, in full.

    Parameters
    ----------
    path : path-like
        May begin with ``~``.
    setting : str
        Where it was named.

    Raises
    ------
    SerlabError
        If ``~`` stands before a name that is no user's, or the path cannot be one.

    Examples
    --------
    >>> absolute("~", "SERLAB_CACHE") == Path.home()
    True
    """
    try:
        if "\0" in os.fspath(path):
            raise RuntimeError
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise SerlabError(f"{setting}: {shown(path)} is no folder. Give its path in full.") from None


@contextlib.contextmanager
def disk_errors(
    what: str, folder: Path, error: type[SerlabError], instead: str = "SERLAB_CACHE"
) -> Iterator[None]:
    """Turn what a disk refuses into an error that says what to do.

    Parameters
    ----------
    what : str
        What is being put there.
    folder : Path
        Where.
    error : type
        What to raise, a kind of SerlabError.
    instead : str
        How another folder is chosen.

    Raises
    ------
    SerlabError
        Or `error`: if the disk is full or read-only, or a folder cannot be made or written, for example.

    Examples
    --------
    >>> with disk_errors("demo", Path("music"), SerlabError):
    ...     raise NotADirectoryError(errno.ENOTDIR, "Not a directory", "music")
    Traceback (most recent call last):
        ...
    serlab.errors.SerlabError: demo: music cannot be used (Not a directory). Remove what is in the way, ...
    """
    try:
        yield
    except OSError as failure:
        place, remedy = shown(failure.filename or folder), "Make room"
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            why = f"the disk of {shown(folder)} is full"
        elif isinstance(failure, PermissionError):
            why = f"no permission to write {place}"
        else:
            why, remedy = (
                f"{place} cannot be used ({failure.strerror or failure})",
                "Remove what is in the way",
            )
        raise error(f"{what}: {why}. {remedy}, or choose another folder with {instead}.") from failure


def atomic_write(file: Path, text: str) -> None:
    """Write a text file, so that at no moment half of it is taken for the whole.

    Parameters
    ----------
    file : Path
        In a folder that exists. What it held before stays until the new text is all there.
    text : str
    """
    atomic_write_together({file: text.encode()})


def atomic_write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together: all are on the disk before the first takes its place.

    Parameters
    ----------
    contents : mapping of Path to bytes
        Files in folders that exist, in the order in which they take their places.

    Raises
    ------
    OSError
        If the disk is full, for example. Then all files are as they were.
    """
    parts: dict[Path, Path] = {}
    try:
        for file, content in contents.items():
            number, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
            parts[file] = Path(name)
            with open(number, "wb") as part:
                part.write(content)
                # A full disk may be noticed only when what was written leaves the memory.
                part.flush()
                os.fsync(number)
            os.chmod(name, 0o644)
        for file, part in parts.items():
            os.replace(part, file)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def regular_file(path: str | os.PathLike, error: type[SerlabError] = SerlabError) -> os.stat_result:
    """Make sure that a path leads to a regular file, before it is opened: opening a pipe may never end.

    Parameters
    ----------
    path : path-like
    error : type
        What to raise, a kind of SerlabError.

    Returns
    -------
    os.stat_result

    Raises
    ------
    SerlabError
        Or `error`: if nothing is there, the name cannot be one of a file, the path cannot be followed, or
        leads to a folder, pipe, device or socket.

    Examples
    --------
    >>> regular_file(os.devnull)
    Traceback (most recent call last):
        ...
    serlab.errors.SerlabError: /dev/null is a device, not a file. Copy what it gives into a file and ...
    """
    name = shown(path)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        lost = "is a link to something that does not exist" if os.path.islink(path) else "does not exist"
        raise error(f"{name} {lost}. Check the path, or fetch the corpus again.") from None
    except ValueError:
        raise error(
            f"{name} has characters that no file name can have. Correct the name where it is listed."
        ) from None
    except OSError as failure:
        why, remedy = _CANNOT_FOLLOW.get(
            failure.errno, (f"cannot be opened ({failure.strerror})", "Check its permissions.")
        )
        raise error(f"{name} {why}. {remedy}") from failure
    if stat.S_ISDIR(found.st_mode):
        raise error(f"{name} is a folder, not a file. Give the path of one file in it.")
    if not stat.S_ISREG(found.st_mode):
        kind = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}.get(stat.S_IFMT(found.st_mode), "a device")
        raise error(f"{name} is {kind}, not a file. Copy what it gives into a file and use that.")
    return found


def shown(path: str | os.PathLike) -> str:
    r"""Write a path so that it can be printed, even one that is no valid text.

    Examples
    --------
    >>> shown(os.fsdecode(b"caf\xe9\0.wav"))
    'caf\\xe9\\x00.wav'
    """
    text = os.fspath(path)
    text = os.fsdecode(text) if isinstance(text, bytes) else text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", r"\x00")

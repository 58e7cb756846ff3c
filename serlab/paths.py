"""Where serlab looks for corpora and keeps what it computes."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Mapping
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
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("serlab"))


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
    return [Path(entry).expanduser().absolute() for entry in named] + [cache_dir() / "corpora"]


def write_whole(file: Path, text: str) -> None:
    """Write a text file, so that at no moment half of it is taken for the whole.

    Parameters
    ----------
    file : Path
        In a folder that exists. What it held before stays until the new text is all there.
    text : str
    """
    write_together({file: text.encode()})


def write_together(contents: Mapping[Path, bytes]) -> None:
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

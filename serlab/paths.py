"""Where serlab looks for corpora and keeps what it computes."""

import contextlib
import errno
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

from serlab.errors import SerlabError

_ADDRESS = re.compile(r"[A-Za-z][\w+.:-]+://")
NOT_COPIED = "Download what lies there, or mount it, and give its path on this computer."
_CANNOT_FOLLOW = {
    errno.ELOOP: "is a link that leads back to itself. Replace it by the file itself.",
    errno.ENAMETOOLONG: "has a longer name than a file can have. Correct the name where it is listed.",
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

    They are the entries of ``$SERLAB_DATA`` (separated as in ``$PATH``), then what `serlab.fetch` fills.

    Examples
    --------
    >>> data_dirs()[-1] == cache_dir() / "corpora"
    True
    """
    named = os.environ.get("SERLAB_DATA", "")
    # An address is refused whole, rather than cut at its colons.
    rest = f"[^{os.pathsep}]"
    entries = re.findall(rf"{_ADDRESS.pattern}{rest}*(?::\d+{rest}*)?|{rest}+", named)
    return [absolute(entry, "SERLAB_DATA") for entry in entries] + [cache_dir() / "corpora"]


def absolute(path: str | os.PathLike, setting: str) -> Path:
    """Return a folder that the user named in a setting, in full; SerlabError if it cannot be one.

    Examples
    --------
    >>> absolute("~", "SERLAB_CACHE") == Path.home()
    True
    """
    try:
        if "\0" in os.fspath(path) or _ADDRESS.match(os.fspath(path)):
            raise RuntimeError
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise SerlabError(f"{setting}: {shown(path)} is no folder. Give its path in full.") from None


@contextlib.contextmanager
def disk_errors(
    what: str, folder: Path, error: type[SerlabError], instead: str = "SERLAB_CACHE"
) -> Iterator[None]:
    """Turn what a disk refuses into an error that says what to do.

    `what` is being put into `folder`; `error` is raised; another folder is chosen by `instead`.

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
            why = f"{place} cannot be used ({failure.strerror or failure})"
            remedy = "Remove what is in the way"
        raise error(f"{what}: {why}. {remedy}, or choose another folder with {instead}.") from failure


@contextlib.contextmanager
def locked(lock: Path, doing: str) -> Iterator[None]:
    """Let one process at a time go on, and tell those that wait, on standard error, what another is doing."""
    import filelock

    file = filelock.FileLock(lock)
    try:
        held = file.acquire(timeout=2)
    except filelock.Timeout:
        print(f"Another process is {doing}: waiting for it.", file=sys.stderr, flush=True)
        held = file.acquire()
    with held:
        yield


def atomic_write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files so that all are on the disk before the first takes its place, in the order given.

    Their folders exist. After an OSError, such as a full disk, all files are as they were.
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


def is_address(path: str | os.PathLike) -> bool:
    """Tell whether a path is the address of something elsewhere, also once it has gone through `Path`.

    Examples
    --------
    >>> is_address("s3://clips"), is_address(Path("s3://clips")), is_address("clips")
    (True, True, False)
    """
    return bool(_ADDRESS.match(os.fsdecode(path).replace(":/", "://", 1)))


def regular_file(path: str | os.PathLike, error: type[SerlabError] = SerlabError) -> os.stat_result:
    """Return `os.stat` of a path if it leads to a regular file, else raise `error`: a pipe may never end.

    Examples
    --------
    >>> regular_file(os.devnull)
    Traceback (most recent call last):
        ...
    serlab.errors.SerlabError: /dev/null is a device, not a file. Copy what it gives into a file and ...
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise error(f"A file is named by its path, not by {type(path).__name__} {path!r}.")
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        lost = "is a link to something that does not exist" if os.path.islink(path) else "does not exist"
        fault = f"{lost}. Check the path; if it was a clip of a corpus, get that again."
        if is_address(path):
            fault = f"is an address, not a file. {NOT_COPIED}"
    except ValueError:
        fault = "has characters that no file name can have. Correct the name where it is listed."
    except OSError as failure:
        unreadable = f"cannot be opened ({failure.strerror}). Check its permissions."
        fault = _CANNOT_FOLLOW.get(failure.errno, unreadable)
    else:
        if stat.S_ISREG(found.st_mode):
            return found
        if stat.S_ISDIR(found.st_mode):
            fault = "is a folder, not a file. Give the path of one file in it."
        else:
            kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
            kind = kinds.get(stat.S_IFMT(found.st_mode), "a device")
            fault = f"is {kind}, not a file. Copy what it gives into a file and use that."
    raise error(f"{shown(path)} {fault}")


def shown(path: str | os.PathLike) -> str:
    r"""Write a path so that it can be printed, even one that is no valid text.

    Examples
    --------
    >>> shown(os.fsdecode(b"caf\xe9\0.wav"))
    'caf\\xe9\\x00.wav'
    """
    text = os.fspath(path)
    text = os.fsdecode(text) if isinstance(text, bytes) else text
    if is_address(text) and "://" not in text:
        # Path makes one slash of two.
        text = text.replace(":/", "://", 1)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", r"\x00")

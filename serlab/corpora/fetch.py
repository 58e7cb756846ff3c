"""Download of corpora: resumable, verified, and moved into place whole or not at all.

Beside the corpora a download works in ``.downloads/<name>``: files as they come (``*.part``), then verified
files, then the unpacked corpus. The last step renames that, so a folder ``<name>`` is a complete corpus.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from serlab import paths, sound_files
from serlab.corpora import unpack
from serlab.corpora.download import Downloads
from serlab.corpora.record import file_digest
from serlab.errors import AudioError, FetchError

if TYPE_CHECKING:
    from serlab.corpora.record import Record, Remote

_ELSEWHERE = "SERLAB_CACHE or fetch(into=...)"


def fetch(name: str, *, into: str | Path | None = None) -> Path:
    """Download a corpus, verify it and move it into place; return its folder.

    An interrupted download goes on where it stopped when ``fetch`` is called again; a second process waits
    for the first. A corpus that is already there is left alone.

    Parameters
    ----------
    name : str
        Name of a corpus with an official download, such as ``"ravdess"``; CorpusError if there is none.
    into : str or Path, optional
        Folder to hold the corpus folder; by default the one in the user's cache, where `serlab.load`
        finds it. Name any other one in ``SERLAB_DATA``.

    Raises
    ------
    FetchError
        The corpus has no download, the disk is too small, the host cannot be reached, or what came is
        not what was asked for. The message says what to do by hand.

    Examples
    --------
    >>> fetch("demo")
    Traceback (most recent call last):
    ...
    serlab.errors.FetchError: demo needs no download: serlab.load("demo") synthesises it
    """
    from serlab import corpora

    if name == "demo":
        raise FetchError('demo needs no download: serlab.load("demo") synthesises it')
    if name not in corpora.names() and ("/" in name or os.sep in name or Path(name).is_dir()):
        raise FetchError(f"{name} is a folder, not a corpus with a download: serlab.load({name!r}) reads it")
    record = corpora.record(name)
    if into is None and (found := corpora.find(name)) is not None:
        print(f"{record.title} is already in {found}; serlab.validate({name!r}) checks that copy.")
        return found
    return fetch_record(record, into=into)


def fetch_record(record: Record, *, into: str | Path | None = None, workers: int = 4) -> Path:
    """Download the corpus of a record, as `fetch` does for a name, so many files at the same time."""
    if not record.remotes:
        raise FetchError(
            f"{record.title} ({record.name}) has no download that serlab can fetch. See {record.homepage}."
        )
    root = paths.cache_dir() / "corpora" if into is None else paths.absolute(into, "fetch(into=...)")
    target, work = root / record.name, root / ".downloads" / record.name
    if not os.path.exists(target):
        try:
            with paths.disk_errors(record.title, root, FetchError, _ELSEWHERE):
                work.parent.mkdir(parents=True, exist_ok=True)
                with paths.locked(work.with_name(record.name + ".lock"), f"fetching {record.title}"):
                    if not target.exists():
                        return _fetch_alone(record, work, target, workers)
        except FetchError as error:
            archives = [remote.filename for remote in record.remotes if _is_archive(remote)]
            what = f"the file {archives[0]}, and unpack it" if archives else "all audio files, and put them"
            raise FetchError(
                f"{error}\nCalling serlab.fetch again goes on from what has come and proved sound. By hand: "
                f"open {record.homepage}, download {what} into {target}; "
                f"then check it with serlab.validate({record.name!r})."
            ) from error
    if (found := len(_sound_files(target))) < record.clips:
        raise FetchError(
            f"{target} holds {found} of the {record.clips} clips of {record.title}. Remove it to fetch the "
            f"corpus anew, or see what is missing with serlab.validate({record.name!r})."
        )
    print(f"{record.title} is already in {target}.")
    return target


def _fetch_alone(record: Record, work: Path, target: Path, workers: int) -> Path:
    print(f"{record.title}. Licence: {record.licence} {record.licence_url or ''}".rstrip() + ".")
    print(f"By downloading it you accept that licence. Source: {record.homepage}", flush=True)
    _check_room(record, work)
    _download_all(record, work / "files", workers)
    packed = any(map(_is_archive, record.remotes))
    corpus = work / ("corpus" if packed else "files")
    try:
        if packed:
            _unpack_all(record, work / "files", corpus)
        _check_complete(record, corpus)
        os.replace(corpus, target)
    except FetchError:
        # What has no checksum shows only here that it is not the right thing: never use it again.
        shutil.rmtree(work, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(work / "corpus", ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    print(f"{record.title} is in {target}.")
    return target


def _is_archive(remote: Remote) -> bool:
    return remote.filename.lower().endswith(unpack.SUFFIXES)


def _sound_files(folder: Path) -> dict[str, Path]:
    """Return the audio files below a folder by stem, without the litter that macOS leaves in archives."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in sound_files.SUFFIXES)
    return {path.stem: path for path in found if not path.name.startswith("._")}


def _check_room(record: Record, work: Path) -> None:
    """Raise before the first byte where what is to come, packed and unpacked, does not fit."""
    packed = sum(remote.size or 0 for remote in record.remotes)
    here = sum(path.stat().st_size for path in (work / "files").rglob("*") if path.is_file())
    needed = max(packed - here, 0)
    if any(map(_is_archive, record.remotes)):
        # Without a manifest: zip takes speech down to half of its size at best.
        needed += sum(size or 0 for _, size in record.manifest.values()) or 2 * packed
    free = shutil.disk_usage(work.parent).free
    if free < int(1.05 * needed):
        raise FetchError(
            f"{record.title} needs {1.05 * needed / 1e6:,.0f} MB in {work.parent.parent}, where "
            f"{free / 1e6:,.0f} MB are free. Make room, or choose another folder with {_ELSEWHERE}."
        )


def _download_all(record: Record, folder: Path, workers: int) -> None:
    """Download and verify every remote file of a record that is not there yet."""
    from tqdm import tqdm

    sizes = [remote.size for remote in record.remotes]
    total = sum(sizes) if all(sizes) else None
    with (
        tqdm(total=total, unit="B", unit_scale=True, desc=record.name) as bar,
        ThreadPoolExecutor(max_workers=max(1, min(workers, len(record.remotes)))) as pool,
    ):
        downloads = Downloads(bar)
        try:
            tasks = [pool.submit(downloads.retrieve, remote, folder) for remote in record.remotes]
            came = {task.result() for task in as_completed(tasks)}
        except BaseException:
            downloads.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    for path in folder.rglob("*"):
        if path.is_file() and path not in came:
            path.unlink()  # What a killed process left.


def _unpack_all(record: Record, files: Path, corpus: Path) -> None:
    """Put the contents of each archive, and the files that are none, into one folder."""
    shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir()
    for remote in record.remotes:
        source, goal, folder = files / remote.filename, corpus / remote.filename, corpus / ".unpacked"
        if not _is_archive(remote):
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, goal)
            continue
        unpack.unpack(source, folder)
        unpack.unwrap(folder)
        for path in folder.iterdir():
            if (corpus / path.name).exists():
                raise FetchError(f"{source.name}: {path.name} is in another archive, too")
            os.replace(path, corpus / path.name)
        folder.rmdir()


def _check_complete(record: Record, folder: Path) -> None:
    """Compare the clips in a folder with the manifest or, without one, with their number and headers."""
    found = _sound_files(folder)
    for name, (digest, _) in record.manifest.items():
        path = found.get(PurePosixPath(name).stem)
        if path is None:
            raise FetchError(f"{record.title}: {name} is missing from the download")
        if digest not in (None, file_digest(path)):
            raise FetchError(f"{record.title}: {name} is not the official file")
    if record.manifest:
        return
    if len(found) != record.clips:
        raise FetchError(
            f"{record.title}: the download holds {len(found)} clips where {record.clips} are expected"
        )
    for path in found.values():
        try:
            seconds = sound_files.duration(path)
        except AudioError as error:
            raise FetchError(f"{record.title}: the download is damaged: {error}") from error
        if not seconds:
            raise FetchError(f"{record.title}: {path.name} is empty")

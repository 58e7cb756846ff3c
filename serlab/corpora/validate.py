"""Report what is wrong with a copy of a corpus, and what to do about it."""

import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from serlab import sound_files
from serlab.corpora import folder as folders
from serlab.corpora import locate, official
from serlab.corpora.record import Record, file_digest
from serlab.corpora.registry import record as record_of
from serlab.corpora.table import in_threads
from serlab.errors import AudioError, CorpusError
from serlab.paths import regular_file, shown

FINDINGS = pd.read_csv(
    Path(__file__).with_name("findings.csv"), index_col="kind", true_values=["yes"], false_values=["no"]
)
"""Kind of finding (index), whether it is a fault, whether getting the file again helps, and what to do."""

# How the remedy ends where getting the file again helps: nothing brings back a recording of one's own.
_FETCH = ", or delete the corpus folder and run serlab.fetch"
_MAKE = ", or delete the corpus folder: it is made again when it is loaded"
_OWN = ", or correct or remove its line of the table"
_LEFTOVERS = (".part", ".zip", ".tmp", ".crdownload", ".download")


@dataclass(frozen=True)
class Report:
    """What `validate` found."""

    title: str  #: Name of the corpus for readers.
    folder: Path  #: Where it lies.
    clips: int  #: How many clips were read.
    #: One row per finding: clip, path, kind, fault (False for what is only worth knowing), detail, remedy.
    problems: pd.DataFrame = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the copy has no fault; notes do not count."""
        return not self.problems["fault"].any()

    def __str__(self) -> str:
        faults = int(self.problems["fault"].sum())
        verdict = "no faults" if self.ok else f"{faults} fault{'s' * (faults > 1)}"
        lines = [f"{self.title} in {self.folder}: {self.clips} clips read, {verdict}."]
        for heading, fault in (("Faults", True), ("Worth knowing", False)):
            rows = self.problems[self.problems["fault"] == fault]
            if len(rows):
                lines.append(f"{heading}:")
            for kind, group in rows.groupby("kind", sort=False):
                some = [row.detail for row in group.head(3).itertuples()]
                lines.append(f"  {kind} ({len(group)}): {some[0]}")
                lines += [f"    {detail}" for detail in some[1:]]
                if len(group) > 3:
                    lines.append(f"    and {len(group) - 3} more: see .problems")
                lines.append(f"    -> {group['remedy'].iloc[0]}.")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def validate(
    name_or_folder: str | os.PathLike = "ravdess",
    *,
    labels: Mapping[str, str] | None = None,
    max_seconds: float = sound_files.MAX_SECONDS,
) -> Report:
    """Read every file of a corpus and report what is wrong.

    Takes one of `serlab.corpora.names`, or the path of a folder with a table, and its `labels` as
    `serlab.load` does. A recording longer than `max_seconds` is a fault, because feature extraction refuses
    it; give what you mean to give to `serlab.store.features`. Print the report; its ``ok`` says whether
    `serlab.load` would give the corpus as it should be. CorpusError if there is nothing to look at: no such
    corpus, no clip of it, or no table that can be read.

    Examples
    --------
    >>> validate("demo").ok
    True
    """
    name = official.known(name_or_folder)
    if name is None:
        return _validate_folder(folders.full_path(name_or_folder), max_seconds, labels=labels)
    record, root = record_of(name), official.find(name)
    if root is None:
        raise CorpusError(official.not_found(record))
    if name == "demo":
        return _validate_folder(root, max_seconds, record.title)
    return _validate_official(record, root, max_seconds)


class _Finding(NamedTuple):
    kind: str
    clip: str
    path: Path | str
    detail: str


class _Sound(NamedTuple):
    """What reading one file showed: hashes of file and samples, none of those if it is at fault."""

    clip: str
    path: Path
    digest: str = ""
    content: str = ""
    remarks: Iterable[tuple[str, str]] = ()


def _validate_folder(
    folder: Path, max_seconds: float, title: str | None = None, labels: Mapping[str, str] | None = None
) -> Report:
    with official.hint_at_official(folder):
        path, rows, faults, notes = folders.read(folder, labels)
    clips = zip(rows["clip"], map(Path, rows["path"]), strict=True)
    sounds = in_threads(lambda clip: _listen(clip[0], clip[1], max_seconds), clips)
    found = [
        _Finding(fault.kind, Path(fault.file).stem, fault.file, f"{path}, line {fault.line}: {fault.detail}")
        for fault in faults + notes
    ]
    found += [*_remarks(sounds), *_duplicates(sounds), *_leftovers([path.parent])]
    return _report(title or path.parent.name, path.parent, len(sounds), found, _MAKE if title else _OWN)


def _validate_official(record: Record, root: Path, max_seconds: float) -> Report:
    copies, wrong = official.files_of_clips(record, root)
    if wrong:
        return _report(record.title, root, 0, [_Finding("corpus", "", root, wrong)])
    clips = [(clip, path) for clip, paths in copies.items() for path in paths]
    sounds = in_threads(lambda clip: _listen(clip[0], clip[1], max_seconds), clips)
    by_path = {sound.path: sound for sound in sounds}
    firsts = [by_path[paths[0]] for paths in copies.values()]
    missing = list(_missing(record, root, set(copies)))
    renamed = official.misnamed(record, root, (one.clip for one in missing if one.kind == "missing"))
    extra = set(official.unknown_files(record, root)) - set(renamed.values())
    found = [*_copies(copies, by_path), *(one for one in missing if one.clip not in renamed)]
    for clip, path in renamed.items():
        found.append(_Finding("misnamed", clip, path, f"{path} seems to be {clip}{path.suffix}"))
    found += [*_remarks(sounds, record.silent), *_changed(record, sounds)]
    found += _duplicates(firsts, record.official)
    found += [_Finding("extra", path.stem, path, f"{path} has the name of no clip") for path in sorted(extra)]
    found += _leftovers(locate.clip_folders(record, root))
    again = _FETCH if record.remotes else ""
    report = _report(record.title, root, len(sounds), found, again)
    if not report.ok:
        return report
    try:
        title = official.load(record).attrs["title"]
    except CorpusError as error:
        title = record.title
        found.append(_Finding("corpus", "", root, str(error)))
    return _report(title, root, len(sounds), found, again)


def _report(title: str, root: Path, clips: int, found: list[_Finding], again: str = "") -> Report:
    problems = pd.DataFrame(found, columns=_Finding._fields).astype({"path": str})
    for column in ("fault", "remedy"):
        problems[column] = FINDINGS.loc[problems["kind"], column].to_numpy()
    problems["remedy"] += np.where(FINDINGS.loc[problems["kind"], "again"], again, "")
    # From the corpus folder on, to be short.
    inside = f"{root}{os.sep}"
    problems["detail"] = [detail.replace(inside, "") for detail in problems["detail"]]
    problems = problems[["clip", "path", "kind", "fault", "detail", "remedy"]]
    return Report(title, root, clips, problems)


def _listen(clip: str, path: Path, max_seconds: float) -> _Sound:
    """Read a file as `serlab.audio.read` does, from end to end, and say what there is."""
    digest, content, channels, alike = "", hashlib.sha256(), 1, True
    lowest, highest = math.inf, -math.inf
    try:
        regular_file(path, AudioError)
        digest = file_digest(path)
        with sound_files.opened(path) as sound:
            channels = sound.channels
            content.update(f"{sound.rate}".encode())
            for block, mono in sound_files.listen(sound, max_seconds=max_seconds):
                lowest, highest = mono.min(initial=lowest), mono.max(initial=highest)
                alike = alike and bool((block == block[:, :1]).all())
                content.update((block[:, 0] if channels > 1 and alike else block).tobytes())
    except sound_files.SoundFileError as error:
        return _Sound(clip, path, digest, remarks=[(error.kind, error.detail)])
    except (AudioError, OSError) as error:
        return _Sound(clip, path, digest, remarks=[("unopened", str(error).removeprefix(f"{shown(path)} "))])
    if highest - lowest < sound_files.SILENT_PEAK:
        constant = ("silent", f"holds one value, {lowest:.2g}, throughout")
        return _Sound(clip, path, digest, remarks=[constant])
    remarks = [*sound.notes]
    if channels > 1:
        remarks.append(("stereo", f"has {channels} channels, {'all equal' if alike else 'which differ'}"))
    return _Sound(clip, path, digest, content.hexdigest(), remarks)


def _remarks(sounds: list[_Sound], silent: Iterable[str] = ()) -> Iterator[_Finding]:
    for sound in sounds:
        for kind, words in sound.remarks:
            known = kind == "silent" and sound.clip in silent
            yield _Finding("known" if known else kind, sound.clip, sound.path, f"{shown(sound.path)} {words}")


def _copies(copies: Mapping[str, list[Path]], by_path: Mapping[Path, _Sound]) -> Iterator[_Finding]:
    for clip, (first, *others) in copies.items():
        for other in others:
            if by_path[first].digest == by_path[other].digest:
                yield _Finding("doubled", clip, other, f"{other} repeats {first}")
            else:
                yield _Finding("conflict", clip, other, f"{other} is not the same as {first}")


def _duplicates(sounds: list[_Sound], official: Mapping[str, str | None] = {}) -> Iterator[_Finding]:
    first: dict[str, _Sound] = {}
    for sound in sounds:
        if sound.content and (other := first.setdefault(sound.content, sound)) is not sound:
            known = official.get(sound.clip) and official[sound.clip] == official.get(other.clip)
            kind = "known" if known else "duplicate"
            yield _Finding(kind, sound.clip, sound.path, f"{sound.clip} has the same sound as {other.clip}")


def _changed(record: Record, sounds: list[_Sound]) -> list[_Finding]:
    """Compare WAV files with the manifest, unless the whole copy was made by converting.

    A copy is taken for the official one if at least half of its readable WAV files are.
    """
    listed = record.official
    waves = [s for s in sounds if s.path.suffix.lower() == ".wav" and s.content and listed.get(s.clip)]
    changed = [sound for sound in waves if sound.digest != listed[sound.clip]]
    if 2 * len(changed) > len(waves):
        detail = f"{len(changed)} of {len(waves)} wav files differ from the official ones: a converted copy"
        return [_Finding("converted", "", changed[0].path.parent, detail)]
    return [_Finding("changed", s.clip, s.path, f"{s.path} differs from the official file") for s in changed]


def _missing(record: Record, root: Path, found: set[str]) -> Iterator[_Finding]:
    try:
        missing, speakers = official.missing_clips(record, root, found)
    except CorpusError as error:
        yield _Finding("corpus", "", root, str(error))
        return
    for clip in missing:
        yield _Finding("missing", clip, "", f"{clip} is not there under any extension")
    if absent := [speaker for speaker in record.speakers if speaker not in speakers]:
        few = ", ".join(absent[:6]) + (", …" if len(absent) > 6 else "")
        detail = f"{len(speakers)} of {len(record.speakers)} speakers; without {few}"
        yield _Finding("partial", "", root, detail)


def _leftovers(places: list[Path]) -> Iterator[_Finding]:
    for path in (path for place in places for path in locate.visible_files(place)):
        if path.suffix.lower() in _LEFTOVERS:
            size = path.lstat().st_size / 1e6
            yield _Finding("leftover", path.stem, path, f"{path} ({size:.1f} MB)")

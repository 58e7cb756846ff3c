"""Report what is wrong with a copy of a corpus, and what to do about it."""

from __future__ import annotations

import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pandas as pd

from serlab import sound_files
from serlab.corpora import folder as folders
from serlab.corpora import locate, misnamed, official
from serlab.corpora.record import Record, file_digest
from serlab.corpora.registry import record as record_of
from serlab.corpora.table import threads
from serlab.errors import AudioError, CorpusError
from serlab.paths import regular_file, shown

AGAIN = "replace it from a whole copy, or delete the corpus folder and run serlab.fetch"

REMEDIES = {
    "missing": "add them from a whole copy, or delete the corpus folder and run serlab.fetch",
    "unopened": "put the recording itself there, under that name, as a file that can be opened",
    "misnamed": "rename it",
    "empty": f"there is no sound in it: {AGAIN}",
    "corrupt": f"it cannot be decoded: {AGAIN}",
    "truncated": f"the file ends before its sound does, as after a broken download: {AGAIN}",
    "foreign": f"this is no sound: {AGAIN}",
    "unsupported": "convert it to WAV or FLAC, for example with ffmpeg",
    "decoder": 'run `pip install "serlab[formats]"`, or convert it to WAV or FLAC, for example with ffmpeg',
    "numbers": "samples must be finite: export it again as 16-bit PCM",
    "scale": "divide its samples by full scale (32768 for numbers of 16 bits) and save it again",
    "silent": f"it holds no sound: {AGAIN}",
    "opposite": "save one of its channels as a mono file",
    "short": "take it out of the table: features cannot be measured on it",
    "long": "cut it into utterances, or give a larger max_seconds here and where features are measured",
    "pointer": "this is a git-lfs pointer: run `git lfs pull` in the clone, or use serlab.fetch",
    "changed": f"its bytes are not the official ones: {AGAIN}",
    "duplicate": "two clips have the same sound: find out which name is right, remove the other",
    "doubled": "the clip lies in two places: remove one of the folders",
    "conflict": "two files of one name differ: keep the right one",
    "ambiguous": "name the file with its extension in the table",
    "table": "correct this line of the table",
    "name": "nothing to do if it is meant so",
    "ratings": "nothing to do if it is meant so",
    "corpus": "see the message",
    "extra": "it is no clip of this corpus and is not used; nothing to do",
    "leftover": "a download that was not finished, or an archive: it can be deleted",
    "partial": "nothing to do, but name the speakers when you report figures",
    "stereo": "nothing to do: channels are averaged when the clip is read",
    "clipped": "record it again at a lower level if you can: its loudest parts are distorted",
    "unfinished": "listen whether all of it is there; if so, save it again to have a length in its header",
    "known": "nothing to do: it is so in the official copy",
    "converted": "nothing to do if you converted them yourself",
}
"""Kind of finding to what a reader should do."""

_NOTES = {
    *("extra", "leftover", "partial", "stereo", "clipped", "unfinished", "known", "converted", "name"),
    "ratings",
}
_LEFTOVERS = (".part", ".zip", ".tmp", ".crdownload", ".download")


@dataclass(frozen=True)
class Report:
    """What `validate` found.

    Attributes
    ----------
    title
        Name of the corpus for readers.
    folder
        Where it lies.
    clips
        How many clips were read.
    problems
        One row per finding: clip, path, kind, fault (False for what is only worth knowing), detail,
        remedy.
    """

    title: str
    folder: Path
    clips: int
    problems: pd.DataFrame = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the copy has no fault; notes do not count."""
        return not self.problems["fault"].any()

    def __str__(self) -> str:
        faults = int(self.problems["fault"].sum())
        verdict = "no faults" if self.ok else f"{faults} fault{'s' * (faults > 1)}"
        lines = [f"{self.title} in {self.folder}: {self.clips} clips read, {verdict}."]
        for heading, rows in (
            ("Faults", self.problems[self.problems["fault"]]),
            ("Worth knowing", self.problems[~self.problems["fault"]]),
        ):
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

    Parameters
    ----------
    name_or_folder
        One of `serlab.corpora.names`, or the path of a folder with a table.
    labels
        For a folder: as for `serlab.load`.
    max_seconds
        A longer recording is a fault, because feature extraction refuses it by default; what you mean to
        give to `serlab.store.features` as ``max_seconds``.

    Returns
    -------
    Report
        Print it; its ``problems`` is a table; its ``ok`` says whether `serlab.load` would give the
        corpus as it should be.

    Raises
    ------
    CorpusError
        If there is nothing to look at: no such corpus, no clip of it, or no table that can be read.

    Examples
    --------
    >>> validate("demo").ok
    True
    """
    name = official.known(name_or_folder)
    if name is None:
        folder = Path(os.path.abspath(os.path.expanduser(name_or_folder)))
        return _validate_folder(folder, max_seconds, labels=labels)
    record = record_of(name)
    root = official.find(name)
    if root is None:
        raise CorpusError(official.not_found(record))
    if name == "demo":
        return _validate_folder(root, max_seconds, record.title)
    return _validate_official(record, root, max_seconds)


@dataclass(frozen=True)
class _Sound:
    """What reading one file showed."""

    clip: str
    path: Path
    digest: str = ""
    content: str = ""
    fault: str = ""
    detail: str = ""
    notes: tuple[tuple[str, str], ...] = ()


def _validate_folder(
    folder: Path, max_seconds: float, title: str | None = None, labels: Mapping[str, str] | None = None
) -> Report:
    try:
        path, rows, faults, notes = folders.read(folder, labels)
    except CorpusError as error:
        if hint := official.official_in(folder):
            raise CorpusError(hint) from error
        raise
    found = [
        (fault.kind, Path(fault.file).stem, fault.file, f"{path}, line {fault.line}: {fault.detail}")
        for fault in faults + notes
    ]
    clips = zip(rows["clip"], map(Path, rows["path"]), strict=True)
    sounds = _examine(clips, max_seconds)
    found += _sound_problems(sounds)
    found += _duplicates(sounds)
    found += _leftovers([path.parent])
    return Report(title or path.parent.name, path.parent, len(sounds), _problems(found, path.parent))


def _validate_official(record: Record, root: Path, max_seconds: float) -> Report:
    listed = record.official
    copies = defaultdict(list)
    for path in locate.clip_files(record, root):
        copies[path.stem].append(path)
    if wrong := official.wrong_version(record, root, set(copies)):
        return Report(record.title, root, 0, _problems([("corpus", "", root, wrong)], root))
    places = locate.clip_folders(record, root)
    found = []
    if listed:
        copies = {clip: paths for clip, paths in copies.items() if clip in listed}
    sounds = _examine(((clip, path) for clip, paths in copies.items() for path in paths), max_seconds)
    by_path = {sound.path: sound for sound in sounds}
    for clip, (first, *others) in copies.items():
        for other in others:
            same = by_path[first].digest == by_path[other].digest
            found.append(
                (
                    "doubled" if same else "conflict",
                    clip,
                    other,
                    f"{other} {'repeats' if same else 'is not the same as'} {first}",
                )
            )
    first_copies = [by_path[paths[0]] for paths in copies.values()]
    missing = _missing(record, root, set(copies))
    renamed = misnamed.find(record, root, (clip for kind, clip, *_ in missing if kind == "missing"))
    found += [problem for problem in missing if problem[1] not in renamed]
    found += [
        ("misnamed", clip, path, f"{path} seems to be {clip}{path.suffix}") for clip, path in renamed.items()
    ]
    found += _sound_problems(sounds, record.silent)
    found += _changed(record, sounds)
    found += _duplicates(first_copies, _known_pairs(record))
    extra = set(misnamed.strangers(record, root)) - set(renamed.values())
    found += [("extra", path.stem, path, f"{path} has the name of no clip") for path in sorted(extra)]
    found += _leftovers(places)
    title = record.title
    problems = _problems(found, root)
    if not problems["fault"].any():
        try:
            title = official.load(record).attrs["title"]
        except CorpusError as error:
            problems = _problems([*found, ("corpus", "", root, str(error))], root)
    return Report(title, root, len(sounds), problems)


def _problems(found: list[tuple], root: Path) -> pd.DataFrame:
    """Make the table of findings. Details name files from the corpus folder on, to be short."""
    inside = f"{root}{os.sep}"
    rows = [
        (clip, str(path), kind, kind not in _NOTES, detail.replace(inside, ""), REMEDIES[kind])
        for kind, clip, path, detail in found
    ]
    table = pd.DataFrame(rows, columns=["clip", "path", "kind", "fault", "detail", "remedy"])
    return table.astype({"fault": bool})


def _examine(clips: Iterable[tuple[str, Path]], max_seconds: float) -> list[_Sound]:
    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(lambda item: _listen(item[0], item[1], max_seconds), clips))


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
                lowest, highest = (
                    min(lowest, mono.min(initial=lowest)),
                    max(highest, mono.max(initial=highest)),
                )
                alike = alike and bool((block == block[:, :1]).all())
                content.update((block[:, 0] if channels > 1 and alike else block).tobytes())
    except sound_files.SoundFileError as error:
        return _Sound(clip, path, digest, fault=error.kind, detail=error.detail)
    except (AudioError, OSError) as error:
        detail = str(error).removeprefix(f"{shown(path)} ")
        return _Sound(clip, path, digest, fault="unopened", detail=detail)
    if highest - lowest < sound_files.SILENT_PEAK:
        return _Sound(clip, path, digest, fault="silent", detail=f"holds one value, {lowest:.2g}, throughout")
    notes = [*sound.notes]
    if channels > 1:
        notes.append(("stereo", f"has {channels} channels, {'all equal' if alike else 'which differ'}"))
    return _Sound(clip, path, digest, content.hexdigest(), notes=tuple(notes))


def _sound_problems(sounds: list[_Sound], silent: Iterable[str] = ()) -> list[tuple]:
    found = []
    for sound in sounds:
        name = shown(sound.path)
        if sound.fault:
            known = sound.fault == "silent" and sound.clip in silent
            kind = "known" if known else sound.fault
            found.append((kind, sound.clip, sound.path, f"{name} {sound.detail}"))
        found += [(kind, sound.clip, sound.path, f"{name} {words}") for kind, words in sound.notes]
    return found


def _duplicates(sounds: list[_Sound], known: set[frozenset[str]] = frozenset()) -> list[tuple]:
    same = defaultdict(list)
    for sound in sounds:
        if sound.content and not sound.fault:
            same[sound.content].append(sound)
    found = []
    for first, *others in same.values():
        for other in others:
            kind = "known" if {first.clip, other.clip} in known else "duplicate"
            found.append((kind, other.clip, other.path, f"{other.clip} has the same sound as {first.clip}"))
    return found


def _known_pairs(record: Record) -> set[frozenset[str]]:
    """Return the pairs of clips that are identical in the official copy."""
    same = defaultdict(set)
    for clip, digest in record.official.items():
        if digest:
            same[digest].add(clip)
    return {frozenset(clips) for clips in same.values() if len(clips) > 1}


def _changed(record: Record, sounds: list[_Sound]) -> list[tuple]:
    """Compare WAV files with the manifest, unless the whole copy was made by converting.

    A copy is taken for the official one if at least half of its readable WAV files are.
    """
    listed = record.official
    waves = [s for s in sounds if s.path.suffix.lower() == ".wav" and not s.fault and listed.get(s.clip)]
    changed = [sound for sound in waves if sound.digest != listed[sound.clip]]
    if 2 * len(changed) > len(waves):
        detail = f"{len(changed)} of {len(waves)} wav files differ from the official ones: a converted copy"
        return [("converted", "", changed[0].path.parent, detail)]
    return [
        ("changed", sound.clip, sound.path, f"{sound.path} differs from the official file")
        for sound in changed
    ]


def _missing(record: Record, root: Path, found: set[str]) -> list[tuple]:
    try:
        missing, speakers = official.missing_clips(record, root, found)
    except CorpusError as error:
        return [("corpus", "", root, str(error))]
    problems: list[tuple] = [
        ("missing", clip, "", f"{clip} is not there under any extension") for clip in missing
    ]
    absent = [speaker for speaker in record.speakers if speaker not in speakers]
    if absent:
        detail = f"{len(speakers)} of {len(record.speakers)} speakers; without {', '.join(absent[:6])}"
        problems.append(("partial", "", root, detail + (", …" if len(absent) > 6 else "")))
    return problems


def _leftovers(places: list[Path]) -> list[tuple]:
    return [
        ("leftover", path.stem, path, f"{path} ({path.lstat().st_size / 1e6:.1f} MB)")
        for place in places
        for path in locate.visible_files(place)
        if path.suffix.lower() in _LEFTOVERS
    ]

"""What serlab knows about a corpus, and where its files come from."""

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Remote:
    """One file that `serlab.fetch` downloads."""

    url: str
    filename: str  #: Path under the corpus folder, where an archive is unpacked, too.
    size: int | None = None  #: Bytes.
    checksum: str | None = None  #: ``"md5:..."`` or ``"sha256:..."``; None if the host publishes none.


@dataclass(frozen=True)
class Record:
    """A corpus: what it is, whose it is, what belongs to it, and how its file names read."""

    name: str  #: Name for `serlab.load`.
    title: str  #: Name for readers.
    description: str  #: One paragraph.
    language: str  #: English name of the language.
    licence: str  #: Its name.
    licence_url: str  #: The text of the licence.
    citation_key: str  #: BibTeX key.
    citation: str  #: BibTeX entry.
    homepage: str  #: Official page.
    clips: int  #: Official number of clips.
    speakers: tuple[str, ...]  #: Official speaker ids.
    classes: Mapping[str, int]  #: Official clips per emotion.
    #: Turns a stem into the columns speaker, gender, emotion, intensity and sentence, or into None for a file
    #: that is no clip of this corpus.
    parse: Callable[[str], dict | None]
    licence_source: str = ""  #: Where and when the licence was read.
    remotes: tuple[Remote, ...] = ()  #: Files that `serlab.fetch` downloads.
    #: Path of every official file to its SHA-256 and its bytes (None if unknown); empty without such a list.
    manifest: Mapping[str, tuple[str | None, int | None]] = field(default_factory=dict)
    #: Needed without a manifest: takes the corpus folder, returns the stems that should be there.
    expected: Callable[[Path], set[str]] | None = None
    #: Looks at a loaded table and raises `CorpusError` where the copy is not what its name says.
    check: Callable[[object], None] | None = None
    #: Regular expression for the lower-case alphanumeric name of the corpus folder, by default `name`.
    folder: str = ""
    inner: str = ""  #: The same for a folder that some downloads put inside it.
    clip_folder: str = ""  #: The same for the folder that holds clips.
    sentences: Mapping[str, str] = field(default_factory=dict)  #: Sentence id to text.
    #: Published protocol to list of lists of test speakers.
    folds: Mapping[str, list[list[str]]] = field(default_factory=dict)
    source: str = ""  #: How to get a corpus that `serlab.fetch` cannot download.
    silent: frozenset[str] = frozenset()  #: Clips that are without sound as published.
    notes: Sequence[str] = ()  #: Traps worth knowing.

    def row(self, clip: str, path: Path) -> dict[str, str | None]:
        """Return what the utterance table holds of a clip: its name, its file, and what its name says."""
        return {"clip": clip, "path": str(path), "language": self.language, **self.parse(clip)}

    @cached_property
    def official(self) -> Mapping[str, str | None]:
        """Stem of every official clip to its SHA-256; empty if there is no manifest."""
        return {PurePosixPath(path).stem: digest for path, (digest, _) in self.manifest.items()}


@lru_cache
def read_record(name: str, **functions: Any) -> Record:
    """Read the record of a corpus from ``serlab/corpora/records/NAME.toml``.

    The file holds fields of `Record`, and in place of ``parse`` and ``speakers`` the speakers of each gender,
    and under ``names`` a regular expression with groups called speaker, emotion, intensity or sentence, and
    what these may hold and mean. What it leaves out is in the file that it calls ``base``. Other fields, such
    as ``expected``, are given as `functions`.
    """
    facts = _read_facts(name)
    genders = {speaker: gender for gender, ids in facts.pop("speakers").items() for speaker in ids}
    if "parse" not in functions:
        functions["parse"] = _name_parser(genders, facts.get("sentences"), **facts.pop("names"))
    manifest = read_manifest(facts.pop("manifest")) if "manifest" in facts else {}
    remotes = [Remote(**remote) for remote in facts.pop("remotes", [])]
    if files := facts.pop("files", None):
        remotes += [
            Remote(files["url"] + path, f"{files['folder']}/{path}", size, f"sha256:{digest}")
            for path, (digest, size) in manifest.items()
        ]
    facts |= {"speakers": tuple(sorted(genders)), "manifest": manifest, "remotes": tuple(remotes)}
    facts["silent"] = frozenset(facts.get("silent", ()))
    return Record(name=name, **facts, **functions)


def _read_facts(name: str) -> dict:
    facts = tomllib.loads((_HERE / f"records/{name}.toml").read_text("utf-8"))
    return (_read_facts(facts.pop("base")) if "base" in facts else {}) | facts


def _name_parser(genders: Mapping, sentences: Mapping | None, pattern: str, **meanings: Mapping) -> Callable:
    compiled = re.compile(pattern)
    listed = {"speaker": genders, **meanings} | ({"sentence": sentences} if sentences else {})

    def parse(stem: str) -> dict[str, str | None] | None:
        match = compiled.fullmatch(stem)
        if match is None or any(match[part] not in names for part, names in listed.items()):
            return None
        meant = {part: names[match[part]] or None for part, names in meanings.items()}
        return {"gender": genders[match["speaker"]], **match.groupdict(), **meant}

    return parse


@lru_cache
def read_manifest(filename: str) -> dict[str, tuple[str | None, int | None]]:
    """Map official path to SHA-256 and bytes, as a file in ``serlab/corpora/manifests`` lists them.

    Its lines hold SHA-256, bytes and path, with tabs between them, and ``-`` for what is not known.
    """
    lines = (line.split("\t") for line in (_HERE / f"manifests/{filename}").read_text("utf-8").splitlines())
    return {
        path: (None if digest == "-" else digest, None if size == "-" else int(size))
        for digest, size, path in lines
    }


def file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

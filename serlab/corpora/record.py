"""What serlab knows about a corpus, and where its files come from."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Remote:
    """One file that `serlab.fetch` downloads.

    Attributes
    ----------
    url
        Where it lies.
    filename
        Path under the corpus folder; an archive is unpacked there.
    size
        Bytes, or None if the host publishes none.
    checksum
        ``"md5:..."`` or ``"sha256:..."``, or None if the host publishes none.
    """

    url: str
    filename: str
    size: int | None = None
    checksum: str | None = None


@dataclass(frozen=True)
class Record:
    """A corpus: what it is, whose it is, what belongs to it, and how its file names read.

    Attributes
    ----------
    name, title, description, language
        Name for `serlab.load`; name for readers; one paragraph; English name of the language.
    licence, licence_url, licence_source
        Licence, its text, and where and when it was read.
    citation_key, citation, homepage
        BibTeX key and entry; official page.
    clips, speakers, classes
        Official number of clips, official speaker ids, official clips per emotion.
    parse
        Turns a stem into the columns speaker, gender, emotion, intensity and sentence, or into None for
        a file that is no clip of this corpus; see `name_parser`.
    remotes
        Files that `serlab.fetch` downloads.
    manifest
        Path of every official file to its SHA-256 and its size in bytes (None where they are not known);
        empty if there is no such list.
    expected
        Needed without a manifest: takes the corpus folder, returns the stems that should be there.
    check
        Looks at a loaded table and raises `CorpusError` where the copy is not what its name says.
    folder, inner, clip_folder
        Regular expressions for lower-case alphanumeric folder names: the corpus folder (its name, if none is
        given), a folder that some downloads put inside it, and the folder that holds clips.
    sentences, folds
        Sentence id to text; published protocol to list of lists of test speakers.
    source
        How to get a corpus that `serlab.fetch` cannot download.
    silent, notes
        Clips that are without sound as published; traps worth knowing.
    """

    name: str
    title: str
    description: str
    language: str
    licence: str
    licence_url: str
    citation_key: str
    citation: str
    homepage: str
    clips: int
    speakers: tuple[str, ...]
    classes: Mapping[str, int]
    parse: Callable[[str], dict | None]
    licence_source: str = ""
    remotes: tuple[Remote, ...] = ()
    manifest: Mapping[str, tuple[str | None, int | None]] = field(default_factory=dict)
    expected: Callable[[Path], set[str]] | None = None
    check: Callable[[object], None] | None = None
    folder: str = ""
    inner: str = ""
    clip_folder: str = ""
    sentences: Mapping[str, str] = field(default_factory=dict)
    folds: Mapping[str, list[list[str]]] = field(default_factory=dict)
    source: str = ""
    silent: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @cached_property
    def official(self) -> Mapping[str, str | None]:
        """Stem of every official clip to its SHA-256; empty if there is no manifest."""
        return {PurePosixPath(path).stem: digest for path, (digest, _) in self.manifest.items()}


def name_parser(
    pattern: str,
    genders: Mapping[str, str],
    sentences: Mapping[str, str] | None = None,
    **meanings: Mapping[str, str],
) -> Callable[[str], dict[str, str | None] | None]:
    r"""Make what reads the file names of a corpus, for `Record`.

    Parameters
    ----------
    pattern
        Regular expression for a whole stem, with groups called speaker, emotion, intensity or sentence.
    genders, sentences
        Speaker to gender; sentence id to text, if these are known.
    meanings
        What a group may hold to what it means; "" for what says nothing.

    Returns
    -------
    callable
        Turns a stem into a dict; into None if it does not fit, or what it names is not listed.

    Examples
    --------
    >>> pattern = r"(?P<speaker>[a-z]+)-(?P<emotion>[A-Z])"
    >>> parse = name_parser(pattern, {"anna": "female"}, emotion={"B": "angry"})
    >>> parse("anna-B"), parse("anna-C")
    ({'gender': 'female', 'speaker': 'anna', 'emotion': 'angry'}, None)
    """
    compiled = re.compile(pattern)
    listed = {"speaker": genders, **meanings} | ({"sentence": sentences} if sentences else {})

    def parse(stem: str) -> dict[str, str | None] | None:
        match = compiled.fullmatch(stem)
        if match is None or any(match[part] not in names for part, names in listed.items()):
            return None
        meant = {part: names[match[part]] or None for part, names in meanings.items()}
        return {"gender": genders[match["speaker"]], **match.groupdict(), **meant}

    return parse


def read_record(name: str, **functions: Callable) -> Record:
    """Read the record of a corpus from ``serlab/corpora/records``.

    Parameters
    ----------
    name
        Of the corpus and the file: fields of `Record`, what `name_parser` takes, and the speakers of each
        gender. What the file leaves out is in the one that it calls ``base``.
    functions
        Further fields: ``expected``, ``check``.
    """
    facts = _read_facts(name)
    genders = {speaker: gender for gender, ids in facts.pop("speakers").items() for speaker in ids}
    sentences = facts.get("sentences")
    parse = name_parser(genders=genders, sentences=sentences, **facts.pop("names"))
    manifest = read_manifest(facts.pop("manifest")) if "manifest" in facts else {}
    remotes = [Remote(**remote) for remote in facts.pop("remotes", [])]
    if files := facts.pop("files", None):
        remotes += [
            Remote(files["url"] + path, f"{files['folder']}/{path}", size, f"sha256:{digest}")
            for path, (digest, size) in manifest.items()
        ]
    return Record(
        name=name,
        speakers=tuple(sorted(genders)),
        parse=parse,
        manifest=manifest,
        remotes=tuple(remotes),
        silent=frozenset(facts.pop("silent", ())),
        notes=tuple(facts.pop("notes")),
        **facts,
        **functions,
    )


def _read_facts(name: str) -> dict:
    facts = tomllib.loads(_text(f"records/{name}.toml"))
    return (_read_facts(facts.pop("base")) if "base" in facts else {}) | facts


@lru_cache
def read_manifest(filename: str) -> dict[str, tuple[str | None, int | None]]:
    """Read a list of official files: path to SHA-256 and bytes.

    Parameters
    ----------
    filename
        Name of a file in ``serlab/corpora/manifests``: lines of SHA-256, bytes and official path, with
        tabs between them and ``-`` for what is not known.
    """
    lines = (line.split("\t") for line in _text(f"manifests/{filename}").splitlines())
    return {
        path: (None if digest == "-" else digest, None if size == "-" else int(size))
        for digest, size, path in lines
    }


def _text(filename: str) -> str:
    return resources.files("serlab.corpora").joinpath(filename).read_text(encoding="utf-8")


def file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

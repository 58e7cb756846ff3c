"""What serlab knows about a corpus, and where its files come from."""

from __future__ import annotations

import hashlib
import os
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
    citation_key, citation
        BibTeX key and entry.
    homepage
        Official page.
    clips, speakers, classes
        Official number of clips, official speaker ids, official clips per emotion.
    parse
        Turns a stem into the columns speaker, gender, emotion, intensity and sentence, or into None for
        a file that is no clip of this corpus.
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
    sentences
        Sentence id to text.
    folds
        Published protocol to list of lists of test speakers.
    source
        How to get a corpus that `serlab.fetch` cannot download.
    silent
        Clips that are without sound as published.
    notes
        Traps worth knowing.
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


@lru_cache
def read_manifest(filename: str) -> dict[str, tuple[str | None, int | None]]:
    """Read a list of official files that comes with serlab.

    Parameters
    ----------
    filename
        Name of a file in ``serlab/corpora/manifests``: lines of SHA-256, bytes and official path, with
        tabs between them and ``-`` for what is not known.

    Examples
    --------
    >>> _, size = read_manifest("ravdess.tsv")["Actor_01/03-01-01-01-01-01-01.wav"]
    >>> size
    375720
    """
    text = resources.files("serlab.corpora").joinpath("manifests", filename).read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines())
    return {
        path: (None if digest == "-" else digest, None if size == "-" else int(size))
        for digest, size, path in lines
    }


def file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

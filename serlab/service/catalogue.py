"""What clients can ask for by name: names from outside are looked up here, and never become paths."""

from __future__ import annotations

import contextlib
import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from serlab import corpora, models
from serlab.models import ModelSpec
from serlab.prediction import emotions
from serlab.service.settings import Settings

SHIPPED = "emotions"


class Catalogue:
    """Corpora, models that can be trained, and trained models, those in the folder of the service."""

    def __init__(self, settings: Settings):
        self.folder = settings.data / "models"
        self.corpora = {name: name for name in corpora.names()} | dict(settings.corpora)
        self.trainable: dict[str, ModelSpec] = {
            spec.name: spec
            for spec in (*models.specs(), *models.plugged())
            if spec.build is not None and spec.extractors and not spec.normalises
        }
        self._tables: dict[str, pd.DataFrame] = {}

    def table(self, corpus: str) -> pd.DataFrame:
        """Return the clips of a corpus, by name; CorpusError where it is not on this computer."""
        if corpus not in self._tables:
            self._tables[corpus] = corpora.load(self.corpora[corpus]).set_index("clip", drop=False)
        return self._tables[corpus]

    def about(self, corpus: str) -> dict[str, Any]:
        """Describe a corpus."""
        about = {"name": corpus, "title": corpus, "here": self.is_here(corpus)}
        if isinstance(self.corpora[corpus], Path):
            return about
        of = corpora.record(corpus)
        about |= {"title": of.title, "language": of.language, "licence": of.licence}
        return about | {"clips": of.clips, "speakers": len(of.speakers)}

    def is_here(self, corpus: str) -> bool:
        """Whether the clips of a corpus are on this computer."""
        own = self.corpora[corpus]
        if isinstance(own, Path):
            return own.is_dir()
        # The synthetic one is made when it is first used.
        return own == "demo" or corpora.find(own) is not None

    def trained(self) -> dict[str, Path]:
        """Return the files of all trained models, by name; the one of serlab comes first.

        Files that hold no card, such as those copied in half, are left out.
        """
        found = {SHIPPED: emotions.FILE}
        for file in sorted(self.folder.glob("*.serlab")):
            with contextlib.suppress(OSError, zipfile.BadZipFile, KeyError, ValueError):
                if "format" in card(file):
                    found[file.stem] = file
        return found

    def place(self, corpus: str, model: str) -> Path:
        """Return where a model is kept that was trained on a corpus, both of these tables."""
        return self.folder / f"{corpus}.{model}.serlab"


def card(file: Path) -> dict[str, Any]:
    """Read the card of a trained model, without the model."""
    return _card(file, file.stat().st_mtime_ns)


@lru_cache(256)
def _card(file: Path, changed: int) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("card.json"))

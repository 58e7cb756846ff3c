"""A recorded run, and where it lies."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from serlab import run_files
from serlab.errors import RunError

COLUMNS = ("clip", "speaker", "fold", "seed", "label", "predicted")
KEYS = (
    "model",
    "title",
    "chapter",
    "features",
    "protocol",
    "protocol_title",
    "speaker_disjoint",
    "corpus",
    "classes",
    "seeds",
    "parameters",
    "ensemble",
    "pretrained",
    "speaker_normalised",
    "augmentation",
    "validation",
    "seconds",
    "peak_memory_mb",
    "machine",
    "versions",
    "code",
    "scores",
)
# Those that `table` shows as they are.
TABLE_KEYS = (
    "title",
    "chapter",
    "protocol_title",
    "speaker_disjoint",
    "parameters",
    "ensemble",
    "speaker_normalised",
    "seconds",
)


@dataclass(frozen=True, eq=False)
class Run:
    """A recorded run: a row per clip and seed with `COLUMNS` and ``p_<class>``, and how it came about.

    `meta` holds at least `KEYS`.
    """

    predictions: pd.DataFrame
    meta: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """Corpus, protocol and model."""
        return self.meta["corpus"]["name"], self.meta["protocol"], self.meta["model"]

    def __repr__(self) -> str:
        return f"Run({' / '.join(self.key)}, UAR {100 * self.meta['scores']['uar']:.1f} %)"


def root() -> Path:
    """Return the folder of the recorded runs: inside an installed package, else ``book/results``."""
    package = Path(__file__).parent.parent
    installed = package / "results"
    return installed if installed.is_dir() else package.parent / "book" / "results"


def read(corpus: str, protocol: str, model: str, folder: Path | None = None) -> Run:
    """Read a recorded run, such as "ravdess", "emobox6", "forest", from `root` or another folder.

    Raises `RunError` if there is no such run, its files cannot be read, or they are of another run.
    """
    json_file = path_of(folder, corpus, protocol, model)
    for file in (json_file, json_file.with_suffix(run_files.TABLE)):
        if not file.is_file():
            others = ", ".join(found[2] for found in list_runs(folder) if found[:2] == (corpus, protocol))
            make_it = f"python -m serlab.runs --corpus {corpus} --protocol {protocol} --model {model}"
            raise RunError(
                f"{file} does not exist. Recorded there: {others or 'nothing'}. To make it: {make_it}"
            )
    run = Run(*run_files.read(json_file))
    check_place(json_file, run.meta)
    return run


def list_runs(folder: Path | None = None) -> list[tuple[str, str, str]]:
    """List recorded runs as (corpus, protocol, model), sorted."""
    files = Path(folder or root()).glob("*/*/*.json")
    return sorted((file.parts[-3], file.parts[-2], file.stem) for file in files)


def table(folder: Path | None = None) -> pd.DataFrame:
    """Return one row per recorded run: what it is, and its scores, in the order of the book's models.

    Columns are ``corpus``, ``protocol``, ``protocol_title``, ``speaker_disjoint``, ``model``, ``title``,
    ``chapter``, ``features``, ``classes`` and ``seeds`` (how many), ``parameters``, ``ensemble``,
    ``pretrained``, ``speaker_normalised``, ``seconds``, ``corpus_title``, ``clips``, and the scores. A file
    that is damaged is left out, with a warning that names it.
    """
    from serlab import models

    order = {name: place for place, name in enumerate(models.names())}
    found = sorted(list_runs(folder), key=lambda key: (key[0], key[1], order.get(key[2], len(order)), key[2]))
    rows = []
    for key in found:
        file = path_of(folder, *key)
        try:
            rows.append(_row(file, run_files.read_json(file)))
        except RunError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
    return pd.DataFrame(rows)


def _row(file: Path, meta: dict[str, Any]) -> dict[str, Any]:
    """Give the row of `table` that a run has there."""
    check_place(file, meta)
    try:
        row = dict(zip(("corpus", "protocol", "model"), (*file.parts[-3:-1], file.stem), strict=True))
        row |= {name: meta[name] for name in TABLE_KEYS}
        row |= {"classes": len(meta["classes"]), "seeds": len(meta["seeds"])}
        row |= {"features": " + ".join(meta["features"]), "pretrained": ", ".join(meta["pretrained"])}
        row |= {"corpus_title": meta["corpus"]["title"], "clips": meta["corpus"]["clips"]}
        return row | {name: float(value) for name, value in meta["scores"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{file} is damaged ({error!r}). Make the run anew") from error


def check_place(file: Path, meta: dict[str, Any]) -> None:
    """Make sure that a JSON file is of the run that its path names."""
    try:
        named = (meta["corpus"]["name"], meta["protocol"], meta["model"])
    except (KeyError, TypeError) as error:
        raise RunError(f"{file} is damaged: it does not say what run it is. Make the run anew") from error
    if named != (*file.parts[-3:-1], file.stem):
        name = "/".join(map(str, named))
        raise RunError(f"{file} is the run {name}: put it where it belongs, or make the run anew")


def path_of(folder: Path | None, corpus: str, protocol: str, model: str) -> Path:
    """Return where the JSON file of a run lies."""
    return Path(folder or root()) / corpus / protocol / f"{model}.json"


def as_csv(predictions: pd.DataFrame) -> str:
    """Write predictions as they are recorded: probabilities with four decimals."""
    rounded = predictions.round({name: 4 for name in predictions if name.startswith("p_")})
    return rounded.to_csv(index=False, lineterminator="\n")

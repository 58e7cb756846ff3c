"""Put recordings of your own through a trained model."""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import audio, models
from serlab.containers import SoundFileError
from serlab.errors import AudioError, AudioWarning, ModelError, SerlabError
from serlab.features import Recording
from serlab.models.files import TrainedModel
from serlab.paths import shown
from serlab.prediction.familiarity import describe, hints
from serlab.sound_files import SILENT_PEAK, SUFFIXES

__all__ = ["NOT_SURE", "describe", "hints", "predict"]

NOT_SURE = "not sure"
WINDOW, STEP = 3.0, 1.0
# Stretches that lie so far below the loudest frame are pauses.
PAUSE_DB = 35.0
# A window with less sound than this, in seconds, is a pause.
HEARD = 0.3
LONGEST = 3600.0
# Rates of sound, in Hz; what lies far beyond keeps the resampling filter busy for ever.
RATES = (1000, 1_000_000)
# Files that lie beside recordings, and are passed over without a word.
COMPANY = {".txt", ".csv", ".tsv", ".json", ".md", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".serlab"}
# From so many recordings or windows on, a bar shows how far it is.
MANY = 20


def predict(
    what: Any,
    sample_rate: int | None = None,
    *,
    model: TrainedModel | str | os.PathLike | None = None,
    timeline: bool = False,
) -> pd.DataFrame:
    """Say which emotion is played or felt in recordings, how sure the model is, and what to be careful of.

    Parameters
    ----------
    what : path-like, folder, iterable of them, open file, ndarray, or DataFrame
        A sound file, a folder of sound files, or several; a file opened for reading bytes; samples of shape
        (samples,), with `sample_rate`; or a table with a column ``path``, as `serlab.load` gives it.
    sample_rate : int, optional
        In Hz, of an array.
    model : TrainedModel or path-like, optional
        As from `serlab.models.load`, or its file. By default the model that comes with serlab.
    timeline : bool
        Whether each recording is cut into windows of three seconds, one beginning every second; windows
        without sound are left out.

    Returns
    -------
    DataFrame
        One row per recording or window: ``recording``; ``start`` and ``end`` in seconds; ``emotion``, the
        most probable class or "not sure"; ``confidence``, its probability; ``hints``, in what the recording
        is unlike those that the model was trained on, or why it could not be read; and ``p_<class>``.

    Raises
    ------
    AudioError
        If one recording alone is asked for and cannot be read. Among several it gets a row without an answer.
    ModelError
        If there is nothing to listen to, or the model cannot be used.

    Examples
    --------
    >>> from serlab.corpora.synthesis import synthesise_phrase
    >>> table = predict(synthesise_phrase("d01", emotion="angry"), 16000)
    >>> len(table), bool(abs(table.filter(regex="^p_").sum(axis=1) - 1).max() < 1e-6)
    (1, True)
    """
    if model is not None and not isinstance(model, (TrainedModel, str, os.PathLike)):
        raise ModelError(
            f"model must come from serlab.models.load, or be its file, not {type(model).__name__}: "
            "serlab.models.save keeps a model of your own"
        )
    if not isinstance(model, TrainedModel):
        model = _shipped() if model is None else models.load(model)
    if not model.extractors:
        raise ModelError("This model takes features, not sound: use its `probabilities`")
    import joblib
    import threadpoolctl
    from tqdm import tqdm

    sources = _gather(what, sample_rate)
    bar = {"total": None if timeline else len(sources)} if len(sources) >= MANY else {"disable": True}
    # A rate that is enough to describe a recording, and for the model.
    rate = max(Recording().sample_rate, *(one.sample_rate for one in model.extractors))
    # Threads are enough where most of the work is done outside Python's lock, as with the model of serlab.
    with threadpoolctl.threadpool_limits(1), joblib.parallel_config(backend="threading"):
        heard = joblib.Parallel(n_jobs=-1, return_as="generator")(
            joblib.delayed(_hear)(part, rate, model) for part in _parts(sources, sample_rate, rate, timeline)
        )
        rows = list(tqdm(heard, "predict", unit="recording", **bar))
    if len(sources) == 1 and rows[0]["error"] is not None:
        raise rows[0]["error"]
    return _table(rows, model)


@cache
def _shipped() -> TrainedModel:
    return models.load(Path(__file__).parent / "emotions.serlab")


def _gather(what: Any, sample_rate: Any) -> list[tuple[str, Any]]:
    """Give every recording a name, and where its sound comes from."""
    if isinstance(what, np.ndarray) and what.dtype.kind not in "OU":
        if not (isinstance(sample_rate, Real) and RATES[0] <= sample_rate <= RATES[1]):
            told = "" if sample_rate is None else f", not {sample_rate!r}"
            raise ModelError(f"Samples need their rate in Hz: serlab.predict(y, sample_rate){told}")
        return [("sound", what)]
    if sample_rate is not None:
        raise ModelError("sample_rate goes with samples in an array of NumPy: a file says its own")
    if isinstance(what, (str, os.PathLike)):
        if not os.fspath(what):
            raise ModelError("An empty name is no sound file: give its path")
        path = _path(what)
        if not os.path.isdir(path):
            return [(shown(path), path)]
        files = _sound_files(path)
        if not files:
            raise ModelError(f"{shown(path)} holds no sound files")
        return [(shown(one.relative_to(path)), one) for one in files]
    if hasattr(what, "read"):
        name = getattr(what, "name", None)
        return [(name if isinstance(name, str) else "sound", what)]
    if isinstance(what, pd.DataFrame):
        if "path" not in what:
            raise ModelError("A table needs a column path, with one sound file per row")
        what = what["path"]
    strange = type(what).__name__
    if isinstance(what, Iterable) and not isinstance(what, (bytes, bytearray, Mapping)):
        several = list(what)
        if not several:
            raise ModelError("The list is empty: there is nothing to listen to")
        others = [one for one in several if not isinstance(one, (str, os.PathLike))]
        if not others:
            paths = [_path(one) for one in several]
            # A folder without sound costs its own row only.
            files = [(_sound_files(one) or [one]) if os.path.isdir(one) else [one] for one in paths]
            return [(shown(one), one) for some in files for one in some]
        strange += f" with {type(others[0]).__name__} in it"
    raise ModelError(
        "Give predict a sound file, a folder, a list of files, an open file, a table with paths, or samples "
        f"with their rate, not {strange}"
    )


def _path(name: str | os.PathLike) -> Path:
    # Of somebody whom this computer does not know, os.path makes a file that is not there, and Path an error.
    return Path(os.path.expanduser(name))


def _sound_files(folder: Path) -> list[Path]:
    def stop(error: OSError) -> None:
        raise ModelError(
            f"{shown(error.filename)} cannot be opened ({error.strerror}): check its permissions"
        ) from error

    found, others, seen = [], [], set()
    for place, folders, names in os.walk(folder, onerror=stop, followlinks=True):
        # A link may lead to where the walk has been: each folder is entered once, under one of its names.
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        # Names that begin with a dot are hidden, as are the notes that macOS leaves beside each file.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files = [Path(place, name) for name in names if not name.startswith(".")]
        found += [one for one in files if one.suffix.lower() in SUFFIXES]
        others += [one for one in files if one.suffix.lower() not in SUFFIXES | COMPANY]
    if others:
        about = (
            f"{len(others)}, such as {shown(min(others).relative_to(folder))}. Name each that holds sound."
        )
        warnings.warn(
            f"{shown(folder)}: files passed over, by the ends of their names: {about}", stacklevel=4
        )
    return sorted(found)


def _parts(
    sources: list[tuple[str, Any]], sample_rate: int | None, rate: int, timeline: bool
) -> Iterator[dict[str, Any]]:
    """Read one recording after the other, and give each, or each window of it, or why there is none."""
    for name, source in sources:
        row = {"recording": name, "told": [], "error": None}
        try:
            y, row["told"] = _read(name, source, sample_rate, rate)
            windows = list(_windows(y, rate)) if timeline else [(0.0, y)]
            if not windows:
                raise AudioError(f"{name} has no window with {HEARD} s of sound")
        except SerlabError as error:
            yield row | {"error": error}
        else:
            yield from (row | {"start": start, "y": part} for start, part in windows)


def _read(name: str, source: Any, sample_rate: Any, rate: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return samples at `rate` in Hz, and what was remarkable about the file."""
    if isinstance(source, np.ndarray):
        y = audio.signal(source, "predict")
        if np.abs(y).max() < SILENT_PEAK:
            raise AudioError("The samples are silent: there is nothing to hear")
        if not audio.MIN_SECONDS <= len(y) / sample_rate <= LONGEST:
            raise AudioError(
                f"The samples last {len(y) / sample_rate:.3g} s: give {audio.MIN_SECONDS} to {LONGEST:.0f} s"
            )
        return audio.resample(y, float(sample_rate), rate), ()
    if hasattr(source, "read"):
        content = None
        # Bytes that are no text, in a file opened as text; a file opened for writing, or closed.
        with contextlib.suppress(ValueError):
            content = source.read()
        if not isinstance(content, bytes):
            raise ModelError('An open file must be open for reading bytes: open(path, "rb")')
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recording"
            path.write_bytes(content)
            try:
                y, told = _read(name, path, None, rate)
            except SoundFileError as error:
                error.path = name
                raise
            return y, tuple(words.replace(str(path), name) for words in told)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", AudioWarning)
        y, _ = audio.read(source, rate, max_seconds=LONGEST)
    return y, tuple(str(one.message) for one in told if issubclass(one.category, AudioWarning))


def _windows(y: np.ndarray, rate: int) -> Iterator[tuple[float, np.ndarray]]:
    """Cut a recording into windows with sound in them, up to its end; each with the second of its begin."""
    import librosa

    length, step = round(WINDOW * rate), round(STEP * rate)
    sounding = librosa.effects.split(y, top_db=PAUSE_DB, frame_length=2048, hop_length=512)
    last = max(len(y) - length, 0)
    for start in sorted({*range(0, last, step), last}):
        end = start + length
        heard = sum(max(min(stop, end) - max(begin, start), 0) for begin, stop in sounding)
        if heard >= HEARD * rate or len(y) <= length:
            yield start / rate, y[start:end]


def _hear(row: dict[str, Any], rate: int, model: TrainedModel) -> dict[str, Any]:
    """Measure one recording or window; an error is kept, so that others are not lost."""
    if row["error"] is None:
        y, start = row.pop("y"), row.pop("start")
        try:
            row |= {"features": model.features(y, rate), "about": describe(y, rate)}
            row |= {"start": start, "end": start + len(y) / rate}
        except SerlabError as error:
            error.args = (f"{row['recording']}: {error}",)
            row["error"] = error
    return row


def _table(rows: list[dict], model: TrainedModel) -> pd.DataFrame:
    """Answer all rows at once, and say of each how sure the answer is and what speaks against it."""
    columns = ["recording", "start", "end", "emotion", "confidence", "hints"]
    columns += [f"p_{name}" for name in model.classes]
    heard = [row for row in rows if row["error"] is None]
    if heard:
        X = np.stack([row["features"] for row in heard])
        p = model.probabilities(X)
        strange = model.strangeness(X) if model.familiar is not None else np.zeros(len(X))
        for row, values, strangeness in zip(heard, p, strange, strict=True):
            row["about"]["strangeness"] = strangeness
            row["told"] = [*row["told"], *hints(row["about"], model.card.get("limits", {}))]
            best = int(values.argmax())
            sure = values[best] >= model.card.get("threshold", 0.0)
            row |= {"emotion": model.classes[best] if sure else NOT_SURE, "confidence": float(values[best])}
            row |= {f"p_{name}": float(value) for name, value in zip(model.classes, values, strict=True)}
    for row in rows:
        row["hints"] = "; ".join(row["told"]) if row["error"] is None else str(row["error"])
    return pd.DataFrame(rows, columns=columns)

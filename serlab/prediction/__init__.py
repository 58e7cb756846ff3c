"""Put recordings of your own through a trained model."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import audio, models
from serlab.errors import AudioError, AudioWarning, ModelError
from serlab.features import Recording
from serlab.models.files import TrainedModel
from serlab.sound_files import SUFFIXES

NOT_SURE = "not sure"
# Where a recording lies beyond what was trained on, and what to say then. Keys are those of `describe`.
HINTS = {
    ("duration", -1): "only {value:.1f} s of sound",
    ("duration", 1): "{value:.0f} s long: ask for a timeline",
    ("level", -1): "very quiet: {value:.0f} dBFS",
    ("level", 1): "very loud: {value:.0f} dBFS",
    ("above_pauses", -1): "noisy, or no pauses: the voice lies {value:.0f} dB above them",
    ("highest", -1): "nothing above {value:.0f} Hz, as over a telephone",
    ("strangeness", 1): "unlike all that the model was trained on",
}
WINDOW, STEP = 3.0, 1.0
# Stretches that lie so far below the loudest frame are pauses.
PAUSE_DB = 35.0
LONGEST = 3600.0


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
    what : path-like, folder, sequence of them, open file, ndarray, or DataFrame
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
    if not isinstance(model, TrainedModel):
        model = _load(model)
    if not model.extractors:
        raise ModelError("This model takes features, not sound: use its `probabilities`")
    names, sounds = _gather(what, sample_rate)
    rows: list[dict] = []
    features = []
    for name, source in zip(names, sounds, strict=True):
        try:
            y, rate, told = _read(source, sample_rate)
            for start, part in _windows(y, rate) if timeline else [(0.0, y)]:
                features.append(model.features(part, rate))
                about = describe(part, rate)
                rows.append({"recording": name, "start": start, "end": start + len(part) / rate})
                rows[-1] |= {"about": about, "told": told}
        except AudioError as error:
            if len(names) == 1:
                raise
            rows.append({"recording": name, "told": [str(error)]})
    return _table(rows, features, model)


def describe(y: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Measure what tells recordings apart: duration, level, frequencies, and how far the voice stands out.

    Takes (samples,) at `sample_rate` in Hz, returns the numbers of `serlab.features.Recording` at 16 kHz, and
    ``above_pauses``, the level of speech above the softest tenth of the frames, in dB.

    Examples
    --------
    >>> round(describe(np.sin(np.arange(16000) * 0.1), 16000)["above_pauses"])
    0
    """
    recording = Recording()
    values = recording.extract(audio.resample(y, sample_rate, recording.sample_rate))
    found = dict(zip(recording.feature_names, values.tolist(), strict=True))
    return found | {"above_pauses": found["level"] - found["floor"]}


def hints(about: Mapping[str, float], limits: Mapping[str, Sequence[float]]) -> list[str]:
    """Say in what a recording lies outside the limits, (lowest, highest) for each number that has some.

    Examples
    --------
    >>> hints({"duration": 0.2, "level": -20.0}, {"duration": (0.5, 8.0), "level": (-50, -10)})
    ['only 0.2 s of sound']
    """
    found = []
    for (name, side), words in HINTS.items():
        if name in limits and name in about:
            lowest, highest = limits[name]
            if (about[name] < lowest) if side < 0 else (about[name] > highest):
                found.append(words.format(value=about[name]))
    return found


@cache
def _shipped() -> TrainedModel:
    return models.load(Path(__file__).parent / "emotions.serlab")


def _load(model: str | os.PathLike | None) -> TrainedModel:
    return _shipped() if model is None else models.load(model)


def _gather(what: Any, sample_rate: int | None) -> tuple[list[str], list]:
    """Give every recording a name, and where its sound comes from."""
    if isinstance(what, pd.DataFrame):
        if "path" not in what:
            raise ModelError("A table needs a column path, with one sound file per row")
        what = list(what["path"])
    if isinstance(what, (str, os.PathLike)):
        path = Path(what).expanduser()
        if not path.is_dir():
            return [str(path)], [path]
        files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        if not files:
            raise ModelError(f"{path} holds no sound files")
        return [str(one.relative_to(path)) for one in files], files
    if isinstance(what, np.ndarray) or hasattr(what, "read"):
        if isinstance(what, np.ndarray) and sample_rate is None:
            raise ModelError("Samples need their rate in Hz: serlab.predict(y, sample_rate)")
        return ["sound"], [what]
    if isinstance(what, Sequence) and len(what) and all(isinstance(one, (str, os.PathLike)) for one in what):
        return [str(one) for one in what], [Path(one).expanduser() for one in what]
    raise ModelError(
        "Give predict a sound file, a folder, a list of files, a table with paths, or samples with their "
        f"rate, not {type(what).__name__}"
    )


def _read(source: Any, sample_rate: int | None) -> tuple[np.ndarray, int, list[str]]:
    """Return samples, their rate, and what was remarkable about the file."""
    if isinstance(source, np.ndarray):
        y = audio.signal(source, "predict")
        if not y.any():
            raise AudioError("The samples are all zero: there is nothing to hear")
        return y, sample_rate, []
    if hasattr(source, "read"):
        content = source.read()
        if not isinstance(content, bytes):
            raise ModelError('An open file must be open for reading bytes: open(path, "rb")')
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recording"
            path.write_bytes(content)
            return _read(path, None)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", AudioWarning)
        y, rate = audio.read(source, max_seconds=LONGEST)
    return y, rate, [str(one.message) for one in told if issubclass(one.category, AudioWarning)]


def _windows(y: np.ndarray, rate: int) -> Iterator[tuple[float, np.ndarray]]:
    """Cut a recording into windows with sound in them; each with the second at which it begins."""
    import librosa

    length, step = round(WINDOW * rate), round(STEP * rate)
    sounding = librosa.effects.split(y, top_db=PAUSE_DB, frame_length=2048, hop_length=512)
    for start in range(0, max(len(y) - length, 0) + 1, step):
        end = start + length
        heard = sum(max(min(stop, end) - max(begin, start), 0) for begin, stop in sounding)
        if heard >= 0.3 * rate or len(y) <= length:
            yield start / rate, y[start:end]


def _table(rows: list[dict], features: list[np.ndarray], model: TrainedModel) -> pd.DataFrame:
    """Answer all rows at once, and say of each how sure the answer is and what speaks against it."""
    columns = ["recording", "start", "end", "emotion", "confidence", "hints"]
    columns += [f"p_{name}" for name in model.classes]
    X = np.stack(features) if features else None
    probabilities = iter(model.probabilities(X) if features else ())
    strangeness = iter(model.strangeness(X) if features and model.familiar is not None else ())
    limits = model.card.get("limits", {})
    for row in rows:
        told, about = row.pop("told"), row.pop("about", None)
        if about is not None:
            p = next(probabilities)
            about["strangeness"] = next(strangeness, 0.0)
            told = told + hints(about, limits)
            best = int(p.argmax())
            sure = p[best] >= model.card.get("threshold", 0.0)
            row |= {"emotion": model.classes[best] if sure else NOT_SURE, "confidence": float(p[best])}
            row |= {f"p_{name}": float(value) for name, value in zip(model.classes, p, strict=True)}
        row["hints"] = "; ".join(told)
    return pd.DataFrame(rows, columns=columns)

"""Audio players for notebooks that can be committed: with sound while you work, without it in the repository.

With ``SERLAB_PLAYERS=placeholder`` in the environment a player names its clip instead of holding it.
Notebooks are executed that way before they are committed, since most corpora may not be passed on, and the
book puts the sound in when it is built on a machine that has the corpus.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serlab.errors import AudioError

if TYPE_CHECKING:
    from serlab.augment import Step

SAMPLE_RATE = 16_000
LOWEST_RATE = 8_000  # below it not every browser plays
MOST = 24  # players at a time: each holds its sound, and a page with hundreds does not open


@dataclass(frozen=True)
class Player:
    """One sound with its caption; a notebook shows it as a player."""

    title: str
    caption: str
    credit: str
    # By these `resolve` finds the sound again; none if it cannot be found.
    attributes: Mapping[str, str]
    # Gives samples and their rate in Hz; called only where they are played.
    sound: Callable[[], tuple[np.ndarray, int]] = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Player: {self.caption}"

    def _repr_html_(self) -> str:
        data = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        if os.environ.get("SERLAB_PLAYERS") == "placeholder":
            inside = f'<p class="serlab-absent">{escape(self.caption)} — run this cell to hear it</p>'
        else:
            uri, label = data_uri(*self.sound()), escape(f"Play {self.caption}")
            inside = f'<audio controls preload="metadata" src="{uri}" aria-label="{label}"></audio>'
            if self.caption != self.title:
                inside += f'<p class="serlab-caption">{escape(self.caption)}</p>'
        credit = f'<p class="serlab-credit">{escape(self.credit)}</p>' if self.credit else ""
        title = f'<p class="serlab-title">{escape(self.title)}</p>'
        return f'<div class="serlab-player"{data}>{title}{inside}{credit}</div>'


@dataclass(frozen=True)
class Players:
    """Several players, side by side where there is room."""

    players: tuple[Player, ...]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.players))

    def _repr_html_(self) -> str:
        return f'<div class="serlab-players">{"".join(one._repr_html_() for one in self.players)}</div>'


def listen(
    what: pd.Series | pd.DataFrame | np.ndarray,
    sample_rate: int | None = None,
    *,
    title: str | Iterable[str] | None = None,
    change: Step | None = None,
    blind: bool = False,
) -> Player | Players:
    """Return a player, or one per row of a table, to be shown as the last value of a cell.

    Parameters
    ----------
    what : pandas.Series, pandas.DataFrame or np.ndarray
        A row or rows (at most `MOST`) of an utterance table, or the samples of a sound.
    sample_rate : int, optional
        In Hz; needed with samples, not allowed otherwise.
    title : str or iterable of str, optional
        What is heard, one for each row; the emotion if not given.
    change : serlab.augment.Step, optional
        Play the clips changed in this way, at 16 kHz. What is random is drawn with seed 0.
    blind : bool
        Leave out the caption, which gives clip, emotion and speaker away.

    Notes
    -----
    The book can make again what `serlab.corpora.synthesis.synthesise_phrase` returns, what the functions of
    lessons make that are wrapped in `serlab.corpora.synthesis.remember`, and clips with a change from
    `serlab.augment` or `serlab.audio`; any other sound can be heard only where it was computed.

    Examples
    --------
    >>> import serlab
    >>> from serlab.augment import Step, pitch_shift
    >>> higher = Step(pitch_shift, semitones=3, sample_rate=16000)
    >>> listen(serlab.load("demo").iloc[0], title="3 semitones up", change=higher)
    Player: clip d01-angry-s1-1, angry, speaker d01, demo (synthetic), 3 semitones up
    """
    one_title = title is None or isinstance(title, str)
    if not (one_title or isinstance(what, pd.DataFrame)):
        raise AudioError("listen takes several titles only with several rows: give one, as text.")
    if isinstance(what, np.ndarray):
        if change is not None:
            raise AudioError(
                "listen changes clips; change samples yourself: listen(step(y, rng), sample_rate)."
            )
        return _of_samples(what, sample_rate, title)
    if sample_rate is not None:
        raise AudioError("listen takes a sampling rate only with samples: the file of a clip has its own.")
    if isinstance(what, pd.DataFrame):
        if len(what) > MOST:
            raise AudioError(f"{len(what)} players are too many for one page: choose at most {MOST} rows.")
        rows = zip(what.iterrows(), [title] * len(what) if one_title else title, strict=True)
        return Players(tuple(_of_row(row, one, change, blind) for (_, row), one in rows))
    if isinstance(what, pd.Series) and {"clip", "path", "corpus"} <= set(what.index):
        return _of_row(what, title, change, blind)
    raise AudioError(
        "listen plays a row of an utterance table, such as corpus.iloc[0] (all of it, not only its path), "
        f"several rows, or an array of samples with its rate; this is {type(what).__name__}."
    )


def resolve(attributes: Mapping[str, str]) -> tuple[np.ndarray, int] | None:
    """Find the sound that a placeholder stands for: samples and rate in Hz; None if it is not here.

    Its ``data-`` attributes are ``data-recipe``, or ``data-corpus`` and ``data-clip`` and perhaps
    ``data-change``.

    Examples
    --------
    >>> resolve({"data-recipe": '{"speaker": "d02", "f0": 1.5}'})[1]
    16000
    >>> resolve({"data-corpus": "no such corpus", "data-clip": "1"}) is None
    True
    """
    from serlab import corpora
    from serlab.augment import Step
    from serlab.corpora import demo, synthesis

    if recipe := attributes.get("data-recipe"):
        settings = json.loads(recipe)
        make = _maker(settings.pop("function", ""))
        return make(**settings), int(attributes.get("data-rate", synthesis.SAMPLE_RATE))
    corpus, clip = attributes.get("data-corpus", ""), attributes.get("data-clip", "")
    if corpus == demo.RECORD.name:
        sound = (demo.speak(clip), synthesis.SAMPLE_RATE) if demo.parse(clip) else None
    else:
        root = corpora.find(corpus) if corpus in corpora.names() else None
        path = _clips(corpus, root).get(clip)
        sound = None if path is None else _read(path)
    if sound is None or not (change := attributes.get("data-change")):
        return sound
    name, probability, settings = json.loads(change)
    if (function := _function_of_serlab(name)) is None:
        raise AudioError(
            f"There is no change {name!r} in serlab.augment or serlab.audio: run the chapter again."
        )
    return _changed(sound, Step(function, probability=probability, **settings))


@lru_cache
def _clips(corpus: str, root: Path | None) -> dict[str, Path]:
    """Name the clips of a corpus that travel with the package, and those that are in a folder."""
    from serlab import corpora
    from serlab.corpora import emodb, locate

    table = emodb.excerpts().query("corpus == @corpus")
    clips = dict(zip(table["clip"], map(Path, table["path"]), strict=True))
    if root is not None:
        clips |= {path.stem: path for path in locate.clip_files(corpora.record(corpus), root)}
    return clips


def data_uri(y: np.ndarray, sample_rate: int) -> str:
    """Return a sound as FLAC in a data URI, at 8 to 16 kHz, which every current browser plays.

    Takes (samples,) between -1 and 1, and their rate in Hz. What lies beyond is scaled down, not clipped.

    Examples
    --------
    >>> data_uri(np.zeros(160), 16000)[:22]
    'data:audio/flac;base64'
    """
    import soundfile

    y = np.asarray(y, dtype=np.float32)
    if y.ndim != 1 or not len(y) or not np.isfinite(y).all():
        raise AudioError(
            f"A player needs finite samples of shape (samples,); these have shape {y.shape}. "
            "Mix channels by their mean, and remove NaN first."
        )
    if not LOWEST_RATE <= sample_rate <= SAMPLE_RATE:
        from serlab.audio import resample

        y, sample_rate = resample(y, sample_rate, SAMPLE_RATE), SAMPLE_RATE
    file = io.BytesIO()
    peak = max(1.0, float(np.abs(y).max()))
    soundfile.write(file, y / peak, sample_rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(file.getvalue()).decode()


def _of_samples(y: np.ndarray, sample_rate: int | None, title: str | None) -> Player:
    if sample_rate is None:
        raise AudioError("listen needs the sampling rate of the samples: listen(y, sample_rate).")
    title = title or f"{len(y) / sample_rate:.1f} s of sound"
    credit, attributes, recipe = "", {}, getattr(y, "recipe", None)
    if recipe is not None:
        credit = "synthetic sound" if "function" in recipe else "synthetic voice"
        attributes = {"data-recipe": json.dumps(recipe, sort_keys=True), "data-title": title}
        if sample_rate != SAMPLE_RATE:
            attributes["data-rate"] = str(sample_rate)
    return Player(title, title, credit, attributes, lambda: (y, sample_rate))


def _of_row(row: pd.Series, title: str | None, change: Step | None, blind: bool) -> Player:
    from serlab import corpora

    corpus = str(row["corpus"])
    known = corpora.record(corpus) if corpus in corpora.names() else None
    # In a table of several corpora names begin with that of the corpus.
    clip, speaker = (str(row.get(name, "")).removeprefix(f"{corpus}/") for name in ("clip", "speaker"))
    emotion = str(row.get("emotion", "")) or str(row.name)
    shown = title or ("a clip" if blind else emotion)
    parts = [f"clip {clip}", emotion, f"speaker {speaker}" if "speaker" in row else ""]
    parts += [known.title if known else corpus, change and (title or change.function.__name__)]
    caption = shown if blind else ", ".join(part for part in parts if part)
    attributes = {"data-corpus": corpus, "data-clip": clip, "data-title": shown}
    if change is not None:
        recipe = _written(change)
        # Without a recipe a placeholder would stand for the clip as it is.
        attributes = attributes | {"data-change": recipe} if recipe else {}
    credit = f"{known.title}, {known.licence}" if known else corpus
    return Player(shown, caption, credit, attributes, lambda: _changed(_read(row["path"]), change))


def _read(path: Path | str) -> tuple[np.ndarray, int]:
    from serlab.audio import read

    return read(path, SAMPLE_RATE)


def _changed(sound: tuple[np.ndarray, int], change: Step | None) -> tuple[np.ndarray, int]:
    y, sample_rate = sound
    return (y if change is None else change(y, np.random.default_rng(0))), sample_rate


def _maker(name: str) -> Callable:
    """Find the function of a recipe: one of a lesson or of the synthesiser."""
    from serlab.corpora import synthesis

    if not name:
        return synthesis.synthesise_phrase
    module, _, function = name.rpartition(".")
    if not module.startswith("serlab.lessons."):
        raise AudioError(f"There is no sound {name!r} in serlab.lessons: run the chapter again.")
    return getattr(importlib.import_module(module), function)


def _written(change: Step) -> str | None:
    """Write a change so that `resolve` can read it; None if it is not serlab's, or not of plain numbers."""
    name, settings = change.function.__name__, change.settings
    plain = all(isinstance(value, (int, float, str)) for value in settings.values())
    if not plain or _function_of_serlab(name) is not change.function:
        return None
    return json.dumps([name, change.probability, settings], sort_keys=True)


def _function_of_serlab(name: str) -> Callable | None:
    from serlab import audio, augment

    for module in (augment, audio):
        function = getattr(module, name, None)
        ours = inspect.isfunction(function) and function.__module__.startswith(module.__name__)
        if ours and not name.startswith("_"):
            return function
    return None

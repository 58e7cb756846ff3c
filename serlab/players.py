"""Audio players for notebooks that can be committed: with sound while you work, without it in the repository.

With ``SERLAB_PLAYERS=placeholder`` in the environment a player names its clip instead of holding it.
Notebooks are executed that way before they are committed, since most corpora may not be passed on, and the
book puts the sound in when it is built on a machine that has the corpus.
"""

from __future__ import annotations

import base64
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
MOST = 24  # players at a time: each holds its sound, and a page with hundreds does not open


@dataclass(frozen=True)
class Player:
    """One sound with its caption; a notebook shows it as a player.

    Parameters
    ----------
    title : str
        What is heard, in a few words.
    caption : str
        One line: clip, emotion, speaker, corpus.
    credit : str
        Corpus and licence.
    attributes : Mapping[str, str]
        The ``data-`` attributes by which `resolve` finds the sound again; empty if it cannot be found.
    sound : tuple of np.ndarray and int, or Path
        Samples with their rate in Hz, or the file.
    change : serlab.augment.Step, optional
        What is done to the samples before they are played.
    """

    title: str
    caption: str
    credit: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    sound: tuple[np.ndarray, int] | Path | None = field(default=None, repr=False, compare=False)
    change: Step | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Player: {self.caption}"

    def _repr_html_(self) -> str:
        data = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        if os.environ.get("SERLAB_PLAYERS") == "placeholder":
            inside = f'<p class="serlab-absent">{escape(self.caption)} — run this cell to hear it</p>'
        else:
            y, sample_rate = self.sound if isinstance(self.sound, tuple) else _read(self.sound)
            uri = data_uri(y if self.change is None else _changed(y, self.change), sample_rate)
            label = escape(f"Play {self.caption}")
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
        A row or rows of an utterance table, or the samples of a sound.
    sample_rate : int, optional
        Samples per second in Hz; needed with samples, not allowed otherwise.
    title : str or iterable of str, optional
        What is heard, one for each row; the emotion if not given.
    change : serlab.augment.Step, optional
        Play the clip, or each of the clips, changed in this way, at 16 kHz. What is random is drawn with
        seed 0.
    blind : bool
        Leave out the caption, which gives clip, emotion and speaker away.

    Raises
    ------
    AudioError
        If `what` is none of these, if there are more than `MOST` rows, if samples come without their rate or
        with a change, or if one sound comes with several titles.

    Notes
    -----
    What `serlab.corpora.synthesis.synthesise_phrase` returns remembers how it was made, so that the book can
    make it again, and so does a clip with a change from `serlab.augment` or `serlab.audio`; any other sound
    can be heard only where it was computed.

    Examples
    --------
    >>> import serlab
    >>> from serlab.corpora import synthesis
    >>> listen(synthesis.synthesise_phrase(f0=1.5), synthesis.SAMPLE_RATE, title="f0 × 1.5")
    Player: f0 × 1.5
    >>> listen(serlab.load("demo").iloc[0])
    Player: clip d01-angry-s1-1, angry, speaker d01, demo (synthetic)
    >>> from serlab.augment import Step, pitch_shift
    >>> higher = Step(pitch_shift, semitones=3, sample_rate=16000)
    >>> listen(serlab.load("demo").iloc[0], title="3 semitones up", change=higher)
    Player: clip d01-angry-s1-1, angry, speaker d01, demo (synthetic), 3 semitones up
    """
    if not (isinstance(what, pd.DataFrame) or title is None or isinstance(title, str)):
        raise AudioError("listen takes several titles only with several rows: give one, as text.")
    caption = title if isinstance(title, str) else None
    if isinstance(what, np.ndarray):
        if change is not None:
            raise AudioError(
                "listen changes clips; change samples yourself: listen(step(y, rng), sample_rate)."
            )
        return _of_samples(what, sample_rate, caption)
    if sample_rate is not None:
        raise AudioError("listen takes a sampling rate only with samples: the file of a clip has its own.")
    if isinstance(what, pd.DataFrame):
        rows = [row for _, row in what.iterrows()]
        if len(rows) > MOST:
            raise AudioError(f"{len(rows)} players are too many for one page: choose at most {MOST} rows.")
        titles = [title] * len(rows) if title is None or isinstance(title, str) else title
        return Players(tuple(_of_row(row, one, change, blind) for row, one in zip(rows, titles, strict=True)))
    if isinstance(what, pd.Series) and {"clip", "path", "corpus"} <= set(what.index):
        return _of_row(what, caption, change, blind)
    raise AudioError(
        "listen plays a row of an utterance table, such as corpus.iloc[0] (all of it, not only its path), "
        f"several rows, or an array of samples with its rate; this is {type(what).__name__}."
    )


def resolve(attributes: Mapping[str, str]) -> tuple[np.ndarray, int] | None:
    """Find the sound that a placeholder stands for.

    Parameters
    ----------
    attributes : Mapping[str, str]
        The ``data-`` attributes of a placeholder: ``data-recipe``, or ``data-corpus`` and ``data-clip`` and
        perhaps ``data-change``.

    Returns
    -------
    tuple of np.ndarray and int, or None
        Samples and rate in Hz; None if the corpus or the clip is not on this machine.

    Examples
    --------
    >>> y, sample_rate = resolve({"data-recipe": '{"speaker": "d02", "f0": 1.5}'})
    >>> sample_rate
    16000
    >>> resolve({"data-corpus": "no such corpus", "data-clip": "1"}) is None
    True
    """
    from serlab.corpora import synthesis

    if recipe := attributes.get("data-recipe"):
        return synthesis.synthesise_phrase(**json.loads(recipe)), synthesis.SAMPLE_RATE
    sound = _clip(attributes.get("data-corpus", ""), attributes.get("data-clip", ""))
    if sound is None or not (change := attributes.get("data-change")):
        return sound
    y, sample_rate = sound
    return _changed(y, _step(change)), sample_rate


def data_uri(y: np.ndarray, sample_rate: int) -> str:
    """Return a sound as FLAC in a data URI, at 16 kHz at most, which every current browser plays.

    Parameters
    ----------
    y : np.ndarray
        Samples between -1 and 1, of shape (samples,). What lies beyond is scaled down, not clipped.
    sample_rate : int
        In Hz.

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
    if sample_rate > SAMPLE_RATE:
        from serlab.audio import resample

        y, sample_rate = resample(y, sample_rate, SAMPLE_RATE), SAMPLE_RATE
    y = y / max(1.0, float(np.abs(y).max()))
    file = io.BytesIO()
    soundfile.write(file, y, sample_rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(file.getvalue()).decode()


def _of_samples(y: np.ndarray, sample_rate: int | None, title: str | None) -> Player:
    if sample_rate is None:
        raise AudioError("listen needs the sampling rate of the samples: listen(y, sample_rate).")
    title = title or f"{len(y) / sample_rate:.1f} s of sound"
    recipe = getattr(y, "recipe", None)
    if recipe is None:
        return Player(title, title, "", {}, (y, sample_rate))
    attributes = {"data-recipe": json.dumps(recipe, sort_keys=True), "data-title": title}
    return Player(title, title, "synthetic voice", attributes, (y, sample_rate))


def _of_row(row: pd.Series, title: str | None, change: Step | None, blind: bool) -> Player:
    from serlab import corpora

    corpus = str(row["corpus"])
    known = corpora.record(corpus) if corpus in corpora.names() else None
    # In a table of several corpora names begin with that of the corpus.
    clip, speaker = (str(row.get(name, "")).removeprefix(f"{corpus}/") for name in ("clip", "speaker"))
    emotion = str(row.get("emotion", "")) or str(row.name)
    who = "" if known is None else known.title
    parts = [
        f"clip {clip}",
        emotion,
        f"speaker {speaker}" if "speaker" in row else "",
        who or corpus,
        "" if change is None else title or change.function.__name__,
    ]
    attributes = {
        "data-corpus": corpus,
        "data-clip": clip,
        "data-title": title or ("a clip" if blind else emotion),
    }
    if change is not None:
        recipe = _written(change)
        # Without a recipe a placeholder would stand for the clip as it is.
        attributes = {} if recipe is None else attributes | {"data-change": recipe}
    caption = (title or "a clip") if blind else ", ".join(part for part in parts if part)
    return Player(
        title=title or (caption if blind else emotion),
        caption=caption,
        credit=f"{who}, {known.licence}" if known else corpus,
        attributes=attributes,
        sound=Path(row["path"]),
        change=change,
    )


def _changed(y: np.ndarray, change: Step) -> np.ndarray:
    return change(y, np.random.default_rng(0))


def _written(change: Step) -> str | None:
    """Write a change so that `_step` can read it; None if it is not from serlab, or not of plain numbers."""
    function, settings = change.function, change.settings
    plain = all(isinstance(value, (int, float, str)) for value in settings.values())
    if not plain or _ours(function.__name__) is not function:
        return None
    return json.dumps([function.__name__, change.probability, settings], sort_keys=True)


def _step(text: str) -> Step:
    from serlab.augment import Step

    name, probability, settings = json.loads(text)
    function = _ours(name)
    if function is None:
        raise AudioError(
            f"There is no change {name!r} in serlab.augment or serlab.audio: run the chapter again."
        )
    return Step(function, probability=probability, **settings)


def _ours(name: str) -> Callable | None:
    from serlab import audio, augment

    if name in augment.__all__:
        return getattr(augment, name)
    function = getattr(audio, name, None)
    return function if inspect.isfunction(function) and function.__module__ == audio.__name__ else None


def _read(path: Path) -> tuple[np.ndarray, int]:
    from serlab.audio import read

    return read(path, SAMPLE_RATE)


def _clip(corpus: str, clip: str) -> tuple[np.ndarray, int] | None:
    from serlab.corpora import demo, synthesis

    if corpus == demo.RECORD.name:
        return (demo.speak(clip), synthesis.SAMPLE_RATE) if demo.parse(clip) else None
    path = _path(corpus, clip)
    return None if path is None else _read(path)


def _path(corpus: str, clip: str) -> Path | None:
    from serlab import corpora

    root = corpora.find(corpus) if corpus in corpora.names() else None
    return None if root is None else _clips(corpus, root).get(clip)


@lru_cache
def _clips(corpus: str, root: Path) -> dict[str, Path]:
    from serlab import corpora
    from serlab.corpora import locate

    return {path.stem: path for path in locate.clip_files(corpora.record(corpus), root)}

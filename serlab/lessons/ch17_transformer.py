"""Chapter 17: where the heads of a transformer look, how that sounds, and what each of its blocks knows."""

import sys
from collections.abc import Mapping
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serlab import audio
from serlab.backend import keras
from serlab.corpora import emodb, synthesis
from serlab.embeddings import Whisper
from serlab.embeddings.whisper import log_mel
from serlab.players import Players, listen
from serlab.plots import spectrogram
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, new_axes

RATE = 16_000
# Samples from the middle of one frame of Whisper to that of the next.
HOP = 320
_LOOKS = {
    "marker": "o^sD",
    "color": (HONEST, FLATTERING, "#117733", "#666666"),
    "linestyle": ("-", "--", "-.", ":"),
}


def all_blocks() -> Whisper:
    """Give Whisper with what enters and leaves every block; without the last if its weights are missing."""
    every = Whisper(blocks=(0, 1, 2, 3, 4))
    if "google.colab" in sys.modules or every.weights.find():
        return every
    print("The weights of the last block are not here, so it is left out below.")
    print("Whisper(blocks=(4,)).weights.locate() fetches them (72 MB); then run the page again.")
    return Whisper(blocks=(0, 1, 2, 3))


def voice(number: int) -> np.ndarray:
    """Read one of the eight voices of chapter 1, (samples,) at 16 kHz.

    Examples
    --------
    >>> voice(3).shape
    (25912,)
    """
    return audio.read(emodb.excerpts().loc[number, "path"], RATE)[0]


def _at_heads(y: np.ndarray, block: int):
    """Give what the heads of a block are given, (1, time, channels), and the layer that they are."""
    network = Whisper(blocks=(block,)).network
    place = f"blocks-{block - 1}-attn"
    lower = keras.Model(network.input, network.get_layer(f"{place}_ln").output)
    return lower(log_mel(y).T[None], training=False), network.get_layer(place)


def one_head(y: np.ndarray, block: int, head: int) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Give what a head of Whisper's encoder is given, and what it has learnt; block and head count from 1.

    Takes a voice, (samples,) at 16 kHz. Gives normalised frames, (time, channels), 50 per second, and three
    pairs of weights and bias, (channels, 64) and (64,), which make queries, keys and values.

    Examples
    --------
    >>> frames, layers = one_head(voice(3), block=2, head=6)
    >>> frames.shape, [weights.shape for weights, _ in layers]
    ((81, 384), [(384, 64), (384, 64), (384, 64)])
    """
    frames, layer = _at_heads(y, block)
    learnt = layer.get_weights()
    layers = [(learnt[i][:, head - 1], learnt[i + 1][head - 1]) for i in (0, 2, 4)]
    return keras.ops.convert_to_numpy(frames)[0], layers


def attention(y: np.ndarray, block: int) -> np.ndarray:
    """Let Keras compute how much each frame attends to each frame: (samples,) to (heads, time, time).

    Examples
    --------
    >>> maps = attention(voice(3), block=1)
    >>> maps.shape, bool(np.allclose(maps.sum(axis=-1), 1, atol=1e-5))
    ((6, 81, 81), True)
    """
    frames, layer = _at_heads(y, block)
    return keras.ops.convert_to_numpy(layer(frames, frames, return_attention_scores=True)[1])[0]


def from_a_moment(number: int, second: float, heads: Mapping[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """Give how much heads attend to each frame of a voice, by its number, from one of its moments.

    `heads` maps the name of a curve to block and head, from 1. Each curve, (time,), adds up to 1.
    """
    y, frame = voice(number), round(second * RATE / HOP)
    maps = {block: attention(y, block) for block, _ in heads.values()}
    return {name: maps[block][head - 1, frame] for name, (block, head) in heads.items()}


@synthesis.remember
def weighed(*, number: int, second: float, block: int, head: int) -> np.ndarray:
    """Make a voice as loud at each moment as a head attends to it, seen from one of them.

    Examples
    --------
    >>> y = weighed(number=3, second=0.22, block=2, head=6)
    >>> loudest = int(np.abs(y).argmax()) / RATE
    >>> 0.4 < loudest < 0.5
    True
    """
    y = voice(number)
    (weights,) = from_a_moment(number, second, {"": (block, head)}).values()
    gain = np.interp(np.arange(len(y)), HOP * np.arange(len(weights)), weights / weights.max())
    return (gain * y).astype(np.float32)


def listen_with(number: int, second: float, heads: Mapping[str, tuple[int, int]]) -> Players:
    """Play a voice, and then as `weighed` by heads that look out from a moment; see `from_a_moment`."""
    row, corpus = emodb.excerpts().loc[number], emodb.FIRST_2S
    players = [listen(row, title="the voice")]
    for name, (block, head) in heads.items():
        sound = weighed(number=number, second=second, block=block, head=head)
        player = listen(sound, RATE, title=name)
        players.append(replace(player, credit=f"{corpus.title}, {corpus.licence}, weighed by attention"))
    return Players(tuple(players))


def where_heads_look(number: int, second: float, looks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draw a voice, and below it how much heads attend to each moment from the one that is marked.

    `number` and `second` are as for `from_a_moment`, `looks` are of it.
    """
    heights = [3, *[1] * len(looks)]
    size = (5.6, 1.1 * sum(heights))
    axes = plt.subplots(len(heights), figsize=size, sharex=True, height_ratios=heights)[1]
    y = voice(number)
    spectrogram(y, RATE, axes[0], kind="mel", colorbar=False)
    for ax, (name, weights) in zip(axes[1:], looks.items(), strict=True):
        ax.bar(np.arange(len(weights)) * HOP / RATE, 100 * weights, width=HOP / RATE, color=HONEST)
        ax.set(ylabel="weight (%)")
        ax.set_title(name, loc="left")
    for ax in axes:
        ax.axvline(second, color="white" if ax is axes[0] else FLATTERING, linewidth=2)
        ax.set_xlabel("")
    axes[-1].set(xlabel="time (s)", xlim=(0, len(y) / RATE))
    return axes


def by_block(table: pd.DataFrame, chance: float, ax: Axes | None = None) -> Axes:
    """Draw what can be read from each block, beside a guess.

    The table has a row per block and a column of scores (0…1) for each of up to four questions.

    Examples
    --------
    >>> ax = by_block(pd.DataFrame({"emotion": [0.2, 0.5]}, index=[0, 1]), chance=0.1)
    >>> ax.lines[0].get_ydata().tolist()
    [20.0, 50.0]
    """
    ax = new_axes(ax, SIZE)
    for place, (name, column) in enumerate(table.items()):
        look = {key: values[place] for key, values in _LOOKS.items()}
        ax.plot(table.index, 100 * column, label=name, **look)
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="a guess")
    ax.set(xlabel="after block", ylabel="UAR; pitch: R² (%)", ylim=(0, 102), xticks=table.index)
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3, columnspacing=1.0)
    return ax

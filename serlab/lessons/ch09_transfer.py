"""Chapter 9: a game of altered sounds, who is near whom among embeddings, and how far few speakers teach."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from serlab import audio, augment, evaluation, training
from serlab.corpora import emodb
from serlab.embeddings import ByolS
from serlab.embeddings.byol import log_mel
from serlab.players import Players, listen
from serlab.plots.style import EDGE, SIZE, emotion_palette, new_axes
from serlab.splits import Fold, Split

RATE = 16_000
# As long as the pieces that BYOL-S learnt from.
PIECE = round(0.96 * RATE)
_SPEAKER_COLOURS = ("#332288", "#88CCEE", "#117733", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#BBBBBB")
# One look for each curve of `few_labels`: colour, marker, line.
_LOOKS = (("#332288", "o", "-"), ("#117733", "^", "-"), ("#332288", "o", "--"), ("#117733", "^", "--"))


def borrowed() -> ByolS:
    """Give BYOL-S with its trained weights, or say that they are missing and give it random ones."""
    if "google.colab" in sys.modules or ByolS().weights.find():
        return ByolS()
    print("No weights of BYOL-S here: random ones stand in, so numbers differ from the text.")
    print("ByolS().weights.locate() fetches them (2.4 MB); then run the page again.")
    return ByolS(trained=False)


def three_sounds() -> Players:
    """Give players of three sounds; two are one recording, altered in two ways (the chapter says which)."""
    voices = emodb.excerpts()
    lower = augment.Step(augment.pitch_shift, semitones=-2, sample_rate=RATE)
    noisy = augment.Step(augment.add_noise, snr=10)
    sounds = (("A", 3, lower), ("B", 7, None), ("C", 3, noisy))
    played = (listen(voices.loc[n], title=name, change=change, blind=True) for name, n, change in sounds)
    return Players(tuple(played))


def version(y: np.ndarray, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut out a part of a sound at 16 kHz, stretch it in time and pitch, and mix in a little of another.

    Drawn are the part, the stretch (up to 15 %, up to three semitones) and the level of the background.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> 8000 < len(version(np.ones(16000), np.ones(16000), rng)) < 20000
    True
    """
    length = round(len(y) * rng.uniform(0.7, 1))
    start = rng.integers(0, len(y) - length + 1)
    part = augment.time_stretch(y[start : start + length], rng.uniform(0.85, 1.15), RATE)
    part = augment.pitch_shift(part, rng.uniform(-3, 3), RATE)
    other = np.resize(background, len(part))
    level = np.sqrt(np.mean(part**2) / max(np.mean(other**2), 1e-12))
    return (part + rng.uniform(0.05, 0.4) * level * other).astype(np.float32)


def pairs_of_versions(corpus: pd.DataFrame, clips: int = 100) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Make two altered versions, of about a second each, of some clips that are drawn, in the same order."""
    rng = np.random.default_rng(0)
    rows = rng.choice(len(corpus), min(clips, len(corpus)), replace=False)
    sounds = []
    for path in corpus["path"].iloc[rows]:
        speech = audio.trim(audio.read(path, RATE)[0], top_db=35)
        sounds.append(audio.fit_length(speech, PIECE, align="centre"))
    first, second = ([version(y, sounds[rng.integers(len(sounds))], rng) for y in sounds] for _ in range(2))
    return first, second


def partners_found(first: np.ndarray, second: np.ndarray) -> float:
    """Give the share of sounds whose nearest second version, by the cosine, is that of the same sound.

    Rows of both, (sounds, features), belong together.

    Examples
    --------
    >>> first, second = np.array([[1, 0], [0, 1], [1, 1]]), np.array([[2, 0], [1, 3], [1, 0.1]])
    >>> round(partners_found(first, second), 2)
    0.67
    """
    nearest = cosine_similarity(np.asarray(first), np.asarray(second)).argmax(axis=1)
    return float((nearest == np.arange(len(nearest))).mean())


def spectrum_of(y: np.ndarray) -> np.ndarray:
    """Give the mean over time of the picture that BYOL-S takes: 64 numbers, and nothing learnt."""
    return log_mel(y).mean(axis=1)


def flat_map(X: np.ndarray) -> np.ndarray:
    """Lay clips on a flat map with t-SNE, so that near ones stay near: (clips, features) to (clips, 2)."""
    scaled = StandardScaler().fit_transform(X)
    main = PCA(min(50, *X.shape), random_state=0).fit_transform(scaled)
    return TSNE(perplexity=min(30, (len(X) - 1) / 3), random_state=0).fit_transform(main)


def two_maps(points: np.ndarray, emotions: np.ndarray, speakers: np.ndarray) -> Sequence[Axes]:
    """Draw the map of `flat_map` twice: coloured by emotion, and by speaker (24 can be told apart)."""
    axes = plt.subplots(2, 1, figsize=(5.6, 8.2))[1]
    for emotion, colour in emotion_palette(emotions).items():
        axes[0].scatter(*points[emotions == emotion].T, s=9, color=colour, label=emotion)
    for number, speaker in enumerate(sorted(set(speakers))):
        look = {"color": _SPEAKER_COLOURS[number % 8], "marker": "o^sDvP*X"[number // 8 % 8]}
        axes[1].scatter(*points[speakers == speaker].T, s=12, **look)
    for ax, title in zip(axes, ("by emotion", "by speaker"), strict=True):
        ax.set(title=title, xticks=[], yticks=[], xlabel="t-SNE 1 (no unit)", ylabel="t-SNE 2 (no unit)")
    axes[0].legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2, handletextpad=0.1)
    return axes


def nearest_shares(X: np.ndarray, **labels: Sequence[str]) -> dict[str, float]:
    """Give the share of clips whose nearest other clip has the same label, for each kind of label.

    Features, (clips, features), are standardised over all clips before distances are taken.

    Examples
    --------
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> nearest_shares(X, speaker=list("aabb"), emotion=["sad", "angry", "sad", "sad"])
    {'speaker': 1.0, 'emotion': 0.5}
    """
    scaled = StandardScaler().fit_transform(X)
    # Asked for no clips, it leaves each clip out of its own neighbours.
    other = NearestNeighbors(n_neighbors=1).fit(scaled).kneighbors(return_distance=False)[:, 0]
    return {name: float((np.asarray(one)[other] == np.asarray(one)).mean()) for name, one in labels.items()}


def _groups(speakers: Sequence[str], size: int) -> list[np.ndarray]:
    """Deal speakers at random into groups of a size, so that each teaches once; who is left over does not."""
    dealt = np.random.default_rng(0).permutation(sorted(set(speakers)))
    return [dealt[start : start + size] for start in range(0, len(dealt) - size + 1, size)]


def few_speakers(
    build: Callable[[int], Any], X: np.ndarray, corpus: pd.DataFrame, split: Split, size: int
) -> pd.DataFrame:
    """Train on `size` of the training speakers of each fold, and predict its test clips; all take their turn.

    Gives what `serlab.training.cross_validate` does; ``seed`` numbers the group of speakers.
    """
    speakers = corpus["speaker"].to_numpy().astype(str)
    dealt = [_groups(speakers[fold.train], size) for fold in split.folds]
    runs = []
    for seed, groups in enumerate(zip(*dealt, strict=False)):
        folds = tuple(
            Fold(fold.train[np.isin(speakers[fold.train], group)], fold.validation, fold.test)
            for fold, group in zip(split.folds, groups, strict=True)
        )
        few = Split("few speakers", f"{size} training speakers", folds, speaker_disjoint=True)
        runs.append(training.cross_validate(build, X, corpus, few).assign(seed=seed))
    return pd.concat(runs, ignore_index=True)


def few_labels(
    taught: Mapping[str, Mapping[int, pd.DataFrame]], chance: float, ax: Axes | None = None
) -> Axes:
    """Draw UAR by the number of speakers that teach: up to four curves, of number to predictions, by name."""
    ax = new_axes(ax, SIZE)
    for (name, by_size), (colour, marker, line) in zip(taught.items(), _LOOKS, strict=False):
        score = [100 * evaluation.interval(rows).value for rows in by_size.values()]
        ax.plot(list(by_size), score, color=colour, marker=marker, linestyle=line, label=name)
    ax.axhline(100 * chance, color=EDGE, linestyle=":", label="chance")
    sizes = list(next(iter(taught.values())))
    ax.set(xscale="log", xlabel="speakers with labels", ylabel="UAR (%)", ylim=(0, None))
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2, columnspacing=1.0)
    return ax

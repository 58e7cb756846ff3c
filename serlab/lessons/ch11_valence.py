"""Chapter 11: the rule that knows only the corpus, pairs of equal arousal, and their pictures."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from serlab import corpora, evaluation, runs
from serlab.plots.style import FLATTERING, HONEST, SIZE, error_bars, name_rows, new_axes

FLOOR_COLOUR = "#117733"
# Dots of one corpus in a picture of all.
DOTS = 100


def answers(model: str, protocol: str = "ternary") -> pd.DataFrame:
    """Read what "valence-<model>" answered, as recorded, with the corpus and the emotion of each clip.

    Examples
    --------
    >>> found = answers("majority")
    >>> found.loc[0, ["corpus", "emotion", "label", "predicted"]].tolist()
    ['ravdess', 'neutral', 'neutral', 'negative']
    """
    found = runs.read("unified", protocol, f"valence-{model}").predictions
    parts = found["clip"].str.split("/", n=1, expand=True)
    names = parts.drop_duplicates().to_numpy()
    emotion = {(name, clip): corpora.record(name).parse(clip)["emotion"] for name, clip in names}
    found["corpus"] = parts[0]
    found["emotion"] = [emotion[tuple(pair)] for pair in parts.to_numpy()]
    return found


def recordings_plot(facts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw silence before the speech and peak level, from `serlab.lessons.ch11_mismatch.recordings`."""
    ax = new_axes(ax, SIZE)
    some = facts.sample(frac=1, random_state=0).groupby("corpus", sort=False).head(DOTS)
    names = list(facts["corpus"].unique())
    colours = dict(zip(names, (HONEST, FLATTERING, FLOOR_COLOUR) * len(names), strict=False))
    look = {"hue": "corpus", "style": "corpus", "hue_order": names, "style_order": names, "palette": colours}
    sns.scatterplot(some, x="lead", y="peak", **look, alpha=0.7, ax=ax)
    ax.set(xlabel="silence before the speech (s)", ylabel="peak level (dBFS)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0, handletextpad=0.2)
    return ax


def measures(models: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give accuracy, UAR and the recall of each class, in percent: one row per model."""
    rows = {}
    for name, said in models.items():
        found = evaluation.report(label=said["label"], predicted=said["predicted"])["recall"]
        accuracy = evaluation.accuracy(said["label"], said["predicted"])
        rows[name] = {"accuracy": accuracy, "UAR": found["mean"], **found.drop("mean")}
    return (100 * pd.DataFrame(rows).T).round(1)


def by_corpus_alone(clips: pd.DataFrame) -> pd.DataFrame:
    """Answer without a sound: say what is most over-represented in the corpus that a clip is from.

    Clips have ``corpus``, ``label`` and ``fold``; how common each class is, is learnt on the other folds. A
    corpus that these do not have gets their largest class.

    Examples
    --------
    >>> clips = pd.DataFrame({"corpus": list("aabb") * 2, "fold": [0] * 4 + [1] * 4})
    >>> clips["label"] = ["sad", "sad", "sad", "happy"] * 2
    >>> by_corpus_alone(clips)["predicted"].tolist()[:4]
    ['sad', 'sad', 'happy', 'happy']
    """
    answered = clips.assign(predicted=None)
    for fold in clips["fold"].unique():
        others, rows = clips[clips["fold"] != fold], clips["fold"] == fold
        share = pd.crosstab(others["corpus"], others["label"], normalize="index")
        usual = others["label"].value_counts(normalize=True)
        rule = (share / usual).idxmax(axis=1)
        answered.loc[rows, "predicted"] = clips.loc[rows, "corpus"].map(rule).fillna(usual.idxmax())
    return answered


def inside_corpora(models: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give the UAR inside each corpus, in percent: one row per model."""
    rows = {
        name: {
            corpus: 100 * evaluation.uar(part["label"], part["predicted"])
            for corpus, part in said.groupby("corpus", sort=False)
        }
        for name, said in models.items()
    }
    return pd.DataFrame(rows).T.round(1)


def more_pleasant(said: pd.DataFrame, one: str, other: str) -> evaluation.Interval:
    """Give how often a clip of one emotion is found more pleasant than one of another by the same speaker.

    More pleasant means that the probability of positive less that of negative is higher. The interval is over
    speakers who have both emotions; a coin gets one half.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker": list("aabb"), "seed": 0, "emotion": ["happy", "angry"] * 2})
    >>> clips = clips.assign(p_positive=[0.8, 0.1, 0.6, 0.7], p_negative=0.1)
    >>> more_pleasant(clips, "happy", "angry").value
    0.5
    """
    pleasant = said["p_positive"] - said["p_negative"]
    rows = []
    for (speaker, _), part in said.groupby(["speaker", "seed"]):
        first, second = (pleasant[part.index[part["emotion"] == name]].to_numpy() for name in (one, other))
        if len(first) and len(second):
            ahead = (np.sign(first[:, None] - second).mean() + 1) / 2
            rows.append({"speaker": speaker, "won": ahead})
    return evaluation.over_speakers(pd.DataFrame(rows), lambda table: table["won"].mean())


def preferences(models: Mapping[str, pd.DataFrame], pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Play several pairs of emotions for several models: ``value``, ``low`` and ``high`` in percent."""
    rows = {
        (f"{one} – {other}", name): more_pleasant(said, one, other)
        for one, other in pairs
        for name, said in models.items()
    }
    return (100 * pd.DataFrame(rows, index=evaluation.Interval._fields).T).round(1)


def preference_plot(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what `preferences` gives: a row for each pair, a mark for each model, a line for a coin."""
    pairs, models = (list(dict.fromkeys(table.index.get_level_values(level))) for level in (0, 1))
    ax = new_axes(ax, (SIZE[0], 1.0 + 0.42 * len(pairs)))
    looks = ((FLATTERING, "o"), (HONEST, "D"), (FLOOR_COLOUR, "s"))
    for number, (model, (colour, marker)) in enumerate(zip(models, looks, strict=False)):
        rows = table.xs(model, level=1).loc[pairs]
        height = np.arange(len(pairs)) + 0.24 * (number - (len(models) - 1) / 2)
        error_bars(ax, height, rows, fmt=marker, color=colour, markersize=5, label=model)
    return name_rows(ax, pairs, "the first is found more pleasant (% of pairs)", 50, "a coin")


def above_floor(models: Mapping[str, pd.DataFrame], floor: float, ax: Axes | None = None) -> Axes:
    """Draw the UAR of models with their intervals, beside a guess and the rule that knows only the corpus."""
    ax = new_axes(ax, (SIZE[0], 1.1 + 0.4 * len(models)))
    found = 100 * np.array([evaluation.interval(said) for said in models.values()])
    error_bars(ax, range(len(models)), found, fmt="o", color=HONEST, markersize=5)
    classes = next(iter(models.values()))["label"].nunique()
    ax.axvline(100 * floor, color=FLOOR_COLOUR, linestyle="--", label="knows only the corpus")
    return name_rows(ax, models, "UAR (%)", 100 / classes, "a guess", xlim=(25, 80))

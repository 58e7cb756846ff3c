"""Chapter 13: scores over several corpora and their intervals, a telephone, effect sizes, and pictures."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from sklearn.metrics import roc_auc_score

from serlab import audio, corpora, evaluation, runs, splits, training
from serlab.corpora import demo, synthesis
from serlab.evaluation import Comparison, Interval
from serlab.features import Extractor
from serlab.plots.style import EDGE, FLATTERING, HONEST, SIZE, error_bars, name_rows, new_axes

JOURNEY = ["trained", "tested"]
VALENCE = {"negative": "#882255", "neutral": "#BBBBBB", "positive": "#DDCC77"}


def title(name: str) -> str:
    """Give the short title of a corpus, or its name if the book does not know it.

    Examples
    --------
    >>> title("emodb_first2s"), title("my-own")
    ('EmoDB', 'my-own')
    """
    return re.sub(r" \(.*", "", corpora.record(name).title) if name in corpora.names() else name


def _over_corpora(table: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> Comparison:
    """Give a number computed from several corpora, with its interval over speakers, such as "ravdess/03"."""
    # One speaker at a time is left out. Those of one corpus tell nothing of those of another: each corpus has
    # a standard error of its own.
    clips = table["clips"] if "clips" in table else pd.Series(1, table.index)
    sizes, errors = clips.groupby(table["speaker"]).sum(), []
    for _, part in sizes.groupby(sizes.index.str.split("/").str[0]):
        without = [statistic(table[table["speaker"] != name]) for name in part.index]
        errors.append(evaluation.jackknife(without, part) if len(part) > 1 else (np.nan, 1.0))
    value = statistic(table)
    return Comparison(float(value), *map(float, evaluation.student(value, *errors)))


def _count_right(answers: pd.DataFrame) -> pd.DataFrame:
    """Count the clips and the right answers of each journey (``trained``, ``tested``), speaker and class."""
    right = (answers["label"] == answers["predicted"]).groupby(
        [answers[name] for name in (*JOURNEY, "speaker", "label")], observed=True
    )
    return right.agg(right="sum", clips="count").reset_index()


def _uar_of_counts(counts: pd.DataFrame) -> float:
    sums = counts.groupby([*JOURNEY, "label"])[["right", "clips"]].sum()
    recalls = sums["right"] / sums["clips"]
    return float(recalls.groupby(level=JOURNEY).mean().mean())


def mean_auc(answers: pd.DataFrame) -> float:
    """Give the area under the ROC curve, in the mean over classes and journeys."""
    areas = []
    for _, part in answers.groupby(JOURNEY):
        each = [
            roc_auc_score(part["label"] == name, part[f"p_{name}"].fillna(0))
            for name in part["label"].unique()
            if 0 < (part["label"] == name).mean() < 1
        ]
        areas.append(np.mean(each))
    return float(np.mean(areas))


def mean_uar(answers: pd.DataFrame) -> float:
    """Give the UAR (0…1) of each journey (``trained``, ``tested``), in the mean over journeys.

    Examples
    --------
    >>> mean_uar(pd.DataFrame({"trained": "a", "tested": list("bbc"), "speaker": "x", "label": "sad",
    ...                        "predicted": ["sad", "happy", "sad"]}))
    0.75
    """
    return _uar_of_counts(_count_right(answers))


def score(answers: pd.DataFrame) -> Interval:
    """Give `mean_uar` with its interval over speakers."""
    found = _over_corpora(_count_right(answers), _uar_of_counts)
    return Interval(found.difference, max(found.low, 0.0), min(found.high, 1.0))


def change(first: pd.DataFrame, second: pd.DataFrame) -> Comparison:
    """Compare `mean_uar` of two sets of answers by the same speakers: the first less the second."""
    sides = [_count_right(answers).assign(side=side) for side, answers in ((1, first), (-1, second))]

    def difference(rows: pd.DataFrame) -> float:
        return sum(side * _uar_of_counts(part) for side, part in rows.groupby("side"))

    return _over_corpora(pd.concat(sides, ignore_index=True), difference)


def home(answers: pd.DataFrame) -> pd.DataFrame:
    """Pick the answers to clips of the corpus that the model was trained on."""
    return answers[answers["trained"] == answers["tested"]]


def away(answers: pd.DataFrame) -> pd.DataFrame:
    """Pick the answers to clips of other corpora."""
    return answers[answers["trained"] != answers["tested"]]


def taken_for(answers: pd.DataFrame, table: pd.DataFrame, answer: str = "positive") -> pd.DataFrame:
    """Count how often each emotion (rows) gets one answer on other corpora, in percent.

    Columns are the training corpora, in the mean over journeys, and ``all``; `table` tells the emotion of
    each clip.
    """
    foreign = away(answers)
    emotion = foreign["clip"].map(table.set_index("clip")["emotion"]).rename("emotion")
    given = 100 * (foreign["predicted"] == answer)
    each = given.groupby([foreign["trained"], foreign["tested"], emotion]).mean()
    means = each.reset_index().pivot_table("predicted", "emotion", "trained")[answers["trained"].unique()]
    return means.assign(all=each.groupby("emotion").mean()).rename_axis(columns=None)


def measures(said: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give `mean_uar` and `mean_auc`, in percent, within corpora and across: a row per set of answers."""
    rows = {}
    for name, answers in said.items():
        places = {"home": home(answers), "away": away(answers)}
        rows[name] = {f"UAR {place}": mean_uar(part) for place, part in places.items()}
        rows[name] |= {f"AUC {place}": mean_auc(part) for place, part in places.items()}
    return (100 * pd.DataFrame(rows).T).round(1)


def telephone(y: np.ndarray) -> np.ndarray:
    """Make a clip (at 16 kHz) softer, and take the high frequencies from it: the microphone of demo-b."""
    return demo.alter(y, "demo-b")


@synthesis.remember
def on_the_phone(*, speaker: str) -> np.ndarray:
    """Let the synthetic voice of a speaker be heard over the `telephone`.

    Examples
    --------
    >>> on_the_phone(speaker="d01").recipe["speaker"]
    'd01'
    """
    return telephone(np.asarray(synthesis.synthesise_phrase(speaker)))


def phone_test(
    build: Callable, X: np.ndarray, table: pd.DataFrame, extractor: Extractor
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test a model on unheard speakers of its own corpus twice: in the room, and over the `telephone`.

    `X` are features of the clips as they are, (clips, features), by `extractor`, which measures 200 clips, or
    a third of all, anew; `table` has a column ``ternary``. Gives two sets of answers to these clips.
    """
    called = np.random.default_rng(0).permutation(len(table))[: min(200, len(table) // 3)]
    phoned = X.copy()
    for row in called:
        signal = audio.read(table["path"].iloc[row], 16000)[0]
        phoned[row] = extractor.extract(telephone(signal))
    y, near, far = table["ternary"].to_numpy(), [], []
    for fold in splits.corpus_folds(table, min(5, table["speaker"].nunique())):
        fitted = build(0).fit(X[fold.train], y[fold.train])
        rows = np.intersect1d(fold.test, called)
        answers = table.iloc[rows][["clip", "speaker"]].assign(label=y[rows], trained="own", tested="own")
        near.append(answers.assign(predicted=fitted.predict(X[rows])))
        far.append(answers.assign(predicted=fitted.predict(phoned[rows])))
    return pd.concat(near), pd.concat(far)


def part_of_each(table: pd.DataFrame, seed: int = 0) -> splits.Split:
    """Leave one corpus out, and train on a share of the speakers of each other: as much as one corpus has.

    Examples
    --------
    >>> table = pd.DataFrame({"corpus": list("aaabbbccc"), "language": list("xxxyyyzzz")})
    >>> table["speaker"] = table["corpus"] + "/" + pd.Series(list("123" * 3))
    >>> [len(fold.train) for fold in part_of_each(table)]
    [4, 4, 4]
    """
    rng, folds = np.random.default_rng(seed), []
    for fold in splits.leave_one_out(table, "corpus"):
        others = table.iloc[fold.train]
        drawn = []
        for _, speakers in others.groupby("corpus", sort=False)["speaker"]:
            names = speakers.unique()
            drawn += list(rng.permutation(names)[: max(1, round(len(names) / others["corpus"].nunique()))])
        train = fold.train[others["speaker"].isin(drawn).to_numpy()]
        folds.append(splits.Fold(train, fold.validation, fold.test))
    return splits.Split(f"part{seed}", "a part of each other corpus", tuple(folds), True)


def left_out(build: Callable, X: np.ndarray, table: pd.DataFrame, split: splits.Split) -> pd.DataFrame:
    """Train on each fold of a split that leaves whole corpora out, and name the corpus that is tested."""
    return _by_corpus(training.cross_validate(build, X, table, split, y=table["ternary"]))


def _by_corpus(answers: pd.DataFrame) -> pd.DataFrame:
    return answers.assign(trained="several", tested=answers["clip"].str.split("/").str[0])


def effects(X: np.ndarray, table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Give Cohen's d of each feature (rows) between the poles of an axis, arousal or valence, in each corpus.

    The index of the table says which row of `X`, (clips, features), belongs to which clip.

    Examples
    --------
    >>> table = pd.DataFrame({"corpus": "a", "valence": [1, 1, -1, -1]})
    >>> effects(np.array([[2.0], [4.0], [0.0], [2.0]]), table, "valence").round(2)["a"].tolist()
    [1.41]
    """
    found = {}
    for name, part in table.groupby("corpus", sort=False):
        high, low = (X[part.index[part[axis] == side]] for side in (1, -1))
        spread = np.sqrt((high.var(axis=0, ddof=1) + low.var(axis=0, ddof=1)) / 2)
        found[name] = (high.mean(axis=0) - low.mean(axis=0)) / np.maximum(spread, 1e-6)
    return pd.DataFrame(found)


def agreement(X: np.ndarray, table: pd.DataFrame, axis: str, first: str, second: str) -> Comparison:
    """Correlate the `effects` in two corpora: 1 where features mean the same in both, -1 where they turn."""
    both = table[table["corpus"].isin([first, second])]

    def correlation(rows: pd.DataFrame) -> float:
        d = effects(X, rows, axis)
        return d[first].corr(d[second])

    return _over_corpora(both, correlation)


def recorded_table(models: Sequence[str]) -> pd.DataFrame:
    """Give `mean_uar` of "valence-<model>", recorded with the tested corpus in training and without it.

    In percent, with the ``change`` and its interval.
    """
    rows = {}
    for model in models:
        known, without = (
            _by_corpus(runs.read("unified", protocol, f"valence-{model}").predictions)
            for protocol in ("ternary", "ternary-loco")
        )
        found = change(without, known)
        rows[model] = (mean_uar(known), mean_uar(without), *found[:3])
    columns = ["corpus known", "left out", "change", "low", "high"]
    return (100 * pd.DataFrame.from_dict(rows, orient="index", columns=columns)).round(1)


def steps(said: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare each set of answers with the one before it, on journeys to another corpus, in points.

    ``p_holm`` is corrected for the number of steps.
    """
    kinds = [away(answers) for answers in said.values()]
    found = [change(after, before) for before, after in pairwise(kinds)]
    table = pd.DataFrame(found, index=list(said)[1:])
    points = (100 * table[["difference", "low", "high"]]).round(1)
    return points.assign(p_holm=evaluation.holm(table["p"]).round(3))


def square(answers: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the UAR of each journey: rows trained, columns tested, intervals in small print."""
    names = list(dict.fromkeys(answers["trained"]))
    found = {place: score(part) for place, part in answers.groupby(JOURNEY)}
    values = [[100 * found[trained, tested].value for tested in names] for trained in names]
    texts = [
        [f"{100 * one.value:.0f}\n({100 * one.low:.0f}–{100 * one.high:.0f})" for one in row]
        for row in ([found[trained, tested] for tested in names] for trained in names)
    ]
    ax = new_axes(ax, (4.2, 4.0))
    low = 100 / answers["label"].nunique()
    looks = {"cmap": "Blues", "vmin": low, "vmax": 90, "cbar": False, "linewidths": 1.5, "square": True}
    labels = [title(name) for name in names]
    sns.heatmap(values, annot=texts, fmt="", xticklabels=labels, yticklabels=labels, ax=ax, **looks)
    for n in range(len(names)):
        ax.add_patch(plt.Rectangle((n + 0.03, n + 0.03), 0.94, 0.94, fill=False, edgecolor=EDGE, linewidth=2))
    ax.tick_params(length=0)
    ax.tick_params(axis="y", rotation=90)
    ax.set(xlabel="tested on", ylabel="trained on")
    return ax


def answers_given(answers: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which answers models give on other corpora, below the true shares of the corpus."""
    names, bars = [], []
    for tested, part in answers.groupby("tested", sort=False):
        names += [f"{title(tested)}: truth", *(f"by {title(name)}" for name in part["trained"].unique())]
        bars += [part.drop_duplicates("clip")["label"]]
        bars += [given for _, given in part.groupby("trained", sort=False)["predicted"]]
    places = np.arange(len(bars)) + 0.5 * np.cumsum([": " in name for name in names])
    ax = new_axes(ax, (SIZE[0], 1.0 + 0.33 * len(bars)))
    left = np.zeros(len(bars))
    for one, colour in VALENCE.items():
        share = np.array([100 * (bar == one).mean() for bar in bars])
        ax.barh(places, share, left=left, color=colour, edgecolor="white", label=one)
        left += share
    ax.set_yticks(places, names)
    ax.set(xlabel="share of the clips (%)", xlim=(0, 100), ylim=(places[-1] + 0.6, places[0] - 0.6))
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, columnspacing=1.0)
    return ax


def home_and_away(found: Mapping[str, pd.DataFrame], chance: float, ax: Axes | None = None) -> Axes:
    """Draw the mean UAR of sets of answers within corpora and across them, with intervals."""
    ax = new_axes(ax, (SIZE[0], 1.2 + 0.42 * len(found)))
    kinds = {"same corpus": (home, "o", HONEST), "another corpus": (away, "D", FLATTERING)}
    for name, (pick, marker, colour) in kinds.items():
        scores = 100 * np.array([score(pick(answers)) for answers in found.values()])
        error_bars(ax, range(len(found)), scores, fmt=marker, color=colour, capsize=3, label=name)
    return name_rows(ax, found, "UAR (%)", 100 * chance, xlim=(20, 90))


def effect_clouds(sizes: Mapping[str, pd.DataFrame], first: str, second: str, ax: Axes | None = None) -> Axes:
    """Draw the `effects` of all features in one corpus against those in another, for two sets at most."""
    ax = new_axes(ax, (4.4, 4.4))
    for (name, d), marker, colour in zip(sizes.items(), "xo", (FLATTERING, HONEST), strict=False):
        ax.plot(d[first], d[second], marker, color=colour, markersize=3.5, alpha=0.45, label=name)
    ax.axhline(0, color=EDGE, linewidth=0.8)
    ax.axvline(0, color=EDGE, linewidth=0.8)
    ax.set(xlabel=f"effect size in {title(first)}", ylabel=f"effect size in {title(second)}")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, markerscale=2, handletextpad=0.1)
    return ax

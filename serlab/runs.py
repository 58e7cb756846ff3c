"""Recorded runs: what a model predicted for every clip, and how that came about.

A run is two files, ``<root>/<corpus>/<protocol>/<model>.csv.gz`` with one row per clip and seed, and
``.json`` beside it. Every number that the book shows for a model comes from such a run. ``python -m
serlab.runs`` makes those that are missing; it can be stopped at any moment and goes on at the fold where it
was.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serlab import corpora, evaluation, provenance, run_files, splits, store, training, voting
from serlab.errors import RunError, SerlabError, SplitError
from serlab.paths import cache_dir

if TYPE_CHECKING:
    from serlab.models import ModelSpec

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
# Runs that were made before November 2026 lack these.
NEW_KEYS = ("threads",)
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
# The runs that the book is written from: corpus, and the protocols on it. Every model has these unless its
# own plan names others.
PLAN = (
    ("ravdess", "emobox6"),
    ("ravdess", "seed-split"),
    ("ravdess", "random5"),
    ("emodb_first2s", "loso"),
    ("nemo", "loso"),
)
SUM_TOLERANCE = 0.01
# Re-running gives the same labels for at least this share of clips, and probabilities this near on average:
# another processor or library rounds otherwise, and a tree may then cut elsewhere.
SAME_LABELS = 0.98
SAME_PROBABILITY = 0.01
# In networks rounding grows over thousands of steps until single labels are others: they are held to the UAR
# of the fold. Remakes on other processors came out up to 2.1 points apart.
SAME_UAR = 0.05


@dataclass(frozen=True, eq=False)
class Run:
    """A recorded run.

    Attributes
    ----------
    predictions : DataFrame
        One row per clip and seed: `COLUMNS`, then ``p_<class>`` for every class.
    meta : dict
        How the run came about; at least `KEYS`.
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
    """Return the folder of the recorded runs: inside an installed package, else ``book/results``.

    Examples
    --------
    >>> root().name
    'results'
    """
    package = Path(__file__).parent
    installed = package / "results"
    return installed if installed.is_dir() else package.parent / "book" / "results"


def read(corpus: str, protocol: str, model: str, folder: Path | None = None) -> Run:
    """Read a recorded run.

    Parameters
    ----------
    corpus, protocol, model : str
        For example "ravdess", "emobox6", "forest".
    folder : Path, optional
        Where runs lie, by default `root`.

    Raises
    ------
    RunError
        If there is no such run, its files cannot be read, or they are of another run.
    """
    json_file = _path(folder, corpus, protocol, model)
    for file in (json_file, json_file.with_suffix(run_files.TABLE)):
        if not file.is_file():
            others = ", ".join(found[2] for found in list_runs(folder) if found[:2] == (corpus, protocol))
            make_it = f"python -m serlab.runs --corpus {corpus} --protocol {protocol} --model {model}"
            raise RunError(
                f"{file} does not exist. Recorded there: {others or 'nothing'}. To make it: {make_it}"
            )
    run = Run(*run_files.read(json_file))
    _check_place(json_file, run.meta)
    return run


def write(run: Run, folder: Path | None = None) -> Path:
    """Write a run, so that at no moment half of it is taken for the whole; return the path of its JSON file.

    Raises
    ------
    RunError
        If the run contradicts itself or does not say what it was made with, or if it cannot be written. Then
        what was there is as it was.
    """
    problems = check(run) + [f"it does not say its {key}" for key in NEW_KEYS if key not in run.meta]
    if problems:
        raise RunError(f"{run.key} is not written: {'; '.join(problems)}")
    file = _path(folder, *run.key)
    run_files.write(file, _csv(run.predictions), run.meta)
    return file


def list_runs(folder: Path | None = None) -> list[tuple[str, str, str]]:
    """List recorded runs as (corpus, protocol, model), sorted."""
    files = (folder or root()).glob("*/*/*.json")
    return sorted((file.parts[-3], file.parts[-2], file.stem) for file in files)


def table(folder: Path | None = None) -> pd.DataFrame:
    """Return one row per recorded run: what it is, and its scores.

    A file that is damaged is left out, with a warning that names it.

    Returns
    -------
    DataFrame
        With columns ``corpus``, ``protocol``, ``protocol_title``, ``speaker_disjoint``, ``model``,
        ``title``, ``chapter``, ``features``, ``classes`` and ``seeds`` (how many), ``parameters``,
        ``ensemble``, ``pretrained``, ``speaker_normalised``, ``seconds``, and the scores; in the order of
        the book's models.
    """
    from serlab import models

    order = {name: place for place, name in enumerate(models.names())}
    found = sorted(list_runs(folder), key=lambda key: (key[0], key[1], order.get(key[2], len(order)), key[2]))
    rows = []
    for key in found:
        file = _path(folder, *key)
        try:
            rows.append(_row(file, run_files.read_json(file)))
        except RunError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
    return pd.DataFrame(rows)


def check(run: Run, table: pd.DataFrame | None = None) -> list[str]:
    """Find what is wrong with a run.

    Parameters
    ----------
    run : Run
    table : DataFrame, optional
        The corpus the run was made on, where it is there: then clips, labels, speakers and folds are
        compared too.

    Returns
    -------
    list of str
        One sentence per problem; empty if there is none.
    """
    p, meta = run.predictions, run.meta
    problems = [f"the JSON file lacks {key!r}" for key in KEYS if key not in meta]
    if problems:
        return problems
    wanted = [*COLUMNS, *(f"p_{name}" for name in meta["classes"])]
    if list(p.columns) != wanted:
        return [f"columns are {list(p.columns)} instead of {wanted}"]
    problems += _check_rows(p, meta)
    problems += _check_manifest(p, meta)
    if table is not None:
        problems += _check_corpus(p, meta, table)
    if not problems:
        now = evaluation.scores(p)
        wrong = [
            name for name in {*now, *meta["scores"]} if not _near(now.get(name), meta["scores"].get(name))
        ]
        problems += [
            f"score {name} is {meta['scores'].get(name)}, recomputed {now.get(name)}"
            for name in sorted(wrong)
        ]
    return problems


def make(
    spec: ModelSpec,
    corpus: str,
    protocol: str,
    *,
    folder: Path | None = None,
    cache: Path | None = None,
    progress: bool = True,
    allow_changed_code: bool = False,
) -> Run:
    """Train a model under a protocol and record it.

    Parameters
    ----------
    spec : ModelSpec
        From `serlab.models.get`.
    corpus, protocol : str
        For `serlab.load` and `serlab.splits.make`.
    folder : Path, optional
        Where runs lie, by default `root`.
    cache : Path, optional
        Where finished folds lie, by default the folder "runs" of the user's cache.
    progress : bool
        Show progress bars.
    allow_changed_code : bool
        Whether code will do that no commit holds: see `serlab.provenance.circumstances`.

    Returns
    -------
    Run
        As written.

    Raises
    ------
    RunError
        If the package is in a git checkout and changed, or the run cannot be written.
    """
    how = provenance.circumstances(*spec.libraries, allow_changed_code=allow_changed_code)
    loaded = corpora.load(corpus)
    utterances = splits.get(protocol).prepare(loaded)
    split = split_for(spec, utterances, protocol)
    if spec.members:
        said, facts = _voted(spec, [read(corpus, protocol, name, folder) for name in spec.members])
    else:
        learned = loaded if spec.learns_emotions else utterances
        said, facts = _trained(spec, learned, split, cache or cache_dir() / "runs", progress)
        said = _answered(said, learned, utterances)
    said = run_files.parsed(_csv(said))
    meta = {
        "model": spec.name,
        "title": spec.title,
        "chapter": spec.chapter,
        "protocol": protocol,
        "protocol_title": split.title,
        "speaker_disjoint": split.speaker_disjoint,
        "corpus": {
            "name": utterances.attrs["corpus"],
            "title": utterances.attrs["title"],
            "clips": len(utterances),
            "content_hash": corpora.content_hash(utterances),
            **{key: utterances.attrs[key] for key in ("sources", "dropped") if key in utterances.attrs},
        },
        "classes": [name.removeprefix("p_") for name in said.columns[len(COLUMNS) :]],
        "seeds": sorted(said["seed"].unique().tolist()),
        "ensemble": spec.ensemble,
        "members": list(spec.members),
        "pretrained": list(spec.pretrained),
        "speaker_normalised": spec.speaker_normalised,
        "normalises_scores": spec.normalises_scores,
        "validation": spec.validation,
        **facts,
        **how,
        "scores": evaluation.scores(said),
    }
    run = Run(said, meta)
    write(run, folder)
    return run


def _answered(said: pd.DataFrame, learned: pd.DataFrame, utterances: pd.DataFrame) -> pd.DataFrame:
    """Turn predictions of what was learned into those of what the protocol asks."""
    if learned is utterances:
        return said
    pairs = pd.DataFrame({"of": learned["emotion"], "to": utterances["emotion"]}).drop_duplicates()
    if doubtful := sorted(pairs.loc[pairs["of"].duplicated(), "of"]):
        raise RunError(
            f"Clips that are {doubtful[0]} have more than one valence, so that emotions cannot be learned in "
            "its place: take a model that learns valence itself."
        )
    return voting.merge_classes(said, dict(zip(pairs["of"], pairs["to"], strict=True)))


def _trained(
    spec: ModelSpec, utterances: pd.DataFrame, split: splits.Split, cache: Path, progress: bool
) -> tuple[pd.DataFrame, dict[str, Any]]:
    X = inputs(spec, utterances, progress)
    said = training.cross_validate(
        spec.build, X, utterances, split, seeds_of(spec, len(split)), cache=cache, progress=progress
    )
    facts = {
        "features": [extractor.name for extractor in spec.extractors],
        "extractors": [repr(extractor) for extractor in spec.extractors],
        "augmentation": spec.augmentation,
    }
    return said, facts | said.attrs["cost"]


def _voted(spec: ModelSpec, members: list[Run]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Let recorded runs vote; what they cost adds up, but for memory: one is trained after the other."""
    metas = [member.meta for member in members]
    counts = [meta["parameters"] for meta in metas]
    facts = {
        key: list(dict.fromkeys(name for meta in metas for name in meta[key]))
        for key in ("features", "extractors")
    }
    changes = [meta["augmentation"] for meta in metas if meta["augmentation"] != "none"]
    facts |= {
        "augmentation": "; ".join(dict.fromkeys(changes)) or "none",
        "parameters": None if None in counts else sum(counts),
        "seconds": round(sum(meta["seconds"] for meta in metas), 2),
        "peak_memory_mb": max(meta["peak_memory_mb"] for meta in metas),
    }
    said = voting.vote([member.predictions for member in members])
    return voting.normalise_scores(said) if spec.normalises_scores else said, facts


def seeds_of(spec: ModelSpec, folds: int) -> tuple[int, ...]:
    """Return the seeds to train a model with; a vote has those of its members.

    A single fold holds few clips, and for most models costs little: there, random ones get ten seeds.
    """
    if spec.members:
        from serlab import models

        return max((seeds_of(models.get(name), folds) for name in spec.members), key=len)
    if folds > 1:
        return spec.seeds
    return spec.single_fold_seeds or (tuple(range(10)) if len(spec.seeds) > 1 else spec.seeds)


def split_for(spec: ModelSpec, utterances: pd.DataFrame, protocol: str) -> splits.Split:
    """Split a corpus by a protocol, with the validation rows that a model asks for."""
    split = splits.make(utterances, protocol)
    if spec.validates == "speakers":
        return splits.with_validation(split, utterances)
    if spec.validates == "clips":
        return splits.with_random_validation(split, utterances)
    if spec.validates == "test":
        peeking = tuple(replace(fold, validation=fold.test) for fold in split)
        return replace(split, folds=peeking)
    return split


def inputs(spec: ModelSpec, utterances: pd.DataFrame, progress: bool = False) -> np.ndarray:
    """Return what a model is trained on, one row per utterance.

    Parameters
    ----------
    spec : ModelSpec
    utterances : DataFrame
        Utterance table.
    progress : bool
        Show a progress bar while features are computed.

    Returns
    -------
    ndarray, shape (clips, ...)
        One extractor's features in their own shape; those of several, as vectors, side by side; one column
        of zeros for a model that does not listen.
    """
    from serlab.features import SpeakerNormaliser

    parts = [store.features(utterances, extractor, progress=progress) for extractor in spec.extractors]
    if not parts:
        return np.zeros((len(utterances), 1), np.float32)
    X = parts[0] if len(parts) == 1 else np.hstack(parts)
    return (
        SpeakerNormaliser().fit_transform(X, groups=utterances["speaker"]) if spec.speaker_normalised else X
    )


def remake(
    run: Run, spec: ModelSpec, seed: int | None = None, fold: int = 0, progress: bool = False
) -> dict[str, float | int]:
    """Train one fold anew, and measure how near it comes to what was recorded.

    Parameters
    ----------
    run : Run
    spec : ModelSpec
        The model of the run. A vote trains nothing: it is held anew among the recorded members.
    seed : int, optional
        By default the run's first.
    fold : int
    progress : bool
        Show progress bars.

    Returns
    -------
    dict
        ``seed``, ``fold``, ``clips``; ``labels``, the share of clips with the same prediction;
        ``probabilities``, their mean difference; ``uar_before`` and ``uar_now``, of the fold.

    Raises
    ------
    RunError
        If the fold holds other clips than recorded.
    """
    corpus, protocol, model = run.key
    seed = run.meta["seeds"][0] if seed is None else seed
    loaded = corpora.load(corpus)
    utterances = splits.get(protocol).prepare(loaded)
    split = split_for(spec, utterances, protocol)
    if spec.members:
        anew, _ = _voted(spec, [read(corpus, protocol, name) for name in spec.members])
        anew = anew[(anew["seed"] == seed) & (anew["fold"] == fold)]
    else:
        X, learned = inputs(spec, utterances, progress), loaded if spec.learns_emotions else utterances
        anew = training.cross_validate(spec.build, X, learned, split, only=[(seed, fold)])
        anew = _answered(anew, learned, utterances)
    p = run.predictions
    old = p[(p["seed"] == seed) & (p["fold"] == fold)].set_index("clip")
    if set(old.index) != set(anew["clip"]):
        raise RunError(f"{corpus}/{protocol}/{model}: fold {fold} holds other clips than recorded")
    old = old.loc[anew["clip"]]
    columns = [f"p_{name}" for name in run.meta["classes"]]
    before, now = (evaluation.uar(one["label"], one["predicted"], run.meta["classes"]) for one in (old, anew))
    return {
        "seed": seed,
        "fold": fold,
        "clips": len(anew),
        "labels": float(np.mean(old["predicted"].to_numpy() == anew["predicted"].to_numpy())),
        "probabilities": float(np.abs(old[columns].to_numpy() - anew[columns].to_numpy()).mean()),
        "uar_before": before,
        "uar_now": now,
    }


def verify(run: Run, spec: ModelSpec, seed: int | None = None, fold: int = 0, progress: bool = False) -> str:
    """Train one fold anew and judge whether it is what was recorded.

    What is exact but for rounding is judged by its labels and probabilities. A network is judged by the UAR
    of the fold, where labels and probabilities are not the same: rounding on another processor, or other
    threads, grow in training until single clips are answered otherwise. A vote is judged by labels.

    Parameters
    ----------
    run, spec, seed, fold, progress
        As for `remake`.

    Returns
    -------
    str
        What was compared, how near it is, and which of the two judged.

    Raises
    ------
    RunError
        If fewer than `SAME_LABELS` (98 %) of the labels agree, or probabilities differ by more than
        `SAME_PROBABILITY` (0.01) on average, and, of a network, UAR by more than `SAME_UAR` (5 points) too.
        The message names both machines, and the threads, if they differ.
    """
    made = remake(run, spec, seed, fold, progress)
    found = (
        f"{'/'.join(run.key)}, fold {fold}, seed {made['seed']}: {100 * made['labels']:.1f} % of "
        f"{made['clips']} labels as recorded (asked for: {100 * SAME_LABELS:.0f} %), probabilities "
        f"{made['probabilities']:.4f} apart on average (tolerated: {SAME_PROBABILITY})"
    )
    if made["labels"] >= SAME_LABELS and made["probabilities"] <= SAME_PROBABILITY:
        return f"{found}: the same by labels"
    found += f"; UAR was {100 * made['uar_before']:.1f} % and is {100 * made['uar_now']:.1f} %"
    if spec.network:
        found += f" (tolerated of a network: {100 * SAME_UAR:.0f} points)"
        if round(abs(made["uar_now"] - made["uar_before"]), 9) <= SAME_UAR:
            return f"{found}: the same by UAR"
    here = {"machine": provenance.machine(), "threads": provenance.threads()}
    for what, value in here.items():
        there = run.meta.get(what, provenance.NOT_RECORDED)
        if value != there:
            found += f". It was made with {what} {there}, and this is {value}"
    raise RunError(f"not reproduced: {found}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, list, check or verify recorded runs from the command line; return the exit status."""
    from serlab import models

    parser = argparse.ArgumentParser(
        prog="python -m serlab.runs", description="Make the recorded runs that are missing."
    )
    parser.add_argument("--corpus", action="append", help="only this corpus (may be given again)")
    parser.add_argument("--protocol", action="append", help="only this protocol (may be given again)")
    parser.add_argument("--model", action="append", help="only this model (may be given again)")
    parser.add_argument(
        "--list", action="store_true", help="list what is recorded and what is missing; make nothing"
    )
    parser.add_argument("--check", action="store_true", help="check what is recorded; make nothing")
    parser.add_argument("--force", action="store_true", help="make runs anew that are recorded already")
    parser.add_argument(
        "--verify", metavar="MODEL", help="train one fold of a recorded model anew and compare"
    )
    add_changed_code(parser)
    given = parser.parse_args(arguments)
    provenance.one_thread()
    recorded = set(list_runs())
    asked = _asked(given)
    try:
        if given.list:
            for key in sorted(recorded | set(asked), key=lambda key: (key not in recorded, key)):
                print("recorded" if key in recorded else "missing ", "/".join(key))
        elif given.check:
            return _check_all([key for key in sorted(recorded) if _fits(key, given)])
        elif given.verify:
            spec = models.get(given.verify)
            for key in sorted(key for key in recorded if key[2] == spec.name and _fits(key, given)):
                print(verify(read(*key), spec))
        else:
            missing = [key for key in asked if given.force or key not in recorded]
            _make_all(missing, models, given.allow_changed_code)
    except SerlabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def add_changed_code(parser: argparse.ArgumentParser) -> None:
    """Give a command that records results its option ``--allow-changed-code``."""
    parser.add_argument(
        "--allow-changed-code", action="store_true", help="record even if serlab differs from the last commit"
    )


def planned() -> list[tuple[str, str, str]]:
    """List the runs that the book is written from, as (corpus, protocol, model)."""
    from serlab import models

    plans = {spec.name: PLAN if spec.plan is None else spec.plan for spec in models.specs()}
    places = dict.fromkeys((*PLAN, *(place for plan in plans.values() for place in plan)))
    return [(*place, name) for place in places for name, plan in plans.items() if place in plan]


def _asked(given) -> list[tuple[str, str, str]]:
    """List the runs that the arguments name: those of the plan, or any that are spelt out."""
    from serlab import models

    if not (given.corpus and given.protocol):
        return [key for key in planned() if _fits(key, given)]
    pairs = [(corpus, protocol) for corpus in given.corpus for protocol in given.protocol]
    usual = {pair: [key[2] for key in planned() if key[:2] == pair] for pair in pairs}
    return [(*pair, name) for pair in pairs for name in given.model or usual[pair] or models.names()]


def _fits(key: tuple[str, str, str], given) -> bool:
    chosen = (given.corpus, given.protocol, given.model)
    return all(not only or part in only for part, only in zip(key, chosen, strict=True))


def _make_all(keys: list[tuple[str, str, str]], models, allow_changed_code: bool) -> None:
    for number, (corpus, protocol, name) in enumerate(keys, 1):
        if corpus in (*corpora.names(), "unified") and corpora.find(corpus) is None:
            print(
                f"[{number}/{len(keys)}] {corpus}/{protocol}/{name}: left out, the corpus is not here",
                flush=True,
            )
            continue
        run = make(models.get(name), corpus, protocol, allow_changed_code=allow_changed_code)
        scores = run.meta["scores"]
        shown = evaluation.Interval(
            *(scores.get(key, float("nan")) for key in ("uar", "uar_low", "uar_high"))
        )
        seconds = run.meta["seconds"]
        print(
            f"[{number}/{len(keys)}] {corpus}/{protocol}/{name}: UAR {shown} in {seconds:.0f} s", flush=True
        )


def _check_all(keys: list[tuple[str, str, str]]) -> int:
    bad = 0
    tables = {}
    for key in keys:
        if key[0] not in tables:
            there = key[0] in (*corpora.names(), "unified") and corpora.find(key[0]) is not None
            tables[key[0]] = corpora.load(key[0]) if there else None
        try:
            run = read(*key)
            problems = check(run, tables[key[0]])
            if (
                all(name in run.meta for name in NEW_KEYS)
                and provenance.is_committed(run.meta["code"]) is False
            ):
                problems.append(f"no commit holds its code, {run.meta['code']}")
        except RunError as error:
            problems = [str(error)]
        bad += bool(problems)
        for problem in problems:
            print(f"{'/'.join(key)}: {problem}")
    print(f"{len(keys)} runs checked, {bad} with problems")
    return int(bad > 0)


def _check_rows(p: pd.DataFrame, meta: dict) -> list[str]:
    problems = []
    if sorted(set(p["seed"])) != sorted(meta["seeds"]):
        problems.append(f"seeds are {sorted(set(p['seed']))}, the JSON file says {meta['seeds']}")
    probabilities = p.iloc[:, len(COLUMNS) :].to_numpy(float)
    wrong = ~np.isclose(probabilities.sum(axis=1), 1, atol=SUM_TOLERANCE) | (probabilities < 0).any(axis=1)
    if wrong.any():
        problems.append(
            f"probabilities of {wrong.sum()} rows, the first of clip {p['clip'][wrong.argmax()]}, "
            "do not add up to 1"
        )
    for column in ("label", "predicted"):
        if strange := sorted(set(p[column].astype(str)) - set(meta["classes"])):
            problems.append(f"column {column} holds {strange}, not among the classes")
    everyone = set(p["clip"])
    doubled = p[p.duplicated(["clip", "seed"])]
    if len(doubled):
        problems.append(f"clip {doubled['clip'].iloc[0]} is there twice for seed {doubled['seed'].iloc[0]}")
    if len(p[["clip", "speaker", "label"]].drop_duplicates()) > len(everyone):
        problems.append("a clip has two labels or two speakers")
    for seed, part in p.groupby("seed"):
        if missing := sorted(everyone - set(part["clip"])):
            problems.append(f"seed {seed} lacks {len(missing)} clips, the first of them {missing[0]}")
    try:
        protocol = splits.get(meta["protocol"])
    except SplitError as error:
        return [*problems, str(error)]
    if protocol.tests_every_clip and len(everyone) != meta["corpus"]["clips"]:
        problems.append(f"{len(everyone)} clips are tested, the corpus had {meta['corpus']['clips']}")
    if protocol.speaker_disjoint != meta["speaker_disjoint"]:
        problems.append(f"speaker_disjoint is {meta['speaker_disjoint']}, which {protocol.name} is not")
    if protocol.tests_speakers_at_once:
        folds = p.groupby("speaker")["fold"].nunique()
        if (folds > 1).any():
            problems.append(
                f"speaker {folds.idxmax()} is in several folds: on both sides of a speaker-disjoint split"
            )
    return problems


def _check_manifest(p: pd.DataFrame, meta: dict) -> list[str]:
    """Compare clip names, speakers and labels with what the corpus's record knows, without its audio."""
    name = meta["corpus"]["name"]
    record = corpora.record(name) if name in corpora.names() else None
    official = record.official if record else {}
    if not official:
        return []
    clips = p.drop_duplicates("clip")
    unknown = sorted(set(clips["clip"]) - set(official))
    if unknown:
        return [f"{len(unknown)} clips are not in the manifest of {name}, the first of them {unknown[0]}"]
    facts = [record.parse(clip) for clip in clips["clip"]]
    return [
        f"clip {clip} is recorded as {given}, its file name says {fact[known]}"
        for column, known in (("speaker", "speaker"), ("label", "emotion"))
        for clip, given, fact in zip(clips["clip"], clips[column], facts, strict=True)
        if given != fact[known]
    ][:3]


def _check_corpus(p: pd.DataFrame, meta: dict, table: pd.DataFrame) -> list[str]:
    # Of several corpora others may be on this machine than the run was made on.
    if table.attrs.get("sources") != meta["corpus"].get("sources"):
        return []
    table = splits.get(meta["protocol"]).prepare(table)
    known = table.set_index("clip")
    if unknown := sorted(set(p["clip"]) - set(known.index)):
        return [f"{len(unknown)} clips are not in the corpus, the first of them {unknown[0]}"]
    problems = []
    for column, source in (("label", "emotion"), ("speaker", "speaker")):
        wrong = p[column].to_numpy() != known.loc[p["clip"], source].to_numpy()
        if wrong.any():
            problems.append(
                f"{wrong.sum()} rows contradict the corpus in {column}, the first of clip "
                f"{p['clip'][wrong.argmax()]}"
            )
    split = splits.make(table, meta["protocol"])
    expected = {table["clip"].iloc[row]: k for k, fold in enumerate(split) for row in fold.test}
    where = p["clip"].map(expected)
    if set(p["clip"]) != set(expected) or (where != p["fold"]).any():
        problems.append(f"the folds are not those of {meta['protocol']}")
    return problems


def _row(file: Path, meta: dict[str, Any]) -> dict[str, Any]:
    """Give the row of `table` that a run has there."""
    _check_place(file, meta)
    try:
        row = dict(zip(("corpus", "protocol", "model"), (*file.parts[-3:-1], file.stem), strict=True))
        row |= {name: meta[name] for name in TABLE_KEYS}
        row |= {"classes": len(meta["classes"]), "seeds": len(meta["seeds"])}
        row |= {"features": " + ".join(meta["features"]), "pretrained": ", ".join(meta["pretrained"])}
        return row | {name: float(value) for name, value in meta["scores"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{file} is damaged ({error!r}). Make the run anew") from error


def _check_place(file: Path, meta: dict[str, Any]) -> None:
    """Make sure that a JSON file is of the run that its path names."""
    try:
        named = (meta["corpus"]["name"], meta["protocol"], meta["model"])
    except (KeyError, TypeError) as error:
        raise RunError(f"{file} is damaged: it does not say what run it is. Make the run anew") from error
    if named != (*file.parts[-3:-1], file.stem):
        raise RunError(f"{file} is the run {'/'.join(named)}: put it where it belongs, or make the run anew")


def _near(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) < 2e-5


def _path(folder: Path | None, corpus: str, protocol: str, model: str) -> Path:
    return (folder or root()) / corpus / protocol / f"{model}.json"


def _csv(predictions: pd.DataFrame) -> str:
    rounded = predictions.round({name: 4 for name in predictions if name.startswith("p_")})
    return rounded.to_csv(index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())

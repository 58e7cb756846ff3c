"""Train a model under a protocol and record what it predicts; train it again and compare."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serlab import corpora, evaluation, provenance, run_files, splits, store, training, voting
from serlab.errors import RunError
from serlab.paths import cache_dir
from serlab.runs.checks import check
from serlab.runs.record import COLUMNS, Run, as_csv, path_of, read

if TYPE_CHECKING:
    from serlab.models import ModelSpec

# The runs that the book is written from: corpus, and the protocols on it. Every model has these unless its
# own plan names others.
PLAN = (
    ("ravdess", "emobox6"),
    ("ravdess", "seed-split"),
    ("ravdess", "random5"),
    ("emodb_first2s", "loso"),
    ("nemo", "loso"),
)
# Re-running gives the same labels for at least this share of clips, and probabilities this near on average:
# another processor or library rounds otherwise, and a tree may then cut elsewhere.
SAME_LABELS = 0.98
SAME_PROBABILITY = 0.01
# In networks rounding grows over thousands of steps until single labels are others: they are held to the UAR
# of the fold. Remakes on other processors came out up to 2.1 points apart.
SAME_UAR = 0.05


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
    """Train a model, as of `serlab.models.get`, under a protocol and record it.

    Names are as for `serlab.load` and `serlab.splits.make`; runs lie in `folder`, by default `root`, finished
    folds in `cache`, by default the user's. `RunError` if the run cannot be written, or the package is in a
    git checkout and changed, unless that is allowed (see `serlab.provenance.circumstances`).
    """
    how = provenance.circumstances(*spec.libraries, allow_changed_code=allow_changed_code)
    utterances = splits.get(protocol).prepare(corpora.load(corpus))
    split = split_for(spec, utterances, protocol)
    if spec.members:
        predictions, facts = _vote(spec, [read(corpus, protocol, name, folder) for name in spec.members])
    else:
        more = {"seeds": seeds_of(spec, len(split)), "cache": cache or cache_dir() / "runs"}
        predictions = _cross_validate(spec, utterances, split, progress=progress, **more)
        facts = {
            "features": [extractor.name for extractor in spec.extractors],
            "extractors": [repr(extractor) for extractor in spec.extractors],
            "augmentation": spec.augmentation,
            **predictions.attrs["cost"],
        }
    predictions = run_files.parsed(as_csv(predictions))
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
        "classes": [name.removeprefix("p_") for name in predictions.columns[len(COLUMNS) :]],
        "seeds": sorted(predictions["seed"].unique().tolist()),
        "ensemble": spec.ensemble,
        "members": list(spec.members),
        "pretrained": list(spec.pretrained),
        "speaker_normalised": spec.speaker_normalised,
        "normalises_scores": spec.normalises_scores,
        "validation": spec.validation,
        **how,
        **facts,
        "scores": evaluation.scores(predictions),
    }
    run = Run(predictions, meta)
    write(run, folder)
    return run


def write(run: Run, folder: Path | None = None) -> Path:
    """Write a run, so that at no moment half of it is taken for the whole; return the path of its JSON file.

    Raises `RunError` if the run contradicts itself or does not say what it was made with, or if it cannot be
    written. Then what was there is as it was.
    """
    problems = check(run) + ([] if "threads" in run.meta else ["it does not say its threads"])
    if problems:
        raise RunError(f"{run.key} is not written: {'; '.join(problems)}")
    file = path_of(folder, *run.key)
    run_files.write(file, as_csv(run.predictions), run.meta)
    return file


def planned() -> list[tuple[str, str, str]]:
    """List the runs that the book is written from, as (corpus, protocol, model)."""
    from serlab import models

    plans = {spec.name: PLAN if spec.plan is None else spec.plan for spec in models.specs()}
    places = dict.fromkeys((*PLAN, *(place for plan in plans.values() for place in plan)))
    return [(*place, name) for place in places for name, plan in plans.items() if place in plan]


def seeds_of(spec: ModelSpec, folds: int) -> tuple[int, ...]:
    """Return the seeds to train a model with; a vote has those of its members."""
    if spec.voters:
        return max((seeds_of(voter, folds) for voter in spec.voters), key=len)
    return tuple(range(spec.repeats[0 if folds > 1 else 1]))


def split_for(spec: ModelSpec, utterances: pd.DataFrame, protocol: str) -> splits.Split:
    """Split a corpus by a protocol, with the validation rows that a model asks for."""
    return spec.with_validation(splits.make(utterances, protocol), utterances)


def inputs(spec: ModelSpec, utterances: pd.DataFrame, progress: bool = False) -> np.ndarray:
    """Return what a model is trained on, one row per utterance, (clips, ...).

    One extractor's features come in their own shape; those of several, as vectors, side by side; one column
    of zeros for a model that does not listen.
    """
    parts = [store.features(utterances, extractor, progress=progress) for extractor in spec.extractors]
    # Frames come as a list. Those of clips that are cut to one length have one shape.
    parts = [np.stack(part) if isinstance(part, list) else part for part in parts]
    if not parts:
        return np.zeros((len(utterances), 1), np.float32)
    return spec.normalise(parts[0] if len(parts) == 1 else np.hstack(parts), utterances)


def remake(run: Run, spec: ModelSpec) -> dict[str, float | int]:
    """Train the first fold of a run anew, with its first seed, and measure how near it comes to the record.

    A vote trains nothing: it is held anew among the recorded members. Gives ``seed``, ``fold``, ``clips``;
    ``labels``, the share of clips with the same prediction; ``probabilities``, their mean difference;
    ``uar_before`` and ``uar_now``, of the fold. Raises `RunError` if the fold holds other clips.
    """
    corpus, protocol, model = run.key
    seed, fold = run.meta["seeds"][0], 0
    utterances = splits.get(protocol).prepare(corpora.load(corpus))
    split = split_for(spec, utterances, protocol)
    if spec.members:
        anew, _ = _vote(spec, [read(corpus, protocol, name) for name in spec.members])
        anew = anew[(anew["seed"] == seed) & (anew["fold"] == fold)]
    else:
        anew = _cross_validate(spec, utterances, split, only=[(seed, fold)])
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


def verify(run: Run, spec: ModelSpec) -> str:
    """Train a fold anew and judge whether it is what was recorded; say how near it is, and what judged.

    What is exact but for rounding is judged by its labels and probabilities. A network is judged by the UAR
    of the fold, where labels and probabilities are not the same: rounding on another processor, or other
    threads, grow in training until single clips are answered otherwise. A vote is judged by labels.

    `RunError` if fewer than `SAME_LABELS` (98 %) of the labels agree, or probabilities differ by more than
    `SAME_PROBABILITY` (0.01) on average, and, of a network, UAR by more than `SAME_UAR` (5 points) too. The
    message names both machines, and the threads, if they differ.
    """
    made = remake(run, spec)
    found = (
        f"{'/'.join(run.key)}, fold {made['fold']}, seed {made['seed']}: {100 * made['labels']:.1f} % of "
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


def _cross_validate(
    spec: ModelSpec, utterances: pd.DataFrame, split: splits.Split, **options
) -> pd.DataFrame:
    """Cross-validate a model; one that learns emotions is asked for the target of the split all the same."""
    X = inputs(spec, utterances, options.get("progress", False))
    if not spec.learns_emotions or split.target == "emotion":
        return training.cross_validate(spec.build, X, utterances, split, **options)
    pairs = utterances[["emotion", split.target]].drop_duplicates()
    if (doubtful := pairs["emotion"].duplicated()).any():
        raise RunError(
            f"Clips that are {pairs.loc[doubtful, 'emotion'].min()} have more than one valence, so that "
            "emotions cannot be learned in its place: take a model that learns valence itself."
        )
    emotions = utterances["emotion"]
    with warnings.catch_warnings():
        # An emotion that one corpus alone has is answered by another of its valence, and that is what counts.
        warnings.filterwarnings("ignore", "Clips of a class are tested", UserWarning)
        predictions = training.cross_validate(spec.build, X, utterances, split, y=emotions, **options)
    return voting.merge_classes(predictions, dict(pairs.to_numpy()))


def _vote(spec: ModelSpec, members: list[Run]) -> tuple[pd.DataFrame, dict[str, Any]]:
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
    votes = voting.vote([member.predictions for member in members])
    return voting.normalise_scores(votes) if spec.normalises_scores else votes, facts

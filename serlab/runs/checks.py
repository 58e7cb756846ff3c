"""What may be wrong with a recorded run."""

import numpy as np
import pandas as pd

from serlab import corpora, evaluation, splits
from serlab.errors import SplitError
from serlab.runs.record import COLUMNS, KEYS, Run

SUM_TOLERANCE = 0.01


def check(run: Run, table: pd.DataFrame | None = None) -> list[str]:
    """Find what is wrong with a run: one sentence per problem.

    With the table of the corpus that it was made on, clips, labels, speakers and folds are compared too.
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
        now, then = evaluation.scores(p), meta["scores"]
        problems += [
            f"score {name} is {then.get(name)}, recomputed {now.get(name)}"
            for name in sorted({*now, *then})
            if not np.isclose(then.get(name, np.nan), now.get(name, np.nan), rtol=0, atol=2e-5)
        ]
    return problems


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
    """Compare a run with what the corpus's record knows, without its audio."""
    name = meta["corpus"]["name"]
    record = corpora.record(name) if name in corpora.names() else None
    if not (record and record.official):
        return []
    clips = sorted(set(p["clip"]) & set(record.official))
    known = pd.DataFrame([record.parse(clip) for clip in clips], index=clips)
    return _check_facts(
        p, known.rename(columns={"emotion": "label"}), f"the manifest of {name}", "its file name"
    )


def _check_corpus(p: pd.DataFrame, meta: dict, table: pd.DataFrame) -> list[str]:
    # Of several corpora others may be on this machine than the run was made on.
    if table.attrs.get("sources") != meta["corpus"].get("sources"):
        return []
    protocol = splits.get(meta["protocol"])
    table = protocol.prepare(table)
    known = table.set_index("clip")
    problems = _check_facts(p, known.assign(label=known[protocol.target]), "the corpus", "it")
    folds = protocol.split(table).folds
    expected = {table["clip"].iloc[row]: k for k, fold in enumerate(folds) for row in fold.test}
    if set(p["clip"]) != set(expected) or (p["clip"].map(expected) != p["fold"]).any():
        problems.append(f"the folds are not those of {meta['protocol']}")
    return problems


def _check_facts(p: pd.DataFrame, known: pd.DataFrame, source: str, what: str) -> list[str]:
    """Compare clips, labels and speakers with those that are known, one row for each clip."""
    if unknown := sorted(set(p["clip"]) - set(known.index)):
        return [f"{len(unknown)} clips are not in {source}, the first of them {unknown[0]}"]
    problems = []
    for column in ("label", "speaker"):
        truth = known.loc[p["clip"], column].to_numpy()
        if (wrong := p[column].to_numpy() != truth).any():
            row = wrong.argmax()
            first = f"the first of clip {p['clip'].iloc[row]}: {what} says {truth[row]}"
            problems.append(f"{wrong.sum()} rows contradict {source} in {column}, {first}")
    return problems

"""The command line of recorded runs."""

import argparse
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from serlab import corpora, evaluation, provenance, splits
from serlab.errors import RunError, SerlabError
from serlab.runs.checks import check
from serlab.runs.making import make, planned, verify
from serlab.runs.record import list_runs, read


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, list, check or verify recorded runs from the command line; return the exit status."""
    from serlab import models

    parser = argparse.ArgumentParser(
        prog="python -m serlab.runs", description="Make the recorded runs that are missing."
    )
    for name in ("corpus", "protocol", "model"):
        parser.add_argument(f"--{name}", action="append", help=f"only this {name} (may be given again)")
    parser.add_argument(
        "--list", action="store_true", help="list what is recorded and what is missing; make nothing"
    )
    parser.add_argument("--check", action="store_true", help="check what is recorded; make nothing")
    parser.add_argument("--folder", type=Path, help="where runs lie, in place of the book's results")
    parser.add_argument("--force", action="store_true", help="make runs anew that are recorded already")
    parser.add_argument(
        "--verify", metavar="MODEL", help="train one fold of a recorded model anew and compare"
    )
    _add_changed_code(parser)
    given = parser.parse_args(arguments)
    provenance.one_thread()
    recorded = set(list_runs(given.folder))
    fitting = [key for key in sorted(recorded) if _fits(key, given)]
    try:
        for name in given.protocol or ():
            splits.get(name)
        if given.list:
            keys = _some({*fitting, *_asked(given)}, given)
            for key in sorted(keys, key=lambda key: (key not in recorded, key)):
                print("recorded" if key in recorded else "missing ", "/".join(key))
        elif given.check:
            return _check_all(_some(fitting, given), given.folder)
        elif given.verify:
            spec = models.get(given.verify)
            for key in _some([key for key in fitting if key[2] == spec.name], given):
                print(verify(read(*key, given.folder), spec))
        else:
            for name in given.model or ():
                models.get(name)
            missing = [key for key in _some(_asked(given), given) if given.force or key not in recorded]
            return _make_all(missing, models, given)
    except SerlabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def record_named(
    arguments: Sequence[str] | None,
    lesson: str,
    option: str,
    names: Collection[str],
    is_recorded: Callable[[str], bool],
    record: Callable[..., object],
) -> int:
    """Record what a lesson adds to the runs, all of it or what `option` names; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {lesson}", description=f"Record the results of {lesson}."
    )
    parser.add_argument(f"--{option}", action="append", choices=names, help="only this (may be given again)")
    parser.add_argument("--force", action="store_true", help="record anew what is recorded already")
    _add_changed_code(parser)
    given = parser.parse_args(arguments)
    provenance.one_thread()
    try:
        for name in getattr(given, option) or names:
            if is_recorded(name) and not given.force:
                print(f"{name}: recorded already", flush=True)
                continue
            record(name, allow_changed_code=given.allow_changed_code)
            print(f"{name}: done", flush=True)
    except SerlabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _add_changed_code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-changed-code", action="store_true", help="record even if serlab differs from the last commit"
    )


def _asked(given) -> list[tuple[str, str, str]]:
    """List the runs that the arguments name: those of the plan, or any that are spelt out."""
    from serlab import models

    if not (given.corpus and given.protocol):
        return [key for key in planned() if _fits(key, given)]
    pairs = [(corpus, protocol) for corpus in given.corpus for protocol in given.protocol]
    usual = {pair: [key[2] for key in planned() if key[:2] == pair] for pair in pairs}
    return [(*pair, name) for pair in pairs for name in given.model or usual[pair] or models.names()]


def _some(keys: Collection[tuple[str, str, str]], given) -> Collection[tuple[str, str, str]]:
    """Return the runs that the arguments name, or say that there is none: a name may be misspelt."""
    names = [*(given.corpus or ()), *(given.protocol or ()), *(given.model or ())]
    if not keys and names:
        raise RunError(f"no run is of {', '.join(names)}: `python -m serlab.runs --list` names all")
    return keys


def _fits(key: tuple[str, str, str], given) -> bool:
    chosen = (given.corpus, given.protocol, given.model)
    return all(not only or part in only for part, only in zip(key, chosen, strict=True))


def _make_all(keys: list[tuple[str, str, str]], models, given) -> int:
    absent = [key for key in keys if not _is_here(key[0])]
    if absent and len(absent) == len(keys):
        wanted = ", ".join(dict.fromkeys(corpus for corpus, _, _ in keys))
        raise RunError(
            f"nothing was made, since the corpora are not here: {wanted}. "
            "Run serlab.fetch(name), or set SERLAB_DATA; --corpus demo --protocol group4 needs neither"
        )
    for number, key in enumerate(keys, 1):
        place = f"[{number}/{len(keys)}] {'/'.join(key)}"
        if key in absent:
            print(f"{place}: left out, the corpus is not here", flush=True)
            continue
        corpus, protocol, name = key
        allowed = given.allow_changed_code
        meta = make(models.get(name), corpus, protocol, folder=given.folder, allow_changed_code=allowed).meta
        ends = (meta["scores"].get(score, float("nan")) for score in ("uar", "uar_low", "uar_high"))
        print(f"{place}: UAR {evaluation.Interval(*ends)} in {meta['seconds']:.0f} s", flush=True)
    return 0


def _is_here(corpus: str) -> bool:
    """Tell whether a corpus can be loaded; a folder of one's own is looked for where it is loaded."""
    return corpus not in (*corpora.names(), "unified") or corpora.find(corpus) is not None


def _check_all(keys: Collection[tuple[str, str, str]], folder: Path | None) -> int:
    bad = 0
    named = {key[0] for key in keys} & {*corpora.names(), "unified"}
    tables = {name: corpora.load(name) for name in sorted(named) if _is_here(name)}
    for key in keys:
        try:
            run = read(*key, folder)
            problems = check(run, tables.get(key[0]))
            # Runs that were made before November 2026 do not say their threads, and may be of lost code.
            if "threads" in run.meta and provenance.is_committed(run.meta["code"]) is False:
                problems.append(f"no commit holds its code, {run.meta['code']}")
        except RunError as error:
            problems = [str(error)]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            problems = [f"the JSON file is damaged ({error!r}). Make the run anew"]
        bad += bool(problems)
        for problem in problems:
            print(f"{'/'.join(key)}: {problem}")
    print(f"{len(keys)} runs checked, {bad} with problems")
    return int(bad > 0)

"""The command ``serlab``: predict, train, serve, fetch, validate and runs."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

EXAMPLES = """examples:
  serlab predict my.wav                      what does the model hear in a recording?
  serlab predict interviews/ --timeline --csv > answers.csv
  serlab fetch ravdess                       download a corpus and verify it
  serlab validate my_recordings/             read every file and say what is wrong
  serlab train demo logreg-summary mine.serlab
  serlab predict my.wav --model mine.serlab
  serlab serve                               an HTTP service on this computer; see README.md
  serlab runs --list                         the recorded runs of the book
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    0, 1 if something was wrong, 2 if it was not understood, 130 if it was interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # Names of files may have letters that a terminal, or Windows with a pipe, cannot write.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    from serlab.errors import SerlabError

    try:
        if arguments[:1] == ["runs"]:  # It has options of its own.
            from serlab.runs.command_line import main as runs

            status = runs(arguments[1:])
        else:
            given = _parser().parse_args(arguments)
            status = given.command(given) or 0
        sys.stdout.flush()
        return status
    except SerlabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # As `serlab predict ... | head` does.
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"error: the answers could not be written: {error.strerror}", file=sys.stderr)
        # Python would try again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serlab",
        description="Speech emotion recognition: put recordings through a model, or train one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="put recordings through a trained model")
    predict.add_argument("recordings", nargs="+", metavar="FILE", help="sound files or folders of them")
    made = "a file made by `serlab train`; by default the model of seven emotions"
    predict.add_argument("--model", help=made)
    each = "a row for every second with sound in it, not for every file"
    predict.add_argument("--timeline", action="store_true", help=each)
    how = predict.add_mutually_exclusive_group()
    how.add_argument("--csv", action="store_true", help="write a table of comma-separated values")
    how.add_argument("--json", action="store_true", help="write a list of JSON objects")
    predict.set_defaults(command=_predict)

    train = commands.add_parser("train", help="train a model of the book on a whole corpus, and keep it")
    train.add_argument("corpus", help="name of a corpus, or a folder with a table metadata.csv")
    train.add_argument("model", help="name of a model; serlab.models.names() lists all")
    train.add_argument("file", help="where to keep it, such as mine.serlab")
    train.add_argument("--seed", type=int, default=0, help="of what is random in the model")
    train.set_defaults(command=_train)

    serve = commands.add_parser("serve", help="predict and train over HTTP")
    serve.add_argument("--config", metavar="FILE", help="settings in TOML; SERLAB_SERVE_… count first")
    serve.set_defaults(command=_serve)

    fetch = commands.add_parser("fetch", help="download a corpus and verify it")
    fetch.add_argument("corpus")
    fetch.set_defaults(command=_fetch)

    validate = commands.add_parser("validate", help="read every file of a corpus or folder")
    validate.add_argument("corpus")
    validate.set_defaults(command=_validate)

    commands.add_parser("runs", help="list, check, verify or make the recorded runs of the book")
    return parser


def _predict(given: argparse.Namespace) -> int:
    import pandas as pd

    from serlab.prediction import predict

    what = given.recordings[0] if len(given.recordings) == 1 else given.recordings
    table = predict(what, model=given.model, timeline=given.timeline)
    if given.csv:
        table.to_csv(sys.stdout, index=False, float_format="%.4f")
    elif given.json:
        rows = table.round(4).astype(object).where(table.notna(), None).to_dict("records")
        # What a terminal lacks is written as JSON has it.
        print(json.dumps(rows, indent=1, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8"))
    else:
        shown = table.drop(columns=[name for name in table if name.startswith("p_")])
        if not given.timeline:
            shown = shown.drop(columns=["start", "end"])
        with pd.option_context("display.max_colwidth", None, "display.width", None):
            print(shown.to_string(index=False, na_rep="", float_format="{:.2f}".format))
    return int(table["emotion"].isna().any())


def _train(given: argparse.Namespace) -> None:
    from serlab import corpora, models
    from serlab.prediction.fit import train

    # Before the work, rather than after it.
    models.files.check_place(Path(given.file))
    model = train(models.get(given.model), corpora.load(given.corpus), seed=given.seed)
    path, card = models.save(given.file, model), model.card
    uar, low, high = (100 * card["score"][name] for name in ("uar", "low", "high"))
    print(f"{path}: {card['title']}, trained on {card['clips']} clips of {card['speakers']} speakers.")
    print(f"On speakers it has not heard: UAR {uar:.1f} % [{low:.1f}, {high:.1f}] ({card['protocol']}).")
    if low == high or card["speakers"] < 5:
        print(f"Of {card['speakers']} speakers and {card['clips']} clips, this interval says little.")


def _serve(given: argparse.Namespace) -> None:
    try:
        from serlab.service import app, settings
    except ModuleNotFoundError as error:
        from serlab.errors import SerlabError

        raise SerlabError(f'There is no {error.name}: pip install "serlab[serve]"') from error
    app.serve(settings.read(given.config))


def _fetch(given: argparse.Namespace) -> None:
    from serlab import corpora

    print(corpora.fetch(given.corpus))


def _validate(given: argparse.Namespace) -> int:
    from serlab import corpora

    report = corpora.validate(given.corpus)
    print(report)
    return int(not report.ok)


if __name__ == "__main__":
    sys.exit(main())

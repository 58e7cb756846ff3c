"""The process that trains: ``python -m serlab.service.trainer JOBS``, as `serlab.service.jobs` starts it.

A line of JSON comes in first: the row of the job, with ``source``, what `serlab.load` takes, and ``place``,
the file of the model. When the input ends, whoever started the process has ended, and so does it.
"""

import contextlib
import json
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

from serlab import corpora, models
from serlab.errors import SerlabError
from serlab.prediction.fit import train
from serlab.service.jobs import Jobs


def main() -> None:
    """Train what the job asks for, and put the model into service when it is whole."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(10)
    jobs, place = Jobs(Path(sys.argv[1])), Path(job["place"])

    def change(**values) -> bool:
        return jobs.change(job["id"], ["running"], job["attempt"], **values)

    def tell(step: str, share: float) -> None:
        if not change(step=step, share=share):
            sys.exit("The job is not running any more")

    try:
        tell("load the corpus", 0.0)
        table = corpora.load(job["source"])
        model = train(models.get(job["model"]), table, seed=job["seed"], progress=tell)
        model = replace(model, card={**model.card, "seed": job["seed"], "job": job["id"]})
        new = models.save(place.with_suffix(".new"), model)
        # What cannot be read again never takes service.
        models.load(new)
        change(before=lambda: os.replace(new, place), state="done", step="in service", share=1.0)
    except SerlabError as error:
        change(state="failed", error=str(error))
    except Exception as error:
        about = f"{type(error).__name__}: {error}. The file trainer.log of the service has the details"
        change(state="failed", error=about)
        raise


def _end_with_parent() -> None:
    with contextlib.suppress(OSError):
        sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()

"""Train one fold of a recorded run of each kind of network anew, and show how far it comes out otherwise.

Rounding differs between makes of processor, and training makes it grow. What a remake alone moves is not in
any interval over speakers. The table is written to ``book/results/remakes.csv``, its checksum beside it; each
line is kept as soon as it is there, and lines that are there are not made again, unless with ``--force``.

    python benchmarks/remakes.py [--force]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from serlab import models, provenance, runs
from serlab.paths import atomic_write_together
from serlab.run_files import checksum

# One recorded run for each kind of network.
KINDS = (
    ("ravdess", "emobox6", "ann"),
    ("ravdess", "emobox6", "ann-original"),
    ("ravdess", "emobox6", "ann-byols"),
    ("ravdess", "six-emobox6", "contours-compact"),
    ("ravdess", "six-emobox6", "contours-original"),
    ("ravdess", "six-emobox6", "mel-compact"),
    ("emodb_first2s", "loso", "averages-compact"),
    ("emodb_first2s", "loso", "model-a"),
    ("ravdess", "emobox6", "cnn"),
    ("ravdess", "emobox6", "cnn-moved"),
    ("ravdess", "emobox6", "augmented"),
    ("ravdess", "emobox6", "cnn-original"),
    ("unified", "ternary", "valence-cnn-half"),
    ("unified", "ternary", "valence-original"),
)


def write(rows: list[dict], file: Path) -> None:
    """Write the table, and its checksum in the form that ``sha256sum --check`` reads."""
    text = pd.DataFrame(rows).round(4).to_csv(index=False, lineterminator="\n")
    line = f"{checksum(text)}  {file.name}\n"
    atomic_write_together({file: text.encode(), file.with_suffix(".sha256"): line.encode()})


def main() -> None:
    """Make the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="make all lines anew")
    force = parser.parse_args().force
    provenance.one_thread()
    file = runs.root() / "remakes.csv"
    rows = pd.read_csv(file).to_dict("records") if file.is_file() and not force else []
    for key in KINDS:
        name = "/".join(key)
        if name in {row["run"] for row in rows}:
            continue
        run = runs.read(*key)
        made = runs.remake(run, models.get(key[2]))
        machines = {"machine_before": run.meta["machine"], "machine_now": provenance.machine()}
        rows.append({"run": name, **made, **machines})
        write(rows, file)
    print(pd.DataFrame(rows).round(4).to_string())


if __name__ == "__main__":
    main()

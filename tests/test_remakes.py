"""The table of networks that were trained again is whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from serlab import runs

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import remakes

FILE = runs.root() / "remakes.csv"


def test_the_table_and_its_checksum_are_those_that_were_written(tmp_path):
    rows = pd.read_csv(FILE).to_dict("records")
    assert {row["run"] for row in rows} <= {"/".join(key) for key in remakes.KINDS}
    remakes.write(rows, tmp_path / FILE.name)
    for name in (FILE.name, "remakes.sha256"):
        assert (tmp_path / name).read_bytes() == FILE.with_name(name).read_bytes()

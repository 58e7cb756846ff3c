"""Server and trainer killed at random moments: a finished model stays in service, and jobs tell the truth."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from service import Server, kills

ROUNDS = int(os.environ.get("SERLAB_KILLS", "3"))


@pytest.mark.skipif(os.name == "nt", reason="nothing is killed like this there")
def test_whatever_is_killed_the_last_good_model_answers(tmp_path):
    """`kills` ends this where anything is not as it should be; python benchmarks/service.py does fifty."""
    found = list(kills(tmp_path, ROUNDS, seed=1))
    assert len(found) == ROUNDS
    assert {one["killed"] for one in found} == {"trainer", "server"}
    assert all(one["told"] in ("done", "interrupted") for one in found)
    server = Server(tmp_path, model="plain")
    server.start()
    told = server.get("/v1/jobs")
    server.stop()
    assert len(told) == ROUNDS + 2
    assert {one["state"] for one in told} <= {"done", "interrupted"}

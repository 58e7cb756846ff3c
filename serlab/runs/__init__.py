"""Recorded runs: what a model predicted for every clip, and how that came about.

A run is two files, ``<root>/<corpus>/<protocol>/<model>.csv.gz`` with one row per clip and seed, and
``.json`` beside it. Every number that the book shows for a model comes from such a run. ``python -m
serlab.runs`` makes those that are missing; it can be stopped at any moment and goes on at the fold where it
was.
"""

from serlab.runs.checks import check
from serlab.runs.command_line import main, record_named
from serlab.runs.making import PLAN, inputs, make, planned, remake, seeds_of, split_for, verify, write
from serlab.runs.record import COLUMNS, KEYS, TABLE_KEYS, Run, list_runs, read, root, table

__all__ = [
    "COLUMNS",
    "KEYS",
    "PLAN",
    "TABLE_KEYS",
    "Run",
    "check",
    "inputs",
    "list_runs",
    "main",
    "make",
    "planned",
    "read",
    "record_named",
    "remake",
    "root",
    "seeds_of",
    "split_for",
    "table",
    "verify",
    "write",
]

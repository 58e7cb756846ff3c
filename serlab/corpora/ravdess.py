"""RAVDESS: 24 actors, two statements, eight emotions, in North American English."""

from __future__ import annotations

from serlab.corpora.record import read_record

RECORD = read_record("ravdess")

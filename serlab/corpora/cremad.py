"""CREMA-D: 91 actors, twelve sentences, six emotions, in English."""

from __future__ import annotations

from serlab.corpora.record import read_record

RECORD = read_record("cremad")

"""How good a model is, and how sure one can be: metrics, intervals over speakers, comparisons, floors.

Everything is computed from predictions: a table with one row per clip and seed and at least the columns
``speaker``, ``label`` and ``predicted``; of values, such as arousal, ``value`` in place of ``label``. Counts
that are pooled over seeds weigh each seed alike.
"""

from serlab.evaluation.calibration import calibration_error, reliability, risk_coverage
from serlab.evaluation.comparisons import Comparison, compare, compare_all, group_difference, holm
from serlab.evaluation.intervals import (
    Interval,
    by_group,
    interval,
    jackknife,
    over_speakers,
    scores,
    student,
)
from serlab.evaluation.metrics import accuracy, floors, macro_f1, metric_of_counts, report, uar
from serlab.evaluation.values import ccc, cross_entropy, divergence, pearson, rmse

__all__ = [
    "Comparison",
    "Interval",
    "accuracy",
    "by_group",
    "calibration_error",
    "ccc",
    "compare",
    "compare_all",
    "cross_entropy",
    "divergence",
    "floors",
    "group_difference",
    "holm",
    "interval",
    "jackknife",
    "macro_f1",
    "metric_of_counts",
    "over_speakers",
    "pearson",
    "reliability",
    "report",
    "risk_coverage",
    "rmse",
    "scores",
    "student",
    "uar",
]

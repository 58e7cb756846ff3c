"""Chapter 5: linear models and support vector machines on summary features and eGeMAPS, and a committee."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serlab.features import Egemaps, Summary
from serlab.models.search import Committee, SpeakerSearch
from serlab.models.spec import ModelSpec

INNER = "by UAR on three speaker-disjoint folds within the training data"


def logistic(seed: int = 0) -> SpeakerSearch:
    """Build a logistic regression; scaling is fitted with it, its strength of regularisation is chosen."""
    model = LogisticRegression(class_weight="balanced", max_iter=2000)
    grid = {"logisticregression__C": [0.001, 0.003, 0.01, 0.03]}
    return SpeakerSearch(make_pipeline(StandardScaler(), model), grid)


def linear_svm(seed: int = 0) -> SpeakerSearch:
    """Build a linear support vector machine with chosen C."""
    machine = SVC(kernel="linear", class_weight="balanced", break_ties=True)
    grid = {"svc__C": [0.0003, 0.001, 0.003, 0.01]}
    return SpeakerSearch(make_pipeline(StandardScaler(), machine), grid)


def rbf_svm(seed: int = 0) -> SpeakerSearch:
    """Build a support vector machine with radial kernel and chosen C."""
    machine = SVC(class_weight="balanced", break_ties=True)
    return SpeakerSearch(make_pipeline(StandardScaler(), machine), {"svc__C": [1.0, 3.0, 10.0]})


def committee(seed: int = 0) -> Committee:
    """Build two logistic regressions, one per feature set, whose log-probabilities are averaged."""
    width = Summary().shape[0]
    return Committee([(slice(0, width), logistic()), (slice(width, None), logistic())])


def _both(spec: ModelSpec) -> tuple[ModelSpec, ModelSpec]:
    return spec, spec.normalised()


_FEATURES = {
    "summary": ("summary features", (Summary(),), ()),
    "egemaps": ("eGeMAPS", (Egemaps(),), ("opensmile",)),
}
_KINDS = {
    "logreg": ("Logistic regression", logistic, "C"),
    "svm-linear": ("Linear SVM", linear_svm, "C"),
    "svm-rbf": ("SVM with radial kernel", rbf_svm, "C"),
}
SPECS = tuple(
    variant
    for short, (features, extractors, libraries) in _FEATURES.items()
    for kind, (title, build, what) in _KINDS.items()
    for variant in _both(
        ModelSpec(
            f"{kind}-{short}",
            f"{title} on {features}",
            5,
            extractors,
            build,
            f"{what} {INNER}",
            libraries=libraries,
        )
    )
) + _both(
    ModelSpec(
        "committee",
        "Two logistic regressions, on summary features and on eGeMAPS, equal weight",
        5,
        (Summary(), Egemaps()),
        committee,
        f"each C {INNER}; weights equal, not tuned",
        ensemble=True,
        libraries=("opensmile",),
    )
)

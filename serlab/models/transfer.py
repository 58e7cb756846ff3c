"""Chapters 9 and 10: models on embeddings of networks trained elsewhere, and models that vote."""

from __future__ import annotations

from dataclasses import replace

from serlab.embeddings import ByolS
from serlab.models import ladder
from serlab.models.linear import INNER, logistic
from serlab.models.spec import TRANSDUCTIVE, ModelSpec

PRETRAINED = ("BYOL-S",)
LIBRARIES = ("keras",)
EQUAL = "weights equal, not tuned; members as each says"
WITH_CNN = (ladder.SEED_SPLIT, ladder.EMOBOX6)

_PROBE = ModelSpec(
    "logreg-byols",
    "Logistic regression on BYOL-S",
    9,
    (ByolS(),),
    logistic,
    f"C {INNER}",
    pretrained=PRETRAINED,
    libraries=LIBRARIES,
)


_NETWORK = ModelSpec(
    "ann-byols",
    "Our ANN on BYOL-S",
    9,
    (ByolS(),),
    ladder.dense,
    ladder.CARRIED,
    ladder.SEEDS,
    pretrained=PRETRAINED,
    libraries=LIBRARIES,
)


def _vote(name: str, title: str, members: tuple[str, ...], normalised: bool = False, **more) -> ModelSpec:
    """Describe models that vote; `normalised` says that those on vectors are speaker-normalised."""
    return ModelSpec(
        f"{name}-spknorm" if normalised else name,
        f"{title} ({TRANSDUCTIVE})" if normalised else title,
        10,
        (),
        None,
        EQUAL,
        speaker_normalised=normalised,
        ensemble=True,
        pretrained=PRETRAINED,
        members=tuple(
            f"{member}-spknorm" if normalised and member != "augmented" else member for member in members
        ),
        **more,
    )


_VECTORS = ("logreg-summary", "logreg-egemaps", "logreg-byols")
_THREE = ("three-vote", "Vote of three: summary, eGeMAPS and BYOL-S", _VECTORS)
_FOUR = (
    "four-vote",
    "Vote of four: summary, eGeMAPS, BYOL-S and our augmented CNN",
    (*_VECTORS, "augmented"),
)
_SIX = (
    "six-vote",
    "Vote of six: summary and BYOL-S twice, linear and network, eGeMAPS and our augmented CNN",
    (*_VECTORS, "ann", "ann-byols", "augmented"),
)
_NETWORKS = ("networks-vote", "Vote of our three networks", ("ann", "ann-byols", "augmented"))


def _scores(member: str, title: str) -> ModelSpec:
    """Describe a recorded model whose scores are normalised within speakers afterwards."""
    return replace(
        _vote(f"{member}-scorenorm", f"{title} ({TRANSDUCTIVE})", (member,), plan=(ladder.EMOBOX6,)),
        validation="nothing to choose; the model as it says itself",
        speaker_normalised=True,
        normalises_scores=True,
    )


SPECS = (
    _PROBE,
    _PROBE.normalised(),
    _NETWORK,
    replace(_NETWORK.normalised(), plan=(ladder.EMOBOX6, ladder.EMODB)),
    _vote(*_THREE),
    _vote(*_THREE, normalised=True),
    _vote(*_FOUR, plan=WITH_CNN),
    _vote(*_FOUR, normalised=True, plan=WITH_CNN),
    _vote(*_NETWORKS, plan=WITH_CNN),
    _vote(*_NETWORKS, normalised=True, plan=(ladder.EMOBOX6,)),
    _scores("networks-vote", "Vote of our three networks, scores"),
    _scores("networks-vote-spknorm", "Vote of our three networks, features and scores"),
    _vote(*_SIX, plan=WITH_CNN),
    _vote(*_SIX, normalised=True, plan=(ladder.EMOBOX6,)),
)

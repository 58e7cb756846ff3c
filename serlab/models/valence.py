"""Chapters 11 to 13: valence in three classes and in two, over several corpora."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sklearn.decomposition import TruncatedSVD
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab.embeddings import ByolS
from serlab.features import Egemaps, Mel, Summary, Treated
from serlab.features.base import Extractor
from serlab.models import ladder
from serlab.models.binaries import OneVsRest, Oversampled, Tuned
from serlab.models.linear import INNER, logistic
from serlab.models.search import SpeakerSearch
from serlab.models.spec import ModelSpec

TERNARY, LOCO, ORIGINAL = (("unified", name) for name in ("ternary", "ternary-loco", "ternary-original"))
BINARY = tuple(("unified", f"binary-{valence}") for valence in ("neg", "neu", "pos"))
EVERYWHERE = (TERNARY, *BINARY, LOCO)

# The original's "short": 128 bands x 16 frames. At 16 kHz and 512 samples a step that is half a second.
SHORT = Treated(features=Mel(n_mels=128, n_fft=2048, hop_length=512, seconds=0.5), seconds=0.5)


def segment(seconds: float) -> Treated:
    """Describe what our networks see: the loudest part of a clip, 64 bands, fifty frames to the second."""
    mel = Mel(n_mels=64, n_fft=1024, hop_length=320, seconds=seconds, align="centre")
    return Treated(features=mel, seconds=seconds)


HALF, MEDIUM, WHOLE = segment(0.5), segment(1.5), segment(3.0)
FIXED = "epochs, learning rate and layers fixed beforehand; the last epoch is kept"
THRESHOLD = "calibration and threshold on three speaker-disjoint parts of the training data"
LIBRARIES = ladder.LIBRARIES
PRETRAINED = ("BYOL-S",)
COMPONENTS = 100


def original(seed: int):
    """Build the original network as it was trained: 15 epochs of Adam, clip by clip."""
    return _network("original", epochs=15, batch_size=1, steps_at_once=16, optimizer="adam", seed=seed)


def small(seed: int):
    """Build the original network, trained as ours are: standardised bands, classes that weigh alike."""
    return _network("original", seed=seed, **_OURS)


def small_repeated(seed: int):
    """Build the same with balanced batches for class weights: clips of rare classes are repeated."""
    return Oversampled(_network("original", seed=seed, **(_OURS | {"balanced": False})), seed=seed)


def deep(seed: int):
    """Build the deeper network, with one decision between all classes."""
    return _network("cnn", seed=seed, **_OURS)


def separate(seed: int):
    """Build a deeper network for every class against the rest."""
    return OneVsRest(deep(seed))


def shared(seed: int):
    """Build the deeper network with a head for every class against the rest."""
    from serlab.models import valence_nets

    settings = _OURS | {"balanced": False}
    return valence_nets.SharedTrunk(valence_nets.three_heads, seed=seed, **settings)


def reduced(seed: int = 0) -> SpeakerSearch:
    """Build a logistic regression on the hundred strongest components of long features: far fewer numbers.

    References
    ----------
    Jolliffe 2002, Principal component analysis, Springer.
    """
    # On standardised features this is a PCA; unlike PCA it takes fewer components of fewer clips.
    components = TruncatedSVD(COMPONENTS, random_state=0)
    model = LogisticRegression(class_weight="balanced", max_iter=2000)
    grid = {"logisticregression__C": [0.001, 0.003, 0.01, 0.03]}
    return SpeakerSearch(make_pipeline(StandardScaler(), components, model), grid)


def tuned(seed: int = 0) -> Tuned:
    """Build a logistic regression with calibrated probabilities and a chosen threshold."""
    return Tuned(reduced())


def one_vs_rest(seed: int = 0) -> OneVsRest:
    """Build a tuned logistic regression for every class against the rest."""
    return OneVsRest(tuned())


_OURS: dict[str, Any] = {
    "epochs": 20,
    "batch_size": 32,
    "optimizer": ladder.cosine,
    "standardise": True,
    "balanced": True,
}


def _network(architecture: str, **settings):
    from serlab.models import valence_nets
    from serlab.models.network import Network

    return Network(getattr(valence_nets, architecture), **settings)


def _net(name: str, title: str, chapter: int, features: Treated, build, plan, validation=FIXED, **more):
    return ModelSpec(
        f"valence-{name}",
        title,
        chapter,
        (features,),
        build,
        validation,
        **({"seeds": (0,), "libraries": LIBRARIES, "single_fold_seeds": ladder.SEEDS, "plan": plan} | more),
    )


_ORIGINAL = ("The original valence CNN", 11, SHORT, original)
_FEATURES: dict[str, tuple[str, Extractor, dict[str, Any]]] = {
    "summary": ("summary features", Summary(), {}),
    "egemaps": ("eGeMAPS", Egemaps(), {"libraries": ("opensmile",)}),
    "byols": ("BYOL-S", ByolS(), {"build": reduced, "pretrained": PRETRAINED, "libraries": LIBRARIES}),
}
_ABOUT_BYOL = _FEATURES["byols"][2]
_TUNED = {name: value for name, value in _ABOUT_BYOL.items() if name != "build"}


def _linear(
    name: str, title: str, features, plan, build=logistic, validation=f"C {INNER}", chapter=11, **more
):
    return ModelSpec(f"valence-{name}", title, chapter, (features,), build, validation, plan=plan, **more)


def _probes(plan, part: str = "", seconds: float | None = None) -> tuple[ModelSpec, ...]:
    """Describe a logistic regression on each kind of features, of whole clips or of their loudest part."""
    name_more, title_more = (f"-{part}", f", {seconds:g} s") if part else ("", "")
    return tuple(
        _linear(
            f"{name}{name_more}",
            f"Valence: logistic regression on {title}{title_more}",
            Treated(features=features, seconds=seconds),
            plan,
            **more,
        )
        for name, (title, features, more) in _FEATURES.items()
    )


_PROBES = _probes(EVERYWHERE)
_SHORT_PROBES = _probes((TERNARY, *BINARY), "half", 0.5)
_VARIANTS = (
    _PROBES,
    tuple(probe.normalised() for probe in _PROBES),
    tuple(probe.by_emotion() for probe in _PROBES),
    tuple(probe.by_emotion().normalised() for probe in _PROBES),
    _SHORT_PROBES,
    tuple(probe.normalised() for probe in _SHORT_PROBES),
)


def _vote(members: tuple[ModelSpec, ...]) -> ModelSpec:
    """Let logistic regressions on unlike features vote, and name the vote as they are named."""
    like = _PROBES[0]
    return replace(
        members[0],
        name=members[0].name.replace(like.name, "valence-vote"),
        title=members[0].title.replace(like.title, "Valence: vote of summary, eGeMAPS and BYOL-S"),
        extractors=(),
        build=None,
        validation="weights equal, not tuned; members as each says",
        ensemble=True,
        pretrained=PRETRAINED,
        members=tuple(member.name for member in members),
    )


SPECS = (
    ModelSpec(
        "valence-majority",
        "Valence: largest class",
        11,
        (),
        lambda seed: DummyClassifier(),
        "nothing to choose",
        plan=(*EVERYWHERE, ORIGINAL),
    ),
    _net(
        "original-peek",
        f"{_ORIGINAL[0]}, epoch chosen on the test clips (unsound)",
        *_ORIGINAL[1:],
        (ORIGINAL,),
        "best epoch by loss on the test clips themselves; the original took the best accuracy: unsound",
        validates="test",
    ),
    _net(
        "original",
        *_ORIGINAL,
        (ORIGINAL, *EVERYWHERE),
        ladder.HELD_OUT,
        validates="speakers",
    ),
    _net("small", "Small valence CNN, classes weighted", 11, SHORT, small, EVERYWHERE),
    _net("small-repeated", "Small valence CNN, balanced batches", 11, SHORT, small_repeated, (TERNARY,)),
    _net("cnn-half", "Deeper valence CNN, 0.5 s", 11, HALF, deep, (TERNARY,), seeds=ladder.SEEDS),
    _net("cnn-medium", "Deeper valence CNN, 1.5 s", 11, MEDIUM, deep, (TERNARY,)),
    _net("cnn-whole", "Deeper valence CNN, 3 s", 11, WHOLE, deep, (TERNARY, LOCO)),
    _net("cnn-binary", "Deeper valence CNN with one sigmoid, 0.5 s", 12, HALF, deep, BINARY),
    _net(
        "separate",
        "Three valence CNNs, one per class, 0.5 s",
        12,
        HALF,
        separate,
        (TERNARY,),
        seeds=ladder.SEEDS,
    ),
    _net("shared", "Shared trunk with three heads, 0.5 s", 12, HALF, shared, (TERNARY,), seeds=ladder.SEEDS),
    *(spec for members in _VARIANTS for spec in (*members, _vote(members))),
    _linear(
        "byols-medium",
        "Valence: logistic regression on BYOL-S, 1.5 s",
        Treated(features=ByolS(), seconds=1.5),
        (TERNARY,),
        **_ABOUT_BYOL,
    ),
    _linear(
        "byols-untreated",
        "Valence: logistic regression on BYOL-S, recordings as they are",
        ByolS(),
        (TERNARY, LOCO),
        chapter=13,
        **_ABOUT_BYOL,
    ),
    _linear(
        "tuned",
        "Valence: calibrated logistic regression on BYOL-S",
        Treated(features=ByolS()),
        (TERNARY, *BINARY),
        build=tuned,
        validation=f"C {INNER}; {THRESHOLD}",
        chapter=12,
        **_TUNED,
    ),
    _linear(
        "one-vs-rest",
        "Valence: three calibrated logistic regressions on BYOL-S",
        Treated(features=ByolS()),
        (TERNARY,),
        build=one_vs_rest,
        validation=f"C {INNER}; {THRESHOLD}",
        chapter=12,
        ensemble=True,
        **_TUNED,
    ),
)

"""Chapters 14 and 15: the 193-feature network and the two networks of CREMA-D, as published, and ours."""

from __future__ import annotations

from dataclasses import replace

from serlab.augment import Chain, Step, Uniform, Versions, add_noise, pitch_shift, shift, time_stretch
from serlab.features import (
    Averages,
    Contours,
    Mel,
    Mfcc,
    Rms,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralRolloff,
    ZeroCrossingRate,
)
from serlab.features.averages import GUESSED
from serlab.features.descriptors import ORIGINAL_FRAME, ORIGINAL_SAMPLES
from serlab.models import ladder
from serlab.models.binaries import OneVsRest
from serlab.models.spec import TRANSDUCTIVE, ModelSpec

EMODB, RAVDESS, RAVDESS_RANDOM = ladder.EMODB, ladder.EMOBOX6, ladder.SEED_SPLIT
EMODB_RANDOM, EMODB_FIVE = (("emodb_first2s", name) for name in ("seed-split", "random5"))
SIX_CLIPS, SIX_SPEAKERS = (("ravdess", f"six-{name}") for name in ("clips30", "emobox6"))
NEMO = ("nemo", "loso")

# Model A: the paper trains 700 epochs at a rate of 1e-5, the report 300.
EPOCHS, RATE, BATCH = 12, 5e-5, 16
PLAIN_EPOCHS = 4 * EPOCHS
STUDY_EPOCHS, BINARY_EPOCHS = 15, 5
COMPACT_EPOCHS = 20

_RATE_16K = {"sample_rate": 16000}
STRETCHED = (
    Chain(Step(shift, seconds=Uniform(0.0, 0.2), **_RATE_16K)),
    Chain(Step(time_stretch, rate=0.81, **_RATE_16K)),
    Chain(Step(time_stretch, rate=1.23, **_RATE_16K)),
)
NOISED = (
    Chain(Step(add_noise, snr=Uniform(15.0, 25.0))),
    Chain(Step(pitch_shift, semitones=Uniform(-2.0, 2.0), **_RATE_16K)),
)
GUESS = Averages(features=GUESSED)
# Frames of the compact network: 32 ms long, fifty to the second, 3.2 s from the middle of the clip.
_FRAME = {"n_fft": 1024, "hop_length": 320}
MORE_CONTOURS = Contours(
    seconds=3.2,
    features=(
        ZeroCrossingRate(**_FRAME),
        Rms(scale="db", **_FRAME),
        SpectralCentroid(**_FRAME),
        SpectralBandwidth(**_FRAME),
        SpectralRolloff(**_FRAME),
        Mfcc(n_mfcc=13, n_mels=40, deltas=0, **_FRAME),
    ),
    **_FRAME,
)
ORIGINAL_MEL = Mel(
    n_mels=128, scale="power", seconds=ORIGINAL_SAMPLES / 16000, align="centre", **ORIGINAL_FRAME
)
RANDOM_CLIPS = "best epoch by loss on a twentieth of the training clips, whoever speaks: unsound"
UNRECORDED = "learning rate, dropout and number of epochs settled by trials of which no record is kept"
LIBRARIES = ladder.LIBRARIES


def rmsprop(steps: int):
    """Build the optimiser of model A: RMSprop, five times as quick as the paper's."""
    from serlab.backend import keras

    return keras.optimizers.RMSprop(RATE)


def model_a(seed: int):
    """Build model A, trained on four versions of each clip."""
    return _network(
        "model_a",
        epochs=EPOCHS,
        batch_size=BATCH,
        optimizer=rmsprop,
        standardise=True,
        copies=True,
        seed=seed,
    )


def model_a_plain(seed: int):
    """Build model A, trained on clips as they are, for as many steps."""
    return model_a(seed).set_params(epochs=PLAIN_EPOCHS, copies=False)


def model_a_binaries(seed: int):
    """Build the ensemble of the paper: a model A for each emotion against the rest."""
    return OneVsRest(model_a(seed).set_params(epochs=BINARY_EPOCHS))


def compact_binaries(seed: int):
    """Build our small dense network for each emotion against the rest."""
    return OneVsRest(ladder.dense(seed))


def original_contours(seed: int):
    """Build the original 1-D network of CREMA-D, trained on three versions of each clip."""
    return _network(
        "original_contours", epochs=STUDY_EPOCHS, batch_size=64, optimizer="adam", copies=True, seed=seed
    )


def original_mel(seed: int):
    """Build the original 2-D network of CREMA-D, trained on three versions of each clip."""
    return _network(
        "original_mel", epochs=STUDY_EPOCHS, batch_size=64, optimizer="adam", copies=True, seed=seed
    )


def compact_contours(seed: int):
    """Build our small 1-D network on more contours."""
    return _network("compact_contours", seed=seed, **_OURS)


def compact_mel(seed: int):
    """Build our CNN of chapter 7 with fewer epochs."""
    return ladder.cnn(seed).set_params(epochs=COMPACT_EPOCHS)


_OURS = {
    "epochs": COMPACT_EPOCHS,
    "batch_size": 16,
    "optimizer": ladder.cosine,
    "standardise": True,
    "label_smoothing": 0.1,
    "balanced": True,
}


def _network(architecture: str, **settings):
    from serlab.models import published_nets
    from serlab.models.network import Network

    return Network(getattr(published_nets, architecture), **settings)


_AVERAGES = {
    "chapter": 14,
    "extractors": (Versions(extractor=GUESS, chains=STRETCHED),),
    "augmentation": "three more versions of each training clip: shifted, slower, quicker",
}
_CONTOURS = {
    "chapter": 15,
    "extractors": (Versions(extractor=Contours(), chains=NOISED),),
    "augmentation": "two more versions of each training clip: with noise, with another pitch",
}


def _net(name: str, title: str, build, validation: str, plan, **more) -> ModelSpec:
    settings = {"seeds": (0,), "single_fold_seeds": ladder.SEEDS, "libraries": LIBRARIES}
    return ModelSpec(
        name=name, title=title, build=build, validation=validation, plan=plan, **(settings | more)
    )


_MODEL_A = _net(
    "model-a",
    "193-feature CNN",
    model_a,
    f"{ladder.HELD_OUT}; {UNRECORDED}",
    (EMODB_RANDOM, EMODB_FIVE, EMODB, RAVDESS_RANDOM, RAVDESS),
    validates="speakers",
    **_AVERAGES,
)
_COMPACT = _net(
    "averages-compact",
    "Our ANN on 193 averages",
    ladder.dense,
    ladder.CARRIED,
    (EMODB_RANDOM, EMODB_FIVE, EMODB, RAVDESS_RANDOM, RAVDESS),
    chapter=14,
    extractors=(GUESS,),
    augmentation="none",
)
_MEMBERS = ("logreg-summary", "logreg-egemaps", "logreg-byols", "ann", "ann-byols", "averages-compact")
_VOTE = ModelSpec(
    "averages-vote",
    "Vote of six: averages, summary, eGeMAPS and BYOL-S, linear and network",
    14,
    (),
    None,
    "weights equal, not tuned; members as each says",
    ensemble=True,
    pretrained=("BYOL-S",),
    members=_MEMBERS,
    plan=(EMODB,),
)
_VOTE_NORMALISED = replace(
    _VOTE,
    name="averages-vote-spknorm",
    title=f"{_VOTE.title} ({TRANSDUCTIVE})",
    speaker_normalised=True,
    members=tuple(f"{member}-spknorm" for member in _MEMBERS),
)

_ANYWHERE = (SIX_CLIPS, SIX_SPEAKERS, NEMO)
SPECS = (
    replace(
        _MODEL_A,
        name="model-a-peek",
        title="193-feature CNN, epoch chosen on the test clips (unsound)",
        validation=f"{ladder.PEEK}; {UNRECORDED}",
        validates="test",
        plan=(EMODB_RANDOM, RAVDESS_RANDOM),
    ),
    _MODEL_A,
    replace(
        _MODEL_A,
        name="model-a-usual",
        title="193-feature CNN, usual reading of the features",
        extractors=(Versions(extractor=Averages(), chains=STRETCHED),),
        plan=(EMODB_RANDOM,),
    ),
    replace(
        _MODEL_A,
        name="model-a-plain",
        title="193-feature CNN, clips as they are",
        build=model_a_plain,
        extractors=(GUESS,),
        augmentation="none",
        plan=(EMODB_RANDOM,),
    ),
    replace(
        _MODEL_A,
        name="model-a-binaries",
        title="193-feature CNNs, one per emotion",
        build=model_a_binaries,
        ensemble=True,
        validation=f"{BINARY_EPOCHS} epochs, to save computing time; {UNRECORDED}",
        validates="itself",
        plan=(EMODB_RANDOM,),
    ),
    _COMPACT,
    replace(_COMPACT.normalised(), plan=(EMODB, RAVDESS)),
    replace(
        _COMPACT,
        name="averages-compact-binaries",
        title="Our ANNs on 193 averages, one per emotion",
        build=compact_binaries,
        ensemble=True,
        plan=(EMODB_RANDOM, EMODB),
    ),
    _VOTE,
    _VOTE_NORMALISED,
    replace(
        _VOTE_NORMALISED,
        name="averages-vote-spknorm-scorenorm",
        title=f"{_VOTE.title}, features and scores ({TRANSDUCTIVE})",
        normalises_scores=True,
    ),
    _net(
        "contours-original-clips",
        "The original CREMA-D contour network, epoch chosen on clips of speakers trained on (unsound)",
        original_contours,
        RANDOM_CLIPS,
        (SIX_CLIPS,),
        validates="clips",
        **_CONTOURS,
    ),
    _net(
        "contours-original",
        "The original CREMA-D contour network",
        original_contours,
        ladder.HELD_OUT,
        _ANYWHERE,
        validates="speakers",
        **_CONTOURS,
    ),
    _net(
        "contours-original-last",
        "The original CREMA-D contour network, last epoch",
        original_contours,
        ladder.LAST,
        (SIX_SPEAKERS, NEMO),
        **_CONTOURS,
    ),
    _net(
        "contours-compact",
        "Our CNN on contours",
        compact_contours,
        f"{UNRECORDED}, {COMPACT_EPOCHS} of them to save computing time; the last epoch is kept",
        _ANYWHERE,
        chapter=15,
        extractors=(MORE_CONTOURS,),
        augmentation="none",
    ),
    _net(
        "mel-compact",
        "Our CNN on log-mel spectrograms, fewer epochs",
        compact_mel,
        f"as our CNN, with {COMPACT_EPOCHS} epochs to save computing time; the last epoch is kept",
        _ANYWHERE,
        chapter=15,
        extractors=(ladder.LOG_MEL,),
        augmentation="none",
    ),
)

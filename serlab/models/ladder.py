"""Chapters 6 to 8: the dense network, the CNN and the augmented CNN of the original notebook, and ours.

Keras is loaded when a model is built, not when it is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from serlab.augment import (
    Chain,
    OriginalVersions,
    Step,
    frequency_mask,
    shift_bands,
    shift_frames,
    time_mask,
)
from serlab.features import Mel, OriginalMel, Summary
from serlab.features.base import Extractor
from serlab.models.spec import ModelSpec

if TYPE_CHECKING:
    from serlab.models.network import Network

SEEDS = (0, 1, 2)
# Trainings of ten minutes and more: one for each of several folds, three where there is one fold.
COSTLY = {"seeds": (0,), "single_fold_seeds": SEEDS}
LIBRARIES = ("keras",)
PEEK = "best epoch by loss on the test clips themselves, as in the original: unsound"
HELD_OUT = "best epoch by loss on a fifth of the training clips, of speakers of their own"
LAST = "no epoch chosen: trained on all training speakers, the last one is kept"
SCHEDULED = (
    "epochs, learning rate and layers fixed before the first recorded run, by trials on six training "
    "speakers of RAVDESS's first fold, of which no record is kept; the last epoch is kept"
)
CARRIED = "epochs, learning rate and layers of our ANN on summary features, unchanged; the last epoch is kept"
LONG = (
    "four times the epochs, because longer training paid on random clips of speakers also trained on: "
    "made for such a split; the last epoch is kept"
)
SEED_SPLIT, EMOBOX6 = ("ravdess", "seed-split"), ("ravdess", "emobox6")
EMODB = ("emodb_first2s", "loso")

MOVES, MASKS = "moved in time and frequency", "one mask in each"

# What our CNNs see: 3.2 s from the middle of the clip, in frames of 64 ms, fifty to the second.
LOG_MEL = Mel(seconds=3.2, align="centre", n_fft=1024, hop_length=320, n_mels=64, scale="db")
MOVED = (Step(shift_frames, most=20), Step(shift_bands, most=3))
MASKED = (
    Step(time_mask, count=1, width=(0, 20), fill=0.0),
    Step(frequency_mask, count=1, width=(0, 8), fill=0.0),
)


def original_ann(seed: int) -> Network:
    """Build the dense network of the original notebook."""
    return _network("original_ann", epochs=25, seed=seed)


def original_cnn(seed: int) -> Network:
    """Build the CNN of the original notebook."""
    return _network("original_cnn", epochs=25, seed=seed)


def original_augmented_cnn(seed: int) -> Network:
    """Build the augmented CNN of the original notebook, which learns from five versions of each clip."""
    return _network("original_augmented_cnn", epochs=25, copies=True, seed=seed)


def dense(seed: int) -> Network:
    """Build our dense network on summary features."""
    return _network(
        "dense",
        epochs=60,
        optimizer=cosine,
        standardise=True,
        label_smoothing=0.1,
        balanced=True,
        seed=seed,
    )


def cnn(seed: int, steps: Sequence[Step] = ()) -> Network:
    """Build our CNN on log-mel spectrograms; `steps` change every batch of training clips."""
    return _network(
        "cnn",
        epochs=50,
        batch_size=16,
        optimizer=cosine,
        centre_clips=True,
        standardise=True,
        label_smoothing=0.1,
        augment=Chain(*steps, seed=seed) if steps else None,
        seed=seed,
    )


def augmented_cnn(seed: int) -> Network:
    """Build our CNN, trained on clips that are moved and masked, anew in every epoch."""
    return cnn(seed, (*MOVED, *MASKED))


def moved_cnn(seed: int) -> Network:
    """Build our CNN, trained on clips that are moved in time and in frequency."""
    return cnn(seed, MOVED)


def masked_cnn(seed: int) -> Network:
    """Build our CNN, trained on clips that are masked in time and in frequency."""
    return cnn(seed, MASKED)


def long_cnn(seed: int) -> Network:
    """Build our augmented CNN with four times the epochs."""
    return augmented_cnn(seed).set_params(epochs=200)


def _network(architecture: str, **settings) -> Network:
    from serlab.models import architectures
    from serlab.models.network import Network

    return Network(getattr(architectures, architecture), **settings)


def cosine(steps: int):
    """Build the optimiser of our networks, whose learning rate falls to zero in `steps` batches."""
    from serlab.models import architectures

    return architectures.cosine(steps)


def _original(
    name: str, title: str, chapter: int, extractor: Extractor, build, **more
) -> tuple[ModelSpec, ...]:
    """Say it twice: epoch chosen on test clips, as the original did, and on speakers held out."""
    shared = {"seeds": SEEDS, "libraries": LIBRARIES} | more
    plan = shared.pop("plan", (SEED_SPLIT, EMOBOX6))
    return (
        ModelSpec(
            f"{name}-peek",
            f"{title}, epoch chosen on the test clips (unsound)",
            chapter,
            (extractor,),
            build,
            PEEK,
            validates="test",
            plan=tuple(place for place in plan if place == SEED_SPLIT),
            **shared,
        ),
        ModelSpec(
            name,
            title,
            chapter,
            (extractor,),
            build,
            HELD_OUT,
            validates="speakers",
            plan=plan,
            **shared,
        ),
    )


def _ours(name: str, title: str, chapter: int, build, augmentation: str, **more) -> ModelSpec:
    settings = {
        "validation": SCHEDULED,
        "seeds": SEEDS,
        "single_fold_seeds": SEEDS,
        "libraries": LIBRARIES,
        "plan": (SEED_SPLIT, EMOBOX6),
    }
    return ModelSpec(name, title, chapter, (LOG_MEL,), build, augmentation=augmentation, **(settings | more))


_ANN = ModelSpec(
    "ann", "Our ANN on summary features", 6, (Summary(),), dense, SCHEDULED, SEEDS, libraries=LIBRARIES
)
SPECS = (
    *_original("ann-original", "The original ANN", 6, OriginalMel(), original_ann),
    # Whoever holds out speakers to choose an epoch has fewer to train on. The last epoch on all of them is
    # the fair match for our networks, which need no choice.
    ModelSpec(
        "ann-original-last",
        "The original ANN, last epoch",
        6,
        (OriginalMel(),),
        original_ann,
        LAST,
        SEEDS,
        libraries=LIBRARIES,
        plan=(EMOBOX6,),
    ),
    _ANN,
    replace(_ANN.normalised(), plan=(EMOBOX6, EMODB)),
    *_original("cnn-original", "The original CNN", 7, OriginalMel(), original_cnn, **COSTLY),
    _ours("cnn", "Our CNN", 7, cnn, "none"),
    *_original(
        "augmented-original",
        "The original augmented CNN",
        8,
        OriginalVersions(),
        original_augmented_cnn,
        **COSTLY,
        augmentation="four more versions of each training clip, raised in pitch, three of them masked",
    ),
    _ours("augmented", "Our augmented CNN", 8, augmented_cnn, f"on the fly: {MOVES}, {MASKS}"),
    _ours("cnn-moved", "Our CNN, clips moved", 8, moved_cnn, f"on the fly: {MOVES}", plan=(EMOBOX6,)),
    _ours("cnn-masked", "Our CNN, clips masked", 8, masked_cnn, f"on the fly: {MASKS}", plan=(EMOBOX6,)),
    _ours(
        "augmented-long",
        "Our augmented CNN, trained four times as long",
        8,
        long_cnn,
        f"on the fly: {MOVES}, {MASKS}",
        validation=LONG,
        plan=(SEED_SPLIT,),
        **COSTLY,
    ),
)

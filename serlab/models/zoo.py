"""All models of the book in its order, as data: what each is given, how it is built, where it is recorded."""

from dataclasses import replace

from sklearn.dummy import DummyClassifier

from serlab.augment import OriginalVersions, Versions
from serlab.embeddings import ByolS, Whisper
from serlab.features import Averages, Contours, Egemaps, OriginalMel, Summary, Treated
from serlab.models import estimators as make
from serlab.models.binaries import OneVsRest, Oversampled, Tuned
from serlab.models.inputs import (
    FRAMES,
    GUESS,
    HALF,
    LOG_MEL,
    MEDIUM,
    MORE_CONTOURS,
    NOISED,
    SHORT,
    STRETCHED,
    WHOLE,
)
from serlab.models.spec import ModelSpec

# How settings were chosen.
NOT_NEEDED = "nothing to choose"
FIXED = "settings fixed beforehand"
INNER = "by UAR on three speaker-disjoint folds within the training data"
C_CHOSEN = f"C {INNER}"
EQUAL = "weights equal, not tuned; members as each says"
PEEK = "best epoch by loss on the test clips themselves, as in the original: unsound"
PEEK_AT_LOSS = "best epoch by loss on the test clips themselves; the original took the best accuracy: unsound"
RANDOM_CLIPS = "best epoch by loss on a twentieth of the training clips, whoever speaks: unsound"
HELD_OUT = "best epoch by loss on a fifth of the training clips, of speakers of their own"
LAST = "no epoch chosen: trained on all training speakers, the last one is kept"
FIXED_EPOCHS = "epochs, learning rate and layers fixed beforehand; the last epoch is kept"
SCHEDULED = (
    "epochs, learning rate and layers fixed before the first recorded run, by trials on six training "
    "speakers of RAVDESS's first fold, of which no record is kept; the last epoch is kept"
)
CARRIED = "epochs, learning rate and layers of our ANN on summary features, unchanged; the last epoch is kept"
LONG = (
    "four times the epochs, because longer training paid on random clips of speakers also trained on: "
    "made for such a split; the last epoch is kept"
)
UNRECORDED = "learning rate, dropout and number of epochs settled by trials of which no record is kept"
CALIBRATED = f"{C_CHOSEN}; calibration and threshold on three speaker-disjoint parts of the training data"

# Numbers of seeds where a protocol has several folds, and where it has one. Training of ten minutes and more
# is costly.
RANDOM, NETWORK, COSTLY = (3, 10), (3, 3), (1, 3)

# Where models are recorded: corpus and protocol.
EMOBOX6, SEED_SPLIT = ("ravdess", "emobox6"), ("ravdess", "seed-split")
SIX_CLIPS, SIX_SPEAKERS = ("ravdess", "six-clips30"), ("ravdess", "six-emobox6")
EMODB, EMODB_RANDOM, EMODB_FIVE = (("emodb_first2s", name) for name in ("loso", "seed-split", "random5"))
NEMO = ("nemo", "loso")
TERNARY, LOCO, ORIGINAL = (("unified", name) for name in ("ternary", "ternary-loco", "ternary-original"))
BINARY = tuple(("unified", f"binary-{valence}") for valence in ("neg", "neu", "pos"))
VALENCE = (TERNARY, *BINARY, LOCO)
RAVDESS = (SEED_SPLIT, EMOBOX6)

SUMMARY, EGEMAPS, BYOLS, WHISPER = (Summary(),), (Egemaps(),), (ByolS(),), (Whisper(),)
BORROWED, BORROWED_WHISPER = ("BYOL-S",), ("Whisper",)


def _peek(spec: ModelSpec, *plan, validation: str = PEEK) -> ModelSpec:
    """Choose the epoch on the test clips, as the original did."""
    title = f"{spec.title}, epoch chosen on the test clips (unsound)"
    name = f"{spec.name}-peek"
    return replace(spec, name=name, title=title, validation=validation, validates="test", plan=plan)


def _last(spec: ModelSpec, *plan) -> ModelSpec:
    """Choose no epoch, and train on all training speakers: the fair match for our networks."""
    name, title = f"{spec.name}-last", f"{spec.title}, last epoch"
    return replace(spec, name=name, title=title, validation=LAST, validates="itself", plan=plan)


def _vote(name: str, title: str, chapter: int, voters: tuple[ModelSpec, ...], *plan) -> ModelSpec:
    """Let recorded models vote with equal weight."""
    pretrained = tuple(dict.fromkeys(name for voter in voters for name in voter.pretrained))
    more = {"pretrained": pretrained, "ensemble": True, "voters": voters, "plan": plan or None}
    return ModelSpec(name, title, chapter, (), None, EQUAL, **more)


def _both(*specs: ModelSpec) -> tuple[ModelSpec, ...]:
    """Put beside each model the same one on features that are normalised within speakers."""
    return tuple(variant for spec in specs for variant in (spec, spec.normalised()))


def _repeated(seed: int) -> Oversampled:
    """Balance batches instead of weighing classes: clips of rare classes are repeated."""
    return Oversampled(make.valence_small(seed).set_params(balanced=False), seed=seed)


def _tuned(seed: int) -> Tuned:
    return Tuned(make.pca_logistic(seed))


def _probes(*plan, part: str = "", title: str = "", seconds: float | None = None) -> tuple[ModelSpec, ...]:
    """Describe a logistic regression on each kind of features, of all or a part of a clip, and their vote."""
    given = (
        ("summary", "summary features", Summary(), make.logistic, ()),
        ("egemaps", "eGeMAPS", Egemaps(), make.logistic, ()),
        ("byols", "BYOL-S", ByolS(), make.pca_logistic, BORROWED),
    )
    probes = []
    for short, about, features, build, pretrained in given:
        named = f"valence-{short}{part}", f"Valence: logistic regression on {about}{title}"
        treated = (Treated(features=features, seconds=seconds),)
        probes.append(ModelSpec(*named, 11, treated, build, C_CHOSEN, pretrained=pretrained, plan=plan))
    vote_title = f"Valence: vote of summary, eGeMAPS and BYOL-S{title}"
    return *probes, _vote(f"valence-vote{part}", vote_title, 11, tuple(probes), *plan)


# A table: rows are as long as they need to be.
# fmt: off

# ---- chapter 4: guesses, and rules on one number ----

_MAJORITY = ModelSpec("majority", "Majority class", 4, (), lambda seed: DummyClassifier(), NOT_NEEDED)
_CHANCE = ModelSpec("chance", "Chance: every class alike", 4, (),
                    lambda seed: DummyClassifier(strategy="uniform", random_state=seed), NOT_NEEDED, (5, 10))
_GUESS = ModelSpec("stratified-guess", "Guess: each class as often as in training", 4, (),
                   lambda seed: DummyClassifier(strategy="stratified", random_state=seed), NOT_NEEDED,
                   (5, 10))
_LOUDNESS = ModelSpec("loudness", "Loudness alone", 4, SUMMARY,
                      lambda seed: make.one_number("rms_mean"), FIXED)
_PITCH = ModelSpec("pitch", "Pitch alone", 4, SUMMARY, lambda seed: make.one_number("f0_median"), FIXED)

# ---- chapter 5: trees, linear models and support vector machines ----

_FOREST = ModelSpec("forest", "Random forest on summary features", 5, SUMMARY, make.forest, FIXED, RANDOM,
                    ensemble=True)
_LINEAR = {
    f"{kind}-{short}": ModelSpec(f"{kind}-{short}", f"{title} on {about}", 5, inputs, build, C_CHOSEN)
    for short, about, inputs in (("summary", "summary features", SUMMARY), ("egemaps", "eGeMAPS", EGEMAPS))
    for kind, title, build in (
        ("logreg", "Logistic regression", make.logistic),
        ("svm-linear", "Linear SVM", make.linear_svm),
        ("svm-rbf", "SVM with radial kernel", make.rbf_svm),
    )
}
_COMMITTEE = ModelSpec(
    "committee", "Two logistic regressions, on summary features and on eGeMAPS, equal weight", 5,
    (*SUMMARY, *EGEMAPS), make.committee, f"each C {INNER}; weights equal, not tuned", ensemble=True)

# ---- chapters 6 to 8: the networks of the original notebook, and ours ----

_ORIGINAL = {"validation": HELD_OUT, "validates": "speakers", "plan": RAVDESS}
_ANN_ORIGINAL = ModelSpec("ann-original", "The original ANN", 6, (OriginalMel(),), make.original_ann,
                          repeats=RANDOM, **_ORIGINAL)
_CNN_ORIGINAL = ModelSpec("cnn-original", "The original CNN", 7, (OriginalMel(),), make.original_cnn,
                          repeats=COSTLY, **_ORIGINAL)
_AUGMENTED_ORIGINAL = ModelSpec(
    "augmented-original", "The original augmented CNN", 8, (OriginalVersions(),), make.original_augmented_cnn,
    repeats=COSTLY, **_ORIGINAL,
    augmentation="four more versions of each training clip, raised in pitch, three of them masked")
_ANN = ModelSpec("ann", "Our ANN on summary features", 6, SUMMARY, make.dense, SCHEDULED, RANDOM)
_CNN = ModelSpec("cnn", "Our CNN", 7, (LOG_MEL,), make.cnn, SCHEDULED, NETWORK, plan=RAVDESS)
_MOVES, _MASKS = "moved in time and frequency", "one mask in each"
_AUGMENTED = replace(_CNN, name="augmented", title="Our augmented CNN", chapter=8, build=make.augmented_cnn,
                     augmentation=f"on the fly: {_MOVES}, {_MASKS}")

# ---- chapters 9 and 10: embeddings of networks trained elsewhere, and votes ----

_BYOLS_LINEAR = ModelSpec("logreg-byols", "Logistic regression on BYOL-S", 9, BYOLS, make.logistic, C_CHOSEN,
                          pretrained=BORROWED)
_BYOLS_ANN = ModelSpec("ann-byols", "Our ANN on BYOL-S", 9, BYOLS, make.dense, CARRIED, RANDOM,
                       pretrained=BORROWED)
_VECTORS = (_LINEAR["logreg-summary"], _LINEAR["logreg-egemaps"], _BYOLS_LINEAR)
_NETWORKS = (_ANN, _BYOLS_ANN, _AUGMENTED)
_THREE = _vote("three-vote", "Vote of three: summary, eGeMAPS and BYOL-S", 10, _VECTORS)
_FOUR = _vote("four-vote", "Vote of four: summary, eGeMAPS, BYOL-S and our augmented CNN", 10,
              (*_VECTORS, _AUGMENTED), *RAVDESS)
_OURS = _vote("networks-vote", "Vote of our three networks", 10, _NETWORKS, *RAVDESS)
_SIX = _vote(
    "six-vote", "Vote of six: summary and BYOL-S twice, linear and network, eGeMAPS and our augmented CNN",
    10, (*_VECTORS, *_NETWORKS), *RAVDESS)
# Scores of a vote that is recorded already.
_SCORES = {"validation": "nothing to choose; the model as it says itself", "plan": (EMOBOX6,)}

# ---- chapters 11 to 13: valence ----

_PROBES = _probes(*VALENCE)
_HALF_PROBES = _probes(TERNARY, *BINARY, part="-half", title=", 0.5 s", seconds=0.5)
_VALENCE_ORIGINAL = ModelSpec(
    "valence-original", "The original valence CNN", 11, (SHORT,), make.valence_original, HELD_OUT, COSTLY,
    validates="speakers", plan=(ORIGINAL, *VALENCE))
_SMALL = ModelSpec("valence-small", "Small valence CNN, classes weighted", 11, (SHORT,), make.valence_small,
                   FIXED_EPOCHS, COSTLY, plan=VALENCE)
_WHOLE = ModelSpec("valence-cnn-whole", "Deeper valence CNN, 3 s", 11, (WHOLE,), make.valence_cnn,
                   FIXED_EPOCHS, COSTLY, plan=(TERNARY, LOCO))
_HALF = replace(_WHOLE, name="valence-cnn-half", title="Deeper valence CNN, 0.5 s", extractors=(HALF,),
                repeats=NETWORK, plan=(TERNARY,))
_SEGMENT = replace(_PROBES[2], name="valence-byols-medium", title=f"{_PROBES[2].title}, 1.5 s",
                   extractors=(Treated(features=ByolS(), seconds=1.5),), plan=(TERNARY,))
_TUNED = replace(_PROBES[2], name="valence-tuned", title="Valence: calibrated logistic regression on BYOL-S",
                 chapter=12, build=_tuned, validation=CALIBRATED, plan=(TERNARY, *BINARY))

# ---- chapters 14 and 15: published networks ----

_MODEL_A = ModelSpec(
    "model-a", "193-feature CNN", 14, (Versions(extractor=GUESS, chains=STRETCHED),), make.model_a,
    f"{HELD_OUT}; {UNRECORDED}", COSTLY, validates="speakers",
    augmentation="three more versions of each training clip: shifted, slower, quicker",
    plan=(EMODB_RANDOM, EMODB_FIVE, EMODB, SEED_SPLIT, EMOBOX6))
_COMPACT = ModelSpec("averages-compact", "Our ANN on 193 averages", 14, (GUESS,), make.dense, CARRIED, COSTLY,
                     plan=_MODEL_A.plan)
_AVERAGES = _vote("averages-vote", "Vote of six: averages, summary, eGeMAPS and BYOL-S, linear and network",
                  14, (*_VECTORS, _ANN, _BYOLS_ANN, _COMPACT), EMODB)
_CONTOURS = ModelSpec(
    "contours-original", "The original CREMA-D contour network", 15,
    (Versions(extractor=Contours(), chains=NOISED),), make.original_contours, HELD_OUT, COSTLY,
    validates="speakers", plan=(SIX_CLIPS, SIX_SPEAKERS, NEMO),
    augmentation="two more versions of each training clip: with noise, with another pitch")

# ---- chapter 17: a transformer trained elsewhere ----

_WHISPER = ModelSpec("logreg-whisper", "Logistic regression on Whisper", 17, WHISPER, make.logistic, C_CHOSEN,
                     pretrained=BORROWED_WHISPER)
_BLOCKS = tuple(
    replace(_WHISPER, name=f"{_WHISPER.name}-block{block}", title=f"{_WHISPER.title}, block {block} alone",
            extractors=(Whisper(blocks=(block,)),), plan=(EMOBOX6,))
    for block in range(5))
_FUSION = _vote("whisper-vote", "Vote of four: Whisper, summary, eGeMAPS and BYOL-S", 17,
                (_WHISPER, *_VECTORS), EMOBOX6, EMODB, NEMO)
_VALENCE_WHISPER = replace(_WHISPER, name="valence-whisper-untreated", plan=VALENCE,
                           title="Valence: logistic regression on Whisper, recordings as they are")
_BY_EMOTION = replace(_VALENCE_WHISPER, plan=(TERNARY,)).by_emotion()

SPECS = (
    _MAJORITY, _CHANCE, _GUESS,
    _LOUDNESS, _PITCH, _LOUDNESS.normalised(), _PITCH.normalised(),

    ModelSpec("tree-original", "The original decision tree on 18,816 mel values", 5, (OriginalMel(),),
              make.original_tree, "none: grown until every leaf is pure, as in the original", RANDOM),
    ModelSpec("tree-small", "Tree of depth 4 on summary features", 5, SUMMARY, make.readable_tree, FIXED,
              RANDOM),
    ModelSpec("tree-tuned", "Tree of tuned depth on summary features", 5, SUMMARY, make.tuned_tree,
              f"depth {INNER}", RANDOM),
    *_both(_FOREST),
    ModelSpec("boosting", "Gradient boosting on summary features", 5, SUMMARY, make.boosting, FIXED, RANDOM,
              ensemble=True),
    *_both(*_LINEAR.values(), _COMMITTEE),

    _peek(_ANN_ORIGINAL, SEED_SPLIT), _ANN_ORIGINAL, _last(_ANN_ORIGINAL, EMOBOX6),
    _ANN, replace(_ANN.normalised(), plan=(EMOBOX6, EMODB)),
    _peek(_CNN_ORIGINAL, SEED_SPLIT), _CNN_ORIGINAL, _CNN,
    _peek(_AUGMENTED_ORIGINAL, SEED_SPLIT), _AUGMENTED_ORIGINAL, _AUGMENTED,
    replace(_AUGMENTED, name="cnn-moved", title="Our CNN, clips moved",
            build=lambda seed: make.cnn(seed, make.MOVED),
            augmentation=f"on the fly: {_MOVES}", plan=(EMOBOX6,)),
    replace(_AUGMENTED, name="cnn-masked", title="Our CNN, clips masked",
            build=lambda seed: make.cnn(seed, make.MASKED),
            augmentation=f"on the fly: {_MASKS}", plan=(EMOBOX6,)),
    replace(_AUGMENTED, name="augmented-long", title="Our augmented CNN, trained four times as long",
            build=lambda seed: make.augmented_cnn(seed).set_params(epochs=200), validation=LONG,
            repeats=COSTLY),
    replace(_CNN, name="cnn-long", title="Our CNN, trained four times as long", chapter=8,
            build=lambda seed: make.cnn(seed).set_params(epochs=200), validation=LONG,
            repeats=COSTLY, plan=(EMOBOX6,)),

    *_both(_BYOLS_LINEAR),
    _BYOLS_ANN, replace(_BYOLS_ANN.normalised(), plan=(EMOBOX6, EMODB)),
    *_both(_THREE, _FOUR),
    _OURS, replace(_OURS.normalised(), plan=(EMOBOX6,)),
    replace(_OURS.normalised("scores"), voters=(_OURS,), **_SCORES),
    replace(_OURS.normalised("features", "scores"), voters=(_OURS.normalised(),), **_SCORES),
    _SIX, replace(_SIX.normalised(), plan=(EMOBOX6,)),

    replace(_MAJORITY, name="valence-majority", title="Valence: largest class", chapter=11,
            plan=(*VALENCE, ORIGINAL)),
    _peek(_VALENCE_ORIGINAL, ORIGINAL, validation=PEEK_AT_LOSS), _VALENCE_ORIGINAL,
    _SMALL,
    replace(_SMALL, name="valence-small-repeated", title="Small valence CNN, balanced batches",
            build=_repeated, plan=(TERNARY,)),
    _HALF,
    replace(_WHOLE, name="valence-cnn-medium", title="Deeper valence CNN, 1.5 s", extractors=(MEDIUM,),
            plan=(TERNARY,)),
    _WHOLE,
    replace(_WHOLE, name="valence-cnn-binary", title="Deeper valence CNN with one sigmoid, 0.5 s", chapter=12,
            extractors=(HALF,), plan=BINARY),
    replace(_HALF, name="valence-separate", title="Three valence CNNs, one per class, 0.5 s", chapter=12,
            build=lambda seed: OneVsRest(make.valence_cnn(seed))),
    replace(_HALF, name="valence-shared", title="Shared trunk with three heads, 0.5 s", chapter=12,
            build=make.valence_shared),
    *_PROBES,
    *(spec.normalised() for spec in _PROBES),
    *(spec.by_emotion() for spec in _PROBES),
    *(spec.by_emotion().normalised() for spec in _PROBES),
    *_HALF_PROBES,
    *(spec.normalised() for spec in _HALF_PROBES),
    _SEGMENT,
    replace(_PROBES[2], name="valence-byols-untreated", title=f"{_PROBES[2].title}, recordings as they are",
            chapter=13, extractors=BYOLS, plan=(TERNARY, LOCO)),
    _TUNED,
    replace(_TUNED, name="valence-one-vs-rest",
            title="Valence: three calibrated logistic regressions on BYOL-S",
            build=lambda seed: OneVsRest(_tuned(seed)), ensemble=True, plan=(TERNARY,)),

    _peek(_MODEL_A, EMODB_RANDOM, SEED_SPLIT, validation=f"{PEEK}; {UNRECORDED}"), _MODEL_A,
    replace(_MODEL_A, name="model-a-usual", title="193-feature CNN, usual reading of the features",
            extractors=(Versions(extractor=Averages(), chains=STRETCHED),), plan=(EMODB_RANDOM,)),
    replace(_MODEL_A, name="model-a-plain", title="193-feature CNN, clips as they are",
            build=make.model_a_plain, extractors=(GUESS,), augmentation="none", plan=(EMODB_RANDOM,)),
    replace(_MODEL_A, name="model-a-binaries", title="193-feature CNNs, one per emotion",
            build=lambda seed: OneVsRest(make.model_a(seed).set_params(epochs=5)), ensemble=True,
            validation=f"5 epochs, to save computing time; {UNRECORDED}", validates="itself",
            plan=(EMODB_RANDOM,)),
    _COMPACT, replace(_COMPACT.normalised(), plan=(EMODB, EMOBOX6)),
    replace(_COMPACT, name="averages-compact-binaries", title="Our ANNs on 193 averages, one per emotion",
            build=lambda seed: OneVsRest(make.dense(seed)), ensemble=True, plan=(EMODB_RANDOM, EMODB)),
    *_both(_AVERAGES), _AVERAGES.normalised("features", "scores"),

    replace(_CONTOURS, name="contours-original-clips", validation=RANDOM_CLIPS, validates="clips",
            title=f"{_CONTOURS.title}, epoch chosen on clips of speakers trained on (unsound)",
            plan=(SIX_CLIPS,)),
    _CONTOURS, _last(_CONTOURS, SIX_SPEAKERS, NEMO),
    ModelSpec("contours-compact", "Our CNN on contours", 15, (MORE_CONTOURS,), make.compact_contours,
              f"{UNRECORDED}, 20 of them to save computing time; the last epoch is kept", COSTLY,
              plan=_CONTOURS.plan),
    ModelSpec("mel-compact", "Our CNN on log-mel spectrograms, fewer epochs", 15, (LOG_MEL,),
              lambda seed: make.cnn(seed).set_params(epochs=20),
              "as our CNN, with 20 epochs to save computing time; the last epoch is kept", COSTLY,
              plan=_CONTOURS.plan),

    *_both(_WHISPER), *_BLOCKS,
    *_both(replace(_WHISPER, name="svm-rbf-whisper", title="SVM with radial kernel on Whisper",
                   build=make.rbf_svm, plan=(EMOBOX6, EMODB, NEMO))),
    replace(_WHISPER, name="ann-whisper", title="Our ANN on Whisper", build=make.dense, validation=CARRIED,
            repeats=RANDOM, plan=(EMOBOX6,)),
    replace(_WHISPER, name="attention-whisper", title="Attention over frames of Whisper, block 3",
            extractors=(FRAMES,), build=make.attention, repeats=COSTLY, plan=(EMOBOX6,),
            validation="epochs and rate of our ANN on summary features, unchanged; the last epoch is kept"),
    *_both(_FUSION, _VALENCE_WHISPER, _BY_EMOTION),
)

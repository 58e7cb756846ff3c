"""What the models of the book are given: features with their settings, and altered versions of clips."""

from serlab.augment import Chain, Step, Uniform, add_noise, pitch_shift, shift, time_stretch
from serlab.embeddings import Whisper
from serlab.features import (
    Averages,
    Contours,
    Mel,
    Mfcc,
    Rms,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralRolloff,
    Treated,
    ZeroCrossingRate,
)
from serlab.features.averages import GUESSED
from serlab.features.descriptors import ORIGINAL_FRAME, ORIGINAL_SAMPLES

# What our CNNs see: 3.2 s from the middle of the clip, in frames of 64 ms, fifty to the second.
LOG_MEL = Mel(seconds=3.2, align="centre", n_fft=1024, hop_length=320, n_mels=64, scale="db")

# Valence. The original's "short": 128 bands x 16 frames, at 16 kHz and 512 samples a step half a second.
SHORT = Treated(features=Mel(n_mels=128, n_fft=2048, hop_length=512, seconds=0.5), seconds=0.5)


def _loudest(seconds: float) -> Treated:
    """Describe what our networks see: the loudest part of a clip, 64 bands, fifty frames to the second."""
    mel = Mel(n_mels=64, n_fft=1024, hop_length=320, seconds=seconds, align="centre")
    return Treated(features=mel, seconds=seconds)


HALF, MEDIUM, WHOLE = _loudest(0.5), _loudest(1.5), _loudest(3.0)

# Frames of a transformer: the same 3.2 s from the middle of the clip.
FRAMES = Treated(
    features=Whisper(blocks=(3,), statistics=None),
    trim_db=None,
    band=None,
    level=None,
    floor=None,
    seconds=3.2,
    where="centre",
)

# The 193 averages, and versions of clips as the report made them.
GUESS = Averages(features=GUESSED)
_RATE = {"sample_rate": 16000}
STRETCHED = (
    Chain(Step(shift, seconds=Uniform(0.0, 0.2), **_RATE)),
    Chain(Step(time_stretch, rate=0.81, **_RATE)),
    Chain(Step(time_stretch, rate=1.23, **_RATE)),
)

# CREMA-D.
NOISED = (
    Chain(Step(add_noise, snr=Uniform(15.0, 25.0))),
    Chain(Step(pitch_shift, semitones=Uniform(-2.0, 2.0), **_RATE)),
)
ORIGINAL_MEL = Mel(
    n_mels=128, scale="power", seconds=ORIGINAL_SAMPLES / 16000, align="centre", **ORIGINAL_FRAME
)
# Frames of our small network: 64 ms long, fifty to the second, 3.2 s from the middle of the clip.
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

"""Altered copies of training clips: of signals, of batches of spectrograms, and never of a test clip."""

from serlab.augment.chain import Batches, Chain, Step, Uniform
from serlab.augment.copies import training_copies
from serlab.augment.features import Augmented, OriginalVersions, Versions
from serlab.augment.spectrogram import frequency_mask, mixup, shift_bands, shift_frames, time_mask
from serlab.augment.waveform import (
    add_noise,
    gain,
    pitch_shift,
    room,
    room_response,
    shift,
    telephone,
    time_stretch,
    voice_message,
)

__all__ = [
    "Augmented",
    "Batches",
    "Chain",
    "OriginalVersions",
    "Step",
    "Uniform",
    "Versions",
    "add_noise",
    "frequency_mask",
    "gain",
    "mixup",
    "pitch_shift",
    "room",
    "room_response",
    "shift",
    "shift_bands",
    "shift_frames",
    "telephone",
    "time_mask",
    "time_stretch",
    "training_copies",
    "voice_message",
]

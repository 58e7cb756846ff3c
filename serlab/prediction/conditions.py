"""Recordings as they are outside of a studio: copies of clips to learn from, and clips to be tested with."""

from collections.abc import Callable

import numpy as np

from serlab.audio import loudest, normalise
from serlab.augment import Chain, Step, Uniform, add_noise, room, telephone, voice_message
from serlab.augment.waveform import OPUS_RATES


def copies(rate: int) -> dict[str, Chain]:
    """Say which copies of a clip at `rate` in Hz a model learns from, besides the clip itself."""
    return {
        "noise": Chain(Step(add_noise, snr=Uniform(5, 30), colour="pink"), seed=1),
        "room": Chain(Step(room, rt60=Uniform(0.2, 1.5), sample_rate=rate), seed=2),
        "telephone": Chain(
            Step(add_noise, snr=Uniform(10, 40), colour="pink"), Step(telephone, sample_rate=rate), seed=3
        ),
    }


def trials(rate: int) -> dict[str, Chain]:
    """Say in which conditions a model is tested: other draws of what it has seen, and what it has not."""
    found = {"voice message": Chain(Step(voice_message, sample_rate=rate))} if rate in OPUS_RATES else {}
    return found | {
        "telephone": Chain(Step(telephone, sample_rate=rate)),
        "church": Chain(Step(room, rt60=2.0, sample_rate=rate)),
        "noise 20 dB": Chain(Step(add_noise, snr=20, colour="pink")),
        "noise 10 dB": Chain(Step(add_noise, snr=10, colour="pink")),
        "noise 0 dB": Chain(Step(add_noise, snr=0, colour="pink")),
        "clipped": Chain(Step(normalise, target=-3.0), Step(np.clip, a_min=-1.0, a_max=1.0)),
    }


def odd(rate: int) -> dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]]:
    """Give ways to make of a clip what no model is made for, and what it should say so of."""
    return {
        "0.3 s": lambda y, rng: loudest(y, 0.3, rate),
        "-60 dBFS": lambda y, rng: normalise(y, -60),
        "-50 dBFS": lambda y, rng: normalise(y, -50),
        "over full scale": lambda y, rng: normalise(y, 3, "peak"),
        "clipped": lambda y, rng: np.clip(normalise(y, -8), -1, 1),
        "noise 0 dB": lambda y, rng: add_noise(y, 0, rng, "pink"),
        "telephone": lambda y, rng: telephone(y, rate),
        "music": lambda y, rng: _music(len(y) / rate, rate, rng),
    }


def _music(seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Play two chords a second, of three plucked notes with eight harmonics, and a drum on every beat."""
    t = np.arange(round(seconds * rate)) / rate
    y = np.zeros(len(t))
    for beat in np.arange(0, seconds, 0.5):
        after = np.maximum(t - beat, 0)
        heard = t >= beat
        root = 110 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9]) / 12)
        for note in root * 2 ** (np.array([0, 4, 7]) / 12):
            for harmonic in range(1, 9):
                y += heard * np.exp(-3 * after) * np.sin(2 * np.pi * note * harmonic * after) / harmonic
        y += heard * np.exp(-40 * after) * rng.standard_normal(len(t)) * rng.uniform(0.5, 3)
    return (0.5 * y / np.abs(y).max()).astype(np.float32)

"""Answers to the exercises of chapters 2 and 2b."""

import librosa
import numpy as np


def by_listening(frequency, rate):
    samples = np.cos(2 * np.pi * frequency * np.arange(rate) / rate)
    return np.abs(np.fft.rfft(samples)).argmax()


def folded(frequency, rate):
    rest = frequency % rate
    return min(rest, rate - rest)


def by_library(samples, n_fft, hop):
    return librosa.stft(np.zeros(samples), n_fft=n_fft, hop_length=hop).shape


def shape(frequencies=lambda n_fft: n_fft // 2 + 1, frames=lambda samples, n_fft, hop: 1 + samples // hop):
    return lambda samples, n_fft, hop: (frequencies(n_fft), frames(samples, n_fft, hop))


def less(kind=np.mean, axis=None):
    return lambda levels: levels - kind(levels, axis=axis, keepdims=axis is not None)


def one_by_one(level, below_db):
    loud = [value > max(level) - below_db for value in level]
    while not loud[0]:
        loud.pop(0)
    while not loud[-1]:
        loud.pop()
    return loud.count(False) / len(loud)


def pauses(share=lambda loud, inside: (~inside).mean(), loudest=np.max):
    """Return an answer to Exercise 3 of chapter 2b, of the frames that are loud, all and without the ends."""

    def answer(level, below_db):
        loud = level > loudest(level) - below_db
        first, last = np.flatnonzero(level > -60)[[0, -1]]
        return share(loud, loud[first : last + 1])

    return answer


RIGHT = {
    "heard": [by_listening, folded],
    "spectrogram_shape": [by_library, lambda samples, n_fft, hop: [1 + n_fft // 2, samples // hop + 1]],
    "centred": [less(np.median), less(np.max), lambda levels: levels - levels.mean() + 20],
    "pause_share": [one_by_one, pauses()],
}

WRONG = {
    "heard": [
        (lambda frequency, rate: frequency % rate, "The one above may be nearer"),
        (lambda frequency, rate: frequency, "the tone itself"),
        (lambda frequency, rate: rate - frequency, "never negative"),
        (lambda frequency, rate: abs(frequency - rate), "distance from the rate"),
        (lambda frequency, rate: frequency % (rate // 2), "turned round"),
        (lambda frequency, rate: rate / 2, "it gives 4000, where 1000 is right"),
    ],
    "spectrogram_shape": [
        (lambda samples, n_fft, hop: samples // hop, "Return two numbers"),
        (lambda *given: by_library(*given)[::-1], "The frequencies come first"),
        (shape(frequencies=lambda n_fft: n_fft), "aliases"),
        (shape(frequencies=lambda n_fft: n_fft // 2), "Count both ends"),
        (shape(frames=lambda samples, n_fft, hop: 1 + (samples - n_fft) // hop), "without silence"),
        (shape(frames=lambda samples, n_fft, hop: samples // hop), "before any hop"),
        (shape(frames=lambda samples, n_fft, hop: samples // n_fft), "Frames overlap"),
    ],
    "centred": [
        (less(axis=1), "the colour of the voice"),
        (less(axis=0), "which syllables"),
        (lambda levels: levels / levels.mean(), "The contrast changes"),
        (lambda levels: levels.copy(), "your levels are lower, too"),
        (np.mean, "The shape was (24, 50), and now it is ()."),
    ],
    "pause_share": [
        (pauses(lambda loud, inside: (~loud).mean()), "the silence at both ends"),
        (pauses(lambda loud, inside: inside.mean()), "the share of speech"),
        (pauses(lambda loud, inside: 100 * (~inside).mean()), "between 0 and 1"),
        (pauses(lambda loud, inside: (~inside).sum() / len(loud)), "Divide by the frames"),
        (pauses(lambda loud, inside: (~inside).sum()), "how many frames"),
        (pauses(loudest=lambda level: 0), "0 dB is not the loudest"),
    ],
}

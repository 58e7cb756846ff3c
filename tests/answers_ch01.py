"""Answers to the exercises of chapters 1 and 1b."""

import math

import numpy as np

from serlab.corpora import record

EMOTIONS = ["angry", "bored", "disgust", "fearful", "happy", "sad", "neutral"]
WORDS = dict(zip("WLEAFTN", EMOTIONS, strict=True))


def from_record(name):
    told = record("emodb").parse(name)
    return told["speaker"], told["emotion"]


def reading(words=WORDS, place=5, speaker=str):
    return lambda name: (speaker(name[:2]), words.get(name[place], name[place]))


def lower_and_louder(y, peak):
    return [value * peak / max(y.max(), -y.min()) for value in y]


def counted(kind="median", own=True, result=lambda above: above.sum()):
    """Return an answer to Exercise 2 of chapter 1b that compares these of the speakers."""

    def answer(clips, cue, emotion):
        table = clips.pivot_table(cue, "speaker", "emotion", kind)
        usual = clips.loc[clips["emotion"] == "neutral", cue].median()
        return result(table[emotion] > (table["neutral"] if own else usual))

    return answer


def one_by_one(clips, cue, emotion):
    count = 0
    for _, own in clips.groupby("speaker"):
        values = {name: part[cue].median() for name, part in own.groupby("emotion")}
        count += values[emotion] > values["neutral"]
    return count


def loud_clips(clips, cue, emotion):
    usual = clips.loc[clips["emotion"] == "neutral", cue].median()
    return (clips.loc[clips["emotion"] == emotion, cue] > usual).sum()


RIGHT = {
    "read_name": [from_record, lambda name: [name[:2], WORDS[name[-2]]]],
    "scaled": [lambda y, peak: peak / np.linalg.norm(y, np.inf) * y, lower_and_louder],
    "actors_above": [counted(), one_by_one],
    "semitones": [
        lambda low, high: 12 * (np.log2(high) - np.log2(low)),
        lambda low, high: [12 * math.log(b / a, 2) for a, b in zip(low, high, strict=True)],
    ],
}

WRONG = {
    "read_name": [
        (lambda name: WORDS[name[5]], "Return two things"),
        (reading(speaker=int), "Keep the speaker as text"),
        (lambda name: from_record(name)[::-1], "The speaker comes first"),
        (reading(words={}), "Look the letter up"),
        (reading(place=6), "counts the takes"),
        (reading(words=WORDS | {"A": "angry"}), "A is for *Angst*"),
        (reading(words=WORDS | {"F": "fearful"}), "F is for *Freude*"),
        (reading(words=WORDS | {"W": "anger"}), "it gives anger, where angry is right"),
    ],
    "scaled": [
        (lambda y, peak: y * peak / y.max(), "take absolute values"),
        (lambda y, peak: y / np.abs(y).max(), "every peak is 1"),
        (lambda y, peak: y * peak, "softer, by the same"),
        (lambda y, peak: np.clip(y, -peak, peak), "sounds distorted"),
        (lambda y, peak: peak, "gives a number, where an array"),
    ],
    "actors_above": [
        (loud_clips, "You count clips"),
        (counted(own=False), "with everybody's neutral"),
        (counted("mean"), "take medians"),
        (counted(result=lambda above: above.mean()), "That is their share"),
        (counted(result=lambda above: (~above).sum()), "who are lower"),
    ],
    "semitones": [
        (lambda low, high: high - low, "a difference in hertz"),
        (lambda low, high: np.log2(high / low), "Those are octaves"),
        (lambda low, high: 12 * np.log(high / low), "the logarithm with base 2"),
        (lambda low, high: 12 * np.log10(high / low), "not 10"),
        (lambda low, high: 12 * (high / low - 1), "each octave doubles again"),
        (lambda low, high: 12 * np.log2(low / high), "the other way round"),
    ],
}

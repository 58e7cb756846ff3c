"""Checkers of chapter 1, listening, and 1b, one cue at a time."""

import numpy as np
import pandas as pd

from serlab import corpora
from serlab.check import Hint, call, compare, exercise

# As the corpus itself reads its names.
_LETTERS = {letter: corpora.record("emodb").parse(f"03a01{letter}a")["emotion"] for letter in "WLEAFTN"}


@exercise
def read_name(answer) -> str:
    """Check ``answer(name)``: the speaker and the emotion in the name of a clip of EmoDB."""
    rng = np.random.default_rng(1)
    for letter, emotion in _LETTERS.items():
        speaker = f"{rng.choice([3, 8, 9, 10, 16]):02}"
        name = f"{speaker}{rng.choice(['a01', 'b03', 'b10'])}{letter}{rng.choice(list('abcd'))}"
        got = call(answer, name)
        if not (isinstance(got, (tuple, list)) and len(got) == 2):
            raise Hint("Return two things: the speaker and the emotion.")
        mistakes = (
            (int(speaker), 'Keep the speaker as text: "03" is no number to calculate with.'),
            (emotion, "The speaker comes first, then the emotion."),
        )
        compare(got[0], speaker, name, *mistakes)
        mistakes = (
            (letter, "Look the letter up: return the word that the table has for it."),
            (name[-1], "The last letter counts the takes. The one before it is the emotion."),
            ("angry", "The letters stand for German words: A is for *Angst*. Look at the table."),
            ("fearful", "The letters stand for German words: F is for *Freude*. Look at the table."),
        )
        compare(got[1], emotion, name, *mistakes)
    return "The label of a clip is a letter that somebody chose, and a code book that has to be read."


@exercise
def scaled(answer) -> str:
    """Check ``answer(y, peak)``: the sound, scaled so that its largest swing is ``peak``."""
    rng = np.random.default_rng(1)
    for peak in (0.9, 0.5):
        y = 0.4 * np.tanh(rng.normal(size=2000))
        y[7] = -0.6  # the largest swing is downwards
        mistakes = (
            (y * peak / y.max(), "The largest swing may be downwards: take absolute values."),
            (y / 0.6, "Now every peak is 1. It is to be `peak`."),
            (y * peak, "That makes each clip softer, by the same. Divide by its own largest swing first."),
            (y.clip(-peak, peak), "That cuts the swings off, and it sounds distorted. Scale them all alike."),
        )
        compare(call(answer, y, peak), y * peak / 0.6, f"a random sound and a peak of {peak}", *mistakes)
    return "Every clip has the same peak now, and nobody can say who was louder in the room."


@exercise
def actors_above(answer) -> str:
    """Check ``answer(clips, cue, emotion)``: how many speakers have a higher median than in neutral."""
    rng = np.random.default_rng(6)
    speakers = [f"{number:02}" for number in range(1, 25)]
    for emotion in ("sad", "angry"):
        index = pd.MultiIndex.from_product([speakers, ["neutral", "sad", "angry"], range(5)])
        clips = index.to_frame(index=False, name=["speaker", "emotion", "take"])
        usual = dict(zip(speakers, rng.normal(200, 40, 24), strict=True))
        clips["pitch"] = clips["speaker"].map(usual) + 10 * rng.standard_t(1.5, len(clips))
        clips = clips.sample(frac=1, random_state=1).copy()
        medians = clips.pivot_table("pitch", "speaker", "emotion", "median")
        means = clips.pivot_table("pitch", "speaker", "emotion", "mean")
        one, neutral = (clips[clips["emotion"] == name] for name in (emotion, "neutral"))
        right = (medians[emotion] > medians["neutral"]).sum()
        by_means = (means[emotion] > means["neutral"]).sum()
        against_all = (medians[emotion] > neutral["pitch"].median()).sum()
        counted = (one["pitch"] > neutral["pitch"].median()).sum()
        mistakes = (
            (counted, "You count clips. Take each speaker's median first."),
            (against_all, "You compare with everybody's neutral. Compare with the speaker's own."),
            (by_means, "A single slip of the tracker moves a mean: take medians."),
            (right / 24, "That is their share. Count them."),
            (24 - right, "You count the speakers who are lower."),
        )
        compare(call(answer, clips, "pitch", emotion), right, f"24 random speakers and {emotion}", *mistakes)
    return "Each actor is compared with nobody but herself."


@exercise
def semitones(answer) -> str:
    """Check ``answer(low, high)``: how many semitones lie between two pitches in Hz."""
    rng = np.random.default_rng(1)
    low = rng.uniform(80, 250, 50)
    for high in (low * rng.uniform(1.1, 3, 50), low * rng.uniform(0.4, 0.9, 50)):
        straight = 12 * (high / low - 1)
        mistakes = (
            (high - low, "That is a difference in hertz. Pitches are compared by their ratio."),
            (np.log2(high / low), "Those are octaves. Each of them has twelve semitones."),
            (12 * np.log(high / low), "Twelve semitones are a *doubling*: use the logarithm with base 2."),
            (12 * np.log10(high / low), "Twelve semitones are a *doubling*: the base is 2, not 10."),
            (straight, "One octave fits, two do not: each octave doubles again. Use a logarithm."),
            (12 * np.log2(low / high), "Upwards is positive: you have low and high the other way round."),
        )
        compare(call(answer, low, high), 12 * np.log2(high / low), "50 random pairs of pitches", *mistakes)
    return "The same step in hertz is large for a low voice and small for a high one."

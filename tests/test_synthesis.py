"""The synthesiser does what its cues say, measured from the sound by other means."""

from __future__ import annotations

from dataclasses import asdict, fields

import librosa
import numpy as np
import pytest
from scipy import signal

from serlab.corpora import synthesis
from serlab.corpora.synthesis import (
    CUES,
    SAMPLE_RATE,
    SENTENCES,
    SPEAKERS,
    Cues,
    synthesise,
    synthesise_phrase,
    voice,
)
from serlab.errors import CorpusError


def pitch_track(y):
    """Return the fundamental frequency in Hz by pYIN, one value per 16 ms, NaN where there is no voice."""
    f0, _, _ = librosa.pyin(
        np.asarray(y), fmin=70, fmax=420, sr=SAMPLE_RATE, frame_length=1024, hop_length=256
    )
    return f0


def pitch(y):
    f0 = pitch_track(y)
    return f0[~np.isnan(f0)]


def level(y, low, high):
    """Return the level in dB between two frequencies in Hz."""
    frequencies, power = signal.welch(np.asarray(y), SAMPLE_RATE, nperseg=1024)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].sum())


def speech_seconds(y):
    loud = np.flatnonzero(np.abs(y) > 0.1 * np.abs(y).max())
    return (loud[-1] - loud[0]) / SAMPLE_RATE


def test_neutral_is_one_in_every_cue():
    assert set(asdict(CUES["neutral"]).values()) == {1.0}


def test_the_emotions_are_those_of_ravdess_and_all_differ():
    assert list(CUES) == ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]
    assert len(set(CUES.values())) == 8
    assert all(value > 0 for cues in CUES.values() for value in asdict(cues).values())


def test_cues_point_where_the_reviews_say():
    """Juslin & Laukka (2003) and Scherer (2003): fast, loud, high, bright anger; the reverse for sadness."""
    angry, sad, happy, fearful = (CUES[emotion] for emotion in ("angry", "sad", "happy", "fearful"))
    for cue, sign in {"f0": 1, "f0_range": 1, "rate": 1, "loudness": 1, "tilt": -1, "attack": -1}.items():
        assert sign * np.log(getattr(angry, cue)) > 0, cue
        assert sign * np.log(getattr(sad, cue)) < 0, cue
    assert happy.f0_range > 1 > fearful.f0_range
    assert fearful.jitter > 1 > happy.jitter
    assert sad.pauses == max(cues.pauses for cues in CUES.values())


@pytest.mark.parametrize("speaker", ["d02", "d07"])
def test_pitch_is_the_one_asked_for(speaker):
    for ratio in (0.8, 1.0, 1.5):
        f0 = pitch(synthesise_phrase(speaker, f0=ratio, jitter=0.2))
        # Takes differ by 2.5 % (standard deviation); seed 0 draws the same for all ratios.
        assert np.exp(np.log(f0).mean()) == pytest.approx(voice(speaker).f0 * ratio, rel=0.07)


def test_turning_pitch_by_a_ratio_turns_it_by_that_ratio():
    plain, high = pitch(synthesise_phrase("d02")), pitch(synthesise_phrase("d02", f0=1.4))
    assert np.median(high) / np.median(plain) == pytest.approx(1.4, rel=0.03)


def test_range_and_final_rise():
    spread = {ratio: np.log2(pitch(synthesise_phrase("d02", f0_range=ratio))).std() for ratio in (0.5, 1, 2)}
    assert spread[1] / spread[0.5] > 1.5
    assert spread[2] / spread[1] > 1.5
    fall, rise = pitch(synthesise_phrase("d02")), pitch(synthesise_phrase("d02", final=1.7))
    assert fall[-3:].mean() < fall.mean()
    assert rise[-3:].mean() > 1.2 * rise.mean()


def test_loudness_is_amplitude():
    plain, loud = synthesise_phrase(), synthesise_phrase(loudness=2)
    np.testing.assert_allclose(np.abs(loud).max() / np.abs(plain).max(), 2, rtol=0.02)


def test_rate_and_pauses_change_the_length():
    plain = speech_seconds(synthesise_phrase())
    assert speech_seconds(synthesise_phrase(rate=1.5)) < plain / 1.25
    assert speech_seconds(synthesise_phrase(rate=0.7)) > plain * 1.2
    longer = len(synthesise_phrase(pauses=2)) - len(synthesise_phrase())
    assert longer / SAMPLE_RATE == pytest.approx(0.16, abs=0.001)


def test_tilt_takes_off_high_frequencies():
    def slope(y):
        return level(y, 2000, 4000) - level(y, 100, 1000)

    assert (
        slope(synthesise_phrase(tilt=0.4))
        > slope(synthesise_phrase()) + 2
        > slope(synthesise_phrase(tilt=1.8)) + 4
    )


def test_breath_and_jitter_make_the_voice_less_periodic():
    def harmonicity(y):
        """Return the median peak of the normalised autocorrelation over the loud frames."""
        frames = librosa.util.frame(np.asarray(y), frame_length=1024, hop_length=512).T
        frames = frames[np.sum(frames**2, axis=1) > 0.1 * np.sum(frames**2, axis=1).max()]
        lags = np.array([np.correlate(f, f, "full")[1023 + 40 : 1023 + 200].max() / (f @ f) for f in frames])
        return np.median(lags)

    plain = harmonicity(synthesise_phrase("d02"))
    assert harmonicity(synthesise_phrase("d02", breathiness=8)) < plain - 0.01
    assert harmonicity(synthesise_phrase("d02", jitter=6)) < plain - 0.01


def test_tremor_wavers_as_deep_as_asked():
    calm, trembling = (pitch_track(synthesise_phrase("d02", tremor=tremor, jitter=0.2)) for tremor in (1, 8))
    difference = 12 * np.log2(trembling / calm)
    # A sine of 0.12 semitones for each unit of tremor, smoothed a little by frames of 64 ms.
    assert np.nanstd(difference) == pytest.approx(0.12 * 7 / np.sqrt(2), rel=0.4)


def test_attack_is_the_time_to_full_level():
    def steepest(y):
        envelope = np.sqrt(np.convolve(np.asarray(y) ** 2, np.ones(160) / 160, "same"))
        return np.diff(envelope[::80]).max() / envelope.max()

    assert steepest(synthesise_phrase(attack=0.3)) > 1.2 * steepest(synthesise_phrase(attack=2.0))


def test_turning_one_cue_leaves_the_draws_of_the_others():
    """The two takes differ in level alone, sample by sample, but for the noise of the room."""
    np.testing.assert_allclose(synthesise_phrase(loudness=2), 2 * np.asarray(synthesise_phrase()), atol=2e-3)


def test_every_cue_is_heard():
    plain = synthesise_phrase("d02", "s2")
    for field in fields(Cues):
        changed = synthesise_phrase("d02", "s2", **{field.name: 1.5})
        assert len(changed) != len(plain) or np.abs(changed - plain).max() > 0.01, field.name


@pytest.mark.parametrize("smile", [1.0, 1.12])
def test_formants_of_a_vowel_lie_where_they_should(smile):
    """The peaks of an all-pole fit (Burg) to the held "a" of "ma", against the vocal tract asked for."""
    y = np.asarray(synthesise_phrase("d01", rate=0.4, jitter=0.1, breathiness=0.2, tilt=0.3, smile=smile))
    start = int(0.38 * SAMPLE_RATE)
    frame = signal.lfilter([1, -0.9], [1], y)[start : start + 1600] * np.hamming(1600)
    roots = np.roots(librosa.lpc(frame, order=18))
    found = np.sort(np.angle(roots[(roots.imag > 0) & (np.abs(roots) > 0.85)])) * SAMPLE_RATE / 2 / np.pi
    for formant in (730, 1150, 2440):
        expected = formant * voice("d01").tract * smile
        assert np.abs(found - expected).min() < 0.05 * expected


def test_levels_are_sensible_for_every_speaker_and_emotion():
    for speaker in SPEAKERS:
        for emotion in ("neutral", "sad", "angry"):
            y = synthesise(voice(speaker), voice(speaker).express(emotion), "s2", seed=1)
            assert y.dtype == np.float32
            assert np.isfinite(y).all()
            assert 0.02 < np.abs(y).max() <= 0.951
            assert abs(y.mean()) < 1e-4
            assert 1 < len(y) / SAMPLE_RATE < 4


def test_the_same_seed_says_the_same_and_another_does_not():
    one, same, other = (synthesise(voice("d03"), Cues(), "s1", seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other) or not np.allclose(one, other)


def test_speakers_differ_in_body_habits_and_ways():
    voices = [voice(speaker) for speaker in SPEAKERS]
    assert [v.gender for v in voices].count("female") == 6
    female = [v.f0 for v in voices if v.gender == "female"]
    male = [v.f0 for v in voices if v.gender == "male"]
    assert min(female) > max(male)
    assert len({v.express("angry") for v in voices}) == len(voices)
    assert {v.express("neutral") for v in voices} == {Cues()}


def test_strength_zero_is_neutral_and_two_is_twice_as_far():
    sad = CUES["sad"]
    assert sad.strengthened(0) == Cues()
    assert np.log(sad.strengthened(2).rate) == pytest.approx(2 * np.log(sad.rate))


def test_a_take_knows_its_recipe():
    take = synthesise_phrase("d02", emotion="sad", rate=0.8)
    assert take.recipe == {"speaker": "d02", "sentence": "s1", "emotion": "sad", "seed": 0, "rate": 0.8}
    np.testing.assert_array_equal(synthesise_phrase(**take.recipe), take)
    assert (take / 2).recipe is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: synthesise_phrase(pitch=2), "no cue 'pitch'; the cues are f0"),
        (lambda: synthesise_phrase(f0=0), "must be positive, but f0 = 0"),
        (lambda: synthesise_phrase(emotion="bored"), "does not know the emotion 'bored'"),
        (lambda: voice("d01").express("bored"), "does not know the emotion 'bored'"),
        (lambda: synthesise_phrase("Ann"), "called d01, d02 and so on, not 'Ann'"),
        (lambda: synthesise_phrase(sentence="s9"), "no sentence 's9'"),
    ],
)
def test_wrong_requests_are_answered(call, message):
    with pytest.raises(CorpusError, match=message):
        call()


def test_sentences_use_every_sound():
    letters = "".join(SENTENCES.values())
    assert set(letters) - set(" '|") == set(synthesis._CONSONANTS) | set(synthesis._VOWELS)

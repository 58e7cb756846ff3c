"""Augmentation: what is changed is measured independently, and no copy of a test clip reaches training."""

from __future__ import annotations

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import signal

from conftest import real_corpus
from serlab import audio, augment, splits, store
from serlab.augment import Batches, Chain, Step, Uniform, wsola
from serlab.corpora.synthesis import synthesise_phrase
from serlab.errors import AudioError, FeatureError, SplitError
from serlab.features import Mel, OriginalMel
from serlab.features.spectral import hann_window
from serlab.training import cross_validate

RATE = 16000


def rng(seed=0):
    return np.random.default_rng(seed)


def tone(f0, seconds=0.7, sample_rate=RATE):
    """Ten harmonics of a fundamental."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.1 * sum(np.sin(2 * np.pi * f0 * k * t + k) / k for k in range(1, 11))).astype(np.float32)


def fundamental(y, near, sample_rate=RATE):
    """Median of YIN over the inner frames, looking an octave around a frequency."""
    found = librosa.yin(y, fmin=near / 2, fmax=near * 2, sr=sample_rate, frame_length=2048)
    return np.median(found[3:-3])


def cents(found, wanted):
    return 1200 * np.log2(found / wanted)


# ---- signals ----


@pytest.mark.parametrize("f0", [85, 150, 310])
@pytest.mark.parametrize("semitones", [-4, -1, 0.5, 3])
def test_the_pitch_of_a_tone_shifts_by_what_was_asked_and_its_duration_stays(f0, semitones):
    shifted = augment.pitch_shift(tone(f0), semitones, RATE)
    wanted = f0 * 2 ** (semitones / 12)
    assert abs(cents(fundamental(shifted, wanted), wanted)) < 10
    assert len(shifted) == len(tone(f0))
    assert shifted.dtype == np.float32


def contour(y, sample_rate=RATE):
    f0, voiced, _ = librosa.pyin(
        y, fmin=70, fmax=600, sr=sample_rate, frame_length=1024, hop_length=512, resolution=0.05
    )
    return np.where(voiced, f0, np.nan)


@pytest.mark.parametrize(("speaker", "semitones"), [("d01", 2), ("d02", -2)])
def test_the_pitch_of_speech_shifts_by_what_was_asked(speaker, semitones):
    y = np.asarray(synthesise_phrase(speaker))
    difference = cents(contour(augment.pitch_shift(y, semitones, RATE)), contour(y))
    assert np.isfinite(difference).sum() > 20
    assert abs(np.nanmedian(difference) - 100 * semitones) < 20


@pytest.mark.real
def test_the_pitch_of_recorded_speech_shifts_by_what_was_asked():
    path = real_corpus("ravdess").path[30]
    y, sample_rate = audio.read(path, 22050)
    difference = cents(contour(augment.pitch_shift(y, 3, sample_rate), sample_rate), contour(y, sample_rate))
    assert abs(np.nanmedian(difference) - 300) < 20


@pytest.mark.parametrize("rate", [0.5, 0.81, 1.23, 3.0])
def test_stretching_changes_the_duration_and_keeps_the_pitch(rate):
    y = tone(150, seconds=1.0)
    stretched = augment.time_stretch(y, rate, RATE)
    assert len(stretched) == round(len(y) / rate)
    assert abs(cents(fundamental(stretched, 150), 150)) < 10
    assert audio.level(stretched) == pytest.approx(audio.level(y), abs=0.5)


@pytest.mark.parametrize("rate", [0.7, 1.4])
def test_what_happens_in_a_stretched_signal_happens_when_it_should(rate):
    y = np.zeros(RATE, np.float32)
    for start in (4000, 11000):
        y[start : start + 1500] = tone(200)[:1500]
    loud = np.flatnonzero(np.abs(augment.time_stretch(y, rate, RATE)) > 0.05)
    onsets = loud[[0, *(np.flatnonzero(np.diff(loud) > 1000) + 1)]]
    np.testing.assert_allclose(onsets, np.array([4000, 11000]) / rate, atol=0.025 * RATE)


def test_a_signal_stretched_at_rate_one_is_itself():
    y = np.asarray(synthesise_phrase())
    np.testing.assert_allclose(augment.time_stretch(y, 1.0, RATE), y, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 7, 300, 1000])
def test_the_shortest_signals_are_stretched_too(samples):
    y = tone(200)[:samples]
    assert len(augment.time_stretch(y, 0.3, RATE)) == round(samples / 0.3)
    assert len(augment.pitch_shift(y, 5, RATE)) == samples


def test_the_compiled_loop_does_what_its_source_says():
    y = np.pad(tone(130, seconds=0.2), 900)
    arguments = (y, hann_window(640), 600, 128, 4, 1.3, 2000)
    compiled = wsola.overlap_add(*arguments)
    plain_similarity, wsola.overlap_add.py_func.__globals__["_similarity"] = (
        wsola._similarity,
        wsola._similarity.py_func,
    )
    try:
        plain = wsola.overlap_add.py_func(*arguments)
    finally:
        wsola.overlap_add.py_func.__globals__["_similarity"] = plain_similarity
    np.testing.assert_allclose(compiled, plain, atol=1e-5)


def test_shifting_moves_and_fills_with_silence():
    y = np.arange(1.0, 11.0)
    np.testing.assert_array_equal(augment.shift(y, 0.3, 10), [0, 0, 0, 1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(augment.shift(y, -0.3, 10), [4, 5, 6, 7, 8, 9, 10, 0, 0, 0])


@pytest.mark.parametrize("colour", ["white", "pink"])
@pytest.mark.parametrize("snr", [-5, 12.5])
def test_noise_has_the_power_that_was_asked_for(colour, snr):
    y = tone(200)
    noise = augment.add_noise(y, snr, rng(), colour) - y.astype(float)
    assert 10 * np.log10(np.mean(y**2) / np.mean(noise**2)) == pytest.approx(snr, abs=0.01)


@pytest.mark.parametrize(("colour", "slope"), [("white", 0.0), ("pink", -3.01)])
def test_noise_has_its_colour(colour, slope):
    y = np.full(4 * RATE, 1e-3)
    noise = augment.add_noise(y, -60, rng(), colour)
    frequencies, power = signal.welch(noise, RATE, nperseg=2048)
    middle = (frequencies > 100) & (frequencies < 7000)
    fitted = np.polyfit(np.log2(frequencies[middle]), 10 * np.log10(power[middle]), 1)
    assert fitted[0] == pytest.approx(slope, abs=0.3)


def test_gain_is_in_decibels():
    y = tone(200)
    assert audio.level(augment.gain(y, -7.5)) == pytest.approx(audio.level(y) - 7.5, abs=1e-3)


@pytest.mark.parametrize("rt60", [0.3, 1.2])
def test_a_room_decays_by_60_decibels_in_its_reverberation_time(rt60):
    response = augment.room_response(rt60, RATE, rng()).astype(float)
    assert response[0] == 1
    assert 10 * np.log10(1 / np.sum(response[1:] ** 2)) == pytest.approx(6.0, abs=0.01)
    # Schroeder's backward integration, from where reflections are dense, over 20 dB.
    tail = response[RATE // 20 :] ** 2
    decay = 10 * np.log10(np.cumsum(tail[::-1])[::-1] / tail.sum())
    fitted = (decay < -3) & (decay > -23)
    slope = np.polyfit(np.flatnonzero(fitted) / RATE, decay[fitted], 1)[0]
    assert -60 / slope == pytest.approx(rt60, rel=0.12)
    # Few early reflections, many later ones.
    assert np.count_nonzero(response[1 : RATE // 100]) < 0.1 * RATE / 100
    assert np.count_nonzero(response[RATE // 20 :]) == len(response) - RATE // 20


def test_a_voice_in_a_room_rings_on_at_its_level():
    y = np.concatenate([tone(200), np.zeros(8000, np.float32)])
    wet = augment.room(y, 0.5, RATE, rng())
    assert len(wet) == len(y)
    assert audio.level(wet) == pytest.approx(audio.level(y), abs=0.01)
    assert np.abs(wet[-8000:-7000]).max() > 1e-3
    assert not augment.room(np.zeros(100), 0.5, RATE, rng()).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: augment.time_stretch(y, 0, RATE), "rate of 0"),
        (lambda y: augment.time_stretch(y, -1, RATE), "rate of -1"),
        (lambda y: augment.time_stretch(y, float("nan"), RATE), "rate of nan"),
        (lambda y: augment.pitch_shift(y, 25, RATE), "25 semitones"),
        (lambda y: augment.pitch_shift(y, float("nan"), RATE), "nan semitones"),
        (lambda y: augment.pitch_shift(y[:0], 1, RATE), "this one has none"),
        (lambda y: augment.gain(np.stack([y, y]), 1), "mono"),
        (lambda y: augment.gain(y * np.nan, 1), "NaN"),
        (lambda y: augment.gain(y, float("inf")), "inf"),
        (lambda y: augment.shift(y, 0.7, RATE), "leaves nothing"),
        (lambda y: augment.shift(y, float("nan"), RATE), "leaves nothing"),
        (lambda y: augment.gain(y, 1000), "gain is a number of decibels from -200 to 200, not 1000"),
        (lambda y: augment.add_noise(y, float("inf"), rng()), "-200 to 200, not inf"),
        (lambda y: augment.add_noise(y, -1000, rng()), "-200 to 200, not -1000"),
        (lambda y: augment.telephone(y, 4000), "more than 6800 Hz, not 4000"),
        (lambda y: augment.voice_message(y, 44100), "48000.* Hz, not 44100"),
        (lambda y: augment.add_noise(y * 0, 10, rng()), "silent"),
        (lambda y: augment.room(y, 0.01, RATE, rng()), "0.01 s"),
    ],
)
def test_what_cannot_be_done_to_a_signal_is_said(change, said):
    with pytest.raises(AudioError, match=said):
        change(tone(200))


def test_an_unknown_colour_is_refused():
    with pytest.raises(ValueError, match="brown"):
        augment.add_noise(tone(200), 10, rng(), "brown")


# ---- spectrograms ----


@pytest.mark.parametrize(("mask", "axis"), [(augment.time_mask, 2), (augment.frequency_mask, 1)])
def test_masks_cover_whole_stretches_of_the_asked_width_and_nothing_else(mask, axis):
    X = rng(1).uniform(1, 2, (400, 20, 30)).astype(np.float32)
    before = X.copy()
    masked = mask(X, rng(), count=1, width=(3, 6), fill=0.0)
    np.testing.assert_array_equal(X, before)
    assert masked.dtype == np.float32
    blank = (masked == 0).all(axis=3 - axis)
    np.testing.assert_array_equal(masked[masked != 0], X[masked != 0])
    np.testing.assert_array_equal(blank.sum(axis=1) * X.shape[3 - axis], (masked == 0).sum(axis=(1, 2)))
    # One stretch in each clip, of any width asked for, anywhere.
    assert (np.abs(np.diff(np.pad(blank, ((0, 0), (1, 1))).astype(int))).sum(axis=1) == 2).all()
    assert set(blank.sum(axis=1)) == {3, 4, 5, 6}
    assert blank.any(axis=0).all()


def test_several_masks_cover_more_and_may_overlap():
    blank = (augment.time_mask(np.ones((300, 1, 40)), rng(), count=3, width=(5, 5), fill=0.0) == 0).sum(
        axis=2
    )
    assert blank.min() >= 5
    assert blank.max() == 15
    assert (blank < 15).any()


def test_masks_take_their_fill_from_each_clip():
    X = rng(1).normal(5, 1, (3, 4, 6))
    masked = augment.time_mask(X, rng(), count=1, width=(6, 6))
    np.testing.assert_allclose(masked, X.mean(axis=(1, 2))[:, None, None] * np.ones((1, 4, 6)))
    masked = augment.frequency_mask(X, rng(), count=1, width=(4, 4), fill="min")
    np.testing.assert_allclose(masked[:, 0, 0], X.min(axis=(1, 2)))


def test_masks_treat_channels_alike():
    X = np.ones((5, 4, 10, 2))
    masked = augment.time_mask(X, rng(), count=1, width=(3, 3), fill=0.0)
    np.testing.assert_array_equal(masked[..., 0], masked[..., 1])
    np.testing.assert_array_equal(masked[..., 0], augment.time_mask(X[..., 0], rng(), 1, (3, 3), 0.0))


def test_shifted_frames_are_those_of_the_clip_and_silence():
    X = rng(1).uniform(1, 2, (200, 3, 12))
    moved = augment.shift_frames(X, rng(), most=4, fill=0.0)
    shifts = set()
    for clip, result in zip(X, moved, strict=True):
        padded = np.pad(clip, ((0, 0), (4, 4)))
        found = [s for s in range(-4, 5) if np.array_equal(result, padded[:, 4 - s : 16 - s])]
        assert len(found) == 1
        shifts.add(found[0])
    assert shifts == set(range(-4, 5))
    np.testing.assert_array_equal(augment.shift_frames(X, rng(), most=0), X)


def test_shifted_bands_are_those_of_the_clip_and_its_outermost():
    X = rng(1).uniform(1, 2, (200, 12, 3))
    moved = augment.shift_bands(X, rng(), most=4)
    shifts = set()
    for clip, result in zip(X, moved, strict=True):
        padded = np.pad(clip, ((4, 4), (0, 0)), mode="edge")
        found = [s for s in range(-4, 5) if np.array_equal(result, padded[4 - s : 16 - s])]
        assert len(found) == 1
        shifts.add(found[0])
    assert shifts == set(range(-4, 5))
    np.testing.assert_array_equal(augment.shift_bands(X, rng(), most=0), X)


def test_mixup_blends_labels_as_it_blends_clips():
    X = np.eye(50, dtype=np.float32)
    mixed, labels = augment.mixup(X, X, rng(), alpha=0.4)
    np.testing.assert_allclose(mixed, labels)
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-6)
    assert mixed.dtype == labels.dtype == np.float32
    assert ((mixed > 0).sum(axis=1) <= 2).all()
    # A small alpha leaves most clips nearly as they are.
    share = np.diag(augment.mixup(np.eye(4000), np.eye(4000), rng(), alpha=0.1)[1])
    assert np.mean((share < 0.1) | (share > 0.9)) > 0.7


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: augment.time_mask(X[0], rng()), "newaxis"),
        (lambda X: augment.time_mask(X.astype(int), rng()), "int64"),
        (lambda X: augment.time_mask(X, rng(), width=(0, 31)), "31 frames"),
        (lambda X: augment.frequency_mask(X, rng(), width=(5, 4)), "5 to 4 bands"),
        (lambda X: augment.time_mask(X, rng(), fill="zero"), "'zero'"),
        (lambda X: augment.shift_frames(X, rng(), 30), "0 to 29"),
        (lambda X: augment.shift_bands(X, rng(), 99), "bands cannot be moved"),
        (lambda X: augment.mixup(X, np.array([0, 1]), rng()), "one-hot"),
        (lambda X: augment.mixup(X, np.ones((2, 2)), rng()), "one-hot"),
        (lambda X: augment.mixup(X, np.eye(2), rng(), alpha=0), "positive"),
    ],
)
def test_what_cannot_be_done_to_spectrograms_is_said(change, said):
    with pytest.raises(FeatureError, match=said):
        change(np.ones((2, 20, 30)))


# ---- on the fly ----


def scaled(x, factor):
    """Stand for a change of which the draw can be read off."""
    return x * factor


def test_a_chain_depends_on_seed_epoch_and_index_alone():
    def drawn(seed, epoch, index):
        return float(Chain(Step(scaled, factor=Uniform(0, 1)), seed=seed)(np.ones(1), epoch, index)[0])

    found = {place: drawn(*place) for place in np.ndindex(3, 4, 5)}
    assert len(set(found.values())) == len(found)
    assert drawn(2, 3, 4) == found[2, 3, 4]
    assert min(found.values()) < 0.2
    assert max(found.values()) > 0.8


def test_steps_follow_one_another_each_as_often_as_asked():
    chain = Chain(
        Step(scaled, factor=2.0), Step(augment.gain, db=20), Step(scaled, probability=0.25, factor=0)
    )
    results = np.array([chain(np.ones(1), 0, index)[0] for index in range(2000)])
    assert set(results) == {0.0, 20.0}
    assert np.mean(results == 0) == pytest.approx(0.25, abs=0.03)


def test_equal_chains_are_equal_and_say_what_they_are():
    one = Chain(Step(augment.shift, seconds=Uniform(-0.1, 0.1), sample_rate=RATE), seed=3)
    assert one == Chain(Step(augment.shift, seconds=Uniform(-0.1, 0.1), sample_rate=RATE), seed=3)
    assert one != Chain(Step(augment.shift, seconds=Uniform(-0.1, 0.2), sample_rate=RATE), seed=3)
    assert len({one, Chain(*one.steps, seed=3), Chain(*one.steps, seed=4)}) == 2
    assert "seconds=Uniform(low=-0.1, high=0.1)" in repr(one)
    assert repr(Chain()) == "Chain(seed=0)"


def test_wrong_settings_are_refused_when_a_chain_is_written():
    with pytest.raises(FeatureError, match="'semitone'; it has y, semitones"):
        Step(augment.pitch_shift, semitone=2)
    with pytest.raises(FeatureError, match=r"1\.5"):
        Step(scaled, probability=1.5)
    with pytest.raises(FeatureError, match="empty"):
        Uniform(2, 1)
    with pytest.raises(FeatureError, match="none"):
        Chain(scaled)


def numbered(clips=23):
    """Make spectrograms that hold nothing but their row number plus one."""
    X = np.arange(1.0, clips + 1, dtype=np.float32)[:, None, None] * np.ones((1, 2, 6), np.float32)
    return X, np.eye(4, dtype=np.float32)[np.arange(clips) % 4]


def test_batches_hold_every_training_row_once_an_epoch_and_no_other():
    X, Y = numbered()
    rows = np.array([2, 3, 5, 7, 11, 13, 17])
    batches = Batches(X, Y, rows, batch_size=3)
    orders = []
    for _ in range(3):
        pairs = list(batches)
        assert [len(x) for x, _ in pairs] == [3, 3, 1]
        seen = np.concatenate([x[:, 0, 0] for x, _ in pairs]).astype(int) - 1
        np.testing.assert_array_equal(np.concatenate([y for _, y in pairs]), Y[seen])
        assert sorted(seen) == rows.tolist()
        orders.append(tuple(seen))
        batches.on_epoch_end()
    assert len(set(orders)) == 3


def test_batches_are_augmented_anew_in_every_epoch_and_the_same_when_asked_again(tmp_path):
    X, Y = numbered()
    np.save(tmp_path / "X.npy", X)
    stored = np.load(tmp_path / "X.npy", mmap_mode="r")
    chain = Chain(Step(augment.time_mask, count=1, width=(2, 2), fill=0.0))

    def made(seed=0):
        return Batches(stored, Y, batch_size=10, augment=chain, seed=seed)

    one, again = made(), made()
    for _ in range(2):
        # In any order: Keras may ask several workers.
        for number in (2, 0, 1):
            for left, right in zip(one[number], again[number], strict=True):
                np.testing.assert_array_equal(left, right)
        one.on_epoch_end()
        again.on_epoch_end()
    assert not np.array_equal(one[0][0], made()[0][0])
    assert not np.array_equal(made()[0][0], made(seed=1)[0][0])
    np.testing.assert_array_equal(stored, X)


def test_batches_refuse_what_does_not_fit():
    X, Y = numbered()
    with pytest.raises(FeatureError, match="labels"):
        Batches(X, Y[:5])
    with pytest.raises(FeatureError, match="not 0"):
        Batches(X, Y, batch_size=0)
    with pytest.raises(IndexError):
        Batches(X, Y)[1]


class Watching:
    """A model that augments on the fly and notes which rows are changed, and which it meets unchanged."""

    changed: set[int]
    validated: set[int]
    tested: set[int]

    def fit(self, X, y, validation_data):
        self.classes_ = np.unique(y)
        self.changed, self.tested = set(), set()
        self.validated = set(validation_data[0].ravel().astype(int))

        def note(x, rng):
            self.changed |= set(x.ravel().astype(int))
            return -x

        Y = (y[:, None] == self.classes_).astype(np.float32)
        batches = Batches(X[:, None, None], Y, batch_size=4, augment=Chain(Step(note)))
        for _ in range(2):
            assert all((x < 0).all() for x, _ in batches)
            batches.on_epoch_end()
        return self

    def predict_proba(self, X):
        self.tested |= set(X.ravel().astype(int))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


def corpus(speakers=6, clips=5):
    names = [f"s{speaker}c{clip}" for speaker in range(speakers) for clip in range(clips)]
    table = pd.DataFrame({"clip": names, "path": [f"{name}.wav" for name in names]})
    table["speaker"] = [name[:2] for name in names]
    table["emotion"] = ["sad", "happy", "angry", "sad", "happy"] * speakers
    table["sentence"] = "01"
    return table


def test_cross_validation_changes_training_clips_on_the_fly_and_no_others():
    table = corpus()
    split = splits.with_validation(splits.make(table, "loso"), table)
    models = []

    def build(seed):
        models.append(Watching())
        return models[-1]

    cross_validate(build, np.arange(1.0, len(table) + 1)[:, None], table, split)
    for model, fold in zip(models, split, strict=True):
        assert model.changed == set(fold.train + 1)
        assert model.validated == set(fold.validation + 1)
        assert model.tested == set(fold.test + 1)
        assert not model.changed & (model.validated | model.tested)


# ---- copies ----


def leaks(table, folds):
    split = splits.Split("x", "x", tuple(folds), True)
    return splits.audit(table, split, sources=table["source"]).loc["augmented copies", "test_clips"]


@pytest.mark.parametrize("protocol", ["loso", "group3", "random3", "seed-split"])
def test_no_copy_of_a_validation_or_test_clip_reaches_training(protocol):
    table = corpus()
    split = splits.make(table, protocol)
    if split.speaker_disjoint:
        split = splits.with_validation(split, table)
    for fold in split:
        more, expanded = augment.training_copies(table, fold, versions=3)
        assert leaks(more, [expanded]) == 0
        held = set(table["clip"].iloc[np.concatenate([fold.validation, fold.test])])
        training = more.iloc[expanded.train]
        assert not held & set(training["source"])
        # Proven from the names as well, which the column is not taken from.
        assert not held & set(training["clip"].str.split("#").str[0])
        assert training["version"].value_counts().to_dict() == dict.fromkeys(range(4), fold.train.size)
        # The corpus itself keeps its rows, and is tested with as it is.
        pd.testing.assert_frame_equal(more.iloc[: len(table)][table.columns], table)
        np.testing.assert_array_equal(expanded.test, fold.test)
        np.testing.assert_array_equal(expanded.validation, fold.validation)
        assert (more["path"].str.removesuffix(".wav") == more["source"]).all()
        assert more["clip"].is_unique


def test_the_audit_finds_copies_that_were_made_before_splitting():
    table = corpus()
    copies = table.assign(clip=table["clip"] + "-copy", source=table["clip"])
    doubled = pd.concat([table.assign(source=table["clip"]), copies], ignore_index=True)
    split = splits.make(doubled, "random3")
    assert leaks(doubled, split) > 0
    # Keeping speakers apart keeps their copies apart, too.
    assert leaks(doubled, splits.make(doubled, "loso")) == 0


def test_copies_before_splitting_are_refused():
    table = corpus()
    everything = splits.Fold(np.arange(len(table)), np.array([], int), np.array([], int))
    with pytest.raises(SplitError, match="Split first"):
        augment.training_copies(table, everything, 2)
    with pytest.raises(SplitError, match="Split first"):
        augment.training_copies(table, np.arange(len(table)), 2)
    more, fold = augment.training_copies(table, splits.make(table, "loso").folds[0], 1)
    with pytest.raises(SplitError, match="holds copies already"):
        augment.training_copies(more, fold, 1)


@pytest.mark.parametrize(
    ("fold", "said"),
    [
        (([0, 1, 2], [], [2, 3]), "clip s0c2 .* in training and in test"),
        (([0, 1, 2], [1, 0], [3]), "clip s0c0, and 1 others, .* in training and in validation"),
        (([0], [1], [1]), "in validation and in test"),
        (([0], [], [99]), "another table"),
    ],
)
def test_a_clip_on_two_sides_is_refused(fold, said):
    with pytest.raises(SplitError, match=said):
        augment.training_copies(corpus(), splits.Fold(*(np.array(rows, int) for rows in fold)), 1)


def test_no_versions_are_refused():
    with pytest.raises(SplitError, match="0 versions"):
        augment.training_copies(corpus(), splits.make(corpus(), "loso").folds[0], 0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Give a table of three sound files."""
    folder = tmp_path_factory.mktemp("sounds")
    for number, f0 in enumerate((120, 160, 210)):
        soundfile.write(folder / f"{number}.wav", tone(f0), RATE)
    return pd.DataFrame({"path": [str(folder / f"{number}.wav") for number in range(3)]})


def chained(seed=0):
    return Chain(Step(augment.gain, db=Uniform(-20, 20)), seed=seed)


def test_augmented_features_come_from_the_store_and_follow_the_sound_not_the_row(files, tmp_path):
    mel = Mel(scale="power", seconds=0.5)

    def stored(table, **changes):
        extractor = augment.Augmented(**{"extractor": mel, "chain": chained(), "version": 1} | changes)
        return np.array(store.features(table, extractor, n_jobs=1, progress=False, root=tmp_path))

    plain = store.features(files, mel, n_jobs=1, progress=False, root=tmp_path)
    first = stored(files)
    gains = first.sum(axis=(1, 2)) / plain.sum(axis=(1, 2))
    assert len(set(gains.round(3))) == 3
    np.testing.assert_allclose(first, plain * gains[:, None, None], rtol=1e-3, atol=1e-6 * first.max())
    np.testing.assert_array_equal(stored(files.iloc[::-1])[::-1], first)
    assert not np.allclose(stored(files, version=2), first)
    assert not np.allclose(stored(files, chain=chained(seed=1)), first)


def test_the_key_of_augmented_features_changes_with_all_that_decides_them():
    def key(extractor=None, chain=None, version=1):
        parts = {"extractor": extractor or Mel(), "chain": chain or chained(), "version": version}
        return augment.Augmented(**parts).key

    keys = [
        key(),
        key(extractor=Mel(n_mels=32)),
        key(chain=chained(1)),
        key(chain=Chain(Step(augment.gain, db=3.0))),
        key(chain=Chain(Step(scaled, factor=3.0))),
        key(version=2),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


def test_the_key_follows_the_code_of_a_change_of_ones_own():
    def turned(x):
        return -x

    before = augment.Augmented(extractor=Mel(), chain=Chain(Step(turned))).key

    def turned(x):
        return x[::-1]

    assert augment.Augmented(extractor=Mel(), chain=Chain(Step(turned))).key != before


# ---- the original ----


def test_the_original_recipe(monkeypatch):
    y = (tone(150, 3.0, 22050) + rng(5).normal(0, 1e-3, 66150)).astype(np.float32)
    shifts, signals = [], [y]

    def noted(y, semitones, sample_rate):
        np.testing.assert_array_equal(y, signals[-1])
        shifts.append(int(semitones))
        signals.append(augment.pitch_shift(y, semitones, sample_rate))
        return signals[-1]

    monkeypatch.setattr("serlab.augment.features.pitch_shift", noted)
    for seed in range(5):
        del signals[1:]
        versions = augment.OriginalVersions(seed=seed).extract(y)
        assert versions.shape == (5, 128, 147)
        plain = np.stack([OriginalMel().extract(signal) for signal in signals])
        np.testing.assert_array_equal(versions[:2], plain[:2])
        for version, unmasked in zip(versions[2:], plain[2:], strict=True):
            # Bands above the voice and time before it are empty by themselves.
            seen = unmasked[:40, 20:] > 0
            blank = (version[:40, 20:] == 0) & seen
            assert 0.1 < blank.mean() < 1
            kept = version[:40, 20:] != 0
            np.testing.assert_array_equal(version[:40, 20:][kept], unmasked[:40, 20:][kept])
    assert len(shifts) == 20
    assert set(shifts) == {0, 1, 2, 3}


def test_the_original_recipe_goes_through_the_store(files, tmp_path):
    def stored(seed):
        extractor = augment.OriginalVersions(seed=seed)
        return store.features(files.head(2), extractor, n_jobs=1, progress=False, root=tmp_path)

    X = stored(0)
    assert X.shape == (2, 5, 128, 147)
    plain = store.features(files.head(2), OriginalMel(), n_jobs=1, progress=False, root=tmp_path)
    np.testing.assert_array_equal(X[:, 0], plain)
    assert augment.OriginalVersions(seed=1).key != augment.OriginalVersions(seed=0).key
    assert not np.array_equal(stored(1), X)


def pure(*hertz):
    seconds = np.arange(RATE) / RATE
    return sum(0.1 * np.sin(2 * np.pi * f * seconds) for f in hertz).astype(np.float32)


def strength(y, hertz):
    return np.abs(np.fft.rfft(y))[hertz]


def test_the_telephone_lets_its_band_pass_and_nothing_else():
    heard = augment.telephone(pure(100, 1000, 5000), RATE)
    assert heard.shape == (RATE,)
    assert heard.dtype == np.float32
    assert strength(heard, 1000) == pytest.approx(strength(pure(1000), 1000), rel=0.1)
    assert max(strength(heard, 100), strength(heard, 5000)) < strength(heard, 1000) / 50


def test_eight_bits_leave_a_hiss_that_grows_with_the_voice():
    for loudness in (1.0, 0.01):
        y = loudness * pure(1000)
        heard = augment.telephone(y, RATE)
        spectrum = np.abs(np.fft.rfft(heard)) ** 2
        voice, hiss = spectrum[990:1011].sum(), spectrum[400:900].sum() + spectrum[1100:3300].sum()
        assert 20 < 10 * np.log10(voice / hiss) < 60


def test_a_voice_message_keeps_what_lies_above_four_kilohertz_and_a_telephone_does_not():
    y = np.asarray(synthesise_phrase("d02", emotion="angry"))

    def high(sound):
        power = np.abs(np.fft.rfft(sound)) ** 2
        return 10 * np.log10(power[round(4500 * len(y) / RATE) :].sum())

    heard = augment.voice_message(y, RATE)
    assert heard.shape == y.shape
    assert abs(high(heard) - high(y)) < 6
    assert high(augment.telephone(y, RATE)) < high(y) - 15

"""The pitch tracker: against pitches that are known, and against Praat."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from conftest import real_corpus
from serlab.features import F0, Summary

RATE = 16000
HOP = 160


@pytest.fixture(scope="module")
def benchmark():
    """Give the measures and clips of the benchmark, which needs Praat."""
    pytest.importorskip("parselmouth")
    return runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "pitch.py"))


def track(y, **options):
    return F0(hop_length=HOP, **options).extract(y)[0]


def voice(f0, formants=((700, 90), (1200, 110), (2600, 160))):
    """Let a train of pulses with the given pitch in Hz per sample ring through resonances."""
    from scipy import signal

    phase = np.cumsum(f0) / RATE
    y = np.diff(np.floor(phase), prepend=0.0)
    for centre, width in formants:
        radius = np.exp(-np.pi * width / RATE)
        y = signal.lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2], y)
    return y / np.abs(y).max()


@pytest.mark.parametrize("pitch", [80.0, 123.0, 250.0, 500.0])
def test_f0_of_a_known_pitch(pitch):
    t = np.arange(RATE) / RATE
    voice = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 8))
    f0, periodicity = F0().extract(voice)[:, 5:-5]
    np.testing.assert_allclose(f0, pitch, rtol=0.01)
    assert periodicity.min() > 0.9
    semitones = F0(scale="semitones").extract(voice)[0, 5:-5]
    np.testing.assert_allclose(semitones, 12 * np.log2(pitch / 27.5), atol=0.2)


def test_f0_is_zero_in_noise_and_in_pauses():
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    voice = np.sign(np.sin(2 * np.pi * 150 * t))
    quiet = 1e-4 * np.sin(2 * np.pi * 150 * t)
    f0 = F0().extract(np.concatenate([voice, quiet, rng.normal(size=RATE)]))[0]
    second = np.arange(len(f0)) * 256 / RATE
    assert (f0[second < 0.9] > 0).all()
    assert not f0[(second > 1.1) & (second < 1.9)].any()
    assert (f0[second > 2.1] > 0).mean() < 0.05


@pytest.mark.parametrize("middle", [75.0, 140.0, 260.0, 480.0])
def test_a_voice_that_glides_and_trembles_is_followed(middle):
    t = np.arange(2 * RATE) / RATE
    f0 = middle * 2 ** (0.25 * np.sin(2 * np.pi * 0.5 * t) + 0.02 * np.sin(2 * np.pi * 5.5 * t))
    truth, found = f0[::HOP], track(voice(f0))[: 2 * RATE // HOP]
    inner = slice(5, -5)
    assert (found[inner] > 0).mean() > 0.98
    assert np.abs(12 * np.log2(found[inner] / truth[inner])).max() < 0.5


@pytest.mark.parametrize(
    "weights",
    [{1: 0.1, 2: 1.0, 3: 0.3}, {2: 1.0, 3: 1.0, 4: 1.0}, {1: 1.0}, {1: 0.3, 2: 1.0, 4: 1.0}],
    ids=["second harmonic ten times as strong", "fundamental missing", "pure tone", "odd harmonics weak"],
)
def test_octave_traps(weights):
    t = np.arange(RATE) / RATE
    y = sum(weight * np.sin(2 * np.pi * 170 * k * t + k) for k, weight in weights.items())
    np.testing.assert_allclose(track(y)[5:-5], 170, rtol=0.01)


def test_every_other_period_a_little_weaker_is_not_an_octave_down():
    y = voice(np.full(RATE, 200.0))
    y *= np.where((np.arange(RATE) // 80) % 2, 0.93, 1.0)
    np.testing.assert_allclose(track(y)[5:-5], 200, rtol=0.01)


@pytest.mark.parametrize("kind", ["white", "pink", "hiss"])
def test_noise_has_no_pitch(kind):
    from scipy import signal

    y = np.random.default_rng(1).normal(size=4 * RATE)
    if kind == "pink":
        y = np.fft.irfft(np.fft.rfft(y) / np.sqrt(np.maximum(1, np.arange(2 * RATE + 1))))
    elif kind == "hiss":
        y = signal.sosfilt(signal.butter(4, [3000, 7000], "band", fs=RATE, output="sos"), y)
    assert (track(y) > 0).mean() < 0.06


def test_known_voices_are_followed(benchmark):
    signals, truths = benchmark["known_clips"](("d01", "d02"))
    found = [track(y) for y in signals]
    assert benchmark["gross"](found, truths) < 0.01
    assert benchmark["voicing"](found, truths)[1] < 0.06
    assert benchmark["spread_agrees"](found, truths, benchmark["iqr"]) > 0.9


def test_level_does_not_matter_and_silence_is_no_error():
    y = voice(np.full(RATE, 140.0))
    for gain in (1e-20, 1e-5, 3.0):
        np.testing.assert_allclose(track(gain * y), track(y), rtol=1e-3)
    assert not F0().extract(np.zeros(RATE)).any()


def test_a_long_recording_equals_its_pieces(monkeypatch):
    from serlab.features import pitch

    t = np.arange(RATE) / RATE
    y = voice(150 + 40 * np.sin(2 * np.pi * t))
    whole = F0().extract(y)
    monkeypatch.setattr(pitch, "BLOCK", 7)
    np.testing.assert_array_equal(F0().extract(y), whole)


def test_a_few_frames_an_octave_off_do_not_move_the_summary(monkeypatch):
    y = voice(np.linspace(120, 180, 2 * RATE))
    summary = Summary(features=(F0(scale="semitones", hop_length=HOP),), timing=False)
    plain = dict(zip(summary.feature_names, summary.extract(y), strict=True))
    frames = F0.frames

    def slipping(self, y):
        found = frames(self, y)
        found[0, 60:64] += 12
        return found

    monkeypatch.setattr(F0, "frames", slipping)
    slipped = dict(zip(summary.feature_names, summary.extract(y), strict=True))
    for name in ("f0_median", "f0_iqr", "f0_p20", "f0_p80"):
        assert slipped[name] == pytest.approx(plain[name], abs=0.3), name
    assert slipped["f0_median_movement"] == pytest.approx(plain["f0_median_movement"], rel=0.1)


@pytest.mark.real
def test_real_clips_against_praat(benchmark):
    for name in benchmark["CORPORA"]:
        real_corpus(name)
    signals, _ = benchmark["real_clips"](2)
    found, reference = ([make(y) for y in signals] for make in (benchmark["ours"], benchmark["praat"]))
    assert benchmark["gross"](found, reference) <= 0.02
    assert benchmark["voicing"](found, reference)[0] <= 0.06
    assert benchmark["spread_agrees"](found, reference, benchmark["iqr"]) >= 0.8

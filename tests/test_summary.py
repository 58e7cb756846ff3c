"""Statistics over time: against signals whose answer is known, and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from serlab.errors import FeatureError
from serlab.features import F0, Mel, Mfcc, Rms, Summary, ZeroCrossingRate
from serlab.features.summary import STATISTICS, TIMING

RATE = 16000


def bursts(pattern, pitch=150.0):
    """Make a buzz that sounds for positive numbers of seconds in `pattern` and rests for negative ones."""
    parts = []
    for seconds in pattern:
        t = np.arange(round(abs(seconds) * RATE)) / RATE
        buzz = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 10))
        parts.append(0.2 * buzz if seconds > 0 else 0 * t)
    return np.concatenate(parts).astype(np.float32)


def as_dict(summary, y):
    return dict(zip(summary.feature_names, summary.extract(y).tolist(), strict=True))


def test_statistics_equal_numpy():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(3, 200)), np.arange(200) * 0.01
    from scipy import stats

    expected = {
        "mean": x.mean(1),
        "std": x.std(1),
        "min": x.min(1),
        "max": x.max(1),
        "p5": np.percentile(x, 5, axis=1),
        "p20": np.percentile(x, 20, axis=1),
        "median": np.median(x, axis=1),
        "p80": np.percentile(x, 80, axis=1),
        "p95": np.percentile(x, 95, axis=1),
        "iqr": stats.iqr(x, axis=1),
        "range": np.percentile(x, 95, axis=1) - np.percentile(x, 5, axis=1),
        "slope": [np.polyfit(t, row, 1)[0] for row in x],
        "movement": np.abs(np.diff(x)).mean(1) / 0.01,
        "median_movement": np.median(np.abs(np.diff(x)), axis=1) / 0.01,
        "skewness": stats.skew(x, axis=1),
        "kurtosis": stats.kurtosis(x, axis=1, fisher=False),
    }
    assert expected.keys() == STATISTICS.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(STATISTICS[name](x, t), values, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_of_one_frame_and_of_constants_are_finite(name):
    assert np.isfinite(STATISTICS[name](np.ones((2, 1)), np.zeros(1))).all()
    assert np.isfinite(STATISTICS[name](np.ones((2, 9)), np.arange(9.0))).all()


def test_names_and_values_match():
    summary = Summary(
        features=(Rms(scale="db"), Mfcc(n_mfcc=3, deltas=1)), statistics=("mean", "max"), gate_db=None
    )
    y = bursts([0.5, -0.3, 0.4])
    got = as_dict(summary, y)
    mfcc = Mfcc(n_mfcc=3, deltas=1)
    values = mfcc.extract(y)
    for row, channel in enumerate(mfcc.channels):
        assert got[f"{channel}_mean"] == pytest.approx(values[row].mean(), rel=1e-4, abs=1e-4)
        assert got[f"{channel}_max"] == pytest.approx(values[row].max(), rel=1e-4, abs=1e-4)
    assert (
        len(summary.feature_names)
        == len(set(summary.feature_names))
        == summary.shape[0]
        == 2 * 7 + len(TIMING)
    )


def test_default_names_are_distinct_and_match_the_vector():
    summary = Summary()
    assert len(set(summary.feature_names)) == summary.shape[0]
    assert summary.extract(bursts([0.5])).shape == summary.shape


def test_silence_around_speech_does_not_count():
    summary = Summary(timing=False)
    alone, framed = (as_dict(summary, bursts(pattern)) for pattern in ([2.0], [-1.0, 2.0, -1.5]))
    for name in ("mfcc1_mean", "centroid_mean", "rms_mean", "f0_median"):
        assert framed[name] == pytest.approx(alone[name], rel=0.05), name
    ungated = as_dict(Summary(timing=False, gate_db=None), bursts([-1.0, 2.0, -1.5]))
    assert ungated["rms_mean"] < framed["rms_mean"] - 20


def test_pitch_is_described_over_voiced_frames():
    rng = np.random.default_rng(0)
    hiss = (0.1 * rng.normal(size=RATE)).astype(np.float32)
    got = as_dict(Summary(), np.concatenate([bursts([1.0], pitch=220.0), hiss]))
    assert got["f0_median"] == pytest.approx(36.0, abs=0.2)
    assert got["voiced_share"] == pytest.approx(0.5, abs=0.1)


def test_voiced_share_is_that_of_speech_and_pauses_do_not_count():
    hiss = np.random.default_rng(0).uniform(-0.3, 0.3, RATE).astype(np.float32)
    got = as_dict(Summary(), np.concatenate([bursts([1.0, -2.0]), hiss]))
    assert got["voiced_share"] == pytest.approx(0.5, abs=0.05)


def test_movement_and_slope_know_of_gaps():
    """What a pause leaves out is neither a leap in no time nor time that never passed."""
    x, t = np.array([[0.0, 1, 3, 13]]), np.array([0.0, 0.1, 0.2, 5.2])
    # From frame to frame, as long as one lasts: a pause is one step.
    assert STATISTICS["movement"](x, t) == pytest.approx([(1 + 2 + 10) / 3 / 0.1])
    assert STATISTICS["median_movement"](x, t) == pytest.approx([2 / 0.1])
    assert STATISTICS["slope"](x, t) == pytest.approx([np.polyfit(t, x[0], 1)[0]])

    y = bursts([0.5, -1.0, 0.5]) * np.repeat([1.0, 0.1], RATE).astype(np.float32)
    rms = Rms(scale="db", n_fft=512, hop_length=160)
    level = rms.extract(y)[0]
    loud = Rms(scale="db", n_fft=320, hop_length=160).extract(y)[0]
    speech = np.flatnonzero(loud > loud.max() - 40)
    expected = np.polyfit(speech * 0.01, level[speech], 1)[0]
    got = as_dict(Summary(features=(rms,), statistics=("slope",), timing=False), y)
    assert got["rms_slope"] == pytest.approx(expected, rel=1e-4)
    assert expected < -10


def test_speech_is_what_is_less_than_40_db_below_the_loudest_frame():
    for db, seconds in ((-35, 2.0), (-45, 1.0)):
        y = np.concatenate([bursts([1.0]), 10 ** (db / 20) * bursts([1.0])])
        assert as_dict(Summary(), y)["speech_seconds"] == pytest.approx(seconds, abs=0.05)


def test_no_voice_gives_zeros():
    hiss = np.random.default_rng(0).uniform(-0.1, 0.1, RATE).astype(np.float32)
    got = as_dict(Summary(features=(F0(threshold=0.99),), timing=False), hiss)
    assert set(got.values()) == {0.0}


def test_timing_of_a_known_pattern():
    got = as_dict(Summary(), bursts([-0.5, 0.6, -0.4, 0.6, -0.4, 0.6, -0.5]))
    assert got["speech_seconds"] == pytest.approx(1.8, abs=0.1)
    assert got["speech_share"] == pytest.approx(1.8 / 2.6, abs=0.05)
    assert got["bursts_per_second"] == pytest.approx(3 / 2.6, abs=0.05)
    assert got["burst_seconds"] == pytest.approx(0.6, abs=0.04)
    assert got["pause_seconds"] == pytest.approx(0.4, abs=0.04)


def test_syllables_are_peaks_of_loudness():
    y = bursts([3.0])
    t = np.arange(len(y)) / RATE
    got = as_dict(Summary(), y * (1.1 + np.cos(2 * np.pi * 4 * t)).astype(np.float32))
    assert got["syllables_per_second"] == pytest.approx(4, abs=0.5)


def test_without_timing_or_pauses():
    assert not set(Summary(timing=False).feature_names) & set(TIMING)
    assert as_dict(Summary(), bursts([1.0]))["pause_seconds"] == 0.0


@pytest.mark.parametrize("samples", [1, 100, 2000])
def test_very_short_clips_give_finite_values(samples):
    assert np.isfinite(Summary().extract(bursts([1.0])[:samples])).all()


def test_all_numbers_of_a_voice_scale_as_they_should():
    summary = Summary()
    y = bursts([1.0, -0.2, 1.0])
    soft, loud = as_dict(summary, 0.1 * y), as_dict(summary, y)
    assert loud["rms_mean"] - soft["rms_mean"] == pytest.approx(20, abs=0.1)
    for name in ("centroid_mean", "f0_median", "speech_seconds", "zcr_mean"):
        assert soft[name] == pytest.approx(loud[name], rel=0.02), name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"statistics": ("mean", "mode")}, r"Unknown statistics \['mode'\]; there are mean, std"),
        ({"features": ()}, "at least one feature"),
        ({"features": (Mel(), ZeroCrossingRate(hop_length=100))}, "must share sample_rate"),
        ({"features": (Mel(sample_rate=8000),)}, "must share sample_rate"),
        ({"features": (Mel(seconds=2.0),)}, r"leave seconds out of \['mel'\]"),
    ],
)
def test_wrong_parameters_are_explained(options, words):
    with pytest.raises(FeatureError, match=words):
        Summary(**options)


def test_prints_its_features_by_name():
    assert "mfcc (48), mel (26)" in str(Summary())

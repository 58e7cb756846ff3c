"""Reading sound: right values for good files, and a message with file and remedy for every bad one."""

from __future__ import annotations

import io
import math
import os

import librosa
import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.errors import AudioError


def tone(seconds=1.0, rate=16000, frequency=440.0, amplitude=0.3):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def noise(seconds=1.0, rate=16000, seed=0):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * rate))


@pytest.fixture
def write(tmp_path):
    def write(y, rate=16000, name="clip.wav", **options):
        soundfile.write(tmp_path / name, y, rate, **options)
        return tmp_path / name

    return write


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
@pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.ogg"])
def test_equals_librosa(write, rate, name):
    path = write(np.stack([noise(rate=rate), tone(rate=rate)], axis=1), rate, name)
    for wanted in (None, 16000, 22050):
        ours, got = audio.read(path, wanted)
        theirs, expected = librosa.load(path, sr=wanted)
        assert got == expected
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_reads_mp3(write):
    y, rate = audio.read(write(tone(), name="clip.mp3"))
    assert rate == 16000
    assert audio.level(y) == pytest.approx(audio.level(tone()), abs=0.5)


@pytest.mark.parametrize("rate", [16000, 22050, 8000])
def test_beginning_equals_beginning_of_whole(write, rate):
    path = write(noise(4.0))
    whole, _ = audio.read(path, rate)
    beginning, _ = audio.read(path, rate, seconds=1.5)
    assert len(beginning) == round(1.5 * rate)
    np.testing.assert_allclose(beginning, whole[: len(beginning)], atol=1e-6)


def test_beginning_of_a_shorter_clip_is_all_of_it(write):
    y, _ = audio.read(write(tone(0.5)), seconds=3.0)
    assert len(y) == 8000


def test_stereo_is_averaged(write):
    y, _ = audio.read(write(np.stack([noise(seed=1), noise(seed=2)], axis=1), subtype="FLOAT"))
    np.testing.assert_allclose(y, (noise(seed=1) + noise(seed=2)) / 2, atol=1e-6)


def test_resampling_does_not_alias():
    high = audio.resample(tone(rate=48000, frequency=11000.0), 48000, 16000)
    assert audio.level(high[1000:-1000]) < -80
    low = audio.resample(tone(rate=48000, frequency=1000.0), 48000, 16000)
    np.testing.assert_allclose(low[1000:-1000], tone(frequency=1000.0)[1000:-1000], atol=1e-3)


def bad_files(folder):
    """Make one file of each bad kind: {name: (path, options of read, words of the message)}."""
    header = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    (folder / "pointer.wav").write_bytes(header)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "garbage.flac").write_bytes(b"no sound in here" * 100)
    soundfile.write(folder / "none.wav", np.zeros(0), 16000)
    soundfile.write(folder / "silent.wav", np.zeros(16000), 16000)
    soundfile.write(folder / "short.wav", tone(0.05), 16000)
    soundfile.write(folder / "long.wav", np.zeros(301 * 100), 100)
    opposite = np.stack([tone(), -tone()], axis=1)
    soundfile.write(folder / "opposite.wav", opposite, 16000)
    broken = tone()
    broken[100] = np.nan
    soundfile.write(folder / "nan.wav", broken, 16000, subtype="FLOAT")
    broken[100] = -np.inf
    soundfile.write(folder / "inf.wav", broken, 16000, subtype="FLOAT")
    return {
        "missing.wav": "does not exist. Check the path",
        "pointer.wav": "git-lfs pointer.*git lfs pull",
        "empty.wav": r"empty \(0 bytes\). Fetch",
        "garbage.flac": "cannot be read as sound.*convert it",
        "none.wav": "holds no samples",
        "silent.wav": "silent.*leave it out",
        "short.wav": "lasts 0.05 s, less than the 0.1 s.*min_seconds",
        "long.wav": "lasts 301 s, more than the 300 s.*max_seconds",
        "opposite.wav": "cancel each other out.*mono",
        "nan.wav": "NaN or infinite samples. Export",
        "inf.wav": "NaN or infinite samples. Export",
    }


def test_every_bad_file_is_named_with_a_remedy(tmp_path):
    for name, words in bad_files(tmp_path).items():
        with pytest.raises(AudioError, match=words) as caught:
            audio.read(tmp_path / name, 8000)
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(("amplitude", "silent"), [(0.9e-4, True), (1.1e-4, False)])
def test_what_is_softer_than_three_steps_of_16_bits_is_silent(write, amplitude, silent):
    path = write(tone(amplitude=amplitude), subtype="FLOAT")
    if silent:
        with pytest.raises(AudioError, match="is silent"):
            audio.read(path)
    else:
        assert np.abs(audio.read(path)[0]).max() == pytest.approx(amplitude, rel=1e-3)


@pytest.mark.parametrize(("left", "message"), [(0.0, None), (-0.97, None), (-0.99, "cancel each other out")])
def test_channels_that_all_but_cancel_out_are_refused(write, left, message):
    """The mean of the channels then has less than a hundredth of their peak."""
    path = write(np.stack([tone(), left * tone()], axis=1), subtype="FLOAT")
    if message:
        with pytest.raises(AudioError, match=message):
            audio.read(path)
    else:
        np.testing.assert_allclose(audio.read(path)[0], (1 + left) / 2 * tone(), atol=1e-6)


def test_folder_instead_of_file(tmp_path):
    with pytest.raises(AudioError, match="is a folder"):
        audio.read(tmp_path)


def test_no_permission(write, monkeypatch):
    path = write(tone())
    path.write_bytes(b"\0" * 100)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(AudioError, match=r"cannot be opened \(Permission denied\). Check its permissions"):
        audio.read(path)


def test_cut_off_flac(write):
    path = write(noise(3.0), name="clip.flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for seconds in (None, 0.1):
        with pytest.raises(AudioError, match=r"clip\.flac is cut off: its last samples .* Fetch"):
            audio.read(path, seconds=seconds)


def test_a_long_file_is_refused_before_it_is_decoded(write, monkeypatch):
    path = write(tone(10.0))
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *a, **k: pytest.fail("decoded"))
    with pytest.raises(AudioError, match="more than the 5 s"):
        audio.read(path, max_seconds=5)


def test_limits_can_be_moved(write):
    assert len(audio.read(write(tone(0.05)), min_seconds=0.01)[0]) == 800


def test_trim_keeps_the_sound():
    y = np.concatenate([np.zeros(8000), tone(), 1e-4 * noise()])
    kept = audio.trim(y)
    assert 16000 <= len(kept) <= 16000 + 2 * 1024
    assert np.abs(kept).sum() == pytest.approx(np.abs(tone()).sum(), rel=0.01)


def test_trim_keeps_what_is_less_than_40_db_below_the_loudest():
    y = np.concatenate([tone(amplitude=0.3 * 10 ** (db / 20)) for db in (-45, -35, 0, -35, -45)])
    kept = audio.trim(y)
    # 16,000 samples of each; a frame of 1,024 may look over the edge by half its length, and one step more.
    assert 3 * 16000 <= len(kept) <= 3 * 16000 + 2 * (512 + 256)


def test_trim_cuts_where_a_frame_of_1024_samples_every_256_holds_sound():
    y = np.concatenate([np.zeros(8000), tone(), np.zeros(8000)])
    loud = [k for k in range(len(y) // 256) if np.abs(y[max(0, 256 * k - 512) : 256 * k + 512]).max() > 0.01]
    np.testing.assert_array_equal(audio.trim(y), y[256 * loud[0] : 256 * (loud[-1] + 1)])


def test_the_loudest_part_has_the_most_energy_not_the_largest_sum():
    part = audio.loudest(np.array([2.0, 2, 2, 0, 0, 4, 0, 0]), seconds=0.3, sample_rate=10)
    assert sorted(part) == [0, 0, 4]


@pytest.mark.parametrize(
    ("align", "longer", "shorter"),
    [
        ("left", [1, 2, 3, 4, 0, 0, 0], [1, 2]),
        ("centre", [0, 1, 2, 3, 4, 0, 0], [2, 3]),
        ("right", [0, 0, 0, 1, 2, 3, 4], [3, 4]),
    ],
)
def test_fit_length(align, longer, shorter):
    y = np.array([1, 2, 3, 4])
    assert audio.fit_length(y, 7, align).tolist() == longer
    assert audio.fit_length(y, 2, align).tolist() == shorter
    assert audio.fit_length(y, 4, align).tolist() == [1, 2, 3, 4]


def test_fit_length_refuses_other_alignments():
    with pytest.raises(ValueError, match="'left', 'centre' or 'right', not 'center'"):
        audio.fit_length(np.zeros(3), 5, "center")


def test_levels_of_known_signals():
    assert audio.level(tone(amplitude=1.0)) == pytest.approx(20 * math.log10(math.sqrt(0.5)), abs=1e-6)
    assert audio.level(tone(amplitude=0.1), "peak") == pytest.approx(-20, abs=0.01)
    assert audio.level(np.zeros(10)) == -math.inf
    with pytest.raises(AudioError, match="level takes floats with full scale at 1, not int16"):
        audio.level(np.array([300, -300], np.int16))
    with pytest.raises(ValueError, match="'rms' or 'peak', not 'lufs'"):
        audio.level(tone(), "lufs")


@pytest.mark.parametrize("measure", ["rms", "peak"])
def test_normalise_reaches_the_level(measure):
    y = audio.normalise(noise(), -12.0, measure)
    assert y.dtype == np.float32
    assert audio.level(y, measure) == pytest.approx(-12.0, abs=1e-4)
    assert np.corrcoef(y, noise())[0, 1] == pytest.approx(1.0)


def test_normalise_brings_to_23_db_below_full_scale_unless_told():
    assert audio.level(audio.normalise(noise())) == pytest.approx(-23, abs=1e-4)


def test_normalise_refuses_silence():
    with pytest.raises(AudioError, match="silent signal"):
        audio.normalise(np.zeros(100))


@pytest.mark.real
def test_every_ravdess_actor_reads_as_with_librosa():
    from conftest import real_corpus

    table = real_corpus("ravdess")
    for path in table.groupby("speaker").path.first():
        np.testing.assert_allclose(audio.read(path, 22050)[0], librosa.load(os.fspath(path))[0], atol=1e-6)


STEREO = np.zeros((2, 800))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: audio.resample(STEREO, 16000, 8000), r"resample needs a mono signal .* not \(2, 800\)"),
        (lambda: audio.resample(STEREO[0], 16000, 0), "rates must be above 0"),
        (lambda: audio.resample(STEREO[0], "8000", 16000), "rates must be above 0, not '8000'"),
        (lambda: audio.resample(STEREO[0].astype(int), 8000, 16000), "resample takes floats .* not int64"),
        (lambda: audio.fit_length(STEREO[0], -1), "cannot have -1 samples"),
        (lambda: audio.normalise(STEREO[0] + 0.1, 1000), "-200 to 200, not 1000"),
        (lambda: audio.read(None), "by its path, not by NoneType"),
        (lambda: audio.read(io.BytesIO()), "by its path, not by BytesIO"),
        (lambda: audio.trim(STEREO), "trim needs a mono signal"),
        (lambda: audio.fit_length(STEREO, 400), "fit_length needs a mono signal"),
        (lambda: audio.loudest(STEREO, 0.1, 8000), "loudest needs a mono signal"),
        (lambda: audio.loudest(STEREO[0], 0, 8000), "are no samples"),
    ],
)
def test_what_is_no_mono_signal_is_refused(call, message):
    with pytest.raises(AudioError, match=message):
        call()


@pytest.mark.parametrize(
    "given",
    [
        *({"seconds": 0}, {"seconds": -1}, {"sample_rate": 0}, {"seconds": float("nan")}),
        *({"sample_rate": "16000"}, {"max_seconds": "5"}, {"min_seconds": -1}),
    ],
)
def test_lengths_and_rates_that_are_none_are_refused(write, given):
    with pytest.raises(AudioError, match=f"{next(iter(given))} must be above 0"):
        audio.read(write(tone(0.5)), **given)

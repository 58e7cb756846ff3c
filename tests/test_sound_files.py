"""Files of every format: whole ones are read to the end, and whatever is missing or odd is said."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_paths import odd_things

from serlab import audio, augment, sound_files
from serlab.corpora.synthesis import synthesise_phrase
from serlab.errors import AudioError, AudioWarning

RATE = 16000
# Every container that libsndfile writes and serlab reads, with kinds of encoding that differ in structure.
WRITTEN = [
    *(("WAV", kind) for kind in ("PCM_16", "PCM_U8", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM", "G721_32")),
    *(("AIFF", kind) for kind in ("PCM_16", "PCM_U8", "FLOAT", "IMA_ADPCM", "GSM610")),
    *(("AU", kind) for kind in ("PCM_16", "FLOAT", "ALAW", "G721_32", "G723_24")),
    *(("CAF", kind) for kind in ("PCM_24", "ALAC_16")),
    *(("W64", kind) for kind in ("PCM_16", "FLOAT", "MS_ADPCM", "GSM610")),
    *(("FLAC", kind) for kind in ("PCM_S8", "PCM_16", "PCM_24")),
    *(("OGG", kind) for kind in ("VORBIS", "OPUS")),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("SVX", "PCM_16"),
    ("NIST", "PCM_16"),
    ("MP3", "MPEG_LAYER_III"),
]
# What PyAV writes: suffix, encoder, options of the container.
ENCODED = {
    "m4a": ("mp4", "aac", {}),
    "web.mp4": ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    "fast.m4a": ("mp4", "aac", {"movflags": "faststart"}),
    "3gp": ("3gp", "aac", {}),
    "webm": ("webm", "libopus", {}),
    "live.webm": ("webm", "libopus", {"live": "1"}),
    "wma": ("asf", "wmav2", {}),
    "aac": ("adts", "aac", {}),
    "lossless.m4a": ("mp4", "alac", {}),
}


def speech(seconds=0.5, rate=RATE, seed=0):
    """Noise with a changing level: every part of it is different, and no two codecs agree on it by chance."""
    y = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate))
    return y * np.linspace(0.5, 1, len(y))


def written(form, subtype="PCM_16", y=None, rate=RATE):
    file = io.BytesIO()
    soundfile.write(file, speech() if y is None else y, rate, format=form, subtype=subtype)
    return file.getvalue()


def encoded(form, codec, options=None, y=None, rate=RATE, codec_options=None):
    """Encode with PyAV, and return the bytes."""
    av = pytest.importorskip("av")
    y = speech() if y is None else y
    path = Path(tempfile.mkdtemp()) / "encoded"
    with av.open(os.fspath(path), "w", format=form, options=options or {}) as out:
        stream = out.add_stream(
            codec, rate=rate, layout="mono", options={"b": "64000", **(codec_options or {})}
        )
        samples = np.round(y * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    content = path.read_bytes()
    shutil.rmtree(path.parent)
    return content


def decoded(content):
    """Decode all of a file with FFmpeg's decoders, which go by what is there, not by what a header says."""
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(content)) as media:
        frames = [frame.to_ndarray() for frame in media.decode(audio=0)]
    return np.concatenate(frames, axis=1).mean(axis=0)


@pytest.fixture
def put(tmp_path):
    def put(content, name="clip.wav"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return put


def check_cuts(put, content):
    """Cut a file everywhere: either that is noticed, or all of the sound is there."""
    whole, _ = audio.read(put(content))
    duration = sound_files.duration(put(content))
    noticed = 0
    for size in {1, *np.linspace(2, len(content) - 1, 25).astype(int)}:
        path = put(content[:size], "cut.wav")
        for look, expected in ((audio.read, whole), (sound_files.duration, duration)):
            try:
                found = look(path)
            except AudioError:
                noticed += 1
            else:
                assert np.array_equal(found[0] if look is audio.read else found, expected), size
    assert noticed >= 44


@pytest.mark.parametrize(("form", "subtype"), WRITTEN)
def test_a_file_that_is_cut_off_is_noticed(put, form, subtype):
    rate = 8000 if "G72" in subtype or subtype == "GSM610" else RATE
    check_cuts(put, written(form, subtype, rate=rate))


@pytest.mark.parametrize("name", ENCODED)
def test_a_recording_of_a_phone_or_browser_that_is_cut_off_is_noticed(put, name):
    check_cuts(put, encoded(*ENCODED[name]))


@pytest.mark.parametrize("name", ENCODED)
def test_recordings_of_phones_and_browsers_are_read_under_any_name(put, name):
    content = encoded(*ENCODED[name], y=speech(1.2))
    y, rate = audio.read(put(content), RATE)
    if name == "lossless.m4a":
        np.testing.assert_allclose(y, speech(1.2), atol=1e-4)
    # Codecs add up to two frames of silence where their container cannot say so; WMA's loses one.
    assert len(speech(1.2)) - 300 <= len(y) <= len(speech(1.2)) + 2200
    assert audio.level(y) == pytest.approx(audio.level(speech(1.2)), abs=1.5)
    assert sound_files.duration(put(content)) == pytest.approx(len(y) / rate, abs=1e-4)
    assert len(audio.read(put(content), RATE, seconds=0.5)[0]) == 8000


def test_sounds_that_follow_each_other_in_one_ogg_file_are_refused(put):
    with pytest.raises(AudioError, match=r"several sounds, one after the other\. Convert"):
        audio.read(put(written("OGG", "VORBIS") + written("OGG", "VORBIS")))


def test_amr_with_pauses_keeps_its_time(put):
    """Phones send no frames of speech in pauses, and FFmpeg's own decoder stops there."""
    y = np.concatenate([speech(1.0, 8000), np.zeros(16_000), speech(1.0, 8000)])
    heard = []
    for pauses in ("0", "1"):
        options = {"b": "12200", "dtx": pauses}
        content = encoded("amr", "libopencore_amrnb", y=y, rate=8000, codec_options=options)
        heard.append(audio.read(put(content))[0])
        with pytest.raises(AudioError, match="cannot be decoded as AMR"):
            audio.read(put(content[:1000]))
        with pytest.raises(AudioError, match="does not begin as frames of AMR do"):
            audio.read(put(patched(content, 6, "B", content[6] | 0x80)))
    assert len(heard[0]) == len(heard[1]) == 32_160
    assert audio.level(heard[1][-8000:]) == pytest.approx(audio.level(heard[0][-8000:]), abs=1)


def test_damage_anywhere_is_an_error_or_read_but_never_a_crash(put):
    rng = np.random.default_rng(0)
    contents = [written(*kind) for kind in WRITTEN[::3]] + [encoded(*how) for how in ENCODED.values()]
    for content in contents:
        for reach in (60, 200, len(content)):
            damaged = bytearray(content)
            for place in rng.integers(0, min(reach, len(content)), 4):
                damaged[place] = rng.choice([0, 255, rng.integers(256)])
            for look in (audio.read, sound_files.duration):
                with contextlib.suppress(AudioError), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    look(put(bytes(damaged)))


def test_without_pyav_the_error_names_the_format_and_the_remedy(put, monkeypatch):
    contents = {name: encoded(*ENCODED[name]) for name in ("m4a", "webm", "3gp", "wma")}
    contents["amr"] = b"#!AMR\n" + bytes([0x3C, *range(31)]) * 20
    monkeypatch.setitem(sys.modules, "av", None)
    words = {"m4a": "MP4", "webm": "WebM", "3gp": "3GP", "wma": "WMA", "amr": "AMR"}
    for name, content in contents.items():
        with pytest.raises(AudioError, match=rf"{words[name]}.*pip install \"serlab\[formats\]\"") as caught:
            audio.read(put(content))
        assert "Fetch" not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("IRCAM", "IRCAM.*does not read. Convert"),
        ("VOC", "VOC.*does not read. Convert"),
        *((form, "no kind that serlab knows.*or convert") for form in ("AVR", "PAF", "MAT5", "WVE")),
    ],
)
def test_formats_whose_length_nobody_knows_are_refused(put, form, words):
    with pytest.raises(AudioError, match=words):
        audio.read(put(written(form, "ALAW" if form == "WVE" else "PCM_16", rate=8000)))


def test_what_is_no_sound_is_named(put):
    for content, words in ((b"<!DOCTYPE html>", "a web page"), (b"PK\3\4 and more", "a ZIP archive")):
        with pytest.raises(AudioError, match=f"holds {words}, not sound. Fetch"):
            audio.read(put(content))
    raw = (32767 * speech()).astype("<i2").tobytes()
    with pytest.raises(AudioError, match="no kind that serlab knows"):
        audio.read(put(raw, "clip.raw"))


# --- Lengths ----------------------------------------------------------------------------------------------


def patched(content, place, form, *values):
    content = bytearray(content)
    struct.pack_into(form, content, place, *values)
    return bytes(content)


def test_headers_that_promise_more_than_there_is(put):
    aiff, nist = written("AIFF"), written("NIST")
    for content in (
        patched(written("WAV"), 40, "<I", 4_000_000_000),
        patched(aiff, aiff.index(b"COMM") + 10, ">I", 100_000),
        nist.replace(b"sample_count -i 8000", b"sample_count -i 9000"),
        patched(written("AU"), 8, ">I", 40_000),
        patched(written("FLAC"), 22, ">I", 100_000),
    ):
        path = put(content)
        for look in (audio.read, sound_files.duration):
            with pytest.raises(AudioError, match=r"is cut off.*Fetch or copy the file again"):
                look(path)


def test_flac_is_compared_with_its_count_and_its_checksum(put):
    whole = written("FLAC", y=speech(2.0))
    fewer = patched(whole, 22, ">I", 20_000)
    for look in (audio.read, sound_files.duration):
        with pytest.raises(AudioError, match="its header says 20000 samples, its sound has more"):
            look(put(fewer))
    with pytest.raises(AudioError, match="checksum in its header"):
        audio.read(put(patched(whole, 30, "B", whole[30] ^ 1)))
    with pytest.raises(AudioError, match="is damaged"):
        audio.read(put(patched(whole, len(whole) // 2, "B", whole[len(whole) // 2] ^ 4)))
    # A part cannot be compared, and no checksum is no fault.
    assert len(audio.read(put(patched(whole, 30, "B", whole[30] ^ 1)), seconds=0.5)[0]) == 8000
    assert len(audio.read(put(patched(whole, 26, "16s", b"")))[0]) == 32_000


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2])
def test_flac_with_its_checksum_is_read_as_without(put, subtype, channels):
    y = np.stack([speech(seed=seed) for seed in range(channels)], axis=1)
    whole = written("FLAC", subtype, y)
    with_checksum, _ = audio.read(put(whole))
    np.testing.assert_array_equal(with_checksum, audio.read(put(patched(whole, 26, "16s", b"")))[0])
    theirs = soundfile.read(io.BytesIO(whole), dtype="float32", always_2d=True)[0]
    np.testing.assert_array_equal(with_checksum, theirs.mean(axis=1) if channels > 1 else theirs[:, 0])


def unfinished():
    """Make files whose length was never written: {name: (content, whole file)}."""
    wav, flac, aiff, w64 = (written(form) for form in ("WAV", "FLAC", "AIFF", "W64"))
    caf = written("CAF")
    return {
        "wav 0": (patched(wav, 40, "<I", 0), wav),
        "wav all ones": (patched(wav, 40, "<I", 0xFFFFFFFF), wav),
        "wav of SoX": (patched(wav, 40, "<I", 0x7FFFF000), wav),
        "aiff": (patched(aiff, aiff.index(b"SSND") + 4, ">I", 0), aiff),
        "au": (patched(written("AU"), 8, ">I", 0xFFFFFFFF), written("AU")),
        "caf": (patched(caf, caf.index(b"data") + 4, ">q", -1), caf),
        "w64": (patched(w64, w64.index(b"data\xf3") + 16, "<Q", 24), w64),
        "flac": (patched(patched(flac, 22, ">I", 0), 26, "16s", b""), flac),
    }


@pytest.mark.parametrize("name", unfinished())
def test_an_unfinished_recording_is_read_as_far_as_it_goes_with_a_warning(put, name):
    content, whole = unfinished()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected, _ = audio.read(put(whole, "whole.wav"))
    with pytest.warns(AudioWarning, match=r"clip\.wav was never finished"):
        y, _ = audio.read(put(content))
    np.testing.assert_array_equal(y, expected)
    assert sound_files.duration(put(content)) == 0.5


# --- MP3 --------------------------------------------------------------------------------------------------


def mp3(options=None, codec_options=None, **more):
    return encoded(
        "mp3", "libmp3lame", {"id3v2_version": "0", **(options or {})}, codec_options=codec_options, **more
    )


MP3_FILES = {
    "with a count": ({}, {}),
    "constant rate": ({"write_xing": "0"}, {"b": "64000"}),
    "variable rate": ({"write_xing": "0"}, {"q": "4", "flags": "+qscale", "global_quality": "472"}),
    "ID3v1": ({"write_xing": "0", "write_id3v1": "1"}, {"b": "32000"}),
}


@pytest.mark.parametrize("name", MP3_FILES)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_mp3_is_read_to_its_end(put, name, rate):
    y = np.concatenate([speech(0.7, rate), np.zeros(rate), speech(1.3, rate)])
    content = mp3(*MP3_FILES[name], y=y, rate=rate)
    ours, _ = audio.read(put(content))
    theirs = decoded(content)
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours, theirs, atol=0.002)
    assert sound_files.duration(put(content)) == len(ours) / rate
    np.testing.assert_array_equal(audio.read(put(content), seconds=1.0)[0], ours[:rate])


def test_tags_round_mp3_change_nothing(put):
    content = mp3({"write_xing": "0"})
    expected, _ = audio.read(put(content))
    front = b"ID3\4\0\0" + bytes([0, 0, 2, 0]) + b"\xff\xfb" * 128
    ape = b"APETAGEX" + struct.pack("<IIII8x", 2000, 50, 1, 0xA0000000) + b"x" * 50
    for tagged in (
        front + content,
        content + b"TAG".ljust(128),
        content + ape + b"TAG".ljust(128, b"\xff"),
        content + bytes(500),
    ):
        np.testing.assert_array_equal(audio.read(put(tagged))[0], expected)


def test_mp3_that_goes_on_after_its_count_is_read_to_its_end(put):
    one = mp3()
    both, _ = audio.read(put(one + one))
    assert len(both) > 1.9 * len(audio.read(put(one))[0])


def test_mp3_with_a_hole_or_fewer_frames_than_counted(put):
    content = mp3(y=speech(2.0))
    with pytest.raises(AudioError, match="is cut off"):
        audio.read(put(content[: content.rindex(b"\xff\xf3", 0, -500)]))
    hole = content[:5000] + bytes(300) + content[5300:]
    with pytest.raises(AudioError, match="is damaged: no frame of sound begins at byte"):
        audio.read(put(hole))


def test_mp3_in_wav(put):
    content = mp3({"write_xing": "0"})
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 8000, 1, 0, 12, 1, 2, 576, 1, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(content))
    inside = b"RIFF" + struct.pack("<I", len(body) + len(content)) + body + content
    np.testing.assert_array_equal(audio.read(put(inside))[0], audio.read(put(content, "x.mp3"))[0])
    with pytest.raises(AudioError, match="is cut off"):
        audio.read(put(inside[:-100]))


# --- Amplitude, channels, size ----------------------------------------------------------------------------


def test_floats_that_are_whole_numbers_are_refused(put):
    with pytest.raises(AudioError, match=r"samples up to \d+, where full scale is 1. Divide.*32768"):
        audio.read(put(written("WAV", "FLOAT", speech() * 32768)))
    beyond = speech() * 2 / np.abs(speech()).max()
    np.testing.assert_allclose(audio.read(put(written("WAV", "FLOAT", beyond)))[0], beyond, rtol=1e-6)


@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3", "OGG"])
def test_clipped_sound_is_warned_of_and_loud_sound_is_not(put, form):
    time = np.arange(2 * RATE) / RATE
    voice = np.sin(2 * np.pi * 150 * time) + 0.5 * np.sin(2 * np.pi * 450 * time) + 0.3 * speech(2.0)
    voice = voice * (0.2 + np.sin(2 * np.pi * time) ** 2)
    loud = 0.95 * voice / np.abs(voice).max()
    subtype = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS"}.get(form, "PCM_16")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audio.read(put(written(form, subtype, loud)))
    with pytest.warns(AudioWarning, match=r"clip\.wav is clipped: \d.* % of its samples"):
        audio.read(put(written(form, subtype, np.clip(4 * loud, -1, 1))))


def test_two_people_on_two_channels_are_noted_and_one_voice_is_not(tmp_path):
    rng = np.random.default_rng(0)
    one, other = (np.asarray(synthesise_phrase(name)) for name in ("d01", "d03"))
    late, silence, hiss = np.r_[np.zeros(16), one[:-16]], np.zeros(len(one)), rng.normal(0, 0.01, len(one))

    def noted(left, right):
        length = min(len(left), len(right))
        stereo = np.stack([left[:length], right[:length]], axis=1)
        soundfile.write(tmp_path / "call.wav", np.clip(stereo, -1, 1), RATE)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            audio.read(tmp_path / "call.wav")
        return any("call.wav has two channels that differ" in str(one.message) for one in told)

    assert noted(np.r_[one, np.zeros(len(other))], np.r_[np.zeros(len(one)), other])
    noisy = [augment.add_noise(y, 30, rng) for y in (one, 0.3 * late)]
    rooms = [0.5 * augment.room(y.astype(np.float32), 0.8, RATE, rng) for y in (one, 0.3 * late)]
    alike = (one, one), (one, 0.3 * late), noisy, rooms
    for pair in (*alike, (one, silence), (one, hiss), (hiss, hiss[::-1])):
        assert not noted(*pair)


@pytest.mark.parametrize(("samples", "warned"), [(12, False), (20, True)])
def test_sound_is_clipped_if_a_twentieth_of_a_percent_lies_on_flat_tops(put, samples, warned):
    """Tops of six samples of which the third and later ones count, in two seconds."""
    y = speech(2.0) * 0.5
    for start in range(1000, 1000 + 500 * (samples // 4), 500):
        y[start - 1 : start + 7] = [0, *[1.0] * 6, 0]
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        audio.read(put(written("WAV", "PCM_16", y)))
    assert [("is clipped" in str(one.message)) for one in found] == [True] * warned


def test_the_size_of_blocks_changes_nothing(put, monkeypatch):
    y = np.stack([speech(3.0, seed=seed) for seed in (1, 2, 3)], axis=1)
    path = put(written("WAV", "PCM_24", y))
    expected = [audio.read(path, rate)[0] for rate in (None, 8000, 22050)]
    monkeypatch.setattr("serlab.decoders.BLOCK", 1000)
    for rate, whole in zip((None, 8000, 22050), expected, strict=True):
        np.testing.assert_array_equal(audio.read(path, rate)[0], whole)


def test_the_beginning_of_a_long_recording(put):
    path = put(written("FLAC", y=np.tile(speech(1.0, 100), 400), rate=100))
    assert len(audio.read(path, seconds=5)[0]) == 500
    with pytest.raises(AudioError, match=r"lasts 400 s, more than the 300 s.*max_seconds"):
        audio.read(path)
    with pytest.raises(AudioError, match="more than the 300 s"):
        audio.read(path, seconds=350)
    assert len(audio.read(path, max_seconds=500)[0]) == 40_000


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux tells memory there")
def test_memory_does_not_grow_with_channels_and_rate(tmp_path):
    block = np.zeros((655_350, 8), np.int16)
    block[::1000] = 3000
    with soundfile.SoundFile(tmp_path / "big.flac", "w", 655_350, 8, "PCM_16", format="FLAC") as file:
        for _ in range(10):
            file.write(block)
    program = """
import sys
from serlab import audio
y, rate = audio.read(sys.argv[1], 16000)
print(len(y), open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "big.flac"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    samples, memory = map(int, done.stdout.split())
    assert samples == 10 * 16000
    # All samples of all channels would take 210 MB, besides the 90 MB of Python with its libraries.
    assert memory < 180_000


def test_more_samples_than_memory_should_hold(put, monkeypatch):
    monkeypatch.setattr(audio, "MAX_SAMPLES", 5000)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *a, **k: pytest.fail("decoded"))
    with pytest.raises(AudioError, match=r"more than 5,000 samples at 16000 Hz\. Cut it into parts"):
        audio.read(put(written("WAV")))


# --- What is no regular file ------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="has no named pipes in folders")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    for path, words in odd_things(tmp_path).items():
        for look in (audio.read, sound_files.duration):
            with pytest.raises(AudioError, match=words):
                look(path)


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names there are Unicode")
def test_a_name_that_is_no_text_is_read_and_can_be_printed(tmp_path):
    path = os.path.join(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    with open(path, "wb") as file:
        file.write(written("WAV"))
    assert len(audio.read(path)[0]) == 8000
    os.truncate(path, 1000)
    with pytest.raises(AudioError, match=r"caf\\xe9.wav is cut off") as caught:
        audio.read(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("channels", "block", "bits"), [(1, 4, 16), (2, 2, 16), (1, 2, 8), (0, 2, 16), (1, 2, 0)]
)
def test_a_wav_header_that_contradicts_itself_is_refused(tmp_path, channels, block, bits):
    path = tmp_path / "odd.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 800), 8000)
    data = bytearray(path.read_bytes())
    place = data.index(b"fmt ") + 8
    struct.pack_into("<H", data, place + 2, channels)
    struct.pack_into("<HH", data, place + 12, block, bits)
    path.write_bytes(data)
    with pytest.raises(AudioError, match="which contradict"):
        audio.read(path)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])
def test_usual_wav_headers_do_not_contradict(tmp_path, subtype, form):
    path = tmp_path / "usual.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (800, 2)), 8000, subtype, format=form)
    assert len(audio.read(path)[0]) == 800


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_byte_that_changed_in_an_ogg_file_is_noticed(tmp_path, subtype):
    path = tmp_path / "noise.ogg"
    soundfile.write(
        path, np.random.default_rng(0).uniform(-0.5, 0.5, 48000), 48000, format="OGG", subtype=subtype
    )
    whole = path.read_bytes()
    assert len(audio.read(path)[0]) == 48000
    for place in np.linspace(30, len(whole) - 1, 25).astype(int):
        data = bytearray(whole)
        data[place] ^= 0x55
        path.write_bytes(data)
        with pytest.raises(AudioError, match=r"noise\.ogg"):
            audio.read(path)

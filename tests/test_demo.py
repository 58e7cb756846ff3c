"""The demo corpus: balanced, flattering when split at random, learnable when split honestly."""

from __future__ import annotations

import errno
import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import librosa
import numpy as np
import psutil
import pytest
import soundfile
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import serlab
from serlab.corpora import demo as corpus
from serlab.corpora import synthesis
from serlab.errors import CorpusError


def test_every_speaker_says_every_sentence_twice_in_every_emotion(demo):
    assert len(demo) == 384
    counts = demo.groupby(["speaker", "emotion", "sentence"]).size()
    assert len(counts) == 12 * 8 * 2
    assert set(counts) == {2}
    assert demo.drop_duplicates("speaker").gender.value_counts().to_dict() == {"female": 6, "male": 6}
    assert (demo.emotion == "neutral").sum() == 48
    assert set(demo[demo.emotion == "neutral"].intensity) == {"normal"}
    assert (demo.intensity == "strong").sum() == 7 * 24


def test_it_is_called_synthetic(demo):
    assert demo.attrs == {"corpus": "demo", "title": "demo (synthetic)"}
    assert set(demo.language) == {"synthetic"}


def test_record_and_table_agree(demo):
    record = corpus.RECORD
    assert record.clips == len(demo)
    assert set(record.speakers) == set(demo.speaker)
    assert dict(record.classes) == demo.emotion.value_counts().to_dict()
    assert set(record.sentences) == set(demo.sentence)


def test_the_files_are_16_khz_mono_and_last_as_long_as_the_table_says(demo):
    for row in demo.iloc[::24].itertuples():
        info = soundfile.info(row.path)
        assert (info.samplerate, info.channels) == (16_000, 1)
        assert row.duration == pytest.approx(info.frames / 16_000)
        assert 0.9 < row.duration < 4


def test_no_two_clips_are_alike_and_none_is_clipped_or_silent(demo):
    digests = set()
    for path in demo.path:
        y, _ = soundfile.read(path, dtype="int16")
        digests.add(hashlib.sha256(y.tobytes()).hexdigest())
        assert 600 < np.abs(y.astype(int)).max() < 32_000
        assert abs(y.mean()) < 10
    assert len(digests) == len(demo)


def test_a_clip_alone_is_the_clip_of_the_corpus(demo):
    row = demo.iloc[200]
    y, _ = soundfile.read(row.path, dtype="float32")
    np.testing.assert_allclose(corpus.speak(row["clip"]), y, atol=2**-15)


def test_validation_finds_nothing(demo):
    assert serlab.validate("demo").ok


def test_an_unknown_clip_is_named():
    with pytest.raises(CorpusError, match="no clip 'd13-angry-s1-1'"):
        corpus.speak("d13-angry-s1-1")
    assert corpus.parse("d01-bored-s1-1") is None


def summary(path):
    """Return mean and spread of MFCC, the spread of their slopes, level and length."""
    y, sample_rate = soundfile.read(path, dtype="float32")
    mel = librosa.feature.melspectrogram(y=y, sr=sample_rate, n_fft=512, hop_length=160, n_mels=64)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)
    rms = np.sqrt(mel.sum(axis=0))
    return np.concatenate(
        [
            mfcc.mean(axis=1),
            mfcc.std(axis=1),
            np.diff(mfcc, axis=1).std(axis=1),
            [np.log(rms.mean()), np.log(rms.max()), len(y) / sample_rate],
        ]
    )


def test_a_random_split_flatters_and_an_honest_one_is_well_above_chance(demo):
    X = np.array([summary(path) for path in demo.path])
    model = make_pipeline(StandardScaler(), SVC(C=10))
    shuffled = StratifiedKFold(5, shuffle=True, random_state=0)
    flattering = cross_val_predict(model, X, demo.emotion, cv=shuffled)
    honest = cross_val_predict(model, X, demo.emotion, cv=GroupKFold(5), groups=demo.speaker)
    flattering, honest = (balanced_accuracy_score(demo.emotion, y) for y in (flattering, honest))
    assert honest >= 2 / 8
    assert honest <= 0.7, "too easy to teach anything"
    assert flattering - honest >= 0.15


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A cache of its own, and a corpus of two clips."""
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(corpus, "clips", lambda: ["d01-angry-s1-1", "d01-sad-s1-1"])
    return tmp_path / "corpora" / "demo"


def test_it_is_made_once(small, monkeypatch):
    folder = corpus.folder()
    assert folder.parent == small
    assert folder.name.startswith(f"v{synthesis.VERSION}-")
    assert sorted(path.name for path in folder.iterdir()) == [
        "d01-angry-s1-1.flac",
        "d01-sad-s1-1.flac",
        "metadata.csv",
    ]
    monkeypatch.setattr(corpus, "_make", lambda part: pytest.fail("made a second time"))
    assert corpus.folder() == folder


def test_a_killed_process_leaves_nothing_that_looks_like_a_corpus(small, monkeypatch):
    def die(part: Path):
        part.mkdir()
        (part / "d01-angry-s1-1.flac").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(corpus, "_make", die)
        with pytest.raises(KeyboardInterrupt):
            corpus.folder()
    assert not [path for path in small.iterdir() if path.is_dir() and path.suffix != ".part"]
    folder = corpus.folder()
    assert soundfile.info(folder / "d01-angry-s1-1.flac").frames > 16_000
    assert not list(small.glob("*.part"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_process_leaves_no_workers_and_the_next_one_succeeds(small, monkeypatch):
    script = "from serlab.corpora import demo; demo.folder()"
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        deadline = time.monotonic() + 120
        while not list(small.glob("*.part/*.flac")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        workers = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(workers, timeout=1)
    for worker in alive:
        worker.kill()
    assert not alive
    assert not [path for path in small.iterdir() if path.is_dir() and path.suffix != ".part"]
    folder = corpus.folder()
    assert len(list(folder.iterdir())) == 3
    assert not list(small.glob("*.part"))


def test_a_cache_that_cannot_be_written_is_named(small, monkeypatch, tmp_path):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(CorpusError, match=r"The demo corpus: the disk of .* is full.*SERLAB_CACHE"):
            corpus.folder()
    assert not [path for path in small.iterdir() if path.is_dir() and path.suffix != ".part"]
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"file/corpora.* cannot be used .*SERLAB_CACHE"):
        corpus.folder()


def test_a_process_that_waited_for_another_takes_what_that_one_made(small, monkeypatch):
    """The lock is entered after somebody else has put the corpus in place."""

    class Late:
        def __init__(self, path):
            self.home = Path(path).parent

        def __enter__(self):
            (self.home / f"v{synthesis.VERSION}-{corpus._digest()}").mkdir()

        def __exit__(self, *exception):
            pass

    monkeypatch.setattr(corpus.filelock, "FileLock", Late)
    monkeypatch.setattr(corpus, "_make", lambda part: pytest.fail("made a second time"))
    assert corpus.folder().is_dir()

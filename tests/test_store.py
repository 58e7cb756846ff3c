"""The feature store: known by content, never computed twice, and nothing lost when something goes wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import filelock
import numpy as np
import pandas as pd
import psutil
import pytest
import soundfile
from joblib.externals.loky import get_reusable_executor

from serlab import audio, store
from serlab.errors import AudioError, FeatureError
from serlab.features import F0, Extractor, Mel, Rms, measure

# Extractors that leave a trace of every clip they are asked for. They live in a file of their own, so that
# other processes can import them and their source can be found.
TRACING = '''
import os, time
import threadpoolctl
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from serlab.features import Extractor

@dataclass(frozen=True, kw_only=True)
class Tracing(Extractor):
    """The samples' mean and peak, noted in a file."""

    name: ClassVar[str] = "tracing"
    shape = (2,)
    trace: str = ""
    pause: float = 0.0

    def extract(self, y):
        with open(self.trace, "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(self.pause)
        return np.array([y.mean(), np.abs(y).max()])

@dataclass(frozen=True, kw_only=True)
class Growing(Tracing):
    """As many frames as there are thousands of samples."""

    name: ClassVar[str] = "growing"
    shape = (2, None)

    def extract(self, y):
        return np.tile(super().extract(y)[:, None], len(y) // 1000)

@dataclass(frozen=True, kw_only=True)
class Threads(Extractor):
    """Threads that BLAS may use. (OpenMP counts per calling thread; no extractor uses it.)"""

    name: ClassVar[str] = "threads"
    shape = (1,)

    def extract(self, y):
        pools = threadpoolctl.threadpool_info()
        return np.array([max(pool["num_threads"] for pool in pools if pool["user_api"] == "blas")])

class Killed(Threads):
    def extract(self, y):
        os.kill(os.getpid(), 9)

class LightThreads(Threads):
    releases_gil = True
'''


@pytest.fixture(scope="module")
def tracing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracing")
    (folder / "tracing_extractors.py").write_text(TRACING)
    sys.path.insert(0, str(folder))
    # Worker and child processes find the module too; workers that another test has started would not.
    get_reusable_executor().shutdown()
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), before]))
    yield __import__("tracing_extractors")
    sys.path.remove(str(folder))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def make_clips(folder: Path, count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    for row in range(count):
        samples = 2000 + 1000 * (row % 5)
        soundfile.write(folder / f"{seed}-{row:03}.wav", rng.uniform(-0.5, 0.5, samples), 16000)
    return pd.DataFrame({"path": sorted(map(str, folder.glob(f"{seed}-*.wav")))})


@pytest.fixture
def clips(tmp_path):
    return make_clips(tmp_path / "clips", 20)


@pytest.fixture
def ask(tmp_path):
    """Ask the store in a folder of the test's own."""

    def ask(table, extractor, **options):
        options = {"root": tmp_path / "store", "progress": False, "n_jobs": 1} | options
        return store.features(table, extractor, **options)

    return ask


@pytest.fixture
def extractor(tmp_path, tracing):
    return tracing.Tracing(trace=str(tmp_path / "trace"))


def computed(extractor) -> int:
    return len(Path(extractor.trace).read_text().splitlines()) if os.path.exists(extractor.trace) else 0


def expected(table) -> np.ndarray:
    signals = [soundfile.read(path, dtype="float32")[0] for path in table.path]
    return np.array([[y.mean(), np.abs(y).max()] for y in signals], dtype=np.float32)


def test_rows_belong_to_the_rows_of_the_table(clips, ask, extractor):
    result = ask(clips, extractor)
    np.testing.assert_allclose(result, expected(clips), rtol=1e-6)
    assert result.dtype == np.float32


def test_result_is_memory_mapped_and_read_only(clips, ask, extractor):
    result = ask(clips, extractor)
    assert isinstance(result, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        result[0] = 0


def test_second_call_computes_nothing(clips, ask, extractor):
    first = np.array(ask(clips, extractor))
    np.testing.assert_array_equal(ask(clips, extractor), first)
    assert computed(extractor) == len(clips)


def test_only_new_clips_are_computed(clips, ask, extractor, tmp_path):
    ask(clips, extractor)
    more = pd.concat([make_clips(tmp_path / "clips", 3, seed=1), clips], ignore_index=True)
    np.testing.assert_allclose(ask(more, extractor), expected(more), rtol=1e-6)
    assert computed(extractor) == len(clips) + 3


def test_order_and_subset_are_copied_not_computed(clips, ask, extractor):
    ask(clips, extractor)
    shuffled = clips.sample(frac=0.5, random_state=0)
    np.testing.assert_allclose(ask(shuffled, extractor), expected(shuffled), rtol=1e-6)
    assert computed(extractor) == len(clips)


def test_same_sound_under_another_name_is_reused(clips, ask, extractor, tmp_path):
    ask(clips, extractor)
    moved = shutil.copytree(tmp_path / "clips", tmp_path / "elsewhere")
    table = pd.DataFrame({"path": sorted(map(str, moved.iterdir()))})
    np.testing.assert_allclose(ask(table, extractor), expected(clips), rtol=1e-6)
    assert computed(extractor) == len(clips)


def test_same_sound_twice_in_a_table_is_computed_once(clips, ask, extractor):
    doubled = pd.concat([clips, clips[::-1]], ignore_index=True)
    np.testing.assert_allclose(ask(doubled, extractor), expected(doubled), rtol=1e-6)
    assert computed(extractor) == len(clips)


def test_other_sound_under_the_same_name_is_noticed(clips, ask, extractor):
    ask(clips, extractor)
    path = clips.path[3]
    before = os.stat(path)
    y, rate = soundfile.read(path)
    soundfile.write(path, -y[::-1], rate)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    np.testing.assert_allclose(ask(clips, extractor), expected(clips), rtol=1e-6)
    assert computed(extractor) == len(clips) + 1


@pytest.mark.parametrize("change", ["time", "size"])
def test_a_settled_file_is_read_again_if_its_time_stamp_or_its_size_changes(clips, ask, extractor, change):
    for path in clips.path:
        os.utime(path, (1e9, 1e9))
    ask(clips, extractor)
    y, rate = soundfile.read(clips.path[3])
    size = os.path.getsize(clips.path[3])
    soundfile.write(clips.path[3], y[::-2] if change == "size" else -y[::-1] / 2, rate)
    assert (os.path.getsize(clips.path[3]) == size) == (change == "time")
    os.utime(clips.path[3], (1e9, 1e9 + (change == "time")))
    np.testing.assert_allclose(ask(clips, extractor), expected(clips), rtol=1e-6)
    assert computed(extractor) == len(clips) + 1


def test_hashes_are_remembered_for_settled_files_only(clips, ask, extractor, monkeypatch):
    hashed, sha256 = [], store.file_sha256
    for module in (store, measure):
        monkeypatch.setattr(module, "file_sha256", lambda path: hashed.append(path) or sha256(path))
    counts = []
    # Before and after it is measured, then once for each call as long as its time stamp says too little.
    for settled in (False, False, True, True):
        for path in clips.path if settled else ():
            os.utime(path, (1e9, 1e9))
        hashed.clear()
        ask(clips, extractor)
        counts.append(len(hashed) / len(clips))
    assert counts == [2, 1, 1, 0]


def test_parameters_do_not_mix(clips, ask):
    assert ask(clips, Mel(seconds=0.3, n_mels=20)).shape[1:] == (20, 19)
    assert ask(clips, Mel(seconds=0.3, n_mels=30)).shape[1:] == (30, 19)


def test_edited_code_is_not_answered_with_old_rows(clips, ask, extractor, monkeypatch):
    ask(clips, extractor)
    monkeypatch.setattr("serlab.results_cache._module", lambda name: ("other code", ()))
    ask(clips, extractor)
    assert computed(extractor) == 2 * len(clips)


def test_ragged_features(clips, ask, tracing, tmp_path):
    growing = tracing.Growing(trace=str(tmp_path / "trace"))
    doubled = pd.concat([clips, clips[:4]], ignore_index=True)
    result = ask(doubled, growing)
    assert len(result) == 24
    for row, values in enumerate(expected(doubled)):
        np.testing.assert_allclose(result[row], np.tile(values[:, None], 2 + row % 20 % 5), rtol=1e-6)
    assert not result[0].flags.writeable
    assert computed(growing) == len(clips)
    again = ask(doubled[::-1], growing)
    np.testing.assert_array_equal(again[0], result[23])
    assert computed(growing) == len(clips)


def test_ragged_features_equal_direct_extraction(clips, ask):
    result = ask(clips, Rms(), n_jobs=2)
    for row, path in enumerate(clips.path):
        np.testing.assert_array_equal(result[row], Rms().extract(audio.read(path)[0]))


@pytest.mark.parametrize("kind", [Mel(seconds=1.0), Rms()])
def test_empty_table(ask, kind):
    assert len(ask(pd.DataFrame({"path": []}), kind)) == 0


@pytest.mark.parametrize("kind", [Mel(seconds=0.2), F0(seconds=0.2)], ids=["threads", "processes"])
def test_parallel_equals_serial(clips, ask, tmp_path, kind):
    np.testing.assert_array_equal(
        ask(clips, kind, n_jobs=2), ask(clips, kind, n_jobs=1, root=tmp_path / "other")
    )


def test_progress_goes_to_standard_error(clips, ask, extractor, capsys):
    ask(clips, extractor, progress=True)
    shown = capsys.readouterr()
    assert "tracing" in shown.err
    assert "20/20" in shown.err
    assert not shown.out
    ask(clips, extractor, progress=True)
    assert not capsys.readouterr().err


@pytest.mark.parametrize("kind", ["Threads", "LightThreads"])
def test_blas_is_held_to_one_thread(clips, ask, tracing, kind):
    result = ask(clips, getattr(tracing, kind)(), n_jobs=2)
    assert (result == 1).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_bad_file_is_named_and_the_rest_is_kept(clips, ask, extractor, n_jobs):
    good = Path(clips.path[12]).read_bytes()
    Path(clips.path[12]).write_bytes(b"")
    with pytest.raises(AudioError, match=r"0-012\.wav is empty"):
        ask(clips, extractor, n_jobs=n_jobs)
    Path(clips.path[12]).write_bytes(good)
    np.testing.assert_allclose(ask(clips, extractor), expected(clips), rtol=1e-6)
    assert computed(extractor) <= len(clips) + 8


def test_missing_file_is_named(clips, ask, extractor):
    clips.loc[0, "path"] = "nowhere.wav"
    with pytest.raises(AudioError, match=r"nowhere\.wav does not exist"):
        ask(clips, extractor)


@dataclass(frozen=True, kw_only=True)
class Faulty(Extractor):
    """Fails in the way asked for."""

    name: ClassVar[str] = "faulty"
    shape = (2,)
    how: str = ""

    def extract(self, y):
        return {"raise": lambda: 1 / 0, "shape": lambda: np.zeros(3), "nan": lambda: np.array([0, np.nan])}[
            self.how
        ]()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "division by zero"),
        ("shape", r"gave shape \(3,\), not \(2,\)"),
        ("nan", "NaN or infinite values"),
    ],
)
def test_a_failing_extractor_names_the_file(clips, ask, how, words):
    with pytest.raises(FeatureError, match=rf"0-000\.wav: faulty .*{words}"):
        ask(clips, Faulty(how=how))


def test_wrong_number_of_dimensions_is_noticed(clips, ask, monkeypatch):
    monkeypatch.setattr(Faulty, "extract", lambda self, y: np.zeros((2, 1)))
    with pytest.raises(FeatureError, match=r"gave shape \(2, 1\), not \(2,\)"):
        ask(clips, Faulty())


CHILD = """
import sys, pandas as pd, tracing_extractors
from serlab import store
store.COMMIT_SECONDS = 0.0
table = pd.read_csv(sys.argv[1])
kind = getattr(tracing_extractors, sys.argv[4])
extractor = kind(trace=sys.argv[2], pause=float(sys.argv[5]))
print("ready", flush=True)
store.features(table, extractor, n_jobs=int(sys.argv[6]), root=sys.argv[3], progress=False)
"""


def child(table, extractor, root, n_jobs=1) -> subprocess.Popen:
    file = root.parent / "table.csv"
    table.to_csv(file, index=False)
    arguments = [file, extractor.trace, root, type(extractor).__name__, extractor.pause, n_jobs]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )


def wait_until(condition, limit=60.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "gave up waiting"
        time.sleep(0.02)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kind", ["Tracing", "Growing"])
def test_a_killed_process_loses_no_finished_chunk(tmp_path, tracing, kind):
    clips = make_clips(tmp_path / "clips", 60)
    extractor = getattr(tracing, kind)(trace=str(tmp_path / "trace"), pause=0.02)
    process = child(clips, extractor, tmp_path / "store")
    wait_until(lambda: computed(extractor) >= 30)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    finished = in_index(tmp_path / "store")
    assert finished >= 16
    # Features that were being written when the process died.
    (data,) = (tmp_path / "store").glob("*.f32")
    with open(data, "ab") as file:
        file.write(b"123")
    before = computed(extractor)
    result = store.features(clips, extractor, n_jobs=1, root=tmp_path / "store", progress=False)
    assert computed(extractor) - before == 60 - finished
    means = np.array([result[row].reshape(2, -1)[:, 0] for row in range(60)])
    np.testing.assert_allclose(means, expected(clips), rtol=1e-6)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_workers_of_a_killed_process_end(tmp_path, tracing):
    clips = make_clips(tmp_path / "clips", 60)
    extractor = tracing.Tracing(trace=str(tmp_path / "trace"), pause=0.3)
    process = child(clips, extractor, tmp_path / "store", n_jobs=2)
    wait_until(lambda: computed(extractor) >= 2)
    workers = {int(line) for line in Path(extractor.trace).read_text().split()}
    assert process.pid not in workers
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not any(map(psutil.pid_exists, workers)), 20)
    assert computed(extractor) < 12


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_worker_is_said(clips, ask, tracing):
    with pytest.raises(FeatureError, match=r"process that computed threads was killed.*with n_jobs=1"):
        ask(clips, tracing.Killed(), n_jobs=2)


def test_two_writers_share_the_work(tmp_path, tracing):
    clips = make_clips(tmp_path / "clips", 40)
    extractor = tracing.Tracing(trace=str(tmp_path / "trace"), pause=0.05)
    writers = [child(clips, extractor, tmp_path / "store", n_jobs=2) for _ in range(2)]
    messages = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], messages
    assert computed(extractor) == len(clips)
    result = store.features(clips, extractor, n_jobs=1, root=tmp_path / "store", progress=False)
    np.testing.assert_allclose(result, expected(clips), rtol=1e-6)
    assert computed(extractor) == len(clips)


def in_index(root) -> int:
    """Count the clips that the index says are finished."""
    with contextlib.closing(sqlite3.connect(root / "index.sqlite")) as index:
        return index.execute("SELECT count(*) FROM clips").fetchone()[0]


def test_waiting_for_another_process_is_said(clips, ask, extractor, tmp_path, monkeypatch, capsys):
    acquire, waits = filelock.FileLock.acquire, []

    def slow(self, timeout=None, **options):
        if timeout is not None:
            waits.append(timeout)
            raise filelock.Timeout(self.lock_file)
        return acquire(self, **options)

    monkeypatch.setattr(filelock.FileLock, "acquire", slow)
    ask(clips, extractor)
    assert waits
    assert "Another process is computing tracing features: waiting" in capsys.readouterr().err


def test_a_full_disk_is_said_before_the_work(clips, ask, monkeypatch):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(store.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        FeatureError, match=r"0 MB free, and these features need about .* MB. Make room, or set SERLAB_CACHE"
    ):
        ask(clips, Mel(seconds=1.0))


@pytest.mark.parametrize("kind", ["Tracing", "Growing"])
def test_a_disk_that_fills_up_loses_nothing(clips, ask, tracing, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(store, "COMMIT_SECONDS", 0.0)
    extractor = getattr(tracing, kind)(trace=str(tmp_path / "trace"))
    commit, calls = store._File._commit, []

    def full(self, *given):
        calls.append(1)
        if len(calls) > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        commit(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(store._File, "_commit", full)
        with pytest.raises(FeatureError, match=r"Features: the disk of .* is full. Make room"):
            ask(clips, extractor)
    before = computed(extractor)
    result = ask(clips, extractor)
    assert computed(extractor) - before == 10
    means = np.array([result[row].reshape(2, -1)[:, 0] for row in range(20)])
    np.testing.assert_allclose(means, expected(clips), rtol=1e-6)


def test_a_store_that_cannot_be_written_is_said(clips, extractor, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        FeatureError, match=r"Features: .* cannot be used .*choose another folder with SERLAB_CACHE"
    ):
        store.features(clips, extractor, root=tmp_path / "file" / "store", progress=False, n_jobs=1)


def test_default_root_is_the_cache(clips, extractor, private_cache):
    store.features(clips, extractor, progress=False, n_jobs=1)
    assert list((private_cache / "features").glob("tracing-*.f32"))


def test_a_long_recording_is_measured_if_the_caller_says_so(ask, tmp_path):
    soundfile.write(tmp_path / "long.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 400 * 100), 100)
    table = pd.DataFrame({"path": [str(tmp_path / "long.wav")]})
    rms = Rms(sample_rate=100, n_fft=100, hop_length=100)
    with pytest.raises(AudioError, match=r"long\.wav lasts 400 s.*has max_seconds, raise it"):
        ask(table, rms)
    assert ask(table, rms, max_seconds=1000)[0].shape == (1, 401)
    assert ask(table, Rms(sample_rate=100, n_fft=100, hop_length=100, seconds=5.0)).shape == (1, 1, 6)


@pytest.mark.skipif(os.name == "nt", reason="has no named pipes in folders")
def test_pipes_and_devices_are_refused_before_they_are_hashed(clips, ask, extractor, tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "zero.wav").symlink_to("/dev/zero")
    for name, words in (("pipe.wav", "is a pipe"), ("zero.wav", "is a device")):
        clips.loc[3, "path"] = str(tmp_path / name)
        with pytest.raises(AudioError, match=rf"{name} {words}, not a file"):
            ask(clips, extractor)


def test_a_cut_off_file_gets_no_features(clips, ask, extractor):
    content = Path(clips.path[5]).read_bytes()
    Path(clips.path[5]).write_bytes(content[:2000])
    with pytest.raises(AudioError, match=r"0-005\.wav is cut off"):
        ask(clips, extractor)


@pytest.mark.parametrize("extractor", [Mel(seconds=0.5), Rms()])
@pytest.mark.parametrize("damage", ["cut", "flipped", "longer", "lost"])
def test_features_that_were_damaged_are_made_anew(clips, ask, tmp_path, extractor, damage):
    whole = [np.array(row) for row in ask(clips, extractor)]
    (data,) = tmp_path.rglob("*.f32")
    content = bytearray(data.read_bytes())
    if damage == "lost":
        data.unlink()
    else:
        content[len(content) // 2] ^= damage == "flipped"
        data.write_bytes({"cut": content[:-100], "longer": content + b"1234"}.get(damage, content))
    again = ask(clips, extractor)
    for row, expected in enumerate(whole):
        np.testing.assert_array_equal(again[row], expected)


def test_damaged_features_are_not_taken_into_another_table(clips, ask, tmp_path):
    whole = np.array(ask(clips, Mel(seconds=0.5)))
    (data,) = tmp_path.rglob("*.f32")
    content = bytearray(data.read_bytes())
    content[10] ^= 1
    data.write_bytes(content)
    np.testing.assert_array_equal(ask(clips[::-1], Mel(seconds=0.5)), whole[::-1])


@pytest.mark.parametrize("damage", ["cut", "head", "flipped", "lost"])
def test_a_damaged_index_is_made_anew(clips, ask, tmp_path, damage):
    first = ask(clips, Mel(seconds=0.5))
    whole = np.array(first)
    path = tmp_path / "store" / "index.sqlite"
    content = bytearray(path.read_bytes())
    if damage == "lost":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2 + 100])
    else:
        content[slice(0, 20) if damage == "head" else slice(4096, 4200)] = b"x" * (
            20 if damage == "head" else 104
        )
        path.write_bytes(content)
    np.testing.assert_array_equal(ask(clips[::-1], Mel(seconds=0.5)), whole[::-1])
    np.testing.assert_array_equal(first, whole, "what was given back before stays as it is")


def test_a_damaged_table_in_another_order_is_made_anew(clips, ask, tmp_path):
    whole = np.array(ask(clips, Mel(seconds=0.5)))
    ask(clips[::-1], Mel(seconds=0.5))
    _, copy = sorted(tmp_path.rglob("*.f32"), key=lambda path: len(path.name))
    content = bytearray(copy.read_bytes())
    content[10] ^= 1
    copy.write_bytes(content)
    np.testing.assert_array_equal(ask(clips[::-1], Mel(seconds=0.5)), whole[::-1])
    assert copy.read_bytes() != content


@pytest.mark.parametrize("back", [False, True])
def test_a_sound_that_is_replaced_while_it_is_read_is_refused(clips, ask, extractor, monkeypatch, back):
    read, path = audio.read, Path(clips.path[4])
    content, other = path.read_bytes(), Path(clips.path[9]).read_bytes()

    def replaced(name, *given, **options):
        if name == str(path):
            path.write_bytes(other)
        found = read(name, *given, **options)
        if name == str(path) and back:
            path.write_bytes(content)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(audio, "read", replaced)
        with pytest.raises(AudioError, match=r"0-004\.wav was changed while it was measured"):
            ask(clips, extractor)
    np.testing.assert_allclose(ask(clips, extractor), expected(clips), rtol=1e-6)


def test_a_sound_that_was_replaced_behind_its_time_stamp_is_hashed_again(clips, ask, extractor, tracing):
    for path in clips.path:
        os.utime(path, (1e9, 1e9))
    ask(clips, extractor)
    y, rate = soundfile.read(clips.path[4])
    soundfile.write(clips.path[4], -y, rate)
    os.utime(clips.path[4], (1e9, 1e9))
    other = tracing.Growing(trace=extractor.trace)
    with pytest.raises(AudioError, match=r"0-004\.wav was changed"):
        ask(clips, other)
    np.testing.assert_allclose([part[:, 0] for part in ask(clips, other)], expected(clips), rtol=1e-6)


def test_arrays_that_were_given_back_stay_as_they_are(clips, ask, extractor, tmp_path):
    first = ask(clips, extractor)
    whole = np.array(first)
    ask(make_clips(tmp_path / "clips", 5, seed=1), extractor)
    ask(clips[::-1], extractor)
    np.testing.assert_array_equal(first, whole)

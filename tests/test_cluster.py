"""Features and folds on a cluster of two worker processes: as in one process, and nothing kept is lost."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import cluster, provenance, splits, store, training
from serlab.errors import AudioError, FeatureError, SerlabError
from serlab.features import Mel

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

# In a file of its own, so that workers can import it. Each notes in a file what it was asked for, and where.
WORK = '''
import os, time
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
import threadpoolctl
from sklearn.linear_model import LogisticRegression
from serlab.features import Extractor

def note(trace, what):
    with open(trace, "a") as file:
        file.write(f"{what} {os.getpid()}\\n")

@dataclass(frozen=True, kw_only=True)
class Slow(Extractor):
    """Mean, peak, and how many threads there are to compute with."""

    name: ClassVar[str] = "slow"
    shape = (4,)
    trace: str = ""

    def extract(self, y):
        note(self.trace, len(y))
        time.sleep(0.03)
        pools = threadpoolctl.threadpool_info()
        threads = max(pool["num_threads"] for pool in pools if pool["user_api"] == "blas")
        return np.array([y.mean(), np.abs(y).max(), threads, int(os.environ["TF_NUM_INTRAOP_THREADS"])])

def who(seconds, number):
    time.sleep(seconds)
    return os.getpid()

class Deadly(Slow):
    def extract(self, y):
        os.kill(os.getpid(), 9)

class Failing(LogisticRegression):
    def fit(self, X, y):
        raise ValueError("of no use")

class Noting(LogisticRegression):
    def __init__(self, trace=""):
        super().__init__()
        self.trace = trace

    def fit(self, X, y, groups):
        note(self.trace, *set("abcdefgh") - set(groups))
        time.sleep(0.2)
        return super().fit(X, y)
'''


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "cluster_work.py").write_text(WORK)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        paths = [str(folder), str(provenance.PACKAGE.parent), os.environ.get("PYTHONPATH")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        yield __import__("cluster_work")


@contextlib.contextmanager
def two_workers(failures: int = 10):
    """Give the client of two worker processes; a task that has lost more than `failures` ends."""
    import dask

    patient = {"distributed.scheduler.worker-ttl": None, "distributed.comm.timeouts.connect": "300s"}
    with (
        dask.config.set(patient | {"distributed.scheduler.allowed-failures": failures}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as here,
        distributed.Client(here) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def workers(work):
    with two_workers() as client:
        yield client


@pytest.fixture
def on_cluster(workers):
    with joblib.parallel_config("dask", client=workers):
        yield


@pytest.fixture
def on_mortal_cluster(work):
    """Give a test that kills workers its own: when they come again is not for it to say."""
    with two_workers() as client, joblib.parallel_config("dask", client=client):
        yield


@pytest.fixture
def clips(tmp_path):
    """Give a table of clips of which no two are equally long."""
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{row:03}.wav") for row in range(96)]
    for row, path in enumerate(paths):
        soundfile.write(path, rng.uniform(-0.5, 0.5, 2000 + row), 16000)
    return pd.DataFrame({"path": paths})


def noted(trace: str) -> Counter:
    """Count how often each thing was computed."""
    lines = Path(trace).read_text().splitlines() if os.path.exists(trace) else []
    return Counter(line.split()[0] for line in lines)


def kill_a_worker(trace: str, kept) -> threading.Thread:
    """Kill a worker once something is kept; the attribute `kept` then says what was."""

    def run():
        while len(thread.kept) < 2:
            time.sleep(0.01)
            thread.kept = kept()
        os.kill(int(Path(trace).read_text().split()[-1]), signal.SIGKILL)

    thread = threading.Thread(target=run, daemon=True)
    thread.kept = ()
    thread.start()
    return thread


def test_features_are_the_same_and_none_that_was_kept_is_computed_twice(
    clips, work, on_mortal_cluster, tmp_path, monkeypatch
):
    monkeypatch.setattr(store, "COMMIT_SECONDS", 0.0)
    extractor = work.Slow(trace=str(tmp_path / "trace"))
    length = {store.file_sha256(path): str(2000 + row) for row, path in enumerate(clips["path"])}

    def kept():
        index = tmp_path / "store" / "index.sqlite"
        if not index.exists():
            return ()
        with sqlite3.connect(index, timeout=60) as rows:
            tables = rows.execute("SELECT * FROM sqlite_master WHERE name = 'clips'").fetchall()
            return [length[sha] for (sha,) in rows.execute("SELECT sha256 FROM clips")] if tables else ()

    killing = kill_a_worker(extractor.trace, kept)
    found = store.features(clips, extractor, root=tmp_path / "store", progress=False)
    killing.join()
    times = noted(extractor.trace)
    assert 2 <= len(killing.kept) < len(clips)
    assert {times[one] for one in killing.kept} == {1}
    assert set(times) == set(length.values())
    again = store.features(clips, extractor, root=tmp_path / "store", progress=False)
    assert noted(extractor.trace) == times
    assert np.all(found[:, 2:] == 1), "numerical libraries and TensorFlow have one thread"
    with joblib.parallel_config("loky"):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
        plain = store.features(clips, extractor, root=tmp_path / "plain", progress=False, n_jobs=1)
    np.testing.assert_array_equal(found[:, :2], plain[:, :2])
    np.testing.assert_array_equal(found, again)
    # One after another, as in the table: no second file was made to put them in order.
    assert len(list((tmp_path / "store").glob("*.f32"))) == 1


def test_folds_are_the_same_and_none_that_was_kept_is_trained_twice(work, on_mortal_cluster, tmp_path):
    classes = ["happy", "neutral", "sad"]
    rows = [(s, e) for k, s in enumerate("abcdefgh") for e in classes for _ in range(4 + k)]
    table = pd.DataFrame(rows, columns=["speaker", "emotion"])
    table["clip"] = table.index.astype(str)
    X = np.random.default_rng(0).normal(size=(len(table), 400))
    split = splits.make(table, "loso")
    trace, cache = str(tmp_path / "trace"), tmp_path / "folds"

    def ask(folder):
        return training.cross_validate(lambda seed: work.Noting(trace), X, table, split, cache=folder)

    def kept():
        sizes = {3 * (4 + k): s for k, s in enumerate("abcdefgh")}
        return [sizes[len(np.load(file)["predicted"])] for file in cache.glob("*.npz")]

    killing = kill_a_worker(trace, kept)
    found = ask(cache)
    killing.join()
    times = noted(trace)
    assert 2 <= len(killing.kept) < len(split)
    assert {times[one] for one in killing.kept} == {1}
    assert set(times) == set("abcdefgh")
    with joblib.parallel_config("loky"):
        # One process goes on from what the cluster has kept, and comes to the same by itself.
        pd.testing.assert_frame_equal(ask(cache), found, check_exact=True)
        assert noted(trace) == times
        pd.testing.assert_frame_equal(ask(tmp_path / "plain"), found, check_exact=True)


def test_an_error_in_a_fold_names_the_fold(work, on_cluster, tmp_path):
    table = pd.DataFrame(
        {"speaker": list("aabbccdd"), "emotion": ["sad", "happy"] * 4, "clip": list("12345678")}
    )
    with pytest.raises(ValueError, match="of no use") as caught:
        training.cross_validate(
            lambda seed: work.Failing(),
            np.zeros((8, 1)),
            table,
            splits.make(table, "loso"),
            only=[(0, 2)],
        )
    assert caught.value.__notes__ == ["This was in fold 2 of loso, with seed 0."]


def test_a_worker_that_lacks_the_corpus_names_the_path(clips, work, on_cluster, tmp_path, monkeypatch):
    def elsewhere(*given):
        os.unlink(clips["path"][3])
        return measure(*given)

    measure = store.measure
    monkeypatch.setattr(store, "measure", elsewhere)
    extractor = work.Slow(trace=str(tmp_path / "trace"))
    with pytest.raises(FeatureError, match=r"worker .* finds no .*003\.wav\. Every machine reads the clips"):
        store.features(clips, extractor, root=tmp_path / "store", progress=False)


def test_a_bad_file_is_named_and_the_rest_is_kept(clips, work, on_cluster, tmp_path):
    extractor = work.Slow(trace=str(tmp_path / "trace"))
    good = Path(clips["path"][40]).read_bytes()
    Path(clips["path"][40]).write_bytes(b"")
    with pytest.raises(AudioError, match=r"040\.wav is empty"):
        store.features(clips, extractor, root=tmp_path / "store", progress=False)
    Path(clips["path"][40]).write_bytes(good)
    store.features(clips, extractor, root=tmp_path / "store", progress=False)
    assert set(noted(extractor.trace).values()) == {1}


def test_a_clip_that_kills_its_workers_ends_the_work(clips, work, tmp_path):
    deadly = work.Deadly(trace=str(tmp_path / "trace"))
    with (
        two_workers(failures=1) as client,
        joblib.parallel_config("dask", client=client),
        pytest.raises(SerlabError, match="killed several workers, perhaps for want of memory"),
    ):
        store.features(clips[:8], deadly, root=tmp_path / "store", progress=False)


def test_workers_with_other_versions_are_refused(clips, work, on_cluster, tmp_path, monkeypatch):
    installed = provenance.installation() | {"numpy": "1.0"}
    monkeypatch.setattr(provenance, "installation", lambda *libraries: installed)
    with pytest.raises(
        SerlabError, match=rf"has numpy {np.__version__}, and the computer that asks has 1\.0"
    ):
        store.features(clips, Mel(seconds=0.1), root=tmp_path / "store", progress=False)


FOREIGN = """
import numpy as np
from serlab.features import Extractor

class Peak(Extractor):
    name = "peak"
    shape = (1,)

    def extract(self, y):
        return np.array([np.abs(y).max()])
"""


def test_code_that_workers_lack_is_named_and_can_be_sent(clips, tmp_path, monkeypatch):
    with two_workers() as client, joblib.parallel_config("dask", client=client):
        file = tmp_path / "foreign_work.py"
        file.write_text(FOREIGN)
        monkeypatch.syspath_prepend(tmp_path)
        peak = __import__("foreign_work").Peak()
        given = {"root": tmp_path / "store", "progress": False}
        with pytest.raises(SerlabError, match=r"cannot import .*'foreign_work'.*upload_file\(\"mine\.py\"\)"):
            store.features(clips[:4], peak, **given)
        with pytest.raises(SerlabError, match=r"cannot import .*'foreign_work'"):
            next(cluster.spread(client, len, [([],)], code=type(peak), in_order=True))
        client.upload_file(str(file))
        assert store.features(clips[:4], peak, **given).shape == (4, 1)


def test_workers_that_come_later_are_given_work(work):
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as here,
        distributed.Client(here) as client,
    ):
        tasks = ((0.05, number) for number in range(60))
        found = cluster.spread(client, work.who, tasks, code=work.who, in_order=True)
        first = next(found)
        here.scale(3)
        client.wait_for_workers(3)
        assert len({first, *found}) == 3


PAGE = Path(__file__).resolve().parents[1] / "book" / "more_than_one_machine.md"


def test_clips_in_the_cloud_are_refused_and_copies_made_as_the_page_says_are_measured(clips, tmp_path):
    import fsspec

    def ask(table):
        return store.features(table, Mel(seconds=0.1), root=tmp_path / "store", progress=False, n_jobs=1)

    (code,) = re.findall(r"```python\n(import os.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    code = code.replace("/shared/clips", str(tmp_path / "copies"))
    plain, cloud = clips[:5], fsspec.filesystem("memory")
    for path in plain["path"]:
        cloud.pipe(path, Path(path).read_bytes())
    table = plain.assign(path=[f"memory:/{path}" for path in plain["path"]])
    with pytest.raises(AudioError, match=r"memory://.*000\.wav is an address, not a file\. Download"):
        ask(table)
    cut_off = tmp_path / "copies" / f"{plain['path'][0].lstrip('/')}.part"
    cut_off.parent.mkdir(parents=True)
    cut_off.write_bytes(b"RIFF")
    for _ in range(2):
        given = {"table": table.copy()}
        exec(code, given)
        np.testing.assert_array_equal(ask(given["table"]), ask(plain))
        # They are not fetched again.
        cloud.store.clear()
    assert not cut_off.exists()


def test_a_cluster_is_asked_only_where_it_is_named(workers):
    assert cluster.client() is None
    with joblib.parallel_config("dask", client=workers):
        assert cluster.client() is workers
    with joblib.parallel_config(n_jobs=2):
        assert cluster.client() is None

"""Simulate the feature store with up to a million clips: what a clip costs must not grow with their number.

Clips are made up: paths, hashes and features of 691 numbers, as many as summary features have, but no sound.
All else is done as always: the index, the file of features, its checksums. What is given is the time of the
processor, since that does not follow what else the computer does, and memory without the pages of the file of
features, which are the system's to drop. A million clips need 7 GB in the folder for temporary files.

    python benchmarks/scale.py [--clips 10000 100000 1000000]
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from common import peak_memory

from serlab import store
from serlab.features import Summary


def made_up(tasks, extractor, *_):
    """Give features that follow from the hash of a clip."""
    for digest, _path in tasks:
        row = np.frombuffer(bytes.fromhex(digest), np.uint8)
        yield digest, np.resize(row, extractor.shape).astype(np.float32)


def table_of(clips: int) -> pd.DataFrame:
    return pd.DataFrame({"path": [f"/corpus/{row // 1000:04}/{row:07}.wav" for row in range(clips)]})


def ask(clips: int, folder: Path) -> None:
    """Ask for features of all clips, again, in another order, and of one; print seconds as they come."""
    store.file_state = lambda path: (1000, 0)
    store.file_sha256 = lambda path: hashlib.sha256(path.encode()).hexdigest()
    store.measure = made_up
    # What is imported at the first call is left out.
    store.features(table_of(1), Summary(), n_jobs=1, progress=False, root=folder / "first")
    table = table_of(clips)
    tables = (table, table, table.sample(frac=1, random_state=0), table[clips // 2 : clips // 2 + 1])
    for one in tables:
        start = time.process_time()
        store.features(one, Summary(), n_jobs=1, progress=False, root=folder)
        seconds = time.process_time() - start
        print(f"{seconds * 1e3:14.0f} ms" if len(one) == 1 else f"{seconds / clips * 1e6:14.0f} µs", end="")


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    heads = ("first time", "again", "other order", "one clip", "memory", "index")
    print(f"{'clips':>9}" + "".join(f"{head:>17}" for head in heads))
    with tempfile.TemporaryDirectory(prefix="serlab-bench-") as name:
        start = peak_memory(table_of, 1)
        for clips in options.clips:
            folder = Path(name, str(clips))
            print(f"{clips:9}", end="", flush=True)
            memory = (peak_memory(ask, clips, folder) - start) * 2**20 / clips
            index = (folder / "index.sqlite").stat().st_size / clips
            print(f"{memory:10.0f} B/clip{index:10.0f} B/clip", flush=True)


if __name__ == "__main__":
    main()

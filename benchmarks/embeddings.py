"""Measure speed of embeddings and `serlab.predict`, and peak memory, which must not grow with the corpus.

The original notebook made the pictures of all clips first and ran out of memory. Ours go through the feature
store clip by clip, in a process of their own, from nothing. Beside them stand reading alone, and
`serlab.predict` from sound to answers; the last column compares speeds of this run with that of reading.
Weights that are not on this computer are random ones, which take the same time and memory. OpenL3 is slow on
a CPU: by default it gets a part of the clips.
RAVDESS is used where SERLAB_DATA holds it, else the synthetic demo corpus.

    python benchmarks/embeddings.py [--clips 1440] [--openl3-clips 48]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import joblib
from common import corpus, peak_memory

from serlab import audio, predict, store
from serlab.embeddings import ByolS, Whisper
from serlab.embeddings.base import Embedding
from serlab.lessons.ch09_openl3 import OpenL3


def embed(table, extractor: Embedding, root: Path) -> None:
    """Compute the embeddings of all clips through the store."""
    store.features(table, extractor, progress=False, root=root)


def read(table) -> None:
    """Read and resample all clips, two at a time."""
    tasks = (joblib.delayed(audio.read)(path, 16000) for path in table["path"])
    joblib.Parallel(2, backend="threading")(tasks)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=None, help="clips for all but OpenL3 (default: all)")
    parser.add_argument("--openl3-clips", type=int, default=48, help="clips for OpenL3")
    options = parser.parse_args()
    table = corpus()
    some = table.head(options.clips)
    print(f"{table.attrs['title']}, each in a process of its own, imports included")
    print(f"{'':32}{'clips':>8}{'seconds':>10}{'clips/s':>10}{'to reading':>12}{'peak memory':>14}")
    with tempfile.TemporaryDirectory(prefix="serlab-bench-") as folder:
        jobs = [("reading", read, some, ()), ("serlab.predict", predict, some, ())]
        for kind, part in ((ByolS, some), (Whisper, some), (OpenL3, table.head(options.openl3_clips))):
            extractor = kind(trained=kind().weights.find() is not None)
            name = extractor.name + ("" if extractor.trained else " (random weights)")
            for clips in (part.head(max(1, len(part) // 6)), part):
                jobs.append((name, embed, clips, (extractor, Path(folder, f"{extractor.name}-{len(clips)}"))))
        alone = None
        for name, function, clips, more in jobs:
            start = time.perf_counter()
            peak = peak_memory(function, clips, *more)
            seconds = time.perf_counter() - start
            speed = len(clips) / seconds
            alone = alone or speed
            print(
                f"{name:32}{len(clips):8}{seconds:10.0f}{speed:10.1f}{speed / alone:12.3f}{peak:11.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()

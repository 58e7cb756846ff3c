"""Measure what embeddings cost: clips per second, and peak memory, which must not grow with the corpus.

The original notebook made the pictures of all clips first and ran out of memory. Ours go through the feature
store clip by clip, in a process of their own, from nothing. Weights that are not on this computer are random
ones, which take the same time and memory. OpenL3 is slow on a CPU: by default it gets a part of the clips.
RAVDESS is used where SERLAB_DATA holds it, else the synthetic demo corpus.

    python benchmarks/embeddings.py [--clips 1440] [--openl3-clips 48]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from common import corpus, peak_memory

from serlab import store
from serlab.embeddings import ByolS
from serlab.embeddings.base import Embedding
from serlab.lessons.ch09_openl3 import OpenL3


def embed(table, extractor: Embedding, root: Path) -> None:
    """Compute the embeddings of all clips through the store."""
    store.features(table, extractor, progress=False, root=root)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=None, help="clips for BYOL-S (default: all)")
    parser.add_argument("--openl3-clips", type=int, default=48, help="clips for OpenL3")
    options = parser.parse_args()
    table = corpus()
    print(f"{table.attrs['title']}, embeddings through the feature store, imports included")
    print(f"{'':32}{'clips':>8}{'seconds':>10}{'clips/s':>10}{'peak memory':>14}")
    with tempfile.TemporaryDirectory(prefix="serlab-bench-") as folder:
        for kind, clips in ((ByolS, options.clips), (OpenL3, options.openl3_clips)):
            extractor = kind(trained=kind().weights.find() is not None)
            part = table.head(clips)
            for some in (part.head(max(1, len(part) // 6)), part):
                start = time.perf_counter()
                peak = peak_memory(embed, some, extractor, Path(folder, f"{extractor.name}-{len(some)}"))
                seconds = time.perf_counter() - start
                name = extractor.name + ("" if extractor.trained else " (random weights)")
                print(
                    f"{name:32}{len(some):8}{seconds:10.0f}{len(some) / seconds:10.1f}{peak:11.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()

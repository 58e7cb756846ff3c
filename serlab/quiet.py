"""Import Keras without the chatter of TensorFlow, which would stand in red under the first cell to need it.

Two of its lines are written to file descriptor 2 before it reads how much it may log (TensorFlow 2.19 to
2.21, whatever TF_CPP_MIN_LOG_LEVEL says). Others warn of every third network that it is compiled anew,
which is what comparing networks means.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
try:
    with _nothing_on_stderr():
        import keras
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'Networks need Keras and a backend for it: pip install "serlab[cpu]" ({error})', name=error.name
    ) from error

logging.getLogger("tensorflow").setLevel(logging.ERROR)

__all__ = ["keras"]

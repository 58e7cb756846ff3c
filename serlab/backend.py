"""Keras, imported without the start-up messages of TensorFlow: ``from serlab.backend import keras``.

TensorFlow 2.19 to 2.21 writes two lines to file descriptor 2 before it reads how much it may log, whatever
TF_CPP_MIN_LOG_LEVEL says; it warns of every third network that it is compiled anew; and where there is no GPU
it calls that an error, as in Colab. What really fails, Python raises.
"""

import logging
import os
import sys

__all__ = ["keras"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.stderr.flush()
_stderr = os.dup(2)
try:
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    import keras
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'Networks need Keras and a backend for it: pip install "serlab[cpu]" ({error})', name=error.name
    ) from error
finally:
    os.dup2(_stderr, 2)
    os.close(_stderr)
logging.getLogger("tensorflow").setLevel(logging.ERROR)

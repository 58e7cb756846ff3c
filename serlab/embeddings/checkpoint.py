"""PyTorch checkpoints, read without PyTorch and without running anything they say.

A checkpoint is a zip archive: ``data.pkl`` tells names and shapes, and one file beside it holds the raw
numbers of each storage. A pickle can ask for any function of any module to be called; this reader knows the
few names that a dictionary of tensors needs, and refuses all others.
"""

import io
import math
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from serlab.errors import FeatureError

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read the tensors of a PyTorch state dict, or of the one called "model_state_dict" in the file.

    Gives read-only arrays in the order of the file. Raises FeatureError if it is no such file (zip, since
    PyTorch 1.6), is damaged, or asks for anything but tensors.

    Examples
    --------
    >>> read_state_dict(io.BytesIO(b"something else"))
    Traceback (most recent call last):
    ...
    serlab.errors.FeatureError: <...> is not a PyTorch checkpoint that can be read: File is not a zip file
    """
    try:
        with zipfile.ZipFile(path) as archive:
            # Entries that share their bytes, or compressed ones, could be more than the file by any factor.
            if sum(entry.file_size for entry in archive.infolist()) > archive.fp.seek(0, os.SEEK_END):
                raise pickle.UnpicklingError("its parts are said to be larger than the file")
            (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            files = {name: archive.read(name) for name in archive.namelist()}
        folder = index.removesuffix("data.pkl")
        if files.get(f"{folder}byteorder", b"little") != b"little":
            raise pickle.UnpicklingError("its numbers have their bytes in the other order")
        _check_memory(files[index])
        state = _Unpickler(io.BytesIO(files[index])).load()
        if isinstance(state, dict):  # Whisper's checkpoints hold the sizes of the network as well.
            state = state.get("model_state_dict", state)
        tensors = isinstance(state, dict) and all(isinstance(value, _Tensor) for value in state.values())
        if not tensors or not all(isinstance(name, str) for name in state):
            raise pickle.UnpicklingError("it holds something else than a dictionary of tensors")
        return {name: _array(tensor, files, f"{folder}data/") for name, tensor in state.items()}
    except Exception as error:
        raise FeatureError(f"{path} is not a PyTorch checkpoint that can be read: {error}") from error


class _Tensor(NamedTuple):
    """What the pickle says of a tensor: an array is made of it when all of that has been checked."""

    storage: tuple[str, str, int]
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Unpickles descriptions of tensors, and nothing else."""

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # A new function each time: a pickle may set attributes of what it finds.
            return lambda storage, offset, shape, stride, *_: _Tensor(storage, offset, shape, stride)
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, no part of a dictionary of tensors")

    def persistent_load(self, pid) -> tuple[str, str, int]:
        _, kind, key, _, size = pid
        return kind, key, size


def _check_memory(index: bytes) -> None:
    """Raise where the unpickler would make room for more than there is, which `genops` does not."""
    for operation, argument, _ in pickletools.genops(index):
        if operation.name == "LONG_BINPUT" and argument > len(index):
            raise pickle.UnpicklingError(f"it asks for room for {argument} things")


def _array(tensor: _Tensor, files: dict[str, bytes], folder: str) -> np.ndarray:
    kind, key, size = tensor.storage
    dtype = np.dtype(_DTYPES[kind])
    data = memoryview(files[folder + key])[: size * dtype.itemsize]
    if len(data) != size * dtype.itemsize:
        raise pickle.UnpicklingError(f"storage {key} holds fewer than {size} numbers")
    if min(tensor.offset, *tensor.shape, *tensor.stride, 0) < 0 or math.prod(tensor.shape) > size:
        raise pickle.UnpicklingError(f"a tensor of shape {tensor.shape} does not fit its storage")
    strides = [step * dtype.itemsize for step in tensor.stride]
    # NumPy raises where shape and strides reach beyond the storage.
    return np.ndarray(tensor.shape, dtype, data, tensor.offset * dtype.itemsize, strides)

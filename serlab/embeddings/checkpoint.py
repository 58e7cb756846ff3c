"""PyTorch checkpoints, read without PyTorch and without running anything they say.

A checkpoint is a zip archive: ``data.pkl`` tells names and shapes, and one file beside it holds the raw
numbers of each storage. A pickle can ask for any function of any module to be called, so that opening one
from a stranger means running his program. This reader knows the few names that a dictionary of tensors
needs, and refuses all others.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np

from serlab.errors import FeatureError

_STORAGES = {
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
    """Read the tensors of a PyTorch state dict, as ``torch.save(model.state_dict(), path)`` writes it.

    Parameters
    ----------
    path : path-like
        A checkpoint in the zip format that PyTorch writes since version 1.6.

    Returns
    -------
    dict of str to ndarray
        In the order of the file.

    Raises
    ------
    FeatureError
        If the file is no such checkpoint, is damaged, or asks for anything but tensors.

    Notes
    -----
    Nothing is imported and no code runs but this module's own: of the global names in the pickle only
    ``collections.OrderedDict``, ``torch._utils._rebuild_tensor_v2`` and the storage types are known. A
    tensor may not be larger than its storage, nor reach beyond it.

    Examples
    --------
    >>> read_state_dict(io.BytesIO(b"something else"))
    Traceback (most recent call last):
    ...
    serlab.errors.FeatureError: <...> is not a PyTorch checkpoint that can be read: File is not a zip file
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            state = _Unpickler(archive, index).load()
    except Exception as error:
        raise FeatureError(f"{path} is not a PyTorch checkpoint that can be read: {error}") from error
    tensors = isinstance(state, dict) and all(isinstance(value, np.ndarray) for value in state.values())
    if not tensors:
        raise FeatureError(f"{path} holds something else than a dictionary of tensors")
    return dict(state)


class _Unpickler(pickle.Unpickler):
    """Unpickles tensors, as arrays, and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, index: str):
        super().__init__(io.BytesIO(_stored(archive, index)))
        self._archive = archive
        self._folder = index.removesuffix("data.pkl")

    def find_class(self, module: str, name: str):
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return self._rebuild
            case "torch", _ if name in _STORAGES:
                return name
        raise pickle.UnpicklingError(
            f"it asks for {module}.{name}, which is no part of a dictionary of tensors"
        )

    def persistent_load(self, pid) -> np.ndarray:
        _, kind, key, _, size = pid
        return np.frombuffer(_stored(self._archive, f"{self._folder}data/{key}"), _STORAGES[kind], size)

    @staticmethod
    def _rebuild(storage, offset, size, stride, *_) -> np.ndarray:
        if math.prod(size) > storage.size or len(size) != len(stride) or min(offset, *size, *stride, 0) < 0:
            raise pickle.UnpicklingError(f"a tensor of shape {size} does not fit its storage")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if math.prod(size) and last >= storage.size:
            raise pickle.UnpicklingError(f"a tensor of shape {size} reaches beyond its storage")
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, strides, writeable=False).copy()


def _stored(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise pickle.UnpicklingError(f"{name} is compressed, which PyTorch never does")
    return archive.read(name)

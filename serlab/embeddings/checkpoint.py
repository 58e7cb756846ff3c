"""PyTorch checkpoints, read without PyTorch and without running anything they say.

A checkpoint is a zip archive: ``data.pkl`` tells names and shapes, and one file beside it holds the raw
numbers of each storage. A pickle can ask for any function of any module to be called, so that opening one
from a stranger means running his program. This reader knows the few names that a dictionary of tensors
needs, and refuses all others. While the pickle is read, tensors are descriptions only: arrays are made of
them afterwards, when every size has been compared with what is in the archive.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from typing import Any, NamedTuple

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
# What `torch.save` writes, in protocols 2 and 4, for dictionaries of tensors and plain values. Other
# operations may ask for memory out of all proportion to the file.
_OPERATIONS = frozenset(
    """
    PROTO FRAME STOP MARK GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID
    EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 SETITEM SETITEMS APPEND APPENDS
    BINUNICODE SHORT_BINUNICODE BININT BININT1 BININT2 LONG1 BINFLOAT NEWTRUE NEWFALSE NONE
    BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET
    """.split()  # noqa: SIM905
)
# Names and shapes of thousands of tensors take less than a megabyte.
_LONGEST_INDEX = 2**24
_MOST_DIMENSIONS = 32


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
    tensor may not be larger than its storage, nor reach beyond it, and all storages together not be larger
    than the file. Arrays are read-only views of the storages: nothing is copied.

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
            storages = _Storages(archive, index.removesuffix("data.pkl"))
            state = _described(storages.stored(index))
            if isinstance(state, dict) and all(isinstance(value, _Tensor) for value in state.values()):
                return {_name(key): _array(value, storages) for key, value in state.items()}
    except Exception as error:
        raise FeatureError(f"{path} is not a PyTorch checkpoint that can be read: {error}") from error
    raise FeatureError(f"{path} holds something else than a dictionary of tensors")


class _Storage(NamedTuple):
    kind: str
    key: str
    size: int


class _Tensor(NamedTuple):
    storage: Any
    offset: Any
    shape: Any
    stride: Any


class _Names(OrderedDict):
    """The dictionary itself; PyTorch gives it an attribute on versions, which nobody needs."""

    def __setstate__(self, state) -> None:
        pass


def _described(index: bytes) -> Any:
    """Unpickle names and descriptions of tensors, after looking at what the pickle would do."""
    if len(index) > _LONGEST_INDEX:
        raise pickle.UnpicklingError(f"its index is of {len(index)} bytes")
    # Unlike the unpickler, this reader makes room for no more than there is.
    for operation, argument, _ in pickletools.genops(index):
        if operation.name not in _OPERATIONS:
            raise pickle.UnpicklingError(
                f"it asks for {operation.name}, which is no part of a dictionary of tensors"
            )
        if operation.name == "LONG_BINPUT" and argument > len(index):
            raise pickle.UnpicklingError(f"it asks for room for {argument} things")
    return _Unpickler(io.BytesIO(index)).load()


class _Unpickler(pickle.Unpickler):
    """Unpickles descriptions of tensors, and nothing else."""

    def find_class(self, module: str, name: str):
        match module, name:
            case "collections", "OrderedDict":
                return _Names
            case "torch._utils", "_rebuild_tensor_v2":
                return lambda storage, offset, shape, stride, *_: _Tensor(storage, offset, shape, stride)
            case "torch", _ if name in _STORAGES:
                return name
        raise pickle.UnpicklingError(
            f"it asks for {module}.{name}, which is no part of a dictionary of tensors"
        )

    def persistent_load(self, pid) -> _Storage:
        match pid:
            case ("storage", str(kind), str(key), _, int(size)) if kind in _STORAGES and size >= 0:
                return _Storage(kind, key, size)
        raise pickle.UnpicklingError("it has a storage of unknown kind")


class _Storages:
    """The files of an archive that hold numbers, each read once."""

    def __init__(self, archive: zipfile.ZipFile, folder: str):
        self._archive, self._folder = archive, folder
        self._read: dict[str, bytes] = {}
        # Entries that share their bytes could otherwise be more than the file by any factor.
        size = archive.fp.seek(0, os.SEEK_END)
        if sum(entry.file_size for entry in archive.infolist()) > size:
            raise pickle.UnpicklingError("its parts are said to be larger than the file")
        order = f"{folder}byteorder"
        if order in archive.namelist() and self.stored(order) != b"little":
            raise pickle.UnpicklingError("its numbers have their bytes in the other order")

    def stored(self, name: str) -> bytes:
        """Give the bytes of an entry."""
        if name not in self._read:
            entry = self._archive.getinfo(name)
            if entry.compress_type != zipfile.ZIP_STORED:
                raise pickle.UnpicklingError(f"{name} is compressed, which PyTorch never does")
            self._read[name] = self._archive.read(name)
        return self._read[name]

    def numbers(self, storage: _Storage) -> bytes:
        """Give the bytes of a storage, as many as it says."""
        data, wanted = (
            self.stored(f"{self._folder}data/{storage.key}"),
            _dtype(storage).itemsize * storage.size,
        )
        if len(data) < wanted:
            raise pickle.UnpicklingError(
                f"storage {storage.key} holds {len(data)} bytes and is said to hold {wanted}"
            )
        return data[:wanted] if len(data) > wanted else data


def _dtype(storage: _Storage) -> np.dtype:
    return np.dtype(_STORAGES[storage.kind])


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise pickle.UnpicklingError(f"a tensor is called {key!r:.40}")
    return key


def _array(tensor: _Tensor, storages: _Storages) -> np.ndarray:
    """Make the array that a description asks for, if it lies within its storage."""
    storage, offset, shape, stride = tensor
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor is to be made of something else than a storage")
    lists = all(isinstance(one, tuple) for one in (shape, stride))
    if not lists or not all(isinstance(one, int) for one in (offset, *shape, *stride)):
        raise pickle.UnpicklingError("a tensor of unknown shape does not fit its storage")
    if len(shape) > _MOST_DIMENSIONS:
        raise pickle.UnpicklingError(f"a tensor of {len(shape)} dimensions does not fit its storage")
    if len(shape) != len(stride) or min(offset, *shape, *stride, 0) < 0:
        raise pickle.UnpicklingError(f"a tensor of shape {shape} does not fit its storage")
    if math.prod(shape) > storage.size:
        raise pickle.UnpicklingError(f"a tensor of shape {shape} is larger than its storage")
    if not math.prod(shape):
        return np.empty(shape, _dtype(storage))
    if offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True)) >= storage.size:
        raise pickle.UnpicklingError(f"a tensor of shape {shape} reaches beyond its storage")
    width = _dtype(storage).itemsize
    # NumPy compares shape and strides with the length of the buffer once more.
    return np.ndarray(
        shape, _dtype(storage), storages.numbers(storage), offset * width, [step * width for step in stride]
    )

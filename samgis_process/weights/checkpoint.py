"""Read a zipped PyTorch state dict without PyTorch, and without trusting it.

The file is a zip with one pickle, which names tensors, and one raw file per storage. A pickle
is a program; here it may only push plain data, make an ordered dict, and call the one function
that describes a tensor. Its opcodes are looked at before any of them is run.
Format: torch/serialization.py and torch/_utils.py of PyTorch, since version 1.6.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from samgis_process.errors import ModelUnavailable

MAX_BYTES = 2 * 2**30  # of all members together; MobileSAM has 41 MB
MAX_PICKLE_BYTES = 16 * 2**20  # MobileSAM: 81 kB for 439 tensors

DTYPES: Mapping[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}

# What `torch.save` writes for a state dict (pickle protocol 2). REDUCE calls something, but
# only what `find_class` hands out; BUILD sets attributes, which none of that accepts.
_STRUCTURE = ("PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID")
_CONTAINERS = ("EMPTY_DICT", "SETITEM", "SETITEMS")
_TUPLES = ("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3")
_VALUES = ("BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "NONE", "NEWTRUE", "NEWFALSE")
_MEMO = ("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET")
OPCODES = frozenset((*_STRUCTURE, *_CONTAINERS, *_TUPLES, *_VALUES, *_MEMO))

Array = NDArray[Any]


class CheckpointRefused(ModelUnavailable):
    """The checkpoint is not a plain state dict."""


class _StorageType(NamedTuple):
    """What `torch.FloatStorage` and its like stand for; a tuple, so nothing can be set on it."""

    dtype: np.dtype[Any]


def read_state_dict(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, Array]:
    """Return the tensors of a checkpoint by name, read-only.

    Args:
        max_bytes: limit for all members of the archive together.

    Raises:
        CheckpointRefused: it is no state dict, it is damaged, or it wants more than data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, max_bytes)
            return _Reader(archive).read()
    except (zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise CheckpointRefused(f"{path.name} cannot be read as a checkpoint: {error}") from error
    except (ValueError, TypeError, AttributeError, LookupError, EOFError) as error:
        # Whatever else a malformed pickle makes of the unpickler; none of it ran foreign code.
        raise CheckpointRefused(f"{path.name} is not a well-formed checkpoint: {error}") from error


def _check_members(archive: zipfile.ZipFile, max_bytes: int) -> None:
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise CheckpointRefused("a checkpoint's members are stored, this one has packed ones")
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise CheckpointRefused(f"the checkpoint holds {total} bytes, the limit is {max_bytes}")
    if len({member.filename for member in members}) != len(members):
        raise CheckpointRefused("the checkpoint has two members of one name")


def _check_opcodes(program: bytes) -> None:
    """Refuse opcodes that a state dict does not need, and memo places out of all proportion."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(program)):
        if opcode.name not in OPCODES:
            raise CheckpointRefused(f"the checkpoint's pickle uses {opcode.name}")
        # The unpickler allocates its memo up to the highest place that is named.
        if opcode.name == "LONG_BINPUT" and argument is not None and argument > count:
            raise CheckpointRefused("the checkpoint's pickle asks for a huge memo")


class _Reader(pickle.Unpickler):
    """Runs the pickle of one archive with three names to call and the storages to refer to."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        programs = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(programs) != 1:
            raise CheckpointRefused("not a PyTorch archive: it needs one member data.pkl")
        if archive.getinfo(programs[0]).file_size > MAX_PICKLE_BYTES:
            raise CheckpointRefused("the checkpoint's pickle is too long for a state dict")
        program = archive.read(programs[0])
        _check_opcodes(program)
        super().__init__(io.BytesIO(program))
        self._archive = archive
        self._root = programs[0].removesuffix("data.pkl")
        self._storages: dict[str, Array] = {}

    def read(self) -> dict[str, Array]:
        """Return the tensors by name."""
        found = self.load()
        if not isinstance(found, dict):
            raise CheckpointRefused(f"expected a state dict, found {type(found).__name__}")
        for name, value in found.items():
            if not isinstance(name, str) or not re.fullmatch(r"[\w.]{1,200}", name):
                raise CheckpointRefused(f"{name!r:.80} is not a tensor's name")
            if not isinstance(value, np.ndarray):
                raise CheckpointRefused(f"{name} is no tensor but {type(value).__name__}")
        return dict(found)

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a global of the pickle; there are no others."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor  # a bound method: BUILD can set nothing on it
        if module == "torch" and name in DTYPES:
            return _StorageType(DTYPES[name])
        raise CheckpointRefused(f"the checkpoint asks for {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> Array:
        """Return the storage that `pid` = ("storage", type, key, device, length) names."""
        kind, storage_type, key, _device, length = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType):
            raise CheckpointRefused("the checkpoint refers to something that is no storage")
        if not isinstance(key, str) or not re.fullmatch(r"[0-9]{1,9}", key):
            raise CheckpointRefused(f"{key!r:.80} is not a storage's key")
        if key not in self._storages:
            content = self._archive.read(f"{self._root}data/{key}")
            self._storages[key] = np.frombuffer(content, storage_type.dtype)
        storage = self._storages[key]
        if storage.size != length or storage.dtype != storage_type.dtype:
            raise CheckpointRefused(f"storage {key} is not of the size or type it should have")
        return storage

    def _tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_rest: Any) -> Array:
        """Return a read-only view of `storage`; `offset` and `stride` count elements.

        The rest says whether PyTorch wants gradients and hooks; it is of no use here.
        """
        if not any(storage is known for known in self._storages.values()):
            raise CheckpointRefused("a tensor lies in something that is no storage")
        _check_layout(storage.size, offset, size, stride)
        steps = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)


def _check_layout(length: int, offset: Any, size: Any, stride: Any) -> None:
    """Refuse a tensor that reaches outside a storage of `length` elements, or repeats them."""
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or not all(type(n) is int and n >= 0 for n in numbers):
        raise CheckpointRefused("a tensor's offset, size and stride are whole numbers from 0")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if last >= length or math.prod(size) > length or 0 in size:
        raise CheckpointRefused(f"a tensor of shape {tuple(size)} lies outside its storage")

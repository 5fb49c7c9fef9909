"""Reads tensors of safetensors files as bytes, whatever their type, and writes them.

The safetensors package returns arrays of a framework; numpy has no bf16 or f8, and a merge must
copy the tensors that it does not change byte by byte.
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nola_adapters.errors import MergeRefusedError
from nola_adapters.model import DType

_MAX_HEADER = 100_000_000
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Tensor:
    """A tensor in a file; `dtype` is the file's name of its type, such as `BF16`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    data: memoryview

    @property
    def adaptable(self) -> DType | None:
        """Return the type if adapters can change tensors of it, else None."""
        return DType[self.dtype] if self.dtype in DType.__members__ else None


def open_model(path: Path) -> dict[Path, dict[str, Tensor]]:
    """Map the tensors of a safetensors file, or of all such files in a folder.

    Returns tensors by file and name. Raises MergeRefusedError if a folder has no file, one is
    invalid, or two have a tensor of the same name.
    """
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not files:
        raise MergeRefusedError(f"no safetensors files in {path}; only safetensors can be merged")
    model: dict[Path, dict[str, Tensor]] = {}
    names: set[str] = set()
    for file in files:
        model[file] = _open(file)
        twice = names & model[file].keys()
        if twice:
            raise MergeRefusedError(f"{path} has several tensors named {min(twice)}")
        names |= model[file].keys()
    return model


def _open(file: Path) -> dict[str, Tensor]:
    with file.open("rb") as stream:
        mapped = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        size = int.from_bytes(mapped[:8], "little")
        if not 2 <= size <= min(_MAX_HEADER, len(mapped) - 8):
            raise ValueError(f"header of {size} bytes")
        header: dict[str, Any] = json.loads(bytes(mapped[8 : 8 + size]))
        data = mapped[8 + size :]
        return {
            name: _tensor(file, name, entry, data)
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MergeRefusedError(f"{file} is not a valid safetensors file: {error}") from error


def _tensor(file: Path, name: str, entry: Mapping[str, Any], data: memoryview) -> Tensor:
    start, stop = entry["data_offsets"]
    shape = tuple(int(size) for size in entry["shape"])
    dtype = str(entry["dtype"])
    if not 0 <= start <= stop <= len(data):
        raise ValueError(f"tensor {name} lies outside of the file")
    if dtype in DType.__members__ and stop - start != math.prod(shape) * DType[dtype].itemsize:
        raise ValueError(f"tensor {name} has {stop - start} bytes, which are not its shape's")
    return Tensor(name, dtype, shape, file, data[start:stop])


def write_file(
    path: Path, tensors: Iterable[tuple[str, str, tuple[int, ...], int]], data: Iterator[bytes]
) -> None:
    """Write a file: names, types, shapes and sizes in bytes, and each tensor's bytes in turn."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, dtype, shape, size in tensors:
        header[name] = {
            "dtype": dtype,
            "shape": list(shape),
            "data_offsets": [position, position + size],
        }
        position += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("xb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for piece in data:
            stream.write(piece)

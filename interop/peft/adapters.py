"""Adapters that the command line cannot create: slices, dense tensors, a tied output embedding.

They are written by the independent reader in ../reader.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import nola_reader as nola

COEFFICIENTS = 16
BITS = 4
DELTA_RMS = 1e-2


def side(*seed: int) -> nola.Side:
    codes = np.random.default_rng(seed).integers(0, 1 << BITS, COEFFICIENTS)
    return nola.Side(BITS, codes)


def layer(
    tensor: str, shape: tuple[int, int], rank: int, stream: int, part: nola.Slice | None = None
) -> nola.Layer:
    """A layer of a matrix, or of a slice of one."""
    rows, cols = shape
    if part is not None:
        rows, cols = (part.length, cols) if part.dim == 0 else (rows, part.length)
    term = COEFFICIENTS * (4**BITS - 1) / 3 * (4**8 - 1) / 3  # mean square of a factor's element
    scale = DELTA_RMS / (np.sqrt(rank) * term)
    (scale_bits,) = struct.unpack("<I", struct.pack("<f", scale))
    sides = side(stream, 0), side(stream, 1)
    return nola.Layer(tensor, shape, part, rows, cols, rank, stream, scale_bits, *sides)


def dense(name: str, shape: tuple[int, ...]) -> nola.DenseTensor:
    values = np.random.default_rng(list(name.encode())).normal(1, 0.2, shape).astype("<f4")
    return nola.DenseTensor(name, shape, nola.F32, values.tobytes())


def write(
    path: Path,
    layers: Iterable[nola.Layer],
    tensors: Iterable[nola.DenseTensor] = (),
    task: str = "",
) -> Path:
    metadata = nola.Metadata(task=task)
    unsealed = nola.in_canonical_order(
        nola.Adapter(5, nola.UNIFORM8, b"", tuple(layers), tuple(tensors), metadata=metadata)
    )
    results = nola.reconstruct(unsealed, verify=False)
    adapter = dataclasses.replace(unsealed, digest=nola.root_digest(unsealed, results))
    path.write_bytes(nola.write(adapter))
    return path


def deltas(path: Path) -> dict[str, np.ndarray]:
    """ΔW of each adapted tensor, as stored and in f64."""
    adapter = nola.read(path.read_bytes())
    whole: dict[str, np.ndarray] = {}
    for result in nola.reconstruct(adapter):
        part = result.layer.slice
        target = whole.setdefault(result.layer.tensor, np.zeros(result.layer.shape))
        index = [slice(None)] * 2
        if part is not None:
            index[part.dim] = slice(part.start, part.start + part.length)
        target[tuple(index)] = result.delta()
    return whole

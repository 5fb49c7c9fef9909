"""Reads and writes files (SPEC.md sections 2, 3, 5 and 11)."""

from __future__ import annotations

import math
import os
import struct
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from nola_adapters import _manifest, _rules
from nola_adapters._crc32c import crc32c
from nola_adapters._manifest import DeclaredDense, Group
from nola_adapters._order import in_file_order
from nola_adapters.errors import (
    CorruptError,
    LimitExceededError,
    TooNewError,
    TooOldError,
    UnsupportedGeneratorError,
)
from nola_adapters.model import Adapter, AdapterFile, Codes, DenseTensor, DType, Generator, Layer

_MAGIC = b"NOLA"
_HEADER = struct.Struct("<4sHHIIQQ")
_CANDIDATE_BIT = 1 << 31
_LIMITS = {"manifest": 1 << 24, "codes section": 1 << 30, "dense section": 1 << 46}
_ALIGNMENT = 64


def read(path: str | os.PathLike[str]) -> AdapterFile:
    """Read a file.

    Raises AdapterError, of the kind of the first rule of SPEC.md section 11 that it breaks, and
    OSError if it cannot be read.
    """
    return decode(Path(path).read_bytes())


def decode(data: bytes) -> AdapterFile:
    """Read the bytes of a file as `read` does."""
    manifest_length, codes_length = _require_header(data)
    codes_at = _HEADER.size + manifest_length
    dense_at = codes_at + codes_length
    manifest_bytes = data[_HEADER.size : codes_at]
    manifest = _manifest.decode(manifest_bytes)
    _rules.require_declared_limits(manifest)
    if manifest.generator not in Generator.__members__.values():
        raise UnsupportedGeneratorError(
            f"unknown generator: {manifest.generator}; this version reads 1 to 5"
        )
    _rules.require_codes_declared(manifest.groups)
    layers = _read_layers(manifest.groups, data[codes_at:dense_at])
    dense = _read_dense(manifest.dense, data, dense_at)
    _rules.require_legal_manifest(manifest)
    generator = Generator(manifest.generator)
    adapter = Adapter(generator, manifest.seed, layers, dense, manifest.base, manifest.metadata)
    _rules.require_legal_layers(adapter)
    _rules.require_factor_limits(adapter)
    file = AdapterFile(in_file_order(adapter), manifest.digest)
    if _manifest.encode(file) != manifest_bytes:
        raise CorruptError("manifest not canonical; SPEC.md section 4.4 defines its only form")
    return file


def _require_header(data: bytes) -> tuple[int, int]:
    """Check rules 1 to 8; returns the lengths of manifest and codes section."""
    if len(data) < _HEADER.size + 4:
        raise CorruptError(f"{len(data)} bytes; a Nola file has at least 36")
    magic, major, minor, features, *lengths = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise CorruptError(f"not a Nola file: it begins with {magic.hex()}")
    if major < 1:
        raise TooOldError(f"format too old: {major}.{minor}; must be 1.0 or a later 1.x")
    if major > 1:
        raise TooNewError(f"format {major}.{minor} is too new; this version reads 1")
    if features & _CANDIDATE_BIT:
        raise TooOldError("file of a release candidate of format 1.0; write it again")
    if features:
        raise TooNewError(f"unknown required features: {features:08x}; use a newer version")
    for (what, limit), length in zip(_LIMITS.items(), lengths, strict=True):
        if length > limit:
            raise LimitExceededError(f"{what} of {length} bytes; limit is {limit}")
    expected = _HEADER.size + sum(lengths) + 4
    if expected != len(data):
        raise CorruptError(f"{len(data)} bytes; its header states {expected}")
    if crc32c(memoryview(data)[:-4]) != int.from_bytes(data[-4:], "little"):
        raise CorruptError("checksum does not match; the file is damaged")
    return lengths[0], lengths[1]


def _code_bytes(count: int, bits: int) -> int:
    return (count * bits + 7) // 8


def _read_layers(groups: Sequence[Group], section: bytes) -> tuple[Layer, ...]:
    """Expand the groups, and read scale and codes of each layer: rule 12."""
    needed = sum(g.count * (4 + sum(_code_bytes(*side) for side in g.sides())) for g in groups)
    if needed != len(section):
        raise CorruptError(f"codes section of {len(section)} bytes; its groups need {needed}")
    layers = []
    position = 0
    for group in groups:
        for tensor, stream in group.names_and_streams():
            bits = int.from_bytes(section[position : position + 4], "little")
            if bits != 0 and not 0x00800000 <= bits <= 0x64800000:
                raise CorruptError(
                    f"invalid scale of {tensor}: {bits:08x}; must be +0 or 2^-126 to 2^74"
                )
            scale = np.frombuffer(section, "<f4", 1, position)[0]
            position += 4
            sides = []
            for count, width in group.sides():
                end = position + _code_bytes(count, width)
                sides.append(_unpack(section[position:end], count, width))
                position = end
            layers.append(_layer(group, tensor, stream, scale, sides))
    return tuple(layers)


def _layer(group: Group, tensor: str, stream: int, scale: np.float32, sides: list[Codes]) -> Layer:
    if group.rank == 0:
        raise CorruptError(f"invalid rank of {tensor}: 0; the direct form has no rank")
    return Layer(
        tensor,
        group.rows,
        group.cols,
        group.rank or 0,
        stream,
        scale,
        sides[0],
        sides[1] if len(sides) > 1 else None,
        group.stored_shape(),
        group.slice,
    )


def _unpack(data: bytes, count: int, bits: int) -> Codes:
    unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    if unpacked[count * bits :].any():
        raise CorruptError("unused bit of codes is set; unused bits must be 0")
    digits = unpacked[: count * bits].reshape(count, bits)
    padded = np.zeros((count, 16), dtype=np.uint8)
    padded[:, :bits] = digits
    return Codes(bits, np.packbits(padded, axis=1, bitorder="little").view("<u2").reshape(-1))


def pack_codes(codes: Codes) -> bytes:
    octets = codes.values.astype("<u2").view(np.uint8).reshape(-1, 2)
    digits = np.unpackbits(octets, axis=1, bitorder="little")[:, : codes.bits]
    return np.packbits(digits.reshape(-1), bitorder="little").tobytes()


def _read_dense(
    declared: Iterable[DeclaredDense], data: bytes, start: int
) -> tuple[DenseTensor, ...]:
    """Cut the dense section, from byte `start` to the checksum, into tensors: rule 13."""
    result = []
    position, stop = start, len(data) - 4
    for tensor in declared:
        if tensor.dtype not in DType.__members__.values():
            raise CorruptError(f"unknown type of {tensor.name}: {tensor.dtype}; must be 0 to 2")
        dtype = DType(tensor.dtype)
        begin = position + -position % _ALIGNMENT
        end = begin + math.prod(tensor.shape) * dtype.itemsize
        if end > stop:
            raise CorruptError(f"dense section ends inside of {tensor.name}")
        if any(data[position:begin]):
            raise CorruptError(f"padding before {tensor.name} is not zero")
        result.append(DenseTensor(tensor.name, tensor.shape, dtype, data[begin:end]))
        position = end
    if position != stop:
        raise CorruptError(f"{stop - position} bytes after the last dense tensor")
    return tuple(result)


def encode(file: AdapterFile) -> bytes:
    """Return the one file of an adapter: the bytes that every writer produces.

    Raises AdapterError if a reader would reject them, and ValueError if the content does not fit
    into a file at all.
    """
    ordered = AdapterFile(in_file_order(file.adapter), file.digest)
    try:
        manifest = _manifest.encode(ordered)
    except struct.error as error:
        raise ValueError(f"adapter does not fit into a file: {error}") from error
    codes = b"".join(
        struct.pack("<I", layer.scale_bits)
        + b"".join(pack_codes(side) for _, _, side in layer.sides())
        for layer in ordered.adapter.layers
    )
    dense = bytearray()
    for tensor in ordered.adapter.dense:
        dense += bytes(-(_HEADER.size + len(manifest) + len(codes) + len(dense)) % _ALIGNMENT)
        dense += tensor.data
    header = _HEADER.pack(_MAGIC, 1, 0, 0, len(manifest), len(codes), len(dense))
    content = b"".join((header, manifest, codes, dense))
    data = content + struct.pack("<I", crc32c(content))
    decode(data)
    return data


def write(file: AdapterFile, path: str | os.PathLike[str]) -> None:
    """Write a file, which appears when it is complete, and replaces an older one.

    Raises as `encode` does, and OSError.
    """
    replace_file(Path(path), encode(file))


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file beside its destination, forces it to disk and renames it.

    `mode` holds the permissions of the new file, less the process's umask.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4()}.part")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)

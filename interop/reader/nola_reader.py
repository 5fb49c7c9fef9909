"""An independent reader of the Nola adapter format, written from its specification alone.

It reads a file, checks every rule of SPEC section 11, reconstructs the factors and the delta
values of each layer, computes the digests of SPEC sections 8 and 9, merges deltas into weights,
and writes a model back into the same bytes. It needs numpy and the standard library only.
Section numbers below are those of SPEC.md.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MAGIC = b"NOLA"
HEADER = struct.Struct("<4sHHIIQQ")
CANDIDATE_BIT = 1 << 31
MASK32 = (1 << 32) - 1

MAX_MANIFEST = 1 << 24
MAX_CODES = 1 << 30
MAX_DENSE = 1 << 46
MAX_ITEMS = 65_536
MAX_METADATA_ITEMS = 4_096
MAX_DIMENSIONS = 8
MAX_NAME = 256
MAX_TEXT = 65_536
MAX_INT = (1 << 31) - 1
MAX_INDEX = 999_999_999
MAX_FACTOR = (1 << 31) - 1
MAX_FACTOR_SRHT = 1 << 30
MAX_ELEMENTS = 1 << 38
MAX_WORK = 1 << 53
MAX_SUM = (1 << 53) - 1

UNIFORM24, UNIFORM8, RADEMACHER, SRHT, IDENTITY = 1, 2, 3, 4, 5
MAX_BASIS = {UNIFORM24: (1 << 24) - 1, UNIFORM8: 255, RADEMACHER: 1, SRHT: 1, IDENTITY: 1}

F32, F16, BF16 = 0, 1, 2
DTYPE_SIZE = {F32: 4, F16: 2, BF16: 2}

CORRUPT = "corrupt"
TOO_OLD = "too-old"
TOO_NEW = "too-new"
LIMIT = "limit-exceeded"
GENERATOR = "unsupported-generator"
DIGEST = "digest-mismatch"


class NolaError(Exception):
    """A file that must be rejected; `kind` is one of the kinds of section 11."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class BudgetError(Exception):
    """A legal file that requires more work than the caller allows (section 10)."""


class MergeError(Exception):
    """A merge that would make a finite weight infinite or NaN (section 7.3)."""

    def __init__(self, tensor: str, element: int) -> None:
        super().__init__(f"element {element} of {tensor} would not stay finite")
        self.tensor = tensor
        self.element = element


def require(condition: bool, kind: str, message: str) -> None:
    """Reject the file unless the condition holds."""
    if not condition:
        raise NolaError(kind, message)


# --------------------------------------------------------------------------------------------
# The model
# --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slice:
    """A proper part of a tensor along one dimension (section 4.2)."""

    dim: int
    start: int
    length: int


@dataclass(frozen=True)
class Side:
    """The quantized coefficients of one factor: unsigned codes of `bits` bits (section 5.1)."""

    bits: int
    codes: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.codes)

    def values(self) -> NDArray[np.int64]:
        """The odd integers that the codes stand for (section 5.1)."""
        return 2 * self.codes - ((1 << self.bits) - 1)


@dataclass(frozen=True)
class Layer:
    """One adapted tensor, or slice of a tensor (section 4.2). Rank 0 is the direct form."""

    tensor: str
    shape: tuple[int, ...]
    slice: Slice | None
    rows: int
    cols: int
    rank: int
    stream: int
    scale_bits: int
    a: Side
    b: Side | None

    @property
    def direct(self) -> bool:
        return self.rank == 0

    @property
    def scale(self) -> float:
        return float(struct.unpack("<f", struct.pack("<I", self.scale_bits))[0])


@dataclass(frozen=True)
class DenseTensor:
    """A tensor stored whole (section 5.2)."""

    name: str
    shape: tuple[int, ...]
    dtype: int
    data: bytes


@dataclass(frozen=True)
class Metadata:
    """Information for people and catalogs (section 4.1)."""

    description: str = ""
    task: str = ""
    license: str = ""
    tags: tuple[str, ...] = ()
    metrics: tuple[tuple[str, float], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        return self == Metadata()


@dataclass(frozen=True)
class Adapter:
    """The content of a file; layers and dense tensors are in file order."""

    seed: int
    generator: int
    digest: bytes
    layers: tuple[Layer, ...] = ()
    dense: tuple[DenseTensor, ...] = ()
    base_name: str = ""
    base_revision: str = ""
    base_identity: bytes | None = None
    metadata: Metadata = field(default_factory=Metadata)
    minor: int = 0


# --------------------------------------------------------------------------------------------
# CRC-32C (section 2)
# --------------------------------------------------------------------------------------------


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """CRC-32C, Castagnoli polynomial, reflected (section 2)."""
    crc = MASK32
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ MASK32


# --------------------------------------------------------------------------------------------
# Decoding FlatBuffers (section 4.4, "Reading")
# --------------------------------------------------------------------------------------------


class Buffer:
    """The manifest's bytes. Every access is checked; strings and vectors are charged."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = len(data)

    def unpack(self, layout: str, at: int, size: int) -> int | float:
        require(0 <= at <= len(self.data) - size, CORRUPT, "manifest: offset outside")
        value: int | float = struct.unpack_from(layout, self.data, at)[0]
        return value

    def u16(self, at: int) -> int:
        return int(self.unpack("<H", at, 2))

    def u32(self, at: int) -> int:
        return int(self.unpack("<I", at, 4))

    def take(self, at: int, size: int) -> bytes:
        require(0 <= at <= len(self.data) - size, CORRUPT, "manifest: length outside")
        return self.data[at:at + size]

    def charge(self, size: int) -> None:
        """Only vtables are shared, so all objects together fit into the manifest."""
        self.left -= size
        require(self.left >= 0, CORRUPT, "manifest: objects overlap")

    def string(self, at: int) -> str:
        """A string and the byte that follows it."""
        size = self.u32(at)
        data = self.take(at + 4, size + 1)
        self.charge(4 + size + 1)
        try:
            return data[:-1].decode("utf-8")
        except UnicodeDecodeError:
            raise NolaError(CORRUPT, "manifest: text is not UTF-8") from None

    def vector(self, at: int) -> int:
        """Check a vector of four-byte elements and return their number."""
        count = self.u32(at)
        self.charge(4 + 4 * count)
        self.take(at + 4, 4 * count)
        return count

    def table(self, at: int) -> Table:
        self.charge(4)
        return Table(self, at)


class Table:
    """A table of the manifest; a field that is absent reads as None."""

    def __init__(self, buffer: Buffer, at: int) -> None:
        self.buffer = buffer
        self.at = at
        self.vtable = at - int(buffer.unpack("<i", at, 4))
        self.vtable_size = buffer.u16(self.vtable)
        require(self.vtable_size >= 4, CORRUPT, "manifest: vtable too short")
        buffer.take(self.vtable, self.vtable_size)

    def position(self, field_id: int) -> int | None:
        entry = 4 + 2 * field_id
        if entry + 2 > self.vtable_size:
            return None
        relative = self.buffer.u16(self.vtable + entry)
        return self.at + relative if relative else None

    def u8(self, field_id: int) -> int | None:
        at = self.position(field_id)
        return None if at is None else int(self.buffer.unpack("<B", at, 1))

    def u32(self, field_id: int) -> int | None:
        at = self.position(field_id)
        return None if at is None else self.buffer.u32(at)

    def u64(self, field_id: int) -> int | None:
        at = self.position(field_id)
        return None if at is None else int(self.buffer.unpack("<Q", at, 8))

    def f64(self, field_id: int) -> float | None:
        at = self.position(field_id)
        return None if at is None else self.buffer.unpack("<d", at, 8)

    def target(self, field_id: int) -> int | None:
        at = self.position(field_id)
        return None if at is None else at + self.buffer.u32(at)

    def present(self, *field_ids: int) -> None:
        """Reject a table that lacks a field that is never absent."""
        for field_id in field_ids:
            there = self.position(field_id) is not None
            require(there, CORRUPT, f"manifest: field {field_id} is absent")

    def string(self, field_id: int) -> str:
        """A string that defaults to the empty string."""
        at = self.target(field_id)
        return "" if at is None else self.buffer.string(at)

    def name(self, field_id: int) -> str:
        """A string that must not be absent."""
        self.present(field_id)
        return self.string(field_id)

    def u32s(self, field_id: int) -> tuple[int, ...] | None:
        at = self.target(field_id)
        if at is None:
            return None
        count = self.buffer.vector(at)
        return struct.unpack_from(f"<{count}I", self.buffer.data, at + 4)

    def tables(self, field_id: int) -> list[Table]:
        at = self.target(field_id)
        if at is None:
            return []
        count = self.buffer.vector(at)
        elements = range(at + 4, at + 4 + 4 * count, 4)
        return [self.buffer.table(element + self.buffer.u32(element)) for element in elements]

    def digest(self, field_id: int) -> bytes | None:
        at = self.position(field_id)
        return None if at is None else self.buffer.take(at, 32)

    def slice(self, field_id: int) -> Slice | None:
        at = self.position(field_id)
        if at is None:
            return None
        return Slice(*struct.unpack("<III", self.buffer.take(at, 12)))


# --------------------------------------------------------------------------------------------
# Decoding the manifest (section 4.1)
# --------------------------------------------------------------------------------------------


@dataclass
class Group:
    """A LayerGroup with the fields that follow a rule filled in (section 4.1)."""

    tensor: str
    rows: int
    cols: int
    direct: bool
    rank: int
    k: int
    l: int  # noqa: E741 (the specification's name)
    count: int
    stream: int
    stream_step: int
    shape: tuple[int, ...]
    slice: Slice | None
    a_bits: int
    b_bits: int

    def sides(self) -> list[tuple[int, int]]:
        """Count and width of each side that has codes."""
        sides = [(self.k, self.a_bits)]
        return sides if self.direct else sides + [(self.l, self.b_bits)]


@dataclass
class DenseHead:
    """A dense tensor as declared in the manifest."""

    name: str
    shape: tuple[int, ...]
    dtype: int


@dataclass
class Manifest:
    """The decoded manifest, before it is joined with codes and dense data."""

    seed: int
    groups: list[Group]
    dense: list[DenseHead]
    base_name: str
    base_revision: str
    metadata: Metadata
    generator: int
    digest: bytes
    base_identity: bytes | None


T = TypeVar("T")


def default(value: T | None, other: T) -> T:
    """The value of a field, or its default if it is absent."""
    return other if value is None else value


def decode_group(table: Table, position: int) -> Group:
    """Decode one LayerGroup whose first layer is at `position` in file order (section 4.1)."""
    table.present(0, 1, 3)
    rows = default(table.u32(1), 0)
    cols = default(table.u32(5), rows)
    rank = table.u32(2)
    k = default(table.u32(3), 0)
    a_bits = default(table.u8(11), 4)
    return Group(
        tensor=table.name(0),
        rows=rows,
        cols=cols,
        direct=rank is None,
        rank=default(rank, 0),
        k=k,
        l=default(table.u32(6), k),
        count=default(table.u32(4), 1),
        stream=default(table.u32(7), position & MASK32),
        stream_step=default(table.u32(8), 1),
        shape=default(table.u32s(9), (rows, cols)),
        slice=table.slice(10),
        a_bits=a_bits,
        b_bits=default(table.u8(12), a_bits),
    )


def decode_groups(tables: Iterable[Table]) -> list[Group]:
    groups: list[Group] = []
    position = 0
    for table in tables:
        groups.append(decode_group(table, position))
        position += groups[-1].count
    return groups


def decode_dense(table: Table) -> DenseHead:
    shape = default(table.u32s(1), ())
    return DenseHead(table.name(0), shape, default(table.u8(2), F32))


def decode_metadata(table: Table | None) -> Metadata:
    """Decode Metadata (section 4.1)."""
    if table is None:
        return Metadata()
    return Metadata(
        description=table.string(0),
        task=table.string(1),
        license=table.string(2),
        tags=tuple(tag.name(0) for tag in table.tables(3)),
        metrics=tuple(
            (metric.name(1), default(metric.f64(0), 0.0)) for metric in table.tables(4)
        ),
        provenance=tuple(
            (entry.name(0), entry.string(1)) for entry in table.tables(5)
        ),
    )


def decode_manifest(data: bytes) -> Manifest:
    """Decode the manifest, rule 9 of section 11."""
    buffer = Buffer(data)
    root = buffer.table(buffer.u32(0))
    metadata_at = root.target(5)
    digest = root.digest(7)
    generator = root.u8(6)
    if digest is None or generator is None:
        raise NolaError(CORRUPT, "manifest: digest or generator is absent")
    return Manifest(
        seed=default(root.u64(0), 0),
        groups=decode_groups(root.tables(1)),
        dense=[decode_dense(table) for table in root.tables(2)],
        base_name=root.string(3),
        base_revision=root.string(4),
        metadata=decode_metadata(None if metadata_at is None else buffer.table(metadata_at)),
        generator=generator,
        digest=digest,
        base_identity=root.digest(8),
    )


# --------------------------------------------------------------------------------------------
# Names, file order and groups (section 4.3)
# --------------------------------------------------------------------------------------------

_INDEX = re.compile(rb"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True)
class Name:
    """A tensor's name, split at its index (section 4.3); index -1 stands for none."""

    prefix: bytes
    index: int
    suffix: bytes

    def at(self, index: int) -> str:
        return (self.prefix + str(index).encode() + self.suffix).decode()


def split_name(name: str) -> Name:
    """Find the index of a name: its first component that is a decimal number (section 4.3)."""
    raw = name.encode()
    start = 0
    for component in raw.split(b"."):
        end = start + len(component)
        if _INDEX.fullmatch(component):
            return Name(raw[:start], int(component), raw[end:])
        start = end + 1
    return Name(raw, -1, b"")


def file_order(layer: Layer) -> tuple[bytes, bytes, tuple[int, ...], int]:
    """The key by which layers are sorted (section 4.3)."""
    name = split_name(layer.tensor)
    part = layer.slice
    part_key = (0,) if part is None else (1, part.dim, part.start, part.length)
    return name.prefix, name.suffix, part_key, name.index


def layer_form(layer: Layer) -> tuple[object, ...]:
    """What the layers of a group have in common, apart from names (section 4.3, rule 2)."""
    sides = tuple((side.count, side.bits) for side in (layer.a, layer.b) if side is not None)
    return layer.rows, layer.cols, layer.shape, layer.slice, layer.rank, sides


def joins(group: Sequence[Layer], layer: Layer) -> bool:
    """Whether a layer joins the group of the layers before it (section 4.3)."""
    last = group[-1]
    before, here = split_name(last.tensor), split_name(layer.tensor)
    if (before.prefix, before.suffix) != (here.prefix, here.suffix):
        return False
    if before.index < 0 or here.index != before.index + 1:
        return False
    if layer_form(last) != layer_form(layer):
        return False
    return len(group) == 1 or stream_step(last, layer) == stream_step(*group[:2])


def stream_step(first: Layer, second: Layer) -> int:
    return (second.stream - first.stream) & MASK32


def group_layers(layers: Iterable[Layer]) -> list[list[Layer]]:
    """Cut layers in file order into groups (section 4.3)."""
    groups: list[list[Layer]] = []
    for layer in layers:
        if groups and joins(groups[-1], layer):
            groups[-1].append(layer)
        else:
            groups.append([layer])
    return groups


# --------------------------------------------------------------------------------------------
# Encoding the canonical manifest (section 4.4, "The canonical manifest")
# --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A field stored in place: its bytes, and the arguments of Align before them."""

    data: bytes
    align: int
    size: int


@dataclass(frozen=True)
class Reference:
    """An offset field: the position of its target."""

    target: int


Field = Value | Reference


def scalar(layout: str, value: int | float) -> Value:
    data = struct.pack("<" + layout, value)
    return Value(data, len(data), len(data))


class Builder:
    """Writes from back to front; `reversed` holds the bytes, last one first."""

    def __init__(self) -> None:
        self.reversed = bytearray()
        self.largest_align = 1
        self.vtables: dict[bytes, int] = {}

    @property
    def written(self) -> int:
        return len(self.reversed)

    def put(self, data: bytes) -> None:
        self.reversed += data[::-1]

    def put_u32(self, value: int) -> None:
        self.put(struct.pack("<I", value))

    def align(self, a: int, n: int) -> None:
        self.largest_align = max(self.largest_align, a)
        self.put(bytes(-(self.written + n) % a))

    def put_reference(self, target: int) -> None:
        self.put_u32(self.written + 4 - target)

    def string(self, text: str) -> Reference:
        data = text.encode()
        self.align(4, len(data) + 1)
        self.put(b"\0")
        self.put(data)
        return self.length(len(data))

    def length(self, count: int) -> Reference:
        self.align(4, 4)
        self.put_u32(count)
        return Reference(self.written)

    def u32s(self, values: Sequence[int]) -> Reference:
        self.align(4, 4 * len(values))
        self.put(struct.pack(f"<{len(values)}I", *values))
        return self.length(len(values))

    def references(self, targets: Sequence[Reference]) -> Reference:
        self.align(4, 4 * len(targets))
        for reference in reversed(targets):
            self.put_reference(reference.target)
        return self.length(len(targets))

    def put_field(self, item: Field) -> None:
        if isinstance(item, Reference):
            self.align(4, 4)
            self.put_reference(item.target)
        else:
            self.align(item.align, item.size)
            self.put(item.data)

    def table(self, fields: dict[int, Field | None]) -> Reference:
        """Put a table and its vtable; a field that is None is absent."""
        present = {number: item for number, item in fields.items() if item is not None}
        start = self.written
        positions: dict[int, int] = {}
        for number in sorted(present, reverse=True):
            self.put_field(present[number])
            positions[number] = self.written
        self.align(4, 4)
        self.put(bytes(4))
        table = self.written
        vtable = self.vtable(table, table - start, positions)
        self.reversed[table - 4:table] = struct.pack("<i", vtable - table)[::-1]
        return Reference(table)

    def vtable(self, table: int, table_size: int, positions: dict[int, int]) -> int:
        """The position of the vtable, put now unless the same bytes were put before."""
        count = max(positions) + 1
        entries = [table - positions[i] if i in positions else 0 for i in range(count)]
        data = struct.pack(f"<{2 + count}H", 4 + 2 * count, table_size, *entries)
        if data not in self.vtables:
            self.put(data)
            self.vtables[data] = self.written
        return self.vtables[data]

    def finish(self, root: Reference) -> bytes:
        self.align(self.largest_align, 4)
        self.put_reference(root.target)
        return bytes(self.reversed[::-1])


def u32_unless(value: int, rule: int) -> Value | None:
    """A u32 field that is absent when its value follows a rule."""
    return None if value == rule else scalar("I", value)


def u8_unless(value: int, rule: int) -> Value | None:
    return None if value == rule else scalar("B", value)


def encode_group(builder: Builder, layers: Sequence[Layer], position: int) -> Reference:
    """Put one LayerGroup (sections 4.1 and 4.4)."""
    first = layers[0]
    step = stream_step(*layers[:2]) if len(layers) > 1 else 1
    part = first.slice
    b = first.b
    tensor = builder.string(first.tensor)
    plain = first.shape == (first.rows, first.cols)
    shape = None if plain else builder.u32s(first.shape)
    packed = None if part is None else struct.pack("<III", part.dim, part.start, part.length)
    return builder.table({
        0: tensor,
        1: scalar("I", first.rows),
        2: None if first.direct else scalar("I", first.rank),
        3: scalar("I", first.a.count),
        4: u32_unless(len(layers), 1),
        5: u32_unless(first.cols, first.rows),
        6: None if b is None else u32_unless(b.count, first.a.count),
        7: u32_unless(first.stream, position),
        8: u32_unless(step, 1),
        9: shape,
        10: None if packed is None else Value(packed, 4, 12),
        11: u8_unless(first.a.bits, 4),
        12: None if b is None else u8_unless(b.bits, first.a.bits),
    })


def encode_groups(builder: Builder, layers: Sequence[Layer]) -> Reference | None:
    tables = []
    position = 0
    for group in group_layers(layers):
        tables.append(encode_group(builder, group, position))
        position += len(group)
    return builder.references(tables) if tables else None


def encode_dense_heads(builder: Builder, tensors: Sequence[DenseTensor]) -> Reference | None:
    tables = []
    for tensor in tensors:
        name = builder.string(tensor.name)
        shape = builder.u32s(tensor.shape) if tensor.shape else None
        tables.append(builder.table({0: name, 1: shape, 2: u8_unless(tensor.dtype, F32)}))
    return builder.references(tables) if tables else None


def optional_string(builder: Builder, text: str) -> Reference | None:
    return builder.string(text) if text else None


def encode_tags(builder: Builder, tags: Sequence[str]) -> Reference | None:
    tables = [builder.table({0: builder.string(tag)}) for tag in tags]
    return builder.references(tables) if tables else None


def encode_metrics(
    builder: Builder, metrics: Sequence[tuple[str, float]]
) -> Reference | None:
    tables = []
    for name, value in metrics:
        name_field = builder.string(name)
        tables.append(builder.table({0: scalar("d", value) if value else None, 1: name_field}))
    return builder.references(tables) if tables else None


def encode_provenance(
    builder: Builder, entries: Sequence[tuple[str, str]]
) -> Reference | None:
    tables = []
    for key, value in entries:
        key_field = builder.string(key)
        tables.append(builder.table({0: key_field, 1: optional_string(builder, value)}))
    return builder.references(tables) if tables else None


def encode_metadata(builder: Builder, metadata: Metadata) -> Reference | None:
    if metadata.empty:
        return None
    strings = [metadata.description, metadata.task, metadata.license]
    fields: dict[int, Field | None] = {
        number: optional_string(builder, text) for number, text in enumerate(strings)
    }
    fields[3] = encode_tags(builder, metadata.tags)
    fields[4] = encode_metrics(builder, metadata.metrics)
    fields[5] = encode_provenance(builder, metadata.provenance)
    return builder.table(fields)


def digest_field(digest: bytes | None) -> Value | None:
    return None if digest is None else Value(digest, 1, 0)


def encode_manifest(adapter: Adapter) -> bytes:
    """The canonical manifest of an adapter that is in canonical order (section 4.4)."""
    builder = Builder()
    layers = encode_groups(builder, adapter.layers)
    dense = encode_dense_heads(builder, adapter.dense)
    base_name = optional_string(builder, adapter.base_name)
    base_revision = optional_string(builder, adapter.base_revision)
    metadata = encode_metadata(builder, adapter.metadata)
    root = builder.table({
        0: scalar("Q", adapter.seed) if adapter.seed else None,
        1: layers,
        2: dense,
        3: base_name,
        4: base_revision,
        5: metadata,
        6: scalar("B", adapter.generator),
        7: digest_field(adapter.digest),
        8: digest_field(adapter.base_identity),
    })
    return builder.finish(root)


def in_canonical_order(adapter: Adapter) -> Adapter:
    """The same content in the order of sections 4.1 and 4.3."""
    metadata = adapter.metadata
    return Adapter(
        seed=adapter.seed,
        generator=adapter.generator,
        digest=adapter.digest,
        layers=tuple(sorted(adapter.layers, key=file_order)),
        dense=tuple(sorted(adapter.dense, key=lambda tensor: tensor.name.encode())),
        base_name=adapter.base_name,
        base_revision=adapter.base_revision,
        base_identity=adapter.base_identity,
        metadata=Metadata(
            metadata.description,
            metadata.task,
            metadata.license,
            tuple(sorted(metadata.tags, key=str.encode)),
            tuple(sorted(metadata.metrics, key=lambda metric: metric[0].encode())),
            tuple(sorted(metadata.provenance, key=lambda entry: entry[0].encode())),
        ),
        minor=adapter.minor,
    )


# --------------------------------------------------------------------------------------------
# Encoding the file (sections 2, 3 and 5)
# --------------------------------------------------------------------------------------------


def code_bytes(count: int, bits: int) -> int:
    """Number of bytes of the codes of one side (section 5.1)."""
    return (count * bits + 7) // 8


def pack_codes(side: Side) -> bytes:
    """Codes as bytes, least significant bit first (section 5.1)."""
    bits = (side.codes[:, None] >> np.arange(side.bits)) & 1
    return np.packbits(bits.astype(np.uint8).reshape(-1), bitorder="little").tobytes()


def unpack_codes(data: bytes, count: int, bits: int) -> Side:
    """The inverse of pack_codes; unused bits must be zero (section 5.1)."""
    unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    require(not unpacked[count * bits:].any(), CORRUPT, "codes: an unused bit is set")
    used = unpacked[:count * bits].reshape(count, bits).astype(np.int64)
    return Side(bits, used @ (np.int64(1) << np.arange(bits, dtype=np.int64)))


def encode_codes(layers: Iterable[Layer]) -> bytes:
    parts = []
    for layer in layers:
        parts.append(struct.pack("<I", layer.scale_bits))
        parts.extend(pack_codes(side) for side in (layer.a, layer.b) if side is not None)
    return b"".join(parts)


def encode_dense_data(tensors: Iterable[DenseTensor], position: int) -> bytes:
    """The dense section, which starts at `position` of the file (section 5.2)."""
    section = bytearray()
    for tensor in tensors:
        section += bytes(-(position + len(section)) % 64)
        section += tensor.data
    return bytes(section)


def write(adapter: Adapter) -> bytes:
    """The one file of an adapter (section 2)."""
    ordered = in_canonical_order(adapter)
    manifest = encode_manifest(ordered)
    codes = encode_codes(ordered.layers)
    dense = encode_dense_data(ordered.dense, HEADER.size + len(manifest) + len(codes))
    lengths = len(manifest), len(codes), len(dense)
    header = HEADER.pack(MAGIC, 1, ordered.minor, 0, *lengths)
    content = header + manifest + codes + dense
    return content + struct.pack("<I", crc32c(content))


# --------------------------------------------------------------------------------------------
# Checks on what the manifest declares (sections 4.2, 6, 7.1, 10 and 11)
# --------------------------------------------------------------------------------------------


def last_name(group: Group) -> str:
    """The name of the group's last layer, which is its longest."""
    name = split_name(group.tensor)
    counted = name.index >= 0 and group.count > 1
    return name.at(name.index + group.count - 1) if counted else group.tensor


def metadata_names(metadata: Metadata) -> list[str]:
    keys = [name for name, _ in (*metadata.metrics, *metadata.provenance)]
    return [*metadata.tags, *keys]


def check_declared_limits(manifest: Manifest) -> None:
    """Rule 10 of section 11."""
    require(len(manifest.groups) <= MAX_ITEMS, LIMIT, "too many groups of layers")
    require(sum(g.count for g in manifest.groups) <= MAX_ITEMS, LIMIT, "too many layers")
    require(len(manifest.dense) <= MAX_ITEMS, LIMIT, "too many dense tensors")
    metadata = manifest.metadata
    for items in (metadata.tags, metadata.metrics, metadata.provenance):
        require(len(items) <= MAX_METADATA_ITEMS, LIMIT, "too much metadata")
    names = [*map(last_name, manifest.groups), *(tensor.name for tensor in manifest.dense)]
    names += [manifest.base_name, manifest.base_revision, *metadata_names(metadata)]
    texts = [metadata.description, metadata.task, metadata.license]
    texts += [value for _, value in metadata.provenance]
    require(all(len(n.encode()) <= MAX_NAME for n in names), LIMIT, "a name is too long")
    require(all(len(t.encode()) <= MAX_TEXT for t in texts), LIMIT, "a text is too long")
    for group in manifest.groups:
        check_shape_limits(group.shape, (1 << 63) - 1)
    for tensor in manifest.dense:
        check_shape_limits(tensor.shape, (1 << 61) - 1)


def check_shape_limits(shape: Sequence[int], limit: int) -> None:
    require(len(shape) <= MAX_DIMENSIONS, LIMIT, "too many dimensions")
    require(math.prod(shape) <= limit, LIMIT, "too many elements")


def read_codes(groups: Sequence[Group], section: bytes) -> list[tuple[int, Side, Side | None]]:
    """Scale and codes of each layer, rule 12 of section 11."""
    for group in groups:
        require(group.count >= 1, CORRUPT, "a group of no layer")
        for count, bits in group.sides():
            require(1 <= bits <= 16, CORRUPT, f"codes of {bits} bits")
            require(1 <= count <= MAX_INT, CORRUPT, f"{count} coefficients")
    needed = sum(g.count * (4 + sum(code_bytes(*side) for side in g.sides())) for g in groups)
    require(needed == len(section), CORRUPT, "codes section of another length")
    result = []
    at = 0
    for group in groups:
        for _ in range(group.count):
            scale = check_scale(int.from_bytes(section[at:at + 4], "little"))
            at += 4
            sides = []
            for count, bits in group.sides():
                end = at + code_bytes(count, bits)
                sides.append(unpack_codes(section[at:end], count, bits))
                at = end
            result.append((scale, sides[0], sides[1] if len(sides) > 1 else None))
    return result


def check_scale(bits: int) -> int:
    """+0, or between 2^-126 and 2^74 (section 5.1)."""
    legal = bits == 0 or 0x00800000 <= bits <= 0x64800000
    require(legal, CORRUPT, f"scale {bits:08x}")
    return bits


def read_dense(
    heads: Sequence[DenseHead], section: bytes, position: int
) -> tuple[DenseTensor, ...]:
    """The dense tensors, rule 13 of section 11; the section starts at `position`."""
    result = []
    at = 0
    for head in heads:
        require(head.dtype in DTYPE_SIZE, CORRUPT, f"dtype {head.dtype}")
        start = at + -(position + at) % 64
        end = start + math.prod(head.shape) * DTYPE_SIZE[head.dtype]
        require(end <= len(section), CORRUPT, "dense section too short")
        require(not any(section[at:start]), CORRUPT, "padding is not zero")
        result.append(DenseTensor(head.name, head.shape, head.dtype, section[start:end]))
        at = end
    require(at == len(section), CORRUPT, "dense section too long")
    return tuple(result)


def check_names(names: Iterable[str], may_be_empty: bool = False) -> None:
    """No control characters; not empty where that is forbidden (section 4.2)."""
    for name in names:
        require(may_be_empty or name != "", CORRUPT, "an empty name")
        control = any(ord(character) < 0x20 or character == "\x7f" for character in name)
        require(not control, CORRUPT, "a control character in a name")


def check_ascending(names: Sequence[str]) -> None:
    """Each name is after the one before it, byte by byte (section 4.1)."""
    raw = [name.encode() for name in names]
    ascending = all(before < here for before, here in zip(raw, raw[1:]))
    require(ascending, CORRUPT, "names that are not ascending and distinct")


def check_group(group: Group) -> None:
    """The rules of section 4.2 for the layers of one group."""
    for number in (group.rows, group.cols, *group.shape):
        require(1 <= number <= MAX_INT, CORRUPT, "rows, columns or a dimension")
    require(group.direct or 1 <= group.rank <= MAX_INT, CORRUPT, "rank")
    require(len(group.shape) >= 1, CORRUPT, "a layer of no dimension")
    adapted = list(group.shape)
    part = group.slice
    if part is not None:
        require(part.dim < len(adapted), CORRUPT, "slice of no dimension")
        size = adapted[part.dim]
        proper = 1 <= part.length < size and part.start + part.length <= size
        require(proper, CORRUPT, "slice is not a proper part")
        adapted[part.dim] = part.length
    require(group.rows * group.cols == math.prod(adapted), CORRUPT, "rows times columns")
    index = split_name(group.tensor).index
    require(group.count == 1 or index >= 0, CORRUPT, "group without an index")
    require(index + group.count - 1 <= MAX_INDEX, CORRUPT, "last index too high")


def check_overlaps(layers: Iterable[Layer]) -> None:
    """No two layers adapt the same element; one shape for each tensor (section 4.2)."""
    by_tensor: dict[str, list[Layer]] = {}
    for layer in layers:
        by_tensor.setdefault(layer.tensor, []).append(layer)
    for same in by_tensor.values():
        if len(same) == 1:
            continue
        slices = [layer.slice for layer in same if layer.slice is not None]
        require(len(slices) == len(same), CORRUPT, "whole tensor adapted and more")
        require(len({layer.shape for layer in same}) == 1, CORRUPT, "shapes differ")
        require(len({part.dim for part in slices}) == 1, CORRUPT, "slices cross")
        slices.sort(key=lambda part: part.start)
        for before, here in zip(slices, slices[1:]):
            require(before.start + before.length <= here.start, CORRUPT, "slices overlap")


def check_metadata(metadata: Metadata) -> None:
    """The rules of section 4.1 for metadata that the canonical form does not show."""
    check_names(metadata_names(metadata))
    check_ascending(metadata.tags)
    check_ascending([name for name, _ in metadata.metrics])
    check_ascending([key for key, _ in metadata.provenance])
    for _, value in metadata.metrics:
        legal = math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0)
        require(legal, CORRUPT, "a metric that is not finite, or is -0")


def expand(group: Group) -> list[tuple[str, int]]:
    """Tensor name and stream number of each layer of a group (section 4.3)."""
    if group.count == 1:
        return [(group.tensor, group.stream)]
    name = split_name(group.tensor)
    return [
        (name.at(name.index + i), (group.stream + i * group.stream_step) & MASK32)
        for i in range(group.count)
    ]


def expand_layers(
    groups: Iterable[Group], codes: Sequence[tuple[int, Side, Side | None]]
) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for group in groups:
        for tensor, stream in expand(group):
            layers.append(Layer(
                tensor, group.shape, group.slice, group.rows, group.cols, group.rank, stream,
                *codes[len(layers)],
            ))
    return tuple(layers)


@dataclass(frozen=True)
class Factor:
    """The shape of one factor and the codes it is computed from (section 6)."""

    side: int
    length: int
    coefficients: Side


def factors(layer: Layer) -> list[Factor]:
    """The factors of a layer: A and B, or A alone in the direct form (section 6)."""
    if layer.b is None:
        return [Factor(0, layer.rows * layer.cols, layer.a)]
    a = Factor(0, layer.rows * layer.rank, layer.a)
    return [a, Factor(1, layer.rank * layer.cols, layer.b)]


def check_factors(layers: Iterable[Layer], generator: int) -> None:
    """The rules of sections 6 and 7.1: exact sums, numbers of coefficients of ids 4 and 5."""
    for factor in (factor for layer in layers for factor in factors(layer)):
        side = factor.coefficients
        terms = 1 if generator == IDENTITY else side.count
        bound = terms * ((1 << side.bits) - 1) * MAX_BASIS[generator]
        require(bound <= MAX_SUM, CORRUPT, "sums would not be exact")
        if generator == SRHT:
            columns = 1 << (factor.length.bit_length() - 1)
            require(side.count <= columns, CORRUPT, "more coefficients than columns")
        if generator == IDENTITY:
            require(side.count == factor.length, CORRUPT, "not one coefficient an element")


def check_nothing_drawn(adapter: Adapter) -> None:
    """Generator 5 uses neither seed nor stream numbers (section 6)."""
    if adapter.generator == IDENTITY:
        drawn = adapter.seed != 0 or any(layer.stream != 0 for layer in adapter.layers)
        require(not drawn, CORRUPT, "a seed or stream number of generator 5")


def check_factor_limits(layers: Sequence[Layer], generator: int) -> None:
    """Rule 15 of section 11: lengths of factors and their sums."""
    longest = MAX_FACTOR_SRHT if generator == SRHT else MAX_FACTOR
    all_factors = [factor for layer in layers for factor in factors(layer)]
    for factor in all_factors:
        require(factor.length <= longest, LIMIT, "a factor of too many elements")
    elements = sum(factor.length for factor in all_factors)
    require(elements <= MAX_ELEMENTS, LIMIT, "factors of too many elements")
    require(work(layers, generator) <= MAX_WORK, LIMIT, "factors of too much work")


def work(layers: Iterable[Layer], generator: int) -> int:
    """Basis integers over all factors (section 10)."""
    every = (factor for layer in layers for factor in factors(layer))
    if generator == IDENTITY:
        return sum(factor.length for factor in every)
    return sum(factor.coefficients.count * factor.length for factor in every)


def check_rules(manifest: Manifest) -> None:
    """Rule 14 of section 11, as far as it needs no expanded layers."""
    require(bool(manifest.groups or manifest.dense), CORRUPT, "nothing in it")
    check_names((manifest.base_name, manifest.base_revision), may_be_empty=True)
    check_metadata(manifest.metadata)
    check_names(group.tensor for group in manifest.groups)
    check_names(tensor.name for tensor in manifest.dense)
    check_ascending([tensor.name for tensor in manifest.dense])
    for group in manifest.groups:
        check_group(group)
    for tensor in manifest.dense:
        require(all(1 <= size <= MAX_INT for size in tensor.shape), CORRUPT, "a dimension")


def check_dense_not_adapted(adapter: Adapter) -> None:
    adapted = {layer.tensor for layer in adapter.layers}
    for tensor in adapter.dense:
        require(tensor.name not in adapted, CORRUPT, "a tensor both dense and adapted")


# --------------------------------------------------------------------------------------------
# Reading a file (section 11)
# --------------------------------------------------------------------------------------------


def read_header(data: bytes) -> tuple[int, int, int, int]:
    """Rules 1 to 8: minor version, and the lengths of the three parts."""
    require(len(data) >= HEADER.size + 4, CORRUPT, "fewer than 36 bytes")
    magic, major, minor, features, *lengths = HEADER.unpack_from(data)
    require(magic == MAGIC, CORRUPT, "magic")
    require(major >= 1, TOO_OLD, f"format version {major}.{minor}")
    require(major == 1, TOO_NEW, f"format version {major}.{minor}")
    require(features & CANDIDATE_BIT == 0, TOO_OLD, "a release candidate of 1.0")
    require(features == 0, TOO_NEW, f"required features {features:08x}")
    limits = MAX_MANIFEST, MAX_CODES, MAX_DENSE
    within = all(length <= limit for length, limit in zip(lengths, limits))
    require(within, LIMIT, "a part is too long")
    require(HEADER.size + sum(lengths) + 4 == len(data), CORRUPT, "length of the file")
    require(crc32c(data[:-4]) == int.from_bytes(data[-4:], "little"), CORRUPT, "checksum")
    return minor, lengths[0], lengths[1], lengths[2]


def read(data: bytes) -> Adapter:
    """Read a file, or raise NolaError by the first rule of section 11 that it breaks."""
    minor, manifest_length, codes_length, _ = read_header(data)
    codes_at = HEADER.size + manifest_length
    dense_at = codes_at + codes_length
    manifest_bytes = data[HEADER.size:codes_at]
    manifest = decode_manifest(manifest_bytes)
    check_declared_limits(manifest)
    known = manifest.generator in MAX_BASIS
    require(known, GENERATOR, f"generator {manifest.generator}")
    codes = read_codes(manifest.groups, data[codes_at:dense_at])
    dense = read_dense(manifest.dense, data[dense_at:-4], dense_at)
    check_rules(manifest)
    adapter = Adapter(
        seed=manifest.seed,
        generator=manifest.generator,
        digest=manifest.digest,
        layers=expand_layers(manifest.groups, codes),
        dense=dense,
        base_name=manifest.base_name,
        base_revision=manifest.base_revision,
        base_identity=manifest.base_identity,
        metadata=manifest.metadata,
        minor=minor,
    )
    check_overlaps(adapter.layers)
    check_dense_not_adapted(adapter)
    check_nothing_drawn(adapter)
    check_factors(adapter.layers, adapter.generator)
    check_factor_limits(adapter.layers, adapter.generator)
    canonical = encode_manifest(in_canonical_order(adapter))
    require(canonical == manifest_bytes, CORRUPT, "the manifest is not canonical")
    return adapter


# --------------------------------------------------------------------------------------------
# Generators (section 6)
# --------------------------------------------------------------------------------------------

Words = NDArray[np.uint64]


def counter(values: int | NDArray[np.int64]) -> Words:
    return np.atleast_1d(np.asarray(values, dtype=np.uint64))


def philox(seed: int, c0: Words, c1: Words, c2: Words, c3: Words) -> NDArray[np.uint32]:
    """Philox4x32-10; the last axis of the result holds x0..x3 (section 6)."""
    low = np.uint64(MASK32)
    high = np.uint64(32)
    k0, k1 = seed & MASK32, seed >> 32
    for _ in range(10):
        p = np.uint64(0xD2511F53) * c0
        q = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (q >> high) ^ c1 ^ np.uint64(k0), q & low, (p >> high) ^ c3 ^ np.uint64(k1), p & low
        )
        k0 = (k0 + 0x9E3779B9) & MASK32
        k1 = (k1 + 0xBB67AE85) & MASK32
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1).astype("<u4")


ELEMENTS_A_BLOCK = {UNIFORM24: 4, UNIFORM8: 16, RADEMACHER: 128}
CHUNK = 1 << 20


def sign_bits(words: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The bits of blocks, least significant bit of the lowest byte first (section 6)."""
    return np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")


def basis_rows(
    generator: int, words: NDArray[np.uint32], length: int
) -> NDArray[np.int64]:
    """Basis integers from blocks of shape (rows, blocks, 4), for ids 1 to 3 (section 6)."""
    flat = np.ascontiguousarray(words).reshape(words.shape[0], -1)
    if generator == UNIFORM24:
        return 2 * (flat >> 8).astype(np.int64)[:, :length] - ((1 << 24) - 1)
    if generator == UNIFORM8:
        return 2 * flat.view(np.uint8).astype(np.int64)[:, :length] - 255
    return 1 - 2 * sign_bits(flat).astype(np.int64)[:, :length]


def sum_basis(
    generator: int, seed: int, stream: int, factor: Factor
) -> NDArray[np.int64]:
    """The exact integer sums over a basis of ids 1 to 3 (sections 6 and 7.1)."""
    values = factor.coefficients.values()
    total = np.zeros(factor.length, dtype=np.int64)
    per_block = ELEMENTS_A_BLOCK[generator]
    blocks = counter(np.arange(-(-factor.length // per_block)))
    step = max(1, CHUNK // factor.length)
    for start in range(0, len(values), step):
        chunk = values[start:start + step]
        indices = counter(np.arange(start, start + len(chunk)))[:, None]
        third, fourth = counter(stream), counter(factor.side + 2 * generator)
        words = philox(seed, blocks, indices, third, fourth)
        total += chunk @ basis_rows(generator, words, factor.length)
    return total


def srht_signs(seed: int, stream: int, side: int, length: int) -> NDArray[np.int64]:
    """D of generator 4 (section 6)."""
    blocks = counter(np.arange(-(-length // 128)))
    words = philox(seed, blocks, counter(0), counter(stream), counter(side + 8))
    return 1 - 2 * sign_bits(words.reshape(-1))[:length].astype(np.int64)


def srht_positions(
    seed: int, stream: int, side: int, p: int, count: int
) -> NDArray[np.int64]:
    """π(0), π(1), … of generator 4 (section 6)."""
    blocks = counter(np.arange(2))
    words = philox(seed, blocks, counter(1), counter(stream), counter(side + 8)).reshape(-1)
    w = words.astype(np.uint64)
    mask = np.uint64((1 << p) - 1)
    h = np.uint64((p + 1) // 2)
    x = counter(np.arange(count))
    for t in range(4):
        x = (x * (w[2 * t] | np.uint64(1)) + w[2 * t + 1]) & mask
        x = x ^ (x >> h)
    return x.astype(np.int64)


def walsh_hadamard(vector: NDArray[np.int64]) -> NDArray[np.int64]:
    """The transform in natural order, without normalization (section 6)."""
    half = 1
    while half < len(vector):
        pairs = vector.reshape(-1, 2, half)
        first, second = pairs[:, 0, :], pairs[:, 1, :]
        vector = np.stack((first + second, first - second), axis=1).reshape(-1)
        half *= 2
    return vector


def sum_srht(seed: int, stream: int, factor: Factor) -> NDArray[np.int64]:
    """The exact integer sums over the basis of generator 4 (section 6)."""
    values = factor.coefficients.values()
    p = factor.length.bit_length() - 1
    vector = np.zeros(1 << p, dtype=np.int64)
    vector[srht_positions(seed, stream, factor.side, p, len(values))] = values
    transformed = np.resize(walsh_hadamard(vector), factor.length)
    return srht_signs(seed, stream, factor.side, factor.length) * transformed


def exact_sums(adapter: Adapter, layer: Layer, factor: Factor) -> NDArray[np.int64]:
    """acc of section 7.1."""
    if adapter.generator == IDENTITY:
        return factor.coefficients.values()
    if adapter.generator == SRHT:
        return sum_srht(adapter.seed, layer.stream, factor)
    return sum_basis(adapter.generator, adapter.seed, layer.stream, factor)


# --------------------------------------------------------------------------------------------
# Reconstruction (section 7)
# --------------------------------------------------------------------------------------------

DEFAULT_BUDGET = 1 << 36


@dataclass(frozen=True)
class Reconstruction:
    """The factors of one layer, flattened row-major; B is None in the direct form."""

    layer: Layer
    a: NDArray[np.float32]
    b: NDArray[np.float32] | None

    def delta(self) -> NDArray[np.float64]:
        """ΔW, R×C (section 7.2)."""
        rows, cols, rank = self.layer.rows, self.layer.cols, self.layer.rank
        if self.b is None:
            return self.a.astype(np.float64).reshape(rows, cols)
        a = self.a.astype(np.float64).reshape(rows, rank)
        b = self.b.astype(np.float64).reshape(rank, cols)
        result = np.zeros((rows, cols), dtype=np.float64)
        for t in range(rank):
            result += a[:, t, None] * b[None, t, :]
        return result


def reconstruct_layer(adapter: Adapter, layer: Layer) -> Reconstruction:
    """Factors A and B of one layer (section 7.1)."""
    parts = factors(layer)
    products = exact_sums(adapter, layer, parts[0]).astype(np.float64) * layer.scale
    a = (products + 0.0).astype("<f4")  # adding +0 turns -0 into +0
    if layer.direct:
        return Reconstruction(layer, a, None)
    return Reconstruction(layer, a, exact_sums(adapter, layer, parts[1]).astype("<f4"))


def reconstruct(
    adapter: Adapter, budget: int = DEFAULT_BUDGET, verify: bool = True
) -> list[Reconstruction]:
    """All factors; refuses a file over budget or with a different digest (sections 8 and 10)."""
    steps = work(adapter.layers, adapter.generator)
    if steps > budget:
        raise BudgetError(f"{steps} steps exceed the budget of {budget}")
    result = [reconstruct_layer(adapter, layer) for layer in adapter.layers]
    if verify:
        require(root_digest(adapter, result) == adapter.digest, DIGEST, "reconstruction digest")
    return result


# --------------------------------------------------------------------------------------------
# Digests (sections 8 and 9)
# --------------------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def digest_string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def digest_shape(shape: Sequence[int]) -> bytes:
    return struct.pack(f"<I{len(shape)}Q", len(shape), *shape)


def layer_leaf(result: Reconstruction) -> bytes:
    """leaf(layer) of section 8."""
    layer = result.layer
    part = layer.slice
    head = struct.pack("<BQQQ", layer.direct, layer.rows, layer.cols, layer.rank)
    sliced = b"\0" if part is None else struct.pack("<BIQQ", 1, part.dim, part.start, part.length)
    values = result.a.tobytes() + (b"" if result.b is None else result.b.tobytes())
    return sha256(b"nola-layer" + digest_string(layer.tensor) + head + sliced + values)


def dense_leaf(tensor: DenseTensor) -> bytes:
    """leaf(dense) of section 8."""
    kind = bytes([tensor.dtype])
    name, shape = digest_string(tensor.name), digest_shape(tensor.shape)
    return sha256(b"nola-dense" + name + kind + shape + tensor.data)


def root_digest(adapter: Adapter, results: Sequence[Reconstruction]) -> bytes:
    """The root of section 8."""
    content = b"nola-adapter" + struct.pack("<I", len(results))
    content += b"".join(layer_leaf(result) for result in results)
    content += struct.pack("<I", len(adapter.dense))
    return sha256(content + b"".join(dense_leaf(tensor) for tensor in adapter.dense))


def base_leaf(tensor: DenseTensor) -> bytes:
    """leaf(tensor) of section 9."""
    head = digest_string(tensor.name) + bytes([tensor.dtype]) + digest_shape(tensor.shape)
    return sha256(b"nola-tensor" + head + sha256(tensor.data))


def base_identity(tensors: Iterable[DenseTensor]) -> bytes:
    """The identity of the base model's adapted tensors, given in any order (section 9)."""
    ordered = sorted(tensors, key=lambda tensor: tensor.name.encode())
    count = struct.pack("<I", len(ordered))
    return sha256(b"nola-base" + count + b"".join(base_leaf(tensor) for tensor in ordered))


# --------------------------------------------------------------------------------------------
# Merging (section 7.3)
# --------------------------------------------------------------------------------------------


def decode_weights(data: bytes, dtype: int) -> NDArray[np.float32]:
    """Weights as f32, which is exact for every type."""
    if dtype == F32:
        return np.frombuffer(data, "<f4")
    if dtype == F16:
        return np.frombuffer(data, "<f2").astype(np.float32)
    return (np.frombuffer(data, "<u2").astype("<u4") << np.uint32(16)).view("<f4")


def encode_weights(values: NDArray[np.float32], dtype: int) -> bytes:
    """f32 values, none of them NaN, rounded to a type: to nearest, ties to even."""
    if dtype == F32:
        return values.astype("<f4").tobytes()
    if dtype == F16:
        return values.astype("<f2").tobytes()
    bits = values.astype("<f4").view("<u4").astype(np.uint64)
    rounded = (bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1)))
    return (rounded >> np.uint64(16)).astype("<u2").tobytes()


def merge(
    tensor: str,
    weights: bytes,
    dtype: int,
    deltas: Sequence[tuple[float, NDArray[np.float64]]],
) -> bytes:
    """Add weighted, flattened deltas to the bytes of weights (section 7.3)."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        before = decode_weights(weights, dtype)
        finite = np.isfinite(before)
        total = before.astype(np.float64)
        for factor, delta in deltas:
            total = total + np.float64(factor) * delta
        single = total.astype("<f4")
        single[~finite] = 0
        nan = np.isnan(single)
        merged = encode_weights(np.where(nan, np.float32(np.inf), single), dtype)
    lost = finite & ~np.isfinite(decode_weights(merged, dtype))
    if lost.any():
        raise MergeError(tensor, int(np.argmax(lost)))
    kind = f"<u{DTYPE_SIZE[dtype]}"
    kept = np.where(finite, np.frombuffer(merged, kind), np.frombuffer(weights, kind))
    return kept.astype(kind).tobytes()

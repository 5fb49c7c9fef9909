"""Decodes a manifest into what it declares, and encodes the canonical one (SPEC.md section 4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from nola_adapters._flatbuffer import Buffer, Builder, Field, Offset, Table, Value, scalar
from nola_adapters._order import group, split_name, stream_step
from nola_adapters.errors import CorruptError
from nola_adapters.model import Adapter, AdapterFile, Base, DType, Layer, Metadata, Slice

_MASK32 = (1 << 32) - 1


@dataclass(frozen=True)
class Group:
    """A LayerGroup whose absent fields are filled in; None where the direct form lacks them."""

    tensor: str
    rows: int
    cols: int
    rank: int | None
    k: int
    l: int  # noqa: E741 (the specification's name)
    count: int
    stream: int
    stream_step: int
    shape: tuple[int, ...] | None
    slice: Slice | None
    a_bits: int
    b_bits: int

    def sides(self) -> list[tuple[int, int]]:
        """Return number of coefficients and width of each side that has codes."""
        a = (self.k, self.a_bits)
        return [a] if self.rank is None else [a, (self.l, self.b_bits)]

    def stored_shape(self) -> tuple[int, ...]:
        """Return the tensor's shape."""
        return (self.rows, self.cols) if self.shape is None else self.shape

    def names_and_streams(self) -> list[tuple[str, int]]:
        """Return tensor name and stream number of each layer."""
        if self.count == 1:
            return [(self.tensor, self.stream)]
        name = split_name(self.tensor)
        return [
            (name.with_index(name.index + i), (self.stream + i * self.stream_step) & _MASK32)
            for i in range(self.count)
        ]


@dataclass(frozen=True)
class DeclaredDense:
    """A dense tensor as the manifest declares it; `dtype` is any number."""

    name: str
    shape: tuple[int, ...]
    dtype: int


@dataclass(frozen=True)
class Manifest:
    """A decoded manifest, before it is joined with codes and dense data."""

    seed: int
    groups: list[Group]
    dense: list[DeclaredDense]
    base: Base
    metadata: Metadata
    generator: int
    digest: bytes


def decode(data: bytes) -> Manifest:
    """Decode all of a manifest: rule 9 of section 11.

    Raises CorruptError if that is impossible.
    """
    root = Buffer(data).root()
    digest = root.bytes(7, 32)
    generator = root.unsigned(6, 1)
    if digest is None or generator is None:
        raise CorruptError("manifest broken: generator or digest missing")
    groups: list[Group] = []
    position = 0
    for table in root.tables(1):
        groups.append(_group(table, position))
        position += groups[-1].count
    return Manifest(
        seed=root.unsigned(0, 8) or 0,
        groups=groups,
        dense=[
            DeclaredDense(_name(table, 0), table.u32s(1) or (), table.unsigned(2, 1) or 0)
            for table in root.tables(2)
        ],
        base=Base(root.string(3) or "", root.string(4) or "", root.bytes(8, 32)),
        metadata=_metadata(root.table(5)),
        generator=generator,
        digest=digest,
    )


def _name(table: Table, number: int) -> str:
    name = table.string(number)
    if name is None:
        raise CorruptError(f"manifest broken: field {number} missing")
    return name


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _group(table: Table, position: int) -> Group:
    rows, k = table.unsigned(1, 4), table.unsigned(3, 4)
    if rows is None or k is None:
        raise CorruptError("manifest broken: rows or k of a group missing")
    part = table.bytes(10, 12)
    a_bits = _or(table.unsigned(11, 1), 4)
    return Group(
        tensor=_name(table, 0),
        rows=rows,
        cols=_or(table.unsigned(5, 4), rows),
        rank=table.unsigned(2, 4),
        k=k,
        l=_or(table.unsigned(6, 4), k),
        count=_or(table.unsigned(4, 4), 1),
        stream=_or(table.unsigned(7, 4), position & _MASK32),
        stream_step=_or(table.unsigned(8, 4), 1),
        shape=table.u32s(9),
        slice=None if part is None else Slice(*struct.unpack("<III", part)),
        a_bits=a_bits,
        b_bits=_or(table.unsigned(12, 1), a_bits),
    )


def _metadata(table: Table | None) -> Metadata:
    if table is None:
        return Metadata()
    return Metadata(
        description=table.string(0) or "",
        task=table.string(1) or "",
        license=table.string(2) or "",
        tags=tuple(_name(tag, 0) for tag in table.tables(3)),
        metrics=tuple((_name(metric, 1), metric.f64(0, default=0.0)) for metric in table.tables(4)),
        provenance=tuple((_name(entry, 0), entry.string(1) or "") for entry in table.tables(5)),
    )


def encode(file: AdapterFile) -> bytes:
    """Encode the one manifest of an adapter that is in file order."""
    adapter = file.adapter
    builder = Builder()
    layers = _layers(builder, adapter)
    dense = _dense(builder, adapter)
    base_name = _text(builder, adapter.base.name)
    base_revision = _text(builder, adapter.base.revision)
    metadata = _encode_metadata(builder, adapter.metadata)
    identity = adapter.base.identity
    root = builder.table(
        {
            0: scalar("Q", adapter.seed) if adapter.seed else None,
            1: layers,
            2: dense,
            3: base_name,
            4: base_revision,
            5: metadata,
            6: scalar("B", adapter.generator),
            7: Value(file.digest, 1, 0),
            8: None if identity is None else Value(identity, 1, 0),
        }
    )
    return builder.finish(root)


def _unless(layout: str, value: int, default: int) -> Value | None:
    return None if value == default else scalar(layout, value)


def _text(builder: Builder, text: str) -> Offset | None:
    return builder.string(text) if text else None


def _vector(builder: Builder, tables: Sequence[Offset]) -> Offset | None:
    return builder.offsets(tables) if tables else None


def _layers(builder: Builder, adapter: Adapter) -> Offset | None:
    tables = []
    position = 0
    for layers in group(adapter.layers):
        tables.append(_encode_group(builder, layers, position))
        position += len(layers)
    return _vector(builder, tables)


def _encode_group(builder: Builder, layers: Sequence[Layer], position: int) -> Offset:
    first = layers[0]
    part, b = first.slice, first.b
    tensor = builder.string(first.tensor)
    plain = first.shape == (first.rows, first.cols)
    shape = None if plain else builder.u32s(first.shape)
    packed = None if part is None else struct.pack("<III", part.dim, part.start, part.length)
    return builder.table(
        {
            0: tensor,
            1: scalar("I", first.rows),
            2: None if b is None else scalar("I", first.rank),
            3: scalar("I", first.a.count),
            4: _unless("I", len(layers), 1),
            5: _unless("I", first.cols, first.rows),
            6: None if b is None else _unless("I", b.count, first.a.count),
            7: _unless("I", first.stream, position),
            8: _unless("I", stream_step(*layers[:2]), 1) if len(layers) > 1 else None,
            9: shape,
            10: None if packed is None else Value(packed, 4, 12),
            11: _unless("B", first.a.bits, 4),
            12: None if b is None else _unless("B", b.bits, first.a.bits),
        }
    )


def _dense(builder: Builder, adapter: Adapter) -> Offset | None:
    tables = []
    for tensor in adapter.dense:
        name = builder.string(tensor.name)
        shape = builder.u32s(tensor.shape) if tensor.shape else None
        dtype = _unless("B", tensor.dtype, DType.F32)
        tables.append(builder.table({0: name, 1: shape, 2: dtype}))
    return _vector(builder, tables)


def _encode_metadata(builder: Builder, metadata: Metadata) -> Offset | None:
    if metadata == Metadata():
        return None
    texts = (metadata.description, metadata.task, metadata.license)
    fields: dict[int, Field | None] = {i: _text(builder, text) for i, text in enumerate(texts)}
    fields[3] = _vector(builder, [builder.table({0: builder.string(t)}) for t in metadata.tags])
    metrics = []
    for name, value in metadata.metrics:
        name_field = builder.string(name)
        metrics.append(builder.table({0: scalar("d", value) if value else None, 1: name_field}))
    fields[4] = _vector(builder, metrics)
    entries = []
    for key, text in metadata.provenance:
        key_field = builder.string(key)
        entries.append(builder.table({0: key_field, 1: _text(builder, text)}))
    fields[5] = _vector(builder, entries)
    return builder.table(fields)

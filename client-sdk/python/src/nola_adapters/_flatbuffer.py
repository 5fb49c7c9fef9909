"""Reads and writes FlatBuffers as SPEC.md section 4.4 defines them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from nola_adapters.errors import CorruptError


class Buffer:
    """The bytes of a manifest. Every access is checked; objects are charged against its length."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = len(data)

    def root(self) -> Table:
        """Return the root table."""
        return self.table(self.u32(0))

    def u16(self, position: int) -> int:
        """Read a u16."""
        return int.from_bytes(self.take(position, 2), "little")

    def u32(self, position: int) -> int:
        """Read a u32."""
        return int.from_bytes(self.take(position, 4), "little")

    def take(self, position: int, size: int) -> bytes:
        """Return `size` bytes. Raises CorruptError if they are not all inside."""
        if not 0 <= position <= len(self._data) - size:
            raise CorruptError(
                f"manifest broken: {size} bytes at {position}; it has {len(self._data)} bytes"
            )
        return self._data[position : position + size]

    def _charge(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise CorruptError("manifest broken: its objects overlap")

    def string(self, position: int) -> str:
        """Read a string and the byte after it."""
        size = self.u32(position)
        data = self.take(position + 4, size + 1)
        self._charge(4 + size + 1)
        try:
            return data[:-1].decode("utf-8")
        except UnicodeDecodeError:
            raise CorruptError(f"manifest broken: text at {position} is not UTF-8") from None

    def vector(self, position: int) -> tuple[int, bytes]:
        """Read a vector of elements of four bytes: their number and their bytes."""
        count = self.u32(position)
        self._charge(4 + 4 * count)
        return count, self.take(position + 4, 4 * count)

    def table(self, position: int) -> Table:
        """Open a table."""
        self._charge(4)
        return Table(self, position)


class Table:
    """A table; a field that is absent reads as None."""

    def __init__(self, buffer: Buffer, position: int) -> None:
        self._buffer = buffer
        self._position = position
        vtable = position - int.from_bytes(buffer.take(position, 4), "little", signed=True)
        size = buffer.u16(vtable)
        if size < 4:
            raise CorruptError(f"manifest broken: a vtable of {size} bytes; must have 4 at least")
        self._vtable = buffer.take(vtable, size)

    def _field(self, number: int) -> int | None:
        entry = 4 + 2 * number
        relative = int.from_bytes(self._vtable[entry : entry + 2], "little")
        complete = entry + 2 <= len(self._vtable)
        return self._position + relative if complete and relative else None

    def _target(self, number: int) -> int | None:
        position = self._field(number)
        return None if position is None else position + self._buffer.u32(position)

    def unsigned(self, number: int, size: int) -> int | None:
        """Read an unsigned integer of `size` bytes."""
        position = self._field(number)
        return (
            None
            if position is None
            else int.from_bytes(self._buffer.take(position, size), "little")
        )

    def f64(self, number: int, default: float) -> float:
        """Read an f64."""
        position = self._field(number)
        if position is None:
            return default
        value: float = struct.unpack("<d", self._buffer.take(position, 8))[0]
        return value

    def bytes(self, number: int, size: int) -> bytes | None:
        """Read a struct of `size` bytes."""
        position = self._field(number)
        return None if position is None else self._buffer.take(position, size)

    def string(self, number: int) -> str | None:
        """Read a string."""
        target = self._target(number)
        return None if target is None else self._buffer.string(target)

    def u32s(self, number: int) -> tuple[int, ...] | None:
        """Read a vector of u32."""
        target = self._target(number)
        if target is None:
            return None
        count, data = self._buffer.vector(target)
        return struct.unpack(f"<{count}I", data)

    def table(self, number: int) -> Table | None:
        """Open a table."""
        target = self._target(number)
        return None if target is None else self._buffer.table(target)

    def tables(self, number: int) -> list[Table]:
        """Open the tables of a vector; an absent one has none."""
        target = self._target(number)
        if target is None:
            return []
        count, data = self._buffer.vector(target)
        offsets = struct.unpack(f"<{count}I", data)
        return [self._buffer.table(target + 4 + 4 * i + offsets[i]) for i in range(count)]


@dataclass(frozen=True)
class Value:
    """A field stored in place: its bytes, and the arguments of Align before them."""

    data: bytes
    align: int
    size: int


@dataclass(frozen=True)
class Offset:
    """A field that is an offset: the position of its target."""

    target: int


Field = Value | Offset


def scalar(layout: str, value: int | float) -> Value:
    """Return a scalar field, whose type is a format character of `struct`."""
    data = struct.pack("<" + layout, value)
    return Value(data, len(data), len(data))


class Builder:
    """Write a FlatBuffer from back to front; the bytes are kept last one first."""

    def __init__(self) -> None:
        self._reversed = bytearray()
        self._largest_align = 1
        self._vtables: dict[bytes, int] = {}

    def _put(self, data: bytes) -> None:
        self._reversed += data[::-1]

    def _align(self, a: int, n: int) -> None:
        self._largest_align = max(self._largest_align, a)
        self._put(bytes(-(len(self._reversed) + n) % a))

    def _put_offset(self, target: int) -> None:
        self._put(struct.pack("<I", len(self._reversed) + 4 - target))

    def _length(self, count: int) -> Offset:
        self._align(4, 4)
        self._put(struct.pack("<I", count))
        return Offset(len(self._reversed))

    def string(self, text: str) -> Offset:
        """Put a string."""
        data = text.encode()
        self._align(4, len(data) + 1)
        self._put(data + b"\0")
        return self._length(len(data))

    def u32s(self, values: Sequence[int]) -> Offset:
        """Put a vector of u32."""
        self._align(4, 4 * len(values))
        self._put(struct.pack(f"<{len(values)}I", *values))
        return self._length(len(values))

    def offsets(self, targets: Sequence[Offset]) -> Offset:
        """Put a vector of offsets."""
        self._align(4, 4 * len(targets))
        for offset in reversed(targets):
            self._put_offset(offset.target)
        return self._length(len(targets))

    def table(self, fields: dict[int, Field | None]) -> Offset:
        """Put a table and its vtable; a field that is None is absent."""
        start = len(self._reversed)
        positions: dict[int, int] = {}
        for number in sorted((n for n, field in fields.items() if field is not None), reverse=True):
            self._put_field(fields[number])
            positions[number] = len(self._reversed)
        self._align(4, 4)
        self._put(bytes(4))
        table = len(self._reversed)
        vtable = self._vtable(table, table - start, positions)
        self._reversed[table - 4 : table] = struct.pack("<i", vtable - table)[::-1]
        return Offset(table)

    def _put_field(self, field: Field | None) -> None:
        if isinstance(field, Offset):
            self._align(4, 4)
            self._put_offset(field.target)
        elif field is not None:
            self._align(field.align, field.size)
            self._put(field.data)

    def _vtable(self, table: int, size: int, positions: dict[int, int]) -> int:
        """Return the position of the vtable, put now unless the same bytes were put before."""
        count = max(positions) + 1
        entries = [table - positions[i] if i in positions else 0 for i in range(count)]
        data = struct.pack(f"<{2 + count}H", 4 + 2 * count, size, *entries)
        if data not in self._vtables:
            self._put(data)
            self._vtables[data] = len(self._reversed)
        return self._vtables[data]

    def finish(self, root: Offset) -> bytes:
        """Return the whole buffer."""
        self._align(self._largest_align, 4)
        self._put_offset(root.target)
        return bytes(self._reversed[::-1])

"""Names, file order and groups of layers (SPEC.md section 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nola_adapters.model import Adapter, Layer, Metadata

_INDEX = re.compile(rb"0|[1-9][0-9]{0,8}")
_MASK32 = (1 << 32) - 1


@dataclass(frozen=True)
class IndexedName:
    """A tensor's name, split at its index; −1 if it has none."""

    prefix: bytes
    index: int
    suffix: bytes

    def with_index(self, index: int) -> str:
        """Return the name with another index."""
        return (self.prefix + str(index).encode() + self.suffix).decode()


def split_name(name: str) -> IndexedName:
    """Split a name at its first component that is a decimal number."""
    raw = name.encode()
    start = 0
    for component in raw.split(b"."):
        end = start + len(component)
        if _INDEX.fullmatch(component):
            return IndexedName(raw[:start], int(component), raw[end:])
        start = end + 1
    return IndexedName(raw, -1, b"")


def in_file_order(adapter: Adapter) -> Adapter:
    """Return the same content in the order of a file."""
    metadata = adapter.metadata
    return replace(
        adapter,
        layers=tuple(sorted(adapter.layers, key=_layer_key)),
        dense=tuple(sorted(adapter.dense, key=lambda tensor: tensor.name.encode())),
        metadata=Metadata(
            metadata.description,
            metadata.task,
            metadata.license,
            tuple(sorted(metadata.tags, key=str.encode)),
            tuple(sorted(metadata.metrics, key=lambda metric: metric[0].encode())),
            tuple(sorted(metadata.provenance, key=lambda entry: entry[0].encode())),
        ),
    )


def _layer_key(layer: Layer) -> tuple[bytes, bytes, tuple[int, ...], int]:
    name = split_name(layer.tensor)
    part = layer.slice
    part_key = (0,) if part is None else (1, part.dim, part.start, part.length)
    return name.prefix, name.suffix, part_key, name.index


def group(layers: Iterable[Layer]) -> list[list[Layer]]:
    """Cut layers in file order into groups."""
    groups: list[list[Layer]] = []
    previous: tuple[IndexedName, tuple[object, ...]] | None = None
    for layer in layers:
        here = split_name(layer.tensor), _form(layer)
        if previous is not None and _follows(*previous, *here) and _steps(groups[-1], layer):
            groups[-1].append(layer)
        else:
            groups.append([layer])
        previous = here
    return groups


def stream_step(first: Layer, second: Layer) -> int:
    """Return the difference of two stream numbers modulo 2³²."""
    return (second.stream - first.stream) & _MASK32


def _form(layer: Layer) -> tuple[object, ...]:
    sides = tuple((codes.count, codes.bits) for _, _, codes in layer.sides())
    return layer.rows, layer.cols, layer.shape, layer.slice, layer.rank, sides


def _follows(
    before: IndexedName, form: tuple[object, ...], here: IndexedName, here_form: tuple[object, ...]
) -> bool:
    return (
        (before.prefix, before.suffix) == (here.prefix, here.suffix)
        and before.index >= 0
        and here.index == before.index + 1
        and form == here_form
    )


def _steps(layers: Sequence[Layer], layer: Layer) -> bool:
    return len(layers) == 1 or stream_step(layers[-1], layer) == stream_step(*layers[:2])

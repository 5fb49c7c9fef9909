"""The rules of SPEC.md section 11 about what a manifest declares and a file contains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from nola_adapters._manifest import Group, Manifest
from nola_adapters._order import split_name
from nola_adapters.errors import CorruptError, LimitExceededError
from nola_adapters.model import Adapter, Generator, Layer, Metadata

MAX_ITEMS = 65_536
MAX_METADATA_ITEMS = 4_096
MAX_DIMENSIONS = 8
MAX_NAME = 256
MAX_TEXT = 65_536
MAX_INT = (1 << 31) - 1
MAX_INDEX = 999_999_999
MAX_ELEMENTS = 1 << 38
MAX_WORK = 1 << 53
MAX_SUM = (1 << 53) - 1


def require_declared_limits(manifest: Manifest) -> None:
    """Rule 10: raises LimitExceededError if the manifest declares too much."""
    layers = sum(group.count for group in manifest.groups)
    metadata = manifest.metadata
    _limit("groups", len(manifest.groups), MAX_ITEMS)
    _limit("layers", layers, MAX_ITEMS)
    _limit("dense tensors", len(manifest.dense), MAX_ITEMS)
    _limit("tags", len(metadata.tags), MAX_METADATA_ITEMS)
    _limit("metrics", len(metadata.metrics), MAX_METADATA_ITEMS)
    _limit("provenance entries", len(metadata.provenance), MAX_METADATA_ITEMS)
    names = [_longest_name(group) for group in manifest.groups]
    names += [tensor.name for tensor in manifest.dense]
    names += [manifest.base.name, manifest.base.revision, *_metadata_names(metadata)]
    for name in names:
        _limit("bytes of a name", len(name.encode()), MAX_NAME)
    texts = [metadata.description, metadata.task, metadata.license]
    for text in texts + [value for _, value in metadata.provenance]:
        _limit("bytes of a text", len(text.encode()), MAX_TEXT)
    for group in manifest.groups:
        _limit("dimensions", len(group.stored_shape()), MAX_DIMENSIONS)
        _limit("elements of a tensor", math.prod(group.stored_shape()), (1 << 63) - 1)
    for tensor in manifest.dense:
        _limit("dimensions", len(tensor.shape), MAX_DIMENSIONS)
        _limit("elements of a dense tensor", math.prod(tensor.shape), (1 << 61) - 1)


def _limit(what: str, value: int, limit: int) -> None:
    if value > limit:
        raise LimitExceededError(f"too many {what}: {value}; limit is {limit}")


def _longest_name(group: Group) -> str:
    name = split_name(group.tensor)
    counted = name.index >= 0 and group.count > 1
    return name.with_index(name.index + group.count - 1) if counted else group.tensor


def _metadata_names(metadata: Metadata) -> list[str]:
    return [*metadata.tags, *(name for name, _ in (*metadata.metrics, *metadata.provenance))]


def require_codes_declared(groups: Iterable[Group]) -> None:
    """Raise CorruptError if a group is empty or its codes have an illegal width or number."""
    for group in groups:
        _range("layers of a group", group.count, 1, MAX_ITEMS)
        for count, bits in group.sides():
            _range("bits of a code", bits, 1, 16)
            _range("coefficients", count, 1, MAX_INT)


def _range(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise CorruptError(f"invalid number of {what}: {value}; must be {low} to {high}")


def require_legal_manifest(manifest: Manifest) -> None:
    """Rule 14, as far as it needs no expanded layers; raises CorruptError."""
    if not (manifest.groups or manifest.dense):
        raise CorruptError("empty adapter; must have at least one layer or dense tensor")
    metadata = manifest.metadata
    for name in (manifest.base.name, manifest.base.revision):
        _require_printable(name)
    names = [group.tensor for group in manifest.groups]
    names += [tensor.name for tensor in manifest.dense]
    for name in names + _metadata_names(metadata):
        if not name:
            raise CorruptError("empty name; names of tensors and metadata are not empty")
        _require_printable(name)
    _require_ascending([tensor.name for tensor in manifest.dense])
    _require_ascending(metadata.tags)
    _require_ascending([name for name, _ in metadata.metrics])
    _require_ascending([key for key, _ in metadata.provenance])
    for name, value in metadata.metrics:
        if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
            raise CorruptError(f"invalid metric {name}: {value}; must be finite and not -0")
    for group in manifest.groups:
        _require_legal_group(group)
    for tensor in manifest.dense:
        for size in tensor.shape:
            _range(f"elements in a dimension of {tensor.name}", size, 1, MAX_INT)


def _require_printable(name: str) -> None:
    if any(ord(character) < 0x20 or character == "\x7f" for character in name):
        raise CorruptError(f"invalid name: {name!r}; control characters are not allowed")


def _require_ascending(names: Sequence[str]) -> None:
    raw = [name.encode() for name in names]
    for before, here in pairwise(raw):
        if before >= here:
            raise CorruptError(f"{here!r} after {before!r}; names must be ascending and distinct")


def _require_legal_group(group: Group) -> None:
    name, shape = group.tensor, list(group.stored_shape())
    for what, value in (("rows", group.rows), ("columns", group.cols)):
        _range(f"{what} of {name}", value, 1, MAX_INT)
    for size in shape:
        _range(f"elements in a dimension of {name}", size, 1, MAX_INT)
    if group.rank is not None:
        _range(f"ranks of {name}", group.rank, 1, MAX_INT)
    _range(f"dimensions of {name}", len(shape), 1, MAX_DIMENSIONS)
    part = group.slice
    if part is not None:
        inside = part.dim < len(shape) and part.start + part.length <= shape[part.dim]
        if not inside or not 1 <= part.length < shape[part.dim]:
            raise CorruptError(f"invalid slice of {name}: {part}; must be a proper part of {shape}")
        shape[part.dim] = part.length
    if group.rows * group.cols != math.prod(shape):
        raise CorruptError(
            f"invalid view of {name}: {group.rows}x{group.cols}; must have the elements of {shape}"
        )
    index = split_name(name).index
    if group.count > 1 and index < 0:
        raise CorruptError(f"group of {group.count} layers named {name}; its name has no index")
    if index + group.count - 1 > MAX_INDEX:
        raise CorruptError(f"last index of {name} too high; limit is {MAX_INDEX}")


def require_legal_layers(adapter: Adapter) -> None:
    """Rule 14 about expanded layers; raises CorruptError."""
    _require_disjoint(adapter.layers)
    adapted = {layer.tensor for layer in adapter.layers}
    for tensor in adapter.dense:
        if tensor.name in adapted:
            raise CorruptError(f"{tensor.name} is a layer and a dense tensor; it can be only one")
    if adapter.generator is Generator.IDENTITY and (
        adapter.seed or any(layer.stream for layer in adapter.layers)
    ):
        raise CorruptError("seed or stream number is not 0; generator identity draws nothing")
    for layer in adapter.layers:
        _require_exact(layer, adapter.generator)


def _require_disjoint(layers: Iterable[Layer]) -> None:
    by_tensor: dict[str, list[Layer]] = {}
    for layer in layers:
        by_tensor.setdefault(layer.tensor, []).append(layer)
    for tensor, same in by_tensor.items():
        if len(same) == 1:
            continue
        slices = sorted(
            (layer.slice for layer in same if layer.slice is not None), key=lambda it: it.start
        )
        disjoint = (
            len(slices) == len(same)
            and len({layer.shape for layer in same}) == 1
            and len({part.dim for part in slices}) == 1
            and all(a.start + a.length <= b.start for a, b in pairwise(slices))
        )
        if not disjoint:
            raise CorruptError(
                f"layers of {tensor} overlap or disagree on its shape; "
                "slices must be disjoint, along one dimension"
            )


def _require_exact(layer: Layer, generator: Generator) -> None:
    for side, length, codes in layer.sides():
        terms = 1 if generator is Generator.IDENTITY else codes.count
        if terms * ((1 << codes.bits) - 1) * generator.max_basis > MAX_SUM:
            raise CorruptError(
                f"sums of side {side} of {layer.tensor} may exceed 2^53; "
                "use fewer or narrower coefficients"
            )
        columns = 1 << (length.bit_length() - 1)
        if generator is Generator.SRHT and codes.count > columns:
            raise CorruptError(
                f"{codes.count} coefficients of side {side} of {layer.tensor}; at most {columns}"
            )
        if generator is Generator.IDENTITY and codes.count != length:
            raise CorruptError(
                f"{codes.count} coefficients of side {side} of {layer.tensor}; must be {length}"
            )


def require_factor_limits(adapter: Adapter) -> None:
    """Rule 15: raises LimitExceededError if factors are too long."""
    elements = work = 0
    for layer in adapter.layers:
        for _, length, codes in layer.sides():
            _limit("elements of a factor", length, adapter.generator.max_length)
            elements += length
            work += length * (1 if adapter.generator is Generator.IDENTITY else codes.count)
    _limit("elements of all factors", elements, MAX_ELEMENTS)
    _limit("basis elements", work, MAX_WORK)

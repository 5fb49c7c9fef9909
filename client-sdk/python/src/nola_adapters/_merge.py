"""Merges adapters into a model (SPEC.md section 7.3)."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nola_adapters._reconstruct import Factors, identity_of_leaves, verified_factors
from nola_adapters._safetensors import INDEX, Tensor, open_model, write_file
from nola_adapters.errors import MergeOverflowError, MergeRefusedError
from nola_adapters.model import AdapterFile, DenseTensor, DType

# Elements merged at once: f64 sums of a whole embedding would need gigabytes.
_BLOCK = 1 << 22
_PREFIXES = (
    "model.language_model.", "language_model.model.", "language_model.", "model.", "transformer.",
    "bert.", "roberta.", "vit.", "base_model.", "_orig_mod.",
)  # fmt: skip
_NOT_COPIED = {
    ".safetensors", ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz",
    ".h5", ".msgpack", ".onnx", ".ot", ".gguf", ".tflite",
}  # fmt: skip


@dataclass(frozen=True)
class Weighted:
    """An adapter and the finite weight with which its ΔW are added."""

    file: AdapterFile
    weight: float = 1.0


Term = tuple[float, Factors]


def merge(
    base: str | os.PathLike[str],
    adapters: Sequence[AdapterFile | Weighted],
    output: str | os.PathLike[str],
    *,
    allow_base_mismatch: bool = False,
) -> None:
    """Write a model with adapters merged in, in the order in which they are given.

    `base` is a safetensors file or a folder of them; `output`, of the same kind, must not exist
    yet and appears when it is complete. Tensors are found by their names, or by names that differ
    in a usual prefix (`model.`). All factors are held in memory.

    Raises MergeRefusedError for what SPEC.md section 7.3 forbids (MergeOverflowError if a
    weight would not stay finite), DigestMismatchError, and OSError. Nothing is written then.
    """
    source, target = Path(base), Path(output)
    if target.exists():
        raise MergeRefusedError(f"{target} exists; choose a new output")
    weighted = [a if isinstance(a, Weighted) else Weighted(a) for a in adapters]
    model = open_model(source)
    plan = _Plan({name: t for tensors in model.values() for name, t in tensors.items()})
    for each in weighted:
        if not allow_base_mismatch:
            plan.require_base(each.file)
        plan.add(each)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4()}.part")
    try:
        if source.is_dir():
            temporary.mkdir()
            _write_folder(source, model, plan, temporary)
        else:
            _write_model_file(next(iter(model.values())), plan, temporary, plan.added)
        os.rename(temporary, target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def find_tensor(tensors: Mapping[str, Tensor], name: str) -> Tensor | None:
    """Return the tensor of a name, with or without a usual prefix; None if absent.

    Raises MergeRefusedError if several could be meant.
    """
    if name in tensors:
        return tensors[name]
    bare = {name, *(name[len(p) :] for p in _PREFIXES if name.startswith(p))}
    candidates = bare | {prefix + rest for rest in bare for prefix in _PREFIXES}
    found = sorted(candidates & tensors.keys())
    if len(found) > 1:
        raise MergeRefusedError(
            f"tensor {name} is ambiguous: the base model has {found[0]} and {found[1]}"
        )
    return tensors[found[0]] if found else None


def model_identity(tensors: Mapping[str, Tensor], adapted: Iterable[str]) -> bytes:
    """Return the base identity of a model's tensors that an adapter adapts (section 9).

    Raises MergeRefusedError if one is absent or of another type than adapters change.
    """
    leaves = {}
    for name in adapted:
        tensor = _adapted(tensors, name)
        leaves[name] = (DType[tensor.dtype], tensor.shape, hashlib.sha256(tensor.data).digest())
    return identity_of_leaves(leaves)


def _adapted(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    tensor = find_tensor(tensors, name)
    if tensor is None or tensor.adaptable is None:
        raise MergeRefusedError(
            f"tensor {name} not found in the base model, or its type is not F32, F16 or BF16"
        )
    return tensor


class _Plan:
    """What happens to each tensor of the base model."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors
        self.terms: dict[str, list[Term]] = {}
        self.replaced: dict[str, DenseTensor] = {}
        self.added: dict[str, DenseTensor] = {}

    def require_base(self, file: AdapterFile) -> None:
        """Compare the base identity that an adapter states with the model's (section 9)."""
        stated = file.adapter.base.identity
        if stated is None:
            return
        names = {layer.tensor for layer in file.adapter.layers}
        actual = model_identity(self._tensors, names)
        if actual != stated:
            raise MergeRefusedError(
                f"base identity differs: {actual.hex()}, expected {stated.hex()}; use the matching "
                "base model, or allow_base_mismatch=True to merge anyway"
            )

    def add(self, weighted: Weighted) -> None:
        """Add an adapter, after those added before."""
        if not math.isfinite(weighted.weight):
            raise MergeRefusedError(f"invalid weight: {weighted.weight}; must be finite")
        for factors in verified_factors(weighted.file, None):
            layer = factors.layer
            tensor = _adapted(self._tensors, layer.tensor)
            if tensor.shape != layer.shape:
                raise MergeRefusedError(
                    f"tensor {tensor.name} has shape {tensor.shape}; the adapter's is {layer.shape}"
                )
            self.terms.setdefault(tensor.name, []).append((weighted.weight, factors))
        for dense in weighted.file.adapter.dense:
            self._add_dense(dense)
        both = self.terms.keys() & self.replaced.keys()
        if both:
            raise MergeRefusedError(f"tensor {min(both)} is adapted and replaced")

    def _add_dense(self, dense: DenseTensor) -> None:
        tensor = find_tensor(self._tensors, dense.name)
        name = dense.name if tensor is None else tensor.name
        if name in self.replaced or name in self.added:
            raise MergeRefusedError(f"two adapters have a dense tensor {name}; merge only one")
        if tensor is None:
            self.added[name] = dense
            return
        if tensor.adaptable is None or tensor.shape != dense.shape:
            raise MergeRefusedError(
                f"tensor {name} is {tensor.dtype} of shape {tensor.shape}; "
                f"the dense tensor has {dense.dtype.name} of {dense.shape}"
            )
        self.replaced[name] = dense

    def data(self, tensor: Tensor) -> Iterator[bytes | memoryview]:
        """Yield the merged bytes of a tensor of the base model."""
        if tensor.name in self.replaced and tensor.adaptable is not None:
            yield converted(self.replaced[tensor.name], tensor.adaptable)
        elif tensor.name in self.terms:
            yield from _merged(tensor, self.terms[tensor.name])
        else:
            yield tensor.data


def _merged(tensor: Tensor, terms: list[Term]) -> Iterator[bytes]:
    """Merge a tensor in blocks of whole positions along its first dimension."""
    dtype = DType[tensor.dtype]
    inner = math.prod(tensor.shape[1:])
    step = max(1, _BLOCK // inner)
    for first in range(0, tensor.shape[0], step):
        last = min(first + step, tensor.shape[0])
        size = inner * dtype.itemsize
        block = tensor.data[first * size : last * size]
        summands: list[tuple[float, NDArray[np.float64], tuple[slice, ...]]] = []
        for weight, factors in terms:
            part = _part(factors, first, last)
            if part is not None:
                summands.append((weight, *part))
        try:
            yield merge_block(block, dtype, (last - first, *tensor.shape[1:]), summands)
        except MergeOverflowError as error:
            raise MergeOverflowError(tensor.name, first * inner + error.element) from None


def _part(
    factors: Factors, first: int, last: int
) -> tuple[NDArray[np.float64], tuple[slice, ...]] | None:
    """Return the ΔW that fall into positions of the first dimension, and where in the block.

    None if none does.
    """
    layer, part = factors.layer, factors.layer.slice
    shape = list(layer.shape)
    where = [slice(0, size) for size in shape]
    offset = 0
    if part is not None:
        shape[part.dim] = part.length
        where[part.dim] = slice(part.start, part.start + part.length)
        offset = part.start if part.dim == 0 else 0
    low, high = max(first, offset), min(last, offset + shape[0])
    if low >= high:
        return None
    inner = math.prod(shape[1:])
    flat = _delta_range(factors, (low - offset) * inner, (high - offset) * inner)
    where[0] = slice(low - first, high - first)
    return flat.reshape(high - low, *shape[1:]), tuple(where)


def _delta_range(factors: Factors, start: int, stop: int) -> NDArray[np.float64]:
    """Return elements of the flattened ΔW."""
    cols = factors.layer.cols
    top = start // cols
    rows = factors.delta(top, -(-stop // cols)).reshape(-1)
    return rows[start - top * cols : stop - top * cols]


def merge_block(
    data: bytes | memoryview,
    dtype: DType,
    shape: tuple[int, ...],
    summands: Sequence[tuple[float, NDArray[np.float64], tuple[slice, ...]]],
) -> bytes:
    """Add weighted ΔW, in order, to the bytes of weights; each at its place in the array.

    Raises MergeOverflowError, without a tensor's name, if a finite weight would not stay finite.
    """
    before = decode_floats(data, dtype).reshape(shape)
    finite = np.isfinite(before)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        total = before.astype(np.float64)
        for weight, delta, where in summands:
            total[where] += np.float64(weight) * delta
        single = total.astype("<f4")
        merged = encode_floats(single, dtype)
    after = decode_floats(merged, dtype).reshape(shape)
    lost = finite & ~np.isfinite(after)
    if lost.any():
        raise MergeOverflowError("", int(np.argmax(lost)))
    bits = f"<u{dtype.itemsize}"
    kept = np.where(finite.reshape(-1), np.frombuffer(merged, bits), np.frombuffer(data, bits))
    return kept.astype(bits).tobytes()


def converted(dense: DenseTensor, dtype: DType) -> bytes:
    """Return a dense tensor's elements in another type, rounded to nearest even.

    Raises MergeRefusedError if a finite element does not stay finite.
    """
    if dense.dtype is dtype:
        return dense.data
    values = decode_floats(dense.data, dense.dtype)
    with np.errstate(over="ignore"):
        data = encode_floats(values, dtype)
    if (np.isfinite(values) & ~np.isfinite(decode_floats(data, dtype))).any():
        raise MergeRefusedError(f"dense tensor {dense.name} has weights that {dtype.name} cannot")
    return data


def decode_floats(data: bytes | memoryview, dtype: DType) -> NDArray[np.float32]:
    """Return elements as f32, which is exact, of shape (elements,)."""
    if dtype is DType.F32:
        return np.frombuffer(data, "<f4")
    if dtype is DType.F16:
        return np.frombuffer(data, "<f2").astype(np.float32)
    wide: NDArray[np.float32] = (np.frombuffer(data, "<u2").astype("<u4") << np.uint32(16)).view(
        "<f4"
    )
    return wide


def encode_floats(values: NDArray[np.float32], dtype: DType) -> bytes:
    """Return f32 values as bytes of a type, rounded to nearest even; a NaN stays one."""
    if dtype is DType.F32:
        return values.astype("<f4").tobytes()
    if dtype is DType.F16:
        return values.astype("<f2").tobytes()
    bits = values.astype("<f4").view("<u4")
    rounded = bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))
    rounded = np.where(np.isnan(values), bits | np.uint32(0x400000), rounded)
    encoded: bytes = (rounded >> np.uint32(16)).astype("<u2").tobytes()
    return encoded


def _write_model_file(
    tensors: dict[str, Tensor], plan: _Plan, path: Path, added: dict[str, DenseTensor]
) -> None:
    head = [(t.name, t.dtype, t.shape, len(t.data)) for t in tensors.values()]
    head += [(name, d.dtype.name, d.shape, len(d.data)) for name, d in added.items()]

    def data() -> Iterator[bytes]:
        for tensor in tensors.values():
            yield from (bytes(piece) for piece in plan.data(tensor))
        yield from (dense.data for dense in added.values())

    write_file(path, head, data())


def _write_folder(
    source: Path, model: dict[Path, dict[str, Tensor]], plan: _Plan, target: Path
) -> None:
    last = list(model)[-1]
    for file, tensors in model.items():
        added = plan.added if file == last else {}
        _write_model_file(tensors, plan, target / file.name, added)
    for file in source.iterdir():
        hidden = file.name.startswith(".")
        if file.is_file() and not hidden and file.suffix.lower() not in _NOT_COPIED:
            shutil.copyfile(file, target / file.name)
    index = target / INDEX
    if index.exists() and plan.added:
        content = json.loads(index.read_text(encoding="utf-8"))
        content["weight_map"].update({name: last.name for name in plan.added})
        size = sum(len(dense.data) for dense in plan.added.values())
        if isinstance(content.get("metadata", {}).get("total_size"), int):
            content["metadata"]["total_size"] += size
        index.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

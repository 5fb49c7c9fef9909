"""Factors, ΔW and digests (SPEC.md sections 7.1, 7.2, 8 and 9)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nola_adapters._bases import Basis
from nola_adapters._order import in_file_order
from nola_adapters.errors import BudgetExceededError, DigestMismatchError
from nola_adapters.model import Adapter, AdapterFile, DenseTensor, Generator, Layer

DEFAULT_BUDGET = 1 << 38


@dataclass(frozen=True, eq=False)
class Factors:
    """The factors of one layer.

    `a` is rows × rank and `b` rank × cols; in the direct form `a` is rows × cols and `b` None.
    Both are f32 and little-endian.
    """

    layer: Layer
    a: NDArray[np.float32]
    b: NDArray[np.float32] | None

    def delta(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """Return rows of ΔW, by default all, with the roundings of section 7.2."""
        a = self.a[first:last].astype(np.float64)
        if self.b is None:
            return a
        result = np.zeros((len(a), self.layer.cols))
        for t in range(self.layer.rank):
            result += a[:, t, None] * self.b[t].astype(np.float64)
        return result

    def leaf(self) -> bytes:
        """Return the layer's leaf of the digest tree."""
        layer, part = self.layer, self.layer.slice
        digest = hashlib.sha256(b"nola-layer" + _string(layer.tensor))
        digest.update(struct.pack("<BQQQ", layer.direct, layer.rows, layer.cols, layer.rank))
        digest.update(
            b"\0" if part is None else struct.pack("<BIQQ", 1, part.dim, part.start, part.length)
        )
        digest.update(self.a.data.cast("B"))
        if self.b is not None:
            digest.update(self.b.data.cast("B"))
        return digest.digest()


def factors(adapter: Adapter, budget: int | None = DEFAULT_BUDGET) -> Iterator[Factors]:
    """Yield the factors of each layer in file order, one layer in memory at a time.

    Raises BudgetExceededError, before any work, if it takes more additions than the budget;
    None means no limit. Does not compare the digest; use `verify` for that.
    """
    work = adapter.work()
    if budget is not None and work > budget:
        raise BudgetExceededError(f"reconstruction takes {work} additions; the budget is {budget}")
    return (
        layer_factors(adapter.generator, adapter.seed, layer)
        for layer in in_file_order(adapter).layers
    )


def layer_factors(generator: Generator, seed: int, layer: Layer) -> Factors:
    """Return the factors of one layer (section 7.1)."""
    computed = []
    for side, (_, length, codes) in enumerate(layer.sides()):
        basis = Basis(generator, seed, layer.stream, side, length, codes.count)
        computed.append(basis.combine(codes))
    a = scaled(computed[0], layer.scale, layer.a.bound() * generator.max_basis)
    if layer.b is None:
        return Factors(layer, a.reshape(layer.rows, layer.cols), None)
    b = computed[1].astype("<f4")
    return Factors(layer, a.reshape(layer.rows, layer.rank), b.reshape(layer.rank, layer.cols))


def scaled(sums: NDArray[np.generic], scale: np.float32, bound: int) -> NDArray[np.float32]:
    """Multiply sums with the scale, with the roundings of section 7.1."""
    if bound < 1 << 24:
        # Two significands of 24 bits have an exact product in f64: one rounding is left.
        a = sums.astype("<f4")
        a *= scale
    else:
        a = (sums.astype(np.float64) * np.float64(scale)).astype("<f4")
    a += np.float32(0)  # turns -0 into +0
    return a


def digest(adapter: Adapter, all_factors: Iterable[Factors]) -> bytes:
    """Return the root of the digest tree; the factors are those of all layers in file order."""
    ordered = in_file_order(adapter)
    return root([each.leaf() for each in all_factors], [dense_leaf(t) for t in ordered.dense])


def root(layers: Sequence[bytes], dense: Sequence[bytes]) -> bytes:
    """Return the root over leaves in file order."""
    content = struct.pack("<I", len(layers)) + b"".join(layers)
    content += struct.pack("<I", len(dense)) + b"".join(dense)
    return hashlib.sha256(b"nola-adapter" + content).digest()


def dense_leaf(tensor: DenseTensor) -> bytes:
    """Return a dense tensor's leaf."""
    head = _string(tensor.name) + bytes([tensor.dtype]) + _shape(tensor.shape)
    return hashlib.sha256(b"nola-dense" + head + tensor.data).digest()


def seal(adapter: Adapter, budget: int | None = DEFAULT_BUDGET) -> AdapterFile:
    """Reconstruct an adapter and returns it with its digest, ready to be written."""
    ordered = in_file_order(adapter)
    return AdapterFile(ordered, digest(ordered, factors(ordered, budget)))


def verify(file: AdapterFile, budget: int | None = DEFAULT_BUDGET) -> None:
    """Reconstruct a file and compares the digest.

    Raises DigestMismatchError if it differs, and BudgetExceededError as `factors` does.
    """
    for _ in verified_factors(file, budget):
        pass


def verified_factors(file: AdapterFile, budget: int | None = DEFAULT_BUDGET) -> Iterator[Factors]:
    """Yield factors as `factors` does, and raises DigestMismatchError after the last layer."""
    leaves = []
    for each in factors(file.adapter, budget):
        leaves.append(each.leaf())
        yield each
    actual = root(leaves, [dense_leaf(tensor) for tensor in file.adapter.dense])
    if actual != file.digest:
        raise DigestMismatchError(
            f"reconstruction digest differs: {actual.hex()}; the file states {file.digest.hex()}"
        )


def base_identity(tensors: Iterable[DenseTensor]) -> bytes:
    """Return the identity of the tensors that an adapter adapts, in any order (section 9)."""
    return identity_of_leaves(
        {t.name: (t.dtype, t.shape, hashlib.sha256(t.data).digest()) for t in tensors}
    )


def identity_of_leaves(tensors: Mapping[str, tuple[int, tuple[int, ...], bytes]]) -> bytes:
    """Return the identity from each tensor's type, shape and SHA-256 of its bytes."""
    content = hashlib.sha256(b"nola-base" + struct.pack("<I", len(tensors)))
    for name in sorted(tensors, key=str.encode):
        dtype, shape, data = tensors[name]
        head = _string(name) + bytes([dtype]) + _shape(shape)
        content.update(hashlib.sha256(b"nola-tensor" + head + data).digest())
    return content.digest()


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def _shape(shape: Sequence[int]) -> bytes:
    return struct.pack(f"<I{len(shape)}Q", len(shape), *shape)

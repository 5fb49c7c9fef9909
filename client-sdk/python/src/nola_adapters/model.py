"""The content of an adapter: immutable values, as SPEC.md sections 4 and 5 define them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

SideName = Literal["A", "B"]


class Generator(IntEnum):
    """The generators of SPEC.md section 6, by id."""

    UNIFORM24 = 1
    UNIFORM8 = 2
    RADEMACHER = 3
    SRHT = 4
    IDENTITY = 5

    @property
    def label(self) -> str:
        """Return the name that specification and registry use, such as `philox-srht`."""
        names = {1: "uniform24", 2: "uniform8", 3: "rademacher", 4: "srht"}
        return "philox-" + names[self] if self in names else "identity"

    @property
    def max_basis(self) -> int:
        """Return the largest magnitude of a basis integer."""
        return {Generator.UNIFORM24: (1 << 24) - 1, Generator.UNIFORM8: 255}.get(self, 1)

    @property
    def max_length(self) -> int:
        """Return the largest number of elements of a factor."""
        return 1 << 30 if self is Generator.SRHT else (1 << 31) - 1

    @classmethod
    def parse(cls, label: str) -> Generator:
        """Return the generator with a label.

        Raises ValueError for any other text.
        """
        for generator in cls:
            if generator.label == label:
                return generator
        labels = ", ".join(generator.label for generator in cls)
        raise ValueError(f"unknown generator: {label}; must be one of {labels}")


class DType(IntEnum):
    """Types of tensors that adapters hold or change, by the number in files."""

    F32 = 0
    F16 = 1
    BF16 = 2

    @property
    def itemsize(self) -> int:
        """Return the number of bytes of an element."""
        return 4 if self is DType.F32 else 2


@dataclass(frozen=True)
class Slice:
    """A proper part of a tensor: `length` positions from `start` along dimension `dim`."""

    dim: int
    start: int
    length: int


@dataclass(frozen=True, eq=False)
class Codes:
    """The quantized coefficients of one factor: `values[i] < 2**bits`, u16, of shape (count,)."""

    bits: int
    values: NDArray[Any]

    def __post_init__(self) -> None:
        """Copy the codes. Raises ValueError if one does not have `bits` bits."""
        if not 1 <= self.bits <= 16:
            raise ValueError(f"invalid width of codes: {self.bits}; must be 1 to 16 bits")
        wide = np.asarray(self.values, dtype=np.int64)
        if wide.ndim != 1 or (len(wide) and not 0 <= wide.min() <= wide.max() < 1 << self.bits):
            raise ValueError(f"invalid codes; must be one list of integers below 2^{self.bits}")
        copied = wide.astype(np.uint16)
        copied.flags.writeable = False
        object.__setattr__(self, "values", copied)

    @property
    def count(self) -> int:
        """Return the number of coefficients."""
        return len(self.values)

    def integers(self) -> NDArray[np.int64]:
        """Return the odd integers v that the codes stand for (section 5.1)."""
        return 2 * self.values.astype(np.int64) - ((1 << self.bits) - 1)

    def bound(self) -> int:
        """Return Σ|v|, the largest magnitude of a sum over signs."""
        return int(np.abs(self.integers()).sum())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Codes)
            and self.bits == other.bits
            and np.array_equal(self.values, other.values)
        )

    def __hash__(self) -> int:
        return hash((self.bits, self.values.tobytes()))


@dataclass(frozen=True)
class Layer:
    """One adapted tensor, or a slice of one (section 4.2).

    ΔW is rows × cols. Side A is rows × rank and side B rank × cols; in the direct form `rank` is
    0, `b` is None and side A is ΔW. `shape` is the stored shape of the whole tensor.
    """

    tensor: str
    rows: int
    cols: int
    rank: int
    stream: int
    scale: np.float32
    a: Codes
    b: Codes | None = None
    shape: tuple[int, ...] = ()
    slice: Slice | None = None

    def __post_init__(self) -> None:
        """Fill in the default shape, rows × cols. Raises ValueError if rank and `b` disagree."""
        if (self.rank == 0) != (self.b is None):
            raise ValueError(
                f"invalid layer {self.tensor}: rank {self.rank}; "
                "the low-rank form has a rank and side B, the direct form neither"
            )
        object.__setattr__(self, "scale", np.float32(self.scale))
        object.__setattr__(self, "shape", tuple(self.shape) or (self.rows, self.cols))

    @property
    def direct(self) -> bool:
        """Return whether side A is ΔW itself."""
        return self.b is None

    @property
    def scale_bits(self) -> int:
        """Return the scale's f32 bits."""
        return int(struct.unpack("<I", struct.pack("<f", self.scale))[0])

    def sides(self) -> Iterator[tuple[SideName, int, Codes]]:
        """Yield name, number of elements and codes of each factor."""
        if self.b is None:
            yield "A", self.rows * self.cols, self.a
        else:
            yield "A", self.rows * self.rank, self.a
            yield "B", self.rank * self.cols, self.b


@dataclass(frozen=True)
class DenseTensor:
    """A tensor stored whole: `data` holds its little-endian elements, row-major."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Metadata:
    """Information for people and catalogs; reconstruction never needs it."""

    description: str = ""
    task: str = ""
    license: str = ""
    tags: tuple[str, ...] = ()
    metrics: tuple[tuple[str, float], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Base:
    """The base model; empty or None where unknown. `identity` is that of section 9."""

    name: str = ""
    revision: str = ""
    identity: bytes | None = None


@dataclass(frozen=True)
class Adapter:
    """An adapter: what a file says, apart from its reconstruction digest.

    Layers and dense tensors may be in any order; a file has them in the order of section 4.3.
    """

    generator: Generator
    seed: int = 0
    layers: tuple[Layer, ...] = ()
    dense: tuple[DenseTensor, ...] = ()
    base: Base = Base()
    metadata: Metadata = Metadata()

    def work(self) -> int:
        """Return the number of additions that a reconstruction takes (section 17)."""
        total = 0
        for layer in self.layers:
            for _, length, codes in layer.sides():
                if self.generator is Generator.IDENTITY:
                    total += length
                elif self.generator is Generator.SRHT:
                    total += length * length.bit_length()
                else:
                    total += codes.count * length
        return total


@dataclass(frozen=True)
class AdapterFile:
    """An adapter and the reconstruction digest (32 bytes) that its writer states."""

    adapter: Adapter
    digest: bytes

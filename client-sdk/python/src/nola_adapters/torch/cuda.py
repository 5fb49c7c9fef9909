"""Factors and transposed products by the project's kernels, through NVIDIA's driver alone.

Nothing is compiled here: the driver compiles the PTX of the package. All memory is PyTorch's, so
that kernels read and write tensors in place, on PyTorch's stream. The bits are those of the CPU.

The structures that are packed here are those of gpu/src/main/cuda/layout.cuh and project.cuh.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from nola_adapters._file import pack_codes
from nola_adapters.model import Adapter, Codes, Generator, Layer
from nola_adapters.torch.driver import Driver, driver

_SLOT_HEADER = 16
_SLOT_ALIGNMENT = 16
_SLOT_PADDING = 4
_ALIGNMENT = 64
_NO_SCALE = (1 << 64) - 1
_FACTOR = struct.Struct("<QQQ8I")
_ARGUMENTS = struct.Struct("<QQQQQQff")
_PROJECT_ARGUMENTS = struct.Struct("<8Q")
_SUFFIXES = {torch.float32: "_f32", torch.float16: "_f16", torch.bfloat16: "_bf16"}
_SMALL_LOG2 = 11
_PROJECT_TILE_LOG2 = 12


def _driver_of(tensor: Tensor) -> Driver:
    return driver(tensor.device.index or 0)


def _stream(tensor: Tensor) -> int:
    """Return PyTorch's stream; memory of the host is that of a stand-in, which has no streams."""
    return torch.cuda.current_stream(tensor.device).cuda_stream if tensor.is_cuda else 0


@dataclass(frozen=True)
class FactorShape:
    """What a kernel's tables depend on: a factor's basis, but for its seed, and its codes' form."""

    generator: Generator
    stream: int
    side: int
    length: int
    count: int
    bits: int

    @property
    def log2(self) -> int:
        """Return ⌊log₂ length⌋."""
        return self.length.bit_length() - 1

    @property
    def bound(self) -> int:
        """Return the largest magnitude of a sum."""
        terms = 1 if self.generator is Generator.IDENTITY else self.count
        return terms * ((1 << self.bits) - 1) * self.generator.max_basis

    def kernel(self) -> tuple[str, int, int]:
        """Return name, threads and number of blocks of the fastest kernel that is exact."""
        generator, highest = self.generator, (1 << self.bits) - 1
        columns = 1 << self.log2
        if generator is Generator.SRHT:
            if self.log2 <= _SMALL_LOG2:
                return "srhtSmall", 256, 1
            if self.bound < 1 << 15 and columns >= 8192:
                return "srht16", 256, columns // 8192
            return "srht32" if self.bound < 1 << 31 else "srht64", 256, columns // 4096
        if generator is Generator.IDENTITY:
            return "identity", 256, -(-self.length // 1024)
        if generator is Generator.UNIFORM24:
            name, elements = "uniform24", 128 * 4
        elif generator is Generator.UNIFORM8:
            elements = 128 * 16
            wide = 2 * self.bound + 2 * self.count * highest >= 1 << 31
            name = "uniform8Long" if wide else "uniform8" if highest < 128 else "uniform8Word"
        elif self.bits <= 4 and self.count * 15 < 1 << 16:
            name, elements = "rademacher4", 128 * 128
        elif self.bits <= 8 and self.count * 255 < 1 << 16:
            name, elements = "rademacher8", 128 * 128
        else:
            name, elements = "rademacherLong", 128 * 32
        return name, 128, -(-self.length // elements)

    def pack(self, out: int, codes: int, scale: int, first_tile: int) -> bytes:
        """Return the structure Factor."""
        wide = self.bound > 1 << 24
        return _FACTOR.pack(
            out, codes, scale, self.length, self.log2, self.stream, self.side, self.count,
            self.bits, first_tile, wide,
        )  # fmt: skip


@dataclass(frozen=True)
class _Launch:
    """The factors of one kernel; `factors` and `tiles` are its tables on the device."""

    kernel: str
    threads: int
    blocks: int
    factors: Tensor
    tiles: Tensor


# Kernel, shape, and the offsets of output, codes and scale of a factor.
_Work = tuple[tuple[str, int, int], FactorShape, tuple[int, int, int]]


def _launches(work: Iterable[_Work], device: torch.device) -> tuple[_Launch, ...]:
    """Group factors by kernel."""
    groups: dict[tuple[str, int], tuple[bytearray, list[int]]] = {}
    for (kernel, threads, blocks), shape, offsets in work:
        factors, tiles = groups.setdefault((kernel, threads), (bytearray(), []))
        number = len(factors) // _FACTOR.size
        factors += shape.pack(*offsets, len(tiles))
        tiles += [number] * blocks
    return tuple(
        _Launch(
            kernel,
            threads,
            len(tiles),
            torch.frombuffer(factors, dtype=torch.uint8).clone().to(device),
            torch.tensor(tiles, dtype=torch.int32).to(device),
        )
        for (kernel, threads), (factors, tiles) in groups.items()
    )


def balanced(adapter: Adapter, dtype: torch.dtype) -> tuple[float, float]:
    """Return the multipliers of A and B with which an adapter's factors are finite in a type.

    They are powers of two that cancel each other, so that A·B stays ΔW: in f16, A times 2ˢ and B
    times 2⁻ˢ, whose largest elements (that scales, numbers and widths of codes allow) are then
    alike. Both are 1 in f32 and bf16, whose range suffices. The rule is that of
    `Factors.balancingExponent` in Java. Layers in the direct form, whose A is ΔW itself, are stored
    without a multiplier.
    """
    largest_a = largest_b = 0.0
    for layer in adapter.layers if dtype == torch.float16 else ():
        if not layer.direct:
            bounds = [shape.bound for shape in _shapes(adapter.generator, layer)]
            largest_a = max(largest_a, float(layer.scale) * bounds[0])
            largest_b = max(largest_b, float(bounds[1]))
    if not largest_b:
        return 1.0, 1.0
    # An A of zeros takes any multiplier; B must not be infinite even then, as 0·∞ is NaN.
    held = largest_a or 1 / largest_b
    exponent = (math.frexp(largest_b)[1] - math.frexp(held)[1]) // 2
    return math.ldexp(1.0, exponent), math.ldexp(1.0, -exponent)


class FactorPlan:
    """Where the factors of an adapter go, and which kernels compute them.

    It serves all adapters that differ only in seed, scales and codes. `elements` is the size of an
    adapter's output, `slot_bytes` that of its compressed form.
    """

    def __init__(self, adapter: Adapter, device: torch.device) -> None:
        self._device = device
        self._outline = _outline(adapter)
        self.places: list[list[tuple[int, int]]] = []
        work: dict[bool, list[_Work]] = {False: [], True: []}
        section = self.elements = 0
        for layer in adapter.layers:
            scale = section
            section += 4
            places = []
            for shape in _shapes(adapter.generator, layer):
                offsets = (self.elements, section, _NO_SCALE if shape.side else scale)
                work[layer.direct].append((shape.kernel(), shape, offsets))
                places.append((self.elements, shape.length))
                section += (shape.count * shape.bits + 7) // 8
                self.elements += -(-shape.length // _ALIGNMENT) * _ALIGNMENT
            self.places.append(places)
        size = _SLOT_HEADER + section + _SLOT_PADDING
        self.slot_bytes = -(-size // _SLOT_ALIGNMENT) * _SLOT_ALIGNMENT
        self._launches = _launches(work[False], device)
        self._direct_launches = _launches(work[True], device)

    def slot(self, adapter: Adapter) -> Tensor:
        """Return an adapter as kernels read it: its seed, and the codes section of its file.

        Raises ValueError, with the first difference, if it differs from the plan's adapter in more
        than seed, scales and codes.
        """
        outline = _outline(adapter)
        for name, expected in self._outline.items():
            if outline.get(name) != expected:
                raise ValueError(
                    f"{name} is {outline.get(name)}, not {expected}; adapters may differ only in "
                    "seed, scales and codes"
                )
        data = bytearray(struct.pack("<QQ", adapter.seed, 0))
        for layer in adapter.layers:
            data += struct.pack("<f", layer.scale)
            data += b"".join(pack_codes(codes) for _, _, codes in layer.sides())
        data += bytes(self.slot_bytes - len(data))
        return torch.frombuffer(data, dtype=torch.uint8)

    def reconstruct(
        self, slots: Tensor, out: Tensor, multipliers: tuple[float, float] = (1.0, 1.0)
    ) -> None:
        """Launch the reconstruction of adapters.

        `slots` (adapters, slot_bytes) is u8, `out` (adapters, elements) f32, f16 or bf16, both
        contiguous on the plan's device. `multipliers` of A and B are those of `balanced`, which f16
        needs; they are not used in f32. Raises CudaError.
        """
        work = [(launch, multipliers) for launch in self._launches]
        work += [(launch, (1.0, 1.0)) for launch in self._direct_launches]
        for launch, (multiplier_a, multiplier_b) in work:
            arguments = _ARGUMENTS.pack(
                launch.factors.data_ptr(), launch.tiles.data_ptr(), slots.data_ptr(),
                self.slot_bytes, out.data_ptr(), self.elements, multiplier_a, multiplier_b,
            )  # fmt: skip
            grid = (launch.blocks, len(slots))
            name = launch.kernel + _SUFFIXES[out.dtype]
            _driver_of(out).launch(name, grid, launch.threads, arguments, _stream(out))


def _shapes(generator: Generator, layer: Layer) -> list[FactorShape]:
    return [
        FactorShape(generator, layer.stream, side, length, codes.count, codes.bits)
        for side, (_, length, codes) in enumerate(layer.sides())
    ]


def _outline(adapter: Adapter) -> dict[str, object]:
    """Return all that adapters of one plan have in common, by name for messages.

    Tensors come first: the names of all other properties of layers contain theirs.
    """
    outline: dict[str, object] = {
        "generator": adapter.generator.label,
        "number of layers": len(adapter.layers),
    }
    for number, layer in enumerate(adapter.layers):
        outline[f"tensor of layer {number}"] = layer.tensor
        suffix = f"of layer {number} ({layer.tensor})"
        outline[f"shape {suffix}"] = (layer.rows, layer.cols)
        outline[f"rank {suffix}"] = layer.rank
        outline[f"stream {suffix}"] = layer.stream
        outline[f"stored shape {suffix}"] = layer.shape
        outline[f"slice {suffix}"] = layer.slice
        for side, _, codes in layer.sides():
            outline[f"number of codes of side {side} {suffix}"] = codes.count
            outline[f"bits of side {side} {suffix}"] = codes.bits
    return outline


@lru_cache(maxsize=4096)
def _training_launch(shape: FactorShape, device: torch.device) -> _Launch:
    (launch,) = _launches([(shape.kernel(), shape, (0, 4, 0))], device)
    return launch


def combine(
    shape: FactorShape, seed: int, codes: Codes, scale: float, device: torch.device
) -> Tensor:
    """Return a factor times a scale, f32 of shape (length,), on the device. Raises CudaError."""
    launch = _training_launch(shape, device)
    data = bytearray(struct.pack("<QQf", seed, 0, scale)) + pack_codes(codes)
    data += bytes(-(len(data) + _SLOT_PADDING) % _SLOT_ALIGNMENT + _SLOT_PADDING)
    slot = torch.frombuffer(data, dtype=torch.uint8).clone().to(device)
    out = torch.empty(-(-shape.length // _ALIGNMENT) * _ALIGNMENT, device=device)
    arguments = _ARGUMENTS.pack(
        launch.factors.data_ptr(), launch.tiles.data_ptr(), slot.data_ptr(), len(data),
        out.data_ptr(), len(out), 1.0, 1.0,
    )  # fmt: skip
    grid = (launch.blocks, 1)
    _driver_of(out).launch(launch.kernel + "_f32", grid, launch.threads, arguments, _stream(out))
    return out[: shape.length]


def _project_kernels(shape: FactorShape) -> list[tuple[str, int, int]]:
    """Return name, threads and blocks of the kernels of a transposed product, in their order."""
    if shape.generator is Generator.SRHT:
        if shape.log2 < _PROJECT_TILE_LOG2:
            return [("projectSrhtSmall", 256, 1)]
        tiles = 1 << (shape.log2 - _PROJECT_TILE_LOG2)
        return [
            ("projectSrhtTile", 256, tiles),
            ("projectSrhtColumns", 256, -(-shape.count // 256)),
        ]
    if shape.generator is Generator.IDENTITY:
        return [("projectIdentity", 256, -(-shape.count // 256))]
    names = {
        Generator.UNIFORM24: "projectUniform24",
        Generator.UNIFORM8: "projectUniform8",
        Generator.RADEMACHER: "projectRademacher",
    }
    return [(names[shape.generator], 512, -(-shape.count // 32))]


@lru_cache(maxsize=4096)
def _project_launches(
    shape: FactorShape, device: torch.device
) -> tuple[tuple[_Launch, ...], Tensor]:
    launches = [_launches([(k, shape, (0, 0, 0))], device)[0] for k in _project_kernels(shape)]
    return tuple(launches), torch.zeros(1, dtype=torch.int64, device=device)


def project(shape: FactorShape, seed: int, gradient: Tensor) -> Tensor:
    """Return the transposed product Σₑ g[e]·bᵢ[e], f64 of shape (count,), on the device.

    `gradient` (length,) is contiguous f32. Raises CudaError.
    """
    launches, start = _project_launches(shape, gradient.device)
    scratch = torch.empty(1 << shape.log2, dtype=torch.float64, device=gradient.device)
    products = torch.empty(shape.count, dtype=torch.float64, device=gradient.device)
    for launch in launches:
        arguments = _PROJECT_ARGUMENTS.pack(
            launch.factors.data_ptr(), launch.tiles.data_ptr(), start.data_ptr(),
            start.data_ptr(), gradient.data_ptr(), scratch.data_ptr(), products.data_ptr(), seed,
        )  # fmt: skip
        grid = (launch.blocks, 1)
        _driver_of(gradient).launch(
            launch.kernel, grid, launch.threads, arguments, _stream(gradient)
        )
    return products

"""The factor of a layer as an operator of PyTorch: coefficients in, F = Σ cᵢ·bᵢ / (√k·σ) out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nola_adapters import quantize
from nola_adapters._bases import Basis
from nola_adapters._reconstruct import scaled
from nola_adapters.model import Generator
from nola_adapters.torch import cuda

TRAINING_BITS = 16
"""Width of codes that makes no difference to training."""


@dataclass(frozen=True)
class FactorBasis:
    """The basis of one factor of `length` elements; `side` is 0 for A and 1 for B."""

    generator: Generator
    seed: int
    stream: int
    side: int
    length: int

    def norm(self, count: int) -> float:
        """Return 1/(√k·σ), with σ the root mean square of a basis integer.

        Thus normalised, an element of the factor is as large as a coefficient for any k and
        generator, and one learning rate suits all.
        """
        squares = {
            Generator.UNIFORM24: (2.0**48 - 1) / 3,
            Generator.UNIFORM8: (2.0**16 - 1) / 3,
        }
        if self.generator is Generator.IDENTITY:
            return 1.0
        return 1 / (math.sqrt(count) * math.sqrt(squares.get(self.generator, 1.0)))


def combine(coefficients: Tensor, basis: FactorBasis, bits: int, gain: float) -> Tensor:
    """Return a factor, flattened, of f32 coefficients that are rounded to codes of `bits` bits.

    It is multiplied by `gain`. In the backward pass rounding counts as the identity
    (straight-through estimator; paper, section 3.2).
    """
    generator, seed = int(basis.generator), _signed(basis.seed)
    result: Tensor = torch.ops.nola.combine(
        coefficients, generator, seed, basis.stream, basis.side, basis.length, bits, gain
    )
    return result


def array(tensor: Tensor) -> NDArray[np.float32]:
    """Return a copy of a tensor in numpy.

    A view would keep FSDP from freeing the tensor's memory: what numpy sees cannot be resized.
    """
    copied: NDArray[np.float32] = tensor.detach().to("cpu", torch.float32, copy=True).numpy()
    return copied


def quantized(coefficients: NDArray[np.float32], bits: int) -> quantize.Quantized:
    """Return the codes that training computes with, and that a file stores."""
    if bits == TRAINING_BITS:
        return quantize.absmax(coefficients, bits)
    return quantize.least_squares(coefficients, bits)


@torch.library.custom_op("nola::combine", mutates_args=())
def _combine(
    coefficients: Tensor,
    generator: int,
    seed: int,
    stream: int,
    side: int,
    length: int,
    bits: int,
    gain: float,
) -> Tensor:
    basis = FactorBasis(Generator(generator), seed % (1 << 64), stream, side, length)
    codes = quantized(array(coefficients), bits)
    count = codes.codes.count
    scale = np.float32(codes.step * basis.norm(count) * gain)
    if runs_kernels(coefficients):
        shape = _shape(basis, count, bits)
        return cuda.combine(shape, basis.seed, codes.codes, float(scale), coefficients.device)
    sums = _sums(basis, count).combine(codes.codes)
    bound = codes.codes.bound() * basis.generator.max_basis
    return torch.from_numpy(scaled(sums, scale, bound)).to(coefficients.device)


@_combine.register_fake
def _(
    coefficients: Tensor,
    generator: int,
    seed: int,
    stream: int,
    side: int,
    length: int,
    bits: int,
    gain: float,
) -> Tensor:
    return coefficients.new_empty(length, dtype=torch.float32)


@torch.library.custom_op("nola::project", mutates_args=())
def _project(
    gradient: Tensor,
    count: int,
    generator: int,
    seed: int,
    stream: int,
    side: int,
    gain: float,
) -> Tensor:
    """Return the coefficients' gradient from the factor's: the transposed product."""
    length = gradient.shape[0]
    basis = FactorBasis(Generator(generator), seed % (1 << 64), stream, side, length)
    factor = basis.norm(count) * gain
    if runs_kernels(gradient):
        shape = _shape(basis, count, TRAINING_BITS)
        flat = gradient.detach().to(torch.float32).contiguous()
        return (cuda.project(shape, basis.seed, flat) * factor).to(torch.float32)
    products = _sums(basis, count).project(array(gradient).astype(np.float64))
    return torch.from_numpy((products * factor).astype(np.float32)).to(gradient.device)


@_project.register_fake
def _(
    gradient: Tensor, count: int, generator: int, seed: int, stream: int, side: int, gain: float
) -> Tensor:
    return gradient.new_empty(count, dtype=torch.float32)


def _setup(
    ctx: torch.autograd.function.FunctionCtx, inputs: tuple[object, ...], output: Tensor
) -> None:
    coefficients, generator, seed, stream, side, _, _, gain = inputs
    assert isinstance(coefficients, Tensor)
    ctx.nola = (coefficients.shape[0], generator, seed, stream, side, gain)  # type: ignore[attr-defined]


def _backward(
    ctx: torch.autograd.function.FunctionCtx, gradient: Tensor
) -> tuple[Tensor | None, ...]:
    arguments = ctx.nola  # type: ignore[attr-defined]
    return torch.ops.nola.project(gradient, *arguments), *(None,) * 7


_combine.register_autograd(_backward, setup_context=_setup)


def runs_kernels(tensor: Tensor) -> bool:
    """Return whether the project's kernels compute what is derived from a tensor."""
    return tensor.is_cuda


def _shape(basis: FactorBasis, count: int, bits: int) -> cuda.FactorShape:
    return cuda.FactorShape(basis.generator, basis.stream, basis.side, basis.length, count, bits)


def _sums(basis: FactorBasis, count: int) -> Basis:
    return Basis(basis.generator, basis.seed, basis.stream, basis.side, basis.length, count)


def _signed(seed: int) -> int:
    """Return an unsigned seed as the signed integer that operators take."""
    return seed - (1 << 64) if seed >> 63 else seed

"""Quantizes coefficients to the odd multiples of a step, with the codes of the Java quantizers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nola_adapters.model import Codes

_MAX_SWEEP = 1 << 22
_REFINEMENTS = 32
_MIN_SCALE = 2.0**-126
_MAX_SCALE = 2.0**74


@dataclass(frozen=True)
class Quantized:
    """Codes, and the step that their odd integers multiply."""

    codes: Codes
    step: float

    def values(self) -> NDArray[np.float64]:
        """Return the coefficients that the codes stand for, of shape (count,)."""
        return self.codes.integers().astype(np.float64) * self.step


def absmax(values: NDArray[np.float32], bits: int) -> Quantized:
    """Quantize with the step that makes the largest coefficient the largest level.

    Raises ValueError if the list is empty, or a coefficient is not finite.
    """
    magnitudes = _magnitudes(values)
    return _with_step(values, float(magnitudes.max()) / ((1 << bits) - 1), bits)


def least_squares(values: NDArray[np.float32], bits: int) -> Quantized:
    """Quantize with the step of the least squared error.

    It is the global optimum up to 2²² level changes, count·(2^(bits−1) − 1), and beyond that the
    local one next to the step of `absmax`. Raises ValueError as `absmax` does.
    """
    magnitudes = _magnitudes(values)
    if not magnitudes.any():
        return _with_step(values, 0.0, bits)
    changes = (1 << (bits - 1)) - 1
    swept = len(magnitudes) * changes <= _MAX_SWEEP
    step = _swept_step(magnitudes, changes) if swept else _refined_step(magnitudes, bits)
    return _with_step(values, step, bits)


def scale(*parts: float) -> np.float32:
    """Return the scale of a layer: the product of both steps and all else that multiplies ΔW.

    A product too small for a scale becomes 0. Raises ValueError if it is too large.
    """
    product = 1.0
    for part in parts:
        product *= part
    if not 0 <= product <= _MAX_SCALE:
        raise ValueError(f"invalid scale: {product}; must be 0 to 2^74")
    rounded: np.float32 = np.float32(product)
    return rounded if rounded >= _MIN_SCALE else np.float32(0)


def _magnitudes(values: NDArray[np.float32]) -> NDArray[np.float64]:
    if not len(values):
        raise ValueError("no coefficients to quantize; needs at least one")
    if not np.isfinite(values).all():
        raise ValueError("a coefficient is not finite; lower the learning rate")
    return np.abs(values.astype(np.float64))


def _with_step(values: NDArray[np.float32], step: float, bits: int) -> Quantized:
    half = 1 << (bits - 1)
    if step == 0:
        return Quantized(Codes(bits, np.full(len(values), half)), 0.0)
    return Quantized(Codes(bits, _nearest(values.astype(np.float64) / step, half)), step)


def _nearest(ratios: NDArray[np.float64], half: int) -> NDArray[np.int64]:
    """Return the codes of the odd integers next to x/step: levels change at the even integers."""
    codes: NDArray[np.int64] = np.clip(np.floor(ratios / 2) + half, 0, 2 * half - 1).astype(
        np.int64
    )
    return codes


def _swept_step(magnitudes: NDArray[np.float64], changes: int) -> float:
    """Lower the step from infinity; between two changes of a level the best one is P/Q.

    P = Σ q·|x| and Q = Σ q² of the levels q there; the largest P²/Q wins. Sums run from left to
    right, as in Java, so that both choose the same step to the bit.
    """
    p = np.cumsum(magnitudes)[-1:]
    q = np.array([float(len(magnitudes))])
    if changes:
        numbers = np.flatnonzero(magnitudes)
        levels = np.arange(1, changes + 1)
        at = (magnitudes[numbers, None] / (2.0 * levels)).astype(np.float32).reshape(-1)
        order = np.argsort(-at, kind="stable")
        p = np.cumsum(np.concatenate([p, 2 * np.repeat(magnitudes[numbers], changes)[order]]))
        q = np.cumsum(np.concatenate([q, 8.0 * np.tile(levels, len(numbers))[order]]))
    best = int(np.argmax(p * p / q))
    return float(p[best] / q[best])


def _refined_step(magnitudes: NDArray[np.float64], bits: int) -> float:
    half = 1 << (bits - 1)
    step = float(magnitudes.max()) / (2 * half - 1)
    for _ in range(_REFINEMENTS):
        v = 2.0 * _nearest(magnitudes / step, half) - (2 * half - 1)
        better = float(np.cumsum(v * magnitudes)[-1] / np.cumsum(v * v)[-1])
        if better == step:
            break
        step = better
    return step

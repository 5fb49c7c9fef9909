"""The initial values of the Java trainer: equal seeds begin with equal coefficients."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_MULTIPLIER = 0x5DEECE66D
_MASK = (1 << 48) - 1


class InitialValues:
    """Draws values of a parameter after another, each from a generator of its own."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._parameters = 0

    def gaussian(self, count: int, deviation: float = 1.0) -> NDArray[np.float32]:
        """Draw values of a normal distribution with mean 0, of shape (count,)."""
        random = _JavaRandom(self._seed * 31 + self._parameters)
        self._parameters += 1
        values = [deviation * random.next_gaussian() for _ in range(count)]
        return np.array(values, dtype=np.float64).astype(np.float32)


class _JavaRandom:
    """`java.util.Random`, whose sequences the Java specification fixes."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK
        self._next_gaussian: float | None = None

    def _bits(self, bits: int) -> int:
        self._state = (self._state * _MULTIPLIER + 0xB) & _MASK
        return self._state >> (48 - bits)

    def _double(self) -> float:
        return ((self._bits(26) << 27) + self._bits(27)) * 2.0**-53

    def next_gaussian(self) -> float:
        if self._next_gaussian is not None:
            value, self._next_gaussian = self._next_gaussian, None
            return value
        while True:
            v1, v2 = 2 * self._double() - 1, 2 * self._double() - 1
            s = v1 * v1 + v2 * v2
            if 0 < s < 1:
                break
        multiplier = math.sqrt(-2 * math.log(s) / s)
        self._next_gaussian = v2 * multiplier
        return v1 * multiplier

"""Philox and the exact sums over bases (SPEC.md section 6), vectorised.

A sum is exact whatever type it is computed in, as long as its bound fits: BLAS on f32 serves sums
below 2²⁴, f64 all others, and the Walsh–Hadamard transform runs on 16, 32 or 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nola_adapters.model import Codes, Generator

_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(32)
_ROUNDS = 10
_PER_BLOCK = {Generator.UNIFORM24: 4, Generator.UNIFORM8: 16, Generator.RADEMACHER: 128}
# Basis elements computed at once: a tile of them stays in the cache.
_TILE = 1 << 18

Integers = NDArray[np.int64]


def philox(seed: int, c0: Any, c1: Any, c2: int, c3: int) -> NDArray[np.uint32]:
    """Compute Philox4x32-10 for counters that broadcast.

    Returns words x0..x3 in the last axis of a contiguous array.
    """
    w0, w1, w2, w3 = np.broadcast_arrays(
        *(np.asarray(word, dtype=np.uint64) for word in (c0, c1, c2, c3))
    )
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(_ROUNDS):
        p = np.uint64(0xD2511F53) * w0
        q = np.uint64(0xCD9E8D57) * w2
        w0, w2 = (q >> _HIGH) ^ w1 ^ np.uint64(k0), (p >> _HIGH) ^ w3 ^ np.uint64(k1)
        w1, w3 = q & _LOW, p & _LOW
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    words = np.empty((*w0.shape, 4), dtype="<u4")
    for i, word in enumerate((w0, w1, w2, w3)):
        words[..., i] = word
    return words


class Basis:
    """The basis of one factor: `count` vectors of `length` integers.

    `side` is 0 for A and 1 for B.
    """

    def __init__(
        self, generator: Generator, seed: int, stream: int, side: int, length: int, count: int
    ) -> None:
        self.generator = generator
        self.length = length
        self.count = count
        self._seed = seed
        self._stream = stream
        self._word3 = side + 2 * generator

    def combine(self, codes: Codes) -> NDArray[np.generic]:
        """Return Σᵢ vᵢ·bᵢ[e], exact integers of shape (length,).

        Their type is int16, int32, int64, f32 or f64: one that holds every partial sum.
        """
        if self.generator is Generator.IDENTITY:
            return codes.integers()
        if self.generator is Generator.SRHT:
            return self._combine_srht(codes)
        bound = codes.bound() * self.generator.max_basis
        dtype = np.float32 if bound < 1 << 24 else np.float64
        values = codes.integers().astype(dtype)
        total: NDArray[Any] = np.zeros(self.length, dtype=dtype)
        for coefficients, elements, rows in self._tiles(dtype):
            total[elements] += values[coefficients] @ rows
        return total

    def combine_real(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return Σᵢ cᵢ·bᵢ[e] for real coefficients, in f64, of shape (length,)."""
        if self.generator is Generator.IDENTITY:
            return coefficients.astype(np.float64)
        if self.generator is Generator.SRHT:
            spread = self._spread(coefficients.astype(np.float64))
            transformed = walsh_hadamard(spread)
            return self._signed(np.resize(transformed, self.length))
        total = np.zeros(self.length)
        for chosen, elements, rows in self._tiles(np.float64):
            total[elements] += coefficients[chosen] @ rows
        return total

    def project(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the transposed product Σₑ g[e]·bᵢ[e], in f64, of shape (count,)."""
        if self.generator is Generator.IDENTITY:
            return gradient.astype(np.float64)
        if self.generator is Generator.SRHT:
            size = 1 << (self.length.bit_length() - 1)
            signed = self._signed(gradient.astype(np.float64))
            folded = signed[:size].copy()
            folded[: self.length - size] += signed[size:]
            transformed: NDArray[np.float64] = walsh_hadamard(folded)[self._positions()]
            return transformed
        total = np.zeros(self.count)
        for chosen, elements, rows in self._tiles(np.float64):
            total[chosen] += rows @ gradient[elements]
        return total

    def _tiles(self, dtype: Any) -> Iterator[tuple[slice, slice, NDArray[Any]]]:
        """Yield slices of coefficients and elements, and the basis integers between them."""
        per_block = _PER_BLOCK[self.generator]
        blocks = -(-self.length // per_block)
        height = min(self.count, _TILE // per_block)
        width = max(1, _TILE // (height * per_block))
        for top in range(0, self.count, height):
            indices = np.arange(top, min(top + height, self.count), dtype=np.uint64)[:, None]
            for first in range(0, blocks, width):
                columns = np.arange(first, min(first + width, blocks), dtype=np.uint64)
                words = philox(self._seed, columns, indices, self._stream, self._word3)
                rows = self._integers(words.reshape(len(indices), -1), dtype)
                start = first * per_block
                stop = min(start + rows.shape[1], self.length)
                chosen = slice(top, top + len(indices))
                yield chosen, slice(start, stop), rows[:, : stop - start]

    def _integers(self, words: NDArray[np.uint32], dtype: Any) -> NDArray[Any]:
        if self.generator is Generator.UNIFORM24:
            result: NDArray[Any] = (words >> np.uint32(8)).astype(dtype)
            result *= 2
            result -= (1 << 24) - 1
            return result
        octets = words.view(np.uint8)
        if self.generator is Generator.UNIFORM8:
            result = octets.astype(dtype)
            result *= 2
            result -= 255
            return result
        result = np.unpackbits(octets, axis=1, bitorder="little").astype(dtype)
        result *= -2
        result += 1
        return result

    # ---- generator 4 --------------------------------------------------------------------------

    def _combine_srht(self, codes: Codes) -> NDArray[np.generic]:
        bound = codes.bound()
        dtype = np.int16 if bound < 1 << 15 else np.int32 if bound < 1 << 31 else np.int64
        transformed = walsh_hadamard(self._spread(codes.integers().astype(dtype)))
        return self._signed(np.resize(transformed, self.length))

    def _spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Put coefficient i at π(i) of a vector of N elements."""
        vector = np.zeros(1 << (self.length.bit_length() - 1), dtype=values.dtype)
        vector[self._positions()] = values
        return vector

    def _positions(self) -> Integers:
        """Return π(0), π(1), …, of shape (count,)."""
        p = self.length.bit_length() - 1
        words = philox(self._seed, np.arange(2), 1, self._stream, self._word3).reshape(-1)
        w = words.astype(np.uint64)
        mask, half = np.uint64((1 << p) - 1), np.uint64((p + 1) // 2)
        x = np.arange(self.count, dtype=np.uint64)
        for t in range(4):
            x = (x * (w[2 * t] | np.uint64(1)) + w[2 * t + 1]) & mask
            x ^= x >> half
        return x.astype(np.int64)

    def _signed(self, values: NDArray[Any]) -> NDArray[Any]:
        """Multiply `length` values, in place, with the signs D."""
        blocks = np.arange(-(-self.length // 128))
        words = philox(self._seed, blocks, 0, self._stream, self._word3)
        bits = np.unpackbits(words.view(np.uint8), count=self.length, bitorder="little")
        signs = bits.view(np.int8)
        signs *= -2
        signs += 1
        values *= signs
        return values


def walsh_hadamard(vector: NDArray[Any]) -> NDArray[Any]:
    """Transform a vector of 2^p elements in natural order, without normalization.

    The lower half of the index is transformed as rows, too: with short strides numpy would spend
    its time between the elements.
    """
    p = len(vector).bit_length() - 1
    low = p // 2
    folded = np.ascontiguousarray(vector.reshape(-1, 1 << low).T)
    folded = np.ascontiguousarray(_transform_rows(folded).T)
    return _transform_rows(folded).reshape(-1)


def _transform_rows(matrix: NDArray[Any]) -> NDArray[Any]:
    """Transform the first axis; overwrites the matrix."""
    rows, cols = matrix.shape
    other = np.empty_like(matrix)
    half = 1
    while half < rows:
        source = matrix.reshape(-1, 2, half * cols)
        target = other.reshape(-1, 2, half * cols)
        np.add(source[:, 0], source[:, 1], out=target[:, 0])
        np.subtract(source[:, 0], source[:, 1], out=target[:, 1])
        matrix, other = other, matrix
        half *= 2
    return matrix

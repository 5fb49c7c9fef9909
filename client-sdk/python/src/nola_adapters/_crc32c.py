"""CRC-32C (SPEC.md section 2), by numpy for long inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_ONES = 0xFFFFFFFF
_LANES = 1 << 12

Words = NDArray[np.uint32]


def _table() -> Words:
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = (crc >> np.uint32(1)) ^ (crc & np.uint32(1)) * np.uint32(_POLYNOMIAL)
    return crc


_TABLE = _table()
_TABLE_LIST: list[int] = _TABLE.tolist()


def crc32c(data: bytes | memoryview) -> int:
    """Return the checksum of bytes."""
    rows = len(data) // _LANES
    if rows < 16:
        return _update(_ONES, data) ^ _ONES
    head = rows * _LANES
    return _update(_lanes(np.frombuffer(data, np.uint8, head), rows), data[head:]) ^ _ONES


def _update(crc: int, data: bytes | memoryview) -> int:
    for byte in data:
        crc = (crc >> 8) ^ _TABLE_LIST[(crc ^ byte) & 0xFF]
    return crc


def _lanes(data: NDArray[np.uint8], length: int) -> int:
    """Return the register after all lanes of `length` bytes each, which are computed at once."""
    columns = np.ascontiguousarray(data.reshape(_LANES, length).T)
    crc = np.zeros(_LANES, dtype=np.uint32)
    crc[0] = _ONES
    for column in columns:
        crc = (crc >> np.uint32(8)) ^ _TABLE[(crc ^ column) & np.uint32(0xFF)]
    # The register is linear: lane pairs are joined by shifting the left one past the right one.
    shift = _shift(length)
    while len(crc) > 1:
        crc = _apply(shift, crc[0::2]) ^ crc[1::2]
        shift = _apply(shift, shift)
    return int(crc[0])


def _shift(length: int) -> Words:
    """Return the matrix, a word for each input bit, of `length` zero bytes."""
    result: Words = np.uint32(1) << np.arange(32, dtype=np.uint32)
    power = (result >> np.uint32(8)) ^ _TABLE[result & np.uint32(0xFF)]
    while length:
        if length & 1:
            result = _apply(power, result)
        power = _apply(power, power)
        length >>= 1
    return result


def _apply(matrix: Words, vectors: Words) -> Words:
    """Multiply a 32×32 matrix over GF(2) with each of some vectors."""
    result = np.zeros_like(vectors)
    for bit in range(32):
        result ^= ((vectors >> np.uint32(bit)) & np.uint32(1)) * matrix[bit]
    return result

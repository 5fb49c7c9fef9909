"""Nola adapters: LoRA factors as a seed and a few hundred quantized coefficients.

Reads, writes, verifies and merges `.nola` files with the bits of every other implementation
(format-spec/SPEC.md). The modules `nola_adapters.registry`, `nola_adapters.torch` and
`nola_adapters.serving` pull and publish, train, and serve.
"""

from nola_adapters._file import decode, encode, read, write
from nola_adapters._merge import Weighted, merge
from nola_adapters._reconstruct import (
    DEFAULT_BUDGET,
    Factors,
    base_identity,
    factors,
    seal,
    verified_factors,
    verify,
)
from nola_adapters.model import (
    Adapter,
    AdapterFile,
    Base,
    Codes,
    DenseTensor,
    DType,
    Generator,
    Layer,
    Metadata,
    Slice,
)

__all__ = [
    "DEFAULT_BUDGET",
    "Adapter",
    "AdapterFile",
    "Base",
    "Codes",
    "DType",
    "DenseTensor",
    "Factors",
    "Generator",
    "Layer",
    "Metadata",
    "Slice",
    "Weighted",
    "base_identity",
    "decode",
    "encode",
    "factors",
    "merge",
    "read",
    "seal",
    "verified_factors",
    "verify",
    "write",
]

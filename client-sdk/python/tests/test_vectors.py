"""Every conformance vector of SPEC.md section 16."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nola_adapters as nola
from nola_adapters._bases import philox
from nola_adapters._merge import merge_block
from nola_adapters._reconstruct import dense_leaf, layer_factors
from nola_adapters.errors import AdapterError, DigestMismatchError, MergeOverflowError

VECTORS = Path(__file__).parents[3] / "format-spec" / "vectors"
MANIFEST = json.loads((VECTORS / "manifest.json").read_text(encoding="utf-8"))
SEED = 0x0123456789ABCDEF
SHOWN = 8


def file_bytes(entry: dict[str, Any]) -> bytes:
    if "recipe" not in entry:
        return (VECTORS / entry["file"]).read_bytes()
    data = bytearray()
    for part in entry["recipe"]:
        if "hex" in part:
            data += bytes.fromhex(part["hex"]) * part.get("times", 1)
        else:
            numbers = part["first"] + part["step"] * np.arange(part["count"], dtype=np.uint64)
            data += (numbers & np.uint64(0xFFFFFFFF)).astype("<u4").tobytes()
    return bytes(data)


def f32_hex(values: np.ndarray) -> list[str]:
    with np.errstate(over="ignore"):
        bits = values.reshape(-1)[:SHOWN].astype("<f4").view("<u4")
    return [f"{number:08x}" for number in bits]


def f64_hex(values: np.ndarray) -> list[str]:
    return [f"{number:016x}" for number in values.reshape(-1)[:SHOWN].view("<u8")]


def name(entry: dict[str, Any]) -> str:
    return Path(entry["file"]).stem


@pytest.mark.parametrize("entry", MANIFEST["valid"], ids=name)
def test_valid_file_has_the_stated_bits_and_is_written_again(entry: dict[str, Any]) -> None:
    data = file_bytes(entry)
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    file = nola.decode(data)
    adapter = file.adapter
    assert (adapter.generator, f"{adapter.seed:016x}") == (entry["generator"], entry["seed"])
    computed = list(nola.verified_factors(file, budget=None))
    assert file.digest.hex() == entry["digest"]
    assert len(computed) == len(entry["layers"])
    for factors, stated in zip(computed, entry["layers"], strict=True):
        layer = factors.layer
        actual = {
            "tensor": layer.tensor,
            "form": "direct" if layer.direct else "low-rank",
            "rows": layer.rows,
            "cols": layer.cols,
            "rank": layer.rank,
            "stream": layer.stream,
            "scale": f"{layer.scale_bits:08x}",
            "leaf": factors.leaf().hex(),
            "a": f32_hex(factors.a),
            "delta": f32_hex(factors.delta()),
        }
        if factors.b is not None:
            actual["b"] = f32_hex(factors.b)
        if "delta64" in stated:
            actual["delta64"] = f64_hex(factors.delta())
        assert actual == stated
    dense = [{"name": t.name, "leaf": dense_leaf(t).hex()} for t in adapter.dense]
    assert dense == entry["dense"]
    if data[6:8] == b"\0\0":
        assert nola.encode(file) == data


@pytest.mark.parametrize("entry", MANIFEST["invalid"], ids=name)
def test_invalid_file_is_rejected_as_stated(entry: dict[str, Any]) -> None:
    data = file_bytes(entry)
    if entry["kind"] == "digest-mismatch":
        with pytest.raises(DigestMismatchError):
            nola.verify(nola.decode(data), budget=None)
        return
    with pytest.raises(AdapterError) as failure:
        nola.decode(data)
    assert failure.value.kind == entry["kind"], str(failure.value)


@pytest.mark.parametrize("number", range(len(MANIFEST["merges"])))
def test_merge_has_the_stated_bytes(number: int) -> None:
    entry = MANIFEST["merges"][number]
    weights = bytes.fromhex(entry["weights"])
    dtype = nola.DType(entry["dtype"])
    count = len(weights) // dtype.itemsize
    summands = []
    for part in entry.get("deltas", [entry]):
        adapter = nola.read(VECTORS / part["file"]).adapter
        layer = adapter.layers[part["layer"]]
        delta = layer_factors(adapter.generator, adapter.seed, layer).delta().reshape(-1)
        weight = struct.unpack(">d", bytes.fromhex(part["weight"]))[0]
        start = entry["from"]
        summands.append((weight, delta[start : start + count], (slice(None),)))
    if "overflow" in entry:
        with pytest.raises(MergeOverflowError) as failure:
            merge_block(weights, dtype, (count,), summands)
        assert failure.value.element == entry["overflow"]
    else:
        assert merge_block(weights, dtype, (count,), summands).hex() == entry["merged"]


@pytest.mark.parametrize("number", range(len(MANIFEST["identities"])))
def test_base_identity_is_the_stated_one(number: int) -> None:
    entry = MANIFEST["identities"][number]
    tensors = [
        nola.DenseTensor(
            t["name"], tuple(t["shape"]), nola.DType(t["dtype"]), bytes.fromhex(t["data"])
        )
        for t in entry["tensors"]
    ]
    assert nola.base_identity(tensors).hex() == entry["identity"]


def drawn_codes(entry: dict[str, Any], side: int, count: int) -> nola.Codes:
    bits = entry["bits"]
    if entry["codes"] < 0:
        return nola.Codes(bits, np.full(count, (1 << bits) - 1))
    words = philox(entry["codes"], np.arange(-(-count // 4)), 0, 0, side).reshape(-1)[:count]
    return nola.Codes(bits, words >> np.uint32(32 - bits))


@pytest.mark.parametrize("number", range(len(MANIFEST["computed"])))
def test_layer_of_real_size_has_the_stated_bits(number: int) -> None:
    entry = MANIFEST["computed"][number]
    generator = nola.Generator(entry["generator"])
    layer = nola.Layer(
        "w",
        entry["rows"],
        entry["cols"],
        entry["rank"],
        entry["stream"],
        np.float32(2**-20),
        drawn_codes(entry, 0, entry["k"]),
        drawn_codes(entry, 1, entry["l"]) if entry["rank"] else None,
    )
    seed = 0 if generator is nola.Generator.IDENTITY else SEED
    factors = layer_factors(generator, seed, layer)
    assert factors.leaf().hex() == entry["leaf"]
    assert f64_hex(factors.delta(0, 1)) == entry["delta64"]

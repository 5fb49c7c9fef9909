"""Run the reader on the conformance vectors of SPEC section 16.

Usage: python3 test_vectors.py [--all] [VECTORS_FOLDER]

Prints each failure with the expected and the actual value; the last line is
`N passed, M failed`. The exit status is 0 if nothing failed, and 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import nola_reader as nola

Entry = dict[str, Any]
Finding = tuple[str, object, object]
DEFAULT_FOLDER = Path(__file__).resolve().parent / ".." / ".." / "format-spec" / "vectors"
SHOWN = 8


def f32_hex(values: np.ndarray) -> list[str]:
    """The first values as hex digits of their f32 bits."""
    with np.errstate(over="ignore"):
        bits = values.reshape(-1)[:SHOWN].astype("<f4").view("<u4")
    return [f"{number:08x}" for number in bits]


def f64_from_hex(digits: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(digits))[0])


def f64_hex(values: np.ndarray) -> list[str]:
    """The first values as hex digits of their bits."""
    return [f"{number:016x}" for number in values.reshape(-1)[:SHOWN].astype("<f8").view("<u8")]


def file_bytes(folder: Path, entry: Entry) -> bytes:
    """A file that is stored, or made by its recipe."""
    if "recipe" not in entry:
        return (folder / entry["file"]).read_bytes()
    data = bytearray()
    for part in entry["recipe"]:
        if "hex" in part:
            data += bytes.fromhex(part["hex"]) * part.get("times", 1)
        else:
            numbers = range(part["count"])
            values = [(part["first"] + i * part["step"]) & nola.MASK32 for i in numbers]
            data += struct.pack(f"<{len(values)}I", *values)
    return bytes(data)


def layer_facts(result: nola.Reconstruction) -> Entry:
    """What the manifest of the vectors says of a layer (SPEC section 16)."""
    layer = result.layer
    facts: Entry = {
        "tensor": layer.tensor,
        "form": "direct" if layer.direct else "low-rank",
        "rows": layer.rows,
        "cols": layer.cols,
        "rank": layer.rank,
        "stream": layer.stream,
        "scale": f"{layer.scale_bits:08x}",
        "leaf": nola.layer_leaf(result).hex(),
        "a": f32_hex(result.a),
        "delta": f32_hex(result.delta()),
        "delta64": f64_hex(result.delta()),
    }
    if result.b is not None:
        facts["b"] = f32_hex(result.b)
    return facts


def file_facts(data: bytes) -> Entry:
    """What the manifest of the vectors says of a valid file (SPEC section 16)."""
    adapter = nola.read(data)
    results = nola.reconstruct(adapter, verify=False)
    dense = [{"name": t.name, "leaf": nola.dense_leaf(t).hex()} for t in adapter.dense]
    return {
        "sha256": nola.sha256(data).hex(),
        "generator": adapter.generator,
        "seed": f"{adapter.seed:016x}",
        "digest": nola.root_digest(adapter, results).hex(),
        "stored digest": adapter.digest.hex(),
        "layers": [layer_facts(result) for result in results],
        "dense": dense,
        "encoded again": nola.write(adapter).hex(),
    }


def differences(name: str, expected: Any, actual: Any) -> Iterator[Finding]:
    """Every place where two values made of dictionaries and lists differ."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            yield from differences(f"{name}.{key}", expected.get(key), actual.get(key))
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"length of {name}", len(expected), len(actual)
        for number, pair in enumerate(zip(expected, actual)):
            yield from differences(f"{name}[{number}]", *pair)
    elif expected != actual:
        yield name, expected, actual


def check_valid(folder: Path, entry: Entry) -> Iterator[Finding]:
    data = file_bytes(folder, entry)
    left_out = ("file", "about", "recipe")
    expected = {key: value for key, value in entry.items() if key not in left_out}
    expected["encoded again"] = data.hex()
    expected["stored digest"] = entry["digest"]
    actual = file_facts(data)
    for layer, stated in zip(actual["layers"], entry["layers"]):
        if "delta64" not in stated:
            del layer["delta64"]
    yield from differences("file", expected, actual)


def outcome(action: Callable[[], object]) -> str:
    """The kind of the error that an action raises, or "accepted"."""
    try:
        action()
    except nola.NolaError as error:
        return error.kind
    return "accepted"


def check_invalid(folder: Path, entry: Entry) -> Iterator[Finding]:
    data = file_bytes(folder, entry)
    on_reconstruction = entry["kind"] == nola.DIGEST
    expected = "accepted" if on_reconstruction else entry["kind"]
    yield from differences("reading", expected, outcome(lambda: nola.read(data)))
    if on_reconstruction:
        actual = outcome(lambda: nola.reconstruct(nola.read(data)))
        yield from differences("reconstruction", entry["kind"], actual)


def merge_result(folder: Path, entry: Entry) -> Entry:
    """Merge parts of layers into the weights of a vector (SPEC section 7.3)."""
    weights = bytes.fromhex(entry["weights"])
    count = len(weights) // nola.DTYPE_SIZE[entry["dtype"]]
    start = entry["from"]
    deltas = []
    for part in entry.get("deltas", [entry]):
        adapter = nola.read((folder / part["file"]).read_bytes())
        result = nola.reconstruct_layer(adapter, adapter.layers[part["layer"]])
        delta = result.delta().reshape(-1)[start:start + count]
        deltas.append((f64_from_hex(part["weight"]), delta))
    try:
        merged = nola.merge("w", weights, entry["dtype"], deltas)
    except nola.MergeError as error:
        return {"overflow": error.element}
    return {"merged": merged.hex()}


def check_merge(folder: Path, entry: Entry) -> Iterator[Finding]:
    expected = {key: entry[key] for key in ("merged", "overflow") if key in entry}
    yield from differences("merge", expected, merge_result(folder, entry))


def check_identity(folder: Path, entry: Entry) -> Iterator[Finding]:
    tensors = [
        nola.DenseTensor(t["name"], tuple(t["shape"]), t["dtype"], bytes.fromhex(t["data"]))
        for t in entry["tensors"]
    ]
    yield from differences("identity", entry["identity"], nola.base_identity(tensors).hex())


SEED = 0x0123456789ABCDEF
SCALE_BITS = 0x35800000
DEFAULT_STEPS = 1 << 22


def drawn_codes(entry: Entry, side: int, count: int) -> nola.Side:
    """The codes of a computed layer (SPEC section 16)."""
    bits = entry["bits"]
    if entry["codes"] < 0:
        return nola.Side(bits, np.full(count, (1 << bits) - 1, dtype=np.int64))
    blocks = nola.counter(np.arange(-(-count // 4)))
    zero = nola.counter(0)
    words = nola.philox(entry["codes"], blocks, zero, zero, nola.counter(side))
    drawn = words.reshape(-1)[:count].astype(np.int64) >> (32 - bits)
    return nola.Side(bits, drawn)


def computed_layer(entry: Entry) -> nola.Layer:
    rows, cols, rank = entry["rows"], entry["cols"], entry["rank"]
    b = drawn_codes(entry, 1, entry["l"]) if rank else None
    a = drawn_codes(entry, 0, entry["k"])
    return nola.Layer("w", (rows, cols), None, rows, cols, rank, entry["stream"], SCALE_BITS, a, b)


def first_delta(result: nola.Reconstruction) -> np.ndarray:
    """The first values of ΔW, which are all in its first row."""
    layer = result.layer
    if result.b is None:
        return result.a[:SHOWN].astype(np.float64)
    row = nola.Layer(
        layer.tensor, (1, layer.cols), None, 1, layer.cols, layer.rank, 0, 0, layer.a, layer.b
    )
    return nola.Reconstruction(row, result.a[:layer.rank], result.b).delta()


def check_computed(_: Path, entry: Entry) -> Iterator[Finding]:
    layer = computed_layer(entry)
    seed = 0 if entry["generator"] == nola.IDENTITY else SEED
    adapter = nola.Adapter(seed, entry["generator"], b"", (layer,))
    result = nola.reconstruct_layer(adapter, layer)
    yield from differences("leaf", entry["leaf"], nola.layer_leaf(result).hex())
    yield from differences("delta64", entry["delta64"], f64_hex(first_delta(result)))


def steps(entry: Entry) -> int:
    """Basis integers that the reader computes for a computed layer."""
    if "codes" not in entry or entry["generator"] in (nola.SRHT, nola.IDENTITY):
        return 0
    return nola.work((computed_layer(entry),), entry["generator"])


CHECKS = {
    "valid": check_valid,
    "invalid": check_invalid,
    "merges": check_merge,
    "identities": check_identity,
    "computed": check_computed,
}


def run_check(folder: Path, section: str, entry: Entry) -> list[Finding]:
    """The findings of one vector; an unexpected exception is a finding, too."""
    try:
        return list(CHECKS[section](folder, entry))
    except Exception as error:  # a failed vector must not stop the others
        return [("exception", "none", f"{type(error).__name__}: {error}")]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Runs the reader on every conformance vector.")
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument(
        "--all", action="store_true", help="compute the layers that take seconds each, too"
    )
    options = parser.parse_args(arguments)
    folder = options.folder
    if not (folder / "manifest.json").is_file():
        parser.error(f"{folder} holds no manifest.json")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    passed = failed = skipped = 0
    for section in CHECKS:
        for number, entry in enumerate(manifest[section]):
            if not options.all and steps(entry) > DEFAULT_STEPS:
                skipped += 1
                continue
            findings = run_check(folder, section, entry)
            passed += not findings
            failed += bool(findings)
            for what, expected, actual in findings:
                print(f"FAILED {section}[{number}] {entry.get('file', '')}: {what}")
                print(f"  expected {expected}")
                print(f"  actual   {actual}")
    if skipped:
        print(f"{skipped} layers of real size skipped; --all computes them")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

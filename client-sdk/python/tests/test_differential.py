"""Adapters that Python and Java write must be the same bytes, and each must read the other's."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nola_adapters as nola
from nola_adapters import Adapter, Base, Codes, DenseTensor, DType, Generator, Layer, Metadata

NUMBER = 200
SOURCE = Path(__file__).parent / "java" / "WriteAdapters.java"
NAMES = ("model.layers.{}.attn.weight", "h.{}.mlp.c_fc", "ä.{}", "{}", "conv.{}.0.weight")


def random_codes(draw: random.Random, count: int, bits: int) -> Codes:
    return Codes(bits, np.array([draw.randrange(1 << bits) for _ in range(count)]))


def random_layer(draw: random.Random, generator: Generator, tensor: str) -> Layer:
    """A layer that may be sliced, reshaped or of the direct form."""
    shape = [draw.randint(1, 24) for _ in range(draw.choice((1, 2, 2, 2, 4)))]
    adapted, part = list(shape), None
    dim = draw.randrange(len(shape))
    if shape[dim] > 1 and draw.random() < 0.3:
        length = draw.randint(1, shape[dim] - 1)
        part = nola.Slice(dim, draw.randint(0, shape[dim] - length), length)
        adapted[dim] = length
    rows = adapted[0]
    cols = int(np.prod(adapted[1:], dtype=int))
    rank = draw.choice((0, 1, 2, 5))
    sides = []
    for length in (rows * rank, rank * cols) if rank else (rows * cols,):
        limit = 1 << (length.bit_length() - 1) if generator is Generator.SRHT else 40
        count = length if generator is Generator.IDENTITY else draw.randint(1, min(limit, 40))
        sides.append(random_codes(draw, count, draw.choice((1, 3, 4, 4, 8, 16))))
    scale = np.float32(0 if draw.random() < 0.1 else 2.0 ** draw.randint(-126, 73) * 1.25)
    stream = 0 if generator is Generator.IDENTITY else draw.choice((0, 1, draw.getrandbits(32)))
    b = sides[1] if rank else None
    return Layer(tensor, rows, cols, rank, stream, scale, sides[0], b, tuple(shape), part)


def random_run(draw: random.Random, generator: Generator) -> list[Layer]:
    """Layers of one form in a run of indices, which a file stores as one group or several."""
    name, first = draw.choice(NAMES), draw.randint(0, 12)
    model = random_layer(draw, generator, name.format(first))
    step = 0 if generator is Generator.IDENTITY else draw.choice((0, 1, 2, 1 << 31))
    run = []
    for i in range(draw.randint(1, 5)):
        stream = (model.stream + i * step) % (1 << 32)
        if draw.random() < 0.1 and generator is not Generator.IDENTITY:
            stream = draw.getrandbits(32)
        b = None if model.b is None else random_codes(draw, model.b.count, model.b.bits)
        run.append(
            Layer(
                name.format(first + i),
                model.rows,
                model.cols,
                model.rank,
                stream,
                model.scale,
                random_codes(draw, model.a.count, model.a.bits),
                b,
                model.shape,
                model.slice,
            )
        )
    return run


def random_adapter(draw: random.Random) -> Adapter:
    generator = draw.choice(list(Generator))
    layers: dict[str, Layer] = {}
    for _ in range(draw.randint(0, 4)):
        layers.update({layer.tensor: layer for layer in random_run(draw, generator)})
    dense = {}
    for i in range(draw.randint(0 if layers else 1, 3)):
        shape = tuple(draw.randint(1, 5) for _ in range(draw.randint(0, 3)))
        dtype = draw.choice(list(DType))
        size = int(np.prod(shape, dtype=int)) * dtype.itemsize
        dense[f"head.{i}"] = DenseTensor(f"head.{i}", shape, dtype, draw.randbytes(size))
    order = list(layers.values())
    draw.shuffle(order)
    return Adapter(
        generator,
        0 if generator is Generator.IDENTITY else draw.getrandbits(64),
        tuple(order),
        tuple(dense.values()),
        Base(
            draw.choice(("", "acme/llama")),
            draw.choice(("", "main")),
            draw.choice((None, draw.randbytes(32))),
        ),
        Metadata(
            draw.choice(("", "Überraschung\n中文")),
            draw.choice(("", "text-generation")),
            draw.choice(("", "MIT")),
            tuple(draw.sample(("b", "a", "é", "中"), draw.randint(0, 4))),
            tuple((name, draw.choice((0.0, 1e-300, -2.5))) for name in draw.sample("zyx", 2)),
            tuple((key, draw.choice(("", "v"))) for key in draw.sample(("k", "j", "i"), 1)),
        ),
    )


def described(adapter: Adapter) -> dict[str, Any]:
    def codes(side: Codes | None) -> Any:
        return None if side is None else {"bits": side.bits, "values": side.values.tolist()}

    identity = adapter.base.identity
    return {
        "generator": int(adapter.generator),
        "seed": f"{adapter.seed:x}",
        "base": {
            "name": adapter.base.name,
            "revision": adapter.base.revision,
            "identity": None if identity is None else identity.hex(),
        },
        "metadata": vars(adapter.metadata),
        "layers": [
            {
                "tensor": layer.tensor,
                "shape": layer.shape,
                "slice": None if layer.slice is None else list(vars(layer.slice).values()),
                "rows": layer.rows,
                "cols": layer.cols,
                "rank": layer.rank,
                "stream": layer.stream,
                "scale": layer.scale_bits,
                "a": codes(layer.a),
                "b": codes(layer.b),
            }
            for layer in adapter.layers
        ],
        "dense": [
            {
                "name": tensor.name,
                "dtype": tensor.dtype.name,
                "shape": tensor.shape,
                "data": base64.b64encode(tensor.data).decode(),
            }
            for tensor in adapter.dense
        ],
    }


def test_python_and_java_write_the_same_bytes(tmp_path: Path, nola_jar: Path, java: str) -> None:
    draw = random.Random(20261128)
    adapters = [random_adapter(draw) for _ in range(NUMBER)]
    (tmp_path / "contents.json").write_text(json.dumps([described(a) for a in adapters]))
    python = tmp_path / "python"
    python.mkdir()
    for number, adapter in enumerate(adapters):
        nola.write(nola.seal(adapter), python / f"{number}.nola")
    arguments = [java, "-Xshare:auto", "-cp", str(nola_jar), str(SOURCE), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{NUMBER} adapters\n"
    for number in range(NUMBER):
        file = tmp_path / "java" / f"{number}.nola"
        assert file.read_bytes() == (python / f"{number}.nola").read_bytes()
        nola.verify(nola.read(file))
    forms = [layer for adapter in adapters for layer in adapter.layers]
    assert {adapter.generator for adapter in adapters} == set(Generator)
    assert any(layer.slice for layer in forms)
    assert any(layer.direct for layer in forms)


def test_writer_refuses_what_a_reader_rejects() -> None:
    layer = Layer("w", 4, 4, 1, 0, np.float32(1), Codes(4, np.arange(5)), Codes(4, np.arange(4)))
    with pytest.raises(nola.errors.CorruptError, match="5 coefficients of side A"):
        nola.encode(nola.AdapterFile(Adapter(Generator.SRHT, 1, (layer,)), bytes(32)))

"""Whole models merged, compared with the bytes of `nola merge`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import nola_adapters as nola
from nola_adapters import Adapter, Base, Codes, DenseTensor, DType, Generator, Layer, Slice
from nola_adapters._safetensors import open_model, write_file
from nola_adapters.errors import MergeOverflowError, MergeRefusedError

SHAPES = {
    "model.embed.weight": ("F32", (10, 6)),
    "model.layers.0.q.weight": ("BF16", (8, 6)),
    "model.layers.0.v.weight": ("F16", (8, 6)),
    "model.layers.0.fused.weight": ("F32", (4, 3, 2)),
    "classifier.weight": ("BF16", (2, 6)),
    "step": ("I64", (1,)),
}


def base_model(folder: Path) -> Path:
    """A model of two files with tensors of every type that adapters change, and one other."""
    folder.mkdir()
    draw = np.random.default_rng(5)
    names = list(SHAPES)
    where = {}
    for number, part in enumerate((names[:3], names[3:])):
        tensors, data = [], []
        for name in part:
            dtype, shape = SHAPES[name]
            values = draw.normal(size=shape).astype("<f4")
            values.reshape(-1)[0] = np.inf
            octets = values.astype("<f2") if dtype == "F16" else values
            octets = values.view("<u2").reshape(-1)[1::2] if dtype == "BF16" else octets
            raw = bytes(8) if dtype == "I64" else octets.tobytes()
            tensors.append((name, dtype, shape, len(raw)))
            data.append(raw)
            where[name] = f"model-{number}.safetensors"
        write_file(folder / f"model-{number}.safetensors", tensors, iter(data))
    (folder / "config.json").write_text('{"model_type": "test"}')
    index = {"metadata": {"total_size": 0}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def layer(tensor: str, shape: tuple[int, ...], part: Slice | None = None) -> Layer:
    adapted = list(shape)
    if part is not None:
        adapted[part.dim] = part.length
    rows, cols = adapted[0], int(np.prod(adapted[1:]))
    draw = np.random.default_rng(len(tensor))
    a, b = (Codes(4, draw.integers(0, 16, 3)) for _ in range(2))
    return Layer(tensor, rows, cols, 2, 7, np.float32(2**-9), a, b, shape, part)


def adapters(identity: bytes | None = None) -> list[nola.Weighted]:
    one = Adapter(
        Generator.SRHT,
        9,
        (
            layer("layers.0.q.weight", (8, 6)),
            layer("model.layers.0.v.weight", (8, 6)),
            layer("model.layers.0.fused.weight", (4, 3, 2), Slice(1, 1, 2)),
        ),
        (DenseTensor("classifier.weight", (2, 6), DType.F32, bytes(range(48))),),
        Base(identity=identity),
    )
    other = Adapter(
        Generator.UNIFORM8,
        3,
        (
            layer("model.layers.0.q.weight", (8, 6), Slice(0, 2, 5)),
            layer("model.embed.weight", (10, 6)),
        ),
        (DenseTensor("new.bias", (3,), DType.F16, bytes(6)),),
    )
    return [nola.Weighted(nola.seal(one), 0.3), nola.Weighted(nola.seal(other), -1.7)]


@pytest.mark.parametrize("block", [1 << 22, 7])
def test_merged_model_has_the_bytes_of_the_command(
    tmp_path: Path, nola_jar: Path, java: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nola_adapters._merge._BLOCK", block)
    base = base_model(tmp_path / "base")
    options = []
    for number, each in enumerate(adapters()):
        nola.write(each.file, tmp_path / f"{number}.nola")
        options.append(f"--adapter={tmp_path}/{number}.nola={each.weight}")
    nola.merge(base, adapters(), tmp_path / "python")
    command = [java, "-jar", str(nola_jar), "merge", f"--base={base}", *options, "-q"]
    subprocess.run([*command, f"--output={tmp_path}/java"], check=True, capture_output=True)
    merged, expected = (
        {
            name: (t.dtype, t.shape, bytes(t.data))
            for file in open_model(tmp_path / writer).values()
            for name, t in file.items()
        }
        for writer in ("python", "java")
    )
    assert merged == expected
    assert (tmp_path / "python" / "config.json").read_text() == '{"model_type": "test"}'
    index = json.loads((tmp_path / "python" / "model.safetensors.index.json").read_text())
    assert index["weight_map"]["new.bias"] == "model-1.safetensors"


def test_refused_merge_writes_nothing(tmp_path: Path) -> None:
    base = base_model(tmp_path / "base")
    huge = [nola.Weighted(adapters()[0].file, 1e300)]
    with pytest.raises(MergeOverflowError, match="element 1 of model"):
        nola.merge(base, huge, tmp_path / "out")
    with pytest.raises(MergeRefusedError, match="base identity differs"):
        nola.merge(base, adapters(bytes(32)), tmp_path / "out")
    with pytest.raises(MergeRefusedError, match="two adapters have a dense tensor"):
        nola.merge(base, adapters()[:1] * 2, tmp_path / "out")
    missing = nola.seal(Adapter(Generator.SRHT, 1, (layer("gone.weight", (8, 6)),)))
    with pytest.raises(MergeRefusedError, match="gone"):
        nola.merge(base, [missing], tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["base"]
    with pytest.raises(MergeRefusedError, match="base exists; choose a new output"):
        nola.merge(base, adapters(), base)
    nola.merge(base, adapters(bytes(32)), tmp_path / "out", allow_base_mismatch=True)

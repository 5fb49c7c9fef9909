"""Loads exports for mlx-lm and ONNX Runtime with these programs; GgufExportTest does it with llama.cpp."""

from __future__ import annotations

import ctypes
from pathlib import Path

import mlx.core as mx
import numpy as np
import onnxruntime
import torch
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model
from transformers import GPT2Model

import adapters
import models
import nola_reader as nola
from checks import LEAST_CHANGE, TOLERANCE, FolderTest, run_nola, tensors

RANKS = (2, 3)


def mlx_logits(folder: Path, lora: Path | None = None) -> np.ndarray:
    # Configs of GPT-2 that Transformers 5 writes lack n_ctx, which mlx-lm requires and does not use.
    model, _ = load_model(folder, model_config={"n_ctx": models.POSITIONS})
    if lora is not None:
        load_adapters(model, str(lora))
    model.eval()
    tokens = torch.randint(2, models.VOCABULARY, (2, 24), generator=torch.Generator().manual_seed(3))
    return np.array(model(mx.array(tokens.numpy())))


class ExportsTest(FolderTest):
    def write(self, layers: list[nola.Layer]) -> Path:
        return adapters.write(self.folder / "adapter.nola", layers)

    def llama_adapter(self) -> Path:
        """Of different ranks, not in every layer."""
        layers = []
        for i in range(3, models.LAYERS - 1, 2):
            block = f"model.layers.{i}."
            layers.append(adapters.layer(block + "self_attn.q_proj.weight", (32, 32), RANKS[0], 2 * i))
            layers.append(adapters.layer(block + "mlp.down_proj.weight", (32, 56), RANKS[1], 2 * i + 1))
        layers.append(adapters.layer("lm_head.weight", (models.VOCABULARY, 32), RANKS[0], 0))
        return self.write(layers)

    def assert_mlx_is_merged_model(self, base: Path, adapter: Path, *more: object) -> None:
        lora = self.folder / "mlx"
        run_nola("export", adapter, "--format", "mlx", "-o", lora, *more)
        expected = mlx_logits(self.merged(base, adapter))
        size = np.abs(expected).max()
        apart = np.abs(mlx_logits(base, lora) - expected).max() / size
        changed = np.abs(mlx_logits(base) - expected).max() / size
        print(f"  {self._testMethodName}: {apart:.1e} apart, {changed:.1e} from the base")
        self.assertLess(apart, TOLERANCE)
        self.assertGreater(changed, LEAST_CHANGE)

    def test_mlx_llama(self) -> None:
        base = models.save(models.llama(tied=False), self.folder / "base")
        self.assert_mlx_is_merged_model(base, self.llama_adapter(), "--base", base)

    def test_mlx_llama_without_its_base(self) -> None:
        base = models.save(models.llama(tied=True), self.folder / "base")
        layer = adapters.layer("model.layers.3.self_attn.k_proj.weight", (16, 32), 3, 0)
        self.assert_mlx_is_merged_model(base, self.write([layer]))

    def test_mlx_gpt2(self) -> None:
        whole = models.save(models.gpt2(), self.folder / "whole")
        base = models.save(GPT2Model.from_pretrained(whole), self.folder / "base")
        layers = [adapters.layer(f"h.{i}.attn.c_attn.weight", (32, 96), 3, i) for i in range(5, 9)]
        self.assert_mlx_is_merged_model(base, self.write(layers), "--base", base)

    def test_onnx_adapter(self) -> None:
        adapter = self.llama_adapter()
        for dtype, onnx_type in (("f32", 1), ("f16", 10), ("bf16", 16)):
            with self.subTest(dtype):
                peft = self.folder / f"peft-{dtype}"
                run_nola("export", adapter, "-o", peft, "--dtype", dtype, "--for", "vllm", "--base-model", "a/b")
                file = self.folder / f"{dtype}.onnx_adapter"
                run_nola("export", adapter, "--format", "onnx_adapter", "--dtype", dtype, "-o", file)
                read = onnxruntime.AdapterFormat.read_adapter(str(file))
                self.assertEqual(read.get_format_version(), 1)
                parameters = read.get_parameters()
                # For vLLM all modules have one rank, as here.
                expected = {k.removeprefix("base_model.model."): v.T for k, v in tensors(peft).items()}
                self.assertEqual(parameters.keys(), expected.keys())
                for name, value in expected.items():
                    self.assertEqual(parameters[name].element_type(), onnx_type, name)
                    self.assertEqual(parameters[name].shape(), list(value.shape), name)
                    actual = bytes_of(parameters[name])
                    self.assertEqual(actual, value.contiguous().view(torch.uint8).numpy().tobytes(), name)


def bytes_of(value: onnxruntime.OrtValue) -> bytes:
    """The elements; numpy has no bfloat16."""
    return ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())

"""Loads merged models and exported adapters with the real safetensors, transformers and PEFT.

Each test creates a small random model and an adapter, runs `nola merge` and `nola export` on them,
and compares the results; test_exports.py does so for mlx-lm and ONNX Runtime, test_import.py goes the
other way, test_families.py tests many model types, test_heads.py trains first, test_dequantize.py tests
`nola dequantize`, and test_training.py reads the log of a training.
"""

from __future__ import annotations

import json
import unittest
from pathlib import Path

import numpy as np
import torch
from peft import (
    PeftConfig,
    PeftModel,
    get_peft_model,
    load_peft_weights,
    set_peft_model_state_dict,
)
from peft.tuners.lora import LoraLayer
from peft.utils.other import ModulesToSaveWrapper
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    GPT2Model,
    LlamaModel,
)

import adapters
import models
import nola_reader as nola
from checks import (
    LEAST_CHANGE,
    TOLERANCE,
    FolderTest,
    difference,
    every_key_is_known,
    load,
    module_names,
    run_nola,
    tensors,
)


class PeftTest(FolderTest):
    # -- creating files ------------------------------------------------------------------------

    def base(self, model: torch.nn.Module) -> Path:
        return models.save(model, self.folder / "base")

    def synth(self, base: Path, targets: str, *more: object) -> Path:
        adapter = self.folder / "adapter.nola"
        run_nola("synth", "--base", base, "--targets", targets, "--seed", 6, *more, "-o", adapter)
        return adapter

    def export(self, adapter: Path, *more: object, name: str = "lora") -> tuple[Path, dict]:
        lora = self.folder / name
        return lora, run_nola("export", adapter, "--format", "peft", "-o", lora, *more)

    # -- comparing ----------------------------------------------------------------------------

    def assert_loads_strictly(self, model: torch.nn.Module, lora: Path) -> None:
        """PEFT adapts exactly the exported modules, with no missing and no unexpected keys."""
        config = PeftConfig.from_pretrained(lora)
        expected = set(json.loads((lora / "adapter_config.json").read_text())["target_modules"])
        adapted = get_peft_model(model, config)
        result = set_peft_model_state_dict(adapted, load_peft_weights(str(lora), device="cpu"))
        self.assertEqual(result.unexpected_keys, [])
        own = ("lora_", "modules_to_save")
        self.assertEqual([k for k in result.missing_keys if any(o in k for o in own)], [])
        self.assertEqual(module_names(adapted, LoraLayer), expected)

    def assert_loads_without_peft_model(self, base: Path, merged: Path, lora: Path) -> None:
        """transformers puts the LoRA into its own model, under names without PEFT's prefix."""
        model = load(base)
        model.load_adapter(str(lora))
        apart = difference(models.logits(model), models.logits(load(merged)))
        self.assertLess(apart, TOLERANCE)

    def load_lora(self, model: torch.nn.Module, lora: Path) -> torch.nn.Module:
        with every_key_is_known():
            return PeftModel.from_pretrained(model, str(lora)).eval()

    def assert_lora_is_merged_model(
        self, base: Path, merged: Path, lora: Path, auto: type = AutoModelForCausalLM
    ) -> None:
        before = models.logits(load(base, auto=auto))
        expected = models.logits(load(merged, auto=auto))
        self.assert_loads_strictly(load(base, auto=auto), lora)
        adapted = self.load_lora(load(base, auto=auto), lora)
        apart = difference(models.logits(adapted), expected)
        changed = difference(expected, before)
        print(f"  {self._testMethodName}: {apart:.1e} apart, {changed:.1e} from the base")
        self.assertLess(apart, TOLERANCE)
        self.assertGreater(changed, LEAST_CHANGE)

    def assert_only_lora_keys(self, lora: Path) -> None:
        for key in tensors(lora):
            self.assertRegex(key, r"^base_model\.model\..+\.lora_[AB]\.weight$")

    # -- tests --------------------------------------------------------------------------------

    def llama(self, tied: bool) -> None:
        base = self.base(models.llama(tied))
        adapter = self.synth(base, "_proj", "--rank", 4, "--k", 20, "--l", 24)
        merged = self.merged(base, adapter)
        lora, report = self.export(adapter)
        self.assertEqual(report["modules"], 7 * models.LAYERS)
        self.assert_merged_to_the_bit(base, merged, adapter)
        self.assert_only_lora_keys(lora)
        self.assert_lora_is_merged_model(base, merged, lora)
        self.assert_loads_without_peft_model(base, merged, lora)

    def test_untied_llama(self) -> None:
        self.llama(tied=False)

    def test_tied_llama(self) -> None:
        self.llama(tied=True)

    def test_every_generator(self) -> None:
        base = self.base(models.llama(tied=False))
        for name in ("uniform24", "uniform8", "rademacher", "srht"):
            with self.subTest(name):
                adapter = self.synth(base, "down_proj", "--generator", f"philox-{name}")
                lora, _ = self.export(adapter, name=name)
                exact = adapters.deltas(adapter)
                factors = tensors(lora)
                for tensor, delta in exact.items():
                    key = "base_model.model." + tensor.removesuffix(".weight")
                    a, b = (factors[f"{key}.lora_{side}.weight"].double() for side in "AB")
                    self.assertLess(difference(b @ a, torch.from_numpy(delta)), 2.0**-50)

    def test_layer_1_without_layer_11(self) -> None:
        base = self.base(models.llama(tied=False))
        adapter = self.synth(base, r"layers\.1\.self_attn\.[qv]_proj", "--rank", 4)
        merged = self.merged(base, adapter)
        lora, report = self.export(adapter)
        self.assertEqual(report["modules"], 2)
        self.assert_lora_is_merged_model(base, merged, lora)

    def test_gpt2(self) -> None:
        base = self.base(models.gpt2())
        adapter = self.synth(base, r"c_attn|c_proj|c_fc", "--rank", 4)
        merged = self.merged(base, adapter)
        lora, report = self.export(adapter, "--base", base)
        self.assertEqual(report["modules"], 4 * models.LAYERS)
        self.assert_merged_to_the_bit(base, merged, adapter)
        self.assert_only_lora_keys(lora)
        self.assert_lora_is_merged_model(base, merged, lora)

    def test_gpt2_without_base_is_recognized_by_its_shapes(self) -> None:
        base = self.base(models.gpt2())
        adapter = self.synth(base, r"c_attn|c_proj", "--rank", 4)
        lora, _ = self.export(adapter)
        self.assert_lora_is_merged_model(base, self.merged(base, adapter), lora)

    def test_gpt2_with_square_weights_needs_an_option(self) -> None:
        base = self.base(models.gpt2())
        adapter = self.synth(base, r"attn\.c_proj", "--rank", 4)
        with self.assertRaisesRegex(AssertionError, "orientation"):
            self.export(adapter)
        lora, _ = self.export(adapter, "--orientation", "conv1d")
        self.assert_lora_is_merged_model(base, self.merged(base, adapter), lora)

    def test_gpt2_saved_without_its_head(self) -> None:
        whole = models.save(models.gpt2(), self.folder / "base")
        bare = models.save(GPT2Model.from_pretrained(whole), self.folder / "bare")
        self.assertIn("h.0.attn.c_attn.weight", tensors(bare))
        adapter = self.synth(bare, r"c_fc", "--rank", 4)
        lora, _ = self.export(adapter)
        self.assert_lora_is_merged_model(whole, self.merged(whole, adapter), lora)

    def test_slices_of_fused_weights(self) -> None:
        base = self.base(models.gpt2())
        layers = []
        for i in range(models.LAYERS):
            name = f"transformer.h.{i}.attn.c_attn.weight"
            query, value = nola.Slice(1, 0, 32), nola.Slice(1, 64, 32)
            layers.append(adapters.layer(name, (32, 96), 3, 2 * i, query))
            layers.append(adapters.layer(name, (32, 96), 2, 2 * i + 1, value))
        adapter = adapters.write(self.folder / "slices.nola", layers)
        merged = self.merged(base, adapter)
        lora, report = self.export(adapter)
        self.assertEqual((report["modules"], report["rank"]), (models.LAYERS, 5))
        self.assert_merged_to_the_bit(base, merged, adapter)
        self.assert_lora_is_merged_model(base, merged, lora)

    def test_different_ranks(self) -> None:
        base = self.base(models.llama(tied=False))
        name = "model.layers.{}.self_attn.k_proj.weight"
        layers = [adapters.layer(name.format(i), (16, 32), 1 + i, i) for i in range(5)]
        adapter = adapters.write(self.folder / "ranks.nola", layers)
        lora, report = self.export(adapter)
        self.assertEqual(report["rank"], 5)
        self.assert_lora_is_merged_model(base, self.merged(base, adapter), lora)

    def test_formerly_tied_output_embedding(self) -> None:
        base = self.base(models.llama(tied=True))
        self.assertNotIn("lm_head.weight", tensors(base))
        layers = [adapters.layer("lm_head.weight", (models.VOCABULARY, 32), 4, 0)]
        adapter = adapters.write(self.folder / "head.nola", layers)
        lora, _ = self.export(adapter)
        self.assert_lora_is_merged_model(base, self.merged(base, adapter), lora)

    def dense(self, base: Path, target: str, shape: tuple[int, int], names: list[str]) -> None:
        before = tensors(base)
        replaced = [adapters.dense(name, tuple(before[name].shape)) for name in names]
        layers = [adapters.layer(target, shape, 4, 0)]
        adapter = adapters.write(self.folder / "dense.nola", layers, replaced)
        lora, _ = self.export(adapter, "--base", base)
        self.assert_lora_is_merged_model(base, self.merged(base, adapter), lora)
        adapted = self.load_lora(load(base), lora)
        expected = {name.rpartition(".")[0] for name in names}
        self.assertEqual(module_names(adapted, ModulesToSaveWrapper), expected)

    def test_dense_tensors_of_llama(self) -> None:
        base = self.base(models.llama(tied=False))
        names = [
            "model.norm.weight",
            "model.layers.1.input_layernorm.weight",
            "lm_head.weight",
        ]
        self.dense(base, "model.layers.3.mlp.up_proj.weight", (56, 32), names)

    def test_dense_tensors_of_gpt2_with_a_bias_from_the_base(self) -> None:
        base = self.base(models.gpt2())
        names = ["transformer.ln_f.weight", "transformer.h.1.ln_1.weight"]
        self.dense(base, "transformer.h.3.mlp.c_fc.weight", (32, 128), names)

    def test_classifier_of_one_linear(self) -> None:
        base = self.base(models.llama_classifier())
        layers = [
            adapters.layer(f"model.layers.{i}.self_attn.v_proj.weight", (16, 32), 4, i)
            for i in range(models.LAYERS)
        ]
        head = [adapters.dense("score.weight", (3, 32))]
        adapter = adapters.write(self.folder / "score.nola", layers, head, "text-classification")
        lora, report = self.export(adapter)
        self.assertEqual(PeftConfig.from_pretrained(lora).task_type, "SEQ_CLS")
        merged = self.merged(base, adapter)
        self.assert_lora_is_merged_model(base, merged, lora, AutoModelForSequenceClassification)

    def test_classifier_of_several_linears(self) -> None:
        base = self.base(models.roberta_classifier())
        attention = "roberta.encoder.layer.{}.attention.self.value.weight"
        layers = [adapters.layer(attention.format(i), (32, 32), 4, i) for i in range(2)]
        head = [adapters.dense("classifier.dense.weight", (32, 32))]
        adapter = adapters.write(self.folder / "head.nola", layers, head, "text-classification")
        lora, _ = self.export(adapter, "--base", base)
        merged = self.merged(base, adapter)
        self.assert_lora_is_merged_model(base, merged, lora, AutoModelForSequenceClassification)

    def test_transformer_without_a_head(self) -> None:
        whole = models.save(models.llama(tied=False), self.folder / "whole")
        base = models.save(LlamaModel.from_pretrained(whole), self.folder / "base")
        name = "model.layers.{}.mlp.gate_proj.weight"
        layers = [adapters.layer(name.format(i), (56, 32), 4, i) for i in range(models.LAYERS)]
        adapter = adapters.write(self.folder / "bare.nola", layers, task="feature-extraction")
        lora, _ = self.export(adapter)
        self.assert_lora_is_merged_model(base, self.merged(base, adapter), lora, AutoModel)

    def test_sharded_bf16(self) -> None:
        model = models.llama(tied=False, dtype=torch.bfloat16)
        base = models.save(model, self.folder / "base", shard="50KB")
        self.assertGreater(len(list(base.glob("model-*.safetensors"))), 2)
        adapter = self.synth(base, "_proj", "--rank", 4, "--k", 20, "--l", 24)
        merged = self.merged(base, adapter)
        self.assert_merged_to_the_bit(base, merged, adapter)
        lora, _ = self.export(adapter)
        # PEFT merges in f32 here, so a weight may round to the other bf16 neighbour if W + ΔW lies
        # within an f32 error of the midpoint, which is rare.
        adapted = self.load_lora(load(base), lora).merge_and_unload()
        theirs = adapted.state_dict()
        ours = load(merged, torch.bfloat16).state_dict()
        others = elements = 0
        for name, weight in ours.items():
            their = theirs[name].to(torch.bfloat16)
            others += int((their != weight).sum())
            elements += weight.numel()
            steps = (their.view(torch.int16).int() - weight.view(torch.int16).int()).abs()
            self.assertLessEqual(int(steps.max()), 1, name)
        print(f"  {self._testMethodName}: {others} of {elements} weights rounded to the other neighbour")
        self.assertLess(others, 1e-3 * elements)

    def test_reported_rounding_error(self) -> None:
        base = self.base(models.llama(tied=False))
        adapter = self.synth(base, "_proj", "--rank", 4, "--k", 20, "--l", 24)
        exact = adapters.deltas(adapter)
        for dtype, most in (("f32", 0.0), ("f16", 2.0**-10), ("bf16", 2.0**-7)):
            with self.subTest(dtype):
                lora, report = self.export(adapter, "--dtype", dtype, name=dtype)
                factors = tensors(lora)
                largest = 0.0
                for tensor, delta in exact.items():
                    key = "base_model.model." + tensor.removesuffix(".weight")
                    a, b = (
                        factors[f"{key}.lora_{side}.weight"].double().numpy() for side in "AB"
                    )
                    error = np.linalg.norm(b @ a - delta) / np.linalg.norm(delta)
                    largest = max(largest, float(error))
                print(f"  {self._testMethodName}: {dtype} {largest:.2e}")
                self.assertAlmostEqual(report["roundingError"], largest, delta=1e-9)
                self.assertLessEqual(report["roundingError"], most)
                self.assert_loads_strictly(load(base), lora)

    def test_for_vllm(self) -> None:
        base = self.base(models.llama(tied=False))
        adapter = self.synth(base, "[qv]_proj", "--rank", 4)
        with self.assertRaisesRegex(AssertionError, "base model"):
            self.export(adapter, "--for", "vllm")
        lora, _ = self.export(
            adapter, "--for", "vllm", "--base-model", "some/model", "--dtype", "f16"
        )
        config = json.loads((lora / "adapter_config.json").read_text())
        self.assertEqual(config["base_model_name_or_path"], "some/model")
        self.assertEqual(config["r"], config["lora_alpha"])
        self.assertIsNone(config["modules_to_save"])
        self.assert_only_lora_keys(lora)
        for key, factor in tensors(lora).items():
            self.assertEqual(factor.dtype, torch.float16)
            self.assertEqual(factor.shape[0 if "lora_A" in key else 1], config["r"])

    def test_direct_form_is_refused(self) -> None:
        base = self.base(models.llama(tied=False))
        adapter = self.synth(base, "up_proj", "--direct")
        with self.assertRaisesRegex(AssertionError, "no low-rank"):
            self.export(adapter)
        self.assertFalse((self.folder / "lora").exists())

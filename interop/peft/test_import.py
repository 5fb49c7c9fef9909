"""Imports LoRAs that the real PEFT has saved.

Each test makes a LoRA with PEFT, saves it, runs `nola import-peft`, and demands that merging the
result equals the weights of PEFT's `merge_and_unload` within the reported error, and that exporting
it back to PEFT reproduces the logits of the original LoRA.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageClassification,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    PreTrainedModel,
    pipeline,
)

import models
from checks import LEAST_CHANGE, FolderTest, difference, load, run_nola, tensors, write_tokenizer

FACTOR_STD = 0.05
LABELS = ["bad", "fair", "good"]
# W + ΔW is rounded to f32 in both merges, PEFT's ΔW as well.
ROUNDING = 2.0**-20


class ImportTest(FolderTest):
    def lora(
        self, model: PreTrainedModel, dtype: torch.dtype = torch.float32, **settings: object
    ) -> tuple[Path, Path]:
        """Saves a model and a LoRA as PEFT does: of rank 4, with factors as if they were trained."""
        base = models.save(model, self.folder / "base")
        adapted = get_peft_model(model, LoraConfig(**{"r": 4, "lora_alpha": 8, **settings}))
        generator = torch.Generator().manual_seed(7)
        for name, parameter in adapted.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                noise = torch.randn(parameter.shape, generator=generator) * FACTOR_STD
                start = parameter.data if "modules_to_save" in name else 0
                parameter.data = (start + noise).to(dtype if "lora_" in name else torch.float32)
        folder = self.folder / "lora"
        adapted.save_pretrained(folder, save_embedding_layers="auto")
        return base, folder

    def imported(self, lora: Path, *more: object, name: str = "imported") -> tuple[Path, dict]:
        adapter = self.folder / f"{name}.nola"
        report = run_nola("import-peft", lora, "-o", adapter, *more)
        self.assertTrue(run_nola("verify", adapter)["ok"])
        return adapter, report

    def assert_merge_is_peft_s(
        self,
        base: Path,
        lora: Path,
        merged: Path,
        report: dict,
        auto: type = AutoModelForCausalLM,
    ) -> None:
        """Every weight differs from PEFT's by no more than the reported error of its ΔW."""
        before = load(base, auto=auto).state_dict()
        expected = PeftModel.from_pretrained(load(base, auto=auto), str(lora)).merge_and_unload()
        actual = load(merged, auto=auto)
        ours = actual.state_dict()
        changed = 0
        for name, theirs in expected.state_dict().items():
            change = (theirs.double() - before[name].double()).norm()
            apart = (theirs.double() - ours[name].double()).norm()
            limit = report["quantization"]["largest"] * change + ROUNDING * theirs.double().norm()
            self.assertLessEqual(float(apart), float(limit) * 1.01, name)
            changed += bool(change > 0.01 * before[name].double().norm())
        self.assertGreaterEqual(changed, report["modules"])
        original = models.logits(load(base, auto=auto))
        away = difference(models.logits(expected), original)
        apart = difference(models.logits(actual), models.logits(expected))
        print(
            f"  {self._testMethodName}: {report['quantization']['overall']:.1e} of ΔW,"
            f" f16 {report['f16']['overall']:.1e}; logits {apart:.1e} apart, {away:.1e} from the base"
        )
        self.assertGreater(away, LEAST_CHANGE)
        self.assertLess(apart, away * 100 * report["quantization"]["largest"] + 2.0**-16)

    def assert_export_is_the_lora(
        self, base: Path, lora: Path, adapter: Path, *more: object, auto: type = AutoModelForCausalLM
    ) -> None:
        """The exported LoRA has the same effect as the imported one."""
        exported = self.folder / "exported"
        run_nola("export", adapter, "--format", "peft", "-o", exported, *more)
        expected = models.logits(PeftModel.from_pretrained(load(base, auto=auto), str(lora)).eval())
        actual = models.logits(PeftModel.from_pretrained(load(base, auto=auto), str(exported)).eval())
        away = difference(expected, models.logits(load(base, auto=auto)))
        self.assertGreater(away, LEAST_CHANGE)
        self.assertLess(difference(actual, expected), away * 2.0**-8)

    def check(
        self,
        model: PreTrainedModel,
        *,
        auto: type = AutoModelForCausalLM,
        export: bool = True,
        without_base: bool = True,
        dtype: torch.dtype = torch.float32,
        **settings: object,
    ) -> tuple[dict, Path, Path]:
        base, lora = self.lora(model, dtype, **settings)
        adapter, report = self.imported(lora, "--base", base)
        self.assertLess(report["quantization"]["largest"], 2.0**-12)
        merged = self.merged(base, adapter)
        self.assert_merge_is_peft_s(base, lora, merged, report, auto)
        # Converted in memory, it is the same.
        direct = self.merged(base, lora, "direct")
        self.assert_same_tensors(merged, direct)
        if without_base:
            nameless, _ = self.imported(lora, name="nameless")
            self.assert_same_tensors(merged, self.merged(base, nameless, "by-module"))
        if export:
            self.assert_export_is_the_lora(base, lora, adapter, "--base", base, auto=auto)
        return report, base, lora

    def assert_same_tensors(self, one: Path, other: Path) -> None:
        ours, theirs = tensors(one), tensors(other)
        self.assertEqual(ours.keys(), theirs.keys())
        for name, tensor in ours.items():
            self.assertTrue(torch.equal(tensor, theirs[name]), name)

    # -- tests --------------------------------------------------------------------------------

    def test_llama(self) -> None:
        report, _, _ = self.check(
            models.llama(tied=False),
            task_type=TaskType.CAUSAL_LM,
            target_modules="all-linear",
        )
        self.assertEqual(report["modules"], 7 * models.LAYERS)
        self.assertLess(report["quantization"]["overall"], report["f16"]["overall"])

    def test_fewer_bits(self) -> None:
        base, lora = self.lora(models.llama(tied=False), target_modules=["q_proj", "down_proj"])
        errors = []
        for bits in (16, 8, 4):
            adapter, report = self.imported(lora, "--bits", bits, name=f"at-{bits}")
            merged = self.merged(base, adapter, f"merged-{bits}")
            self.assert_merge_is_peft_s(base, lora, merged, report)
            errors.append(report["quantization"]["overall"])
        self.assertEqual(errors, sorted(errors))
        self.assertLess(errors[-1], 0.3)

    def test_patterns_of_rank_and_alpha(self) -> None:
        self.check(
            models.llama(tied=False),
            target_modules=["q_proj", "up_proj", "k_proj"],
            rank_pattern={"k_proj": 2, r"layers\.1\.self_attn\.q_proj": 6, r"^model.layers.3.+up_proj": 3},
            alpha_pattern={r"layers\.(2|3)\..*": 20, "q_proj": 3},
        )

    def test_rank_stabilized(self) -> None:
        self.check(
            models.llama(tied=False),
            r=9,
            lora_alpha=6,
            use_rslora=True,
            target_modules=["v_proj", "down_proj"],
        )

    def test_negative_alpha(self) -> None:
        self.check(
            models.llama(tied=False), r=3, lora_alpha=-6, target_modules=["v_proj", "down_proj"]
        )

    def test_types_of_factors(self) -> None:
        for dtype in (torch.float16, torch.bfloat16):
            with self.subTest(str(dtype)):
                self.setUp()
                report, _, lora = self.check(
                    models.llama(tied=False),
                    dtype=dtype,
                    target_modules=["q_proj", "gate_proj"],
                )
                self.assertEqual({t.dtype for t in tensors(lora).values()}, {dtype})
                if dtype == torch.float16:
                    self.assertEqual(report["f16"]["overall"], 0)

    def test_gpt2(self) -> None:
        self.check(
            models.gpt2(),
            fan_in_fan_out=True,
            target_modules=["c_attn", "c_proj", "c_fc"],
        )

    def test_gpt2_with_its_output_embedding(self) -> None:
        """PEFT saves the fan_in_fan_out of the last adapted module: lm_head, a Linear, not a Conv1D."""
        self.check(
            models.gpt2(tied=False),
            target_modules=["c_attn", "lm_head"],
            without_base=False,
            export=False,
        )

    def test_tied_output_embedding(self) -> None:
        """An unmerged PEFT model adapts only the output embedding, although it is tied."""
        base, lora = self.lora(models.llama(tied=True), target_modules=["lm_head", "q_proj"])
        adapter, report = self.imported(lora, "--base", base)
        merged = load(self.merged(base, adapter))
        expected = models.logits(PeftModel.from_pretrained(load(base), str(lora)).eval())
        away = difference(expected, models.logits(load(base)))
        self.assertGreater(away, LEAST_CHANGE)
        self.assertLess(difference(models.logits(merged), expected), away * 2.0**-8)

    def test_saved_input_embedding_unties_the_output(self) -> None:
        base, lora = self.lora(
            models.llama(tied=True),
            target_modules=["q_proj"],
            modules_to_save=["embed_tokens"],
        )
        adapter, report = self.imported(lora, "--base", base)
        self.assertEqual(report["saved"], 2)
        self.assert_merge_is_peft_s(base, lora, self.merged(base, adapter), report)

    def test_embedding(self) -> None:
        report, _, lora = self.check(
            models.llama(tied=False),
            target_modules=["embed_tokens", "q_proj"],
            without_base=False,
        )
        self.assertTrue(any("lora_embedding_A" in name for name in tensors(lora)))
        self.assertTrue(any("base_layer" in name for name in tensors(lora)))
        self.assertTrue(any("left out" in note for note in report["notes"]))

    def test_embedding_without_a_base_is_stored_whole(self) -> None:
        base, lora = self.lora(models.llama(tied=False), target_modules=["embed_tokens", "q_proj"])
        adapter, report = self.imported(lora)
        self.assertEqual(report["saved"], 1)
        self.assert_merge_is_peft_s(base, lora, self.merged(base, adapter), report)

    def test_modules_to_save(self) -> None:
        self.check(
            models.llama(tied=False),
            target_modules=["q_proj"],
            modules_to_save=["norm", "lm_head"],
        )

    def test_classifier(self) -> None:
        report, _, _ = self.check(
            models.llama_classifier(),
            auto=AutoModelForSequenceClassification,
            task_type=TaskType.SEQ_CLS,
            target_modules=["q_proj", "v_proj"],
        )
        self.assertEqual(report["saved"], 1)

    def test_classifier_of_several_linears(self) -> None:
        report, _, _ = self.check(
            models.roberta_classifier(),
            auto=AutoModelForSequenceClassification,
            task_type=TaskType.SEQ_CLS,
            target_modules=["query", "value"],
        )
        self.assertEqual(report["saved"], 4)

    def head_is_stated(self, model: PreTrainedModel, start: str, head: str) -> None:
        """A LoRA of a classifier on a bare transformer becomes a model that pipelines load."""
        model.config.id2label = {i: name for i, name in enumerate(LABELS)}
        settings = {"task_type": TaskType.SEQ_CLS, "target_modules": ["query", "q_proj"]}
        base = models.save(model.base_model, self.folder / "bare")
        whole, lora = self.lora(model, **settings)
        config = json.loads((whole / "config.json").read_text())
        bare = json.loads((base / "config.json").read_text())
        bare |= {"id2label": config["id2label"], "label2id": config["label2id"]}
        (base / "config.json").write_text(json.dumps(bare))
        write_tokenizer(base, start)
        write_tokenizer(whole, start)
        adapted = PeftModel.from_pretrained(
            load(whole, auto=AutoModelForSequenceClassification), lora
        )
        expected = models.logits(adapted.eval())

        adapter, _ = self.imported(lora, "--base", base)
        stated = run_nola("inspect", adapter)["metadata"]
        self.assertEqual(stated["task"], "text-classification")
        self.assertEqual(stated["provenance"]["head"], head)
        self.assertEqual(json.loads(stated["provenance"]["labels"]), LABELS)

        merged = self.merged(base, adapter)
        loaded = load(merged, auto=AutoModelForSequenceClassification)
        self.assertEqual(type(loaded).__name__, head)
        self.assertLess(difference(models.logits(loaded), expected), 1e-3)
        classify = pipeline("text-classification", model=str(merged), device="cpu")
        self.assertIn(classify("w7 w8 w9")[0]["label"], LABELS)

        named, _ = self.imported(lora, "--base", whole, "--labels", "a,b,c", name="named")
        merged = self.merged(whole, named, name="merged-named")
        loaded = load(merged, auto=AutoModelForSequenceClassification)
        self.assertEqual(list(loaded.config.id2label.values()), ["a", "b", "c"])

        found = run_nola("predict", whole, named, "w7 w8 w9")
        self.assertRegex(json.dumps(found), '"(a|b|c)"')

    def test_head_of_bert(self) -> None:
        config = BertConfig(**models.sizes(hidden_act="gelu_new"))
        torch.manual_seed(1)
        model = BertForSequenceClassification(config).eval()
        self.head_is_stated(model, "[CLS]", "BertForSequenceClassification")

    def test_head_of_llama(self) -> None:
        self.head_is_stated(models.llama_classifier(), "w4", "LlamaForSequenceClassification")

    def test_convolution(self) -> None:
        self.check(
            models.vision_transformer(),
            auto=AutoModelForImageClassification,
            target_modules=["projection", "q_proj", "fc1"],
            export=False,
            without_base=False,
        )

    def test_experts(self) -> None:
        self.check(
            models.mixture_of_experts(),
            r=2,
            lora_alpha=6,
            target_modules=[],
            target_parameters=["mlp.experts.down_proj", "mlp.experts.gate_up_proj"],
            rank_pattern={"experts.down_proj": 3},
            without_base=False,
            export=False,
        )

    def test_experts_apart(self) -> None:
        base, lora = self.lora(
            models.mixture_of_experts_apart(),
            r=2,
            lora_alpha=6,
            target_modules=[],
            target_parameters=["experts.down_proj", "experts.gate_up_proj"],
        )
        self.assertTrue(any("experts.3.w1" in name for name in tensors(base)))
        adapter, report = self.imported(lora, "--base", base)
        self.assert_merge_is_peft_s(base, lora, self.merged(base, adapter), report)

    def test_what_cannot_be_imported_is_refused(self) -> None:
        for name, settings in {
            "DoRA": {"use_dora": True},
            "bias": {"bias": "all"},
            "lora_bias": {"lora_bias": True},
            "pissa": {"init_lora_weights": "pissa"},
            "olora": {"init_lora_weights": "olora"},
            "trainable_token_indices": {"trainable_token_indices": [1, 2]},
        }.items():
            with self.subTest(name):
                self.setUp()
                model = models.roberta_classifier() if "bias" in name else models.llama(tied=False)
                modules = ["query"] if "bias" in name else ["q_proj"]
                _, lora = self.lora(model, target_modules=modules, **settings)
                with self.assertRaisesRegex(AssertionError, f"ended with 1: (?s:.)*{name}"):
                    self.imported(lora)
                self.assertFalse((self.folder / "imported.nola").exists())

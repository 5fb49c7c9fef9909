"""Exports adapters of many model families and loads them with the real transformers and PEFT.

Each family is a small random model, saved as transformers saves it, often without the head that it
is then loaded with. Base plus exported LoRA must give the outputs of the merged model, whose
tensors in turn must be those of the independent reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers as hf
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file

import adapters
import models
from checks import FolderTest, difference, every_key_is_known, module_names, run_nola, tensors
from models import VOCABULARY

# A LoRA adds B·(A·x) to W·x, the merge rounds W + ΔW: more steps than in test_peft.
TOLERANCE = 2.0**-12


def sizes(**more: object) -> dict:
    return models.sizes(**{"intermediate_size": 64, "pad_token_id": 0, **more})


def llama(config: type, **more: object) -> hf.PretrainedConfig:
    return config(**sizes(num_key_value_heads=2, **more))


VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 16,
    "patch_size": 8,
}
HEADLESS = ("--task", "FEATURE_EXTRACTION")
DECODER = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}


def llava() -> hf.PretrainedConfig:
    return hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**VISION),
        text_config=llama(hf.LlamaConfig),
        image_token_index=95,
    )


def gemma3() -> hf.PretrainedConfig:
    return hf.Gemma3Config(
        vision_config=dict(**VISION, model_type="siglip_vision_model"),
        text_config=sizes(num_key_value_heads=2, head_dim=8),
        image_token_index=95,
    )


def qwen2_vl() -> hf.PretrainedConfig:
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    vision = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 4}
    return hf.Qwen2VLConfig(
        vision_config=vision, text_config=sizes(num_key_value_heads=2, rope_parameters=rope)
    )


def qwen3_moe() -> hf.PretrainedConfig:
    return llama(
        hf.Qwen3MoeConfig,
        num_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=16,
        head_dim=8,
        decoder_sparse_step=1,
    )


def mixtral() -> hf.PretrainedConfig:
    return llama(hf.MixtralConfig, num_local_experts=4)


@dataclass(frozen=True)
class Family:
    """A model type, the class that saves its checkpoint, and the one that loads it."""

    config: Callable[[], hf.PretrainedConfig]
    saved: type
    loaded: type
    targets: str
    options: tuple[str, ...] = ()


CLASSIFIER = hf.AutoModelForSequenceClassification
CAUSAL = hf.AutoModelForCausalLM
SEEING = hf.AutoModelForImageTextToText

FAMILIES = {
    "bert, bare": Family(lambda: hf.BertConfig(**sizes()), hf.BertModel, CLASSIFIER, "query|value"),
    "bert, whole": Family(
        lambda: hf.BertConfig(**sizes()), hf.BertForMaskedLM, hf.AutoModel, "query|value", HEADLESS
    ),
    "roberta, bare": Family(
        lambda: hf.RobertaConfig(**sizes()), hf.RobertaModel, hf.AutoModelForMaskedLM, "query|value"
    ),
    "distilbert, bare": Family(
        lambda: hf.DistilBertConfig(
            vocab_size=VOCABULARY,
            dim=32,
            n_layers=2,
            n_heads=4,
            hidden_dim=64,
            max_position_embeddings=64,
            initializer_range=0.1,
        ),
        hf.DistilBertModel,
        CLASSIFIER,
        "q_lin|v_lin",
    ),
    "llama, bare": Family(lambda: llama(hf.LlamaConfig), hf.LlamaModel, CAUSAL, "[qv]_proj"),
    "llama, classifier": Family(
        lambda: llama(hf.LlamaConfig), hf.LlamaForCausalLM, CLASSIFIER, "[qv]_proj"
    ),
    "llama, without head": Family(
        lambda: llama(hf.LlamaConfig), hf.LlamaForCausalLM, hf.AutoModel, "[qv]_proj", HEADLESS
    ),
    "gpt2, bare": Family(
        lambda: hf.GPT2Config(
            vocab_size=VOCABULARY,
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=64,
            initializer_range=0.1,
        ),
        hf.GPT2Model,
        CAUSAL,
        "c_attn|c_fc",
    ),
    "gpt_neox": Family(
        lambda: hf.GPTNeoXConfig(**sizes()), hf.GPTNeoXForCausalLM, CAUSAL, "query_key_value"
    ),
    "gpt_neox, bare": Family(
        lambda: hf.GPTNeoXConfig(**sizes()), hf.GPTNeoXModel, CAUSAL, "query_key_value|dense_h_to_4h"
    ),
    "falcon": Family(
        lambda: hf.FalconConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            initializer_range=0.1,
            new_decoder_architecture=True,
            num_kv_heads=2,
        ),
        hf.FalconForCausalLM,
        CAUSAL,
        "query_key_value|dense",
    ),
    "phi3": Family(
        lambda: llama(hf.Phi3Config), hf.Phi3ForCausalLM, CAUSAL, "qkv_proj|gate_up_proj"
    ),
    "bloom, bare": Family(
        lambda: hf.BloomConfig(
            vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.1
        ),
        hf.BloomModel,
        CAUSAL,
        "query_key_value",
    ),
    "opt, bare": Family(
        lambda: hf.OPTConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            ffn_dim=64,
            max_position_embeddings=64,
            word_embed_proj_dim=32,
            init_std=0.1,
        ),
        hf.OPTModel,
        CAUSAL,
        "[qv]_proj",
    ),
    "t5": Family(
        lambda: hf.T5Config(
            vocab_size=VOCABULARY,
            d_model=32,
            d_kv=8,
            d_ff=64,
            num_layers=2,
            num_heads=4,
            decoder_start_token_id=0,
        ),
        hf.T5ForConditionalGeneration,
        hf.AutoModelForSeq2SeqLM,
        r"Attention\.[qv]\.",
    ),
    "bart, bare": Family(
        lambda: hf.BartConfig(**DECODER, max_position_embeddings=64, init_std=0.1),
        hf.BartModel,
        hf.AutoModelForSeq2SeqLM,
        "[qv]_proj",
    ),
    "whisper": Family(
        lambda: hf.WhisperConfig(
            **DECODER,
            num_mel_bins=8,
            max_source_positions=20,
            max_target_positions=32,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
        ),
        hf.WhisperForConditionalGeneration,
        hf.AutoModelForSpeechSeq2Seq,
        "[qv]_proj",
    ),
    "mamba, bare": Family(
        lambda: hf.MambaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            num_hidden_layers=2,
            state_size=4,
            initializer_range=0.1,
        ),
        hf.MambaModel,
        CAUSAL,
        "in_proj|x_proj",
    ),
    "llava, text": Family(
        llava, hf.LlavaForConditionalGeneration, SEEING, "language_model.*[qv]_proj"
    ),
    "gemma3, text": Family(
        gemma3, hf.Gemma3ForConditionalGeneration, SEEING, "language_model.*[qv]_proj"
    ),
    "qwen2_vl, text": Family(
        qwen2_vl, hf.Qwen2VLForConditionalGeneration, SEEING, "layers.*[qv]_proj"
    ),
    "vit": Family(
        lambda: hf.ViTConfig(**VISION, num_labels=3),
        hf.ViTForImageClassification,
        hf.AutoModelForImageClassification,
        "query|value|intermediate",
    ),
    "vit, bare": Family(
        lambda: hf.ViTConfig(**VISION, num_labels=3),
        hf.ViTModel,
        hf.AutoModelForImageClassification,
        "attention.output|layer.*.output.dense",
    ),
    "dinov2, bare": Family(
        lambda: hf.Dinov2Config(**VISION, num_labels=3),
        hf.Dinov2Model,
        hf.AutoModelForImageClassification,
        "query|value",
    ),
}


def outputs(model: torch.nn.Module) -> torch.Tensor:
    """What a model computes of fixed inputs."""
    generator = torch.Generator().manual_seed(3)
    tokens = torch.randint(3, VOCABULARY - 2, (2, 10), generator=generator)
    main = model.get_base_model().main_input_name if isinstance(model, PeftModel) else model.main_input_name
    inputs: dict[str, torch.Tensor] = {"input_ids": tokens}
    if main == "pixel_values" and not hasattr(model.config, "text_config"):
        inputs = {"pixel_values": torch.randn(2, 3, 16, 16, generator=generator)}
    elif main == "input_features":
        inputs = {"input_features": torch.randn(2, 8, 40, generator=generator)}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = tokens
    with torch.no_grad():
        result = model(**inputs)
    logits = getattr(result, "logits", None)
    return result[0] if logits is None else logits


def load(auto: type, folder: Path) -> torch.nn.Module:
    """A model whose head, if the checkpoint has none, is the same every time."""
    torch.manual_seed(7)
    return auto.from_pretrained(folder).eval()


class FamiliesTest(FolderTest):
    def base(self, family: Family) -> Path:
        torch.manual_seed(1)
        folder = self.folder / "base"
        family.saved(family.config()).save_pretrained(folder)
        return folder

    def synth(self, base: Path, targets: str, name: str = "adapter") -> Path:
        adapter = self.folder / f"{name}.nola"
        sizes = ("--rank", 4, "--k", 16, "--l", 16)
        pattern = f"({targets}).*weight$"
        run_nola("synth", "--base", base, "--targets", pattern, *sizes, "-o", adapter)
        return adapter

    def assert_lora_is_the_merged_model(
        self, family: Family, base: Path, merged: Path, lora: Path, modules: int | None
    ) -> None:
        expected = outputs(load(family.loaded, merged))
        changed = difference(outputs(load(family.loaded, base)), expected)
        with every_key_is_known():
            adapted = PeftModel.from_pretrained(load(family.loaded, base), str(lora)).eval()
        if modules is not None:
            self.assertEqual(len(module_names(adapted, LoraLayer)), modules)
        self.assertLess(difference(outputs(adapted), expected), min(TOLERANCE, changed / 16))
        self.assertGreater(changed, 2.0**-14)

    def check(self, family: Family) -> None:
        base = self.base(family)
        targets = [name for name in tensors(base) if re.search(family.targets, name)]
        adapter = self.synth(base, family.targets)
        merged = self.merged(base, adapter)
        self.assert_merged_to_the_bit(base, merged, adapter)
        lora = self.folder / "lora"
        names = ("--base", base, "--base-model", "acme/base")
        report = run_nola("export", adapter, *names, *family.options, "-o", lora)
        self.assertEqual(report["warnings"], [])
        self.assertGreater(len(targets), 0)
        self.assert_lora_is_the_merged_model(family, base, merged, lora, report["modules"])
        self.assert_imported_by_the_names_of_the_loaded_model(base, merged, lora)

    def assert_imported_by_the_names_of_the_loaded_model(
        self, base: Path, merged: Path, lora: Path
    ) -> None:
        """A merge of the LoRA differs from that of the adapter by what quantization changes."""
        before, expected = tensors(base), tensors(merged)
        for name, weight in tensors(self.merged(base, lora, "imported")).items():
            delta = (expected[name] - before[name]).abs().max()
            apart = float((weight - expected[name]).abs().max())
            self.assertLessEqual(apart, float(delta) * 2.0**-10, name)

    def test_every_family(self) -> None:
        for name, family in FAMILIES.items():
            with self.subTest(name):
                self.setUp()
                self.check(family)

    def test_vision_part_of_a_wrapper(self) -> None:
        """Compares weights, as the inputs of the other tests have no images."""
        family = Family(llava, hf.LlavaForConditionalGeneration, SEEING, "vision_tower.*[qv]_proj")
        base = self.base(family)
        adapter = self.synth(base, family.targets)
        merged = load(SEEING, self.merged(base, adapter)).state_dict()
        before = load(SEEING, base).state_dict()
        for option in (("--base", base), ()):
            lora = self.folder / f"lora{len(option)}"
            run_nola("export", adapter, *option, "-o", lora)
            adapted = PeftModel.from_pretrained(load(SEEING, base), str(lora)).merge_and_unload()
            changed = 0
            for name, weight in adapted.state_dict().items():
                self.assertTrue(torch.allclose(weight, merged[name], rtol=0, atol=1e-6), name)
                changed += not torch.equal(weight, before[name])
            self.assertEqual(changed, 4)

    def test_experts_of_every_layer_are_exported(self) -> None:
        """transformers loads the matrices of all experts as one parameter, and so does PEFT."""
        for name, config, model, targets in (
            ("qwen3_moe", qwen3_moe, hf.Qwen3MoeForCausalLM, r"experts.*(gate|up|down)_proj"),
            ("mixtral", mixtral, hf.MixtralForCausalLM, r"experts.*w[123]"),
        ):
            with self.subTest(name):
                self.setUp()
                family = Family(config, model, CAUSAL, targets)
                base = self.base(family)
                adapter = self.synth(base, targets)
                merged = self.merged(base, adapter)
                self.assert_merged_to_the_bit(base, merged, adapter)
                lora = self.folder / "lora"
                run_nola("export", adapter, "--base", base, "-o", lora)
                self.assert_lora_is_the_merged_model(family, base, merged, lora, None)

    def test_experts_in_part_are_refused(self) -> None:
        base = self.base(Family(qwen3_moe, hf.Qwen3MoeForCausalLM, CAUSAL, ""))
        for targets in (r"experts.*(gate|down)_proj", r"experts\.[12].*down_proj", r"\.1\.mlp.experts.*down_proj"):
            with self.subTest(targets):
                adapter = self.synth(base, targets)
                with self.assertRaisesRegex(AssertionError, "as one parameter"):
                    run_nola("export", adapter, "--base", base, "-o", self.folder / "lora")
                adapter.unlink()

    def test_names_without_a_base_are_told_or_refused(self) -> None:
        base = self.base(FAMILIES["bert, bare"])
        adapter = self.synth(base, "query|value")
        with self.assertRaisesRegex(AssertionError, "cannot tell where the loaded model has"):
            run_nola("export", adapter, "-o", self.folder / "none")
        for option in (("--rename", "encoder=bert.encoder"), ("--module-prefix", "bert.")):
            lora = self.folder / option[1]
            run_nola("export", adapter, *option, "-o", lora)
            merged = self.merged(base, adapter, "merged" + option[0])
            self.assert_lora_is_the_merged_model(FAMILIES["bert, bare"], base, merged, lora, 4)

    def test_compiled_model(self) -> None:
        """torch.compile puts _orig_mod before the names of a checkpoint."""
        family = FAMILIES["llama, classifier"]
        base = self.base(family)
        adapter = self.synth(base, family.targets)
        compiled = self.folder / "compiled"
        compiled.mkdir()
        weights = {f"_orig_mod.{name}": tensor for name, tensor in tensors(base).items()}
        save_file(weights, compiled / "model.safetensors")
        (compiled / "config.json").write_text((base / "config.json").read_text())
        plain, merged = self.merged(base, adapter), self.merged(compiled, adapter, "merged-compiled")
        actual = tensors(merged)
        for name, tensor in tensors(plain).items():
            self.assertTrue(torch.equal(tensor, actual[f"_orig_mod.{name}"]), name)
        lora = self.folder / "lora"
        run_nola("export", self.synth(compiled, family.targets, "wrapped"), "--base", compiled, "-o", lora)
        self.assert_lora_is_the_merged_model(family, base, plain, lora, 4)

    def test_output_embedding_is_untied(self) -> None:
        """Only the output changes, be it stored or not, and in a model that also sees."""
        tied = llama(hf.LlamaConfig, tie_word_embeddings=True)
        seeing = gemma3()
        self.assertTrue(seeing.text_config.tie_word_embeddings)
        for name, config, saved, loaded, stores in (
            ("llama", tied, hf.LlamaForCausalLM, CAUSAL, False),
            ("llama, output stored", tied, hf.LlamaForCausalLM, CAUSAL, True),
            ("gemma3", seeing, hf.Gemma3ForConditionalGeneration, SEEING, False),
        ):
            with self.subTest(name):
                self.setUp()
                base = self.base(Family(lambda config=config: config, saved, loaded, ""))
                weights = tensors(base)
                embedding = next(n for n in weights if n.endswith("embed_tokens.weight"))
                if stores:
                    weights["lm_head.weight"] = weights[embedding].clone()
                    save_file(weights, base / "model.safetensors", {"format": "pt"})
                self.assertEqual("lm_head.weight" in weights, stores)
                layer = adapters.layer("lm_head.weight", tuple(weights[embedding].shape), 4, 0)
                adapter = adapters.write(self.folder / "head.nola", [layer])
                merged = self.merged(base, adapter)
                model = load(loaded, merged)
                delta = torch.from_numpy(adapters.deltas(adapter)["lm_head.weight"])
                expected = (weights[embedding].double() + delta).float()
                self.assertTrue(torch.equal(model.get_output_embeddings().weight, expected))
                self.assertTrue(torch.equal(model.get_input_embeddings().weight, weights[embedding]))

    def test_input_embedding_changes_a_tied_output_and_says_so(self) -> None:
        config = llama(hf.LlamaConfig, tie_word_embeddings=True)
        base = self.base(Family(lambda: config, hf.LlamaForCausalLM, CAUSAL, ""))
        adapter = self.synth(base, "embed_tokens")
        report = run_nola("merge", "--base", base, "--adapter", adapter, "-o", self.folder / "m")
        self.assertRegex(" ".join(report["warnings"]), "output embedding is tied")
        model = load(CAUSAL, self.folder / "m")
        self.assertIs(model.get_output_embeddings().weight, model.get_input_embeddings().weight)

    def test_merge_in_another_type(self) -> None:
        """The merge in f32, rounded as torch rounds; transformers loads the model in that type."""
        family = FAMILIES["llama, classifier"]
        base = self.base(family)
        adapter = self.synth(base, family.targets)
        wide = tensors(self.merged(base, adapter))
        for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16), ("f32", torch.float32)):
            with self.subTest(name):
                folder = self.folder / name
                run_nola("merge", "--base", base, "--adapter", adapter, "--dtype", name, "-o", folder)
                actual = tensors(folder)
                for tensor, weight in wide.items():
                    self.assertTrue(torch.equal(actual[tensor], weight.to(dtype)), tensor)
                self.assertEqual(CAUSAL.from_pretrained(folder, dtype="auto").dtype, dtype)

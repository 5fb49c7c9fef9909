"""Compares `nola dequantize` with what made the quantized models.

GGUF files are written and decoded by llama.cpp's own package gguf, and loaded by transformers; FP8
models are loaded by transformers with its own dequantization; 8-bit and 4-bit weights are made and
decoded by bitsandbytes. All values must be equal to the bit.
"""

from __future__ import annotations

import importlib.util
import json
import unittest

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    FineGrainedFP8Config,
    LlamaConfig,
    LlamaForCausalLM,
)

from checks import TOLERANCE, FolderTest, difference, load, run_nola, tensors

TEXT = "Small models learn 12345 words, and don't forget\n\n  them: naïve, 日本語!"
GGUF_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
HEADS, KEY_HEADS, LAYERS = 4, 2, 4


def has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def llama(vocabulary: int) -> LlamaForCausalLM:
    """Its rows are whole blocks of 256 elements."""
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        max_position_embeddings=64,
        rope_theta=5e5,
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
        initializer_range=0.1,
    )
    return LlamaForCausalLM(config).eval()


def tokenizer() -> Tokenizer:
    """A byte-level BPE as SmolLM's, whose digits stand alone."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([TEXT, "the models that learn words and forget them"] * 3, trainer)
    return made


def gguf_name(name: str) -> str:
    if name.startswith("model.layers."):
        number, module = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
        return f"blk.{number}.{GGUF_NAMES[module]}.weight"
    names = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    return names[name.removesuffix(".weight")] + ".weight"


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """The rows as convert_hf_to_gguf.py orders them."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def unpermuted(weight: np.ndarray, heads: int) -> np.ndarray:
    pairs = weight.reshape(heads, weight.shape[0] // heads // 2, 2, *weight.shape[1:])
    return pairs.swapaxes(1, 2).reshape(weight.shape)


def random_blocks(kind: object, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Blocks of a type that gguf only decodes: random codes, and small scales."""
    import gguf

    size, count = gguf.GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (int(np.prod(shape)) // size, count), dtype=np.uint8)
    scale = generator.uniform(1e-4, 1e-3, (len(blocks), 2)).astype(np.float16).view(np.uint8)
    if kind == gguf.GGMLQuantizationType.Q6_K:
        blocks[:, -2:] = scale[:, :2]
    else:
        blocks[:, :4] = scale
    return blocks.reshape(*shape[:-1], -1)


def finish(writer: object) -> None:
    """Writes what a GGUFWriter was given."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class DequantizeTest(FolderTest):
    def assert_equal_to_the_bit(self, actual: torch.Tensor, expected: torch.Tensor, name: str) -> None:
        self.assertEqual((actual.dtype, actual.shape), (expected.dtype, expected.shape), name)
        self.assertTrue(torch.equal(actual, expected), name)

    # -- GGUF -----------------------------------------------------------------------------------

    def write_gguf(self, model: LlamaForCausalLM, words: Tokenizer) -> dict[str, np.ndarray]:
        """Writes a file with every type; returns the values as gguf decodes them."""
        import gguf

        kinds = gguf.GGMLQuantizationType
        cycle = [
            getattr(kinds, name)
            for name in "F16 Q4_K Q8_0 Q6_K Q4_0 Q5_K Q4_1 BF16 Q5_0 Q5_1 F32".split()
        ]
        config = model.config
        writer = gguf.GGUFWriter(self.folder / "model.gguf", "llama")
        writer.add_block_count(config.num_hidden_layers)
        writer.add_context_length(config.max_position_embeddings)
        writer.add_embedding_length(config.hidden_size)
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(KEY_HEADS)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(5e5)
        writer.add_rope_dimension_count(config.hidden_size // HEADS)
        writer.add_vocab_size(config.vocab_size)
        content = json.loads(words.to_str())["model"]
        by_id = sorted(content["vocab"], key=content["vocab"].get)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(by_id)
        writer.add_token_types([3 if token == "<|end|>" else 1 for token in by_id])
        writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in content["merges"]])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(0)
        generator = np.random.default_rng(5)
        expected = {}
        for number, (name, parameter) in enumerate(model.state_dict().items()):
            values = parameter.numpy()
            heads = HEADS if "q_proj" in name else KEY_HEADS if "k_proj" in name else 0
            values = permuted(values, heads) if heads else values
            kind = kinds.F32 if values.ndim == 1 else cycle[number % len(cycle)]
            if kind in (kinds.Q4_K, kinds.Q5_K, kinds.Q6_K):
                stored = random_blocks(kind, values.shape, generator)
            else:
                stored = gguf.quants.quantize(values, kind)
            writer.add_tensor(gguf_name(name), stored, raw_dtype=kind)
            decoded = gguf.quants.dequantize(stored, kind).reshape(values.shape)
            expected[name] = unpermuted(decoded, heads) if heads else decoded
        finish(writer)
        return expected

    @unittest.skipUnless(has("gguf"), "gguf is not installed")
    def test_gguf(self) -> None:
        words = tokenizer()
        expected = self.write_gguf(llama(words.get_vocab_size()), words)
        plain = self.folder / "plain"
        report = run_nola("dequantize", self.folder / "model.gguf", "-o", plain, "--dtype", "f32")
        self.assertEqual(report["dequantized"], len(expected))
        actual = tensors(plain)
        self.assertEqual(actual.keys(), expected.keys())
        for name, values in expected.items():
            self.assert_equal_to_the_bit(actual[name], torch.from_numpy(values.copy()), name)
        theirs = AutoModelForCausalLM.from_pretrained(self.folder, gguf_file="model.gguf").eval()
        ids = torch.tensor([words.encode(TEXT).ids])
        apart = difference(load(plain)(ids).logits, theirs(ids).logits)
        self.assertLess(apart, TOLERANCE)
        mine = AutoTokenizer.from_pretrained(plain)
        self.assertEqual(mine(TEXT)["input_ids"], words.encode(TEXT).ids)
        self.assertEqual(mine.decode(mine(TEXT)["input_ids"]), TEXT)
        self.assertEqual(mine.eos_token, "<|end|>")

    @unittest.skipUnless(has("gguf"), "gguf is not installed")
    def test_gguf_in_half_precision(self) -> None:
        words = tokenizer()
        expected = self.write_gguf(llama(words.get_vocab_size()), words)
        for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
            plain = self.folder / name
            run_nola("dequantize", self.folder / "model.gguf", "-o", plain, "--dtype", name)
            for key, actual in tensors(plain).items():
                rounded = torch.from_numpy(expected[key].copy()).to(dtype)
                self.assert_equal_to_the_bit(actual, rounded, key)

    @unittest.skipUnless(has("gguf") and has("sentencepiece"), "gguf or sentencepiece is missing")
    def test_gguf_with_sentencepiece(self) -> None:
        import gguf
        import sentencepiece

        text = "The small models learn words\nnaïve café, 123 4567\ndef f(x):\n    return x + 1\n"
        (self.folder / "text").write_text(text * 20)
        sentencepiece.SentencePieceTrainer.train(
            input=self.folder / "text",
            model_prefix=str(self.folder / "pieces"),
            vocab_size=350,
            model_type="bpe",
            byte_fallback=True,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            minloglevel=2,
        )
        words = sentencepiece.SentencePieceProcessor(model_file=str(self.folder / "pieces.model"))
        ids = range(words.vocab_size())
        writer = gguf.GGUFWriter(self.folder / "model.gguf", "llama")
        for add in ("block_count", "head_count"):
            getattr(writer, f"add_{add}")(1)
        for add in ("context_length", "embedding_length", "feed_forward_length"):
            getattr(writer, f"add_{add}")(32)
        writer.add_tokenizer_model("llama")
        writer.add_token_list([words.id_to_piece(i) for i in ids])
        writer.add_token_scores([words.get_score(i) for i in ids])
        writer.add_token_types(
            [2 if words.is_unknown(i) else 3 if words.is_control(i) else 6 if words.is_byte(i) else 1 for i in ids]
        )
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        square = np.zeros((32, 32), np.float32)
        writer.add_tensor("token_embd.weight", np.zeros((len(ids), 32), np.float32))
        for module in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            writer.add_tensor(f"blk.0.{module}.weight", square)
        for norm in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
            writer.add_tensor(f"{norm}.weight", np.ones(32, np.float32))
        finish(writer)
        run_nola("dequantize", self.folder / "model.gguf", "-o", self.folder / "plain")
        mine = AutoTokenizer.from_pretrained(self.folder / "plain")
        for sample in (text, "modelslearning", "  two spaces", "☃ " + TEXT):
            expected = [1, *words.encode(sample)]
            self.assertEqual(mine(sample)["input_ids"], expected, sample)
            self.assertEqual(mine.decode(expected, skip_special_tokens=True), sample)

    # -- FP8 ------------------------------------------------------------------------------------

    def test_fp8_in_blocks(self) -> None:
        model = llama(96).to(torch.bfloat16)
        base = self.folder / "base"
        model.save_pretrained(base)
        state = {}
        for name, weight in model.state_dict().items():
            if not name.endswith("_proj.weight"):
                state[name] = weight.contiguous()
                continue
            rows, columns = weight.shape
            blocks = weight.float().reshape(rows // 128, 128, columns // 128, 128)
            scales = blocks.abs().amax(dim=(1, 3)) / 448
            codes = (blocks / scales[:, None, :, None]).to(torch.float8_e4m3fn)
            state[name] = codes.reshape(rows, columns).contiguous()
            state[name + "_scale_inv"] = scales.contiguous()
        save_file(state, base / "model.safetensors", metadata={"format": "pt"})
        config = json.loads((base / "config.json").read_text())
        config["quantization_config"] = {
            "quant_method": "fp8",
            "activation_scheme": "dynamic",
            "weight_block_size": [128, 128],
        }
        (base / "config.json").write_text(json.dumps(config))
        plain = self.folder / "plain"
        run_nola("dequantize", base, "-o", plain)
        theirs = AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.bfloat16, quantization_config=FineGrainedFP8Config(dequantize=True)
        )
        mine = load(plain, torch.bfloat16).state_dict()
        for name, expected in theirs.state_dict().items():
            self.assert_equal_to_the_bit(mine[name], expected, name)

    # -- bitsandbytes ---------------------------------------------------------------------------

    def dequantized(self, state: dict[str, torch.Tensor], dtype: str) -> dict[str, torch.Tensor]:
        base = self.folder / "base"
        base.mkdir()
        save_file({name: value.contiguous() for name, value in state.items()}, base / "model.safetensors")
        plain = self.folder / "plain"
        run_nola("dequantize", base, "-o", plain, "--dtype", dtype)
        return tensors(plain)

    @unittest.skipUnless(has("bitsandbytes"), "bitsandbytes is not installed")
    def test_bitsandbytes_8bit(self) -> None:
        from bitsandbytes import functional

        torch.manual_seed(4)
        weight = torch.randn(48, 80, dtype=torch.float16)
        codes, maxima, _ = functional.int8_vectorwise_quant(weight)
        state = {"l.weight": codes, "l.SCB": maxima, "l.weight_format": torch.tensor(0, dtype=torch.uint8)}
        actual = self.dequantized(state, "f32")
        self.assertEqual(actual.keys(), {"l.weight"})
        expected = functional.int8_vectorwise_dequant(codes, maxima)
        self.assert_equal_to_the_bit(actual["l.weight"], expected, "l.weight")

    @unittest.skipUnless(has("bitsandbytes"), "bitsandbytes is not installed")
    def test_bitsandbytes_4bit(self) -> None:
        from bitsandbytes import functional

        torch.manual_seed(4)
        state, expected = {}, {}
        for kind in ("nf4", "fp4"):
            for nested in (False, True):
                name = f"{kind}_{nested}.weight"
                # Rows of whole blocks: the CPU code of bitsandbytes decodes no others rightly.
                weight = torch.randn(48, 128) * 0.1
                codes, how = functional.quantize_4bit(
                    weight, blocksize=64, quant_type=kind, compress_statistics=nested
                )
                state[name] = codes
                for key, value in how.as_dict(packed=True).items():
                    state[f"{name}.{key}"] = value.reshape(-1) if value.dim() == 0 else value
                expected[name] = functional.dequantize_4bit(codes, how)
        actual = self.dequantized(state, "f32")
        self.assertEqual(actual.keys(), expected.keys())
        for name, value in expected.items():
            self.assert_equal_to_the_bit(actual[name], value, name)

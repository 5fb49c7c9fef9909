"""Loads what a training writes with the real libraries: TensorBoard, transformers and PEFT."""

from __future__ import annotations

import importlib.util
import json
import random
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from peft import PeftModel

import models
from checks import FolderTest, every_key_is_known, load, run_nola, write_tokenizer

STEPS = 6
JOB = """
model: {mlp: [4, 3, 2]}
task: classification
data: {format: idx, train: x, trainLabels: y, validation: x, validationLabels: y}
method: {name: full}
optimizer: {learningRate: 0.01}
run: {batch: 8, steps: %d, evaluateEvery: 3, threads: 1}
"""

LANGUAGE_JOB = """
model: {base: base, baseName: acme/base}
task: causal-lm
data: {format: jsonl, train: data.jsonl, validation: data.jsonl}
method: {name: nola, targets: all-linear, rank: 4, k: 32, l: 32, bits: 8}
optimizer: {learningRate: 0.1}
run: {batch: 8, steps: 12, threads: 1}
"""
EOS = 3
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
SIZES = {
    "vocab_size": models.VOCABULARY,
    "max_position_embeddings": 64,
    "initializer_range": 0.1,
    "bos_token_id": 2,
    "eos_token_id": EOS,
    "pad_token_id": 0,
}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4}
YARN = {"rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0, "original_max_position_embeddings": 16}
FAMILIES = {
    "llama": hf.LlamaConfig(**SMALL, **SIZES, rope_parameters=YARN),
    "mistral": hf.MistralConfig(**SMALL, **SIZES, sliding_window=6),
    "qwen2": hf.Qwen2Config(**SMALL, **SIZES),
    "qwen3": hf.Qwen3Config(**SMALL, **SIZES, head_dim=8),
    "gemma2": hf.Gemma2Config(
        **SMALL, **SIZES, head_dim=8, sliding_window=6, attn_implementation="eager"
    ),
    "gpt2": hf.GPT2Config(**GPT2, **SIZES),
}


class LanguageModelsTest(FolderTest):
    """The loss that nola states is that of the merged model, and of the base with the LoRA."""

    def test_every_family(self) -> None:
        for name, config in FAMILIES.items():
            with self.subTest(name):
                self.setUp()
                self.check(config)

    def check(self, config: hf.PretrainedConfig) -> None:
        base = self.folder / "base"
        torch.manual_seed(1)
        hf.AutoModelForCausalLM.from_config(config).save_pretrained(base)
        write_tokenizer(base, "[CLS]")
        words = [f"w{i}" for i in range(4, models.VOCABULARY)]
        choice = random.Random(1)
        rows = [(choice.choices(words, k=5), choice.choices(words, k=4)) for _ in range(16)]
        lines = [json.dumps({"prompt": " ".join(a), "completion": " " + " ".join(b)}) for a, b in rows]
        (self.folder / "data.jsonl").write_text("\n".join(lines))
        (self.folder / "job.yaml").write_text(LANGUAGE_JOB)
        adapter = self.folder / "a.nola"
        result = run_nola("train", self.folder / "job.yaml", "-o", adapter)
        self.assertLess(result["validationLoss"], result["baseValidationLoss"] - 0.01)

        # AutoTokenizer makes a class of the model type's own, without the post-processor.
        tokenizer = hf.PreTrainedTokenizerFast(tokenizer_file=str(base / "tokenizer.json"))
        self.assertLoss(result["baseValidationLoss"], load(base), tokenizer, rows)
        merged = self.merged(base, adapter)
        self.assertLoss(result["validationLoss"], load(merged), tokenizer, rows)
        lora = self.folder / "lora"
        run_nola("export", adapter, "--base", base, "-o", lora)
        with every_key_is_known():
            adapted = PeftModel.from_pretrained(load(base), str(lora)).eval()
        self.assertLoss(result["validationLoss"], adapted, tokenizer, rows)

    def assertLoss(
        self,
        expected: float,
        model: torch.nn.Module,
        tokenizer: hf.PreTrainedTokenizerFast,
        rows: list[tuple[list[str], list[str]]],
    ) -> None:
        total, count = 0.0, 0
        for prompt, completion in rows:
            start = tokenizer(" ".join(prompt))["input_ids"]
            text = tokenizer(" ".join(prompt + completion))["input_ids"] + [EOS]
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([text])).logits[0]
            losses = torch.nn.functional.cross_entropy(
                logits[len(start) - 1 : -1], torch.tensor(text[len(start) :]), reduction="none"
            )
            total += float(losses.sum())
            count += len(losses)
        self.assertAlmostEqual(total / count, expected, delta=2e-4)


@unittest.skipUnless(importlib.util.find_spec("tensorboard"), "needs the package tensorboard")
class TensorBoardTest(unittest.TestCase):
    def test_metrics_are_shown(self) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            pixels = np.random.default_rng(1).integers(0, 256, (16, 4), dtype=np.uint8)
            labels = (pixels[:, 0] > 127).astype(np.uint8)
            labels[:2] = 0, 1
            (folder / "x").write_bytes(struct.pack(">4I", 0x803, 16, 2, 2) + pixels.tobytes())
            (folder / "y").write_bytes(struct.pack(">2I", 0x801, 16) + labels.tobytes())
            (folder / "job.yaml").write_text(JOB % STEPS)
            run_nola("train", folder / "job.yaml", "-o", folder / "a.nola")
            log = (folder / "a.nola.run" / "metrics.jsonl").read_text().splitlines()
            events = EventAccumulator(str(folder / "a.nola.run"))
            events.Reload()

        losses = events.Scalars("loss/train")
        logged = [json.loads(line) for line in log]
        self.assertEqual([scalar.step for scalar in losses], list(range(1, STEPS + 1)))
        for scalar, line in zip(losses, (line for line in logged if "loss" in line)):
            self.assertAlmostEqual(scalar.value, line["loss"], places=5)
        self.assertEqual([scalar.step for scalar in events.Scalars("loss/validation")], [3, STEPS])


if __name__ == "__main__":
    unittest.main()

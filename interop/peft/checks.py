"""What the tests share: a folder, running nola, loading models and comparing tensors."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

import adapters
import models
import nola_reader as nola

NOLA = os.environ.get("NOLA", str(Path(__file__).resolve().parents[2] / "nola"))

# Merging rounds W + ΔW to f32 once, PEFT adds W·x and B·(A·x): the same sums, rounded at different
# points. Each of some 80 successive products may therefore differ by a few units of 2^-24 of its
# largest element; 2^-16 of the largest logit leaves room for that, and is far below the effect of
# the adapters, which each test checks as well.
TOLERANCE = 2.0**-16
LEAST_CHANGE = 64 * TOLERANCE


def run_nola(*arguments: object) -> dict:
    """The JSON that a command prints."""
    done = subprocess.run(
        [NOLA, *map(str, arguments), "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"nola {arguments[0]} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout or "{}")


def load(
    folder: Path, dtype: torch.dtype = torch.float32, auto: type = AutoModelForCausalLM
) -> torch.nn.Module:
    """A model whose checkpoint has exactly its tensors."""
    model, info = auto.from_pretrained(folder, dtype=dtype, output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[kind]:
            raise AssertionError(f"{folder.name}: {kind} {sorted(info[kind])}")
    return model.eval()


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference, relative to the largest element."""
    return float((one - other).abs().max() / other.abs().max())


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors in the safetensors files of a folder."""
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            found |= {name: opened.get_tensor(name) for name in opened.keys()}
    return found


def module_names(model: torch.nn.Module, kind: type) -> set[str]:
    """The modules of a kind in a PEFT model, as the model inside names them."""
    return {
        name.removeprefix("base_model.model.")
        for name, module in model.named_modules()
        if isinstance(module, kind)
    }


def write_tokenizer(folder: Path, start: str) -> None:
    """One token for each word; a text begins with `start`."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(4, models.VOCABULARY))]
    special = [{"id": i, "content": w, "special": True, "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False} for i, w in enumerate(words[:4])]  # fmt: skip
    start_id = words.index(start)
    tokenizer = {
        "version": "1.0",
        "added_tokens": special,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": start, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {start: {"id": start, "ids": [start_id], "tokens": [start]}},
        },
        "model": {
            "type": "WordLevel",
            "unk_token": "[UNK]",
            "vocab": {word: i for i, word in enumerate(words)},
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@contextmanager
def every_key_is_known() -> Iterator[None]:
    """Fails on a warning about missing, unexpected or unmatched keys."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = [str(warning.message) for warning in caught]
    keys = [t for t in texts if any(word in t.lower() for word in ("key", "missing", "unexpected"))]
    # PEFT itself adds patterns for fused experts, a parameter, and then warns that no module has their name.
    keys = [t for t in keys if "['.*\\\\.gate_up_proj']" not in t]
    if keys:
        raise AssertionError(keys)


class FolderTest(unittest.TestCase):
    """A test with a folder, which is empty after each setUp."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def merged(self, base: Path, adapter: Path, name: str = "merged") -> Path:
        folder = self.folder / name
        run_nola("merge", "--base", base, "--adapter", adapter, "-o", folder)
        return folder

    def assert_merged_to_the_bit(self, base: Path, merged: Path, adapter: Path) -> None:
        """The merged tensors are those of the independent reader, all others the base's."""
        before, after = tensors(base), tensors(merged)
        changes = adapters.deltas(adapter)
        self.assertEqual(before.keys(), after.keys())
        self.assertLessEqual(changes.keys(), before.keys())
        kinds = {torch.float32: nola.F32, torch.float16: nola.F16, torch.bfloat16: nola.BF16}
        for name, weight in before.items():
            expected = weight.contiguous().view(torch.uint8).numpy().tobytes()
            if name in changes:
                addends = [(1.0, changes[name].reshape(-1))]
                expected = nola.merge(name, expected, kinds[weight.dtype], addends)
            actual = after[name].contiguous().view(torch.uint8).numpy().tobytes()
            self.assertEqual(actual, expected, name)

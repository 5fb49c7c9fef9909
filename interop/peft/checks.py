"""What both tests use: running nola, loading models and comparing tensors."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

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

"""Loads an adapter with PEFT from the registry of HF_ENDPOINT and from the folder that nola exported, and pushes one.

The logits of the first must be equal; those of the second, but for the rounding of its factors to 16 bits on the way in and to f16
on the way out. The arguments are the base model and that folder.
"""

from __future__ import annotations

import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

MODEL, EXPORTED = sys.argv[1:]


def base() -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(MODEL)


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(torch.arange(1, 9).unsqueeze(0)).logits


plain = logits(base())
registry = logits(PeftModel.from_pretrained(base(), "acme/mood", revision="prod"))
if not torch.equal(registry, logits(PeftModel.from_pretrained(base(), EXPORTED))):
    raise AssertionError("the adapter from the registry computes other logits than the exported one")
if torch.equal(registry, plain):
    raise AssertionError("the adapter changes nothing")
print("equal logits")

torch.manual_seed(1)
settings = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
model = get_peft_model(base(), settings)
pushed = logits(model)
model.push_to_hub("acme/peft")
loaded = logits(PeftModel.from_pretrained(base(), "acme/peft"))
change = (pushed - plain).abs().max().item()
error = (loaded - pushed).abs().max().item()
if not 0 < error < change / 500:
    raise AssertionError(f"the logits of what was pushed differ by {error:.2g}, of {change:.2g} that the LoRA changes")
print(f"equal logits of what was pushed, but for rounding: {error:.1e} of {change:.1e}")

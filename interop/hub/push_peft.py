"""Trains nothing: pushes a random LoRA with PEFT to the registry of HF_ENDPOINT, and loads it from there.

The logits must be equal but for the rounding of its factors, to 16 bits on the way in and to f16 on the way out. The argument is the base model.
"""

from __future__ import annotations

import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

MODEL = sys.argv[1]


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(torch.arange(1, 9).unsqueeze(0)).logits


torch.manual_seed(1)
base = logits(AutoModelForCausalLM.from_pretrained(MODEL))
model = get_peft_model(
    AutoModelForCausalLM.from_pretrained(MODEL),
    LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM"),
)
pushed = logits(model)
model.push_to_hub("acme/peft")
loaded = logits(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(MODEL), "acme/peft"))

change = (pushed - base).abs().max().item()
error = (loaded - pushed).abs().max().item()
if not 0 < error < change / 500:
    raise AssertionError(f"the logits differ by {error:.2g}, of {change:.2g} that the LoRA changes")
print(f"equal logits but for rounding: {error:.1e} of {change:.1e}")

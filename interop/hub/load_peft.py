"""Loads an adapter with PEFT from the registry of HF_ENDPOINT, and from the folder that nola exported.

The logits must be equal. The arguments are the base model and that folder.
"""

from __future__ import annotations

import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

MODEL, EXPORTED = sys.argv[1:]


def logits(adapter: str | None, **options: object) -> torch.Tensor:
    model = AutoModelForCausalLM.from_pretrained(MODEL)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter, **options)
    with torch.no_grad():
        return model.eval()(torch.arange(1, 9).unsqueeze(0)).logits


registry = logits("acme/mood", revision="prod")
if not torch.equal(registry, logits(EXPORTED)):
    raise AssertionError("the adapter from the registry computes other logits than the exported one")
if torch.equal(registry, logits(None)):
    raise AssertionError("the adapter changes nothing")
print("equal logits")

"""Bytes that PEFT writes for adapters of LLaMA-2-7B, all linear layers: the table in the README.

The model is never allocated: its shapes are enough to add up what `save_pretrained` stores. Saving adapters of two small models
shows that RandLoRA's shared random matrices are stored once per module, not once per file.
"""

import os
import tempfile

import torch
from peft import LoraConfig, RandLoraConfig, VeraConfig, get_peft_model, get_peft_model_state_dict
from transformers import LlamaConfig, LlamaForCausalLM

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def llama(hidden, intermediate, layers, heads, vocabulary):
    return LlamaForCausalLM(
        LlamaConfig(
            hidden_size=hidden,
            intermediate_size=intermediate,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            vocab_size=vocabulary,
        )
    )


def seven_billion(name, config):
    with torch.device("meta"):
        model = get_peft_model(llama(4096, 11008, 32, 32, 32000), config)
    stored = get_peft_model_state_dict(model)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    size = sum(t.numel() * t.element_size() for t in stored.values())
    print(f"{name:18} trained {trained:>13,}  stored in f32 {size:>16,} bytes")


def saved(layers):
    model = get_peft_model(llama(512, 1376, layers, 8, 1000), RandLoraConfig(r=16, target_modules=TARGETS))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        size = os.path.getsize(os.path.join(folder, "adapter_model.safetensors"))
    print(f"RandLoRA, r = 16, on a Llama of {layers} layers of 512: a file of {size:,} bytes")


if __name__ == "__main__":
    seven_billion("LoRA, r = 1", LoraConfig(r=1, target_modules=TARGETS))
    seven_billion("LoRA, r = 16", LoraConfig(r=16, target_modules=TARGETS))
    seven_billion("VeRA, r = 256", VeraConfig(r=256, target_modules=TARGETS))
    seven_billion("RandLoRA, r = 32", RandLoraConfig(r=32, target_modules=TARGETS))
    saved(2)
    saved(4)

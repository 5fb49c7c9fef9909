"""Small random models, made by transformers with fixed seeds."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GptOssConfig,
    GptOssForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MixtralConfig,
    MixtralForCausalLM,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
    ViTConfig,
    ViTForImageClassification,
)

VOCABULARY = 96
POSITIONS = 64
# Twelve layers, to catch confusion of layer 1 with layer 11.
LAYERS = 12


def sizes(**more: object) -> dict:
    """Sizes of a small transformer, whose matrices are not all square."""
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 56,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": POSITIONS,
        "initializer_range": 0.1,
        "num_labels": 3,
        **more,
    }


def save(model: PreTrainedModel, folder: Path, shard: str = "1GB") -> Path:
    model.save_pretrained(folder, max_shard_size=shard)
    return folder


def llama_config(tied: bool) -> LlamaConfig:
    """Two key-value heads for four query heads."""
    more = {"num_hidden_layers": LAYERS, "num_key_value_heads": 2, "pad_token_id": 0}
    return LlamaConfig(**sizes(tie_word_embeddings=tied, **more))


def llama(tied: bool, dtype: torch.dtype = torch.float32) -> LlamaForCausalLM:
    torch.manual_seed(1)
    return LlamaForCausalLM(llama_config(tied)).to(dtype).eval()


def llama_classifier() -> LlamaForSequenceClassification:
    """Its head is one Linear, score."""
    torch.manual_seed(1)
    return LlamaForSequenceClassification(llama_config(tied=False)).eval()


def roberta_classifier() -> RobertaForSequenceClassification:
    """Its head is a module with two Linears, classifier.dense and classifier.out_proj."""
    torch.manual_seed(1)
    return RobertaForSequenceClassification(RobertaConfig(**sizes())).eval()


def gpt2(tied: bool = True) -> GPT2LMHeadModel:
    torch.manual_seed(2)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=32,
        n_layer=LAYERS,
        n_head=4,
        n_positions=POSITIONS,
        initializer_range=0.1,
        tie_word_embeddings=tied,
    )
    return GPT2LMHeadModel(config).eval()


def logits(model: torch.nn.Module) -> torch.Tensor:
    """The logits of a model for two fixed inputs, or its hidden states if it has no head."""
    if model.config.model_type == "vit":
        pixels = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            return model(pixel_values=pixels).logits
    tokens = torch.randint(2, VOCABULARY, (2, 24), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        output = model(input_ids=tokens)
    return output.logits if hasattr(output, "logits") else output.last_hidden_state


EXPERTS = sizes(
    intermediate_size=24,
    num_key_value_heads=2,
    num_local_experts=4,
    num_experts_per_tok=2,
    pad_token_id=0,
)


def mixture_of_experts() -> PreTrainedModel:
    """Its experts' weights are two tensors of three dimensions."""
    torch.manual_seed(4)
    model = GptOssForCausalLM(GptOssConfig(**EXPERTS, head_dim=8, eos_token_id=1))
    for parameter in model.parameters():  # some are not initialized
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def mixture_of_experts_apart() -> PreTrainedModel:
    """Its checkpoint has the matrices of each expert as tensors of their own."""
    torch.manual_seed(6)
    return MixtralForCausalLM(MixtralConfig(**EXPERTS)).eval()


def vision_transformer() -> ViTForImageClassification:
    """Its patches are embedded by a convolution."""
    torch.manual_seed(5)
    config = ViTConfig(
        hidden_size=32,
        intermediate_size=56,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=16,
        patch_size=4,
        initializer_range=0.1,
        num_labels=3,
    )
    return ViTForImageClassification(config).eval()

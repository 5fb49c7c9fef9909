"""Writes a Llama of random weights in f16, of 7B's shape unless told otherwise, to measure memory and time with.

    python random_llama.py FOLDER --tokenizer tokenizer.json [--layers 32] [--hidden 4096] [--intermediate 11008] [--heads 32]
                           [--vocabulary 32000]

The tokenizer may be any of at most as many tokens. Needs NumPy; 13.5 GB on disk, one shard for each block. Values repeat: a stretch of
normal numbers, from a new place for each tensor.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy

DRAWN = 1 << 24


def tensors(options):
    """Returns the shapes of the tensors of each shard."""
    hidden, inner = options.hidden, options.intermediate
    yield {"model.embed_tokens.weight": (options.vocabulary, hidden)}
    for layer in range(options.layers):
        prefix = "model.layers.%d." % layer
        shapes = {prefix + "self_attn.%s_proj.weight" % name: (hidden, hidden) for name in "qkvo"}
        shapes |= {prefix + "mlp.%s_proj.weight" % name: (inner, hidden) for name in ("gate", "up")}
        shapes[prefix + "mlp.down_proj.weight"] = (hidden, inner)
        shapes |= {prefix + name + "_layernorm.weight": (hidden,) for name in ("input", "post_attention")}
        yield shapes
    yield {"model.norm.weight": (hidden,), "lm_head.weight": (options.vocabulary, hidden)}


def write(path, shapes, drawn, place):
    header, offset = {}, 0
    for name, shape in shapes.items():
        end = offset + 2 * int(numpy.prod(shape))
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for shape in shapes.values():
            count = int(numpy.prod(shape))
            if len(shape) == 1:
                file.write(numpy.ones(count, numpy.float16).tobytes())
                continue
            start = int(place.integers(DRAWN))
            while count > 0:
                part = drawn[start : start + count]
                file.write(part.tobytes())
                count -= len(part)
                start = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    for name, standard in (("layers", 32), ("hidden", 4096), ("intermediate", 11008), ("heads", 32), ("vocabulary", 32000)):
        parser.add_argument("--" + name, type=int, default=standard)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    shutil.copy(options.tokenizer, options.folder / "tokenizer.json")
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": options.hidden,
        "intermediate_size": options.intermediate,
        "num_hidden_layers": options.layers,
        "num_attention_heads": options.heads,
        "num_key_value_heads": options.heads,
        "rms_norm_eps": 1e-5,
        "vocab_size": options.vocabulary,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": "float16",
    }
    (options.folder / "config.json").write_text(json.dumps(config, indent=2))
    drawn = (numpy.random.default_rng(1).standard_normal(DRAWN, numpy.float32) * 0.02).astype(numpy.float16)
    place = numpy.random.default_rng(2)
    shards = list(tensors(options))
    index = {}
    for number, shapes in enumerate(shards, 1):
        name = "model-%05d-of-%05d.safetensors" % (number, len(shards))
        write(options.folder / name, shapes, drawn, place)
        index |= dict.fromkeys(shapes, name)
    (options.folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}, indent=2))


if __name__ == "__main__":
    main()

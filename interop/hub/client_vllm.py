"""Finds an adapter of the registry by vLLM's own resolver, whose sources fetch_vllm.py has fetched.

What the resolver imports of the rest of vLLM is replaced here: settings, logger and the Hub's client. The arguments are the folder of
the sources and the folder of an exported LoRA, which is pushed with the name of a base model: vLLM takes no LoRA of another one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sys
import tempfile
import types
from pathlib import Path

from huggingface_hub import HfApi

SOURCES, EXPORTED = sys.argv[1:]
REPO, BASE = "acme/resolved", "acme/tiny-llama"


def module(name: str, **members: object) -> None:
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


sys.path.insert(0, SOURCES)
import vllm  # noqa: E402  (a folder without an __init__.py)

vllm.envs = types.SimpleNamespace(
    VLLM_PLUGINS=["lora_hf_hub_resolver"], VLLM_LORA_RESOLVER_HF_REPO_LIST=REPO, VLLM_LORA_RESOLVER_CACHE_DIR=None
)
module("vllm.envs", **vars(vllm.envs))
module("vllm.logger", init_logger=logging.getLogger)
module("vllm.transformers_utils")
module("vllm.transformers_utils.repo_utils", hf_api=HfApi)
from vllm.lora.resolver import LoRAResolverRegistry  # noqa: E402
from vllm.plugins.lora_resolvers.hf_hub_resolver import register_hf_hub_resolver  # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    shutil.copytree(EXPORTED, folder, dirs_exist_ok=True)
    config = Path(folder) / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": BASE}))
    HfApi().create_repo(REPO)
    HfApi().upload_folder(repo_id=REPO, folder_path=folder)

register_hf_hub_resolver()
resolver = LoRAResolverRegistry.get_resolver("Hf Hub Resolver")
request = asyncio.run(resolver.resolve_lora(BASE, REPO))
if request is None:
    raise AssertionError("vLLM's resolver finds nothing")
if request.lora_name != REPO or not (Path(request.lora_path) / "adapter_model.safetensors").is_file():
    raise AssertionError(f"vLLM's resolver finds something else: {request}")
if asyncio.run(resolver.resolve_lora("acme/another", REPO)) is not None:
    raise AssertionError("vLLM's resolver ignores the base model's name")
print(f"found by vLLM's resolver: {request.lora_name}")

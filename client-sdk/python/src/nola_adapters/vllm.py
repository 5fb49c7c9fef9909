"""A plugin for vLLM: a request for the model `acme/mood@prod` loads that adapter of a registry.

vLLM loads it by the entry point `vllm.general_plugins`; it needs `--enable-lora`,
`VLLM_ALLOW_RUNTIME_LORA_UPDATING=true` and `NOLA_REGISTRY`, without which it does nothing. vLLM
asks for a name once and keeps the answer: request versions, or let the sidecar follow aliases.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from vllm.lora.request import LoRARequest
from vllm.lora.resolver import LoRAResolver, LoRAResolverRegistry

from nola_adapters.errors import NolaError, RegistryError
from nola_adapters.references import Reference
from nola_adapters.serving import LoraStore

_log = logging.getLogger(__name__)


class NolaResolver(LoRAResolver):
    """Resolves references to adapters of a registry."""

    def __init__(self, store: LoraStore | None = None) -> None:
        self._store = store or LoraStore()

    async def resolve_lora(self, base_model_name: str, lora_name: str) -> LoRARequest | None:
        """Return a request for the adapter that a name refers to.

        None if it is not a reference, the registry does not have it, or it was made for another
        model; and, with an error in the log, if it is not attested as `NOLA_REQUIRE_VERIFIED`
        demands, damaged, or cannot be a LoRA.
        """
        try:
            Reference.parse(lora_name)
        except ValueError:
            return None  # another resolver may know the name
        try:
            lora = await asyncio.to_thread(self._store.get, lora_name)
        except RegistryError as error:
            _log.log(
                logging.INFO if error.kind == "not-found" else logging.ERROR,
                "%s not loaded: %s", lora_name, error,
            )  # fmt: skip
            return None
        except (NolaError, OSError) as error:
            _log.error("%s not loaded: %s", lora_name, error)
            return None
        made_for = await asyncio.to_thread(lambda: lora.pulled.open().adapter.base.name)
        if made_for and made_for != base_model_name and not Path(base_model_name).is_dir():
            _log.error("%s not loaded: made for %s, not %s", lora_name, made_for, base_model_name)
            return None
        number = 1 + int(lora.pulled.digest[:7], 16)  # vLLM assigns its own
        return LoRARequest(
            lora_name=lora_name,
            lora_int_id=number,
            lora_path=str(lora.path),
            base_model_name=base_model_name,
        )


def register() -> None:
    """Register the resolver with vLLM, if a registry is configured."""
    if os.environ.get("NOLA_REGISTRY"):
        LoRAResolverRegistry.register_resolver("Nola", NolaResolver())

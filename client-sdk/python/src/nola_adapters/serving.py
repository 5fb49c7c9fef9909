"""LoRAs of PEFT on disk, made of adapters that were pulled and verified, for serving engines."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nola_adapters._merge import encode_floats
from nola_adapters._reconstruct import Factors, verified_factors
from nola_adapters._safetensors import write_file
from nola_adapters.errors import MergeRefusedError, NotAttestedError
from nola_adapters.model import AdapterFile, DType
from nola_adapters.registry import Pulled, Registry

_GRACE_SECONDS = 300
_CONV1D = ("c_attn", "q_attn", "c_proj", "c_fc")
_DEFAULT_LIMIT = 20 << 30


def export_lora(
    file: AdapterFile, folder: Path, *, base_name: str | None = None, dtype: DType = DType.F32
) -> None:
    """Write an adapter as a LoRA of PEFT that vLLM and SGLang load as well.

    All modules get the largest rank, smaller ones padded with zeros; nothing is scaled. `folder`
    must not exist, and appears when it is complete.

    Raises MergeRefusedError if a LoRA cannot be the adapter (slices, the direct form, other views,
    dense tensors), DigestMismatchError and OSError.
    """
    if file.adapter.dense:
        name = file.adapter.dense[0].name
        raise MergeRefusedError(
            f"{name} is stored whole, which engines do not load; use nola merge"
        )
    all_factors = list(verified_factors(file))
    if not all_factors:
        raise MergeRefusedError("the adapter has no layers")
    rank = max(each.layer.rank for each in all_factors)
    modules = {_module(each): _padded(each, rank) for each in all_factors}
    config = {
        "base_model_name_or_path": base_name or file.adapter.base.name,
        "bias": "none",
        "fan_in_fan_out": any(_is_conv1d(path) for path in modules),
        "inference_mode": True,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": rank,
        "target_modules": list(modules),
        "task_type": "CAUSAL_LM" if file.adapter.metadata.task == "text-generation" else None,
        "use_dora": False,
        "use_rslora": False,
    }
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4()}.part")
    try:
        temporary.mkdir(parents=True)
        (temporary / "adapter_config.json").write_text(json.dumps(config, indent=2))
        _write_weights(temporary / "adapter_model.safetensors", modules, dtype)
        os.rename(temporary, folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def _is_conv1d(path: str) -> bool:
    return path.rpartition(".")[2] in _CONV1D


def _module(factors: Factors) -> str:
    layer = factors.layer
    plain = layer.slice is None and layer.shape == (layer.rows, layer.cols)
    if factors.b is None or not plain or not layer.tensor.endswith(".weight"):
        raise MergeRefusedError(
            f"{layer.tensor} is a slice, of the direct form or another view; use nola merge"
        )
    return layer.tensor.removesuffix(".weight")


def _padded(factors: Factors, rank: int) -> Pair:
    """Return PEFT's A (rank × inputs) and B (outputs × rank)."""
    a, b = factors.a, factors.b
    assert b is not None
    missing = rank - factors.layer.rank
    a, b = np.pad(a, ((0, 0), (0, missing))), np.pad(b, ((0, missing), (0, 0)))
    return (a.T, b.T) if _is_conv1d(_module(factors)) else (b, a)


def _write_weights(path: Path, modules: dict[str, Pair], dtype: DType) -> None:
    entries = []
    for module, pair in modules.items():
        for side, factor in zip("AB", pair, strict=True):
            entries.append((f"base_model.model.{module}.lora_{side}.weight", factor))
    head = [(name, dtype.name, f.shape, f.size * dtype.itemsize) for name, f in entries]

    def data() -> Iterator[bytes]:
        for _, factor in entries:
            yield encode_floats(np.ascontiguousarray(factor).reshape(-1), dtype)

    write_file(path, head, data())


@dataclass(frozen=True)
class Lora:
    """A LoRA on disk, and the version that it was made of."""

    path: Path
    pulled: Pulled


@dataclass(frozen=True)
class Trust:
    """How many independent machines must attest an adapter, by which keys (any, if empty)."""

    required: int = 0
    keys: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls) -> Trust:
        """Read `$NOLA_REQUIRE_VERIFIED`, a number, and `$NOLA_VERIFIED_KEYS`, split at commas.

        Raises ValueError if the number is none.
        """
        text = os.environ.get("NOLA_REQUIRE_VERIFIED") or "0"
        if not text.isdecimal():
            raise ValueError(f"invalid NOLA_REQUIRE_VERIFIED: {text}; must be a number of machines")
        keys = os.environ.get("NOLA_VERIFIED_KEYS", "").split(",")
        return cls(int(text), tuple(key.strip() for key in keys if key.strip()))


class LoraStore:
    """Pulls, verifies, reconstructs and keeps LoRAs, by the digest of their files; thread-safe.

    They lie in the folder `lora` of the cache; the least recently used ones beyond `limit` bytes
    are removed, but none of the last five minutes.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        trust: Trust | None = None,
        limit: int = _DEFAULT_LIMIT,
    ) -> None:
        self._registry = registry or Registry()
        self._trust = trust or Trust.of_environment()
        self._limit = limit
        self._guard = threading.Lock()

    def get(self, reference: str) -> Lora:
        """Return the LoRA of a reference.

        Raises RegistryError, NotAttestedError, ValueError for an invalid reference, and what
        `export_lora` raises.
        """
        pulled = self._registry.pull(reference)
        if pulled.yanked is not None and self._trust.required:
            raise NotAttestedError([f"{pulled.pinned} was withdrawn: {pulled.yanked}"])
        if self._trust.required or self._trust.keys:
            self._registry.verify(pulled, self._trust.required, self._trust.keys)
        folder = self._registry.cache.folder / "lora" / pulled.digest
        with self._guard:
            if not folder.exists():
                folder.parent.mkdir(parents=True, exist_ok=True)
                export_lora(pulled.open(), folder)
                self._prune(folder.parent)
            os.utime(folder)
        return Lora(folder, pulled)

    def _prune(self, parent: Path) -> None:
        stored = sorted((path.stat().st_mtime, path) for path in parent.iterdir() if path.is_dir())
        sizes = {path: sum(f.stat().st_size for f in path.iterdir()) for _, path in stored}
        total = sum(sizes.values())
        for used, path in stored:
            if total <= self._limit:
                break
            if time.time() - used > _GRACE_SECONDS:
                shutil.rmtree(path)
                total -= sizes[path]

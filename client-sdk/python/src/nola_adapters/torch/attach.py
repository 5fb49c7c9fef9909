"""Puts adapters into models, as LoRA layers of PEFT or merged into the weights."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nola_adapters import _file
from nola_adapters._merge import decode_floats, merge_block
from nola_adapters._reconstruct import Factors, verified_factors
from nola_adapters.errors import MergeOverflowError, MergeRefusedError
from nola_adapters.model import AdapterFile, DType, Layer

_DTYPES = {torch.float32: DType.F32, torch.float16: DType.F16, torch.bfloat16: DType.BF16}


def load(source: str | os.PathLike[str] | AdapterFile) -> AdapterFile:
    """Return an adapter of a file, or of a reference such as `acme/mood@prod`, which is pulled.

    Raises ImportError for a reference if the extra `registry` is not installed.
    """
    if isinstance(source, AdapterFile):
        return source
    if Path(source).exists() or str(source).endswith(".nola"):
        return _file.read(source)
    try:
        from nola_adapters.registry import Registry
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{source} not found; references need more packages: "
            "pip install 'nola-adapters[registry]'"
        ) from error
    return Registry().pull(str(source)).open()


def attach(
    model: nn.Module,
    adapter: str | os.PathLike[str] | AdapterFile,
    *,
    merged: bool = False,
    name: str = "nola",
) -> Any:
    """Add an adapter to a model: a reference, a path or what was read from one.

    With `merged`, the weights change in place, under SPEC.md section 7.3, and the model is
    returned. Otherwise a PeftModel is returned whose LoRA layers, named `name`, have the factors;
    PEFT switches, scales, merges and saves them. Dense tensors replace the model's own.

    Raises MergeRefusedError if the model lacks a tensor or has it in another shape, or PEFT has no
    layer for it (a slice, the direct form or another view: use `merged`); DigestMismatchError,
    AdapterError and, for a reference, RegistryError.
    """
    file = load(adapter)
    if merged:
        _merge(model, file)
        return model
    modules = dict(model.named_modules())
    if any(hasattr(module, "lora_A") for module in modules.values()):
        raise MergeRefusedError(
            "the model has a LoRA already; merge or unload it first; for several adapters, use "
            "AdapterSwitcher"
        )
    all_factors = list(verified_factors(file))
    pairs = {}
    for factors in all_factors:
        path = module_path(modules, factors.layer)
        pairs[path] = lora_pair(factors, modules[path])
    _replace_dense(model, file)
    from peft import LoraConfig, get_peft_model

    ranks = {path: len(a) for path, (a, _) in pairs.items()}
    config = LoraConfig(
        r=max(ranks.values()),
        lora_alpha=max(ranks.values()),
        target_modules=list(pairs),
        # Patterns are regular expressions for the end of a path.
        rank_pattern={f"^{re.escape(path)}$": rank for path, rank in ranks.items()},
        alpha_pattern={f"^{re.escape(path)}$": rank for path, rank in ranks.items()},
        inference_mode=True,
    )
    peft_model: Any = get_peft_model(model, config, adapter_name=name)
    for path, (a, b) in pairs.items():
        target = peft_model.base_model.model.get_submodule(path)
        with torch.no_grad():
            target.lora_A[name].weight.copy_(torch.from_numpy(a))
            target.lora_B[name].weight.copy_(torch.from_numpy(b))
    return peft_model


def lora_pair(
    factors: Factors, module: nn.Module
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return PEFT's A (rank × inputs) and B (outputs × rank) of a layer.

    Raises MergeRefusedError if a LoRA of the module cannot be the layer's ΔW.
    """
    layer = factors.layer
    if factors.b is None or layer.slice is not None or layer.shape != (layer.rows, layer.cols):
        raise MergeRefusedError(
            f"{layer.tensor} is a slice, of the direct form or another view; use merged=True"
        )
    if isinstance(module, nn.Linear):
        return factors.b, factors.a
    if type(module).__name__ == "Conv1D":
        return factors.a.T.copy(), factors.b.T.copy()
    raise MergeRefusedError(f"{layer.tensor} is not of a linear module; use merged=True")


def module_path(modules: Mapping[str, nn.Module], layer: Layer) -> str:
    """Return the path of a layer's module, with or without a prefix such as `model.`."""
    wanted = layer.tensor.removesuffix(".weight")
    found = [
        path
        for path in modules
        if path and (path == wanted or path.endswith(f".{wanted}") or wanted.endswith(f".{path}"))
    ]
    exact = [path for path in found if path == wanted] or found
    if len(exact) != 1 or weight_shape(modules[exact[0]]) != layer.shape:
        raise MergeRefusedError(
            f"tensor {layer.tensor} of shape {layer.shape} not found in the model"
        )
    return exact[0]


def weight_shape(module: nn.Module) -> tuple[int, ...]:
    """Return the shape of a module's weight before quantization, () without one."""
    if isinstance(module, nn.Linear):
        return module.out_features, module.in_features
    weight = getattr(module, "weight", None)
    return tuple(weight.shape) if isinstance(weight, torch.Tensor) else ()


def _parameter(model: nn.Module, name: str, shape: Iterable[int]) -> nn.Parameter:
    parameters = dict(model.named_parameters())
    found = [
        path
        for path in parameters
        if path == name or path.endswith(f".{name}") or name.endswith(f".{path}")
    ]
    exact = [path for path in found if path == name] or found
    if len(exact) != 1 or tuple(parameters[exact[0]].shape) != tuple(shape):
        raise MergeRefusedError(f"tensor {name} of shape {tuple(shape)} not found in the model")
    return parameters[exact[0]]


def _replace_dense(model: nn.Module, file: AdapterFile) -> None:
    found = [(_parameter(model, d.name, d.shape), d) for d in file.adapter.dense]
    for parameter, dense in found:
        values = decode_floats(dense.data, dense.dtype).reshape(dense.shape)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values.copy()))


def _merge(model: nn.Module, file: AdapterFile) -> None:
    """Merge into the parameters; nothing changes if a weight would overflow."""
    changed: dict[str, tuple[nn.Parameter, torch.Tensor]] = {}
    for factors in verified_factors(file):
        layer = factors.layer
        parameter = _parameter(model, layer.tensor, layer.shape)
        if parameter.dtype not in _DTYPES:
            raise MergeRefusedError(
                f"{layer.tensor} is {parameter.dtype}; must be f32, f16 or bf16"
            )
        before = changed.get(layer.tensor, (parameter, parameter.detach()))[1]
        changed[layer.tensor] = (parameter, _merged(before, factors))
    _replace_dense(model, file)
    for parameter, after in changed.values():
        with torch.no_grad():
            parameter.copy_(after)


def _merged(weight: torch.Tensor, factors: Factors) -> torch.Tensor:
    """Return a weight plus ΔW; slices of one tensor are disjoint, so each is rounded once."""
    layer, dtype = factors.layer, _DTYPES[weight.dtype]
    data = weight.cpu().contiguous().view(torch.uint8).numpy().tobytes()
    where = [slice(0, size) for size in layer.shape]
    adapted = list(layer.shape)
    if layer.slice is not None:
        part = layer.slice
        where[part.dim] = slice(part.start, part.start + part.length)
        adapted[part.dim] = part.length
    delta = factors.delta().reshape(adapted)
    try:
        merged = merge_block(data, dtype, layer.shape, [(1.0, delta, tuple(where))])
    except MergeOverflowError as error:
        raise MergeOverflowError(layer.tensor, error.element) from None
    result = torch.frombuffer(bytearray(merged), dtype=weight.dtype).reshape(layer.shape)
    return result.to(weight.device)

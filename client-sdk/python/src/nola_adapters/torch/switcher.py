"""Thousands of adapters resident, one of them active."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nola_adapters._reconstruct import factors, verify
from nola_adapters.errors import MergeRefusedError
from nola_adapters.model import Adapter, AdapterFile
from nola_adapters.torch.attach import load, module_path
from nola_adapters.torch.cuda import FactorPlan, balanced
from nola_adapters.torch.factor import runs_kernels

_FIRST_CAPACITY = 64


class _ActiveDelta:
    """The ΔW = A·B of one weight; `a` and `b` are views of the switcher's factors."""

    def __init__(self, switcher: AdapterSwitcher, a: Tensor, b: Tensor, transposed: bool) -> None:
        self._active = switcher.is_active
        self._multipliers = switcher.multipliers
        self._factors = (a, b)
        self._transposed = transposed

    def add_to(self, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """Add x·ΔWᵀ to a module's output, as its forward hook."""
        if not self._active():
            return output
        x = inputs[0]
        a, b = self._factors
        if x.dtype == torch.float16 != a.dtype:
            # The elements of B alone exceed the range of f16.
            a, b = (m * factor for m, factor in zip(self._multipliers(), (a, b), strict=True))
        a, b = a.to(x.dtype), b.to(x.dtype)
        if self._transposed:
            return output + x @ a @ b
        return output + functional.linear(functional.linear(x, b), a)


class AdapterSwitcher:
    """Keeps compressed adapters of one model, some 30 KB each for 7 billion parameters.

    `switch(name)` reconstructs one into the model's layers: on a GPU by one launch for each kernel,
    from memory of the GPU into tensors; on a CPU by numpy, where the factors of the `active` ones
    used last are kept. All must differ only in seed, scales and codes, and have no dense tensors.
    One thread at a time uses it, and the model.
    """

    def __init__(
        self,
        model: nn.Module,
        adapters: Mapping[str, str | os.PathLike[str] | AdapterFile],
        *,
        active: int = 16,
        dtype: torch.dtype = torch.float32,
        verified: bool = True,
    ) -> None:
        """Put layers into a model, and add adapters: references, paths or what was read.

        `dtype` is that of the factors; f32 has the bits of SPEC.md. In f16, A is multiplied by a
        power of two and B divided by it, so that both are finite and A·B stays ΔW
        (`nola_adapters.torch.cuda.balanced`). With `verified`, each adapter
        is reconstructed once, to compare its digest. Raises ValueError if the mapping is empty or
        adapters do not fit each other, MergeRefusedError if the model lacks a linear module of
        that shape, and DigestMismatchError.
        """
        if not adapters:
            raise ValueError("no adapters; needs at least one, which all others must resemble")
        self._verified = verified
        self._numbers: dict[str, int] = {}
        self._balanced: dict[str, tuple[float, float]] = {}
        self._adapters: dict[str, Adapter] = {}
        self._kept: OrderedDict[str, Tensor] = OrderedDict()
        self._keep = active
        self.active: str | None = None
        files = {name: load(source) for name, source in adapters.items()}
        self._first = next(iter(files))
        first = files[self._first].adapter
        device = next(model.parameters()).device
        self._plan = FactorPlan(first, device)
        self._slots = torch.zeros(
            (_FIRST_CAPACITY, self._plan.slot_bytes), dtype=torch.uint8, device=device
        )
        self._out = torch.zeros((1, self._plan.elements), dtype=dtype, device=device)
        self._hooks = self._attach(model, first)
        for name, file in files.items():
            self.add(name, file)

    def _attach(self, model: nn.Module, adapter: Adapter) -> list[Any]:
        modules = dict(model.named_modules())
        hooks = []
        for layer, places in zip(adapter.layers, self._plan.places, strict=True):
            module = modules[module_path(modules, layer)]
            linear = isinstance(module, nn.Linear)
            plain = layer.slice is None and layer.shape == (layer.rows, layer.cols)
            if layer.direct or not plain or not (linear or type(module).__name__ == "Conv1D"):
                raise MergeRefusedError(
                    f"{layer.tensor} is not of a linear module, or a slice, of the direct form or "
                    "another view; use attach(…, merged=True)"
                )
            a, b = (self._out[0, start : start + length] for start, length in places)
            delta = _ActiveDelta(
                self, a.view(layer.rows, layer.rank), b.view(layer.rank, layer.cols), not linear
            )
            hooks.append(module.register_forward_hook(delta.add_to))
        return hooks

    def is_active(self) -> bool:
        """Return whether an adapter is active."""
        return self.active is not None

    def multipliers(self) -> tuple[float, float]:
        """Return what brings A and B of the active adapter into the range of f16."""
        return self._balanced[self.active] if self.active is not None else (1.0, 1.0)

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, name: str, source: str | os.PathLike[str] | AdapterFile) -> None:
        """Add an adapter, or replace the one of that name. Raises as the constructor does."""
        file = load(source)
        if file.adapter.dense:
            raise ValueError(f"{name} has dense tensors, which cannot be switched")
        try:
            slot = self._plan.slot(file.adapter)
        except ValueError as error:
            raise ValueError(f"{name} does not fit {self._first}: {error}") from None
        if self._verified:
            verify(file)
        number = self._numbers.setdefault(name, len(self._numbers))
        if number >= len(self._slots):
            self._slots = torch.cat([self._slots, torch.zeros_like(self._slots)])
        self._slots[number] = slot
        self._balanced[name] = balanced(file.adapter, torch.float16)
        if not runs_kernels(self._slots):
            self._adapters[name] = file.adapter
        self._kept.pop(name, None)
        if self.active == name:
            self.switch(name)

    def switch(self, name: str | None) -> None:
        """Activate an adapter, or none. Raises KeyError if it is not resident, and CudaError."""
        if name is not None:
            if name not in self._numbers:
                raise KeyError(f"adapter not resident: {name}; add it first")
            number = self._numbers[name]
            if runs_kernels(self._out):
                slots = self._slots[number : number + 1]
                self._plan.reconstruct(slots, self._out, self._stored(name))
            else:
                self._out.copy_(self._computed(name))
        self.active = name

    def _stored(self, name: str) -> tuple[float, float]:
        """Return what A and B of an adapter are multiplied by in the factors' type."""
        return self._balanced[name] if self._out.dtype == torch.float16 else (1.0, 1.0)

    def _computed(self, name: str) -> Tensor:
        """Return the factors of an adapter, computed by numpy unless they are kept."""
        kept = self._kept.pop(name, None)
        if kept is None:
            kept = torch.zeros_like(self._out)
            for each, places in zip(factors(self._adapters[name]), self._plan.places, strict=True):
                assert each.b is not None
                sides = zip((each.a, each.b), self._stored(name), places, strict=True)
                for factor, multiplier, (start, length) in sides:
                    kept[0, start : start + length] = multiplier * torch.from_numpy(
                        factor.reshape(-1)
                    )
        self._kept[name] = kept
        while len(self._kept) > self._keep:
            self._kept.popitem(last=False)
        return kept

    def close(self) -> None:
        """Take the layers out of the model."""
        for hook in self._hooks:
            hook.remove()

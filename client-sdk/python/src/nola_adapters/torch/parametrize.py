"""Makes a Hugging Face model trainable: α and β of its targets are the only parameters."""

from __future__ import annotations

import json
import logging
import math
import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nola_adapters import _file, quantize
from nola_adapters._merge import encode_floats, find_tensor, model_identity
from nola_adapters._reconstruct import seal
from nola_adapters._safetensors import INDEX, open_model
from nola_adapters.model import (
    Adapter,
    AdapterFile,
    Base,
    DenseTensor,
    DType,
    Generator,
    Layer,
    Metadata,
)
from nola_adapters.torch.attach import weight_shape
from nola_adapters.torch.factor import TRAINING_BITS, FactorBasis, array, combine, quantized
from nola_adapters.torch.initial import InitialValues
from nola_adapters.torch.targets import checked, select

DEFAULT_LEARNING_RATE = 0.1
_LOGGER = logging.getLogger(__name__)
_NEGLIGIBLE_ERROR = 0.01
_WARMUP_SHARE = 0.03
_HEADS = ("classifier", "score", "head")
_HEAD_TASKS = {
    "SequenceClassification": "text-classification",
    "ImageClassification": "image-classification",
}


@dataclass(frozen=True)
class Settings:
    """What is trained, and how a file stores it; the defaults are those of a Java job.

    `targets` is `qv`, `mlp`, `all-linear`, a pattern that is found in names of weights or matches a
    module's path, or names of modules (the whole path or its end, as PEFT's `target_modules`).
    `rank`, `k` and `l` are the sizes of a target, `c` the factor of ΔW, c/√(rank·inputs). Training
    rounds coefficients to `bits` if `qat` is True, or from that share of the steps on; else to 16.
    `initial_seed` is by default `seed`. `whole` names modules that are trained and stored whole;
    by default the classifier of a model that has one. Raises ValueError for a value out of range.
    """

    targets: str | Collection[str] = "all-linear"
    rank: int = 16
    k: int = 64
    l: int = 64  # noqa: E741 (the specification's name)
    generator: Generator = Generator.SRHT
    seed: int = 0
    bits: int = 4
    qat: bool | float = False
    c: float = 1.0
    initial_seed: int | None = None
    whole: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", checked(self.targets))
        for name in ("rank", "k", "l"):
            _require_integer(name, getattr(self, name), 1, (1 << 31) - 1)
        _require_integer("bits", self.bits, 1, 16)
        _require_integer("seed", self.seed, 0, (1 << 64) - 1)
        if self.initial_seed is not None:
            _require_integer("initial_seed", self.initial_seed, 0, (1 << 64) - 1)
        if not isinstance(self.qat, bool) and not 0 <= self.qat < 1:
            raise ValueError(
                f"invalid qat: {self.qat}; must be True, False or a share of the steps from 0 to 1"
            )
        if not 0 < self.c < math.inf:
            raise ValueError(f"invalid c: {self.c}; must be a positive number")

    def step_bits(self, step: int, steps: int) -> int:
        """Return the width of the codes that a step computes with; steps are numbered from 1."""
        if self.qat is False:
            return TRAINING_BITS
        start = 0.0 if self.qat is True else self.qat
        return TRAINING_BITS if step <= start * steps else self.bits


def _require_integer(name: str, value: object, least: int, most: int) -> None:
    integer = isinstance(value, int) and not isinstance(value, bool)
    if not integer or not least <= value <= most:  # type: ignore[operator]
        raise ValueError(f"invalid {name}: {value!r}; must be an integer from {least} to {most}")


class Delta(nn.Module):
    """The trained ΔW = A·B of one weight, of rows × cols as the weight is stored.

    `alpha` (k,) and `beta` (l,) are f32. `transposed` is whether the weight is inputs × outputs.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        settings: Settings,
        stream: int,
        alpha: Tensor,
        transposed: bool,
    ) -> None:
        super().__init__()
        self.rows, self.cols = shape
        self.rank = settings.rank
        self.stream = stream
        inputs = self.rows if transposed else self.cols
        self.gain = settings.c / math.sqrt(self.rank * inputs)
        self.transposed = transposed
        self.bits = settings.step_bits(1, 1 << 62)
        self.bases = [
            FactorBasis(settings.generator, settings.seed, stream, side, length)
            for side, length in enumerate((self.rows * self.rank, self.rank * self.cols))
        ]
        self.alpha = nn.Parameter(alpha)
        self.beta = nn.Parameter(torch.zeros(settings.l, device=alpha.device))

    def factors(self) -> tuple[Tensor, Tensor]:
        """Return A, rows × rank, and B, rank × cols, of the rounded coefficients."""
        a = combine(self.alpha, self.bases[0], self.bits, self.gain)
        b = combine(self.beta, self.bases[1], self.bits, 1.0)
        return a.view(self.rows, self.rank), b.view(self.rank, self.cols)

    def forward(self, x: Tensor) -> Tensor:
        """Return x·ΔWᵀ, or x·ΔW for a weight that is inputs × outputs."""
        a, b = (factor.to(x.dtype) for factor in self.factors())
        return x @ a @ b if self.transposed else functional.linear(functional.linear(x, b), a)

    def layer(self, tensor: str, bits: int) -> Layer:
        """Return the layer as a file stores it, with codes of `bits` bits."""
        alpha, beta = (
            quantized(array(side), bits) for side in (_full(self.alpha), _full(self.beta))
        )
        norms = [self.bases[i].norm(side.codes.count) for i, side in enumerate((alpha, beta))]
        scale = quantize.scale(alpha.step, beta.step, *norms, self.gain)
        return Layer(
            tensor,
            self.rows,
            self.cols,
            self.rank,
            self.stream,
            scale,
            alpha.codes,
            beta.codes,
        )

    def rounding_error(self, bits: int) -> float:
        """Return how far codes of `bits` bits are from what the model computes with now.

        It is the norm of the difference, relative to that of the coefficients, of the worse side.
        """
        errors = [0.0]
        for side in (self.alpha, self.beta):
            coefficients = array(_full(side))
            used, stored = (quantized(coefficients, each).values() for each in (self.bits, bits))
            if used.any():
                errors.append(float(np.linalg.norm(stored - used) / np.linalg.norm(used)))
        return max(errors)


@dataclass(frozen=True, eq=False)
class Training:
    """A model that `parametrize` has changed; `deltas` are by names of weights, in stream order."""

    model: nn.Module
    settings: Settings
    deltas: dict[str, Delta]
    whole: tuple[str, ...]
    metadata: Metadata = field(default_factory=Metadata)

    def parameters(self) -> list[nn.Parameter]:
        """Return all that is trained."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def optimizers(
        self, steps: int, learning_rate: float = DEFAULT_LEARNING_RATE
    ) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
        """Return AdamW and the schedule of a Java job, for `Trainer(optimizers=…)`."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=learning_rate, weight_decay=0)
        return optimizer, learning_rate_schedule(optimizer, steps)

    def begin_step(self, step: int, steps: int) -> None:
        """Choose the rounding of a step, from 1, of a run; needed only with quantization-aware."""
        for delta in self.deltas.values():
            delta.bits = self.settings.step_bits(step, steps)

    def file(
        self,
        base: str | os.PathLike[str] | None = None,
        dense: DType = DType.F16,
        *,
        base_name: str | None = None,
    ) -> AdapterFile:
        """Return what was trained as an adapter, with its digest.

        `base` is the folder or file of the base model, whose tensors' names and identity the
        adapter gets; by default what the model was loaded from: a folder, or the cache of the Hub.
        Without any, names are the model's own and the identity is unknown. `base_name` is the name
        by which others load the base model, by default that on the Hub: a folder has none. Every
        process of a sharded model must call it.

        The file has coefficients of `bits` bits. The model computes with those only if its last
        steps were quantization-aware (`qat`); if not, a warning logs the difference.
        """
        bits = self.settings.bits
        with _unsharded(self.model):
            layers = [delta.layer(name, bits) for name, delta in self.deltas.items()]
            error = max(delta.rounding_error(bits) for delta in self.deltas.values())
            tensors = [self._dense(name, tensor, dense) for name, tensor in self._whole_tensors()]
        if error > _NEGLIGIBLE_ERROR and _is_first_process():
            _LOGGER.warning(
                "rounding to %d bits changes coefficients by up to %.0f %%, so the file computes "
                "something else than the trained model; train with qat=0.5 or more bits",
                bits,
                100 * error,
            )
        known, folder = _base_of(self.model)
        folder = folder if base is None else Path(base)
        if base_name is not None and base_name != known.name:
            known = Base(base_name)  # a revision is one of the name on the Hub
        if folder is not None:
            stored = {n: t for file in open_model(folder).values() for n, t in file.items()}
            found = [find_tensor(stored, layer.tensor) for layer in layers]
            layers = [
                replace(layer, tensor=layer.tensor if tensor is None else tensor.name)
                for layer, tensor in zip(layers, found, strict=True)
            ]
            known = replace(known, identity=model_identity(stored, [it.tensor for it in layers]))
        generator, seed = self.settings.generator, self.settings.seed
        adapter = Adapter(generator, seed, tuple(layers), tuple(tensors), known, self.metadata)
        return seal(adapter)

    def save(
        self,
        path: str | os.PathLike[str],
        base: str | os.PathLike[str] | None = None,
        dense: DType = DType.F16,
        *,
        base_name: str | None = None,
    ) -> AdapterFile:
        """Write what was trained, as `file` returns it, and return it.

        All of several processes call it and get the adapter; the first one writes.
        """
        file = self.file(base, dense, base_name=base_name)
        if _is_first_process():
            _file.write(file, path)
        return file

    def _whole_tensors(self) -> Iterator[tuple[str, Tensor]]:
        for name, parameter in self.model.named_parameters():
            clean = re.sub(r"(?<![^.])(_fsdp_wrapped_module|_orig_mod|module)\.", "", name)
            if clean.startswith(tuple(f"{module}." for module in self.whole)):
                yield clean, parameter

    @staticmethod
    def _dense(name: str, tensor: Tensor, dtype: DType) -> DenseTensor:
        values = array(_full(tensor))
        return DenseTensor(name, values.shape, dtype, encode_floats(values.reshape(-1), dtype))


def parametrize(
    model: nn.Module,
    targets: str | Collection[str] = "all-linear",
    *,
    rank: int = 16,
    k: int = 64,
    l: int = 64,  # noqa: E741 (the specification's name)
    generator: Generator
    | Literal["philox-srht", "philox-uniform24", "philox-uniform8", "philox-rademacher"] = (
        Generator.SRHT
    ),
    seed: int = 0,
    bits: int = 4,
    qat: bool | float = False,
    **others: Any,
) -> Training:
    """Freeze a model and add trainable coefficients to its targets.

    Adapts linear modules (nn.Linear, and GPT-2's Conv1D), other than the output embedding and
    modules that are trained whole. Every argument is one of `Settings`. Call it before wrapping or
    compiling the model. Equal seeds begin with the values of a Java job.

    Raises ValueError if a setting is out of range, a target matches no module, or one has too few
    elements for the coefficients, or if the model is parametrized or has LoRA layers already.
    """
    chosen = generator if isinstance(generator, Generator) else Generator.parse(generator)
    if chosen is Generator.IDENTITY:
        raise ValueError("generator identity is for trained LoRAs; use PEFT to train one")
    settings = Settings(targets, rank, k, l, chosen, seed, bits, qat, **others)
    whole = _heads(model) if settings.whole is None else settings.whole
    _require_plain(model, whole)
    linear = _linear_modules(model, whole)
    modules = {
        name: linear[name] for name in select(list(linear), checked(targets), type(model).__name__)
    }
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(f"{module}." for module in whole)))
    initial = InitialValues(seed if settings.initial_seed is None else settings.initial_seed)
    deltas = {}
    for stream, (name, module) in enumerate(modules.items()):
        rows, cols = weight_shape(module)
        _require_few(name, (rows, cols), settings)
        alpha = torch.from_numpy(initial.gaussian(k)).to(module.weight.device)
        transposed = not isinstance(module, nn.Linear)
        module.nola = Delta((rows, cols), settings, stream, alpha, transposed)
        module.register_forward_hook(_add_delta)
        deltas[f"{name}.weight"] = module.nola
    return Training(model, settings, deltas, whole, _metadata(model, whole))


def _add_delta(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    delta: Any = module.nola
    changed: Tensor = output + delta(inputs[0])
    return changed


def learning_rate_schedule(
    optimizer: torch.optim.Optimizer, steps: int, warmup: float = _WARMUP_SHARE
) -> torch.optim.lr_scheduler.LambdaLR:
    """Return the schedule of a Java job: a line up in a share of the steps, then down to 0."""
    warm = int(warmup * steps)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, partial(_rate, warm, steps))


def _rate(warm: int, steps: int, before: int) -> float:
    step = before + 1
    return step / warm if step <= warm else 1 - (step - warm) / max(1, steps - warm)


def _linear_modules(model: nn.Module, whole: Sequence[str]) -> dict[str, Any]:
    getter: Any = getattr(model, "get_output_embeddings", None)
    output = None if getter is None else getter()
    return {
        name: module
        for name, module in model.named_modules()
        if (isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D")
        and module is not output
        and not f"{name}.".startswith(tuple(f"{each}." for each in whole))
    }


def _require_plain(model: nn.Module, whole: Sequence[str]) -> None:
    """Refuse a model to which a second change would be added unseen, and modules it lacks."""
    names = set()
    for name, module in model.named_modules():
        names.add(name)
        if isinstance(module, Delta):
            raise ValueError(
                f"{name.rpartition('.')[0]} is parametrized already; load the model anew"
            )
        if hasattr(module, "lora_A"):
            raise ValueError(f"{name} has a LoRA; merge or unload it before parametrize")
    for each in whole:
        if each not in names:
            raise ValueError(f"module of whole not found: {each}; must be a module of the model")


def _require_few(name: str, shape: tuple[int, int], settings: Settings) -> None:
    for side, size, count in zip("AB", shape, (settings.k, settings.l), strict=True):
        length = size * settings.rank
        if length == 0:
            raise ValueError(f"module {name} has no elements; exclude it from targets")
        if settings.generator is Generator.SRHT and count > 1 << (length.bit_length() - 1):
            raise ValueError(
                f"too many coefficients for side {side} of {name}: {count}; must be at most "
                f"{1 << (length.bit_length() - 1)} for {length} elements; raise rank"
            )


def _heads(model: nn.Module) -> tuple[str, ...]:
    if not type(model).__name__.endswith(tuple(_HEAD_TASKS)):
        return ()
    return tuple(name for name, _ in model.named_children() if name in _HEADS)


def _metadata(model: nn.Module, whole: Sequence[str]) -> Metadata:
    kind = type(model).__name__
    if kind.endswith("ForCausalLM"):
        return Metadata(task="text-generation")
    for suffix, task in _HEAD_TASKS.items():
        if kind.endswith(suffix) and whole:
            by_number = getattr(getattr(model, "config", None), "id2label", None) or {}
            labels = json.dumps(list(by_number.values()), ensure_ascii=False)
            return Metadata(task=task, provenance=(("head", kind), ("labels", labels)))
    return Metadata()


def _base_of(model: nn.Module) -> tuple[Base, Path | None]:
    """Return name and revision of the base model, and the folder that it was loaded from."""
    config = getattr(model, "config", None)
    name = str(getattr(config, "_name_or_path", ""))
    if not name:
        return Base(), None
    if any(Path(name).glob("*.safetensors")):
        return Base(), Path(name)
    from huggingface_hub import try_to_load_from_cache

    for file in ("model.safetensors", INDEX):
        found = try_to_load_from_cache(name, file, revision=getattr(config, "_commit_hash", None))
        if isinstance(found, str):
            folder = Path(found).parent  # named by its commit
            return Base(name, folder.name), folder
    return Base(), None


def _is_first_process() -> bool:
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    return not distributed or torch.distributed.get_rank() == 0


def _full(tensor: Tensor) -> Tensor:
    """Return all of a tensor that FSDP2 has sharded."""
    gather: Any = getattr(tensor, "full_tensor", None)
    full: Tensor = tensor if gather is None else gather()
    return full


def _unsharded(model: nn.Module) -> ExitStack:
    """Gather the parameters of a model that FSDP has wrapped, while the stack is open."""
    stack = ExitStack()
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        from torch.distributed.fsdp import FullyShardedDataParallel

        if any(isinstance(module, FullyShardedDataParallel) for module in model.modules()):
            stack.enter_context(FullyShardedDataParallel.summon_full_params(model, writeback=False))
    return stack

"""A callback for the Trainer of Transformers: rounds as the run demands, saves and publishes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nola_adapters.torch.parametrize import Training

if TYPE_CHECKING:
    from nola_adapters.registry import Registry


class NolaCallback(TrainerCallback):
    """Saves the adapter at the end of training, and publishes it if a reference is given.

    `file` is the path to write, `base` and `base_name` are those of `Training.save`. `reference`
    ends in a version number; `alias` is then moved to it.
    """

    def __init__(
        self,
        training: Training,
        file: str | Path,
        *,
        base: str | Path | None = None,
        base_name: str | None = None,
        reference: str | None = None,
        alias: str | None = None,
        registry: Registry | None = None,
        create_namespace: bool = False,
    ) -> None:
        self._training = training
        self._file = Path(file)
        self._base = base
        self._base_name = base_name
        self._reference = reference
        self._alias = alias
        self._registry = registry
        self._create_namespace = create_namespace

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,
    ) -> None:
        """Choose the rounding of the step."""
        self._training.begin_step(state.global_step + 1, state.max_steps)

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,
    ) -> None:
        """Save and publish; the first of several processes does."""
        self._training.save(self._file, self._base, base_name=self._base_name)
        if self._reference is not None and state.is_world_process_zero:
            registry = self._registry or _default_registry()
            registry.publish(
                self._reference,
                self._file,
                alias=self._alias,
                create_namespace=self._create_namespace,
            )


def _default_registry() -> Registry:
    from nola_adapters.registry import Registry  # needs packages that saving alone does not

    return Registry()

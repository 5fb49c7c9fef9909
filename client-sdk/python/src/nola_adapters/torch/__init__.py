"""Adapters in PyTorch models: training, attaching and switching."""

from nola_adapters.torch.attach import attach
from nola_adapters.torch.parametrize import (
    DEFAULT_LEARNING_RATE,
    Settings,
    Training,
    learning_rate_schedule,
    parametrize,
)
from nola_adapters.torch.switcher import AdapterSwitcher

__all__ = [
    "DEFAULT_LEARNING_RATE",
    "AdapterSwitcher",
    "Settings",
    "Training",
    "attach",
    "learning_rate_schedule",
    "parametrize",
]

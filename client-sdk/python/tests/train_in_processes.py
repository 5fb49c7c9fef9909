"""Trains in one of several processes, for test_training.py.

Usage: train_in_processes.py fsdp|fsdp2|accelerate BASE OUTPUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from test_training import SIZES, batch, load

from nola_adapters.torch import parametrize

STEPS = 5


def main(engine: str, base: str, output: str) -> None:
    model = load(Path(base))
    training = parametrize(model, bits=16, **SIZES)
    accelerator = None
    if engine == "accelerate":
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=True)
        optimizer, schedule = training.optimizers(STEPS)
        model, optimizer = accelerator.prepare(model, optimizer)
    else:
        torch.distributed.init_process_group("gloo")
        if engine == "fsdp":
            from torch.distributed.fsdp import FullyShardedDataParallel
            from torch.distributed.fsdp.wrap import ModuleWrapPolicy

            model = FullyShardedDataParallel(
                model,
                use_orig_params=True,
                device_id=torch.device("cpu"),
                auto_wrap_policy=ModuleWrapPolicy({type(model.model.layers[0])}),
            )
        else:
            from torch.distributed.fsdp import fully_shard

            for layer in model.model.layers:
                fully_shard(layer)
            fully_shard(model)
        optimizer, schedule = training.optimizers(STEPS)
    losses = []
    for _ in range(STEPS):
        loss = model(**batch()).loss
        if accelerator is None:
            loss.backward()
        else:
            accelerator.backward(loss)
        # On gloo, FSDP2 adds gradients up: AdamW does not notice, but clipping would.
        if engine == "fsdp":
            model.clip_grad_norm_(1.0)
        elif engine == "accelerate":
            torch.nn.utils.clip_grad_norm_(training.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    training.save(output)
    several = torch.distributed.is_initialized()
    if not several or torch.distributed.get_rank() == 0:
        print(json.dumps(losses))
    if several:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])

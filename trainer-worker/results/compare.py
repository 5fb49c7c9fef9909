"""Compares a LoRA's training with Transformers and PEFT: peak memory of the process, and time per step.

    python compare.py MODEL TEXT [--rank 16] [--batch 4] [--tokens 128] [--short 3] [--long 13] [--device cpu] [--job KEY=VALUE ...]

MODEL is a folder that both load, TEXT a text file. Both train in f32 on one thread, every token counts for the loss, and dropout is
off. A step's time is the difference of two runs of different lengths, and so excludes starting and loading; of user and system time,
which other work on the machine affects less, and of wall time. Linux alone: the peak is the kernel's (ru_maxrss), of the host's memory
also with --device cuda, where both compute in f32 instead of TF32.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NOLA = Path(__file__).resolve().parents[2] / "nola"
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def train_with_transformers(options, steps):
    import peft
    import torch
    import transformers

    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    config = peft.LoraConfig(r=options.rank, lora_alpha=2 * options.rank, lora_dropout=0.0, target_modules=LINEAR)
    model = peft.get_peft_model(model, config).to(options.device)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01, weight_decay=0.0)
    ids = torch.tensor(tokenizer(Path(options.text).read_text(encoding="utf-8"))["input_ids"])
    size = options.batch * options.tokens
    for step in range(steps):
        batch = ids[step * size : (step + 1) * size].reshape(options.batch, options.tokens)
        batch = batch.to(options.device)
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    print(json.dumps({"loss": loss.item(), **versions}))


def job(options, steps):
    data = {"format": "text", "train": options.text, "validation": options.text}
    data |= {"maxTokens": options.tokens + 1, "validationExamples": 1}
    result = {
        "model": {"base": options.model},
        "task": "causal-lm",
        "data": data,
        "method": {"name": "lora", "targets": "all-linear", "rank": options.rank},
        "optimizer": {"learningRate": 0.01, "schedule": "constant"},
        "run": {"batch": options.batch, "threads": 1, "device": options.device, "steps": steps},
    }
    for setting in options.job:
        path, value = setting.split("=", 1)
        group, key = path.split(".")
        result[group][key] = json.loads(value)
    return result


def run(command):
    """Returns peak memory in GB, processor seconds and wall seconds of a process."""
    start = os.times()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        log.seek(0)
        if status != 0:
            sys.exit("%s failed:\n%s" % (command, log.read().decode(errors="replace")))
    return usage.ru_maxrss / 1e6, usage.ru_utime + usage.ru_stime, os.times().elapsed - start.elapsed


def measure(name, options, command):
    short = run(command(options.short))
    long = run(command(options.long))
    steps = options.long - options.short
    result = (max(short[0], long[0]), (long[1] - short[1]) / steps, (long[2] - short[2]) / steps)
    print("%-14s peak %.2f GB, %.2f s of processor and %.2f s of wall time per step" % (name, *result), flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=os.path.realpath)
    parser.add_argument("text", type=os.path.realpath)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--short", type=int, default=3, help="steps of the shorter run")
    parser.add_argument("--long", type=int, default=13, help="steps of the longer run")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--job", action="append", default=[], metavar="KEY=VALUE", help="as method.name='\"nola\"'")
    parser.add_argument("--transformers", type=int, metavar="STEPS", help="train with Transformers alone")
    options = parser.parse_args()
    if options.transformers:
        train_with_transformers(options, options.transformers)
        return
    with tempfile.TemporaryDirectory() as folder:

        def nola(steps):
            path = Path(folder, "%d.json" % steps)
            path.write_text(json.dumps(job(options, steps)))
            return [NOLA, "train", path, "-o", path.with_suffix(".nola"), "--quiet"]

        def transformers(steps):
            return [sys.executable, *sys.argv, "--transformers", str(steps)]

        subprocess.run([NOLA, "train", "--help"], check=True, stdout=subprocess.DEVNULL)  # builds it
        theirs = measure("transformers", options, transformers)
        ours = measure("nola", options, nola)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print("%-14s peak %.2f, processor time %.2f, wall time %.2f" % ("ratio", *ratios))


if __name__ == "__main__":
    main()

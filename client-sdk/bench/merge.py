#!/usr/bin/env python3
"""Times a merge of a NOLA adapter into a model against copying the model and against PEFT.

    python3 client-sdk/bench/merge.py MODEL [--runs 5] [--peft-runs 3]

MODEL is the folder that exec:exec@model wrote (see client-sdk/BENCHMARKS.md); everything else is created in a temporary folder
next to it and removed. Every run is a separate process and writes new files; the output of the previous run is deleted first.
All inputs are in the page cache, because every run reads the same ones. PEFT takes part if NOLA_TORCH_PYTHON names a Python
with torch, transformers and peft.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOLA = str(ROOT / "nola")
TARGETS = "(q|k|v|o|gate|up|down)_proj"
THREADS = "2"
PEFT_NAME = "PEFT merge_and_unload"

PEFT = """
import sys, torch
from transformers import AutoModelForCausalLM
from peft import PeftModel
torch.set_num_threads(int(sys.argv[4]))
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.bfloat16)
PeftModel.from_pretrained(model, sys.argv[2]).merge_and_unload().save_pretrained(sys.argv[3])
"""


def run(command, output):
    """Runs a command that writes output; returns seconds, peak RSS in MB and CPU seconds."""
    shutil.rmtree(output, ignore_errors=True)
    with tempfile.TemporaryFile() as log:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            sys.exit(f"{command} failed: {log.read().decode(errors='replace')}")
    shutil.rmtree(output)
    return seconds, usage.ru_maxrss / 1000, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peft-runs", type=int, default=3)
    arguments = parser.parse_args()
    base = str(arguments.model)
    with tempfile.TemporaryDirectory(dir=arguments.model.resolve().parent) as work:
        adapter = f"{work}/adapter.nola"
        lora = f"{work}/lora"
        output = f"{work}/output"
        settings = ["--rank", "16", "--k", "128", "--l", "128", "--bits", "4"]
        subprocess.run([NOLA, "synth", "--base", base, "--targets", TARGETS, *settings, "-o", adapter], check=True)
        merge = [NOLA, "merge", "--base", base, "--adapter", adapter, "-o", output, "--threads", THREADS]
        commands = {
            "cp -r": (["cp", "-r", base, output], arguments.runs),
            "merge, base check skipped": ([*merge, "--skip-base-check"], arguments.runs),
            "merge, base checked": (merge, arguments.runs),
        }
        python = os.environ.get("NOLA_TORCH_PYTHON")
        if python:
            subprocess.run(
                [NOLA, "export", adapter, "--format", "peft", "--base", base, "--base-model", base, "-o", lora], check=True
            )
            commands[PEFT_NAME] = ([python, "-c", PEFT, base, lora, output, THREADS], arguments.peft_runs)
        else:
            print("SKIPPED: PEFT, because NOLA_TORCH_PYTHON is not set")

        for command, _ in commands.values():
            run(command, output)  # fills caches, and touches pages that the machine has not used yet
        print("load before:", *os.getloadavg())
        results = {name: [] for name in commands}
        for number in range(max(arguments.runs, arguments.peft_runs)):
            for name, (command, runs) in commands.items():
                if number < runs:
                    results[name].append(run(command, output))
        print("load after:", *os.getloadavg())

    def median_seconds(name):
        return statistics.median(result[0] for result in results[name])

    copy = median_seconds("cp -r")
    print("| | runs | s (median) | s (all) | × cp | PEFT ÷ | CPU s | peak RSS MB |")
    print("|---|--:|--:|---|--:|--:|--:|--:|")
    for name, runs in results.items():
        seconds, memory, processor = (statistics.median(column) for column in zip(*runs))
        times = " ".join(f"{result[0]:.2f}" for result in runs)
        peft = f"{median_seconds(PEFT_NAME) / seconds:.1f}" if PEFT_NAME in results else ""
        print(
            f"| {name} | {len(runs)} | {seconds:.2f} | {times} | {seconds / copy:.2f} | {peft} "
            f"| {processor:.2f} | {memory:.0f} |"
        )


if __name__ == "__main__":
    main()

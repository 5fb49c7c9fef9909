"""Reads what a training logs with the real TensorBoard."""

from __future__ import annotations

import importlib.util
import json
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

from checks import run_nola

STEPS = 6
JOB = """
model: {mlp: [4, 3, 2]}
task: classification
data: {format: idx, train: x, trainLabels: y, validation: x, validationLabels: y}
method: {name: full}
optimizer: {learningRate: 0.01}
run: {batch: 8, steps: %d, evaluateEvery: 3, threads: 1}
"""


@unittest.skipUnless(importlib.util.find_spec("tensorboard"), "needs the package tensorboard")
class TensorBoardTest(unittest.TestCase):
    def test_metrics_are_shown(self) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            pixels = np.random.default_rng(1).integers(0, 256, (16, 4), dtype=np.uint8)
            labels = (pixels[:, 0] > 127).astype(np.uint8)
            labels[:2] = 0, 1
            (folder / "x").write_bytes(struct.pack(">4I", 0x803, 16, 2, 2) + pixels.tobytes())
            (folder / "y").write_bytes(struct.pack(">2I", 0x801, 16) + labels.tobytes())
            (folder / "job.yaml").write_text(JOB % STEPS)
            run_nola("train", folder / "job.yaml", "-o", folder / "a.nola")
            log = (folder / "a.nola.run" / "metrics.jsonl").read_text().splitlines()
            events = EventAccumulator(str(folder / "a.nola.run"))
            events.Reload()

        losses = events.Scalars("loss/train")
        logged = [json.loads(line) for line in log]
        self.assertEqual([scalar.step for scalar in losses], list(range(1, STEPS + 1)))
        for scalar, line in zip(losses, (line for line in logged if "loss" in line)):
            self.assertAlmostEqual(scalar.value, line["loss"], places=5)
        self.assertEqual([scalar.step for scalar in events.Scalars("loss/validation")], [3, STEPS])


if __name__ == "__main__":
    unittest.main()

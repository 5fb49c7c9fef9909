"""Quantizers must choose the steps and codes of Java's, to the bit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nola_adapters import quantize

SOURCE = Path(__file__).parent / "java" / "QuantizeValues.java"


def test_steps_and_codes_are_those_of_java(tmp_path: Path, nola_jar: Path, java: str) -> None:
    draw = np.random.default_rng(7)
    cases = [
        (bits, (draw.normal(size=count) * 10.0 ** draw.integers(-6, 6)).astype(np.float32))
        for bits in (1, 2, 3, 4, 6, 8, 12, 16)
        for count in (1, 2, 5, 64, 500)
    ]
    cases.append((4, np.zeros(7, dtype=np.float32)))
    cases.append((4, np.array([0, 1, 1, -1, 0.5, 0.25, 0, 1e-9], dtype=np.float32)))
    content = [{"bits": bits, "values": values.tolist()} for bits, values in cases]
    (tmp_path / "cases.json").write_text(json.dumps(content))
    arguments = [java, "-cp", str(nola_jar), str(SOURCE), str(tmp_path / "cases.json")]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    for (bits, values), expected in zip(cases, json.loads(done.stdout), strict=True):
        for method, java_result in zip(
            (quantize.absmax, quantize.least_squares), expected, strict=True
        ):
            codes = java_result["codes"]
            ours = method(values, bits)
            assert ours.step == float.fromhex(java_result["step"])
            # Java states the odd integers that codes stand for.
            assert ours.codes.integers().tolist() == codes


def test_coefficients_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        quantize.absmax(np.array([1, np.nan], dtype=np.float32), 4)
    with pytest.raises(ValueError, match="invalid scale"):
        quantize.scale(2.0**70, 2.0**10)
    assert quantize.scale(2.0**-100, 2.0**-100) == 0

"""Compares `nola rank-coverage` with ranks of covariances that numpy computes (paper, appendix A.1).

Usage: python3 test_rank_coverage.py

NOLA is the command to test (default: the launcher of this checkout). Bases come from
nola_reader.py; coefficients are normal, and ranks those of singular values in f64.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nola_reader as nola

COMMAND = os.environ.get("NOLA", str(Path(__file__).resolve().parents[2] / "nola"))
SEED = 11
OPTIONS = ["--sizes", "4,6", "--ranks", "1,2,4", "--coefficients", "2,5,8,9+2,12,20,36"]
GENERATORS = {"philox-uniform24": nola.UNIFORM24, "philox-rademacher": nola.RADEMACHER}

Matrix = NDArray[np.float64]


def basis(generator: int, side: int, length: int, count: int) -> Matrix:
    """Basis vectors as rows, divided by the largest magnitude."""
    blocks = nola.counter(np.arange(-(-length // nola.ELEMENTS_A_BLOCK[generator])))
    indices = nola.counter(np.arange(count))[:, None]
    words = nola.philox(
        SEED, blocks, indices, nola.counter(0), nola.counter(side + 2 * generator)
    )
    return nola.basis_rows(generator, words, length) / nola.MAX_BASIS[generator]


def rank(samples: Matrix) -> int:
    return int(np.linalg.matrix_rank(np.cov(samples, rowvar=False)))


def expected(generator: int, point: dict[str, Any], draw: np.random.Generator) -> tuple[int, int]:
    """Ranks of NOLA's and PRANC's updates, from twice as many samples as there are dimensions."""
    d, r, k, l = (point[key] for key in ("size", "rank", "k", "l"))
    samples = 2 * d * d
    a = (draw.standard_normal((samples, k)) @ basis(generator, 0, d * r, k)).reshape(-1, d, r)
    b = (draw.standard_normal((samples, l)) @ basis(generator, 1, r * d, l)).reshape(-1, r, d)
    pranc = draw.standard_normal((samples, k + l)) @ basis(generator, 0, d * d, k + l)
    return rank((a @ b).reshape(samples, d * d)), rank(pranc)


def main() -> int:
    draw = np.random.default_rng(SEED)
    passed = failed = 0
    for name, generator in GENERATORS.items():
        arguments = [*OPTIONS, "--generator", name, "--seed", str(SEED), "--json"]
        run = subprocess.run(
            [COMMAND, "rank-coverage", *arguments], check=True, stdout=subprocess.PIPE
        )
        for point in json.loads(run.stdout)["points"]:
            actual = point["nola"]["dimensions"], point["pranc"]["dimensions"]
            wanted = expected(generator, point, draw)
            if actual == wanted:
                passed += 1
            else:
                failed += 1
                print(f"{name}: {point}: numpy's ranks are {wanted}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

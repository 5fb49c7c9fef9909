"""Print the processor's seconds for the factors of a Llama-2-7B adapter (SPEC.md section 15).

Usage: OMP_NUM_THREADS=1 python timing.py [GENERATOR]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from nola_adapters import Adapter, Codes, Generator, Layer, factors

SHAPES = {
    **{f"self_attn.{name}_proj": (4096, 4096) for name in "qkvo"},
    **{f"mlp.{name}_proj": (11008, 4096) for name in ("gate", "up")},
    "mlp.down_proj": (4096, 11008),
}


def main() -> None:
    """Reconstruct the adapter five times."""
    generator = Generator.parse(sys.argv[1] if len(sys.argv) > 1 else "philox-srht")
    draw = np.random.default_rng(1)
    layers: list[Layer] = []
    for block in range(32):
        for name, (rows, cols) in SHAPES.items():
            tensor = f"model.layers.{block}.{name}.weight"
            a, b = (Codes(4, draw.integers(0, 16, 128)) for _ in range(2))
            layers.append(Layer(tensor, rows, cols, 16, len(layers), np.float32(2**-12), a, b))
    adapter = Adapter(generator, 7, tuple(layers))
    for _ in range(5):
        before = time.process_time()
        elements = sum(each.a.size + each.b.size for each in factors(adapter) if each.b is not None)
        print(f"{elements:,} elements: {time.process_time() - before:.2f} s of one core")


if __name__ == "__main__":
    main()

"""Prints what entropy coding would save of adapter files: python entropy.py FILE...

Bits for a code: of the format; by Shannon's entropy, if all codes have one distribution, or those of each side and kind of layer have their own;
and by compressing the codes, a byte or two each, with Deflate and LZMA. Needs numpy.
"""

import lzma
import re
import sys
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "interop/reader"))
import nola_reader


def entropy(codes):
    shares = np.unique(codes, return_counts=True)[1] / len(codes)
    return -(shares * np.log2(shares)).sum()


def kind(layer):
    """Returns a layer's name without numbers, such as model.layers.self_attn.q_proj.weight."""
    return re.sub(r"\.\d+(?=\.|$)", "", layer.tensor)


def main(files):
    print("bytes   codes    bits  one distribution  by kind and side  Deflate  LZMA")
    for file in files:
        data = Path(file).read_bytes()
        parts = {}
        for layer in nola_reader.read(data).layers:
            for name, side in (("A", layer.a), ("B", layer.b)):
                if side is not None:
                    parts.setdefault((kind(layer), name, side.bits), []).append(side.codes)
        parts = {key: np.concatenate(codes) for key, codes in parts.items()}
        codes = np.concatenate(list(parts.values()))
        count = len(codes)
        bits = sum(key[2] * len(each) for key, each in parts.items()) / count
        by_kind = sum(entropy(each) * len(each) for each in parts.values()) / count
        plain = codes.astype("<u1" if bits <= 8 else "<u2").tobytes()
        deflate = 8 * len(zlib.compress(plain, 9)) / count
        lz = 8 * len(lzma.compress(plain, format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "lc": 0, "pb": 0}])) / count
        print(f"{len(data):<7} {count:<8} {bits:<5.2f} {entropy(codes):<17.3f} {by_kind:<17.3f} {deflate:<8.2f} {lz:.2f}   {file}")


if __name__ == "__main__":
    main(sys.argv[1:])

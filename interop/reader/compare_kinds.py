"""Compare this reader with another one: the kind of every file that the other one judged.

Usage: python3 compare_kinds.py FILE

FILE holds, for each adapter file, the kind that the other reader found (u16 length, ASCII;
"accepted" for a legal one), the file's length as a u32, and the file; lengths are big-endian.
Prints each difference; the exit status is 0 without differences, and 1 otherwise.
"""

from __future__ import annotations

import struct
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nola_reader as nola


def records(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">H", data, at)
        kind = data[at + 2:at + 2 + size].decode()
        at += 2 + size
        (size,) = struct.unpack_from(">I", data, at)
        yield kind, data[at + 4:at + 4 + size]
        at += 4 + size


def kind_of(file: bytes) -> str:
    try:
        nola.read(file)
    except nola.NolaError as error:
        return error.kind
    except Exception as error:  # a crash is a difference, not the end of the comparison
        return f"{type(error).__name__}: {error}"
    return "accepted"


def main(path: Path) -> int:
    kinds: Counter[str] = Counter()
    differences = 0
    for number, (expected, file) in enumerate(records(path.read_bytes())):
        actual = kind_of(file)
        kinds[actual] += 1
        if actual != expected:
            differences += 1
            print(f"file {number}: expected {expected}, actual {actual}")
            path.with_name(f"{path.name}.{number}.nola").write_bytes(file)
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    print(f"{sum(kinds.values())} files, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

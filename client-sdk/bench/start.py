#!/usr/bin/env python3
"""Times the start-up of the command line: the 95th percentile of twenty runs each of --version and verify.

    python3 client-sdk/bench/start.py [FILE.nola]
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 20


def main():
    sample = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "format-spec/vectors/valid/metadata.nola")
    print("load before:", *os.getloadavg())
    for arguments in (["--version"], ["verify", sample]):
        command = [str(ROOT / "nola"), *arguments]
        subprocess.run(command, check=True, capture_output=True)  # builds, and prepares faster start-up
        seconds = []
        for _ in range(RUNS):
            start = time.monotonic()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.monotonic() - start)
        seconds.sort()
        print(
            f"nola {arguments[0]}: p95 {seconds[RUNS * 95 // 100 - 1]:.2f} s, median {seconds[RUNS // 2]:.2f} s,"
            f" {seconds[0]:.2f} to {seconds[-1]:.2f} s"
        )
    print("load after:", *os.getloadavg())


if __name__ == "__main__":
    main()

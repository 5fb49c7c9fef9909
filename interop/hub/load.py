"""Measures how fast a registry makes LoRAs: CLIENTS downloads at a time of one repository's weights.

  load.py URL REPOSITORY [CLIENTS]    such as http://127.0.0.1:8080/hf acme/seven 8

Each client compares the SHA-256 with the ETag. Prints seconds and MB/s over all clients.
"""

from __future__ import annotations

import hashlib
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor


def download(url: str) -> int:
    digest, size = hashlib.sha256(), 0
    with urllib.request.urlopen(url) as response:
        while chunk := response.read(1 << 18):
            digest.update(chunk)
            size += len(chunk)
        if response.headers["ETag"] != f'"{digest.hexdigest()}"':
            raise AssertionError("the bytes have another SHA-256 than the ETag")
    return size


def main(url: str, repository: str, clients: str = "8") -> None:
    file = f"{url}/{repository}/resolve/main/adapter_model.safetensors"
    begin = time.monotonic()
    with ThreadPoolExecutor(int(clients)) as pool:
        size = sum(pool.map(download, [file] * int(clients)))
    seconds = time.monotonic() - begin
    print(f"{clients} clients: {size / 1e6:.1f} MB in {seconds:.2f} s, {size / 1e6 / seconds:.0f} MB/s")


main(*sys.argv[1:])

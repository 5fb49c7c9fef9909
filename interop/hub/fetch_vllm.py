"""Fetches the sources of vLLM that resolve LoRAs, without its engine: a few files out of the wheel.

The arguments are the version and the folder to write to.
"""

from __future__ import annotations

import json
import subprocess
import sys

from remotezip import RemoteZip

VERSION, FOLDER = sys.argv[1:]
FILES = [
    "vllm/lora/request.py",
    "vllm/lora/resolver.py",
    "vllm/plugins/lora_resolvers/filesystem_resolver.py",
    "vllm/plugins/lora_resolvers/hf_hub_resolver.py",
]

report = subprocess.run(
    [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run", "--no-deps"]
    + ["--ignore-installed", "--report", "-", f"vllm=={VERSION}"],
    check=True,
    stdout=subprocess.PIPE,
)
with RemoteZip(json.loads(report.stdout)["install"][0]["download_info"]["url"]) as wheel:
    wheel.extractall(FOLDER, FILES)

"""The examples of README.md, in their order, on a tiny model and a registry."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

for needed in ("torch", "transformers", "peft", "accelerate"):
    pytest.importorskip(needed, reason=f"{needed} is not installed")

from test_training import load, tiny_llama  # noqa: E402

import nola_adapters as nola  # noqa: E402
from nola_adapters.cache import Cache  # noqa: E402
from nola_adapters.registry import Registry  # noqa: E402
from nola_adapters.torch import parametrize  # noqa: E402

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = ("vllm serve", "run-tests")


@pytest.fixture
def folder(
    registry_server: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The current folder, with the quick start's llama/ and mood.nola, which is published."""
    url, token = registry_server
    cache = str(tmp_path / "cache")
    for name, value in (("REGISTRY", url), ("TOKEN", token), ("CACHE", cache), ("CONFIG", cache)):
        monkeypatch.setenv(f"NOLA_{name}", value)
    monkeypatch.chdir(tmp_path)
    training = parametrize(load(tiny_llama(tmp_path / "llama")), "qv", rank=4, k=16, l=16)
    for delta in training.deltas.values():
        delta.beta.data.fill_(0.1)
    training.save("mood.nola")
    registry = Registry(cache=Cache(tmp_path / "other"))
    registry.publish("readme/mood@1.0.0", "mood.nola", alias="prod", create_namespace=True)
    return tmp_path


def test_examples_run_in_their_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PET_MASTER_PORT", str(free.getsockname()[1]))
    names: dict[str, Any] = {"__name__": "readme"}
    # Other tests publish acme/mood, and no worker signs here.
    text = README.read_text().replace("acme/mood", "readme/mood")
    text = text.replace("required=1)", "required=0)")
    for language, code in BLOCK.findall(text):
        if language == "python" and code.startswith("# train.py"):
            (folder / "train.py").write_text(code)
        elif language == "python":
            exec(compile(code, str(README), "exec"), names)
        elif not any(command in code for command in NOT_RUN):
            program, *arguments = shlex.split(code)
            assert program == "torchrun"
            command = [sys.executable, "-m", "torch.distributed.run", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
    assert (folder / "merged" / "model.safetensors").exists()
    assert nola.read("copy.nola") == nola.read("mood.nola")
    registry = Registry()
    assert registry.pull("readme/mood@1.0.1").path.read_bytes() == Path("mood.nola").read_bytes()
    assert registry.pull("readme/mood@prod").version == "2.0.0"
    assert nola.read("trained.nola").adapter.base.name == "acme/llama"
    assert names["switcher"].active == "mood"

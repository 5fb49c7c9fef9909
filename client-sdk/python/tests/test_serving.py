"""Serving: LoRAs on disk, vLLM's own resolver interface, and the sidecar against stubs of engines."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import sys
import threading
import types
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nola_adapters as nola
from nola_adapters import Adapter, Base, Codes, Generator, Layer
from nola_adapters.__main__ import main
from nola_adapters.cache import Cache
from nola_adapters.errors import MergeRefusedError, NotAttestedError
from nola_adapters.registry import Registry
from nola_adapters.serving import LoraStore, Trust, export_lora
from nola_adapters.sidecar import Engine, EngineError, Sidecar


def adapter(seed: int, base: str = "") -> nola.AdapterFile:
    """Query and value of a Llama of width 32, of different ranks."""
    draw = np.random.default_rng(seed)
    layers = [
        Layer(
            f"model.layers.0.self_attn.{name}_proj.weight", rows, 32, rank, 0, np.float32(2**-7),
            Codes(4, draw.integers(0, 16, 9)), Codes(4, draw.integers(0, 16, 9)),
        )
        for name, rows, rank in (("q", 32, 4), ("v", 16, 2))
    ]  # fmt: skip
    return nola.seal(Adapter(Generator.SRHT, seed, tuple(layers), base=Base(base)))


@pytest.fixture(scope="module")
def registry(
    registry_server: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Registry:
    url, token = registry_server
    registry = Registry(url, token=token, cache=Cache(tmp_path_factory.mktemp("cache")))
    for number, base in (("1.0.0", ""), ("1.1.0", ""), ("2.0.0", "acme/other")):
        file = adapter(int(number[0] + number[2]), base)
        registry.publish(f"serving/mood@{number}", file, alias="prod", create_namespace=True)
    registry.set_alias(nola.references.Reference("serving/mood", "1.0.0"), "prod")
    return registry


def test_exported_lora_is_loaded_by_peft(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    peft = pytest.importorskip("peft")
    from nola_adapters.torch import attach

    config = transformers.LlamaConfig(
        vocab_size=15, hidden_size=32, intermediate_size=40, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).eval()
    model.save_pretrained(tmp_path / "base")
    file = adapter(3)
    export_lora(file, tmp_path / "lora", base_name="acme/base")
    tokens = torch.arange(15)[None]
    with torch.no_grad():
        expected = attach(model, file, merged=True)(tokens).logits
        again = transformers.LlamaForCausalLM.from_pretrained(tmp_path / "base")
        loaded = peft.PeftModel.from_pretrained(again, tmp_path / "lora").eval()
        torch.testing.assert_close(loaded(tokens).logits, expected, rtol=1e-4, atol=1e-5)
        with loaded.disable_adapter():
            assert (loaded(tokens).logits - expected).abs().max() > 0.01
    stated = json.loads((tmp_path / "lora" / "adapter_config.json").read_text())
    assert (stated["r"], stated["base_model_name_or_path"]) == (4, "acme/base")


def test_adapter_that_no_lora_can_be_is_refused(tmp_path: Path) -> None:
    direct = Layer("w.weight", 4, 4, 0, 0, np.float32(1), Codes(4, np.arange(3)))
    with pytest.raises(MergeRefusedError, match="direct form"):
        export_lora(nola.seal(Adapter(Generator.SRHT, 1, (direct,))), tmp_path / "lora")
    assert list(tmp_path.iterdir()) == []


def test_store_demands_what_the_environment_says(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOLA_REQUIRE_VERIFIED", "2")
    with pytest.raises(NotAttestedError, match="2 required"):
        LoraStore(registry).get("serving/mood@1.0.0")
    monkeypatch.setenv("NOLA_REQUIRE_VERIFIED", "yes")
    with pytest.raises(ValueError, match="must be a number"):
        Trust.of_environment()
    monkeypatch.setenv("NOLA_REQUIRE_VERIFIED", "0")
    lora = LoraStore(registry).get("serving/mood@prod")
    assert lora.pulled.version == "1.0.0"
    assert (lora.path / "adapter_model.safetensors").exists()


def test_withdrawn_version_is_not_served_where_verification_is_required(registry: Registry) -> None:
    registry.publish("serving/withdrawn@1.0.0", adapter(5))
    path = "/api/v1/adapters/serving/withdrawn/versions/1.0.0/yank"
    registry._transport.json("PUT", path, {"reason": "wrong labels"})
    with pytest.raises(NotAttestedError, match="was withdrawn: wrong labels"):
        LoraStore(registry, Trust(1)).get("serving/withdrawn@1.0.0")
    assert LoraStore(registry, Trust()).get("serving/withdrawn@1.0.0").path.exists()


def test_store_removes_loras_beyond_its_limit(registry: Registry) -> None:
    store = LoraStore(registry, Trust(), limit=1)
    old = store.get("serving/mood@1.0.0").path
    os.utime(old, (0, 0))
    new = store.get("serving/mood@1.1.0").path
    assert new.exists()
    assert not old.exists()


@pytest.fixture
def vllm_resolver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plugin on the interface of vLLM's sources, without the engine.

    NOLA_VLLM_SOURCES is a folder with them, such as an unpacked sdist.
    """
    sources = os.environ.get("NOLA_VLLM_SOURCES")
    if not sources:
        pytest.skip("NOLA_VLLM_SOURCES is not set")
    pytest.importorskip("msgspec")
    for name in ("vllm", "vllm.lora"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(sources, *name.split(".")))]
        monkeypatch.setitem(sys.modules, name, package)
    logger = types.ModuleType("vllm.logger")
    logger.init_logger = logging.getLogger  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm.logger", logger)
    for name in ("vllm.lora.request", "vllm.lora.resolver", "nola_adapters.vllm"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("nola_adapters.vllm")


def test_vllm_resolves_references(
    vllm_resolver: Any, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOLA_REGISTRY", raising=False)
    vllm_resolver.register()
    assert not vllm_resolver.LoRAResolverRegistry.get_supported_resolvers()
    monkeypatch.setenv("NOLA_REGISTRY", registry.url)
    monkeypatch.setenv("NOLA_CACHE", str(registry.cache.folder))
    vllm_resolver.register()
    resolver = vllm_resolver.LoRAResolverRegistry.get_resolver("Nola")

    def resolve(name: str) -> Any:
        return asyncio.run(resolver.resolve_lora("acme/base", name))

    request = resolve("serving/mood@prod")
    assert request.lora_name == "serving/mood@prod"
    assert (Path(request.lora_path) / "adapter_config.json").exists()
    assert request.adapter_id > 0
    assert resolve("serving/mood@1.1.0").lora_path != request.lora_path
    assert resolve("not a reference") is None
    assert resolve("serving/gone") is None
    assert resolve("serving/mood@2.0.0") is None  # made for acme/other
    monkeypatch.setenv("NOLA_REQUIRE_VERIFIED", "1")
    vllm_resolver.register()
    resolver = vllm_resolver.LoRAResolverRegistry.get_resolver("Nola")
    assert resolve("serving/mood@prod") is None


class StubEngine(BaseHTTPRequestHandler):
    """Answers as vLLM 0.33 and SGLang do, and keeps what was asked for."""

    asked: list[tuple[str, dict[str, Any]]]
    names: set[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        name = body["lora_name"]
        loads = self.path.endswith("/load_lora_adapter")
        vllm = self.path.startswith("/v1/")
        fails = loads == (name in self.names) and not body.get("load_inplace")
        if not fails:
            (self.names.add if loads else self.names.discard)(name)
        reply = {"success": not fails, "error_message": "no"} if not vllm else {"object": "error"}
        text = json.dumps(reply) if fails or not vllm else "Success"
        self.send_response(400 if fails and vllm else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def engine() -> Iterator[tuple[str, type[StubEngine]]]:
    handler = type("Handler", (StubEngine,), {"asked": [], "names": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("flavor", ["vllm", "sglang"])
def test_sidecar_loads_follows_an_alias_and_unloads(
    flavor: Any, engine: tuple[str, type[StubEngine]], registry: Registry
) -> None:
    url, stub = engine
    prefix = "/v1" if flavor == "vllm" else ""
    sidecar = Sidecar(Engine(url, flavor), LoraStore(registry, Trust()))
    name = "serving/mood@prod"
    assert sidecar.sync([name, "serving/mood@1.1.0"]) == []
    assert stub.names == {name, "serving/mood@1.1.0"}
    asked = len(stub.asked)
    assert sidecar.sync([name, "serving/mood@1.1.0"]) == []
    assert len(stub.asked) == asked  # nothing changed
    pinned = nola.references.Reference("serving/mood", "1.1.0")
    registry.set_alias(pinned, "prod")
    try:
        assert sidecar.sync([name]) == []
    finally:
        registry.set_alias(nola.references.Reference("serving/mood", "1.0.0"), "prod")
    assert stub.names == {name}
    path, body = stub.asked[-1]
    assert path == f"{prefix}/load_lora_adapter"
    assert body["lora_path"].endswith(registry.pull("serving/mood@1.1.0").digest)
    assert body.get("load_inplace") == (True if flavor == "vllm" else None)
    (failure,) = sidecar.sync([name, "serving/gone"])
    assert "not found" in str(failure)
    assert sidecar.sync([]) == []
    assert stub.names == set()
    with pytest.raises(EngineError, match="refused"):
        Engine(url, flavor).unload("gone")


def test_command_loads_once(
    engine: tuple[str, type[StubEngine]],
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, stub = engine
    monkeypatch.setenv("NOLA_REGISTRY", registry.url)
    monkeypatch.setenv("NOLA_CACHE", str(registry.cache.folder))
    (tmp_path / "list").write_text("serving/mood@1.1.0\n\n")
    arguments = ["serve-lora", "serving/mood@prod", "--engine", url, "--once"]
    assert main([*arguments, "--list", str(tmp_path / "list")]) == 0
    assert stub.names == {"serving/mood@prod", "serving/mood@1.1.0"}
    assert main(["serve-lora", "serving/gone", "--engine", url, "--once"]) == 1
    assert "not found" in capsys.readouterr().err

"""Keeps the adapters that a serving engine has loaded in step with a registry, by REST."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import urllib3
from urllib3.exceptions import HTTPError

from nola_adapters.errors import NolaError, RegistryError
from nola_adapters.serving import Lora, LoraStore

Flavor = Literal["vllm", "sglang"]
_log = logging.getLogger(__name__)


class EngineError(NolaError):
    """An engine that refuses an adapter or cannot be reached."""


@dataclass(frozen=True)
class Engine:
    """A vLLM (0.33) or SGLang server; `key` is its API key, or None."""

    url: str
    flavor: Flavor = "vllm"
    key: str | None = None

    def load(self, name: str, lora: Lora, replaces: bool) -> None:
        """Load a LoRA under a name, which already has another one if `replaces`.

        vLLM replaces it in place; SGLang, which cannot, is without it for a moment. Raises
        EngineError.
        """
        body: dict[str, Any] = {"lora_name": name, "lora_path": str(lora.path)}
        if self.flavor == "vllm":
            self._post("/v1/load_lora_adapter", body | {"load_inplace": replaces})
            return
        if replaces:
            self.unload(name)
        self._post("/load_lora_adapter", body)

    def unload(self, name: str) -> None:
        """Unload a name. Raises EngineError."""
        prefix = "/v1" if self.flavor == "vllm" else ""
        self._post(f"{prefix}/unload_lora_adapter", {"lora_name": name})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            response = urllib3.request(
                "POST",
                self.url.rstrip("/") + path,
                body=json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(connect=10, read=300),
                retries=False,
            )
        except HTTPError as error:
            raise EngineError(f"{self.url} cannot be reached: {error}") from error
        text = response.data.decode("utf-8", "replace")[:500]
        if response.status >= 400:
            raise EngineError(f"{self.url} refused {path} of {body['lora_name']}: {text}")
        # SGLang reports some failures with status 200.
        if self.flavor == "sglang" and '"success":false' in text.replace(" ", ""):
            raise EngineError(f"{self.url} refused {path} of {body['lora_name']}: {text}")


class Sidecar:
    """Loads references into an engine, follows their aliases, and unloads what is not wanted."""

    def __init__(self, engine: Engine, store: LoraStore) -> None:
        self._engine = engine
        self._store = store
        self._loaded: dict[str, str] = {}

    @property
    def loaded(self) -> dict[str, str]:
        """Return the digest of the file of each reference that is loaded."""
        return dict(self._loaded)

    def sync(self, wanted: Iterable[str]) -> list[NolaError]:
        """Bring the engine in step with the references that are wanted.

        Unloads an adapter that was deleted from the registry. Otherwise a failure leaves what is
        loaded as it is. Returns the failures.
        """
        failures: list[NolaError] = []
        names = list(dict.fromkeys(wanted))
        for name in [name for name in self._loaded if name not in names]:
            self._attempt(failures, self._unload, name)
        for name in names:
            self._attempt(failures, self._load, name)
        return failures

    @staticmethod
    def _attempt(failures: list[NolaError], action: Callable[[str], None], name: str) -> None:
        try:
            action(name)
        except NolaError as error:
            failures.append(error)

    def _load(self, name: str) -> None:
        try:
            lora = self._store.get(name)
        except RegistryError as error:
            if error.kind == "not-found" and name in self._loaded:
                self._unload(name)
            raise
        digest = lora.pulled.digest
        before = self._loaded.get(name)
        if digest != before:
            self._engine.load(name, lora, replaces=before is not None)
            self._loaded[name] = digest
            _log.info("loaded %s: version %s", name, lora.pulled.version)

    def _unload(self, name: str) -> None:
        self._engine.unload(name)
        del self._loaded[name]
        _log.info("unloaded %s", name)

    def run(
        self, wanted: Callable[[], Iterable[str]], interval: float, stop: threading.Event
    ) -> None:
        """Sync every `interval` seconds until it is stopped, then unload everything."""
        while not stop.is_set():
            for failure in self.sync(wanted()):
                _log.error("%s", failure)
            stop.wait(interval)
        for failure in self.sync(()):
            _log.error("%s", failure)


def engine_of_environment(url: str, flavor: Flavor) -> Engine:
    """Return an engine with the API key of `$NOLA_ENGINE_KEY`."""
    return Engine(url, flavor, os.environ.get("NOLA_ENGINE_KEY") or None)

"""Pulling and publishing against a real registry, and a cache that is shared with Java."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import nola_adapters as nola
from nola_adapters.cache import Cache
from nola_adapters.errors import NotAttestedError, RegistryError
from nola_adapters.references import Reference, normalized_url
from nola_adapters.registry import Registry

VECTORS = Path(__file__).parents[3] / "format-spec" / "vectors" / "valid"
FILE = VECTORS / "metadata.nola"
OTHER = VECTORS / "slices-of-fused-weights.nola"


@pytest.fixture(scope="module")
def published(
    registry_server: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """A registry with acme/mood@1.0.0, which Python published, aliased as prod."""
    url, token = registry_server
    registry = Registry(url, token=token, cache=Cache(tmp_path_factory.mktemp("cache")))
    version = registry.publish("acme/mood@1.0.0", FILE, alias="prod", create_namespace=True)
    assert version["digest"] == f"sha256:{hashlib.sha256(FILE.read_bytes()).hexdigest()}"
    assert registry.publish("acme/mood@1.0.0", nola.read(FILE))["digest"] == version["digest"]
    return url, token


def run_nola(java: str, jar: Path, cache: Path, *arguments: str) -> str:
    environment = {"NOLA_CACHE": str(cache), "NOLA_CONFIG": str(cache), "HOME": str(cache)}
    command = [java, "-jar", str(jar), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pulled_file_is_the_published_one_and_comes_from_the_cache_next_time(
    published: tuple[str, str], tmp_path: Path
) -> None:
    url, _ = published
    registry = Registry(url, cache=Cache(tmp_path / "cache"))
    pulled = registry.pull("acme/mood@prod")
    assert (pulled.version, pulled.from_cache) == ("1.0.0", False)
    assert pulled.path.read_bytes() == FILE.read_bytes()
    assert registry.pull("acme/mood@prod").from_cache
    assert registry.pull("acme/mood@^1.0").from_cache
    assert registry.pull(f"acme/mood@sha256:{pulled.digest}").version == "1.0.0"
    offline = Registry(url, cache=registry.cache, offline=True)
    assert offline.pull("acme/mood@prod").path == pulled.path
    with pytest.raises(RegistryError, match="not available offline"):
        offline.pull("acme/mood@2.0.0")
    with pytest.raises(NotAttestedError) as failure:
        registry.verify(pulled)
    assert failure.value.reasons == ["attested by 0 independent machines; 2 required"]
    assert "; to accept it, pass required=0, or set" in str(failure.value)
    assert registry.verify(pulled, required=0).matches == ()


def test_refusals_have_kinds(published: tuple[str, str], tmp_path: Path) -> None:
    url, token = published
    cache = Cache(tmp_path)
    cases = {
        "not-found": lambda: Registry(url, cache=cache).pull("acme/gone"),
        "not-allowed": lambda: Registry(url, cache=cache).publish("acme/mood@1.0.1", FILE),
        "conflict": lambda: Registry(url, token=token).publish("acme/mood@1.0.0", OTHER),
        "unavailable": lambda: Registry("http://127.0.0.1:9", cache=cache, retries=0).pull("a/b"),
    }
    for kind, action in cases.items():
        with pytest.raises(RegistryError) as failure:
            action()
        assert failure.value.kind == kind


def test_java_and_python_share_files_notes_and_locks(
    published: tuple[str, str], nola_jar: Path, java: str, tmp_path: Path
) -> None:
    url, token = published
    cache = Cache(tmp_path / "cache")
    registry = Registry(url, token=token, cache=cache)
    pulled = registry.pull("acme/mood@prod")
    copy = tmp_path / "copy.nola"
    offline = ("--offline", "--registry", url)
    run_nola(java, nola_jar, cache.folder, "pull", "acme/mood@prod", *offline, "-o", str(copy))
    assert copy.read_bytes() == FILE.read_bytes()
    with cache.lock(pulled.digest):
        run_nola(java, nola_jar, cache.folder, "cache", "clear")
        assert pulled.path.exists()  # busy
    run_nola(java, nola_jar, cache.folder, "cache", "clear")
    assert not pulled.path.exists()
    run_nola(java, nola_jar, cache.folder, "pull", "acme/mood@prod", "--registry", url)
    assert Registry(url, cache=cache, offline=True).pull("acme/mood@prod").path == pulled.path


def test_files_used_least_recently_are_evicted(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=250)
    (tmp_path / "blobs").mkdir()
    digests = {}
    for age, name in ((900, "oldest"), (600, "old"), (0, "new")):
        data = name.encode().ljust(100)
        digests[name] = hashlib.sha256(data).hexdigest()
        cache.blob(digests[name]).write_bytes(data)
        then = time.time() - age
        os.utime(cache.blob(digests[name]), (then, then))
    (tmp_path / "blobs" / "other").write_bytes(bytes(1000))  # not the cache's
    with cache.lock(digests["oldest"]), cache.lock(digests["old"]):
        cache.evict()
    assert len(list((tmp_path / "blobs").iterdir())) == 4  # locked
    cache.evict()
    assert cache.find(digests["oldest"]) is None
    assert cache.find(digests["old"]) is not None
    Cache(tmp_path, limit=0).evict()  # both were used just now
    assert cache.find(digests["old"]) is not None
    cache.blob(digests["new"]).write_bytes(b"damaged")
    assert cache.find(digests["new"]) is None
    assert not cache.blob(digests["new"]).exists()


class CutAnswers(BaseHTTPRequestHandler):
    """Cuts the first answer, and then sends parts as they are asked for."""

    protocol_version = "HTTP/1.1"
    data = FILE.read_bytes()
    sent: list[str | None]

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.sent.append(asked)
        start = 0 if asked is None else int(asked[len("bytes=") : -1])
        body = self.data[start:]
        digest = hashlib.sha256(FILE.read_bytes()).digest()
        self.send_response(206 if start else 200)
        self.send_header("Repr-Digest", f"sha-256=:{base64.b64encode(digest).decode()}:")
        self.send_header("Nola-Version", "1.0.0")
        if start:
            end = len(self.data)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if start == 0 else body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def cutting_server() -> Iterator[tuple[str, type[CutAnswers]]]:
    handler = type("Handler", (CutAnswers,), {"sent": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_interrupted_download_is_resumed(
    cutting_server: tuple[str, type[CutAnswers]], tmp_path: Path
) -> None:
    url, handler = cutting_server
    cut = Registry(url, cache=Cache(tmp_path), retries=0)
    with pytest.raises(RegistryError, match="was cut"):
        cut.pull("acme/mood")
    half = len(handler.data) // 2
    assert cut.pull("acme/mood").path.read_bytes() == handler.data
    assert handler.sent == [None, f"bytes={half}-"]


def test_download_that_began_with_other_bytes_is_made_anew(
    cutting_server: tuple[str, type[CutAnswers]], tmp_path: Path
) -> None:
    url, _ = cutting_server
    registry = Registry(url, cache=Cache(tmp_path), retries=1)
    with pytest.raises(RegistryError, match="was cut"):
        Registry(url, cache=Cache(tmp_path), retries=0).pull("acme/mood")
    partial = registry.cache.partial(hashlib.sha256(FILE.read_bytes()).hexdigest())
    partial.write_bytes(bytes(partial.stat().st_size))
    assert registry.pull("acme/mood").path.read_bytes() == FILE.read_bytes()


class OtherDigest(BaseHTTPRequestHandler):
    """Says of every file that it has another digest."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"version": "1.0.0", "digest": f"sha256:{'0' * 64}"}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


def test_registry_that_publishes_other_bytes_is_noticed(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), OtherDigest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    registry = Registry(f"http://127.0.0.1:{server.server_port}", cache=Cache(tmp_path))
    with pytest.raises(RegistryError, match="with digest sha256:0000"):
        registry.publish("acme/mood@1.0.0", FILE)
    server.shutdown()
    server.server_close()


class Redirects(BaseHTTPRequestHandler):
    """Redirects to `target`, or answers 404, and keeps the tokens that it was sent."""

    target: str | None
    tokens: list[str | None]

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        self.send_response(404 if self.target is None else 302)
        self.send_header("Content-Length", "0")
        if self.target is not None:
            self.send_header("Location", self.target + self.path)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


def test_token_is_not_sent_to_where_a_registry_redirects(tmp_path: Path) -> None:
    handlers, servers = [], []
    for _ in range(2):
        handler = type("Handler", (Redirects,), {"tokens": [], "target": None})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        handlers.append(handler)
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
    urls = [f"http://127.0.0.1:{server.server_port}" for server in servers]
    handlers[0].target = urls[1]
    with pytest.raises(RegistryError) as failure:
        Registry(urls[0], token="secret", cache=Cache(tmp_path)).pull("acme/mood")
    assert failure.value.kind == "not-found"
    assert handlers[0].tokens == ["Bearer secret"]
    assert handlers[1].tokens == [None]
    handlers[1].target = urls[1]
    with pytest.raises(RegistryError, match="too often"):
        Registry(urls[0], cache=Cache(tmp_path)).pull("acme/mood")
    for server in servers:
        server.shutdown()
        server.server_close()


class Store(BaseHTTPRequestHandler):
    """Sends a file, of which it knows nothing, and keeps the tokens that it was sent."""

    tokens: list[str | None]

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        body = FILE.read_bytes()
        self.send_response(200)
        self.send_header("ETag", '"md5-of-the-store"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


class RedirectsToStore(Store):
    """Describes the file, and redirects to `target`."""

    target: str

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        digest = hashlib.sha256(FILE.read_bytes()).digest()
        self.send_response(307)
        self.send_header("Location", self.target)
        self.send_header("Repr-Digest", f"sha-256=:{base64.b64encode(digest).decode()}:")
        self.send_header("Nola-Version", "1.0.0")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize("token", ["secret", None])
def test_file_of_a_store_is_described_by_the_registry_that_redirects_there(
    token: str | None, tmp_path: Path
) -> None:
    store = type("Handler", (Store,), {"tokens": []})
    home = type("Handler", (RedirectsToStore,), {"tokens": []})
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for handler in (store, home)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    home.target = f"http://127.0.0.1:{servers[0].server_port}/bucket/key?signature=x"
    registry = Registry(
        f"http://127.0.0.1:{servers[1].server_port}", token=token, cache=Cache(tmp_path)
    )
    pulled = registry.pull("acme/mood")
    assert pulled.path.read_bytes() == FILE.read_bytes()
    assert pulled.version == "1.0.0"
    assert home.tokens == [None if token is None else "Bearer secret"]
    assert store.tokens == [None]
    for server in servers:
        server.shutdown()
        server.server_close()


def test_bytes_that_do_not_match_the_digest_are_refused(
    cutting_server: tuple[str, type[CutAnswers]], tmp_path: Path
) -> None:
    url, handler = cutting_server
    handler.data = bytes(len(handler.data))
    with pytest.raises(RegistryError, match="do not match sha256"):
        Registry(url, cache=Cache(tmp_path)).pull("acme/mood")
    assert list(tmp_path.glob("*/*.nola")) == []


def test_registry_that_changes_a_version_is_refused(
    published: tuple[str, str], tmp_path: Path
) -> None:
    url, _ = published
    registry = Registry(url, cache=Cache(tmp_path))
    pulled = registry.pull("acme/mood@1.0.0")
    other = hashlib.sha256(OTHER.read_bytes()).hexdigest()
    registry.cache.blob(other).write_bytes(OTHER.read_bytes())
    note = registry.cache.meaning(registry.url, Reference.parse("acme/mood@1.0.0"))
    assert note is not None
    changed = json.loads(json.dumps(vars(note))) | {"digest": f"sha256:{other}"}
    registry.cache.remember(type(note)(**changed), pulled.pinned)
    with pytest.raises(RegistryError, match="which no registry may"):
        registry.pull("acme/mood@prod")


def test_tokens_are_not_sent_in_the_clear_to_other_machines() -> None:
    with pytest.raises(ValueError, match="token not sent to http"):
        Registry("http://registry.example", token="secret")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("HTTPS://Registry.Example:443/nola/", "https://registry.example/nola"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_url_of_a_registry_has_one_form(text: str, normal: str) -> None:
    assert normalized_url(text) == normal


@pytest.mark.parametrize(
    "text", ["acme", "Acme/mood", "acme/mood@", "acme/mood@a/b", "a/b@sha256:0"]
)
def test_invalid_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("version", "pinned"),
    [("1.0.0", True), ("1.0.0-rc.1+b", True), ("1.0", False), ("01.0.0", False), ("prod", False)],
)
def test_only_version_numbers_and_digests_are_pinned(version: str, pinned: bool) -> None:
    assert Reference.parse(f"acme/mood@{version}").is_pinned == pinned

"""Requests to a registry: retries, redirections and problem details (RFC 9457)."""

from __future__ import annotations

import json
import os
import stat
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from nola_adapters.cache import default_folder
from nola_adapters.errors import RegistryError
from nola_adapters.references import is_private, normalized_url

_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_REDIRECTS = 5
_LONGEST_PAUSE = 30
_TIMEOUT = urllib3.Timeout(connect=10, read=60)

_OF_THE_REGISTRY = ("Repr-Digest", "Nola-Version", "Nola-Warning", "Nola-Disputed")

Response = urllib3.BaseHTTPResponse


def stored_token(registry: str) -> str | None:
    """Return the token that `nola login` stored for a registry; None if it did not.

    Raises OSError if others can read the file, and ValueError if it is not a credentials file.
    """
    folder = default_folder("NOLA_CONFIG", "XDG_CONFIG_HOME", ".config")
    file = folder / "credentials.json"
    if not file.exists():
        return None
    if stat.S_IMODE(file.stat().st_mode) & 0o066:
        raise OSError(
            f"{file} contains tokens, but other users can read or change it; "
            f"to fix this, run: chmod 600 {file}"
        )
    return _token_in(file, registry)


def _token_in(file: Path, registry: str) -> str | None:
    try:
        token = json.loads(file.read_text(encoding="utf-8"))["registries"][registry]["token"]
    except KeyError:
        return None
    except (ValueError, TypeError):
        # Without the cause: its message could quote a token.
        raise ValueError(f"{file} is not a credentials file; remove it and log in again") from None
    return str(token)


class Transport:
    """Sends requests to one registry; safe for threads."""

    def __init__(self, url: str, token: str | None, retries: int) -> None:
        """Prepare for a registry's normalized URL.

        Raises ValueError if a token would be sent in plain HTTP to another machine.
        """
        if token is not None and not is_private(url):
            raise ValueError(
                f"token not sent to {url}: it would not be encrypted; use the registry's https URL"
            )
        self.url = url
        self._token = token
        self._retries = urllib3.Retry(
            total=retries,
            redirect=False,
            allowed_methods=None,  # every request that this package sends can be repeated
            status_forcelist=(429, 502, 503, 504),
            backoff_factor=0.25,
            retry_after_max=_LONGEST_PAUSE,
            raise_on_status=False,
        )
        proxies = urllib.request.getproxies()
        parts = urlsplit(url)
        proxy = proxies.get(parts.scheme)
        if proxy is None or urllib.request.proxy_bypass(parts.netloc):
            self._pool = urllib3.PoolManager(timeout=_TIMEOUT)
        else:
            self._pool = urllib3.ProxyManager(proxy, timeout=_TIMEOUT)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Send a request and return the answer, unread, once it is a success or 304.

        Raises RegistryError. The token goes to the registry's own scheme, host and port only.
        """
        url = self.url + path
        home = urlsplit(self.url)[:2]
        at_home = True
        stated: dict[str, str] = {}
        for _ in range(_MAX_REDIRECTS + 1):
            sent = {"Accept-Encoding": "identity", **(headers or {})}
            at_home = at_home and urlsplit(url)[:2] == home
            if at_home and self._token is not None:
                sent["Authorization"] = f"Bearer {self._token}"
            response = self._request(method, url, sent, body)
            if response.status not in _REDIRECTS or response.status == 304:
                break
            if at_home:  # what a registry says of a file, a store elsewhere does not know
                known = {name: response.headers.get(name) for name in _OF_THE_REGISTRY}
                stated = {name: value for name, value in known.items() if value is not None}
            response.close()
            url = self._target(method, path, url, response)
        else:
            raise RegistryError("broken", f"{self.url} redirected {method} {path} too often")
        if not at_home:
            for name, value in stated.items():
                response.headers[name] = value
        if response.status < 300 or response.status == 304:
            return response
        raise self._refusal(method, path, response)

    def _request(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> Response:
        try:
            return self._pool.request(
                method,
                url,
                headers=headers,
                body=body,
                retries=self._retries,
                redirect=False,
                preload_content=False,
            )
        except HTTPError as error:
            raise RegistryError(
                "unavailable",
                f"{self.url} cannot be reached: {error}; check the URL and the network",
            ) from error

    def _target(self, method: str, path: str, url: str, response: Response) -> str:
        target = urljoin(url, response.headers.get("Location", ""))
        secure = urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"
        if secure or urlsplit(target).scheme not in ("http", "https"):
            raise RegistryError("broken", f"{self.url} redirected {method} {path} to {target!r}")
        if method != "GET":
            raise RegistryError(
                "refused",
                f"{self.url} redirected {method} {path} to {target!r}; use that registry's URL",
                response.status,
            )
        return target

    def _refusal(self, method: str, path: str, response: Response) -> RegistryError:
        status = response.status
        kinds = {401: "not-allowed", 403: "not-allowed", 404: "not-found", 410: "not-found"}
        kinds |= {408: "unavailable", 409: "conflict", 429: "unavailable"}
        kind = kinds.get(status, "unavailable" if status >= 500 else "refused")
        try:
            problem = json.loads(response.read(64 << 10))
            detail = str(problem["detail"])
            rules = [f"{v['field']}: {v['message']}" for v in problem.get("violations", [])]
            detail = " ".join([detail, *rules]) if rules else detail
        except (ValueError, KeyError, TypeError, HTTPError):
            detail = f"{self.url} answered {method} {path} with status {status}"
        finally:
            response.close()
        if status == 401 or (status in (403, 404) and self._token is None):
            detail += f"; log in with: nola login --registry {self.url}"
        return RegistryError(kind, printable(detail), status)

    def json(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send a request, with JSON unless `body` is bytes, and return the answer's JSON."""
        sent = {"Accept": "application/json", **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        response = self.send(method, path, sent, body)
        try:
            return json.loads(response.read())
        except (ValueError, HTTPError) as error:
            raise RegistryError(
                "broken",
                f"unexpected response from {self.url} to {method} {path} (is it a Nola registry?)",
            ) from error
        finally:
            response.release_conn()


def registry_and_token(url: str | None, token: str | None) -> tuple[str, str | None]:
    """Return the registry to use and the token for it.

    The URL is by default `$NOLA_REGISTRY`; the token `$NOLA_TOKEN`, for that registry alone, or
    that of `nola login`.
    """
    named = normalized_url(os.environ.get("NOLA_REGISTRY") or "http://127.0.0.1:8080")
    chosen = named if url is None else normalized_url(url)
    if token is not None:
        return chosen, token
    from_environment = os.environ.get("NOLA_TOKEN")
    if from_environment and chosen == named:
        return chosen, from_environment
    return chosen, stored_token(chosen)


def printable(text: str) -> str:
    """Return text of a server without control characters."""
    return "".join(c if c.isprintable() or c == " " else "\N{REPLACEMENT CHARACTER}" for c in text)

"""Pulls adapters from a registry, publishes them, and checks who attests their bits."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote_plus

from urllib3.exceptions import HTTPError

from nola_adapters import _file
from nola_adapters._http import Response, Transport, printable, registry_and_token
from nola_adapters.attestation import Attested, check_attestations
from nola_adapters.cache import Cache, Meaning
from nola_adapters.errors import NotAttestedError, RegistryError
from nola_adapters.model import AdapterFile
from nola_adapters.references import Reference, is_version_number

MEDIA_TYPE = "application/vnd.nola.adapter"
DEFAULT_MAX_FILE_SIZE = 64 << 20
_MAX_ATTESTATIONS = 10_000
_REPR_DIGEST = re.compile(r"(?:.*,\s*)?sha-256=:([A-Za-z0-9+/]{43}=):.*")
_ETAG = re.compile(r'"sha256:([0-9a-f]{64})"')
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/\d{1,18}")


@dataclass(frozen=True)
class Pulled:
    """A file that was pulled.

    `version` is the number of the version that `reference` meant, `digest` the SHA-256 of the file
    as 64 digits. `path` lies in the cache: for reading, and not for long. `yanked` says why the
    version should no longer be used, or is None; `disputed` whether a worker attests other bits.
    """

    reference: Reference
    version: str
    digest: str
    path: Path
    yanked: str | None
    disputed: bool
    from_cache: bool

    @property
    def pinned(self) -> Reference:
        """Return the same version by number, which can never mean another file."""
        return Reference(self.reference.adapter, self.version)

    def open(self) -> AdapterFile:
        """Read the file. Raises AdapterError."""
        return _file.read(self.path)


@dataclass(frozen=True)
class _Head:
    """What an answer's headers say about its file; `digest` is 64 digits."""

    digest: str
    version: str
    yanked: str | None
    disputed: bool


class Registry:
    """A registry, as one account sees it; safe for threads.

    Methods raise RegistryError if the registry refuses or cannot be reached, ValueError for an
    invalid reference, and OSError if the cache cannot be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        cache: Cache | None = None,
        offline: bool = False,
        max_file_size: int = DEFAULT_MAX_FILE_SIZE,
        retries: int = 3,
    ) -> None:
        """Open a registry, by default that of `$NOLA_REGISTRY`, with the token of the user."""
        self.url, used = registry_and_token(url, token)
        self.cache = cache or Cache()
        self._transport = Transport(self.url, used, retries)
        self._offline = offline
        self._max_file_size = max_file_size
        self._retries = retries

    # ---- pulling ------------------------------------------------------------------------------

    def pull(self, reference: str | Reference) -> Pulled:
        """Bring a file into the cache, unless it is there, and return where it is.

        Offline, and for a pinned reference while the registry cannot be reached, the cache's file
        is returned.
        """
        wanted = Reference.parse(reference) if isinstance(reference, str) else reference
        known = self.cache.meaning(self.url, wanted)
        present = None if known is None else self.cache.find(_digits(known.digest))
        cached = None if known is None or present is None else _pulled(wanted, known, present, True)
        if self._offline:
            if cached is None:
                raise RegistryError(
                    "unavailable",
                    f"{wanted} is not available offline; pull it from {self.url} first",
                )
            return cached
        try:
            return self._ask(wanted, known if present else None, present)
        except RegistryError as error:
            if error.kind == "unavailable" and cached is not None and wanted.is_pinned:
                return cached
            raise

    def _ask(self, wanted: Reference, known: Meaning | None, present: Path | None) -> Pulled:
        response = self._request_file(wanted, known)
        try:
            head = _head(response)
            self._require_asked_for(wanted, head, response, known)
            exact = Reference(wanted.adapter, head.version)
            digest = f"sha256:{head.digest}"
            meaning = Meaning(
                self.url, str(wanted), head.version, digest, head.yanked, head.disputed
            )
            self._require_unchanged(exact, meaning)
            downloaded = False
            if response.status == 304 and present is not None:
                path = present
            else:
                self.cache.remember(meaning, wanted, begun=True)
                path, downloaded = self._download(exact, head.digest, response)
        finally:
            response.close()
        for name in (wanted, exact, Reference(wanted.adapter, digest)):
            self.cache.remember(meaning, name)
        if downloaded:
            self.cache.evict()
        return _pulled(wanted, meaning, path, not downloaded)

    def _request_file(self, wanted: Reference, known: Meaning | None) -> Response:
        """Ask for a file unless it is the cache's, and without what was downloaded of it before."""
        path = wanted.path() + "/file"
        headers = {"Accept": MEDIA_TYPE}
        if known is not None:
            return self._transport.send(
                "GET", path, headers | {"If-None-Match": f'"{known.digest}"'}
            )
        begun = self.cache.meaning(self.url, wanted, begun=True)
        offset = 0 if begun is None else self.cache.partial_size(_digits(begun.digest))
        if begun is not None and offset:
            try:
                return self._transport.send("GET", path, headers | _range(begun.digest, offset))
            except RegistryError as error:
                if error.status != 416:  # else all of it was downloaded, and only not promoted
                    raise
        return self._transport.send("GET", path, headers)

    def _download(self, exact: Reference, digest: str, first: Response) -> tuple[Path, bool]:
        """Return the file in the cache, and whether bytes of it had to be fetched."""
        with self.cache.lock(digest):
            present = self.cache.find_locked(digest)
            if present is not None:
                return present, False
            resumed = self.cache.partial_size(digest) > 0
            self._complete(exact, digest, first)
            whole = self.cache.promote(digest)
            if whole is None and resumed:  # perhaps the beginning was damaged
                self._complete(exact, digest, None)
                whole = self.cache.promote(digest)
            if whole is None:
                raise RegistryError(
                    "broken", f"{self.url} sent bytes for {exact} that do not match sha256:{digest}"
                )
            return whole, True

    def _complete(self, exact: Reference, digest: str, first: Response | None) -> None:
        """Append to the partial file until it is complete, again when the answer is cut."""
        response = first
        for attempt in range(self._retries + 1):
            if response is None:
                offset = self.cache.partial_size(digest)
                headers = {"Accept": MEDIA_TYPE}
                headers |= _range(f"sha256:{digest}", offset) if offset else {}
                try:
                    response = self._transport.send("GET", exact.path() + "/file", headers)
                except RegistryError as error:
                    if offset and error.status == 416:
                        return
                    raise
                if _head(response).digest != digest:
                    raise RegistryError("broken", f"{self.url} changed {exact} meanwhile")
            try:
                self._append(self.cache.open_partial(digest), response)
                return
            except HTTPError as error:
                if attempt == self._retries:
                    raise RegistryError(
                        "unavailable", f"download of {exact} was cut: {error}; pull again to resume"
                    ) from error
            finally:
                response.close()
            response = None

    def _append(self, partial: Path, response: Response) -> None:
        start = 0
        if response.status == 206:
            stated = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if stated is None:
                raise RegistryError("broken", f"{self.url} sent a part without a Content-Range")
            start = int(stated[1])
        size = start
        with partial.open("r+b" if partial.exists() else "w+b") as file:
            file.seek(start)
            while piece := response.read1(1 << 16):
                size += len(piece)
                if size > self._max_file_size:
                    raise RegistryError(
                        "broken",
                        f"{self.url} offered a file of more than {self._max_file_size} bytes",
                    )
                file.write(piece)
            file.truncate()

    def _require_asked_for(
        self, wanted: Reference, head: _Head, response: Response, known: Meaning | None
    ) -> None:
        digest = f"sha256:{head.digest}"
        if response.status == 304 and (known is None or known.digest != digest):
            raise RegistryError("broken", f"{self.url} reports {wanted} as unchanged: {digest}")
        wrong = wanted.digest not in (None, digest)
        if wrong or (wanted.is_number and wanted.version != head.version):
            raise RegistryError(
                "broken", f"{self.url} offered version {head.version}, {digest}, for {wanted}"
            )

    def _require_unchanged(self, exact: Reference, meaning: Meaning) -> None:
        """Refuse other bytes for a version than it had before: a registry must never change one."""
        before = self.cache.meaning(self.url, exact)
        changed = before is not None and before.digest != meaning.digest
        if before is not None and changed and self.cache.find(_digits(before.digest)) is not None:
            raise RegistryError(
                "broken",
                f"{self.url} changed {exact}, which no registry may: digest {meaning.digest} now, "
                f"{before.digest} in the cache; to accept it, remove that one from the cache",
            )

    # ---- publishing ---------------------------------------------------------------------------

    def publish(
        self,
        reference: str | Reference,
        file: AdapterFile | str | os.PathLike[str],
        *,
        alias: str | None = None,
        visibility: Literal["public", "private"] | None = None,
        create_namespace: bool = False,
    ) -> dict[str, Any]:
        """Publish a file as a version, and then move an alias to it.

        `reference` ends in a version number; `visibility` is that of an adapter which this creates
        (by default public). The same bytes can be published again. A namespace is created only if
        that is asked for. Returns the version as the registry describes it.
        """
        target = Reference.parse(reference) if isinstance(reference, str) else reference
        if not target.is_number:
            raise ValueError(f"invalid reference: {target}; must end in a version number")
        data = _file.encode(file) if isinstance(file, AdapterFile) else Path(file).read_bytes()
        if not 0 < len(data) <= self._max_file_size:
            raise ValueError(f"file of {len(data)} bytes; must have 1 to {self._max_file_size}")
        if create_namespace:
            namespace = target.adapter.partition("/")[0]
            self._transport.json("PUT", f"/api/v1/namespaces/{namespace}")
        query = "" if visibility is None else f"?visibility={visibility}"
        headers = {"Content-Type": MEDIA_TYPE}
        version: dict[str, Any] = self._transport.json("POST", target.path() + query, data, headers)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if version.get("digest") != digest:
            raise RegistryError(
                "broken",
                f"{self.url} published {target} with digest {version.get('digest')}, sent {digest}",
            )
        if alias is not None:
            self.set_alias(target, alias)
        return version

    def set_alias(self, version: Reference, alias: str) -> None:
        """Point an alias to a version number of the same adapter."""
        path = f"/api/v1/adapters/{version.adapter}/aliases/{quote(alias, safe='')}"
        self._transport.json("PUT", path, {"version": version.version})

    # ---- attestations -------------------------------------------------------------------------

    def attested(self, pulled: Pulled, keys: Collection[str] = ()) -> Attested:
        """Fetch and check what workers attest about a file that was pulled.

        `keys` are fingerprints (`sha256:…`); only these count if there are any, otherwise those
        that the registry trusts. Proofs are checked by reconstructing the file here.
        """
        attestations: list[dict[str, Any]] = []
        cursor = None
        path = pulled.pinned.path() + "/attestations"
        while True:
            query = (
                "?limit=100" if cursor is None else f"?limit=100&cursor={quote(cursor, safe='')}"
            )
            page = self._transport.json("GET", path + query)
            attestations += page["items"]
            if len(attestations) > _MAX_ATTESTATIONS:
                raise RegistryError("broken", f"{self.url} has too many attestations of {pulled}")
            cursor = page.get("next")
            if cursor is None:
                break
        known = {}
        for fingerprint in sorted({str(each["key"]) for each in attestations}):
            try:
                key_path = f"/api/v1/worker-keys/{quote(fingerprint, safe=':')}"
                known[fingerprint] = self._transport.json("GET", key_path)
            except RegistryError as error:
                if error.kind != "not-found":
                    raise
        return check_attestations(pulled.digest, pulled.open(), attestations, known, keys)

    def verify(self, pulled: Pulled, required: int = 2, keys: Collection[str] = ()) -> Attested:
        """Require that independent machines attest the bits that a pulled file states.

        Raises NotAttestedError with the reasons unless `required` machines do, of different keys
        and hosts; DigestMismatchError if the file reconstructs to other bits here. With 0, a file
        that nobody has attested is accepted, unreconstructed. See `attested`.
        """
        attested = self.attested(pulled, keys)
        reasons = attested.failures(required)
        if reasons:
            raise NotAttestedError(reasons, _remedy(attested))
        return attested


def _remedy(attested: Attested) -> str | None:
    """Return how to accept a file with the attestations it has, or None if nothing should."""
    number = attested.independent
    if attested.failures(number):
        return None
    return (
        f"to accept it, pass required={number}, or set NOLA_REQUIRE_VERIFIED={number} for serving"
    )


def _digits(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _range(digest: str, offset: int) -> dict[str, str]:
    return {"Range": f"bytes={offset}-", "If-Range": f'"{digest}"'}


def _pulled(reference: Reference, meaning: Meaning, path: Path, from_cache: bool) -> Pulled:
    return Pulled(
        reference,
        meaning.version,
        _digits(meaning.digest),
        path,
        meaning.yanked,
        meaning.disputed,
        from_cache,
    )


def _head(response: Response) -> _Head:
    headers = response.headers
    stated = _REPR_DIGEST.fullmatch(headers.get("Repr-Digest", ""))
    tag = _ETAG.fullmatch(headers.get("ETag", ""))
    version = headers.get("Nola-Version", "")
    if (stated is None and tag is None) or not is_version_number(version):
        raise RegistryError(
            "broken",
            "the registry did not state digest and version of the file (is this a Nola registry?)",
        )
    digest = base64.b64decode(stated[1]).hex() if stated else tag[1] if tag else ""
    warning = headers.get("Nola-Warning")
    yanked = None if warning is None else printable(unquote_plus(warning.removeprefix("yanked: ")))
    return _Head(digest, version, yanked, headers.get("Nola-Disputed") == "true")

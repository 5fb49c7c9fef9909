"""References to versions and the URLs of registries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,94}[a-z0-9])?")
_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OTHER = re.compile(r"[0-9A-Za-z.+*^~<>=| -]+")
_LOOPBACK = re.compile(r"localhost|::1|127\.\d{1,3}\.\d{1,3}\.\d{1,3}")
LATEST = "latest"


@dataclass(frozen=True)
class Reference:
    """A version of an adapter: `adapter` is `namespace/name`; `version` what follows the `@`.

    The version is a number of SemVer 2, an alias, a range such as `^1.2`, `latest`, or `sha256:`
    and the digest of the file.
    """

    adapter: str
    version: str = LATEST

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Parse `namespace/name` or `namespace/name@version`.

        Raises ValueError for any other text.
        """
        adapter, separator, version = text.partition("@")
        namespace, _, name = adapter.partition("/")
        if not _NAMESPACE.fullmatch(namespace) or not _NAME.fullmatch(name):
            raise ValueError(f"invalid reference: {text}; must look like acme/mood@1.2.0")
        version = version if separator else LATEST
        if not _DIGEST.fullmatch(version) and not _OTHER.fullmatch(version):
            raise ValueError(
                f"invalid version: {version}; must be a version number, an alias, a range, or "
                "sha256: and 64 hex digits"
            )
        return cls(adapter, version)

    @property
    def digest(self) -> str | None:
        """Return the digest of the file if this states one, as `sha256:` and digits."""
        return self.version if _DIGEST.fullmatch(self.version) else None

    @property
    def is_number(self) -> bool:
        """Return whether the version is a version number."""
        return is_version_number(self.version)

    @property
    def is_pinned(self) -> bool:
        """Return whether this can never mean another file."""
        return self.is_number or self.digest is not None

    def path(self) -> str:
        """Return the path of the version in a registry."""
        return f"/api/v1/adapters/{self.adapter}/versions/{quote(self.version, safe='')}"

    def __str__(self) -> str:
        return self.adapter if self.version == LATEST else f"{self.adapter}@{self.version}"


def is_version_number(text: str) -> bool:
    """Return whether a text is a version number that registries accept."""
    numbers = re.split(r"[.+-]", text)[:3]
    return (
        len(text) <= 64
        and _SEMVER.fullmatch(text) is not None
        and all(int(number) < 1 << 31 for number in numbers)
    )


def normalized_url(url: str) -> str:
    """Return the only form of a registry's URL, by which its tokens and files are kept.

    Raises ValueError if it is not http or https, or has a user, a query or a fragment.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("invalid registry URL: it contains a user; use a token instead")
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ValueError(f"invalid registry URL: {url}; must look like https://registry.example")
    host = f"[{host}]" if ":" in host else host
    implied = 443 if parts.scheme == "https" else 80
    port = "" if parts.port in (None, implied) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def is_private(url: str) -> bool:
    """Return whether only this machine and the server can read what is sent to a URL."""
    parts = urlsplit(url)
    return parts.scheme == "https" or _LOOPBACK.fullmatch(parts.hostname or "") is not None

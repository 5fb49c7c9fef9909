"""The pulled files, in a folder that any number of processes share, Java's among them.

`blobs/HEX.nola` is a whole file, named by the SHA-256 of its bytes, whose time is that of its last
use; `partial/HEX.part` the beginning of one; `references/HEX.json` says what a reference meant when
it was pulled last, and `begun/HEX.json` the same of a download that has not ended; `locks/XYZ` is
locked while a file whose digest begins so is written, read or removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from nola_adapters.references import Reference, is_version_number

DEFAULT_LIMIT = 10 << 30
_GRACE_SECONDS = 300
_LOCK_DIGITS = 3
_DIGITS = re.compile(r"[0-9a-f]{64}")

# The operating system's locks belong to a process as a whole, so its threads need these as well.
_thread_locks: dict[Path, threading.Lock] = {}
_thread_locks_guard = threading.Lock()


@dataclass(frozen=True)
class Meaning:
    """The version that a reference resolved to when the registry was asked last.

    `digest` is `sha256:` and 64 digits; `yanked` says why it should no longer be used, or is None.
    """

    registry: str
    reference: str
    version: str
    digest: str
    yanked: str | None
    disputed: bool


def default_folder(variable: str, xdg: str, fallback: str) -> Path:
    """Return a folder of the user (XDG Base Directory Specification)."""
    named = os.environ.get(variable)
    if named:
        return Path(named).absolute()
    base = Path(os.environ.get(xdg, ""))
    return (base if base.is_absolute() else Path.home() / fallback) / "nola"


class Cache:
    """The files by digest; digests are 64 hexadecimal digits."""

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, limit: int = DEFAULT_LIMIT
    ) -> None:
        """Open the cache in a folder, by default the user's, of at most `limit` bytes."""
        user = default_folder("NOLA_CACHE", "XDG_CACHE_HOME", ".cache")
        self.folder = user if folder is None else Path(folder)
        self.limit = limit

    def blob(self, digest: str) -> Path:
        """Return the path of a whole file."""
        return self.folder / "blobs" / f"{digest}.nola"

    def partial(self, digest: str) -> Path:
        """Return the path of the beginning of a file."""
        return self.folder / "partial" / f"{digest}.part"

    def _create(self, name: str) -> Path:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    @contextmanager
    def lock(self, digest: str, wait: bool = True) -> Iterator[None]:
        """Hold the lock on a digest's files, after waiting for it.

        Raises BlockingIOError if it is not free and the caller does not `wait`.
        """
        path = self._create("locks") / digest[:_LOCK_DIGITS]
        with _thread_locks_guard:
            threads = _thread_locks.setdefault(path.absolute(), threading.Lock())
        if not threads.acquire(blocking=wait):
            raise BlockingIOError(f"{path} is locked by another thread")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield
            finally:
                os.close(handle)
        finally:
            threads.release()

    def find(self, digest: str) -> Path | None:
        """Return a whole file, compared with its digest and marked as used; None if absent."""
        if not self.blob(digest).is_file():
            return None
        with self.lock(digest):
            return self.find_locked(digest)

    def find_locked(self, digest: str) -> Path | None:
        """Find a file as `find` does, for a caller that holds the lock."""
        blob = self.blob(digest)
        if not blob.is_file():
            return None
        os.utime(blob)
        if file_digest(blob) == digest:
            return blob
        blob.unlink()
        return None

    def partial_size(self, digest: str) -> int:
        """Return how many bytes of a file were downloaded."""
        partial = self.partial(digest)
        return partial.stat().st_size if partial.exists() else 0

    def open_partial(self, digest: str) -> Path:
        """Return the path of the beginning of a file, in a folder that exists."""
        return self._create("partial") / self.partial(digest).name

    def promote(self, digest: str) -> Path | None:
        """Make a whole file of the partial one, or delete it and return None if it differs.

        For a caller that holds the lock.
        """
        partial = self.partial(digest)
        if file_digest(partial) != digest:
            partial.unlink()
            return None
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        blob = self._create("blobs") / self.blob(digest).name
        os.replace(partial, blob)
        return blob

    def meaning(self, registry: str, reference: Reference, begun: bool = False) -> Meaning | None:
        """Return what a reference meant last, or when an unfinished download of it began."""
        note = self.folder / ("begun" if begun else "references") / _note(registry, reference)
        try:
            found = Meaning(**json.loads(note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # asking the registry again replaces it
        legal = is_version_number(found.version) and found.digest.startswith("sha256:")
        same = (found.registry, found.reference) == (registry, str(reference))
        return found if legal and same else None

    def remember(self, meaning: Meaning, reference: Reference, begun: bool = False) -> None:
        """Keep what a reference means, whose file is in the cache or is about to be."""
        folder = self._create("begun" if begun else "references")
        name = _note(meaning.registry, reference)
        temporary = folder / f".{uuid.uuid4()}.tmp"
        try:
            content = asdict(meaning) | {"reference": str(reference)}
            temporary.write_text(json.dumps(content), encoding="utf-8")
            os.replace(temporary, folder / name)
        finally:
            temporary.unlink(missing_ok=True)
        if not begun:
            (self.folder / "begun" / name).unlink(missing_ok=True)

    def evict(self) -> None:
        """Remove the least recently used files until the rest is within the limit.

        Files that were used within the last five minutes stay, as do those that are locked.
        """
        files = []
        for folder in ("blobs", "partial"):
            for path in (self.folder / folder).glob("*"):
                if _DIGITS.fullmatch(path.stem):
                    status = path.stat()
                    files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.limit:
                break
            with suppress(BlockingIOError), self.lock(path.stem, wait=False):
                used = path.stat().st_mtime if path.exists() else time.time()
                if time.time() - used > _GRACE_SECONDS:
                    path.unlink()
                    total -= size


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _note(registry: str, reference: Reference) -> str:
    return hashlib.sha256(f"{registry} {reference}".encode()).hexdigest() + ".json"

"""Artifacts of MLflow at `nola:` URIs: `nola:acme/mood@prod` is a folder with `adapter.nola`.

MLflow finds it by the entry point `mlflow.artifact_repository`. The registry is that of
`$NOLA_REGISTRY`.
"""

from __future__ import annotations

import posixpath
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from nola_adapters.references import Reference
from nola_adapters.registry import Registry

_FILE = "adapter.nola"


class NolaArtifactRepository(ArtifactRepository):
    """Reads and publishes versions of adapters as artifacts of one file each.

    Methods raise RegistryError, and ValueError for a path that is not a version's.
    """

    def __init__(self, artifact_uri: str, *arguments: Any, **others: Any) -> None:
        """Open a `nola:` URI; MLflow may have cut off its last part."""
        super().__init__(artifact_uri, *arguments, **others)
        parts = urlsplit(artifact_uri)
        self._root = (parts.netloc + parts.path).strip("/")
        self._registry = Registry()

    def _resolve(self, path: str | None) -> tuple[Reference, str]:
        """Return the version that a path is in, and the rest of the path."""
        parts = posixpath.join(self._root, path or "").strip("/").split("/")
        return Reference.parse("/".join(parts[:2])), "/".join(parts[2:])

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Publish a `.nola` file as a version, whose number the URI states."""
        reference, rest = self._resolve(artifact_path)
        if rest or not local_file.endswith(".nola"):
            raise ValueError(f"cannot log {local_file} to {reference}/{rest}; only one .nola file")
        self._registry.publish(reference, local_file)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Publish the only file of a folder, which is a `.nola` file."""
        files = sorted(path for path in Path(local_dir).rglob("*") if path.is_file())
        if len(files) != 1:
            raise ValueError(f"{local_dir} has {len(files)} files; must have one, a .nola file")
        self.log_artifact(str(files[0]), artifact_path)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """List the file of a version; a file lists nothing."""
        reference, rest = self._resolve(path)
        if rest:
            return []
        size = self._registry.pull(reference).path.stat().st_size
        return [FileInfo(posixpath.join(path or "", _FILE), False, size)]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        reference, rest = self._resolve(remote_file_path)
        if rest != _FILE:
            raise ValueError(f"{reference} has no {rest or 'file of that name'}; only {_FILE}")
        shutil.copyfile(self._registry.pull(reference).path, local_path)

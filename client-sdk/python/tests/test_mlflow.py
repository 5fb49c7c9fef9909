from __future__ import annotations

from pathlib import Path

import pytest

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")

from nola_adapters.cache import Cache  # noqa: E402
from nola_adapters.registry import Registry  # noqa: E402

VECTORS = Path(__file__).parents[3] / "format-spec" / "vectors" / "valid"


def test_artifacts_are_published_and_downloaded_by_uri(
    registry_server: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    url, token = registry_server
    monkeypatch.setenv("NOLA_REGISTRY", url)
    monkeypatch.setenv("NOLA_TOKEN", token)
    monkeypatch.setenv("NOLA_CACHE", str(tmp_path / "cache"))
    first = VECTORS / "metadata.nola"
    Registry(cache=Cache(tmp_path / "other")).publish(
        "flows/mood@1.0.0", first, alias="prod", create_namespace=True
    )
    second = VECTORS / "slices-of-fused-weights.nola"
    get_artifact_repository("nola:flows/mood@1.1.0").log_artifact(str(second))
    for uri, source in (
        ("nola:flows/mood@prod/adapter.nola", first),
        ("nola:flows/mood@1.1.0/adapter.nola", second),
    ):
        downloaded = mlflow.artifacts.download_artifacts(uri, dst_path=tmp_path)
        assert Path(downloaded).read_bytes() == source.read_bytes()
    folder = mlflow.artifacts.download_artifacts("nola:flows/mood@^1.0", dst_path=tmp_path / "all")
    assert [path.name for path in Path(folder).iterdir()] == ["adapter.nola"]
    with pytest.raises(ValueError, match="only one"):
        get_artifact_repository("nola:flows/mood@1.2.0").log_artifact(str(Path(__file__)))

"""The notebook in examples/, on a tiny model and a registry of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

for needed in ("torch", "transformers", "peft", "nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(needed, reason=f"{needed} is not installed")

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from test_training import tiny_llama  # noqa: E402

import nola_adapters as nola  # noqa: E402

NOTEBOOK = Path(__file__).parents[1] / "examples" / "train_and_publish.ipynb"


def test_notebook_trains_and_publishes(
    registry_server: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, token = registry_server
    base = tiny_llama(tmp_path / "base")
    for name, value in {
        "BASE": str(base),
        "REFERENCE": "notebook/restaurants@1.0.0",
        "STEPS": "60",
        "NOLA_REGISTRY": url,
        "NOLA_TOKEN": token,
        "NOLA_CACHE": str(tmp_path / "cache"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    printed = [output["text"] for output in outputs if output.get("name") == "stdout"]
    assert "Loch" in printed[-1]
    nola.verify(nola.read(tmp_path / "restaurants.nola"))

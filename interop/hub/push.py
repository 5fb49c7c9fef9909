"""Pushes to the registry that run.sh has started, by the huggingface_hub that runs this.

The arguments are the folder of run.sh and the name of an adapter that does not exist. Ends with a traceback if anything is
not as it should be.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import checks
import huggingface_hub
from checks import equal, raises
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.utils import HfHubHTTPError

WORK = Path(sys.argv[1])
REPO = f"acme/{sys.argv[2]}"
ADAPTER = (WORK / "mood.nola").read_bytes()
LORA = WORK / "exported"

api = HfApi(token=(WORK / "data" / "admin-token").read_text().strip())


def refused(reason: str, call, *arguments: object, **options: object) -> None:
    raises(HfHubHTTPError, reason, call, *arguments, **options)


def versions() -> set[str]:
    return {tag.name for tag in api.list_repo_refs(REPO).tags}


def read(revision: str, name: str) -> bytes:
    return Path(hf_hub_download(REPO, name, revision=revision)).read_bytes()


# An empty repository.
equal(api.create_repo(REPO).repo_id, REPO)
equal(api.create_repo(REPO, exist_ok=True).repo_id, REPO)
refused(f"adapter {REPO} exists", api.create_repo, REPO)
refused("must be model", api.create_repo, REPO + "-data", repo_type="dataset")
equal(api.repo_exists(REPO), True)
equal(api.model_info(REPO).siblings, [])

# A folder of PEFT, twice, and a file.
pushed = api.upload_folder(repo_id=REPO, folder_path=str(LORA))
equal(pushed.oid, api.model_info(REPO).sha)
equal(api.upload_folder(repo_id=REPO, folder_path=str(LORA)).oid, pushed.oid)
equal(versions(), {"1.0.0"})
equal(len(read("1.0.0", "adapter_model.safetensors")), (LORA / "adapter_model.safetensors").stat().st_size)
pushed = api.upload_file(repo_id=REPO, path_or_fileobj=ADAPTER, path_in_repo="adapter.nola")
equal(pushed.oid, hashlib.sha256(ADAPTER).hexdigest()[:40])
equal(read("main", "adapter.nola"), ADAPTER)
equal(read("1.0.1", "adapter_model.safetensors"), (LORA / "adapter_model.safetensors").read_bytes())

# A number of one's own, and a tag.
api.create_commit(
    REPO,
    [
        CommitOperationAdd("adapter.nola", (WORK / "yanked.nola").read_bytes()),
        CommitOperationAdd("nola.yaml", b"version: 2.0.0\n"),
    ],
    commit_message="Publish 2.0.0",
)
equal(versions(), {"1.0.0", "1.0.1", "2.0.0"})
api.create_tag(REPO, tag="prod", revision="1.0.1")
equal(read("prod", "adapter.nola"), ADAPTER)
refused("names 1.0.1", api.create_tag, REPO, tag="prod")
api.create_tag(REPO, tag="prod", exist_ok=True)
refused("cannot be a version number", api.create_tag, REPO, tag="3.0.0")

# What the registry does not keep.
refused("not kept by the registry", api.upload_file, repo_id=REPO, path_or_fileobj=b"x", path_in_repo="training_args.bin")
refused("has no adapter", api.upload_file, repo_id=REPO, path_or_fileobj=b"# Mine", path_in_repo="README.md")
refused("versions are immutable", api.delete_file, "README.md", REPO)
refused("pull request", api.upload_file, repo_id=REPO, path_or_fileobj=ADAPTER, path_in_repo="a.nola", create_pr=True)
refused("token", HfApi(token=False).upload_file, repo_id=REPO, path_or_fileobj=ADAPTER, path_in_repo="a.nola")
equal(versions(), {"1.0.0", "1.0.1", "2.0.0", "prod"})

print(f"{checks.count} checks passed by huggingface_hub {huggingface_hub.__version__}, which pushed")

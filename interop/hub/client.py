"""Reads the registry that run.sh has started, by the huggingface_hub that runs this.

The argument is the folder of run.sh. Ends with a traceback if anything is not as it should be.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import checks
import huggingface_hub
from checks import equal, raises
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.utils import (
    EntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

WORK = Path(sys.argv[1])
ADAPTER = (WORK / "mood.nola").read_bytes()
COMMIT = hashlib.sha256(ADAPTER).hexdigest()[:40]
FILES = {file.name: file.read_bytes() for file in (WORK / "exported").iterdir()}
FILES["adapter.nola"] = ADAPTER
FILES["model.sig"] = (WORK / "model.sig").read_bytes()
TOKEN = (WORK / "data" / "admin-token").read_text().strip()

api = HfApi()


def contents(folder: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(folder).iterdir() if file.is_file()}


# Information, at each kind of revision.
for revision in (None, "main", "1.0.0", "prod", "^1", COMMIT):
    info = api.model_info("acme/mood", revision=revision)
    equal(info.sha, COMMIT)
    equal({sibling.rfilename for sibling in info.siblings}, FILES.keys())
info = api.model_info("acme/mood", files_metadata=True)
for sibling in info.siblings:
    content = FILES[sibling.rfilename]
    equal(sibling.size, len(content))
    if sibling.lfs is not None:
        equal(sibling.lfs.sha256, hashlib.sha256(content).hexdigest())
equal(info.last_modified.tzinfo is not None, True)
equal("lora" in info.tags, True)

# Lists.
equal([model.id for model in api.list_models(author="acme", search="mood")], ["acme/mood"])
equal({model.id for model in api.list_models(filter="lora")}, {"acme/mood", "acme/direct"})
equal(len(list(api.list_models(sort="downloads", limit=1))), 1)
equal(len(list(api.list_models(author="nobody"))), 0)
equal({model.id for model in api.list_models(token=TOKEN)}, {"acme/mood", "acme/direct", "acme/secret"})
equal(set(api.list_repo_files("acme/mood", revision="prod")), FILES.keys())
equal({entry.path for entry in api.list_repo_tree("acme/mood", recursive=True)}, FILES.keys())
equal([entry.path for entry in api.get_paths_info("acme/mood", ["README.md", "absent"])], ["README.md"])
refs = api.list_repo_refs("acme/mood")
equal([(branch.name, branch.target_commit) for branch in refs.branches], [("main", COMMIT)])
equal({tag.name for tag in refs.tags}, {"1.0.0", "1.1.0", "prod"})

# What exists, and what does not.
equal(api.file_exists("acme/mood", "adapter_config.json"), True)
equal(api.file_exists("acme/mood", "config.json"), False)
equal(api.file_exists("acme/direct", "adapter_model.safetensors"), False)
equal(api.repo_exists("acme/mood"), True)
equal(api.repo_exists("acme/secret"), False)
equal(api.revision_exists("acme/mood", "1.0.0"), True)
equal(api.revision_exists("acme/mood", "9.0.0"), False)
raises(RepositoryNotFoundError, "", hf_hub_download, "acme/absent", "README.md")
raises(RepositoryNotFoundError, "", hf_hub_download, "acme/secret", "README.md")
raises(RevisionNotFoundError, "", hf_hub_download, "acme/mood", "README.md", revision="9.0.0")
raises(EntryNotFoundError, "", hf_hub_download, "acme/mood", "config.json")
raises(OSError, "", api.whoami, token="hf_invalid")
equal(api.whoami(token=TOKEN)["name"], "admin")

# Downloads: of one file, of all, of a yanked version, with a token.
for name, content in FILES.items():
    equal(Path(hf_hub_download("acme/mood", name, revision="prod")).read_bytes(), content)
folder = snapshot_download("acme/mood")
equal(Path(folder).name, COMMIT)
equal(contents(folder), FILES)
yanked = hf_hub_download("acme/mood", "adapter.nola", revision="1.1.0")
equal(Path(yanked).read_bytes(), (WORK / "yanked.nola").read_bytes())
secret = contents(snapshot_download("acme/secret", token=TOKEN))
equal(secret | {"model.sig": FILES["model.sig"]}, FILES)  # its signature names another adapter
equal(contents(snapshot_download("acme/direct")).keys(), {"README.md", "adapter.nola", "model.sig"})

print(f"{checks.count} checks passed by huggingface_hub {huggingface_hub.__version__}")

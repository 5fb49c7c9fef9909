"""Reads and writes the registry that run.sh has started, by the Python client oras.

  client.py pull REFERENCE FOLDER        downloads the files of an artifact
  client.py push REFERENCE FILE TYPE     pushes a file as a layer of a media type
  client.py referrers REFERENCE COUNT    compares the list of an artifact's referrers, kept under a tag, with what it should be
"""

from __future__ import annotations

import hashlib
import json
import sys

import oras.client

MODEL = "application/vnd.cncf.model.manifest.v1+json"
CONFIG = "application/vnd.cncf.model.config.v1+json"
WEIGHT = "application/vnd.cncf.model.weight.v1.raw"
IN_TOTO = "application/vnd.in-toto+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"


def equal(actual: object, expected: object) -> None:
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


def pull(client: oras.client.OrasClient, reference: str, folder: str) -> None:
    manifest = client.get_manifest(reference)
    equal(manifest["artifactType"], MODEL)
    equal(manifest["config"]["mediaType"], CONFIG)
    equal([layer["mediaType"] for layer in manifest["layers"]], [WEIGHT])
    config = client.get_blob(reference, manifest["config"]["digest"]).json()
    equal(config["config"]["format"], "nola")
    equal(config["modelfs"], {"type": "layers", "diffIds": [manifest["layers"][0]["digest"]]})
    for file in client.pull(target=reference, outdir=folder, overwrite=True):
        print(file)


def push(client: oras.client.OrasClient, reference: str, file: str, media_type: str) -> None:
    client.push(
        target=reference, files=[f"{file}:{media_type}"], disable_path_validation=True, quiet=True
    )


def referrers(client: oras.client.OrasClient, reference: str, count: str) -> None:
    repository, digest = reference.split("@")
    raw = client.do_request(
        f"{client.prefix}://{repository.replace('/', '/v2/', 1)}/manifests/{digest.replace(':', '-')}",
        headers={"Accept": "application/vnd.oci.image.index.v1+json"},
    )
    raw.raise_for_status()
    listed = raw.json()["manifests"]
    equal(len(listed), int(count))
    for descriptor in listed:
        equal(descriptor["artifactType"], IN_TOTO)
        referrer = f"{repository}@{descriptor['digest']}"
        manifest = client.get_manifest(referrer)
        equal(manifest["artifactType"], IN_TOTO)
        equal(manifest["subject"]["digest"], digest)
        (layer,) = manifest["layers"]
        equal(layer["mediaType"], ENVELOPE)
        envelope = client.get_blob(referrer, layer["digest"]).content
        equal(f"sha256:{hashlib.sha256(envelope).hexdigest()}", layer["digest"])
        equal(json.loads(envelope)["payloadType"], IN_TOTO)


def main(command: str, reference: str, *arguments: str) -> None:
    client = oras.client.OrasClient(hostname=reference.split("/")[0], insecure=True, auth_backend="basic")
    client.auth.set_basic_auth("ann", "secret")
    {"pull": pull, "push": push, "referrers": referrers}[command](client, reference, *arguments)


main(*sys.argv[1:])

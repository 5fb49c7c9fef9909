"""Writes an attestation whose signature is wrong, and the public key that it names, as nola pull --attestations would.

  attestation.py ADAPTER FOLDER    prints the attestation's path and the key's fingerprint
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

# The public key of RFC 8032, section 7.1, test 1, as X.509 SubjectPublicKeyInfo.
KEY = bytes.fromhex(
    "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
)


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def main(adapter: str, folder: str) -> None:
    fingerprint = hashlib.sha256(KEY).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": hashlib.sha256(Path(adapter).read_bytes()).hexdigest()}}],
        "predicateType": "urn:nola:predicate:reconstruction:v1",
        "predicate": {},
    }
    envelope = {
        "payload": base64_of(json.dumps(statement).encode()),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": f"sha256:{fingerprint}", "sig": base64_of(bytes(64))}],
    }
    path = Path(folder) / "forged.dsse.json"
    path.write_text(json.dumps(envelope))
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64_of(KEY)}\n-----END PUBLIC KEY-----\n"
    (Path(folder) / f"{fingerprint}.pem").write_text(pem)
    print(path, f"sha256:{fingerprint}")


main(*sys.argv[1:])

"""Attestations that Java signs, checked in Python; and everything that must not count."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nola_adapters as nola
from nola_adapters._reconstruct import root
from nola_adapters.attestation import (
    Attested,
    InvalidAttestationError,
    check_attestations,
    has_prime_order,
    open_envelope,
)
from nola_adapters.cache import file_digest
from nola_adapters.errors import DigestMismatchError

VECTORS = Path(__file__).parents[3] / "format-spec" / "vectors" / "valid"
FILE = VECTORS / "metadata.nola"
OTHER = VECTORS / "slices-of-fused-weights.nola"
SOURCE = Path(__file__).parent / "java" / "WriteAttestations.java"


@pytest.fixture(scope="module")
def signed(nola_jar: Path, java: str) -> dict[str, Any]:
    arguments = [java, "-cp", str(nola_jar), str(SOURCE), str(FILE), str(OTHER)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def check(content: dict[str, Any], pinned: tuple[str, ...] = ()) -> Attested:
    file = nola.read(FILE)
    digest = file_digest(FILE)
    return check_attestations(digest, file, content["attestations"], content["keys"], pinned)


def first_statement(content: dict[str, Any]) -> dict[str, Any]:
    envelope = content["attestations"][0]["envelope"]
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def test_two_machines_attest_a_file_and_an_attestation_of_another_file_alarms(
    signed: dict[str, Any],
) -> None:
    attested = check(signed)
    assert attested.independent == 2
    (reason,) = attested.failures(2)
    assert "wrong subject" in reason
    good = signed | {"attestations": [signed["attestations"][i] for i in (0, 2)]}
    assert check(good).failures(2) == []
    assert check(good).failures(3) == ["attested by 2 independent machines; 3 required"]
    one = signed["attestations"][0]["key"]
    assert check(good, (one,)).independent == 1
    assert check(good, (one,)).failures(1) == []
    assert check(good, ("sha256:" + "0" * 64,)).failures(0)[0] == (
        "attested by 0 independent machines with the given keys; 1 required"
    )


def test_keys_on_one_host_are_counted_and_are_one_machine(signed: dict[str, Any]) -> None:
    good = check(signed | {"attestations": [signed["attestations"][i] for i in (0, 2)]})
    one, two = good.matches
    statement = replace(two.statement, host=one.statement.host)
    attested = replace(good, matches=(one, replace(two, statement=statement)))
    assert attested.failures(2) == [
        "attested by 1 independent machine (2 keys on 1 host; keys on one host count as one "
        "machine, and so do hosts with one key); 2 required"
    ]


def test_altered_statement_and_moved_signature_do_not_count(signed: dict[str, Any]) -> None:
    altered = copy.deepcopy(signed)
    statement = first_statement(altered)
    statement["predicate"]["worker"] = "other"
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    altered["attestations"][0]["envelope"]["payload"] = payload
    assert "forged" in check(altered).failures(0)[0]
    moved = copy.deepcopy(signed)
    keys = [each["key"] for each in moved["attestations"]]
    moved["attestations"][0]["key"] = keys[2]
    assert "keyid" in check(moved).failures(0)[0]
    swapped = copy.deepcopy(signed)
    swapped["keys"][keys[0]]["publicKey"] = swapped["keys"][keys[2]]["publicKey"]
    assert "different key" in check(swapped).failures(0)[0]


@pytest.mark.parametrize("state", ["revoked", "pending"])
def test_key_that_is_not_trusted_does_not_count(signed: dict[str, Any], state: str) -> None:
    content = copy.deepcopy(signed)
    one, _, two = (each["key"] for each in content["attestations"])
    content["keys"][two]["state"] = state
    assert check(content).independent == 1
    # A pinned key needs no approval, and its revocation alarms.
    pinned = check(content, (two,))
    assert pinned.independent == (1 if state == "pending" else 0)
    assert bool(pinned.failures(0)) == (state == "revoked")
    del content["keys"][one]
    assert "does not know the key" in check(content).failures(0)[0]


def signed_anew(content: dict[str, Any], statement: dict[str, Any]) -> dict[str, Any]:
    """Return what a registry would send of a statement that an approved new key has signed."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fingerprint = f"sha256:{hashlib.sha256(public).hexdigest()}"
    kind = "application/vnd.in-toto+json"
    payload = json.dumps(statement).encode()
    signature = key.sign(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [{"keyid": fingerprint, "sig": base64.b64encode(signature).decode()}],
    }
    encoded = base64.b64encode(public).decode()
    return content | {
        "attestations": [{"id": 7, "key": fingerprint, "envelope": envelope}],
        "keys": {fingerprint: {"publicKey": encoded, "state": "approved"}},
    }


def test_proof_of_other_factors_does_not_count(signed: dict[str, Any]) -> None:
    """The statement is about these bits, but its author did not reconstruct them."""
    statement = first_statement(signed)
    statement["predicate"]["proof"] = "00" * 32
    attested = check(signed_anew(signed, statement))
    assert attested.independent == 0
    assert "copied" in attested.failures(0)[0]


def test_file_that_reconstructs_to_other_bits_here_is_refused(signed: dict[str, Any]) -> None:
    """Author and worker agree on bits that do not come out."""
    statement = first_statement(signed)
    leaves = [bytes.fromhex("11" * 32)] * len(statement["predicate"]["leaves"])
    file = nola.read(FILE)
    layers = len(file.adapter.layers)
    stated = root(leaves[:layers], leaves[layers:])
    statement["predicate"]["leaves"] = [leaf.hex() for leaf in leaves]
    statement["predicate"]["root"] = stated.hex()
    content = signed_anew(signed, statement)
    with pytest.raises(DigestMismatchError, match="reconstructs to other bits"):
        check_attestations(
            file_digest(FILE),
            replace(file, digest=stated),
            content["attestations"],
            content["keys"],
            (),
        )


def test_points_of_small_or_mixed_order_are_no_keys() -> None:
    one = (1).to_bytes(32, "little")
    one_with_a_sign = (1 | 1 << 255).to_bytes(32, "little")
    order_two = (2**255 - 20).to_bytes(32, "little")
    order_four = bytes(32)
    order_eight = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    not_canonical = (2**255 - 18).to_bytes(32, "little")
    base_point = bytes.fromhex("58" + "66" * 31)
    base_plus_order_two = (2**255 - 19 - int.from_bytes(base_point, "little")).to_bytes(
        32, "little"
    )
    assert has_prime_order(base_point)
    for point in (
        one,
        one_with_a_sign,
        order_two,
        order_four,
        order_eight,
        not_canonical,
        base_plus_order_two,
    ):
        assert not has_prime_order(point)
        encoded = bytes.fromhex("302a300506032b6570032100") + point
        fingerprint = f"sha256:{hashlib.sha256(encoded).hexdigest()}"
        with pytest.raises(InvalidAttestationError, match="prime order"):
            open_envelope({}, fingerprint, base64.b64encode(encoded).decode())

"""Checks attestations: in-toto statements in DSSE envelopes, signed with Ed25519 by workers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from nola_adapters._reconstruct import DEFAULT_BUDGET, dense_leaf, factors, root
from nola_adapters.errors import DigestMismatchError
from nola_adapters.model import AdapterFile

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE = "urn:nola:predicate:reconstruction:v1"
_KEY_PREFIX = bytes.fromhex("302a300506032b6570032100")
_HEX = re.compile(r"[0-9a-f]{64}")
_BACKENDS = ("scalar", "vector", "torch", "cuda")

# The curve of Ed25519 (RFC 8032).
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P


class InvalidAttestationError(ValueError):
    """An attestation that is forged, altered, copied, or about another file."""


@dataclass(frozen=True)
class Statement:
    """What a worker signed; digests are 64 hexadecimal digits."""

    subject: str
    outcome: str
    backend: str
    root: str
    leaves: tuple[str, ...]
    nonce: str
    proof: str
    worker: str
    host: str


@dataclass(frozen=True)
class Holding:
    """An attestation that holds, and the fingerprint of the key that signed it."""

    key: str
    statement: Statement


@dataclass(frozen=True)
class Rejected:
    """An attestation that does not count.

    `alarming` ones should not happen: they are forged, altered or copied, or a pinned key was
    revoked.
    """

    id: int
    key: str
    reason: str
    alarming: bool

    def __str__(self) -> str:
        return f"attestation {self.id} by {self.key}: {self.reason}"


@dataclass(frozen=True)
class Attested:
    """What workers attest about a file, checked here; `pinned` is whether only given keys count."""

    matches: tuple[Holding, ...]
    mismatches: tuple[Holding, ...]
    rejected: tuple[Rejected, ...]
    pinned: bool

    @property
    def independent(self) -> int:
        """Return the number of machines that attest a match.

        The smaller of the numbers of different keys and of different hosts, which workers state
        themselves.
        """
        return min(self._keys_and_hosts())

    def _keys_and_hosts(self) -> tuple[int, int]:
        """Return the numbers of different keys and hosts that attest a match."""
        keys = {match.key for match in self.matches}
        return len(keys), len({match.statement.host for match in self.matches})

    def failures(self, required: int) -> list[str]:
        """Return why the file is not attested as required, as sentences; empty if it is.

        If keys were given, at least one machine is required, and a mismatch by one is a reason.
        """
        needed = max(1, required) if self.pinned else required
        reasons = []
        if self.pinned:
            reasons += [
                f"key {match.key} attests that {match.statement.backend} reconstructs other bits"
                for match in self.mismatches
            ]
        reasons += [str(each) for each in self.rejected if each.alarming]
        if self.independent < needed:
            given = " with the given keys" if self.pinned else ""
            keys, hosts = self._keys_and_hosts()
            if keys != hosts:
                given += (
                    f" ({_count(keys, 'key')} on {_count(hosts, 'host')}; keys on one host count "
                    "as one machine, and so do hosts with one key)"
                )
            machines = _count(self.independent, "independent machine")
            reasons.append(f"attested by {machines}{given}; {needed} required")
            reasons += [str(each) for each in self.rejected if not each.alarming]
        return reasons


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def check_attestations(
    digest: str,
    file: AdapterFile,
    attestations: Sequence[Mapping[str, Any]],
    keys: Mapping[str, Mapping[str, Any]],
    pinned: Collection[str],
) -> Attested:
    """Check attestations of a file, given in the registry's JSON.

    `digest` is the SHA-256 of the file's bytes (64 digits), `keys` the registry's worker keys by
    fingerprint, `pinned` the fingerprints that count (if empty: those that the registry trusts).

    Raises DigestMismatchError if the file reconstructs to other bits here, and
    BudgetExceededError.
    """
    rejected: list[Rejected] = []
    read: list[tuple[Mapping[str, Any], Statement]] = []
    for attestation in attestations:
        fingerprint = str(attestation["key"])
        try:
            reason = _not_counting(fingerprint, keys.get(fingerprint), pinned)
            if reason is not None:
                rejected.append(Rejected(attestation["id"], fingerprint, *reason))
                continue
            statement = open_envelope(
                attestation["envelope"], fingerprint, str(keys[fingerprint]["publicKey"])
            )
            _require_about(statement, digest, file)
            read.append((attestation, statement))
        except InvalidAttestationError as error:
            rejected.append(Rejected(attestation["id"], fingerprint, str(error), True))
    matching = {statement.nonce for _, statement in read if statement.outcome == "match"}
    leaves, proofs = _prove(file, matching) if matching else ((), {})
    matches, mismatches = [], []
    for attestation, statement in read:
        holding = Holding(str(attestation["key"]), statement)
        if statement.outcome == "mismatch":
            mismatches.append(holding)
        elif statement.leaves == leaves and statement.proof == proofs[statement.nonce]:
            matches.append(holding)
        else:
            reason_text = (
                f"proof={statement.proof} is not the digest of nonce {statement.nonce} and the "
                "factors: it was copied, or made from other factors"
            )
            rejected.append(Rejected(attestation["id"], holding.key, reason_text, True))
    return Attested(tuple(matches), tuple(mismatches), tuple(rejected), bool(pinned))


def _not_counting(
    fingerprint: str, key: Mapping[str, Any] | None, pinned: Collection[str]
) -> tuple[str, bool] | None:
    """Return why attestations of a key do not count, and whether that is alarming."""
    if pinned and fingerprint not in pinned:
        return "its key is not among the given keys", False
    if key is None:
        return "the registry does not know the key", True
    if key["state"] == "revoked":
        when = f"the key was revoked at {key.get('revokedAt')}: {key.get('revokeReason')}"
        return when, bool(pinned)
    if key["state"] == "pending" and not pinned:
        return "the registry's admins have not approved the key", True
    return None


def open_envelope(envelope: Mapping[str, Any], fingerprint: str, public_key: str) -> Statement:
    """Return the statement in an envelope that was signed with a key.

    `public_key` is base64 of the key's SubjectPublicKeyInfo, `fingerprint` the `sha256:…` of that.
    Raises InvalidAttestationError if anything is wrong with key, signature or statement.
    """
    encoded = _base64(public_key)
    if len(encoded) != 44 or not encoded.startswith(_KEY_PREFIX):
        raise InvalidAttestationError("invalid public key; must be an Ed25519 key")
    if f"sha256:{hashlib.sha256(encoded).hexdigest()}" != fingerprint:
        raise InvalidAttestationError("the registry sent a different key for it")
    raw = encoded[len(_KEY_PREFIX) :]
    if not has_prime_order(raw):
        raise InvalidAttestationError("invalid public key; must be a point of prime order")
    signatures = envelope.get("signatures") or []
    if envelope.get("payloadType") != _PAYLOAD_TYPE or len(signatures) != 1:
        raise InvalidAttestationError("invalid envelope; must have one signature of a statement")
    if signatures[0].get("keyid") != fingerprint:
        raise InvalidAttestationError(f"keyid={signatures[0].get('keyid')} is another key's")
    payload = _base64(envelope.get("payload"))
    head = f"DSSEv1 {len(_PAYLOAD_TYPE)} {_PAYLOAD_TYPE} {len(payload)} "
    try:
        key = Ed25519PublicKey.from_public_bytes(raw)
        key.verify(_base64(signatures[0].get("sig")), head.encode() + payload)
    except InvalidSignature:
        raise InvalidAttestationError(
            "invalid signature: it is forged, or the statement was altered"
        ) from None
    return _statement(payload)


def has_prime_order(encoded: bytes) -> bool:
    """Return whether 32 bytes are the canonical encoding of a point of prime order.

    Under a key of small order a signature could fit any statement.
    """
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if x * x % _P != square or (x == 0 and sign):
        return False
    point = (_P - x if x & 1 != sign else x, y)
    result, power, scalar = (0, 1), point, _ORDER
    while scalar:
        if scalar & 1:
            result = _add(result, power)
        power = _add(power, power)
        scalar >>= 1
    return result == (0, 1) and point != (0, 1)


def _add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, other
    product = _D * x1 * x2 * y1 * y2 % _P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, _P) % _P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, _P) % _P
    return x, y


def _base64(text: Any) -> bytes:
    """Decode base64; raises InvalidAttestationError unless it is the one encoding of the bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise InvalidAttestationError(f"invalid base64: {str(text)[:80]}")
    return data


def _statement(payload: bytes) -> Statement:
    try:
        content = json.loads(payload, object_pairs_hook=_distinct)
        predicate = content["predicate"]
        (subject,) = content["subject"]
        (algorithm, digest), *others = subject["digest"].items()
        if content["_type"] != _STATEMENT_TYPE or content["predicateType"] != _PREDICATE_TYPE:
            raise InvalidAttestationError("the statement is not about a reconstruction")
        statement = Statement(
            digest,
            predicate["outcome"],
            predicate["backend"],
            predicate["root"],
            tuple(predicate["leaves"]),
            predicate["nonce"],
            predicate["proof"],
            predicate["worker"],
            predicate["host"],
        )
    except InvalidAttestationError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidAttestationError(f"invalid statement: {error}") from error
    digests = (digest, *statement.leaves, statement.root, statement.nonce)
    legal = all(
        isinstance(each, str) and _HEX.fullmatch(each)
        for each in (*digests, statement.proof, statement.host)
    )
    known = statement.outcome in ("match", "mismatch") and statement.backend in _BACKENDS
    if not legal or not known or algorithm != "sha256" or others:
        raise InvalidAttestationError("invalid statement: a digest, outcome or backend is illegal")
    return statement


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("duplicate key")
    return content


def _require_about(statement: Statement, digest: str, file: AdapterFile) -> None:
    if statement.subject != digest:
        raise InvalidAttestationError(
            f"wrong subject: the statement is about {statement.subject}, not {digest}"
        )
    layers = len(file.adapter.layers)
    if len(statement.leaves) != layers + len(file.adapter.dense):
        raise InvalidAttestationError("the statement has another number of leaves than the file")
    leaves = [bytes.fromhex(leaf) for leaf in statement.leaves]
    if root(leaves[:layers], leaves[layers:]).hex() != statement.root:
        raise InvalidAttestationError(f"root={statement.root}, but its leaves give another")
    if (statement.root == file.digest.hex()) != (statement.outcome == "match"):
        raise InvalidAttestationError(f"the outcome {statement.outcome} does not fit its root")


def _prove(file: AdapterFile, nonces: Collection[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Reconstruct a file; return its leaves, and the proof for each nonce."""
    proofs = {nonce: hashlib.sha256(bytes.fromhex(nonce)) for nonce in nonces}
    layers = []
    for each in factors(file.adapter, DEFAULT_BUDGET):
        layers.append(each.leaf())
        for proof in proofs.values():
            proof.update(each.a.data.cast("B"))
            if each.b is not None:
                proof.update(each.b.data.cast("B"))
    dense = [dense_leaf(tensor) for tensor in file.adapter.dense]
    if root(layers, dense) != file.digest:
        raise DigestMismatchError("the file reconstructs to other bits than it states")
    leaves = tuple(leaf.hex() for leaf in layers + dense)
    return leaves, {nonce: proof.hexdigest() for nonce, proof in proofs.items()}

package dev.nola.client.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.Difference;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.client.Adapters;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The registry of these tests may say what it likes. */
class AttestedTest {
  private static final AdapterFile FILE = Adapters.small(1);
  private static final Worker ONE = Worker.named("one");
  private static final Worker TWO = Worker.named("two");

  private static Attested check(List<Attestation> attestations, Sha256... pinned) throws Exception {
    return Attested.of(
        Sha256.hash(FILE.toBytes()),
        FILE,
        attestations,
        List.of(ONE.workerKey(WorkerKey.State.APPROVED), TWO.workerKey(WorkerKey.State.EXPIRED)),
        List.of(pinned));
  }

  @Test
  void independentMachinesAreCountedByKeyAndHost() throws Exception {
    Attested attested =
        check(
            List.of(
                ONE.match(FILE, "vector"), ONE.match(FILE, "scalar"), TWO.match(FILE, "torch")));

    assertThat(attested.failures(2)).isEmpty();
    assertThat(attested.independent()).isEqualTo(2);
    assertThat(attested.backends()).containsExactly("scalar", "torch", "vector");
    assertThat(attested.keys()).containsExactlyInAnyOrder(ONE.fingerprint(), TWO.fingerprint());
    assertThat(attested.pinned()).isFalse();
    assertThat(attested.failures(3))
        .containsExactly("attested by 2 independent machines; 3 required");
  }

  @Test
  void keysOnOneHostAreOneMachine() throws Exception {
    Worker sameHost = new Worker("two", ONE.host(), TWO.key());
    Attested attested =
        check(
            List.of(
                ONE.match(FILE, "vector"),
                ONE.match(FILE, "scalar"),
                sameHost.match(FILE, "scalar")));

    String host =
        ONE.statement(FILE, "scalar", Outcome.MATCH).reconstruction().host().hex().substring(0, 12);
    assertThat(attested.independent()).isEqualTo(1);
    assertThat(attested.failures(2))
        .containsExactly(
            "attested by 1 independent machine (2 keys on one host, %s; keys on one host count as one machine, and so do hosts with one key); 2 required"
                .formatted(host));
    assertThat(attested.signers())
        .extracting(Signer::toString)
        .containsExactlyInAnyOrder(
            "key %s, worker %s on host %s: scalar, vector"
                .formatted(ONE.fingerprint(), ONE.name(), host),
            "key %s, worker two on host %s: scalar".formatted(TWO.fingerprint(), host));
  }

  @Test
  void attestationsOfARevokedKeyAreOneLine() throws Exception {
    List<WorkerKey> keys = List.of(ONE.workerKey(WorkerKey.State.REVOKED));
    List<Attestation> list = List.of(ONE.match(FILE, "scalar"), ONE.match(FILE, "vector"));

    List<String> failures =
        Attested.of(Sha256.hash(FILE.toBytes()), FILE, list, keys, List.of()).failures(1);

    assertThat(failures).hasSize(2);
    assertThat(failures.getLast())
        .startsWith("attestations ")
        .contains(" by %s: the key was revoked at ".formatted(ONE.fingerprint()))
        .endsWith(": disk stolen");
  }

  @Test
  void pinnedKeyThatAttestsNothingIsAFailureEvenIfNoneIsRequired() throws Exception {
    assertThat(check(List.of(ONE.match(FILE, "scalar")), TWO.fingerprint()).failures(0))
        .contains("attested by 0 independent machines with the given keys; 1 required");
    assertThat(check(List.of()).failures(0)).isEmpty();
  }

  @Test
  void onlyPinnedKeysCount() throws Exception {
    Attested attested =
        check(List.of(ONE.match(FILE, "vector"), TWO.match(FILE, "torch")), TWO.fingerprint());

    assertThat(attested.keys()).containsExactly(TWO.fingerprint());
    assertThat(attested.failures(1)).isEmpty();
    assertThat(attested.failures(2))
        .containsExactly(
            "attested by 1 independent machine with the given keys; 2 required",
            "attestation 1 by %s: its key is not among the given keys"
                .formatted(ONE.fingerprint()));
  }

  @Test
  void keyThatNoAdminApprovedCountsOnlyIfPinned() throws Exception {
    Worker three = Worker.named("three");
    List<WorkerKey> keys = List.of(three.workerKey(WorkerKey.State.PENDING));
    List<Attestation> list = List.of(three.match(FILE, "scalar"));
    Sha256 digest = Sha256.hash(FILE.toBytes());

    assertThat(Attested.of(digest, FILE, list, keys, List.of()).failures(0))
        .first()
        .asString()
        .endsWith("have not approved the key");
    assertThat(Attested.of(digest, FILE, list, keys, List.of(three.fingerprint())).independent())
        .isEqualTo(1);
  }

  @Test
  void forgedSignatureIsAlarming() throws Exception {
    Statement statement = ONE.statement(FILE, "scalar", Outcome.MATCH);
    Envelope others = TWO.key().sign(statement);
    Envelope forged =
        new Envelope(
            others.payload(),
            others.payloadType(),
            List.of(
                new Envelope.Signature(
                    ONE.fingerprint().toString(), others.signatures().getFirst().sig())));

    assertAlarming(check(List.of(ONE.attestation(statement, forged))), "invalid signature");
    assertAlarming(check(List.of(ONE.attestation(statement, others))), "keyid=");
  }

  @Test
  void alteredStatementIsAlarming() throws Exception {
    Statement statement = ONE.statement(FILE, "scalar", Outcome.MATCH);
    Envelope signed = ONE.key().sign(statement);
    String altered =
        new String(Base64.getDecoder().decode(signed.payload()), StandardCharsets.UTF_8)
            .replace("\"scalar\"", "\"torch\"");

    assertAlarming(
        check(
            List.of(
                ONE.attestation(
                    statement,
                    new Envelope(
                        Base64.getEncoder()
                            .encodeToString(altered.getBytes(StandardCharsets.UTF_8)),
                        signed.payloadType(),
                        signed.signatures())))),
        "invalid signature");
  }

  @Test
  void proofOfAnotherNonceIsAlarming() throws Exception {
    Reconstruction it = ONE.statement(FILE, "scalar", Outcome.MATCH).reconstruction();
    Statement copied =
        new Statement(
            Sha256.hash(FILE.toBytes()),
            new Reconstruction(
                it.outcome(),
                it.backend(),
                it.root(),
                it.leaves(),
                new Nonce("77".repeat(32)),
                it.proof(),
                null,
                it.worker(),
                it.host(),
                it.environment()));

    assertAlarming(
        check(List.of(ONE.attestation(copied))), "it was copied, or made from other factors");
  }

  @Test
  void attestationOfAnotherFileIsAlarming() throws Exception {
    assertAlarming(
        check(List.of(ONE.match(Adapters.small(2), "scalar"))), "the statement is about sha256:");
  }

  @Test
  void keyThatIsNotWhatItsFingerprintSaysIsAlarming() throws Exception {
    WorkerKey two = TWO.workerKey(WorkerKey.State.APPROVED);
    WorkerKey swapped =
        new WorkerKey(
            ONE.fingerprint(),
            two.publicKey(),
            "one",
            "",
            two.state(),
            two.registeredAt(),
            null,
            null,
            null,
            null,
            null);
    Statement statement = ONE.statement(FILE, "scalar", Outcome.MATCH);
    // The registry signs with a key of its own, and says that it is the one that is pinned.
    Attestation attestation = ONE.attestation(statement, TWO.key().sign(statement));

    assertAlarming(
        Attested.of(
            Sha256.hash(FILE.toBytes()),
            FILE,
            List.of(attestation),
            List.of(swapped),
            List.of(ONE.fingerprint())),
        "the registry sent a different key for it");
  }

  @Test
  void revokedKeyDoesNotCountAndAlarmsWhoPinnedIt() throws Exception {
    List<WorkerKey> keys = List.of(ONE.workerKey(WorkerKey.State.REVOKED));
    List<Attestation> list = List.of(ONE.match(FILE, "scalar"));
    Sha256 digest = Sha256.hash(FILE.toBytes());

    Attested unpinned = Attested.of(digest, FILE, list, keys, List.of());
    assertThat(unpinned.failures(0)).isEmpty();
    assertThat(unpinned.failures(1))
        .containsExactly(
            "attested by 0 independent machines; 1 required",
            "attestation 1 by %s: the key was revoked at %s: disk stolen"
                .formatted(ONE.fingerprint(), keys.getFirst().revokedAt()));
    assertAlarming(
        Attested.of(digest, FILE, list, keys, List.of(ONE.fingerprint())), "disk stolen");
  }

  @Test
  void mismatch_failsByAPinnedKeyAndIsADisputeByAnother() throws Exception {
    AdapterFile other = Adapters.small(2);
    String tensor = FILE.adapter().layers().getFirst().tensor();
    Attestation mismatch =
        TWO.attestation(
            TWO.mismatch(FILE, other, new Difference(tensor, "A", 0, "00000000", "00000001")));

    Attested attested = check(List.of(ONE.match(FILE, "scalar"), mismatch));

    assertThat(attested.mismatches()).hasSize(1);
    assertThat(attested.failures(1)).isEmpty();
    assertThat(attested.disputes())
        .singleElement()
        .asString()
        .contains(TWO.fingerprint().toString())
        .contains("vector reconstructs the file to different bits")
        .contains(tensor);
    Attested pinned =
        check(List.of(ONE.match(FILE, "scalar"), mismatch), ONE.fingerprint(), TWO.fingerprint());
    assertThat(pinned.failures(1)).containsExactlyElementsOf(attested.disputes());
  }

  private static void assertAlarming(Attested attested, String reason) {
    assertThat(attested.matches()).isEmpty();
    assertThat(attested.failures(0)).first().asString().contains(reason);
  }
}

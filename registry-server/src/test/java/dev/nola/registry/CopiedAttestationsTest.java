package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.CopiedAttestations;
import dev.nola.api.attestation.CopiedAttestations.Copy;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.SigningKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import dev.nola.registry.TestWorker.Task;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Attestations that workers made for another registry, with nonces of that one. */
class CopiedAttestationsTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();
  private static long seed = 70_000;

  private final TestClient admin = REGISTRY.admin();
  private final byte[] file = Samples.file(++seed);
  private TestClient mirror = admin;
  private String path = "";

  @BeforeEach
  void publish() throws Exception {
    mirror = admin.account(TestClient.freshName(), "publish");
    path = publish(mirror);
  }

  private String publish(TestClient client) throws Exception {
    String namespace = client.namespace();
    assertThat(client.publish(namespace + "/mood@1.0.0", file).status()).isEqualTo(201);
    return "/api/v1/adapters/" + namespace + "/mood/versions/1.0.0";
  }

  /** A worker of another registry. */
  private TestWorker foreign() {
    String name = TestClient.freshName();
    return new TestWorker(
        admin, SigningKey.generate(), name, Sha256.hash(name.getBytes(StandardCharsets.UTF_8)));
  }

  private Task task(String backend) {
    return new Task(new UUID(0, 0), 0, Sha256.hash(file).toString(), Nonce.random(), backend);
  }

  private Envelope attestation(TestWorker worker, String backend) throws Exception {
    Task task = task(backend);
    return worker.sign(task, worker.reconstruct(task, file));
  }

  private static Copy item(TestWorker worker, Envelope envelope) {
    return new Copy(envelope, worker.key().publicKey().toBase64());
  }

  private Answer send(Copy... items) throws Exception {
    return mirror.post(path + "/attestations", new CopiedAttestations(List.of(items)));
  }

  private void assertRefused(String type, String detail, Copy item) throws Exception {
    Answer answer = send(item);
    assertThat(answer.text("/verdicts/0/type")).isEqualTo(type);
    assertThat(answer.text("/verdicts/0/detail")).contains(detail);
    assertThat(admin.get(path + "/attestations").json().at("/items")).isEmpty();
  }

  @Test
  void copyCountsOnceAnAdminHasApprovedItsKey() throws Exception {
    TestWorker worker = foreign();
    Envelope envelope = attestation(worker, "scalar");

    assertRefused("key-not-approved", worker.fingerprint(), item(worker, envelope));
    assertThat(admin.get("/api/v1/worker-keys/" + worker.fingerprint()).text("/state"))
        .isEqualTo("pending");
    worker.approve(admin, Map.of());

    for (int i = 0; i < 2; i++) { // the second time, nothing changes
      assertThat(send(item(worker, envelope)).json().at("/verdicts/0/accepted").asBoolean())
          .isTrue();
      assertThat(admin.get(path + "/attestations").json().at("/items")).hasSize(1);
    }
    assertThat(admin.get(path).text("/verification")).isEqualTo("verified");
    assertThat(admin.get(path).json().at("/attestations/independent").asInt()).isEqualTo(1);
    assertThat(admin.get(path + "/attestations").text("/items/0/envelope/payload"))
        .isEqualTo(envelope.payload());
  }

  @Test
  void revokedKeyWithdrawsCopies() throws Exception {
    TestWorker worker = foreign();
    send(item(worker, attestation(worker, "scalar")));
    worker.approve(admin, Map.of());
    send(item(worker, attestation(worker, "scalar")));
    assertThat(admin.get(path).text("/verification")).isEqualTo("verified");

    worker.revoke(admin);

    assertThat(admin.get(path).text("/verification")).isEqualTo("self-verified");
    assertThat(send(item(worker, attestation(worker, "vector"))).text("/verdicts/0/type"))
        .isEqualTo("key-revoked");
  }

  @Test
  void alteredSignatureIsRefusedAndItsKeyIsNotRegistered() throws Exception {
    TestWorker worker = foreign();
    Envelope envelope = attestation(worker, "scalar");
    String other = attestation(worker, "vector").signatures().getFirst().sig();

    assertRefused(
        "bad-signature",
        "invalid signature",
        item(
            worker,
            new Envelope(
                envelope.payload(),
                envelope.payloadType(),
                List.of(new Envelope.Signature(worker.fingerprint(), other)))));
    assertRefused("bad-signature", "but the key is", item(foreign(), envelope));
    assertThat(admin.get("/api/v1/worker-keys/" + worker.fingerprint()).status()).isEqualTo(404);
  }

  @Test
  void statementThatIsNotTrueOfTheFileIsRefused() throws Exception {
    TestWorker worker = foreign();
    Task task = task("scalar");
    byte[] other = Samples.file(++seed);

    assertRefused(
        "wrong-proof",
        "nonce",
        item(
            worker,
            worker.sign(
                task,
                TestWorker.changed(
                    worker.reconstruct(task, file), null, null, Nonce.random(), null))));
    assertRefused(
        "wrong-root", "root", item(worker, worker.sign(task, worker.reconstruct(task, other))));
    assertRefused(
        "not-a-match",
        "verify the version here",
        item(worker, worker.sign(task, worker.mismatch(task, file, other))));
    Task about = new Task(task.job(), 0, Sha256.hash(other).toString(), task.nonce(), "scalar");
    assertRefused(
        "wrong-subject",
        "wrong subject",
        item(worker, worker.sign(about, worker.reconstruct(about, other))));
  }

  @Test
  void copyOfAFileAboveTheBudgetIsRefused() throws Exception {
    try (TestRegistry small = TestRegistry.start("nola.verification.additions=10")) {
      mirror = small.admin();
      path = publish(mirror);
      TestWorker worker = foreign();

      Answer answer = send(item(worker, attestation(worker, "scalar")));

      assertThat(answer.text("/verdicts/0/type")).isEqualTo("not-checkable");
    }
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import dev.nola.registry.keys.WorkerKeyRepository;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WorkerKeysTest {
  private static final String PATH = "/api/v1/worker-keys";

  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private final SigningKey key = SigningKey.generate();
  private final String fingerprint = key.publicKey().fingerprint().toString();
  private TestClient worker = admin;

  @BeforeEach
  void createWorker() throws Exception {
    worker = admin.account("key-worker", "worker");
  }

  @Test
  void keyIsRegisteredOnceAndCountsWhenItIsApproved() throws Exception {
    Answer first = register(worker, key);
    Answer repeated = register(worker, key);

    assertThat(first.status()).isEqualTo(201);
    assertThat(first.header("Location")).isEqualTo(PATH + "/" + fingerprint);
    assertThat(first.text("/fingerprint")).isEqualTo(fingerprint);
    assertThat(first.text("/account")).isEqualTo("key-worker");
    assertThat(first.text("/state")).isEqualTo("pending");
    assertThat(repeated.status()).isEqualTo(200);
    assertThat(isApproved()).isFalse();

    Answer approved = admin.put(PATH + "/" + fingerprint + "/approval", Map.of());

    assertThat(approved.text("/state")).isEqualTo("approved");
    assertThat(approved.text("/approvedBy")).isEqualTo("admin");
    assertThat(isApproved()).isTrue();
    assertThat(registry.anonymous().get(PATH + "/" + fingerprint).text("/publicKey"))
        .isEqualTo(key.publicKey().toBase64());
  }

  @Test
  void keyOfAnotherAccountCannotBeRegistered() throws Exception {
    register(worker, key);

    Answer answer = register(admin.account("other-worker", "worker"), key);

    assertThat(answer.refusal()).isEqualTo("409 key-taken");
    assertThat(answer.text("/detail")).contains(fingerprint);
  }

  @Test
  void whatIsNoEd25519KeyIsRefused() throws Exception {
    assertThat(worker.post(PATH, Map.of("publicKey", "MA==")).refusal()).isEqualTo("422 invalid");
    assertThat(worker.post(PATH, Map.of()).refusal()).isEqualTo("422 invalid");
  }

  @Test
  void revokedKeyStaysRevoked() throws Exception {
    register(worker, key);
    admin.put(PATH + "/" + fingerprint + "/approval", Map.of());

    Answer revoked =
        admin.put(PATH + "/" + fingerprint + "/revocation", Map.of("reason", "its disk was lost"));

    assertThat(revoked.text("/state")).isEqualTo("revoked");
    assertThat(revoked.text("/revokeReason")).isEqualTo("its disk was lost");
    assertThat(isApproved()).isFalse();
    Answer approval = admin.put(PATH + "/" + fingerprint + "/approval", Map.of());
    assertThat(approval.refusal()).isEqualTo("409 key-revoked");
    assertThat(register(worker, key).text("/state")).isEqualTo("revoked");
    assertThat(admin.put(PATH + "/" + fingerprint + "/revocation", Map.of("reason", " ")).refusal())
        .isEqualTo("422 invalid");
    assertThat(admin.get("/api/v1/audit").text("/items/0/action")).isEqualTo("worker-key.revoke");
  }

  @Test
  void approvalExpires() throws Exception {
    register(worker, key);
    Answer past =
        admin.put(
            PATH + "/" + fingerprint + "/approval",
            Map.of("expiresAt", Instant.now().minusSeconds(1).toString()));
    assertThat(past.refusal()).isEqualTo("422 invalid");
    admin.put(
        PATH + "/" + fingerprint + "/approval",
        Map.of("expiresAt", Instant.now().plusSeconds(3600).toString()));
    assertThat(isApproved()).isTrue();

    registry
        .database()
        .execute(
            "update worker_key set expires_at = now() - interval '1 second' where fingerprint = '"
                + fingerprint
                + "'");

    assertThat(isApproved()).isFalse();
    assertThat(worker.get(PATH + "/" + fingerprint).text("/state")).isEqualTo("expired");
  }

  @Test
  void listIsPaged() throws Exception {
    register(worker, key);
    register(worker, SigningKey.generate());

    Answer first = worker.get(PATH + "?limit=1");

    assertThat(first.json().at("/items")).hasSize(1);
    Answer second = worker.get(PATH + "?limit=1&cursor=" + first.text("/next"));
    assertThat(second.text("/items/0/fingerprint"))
        .isNotEmpty()
        .isNotEqualTo(first.text("/items/0/fingerprint"));
  }

  private boolean isApproved() {
    return registry
        .beans(WorkerKeyRepository.class)
        .iterator()
        .next()
        .stateOf(Sha256.parse(fingerprint), "key-worker")
        .equals(Optional.of(WorkerKey.State.APPROVED));
  }

  private static Answer register(TestClient client, SigningKey key) throws Exception {
    return client.post(
        PATH, Map.of("publicKey", key.publicKey().toBase64(), "description", "of a test"));
  }
}

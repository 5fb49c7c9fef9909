package dev.nola.registry;

import static dev.nola.registry.TestWorker.changed;
import static dev.nola.registry.TestWorker.verdict;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Attestations;
import dev.nola.api.attestation.AttestationReport.Item;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.SigningKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import dev.nola.registry.TestWorker.Task;
import dev.nola.registry.catalog.Versions;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

/** What workers attest, how it is judged, and what becomes of the version. */
class VerificationTest {
  private static TestRegistry registry = TestRegistry.shared();
  private static TestClient admin = registry.admin();
  private static long seed = 1_000;

  private final byte[] file = Samples.file(++seed);
  private final String digest = Sha256.hash(file).toString();
  private String namespace = "";
  private String path = "";

  @BeforeAll
  static void start() throws Exception {
    registry = TestRegistry.start(); // whose jobs are these tests' alone
    admin = registry.admin();
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @BeforeEach
  void publish() throws Exception {
    // What earlier tests left in the queue is not for this one.
    registry.database().execute("update job set state = 'CANCELLED', expires_at = null");
    namespace = admin.namespace();
    path = "/api/v1/adapters/" + namespace + "/mood/versions/1.0.0";
    assertThat(admin.publish(namespace + "/mood@1.0.0", file).status()).isEqualTo(201);
  }

  @Test
  void registryItselfIsNotIndependent() throws Exception {
    JsonNode version = admin.get(path).json();

    assertThat(version.at("/verification").asString()).isEqualTo("self-verified");
    assertThat(version.at("/attestations").toString())
        .isEqualTo("{\"independent\":0,\"backends\":[],\"mismatches\":0,\"self\":true}");
    assertThat(found(true)).isZero();
    assertThat(found(false)).isEqualTo(1);
  }

  @Test
  void attestedVersionIsVerifiedAndNamesItsKeys() throws Exception {
    TestWorker one = TestWorker.approved(admin);
    TestWorker two = TestWorker.approved(admin);

    for (Task task : one.lease(List.of("scalar", "vector"))) {
      assertThat(task.digest()).isEqualTo(digest);
      assertThat(verdict(one.attest(task, file))).isEqualTo("accepted");
    }
    assertThat(state()).isEqualTo("verified");
    assertThat(admin.get(path).json().at("/attestations/independent").asInt()).isEqualTo(1);
    assertThat(verdict(two.attest(two.leaseOne("torch"), file))).isEqualTo("accepted");

    JsonNode attested = admin.get(path).json().at("/attestations");
    assertThat(attested.toString())
        .isEqualTo(
            "{\"independent\":2,\"backends\":[\"scalar\",\"torch\",\"vector\"],\"mismatches\":0,\"self\":true}");
    assertThat(found(true)).isEqualTo(1);
    Answer first = registry.anonymous().get(path + "/attestations?limit=2");
    assertThat(first.json().at("/items")).hasSize(2);
    assertThat(first.text("/items/0/key")).isEqualTo(one.fingerprint());
    assertThat(first.text("/items/0/outcome")).isEqualTo("match");
    assertThat(first.json().at("/items/0/counts").asBoolean()).isTrue();
    Envelope envelope = envelope(first.json().at("/items/0/envelope"));
    assertThat(one.key().publicKey().open(envelope).subject()).hasToString(digest);
    Answer second = registry.anonymous().get(path + "/attestations?cursor=" + first.text("/next"));
    assertThat(second.text("/items/0/key")).isEqualTo(two.fingerprint());
  }

  @Test
  void twoKeysOnOneHostAreOne() throws Exception {
    TestWorker one = TestWorker.approved(admin);
    TestWorker two = TestWorker.approved(admin).on(one.host());

    one.attest(one.leaseOne("scalar"), file);
    two.attest(two.leaseOne("vector"), file);

    assertThat(admin.get(path).json().at("/attestations/independent").asInt()).isEqualTo(1);
  }

  @Test
  void forgedSignatureIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    Envelope signed = worker.sign(task, worker.reconstruct(task, file));
    byte[] forged = Base64.getDecoder().decode(signed.signatures().getFirst().sig());
    forged[10] ^= 1;

    Answer answer =
        worker.report(
            task,
            new Envelope(
                signed.payload(),
                signed.payloadType(),
                List.of(
                    new Envelope.Signature(
                        worker.fingerprint(), Base64.getEncoder().encodeToString(forged)))));

    assertRefused(answer, "bad-signature", task);
  }

  @Test
  void alteredStatementIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    Envelope signed = worker.sign(task, worker.reconstruct(task, file));
    String payload =
        new String(Base64.getDecoder().decode(signed.payload()), StandardCharsets.UTF_8)
            .replace("Linux", "Plan9");

    Answer answer =
        worker.report(
            task,
            new Envelope(
                Base64.getEncoder().encodeToString(payload.getBytes(StandardCharsets.UTF_8)),
                signed.payloadType(),
                signed.signatures()));

    assertRefused(answer, "bad-signature", task);
  }

  @Test
  void digestCopiedWithoutReconstructingIsRefused() throws Exception {
    TestWorker honest = TestWorker.approved(admin);
    TestWorker lazy = TestWorker.approved(admin);
    Task task = honest.leaseOne("scalar");
    honest.attest(task, file);
    Sha256 shown = honest.key().publicKey().open(envelope(shown(0))).reconstruction().proof();
    Task other = lazy.leaseOne("vector");

    // Root and leaves are public; so is the other worker's proof, by another nonce.
    assertRefused(
        lazy.attest(other, file, it -> changed(it, null, null, null, shown)), "wrong-proof", other);
    Task requeued = TestWorker.approved(admin).leaseOne("vector");
    assertThat(requeued.job()).isEqualTo(other.job());
  }

  @Test
  void otherNonceIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    Task replayed =
        new Task(task.job(), task.fence(), digest, new Nonce("ab".repeat(32)), "scalar");

    assertRefused(worker.attest(replayed, file), "wrong-nonce", task);
  }

  @Test
  void statementAboutAnotherJobIsRefused() throws Exception {
    byte[] other = Samples.file(++seed);
    String otherDigest = Sha256.hash(other).toString();

    assertRefusedByFresh(
        "wrong-subject",
        (worker, task) ->
            worker.report(
                task,
                worker.sign(
                    new Task(task.job(), task.fence(), otherDigest, task.nonce(), "scalar"),
                    worker.reconstruct(task, other))));
    assertRefusedByFresh(
        "wrong-backend",
        (worker, task) -> worker.attest(task, file, it -> changed(it, "vector", null, null, null)));
    assertRefusedByFresh(
        "wrong-root",
        (worker, task) ->
            worker.attest(
                task, file, it -> changed(it, null, Sha256.ofBytes(new byte[32]), null, null)));
  }

  @Test
  void rootOfAnotherFileIsRefused() throws Exception {
    assertRefusedByFresh(
        "wrong-root",
        (worker, task) ->
            worker.report(task, worker.sign(task, worker.reconstruct(task, Samples.file(++seed)))));
  }

  @Test
  void unknownKeyIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");

    assertRefused(worker.with(SigningKey.generate()).attest(task, file), "unknown-key", task);
  }

  @Test
  void keyOfAnotherAccountIsRefused() throws Exception {
    TestWorker other = TestWorker.approved(admin);
    assertRefusedByFresh(
        "unknown-key", (worker, task) -> worker.with(other.key()).attest(task, file));
  }

  @Test
  void otherKeyOfTheWorkersIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    TestWorker second = worker.with(SigningKey.generate());
    second.register();
    Task task = worker.leaseOne("scalar");
    assertRefused(second.attest(task, file), "key-not-approved", task);

    second.approve(admin, Map.of());
    Task vector = worker.leaseOne("vector");
    assertRefused(second.attest(vector, file), "wrong-key", vector);
  }

  @Test
  void revokedKeyIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    worker.revoke(admin);

    assertRefused(worker.attest(task, file), "key-revoked", task);
    assertThat(worker.lease(TestWorker.ALL)).isEmpty();
  }

  @Test
  void keyRevokedDuringVerificationIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    try (Connection revocation = registry.database().connect();
        Statement statement = revocation.createStatement();
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      revocation.setAutoCommit(false);
      statement.execute(
          "update worker_key set revoked_at = now(), revoke_reason = 'meanwhile'"
              + " where fingerprint = '%s'".formatted(worker.fingerprint()));
      Future<Answer> answer = executor.submit(() -> worker.attest(task, file));
      JdbcClient database = registry.beans(JdbcClient.class).iterator().next();
      awaitBlocked(database);
      revocation.commit();

      assertRefused(answer.get(), "key-revoked", task);
    }
  }

  @Test
  void expiredKeyIsRefused() throws Exception {
    TestWorker worker = TestWorker.registered(admin);
    assertThat(worker.lease(TestWorker.ALL)).isEmpty();
    worker.approve(admin, Map.of("expiresAt", Instant.now().plusSeconds(3600).toString()));
    Task task = worker.leaseOne("scalar");
    registry
        .database()
        .execute("update worker_key set expires_at = now() where expires_at > now()");

    assertRefused(worker.attest(task, file), "key-expired", task);
  }

  @Test
  void attestationOfALostLeaseIsRefused() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    Task late = new Task(task.job(), task.fence() - 1, digest, task.nonce(), "scalar");

    assertThat(verdict(worker.attest(late, file))).isEqualTo("lease-lost");
    assertThat(verdict(TestWorker.approved(admin).attest(task, file))).isEqualTo("lease-lost");
    assertThat(verdict(worker.attest(task, file))).isEqualTo("accepted");
    assertThat(verdict(worker.attest(task, file))).isEqualTo("lease-lost");
    assertThat(admin.get(path + "/attestations").json().at("/items")).hasSize(1);
    assertThat(refusals("lease-lost")).isGreaterThanOrEqualTo(3);
  }

  @Test
  void falseMismatchIsRefused() throws Exception {
    assertRefusedByFresh(
        "wrong-root",
        (worker, task) ->
            worker.report(task, worker.sign(task, worker.mismatch(task, file, file))));
  }

  @Test
  void revokedKeyNoLongerCounts() throws Exception {
    TestWorker one = TestWorker.approved(admin);
    TestWorker two = TestWorker.approved(admin);
    one.attest(one.leaseOne("scalar"), file);
    two.attest(two.leaseOne("vector"), file);
    assertThat(independent()).isEqualTo(2);

    one.revoke(admin);
    assertThat(independent()).isEqualTo(1);
    assertThat(state()).isEqualTo("verified");
    two.revoke(admin);

    assertThat(independent()).isZero();
    assertThat(state()).isEqualTo("self-verified");
    assertThat(found(true)).isZero();
    assertThat(admin.get(path + "/attestations").json().at("/items")).hasSize(2);
  }

  @Test
  void unsupportedFileChangesNothing() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("torch");

    Answer answer = worker.unsupported(task, "generator id 9 is not known");

    assertThat(verdict(answer)).isEqualTo("accepted");
    assertThat(state()).isEqualTo("self-verified");
    Answer job = admin.get("/api/v1/jobs/" + task.job());
    assertThat(job.text("/state")).isEqualTo("succeeded");
    assertThat(job.text("/result/outcome")).isEqualTo("unsupported");
    assertThat(job.text("/reason")).isEqualTo("generator id 9 is not known");
  }

  @Test
  void eachItemIsJudgedByItself() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    List<Task> tasks = worker.lease(TestWorker.ALL);
    assertThat(tasks).hasSize(3);
    List<Item> items = new ArrayList<>();
    for (Task task : tasks) {
      items.add(
          new Item(
              task.job(), task.fence(), worker.sign(task, worker.reconstruct(task, file)), null));
    }
    Item bad = items.get(1);
    items.set(1, new Item(bad.job(), bad.fence(), items.get(0).envelope(), null));
    items.set(2, new Item(items.get(2).job(), items.get(2).fence(), null, null));

    JsonNode verdicts = worker.report(items).json().at("/verdicts");

    assertThat(verdicts.at("/0/accepted").asBoolean()).isTrue();
    assertThat(verdicts.at("/1/type").asString()).startsWith("wrong-");
    assertThat(verdicts.at("/2/type").asString()).isEqualTo("invalid-statement");
    assertThat(worker.report(List.of()).refusal()).isEqualTo("422 invalid");
    assertThat(worker.report(List.of(bad, bad)).refusal()).isEqualTo("422 invalid");
  }

  @Test
  void sameFileUnderAnotherNumberIsVerifiedAtOnce() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    for (Task task : worker.lease(TestWorker.ALL)) {
      worker.attest(task, file);
    }

    admin.publish(namespace + "/mood@2.0.0", file);

    assertThat(
            admin
                .get("/api/v1/adapters/" + namespace + "/mood/versions/2.0.0")
                .text("/verification"))
        .isEqualTo("verified");
    assertThat(TestWorker.approved(admin).lease(TestWorker.ALL)).isEmpty();
  }

  @Test
  void deletedVersionIsNotVerified() throws Exception {
    assertThat(admin.delete(path).status()).isEqualTo(204);

    assertThat(TestWorker.approved(admin).lease(TestWorker.ALL)).isEmpty();
  }

  @Test
  void privateAttestationsAreAbsent() throws Exception {
    admin.publishPrivate(namespace + "/secret@1.0.0", Samples.file(++seed));

    assertThat(
            registry
                .anonymous()
                .get("/api/v1/adapters/" + namespace + "/secret/versions/1.0.0/attestations")
                .refusal())
        .isEqualTo("404 not-found");
  }

  @Test
  void wholeCatalogIsVerifiedOnDemand() throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    for (Task task : worker.lease(TestWorker.ALL)) {
      worker.attest(task, file);
    }
    admin.publish(namespace + "/other@1.0.0", file); // the same file: verified once
    byte[] second = Samples.file(++seed);
    admin.publish(namespace + "/third@1.0.0", second);
    registry.database().execute("update job set state = 'CANCELLED' where state = 'QUEUED'");

    Answer started =
        admin.post(
            "/api/v1/verifications",
            Map.of("namespace", namespace, "backends", List.of("scalar", "torch")));

    assertThat(started.status()).isEqualTo(202);
    assertThat(started.json().at("/versions").asInt()).isEqualTo(3);
    assertThat(started.json().at("/backends").toString())
        .isEqualTo(
            "[{\"backend\":\"scalar\",\"waiting\":2,\"matched\":0,\"mismatched\":0,\"unsupported\":0,\"failed\":0},"
                + "{\"backend\":\"torch\",\"waiting\":2,\"matched\":0,\"mismatched\":0,\"unsupported\":0,\"failed\":0}]");
    // The same worker does it again: it is the backend that may have changed.
    List<Task> tasks = worker.lease(TestWorker.ALL);
    assertThat(tasks).hasSize(4);
    for (Task task : tasks) {
      boolean isFirst = task.digest().equals(digest);
      if (isFirst && task.backend().equals("torch")) {
        worker.unsupported(task, "no torch today");
      } else if (!isFirst && task.backend().equals("torch")) {
        worker.report(task, worker.sign(task, worker.mismatch(task, second, file)));
      } else {
        worker.attest(task, isFirst ? file : second);
      }
    }
    Answer report = admin.get(String.valueOf(started.header("Location")));
    assertThat(report.json().at("/finished").asBoolean()).isTrue();
    assertThat(report.json().at("/backends").toString())
        .isEqualTo(
            "[{\"backend\":\"scalar\",\"waiting\":0,\"matched\":2,\"mismatched\":0,\"unsupported\":0,\"failed\":0},"
                + "{\"backend\":\"torch\",\"waiting\":0,\"matched\":0,\"mismatched\":1,\"unsupported\":1,\"failed\":0}]");
    assertThat(report.json().at("/mismatched").toString())
        .isEqualTo("[\"" + namespace + "/third@1.0.0\"]");
    assertThat(admin.post("/api/v1/verifications", Map.of("backends", List.of("abacus"))).refusal())
        .isEqualTo("422 invalid");
  }

  @Test
  void oneVersionIsVerifiedByMoreKeysOnDemand() throws Exception {
    admin.publish(namespace + "/other@1.0.0", Samples.file(++seed));
    registry.database().execute("update job set state = 'CANCELLED' where state = 'QUEUED'");
    Map<String, Object> request =
        Map.of(
            "adapter",
            namespace + "/mood",
            "version",
            "1.0.0",
            "backends",
            List.of("scalar"),
            "copies",
            2);

    Answer started = admin.post("/api/v1/verifications", request);

    assertThat(started.json().at("/versions").asInt()).isEqualTo(1);
    assertThat(started.json().at("/backends/0/waiting").asInt()).isEqualTo(2);
    for (int i = 1; i <= 2; i++) {
      TestWorker worker = TestWorker.approved(admin);
      assertThat(verdict(worker.attest(worker.leaseOne("scalar"), file))).isEqualTo("accepted");
      assertThat(worker.lease(TestWorker.ALL)).as("a key verifies it once").isEmpty();
      assertThat(
              admin
                  .get("/api/v1/adapters/" + namespace + "/mood/versions/1.0.0")
                  .json()
                  .at("/attestations/independent")
                  .asInt())
          .isEqualTo(i);
    }
    assertThat(
            admin.post("/api/v1/verifications", Map.of("adapter", namespace + "/absent")).refusal())
        .isEqualTo("404 not-found");
    for (Map<String, String> wrong :
        List.of(
            Map.of("adapter", "mood"),
            Map.of("version", "1.0.0"),
            Map.of("adapter", namespace + "/mood", "version", "latest"))) {
      assertThat(admin.post("/api/v1/verifications", wrong).refusal()).isEqualTo("422 invalid");
    }
  }

  @Test
  void workersConfirmEachOtherAboveTheBudget() throws Exception {
    try (TestRegistry small =
        TestRegistry.start("nola.verification.additions=10", "nola.verification.backends=scalar")) {
      TestClient boss = small.admin();
      String bossNamespace = boss.namespace();
      boss.publish(bossNamespace + "/mood@1.0.0", file);
      String version = "/api/v1/adapters/" + bossNamespace + "/mood/versions/1.0.0";
      TestWorker one = TestWorker.approved(boss);
      TestWorker two = TestWorker.approved(boss);
      Task first = one.leaseOne("scalar");

      assertThat(verdict(one.attest(first, file))).isEqualTo("accepted");
      // Nobody can copy what nobody sees.
      assertThat(boss.get(version + "/attestations").json().at("/items")).isEmpty();
      assertThat(boss.get(version).text("/verification")).isEqualTo("unverified");
      assertThat(one.lease(TestWorker.ALL)).isEmpty();

      Task second = two.leaseOne("scalar");
      assertThat(second.nonce()).isEqualTo(first.nonce());
      assertThat(verdict(two.attest(second, file))).isEqualTo("accepted");
      assertThat(boss.get(version + "/attestations").json().at("/items")).hasSize(2);
      assertThat(boss.get(version).text("/verification")).isEqualTo("verified");
      assertThat(boss.get(version).json().at("/attestations/independent").asInt()).isEqualTo(2);

      // With one key gone nobody vouches for the other's proof.
      one.revoke(boss);
      assertThat(boss.get(version).text("/verification")).isEqualTo("unverified");
    }
  }

  @Test
  void contradictionsAboveTheBudgetCountForNoKey() throws Exception {
    try (TestRegistry small =
        TestRegistry.start("nola.verification.additions=10", "nola.verification.backends=scalar")) {
      TestClient boss = small.admin();
      String bossNamespace = boss.namespace();
      boss.publish(bossNamespace + "/mood@1.0.0", file);
      String version = "/api/v1/adapters/" + bossNamespace + "/mood/versions/1.0.0";
      TestWorker honest = TestWorker.approved(boss);
      TestWorker lazy = TestWorker.approved(boss);
      honest.attest(honest.leaseOne("scalar"), file);

      lazy.attest(
          lazy.leaseOne("scalar"),
          file,
          it -> changed(it, null, null, null, Sha256.hash(new byte[] {12})));

      assertThat(boss.get(version).text("/verification")).isEqualTo("unverified");
      assertThat(boss.get(version + "/attestations").json().at("/items")).isEmpty();
      assertThat(boss.get("/api/v1/audit?limit=100").json().toString())
          .contains("attestation.contradiction");
    }
  }

  /** What a worker does that should be refused. */
  @FunctionalInterface
  private interface Deed {
    Answer of(TestWorker worker, Task task) throws Exception;
  }

  /** By a worker that has not been refused this job yet. */
  private void assertRefusedByFresh(String type, Deed deed) throws Exception {
    TestWorker worker = TestWorker.approved(admin);
    Task task = worker.leaseOne("scalar");
    assertRefused(deed.of(worker, task), type, task);
  }

  /** Refused in the answer, the job, the metric and the audit log; and it counts for nothing. */
  private void assertRefused(Answer answer, String type, Task task) throws Exception {
    assertThat(verdict(answer)).isEqualTo(type);
    assertThat(answer.text("/verdicts/0/detail")).isNotEmpty();
    assertThat(refusals(type)).isPositive();
    assertThat(audit("attestation.refuse")).contains(namespace + "/mood@1.0.0");
    assertThat(admin.get("/api/v1/jobs/" + task.job()).text("/reason")).startsWith(type + ": ");
    assertThat(admin.get("/api/v1/audit").json().toString()).contains(type + ": ");
  }

  private String state() throws Exception {
    return admin.get(path).text("/verification");
  }

  private int independent() throws Exception {
    return admin.get(path).json().at("/attestations/independent").asInt();
  }

  private JsonNode shown(int index) throws Exception {
    return admin.get(path + "/attestations").json().at("/items/" + index + "/envelope");
  }

  @Test
  void smallFileIsEmbeddedOnce() throws Exception {
    TestWorker worker = TestWorker.approved(admin);

    JsonNode leases = worker.leases(TestWorker.ALL).at("/leases");

    assertThat(leases).hasSize(3);
    assertThat(Base64.getDecoder().decode(leases.at("/0/file").asString())).isEqualTo(file);
    assertThat(leases.get(1).has("file")).isFalse();
    assertThat(leases.get(2).has("file")).isFalse();
  }

  /**
   * Downloads are written while another transaction has the adapter and goes on to its listing:
   * whoever changes an adapter's rows locks the adapter first.
   */
  @Test
  void downloadsAreCountedWhileAVersionIsAttested() throws Exception {
    byte[] next = Samples.file(++seed);
    assertThat(admin.publish(namespace + "/mood@2.0.0", next).status()).isEqualTo(201);
    Versions versions = registry.beans(Versions.class).iterator().next();
    JdbcClient database = registry.beans(JdbcClient.class).iterator().next();
    TransactionTemplate transaction = registry.beans(TransactionTemplate.class).iterator().next();
    String latest = Sha256.hash(next).toString();
    admin.get(path + "/file");
    admin.get("/api/v1/adapters/" + namespace + "/mood/versions/2.0.0/file");

    transaction.executeWithoutResult(
        _ -> {
          versions.lock(List.of(latest));
          awaitBlocked(database);
          versions.attest(
              Map.of(
                  latest,
                  new Versions.Evidence(new Attestations(1, List.of("scalar"), 0, false), 0)));
        });

    assertThat(found(true)).isEqualTo(1);
    Await.until(
        () ->
            database
                    .sql("select downloads from listing where namespace = ?")
                    .param(namespace)
                    .query(Long.class)
                    .single()
                == 2);
  }

  /** Returns when a transaction waits for another's lock. */
  private static void awaitBlocked(JdbcClient database) {
    Await.until(
        () ->
            database
                .sql(
                    """
                    select exists (select from pg_stat_activity
                      where datname = current_database() and wait_event_type = 'Lock')""")
                .query(Boolean.class)
                .single());
  }

  private int found(boolean verified) throws Exception {
    return admin
        .get("/api/v1/adapters?namespace=" + namespace + "&verified=" + verified)
        .json()
        .at("/items")
        .size();
  }

  private List<String> audit(String action) throws Exception {
    List<String> subjects = new ArrayList<>();
    for (JsonNode entry : admin.get("/api/v1/audit?limit=100").json().at("/items")) {
      if (entry.at("/action").asString().equals(action)) {
        subjects.add(entry.at("/subject").asString());
      }
    }
    return subjects;
  }

  private static double refusals(String type) throws Exception {
    return metric("nola_attestations_refused_total{type=\"" + type + "\"}");
  }

  private static double metric(String name) throws Exception {
    String all = new String(admin.get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8);
    Matcher line = Pattern.compile("(?m)^" + Pattern.quote(name) + " (\\S+)$").matcher(all);
    return line.find() ? Double.parseDouble(line.group(1)) : 0;
  }

  private static Envelope envelope(JsonNode json) {
    return new Envelope(
        json.at("/payload").asString(),
        json.at("/payloadType").asString(),
        List.of(
            new Envelope.Signature(
                json.at("/signatures/0/keyid").asString(),
                json.at("/signatures/0/sig").asString())));
  }
}

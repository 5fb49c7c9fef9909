package dev.nola.registry;

import dev.nola.api.attestation.AttestationReport.Item;
import dev.nola.api.attestation.Difference;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.registry.TestClient.Answer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A worker that verifies, in as many ways as a test asks for; it works on the host it names. */
record TestWorker(TestClient client, SigningKey key, String name, Sha256 host) {
  static final List<String> ALL = List.of("scalar", "vector", "torch");

  /** A worker of an account of its own, whose key is approved. */
  static TestWorker approved(TestClient admin) throws Exception {
    TestWorker worker = registered(admin);
    worker.approve(admin, Map.of());
    return worker;
  }

  /** A worker of an account of its own, whose key is not approved. */
  static TestWorker registered(TestClient admin) throws Exception {
    String name = TestClient.freshName();
    TestWorker worker =
        new TestWorker(
            admin.account(name, "worker"),
            SigningKey.generate(),
            name,
            Sha256.hash(name.getBytes(StandardCharsets.UTF_8)));
    worker.register();
    return worker;
  }

  void register() throws Exception {
    Answer answer =
        client.post("/api/v1/worker-keys", Map.of("publicKey", key.publicKey().toBase64()));
    if (answer.status() != 201) {
      throw new AssertionError(answer.refusal());
    }
  }

  void approve(TestClient admin, Map<String, String> approval) throws Exception {
    Answer answer = admin.put("/api/v1/worker-keys/" + fingerprint() + "/approval", approval);
    if (answer.status() != 200) {
      throw new AssertionError(answer.refusal());
    }
  }

  void revoke(TestClient admin) throws Exception {
    Answer answer =
        admin.put(
            "/api/v1/worker-keys/" + fingerprint() + "/revocation",
            Map.of("reason", "lost in a test"));
    if (answer.status() != 200) {
      throw new AssertionError(answer.refusal());
    }
  }

  String fingerprint() {
    return key.publicKey().fingerprint().toString();
  }

  /** The same worker that signs with another key. */
  TestWorker with(SigningKey other) {
    return new TestWorker(client, other, name, host);
  }

  /** The same worker on another host. */
  TestWorker on(Sha256 otherHost) {
    return new TestWorker(client, key, name, otherHost);
  }

  /** A verification that the worker was given. */
  record Task(UUID job, long fence, String digest, Nonce nonce, String backend) {}

  /** What the registry answers to who asks for all that there is. */
  JsonNode leases(List<String> backends) throws Exception {
    Answer answer =
        client.post(
            "/api/v1/jobs/lease",
            Map.of(
                "worker",
                name,
                "key",
                fingerprint(),
                "types",
                List.of("verify"),
                "backends",
                backends,
                "cuda",
                false,
                "memoryBytes",
                0,
                "models",
                List.of(),
                "max",
                100,
                "waitSeconds",
                0));
    if (answer.status() != 200) {
      throw new AssertionError(new String(answer.bytes(), StandardCharsets.UTF_8));
    }
    return answer.json();
  }

  List<Task> lease(List<String> backends) throws Exception {
    List<Task> tasks = new ArrayList<>();
    for (JsonNode lease : leases(backends).at("/leases")) {
      tasks.add(
          new Task(
              UUID.fromString(lease.at("/job/id").asString()),
              lease.at("/fence").asLong(),
              lease.at("/digest").asString(),
              new Nonce(lease.at("/nonce").asString()),
              lease.at("/job/request/verify/backend").asString()));
    }
    return tasks;
  }

  /** The one verification by this backend that there is. */
  Task leaseOne(String backend) throws Exception {
    List<Task> tasks = lease(List.of(backend));
    if (tasks.size() != 1) {
      throw new AssertionError("leased " + tasks);
    }
    return tasks.getFirst();
  }

  /** What an honest worker says. */
  Reconstruction reconstruct(Task task, byte[] file) throws Exception {
    AdapterFile read = AdapterFile.read(file);
    Proof proof = Proof.of(read, Reconstructor.standard().open(read.adapter()), task.nonce());
    return new Reconstruction(
        Outcome.MATCH,
        task.backend(),
        proof.digest().root(),
        proof.leaves(),
        task.nonce(),
        proof.proof(),
        null,
        name,
        host,
        Map.of("os", "Linux", "java", "25"));
  }

  /** What a worker says whose backend has a wrong bit. */
  Reconstruction mismatch(Task task, byte[] file, byte[] other) throws Exception {
    Reconstruction wrong = reconstruct(task, other);
    String tensor = AdapterFile.read(file).adapter().layers().getFirst().tensor();
    return new Reconstruction(
        Outcome.MISMATCH,
        wrong.backend(),
        wrong.root(),
        wrong.leaves(),
        wrong.nonce(),
        wrong.proof(),
        new Difference(tensor, "A", 3, "00000000", "80000000"),
        name,
        host,
        Map.of());
  }

  Envelope sign(Task task, Reconstruction reconstruction) {
    return key.sign(new Statement(Sha256.parse(task.digest()), reconstruction));
  }

  Answer report(Task task, Envelope envelope) throws Exception {
    return report(List.of(new Item(task.job(), task.fence(), envelope, null)));
  }

  Answer report(List<Item> items) throws Exception {
    return client.post("/api/v1/attestations", Map.of("items", items));
  }

  Answer unsupported(Task task, String reason) throws Exception {
    return report(List.of(new Item(task.job(), task.fence(), null, reason)));
  }

  /** Verifies honestly, but for one change. */
  Answer attest(Task task, byte[] file, UnaryOperator<Reconstruction> change) throws Exception {
    return report(task, sign(task, change.apply(reconstruct(task, file))));
  }

  Answer attest(Task task, byte[] file) throws Exception {
    return attest(task, file, UnaryOperator.identity());
  }

  /** The first verdict: {@code accepted}, or the type of the refusal. */
  static String verdict(Answer answer) {
    if (answer.status() != 200) {
      return answer.refusal() + " " + answer.text("/detail");
    }
    JsonNode verdict = answer.json().at("/verdicts/0");
    return verdict.at("/accepted").asBoolean() ? "accepted" : verdict.at("/type").asString();
  }

  /** The same with one value changed; null leaves it as it is. */
  static Reconstruction changed(
      Reconstruction it,
      @Nullable String backend,
      @Nullable Sha256 root,
      @Nullable Nonce nonce,
      @Nullable Sha256 proof) {
    return new Reconstruction(
        it.outcome(),
        backend == null ? it.backend() : backend,
        root == null ? it.root() : root,
        it.leaves(),
        nonce == null ? it.nonce() : nonce,
        proof == null ? it.proof() : proof,
        it.difference(),
        it.worker(),
        it.host(),
        it.environment());
  }
}

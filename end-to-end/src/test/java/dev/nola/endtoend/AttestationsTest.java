package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.Difference;
import dev.nola.api.attestation.KeyApproval;
import dev.nola.api.attestation.KeyRegistration;
import dev.nola.api.attestation.KeyRevocation;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Proof;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.digest.Sha256;
import dev.nola.endtoend.Nola.Outcome;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How the commands treat workers' attestations; the tests play the workers with keys of their own.
 */
class AttestationsTest {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final String namespace = Registry.freshName();
  private final String mood = namespace + "/mood@1.0.0";

  @TempDir private Path folder = Path.of("");
  private Registry registry = Registry.shared();
  private Nola nola = new Nola(registry, folder);
  private Path file = folder;

  @BeforeEach
  void publish() throws Exception {
    registry = Registry.start(); // not shared, so that all of its jobs are this test's
    nola = new Nola(registry, folder);
    file = Samples.small(folder, 7);
    nola.runWithInput(registry.token(namespace, Scope.PUBLISH) + "\n", "login");
    assertThat(nola.run("publish", file.toString(), mood, "--create-namespace").exitCode())
        .isZero();
  }

  @AfterEach
  void end() throws IOException {
    registry.close();
  }

  /** A worker on its own host. */
  private record Worker(Registry registry, String name, SigningKey key) {
    static Worker approved(Registry registry, String name) throws Exception {
      Worker worker = new Worker(registry, name, SigningKey.generate());
      send(
          registry,
          "POST",
          "/api/v1/worker-keys",
          new KeyRegistration(worker.key.publicKey().toBase64(), name));
      send(
          registry,
          "PUT",
          "/api/v1/worker-keys/" + worker.fingerprint() + "/approval",
          new KeyApproval(null));
      return worker;
    }

    String fingerprint() {
      return key.publicKey().fingerprint().toString();
    }

    void revoke(String reason) throws Exception {
      send(
          registry,
          "PUT",
          "/api/v1/worker-keys/" + fingerprint() + "/revocation",
          new KeyRevocation(reason));
    }

    /**
     * Attests the reconstruction of {@code file}, signing the bits of {@code actual} as the result.
     */
    void verify(String backend, Path file, Path actual) throws Exception {
      JsonNode lease =
          send(
                  registry,
                  "POST",
                  "/api/v1/jobs/lease",
                  Map.of(
                      "worker",
                      name,
                      "key",
                      fingerprint(),
                      "types",
                      List.of("verify"),
                      "backends",
                      List.of(backend),
                      "cuda",
                      false,
                      "memoryBytes",
                      0,
                      "models",
                      List.of(),
                      "max",
                      1,
                      "waitSeconds",
                      0))
              .at("/leases/0");
      AdapterFile read = AdapterFile.read(actual);
      Nonce nonce = new Nonce(lease.at("/nonce").asString());
      Proof proof = Proof.of(read, Reconstructor.standard().open(read.adapter()), nonce);
      boolean matches = file.equals(actual);
      Statement statement =
          new Statement(
              Sha256.parse(lease.at("/digest").asString()),
              new Reconstruction(
                  matches
                      ? dev.nola.api.attestation.Outcome.MATCH
                      : dev.nola.api.attestation.Outcome.MISMATCH,
                  backend,
                  proof.digest().root(),
                  proof.leaves(),
                  nonce,
                  proof.proof(),
                  matches
                      ? null
                      : new Difference(
                          read.adapter().layers().getFirst().tensor(),
                          "B",
                          1,
                          "00000000",
                          "00000001"),
                  name,
                  Sha256.hash(name.getBytes(StandardCharsets.UTF_8)),
                  Map.of("os", "Linux")));
      JsonNode answer =
          send(
              registry,
              "POST",
              "/api/v1/attestations",
              new AttestationReport(
                  List.of(
                      new AttestationReport.Item(
                          UUID.fromString(lease.at("/job/id").asString()),
                          lease.at("/fence").asLong(),
                          key.sign(statement),
                          null))));
      assertThat(answer.at("/verdicts/0/accepted").asBoolean()).as(answer.toString()).isTrue();
    }
  }

  private static JsonNode send(Registry registry, String method, String path, Object body)
      throws Exception {
    HttpResponse<String> answer =
        registry.send(method, path, "application/json", JSON.writeValueAsBytes(body));
    assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 299);
    return JSON.readTree(answer.body());
  }

  @Test
  void attestationsGoAlongToAContainerRegistry() throws Exception {
    Worker one = Worker.approved(registry, "one");
    Worker two = Worker.approved(registry, "two");
    one.verify("scalar", file, file);
    two.verify("vector", file, file);
    try (ContainerRegistry containers = new ContainerRegistry()) {
      Outcome pushed = nola.run("push", mood, containers.reference("acme/mood:1.0.0"));
      String pinned = pushed.out().strip();
      assertThat(pinned).startsWith(containers.reference("acme/mood@sha256:"));
      assertThat(pushed.err()).contains("with 2 attestations");
      Path fromNola = folder.resolve("from-nola");
      assertThat(nola.run("pull", mood, "--attestations", fromNola.toString()).exitCode()).isZero();
      registry.close(); // what follows needs no Nola registry

      String[] keys = {"--key", one.fingerprint(), "--key", two.fingerprint()};
      assertThat(nola.run(with(keys, "verify", pinned, "--require-verified", "2")).out())
          .contains("attested: by 2 independent machines (scalar, vector), with the given keys\n");
      Path found = folder.resolve("found");
      Path copy = folder.resolve("copy.nola");
      Outcome pulled =
          nola.run(
              with(
                  keys, "pull", pinned, "-o", copy.toString(), "--attestations", found.toString()));
      assertThat(pulled.exitCode()).as(pulled.err()).isZero();
      assertThat(copy).hasSameBinaryContentAs(file);
      assertThat(fileNames(found)).hasSize(4).isEqualTo(fileNames(fromNola));

      String other = SigningKey.generate().publicKey().fingerprint().toString();
      Outcome untrusted = nola.run("pull", pinned, "--key", other);
      assertThat(untrusted.exitCode()).isEqualTo(1);
      assertThat(untrusted.err())
          .contains("attested by 0 independent machines with the given keys; 1 required");
      assertThat(nola.run("inspect", pinned, "--offline").exitCode()).isEqualTo(4);
      assertThat(nola.run("lock", pinned).err()).contains("cannot lock " + pinned);

      String again = containers.reference("acme/copy");
      String[] files =
          fileNames(found).stream()
              .filter(name -> name.endsWith(".dsse.json"))
              .flatMap(name -> Stream.of("--attestation", found.resolve(name).toString()))
              .toArray(String[]::new);
      assertThat(nola.run(with(files, "push", copy.toString(), again)).exitCode()).isZero();
      assertThat(nola.run(with(keys, "verify", again, "--require-verified", "2")).exitCode())
          .isZero();
    }
  }

  private static List<String> fileNames(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String[] with(String[] options, String... command) {
    return Stream.concat(Stream.of(command), Stream.of(options)).toArray(String[]::new);
  }

  @Test
  void verifyChecksAndReportsWhoElseGotTheSameBits() throws Exception {
    Outcome alone = nola.run("verify", mood);
    assertThat(alone.exitCode()).isZero();
    assertThat(alone.out()).endsWith("attested: by no other machine\n");
    Worker one = Worker.approved(registry, "one");
    Worker two = Worker.approved(registry, "two");
    one.verify("scalar", file, file);
    two.verify("vector", file, file);

    assertThat(nola.run("verify", mood, "--require-verified", "2").out())
        .startsWith("verified: sha256:")
        .contains(
            "attested: by 2 independent machines (scalar, vector), with keys that the registry"
                + " trusts\n",
            "  key " + one.fingerprint() + ", worker one on host ",
            "  key " + two.fingerprint() + ", worker two on host ");
    JsonNode json =
        nola.run("verify", mood, "--json", "--key", one.fingerprint()).json().get("attestations");
    assertThat(json.get("independent").asInt()).isEqualTo(1);
    assertThat(json.get("trust").asString()).isEqualTo("given");
    assertThat(json.get("keys").toString()).isEqualTo("[\"" + one.fingerprint() + "\"]");
    assertThat(nola.run("show", mood).out())
        .contains(
            "by 2 independent machines: scalar, vector",
            "key " + one.fingerprint() + ", worker one on host ");
    assertThat(nola.run("search", "--verified").out()).contains(namespace + "/mood");

    Outcome tooFew = nola.run("verify", mood, "--require-verified", "3", "--json");
    assertThat(tooFew.exitCode()).isEqualTo(1);
    assertThat(tooFew.json().get("kind").asString()).isEqualTo("not-attested");
    assertThat(tooFew.err()).contains("attested by 2 independent machines; 3 required");
  }

  @Test
  void pullCanRequireAttestations() throws Exception {
    Path pulled = folder.resolve("pulled.nola");
    Outcome none = nola.run("pull", mood, "--require-verified", "1", "-o", pulled.toString());
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err()).contains("attested by 0 independent machines; 1 required");
    assertThat(pulled).doesNotExist();
    Worker one = Worker.approved(registry, "one");
    one.verify("scalar", file, file);

    assertThat(nola.run("pull", mood, "--require-verified", "1").exitCode()).isZero();
    Outcome other =
        nola.run("pull", mood, "--key", SigningKey.generate().publicKey().fingerprint().toString());
    assertThat(other.exitCode()).isEqualTo(1);
    assertThat(other.err()).contains("with the given keys");
    assertThat(
            nola.run(
                    "pull",
                    mood,
                    "--require-verified",
                    "1",
                    "--key",
                    one.fingerprint(),
                    "-o",
                    pulled.toString())
                .exitCode())
        .isZero();
    assertThat(pulled).hasSameBinaryContentAs(file);
  }

  @Test
  void revokedKeyNoLongerCounts() throws Exception {
    Worker one = Worker.approved(registry, "one");
    one.verify("scalar", file, file);
    String lock = folder.resolve("nola.lock").toString();
    Outcome tooFew = nola.run("lock", mood, "-o", lock, "--require-verified", "2");
    assertThat(tooFew.exitCode()).as(tooFew.err()).isEqualTo(1);
    assertThat(Path.of(lock)).doesNotExist();
    nola.run("lock", mood, "-o", lock, "--require-verified", "1", "--key", one.fingerprint());
    assertThat(nola.run("verify", "--lock", lock).out()).contains("ok     attested by 1");

    one.revoke("its disk was stolen");

    Outcome required = nola.run("verify", mood, "--require-verified", "1");
    assertThat(required.exitCode()).isEqualTo(1);
    assertThat(required.err()).contains("the key was revoked at ", ": its disk was stolen");
    Outcome given = nola.run("verify", mood, "--key", one.fingerprint());
    assertThat(given.exitCode()).isEqualTo(1);
    assertThat(given.err()).contains("the key was revoked");
    Outcome locked = nola.run("verify", "--lock", lock);
    assertThat(locked.exitCode()).isEqualTo(1);
    assertThat(locked.out()).contains("failed attested by 1").contains("its disk was stolen");
    assertThat(nola.run("verify", mood).exitCode()).isZero();
  }

  @Test
  void mismatch_disputesAndFailsOnlyForThoseWhoPinnedTheKey() throws Exception {
    Worker one = Worker.approved(registry, "one");
    one.verify("vector", file, Samples.small(folder, 8));

    Outcome loud = nola.run("verify", mood);

    assertThat(loud.exitCode()).isZero();
    assertThat(loud.err())
        .contains("is disputed")
        .contains("vector reconstructs the file to different");
    assertThat(loud.out()).contains("disputed: by 1 attestation; this machine got the file's bits");
    assertThat(nola.run("verify", mood, "--json").json().at("/attestations/disputes")).hasSize(1);
    Outcome pinned = nola.run("verify", mood, "--key", one.fingerprint());
    assertThat(pinned.exitCode()).isEqualTo(1);
    assertThat(pinned.err()).contains("vector reconstructs the file to different bits");
    Outcome shown = nola.run("show", mood);
    assertThat(shown.out())
        .contains("self-verified, DISPUTED")
        .contains("different bits by 1 attestation");
    assertThat(shown.err()).contains("is disputed: a worker attests other bits, unconfirmed");
    assertThat(nola.run("search", "--namespace", namespace).err())
        .contains("/mood@1.0.0 is disputed");
    Outcome pulled = nola.run("pull", mood, "--json");
    assertThat(pulled.err()).contains("is disputed");
    assertThat(pulled.json().at("/disputed").asBoolean()).isTrue();
  }

  @Test
  void alteredStatementIsDetected() throws Exception {
    Worker one = Worker.approved(registry, "one");
    one.verify("scalar", file, file);
    // Altered statements keep their signature; the file's own digest proves nothing.
    assertThat(verifyThrough(payload -> payload.replace("\"scalar\"", "\"torch\"")))
        .satisfies(lied -> assertThat(lied.exitCode()).isEqualTo(1))
        .satisfies(
            lied -> assertThat(lied.err()).contains("it is forged, or the statement was altered"));
    assertThat(verifyThrough(payload -> payload))
        .satisfies(honest -> assertThat(honest.exitCode()).isZero())
        .satisfies(
            honest -> assertThat(honest.out()).contains("by 1 independent machine (scalar)"));
  }

  /** Verifies against a registry that alters the statements it returns. */
  private Outcome verifyThrough(UnaryOperator<String> change) throws Exception {
    try (LyingRegistry liar =
        LyingRegistry.start(registry, "/attestations", body -> altered(body, change))) {
      return nola.run("verify", mood, "--registry", liar.url().toString());
    }
  }

  private static String altered(String body, UnaryOperator<String> change) {
    String payload = JSON.readTree(body).at("/items/0/envelope/payload").asString();
    String statement =
        change.apply(new String(Base64.getDecoder().decode(payload), StandardCharsets.UTF_8));
    return body.replace(
        payload, Base64.getEncoder().encodeToString(statement.getBytes(StandardCharsets.UTF_8)));
  }
}

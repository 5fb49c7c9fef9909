package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.Difference;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.digest.Sha256;
import dev.nola.registry.TestWorker.Task;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** Names that would make lines of a log, or act on the terminal that shows it. */
final class HostileNames {
  static final String NAME = "a\n12:00:00.000 ERROR forged\u001b[2J\u202eb\u2028c";

  /** The same name, as it may appear in a log line. */
  static final String HARMLESS = "a 12:00:00.000 ERROR forged [2J b c";

  private HostileNames() {}

  /**
   * Sends such names wherever a request can have one. At least two of them are then in the log: a
   * key's and a tensor's, in refused attestations.
   */
  static void send(TestClient admin) throws Exception {
    String namespace = admin.namespace();
    byte[] file = Samples.file(namespace.hashCode());
    assertThat(admin.publish(namespace + "/mood@1.0.0", file).status()).isEqualTo(201);
    String name = TestClient.freshName();
    TestClient account =
        admin.token(
            Map.of("account", name, "scopes", List.of("worker"), "namespaces", List.of(namespace)));
    TestWorker worker = new TestWorker(account, SigningKey.generate(), name, Sha256.hash(file));
    worker.register();
    worker.approve(admin, Map.of());

    List<Task> tasks = worker.lease(List.of("scalar", "vector"));
    assertThat(tasks).hasSize(2);
    Envelope signed = worker.sign(tasks.get(0), worker.reconstruct(tasks.get(0), file));
    Envelope renamed =
        new Envelope(
            signed.payload(),
            signed.payloadType(),
            List.of(new Envelope.Signature(NAME, NAME + signed.signatures().getFirst().sig())));
    assertThat(TestWorker.verdict(worker.report(tasks.get(0), renamed))).isEqualTo("unknown-key");
    Reconstruction mismatch = worker.mismatch(tasks.get(1), file, Samples.file(1));
    Reconstruction elsewhere =
        new Reconstruction(
            mismatch.outcome(),
            mismatch.backend(),
            mismatch.root(),
            mismatch.leaves(),
            mismatch.nonce(),
            mismatch.proof(),
            new Difference(NAME, "A", 3, "00000000", "80000000"),
            mismatch.worker(),
            mismatch.host(),
            mismatch.environment());
    assertThat(
            TestWorker.verdict(worker.report(tasks.get(1), worker.sign(tasks.get(1), elsewhere))))
        .isEqualTo("invalid-statement");

    sendAsWorker(account);
    sendInHeads(admin);
  }

  private static void sendAsWorker(TestClient account) throws Exception {
    for (String field : List.of("worker", "key")) {
      Map<String, Object> request =
          TestObjects.with(
              Map.of(
                  "worker",
                  "w",
                  "key",
                  "",
                  "types",
                  List.of(),
                  "backends",
                  List.of(NAME),
                  "cuda",
                  false,
                  "memoryBytes",
                  0,
                  "models",
                  List.of(NAME),
                  "max",
                  1,
                  "waitSeconds",
                  0),
              field,
              NAME);
      assertThat(account.post("/api/v1/jobs/lease", request).status()).isIn(200, 422);
    }
    assertThat(
            account
                .post("/api/v1/worker-keys", Map.of("publicKey", NAME, "description", NAME))
                .status())
        .isEqualTo(422);
  }

  private static void sendInHeads(TestClient admin) throws Exception {
    String encoded = URLEncoder.encode(NAME, StandardCharsets.UTF_8).replace("+", "%20");
    for (String path :
        List.of(
            "/api/v1/adapters/" + encoded + "/" + encoded,
            "/api/v1/adapters?q=" + encoded + "&generator=" + encoded,
            "/api/v1/tokens/" + encoded,
            "/" + encoded,
            "/api/v1/jobs?cursor=" + encoded,
            "/api/v1/adapters?q=%ff" + encoded)) {
      assertThat(admin.get(path).status()).as(path).isBetween(400, 499);
    }
    URI server = URI.create(admin.server());
    for (String header : List.of("User-Agent", "X-Request-Id", "X-Forwarded-For", "Range")) {
      try (Socket socket = new Socket(server.getHost(), server.getPort())) {
        OutputStream out = socket.getOutputStream();
        out.write(
            ("GET /api/v1/adapters/a/b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s: %s\r\n\r\n"
                    .formatted(header, NAME.replace('\n', ' ')))
                .getBytes(StandardCharsets.UTF_8));
        out.flush();
        assertThat(socket.getInputStream().readAllBytes()).as(header).isNotEmpty();
      }
    }
  }

  /** Whether a line of a log has what acts on a terminal; a tab is allowed where it begins. */
  static boolean actsOnATerminal(String line) {
    IntPredicate acts =
        c ->
            switch (Character.getType(c)) {
              case Character.CONTROL,
                  Character.FORMAT,
                  Character.LINE_SEPARATOR,
                  Character.PARAGRAPH_SEPARATOR ->
                  c != '\t';
              default -> false;
            };
    return line.codePoints().anyMatch(acts);
  }
}

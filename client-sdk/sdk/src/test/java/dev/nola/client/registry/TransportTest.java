package dev.nola.client.registry;

import static dev.nola.client.registry.StubRegistry.ADAPTER;
import static dev.nola.client.registry.StubRegistry.cut;
import static dev.nola.client.registry.StubRegistry.json;
import static dev.nola.client.registry.StubRegistry.problem;
import static dev.nola.client.registry.StubRegistry.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.name.AdapterName;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.StubRegistry.Answer;
import dev.nola.client.registry.StubRegistry.Seen;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the client makes of a registry that is slow, overloaded, wrong or hostile. */
class TransportTest {
  private static final AdapterName MOOD = new AdapterName("acme", "mood");
  private static final String TOKEN = "nola_secret";

  private final List<Duration> pauses = new ArrayList<>();

  @TempDir private Path folder = Path.of("");
  private StubRegistry registry;
  private NolaClient client;

  @BeforeEach
  void start() throws IOException {
    registry = new StubRegistry();
    client = builder(registry.url()).build();
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  private NolaClient.Builder builder(URI url) {
    return NolaClient.builder(url)
        .token(TOKEN)
        .cache(LocalCache.at(folder.resolve("cache")))
        .pause(
            pause -> {
              pauses.add(pause);
              return Duration.ZERO;
            });
  }

  private static RegistryException refusal(ThrowingCallable call) {
    return catchThrowableOfType(RegistryException.class, call);
  }

  private RegistryException refusalOf(Answer answer) {
    registry.answers(answer);
    return refusal(() -> client.adapters().get(MOOD));
  }

  @Test
  void tokenGoesToItsRegistry() throws Exception {
    registry.answers(text(307, "", "Location", "/elsewhere"), json(ADAPTER));

    assertThat(client.adapters().get(MOOD).downloads()).isEqualTo(7);

    assertThat(registry.seen())
        .extracting(Seen::toString)
        .containsExactly("GET /api/v1/adapters/acme/mood", "GET /elsewhere");
    assertThat(registry.seen())
        .extracting(seen -> seen.header("Authorization"))
        .containsExactly("Bearer " + TOKEN, "Bearer " + TOKEN);
  }

  @Test
  void redirectToAnotherHostDoesNotTakeTheTokenAlong() throws Exception {
    try (StubRegistry other = new StubRegistry(json(ADAPTER))) {
      registry.answers(text(302, "", "Location", other.url() + "/x"));

      assertThat(client.adapters().get(MOOD).downloads()).isEqualTo(7);

      assertThat(other.seen()).hasSize(1);
      assertThat(other.seen().getFirst().header("Authorization")).isNull();
    }
  }

  @Test
  void tokenDoesNotComeBackFromAnotherHost() throws Exception {
    try (StubRegistry other =
        new StubRegistry(text(302, "", "Location", registry.url() + "/api/v1/tokens"))) {
      registry.answers(text(302, "", "Location", other.url() + "/x"), json(ADAPTER));

      client.adapters().get(MOOD);

      assertThat(registry.seen()).hasSize(2);
      assertThat(registry.seen().getLast().header("Authorization")).isNull();
    }
  }

  @Test
  void redirectsThatLeadNowhereAreRefused() {
    for (String location :
        List.of("file:///etc/passwd", "ftp://a.example/", "http:///x", "::", "http://a b/")) {
      RegistryException refused = refusalOf(text(302, "", "Location", location));
      assertThat(refused.kind()).as(location).isEqualTo(Kind.BROKEN);
      assertThat(refused).hasMessageContaining("to an invalid URL");
    }
    assertThat(refusalOf(text(302, "", "Location", "/again")))
        .hasMessageContaining("limit is 5 times");
    assertThat(refusalOf(text(302, "", "X", "no location")).kind()).isEqualTo(Kind.BROKEN);
  }

  @Test
  void whatChangesTheRegistryIsNotRedirected() throws Exception {
    Path file = Files.write(folder.resolve("a.nola"), new byte[] {1});
    try (StubRegistry other = new StubRegistry(json("{}"))) {
      registry.answers(text(307, "", "Location", other.url() + "/x"));

      RegistryException refused =
          refusal(() -> client.adapters().publish(MOOD, "1.0.0", file, Progress.NONE));

      assertThat(refused.kind()).isEqualTo(Kind.REFUSED);
      assertThat(refused).hasMessageEndingWith("use the URL of that registry");
      assertThat(other.seen()).isEmpty();
    }
  }

  @Test
  void tokenIsInNoMessage() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder(registry.url()).token("nola_secret\nX: y"))
        .withMessageNotContaining("secret");
    assertThat(client.toString()).doesNotContain(TOKEN);
    assertThat(refusalOf(problem(401, "{\"detail\": \"no\"}"))).hasMessageNotContaining(TOKEN);
  }

  @Test
  void overloadedRegistryIsAskedAgainWhenItSays() throws Exception {
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            Instant.now().plusSeconds(20).atOffset(ZoneOffset.UTC));
    registry.answers(
        problem(429, "{}", "Retry-After", "7"),
        problem(503, "{}", "Retry-After", date),
        text(502, "", "Retry-After", "soon"),
        json(ADAPTER));

    client.adapters().get(MOOD);

    assertThat(pauses).hasSize(3);
    assertThat(pauses.get(0)).isEqualTo(Duration.ofSeconds(7));
    assertThat(pauses.get(1)).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(20));
    assertThat(pauses.get(2)).isBetween(Duration.ofMillis(500), Duration.ofMillis(1000));
  }

  @Test
  void pauseThatWouldBeTooLongIsLeftToTheCaller() {
    RegistryException refused =
        refusalOf(problem(429, "{\"detail\": \"too many requests\"}", "Retry-After", "31"));

    assertThat(refused.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused).hasMessage("too many requests; try again in 31 seconds");
    assertThat(pauses).isEmpty();
    assertThat(refusalOf(text(503, "", "Retry-After", "999999999")).status()).isEqualTo(503);
    assertThat(pauses).isEmpty();
  }

  @Test
  void pausesDoubleAndTriesEnd() {
    assertThat(refusalOf(text(504, "")).kind()).isEqualTo(Kind.UNAVAILABLE);

    assertThat(registry.seen()).hasSize(4);
    assertThat(pauses).hasSize(3);
    for (int i = 0; i < pauses.size(); i++) {
      assertThat(pauses.get(i)).isBetween(Duration.ofMillis(125 << i), Duration.ofMillis(250 << i));
    }
  }

  @Test
  void lostConnectionIsMadeAgain() throws Exception {
    registry.answers(
        cut(),
        exchange -> {
          exchange.sendResponseHeaders(200, ADAPTER.length());
          exchange.getResponseBody().write(ADAPTER.getBytes(StandardCharsets.UTF_8), 0, 20);
          exchange.getResponseBody().flush();
          throw new IOException("cut by the test");
        },
        json(ADAPTER));

    assertThat(client.adapters().get(MOOD).name()).isEqualTo("mood");
  }

  @Test
  void errorsThatStayAreNotAskedAgain() {
    for (int status : List.of(400, 401, 403, 404, 409, 413, 422, 500)) {
      int before = registry.seen().size();
      assertThat(refusalOf(text(status, "")).status()).isEqualTo(status);
      assertThat(registry.seen()).as("status " + status).hasSize(before + 1);
    }
  }

  @Test
  void publishingIsRepeatedWithTheSameBytes() throws Exception {
    Path file = Files.write(folder.resolve("a.nola"), new byte[] {1, 2, 3});
    registry.answers(cut(), text(503, ""), problem(422, "{\"detail\": \"damaged\"}"));

    assertThat(refusal(() -> client.adapters().publish(MOOD, "1.0.0", file, Progress.NONE)))
        .hasMessage("damaged");

    assertThat(registry.seen()).hasSize(3);
    for (Seen seen : registry.seen()) {
      assertThat(seen).hasToString("POST /api/v1/adapters/acme/mood/versions/1.0.0");
      assertThat(seen.body()).containsExactly(1, 2, 3);
      assertThat(seen.header("Content-Type")).isEqualTo("application/vnd.nola.adapter");
    }
  }

  @Test
  void registryThatNamesAnotherDigestHasNotPublished() throws Exception {
    Path file = Files.write(folder.resolve("a.nola"), new byte[] {1, 2, 3});
    registry.answers(
        json(
            """
            {"version": "1.0.0", "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000", "size": 3, "verification": "verified", "disputed": false,
             "yanked": null, "downloads": 0, "publishedBy": "ann",
             "publishedAt": "2026-01-01T00:00:00Z"}"""));

    RegistryException refused =
        refusal(() -> client.adapters().publish(MOOD, "1.0.0", file, Progress.NONE));

    assertThat(refused.kind()).isEqualTo(Kind.BROKEN);
    assertThat(refused)
        .hasMessageContaining("with digest sha256:000000")
        .hasMessageContaining("the file sent has sha256:0390");
  }

  @Test
  void removingIsRepeatedOnlyIfItWasNotDone() throws Exception {
    registry.answers(text(503, ""));
    assertThat(refusal(() -> client.aliases().remove(MOOD, "prod")).status()).isEqualTo(503);
    registry.answers(cut());
    assertThat(refusal(() -> client.aliases().remove(MOOD, "prod")).kind())
        .isEqualTo(Kind.UNAVAILABLE);
    assertThat(registry.seen()).hasSize(2);

    registry.answers(text(429, ""), text(204, ""));
    client.aliases().remove(MOOD, "prod");

    assertThat(registry.seen()).hasSize(4);
  }

  @Test
  void garbageIsNotTakenForAnAnswer() {
    for (String garbage :
        List.of(
            "",
            "<html>",
            "null",
            "[]",
            "{}",
            "{",
            ADAPTER + "x",
            ADAPTER.replace("\"name\": \"mood\",", ""),
            ADAPTER.replace("7", "\"seven\""),
            ADAPTER.replace("public", "purple"),
            "[".repeat(100_000))) {
      RegistryException refused = refusalOf(json(garbage));
      assertThat(refused.kind()).as(garbage).isEqualTo(Kind.BROKEN);
      assertThat(refused)
          .hasMessageStartingWith(
              "unexpected response from %s to GET /api/v1/adapters/acme/mood (is this a Nola registry?): ",
              registry.url());
    }
  }

  @Test
  void fieldsOfLaterVersionsAreNoMatter() throws Exception {
    registry.answers(json(ADAPTER.replace("{\"namespace\"", "{\"later\": 1, \"namespace\"")));

    assertThat(client.adapters().get(MOOD).latest()).isEqualTo("1.0.0");
  }

  @Test
  void endlessAnswerEnds() {
    RegistryException refused =
        refusalOf(
            exchange -> {
              exchange.sendResponseHeaders(200, 0);
              byte[] spaces = " ".repeat(1 << 16).getBytes(StandardCharsets.UTF_8);
              while (true) {
                exchange.getResponseBody().write(spaces);
              }
            });

    assertThat(refused.kind()).isEqualTo(Kind.BROKEN);
    assertThat(refused).hasMessageContaining("has more than 16777216 bytes");
  }

  @Test
  void answerThatStopsIsGivenUp() {
    CountDownLatch end = new CountDownLatch(1);
    registry.answers(
        exchange -> {
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write('{');
          exchange.getResponseBody().flush();
          await(end);
        });
    try (NolaClient impatient =
        builder(registry.url()).requestTimeout(Duration.ofMillis(800)).retries(1).build()) {
      RegistryException refused = refusal(() -> impatient.adapters().get(MOOD));

      assertThat(refused.kind()).isEqualTo(Kind.UNAVAILABLE);
      assertThat(refused)
          .hasMessage(
              "cannot reach the registry at %s: no answer within 0.8 seconds", registry.url());
      assertThat(registry.seen()).hasSize(2);
    } finally {
      end.countDown();
    }
  }

  @Test
  void interruptEndsTheWaitForAnAnswer() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    registry.answers(
        _ -> {
          asked.countDown();
          await(end);
        });
    AtomicReference<Throwable> ended = new AtomicReference<>();
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    client.adapters().get(MOOD);
                  } catch (Throwable t) {
                    ended.set(t);
                  }
                });
    asked.await();

    caller.interrupt();

    caller.join();
    assertThat(ended.get()).isInstanceOf(InterruptedException.class);
    assertThat(registry.seen()).hasSize(1);
    end.countDown();
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void everyBrokenRuleIsTold() {
    RegistryException refused =
        refusalOf(
            problem(
                422,
                """
                {"type": "urn:nola:problem:invalid", "title": "Unprocessable Content",
                 "detail": "2 values are invalid; see violations", "requestId": "r1",
                 "violations": [{"field": "version", "rule": "invalid version: 1; must be a number"},
                                {"field": "name", "rule": "invalid name: X; must be lower case"}]}"""));

    assertThat(refused.kind()).isEqualTo(Kind.REFUSED);
    assertThat(refused)
        .hasMessage(
            "2 values are invalid:\n  invalid version: 1; must be a number\n  invalid name: X; must be lower case");
    assertThat(refused.violations()).hasSize(2);
    assertThat(refused.problem()).isNotNull();
    assertThat(refused.problem().type()).isEqualTo("urn:nola:problem:invalid");
    assertThat(refused.problem().requestId()).isEqualTo("r1");
  }

  @Test
  void kindsTellWhatToDo() {
    assertThat(refusalOf(problem(401, "{\"detail\": \"no\"}")).kind()).isEqualTo(Kind.NOT_ALLOWED);
    assertThat(refusalOf(problem(401, "{\"detail\": \"no\"}")))
        .hasMessage("no; log in with: nola login --registry %s", registry.url());
    assertThat(refusalOf(problem(403, "{\"detail\": \"no\"}")).kind()).isEqualTo(Kind.NOT_ALLOWED);
    assertThat(refusalOf(problem(404, "{\"detail\": \"no\"}")).kind()).isEqualTo(Kind.NOT_FOUND);
    assertThat(refusalOf(problem(404, "{\"detail\": \"no\"}"))).hasMessage("no");
    assertThat(refusalOf(problem(409, "{\"detail\": \"no\"}")).kind()).isEqualTo(Kind.CONFLICT);
    assertThat(refusalOf(problem(413, "{\"detail\": \"no\"}")).kind()).isEqualTo(Kind.REFUSED);
    assertThat(refusalOf(problem(500, "{\"detail\": \"no\", \"requestId\": \"r1\"}")))
        .hasMessage("no; for details, see the log of %s for request r1", registry.url());
    assertThat(refusalOf(text(500, "<h1>Oops</h1>", "Content-Type", "text/html")))
        .hasMessage("%s answered GET /api/v1/adapters/acme/mood with status 500", registry.url());
  }

  @Test
  void registryWithoutTls_isNamedAsOne() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        NolaClient encrypted =
            builder(URI.create("https://127.0.0.1:" + server.getLocalPort())).retries(0).build()) {
      Thread.ofVirtual().start(() -> answerPlainly(server));

      RegistryException refused = refusal(() -> encrypted.adapters().get(MOOD));

      assertThat(refused.kind()).isEqualTo(Kind.UNAVAILABLE);
      assertThat(refused)
          .hasMessageEndingWith("it does not use TLS; to reach it without encryption, use http://");
    }
  }

  private static void answerPlainly(ServerSocket server) {
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        socket
            .getOutputStream()
            .write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        socket.getInputStream().read();
      } catch (IOException _) {
        // the client or the test has ended
      }
    }
  }

  @Test
  void whoHasItsTokenFromElsewhereIsToldSo() {
    try (NolaClient other = builder(registry.url()).tokenHint("ask the operator").build()) {
      for (int status : new int[] {401, 403}) {
        registry.answers(problem(status, "{\"detail\": \"no\"}"));
        assertThat(refusal(() -> other.adapters().get(MOOD))).hasMessage("no; ask the operator");
      }
      registry.answers(problem(404, "{\"detail\": \"no\"}"));
      assertThat(refusal(() -> other.adapters().get(MOOD))).hasMessage("no");
    }
    try (NolaClient anyone =
        builder(registry.url()).token(null).tokenHint("ask the operator").build()) {
      registry.answers(problem(404, "{\"detail\": \"no\"}"));
      assertThat(refusal(() -> anyone.adapters().get(MOOD)))
          .as("it may be private")
          .hasMessage("no; ask the operator");
    }
  }

  @Test
  void whatARegistrySaysDoesNotMoveTheCursor() {
    RegistryException refused =
        refusalOf(
            problem(
                404,
                "{\"detail\": \"gone\\u001b[2J\\r\\n\\u009b\\u202e%s\"}"
                    .formatted("x".repeat(5_000))));

    assertThat(String.valueOf(refused.getMessage()))
        .startsWith("gone [2J x")
        .doesNotContainPattern("[\\p{Cc}\\p{Cf}]")
        .hasSizeLessThan(2_100);
  }

  @Test
  void problemThatCannotBeReadLeavesTheStatus() {
    for (String garbage : List.of("", "{", "[]", "null", " ".repeat(100_000), "{\"detail\": 1}")) {
      RegistryException refused = refusalOf(problem(404, garbage));
      assertThat(refused.kind()).as(garbage).isEqualTo(Kind.NOT_FOUND);
      assertThat(refused.getMessage()).as(garbage).isNotBlank();
    }
  }
}

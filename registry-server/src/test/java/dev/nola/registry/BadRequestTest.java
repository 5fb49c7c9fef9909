package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no endpoint can take are refused in our words: the value, and the rule. */
class BadRequestTest {
  private static final String JOB = "/api/v1/jobs/123e4567-e89b-12d3-a456-426614174000";

  /** What libraries say of themselves, and nobody outside should read. */
  private static final List<String> LEAKS =
      List.of(
          "java.",
          "dev.nola",
          "springframework",
          "jackson",
          "Exception",
          "JsonToken",
          "deserialize",
          "Deserialization",
          "`",
          "Failed to",
          "null (",
          "must not be null",
          " class ",
          "\tat ");

  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();

  /** Method, path, body, and the detail of the answer. */
  private record Case(String method, String path, String body, String detail) {
    @Override
    public String toString() {
      return method + " " + path + " " + body.substring(0, Math.min(60, body.length()));
    }
  }

  private static Case get(String path, String detail) {
    return new Case("GET", path, "", detail);
  }

  private static Case submit(String body, String detail) {
    return new Case("POST", "/api/v1/jobs", body, detail);
  }

  private static Case lease(String body, String detail) {
    return new Case("POST", "/api/v1/jobs/lease", body, detail);
  }

  private static Case beat(String body, String detail) {
    return new Case("POST", JOB + "/heartbeat", body, detail);
  }

  static Stream<Case> cases() {
    String uuid = "must be a UUID (8-4-4-4-12 hexadecimal digits)";
    String train = "{\"type\": \"train\", \"train\": {\"adapter\": \"a/b\", \"version\": ";
    return Stream.of(
        // Paths and parameters
        get("/api/v1/jobs/abc", "invalid id: abc; " + uuid),
        get("/api/v1/jobs/abc/events", "invalid id: abc; " + uuid),
        new Case("DELETE", "/api/v1/tokens/not-an-id", "", "invalid id: not-an-id; " + uuid),
        get("/api/v1/jobs/" + "x".repeat(300), "invalid id: " + "x".repeat(100) + "…; " + uuid),
        get("/api/v1/jobs?limit=ten", "invalid limit: ten; must be a 32-bit integer"),
        get(
            "/api/v1/jobs?limit=99999999999",
            "invalid limit: 99999999999; must be a 32-bit integer"),
        get(
            "/api/v1/jobs?state=slow",
            "invalid state: slow; must be one of queued, running, succeeded, failed, cancelled"),
        get(
            "/api/v1/jobs?type=dev.nola.X",
            "invalid type: dev.nola.X; must be one of train, verify, export"),
        get("/api/v1/adapters?bits=four", "invalid bits: four; must be a 32-bit integer"),
        get(JOB + "/checkpoint", "parameter fence is missing; must be a 64-bit integer"),
        get(JOB + "/checkpoint?fence=", "fence is empty; must be a 64-bit integer"),
        get(JOB + "/checkpoint?fence=1.5", "invalid fence: 1.5; must be a 64-bit integer"),
        get("/api/v1/datasets", "parameter namespace is missing; must be a string"),
        get("/api/v1/nothing/here", "path not found; see /v3/api-docs"),
        new Case("PUT", "/api/v1/jobs", "{}", "method PUT not allowed; use GET or POST"),
        // Bodies that are not JSON
        submit("", "the body is missing; must be JSON"),
        submit("  ", "the body is empty; must be an object"),
        submit("{", "the body is not valid JSON: line 1, column 2"),
        submit("{\n \"type\": train}", "the body is not valid JSON: line 2, column 10"),
        new Case(
            "PATCH",
            JOB,
            "{\"priority\": 1} {}",
            "unexpected content after the JSON body: line 1, column 17"),
        submit(
            "{\"train\": {\"job\": {\"a\": " + "[".repeat(2000) + "}",
            "the body exceeds a limit: 100 levels of nesting, 50000000 characters in a string, 100"
                + " digits in a number"),
        // Bodies of another shape
        submit("[]", "the body is a list; must be an object"),
        submit("7", "the body is a number; must be an object"),
        submit("null", "the body is missing; must be JSON"),
        submit("{}", "type is missing"),
        submit(
            "{\"type\": \"dance\"}", "invalid type: dance; must be one of train, verify, export"),
        submit("{\"type\": 7}", "invalid type: 7; must be one of train, verify, export"),
        submit("{\"type\": {}}", "type is an object; must be one of train, verify, export"),
        submit(
            "{\"type\": \"train\", \"colour\": 1}",
            "unknown property colour; must be one of export, priority, train, type, verify"),
        submit("{\"type\": \"train\", \"train\": []}", "train is a list; must be an object"),
        submit("{\"type\": \"train\", \"train\": {}}", "train: adapter is missing"),
        submit(train + "{}}}", "train.version is an object; must be a string"),
        submit(
            train + "\"1.0.0\", \"dataset\": \"a/d\", \"job\": \"x\"}}",
            "train.job is a string; must be an object"),
        submit(
            train + "\"1.0.0\", \"cuda\": \"maybe\"}}",
            "train.cuda is a string; must be true or false"),
        submit(
            train + "\"1.0.0\", \"memoryBytes\": 99999999999999999999}}",
            "train.memoryBytes is out of range; must be a 64-bit integer"),
        submit(
            "{\"type\": \"train\", \"priority\": 3000000000}",
            "priority is out of range; must be a 32-bit integer"),
        submit(
            "{\"type\": \"train\", \"priority\": \"high\"}",
            "priority is a string; must be a 32-bit integer"),
        new Case("PATCH", JOB, "{}", "priority is missing or null; must be a 32-bit integer"),
        new Case(
            "PATCH",
            JOB,
            "{\"priority\": null}",
            "priority is missing or null; must be a 32-bit integer"),
        new Case(
            "PATCH", JOB, "{\"priority\": 1.5}", "invalid priority: 1.5; must be a 32-bit integer"),
        lease(
            "{\"worker\": \"w\", \"key\": \"\", \"cuda\": false, \"memoryBytes\": 1, \"max\": 1,"
                + " \"waitSeconds\": 0}",
            "types is missing"),
        lease(
            "{\"worker\": \"w\", \"key\": \"\", \"types\": [\"train\", \"sing\"]}",
            "invalid types[1]: sing; must be one of train, verify, export"),
        lease(
            "{\"worker\": \"w\", \"key\": \"\", \"types\": [null], \"cuda\": false, \"memoryBytes\": 1,"
                + " \"max\": 1, \"waitSeconds\": 0}",
            "types[0] contains null; must be a value"),
        lease("{\"worker\": \"w\", \"types\": \"train\"}", "types is a string; must be a list"),
        beat(
            "{\"fence\": 1, \"log\": [], \"metrics\": [{\"step\": 1, \"value\": 1}]}",
            "metrics[0]: name is missing"),
        beat(
            "{\"fence\": 1, \"log\": [], \"metrics\": [{\"name\": \"loss\", \"value\": \"low\"}]}",
            "metrics[0].value is a string; must be a number"),
        beat("{\"fence\": 1, \"log\": []}", "metrics is missing"),
        new Case(
            "POST",
            "/api/v1/tokens",
            "{\"expiresAt\": \"tomorrow\"}",
            "invalid expiresAt: tomorrow; must be a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999"),
        new Case("POST", "/api/v1/attestations", "{}", "items is missing"),
        new Case(
            "POST",
            "/api/v1/attestations",
            "{\"items\": [{\"job\": \"one\", \"fence\": 1}]}",
            "invalid items[0].job: one; " + uuid),
        new Case(
            "POST",
            "/api/v1/attestations",
            "{\"items\": [{\"fence\": 1, \"envelope\": {}}]}",
            "items[0].envelope: payload is missing"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void badRequestIsToldItsValueAndTheRule(Case bad) throws Exception {
    Answer answer =
        admin.send(
            bad.method(),
            bad.path(),
            bad.body().isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(bad.body()),
            "Content-Type",
            "application/json");

    SoftAssertions all = new SoftAssertions();
    all.assertThat(answer.text("/detail")).isEqualTo(bad.detail());
    all.assertThat(answer.status()).isIn(400, 404, 405);
    all.assertThat(answer.header("Content-Type")).isEqualTo(TestClient.PROBLEM);
    all.assertThat(answer.text("/type")).startsWith("urn:nola:problem:");
    all.assertThat(answer.text("/requestId")).isNotEmpty();
    all.assertThat(new String(answer.bytes(), StandardCharsets.UTF_8).replace(bad.detail(), ""))
        .doesNotContain(LEAKS);
    all.assertAll();
  }

  /** An empty list would hide the mistake. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/api/v1/adapters?bits=99 | invalid bits: 99; must be 1 to 16",
        "/api/v1/adapters?bits=0 | invalid bits: 0; must be 1 to 16",
        "/api/v1/adapters?rank=-1 | invalid rank: -1; must be at least 1, or 0 for the direct form",
        "/api/v1/adapters?generator=foo | invalid generator: foo; must be one of philox-uniform24, philox-uniform8, philox-rademacher, philox-srht",
        "/api/v1/adapters?namespace=FOO! | invalid namespace: FOO!; must be 1 to 39 characters",
        "/api/v1/adapters?tag=%3Cb%3E | invalid tag: <b>; must be 1 to 50 letters",
        "/api/v1/adapters?bits=99&rank=-1 | 2 values are invalid; see violations",
        "/api/v1/jobs?namespace=FOO! | invalid namespace: FOO!; must be 1 to 39 characters",
        "/api/v1/jobs?adapter=mood | invalid adapter: mood; must be NAMESPACE/NAME",
        "/api/v1/jobs?adapter=a/FOO! | invalid name: FOO!; must be 1 to 96 characters",
        "/api/v1/jobs?adapter=FOO!/a | invalid namespace: FOO!; must be 1 to 39 characters",
        "/api/v1/datasets?namespace=FOO! | invalid namespace: FOO!; must be 1 to 39 characters",
        "/api/v1/models?namespace= | invalid namespace: \"\"; must be 1 to 39 characters",
        "/api/v1/tokens?account=FOO! | invalid account: FOO!; must be 1 to 64 characters",
        "/api/v1/adapters?limit=101 | invalid limit: 101; must be 1 to 100",
        "/api/v1/audit?limit=0 | invalid limit: 0; must be 1 to 100",
        "/api/v1/jobs?limit=0 | invalid limit: 0; must be 1 to 100",
        "/api/v1/worker-keys?limit=0 | invalid limit: 0; must be 1 to 100"
      })
  void filterThatNothingCanMeetIsRefused(String path, String detail) throws Exception {
    Answer answer = admin.get(path);

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.text("/detail")).startsWith(detail);
  }

  @ParameterizedTest
  @CsvSource({"namespace, FOO!", "generator, foo"})
  void verificationThatNothingCanMeetIsRefused(String field, String value) throws Exception {
    Answer answer = admin.post("/api/v1/verifications", Map.of(field, value));

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.text("/detail")).startsWith("invalid " + field + ": " + value + "; must be");
  }

  @Test
  void otherMediaTypeIsRefusedByName() throws Exception {
    Answer text =
        admin.send(
            "POST", "/api/v1/jobs", BodyPublishers.ofString("x"), "Content-Type", "text/plain");
    assertThat(text.refusal()).isEqualTo("415 unsupported-media-type");
    assertThat(text.text("/detail"))
        .isEqualTo("invalid Content-Type: text/plain; must be application/json");

    Answer malformed =
        admin.send("POST", "/api/v1/jobs", BodyPublishers.ofString("x"), "Content-Type", "json");
    assertThat(malformed.status()).isEqualTo(415);
    assertThat(malformed.text("/detail")).contains("Content-Type").doesNotContain(LEAKS);

    Answer untyped = admin.send("POST", "/api/v1/jobs", BodyPublishers.ofString("{}"));
    assertThat(untyped.text("/detail")).contains("Content-Type").doesNotContain(LEAKS);

    Answer accept = admin.get("/api/v1/jobs", "Accept", "image/png");
    assertThat(accept.status()).isEqualTo(406);
  }

  /** Bodies in other formats would evade the limits and rules of JSON. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/yaml",
        "application/xml",
        "application/cbor",
        "application/x-www-form-urlencoded"
      })
  void onlyJsonIsReadAndWritten(String type) throws Exception {
    Answer read =
        admin.send(
            "POST",
            "/api/v1/tokens",
            BodyPublishers.ofString("scopes: [read]"),
            "Content-Type",
            type);
    assertThat(read.refusal()).isEqualTo("415 unsupported-media-type");
    assertThat(read.text("/detail"))
        .isEqualTo("invalid Content-Type: " + type + "; must be application/json");

    Answer written = admin.get("/api/v1/adapters", "Accept", type);
    assertThat(written.status()).isEqualTo(406);
    assertThat(written.header("Content-Type")).isEqualTo(TestClient.PROBLEM);
  }

  /** What Java's client would not send. */
  @Test
  void brokenRequestLineHasNoClassNamesInItsAnswer() throws Exception {
    for (String line :
        List.of("GET /api/v1/jobs/%zz", "GET /api/v1//jobs", "GET /api/v1/jobs;x=1")) {
      try (Socket socket = new Socket("127.0.0.1", registry.port())) {
        OutputStream out = socket.getOutputStream();
        out.write(
            (line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .getBytes(StandardCharsets.UTF_8));
        out.flush();
        String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(answer).as(line).startsWith("HTTP/1.1 400").doesNotContain(LEAKS);
      }
    }
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that are meant to fail inside the server get an answer of 4xx, and tell nothing. */
class HostileRequestTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();

  @Test
  void privateAdapterLooksAbsentWhateverTheReference() throws Exception {
    String namespace = admin.namespace();
    admin.publishPrivate(namespace + "/secret@1.0.0", Samples.file(1));
    TestClient stranger = admin.account("stranger", "publish");
    for (String reference :
        List.of(
            "1.0.0",
            "latest",
            "%5E1",
            "%5E99999999999999999999",
            "99999999999999999999.0.0",
            "1.0.0-99999999999999999999",
            "%3E%3D1.0.0-1%20%3C99999999999999999999",
            "%5B1,2%5D",
            "nothing",
            "sha256:zz",
            "%F0%9F%98%80")) {
      for (TestClient client : List.of(registry.anonymous(), stranger)) {
        for (String end : List.of("", "/file", "/attestations")) {
          String path = "/versions/" + reference + end;
          Answer hidden = client.get("/api/v1/adapters/" + namespace + "/secret" + path);
          Answer absent = client.get("/api/v1/adapters/" + namespace + "/absent" + path);
          assertThat(hidden.refusal()).as(path).isEqualTo("404 not-found");
          assertThat(absent.refusal()).as(path).isEqualTo("404 not-found");
          assertThat(hidden.text("/detail").replace("secret", "absent"))
              .as(path)
              .isEqualTo(absent.text("/detail"));
        }
      }
    }
  }

  @Test
  void versionWithHugeNumbersBreaksNoRange() throws Exception {
    String namespace = admin.namespace();
    String path = "/api/v1/adapters/" + namespace + "/mood/versions/";
    for (String version : List.of("1.0.0-99999999999999999999", "2147483647.0.0", "1.0.0")) {
      assertThat(admin.publish(namespace + "/mood@" + version, Samples.file(1)).status())
          .as(version)
          .isEqualTo(201);
      assertThat(admin.get(path + version).status()).as(version).isEqualTo(200);
    }
    assertThat(admin.get(path + "%3E%3D1.0.0-1%20%3C2").text("/version")).isEqualTo("1.0.0");
    assertThat(admin.get(path + "%5E1").text("/version")).isEqualTo("1.0.0");
    for (String nothing : List.of("%5E99999999999999999999", "99999999999999999999.0.0")) {
      assertThat(admin.get(path + nothing).refusal()).as(nothing).isEqualTo("404 not-found");
    }
    assertThat(
            admin.publish(namespace + "/mood@99999999999999999999.0.0", Samples.file(1)).refusal())
        .isEqualTo("422 invalid");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"q=%ff", "q=%c3%28", "limit=1&q=%ff", "q=%ed%a0%80", "q=%00", "verified=%00"})
  void undecodableQueryIsRefused(String query) throws Exception {
    for (String path : List.of("/api/v1/adapters?", "/api/v1/jobs?", "/v3/api-docs?", "/none?")) {
      Answer answer = admin.get(path + query);
      assertThat(answer.refusal()).as(path).isEqualTo("400 unreadable");
      assertThat(answer.text("/detail")).contains(query).contains("percent-encoded UTF-8");
    }
    Answer posted =
        admin.send(
            "POST",
            "/api/v1/jobs/123e4567-e89b-12d3-a456-426614174000/failure?" + query,
            BodyPublishers.ofString("{}"),
            "Content-Type",
            "application/json");
    assertThat(posted.status()).isBetween(400, 499);
  }

  /** Spring Security's firewall finds them when they are read, in the midst of an endpoint. */
  @Test
  void unprintableCharactersAreRefused() throws Exception {
    for (String query : List.of("%C3%AA%08%01R=1", "limit=1&%01=1", "%CD%B8=1", "a%0Ab=1")) {
      for (String path : List.of("/api/v1/adapters?", "/api/v1/jobs?", "/api/v1/audit?")) {
        Answer answer = admin.get(path + query);
        // Only lists with filters look at parameters that they do not know.
        assertThat(answer.refusal()).as(path + query).isIn("400 unreadable", "200 ");
        if (answer.status() == 400) {
          assertThat(answer.text("/detail")).contains(query).contains("not printable");
        }
      }
    }
    String namespace = admin.namespace();
    admin.publish(namespace + "/mood@1.0.0", Samples.file(1));
    String file = "/api/v1/adapters/" + namespace + "/mood/versions/1.0.0/file";
    for (String header :
        List.of("Range", "If-Range", "If-None-Match", "Accept", "Content-Type", "Authorization")) {
      String answer = exchange("GET " + file + " HTTP/1.1\r\nHost: h\r\n" + header + ": \u0085");
      assertThat(answer.lines().findFirst().orElse(""))
          .as(header)
          .matches("HTTP/1\\.1 (200|400|401|406).*");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/api/v1/adapters?sort=updated, UPDATED",
    "/api/v1/adapters?sort=downloads, DOWNLOADS",
    "/api/v1/adapters?sort=name, NAME",
    "/api/v1/adapters?q=x, RELEVANCE",
    "/api/v1/jobs?limit=1, jobs",
    "/api/v1/audit?limit=1, audit"
  })
  void forgedCursorIsRefused(String path, String kind) throws Exception {
    for (String key :
        List.of(
            "9223372036854775807\u001f1",
            "-9223372036854775808\u001f-9223372036854775808",
            "99999999999999999999\u001f1",
            "\u0000\u001f\u0000",
            "\u001f",
            "9223372036854775807",
            "-9223372036854775808")) {
      String cursor =
          Base64.getUrlEncoder()
              .encodeToString((kind + "\u001f" + key).getBytes(StandardCharsets.UTF_8));
      assertThat(admin.get(path + "&cursor=" + cursor).status())
          .as("%s %s", path, key)
          .isIn(200, 400, 422);
    }
    for (String cursor : List.of("", "x", "%00", "%F0%9F%98%80", "A".repeat(5000))) {
      assertThat(admin.get(path + "&cursor=" + cursor).status()).as(cursor).isIn(400, 422);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "\"x\"", "\"\"", "[]", "[[]]", "true", "1e999", "null", "{\"\": 1}"})
  void bodyOfAnotherShapeIsRefused(String body) throws Exception {
    String job = "/api/v1/jobs/123e4567-e89b-12d3-a456-426614174000";
    String adapter = "/api/v1/adapters/" + admin.namespace() + "/mood";
    for (String endpoint :
        List.of(
            "POST /api/v1/tokens",
            "POST /api/v1/jobs",
            "PATCH " + job,
            "POST /api/v1/jobs/lease",
            "POST " + job + "/heartbeat",
            "POST " + job + "/failure",
            "POST /api/v1/attestations",
            "POST /api/v1/verifications",
            "POST /api/v1/worker-keys",
            "PUT /api/v1/worker-keys/sha256:" + "0".repeat(64) + "/approval",
            "PUT /api/v1/worker-keys/sha256:" + "0".repeat(64) + "/revocation",
            "PUT /api/v1/namespaces/n/members/m",
            "PATCH " + adapter,
            "PUT " + adapter + "/versions/1.0.0/yank",
            "PUT " + adapter + "/aliases/prod",
            "PUT /api/v1/datasets/n/d")) {
      Answer answer = send(endpoint, body);
      assertThat(answer.refusal()).as("%s %s", endpoint, body).isEqualTo("400 unreadable");
    }
    assertThat(send("POST " + job + "/retry", body).status()).as(body).isIn(400, 404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POST /api/v1/tokens | {\"scopes\": [null]} | scopes[0] contains null; must be a value",
        "POST /api/v1/tokens | {\"scopes\": [\"read\"], \"namespaces\": [null]} | namespaces[0] contains null; must be a value",
        "POST /api/v1/tokens | {\"scopes\": [0]} | invalid scopes[0]: 0; must be one of read, publish, worker, mint, admin",
        "POST /api/v1/tokens | {\"scopes\": [\"0\"]} | invalid scopes[0]: 0; must be one of read, publish, worker, mint, admin",
        "POST /api/v1/tokens | {\"scopes\": [\"read\"], \"scopes\": [\"admin\"]} | the body has a property twice: line 1, column 30; each name may occur once",
        "POST /api/v1/tokens | {\"account\": 7} | account is a number; must be a string",
        "POST /api/v1/tokens | {\"account\": true} | account is true or false; must be a string",
        "POST /api/v1/tokens | {\"scopes\": \"\"} | scopes is a string; must be a list",
        "POST /api/v1/tokens | {\"expiresAt\": \"\"} | expiresAt is an empty string; must be a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999",
        "POST /api/v1/tokens | \"\" | the body is an empty string; must be an object",
        "POST /api/v1/jobs | {\"type\": \"\"} | type is an empty string; must be one of train, verify, export",
        "POST /api/v1/jobs | {\"type\": \"train\", \"priority\": \"5\"} | priority is a string; must be a 32-bit integer",
        "POST /api/v1/jobs | {\"type\": \"train\", \"priority\": \"\"} | priority is an empty string; must be a 32-bit integer",
        "POST /api/v1/jobs | {\"type\": \"train\", \"priority\": true} | priority is true or false; must be a 32-bit integer",
        "POST /api/v1/jobs | {\"type\": \"train\", \"train\": {\"adapter\": \"a/b\", \"cuda\": 1}} | invalid train.cuda: 1; must be true or false",
        "POST /api/v1/jobs/lease | {\"worker\": 7} | worker is a number; must be a string",
        "POST /api/v1/attestations | {\"items\": [{\"job\": \"\"}]} | items[0].job is an empty string; must be a UUID (8-4-4-4-12 hexadecimal digits)",
        "GET /api/v1/jobs?stat=queued | | unknown parameter stat; must be one of adapter, cursor, limit, namespace, state, type",
        "GET /api/v1/tokens/current?x | | unknown parameter x; must be left out",
        "POST /api/v1/attestations | {\"items\": [null]} | items[0] contains null; must be a value",
        "POST /api/v1/verifications | {\"backends\": [null]} | backends[0] contains null; must be a value",
        "PUT /api/v1/datasets/n/d | {\"files\": [null]} | files[0] contains null; must be a value",
        "POST /api/v1/tokens | {\"expiresAt\": \"+1000000000-12-31T23:59:59.999999999Z\"} | invalid expiresAt: +1000000000-12-31T23:59:59.999999999Z; must be a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999",
        "POST /api/v1/tokens | {\"expiresAt\": \"-1000000000-01-01T00:00:00Z\"} | invalid expiresAt: -1000000000-01-01T00:00:00Z; must be a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999",
        "POST /api/v1/tokens | {\"expiresAt\": 1e30} | expiresAt is a number; must be a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999",
        "POST /api/v1/tokens | {\"expiresAt\": 1} | expiresAt is a number; must be a time such as 2026-01-31T12:00:00Z, in the years 1970 to 9999"
      })
  void valueThatTheServerCannotHoldIsRefused(String endpoint, @Nullable String body, String detail)
      throws Exception {
    Answer answer = send(endpoint, body == null ? "" : body);

    assertThat(answer.refusal()).isEqualTo("400 unreadable");
    assertThat(answer.text("/detail")).isEqualTo(detail);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\\u0000b", "\\ud83d", "\\ude00", "\\ude00\\ud83d"})
  void textThatCannotBeStoredIsRefused(String text) throws Exception {
    String namespace = admin.namespace();
    admin.publish(namespace + "/mood@1.0.0", Samples.file(1));
    String adapter = "/api/v1/adapters/" + namespace + "/mood";
    Map<String, String> bodies =
        Map.of(
            "POST /api/v1/tokens",
            "{\"scopes\": [\"read\"], \"description\": \"%s\"}",
            "PATCH " + adapter,
            "{\"description\": \"%s\"}",
            "PUT " + adapter + "/versions/1.0.0/yank",
            "{\"reason\": \"%s\"}",
            "POST /api/v1/jobs",
            "{\"type\": \"train\", \"train\": {\"job\": {\"data\": {\"train\": \"%s\"}}}}");
    for (Map.Entry<String, String> body : bodies.entrySet()) {
      Answer answer = send(body.getKey(), body.getValue().formatted(text));
      assertThat(answer.refusal()).as(body.getKey()).isEqualTo("422 invalid");
      assertThat(answer.text("/detail"))
          .matches(
              "invalid [a-z.]+: NUL or half of a surrogate pair; must be Unicode characters other than NUL");
    }
    Answer whole =
        send(
            "POST /api/v1/tokens", "{\"scopes\": [\"read\"], \"description\": \"\\ud83d\\ude00\"}");
    assertThat(whole.text("/token/description")).isEqualTo("\ud83d\ude00");
  }

  @Test
  void farAwayExpiryIsRefusedOrStored() throws Exception {
    for (String time : List.of("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-18:00")) {
      Answer answer =
          admin.post("/api/v1/tokens", Map.of("scopes", List.of("read"), "expiresAt", time));
      assertThat(answer.status()).as(time).isIn(201, 400);
    }
    // As it is stored: rounded up, it would be in the year 10000, which RFC 3339 does not have.
    assertThat(admin.get("/api/v1/tokens").json().findValuesAsString("expiresAt"))
        .contains("9999-12-31T23:59:59.999999Z");
  }

  @Test
  void largeJsonIsRefusedBeforeItIsRead() throws Exception {
    TestClient minter = admin.account("large", "mint");
    byte[] body =
        ("{\"description\": \"" + "x".repeat(1 << 20) + "\"}").getBytes(StandardCharsets.UTF_8);
    for (var publisher :
        List.of(
            BodyPublishers.ofByteArray(body),
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))) {
      Answer answer =
          minter.send("POST", "/api/v1/tokens", publisher, "Content-Type", "application/json");
      assertThat(answer.refusal()).isEqualTo("413 too-large");
      assertThat(answer.text("/detail"))
          .isEqualTo("JSON body too large; the limit is 1048576 bytes");
    }
    Answer manifest = admin.put("/api/v1/datasets/" + admin.namespace() + "/d", padded(2 << 20));
    assertThat(manifest.status()).as("manifests may have more").isEqualTo(422);
    Answer deep = admin.post("/api/v1/jobs", "{\"train\": {\"job\": {\"a\": " + "[".repeat(101));
    assertThat(deep.text("/detail")).startsWith("the body exceeds a limit: 100 levels of nesting");
  }

  private static String padded(int size) {
    return "{\"files\": [" + " ".repeat(size) + "]}";
  }

  /** What Java's client would not send, or Tomcat does not hand to the application. */
  @Test
  void refusalsOfTheContainerAreProblemDetails() throws Exception {
    List<String> wrong = new ArrayList<>();
    for (String head :
        List.of(
            "GET /api/v1/jobs/%zz HTTP/1.1\r\nHost: h",
            "GET /api/v1/adapters?q=%zz HTTP/1.1\r\nHost: h",
            "GET /api/v1/adapters?q={} HTTP/1.1\r\nHost: h",
            "GET /api/v1/adapters HTTP/1.1",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: a b",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nContent-Length: x",
            "GET /api/v1/%00 HTTP/1.1\r\nHost: h",
            "GET /api/v1/..%2f.. HTTP/1.1\r\nHost: h",
            "GET /api/v1//jobs HTTP/1.1\r\nHost: h",
            "GET /" + "x".repeat(9000) + " HTTP/1.1\r\nHost: h",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nX: " + "x".repeat(9000),
            "G(T /api/v1/adapters HTTP/1.1\r\nHost: h",
            "GET /api/v1/adapters HTTP/9.9\r\nHost: h",
            "POST /api/v1/tokens HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: foo",
            "TRACE /api/v1/adapters HTTP/1.1\r\nHost: h",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nExpect: foo",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nAccept: image/png",
            "GET /api/v1/adapters/absent/absent HTTP/1.1\r\nHost: h\r\nAccept: image/png",
            "GET /api/v1/adapters/absent/absent HTTP/1.1\r\nHost: h\r\nAccept: no type",
            "GET /nothing HTTP/1.1\r\nHost: h\r\nAccept: no type",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nAccept: no type",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nX\u0080\u00ff: x",
            "GET /api/v1/adapters HTTP/1.1\r\nHost: h\r\nAuthorization: \u0080\u00ff",
            "GET /nothing HTTP/1.1\r\nHost: h\r\nAccept-Language: \u0080\u00ff",
            "GET /nothing HTTP/1.1\r\nHost: h\r\nOrigin: \u0080\u00ff",
            "POST /api/v1/tokens HTTP/1.1\r\nHost: h\r\nContent-Type: \u0080\u00ff")) {
      String answer = exchange(head);
      String status = answer.lines().findFirst().orElse("nothing");
      if (!status.matches("HTTP/1\\.1 (4..|501|505).*")
          || !answer.contains("application/problem+json")
          || !answer.contains("\"requestId\":\"")) {
        wrong.add(head.substring(0, Math.min(60, head.length())) + " -> " + answer);
      }
    }
    assertThat(wrong).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET / HTTP/9.9 | 505 | HTTP version not supported; use HTTP/1.1",
        "TRACE / HTTP/1.1 | 405 | method not allowed; see /v3/api-docs",
        "GET / HTTP/1.1, Expect: foo | 417 | Expect header not supported; use 100-continue, or none",
        "POST / HTTP/1.1, Transfer-Encoding: foo | 501 | Transfer-Encoding not supported; use chunked, or Content-Length"
      })
  void refusalOfTheContainerSaysWhatIsNotSupported(String head, String status, String detail)
      throws Exception {
    String answer = exchange(head.replace(", ", "\r\n") + "\r\nHost: h");

    assertThat(answer).startsWith("HTTP/1.1 " + status).contains("\"detail\":\"" + detail + "\"");
  }

  @Test
  void linkDoesNotRepeatTheHostOfTheRequest() throws Exception {
    String namespace = admin.namespace();
    admin.publish(namespace + "/one@1.0.0", Samples.file(1));
    admin.publish(namespace + "/two@1.0.0", Samples.file(1));

    String answer =
        exchange("GET /api/v1/adapters?limit=1&namespace=" + namespace + " HTTP/1.1\r\nHost: evil");

    assertThat(answer).contains("Link: </api/v1/adapters?limit=1&").doesNotContain("evil");
  }

  private String exchange(String head) throws Exception {
    try (Socket socket = new Socket("127.0.0.1", registry.port())) {
      OutputStream out = socket.getOutputStream();
      out.write((head + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private Answer send(String endpoint, String body) throws Exception {
    String[] parts = endpoint.split(" ");
    return admin.send(
        parts[0], parts[1], BodyPublishers.ofString(body), "Content-Type", "application/json");
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.AdapterFile;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

/**
 * The status that each caller gets from each endpoint; an endpoint without a row fails the test.
 */
class AuthorizationMatrixTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();

  /** Callers, in the order of the table's columns. */
  private enum Who {
    ANONYMOUS,
    /** A token that may only read, of an account that is not a member. */
    READER,
    /** A token that may publish, of an account that is not a member. */
    STRANGER,
    MEMBER,
    OWNER,
    WORKER,
    ADMIN,
    /** A token with the scope admin that is limited to the namespace. */
    NARROW_ADMIN
  }

  /**
   * Each row: an endpoint, then its status for everyone in the order of {@link Who}. {@code {ns}}
   * is a namespace of OWNER with MEMBER in it. It has a public adapter {@code {open}} and a private
   * one {@code {secret}}, both at 1.0.0, a dataset {@code {data}}, and a cancelled job {@code
   * {job}}, and an inactive webhook {@code {hook}}. {@code {none}} is the id of nothing; {@code
   * {sibling}} is another token of the caller's account.
   */
  private static final String TABLE =
      """
      PUT    /api/v1/namespaces/{ns}                          401 403 409 409 200 403 200 200
      GET    /api/v1/namespaces                               401 200 200 200 200 200 200 200
      DELETE /api/v1/namespaces/{ns}                          401 403 403 403 409 403 409 409
      GET    /api/v1/namespaces/{ns}                          200 200 200 200 200 200 200 200
      GET    /api/v1/namespaces/{ns}/members                  401 403 403 200 200 403 200 200
      PUT    /api/v1/namespaces/{ns}/members/member           401 403 403 403 200 403 200 200
      DELETE /api/v1/namespaces/{ns}/members/absent           401 403 403 403 404 403 404 404
      POST   /api/v1/namespaces/{ns}/webhooks                 401 403 403 403 422 403 422 422
      GET    /api/v1/namespaces/{ns}/webhooks                 401 403 403 403 200 403 200 200
      GET    /api/v1/namespaces/{ns}/webhooks/{hook}          401 403 403 403 200 403 200 200
      PATCH  /api/v1/namespaces/{ns}/webhooks/{hook}          401 403 403 403 200 403 200 200
      DELETE /api/v1/namespaces/{ns}/webhooks/{none}          401 403 403 403 404 403 404 404
      POST   /api/v1/namespaces/{ns}/webhooks/{hook}/ping     401 403 403 403 409 403 409 409
      GET    /api/v1/namespaces/{ns}/webhooks/{hook}/deliveries 401 403 403 403 200 403 200 200
      GET    /api/v1/namespaces/{ns}/webhooks/{hook}/deliveries/{none} 401 403 403 403 404 403 404 404
      GET    /api/v1/tokens                                   401 200 200 200 200 200 200 200
      GET    /api/v1/tokens/current                           401 200 200 200 200 200 200 200
      POST   /api/v1/tokens                                   401 403 403 403 422 403 422 422
      DELETE /api/v1/tokens/00000000-0000-0000-0000-000000000000 401 404 404 404 404 404 404 404
      DELETE /api/v1/tokens/{sibling}                         401 403 403 403 204 403 204 403
      GET    /api/v1/adapters                                 200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/open                       200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret                     404 404 404 200 200 200 200 200
      PATCH  /api/v1/adapters/{ns}/open                       401 403 403 200 200 403 200 200
      PATCH  /api/v1/adapters/{ns}/secret                     401 403 404 200 200 403 200 200
      GET    /api/v1/adapters/{ns}/open/versions              200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/versions            404 404 404 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/open/versions/1.0.0        200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/versions/1.0.0      404 404 404 200 200 200 200 200
      POST   /api/v1/adapters/{ns}/open/versions/1.0.0        401 403 403 200 200 403 200 200
      POST   /api/v1/adapters/{ns}/secret/versions/1.0.0      401 403 404 200 200 403 200 200
      DELETE /api/v1/adapters/{ns}/open/versions/9.0.0        401 403 403 403 403 403 404 404
      DELETE /api/v1/adapters/{ns}/secret/versions/9.0.0      401 403 403 403 403 403 404 404
      GET    /api/v1/adapters/{ns}/open/versions/1.0.0/file   200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/versions/1.0.0/file 404 404 404 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/open/versions/1.0.0/signature 200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/versions/1.0.0/signature 404 404 404 200 200 200 200 200
      GET    /api/v1/signing-key                              200 200 200 200 200 200 200 200
      PUT    /api/v1/adapters/{ns}/open/versions/9.0.0/yank   401 403 403 404 404 403 404 404
      PUT    /api/v1/adapters/{ns}/secret/versions/9.0.0/yank 401 403 404 404 404 403 404 404
      DELETE /api/v1/adapters/{ns}/open/versions/1.0.0/yank   401 403 403 200 200 403 200 200
      DELETE /api/v1/adapters/{ns}/secret/versions/1.0.0/yank 401 403 404 200 200 403 200 200
      GET    /api/v1/adapters/{ns}/open/aliases               200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/aliases             404 404 404 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/open/aliases/st/history    200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/aliases/st/history  404 404 404 200 200 200 200 200
      PUT    /api/v1/adapters/{ns}/open/aliases/st            401 403 403 200 200 403 200 200
      PUT    /api/v1/adapters/{ns}/secret/aliases/st          401 403 404 200 200 403 200 200
      DELETE /api/v1/adapters/{ns}/open/aliases/absent        401 403 403 404 404 403 404 404
      DELETE /api/v1/adapters/{ns}/secret/aliases/absent      401 403 404 404 404 403 404 404
      GET    /api/v1/adapters/{ns}/open/versions/1.0.0/attestations 200 200 200 200 200 200 200 200
      GET    /api/v1/adapters/{ns}/secret/versions/1.0.0/attestations 404 404 404 200 200 200 200 200
      POST   /api/v1/adapters/{ns}/open/versions/1.0.0/attestations 401 403 403 422 422 403 422 422
      POST   /api/v1/adapters/{ns}/secret/versions/1.0.0/attestations 401 403 404 422 422 403 422 422
      POST   /api/v1/attestations                             401 403 403 403 403 422 422 422
      POST   /api/v1/verifications                            401 403 403 403 403 403 422 403
      GET    /api/v1/verifications/00000000-0000-0000-0000-000000000000 401 403 403 403 403 403 404 403
      POST   /api/v1/worker-keys                              401 403 403 403 403 422 422 422
      GET    /api/v1/worker-keys                              200 200 200 200 200 200 200 200
      GET    /api/v1/worker-keys/absent                       404 404 404 404 404 404 404 404
      PUT    /api/v1/worker-keys/absent/approval              401 403 403 403 403 403 404 403
      PUT    /api/v1/worker-keys/absent/revocation            401 403 403 403 403 403 404 403
      PUT    /api/v1/datasets/{ns}/data                       401 403 404 422 422 403 422 422
      GET    /api/v1/datasets                                 401 400 400 400 400 400 400 400
      GET    /api/v1/datasets/{ns}/data                       401 404 404 200 200 200 200 200
      GET    /api/v1/datasets/{ns}/data/revisions/absent      401 404 404 404 404 404 404 404
      PUT    /api/v1/datasets/{ns}/data/files/absent          401 403 404 422 422 403 422 422
      GET    /api/v1/datasets/{ns}/data/files/absent          401 404 404 422 422 422 422 422
      POST   /api/v1/jobs                                     401 403 403 201 201 403 201 201
      GET    /api/v1/jobs                                     401 200 200 200 200 200 200 200
      GET    /api/v1/jobs/{job}                               401 404 404 200 200 200 200 200
      PATCH  /api/v1/jobs/{job}                               401 403 404 409 409 403 409 409
      POST   /api/v1/jobs/{job}/cancel                        401 403 404 200 200 403 200 200
      POST   /api/v1/jobs/{job}/retry                         401 403 404 422 422 403 422 422
      GET    /api/v1/jobs/{job}/result                        401 404 404 404 404 404 404 404
      GET    /api/v1/jobs/{job}/result/signature              401 404 404 404 404 404 404 404
      GET    /api/v1/jobs/{job}/events                        401 404 404 200 200 200 200 200
      POST   /api/v1/jobs/lease                               401 403 403 403 403 422 422 422
      POST   /api/v1/jobs/{job}/heartbeat                     401 403 403 403 403 409 409 409
      PUT    /api/v1/jobs/{job}/checkpoint?fence=0            401 403 403 403 403 409 409 409
      GET    /api/v1/jobs/{job}/checkpoint?fence=0            401 403 403 403 403 409 409 409
      PUT    /api/v1/jobs/{job}/result?fence=0                401 403 403 403 403 409 409 409
      POST   /api/v1/jobs/{job}/failure                       401 403 403 403 403 409 409 409
      GET    /api/v1/audit                                    401 403 403 403 403 403 200 403
      GET    /api/v1/workers                                  401 200 200 200 200 200 200 200
      DELETE /api/v1/workers?worker=w&instance=none           401 403 403 403 403 204 204 204
      GET    /api/v1/admin/accounts                           401 403 403 403 403 403 200 403
      GET    /api/v1/admin/tokens                             401 403 403 403 403 403 200 403
      POST   /api/v1/admin/collect-garbage                    401 403 403 403 403 403 200 403
      POST   /api/v1/admin/scrub                              401 403 403 403 403 403 200 403
      GET    /actuator/health                                 200 200 200 200 200 200 200 200
      GET    /actuator/health/readiness                       200 200 200 200 200 200 200 200
      GET    /actuator/prometheus                             401 200 200 200 200 200 200 200
      GET    /hf/api/models                                   200 200 200 200 200 200 200 200
      GET    /hf/api/models/{ns}/open                         200 200 200 200 200 200 200 200
      GET    /hf/api/models/{ns}/secret                       404 404 404 200 200 200 200 200
      GET    /hf/api/models/{ns}/open/revision/1.0.0          200 200 200 200 200 200 200 200
      GET    /hf/api/models/{ns}/secret/revision/1.0.0        404 404 404 200 200 200 200 200
      GET    /hf/api/models/{ns}/open/tree/main               200 200 200 200 200 200 200 200
      GET    /hf/api/models/{ns}/secret/tree/main             404 404 404 200 200 200 200 200
      GET    /hf/api/models/{ns}/open/tree/main/folder        404 404 404 404 404 404 404 404
      POST   /hf/api/models/{ns}/open/paths-info/main         200 200 200 200 200 200 200 200
      POST   /hf/api/models/{ns}/secret/paths-info/main       404 404 404 200 200 200 200 200
      GET    /hf/api/models/{ns}/open/refs                    200 200 200 200 200 200 200 200
      GET    /hf/api/models/{ns}/secret/refs                  404 404 404 200 200 200 200 200
      GET    /hf/api/whoami-v2                                401 200 200 200 200 200 200 200
      GET    /hf/{ns}/open/resolve/main/adapter.nola          200 200 200 200 200 200 200 200
      GET    /hf/{ns}/secret/resolve/main/adapter.nola        404 404 404 200 200 200 200 200
      GET    /hf/{ns}/open/resolve/main/adapter_model.safetensors 200 200 200 200 200 200 200 200
      GET    /hf/{ns}/secret/resolve/main/adapter_model.safetensors 404 404 404 200 200 200 200 200
      GET    /hf/gpt2                                         404 404 404 404 404 404 404 404
      POST   /hf/api/repos/create                             401 403 403 409 409 403 409 409
      POST   /hf/api/validate-yaml                            401 403 200 200 200 403 200 200
      POST   /hf/api/models/{ns}/open/preupload/main          401 403 403 200 200 403 200 200
      POST   /hf/api/models/{ns}/secret/preupload/main        401 403 404 200 200 403 200 200
      POST   /hf/api/models/{ns}/open/commit/main             401 403 403 200 200 403 200 200
      POST   /hf/api/models/{ns}/secret/commit/main           401 403 404 200 200 403 200 200
      POST   /hf/api/models/{ns}/open/tag/main                401 403 403 200 200 403 200 200
      POST   /hf/api/models/{ns}/secret/tag/main              401 403 404 200 200 403 200 200
      POST   /hf/absent                                       404 404 404 404 404 404 404 404
      GET    /actuator/env                                    404 404 404 404 404 404 404 404
      GET    /actuator                                        404 404 404 404 404 404 404 404
      GET    /v3/api-docs                                     200 200 200 200 200 200 200 200
      GET    /swagger-ui/index.html                           200 200 200 200 200 200 200 200
      GET    /v2/                                             404 404 404 404 404 404 404 404
      POST   /absent                                          404 404 404 404 404 404 404 404
      """;

  /**
   * Pages, for those who signed in with the tokens of {@link Who}. 302 leads to the sign-in, from
   * it, or from a form that was accepted.
   */
  private static final String PAGES =
      """
      GET    /                                                200 200 200 200 200 200 200 200
      GET    /sign-in                                         200 302 302 302 302 302 302 302
      POST   /sign-in                                         401 401 401 401 401 401 401 401
      POST   /sign-out                                        302 302 302 302 302 302 302 302
      GET    /{ns}/open                                       200 200 200 200 200 200 200 200
      GET    /{ns}/secret                                     404 404 404 200 200 200 200 200
      GET    /{ns}/open/1.0.0                                 200 200 200 200 200 200 200 200
      GET    /{ns}/secret/1.0.0                               404 404 404 200 200 200 200 200
      GET    /{ns}/open/1.0.0/layers                          200 200 200 200 200 200 200 200
      GET    /{ns}/secret/1.0.0/layers                        404 404 404 200 200 200 200 200
      GET    /{ns}/open/aliases/st                            200 200 200 200 200 200 200 200
      GET    /{ns}/secret/aliases/st                          404 404 404 200 200 200 200 200
      GET    /{ns}/open/compare?from=1.0.0&to=1.0.0           200 200 200 200 200 200 200 200
      GET    /{ns}/secret/compare?from=1.0.0&to=1.0.0         404 404 404 200 200 200 200 200
      GET    /base/meta-llama/Llama-2-7b-hf                   200 200 200 200 200 200 200 200
      GET    /ns/{ns}                                         200 200 200 200 200 200 200 200
      GET    /feed/{ns}.rss                                   200 200 200 200 200 200 200 200
      GET    /jobs                                            302 200 200 200 200 200 200 200
      GET    /jobs/{job}                                      302 404 404 200 200 200 200 200
      GET    /jobs/{job}/events                               302 404 404 200 200 200 200 200
      GET    /jobs/{job}/result                               302 404 404 404 404 404 404 404
      POST   /jobs/{job}/retry                                302 403 404 302 409 403 409 409
      POST   /jobs/{job}/cancel                               302 403 404 302 302 403 302 302
      GET    /workers                                         302 200 200 200 200 200 200 200
      GET    /admin                                           302 403 403 403 403 403 200 403
      GET    /admin/keys                                      302 403 403 403 403 403 200 403
      POST   /admin/keys/absent/approve                       302 403 403 403 403 403 404 403
      POST   /admin/keys/absent/revoke                        302 403 403 403 403 403 404 403
      GET    /admin/audit                                     302 403 403 403 403 403 200 403
      GET    /admin/accounts                                  302 403 403 403 403 403 200 403
      GET    /admin/tokens                                    302 403 403 403 403 403 200 403
      POST   /admin/tokens/{none}/revoke                      302 403 403 403 403 403 404 403
      GET    /admin/verifications                             302 403 403 403 403 403 200 403
      POST   /admin/verifications?backends=NONE                302 403 403 403 403 403 422 403
      GET    /admin/verifications/{none}                      302 403 403 403 403 403 404 403
      GET    /admin/storage                                   302 403 403 403 403 403 200 403
      POST   /admin/storage/collect                           302 403 403 403 403 403 200 403
      POST   /admin/storage/scrub                             302 403 403 403 403 403 200 403
      GET    /assets/favicon.svg                              200 200 200 200 200 200 200 200
      GET    /admin/absent                                    302 403 403 403 403 403 404 403
      GET    /absent                                          404 404 404 404 404 404 404 404
      """;

  /** Bodies of requests that need one; the last that matches is sent. */
  private static final List<Map.Entry<String, String>> BODIES =
      List.of(
          Map.entry("PUT members", "{\"role\": \"member\"}"),
          Map.entry("POST webhooks", "{\"url\": \"none\"}"),
          Map.entry("PATCH webhooks", "{}"),
          Map.entry("POST tokens", "{\"scopes\": []}"),
          Map.entry("POST attestations", "{\"items\": []}"),
          Map.entry("POST versions", "{\"attestations\": []}"),
          Map.entry("POST verifications", "{\"backends\": []}"),
          Map.entry("POST worker-keys", "{\"publicKey\": \"none\"}"),
          Map.entry("PUT approval", "{}"),
          Map.entry("PUT revocation", "{\"reason\": \"none\"}"),
          Map.entry("PATCH open", "{}"),
          Map.entry("PATCH secret", "{}"),
          Map.entry("PUT yank", "{\"reason\": \"none\"}"),
          Map.entry("PUT aliases", "{\"version\": \"1.0.0\"}"),
          Map.entry("PUT data", "{\"files\": []}"),
          Map.entry(
              "POST jobs",
              """
              {"type": "verify",
               "verify": {"adapter": "{ns}/open", "version": "1.0.0", "backend": "scalar"}}"""),
          Map.entry("POST paths-info", "{\"paths\": [\"README.md\"]}"),
          Map.entry("POST create", "{\"name\": \"open\", \"organization\": \"{ns}\"}"),
          Map.entry("POST validate-yaml", "{\"content\": \"\"}"),
          Map.entry("POST preupload", "{\"files\": []}"),
          Map.entry("POST commit", commit()),
          Map.entry("POST tag", "{\"tag\": \"1.0.0\"}"),
          Map.entry("PATCH {job}", "{\"priority\": 1}"),
          Map.entry("POST retry", "{\"version\": \"2.0.0\"}"),
          Map.entry(
              "POST lease",
              """
              {"worker": "", "key": "", "types": [], "backends": [], "cuda": false,
               "memoryBytes": 0, "models": [], "max": 1, "waitSeconds": 0}"""),
          Map.entry("POST heartbeat", "{\"fence\": 0, \"log\": [], \"metrics\": []}"),
          Map.entry("POST failure", "{\"fence\": 0, \"reason\": \"none\", \"retryable\": false}"));

  /** Fields of the forms of all pages. */
  private static final Map<String, String> FORM = Map.of("token", "none", "reason", "none");

  private static final Map<Who, TestClient> CLIENTS = new LinkedHashMap<>();
  private static final Map<TestClient, String> SIBLINGS = new HashMap<>();
  private static String namespace = "";
  private static String job = "";
  private static String hook = "";

  @BeforeAll
  static void createEveryone() throws Exception {
    TestClient admin = REGISTRY.admin();
    CLIENTS.put(Who.ANONYMOUS, REGISTRY.anonymous());
    CLIENTS.put(Who.READER, admin.account("matrix-reader", "read"));
    CLIENTS.put(Who.STRANGER, admin.account("matrix-stranger", "publish"));
    CLIENTS.put(Who.MEMBER, admin.account("member", "publish"));
    CLIENTS.put(Who.OWNER, admin.account("matrix-owner", "publish", "mint"));
    CLIENTS.put(Who.WORKER, admin.account("matrix-worker", "worker"));
    CLIENTS.put(Who.ADMIN, admin);
    TestClient owner = client(Who.OWNER);
    namespace = owner.namespace();
    CLIENTS.put(
        Who.NARROW_ADMIN,
        admin.token(
            Map.of(
                "account",
                "matrix-narrow",
                "scopes",
                List.of("admin"),
                "namespaces",
                List.of(namespace))));
    for (TestClient client : CLIENTS.values()) {
      if (client.token() != null) {
        String account = client.get("/api/v1/tokens/current").text("/account");
        TestClient sibling = admin.account(account, "read");
        SIBLINGS.put(client, sibling.get("/api/v1/tokens/current").text("/id"));
      }
    }
    owner.put("/api/v1/namespaces/" + namespace + "/members/member", Map.of("role", "member"));
    owner.publish(namespace + "/open@1.0.0", Samples.file(1));
    owner.publishPrivate(namespace + "/secret@1.0.0", Samples.file(1));
    for (String name : List.of("open", "secret")) {
      owner.put(
          "/api/v1/adapters/" + namespace + "/" + name + "/aliases/st", Map.of("version", "1.0.0"));
    }
    TestObjects.putDataset(owner, namespace + "/data", Map.of("a.txt", "a"));
    job =
        owner
            .post(
                "/api/v1/jobs",
                Map.of(
                    "type",
                    "verify",
                    "verify",
                    Map.of(
                        "adapter", namespace + "/open", "version", "1.0.0", "backend", "scalar")))
            .text("/id");
    owner.post("/api/v1/jobs/" + job + "/cancel", "");
    String hooks = "/api/v1/namespaces/" + namespace + "/webhooks";
    hook = owner.post(hooks, Map.of("url", "https://a.example/")).text("/webhook/id");
    owner.patch(hooks + "/" + hook, Map.of("active", false));
  }

  /** A commit of the file that both adapters have, and so of no change. */
  private static String commit() {
    return """
        {"key": "file", "value": {"content": "%s", "path": "adapter.nola", "encoding": "base64"}}"""
        .formatted(Base64.getEncoder().encodeToString(Samples.file(1)));
  }

  private static TestClient client(Who who) {
    return Objects.requireNonNull(CLIENTS.get(who));
  }

  @Test
  void everyoneGetsTheAnswerOfTheTable() throws Exception {
    List<String> wrong = new ArrayList<>();
    for (String row : TABLE.lines().toList()) {
      String[] cells = row.strip().split(" +");
      assertThat(cells).as(row).hasSize(2 + Who.values().length);
      for (Who who : Who.values()) {
        int status = send(client(who), cells[0], cells[1]);
        String expected = cells[2 + who.ordinal()];
        if (!expected.equals(Integer.toString(status))) {
          wrong.add(
              "%s %s: %s gets %d, not %s".formatted(cells[0], cells[1], who, status, expected));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void headHasTheStatusOfGet() throws Exception {
    List<String> wrong = new ArrayList<>();
    for (String row : TABLE.lines().toList()) {
      String[] cells = row.strip().split(" +");
      for (Who who : cells[0].equals("GET") ? Who.values() : new Who[0]) {
        int status = send(client(who), "HEAD", cells[1]);
        String expected = cells[2 + who.ordinal()];
        if (!expected.equals(Integer.toString(status))) {
          wrong.add("HEAD %s: %s gets %d, not %s".formatted(cells[1], who, status, expected));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyoneGetsThePagesOfTheTable() throws Exception {
    List<String> wrong = new ArrayList<>();
    for (String row : PAGES.lines().toList()) {
      String[] cells = row.strip().split(" +");
      for (Who who : Who.values()) {
        PageClient client = PageClient.of(REGISTRY, client(who).token());
        String path = place(cells[1]);
        int status =
            (cells[0].equals("GET") ? client.get(path) : client.post(path, FORM)).statusCode();
        String expected = cells[2 + who.ordinal()];
        if (!expected.equals(Integer.toString(status))) {
          wrong.add("%s %s: %s gets %d, not %s".formatted(cells[0], path, who, status, expected));
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyEndpointIsInTheTables() {
    Set<String> missing = new TreeSet<>();
    List<String> rows = (TABLE + PAGES).lines().map(String::strip).toList();
    REGISTRY
        .beans(RequestMappingHandlerMapping.class)
        .forEach(
            mapping ->
                mapping
                    .getHandlerMethods()
                    .forEach(
                        (info, method) -> {
                          if (!method.getBeanType().getName().startsWith("dev.nola")) {
                            return; // endpoints of libraries are denied, unless listed above
                          }
                          for (String pattern : info.getPatternValues()) {
                            if (pattern.equals("/error")) {
                              continue; // the server forwards failed requests there
                            }
                            String path =
                                pattern
                                    .replaceAll("\\{\\*[^/]+}", "[^ ]+")
                                    .replaceAll("\\{[^/]+}", "[^/ ]+");
                            info.getMethodsCondition()
                                .getMethods()
                                .forEach(
                                    verb -> {
                                      String regex = verb + " +" + path + "(\\?[^ ]+)? .*";
                                      if (rows.stream().noneMatch(row -> row.matches(regex))) {
                                        missing.add(verb + " " + pattern);
                                      }
                                    });
                          }
                        }));
    assertThat(missing).isEmpty();
  }

  private static String place(String path) {
    return path.replace("{ns}", namespace)
        .replace("{job}", job)
        .replace("{hook}", hook)
        .replace("{none}", new UUID(0, 0).toString());
  }

  private static int send(TestClient client, String method, String path) throws Exception {
    String[] parts = path.split("/");
    String body = null;
    for (Map.Entry<String, String> entry : BODIES) {
      String[] key = entry.getKey().split(" ");
      if (method.equals(key[0]) && List.of(parts).contains(key[1])) {
        body = entry.getValue().replace("{ns}", namespace);
      }
    }
    String url =
        place(path).replace("{sibling}", SIBLINGS.getOrDefault(client, new UUID(0, 0).toString()));
    if (method.equals("POST") && path.endsWith("/versions/1.0.0")) {
      return client
          .send(
              method,
              url,
              BodyPublishers.ofByteArray(Samples.file(1)),
              "Content-Type",
              AdapterFile.MEDIA_TYPE)
          .status();
    }
    return body == null
        ? client.send(method, url, BodyPublishers.noBody()).status()
        : client
            .send(method, url, BodyPublishers.ofString(body), "Content-Type", "application/json")
            .status();
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.nola.registry.TestClient.Answer;
import dev.nola.registry.WebhookReceiver.Received;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** Webhooks as their owners and receivers see them. */
class WebhookTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();

  private static long seed = 9_000;

  private TestClient owner = REGISTRY.anonymous();
  private String account = "";
  private String namespace = "";
  private String hooks = "";
  private WebhookReceiver receiver;

  @BeforeEach
  void start() throws Exception {
    REGISTRY.database().execute("update job set state = 'CANCELLED', expires_at = null");
    account = TestClient.freshName();
    owner = REGISTRY.admin().account(account, "publish");
    namespace = owner.namespace();
    hooks = "/api/v1/namespaces/" + namespace + "/webhooks";
    receiver = WebhookReceiver.start();
  }

  @AfterEach
  void stop() {
    receiver.close();
  }

  /** A webhook of the receiver. */
  private record Hook(String path, String secret) {}

  private Hook create(String... events) throws Exception {
    return create(
        events.length == 0
            ? Map.of("url", receiver.url())
            : Map.of("url", receiver.url(), "events", List.of(events)));
  }

  private Hook create(Map<String, Object> request) throws Exception {
    Answer answer = owner.post(hooks, request);
    assertThat(answer.status()).as(answer.text("/detail")).isEqualTo(201);
    return new Hook(hooks + "/" + answer.text("/webhook/id"), answer.text("/secret"));
  }

  private byte[] publish(String version) throws Exception {
    byte[] file = Samples.file(++seed);
    assertThat(owner.publish(namespace + "/mood@" + version, file).status()).isEqualTo(201);
    return file;
  }

  private JsonNode deliveries(Hook hook) throws Exception {
    return owner.get(hook.path() + "/deliveries").json().at("/items");
  }

  /** The latest delivery, once it has ended. */
  private JsonNode ended(Hook hook) throws Exception {
    return await(
        () -> deliveries(hook).path(0), delivery -> !text(delivery, "state").equals("pending"));
  }

  private static String text(JsonNode node, String field) {
    return node.path(field).asString("");
  }

  private interface Source<T> {
    T get() throws Exception;
  }

  /**
   * Asks until the answer is as expected: the registry records an attempt after it was received.
   */
  private static <T> T await(Source<T> source, Predicate<T> expected) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    T value = source.get();
    while (!expected.test(value) && System.nanoTime() < end) {
      value = source.get();
    }
    assertThat(expected.test(value)).as(String.valueOf(value)).isTrue();
    return value;
  }

  @Test
  void eachEvent_isSentWithASignature() throws Exception {
    Hook hook = create();
    String adapter = namespace + "/mood";

    byte[] file = publish("1.0.0");
    Received published = receiver.take();
    TestWorker worker = TestWorker.approved(REGISTRY.admin());
    worker.attest(worker.leaseOne("scalar"), file);
    Received verified = receiver.take();
    TestWorker broken = TestWorker.approved(REGISTRY.admin());
    TestWorker.Task task = broken.leaseOne("vector");
    broken.report(task, broken.sign(task, broken.mismatch(task, file, Samples.file(++seed))));
    Received disputed = receiver.take();
    String alias = "/api/v1/adapters/" + adapter + "/aliases/prod";
    owner.put(alias, Map.of("version", "1.0.0"));
    Received created = receiver.take();
    owner.put(alias, Map.of("version", "1.0.0")); // no move
    owner.delete(alias);
    Received removed = receiver.take();

    JsonNode version = owner.get("/api/v1/adapters/" + adapter + "/versions/1.0.0").json();
    assertThat(published.json().at("/data").toString())
        .isEqualTo(
            "{\"adapter\":\"%s\",\"version\":\"1.0.0\",\"digest\":\"%s\"}"
                .formatted(adapter, text(version, "digest")));
    assertThat(verified.json().at("/data")).isEqualTo(published.json().at("/data"));
    assertThat(disputed.json().at("/data")).isEqualTo(published.json().at("/data"));
    assertThat(created.json().at("/data").toString())
        .isEqualTo(
            "{\"adapter\":\"%s\",\"alias\":\"prod\",\"from\":null,\"to\":\"1.0.0\"}"
                .formatted(adapter));
    assertThat(removed.json().at("/data").toString())
        .isEqualTo(
            "{\"adapter\":\"%s\",\"alias\":\"prod\",\"from\":\"1.0.0\",\"to\":null}"
                .formatted(adapter));
    List<Received> all = List.of(published, verified, disputed, created, removed);
    assertThat(all.stream().map(one -> text(one.json(), "type")))
        .containsExactly(
            "version.published",
            "version.verified",
            "version.disputed",
            "alias.moved",
            "alias.moved");
    for (Received request : all) {
      assertThat(request.isSignedWith(hook.secret())).isTrue();
      assertThat(request.path()).isEqualTo("/hook?a=b");
      assertThat(request.header("Content-Type")).startsWith("application/json");
      assertThat(Instant.parse(text(request.json(), "timestamp")))
          .isBetween(Instant.now().minusSeconds(60), Instant.now());
    }
    assertThat(all.stream().map(one -> one.header("webhook-id")).distinct()).hasSize(5);
  }

  @Test
  void failedDelivery_isSentAgainWithItsId() throws Exception {
    Hook hook = create("version.published");
    receiver.answer(500);

    publish("1.0.0");
    Received first = receiver.take();
    Received second = receiver.take();

    assertThat(second.header("webhook-id")).isEqualTo(first.header("webhook-id"));
    assertThat(second.body()).isEqualTo(first.body());
    assertThat(second.isSignedWith(hook.secret())).isTrue();
    JsonNode delivery = ended(hook);
    assertThat(text(delivery, "state")).isEqualTo("delivered");
    assertThat(text(delivery, "event")).isEqualTo("version.published");
    assertThat(text(delivery, "id")).isEqualTo(first.header("webhook-id"));
    assertThat(delivery.path("attempts").asInt()).isEqualTo(2);
    assertThat(delivery.path("responseStatus").asInt()).isEqualTo(204);
    assertThat(delivery.path("error").isNull()).isTrue();
    assertThat(text(owner.get(hook.path()).json(), "lastDeliveredAt")).isNotEmpty();
    assertThat(owner.get(hook.path() + "/deliveries/" + text(delivery, "id")).json())
        .isEqualTo(delivery);
  }

  @Test
  void webhookThatNeverAnswersWell_becomesInactiveUntilItIsActivated() throws Exception {
    Hook hook = create("alias.moved");
    receiver.answer(500, 302, 503);
    publish("1.0.0");
    String alias = "/api/v1/adapters/" + namespace + "/mood/aliases/prod";

    owner.put(alias, Map.of("version", "1.0.0"));

    JsonNode delivery = ended(hook);
    assertThat(text(delivery, "state")).isEqualTo("failed");
    assertThat(delivery.path("attempts").asInt()).isEqualTo(3);
    assertThat(text(delivery, "error")).isEqualTo("receiver answered with status 503");
    for (int i = 0; i < 3; i++) {
      assertThat(receiver.take().path()).as("no redirect").isEqualTo("/hook?a=b");
    }
    JsonNode inactive = owner.get(hook.path()).json();
    assertThat(inactive.path("active").asBoolean()).isFalse();
    assertThat(text(inactive, "inactiveReason"))
        .startsWith("nothing was delivered in the 3 attempts");
    assertThat(owner.post(hook.path() + "/ping", "").refusal()).isEqualTo("409 webhook-inactive");
    owner.delete(alias); // not sent
    Answer activated = owner.patch(hook.path(), Map.of("active", true));
    assertThat(activated.json().path("inactiveReason").isNull()).isTrue();
    owner.put(alias, Map.of("version", "1.0.0"));
    assertThat(receiver.take().json().at("/data/to").asString()).isEqualTo("1.0.0");
    assertThat(deliveries(hook)).hasSize(2);
  }

  @Test
  void receiverThatIsGone_isNotAskedAgain() throws Exception {
    Hook hook = create();
    receiver.answer(410);

    assertThat(owner.post(hook.path() + "/ping", "").status()).isEqualTo(202);

    assertThat(text(receiver.take().json(), "type")).isEqualTo("ping");
    assertThat(ended(hook).path("attempts").asInt()).isEqualTo(1);
    assertThat(text(owner.get(hook.path()).json(), "inactiveReason")).contains("410 (gone)");
    JsonNode entry = REGISTRY.admin().get("/api/v1/audit?limit=1").json().at("/items/0");
    assertThat(text(entry, "action")).isEqualTo("webhook.deactivate");
    assertThat(text(entry, "subject")).startsWith(namespace + " ");
  }

  @Test
  void answerOfAFormerUrl_doesNotDeactivate() throws Exception {
    try (ServerSocket former = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Hook hook = create(Map.of("url", "http://127.0.0.1:" + former.getLocalPort() + "/"));
      owner.post(hook.path() + "/ping", "");
      try (Socket asked = former.accept()) {
        owner.patch(hook.path(), Map.of("url", receiver.url()));
        asked
            .getOutputStream()
            .write("HTTP/1.1 410 Gone\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      }

      assertThat(ended(hook).path("responseStatus").asInt()).isEqualTo(410);
      assertThat(owner.get(hook.path()).json().at("/active").asBoolean()).isTrue();
    }
  }

  @Test
  void publicationThatIsRolledBack_isNotSent() throws Exception {
    Hook hook = create();
    REGISTRY
        .database()
        .execute(
            """
            create function refuse() returns trigger language plpgsql as
              $$ begin raise exception 'refused by a test'; end $$;
            create constraint trigger refuse after insert on version
              deferrable initially deferred for each row execute function refuse()""");
    try {
      Answer refused = owner.publish(namespace + "/mood@1.0.0", Samples.file(++seed));
      assertThat(refused.status()).isEqualTo(500);
    } finally {
      REGISTRY.database().execute("drop trigger refuse on version; drop function refuse()");
    }

    assertThat(deliveries(hook)).isEmpty();
    assertThat(REGISTRY.database().count("select count(*) from webhook_tasks")).isZero();
    publish("2.0.0");
    assertThat(receiver.take().json().at("/data/version").asString()).isEqualTo("2.0.0");
  }

  @Test
  void secret_isShownOnce() throws Exception {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    log.start();
    root.addAppender(log);
    Hook hook;
    List<String> seen = new ArrayList<>();
    try {
      hook = create();
      receiver.answer(410); // logged
      Answer ping = owner.post(hook.path() + "/ping", "");
      ended(hook);
      for (Answer answer :
          List.of(
              owner.get(hooks),
              owner.get(hook.path()),
              owner.patch(hook.path(), Map.of("active", true)),
              ping,
              owner.get(hook.path() + "/deliveries"),
              REGISTRY.admin().get("/api/v1/audit?limit=10"))) {
        assertThat(answer.status()).isBetween(200, 202);
        seen.add(new String(answer.bytes(), StandardCharsets.UTF_8));
      }
    } finally {
      root.detachAppender(log);
    }
    log.list.forEach(event -> seen.add(event.getFormattedMessage()));
    assertThat(log.list).isNotEmpty();
    String secret = hook.secret().substring("whsec_".length());

    assertThat(hook.secret()).matches("whsec_[A-Za-z0-9+/]{43}=");
    assertThat(seen).noneMatch(text -> text.contains(secret));
    assertThat(
            REGISTRY
                .database()
                .count(
                    "select count(*) from webhook w where w::text like '%' || encode(decode('"
                        + secret
                        + "', 'base64'), 'hex') || '%'"))
        .isZero();
    assertThat(Files.getPosixFilePermissions(REGISTRY.data().resolve("webhook-key")))
        .hasToString("[OWNER_READ, OWNER_WRITE]");
  }

  @Test
  void replacedKey_deactivatesInsteadOfSigningWithAnotherSecret() throws Exception {
    Hook hook = create();
    REGISTRY.database().execute("update webhook set secret_hash = sha256('other')");

    owner.post(hook.path() + "/ping", "");

    assertThat(ended(hook).path("attempts").asInt()).isZero();
    assertThat(text(owner.get(hook.path()).json(), "inactiveReason"))
        .contains("webhook-key was replaced");
    assertThat(receiver.poll()).isNull();
  }

  @Test
  void eventsOfOtherNamespaces_areNotSent() throws Exception {
    Hook hook = create();
    TestClient stranger = REGISTRY.admin().account(TestClient.freshName(), "publish");
    String other = stranger.namespace();
    stranger.publishPrivate(other + "/mood@1.0.0", Samples.file(++seed));

    owner.publishPrivate(namespace + "/secret@1.0.0", Samples.file(++seed));

    assertThat(receiver.take().json().at("/data/adapter").asString())
        .isEqualTo(namespace + "/secret");
    assertThat(deliveries(hook)).hasSize(1);
  }

  @Test
  void formerOwnersWebhooks_becomeInactive() throws Exception {
    String ann = TestClient.freshName();
    TestClient annsClient = REGISTRY.admin().account(ann, "publish");
    String members = "/api/v1/namespaces/" + namespace + "/members/" + ann;
    owner.put(members, Map.of("role", "owner"));
    Hook own = create();
    Answer answer = annsClient.post(hooks, Map.of("url", receiver.url()));
    String anns = hooks + "/" + answer.text("/webhook/id");

    owner.put(members, Map.of("role", "member"));

    assertThat(owner.get(own.path()).json().path("active").asBoolean()).isTrue();
    assertThat(owner.get(anns).json().path("active").asBoolean()).isFalse();
    assertThat(owner.get(anns).text("/inactiveReason")).startsWith(ann + ", who set its URL");
    assertThat(annsClient.patch(anns, Map.of("active", true)).status()).isEqualTo(403);
    Answer adopted = owner.patch(anns, Map.of("active", true));
    assertThat(adopted.text("/changedBy")).isEqualTo(account);
    owner.delete(members);
    assertThat(owner.get(anns).json().path("active").asBoolean()).isTrue();
  }

  @Test
  void changeByAnotherOwner_doesNotKeepTheUrlOfAFormerOne() throws Exception {
    String ann = TestClient.freshName();
    TestClient annsClient = REGISTRY.admin().account(ann, "publish");
    String members = "/api/v1/namespaces/" + namespace + "/members/" + ann;
    owner.put(members, Map.of("role", "owner"));
    Answer created = annsClient.post(hooks, Map.of("url", receiver.url()));
    String hook = hooks + "/" + created.text("/webhook/id");

    Answer same = owner.patch(hook, Map.of());
    Answer changed = owner.patch(hook, Map.of("events", List.of("alias.moved")));
    owner.delete(members);

    assertThat(same.json()).isEqualTo(created.json().at("/webhook"));
    assertThat(changed.text("/changedBy")).isEqualTo(account);
    assertThat(owner.get(hook).json().path("active").asBoolean()).isFalse();
  }

  @Test
  void failedTest_isNotRepeated() throws Exception {
    Hook hook = create();
    receiver.answer(500);

    owner.post(hook.path() + "/ping", "");

    JsonNode delivery = ended(hook);
    assertThat(text(delivery, "state")).isEqualTo("failed");
    assertThat(delivery.path("attempts").asInt()).isEqualTo(1);
    assertThat(owner.get(hook.path()).json().path("active").asBoolean()).isTrue();
    assertThat(owner.post(hook.path() + "/ping", "").status()).isEqualTo(202);
    assertThat(text(ended(hook), "state")).isEqualTo("delivered");
  }

  @Test
  void hangingReceivers_doNotHoldUpOtherNamespaces() throws Exception {
    try (ServerSocket hanging = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      AtomicInteger connections = new AtomicInteger();
      List<Socket> open = Collections.synchronizedList(new ArrayList<>());
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  while (true) {
                    open.add(hanging.accept());
                    connections.incrementAndGet();
                  }
                } catch (IOException _) {
                  // the test is over
                }
              });
      String url = "http://127.0.0.1:" + hanging.getLocalPort() + "/";
      for (int i = 0; i < 10; i++) {
        owner.post(hooks, Map.of("url", url));
      }
      publish("1.0.0");
      owner.put("/api/v1/adapters/" + namespace + "/mood/aliases/a", Map.of("version", "1.0.0"));
      String slow = namespace;
      owner = REGISTRY.admin().account(TestClient.freshName(), "publish");
      namespace = owner.namespace();
      hooks = "/api/v1/namespaces/" + namespace + "/webhooks";

      owner.post(create().path() + "/ping", "");

      receiver.take();
      assertThat(connections).hasValueLessThanOrEqualTo(4);
      REGISTRY
          .database()
          .execute(
              "delete from webhook w using namespace n where n.id = w.namespace_id and n.name = '"
                  + slow
                  + "'");
      for (Socket socket : open) {
        socket.close();
      }
    }
    await(
        () -> REGISTRY.database().count("select count(*) from webhook_tasks"), tasks -> tasks == 0);
  }

  @Test
  void webhookWithManyPendingDeliveries_getsNoMore() throws Exception {
    Hook hook = create("version.published");
    REGISTRY
        .database()
        .execute(
            """
            insert into webhook_delivery
              (id, webhook_id, event, payload, state, created_at, next_attempt_at)
            select gen_random_uuid(), '%s', 'ALIAS_MOVED', '{}', 'PENDING', now(), now()
            from generate_series(1, 1000)"""
                .formatted(hook.path().substring(hook.path().lastIndexOf('/') + 1)));

    publish("1.0.0");

    assertThat(text(deliveries(hook).path(0), "state")).isEqualTo("failed");
    assertThat(text(deliveries(hook).path(0), "error"))
        .isEqualTo("too many pending deliveries: the limit is 1000");
    owner.delete(hook.path());
  }

  @Test
  void deletedNamespace_hasNoWebhooksWhenItIsCreatedAgain() throws Exception {
    create();

    assertThat(owner.delete("/api/v1/namespaces/" + namespace).status()).isEqualTo(204);

    TestClient next = REGISTRY.admin().account(TestClient.freshName(), "publish");
    next.put("/api/v1/namespaces/" + namespace);
    assertThat(next.get(hooks).json()).isEmpty();
  }

  @Test
  void changedWebhook_getsOtherEvents() throws Exception {
    Hook hook = create("version.published");
    publish("1.0.0");
    receiver.take();

    Answer changed = owner.patch(hook.path(), Map.of("events", List.of("alias.moved")));

    assertThat(changed.json().at("/events").toString()).isEqualTo("[\"alias.moved\"]");
    publish("2.0.0");
    owner.put("/api/v1/adapters/" + namespace + "/mood/aliases/prod", Map.of("version", "2.0.0"));
    assertThat(text(receiver.take().json(), "type")).isEqualTo("alias.moved");
    String version = "/api/v1/adapters/" + namespace + "/mood/versions/2.0.0";
    assertThat(REGISTRY.admin().delete(version).status()).isEqualTo(204);
    assertThat(receiver.take().json().at("/data").toString())
        .endsWith("\"from\":\"2.0.0\",\"to\":null}");
    assertThat(owner.delete(hook.path()).status()).isEqualTo(204);
    assertThat(owner.get(hook.path()).status()).isEqualTo(404);
    assertThat(owner.get(hook.path() + "/deliveries").status()).isEqualTo(404);
  }

  @Test
  void oldDeliveries_areForgotten() throws Exception {
    Hook hook = create("version.published");
    publish("1.0.0");
    receiver.take();
    ended(hook);
    REGISTRY
        .database()
        .execute(
            """
            update webhook_delivery set created_at = now() - interval '31 days';
            update scheduled_tasks set execution_time = now()
              where task_name = 'forget-webhook-deliveries'""");

    await(() -> deliveries(hook), JsonNode::isEmpty);
  }

  @Test
  void namespace_hasALimitedNumberOfWebhooks() throws Exception {
    for (int i = 0; i < 10; i++) {
      create();
    }

    assertThat(owner.post(hooks, Map.of("url", receiver.url())).refusal())
        .isEqualTo("409 too-many-webhooks");
    assertThat(owner.get(hooks).json()).hasSize(10);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "example.com",
        "/hook",
        "ftp://example.com/",
        "https://user:password@example.com/",
        "https://example.com/#fragment",
        "https://bücher.example/",
        "https:///hook",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:70000/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:8080/",
        "http://[::ffff:10.1.2.3]/",
        "http://0.0.0.0/"
      })
  void badUrl_isRefused(String url) throws Exception {
    Answer answer = owner.post(hooks, Map.of("url", url));

    assertThat(answer.refusal()).as(url).isEqualTo("422 invalid");
    assertThat(answer.text("/violations/0/field")).isEqualTo("url");
  }

  @Test
  void badEvents_areRefused() throws Exception {
    for (List<String> events : List.of(List.<String>of(), List.of("ping"))) {
      assertThat(owner.post(hooks, Map.of("url", receiver.url(), "events", events)).refusal())
          .isEqualTo("422 invalid");
    }
    assertThat(owner.post(hooks, Map.of("url", receiver.url(), "events", List.of("none"))).status())
        .isEqualTo(400);
    assertThat(owner.post(hooks, Map.of("url", "https://a.example/" + "a".repeat(2000))).refusal())
        .isEqualTo("422 invalid");
  }
}

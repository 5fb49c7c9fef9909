package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server, an account and the calls that tests of jobs share. */
abstract class JobTest {
  static final String JOBS = "/api/v1/jobs";

  /** A server of these tests alone: jobs that other tests queue must not be leased here. */
  static final TestRegistry registry = start();

  static final TestClient admin = registry.admin();
  static final TestClient worker = account("worker", "worker");

  TestClient ann = admin;
  String namespace = "";

  private static TestRegistry start() {
    try {
      TestRegistry started =
          TestRegistry.start(
              "nola.jobs.backoff=1ms",
              "nola.jobs.max-backoff=1ms",
              "nola.catalog.namespace-quota=1MB",
              "nola.verification.backends=");
      TestDatabase.beforeStop(started::close);
      return started;
    } catch (IOException | SQLException e) {
      throw new AssertionError(e);
    }
  }

  private static TestClient account(String name, String scope) {
    try {
      return admin.account(name, scope);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Workers of an earlier test would be candidates for the jobs of this one. */
  @BeforeEach
  void forgetJobsAndWorkers() throws Exception {
    registry
        .database()
        .execute(
            "update job set state = 'CANCELLED', expires_at = null where state in ('QUEUED', 'RUNNING')");
    registry.database().execute("delete from worker");
  }

  @BeforeEach
  void createNamespace() throws Exception {
    ann = admin.account("ann", "publish");
    namespace = ann.namespace();
    TestObjects.putDataset(
        ann, namespace + "/glosses", Map.of("train.tsv", "a\tb", "sub/valid.tsv", "c\td"));
  }

  record Event(long id, String kind, JsonNode data) {}

  List<Event> follow(String id, @Nullable Long last) throws Exception {
    return follow(id, last, _ -> {});
  }

  /**
   * @param listener hears each event when it arrives
   */
  List<Event> follow(String id, @Nullable Long last, Consumer<Event> listener) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(ann.server() + JOBS + "/" + id + "/events"))
            .timeout(Duration.ofSeconds(60))
            .header("Accept", "text/event-stream")
            .header("Authorization", "Bearer " + ann.token());
    if (last != null) {
      request.header("Last-Event-ID", last.toString());
    }
    List<Event> events = new ArrayList<>();
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<java.io.InputStream> response =
          client.send(request.build(), BodyHandlers.ofInputStream());
      assertThat(response.headers().firstValue("Content-Type").orElse(""))
          .startsWith("text/event-stream");
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
        Map<String, String> fields = new HashMap<>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          int colon = line.indexOf(':');
          if (colon > 0) {
            fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
          } else if (line.isEmpty() && fields.containsKey("data")) {
            events.add(
                new Event(
                    Long.parseLong(fields.getOrDefault("id", "")),
                    fields.getOrDefault("event", ""),
                    JsonMapper.shared().readTree(fields.get("data"))));
            fields.clear();
            listener.accept(events.getLast());
          }
        }
      }
    }
    return events;
  }

  Map<String, Object> training(String version, Map<String, Object> changes) {
    return Map.of("type", "train", "train", train(version, changes));
  }

  Map<String, Object> train(String version, Map<String, Object> changes) {
    Map<String, Object> train = new HashMap<>();
    train.put("adapter", namespace + "/mood");
    train.put("version", version);
    train.put("dataset", namespace + "/glosses");
    train.put("job", Map.of("data", Map.of("train", "train.tsv", "validation", "sub/valid.tsv")));
    train.putAll(changes);
    return train;
  }

  Map<String, Object> verification(String adapter, String version, String backend) {
    return Map.of(
        "type",
        "verify",
        "verify",
        Map.of("adapter", namespace + "/" + adapter, "version", version, "backend", backend));
  }

  Answer submitJob(Map<String, Object> job) throws Exception {
    return ann.post(JOBS, training("1.0.0", Map.of("job", job)));
  }

  String submit(String version) throws Exception {
    return post(training(version, Map.of()));
  }

  String post(Map<String, Object> request) throws Exception {
    Answer answer = ann.post(JOBS, request);
    assertThat(answer.status()).as(answer.text("/detail")).isEqualTo(201);
    return answer.text("/id");
  }

  /** A worker for trainings. */
  static Map<String, Object> trainer(String name) {
    Map<String, Object> request = new HashMap<>();
    request.put("worker", name);
    request.put("key", "");
    request.put("types", List.of("train"));
    request.put("backends", List.of());
    request.put("cuda", false);
    request.put("memoryBytes", 4L << 30);
    request.put("models", List.of());
    request.put("max", 1);
    request.put("waitSeconds", 0);
    return request;
  }

  static JsonNode lease(TestClient client, Map<String, Object> request) throws Exception {
    Answer answer = client.post(JOBS + "/lease", request);
    assertThat(answer.status()).as(answer.text("/detail")).isEqualTo(200);
    return answer.json();
  }

  static JsonNode takeAs(String name) throws Exception {
    JsonNode leases = lease(worker, trainer(name)).at("/leases");
    assertThat(leases).hasSize(1);
    return leases.get(0);
  }

  static List<String> ids(JsonNode leases) {
    List<String> ids = new ArrayList<>();
    leases.forEach(lease -> ids.add(lease.at("/job/id").asString()));
    return ids;
  }

  /** As if its worker had been silent for long; waits until the server has noticed. */
  static void loseLeases(String id) throws Exception {
    registry
        .database()
        .execute("update job set expires_at = now() - interval '1 hour' where id = '" + id + "'");
    Await.until(
        () -> {
          endHold();
          return !admin.get(JOBS + "/" + id).text("/state").equals("running");
        });
  }

  /** As if this server had run for longer than a lease: no lease ends before that. */
  private static void endHold() throws SQLException {
    registry
        .database()
        .execute(
            """
            update scheduled_tasks set task_data = convert_to(
              jsonb_set(convert_from(task_data, 'UTF8')::jsonb, '{holdUntil}',
                to_jsonb(now() - interval '1 second'))::text, 'UTF8')
            where task_name = 'expire-leases' and not picked""");
  }

  /** As if no server had run for this long, and one for long before that; none may run now. */
  static void leaveAlone(TestDatabase database, String time) throws SQLException {
    database.execute("update job set expires_at = now() - interval '1 second'");
    database.execute(
        """
        update scheduled_tasks set task_data = convert_to(
          jsonb_build_object('last', now() - interval '%s', 'holdUntil', now() - interval '%s')::text,
          'UTF8')
        where task_name = 'expire-leases'"""
            .formatted(time, time));
  }

  /** Waits until the leases that had to were ended so often. */
  static void awaitRounds(TestDatabase database, int rounds) throws Exception {
    String last =
        "select coalesce(max(extract(epoch from last_success) * 1000000), 0)::bigint"
            + " from scheduled_tasks where task_name = 'expire-leases'";
    long seen = database.count(last);
    for (int round = 0; round < rounds; round++) {
      long previous = seen;
      Await.until(() -> database.count(last) != previous);
      seen = database.count(last);
    }
  }

  /** Waits until the server has a request that it has not answered. */
  static void awaitRequest(String method) throws Exception {
    Pattern active =
        Pattern.compile(
            "(?m)^http_server_requests_active_seconds_g?count\\{[^}]*method=\""
                + method
                + "\".* [1-9]");
    Await.until(
        () ->
            active
                .matcher(
                    new String(admin.get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8))
                .find());
  }

  static Answer heartbeat(String id, long fence) throws Exception {
    return report(id, fence, List.of(), List.of(), null);
  }

  static Answer report(
      String id,
      long fence,
      List<String> log,
      List<Object> metrics,
      @Nullable Map<String, Object> progress)
      throws Exception {
    Map<String, @Nullable Object> body = new HashMap<>();
    body.put("fence", fence);
    body.put("log", log);
    body.put("metrics", metrics);
    body.put("progress", progress);
    return worker.post(JOBS + "/" + id + "/heartbeat", body);
  }

  static Answer put(String id, String what, long fence, byte[] bytes) throws Exception {
    return put(worker, id, what, fence, bytes);
  }

  static Answer put(TestClient client, String id, String what, long fence, byte[] bytes)
      throws Exception {
    return client.send(
        "PUT",
        JOBS + "/" + id + "/" + what + "?fence=" + fence,
        BodyPublishers.ofByteArray(bytes),
        "Content-Type",
        "application/octet-stream");
  }

  static Answer checkpoint(String id, long fence) throws Exception {
    return worker.get(JOBS + "/" + id + "/checkpoint?fence=" + fence);
  }

  static Answer fail(String id, long fence, String reason, boolean retryable) throws Exception {
    return worker.post(JOBS + "/" + id + "/failure", failure(fence, reason, retryable));
  }

  static Map<String, Object> failure(long fence, String reason, boolean retryable) {
    return Map.of("fence", fence, "reason", reason, "retryable", retryable);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

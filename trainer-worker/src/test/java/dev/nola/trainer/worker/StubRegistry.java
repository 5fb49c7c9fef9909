package dev.nola.trainer.worker;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.Lease;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.Leases;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.json.NolaModule;
import dev.nola.client.jobs.Manifests;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The part of a registry that a worker sees, on a real port. */
final class StubRegistry implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private final HttpServer server;
  private final AtomicLong fences = new AtomicLong(100);
  private final Deque<Lease> waiting = new ConcurrentLinkedDeque<>();
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  final Map<UUID, byte[]> checkpoints = new ConcurrentHashMap<>();
  final Map<UUID, byte[]> results = new ConcurrentHashMap<>();
  final Map<UUID, JobFailure> failures = new ConcurrentHashMap<>();
  final Map<UUID, Lease> leased = new ConcurrentHashMap<>();
  final Map<UUID, AttestationReport.Item> attested = new ConcurrentHashMap<>();
  final List<Heartbeat> heartbeats = new CopyOnWriteArrayList<>();
  final List<LeaseRequest> requests = new CopyOnWriteArrayList<>();
  final List<String> late = new CopyOnWriteArrayList<>();
  final List<UUID> cancelled = new CopyOnWriteArrayList<>();
  final List<UUID> lost = new CopyOnWriteArrayList<>();
  private final Map<String, String> carried = new ConcurrentHashMap<>(); // base64 by digest
  volatile boolean down;

  /** Requests that were refused because the registry is down. */
  final AtomicInteger refused = new AtomicInteger();

  volatile WorkerKey.State keyState = WorkerKey.State.PENDING;
  final List<String> ended = new CopyOnWriteArrayList<>(); // queries

  /** Status that every request is refused with, as for a wrong token; 0 for none. */
  volatile int refusal;

  /** How many requests for jobs are refused because another worker has the name. */
  final AtomicInteger namesInUse = new AtomicInteger();

  StubRegistry() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** Registers a folder's files. */
  ObjectDetails object(String name, Path folder, boolean stored) throws IOException {
    ObjectManifest manifest = Manifests.of(folder, null);
    for (ObjectManifest.Entry entry : manifest.files()) {
      if (stored) {
        files.put(entry.digest().toString(), Files.readAllBytes(folder.resolve(entry.path())));
      }
    }
    return new ObjectDetails(
        "acme", name, manifest.digest(), "", manifest.files(), stored, "someone", Instant.EPOCH);
  }

  UUID train(Map<String, Object> job, ObjectDetails dataset, @Nullable ObjectDetails model) {
    return train(job, dataset, model, 4L << 30, 600);
  }

  UUID train(
      Map<String, Object> job,
      ObjectDetails dataset,
      @Nullable ObjectDetails model,
      long memory,
      int seconds) {
    JobRequest.Train train =
        new JobRequest.Train("acme/mood", "1.0.0", null, null, "acme/data", job, null, null, null);
    JobRequest request = new JobRequest(null, train);
    return queue(request, null, null, model, dataset, memory, seconds);
  }

  UUID verify(byte[] file, String backend, String nonce) {
    JobRequest.Verify verify = new JobRequest.Verify("acme/mood", "1.0.0", backend);
    JobRequest request = new JobRequest(null, verify);
    return queue(request, keep(file), nonce, null, null, 0, 0);
  }

  /**
   * The same, with bytes that come along with the lease.
   *
   * @param stored whether the file can be downloaded too
   */
  UUID verify(byte[] file, String backend, String nonce, byte[] along, boolean stored) {
    String digest = Sha256.hash(file).toString();
    carried.put(digest, Base64.getEncoder().encodeToString(along));
    UUID job = verify(file, backend, nonce);
    if (!stored) {
      files.remove(digest);
    }
    return job;
  }

  UUID export(byte[] file, @Nullable String type) {
    JobRequest.Export export = new JobRequest.Export("acme/mood", "1.0.0", null, type);
    JobRequest request = new JobRequest(null, export);
    return queue(request, keep(file), null, null, null, 0, 0);
  }

  private String keep(byte[] file) {
    String digest = Sha256.hash(file).toString();
    files.put(digest, file);
    return digest;
  }

  private UUID queue(
      JobRequest request,
      @Nullable String digest,
      @Nullable String nonce,
      @Nullable ObjectDetails model,
      @Nullable ObjectDetails dataset,
      long memory,
      int seconds) {
    JobDetails job = details(UUID.randomUUID(), request, JobState.RUNNING);
    waiting.add(lease(job, digest, nonce, model, dataset, memory, seconds));
    return job.id();
  }

  private Lease lease(
      JobDetails job,
      @Nullable String digest,
      @Nullable String nonce,
      @Nullable ObjectDetails model,
      @Nullable ObjectDetails dataset,
      long memory,
      int seconds) {
    return new Lease(
        job,
        fences.incrementAndGet(),
        Instant.now().plusSeconds(30),
        1,
        digest == null ? null : Sha256.parse(digest),
        nonce == null ? null : new Nonce(nonce),
        digest == null ? null : carried.get(digest),
        model,
        dataset,
        checkpoints.containsKey(job.id()),
        memory,
        seconds);
  }

  /** Queues a job again, with the checkpoint that it has. */
  void again(UUID id) {
    Lease before = leased.get(id);
    waiting.add(
        lease(
            before.job(),
            before.digest() == null ? null : before.digest().toString(),
            before.nonce() == null ? null : before.nonce().hex(),
            before.model(),
            before.dataset(),
            before.memoryBytes(),
            before.timeoutSeconds()));
  }

  private static JobDetails details(UUID id, JobRequest request, JobState state) {
    return new JobDetails(
        id,
        request.type(),
        state,
        0,
        "acme",
        request,
        false,
        1,
        3,
        "w",
        null,
        null,
        null,
        null,
        "someone",
        Instant.EPOCH,
        Instant.EPOCH,
        Instant.EPOCH,
        null);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (down) {
        refused.incrementAndGet();
        answer(exchange, 503, Map.of());
        return;
      }
      if (refusal != 0) {
        exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
        answer(exchange, refusal, Map.of("type", "about:blank", "title", "no", "detail", "no"));
        return;
      }
      String[] path = exchange.getRequestURI().getPath().substring(1).split("/");
      switch (path[2]) {
        case "worker-keys" ->
            answer(
                exchange,
                200,
                new WorkerKey(
                    Sha256.parse("sha256:" + "0".repeat(64)),
                    "",
                    "someone",
                    "",
                    keyState,
                    Instant.EPOCH,
                    null,
                    null,
                    null,
                    null,
                    keyState == WorkerKey.State.REVOKED ? "disk stolen" : null));
        case "workers" -> {
          ended.add(exchange.getRequestMethod() + " " + exchange.getRequestURI().getQuery());
          exchange.sendResponseHeaders(204, -1);
        }
        case "attestations" -> {
          AttestationReport report = NolaModule.mapper().readValue(body, AttestationReport.class);
          List<AttestationReport.Verdict> verdicts = new ArrayList<>();
          for (AttestationReport.Item item : report.items()) {
            attested.put(item.job(), item);
            verdicts.add(new AttestationReport.Verdict(item.job(), true, null, null));
          }
          answer(exchange, 200, new AttestationReport.Answer(verdicts));
        }
        case "jobs" -> job(exchange, path, body);
        default -> {
          // …/files/DIGEST and …/versions/DIGEST/file
          byte[] file = files.get(path[path.length - (path[2].equals("adapters") ? 2 : 1)]);
          if (file == null) {
            answer(exchange, 404, Map.of());
          } else {
            exchange.sendResponseHeaders(200, file.length);
            exchange.getResponseBody().write(file);
          }
        }
      }
    }
  }

  private void job(HttpExchange exchange, String[] path, byte[] body) throws IOException {
    if (path[3].equals("lease")) {
      lease(exchange, NolaModule.mapper().readValue(body, LeaseRequest.class));
      return;
    }
    UUID id = UUID.fromString(path[3]);
    Lease lease = leased.get(id);
    String query = exchange.getRequestURI().getQuery();
    long fence =
        query == null
            ? NolaModule.mapper().readTree(body).path("fence").asLong()
            : Long.parseLong(query.substring("fence=".length()));
    if (lost.contains(id) || fence != lease.fence()) {
      late.add(path[4]);
      exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
      answer(exchange, 409, Map.of("type", "urn:nola:problem:lease-lost", "title", "lost"));
      return;
    }
    switch (path[4]) {
      case "heartbeat" -> {
        heartbeats.add(NolaModule.mapper().readValue(body, Heartbeat.class));
        answer(
            exchange,
            200,
            new HeartbeatAnswer(cancelled.contains(id), Instant.now().plusSeconds(30)));
      }
      case "checkpoint" -> {
        if (exchange.getRequestMethod().equals("PUT")) {
          checkpoints.put(id, body);
          exchange.sendResponseHeaders(204, -1);
        } else {
          byte[] checkpoint = checkpoints.get(id);
          exchange.sendResponseHeaders(200, checkpoint.length);
          exchange.getResponseBody().write(checkpoint);
        }
      }
      case "result" -> {
        results.put(id, body);
        answer(exchange, 200, details(id, lease.job().request(), JobState.SUCCEEDED));
      }
      case "failure" -> {
        failures.put(id, NolaModule.mapper().readValue(body, JobFailure.class));
        answer(exchange, 200, details(id, lease.job().request(), JobState.FAILED));
      }
      default -> answer(exchange, 404, Map.of());
    }
  }

  private void lease(HttpExchange exchange, LeaseRequest request) throws IOException {
    requests.add(request);
    if (namesInUse.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
      answer(
          exchange,
          409,
          Map.of(
              "type",
              "urn:nola:problem:worker-name-in-use",
              "title",
              "Conflict",
              "detail",
              "worker name in use"));
      return;
    }
    List<Lease> leases = new ArrayList<>();
    long end = System.nanoTime() + Duration.ofSeconds(Math.min(1, request.waitSeconds())).toNanos();
    do {
      synchronized (this) {
        for (Lease lease : List.copyOf(waiting)) {
          if (leases.size() < request.max() && request.types().contains(lease.job().type())) {
            waiting.remove(lease);
            leased.put(lease.job().id(), lease);
            leases.add(lease);
          }
        }
      }
      pause();
    } while (leases.isEmpty() && System.nanoTime() < end);
    answer(exchange, 200, new Leases(leases, keyState));
  }

  private static void answer(HttpExchange exchange, int status, Object body) throws IOException {
    byte[] json = NolaModule.mapper().writeValueAsBytes(body);
    if (!exchange.getResponseHeaders().containsKey("Content-Type")) {
      exchange.getResponseHeaders().set("Content-Type", "application/json");
    }
    exchange.sendResponseHeaders(status, json.length);
    exchange.getResponseBody().write(json);
  }

  /** Waits until a condition holds. */
  static void await(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within " + PATIENCE + ": " + what);
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns all lines that were sent. */
  String log() {
    return heartbeats.stream()
        .flatMap(heartbeat -> heartbeat.log().stream())
        .reduce("", (all, line) -> all + line + "\n");
  }

  /** Returns whether a worker has reported progress. */
  boolean hasProgress() {
    return heartbeats.stream().anyMatch(heartbeat -> heartbeat.progress() != null);
  }

  static String nonce(int n) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) n);
    return HexFormat.of().formatHex(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}

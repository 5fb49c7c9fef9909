package dev.nola.client.jobs;

import dev.nola.api.Page;
import dev.nola.api.job.JobChange;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobRetry;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Transport;
import dev.nola.client.registry.Transport.Call;
import dev.nola.client.registry.Transport.Content;
import dev.nola.digest.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Jobs, and the models and datasets that they name, for those who ask for them. It uses a {@link
 * NolaClient}'s connections and token, ends with it, and throws what it does.
 */
public final class JobsClient {
  private static final String JOBS = "/api/v1/jobs";
  private static final String BYTES = "application/octet-stream";

  /** Keep-alive comments come more often. */
  private static final Duration SILENCE = Duration.ofMinutes(2);

  private static final int MAX_EVENT = 1 << 20;

  private final Transport transport;

  /**
   * Creates a client that uses a registry client's connections and token.
   *
   * @param client the registry client
   */
  public JobsClient(NolaClient client) {
    this.transport = client.transport();
  }

  /**
   * Submits a job. The request is never sent twice: that would create two.
   *
   * @param request the job
   * @return the job as the registry queued it
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails submit(JobRequest request) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", JOBS).with(Content.json(request)).once(), new TypeReference<>() {});
  }

  /**
   * Reads a job.
   *
   * @param job the job's id
   * @return the job
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails get(UUID job) throws IOException, InterruptedException {
    return transport.json(Call.get(path(job)), new TypeReference<>() {});
  }

  /**
   * Lists jobs, newest first.
   *
   * @param filters any of {@code state}, {@code type}, {@code namespace}, {@code adapter}, {@code
   *     limit}
   * @param cursor {@link Page#next} of the page before, or null for the first
   */
  public Page<JobDetails> list(Map<String, String> filters, @Nullable String cursor)
      throws IOException, InterruptedException {
    StringBuilder query = new StringBuilder();
    filters.forEach((name, value) -> query.append('&').append(name).append('=').append(in(value)));
    if (cursor != null) {
      query.append("&cursor=").append(in(cursor));
    }
    return transport.json(
        Call.get(JOBS + (query.isEmpty() ? "" : "?" + query.substring(1))),
        new TypeReference<>() {});
  }

  /**
   * Requests a job's cancellation.
   *
   * @param job the job's id
   * @return the job
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails cancel(UUID job) throws IOException, InterruptedException {
    return transport.json(Call.of("POST", path(job) + "/cancel"), new TypeReference<>() {});
  }

  /**
   * Retries a job that failed or was cancelled.
   *
   * @param job the job's id
   * @param how what to change for the retry
   * @return the job
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails retry(UUID job, JobRetry how) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", path(job) + "/retry").with(Content.json(how)).once(),
        new TypeReference<>() {});
  }

  /**
   * Changes a waiting job.
   *
   * @param job the job's id
   * @param change the change
   * @return the job
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails change(UUID job, JobChange change) throws IOException, InterruptedException {
    return transport.json(
        Call.of("PATCH", path(job)).with(Content.json(change)), new TypeReference<>() {});
  }

  /**
   * Writes a job's result into a file.
   *
   * @param job the job's id
   * @param file the file to write
   * @param limit the largest result, in bytes
   * @return its digest
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Sha256 result(UUID job, Path file, long limit) throws IOException, InterruptedException {
    return transport.save(
        Call.get(path(job) + "/result").with(Map.of("Accept", "*/*")), file, limit);
  }

  /** Receives a job's events. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Handles an event.
     *
     * @param event the event
     */
    void on(JobEvent event);
  }

  /**
   * Follows a job until its end, or until the registry ends the stream; to continue, pass the last
   * event's id.
   *
   * @param job the job's id
   * @param after id of the last event that is known; 0 for all
   * @param listener receives each event, on the calling thread
   * @return id of the last event
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public long follow(UUID job, long after, Listener listener)
      throws IOException, InterruptedException {
    long last = after;
    Call call =
        Call.get(path(job) + "/events")
            .with(Map.of("Accept", "text/event-stream", "Last-Event-ID", Long.toString(after)));
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    StringBuilder data = new StringBuilder();
    try (Transport.Answer answer = transport.open(call)) {
      for (List<ByteBuffer> piece = answer.body().next(SILENCE);
          piece != null;
          piece = answer.body().next(SILENCE)) {
        for (ByteBuffer bytes : piece) {
          while (bytes.hasRemaining()) {
            byte next = bytes.get();
            if (next != '\n') {
              line.write(next);
              requireShort(line.size() + data.length());
              continue;
            }
            String text = line.toString(StandardCharsets.UTF_8).stripTrailing();
            line.reset();
            if (text.startsWith("data:")) {
              data.append(text.substring("data:".length()).strip());
            } else if (text.isEmpty() && !data.isEmpty()) {
              JobEvent event = JsonMapper.shared().readValue(data.toString(), JobEvent.class);
              data.setLength(0);
              last = event.id();
              listener.on(event);
            }
          }
        }
      }
    }
    return last;
  }

  private static void requireShort(int size) throws IOException {
    if (size > MAX_EVENT) {
      throw new IOException("an event has more than " + MAX_EVENT + " bytes");
    }
  }

  /**
   * Uploads a file of a model or dataset, unless it is there.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param digest SHA-256 of the file
   * @param file the file
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void upload(ObjectKind kind, String name, Sha256 digest, Path file)
      throws IOException, InterruptedException {
    transport.status(
        Call.of("PUT", path(kind, name) + "/files/" + digest).with(Content.file(BYTES, file)));
  }

  /**
   * Registers a revision, whose files are uploaded or, of a model, are held by workers.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param manifest the revision's files
   * @return the revision
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails register(ObjectKind kind, String name, ObjectManifest manifest)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PUT", path(kind, name)).with(Content.json(manifest)), new TypeReference<>() {});
  }

  /**
   * Uploads a folder's files, and registers them.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param folder the folder
   * @param about a description, or null
   * @return the revision
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails upload(ObjectKind kind, String name, Path folder, @Nullable String about)
      throws IOException, InterruptedException {
    ObjectManifest manifest = Manifests.of(folder, about);
    for (ObjectManifest.Entry entry : manifest.files()) {
      upload(kind, name, entry.digest(), folder.resolve(entry.path()));
    }
    return register(kind, name, manifest);
  }

  /**
   * Reads the latest revision, or the one that is named: {@code namespace/name[@sha256:…]}.
   *
   * @param kind model or dataset
   * @param reference {@code namespace/name[@sha256:…]}
   * @return the revision
   * @throws dev.nola.client.registry.RegistryException of kind {@code NOT_ALLOWED} if the token is
   *     missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named,
   *     {@code UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other
   *     refusal or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ObjectDetails object(ObjectKind kind, String reference)
      throws IOException, InterruptedException {
    int at = reference.indexOf('@');
    String path =
        at < 0
            ? path(kind, reference)
            : path(kind, reference.substring(0, at))
                + "/revisions/"
                + reference.substring(at + 1).toLowerCase(Locale.ROOT);
    return transport.json(Call.get(path), new TypeReference<>() {});
  }

  static String path(UUID job) {
    return JOBS + "/" + job;
  }

  static String path(ObjectKind kind, String name) {
    return "/api/v1/" + kind.collection() + "/" + name;
  }

  private static String in(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}

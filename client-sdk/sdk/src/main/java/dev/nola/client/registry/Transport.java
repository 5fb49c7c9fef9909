package dev.nola.client.registry;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.Violation;
import dev.nola.api.json.NolaModule;
import dev.nola.client.Progress;
import dev.nola.client.registry.RegistryException.Kind;
import dev.nola.client.registry.RegistryException.Problem;
import dev.nola.digest.Sha256;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.AnnotatedMember;
import tools.jackson.databind.introspect.JacksonAnnotationIntrospector;
import tools.jackson.databind.json.JsonMapper;

/**
 * Sends requests to one registry, again where that is safe, and makes exceptions of refusals. For
 * the clients of this SDK; applications have no use for it.
 */
public final class Transport implements AutoCloseable {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .annotationIntrospector(new Complete())
          .addModule(new NolaModule())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * The registry's answers leave out no field, not even one that is null, except those of records
   * that say so.
   */
  private static final class Complete extends JacksonAnnotationIntrospector {
    @Override
    public Boolean hasRequiredMarker(MapperConfig<?> config, AnnotatedMember member) {
      JsonInclude include = member.getDeclaringClass().getAnnotation(JsonInclude.class);
      return include == null || include.value() != JsonInclude.Include.NON_NULL;
    }
  }

  private static final JsonMapper LENIENT = NolaModule.mapper();

  private static final int MAX_JSON = 16 << 20;
  private static final int MAX_PROBLEM = 64 << 10;
  private static final int MAX_TEXT = 2_000;
  private static final int MAX_REDIRECTS = 5;

  private static final int NOT_MODIFIED = 304;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> PASSING = Set.of(TOO_MANY_REQUESTS, 502, 503, 504);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);

  private final URI registry;
  private final @Nullable String token;
  private final @Nullable String tokenHint;
  private final HttpClient http;
  private final Patience patience;

  /**
   * How long to wait for what.
   *
   * @param connect for a connection
   * @param request for an answer to begin, and for each next byte of a file
   * @param retries after the first try
   * @param longest pause that a registry may ask for
   * @param pause waits
   */
  record Patience(Duration connect, Duration request, int retries, Duration longest, Pause pause) {}

  /** Waits for a time. */
  @FunctionalInterface
  interface Pause {
    void of(Duration time) throws InterruptedException;
  }

  /**
   * A request.
   *
   * @param method the HTTP method
   * @param path what comes after the registry's URL, encoded
   * @param headers the request's headers
   * @param content the body, or null for none
   * @param repeatable whether doing it twice is as good as once
   */
  public record Call(
      String method,
      String path,
      Map<String, String> headers,
      @Nullable Content content,
      boolean repeatable) {
    /**
     * Creates a GET request for JSON.
     *
     * @param path the encoded path after the registry's URL
     * @return the request
     */
    public static Call get(String path) {
      return new Call("GET", path, Map.of("Accept", "application/json"), null, true);
    }

    /**
     * Creates a request without a body that expects JSON.
     *
     * @param method the HTTP method
     * @param path the encoded path after the registry's URL
     * @return the request
     */
    public static Call of(String method, String path) {
      return new Call(method, path, Map.of("Accept", "application/json"), null, true);
    }

    /**
     * Returns the same request with a body.
     *
     * @param body the body
     * @return the new request
     */
    public Call with(Content body) {
      return new Call(method, path, headers, body, repeatable);
    }

    /**
     * Returns the same request with other headers.
     *
     * @param otherHeaders the headers
     * @return the new request
     */
    public Call with(Map<String, String> otherHeaders) {
      return new Call(method, path, otherHeaders, content, repeatable);
    }

    /**
     * Returns the same request, marked never to be sent twice.
     *
     * @return the new request
     */
    public Call once() {
      return new Call(method, path, headers, content, false);
    }

    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  /**
   * What a request sends.
   *
   * @param type the media type
   * @param body can be sent more than once
   * @param progress receives the number of bytes sent
   */
  public record Content(String type, BodyPublisher body, Progress progress) {
    /**
     * Creates a body of bytes.
     *
     * @param type the media type
     * @param bytes the body
     * @param progress receives the number of bytes sent
     * @return the body
     */
    public static Content bytes(String type, byte[] bytes, Progress progress) {
      return new Content(type, BodyPublishers.ofByteArray(bytes), progress);
    }

    /**
     * Creates a JSON body.
     *
     * @param body the record to serialize
     * @return the body
     */
    public static Content json(Object body) {
      return bytes("application/json", LENIENT.writeValueAsBytes(body), Progress.NONE);
    }

    /**
     * Creates a body from a file, which is not read into memory.
     *
     * @param type the media type
     * @param file the file
     * @return the body
     * @throws FileNotFoundException if there is none
     */
    public static Content file(String type, Path file) throws FileNotFoundException {
      return new Content(type, BodyPublishers.ofFile(file), Progress.NONE);
    }
  }

  /**
   * An answer that is no refusal; whoever has it closes it.
   *
   * @param status the HTTP status
   * @param headers the response's headers
   * @param body the response's body
   */
  public record Answer(int status, HttpHeaders headers, Body body) implements AutoCloseable {
    /**
     * Tells whether the caller has the current content already (status 304).
     *
     * @return true if it has
     */
    public boolean isNotModified() {
      return status == NOT_MODIFIED;
    }

    /**
     * Returns a header's first value.
     *
     * @param name the header's name
     * @return the value, or empty
     */
    public Optional<String> header(String name) {
      return headers.firstValue(name);
    }

    @Override
    public void close() {
      body.close();
    }
  }

  /** Makes something of an answer. An {@link IOException} means that it was cut. */
  @FunctionalInterface
  private interface Reading<T> {
    T of(Answer answer) throws IOException, InterruptedException;
  }

  /**
   * @param tokenHint what to say behind a refusal of the token; null for how to log in
   */
  Transport(URI registry, @Nullable String token, @Nullable String tokenHint, Patience patience) {
    this.registry = registry;
    this.token = token;
    this.tokenHint = tokenHint;
    this.patience = patience;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // the upgrade in plain HTTP irritates proxies
            .followRedirects(HttpClient.Redirect.NEVER) // it would take the token along
            .connectTimeout(patience.connect())
            .build();
  }

  /**
   * Returns the registry's normalized URL.
   *
   * @return the URL
   */
  public URI registry() {
    return registry;
  }

  Patience patience() {
    return patience;
  }

  /**
   * Sends a request and returns the response with its body still to be read.
   *
   * @param call the request
   * @return the response, which the caller closes
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Answer open(Call call) throws IOException, InterruptedException {
    return send(call, answer -> answer);
  }

  /**
   * Sends a request and returns the status of the response.
   *
   * @param call the request
   * @return the HTTP status
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public int status(Call call) throws IOException, InterruptedException {
    return send(
        call,
        answer -> {
          try (answer) {
            return answer.status();
          }
        });
  }

  /**
   * Sends a request and returns the JSON of the response.
   *
   * @param call the request
   * @param type the type to read
   * @return the value
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public <T> T json(Call call, TypeReference<T> type) throws IOException, InterruptedException {
    return jsonAndStatus(call, type).value();
  }

  /**
   * A value and the status that it came with.
   *
   * @param status the HTTP status
   * @param value the value
   */
  public record Stated<T>(int status, T value) {}

  /**
   * Sends a request and returns the JSON and the status of the response.
   *
   * @param call the request
   * @param type the type to read
   * @return the value and status
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public <T> Stated<T> jsonAndStatus(Call call, TypeReference<T> type)
      throws IOException, InterruptedException {
    return send(
        call,
        answer -> {
          try (answer) {
            byte[] bytes = answer.body().readAll(MAX_JSON, patience.request());
            return new Stated<>(answer.status(), parse(call, bytes, type));
          }
        });
  }

  /**
   * Sends a request and returns the bytes of the response.
   *
   * @param call the request
   * @param limit bytes that it may have
   * @return the bytes
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public byte[] bytes(Call call, int limit) throws IOException, InterruptedException {
    return send(
        call,
        answer -> {
          try (answer) {
            return answer.body().readAll(limit, patience.request());
          }
        });
  }

  /**
   * Writes the answer into a new file, in place of one that is there.
   *
   * @param call the request
   * @param file the file to write
   * @param limit bytes that it may have
   * @return the digest of what was written
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Sha256 save(Call call, Path file, long limit) throws IOException, InterruptedException {
    try (FileChannel to =
        FileChannel.open(
            file,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      return send(
          call,
          answer -> {
            try (answer) {
              return write(answer.body(), to, limit);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private Sha256 write(Body body, FileChannel to, long limit)
      throws IOException, InterruptedException {
    MessageDigest digest = Sha256.newMessageDigest();
    long size = 0;
    truncate(to); // of what has come before the connection was lost
    for (List<ByteBuffer> piece = body.next(patience.request());
        piece != null;
        piece = body.next(patience.request())) {
      for (ByteBuffer bytes : piece) {
        size += bytes.remaining();
        if (size > limit) {
          throw RegistryException.broken(
              "the registry's answer has more than %d bytes".formatted(limit));
        }
        digest.update(bytes.duplicate());
        write(to, bytes);
      }
    }
    return Sha256.finish(digest);
  }

  /** The disk's failures are not the network's: they are not tried again. */
  private static void write(FileChannel to, ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        to.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void truncate(FileChannel to) {
    try {
      to.truncate(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private <T> T parse(Call call, byte[] bytes, TypeReference<T> type) throws RegistryException {
    String why;
    try {
      T value = JSON.readValue(bytes, type);
      if (value != null) {
        return value;
      }
      why = "it is null";
    } catch (JacksonException e) {
      why = printable(e.getOriginalMessage());
    }
    throw RegistryException.broken(
        "unexpected response from %s to %s (is this a Nola registry?): %s"
            .formatted(registry, call, why));
  }

  private <T> T send(Call call, Reading<T> reading) throws IOException, InterruptedException {
    for (int tries = 0; ; tries++) {
      Duration pause = backoff(tries);
      try {
        Answer answer = follow(call);
        if (isSuccess(answer.status())) {
          return reading.of(answer);
        }
        try (answer) {
          Optional<Duration> asked = retryAfter(answer.headers());
          RegistryException refusal = refusal(call, answer, asked.orElse(null));
          pause = asked.orElse(pause);
          // Too many requests: it was not even looked at.
          boolean again =
              PASSING.contains(answer.status())
                  && (call.repeatable() || answer.status() == TOO_MANY_REQUESTS);
          if (!again || tries >= patience.retries() || pause.compareTo(patience.longest()) > 0) {
            throw refusal;
          }
        }
      } catch (RegistryException e) {
        throw e;
      } catch (IOException e) {
        if (!call.repeatable() || tries >= patience.retries()) {
          throw unreachable(e);
        }
      }
      patience.pause().of(pause);
    }
  }

  /** Twice as long each time, and by chance up to half of it shorter, so that clients spread. */
  static Duration backoff(int tries) {
    long longest = FIRST_PAUSE.toMillis() << Math.min(tries, 10);
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
  }

  private static boolean isSuccess(int status) {
    return status / 100 == 2 || status == NOT_MODIFIED;
  }

  private Answer follow(Call call) throws IOException, InterruptedException {
    URI url = URI.create(registry + call.path());
    boolean atHome = true;
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      atHome = atHome && RegistryUrl.sameOrigin(url, registry);
      HttpResponse<Body> response = http.send(request(call, url, atHome), _ -> new Body());
      if (!REDIRECTS.contains(response.statusCode())) {
        return new Answer(response.statusCode(), response.headers(), response.body());
      }
      response.body().close();
      url = redirect(call, url, response);
    }
    throw RegistryException.broken(
        "%s redirects %s more than %d times".formatted(registry, call, MAX_REDIRECTS));
  }

  private HttpRequest request(Call call, URI url, boolean atHome) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(url)
            .timeout(patience.request())
            .method(call.method(), publisher(call.content()));
    call.headers().forEach(request::header);
    if (call.content() != null) {
      request.header("Content-Type", call.content().type());
    }
    if (token != null && atHome) {
      request.header("Authorization", "Bearer " + token);
    }
    return request.build();
  }

  private URI redirect(Call call, URI from, HttpResponse<?> response) throws RegistryException {
    String location = response.headers().firstValue("Location").orElse("");
    URI to;
    try {
      to = from.resolve(location);
      RegistryUrl.normalize(new URI(to.getScheme(), to.getAuthority(), to.getPath(), null, null));
    } catch (IllegalArgumentException | java.net.URISyntaxException e) {
      throw RegistryException.broken(
          "%s redirects %s to \"%s\", which is no URL to follow"
              .formatted(registry, call, printable(location)));
    }
    if (RegistryUrl.isEncrypted(from) && !RegistryUrl.isEncrypted(to)) {
      throw RegistryException.broken(
          "%s redirects %s to %s, which is not encrypted".formatted(registry, call, to));
    }
    if (!call.method().equals("GET")) {
      throw new RegistryException(
          Kind.REFUSED,
          response.statusCode(),
          null,
          "%s redirects %s to %s; use the URL of that registry".formatted(registry, call, to),
          null);
    }
    return to;
  }

  private static BodyPublisher publisher(@Nullable Content content) {
    if (content == null) {
      return BodyPublishers.noBody();
    }
    BodyPublisher body = content.body();
    if (content.progress() == Progress.NONE) {
      return body;
    }
    return BodyPublishers.fromPublisher(
        subscriber -> body.subscribe(counting(subscriber, content)), body.contentLength());
  }

  private static Subscriber<ByteBuffer> counting(
      Subscriber<? super ByteBuffer> subscriber, Content content) {
    return new Subscriber<>() {
      private long done;

      @Override
      public void onSubscribe(Subscription subscription) {
        subscriber.onSubscribe(subscription);
      }

      @Override
      public void onNext(ByteBuffer bytes) {
        done += bytes.remaining();
        subscriber.onNext(bytes);
        content.progress().at(done, content.body().contentLength());
      }

      @Override
      public void onError(Throwable failure) {
        subscriber.onError(failure);
      }

      @Override
      public void onComplete() {
        subscriber.onComplete();
      }
    };
  }

  /** Seconds, or a date (RFC 9110, 10.2.3); empty if it is neither. */
  private static Optional<Duration> retryAfter(HttpHeaders headers) {
    String text = headers.firstValue("Retry-After").orElse("").strip();
    if (text.matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Instant until = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text));
      Duration wait = Duration.between(Instant.now(), until);
      return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
    } catch (DateTimeException _) {
      return Optional.empty();
    }
  }

  private RegistryException refusal(Call call, Answer answer, @Nullable Duration retryAfter)
      throws InterruptedException {
    int status = answer.status();
    Problem problem = problem(answer);
    String detail =
        problem == null || problem.detail().isEmpty()
            ? "%s answers %s with status %d".formatted(registry, call, status)
            : describe(problem);
    String remedy =
        switch (status) {
          case 401 -> tokenRemedy();
          case 403 -> token == null || tokenHint != null ? tokenRemedy() : "";
          case 404 -> token == null ? "; log in with: nola login --registry " + registry : "";
          case TOO_MANY_REQUESTS ->
              retryAfter == null
                  ? "; try again later"
                  : "; try again in " + (retryAfter.toMillis() + 999) / 1000 + " seconds";
          default ->
              status >= 500 && problem != null && problem.requestId() != null
                  ? "; the log of %s has more of it under request %s"
                      .formatted(registry, problem.requestId())
                  : "";
        };
    return new RegistryException(kind(status), status, problem, detail + remedy, null);
  }

  private String tokenRemedy() {
    return "; "
        + (tokenHint == null ? "log in with: nola login --registry " + registry : tokenHint);
  }

  private static Kind kind(int status) {
    return switch (status) {
      case 401, 403 -> Kind.NOT_ALLOWED;
      case 404, 410 -> Kind.NOT_FOUND;
      case 409 -> Kind.CONFLICT;
      case 408, TOO_MANY_REQUESTS -> Kind.UNAVAILABLE;
      default -> status >= 500 ? Kind.UNAVAILABLE : Kind.REFUSED;
    };
  }

  private static String describe(Problem problem) {
    if (problem.violations().size() < 2) {
      return problem.detail();
    }
    StringBuilder all = new StringBuilder();
    all.append(problem.violations().size()).append(" rules are broken:");
    for (Violation violation : problem.violations()) {
      all.append("\n  ").append(violation.rule());
    }
    return all.toString();
  }

  /** What the answer says of itself, or null if that cannot be read. */
  private @Nullable Problem problem(Answer answer) throws InterruptedException {
    if (!answer.header("Content-Type").orElse("").startsWith("application/problem+json")) {
      return null;
    }
    try {
      var json = LENIENT.readTree(answer.body().readAll(MAX_PROBLEM, patience.request()));
      String title = printable(json.path("title").asString(""));
      String detail = printable(json.path("detail").asString(""));
      String id = printable(json.path("requestId").asString(""));
      return new Problem(
          printable(json.path("type").asString("")),
          title,
          detail.isEmpty() ? title : detail,
          json.path("violations")
              .valueStream()
              .map(
                  each ->
                      new Violation(
                          printable(each.path("field").asString("")),
                          printable(each.path("rule").asString(""))))
              .toList(),
          id.isEmpty() ? null : id);
    } catch (JacksonException | IOException _) {
      return null; // the status alone has to do
    }
  }

  /** Text of a stranger, in one line, without what steers a terminal, and not endless. */
  static String printable(String text) {
    String clean = text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]+", " ").strip();
    return clean.length() <= MAX_TEXT ? clean : clean.substring(0, MAX_TEXT) + "…";
  }

  RegistryException unreachable(IOException failure) {
    return RegistryException.unavailable(
        "cannot reach the registry at %s: %s".formatted(registry, reason(failure)), failure);
  }

  private String reason(IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      switch (cause) {
        case UnresolvedAddressException _ -> {
          return "there is no host of that name";
        }
        case HttpConnectTimeoutException _ -> {
          return "no connection within " + seconds(patience.connect());
        }
        case HttpTimeoutException _ -> {
          return "no answer within " + seconds(patience.request());
        }
        default -> {
          continue; // perhaps its cause is one of these
        }
      }
    }
    return failure instanceof ConnectException
        ? "connection refused"
        : printable(Objects.requireNonNullElse(failure.getMessage(), failure.toString()));
  }

  private static String seconds(Duration time) {
    return time.toMillis() / 1000.0 + " seconds";
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    http.shutdownNow();
  }
}

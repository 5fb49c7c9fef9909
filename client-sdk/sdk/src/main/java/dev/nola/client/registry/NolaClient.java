package dev.nola.client.registry;

import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryUrl;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.http.MinimumRate;
import dev.nola.client.http.NolaProtocol;
import dev.nola.client.http.Retry;
import dev.nola.client.http.Timeouts;
import dev.nola.client.http.Transport;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.jobs.ObjectsClient;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.files.ProcessLock;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A registry, as one account sees it. Immutable and thread-safe; it keeps connections open until it
 * is closed, and the clients that it returns with them.
 *
 * <p>A request that fails throws a {@link RegistryException}: of kind {@code NOT_ALLOWED} if the
 * token is missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named
 * or the account may not see it, {@code UNAVAILABLE} if the registry cannot be reached or is
 * overloaded, or the client is offline; of another kind for any other refusal or a broken answer.
 *
 * <p>What is safe to send twice is sent again, after a pause that doubles each time, when the
 * connection is lost or the registry is overloaded (status 429, 502, 503, 504). A thread that is
 * interrupted while it waits here gets an {@link InterruptedException}.
 */
public final class NolaClient implements AutoCloseable {
  /** The default limit in bytes for files to pull or publish, which is the registries' limit. */
  public static final long DEFAULT_MAX_FILE_SIZE = 64L << 20;

  /** How long a client waits for a response by default. */
  public static final Duration DEFAULT_REQUEST_TIMEOUT = Timeouts.STANDARD.request();

  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/=-]{1,512}");

  private final Transport transport;
  private final LocalCache cache;
  private final Puller puller;
  private final AdaptersClient adapters;
  private final AliasesClient aliases;
  private final NamespacesClient namespaces;
  private final TokensClient tokens;
  private final WebhooksClient webhooks;
  private final WorkerKeysClient workerKeys;
  private final VerificationsClient verifications;
  private final JobsClient jobs;
  private final ObjectsClient objects;
  private final WorkerClient worker;

  private NolaClient(Builder builder) {
    if (builder.token != null
        && !builder.allowPlainHttp
        && !RegistryUrl.isPrivate(builder.registry)) {
      throw new IllegalArgumentException(
          "a token for %s would cross the network unencrypted; use https"
              .formatted(builder.registry));
    }
    this.transport =
        new Transport(
            new NolaProtocol(
                builder.registry, builder.token, builder.tokenHint, builder.requestTimeout),
            new Timeouts(builder.connectTimeout, builder.requestTimeout, builder.minimumRate),
            new Retry(builder.retries, builder.longestPause, builder.pause),
            builder.offline);
    this.cache = Objects.requireNonNullElseGet(builder.cache, LocalCache::standard);
    this.puller = new Puller(transport, cache, builder.offline, builder.maxFileSize);
    this.adapters = new AdaptersClient(transport, builder.maxFileSize);
    this.aliases = new AliasesClient(transport);
    this.namespaces = new NamespacesClient(transport);
    this.tokens = new TokensClient(transport);
    this.webhooks = new WebhooksClient(transport);
    this.workerKeys = new WorkerKeysClient(transport);
    this.verifications = new VerificationsClient(transport);
    this.jobs = new JobsClient(transport);
    this.objects = new ObjectsClient(transport);
    this.worker = new WorkerClient(transport);
  }

  /**
   * Returns a builder of a client of a registry.
   *
   * @param registry the registry's URL, such as {@code https://registry.example}
   * @return a builder with every setting at its default
   * @throws IllegalArgumentException if it is not http or https, or names a user
   */
  public static Builder builder(URI registry) {
    return new Builder(RegistryUrl.normalize(registry));
  }

  /**
   * Returns the registry's URL, in the form that the credentials and the cache use.
   *
   * @return the normalized URL
   */
  public URI registry() {
    return transport.registry();
  }

  /**
   * Returns the cache that keeps pulled files.
   *
   * @return the cache
   */
  public LocalCache cache() {
    return cache;
  }

  /**
   * Brings the file that a reference means into the cache, unless it is there.
   *
   * <p>The registry is asked what the reference means, and whether the version is yanked; only a
   * file that the cache does not have is downloaded. If the registry cannot be reached, a pinned
   * reference is answered from the cache, for it can never mean another file. Offline, any
   * reference means what it meant when it was pulled last.
   *
   * @param reference the reference to resolve
   * @param progress receives the number of bytes downloaded, on the calling thread; not called if
   *     the file is in the cache
   * @return the file in the cache
   * @throws RegistryException of kind {@code NOT_FOUND} if the reference resolves to no version,
   *     {@code UNAVAILABLE} if the registry cannot be reached, or an offline client does not know
   *     the reference; {@code BROKEN} if the registry sends other bytes than it should
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Pulled pull(Reference reference, Progress progress)
      throws IOException, InterruptedException {
    try {
      return puller.pull(reference, progress);
    } catch (ClosedByInterruptException e) {
      throw ProcessLock.interrupted(e);
    }
  }

  /** {@return the client for adapters and their versions} */
  public AdaptersClient adapters() {
    return adapters;
  }

  /** {@return the client for aliases of versions} */
  public AliasesClient aliases() {
    return aliases;
  }

  /** {@return the client for namespaces} */
  public NamespacesClient namespaces() {
    return namespaces;
  }

  /** {@return the client for tokens} */
  public TokensClient tokens() {
    return tokens;
  }

  /** {@return the client for webhooks} */
  public WebhooksClient webhooks() {
    return webhooks;
  }

  /** {@return the client for workers' keys} */
  public WorkerKeysClient workerKeys() {
    return workerKeys;
  }

  /** {@return the client for verifications that are requested after publishing} */
  public VerificationsClient verifications() {
    return verifications;
  }

  /** {@return the client for jobs, for those who submit them} */
  public JobsClient jobs() {
    return jobs;
  }

  /** {@return the client for models and datasets} */
  public ObjectsClient objects() {
    return objects;
  }

  /** {@return the client for jobs, for workers that do them} */
  public WorkerClient worker() {
    return worker;
  }

  /** Ends its connections, and with them what other threads still do here. */
  @Override
  public void close() {
    transport.close();
  }

  /** Collects what a client needs; only the registry has no default. */
  public static final class Builder {
    private final URI registry;
    private @Nullable String token;
    private @Nullable String tokenHint;
    private boolean allowPlainHttp;
    private @Nullable LocalCache cache;
    private boolean offline;
    private Duration connectTimeout = Timeouts.STANDARD.connect();
    private Duration requestTimeout = DEFAULT_REQUEST_TIMEOUT;
    private MinimumRate minimumRate = Timeouts.STANDARD.rate();
    private int retries = Retry.STANDARD_RETRIES;
    private Duration longestPause = Retry.STANDARD_PAUSE;
    private long maxFileSize = DEFAULT_MAX_FILE_SIZE;
    private UnaryOperator<Duration> pause = UnaryOperator.identity();

    private Builder(URI registry) {
      this.registry = registry;
    }

    /**
     * Sets the token to send; default: none, for anonymous access.
     *
     * @param token the token, or null for anonymous access
     * @return this builder
     * @throws IllegalArgumentException if it has characters that no token has
     */
    public Builder token(@Nullable String token) {
      if (token != null && !TOKEN.matcher(token).matches()) {
        throw new IllegalArgumentException( // without the token: messages end up in logs
            "invalid token; must be 1 to 512 letters, digits and . _ ~ + / = -");
      }
      this.token = token;
      return this;
    }

    /**
     * Sets the remedy that a message about a refused token names; default: {@code nola login}.
     *
     * @param hint the remedy, for programs whose token comes from elsewhere
     * @return this builder
     */
    public Builder tokenHint(String hint) {
      this.tokenHint = hint;
      return this;
    }

    /**
     * Sets whether the token may be sent to another machine over plain HTTP; default: false.
     *
     * @param allowed true only in a network that encrypts by itself, such as a service mesh
     * @return this builder
     */
    public Builder allowPlainHttp(boolean allowed) {
      this.allowPlainHttp = allowed;
      return this;
    }

    /**
     * Sets the cache for pulled files; default: {@link LocalCache#standard}.
     *
     * @param cache the cache
     * @return this builder
     */
    public Builder cache(LocalCache cache) {
      this.cache = cache;
      return this;
    }

    /**
     * Sets whether to pull from the cache alone, without asking the registry; default: false.
     *
     * @param offline true to make no connections
     * @return this builder
     */
    public Builder offline(boolean offline) {
      this.offline = offline;
      return this;
    }

    /**
     * Sets how long to wait for a connection; default: 10 seconds.
     *
     * @param timeout a positive duration
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder connectTimeout(Duration timeout) {
      this.connectTimeout = positive("connectTimeout", timeout);
      return this;
    }

    /**
     * Sets how long to wait for a response, and then for each next byte of a file; default: 60
     * seconds.
     *
     * @param timeout a positive duration
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder requestTimeout(Duration timeout) {
      this.requestTimeout = positive("requestTimeout", timeout);
      return this;
    }

    /**
     * Sets how fast files must come; default: 1,024 bytes a second, over each minute.
     *
     * @param bytesPerSecond the average, at least 0
     * @param window a positive duration
     * @return this builder
     * @throws IllegalArgumentException if the average is negative or the window not positive
     */
    public Builder minimumRate(long bytesPerSecond, Duration window) {
      if (bytesPerSecond < 0) {
        throw new IllegalArgumentException("bytesPerSecond invalid: " + bytesPerSecond);
      }
      this.minimumRate = new MinimumRate(bytesPerSecond, positive("window", window));
      return this;
    }

    /**
     * Sets how often to retry a request; default: 3 times.
     *
     * @param retries retries after the first attempt, at least 0
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public Builder retries(int retries) {
      if (retries < 0) {
        throw new IllegalArgumentException(
            "invalid number of retries: " + retries + "; must not be negative");
      }
      this.retries = retries;
      return this;
    }

    /**
     * Sets the longest pause that a registry may request with {@code Retry-After}; default: 30
     * seconds. If the registry requests more, its refusal is thrown at once.
     *
     * @param pause a positive duration
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder longestPause(Duration pause) {
      this.longestPause = positive("longestPause", pause);
      return this;
    }

    /**
     * Sets the largest file to pull or publish; default: 64 MiB.
     *
     * @param bytes 1 to 2147483639
     * @return this builder
     * @throws IllegalArgumentException if it is not 1 to 2147483639
     */
    public Builder maxFileSize(long bytes) {
      if (bytes < 1 || bytes > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "invalid maxFileSize: " + bytes + "; must be 1 to 2147483639");
      }
      this.maxFileSize = bytes;
      return this;
    }

    /** Sets what maps the pause before a retry to the time to wait; tests shorten it. */
    Builder pause(UnaryOperator<Duration> pause) {
      this.pause = pause;
      return this;
    }

    private static Duration positive(String name, Duration time) {
      if (time.isNegative() || time.isZero()) {
        throw new IllegalArgumentException("invalid " + name + ": " + time + "; must be positive");
      }
      return time;
    }

    /**
     * Returns the client.
     *
     * @return the client
     * @throws IllegalArgumentException if a token would be sent in plain HTTP to another machine,
     *     and {@link #allowPlainHttp} is not set
     */
    public NolaClient build() {
      return new NolaClient(this);
    }
  }
}

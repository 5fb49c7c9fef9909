package dev.nola.client.registry;

import dev.nola.api.AdapterDetails;
import dev.nola.api.AdapterSummary;
import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import dev.nola.api.AliasRequest;
import dev.nola.api.IssuedToken;
import dev.nola.api.Namespace;
import dev.nola.api.Page;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.YankRequest;
import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.KeyApproval;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.registry.Transport.Answer;
import dev.nola.client.registry.Transport.Call;
import dev.nola.client.registry.Transport.Content;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/**
 * A registry, as one account sees it. Immutable and thread-safe; it keeps connections open until it
 * is closed.
 *
 * <p>Whatever a registry does not do is a {@link RegistryException}. What is safe to send twice is
 * sent again, after a pause that doubles each time, when the connection is lost or the registry has
 * too much to do (status 429, 502, 503, 504). A thread that is interrupted while it waits here gets
 * an {@link InterruptedException}.
 */
public final class NolaClient implements AutoCloseable {
  /** Bytes of a file that is taken or sent if nothing else is said: what registries take. */
  public static final long DEFAULT_MAX_FILE_SIZE = 64L << 20;

  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/=-]{1,512}");
  private static final int LONGEST_PAGE = 100;
  private static final int CREATED = 201;

  private final Transport transport;
  private final LocalCache cache;
  private final boolean offline;
  private final long maxFileSize;

  private NolaClient(Builder builder) {
    if (builder.token != null && !RegistryUrl.isPrivate(builder.registry)) {
      throw new IllegalArgumentException(
          "a token for %s would cross the network unencrypted; use https"
              .formatted(builder.registry));
    }
    this.transport =
        new Transport(
            builder.registry,
            builder.token,
            builder.tokenHint,
            new Transport.Patience(
                builder.connectTimeout,
                builder.requestTimeout,
                builder.retries,
                builder.longestPause,
                builder.pause));
    this.cache = Objects.requireNonNullElseGet(builder.cache, LocalCache::standard);
    this.offline = builder.offline;
    this.maxFileSize = builder.maxFileSize;
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
   * Returns the transport to the registry, for the other clients of this SDK. It closes with this
   * client.
   *
   * @return the transport
   */
  public Transport transport() {
    return transport;
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
   * Searches adapters.
   *
   * @param query the conditions, the order and the size of a page
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return the adapters that meet all conditions
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<AdapterSummary> search(SearchQuery query, @Nullable String cursor)
      throws IOException, InterruptedException {
    List<String> parameters = new ArrayList<>();
    add(parameters, "q", query.text());
    add(parameters, "base", query.base());
    add(parameters, "generator", query.generator());
    add(parameters, "bits", query.bits());
    add(parameters, "rank", query.rank());
    query.tags().forEach(tag -> add(parameters, "tag", tag));
    add(parameters, "namespace", query.namespace());
    add(parameters, "verified", query.verified());
    add(parameters, "sort", query.sort() == null ? null : query.sort().wireName());
    add(parameters, "limit", query.limit());
    add(parameters, "cursor", cursor);
    return json(
        Call.get("/api/v1/adapters?" + String.join("&", parameters)), new TypeReference<>() {});
  }

  /**
   * Reads an adapter.
   *
   * @param adapter the adapter's name
   * @return the adapter's details
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public AdapterDetails adapter(AdapterName adapter) throws IOException, InterruptedException {
    return json(Call.get(path(adapter)), new TypeReference<>() {});
  }

  /**
   * Lists an adapter's versions, highest first, up to 100 at once.
   *
   * @param adapter the adapter's name
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of versions
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<VersionSummary> versions(AdapterName adapter, @Nullable String cursor)
      throws IOException, InterruptedException {
    List<String> parameters = new ArrayList<>();
    add(parameters, "limit", LONGEST_PAGE);
    add(parameters, "cursor", cursor);
    return json(
        Call.get(path(adapter) + "/versions?" + String.join("&", parameters)),
        new TypeReference<>() {});
  }

  /**
   * Reads the version that a reference resolves to.
   *
   * @param reference the reference
   * @return the version's details
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VersionDetails version(Reference reference) throws IOException, InterruptedException {
    return json(Call.get(path(reference)), new TypeReference<>() {});
  }

  /**
   * Lists the attestations of the file that a reference resolves to, oldest first, up to 100 at
   * once. None of them is checked: see {@link dev.nola.client.attestation.Attested}.
   *
   * @param reference the reference
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of attestations
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<Attestation> attestations(Reference reference, @Nullable String cursor)
      throws IOException, InterruptedException {
    List<String> parameters = new ArrayList<>();
    add(parameters, "limit", LONGEST_PAGE);
    add(parameters, "cursor", cursor);
    return json(
        Call.get(path(reference) + "/attestations?" + String.join("&", parameters)),
        new TypeReference<>() {});
  }

  /**
   * Lists workers' keys, oldest first, up to 100 at once.
   *
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of keys
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<WorkerKey> workerKeys(@Nullable String cursor)
      throws IOException, InterruptedException {
    List<String> parameters = new ArrayList<>();
    add(parameters, "limit", LONGEST_PAGE);
    add(parameters, "cursor", cursor);
    return json(
        Call.get("/api/v1/worker-keys?" + String.join("&", parameters)), new TypeReference<>() {});
  }

  /**
   * Reads a worker's key.
   *
   * @param fingerprint SHA-256 of the key
   * @return the key
   * @throws RegistryException of kind {@code NOT_FOUND} if the registry does not know the key
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WorkerKey workerKey(Sha256 fingerprint) throws IOException, InterruptedException {
    return json(
        Call.get("/api/v1/worker-keys/" + encode(fingerprint.toString())),
        new TypeReference<>() {});
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
      LocalCache.Known known = cache.known(registry(), reference);
      Path present = known == null ? null : cache.find(known.digest());
      Pulled asBefore =
          known == null || present == null
              ? null
              : new Pulled(
                  reference, known.version(), known.digest(), present, known.yanked(), true);
      if (offline && asBefore != null) {
        return asBefore;
      }
      if (offline) {
        throw RegistryException.unavailable(
            known == null
                ? "%s was not pulled from %s yet, and this is offline"
                    .formatted(reference, registry())
                : "%s is no longer in the cache (%s), and this is offline"
                    .formatted(reference, cache.path()),
            null);
      }
      try {
        return ask(reference, present == null ? null : known, present, progress);
      } catch (RegistryException e) {
        if (e.kind() == RegistryException.Kind.UNAVAILABLE
            && asBefore != null
            && reference.isPinned()) {
          return asBefore;
        }
        throw e;
      }
    } catch (ClosedByInterruptException e) {
      throw ProcessLock.interrupted(e);
    }
  }

  /** Asks the registry what a reference means, and downloads that unless it is in the cache. */
  private Pulled ask(
      Reference reference,
      LocalCache.@Nullable Known known,
      @Nullable Path present,
      Progress progress)
      throws IOException, InterruptedException {
    try (Answer answer = ask(reference, known)) {
      FileHead head = head(reference, answer, known);
      String version = Objects.requireNonNull(head.version());
      Download.Result file;
      if (answer.isNotModified() && present != null) {
        file = new Download.Result(present, false);
      } else {
        cache.begin(
            new LocalCache.Known(registry(), reference, version, head.digest(), head.yanked()));
        String exact = path(new Reference(reference.adapter(), version)) + "/file";
        file = new Download(transport, cache, maxFileSize, exact, progress).run(head, answer);
      }
      for (Reference name :
          List.of(
              reference,
              new Reference(reference.adapter(), version),
              new Reference(reference.adapter(), head.digest().toString()))) {
        cache.remember(
            new LocalCache.Known(registry(), name, version, head.digest(), head.yanked()));
      }
      if (file.downloaded()) {
        cache.evict();
      }
      return new Pulled(
          reference, version, head.digest(), file.path(), head.yanked(), !file.downloaded());
    }
  }

  /**
   * Asks for the file of a reference: if it is not the one that the cache has, and not for what has
   * come of it before.
   */
  private Answer ask(Reference reference, LocalCache.@Nullable Known known)
      throws IOException, InterruptedException {
    Call file = Call.get(path(reference) + "/file");
    if (known != null) {
      return transport.open(
          file.with(
              Map.of(
                  "Accept",
                  AdapterFile.MEDIA_TYPE,
                  "If-None-Match",
                  '"' + known.digest().toString() + '"')));
    }
    LocalCache.Known begun = cache.begun(registry(), reference);
    long at = begun == null ? 0 : cache.begunSize(begun.digest());
    if (begun != null && at > 0) {
      try {
        return transport.open(file.with(Download.headers(begun.digest(), at)));
      } catch (RegistryException e) {
        if (e.status() != Download.RANGE_NOT_SATISFIABLE) {
          throw e;
        }
        // All of it has come, and only the last step was not done.
      }
    }
    return transport.open(file.with(Map.of("Accept", AdapterFile.MEDIA_TYPE)));
  }

  /** What the registry says of the file, which must be what was asked for. */
  private FileHead head(Reference reference, Answer answer, LocalCache.@Nullable Known known)
      throws RegistryException {
    FileHead head = FileHead.of(answer);
    if (answer.isNotModified() && (known == null || !known.digest().equals(head.digest()))) {
      throw RegistryException.broken(
          "%s says that %s is still what it was, and names another digest, %s"
              .formatted(registry(), reference, head.digest()));
    }
    if (reference.digest() != null && !head.digest().equals(reference.digest())) {
      throw RegistryException.broken(
          "%s offers a file with the digest %s for %s"
              .formatted(registry(), head.digest(), reference));
    }
    if (head.version() == null
        || (reference.isPinned()
            && reference.digest() == null
            && !reference.version().equals(head.version()))) {
      throw RegistryException.broken(
          "%s says version %s of what it offers for %s"
              .formatted(registry(), head.version(), reference));
    }
    return head;
  }

  /**
   * Publishes a file as a version of an adapter, which becomes public if this creates it.
   *
   * @param adapter the adapter's name
   * @param version the version number
   * @param file the file to upload
   * @param progress receives the number of bytes sent, on another thread
   * @return the published version
   * @see #publish(AdapterName, String, Path, Visibility, Progress)
   */
  public Published publish(AdapterName adapter, String version, Path file, Progress progress)
      throws IOException, InterruptedException {
    return publish(adapter, version, file, null, progress);
  }

  /**
   * Publishes a file as a version of an adapter. The same bytes can be published again, and then
   * nothing changes; a version never gets other bytes.
   *
   * @param version its number
   * @param visibility of the adapter if this makes it, or null for public; of one that exists it
   *     must be the same, or null
   * @param progress is told of the bytes sent, from another thread; it starts anew when the
   *     connection is lost
   * @throws IllegalArgumentException if the version is no number
   * @throws RegistryException of kind {@code CONFLICT} if other bytes have that version; {@code
   *     REFUSED}, with all violations, if the registry does not take the file
   * @throws IOException if the file cannot be read, is empty or too large
   */
  public Published publish(
      AdapterName adapter,
      String version,
      Path file,
      @Nullable Visibility visibility,
      Progress progress)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    byte[] bytes = read(file);
    Reference reference = new Reference(adapter, version);
    String query =
        visibility == null ? "" : "?visibility=" + visibility.name().toLowerCase(Locale.ROOT);
    Transport.Stated<VersionSummary> answer =
        jsonAndStatus(
            Call.of("POST", path(reference) + query)
                .with(Content.bytes(AdapterFile.MEDIA_TYPE, bytes, progress)),
            new TypeReference<>() {});
    Sha256 digest = Sha256.hash(bytes);
    if (!answer.value().digest().equals(digest)) {
      throw RegistryException.broken(
          "%s says that it has published %s with digest %s, sent was %s"
              .formatted(registry(), reference, answer.value().digest(), digest));
    }
    return new Published(version(reference), answer.status() == CREATED);
  }

  private byte[] read(Path file) throws IOException, InterruptedException {
    try {
      long size = Files.size(file);
      if (size == 0 || size > maxFileSize) {
        throw new IOException(
            "%s has %d bytes, must have 1 to %d".formatted(file, size, maxFileSize));
      }
      return Files.readAllBytes(file);
    } catch (ClosedByInterruptException e) {
      throw ProcessLock.interrupted(e);
    }
  }

  /**
   * Points an alias to a version; creates the alias if it does not exist.
   *
   * @param adapter the adapter's name
   * @param alias the alias to create or move
   * @param version the exact version number
   * @return the alias
   * @throws IllegalArgumentException if the alias breaks a rule, or the version is no number
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Alias setAlias(AdapterName adapter, String alias, String version)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return json(
        Call.of("PUT", aliasPath(adapter, alias)).with(Content.json(new AliasRequest(version))),
        new TypeReference<>() {});
  }

  /**
   * Removes an alias; its history stays.
   *
   * @param adapter the adapter's name
   * @param alias the alias to remove
   * @throws IllegalArgumentException if the alias breaks a rule
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void removeAlias(AdapterName adapter, String alias)
      throws IOException, InterruptedException {
    String path = aliasPath(adapter, alias);
    requireOnline("DELETE " + path);
    transport.status(Call.of("DELETE", path).once()); // a second time it is not there
  }

  /**
   * Returns the versions to which an alias has pointed, latest first.
   *
   * @param adapter the adapter's name
   * @param alias the alias
   * @return the changes
   * @throws IllegalArgumentException if the alias breaks a rule
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<AliasChange> aliasHistory(AdapterName adapter, String alias)
      throws IOException, InterruptedException {
    return json(Call.get(aliasPath(adapter, alias) + "/history"), new TypeReference<>() {});
  }

  /**
   * Withdraws a version from new use: {@code latest} and ranges skip it.
   *
   * @param adapter the adapter's name
   * @param version the exact version number
   * @param reason 1 to 500 characters, shown to anyone still using the version
   * @return the yanked version
   * @throws IllegalArgumentException if the version is no number
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VersionSummary yank(AdapterName adapter, String version, String reason)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return json(
        Call.of("PUT", path(new Reference(adapter, version)) + "/yank")
            .with(Content.json(new YankRequest(reason))),
        new TypeReference<>() {});
  }

  /**
   * Reverts a yank.
   *
   * @param adapter the adapter's name
   * @param version the exact version number
   * @return the version
   * @throws IllegalArgumentException if the version is no number
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public VersionSummary unyank(AdapterName adapter, String version)
      throws IOException, InterruptedException {
    NameRule.VERSION.require(version);
    return json(
        Call.of("DELETE", path(new Reference(adapter, version)) + "/yank"),
        new TypeReference<>() {});
  }

  /**
   * Approves a worker's key, so that its attestations count from now on; for admins.
   *
   * @param fingerprint SHA-256 of the key
   * @param expiresAt when the approval ends, or null if it does not
   * @return the approved key
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WorkerKey approveKey(Sha256 fingerprint, @Nullable Instant expiresAt)
      throws IOException, InterruptedException {
    return json(
        Call.of("PUT", "/api/v1/worker-keys/" + encode(fingerprint.toString()) + "/approval")
            .with(Content.json(new KeyApproval(expiresAt))),
        new TypeReference<>() {});
  }

  /**
   * Issues a token. The request is never sent twice: that would issue two.
   *
   * @param request the account, the permissions and the lifetime
   * @return the token with its secret
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the token is missing or not
   *     sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
   *     UNAVAILABLE} if it cannot be reached or is overloaded; another kind for any other refusal
   *     or a broken answer
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public IssuedToken issueToken(TokenRequest request) throws IOException, InterruptedException {
    return json(
        Call.of("POST", "/api/v1/tokens").with(Content.json(request)).once(),
        new TypeReference<>() {});
  }

  /**
   * Creates a namespace that the caller's account owns, unless the account owns it already.
   *
   * @param namespace the namespace's name
   * @return the namespace
   * @throws IllegalArgumentException if the name breaks its rule
   * @throws RegistryException of kind {@code CONFLICT} if it belongs to another account
   */
  public Namespace createNamespace(String namespace) throws IOException, InterruptedException {
    NameRule.NAMESPACE.require(namespace);
    return json(Call.of("PUT", "/api/v1/namespaces/" + namespace), new TypeReference<>() {});
  }

  /**
   * Returns the token that this client uses: its account and its permissions.
   *
   * @return the token, without its secret
   * @throws RegistryException of kind {@code NOT_ALLOWED} if the client has no token or the token
   *     is not valid
   */
  public Token whoami() throws IOException, InterruptedException {
    return json(Call.get("/api/v1/tokens/current"), new TypeReference<>() {});
  }

  private <T> T json(Call call, TypeReference<T> type) throws IOException, InterruptedException {
    return jsonAndStatus(call, type).value();
  }

  private <T> Transport.Stated<T> jsonAndStatus(Call call, TypeReference<T> type)
      throws IOException, InterruptedException {
    requireOnline(call.toString());
    return transport.jsonAndStatus(call, type);
  }

  private void requireOnline(String call) throws RegistryException {
    if (offline) {
      throw RegistryException.unavailable(
          "%s needs the registry %s, and this is offline".formatted(call, registry()), null);
    }
  }

  private static String path(AdapterName adapter) {
    return "/api/v1/adapters/" + adapter;
  }

  private static String path(Reference reference) {
    return path(reference.adapter()) + "/versions/" + encode(reference.version());
  }

  private static String aliasPath(AdapterName adapter, String alias) {
    NameRule.ALIAS.require(alias);
    return path(adapter) + "/aliases/" + alias;
  }

  private static void add(List<String> parameters, String name, @Nullable Object value) {
    if (value != null) {
      parameters.add(name + "=" + encode(value.toString()));
    }
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Ends its connections, and with them what other threads still do here. */
  @Override
  public void close() {
    transport.close();
  }

  /** Collects what a client needs; only the registry has no default. */
  public static final class Builder {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration REQUEST = Duration.ofSeconds(60);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final int RETRIES = 3;

    private final URI registry;
    private @Nullable String token;
    private @Nullable String tokenHint;
    private @Nullable LocalCache cache;
    private boolean offline;
    private Duration connectTimeout = CONNECT;
    private Duration requestTimeout = REQUEST;
    private int retries = RETRIES;
    private Duration longestPause = LONGEST_PAUSE;
    private long maxFileSize = DEFAULT_MAX_FILE_SIZE;
    private Transport.Pause pause = Thread::sleep;

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
            "the token is not 1 to 512 letters, digits and . _ ~ + / = -");
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
     * Sets how often to retry a request; default: 3 times.
     *
     * @param retries retries after the first attempt, at least 0
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public Builder retries(int retries) {
      if (retries < 0) {
        throw new IllegalArgumentException("retries=" + retries + ", must not be negative");
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
        throw new IllegalArgumentException("maxFileSize=" + bytes + ", must be 1 to 2147483639");
      }
      this.maxFileSize = bytes;
      return this;
    }

    /** Waits between tries; for tests, which have no time to. */
    Builder pause(Transport.Pause pause) {
      this.pause = pause;
      return this;
    }

    private static Duration positive(String name, Duration time) {
      if (time.isNegative() || time.isZero()) {
        throw new IllegalArgumentException(name + "=" + time + ", must be positive");
      }
      return time;
    }

    /**
     * Returns the client.
     *
     * @return the client
     * @throws IllegalArgumentException if a token would be sent in plain HTTP to another machine
     */
    public NolaClient build() {
      return new NolaClient(this);
    }
  }
}

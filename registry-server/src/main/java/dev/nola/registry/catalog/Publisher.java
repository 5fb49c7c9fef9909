package dev.nola.registry.catalog;

import dev.nola.api.Contents;
import dev.nola.api.Verification;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.name.VersionNumber;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.Limits;
import dev.nola.registry.blobs.BlobContent;
import dev.nola.registry.blobs.BlobReferences;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BodyReceiver;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Publishes versions: receives the bytes, examines them, keeps them and records the version. Until
 * it is recorded, nothing of it is visible. A file that is refused leaves neither row nor blob; if
 * another publication gets in its way between the last two steps, its blob is left to the garbage
 * collection.
 */
@Component
@EnableConfigurationProperties(CatalogSettings.class)
public class Publisher {
  private final AdapterRepository adapters;
  private final VersionRepository versions;
  private final AdapterAccess visible;
  private final Access access;
  private final Limits limits;
  private final BlobStore blobs;
  private final BlobReferences references;
  private final AdapterExaminer examination;
  private final ContentsStore contents;
  private final Quota quota;
  private final TransactionTemplate transaction;
  private final ApplicationEventPublisher events;
  private final CatalogSettings settings;
  private final Clock clock;

  /**
   * Takes more than six beans: publishing checks rights, limits and quota, stores the bytes and the
   * version, and announces it, in one transaction.
   */
  Publisher(
      AdapterRepository adapters,
      VersionRepository versions,
      AdapterAccess visible,
      Access access,
      Limits limits,
      BlobStore blobs,
      BlobReferences references,
      AdapterExaminer examination,
      ContentsStore contents,
      Quota quota,
      TransactionTemplate transaction,
      ApplicationEventPublisher events,
      CatalogSettings settings,
      Clock clock) {
    this.adapters = adapters;
    this.versions = versions;
    this.visible = visible;
    this.access = access;
    this.limits = limits;
    this.blobs = blobs;
    this.references = references;
    this.examination = examination;
    this.contents = contents;
    this.quota = quota;
    this.transaction = transaction;
    this.events = events;
    this.settings = settings;
    this.clock = clock;
  }

  /**
   * The version to publish.
   *
   * @param adapter of the version
   * @param version its number
   * @param visibility of the adapter if it is new; must fit that of an existing one, null for any
   */
  public record Target(AdapterName adapter, String version, @Nullable Visibility visibility) {
    @Override
    public String toString() {
      return adapter + "@" + version;
    }
  }

  /**
   * A file that was examined, is kept in the store and may be recorded.
   *
   * @param caller in whose name the version is published
   * @param target the version
   * @param content bytes of the file; those of an upload are valid until it is closed
   * @param examined the file as it was read
   */
  public record Candidate(
      Caller caller, Target target, BlobContent content, AdapterExaminer.Examined examined) {
    /**
     * Returns the evaluation that the file's metadata has.
     *
     * @return metrics by name; may be empty
     */
    public Map<String, Double> metrics() {
      return examined.file().adapter().metadata().metrics();
    }
  }

  /**
   * A version that is published.
   *
   * @param version as the API shows it
   * @param created false if the same bytes were already published
   */
  public record Published(VersionSummary version, boolean created) {}

  /**
   * Publishes a version.
   *
   * @param length of the body as declared, or -1
   * @throws Refusal if the caller may not, or the file or the request breaks a rule
   * @throws IOException if the body cannot be received or kept
   */
  Published publish(Caller caller, Target target, long length, InputStream body)
      throws IOException {
    visible.requireMember(caller, target.adapter());
    BodyReceiver receiver =
        new BodyReceiver(
            length,
            settings.maxFileSize().toBytes(),
            settings.uploadTimeout(),
            bytes -> limits.countUpload(caller, bytes));
    try (BlobStore.Upload upload = blobs.begin()) {
      receiver.receive(body, upload);
      return publish(caller, target, BlobContent.of(upload));
    }
  }

  /**
   * Publishes a version.
   *
   * @param caller in whose name it is published
   * @param target the version
   * @param content bytes of the file
   * @return the version, new or already there
   * @throws Refusal if the caller may not, or the file or the request breaks a rule
   * @throws IOException if the bytes cannot be read back or kept
   */
  public Published publish(Caller caller, Target target, BlobContent content) throws IOException {
    Candidate candidate = prepare(caller, target, content);
    try {
      return Objects.requireNonNull(transaction.execute(_ -> record(candidate)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Requires that a file that does not exist yet could be published now.
   *
   * @param caller in whose name it would be published
   * @param target the version
   * @throws Refusal if the caller may not, a name breaks a rule or the version exists
   */
  public void requirePossible(Caller caller, Target target) {
    visible.requireMember(caller, target.adapter());
    CatalogRules.requireLegal(target);
    String name = target.adapter().namespace();
    long namespace = access.idOf(name).orElseThrow(() -> Refusal.notFound("namespace " + name));
    Optional<AdapterEntity> adapter =
        adapters.findByNamespaceIdAndName(namespace, target.adapter().name());
    if (adapter.isEmpty()) {
      return;
    }
    requireVisibility(target, adapter.get());
    VersionNumber number = VersionNumber.parse(target.version());
    versions
        .findByAdapterIdAndPrecedence(adapter.get().id(), number.precedence())
        .ifPresent(
            taken -> {
              throw Refusal.of(
                  HttpStatus.CONFLICT,
                  "version-exists",
                  "version number taken: %s@%s %s; publish under another number"
                      .formatted(
                          target.adapter(),
                          taken.version,
                          taken.deletedAt == null ? "exists" : "was deleted"));
            });
  }

  /**
   * Reads a file, checks all rules and keeps its bytes, even if the store has them: that replaces a
   * blob that was lost or damaged, and spares it from a garbage collection that does not see the
   * version yet. Not part of the transaction that records the version, whose connection would wait
   * for S3.
   *
   * @param caller in whose name the version is to be published
   * @param target the version
   * @param content bytes of the file
   * @return the file, to be recorded
   * @throws Refusal if the caller may not, or the file or the request breaks a rule
   * @throws IOException if the bytes cannot be read back or kept
   */
  public Candidate prepare(Caller caller, Target target, BlobContent content) throws IOException {
    visible.requireMember(caller, target.adapter());
    requireSize(content.size());
    AdapterExaminer.Examined examined = examine(caller, content);
    CatalogRules.require(
        target,
        examined.file().adapter(),
        content.size(),
        roomFor(target.adapter(), content.digest()));
    Candidate candidate = new Candidate(caller, target, content, examined);
    requireRecordable(candidate);
    content.keep();
    return candidate;
  }

  /**
   * Requires that a file may be as large, before it is made.
   *
   * @param size of the file in bytes
   * @throws Refusal with status 413 if it is too large
   */
  public void requireSize(long size) {
    if (size > settings.maxFileSize().toBytes()) {
      throw Refusal.of(
          HttpStatus.CONTENT_TOO_LARGE,
          "too-large",
          "file too large; the limit is %d bytes".formatted(settings.maxFileSize().toBytes()));
    }
  }

  private AdapterExaminer.Examined examine(Caller caller, BlobContent content) throws IOException {
    try {
      return examination.examine(caller.account(), content::open);
    } catch (AdapterException e) {
      throw Refusal.of(
          HttpStatus.UNPROCESSABLE_CONTENT, "damaged-adapter", String.valueOf(e.getMessage()));
    }
  }

  /**
   * Records the version, as part of the caller's transaction.
   *
   * @param candidate that was prepared
   * @return the version, new or already there
   * @throws Refusal if the version is there with other bytes, or the blob was deleted since
   * @throws UncheckedIOException if the store cannot be asked for the blob
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public Published record(Candidate candidate) {
    Target target = candidate.target();
    VersionNumber number = VersionNumber.parse(target.version());
    String namespace = target.adapter().namespace();
    long namespaceId =
        access.idOf(namespace).orElseThrow(() -> Refusal.notFound("namespace " + namespace));
    AdapterEntity adapter = adapter(namespaceId, target, candidate.content().digest());
    Optional<VersionEntity> existing =
        versions.findByAdapterIdAndPrecedence(adapter.id(), number.precedence());
    if (existing.isPresent()) {
      requireSame(existing.get(), candidate);
      return new Published(existing.get().summary(), false);
    }
    boolean known = versions.refersTo(candidate.content().digest().toString());
    Contents file = Contents.of(candidate.examined().file());
    VersionEntity version = versions.saveAndFlush(describe(adapter, number, candidate, file));
    if (!known) {
      quota.require(namespace, version.size);
    }
    contents.add(version.id(), file);
    visible.changed(
        target.adapter(),
        adapter.id(),
        candidate.caller(),
        "version.publish",
        target.toString(),
        version.digest);
    events.publishEvent(
        new VersionPublished(
            target.adapter(), version.version, version.digest, version.selfVerified));
    return new Published(version.summary(), true);
  }

  /** Finds or creates the adapter. Takes the locks of a publication, in the order of all others. */
  private AdapterEntity adapter(long namespaceId, Target target, Sha256 digest) {
    String name = target.adapter().name();
    boolean isPrivate = target.visibility() == Visibility.PRIVATE;
    references.hold(digest);
    adapters.insertIfAbsent(namespaceId, name, isPrivate, clock.instant());
    adapters.lockWithFile(namespaceId, name, digest.toString());
    AdapterEntity adapter = adapters.findByNamespaceIdAndName(namespaceId, name).orElseThrow();
    requireVisibility(target, adapter);
    return adapter;
  }

  private static void requireVisibility(Target target, AdapterEntity adapter) {
    if (target.visibility() != null && target.visibility() != adapter.visibility()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "other-visibility",
          "visibility cannot be changed by publishing: %s is %s"
              .formatted(target.adapter(), Label.of(adapter.visibility())));
    }
  }

  /** Refuses what {@link #record} would refuse now, so that it leaves no blob. */
  private void requireRecordable(Candidate candidate) {
    Target target = candidate.target();
    access
        .idOf(target.adapter().namespace())
        .flatMap(id -> adapters.findByNamespaceIdAndName(id, target.adapter().name()))
        .ifPresent(
            adapter -> {
              requireVisibility(target, adapter);
              versions
                  .findByAdapterIdAndPrecedence(
                      adapter.id(), VersionNumber.parse(target.version()).precedence())
                  .ifPresent(existing -> requireSame(existing, candidate));
            });
  }

  private static void requireSame(VersionEntity existing, Candidate candidate) {
    String what = candidate.target().adapter() + "@" + existing.version;
    if (existing.deletedAt != null) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "version-deleted",
          what + " was deleted; its number cannot be reused");
    }
    if (!existing.version.equals(VersionNumber.parse(candidate.target().version()).text())
        || !existing.digest().equals(candidate.content().digest())) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "version-exists",
          "%s exists with digest %s and cannot be replaced; the file sent has digest %s"
              .formatted(what, existing.digest, candidate.content().digest()));
    }
  }

  /** Returns the bytes that the namespace may still use; a file that it already has needs none. */
  private long roomFor(AdapterName adapter, Sha256 digest) {
    return versions.refersTo(digest.toString())
        ? Long.MAX_VALUE
        : quota.roomOf(adapter.namespace());
  }

  private VersionEntity describe(
      AdapterEntity owner, VersionNumber number, Candidate candidate, Contents file) {
    AdapterExaminer.Examined examined = candidate.examined();
    VersionEntity version = new VersionEntity();
    version.adapterId = owner.id();
    version.version = number.text();
    version.precedence = number.precedence();
    version.prerelease = number.prerelease();
    version.digest = candidate.content().digest().toString();
    version.size = candidate.content().size();
    version.describe(examined.file().adapter(), file);
    version.publishedAt = clock.instant();
    version.selfVerified = candidate.examined().reconstructed();
    if (version.selfVerified) {
      version.verification = Verification.SELF_VERIFIED;
      version.verifiedAt = version.publishedAt;
    }
    version.publishedBy = candidate.caller().account();
    return version;
  }
}

package dev.nola.registry.catalog;

import dev.nola.api.Contents;
import dev.nola.api.Verification;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Sha256;
import dev.nola.generator.Side;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.Limits;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.verification.Verifier;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.time.Clock;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Takes a version in: receives its bytes, examines them, and records it. Before the last step
 * nothing of it can be seen; a file that is refused leaves neither row nor blob.
 */
@Component
@EnableConfigurationProperties(CatalogSettings.class)
class Publishing {
  private static final int BUFFER = 64 * 1024;

  private final AdapterRepository adapters;
  private final VersionRepository versions;
  private final Adapters visible;
  private final Access access;
  private final Limits limits;
  private final BlobStore blobs;
  private final Verifier verifier;
  private final ContentsStore contents;
  private final TransactionTemplate transaction;
  private final CatalogSettings settings;
  private final Clock clock;

  Publishing(
      AdapterRepository adapters,
      VersionRepository versions,
      Adapters visible,
      Access access,
      Limits limits,
      BlobStore blobs,
      Verifier verifier,
      ContentsStore contents,
      TransactionTemplate transaction,
      CatalogSettings settings,
      Clock clock) {
    this.adapters = adapters;
    this.versions = versions;
    this.visible = visible;
    this.access = access;
    this.limits = limits;
    this.blobs = blobs;
    this.verifier = verifier;
    this.contents = contents;
    this.transaction = transaction;
    this.settings = settings;
    this.clock = clock;
  }

  /**
   * A version that is to be published.
   *
   * @param visibility of the adapter, if the caller says; it decides when the adapter is new
   * @param length of the body as declared, or -1
   */
  record Request(
      AdapterName adapter,
      String version,
      @Nullable Visibility visibility,
      long length,
      InputStream body) {}

  /**
   * What came of it.
   *
   * @param created false if the same bytes were there already
   */
  record Published(VersionSummary version, boolean created) {}

  /**
   * Publishes a version.
   *
   * @throws Refusal if the caller may not, or the file or what is asked for it breaks a rule
   * @throws IOException if the body cannot be received or kept
   */
  Published publish(Caller caller, Request request) throws IOException {
    visible.requireMember(caller, request.adapter());
    if (request.length() > settings.maxFileSize().toBytes()) {
      throw tooLarge();
    }
    try (BlobStore.Upload upload = blobs.begin()) {
      Sha256 digest = receive(caller, request, upload);
      Verifier.Examined examined = examine(upload);
      CatalogRules.require(
          request, examined.file().adapter(), upload.size(), roomFor(request, digest));
      return Objects.requireNonNull(
          transaction.execute(_ -> record(caller, request, upload, digest, examined)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private Sha256 receive(Caller caller, Request request, BlobStore.Upload upload)
      throws IOException {
    var hash = Sha256.newMessageDigest();
    byte[] buffer = new byte[BUFFER];
    long deadline = System.nanoTime() + settings.uploadTimeout().toNanos();
    for (int n = read(request, buffer); n >= 0; n = read(request, buffer)) {
      limits.countUpload(caller, n);
      upload.write(buffer, 0, n);
      hash.update(buffer, 0, n);
      if (upload.size() > settings.maxFileSize().toBytes()) {
        throw tooLarge();
      }
      if (System.nanoTime() > deadline) {
        throw tooSlow();
      }
    }
    if (request.length() >= 0 && upload.size() != request.length()) {
      throw Refusal.of(
          HttpStatus.BAD_REQUEST,
          "wrong-length",
          "the body has %d bytes, Content-Length says %d"
              .formatted(upload.size(), request.length()));
    }
    return Sha256.finish(hash);
  }

  private int read(Request request, byte[] buffer) throws IOException {
    try {
      return request.body().read(buffer);
    } catch (IOException e) {
      if (e instanceof SocketTimeoutException || e.getCause() instanceof SocketTimeoutException) {
        throw tooSlow();
      }
      // Its sender is most likely gone; in case not, this is for it, and not a fault of ours.
      throw Refusal.of(HttpStatus.BAD_REQUEST, "cut-off", "the body could not be read to its end");
    }
  }

  private Verifier.Examined examine(BlobStore.Upload upload) throws IOException {
    try {
      return verifier.examine(upload::open);
    } catch (AdapterException e) {
      throw Refusal.of(
          HttpStatus.UNPROCESSABLE_CONTENT, "damaged-adapter", String.valueOf(e.getMessage()));
    }
  }

  private Published record(
      Caller caller,
      Request request,
      BlobStore.Upload upload,
      Sha256 digest,
      Verifier.Examined examined) {
    VersionNumber number = VersionNumber.parse(request.version()).orElseThrow();
    long namespaceId =
        access
            .idOf(request.adapter().namespace())
            .orElseThrow(() -> Refusal.notFound("namespace " + request.adapter().namespace()));
    AdapterEntity adapter = adapter(namespaceId, request);
    Optional<VersionEntity> existing =
        versions.findByAdapterIdAndPrecedence(adapter.id(), number.precedence());
    if (existing.isPresent()) {
      return repeated(existing.get(), number, digest, upload, request);
    }
    // Before the row is there, so that no row is without its blob; even if the store has these
    // bytes, since that spares them from a garbage collection that does not see the row yet.
    commit(upload);
    VersionEntity version =
        versions.saveAndFlush(describe(adapter, number, digest, upload.size(), examined, caller));
    contents.add(version.id(), Contents.of(examined.file()));
    visible.changed(
        request.adapter(),
        adapter.id(),
        caller,
        "version.publish",
        request.adapter() + "@" + number,
        digest.toString());
    return new Published(version.summary(), true);
  }

  private AdapterEntity adapter(long namespaceId, Request request) {
    String name = request.adapter().name();
    boolean isPrivate = request.visibility() == Visibility.PRIVATE;
    adapters.insertIfAbsent(namespaceId, name, isPrivate, clock.instant());
    AdapterEntity adapter = adapters.lock(namespaceId, name).orElseThrow();
    if (request.visibility() != null && request.visibility() != adapter.visibility()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "other-visibility",
          "%s is %s; publishing does not change that"
              .formatted(request.adapter(), adapter.visibility().name().toLowerCase()));
    }
    return adapter;
  }

  private Published repeated(
      VersionEntity existing,
      VersionNumber number,
      Sha256 digest,
      BlobStore.Upload upload,
      Request request) {
    String what = request.adapter() + "@" + existing.version;
    if (existing.deletedAt != null) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "version-deleted",
          what + " was deleted; its number is not given to other bytes, nor to the same");
    }
    if (!existing.version.equals(number.text()) || !existing.digest().equals(digest)) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "version-exists",
          "%s exists with digest %s, and versions do not change; this is %s with digest %s"
              .formatted(what, existing.digest, number, digest));
    }
    // Also mends a blob that was lost or damaged.
    commit(upload);
    return new Published(existing.summary(), false);
  }

  private static void commit(BlobStore.Upload upload) {
    try {
      upload.commit();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Bytes that the namespace may still take; whatever it has already takes none. */
  private long roomFor(Request request, Sha256 digest) {
    if (versions.refersTo(digest.toString())) {
      return Long.MAX_VALUE;
    }
    long used =
        access.idOf(request.adapter().namespace()).map(versions::sizeOfNamespace).orElse(0L);
    return settings.namespaceQuota().toBytes() - used;
  }

  private VersionEntity describe(
      AdapterEntity owner,
      VersionNumber number,
      Sha256 digest,
      long size,
      Verifier.Examined examined,
      Caller caller) {
    Adapter adapter = examined.file().adapter();
    VersionEntity version = new VersionEntity();
    version.adapterId = owner.id();
    version.version = number.text();
    version.precedence = number.precedence();
    version.prerelease = number.prerelease();
    version.digest = digest.toString();
    version.size = size;
    version.base = adapter.base().name();
    version.generator = adapter.generator().label();
    for (Layer layer : adapter.layers()) {
      if (layer.coefficients() instanceof LowRank lowRank) {
        version.rank = Math.max(version.rank, lowRank.rank());
      }
      for (Side side : Side.values()) {
        Codes codes = layer.codes(side);
        if (codes != null) {
          version.bits = Math.max(version.bits, codes.bits());
          version.coefficients += codes.count();
        }
      }
    }
    version.description = adapter.metadata().description();
    version.task = adapter.metadata().task();
    version.license = adapter.metadata().license();
    version.tags = adapter.metadata().tags().toArray(String[]::new);
    version.verification = examined.verification();
    version.publishedAt = clock.instant();
    version.verifiedAt =
        examined.verification() == Verification.VERIFIED ? version.publishedAt : null;
    version.publishedBy = caller.account();
    return version;
  }

  private Refusal tooLarge() {
    return Refusal.of(
        HttpStatus.CONTENT_TOO_LARGE,
        "too-large",
        "the file is larger than %d bytes".formatted(settings.maxFileSize().toBytes()));
  }

  private Refusal tooSlow() {
    return Refusal.of(
        HttpStatus.REQUEST_TIMEOUT,
        "too-slow",
        "the body stopped, or took longer than %d seconds"
            .formatted(settings.uploadTimeout().toSeconds()));
  }
}

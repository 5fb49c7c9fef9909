package dev.nola.registry.objects;

import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.Limits;
import dev.nola.registry.blobs.BlobReferences;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BodyReceiver;
import dev.nola.registry.catalog.Quota;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.support.TransactionTemplate;

/** Receives and finds the files of models and datasets, if the caller may. */
@Service
@EnableConfigurationProperties(ObjectSettings.class)
class ObjectFiles {
  private final ObjectService service;
  private final ObjectRepository objects;
  private final BlobStore blobs;
  private final BlobReferences references;
  private final TransactionTemplate transaction;
  private final Quota quota;
  private final Access access;
  private final Limits limits;
  private final ObjectSettings settings;

  /** Takes more than six beans: an upload checks rights, limits and quota before it is stored. */
  ObjectFiles(
      ObjectService service,
      ObjectRepository objects,
      BlobStore blobs,
      BlobReferences references,
      TransactionTemplate transaction,
      Quota quota,
      Access access,
      Limits limits,
      ObjectSettings settings) {
    this.service = service;
    this.objects = objects;
    this.blobs = blobs;
    this.references = references;
    this.transaction = transaction;
    this.quota = quota;
    this.access = access;
    this.limits = limits;
    this.settings = settings;
  }

  /**
   * Receives a file.
   *
   * @param caller who sends it
   * @param name of the object that it is for
   * @param digest that the bytes must have, {@code sha256:…}
   * @param length of the body in bytes, or -1 if unknown
   * @param body of the request
   * @return whether the file is new to the namespace
   * @throws Refusal if the caller may not, the bytes have another digest, or they are too many
   * @throws IOException if the bytes cannot be received or stored
   */
  boolean receive(Caller caller, ObjectName name, String digest, long length, InputStream body)
      throws IOException {
    long namespaceId = service.requireMember(caller, name);
    Sha256 expected = parse(digest);
    BodyReceiver receiver =
        new BodyReceiver(
            length,
            settings.maxFileSize().toBytes(),
            settings.uploadTimeout(),
            bytes -> limits.countUpload(caller, bytes));
    try (BlobStore.Upload upload = blobs.begin()) {
      receiver.receive(body, upload);
      Sha256 actual = upload.digest();
      if (!actual.equals(expected)) {
        throw Refusal.of(
            HttpStatus.UNPROCESSABLE_CONTENT,
            "wrong-digest",
            "wrong digest: the body has %s, the path says %s".formatted(actual, expected));
      }
      long size = upload.size();
      boolean known = objects.sizeOf(namespaceId, expected).isPresent();
      if (!known) {
        quota.requireRoom(name.namespace(), size);
      }
      upload.commit(); // before the row, so that no row is without its blob
      return Objects.requireNonNull(
          transaction.execute(_ -> record(name.namespace(), namespaceId, actual, size)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private boolean record(String namespace, long namespaceId, Sha256 digest, long size) {
    references.hold(digest);
    boolean created = objects.addBlob(namespaceId, digest, size);
    if (created) {
      quota.require(namespace, size);
    }
    return created;
  }

  /**
   * Finds a file that the namespace of an object has.
   *
   * @param caller of the request
   * @param name of the object
   * @param digest of the file, {@code sha256:…}
   * @return digest of its blob
   * @throws Refusal if it does not exist or the caller may not see it, or the digest is invalid
   */
  Sha256 find(Caller caller, ObjectName name, String digest) {
    service.requireSeen(caller, name);
    Sha256 parsed = parse(digest);
    if (access.idOf(name.namespace()).flatMap(id -> objects.sizeOf(id, parsed)).isEmpty()) {
      throw Refusal.notFound("file " + digest);
    }
    return parsed;
  }

  private static Sha256 parse(String digest) {
    try {
      return Sha256.parse(digest);
    } catch (IllegalArgumentException _) {
      throw Refusal.invalid(
          "digest", "invalid digest: " + digest + "; must be sha256: and 64 hexadecimal digits");
    }
  }
}

package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.data.StartCheck;
import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Iterator;
import java.util.UUID;
import org.springframework.stereotype.Component;

/**
 * Checks that the bucket can be used, if the settings name one. The data directory has a check of
 * its own.
 */
@Component
final class BlobsCheck implements StartCheck {
  private final S3Settings settings;

  BlobsCheck(S3Settings settings) {
    this.settings = settings;
  }

  @Override
  public String subject() {
    return "blobs";
  }

  @Override
  public String run() {
    if (settings.bucket() == null) {
      return "in the data directory";
    }
    String bucket =
        "bucket %s of %s"
            .formatted(
                settings.bucket(), settings.endpoint() == null ? "AWS" : settings.endpoint());
    try (Bucket opened = Bucket.open(settings, S3Limits.DEFAULT.once())) {
      requireUsable(opened);
      return bucket;
    } catch (IOException e) {
      throw new StartFailure(
          "%s cannot be used: %s"
              .formatted(bucket, e instanceof S3Failure s3 ? s3.brief() : e.getMessage()),
          "Check that it exists, nola.blobs.s3.endpoint, .region and .path-style, and that the"
              + " credentials of AWS's SDK (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role)"
              + " may list the bucket, and read, write and delete its objects.",
          e);
    }
  }

  /**
   * Writes, lists, reads, copies and deletes a small blob. If a crash leaves it, it is collected as
   * garbage.
   */
  private static void requireUsable(Bucket bucket) throws IOException {
    byte[] bytes = ("check " + UUID.randomUUID()).getBytes(StandardCharsets.US_ASCII);
    Sha256 digest = Sha256.hash(bytes);
    Instant now = Clock.systemUTC().instant();
    S3Name name = S3Name.unique(digest, now);
    S3Name copy = S3Name.unique(digest, now.plus(1, ChronoUnit.MICROS));
    bucket.put(name.key(), bytes);
    try {
      Bucket.StoredObject object = listed(bucket, digest);
      if (!Arrays.equals(read(bucket, object), bytes)) {
        throw new IOException("object is read with other bytes than were written: " + name.key());
      }
      if (!bucket.copy(object, copy.key())) {
        throw new IOException("object that was written cannot be copied: " + name.key());
      }
    } finally {
      bucket.delete(name.key());
      bucket.delete(copy.key());
    }
  }

  private static Bucket.StoredObject listed(Bucket bucket, Sha256 digest) throws IOException {
    try {
      Iterator<Bucket.StoredObject> objects = bucket.list(S3Name.prefix(digest));
      if (!objects.hasNext()) {
        throw new IOException(
            "object that was written is not listed; the store must list it at once");
      }
      return objects.next();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static byte[] read(Bucket bucket, Bucket.StoredObject object) throws IOException {
    try (InputStream bytes =
        new S3Range((offset, length) -> bucket.read(object, offset, length), 0, object.size())) {
      return bytes.readAllBytes();
    }
  }
}

package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Blobs in a bucket of its own, with small parts and short waits. */
record S3Fixture(Path root, S3Settings settings) implements StoreFixture {
  /** S3's minimum of all parts but the last. */
  static final int PART = 5 << 20;

  private static final String PREFIX = "nola/";

  private static final S3Limits LIMITS =
      new S3Limits(
          PART,
          2L * PART,
          new S3Limits.Timeouts(
              Duration.ofSeconds(5),
              Duration.ofSeconds(2), // a busy machine may take a second to answer
              Duration.ofSeconds(8),
              Duration.ofSeconds(8)),
          3,
          Duration.ofMillis(1));

  static S3Fixture create(Path root) {
    return create(root, S3Server.shared().endpoint());
  }

  /** With another address of the server. */
  static S3Fixture create(Path root, URI endpoint) {
    return new S3Fixture(
        root, new S3Settings(S3Server.shared().bucket(), endpoint, null, PREFIX, true, null));
  }

  @Override
  public BlobStore open(Clock clock) throws IOException {
    return S3BlobStore.open(Bucket.open(settings, LIMITS), uploads(), clock);
  }

  @Override
  public Path uploads() {
    return root.resolve("tmp");
  }

  @Override
  public int count() throws IOException {
    return Blobs.filesUnder(root).size()
        + objects().size()
        + S3Server.shared()
            .client()
            .listMultipartUploads(request -> request.bucket(settings.bucket()))
            .uploads()
            .size();
  }

  List<S3Object> objects() {
    return S3Server.shared()
        .client()
        .listObjectsV2(request -> request.bucket(settings.bucket()))
        .contents();
  }

  @Override
  public void damage(Sha256 digest, byte[] bytes) {
    String key =
        objects().stream()
            .map(S3Object::key)
            .filter(name -> name.startsWith(PREFIX + S3Name.prefix(digest)))
            .toList()
            .getLast();
    put(key, bytes);
  }

  @Override
  public void addForeign(Sha256 digest) {
    put(PREFIX + S3Name.prefix(digest) + "note", new byte[0]);
    put(PREFIX + "sha256/note", new byte[0]);
    put("sha256/" + S3Name.unique(digest, Clock.systemUTC().instant()).key(), new byte[0]);
  }

  /** Adds an object of a blob, as another process does that commits at the same time. */
  void addCopy(Sha256 digest, Instant time, byte[] bytes) {
    put(PREFIX + S3Name.unique(digest, time).key(), bytes);
  }

  /** Adds objects that are named like blobs. */
  void addEmptyBlobs(int count, Instant time) {
    IntStream.range(0, count)
        .parallel()
        .mapToObj(i -> S3Name.unique(Sha256.hash(Blobs.utf8("blob " + i)), time))
        .forEach(name -> put(PREFIX + name.key(), new byte[0]));
  }

  private void put(String key, byte[] bytes) {
    S3Server.shared()
        .client()
        .putObject(
            request -> request.bucket(settings.bucket()).key(key), RequestBody.fromBytes(bytes));
  }
}

package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Iterator;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * The objects of a bucket whose keys begin with a prefix, which is left out here. Failures of the
 * SDK become {@link S3Failure}s.
 */
final class Bucket implements AutoCloseable {
  private static final String TYPE = "application/octet-stream";
  private static final int PRECONDITION_FAILED = 412;

  private final S3Connection connection;
  private final S3Client client;
  private final String name;
  private final String prefix;
  private final S3Limits limits;
  private final MultipartUploads multipart;
  private final @Nullable Duration validity;

  private Bucket(S3Connection connection, S3Settings settings, S3Limits limits) {
    this.connection = connection;
    this.client = connection.client();
    this.name = Objects.requireNonNull(settings.bucket());
    this.prefix = settings.prefix();
    this.limits = limits;
    this.multipart = new MultipartUploads(client, name, prefix, limits);
    this.validity = settings.presigned();
  }

  /**
   * An object of the bucket.
   *
   * @param key without the prefix
   * @param size in bytes
   * @param tag entity tag
   */
  record StoredObject(String key, long size, String tag) {}

  /**
   * Returns a bucket, without asking for it.
   *
   * @param settings with a bucket
   * @param limits of requests
   * @return the bucket
   * @throws StartFailure if neither the settings nor the SDK's default chain name a region
   */
  static Bucket open(S3Settings settings, S3Limits limits) {
    return new Bucket(S3Connection.open(settings, limits), settings, limits);
  }

  /**
   * Lists objects in the order of their keys, by the page. The iterator throws {@link
   * UncheckedIOException} if a page cannot be read, as does this method for the first.
   *
   * @param start of their keys
   * @return the objects
   */
  Iterator<StoredObject> list(String start) {
    String request = "list " + start;
    Iterator<S3Object> objects =
        unchecked( // asks for the first page
            request,
            client
                    .listObjectsV2Paginator(page -> page.bucket(name).prefix(prefix + start))
                    .contents()
                ::iterator);
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return unchecked(request, objects::hasNext);
      }

      @Override
      public StoredObject next() {
        S3Object object = unchecked(request, objects::next);
        return new StoredObject(
            object.key().substring(prefix.length()), object.size(), object.eTag());
      }
    };
  }

  private <T> T unchecked(String request, Supplier<T> call) {
    try {
      return call.get();
    } catch (SdkException e) {
      throw new UncheckedIOException(S3Failure.of(request, name, e));
    }
  }

  /**
   * Writes an object from a file, at once: in parts if it is larger than one. S3 compares the bytes
   * that it receives with the file's SHA-256.
   *
   * @param key of an object that nobody else writes
   * @param file with the bytes
   * @throws IOException if it is not certain that the object is there
   */
  void put(String key, SpooledUpload.SpooledFile file) throws IOException {
    try {
      if (file.size() > limits.part()) {
        multipart.put(prefix + key, file);
        return;
      }
      client.putObject(
          request ->
              request
                  .bucket(name)
                  .key(prefix + key)
                  .checksumSHA256(base64(file.digest().toBytes()))
                  .overrideConfiguration(lasting(limits.timeouts().transfer())),
          body(file, 0, file.size()));
    } catch (UncheckedIOException e) {
      throw e.getCause(); // the file cannot be read
    } catch (SdkException e) {
      throw S3Failure.of("write " + key, name, e);
    }
  }

  /**
   * Writes a few bytes.
   *
   * @param key of the object, which is replaced
   * @param bytes to write
   * @throws IOException if the object may not be there
   */
  void put(String key, byte[] bytes) throws IOException {
    try {
      client.putObject(
          request ->
              request
                  .bucket(name)
                  .key(prefix + key)
                  .checksumSHA256(base64(Sha256.hash(bytes).toBytes())),
          RequestBody.fromBytes(bytes));
    } catch (SdkException e) {
      throw S3Failure.of("write " + key, name, e);
    }
  }

  /**
   * Has S3 copy an object.
   *
   * @param from the object
   * @param key of an object that nobody else writes
   * @return false if the object does not exist, as it was listed
   * @throws IOException if it is not certain that the copy is there
   */
  boolean copy(StoredObject from, String key) throws IOException {
    try {
      if (from.size() > limits.copy()) {
        multipart.copy(from, prefix + key);
        return true;
      }
      client.copyObject(
          request ->
              request
                  .sourceBucket(name)
                  .sourceKey(prefix + from.key())
                  .copySourceIfMatch(from.tag())
                  .destinationBucket(name)
                  .destinationKey(prefix + key)
                  .overrideConfiguration(lasting(limits.timeouts().transfer())));
      return true;
    } catch (S3Exception e) {
      if (isGone(e)) {
        return false;
      }
      throw S3Failure.of("copy " + from.key(), name, e);
    } catch (SdkException e) {
      throw S3Failure.of("copy " + from.key(), name, e);
    }
  }

  /**
   * Deletes an object; does nothing if it does not exist.
   *
   * @param key of the object
   * @throws IOException if the object may still be there
   */
  void delete(String key) throws IOException {
    try {
      client.deleteObject(request -> request.bucket(name).key(prefix + key));
    } catch (SdkException e) {
      throw S3Failure.of("delete " + key, name, e);
    }
  }

  /**
   * Reads a range of an object. If it is the whole object, the SDK compares its bytes with the
   * SHA-256 that S3 has of them, and throws at their end.
   *
   * @param object as it was listed
   * @param offset of the first byte
   * @param length in bytes, at least 1
   * @return the bytes
   * @throws NoSuchFileException if the object does not exist, as it was listed
   * @throws IOException if it cannot be read
   */
  ResponseInputStream<GetObjectResponse> read(StoredObject object, long offset, long length)
      throws IOException {
    GetObjectRequest.Builder request =
        GetObjectRequest.builder().bucket(name).key(prefix + object.key()).ifMatch(object.tag());
    if (length == object.size()) {
      request.checksumMode(ChecksumMode.ENABLED);
    } else {
      request.range("bytes=%d-%d".formatted(offset, offset + length - 1));
    }
    ResponseInputStream<GetObjectResponse> bytes;
    try {
      bytes = client.getObject(request.build());
    } catch (S3Exception e) {
      if (isGone(e)) {
        throw new NoSuchFileException(object.key());
      }
      throw S3Failure.of("read " + object.key(), name, e);
    } catch (SdkException e) {
      throw S3Failure.of("read " + object.key(), name, e);
    }
    if (bytes.response().contentLength() != length) {
      bytes.abort();
      throw new IOException(
          "cannot read %s in bucket %s: S3 sends %d bytes of the %d from %d on"
              .formatted(object.key(), name, bytes.response().contentLength(), length, offset));
    }
    return bytes;
  }

  /** Returns whether downloads are redirected to the bucket. */
  boolean presigns() {
    return validity != null;
  }

  /**
   * Returns a URL that reads an object, for as long as the settings say.
   *
   * @param key of the object
   * @param type Content-Type of the answer
   * @param disposition Content-Disposition of the answer
   * @return the URL
   * @throws IOException if the credentials that sign it cannot be obtained
   */
  URI presign(String key, String type, String disposition) throws IOException {
    try {
      return URI.create(
          connection
              .presigner()
              .presignGetObject(
                  presign ->
                      presign
                          .signatureDuration(Objects.requireNonNull(validity))
                          .getObjectRequest(
                              request ->
                                  request
                                      .bucket(name)
                                      .key(prefix + key)
                                      .responseContentType(type)
                                      .responseContentDisposition(disposition)))
              .url()
              .toString());
    } catch (SdkException e) {
      throw S3Failure.of("sign a URL of " + key, name, e);
    }
  }

  /**
   * Ends uploads in parts that were never completed, except those of this process.
   *
   * @param cutoff before which they must have begun
   * @return the number of uploads ended
   * @throws IOException if some may be left
   */
  int abortUploads(Instant cutoff) throws IOException {
    try {
      return multipart.abort(cutoff);
    } catch (SdkException e) {
      throw S3Failure.of("end abandoned uploads", name, e);
    }
  }

  private static boolean isGone(S3Exception failure) {
    return failure instanceof NoSuchKeyException || failure.statusCode() == PRECONDITION_FAILED;
  }

  /** Returns bytes of a file, which each attempt reads again. */
  static RequestBody body(SpooledUpload.SpooledFile file, long offset, long length) {
    return RequestBody.fromContentProvider(
        ContentStreamProvider.fromInputStreamSupplier(
            () -> {
              try {
                return new FileRange(
                    FileChannel.open(file.path(), StandardOpenOption.READ), offset, length);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }),
        length,
        TYPE);
  }

  static Consumer<AwsRequestOverrideConfiguration.Builder> lasting(Duration attempt) {
    return configuration -> configuration.apiCallAttemptTimeout(attempt);
  }

  static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  @Override
  public void close() {
    connection.close();
  }
}

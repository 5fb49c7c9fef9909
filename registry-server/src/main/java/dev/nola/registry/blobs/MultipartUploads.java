package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CopyPartResult;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.NoSuchUploadException;

/**
 * Objects that are written in parts: readers see nothing of one before all parts are joined. Keys
 * are whole here, with the bucket's prefix; failures are those of the SDK.
 */
final class MultipartUploads {
  private static final Logger LOG = LoggerFactory.getLogger(MultipartUploads.class);
  private static final int BUFFER = 64 * 1024;

  private final S3Client client;
  private final String bucket;
  private final String prefix;
  private final S3Limits limits;

  /** Ids of the uploads of this process. */
  private final Set<String> open = ConcurrentHashMap.newKeySet();

  MultipartUploads(S3Client client, String bucket, String prefix, S3Limits limits) {
    this.client = client;
    this.bucket = bucket;
    this.prefix = prefix;
    this.limits = limits;
  }

  /** Sends or copies one part. */
  @FunctionalInterface
  private interface PartSource<E extends Exception> {
    CompletedPart send(Part part) throws E;
  }

  /**
   * One part of an upload.
   *
   * @param upload id of the upload
   * @param key of the object
   * @param number from 1
   * @param offset of its first byte in the object
   * @param length in bytes
   */
  private record Part(String upload, String key, int number, long offset, long length) {
    long end() {
      return offset + length;
    }
  }

  /**
   * Writes an object from a file. S3 compares each part with its SHA-256; that the file still has
   * the digest of the upload is checked before the parts are joined.
   *
   * @param key of the object
   * @param file with the bytes
   * @throws IOException if the file cannot be read, or has changed
   */
  void put(String key, SpooledUpload.SpooledFile file) throws IOException {
    MessageDigest whole = Sha256.newMessageDigest();
    write(
        key,
        file.size(),
        limits.partOf(file.size()),
        part -> {
          Sha256 digest = hash(file, part, whole);
          if (part.end() == file.size() && !Sha256.finish(whole).equals(file.digest())) {
            throw new IOException("file of the upload changed on disk: " + file.digest());
          }
          return send(file, part, Bucket.base64(digest.toBytes()));
        });
  }

  private CompletedPart send(SpooledUpload.SpooledFile file, Part part, String checksum) {
    String tag =
        client
            .uploadPart(
                request ->
                    request
                        .bucket(bucket)
                        .key(part.key())
                        .uploadId(part.upload())
                        .partNumber(part.number())
                        .checksumSHA256(checksum)
                        .overrideConfiguration(Bucket.lasting(limits.timeouts().transfer())),
                Bucket.body(file, part.offset(), part.length()))
            .eTag();
    return CompletedPart.builder()
        .partNumber(part.number())
        .eTag(tag)
        .checksumSHA256(checksum)
        .build();
  }

  /** Returns the digest of a part, and adds its bytes to another. */
  private static Sha256 hash(SpooledUpload.SpooledFile file, Part part, MessageDigest whole)
      throws IOException {
    MessageDigest hash = Sha256.newMessageDigest();
    byte[] buffer = new byte[BUFFER];
    try (InputStream bytes =
        new FileRange(
            FileChannel.open(file.path(), StandardOpenOption.READ), part.offset(), part.length())) {
      for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
        hash.update(buffer, 0, count);
        whole.update(buffer, 0, count);
      }
    }
    return Sha256.finish(hash);
  }

  /**
   * Has S3 copy an object that is too large for one request.
   *
   * @param from the object
   * @param key of the copy
   * @throws NoSuchKeyException if the object does not exist
   */
  void copy(Bucket.StoredObject from, String key) {
    write(key, from.size(), limits.copy(), part -> copy(from, part));
  }

  private CompletedPart copy(Bucket.StoredObject from, Part part) {
    CopyPartResult copied =
        client
            .uploadPartCopy(
                request ->
                    request
                        .sourceBucket(bucket)
                        .sourceKey(prefix + from.key())
                        .copySourceIfMatch(from.tag())
                        .copySourceRange("bytes=%d-%d".formatted(part.offset(), part.end() - 1))
                        .destinationBucket(bucket)
                        .destinationKey(part.key())
                        .uploadId(part.upload())
                        .partNumber(part.number())
                        .overrideConfiguration(Bucket.lasting(limits.timeouts().transfer())))
            .copyPartResult();
    return CompletedPart.builder()
        .partNumber(part.number())
        .eTag(copied.eTag())
        .checksumSHA256(copied.checksumSHA256())
        .build();
  }

  private <E extends Exception> void write(
      String key, long size, long partSize, PartSource<E> source) throws E {
    String upload =
        client
            .createMultipartUpload(
                request ->
                    request.bucket(bucket).key(key).checksumAlgorithm(ChecksumAlgorithm.SHA256))
            .uploadId();
    open.add(upload);
    try {
      List<CompletedPart> parts = new ArrayList<>();
      for (long offset = 0; offset < size; offset += partSize) {
        long length = Math.min(partSize, size - offset);
        parts.add(source.send(new Part(upload, key, parts.size() + 1, offset, length)));
      }
      complete(key, upload, parts, size);
    } catch (Exception e) {
      abortAfter(e, key, upload);
      throw e;
    } finally {
      open.remove(upload);
    }
  }

  private void complete(String key, String upload, List<CompletedPart> parts, long size) {
    try {
      client.completeMultipartUpload(
          request ->
              request
                  .bucket(bucket)
                  .key(key)
                  .uploadId(upload)
                  .multipartUpload(joined -> joined.parts(parts))
                  .overrideConfiguration(Bucket.lasting(limits.timeouts().transfer())));
    } catch (SdkException e) {
      // The answer may have been lost, and a repeated request not find the upload any more.
      if (!has(key, size, e)) {
        throw e;
      }
    }
  }

  /** Returns whether an object is there, which nobody else writes. */
  private boolean has(String key, long size, SdkException failure) {
    try {
      return client.headObject(request -> request.bucket(bucket).key(key)).contentLength() == size;
    } catch (SdkException e) {
      failure.addSuppressed(e);
      return false;
    }
  }

  private void abortAfter(Exception failure, String key, String upload) {
    try {
      client.abortMultipartUpload(request -> request.bucket(bucket).key(key).uploadId(upload));
    } catch (NoSuchUploadException _) {
      // Joined by a request whose answer was lost, or ended by another process.
    } catch (SdkException e) {
      LOG.warn("parts of {} are left for the next clean-up: {}", key, e.getMessage());
      failure.addSuppressed(e);
    }
  }

  /**
   * Ends uploads that were never completed, except those of this process.
   *
   * @param cutoff before which they must have begun
   * @return the number of uploads ended
   */
  int abort(Instant cutoff) {
    int aborted = 0;
    for (MultipartUpload upload :
        client
            .listMultipartUploadsPaginator(
                request -> request.bucket(bucket).prefix(prefix + S3Name.ALL))
            .uploads()) {
      if (upload.initiated().isBefore(cutoff) && !open.contains(upload.uploadId())) {
        try {
          client.abortMultipartUpload(
              request -> request.bucket(bucket).key(upload.key()).uploadId(upload.uploadId()));
          aborted++;
        } catch (NoSuchUploadException _) {
          // completed or ended since
        }
      }
    }
    return aborted;
  }
}

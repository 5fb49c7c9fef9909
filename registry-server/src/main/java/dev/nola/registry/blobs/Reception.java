package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.springframework.http.HttpStatus;

/**
 * Receives the body of a request into an upload.
 *
 * @param length of the body as declared, or -1
 * @param maxSize of the body in bytes
 * @param timeout from its first byte to its last
 * @param counter is told of every byte that comes, and may refuse it
 */
public record Reception(long length, long maxSize, Duration timeout, LongConsumer counter) {
  private static final int BUFFER = 64 * 1024;

  /**
   * Receives all bytes; does not commit them.
   *
   * @return their digest
   * @throws Refusal if the body is too large, too slow, cut off or not as long as declared
   * @throws IOException if the bytes cannot be kept
   */
  public Sha256 receive(InputStream body, BlobStore.Upload upload) throws IOException {
    if (length > maxSize) {
      throw tooLarge();
    }
    MessageDigest hash = Sha256.newMessageDigest();
    byte[] buffer = new byte[BUFFER];
    long deadline = System.nanoTime() + timeout.toNanos();
    for (int n = read(body, buffer); n >= 0; n = read(body, buffer)) {
      counter.accept(n);
      upload.write(buffer, 0, n);
      hash.update(buffer, 0, n);
      if (upload.size() > maxSize) {
        throw tooLarge();
      }
      if (System.nanoTime() > deadline) {
        throw tooSlow();
      }
    }
    if (length >= 0 && upload.size() != length) {
      throw Refusal.of(
          HttpStatus.BAD_REQUEST,
          "wrong-length",
          "the body has %d bytes, Content-Length says %d".formatted(upload.size(), length));
    }
    return Sha256.finish(hash);
  }

  private int read(InputStream body, byte[] buffer) throws IOException {
    try {
      return body.read(buffer);
    } catch (IOException e) {
      if (e instanceof SocketTimeoutException || e.getCause() instanceof SocketTimeoutException) {
        throw tooSlow();
      }
      // Its sender is most likely gone; in case not, this is for it, and not a fault of ours.
      throw Refusal.of(HttpStatus.BAD_REQUEST, "cut-off", "the body could not be read to its end");
    }
  }

  private Refusal tooLarge() {
    return Refusal.of(
        HttpStatus.CONTENT_TOO_LARGE,
        "too-large",
        "the file is larger than %d bytes".formatted(maxSize));
  }

  private Refusal tooSlow() {
    return Refusal.of(
        HttpStatus.REQUEST_TIMEOUT,
        "too-slow",
        "the body stopped, or took longer than %d seconds".formatted(timeout.toSeconds()));
  }
}

package dev.nola.registry.blobs;

import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.springframework.http.HttpStatus;

/**
 * Receives the body of a request into an upload.
 *
 * @param length of the body as declared, or -1
 * @param maxSize of the body in bytes
 * @param timeout from its first byte to its last
 * @param counter receives the number of bytes of each read, and may refuse them
 */
public record BodyReceiver(long length, long maxSize, Duration timeout, LongConsumer counter) {
  private static final int BUFFER = 64 * 1024;

  /**
   * Receives all bytes; does not commit them.
   *
   * @param body of the request
   * @param upload takes the bytes, and hashes them
   * @throws Refusal if the body is too large, too slow, cut off or not as long as declared
   * @throws IOException if the bytes cannot be kept
   */
  public void receive(InputStream body, BlobStore.Upload upload) throws IOException {
    if (length > maxSize) {
      throw tooLarge();
    }
    byte[] buffer = new byte[BUFFER];
    long deadline = System.nanoTime() + timeout.toNanos();
    for (int n = read(body, buffer); n >= 0; n = read(body, buffer)) {
      counter.accept(n);
      upload.write(buffer, 0, n);
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
          "body has %d bytes, but Content-Length is %d".formatted(upload.size(), length));
    }
  }

  private int read(InputStream body, byte[] buffer) throws IOException {
    try {
      return body.read(buffer);
    } catch (IOException e) {
      if (e instanceof SocketTimeoutException || e.getCause() instanceof SocketTimeoutException) {
        throw tooSlow();
      }
      // The client probably disconnected; otherwise the request is at fault, not the server.
      throw Refusal.of(HttpStatus.BAD_REQUEST, "cut-off", "the request body ended early");
    }
  }

  private Refusal tooLarge() {
    return Refusal.of(
        HttpStatus.CONTENT_TOO_LARGE,
        "too-large",
        "file too large; the limit is %d bytes".formatted(maxSize));
  }

  private Refusal tooSlow() {
    return Refusal.of(
        HttpStatus.REQUEST_TIMEOUT,
        "too-slow",
        "upload too slow; the limit is %d seconds".formatted(timeout.toSeconds()));
  }
}

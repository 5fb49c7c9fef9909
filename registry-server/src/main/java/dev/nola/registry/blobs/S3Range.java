package dev.nola.registry.blobs;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * A range of a blob in S3, which is requested again from the current position if a connection is
 * cut. An object that ends within the range is an error.
 */
final class S3Range extends RangeInputStream {
  private static final Logger LOG = LoggerFactory.getLogger(S3Range.class);
  private static final int MAX_FAILURES = 3;

  private final Source source;
  private final long end;
  private @Nullable ResponseInputStream<?> stream;

  /** Where {@link #stream} continues. */
  private long position;

  private int failures;

  /** Requests the rest of a range. */
  @FunctionalInterface
  interface Source {
    /**
     * Requests bytes.
     *
     * @param offset of the first byte in the blob
     * @param length in bytes, at least 1
     * @return the bytes
     * @throws IOException if they cannot be read, after all attempts
     */
    ResponseInputStream<?> request(long offset, long length) throws IOException;
  }

  /**
   * Requests a range.
   *
   * @param source of the bytes
   * @param offset of the first byte in the blob
   * @param length in bytes
   * @throws IOException if the blob cannot be read
   */
  S3Range(Source source, long offset, long length) throws IOException {
    super(offset, length);
    this.source = source;
    this.end = offset + length;
    if (length > 0) {
      answer(offset); // so that a blob that cannot be read fails before headers are sent
    }
  }

  @Override
  protected int readAt(long from, byte[] bytes, int offset, int length) throws IOException {
    while (true) {
      ResponseInputStream<?> answer = answer(from); // not repeated here: its attempts have failed
      try {
        int count = answer.read(bytes, offset, length);
        if (count < 0) {
          // Not an EOFException, which would pass for a client that has gone.
          throw new IOException("S3 ends at " + from + ", " + remaining() + " bytes too early");
        }
        position += count;
        if (position == end && answer.read() >= 0) { // also compares the checksum
          throw new IOException("S3 continues after the end of the range, " + end);
        }
        failures = 0;
        return count;
      } catch (AbortedException e) {
        throw S3Failure.ofAnswer(from, e); // the thread was interrupted
      } catch (SdkException e) {
        // Not repeated, since the rest, as a range, would have no checksum. The SDK compares it
        // where the bytes end, and has no exception of its own for it.
        throw position == end ? new ChecksumMismatch(e) : S3Failure.ofAnswer(from, e);
      } catch (IOException e) {
        drop();
        if (++failures > MAX_FAILURES) {
          throw S3Failure.ofAnswer(from, e);
        }
        LOG.debug("requesting the rest from {} on again", from, e);
      }
    }
  }

  private ResponseInputStream<?> answer(long from) throws IOException {
    if (stream == null || position != from) {
      drop();
      stream = source.request(from, end - from);
      position = from;
    }
    return stream;
  }

  /** Closes the connection instead of reading what is left of the answer. */
  private void drop() {
    if (stream != null) {
      stream.abort();
      stream = null;
    }
  }

  @Override
  public void close() {
    drop();
  }
}

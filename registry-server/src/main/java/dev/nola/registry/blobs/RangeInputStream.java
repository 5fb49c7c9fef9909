package dev.nola.registry.blobs;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** A range of something whose bytes can be read from any position on. */
public abstract class RangeInputStream extends InputStream {
  private long position;
  private long remaining;

  /**
   * Begins before the first byte of the range.
   *
   * @param offset of the range, in bytes
   * @param length of the range, in bytes
   */
  protected RangeInputStream(long offset, long length) {
    this.position = offset;
    this.remaining = length;
  }

  /**
   * Reads bytes of the range.
   *
   * @param from position of the first
   * @param bytes receives them
   * @param offset where the first goes
   * @param length how many may be read; at least 1
   * @return how many were read; at least 1
   * @throws IOException if what has the range cannot be read, or ends within it
   */
  protected abstract int readAt(long from, byte[] bytes, int offset, int length) throws IOException;

  /**
   * Receives the position after each read or skip, to release what precedes it.
   *
   * @param to the position
   * @param isEnd whether the range ends there
   */
  protected void moved(long to, boolean isEnd) {}

  /**
   * Returns how much of the range is left.
   *
   * @return bytes
   */
  protected final long remaining() {
    return remaining;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) {
      return 0;
    }
    if (remaining == 0) {
      return -1;
    }
    int count = readAt(position, bytes, offset, (int) Math.min(length, remaining));
    move(count);
    return count;
  }

  @Override
  public long skip(long count) {
    long skipped = Math.clamp(count, 0, remaining);
    move(skipped);
    return skipped;
  }

  private void move(long count) {
    position += count;
    remaining -= count;
    moved(position, remaining == 0);
  }

  @Override
  public int available() {
    return (int) Math.min(remaining, Integer.MAX_VALUE);
  }
}

package dev.nola.registry.blobs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Objects;

/** A range of a file, which it closes; a file that ends within the range is an error. */
final class RangeInputStream extends InputStream {

  private final FileChannel channel;
  private long position;
  private long remaining;

  RangeInputStream(FileChannel channel, long offset, long length) {
    this.channel = channel;
    this.position = offset;
    this.remaining = length;
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
    ByteBuffer target = ByteBuffer.wrap(bytes, offset, (int) Math.min(length, remaining));
    int count = channel.read(target, position);
    if (count < 0) {
      // A short answer under a promised Content-Length must fail loudly, not look complete; an
      // EOFException would pass for a client that has gone.
      throw new IOException("file ends at " + position + ", " + remaining + " bytes too early");
    }
    position += count;
    remaining -= count;
    return count;
  }

  @Override
  public long skip(long count) {
    long skipped = Math.clamp(count, 0, remaining);
    position += skipped;
    remaining -= skipped;
    return skipped;
  }

  @Override
  public int available() {
    return (int) Math.min(remaining, Integer.MAX_VALUE);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

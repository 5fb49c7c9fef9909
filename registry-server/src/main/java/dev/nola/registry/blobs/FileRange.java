package dev.nola.registry.blobs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A range of a file, which it closes; a file that ends within the range is an error. */
final class FileRange extends RangeInputStream {
  private final FileChannel channel;

  FileRange(FileChannel channel, long offset, long length) {
    super(offset, length);
    this.channel = channel;
  }

  @Override
  protected int readAt(long from, byte[] bytes, int offset, int length) throws IOException {
    int count = channel.read(ByteBuffer.wrap(bytes, offset, length), from);
    if (count < 0) {
      // A short answer under a promised Content-Length must fail loudly, not look complete; an
      // EOFException would pass for a client that has gone.
      throw new IOException("file ends at " + from + ", " + remaining() + " bytes too early");
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

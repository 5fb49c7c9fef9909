package dev.nola.registry.hub;

import dev.nola.registry.blobs.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a LoRA, made while they are read.
 *
 * @param maker makes their parts
 * @param source the adapter's file
 * @param size in bytes
 */
record MadeWeights(LoraMaker maker, LoraMaker.Source source, long size) implements BlobStore.Blob {
  @Override
  public Object identity() {
    return source.digest();
  }

  @Override
  public InputStream open(long offset, long length) throws IOException {
    Objects.checkFromIndexSize(offset, length, size);
    return new Range(maker, source, offset, length);
  }

  /** Holds one part at a time; parts that are skipped are not made. */
  private static final class Range extends InputStream {
    private final LoraMaker maker;
    private final LoraMaker.Source source;
    private final long[] offsets;
    private long position;
    private long remaining;
    private int held;
    private @Nullable MemorySegment part;

    Range(LoraMaker maker, LoraMaker.Source source, long offset, long length) throws IOException {
      this.maker = maker;
      this.source = source;
      this.offsets = maker.offsets(source);
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
      MemorySegment current = partAtPosition();
      long start = position - offsets[held];
      int count = (int) Math.min(Math.min(length, remaining), current.byteSize() - start);
      MemorySegment.copy(current, ValueLayout.JAVA_BYTE, start, bytes, offset, count);
      skip(count);
      return count;
    }

    @Override
    public long skip(long count) {
      long skipped = Math.clamp(count, 0, remaining);
      position += skipped;
      remaining -= skipped;
      if (part != null && (position >= offsets[held + 1] || remaining == 0)) {
        release();
      }
      return skipped;
    }

    private MemorySegment partAtPosition() throws IOException {
      if (part == null) {
        int found = Arrays.binarySearch(offsets, position);
        held = found >= 0 ? found : -found - 2;
        while (offsets[held + 1] == position) {
          held++; // parts without bytes
        }
        part = maker.take(source, held);
      }
      return part;
    }

    private void release() {
      if (part != null) {
        maker.giveBack(part);
        part = null;
      }
    }

    @Override
    public void close() {
      release();
    }
  }
}

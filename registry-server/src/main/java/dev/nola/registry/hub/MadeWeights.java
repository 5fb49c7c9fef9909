package dev.nola.registry.hub;

import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.RangeInputStream;
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
 * @param parts hands out their parts
 * @param source the adapter's file
 * @param size in bytes
 */
record MadeWeights(LoraParts parts, LoraMaker.Source source, long size) implements BlobStore.Blob {
  @Override
  public Object identity() {
    return source.digest();
  }

  @Override
  public InputStream open(long offset, long length) throws IOException {
    Objects.checkFromIndexSize(offset, length, size);
    return new Range(parts, source, offset, length);
  }

  /** Holds one part at a time; parts that are skipped are not made. */
  private static final class Range extends RangeInputStream {
    private final LoraParts parts;
    private final LoraMaker.Source source;
    private final long[] offsets;
    private int held;
    private @Nullable MemorySegment part;

    Range(LoraParts parts, LoraMaker.Source source, long offset, long length) throws IOException {
      super(offset, length);
      this.parts = parts;
      this.source = source;
      this.offsets = parts.offsets(source);
    }

    @Override
    protected int readAt(long from, byte[] bytes, int offset, int length) throws IOException {
      MemorySegment current = partAt(from);
      long start = from - offsets[held];
      int count = (int) Math.min(length, current.byteSize() - start);
      MemorySegment.copy(current, ValueLayout.JAVA_BYTE, start, bytes, offset, count);
      return count;
    }

    @Override
    protected void moved(long to, boolean isEnd) {
      if (part != null && (isEnd || to >= offsets[held + 1])) {
        release();
      }
    }

    private MemorySegment partAt(long position) throws IOException {
      if (part == null) {
        int found = Arrays.binarySearch(offsets, position);
        held = found >= 0 ? found : -found - 2;
        while (offsets[held + 1] == position) {
          held++; // parts without bytes
        }
        part = parts.take(source, held);
      }
      return part;
    }

    private void release() {
      if (part != null) {
        parts.giveBack(part);
        part = null;
      }
    }

    @Override
    public void close() {
      release();
    }
  }
}

package dev.nola.reconstruct;

import dev.nola.digest.Sha256;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

/**
 * Hashes one node of a digest tree, field by field; integers are little-endian (SPEC.md section 8).
 */
final class TreeHash {
  private static final int CHUNK = 1 << 16;

  private final MessageDigest digest = Sha256.newMessageDigest();
  private final ByteBuffer number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);

  /** Starts a node with the ASCII bytes of {@code tag}, without a length. */
  TreeHash(String tag) {
    this(tag.getBytes(StandardCharsets.US_ASCII));
  }

  /** Starts a node with bytes. */
  TreeHash(byte[] head) {
    digest.update(head);
  }

  TreeHash string(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    u32(utf8.length);
    digest.update(utf8);
    return this;
  }

  TreeHash u8(int value) {
    digest.update((byte) value);
    return this;
  }

  TreeHash u32(int value) {
    digest.update(number.clear().putInt(value).flip());
    return this;
  }

  TreeHash u64(long value) {
    digest.update(number.clear().putLong(value).flip());
    return this;
  }

  TreeHash dims(List<Integer> shape) {
    u32(shape.size());
    shape.forEach(dim -> u64(dim));
    return this;
  }

  /** Adds the first {@code length} values. */
  TreeHash floats(float[] values, int length) {
    ByteBuffer chunk =
        ByteBuffer.allocate((int) Math.min(CHUNK, (long) length * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    int perChunk = CHUNK / Float.BYTES;
    for (long start = 0; start < length; start += perChunk) {
      int count = (int) Math.min(perChunk, length - start);
      chunk.clear().asFloatBuffer().put(values, (int) start, count);
      digest.update(chunk.limit(count * Float.BYTES));
    }
    return this;
  }

  TreeHash bytes(MemorySegment bytes) {
    long maximum = 1 << 30; // a byte buffer cannot be longer than an int says
    for (long offset = 0; offset < bytes.byteSize(); offset += maximum) {
      long length = Math.min(maximum, bytes.byteSize() - offset);
      digest.update(bytes.asSlice(offset, length).asByteBuffer());
    }
    return this;
  }

  TreeHash digest(Sha256 node) {
    digest.update(node.toBytes());
    return this;
  }

  Sha256 finish() {
    return Sha256.finish(digest);
  }
}

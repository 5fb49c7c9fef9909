package dev.nola.format;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** The CRC-32C at the end of a file (SPEC.md section 2), over memory of any size. */
final class Checksum {
  /** A byte buffer cannot be longer than an int says. */
  private static final long CHUNK = 1 << 30;

  private final CRC32C crc = new CRC32C();

  void update(byte[] bytes) {
    crc.update(bytes);
  }

  void update(MemorySegment bytes) {
    for (long offset = 0; offset < bytes.byteSize(); offset += CHUNK) {
      long length = Math.min(CHUNK, bytes.byteSize() - offset);
      crc.update(bytes.asSlice(offset, length).asByteBuffer());
    }
  }

  /** Returns the checksum of everything so far. */
  int value() {
    return (int) crc.getValue();
  }
}

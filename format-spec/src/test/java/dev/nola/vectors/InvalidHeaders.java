package dev.nola.vectors;

import static dev.nola.vectors.Kinds.CORRUPT;
import static dev.nola.vectors.Kinds.LIMIT;
import static dev.nola.vectors.Kinds.TOO_NEW;
import static dev.nola.vectors.Kinds.TOO_OLD;
import static dev.nola.vectors.SmallFiles.plain;

/** Files whose header or checksum is wrong (rules 1 to 8 of SPEC.md section 11). */
final class InvalidHeaders {
  private InvalidHeaders() {}

  static void addTo(InvalidEntries files) {
    files.add("empty", "no byte at all", CORRUPT, new byte[0]);
    files.add("header-cut", "35 bytes", CORRUPT, plain().cut(35).bytes());
    files.add("magic", "NOLB", CORRUPT, plain().set(3, 'B').checksummed());
    files.add("major-0", "format version 0.0", TOO_OLD, plain().set(4, 0).checksummed());
    files.add("major-2", "format version 2.0", TOO_NEW, plain().set(4, 2).checksummed());
    files.add("candidate", "1.0-rc instead of 1.0", TOO_OLD, plain().set(11, 0x80).checksummed());
    files.add("feature", "required-feature bit 0", TOO_NEW, plain().set(8, 1).checksummed());
    files.add(
        "manifest-too-long",
        "manifest_length 2^24 + 1",
        LIMIT,
        plain().u32(12, (1 << 24) + 1).checksummed());
    files.add(
        "codes-too-long", "codes_length 2^63", LIMIT, plain().u64(16, 1L << 63).checksummed());
    files.add("dense-too-long", "dense_length 2^64 - 1", LIMIT, plain().u64(24, -1).checksummed());
    int length = plain().bytes().length;
    files.add("cut", "the last byte is missing", CORRUPT, plain().cut(length - 1).bytes());
    files.add("lengthened", "a byte too many", CORRUPT, plain().insert(length, (byte) 0).bytes());
    files.add(
        "checksum",
        "one bit of the checksum",
        CORRUPT,
        plain().set(length - 1, ~lastByte()).bytes());
    files.add(
        "flipped-bit",
        "one bit of a code, the checksum as it was",
        CORRUPT,
        plain().set(length - 6, plain().bytes()[length - 6] ^ 1).bytes());
  }

  private static int lastByte() {
    byte[] bytes = plain().bytes();
    return bytes[bytes.length - 1];
  }
}

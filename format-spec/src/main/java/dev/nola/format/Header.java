package dev.nola.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * The first {@value #BYTES} bytes of a file (SPEC.md section 3), readable without FlatBuffers.
 *
 * @param manifestBytes length of the manifest
 * @param codesBytes length of the scales and codes
 * @param denseBytes length of the dense tensors with the padding before each
 */
record Header(int manifestBytes, int codesBytes, long denseBytes) {
  static final int BYTES = 32;
  static final int CHECKSUM_BYTES = 4;

  /** "NOLA". */
  private static final int MAGIC = 0x414C4F4E;

  private static final int MAJOR = 1;
  private static final int MINOR = 0;

  /** Required-feature bit 31: the file is of a release candidate of 1.0, which is not read. */
  private static final int CANDIDATE = 1 << 31;

  /** Returns the {@value #BYTES} bytes of the header. */
  byte[] toBytes() {
    return ByteBuffer.allocate(BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC)
        .putShort((short) MAJOR)
        .putShort((short) MINOR)
        .putInt(0) // no required feature is defined
        .putInt(manifestBytes)
        .putLong(codesBytes)
        .putLong(denseBytes)
        .array();
  }

  /**
   * Reads a header.
   *
   * @param bytes the first {@value #BYTES} bytes of the file
   * @param fileBytes length of the whole file
   * @return the header
   * @throws RuleViolation if the file is of another kind, version or length
   */
  static Header parse(byte[] bytes, long fileBytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int magic = in.getInt();
    if (Rules.isBroken(Rule.MAGIC, magic == MAGIC)) {
      String guess = ForeignFile.guess(bytes);
      throw new RuleViolation(
          Rule.MAGIC,
          "not a .nola file: it begins with %s; must begin with 4e 4f 4c 41 (NOLA)%s"
              .formatted(
                  HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Integer.BYTES),
                  guess.isEmpty() ? "" : "; it seems to be " + guess));
    }
    int major = Short.toUnsignedInt(in.getShort());
    int minor = Short.toUnsignedInt(in.getShort());
    requireVersion(major, minor, in.getInt());

    long manifest = Integer.toUnsignedLong(in.getInt());
    long codes = in.getLong();
    long dense = in.getLong();
    requireWithin("manifest", manifest, Limits.MANIFEST_BYTES);
    requireWithin("codes section", codes, Limits.CODES_BYTES);
    requireWithin("dense section", dense, Limits.DENSE_BYTES);
    long expected = BYTES + manifest + codes + dense + CHECKSUM_BYTES;
    if (Rules.isBroken(Rule.FILE_LENGTH, expected == fileBytes)) {
      throw new RuleViolation(
          Rule.FILE_LENGTH,
          "file truncated or lengthened: %d bytes; its header says %d"
              .formatted(fileBytes, expected));
    }
    return new Header((int) manifest, (int) codes, dense);
  }

  private static void requireVersion(int major, int minor, int features) {
    boolean candidate = (features & CANDIDATE) != 0;
    String version = major + "." + minor + (candidate ? "-rc" : "");
    if (Rules.isBroken(Rule.MAJOR_SUPPORTED, major >= MAJOR)) {
      throw new RuleViolation(Rule.MAJOR_SUPPORTED, tooOld(version));
    }
    if (Rules.isBroken(Rule.MAJOR_KNOWN, major <= MAJOR)) {
      throw new RuleViolation(
          Rule.MAJOR_KNOWN,
          "format version too new: %s; this reader reads %s"
              .formatted(version, AdapterFile.VERSION));
    }
    if (Rules.isBroken(Rule.NO_CANDIDATE, !candidate)) {
      throw new RuleViolation(Rule.NO_CANDIDATE, tooOld(version));
    }
    if (Rules.isBroken(Rule.FEATURES_KNOWN, (features & ~CANDIDATE) == 0)) {
      throw new RuleViolation(
          Rule.FEATURES_KNOWN,
          "unknown required-feature bits: 0x%08x of format version %s; this reader reads %s"
              .formatted(features, version, AdapterFile.VERSION));
    }
  }

  private static String tooOld(String version) {
    return "format version too old: %s; this reader reads %s"
        .formatted(version, AdapterFile.VERSION);
  }

  /** Requires that a part of the file, of an unsigned length, is within its limit. */
  static void requireWithin(String part, long bytes, long limit) {
    if (Rules.isBroken(Rule.PART_LENGTH, part, Long.compareUnsigned(bytes, limit) <= 0)) {
      throw new RuleViolation(
          Rule.PART_LENGTH,
          "%s too large: %s bytes; limit is %d"
              .formatted(part, Long.toUnsignedString(bytes), limit));
    }
  }
}

package dev.nola.format;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** A SHA-256 digest; its text is {@code sha256:} and 64 lower-case hex digits. */
public final class Sha256 implements Comparable<Sha256> {
  /** Bytes of a digest. */
  public static final int BYTES = 32;

  private static final String PREFIX = "sha256:";

  private final byte[] bytes;

  private Sha256(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The digest with these 32 bytes.
   *
   * @throws IllegalArgumentException if there are not 32
   */
  public static Sha256 ofBytes(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "a SHA-256 digest has " + BYTES + " bytes, not " + bytes.length);
    }
    return new Sha256(bytes.clone());
  }

  /**
   * The digest written as {@code sha256:} and 64 lower-case hex digits.
   *
   * @throws IllegalArgumentException if the text is anything else
   */
  public static Sha256 parse(String text) {
    if (!text.matches("sha256:[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "digest \"" + text + "\" is not sha256: and 64 lower-case hex digits");
    }
    return new Sha256(HexFormat.of().parseHex(text, PREFIX.length(), text.length()));
  }

  /** The digest of {@code content}. */
  public static Sha256 hash(byte[] content) {
    return new Sha256(newMessageDigest().digest(content));
  }

  /** A fresh SHA-256 computation. */
  public static MessageDigest newMessageDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Ends a computation and gives its digest. */
  public static Sha256 finish(MessageDigest computation) {
    return new Sha256(computation.digest());
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** The 64 hex digits without the prefix. */
  public String hex() {
    return HexFormat.of().formatHex(bytes);
  }

  @Override
  public int compareTo(Sha256 other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Sha256 that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return PREFIX + hex();
  }
}

package dev.nola.digest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** A SHA-256 digest; its text is {@code sha256:} and 64 lower-case hex digits. */
public final class Sha256 implements Comparable<Sha256> {
  /** Bytes of a digest. */
  public static final int BYTES = 32;

  private static final String PREFIX = "sha256:";

  private static final int BUFFER_BYTES = 1 << 16;

  private final byte[] bytes;

  private Sha256(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Returns the digest that consists of the given bytes.
   *
   * @param bytes the 32 bytes of a digest; copied
   * @return the digest
   * @throws IllegalArgumentException if there are not 32 bytes
   */
  public static Sha256 ofBytes(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "a SHA-256 digest has " + BYTES + " bytes, not " + bytes.length);
    }
    return new Sha256(bytes.clone());
  }

  /**
   * Parses a digest.
   *
   * @param text {@code sha256:} and 64 lower-case hex digits
   * @return the digest
   * @throws IllegalArgumentException if the text is anything else
   */
  public static Sha256 parse(String text) {
    if (!text.matches("sha256:[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "invalid digest: \"" + text + "\"; must be sha256: and 64 lower-case hex digits");
    }
    return new Sha256(HexFormat.of().parseHex(text, PREFIX.length(), text.length()));
  }

  /**
   * Computes the digest of bytes in memory.
   *
   * @param content the bytes to hash
   * @return their digest
   */
  public static Sha256 hash(byte[] content) {
    return new Sha256(newMessageDigest().digest(content));
  }

  /**
   * Computes the digest of a file.
   *
   * @param file a readable file of any size; it is streamed
   * @return the digest of its bytes
   * @throws IOException if it cannot be read
   */
  public static Sha256 hash(Path file) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      return hash(content);
    }
  }

  /**
   * Computes the digest of the rest of a stream.
   *
   * @param content the stream; read to its end, not closed
   * @return the digest of the bytes that were left
   * @throws IOException if it cannot be read
   */
  public static Sha256 hash(InputStream content) throws IOException {
    MessageDigest computation = newMessageDigest();
    byte[] buffer = new byte[BUFFER_BYTES];
    for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
      computation.update(buffer, 0, count);
    }
    return finish(computation);
  }

  /**
   * Starts a computation over bytes that arrive in pieces.
   *
   * @return a fresh SHA-256 computation, for {@link #finish}
   */
  public static MessageDigest newMessageDigest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * Ends a computation.
   *
   * @param computation one from {@link #newMessageDigest}; reset afterwards
   * @return the digest of all bytes it was updated with
   */
  public static Sha256 finish(MessageDigest computation) {
    return new Sha256(computation.digest());
  }

  /**
   * Copies the bytes of the digest.
   *
   * @return a new array of 32 bytes
   */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /**
   * Returns the hex digits without the prefix.
   *
   * @return 64 lower-case hex digits
   */
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

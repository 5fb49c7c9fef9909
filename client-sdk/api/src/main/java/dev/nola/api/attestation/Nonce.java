package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A number used once, from the registry: an attestation made with it cannot be copied from another
 * job.
 *
 * @param hex 64 lower-case hex digits
 */
public record Nonce(@JsonValue String hex) {
  /** Number of bytes in a nonce. */
  public static final int BYTES = 32;

  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");
  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * Checks the digits.
   *
   * @throws IllegalArgumentException if there is anything else than 64 lower-case hex digits
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public Nonce {
    if (!HEX.matcher(hex).matches()) {
      throw new IllegalArgumentException(
          "invalid nonce: %s; must be 64 lower-case hex digits".formatted(hex));
    }
  }

  /**
   * Makes an unpredictable nonce.
   *
   * @return a new nonce
   */
  public static Nonce random() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return ofBytes(bytes);
  }

  /**
   * Returns the nonce that consists of the given bytes.
   *
   * @param bytes the 32 bytes of a nonce
   * @return the nonce
   * @throws IllegalArgumentException if there are not 32 bytes
   */
  public static Nonce ofBytes(byte[] bytes) {
    return new Nonce(HexFormat.of().formatHex(bytes));
  }

  /**
   * Returns the bytes that the digits stand for.
   *
   * @return a new array of 32 bytes
   */
  public byte[] toBytes() {
    return HexFormat.of().parseHex(hex);
  }

  @Override
  public String toString() {
    return hex;
  }
}

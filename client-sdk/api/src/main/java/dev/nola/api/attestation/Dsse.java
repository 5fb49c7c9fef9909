package dev.nola.api.attestation;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The bytes that DSSE v1 signs. */
public final class Dsse {
  private Dsse() {}

  /**
   * Returns the pre-authentication encoding: no payload can pass for one of another type.
   *
   * @param type media type of the payload
   * @param payload any bytes
   * @return the bytes to sign
   */
  public static byte[] preAuthenticationEncoding(String type, byte[] payload) {
    byte[] typeBytes = type.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream encoded = new ByteArrayOutputStream(payload.length + 64);
    encoded.writeBytes(ascii("DSSEv1 " + typeBytes.length + " "));
    encoded.writeBytes(typeBytes);
    encoded.writeBytes(ascii(" " + payload.length + " "));
    encoded.writeBytes(payload);
    return encoded.toByteArray();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}

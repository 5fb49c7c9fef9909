package dev.nola.registry.webhooks;

import dev.nola.digest.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The secret that a webhook's requests are signed with, in the way of Standard Webhooks. */
final class WebhookSecret {
  private static final String ALGORITHM = "HmacSHA256";
  private static final String PREFIX = "whsec_";

  private final byte[] bytes;

  private WebhookSecret(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Derives the secret of a webhook.
   *
   * @param key of the registry, at least 32 bytes
   * @param webhook id of the webhook
   * @return its secret, the same each time
   */
  static WebhookSecret derive(byte[] key, UUID webhook) {
    return new WebhookSecret(hmac(key, "webhook " + webhook));
  }

  /** Returns the secret as its receiver gets it: {@code whsec_} and 32 bytes in base64. */
  String text() {
    return PREFIX + Base64.getEncoder().encodeToString(bytes);
  }

  /** Returns the SHA-256 by which a wrong secret is noticed; it has 256 bits and needs no salt. */
  Sha256 hash() {
    return Sha256.hash(bytes);
  }

  /**
   * Signs a message.
   *
   * @param id in the header {@code webhook-id}
   * @param time in the header {@code webhook-timestamp}, to the second
   * @param body of the request
   * @return value of the header {@code webhook-signature}
   */
  String sign(UUID id, Instant time, String body) {
    byte[] mac = hmac(bytes, id + "." + time.getEpochSecond() + "." + body);
    return "v1," + Base64.getEncoder().encodeToString(mac);
  }

  private static byte[] hmac(byte[] key, String message) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(key, ALGORITHM));
      return mac.doFinal(message.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  @Override
  public String toString() {
    return "WebhookSecret"; // secrets do not belong into logs
  }
}

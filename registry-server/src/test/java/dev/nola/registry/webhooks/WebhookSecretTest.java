package dev.nola.registry.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Compares with values computed in Python, the signature by the package standardwebhooks 1.1.0. */
class WebhookSecretTest {
  private static WebhookSecret secret() {
    byte[] key = new byte[32];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) i;
    }
    return WebhookSecret.derive(key, new UUID(0, 1));
  }

  @Test
  void secretFollowsFromKeyAndId() {
    assertThat(secret().text()).isEqualTo("whsec_i4wl1g6pjSOfs9WEkpLjV8q2gKoQhGgM+4jxFeHbCaY=");
    assertThat(WebhookSecret.derive(new byte[32], new UUID(0, 1)).hash())
        .isNotEqualTo(secret().hash());
    assertThat(secret().toString()).doesNotContain("i4wl1g6pjSOfs9WEkpLjV8q2gKoQhGgM");
  }

  @Test
  void signatureIsThatOfStandardWebhooks() {
    assertThat(
            secret()
                .sign(
                    new UUID(0, 2),
                    Instant.parse("2021-02-25T15:02:10.999Z"),
                    "{\"type\":\"ping\",\"data\":{\"ü\":\"é\"}}"))
        .isEqualTo("v1,z3GKlPXqS16ihw2S6KcuJATyGrHC/z+kWD9sLsebNpY=");
  }
}

package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Whose requests without a valid token are counted, and that no valid token is locked out. */
class ClientAddressTest {
  private static final String PATH = "/api/v1/adapters";
  private static final String LIMIT = "nola.access.anonymous-requests-per-minute=5";

  @Test
  void exhaustedAddressLocksOutNoValidToken() throws Exception {
    try (TestRegistry slow = TestRegistry.start(LIMIT)) {
      TestClient ann = slow.admin().account("ann", "read");
      TestClient guess = slow.anonymous().with("nola_guess");
      exhaust(slow.anonymous());
      assertThat(guess.get(PATH).refusal()).isEqualTo("429 too-many-requests");

      for (int i = 0; i < 20; i++) {
        assertThat(ann.get(PATH).status()).isEqualTo(200); // its first use is not in any cache
      }
    }
  }

  @Test
  void guessedTokensCountForTheirAddress() throws Exception {
    try (TestRegistry slow = TestRegistry.start(LIMIT)) {
      for (int i = 0; i < 5; i++) {
        assertThat(slow.anonymous().with("nola_" + i).get(PATH).refusal())
            .isEqualTo("401 unauthenticated");
      }
      assertThat(slow.anonymous().get(PATH).status()).isEqualTo(429);
    }
  }

  @Test
  void forwardedAddressIsIgnoredWithoutTrustedProxies() throws Exception {
    try (TestRegistry slow = TestRegistry.start(LIMIT)) {
      exhaust(slow.anonymous());
      assertThat(status(slow, "203.0.113.9")).isEqualTo(429);
    }
  }

  @Test
  void rightmostAddressThatIsNoTrustedProxyCounts() throws Exception {
    try (TestRegistry slow =
        TestRegistry.start(LIMIT, "nola.access.trusted-proxies=127.0.0.0/8,10.1.0.0/16")) {
      for (int i = 0; i < 5; i++) {
        // What the client wrote itself, to the left, changes nothing.
        assertThat(status(slow, "198.51.100." + i + ", 203.0.113.9, 10.1.0.7")).isEqualTo(200);
      }
      for (String forwarded :
          List.of(
              "203.0.113.9",
              "192.0.2.1,203.0.113.9",
              "unknown, 203.0.113.9, 10.1.2.3",
              "203.0.113.9 ,10.1.0.7, 10.1.0.8")) {
        assertThat(status(slow, forwarded)).as(forwarded).isEqualTo(429);
      }
      for (String other : List.of("203.0.113.10", "203.0.113.9, 10.2.0.1", "2001:db8::1")) {
        assertThat(status(slow, other)).as(other).isEqualTo(200);
      }
      assertThat(status(slow, "example.org")).as("not looked up").isEqualTo(200);
    }
  }

  @Test
  void addressesOfOneIpv6NetworkCountTogether() throws Exception {
    try (TestRegistry slow = TestRegistry.start(LIMIT, "nola.access.trusted-proxies=127.0.0.1")) {
      for (int i = 0; i < 5; i++) {
        assertThat(status(slow, "2001:db8:1:2::" + i)).isEqualTo(200);
      }
      assertThat(status(slow, "2001:db8:1:2:ffff::1")).isEqualTo(429);
      assertThat(status(slow, "2001:db8:1:3::1")).isEqualTo(200);
    }
  }

  @Test
  void settingsThatTrustEveryClientAreRefused() {
    assertThatThrownBy(() -> TestRegistry.start("server.forward-headers-strategy=framework"))
        .hasMessage(
            "server.forward-headers-strategy=framework would believe every client's X-Forwarded-For");
    assertThatThrownBy(() -> TestRegistry.start("nola.access.trusted-proxies=example.org"))
        .hasStackTraceContaining(
            "invalid nola.access.trusted-proxies: example.org; must be IP addresses or CIDR ranges such as");
  }

  private static void exhaust(TestClient client) throws Exception {
    for (int i = 0; i < 5; i++) {
      assertThat(client.get(PATH).status()).isEqualTo(200);
    }
    assertThat(client.get(PATH).status()).isEqualTo(429);
  }

  private static int status(TestRegistry registry, String forwarded) throws Exception {
    return registry.anonymous().get(PATH, "X-Forwarded-For", forwarded).status();
  }
}

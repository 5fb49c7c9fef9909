package dev.nola.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.client.registry.NolaClient;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegistryUrlTest {
  @Test
  void oneRegistryIsWrittenInOneWay() {
    for (String url :
        List.of(
            "https://registry.example",
            "HTTPS://Registry.Example/",
            "https://registry.example:443//")) {
      assertThat(RegistryUrl.normalize(URI.create(url)))
          .as(url)
          .hasToString("https://registry.example");
    }
    assertThat(RegistryUrl.normalize(URI.create("http://[::1]:8080/a%20b/")))
        .hasToString("http://[::1]:8080/a%20b");
  }

  @Test
  void whatIsNoRegistrysUrlIsRefused() {
    for (String url :
        List.of(
            "registry.example",
            "ftp://registry.example",
            "file:///etc/passwd",
            "https://",
            "https:registry.example",
            "https://registry.example?a=b",
            "https://registry.example#a",
            "https://ann:secret@registry.example")) {
      assertThatIllegalArgumentException()
          .as(url)
          .isThrownBy(
              () -> RegistryUrl.normalize(new URI(url.equals("https://") ? "https:/" : url)))
          .withMessageNotContaining("secret");
    }
  }

  @Test
  void anotherSchemeHostOrPortIsAnotherOrigin() {
    URI registry = URI.create("https://registry.example");
    for (String same : List.of("https://registry.example:443/a", "https://REGISTRY.example/?b")) {
      assertThat(RegistryUrl.sameOrigin(registry, URI.create(same))).as(same).isTrue();
    }
    for (String other :
        List.of(
            "http://registry.example",
            "https://registry.example:8443",
            "https://evil.example",
            "https://registry.example.evil.example",
            "https://evil.example/registry.example")) {
      assertThat(RegistryUrl.sameOrigin(registry, URI.create(other))).as(other).isFalse();
    }
  }

  @Test
  void tokensCrossPlainHttpOnThisMachineOnly() {
    for (String url :
        List.of("https://a.example", "http://localhost:1", "http://127.9.0.1", "http://[::1]:1")) {
      assertThat(RegistryUrl.isPrivate(URI.create(url))).as(url).isTrue();
    }
    for (String url :
        List.of(
            "http://a.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://0.0.0.0",
            "http://10.0.0.1")) {
      assertThat(RegistryUrl.isPrivate(URI.create(url))).as(url).isFalse();
      assertThatIllegalArgumentException()
          .as(url)
          .isThrownBy(() -> NolaClient.builder(URI.create(url)).token("nola_secret").build())
          .withMessageContaining("would cross the network unencrypted; use https")
          .withMessageNotContaining("secret");
    }
  }
}

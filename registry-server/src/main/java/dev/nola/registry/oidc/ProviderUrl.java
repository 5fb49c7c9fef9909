package dev.nola.registry.oidc;

import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.Set;

/** Checks the addresses of providers: what comes from them decides who a caller is. */
final class ProviderUrl {
  private static final Set<String> LOOPBACK = Set.of("127.0.0.1", "localhost", "[::1]");

  private ProviderUrl() {}

  /**
   * Checks an address.
   *
   * @param key that has it
   * @param text the address
   * @return the address
   * @throws IllegalArgumentException if it is not of https, or of http on this machine
   */
  static URL require(String key, String text) {
    try {
      URI uri = new URI(text);
      boolean safe =
          "https".equals(uri.getScheme())
              || ("http".equals(uri.getScheme())
                  && LOOPBACK.contains(String.valueOf(uri.getHost())));
      if (safe && uri.getHost() != null && uri.getUserInfo() == null) {
        return uri.toURL();
      }
    } catch (URISyntaxException | MalformedURLException _) {
      // refused below
    }
    throw new IllegalArgumentException(
        "invalid %s: %s; must be a URL of https, or of http on loopback"
            .formatted(key, text.isEmpty() ? "\"\"" : text));
  }
}

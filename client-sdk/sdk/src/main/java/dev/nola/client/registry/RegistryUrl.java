package dev.nola.client.registry;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** URLs of registries. */
final class RegistryUrl {
  private static final String HTTPS = "https";

  private RegistryUrl() {}

  /**
   * The one way to write a URL: scheme and host in lower case, no port that the scheme implies, no
   * slash at the end.
   *
   * @throws IllegalArgumentException if it is not http or https, or has what no registry's URL has
   */
  static URI normalize(URI url) {
    String scheme = lower(url.getScheme());
    if (!(scheme.equals("http") || scheme.equals(HTTPS)) || url.getHost() == null) {
      throw new IllegalArgumentException(
          "registry=%s, must be a URL such as https://registry.example".formatted(url));
    }
    if (url.getRawUserInfo() != null) {
      throw new IllegalArgumentException(
          "the registry's URL has a user or password, which does not belong there; give a token");
    }
    if (url.getRawQuery() != null || url.getRawFragment() != null) {
      throw new IllegalArgumentException("registry=%s, must have no ? and no #".formatted(url));
    }
    String path = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/+$", "");
    int port = url.getPort() == defaultPort(scheme) ? -1 : url.getPort();
    try {
      URI origin = new URI(scheme, null, lower(url.getHost()), port, null, null, null);
      return URI.create(origin + path);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("registry=" + url + ", is no URL", e);
    }
  }

  /** Whether both go to the same scheme, host and port, and so to the same owner. */
  static boolean sameOrigin(URI a, URI b) {
    return lower(a.getScheme()).equals(lower(b.getScheme()))
        && lower(a.getHost()).equals(lower(b.getHost()))
        && port(a) == port(b);
  }

  /** Whether what is sent there cannot be read on the way. */
  static boolean isPrivate(URI url) {
    return lower(url.getScheme()).equals(HTTPS) || isLoopback(lower(url.getHost()));
  }

  static boolean isEncrypted(URI url) {
    return lower(url.getScheme()).equals(HTTPS);
  }

  /** By its text: what a name server says of a name is not to be trusted with a token. */
  private static boolean isLoopback(String host) {
    return host.equals("localhost")
        || host.equals("[::1]")
        || host.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
  }

  private static int port(URI url) {
    return url.getPort() >= 0 ? url.getPort() : defaultPort(lower(url.getScheme()));
  }

  private static int defaultPort(String scheme) {
    return scheme.equals(HTTPS) ? 443 : 80;
  }

  private static String lower(@Nullable String text) {
    return text == null ? "" : text.toLowerCase(Locale.ROOT);
  }
}

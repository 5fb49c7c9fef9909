package dev.nola.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The rules of registries' URLs. */
public final class RegistryUrl {
  private static final String HTTPS = "https";

  private RegistryUrl() {}

  /**
   * Returns the only form of a registry's URL: scheme and host in lower case, no port that the
   * scheme implies, no slash at the end.
   *
   * @param url the URL
   * @return the normalized URL
   * @throws IllegalArgumentException if the scheme is not http or https, or the URL has a user, a
   *     query or a fragment
   */
  public static URI normalize(URI url) {
    String scheme = lower(url.getScheme());
    if (!(scheme.equals("http") || scheme.equals(HTTPS)) || url.getHost() == null) {
      throw new IllegalArgumentException(
          "invalid registry URL: %s; must look like https://registry.example".formatted(url));
    }
    if (url.getRawUserInfo() != null) {
      throw new IllegalArgumentException( // without the URL: it may hold a password
          "invalid registry URL: it contains a user name or password; use a token instead");
    }
    if (url.getRawQuery() != null || url.getRawFragment() != null) {
      throw new IllegalArgumentException(
          "invalid registry URL: %s; must have no ? and no #".formatted(url));
    }
    String path = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/+$", "");
    int port = url.getPort() == defaultPort(scheme) ? -1 : url.getPort();
    try {
      URI origin = new URI(scheme, null, lower(url.getHost()), port, null, null, null);
      return URI.create(origin + path);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "invalid registry URL: %s; must look like https://registry.example".formatted(url), e);
    }
  }

  /**
   * Tells whether two URLs have the same scheme, host and port, and so the same owner.
   *
   * @param a a URL
   * @param b another URL
   * @return true if they have
   */
  public static boolean sameOrigin(URI a, URI b) {
    return lower(a.getScheme()).equals(lower(b.getScheme()))
        && lower(a.getHost()).equals(lower(b.getHost()))
        && port(a) == port(b);
  }

  /**
   * Tells whether nobody on the network can read what is sent to a URL: it is encrypted, or stays
   * on this machine.
   *
   * @param url the URL
   * @return true if nobody can
   */
  public static boolean isPrivate(URI url) {
    return isEncrypted(url) || isLoopback(lower(url.getHost()));
  }

  /**
   * Tells whether a URL's scheme is https.
   *
   * @param url the URL
   * @return true if it is
   */
  public static boolean isEncrypted(URI url) {
    return lower(url.getScheme()).equals(HTTPS);
  }

  /** Looks at the text alone: a name server is not to be trusted with a token. */
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

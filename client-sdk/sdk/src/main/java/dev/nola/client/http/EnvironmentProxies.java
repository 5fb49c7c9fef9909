package dev.nola.client.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Selects the HTTP proxies that the environment names: {@code HTTPS_PROXY}, {@code HTTP_PROXY} and
 * {@code ALL_PROXY}, except for the hosts in {@code NO_PROXY}. Names in lower case come first;
 * variables that are empty are not set. Unlike with curl, the port of a proxy defaults to 80,
 * {@code HTTP_PROXY} counts in upper case too, and loopback addresses are reached directly.
 */
final class EnvironmentProxies extends ProxySelector {
  private static final int DEFAULT_PORT = 80;
  private static final int MAX_PORT = 65_535;
  private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

  private final Map<String, String> environment;

  /**
   * Creates the selector.
   *
   * @param environment the process's variables
   */
  EnvironmentProxies(Map<String, String> environment) {
    this.environment = environment;
  }

  /**
   * A proxy.
   *
   * @param variable the variable that names it
   * @param url its URL
   */
  record HttpProxy(String variable, URI url) {
    /** Returns the proxy's host and port, without the credentials. */
    @Override
    public String toString() {
      return "%s from %s".formatted(address(), variable);
    }

    private String address() {
      return "http://%s:%s".formatted(url.getHost(), port());
    }

    private int port() {
      return url.getPort() < 0 ? DEFAULT_PORT : url.getPort();
    }

    /**
     * Returns the credentials in the URL.
     *
     * @return user and password, or null if there are none
     */
    @Nullable PasswordAuthentication credentials() {
      String user = url.getRawUserInfo();
      if (user == null) {
        return null;
      }
      String[] parts = user.split(":", 2);
      return new PasswordAuthentication(
          decoded(parts[0]), (parts.length < 2 ? "" : decoded(parts[1])).toCharArray());
    }

    private static String decoded(String text) {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
  }

  /**
   * Finds the proxy to a host.
   *
   * @param target the URL to reach
   * @return the proxy, or nothing if the host is reached directly
   * @throws IllegalArgumentException if a variable names something else than an HTTP proxy
   */
  Optional<HttpProxy> find(URI target) {
    String host = target.getHost();
    if (host == null || isLoopback(host)) {
      return Optional.empty();
    }
    String scheme = target.getScheme().toLowerCase(Locale.ROOT);
    return Stream.of(scheme + "_proxy", "all_proxy")
        .flatMap(variable -> nameOf(variable).stream())
        .findFirst()
        .filter(_ -> !isExcluded(host, port(target)))
        .map(name -> parse(name, value(name)));
  }

  /** Returns the name, in lower or upper case, by which a variable is set; empty if it is not. */
  private Optional<String> nameOf(String variable) {
    return Stream.of(variable, variable.toUpperCase(Locale.ROOT))
        .filter(name -> !value(name).isEmpty())
        .findFirst();
  }

  private String value(String name) {
    return environment.getOrDefault(name, "").strip();
  }

  private static HttpProxy parse(String variable, String value) {
    try {
      URI url = URI.create(value.contains("://") ? value : "http://" + value);
      boolean hasPort = url.getPort() != 0 && url.getPort() <= MAX_PORT;
      if ("http".equalsIgnoreCase(url.getScheme()) && url.getHost() != null && hasPort) {
        return new HttpProxy(variable, url);
      }
    } catch (IllegalArgumentException _) {
      // The message must not repeat it: it may have a password.
    }
    throw new IllegalArgumentException(
        "invalid proxy in %s; must be http://HOST:PORT, where the host may be preceded by USER:PASSWORD@"
            .formatted(variable));
  }

  private boolean isExcluded(String host, int port) {
    String list = nameOf("no_proxy").map(this::value).orElse("");
    return Arrays.stream(list.split("[,\\s]+"))
        .filter(entry -> !entry.isEmpty())
        .anyMatch(entry -> covers(entry.toLowerCase(Locale.ROOT), host, port));
  }

  /**
   * Returns whether an entry covers a host: {@code *}, a domain, a host, an address or a network,
   * perhaps with a port.
   */
  private static boolean covers(String entry, String host, int port) {
    if (entry.equals("*")) {
      return true;
    }
    if (entry.contains("/")) {
      return isWithin(bare(host), entry);
    }
    String name = entry;
    int colon = entry.lastIndexOf(':');
    boolean hasPort = colon > 0 && (entry.indexOf(':') == colon || entry.charAt(colon - 1) == ']');
    if (hasPort) {
      if (!entry.substring(colon + 1).equals(Integer.toString(port))) {
        return false;
      }
      name = entry.substring(0, colon);
    }
    name = bare(name.startsWith("*.") ? name.substring(1) : name);
    String lower = bare(host).toLowerCase(Locale.ROOT);
    return lower.equals(name.startsWith(".") ? name.substring(1) : name)
        || lower.endsWith(name.startsWith(".") ? name : "." + name);
  }

  private static boolean isWithin(String host, String network) {
    try {
      if (!ADDRESS.matcher(host).matches()) {
        return false;
      }
      int slash = network.indexOf('/');
      byte[] address = InetAddress.ofLiteral(host).getAddress();
      byte[] prefix = InetAddress.ofLiteral(bare(network.substring(0, slash))).getAddress();
      int bits = Integer.parseInt(network.substring(slash + 1));
      if (address.length != prefix.length || bits < 0 || bits > 8 * address.length) {
        return false;
      }
      for (int i = 0; i < bits; i++) {
        if (((address[i / 8] ^ prefix[i / 8]) & (0x80 >> i % 8)) != 0) {
          return false;
        }
      }
      return true;
    } catch (IllegalArgumentException _) {
      return false; // not a network
    }
  }

  private static boolean isLoopback(String host) {
    String bare = bare(host);
    return bare.equalsIgnoreCase("localhost")
        || bare.toLowerCase(Locale.ROOT).endsWith(".localhost")
        || (ADDRESS.matcher(bare).matches() && isLoopbackAddress(bare));
  }

  private static boolean isLoopbackAddress(String text) {
    try {
      return InetAddress.ofLiteral(text).isLoopbackAddress();
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  /** Removes the brackets of an IPv6 address. */
  private static String bare(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  private static int port(URI target) {
    return target.getPort() >= 0
        ? target.getPort()
        : "https".equalsIgnoreCase(target.getScheme()) ? 443 : 80;
  }

  @Override
  public List<Proxy> select(URI target) {
    return List.of(
        find(target)
            .map(
                proxy ->
                    new Proxy(
                        Proxy.Type.HTTP,
                        new InetSocketAddress(proxy.url().getHost(), proxy.port())))
            .orElse(Proxy.NO_PROXY));
  }

  @Override
  public void connectFailed(URI target, SocketAddress proxy, IOException failure) {
    // The request fails with the same exception.
  }
}

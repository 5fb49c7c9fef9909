package dev.nola.client.http;

import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The way from this machine to registries: proxies and trusted certificates. Java's own settings
 * come first: with {@code -Dhttps.proxyHost} the environment's proxies are ignored, with {@code
 * -Djavax.net.ssl.trustStore} the certificates of the system and of {@code SSL_CERT_FILE}.
 */
final class Network {
  private static final String DISABLED_SCHEMES = "jdk.http.auth.tunneling.disabledSchemes";

  static {
    // Otherwise Java refuses to log in to proxies for https. It reads this when the process's first
    // client is made, which may be one that needs no proxy.
    if (System.getProperty(DISABLED_SCHEMES) == null) {
      System.setProperty(DISABLED_SCHEMES, "");
    }
  }

  private final Map<String, String> environment;
  private final @Nullable EnvironmentProxies proxies;

  /**
   * Reads the settings.
   *
   * @param environment the process's variables
   */
  Network(Map<String, String> environment) {
    this.environment = environment;
    this.proxies =
        Stream.of("http.proxyHost", "https.proxyHost", "java.net.useSystemProxies")
                .anyMatch(name -> System.getProperty(name) != null)
            ? null
            : new EnvironmentProxies(environment);
  }

  /**
   * Finds the proxy to a host.
   *
   * @param target the URL to reach
   * @return the environment's proxy, or nothing
   * @throws IllegalArgumentException if a variable names something else than an HTTP proxy
   */
  Optional<EnvironmentProxies.HttpProxy> proxy(URI target) {
    return Optional.ofNullable(proxies).flatMap(selector -> selector.find(target));
  }

  /**
   * Names the proxy on the way to a host.
   *
   * @param target the URL to reach
   * @return a phrase that follows the URL in a message; empty without a proxy of the environment
   */
  String route(URI target) {
    return proxy(target).map(proxy -> " through the proxy " + proxy).orElse("");
  }

  /**
   * Creates a client that follows no redirections.
   *
   * @param registry the registry that is reached first
   * @param connectTimeout for a connection
   * @return the client
   * @throws IllegalArgumentException if a variable names something else than an HTTP proxy
   */
  HttpClient client(URI registry, Duration connectTimeout) {
    PasswordAuthentication credentials =
        proxy(registry).map(EnvironmentProxies.HttpProxy::credentials).orElse(null);
    HttpClient.Builder client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // the upgrade in plain HTTP irritates proxies
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(connectTimeout)
            .sslContext(sslContext());
    ProxySelector selector = proxies;
    if (selector != null) {
      client.proxy(selector);
    }
    if (credentials != null) {
      client.authenticator(new ProxyCredentials(credentials));
    }
    return client.build();
  }

  private SSLContext sslContext() {
    try {
      if (System.getProperty("javax.net.ssl.trustStore") != null) {
        return SSLContext.getDefault();
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new MachineTrust(environment)}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java has no TLS", e);
    }
  }

  /** Sends the credentials to the proxy only. */
  private static final class ProxyCredentials extends Authenticator {
    private final PasswordAuthentication credentials;

    ProxyCredentials(PasswordAuthentication credentials) {
      this.credentials = credentials;
    }

    @Override
    protected @Nullable PasswordAuthentication getPasswordAuthentication() {
      return getRequestorType() == RequestorType.PROXY
          ? new PasswordAuthentication(
              credentials.getUserName(),
              Arrays.copyOf(credentials.getPassword(), credentials.getPassword().length))
          : null;
    }
  }
}
